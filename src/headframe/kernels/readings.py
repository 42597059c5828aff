"""Interval readings, sorted by usage point and time, as runs of steps: lengths inferred, energy shared out."""

import numpy as np

from headframe.kernels.jit import kernel

CANDIDATES = 16
"""Lengths that are counted at a time; the one that fills more than a sixteenth of the readings is always among them."""

STEADY = 24
"""After so many equal differences in a row a meter is taken to have changed its interval, not to have gaps.
A day of hours, or half a day of half hours."""

WHOLE = 0.99
"""Share of a step that readings must cover for it to count as complete: a clock may be some seconds off."""


@kernel
def usual_length(start_s, first, last):
    """Most frequent difference of times in one run, 0 if there is none; of two as frequent, the shorter.

    Parameters
    ----------
    start_s : int64[n]
        Ascending between `first` and `last`. [s]
    first, last : int

    Returns
    -------
    int
        [s]
    """
    length = np.zeros(CANDIDATES, np.int64)
    count = np.zeros(CANDIDATES, np.int64)
    used = 0
    at = 0
    for k in range(first + 1, last):
        difference = start_s[k] - start_s[k - 1]
        if difference <= 0:
            continue
        if used and length[at] == difference:
            count[at] += 1
            continue
        found = -1
        for c in range(used):
            if length[c] == difference:
                found = c
                break
        if found < 0 and used < CANDIDATES:
            found = used
            length[used] = difference
            used += 1
        if found < 0:
            # Misra and Gries: what is frequent survives, and rare ones cancel each other.
            for c in range(used):
                count[c] -= 1
                if count[c] <= 0:
                    found = c
                    length[c] = difference
                    count[c] = 0
                    break
            if found < 0:
                continue
        count[found] += 1
        at = found
    best, most = 0, 0
    for c in range(used):
        if count[c] > most or (count[c] == most and count[c] > 0 and length[c] < best):
            best, most = length[c], count[c]
    return best


@kernel
def infer_lengths(first, start_s, at_end, fallback_s, duration_s):
    """Length of each interval, from the usual difference of its run and the distance to its neighbour.

    An interval is never longer than the way to the next one; where a new difference holds for a day's worth of
    readings, it is the new length; any other longer way is a gap.

    Parameters
    ----------
    first : int64[r + 1]
        Where runs begin.
    start_s : int64[n]
        Start, or end, of each interval; ascending in each run. [s]
    at_end : bool
        Whether intervals are named by their end.
    fallback_s : int
        For a run that has no difference. [s]
    duration_s : int32[n]
        Filled; 0 where it cannot be known. [s]
    """
    for r in range(len(first) - 1):
        begin, end = first[r], first[r + 1]
        usual = usual_length(start_s, begin, end)
        if usual == 0 or usual > 2147483647:
            usual = fallback_s
        for k in range(begin, end):
            duration_s[k] = usual
        # Stretches of equal differences.
        k = begin
        while k < end - 1:
            difference = start_s[k + 1] - start_s[k]
            stop = k + 1
            while stop < end - 1 and start_s[stop + 1] - start_s[stop] == difference:
                stop += 1
            if 0 < difference < 2147483647 and (difference < usual or stop - k >= STEADY):
                if at_end:
                    for j in range(k + 1, stop + 1):
                        duration_s[j] = difference
                else:
                    for j in range(k, stop):
                        duration_s[j] = difference
            k = stop
        # The same interval said twice has one length.
        if at_end:
            for k in range(begin + 1, end):
                if start_s[k] == start_s[k - 1]:
                    duration_s[k] = duration_s[k - 1]
        else:
            for k in range(end - 2, begin - 1, -1):
                if start_s[k] == start_s[k + 1]:
                    duration_s[k] = duration_s[k + 1]


@kernel
def ascends(first, start_s):
    """Whether starts ascend, or stay, in every run."""
    for r in range(len(first) - 1):
        for k in range(first[r] + 1, first[r + 1]):
            if start_s[k] < start_s[k - 1]:
                return False
    return True


@kernel
def spans(first, start_s, duration_s, step_s, step_first, steps):
    """First step and number of steps that each run touches.

    Parameters
    ----------
    first : int64[r + 1]
    start_s : int64[n], duration_s : int32[n]
        [s]
    step_s : int
        [s]
    step_first : int64[r], steps : int64[r]
        Filled: number of the first step since 1970, and how many; 0 for an empty run.
    """
    for r in range(len(first) - 1):
        low, high = np.int64(9223372036854775807), np.int64(-9223372036854775807)
        for k in range(first[r], first[r + 1]):
            at = start_s[k]
            if at < low:
                low = at
            if at + duration_s[k] > high:
                high = at + duration_s[k]
        if high <= low:
            step_first[r], steps[r] = 0, 0
        else:
            step_first[r] = low // step_s
            steps[r] = (high - 1) // step_s - step_first[r] + 1


@kernel
def fill_steps(
    first, start_s, duration_s, value, scale, is_power, longest_s, step_s, step_first, out_first, power_w, covered
):
    """Mean power of each step: readings are shared out by the time that they overlap it.

    A step counts only if readings cover it; of readings with the same start the last counts. Equivalent, for readings
    as long as a step: ``power_w[start_s // step_s - step_first] = energy_wh * 3600 / step_s``.

    Parameters
    ----------
    first : int64[r + 1]
        Where runs begin; ascending starts in each.
    start_s : int64[n], duration_s : int32[n]
        [s]
    value : float32[n] or float64[n]
        Energy or mean power of each reading, NaN where missing.
    scale : float
        What 1 in `value` is. [Wh or W]
    is_power : bool
    longest_s : int
        Readings longer than this stay out. [s]
    step_s : int
        [s]
    step_first, out_first : int64[r], int64[r + 1]
        First step of each run, and where its steps begin in `power_w`.
    power_w : float32[total]
        Filled; NaN where a step is not covered. [W]
    covered : int32[m]
        Room for the steps of the longest run; overwritten. [s]

    Returns
    -------
    (int, int)
        How many readings gave way to a later one of the same start, and how many of these said the same.
    """
    repeated, same = 0, 0
    least = np.int32(WHOLE * step_s)
    per_step = 1.0 / step_s
    energy_scale = scale * 3600.0
    for r in range(len(first) - 1):
        base = out_first[r]
        size = out_first[r + 1] - base
        for j in range(base, base + size):
            power_w[j] = 0.0
            covered[j - base] = 0
        origin = step_first[r] * step_s
        end = first[r + 1]
        j, edge = 0, step_s  # the step that the reading starts in, and its end
        for k in range(first[r], end):
            if k + 1 < end and start_s[k + 1] == start_s[k]:
                repeated += 1
                if value[k + 1] == value[k] or (value[k] != value[k] and value[k + 1] != value[k + 1]):
                    same += 1
                continue
            length = np.int64(duration_s[k])
            if length <= 0 or length > longest_s or value[k] != value[k]:
                continue
            at = start_s[k] - origin
            while at >= edge:
                j += 1
                edge += step_s
            # In watt seconds, until the step is divided by the seconds that it has.
            whole = value[k] * scale * length if is_power else value[k] * energy_scale
            if at + length <= edge:
                power_w[base + j] += whole
                covered[j] += length
                continue
            watts = whole / length
            until, step = edge, j
            left = length
            while left > 0:
                part = min(left, until - at)
                power_w[base + step] += watts * part
                covered[step] += part
                left -= part
                at = until
                until += step_s
                step += 1
        for j in range(size):
            if covered[j] == step_s:
                power_w[base + j] *= per_step  # a division takes several times as long
            elif covered[j] >= least and covered[j] > 0:
                power_w[base + j] /= covered[j]
            else:
                power_w[base + j] = np.nan
    return repeated, same


@kernel
def drop_zero_runs(first, power_w, longest, stray_share):
    """Make long runs of exact 0 missing, in a load that otherwise is never 0: stores write so what they do not have.

    Parameters
    ----------
    first : int64[r + 1]
        Where runs of steps begin.
    power_w : float32[total]
        Changed. [W]
    longest : int
        A run of zeros of this length or more is long. [steps]
    stray_share : float
        Share of the other steps that may be 0 all the same, for the load to count as never 0. [unitless]

    Returns
    -------
    int
        How many steps became missing.
    """
    dropped = 0
    for r in range(len(first) - 1):
        begin, end = first[r], first[r + 1]
        positive, stray, long = 0, 0, 0
        run = 0
        for k in range(begin, end + 1):
            if k < end and power_w[k] == 0:
                run += 1
                continue
            if run >= longest:
                long += run
            else:
                stray += run
            run = 0
            if k < end and power_w[k] > 0:
                positive += 1
        if long == 0 or positive == 0 or stray > stray_share * positive:
            continue
        run = 0
        for k in range(begin, end + 1):
            if k < end and power_w[k] == 0:
                run += 1
                continue
            if run >= longest:
                for j in range(k - run, k):
                    power_w[j] = np.nan
                dropped += run
            run = 0
    return dropped
