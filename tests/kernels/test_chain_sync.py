"""The sums of timing evidence, compiled and not, beside a plain twin that counts alternative by alternative."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.detectors.network.chain_sync.evidence import ChainSyncParameters, make_grid
from headframe.kernels import chain_sync
from tests import naive_timing as naive
from tests.kernels.uncompiled import uncompiled

S = 1_000_000_000
CLASSES = ("all", "large", "unasked")
# A small grid, so that the twin can count it all: 5 offsets, 2 windows, 2 shares.
SMALL = ChainSyncParameters(farthest_offset_s=2.0, offset_step_s=1.0, windows_s=(1.0, 3.0), shares=(0.4, 0.9))


def kernels_of(which: str) -> Any:
    return chain_sync if which == "compiled" else uncompiled().chain_sync


def sums_of(grid: chain_sync.Grid) -> np.ndarray:
    return np.zeros((3, len(grid.windows_ns), len(grid.shares), grid.offsets))


# Quarter seconds: pushes that meet a window's edge exactly, meet each other, and meet the ends of segments.
PUSHES = st.lists(
    st.tuples(st.integers(0, 120), st.sampled_from([-40, -149, -150, -900, 60, 300]), st.booleans()), max_size=25
)
BLOCKS = st.lists(st.integers(-20, 140), max_size=8)


@pytest.mark.parametrize("which", ["compiled", "plain"])
@pytest.mark.parametrize("sign", [-1, 1])
@settings(max_examples=25, deadline=None)
@given(PUSHES, BLOCKS, st.integers(10, 130), st.integers(1, 8))
def test_a_conversation_sums_up_as_the_twin(
    which: str,
    sign: int,
    pushes: list[tuple[int, int, bool]],
    blocks: list[int],
    segment_quarters: int,
    most: int,
) -> None:
    """Every alternative's logarithm is that of plain counting over the same segments."""
    k = kernels_of(which)
    grid = make_grid(SMALL)
    quarter = S // 4
    base = 1_600_000_000 * S
    ordered = sorted(pushes)
    time_ns = np.array([base + at * quarter for at, _, _ in ordered], dtype=np.int64)
    size = np.array([s for _, s, _ in ordered], dtype=np.int32)
    reply = np.array([r for _, _, r in ordered], dtype=np.bool_)
    bits = np.empty(len(size), dtype=np.uint8)
    k.class_bits(size, reply, sign, 150, bits)
    blocks_ns = np.array(sorted(base + at * quarter for at in blocks), dtype=np.int64)
    start, end = base, base + 120 * quarter + 1
    covered = np.array([[base - 10_000 * S, base + 10_000 * S]], dtype=np.int64)
    sums = sums_of(grid)
    counted, watched = k.add_conversation(
        time_ns, bits, start, end, blocks_ns, covered, grid, segment_quarters * quarter, most, sums
    )

    times = time_ns.tolist()
    cut = naive.segments(times, start, end, segment_quarters * quarter, most)
    assert int(watched) == sum(b - a for a, b in cut)
    most_blocks = 0
    for a, b in cut:
        most_blocks += max(
            sum(a <= block + offset * S < b for block in blocks_ns.tolist()) for offset in (-2, -1, 0, 1, 2)
        )
    assert int(counted) == most_blocks
    for c, name in enumerate(CLASSES):
        for w, window in enumerate((S, 3 * S)):
            for s, share in enumerate((0.4, 0.9)):
                for d, offset in enumerate((-2 * S, -S, 0, S, 2 * S)):
                    expected = 0.0
                    for a, b in cut:
                        mine = [
                            t
                            for t, (_, z, r) in zip(times, ordered, strict=True)
                            if a <= t < b and name in naive.classes(z, r, sign, 150)
                        ]
                        expected += naive.log_factor(mine, blocks_ns.tolist(), a, b, window, share, offset)
                    assert sums[c, w, s, d] == pytest.approx(expected, abs=1e-9), (name, window, share, offset)
    mixed = math.log(
        sum(
            weight * math.exp(value)
            for row in sums.reshape(-1, grid.offsets).tolist()
            for value, weight in zip(row, grid.offset_weights.tolist(), strict=True)
        )
        / (3 * 2 * 2)
    )
    assert float(k.log_mixture(sums, grid.offset_weights)) == pytest.approx(mixed, abs=1e-9)


def test_only_time_that_the_clock_covers_counts() -> None:
    """At every offset a segment lies inside a stretch of the clock; what lies outside is not watched."""
    grid = make_grid(SMALL)
    time_ns = np.arange(0, 1000, 10, dtype=np.int64) * S
    bits = np.full(len(time_ns), 7, dtype=np.uint8)
    covered = np.array([[100, 200], [300, 303], [900, 5000]], dtype=np.int64) * S
    blocks_ns = np.array([150, 250, 302, 950], dtype=np.int64) * S
    counted, watched = chain_sync.add_conversation(
        time_ns, bits, 0, 991 * S, blocks_ns, covered, grid, 900 * S, 2048, sums_of(grid)
    )
    # 2 s at either end of a stretch are given to the farthest offset; the stretch of 3 s has nothing left.
    assert (int(counted), int(watched)) == (2, (96 + 89) * S)


def test_nothing_to_compare_is_evidence_of_nothing() -> None:
    """No pushes, no blocks, no clock: the sums stay 0."""
    grid = make_grid(SMALL)
    none = np.empty(0, dtype=np.int64)
    no_bits = np.empty(0, dtype=np.uint8)
    clock = np.array([[0, 10_000]], dtype=np.int64) * S
    for times, blocks, covered in (
        (none, none, clock),
        (none, np.array([500 * S]), np.empty((0, 2), dtype=np.int64)),
    ):
        sums = sums_of(grid)
        counted, _watched = chain_sync.add_conversation(
            times, no_bits, 0, 900 * S, blocks, covered, grid, 60 * S, 9, sums
        )
        assert int(counted) == 0
        assert not sums.any()
    # Blocks and no push at all: misses speak against, at every alternative alike.
    sums = sums_of(grid)
    chain_sync.add_conversation(none, no_bits, 0, 900 * S, np.array([500 * S]), clock, grid, 900 * S, 9, sums)
    assert np.allclose(sums, np.log1p(-grid.shares)[:, None])


def test_many_subjects_are_measured_as_one_by_one() -> None:
    """The sums of one subject leave nothing behind for the next."""
    rng = np.random.default_rng(3)
    grid = make_grid(ChainSyncParameters())
    subjects: list[SimpleNamespace] = []
    blocks_ns = np.sort(rng.integers(0, 20_000 * S, 160))
    covered = np.array([[-1000, 30_000]], dtype=np.int64) * S
    for _ in range(12):
        start = int(rng.integers(0, 15_000)) * S
        times = np.sort(start + rng.integers(0, 3000 * S, int(rng.integers(0, 80))))
        subjects.append(SimpleNamespace(times=times, bits=rng.integers(0, 8, len(times)).astype(np.uint8), start=start))
    burst_at = np.cumsum([0, *(len(s.times) for s in subjects)])
    spans = np.array([[s.start, s.start + 3000 * S] for s in subjects], dtype=np.int64)
    log_e = np.zeros(len(subjects))
    watched = np.zeros(len(subjects), dtype=np.int64)
    chain_sync.measure_many(
        np.concatenate([s.times for s in subjects]), np.concatenate([s.bits for s in subjects]), burst_at, spans,
        np.arange(len(subjects) + 1), blocks_ns, covered, grid, 900 * S, 2048, log_e, watched,
    )  # fmt: skip
    assert len(np.unique(log_e)) > 6
    for s, together, time in zip(subjects, log_e.tolist(), watched.tolist(), strict=True):
        sums = sums_of(grid)
        chain_sync.add_conversation(
            s.times, s.bits, s.start, s.start + 3000 * S, blocks_ns, covered, grid, 900 * S, 2048, sums
        )
        assert together == pytest.approx(float(chain_sync.log_mixture(sums, grid.offset_weights)), abs=1e-12)
        assert time == 3000 * S
