"""What follows from an estimated load: cost by tariff, carbon dioxide, machines, hash rate; each with where it is from.

Nothing here is a measurement. Each result is a product of an estimate with a figure from outside, and says which: a
sum stands as lines of energy times rate, a number of machines as an interval over known models, a hash rate as one over
their efficiency. A reader must be able to redo every line with a pocket calculator.

References
----------
.. [1] Bitmain, Antminer S9 (13.5 TH/s, 1,323 W) and S21 Pro (234 TH/s, 3,510 W); MicroBT, Whatsminer M66 (276 TH/s,
   5,492 W): nameplates, tolerance 5 % and more.
.. [2] Cambridge Centre for Alternative Finance, "Cambridge Digital Mining Industry Report", April 2025: machines in use
   in mid-2024 need 28.2 J/TH on average (49 firms, 48 % of Bitcoin's hash rate).
.. [3] Our World in Data, "Carbon intensity of electricity generation", from Ember and the Energy Institute, by way of
   codecarbon 3.3.2 (``global_energy_mix.json``). Mean of generation, not of the margin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headframe.detectors.power.estimates import aligned
from headframe.detectors.power.load_step import local_hours
from headframe.records.finding import Interval
from headframe.records.load_finding import Consequences, LoadEstimate, Mode, SheetLine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headframe.records.reading import HourlySeries, LocalClock

HOUR_S = 3600
RIG_W = 600.0
"""A rig of four consumer cards with its supply: the least that counts as one machine. [W]"""
SMALLEST_ASIC_W = 1323.0
"""Antminer S9, the oldest that is still run in numbers [1]_. [W]"""
LARGEST_ASIC_W = 5492.0
"""Whatsminer M66 [1]_. [W]"""
BEST_J_PER_TH = 15.0
"""Antminer S21 Pro [1]_."""
WORST_J_PER_TH = 98.0
"""Antminer S9 [1]_."""
USUAL_J_PER_TH = 28.2
"""Of machines in use in mid-2024 [2]_."""
TERA = 1e12


@dataclass(frozen=True, slots=True)
class CarbonFactor:
    """Carbon dioxide of a country's electricity: [g/kWh], the year, and where it is from."""

    g_per_kwh: float
    year: int
    source: str


_OWID = "Our World in Data (Ember, Energy Institute), by codecarbon 3.3.2"
CARBON_FACTORS: Mapping[str, CarbonFactor] = {
    "AU": CarbonFactor(549.0, 2023, _OWID),
    "CA": CarbonFactor(170.0, 2023, _OWID),
    "CN": CarbonFactor(582.0, 2023, _OWID),
    "DE": CarbonFactor(381.0, 2023, _OWID),
    "FR": CarbonFactor(56.0, 2023, _OWID),
    "GB": CarbonFactor(238.0, 2023, _OWID),
    "GE": CarbonFactor(168.0, 2023, _OWID),
    "IN": CarbonFactor(713.0, 2023, _OWID),
    "IR": CarbonFactor(655.0, 2023, _OWID),
    "IS": CarbonFactor(28.0, 2022, _OWID),
    "KG": CarbonFactor(147.0, 2022, _OWID),
    "KR": CarbonFactor(430.0, 2023, _OWID),
    "KZ": CarbonFactor(821.0, 2023, _OWID),
    "MY": CarbonFactor(606.0, 2022, _OWID),
    "NO": CarbonFactor(30.0, 2023, _OWID),
    "PY": CarbonFactor(24.0, 2023, _OWID),
    "RU": CarbonFactor(441.0, 2023, _OWID),
    "SE": CarbonFactor(41.0, 2023, _OWID),
    "US": CarbonFactor(369.0, 2023, _OWID),
}
"""By country (ISO 3166-1 alpha-2) [3]_. Countries where mining is an issue and a few for comparison; others are for the
user to give. Uzbekistan is left out: its value there exceeds that of any plant that burns gas, which it mostly does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffRate:
    """One rate of a tariff.

    Attributes
    ----------
    label : str
        As the tariff names it: ``day``, ``night``, ``peak``.
    rate_per_kwh : float
        [currency/kWh]
    currency : str
    source : str
        Which tariff sheet.
    from_hour, until_hour : int
        Local hours of the day, from the first to before the second; equal: all day. May pass midnight.
    weekdays : tuple of int
        0 is Monday.
    valid_from_s, valid_until_s : int or None
        From the first to before the second. [s since 1970-01-01 UTC]
    """

    label: str
    rate_per_kwh: float
    currency: str
    source: str
    from_hour: int = 0
    until_hour: int = 0
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    valid_from_s: int | None = None
    valid_until_s: int | None = None


def consequences(
    estimate: LoadEstimate,
    *,
    start_s: int,
    hours: int,
    clock: LocalClock,
    tariff: Sequence[TariffRate] = (),
    price_per_kwh: HourlySeries | None = None,
    price_currency: str = "",
    price_source: str = "",
    carbon_g_per_kwh: HourlySeries | None = None,
    carbon_source: str = "",
    country: str = "",
    carbon_factors: Mapping[str, CarbonFactor] = CARBON_FACTORS,
) -> Consequences:
    """Say what an estimated load costs and emits, and how many machines it may be.

    Parameters
    ----------
    estimate : LoadEstimate
    start_s, hours : int
        Of the readings that it was made from. [s since 1970-01-01 UTC], [h]
    clock : LocalClock
    tariff : sequence of TariffRate, optional
        The first that holds at an hour counts.
    price_per_kwh : HourlySeries, optional
        An hourly price, used where no rate of a tariff holds. [currency/kWh]
    price_currency, price_source : str, optional
    carbon_g_per_kwh : HourlySeries, optional
        Hourly carbon intensity. [g/kWh]
    carbon_source : str, optional
    country : str, optional
        ISO 3166-1 alpha-2, for the yearly factor of hours that the series does not cover.
    carbon_factors : mapping of str to CarbonFactor, optional

    Returns
    -------
    Consequences
        Lines of the estimated energy; the interval of the sum is that of the energy.
    """
    energy_kwh = energy_by_hour(estimate, start_s, hours, clock, price_per_kwh) / 1000
    cost = _cost(energy_kwh, start_s, clock, tariff, price_per_kwh, price_currency, price_source)
    co2 = _co2(energy_kwh, start_s, carbon_g_per_kwh, carbon_source, country, carbon_factors)
    return Consequences(
        cost=cost, co2=co2, machines=machines(estimate.power_w), hashrate_hs=sha256_hashrate(estimate.power_w)
    )


def energy_by_hour(
    estimate: LoadEstimate, start_s: int, hours: int, clock: LocalClock, price_per_kwh: HourlySeries | None = None
) -> NDArray[np.float64]:
    """Spread an estimated energy over the hours at which the load runs: float64[hours]. [Wh]"""
    running = np.ones(hours)
    local = local_hours(start_s, hours, clock)
    if estimate.hours_of_day:
        on = np.zeros(24)
        on[list(estimate.hours_of_day)] = 1.0
        running = on[local % 24]
        if estimate.mode is Mode.OFF_HOURS:
            running[(local // 24 + 3) % 7 >= 5] = 1.0
    elif estimate.mode is Mode.PRICE_FOLLOWING and price_per_kwh is not None and hours:
        price = aligned(price_per_kwh, start_s, hours)
        if not np.isnan(price).all():
            running = np.where(price > np.nanquantile(price, estimate.duty), 0.0, 1.0)
    if estimate.onset is not None:
        running[: max((estimate.onset.estimate_ns // 1_000_000_000 - start_s) // HOUR_S, 0)] = 0.0
    total = running.sum()
    return running * (estimate.energy_wh.estimate / total) if total > 0 else running


def machines(power_w: Interval) -> tuple[int, int]:
    """Fewest and most machines of known models that draw such a power. Below one small ASIC, rigs of cards count."""
    smallest = SMALLEST_ASIC_W if power_w.estimate >= SMALLEST_ASIC_W else RIG_W
    fewest = max(math.floor(max(power_w.low, 0.0) / LARGEST_ASIC_W), 1)
    return fewest, max(math.ceil(power_w.high / smallest), fewest)


def sha256_hashrate(power_w: Interval) -> Interval | None:
    """SHA-256 hash rate of such a power: least with the oldest machines, most with the newest [1]_; None below 1 W."""
    if power_w.estimate < 1.0:
        return None
    return Interval(
        max(power_w.low, 0.0) / WORST_J_PER_TH * TERA,
        power_w.estimate / USUAL_J_PER_TH * TERA,
        power_w.high / BEST_J_PER_TH * TERA,
    )


def _cost(
    energy_kwh: NDArray[np.float64],
    start_s: int,
    clock: LocalClock,
    tariff: Sequence[TariffRate],
    price_per_kwh: HourlySeries | None,
    price_currency: str,
    price_source: str,
) -> tuple[SheetLine, ...]:
    hours = len(energy_kwh)
    open_ = np.ones(hours, bool)
    start = start_s + HOUR_S * np.arange(hours, dtype=np.int64)
    local = local_hours(start_s, hours, clock)
    hour, weekday = local % 24, (local // 24 + 3) % 7
    lines = []
    for rate in tariff:
        length = (rate.until_hour - rate.from_hour) % 24 or 24
        holds = open_ & ((hour - rate.from_hour) % 24 < length) & np.isin(weekday, rate.weekdays)
        if rate.valid_from_s is not None:
            holds &= start >= rate.valid_from_s
        if rate.valid_until_s is not None:
            holds &= start < rate.valid_until_s
        open_ &= ~holds
        quantity = float(energy_kwh[holds].sum())
        if quantity > 0:
            lines.append(_line(rate.label, quantity, rate.rate_per_kwh, rate.currency, rate.source))
    if price_per_kwh is not None:
        price = aligned(price_per_kwh, start_s, hours)
        holds = open_ & ~np.isnan(price)
        open_ &= ~holds
        quantity = float(energy_kwh[holds].sum())
        if quantity > 0:
            mean = float(np.sum(energy_kwh[holds] * price[holds])) / quantity
            lines.append(_line("hourly price, mean over the load", quantity, mean, price_currency, price_source))
    left = float(energy_kwh[open_].sum())
    if lines and left > 0:
        lines.append(_line("hours for which no rate is known", left, 0.0, lines[0].result_unit, ""))
    return tuple(lines)


def _line(label: str, quantity: float, rate: float, currency: str, source: str) -> SheetLine:
    return SheetLine(
        label=label,
        quantity=quantity,
        unit="kWh",
        rate=rate,
        rate_unit=f"{currency or 'currency'}/kWh",
        source=source,
        result=quantity * rate,
        result_unit=currency or "currency",
    )


def _co2(
    energy_kwh: NDArray[np.float64],
    start_s: int,
    series: HourlySeries | None,
    series_source: str,
    country: str,
    factors: Mapping[str, CarbonFactor],
) -> tuple[SheetLine, ...]:
    lines = []
    open_ = np.ones(len(energy_kwh), bool)

    def add(label: str, quantity: float, rate: float, source: str) -> None:
        lines.append(
            SheetLine(
                label=label,
                quantity=quantity,
                unit="kWh",
                rate=rate,
                rate_unit="g/kWh",
                source=source,
                result=quantity * rate / 1000,
                result_unit="kg",
            )
        )

    if series is not None:
        carbon = aligned(series, start_s, len(energy_kwh))
        holds = ~np.isnan(carbon)
        open_ &= ~holds
        quantity = float(energy_kwh[holds].sum())
        if quantity > 0:
            mean = float(np.sum(energy_kwh[holds] * carbon[holds])) / quantity
            add("hourly carbon intensity, mean over the load", quantity, mean, series_source)
    factor = factors.get(country.upper())
    left = float(energy_kwh[open_].sum())
    if factor is not None and left > 0:
        add(f"electricity of {country.upper()}, {factor.year}", left, factor.g_per_kwh, factor.source)
    return tuple(lines)
