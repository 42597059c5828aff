"""One clock out of several sources, complete over the stretches that it claims."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from headframe.records.block import Block, BlockClock
from headframe.sources.chain.chains import CHAINS
from headframe.sources.chain.files import parse_columns, read_blocks
from headframe.sources.chain.reconcile import (
    Reconciled,
    clock_between,
    longest_ascending,
    longest_spacing_s,
    reconcile,
    shortest_time_s,
    without_heights,
)
from headframe.sources.chain.series import NO_TIME, BadClock, BlockSeries, series_of

S = 10**9
BEGIN_S = 1_600_000_000


def series(
    times_s: dict[int, float], *, chain: str = "XMR", source: str = "a", header: bool = False, resolution_ns: int = S
) -> BlockSeries:
    """A source that knows these heights; the times count from `BEGIN_S`. [s]"""
    heights = np.array(sorted(times_s), dtype=np.int64)
    times_ns = np.array([(BEGIN_S * S) + round(times_s[h] * S) for h in sorted(times_s)], dtype=np.int64)
    none = np.full(len(heights), NO_TIME)
    return BlockSeries(
        chain=chain, clock_source=source, heights=heights, arrival_ns=none if header else times_ns,
        header_ns=times_ns if header else none, resolution_ns=resolution_ns,
    )  # fmt: skip


def steady(first: int, last: int, spacing_s: float = 120.0, offset_s: float = 0.0) -> dict[int, float]:
    """Heights from first to last, evenly spaced."""
    return {height: spacing_s * height + offset_s for height in range(first, last + 1)}


def seconds(clock: BlockClock) -> list[tuple[float, float]]:
    """The covered stretches. [s since `BEGIN_S`]"""
    return [((a - BEGIN_S * S) / S, (b - BEGIN_S * S) / S) for a, b in clock.covered.tolist()]


def assert_sound(clock: BlockClock) -> None:
    """What the record promises of every clock."""
    assert np.all(np.diff(clock.arrival_ns) >= 0)
    assert np.all(np.diff(clock.heights) > 0)
    assert len(clock.arrival_ns) == len(clock.heights)
    assert clock.covered.shape == (len(clock.covered), 2)
    assert np.all(clock.covered[:, 0] < clock.covered[:, 1])
    assert np.all(clock.covered[1:, 0] >= clock.covered[:-1, 1])
    total = 0
    for start, end in clock.covered.tolist():
        inside = (clock.arrival_ns >= start) & (clock.arrival_ns <= end)
        assert np.all(np.diff(clock.heights[inside]) == 1)
        total += int(inside.sum())
    assert total >= len(clock.arrival_ns)


def test_one_source_is_taken_as_it_is() -> None:
    """Nothing is shifted; the blocks that bound the stretch are not in it."""
    made = reconcile([series(steady(10, 20))])
    assert made.clock.heights.tolist() == list(range(11, 20))
    assert seconds(made.clock) == [(1200.0, 2400.0)]
    assert (made.gaps, made.remarks, made.offsets_ns) == ((), (), {"a": 0})
    assert (made.clock.resolution_ns, made.clock.sources, made.clock.header_time) == (S, ("a",), False)
    assert_sound(made.clock)


def test_a_missing_height_splits_a_stretch() -> None:
    """At the known blocks on either side, which are then left out."""
    times = steady(10, 30)
    del times[17], times[18]
    made = reconcile([series(times)])
    assert seconds(made.clock) == [(1200.0, 16 * 120.0), (19 * 120.0, 3600.0)]
    assert made.clock.heights.tolist() == [*range(11, 16), *range(20, 30)]
    (gap,) = made.gaps
    assert (gap.first_height, gap.last_height, gap.reason) == (16, 19, "2 heights are not known")
    assert_sound(made.clock)


@pytest.mark.parametrize("known", [[], [5], [5, 6], [5, 7, 9], [5, 6, 8, 9]])
def test_too_few_blocks_cover_nothing(known: list[int]) -> None:
    """Three in a row are the fewest: two that bound, and one inside."""
    made = reconcile([series({height: 120.0 * height for height in known})])
    assert (len(made.clock.arrival_ns), made.clock.covered.shape) == (0, (0, 2))
    assert f"nothing is covered: of {len(known)} blocks there are nowhere three in a row" in made.remarks[0]


def test_a_long_silence_splits_a_stretch() -> None:
    """Beyond -log(1e-9) spacings, some 41 minutes on Monero, and not before."""
    limit_s = longest_spacing_s(CHAINS["XMR"])
    assert limit_s == pytest.approx(20.72 * 120, rel=1e-3)
    for pause_s, stretches in [(limit_s - 1, 1), (limit_s + 1, 2)]:
        times = {height: 120.0 * height + (pause_s - 120 if height > 20 else 0) for height in range(10, 31)}
        made = reconcile([series(times)])
        assert len(made.clock.covered) == stretches
        assert_sound(made.clock)
    assert "s between two consecutive blocks, more than 2,487 s: the source slept" in made.gaps[0].reason


def test_a_source_that_catches_up_is_not_believed() -> None:
    """Its silence is short of absurd, but then come many blocks at once; the first of them is late as well."""
    times = steady(10, 40)
    for height in range(20, 26):
        times[height] = 120.0 * 25 + (height - 25) * 0.2
    made = reconcile([series(times, resolution_ns=1)])
    assert made.clock.heights.tolist() == [*range(11, 19), *range(26, 40)]
    assert seconds(made.clock) == [(1200.0, 19 * 120.0), (25 * 120.0, 4800.0)]
    assert "blocks that came at once: the source was catching up" in made.gaps[0].reason


@pytest.mark.parametrize("further", [1, 2, 3, 5, 8, 16])
def test_what_is_too_short_for_chance_is_below_the_bound(further: int) -> None:
    """Against the exact law of the waiting time for so many blocks, which is a gamma law."""
    time_s = shortest_time_s(CHAINS["BTC"], further)
    exact = stats.gamma.cdf(time_s, further, scale=600)
    assert 0 < exact <= 1e-9


def test_chance_alone_breaks_no_stretch() -> None:
    """A million blocks of a Poisson process are one stretch."""
    rng = np.random.default_rng(5)
    times = np.cumsum(rng.exponential(120, 1_000_000))
    whole = BlockSeries(
        chain="XMR", clock_source="a", heights=np.arange(len(times)),
        arrival_ns=(times * S).astype(np.int64) // S * S + BEGIN_S * S,
        header_ns=np.full(len(times), NO_TIME), resolution_ns=S,
    )  # fmt: skip
    made = reconcile([whole])
    assert len(made.clock.covered) == 1
    assert made.gaps == ()


def outages(rng: np.random.Generator, end_s: float) -> list[tuple[float, float]]:
    """Times at which a source was off."""
    starts = np.sort(rng.uniform(0, end_s, 12))
    return [(start, start + rng.exponential(1800)) for start in starts]


def test_blocks_of_a_stretch_are_uniform_and_would_not_be_with_its_bounds() -> None:
    """The theorem that the detector rests on, by simulation: sources that fail at random times."""
    rng = np.random.default_rng(11)
    inside: list[np.ndarray] = []
    with_bounds: list[np.ndarray] = []
    for _ in range(300):
        times = np.cumsum(rng.exponential(120, 400))
        off = outages(rng, float(times[-1]))
        known = {k: t for k, t in enumerate(times.tolist()) if not any(a <= t < b for a, b in off)}
        clock = reconcile([series(known, resolution_ns=1)]).clock
        assert_sound(clock)
        for start, end in clock.covered.tolist():
            these = clock.arrival_ns[(clock.arrival_ns > start) & (clock.arrival_ns < end)]
            place = (these - start) / (end - start)
            inside.append(place)
            with_bounds.append(np.r_[0.0, place, 1.0])
    uniform = stats.kstest(np.concatenate(inside), "uniform")
    biased = stats.kstest(np.concatenate(with_bounds), "uniform")
    print(f"{sum(map(len, inside)):,} places: p = {uniform.pvalue:.3f}; with the bounds p = {biased.pvalue:.1e}")
    assert uniform.pvalue > 1e-3
    assert biased.pvalue < 1e-6


def test_offsets_are_taken_away_and_the_earliest_counts() -> None:
    """Three sources with clocks that are off and delays of their own; the common clock is the middle one's."""
    rng = np.random.default_rng(3)
    truth = np.cumsum(rng.exponential(120, 500))
    delays = {"a": rng.exponential(0.5, 500), "b": rng.exponential(0.5, 500), "c": rng.exponential(0.5, 500)}
    ahead = {"a": 0.0, "b": 7.0, "c": 25_200.0}
    made = reconcile(
        [
            series({k: truth[k] + delays[name][k] + ahead[name] for k in range(500)}, source=name, resolution_ns=1)
            for name in "abc"
        ]
    )
    offsets = {name: offset / S for name, offset in made.offsets_ns.items()}
    assert offsets == pytest.approx({"a": -7.0, "b": 0.0, "c": 25_193.0}, abs=0.2)
    late_s = (made.clock.arrival_ns - BEGIN_S * S) / S - truth[made.clock.heights] - 7.0
    assert np.abs(late_s).max() < 1.5
    # The earliest of three is nearer to the truth than any one of them.
    assert late_s.mean() < min(delays[name].mean() for name in "abc") - 0.2
    assert made.remarks == ()


def test_two_sources_fill_each_others_gaps() -> None:
    """Together they know all; the clock is that of the one that knows more."""
    first = {h: t for h, t in steady(10, 60).items() if not 30 <= h < 35}
    second = {h: t + 5 for h, t in steady(20, 50).items() if h % 7}
    made = reconcile([series(second, source="b"), series(first, source="a")])
    assert seconds(made.clock) == [(1200.0, 7200.0)]
    assert made.offsets_ns == {"b": 5 * S, "a": 0}
    assert made.clock.sources == ("b", "a")


def test_sources_without_common_heights_are_taken_as_they_are() -> None:
    """Nothing tells how their clocks differ, and the remark says so."""
    made = reconcile([series(steady(10, 20), source="a"), series(steady(30, 45), source="b")])
    assert made.remarks == (
        "a has fewer than 5 heights in common with the others: its clock cannot be compared with theirs, and is taken "
        "as it is",
    )
    assert len(made.clock.covered) == 2


def test_a_source_that_is_a_height_off_is_left_out() -> None:
    """Its differences are spread like the intervals between blocks; taken for offsets they would ruin the clock."""
    rng = np.random.default_rng(4)
    truth = np.cumsum(rng.exponential(120, 300)).tolist()
    node = series(dict(enumerate(truth)), source="node")
    jobs = series({height + 1: time for height, time in enumerate(truth[:200])}, source="jobs")
    made = reconcile([jobs, node])
    assert made.clock.sources == ("node",)
    assert made.offsets_ns == {"node": 0}
    assert made.remarks[0].startswith("jobs is left out: it does not differ from node by a constant, half of the diff")
    np.testing.assert_array_equal(made.clock.arrival_ns, node.arrival_ns[1:-1])


def test_parts_of_one_source_are_one_source() -> None:
    """A file in whole seconds and what was followed later, in nanoseconds: the coarser step holds."""
    made = reconcile([series(steady(10, 20)), series(steady(21, 30), resolution_ns=1)])
    assert made.offsets_ns == {"a": 0}
    assert (made.clock.resolution_ns, len(made.clock.covered), made.remarks) == (S, 1, ())


def test_an_arrival_far_before_that_of_most_is_not_believed() -> None:
    """A node cannot hear of a block an hour before two others do."""
    good, other, wrong = steady(10, 60), steady(10, 60, offset_s=1.0), steady(10, 60, offset_s=2.0)
    wrong[40] -= 3600
    made = reconcile([series(good, source="a"), series(other, source="b"), series(wrong, source="c")])
    assert made.remarks == ("1 arrivals lie more than 60 s before those of most sources, and are not believed",)
    assert len(made.clock.covered) == 1
    at_40 = int(made.clock.arrival_ns[made.clock.heights == 40][0])
    assert (at_40 - BEGIN_S * S) / S == pytest.approx(40 * 120, abs=2)


def test_two_sources_that_differ_are_remarked() -> None:
    """Nobody can tell which one is right; the earlier one counts, as everywhere."""
    late = steady(10, 60)
    late[40] += 300
    made = reconcile([series(steady(10, 60), source="a"), series(late, source="b")])
    assert made.remarks == ("two sources differ by more than 60 s about 1 blocks; the earlier time counts",)


def test_steps_back_within_the_resolution_are_levelled() -> None:
    """Two blocks within a second may be written in the wrong order."""
    times = steady(10, 20)
    times[15] = times[14] - 1
    made = reconcile([series(times)])
    assert made.remarks == (
        "1 blocks came within the step of the clock before the block they follow; taken as arriving together with it",
    )
    assert made.clock.heights.tolist() == list(range(11, 20))
    assert_sound(made.clock)


def test_times_against_the_order_of_heights_are_left_out() -> None:
    """As few as possible, and their heights are then gaps."""
    times = steady(10, 40)
    times[20] += 3600
    made = reconcile([series(times)])
    assert made.remarks == (
        "1 blocks are left out, height 20 for one: their times contradict the order of the heights",
    )
    assert made.clock.heights.tolist() == [*range(11, 19), *range(22, 40)]
    assert_sound(made.clock)


@given(st.lists(st.integers(0, 12), max_size=10))
def test_as_few_as_possible_are_left_out(times: list[int]) -> None:
    """Against all choices there are."""
    kept = longest_ascending(np.array(times, dtype=np.int64)).tolist()
    chosen = [times[place] for place in kept]
    assert kept == sorted(set(kept))
    assert chosen == sorted(chosen)
    best = max(
        count for count in range(len(times) + 1)
        if any(list(some) == sorted(some) for some in combinations(times, count))
    )  # fmt: skip
    assert len(kept) == best


def test_header_times_that_are_too_coarse_are_refused() -> None:
    """Bitcoin's may be two hours off, unless the caller asks; then the clock is marked."""
    alone = series(steady(10, 20, 600), chain="BTC", header=True)
    with pytest.raises(BadClock, match=r"BTC: there are header times only, and they are too coarse: .* up to 2 h"):
        reconcile([alone])
    asked = reconcile([alone], header_time=True)
    assert asked.clock.header_time
    assert asked.clock.sources == ("a (header time)",)
    assert len(asked.clock.arrival_ns) == 9


def test_header_times_stand_in_only_where_no_arrival_is() -> None:
    """On the Ethereum family, where they are good enough: shifted by what they differ where both are known."""
    arrivals = {h: t for h, t in steady(10, 60, 13).items() if h not in (30, 31)}
    both = replace(
        series(steady(10, 60, 13), chain="ETC"),
        header_ns=np.array([BEGIN_S * S + round((13 * h - 4) * S) for h in range(10, 61)]),
    )
    both.arrival_ns[20:22] = NO_TIME
    made = reconcile([both])
    assert made.clock.header_time
    assert made.remarks == ("2 heights have a header time only, which stands in",)
    assert seconds(made.clock) == [(130.0, 780.0)]
    at_30 = made.clock.arrival_ns[made.clock.heights == 30]
    assert ((at_30 - BEGIN_S * S) / S).tolist() == [390.0]
    coarse = reconcile([replace(both, chain="DGB")])
    assert not coarse.clock.header_time
    assert len(coarse.clock.covered) == 2
    assert "2 heights have a header time only, which is too coarse: " in coarse.remarks[0]
    assert set(made.clock.heights.tolist()) - set(arrivals) == {30, 31}


def test_blocks_after_the_end_of_mining_are_left_out() -> None:
    """Ethereum's blocks of today come every 12 s, and nobody mines them."""
    end_s = 1_663_224_162 - BEGIN_S
    times = {height: end_s - 13 * 40 + 13.0 * height for height in range(80)}
    made = reconcile([series(times, chain="ETH")])
    assert "blocks are left out: Ethereum was no longer mined by then" in made.remarks[0]
    assert made.clock.covered[-1, 1] <= (1_663_224_162 + 60) * S


def test_what_makes_no_clock() -> None:
    """Nothing at all, and two chains at once."""
    with pytest.raises(BadClock, match="no block times were given"):
        reconcile([])
    with pytest.raises(BadClock, match="several chains cannot make one clock"):
        reconcile([series(steady(1, 5)), series(steady(1, 5), chain="BTC")])


RUNS = st.dictionaries(st.integers(0, 40), st.integers(0, 10_000), max_size=40)


@given(st.lists(RUNS, min_size=1, max_size=4), st.sampled_from(["XMR", "BTC", "ETC", "KAS"]))
def test_every_clock_is_sound(sources: list[dict[int, int]], chain: str) -> None:
    """Whatever the sources say, the clock keeps the promises of its record."""
    made = reconcile([series(dict(run), chain=chain, source=str(k)) for k, run in enumerate(sources)])
    assert_sound(made.clock)


@given(RUNS, st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_cut_clock_is_sound(run: dict[int, int], start_s: int, end_s: int) -> None:
    """And has just the blocks that lie between."""
    clock = reconcile([series(dict(run), chain="XMR")]).clock
    start_ns, end_ns = (BEGIN_S + start_s) * S, (BEGIN_S + end_s) * S
    cut = clock_between(clock, start_ns, end_ns)
    assert_sound(cut)
    assert np.all((cut.covered >= start_ns) & (cut.covered <= end_ns))
    strictly = (clock.arrival_ns > start_ns) & (clock.arrival_ns < end_ns)
    assert set(clock.heights[strictly].tolist()) <= set(cut.heights.tolist()) <= set(clock.heights.tolist())


def test_cut_at_both_ends() -> None:
    """The ends of the cut are the ends of the stretch."""
    cut = clock_between(reconcile([series(steady(10, 20))]).clock, (BEGIN_S + 1500) * S, (BEGIN_S + 1900) * S)
    assert seconds(cut) == [(1500.0, 1900.0)]
    assert cut.heights.tolist() == [13, 14, 15]
    nothing = clock_between(cut, 0, 5)
    assert (len(nothing.covered), len(nothing.arrival_ns)) == (0, 0)


def test_without_heights() -> None:
    """As if the source had never heard of them: compared with a source that has not."""
    times = steady(10, 30)
    clock = reconcile([series(times)]).clock
    less = without_heights(clock, [16, 17, 24, 500])
    for height in (16, 17, 24):
        del times[height]
    assert seconds(less) == seconds(reconcile([series(times)]).clock)
    assert less.heights.tolist() == reconcile([series(times)]).clock.heights.tolist()
    assert without_heights(clock, []) is clock


@given(st.sets(st.integers(11, 49)), st.sets(st.integers(11, 49), max_size=8))
def test_without_heights_is_not_knowing_them(gone: set[int], missing: set[int]) -> None:
    """For any heights: the same clock as from a source that never had them."""
    times = {height: time for height, time in steady(10, 50).items() if height not in missing}
    less = without_heights(reconcile([series(times)]).clock, gone)
    fewer = reconcile([series({height: time for height, time in times.items() if height not in gone})]).clock
    assert_sound(less)
    # A block that bounds a stretch is not in the clock, so the clock cannot be told to forget it.
    inside = set(reconcile([series(times)]).clock.heights.tolist())
    if gone & set(times) <= inside:
        assert less.heights.tolist() == fewer.heights.tolist()
        assert less.covered.tolist() == fewer.covered.tolist()


def test_series_of_blocks_and_back() -> None:
    """One series per chain, source and step; of two times of a height the earlier one."""
    blocks = [
        Block(chain="XMR", height=2, header_time_ns=None, arrival_time_ns=20, clock_source="a"),
        Block(chain="XMR", height=1, header_time_ns=5, arrival_time_ns=10, clock_source="a"),
        Block(chain="XMR", height=2, header_time_ns=7, arrival_time_ns=15, clock_source="a"),
        Block(chain="BTC", height=1, header_time_ns=5, arrival_time_ns=None, clock_source="b", resolution_ns=S),
    ]
    first, second = series_of(blocks)
    assert list(first.blocks()) == [blocks[1], blocks[2]]
    assert list(second.blocks()) == [blocks[3]]


def real(shared_data: Path, name: str, mapping: str | None = None) -> list[BlockSeries]:
    """The series of a real file."""
    path = shared_data / "network" / "blocks" / name
    chain = None if mapping is None else "BTC"
    return list(read_blocks(path, columns=parse_columns(mapping) if mapping else None, chain=chain).series)


def described(made: Reconciled) -> tuple[int, int, int]:
    """Blocks inside, stretches, gaps without a missing height."""
    return (
        len(made.clock.arrival_ns),
        len(made.clock.covered),
        sum("not known" not in gap.reason for gap in made.gaps),
    )


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "mapping", "wanted"),
    [
        ("clock_xmr_pool.csv", None, (7930, 42, 0)),
        ("clock_xmr_node_2020.csv.gz", None, (54390, 8, 0)),
        ("clock_btc_node_2023.csv.gz", None, (42599, 4, 3)),
        ("btc_arrival_offing-gcp.csv.gz", "height=1,arrival_time=3", (10919, 2, 1)),
        ("btc_arrival_vostrnad_node1.csv.gz", "height=1,arrival_time=3", (40081, 3, 0)),
    ],
)
def test_stretches_of_real_files(
    shared_data: Path, name: str, mapping: str | None, wanted: tuple[int, int, int]
) -> None:
    """Missing heights, and blocks that came at once after a silence."""
    made = reconcile(real(shared_data, name, mapping))
    assert_sound(made.clock)
    assert described(made) == wanted


@pytest.mark.real_data
def test_a_second_node_shows_that_the_first_was_catching_up(shared_data: Path) -> None:
    """Where blocks seemed to come at once, the other node had heard of them one by one: the rule was right."""
    alone = reconcile(real(shared_data, "clock_btc_node_2023.csv.gz"))
    other = real(shared_data, "btc_arrival_vostrnad_node1.csv.gz", "height=1,arrival_time=3")
    (theirs,) = other
    at = dict(zip(theirs.heights.tolist(), theirs.arrival_ns.tolist(), strict=True))
    for gap in alone.gaps:
        span = [at[height] for height in range(gap.first_height, gap.last_height + 1)]
        assert min(np.diff(span)) > 10 * S
    together = reconcile([*real(shared_data, "clock_btc_node_2023.csv.gz"), *other])
    assert described(together) == (43504, 1, 0)
    assert together.offsets_ns == {"bitcoind": 0, "file btc_arrival_vostrnad_node1.csv.gz": 0}
