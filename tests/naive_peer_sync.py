"""Plain twins of the kernels of `peer_sync`: slow, and written to be believed. They borrow nothing from the package."""

import itertools
import math

SECOND = 1_000_000_000
LAGS = range(-3, 4)


def drop_ticks(times, shortest, longest, tolerance, least_share, rounds):
    """Keep those that do not lie one period behind another, for each of the commonest periods."""
    keep = [True] * len(times)
    first_period = 0
    for _ in range(rounds):
        kept = [t for t, k in zip(times, keep, strict=True) if k]
        waits = [b - a for a, b in itertools.pairwise(kept)]
        possible = [w for w in waits if shortest <= w <= longest]
        best = []
        for low in range(longest // tolerance + 1):  # two neighbouring bins of the tolerance's width
            alike = [w for w in possible if w // tolerance in (low, low + 1)]
            if len(alike) > len(best):
                best = alike
        if len(best) < 4 or len(best) < least_share * len(waits):
            break
        period = sum(best) // len(best)
        first_period = first_period or period
        for k, t in enumerate(times):
            if any(t - period - tolerance <= u <= t - period + tolerance for u in times):
                keep[k] = False
    return keep, first_period


def intersect(a, b):
    """Stretches that lie in both lists."""
    both = [(max(s, t), min(e, f)) for s, e in a for t, f in b]
    return sorted((s, e) for s, e in both if s < e)


def overlap(a, b):
    return sum(e - s for s, e in intersect(a, b))


def foreign(a, b, strict):
    """Two rows (client, server, network) with no end in common."""
    if a[0] == b[0]:
        return False
    return not strict or (a[2] != b[2] and not {a[0], a[1]} & {b[0], b[1]})


def strength(one, other, spans_one, spans_other, fewest, shortest):
    """How surprising the coincidences of two rows are, and the lag at which they lie; None if they are none."""
    bins = [0] * 8
    for t in one:
        for u in other:
            if -4 * SECOND < u - t < 4 * SECOND:
                bins[(u - t + 4 * SECOND) // SECOND] += 1
    seen, place = max((bins[k] + bins[k + 1], -k) for k in range(7))
    together = overlap(spans_one, spans_other)
    if seen < fewest or together < shortest:
        return None
    watched_one = sum(e - s for s, e in spans_one)
    watched_other = sum(e - s for s, e in spans_other)
    expected = 2 * SECOND * together * (len(one) / watched_one) * (len(other) / watched_other)
    if seen <= expected:
        return None
    return seen * math.log(seen / expected) - (seen - expected), (-place - 3) * SECOND


def find_beats(one, other, lag, window, merge):
    """When both pushed, by the first one's time."""
    beats = []
    for t in one:
        if any(abs(u - t - lag) <= window for u in other) and (not beats or t - beats[-1] > merge):
            beats.append(t)
    return beats


def bet_on_part(times, beats, length, window, step, shares):
    """T at each lag over the mean of T over all rotations; all 1 where nothing can be said."""
    turns = length // step
    even = [[1.0 for _ in LAGS] for _ in shares]
    if not times or not beats or turns < 12:
        return even

    def hits_at(turn):
        hits = 0
        for b in beats:
            near = []
            for t in times:
                apart = (t - b - turn * length / turns) % length  # on a circle
                near.append(min(apart, length - apart) <= window)
            hits += any(near)
        return hits

    hits = [hits_at(turn) for turn in range(turns)]
    n = len(beats)
    p = sum(hits) / (n * turns)
    if p in (0.0, 1.0):
        return even
    out = []
    for share in shares:
        t = [(1 - share + share / p) ** h * (1 - share) ** (n - h) for h in hits]
        out.append([t[round(lag * SECOND / (length / turns)) % turns] / (sum(t) / turns) for lag in LAGS])
    return out


def bet_on_recurrence(times, beats, spans, window, step, farthest, shares, fewest):
    """The same with the worst share at another lag in the place of chance."""
    reach = farthest // step

    def share_at(lag):
        inside = [b for b in beats if any(s <= b + lag * step < e for s, e in spans)]
        hits = sum(any(abs(t - b - lag * step) <= window for t in times) for b in beats)
        return hits, len(inside)

    _, here = share_at(0)
    near = (6 * SECOND + 2 * window) // step
    worst = 0.0
    for lag in range(-reach, reach + 1):
        hits, inside = share_at(lag)
        if abs(lag) > near and inside >= fewest and 2 * inside >= here:
            worst = max(worst, (hits + 1) / (inside + 1))
    if worst == 0.0:
        return 1.0, 0.0
    total = best = 0.0
    for lag in LAGS:
        hits, inside = share_at(lag * SECOND // step)
        for share in shares:
            total += (1 - share + share / worst) ** hits * (1 - share) ** (inside - hits)
        best = max(best, (hits + 1) / (inside + 1))
    return total / (len(LAGS) * len(shares)), worst / best
