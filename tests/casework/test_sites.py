"""The registry of a workspace: imported whole or not at all, its addresses sealed, purged when no case needs them."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from headframe.assess import RegistryFiles
from headframe.cases.store import CaseFilter, FindingFilter
from headframe.casework import open_workspace
from headframe.casework.retention import lift_hold, place_hold
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
from headframe.records import case as acts
from headframe.records.case import Account, Case, Duty, LookupOutcome, PlaceHold, Stage
from headframe.records.finding import Role
from headframe.records.lawful import Contact
from headframe.records.policy import PartyStanding
from headframe.reports.jsonl import finding_lines
from headframe.stores.database.tables import CASES
from headframe.stores.database.writer import Writer
from headframe.stores.key_files import KeyGone
from headframe.stores.sealing import NoReason
from tests.casework.office import DAY_NS, PACK, Office, refused
from tests.sites.test_assessment import finding
from tests.sources.test_finding_rows import USAGE_POINT

ADMIN = Account(name="admin", unit="Changping", duties=frozenset({Duty.ADMINISTER}))
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
    """A case that is closed, as far as lists and retention see; its addresses are there still."""
    now = office.work.now_ns()
    with office.work.store.writing() as writer:
        change = update(CASES).where(CASES.c.case_id == case_id)
        writer.db.execute(change.values(stage="closed", closed_ns=now, counts_from_ns=now))
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
    other = replace(office.work.case(case_id), stage=Stage.CLOSED, case_id="HF-2026-000099")
    assert purge_contacts(office.work, other) == ()
    assert len(keys_of(office)) == 3
    closed(office, case_id)
    assert len(purge_contacts(office.work, other)) == 2


def test_a_hold_of_everything_keeps_contacts(office: Office) -> None:
    """From a closure, and from an import that would put others in their place; new ones may come."""
    bring(office, contacts=CONTACTS)
    office.find("192.0.2.7")
    case = closed(office, office.open("S1"))
    hold = place_hold(office.work, ADMIN, "court file 12")
    keys = keys_of(office)
    assert purge_contacts(office.work, case) == ()
    with pytest.raises(HeadframeError, match=r"legal hold is on everything \(court file 12\).*nothing was imported"):
        bring(office, contacts=CONTACTS)
    assert keys_of(office) == keys
    assert len(view_site(office.work, "S1").contacts) == 2
    bring(office, contacts=f"role,site,organisation,address\nlegal,,O2,{SECRET} d\n")
    lift_hold(office.work, ADMIN, hold, "decided")
    bring(office, contacts=CONTACTS)
    assert keys & keys_of(office) == set()
    assert len(purge_contacts(office.work, case)) == 2


def test_a_hold_on_a_case_keeps_its_contacts_from_an_import(office: Office) -> None:
    """Of its site and its organisation; other rows come in."""
    bring(office, contacts=CONTACTS)
    office.find("192.0.2.7")
    case_id = office.open("S1")
    office.do("chief", case_id, PlaceHold(reason="court file 13"))
    keys = keys_of(office)
    for row in ("legal,S1,,elsewhere", "billing,,O1,elsewhere"):
        with pytest.raises(HeadframeError, match=f"legal hold is on case {case_id}"):
            bring(office, contacts=f"role,site,organisation,address\n{row}\n")
    assert keys_of(office) == keys
    bring(office, contacts="role,site,organisation,address\nfacility,S2,,elsewhere\n")
    assert len(keys_of(office) - keys) == 1


def test_a_case_that_is_opened_while_contacts_go_waits(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What needs an address is looked up in the transaction that destroys it, and nobody opens a case meanwhile."""
    office = Office(tmp_path / "workspace", database_url=database_url)
    bring(office, contacts=CONTACTS)
    office.find("192.0.2.7")
    case = closed(office, office.open("S1"))
    office.find("192.0.2.9", name="more.jsonl")
    other = open_workspace(office.folder, now_ns=office.clock)
    opening = threading.Thread(target=lambda: other.open_case(office.account("officer"), "S1", PACK))
    unneeded = Writer.unneeded_contacts

    def slow(writer: Writer, *what: str) -> tuple[Contact, ...]:
        found = unneeded(writer, *what)
        opening.start()
        opening.join(1.0)
        assert opening.is_alive()
        return found

    monkeypatch.setattr(Writer, "unneeded_contacts", slow)
    assert len(purge_contacts(office.work, case)) == 2
    opening.join(30)
    assert len(office.work.store.cases(CaseFilter(site_id="S1")).rows) == 2
    other.close()
    office.work.close()


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


HALLS = (
    "site,name,prefix,valid_from\nS7,Hall,198.51.100.0/24,\nS7,,203.0.113.0/24,2026-03-01\nS8,Yard,198.51.101.0/24,\n"
)
MOVED = "site,name,prefix,valid_from\nS7,Hall,198.51.100.0/24,\nS9,New,203.0.113.0/24,2026-05-01\n"


def valid_until(office: Office, site_id: str) -> dict[str, int | None]:
    return {one.value: one.valid_until_ns for one in office.work.store.assignments(site_id)}


def test_a_table_of_some_sites_ends_nothing(office: Office) -> None:
    """What it does not say any more of its own sites stays valid, and is counted; other sites are not spoken of."""
    bring(office, HALLS)
    done = bring(office, MOVED)
    assert [one for one in done.remarks if "stored assignments" in one] == [
        "1 stored assignments of sites in the files are not in the files; they stay valid. If the files are the whole "
        "table of sites, import them with --whole-sites"
    ]
    assert (done.ended_sites, done.ended_assignments) == (0, 0)
    assert valid_until(office, "S7") == {"198.51.100.0/24": None, "203.0.113.0/24": None}
    assert "ended_assignments" not in disclosed(office, done.import_id)


def test_the_whole_table_ends_what_it_does_not_hold(office: Office) -> None:
    """Sites and assignments, at the time of the import; the past stays, the ledger knows, and a row brings it back."""
    bring(office, HALLS)
    office.clock.wait(days=10)
    done = bring(office, MOVED, whole_sites=True)
    # S1 and S2 of the office are not in the table either, with three assignments.
    assert (done.ended_sites, done.ended_assignments) == (3, 5)
    ended = valid_until(office, "S7")["203.0.113.0/24"]
    assert ended is not None
    assert abs(ended - office.clock.at_ns) < DAY_NS
    assert valid_until(office, "S7")["198.51.100.0/24"] is None
    yard = office.work.store.site("S8")
    assert yard is not None
    assert yard.valid_until_ns == ended
    assert {key: disclosed(office, done.import_id)[key] for key in ("ended_sites", "ended_assignments", "gone_ns")} == {
        "ended_sites": 3, "ended_assignments": 5, "gone_ns": str(ended),
    }  # fmt: skip
    again = bring(office, MOVED, whole_sites=True)
    assert (again.ended_sites, again.ended_assignments) == (0, 0), "it ends once"
    bring(office, HALLS)
    assert valid_until(office, "S7")["203.0.113.0/24"] is None


def test_what_was_never_true_is_corrected_by_an_early_end(office: Office) -> None:
    """An assignment that began after it is over was never there, and leads nowhere; the row stays to be seen."""
    bring(office, HALLS)
    office.find("203.0.113.9")
    assert sites_of(office, "203.0.113.9") == {"S7"}
    done = bring(
        office, MOVED.replace("2026-05-01", "2026-03-01"), whole_sites=True, gone_since_ns=1_735_689_600_000_000_000
    )
    assert sites_of(office, "203.0.113.9") == {"S9"}
    assert done.findings is not None
    assert (done.findings.found, done.findings.moved, done.findings.lost) == (0, 2, 0)
    (row,) = (one for one in office.work.store.assignments("S7") if one.value == "203.0.113.0/24")
    assert row.valid_from_ns == row.valid_until_ns


@pytest.mark.parametrize(
    ("sites", "lawful", "option", "words"),
    [
        (HALLS + "S9,X,nonsense,\n", "", "whole_sites", r"sites\.csv row 5 .*--whole-sites what this row says would"),
        ("site,name\n", "", "whole_sites", "every stored site would end"),
        ("", LAWFUL + "L3,fns,,,,\nL4,fns,,,,\n", "whole_registers", "these 2 rows say would end"),
    ],
)
def test_half_a_table_is_not_the_whole(office: Office, sites: str, lawful: str, option: str, words: str) -> None:
    """A row that cannot be used would end what it says: a lawful site would look unlawful."""
    bring(office, HALLS, LAWFUL)
    before = len(subjects(office, "sites"))
    with pytest.raises(HeadframeError, match=words):
        bring(office, sites, lawful, **{option: True})
    assert len(subjects(office, "sites")) == before
    assert set(valid_until(office, "S8").values()) == {None}


def sites_of(office: Office, subject: str) -> set[str]:
    return {one.site_id for one in office.work.store.findings(FindingFilter(subject=subject), limit=500).rows}


def disclosed(office: Office, subject: str, kind: str = "sites") -> dict[str, Any]:
    (leaf,) = office.work.store.leaves(leaf_ids=[f"{kind}/{subject}"])
    return {one.name: one.value for one in leaf.disclosures}


def test_findings_that_came_before_their_site_get_it(office: Office) -> None:
    """As one act that the ledger knows, with its count; nothing is done where nothing changes."""
    office.find("198.51.100.7")
    assert sites_of(office, "198.51.100.7") == {""}
    before = len(subjects(office, "findings"))
    done = bring(office, HALLS)
    again = done.findings
    assert again is not None
    assert (again.looked_at, again.found, again.moved, again.lost, again.by_logs) == (2, 2, 0, 0, 0)
    assert sites_of(office, "198.51.100.7") == {"S7"}
    assert disclosed(office, f"{done.import_id}/resolved", "findings") == {
        "account": "screener", "sites_import": done.import_id, "found": 2, "moved": 0, "lost": 0,
    }  # fmt: skip
    assert len(subjects(office, "findings")) == before + 1
    assert office.open("S7"), "and a case can rest on them"
    second = bring(office, HALLS).findings
    assert second is not None
    assert second.changed == 0
    assert len(subjects(office, "findings")) == before + 1


def test_findings_whose_address_went_to_another_site_follow(office: Office) -> None:
    """Two tables that say two things of one address at one time leave its findings without a site."""
    bring(office, HALLS)
    office.find("198.51.100.7")
    again = bring(office, "site,prefix\nS9,198.51.100.0/25\n").findings
    assert again is not None
    assert (again.found, again.moved, again.lost) == (0, 2, 0)
    again = bring(office, "site,prefix\nS8,198.51.100.0/25\n").findings
    assert again is not None
    assert (again.found, again.moved, again.lost) == (0, 0, 2)
    assert sites_of(office, "198.51.100.7") == {""}


def test_tables_of_one_name_and_instant_are_all_imported(office: Office) -> None:
    """The clock of a training stands still; each import is named, and so is what followed from it."""
    office.work.now_ns = lambda: 1_800_000_000_000_000_000  # type: ignore[method-assign]
    office.find("198.51.100.7")
    done = [bring(office, table) for table in (HALLS, "site,prefix\nS9,198.51.100.0/25\n", HALLS)]
    first = done[0].import_id
    assert [one.import_id for one in done] == [first, f"{first}-2", f"{first}-3"]
    assert sites_of(office, "198.51.100.7") == {"S9"}
    assert disclosed(office, f"{first}-2/resolved", "findings")["moved"] == 2


def test_a_table_that_comes_while_findings_do_decides_on_them(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever imports the table cannot see findings that are written after; whoever imports those looks again."""
    from headframe.casework import core

    bring(office, HALLS)
    importing = core.import_file
    tables = iter(("site,prefix\nS9,198.51.100.0/25\n", None, None))

    def import_file(*args: Any, **named: Any) -> Any:
        if table := next(tables):
            bring(office, table)
        return importing(*args, **named)

    monkeypatch.setattr(core, "import_file", import_file)
    paths = [write(office, f"{host}.jsonl", _lines(f"198.51.100.{host}")) for host in (7, 8)]
    first, second = office.work.import_findings(paths, account=office.account("screener"))
    assert (first.moved, second.moved) == (1, 0)
    assert sites_of(office, "198.51.100.7") == sites_of(office, "198.51.100.8") == {"S9"}
    assert second.resolved == 1, "by the table of now"


def test_an_import_of_findings_that_breaks_off_is_of_the_new_table_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its first parts brought is there; to import the file again would not look at it."""
    from headframe.casework import core

    bring(office, HALLS)
    importing = core.import_file

    def import_file(*args: Any, **named: Any) -> Any:
        importing(*args, **named)
        bring(office, "site,prefix\nS9,198.51.100.0/25\n")
        with office.work.store.writing() as writer:
            ids = [one.ref.finding_id for one in office.work.store.findings(FindingFilter()).rows]
            writer.assign_findings((one, "S9", "S7") for one in ids)  # as if written after that table was gone through
        raise HeadframeError("cut off")

    monkeypatch.setattr(core, "import_file", import_file)
    with pytest.raises(HeadframeError, match="cut off"):
        office.work.import_findings([write(office, "f.jsonl", _lines("198.51.100.7"))])
    assert sites_of(office, "198.51.100.7") == {"S9"}


def _lines(host: str) -> str:
    return "".join(finding_lines([finding(host, role=Role.MINER)]))


def test_findings_in_cases_stay_as_they_are(office: Office) -> None:
    """People have decided on them as they were."""
    bring(office, HALLS)
    office.find("198.51.100.7")
    case_id = office.open("S7")
    office.find("198.51.100.7", "later.jsonl", started_ns=1_776_690_000_000_000_000)
    again = bring(office, "site,prefix\nS9,198.51.100.0/25\n").findings
    assert again is not None
    assert again.looked_at == again.moved == 2
    rested = {ref.finding_id for ref in office.work.case(case_id).findings}
    rows = office.work.store.findings(FindingFilter(subject="198.51.100.7")).rows
    assert {one.site_id for one in rows if one.ref.finding_id in rested} == {"S7"}
    assert {one.site_id for one in rows if one.ref.finding_id not in rested} == {"S9"}


def test_findings_that_were_put_down_to_the_wrong_site_go_with_the_case_that_is_split(office: Office) -> None:
    """The table gave their address to the wrong site; the case there is closed, and one on the right site has them."""
    bring(office, HALLS)
    office.find("198.51.100.7")
    case = office.open("S7")
    ids = [one.finding_id for one in office.work.case(case).findings]
    office.classify(case, PartyStanding.UNDETERMINED)
    office.decide(case, acts.DecisionOutcome.UNDETERMINED)
    office.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.UNDETERMINED, text="the address was another's"))
    split: dict[str, Any] = {"finding_ids": ids, "split_from": case, "reason": "the table was wrong"}
    with pytest.raises(HeadframeError, match=f"finding {ids[0]} is of site S7, and the case is about S8"):
        office.open("S8", **split)
    bring(office, "site,prefix\nS9,198.51.100.0/25\n")
    assert sites_of(office, "198.51.100.7") == {"S7"}, "a table alone moves nothing of a case"
    with pytest.raises(HeadframeError, match="is of site S7, and the case is about S9"):
        office.open("S9", finding_ids=ids)
    new = office.open("S9", **split)
    assert sites_of(office, "198.51.100.7") == {"S9"}
    assert disclosed(office, f"{new}/resolved", "findings") == {
        "account": "officer", "case": new, "found": 0, "moved": 2, "lost": 0,
    }  # fmt: skip
    assert office.work.case(case).site_id == "S7"
    assert [one.finding_id for one in office.work.case(case).findings] == ids
    assert len(office.work._findings_in(office.work.case(case))) == 2


def test_a_split_that_is_refused_moves_no_finding(office: Office) -> None:
    """While the old case is open nothing of it goes anywhere."""
    bring(office, HALLS)
    office.find("198.51.100.7")
    case = office.open("S7")
    bring(office, "site,prefix\nS9,198.51.100.0/25\n")
    ids = [one.finding_id for one in office.work.case(case).findings]
    done = office.work.open_case(
        office.account("officer"), "S9", PACK, finding_ids=ids, split_from=case, reason="the table was wrong"
    )
    assert "which is open; a finding speaks in one case" in refused(done)[0]
    assert sites_of(office, "198.51.100.7") == {"S7"}


def test_findings_that_leases_decided_on_are_left_alone(office: Office) -> None:
    """Without the leases the owner of a pool would be taken for the user; with them, a second import settles."""
    leases = office.folder.parent / "dhcpd.leases"
    leases.write_text(
        "lease 203.0.113.7 {\n  starts 1 2026/04/20 00:00:00;\n  ends 6 2026/05/30 00:00:00;\n"
        '  binding state active;\n  option agent.circuit-id "ge-0/0/1";\n}\n'
    )
    path = office.folder.parent / "leased.jsonl"
    path.write_text("".join(finding_lines([finding("203.0.113.7", role=Role.MINER)])))
    logs = RegistryFiles(sites=(), leases=(leases,))
    (told,) = office.work.import_findings([path], logs=logs)
    assert told.resolved == 0
    pool = "site,prefix,circuit\nISP,203.0.113.0/24,\nS9,,ge-0/0/1\n"
    again = bring(office, pool).findings
    assert again is not None
    assert (again.looked_at, again.by_logs) == (0, 1)
    assert sites_of(office, "203.0.113.7") == {""}
    (told,) = office.work.import_findings([path], logs=logs, account=office.account("screener"))
    assert (told.new, told.settled, told.resolved) == (0, 1, 1)
    assert sites_of(office, "203.0.113.7") == {"S9"}
    assert len([one for one in subjects(office, "findings") if one.startswith(told.import_id)]) == 2


def test_meters_and_networks_are_resolved_again_as_they_were_imported(office: Office) -> None:
    """A usage point by its own assignment; a private address in the network that the import named."""
    path = office.folder.parent / "m.jsonl"
    path.write_text(json.dumps({**USAGE_POINT, "usage_point": "UP-9", "site": None}) + "\n")
    office.work.import_findings([path])
    private = office.folder.parent / "p.jsonl"
    private.write_text("".join(finding_lines([finding("10.1.2.3", role=Role.MINER)])))
    office.work.import_findings([private], realm="east")
    assert sites_of(office, "UP-9") | sites_of(office, "10.1.2.3") == {""}
    bring(office, "site,prefix,usage_point,realm\nS7,10.1.0.0/16,,west\nS8,10.1.0.0/16,,east\nS9,,UP-9,\n")
    assert sites_of(office, "UP-9") == {"S9"}
    assert sites_of(office, "10.1.2.3") == {"S8"}


def test_the_same_answer_as_an_import_gives(office: Office) -> None:
    """Whichever came first, the table or the findings: every finding has the same site in the end."""
    hosts = ["198.51.100.7", "203.0.113.9", "192.0.2.9", "192.0.2.200", "8.8.8.8", "2001:db8::1"]
    path = office.folder.parent / "all.jsonl"
    path.write_text("".join(finding_lines([finding(host, role=Role.MINER) for host in hosts])))
    office.work.import_findings([path])
    table = HALLS + "S9,,2001:db8::/32,\n"
    bring(office, table)
    first = {host: sites_of(office, host) for host in hosts}
    other = Office(office.folder.parent / "other")
    bring(other, table)
    other.work.import_findings([path])
    assert {host: sites_of(other, host) for host in hosts} == first
    assert first["2001:db8::1"] == {"S9"}


def test_no_such_site(office: Office) -> None:
    """With the command that adds some."""
    with pytest.raises(HeadframeError, match="headframe sites import"):
        view_site(office.work, "Q")


def test_open_cases_hear_that_their_site_lost_an_address(office: Office) -> None:
    """Without a case, nothing is said; and nothing ends in the future."""
    whole = "site,name,prefix\nS3,Shaft,198.51.100.0/24\n"
    with pytest.raises(HeadframeError, match="ended in the future"):
        bring(office, whole, whole_sites=True, gone_since_ns=office.work.now_ns() + DAY_NS)
    office.find("192.0.2.9")
    case = office.open()
    site = office.work.case(case).site_id
    told = [text for text in bring(office, whole, whole_sites=True).remarks if case in text]
    assert len(told) == 1
    assert f"is open at site {site}" in told[0]
    assert not any(case in text for text in bring(office, whole, whole_sites=True).remarks)
