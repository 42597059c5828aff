"""Rows beside the cases are held to what the workspace wrote: findings, documents, registers of lawful mining."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, update
from typer.testing import CliRunner

from headframe.casework import finding_import
from headframe.casework.case_bundle import write_case_bundle
from headframe.casework.held_tables import INDEX_FILE, held_registers
from headframe.casework.held_to_log import AlteredRecord
from headframe.casework.restored import say_restored
from headframe.casework.sites import import_registry
from headframe.cli import app
from headframe.records import case as acts
from headframe.stores.bundles import verify_bundle
from headframe.stores.database.tables import DOCUMENTS, FINDINGS, LAWFUL_ENTRIES, REGISTERS
from tests.casework.office import PACK, Office, accepted
from tests.casework.test_restored import ADMIN, PutBack, put_back

__all__ = ["put_back"]

LAWFUL = (
    "entry,register,site,organisation,usage_point,valid_from,valid_until\n"
    "L1,fns,S1,,,2026-01-01,2026-12-31\nL2,fns,,O2,,2026-01-01,2026-12-31\nL3,grid,,,UP-9,2026-01-01,2026-12-31\n"
)


BOTH = pytest.mark.parametrize("office", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """A foundry with findings, and no case yet."""
    on_postgresql = getattr(request, "param", "sqlite") == "postgresql"
    url = request.getfixturevalue("postgresql_url") if on_postgresql else ""
    office = Office(tmp_path / "workspace", database_url=url)
    office.find("192.0.2.9")
    yield office
    office.work.close()


@contextlib.contextmanager
def _writing(office: Office) -> Iterator[Connection]:
    """As somebody who can write into the database, and not into the folder."""
    with office.work.store._writer.begin() as db:
        yield db


def _ids(office: Office) -> list[str]:
    with office.work.store.reading() as db:
        return list(db.scalars(select(FINDINGS.c.finding_id).order_by(FINDINGS.c.finding_id)))


def _verified(office: Office) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["log", "verify", "--workspace", str(office.folder)])
    return done.exit_code, done.output


# -- findings


@pytest.mark.parametrize(
    "changed", [{"site_id": "S2"}, {"site_id": "S2", "mark": None}, {"site_id": "S2", "subject": "192.0.2.200"}]
)
@pytest.mark.parametrize("named", [True, False])
def test_no_case_opens_on_a_finding_that_was_given_to_another_party(
    office: Office, changed: dict[str, object], named: bool
) -> None:
    """Whose site a finding is of decides who is accused."""
    with _writing(office) as db:
        db.execute(update(FINDINGS).values(**changed))
    with pytest.raises(AlteredRecord, match=r"finding F-.* is not in the database as it was imported"):
        office.work.open_case(office.account("officer"), "S2", PACK, finding_ids=_ids(office)[:1] if named else ())
    assert not list(office.work.store.all_events())
    code, told = _verified(office)
    assert code == 3
    assert "is not as it was imported" in told


@pytest.mark.parametrize("column", ["mining", "log10_e", "sha256", "document", "started_ns", "coin"])
def test_whatever_a_finding_says_is_held(office: Office, column: str) -> None:
    """A finding says what was seen, how strongly and when; the mark is of all of it."""
    with office.work.store.reading() as db:
        other = db.execute(select(FINDINGS)).mappings().all()[1]
        value = {"mining": False, "log10_e": 90.0, "started_ns": 5, "coin": "ETH"}.get(column, other[column])
    with _writing(office) as db:
        db.execute(update(FINDINGS).where(FINDINGS.c.finding_id != other["finding_id"]).values({column: value}))
    with pytest.raises(AlteredRecord):
        office.work.open_case(office.account("officer"), "S1", PACK)


def test_no_case_takes_such_a_finding_later(office: Office) -> None:
    """Adding findings asks the same, and a finding that was made up is none."""
    case = office.open()
    office.find("192.0.2.200", "mill.jsonl")
    with _writing(office) as db:
        db.execute(update(FINDINGS).where(FINDINGS.c.site_id == "S2").values(site_id="S1"))
    with pytest.raises(AlteredRecord):
        office.work.add_findings(office.account("officer"), case)


@BOTH
def test_findings_that_follow_the_registry_bear_a_new_mark(office: Office, tmp_path: Path) -> None:
    """A table of sites moves them; that is no alteration, and does not make one right."""
    office.find("192.0.2.20", "b.jsonl")
    (first, *_) = [one for one in _ids(office) if office.work.store.finding(one).ref.subject == "192.0.2.20"]  # type: ignore[union-attr]
    with _writing(office) as db:
        db.execute(update(FINDINGS).where(FINDINGS.c.finding_id == first).values(log10_e=99.0, rank=-99.0))
    table = tmp_path / "sites.csv"
    table.write_text("site,name,kind,prefix\nS2,Mill South,enterprise,192.0.2.20/32\n")
    done = import_registry(office.work, office.account("screener"), [table])
    assert done.findings is not None
    assert done.findings.moved == 2
    moved = office.work.store.finding(first)
    assert moved is not None
    assert moved.site_id == "S2"
    with pytest.raises(AlteredRecord, match=first):
        office.work.open_case(office.account("officer"), "S2", PACK, finding_ids=[first])
    (other,) = [one for one in _ids(office) if one != first and office.work.store.finding(one).site_id == "S2"]  # type: ignore[union-attr]
    office.open("S2", finding_ids=[other])


def test_findings_of_an_older_headframe_go_on(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no mark, and the log says that their import had none; others' marks cannot be taken off by that."""
    monkeypatch.setattr(finding_import, "_MARKED", {})
    office.work.store.marks = None
    office.find("192.0.2.200", "mill.jsonl")
    monkeypatch.undo()
    office.reopen()
    with _writing(office) as db:
        db.execute(update(FINDINGS).where(FINDINGS.c.site_id == "S1").values(mark=None))
    office.open("S2")
    assert _verified(office)[0] == 3, "those whose mark was taken away"
    with pytest.raises(AlteredRecord):
        office.open("S1")


def test_importing_the_file_again_marks_what_is_as_it_says(office: Office) -> None:
    """The way out where marks are lost, such as after going back to older tables; what was changed stays so."""
    first, second = _ids(office)
    with _writing(office) as db:
        db.execute(update(FINDINGS).values(mark=None))
        db.execute(update(FINDINGS).where(FINDINGS.c.finding_id == first).values(log10_e=99.0, rank=-99.0))
    office.find("192.0.2.9")
    office.open("S1", finding_ids=[second])
    with pytest.raises(AlteredRecord):
        office.open("S1", finding_ids=[first])


# -- documents


def _with_a_letter(office: Office) -> str:
    case = office.open()
    office.classify(case)
    office.notify(case)
    office.reply(case, "a kiln", document=office.paper("reply", "we fire a kiln"))
    return case


def _forge(office: Office, case: str, data: bytes, **changed: object) -> str:
    """A row of the documents, and its bytes, that nobody sealed."""
    sha256 = hashlib.sha256(data).hexdigest()
    office.work.keep_bytes(data, "x.pdf", "application/pdf", "decision")
    with _writing(office) as db:
        row = db.execute(select(DOCUMENTS).where(DOCUMENTS.c.case_id == case)).mappings().first()
        assert row is not None
        new = {"sha256": sha256, "name": f"{case}-9-decision-en.pdf", "kind": "decision", "size": len(data), **changed}
        db.execute(insert(DOCUMENTS).values({**row, **new}))
    return sha256


@BOTH
def test_a_forged_letter_is_not_handed_out(office: Office, tmp_path: Path) -> None:
    """People send what Headframe gives out as a case's own."""
    case = _with_a_letter(office)
    known = [kept.ref.sha256 for kept in office.work.documents_to_hand_out(case)]
    sha256 = _forge(office, case, b"%PDF-1.4 You are fined 1,000,000")
    with pytest.raises(AlteredRecord, match=rf"decision-en\.pdf \(SHA-256 {sha256}\).* in the log it is not"):
        office.work.documents_to_hand_out(case)
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["case", "documents", case, "--out", str(out), "--workspace", str(office.folder)])
    assert done.exit_code != 0
    assert not out.exists()
    assert [kept.ref.sha256 for kept in office.work.case_file(case).documents] == known
    assert _verified(office)[0] == 3
    shown = CliRunner().invoke(app, ["case", "show", case, "--workspace", str(office.folder)])
    assert "is in the database as a document of the case, and not in the log" in " ".join(shown.output.split())


def test_the_party_gets_its_bundle_without_it(office: Office, tmp_path: Path) -> None:
    """Whoever writes a row into the database does not take the party's evidence from it."""
    case = _with_a_letter(office)
    data = b"%PDF-1.4 You are fined 1,000,000"
    sha256 = _forge(office, case, data)
    path = tmp_path / "b"
    written = write_case_bundle(office.work, office.account("officer"), case, path, reason="the party asked for it")
    assert [ref.sha256 for ref in written.strange] == [sha256]
    assert "1 are not in its log" in " ".join((path / "README.txt").read_text().split())
    assert not any(data in one.read_bytes() for one in path.rglob("*") if one.is_file())
    assert verify_bundle(path, office.work.ledger.keys).sound


def test_a_letter_to_another_party_is_none_of_the_case(office: Office) -> None:
    """Its leaf is in the log, and says of which case it is, how it is called and what it is."""
    office.find("192.0.2.200", "mill.jsonl")
    case, other = _with_a_letter(office), office.open("S2")
    with _writing(office) as db:
        letter = db.execute(select(DOCUMENTS).where(DOCUMENTS.c.kind == "notice")).mappings().first()
        assert letter is not None
        db.execute(insert(DOCUMENTS).values({**letter, "case_id": other}))
    with pytest.raises(AlteredRecord):
        office.work.documents_to_hand_out(other)
    office.work.documents_to_hand_out(case)
    with _writing(office) as db:
        db.execute(update(DOCUMENTS).where(DOCUMENTS.c.case_id == case).values(name="other.txt"))
    with pytest.raises(AlteredRecord):
        office.work.documents_to_hand_out(case)


def test_one_file_may_come_into_two_cases(office: Office) -> None:
    """Its leaf names the first; the other one's act names it as well."""
    office.find("192.0.2.200", "mill.jsonl")
    case, other = _with_a_letter(office), office.open("S2")
    office.classify(other)
    letter = office.work.draft_document(other, acts.DocumentKind.NOTICE)
    assert letter
    office.propose(other, acts.ProposeNotice(kind=acts.NoticeKind.NOTICE, document=letter[0].ref, language="en"))
    office.reply(other, "the same", document=replace(office.paper("reply", "we fire a kiln"), name="same.txt"))
    for one in (case, other):
        assert office.work.documents_to_hand_out(one)
    assert _verified(office)[0] == 0


# -- registers of lawful mining


@pytest.fixture
def registered(office: Office, tmp_path: Path) -> Office:
    """Both parties are in registers of lawful mining."""
    _import(office, tmp_path, LAWFUL)
    return office


def _import(office: Office, tmp_path: Path, text: str, **options: bool) -> list[str]:
    path = tmp_path / "lawful.csv"
    path.write_text(text)
    return import_registry(office.work, office.account("screener"), [], [path], **options).remarks


def _asked(office: Office) -> tuple[str, ...]:
    found, _ = held_registers(office.work, site_id="S1", organisation_id="O1", usage_points=["UP-1"])
    return tuple(one.entry_id for one in found)


def _new_row(db: Connection) -> None:
    row = db.execute(select(LAWFUL_ENTRIES).where(LAWFUL_ENTRIES.c.entry_id == "L2")).mappings().one()
    db.execute(insert(LAWFUL_ENTRIES).values({**row, "entry_id": "L9", "organisation_id": "O1"}))


ALTERATIONS: list[Callable[[Connection], object]] = [
    lambda db: db.execute(delete(LAWFUL_ENTRIES)),
    lambda db: db.execute(delete(LAWFUL_ENTRIES).where(LAWFUL_ENTRIES.c.entry_id == "L1")),
    lambda db: db.execute(update(LAWFUL_ENTRIES).where(LAWFUL_ENTRIES.c.entry_id == "L1").values(site_id="S2")),
    lambda db: db.execute(update(LAWFUL_ENTRIES).where(LAWFUL_ENTRIES.c.entry_id == "L1").values(valid_until_ns=1)),
    lambda db: db.execute(update(LAWFUL_ENTRIES).where(LAWFUL_ENTRIES.c.entry_id == "L2").values(usage_point="UP-1")),
    lambda db: db.execute(delete(REGISTERS).where(REGISTERS.c.register == "grid")),
    lambda db: db.execute(update(REGISTERS).values(imported_ns=REGISTERS.c.imported_ns + 1)),
    _new_row,
]


@pytest.mark.parametrize("kept", [True, False], ids=["with the index", "without"])
@pytest.mark.parametrize("number", range(len(ALTERATIONS)))
def test_nobody_is_looked_up_in_a_register_that_was_changed(registered: Office, number: int, kept: bool) -> None:
    """What a look-up says decides whether a party is accused, or let go."""
    work = registered.work
    assert _asked(registered) == ("L1",)
    case = registered.open()
    if not kept:
        (registered.folder / INDEX_FILE).unlink()
    with _writing(registered) as db:
        ALTERATIONS[number](db)
    registered.reopen()
    with pytest.raises(AlteredRecord, match="registers of lawful mining do not say"):
        registered.work.look_up(registered.account("screener"), case)
    work = registered.work
    at_ns = registered.clock.at_ns
    registered.find("192.0.2.10", "more.jsonl", started_ns=at_ns - 10**12, ended_ns=at_ns)
    with pytest.raises(AlteredRecord):
        work.open_case(registered.account("officer"), "S1", PACK)
    assert _verified(registered)[0] == 3


@BOTH
def test_what_was_changed_is_not_sealed_by_the_next_import(registered: Office, tmp_path: Path) -> None:
    """An entry that somebody wrote into the database is in no register by an import of others; the whole mends it."""
    with _writing(registered) as db:
        _new_row(db)
    with pytest.raises(AlteredRecord, match="--whole-registers"):
        _import(registered, tmp_path, "entry,register,site\nL7,other,S2\n")
    (told,) = [one for one in _import(registered, tmp_path, LAWFUL, whole_registers=True) if "thrown away" in one]
    assert "Find out who could write" in told
    assert _asked(registered) == ("L1",)
    assert _verified(registered)[0] == 0


@BOTH
def test_each_import_seals_what_is_stored_then(registered: Office, tmp_path: Path) -> None:
    """Also where the time stands still; and what others are asked for is found."""
    registered.work.now_ns = lambda: registered.clock.at_ns
    _import(registered, tmp_path, "entry,register,site,organisation\nL4,fns,S1,\n")
    _import(registered, tmp_path, "entry,register,site,organisation\nL5,other,,O1\n")
    assert _asked(registered) == ("L1", "L4", "L5")
    found, states = held_registers(registered.work, site_id="S2", organisation_id="O2", usage_points=["UP-9", ""])
    assert [one.entry_id for one in found] == ["L2", "L3"]
    assert list(states) == ["fns", "grid", "other"]
    (registered.folder / INDEX_FILE).unlink()
    assert _asked(registered) == ("L1", "L4", "L5")
    assert (registered.folder / INDEX_FILE).exists(), "made anew"


def test_an_entry_in_a_workspace_without_registers_is_none(office: Office, tmp_path: Path) -> None:
    """Where a table of sites was imported, and never a register, nothing of one is stored."""
    table = tmp_path / "sites.csv"
    table.write_text("site,name,kind\nS7,Yard,enterprise\n")
    import_registry(office.work, office.account("screener"), [table])
    assert _asked(office) == ()
    source = {"source_file": "x", "source_row": 1}
    with _writing(office) as db:
        row = {"register": "r", "entry_id": "L1", "kind": "licence", "site_id": "S1", "valid_from_ns": 0}
        db.execute(insert(LAWFUL_ENTRIES).values(**row, valid_until_ns=2**62, **source))
    with pytest.raises(AlteredRecord):
        _asked(office)


def test_registers_of_an_older_headframe_go_on(registered: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a first import seals them, they are taken as they are."""
    monkeypatch.setattr("headframe.casework.last_states.LastStates.last", lambda _self, _of: {})
    (registered.folder / INDEX_FILE).unlink()
    assert _asked(registered) == ("L1",)


def test_registers_of_an_older_copy_hold_when_somebody_says_so(
    registered: Office, put_back: PutBack, tmp_path: Path
) -> None:
    """What came after the copy is imported again; until an administrator stands for it, nobody is looked up."""
    _import(registered, tmp_path, "entry,register,site\nL7,other,S1\n")
    assert _asked(registered) == ("L1", "L7")
    put_back()
    with pytest.raises(AlteredRecord):
        _asked(registered)
    say_restored(registered.work, ADMIN, "the disk was lost")
    assert _asked(registered) == ("L1",)
    assert _verified(registered)[0] == 0
    _import(registered, tmp_path, "entry,register,site\nL7,other,S1\n")
    assert _asked(registered) == ("L1", "L7")


def test_a_look_up_reads_no_whole_register(registered: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers may have 100,000 entries, and each case looks its site up."""
    monkeypatch.setattr(type(registered.work.store), "all_lawful", lambda _self: pytest.fail("read"))
    registered.reopen()
    assert accepted(registered.work.open_case(registered.account("officer"), "S1", PACK)).case.lookup is not None
