"""The dismissed share of each detector, report after report, without telling of single cases.

Of all cases that were decided so far, so many were dismissed: "6 of 26", and in the next report "7 of 27" would tell
that the one case which was decided in between was dismissed. So a figure follows only when it has moved far enough: the
dismissed cases by none or by at least the smallest cell, and the others likewise. Till then the report repeats what was
told before. What was told before is worked out again from the events, so nothing has to be remembered, and a report
that is written late says what it would have said.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from headframe.cases.apply import replay
from headframe.records.case import Approve, Case
from headframe.reports.funnel import TOO_FEW, CaseFacts, DismissedShare, detectors_of, is_dismissed, outcome_of
from headframe.reports.suppression import MIN_CELL

Tally = tuple[int, int]
"""Dismissed cases, and decided cases that were not."""


def tallies_over(facts: Iterable[CaseFacts], ends_ns: Sequence[int]) -> Iterator[dict[str, Tally]]:
    """Dismissed and other decided cases of each detector, as they stood at the end of each period.

    Parameters
    ----------
    facts : iterable of CaseFacts
        As they stood at the last end, or later.
    ends_ns : sequence of int
        Rising. [ns since 1970-01-01 UTC]

    Yields
    ------
    dict
        By detector, for each end; a case with two detectors counts for both.
    """
    changes: list[Counter[tuple[str, bool]]] = [Counter() for _ in ends_ns]
    for one in facts:
        before: frozenset[tuple[str, bool]] = frozenset()
        for place, after in _states(one.case, ends_ns):
            changes[place].update(after - before)
            changes[place].subtract(before - after)
            before = after
    now: Counter[tuple[str, bool]] = Counter()
    for change in changes:
        now.update(change)
        yield {name: (now[name, True], now[name, False]) for name in sorted({name for name, _ in now})}


def _states(case: Case, ends_ns: Sequence[int]) -> Iterator[tuple[int, frozenset[tuple[str, bool]]]]:
    """Where a decided case counts, by detector and whether it is dismissed, at each end at which that may be new."""
    # Nothing is decided without an approval, of a decision or of a class.
    first = next((event.at_ns for event in case.events if isinstance(event.act, Approve)), None)
    if first is None:
        return
    known = 0
    for place in range(bisect_left(ends_ns, first + 1), len(ends_ns)):
        events = [event for event in case.events if event.at_ns < ends_ns[place]]
        if len(events) == known:
            continue
        known = len(events)
        then = replay(events)
        decided = bool(outcome_of(then))
        yield place, frozenset((name, is_dismissed(then)) for name in detectors_of(then)) if decided else frozenset()
        if known == len(case.events):
            return


def told(tallies: Iterable[Mapping[str, Tally]], min_cell: int = MIN_CELL) -> dict[str, Tally]:
    """What the report of the last period tells: of each detector the latest figures that had moved far enough.

    Parameters
    ----------
    tallies : iterable of mapping of str to (int, int)
        By detector, at the end of each period from the first on.
    min_cell : int

    Returns
    -------
    dict
        By detector; (0, 0) where there were never enough.

    Examples
    --------
    >>> told([{"stratum": (6, 20)}, {"stratum": (7, 20)}])
    {'stratum': (6, 20)}
    """
    shown: dict[str, Tally] = {}
    for each in tallies:
        for name, tally in each.items():
            moved = [abs(new - old) for new, old in zip(tally, shown.setdefault(name, (0, 0)), strict=True)]
            if all(step == 0 or step >= min_cell for step in moved):
                shown[name] = tally
    return shown


def share_rows(shown: Mapping[str, Tally]) -> tuple[tuple[str, ...], ...]:
    """Dismissed shares as texts: detector, count, share and its 95 % interval."""
    return tuple(
        DismissedShare.of(name, wrong, wrong + kept).row() if wrong + kept else (name, TOO_FEW, "", "")
        for name, (wrong, kept) in sorted(shown.items())
    )
