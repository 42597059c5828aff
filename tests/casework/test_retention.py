"""What goes of a workspace and what stays: appeals, texts of packs, papers, the register; and who comes meanwhile."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from headframe.casework import open_workspace, retention
from headframe.casework.holdings import NoSuchCase
from headframe.casework.periodic import write_period_report
from headframe.errors import HeadframeError
from headframe.records import case as acts
from headframe.records.case import Account, Duty
from headframe.records.policy import PartyStanding
from headframe.records.retention import DataClass, DestructionCertificate
from headframe.stores.database import retention as stored
from headframe.stores.database.tables import DISCLOSURES, HOLDS, REGISTER_ENTRIES, SEARCH_WORDS
from headframe.stores.documents import DocumentStore
from tests.casework.office import DAY_NS, Office, accepted
from tests.casework.test_sites import CONTACTS, bring, keys_of

ADMIN = Account(name="admin", unit="Changping", duties=frozenset({Duty.ADMINISTER}))
OTHER = Account(name="admin2", unit="Changping", duties=frozenset({Duty.ADMINISTER}))
OURS = """format: "1.0"
id: my-beijing
version: {version}.0.0
title: {{en: My rules}}
jurisdiction: {{country: CN, level: subnational, inherits: [cn-bj-2024], time_zone: Asia/Shanghai, calendar: CN}}
data:
- {{field: case, data_class: case, purpose: file, personal: possible, ref: "bj24#18", retention_days: {cases},
   retention_basis: policy, retention_ref: "bj24#18"}}
- {{field: document, data_class: document, purpose: file, personal: possible, ref: "bj24#18",
   retention_days: {documents}, retention_basis: policy, retention_ref: "bj24#18"}}
- {{field: finding, data_class: finding, purpose: file, personal: possible, ref: "bj24#18",
   retention_days: 2000, retention_basis: policy, retention_ref: "bj24#18"}}
provenance: {{compiled: "2026-11", legal_review: none, gaps: [none]}}
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "workspace")
    yield office
    office.work.close()


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """An office on each of the two databases."""
    office = Office(tmp_path / "workspace", database_url=database_url)
    yield office
    office.work.close()


def own_pack(office: Office, *, version: int = 1, cases: int = 30, documents: int = 30) -> Path:
    file = office.work.paths.packs / "my.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(OURS.format(version=version, cases=cases, documents=documents))
    office.reopen()
    return file


def under(office: Office, pack_id: str) -> str:
    office.find("192.0.2.7")
    return accepted(office.work.open_case(office.account("officer"), "S1", pack_id)).case.case_id


def dismissed(office: Office, case_id: str, *, reply: bool = False) -> str:
    """Close a case as no mining, without a letter."""
    office.classify(case_id, PartyStanding.NOT_MINING)
    if reply:
        received = office.clock.at_ns - 1
        paper = office.paper("reply", "It is a heater.")
        office.do("officer", case_id, acts.RecordReply(
            received_ns=received, stance="contests", text="a heater", document=paper,
        ))  # fmt: skip
    office.propose(case_id, acts.ProposeDecision(
        outcome=acts.DecisionOutcome.DISMISSED, legal_basis=("bj24#18",), reason="a heater",
        heard_reply="weighed" if reply else "",
    ))  # fmt: skip
    office.clock.wait(hours=1)
    office.propose(case_id, acts.ProposeClosure(reason=acts.ClosureReason.DISMISSED, text="no mining"))
    return case_id


def confirmed(office: Office, case_id: str) -> str:
    """Bring a case up to a decision against the party that it was served."""
    office.classify(case_id)
    office.inspect(case_id)
    office.clock.wait(hours=1)
    office.notify(case_id)
    shown = (office.work.store.documents(case_id)[0].ref.sha256,)
    office.do("officer", case_id, acts.GrantAccess(given_ns=office.clock.at_ns, documents=shown))
    office.clock.wait(days=20)
    received = office.clock.at_ns - 10**9
    office.do("officer", case_id, acts.RecordReply(received_ns=received, stance="contests", text="no", document=None))
    office.work.look_up(office.account("officer"), case_id)
    office.decide(case_id)
    return case_id


def rectified(office: Office, case_id: str) -> str:
    """Close a case that was confirmed, after a remedy that was measured."""
    office.clock.wait(days=1)
    office.do("officer", case_id, acts.RecordRemedy(
        at_ns=office.clock.at_ns - 10**9, grade=acts.RemedyGrade.B, text="removed",
        documents=(office.paper("remedy_proof"),),
    ))  # fmt: skip
    office.clock.wait(days=32)
    office.do("verifier", case_id, acts.Verify(measurement=office.measurement()))
    office.propose(case_id, acts.ProposeClosure(reason=acts.ClosureReason.RECTIFIED, text="over"))
    return case_id


def due(office: Office) -> set[str]:
    return {one.item.data_class.value for one in retention.plan(office.work).goes}


def destroy(office: Office) -> DestructionCertificate:
    return retention.run(office.work, ADMIN, OTHER, retention.plan(office.work))


def kept(office: Office) -> list[bytes]:
    return [office.work.documents.read(sha256) for sha256 in office.work.documents.digests()]


def table(office: Office, wanted: Any) -> list[Any]:
    with office.work.store.reading() as db:
        return list(db.execute(wanted).all())


def test_nothing_of_a_case_counts_while_the_party_may_appeal(office: Office) -> None:
    """Neither it, nor its papers, nor the address to write to; then its days count from the end of that time."""
    own_pack(office, cases=30, documents=30)
    bring(office, contacts=CONTACTS)
    case_id = rectified(office, confirmed(office, under(office, "my-beijing")))
    assert len(keys_of(office)) == 3, "the closure leaves the address, for the party may appeal yet"
    ends = [clock.due_ns for clock in office.work.clocks_of(office.work.case(case_id)) if clock.id.startswith("appeal")]
    over = max(end for end in ends if end is not None)
    assert over > office.clock.at_ns + 100 * DAY_NS
    office.clock.wait(days=31)
    assert due(office) == set()
    office.clock.at_ns = over - 60 * 10**9
    assert due(office) == set()
    appeal = acts.FileAppeal(received_ns=office.clock.at_ns - 1, body="court", grounds="wrong")
    office.do("officer", case_id, appeal)
    office.clock.wait(days=1_000)
    assert due(office) == set(), "nobody has judged it yet"


def test_after_the_time_to_appeal_it_goes(office: Office) -> None:
    """The address at once, the case and its papers by their own days."""
    own_pack(office, cases=30, documents=40)
    bring(office, contacts=CONTACTS)
    case_id = rectified(office, confirmed(office, under(office, "my-beijing")))
    ends = [clock.due_ns for clock in office.work.clocks_of(office.work.case(case_id)) if clock.id.startswith("appeal")]
    office.clock.at_ns = max(end for end in ends if end is not None)
    assert due(office) == {"contact"}
    destroy(office)
    assert len(keys_of(office)) == 1
    office.clock.wait(days=30)
    assert due(office) == {"case"}
    office.clock.wait(days=10)
    assert due(office) == {"case", "document"}


def test_the_text_that_a_case_was_opened_under_says_how_long(office: Office) -> None:
    """A later text of the pack, or none, changes nothing; where the text is lost everything stays, and that is said."""
    file = own_pack(office, cases=3_650, documents=3_650)
    case_id = dismissed(office, under(office, "my-beijing"))
    own_pack(office, version=2, cases=30, documents=30)
    office.clock.wait(days=40)
    assert due(office) == set()
    file.unlink()
    office.reopen()
    office.clock.wait(days=1_826)
    assert due(office) <= {"finding"}, "our own 1825 days are not the rule of this case"
    (place,) = (office.work.paths.packs / "kept").iterdir()
    hidden = place.rename(office.folder / "aside")
    office.clock.wait(days=2_000)
    office.reopen()
    plan = retention.plan(office.work)
    assert {one.item.data_class for one in plan.goes} <= {DataClass.DRAFT}
    told = {one.why for one in plan.stays if one.item.item_id == case_id}
    assert all("that its case was opened under is lost" in why for why in told)
    assert told
    assert any("nothing of its cases goes" in remark for remark in retention.law(office.work).remarks)
    hidden.rename(place)
    office.reopen()
    assert {"case", "document"} <= due(office)


def test_papers_outlive_their_case_and_go_in_their_own_time(office: Office) -> None:
    """A pack that keeps documents for longer than cases; the text of the pack still decides when the case is gone."""
    file = own_pack(office, cases=30, documents=90)
    dismissed(office, under(office, "my-beijing"), reply=True)
    office.clock.wait(days=40)
    assert due(office) == {"case"}
    destroy(office)
    file.unlink()
    office.reopen()
    assert due(office) == set()
    office.clock.wait(days=51)
    assert due(office) == {"document"}
    assert destroy(office).failed == ()
    assert not any(b"heater" in one for one in kept(office))
    office.clock.wait(days=1_900)
    assert "finding" not in due(office), "our own 730 days are not the rule of a finding of this case"
    office.clock.wait(days=10)
    destroy(office)
    assert table(office, text("SELECT * FROM findings")) == []
    assert table(office, text("SELECT * FROM case_findings")) == []


def test_what_went_with_a_closure_is_told_as_long_as_the_case(office: Office) -> None:
    """Which keys of addresses were destroyed then."""
    bring(office, contacts=CONTACTS)
    office.find("192.0.2.7")
    dismissed(office, office.open())
    assert len(keys_of(office)) == 1
    assert len(table(office, text("SELECT * FROM disclosures WHERE leaf_id LIKE 'retention/contacts-%'"))) == 3
    office.clock.wait(days=1_826)
    destroy(office)
    assert table(office, text("SELECT * FROM disclosures WHERE leaf_id LIKE 'retention/contacts-%'")) == []


def test_an_appeal_fills_no_entry_that_was_emptied(office: Office) -> None:
    """An expired entry says nothing again, whatever comes on its case."""
    office.find("192.0.2.7")
    case_id = confirmed(office, office.open())
    office.clock.wait(days=300)
    office.do("chief", case_id, acts.DeclareFinal(reason="no appeal"))
    (entry,) = office.work.register_entries()
    office.clock.at_ns = entry.expires_ns or 0
    destroy(office)
    office.do("officer", case_id, acts.FileAppeal(received_ns=office.clock.at_ns - 1, body="court", grounds="late"))
    (row,) = table(office, select(REGISTER_ENTRIES))
    assert (row.outcome, row.appeal) == (None, "none")


def test_a_paper_that_could_not_be_deleted_is_due_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its case has gone meanwhile."""
    office.find("192.0.2.7")
    dismissed(office, office.open(), reply=True)
    office.clock.wait(days=1_826)
    whole, asked = DocumentStore.destroy, []

    def not_the_first(store: DocumentStore, sha256: str) -> bool:
        asked.append(sha256)
        if len(asked) == 1:
            raise OSError(5, "Input/output error")
        return whole(store, sha256)

    monkeypatch.setattr(DocumentStore, "destroy", not_the_first)
    certificate = destroy(office)
    assert len(certificate.failed) == 1
    plan = retention.plan(office.work)
    assert [one.item.item_id for one in plan.goes] == [certificate.failed[0].split()[1].rstrip(":")]
    destroy(office)
    assert due(office) == set()


def test_a_paper_that_nothing_names_goes_by_its_age(office: Office) -> None:
    """Of an act that was refused, for example; whoever hands it in again has it anew, and a hold keeps it."""
    office.find("192.0.2.7")
    case_id = office.open()
    paper = office.paper("reply", "I am ill.")
    named = office.paper("other", "named by the case")
    reply = acts.RecordReply(received_ns=office.clock.at_ns + 10**15, stance="contests", text="see", document=paper)
    assert isinstance(office.work.perform(office.account("officer"), case_id, reply).answer, acts.Refused)
    office.do("officer", case_id, acts.RecordRemedy(
        at_ns=office.clock.at_ns - 1, grade=acts.RemedyGrade.C, text="off", documents=(named,),
    ))  # fmt: skip
    unfinished = office.work.documents.folder / ".new-killed"
    unfinished.write_bytes(b"half of it")
    for path in (office.work.documents.path_of(paper.sha256), unfinished):
        os.utime(path, ns=(office.clock.at_ns, office.clock.at_ns))
    office.clock.wait(days=29)
    assert due(office) == set()
    office.clock.wait(days=2)
    assert [one.item.item_id for one in retention.plan(office.work).goes] == [paper.sha256]
    hold = retention.place_hold(office.work, ADMIN, "court file 12")
    assert due(office) == set()
    retention.lift_hold(office.work, ADMIN, hold, "decided")
    plan = retention.plan(office.work)
    office.paper("reply", "I am ill.")
    certificate = retention.run(office.work, ADMIN, OTHER, plan)
    assert "must stay now" in certificate.failed[0]
    assert not unfinished.exists()
    place = office.work.documents.path_of(paper.sha256)
    os.utime(place, ns=(office.clock.at_ns, office.clock.at_ns))
    office.clock.wait(days=31)
    assert destroy(office).failed == ()
    assert not place.exists()
    assert office.work.documents.read(named.sha256)


def test_a_paper_that_was_swept_meanwhile_is_asked_for_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """No case names a document that is not there."""
    office.find("192.0.2.7")
    case_id = office.open()
    paper = office.paper("other", "a paper")
    writing = office.work.store.writing

    def swept(**options: bool) -> Any:
        office.work.documents.destroy(paper.sha256)
        return writing(**options)

    monkeypatch.setattr(office.work.store, "writing", swept)
    remedy = acts.RecordRemedy(at_ns=office.clock.at_ns - 1, grade=acts.RemedyGrade.C, text="off", documents=(paper,))
    with pytest.raises(HeadframeError, match="was destroyed by retention meanwhile"):
        office.do("officer", case_id, remedy)
    assert len(office.work.store.events(case_id)) == 2


def test_reports_of_a_period_go_too(office: Office) -> None:
    """With the file, and with what the log disclosed of it; 1825 days after their writing."""
    under(office, "cn-national-1283")
    refs = write_period_report(office.work, "cn-national-1283", "2026-W18", duty="weekly-ledger")
    office.clock.wait(days=1_824)
    assert "report" not in due(office)
    office.clock.wait(days=2)
    assert "report" in due(office)
    destroy(office)
    assert all(ref.sha256 not in office.work.documents for ref in refs)
    leaves = office.work.store.leaves(leaf_ids=[f"document/{ref.sha256}" for ref in refs])
    assert [leaf.disclosures for leaf in leaves] == [(), ()]


def test_reasons_of_holds_and_imports_of_sites_go_with_their_time(office: Office) -> None:
    """From the lifting of the hold, and from the import; a hold that is in force keeps its reason."""
    bring(office, contacts=CONTACTS)
    lifted = retention.place_hold(office.work, ADMIN, "MARK one sues")
    retention.lift_hold(office.work, ADMIN, lifted, "MARK over")
    office.clock.wait(days=1_826)
    assert "access" in due(office)
    in_force = retention.place_hold(office.work, ADMIN, "MARK two sues")
    assert due(office) == set(), "the hold keeps everything"
    with office.work.store.writing() as writer:
        writer.lift_hold(in_force, "admin", office.clock.at_ns)
        writer.place_hold("H-case", "HF-2026-000001", "MARK three sues", "admin", office.clock.at_ns)
    destroy(office)
    shown = "".join(row.value for row in table(office, select(DISCLOSURES)))
    assert "MARK one" not in shown
    assert "MARK over" not in shown
    assert "MARK two" in shown
    assert "contacts.csv" not in shown
    assert {row.hold_id for row in table(office, select(HOLDS))} == {in_force, "H-case"}


def test_an_expired_entry_of_the_register_is_emptied(either: Office) -> None:
    """It is found by no name from its expiry on, and says nothing from the next run on; a hold on its case keeps it."""
    office = either
    office.find("192.0.2.7")
    case_id = confirmed(office, office.open())
    office.clock.wait(days=300)
    office.do("chief", case_id, acts.DeclareFinal(reason="no appeal"))
    (entry,) = office.work.register_entries(text="Foundry")
    assert entry.expires_ns is not None
    office.clock.at_ns = entry.expires_ns
    assert office.work.register_entries(text="Foundry", expired=True) == ()
    assert office.work.register_entries(organisation_id="O1", expired=True) == ()
    assert [one.removal_reason for one in office.work.register_entries(text=entry.entry_id, expired=True)] == [
        "expired"
    ]
    office.do("chief", case_id, acts.PlaceHold(reason="court file 12"))
    assert "register" not in due(office)
    office.do("chief", case_id, acts.LiftHold(reason="decided"))
    assert "register" in due(office)
    destroy(office)
    (row,) = table(office, select(REGISTER_ENTRIES))
    assert (row.organisation_id, row.site_id, row.outcome, row.legal_basis) == ("", "", None, "[]")
    words = {row.word for row in table(office, select(SEARCH_WORDS).where(SEARCH_WORDS.c.kind == "register"))}
    assert words == {entry.entry_id.casefold(), case_id.casefold()}
    assert "register" not in due(office)
    assert [one.removal_reason for one in office.work.register_entries(expired=True)] == ["expired"]


def test_the_files_are_written_anew_though_nothing_is_due(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was cut off is done by the next run; the certificate's page says that it was not."""
    office.find("192.0.2.7")
    dismissed(office, office.open())
    office.clock.wait(days=1_900)

    def cut_off(_store: object) -> None:
        raise HeadframeError("another program reads the database")

    with monkeypatch.context() as patched:
        patched.setattr(stored, "compact", cut_off)
        certificate = destroy(office)
    assert certificate.in_files == "another program reads the database"
    page = office.work.documents.read(retention.write_certificate(office.work, certificate, ADMIN, OTHER)[1].sha256)
    assert b"may still hold what was destroyed" in page
    assert retention.plan(office.work).goes == ()
    assert retention.left_in_files(office.work) == (certificate.certificate_id,)
    assert retention.finish(office.work, ADMIN) == (certificate.certificate_id,)
    assert retention.left_in_files(office.work) == ()


def while_destroying(office: Office, monkeypatch: pytest.MonkeyPatch, act: Callable[[Any], object]) -> Any:
    """Run a purge, and have another program act in the middle of it; what became of both."""
    other = open_workspace(office.folder, now_ns=office.clock)
    said: list[object] = []

    def run() -> None:
        try:
            said.append(act(other))
        except HeadframeError as fault:
            said.append(fault)

    thread = threading.Thread(target=run)
    outside = stored._destroy_outside

    def slow(*what: Any) -> None:
        if not thread.ident:
            thread.start()
            thread.join(1.0)
            assert thread.is_alive(), "it waits until the purge has ended"
        outside(*what)

    monkeypatch.setattr(stored, "_destroy_outside", slow)
    certificate = destroy(office)
    thread.join(30)
    other.close()
    assert not thread.is_alive()
    return certificate, said[0], other


@pytest.mark.parametrize("what", ["hold", "paper"])
def test_who_comes_while_a_purge_runs_hears_that_it_is_gone(
    either: Office, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A hold on the case, or a paper of the party, is never accepted and then destroyed."""
    either.find("192.0.2.7")
    case_id = dismissed(either, either.open())
    either.clock.wait(days=1_900)
    act: acts.Act = acts.PlaceHold(reason="court order")
    if what == "paper":
        act = acts.RecordReply(received_ns=either.clock.at_ns - 1, stance="contests", text="new", document=None)
    name = "chief" if what == "hold" else "officer"
    certificate, said, _ = while_destroying(
        either, monkeypatch, lambda other: other.perform(either.account(name), case_id, act)
    )
    assert certificate.failed == ()
    assert isinstance(said, NoSuchCase)
    assert "was destroyed when its time was over" in str(said)
    assert table(either, text("SELECT count(*) FROM case_events"))[0][0] == 0


def test_a_hold_of_everything_that_had_to_wait_says_so(either: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds what is left, and whoever ordered it hears what is not."""
    either.find("192.0.2.7")
    dismissed(either, either.open())
    either.clock.wait(days=1_900)
    certificate, said, other = while_destroying(
        either, monkeypatch, lambda other: retention.place_hold(other, OTHER, "court order")
    )
    assert str(said).startswith("H-")
    (caution,) = other.cautions
    assert certificate.certificate_id in caution


def test_a_recurrence_outlives_the_case_that_it_recurs_from(office: Office) -> None:
    """The old case is destroyed when its time is over; the new one takes findings all the same, and recurs itself."""
    own_pack(office)
    old = dismissed(office, under(office, "my-beijing"))

    def found(days: int, **options: Any) -> str:
        office.clock.wait(days=days)
        started = office.clock.at_ns - DAY_NS
        office.find("192.0.2.7", f"{days}.jsonl", started_ns=started, ended_ns=started + DAY_NS // 2)
        if not options:
            return ""
        done = office.work.open_case(office.account("officer"), "S1", "my-beijing", **options)
        return accepted(done).case.case_id

    new = found(200, recurrence_of=old)
    while "case" not in due(office):
        office.clock.wait(days=200)
    destroy(office)
    with pytest.raises(NoSuchCase):
        office.work.case(old)
    found(5)
    accepted(office.work.add_findings(office.account("officer"), new))
    dismissed(office, new)
    again = found(6, recurrence_of=new)
    assert [other for other, _ in office.work.case(again).links] == [new]
