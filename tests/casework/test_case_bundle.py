"""The bundle of a case, from the workspace to a verifier that has nothing else."""

import json
from pathlib import Path

import pytest

from headframe.casework.case_bundle import write_case_bundle
from headframe.errors import HeadframeError
from headframe.ledger.leaf import read
from headframe.stores.bundles import verify_bundle
from tests.casework.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A case that was classified and notified, beside one of another site."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    office.find("192.0.2.200", "mill.jsonl")
    case = office.open()
    office.classify(case)
    office.notify(case)
    office.open("S2")
    return office


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_it_has_the_case_and_nothing_of_another(office: Office, tmp_path: Path, name: str) -> None:
    """Every event, in order and without gaps; every document; no leaf of the other case."""
    (case,) = (one.case_id for one in office.work.store.cases(_all()).rows if one.site_id == "S1")
    write_case_bundle(office.work, office.account("officer"), case, tmp_path / name, reason="the party asked")
    report = verify_bundle(tmp_path / name, office.work.ledger.keys)
    assert report.sound, report.checks
    assert (report.subject, report.withheld_count) == (case, 0)
    if name.endswith(".zip"):
        return
    leaves = [read(json.loads(line)["leaf"].encode()) for line in (tmp_path / name / "leaves.jsonl").open()]
    events = office.work.store.events(case)
    assert [leaf.subject for leaf in leaves if leaf.kind == "case"] == [f"{case}/{event.number}" for event in events]
    documents = {kept.ref.sha256 for kept in office.work.store.documents(case)}
    assert documents
    assert {leaf.subject for leaf in leaves if leaf.kind == "document"} == documents
    assert len(list((tmp_path / name / "documents").iterdir())) == len(documents)
    assert "Mill" not in "".join(path.read_text(errors="replace") for path in (tmp_path / name).rglob("*.jsonl"))


def test_making_one_is_logged_with_its_reason(office: Office, tmp_path: Path) -> None:
    """Who handed out what, why, and what was held back: a leaf that goes into the bundle itself."""
    case = office.work.store.cases(_all()).rows[0].case_id
    size = office.work.ledger.size
    write_case_bundle(
        office.work, office.account("officer"), case, tmp_path / "b", reason="audit", withhold=["account"]
    )
    assert office.work.ledger.size == size + 1
    leaf = read(office.work.ledger.entry(size))
    assert (leaf.kind, leaf.subject) == ("access", f"bundle {case}")
    report = verify_bundle(tmp_path / "b", office.work.ledger.keys)
    assert report.sound
    assert {field for _, field in report.withheld} == {"account"}
    assert "audit" in (tmp_path / "b" / "README.txt").read_text()


def test_documents_may_stay_out(office: Office, tmp_path: Path) -> None:
    """By name or digest; one that is not there is a mistake."""
    (case,) = (one.case_id for one in office.work.store.cases(_all()).rows if one.site_id == "S1")
    out = [kept.ref.sha256 for kept in office.work.store.documents(case)]
    write_case_bundle(office.work, office.account("officer"), case, tmp_path / "b", reason="party", leave_out=out)
    assert not (tmp_path / "b" / "documents").exists()
    assert verify_bundle(tmp_path / "b", office.work.ledger.keys).sound
    with pytest.raises(HeadframeError, match="has no document 'x' that could stay out"):
        write_case_bundle(office.work, office.account("officer"), case, tmp_path / "c", reason="party", leave_out=["x"])
    assert not (tmp_path / "c").exists()


def _all():
    from headframe.cases.store import CaseFilter

    return CaseFilter()
