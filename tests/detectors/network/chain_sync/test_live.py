"""The evidence as it grows: the same as in batch on every prefix, in a state of fixed size, valid at any time."""

import math
from dataclasses import replace

import numpy as np
import pytest

from headframe.detectors.network.chain_sync.evidence import (
    ChainSyncParameters,
    make_grid,
    make_subject,
    measure_all,
    spread_arrivals,
)
from headframe.detectors.network.chain_sync.live import ChainSyncProcess
from headframe.kernels import chain_sync as kernel
from headframe.kernels.bursts import GAP_NS
from headframe.records.block import BlockClock
from headframe.sources.chain.reconcile import clock_between
from tests import naive_timing as naive
from tests.detectors.network.chain_sync.talks import BASE, HOUR, S, Times, blocks, clock, miner_series, poisson, talk

P = ChainSyncParameters()
KEPT_BACK = math.log10(1 - P.hour_weight)


def known_at(of: BlockClock, now_ns: int) -> BlockClock:
    """What a follower knows by then: all blocks until the last one it heard of, which bounds the stretch."""
    heard = of.arrival_ns[of.arrival_ns < now_ns]
    return clock_between(of, int(of.covered[0, 0]), int(heard[-1]) if len(heard) else int(of.covered[0, 0]) + 1)


def batch(
    time_ns: Times, size: Times, of: BlockClock, sign: int, p: ChainSyncParameters, now_ns: int
) -> tuple[float, int]:
    """log10 of the e-process after the last segment that can be closed, and how many are closed.

    Segments are cut by the plain twin; they are closed once the clock knows them at every offset, and their bursts
    are over.
    """
    seen = talk(time_ns[time_ns <= now_ns], size[time_ns <= now_ns])
    subject = make_subject([seen])
    grid = make_grid(p)
    start = int(subject.time_ns[0])
    until = min(int(of.covered[-1, 1]) + grid.first_ns, int(time_ns[time_ns <= now_ns][-1]) - GAP_NS)
    # One burst more than there is, so that the twin cuts nothing at the end that goes on.
    cuts = naive.segments(subject.time_ns.tolist(), start, now_ns + 10**13, round(p.segment_s * S), p.most_pushes)
    closed = [(a, b) for a, b in cuts if b <= until]
    if not closed:
        return KEPT_BACK, 0
    bits = np.empty(len(subject.size), dtype=np.uint8)
    kernel.class_bits(subject.size, subject.reply, sign, p.large_bytes, bits)
    log_e = np.zeros((kernel.CLASSES, len(grid.windows_ns), len(grid.shares), grid.offsets))
    kernel.add_conversation(
        subject.time_ns, bits, start, closed[-1][1], spread_arrivals(of), of.covered, grid,
        round(p.segment_s * S), p.most_pushes, log_e,
    )  # fmt: skip
    return float(kernel.log_mixture(log_e, grid.offset_weights)) / math.log(10) + KEPT_BACK, len(closed)


def traffic(kind: str, found: Times, rng: np.random.Generator, hours: float) -> tuple[Times, Times]:
    """Packets with payload, in order of time."""
    end = BASE + int(hours * HOUR)
    if kind == "miner":
        series = miner_series(found, BASE, end, rng, hours_between_reconnects=1e6)
        return series.time_ns, series.size
    if kind == "busy":  # segments that are full before their time is over
        times = poisson(0.7, BASE, end, rng)
    else:  # bursts of many packets, some as long as it takes, and pauses
        begins = poisson(30.0, BASE, end, rng)
        times = np.sort(np.concatenate([b + np.arange(rng.integers(1, 120)) * 30_000_000 for b in begins]))
    return times, np.where(rng.random(len(times)) < 0.7, -rng.integers(20, 1448, len(times)), 120)


@pytest.mark.parametrize("kind", ["miner", "busy", "streams"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_equals_the_batch_on_every_prefix(kind: str, sign: int) -> None:
    """Packet by packet, asked at arbitrary times, with a clock that lags: the sums of the segments that are closed."""
    rng = np.random.default_rng(1 + sign)
    p = replace(P, most_pushes=300, segment_s=600.0)
    found = blocks(3.0, rng, start_ns=BASE - HOUR)
    of = clock(found)
    time_ns, size = traffic(kind, found, rng, 1.6)
    process = ChainSyncProcess(sign, p)
    questions = set(rng.choice(len(time_ns), 25, replace=False).tolist())
    told = []
    for k, (t, s) in enumerate(zip(time_ns.tolist(), size.tolist(), strict=True)):
        process.packet(t, s)
        if k in questions:
            now = known_at(of, t)
            expected, closed = batch(time_ns, size, now, sign, p, t)
            assert process.advance(now) == pytest.approx(expected, abs=1e-9)
            told.append(closed)
    assert process.dropped == 0
    assert told[-1] >= 6
    assert len(set(told)) > 4


def test_ends_where_the_batch_does() -> None:
    """A miner of four hours: what the scan of the whole says, but for the last segment, which is still open."""
    rng = np.random.default_rng(3)
    found = blocks(6.0, rng, start_ns=BASE - HOUR)
    of = clock(found)
    time_ns, size = traffic("miner", found, rng, 4.0)
    process = ChainSyncProcess(-1, P)
    for t, s in zip(time_ns.tolist(), size.tolist(), strict=True):
        process.packet(t, s)
    live = process.advance(of)
    whole = float(measure_all([make_subject([talk(time_ns, size)])], [of], P)[0, 0])
    assert live > 6
    assert live == pytest.approx(whole, rel=0.15)
    assert live == process.log10_e == process.advance(of)
    # It ends within the sixteenth segment; fifteen are closed, with the blocks of fifteen.
    assert process.blocks == pytest.approx(((found > BASE) & (found < BASE + 3.75 * HOUR)).sum(), rel=0.1)


def nbytes(process: ChainSyncProcess) -> int:
    return sum(v.nbytes for v in vars(process).values() if isinstance(v, np.ndarray))


def test_the_state_does_not_grow() -> None:
    """Forty bursts a second, the most there can be, for as long as one likes: the same arrays, and segments close."""
    rng = np.random.default_rng(4)
    found = blocks(6.0, rng, start_ns=BASE - HOUR)
    of = clock(found)
    process = ChainSyncProcess(-1, P)
    arrays = {name: v for name, v in vars(process).items() if isinstance(v, np.ndarray)}
    size = nbytes(process)
    assert size < 400_000
    for k in range(40 * 3600 * 2):
        process.packet(BASE + k * S // 40, -200 if k % 2 else 120)
        if k % 2400 == 0:
            process.advance(known_at(of, BASE + k * S // 40))
    assert {name: v for name, v in vars(process).items() if isinstance(v, np.ndarray)}.keys() == arrays.keys()
    assert all(vars(process)[name] is v for name, v in arrays.items())
    assert nbytes(process) == size
    # A push every twentieth of a second hits every block, and says nothing.
    assert process.blocks > 30
    assert abs(process.log10_e) < 0.5


def test_a_clock_that_is_silent_for_hours_costs_nothing_while_there_is_room() -> None:
    """A miner's bursts of three hours wait; when the clock speaks again, all are taken in at once."""
    rng = np.random.default_rng(5)
    found = blocks(6.0, rng, start_ns=BASE - HOUR)
    of = clock(found)
    time_ns, size = traffic("miner", found, rng, 3.0)
    process, other = ChainSyncProcess(-1, P), ChainSyncProcess(-1, P)
    early = known_at(of, BASE)
    for k, (t, s) in enumerate(zip(time_ns.tolist(), size.tolist(), strict=True)):
        process.packet(t, s)
        other.packet(t, s)
        if k % 50 == 0:
            assert process.advance(early) == KEPT_BACK
            other.advance(known_at(of, t))
    assert process.dropped == 0
    assert process.advance(of) == pytest.approx(other.advance(of), abs=1e-9)
    assert process.log10_e > 6


def test_what_found_no_room_is_left_out_with_its_segment() -> None:
    """A silent clock and much traffic: what was seen whole counts, what was not is left out, and afterwards it goes on.

    Before the hole and after it a miner keeps step; within it the room runs out. Nothing of the hole is in the sums.
    """
    rng = np.random.default_rng(6)
    found = blocks(12.0, rng, start_ns=BASE - HOUR)
    of = clock(found)
    time_ns, size = traffic("miner", found, rng, 9.0)
    flood = BASE + 3 * HOUR + np.arange(0, 2 * 3600 * 40) * (S // 40)
    times = np.concatenate([time_ns, flood])
    sizes = np.concatenate([size, np.where(np.arange(len(flood)) % 2, -200, 120)])
    order = np.argsort(times, kind="stable")
    process = ChainSyncProcess(-1, P)
    before = after = expected = math.nan
    ran_out_ns = 0
    for t, s in zip(times[order].tolist(), sizes[order].tolist(), strict=True):
        process.packet(t, s)
        if t >= BASE + 3 * HOUR and math.isnan(before):
            before = process.advance(known_at(of, t))
        if process.dropped == 1 and not ran_out_ns:
            ran_out_ns = t
        if t >= BASE + 6 * HOUR and math.isnan(after):  # the clock was silent for three hours
            after = process.advance(known_at(of, t))
            dropped = process.dropped
            expected, _ = batch(times[order], sizes[order], of, -1, P, ran_out_ns)
    assert before > 6
    assert dropped > 100_000
    assert ran_out_ns < BASE + 3 * HOUR + 600 * S
    assert after == pytest.approx(expected, abs=1e-9)
    assert process.advance(of) > after + 6
    assert process.dropped == dropped


def test_a_stream_without_a_pause_is_one_burst_whenever_it_is_asked() -> None:
    """A segment is closed when a block comes; the packet after that must not pass for a push that the block caused."""
    rng = np.random.default_rng(7)
    found = blocks(6.0, rng, start_ns=BASE - HOUR)
    of = clock(found)
    process = ChainSyncProcess(-1, replace(P, segment_s=300.0))
    arrivals = iter(found[found > BASE].tolist())
    following = next(arrivals)
    for k in range(25 * 3600 * 4):
        t = BASE + k * S // 25
        process.packet(t, -1400)
        if t >= following:
            process.advance(known_at(of, t + 1))
            following = next(arrivals, 1 << 62)
    assert process.blocks > 50
    assert process.log10_e < 0


def test_packets_without_payload_say_nothing() -> None:
    """An acknowledgement is no push."""
    rng = np.random.default_rng(8)
    found = blocks(4.0, rng, start_ns=BASE - HOUR)
    of = clock(found)
    time_ns, size = traffic("miner", found, rng, 2.0)
    plain, noisy = ChainSyncProcess(-1, P), ChainSyncProcess(-1, P)
    noisy.packet(BASE - 100 * S, 0)
    for t, s in zip(time_ns.tolist(), size.tolist(), strict=True):
        plain.packet(t, s)
        noisy.packet(t, s)
        noisy.packet(t + 1000, 0)
    assert noisy.advance(of) == plain.advance(of)
    assert plain.blocks == noisy.blocks > 0


def test_nothing_seen_is_no_evidence() -> None:
    """Neither packet nor clock, and either alone."""
    of = clock(np.array([BASE, BASE + HOUR]))
    empty = replace(of, arrival_ns=of.arrival_ns[:0], heights=of.heights[:0], covered=np.empty((0, 2), dtype=np.int64))
    process = ChainSyncProcess(-1, P)
    assert process.advance(of) == process.advance(empty) == pytest.approx(KEPT_BACK)
    process.packet(BASE, -300)
    assert process.advance(of) == process.advance(empty) == pytest.approx(KEPT_BACK)
    assert (process.blocks, process.dropped) == (0, 0)


@pytest.mark.parametrize("room", ["enough", "short"])
def test_valid_at_any_time(room: str) -> None:
    """Whoever stops at the best moment is deceived no more often: P(max E >= 10^k) <= 10^-k over the whole course.

    With short room the clock's silences cost segments all the time. No theorem covers that; in practice it holds.
    """
    rng = np.random.default_rng(9)
    p = replace(P, most_pushes=256, segment_s=300.0)
    if room == "short":
        p = replace(p, farthest_offset_s=2.0, offset_step_s=0.5, most_pushes=24)
    count, hours, pace = 160, 2.0, 1.2 if room == "short" else 8.0
    best = np.empty(count)
    dropped = 0
    for n in range(count):
        start = BASE + n * 5 * HOUR
        found = blocks(hours + 1, rng, start_ns=start - HOUR // 2)
        of = clock(found)
        process = ChainSyncProcess(-1, p)
        times = poisson(pace, start, start + int(hours * HOUR), rng)
        # Large pushes are rare and come in heaps.
        sizes = np.where((times // (40 * S)) % 9 == 0, -400, np.where(rng.random(len(times)) < 0.5, -60, 90))
        heard = np.searchsorted(found, times)
        highest, at = KEPT_BACK, heard[0]
        for k, (t, s) in enumerate(zip(times.tolist(), sizes.tolist(), strict=True)):
            process.packet(t, s)
            if heard[k] != at:  # asked whenever a block came, which is when it would help most
                at = heard[k]
                highest = max(highest, process.advance(known_at(of, t)))
        best[n] = highest
        dropped += process.dropped
    assert (dropped > 0) == (room == "short")
    for k in (0.5, 1, 2):
        rate = 10.0**-k
        assert (best >= k).mean() <= rate + 3 * math.sqrt(rate / count), k
