"""A household's steady load, compiled and not, beside a plain twin."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.kernels import home_load as k
from headframe.kernels.home_load import HomeSettings

DAY = 24
SETTINGS = HomeSettings(
    window_days=8,
    quantile=0.2,
    variable_weight=2.0,
    block_hours=7,
    base_hours=4,
    least_days=3,
    least_span_days=4,
    least_covered=0.6,
    zero_run_hours=24,
)
SOFT_W = 20.0
FOLDS = pytest.mark.parametrize("fold", [k.fold_homes, k.fold_homes.py_func], ids=["compiled", "plain"])


# -- the twin ----------------------------------------------------------------------------------------------------------


def effective(steady: float, vary: float) -> float:
    v = max(steady, 0.0)
    return v * (v + SOFT_W) / (v + SOFT_W + SETTINGS.variable_weight * max(vary, 0.0))


def without_long_zeros(power: list[float]) -> list[float]:
    out, at = list(power), 0
    while at < len(out):
        end = at
        while end < len(power) and power[end] == 0.0:
            end += 1
        if end - at >= SETTINGS.zero_run_hours:
            out[at:end] = [math.nan] * (end - at)
        at = max(end, at + 1)
    return out


def twin(power: list[float], start_h: int) -> tuple[float, float, int]:
    """Largest effective power of the always-on load and of a block, over all windows and spans; windows used."""
    power = without_long_zeros(power)
    floors, blocks, used = [], [], 0
    for w in range(max(len(power) // DAY // SETTINGS.window_days, 1)):
        last = len(power) - w * SETTINGS.window_days * DAY
        days = min(SETTINGS.window_days, last // DAY)
        if days < SETTINGS.least_days:
            break
        spans = {max(days // 2, min(SETTINGS.least_span_days, days)), days}
        any_span = False
        for span in sorted(spans):
            by_hour: list[list[float]] = [[] for _ in range(DAY)]
            for at in range(last - span * DAY, last):
                if not math.isnan(power[at]):
                    by_hour[(start_h + at) % DAY].append(power[at])
            if min(map(len, by_hour)) < SETTINGS.least_covered * span:
                continue
            any_span = True
            q = [
                [sorted(own)[int(share * (len(own) - 1))] for own in by_hour]
                for share in (SETTINGS.quantile, 1.0 - SETTINGS.quantile)
            ]
            low, high = q
            middle = [sorted(own)[(len(own) - 1) // 2] for own in by_hour]
            swing = [b - a for a, b in zip(low, high, strict=True)]
            every = [p for own in by_hour for p in own]
            floor = min(low)
            calm = sum(sorted(swing)[:3]) / 3
            floors.append(
                effective(floor, sum(every) / len(every) - floor)
                * (floor + SOFT_W)
                / (floor + SOFT_W + SETTINGS.variable_weight * calm)
            )
            base = sum(sorted(low)[: SETTINGS.base_hours]) / SETTINGS.base_hours
            for h0 in range(DAY):
                inside = [(h0 + j) % DAY for j in range(SETTINGS.block_hours)]
                outside = [h for h in range(DAY) if h not in inside]
                lift = sorted(low[h] for h in inside)[1] - base
                vary = sum(middle[h] - low[h] for h in inside) / SETTINGS.block_hours
                within = sum(sorted(swing[h] for h in inside)[:3]) / 3
                without = sum(sorted(swing[h] for h in outside)[:3]) / 3
                calmness = math.sqrt((without + SOFT_W) / (within + SOFT_W)) if within > without else 1.0
                blocks.append(effective(lift, vary) * calmness)
        used += any_span
    return max(floors, default=math.nan), max(blocks, default=math.nan), used


def run(fold: Callable[..., None], power: Any, start_h: int = 0, wanted: bool = True) -> np.ndarray:
    out = np.full((1, k.COLUMNS), -1.0, np.float32)
    values = np.asarray(power, np.float32)
    fold(
        values,
        np.array([0, values.size], np.int64),
        np.array([start_h * 3600], np.int64),
        np.array([wanted]),
        SETTINGS,
        SOFT_W,
        out,
    )
    return out[0]


# -- rules -------------------------------------------------------------------------------------------------------------

HOURS = st.integers(0, 20 * DAY)


@pytest.mark.parametrize("which", ["compiled", "plain"])
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), HOURS, st.integers(0, 100_000), st.sampled_from([0.0, 0.02, 0.3]), st.booleans())
def test_it_is_the_twin(which: str, seed: int, hours: int, start_h: int, holes: float, zeros: bool) -> None:
    """Any length, start, holes and runs of zeros: the same effective powers and the same number of windows."""
    rng = np.random.default_rng(seed)
    power = (rng.gamma(1.0, 200.0, hours) + rng.uniform(0, 300)).astype(np.float32)
    power += 500.0 * ((np.arange(hours) + start_h) % DAY < rng.integers(0, 24))
    power[rng.random(hours) < holes] = np.nan
    if zeros and hours > 40:
        at = int(rng.integers(0, hours - 30))
        power[at : at + int(rng.integers(1, 60))] = 0.0
    got = run(k.fold_homes if which == "compiled" else k.fold_homes.py_func, power, start_h)
    floor, block, used = twin([float(p) for p in power], start_h)
    assert got[k.WINDOWS] == used
    np.testing.assert_allclose(got[[k.FLOOR_EFFECTIVE_W, k.BLOCK_EFFECTIVE_W]], [floor, block], rtol=2e-4, atol=1e-2)


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_columns_are_sorted(days: int, seed: int) -> None:
    """Every column comes out ascending, with what was in it, infinities and ties too, for any number of rows."""
    rows = np.random.default_rng(seed).integers(0, 9, (days + 2, DAY)).astype(np.float32)
    rows[rows == 8] = np.inf
    expected = rows.copy()
    expected[:days] = np.sort(rows[:days], axis=0)
    k.sort_columns(rows, days, 24)
    np.testing.assert_array_equal(rows, expected)


@FOLDS
@pytest.mark.parametrize("power", [[], [100.0] * (3 * DAY - 1), [math.nan] * 200, [0.0] * 200], ids=str)
def test_too_little_is_nothing(fold: Callable[..., None], power: list[float]) -> None:
    """Empty, a day short, all missing, all zero: no window, and no figure."""
    got = run(fold, power)
    assert got[k.WINDOWS] == 0
    assert np.isnan(got[k.FLOOR_EFFECTIVE_W])
    assert np.isnan(got[k.BLOCK_EFFECTIVE_W])


@FOLDS
def test_a_constant_load_is_all_steady(fold: Callable[..., None]) -> None:
    """Nothing varies, so nothing is discounted, and no hours stand out."""
    got = run(fold, [700.0] * (8 * DAY))
    assert got[k.FLOOR_EFFECTIVE_W] == pytest.approx(700.0)
    assert got[k.BLOCK_EFFECTIVE_W] == 0.0
    assert got[k.FLOOR_DAYS] == 4  # the later half says it already


@FOLDS
def test_what_is_not_wanted_is_passed_over(fold: Callable[..., None]) -> None:
    """No figure, whatever the load."""
    assert run(fold, [700.0] * (8 * DAY), wanted=False)[k.WINDOWS] == 0


@FOLDS
@pytest.mark.parametrize("begin", range(0, 24, 5))
def test_the_hours_of_a_night_machine_are_named(fold: Callable[..., None], begin: int) -> None:
    """600 W for eight hours from any hour on: the block begins there, is eight hours long and 600 W high."""
    hour = np.arange(8 * DAY) + 3
    got = run(fold, 80.0 + 600.0 * ((hour - begin) % DAY < 8), start_h=3)
    assert (got[k.BLOCK_HOUR], got[k.BLOCK_LENGTH]) == (begin, 8)
    assert got[k.BLOCK_LIFT_W] == pytest.approx(600.0)
    assert got[k.BLOCK_BASE_W] == pytest.approx(80.0)


@FOLDS
def test_zeros_for_a_day_are_missing_and_shorter_ones_are_not(fold: Callable[..., None]) -> None:
    """An outage written as zeros does not hide a floor; generation's zeros at noon stay zeros."""
    power = np.full(8 * DAY, 500.0)
    power[60:100] = 0.0
    assert run(fold, power)[k.FLOOR_W] == pytest.approx(500.0)
    noon = np.where((np.arange(8 * DAY) % DAY) == 12, 0.0, 500.0)
    assert run(fold, noon)[k.FLOOR_W] == 0.0


def test_time_is_linear_where_all_is_zero() -> None:
    """A long run of zeros is measured once, not once for each window."""
    import time

    took = []
    for years in (4, 16):
        power = np.zeros(years * 365 * DAY, np.float32)
        run(k.fold_homes, power)
        begin = time.perf_counter()
        run(k.fold_homes, power)
        took.append(time.perf_counter() - begin)
    assert took[1] < 16 * max(took[0], 1e-3)
