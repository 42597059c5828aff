"""Hours to a household's unvarying load: what runs at every hour, and what runs at the same hours of every night.

A window is folded by hour of day. Of each of the 24 hours the lower quantile over days says what is nearly always
there, the median what is there on a common day. Both are exact order statistics of at most a few dozen values: linear
in the readings. The hour of day is that of UTC: a machine's hours are a run of hours whichever clock names them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headframe.kernels.jit import kernel
from headframe.kernels.sort_columns import sort_columns

HOURS = 24
HOUR_S = 3_600

# Columns of what `fold_homes` fills in.
(
    WINDOWS,
    FLOOR_EFFECTIVE_W,
    FLOOR_W,
    FLOOR_MEAN_W,
    FLOOR_CALM_W,
    FLOOR_FIRST_HOUR,
    FLOOR_DAYS,
    BLOCK_EFFECTIVE_W,
    BLOCK_LIFT_W,
    BLOCK_SPREAD_W,
    BLOCK_CALM_W,
    OUTSIDE_CALM_W,
    BLOCK_BASE_W,
    BLOCK_HOUR,
    BLOCK_LENGTH,
    BLOCK_FIRST_HOUR,
    BLOCK_DAYS,
    COVERED,
) = range(18)
COLUMNS = 18


class HomeSettings(NamedTuple):
    """What the fold is told; see `detectors.power.homes.HomeParameters` for meanings and origins."""

    window_days: int
    quantile: float
    variable_weight: float
    block_hours: int
    base_hours: int
    least_days: int
    least_span_days: int
    least_covered: float
    zero_run_hours: int


@kernel
def effective_power(steady_w, variable_w, weight, soft_w):
    """Steady power, discounted by the varying power that comes with it. [W]

    ``v (v + c) / (v + c + w s)``: as much as `v` where nothing varies, less the more does. `c` keeps a load of a few
    watts from being judged by the ratio of two roundings.
    """
    v = max(steady_w, 0.0)
    return v * (v + soft_w) / (v + soft_w + weight * max(variable_w, 0.0))


@kernel
def calmest(swing, begin, length):
    """Mean of the three smallest of `length` hours from `begin` on; of fewer than three, the smallest."""
    a = np.inf
    b = np.inf
    c = np.inf
    for j in range(length):
        x = swing[begin + j]
        if x < a:
            a, b, c = x, a, b
        elif x < b:
            b, c = x, b
        elif x < c:
            c = x
    if length >= 3:
        return (a + b + c) / 3.0
    return a


@kernel
def fold_homes(power_w, first, start_s, wanted, settings, soft_w, out):
    """The steady load of each usage point, in that of its windows where it stands out most.

    Windows of ``window_days`` are counted back from the end of the run; what is left over at its beginning is used
    only if nothing else is there. In each, two spans are looked at: its later half, and all of it. So a machine that
    came within the window's first half is seen too.

    Parameters
    ----------
    power_w : float32[total]
        Hourly, NaN where missing. [W]
    first : int64[n + 1]
        Where each run begins.
    start_s : int64[n]
        [s since 1970-01-01 UTC]
    wanted : bool[n]
        The rest is passed over: no windows, NaN.
    settings : HomeSettings
    soft_w : float
        See `effective_power`. [W]
    out : float32[n, 18]
        Filled, by the columns named above: number of windows looked at; of the always-on load its effective power,
        floor, the mean load over its span, the span's first hour within the run and its days; of the block of hours
        likewise, with its first hour of day (UTC) and length; share of readings present. NaN where no span has enough
        readings. "Calm" is the swing from a quiet to a lively day in the three calmest hours.
    """
    days_most = settings.window_days
    clean = np.empty((days_most, HOURS), np.float32)
    values = np.empty((days_most, HOURS), np.float32)
    day_total = np.empty(days_most, np.float64)
    count = np.empty(HOURS, np.int64)
    # By hour of day, twice in a row, so that a run of hours over midnight needs no division.
    low = np.empty(2 * HOURS, np.float64)
    middle = np.empty(2 * HOURS, np.float64)
    swing = np.empty(2 * HOURS, np.float64)  # from a quiet to a lively day
    order = np.empty(HOURS, np.float64)
    spans = np.empty(2, np.int64)
    for u in range(len(first) - 1):
        begin = first[u]
        end = first[u + 1]
        for c in range(COLUMNS):
            out[u, c] = np.nan
        out[u, WINDOWS] = 0.0
        if not wanted[u]:
            continue
        all_days = (end - begin) // HOURS
        windows = max(all_days // days_most, 1)
        present = 0
        # Exact zeros of a day and longer are what a source writes for readings that it lacks. The walk goes backwards
        # through all windows, so that each run of zeros, here from `zero_from` up to `zero_to`, is measured once.
        zero_from = end
        zero_to = end
        for w in range(windows):
            last = end - w * days_most * HOURS
            days = min(days_most, (last - begin) // HOURS)
            if days < settings.least_days:
                break
            # All days of the window, the last first; a missing reading sorts behind all others.
            at = last
            for d in range(days):
                day_total[d] = 0.0
                for j in range(HOURS - 1, -1, -1):
                    at -= 1
                    p = power_w[at]
                    if p == 0.0:
                        if not (zero_from <= at < zero_to):
                            zero_from = at
                            while zero_from > begin and power_w[zero_from - 1] == 0.0:
                                zero_from -= 1
                            zero_to = at + 1
                            while zero_to < end and power_w[zero_to] == 0.0:
                                zero_to += 1
                        if zero_to - zero_from >= settings.zero_run_hours:
                            p = np.float32(np.nan)
                    if p == p:
                        day_total[d] += p
                        clean[d, j] = p
                    else:
                        clean[d, j] = np.inf
            for j in range(HOURS):
                count[j] = 0
            total = 0.0
            number = 0
            spans[0] = max(days // 2, min(settings.least_span_days, days))
            spans[1] = days
            usable = False
            done = 0
            for s in range(2):
                if spans[s] <= done:
                    continue
                stop = last - spans[s] * HOURS
                for d in range(done, spans[s]):
                    total += day_total[d]
                    for j in range(HOURS):
                        if clean[d, j] < np.inf:
                            count[j] += 1
                            number += 1
                done = spans[s]
                enough = True
                for j in range(HOURS):
                    if count[j] < settings.least_covered * done:
                        enough = False
                if not enough:
                    continue
                usable = True
                for d in range(done):
                    for j in range(HOURS):
                        values[d, j] = clean[d, j]
                sort_columns(values, done, HOURS)
                for j in range(HOURS):
                    n = count[j]
                    h = (start_s[u] // HOUR_S + (last - begin) + j) % HOURS
                    low[h] = values[int(settings.quantile * (n - 1)), j]
                    middle[h] = values[(n - 1) // 2, j]
                    swing[h] = values[int((1.0 - settings.quantile) * (n - 1)), j] - low[h]
                    low[h + HOURS] = low[h]
                    middle[h + HOURS] = middle[h]
                    swing[h + HOURS] = swing[h]
                # Always on: what the quietest hour of the day carries.
                floor = low[0]
                for h in range(1, HOURS):
                    floor = min(floor, low[h])
                mean = total / number
                calm = calmest(swing, 0, HOURS)
                effective = effective_power(floor, mean - floor, settings.variable_weight, soft_w)
                effective *= (floor + soft_w) / (floor + soft_w + settings.variable_weight * calm)
                if not (out[u, FLOOR_EFFECTIVE_W] >= effective):
                    out[u, FLOOR_EFFECTIVE_W] = effective
                    out[u, FLOOR_W] = floor
                    out[u, FLOOR_MEAN_W] = mean
                    out[u, FLOOR_CALM_W] = calm
                    out[u, FLOOR_FIRST_HOUR] = stop - begin
                    out[u, FLOOR_DAYS] = done
                # The same hours of every day: a run of hours that lies above the quietest hours.
                for h in range(HOURS):
                    x = low[h]
                    k = h
                    while k > 0 and order[k - 1] > x:
                        order[k] = order[k - 1]
                        k -= 1
                    order[k] = x
                base = 0.0
                for k in range(settings.base_hours):
                    base += order[k] / settings.base_hours
                for h0 in range(HOURS):
                    lowest = np.inf
                    second = np.inf
                    for j in range(settings.block_hours):
                        x = low[h0 + j]
                        if x < lowest:
                            second = lowest
                            lowest = x
                        elif x < second:
                            second = x
                    lift = second - base
                    if lift <= 0.0 and out[u, BLOCK_EFFECTIVE_W] >= 0.0:
                        continue
                    if out[u, BLOCK_EFFECTIVE_W] >= lift:
                        continue  # it can only become less
                    varying = 0.0
                    for j in range(settings.block_hours):
                        varying += (middle[h0 + j] - low[h0 + j]) / settings.block_hours
                    effective = effective_power(lift, varying, settings.variable_weight, soft_w)
                    within = calmest(swing, h0, settings.block_hours)
                    outside = calmest(swing, h0 + settings.block_hours, HOURS - settings.block_hours)
                    if within > outside:
                        effective *= np.sqrt((outside + soft_w) / (within + soft_w))
                    if not (out[u, BLOCK_EFFECTIVE_W] >= effective):
                        out[u, BLOCK_EFFECTIVE_W] = effective
                        out[u, BLOCK_LIFT_W] = max(lift, 0.0)
                        out[u, BLOCK_SPREAD_W] = varying
                        out[u, BLOCK_CALM_W] = within
                        out[u, OUTSIDE_CALM_W] = outside
                        out[u, BLOCK_BASE_W] = base
                        # The whole run of hours that carries at least half of it.
                        half = base + 0.5 * lift
                        from_hour = h0
                        if low[h0] < half:
                            from_hour = h0 + 1
                        length = 0
                        while length < HOURS and low[(from_hour + length) % HOURS] >= half:
                            length += 1
                        while length < HOURS and low[(from_hour - 1) % HOURS] >= half:
                            from_hour -= 1
                            length += 1
                        out[u, BLOCK_HOUR] = from_hour % HOURS
                        out[u, BLOCK_LENGTH] = length
                        out[u, BLOCK_FIRST_HOUR] = stop - begin
                        out[u, BLOCK_DAYS] = done
            present += number
            if usable:
                out[u, WINDOWS] += 1.0
        used = min(end - begin, windows * days_most * HOURS)
        out[u, COVERED] = present / used if used > 0 else 0.0
