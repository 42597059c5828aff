"""The peer in the benchmark: its parts do what its text says, and it is no straw man."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench import series as corpora
from bench.minehunter import auc, local_similarities, score, score_over_offsets


def naive_local_similarities(
    times_s: list[float], blocks_s: list[float], begin: float, end: float, longest: float
) -> list[float]:
    out = []
    inside = [b for b in blocks_s if begin <= b <= end]
    for at, following in itertools.pairwise(inside):
        length = following - at
        if length <= 0 or length > longest:
            continue
        packets = [t for t in times_s if at <= t < following]
        behind = [t for t in times_s if t >= at]
        distance = min((behind[0] - at) / length, 1.0) if behind else 1.0
        out.append((1.0 - distance) * (1.0 - distance) ** len(packets))
    return out


_instants = st.integers(0, 4000).map(lambda k: k / 4)


@given(
    times=st.lists(_instants, max_size=40).map(sorted),
    blocks=st.lists(_instants, max_size=20).map(sorted),
    longest=st.sampled_from([50.0, 200.0, 1800.0]),
)
def test_local_similarities_are_those_of_plain_loops(times: list[float], blocks: list[float], longest: float) -> None:
    """Vectorised and plain forms agree, also with equal times, gaps, and nothing at all."""
    got = local_similarities(np.array(times), np.array(blocks), longest_interval_s=longest)
    expected = naive_local_similarities(times, blocks, times[0], times[-1], longest) if times else []
    assert got == pytest.approx(expected)


def test_a_packet_at_each_block_scores_one() -> None:
    """The perfect miner."""
    blocks = np.cumsum(np.full(20, 120.0))
    assert score(blocks, blocks) == 1.0
    assert score(blocks, blocks, np.full(20, -300, dtype=np.int32)) == 1.0


def test_a_random_flow_scores_what_its_rate_allows() -> None:
    """n packets thrown into an interval at random give n / (2n + 1) on average: a busy flow gains nothing."""
    rng = np.random.default_rng(7)
    intervals = 20_000
    blocks = np.arange(intervals + 1) * 100.0
    for n in (1, 4, 32):
        times = np.sort((blocks[:-1, None] + rng.uniform(0, 100, (intervals, n))).ravel())
        local = local_similarities(times, blocks, alive_s=(0.0, float(blocks[-1])))
        assert len(local) == intervals
        assert local.mean() == pytest.approx(n / (2 * n + 1), abs=5 * local.std() / intervals**0.5)


def test_only_the_server_side_counts() -> None:
    """What the client sends tells nothing about when work was given out."""
    blocks = np.arange(20) * 120.0
    times = np.sort(np.concatenate([blocks, blocks[:-1] + 60.0]))
    from_server = np.where(times % 120.0 == 0.0, -300, 150).astype(np.int32)
    assert score(times, blocks, from_server) == 1.0
    assert score(times, blocks, -from_server) < 0.5
    assert score(times, blocks, from_server, least_bytes=301) == 0.0


def test_the_window_finds_the_hour_in_which_a_flow_mined() -> None:
    """The score over a window is the best window's; over all blocks it is diluted."""
    rng = np.random.default_rng(3)
    blocks = np.cumsum(rng.exponential(120.0, 200))
    times = np.sort(np.concatenate([blocks[90:110] + 1.0, rng.uniform(0, blocks[-1], 200)]))
    assert score(times, blocks, window=10) > 0.8 > score(times, blocks) + 0.2


def test_offsets_repair_a_wrong_clock() -> None:
    """A sensor that is 9 s ahead scores like one that is not, if 9 s is among the offsets."""
    rng = np.random.default_rng(5)
    blocks = np.cumsum(rng.exponential(120.0, 60))
    times = blocks + 9.0
    right = score(blocks, blocks)
    assert score_over_offsets(times, blocks, offsets_s=np.arange(-20.0, 21.0)) >= right - 1e-9
    assert score(times, blocks) < right - 0.1


@pytest.mark.parametrize(
    ("times", "blocks"), [([], [1.0, 2.0]), ([1.0], []), ([1.0, 2.0], [1.5]), ([5.0, 6.0], [1.0, 2.0])]
)
def test_no_whole_interval_is_no_evidence(times: list[float], blocks: list[float]) -> None:
    """Nothing to compare gives 0 and no error."""
    assert score(np.array(times), np.array(blocks)) == 0.0


def test_a_gap_in_the_clock_is_left_out() -> None:
    """A clock without blocks for an hour says nothing about that hour."""
    blocks = np.array([0.0, 100.0, 200.0, 4000.0, 4100.0])
    assert len(local_similarities(blocks, blocks)) == 3


def test_few_blocks_may_be_asked_to_wait() -> None:
    """A mean over two intervals is easily high by chance."""
    blocks = np.arange(3) * 100.0
    assert score(blocks, blocks, least_blocks=2) == 1.0
    assert score(blocks, blocks, least_blocks=3) == 0.0


def test_bad_settings_are_refused() -> None:
    """The message names what came."""
    with pytest.raises(ValueError, match="not 0"):
        score(np.array([1.0]), np.array([1.0]), window=0)
    with pytest.raises(ValueError, match="1 sizes for 2 packets"):
        score(np.array([1.0, 2.0]), np.array([1.0]), np.array([1], dtype=np.int32))


@given(
    times=arrays(np.float64, st.integers(0, 30), elements=st.floats(0, 5000)).map(np.sort),
    blocks=arrays(np.float64, st.integers(0, 30), elements=st.floats(0, 5000)).map(np.sort),
    window=st.none() | st.integers(1, 40),
)
def test_a_score_is_between_zero_and_one(times: np.ndarray, blocks: np.ndarray, window: int | None) -> None:
    """Whatever comes, twins and zeros included."""
    assert 0.0 <= score(times, blocks, window=window) <= 1.0


def test_auc_counts_ties_as_half() -> None:
    """All equal is a coin toss."""
    assert auc([1.0, 1.0], [1.0, 1.0]) == 0.5
    assert auc([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert auc([0.0], [0.0, 1.0, -1.0]) == 0.5


@pytest.mark.real_data
def test_real_miners_stand_above_real_flows(shared_data: Path) -> None:
    """On real captures with the right clock the peer works: it must not be beaten because it was built badly."""
    blocks_s = corpora.read_clock(shared_data / "network" / "blocks" / "clock_xmr_pool.csv")
    other_s = corpora.read_clock(shared_data / "network" / "blocks" / "clock_xmr_node_2020.csv.gz")
    grid = np.arange(-20.0, 20.5, 0.5)
    wanted = ("1574720899_9M3tc", "1578804351_x7uHG", "1588128490_tdAx5", "1619812647_8alcB")
    miners = corpora.main_series(s for s in corpora.mining_series(shared_data) if s.capture in wanted)
    assert len(miners) == len(wanted)
    for s in miners.values():
        times_s = s.times_ns / 1e9
        found = score_over_offsets(times_s, blocks_s, s.signed_sizes, offsets_s=grid, window=10)
        # The same capture against blocks of another year.
        begin = other_s[1000]
        chance = score_over_offsets(times_s - times_s[0] + begin, other_s, s.signed_sizes, offsets_s=grid, window=10)
        assert found > 0.9 > 0.85 > chance
