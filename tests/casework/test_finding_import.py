"""Findings into the workspace: each once, resolved through the stored registry, one leaf for each file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headframe.app import scan
from headframe.cases.store import AccessEntry, FindingFilter
from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.leaf import read
from headframe.records.finding import Role
from headframe.reports.jsonl import finding_lines
from headframe.sources.finding_rows import file_digest
from tests.casework.office import Office
from tests.cli.captures import miner
from tests.sites.test_assessment import finding
from tests.sources.test_finding_rows import USAGE_POINT


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A workspace with two sites."""
    return Office(tmp_path / "workspace")


def test_findings_belong_to_the_site_that_had_their_address(office: Office, tmp_path: Path) -> None:
    """One whose site is not known belongs to nobody, and says why; roles that do not mine are marked."""
    path = tmp_path / "f.jsonl"
    hosts = ("192.0.2.9", "192.0.2.200", "203.0.113.1")
    path.write_text("".join(finding_lines([finding(host, role=Role.MINER) for host in hosts]
                                          + [finding("192.0.2.9", role=Role.CONTACT)])))  # fmt: skip
    (told,) = office.work.import_findings([path])
    assert (told.rows, told.new, told.resolved, told.damaged_rows) == (4, 4, 3, 0)
    ((why, number),) = told.unresolved.items()
    assert number == 1
    assert "203.0.113.1" in why or "unresolved" in why
    found = {row.ref.subject: row for row in office.work.store.findings(FindingFilter(mining_only=True)).rows}
    assert {subject: row.site_id for subject, row in found.items()} == dict(zip(hosts, ("S1", "S2", ""), strict=True))
    assert len(office.work.store.findings(FindingFilter(site_id="S1")).rows) == 2


def test_a_second_import_adds_nothing(office: Office, tmp_path: Path) -> None:
    """Neither findings nor leaves; the same findings in another form are the same findings."""
    lines = list(finding_lines([finding("192.0.2.9"), finding("192.0.2.10")]))
    one, other = tmp_path / "a.jsonl", tmp_path / "b.json"
    one.write_text("".join(lines))
    other.write_text(json.dumps({"schema_version": "1.2", "findings": [json.loads(line) for line in lines]}))
    assert office.work.import_findings([one])[0].new == 2
    size = office.work.ledger.size
    assert office.work.import_findings([one])[0].new == 0
    assert office.work.ledger.size == size
    assert office.work.import_findings([other])[0].new == 0
    assert office.work.ledger.size == size + 1


def test_a_second_scan_of_one_capture_adds_nothing(office: Office, tmp_path: Path) -> None:
    """Each run draws its own pseudonyms, and the file may lie in another folder: what was seen is the same."""
    told = []
    for folder in ("first", "second"):
        capture = tmp_path / folder / f"{folder}.pcap"
        capture.parent.mkdir()
        capture.write_bytes(miner())
        lines = list(finding_lines(scan([str(capture)]).findings))
        (tmp_path / f"{folder}.jsonl").write_text("".join(lines))
        told.append(lines)
    assert told[0] != told[1]
    (first,) = office.work.import_findings([tmp_path / "first.jsonl"])
    (second,) = office.work.import_findings([tmp_path / "second.jsonl"])
    assert first.new == first.rows > 0
    assert (second.rows, second.new) == (first.rows, 0)


def test_a_meters_row_with_two_families_becomes_two_findings(office: Office, tmp_path: Path) -> None:
    """One of load and one of balance; both carry the whole row, and its site by the usage point."""
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(USAGE_POINT) + "\n")
    (told,) = office.work.import_findings([path])
    assert (told.rows, told.resolved) == (2, 2)
    rows = office.work.store.findings(FindingFilter(site_id="S1")).rows
    assert sorted((row.ref.family.value, row.ref.detector) for row in rows) == [
        ("balance", "balance"),
        ("load", "likeness"),
    ]
    assert all(row.document == USAGE_POINT and row.ref.mining for row in rows)


def test_two_detectors_of_one_family_are_two_findings(office: Office, tmp_path: Path) -> None:
    """Each with its own number, for the case to average; neither is taken for the other's."""
    found = [
        {"detector": name, "version": "1", "family": "load", "log10_e": e}
        for name, e in (("likeness", 0.5), ("export_drop", 3.0), ("flat_load", 4.0))
    ]
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({**USAGE_POINT, "families": ["load"], "findings": found}) + "\n")
    for new in (2, 0):
        (told,) = office.work.import_findings([path])
        assert (told.rows, told.new) == (2, new)
    rows = office.work.store.findings(FindingFilter(site_id="S1")).rows
    assert sorted((row.ref.detector, row.ref.log10_e) for row in rows) == [("export_drop", 3.0), ("likeness", 0.5)]
    assert len({row.ref.finding_id for row in rows}) == 2


def test_each_file_leaves_its_digest_in_the_ledger(office: Office, tmp_path: Path) -> None:
    """So that it can be shown from which file a finding came."""
    path = tmp_path / "f.jsonl"
    path.write_text("".join(finding_lines([finding("192.0.2.9")])) + "damaged\n")
    (told,) = office.work.import_findings([path], account=office.account("screener"))
    (leaf,) = office.work.store.leaves(leaf_ids=[f"findings/{told.import_id}"])
    shown = {one.name: one.value for one in leaf.disclosures}
    assert shown == {
        "account": "screener", "file": "f.jsonl", "sha256": file_digest(path), "findings": 1, "damaged_rows": 1,
        "marked": True,
    }  # fmt: skip
    assert leaf.index is not None
    assert read(office.work.ledger.entry(leaf.index)).subject == told.import_id


def test_a_file_that_breaks_off_leaves_nothing_half_there(office: Office, tmp_path: Path) -> None:
    """All of a file or nothing of it."""
    path = tmp_path / "f.jsonl.gz"
    import gzip

    packed = gzip.compress("".join(finding_lines([finding(f"192.0.2.{k}") for k in range(1, 120)])).encode())
    path.write_bytes(packed[:-40])
    with pytest.raises(Exception, match="cannot be read to its end"):
        office.work.import_findings([path])
    assert office.work.store.findings(FindingFilter()).rows == ()
    assert office.work.store.pending_leaves() == ()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of ten findings."""
    monkeypatch.setattr("headframe.casework.finding_import.BATCH", 10)


def write_hosts(path: Path, hosts: range) -> Path:
    path.write_text("".join(finding_lines([finding(f"192.0.2.{k}", role=Role.MINER) for k in hosts])))
    return path


def leaf_says(office: Office, leaf_id: str) -> dict[str, object]:
    (leaf,) = office.work.store.leaves(leaf_ids=[leaf_id])
    assert leaf.index is not None, "handed to the ledger"
    return {one.name: one.value for one in leaf.disclosures}


@pytest.mark.usefixtures("small_parts")
def test_a_large_file_comes_in_parts_that_the_ledger_knows(office: Office, tmp_path: Path) -> None:
    """Each part with its findings in one transaction; the file itself with the last."""
    path = write_hosts(tmp_path / "f.jsonl", range(1, 26))
    (told,) = office.work.import_findings([path], account=office.account("screener"))
    assert (told.parts, told.rows, told.new) == (3, 25, 25)
    parts = [leaf_says(office, f"findings/{told.import_id}/{k}") for k in (1, 2, 3)]
    assert [(one["part"], one["findings"], one["new"]) for one in parts] == [(1, 10, 10), (2, 10, 10), (3, 5, 5)]
    assert leaf_says(office, f"findings/{told.import_id}")["findings"] == 25
    size = office.work.ledger.size
    (again,) = office.work.import_findings([path])
    assert (again.new, office.work.ledger.size) == (0, size)
    assert len(office.work.store.findings(FindingFilter(), limit=100).rows) == 25


@pytest.mark.usefixtures("small_parts")
def test_others_write_between_the_parts(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction is open while the file is read: whoever acts on a case does not wait for it."""
    from headframe.casework import finding_import

    path = write_hosts(tmp_path / "f.jsonl", range(1, 26))
    reading = finding_import.finding_rows
    wrote = 0

    def rows(of: Path) -> Iterator[Any]:
        nonlocal wrote
        for row in reading(of):
            with office.work.store.writing() as writer:  # would wait for 30 s, and fail
                writer.note_access(AccessEntry(access_id=f"A-{wrote}", at_ns=wrote, account="a", what="b", reason="c"))
            wrote += 1
            yield row

    monkeypatch.setattr(finding_import, "finding_rows", rows)
    assert office.work.import_findings([path])[0].new == 25
    assert wrote == 25


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_an_import_that_is_cut_off_is_done_again(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """Whole parts are there; the second import adds the rest, and nothing twice."""
    path = write_hosts(tmp_path / "f.jsonl", range(1, 26))
    sealed, calls = office.work.sealed, []

    def full(leaf_id: str, *args: object, **more: object) -> object:
        calls.append(leaf_id)
        if leaf_id.endswith(f"/{fails_at}"):
            raise HeadframeError("the disk is full")
        return sealed(leaf_id, *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(office.work, "sealed", full)
        with pytest.raises(HeadframeError, match="the disk is full") as fault:
            office.work.import_findings([path])
    there = len(office.work.store.findings(FindingFilter(), limit=100).rows)
    assert there == 10 * (fails_at - 1)
    assert ("import the file again" in str(fault.value)) == bool(there)
    (again,) = office.reopen().import_findings([path])
    assert (again.new, again.rows) == (25 - there, 25)
    assert leaf_says(office, f"findings/{again.import_id}")["findings"] == 25
    assert [leaf_says(office, f"findings/{again.import_id}/{k}")["new"] for k in (1, 2, 3)] == [10, 10, 5]
    office.work.ledger.refresh()
    office.work.ledger.check_all()


@pytest.mark.usefixtures("small_parts")
def test_a_large_file_that_breaks_off_is_refused_before_its_first_part(office: Office, tmp_path: Path) -> None:
    """All of a file or nothing of it, also where its first parts could be read."""
    import gzip

    path = tmp_path / "f.jsonl.gz"
    lines = "".join(finding_lines([finding(f"192.0.2.{k}") for k in range(1, 120)]))
    path.write_bytes(gzip.compress(lines.encode(), compresslevel=0)[:-40])
    with pytest.raises(UnreadableInput, match="cannot be read to its end"):
        office.work.import_findings([path])
    assert office.work.store.findings(FindingFilter()).rows == ()


def test_reasons_are_counted_apart_up_to_a_number(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may name another address: a million of them would not fit."""
    monkeypatch.setattr("headframe.casework.finding_import.MOST_REASONS", 5)
    path = tmp_path / "f.jsonl"
    path.write_text("".join(finding_lines([finding(f"203.0.113.{k}") for k in range(20)])))
    (told,) = office.work.import_findings([path])
    assert len(told.unresolved) == 6
    assert told.unresolved.total() == 20


def test_a_lease_tells_at_which_port_an_address_was(office: Office, tmp_path: Path) -> None:
    """The pool belongs to nobody's site; the circuit that a lease names does."""
    from headframe.assess import RegistryFiles
    from headframe.cases.store import SiteImport
    from headframe.records.site import Assignment, AssignmentKind
    from tests.casework.office import ROW

    with office.work.store.writing() as writer:
        circuit = Assignment(kind=AssignmentKind.CIRCUIT, value="ge-0/0/1", site_id="S2", source=ROW)
        writer.import_sites(SiteImport(assignments=[circuit]))
    leases = tmp_path / "dhcpd.leases"
    leases.write_text(
        "lease 203.0.113.7 {\n  starts 1 2026/04/20 00:00:00;\n  ends 6 2026/05/30 00:00:00;\n  binding state active;\n"
        '  option agent.circuit-id "ge-0/0/1";\n}\n'
    )
    path = tmp_path / "f.jsonl"
    path.write_text("".join(finding_lines([finding("203.0.113.7", role=Role.MINER)])))
    (told,) = office.work.import_findings([path], logs=RegistryFiles(sites=(), leases=(leases,)))
    assert (told.resolved, told.unresolved) == (1, {})
    (row,) = office.work.store.findings(FindingFilter(site_id="S2")).rows
    assert row.ref.subject == "203.0.113.7"
