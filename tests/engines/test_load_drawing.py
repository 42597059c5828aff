"""What is drawn: days of the local clock, the peers' band, and what weather and calendar leave over."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from headframe.engines.load_drawing import PeerBand, band_points, by_day, drawing_of, fitted_floor, residual_of
from headframe.records.reading import HourlySeries, LocalClock, Surroundings

START_S = 1_640_995_200  # a Saturday


def clock(zone: str = "UTC") -> LocalClock:
    """A region's clock over 2022, by the hour."""
    place = ZoneInfo(zone)
    hours = [START_S - 86_400 * 400 + 3600 * k for k in range(24 * 800)]
    offsets = [
        int((datetime.fromtimestamp(at, UTC).astimezone(place).utcoffset() or timedelta(0)).total_seconds())
        for at in hours
    ]
    change = [0, *(k for k in range(1, len(hours)) if offsets[k] != offsets[k - 1])]
    return LocalClock(
        zone=zone,
        from_s=np.array([hours[k] for k in change], np.int64),
        offset_s=np.array([offsets[k] for k in change], np.int32),
        holidays=np.zeros(0, np.int32),
    )


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "Asia/Almaty", "America/New_York"])
def test_days_are_those_of_the_clock(zone: str) -> None:
    """Mean and lowest hour of each civil day, over the change of summer time too."""
    rng = np.random.default_rng(3)
    power = rng.uniform(100, 900, 24 * 120).astype(np.float32)
    power[1000:1017] = math.nan
    made = by_day(power, START_S + 75 * 86_400 + 3600 * 7, clock(zone))
    by: dict[str, list[float]] = {}
    first: dict[str, int] = {}
    for k, value in enumerate(power.tolist()):
        at = START_S + 75 * 86_400 + 3600 * (7 + k)
        day = datetime.fromtimestamp(at, ZoneInfo(zone)).date().isoformat()
        by.setdefault(day, [])
        first.setdefault(day, int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()))
        if math.isfinite(value):
            by[day].append(value)
    assert made.start_s.tolist() == list(first.values())
    for mean, floor, values in zip(made.mean_w, made.floor_w, by.values(), strict=True):
        if len(values) < 12:
            assert math.isnan(mean)
            assert math.isnan(floor)
        else:
            assert mean == pytest.approx(sum(values) / len(values))
            assert floor == pytest.approx(min(values))


def test_an_empty_run_has_no_days() -> None:
    """Nothing to draw is no fault."""
    assert by_day(np.zeros(0, np.float32), START_S, clock()).start_s.size == 0


def test_the_band_is_the_middle_of_the_peers() -> None:
    """Scaled to the point's own mean; no band from a handful."""
    band = PeerBand()
    own = by_day(np.full(24 * 10, 500.0, np.float32), START_S, clock())
    for k in range(101):
        band.add(
            by_day(
                np.concatenate([np.full(24, 900.0 + k), np.full(24 * 9, 1000.0)]).astype(np.float32), START_S, clock()
            )
        )
        if k == 10:
            assert band.around(own) == ((), ())
    low, high = band.around(own)
    assert len(low) == len(high) == 10
    assert 440 < low[0] < high[0] < 510
    assert low[5] == pytest.approx(501.5, abs=4)
    dead = PeerBand()
    dead.add(by_day(np.zeros(24 * 5, np.float32), START_S, clock()))
    assert not dead.days


def test_some_points_stand_for_all_whatever_the_order() -> None:
    """A fixed choice by name."""
    names = [f"M{k}" for k in range(1000)]
    chosen = band_points(names, 50)
    assert len(chosen) == 50
    assert chosen == band_points(reversed(names), 50)


def test_weekends_and_cold_are_taken_out_of_the_residual() -> None:
    """What a building does by calendar and weather is not left over; what was switched on is."""
    hours = 24 * 140
    time_s = START_S + 3600 * np.arange(hours)
    weekday = ((time_s // 86_400 + 3) % 7) < 5
    degrees = (10 + 8 * np.sin(2 * np.pi * np.arange(hours) / (24 * 50))).astype(np.float32)
    added = np.where(np.arange(hours) >= 24 * 70, 3000.0, 0.0)
    power = (10_000 + 9_000 * weekday + 400 * np.clip(15 - degrees, 0, None) + added).astype(np.float32)
    surroundings = Surroundings(clock=clock(), temperature_c=HourlySeries(start_s=START_S, step_s=3600, values=degrees))
    drawn = drawing_of(by_day(power, START_S, clock()), surroundings, [5.0] * 140)
    left = np.array(drawn.residual_w)
    assert left[80:].mean() - left[:60].mean() == pytest.approx(3000, rel=0.1)
    assert drawn.fitted_floor_w == (5.0,) * 140
    plain = np.array(residual_of(by_day(power, START_S, clock()), clock()))
    assert left[:60].std() < plain[:60].std() / 4


def test_the_fitted_floor_follows_the_step() -> None:
    """A load that comes one day lifts the floor by its power from there on."""
    rng = np.random.default_rng(2)
    hour = np.arange(24 * 112)
    power = 5_000 + 4_000 * ((hour % 24 > 7) & (hour % 24 < 19)) * rng.normal(1, 0.1, hour.size)
    power = (power + rng.normal(0, 100, hour.size) + 3_000 * (hour >= 24 * 50)).astype(np.float32)
    days = by_day(power, START_S, clock())
    fitted = np.array(fitted_floor(power, START_S, days, clock()))
    assert fitted[60] - fitted[40] == pytest.approx(3_000, rel=0.1)
    assert np.abs(fitted - days.floor_w).max() < 700
    nothing = by_day(np.full(72, math.nan, np.float32), START_S, clock())
    assert all(map(math.isnan, fitted_floor(np.full(72, math.nan, np.float32), START_S, nothing, clock())))


def test_too_few_days_still_have_a_residual() -> None:
    """Against their median, where nothing can be fitted; and none where nothing is known."""
    short = by_day(np.full(72, 700.0, np.float32), START_S, clock())
    assert residual_of(short, clock()) == [0.0, 0.0, 0.0]
    nothing = by_day(np.full(72, math.nan, np.float32), START_S, clock())
    assert all(map(math.isnan, residual_of(nothing, clock())))
