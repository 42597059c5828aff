"""Packet series of miners, and of others who follow a chain: when each side speaks and how much, and nothing else.

`headframe.simulate.session` says every word of a session, which takes a second for a day. A timing detector reads only
times, sizes and directions, and its power is measured on thousands of days. So this module draws whole series at once.
Message sizes are those of the dialects that `session` speaks, taken from real messages of theirs.

What a disguise does to a series is a function from series to series, so that they can be put one over another.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.records.block import BlockClock
from headframe.simulate import tls
from headframe.simulate.chains import Block, Chain
from headframe.simulate.dialects import DIALECTS, Account, Outcome

Times = NDArray[np.int64]
Generator = np.random.Generator

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
_MSS_BYTES = 1448
"""Payload of a TCP segment: 1,500 bytes less 20 for IP, 20 for TCP and 12 for the time stamp option (RFC 7323)."""
_SEGMENT_GAP_NS = 12_000
"""1,500 bytes take 12 microseconds at 1 Gbit/s."""
_RETARGET_S = 120.0
"""How often vardiff looks at the rate of shares. Pools' own settings go from 30 s to some minutes. [s]"""
_WARM_UP_S = 300.0
"""For so long shares come faster, because pools begin with a low difficulty. [s]"""
_WARM_UP_FACTOR = 3.0
_NORMAL_90 = 1.6449  # 5 % of a normal distribution lie above this many standard deviations


class Series(NamedTuple):
    """What is seen of the conversations between one client and one server.

    Attributes
    ----------
    time_ns : int64[n]
        Ascending. [ns since 1970-01-01 UTC]
    size : int32[n]
        Payload, negative from the server. Messages before `as_packets`, packets after it. [bytes]
    connection : int32[n]
        Which connection, counted from 0; a reconnect is a new one.
    """

    time_ns: Times
    size: NDArray[np.int32]
    connection: NDArray[np.int32]


Disguise = Callable[[Series, Generator], Series]
"""What hides a series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """How long after a block was found somebody hears of it.

    Attributes
    ----------
    fast_s, slow_s : float
        Nine of ten blocks come within these, by a lognormal law. [s]
    late_share : float
        Share of blocks that come later still: lost announcements, slow validation. [unitless]
    late_s : tuple of float
        How much later, uniform. [s]
    """

    fast_s: float = 0.1
    slow_s: float = 2.0
    late_share: float = 0.02
    late_s: tuple[float, float] = (2.0, 15.0)


POOL = Propagation()
"""A pool is well connected: 0.1 to 2 s, and one block in fifty is late."""
NODE = Propagation(late_share=0.05, late_s=(2.0, 10.0))
"""An ordinary node as clock. Two public Bitcoin nodes of 2021 to 2023 heard of 39,198 blocks that both logged, to the
second; one was between 3 s before and 5 s behind the other in nine of ten cases (measured 2026-11-20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingHabits:
    """How a miner and its pool behave.

    Attributes
    ----------
    dialect : str
        Key of `headframe.simulate.dialects.DIALECTS`.
    refresh_s : float or None
        Time between jobs that no block caused. [s]
    shares_per_minute : tuple of float
        What the pool's vardiff holds: each session draws one rate, uniform in its logarithm.
    vardiff : bool
        False: the rate stays as it is from the beginning.
    keepalive_s : float or None
        Both sides speak so often; None for what the dialect does. [s]
    held_back_s : float
        The pool holds each block's job back for a random time up to this. [s]
    dummies_per_minute : float
        Jobs that nothing caused, at random times.
    hours_between_reconnects : float
        Mean. [h]
    """

    dialect: str
    refresh_s: float | None = 30.0
    shares_per_minute: tuple[float, float] = (3.0, 20.0)
    vardiff: bool = True
    keepalive_s: float | None = None
    held_back_s: float = 0.0
    dummies_per_minute: float = 0.0
    hours_between_reconnects: float = 8.0


# -- blocks and clocks -------------------------------------------------------------------------------------------------


def hear(found_ns: Times, propagation: Propagation, rng: Generator) -> Times:
    """When somebody hears of each block.

    Parameters
    ----------
    found_ns : int64[n]
        [ns since 1970-01-01 UTC]
    propagation : Propagation
    rng : numpy.random.Generator

    Returns
    -------
    int64[n]
        In the order of the blocks, so not always ascending. [ns since 1970-01-01 UTC]

    Raises
    ------
    ValueError
        If the times of `propagation` are not positive and ascending.
    """
    p = propagation
    if not 0 < p.fast_s < p.slow_s:
        raise ValueError(f"fast_s and slow_s must be positive and ascending, got {p.fast_s} and {p.slow_s}")
    sigma = np.log(p.slow_s / p.fast_s) / (2 * _NORMAL_90)
    delay_s = rng.lognormal(np.log(p.fast_s * p.slow_s) / 2, sigma, len(found_ns))
    late = rng.random(len(found_ns)) < p.late_share
    delay_s += np.where(late, rng.uniform(*p.late_s, len(found_ns)), 0.0)
    return found_ns + _ns(delay_s)


def header_times(found_ns: Times, rng: Generator, *, template_s: float = 30.0, worst_s: float = 60.0) -> Times:
    """Whole seconds that headers carry: a template's time by a miner's clock, not that of the block.

    Parameters
    ----------
    found_ns : int64[n]
        [ns since 1970-01-01 UTC]
    rng : numpy.random.Generator
    template_s : float
        A template is used for up to this time, and its time stands in the header. [s]
    worst_s : float
        One finder in ten has a clock that is wrong by up to so much; the others' errors have a standard deviation of
        2 s. Both are assumptions: consensus allows hours on most chains. [s]

    Returns
    -------
    int64[n]
        [ns since 1970-01-01 UTC]
    """
    n = len(found_ns)
    error_s = np.where(rng.random(n) < 0.9, rng.normal(0.0, 2.0, n), rng.uniform(-worst_s, worst_s, n))
    stamped_ns = found_ns - _ns(rng.uniform(0.0, template_s, n)) + _ns(error_s)
    return stamped_ns // _SECOND * _SECOND


def clock_of(chain: str, times_ns: Times, covered_ns: tuple[int, int], *, resolution_ns: int = 1) -> BlockClock:
    """A clock of so many block times, with no gap.

    Parameters
    ----------
    chain : str
    times_ns : int64[n]
        In any order. [ns since 1970-01-01 UTC]
    covered_ns : pair of int
        [ns since 1970-01-01 UTC]
    resolution_ns : int
        Times are rounded down to it. [ns]
    """
    inside = np.sort(times_ns[(times_ns >= covered_ns[0]) & (times_ns < covered_ns[1])])
    return BlockClock(
        chain=chain,
        arrival_ns=inside // resolution_ns * resolution_ns,
        heights=np.arange(len(inside), dtype=np.int64) + 1_000_000,
        resolution_ns=resolution_ns,
        covered=np.array([covered_ns], dtype=np.int64),
        sources=("simulated",),
    )


def pool_pushes(found_ns: Times, held_back_s: float, rng: Generator) -> tuple[Times, float]:
    """When a pool tells its miners of blocks, and what its waiting costs them.

    A block that is told of after its successor is not told of at all.

    Parameters
    ----------
    found_ns : int64[n]
        Of one chain, ascending. [ns since 1970-01-01 UTC]
    held_back_s : float
        [s]
    rng : numpy.random.Generator

    Returns
    -------
    pushed_ns : int64[m]
        Ascending. [ns since 1970-01-01 UTC]
    stale_share : float
        Share of the time in which the pool knew a newer block than its miner did: work that earns nothing. [unitless]
    """
    heard_ns = hear(found_ns, POOL, rng)
    pushed_ns = heard_ns + _ns(rng.uniform(0.0, 1.0, len(heard_ns)) * held_back_s)
    if not len(pushed_ns):
        return pushed_ns, 0.0
    told_ns = np.minimum.accumulate(pushed_ns[::-1])[::-1]  # of this block or of a later one
    order = np.argsort(heard_ns, kind="stable")
    start, end = heard_ns[order], np.maximum.accumulate(told_ns[order])
    # Of each stretch of waiting, what no earlier one has covered.
    fresh = np.maximum(start, np.concatenate([start[:1], end[:-1]]))
    stale_ns = int(np.maximum(end - fresh, 0).sum())
    return pushed_ns[pushed_ns == told_ns], stale_ns / max(int(end[-1] - start[0]), 1)


# -- a miner -----------------------------------------------------------------------------------------------------------


class Mining(NamedTuple):
    """A miner's messages, and the share of its work that came too late because its pool waited. [unitless]"""

    series: Series
    stale_share: float


class _Sizes(NamedTuple):
    """Message sizes of a dialect. [bytes]"""

    opening: tuple[int, ...]  # signed
    job: NDArray[np.int32]
    share: int
    answer: int
    difficulty: int
    keepalive: tuple[int, ...]  # signed
    keepalive_s: float | None


def _message_sizes(dialect: str, chain: Chain, rng: Generator) -> _Sizes:
    """Sizes of messages that the dialect really says in one session."""
    drawn = random.Random(int(rng.integers(1 << 62)))
    wallet, worker = "w" * int(rng.integers(34, 96)), "r" * int(rng.integers(2, 12))
    speaker = DIALECTS[dialect](chain, Account(wallet, worker, "simminer/1.0"), "pool.example", drawn)
    if speaker.poll_interval_s is not None:
        raise ValueError(f"{dialect} asks for work; only dialects whose pool pushes have a series here")
    speaker.difficulty_hashes = speaker.settle(1e9)
    opening = tuple(_signed(who, data) for who, data in speaker.opening())
    job = np.array([len(speaker.job(Block(chain.height + k, 0), 0, clean=True)) for k in range(8)], dtype=np.int32)
    if dialect == "stratum-v1":
        # Branches of the Merkle tree and outputs of the coinbase differ by pool and hour: 700 to 2,000 bytes.
        job = np.clip((job * rng.uniform(0.7, 1.5)).astype(np.int32) + rng.integers(-1, 2, 8) * 67, 700, 2000)
    share = len(speaker.share(0))
    return _Sizes(
        opening,
        job.astype(np.int32),
        share,
        len(speaker.answer(Outcome.ACCEPTED)),
        len(speaker.difficulty()),
        tuple(_signed(who, data) for who, data in speaker.keepalive()) or (60, -50),
        speaker.keepalive_interval_s,
    )


def _signed(who: int, data: bytes) -> int:
    return -len(data) if who else len(data)


def mine(
    chain: Chain, found_ns: Sequence[Times], habits: TimingHabits, start_ns: int, end_ns: int, rng: Generator
) -> Mining:
    """Messages between a miner and its pool.

    Parameters
    ----------
    chain : Chain
        Whose jobs the dialect writes.
    found_ns : sequence of int64[n]
        Blocks of this chain and of those mined along with it; each makes a new job.
        [ns since 1970-01-01 UTC]
    habits : TimingHabits
    start_ns, end_ns : int
        [ns since 1970-01-01 UTC]
    rng : numpy.random.Generator

    Returns
    -------
    Mining

    Raises
    ------
    ValueError
        If the dialect asks for work by itself: this module draws pools that push.
    """
    sizes = _message_sizes(habits.dialect, chain, rng)
    rtt_s = float(rng.uniform(0.02, 0.2))
    told = [pool_pushes(found, habits.held_back_s, rng) for found in found_ns]
    pushes_ns = np.sort(np.concatenate([pushed for pushed, _ in told]))
    target_per_s = float(np.exp(rng.uniform(*np.log(habits.shares_per_minute)))) / 60
    timer_restarts = bool(rng.random() < 0.5)  # some pools count from the last job, others by the clock
    parts: list[Series] = []
    for number, (begin, stop) in enumerate(_connections(start_ns, end_ns, habits.hours_between_reconnects, rng)):
        said = _Said(number)
        # Login: each turn of the other side takes a round trip at most.
        at, before = begin, 1
        for size in sizes.opening:
            at += _ns_of(rtt_s if size < 0 < before else 0.002)
            said.add(np.array([at]), size)
            before = size
        at += _ns_of(rtt_s) if before > 0 else _MILLISECOND
        if sizes.difficulty:
            said.add(np.array([at]), -sizes.difficulty)
        blocks = pushes_ns[(pushes_ns > at) & (pushes_ns < stop)]
        jobs = np.concatenate([[at + _MILLISECOND], blocks, _refreshes(blocks, at, stop, habits, timer_restarts, rng)])
        if habits.dummies_per_minute:
            jobs = np.concatenate([jobs, _poisson(habits.dummies_per_minute / 60, at, stop, rng)])
        said.add(jobs, -rng.choice(sizes.job, len(jobs)))

        shares, retargets = _shares(target_per_s, at, stop, habits.vardiff and number == 0, rng)
        work_s = rng.lognormal(np.log(0.003), 0.8, len(shares))
        said.add(shares, sizes.share + rng.integers(0, 2, len(shares)))
        said.add(shares + _ns(rtt_s + work_s), -(sizes.answer + rng.integers(0, 2, len(shares))))
        if sizes.difficulty and habits.vardiff:
            said.add(retargets, -sizes.difficulty)
        keepalive_s = habits.keepalive_s or sizes.keepalive_s
        if keepalive_s:
            asked = np.arange(at + _ns_of(keepalive_s), stop, _ns_of(keepalive_s), dtype=np.int64)
            for size in sizes.keepalive:
                said.add(asked + (_ns_of(rtt_s) if size < 0 else 0), size)
        parts.append(said.done(stop))
    return Mining(_joined(parts), max(stale for _, stale in told))


def _connections(start_ns: int, end_ns: int, mean_h: float, rng: Generator) -> list[tuple[int, int]]:
    found, begin = [], start_ns
    while begin < end_ns:
        stop = min(end_ns, begin + _ns_of(float(rng.exponential(mean_h * 3600))) + 60 * _SECOND)
        found.append((begin, stop))
        begin = stop + _ns_of(float(rng.uniform(2.0, 30.0)))
    return found


def _refreshes(
    blocks_ns: Times, start_ns: int, end_ns: int, habits: TimingHabits, timer_restarts: bool, rng: Generator
) -> Times:
    if habits.refresh_s is None:
        return np.empty(0, dtype=np.int64)
    step = _ns_of(habits.refresh_s)
    if not timer_restarts:
        at = np.arange(start_ns + int(rng.integers(step)), end_ns, step, dtype=np.int64)
        return at + _ns(rng.uniform(0.0, 0.1, len(at)))
    edges = np.concatenate([[start_ns], blocks_ns, [end_ns]])
    counts = np.maximum((np.diff(edges) - 1) // step, 0)
    first = np.repeat(edges[:-1], counts)
    rank = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    return np.asarray(first + rank * step + _ns(rng.uniform(0.0, 0.1, len(first))), dtype=np.int64)


def _shares(per_s: float, start_ns: int, end_ns: int, vardiff: bool, rng: Generator) -> tuple[Times, Times]:
    """Shares as a Poisson process whose rate vardiff moves about its aim, and when it moved."""
    steps = np.arange(start_ns, end_ns, _ns_of(_RETARGET_S), dtype=np.int64)
    lengths_s = np.diff(np.append(steps, end_ns)) / _SECOND
    rate = np.full(len(steps), per_s)
    moved = np.zeros(len(steps), dtype=bool)
    if vardiff:
        # Pools leave the difficulty alone while the rate is near their aim, so few steps move it.
        moved = rng.random(len(steps)) < 0.1
        level = np.cumsum(moved)
        rate *= rng.lognormal(0.0, 0.25, int(level[-1]) + 1)[level]
        young = (steps - start_ns) < _ns_of(_WARM_UP_S)
        rate[young] *= _WARM_UP_FACTOR
        moved |= young
        moved[0] = False
    counts = rng.poisson(rate * lengths_s)
    at = np.repeat(steps, counts) + _ns(rng.random(int(counts.sum())) * np.repeat(lengths_s, counts))
    return np.sort(at), steps[moved]


# -- others who follow a chain, and one who does not -------------------------------------------------------------------


def node_peers(found_ns: Times, start_ns: int, end_ns: int, rng: Generator) -> Series:
    """Two nodes: blocks and transactions both ways.

    Parameters
    ----------
    found_ns : int64[n]
        [ns since 1970-01-01 UTC]
    start_ns, end_ns : int
        [ns since 1970-01-01 UTC]
    rng : numpy.random.Generator
    """
    said = _Said(0)
    said.add(np.array([start_ns]), 130)
    said.add(np.array([start_ns + 80 * _MILLISECOND]), -150)
    heard_ns = hear(found_ns, NODE, rng)
    heard_ns = heard_ns[(heard_ns > start_ns) & (heard_ns < end_ns)]
    # Whoever hears first tells the other: an announcement, a request, the block in short form.
    sign = np.where(rng.random(len(heard_ns)) < 0.5, 1, -1)
    body = np.clip(rng.lognormal(np.log(6000), 0.8, len(heard_ns)), 600, 100_000).astype(np.int64)
    said.add(heard_ns, sign * 110)
    said.add(heard_ns + 60 * _MILLISECOND, -sign * 61)
    said.add(heard_ns + 130 * _MILLISECOND, sign * body)
    for side in (1, -1):
        told = _poisson(0.3, start_ns, end_ns, rng)
        said.add(told, side * (24 + 1 + 36 * rng.geometric(0.3, len(told))))  # inventories of transactions
        sent = _poisson(0.2, start_ns, end_ns, rng)
        size = np.clip(rng.lognormal(np.log(450), 0.7, len(sent)), 190, 20_000).astype(np.int64)
        said.add(sent, side * size)
    pings = np.arange(start_ns + 20 * _SECOND, end_ns, 120 * _SECOND, dtype=np.int64)
    said.add(pings, 32)
    said.add(pings + 60 * _MILLISECOND, -32)
    return said.done(end_ns)


def wallet_polls(found_ns: Times, interval_s: float, start_ns: int, end_ns: int, rng: Generator) -> Series:
    """A wallet that asks its node for news, and for the block where there is one.

    Parameters
    ----------
    found_ns : int64[n]
        [ns since 1970-01-01 UTC]
    interval_s : float
        [s]
    start_ns, end_ns : int
        [ns since 1970-01-01 UTC]
    rng : numpy.random.Generator
    """
    said = _Said(0)
    asked = np.arange(start_ns, end_ns, _ns_of(interval_s), dtype=np.int64)
    asked = asked + _ns(rng.uniform(0.0, 0.1, len(asked)))
    rtt = _ns_of(float(rng.uniform(0.02, 0.2)))
    said.add(asked, 230)
    said.add(asked + rtt, -(330 + rng.integers(0, 8, len(asked))))
    heard_ns = np.sort(hear(found_ns, NODE, rng))
    news = np.diff(np.searchsorted(heard_ns, asked), prepend=np.searchsorted(heard_ns, start_ns)) > 0
    again = asked[news] + rtt + 5 * _MILLISECOND
    said.add(again, 260)
    said.add(again + rtt, -np.clip(rng.lognormal(np.log(30_000), 1.0, len(again)), 1000, 2_000_000).astype(np.int64))
    return said.done(end_ns)


def explorer_page(found_ns: Times, start_ns: int, end_ns: int, rng: Generator) -> Series:
    """A page on a block explorer: its WebSocket pushes each block, and the browser only pings.

    Parameters
    ----------
    found_ns : int64[n]
        [ns since 1970-01-01 UTC]
    start_ns, end_ns : int
        [ns since 1970-01-01 UTC]
    rng : numpy.random.Generator
    """
    heard_ns = hear(found_ns, NODE, rng)
    return _page(heard_ns, rng.integers(500, 1500, len(heard_ns)), start_ns, end_ns, rng)


def ticker_page(per_s: float, regular: bool, start_ns: int, end_ns: int, rng: Generator) -> Series:
    """A page of prices: pushes that know no chain.

    Parameters
    ----------
    per_s : float
        Pushes. [1/s]
    regular : bool
        By a timer; else at random.
    start_ns, end_ns : int
        [ns since 1970-01-01 UTC]
    rng : numpy.random.Generator
    """
    if regular:
        at = np.arange(start_ns + _SECOND, end_ns, _ns_of(1 / per_s), dtype=np.int64)
        at = at + _ns(rng.uniform(0.0, 0.03, len(at)))
    else:
        at = _poisson(per_s, start_ns, end_ns, rng)
    return _page(at, rng.integers(180, 420, len(at)), start_ns, end_ns, rng)


def _page(pushed_ns: Times, size: NDArray[np.int64], start_ns: int, end_ns: int, rng: Generator) -> Series:
    said = _Said(0)
    said.add(np.array([start_ns]), 520)
    said.add(np.array([start_ns + 60 * _MILLISECOND]), -250)
    inside = (pushed_ns > start_ns) & (pushed_ns < end_ns)
    said.add(pushed_ns[inside], -size[inside])
    pings = np.arange(start_ns + 25 * _SECOND, end_ns, 25 * _SECOND, dtype=np.int64)
    said.add(pings + _ns(rng.uniform(0.0, 0.05, len(pings))), 6)
    said.add(pings + 110 * _MILLISECOND, -2)
    return said.done(end_ns)


# -- disguises ---------------------------------------------------------------------------------------------------------


def as_packets(series: Series, rng: Generator) -> Series:
    """Messages cut into segments of at most 1,448 bytes."""
    del rng
    amount = np.abs(series.size)
    counts = np.maximum(-(-amount // _MSS_BYTES), 1)
    source = np.repeat(np.arange(len(amount)), counts)
    rank = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
    part = np.minimum(amount[source] - rank * _MSS_BYTES, _MSS_BYTES)
    return _ordered(
        series.time_ns[source] + rank * _SEGMENT_GAP_NS,
        np.sign(series.size[source]) * part,
        series.connection[source],
    )


def in_tls(series: Series, rng: Generator) -> Series:
    """Each message a record of its own, after a handshake: 22 bytes more (TLS 1.3) or 29 (TLS 1.2)."""
    modern = bool(rng.random() < 0.7)
    overhead = 5 + (tls.TLS13_OVERHEAD_BYTES if modern else tls.TLS12_OVERHEAD_BYTES)
    drawn = random.Random(int(rng.integers(1 << 62)))
    flights = (
        (-240, len(tls.client_hello("pool.example", drawn, tls13=modern))),
        (-120, -len(tls.server_hello_flight(drawn, tls13=modern))),
        (-10, len(tls.client_finish(drawn, tls13=modern))),
        *(((-2, -255), (-1, -255)) if modern else ()),  # session tickets
    )
    records = -(-np.abs(series.size) // tls.MAX_PLAINTEXT_BYTES)
    firsts = np.unique(series.connection, return_index=True)[1]
    times, sizes, connections = [series.time_ns], [series.size + np.sign(series.size) * records * overhead], []
    connections.append(series.connection)
    for before_ms, size in flights:
        times.append(series.time_ns[firsts] + before_ms * _MILLISECOND)
        sizes.append(np.full(len(firsts), size))
        connections.append(series.connection[firsts])
    return _ordered(np.concatenate(times), np.concatenate(sizes), np.concatenate(connections))


def pad_to_multiple(multiple_bytes: int) -> Disguise:
    """Each message filled up to a multiple of so many bytes."""

    def disguise(series: Series, rng: Generator) -> Series:
        del rng
        amount = -(-np.abs(series.size) // multiple_bytes) * multiple_bytes
        return series._replace(size=(np.sign(series.size) * amount).astype(np.int32))

    return disguise


def pad_at_random(most_bytes: int) -> Disguise:
    """Each message longer by 0 to `most_bytes`."""

    def disguise(series: Series, rng: Generator) -> Series:
        more = rng.integers(0, most_bytes + 1, len(series.size))
        return series._replace(size=(series.size + np.sign(series.size) * more).astype(np.int32))

    return disguise


def in_tunnel(series: Series, rng: Generator) -> Series:
    """Inside WireGuard: headers and acknowledgements of the inner conversation are payload of the outer one.

    A transport message holds 16 bytes of header, the packet filled up to a multiple of 16, and a tag of 16 bytes
    (Donenfeld 2017, NDSS, section 5.4.6). Its inner headers take 52 bytes. One conversation carries all.
    """
    inner = as_packets(series, rng)
    # The other side acknowledges, at once or with its delay; what follows closely shares one acknowledgement.
    turn = np.append(np.diff(np.sign(inner.size)) != 0, True) | np.append(
        np.diff(inner.time_ns) > 40 * _MILLISECOND, True
    )
    acks_ns = inner.time_ns[turn] + _ns(rng.uniform(0.001, 0.04, int(turn.sum())))
    sizes = np.concatenate([_tunnelled(inner.size), -np.sign(inner.size[turn]) * 96])
    return _ordered(np.concatenate([inner.time_ns, acks_ns]), sizes, np.zeros(len(sizes), dtype=np.int32))


def _tunnelled(size: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.asarray(np.sign(size) * (32 + -(-(np.abs(size) + 52) // 16) * 16), dtype=np.int64)


def with_web_traffic(series: Series, rng: Generator) -> Series:
    """Another user's pages in the same tunnel: about one packet a second, 60 at a time."""
    start_ns, end_ns = int(series.time_ns[0]), int(series.time_ns[-1])
    pages = _poisson(1 / 60, start_ns, end_ns, rng)
    down = np.repeat(pages, 40) + _ns(rng.exponential(1.0, len(pages) * 40))
    up = np.repeat(pages, 20) + _ns(rng.exponential(1.0, len(pages) * 20))
    sizes = [
        -rng.choice([1452, 1452, 1452, 600, 112], len(down)),
        rng.choice([96, 96, 112, 240, 600], len(up)),
    ]
    return _mixed(series, np.concatenate([down, up]), np.concatenate(sizes), end_ns)


def with_video(series: Series, rng: Generator) -> Series:
    """Another user's video in the same tunnel: a chunk every four seconds or so, in several trains.

    Packets of a train follow each other so closely that they are one burst; a train stands as one packet here.
    """
    start_ns, end_ns = int(series.time_ns[0]), int(series.time_ns[-1])
    chunks = np.arange(start_ns, end_ns, 4 * _SECOND, dtype=np.int64)
    chunks = chunks + _ns(rng.uniform(0.0, 1.0, len(chunks)))
    down = np.repeat(chunks, 5) + _ns(rng.uniform(0.05, 1.2, len(chunks) * 5))
    up = np.repeat(chunks, 5) + _ns(rng.uniform(0.0, 1.2, len(chunks) * 5))
    sizes = [-rng.integers(40_000, 400_000, len(down)), rng.integers(96, 3000, len(up))]
    return _mixed(series, np.concatenate([down, up]), np.concatenate(sizes), end_ns)


def _mixed(series: Series, time_ns: Times, size: NDArray[np.int64], end_ns: int) -> Series:
    inside = time_ns < end_ns
    return _ordered(
        np.concatenate([series.time_ns, time_ns[inside]]),
        np.concatenate([series.size, size[inside]]),
        np.concatenate([series.connection, np.zeros(int(inside.sum()), dtype=np.int32)]),
    )


def lose(share: float) -> Disguise:
    """The sensor drops this share of the packets, at random; sampling 1:10 at random drops 0.9."""

    def disguise(series: Series, rng: Generator) -> Series:
        return _kept(series, rng.random(len(series.size)) >= share)

    return disguise


def every_nth(step: int) -> Disguise:
    """The sensor keeps every so many-th packet."""

    def disguise(series: Series, rng: Generator) -> Series:
        return _kept(series, np.arange(len(series.size)) % step == int(rng.integers(step)))

    return disguise


def move_clock(offset_s: float) -> Disguise:
    """The sensor's clock is wrong."""

    def disguise(series: Series, rng: Generator) -> Series:
        del rng
        return series._replace(time_ns=series.time_ns + _ns_of(offset_s))

    return disguise


# -- small tools -------------------------------------------------------------------------------------------------------


class _Said:
    """What was said on one connection, collected."""

    def __init__(self, connection: int) -> None:
        self.connection = connection
        self.times: list[Times] = []
        self.sizes: list[NDArray[np.int64]] = []

    def add(self, time_ns: Times, size: "int | NDArray[np.integer]") -> None:
        self.times.append(np.asarray(time_ns, dtype=np.int64))
        self.sizes.append(np.broadcast_to(np.asarray(size, dtype=np.int64), len(time_ns)))

    def done(self, end_ns: int) -> Series:
        time_ns, size = np.concatenate(self.times), np.concatenate(self.sizes)
        inside = time_ns < end_ns
        number = np.full(int(inside.sum()), self.connection, dtype=np.int32)
        return _ordered(time_ns[inside], size[inside], number)


def _ordered(time_ns: Times, size: "NDArray[np.integer]", connection: NDArray[np.int32]) -> Series:
    order = np.argsort(time_ns, kind="stable")
    return Series(time_ns[order], size[order].astype(np.int32), connection[order])


def _joined(parts: Sequence[Series]) -> Series:
    if len(parts) == 1:
        return parts[0]
    return _ordered(
        np.concatenate([p.time_ns for p in parts]),
        np.concatenate([p.size for p in parts]),
        np.concatenate([p.connection for p in parts]),
    )


def _kept(series: Series, keep: NDArray[np.bool_]) -> Series:
    return Series(series.time_ns[keep], series.size[keep], series.connection[keep])


def _poisson(per_s: float, start_ns: int, end_ns: int, rng: Generator) -> Times:
    number = int(rng.poisson(per_s * (end_ns - start_ns) / _SECOND))
    return np.sort(rng.integers(start_ns, end_ns, number))


def _ns(time_s: NDArray[np.float64]) -> Times:
    return (time_s * _SECOND).astype(np.int64)


def _ns_of(time_s: float) -> int:
    return round(time_s * _SECOND)
