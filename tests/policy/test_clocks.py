"""One test per clock rule, against dates that were worked out by hand, and what holds for all."""

import dataclasses
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_cases import instant, make_case

from headframe.policy.calendars import calendar_of
from headframe.policy.clocks import clocks_of, due, merge_pauses, period_name
from headframe.records.policy import Basis, ClockState, Deadline, DeadlineUnit, Pack
from headframe.stores.packs import load_packs

PACKS = load_packs()
HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS


def period(n: float, unit: str, **more: object) -> Deadline:
    return Deadline(
        n=n,
        unit=DeadlineUnit(unit),
        start="notice_received",
        basis=Basis.OPERATOR_DEFAULT,
        **more,  # type: ignore[arg-type]
    )


def end(pack: str, n: float, unit: str, start: str, *, pauses: object = (), **more: object) -> str:
    """The last day of a period that began at a local time."""
    place = PACKS[pack]
    held = [(instant(a, place.time_zone), instant(b, place.time_zone)) for a, b in pauses]  # type: ignore[attr-defined]
    return due(period(n, unit, **more), instant(start, place.time_zone), place, held).due_day


CHINA, TEXAS, NORWAY, RUSSIA, MALAYSIA = "cn-national-1283", "us-tx-lfl", "no-dc", "ru-irk", "my-esa"


@pytest.mark.parametrize(
    ("start", "n", "last"),
    [
        # Wed 11, Thu 12, Fri 13, Sat 14 (worked), then off until Mon 23.
        ("2026-02-10T09:00", 4, "2026-02-14"),
        ("2026-02-10T09:00", 5, "2026-02-24"),
        # Begins within the festival: Tue 24 is the first day.
        ("2026-02-18T09:00", 1, "2026-02-24"),
        # Tue 24 to Fri 27 (4), Sat 28 is worked (5).
        ("2026-02-23T23:59", 5, "2026-02-28"),
        # National Day 2025: Sun 28 September worked; 1 to 8 October off; Sat 11 October worked.
        ("2025-09-27T12:00", 1, "2025-09-28"),
        ("2025-09-30T12:00", 3, "2025-10-11"),
        ("2025-09-30T12:00", 4, "2025-10-13"),
        # New Year 2026: 1 to 3 January off, Sun 4 January worked.
        ("2025-12-31T12:00", 1, "2026-01-04"),
    ],
)
def test_business_days_in_china(start: str, n: int, last: str) -> None:
    """Days off do not count, make-up working days do."""
    assert end(CHINA, n, "business_day", start) == last


@pytest.mark.parametrize(
    ("start", "n", "last"),
    [
        ("2026-11-25T12:00", 1, "2026-11-30"),  # Thanksgiving and the Friday after
        ("2026-12-23T12:00", 1, "2026-12-28"),  # 24 and 25 closed, 26 is a Saturday
        ("2026-12-31T12:00", 1, "2027-01-04"),  # over the year's end: Fri 1 January, weekend
        ("2026-07-02T12:00", 1, "2026-07-03"),  # 4 July is a Saturday and not moved
        ("2026-03-01T12:00", 1, "2026-03-02"),  # partial staffing
    ],
)
def test_business_days_in_texas(start: str, n: int, last: str) -> None:
    """Days on which state agencies are open."""
    assert end(TEXAS, n, "business_day", start) == last


def test_the_first_day_does_not_count_and_the_last_does_in_full() -> None:
    """One day from Monday 10:00 ends with Tuesday, also if it began at 00:00 or at 23:59."""
    for at in ("2026-03-02T00:00", "2026-03-02T10:00", "2026-03-02T23:59"):
        assert end(NORWAY, 1, "calendar_day", at) == "2026-03-03"
    clock = due(period(1, "calendar_day"), instant("2026-03-02T10:00", "Europe/Oslo"), PACKS[NORWAY])
    assert clock.due_ns == instant("2026-03-04T00:00", "Europe/Oslo")


def test_the_day_is_the_local_one() -> None:
    """20:00 UTC on Monday is Tuesday in Irkutsk."""
    irkutsk = PACKS[RUSSIA]
    assert due(period(1, "calendar_day"), instant("2026-03-02T20:00", "UTC"), irkutsk).due_day == "2026-03-04"


@pytest.mark.parametrize(
    ("pack", "start", "n", "ends_utc"),
    [
        (NORWAY, "2026-03-28T12:00", 1, "2026-03-29T22:00"),  # 29 March has 23 hours
        (NORWAY, "2026-10-24T12:00", 1, "2026-10-25T23:00"),  # 25 October has 25
        (TEXAS, "2026-03-07T12:00", 1, "2026-03-09T05:00"),  # 8 March has 23
        (TEXAS, "2026-10-31T12:00", 1, "2026-11-02T06:00"),  # 1 November has 25
    ],
)
def test_a_day_ends_at_local_midnight_when_clocks_change(pack: str, start: str, n: int, ends_utc: str) -> None:
    """A day of 23 or 25 hours is one day."""
    place = PACKS[pack]
    clock = due(period(n, "calendar_day"), instant(start, place.time_zone), place)
    assert clock.due_ns == instant(ends_utc, "UTC")


@pytest.mark.parametrize(
    ("zone", "start", "ends_utc"),
    [
        ("Asia/Beirut", "2026-03-27T12:00", "2026-03-28T22:00"),  # 29 March begins at 01:00
        ("America/Havana", "2026-10-31T12:00", "2026-11-02T05:00"),  # 1 November has midnight twice
    ],
)
def test_a_day_ends_where_clocks_change_at_midnight(zone: str, start: str, ends_utc: str) -> None:
    """Where there is no midnight, or two, the next day begins at its first instant."""
    place = dataclasses.replace(PACKS["campus-operator"], time_zone=zone)
    assert due(period(1, "calendar_day"), instant(start, zone), place).due_ns == instant(ends_utc, "UTC")


@pytest.mark.parametrize(("pack", "start"), [(NORWAY, "2026-03-28T20:00"), (TEXAS, "2026-10-31T20:00")])
def test_hours_are_hours_when_clocks_change(pack: str, start: str) -> None:
    """48 hours are 48 hours, whatever the clocks on the wall do."""
    place = PACKS[pack]
    begun = instant(start, place.time_zone)
    assert due(period(48, "hour"), begun, place).due_ns == begun + 48 * HOUR_NS


@pytest.mark.parametrize(
    ("start", "n", "last"),
    [
        ("2024-01-31T10:00", 1, "2024-02-29"),  # leap day
        ("2025-01-31T10:00", 1, "2025-02-28"),
        ("2024-02-29T10:00", 12, "2025-02-28"),
        ("2025-08-31T10:00", 6, "2026-02-28"),
        ("2026-11-30T10:00", 3, "2027-02-28"),  # over the year's end
        ("2026-10-15T10:00", 3, "2027-01-15"),
    ],
)
def test_months_end_on_the_same_day_or_the_last(start: str, n: int, last: str) -> None:
    """Civil Code 202, KAS 93.1."""
    assert end("campus-operator", n, "month", start) == last


def test_weeks_are_seven_days() -> None:
    """Over a leap day, too: 15 February 2024 and two weeks are 29 February."""
    assert end(NORWAY, 2, "week", "2024-02-15T10:00") == "2024-02-29"
    assert end(NORWAY, 3, "week", "2026-12-18T10:00") == "2027-01-08"


def test_the_end_moves_only_where_the_pack_says_so() -> None:
    """Thirty days after 17 April 2026 are Sunday 17 May."""
    assert end(NORWAY, 30, "calendar_day", "2026-04-17T10:00") == "2026-05-17"
    assert end(NORWAY, 30, "calendar_day", "2026-04-17T10:00", rolls=True) == "2026-05-18"
    # In China Saturday 14 February 2026 is worked, so nothing moves; Sunday 15 moves over the whole festival.
    assert end(CHINA, 4, "calendar_day", "2026-02-10T10:00", rolls=True) == "2026-02-14"
    assert end(CHINA, 5, "calendar_day", "2026-02-10T10:00", rolls=True) == "2026-02-24"
    # Saturday is no weekly holiday in Malaysia, Sunday is.
    assert end(MALAYSIA, 5, "calendar_day", "2026-04-06T10:00", rolls=True) == "2026-04-11"
    assert end(MALAYSIA, 6, "calendar_day", "2026-04-06T10:00", rolls=True) == "2026-04-13"


def test_the_explanation_says_how_the_date_came_about() -> None:
    """Days off, make-up days, pauses, what moved it and by what."""
    china = PACKS[CHINA]
    words = due(period(5, "business_day"), instant("2026-02-10T09:00", china.time_zone), china).explanation
    assert "2026-02-15 to 2026-02-23 (Spring Festival)" in words
    assert "make-up working days count: 2026-02-14" in words
    moved = due(
        period(5, "calendar_day", rolls=True, rolls_ref="cc2020#203"),
        instant("2026-02-10T09:00", china.time_zone),
        china,
    )
    assert "moves to 2026-02-24 by cc2020#203" in moved.explanation


def test_a_year_that_is_not_published_is_provisional() -> None:
    """The date is the best that can be said, and says so."""
    china = PACKS[CHINA]
    far = due(period(5, "business_day"), instant("2040-09-28T09:00", china.time_zone), china)
    assert far.provisional
    assert "provisional" in far.explanation
    assert far.due_day > "2040-10-03"
    assert not due(period(5, "calendar_day"), instant("2040-09-28T09:00", china.time_zone), china).provisional


# -- pauses and extensions


def test_every_day_that_a_pause_touches_does_not_count() -> None:
    """An hour of a day takes the day; a pause that ends at midnight leaves the next day alone."""
    touched = [("2026-03-03T15:00", "2026-03-03T16:00")]
    assert end(NORWAY, 5, "calendar_day", "2026-03-02T10:00", pauses=touched) == "2026-03-08"
    whole = [("2026-03-03T00:00", "2026-03-05T00:00")]
    assert end(NORWAY, 5, "calendar_day", "2026-03-02T10:00", pauses=whole) == "2026-03-09"
    assert end(NORWAY, 5, "business_day", "2026-03-02T10:00", pauses=whole) == "2026-03-11"
    assert end(NORWAY, 1, "month", "2026-03-02T10:00", pauses=whole) == "2026-04-04"


def test_a_pause_over_days_off_takes_working_days_only() -> None:
    """A pause over the Spring Festival alone changes nothing."""
    festival = [("2026-02-15T00:00", "2026-02-24T00:00")]
    assert end(CHINA, 5, "business_day", "2026-02-10T09:00", pauses=festival) == "2026-02-24"


def test_pauses_that_overlap_are_one() -> None:
    """Three reasons on the same days do not take three times the days."""
    three = [
        ("2026-03-03T09:00", "2026-03-04T09:00"),
        ("2026-03-03T12:00", "2026-03-04T18:00"),
        ("2026-03-04T18:00", "2026-03-04T20:00"),
    ]
    assert end(NORWAY, 5, "calendar_day", "2026-03-02T10:00", pauses=three) == "2026-03-09"
    assert merge_pauses([(5, 7), (1, 3), (3, 4), (6, None), (9, 10), (2, 2)]) == ((1, 4), (5, None))


def test_hours_stand_still_exactly_as_long_as_the_pause() -> None:
    """24 hours with a pause of 2.5 hours end 26.5 hours later."""
    norway = PACKS[NORWAY]
    begun = instant("2026-03-02T10:00", norway.time_zone)
    pause = (begun + 3 * HOUR_NS, begun + 3 * HOUR_NS + 5 * HOUR_NS // 2)
    assert due(period(24, "hour"), begun, norway, [pause]).due_ns == begun + 53 * HOUR_NS // 2
    before = (begun - 5 * HOUR_NS, begun + HOUR_NS)
    assert due(period(24, "hour"), begun, norway, [before]).due_ns == begun + 25 * HOUR_NS
    after = (begun + 24 * HOUR_NS, begun + 30 * HOUR_NS)
    assert due(period(24, "hour"), begun, norway, [after]).due_ns == begun + 24 * HOUR_NS


def test_a_pause_without_end_leaves_no_date() -> None:
    """Unless the period was over before it began."""
    norway = PACKS[NORWAY]
    begun = instant("2026-03-02T10:00", norway.time_zone)
    held = due(period(5, "calendar_day"), begun, norway, [(begun + DAY_NS, None)])
    assert (held.state, held.due_ns, held.due_day) == (ClockState.PAUSED, None, "")
    later = due(period(5, "calendar_day"), begun, norway, [(begun + 30 * DAY_NS, None)])
    assert later.due_day == "2026-03-07"


def test_what_does_not_pause_runs_on() -> None:
    """An appeal period of a law does not stand still because a unit says so."""
    norway = PACKS[NORWAY]
    begun = instant("2026-03-02T10:00", norway.time_zone)
    clock = due(period(5, "calendar_day", pauses=False), begun, norway, [(begun, None)])
    assert clock.due_day == "2026-03-07"
    assert "does not pause" in clock.explanation


def test_an_extension_gives_a_later_end_and_never_an_earlier_one() -> None:
    """The end that was granted holds to the instant."""
    norway = PACKS[NORWAY]
    begun = instant("2026-03-02T10:00", norway.time_zone)
    plain = due(period(5, "calendar_day"), begun, norway)
    longer = due(period(5, "calendar_day"), begun, norway, (), [begun + 9 * DAY_NS, begun + 7 * DAY_NS])
    assert longer.due_ns == begun + 9 * DAY_NS
    assert longer.due_day == "2026-03-11"
    assert due(period(5, "calendar_day"), begun, norway, (), [begun + DAY_NS]).due_ns == plain.due_ns


# -- what holds for all

START_NS = st.integers(instant("2023-01-01T00:00", "UTC"), instant("2028-01-01T00:00", "UTC"))
PERIOD = st.builds(
    period,
    st.integers(1, 60).map(float),
    st.sampled_from([unit.value for unit in DeadlineUnit]),
    rolls=st.booleans(),
)
PLACE = st.sampled_from(sorted(PACKS)).map(lambda name: PACKS[name])
PAUSES = st.lists(
    st.tuples(st.integers(-5 * 24, 60 * 24), st.integers(0, 10 * 24)).map(
        lambda pair: (pair[0] * HOUR_NS, (pair[0] + pair[1]) * HOUR_NS)
    ),
    max_size=4,
)


def short(deadline: Deadline) -> Deadline:
    """Months and weeks of a size that a test can walk."""
    if deadline.unit in {DeadlineUnit.MONTH, DeadlineUnit.WEEK}:
        return dataclasses.replace(deadline, n=float(deadline.n % 8 + 1))
    return deadline


@settings(max_examples=150, deadline=None)
@given(PERIOD.map(short), START_NS, PLACE, PAUSES, PAUSES)
def test_more_pause_never_brings_an_earlier_end(
    deadline: Deadline, start_ns: int, pack: Pack, some: list[tuple[int, int]], more: list[tuple[int, int]]
) -> None:
    """For every unit, calendar and zone."""
    few = [(start_ns + a, start_ns + b) for a, b in some]
    many = few + [(start_ns + a, start_ns + b) for a, b in more]
    one, other = due(deadline, start_ns, pack, few).due_ns, due(deadline, start_ns, pack, many).due_ns
    assert one is not None
    assert other is not None
    assert start_ns < one <= other


@settings(max_examples=150, deadline=None)
@given(PERIOD.map(short), START_NS, st.integers(0, 40 * 24 * 3600), PLACE, PAUSES)
def test_a_later_start_never_brings_an_earlier_end(
    deadline: Deadline, start_ns: int, later_s: int, pack: Pack, pauses: list[tuple[int, int]]
) -> None:
    """Who is told later has time at least as long.

    A month is as long as the calendar makes it: two months from 28 December with three days of pause end on 2 March,
    and from 31 December on 29 February. Of months with a pause that is at most three days.
    """
    held = [(start_ns + a, start_ns + b) for a, b in pauses]
    one = due(deadline, start_ns, pack, held).due_ns
    other = due(deadline, start_ns + later_s * 1_000_000_000, pack, held).due_ns
    assert one is not None
    assert other is not None
    differs_ns = 3 * 86_400_000_000_000 if pauses and deadline.unit is DeadlineUnit.MONTH else 0
    assert one <= other + differs_ns


@settings(max_examples=100, deadline=None)
@given(PERIOD.map(short), START_NS, PLACE)
def test_one_unit_more_is_later(deadline: Deadline, start_ns: int, pack: Pack) -> None:
    """And what rolls ends on a day on which it may end; business days end on working days."""
    one = due(deadline, start_ns, pack)
    other = due(dataclasses.replace(deadline, n=deadline.n + 1), start_ns, pack)
    assert one.due_ns is not None
    assert other.due_ns is not None
    assert one.due_ns <= other.due_ns
    if not deadline.rolls:
        assert one.due_ns < other.due_ns
    calendar = calendar_of(pack.calendar)
    if deadline.unit is DeadlineUnit.BUSINESS_DAY:
        assert calendar.is_working(date.fromisoformat(one.due_day))
    elif deadline.rolls and deadline.unit is not DeadlineUnit.HOUR:
        assert not calendar.rolls_over(date.fromisoformat(one.due_day))


# -- the clocks of a case


def clocks(pack: str, now: str, **values: object) -> dict[str, object]:
    place = PACKS[pack]
    case = make_case(values, place)
    return {clock.id: clock for clock in clocks_of(case, place, instant(now, place.time_zone))}


def test_a_reply_stops_its_clock_and_a_question_does_not() -> None:
    """Asking for time or for the file is no answer; an answer that comes late leaves the time over."""
    notice = [{"received": "2026-03-02T10:00"}]
    asked = [{"received": "2026-03-03T10:00", "stance": "asks_time"}]
    answered = [*asked, {"received": "2026-03-09T10:00", "stance": "contests"}]
    late = [{"received": "2026-03-24T10:00", "stance": "contests"}]
    state = lambda now, replies: clocks(NORWAY, now, notices=notice, replies=replies)["reply"].state  # type: ignore[attr-defined]  # noqa: E731
    assert state("2026-03-10T00:00", asked) is ClockState.RUNNING
    assert state("2026-03-10T00:00", answered) is ClockState.STOPPED
    assert state("2026-03-24T00:00", answered) is ClockState.STOPPED
    assert state("2026-03-23T23:59", ()) is ClockState.RUNNING
    assert state("2026-03-24T00:00", ()) is ClockState.OVER
    assert state("2026-03-25T00:00", late) is ClockState.OVER


def test_letters_that_hold_nothing_against_anybody_start_no_clock() -> None:
    """The period to reply runs from a notice; information and help ask for nothing."""
    for kind in ("information", "help"):
        rows = clocks(NORWAY, "2026-03-10T00:00", notices=[{"kind": kind, "received": "2026-03-02T10:00"}])
        assert rows["reply"].state is ClockState.NOT_STARTED  # type: ignore[attr-defined]


def test_a_clock_is_paused_while_it_is_paused() -> None:
    """With an end that is set, there is a date all the same."""
    values = {
        "notices": [{"received": "2026-03-02T10:00"}],
        "pauses": [{"clock": "reply", "from": "2026-03-05T10:00", "until": "2026-03-07T10:00"}],
    }
    held = clocks(NORWAY, "2026-03-06T00:00", **values)["reply"]
    assert (held.state, held.due_day) == (ClockState.PAUSED, "2026-03-26")  # type: ignore[attr-defined]
    assert clocks(NORWAY, "2026-03-08T00:00", **values)["reply"].state is ClockState.RUNNING  # type: ignore[attr-defined]


def test_a_decision_that_was_set_aside_starts_no_appeal() -> None:
    """Its clock is gone with it."""
    decision = {"made": "2026-03-02T10:00", "received": "2026-03-03T10:00"}
    assert clocks(NORWAY, "2026-03-10T00:00", decision=decision)["appeal"].due_day == "2026-03-24"  # type: ignore[attr-defined]
    gone = clocks(NORWAY, "2026-03-10T00:00", decision={**decision, "set_aside": True})["appeal"]
    assert gone.state is ClockState.NOT_STARTED  # type: ignore[attr-defined]


def test_closing_ends_what_the_unit_waits_for_and_not_the_appeal() -> None:
    """The party may appeal against a decision of a closed case."""
    rows = clocks(
        NORWAY,
        "2026-03-10T00:00",
        notices=[{"received": "2026-03-02T10:00"}],
        decision={"made": "2026-03-04T10:00", "received": "2026-03-05T10:00"},
        closed="2026-03-06T10:00",
    )
    assert rows["reply"].state is ClockState.STOPPED  # type: ignore[attr-defined]
    assert rows["appeal"].state is ClockState.RUNNING  # type: ignore[attr-defined]


def test_the_first_report_that_is_missing_is_owed() -> None:
    """A week that was reported is done; the earliest that was not is the one that counts."""
    values = {"opened": "2026-03-04T09:00"}
    first = clocks(CHINA, "2026-03-05T00:00", **values)["report:weekly-ledger"]
    assert (first.state, first.due_day) == (ClockState.RUNNING, "2026-03-10")  # type: ignore[attr-defined]
    owed = clocks(CHINA, "2026-03-25T00:00", **values)["report:weekly-ledger"]
    assert (owed.state, owed.due_day) == (ClockState.OVER, "2026-03-10")  # type: ignore[attr-defined]
    reports = [{"report": "weekly-ledger", "period": f"2026-W{week}"} for week in (10, 11, 12)]
    assert clocks(CHINA, "2026-03-25T00:00", reports=reports, **values)["report:weekly-ledger"].due_day == "2026-03-31"  # type: ignore[attr-defined]
    closed = clocks(CHINA, "2026-05-25T00:00", reports=reports, closed="2026-03-20T10:00", **values)
    assert closed["report:weekly-ledger"].state is ClockState.STOPPED  # type: ignore[attr-defined]


def test_reporting_periods_have_their_names() -> None:
    """Weeks by ISO 8601: the first days of January may belong to the old year."""
    assert period_name(date(2027, 1, 1), "weekly") == "2026-W53"
    assert period_name(date(2026, 3, 31), "quarterly") == "2026-Q1"
    assert period_name(date(2026, 3, 31), "monthly") == "2026-03"
    assert period_name(date(2026, 3, 31), "annual") == "2026"


def test_every_clock_has_its_own_name_and_its_basis() -> None:
    """For every pack, on an empty case and on one with everything."""
    full = {
        "notices": [{"received": "2025-03-02T10:00"}],
        "replies": [{"received": "2025-03-03T10:00", "stance": "asks_file"}],
        "inspections": [{"ended": "2025-03-04T10:00", "bypass_seen": True}],
        "decision": {"made": "2025-03-05T10:00", "received": "2025-03-06T10:00"},
        "remedies": [{"at": "2025-03-07T10:00"}],
    }
    for pack in PACKS.values():
        for values in ({}, full):
            rows = clocks_of(make_case(values, pack), pack, instant("2025-03-08T00:00", pack.time_zone))
            assert len({row.id for row in rows}) == len(rows)
            assert all(row.explanation for row in rows)
            assert all((row.due_ns is None) == (row.due_day == "") for row in rows)
            assert all(row.ref or row.basis is not Basis.STATUTORY for row in rows)
