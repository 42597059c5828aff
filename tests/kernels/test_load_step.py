"""Days to steps, compiled and not, beside a plain twin written from the docstrings."""

import importlib.util
import math
import statistics
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.kernels import jit, load_step

SETTINGS = (28, 0.01, 4.0, 0.8, 2.0)
NAN = float("nan")


@cache
def plain() -> Any:
    """The same source without numba: what reads beyond an array raises there."""
    spec = importlib.util.spec_from_file_location("plain_load_step", load_step.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    compiled, jit.kernel = jit.kernel, lambda function: function
    try:
        spec.loader.exec_module(module)
    finally:
        jit.kernel = compiled
    return module


def settings_of(k: Any) -> Any:
    return k.ScanSettings(*SETTINGS)


@pytest.fixture(params=["compiled", "plain"])
def kernels(request: pytest.FixtureRequest) -> Any:
    return load_step if request.param == "compiled" else plain()


# The twin ------------------------------------------------------------------------------------------------------------


def naive_blocks(power: list[float], start_s: int, offset_s: int) -> list[list[float]]:
    """Median of each three hours of each local day; NaN with fewer than two readings, and for a day of zeros."""
    first = (start_s + offset_s) // 86_400
    last = (start_s + offset_s + 3600 * len(power) - 1) // 86_400
    days = []
    for day in range(first, last + 1):
        begin = (day * 86_400 - offset_s - start_s) // 3600
        blocks = []
        for block in range(8):
            hours = range(begin + 3 * block, begin + 3 * block + 3)
            if hours[0] < 0 or hours[-1] >= len(power):
                blocks.append(NAN)
                continue
            read = [power[i] for i in hours if not math.isnan(power[i])]
            blocks.append(statistics.median(read) if len(read) >= 2 else NAN)
        if all(math.isnan(value) or value == 0 for value in blocks):
            blocks = [NAN] * 8
        days.append(blocks)
    return days


def mean_of(days: list[list[float]], first: int, count: int, block: int) -> float:
    """Mean of a block over days; NaN unless more than half are known."""
    known = [days[d][block] for d in range(first, first + count) if not math.isnan(days[d][block])]
    return sum(known) / len(known) if 2 * len(known) > count else NAN


def change_of(days: list[list[float]], t: int, back: int, ahead: int, block: int) -> float:
    return mean_of(days, t, ahead, block) - mean_of(days, t - back, back, block)


def naive_scan(power: list[float], start_s: int, offset_s: int, sign: int) -> dict[str, float] | None:
    """The best step of one sign, by trying every day and every run of hours; None where nothing stands out."""
    most, least_noise, uneven, partial, least_z = SETTINGS
    days = naive_blocks(power, start_s, offset_s)
    n = len(days)
    all_values = [v for day in days for v in day if not math.isnan(v)]
    level = sum(all_values) / len(all_values)
    places = range(7, n - 6)
    assert len(places) <= 128, "the kernel looks at every day of such a run"
    noise = []
    for block in range(8):
        changes = [abs(c) for t in places if not math.isnan(c := change_of(days, t, 7, 7, block))]
        if len(changes) < 5:
            noise.append(NAN)
            continue
        noise.append(math.hypot(statistics.median(changes) / 0.6745, least_noise * abs(level)))
    common = []
    for t in places:
        known = [b for b in range(8) if not math.isnan(change_of(days, t, 7, 7, b)) and noise[b] > 0]
        weight = sum(noise[b] ** -2 for b in known)
        if weight > 0:
            common.append(abs(sum(change_of(days, t, 7, 7, b) * noise[b] ** -2 for b in known)) / math.sqrt(weight))
    if len(common) < 5:
        return None
    scale = max(statistics.median(common) / 0.6745, 1.0)
    best: dict[str, float] | None = None
    for t in places:
        back, ahead = min(most, t // 7 * 7), min(most, (n - t) // 7 * 7)
        shrink = math.sqrt((1 / back + 1 / ahead) * 3.5)
        change, weight_of = [], []
        for b in range(8):
            c = change_of(days, t, back, ahead, b)
            there = not math.isnan(c) and noise[b] > 0
            change.append(c if there else 0.0)
            weight_of.append(1 / (noise[b] ** 2 * shrink) if there else 0.0)
        bound = sum(x * c * c for x, c in zip(weight_of, change, strict=True) if c * sign > 0)
        total = sum(w * c * c for w, c in zip(weight_of, change, strict=True))
        for first in range(8):
            for length in range(2, 9):
                if length == 8 and first > 0:
                    continue
                window = [(first + k) % 8 for k in range(length)]
                w = sum(weight_of[b] for b in window)
                a = sum(weight_of[b] * change[b] for b in window)
                if w <= 0 or a * sign <= 0:
                    continue
                value = a * a / w - uneven * (total - a * a / w)
                value *= partial if length < 8 else 1.0
                if value > 0 and bound > (least_z * scale) ** 2 and (best is None or value > best["value"]):
                    best = {"value": value, "score": math.sqrt(value) / scale, "size": a / w, "day": t, "first": first}
                    best |= {"length": length, "z": a / math.sqrt(w) * sign / scale}
    return best


def run(k: Any, power: np.ndarray, start_s: int = 0, offset_s: int = 0, most: int = 1) -> tuple[np.ndarray, np.ndarray]:
    up = np.zeros((1, most, k.COLUMNS))
    down = np.zeros((1, most, k.COLUMNS))
    k.scan_steps(
        power.astype(np.float32),
        np.array([0, len(power)], np.int64),
        np.array([start_s], np.int64),
        np.zeros(1, np.int64),
        np.array([offset_s], np.int32),
        np.zeros(0, np.float32),
        0,
        settings_of(k),
        up,
        down,
    )
    return up[0], down[0]


def building(days: int, seed: int) -> np.ndarray:
    """A floor, a working day, and noise."""
    rng = np.random.default_rng(seed)
    hour = np.arange(24 * days)
    work = np.clip(np.sin((hour % 24 - 6) / 12 * np.pi), 0, None) * ((hour // 24) % 7 < 5)
    return 20_000 + 15_000 * work * rng.uniform(0.8, 1.2, days).repeat(24) + rng.normal(0, 800, 24 * days)


# Rules ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["compiled", "plain"])
@settings(max_examples=8)
@given(
    st.integers(21, 45),
    st.integers(0, 1000),
    st.sampled_from([0, 3600, -18_000]),
    st.floats(-8000, 8000),
    st.floats(0, 0.3),
)
def test_the_best_step_is_the_twins(
    which: str, days: int, seed: int, offset_s: int, added: float, missing: float
) -> None:
    """The step that stands out most is the one found by trying every day and every run of hours."""
    k: Any = load_step if which == "compiled" else plain()
    rng = np.random.default_rng(seed)
    power = building(days, seed)
    power[24 * int(rng.integers(8, days - 8)) + int(rng.integers(24)) :] += added
    power[rng.random(power.size) < missing] = np.nan
    power[24 * 3 : 24 * 4] = 0
    power = power.astype(np.float32)
    up, down = run(k, power, 86_400 * 20_000, offset_s)
    for found, sign in ((up[0], 1), (down[0], -1)):
        twin = naive_scan([float(value) for value in power], 86_400 * 20_000, offset_s, sign)
        if twin is None:
            assert not found[k.SCORE] > 0
            continue
        assert found[k.SCORE] == pytest.approx(twin["score"], rel=1e-4)
        assert found[k.SIZE_W] == pytest.approx(twin["size"], rel=1e-3)
        assert found[k.DAY] == twin["day"]
        assert (found[k.FIRST_BLOCK], found[k.RUN_BLOCKS]) == (twin["first"], twin["length"])
        assert found[k.Z] == pytest.approx(twin["z"], rel=1e-3)


@pytest.mark.parametrize("which", ["compiled", "plain"])
@given(st.lists(st.floats(0, 1e9) | st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=60))
def test_the_median_is_the_median(which: str, values: list[float]) -> None:
    """Of any number of values, equal ones among them."""
    k: Any = load_step if which == "compiled" else plain()
    assert k.median_of(np.array(values), len(values)) == pytest.approx(statistics.median(values))


def test_a_clean_step_is_found_to_the_hour(kernels: Any) -> None:
    """Size, day, hour and the marks of a machine: there every day, sharp, alike on all weekdays, lasting."""
    power = building(70, 1)
    power[24 * 40 + 15 :] += 9000
    step = run(kernels, power)[0][0]
    assert step[kernels.ONSET_HOUR] == 24 * 40 + 15
    assert step[kernels.SIZE_W] == pytest.approx(9000, rel=0.05)
    assert step[kernels.RUN_BLOCKS] == 8
    assert step[kernels.HELD] > 0.9
    assert step[kernels.SHARP] > 0.8
    assert step[kernels.LASTED] > 0.9
    assert step[kernels.WEEKDAYS] < 0.2
    assert step[kernels.MEAN_W] == pytest.approx(power.mean(), rel=1e-4)


def test_a_night_step_names_its_hours(kernels: Any) -> None:
    """A load of the nights only is found in a window of hours that passes midnight."""
    power = building(70, 2)
    hour = np.arange(power.size)
    power[(hour >= 24 * 35) & ((hour - 21) % 24 < 9)] += 8000
    step = run(kernels, power)[0][0]
    assert (step[kernels.FIRST_BLOCK], step[kernels.RUN_BLOCKS]) == (7, 3)
    assert step[kernels.SIZE_W] == pytest.approx(8000, rel=0.05)


def test_a_fall_is_a_step_down(kernels: Any) -> None:
    """What is switched off is found on the other side, with its sign."""
    power = building(70, 3)
    power[: 24 * 30 + 5] += 7000
    up, down = run(kernels, power)
    assert down[0][kernels.SIZE_W] == pytest.approx(-7000, rel=0.1)
    assert down[0][kernels.ONSET_HOUR] == 24 * 30 + 5
    assert not up[0][kernels.SCORE] > down[0][kernels.SCORE]


def test_several_steps_come_a_week_apart_best_first(kernels: Any) -> None:
    """With room for several, each is a place of its own; beside a large step its own flanks come before a small one."""
    power = building(126, 4)
    power[24 * 40 :] += 6000
    power[24 * 90 :] += 9000
    up, _ = run(kernels, power, most=4)
    assert up[0, kernels.DAY] == 90
    found = up[up[:, kernels.SCORE] > 0]
    days = np.sort(found[:, kernels.DAY])
    assert (np.diff(days) > 7).all()
    assert (np.diff(found[:, kernels.SCORE]) <= 0).all()


def test_a_season_that_comes_back_is_taken_off(kernels: Any) -> None:
    """The same rise at the same time of the year before is a season; only what it does not show counts."""
    power = building(364 * 2 + 60, 5)
    day = np.arange(power.size) // 24
    term = (day % 364 >= 200) & (day % 364 < 330)
    season = power + np.where(term, 9000, 0)
    seasonal = run(kernels, season)[0][0]
    alone = run(kernels, power + np.where(day >= 500, 9000, 0))[0][0]
    assert alone[kernels.DAY] == 500
    assert alone[kernels.SCORE] > 3 * seasonal[kernels.SCORE]


@pytest.mark.parametrize(
    "power",
    [
        np.zeros(0),
        np.full(24 * 20, 5.0),
        np.full(24 * 40, np.nan),
        np.zeros(24 * 40),
        np.r_[np.full(24 * 20, np.nan), np.full(24 * 10, 3.0)],
    ],
    ids=["empty", "short", "all missing", "all zero", "half missing"],
)
def test_too_little_is_no_answer(kernels: Any, power: np.ndarray) -> None:
    """Without two weeks of readings on both sides there is neither a step nor a zero."""
    up, down = run(kernels, power)
    assert np.isnan(up[0][kernels.SCORE])
    assert np.isnan(down[0][kernels.SCORE])


def test_a_constant_load_has_no_step(kernels: Any) -> None:
    """Nothing changes, so nothing stands out; that is an answer."""
    up, down = run(kernels, np.full(24 * 60, 1234.0))
    assert up[0][kernels.SCORE] == 0
    assert down[0][kernels.SCORE] == 0


def test_infinite_readings_do_no_harm(kernels: Any) -> None:
    """One impossible reading must not hide a step or hang."""
    power = building(70, 6)
    power[24 * 40 :] += 9000
    power[500:505] = np.inf
    power[600] = -np.inf
    assert run(kernels, power)[0][0][kernels.ONSET_HOUR] == 24 * 40


def test_days_are_local_days(kernels: Any) -> None:
    """With the clock's change of offset a local day keeps its hours: midnight is where the clock says."""
    n = 24 * 60
    power = np.arange(n, dtype=np.float32)
    hours_at = np.zeros(62, np.int64)
    values = np.zeros((61, 8), np.float32)
    change = 86_400 * 30 + 3600
    kernels.fold_days(power, 0, np.array([0, change]), np.array([3600, 7200], np.int32), 0, hours_at, values)
    assert hours_at[0] == -1
    assert hours_at[30] == 24 * 30 - 1
    assert hours_at[31] == 24 * 31 - 2
    assert values[1, 0] == 24
    assert values[40, 0] == 24 * 40 - 1
    assert np.isnan(values[0, 0])


def naive_slopes(y: np.ndarray, cold: np.ndarray, warm: np.ndarray) -> np.ndarray:
    """Least squares of changes over a week on the changes of cold and warmth."""
    rows = [(cold[d + 7] - cold[d], warm[d + 7] - warm[d]) for d in range(len(y) - 7)]
    changes = [y[d + 7] - y[d] for d in range(len(y) - 7)]
    typical = sum(abs(change) for change in changes) / len(changes)
    limited = [min(max(change, -3 * typical), 3 * typical) for change in changes]
    return np.linalg.lstsq(np.array(rows), np.array(limited), rcond=None)[0]


def test_weather_is_taken_off_as_the_twin_does(kernels: Any) -> None:
    """Heating below 15.5 and cooling above 20 degrees, fitted to week changes by least squares, leave the blocks."""
    rng = np.random.default_rng(8)
    days = 120
    warmth = (12 + 12 * np.sin(np.arange(days) / 9) + rng.normal(0, 2, days)).astype(np.float32)
    cold, warm = np.clip(15.5 - warmth, 0, None), np.clip(warmth - 20, 0, None)
    y = (5000 + 200 * cold + 80 * warm + rng.normal(0, 60, days)).astype(np.float32)
    values = np.repeat(y[:, None], 8, axis=1)
    values[:, 7] = 5000 + rng.normal(0, 60, days)
    before = values.copy()
    kernels.take_off_weather(values, warmth, 100, 100)
    heating, cooling = naive_slopes(y.astype(float), cold.astype(float), warm.astype(float))
    np.testing.assert_allclose(values[:, 0], y - heating * cold - cooling * warm, rtol=1e-3)
    np.testing.assert_equal(values[:, 7], before[:, 7])


@pytest.mark.parametrize(
    "warmth", [np.full(60, np.nan, np.float32), np.full(60, 20, np.float32), np.zeros(3, np.float32)]
)
def test_weather_that_says_nothing_changes_nothing(kernels: Any, warmth: np.ndarray) -> None:
    """Missing, constant, or of other days."""
    values = np.random.default_rng(9).normal(1000, 50, (60, 8)).astype(np.float32)
    before = values.copy()
    kernels.take_off_weather(values, warmth, 0, 0)
    np.testing.assert_equal(values, before)
