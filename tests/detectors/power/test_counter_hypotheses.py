"""Counter-hypotheses: each lawful look-alike is recognised as possible, and a machine excludes those it contradicts."""

import numpy as np
import pytest

from headframe.detectors.power.counter_hypotheses import (
    CounterHypothesisParameters,
    _row_quantile,
    counter_hypotheses,
    temperature_response,
)
from headframe.detectors.power.estimates import estimate
from headframe.records.finding import Interval
from headframe.records.load_finding import CounterHypothesis, LoadEstimate, Mode, Onset, Standing
from headframe.records.reading import HourlySeries, LocalClock, Surroundings

START_S = 1_704_067_200 - 86_400 * 60
UTC = LocalClock(
    zone="UTC", from_s=np.zeros(1, np.int64), offset_s=np.zeros(1, np.int32), holidays=np.zeros(0, np.int32)
)
NAMES = ("electric_heating", "heat_pump", "ev", "cold_store", "server_room", "pv", "tariff", "operating_calendar")
DAYS = 112
HOUR = np.arange(24 * DAYS)
RNG = np.random.default_rng(1)
COLD = (8 - 6 * np.cos(2 * np.pi * HOUR / 24 / DAYS) + np.repeat(RNG.normal(0, 3, DAYS), 24)).astype(np.float32)
WEATHER = HourlySeries(start_s=START_S, step_s=3600, values=COLD)


def building() -> np.ndarray:
    work = np.clip(np.sin((HOUR % 24 - 6) / 12 * np.pi), 0, None) * ((HOUR // 24) % 7 < 5)
    return 10_000 + 8_000 * work + np.random.default_rng(2).normal(0, 100, HOUR.size)


def load_of(
    power_w: float, mode: Mode = Mode.ALWAYS_ON, hours: tuple[int, ...] = (), onset_h: int | None = None
) -> LoadEstimate:
    onset = None
    if onset_h is not None:
        at = (START_S + 3600 * onset_h) * 10**9
        onset = Onset(at, at, at)
    return LoadEstimate(
        power_w=Interval(0.9 * power_w, power_w, 1.1 * power_w),
        onset=onset,
        mode=mode,
        share=0.3,
        duty=len(hours) / 24 if hours else 1.0,
        energy_wh=Interval(0, power_w, 2 * power_w),
        hours_of_day=hours,
    )


def ask(power: np.ndarray, load: LoadEstimate, *, weather: bool = True) -> dict[str, CounterHypothesis]:
    surroundings = Surroundings(clock=UTC, temperature_c=WEATHER if weather else None)
    found = counter_hypotheses(power.astype(np.float32), START_S, surroundings, load)
    assert tuple(one.name for one in found) == NAMES
    assert all(one.text for one in found)
    return {one.name: one for one in found}


def test_a_machine_excludes_what_it_contradicts() -> None:
    """Constant day and night, whatever the weather: no heating, no car, no tariff; a server room stays possible."""
    found = ask(building() + 6000, load_of(6000))
    excluded = {name for name, one in found.items() if one.standing is Standing.EXCLUDED}
    assert excluded >= {"electric_heating", "heat_pump", "ev", "pv", "tariff", "operating_calendar"}
    assert found["server_room"].standing is Standing.POSSIBLE


def test_heating_explains_a_load_that_follows_the_cold() -> None:
    """500 W for each degree below 16: most of a floor of 4 kW is heating, and the text says the slope."""
    heating = 500 * np.clip(16 - COLD, 0, None)
    found = ask(building() + heating, load_of(4000))
    assert found["electric_heating"].standing is Standing.POSSIBLE
    assert found["heat_pump"].standing is Standing.POSSIBLE
    assert "W/K below" in found["electric_heating"].text


def test_a_step_is_not_explained_by_a_slope_that_was_there_before() -> None:
    """A heated building that gets a machine while the weather stays: the slope accounts for little of the step."""
    added = np.where(HOUR >= 24 * 56, 6000, 0)
    power = building() + 200 * np.clip(16 - COLD, 0, None) + added
    found = ask(power, load_of(6000, Mode.STEP, onset_h=24 * 56))
    assert found["electric_heating"].standing is Standing.EXCLUDED


def test_without_weather_the_weather_is_untested() -> None:
    """Never more is claimed than was tested."""
    found = ask(building() + 6000, load_of(6000), weather=False)
    for name in ("electric_heating", "heat_pump", "cold_store"):
        assert found[name].standing is Standing.UNTESTED
    assert "No outdoor temperature" in found["electric_heating"].text


def test_cars_come_on_some_nights() -> None:
    """Blocks of 11 kW on half of the nights may be a car; every night the same eight hours is none."""
    night = (HOUR % 24 >= 22) | (HOUR % 24 < 6)
    day = (HOUR + 12) // 24
    drives = np.random.default_rng(3).random(DAYS + 2)[day] < 0.5
    hours = (0, 1, 2, 3, 4, 5, 22, 23)
    cars = ask(building() + 11_040 * (night & drives), load_of(11_040, Mode.NIGHT_ONLY, hours))
    assert cars["ev"].standing is Standing.POSSIBLE
    assert "11.0 kW" in cars["ev"].text
    machine = ask(building() + 11_040 * night, load_of(11_040, Mode.NIGHT_ONLY, hours))
    assert machine["ev"].standing is Standing.EXCLUDED
    assert machine["server_room"].standing is Standing.EXCLUDED
    assert machine["tariff"].standing is Standing.POSSIBLE
    assert "22:00" in machine["tariff"].text


def test_a_cold_store_cycles_and_minds_the_warmth() -> None:
    """A load that varies from hour to hour is not told from compressors; one that is constant is."""
    cycling = 3000 * (1 + 0.4 * np.random.default_rng(4).standard_normal(HOUR.size))
    assert ask(building() + cycling, load_of(3000))["cold_store"].standing is Standing.POSSIBLE
    warm = HourlySeries(start_s=START_S, step_s=3600, values=COLD + 14)
    found = counter_hypotheses(
        (building() + 6000).astype(np.float32), START_S, Surroundings(clock=UTC, temperature_c=warm), load_of(6000)
    )
    assert {one.name: one.standing for one in found}["cold_store"] is Standing.EXCLUDED


def test_pv_makes_the_night_stand_out() -> None:
    """A dip at noon below the night, or feed-in, may make a lawful night look like an added load."""
    sun = 14_000 * np.clip(np.sin((HOUR % 24 - 6) / 12 * np.pi), 0, None)
    assert ask(building() - sun, load_of(5000))["pv"].standing is Standing.POSSIBLE
    assert ask(building(), load_of(5000))["pv"].standing is Standing.EXCLUDED


def test_the_calendar_explains_what_rests_on_weekends() -> None:
    """A load of working days keeps their calendar; one of all days does not."""
    start_weekday = (START_S // 86_400 + 3) % 7
    week = ((HOUR // 24 + start_weekday) % 7) < 5
    flat = 10_000 + np.random.default_rng(5).normal(0, 100, HOUR.size)
    assert ask(flat + 6000 * week, load_of(6000))["operating_calendar"].standing is Standing.POSSIBLE
    assert ask(flat + 6000, load_of(6000))["operating_calendar"].standing is Standing.EXCLUDED


@pytest.mark.parametrize(
    "power",
    [np.zeros(0), np.full(24 * DAYS, np.nan), np.full(24 * 3, 5.0)],
    ids=["empty", "missing", "short"],
)
def test_too_little_is_untested(power: np.ndarray) -> None:
    """No test answers without its data, and none fails."""
    found = ask(power, load_of(3000, Mode.NIGHT_ONLY, (0, 1, 2, 3)))
    assert found["electric_heating"].standing is Standing.UNTESTED
    assert found["ev"].standing is Standing.UNTESTED
    assert found["operating_calendar"].standing is Standing.UNTESTED


def test_a_load_of_nothing_needs_no_explanation() -> None:
    found = ask(building(), load_of(0.0))
    assert all(one.standing is Standing.UNTESTED for one in found.values())


def test_the_estimate_of_a_real_run_is_taken() -> None:
    """What `estimates` says goes in as it is."""
    power = building() + 9000 * (HOUR >= 24 * 50)
    load = estimate(power.astype(np.float32), START_S, Surroundings(clock=UTC))
    assert load is not None
    found = ask(power, load)
    assert found["operating_calendar"].standing is Standing.POSSIBLE
    assert "every year" in found["operating_calendar"].text


# Temperature ----------------------------------------------------------------------------------------------------------


def naive_cost(y: np.ndarray, t: np.ndarray, weekday: np.ndarray, heating: float, cooling: float) -> float:
    """What is left of a five-parameter model with weekdays, by normal equations."""
    rows = np.array(
        [
            [max(heating - v, 0.0), max(v - cooling, 0.0), *(1.0 if d == k else 0.0 for k in range(7))]
            for v, d in zip(t, weekday, strict=True)
        ]
    )
    beta = np.linalg.pinv(rows) @ y
    return float(np.sum((y - rows @ beta) ** 2))


def test_the_change_points_are_the_best_of_all() -> None:
    """No other pair of change points leaves less, by a plain twin; slopes are what was put in."""
    rng = np.random.default_rng(6)
    days = 200
    t = rng.uniform(0, 30, days)
    weekday = np.arange(days) % 7
    y = 5000 + 300 * np.clip(14 - t, 0, None) + 150 * np.clip(t - 20, 0, None) + rng.normal(0, 50, days)
    parameters = CounterHypothesisParameters()
    found = temperature_response(y, t, weekday, parameters)
    assert found is not None
    assert (found.heating_from_c, found.cooling_from_c) == (14, 20)
    assert found.heating_w_per_k == pytest.approx(300, rel=0.03)
    assert found.cooling_w_per_k == pytest.approx(150, rel=0.06)
    costs = {
        (h, c): naive_cost(y, t, weekday, h, c) for h in parameters.heating_c for c in parameters.cooling_c if c >= h
    }
    assert min(costs, key=costs.__getitem__) == (14, 20)


def test_the_error_of_a_slope_is_honest() -> None:
    """Without any slope the bound of two standard errors holds nine times of ten, though days follow each other."""
    held = 0
    for k in range(60):
        rng = np.random.default_rng(k)
        noise = np.zeros(120)
        for d in range(1, 120):
            noise[d] = 0.6 * noise[d - 1] + rng.normal(0, 300)
        t = 10 + 8 * np.sin(np.arange(120) / 20) + rng.normal(0, 2, 120)
        found = temperature_response(5000 + noise, t, np.arange(120) % 7, CounterHypothesisParameters())
        assert found is not None
        held += abs(found.heating_w) <= 2.5 * found.heating_error_w
    assert held >= 48


def test_no_figure_of_nothing_has_a_sign() -> None:
    """What lies above is not said to lie a negative amount below, and nothing is -0.00 kW."""
    weekend = np.where((HOUR // 24 + (START_S // 86_400 + 3)) % 7 >= 5, 400.0, 0.0)
    above = ask(building() + 6000 + weekend, load_of(6000))
    assert "kW above working days: " in above["operating_calendar"].text
    falling = ask(building() + 6000 - 30 * np.clip(COLD - 5, 0, None), load_of(6000))
    assert "It does not rise with warmth (at most " in falling["cold_store"].text
    for found in (above, falling):
        assert not [one.text for one in found.values() if " -0" in one.text]


def test_quantiles_of_rows_are_those_of_numpy() -> None:
    """Faster, and the same, with readings missing anywhere."""
    rng = np.random.default_rng(1)
    table = rng.normal(size=(200, 24))
    table[rng.random(table.shape) < 0.4] = np.nan
    table[:, 5] = 1.0
    np.testing.assert_allclose(_row_quantile(table, 0.2), np.nanquantile(table, 0.2, axis=1))
