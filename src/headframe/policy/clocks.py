"""How periods run: from a moment, over the days of a calendar, with pauses and extensions, to the last day.

The rules, and where they come from:

The first day does not count
    A period of days, weeks or months runs from the day after the event (China: Civil Code 201; Russia: KAS 92; Texas:
    Government Code 311.014(a); Malaysia: Interpretation Acts 54(1)(a)). One of hours runs from the moment itself.
The last day counts in full
    It ends with the last day, at midnight in the pack's time zone (Civil Code 203; KAS 93.4).
Months
    End on the day of the same number, or the last of the month where there is none (Civil Code 202; KAS 93.1).
Weeks
    Are seven calendar days each.
Business days
    Days off do not count; make-up working days do.
A last day that is a day off
    Moves to the next working day only where the pack says so (``rolls``), with what says so (``rolls_ref``).
Pauses
    Every day that a pause touches does not count, be it an hour of that day: in doubt for the party. Pauses that
    overlap are one. In a period of hours the pause itself does not count. ``pauses: false`` lets time run on.
Extensions
    Give a later end and never an earlier one.

None of the rules takes time away: more pauses, a longer extension or a later start never bring an earlier end. (A later
start with fewer days of a pause before it can, by up to three days, in a period of months: months differ in length.)
"""

from __future__ import annotations

import calendar as months
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from headframe.policy.appeals import appeal_bodies, body_of, clock_names
from headframe.policy.calendars import Calendar, calendar_of
from headframe.records.case import (
    ASKS,
    AppealOutcome,
    Case,
    DecisionOutcome,
    NoticeKind,
    RecordReply,
    ReplyStance,
    VerificationOutcome,
)
from headframe.records.policy import (
    Basis,
    Clock,
    ClockState,
    Deadline,
    DeadlineUnit,
    Pack,
    ReportingDuty,
    RightKind,
    Step,
)

_NS_PER_S = 1_000_000_000
_HOUR_NS = 3_600 * _NS_PER_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_LISTED = 6

Pause = tuple[int, int | None]
"""From and until, half open; None: still. [ns since 1970-01-01 UTC]"""

_UNIT_NAME = {
    DeadlineUnit.HOUR: "hour",
    DeadlineUnit.CALENDAR_DAY: "calendar day",
    DeadlineUnit.BUSINESS_DAY: "business day",
    DeadlineUnit.WEEK: "week",
    DeadlineUnit.MONTH: "month",
}


def due(
    deadline: Deadline,
    start_ns: int,
    pack: Pack,
    pauses: Sequence[Pause] = (),
    extensions: Sequence[int] = (),
    *,
    name: str = "",
) -> Clock:
    """When a period ends that began at a moment.

    Parameters
    ----------
    deadline : Deadline
    start_ns : int
        What it runs from. [ns since 1970-01-01 UTC]
    pack : Pack
        Gives time zone and calendar.
    pauses : sequence of (int, int or None)
    extensions : sequence of int
        Ends that were granted: the first instant after the time. [ns since 1970-01-01 UTC]
    name : str
        Id of the clock.

    Returns
    -------
    Clock
        ``paused`` without a date where a pause has no end, else ``running``; `clocks_of` knows what has happened.
    """
    zone = _zone(pack.time_zone)
    counted = merge_pauses(pauses) if deadline.pauses else ()
    closed = [(since, until) for since, until in counted if until is not None]
    open_since = next((since for since, until in counted if until is None), None)
    end_ns, end_day, words, provisional = _end(deadline, start_ns, pack, zone, closed)
    if pauses and not deadline.pauses:
        words.append("it does not pause")
    if (longer := max(extensions, default=0)) > end_ns:
        end_ns, end_day = longer, _local_day(longer - 1, zone)
        words.append(f"extended until {_local(longer, zone)}")
    state = ClockState.RUNNING
    if open_since is not None and open_since < end_ns:
        state = ClockState.PAUSED
        words.append(f"paused since {_local(open_since, zone)} without an end; no date before it runs on")
    paused = state is ClockState.PAUSED
    return Clock(
        id=name,
        state=state,
        started_ns=start_ns,
        due_ns=None if paused else end_ns,
        due_day="" if paused else end_day.isoformat(),
        basis=deadline.basis,
        ref=deadline.ref,
        explanation="; ".join(words),
        provisional=provisional,
    )


def merge_pauses(pauses: Iterable[Pause]) -> tuple[Pause, ...]:
    """Pauses without overlaps, in order; those of no length are dropped."""
    united: list[Pause] = []
    for since, until in sorted(pauses, key=lambda pause: pause[0]):
        if until is not None and until <= since:
            continue
        last = united[-1] if united else None
        if last is not None and (last[1] is None or since <= last[1]):
            end = None if last[1] is None or until is None else max(last[1], until)
            united[-1] = last[0], end
        else:
            united.append((since, until))
    return tuple(united)


def _end(
    deadline: Deadline, start_ns: int, pack: Pack, zone: tzinfo, pauses: Sequence[tuple[int, int]]
) -> tuple[int, date, list[str], bool]:
    """First instant after the period, its last day, how that came about, and whether it may change."""
    if deadline.unit is DeadlineUnit.HOUR:
        return _end_of_hours(deadline, start_ns, zone, pauses)
    end_ns, end, words, provisional = _end_of_days(
        deadline, start_ns, pack.time_zone, deadline.calendar or pack.calendar, tuple(pauses)
    )
    return end_ns, end, list(words), provisional


# A case asks for the same ends at every act and every look at it, and counting days takes most of the time of both.
@lru_cache(maxsize=4096)
def _end_of_days(
    deadline: Deadline, start_ns: int, time_zone: str, calendar: str, pauses: tuple[tuple[int, int], ...]
) -> tuple[int, date, tuple[str, ...], bool]:
    zone, days = _zone(time_zone), calendar_of(calendar)
    first = _local_day(start_ns, zone)
    n = int(deadline.n)
    paused = _paused_days(pauses, zone)
    business = deadline.unit is DeadlineUnit.BUSINESS_DAY
    if deadline.unit is DeadlineUnit.MONTH:
        wanted = (_months_later(first, n) - first).days
    else:
        wanted = n * 7 if deadline.unit is DeadlineUnit.WEEK else n
    end = _count(first, wanted, paused, days if business else None)
    words = [f"{_amount(deadline)} after {first} ({time_zone}), which does not count"]
    if business:
        words += _days_off(first, end, days)
    held = sorted(day for day in paused if first < day <= end)
    if held:
        words.append(f"paused: {_ranges(held)}")
    provisional = business and any(days.provisional(year) for year in range(first.year, end.year + 1))
    if deadline.rolls and days.rolls_over(end):
        moved = end
        while days.rolls_over(moved):
            moved += timedelta(days=1)
        by = f" by {deadline.rolls_ref}" if deadline.rolls_ref else ""
        words.append(
            f"the last day, {end}, is a day off ({days.off(end) or 'weekly holiday'}) and moves to {moved}{by}"
        )
        end = moved
    provisional |= deadline.rolls and days.provisional(end.year)
    if provisional:
        words.append(f"provisional: days off of {days.code} are not published or only estimated for that time")
    return _midnight_ns(end + timedelta(days=1), zone), end, tuple(words), provisional


def _end_of_hours(
    deadline: Deadline, start_ns: int, zone: tzinfo, pauses: Sequence[tuple[int, int]]
) -> tuple[int, date, list[str], bool]:
    left = round(deadline.n * _HOUR_NS)
    at = start_ns
    for since, until in pauses:
        if until <= at:
            continue
        if since - at >= left:
            break
        left -= max(since - at, 0)
        at = until
    end = at + left
    words = [f"{_amount(deadline)} after {_local(start_ns, zone)}"]
    if at != start_ns:
        words.append(f"{(end - start_ns - round(deadline.n * _HOUR_NS)) / _HOUR_NS:.4g} hours of pauses do not count")
    return end, _local_day(end - 1, zone), words, False


def _count(first: date, wanted: int, paused: set[date], days: Calendar | None) -> date:
    """The day on which `wanted` days after `first` are full; those that are paused, or off, do not count."""
    if days is None and not paused:
        return first + timedelta(days=wanted)
    day = first
    while wanted:
        day += timedelta(days=1)
        if day not in paused and (days is None or days.is_working(day)):
            wanted -= 1
    return day


def _paused_days(pauses: Sequence[tuple[int, int]], zone: tzinfo) -> set[date]:
    """Every local day that a pause touches."""
    found = set()
    for since, until in pauses:
        day, last = _local_day(since, zone), _local_day(until - 1, zone)
        while day <= last:
            found.add(day)
            day += timedelta(days=1)
    return found


def _months_later(day: date, n: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


# ---------------------------------------------------------------------------------------------------------------------
# Local time


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)


def _local_day(at_ns: int, zone: tzinfo) -> date:
    return (_EPOCH + timedelta(seconds=at_ns // _NS_PER_S)).astimezone(zone).date()


def _midnight_ns(day: date, zone: tzinfo) -> int:
    """Where a local day begins; in some zones not at midnight on the day on which summer time starts."""
    at = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    return int((at - _EPOCH) / timedelta(seconds=1)) * _NS_PER_S


def _local(at_ns: int, zone: tzinfo) -> str:
    return (_EPOCH + timedelta(seconds=at_ns // _NS_PER_S)).astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")


# ---------------------------------------------------------------------------------------------------------------------
# Words


def _amount(deadline: Deadline) -> str:
    return f"{deadline.n:g} {_UNIT_NAME[deadline.unit]}{'' if deadline.n == 1 else 's'}"


def _days_off(first: date, end: date, days: Calendar) -> Iterator[str]:
    """Days between, of which a reader would not expect that they count or do not count."""
    off: list[date] = []
    make_up: list[date] = []
    day = first + timedelta(days=1)
    while day <= end:
        reason = days.off(day)
        if reason and reason != "weekend":
            off.append(day)
        elif days.make_up(day):
            make_up.append(day)
        day += timedelta(days=1)
    if off:
        names = dict.fromkeys(days.off(day) for day in off)
        yield f"holidays do not count: {_ranges(off)} ({', '.join(list(names)[:_MOST_LISTED])})"
    if make_up:
        yield f"make-up working days count: {_ranges(make_up)}"


def _ranges(days: Sequence[date]) -> str:
    """``2026-02-16 to 2026-02-20, 2026-02-23``."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = found[-1][0], day
        else:
            found.append((day, day))
    told = [str(a) if a == b else f"{a} to {b}" for a, b in found[:_MOST_LISTED]]
    return ", ".join(told) + (f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else "")


# ---------------------------------------------------------------------------------------------------------------------
# The clocks of a case


def clocks_of(case: Case, pack: Pack, now_ns: int) -> tuple[Clock, ...]:
    """Every clock of a case, as it stands at a time.

    Parameters
    ----------
    case : Case
    pack : Pack
        The one by which the case is handled.
    now_ns : int
        [ns since 1970-01-01 UTC]

    Returns
    -------
    tuple of Clock
        By id: the step or right it belongs to (``reply``, ``appeal``; a second one ``appeal-2``), ``verify`` for the
        window that is measured again, ``report:ID`` for each report that is owed.
    """
    clocks = []
    for name, deadline in named_deadlines(pack):
        clocks.append(_clock(case, pack, now_ns, name, deadline))
    clocks.append(_verification_clock(case, pack, now_ns))
    clocks += [clock for duty in pack.reporting if (clock := _report_clock(case, pack, duty, now_ns)) is not None]
    return tuple(clocks)


def binding(case: Case, clocks: Iterable[Clock]) -> tuple[Clock, ...]:
    """Those clocks that bind somebody for this very case: what a list of cases puts first.

    A report is owed for all cases together. Where one is closed, or was decided in the party's favour, nobody has to do
    anything for it any more because a report is due.

    Parameters
    ----------
    case : Case
    clocks : iterable of Clock
        Of this case.

    Returns
    -------
    tuple of Clock
    """
    held = next((row for row in reversed(case.decisions) if not row.set_aside), None)
    over = case.closed_ns is not None or (held is not None and held.act.outcome is not DecisionOutcome.CONFIRMED)
    return tuple(clock for clock in clocks if not (over and clock.id.startswith("report:")))


def named_deadlines(pack: Pack) -> Iterator[tuple[str, Deadline]]:
    """Every period of a pack under the name of its clock: those of the steps, then those of the rights.

    Parameters
    ----------
    pack : Pack

    Yields
    ------
    (str, Deadline)
        ``reply``, ``appeal``, ``appeal-2``.
    """
    for step in pack.procedure:
        if step.deadline is not None:
            yield str(step.step), step.deadline
    for right, name in clock_names(pack):
        if right.deadline is not None:
            yield name, right.deadline


def _clock(case: Case, pack: Pack, now_ns: int, name: str, deadline: Deadline) -> Clock:
    start_ns = start_of(case, deadline.start)
    if start_ns is None:
        return _not_started(name, deadline.basis, deadline.ref, f"{_amount(deadline)} from {_spaced(deadline.start)}")
    pauses = [(since, until) for clock, since, until, _ in case.pauses if clock == name]
    extensions = [until for clock, until, _ in case.extensions if clock == name]
    clock = due(deadline, start_ns, pack, pauses, extensions, name=name)
    return _standing(clock, now_ns, _met_by(case, pack, name, start_ns), case, pauses if deadline.pauses else ())


def _not_started(name: str, basis: Basis, ref: str, words: str) -> Clock:
    return Clock(id=name, state=ClockState.NOT_STARTED, started_ns=None, due_ns=None, due_day="", basis=basis, ref=ref,
                 explanation=words)  # fmt: skip


def _spaced(words: str) -> str:
    return words.replace("_", " ")


def _standing(
    clock: Clock, now_ns: int, met_ns: int | None, case: Case, pauses: Iterable[tuple[int, int | None]]
) -> Clock:
    """The clock as it stands now, after what it waited for happened or did not."""
    in_time = met_ns is not None and (clock.due_ns is None or met_ns < clock.due_ns)
    if in_time:
        return dataclasses.replace(clock, state=ClockState.STOPPED)
    if clock.due_ns is not None and now_ns >= clock.due_ns:
        late = "; what it waited for came late" if met_ns is not None else ""
        return dataclasses.replace(clock, state=ClockState.OVER, explanation=clock.explanation + late)
    # A closed case asks for nothing more; what runs on is the party's, and what the closing itself has started.
    ends_with_case = clock.id.partition("-")[0] not in {"appeal", "correct", "reopen", "removal", "correction"}
    if case.closed_ns is not None and ends_with_case and (clock.started_ns or 0) < case.closed_ns:
        return dataclasses.replace(
            clock, state=ClockState.STOPPED, explanation=f"{clock.explanation}; the case is closed"
        )
    if any(since <= now_ns and (until is None or now_ns < until) for since, until in pauses):
        return dataclasses.replace(clock, state=ClockState.PAUSED)
    return clock


def start_of(case: Case, event: str) -> int | None:
    """When the event of a case happened that periods run from; None where it has not, or the case cannot know it.

    Parameters
    ----------
    case : Case
    event : str
        One of `headframe.policy.schema.STARTS`.

    Returns
    -------
    int or None
        The last time that it happened. [ns since 1970-01-01 UTC]
    """
    decision = next((row for row in reversed(case.decisions) if not row.set_aside), None)
    match event:
        case "case_opened":
            return case.opened_ns
        case "notice_received":
            return _last(row.received_ns for row in case.notices if row.kind is NoticeKind.NOTICE)
        case "reply_received":
            return _last(row.received_ns for row in case.replies)
        case "file_asked_for":
            return _last(row.received_ns for row in case.replies if row.stance is ReplyStance.ASKS_FILE)
        case "inspection_ended":
            return _last(row.ended_ns for row in case.inspections)
        case "first_offence_found":
            return min((row.ended_ns for row in case.inspections if row.bypass_seen), default=None)
        case "decision_made":
            return decision.decided_ns if decision else None
        case "decision_received":
            return decision.received_ns if decision else None
        case "decision_final":
            return decision.final_ns if decision else None
        case "measure_requested":
            return _last(row.requested_ns for row in case.measures if not row.withdrawn)
        case "measure_carried_out":
            return _last(row.carried_out_ns for row in case.measures if row.carried_out_ns is not None)
        case "remedy_recorded":
            return _last(row.at_ns for row in case.remedies)
        case "appeal_received":
            return _last(row.received_ns for row in case.appeals)
        case "case_closed":
            return case.closed_ns
    return None


def _last(times: Iterable[int]) -> int | None:
    return max(times, default=None)


def _met_by(case: Case, pack: Pack, name: str, start_ns: int) -> int | None:
    """As `_met`; the clock of a body that hears appeals waits for an appeal there, and for none elsewhere.

    One that was withdrawn is as if it had not come: the time runs on, and the party may come again in it.
    """
    body = next((one for one in appeal_bodies(pack) if one.clock == name), None)
    if body is None:
        return _met(case, name.partition("-")[0], start_ns)
    there = (
        row.received_ns
        for row in case.appeals
        if row.outcome is not AppealOutcome.WITHDRAWN and (at := body_of(pack, row.body)) is not None
        and at.id == body.id
    )  # fmt: skip
    return min((at for at in there if at >= start_ns), default=None)


def _met(case: Case, name: str, start_ns: int) -> int | None:
    """When what a clock waits for happened, at the earliest after its start; None where it has not."""
    times: Iterable[int | None] = ()
    match name:
        case Step.NOTIFY | RightKind.NOTICE:
            times = (row.received_ns for row in case.notices)
        case Step.REPLY:
            times = (row.received_ns for row in case.replies if _answers(row))
        case Step.INSPECT:
            times = (row.ended_ns for row in case.inspections)
        case Step.DECIDE:
            times = (row.decided_ns for row in case.decisions)
        case Step.REMEDIATE:
            times = (row.at_ns for row in case.remedies)
        case Step.REPORT:
            times = (mark.at_ns for mark in case.history if mark.act == "report")
        case Step.CLOSE:
            times = (case.closed_ns,)
        case Step.APPEAL:
            times = (row.received_ns for row in case.appeals)
        case RightKind.ACCESS_FILE:
            times = (row.given_ns for row in case.access)
        case Step.CORRECT | RightKind.CORRECTION:
            times = (row.approved_ns for row in case.corrections)
    return min((at for at in times if at is not None and at >= start_ns), default=None)


def _answers(reply: RecordReply) -> bool:
    return reply.stance not in ASKS


def _verification_clock(case: Case, pack: Pack, now_ns: int) -> Clock:
    """The window after the remedy that is measured again: it is full at its end, and then somebody verifies."""
    rule = pack.verification
    deadline = Deadline(
        n=float(rule.window_days),
        unit=DeadlineUnit.CALENDAR_DAY,
        start="remedy_recorded",
        basis=rule.basis,
        pauses=False,
    )
    started = [start_of(case, "remedy_recorded"), start_of(case, "measure_carried_out")]
    start_ns = _last(at for at in started if at is not None)
    what = f"{rule.window_days} days after the remedy are measured again ({', '.join(rule.metrics)})"
    if start_ns is None:
        return _not_started("verify", rule.basis, "", what)
    clock = due(deadline, start_ns, pack, name="verify")
    clock = dataclasses.replace(clock, explanation=f"{clock.explanation}; {what}; verify when the window is full")
    done = (
        at
        for at, _, row in case.verifications
        if at >= start_ns and row.outcome is not VerificationOutcome.NOT_ENOUGH_DATA
    )
    if any(True for _ in done):
        return dataclasses.replace(clock, state=ClockState.STOPPED)
    return _standing(clock, now_ns, None, case, ())


# ---------------------------------------------------------------------------------------------------------------------
# Reports that are owed


def _report_clock(case: Case, pack: Pack, duty: ReportingDuty, now_ns: int) -> Clock | None:
    """The earliest report that should tell of the case and has not; None where a report is owed on change only."""
    if duty.frequency == "on_change":
        return None
    zone = _zone(pack.time_zone)
    reported = {row.period for row in case.reports if row.report == duty.id}
    start = _period_start(_local_day(case.opened_ns, zone), duty.frequency)
    last_day = _local_day(now_ns if case.closed_ns is None else min(case.closed_ns, now_ns), zone)
    last = _period_start(max(last_day, start), duty.frequency)
    while period_name(start, duty.frequency) in reported and start < last:
        start = _next_period(start, duty.frequency)
    name = period_name(start, duty.frequency)
    end = _next_period(start, duty.frequency)
    end_ns = _midnight_ns(end, zone)
    words = [f"{duty.frequency} report {duty.id} for {name} to {duty.to}"]
    due_ns, due_day, provisional = end_ns, end - timedelta(days=1), False
    if duty.due:
        n, _, unit = duty.due.partition(" ")
        deadline = Deadline(n=float(n), unit=DeadlineUnit(unit), start="", basis=duty.basis, pauses=False)
        # The period's last day is the event; the day after is the first to count.
        due_ns, due_day, more, provisional = _end(deadline, end_ns - 1, pack, zone, ())
        words += more
    state = ClockState.RUNNING
    if name in reported:
        state = ClockState.STOPPED
    elif now_ns >= due_ns:
        state = ClockState.OVER
    return Clock(
        id=f"report:{duty.id}",
        state=state,
        started_ns=max(_midnight_ns(start, zone), case.opened_ns),
        due_ns=due_ns,
        due_day=due_day.isoformat(),
        basis=duty.basis,
        ref=duty.ref,
        explanation="; ".join(words),
        provisional=provisional,
    )


def period_name(day: date, frequency: str) -> str:
    """The reporting period that a day lies in: ``2026-W08``, ``2026-02``, ``2026-Q1`` or ``2026``.

    Examples
    --------
    >>> period_name(date(2027, 1, 1), "weekly")
    '2026-W53'
    """
    match frequency:
        case "weekly":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02}"
        case "monthly":
            return f"{day:%Y-%m}"
        case "quarterly":
            return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{day.year}"


def _period_start(day: date, frequency: str) -> date:
    match frequency:
        case "weekly":
            return day - timedelta(days=day.weekday())
        case "monthly":
            return day.replace(day=1)
        case "quarterly":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return date(day.year, 1, 1)


def _next_period(start: date, frequency: str) -> date:
    match frequency:
        case "weekly":
            return start + timedelta(days=7)
        case "monthly":
            return _months_later(start, 1)
        case "quarterly":
            return _months_later(start, 3)
    return date(start.year + 1, 1, 1)
