"""The database is held against the log: a record that was changed in it is neither shown nor acted on."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from typer.testing import CliRunner

from headframe.casework.held_to_log import AlteredRecord, HeldToLog, leaf_name, sealed_fields
from headframe.cli import app
from headframe.ledger.leaf import seal
from headframe.records import case as acts
from headframe.stores.database.tables import CASE_EVENTS, DISCLOSURES, FINDINGS, LEAVES
from headframe.stores.ledger_files import Ledger
from headframe.stores.ledger_keys import read_keys
from tests.casework.office import Office


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """A party has been written to, and contests; a second case is beside it."""
    on_postgresql = getattr(request, "param", "sqlite") == "postgresql"
    url = request.getfixturevalue("postgresql_url") if on_postgresql else ""
    office = Office(tmp_path / "workspace", database_url=url)
    office.find("192.0.2.9")
    office.find("192.0.2.200", "mill.jsonl")
    case = office.open()
    office.open("S2")
    office.classify(case)
    office.notify(case)
    office.clock.wait(hours=1)
    office.reply(case, "a kiln")
    yield office
    office.work.close()


def _case(office: Office) -> str:
    return next(one.case_id for one in office.work.store.all_events())


def _reply(office: Office) -> int:
    return next(one.number for one in office.work.store.events(_case(office)) if one.act.NAME == "reply")


def _event(office: Office, number: int) -> object:
    return (CASE_EVENTS.c.case_id == _case(office)) & (CASE_EVENTS.c.number == number)


def _admits(office: Office) -> None:
    """The party's words become others."""
    with office.work.store._writer.begin() as db:
        at = _event(office, _reply(office))
        payload = json.loads(db.execute(select(CASE_EVENTS.c.payload).where(at)).scalar_one())
        payload.update(stance="admits", text="we mined")
        db.execute(update(CASE_EVENTS).where(at).values(payload=json.dumps(payload)))


def _by_another(office: Office) -> None:
    with office.work.store._writer.begin() as db:
        db.execute(update(CASE_EVENTS).where(_event(office, _reply(office))).values(account="chief"))


def _earlier(office: Office) -> None:
    with office.work.store._writer.begin() as db:
        column = CASE_EVENTS.c.at_ns
        db.execute(update(CASE_EVENTS).where(_event(office, _reply(office))).values(at_ns=column - 1))


def _never_answered(office: Office) -> None:
    with office.work.store._writer.begin() as db:
        db.execute(delete(CASE_EVENTS).where(_event(office, _reply(office))))


def _without_its_leaf(office: Office) -> None:
    name = leaf_name(_case(office), _reply(office))
    with office.work.store._writer.begin() as db:
        db.execute(delete(DISCLOSURES).where(DISCLOSURES.c.leaf_id == name))
        db.execute(delete(LEAVES).where(LEAVES.c.leaf_id == name))


def _without_its_salts(office: Office) -> None:
    name = leaf_name(_case(office), _reply(office))
    with office.work.store._writer.begin() as db:
        db.execute(delete(DISCLOSURES).where(DISCLOSURES.c.leaf_id == name))


def _sealed_again(office: Office) -> None:
    """Whoever knows the format seals the changed event anew, with leaf and salts; only the log knows better."""
    _admits(office)
    event = office.work.store.events(_case(office))[_reply(office) - 1]
    name = leaf_name(event.case_id, event.number)
    leaf, opened = seal(
        "case", f"{event.case_id}/{event.number}", event.at_ns, sealed_fields(event), lambda: bytes(range(16))
    )
    with office.work.store._writer.begin() as db:
        db.execute(delete(DISCLOSURES).where(DISCLOSURES.c.leaf_id == name))
        db.execute(update(LEAVES).where(LEAVES.c.leaf_id == name).values(leaf=leaf))
        rows = [
            {"leaf_id": name, "position": place, "name": one.name, "salt": one.salt, "value": json.dumps(one.value)}
            for place, one in enumerate(opened)
        ]
        db.execute(insert(DISCLOSURES), rows)


CHANGES = (_admits, _by_another, _earlier, _never_answered, _without_its_leaf, _without_its_salts, _sealed_again)


@pytest.mark.parametrize(
    ("office", "change"),
    [*(("sqlite", change) for change in CHANGES), ("postgresql", _sealed_again)],
    indirect=["office"],
    ids=lambda one: one if isinstance(one, str) else one.__name__.strip("_"),
)
def test_a_changed_record_is_neither_shown_nor_acted_on(office: Office, change: Callable[[Office], None]) -> None:
    """Not on a screen, not in a letter, not in a bundle, not by a rule; the other case goes on."""
    case, number = _case(office), _reply(office)
    change(office)
    officer = office.account("officer")
    told = f"event {number} of case {case}"
    with pytest.raises(AlteredRecord, match=told):
        office.work.view(case)
    with pytest.raises(AlteredRecord, match=told):
        office.work.perform(officer, case, office.a_class())
    with pytest.raises(AlteredRecord, match=told):
        office.work.write_document(case, acts.DocumentKind.INSPECTION_REQUEST)
    office.classify(case.replace("000001", "000002"))
    run = CliRunner().invoke(app, ["log", "verify", "--workspace", str(office.folder)])
    assert run.exit_code == 3
    assert told in run.stderr


def test_a_changed_finding_is_put_into_no_letter(office: Office) -> None:
    """Letters draw from the finding's document; the case names its digest."""
    case = _case(office)
    packer = office.work.store.packer()
    with office.work.store._writer.begin() as db:
        at = FINDINGS.c.finding_id == office.work.case(case).findings[0].finding_id
        document = packer.unpack(db.execute(select(FINDINGS.c.document).where(at)).scalar_one())
        document["log10_e"] = 99.0
        db.execute(update(FINDINGS).where(at).values(document=packer.pack(document)))
    with pytest.raises(AlteredRecord, match="is not the one that case"):
        office.work.write_document(case, acts.DocumentKind.INSPECTION_REQUEST)


def test_another_log_of_the_same_length_and_key_is_seen(office: Office) -> None:
    """The counts agree and its own checkpoint holds, and still it is not the log of this database."""
    work = office.work
    leaves = list(work.ledger.entries())
    signers = read_keys(office.folder / "keys" / "ledger.key")
    place = work.paths.ledger
    work.close()
    shutil.move(place, office.folder / "right")
    forged, _opened = seal("case", "HF-2026-000099/1", 1, {"act": "open"}, lambda: bytes(16))
    other = Ledger.create(place, signers)
    other.append([*leaves[:-1], forged])
    run = CliRunner().invoke(app, ["log", "verify", "--workspace", str(office.folder)])
    assert run.exit_code == 3
    assert f"leaf {len(leaves) - 1} of the log is not the one that the database has" in run.stderr
    office.reopen()
    with pytest.raises(AlteredRecord, match="is not the one in the log"):
        office.work.case(_case(office))


def test_what_was_not_touched_is_found_whole(office: Office) -> None:
    """And a fast neighbour, whose event comes between two looks, alters none."""
    run = CliRunner().invoke(app, ["log", "verify", "--workspace", str(office.folder)])
    assert run.exit_code == 0, run.stderr
    work, case = office.work, _case(office)
    assert work.case(case).replies[-1].text == "a kiln"
    HeldToLog(work.store, work.ledger).refuse_altered(work.store.events(case)[:-1])
