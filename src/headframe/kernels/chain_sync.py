"""How much better a chain's blocks explain a conversation's pushes than chance does: the sums, segment by segment.

Letters as in docs/detectors/chain_sync.md: d offset, w window, θ share of blocks that cause a push, p chance of a hit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.kernels.jit import kernel

ALL, LARGE, UNASKED = 0, 1, 2
CLASSES = 3
"""Classes of pushes: all; those of a job's size; those that answer nothing."""


class Grid(NamedTuple):
    """The alternatives that are mixed.

    Attributes
    ----------
    first_ns, step_ns, offsets : int
        Offsets of the clock: ``first_ns + k * step_ns`` for k below `offsets`. [ns]
    windows_ns : int64[w]
        How long after its block a push may come. [ns]
    shares : float64[θ]
        Share of blocks that cause a push, between 0 and 1. [unitless]
    offset_weights : float64[d]
        Weight of each offset; they add up to 1. Classes, windows and shares weigh the same. [unitless]
    """

    first_ns: int
    step_ns: int
    offsets: int
    windows_ns: NDArray[np.int64]
    shares: NDArray[np.float64]
    offset_weights: NDArray[np.float64]


@kernel
def class_bits(size, reply, server_sign, large_bytes, bits):
    """Which classes each burst belongs to, as bits; 0 for the client's own.

    Parameters
    ----------
    size : int32[n]
        Bytes with the side's sign. [bytes]
    reply : bool[n]
    server_sign : int
        -1 where the responder is the server, 1 where the originator is.
    large_bytes : int
        From this size on a burst is large. [bytes]
    bits : uint8[n]
        Filled.
    """
    for k in range(len(size)):
        bits[k] = 0
        if size[k] * server_sign > 0:
            bits[k] = 1 << ALL
            if abs(np.int64(size[k])) >= large_bytes:
                bits[k] |= 1 << LARGE
            if not reply[k]:
                bits[k] |= 1 << UNASKED


@kernel
def add_segment(time_ns, bits, first, last, start_ns, end_ns, blocks_ns, grid, hits, inside, log_e):
    """Take one segment of a conversation into the sums.

    The segment is the half-open stretch of time from `start_ns` to `end_ns`; only pushes in it count, for the chance
    as for the hits.

    Parameters
    ----------
    time_ns : int64[n], bits : uint8[n]
        Bursts of the conversation, ascending. [ns]
    first, last : int
        Those of the segment.
    start_ns, end_ns : int
        [ns]
    blocks_ns : int64[m]
        Arrivals, ascending; every one that any offset moves into the segment. [ns]
    grid : Grid
    hits : int32[CLASSES, w, d], inside : int32[d]
        Room to count in; overwritten.
    log_e : float64[CLASSES, w, θ, d]
        Natural logarithm of the e-process; the segment's factor is added.

    Returns
    -------
    int
        The most blocks that lay in the segment at any offset; with none nothing was added.
    """
    n_windows = len(grid.windows_ns)
    n_offsets = grid.offsets
    hits[:] = 0
    inside[:] = 0
    last_offset_ns = grid.first_ns + (n_offsets - 1) * grid.step_ns
    longest_ns = grid.windows_ns[n_windows - 1]
    near = first
    for b in range(len(blocks_ns)):
        t = blocks_ns[b]
        # Offsets that move this block into the segment: d in [start - t, end - t).
        low = max(0, _ceil_div(start_ns - t - grid.first_ns, grid.step_ns))
        high = min(n_offsets, _ceil_div(end_ns - t - grid.first_ns, grid.step_ns))
        if low >= high:
            continue
        for d in range(low, high):
            inside[d] += 1
        while near < last and time_ns[near] < t + grid.first_ns:
            near += 1
        for c in range(CLASSES):
            bit = np.uint8(1 << c)
            for w in range(n_windows):
                window_ns = grid.windows_ns[w]
                free = low  # offsets below are counted already
                for k in range(near, last):
                    wait = time_ns[k] - t
                    if wait > last_offset_ns + longest_ns:
                        break
                    if not bits[k] & bit:
                        continue
                    # A push that comes `wait` after the block is a hit for d in [wait - w, wait].
                    begin = max(free, _ceil_div(wait - window_ns - grid.first_ns, grid.step_ns))
                    end = min(high, (wait - grid.first_ns) // grid.step_ns + 1)
                    for d in range(begin, end):
                        hits[c, w, d] += 1
                    free = max(free, end)
    most = 0
    for d in range(n_offsets):
        most = max(most, inside[d])
    if most == 0:
        return 0
    for c in range(CLASSES):
        for w in range(n_windows):
            p = chance(time_ns, bits, first, last, start_ns, end_ns, c, grid.windows_ns[w])
            hit_row = hits[c, w]
            any_hit = False
            for d in range(n_offsets):
                any_hit |= hit_row[d] > 0
            for s in range(len(grid.shares)):
                share = grid.shares[s]
                miss = np.log1p(-share)
                # E = (1 - θ + θ/p)**hits * (1 - θ)**misses; the rows are views, for the compiler's sake.
                row = log_e[c, w, s]
                if any_hit:
                    gain = (np.log(1.0 - share + share / p) if p > 0.0 else 0.0) - miss
                    for d in range(n_offsets):
                        row[d] += hit_row[d] * gain + inside[d] * miss
                else:
                    for d in range(n_offsets):
                        row[d] += inside[d] * miss
    return most


@kernel
def chance(time_ns, bits, first, last, start_ns, end_ns, of_class, window_ns):
    """Share of a segment from which the next push is at most a window away: p_w.

    Parameters are those of `add_segment`; `of_class` is the class of pushes, `window_ns` one window.
    """
    measure = np.int64(0)
    before = start_ns
    for k in range(first, last):
        if bits[k] & np.uint8(1 << of_class):
            measure += min(window_ns, time_ns[k] - before)
            before = time_ns[k]
    return measure / (end_ns - start_ns)


@kernel
def log_mixture(log_e, offset_weights):
    """Natural logarithm of the weighted mean of the e-processes.

    Parameters
    ----------
    log_e : float64[CLASSES, w, θ, d]
    offset_weights : float64[d]
    """
    # Neighbouring offsets mostly have the same hits: a run of equal values is one term with the weight of all.
    n_offsets = len(offset_weights)
    values = np.empty(log_e.size)
    weights = np.empty(log_e.size)
    count = 0
    for c in range(log_e.shape[0]):
        for w in range(log_e.shape[1]):
            for s in range(log_e.shape[2]):
                row = log_e[c, w, s]
                value = row[0]
                weight = offset_weights[0]
                for d in range(1, n_offsets):
                    if row[d] == value:
                        weight += offset_weights[d]
                    else:
                        values[count] = value
                        weights[count] = weight
                        count += 1
                        value = row[d]
                        weight = offset_weights[d]
                values[count] = value
                weights[count] = weight
                count += 1
    best = values[0]
    for k in range(1, count):
        best = max(best, values[k])
    total = 0.0
    for k in range(count):
        total += weights[k] * np.exp(values[k] - best)
    return best + np.log(total * n_offsets / log_e.size)


@kernel
def _ceil_div(a, b):
    return -((-a) // b)


@kernel
def add_conversation(time_ns, bits, start_ns, end_ns, blocks_ns, covered_ns, grid, segment_ns, most_pushes, log_e):
    """Cut a conversation into segments and take all into the sums.

    A segment ends after `segment_ns`, or where it holds `most_pushes`, or where the clock ends: rules that look at
    the conversation and at what the clock covers, never at the blocks.

    Parameters
    ----------
    time_ns : int64[n], bits : uint8[n]
        Bursts, ascending. [ns]
    start_ns, end_ns : int
        From the first packet to behind the last. [ns]
    blocks_ns : int64[m]
        All blocks of the clock, ascending. [ns]
    covered_ns : int64[c, 2]
        Stretches in which all blocks are known. [ns]
    grid : Grid
    segment_ns : int
    most_pushes : int
    log_e : float64[CLASSES, w, θ, d]
        The sums; added to.

    Returns
    -------
    blocks : int
        Blocks in all segments, at the offset that has the most in each.
    watched_ns : int
        Length of all segments together. [ns]
    """
    hits = np.zeros((CLASSES, len(grid.windows_ns), grid.offsets), dtype=np.int32)
    inside = np.zeros(grid.offsets, dtype=np.int32)
    last_offset_ns = grid.first_ns + (grid.offsets - 1) * grid.step_ns
    blocks = 0
    watched_ns = np.int64(0)
    first = 0
    nearest = np.searchsorted(covered_ns[:, 1], start_ns - last_offset_ns)
    for c in range(nearest, len(covered_ns)):
        if covered_ns[c, 0] + grid.first_ns >= end_ns:
            break
        # At every offset the segment must lie where the clock knows all blocks.
        begin = max(start_ns, covered_ns[c, 0] + last_offset_ns)
        stop = min(end_ns, covered_ns[c, 1] + grid.first_ns)
        while begin < stop:
            while first < len(time_ns) and time_ns[first] < begin:
                first += 1
            last = first
            end = min(stop, begin + segment_ns)
            while last < len(time_ns) and time_ns[last] < end:
                if last - first == most_pushes:
                    end = time_ns[last]
                    break
                last += 1
            while last > first and time_ns[last - 1] >= end:  # bursts at the very instant of the cut
                last -= 1
            if end <= begin:  # more bursts than that at one instant: step over them
                begin += 1
                continue
            low = np.searchsorted(blocks_ns, begin - last_offset_ns)
            high = np.searchsorted(blocks_ns, end - grid.first_ns)
            if high > low:
                blocks += add_segment(
                    time_ns, bits, first, last, begin, end, blocks_ns[low:high], grid, hits, inside, log_e
                )
            watched_ns += end - begin
            begin = end
            first = last
    return blocks, watched_ns


@kernel
def measure_many(
    time_ns, bits, burst_at, spans_ns, span_at, blocks_ns, covered_ns, grid, segment_ns, most_pushes, log_e, watched_ns
):
    """Evidence of many subjects against one clock.

    Parameters
    ----------
    time_ns : int64[n], bits : uint8[n]
        Bursts of all subjects, one subject after the other. [ns]
    burst_at : int64[m + 1]
        Where the bursts of each subject begin.
    spans_ns : int64[k, 2]
        When the subjects were watched, one subject after the other. [ns]
    span_at : int64[m + 1]
        Where the spans of each subject begin.
    blocks_ns, covered_ns, grid, segment_ns, most_pushes
        See `add_conversation`.
    log_e : float64[m]
        Filled: natural logarithm of each subject's e-value.
    watched_ns : int64[m]
        Filled: time over which subject and clock could be compared. [ns]
    """
    sums = np.zeros((CLASSES, len(grid.windows_ns), len(grid.shares), grid.offsets))
    dirty = False
    for s in range(len(log_e)):
        if dirty:
            sums[:] = 0.0
            dirty = False
        log_e[s] = 0.0
        watched_ns[s] = 0
        blocks = 0
        first = burst_at[s]
        last = burst_at[s + 1]
        for k in range(span_at[s], span_at[s + 1]):
            more, longer_ns = add_conversation(
                time_ns[first:last],
                bits[first:last],
                spans_ns[k, 0],
                spans_ns[k, 1],
                blocks_ns,
                covered_ns,
                grid,
                segment_ns,
                most_pushes,
                sums,
            )
            blocks += more
            watched_ns[s] += longer_ns
        if blocks:
            dirty = True
            log_e[s] = log_mixture(sums, grid.offset_weights)
