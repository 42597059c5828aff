"""Pushes of different servers that coincide: who has a common hidden clock, without knowing the clock.

Times only. A *row* is one client and one server; its pushes are ascending. Two rows may speak for each other only if
they are *foreign*: no address and no network of servers in common. The *beats* of two foreign rows are the moments at
which both pushed; a third row, foreign to both, is held against them. Theory: docs/detectors/peer_sync.md.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.kernels.jit import kernel

SECOND = 1_000_000_000
LAGS = 3
"""Two servers may be apart by so much, either way: pools push within about 3 s of a block. [s]"""
BINS = 2 * LAGS + 2


class Rows(NamedTuple):
    """Pushes of all rows.

    Attributes
    ----------
    time_ns : int64[n]
        Pushes, one row after the other, ascending in each. [ns]
    at : int64[m + 1]
        Where the pushes of each row begin.
    spans_ns : int64[k, 2]
        When each row was watched, one row after the other, ascending and disjoint in each. [ns]
    span_at : int64[m + 1]
        Where the spans of each row begin.
    client, server, network : int32[m]
        Numbers of the addresses at both ends (one numbering for both) and of the server's network.
    strict : bool
        False to compare clients of one server as well.
    """

    time_ns: NDArray[np.int64]
    at: NDArray[np.int64]
    spans_ns: NDArray[np.int64]
    span_at: NDArray[np.int64]
    client: NDArray[np.int32]
    server: NDArray[np.int32]
    network: NDArray[np.int32]
    strict: bool


class Partners(NamedTuple):
    """For each row those whose pushes coincide with its own most strikingly.

    Attributes
    ----------
    row : int32[m, k + 1]
        The strongest first; -1 where there is no more. One more than is used, since one may have to be left out.
    strength : float64[m, k + 1]
        How surprising the number of coincidences is: logarithm of a Poisson likelihood ratio. [nats]
    lag_ns : int64[m, k + 1]
        How far the partner's pushes lie behind, as far as it is known: to a second. [ns]
    """

    row: NDArray[np.int32]
    strength: NDArray[np.float64]
    lag_ns: NDArray[np.int64]


class Bet(NamedTuple):
    """What is mixed. Letters as in docs/detectors/peer_sync.md.

    Attributes
    ----------
    window_ns : int
        How far from its beat a push may lie, either way: w. [ns]
    step_ns : int
        Step of the rotations. [ns]
    lengths_ns : int64[l]
        Lengths of a part: L. [ns]
    shares : float64[s]
        Share of beats that the row takes part in: θ. [unitless]
    merge_ns : int
        Beats that follow each other within this time are one. [ns]
    fewest_beats : int
        With fewer nothing is said.
    shortest_ns : int
        A common span shorter than this is left out. [ns]
    farthest_ns : int
        How far coincidences may recur and be noticed. [ns]
    """

    window_ns: int
    step_ns: int
    lengths_ns: NDArray[np.int64]
    shares: NDArray[np.float64]
    merge_ns: int
    fewest_beats: int
    shortest_ns: int
    farthest_ns: int


@kernel
def foreign(rows, a, b):
    """Whether two rows have no end in common, so that one may speak for the other."""
    if rows.client[a] == rows.client[b]:
        return False
    if not rows.strict:
        return True
    return (
        rows.network[a] != rows.network[b]
        and rows.server[a] != rows.server[b]
        and rows.client[a] != rows.server[b]
        and rows.server[a] != rows.client[b]
    )


@kernel
def drop_ticks(time_ns, shortest_ns, longest_ns, tolerance_ns, least_share, rounds, keep):
    """Mark pushes that a timer made: those that lie one period behind another push.

    The period is the commonest interval between pushes that are still there, if it is common enough.

    Parameters
    ----------
    time_ns : int64[n]
        Ascending. [ns]
    shortest_ns, longest_ns : int
        Periods that are looked for. [ns]
    tolerance_ns : int
        How exactly a timer ticks. [ns]
    least_share : float
        Part of all intervals that must be alike. [unitless]
    rounds : int
        So many timers at most.
    keep : bool[n]
        Filled: False for ticks.

    Returns
    -------
    int
        The first period that was found; 0 if none. [ns]
    """
    n = len(time_ns)
    for k in range(n):
        keep[k] = True
    bins = longest_ns // tolerance_ns + 2
    found = np.int64(0)
    for _ in range(rounds):
        count = np.zeros(bins, dtype=np.int64)
        total = np.zeros(bins, dtype=np.int64)
        before = -1
        intervals = 0
        for k in range(n):
            if keep[k]:
                if before >= 0:
                    wait = time_ns[k] - time_ns[before]
                    intervals += 1
                    if shortest_ns <= wait <= longest_ns:
                        count[wait // tolerance_ns] += 1
                        total[wait // tolerance_ns] += wait
                before = k
        best = 0
        for b in range(bins - 1):
            if count[b] + count[b + 1] > count[best] + count[best + 1]:
                best = b
        alike = count[best] + count[best + 1]
        if alike < 4 or alike < least_share * intervals:
            break
        period = (total[best] + total[best + 1]) // alike
        if found == 0:
            found = period
        first = 0
        for k in range(n):
            while time_ns[first] < time_ns[k] - period - tolerance_ns:
                first += 1
            if time_ns[first] <= time_ns[k] - period + tolerance_ns:
                keep[k] = False
    return found


@kernel
def count_meetings(sorted_ns, reach_ns):
    """How many pairs of pushes lie within a reach of each other: what `find_partners` has to look at.

    Parameters
    ----------
    sorted_ns : int64[n]
        Pushes of all rows, ascending. [ns]
    reach_ns : int
        [ns]
    """
    first = 0
    meetings = np.int64(0)
    for k in range(len(sorted_ns)):
        while sorted_ns[first] < sorted_ns[k] - reach_ns:
            first += 1
        meetings += k - first
    return meetings


@kernel
def find_partners(rows, sorted_ns, who, place, shortest_ns, fewest, least_strength, partners):
    """For each row the foreign rows whose pushes coincide with its own most strikingly.

    Coincidences are counted in bins of 1 s of the lag; the best two neighbouring bins count.

    Parameters
    ----------
    rows : Rows
    sorted_ns : int64[n], who : int32[n]
        All pushes ascending, and their rows. [ns]
    place : int64[n]
        Where each push of `rows` lies in `sorted_ns`.
    shortest_ns : int
        Rows that were watched together for less are not compared. [ns]
    fewest : int
        Fewer coincidences are none.
    least_strength : float
        [nats]
    partners : Partners
        Filled.
    """
    m = len(rows.at) - 1
    reach_ns = np.int64((LAGS + 1) * SECOND)
    rate = np.empty(m)
    for a in range(m):
        rate[a] = _rate(rows, a)
    # Of a row with one span only these are needed; others are looked at in full.
    start_ns = rows.spans_ns[rows.span_at[:-1], 0]
    end_ns = rows.spans_ns[rows.span_at[1:] - 1, 1]
    one_span = rows.span_at[1:] - rows.span_at[:-1] == 1
    met = np.zeros(m, dtype=np.int32)
    partners.row[:] = -1
    partners.strength[:] = 0.0
    partners.lag_ns[:] = 0
    for a in range(m):
        # Most of the time is spent here: one addition for each meeting, whoever it is with, and nothing to decide.
        touched = 0
        for k in range(rows.at[a], rows.at[a + 1]):
            from_ns = rows.time_ns[k] - reach_ns
            until_ns = rows.time_ns[k] + reach_ns
            g = place[k]
            while g > 0 and sorted_ns[g - 1] > from_ns:
                g -= 1
            while g < len(sorted_ns) and sorted_ns[g] < until_ns:
                met[who[g]] += 1
                g += 1
                touched += 1
        if touched > m:
            for b in range(m):
                if b > a and met[b] >= fewest:
                    if one_span[a] and one_span[b]:
                        together_ns = min(end_ns[a], end_ns[b]) - max(start_ns[a], start_ns[b])
                        expected = (2.0 * SECOND) * together_ns * rate[a] * rate[b]
                        if together_ns < shortest_ns or _strength_is_below(least_strength, met[b], expected):
                            met[b] = 0
                            continue
                    _judge_pair(rows, rate, a, b, met[b], shortest_ns, fewest, least_strength, partners)
                met[b] = 0
            continue
        for k in range(rows.at[a], rows.at[a + 1]):
            g = place[k]
            while g > 0 and sorted_ns[g - 1] > rows.time_ns[k] - reach_ns:
                g -= 1
            while g < len(sorted_ns) and sorted_ns[g] < rows.time_ns[k] + reach_ns:
                b = np.int64(who[g])
                if b > a and met[b] >= fewest:
                    _judge_pair(rows, rate, a, b, met[b], shortest_ns, fewest, least_strength, partners)
                met[b] = 0
                g += 1


@kernel
def _judge_pair(rows, rate, a, b, met, shortest_ns, fewest, least_strength, partners):
    if not foreign(rows, a, b):
        return
    together_ns = _overlap(rows, a, b)
    if together_ns < shortest_ns:
        return
    expected = (2.0 * SECOND) * together_ns * rate[a] * rate[b]
    # No two bins hold more than all.
    if _strength_is_below(least_strength, met, expected):
        return
    counts = np.zeros(BINS, dtype=np.int64)
    _count_lags(rows.time_ns[rows.at[a] : rows.at[a + 1]], rows.time_ns[rows.at[b] : rows.at[b + 1]], counts)
    best = 0
    for k in range(BINS - 1):
        if counts[k] + counts[k + 1] > counts[best] + counts[best + 1]:
            best = k
    seen = counts[best] + counts[best + 1]
    if seen < fewest or seen <= expected:
        return
    strength = seen * np.log(seen / expected) - (seen - expected)
    if strength < least_strength:
        return
    # Two bins of 1 s from -(LAGS + 1): the lag is the border between them.
    lag_ns = np.int64((best - LAGS) * SECOND)
    _remember(partners, a, b, strength, lag_ns)
    _remember(partners, b, a, strength, -lag_ns)


@kernel
def _strength_is_below(least_strength, seen, expected):
    """Whether coincidences are too few, cheaply: x ln x - x + 1 <= (x - 1)(sqrt(x) - 1) for x = seen / expected."""
    x = seen / expected
    return x <= 1.0 or expected * (x - 1.0) * (np.sqrt(x) - 1.0) < least_strength


@kernel
def _count_lags(one_ns, other_ns, counts):
    """How often the other lies behind by so much, in bins of 1 s."""
    reach_ns = np.int64((LAGS + 1) * SECOND)
    first = 0
    for k in range(len(one_ns)):
        from_ns = one_ns[k] - reach_ns
        while first < len(other_ns) and other_ns[first] <= from_ns:
            first += 1
        q = first
        while q < len(other_ns) and other_ns[q] < one_ns[k] + reach_ns:
            counts[(other_ns[q] - from_ns) // SECOND] += 1
            q += 1


@kernel
def _rate(rows, a):
    watched_ns = np.int64(0)
    for k in range(rows.span_at[a], rows.span_at[a + 1]):
        watched_ns += rows.spans_ns[k, 1] - rows.spans_ns[k, 0]
    return (rows.at[a + 1] - rows.at[a]) / watched_ns


@kernel
def _overlap(rows, a, b):
    together_ns = np.int64(0)
    q = rows.span_at[b]
    for k in range(rows.span_at[a], rows.span_at[a + 1]):
        start, end = rows.spans_ns[k, 0], rows.spans_ns[k, 1]
        while q < rows.span_at[b + 1] and rows.spans_ns[q, 1] <= start:
            q += 1
        r = q
        while r < rows.span_at[b + 1] and rows.spans_ns[r, 0] < end:
            together_ns += max(np.int64(0), min(end, rows.spans_ns[r, 1]) - max(start, rows.spans_ns[r, 0]))
            r += 1
    return together_ns


@kernel
def _remember(partners, a, b, strength, lag_ns):
    """Put a partner in its place, the strongest first."""
    k = partners.row.shape[1] - 1
    if partners.row[a, k] >= 0 and partners.strength[a, k] >= strength:
        return
    while k > 0 and (partners.row[a, k - 1] < 0 or partners.strength[a, k - 1] < strength):
        partners.row[a, k] = partners.row[a, k - 1]
        partners.strength[a, k] = partners.strength[a, k - 1]
        partners.lag_ns[a, k] = partners.lag_ns[a, k - 1]
        k -= 1
    partners.row[a, k] = b
    partners.strength[a, k] = strength
    partners.lag_ns[a, k] = lag_ns


@kernel
def intersect(a, b, out):
    """Stretches that lie in both of two lists.

    Parameters
    ----------
    a, b : int64[k, 2], int64[l, 2]
        Ascending and disjoint. [ns]
    out : int64[k + l, 2]
        Filled.

    Returns
    -------
    int
        How many there are.
    """
    i, j, count = 0, 0, 0
    while i < len(a) and j < len(b):
        start = max(a[i, 0], b[j, 0])
        end = min(a[i, 1], b[j, 1])
        if start < end:
            out[count, 0] = start
            out[count, 1] = end
            count += 1
        if a[i, 1] < b[j, 1]:
            i += 1
        else:
            j += 1
    return count


@kernel
def find_beats(one_ns, other_ns, lag_ns, window_ns, merge_ns, out_ns):
    """Moments at which two rows both pushed, by the first row's time.

    Parameters
    ----------
    one_ns, other_ns : int64[n], int64[m]
        Ascending. [ns]
    lag_ns : int
        How far the other lies behind. [ns]
    window_ns : int
        How exactly. [ns]
    merge_ns : int
        Moments that follow the one before within this time are the same beat. [ns]
    out_ns : int64[n]
        Filled.

    Returns
    -------
    int
        How many there are.
    """
    count = 0
    k = 0
    for q in range(len(one_ns)):
        wanted = one_ns[q] + lag_ns
        while k < len(other_ns) and other_ns[k] < wanted - window_ns:
            k += 1
        if k == len(other_ns):
            break
        if other_ns[k] <= wanted + window_ns and (count == 0 or one_ns[q] - out_ns[count - 1] > merge_ns):
            out_ns[count] = one_ns[q]
            count += 1
    return count


@kernel
def bet_on_part(time_ns, beats_ns, length_ns, window_ns, step_ns, shares, hits, stamp, log_e):
    """Take one part of a row into the sums: its pushes against all their rotations.

    The pushes are rotated within the part in steps of ``length_ns / N`` with ``N = length_ns // step_ns``. The bet at
    lag d is ``T(d) / mean of T over all N rotations``, where ``T = (1 - θ + θ/p)^hits (1 - θ)^misses`` and p is the
    mean share of beats hit over all rotations.

    Parameters
    ----------
    time_ns, beats_ns : int64[n], int64[b]
        Pushes and beats of the part, in any order. [ns]
    length_ns : int
        [ns]
    window_ns, step_ns : int
        [ns]
    shares : float64[s]
        θ. [unitless]
    hits, stamp : int32[>= N]
        Room to count in.
    log_e : float64[s, 2 * LAGS + 1]
        Natural logarithm of the products so far, by share and by lag from -LAGS to LAGS seconds; added to.
    """
    turns = length_ns // step_ns
    n = len(beats_ns)
    if n == 0 or len(time_ns) == 0 or turns < 4 * LAGS:
        return
    turn_ns = length_ns / turns
    for r in range(turns):
        hits[r] = 0
        stamp[r] = -1
    covered = 0
    for b in range(n):
        for q in range(len(time_ns)):
            apart = time_ns[q] - beats_ns[b]
            for r in range(
                int(np.ceil((apart - window_ns) / turn_ns)), int(np.floor((apart + window_ns) / turn_ns)) + 1
            ):
                turn = r % turns
                if stamp[turn] != b:
                    stamp[turn] = b
                    hits[turn] += 1
                    covered += 1
    if covered == 0 or covered == n * turns:
        return
    p = covered / (n * turns)
    of_hits = np.zeros(n + 1, dtype=np.int64)
    for r in range(turns):
        of_hits[hits[r]] += 1
    for s in range(len(shares)):
        hit = np.log(1.0 - shares[s] + shares[s] / p)
        miss = np.log1p(-shares[s])
        # A hit always weighs more than a miss, so the most hits have the largest T.
        most = n
        while of_hits[most] == 0:
            most -= 1
        top = most * hit + (n - most) * miss
        mean = 0.0
        for h in range(most + 1):
            if of_hits[h]:
                mean += of_hits[h] * np.exp(h * hit + (n - h) * miss - top)
        log_mean = top + np.log(mean / turns)
        for lag in range(-LAGS, LAGS + 1):
            turn = int(np.round(lag * SECOND / turn_ns)) % turns
            log_e[s, lag + LAGS] += hits[turn] * hit + (n - hits[turn]) * miss - log_mean


@kernel
def bet_on_recurrence(time_ns, beats_ns, spans_ns, bet):
    """How much the coincidences now stand out against those at any other lag.

    Two timers of one period whose phases agree coincide again one period on. So the share of beats hit at the worst
    other lag, p', takes the place of chance: ``(1 - θ + θ/p')^hits (1 - θ)^misses``, mixed over θ and lag.

    Parameters
    ----------
    time_ns, beats_ns : int64[n], int64[b]
        Ascending. [ns]
    spans_ns : int64[k, 2]
        When both were watched. [ns]
    bet : Bet

    Returns
    -------
    log_e : float
        Natural logarithm of the bet.
    recurring : float
        p' beside the share of beats hit at the best of the lags that are bet on: near 1 and above for timers.
    """
    reach = bet.farthest_ns // bet.step_ns
    hits = np.zeros(2 * reach + 1, dtype=np.int32)
    stamp = np.full(2 * reach + 1, -1, dtype=np.int32)
    inside = np.zeros(2 * reach + 2, dtype=np.int32)
    first = 0
    for b in range(len(beats_ns)):
        while first < len(time_ns) and time_ns[first] < beats_ns[b] - bet.farthest_ns - bet.window_ns:
            first += 1
        for q in range(first, len(time_ns)):
            apart = time_ns[q] - beats_ns[b]
            if apart > bet.farthest_ns + bet.window_ns:
                break
            low = max(-reach, -((bet.window_ns - apart) // bet.step_ns))
            high = min(reach, (apart + bet.window_ns) // bet.step_ns)
            for r in range(low, high + 1):
                if stamp[r + reach] != b:
                    stamp[r + reach] = b
                    hits[r + reach] += 1
        for k in range(len(spans_ns)):
            # Lags that move this beat into the span; summed up below.
            low = max(-reach, -((beats_ns[b] - spans_ns[k, 0]) // bet.step_ns))
            high = min(reach + 1, -((beats_ns[b] - spans_ns[k, 1]) // bet.step_ns))
            if low < high:
                inside[low + reach] += 1
                inside[high + reach] -= 1
    for r in range(1, 2 * reach + 1):
        inside[r] += inside[r - 1]
    # Neighbours of the lags that are bet on share their pushes; where few beats are left a share says nothing.
    near = (2 * LAGS * SECOND + 2 * bet.window_ns) // bet.step_ns
    p = 0.0
    for r in range(2 * reach + 1):
        if abs(r - reach) > near and inside[r] >= bet.fewest_beats and 2 * inside[r] >= inside[reach]:
            p = max(p, (hits[r] + 1.0) / (inside[r] + 1.0))
    if p == 0.0:
        return 0.0, 0.0
    total = 0.0
    best = 0.0
    for lag in range(-LAGS, LAGS + 1):
        r = reach + lag * SECOND // bet.step_ns
        for s in range(len(bet.shares)):
            hit = np.log(1.0 - bet.shares[s] + bet.shares[s] / p)
            total += np.exp(hits[r] * hit + (inside[r] - hits[r]) * np.log1p(-bet.shares[s]))
        best = max(best, (hits[r] + 1.0) / (inside[r] + 1.0))
    return np.log(total / (len(bet.shares) * (2 * LAGS + 1))), p / best


@kernel
def bet_on_row(rows, row, one, other, lag_ns, bet):
    """Hold a row against the beats of two others.

    Parameters
    ----------
    rows : Rows
    row, one, other : int
    lag_ns : int
        How far `other` lies behind `one`. [ns]
    bet : Bet

    Returns
    -------
    log_e : float
        Natural logarithm of the e-value, the smaller of both bets; 0 where too little was seen.
    log_e_rotated : float
        The same of the rotations alone.
    recurring : float
        See `bet_on_recurrence`; 0 where it was not needed.
    beats : int
        Beats while all three were watched.
    lag_s : int
        The lag of the row behind the beats that fits best. [s]
    """
    mine = rows.time_ns[rows.at[row] : rows.at[row + 1]]
    ones = rows.time_ns[rows.at[one] : rows.at[one + 1]]
    others = rows.time_ns[rows.at[other] : rows.at[other + 1]]
    spans_row = rows.spans_ns[rows.span_at[row] : rows.span_at[row + 1]]
    spans_one = rows.spans_ns[rows.span_at[one] : rows.span_at[one + 1]]
    spans_other = rows.spans_ns[rows.span_at[other] : rows.span_at[other + 1]]
    pair = np.empty((len(spans_one) + len(spans_other), 2), dtype=np.int64)
    pair = pair[: intersect(spans_one, spans_other, pair)]
    spans = np.empty((len(pair) + len(spans_row), 2), dtype=np.int64)
    spans = spans[: intersect(pair, spans_row, spans)]
    beats_ns = np.empty(len(ones), dtype=np.int64)
    beats_ns = beats_ns[: find_beats(ones, others, lag_ns, bet.window_ns, bet.merge_ns, beats_ns)]

    longest_ns = np.int64(0)
    for length_ns in bet.lengths_ns:
        longest_ns = max(longest_ns, length_ns)
    turns = 2 * longest_ns // bet.step_ns + 2
    hits = np.empty(turns, dtype=np.int32)
    stamp = np.empty(turns, dtype=np.int32)
    log_e = np.zeros((len(bet.lengths_ns), len(bet.shares), 2 * LAGS + 1))
    beats = 0
    for k in range(len(spans)):
        start, end = spans[k, 0], spans[k, 1]
        if end - start < bet.shortest_ns:
            continue
        beats += np.searchsorted(beats_ns, end) - np.searchsorted(beats_ns, start)
        for length in range(len(bet.lengths_ns)):
            parts = max(1, int(np.round((end - start) / bet.lengths_ns[length])))
            for q in range(parts):
                a = start + (end - start) * q // parts
                b = start + (end - start) * (q + 1) // parts
                bet_on_part(
                    mine[np.searchsorted(mine, a) : np.searchsorted(mine, b)],
                    beats_ns[np.searchsorted(beats_ns, a) : np.searchsorted(beats_ns, b)],
                    b - a,
                    bet.window_ns,
                    bet.step_ns,
                    bet.shares,
                    hits,
                    stamp,
                    log_e[length],
                )
    if beats < bet.fewest_beats:
        return 0.0, 0.0, 0.0, beats, 0
    best = -np.inf
    lag = 0
    for length in range(log_e.shape[0]):
        for s in range(log_e.shape[1]):
            for d in range(log_e.shape[2]):
                if log_e[length, s, d] > best:
                    best = log_e[length, s, d]
                    lag = d - LAGS
    total = np.log(np.mean(np.exp(log_e - best))) + best
    if total <= 0.0:
        return total, total, 0.0, beats, lag
    guarded, recurring = bet_on_recurrence(mine, beats_ns, spans, bet)
    return min(total, guarded), total, recurring, beats, lag


@kernel
def bet_on_all(rows, partners, bet, strength_cap, log_e, log_e_rotated, recurring, support, beats, lag_s):
    """Evidence of every row against the beats of the others.

    The beats of one row and its partner weigh ``exp(min(strength, strength_cap) / 2)``; neither the partners nor the
    weight look at the row that is held against them. Beats of rows that are no partners of the row itself are not
    tried and count as an e-value of 0, which makes the mean smaller and never larger.

    Parameters
    ----------
    rows : Rows
    partners : Partners
    bet : Bet
    strength_cap : float
        [nats]
    log_e : float64[m]
        Filled: natural logarithm of the weighted mean; -inf where nothing spoke for the row.
    log_e_rotated : float64[m]
        Filled: the same of the rotations alone.
    recurring : float64[m]
        Filled: see `bet_on_recurrence`, of the loudest rotation.
    support : int32[m, 2]
        Filled: the two rows whose beats speak loudest, or -1.
    beats : int64[m]
        Filled: beats of those.
    lag_s : int64[m]
        Filled: how far the row lies behind them. [s]
    """
    m = len(rows.at) - 1
    slots = partners.row.shape[1]
    have = np.empty(m, dtype=np.int32)
    n_have = 0
    for j in range(m):
        if partners.row[j, 0] >= 0:
            have[n_have] = j
            n_have += 1
    for i in range(m):
        log_e[i] = -np.inf
        log_e_rotated[i] = -np.inf
        recurring[i] = 0.0
        support[i, :] = -1
        beats[i] = 0
        lag_s[i] = 0
        if partners.row[i, 0] < 0:
            continue
        weights = 0.0
        loudest = -np.inf
        loudest_rotated = -np.inf
        for h in range(n_have):
            j = have[h]
            if not foreign(rows, i, j):
                continue
            mine = False
            for q in range(slots):
                if partners.row[i, q] == j:
                    mine = True
            left = slots - 1
            for q in range(slots):
                other = partners.row[j, q]
                if other == i:
                    continue
                if other < 0 or left == 0:
                    break
                left -= 1
                if not foreign(rows, i, other):
                    continue
                log_weight = 0.5 * min(partners.strength[j, q], strength_cap)
                weights += np.exp(log_weight)
                if not mine:
                    continue
                found, rotated, again, n_beats, lag = bet_on_row(rows, i, j, other, partners.lag_ns[j, q], bet)
                log_e_rotated[i] = _log_add(log_e_rotated[i], log_weight + rotated)
                log_e[i] = _log_add(log_e[i], log_weight + found)
                if log_weight + rotated > loudest_rotated:
                    loudest_rotated = log_weight + rotated
                    recurring[i] = again
                if log_weight + found > loudest:
                    loudest = log_weight + found
                    support[i, 0] = j
                    support[i, 1] = other
                    beats[i] = n_beats
                    lag_s[i] = lag
        if weights > 0.0:
            log_e[i] -= np.log(weights)
            log_e_rotated[i] -= np.log(weights)


@kernel
def _log_add(a, b):
    if a == -np.inf:
        return b
    if b == -np.inf:
        return a
    return max(a, b) + np.log1p(np.exp(-abs(a - b)))
