"""The registry of a workspace: imported whole or not at all, its addresses sealed, purged when no case needs them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headframe.casework.sites import (
    forget,
    import_registry,
    open_contact,
    purge_contacts,
    read_registry,
    sealer_of,
    strangers,
    view_site,
)
from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.leaf import read
from headframe.records.case import Case, LookupOutcome, Stage
from headframe.records.lawful import Contact
from headframe.stores.key_files import KeyGone
from headframe.stores.sealing import NoReason
from tests.casework.office import DAY_NS, Office

SECRET = "Quarry Lane 5"
SITES = "site,name,kind,organisation,prefix\nS3,Shaft,data centre,O3,198.51.100.0/24\n"
LAWFUL = "entry,register,site,organisation,valid_from,valid_until\nL1,fns,S1,,2026-01-01,2026-12-31\nL2,fns,,O2,,\n"
CONTACTS = f"role,site,organisation,address\nlegal,S1,,{SECRET}\nbilling,,O1,{SECRET} b\nfacility,S2,,{SECRET} c\n"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "workspace")


def write(office: Office, name: str, text: str) -> Path:
    path = office.folder.parent / name
    path.write_text(text, encoding="utf-8")
    return path


def bring(office: Office, sites: str = "", lawful: str = "", contacts: str = "", **more: Any) -> Any:
    files = [
        [write(office, name, text)] if text else []
        for name, text in (("sites.csv", sites), ("lawful.csv", lawful), ("contacts.csv", contacts))
    ]
    return import_registry(office.work, office.account("screener"), *files, **more)


def keys_of(office: Office) -> set[str]:
    return set(sealer_of(office.work).keys.names("contacts"))


def contact(office: Office, site_id: str, role: str = "legal") -> Contact:
    return next(one for one in view_site(office.work, site_id).contacts if one.role == role)


def subjects(office: Office, kind: str) -> list[str]:
    ledger = office.work.ledger
    ledger.refresh()
    return [leaf.subject for index in range(ledger.size) if (leaf := read(ledger.entry(index))).kind == kind]


def test_an_import_is_kept_and_logged(office: Office) -> None:
    """Sites, entries and contacts are there after a restart; the ledger knows that they came, and no address."""
    done = bring(office, SITES, LAWFUL, CONTACTS)
    assert done.tables.damaged == ()
    work = office.reopen()
    view = view_site(work, "S1")
    assert [one.entry_id for one in view.lawful] == ["L1"]
    assert [one.entry_id for one in view_site(work, "S2").lawful] == ["L2"], "through its organisation"
    assert sorted(one.contact_id for one in view.contacts) == ["O1/billing/post", "S1/legal/post"]
    assert view_site(work, "S3").site.kind == "data_centre"
    assert view.registers[0][0] == "fns"
    assert subjects(office, "sites") == [done.import_id]
    for path in office.folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_an_address_is_read_with_a_reason_that_stays(office: Office) -> None:
    """In the access log and in the ledger, before the address is seen."""
    bring(office, contacts=CONTACTS)
    before = len(subjects(office, "access"))
    account = office.account("officer")
    assert open_contact(office.work, account, contact(office, "S1"), "notice") == SECRET
    assert len(subjects(office, "access")) == before + 1
    with pytest.raises(NoReason):
        open_contact(office.work, account, contact(office, "S1"), " ")
    assert len(subjects(office, "access")) == before + 1


def test_who_cannot_be_logged_reads_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that cannot be written keeps the address sealed."""
    bring(office, contacts=CONTACTS)
    one = contact(office, "S1")

    def full(*_: object) -> None:
        raise HeadframeError("the ledger cannot be written")

    monkeypatch.setattr(office.work.ledger, "append", full)
    with pytest.raises(HeadframeError, match="cannot be written"):
        open_contact(office.work, office.account("officer"), one, "notice")


@pytest.mark.parametrize(
    ("sites", "lawful", "contacts"),
    [
        ("site,owner_name\nS9,Anna\n", LAWFUL, CONTACTS),
        (SITES, "entry,site,phone\nL1,S1,1\n", CONTACTS),
        (SITES, LAWFUL, f"role,site,address,email\nlegal,S1,{SECRET},a\n"),
        (SITES, "no header\n", CONTACTS),
    ],
)
def test_a_file_that_is_refused_stops_all(office: Office, sites: str, lawful: str, contacts: str) -> None:
    """Nothing of the other files is imported, and no key is left."""
    with pytest.raises(UnreadableInput):
        bring(office, sites, lawful, contacts)
    assert office.work.store.site("S3") is None
    assert office.work.store.registers() == {}
    assert keys_of(office) == set()
    assert subjects(office, "sites") == []


def test_a_transaction_that_fails_leaves_no_keys(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sealed for nothing is not kept; what was stored before is still there."""
    bring(office, contacts=CONTACTS)
    before = keys_of(office)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(office.work, "sealed", full)
    with pytest.raises(OSError, match="No space"):
        bring(office, contacts=CONTACTS)
    monkeypatch.undo()
    assert keys_of(office) == before
    assert open_contact(office.work, office.account("officer"), contact(office, "S1"), "notice") == SECRET


def test_a_second_import_replaces_addresses_and_their_keys(office: Office) -> None:
    """The old address can be read by nobody."""
    bring(office, contacts=CONTACTS)
    old, before = contact(office, "S1"), keys_of(office)
    bring(office, contacts=f"role,site,address\nlegal,S1,{SECRET} new\n")
    assert len(keys_of(office)) == len(before)
    account = office.account("officer")
    assert open_contact(office.work, account, contact(office, "S1"), "notice") == f"{SECRET} new"
    with pytest.raises(KeyGone):
        open_contact(office.work, account, old, "notice")


def test_an_entry_that_left_the_register(office: Office) -> None:
    """It stays, and is told; with the whole register in hand it ends, and the past is not changed."""
    bring(office, lawful=LAWFUL)
    office.clock.wait(days=10)
    shorter = "entry,register,site\nL1,fns,S1\n"
    told = bring(office, lawful=shorter)
    assert "1 stored entries of fns are not in the files" in "".join(told.remarks)
    assert view_site(office.work, "S2").lawful[0].valid_until_ns is None
    done = bring(office, lawful=shorter, whole_registers=True)
    assert done.ended == 1
    ended = view_site(office.work, "S2").lawful[0].valid_until_ns
    assert ended is not None
    assert abs(ended - office.clock.at_ns) < DAY_NS
    assert bring(office, lawful=shorter, whole_registers=True).ended == 0, "it ends once"


def test_a_case_finds_the_entry(office: Office) -> None:
    """From the file of a register to the look-up of a case, with the row in its words."""
    bring(office, lawful=LAWFUL)
    office.find("192.0.2.7")
    lookup = office.work.case(office.open("S1")).lookup
    assert lookup is not None
    assert lookup.outcome is LookupOutcome.LISTED
    assert lookup.entries == ("fns#L1",)
    assert "lawful.csv row 2" in lookup.explanation


def test_names_that_nobody_knows_are_told(office: Office) -> None:
    """A register that mistypes a site covers nobody, and somebody should look."""
    done = bring(office, lawful="entry,site,organisation\nL1,S1,\nL2,S 1,\nL3,,Nobody Ltd\n")
    (remark,) = done.remarks
    assert "2 entries of lawful mining name what no table of sites has (organisation Nobody Ltd, site S 1)" in remark
    tables = read_registry([], [write(office, "l.csv", "entry,site\nL1,S1\n")], [], seal=forget)
    assert strangers(tables, {"S1"}) == []


def closed(office: Office, case_id: str) -> Case:
    return replace(office.work.case(case_id), stage=Stage.CLOSED)


def test_contacts_go_with_the_last_case_that_needs_them(office: Office) -> None:
    """Those of the site and of its organisation; the keys with them, and nobody else's."""
    bring(office, contacts=CONTACTS)
    office.find("192.0.2.7")
    case_id = office.open("S1")
    old = contact(office, "S1")
    assert purge_contacts(office.work, closed(office, case_id)) == ("S1/legal/post", "O1/billing/post")
    assert view_site(office.work, "S1").contacts == ()
    assert len(keys_of(office)) == 1
    assert contact(office, "S2", "facility")
    with pytest.raises(KeyGone):
        open_contact(office.work, office.account("officer"), old, "notice")
    assert subjects(office, "retention") == [case_id]
    assert purge_contacts(office.work, closed(office, case_id)) == ()


def test_a_hold_keeps_contacts(office: Office) -> None:
    """Whatever closed the case."""
    bring(office, contacts=CONTACTS)
    office.find("192.0.2.7")
    case = replace(closed(office, office.open("S1")), on_hold=True)
    assert purge_contacts(office.work, case) == ()
    assert len(keys_of(office)) == 3


def test_another_open_case_keeps_contacts(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same site or organisation; it needs them yet."""
    bring(office, contacts=CONTACTS)
    office.find("192.0.2.7")
    case_id = office.open("S1")
    other = replace(closed(office, case_id), case_id="HF-2026-000099")
    assert purge_contacts(office.work, other) == ()
    assert len(keys_of(office)) == 3


def test_what_cannot_be_destroyed_stays_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contacts are there still, and the next purge takes them."""
    bring(office, contacts=CONTACTS)
    office.find("192.0.2.7")
    case = closed(office, office.open("S1"))
    with monkeypatch.context() as patched:
        patched.setattr(
            "headframe.stores.key_files._overwrite",
            lambda *_, **__: (_ for _ in ()).throw(OSError(30, "Read-only file system")),
        )
        with pytest.raises(HeadframeError, match="Read-only"):
            purge_contacts(office.work, case)
    assert len(view_site(office.work, "S1").contacts) == 2
    assert len(purge_contacts(office.work, case)) == 2


def test_no_such_site(office: Office) -> None:
    """With the command that adds some."""
    with pytest.raises(HeadframeError, match="headframe sites import"):
        view_site(office.work, "Q")
