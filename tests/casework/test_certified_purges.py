"""Nothing that retention destroys goes without a certificate, whenever the program dies; the log says what is due."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from typer.testing import CliRunner

from headframe.casework import open_workspace, retention
from headframe.casework.case_bundle import write_case_bundle
from headframe.casework.holdings import Holdings
from headframe.casework.keys import pseudonyms_of
from headframe.cli.case import case as case_app
from headframe.cli.retention import retention as retention_app
from headframe.errors import HeadframeError, NotWritten, UnreadableInput
from headframe.records import case as acts
from headframe.records.retention import DataClass
from headframe.stores.bundles import verify_bundle
from headframe.stores.database import retention as stored
from headframe.stores.database.store import DatabaseStore
from headframe.stores.database.tables import CASE_EVENTS, CASES, ENDED_CASES
from headframe.stores.database.tables import CONTACTS as CONTACTS_TABLE
from headframe.stores.key_files import Keyring
from headframe.stores.lake import Lake
from headframe.stores.purge_note import NOTE, has_note, one_purge
from tests.casework.office import DAY_NS, Office
from tests.casework.test_retention import ADMIN, OTHER, destroy, dismissed, due, own_pack, under
from tests.casework.test_sites import CONTACTS, bring
from tests.dying import Crash, Operation, dying
from tests.stores.test_lake import readings

OPERATIONS = (
    *(Operation(os, name) for name in ("replace", "rename", "unlink", "fsync")),
    Operation(DatabaseStore, "writing"),
    Operation(stored, "_note_certificate"),
    Operation(Holdings, "hand_over"),
)
"""What changes a file, or brings something into the database or to the ledger."""
OUTSIDE = {
    DataClass.DOCUMENT: "document", DataClass.DRAFT: "document", DataClass.CONTACT: "key",
    DataClass.PSEUDONYM_KEY: "key",
}  # fmt: skip


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "workspace", database_url=database_url)
    yield office
    office.work.close()


def closed(office: Office, *, days: float = 1_900) -> str:
    """A case that is due, with papers of every kind that is kept outside of the database."""
    own_pack(office, cases=30, documents=30)
    pseudonyms_of(office.work).pseudonym("address", "192.0.2.7", office.work.now_ns())
    Lake(office.work.paths.lake).append(readings("UP-9", [1.0] * 40, office.clock.at_ns // 10**9, 86_400))
    case_id = dismissed(office, under(office, "my-beijing"), reply=True)
    bring(office, contacts=CONTACTS)
    draft = office.paper("other", "nobody names it")
    os.utime(office.work.documents.path_of(draft.sha256), ns=(office.clock.at_ns, office.clock.at_ns))
    office.clock.wait(days=days)
    return case_id


def outside(office: Office) -> set[tuple[str, str]]:
    """What is there outside of the database: documents, keys, readings."""
    keys = Keyring(office.work.paths.keys)
    return {
        *(("document", sha256) for sha256 in office.work.documents.digests()),
        *(("key", one) for kind in ("contacts", "pseudonyms") for one in keys.names(kind) if keys.is_whole(kind, one)),
        *(("lake", str(row)) for row in Lake(office.work.paths.lake).readings().rows()),
    }


def certified(office: Office) -> list[str]:
    found: list[Any] = [row["destroyed"] for row in retention.certificates(office.work)]
    return [sha256 for classes in found for one in classes for sha256 in one["sha256"]]


def test_a_run_that_dies_leaves_nothing_untold(office: Office) -> None:
    """At each step, with a hold of everything afterwards: of what is gone a certificate tells, in the log."""
    closed(office)
    before = outside(office)
    items = {one.item.sha256: one.item for one in retention.plan(office.work).goes}
    assert {item.data_class for item in items.values()} >= {*OUTSIDE, DataClass.READING, DataClass.CASE}
    with office.work.store.reading() as db:
        keys = {row.contact_id: row.key_id for row in db.execute(select(CONTACTS_TABLE))}
    for at in range(1, 400):
        plan = retention.plan(office.work)
        try:
            with dying(at, OPERATIONS):
                retention.run(office.work, ADMIN, OTHER, plan)
        except Crash:
            office.work.store.close()
            office.work = open_workspace(office.folder, now_ns=office.clock)
            hold = retention.place_hold(office.work, ADMIN, "court file 12")
            told = certified(office)
            gone = before - outside(office)
            for item in items.values():
                if kind := OUTSIDE.get(item.data_class):
                    where = (kind, keys.get(item.item_id, item.item_id))
                    assert (where in gone) <= (item.sha256 in told), f"step {at}: {item}"
            readings_gone = not any(kind == "lake" for kind, _ in outside(office))
            assert readings_gone <= all(
                one.sha256 in told for one in items.values() if one.data_class is DataClass.READING
            ), f"step {at}"
            assert not has_note(office.folder)
            office.work.ledger.check_all()
            sealed = {leaf_id for _, leaf_id, _ in office.work.store.logged_leaves()}
            assert {f"retention/{row['certificate']}" for row in retention.certificates(office.work)} <= sealed
            retention.lift_hold(office.work, ADMIN, hold, "decided")
        else:
            break
        if not retention.plan(office.work).goes:
            break
    assert at > 12
    if retention.plan(office.work).goes:
        destroy(office)
    assert items.keys() <= set(certified(office))
    assert due(office) <= {"access"}


def cut_off(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Destroy what is outside of the database, and die before the transaction ends."""

    def die(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(stored, "_destroy_inside", die)
        with pytest.raises(Crash):
            destroy(office)


def test_a_case_whose_papers_went_is_told_of(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On hold now: its list, its copies and its bundle say what was destroyed, and what is lost without any word."""
    case_id = closed(office)
    cut_off(office, monkeypatch)
    office.reopen()
    (caution,) = office.work.cautions
    (certificate,) = retention.certificates(office.work)
    assert str(certificate["certificate"]) in caution
    office.do("chief", case_id, acts.PlaceHold(reason="court order"))
    lost = office.paper("remedy_proof", "to be lost")
    remedy = acts.RecordReply(received_ns=office.clock.at_ns - 1, stance="contests", text="late", document=lost)
    office.do("officer", case_id, remedy)
    kept = office.paper("reply", "still here")
    again = acts.RecordReply(received_ns=office.clock.at_ns - 1, stance="contests", text="later", document=kept)
    office.do("officer", case_id, again)
    office.work.documents.destroy(lost.sha256)
    bundle = tmp_path / "case.zip"
    written = write_case_bundle(office.work, office.account("officer"), case_id, bundle, reason="court")
    whys = sorted(set(written.gone.values()))
    assert whys == [f"destroyed, certificate {certificate['certificate']}", "missing, and no certificate says why"]
    assert kept.sha256 not in written.gone
    office.work.ledger.refresh()
    assert verify_bundle(bundle, office.work.ledger.keys).sound
    office.work.close()
    out = tmp_path / "out"
    done = CliRunner().invoke(
        case_app, ["documents", case_id, "--out", str(out), "--workspace", str(office.folder), "--format", "json"]
    )
    assert done.exit_code == 0, done.stderr
    assert [path.read_text() for path in out.iterdir()] == ["still here"]
    assert "missing, and no certificate says why" in done.stdout
    assert f"{lost.sha256}, missing" in done.stderr
    office.work = open_workspace(office.folder, now_ns=office.clock)


def test_a_run_that_is_at_work_is_not_told_for_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens the workspace meanwhile certifies nothing; and two runs do not destroy at once."""
    closed(office)
    plan = retention.plan(office.work)
    cut_off(office, monkeypatch)
    monkeypatch.setattr(retention, "WAIT_S", 0.0)
    with one_purge(office.folder, 0.0):
        office.reopen()
        assert retention.certificates(office.work) == ()
        with pytest.raises(HeadframeError, match="locked by another process"):
            destroy(office)
        with pytest.raises(HeadframeError, match="locked by another process"):
            retention.run(office.work, ADMIN, OTHER, plan)
    assert destroy(office).failed == ()
    assert len(retention.certificates(office.work)) == 2


def test_what_goes_is_written_down_or_nothing_goes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not take the note; and a note that cannot be read stops runs, not cases."""
    case_id = closed(office)
    before = outside(office)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("headframe.stores.purge_note.replacing", full)
        with pytest.raises(NotWritten, match="nothing was destroyed"):
            destroy(office)
    assert outside(office) == before
    assert retention.certificates(office.work) == ()
    (office.folder / NOTE).write_text("{")
    office.reopen()
    assert office.work.case(case_id).case_id == case_id
    with pytest.raises(UnreadableInput, match="is damaged"):
        destroy(office)


def test_a_certificate_is_given_out_again(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The page that was kept, byte for byte; and one that a run that was cut off never wrote."""
    closed(office)
    certificate = destroy(office)
    refs = retention.write_certificate(office.work, certificate, ADMIN, OTHER)
    name = certificate.certificate_id
    office.work.close()

    def give(number: str, folder: Path, *more: str) -> Any:
        where = ["--out", str(folder), "--workspace", str(office.folder)]
        return CliRunner().invoke(retention_app, ["certificate", number, *where, *more])

    assert give(name, tmp_path / "a").exit_code == 0
    office.work = open_workspace(office.folder, now_ns=office.clock)
    for ref in refs:
        assert (tmp_path / "a" / ref.name).read_bytes() == office.work.documents.read(ref.sha256)
        office.work.documents.destroy(ref.sha256)
    office.work.close()
    done = give(name, tmp_path / "b")
    assert done.exit_code == 0, done.stderr
    assert name in (tmp_path / "b" / f"{name}-en.html").read_text()
    done = give(name, tmp_path / "b", "--language", "zh")
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [
        f"{name}-{language}.{ending}" for language in ("en", "zh") for ending in ("html", "pdf")
    ]
    done = give("D-nothing", tmp_path / "c")
    assert done.exit_code != 0
    assert "retention certificates lists" in done.stderr
    office.work = open_workspace(office.folder, now_ns=office.clock)


# ---------------------------------------------------------------------------------------------------------------------
# The table of cases


def change(office: Office, statement: Any) -> None:
    with office.work.store.writing() as writer:
        writer.db.execute(statement)


def altered(office: Office) -> dict[str, str]:
    plan = retention.plan(office.work)
    return {one.item.data_class.value: one.why for one in plan.stays if one.why.startswith("altered: ")}


def test_the_table_of_cases_alone_destroys_nothing(office: Office) -> None:
    """An open case that it says is closed: left out, and told, for all that belongs to it; also its readings."""
    Lake(office.work.paths.lake).append(readings("UP-1", [1.0] * 40, office.clock.at_ns // 10**9, 86_400))
    bring(office, contacts=CONTACTS)
    office.find("192.0.2.7")
    case_id = office.open()
    long_ago = office.clock.at_ns - 4_000 * DAY_NS
    office.clock.wait(days=1_900)
    assert due(office) <= {"access"}
    change(office, update(CASES).values(closed_ns=long_ago, counts_from_ns=long_ago, stage="closed"))
    assert due(office) <= {"access"}
    told = altered(office)
    assert told.keys() >= {"case", "finding", "contact", "reading"}
    why = f"the table of cases has case {case_id} closed, and by its events it is open"
    assert all(why in one for one in told.values())
    office.work.close()
    who = ["--workspace", str(office.folder)]
    done = CliRunner().invoke(retention_app, ["run", *who])
    assert why in done.stderr
    assert "nothing was destroyed" in done.stderr
    office.work = open_workspace(office.folder, now_ns=office.clock)
    assert office.work.case(case_id).case_id == case_id


@pytest.mark.parametrize(("values", "why"), [
    ({"on_hold": False}, "not on hold, and by its events it is on hold"),
    ({"pack_id": "cn-bj-2024"}, ", and by its events it is under my-beijing@"),
])  # fmt: skip
def test_holds_and_packs_of_the_table_are_asked_too(office: Office, values: dict[str, Any], why: str) -> None:
    """A hold that was taken out of the table keeps the case; so does a pack that keeps it for less."""
    case_id = closed(office, days=20)
    if "on_hold" in values:
        office.do("chief", case_id, acts.PlaceHold(reason="court order"))
    else:
        values = {**values, "pack_digest": office.work.pack("cn-bj-2024").digest}
    office.clock.wait(days=1_900)
    change(office, update(CASES).values(**values))
    assert why in altered(office)["case"]


def test_a_time_that_the_table_has_earlier(office: Office) -> None:
    """Closed it is, but not so long ago: its events count."""
    closed(office, days=20)
    long_ago = office.clock.at_ns - 4_000 * DAY_NS
    change(office, update(CASES).values(closed_ns=long_ago, counts_from_ns=long_ago))
    plan = retention.plan(office.work)
    assert not {"case", "document"} & {one.item.data_class.value for one in plan.goes}
    assert any("by the events of case" in one.why for one in plan.stays if one.item.data_class is DataClass.CASE)
    office.clock.wait(days=11)
    assert {"case", "document"} <= due(office)
    destroy(office)
    with office.work.store.reading() as db:
        assert db.scalar(select(ENDED_CASES.c.counts_from_ns)) > office.clock.at_ns - 40 * DAY_NS


def test_a_case_that_is_said_to_be_destroyed(office: Office) -> None:
    """And is open: its row was taken away, its number put among those that ended. Its papers stay."""
    office.find("192.0.2.7")
    case_id = office.open()
    office.do("officer", case_id, acts.RecordRemedy(
        at_ns=office.clock.at_ns - 1, grade=acts.RemedyGrade.C, text="off", documents=(office.paper("remedy_proof"),),
    ))  # fmt: skip
    office.clock.wait(days=1_900)
    ended = {"case_id": case_id, "pack_id": "", "pack_digest": "", "counts_from_ns": 0}
    change(office, insert(ENDED_CASES).values(**ended))
    change(office, delete(CASES))
    assert "document" not in due(office)
    assert "is said to be destroyed, and its events are there" in altered(office)["document"]


def test_events_that_are_not_those_of_the_log(office: Office) -> None:
    """They decide nothing either."""
    closed(office)
    changed = update(CASE_EVENTS).where(CASE_EVENTS.c.number == 1)
    change(office, changed.values(at_ns=CASE_EVENTS.c.at_ns - 1))
    assert not {"case", "document", "finding"} & due(office)
    assert "does not say in the database what was sealed for the log" in altered(office)["case"]


def test_only_cases_that_something_is_due_of_are_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each in a plan; and in a run before its transaction, for which everybody waits."""
    case_id = closed(office, days=20)
    office.find("192.0.2.9", "more.jsonl", started_ns=office.clock.at_ns - DAY_NS, ended_ns=office.clock.at_ns)
    office.open()
    read: list[str] = []
    whole = type(office.work).case

    def case(work: Any, name: str) -> Any:
        read.append(name)
        return whole(work, name)

    monkeypatch.setattr(type(office.work), "case", case)
    retention.plan(office.work)
    assert read == []
    office.clock.wait(days=11)
    plan = retention.plan(office.work)
    assert len([one for one in plan.goes if case_id in one.item.case_ids]) > 2
    assert read == [case_id]
    writing = office.work.store.writing

    def alone(**options: bool) -> Any:
        read.append("alone" if options else "writing")
        return writing(**options)

    monkeypatch.setattr(office.work.store, "writing", alone)
    assert retention.run(office.work, ADMIN, OTHER, plan).failed == ()
    assert read[:3] == [case_id, case_id, "alone"]
    assert case_id not in read[3:]


def test_the_purge_asks_the_events_again(office: Office) -> None:
    """What was written into the database between plan and purge, it tells on the certificate."""
    case_id = closed(office)
    plan = retention.plan(office.work)
    change(office, update(CASES).values(on_hold=False, pack_id="other"))
    certificate = retention.run(office.work, ADMIN, OTHER, plan)
    assert DataClass.CASE not in {one.rule.data_class for one in certificate.classes}
    assert any(why.startswith(f"case {case_id}: it must stay now: ") for why in certificate.failed)
    assert office.work.case(case_id).case_id == case_id
