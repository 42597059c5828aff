"""Readings of the workspace's lake go as everything else does: a plan, two accounts, a certificate, a leaf."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from headframe.cases.store import FindingFilter, SiteImport
from headframe.casework import retention
from headframe.casework.workspace import is_own_lake
from headframe.cli.retention import retention as retention_app
from headframe.errors import HeadframeError, NotWritten, UnreadableInput
from headframe.ledger.leaf import read
from headframe.records import case as acts
from headframe.records.case import Account, Duty
from headframe.records.policy import PartyStanding
from headframe.records.retention import DataClass, RetentionPlan
from headframe.records.site import Assignment, AssignmentKind
from headframe.stores.database.tables import ASSIGNMENTS
from headframe.stores.lake import Lake
from headframe.stores.lake_purge import FORGETTING, LakePurge
from tests.casework.office import DAY_NS, ROW, START_NS, Office
from tests.sources.test_finding_rows import USAGE_POINT
from tests.stores.test_lake import readings

ADMIN = Account(name="admin", unit="Changping", duties=frozenset({Duty.ADMINISTER}))
OTHER = Account(name="admin2", unit="Changping", duties=frozenset({Duty.ADMINISTER}))
DAY_S = 86_400
APRIL_S = 1_775_001_600
"""2026-04-01; the findings of the case are of 2026-04-20."""
YEARS_LATER_NS = 3 * 365 * DAY_NS


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "workspace", database_url=database_url)
    lake = Lake(office.work.paths.lake)
    # UP-1 is the foundry's; UP-9 is nobody's case.
    lake.append(pl.concat([readings(name, [1.0] * 45, APRIL_S, DAY_S) for name in ("UP-1", "UP-9")]))
    yield office
    office.work.close()


def due(plan: RetentionPlan) -> list[str]:
    return [one.item.item_id for one in plan.goes if one.item.data_class is DataClass.READING]


def staying(plan: RetentionPlan) -> dict[str, str]:
    return {one.item.item_id: one.why for one in plan.stays if one.item.data_class is DataClass.READING}


def of_readings(certificate: Any) -> list[str]:
    return [digest for one in certificate.classes if one.rule.data_class is DataClass.READING for digest in one.digests]


def test_readings_go_by_month_and_a_case_keeps_its_own(office: Office) -> None:
    """760 days after the month; those of a usage point of an open case stay. A dry run destroys nothing."""
    office.find("192.0.2.7")
    office.open()
    lake = Lake(office.work.paths.lake)
    office.clock.at_ns = (APRIL_S + (30 + 760) * DAY_S) * 10**9 - 10**9
    assert due(retention.plan(office.work)) == []
    office.clock.at_ns += 10**9
    plan = retention.plan(office.work)
    assert due(plan) == ["2026-04"]
    assert staying(plan) == {"2026-04 UP-1": "a case that needs it is open"}
    assert len(lake.readings()) == 90, "a plan destroys nothing"
    (going,) = (one for one in plan.goes if one.item.data_class is DataClass.READING)
    certificate = retention.run(office.work, ADMIN, OTHER, plan)
    assert of_readings(certificate) == [going.item.sha256]
    assert certificate.failed == ()
    left = lake.readings()
    assert left.filter(pl.col("usage_point") == "UP-1").height == 45
    assert left.filter(pl.col("usage_point") == "UP-9")["start_s"].to_list() == [
        APRIL_S + k * DAY_S for k in range(30, 45)
    ]
    office.work.ledger.refresh()
    assert read(office.work.ledger.entry(office.work.ledger.size - 1)).kind == "retention"
    assert due(retention.plan(office.work)) == []


def test_a_lake_elsewhere_goes_by_the_same_rules(office: Office, tmp_path: Path) -> None:
    """Where it is named; cases keep their readings in it too, and the workspace's own lake is left as it is."""
    office.find("192.0.2.7")
    office.open()
    folder = tmp_path / "meters [2026]"
    elsewhere, own = Lake(folder), Lake(office.work.paths.lake)
    elsewhere.append(pl.concat([readings(name, [1.0] * 45, APRIL_S, DAY_S) for name in ("UP-1", "UP-9")]))
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    plan = retention.plan(office.work, folder)
    assert due(plan) == ["2026-04", "2026-05"]
    assert set(staying(plan)) == {"2026-04 UP-1", "2026-05 UP-1"}
    certificate = retention.run(office.work, ADMIN, OTHER, plan, folder)
    assert len(of_readings(certificate)) == 2
    assert certificate.failed == ()
    assert set(elsewhere.readings()["usage_point"]) == {"UP-1"}
    assert own.readings().height == 90
    assert due(retention.plan(office.work, folder)) == []
    with pytest.raises(HeadframeError, match="is no lake of readings"):
        retention.plan(office.work, tmp_path / "nothing")


def test_a_lake_that_nobody_looks_after_is_known(office: Office, tmp_path: Path) -> None:
    """Only lake/ of a workspace is looked after; a folder of that name elsewhere is not."""
    assert is_own_lake(office.work.paths.lake)
    assert not is_own_lake(tmp_path / "lake")
    assert not is_own_lake(office.folder / "readings")


def test_the_lake_of_another_workspace_is_refused(office: Office, tmp_path: Path) -> None:
    """Its cases and its holds are not known here, and must not lose their readings; also through another name."""
    other = Office(tmp_path / "other")
    other.clock.at_ns = START_NS + YEARS_LATER_NS
    name = tmp_path / "link"
    name.symlink_to(office.work.paths.lake)
    for lake in (office.work.paths.lake, name):
        with pytest.raises(HeadframeError, match="is the lake of another workspace"):
            retention.plan(other.work, lake)
    own = other.work.paths.lake
    Lake(own).append(readings("UP-9", [1.0] * 45, APRIL_S, DAY_S))
    assert due(retention.plan(other.work, own)) == ["2026-04", "2026-05"], "its own may be named"
    plan = retention.plan(other.work)
    with pytest.raises(HeadframeError, match="is the lake of another workspace"):
        retention.run(other.work, ADMIN, OTHER, plan, office.work.paths.lake)
    assert Lake(office.work.paths.lake).readings().height == 90


def test_a_hold_wins_until_it_is_lifted(office: Office) -> None:
    """On the case whose usage point it is, whatever the rules say; and on everything."""
    office.find("192.0.2.7")
    case_id = office.open()
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    everything = retention.place_hold(office.work, ADMIN, "court file 12")
    plan = retention.plan(office.work)
    assert due(plan) == []
    assert {one.item.item_id for one in plan.stays if one.held} >= {"2026-04", "2026-05"}
    retention.lift_hold(office.work, ADMIN, everything, "decided")
    office.do("chief", case_id, acts.PlaceHold(reason="court file 13"))
    plan = retention.plan(office.work)
    assert due(plan) == ["2026-04", "2026-05"]
    assert all("legal hold on case" in why for why in staying(plan).values())
    retention.run(office.work, ADMIN, OTHER, plan)
    assert Lake(office.work.paths.lake).usage_points() == ("UP-1",)


def test_a_case_that_is_opened_between_plan_and_purge(office: Office) -> None:
    """Its usage point was one of many in the plan; the readings stay, all of them, and the certificate says why."""
    office.find("192.0.2.200")
    with office.work.store.writing() as writer:
        own = Assignment(kind=AssignmentKind.USAGE_POINT, value="UP-9", site_id="S2", source=ROW)
        writer.import_sites(SiteImport(assignments=[own]))
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    plan = retention.plan(office.work)
    assert due(plan) == ["2026-04", "2026-05"]
    office.open("S2")
    certificate = retention.run(office.work, ADMIN, OTHER, plan)
    assert of_readings(certificate) == []
    assert len([why for why in certificate.failed if why.startswith("reading ") and "must stay now" in why]) == 2
    assert len(Lake(office.work.paths.lake).readings()) == 90


def test_a_crash_before_the_certificate(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The readings are gone and nothing tells of it yet: the next opening does, with the same digests."""
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    plan = retention.plan(office.work)
    digests = sorted(one.item.sha256 for one in plan.goes if one.item.data_class is DataClass.READING)
    assert len(digests) == 2

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(office.work), "sealed", die)
        with pytest.raises(KeyboardInterrupt):
            retention.run(office.work, ADMIN, OTHER, plan)
    assert retention.certificates(office.work) == ()
    assert Lake(office.work.paths.lake).usage_points() == ()
    office.reopen()
    (certificate,) = retention.certificates(office.work)
    assert sorted(sha256 for one in certificate["destroyed"] for sha256 in one["sha256"]) == digests
    assert due(retention.plan(office.work)) == []


def test_readings_that_went_in_part_are_due_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until none of them is left no certificate speaks of them: then, with the same digests."""
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    plan = retention.plan(office.work)
    digests = sorted(one.item.sha256 for one in plan.goes if one.item.data_class is DataClass.READING)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", die)
        with pytest.raises(KeyboardInterrupt):
            retention.run(office.work, ADMIN, OTHER, plan)
    office.reopen()
    assert retention.certificates(office.work) == ()
    again = retention.plan(office.work)
    assert sorted(one.item.sha256 for one in again.goes if one.item.data_class is DataClass.READING) == digests
    certificate = retention.run(office.work, ADMIN, OTHER, again)
    assert sorted(of_readings(certificate)) == digests
    assert due(retention.plan(office.work)) == []
    assert not (office.work.paths.lake / FORGETTING).exists()


def test_a_crash_after_the_certificate(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written; what was noted for a crash is not due a second time."""
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    with monkeypatch.context() as patch:
        patch.setattr("headframe.stores.lake_purge.LakePurge.settle", lambda _: None)
        retention.run(office.work, ADMIN, OTHER, retention.plan(office.work))
    assert (office.work.paths.lake / FORGETTING).exists()
    assert due(retention.plan(office.work)) == []


def test_the_command_shows_readings_and_counts_what_went(office: Office) -> None:
    """The plan names month and rule, as ours; the list of certificates has the count."""
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    plan = retention.plan(office.work)
    certificate = retention.run(office.work, ADMIN, OTHER, plan)
    shown = CliRunner().invoke(retention_app, ["certificates", "--workspace", str(office.folder)])
    assert shown.exit_code == 0
    assert [line.split()[-5] for line in shown.stdout.splitlines() if certificate.certificate_id in line] == ["2"]


def test_a_usage_point_that_a_correction_names(office: Office) -> None:
    """The case was opened on the wrong one: readings of the right one stay as well, before anybody has approved it.

    So they do when a later table of sites has it no more.
    """
    office.find("192.0.2.7")
    case_id = office.open()
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    assert set(staying(retention.plan(office.work))) == {"2026-04 UP-1", "2026-05 UP-1"}
    with office.work.store.writing() as writer:
        own = Assignment(kind=AssignmentKind.USAGE_POINT, value="UP-9", site_id="S1", source=ROW)
        writer.import_sites(SiteImport(assignments=[own]))
    office.do(
        "officer",
        case_id,
        acts.ProposeCorrection(event=1, field="usage_points", value='["UP-9"]', reason="two meters were mixed up"),
    )
    with office.work.store.engine.begin() as db:
        db.execute(delete(ASSIGNMENTS).where(ASSIGNMENTS.c.value == "UP-9"))
    plan = retention.plan(office.work)
    assert due(plan) == []
    assert set(staying(plan)) == {f"2026-0{month} UP-{point}" for month in (4, 5) for point in (1, 9)}


def test_a_hold_on_a_closed_case(office: Office) -> None:
    """Readings after its closure stay too while the hold is there; without it their time is over as anybody's."""
    office.find("192.0.2.7")
    case_id = office.open()
    office.classify(case_id, PartyStanding.NOT_MINING)
    office.decide(case_id, acts.DecisionOutcome.DISMISSED)
    office.propose(case_id, acts.ProposeClosure(reason=acts.ClosureReason.DISMISSED, text="no machine was found"))
    later_s = APRIL_S + 100 * DAY_S
    Lake(office.work.paths.lake).append(readings("UP-1", [1.0] * 10, later_s, DAY_S))
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    office.do("chief", case_id, acts.PlaceHold(reason="court file 14"))
    plan = retention.plan(office.work)
    assert due(plan) == ["2026-04", "2026-05"]
    assert set(staying(plan)) == {"2026-04 UP-1", "2026-05 UP-1", "2026-07 UP-1"}
    office.do("chief", case_id, acts.LiftHold(reason="decided"))
    assert due(retention.plan(office.work)) == [
        "2026-04", "2026-04 UP-1", "2026-05", "2026-05 UP-1", "2026-07 UP-1",
    ]  # fmt: skip


def test_a_case_that_rests_on_a_balance_keeps_all_that_it_is_made_of(office: Office) -> None:
    """The head's meter and the neighbours' too: without them nobody can work it out again."""
    row = {
        **USAGE_POINT, "usage_point": "UP-1",
        "period": {"start": "2026-04-01T00:00:00.000000000Z", "end": "2026-04-30T00:00:00.000000000Z"},
    }  # fmt: skip
    Lake(office.work.paths.lake).append(readings("UP-8", [1.0] * 45, APRIL_S, DAY_S))
    Lake(office.work.paths.lake).note_transformers({"T1": ["UP-1", "UP-9"], "T2": ["UP-8"]})
    office.find("192.0.2.7")
    case_id = office.open()
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    plan = retention.plan(office.work)
    assert set(staying(plan)) == {"2026-04 UP-1", "2026-05 UP-1"}
    (path := office.folder / "row.jsonl").write_text(json.dumps(row) + "\n")
    office.work.import_findings([path])
    of_meters = tuple(
        one.ref for one in office.work.store.findings(FindingFilter(site_id="S1")).rows if one.ref.subject == "UP-1"
    )
    office.do("officer", case_id, acts.AddFindings(findings=of_meters))
    certificate = retention.run(office.work, ADMIN, OTHER, plan)
    assert of_readings(certificate) == [], "what was agreed before the balance came is looked at again"
    plan = retention.plan(office.work)
    assert due(plan) == ["2026-04", "2026-05"]
    assert set(staying(plan)) == {f"2026-0{month} UP-{point}" for month in (4, 5) for point in (1, 9)}
    retention.run(office.work, ADMIN, OTHER, plan)
    assert Lake(office.work.paths.lake).usage_points() == ("UP-1", "UP-9")


def test_a_damaged_lake_does_not_keep_everything_else(office: Office) -> None:
    """The plan says what is wrong with it, and what else is due goes."""
    office.find("192.0.2.7")
    office.clock.at_ns = START_NS + YEARS_LATER_NS
    lake = office.work.paths.lake
    before = (lake / "000001.points.parquet").read_bytes()
    (lake / "000001.points.parquet").write_bytes(b"PAR1")
    plan = retention.plan(office.work)
    assert due(plan) == []
    assert "000001.points.parquet cannot be read" in staying(plan)["lake"]
    assert {one.item.data_class for one in plan.goes} >= {DataClass.FINDING}
    certificate = retention.run(office.work, ADMIN, OTHER, plan)
    assert certificate.count == len(plan.goes)
    with pytest.raises(UnreadableInput, match="cannot be read"):
        retention.plan(office.work, lake)
    (lake / "000001.points.parquet").write_bytes(before)
    assert due(retention.plan(office.work)) == ["2026-04", "2026-05"]


def test_a_lake_that_cannot_be_written_keeps_its_readings_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate says why they stay; where nothing else is due, there is none."""
    office.find("192.0.2.7")
    office.clock.at_ns = START_NS + YEARS_LATER_NS

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(LakePurge, "write_anew", full)
        certificate = retention.run(office.work, ADMIN, OTHER, retention.plan(office.work))
        assert of_readings(certificate) == []
        assert certificate.count > 0
        assert len([why for why in certificate.failed if "No space left on device" in why]) == 2
        office.reopen()
        plan = retention.plan(office.work)
        only = replace(plan, goes=tuple(one for one in plan.goes if one.item.data_class is DataClass.READING))
        assert len(only.goes) == 2
        with pytest.raises(NotWritten, match="No space left"):
            retention.run(office.work, ADMIN, OTHER, only)
    assert len(of_readings(retention.run(office.work, ADMIN, OTHER, retention.plan(office.work)))) == 2
