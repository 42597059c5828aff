"""The e-value of timing: that innocent conversations seldom have a large one, and that miners do."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.detectors.network.chain_sync.evidence import (
    ChainSyncParameters,
    Subject,
    best_explanation,
    make_grid,
    make_subject,
    measure_all,
    spread_arrivals,
)
from headframe.kernels import chain_sync as kernel
from headframe.records.block import BlockClock
from headframe.records.bursts import Bursts
from tests.detectors.network.chain_sync.talks import (
    BASE,
    HOUR,
    S,
    Times,
    blocks,
    clock,
    miner,
    miner_series,
    poisson,
    talk,
    talks_of,
)

P = ChainSyncParameters()
KEPT_BACK = math.log10(1 - P.hour_weight)
MINUTE = 60 * S


def one(bursts: list[Bursts], of: BlockClock, parameters: ChainSyncParameters = P) -> float:
    """log10 of the e-value of conversations as one subject."""
    return float(measure_all([make_subject(bursts)], [of], parameters)[0, 0])


# --- validity ---------------------------------------------------------------------------------------------------------

SLOT = 40 * MINUTE  # each innocent conversation has a time of its own, so that their blocks are independent
LENGTH = 30 * MINUTE

Innocent = Callable[[int, np.random.Generator], tuple[Times, Times]]


def _random_pushes(start: int, rng: np.random.Generator) -> tuple[Times, Times]:
    times = poisson(15.0, start, start + LENGTH, rng)
    return times, -rng.integers(40, 400, len(times))


def _timer(start: int, rng: np.random.Generator) -> tuple[Times, Times]:
    """Every other whole second, as a server does that runs by the clock."""
    times = np.arange(start // S * S, start + LENGTH, 2 * S)
    return times, -rng.integers(40, 400, len(times))


def _bursty(start: int, rng: np.random.Generator) -> tuple[Times, Times]:
    begins = poisson(240.0, start, start + LENGTH, rng)
    times = np.sort((begins[:, None] + rng.integers(0, 6 * S, (len(begins), 25))).ravel())
    return times, -rng.integers(40, 1400, len(times))


def _few(start: int, rng: np.random.Generator) -> tuple[Times, Times]:
    return np.sort(rng.integers(start, start + LENGTH, 4)), np.array([-300, -60, -200, -900])


def _asked(start: int, rng: np.random.Generator) -> tuple[Times, Times]:
    """A page that asks, and asks more and more often."""
    times = start + np.cumsum((60 * S / np.sqrt(1 + np.arange(80))).astype(np.int64))
    asked = rng.random(80) < 0.8
    both = np.concatenate([times[asked], times + 80_000_000])
    sizes = np.concatenate([np.full(asked.sum(), 200), -rng.integers(100, 3000, 80)])
    order = np.argsort(both, kind="stable")
    return both[order], sizes[order]


INNOCENT: dict[str, Innocent] = {
    "random": _random_pushes, "timer": _timer, "bursty": _bursty, "few": _few, "asked": _asked,
}  # fmt: skip


def innocents(kind: str, count: int, seed: int, *, known: bool = True) -> list[Subject]:
    """Conversations that know nothing of any chain, one after the other."""
    rng = np.random.default_rng(seed)
    made = []
    for k in range(count):
        times, sizes = INNOCENT[kind](BASE + k * SLOT + int(rng.integers(0, 5 * MINUTE)) // S * S, rng)
        if len(times):
            made.append(make_subject([talk(times, sizes, known=known)]))
    return made


def assert_holds(log10_e: np.ndarray) -> None:
    """Mean at most 1 within three standard errors; large values as seldom as Markov says, within four."""
    e = 10.0**log10_e
    n = len(e)
    assert e.mean() - 3 * e.std() / math.sqrt(n) <= 1.0
    for k in (1, 2, 3):
        rate = 10.0**-k
        assert (log10_e >= k).mean() <= rate + 4 * math.sqrt(rate / n), k


@pytest.mark.parametrize("kind", INNOCENT)
@pytest.mark.parametrize("known", [True, False])
def test_innocent_conversations_seldom_have_a_large_value(kind: str, known: bool) -> None:
    """Mean of E at most 1 and P(E >= 10^k) <= 10^-k, whatever the conversation looks like and whoever called."""
    rng = np.random.default_rng(1)
    count = 1200
    of = clock(blocks(count * SLOT / HOUR, rng), resolution_ns=S)
    assert_holds(measure_all(innocents(kind, count, 2, known=known), [of], P)[:, 0])


def test_the_promise_is_kept_to_the_edge() -> None:
    """For alternatives that are close to chance, E varies little, and its mean is 1 but for what hours keep back."""
    tight = ChainSyncParameters(windows_s=(4.0,), shares=(0.05,), farthest_offset_s=2.0)
    of = clock(blocks(1500 * SLOT / HOUR, np.random.default_rng(3)))
    e = 10.0 ** measure_all(innocents("random", 1500, 4), [of], tight)[:, 0]
    error = e.std() / math.sqrt(len(e))
    assert error < 0.02
    assert abs(e.mean() - (1 - P.hour_weight)) < 3 * error


def test_whole_seconds_on_both_sides_need_the_spread() -> None:
    """A whole-second clock beside a whole-second timer: nothing but false alarms, were it taken at its word.

    A push every other second is at most 1 s after any whole second, so a window of one second is never missed; chance
    says that it is every other time.
    """
    count = 600
    of = clock(blocks(count * SLOT / HOUR, np.random.default_rng(5)), resolution_ns=S)
    subjects = innocents("timer", count, 6)
    at_its_word = measure_all(subjects, [replace(of, resolution_ns=1)], P)[:, 0]
    with pytest.raises(AssertionError):
        assert_holds(at_its_word)
    assert (at_its_word >= 1).mean() > 0.5
    assert_holds(measure_all(subjects, [of], P)[:, 0])


def test_spread_is_the_same_each_time_and_stays_within_the_step() -> None:
    """Ascending, in [arrival, arrival + step), by the height alone: a part of a clock gives a part of the times."""
    of = clock(blocks(40.0, np.random.default_rng(7)), resolution_ns=S)
    spread = spread_arrivals(of)
    assert np.array_equal(spread, spread_arrivals(of))
    assert np.all(np.diff(spread) >= 0)
    behind = spread - of.arrival_ns
    single = np.concatenate([[True], np.diff(of.arrival_ns) > S]) & np.concatenate([np.diff(of.arrival_ns) > S, [True]])
    assert np.all((behind[single] >= 0) & (behind[single] < S))
    # Uniform: the largest distance to the straight line is within what 1,200 draws have (Kolmogorov, 0.1 %).
    u = np.sort(behind[single] / S)
    assert np.abs(u - np.arange(len(u)) / len(u)).max() < 1.95 / math.sqrt(len(u))
    half = replace(of, arrival_ns=of.arrival_ns[300:600], heights=of.heights[300:600])
    assert set(spread_arrivals(half).tolist()) <= set(spread.tolist())
    assert np.array_equal(spread_arrivals(replace(of, resolution_ns=1)), of.arrival_ns)


# --- weights ----------------------------------------------------------------------------------------------------------


def test_weights_add_up() -> None:
    """All alternatives together weigh 1: with nothing to say, E is 1, less what whole hours keep back."""
    grid = make_grid(P)
    assert grid.offset_weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.array_equal(grid.offset_weights, grid.offset_weights[::-1])
    assert int(grid.offset_weights.argmax()) == grid.offsets // 2
    assert grid.first_ns + (grid.offsets - 1) * grid.step_ns == -grid.first_ns == 30 * S
    assert kernel.log_mixture(np.zeros((3, 3, 4, grid.offsets)), grid.offset_weights) == pytest.approx(0.0, abs=1e-12)

    silent = clock(np.array([BASE - 40 * HOUR, BASE + 40 * HOUR]), wide_ns=S)
    bursts = [talk(BASE + np.arange(0, 3600, 60) * S, [-300] * 60)]
    assert one(bursts, silent) == pytest.approx(KEPT_BACK)
    assert one(bursts, silent, replace(P, any_hour=True)) == pytest.approx(0.0, abs=1e-12)


def test_an_unknown_direction_is_the_mean_of_both() -> None:
    """Who called was not seen: half the weight for either side as the server."""
    rng = np.random.default_rng(8)
    found = blocks(2.0, rng)
    series = miner_series(found, BASE, BASE + 40 * MINUTE, rng)
    of = clock(found)
    right = one([talk(series.time_ns, series.size)], of)
    wrong = one([talk(series.time_ns, -series.size)], of)
    unknown = one([talk(series.time_ns, series.size, known=False)], of)
    assert unknown == pytest.approx(math.log10((10**right + 10**wrong) / 2), abs=1e-9)
    assert unknown == pytest.approx(one([talk(series.time_ns, -series.size, known=False)], of), abs=1e-9)
    assert best_explanation(make_subject([talk(series.time_ns, -series.size, known=False)]), of, P).server_sign == 1
    assert right > 6


@pytest.mark.parametrize("hours", [-8, 7])
def test_a_clock_that_is_wrong_by_hours_is_found_on_request_and_paid_for(hours: int) -> None:
    """Without the request nothing; with it, all that a right clock shows but for the weight of one hour in 28."""
    rng = np.random.default_rng(9)
    found = blocks(30.0, rng)
    talks = miner(found, BASE + 12 * HOUR, BASE + 13 * HOUR, rng)
    right = one(talks, clock(found))
    moved = clock(found - hours * HOUR)
    assert one(talks, moved) < 2
    any_hour = replace(P, any_hour=True)
    price = math.log10(P.hour_weight / (2 * P.most_hours)) - KEPT_BACK
    assert one(talks, moved, any_hour) == pytest.approx(right + price, abs=0.01)
    assert one(talks, clock(found), any_hour) == pytest.approx(right, abs=0.01)
    assert best_explanation(make_subject(talks), moved, any_hour).hour == hours


def test_whole_hours_are_as_valid() -> None:
    """29 hours instead of one, and still E is an e-value."""
    rng = np.random.default_rng(10)
    of = clock(blocks(300 * SLOT / HOUR + 40, rng, start_ns=BASE - 20 * HOUR), resolution_ns=S)
    assert_holds(measure_all(innocents("random", 300, 11), [of], replace(P, any_hour=True))[:, 0])


# --- subjects ---------------------------------------------------------------------------------------------------------


def test_reconnects_add_up() -> None:
    """Six connections of ten minutes together say about what one of an hour does, and more than any of them."""
    rng = np.random.default_rng(12)
    found = blocks(3.0, rng)
    series = miner_series(found, BASE + HOUR, BASE + 2 * HOUR, rng, hours_between_reconnects=1e6)
    of = clock(found)
    whole = one(talks_of(series), of)
    pieces = []
    for k in range(6):
        start = BASE + HOUR + k * 10 * MINUTE
        inside = (series.time_ns >= start) & (series.time_ns < start + 10 * MINUTE - 5 * S)
        pieces.append(talk(series.time_ns[inside], series.size[inside], client_port=50_000 + k))
    together = one(pieces, of)
    assert together == pytest.approx(whole, rel=0.2)
    assert together > max(one([piece], of) for piece in pieces) + 3
    assert together == one(pieces[::-1], of)


def test_the_same_time_counts_once() -> None:
    """Two connections that hear the same pushes are no twofold evidence: each block would speak twice."""
    rng = np.random.default_rng(13)
    found = blocks(2.0, rng)
    (only,) = miner(found, BASE, BASE + HOUR, rng, hours_between_reconnects=1e6)
    twin = replace(only, conversation=replace(only.conversation, community_id="1:twin", orig_p=50_001))
    subject = make_subject([only, twin])
    assert subject.watched_ns == make_subject([only]).watched_ns
    assert one([only, twin], clock(found)) == pytest.approx(one([only], clock(found)), rel=0.1)


SECONDS = st.integers(0, 3000)


@settings(max_examples=40)
@given(st.lists(st.lists(st.tuples(SECONDS, st.sampled_from([-300, -60, 80])), min_size=1, max_size=12), max_size=6))
def test_subjects_keep_every_burst_and_count_time_once(conversations: list[list[tuple[int, int]]]) -> None:
    """Bursts of all in order of time; spans ascending and disjoint, as long as the union of the conversations."""
    talks = [talk([BASE + t * S for t, _ in sorted(c)], [s for _, s in sorted(c)]) for c in conversations]
    if not talks:
        return
    subject = make_subject(talks)
    assert np.all(np.diff(subject.time_ns) >= 0)
    assert sorted(zip(subject.time_ns.tolist(), subject.size.tolist(), strict=True)) == sorted(
        pair for t in talks for pair in zip(t.time_ns.tolist(), t.size.tolist(), strict=True)
    )
    assert np.all(subject.spans_ns[1:, 0] > subject.spans_ns[:-1, 1])
    covered = {s for t in talks for s in range(int(t.time_ns[0] - BASE) // S, int(t.time_ns[-1] - BASE) // S)}
    assert abs(subject.watched_ns - len(covered) * S) <= len(talks)


def test_a_clock_says_nothing_of_those_who_told_it() -> None:
    """NaN for a subject with such a conversation in it, and the usual answer for another."""
    rng = np.random.default_rng(14)
    found = blocks(2.0, rng)
    own = miner(found, BASE, BASE + HOUR, rng)
    other = [replace(b, conversation=replace(b.conversation, community_id=f"1:o{k}")) for k, b in enumerate(own)]
    of = replace(clock(found), community_ids=frozenset({own[0].conversation.community_id}))
    log10_e = measure_all([make_subject(own), make_subject(other)], [of], P)
    assert math.isnan(log10_e[0, 0])
    assert log10_e[1, 0] == one(own, clock(found)) > 6


def test_no_common_time_is_no_answer() -> None:
    """Neither 0 nor 1, and the same where the time in common is shorter than the offsets reach."""
    bursts = [talk(BASE + np.arange(0, 3600, 20) * S, [-300] * 180)]
    assert math.isnan(one(bursts, clock(np.array([BASE + 20 * HOUR, BASE + 22 * HOUR]))))
    touching = clock(np.array([BASE + 1800 * S, BASE + 1840 * S]), wide_ns=5 * S)
    assert math.isnan(one(bursts, touching))


def test_inputs_are_left_alone_and_order_is_of_no_account() -> None:
    """Arrays as they were; each subject has the answer that it has alone, in every order of subjects and clocks."""
    rng = np.random.default_rng(15)
    found = blocks(3.0, rng)
    groups = [miner(found, BASE, BASE + (k + 1) * 20 * MINUTE, rng) for k in range(3)]
    groups.append([talk(BASE + np.arange(0, 3600, 7) * S, [-200] * 515, known=False)])
    clocks = [clock(found), clock(blocks(3.0, rng, 600.0), chain="BTC")]
    before = [(b.time_ns.copy(), b.size.copy()) for group in groups for b in group]
    arrivals = [c.arrival_ns.copy() for c in clocks]
    subjects = [make_subject(group) for group in groups]
    table = measure_all(subjects, clocks, P)
    assert np.array_equal(measure_all(subjects[::-1], clocks[::-1], P)[::-1, ::-1], table)
    for row, group in enumerate(groups):
        assert one(group, clocks[0]) == pytest.approx(table[row, 0], abs=1e-12)
    after = [(b.time_ns, b.size) for group in groups for b in group]
    assert all(np.array_equal(a, c) and np.array_equal(b, d) for (a, b), (c, d) in zip(before, after, strict=True))
    assert all(np.array_equal(a, c.arrival_ns) for a, c in zip(arrivals, clocks, strict=True))
    assert measure_all([], clocks, P).shape == (0, 2)
    assert measure_all(subjects, [], P).shape == (4, 0)


def test_packets_out_of_order_are_taken_as_they_come() -> None:
    """Captures that were put together step back in time: a step back is no time passed, and nothing breaks."""
    rng = np.random.default_rng(16)
    found = blocks(2.0, rng)
    series = miner_series(found, BASE, BASE + HOUR, rng, hours_between_reconnects=1e6)
    times = series.time_ns.copy()
    order = np.arange(len(times))
    for k in np.flatnonzero((np.diff(times) < 0.3 * S) & (rng.random(len(times) - 1) < 0.3)).tolist():
        order[[k, k + 1]] = order[[k + 1, k]]
    assert np.any(np.diff(times[order]) < 0)
    of = clock(found)
    assert one([talk(times[order], series.size[order])], of) == pytest.approx(
        one([talk(times, series.size)], of), rel=0.15
    )
    joined = np.concatenate([times[200:], times[:200]])
    subject = make_subject([talk(joined, np.roll(series.size, -200))])
    assert np.all(np.diff(subject.time_ns) >= 0)
    assert math.isfinite(float(measure_all([subject], [of], P)[0, 0]))


def test_the_best_explanation_is_the_sum_that_is_told() -> None:
    """What is drawn and what is claimed come from the same alternatives."""
    rng = np.random.default_rng(17)
    found = blocks(2.0, rng)
    talks = miner(found, BASE, BASE + HOUR, rng)
    best = best_explanation(make_subject(talks), clock(found), P)
    assert best.hour == 0
    assert best.server_sign == -1
    assert best.log10_e + KEPT_BACK == pytest.approx(one(talks, clock(found)), abs=1e-9)
    assert best.log_e.shape == (3, len(P.windows_s), len(P.shares), 121)
    assert best.watched_ns == make_subject(talks).watched_ns
