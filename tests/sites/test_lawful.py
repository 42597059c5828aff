"""The look-up among lawful mining: what covers a site, for how long, for how much power, and what it says in words."""

import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.records.case import LookUpLawful, LookupOutcome
from headframe.records.finding import Interval
from headframe.records.lawful import LawfulEntry, LawfulKind
from headframe.records.site import SourceRow
from headframe.sites.lawful import look_up
from tests.sites.naive_lawful import naive_outcome


def ns(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def entry(number: str, start: str = "", end: str = "", **more: Any) -> LawfulEntry:
    return LawfulEntry(
        entry_id=number,
        kind=LawfulKind.LICENCE,
        register=more.pop("register", "fns"),
        valid_from_ns=ns(start) if start else None,
        valid_until_ns=ns(end) if end else None,
        source=SourceRow("register.csv", 2),
        **more,
    )


def ask(*entries: LawfulEntry, **more: Any) -> LookUpLawful:
    question: dict[str, Any] = {
        "site_id": "A",
        "organisation_id": "ACME",
        "usage_points": ("U1", "U2"),
        "from_ns": ns("2026-03-01"),
        "until_ns": ns("2026-04-01"),
        "power_w": Interval(8e5, 1e6, 1.2e6),
        "register_states": {"fns": ns("2026-03-30")},
    }
    return look_up(entries, **{**question, **more})


@pytest.mark.parametrize(
    ("entries", "outcome", "says"),
    [
        ([], "not_listed", "No entry names the site"),
        ([entry("1", site_id="A")], "listed", "Covered for the whole period, 2026-03-01 to 2026-03-31: fns 1"),
        ([entry("1", organisation_id="ACME")], "listed", "licence for organisation ACME"),
        ([entry("1", site_id="B")], "not_listed", "No entry names"),
        ([entry("1", site_id="A", organisation_id="Other")], "not_listed", "No entry names"),
        ([entry("1", "2026-03-01", "2026-04-01", site_id="A")], "listed", "2026-03-01 to 2026-03-31"),
        ([entry("1", "2026-03-02", site_id="A")], "partly", "only 2026-03-02 to 2026-03-31 is covered"),
        ([entry("1", "", "2026-03-31", site_id="A")], "partly", "only 2026-03-01 to 2026-03-30 is covered"),
        (
            [entry("1", "", "2026-03-15", site_id="A"), entry("2", "2026-03-15", organisation_id="ACME")],
            "listed",
            "fns 1 (licence for site A, to 2026-03-14",
        ),
        (
            [entry("1", "", "2026-03-10", site_id="A"), entry("2", "2026-03-12", site_id="A")],
            "partly",
            "only 2026-03-01 to 2026-03-09, 2026-03-12 to 2026-03-31 is covered",
        ),
        ([entry("1", "2025-01-01", "2026-03-01", site_id="A")], "expired", "entries ended before it: fns 1"),
        ([entry("1", "2026-04-01", site_id="A")], "not_listed", "entries begin after it: fns 1"),
        (
            [entry("1", "", "2026-03-01", site_id="A"), entry("2", "2026-05-01", site_id="A")],
            "expired",
            "Entries that begin later: fns 2",
        ),
        ([entry("1", usage_point="U1"), entry("2", usage_point="U2")], "listed", "usage point U2"),
        ([entry("1", usage_point="U1")], "partly", "usage points without any entry: U2"),
        (
            [entry("1", site_id="A", usage_point="U9")],
            "not_listed",
            "For other usage points, and so not for this: fns 1",
        ),
        ([entry("1", site_id="A", power_limit_w=1.5e6)], "listed", "the lowest limit is 1.5 MW"),
        ([entry("1", site_id="A", power_limit_w=9e5)], "listed", "the estimate lies above a limit of 900 kW"),
        (
            [entry("1", site_id="A", power_limit_w=5e5)],
            "partly",
            "Covered in time, 2026-03-01 to 2026-03-31, but not for the power",
        ),
        (
            [entry("1", site_id="A", power_limit_w=5e5), entry("2", site_id="A", power_limit_w=5e5)],
            "partly",
            "whether limits of several entries add up is for a person to say",
        ),
        ([entry("1", site_id="A", power_limit_w=5e5), entry("2", site_id="A")], "listed", "fns 2"),
    ],
)
def test_what_covers_and_what_does_not(entries: list[LawfulEntry], outcome: str, says: str) -> None:
    """One row for each rule of the page, with the words that a person reads."""
    answer = ask(*entries)
    assert answer.outcome == outcome, answer.explanation
    assert says in answer.explanation
    assert answer.registers == ("fns as of 2026-03-30",)


def test_entries_are_named_by_register_and_number() -> None:
    """Those that speak of the period; if none does, those that made the answer; with their rows in the words."""
    answer = ask(entry("1", site_id="A"), entry("2", "", "2020-01-01", site_id="A"), entry("3", site_id="B"))
    assert answer.entries == ("fns#1",)
    assert "register.csv row 2" in answer.explanation
    assert ask(entry("2", "", "2020-01-01", site_id="A")).entries == ("fns#2",)


def test_without_a_register_nothing_was_looked_up() -> None:
    """It is not the same as not being in one."""
    answer = ask(register_states={})
    assert answer.outcome is LookupOutcome.NOT_LISTED
    assert answer.registers == ()
    assert "No register of lawful mining has been imported" in answer.explanation


def test_an_old_state_is_told() -> None:
    """With its name, its day and the limit, from the day of the question."""
    states = {"fns": ns("2026-03-30"), "campus": ns("2026-01-01")}
    answer = ask(entry("1", site_id="A"), register_states=states, now_ns=ns("2026-04-10"))
    assert answer.registers == ("campus as of 2026-01-01", "fns as of 2026-03-30")
    assert "The state of campus (2026-01-01) is more than 30 days old" in answer.explanation
    assert "days old" not in ask(register_states=states, now_ns=ns("2026-04-10"), stale_days=100).explanation
    assert "days old" in ask(register_states=states, now_ns=ns("2026-04-10"), stale_days=98).explanation
    exactly = ask(register_states={"fns": ns("2026-03-30")}, now_ns=ns("2026-04-29"))
    assert "days old" not in exactly.explanation


def test_an_entry_of_a_register_without_a_state() -> None:
    """It counts, and that its state is not known is said."""
    answer = ask(entry("1", site_id="A", register="paper"))
    assert answer.registers == ("fns as of 2026-03-30", "paper, state unknown")


def test_without_usage_points_single_ones_cover_a_part_at_most() -> None:
    """A finding of the network alone: an entry for one of the site's meters may be meant, or may not."""
    answer = ask(entry("1", site_id="A", usage_point="U1"), usage_points=())
    assert answer.outcome is LookupOutcome.PARTLY
    assert "at which of them it was seen is not known" in answer.explanation
    assert ask(entry("1", site_id="A", usage_point="U1"), entry("2", site_id="A"), usage_points=()).outcome == "listed"
    assert ask(entry("1", usage_point="U1"), usage_points=()).outcome == "not_listed"


def test_power_that_is_not_known_is_not_held_against_anybody() -> None:
    """The limit is told, and that it was not tested."""
    answer = ask(entry("1", site_id="A", power_limit_w=5e5), power_w=None)
    assert answer.outcome is LookupOutcome.LISTED
    assert "the limit of 500 kW was not tested" in answer.explanation


def test_days_are_said_in_the_zone() -> None:
    """The period of a case begins when clocks there say so."""
    answer = ask(entry("1", site_id="A"), from_ns=ns("2026-02-28T16:00:00"), zone=ZoneInfo("Asia/Shanghai"))
    assert "2026-03-01 to 2026-04-01" in answer.explanation


def test_an_empty_period_is_refused() -> None:
    """No answer of it would be right."""
    with pytest.raises(ValueError, match="is empty"):
        ask(from_ns=5, until_ns=5)


times = st.none() | st.integers(0, 12)


@st.composite
def lawful_entries(draw: st.DrawFn) -> LawfulEntry:
    start, end = draw(times), draw(times)
    if start is not None and end is not None and start >= end:
        start, end = end, start + 1
    return LawfulEntry(
        entry_id=draw(st.sampled_from("12345")),
        kind=draw(st.sampled_from(LawfulKind)),
        register="r",
        site_id=draw(st.sampled_from(["", "A", "B"])),
        organisation_id=draw(st.sampled_from(["", "O", "P"])),
        usage_point=draw(st.sampled_from(["", "", "U1", "U2", "U3"])),
        power_limit_w=draw(st.sampled_from([None, 1.0, 2.0])),
        valid_from_ns=start,
        valid_until_ns=end,
        source=SourceRow("r.csv", 2),
    )


@settings(max_examples=200)
@given(
    st.lists(lawful_entries(), max_size=7),
    st.sampled_from(["", "A"]),
    st.sampled_from(["", "O"]),
    st.lists(st.sampled_from(["U1", "U2"]), unique=True),
    st.integers(0, 6),
    st.integers(1, 6),
    st.sampled_from([None, Interval(0.5, 1.0, 3.0), Interval(1.5, 2.5, 3.0), Interval(2.5, 3.0, 4.0)]),
)
def test_the_sweep_agrees_with_every_instant(
    entries: list[LawfulEntry],
    site_id: str,
    organisation_id: str,
    points: list[str],
    start: int,
    length: int,
    power_w: Interval | None,
) -> None:
    """The same as looking at each nanosecond, for each usage point and each entry; whatever their order."""
    question: dict[str, Any] = {
        "site_id": site_id,
        "organisation_id": organisation_id,
        "usage_points": points,
        "from_ns": start,
        "until_ns": start + length,
        "power_w": power_w,
        "register_states": {},
    }
    answer = look_up(entries, **question)
    expected = naive_outcome(entries, site_id, organisation_id, points, start, start + length, power_w)
    assert answer.outcome == expected
    assert look_up(reversed(entries), **question).outcome == expected
    assert look_up([*entries, *entries], **question).outcome == expected, "an entry that stands twice changes nothing"


@given(st.lists(lawful_entries(), max_size=6), lawful_entries(), st.integers(0, 6), st.integers(1, 6))
def test_more_entries_never_cover_less(entries: list[LawfulEntry], more: LawfulEntry, start: int, length: int) -> None:
    """A register that grows cannot make a lawful site unlawful."""
    order = ["not_listed", "expired", "partly", "listed"]
    question: dict[str, Any] = {
        "site_id": "A",
        "organisation_id": "O",
        "usage_points": ["U1"],
        "from_ns": start,
        "until_ns": start + length,
        "power_w": Interval(1.5, 2.0, 3.0),
        "register_states": {},
    }
    before, after = look_up(entries, **question).outcome, look_up([*entries, more], **question).outcome
    assert order.index(after) >= order.index(before)


def test_the_cost_is_linear() -> None:
    """Ten times the entries and usage points take about ten times as long; thirty would be a loop in a loop."""

    def cost_s(n: int) -> float:
        entries = [entry(str(i), "2026-01-01", "2027-01-01", usage_point=f"U{i}") for i in range(n)]
        points = tuple(f"U{i}" for i in range(n))
        started = time.process_time()
        assert ask(*entries, usage_points=points).outcome == "listed"
        return time.process_time() - started

    cost_s(100)
    small = min(cost_s(2_000) for _ in range(3))
    assert cost_s(20_000) < 30 * max(small, 0.005)
