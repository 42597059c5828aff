"""One clock of a chain out of what several sources say, with the stretches of time over which it is complete.

**Why a stretch begins and ends at a block, and leaves both out.** Blocks of a chain arrive as a Poisson process. What
the detector needs of it: given how many blocks fall into a stretch of time, they lie there like independent uniform
draws. That holds for a stretch between two fixed times. A source, however, does not know blocks over fixed times, but
from one height to another. So a stretch is taken from the first block of a run of known heights to the last, and these
two are left out. The first is a stopping time: by the strong Markov property what comes after it is again a Poisson
process, whatever came before. Seen backwards in time a Poisson process is one as well, and the last block is a
stopping time of that. Between the two the remaining blocks are, given their number, uniform. Had the first and the
last been kept, there would always be a block at the very edge, which no Poisson process has.

**Where a run of known heights is broken although no height is missing.** A source that was asleep, cut off, or still
fetching the chain from others tells of its blocks late: a long silence, then many at once. Such times are not those at
which pools pushed. Two consecutive blocks are not joined

- where more than ``-log(1e-9)`` mean spacings lie between them: a Poisson process does that once in 10^9 blocks;
- where they belong to ``m + 1`` blocks within so short a time ``d`` that the chance of it is below 1e-9. The chance
  that ``m`` further blocks come within ``d`` is at most ``(d / spacing)^m / m!``. The interval before such blocks goes
  as well: the first of them is late, too.

This looks at nothing but the clock, so it favours no conversation. It changes the law of what is left by less than
1e-9 per block and rule, as long as the chain keeps its target spacing; where its hash rate has just multiplied or
collapsed, it costs coverage and nothing else.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headframe.records.block import BlockClock, Chain
from headframe.sources.chain.chains import chain_of, why_header_times_are_coarse
from headframe.sources.chain.series import (
    NO_TIME,
    NS_PER_S,
    BadClock,
    BlockSeries,
    earliest_of_each_height,
    step_ns,
)

ABSURD_CHANCE = 1e-9
"""What is less likely than this is a fault of the source, not chance: Bitcoin finds 10^9 blocks in 19,000 years."""
MOST_IN_A_BURST = 16
"""Bursts are looked for up to so many blocks beyond the first; a longer one is many of these side by side."""
FEWEST_COMMON = 5
"""Fewer common heights than this say nothing about how two clocks differ."""
MOST_SPREAD_S = 10.0
"""Two sources differ by a constant where the middle half of their differences lies within this. Of two Bitcoin nodes
of 2023 it lies within 1.0 s, over 39,198 blocks; of a source that is a height off it is as wide as intervals. [s]"""
TRUSTED_APART_S = 60.0
"""Where three or more sources know a block, one that heard of it earlier than the middle one by more than this is not
believed: no node hears of a block a minute before most others do (even in 2013 nearly all Bitcoin nodes had a block
within 40 s: Decker and Wattenhofer, IEEE P2P 2013, section IV). [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Time between two stretches that are covered.

    Attributes
    ----------
    start_ns, end_ns : int
        [ns since 1970-01-01 UTC]
    first_height, last_height : int
        The known blocks on either side.
    reason : str
    """

    start_ns: int
    end_ns: int
    first_height: int
    last_height: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """A clock and how it came about.

    Attributes
    ----------
    clock : BlockClock
    gaps : tuple of Gap
        In order of time.
    offsets_ns : dict of str to int
        How far each source's clock was ahead of the common one; taken away from its times. [ns]
    remarks : tuple of str
        What was left out, mended or could not be compared.
    """

    clock: BlockClock
    gaps: tuple[Gap, ...]
    offsets_ns: dict[str, int]
    remarks: tuple[str, ...]


def reconcile(
    series: Sequence[BlockSeries],
    *,
    header_time: bool = False,
    community_ids: Iterable[str] = (),
) -> Reconciled:
    """One clock of one chain.

    Each source has a constant offset: its clock is ahead, or it sits far from the miners. The offset is the median
    difference over the heights that it has in common with another; it is taken away, and then the earliest
    trustworthy arrival of each height counts. The common clock is that of the source in the middle (of two: of the
    one that knows more blocks); with one source nothing is shifted. A source whose difference is no constant is left
    out, with a remark.

    Header times stand in where nobody has an arrival time, if they are good enough on this chain: see
    `why_header_times_are_coarse`.

    Parameters
    ----------
    series : sequence of BlockSeries
        All of one chain.
    header_time : bool
        True uses header times also where they are too coarse, at the caller's own risk: on Bitcoin they are off by
        minutes as a rule.
    community_ids : iterable of str
        Conversations that the times were taken from.

    Returns
    -------
    Reconciled
        Its clock may cover nothing: where there are fewer than three blocks in a row.

    Raises
    ------
    BadClock
        If there is no series, they are of several chains, or there are but header times that are too coarse.

    References
    ----------
    .. [1] J. F. C. Kingman, "Poisson Processes", Oxford University Press, 1993, section 2.4 (given their number, the
       points are uniform) and section 4.1 (the interval theorem).
    """
    if not series:
        raise BadClock("no block times were given; give a file, or follow a node: headframe clock --help")
    if len({one.chain for one in series}) > 1:
        raise BadClock(f"block times of several chains cannot make one clock: {sorted({s.chain for s in series})}")
    chain = chain_of(series[0].chain)
    remarks: list[str] = []
    columns = _arrival_columns(series)
    fallback = _header_columns(series)
    lacking = _union(fallback)
    lacking = lacking[~np.isin(lacking, _union(columns), assume_unique=True)]
    coarse = why_header_times_are_coarse(chain)
    if len(lacking) and coarse and not header_time:
        if not columns:
            raise BadClock(
                f"{chain.symbol}: there are header times only, and they are too coarse: {coarse}. Give arrival "
                "times: those at which a node or a pool's job told of each block"
            )
        remarks.append(f"{len(lacking):,} heights have a header time only, which is too coarse: {coarse}")
        lacking = lacking[:0]
    used_header = bool(len(lacking))
    columns += fallback if used_header else []
    if used_header:
        remarks.append(f"{len(lacking):,} heights have a header time only, which stands in")

    offsets = _offsets(columns, remarks)
    columns = [one for k, one in enumerate(columns) if k in offsets]
    heights, times_ns = _earliest(columns, list(offsets.values()), lacking, remarks)
    resolution_ns = max((one.resolution_ns for one in columns if len(one.heights)), default=NS_PER_S)
    heights, times_ns = _ascending(heights, times_ns, resolution_ns, remarks)
    if chain.proof_of_work_until_ns is not None:
        mined = times_ns <= chain.proof_of_work_until_ns + 60 * NS_PER_S
        if not mined.all():
            remarks.append(f"{int((~mined).sum()):,} blocks are left out: {chain.name} was no longer mined by then")
        heights, times_ns = heights[mined], times_ns[mined]
    covered, inside, gaps = _stretches(chain, heights, times_ns, resolution_ns)
    if not len(covered):
        remarks.append(
            f"nothing is covered: of {len(heights):,} blocks there are nowhere three in a row, which the shortest "
            "stretch takes"
        )
    clock = BlockClock(
        chain=chain.symbol,
        arrival_ns=times_ns[inside],
        heights=heights[inside],
        resolution_ns=resolution_ns,
        covered=covered,
        sources=tuple(dict.fromkeys(one.label for one in columns)),
        header_time=used_header,
        community_ids=frozenset(community_ids),
    )
    return Reconciled(
        clock=clock,
        gaps=gaps,
        offsets_ns={one.label: offset for one, offset in zip(columns, offsets.values(), strict=True)},
        remarks=tuple(remarks),
    )


# --- columns of times -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    """Heights and times of one source, of one kind."""

    label: str
    heights: NDArray[np.int64]
    times_ns: NDArray[np.int64]
    resolution_ns: int
    is_header: bool


def _arrival_columns(series: Sequence[BlockSeries]) -> list[_Column]:
    return [
        _Column(one.clock_source, *_known(one.heights, one.arrival_ns), one.resolution_ns, False)
        for one in _by_source(series)
        if np.any(one.arrival_ns != NO_TIME)
    ]


def _header_columns(series: Sequence[BlockSeries]) -> list[_Column]:
    return [
        _Column(f"{one.clock_source} (header time)", *_known(one.heights, one.header_ns), step_ns(one.header_ns), True)
        for one in _by_source(series)
        if np.any(one.header_ns != NO_TIME)
    ]


def _known(heights: NDArray[np.int64], times_ns: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    known = times_ns != NO_TIME
    return heights[known], times_ns[known]


def _by_source(series: Sequence[BlockSeries]) -> list[BlockSeries]:
    """One series per source: what one clock wrote down is one series, whatever the step of each part."""
    groups: dict[str, list[BlockSeries]] = {}
    for one in series:
        groups.setdefault(one.clock_source, []).append(one)
    found = []
    for parts in groups.values():
        if len(parts) == 1:
            found += parts
            continue
        heights, arrival_ns, header_ns = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("heights", "arrival_ns", "header_ns")
        )
        kept = earliest_of_each_height(heights, arrival_ns, header_ns)
        found.append(
            replace(
                parts[0],
                heights=heights[kept],
                arrival_ns=arrival_ns[kept],
                header_ns=header_ns[kept],
                resolution_ns=max(part.resolution_ns for part in parts),
            )
        )
    return found


def _union(columns: Sequence[_Column]) -> NDArray[np.int64]:
    if not columns:
        return np.empty(0, dtype=np.int64)
    # By sorting: the hash table of numpy's own `unique` is slow on numbers that follow each other.
    heights = np.sort(np.concatenate([one.heights for one in columns]))
    return heights[np.r_[True, heights[1:] != heights[:-1]]]


def _offsets(columns: Sequence[_Column], remarks: list[str]) -> dict[int, int]:
    """How far each source is ahead of the common clock, by its place in `columns`; some are left out. [ns]

    Sources are joined one after the other to those that are joined already, each by the partner with which it has most
    heights in common. The cost is linear in blocks for each pair of sources.
    """
    if not columns:
        return {}
    joined = {max(range(len(columns)), key=lambda k: (not columns[k].is_header, len(columns[k].heights))): 0}
    left_out: set[int] = set()
    common: dict[tuple[int, int], tuple[int, int, float]] = {}
    while len(joined) + len(left_out) < len(columns):
        best, count, apart, spread_s = (0, 0), 0, 0, 0.0
        for k in set(range(len(columns))) - set(joined) - left_out:
            for j in joined:
                if (k, j) not in common:
                    common[k, j] = _differences(columns[k], columns[j])
                if common[k, j][0] > count:
                    best, (count, apart, spread_s) = (k, j), common[k, j]
        if count < FEWEST_COMMON:
            break
        k, j = best
        if spread_s > MOST_SPREAD_S and not columns[k].is_header:
            left_out.add(k)
            remarks.append(
                f"{columns[k].label} is left out: it does not differ from {columns[j].label} by a constant, half of "
                f"the differences spread over {spread_s:,.0f} s. Does its clock jump, or is it a height off (a job "
                "names the height that comes after the block it tells of)?"
            )
        else:
            joined[k] = joined[j] + apart
    for k in sorted(set(range(len(columns))) - set(joined) - left_out):
        remarks.append(
            f"{columns[k].label} has fewer than {FEWEST_COMMON} heights in common with the others: its clock cannot be "
            "compared with theirs, and is taken as it is"
        )
    # A header's own clock is nobody's: it does not vote for the middle.
    votes = sorted(offset for k, offset in joined.items() if not columns[k].is_header)
    zero = votes[(len(votes) - 1) // 2] if len(votes) > 2 else next(iter(joined.values()))
    return {k: joined[k] - zero if k in joined else 0 for k in range(len(columns)) if k not in left_out}


def _differences(a: _Column, b: _Column) -> tuple[int, int, float]:
    """Number of common heights, the median of how much later `a` has them [ns], the spread of the middle half [s]."""
    _, in_a, in_b = np.intersect1d(a.heights, b.heights, assume_unique=True, return_indices=True)
    if not len(in_a):
        return 0, 0, 0.0
    low, middle, high = np.quantile(a.times_ns[in_a] - b.times_ns[in_b], (0.25, 0.5, 0.75))
    return len(in_a), round(float(middle)), float(high - low) / NS_PER_S


def _earliest(
    columns: Sequence[_Column], offsets: Sequence[int], lacking: NDArray[np.int64], remarks: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Heights and the earliest trustworthy time of each; header times at the `lacking` heights only."""
    parts = []
    for one, offset in zip(columns, offsets, strict=True):
        kept = np.isin(one.heights, lacking) if one.is_header else np.ones(len(one.heights), dtype=bool)
        parts.append((one.heights[kept], one.times_ns[kept] - offset))
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    heights = np.concatenate([part[0] for part in parts])
    times_ns = np.concatenate([part[1] for part in parts])
    order = np.lexsort((times_ns, heights))
    heights, times_ns = heights[order], times_ns[order]
    first = np.flatnonzero(np.r_[True, heights[1:] != heights[:-1]]) if len(heights) else np.empty(0, dtype=np.int64)
    counts = np.diff(np.r_[first, len(heights)])
    chosen = first.copy()
    trusted_ns = int(TRUSTED_APART_S * NS_PER_S)
    doubted = 0
    # The times of a height ascend, so the middle one is in the middle; who comes far before it is passed over.
    for count in (np.flatnonzero(np.bincount(counts)[3:]) + 3).tolist():
        these = np.flatnonzero(counts == count)
        rows = times_ns[first[these][:, None] + np.arange(count)[None, :]]
        middle = rows[:, (count - 1) // 2]
        early = (rows < (middle - trusted_ns)[:, None]).sum(axis=1)
        chosen[these] += early
        doubted += int(early.sum())
    if doubted:
        remarks.append(
            f"{doubted:,} arrivals lie more than {TRUSTED_APART_S:g} s before those of most sources, and are not "
            "believed"
        )
    pairs = first[counts == 2]
    apart = int(np.count_nonzero(times_ns[pairs + 1] - times_ns[pairs] > trusted_ns)) if len(pairs) else 0
    if apart:
        remarks.append(
            f"two sources differ by more than {TRUSTED_APART_S:g} s about {apart:,} blocks; the earlier time counts"
        )
    return heights[first], times_ns[chosen]


# --- order ------------------------------------------------------------------------------------------------------------


def _ascending(
    heights: NDArray[np.int64], times_ns: NDArray[np.int64], resolution_ns: int, remarks: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Times that ascend with height: steps back within the resolution are levelled, others leave out what is wrong."""
    back = times_ns[:-1] - times_ns[1:]
    small = (back > 0) & (back <= resolution_ns)
    if small.any():
        times_ns = times_ns.copy()
        times_ns[1:][small] = times_ns[:-1][small]
        remarks.append(
            f"{int(small.sum()):,} blocks came within the step of the clock before the block they follow; "
            "taken as arriving together with it"
        )
    if not np.any(times_ns[1:] < times_ns[:-1]):
        return heights, times_ns
    kept = longest_ascending(times_ns)
    left_out = np.ones(len(heights), dtype=bool)
    left_out[kept] = False
    remarks.append(
        f"{int(left_out.sum()):,} blocks are left out, height {heights[left_out][0]} for one: their times contradict "
        "the order of the heights"
    )
    return heights[kept], times_ns[kept]


def longest_ascending(times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the longest part that never goes down: what is left when as few blocks as possible are called wrong.

    Parameters
    ----------
    times_ns : int64[n]
        In order of height. [ns]

    Returns
    -------
    int64[k]
        Ascending places.

    Notes
    -----
    Only where something is out of order is anything to be decided: a block that comes after all lower ones and
    before all higher ones is always in. Between those, patience sorting, O(n log n) [1]_.

    References
    ----------
    .. [1] M. L. Fredman, "On computing the length of longest increasing subsequences", Discrete Mathematics 11,
       1975, section 2. doi:10.1016/0012-365X(75)90103-X

    Examples
    --------
    >>> longest_ascending(np.array([1, 2, 99, 3, 4])).tolist()
    [0, 1, 3, 4]
    """
    from bisect import bisect_right

    n = len(times_ns)
    if not n:
        return np.empty(0, dtype=np.int64)
    highest = np.maximum.accumulate(times_ns)
    lowest = np.minimum.accumulate(times_ns[::-1])[::-1]
    ends = np.flatnonzero(np.r_[highest[:-1] <= lowest[1:], True]) + 1
    starts = np.r_[0, ends[:-1]]
    kept = np.zeros(n, dtype=bool)
    kept[starts[ends - starts == 1]] = True
    for start, end in zip(starts[ends - starts > 1].tolist(), ends[ends - starts > 1].tolist(), strict=True):
        values = times_ns[start:end].tolist()
        tails: list[int] = []
        tail_places: list[int] = []
        before = [-1] * len(values)
        for place, value in enumerate(values):
            k = bisect_right(tails, value)
            before[place] = tail_places[k - 1] if k else -1
            if k == len(tails):
                tails.append(value)
                tail_places.append(place)
            else:
                tails[k], tail_places[k] = value, place
        place = tail_places[-1]
        while place >= 0:
            kept[start + place] = True
            place = before[place]
    return np.flatnonzero(kept).astype(np.int64)


# --- stretches --------------------------------------------------------------------------------------------------------


def longest_spacing_s(chain: Chain) -> float:
    """Time between two blocks that is exceeded once in 10^9 blocks. [s]"""
    return -math.log(ABSURD_CHANCE) * chain.spacing_s


def shortest_time_s(chain: Chain, further: int) -> float:
    """Time within which so many further blocks follow a block less often than once in 10^9 blocks.

    From ``P(N(d) >= m) <= (d / spacing)^m / m!``, which holds for every Poisson process.

    Parameters
    ----------
    chain : Chain
    further : int
        1 or more.

    Returns
    -------
    float
        [s]
    """
    return math.exp((math.log(ABSURD_CHANCE) + math.lgamma(further + 1)) / further) * chain.spacing_s


def _stretches(
    chain: Chain, heights: NDArray[np.int64], times_ns: NDArray[np.int64], resolution_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_], tuple[Gap, ...]]:
    """Covered stretches, which blocks lie inside one, and the gaps between with the reason of each."""
    n = len(heights)
    if n < 2:
        return np.empty((0, 2), dtype=np.int64), np.zeros(n, dtype=bool), ()
    missing = np.diff(heights) != 1
    silent = ~missing & (np.diff(times_ns) > int(longest_spacing_s(chain) * NS_PER_S))
    edges = np.zeros(n, dtype=np.int64)  # +1 where a run of intervals begins that came at once, -1 behind its end
    for further in range(2, min(MOST_IN_A_BURST, n - 1) + 1):
        apart_ns = times_ns[further:] - times_ns[:-further]
        # The last arrival may have been a whole step later than written, and the first not.
        burst = np.flatnonzero(apart_ns + resolution_ns < shortest_time_s(chain, further) * NS_PER_S)
        np.add.at(edges, np.maximum(burst - 1, 0), 1)
        np.add.at(edges, burst + further, -1)
    at_once = np.cumsum(edges[:-1]) > 0
    broken = missing | silent | at_once
    run_start = np.flatnonzero(np.r_[True, broken])
    run_end = np.r_[run_start[1:] - 1, n - 1]
    # Two blocks in a row bound a stretch with nothing in it, which says nothing: given that there are none, none is
    # where it is.
    good = (run_end - run_start >= 2) & (times_ns[run_end] > times_ns[run_start])
    inside = np.zeros(n, dtype=bool)
    marks = np.zeros(n + 1, dtype=np.int64)
    marks[run_start[good] + 1] += 1
    marks[run_end[good]] -= 1
    inside[np.cumsum(marks[:-1]) > 0] = True
    covered = np.stack((times_ns[run_start[good]], times_ns[run_end[good]]), axis=1)

    gaps = []
    starts, ends = run_start[good], run_end[good]
    for left, right in zip(ends[:-1].tolist(), starts[1:].tolist(), strict=True):
        between = slice(left, right)
        lacking = int(heights[right] - heights[left] - (right - left))
        reasons = []
        if lacking:
            reasons.append(f"{lacking:,} heights are not known")
        if silent[between].any():
            longest_s = float(np.diff(times_ns[left : right + 1])[silent[between]].max()) / NS_PER_S
            reasons.append(
                f"{longest_s:,.0f} s between two consecutive blocks, more than {longest_spacing_s(chain):,.0f} s: the "
                "source slept, or the chain stood still"
            )
        if at_once[between].any():
            count = int(at_once[between].sum())
            reasons.append(f"{count:,} intervals next to blocks that came at once: the source was catching up")
        gaps.append(
            Gap(
                start_ns=int(times_ns[left]),
                end_ns=int(times_ns[right]),
                first_height=int(heights[left]),
                last_height=int(heights[right]),
                reason="; ".join(reasons),
            )
        )
    return covered.astype(np.int64).reshape(-1, 2), inside, tuple(gaps)


# --- cutting ----------------------------------------------------------------------------------------------------------


def clock_between(clock: BlockClock, start_ns: int, end_ns: int) -> BlockClock:
    """The part of a clock that lies between two times.

    Two fixed times are as good an end of a stretch as a block is: what lies between is, given its number, uniform.

    Parameters
    ----------
    clock : BlockClock
    start_ns, end_ns : int
        [ns since 1970-01-01 UTC]

    Returns
    -------
    BlockClock
        With no stretch where the clock covers nothing there, or where `end_ns` is not after `start_ns`.
    """
    covered = np.stack((np.maximum(clock.covered[:, 0], start_ns), np.minimum(clock.covered[:, 1], end_ns)), axis=1)
    covered = covered[covered[:, 1] > covered[:, 0]]
    if not len(covered):
        return replace(clock, arrival_ns=clock.arrival_ns[:0], heights=clock.heights[:0], covered=covered)
    stretch = np.maximum(np.searchsorted(covered[:, 0], clock.arrival_ns, side="right") - 1, 0)
    inside = (clock.arrival_ns >= covered[stretch, 0]) & (clock.arrival_ns <= covered[stretch, 1])
    return replace(clock, arrival_ns=clock.arrival_ns[inside], heights=clock.heights[inside], covered=covered)


def without_heights(clock: BlockClock, heights: Iterable[int] | NDArray[np.int64]) -> BlockClock:
    """A clock that does not know some blocks: those that a conversation itself has told of, say.

    A stretch in which such a block lies is split there: it ends at the known block before and goes on at the known
    block after, and these two, which are ends now, are left out as well.

    Parameters
    ----------
    clock : BlockClock
    heights : iterable of int
        Heights that the clock does not have are passed over.

    Returns
    -------
    BlockClock
    """
    unwanted = np.fromiter(heights, dtype=np.int64) if not isinstance(heights, np.ndarray) else heights
    removed = np.isin(clock.heights, unwanted)
    if not removed.any():
        return clock
    kept = np.zeros(len(clock.heights), dtype=bool)
    pieces: list[tuple[int, int]] = []
    lows = np.searchsorted(clock.arrival_ns, clock.covered[:, 0], side="left")
    highs = np.searchsorted(clock.arrival_ns, clock.covered[:, 1], side="right")
    for (start_ns, end_ns), low, high in zip(clock.covered.tolist(), lows.tolist(), highs.tolist(), strict=True):
        gone = np.flatnonzero(removed[low:high]) + low
        # Pieces between removed blocks; the outer ends are those of the stretch, the inner ones known blocks.
        edges = [low - 1, *gone.tolist(), high]
        for left, right in itertools.pairwise(edges):
            first, last = left + 1, right - 1
            if first > last:
                continue
            begin_ns, finish_ns = start_ns, end_ns
            if left >= low:
                begin_ns = int(clock.arrival_ns[first])
                first += 1
            if right < high:
                finish_ns = int(clock.arrival_ns[last])
                last -= 1
            if first <= last and finish_ns > begin_ns:
                pieces.append((begin_ns, finish_ns))
                kept[first : last + 1] = True
    covered = np.array(pieces, dtype=np.int64).reshape(-1, 2)
    return replace(clock, arrival_ns=clock.arrival_ns[kept], heights=clock.heights[kept], covered=covered)
