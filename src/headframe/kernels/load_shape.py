"""Shape of a load over some weeks, as figures without a unit: what sits at the floor, what steps, what recurs.

A period is laid out as days by hours of the day and divided by its mean. Almost every figure is an order statistic, so
that single days do not matter, and almost all of the work is the same for each of the 24 hours, or for each day on
which a step may lie. So quantiles are taken by a sorting network over whole rows: its comparisons do not depend on the
data, and a row of 24 hours (or of 44 days) is compared in a few vector instructions.
"""

import numpy as np

from headframe.kernels.jit import kernel
from headframe.kernels.shape_net import judge
from headframe.kernels.sort_columns import sort_columns

FIGURES = 184
"""Room for the figures of one period; `describe` fills the first so many and returns how many."""


@kernel
def rank_of(n, share):
    """Row of a sorted column that a share of its entries does not exceed."""
    return min(int(share * (n - 1) + 0.5), n - 1)


@kernel
def sort_list(a, n):
    """Sort the first `n` entries in place."""
    for i in range(1, n):
        v = a[i]
        j = i - 1
        while j >= 0 and a[j] > v:
            a[j + 1] = a[j]
            j -= 1
        a[j + 1] = v


@kernel
def line(x, y, n):
    """Slope, intercept and correlation of y over x."""
    mx = 0.0
    my = 0.0
    for i in range(n):
        mx += x[i]
        my += y[i]
    mx /= n
    my /= n
    sxx = 1e-9
    sxy = 0.0
    syy = 1e-9
    for i in range(n):
        sxx += (x[i] - mx) ** 2
        sxy += (x[i] - mx) * (y[i] - my)
        syy += (y[i] - my) ** 2
    slope = sxy / sxx
    return slope, my - slope * mx, sxy / np.sqrt(sxx * syy)


@kernel
def over(a, b, least):
    """A ratio whose denominator is at least `least`, kept within 50."""
    return min(max(a / max(b, least), -50.0), 50.0)


@kernel
def steady_level(slope, intercept):
    """Level at which ``y = x`` on a line: what both share, whatever else changes; from -1 to 2."""
    return min(max(intercept / max(1.0 - slope, 0.05), -1.0), 2.0)


@kernel
def recurrent_edges(e, n, low, high, mid, f, o):
    """Edges that recur at one hour of the day on four days of five; `e` is sorted by column."""
    i = rank_of(n, 0.2)
    j = rank_of(n, 0.8)
    k = rank_of(n, 0.5)
    for h in range(24):
        low[h] = e[i, h]
        high[h] = e[j, h]
        mid[h] = e[k, h]
    z = np.zeros(11)
    for h in range(24):
        before = (h + 23) % 24
        after = (h + 1) % 24
        rise = low[h] - max(0.0, max(mid[before], mid[after]))
        fall = -high[h] - max(0.0, max(-mid[before], -mid[after]))
        if h >= 18 or h <= 1:
            z[0] = max(z[0], low[h])
            z[1] = max(z[1], rise)
        if h >= 20 or h <= 4:
            z[2] = max(z[2], low[h])
        if 13 <= h <= 20:
            z[3] = max(z[3], fall)
        if h <= 5:
            z[4] = max(z[4], -high[h])
        if 2 <= h <= 9:
            z[5] = max(z[5], fall)
        z[6] = max(z[6], rise)
        z[7] = max(z[7], fall)
        if low[h] > 0.0:
            for length in range(2, 7):
                z[8] = max(z[8], min(low[h], -high[(h + 24 - length) % 24]))
            for length in range(5, 13):
                v = min(low[h], -high[(h + length) % 24])
                z[10] = max(z[10], v)
                if h >= 18 or h <= 2:
                    z[9] = max(z[9], v)
    for q in range(11):
        f[o + q] = z[q]
    return o + 11


@kernel
def day_ranks(a, days, third, weekday, small, work, f, o):
    """Quantiles of one figure per day, over all days, in the last and first third, and at weekends."""
    for d in range(days):
        work[d] = a[d]
    sort_list(work, days)
    middle = work[rank_of(days, 0.5)]
    upper = work[rank_of(days, 0.75)]
    top = work[rank_of(days, 0.9)]
    f[o] = work[rank_of(days, 0.25)]
    f[o + 1] = middle
    f[o + 2] = upper
    f[o + 3] = top
    f[o + 4] = over(upper, top, 1e-3)
    f[o + 5] = over(middle, small, 1e-3)
    for d in range(third):
        work[d] = a[days - third + d]
    sort_list(work, third)
    last = work[rank_of(third, 0.5)]
    for d in range(third):
        work[d] = a[d]
    sort_list(work, third)
    f[o + 6] = last
    f[o + 7] = last - work[rank_of(third, 0.5)]
    k = 0
    for d in range(days):
        if (weekday + d) % 7 >= 5:
            work[k] = a[d]
            k += 1
    sort_list(work, k)
    f[o + 8] = work[rank_of(k, 0.5)]
    return o + 9


@kernel
def best_arc(q, least):
    """The run of hours of the day that a rise is best confined to: share of squares, length, its mean, its least."""
    squares = 1e-6
    for h in range(24):
        squares += q[h] * q[h]
    best = 0.0
    length_of = 0
    mean = 0.0
    lowest = 0.0
    start = 0
    for a in range(24):
        acc = 0.0
        low = 1e9
        for length in range(1, 25):
            v = q[(a + length - 1) % 24]
            acc += v
            low = min(low, v)
            if length >= least and acc > 0.0 and acc * acc / length > best:
                best = acc * acc / length
                length_of = length
                lowest = low
                mean = acc / length
                start = a
    return best / squares, length_of, mean, lowest, start


@kernel
def raise_to(a, b, n):
    """The larger of two entries into the first, for the first `n`."""
    for t in range(n):
        v = b[t]
        u = a[t]
        a[t] = v if v > u else u


@kernel
def plateau_edges(x, n, up, down):
    """Rise and fall from both hours before to both hours from each hour on; the ends of `up` and `down` stay."""
    x1 = x[1:]
    x2 = x[2:]
    x3 = x[3:]
    up2 = up[2:]
    down2 = down[2:]
    zero = np.float32(0.0)
    for t in range(n - 3):
        low_after = x2[t] if x2[t] < x3[t] else x3[t]
        high_after = x2[t] if x2[t] > x3[t] else x3[t]
        low_before = x[t] if x[t] < x1[t] else x1[t]
        high_before = x[t] if x[t] > x1[t] else x1[t]
        rise = low_after - high_before
        fall = low_before - high_after
        up2[t] = rise if rise > zero else zero
        down2[t] = fall if fall > zero else zero


@kernel
def describe(x, days, weekday, f):
    """Figures of one period.

    Parameters
    ----------
    x : float32[days * 24]
        Mean power of each hour from a local midnight on, NaN where missing. [W]
    days : int
        14 to 56. [days]
    weekday : int
        Of the first day, 0 is Monday.
    f : float64[FIGURES]
        Filled; all NaN if more than a quarter is missing or the mean is not above 0.

    Returns
    -------
    int
        How many figures there are.
    """
    n = days * 24
    for j in range(len(f)):
        f[j] = np.nan
    total = 0.0
    count = 0
    for t in range(n):
        v = x[t]
        if v == v:
            total += v
            count += 1
    if count < 0.75 * n or total <= 0.0:
        return 0
    mean_w = total / count
    scale = np.float32(1.0 / mean_w)
    least = np.float32(1e-3)
    X = np.empty((days, 24), np.float32)
    flat = X.reshape(n)
    for t in range(n):
        v = x[t] * scale
        flat[t] = least if v < least else v
    if count < n:
        for t in range(n):
            if flat[t] != flat[t]:
                v = np.float32(np.nan)
                if t >= 168:
                    v = flat[t - 168]
                k = t + 168
                while v != v and k < n:
                    v = flat[k]
                    k += 168
                if v != v:
                    v = flat[t - 24] if t >= 24 else np.float32(1.0)
                flat[t] = v if v == v else np.float32(1.0)
    XT = np.empty((24, days), np.float32)
    for d in range(days):
        for h in range(24):
            XT[h, d] = X[d, h]
    third = days // 3
    work = np.empty(64)
    o = 0

    # each day: lowest and second lowest hour, highest, mean
    floor1 = np.full(days, np.float32(1e9))
    floor = np.full(days, np.float32(1e9))
    top = np.zeros(days, np.float32)
    mean = np.zeros(days, np.float32)
    for h in range(24):
        for d in range(days):
            v = XT[h, d]
            u = floor1[d]
            w = v if v > u else u
            floor[d] = w if w < floor[d] else floor[d]
            floor1[d] = v if v < u else u
            top[d] = v if v > top[d] else top[d]
            mean[d] += v
    for d in range(days):
        mean[d] /= np.float32(24.0)

    # hours of the day on weekdays and at weekends, sorted by column
    week = np.empty((days, 24), np.float32)
    ends = np.empty((days, 24), np.float32)
    nw = 0
    ne = 0
    for d in range(days):
        if (weekday + d) % 7 >= 5:
            for h in range(24):
                ends[ne, h] = X[d, h]
            ne += 1
        else:
            for h in range(24):
                week[nw, h] = X[d, h]
            nw += 1
    sort_columns(week, nw, 24)
    sort_columns(ends, ne, 24)
    typical = np.empty((2, 24), np.float32)
    spread = np.empty(24)
    level = np.empty(24)
    iw = rank_of(nw, 0.5)
    ie = rank_of(ne, 0.5)
    w25 = rank_of(nw, 0.25)
    w75 = rank_of(nw, 0.75)
    e25 = rank_of(ne, 0.25)
    e75 = rank_of(ne, 0.75)
    skew = 0.0
    wide = 0.0
    for h in range(24):
        typical[0, h] = week[iw, h]
        typical[1, h] = ends[ie, h]
        level[h] = (5.0 * week[iw, h] + 2.0 * ends[ie, h]) / 7.0
        spread[h] = (5.0 * (week[w75, h] - week[w25, h]) + 2.0 * (ends[e75, h] - ends[e25, h])) / 7.0 + 1e-5
        skew += week[rank_of(nw, 0.9), h] + week[rank_of(nw, 0.1), h] - 2.0 * week[iw, h]
        wide += week[rank_of(nw, 0.9), h] - week[rank_of(nw, 0.1), h]
    tw = typical[0]
    te = typical[1]

    # what is left of each hour without its usual value for weekdays or weekends
    R = np.empty(n, np.float32)
    for d in range(days):
        kind = 1 if (weekday + d) % 7 >= 5 else 0
        for h in range(24):
            R[d * 24 + h] = X[d, h] - typical[kind, h]

    # roughness: how far an hour lies from the mean of its neighbours
    rough = np.zeros((days, 24), np.float32)
    rough_flat = rough.reshape(n)
    # Shifted views, here and below: an index like t - 1 might be negative for all the compiler knows, and that would
    # keep it from working on several hours at once.
    here = rough_flat[1:]
    one = R[1:]
    two = R[2:]
    for t in range(n - 2):
        here[t] = abs(one[t] - np.float32(0.5) * (R[t] + two[t]))
    sort_columns(rough, days, 24)
    quick = np.empty(24)
    r5 = rank_of(days, 0.5)
    r9 = rank_of(days, 0.9)
    rough_mid = 0.0
    rough_high = 0.0
    for h in range(24):
        quick[h] = rough[r5, h] + 1e-5
        rough_mid += rough[r5, h] / 24.0
        rough_high += rough[r9, h] / 24.0

    # --- the floor
    for d in range(days):
        work[d] = floor[d]
    sort_list(work, days)
    f_mid = work[rank_of(days, 0.5)]
    f_low = work[rank_of(days, 0.1)]
    f_high = work[rank_of(days, 0.9)]
    f_q1 = work[rank_of(days, 0.25)]
    f_q3 = work[rank_of(days, 0.75)]
    f[0] = work[0]
    f[1] = f_low
    f[2] = f_q1
    f[3] = f_mid
    f[4] = f_q3
    f[5] = f_high
    o = 6
    for d in range(days):
        work[d] = top[d]
    sort_list(work, days)
    f[o] = work[rank_of(days, 0.1)]
    f[o + 1] = work[rank_of(days, 0.5)]
    f[o + 2] = work[rank_of(days, 0.9)]
    o += 3
    for d in range(days):
        work[d] = mean[d]
    sort_list(work, days)
    f[o] = work[rank_of(days, 0.1)]
    f[o + 1] = work[rank_of(days, 0.9)]
    o += 2
    f[o] = (f_high - f_low) / f_mid
    f[o + 1] = (f_q3 - f_q1) / f_mid
    o += 2
    for d in range(days - 1):
        work[d] = abs(floor[d + 1] - floor[d])
    sort_list(work, days - 1)
    drift = work[rank_of(days - 1, 0.5)]
    f[o] = drift
    f[o + 1] = drift / f_mid
    f[o + 2] = work[rank_of(days - 1, 0.9)] / f_mid
    o += 3
    slope, intercept, r = line(mean, floor, days)
    f[o] = slope
    f[o + 1] = r
    f[o + 2] = intercept
    f[o + 3] = steady_level(slope, intercept)
    o += 4
    # --- profiles of weekdays and weekends
    lw = 1e9
    hw = 0.0
    le = 1e9
    he = 0.0
    mw = 0.0
    me = 0.0
    for h in range(24):
        lw = min(lw, tw[h])
        hw = max(hw, tw[h])
        le = min(le, te[h])
        he = max(he, te[h])
        mw += tw[h] / 24.0
        me += te[h] / 24.0
    f[o] = lw
    f[o + 1] = lw / hw
    f[o + 2] = le / he
    f[o + 3] = me / mw
    f[o + 4] = le / lw
    f[o + 5] = over(he - le, hw - lw, 1e-3)
    f[o + 6] = over(me - le, mw - lw, 1e-3)
    o += 7
    slope, intercept, r = line(tw, te, 24)
    f[o] = slope
    f[o + 1] = r
    f[o + 2] = steady_level(slope, intercept)
    o += 3
    # --- noise at the five lowest and the five highest hours: it grows with a people's load, not with a machine's
    order = np.empty(24, np.int64)
    for h in range(24):
        k = h
        while k > 0 and level[order[k - 1]] > level[h]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = h
    qn = 0.0
    qd = 0.0
    ln = 0.0
    ld = 0.0
    sn = 0.0
    sd = 0.0
    for j in range(5):
        a = order[j]
        b = order[23 - j]
        qn += quick[a] / 5.0
        ln += level[a] / 5.0
        sn += spread[a] / 5.0
        qd += quick[b] / 5.0
        ld += level[b] / 5.0
        sd += spread[b] / 5.0
    f[o] = qn
    f[o + 1] = qd
    f[o + 2] = sn
    f[o + 3] = sd
    f[o + 4] = qn / ln
    f[o + 5] = qd / ld
    f[o + 6] = sn / ln
    f[o + 7] = sd / ld
    f[o + 8] = qn / qd
    f[o + 9] = sn / sd
    f[o + 10] = (qn / ln) / (qd / ld)
    f[o + 11] = (sn / ln) / (sd / ld)
    f[o + 12] = qn / sn
    f[o + 13] = over(qn, ld - ln, 1e-3)
    f[o + 14] = over(sn, ld - ln, 1e-3)
    o += 15
    lg = np.empty(24)
    lq = np.empty(24)
    ls = np.empty(24)
    for h in range(24):
        lg[h] = np.log(level[h])
        lq[h] = np.log(quick[h])
        ls[h] = np.log(spread[h])
    slope, intercept, r = line(lg, lq, 24)
    f[o] = slope
    f[o + 1] = r
    slope, intercept, r = line(lg, ls, 24)
    f[o + 2] = slope
    f[o + 3] = r
    slope, intercept, r = line(level, quick, 24)
    f[o + 4] = min(max(-intercept / slope, -2.0), 2.0) if slope > 1e-6 else -2.0
    slope, intercept, r = line(level, spread, 24)
    f[o + 5] = min(max(-intercept / slope, -2.0), 2.0) if slope > 1e-6 else -2.0
    o += 6
    # Taylor's law in watts: the noise of many independent consumers grows with the root of the level. The meter's own
    # resolution, some 100 W at most, is put in as 30 W of noise.
    q = 30.0 / mean_w
    lm = 0.5 * np.log(mean_w)
    f[o] = 0.5 * np.log(qn * qn + q * q) + lm - 0.5 * np.log(ln)
    f[o + 1] = 0.5 * np.log(sn * sn + q * q) + lm - 0.5 * np.log(ln)
    f[o + 2] = 0.5 * np.log(drift * drift + q * q) + lm - 0.5 * np.log(f_mid)
    f[o + 3] = 0.5 * np.log(qd * qd + q * q) + lm - 0.5 * np.log(ld)
    f[o + 4] = np.log(hw - lw + 0.01) + 0.6 * lm - 0.3 * np.log(ln)
    o += 5
    # how many hours lie near the floor, and below it
    c3 = 0
    c10 = 0
    c_90 = 0
    c_70 = 0
    t3 = np.float32(f_mid * 1.03)
    t10 = np.float32(f_mid * 1.1)
    t90 = np.float32(f_mid * 0.9)
    t70 = np.float32(f_mid * 0.7)
    for t in range(n):
        v = flat[t]
        c3 += 1 if v < t3 else 0
        c10 += 1 if v < t10 else 0
        c_90 += 1 if v < t90 else 0
        c_70 += 1 if v < t70 else 0
    f[o] = c3 / n
    f[o + 1] = c10 / n
    f[o + 2] = c_90 / n
    f[o + 3] = c_70 / n
    o += 4
    for d in range(days):
        work[d] = floor1[d]
    sort_list(work, days)
    f[o] = (f_mid - work[0]) / f_mid
    f[o + 1] = (f_mid - work[2]) / f_mid
    o += 2
    # --- night against day, and the evening's dip
    a = 0.0
    b = 0.0
    c = 0.0
    e = 0.0
    for j in range(6):
        a += tw[j]
        b += tw[10 + j]
        c += te[j]
        e += te[10 + j]
    f[o] = a / b
    f[o + 1] = c / e
    f[o + 2] = min(tw[17], min(tw[18], tw[19])) / min(tw[14], tw[22])
    f[o + 3] = min(te[17], min(te[18], te[19])) / min(te[14], te[22])
    dent = min(tw[17], min(tw[18], tw[19])) - min(tw[14], tw[22])
    f[o + 4] = over(min(te[17], min(te[18], te[19])) - min(te[14], te[22]), 0.02 + abs(dent), 0.0)
    o += 5
    # --- the same step at one hour on weekdays and weekends
    dip = 0.0
    night = 0.0
    for h in range(24):
        p = (h + 23) % 24
        up = min(tw[h] - tw[p], te[h] - te[p])
        if up > 0.0:
            for length in range(2, 7):
                g = (h + 24 - length) % 24
                p = (g + 23) % 24
                dip = max(dip, min(up, min(tw[p] - tw[g], te[p] - te[g])))
            if h >= 18 or h <= 2:
                for length in range(5, 13):
                    g = (h + length) % 24
                    p = (g + 23) % 24
                    night = max(night, min(up, min(tw[p] - tw[g], te[p] - te[g])))
    f[o] = dip
    f[o + 1] = night
    o += 2
    # --- edges of each hour of the day
    E = np.zeros((days, 24), np.float32)
    edge = E.reshape(n)
    here = edge[1:]
    one = flat[1:]
    for t in range(n - 1):
        here[t] = one[t] - flat[t]
    L = E[days - third :].copy()
    first_e = E[:third].copy()
    sort_columns(E, days, 24)
    sort_columns(L, third, 24)
    low = np.empty(24)
    high = np.empty(24)
    mid = np.empty(24)
    o = recurrent_edges(E, days, low, high, mid, f, o)
    o = recurrent_edges(L, third, low, high, mid, f, o)
    sort_columns(first_e, third, 24)
    recurrent_edges(first_e, third, low, high, mid, f, o)
    for j in range(11):
        f[o + j] = f[o - 11 + j] - f[o + j]
    # of the growth of edges from the first to the last third: evening rise, afternoon fall, dip, night
    f[o + 2] = f[o + 3]
    f[o + 3] = f[o + 8]
    f[o + 4] = f[o + 9]
    f[o + 5] = over(f[o - 11], qn, 1e-3)
    o += 6
    # --- edges between two plateaus of two hours, and pairs of them: a dip (off, then on) and a pulse (on, then off)
    U = np.zeros(n, np.float32)
    W = np.zeros(n, np.float32)
    plateau_edges(flat, n, U, W)
    dips = np.zeros(days, np.float32)
    pulses = np.zeros(days, np.float32)
    G = np.zeros(n, np.float32)
    for lag in range(2, 10):
        raise_to(G[lag:], W, n - lag)
    for t in range(n):
        G[t] = G[t] if G[t] < U[t] else U[t]
    for d in range(days):
        v = np.float32(0.0)
        for h in range(24):
            g1 = G[d * 24 + h]
            v = g1 if g1 > v else v
        dips[d] = v
    G[:] = 0.0
    for lag in range(5, 12):
        raise_to(G, W[lag:], n - lag)
    for d in range(days):
        v = np.float32(0.0)
        for h in range(24):
            if h >= 18 or h <= 1:
                t = d * 24 + h
                v = max(v, min(G[t], U[t]))
        pulses[d] = v
    o = day_ranks(dips, days, third, weekday, qn, work, f, o)
    o = day_ranks(pulses, days, third, weekday, qn, work, f, o)
    # the same of what is left without the usual day, and its largest edges
    U[:] = 0.0
    W[:] = 0.0
    plateau_edges(R, n, U, W)
    G[:] = 0.0
    for lag in range(2, 10):
        raise_to(G[lag:], W, n - lag)
    ups = np.zeros(days)
    downs = np.zeros(days)
    lows = np.zeros(days)
    highs = np.zeros(days)
    for d in range(days):
        v = np.float32(0.0)
        a1 = np.float32(0.0)
        b1 = np.float32(0.0)
        a2 = np.float32(0.0)
        b2 = np.float32(0.0)
        for h in range(24):
            t = d * 24 + h
            g1 = G[t] if G[t] < U[t] else U[t]
            v = g1 if g1 > v else v
            a1 = U[t] if U[t] > a1 else a1
            b1 = W[t] if W[t] > b1 else b1
            a2 = R[t] if R[t] < a2 else a2
            b2 = R[t] if R[t] > b2 else b2
        dips[d] = v
        ups[d] = a1
        downs[d] = b1
        lows[d] = -a2
        highs[d] = b2
    o = day_ranks(dips, days, third, weekday, qn, work, f, o)
    sort_list(ups, days)
    sort_list(downs, days)
    sort_list(lows, days)
    sort_list(highs, days)
    i1 = rank_of(days, 0.9)
    i2 = rank_of(days, 0.7)
    i3 = rank_of(days, 0.4)
    f[o] = min(ups[i1], downs[i1])
    f[o + 1] = min(ups[i2], downs[i2])
    f[o + 2] = min(ups[i3], downs[i3])
    f[o + 3] = over(min(ups[i2], downs[i2]), max(ups[i1], downs[i1]), 1e-3)
    f[o + 4] = over(min(ups[i3], downs[i3]), max(ups[i2], downs[i2]), 1e-3)
    f[o + 5] = over(ups[i2], downs[i2], 1e-3)
    f[o + 6] = over(lows[i2] - highs[i2], lows[i2] + highs[i2], 1e-3)
    f[o + 7] = over(lows[i3], lows[i1], 1e-3)
    f[o + 8] = rough_mid
    f[o + 9] = over(rough_high, rough_mid, 1e-4)
    f[o + 10] = over(ups[i1], rough_mid, 1e-3)
    f[o + 11] = over(skew, wide, 1e-3)
    f[o + 12] = wide / 24.0
    o += 13
    # --- a step: whole weeks before and after each day, at each hour of the day
    K = days - 13
    sums = np.zeros((24, days + 1), np.float32)
    for h in range(24):
        acc = np.float32(0.0)
        for d in range(days):
            acc += XT[h, d]
            sums[h, d + 1] = acc
    delta = np.empty((24, K), np.float32)
    back = np.empty(K, np.int64)
    ahead = np.empty(K, np.int64)
    for j in range(K):
        back[j] = 7 * (min(j + 7, 14) // 7)
        ahead[j] = 7 * (min(days - 7 - j, 14) // 7)
    for h in range(24):
        for j in range(K):
            k = j + 7
            after = (sums[h, k + ahead[j]] - sums[h, k]) / ahead[j]
            delta[h, j] = after - (sums[h, k] - sums[h, k - back[j]]) / back[j]
    # the best run of hours, upward and downward, with the root of its length
    best = np.zeros(K, np.float32)
    worst = np.zeros(K, np.float32)
    acc_k = np.empty(K, np.float32)
    for a in range(24):
        acc_k[:] = 0.0
        for length in range(1, 25):
            r = a + length - 1
            if r >= 24:
                r -= 24
            if length < 5 or (length == 24 and a > 0):
                for j in range(K):
                    acc_k[j] += delta[r, j]
                continue
            weight = np.float32(1.0 / np.sqrt(length))
            for j in range(K):
                u = acc_k[j] + delta[r, j]
                acc_k[j] = u
                v = u * weight
                b = best[j]
                w = worst[j]
                best[j] = v if v > b else b
                worst[j] = -v if -v > w else w
    ja = 0
    down = np.float32(0.0)
    for j in range(K):
        if best[j] > best[ja]:
            ja = j
        down = max(down, worst[j])
    f[o] = best[ja]
    f[o + 1] = best[ja] - down
    o += 2
    q24 = np.empty(24)
    for h in range(24):
        q24[h] = delta[h, ja]
    sort_columns(delta, 24, K)
    jb = 0
    fall_ = np.float32(-1e9)
    for j in range(K):
        if delta[4, j] > delta[4, jb]:
            jb = j
        fall_ = max(fall_, -delta[19, j])
        work[j] = abs(delta[12, j])
    sort_list(work, K)
    usual = work[rank_of(K, 0.4)] + 1e-3
    rise = float(delta[4, jb])
    f[o] = rise
    f[o + 1] = rise - fall_
    f[o + 2] = over(rise, usual, 1e-3)
    f[o + 3] = over(rise, qn, 1e-3)
    f[o + 4] = over(delta[0, jb], delta[23, jb], 1e-3)
    f[o + 5] = over(delta[12, jb] - delta[4, jb], abs(delta[12, jb]), 1e-3)
    f[o + 6] = float(delta[12, jb])
    o += 7
    share, length, arc_mean, arc_low, start = best_arc(q24, 5)
    f[o] = share
    f[o + 1] = length
    f[o + 2] = arc_mean
    f[o + 3] = over(arc_low, arc_mean, 1e-3)
    f[o + 4] = over(arc_mean, usual, 1e-3)
    outside = 0.0
    for j in range(length, 24):
        outside = max(outside, abs(q24[(start + j) % 24]))
    f[o + 5] = over(outside, arc_mean, 1e-3)
    o += 6
    # is the rise in that run of hours the same at weekends?
    sums2 = np.zeros(4)
    counts = np.zeros(4)
    k = ja + 7
    for d in range(k - back[ja], k + ahead[ja]):
        g = (1 if d >= k else 0) + (2 if (weekday + d) % 7 >= 5 else 0)
        acc = np.float32(0.0)
        for j in range(length):
            acc += X[d, (start + j) % 24]
        sums2[g] += acc
        counts[g] += max(length, 1)
    rw = sums2[1] / max(counts[1], 1.0) - sums2[0] / max(counts[0], 1.0)
    re = sums2[3] / max(counts[3], 1.0) - sums2[2] / max(counts[2], 1.0)
    f[o] = over(min(rw, re), max(rw, re), 1e-3)
    o += 1
    # --- a step of the daily floor: nearly all days after lie above nearly all days before
    KF = days - 9
    B = np.empty((14, KF), np.float32)
    A = np.empty((14, KF), np.float32)
    for i in range(14):
        for j in range(KF):
            k = j + 5
            B[i, j] = floor[k - 1 - i % k]
            A[i, j] = floor[k + i % (days - k)]
    sort_columns(B, 14, KF)
    sort_columns(A, 14, KF)
    jg = 0
    gap = -1e9
    gap_down = -1e9
    jump = -1e9
    jump_down = -1e9
    for j in range(KF):
        v = A[2, j] - B[11, j]
        if v > gap:
            gap = float(v)
            jg = j
        gap_down = max(gap_down, B[2, j] - A[11, j])
        jump = max(jump, A[7, j] - B[7, j])
        jump_down = max(jump_down, B[7, j] - A[7, j])
    f[o] = gap
    f[o + 1] = gap - max(gap_down, 0.0)
    f[o + 2] = jump
    f[o + 3] = jump - jump_down
    f[o + 4] = over(gap, qn, 1e-3)
    o += 5
    k = jg + 5
    l0 = max(0, k - 21)
    r0 = min(days, k + 21)
    nb = k - l0
    na = r0 - k
    P = X[l0:k].copy()
    Q = X[k:r0].copy()
    sort_columns(P, nb, 24)
    sort_columns(Q, na, 24)
    size = float(A[7, jg] - B[7, jg])
    f[o] = size
    f[o + 1] = np.log(A[7, jg] / B[7, jg])
    f[o + 2] = over(gap, size, 1e-3)
    spread_b = B[10, jg] - B[3, jg]
    spread_a = A[10, jg] - A[3, jg]
    f[o + 3] = (spread_a + 0.003) / (spread_b + 0.003)
    f[o + 4] = size / (spread_a + spread_b + 0.006)
    o += 5
    mb = 0.0
    ma = 0.0
    tb = 0.0
    ta = 0.0
    for d in range(l0, k):
        mb += mean[d] / nb
        tb += top[d] / nb
    for d in range(k, r0):
        ma += mean[d] / na
        ta += top[d] / na
    f[o] = over(ma - mb, size, 1e-2)
    f[o + 1] = over(ta - tb, size, 1e-2)
    o += 2
    prof = np.empty(24)
    d2 = np.empty(24)
    d5 = np.empty(24)
    noise_b = 0.0
    noise_a = 0.0
    for h in range(24):
        prof[h] = P[rank_of(nb, 0.5), h]
        d5[h] = Q[rank_of(na, 0.5), h] - prof[h]
        d2[h] = Q[rank_of(na, 0.2), h] - P[rank_of(nb, 0.2), h]
        noise_b += P[rank_of(nb, 0.8), h] - P[rank_of(nb, 0.2), h]
        noise_a += Q[rank_of(na, 0.8), h] - Q[rank_of(na, 0.2), h]
    f[o] = (noise_a + 0.05) / (noise_b + 0.05)
    o += 1
    for rep in range(2):
        v24 = d2 if rep == 0 else d5
        s1 = 0.0
        s2 = 0.0
        lo_ = 1e9
        hi_ = -1e9
        for h in range(24):
            s1 += v24[h] / 24.0
            s2 += v24[h] * v24[h] / 24.0
            lo_ = min(lo_, v24[h])
            hi_ = max(hi_, v24[h])
        f[o] = s1
        f[o + 1] = lo_
        f[o + 2] = over(lo_, hi_, 1e-3)
        f[o + 3] = over(np.sqrt(max(s2 - s1 * s1, 0.0)), abs(s1), 1e-2)
        slope, intercept, r = line(prof, v24, 24)
        f[o + 4] = slope
        f[o + 5] = over(slope, abs(s1), 1e-2)
        o += 6
    share, length, arc_mean, arc_low, start = best_arc(d2, 5)
    f[o] = share
    f[o + 1] = length
    f[o + 2] = over(arc_low, arc_mean, 1e-3)
    o += 3
    # a square edge: six hours after against six before, without the usual day
    sharp = -9.0
    for t in range(max((k - 1) * 24, 6), min((k + 1) * 24 + 1, n - 6)):
        lo_ = 1e9
        hi_ = -1e9
        a = 0.0
        b = 0.0
        for j in range(6):
            y = flat[t + j] - prof[(t + j) % 24]
            a += y
            lo_ = min(lo_, y)
            y = flat[t - 1 - j] - prof[(t - 1 - j) % 24]
            b += y
            hi_ = max(hi_, y)
        sharp = max(sharp, min(lo_ - hi_ + 0.5 * size, (a - b) / 6.0))
    f[o] = sharp
    f[o + 1] = over(sharp, size, 1e-2)
    o += 2
    return o


@kernel
def walk(trees, f):
    """Sum of the leaves that the figures of one period reach in all trees."""
    total = 0.0
    for root in trees.roots:
        k = root
        while trees.feature[k] >= 0:
            k = trees.left[k] if f[trees.feature[k]] <= trees.threshold[k] else trees.right[k]
        total += trees.value[k]
    return total


@kernel
def pass_through(networks, f, hidden):
    """Mean of the log-odds of networks with one hidden layer, side by side in one.

    `hidden` is float32 work space, one entry for each hidden unit.
    """
    units = len(hidden)
    for h in range(units):
        hidden[h] = networks.bias[h]
    for k in range(len(networks.centre)):
        v = f[k]
        v = np.log1p(20.0 * v) if v >= 0.0 else -np.log1p(-20.0 * v)
        z = np.float32(min(max((v - networks.centre[k]) * networks.factor[k], -4.0), 4.0))
        row = networks.weight[k]
        for h in range(units):
            hidden[h] += z * row[h]
    total = float(networks.constant[0])
    for h in range(units):
        if hidden[h] > 0.0:
            total += hidden[h] * networks.output[h]
    return total


@kernel
def scan_shapes(
    power_w, first, start_s, from_s, offset_s, settings, short_cost, trees, networks, network_weight, net, picture,
    log_odds, figures, kept,
):  # fmt: skip
    """Describe and judge each usage point by the period of it that stands out most.

    Parameters
    ----------
    power_w, first, start_s
        As in `LoadBatch`; hourly.
    from_s, offset_s
        As in `LocalClock`. The offset at the middle of a point's data holds for all of it.
    settings : int64[3]
        Days of a period; least days; exact zeros in a row that count as missing. [days, days, h]
    short_cost : float
        What is taken off for each unit of the logarithm of how much shorter than a period the data are. Of all periods
        but the last, the logarithm of their number is taken off as well: the highest of several is high by chance,
        while what the last one shows is what goes on now.
    trees : NamedTuple of arrays
        ``feature`` (-1 at a leaf), ``threshold``, ``left``, ``right``, ``value`` of each node, and ``roots``.
    networks : NamedTuple of arrays
        ``centre`` and ``factor`` of each figure, ``weight`` [figures, units], ``bias``, ``output``, ``constant``.
    network_weight : float
        Of the networks in the sum, from 0 to 1.
    net : NamedTuple of arrays
        The network that looks at the picture of a period, see `shape_net.judge`. It takes several times as long as the
        figures, so it is asked only where these already stand out.
    picture : float64[3]
        From which log-odds on it is asked; its weight; what it says of most innocent periods, which counts as nothing.
    log_odds : float64[n]
        Filled; NaN where there are too few days or too many hours are missing in every period.
    figures : int64[k]
        Which figures are kept.
    kept : float32[n, k]
        Filled: those figures of the period that stands out most.
    """
    period = settings[0]
    least_days = settings[1]
    zero_run = settings[2]
    f = np.empty(FIGURES)
    x = np.empty(period * 24, np.float32)
    hidden = np.empty(len(networks.bias), np.float32)
    for u in range(len(first) - 1):
        log_odds[u] = np.nan
        for j in range(len(figures)):
            kept[u, j] = np.nan
        begin = first[u]
        hours = first[u + 1] - begin
        middle = start_s[u] + hours // 2 * 3600
        z = 0
        while z + 1 < len(from_s) and from_s[z + 1] <= middle:
            z += 1
        local_h = (start_s[u] + offset_s[z]) // 3600
        skip = (24 - local_h % 24) % 24
        if hours < skip + least_days * 24:
            continue
        days = (hours - skip) // 24
        count = max(days // period, 1)
        span = min(days, period)
        for c in range(count):
            day = days - (count - c) * span
            at = begin + skip + day * 24
            run = 0
            for t in range(span * 24):
                v = power_w[at + t]
                x[t] = v
                if v == 0.0:
                    run += 1
                    if run == zero_run:
                        for q in range(run):
                            x[t - q] = np.nan
                    elif run > zero_run:
                        x[t] = np.nan
                else:
                    run = 0
            if describe(x[: span * 24], span, ((local_h + skip) // 24 + day + 3) % 7, f) == 0:
                continue
            found = (1.0 - network_weight) * walk(trees, f) + network_weight * pass_through(networks, f, hidden)
            if found > picture[0]:
                seen = judge(x[: span * 24].copy(), span, net)
                if seen == seen:
                    found += picture[1] * (seen - picture[2])
            found -= short_cost * np.log(period / span)
            if c < count - 1:
                found -= np.log(count)
            if not found <= log_odds[u]:
                log_odds[u] = found
                for j in range(len(figures)):
                    kept[u, j] = f[figures[j]]


@kernel
def price_response(power_w, first, start_s, offset_s, price, price_start_s, most_hours, shares, effect, z):
    """How much less a load draws in dear hours than in the same hours of the day when they are cheap.

    Parameters
    ----------
    power_w, first, start_s
        As in `LoadBatch`; hourly.
    offset_s : int
        Local time minus UTC. [s]
    price : float32[p]
        Hourly, NaN where missing.
    price_start_s : int
    most_hours : int
        Only the last so many hours of a point are looked at. [h]
    shares : float64[s]
        Shares of the hours that are taken as cheap, tried in turn.
    effect, z : float64[n]
        Filled: mean load in cheap hours minus dear hours, of the same hour of the day on weekdays or weekends, over the
        mean load; and over its standard error, days being independent. Of the share with the largest z. NaN where
        less than 14 days have both.
    """
    for u in range(len(first) - 1):
        effect[u] = np.nan
        z[u] = np.nan
        begin = first[u]
        end = first[u + 1]
        if end - begin > most_hours:
            begin = end - most_hours
        shift = (start_s[u] + (begin - first[u]) * 3600 - price_start_s) // 3600
        # only the stretch that has prices
        lo = max(0, -shift)
        hi = min(end - begin, len(price) - shift)
        n = hi - lo
        if n < 14 * 24:
            continue
        w = power_w[begin + lo : begin + hi]
        p = price[shift + lo : shift + hi]
        local_h = (start_s[u] + offset_s + (begin - first[u] + lo) * 3600) // 3600
        total = 0.0
        good = 0
        values = np.empty(n, np.float32)
        for t in range(n):
            if w[t] == w[t] and p[t] == p[t]:
                values[good] = p[t]
                total += w[t]
                good += 1
        if good < 14 * 24 or total <= 0.0:
            continue
        mean = total / good
        ordered = np.sort(values[:good])
        days = n // 24 + 2
        for s in range(len(shares)):
            limit = ordered[min(int(shares[s] * good), good - 1)]
            sums = np.zeros((48, 2))
            counts = np.zeros((48, 2))
            for t in range(n):
                if w[t] == w[t] and p[t] == p[t]:
                    h = local_h + t
                    cell = h % 24 + (24 if (h // 24 + 3) % 7 >= 5 else 0)
                    dear = 1 if p[t] > limit else 0
                    sums[cell, dear] += w[t] / mean
                    counts[cell, dear] += 1.0
            # each cell's contrast weighs as a two-sample comparison does
            weight = 0.0
            contrast = 0.0
            for cell in range(48):
                a = counts[cell, 0]
                b = counts[cell, 1]
                if a >= 2.0 and b >= 2.0:
                    k = a * b / (a + b)
                    weight += k
                    contrast += k * (sums[cell, 0] / a - sums[cell, 1] / b)
            if weight < 10.0:
                continue
            theta = contrast / weight
            # score of each day: its hours' residuals under the fitted contrast, times the centred indicator
            by_day = np.zeros(days)
            for t in range(n):
                if w[t] == w[t] and p[t] == p[t]:
                    h = local_h + t
                    cell = h % 24 + (24 if (h // 24 + 3) % 7 >= 5 else 0)
                    a = counts[cell, 0]
                    b = counts[cell, 1]
                    if a >= 2.0 and b >= 2.0:
                        dear = 1.0 if p[t] > limit else 0.0
                        centre = (sums[cell, 0] + sums[cell, 1]) / (a + b)
                        share = b / (a + b)
                        residual = w[t] / mean - centre + theta * (dear - share)
                        by_day[(h - local_h) // 24] += -(dear - share) * residual
            variance = 0.0
            for d in range(days):
                variance += by_day[d] * by_day[d]
            found = theta * weight / np.sqrt(variance + 1e-6)
            if not found <= z[u]:
                z[u] = found
                effect[u] = theta


@kernel
def week_means(power_w, first, start_s, week_0, least_hours, means):
    """Mean power of each usage point in each week from Monday 00:00 UTC on.

    Parameters
    ----------
    power_w, first, start_s
        As in `LoadBatch`; hourly.
    week_0 : int
        First week of the table, in weeks since 1970-01-05.
    least_hours : int
        A week with fewer known hours stays as it is. [h]
    means : float64[n, weeks]
        Filled where there is an answer. [W]
    """
    for u in range(len(first) - 1):
        # hours since the Monday 1970-01-05
        hour = start_s[u] // 3600 - 96
        week = hour // 168
        total = 0.0
        known = 0
        for t in range(first[u], first[u + 1]):
            if hour // 168 != week:
                if known >= least_hours:
                    means[u, week - week_0] = total / known
                week = hour // 168
                total = 0.0
                known = 0
            v = power_w[t]
            if v == v:
                total += v
                known += 1
            hour += 1
        if known >= least_hours:
            means[u, week - week_0] = total / known
