"""Common hidden clocks in words: who follows one, how fast it beats, and what the clients are.

No chain is compared, so no client is called a miner: one that hands in something like shares is a *follower*.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.network.chain_sync.clients import Client, judge_client
from headframe.detectors.network.chain_sync.regularity import rayleigh
from headframe.detectors.network.peer_sync.evidence import (
    VERSION,
    Measured,
    PeerSyncParameters,
    Row,
    find_rows,
    measure,
)
from headframe.kernels import peer_sync as kernel
from headframe.records.block import BlockClock
from headframe.records.bursts import Bursts
from headframe.records.conversation import endpoint_text
from headframe.records.finding import Family, Finding, Insufficient, Lookalike, Role
from headframe.sources.chain.chains import CHAINS

DETECTOR = "peer_sync"

_SECOND = 1_000_000_000
_FEWEST_MEMBERS = 3
RECURRING = 0.8
"""Coincidences that come back at another lag with so large a part of their number are those of timers. In a group that
was watched for a short while chance comes as far as that too; then there is nothing to say yet."""
TIMER_SPREAD = 0.35
"""Times between beats whose standard deviation is below this part of their mean are a timer's. Of a clock without
memory it is 1; six intervals fall below 0.35 in one case in 40 (simulated, 2026-11)."""

CLOCK_PERIODS_S = (10, 15, 20, 30, 60, 120, 300, 600, 900)
"""Periods that programs choose: beats on a lattice of one of these are a timer's, even where most ticks are missing."""
LATTICE = 8.0
"""Beats lie on a lattice where their number times the squared mean resultant length of their phases (Rayleigh's
statistic; Mardia & Jupp 2000, Directional Statistics, section 6.3.1) is above this. Without memory it is exponential
with mean 1: above 8 in one case in 3,000 for each period."""
ANY_LATTICE = 15.0
"""The same over all whole seconds from 10 s to 15 min: one case in 3,000 for all 900 together."""

NOT_COMPARED = (
    "No chain was compared, so what the common clock is, is not known. Mining is one explanation; a federated chat, a "
    "push service, a game or a feed of prices that reaches its users through different servers is another. A block "
    "clock would tell them apart."
)
"""Stands in every finding: this detector cannot tell a chain from any other clock without memory."""

BLIND_SPOTS = (
    "Without a clock it is not known what the common clock is: any service that speaks to many hosts through different "
    "servers at irregular times gives one.",
    "Fewer than three hosts at three servers of different networks cannot be told from chance.",
    "A fault that holds back all traffic at once and lets it go together looks like a beat.",
)


@dataclass(slots=True)
class PeerSyncResult:
    """What the detector answers.

    Attributes
    ----------
    findings : list of Finding
        Clients on the caller's list that follow a common clock and answer as miners do, all of them followers: what
        the clock is, is not known.
    lookalikes : list of Lookalike
        Those on the list that follow a common clock and do something else, or whose clock is a timer; of timers that
        only tick alike, one for all.
    insufficient : list of Insufficient
    tested : int
        How many pairs of client and server had an e-value. A list's error rate counts all of them.
    clocks : list of BlockClock
        The hidden clocks, the one with the most followers first. `chain` is ``hidden-1`` and so on, heights count
        beats; `community_ids` are the conversations that it was taken from.
    """

    findings: list[Finding] = field(default_factory=list)
    lookalikes: list[Lookalike] = field(default_factory=list)
    insufficient: list[Insufficient] = field(default_factory=list)
    tested: int = 0
    clocks: list[BlockClock] = field(default_factory=list)


def detect(
    series: Sequence[Bursts],
    parameters: PeerSyncParameters,
    on_list: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> PeerSyncResult:
    """Find clients whose servers follow one hidden clock.

    Parameters
    ----------
    series : sequence of Bursts
        Conversations that are over, in any order.
    parameters : PeerSyncParameters
    on_list : callable
        Cuts the list: given log10 of all e-values, float64[n], it says which are on it, bool[n].

    Returns
    -------
    PeerSyncResult
    """
    result = PeerSyncResult()
    rows = find_rows(series, parameters)
    found = measure(rows, parameters)
    if found.left_out:
        result.insufficient.append(
            Insufficient(
                detector=DETECTOR,
                host="",
                peer="",
                missing=f"there are {len(rows)} clients and servers with sparse pushes, too many to compare all with "
                f"all; the {len(found.rows)} that were watched longest were compared, "
                "so look at parts of the network one by one",
            )
        )
    if len(found.rows) < _FEWEST_MEMBERS:
        if found.rows:
            result.insufficient.append(
                Insufficient(
                    detector=DETECTOR,
                    host="",
                    peer="",
                    missing=f"only {len(found.rows)} pair{'s' if len(found.rows) > 1 else ''} of client and server had "
                    f"sparse pushes and could be watched for {parameters.shortest_s / 60:.0f} minutes or more; "
                    f"a common clock shows in {_FEWEST_MEMBERS} of different hosts and servers",
                )
            )
        return result
    # A subject of unknown direction has two rows: the mean of both is its e-value.
    subjects: dict[int, list[int]] = defaultdict(list)
    for k, row in enumerate(found.rows):
        subjects[id(row.subject)].append(k)
    members = list(subjects.values())
    result.tested = len(members)
    log10_e = _mean_of_rows(found.log10_e, members)
    listed = on_list(log10_e)
    timers = on_list(_mean_of_rows(found.log10_e_rotated, members)) & ~listed
    best = [max(ks, key=lambda k: found.log10_e[k]) for ks in members]
    # Whoever has no beats to rest on has nothing to be said of, whatever the caller's list says.
    evidence = {best[s]: float(log10_e[s]) for s in np.flatnonzero(listed).tolist() if found.support[best[s], 0] >= 0}
    for group in _groups(found, set(evidence)):
        _describe_group(group, found, evidence, parameters, result)
    ticking = [max(members[s], key=lambda k: found.log10_e_rotated[k]) for s in np.flatnonzero(timers).tolist()]
    ticking = [k for k in ticking if found.recurring[k] >= RECURRING]
    if ticking:
        # Timers are everywhere: one stands for all of them.
        loudest = max(ticking, key=lambda k: found.log10_e_rotated[k])
        others = f" The same holds for {len(ticking) - 1} other pairs of client and server." if ticking[1:] else ""
        result.lookalikes.append(
            _lookalike(
                found.rows[loudest],
                "common timer",
                "The server's unasked pushes coincide with those of servers elsewhere, and do so again at other lags: "
                f"timers that tick alike, and no common events.{others}",
            )
        )
    return result


def _mean_of_rows(log10_e: NDArray[np.float64], members: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    ln10 = np.log(10.0)
    means = [np.logaddexp.reduce(log10_e[ks] * ln10) / ln10 - np.log10(len(ks)) for ks in members]
    return np.array(means, dtype=np.float64)


def _groups(found: Measured, listed: set[int]) -> list[list[int]]:
    """Rows that speak for each other, those on the list with those they rest on; the largest group first."""
    above = list(range(len(found.rows)))

    def root(k: int) -> int:
        while above[k] != k:
            above[k] = above[above[k]]
            k = above[k]
        return k

    for k in listed:
        for other in found.support[k].tolist():
            if other >= 0:
                above[root(other)] = root(k)
        for other in found.partners.row[k].tolist():
            if other in listed:
                above[root(other)] = root(k)
    groups: dict[int, list[int]] = defaultdict(list)
    for k in range(len(found.rows)):
        groups[root(k)].append(k)
    whole = [g for g in groups.values() if len(g) >= _FEWEST_MEMBERS and listed.intersection(g)]
    return sorted(whole, key=lambda g: (-len(g), g[0]))


def _describe_group(
    group: list[int],
    found: Measured,
    evidence: dict[int, float],
    parameters: PeerSyncParameters,
    result: PeerSyncResult,
) -> None:
    rows = [found.rows[k] for k in group]
    clock = hidden_clock(rows, f"hidden-{len(result.clocks) + 1}")
    intervals_s = _intervals_s(clock)
    spread = float(intervals_s.std() / intervals_s.mean()) if len(intervals_s) else 0.0
    period_s = _lattice_s(clock)
    if len(intervals_s) < 2 or spread < TIMER_SPREAD or period_s:
        why = (
            f"at multiples of {period_s} s"
            if period_s
            else f"at times as even as a timer's (spread {spread:.2f} of the mean; of blocks it would be 1)"
        )
        for k in group:
            if k in evidence:
                result.lookalikes.append(
                    _lookalike(
                        found.rows[k],
                        "common timer",
                        f"The server's unasked pushes coincide with those of {len(group) - 1} others, but they come "
                        f"{why}.",
                    )
                )
        return
    result.clocks.append(clock)
    in_words = _clock_in_words(rows, clock, spread)
    for k in group:
        if k in evidence:
            _describe_row(k, found, evidence[k], in_words, parameters, result)


def _describe_row(
    k: int,
    found: Measured,
    log10_e: float,
    clock_in_words: str,
    parameters: PeerSyncParameters,
    result: PeerSyncResult,
) -> None:
    row = found.rows[k]
    one, other = (found.rows[s] for s in found.support[k].tolist())
    hits, expected = _count_hits(row, one, other, int(found.lag_s[k]), parameters)
    beats = int(found.beats[k])
    seen = (
        f"Of {beats} moments at which two other hosts heard unasked from their servers ({one.server} and "
        f"{other.server}), {hits} have an unasked push of this server within {parameters.window_s:g} s; "
        f"by chance it would be {expected:.1f}. {clock_in_words}"
    )
    judgement = judge_client(row.subject, row.server_sign, beats)
    if judgement.client is not Client.MINER:
        result.lookalikes.append(_lookalike(row, f"hidden clock {judgement.client}", f"{seen} But {judgement.reason}."))
        return
    contradictions = [NOT_COMPARED]
    if hits < 0.5 * beats:
        contradictions.append(f"{beats - hits} of {beats} common moments have no push of this server.")
    result.findings.append(
        Finding(
            detector=DETECTOR,
            version=VERSION,
            family=Family.TIMING,
            role=Role.FOLLOWER,
            host=row.client,
            peer=endpoint_text(row.server, row.server_port),
            protocol="peer-sync",
            started_ns=int(row.subject.spans_ns[0, 0]),
            ended_ns=int(row.subject.spans_ns[-1, 1]),
            log10_e=log10_e,
            explanation=f"{seen} {judgement.reason[0].upper()}{judgement.reason[1:]}; short messages of a chat look "
            f"the same. {NOT_COMPARED}",
            contradictions=tuple(contradictions),
            blind_spots=BLIND_SPOTS,
            sources=row.subject.sources,
            community_ids=row.subject.community_ids,
        )
    )


def _count_hits(row: Row, one: Row, other: Row, lag_s: int, parameters: PeerSyncParameters) -> tuple[int, float]:
    """Beats with a push of the row, and how many there would be by chance."""
    window_ns = round(parameters.window_s * _SECOND)
    spans = _common_spans([row, one, other])
    lag_ns = _lag_between(one, other)
    beats_ns = np.empty(len(one.time_ns), dtype=np.int64)
    count = kernel.find_beats(one.time_ns, other.time_ns, lag_ns, window_ns, kernel.LAGS * _SECOND, beats_ns)
    hits, expected = 0, 0.0
    for start, end in spans.tolist():
        inside = beats_ns[:count][(beats_ns[:count] >= start) & (beats_ns[:count] < end)] + lag_s * _SECOND
        mine = row.time_ns[(row.time_ns >= start) & (row.time_ns < end)]
        after = np.searchsorted(mine, inside - window_ns)
        hits += int((np.append(mine, np.iinfo(np.int64).max)[after] <= inside + window_ns).sum())
        gaps = np.diff(mine, prepend=start, append=end)
        # Twice the window around each push, less where two of them overlap.
        expected += len(inside) * float(np.minimum(gaps, 2 * window_ns)[1:].sum()) / (end - start)
    return hits, expected


def _lag_between(one: Row, other: Row) -> int:
    """The lag in whole seconds at which two rows coincide most often. [ns]"""
    best, best_lag = -1, 0
    for lag_s in range(-kernel.LAGS, kernel.LAGS + 1):
        wanted = one.time_ns + lag_s * _SECOND
        near = np.searchsorted(other.time_ns, wanted - _SECOND)
        seen = int((np.append(other.time_ns, np.iinfo(np.int64).max)[near] <= wanted + _SECOND).sum())
        if seen > best:
            best, best_lag = seen, lag_s * _SECOND
    return best_lag


def _common_spans(rows: Sequence[Row]) -> NDArray[np.int64]:
    spans = rows[0].subject.spans_ns
    for row in rows[1:]:
        out = np.empty((len(spans) + len(row.subject.spans_ns), 2), dtype=np.int64)
        spans = out[: kernel.intersect(spans, row.subject.spans_ns, out)]
    return spans


def hidden_clock(rows: Sequence[Row], name: str) -> BlockClock:
    """The beats that at least half of those who were watched took part in, and at least two.

    Parameters
    ----------
    rows : sequence of Row
        Followers of one clock.
    name : str

    Returns
    -------
    BlockClock
        `covered` is the time in which at least two were watched. A beat is dated by its first push.
    """
    reach_ns = (kernel.LAGS + 1) * _SECOND
    edges = [(int(t), step) for row in rows for s in row.subject.spans_ns for t, step in ((s[0], 1), (s[1], -1))]
    at_ns, watched, level = [], [], 0
    for t, step in sorted(edges):
        level += step
        at_ns.append(t)
        watched.append(level)
    covered: list[list[int]] = []
    for k in range(len(at_ns) - 1):
        if watched[k] >= 2 and at_ns[k] < at_ns[k + 1]:
            if covered and covered[-1][1] == at_ns[k]:
                covered[-1][1] = at_ns[k + 1]
            else:
                covered.append([at_ns[k], at_ns[k + 1]])
    time_ns = np.concatenate([row.time_ns for row in rows])
    order = np.argsort(time_ns, kind="stable")
    who = np.repeat(np.arange(len(rows)), [len(row.time_ns) for row in rows])[order]
    time_ns = time_ns[order]
    beats: list[int] = []
    k = 0
    while k < len(time_ns):
        end = int(np.searchsorted(time_ns, time_ns[k] + reach_ns))
        there = watched[int(np.searchsorted(at_ns, time_ns[k], side="right")) - 1]
        if len(np.unique(who[k:end])) >= max(2, -(-there // 2)):
            beats.append(int(time_ns[k]))
            k = end
        else:
            k += 1
    return BlockClock(
        chain=name,
        arrival_ns=np.array(beats, dtype=np.int64),
        heights=np.arange(len(beats), dtype=np.int64),
        resolution_ns=1,
        covered=np.array(covered, dtype=np.int64).reshape(-1, 2),
        sources=(DETECTOR,),
        community_ids=frozenset(i for row in rows for i in row.subject.community_ids),
    )


def _intervals_s(clock: BlockClock) -> NDArray[np.float64]:
    """Times between beats that follow each other in one stretch. [s]"""
    stretch = np.searchsorted(clock.covered[:, 0], clock.arrival_ns, side="right")
    return np.asarray(np.diff(clock.arrival_ns)[np.diff(stretch) == 0] / _SECOND)


def _lattice_s(clock: BlockClock) -> int:
    """The period on whose lattice the beats lie; 0 where there is none. [s]"""
    at_s = clock.arrival_ns / _SECOND
    if not len(at_s):
        return 0
    periods_s = np.arange(CLOCK_PERIODS_S[0], CLOCK_PERIODS_S[-1] + 1)
    # One period at a time: all of them at once would take beats times 900 numbers.
    power = np.array([rayleigh(at_s, int(period)) for period in periods_s])
    limit = np.where(np.isin(periods_s, CLOCK_PERIODS_S), LATTICE, ANY_LATTICE)
    over = power - limit
    return int(periods_s[over.argmax()]) if over.max() > 0 else 0


def _clock_in_words(rows: Sequence[Row], clock: BlockClock, spread: float) -> str:
    hosts, servers = len({row.client for row in rows}), len({row.server for row in rows})
    watched_s = float((clock.covered[:, 1] - clock.covered[:, 0]).sum()) / _SECOND
    beats = len(clock.arrival_ns)
    mean_s = watched_s / beats
    # Twice the standard deviation of a Poisson count; a pool that pushes twice at some blocks makes it faster.
    low_s, high_s = watched_s / (beats + 2 * beats**0.5), watched_s / max(beats - 2 * beats**0.5, 1.0)
    fitting = [c.symbol for c in CHAINS.values() if c.resolvable and low_s <= c.spacing_s <= high_s]
    if len(fitting) > 6:
        fits = f"which fits {len(fitting)} chains by their spacing"
    elif fitting:
        fits = f"which fits the spacing of {', '.join(fitting)}"
    else:
        fits = "which fits the spacing of no chain that is known here"
    return (
        f"{hosts} hosts with {servers} servers follow one hidden clock that beats every {mean_s:.0f} s on average "
        f"({low_s:.0f} to {high_s:.0f} s), {fits}, at times as uneven as blocks are (spread {spread:.1f} of the mean; "
        "of blocks it is about 1)."
    )


def _lookalike(row: Row, label: str, reason: str) -> Lookalike:
    return Lookalike(
        detector=DETECTOR,
        host=row.client,
        peer=endpoint_text(row.server, row.server_port),
        label=label,
        reason=reason,
        started_ns=int(row.subject.spans_ns[0, 0]),
        sources=row.subject.sources,
        community_ids=row.subject.community_ids,
    )
