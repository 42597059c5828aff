"""Days to steps: from which day on a load carries the same watts more, at the same hours of every day.

A machine that is switched on for good adds a constant. So the change from the weeks before to the weeks after is the
same in watts at every hour of the day at which it runs, on weekdays and weekends alike; what people do changes by day
more than by night. A day is folded into eight blocks of three hours, each block's value is the median of its hours,
and changes are differences of means over whole weeks, from prefix sums: linear in the readings.
"""

from typing import NamedTuple

import numpy as np

from headframe.kernels.jit import kernel

DAY_S = 86_400
HOUR_S = 3_600
BLOCKS = 8
"""Parts of a day. Three hours: the shortest in which one missing or odd hour leaves a median."""
BLOCK_HOURS = 3
WEEK = 7
YEAR_DAYS = 364
"""Whole weeks next to a year: the same weekday of the same season. [days]"""
MOST_W = 1e12
"""No meter reads more; an infinity in the data must not make one of a mean. [W]"""
HEATING_C = 15.5
"""Base temperature of heating degree days as in Europe and Britain (60 degrees F). [degrees C]"""
COOLING_C = 20.0
"""[degrees C]"""
LEAST_EXPLAINED = 0.1
"""Of the variance of the changes from week to week: below, a slope is chance."""
SEARCH_DAYS = 2
"""The hour is searched this far to both sides of the day. [days]"""

# Columns of what `scan_steps` fills in, for an upward and a downward step alike.
(
    SCORE,
    SIZE_W,
    DAY,
    FIRST_BLOCK,
    RUN_BLOCKS,
    Z,
    UNEVEN,
    HELD,
    SHARP,
    ONSET_HOUR,
    BEFORE_W,
    AFTER_W,
    NOISE_W,
    WEEKDAYS,
    LASTED,
    WAS_LOW,
    MEAN_W,
) = range(17)
COLUMNS = 17


class ScanSettings(NamedTuple):
    """What the scan is told; see `detectors.power.load_step.LoadStepParameters` for meanings and origins."""

    most_days: int
    least_noise: float
    uneven_weight: float
    partial_weight: float
    least_z: float


@kernel
def fold_days(power_w, start_s, from_s, offset_s, day_0, hours_at, values):
    """Median power of each block of each local day.

    Parameters
    ----------
    power_w : float32[n]
        Hourly, NaN where missing. [W]
    start_s : int
        Of the first hour. [s since 1970-01-01 UTC]
    from_s : int64[k], offset_s : int32[k]
        The clock's offset from UTC, and since when. [s]
    day_0 : int
        First local day. [days since 1970-01-01]
    hours_at : int64[days + 1]
        Filled: where each local midnight lies in `power_w`; may be negative or beyond its end.
    values : float32[days, 8]
        Filled: the median of each block's hours, the mean if only two are there, NaN if fewer, and NaN all over a day
        of nothing but exact 0: sources write 0 for what they lack. [W]
    """
    n = len(power_w)
    place = 0
    days = values.shape[0]
    for d in range(days + 1):
        midnight = (day_0 + d) * DAY_S
        while place + 1 < len(from_s) and from_s[place + 1] <= midnight - offset_s[place]:
            place += 1
        at = (midnight - offset_s[place] - start_s) // HOUR_S
        hours_at[d] = at
        if d == days:
            break
        zero = True
        for b in range(BLOCKS):
            i = at + BLOCK_HOURS * b
            x = np.float32(np.nan)
            if i >= 0 and i + 2 < n:
                p = power_w[i]
                q = power_w[i + 1]
                r = power_w[i + 2]
                if p + q + r == p + q + r:
                    x = max(min(p, q), min(max(p, q), r))
                elif p + q == p + q:
                    x = (p + q) / 2
                elif p + r == p + r:
                    x = (p + r) / 2
                elif q + r == q + r:
                    x = (q + r) / 2
            if not abs(x) < MOST_W:
                x = np.float32(np.nan)
            values[d, b] = x
            if x == x and x != 0:
                zero = False
        if zero:
            for b in range(BLOCKS):
                values[d, b] = np.nan


@kernel
def _week_change(sums, counts, t, back, ahead, b):
    """Mean of block `b` over `ahead` days from `t` less that over the `back` days before; NaN if half is missing."""
    n_0 = counts[t, b] - counts[t - back, b]
    n_1 = counts[t + ahead, b] - counts[t, b]
    if 2 * n_0 <= back or 2 * n_1 <= ahead:
        return np.nan
    return (sums[t + ahead, b] - sums[t, b]) / n_1 - (sums[t, b] - sums[t - back, b]) / n_0


@kernel
def take_off_weather(values, warmth, day_0, warmth_day_0):
    """Take off what follows the outdoor temperature, block by block.

    Heating and cooling are fitted to the changes from each day to the same weekday a week later: a step is in few of
    them. Only a load that rises with cold or with warmth, and clearly so, is taken off.

    Parameters
    ----------
    values : float32[days, 8]
        Changed. [W]
    warmth : float32[k]
        Mean outdoor temperature of each local day, NaN where not known. [degrees C]
    day_0, warmth_day_0 : int
        First local day of each. [days since 1970-01-01]
    """
    days = values.shape[0]
    cold = np.full(days, np.nan)
    warm = np.full(days, np.nan)
    for d in range(days):
        k = day_0 + d - warmth_day_0
        if 0 <= k < len(warmth) and warmth[k] == warmth[k]:
            cold[d] = max(HEATING_C - warmth[k], 0.0)
            warm[d] = max(warmth[k] - COOLING_C, 0.0)
    for b in range(BLOCKS):
        # Odd weeks must not make a slope: changes count up to four times a typical one.
        size = 0.0
        n = 0
        for d in range(days - WEEK):
            x = values[d + WEEK, b] - values[d, b] + cold[d] + cold[d + WEEK]
            if x == x:
                size += abs(values[d + WEEK, b] - values[d, b])
                n += 1
        if n < 3 * WEEK:
            continue
        limit = 3.0 * size / n
        hh = 0.0
        cc = 0.0
        hc = 0.0
        hy = 0.0
        cy = 0.0
        yy = 0.0
        for d in range(days - WEEK):
            h = cold[d + WEEK] - cold[d]
            c = warm[d + WEEK] - warm[d]
            y = values[d + WEEK, b] - values[d, b]
            if h == h and c == c and y == y:
                y = min(max(y, -limit), limit)
                hh += h * h
                cc += c * c
                hc += h * c
                hy += h * y
                cy += c * y
                yy += y * y
        heating = 0.0
        cooling = 0.0
        det = hh * cc - hc * hc
        if det > 1e-6 * hh * cc and det > 0:
            heating = (hy * cc - cy * hc) / det
            cooling = (cy * hh - hy * hc) / det
        if heating <= 0 or cooling <= 0:  # one of them, or neither
            heating = max(hy / hh, 0.0) if hh > 0 and heating >= cooling else 0.0
            cooling = max(cy / cc, 0.0) if cc > 0 and heating == 0.0 else 0.0
            if heating == 0.0 and cooling == 0.0 and hh > 0:
                heating = max(hy / hh, 0.0)
        explained = heating * hy + cooling * cy
        if yy <= 0 or explained < LEAST_EXPLAINED * yy:
            continue
        for d in range(days):
            if cold[d] == cold[d]:
                values[d, b] -= heating * cold[d] + cooling * warm[d]


@kernel
def median_of(values, count):
    """Give the median of the first `count` values, at least one, whose order changes: Hoare's selection."""
    middle = count // 2
    low = 0
    high = count - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i = low
        j = high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            break
    upper = values[middle]
    if count % 2 == 1:
        return upper
    lower = values[0]  # all before the middle are at most `upper`
    for k in range(1, middle):
        lower = max(lower, values[k])
    return 0.5 * (lower + upper)


@kernel
def week_changes(sums, counts, days, changes):
    """Fill in the change from each week to the next, by block, and return of how many days.

    Parameters
    ----------
    sums : float64[days + 1, 8], counts : int32[days + 1, 8]
        Prefix sums of the blocks' values and how many there are.
    days : int
    changes : float64[m, 8]
        Filled: NaN where half of a week is missing. In longer data every second day is looked at, or every third and
        so on, so that m suffice. [W]
    """
    step = max((days - 2 * WEEK) // len(changes) + 1, 1)
    n = 0
    for t in range(WEEK, days - WEEK + 1, step):
        if n == len(changes):
            break
        for b in range(BLOCKS):
            changes[n, b] = _week_change(sums, counts, t, WEEK, WEEK, b)
        n += 1
    return n


@kernel
def block_noise(changes, n, least_w, noise, values):
    """How much the mean of a week differs from that of the week before, by block of the day.

    The median over the series of the absolute change: a step touches two weeks' worth of it.

    Parameters
    ----------
    changes : float64[m, 8]
        The first `n` of them count. [W]
    n : int
    least_w : float
        Added in squares: no load is quieter than a meter's resolution. [W]
    noise : float64[8]
        Filled, as a standard deviation; NaN where fewer than five changes are known. [W]
    values : float64[m]
        Scratch.
    """
    for b in range(BLOCKS):
        k = 0
        for t in range(n):
            x = changes[t, b]
            if x == x:
                values[k] = abs(x)
                k += 1
        noise[b] = np.nan
        if k >= 5:
            typical = median_of(values, k) / 0.6745  # of a normal distribution
            noise[b] = np.sqrt(typical * typical + least_w * least_w)


@kernel
def _best_window(change, weight, settings, sign, out):
    """Find the contiguous hours of the day whose common change stands out most.

    A window's evidence is that of one common change in it, less `uneven_weight` times what the common change leaves
    unexplained in and outside the window. Fills `out` with value, size, first block, blocks, z, unexplained.
    """
    total = 0.0
    for b in range(BLOCKS):
        total += weight[b] * change[b] * change[b]
    found = False
    for s in range(BLOCKS):
        a = 0.0
        w = 0.0
        for length in range(1, BLOCKS + 1):
            b = (s + length - 1) % BLOCKS
            a += weight[b] * change[b]
            w += weight[b]
            if length < 2 or w <= 0 or a * sign <= 0 or (length == BLOCKS and s > 0):
                continue
            z2 = a * a / w
            value = z2 - settings.uneven_weight * (total - z2)
            if length < BLOCKS:
                value *= settings.partial_weight
            if value > out[0]:
                out[0] = value
                out[1] = a / w
                out[2] = s
                out[3] = length
                out[4] = np.sqrt(z2)
                out[5] = np.sqrt(max(total - z2, 0.0))
                found = True
    return found


@kernel
def _usual_change(sums, counts, t, back, ahead, usual):
    """Add up the changes at the same place one year before and one year after; returns how many of them are known."""
    years = 0
    days = sums.shape[0] - 1
    for b in range(BLOCKS):
        usual[b] = 0.0
    for other in (t - YEAR_DAYS, t + YEAR_DAYS):
        if other - back < 0 or other + ahead > days:
            continue
        known = 0
        for b in range(BLOCKS):
            x = _week_change(sums, counts, other, back, ahead, b)
            known += 1 if x == x else 0
        if known == BLOCKS:
            years += 1
            for b in range(BLOCKS):
                usual[b] += _week_change(sums, counts, other, back, ahead, b)
    return years


@kernel
def _judge(power_w, values, hours_at, weight, back, ahead, row):
    """Fill in whether a step holds on each day and stays, and at which hour it comes: HELD to WAS_LOW of `row`."""
    t = int(row[DAY])
    days = values.shape[0]
    s = int(row[FIRST_BLOCK])
    length = int(row[RUN_BLOCKS])
    size = row[SIZE_W]
    # Days against the same weekday on the other side of the step.
    held = 0.0
    of = 0.0
    level_0 = 0.0
    level_1 = 0.0
    counted = 0
    odd = 0.0
    odd_of = 0.0
    for k in range(length):
        b = (s + k) % BLOCKS
        if not weight[b] > 0:
            continue
        for day in range(WEEK):
            sum_0 = 0.0
            n_0 = 0
            sum_1 = 0.0
            n_1 = 0
            d = t - back + day
            while d < t:
                if values[d, b] == values[d, b]:
                    sum_0 += values[d, b]
                    n_0 += 1
                d += WEEK
            d = t + (day - back) % WEEK
            first_after = d
            while d < t + ahead:
                if values[d, b] == values[d, b]:
                    sum_1 += values[d, b]
                    n_1 += 1
                d += WEEK
            if n_0 == 0 or n_1 == 0:
                continue
            level_0 += sum_0 / n_0
            level_1 += sum_1 / n_1
            counted += 1
            odd += weight[b] * abs(sum_1 / n_1 - sum_0 / n_0 - size)
            odd_of += weight[b]
            d = t - back + day
            while d < t:
                if values[d, b] == values[d, b]:
                    share = (sum_1 / n_1 - values[d, b]) / size
                    held += weight[b] * (1.0 if 0.5 < share < 1.5 else 0.0)
                    of += weight[b]
                d += WEEK
            d = first_after
            while d < t + ahead:
                if values[d, b] == values[d, b]:
                    share = (values[d, b] - sum_0 / n_0) / size
                    held += weight[b] * (1.0 if 0.5 < share < 1.5 else 0.0)
                    of += weight[b]
                d += WEEK
    row[HELD] = held / of if of > 0 else np.nan
    row[WEEKDAYS] = odd / odd_of / abs(size) if odd_of > 0 else np.nan
    row[BEFORE_W] = level_0 / counted if counted > 0 else np.nan
    row[AFTER_W] = level_1 / counted if counted > 0 else np.nan

    # The rest of the data: does the new level stay, and was the old one there all along?
    lasted = 0.0
    lasted_of = 0.0
    was_low = 0.0
    was_low_of = 0.0
    for k in range(length):
        b = (s + k) % BLOCKS
        if not weight[b] > 0:
            continue
        sum_0 = 0.0
        n_0 = 0
        for d in range(t - back, t):
            if values[d, b] == values[d, b]:
                sum_0 += values[d, b]
                n_0 += 1
        if n_0 == 0:
            continue
        middle = sum_0 / n_0 + 0.5 * size
        for d in range(days):
            if values[d, b] == values[d, b]:
                above = 1.0 if (values[d, b] - middle) * size > 0 else 0.0
                if d >= t:
                    lasted += weight[b] * above
                    lasted_of += weight[b]
                else:
                    was_low += weight[b] * (1.0 - above)
                    was_low_of += weight[b]
    row[LASTED] = lasted / lasted_of if lasted_of > 0 else np.nan
    row[WAS_LOW] = was_low / was_low_of if was_low_of > 0 else np.nan

    # The hour: before it the readings follow the weeks before, from it on the weeks after.
    n = len(power_w)
    i_0 = max(hours_at[max(t - SEARCH_DAYS, 0)], 0)
    i_1 = min(hours_at[min(t + SEARCH_DAYS, days)], n)
    cost = 0.0  # of the onset at i, relative to an onset at i_0
    best = 0.0
    best_i = i_0
    cost_0 = 0.0  # if all followed the weeks before
    cost_1 = 0.0
    limit = size * size
    for i in range(i_0, i_1):
        x = power_w[i]
        sum_0 = 0.0
        n_0 = 0
        j = i - WEEK * 24
        while j >= hours_at[t] - back * 24 and j >= 0:
            if j < i_0 and power_w[j] == power_w[j]:
                sum_0 += power_w[j]
                n_0 += 1
            j -= WEEK * 24
        sum_1 = 0.0
        n_1 = 0
        j = i + WEEK * 24
        while j < hours_at[t] + ahead * 24 and j < n:
            if j >= i_1 and power_w[j] == power_w[j]:
                sum_1 += power_w[j]
                n_1 += 1
            j += WEEK * 24
        if x == x and n_0 > 0 and n_1 > 0:
            e_0 = (x - sum_0 / n_0) ** 2
            e_1 = (x - sum_1 / n_1) ** 2
            e_0 = min(e_0, limit)  # one odd hour must not outweigh the rest
            e_1 = min(e_1, limit)
            cost_0 += e_0
            cost_1 += e_1
            cost += e_0 - e_1
            if cost < best:
                best = cost
                best_i = i + 1
    row[ONSET_HOUR] = best_i
    # cost_1 + best: following the weeks before up to the onset and those after from there on.
    row[SHARP] = 1.0 - (cost_1 + best) / (0.5 * (cost_0 + cost_1)) if cost_0 + cost_1 > 0 else np.nan


@kernel
def scan_steps(power_w, first, start_s, from_s, offset_s, warmth, warmth_day_0, settings, up, down):
    """Find the step up and the step down that stand out most, for each run of hourly readings.

    Parameters
    ----------
    power_w : float32[total]
        [W]
    first : int64[n + 1]
    start_s : int64[n]
        [s since 1970-01-01 UTC]
    from_s : int64[k], offset_s : int32[k]
        Of the local clock. [s]
    warmth : float32[k]
        Mean outdoor temperature of each local day from `warmth_day_0`; empty where it is not known. [degrees C]
    warmth_day_0 : int
        [days since 1970-01-01]
    settings : ScanSettings
    up, down : float64[n, COLUMNS]
        Filled: `SCORE` (z of the common change, less what it leaves unexplained, in the load's own noise), `SIZE_W`
        (signed), `DAY` (index of the first day of the new level, from the first local day), `FIRST_BLOCK` and
        `RUN_BLOCKS` (hours of the day), `Z`, `UNEVEN` (unexplained, same unit), `HELD` (share of days on which the
        step is there), `SHARP` (1: within the hour, 0: no better than no step), `ONSET_HOUR` (index into the run),
        `BEFORE_W`, `AFTER_W`, `NOISE_W` (of the common change), `WEEKDAYS` (mean deviation of the weekdays' changes,
        over the change), `LASTED` and `WAS_LOW` (share of all later days above the middle of the two levels, and of
        all earlier ones below), `MEAN_W` (of the run). NaN where the run is too short.
    """
    noise = np.empty(BLOCKS)
    changes = np.empty((128, BLOCKS))
    scratch = np.empty(128)
    change = np.empty(BLOCKS)
    usual = np.empty(BLOCKS)
    weight = np.empty(BLOCKS)
    highest = np.empty(2)
    for row in range(len(first) - 1):
        up[row] = np.nan
        down[row] = np.nan
        run = power_w[first[row] : first[row + 1]]
        total = 0.0
        there = 0
        for i in range(len(run)):
            if abs(run[i]) < MOST_W:
                total += run[i]
                there += 1
        if there > 0:
            up[row, :, MEAN_W] = total / there
            down[row, :, MEAN_W] = total / there
        if len(run) < 3 * WEEK * 24:
            continue
        place = 0
        while place + 1 < len(from_s) and from_s[place + 1] <= start_s[row]:
            place += 1
        day_0 = (start_s[row] + offset_s[place]) // DAY_S
        days = (start_s[row] + offset_s[place] + HOUR_S * len(run) - 1) // DAY_S - day_0 + 1
        values = np.empty((days, BLOCKS), dtype=np.float32)
        hours_at = np.empty(days + 1, dtype=np.int64)
        fold_days(run, start_s[row], from_s, offset_s, day_0, hours_at, values)
        if len(warmth) > 0:
            take_off_weather(values, warmth, day_0, warmth_day_0)
        sums = np.zeros((days + 1, BLOCKS))
        counts = np.zeros((days + 1, BLOCKS), dtype=np.int32)
        for d in range(days):
            for b in range(BLOCKS):
                x = values[d, b]
                known = x == x
                sums[d + 1, b] = sums[d, b] + (x if known else 0.0)
                counts[d + 1, b] = counts[d, b] + (1 if known else 0)
        level = 0.0
        level_of = 0
        for b in range(BLOCKS):
            level += sums[days, b]
            level_of += counts[days, b]
        if level_of == 0:
            continue
        level /= level_of
        n = week_changes(sums, counts, days, changes)
        block_noise(changes, n, settings.least_noise * abs(level), noise, scratch)

        # Blocks move together: the noise of their common change, by the same median.
        k = 0
        for t in range(n):
            a = 0.0
            w = 0.0
            for b in range(BLOCKS):
                x = changes[t, b]
                if x == x and noise[b] > 0:
                    u = 1 / (noise[b] * noise[b])
                    a += x * u
                    w += u
            if w > 0:
                scratch[k] = abs(a) / np.sqrt(w)
                k += 1
        if k < 5:
            continue
        # Never below 1: blocks of a random load are independent at best.
        scale = max(median_of(scratch, k) / 0.6745, 1.0)

        up[row, :, SCORE] = 0.0
        down[row, :, SCORE] = 0.0
        highest[:] = 0.0
        peaks = np.zeros((2, days, 6))  # up and down, by day
        for t in range(WEEK, days - WEEK + 1):
            back = min(settings.most_days, t // WEEK * WEEK)
            ahead = min(settings.most_days, (days - t) // WEEK * WEEK)
            # Week means are not independent: their variance falls with the root of their number.
            shrink = np.sqrt((1.0 / back + 1.0 / ahead) * (WEEK / 2.0))
            bound_up = 0.0
            bound_down = 0.0
            for b in range(BLOCKS):
                x = _week_change(sums, counts, t, back, ahead, b)
                if x == x and noise[b] > 0:
                    change[b] = x
                    weight[b] = 1.0 / (noise[b] * noise[b] * shrink)
                    if x > 0:
                        bound_up += x * x * weight[b]
                    else:
                        bound_down += x * x * weight[b]
                else:
                    change[b] = 0.0
                    weight[b] = 0.0
            for side in range(2):
                least = (settings.least_z * scale) ** 2
                if up.shape[1] == 1:
                    least = max(least, highest[side])
                if (bound_up if side == 0 else bound_down) <= least:
                    continue  # Cauchy and Schwarz: no window can have more
                sign = 1 - 2 * side
                peak = peaks[side, t]
                if not _best_window(change, weight, settings, sign, peak):
                    continue
                # The same season one year before and after must not show the same change.
                years = _usual_change(sums, counts, t, back, ahead, usual)
                if years > 0:
                    a = 0.0
                    w = 0.0
                    total = 0.0
                    for b in range(BLOCKS):
                        x = change[b] - usual[b] / years
                        u = weight[b] / (1.0 + 1.0 / years)
                        total += u * x * x
                        if (b - int(peak[2])) % BLOCKS < peak[3]:
                            a += u * x
                            w += u
                    if a * sign <= 0 or w <= 0:
                        peak[0] = 0.0
                        continue
                    z2 = a * a / w
                    adjusted = z2 - settings.uneven_weight * (total - z2)
                    if peak[3] < BLOCKS:
                        adjusted *= settings.partial_weight
                    if adjusted < peak[0]:
                        peak[0] = adjusted
                        peak[1] = a / w
                        peak[4] = np.sqrt(z2)
                        peak[5] = np.sqrt(max(total - z2, 0.0))
                highest[side] = max(highest[side], peak[0])
        for side in range(2):
            out = up if side == 0 else down
            for k in range(out.shape[1]):
                t = 0
                for d in range(WEEK, days - WEEK + 1):
                    if peaks[side, d, 0] > peaks[side, t, 0]:
                        t = d
                if not peaks[side, t, 0] > 0:
                    break
                peak = peaks[side, t]
                step = out[row, k]
                back = min(settings.most_days, t // WEEK * WEEK)
                ahead = min(settings.most_days, (days - t) // WEEK * WEEK)
                shrink = np.sqrt((1.0 / back + 1.0 / ahead) * (WEEK / 2.0))
                w = 0.0
                for b in range(BLOCKS):
                    weight[b] = 1.0 / (noise[b] * noise[b] * shrink) if noise[b] > 0 else 0.0
                    if (b - int(peak[2])) % BLOCKS < peak[3]:
                        w += weight[b]
                step[SCORE] = np.sqrt(peak[0]) / scale
                step[SIZE_W] = peak[1]
                step[DAY] = t
                step[FIRST_BLOCK] = peak[2]
                step[RUN_BLOCKS] = peak[3]
                step[Z] = peak[4] / scale
                step[UNEVEN] = peak[5] / scale
                step[NOISE_W] = scale / np.sqrt(w)
                _judge(run, values, hours_at, weight, back, ahead, step)
                for d in range(max(t - WEEK, 0), min(t + WEEK + 1, days)):
                    peaks[side, d, 0] = 0.0
