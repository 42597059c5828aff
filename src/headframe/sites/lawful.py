"""Looks a site up among lawful mining: does an entry of a register cover it, for how long, and for how much power?

It is asked before any notice. An entry covers a site that it names, by site, organisation or usage point; where it
names several of them, all must fit. Entries unite: two licences that follow each other cover both their periods.
What was seen at several usage points is covered where each of them is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from headframe.records.case import LookUpLawful, LookupOutcome
from headframe.records.finding import Interval
from headframe.records.lawful import LawfulEntry

STALE_DAYS = 30
"""A state of a register that is older is told. Ours; no text says so. [days]"""
_DAY_NS = 86_400_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_TOLD = 20


def look_up(
    entries: Iterable[LawfulEntry],
    *,
    site_id: str,
    organisation_id: str,
    usage_points: Sequence[str],
    from_ns: int,
    until_ns: int,
    power_w: Interval | None,
    register_states: Mapping[str, int],
    now_ns: int | None = None,
    stale_days: int = STALE_DAYS,
    zone: tzinfo = UTC,
) -> LookUpLawful:
    """What registers of lawful mining say of a site over a period.

    | outcome | when |
    |---|---|
    | listed | entries cover every usage point for the whole period, and the power |
    | partly | they cover a part of the period or of the usage points, or less power |
    | expired | none covers any of the period, and one had ended before it |
    | not_listed | none of all that |

    Where no usage point is known, entries for single ones of the site count as partly.

    Power is held against each entry alone: whether the limits of two entries add up is in no register, and is left to
    a person. The low end of the estimate counts, so that a wide interval is not held against the party; that the
    estimate itself lies above the limit is told.

    Parameters
    ----------
    entries : iterable of LawfulEntry
        Those that name something else are passed over, so the whole register may be handed in.
    site_id, organisation_id : str
        Empty where not known.
    usage_points : sequence of str
        Where the mining was metered; empty where only the site is known.
    from_ns, until_ns : int
        The period of the findings, half open. [ns since 1970-01-01 UTC]
    power_w : Interval or None
        What was seen. None where it is not known: then limits are told, and not tested. [W]
    register_states : mapping of str to int
        Every register that was asked, with the time of its state. [ns since 1970-01-01 UTC]
    now_ns : int, optional
        When it is asked; the end of the period if not given. [ns since 1970-01-01 UTC]
    stale_days : int
        A state that is older than this is told. [days]
    zone : datetime.tzinfo
        For the days in the explanation.

    Returns
    -------
    LookUpLawful

    Raises
    ------
    ValueError
        If the period is empty.
    """
    if from_ns >= until_ns:
        raise ValueError(f"the period from {from_ns} to {until_ns} is empty; its end must be after its start")
    points = tuple(dict.fromkeys(point for point in usage_points if point))
    at_points = frozenset(points)
    taken = list(entries)
    named = [entry for entry in taken if _names(entry, site_id, organisation_id, at_points)]
    inside = [entry for entry in named if _start(entry) < until_ns and _end(entry) > from_ns]
    strong = [entry for entry in inside if not _exceeds(entry, power_w)]
    parts, whole = _covered(inside, points, from_ns, until_ns)
    if strong and _covered(strong, points, from_ns, until_ns)[1]:
        outcome = LookupOutcome.LISTED
    elif inside:
        outcome = LookupOutcome.PARTLY
    elif any(_end(entry) <= from_ns for entry in named):
        outcome = LookupOutcome.EXPIRED
    else:
        outcome = LookupOutcome.NOT_LISTED
    other = [
        entry
        for entry in taken
        if points
        and entry.usage_point
        and entry.usage_point not in at_points
        and _fits(entry, site_id, organisation_id)
    ]
    words = [
        _answer_words(outcome, named, inside, parts, whole, points, from_ns, until_ns, zone),
        *([f"For other usage points, and so not for this: {_list_words(other, zone)}."] if other else []),
        *_power_words(inside, power_w, listed=outcome is LookupOutcome.LISTED),
        *_state_words(register_states, named, until_ns if now_ns is None else now_ns, stale_days, zone),
    ]
    told = inside or [entry for entry in named if _end(entry) <= from_ns] or named
    registers = sorted({*register_states, *(entry.register for entry in named)})
    return LookUpLawful(
        outcome=outcome,
        registers=tuple(
            f"{name} as of {_day(register_states[name], zone)}" if name in register_states else f"{name}, state unknown"
            for name in registers
        ),
        entries=tuple(f"{entry.register}#{entry.entry_id}" for entry in told),
        explanation=" ".join(words),
    )


def _fits(entry: LawfulEntry, site_id: str, organisation_id: str) -> bool | None:
    """Whether an entry names the site or its organisation: False where it names another, None where neither."""
    fits = None
    for said, asked in ((entry.site_id, site_id), (entry.organisation_id, organisation_id)):
        if said and asked:
            if said != asked:
                return False
            fits = True
    return fits


def _names(entry: LawfulEntry, site_id: str, organisation_id: str, points: frozenset[str]) -> bool:
    """Whether an entry names what was seen in one way at least, and nothing else in any."""
    fits = _fits(entry, site_id, organisation_id)
    if not entry.usage_point or fits is False:
        return bool(fits)
    # Where no usage point is known, an entry for one of the site's may cover what was seen: a part, at most.
    return entry.usage_point in points if points else bool(fits)


def _start(entry: LawfulEntry) -> float:
    return -math.inf if entry.valid_from_ns is None else entry.valid_from_ns


def _end(entry: LawfulEntry) -> float:
    return math.inf if entry.valid_until_ns is None else entry.valid_until_ns


def _exceeds(entry: LawfulEntry, power_w: Interval | None) -> bool:
    """Whether more power was seen than an entry allows."""
    return power_w is not None and entry.power_limit_w is not None and power_w.low > entry.power_limit_w


def _covered(
    entries: Sequence[LawfulEntry], points: Sequence[str], from_ns: int, until_ns: int
) -> tuple[list[tuple[int, int]], bool]:
    """Stretches of the period in which every part of the site is covered, and whether they are the whole period.

    One pass over all starts and ends in order: how many entries cover the site as a whole, and how many usage points
    are covered on their own.
    """
    changes: list[tuple[int, int, str]] = []
    for entry in entries:
        start, end = max(_start(entry), from_ns), min(_end(entry), until_ns)
        if start < end:
            changes += [(int(start), 1, entry.usage_point), (int(end), -1, entry.usage_point)]
    changes.sort(key=lambda change: change[0])
    open_entries = dict.fromkeys(points, 0)
    general = covered_points = 0
    stretches: list[tuple[int, int]] = []
    since: int | None = None
    place = 0
    while place < len(changes):
        at = changes[place][0]
        while place < len(changes) and changes[place][0] == at:
            _, step, point = changes[place]
            place += 1
            if not point:
                general += step
                continue
            if point not in open_entries:
                continue  # only where no usage point is known: then the entry covers an unknown part
            before = open_entries[point] > 0
            open_entries[point] += step
            covered_points += (open_entries[point] > 0) - before
        covered = general > 0 or (bool(points) and covered_points == len(points))
        if covered and since is None:
            since = at
        elif not covered and since is not None:
            stretches.append((since, at))
            since = None
    return stretches, stretches == [(from_ns, until_ns)]


# Words ----------------------------------------------------------------------------------------------------------------


def _day(time_ns: float, zone: tzinfo) -> str:
    """The day of an instant; the open ends have none."""
    if math.isinf(time_ns):
        return "always"
    return (_EPOCH + timedelta(microseconds=int(time_ns) // 1000)).astimezone(zone).date().isoformat()


def _last_day(time_ns: float, zone: tzinfo) -> str:
    """The last day that belongs to a stretch which ends at an instant."""
    return _day(time_ns - 1 if not math.isinf(time_ns) else time_ns, zone)


def _watts(power_w: float) -> str:
    for factor, unit in ((1e9, "GW"), (1e6, "MW"), (1e3, "kW")):
        if power_w >= factor:
            return f"{power_w / factor:.4g} {unit}"
    return f"{power_w:.4g} W"


def _entry_words(entry: LawfulEntry, zone: tzinfo) -> str:
    valid = "without a date"
    if entry.valid_from_ns is not None and entry.valid_until_ns is not None:
        valid = f"{_day(_start(entry), zone)} to {_last_day(_end(entry), zone)}"
    elif entry.valid_from_ns is not None:
        valid = f"from {_day(_start(entry), zone)} on"
    elif entry.valid_until_ns is not None:
        valid = f"to {_last_day(_end(entry), zone)}"
    whom = " and ".join(
        f"{what} {value}"
        for what, value in (
            ("site", entry.site_id), ("organisation", entry.organisation_id), ("usage point", entry.usage_point)
        ) if value
    )  # fmt: skip
    limit = "" if entry.power_limit_w is None else f", up to {_watts(entry.power_limit_w)}"
    kind = entry.kind.value.replace("_", " ")
    return f"{entry.register} {entry.entry_id} ({kind} for {whom}, {valid}{limit}; {entry.source})"


def _list_words(entries: Sequence[LawfulEntry], zone: tzinfo) -> str:
    told = "; ".join(_entry_words(entry, zone) for entry in entries[:_MOST_TOLD])
    more = len(entries) - _MOST_TOLD
    return f"{told}; and {more} more" if more > 0 else told


def _answer_words(
    outcome: LookupOutcome,
    named: Sequence[LawfulEntry],
    inside: Sequence[LawfulEntry],
    stretches: Sequence[tuple[int, int]],
    whole: bool,
    points: Sequence[str],
    from_ns: int,
    until_ns: int,
    zone: tzinfo,
) -> str:
    period = f"{_day(from_ns, zone)} to {_last_day(until_ns, zone)}"
    if outcome is LookupOutcome.LISTED:
        return f"Covered for the whole period, {period}: {_list_words(inside, zone)}."
    if outcome is LookupOutcome.PARTLY and whole:
        return f"Covered in time, {period}, but not for the power that was seen: {_list_words(inside, zone)}."
    if outcome is LookupOutcome.PARTLY:
        return f"Of the period, {period}, {_gap_words(inside, stretches, points, zone)}: {_list_words(inside, zone)}."
    if outcome is LookupOutcome.EXPIRED:
        over = [entry for entry in named if _end(entry) <= from_ns]
        later = [entry for entry in named if _start(entry) >= until_ns]
        after = f" Entries that begin later: {_list_words(later, zone)}." if later else ""
        return f"Nothing covers the period, {period}; entries ended before it: {_list_words(over, zone)}.{after}"
    if named:
        return f"Nothing covers the period, {period}; entries begin after it: {_list_words(named, zone)}."
    return f"No entry names the site, its organisation or its usage points; the period is {period}."


def _gap_words(
    inside: Sequence[LawfulEntry], stretches: Sequence[tuple[int, int]], points: Sequence[str], zone: tzinfo
) -> str:
    words = []
    if not points and all(entry.usage_point for entry in inside):
        words.append("entries cover single usage points, and at which of them it was seen is not known")
    elif stretches:
        told = ", ".join(f"{_day(start, zone)} to {_last_day(end, zone)}" for start, end in stretches[:_MOST_TOLD])
        more = len(stretches) - _MOST_TOLD
        words.append(f"only {told}{f' and {more} more stretches' if more > 0 else ''} is covered")
    else:
        words.append("no day is covered for the site as a whole")
    if all(entry.usage_point for entry in inside):
        named = {entry.usage_point for entry in inside}
        if missing := [point for point in points if point not in named]:
            listed = ", ".join(missing[:_MOST_TOLD])
            words.append(f"usage points without any entry: {listed}{' ...' if len(missing) > _MOST_TOLD else ''}")
    return "; ".join(words)


def _power_words(inside: Sequence[LawfulEntry], power_w: Interval | None, *, listed: bool) -> list[str]:
    limits = [entry.power_limit_w for entry in inside if entry.power_limit_w is not None]
    if not limits:
        return []
    highest = max(limits)
    if power_w is None or math.isnan(power_w.low):
        return [f"The power is not known, so the limit of {_watts(highest)} was not tested."]
    seen = f"{_watts(power_w.estimate)} ({_watts(power_w.low)} to {_watts(power_w.high)})"
    if any(_exceeds(entry, power_w) for entry in inside) and not listed:
        together = "; whether limits of several entries add up is for a person to say" if len(limits) > 1 else ""
        return [f"Seen were {seen}; the highest limit of one entry is {_watts(highest)}{together}."]
    if listed and power_w.estimate > min(limits):
        lowest = _watts(min(limits))
        return [f"Seen were {seen}: the estimate lies above a limit of {lowest}, its lower end does not, and counts."]
    return [f"Seen were {seen}; the lowest limit is {_watts(min(limits))}."] if listed else []


def _state_words(
    states: Mapping[str, int], named: Sequence[LawfulEntry], now_ns: int, stale_days: int, zone: tzinfo
) -> list[str]:
    if not states and not named:
        return ["No register of lawful mining has been imported, so nothing could be looked up."]
    old = sorted((at, name) for name, at in states.items() if now_ns - at > stale_days * _DAY_NS)
    if not old:
        return []
    told = ", ".join(f"{name} ({_day(at, zone)})" for at, name in old[:_MOST_TOLD])
    return [f"The state of {told} is more than {stale_days} days old; entries made since are not known."]
