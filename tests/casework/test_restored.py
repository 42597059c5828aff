"""The log has more than the database: refused, until an administrator says that the database is an older copy."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import delete, insert, select
from typer.testing import CliRunner

from headframe.casework.accounts import NotAllowed
from headframe.casework.case_bundle import write_case_bundle
from headframe.casework.held_to_log import AlteredRecord
from headframe.casework.holdings import NoSuchCase
from headframe.casework.restored import say_restored
from headframe.cli import app
from headframe.errors import HeadframeError
from headframe.ledger.leaf import read
from headframe.records import case as acts
from headframe.records.case import Account, Duty
from headframe.stores.database.tables import METADATA
from tests.casework import test_retention as retention
from tests.casework.office import Office

A, B = "HF-2026-000001", "HF-2026-000002"
ADMIN = Account(name="admin", unit="Changping", duties=frozenset({Duty.ADMINISTER}))
PutBack = Callable[[], None]


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "workspace", database_url=database_url)
    office.find("192.0.2.9")
    office.find("192.0.2.200", "mill.jsonl")
    office.open()
    yield office
    office.work.close()


@pytest.fixture
def put_back(office: Office) -> PutBack:
    """The database of now is kept; what comes later is gone when this is called."""
    order = METADATA.sorted_tables
    with office.work.store.reading() as db:
        kept = {table: [dict(row) for row in db.execute(select(table)).mappings()] for table in order}

    def put() -> None:
        with office.work.store._writer.begin() as db:
            for table in reversed(order):
                db.execute(delete(table))
            for table in order:
                if kept[table]:
                    db.execute(insert(table), kept[table])
        office.reopen()

    return put


def verified(office: Office) -> tuple[int, str]:
    run = CliRunner().invoke(app, ["log", "verify", "--workspace", str(office.folder)])
    return run.exit_code, run.stdout + run.stderr


def test_what_the_copy_lacks_is_refused_until_it_is_said(office: Office, put_back: PutBack, tmp_path: Path) -> None:
    """Then it is done again under the numbers that were lost; log and bundles say why they come twice."""
    lost = office.do("chief", A, acts.PlaceHold(reason="court file")).events[0].number
    office.open("S2")
    before = office.work.ledger.size
    put_back()
    assert office.work.unknown_from == before - 3
    with pytest.raises(AlteredRecord, match=f"event {lost} of case {A} is in the log, and not in the database"):
        office.work.case(A)
    with pytest.raises(AlteredRecord, match="headframe log restored"):
        office.work.perform(office.account("officer"), A, office.a_class())
    with pytest.raises(AlteredRecord, match=f"events 1 to 2 of case {B} are in the log"):
        office.work.case(B)
    code, said = verified(office)
    assert code == 3
    assert f"leaf {before - 3} of the log (case {A}/{lost}) is the first of 3 that are not in the database" in said
    with pytest.raises(NotAllowed):
        say_restored(office.work, office.account("officer"), "the copy of Monday")
    with pytest.raises(HeadframeError, match="which copy"):
        say_restored(office.work, ADMIN, " ")

    done = say_restored(office.work, ADMIN, "the copy of Monday")
    assert (done.leaves, done.cases) == (3, {A: (lost - 1, lost), B: (0, 2)})
    code, said = verified(office)
    assert code == 0, said
    assert (
        f"3 leaves of it the database of the workspace does not know: it was restored from an older copy, as leaf "
        f"{before} of it says" in said
    )
    with pytest.raises(NoSuchCase):
        office.work.case(B)
    assert office.do("chief", A, acts.PlaceHold(reason="court file, again")).events[0].number == lost
    assert office.open("S2") == "HF-2026-000003", "a number that a case has had is no other case's"
    office.reopen()
    assert office.work.unknown_from is None
    assert office.work.case(A).on_hold
    assert verified(office)[0] == 0

    path = tmp_path / "a.zip"
    write_case_bundle(office.work, office.account("officer"), A, path, reason="asked")
    with ZipFile(path) as bundle:
        shown = [json.loads(line) for line in bundle.read("leaves.jsonl").splitlines()]
        opened = [json.loads(line) for line in bundle.read("disclosures.jsonl").splitlines()]
    places = {(leaf.kind, leaf.subject): row["index"] for row in shown for leaf in [read(row["leaf"].encode())]}
    back = places["restored", f"{A}/{lost - 1}"]
    assert places["case", f"{A}/{lost - 1}"] < back < places["case", f"{A}/{lost}"]
    assert {one["name"]: one["value"] for one in opened if one["index"] == back} == {
        "account": "admin", "reason": "the copy of Monday", "events": lost - 1, "lost": 1,
    }  # fmt: skip
    keys = tmp_path / "log.pub"
    keys.write_text("\n".join(key.text() for key in office.work.ledger.keys))
    run = CliRunner().invoke(app, ["bundle", "verify", str(path), "--key", str(keys)])
    assert run.exit_code == 0, run.stderr


def test_what_goes_after_that_is_refused_again(office: Office, put_back: PutBack) -> None:
    """It was said of one copy, of just these leaves; and may be said of the next one."""
    office.do("chief", A, acts.PlaceHold(reason="court file"))
    put_back()
    say_restored(office.work, ADMIN, "the copy of Monday")
    office.do("chief", A, acts.PlaceHold(reason="again"))
    put_back()
    with pytest.raises(AlteredRecord, match="is in the log, and not in the database"):
        office.work.case(A)
    assert verified(office)[0] == 3
    say_restored(office.work, ADMIN, "the copy of Monday, once more")
    assert not office.work.case(A).on_hold
    assert verified(office)[0] == 0
    with pytest.raises(HeadframeError, match="there is nothing to say"):
        say_restored(office.work, ADMIN, "for luck")
    # One that no case would miss, of before.
    with office.work.store._writer.begin() as db:
        leaves, opened = METADATA.tables["leaves"], METADATA.tables["disclosures"]
        name = db.execute(select(leaves.c.leaf_id).where(leaves.c.leaf_id.startswith("findings/"))).scalars().first()
        db.execute(delete(opened).where(opened.c.leaf_id == name))
        db.execute(delete(leaves).where(leaves.c.leaf_id == name))
    code, said = verified(office)
    assert code == 3
    assert "and when an administrator said that it was put back from an older copy" in said


def test_what_was_lost_does_not_come_back_in_the_place_of_what_was_done_then(office: Office, put_back: PutBack) -> None:
    """Leaf and mark of the lost act are right, and the log has it; and still another act has its number now."""
    lost = office.do("chief", A, acts.PlaceHold(reason="court file")).events[0].number
    tables = [METADATA.tables[name] for name in ("case_events", "leaves", "disclosures")]
    events, leaves, opened = tables
    name = f"case/{A}/{lost}"
    which = ((events.c.case_id == A) & (events.c.number == lost), leaves.c.leaf_id == name, opened.c.leaf_id == name)
    with office.work.store.reading() as db:
        kept = [db.execute(select(one).where(at)).mappings().all() for one, at in zip(tables, which, strict=True)]
    put_back()
    say_restored(office.work, ADMIN, "the copy of Monday")
    office.do("chief", A, acts.PlaceHold(reason="another reason"))
    size = office.work.ledger.size
    for waiting in (False, True):
        with office.work.store._writer.begin() as db:
            for one, at in reversed([*zip(tables, which, strict=True)]):
                db.execute(delete(one).where(at))
            for one, rows in zip(tables, kept, strict=True):
                db.execute(insert(one), [dict(row) for row in rows])
            if waiting:
                db.execute(leaves.update().where(leaves.c.leaf_id == name).values(place=None))
        office.reopen()
        assert office.work.ledger.size == size
        with pytest.raises(AlteredRecord, match=f"event {lost} of case {A}"):
            office.work.case(A)
        assert verified(office)[0] == 3


def test_a_number_that_is_twice_in_the_log_is_told(office: Office, tmp_path: Path) -> None:
    """An earlier version let it in, where a copy had been put back; also who has nothing but the log sees it."""
    from headframe.ledger.leaf import seal

    forged, _opened = seal("case", f"{A}/2", 1, {"act": "hold"}, lambda: bytes(16))
    office.work.ledger.append([forged])
    told = f"event 2 of case {A} is in the log twice, and nothing in it says why"
    with pytest.raises(AlteredRecord, match=told):
        office.work.case(A)
    keys = tmp_path / "log.pub"
    keys.write_text("\n".join(key.text() for key in office.work.ledger.keys))
    for options in (
        ("--workspace", str(office.folder)),
        ("--ledger", str(office.work.paths.ledger), "--key", str(keys)),
    ):
        run = CliRunner().invoke(app, ["log", "verify", *options])
        assert run.exit_code == 3
        assert told in run.stderr
    done = say_restored(office.work, ADMIN, "the copy of last year, before the log was asked")
    assert done.cases == {A: (2, 2)}
    assert office.work.case(A).version == 2
    assert verified(office)[0] == 0


def test_a_copy_that_says_otherwise_is_none(office: Office) -> None:
    """An older copy only ends before the log does."""
    with office.work.store._writer.begin() as db:
        leaves = METADATA.tables["leaves"]
        db.execute(leaves.update().where(leaves.c.leaf_id == f"case/{A}/1").values(leaf=b"{}"))
    with pytest.raises(HeadframeError, match="an older copy differs from the log in nothing"):
        say_restored(office.work, ADMIN, "it is a copy")


def test_a_case_that_nobody_destroyed_is_missed(tmp_path: Path) -> None:
    """The database notes which cases were destroyed; the certificates in the log tell how many."""
    office = Office(tmp_path / "workspace")
    retention.own_pack(office)
    retention.dismissed(office, retention.under(office, "my-beijing"))
    office.find("192.0.2.200", "mill.jsonl")
    office.open("S2")
    office.clock.wait(days=100)
    retention.destroy(office)
    assert office.work.store.was_destroyed(A)
    code, said = verified(office)
    assert code == 0, said
    events, leaves, opened, ended = (
        METADATA.tables[name] for name in ("case_events", "leaves", "disclosures", "ended_cases")
    )
    with office.work.store._writer.begin() as db:
        of_b = select(leaves.c.leaf_id).where(leaves.c.case_id == B)
        db.execute(delete(events).where(events.c.case_id == B))
        db.execute(delete(opened).where(opened.c.leaf_id.in_(of_b)))
        db.execute(insert(ended).values(case_id=B, pack_id="", pack_digest="", counts_from_ns=0))
    code, said = verified(office)
    assert code == 3
    assert f"of 2 cases that the log has, such as {B}, the database has no event" in said
    assert "the certificates of destruction in the log tell of 1" in said
    office.work.close()
