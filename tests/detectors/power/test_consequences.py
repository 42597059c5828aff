"""Consequences: every line can be redone by hand, and nothing is a single number that should be an interval."""

import numpy as np
import pytest

from headframe.detectors.power.consequences import (
    CARBON_FACTORS,
    CarbonFactor,
    TariffRate,
    consequences,
    energy_by_hour,
    machines,
    sha256_hashrate,
)
from headframe.records.finding import Interval
from headframe.records.load_finding import LoadEstimate, Mode, Onset
from headframe.records.reading import HourlySeries, LocalClock

START_S = 1_704_067_200  # 2024-01-01, a Monday
CLOCK = LocalClock(
    zone="UTC", from_s=np.zeros(1, np.int64), offset_s=np.zeros(1, np.int32), holidays=np.zeros(0, np.int32)
)
NS = 1_000_000_000


def load(
    mode: Mode = Mode.ALWAYS_ON, energy_wh: float = 1e6, onset_h: int | None = None, hours: tuple[int, ...] = ()
) -> LoadEstimate:
    onset = None
    if onset_h is not None:
        at = (START_S + 3600 * onset_h) * NS
        onset = Onset(at, at, at)
    return LoadEstimate(
        power_w=Interval(8000, 10_000, 12_000),
        onset=onset,
        mode=mode,
        share=0.5,
        duty=len(hours) / 24 if hours else 1.0,
        energy_wh=Interval(0.8 * energy_wh, energy_wh, 1.2 * energy_wh),
        hours_of_day=hours,
    )


def ask(estimate: LoadEstimate, hours: int = 24 * 7, **given: object) -> object:
    return consequences(estimate, start_s=START_S, hours=hours, clock=CLOCK, **given)


DAY_NIGHT = (
    TariffRate(label="night", rate_per_kwh=0.1, currency="EUR", source="sheet 7", from_hour=22, until_hour=6),
    TariffRate(label="day", rate_per_kwh=0.3, currency="EUR", source="sheet 7"),
)


def test_a_tariff_gives_a_line_for_each_period() -> None:
    """A load of all hours: a third at night, the rest by day, each line quantity times rate with its source."""
    lines = ask(load(), tariff=DAY_NIGHT).cost
    assert [(line.label, line.source) for line in lines] == [("night", "sheet 7"), ("day", "sheet 7")]
    assert [line.quantity for line in lines] == pytest.approx([1000 / 3, 2000 / 3])
    for line in lines:
        assert line.result == pytest.approx(line.quantity * line.rate)
        assert (line.unit, line.rate_unit, line.result_unit) == ("kWh", "EUR/kWh", "EUR")


def test_a_night_load_pays_the_night_rate() -> None:
    lines = ask(load(Mode.NIGHT_ONLY, hours=(23, 0, 1, 2, 3)), tariff=DAY_NIGHT).cost
    assert [(line.label, line.quantity) for line in lines] == [("night", pytest.approx(1000))]


def test_weekdays_validity_and_gaps() -> None:
    """A rate holds on its weekdays within its validity; what no rate covers is a line of its own, not a silent zero."""
    rates = (
        TariffRate(
            label="working days",
            rate_per_kwh=0.2,
            currency="GBP",
            source="s",
            weekdays=(0, 1, 2, 3, 4),
            valid_from_s=START_S + 86_400,
            valid_until_s=START_S + 3 * 86_400,
        ),
    )
    lines = ask(load(energy_wh=7e6), tariff=rates).cost
    assert [line.quantity for line in lines] == pytest.approx([2000, 5000])
    assert "no rate" in lines[1].label
    assert sum(line.quantity for line in lines) == pytest.approx(7000)


def test_energy_lies_after_the_onset_and_at_its_hours() -> None:
    """The estimated energy, all of it, and only where the load runs."""
    energy = energy_by_hour(load(Mode.CURTAILED, onset_h=30, hours=tuple(range(20))), START_S, 24 * 7, CLOCK)
    assert energy.sum() == pytest.approx(1e6)
    assert (energy[:30] == 0).all()
    assert (energy.reshape(-1, 24)[:, 20:] == 0).all()
    weekend = energy_by_hour(load(Mode.OFF_HOURS, hours=(0, 1, 2)), START_S, 24 * 7, CLOCK).reshape(-1, 24)
    assert (weekend[5:] > 0).all()
    assert (weekend[:5, 3:] == 0).all()


def test_an_hourly_price_is_weighted_by_the_load() -> None:
    """A load that follows the price pays less than the mean of the price."""
    values = np.tile(np.r_[np.full(18, 0.1), np.full(6, 0.5)], 7).astype(np.float32)
    price = HourlySeries(start_s=START_S, step_s=3600, values=values)
    given = {"price_per_kwh": price, "price_currency": "GBP", "price_source": "day-ahead"}
    following = load(Mode.PRICE_FOLLOWING)
    object.__setattr__(following, "duty", 0.75)
    (line,) = ask(following, **given).cost
    assert line.rate == pytest.approx(0.1)
    assert line.source == "day-ahead"
    (line,) = ask(load(), **given).cost
    assert line.rate == pytest.approx(0.2)


def test_carbon_by_the_hour_and_by_the_year() -> None:
    """The hourly series counts where it has values; the country's factor, with its year and source, for the rest."""
    series = HourlySeries(start_s=START_S, step_s=3600, values=np.full(24, 200, np.float32))
    factors = {"XX": CarbonFactor(500, 2020, "somebody")}
    lines = ask(
        load(energy_wh=7e6), carbon_g_per_kwh=series, carbon_source="grid", country="xx", carbon_factors=factors
    ).co2
    assert [(line.source, line.quantity, line.result) for line in lines] == [
        ("grid", pytest.approx(1000), pytest.approx(200)),
        ("somebody", pytest.approx(6000), pytest.approx(3000)),
    ]
    assert "2020" in lines[1].label
    assert ask(load(), country="nowhere").co2 == ()


def test_each_shipped_factor_has_a_year_and_a_source() -> None:
    for country, factor in CARBON_FACTORS.items():
        assert len(country) == 2
        assert 0 < factor.g_per_kwh < 1000
        assert 2020 <= factor.year <= 2030
        assert factor.source


def test_without_a_tariff_there_is_no_cost() -> None:
    found = ask(load())
    assert found.cost == ()
    assert found.co2 == ()


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (Interval(8000, 10_000, 12_000), (1, 10)),
        (Interval(55_000, 60_000, 66_000), (10, 50)),
        (Interval(400, 600, 800), (1, 2)),
        (Interval(0, 0, 0), (1, 1)),
    ],
)
def test_machines_are_an_interval(power: Interval, expected: tuple[int, int]) -> None:
    """From few large new machines to many small old ones; never fewer than one."""
    assert machines(power) == expected


def test_hash_rate_is_an_interval() -> None:
    """10 kW: 82 TH/s with the oldest machines at the lower end, 800 with the newest at the upper."""
    rate = sha256_hashrate(Interval(8000, 10_000, 12_000))
    assert rate is not None
    assert rate.low == pytest.approx(8000 / 98e-12)
    assert rate.high == pytest.approx(12_000 / 15e-12)
    assert rate.low < rate.estimate < rate.high
    assert sha256_hashrate(Interval(0, 0, 0)) is None
