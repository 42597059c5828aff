"""A clock that stood wrong for a moment ends nobody's time."""

from headframe.records import case as acts
from tests.casework.office import DAY_NS, HOUR_NS, Office, refused


def test_an_act_under_a_wrong_clock_ends_no_time(office: Office) -> None:
    """A dead battery sets a machine twenty years ahead for one act; an hour after the notice nobody was silent."""
    case = office.open()
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    other = office.open(finding_ids=_later(office))
    right_ns = office.clock.at_ns
    office.clock.at_ns += 20 * 365 * DAY_NS
    office.do("screener", case, acts.LinkCase(case_id=other, relation=acts.CaseRelation.SAME_OPERATOR))
    office.clock.at_ns = right_ns + HOUR_NS
    silence = acts.ProposeDecision(
        outcome=acts.DecisionOutcome.CONFIRMED, legal_basis=("bj24#18",), reason="the party was silent"
    )
    reasons = refused(office.work.perform(office.account("officer"), case, silence))
    assert any("before the last event" in one and "no time is judged before it has passed" in one for one in reasons)
    assert any("has time until" in one for one in reasons)


def test_clocks_of_two_machines_differ_by_a_little(office: Office) -> None:
    """Who acts a minute after another by a clock that is two minutes behind acts after it all the same."""
    case = office.open()
    office.clock.at_ns -= 120_000_000_000
    office.classify(case)
    times = [event.at_ns for event in office.work.case(case).events]
    assert times == sorted(times)


def test_no_case_is_opened_in_the_future(office: Office) -> None:
    """A recorder stood at 2046: what it saw is left alone, and what others saw carries the case."""
    ahead = _later(office, 20 * 365)
    case = office.open()
    assert case.startswith("HF-2026-")
    assert not {one.finding_id for one in office.work.case(case).findings} & set(ahead)
    reasons = refused(office.work.open_case(office.account("officer"), "S1", "cn-bj-2024", finding_ids=ahead))
    assert any(f"the end of finding {ahead[0]}" in one for one in reasons)


def _later(office: Office, days: int = 5) -> list[str]:
    """Findings of some days later; gives their ids."""
    known = {one.ref.finding_id for one in office.work.store.all_findings()}
    started_ns = 1_776_700_000_000_000_000 + days * DAY_NS
    office.find("192.0.2.9", f"{days}.jsonl", started_ns=started_ns, ended_ns=started_ns + HOUR_NS)
    return sorted({one.ref.finding_id for one in office.work.store.all_findings()} - known)
