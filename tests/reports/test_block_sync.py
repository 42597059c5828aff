"""The two drawings of a conversation that keeps step with a chain."""

import math
import random
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.finding import BlockSync, Interval
from headframe.reports.block_sync import binomial_band, delay_bars, draw_blocks, draw_delays
from headframe.reports.picture import AXIS_UNITS
from headframe.reports.words import offset_parts
from tests.reports import samples

S = samples.SECOND
T0 = samples.START_NS


def small(**changes: object) -> BlockSync:
    """Four blocks, three of them followed within 2 s, over 1,000 s."""
    made = replace(
        samples.sync(),
        blocks=4,
        hits=3,
        expected_hits=4 * 10 / 1_000,
        block_ns=(T0, T0 + 250 * S, T0 + 500 * S, T0 + 1_000 * S),
        block_hit=(True, True, False, True),
        push_ns=(T0 + S // 2, T0 + 251 * S, T0 + 503 * S, T0 + 900 * S, T0 + 1_002 * S),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def drawn(sync: BlockSync, **options: int) -> tuple[ET.Element, tuple[str, ...]]:
    drawing = draw_blocks(sync, **{"started_ns": T0, "ended_ns": T0 + 1_000 * S, **options})
    assert drawing is not None
    return ET.fromstring(drawing.svg), drawing.notes


def path(svg: ET.Element, kind: str) -> str:
    return " ".join(p.get("d", "") for p in svg.iter("path") if kind in p.get("class", "").split())


def naive_bars(sync: BlockSync) -> list[int]:
    """Blocks by the delay of the next push in ten bars of half a window, by looking at every push for each block."""
    counts = [0] * 10
    for block in sync.block_ns:
        delay = min((push - block for push in sync.push_ns if push >= block), default=None)
        if delay is not None and delay <= 5 * sync.window_s * S:
            counts[max(math.ceil(delay / (sync.window_s * S / 2)), 1) - 1] += 1
    return counts


def test_blocks_stand_at_their_time_and_misses_hang_below() -> None:
    """A quarter of the way through is a quarter along the axis; hit and miss differ in place, length and colour."""
    svg, notes = drawn(small(), ended_ns=T0 + 1_002 * S)
    assert re.findall(r"M(\d+) ", path(svg, "hit")) == ["0", "249", "998"]
    assert re.findall(r"M(\d+) ", path(svg, "miss")) == ["499"]
    (hit,) = set(re.findall(r" (\d+)v(\d+)", path(svg, "hit")))
    (miss,) = set(re.findall(r" (\d+)v(\d+)", path(svg, "miss")))
    assert int(hit[0]) + int(hit[1]) == int(miss[0])
    assert int(miss[1]) < int(hit[1])
    assert path(svg, "push").count("h0") == 5
    assert notes == ()


def test_picture_says_what_it_shows() -> None:
    """A name with the figures and a longer text for those who do not see it."""
    svg, _ = drawn(samples.sync())
    assert svg.get("role") == "img"
    assert "89 blocks, 84 followed in time by a push and 5 not; 128 pushes." in (svg.get("aria-label") or "")
    assert "short ticks below the line" in svg.findtext("desc", "")
    delays = draw_delays(samples.sync())
    assert delays is not None
    svg = ET.fromstring(delays.svg)
    assert "84 blocks within the window of 2 s, 2.0 expected by chance" in (svg.get("aria-label") or "")
    assert "0 to 1 s: 47, by chance 0 to 3;" in svg.findtext("desc", "")


def test_bars_count_each_block_once() -> None:
    """The fast count is the naive one, and the bars of the window hold the hits."""
    for seed in range(10):
        sync = samples.sync(seed)
        bars = delay_bars(sync)
        assert [bar.blocks for bar in bars] == naive_bars(sync)
        assert sum(bar.blocks for bar in bars[:2]) == sync.hits
        assert (bars[0].from_s, bars[1].to_s, bars[-1].to_s) == (0.0, 2.0, 10.0)


def test_a_delay_on_the_edge_is_in_time() -> None:
    """A push exactly one window after its block is a hit, as the detector counts it."""
    sync = small(block_ns=(T0, T0 + 250 * S), push_ns=(T0, T0 + 252 * S), block_hit=(True, True), blocks=2, hits=2)
    assert [bar.blocks for bar in delay_bars(sync)] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_chance_is_what_blocks_at_random_times_show() -> None:
    """Blocks thrown anywhere fall into each bar as often as is drawn, and outside the band in 1 of 20 cases at most."""
    rng = random.Random(3)
    end = 100_000
    pushes = tuple(sorted(T0 + int(rng.uniform(0, end) * S) for _ in range(2_500)))
    gaps = [after - before for before, after in pairwise(pushes)]
    within = sum(min(gap, 4 * S) for gap in gaps) / (end * S)
    counted, expected, outside = [0] * 10, [0.0] * 10, 0
    rounds, blocks = 300, 200
    for _ in range(rounds):
        times = tuple(sorted(T0 + int(rng.uniform(0, end) * S) for _ in range(blocks)))
        sync = small(
            block_ns=times, block_hit=(False,) * blocks, push_ns=pushes, blocks=blocks, hits=0, window_s=4.0,
            expected_hits=blocks * within,
        )  # fmt: skip
        for place, bar in enumerate(delay_bars(sync)):
            counted[place] += bar.blocks
            expected[place] += bar.expected
            outside += not bar.low <= bar.blocks <= bar.high
    for seen, should in zip(counted, expected, strict=True):
        assert abs(seen - should) < 4 * math.sqrt(should)
    assert outside <= 0.05 * 10 * rounds


@given(st.integers(1, 400), st.floats(1e-6, 1 - 1e-6))
def test_band_is_the_middle_of_the_binomial_distribution(trials: int, chance: float) -> None:
    """The same quantiles as SciPy's, but for the rounding where a quantile falls on a step."""
    from scipy.stats import binom

    low, high = binomial_band(trials, chance)
    assert binom.cdf(low, trials, chance) >= 0.025 - 1e-9
    assert low == 0 or binom.cdf(low - 1, trials, chance) < 0.025 + 1e-9
    assert binom.cdf(high, trials, chance) >= 0.975 - 1e-9
    assert high == 0 or binom.cdf(high - 1, trials, chance) < 0.975 + 1e-9


def test_band_of_certain_outcomes() -> None:
    """Chances of 0 and 1 leave no room; long series do not lose the band to numbers too small to write."""
    assert binomial_band(50, 0.0) == (0, 0)
    assert binomial_band(50, 1.0) == (50, 50)
    low, high = binomial_band(2_000, 0.9)
    assert (low, high) == (1773, 1826)


def test_what_the_record_left_off_is_neither_drawn_as_a_miss_nor_passed_over() -> None:
    """The record keeps the first 2,000 of each: where the pushes end early, so does the picture, and it says so."""
    sync = small(push_ns=(T0 + S // 2, T0 + 251 * S))
    svg, notes = drawn(sync)
    assert len(re.findall("M", path(svg, "hit"))) == 2
    assert path(svg, "miss") == ""
    assert notes == ("the first 2 of 4 blocks are drawn, until 2021-04-16 03:13:57 UTC",)
    assert sum(bar.blocks for bar in delay_bars(sync)) == 2


def test_a_server_that_falls_silent_is_drawn_to_the_end() -> None:
    """Blocks after the last push are misses, not left off, as long as none of them was followed."""
    sync = small(push_ns=(T0 + S // 2, T0 + 251 * S), block_hit=(True, True, False, False), hits=2)
    svg, notes = drawn(sync)
    assert len(re.findall("M", path(svg, "miss"))) == 2
    assert notes == ()


def test_thinning_is_stated() -> None:
    """Ticks and dots that fall together are counted, and the file does not grow with the session."""
    long = samples.sync(hours=60.0)
    svg, notes = drawn(long, ended_ns=T0 + 60 * 3600 * S, slots=60)
    assert len(re.findall("M", path(svg, "hit"))) <= 61
    assert "blocks followed in time are drawn as" in notes[0]
    drawing = draw_blocks(long, started_ns=T0, ended_ns=T0, slots=60)
    assert drawing is not None
    assert len(drawing.svg) < 5_000


@pytest.mark.parametrize(
    "changes",
    [
        {"block_ns": (), "block_hit": ()},
        {"push_ns": ()},
        {"window_s": math.nan},
        {"window_s": 0.0},
        {"window_s": -2.0},
        {"expected_hits": math.nan},
        {"expected_hits": 0.0},
        {"blocks": 0},
    ],
)
def test_nothing_to_compare_has_no_bars(changes: dict[str, object]) -> None:
    """No picture is better than a wrong one."""
    assert draw_delays(small(**changes)) is None


@given(
    st.lists(st.tuples(st.integers(-(2**70), 2**70), st.booleans()), max_size=6),
    st.lists(st.integers(-(2**70), 2**70), max_size=6),
    st.integers(0, 2**70),
    st.floats(),
    st.floats(),
)
def test_any_record_gives_well_formed_svg(
    blocks: list[tuple[int, bool]], pushes: list[int], number: int, window_s: float, expected: float
) -> None:
    """Strange numbers neither raise nor leave the picture."""
    sync = small(
        block_ns=tuple(at for at, _ in blocks), block_hit=tuple(hit for _, hit in blocks), push_ns=tuple(pushes),
        blocks=number, window_s=window_s, expected_hits=expected,
    )  # fmt: skip
    for drawing in (draw_blocks(sync, started_ns=T0, ended_ns=T0), draw_delays(sync)):
        if drawing is not None:
            svg = ET.fromstring(drawing.svg)
            assert all(0 <= float(x) <= AXIS_UNITS for x in re.findall(r"M([\d.-]+) ", path(svg, "hit")))
            assert "nan" not in path(svg, "band")


def test_offset_in_words_names_who_may_be_wrong() -> None:
    """Late pushes may be the pool's doing; early ones cannot be; whole hours are a time zone."""
    assert offset_parts(Interval(-0.5, 0.5, 1.0)) == (
        "with the blocks (-0.5 to 1 s)",
        "The sensor's clock and the block clock agree, as far as can be told.",
    )
    assert offset_parts(Interval(0.0, 0.0, 0.0))[0] == "with the blocks"
    late, early = offset_parts(Interval(2.0, 2.5, 3.0))[1], offset_parts(Interval(-3.0, -2.5, -2.0))[1]
    assert "2.5 s ahead of the block clock, or the pool needs so long" in late
    assert "2.5 s behind the block clock, or that clock hears of blocks so late" in early
    assert offset_parts(Interval(25_198.5, 25_199.0, 25_199.0)) == (
        "7 h less 1 s after the blocks (25,198.5 to 25,199 s)",
        "The sensor's clock is 7 h less 1 s ahead of the block clock: whole hours speak for a wrong time zone.",
    )
    assert offset_parts(Interval(-3_603.0, -3_603.0, -3_603.0))[0] == "1 h and 3 s before the blocks"
    assert "time zone" not in late + early
    assert offset_parts(Interval(math.nan, 1.0, 2.0))[0] == "unknown"


@pytest.mark.real_data
def test_real_miner_read_by_timing_alone(shared_data: Path) -> None:
    """On a real capture without payload and ports: the picture holds what the detector counted."""
    from headframe.app import ScanOptions, scan

    network = shared_data / "network"
    result = scan(
        [str(network / "pcap_mining" / "cj-sniffer" / "1579224329_7LLzY.pcap")],
        ScanOptions(clocks=(network / "blocks" / "clock_xmr_pool.csv",), content_blind=True, threads=1),
    )
    (finding,) = result.findings
    sync = finding.block_sync
    assert sync is not None
    bars = delay_bars(sync)
    assert sum(bar.blocks for bar in bars[:2]) == sync.hits
    assert sum(bar.expected for bar in bars[:2]) == pytest.approx(sync.expected_hits)
    assert bars[1].blocks > bars[1].high
    assert all(bar.blocks <= bar.high for bar in bars[2:])
    assert [bar.blocks for bar in bars] == naive_bars(sync)
