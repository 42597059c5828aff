"""A session in few bins: how many jobs and shares were seen in each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from headframe.records.finding import MOST_COURSE_BINS, Course

BINS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Lengths of a bin that people have words for. [s]"""

_NS = 1_000_000_000
_ANSWERS = ("accepted", "rejected", "stale", "unanswered")


def course_of(jobs_ns: Sequence[int], shares: Sequence[tuple[int, str]]) -> Course | None:
    """Count jobs and shares in bins of the smallest length of which `MOST_COURSE_BINS` are enough.

    Parameters
    ----------
    jobs_ns : sequence of int
        When the pool pushed a job, in any order. [ns since 1970-01-01 UTC]
    shares : sequence of (int, str)
        When a share was handed in, and what became of it.

    Returns
    -------
    Course or None
        Bins begin at multiples of their length. None where neither a job nor a share was seen.
    """
    times = [*jobs_ns, *(at for at, _ in shares)]
    if not times:
        return None
    first_s, last_s = min(times) // _NS, max(times) // _NS
    bin_s = next((length for length in BINS_S if last_s // length - first_s // length < MOST_COURSE_BINS), 0)
    while not bin_s or last_s // bin_s - first_s // bin_s >= MOST_COURSE_BINS:
        bin_s = (bin_s or BINS_S[-1]) + BINS_S[-1]
    begin_s = first_s // bin_s * bin_s
    bins = last_s // bin_s - first_s // bin_s + 1

    def counted(moments: Iterable[int]) -> tuple[int, ...]:
        counts = [0] * bins
        for at in moments:
            counts[(at // _NS - begin_s) // bin_s] += 1
        return tuple(counts)

    by_answer: dict[str, list[int]] = {}
    for at, answer in shares:
        by_answer.setdefault(answer, []).append(at)
    return Course(
        started_ns=begin_s * _NS,
        bin_s=bin_s,
        jobs=counted(jobs_ns) if jobs_ns else (),
        shares=tuple((answer, counted(by_answer[answer])) for answer in _ANSWERS if answer in by_answer),
    )
