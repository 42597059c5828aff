"""The score of a household: what a machine does to it, what lawful loads do, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headframe.detectors.power import homes
from headframe.records.load_finding import LoadFinding, LoadInsufficient, Mode, Standing
from headframe.records.reading import LoadBatch, LocalClock, UsagePoint
from headframe.records.site import SourceRow

HOURS = 56 * 24
HOUR = np.arange(HOURS) % 24
DAY = np.arange(HOURS) // 24


def batch(*series: np.ndarray, start_s: int = 1_600_000_000 // 86_400 * 86_400) -> LoadBatch:
    return LoadBatch(
        usage_points=tuple(f"home-{at}" for at in range(len(series))),
        first=np.cumsum([0, *(len(one) for one in series)]).astype(np.int64),
        start_s=np.full(len(series), start_s, np.int64),
        step_s=3600,
        power_w=np.concatenate(series).astype(np.float32),
    )


def household(seed: int = 1) -> np.ndarray:
    """Refrigeration and standby, people in the morning and the evening, cooking, a holiday of a week."""
    rng = np.random.default_rng(seed)
    people = np.where((HOUR >= 6) & (HOUR < 9), 300.0, np.where((HOUR >= 17) & (HOUR < 23), 500.0, 60.0))
    power = 70.0 + rng.gamma(0.7, people) + 1500.0 * (rng.random(HOURS) < 0.03)
    power[(DAY >= 20) & (DAY < 27)] = 65.0 + 15.0 * rng.random(np.count_nonzero((DAY >= 20) & (DAY < 27)))
    return power


def score_of(power: np.ndarray) -> float:
    return float(homes.score(homes.measure(batch(power)))[0])


NIGHT = ((HOUR - 22) % 24 < 8).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_machines_stand_out_and_households_do_not(seed: int) -> None:
    """A household lies well below 0; 600 W always on, at night only, since a day within, and curtailed lie above."""
    own = household(seed)
    assert score_of(own) < -2.0
    assert score_of(own + 600.0) > 0.0
    assert score_of(own + 600.0 * NIGHT) > 0.0
    assert score_of(own + 600.0 * (DAY >= 27)) > 0.0
    assert score_of(own + 600.0 * (~((HOUR >= 17) & (HOUR < 21)))) > 0.0


@pytest.mark.parametrize("pattern", [np.ones(HOURS), NIGHT], ids=["always on", "night only"])
def test_more_machines_score_higher(pattern: np.ndarray) -> None:
    """The score rises with the machine's power."""
    own = household()
    scores = [score_of(own + watts * pattern) for watts in (0.0, 150.0, 300.0, 600.0, 1200.0, 3000.0)]
    assert scores == sorted(scores)


def test_a_machine_that_misses_a_tenth_of_the_nights_is_found() -> None:
    """Outages do not hide it."""
    rng = np.random.default_rng(3)
    off = np.repeat(rng.random(56) < 0.1, 24)
    assert score_of(household() + 600.0 * NIGHT * ~off) > 0.0


@pytest.mark.parametrize(
    "load",
    [
        2000.0 * ((HOUR >= 2) & (HOUR < 4)),  # water heated at night by ripple control
        7000.0 * ((HOUR >= 1) & (HOUR < 5)) * np.repeat(np.random.default_rng(0).random(56) < 0.4, 24),  # a car
        1100.0 * ((HOUR >= 10) & (HOUR < 14)),  # a pool pump
        120.0 * np.ones(HOURS),  # an aquarium or an old freezer
        400.0 * (HOUR >= 18) * np.random.default_rng(1).gamma(2.0, 0.5, HOURS),  # long evenings
    ],
    ids=["water heating", "car", "pool pump", "aquarium", "evenings"],
)
def test_lawful_loads_do_not_stand_out(load: np.ndarray) -> None:
    """Short nightly heating, a car on some nights, a pump at noon, a small constant load, evening habits."""
    assert score_of(household() + load) < 0.0


def test_the_score_is_of_a_row_alone() -> None:
    """Neighbours in the batch do not matter."""
    a, b = household(1), household(2) + 600.0
    both = homes.score(homes.measure(batch(a, b)))
    np.testing.assert_array_equal(both, [score_of(a), score_of(b)])


def test_the_clock_does_not_matter() -> None:
    """The same load written in another zone scores the same."""
    own = household() + 600.0 * NIGHT
    moved = homes.measure(batch(own, start_s=1_600_000_000 // 86_400 * 86_400 + 7 * 3600))
    assert float(homes.score(moved)[0]) == pytest.approx(score_of(own), abs=1e-5)


def test_the_worst_window_of_a_long_series_counts() -> None:
    """Three windows, a machine in the first only: the score is that window's, and three are named."""
    first, second, third = household(1) + 900.0, household(2), household(3)
    measures = homes.measure(batch(np.concatenate([first, second, third])))
    assert measures.windows[0] == 3
    assert float(homes.score(measures)[0]) == pytest.approx(score_of(first), abs=1e-5)


def test_missing_hours_are_not_zero() -> None:
    """A tenth of the hours missing leaves the score about where it was; only 10 days leave none."""
    own = household() + 600.0
    holes = np.where(np.random.default_rng(0).random(HOURS) < 0.1, np.nan, own)
    assert score_of(holes) == pytest.approx(score_of(own), abs=0.5)
    assert np.isnan(score_of(own[:240]))


def test_readings_must_be_hourly() -> None:
    """And marks must fit."""
    hourly = batch(household())
    half = LoadBatch(
        usage_points=hourly.usage_points,
        first=hourly.first,
        start_s=hourly.start_s,
        step_s=1800,
        power_w=hourly.power_w,
    )
    with pytest.raises(ValueError, match="hourly"):
        homes.measure(half)
    with pytest.raises(ValueError, match="mark"):
        homes.measure(hourly, wanted=np.ones(2, bool))


def explain(power: np.ndarray, **more: object) -> LoadFinding | LoadInsufficient:
    one = batch(power)
    return homes.explain(one, homes.measure(one), 0, p_value=0.004, peers=10, log10_e=0.5, **more)  # type: ignore[arg-type]


def test_an_always_on_machine_is_said_in_watts() -> None:
    """Mode, an interval that holds the truth, duty, energy, and hypotheses."""
    found = explain(household() + 600.0)
    assert isinstance(found, LoadFinding)
    assert found.estimate is not None
    assert found.estimate.mode in (Mode.ALWAYS_ON, Mode.STEP)
    assert found.estimate.power_w.low <= 600.0 <= found.estimate.power_w.high
    assert found.estimate.duty == 1.0
    assert 0.0 < found.estimate.share <= 1.0
    assert found.explanation
    assert {one.name for one in found.counter_hypotheses} == {"electric_heating", "server_room"}


def test_a_night_machine_is_said_in_local_hours() -> None:
    """22 to 6 in UTC is 8 to 16 ten hours further east; a night tariff stays possible, a car does not."""
    found = explain(household() + 600.0 * NIGHT)
    assert isinstance(found, LoadFinding)
    assert found.estimate is not None
    assert found.estimate.mode is Mode.NIGHT_ONLY
    assert found.estimate.duty == pytest.approx(8 / 24)
    assert "From 22:00 to 06:00 (UTC)" in found.explanation
    standing = {one.name: one.standing for one in found.counter_hypotheses}
    assert standing["tariff"] is Standing.POSSIBLE
    assert standing["ev"] is Standing.EXCLUDED
    east = LocalClock("Australia/Brisbane", np.array([-(2**62)]), np.array([36_000], np.int32), np.zeros(0, np.int32))
    there = explain(household() + 600.0 * NIGHT, clock=east)
    assert isinstance(there, LoadFinding)
    assert "From 08:00 to 16:00 (Australia/Brisbane)" in there.explanation
    assert there.estimate is not None
    assert there.estimate.mode is Mode.OFF_HOURS


def test_a_night_tariff_is_named() -> None:
    """What the utility's table says of the point is said of the hypothesis."""
    point = UsagePoint(usage_point="home-0", tariff_class="Economy 7", source=SourceRow("t.csv", 2))
    found = explain(household() + 2500.0 * (HOUR < 7), usage_point=point)
    assert isinstance(found, LoadFinding)
    tariff = next(one for one in found.counter_hypotheses if one.name == "tariff")
    assert tariff.standing is Standing.POSSIBLE
    assert "Economy 7" in tariff.text


def test_a_night_tariff_takes_the_nights_out() -> None:
    """Heat that is stored at night is no evidence; a machine that runs by day too still is."""
    night, always = (homes.measure(batch(household() + 600.0 * run)) for run in (NIGHT, np.ones(HOURS)))
    plain = homes.score(homes.with_night_tariffs(night, ["household"]))
    assert plain == homes.score(night)
    assert homes.score(homes.with_night_tariffs(night, ["household-night"])) < 0 < plain
    assert homes.score(homes.with_night_tariffs(always, ["household-night"])) == homes.score(always)


def test_too_little_is_insufficient() -> None:
    """It says how much there is and what it takes."""
    answer = explain(household()[: 9 * 24])
    assert isinstance(answer, LoadInsufficient)
    assert "9 days" in answer.missing
    assert "14 days" in answer.missing


@pytest.mark.real_data
def test_on_real_homes_machines_stand_out(shared_data: Path) -> None:
    """Ten Australian homes, windows of 56 days: few lie above 0, most do with 0.6 kW more."""
    import polars as pl

    table = pl.read_parquet(shared_data / "power" / "sgsc_10_homes_halfhourly.parquet")
    hourly = (
        table.unique(["customer_id", "reading_datetime"], keep="last")
        .group_by("customer_id", pl.col("reading_datetime").dt.truncate("1h").alias("hour"))
        .agg(pl.col("general_supply_kwh").sum() * 1000, pl.len().alias("parts"))
        .filter(pl.col("parts") == 2)
        .sort("customer_id", "hour")
    )
    windows = []
    for own in hourly.partition_by("customer_id"):
        seconds = own["hour"].dt.epoch("s").to_numpy()
        power = np.full((seconds[-1] - seconds[0]) // 3600 + 1, np.nan, np.float32)
        power[(seconds - seconds[0]) // 3600] = own["general_supply_kwh"].to_numpy()
        windows += [power[at : at + HOURS] for at in range(0, power.size - HOURS + 1, HOURS)]
    innocent = homes.score(homes.measure(batch(*windows)))
    mining = homes.score(homes.measure(batch(*(power + 600.0 for power in windows))))
    answered = ~np.isnan(innocent)
    assert answered.sum() > 80
    assert (innocent[answered] > 0.0).mean() < 0.1
    assert (mining[answered] > 0.0).mean() > 0.8
    assert np.all(mining[answered] > innocent[answered] - 1e-3)  # a block stays what it was
