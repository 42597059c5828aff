"""Documents that leave the workspace, periodic reports, and what is destroyed in the end."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cases_to_report import events_of

from headframe.casework import retention
from headframe.casework.keys import pseudonyms_of
from headframe.casework.periodic import (
    counted_by,
    counts_of_period,
    least_cell,
    period_bounds,
    period_ends,
    write_period_report,
)
from headframe.errors import HeadframeError, NotAllowed
from headframe.records import case as acts
from headframe.records.case import Account, Duty
from headframe.records.finding import Interval
from headframe.records.policy import PartyStanding
from headframe.reports.funnel import case_facts
from headframe.reports.ledger_figures import given_by_operator
from tests.casework.office import PACK, Office, sealed_events


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


@pytest.mark.parametrize(
    "text",
    [
        "2026", "2026-W54", "2026-13", "last week", "9999-12", "9999-W52", "0001-01", "0001-W01",
        "\N{FULLWIDTH DIGIT TWO}026-01",
    ],
)  # fmt: skip
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


def test_counts_are_published_once(office: Office) -> None:
    """Of a period that is over, and by months where the pack owes a report by months: else two reports would tell what
    each of them leaves out. A ledger is written all the same, and says where the counts are.
    """
    office.open()
    page = page_of(office, "2026-W18")
    assert "Counts of these cases are published by months" in page
    assert "Cases by step" not in page
    assert "Dismissed share" not in page
    office.clock.wait(days=40)
    with pytest.raises(HeadframeError, match="published by months"):
        write_period_report(office.work, PACK, "2026-W18", account=office.account("officer"))
    with pytest.raises(HeadframeError, match="not over"):
        write_period_report(office.work, PACK, "2026-06", account=office.account("officer"))
    refs = write_period_report(office.work, PACK, "2026-05", account=office.account("officer"))
    page = office.work.documents.read(refs[1].sha256).decode()
    assert "Cases by step" in page
    assert "Cases that came and went" in page
    with pytest.raises(HeadframeError, match="published by weeks"):
        write_period_report(office.work, "cn-national-1283", "2026-05", account=office.account("officer"))


def test_what_one_report_leaves_out_the_next_does_not_tell(office: Office) -> None:
    """In the second week one case is opened, dismissed and closed; no week, and no two of them, say so."""
    pack = office.work.pack("cn-national-1283")
    assert (counted_by(pack), least_cell(pack)) == ("week", 5)
    kinds = [
        (12, acts.DecisionOutcome.CONFIRMED, -7, 7, False), (8, acts.DecisionOutcome.CONFIRMED, -6, 7, False),
        (6, acts.DecisionOutcome.DISMISSED, -6, 7, True), (1, acts.DecisionOutcome.DISMISSED, 8, 0, True),
        (9, None, 9, 0, False), (15, None, 16, 0, False),
    ]  # fmt: skip
    every = [kind for kind in kinds for _ in range(kind[0])]
    events = [
        event
        for number, (_, outcome, day, waits, closed) in enumerate(every, 1)
        for event in events_of(number, outcome, day=day, waits=waits, closed=closed)
    ]
    told = {}
    for week in ("2026-W45", "2026-W46", "2026-W47"):
        from_ns, until_ns = period_bounds(week, pack)
        facts = list(case_facts(events, from_ns=from_ns, until_ns=until_ns))
        told[week] = counts_of_period(facts, from_ns, until_ns, pack)
    assert [one["flow"] for one in told.values()] == [
        {"opened": "0", "opened_again": "0", "closed": "6"},
        {"opened": "10", "opened_again": "0", "closed": "*"},
        {"opened": "15", "opened_again": "0", "closed": "0"},
    ]
    assert [one["dismissed"][0][1] for one in told.values()] == ["6 of 26"] * 3
    # Each case is in the funnel of one report only, so no two of them share a figure.
    assert [one["funnels"][0].rows[-1][1] for one in told.values()] == ["0", "10", "15"]


def test_the_ends_of_periods_are_those_of_the_pack(office: Office) -> None:
    """Weeks or months in its zone, without a gap."""
    for name, periods in (
        ("cn-national-1283", ["2026-W53", "2027-W01", "2027-W02"]), (PACK, ["2026-12", "2027-01", "2027-02"]),
    ):  # fmt: skip
        pack = office.work.pack(name)
        bounds = [period_bounds(period, pack) for period in periods]
        assert period_ends(bounds[0][0] + 1, bounds[-1][1], pack) == [end for _, end in bounds]


def page_of(office: Office, period: str, **options: Any) -> str:
    """The page of a weekly ledger."""
    refs = write_period_report(
        office.work, PACK, period, duty="weekly-ledger", account=office.account("officer"), **options
    )
    return office.work.documents.read(refs[1].sha256).decode()


def confirmed(office: Office) -> str:
    """Opened in W18, noticed, and confirmed in W23 of 2026."""
    case = office.open()
    office.classify(case)
    office.notify(case)
    office.clock.wait(days=35)
    office.work.look_up(office.account("officer"), case)
    office.inspect(case)
    office.show(case)
    office.reply(case)
    office.decide(case)
    return case


def test_a_weekly_ledger_tells_the_state_at_the_end_of_its_week(office: Office) -> None:
    """The same when it is written late; a week that is not over says so, one that has not begun is refused."""
    case = confirmed(office)
    (early, week, now) = (page_of(office, period) for period in ("2026-W18", "2026-W20", "2026-W23"))
    for page in (early, week):
        assert "at the end of the period, as recorded by then" in page
        assert "The period is not over" not in page
        assert case in page
        assert "(not decided)" in page
        assert "Foundry Ltd" not in page, "nobody was decided upon by then"
    assert "notice served" in early
    assert "notice served" not in week
    assert "This period is not over: it ends on" in now
    assert "Foundry Ltd" in now
    with pytest.raises(HeadframeError, match="begins on 2026-06-08; there is nothing to report of it yet"):
        page_of(office, "2026-W24")
    with pytest.raises(HeadframeError, match="begins on 2026-12-01"):
        page_of(office, "2026-12")
    office.clock.wait(days=100)
    assert page_of(office, "2026-W18").count(case) == early.count(case)
    assert "This period is not over" not in page_of(office, "2026-W23")


def test_a_number_of_an_operator_stands_in_the_ledger_as_given(office: Office) -> None:
    """With its source; one that would stand nowhere is refused, not left out."""
    case = confirmed(office)
    own = given_by_operator("scale", Interval(18e3, 20e3, 22e3), "inspection of 2026-05-30, nameplates")
    page = page_of(office, "2026-W23", given={case: [own]})
    assert "20 kW (18 to 22), given" in page
    assert "who has it from: inspection of 2026-05-30, nameplates" in page
    for period, given in (("2026-W18", {case: [own]}), ("2026-W23", {"HF-2026-000009": [own]})):
        with pytest.raises(HeadframeError, match="shows no such figure"):
            page_of(office, period, given=given)


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


def test_where_nothing_is_due_nothing_is_certified(office: Office) -> None:
    """A certificate of nothing would stand in the ledger for good."""
    office.open()
    one, other = (Account(name=name, unit="drc", duties=frozenset({Duty.ADMINISTER})) for name in ("a1", "a2"))
    size = office.work.ledger.size
    with pytest.raises(HeadframeError, match="nothing is due"):
        retention.run(office.work, one, other, retention.plan(office.work))
    assert retention.certificates(office.work) == ()
    assert office.work.ledger.size == size


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
    (_paper, page) = office.work.write_document(case, acts.DocumentKind.INFORMATION_LETTER, language="en")
    assert "raining" in office.work.documents.read(page.ref.sha256).decode()
    refs = write_period_report(office.work, PACK, "2026-W18", duty="weekly-ledger", account=office.account("officer"))
    assert "raining" in office.work.documents.read(refs[1].sha256).decode()
