"""Documents that leave the workspace, periodic reports, and what is destroyed in the end."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headframe.casework import retention
from headframe.casework.keys import pseudonyms_of
from headframe.casework.periodic import period_bounds, write_period_report
from headframe.errors import HeadframeError, NotAllowed
from headframe.records import case as acts
from headframe.records.case import Account, Duty
from headframe.records.policy import PartyStanding
from tests.casework.office import PACK, Office, sealed_events


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A workspace with two findings on a host of site S1."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    return office


def test_a_name_from_outside_leads_out_of_no_folder(office: Office, tmp_path: Path) -> None:
    """Only its last part is used, and no file is replaced by other bytes."""
    for name in ("../../evil.txt", "..\\evil.txt", "/etc/evil.txt"):
        ref = office.work.keep_bytes(b"x", name, "text/plain", "other")
        (path,) = office.work.copy_out([ref], tmp_path / "out")
        assert path == tmp_path / "out" / "evil.txt"
    other = office.work.keep_bytes(b"y", "evil.txt", "text/plain", "other")
    with pytest.raises(HeadframeError, match="is there already, with other bytes"):
        office.work.copy_out([other], tmp_path / "out")
    assert (tmp_path / "out" / "evil.txt").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-W47", "2026-11-15T16:00", "2026-11-22T16:00"),
        ("2026-11", "2026-10-31T16:00", "2026-11-30T16:00"),
        ("2026-12", "2026-11-30T16:00", "2026-12-31T16:00"),
    ],
)
def test_a_period_begins_in_the_packs_zone(office: Office, text: str, first: str, last: str) -> None:
    """Beijing's Monday begins on Sunday at 16:00 UTC."""
    bounds = period_bounds(text, office.work.pack(PACK))
    assert [f"{datetime.fromtimestamp(at // 10**9, tz=UTC):%Y-%m-%dT%H:%M}" for at in bounds] == [first, last]


@pytest.mark.parametrize("text", ["2026", "2026-W54", "2026-13", "last week"])
def test_what_is_no_period_is_refused(office: Office, text: str) -> None:
    """With two that are."""
    with pytest.raises(HeadframeError, match="2026-W47"):
        period_bounds(text, office.work.pack(PACK))


def test_a_weekly_report_is_kept_and_logged(office: Office) -> None:
    """PDF and HTML, by the pack's duty; an unknown duty is refused with those that there are."""
    office.open()
    size = office.work.ledger.size
    refs = write_period_report(office.work, PACK, "2026-W18", duty="weekly-ledger", account=office.account("officer"))
    assert [ref.media_type for ref in refs] == ["application/pdf", "text/html"]
    assert office.work.documents.read(refs[0].sha256).startswith(b"%PDF-")
    assert office.work.ledger.size == size + 2
    with pytest.raises(HeadframeError, match=r"it has .*weekly-ledger"):
        write_period_report(office.work, PACK, "2026-W18", duty="daily")


def test_two_administrators_destroy_what_is_due_and_the_ledger_holds(office: Office) -> None:
    """A case that is over long enough goes with its documents; the log is whole, and says nothing of it any more."""
    case = office.open()
    office.classify(case, PartyStanding.NOT_MINING)
    office.decide(case, acts.DecisionOutcome.DISMISSED)
    office.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.DISMISSED, text="another cause"))
    documents = {kept.ref.sha256 for kept in office.work.store.documents(case)}
    assert retention.plan(office.work).goes == ()
    office.clock.wait(days=12 * 365)
    due = retention.plan(office.work)
    assert due.goes
    one, other = (Account(name=name, unit="drc", duties=frozenset({Duty.ADMINISTER})) for name in ("a1", "a2"))
    with pytest.raises(HeadframeError, match="two accounts"):
        retention.run(office.work, one, one, due)
    with pytest.raises(NotAllowed, match="needs the duty administer"):
        retention.run(office.work, one, office.account("chief"), due)
    certificate = retention.run(office.work, one, other, due)
    assert not certificate.failed
    assert office.work.store.events(case) == ()
    assert not any(sha256 in office.work.documents for sha256 in documents)
    (told,) = retention.certificates(office.work)
    assert told["certificate"] == certificate.certificate_id
    paper, page = retention.write_certificate(office.work, certificate, one, other, language="zh")
    assert office.work.documents.read(paper.sha256).startswith(b"%PDF-")
    assert certificate.certificate_id.encode() in office.work.documents.read(page.sha256)
    (leaf,) = office.work.store.leaves(leaf_ids=[f"retention/{certificate.certificate_id}"])
    assert leaf.index is not None
    office.work.ledger.check_all()


def test_a_hold_keeps_everything(office: Office) -> None:
    """Of a case by an act on it, of the workspace by an administrator; the rule does not matter then."""
    office.open()
    admin = Account(name="a1", unit="drc", duties=frozenset({Duty.ADMINISTER}))
    hold = retention.place_hold(office.work, admin, "court file 12")
    office.clock.wait(days=12 * 365)
    held = retention.plan(office.work)
    assert held.goes == ()
    retention.lift_hold(office.work, admin, hold, "over")
    sealed_events(office.work)()


def test_keys_of_pseudonyms_go_when_their_time_is_over(office: Office) -> None:
    """Whose address it was cannot be asked then, by nobody; the certificate counts the key."""
    names = pseudonyms_of(office.work)
    name = names.pseudonym("address", "192.0.2.7", office.work.now_ns())
    office.clock.wait(days=6 * 365)
    due = retention.plan(office.work)
    assert "pseudonym_key" in {one.item.data_class.value for one in due.goes}
    one, other = (Account(name=n, unit="drc", duties=frozenset({Duty.ADMINISTER})) for n in ("a1", "a2"))
    certificate = retention.run(office.work, one, other, due)
    assert [each.count for each in certificate.classes if each.rule.data_class.value == "pseudonym_key"] == [1]
    assert not names.epochs()
    assert names.pseudonym("address", "192.0.2.7", office.work.now_ns()) != name


def test_papers_of_training_say_so(tmp_path: Path) -> None:
    """Every page of every document; nobody shall take one for a letter of an authority."""
    office = Office(tmp_path / "training", training=True)
    office.find("192.0.2.7")
    case = office.open()
    (_paper, page) = office.work.write_document(case, acts.DocumentKind.INFORMATION_LETTER)
    assert "raining" in office.work.documents.read(page.ref.sha256).decode()
    refs = write_period_report(office.work, PACK, "2026-W18", account=office.account("officer"))
    assert "raining" in office.work.documents.read(refs[1].sha256).decode()
