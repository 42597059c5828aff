"""The database is held against the log: a record that was changed in it is neither shown nor acted on."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from typer.testing import CliRunner

from headframe.casework import Casework, open_workspace
from headframe.casework.held_to_log import AlteredRecord, HeldToLog, leaf_name, sealed_fields
from headframe.cli import app
from headframe.errors import UnreadableInput
from headframe.ledger.leaf import seal
from headframe.records import case as acts
from headframe.stores.database.opening import migrate
from headframe.stores.database.rows import text_of_act
from headframe.stores.database.tables import CASE_EVENTS, CASES, DISCLOSURES, FINDINGS, LEAVES
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
    _without_leaf(office, leaf_name(_case(office), _reply(office)))


def _without_leaf(office: Office, name: str) -> None:
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
    _seal_anew(office)


def _seal_anew(office: Office, **changed: object) -> None:
    event = office.work.store.events(_case(office))[_reply(office) - 1]
    name = leaf_name(event.case_id, event.number)
    leaf, opened = seal(
        "case", f"{event.case_id}/{event.number}", event.at_ns, sealed_fields(event), lambda: bytes(range(16))
    )
    with office.work.store._writer.begin() as db:
        db.execute(delete(DISCLOSURES).where(DISCLOSURES.c.leaf_id == name))
        db.execute(update(LEAVES).where(LEAVES.c.leaf_id == name).values(leaf=leaf, **changed))
        rows = [
            {"leaf_id": name, "position": place, "name": one.name, "salt": one.salt, "value": json.dumps(one.value)}
            for place, one in enumerate(opened)
        ]
        db.execute(insert(DISCLOSURES), rows)


def _sealed_again_for_the_log(office: Office) -> None:
    """As if its leaf had waited for the log since a crash: whoever opens the workspace hands such leaves over."""
    _admits(office)
    _seal_anew(office, place=None)


def _never_answered_nor_sealed(office: Office) -> None:
    """The event goes with its leaf, and so does all by which the database could tell."""
    name = leaf_name(_case(office), _reply(office))
    _never_answered(office)
    _without_leaf(office, name)


def _another_in_its_place(office: Office) -> None:
    """So that the database has as many leaves as the log, too."""
    name = leaf_name(_case(office), _reply(office))
    with office.work.store.reading() as db:
        place, leaf = db.execute(select(LEAVES.c.place, LEAVES.c.leaf).where(LEAVES.c.leaf_id == name)).one()
    _never_answered_nor_sealed(office)
    with office.work.store._writer.begin() as db:
        db.execute(insert(LEAVES).values(leaf_id="access/1", leaf=leaf, data_class="access", place=place))


CHANGES = (
    _admits, _by_another, _earlier, _never_answered, _without_its_leaf, _without_its_salts, _sealed_again,
    _sealed_again_for_the_log, _never_answered_nor_sealed, _another_in_its_place,
)  # fmt: skip


@pytest.mark.parametrize(
    ("office", "change"),
    [
        *(("sqlite", change) for change in CHANGES),
        *(("postgresql", change) for change in (_sealed_again, _sealed_again_for_the_log, _another_in_its_place)),
    ],
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
    size = office.work.ledger.size
    office.classify(case.replace("000001", "000002"))
    assert office.work.ledger.size == size + 2, "nothing but the act and its approval went into the log"
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
    HeldToLog(work.store, work.ledger, work.held.logged).refuse_altered(case, work.store.events(case)[:-1])


def _forged(office: Office, act: acts.Act, account: str) -> str:
    """Whoever can write the database writes one event more, with a leaf that waits for the log; gives its name."""
    case = _case(office)
    last = office.work.store.events(case)[-1]
    event = replace(last, number=last.number + 1, at_ns=last.at_ns + 1, account=account, act=act)
    name = leaf_name(case, event.number)
    leaf, opened = seal("case", f"{case}/{event.number}", event.at_ns, sealed_fields(event), lambda: bytes(range(16)))
    with office.work.store._writer.begin() as db:
        db.execute(insert(CASE_EVENTS).values(
            case_id=case, number=event.number, at_ns=event.at_ns, account=account, unit=event.unit, act=act.NAME,
            payload=text_of_act(act),
        ))  # fmt: skip
        db.execute(update(CASES).where(CASES.c.case_id == case).values(version=event.number))
        mark = select(LEAVES.c.mark).where(LEAVES.c.leaf_id == leaf_name(case, last.number)).scalar_subquery()
        db.execute(insert(LEAVES).values(leaf_id=name, leaf=leaf, data_class="case", case_id=case, mark=mark))
        db.execute(insert(DISCLOSURES), [
            {"leaf_id": name, "position": place, "name": one.name, "salt": one.salt, "value": json.dumps(one.value)}
            for place, one in enumerate(opened)
        ])  # fmt: skip
    return name


@pytest.mark.parametrize("office", ["sqlite", "postgresql"], indirect=True)
def test_what_nobody_here_wrote_is_not_brought_into_the_log(office: Office) -> None:
    """An event that is only in the database, with a leaf that waits, is no act: the key of marks is not there."""
    case, size = _case(office), office.work.ledger.size
    name = _forged(office, acts.PlaceHold(reason="never"), "chief")
    told = f"leaf {name} waits for the log, and no program of this workspace wrote it"
    office.reopen()
    assert (office.work.recovered, office.work.ledger.size) == (0, size)
    assert office.work.unfit == {name: told}
    with pytest.raises(AlteredRecord, match="waits for the log, and no program of this workspace wrote it so"):
        office.work.case(case)
    said = CliRunner().invoke(app, ["case", "list", "--workspace", str(office.folder)])
    assert told in said.stderr
    office.classify(case.replace("000001", "000002"))
    assert office.work.ledger.size == size + 2
    assert office.work.unfit == {name: told}
    run = CliRunner().invoke(app, ["log", "verify", "--workspace", str(office.folder)])
    assert run.exit_code == 3
    assert told in run.stderr


class _KilledError(Exception):
    """The program ends here."""


def test_an_act_that_was_kept_back_does_not_come_after_another(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its mark is right, for a program died before the log had it; by now another act has its number."""
    case = _case(office)
    with monkeypatch.context() as patch, pytest.raises(_KilledError):
        patch.setattr(Casework, "hand_over", lambda _work: (_ for _ in ()).throw(_KilledError()))
        office.do("chief", case, acts.PlaceHold(reason="the first"))
    number = len(office.work.store.events(case))
    tables = (CASE_EVENTS, LEAVES, DISCLOSURES)
    which = (_event(office, number), *(one.c.leaf_id == leaf_name(case, number) for one in tables[1:]))
    with office.work.store._writer.begin() as db:
        kept = [db.execute(select(one).where(at)).mappings().all() for one, at in zip(tables, which, strict=True)]
        for one, at in reversed([*zip(tables, which, strict=True)]):
            db.execute(delete(one).where(at))
        db.execute(update(CASES).where(CASES.c.case_id == case).values(version=number - 1))
    office.reopen()
    office.do("chief", case, acts.PlaceHold(reason="the second"))
    size = office.work.ledger.size
    with office.work.store._writer.begin() as db:
        for one, at in reversed([*zip(tables, which, strict=True)]):
            db.execute(delete(one).where(at))
        for one, rows in zip(tables, kept, strict=True):
            db.execute(insert(one), [dict(row) for row in rows])
    office.reopen()
    assert office.work.ledger.size == size
    assert "which has another of the same event" in office.work.unfit[leaf_name(case, number)]
    with pytest.raises(AlteredRecord, match=f"event {number} of case {case} waits for the log, which has another"):
        office.work.case(case)


def test_what_an_older_headframe_left_waiting_is_handed_over_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had no marks; from the first opening on, a leaf without one is nobody's."""
    with monkeypatch.context() as patch, pytest.raises(_KilledError):
        patch.setattr(Casework, "hand_over", lambda _work: (_ for _ in ()).throw(_KilledError()))
        office.do("chief", _case(office), acts.PlaceHold(reason="court file"))
    migrate(office.work.store.engine, "0004")
    office.work.paths.leaves_key.unlink()
    office.reopen()
    assert office.work.recovered == 1
    assert office.work.case(_case(office)).on_hold
    assert office.work.paths.leaves_key.stat().st_mode & 0o777 == 0o600
    name = _forged(office, acts.LiftHold(reason="never"), "chief")
    with office.work.store._writer.begin() as db:
        db.execute(update(LEAVES).where(LEAVES.c.leaf_id == name).values(mark=None))
    office.reopen()
    assert office.work.recovered == 0
    assert [*office.work.unfit] == [name]


def test_a_damaged_key_of_marks_is_told(office: Office) -> None:
    """And where it is to come from."""
    office.work.close()
    office.work.paths.leaves_key.write_text("headframe-leaf-key-1 AAAA\n")
    with pytest.raises(UnreadableInput, match="no key of leaves; put it back from its backup"):
        open_workspace(office.folder, now_ns=office.clock)


def test_an_act_that_is_changed_before_the_log_has_it_is_not_acknowledged(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is faster than the program that wrote it: the log takes the leaf that was marked, or none."""
    case, size, hand_over = _case(office), office.work.ledger.size, Casework.hand_over

    def changed(work: Casework) -> int:
        with work.store._writer.begin() as db:
            db.execute(update(LEAVES).where(LEAVES.c.place.is_(None)).values(leaf=b'{"act":"another"}'))
        return hand_over(work)

    with (
        monkeypatch.context() as patch,
        pytest.raises(AlteredRecord, match="no program of this workspace wrote it: the"),
    ):
        patch.setattr(Casework, "hand_over", changed)
        office.do("chief", case, acts.PlaceHold(reason="court file"))
    assert office.work.ledger.size == size
