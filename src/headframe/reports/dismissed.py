"""The dismissed share of each detector, report after report, without telling of single cases.

Of all cases that were decided so far, so many were dismissed: "6 of 26", and in the next report "7 of 27" would tell
that the one case which was decided in between was dismissed. So a figure follows only when it has moved far enough: the
dismissed cases by none or by at least the smallest cell, and the others likewise. Till then the report repeats what was
told before. What was told before is worked out again from the events, so nothing has to be remembered, and a report
that is written late says what it would have said.

A case that was decided in the period in which it was opened is in the funnel of that period too, with its outcome. A
share of just those cases would tell what the funnel hides: of 30 decided cases 20 are confirmed, 8 were dismissed, so
the two that are left are victims. So such cases are told only together with enough that were decided later, which no
funnel counts as decided; and while enough are still waiting that might have been those.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headframe.cases.apply import replay
from headframe.records.case import Approve, Case
from headframe.reports.funnel import TOO_FEW, CaseFacts, DismissedShare, detectors_of, is_dismissed, outcome_of
from headframe.reports.suppression import MIN_CELL

Tally = tuple[int, int]
"""Dismissed cases, and decided cases that were not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """How many cases were decided by the end of a period.

    Attributes
    ----------
    decided : mapping of str to (int, int)
        By detector; a case with two detectors counts for both.
    in_funnels : mapping of str to (int, int)
        Cases as they stood at the end of the period in which they were opened, for that period and all before: the
        funnels of those periods count them.
    waiting : int
        Cases that were opened in an earlier period and are not decided yet.
    """

    decided: Mapping[str, Tally]
    in_funnels: Mapping[str, Tally] = field(default_factory=dict)
    waiting: int = 0


def tallies_over(facts: Iterable[CaseFacts], ends_ns: Sequence[int]) -> Iterator[Tallies]:
    """Dismissed and other decided cases of each detector, as they stood at the end of each period.

    Parameters
    ----------
    facts : iterable of CaseFacts
        As they stood at the last end, or later.
    ends_ns : sequence of int
        Rising, from the end of the period on in which the first case was opened. [ns since 1970-01-01 UTC]

    Yields
    ------
    Tallies
        For each end.
    """
    changes: list[Counter[tuple[str, bool]]] = [Counter() for _ in ends_ns]
    in_funnels: list[Counter[tuple[str, bool]]] = [Counter() for _ in ends_ns]
    waiting = [0] * (len(ends_ns) + 1)
    for one in facts:
        own = bisect_left(ends_ns, one.case.opened_ns + 1)
        if own == len(ends_ns):
            continue
        waiting[own + 1] += 1
        before: frozenset[tuple[str, bool]] = frozenset()
        for place, after in _states(one.case, ends_ns):
            changes[place].update(after - before)
            changes[place].subtract(before - after)
            waiting[max(place, own + 1)] += bool(before) - bool(after)
            if place == own:
                in_funnels[place].update(after)
            before = after
    now: Counter[tuple[str, bool]] = Counter()
    counted: Counter[tuple[str, bool]] = Counter()
    for place, change in enumerate(changes):
        now.update(change)
        counted.update(in_funnels[place])
        yield Tallies(decided=_by_name(now), in_funnels=_by_name(counted), waiting=sum(waiting[: place + 1]))


def _by_name(counts: Mapping[tuple[str, bool], int]) -> dict[str, Tally]:
    return {
        name: (counts.get((name, True), 0), counts.get((name, False), 0))
        for name in sorted({name for name, _ in counts})
    }


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


def told(tallies: Iterable[Tallies], min_cell: int = MIN_CELL) -> dict[str, Tally]:
    """What the report of the last period tells: of each detector the latest figures that had moved far enough.

    Parameters
    ----------
    tallies : iterable of Tallies
        At the end of each period from the first on.
    min_cell : int

    Returns
    -------
    dict
        By detector; (0, 0) where there were never enough.

    Examples
    --------
    >>> told([Tallies(decided={"stratum": (6, 20)}), Tallies(decided={"stratum": (7, 20)})])
    {'stratum': (6, 20)}
    """
    shown: dict[str, Tally] = {}
    funnels_then: dict[str, Tally] = {}
    for each in tallies:
        for name, tally in each.decided.items():
            counted = each.in_funnels.get(name, (0, 0))
            early = _moved(counted, funnels_then.get(name, (0, 0)))
            moved = _moved(tally, shown.setdefault(name, (0, 0)))
            if _may_be_told(early, _moved(moved, early), each.waiting, min_cell):
                shown[name], funnels_then[name] = tally, counted
    return shown


def _moved(new: Tally, old: Tally) -> Tally:
    return new[0] - old[0], new[1] - old[1]


def _may_be_told(early: Tally, later: Tally, waiting: int, min_cell: int) -> bool:
    """Whether what moved tells of no single case, and nothing of funnels.

    `early` are cases that funnels count as decided, `later` all others. A reader who knows the one has the other: so
    the later ones move by none or by enough, as if they were told alone. And where there are early ones he must not
    have them: their number may be higher by the later ones that are not, and lower by those that wait.
    """
    if any(early) and waiting < min_cell:
        return False
    return all(
        rest >= min_cell or (not of_funnels and (rest == 0 or -rest >= min_cell))
        for of_funnels, rest in zip(early, later, strict=True)
    )


def share_rows(shown: Mapping[str, Tally]) -> tuple[tuple[str, ...], ...]:
    """Dismissed shares as texts: detector, count, share and its 95 % interval."""
    return tuple(
        DismissedShare.of(name, wrong, wrong + kept).row() if wrong + kept else (name, TOO_FEW, "", "")
        for name, (wrong, kept) in sorted(shown.items())
    )
