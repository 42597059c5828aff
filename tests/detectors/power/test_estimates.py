"""Estimates: kW, onset, mode, share and energy of loads whose truth is known."""

import numpy as np
import pytest

from headframe.detectors.power.estimates import (
    FLOOR_QUANTILE,
    aligned,
    daily_hours,
    estimate,
    floor_share,
    hidden_in_floor,
    mode_of_hours,
    price_response,
)
from headframe.records.load_finding import Mode
from headframe.records.reading import HourlySeries, LocalClock, Surroundings

START_S = 1_700_006_400 // 86_400 * 86_400
UTC = LocalClock(
    zone="UTC", from_s=np.zeros(1, np.int64), offset_s=np.zeros(1, np.int32), holidays=np.zeros(0, np.int32)
)
PLAIN = Surroundings(clock=UTC)
DAYS = 56
HOUR = np.arange(24 * DAYS)


def building(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    work = np.clip(np.sin((HOUR % 24 - 6) / 12 * np.pi), 0, None) * ((HOUR // 24) % 7 < 5)
    return 20_000 + 15_000 * work * rng.uniform(0.8, 1.2, DAYS).repeat(24) + rng.normal(0, 800, HOUR.size)


def price_of(seed: int = 2) -> np.ndarray:
    """High in the evening, and on days of little wind."""
    rng = np.random.default_rng(seed)
    evening = np.exp(-(((HOUR % 24) - 18) ** 2) / 8)
    return 0.15 + 0.1 * evening + 0.06 * np.repeat(rng.normal(0, 1, DAYS * 4), 6) + rng.normal(0, 0.01, HOUR.size)


def running(mode: str) -> np.ndarray:
    """Share of the load that runs, float64[hours], as a person would write it down."""
    hour = HOUR % 24
    return {
        "step": HOUR >= 24 * 25 + 7,
        "staged": np.where(HOUR >= 24 * 35, 1.0, np.where(HOUR >= 24 * 15, 0.5, 0.0)),
        "curtailed": ~((hour >= 17) & (hour < 21)),
        "night_only": (hour >= 22) | (hour < 6),
        "night_only since": ((hour >= 22) | (hour < 6)) & (HOUR >= 24 * 30),
        "price_following": price_of() <= np.quantile(price_of(), 0.8),
    }[mode].astype(float)


EXPECTED = {
    "step": Mode.STEP,
    "staged": Mode.STAGED,
    "curtailed": Mode.CURTAILED,
    "night_only": Mode.NIGHT_ONLY,
    "night_only since": Mode.NIGHT_ONLY,
    "price_following": Mode.PRICE_FOLLOWING,
}


@pytest.mark.parametrize("mode", EXPECTED)
def test_each_mode_is_named_and_measured(mode: str) -> None:
    """Mode, kW, duty, energy and share of a load of 12 kW, and the truth inside the intervals."""
    added = 12_000 * running(mode)
    price = HourlySeries(start_s=START_S, step_s=3600, values=price_of().astype(np.float32))
    surroundings = Surroundings(clock=UTC, price_per_kwh=price if mode == "price_following" else None)
    total = building() + added
    found = estimate(total.astype(np.float32), START_S, surroundings)
    assert found is not None
    assert found.mode is EXPECTED[mode]
    assert found.power_w.low <= 12_000 <= found.power_w.high
    assert found.power_w.estimate == pytest.approx(12_000, rel=0.12)
    assert found.energy_wh.estimate == pytest.approx(added.sum(), rel=0.15)
    assert found.energy_wh.low <= added.sum() <= found.energy_wh.high
    assert found.share == pytest.approx(added.sum() / total.sum(), abs=0.04)
    on = np.flatnonzero(added)[0]
    if on < 24:
        assert found.onset is None
    else:
        assert found.onset is not None
        assert found.onset.earliest_ns <= (START_S + 3600 * on) * 10**9 <= found.onset.latest_ns


def test_the_hours_of_the_day_are_local() -> None:
    """A curtailed load names the local hours at which it runs."""
    clock = LocalClock(zone="x", from_s=UTC.from_s, offset_s=np.array([7200], np.int32), holidays=UTC.holidays)
    load = building() + 12_000 * running("curtailed")
    found = estimate(load.astype(np.float32), START_S, Surroundings(clock=clock))
    assert found is not None
    assert set(range(24)) - set(found.hours_of_day) == {19, 20, 21, 22}


def test_always_on_is_wide_and_right() -> None:
    """Only the floor is left: the interval is wide, holds the truth, and never exceeds what the floor allows."""
    for share in (0.2, 0.5, 1.0):
        load = building()
        added = share * load.mean()
        found = estimate((load + added).astype(np.float32), START_S, PLAIN)
        assert found is not None
        assert found.mode is Mode.ALWAYS_ON
        assert found.onset is None
        assert found.power_w.low <= added <= found.power_w.high
        assert found.power_w.high > 1.3 * found.power_w.low
        assert found.power_w.high <= 1.1 * np.quantile(load + added, FLOOR_QUANTILE) + 1


def test_peers_decide_how_much_of_a_floor_is_a_machine() -> None:
    """The same floor is a machine's among peers with low floors, and the building's own among peers with high ones."""
    load = building() + 10_000
    low = hidden_in_floor(load, np.linspace(0.55, 0.62, 50))
    high = hidden_in_floor(load, np.linspace(0.72, 0.78, 50))
    assert low.estimate > high.high
    assert low.low <= low.estimate <= low.high
    # By hand, for one kind of peer: P = (F - f M) / (1 - f).
    floor, mean = np.quantile(load, FLOOR_QUANTILE), load.mean()
    alike = hidden_in_floor(load, np.full(10, 0.6))
    assert alike.estimate == pytest.approx((floor - 0.6 * mean) / 0.4)


def test_without_fitting_peers_all_that_is_possible_is_said() -> None:
    """No peers, or none with such a floor: from nothing to the whole floor."""
    load = np.full(24 * 30, 5000.0)
    assert hidden_in_floor(load, np.zeros(0)).high == 5000
    found = hidden_in_floor(load, np.full(10, 0.2))
    assert (found.low, found.high) == (0.0, 5000.0)


@pytest.mark.parametrize(
    "load",
    [np.zeros(0), np.full(24 * 60, np.nan), np.zeros(24 * 60), np.full(24 * 13, 5.0)],
    ids=["empty", "missing", "zero", "short"],
)
def test_nothing_is_said_of_too_little(load: np.ndarray) -> None:
    assert estimate(load.astype(np.float32), START_S, PLAIN) is None


def test_a_constant_or_negative_load_does_no_harm() -> None:
    """Feed-in makes floors negative; a constant load has no spread. Both give an answer with finite figures."""
    for load in (np.full(24 * 60, 500.0), building()[: 24 * 56] - 18_000):
        found = estimate(load.astype(np.float32), START_S, PLAIN)
        assert found is not None
        assert np.isfinite([found.power_w.low, found.power_w.estimate, found.power_w.high, found.share]).all()
        assert 0 <= found.power_w.low <= found.power_w.estimate <= found.power_w.high


def test_a_buildings_day_is_no_clock() -> None:
    """Working hours have slopes and no weekends: they are not taken for a load with fixed hours."""
    found = daily_hours(building(), START_S, PLAIN)
    assert found is None or found.clearness < 3


def test_a_price_that_nobody_follows_gives_no_response() -> None:
    """A building is high when the price is; within an hour of the day it does not care."""
    series = HourlySeries(start_s=START_S, step_s=3600, values=price_of().astype(np.float32))
    surroundings = Surroundings(clock=UTC, price_per_kwh=series)
    found = price_response(building(), START_S, surroundings)
    assert found is None or found.z < 4
    assert price_response(building(), START_S, PLAIN) is None


def test_a_series_is_read_at_its_own_times() -> None:
    """Half-hourly or hourly, from wherever it starts; NaN before and after."""
    hourly = HourlySeries(start_s=7200, step_s=3600, values=np.array([1, 2], np.float32))
    np.testing.assert_equal(aligned(hourly, 0, 5), [np.nan, np.nan, 1, 2, np.nan])
    half = HourlySeries(start_s=0, step_s=1800, values=np.array([1, 2, 3, 4], np.float32))
    np.testing.assert_equal(aligned(half, 0, 3), [1, 3, np.nan])


def test_floor_share_is_a_ratio() -> None:
    assert floor_share(np.full(100, 7.0, np.float32)) == pytest.approx(1)
    assert np.isnan(floor_share(np.zeros(0, np.float32)))
    assert np.isnan(floor_share(np.full(10, -1.0, np.float32)))


@pytest.mark.parametrize(
    ("off", "mode"),
    [
        ([], Mode.STEP),
        ([17, 18, 19, 20], Mode.CURTAILED),
        (list(range(7, 22)), Mode.NIGHT_ONLY),
        ([2, 3, 4], Mode.UNKNOWN),
    ],
)
def test_hours_have_names(off: list[int], mode: Mode) -> None:
    hours = np.ones(24, bool)
    hours[off] = False
    assert mode_of_hours(hours) is mode
    assert mode_of_hours(hours, all_week=True) is (Mode.OFF_HOURS if off else Mode.STEP)
