"""What all premises of a district share: weather, light, water, prices, on one calendar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headframe.simulate.meters.noise import autoregressive, lagged
from headframe.simulate.meters.places import FINE_S, Calendar

NIGHT_TARIFF = (0.5, 7.5)
"""Hours of the cheap night rate, local time. [h]"""
EVENING_PEAK = (16.0, 19.0)
"""Hours of the dear rate. [h]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The district's surroundings; all arrays are float32[t] on the quarter hours of `calendar`.

    Attributes
    ----------
    calendar : Calendar
    temperature_c, slow_temperature_c : float32[t]
        Outdoors; and as a building feels it, a day and a half behind. [degrees C]
    irradiance_w_m2 : float32[t]
        On the horizontal. [W/m2]
    elevation_deg : float32[t]
        Of the sun. [degrees]
    water_flow_m3_s : float32[t]
        Of the river that feeds the hydro plants. [m3/s]
    price_per_kwh : float32[t]
        Day-ahead price, constant within each hour, with tax and grid. [currency/kWh]
    """

    calendar: Calendar
    temperature_c: NDArray[np.float32]
    slow_temperature_c: NDArray[np.float32]
    irradiance_w_m2: NDArray[np.float32]
    elevation_deg: NDArray[np.float32]
    water_flow_m3_s: NDArray[np.float32]
    price_per_kwh: NDArray[np.float32]


def setting_of(calendar: Calendar, rng: np.random.Generator) -> Setting:
    """Draw weather, water and prices for a calendar.

    Parameters
    ----------
    calendar : Calendar
    rng : numpy.random.Generator

    Returns
    -------
    Setting

    Notes
    -----
    Temperature is a season, a day that clouds flatten, and weather: two first-order autoregressive processes of three
    days and of five hours. Cloud cover is a third one, bounded. Irradiance is a clear sky of 910 W/m2 times the sine
    of the elevation, less 30 W/m2, dimmed by 1 - 0.75 cloud^3.4 [1]_. Water is rain, a Poisson process, through a
    reservoir of nine days, on a seasonal base. The price has two daily peaks, a weekend, dear cold days and cheap windy
    ones, and rare spikes; its form follows what day-ahead markets show, its figures are no market's.

    References
    ----------
    .. [1] Kasten and Czeplak, "Solar and terrestrial radiation dependent on the amount and type of cloud", Solar
       Energy 24, 1980, Eqs. 3 and 5. doi:10.1016/0038-092X(80)90391-6.
    """
    place, day, hour = calendar.place, calendar.day, calendar.hour.astype(np.float64)
    size = hour.size
    south = place.latitude < 0
    year = 2 * np.pi * (calendar.year_day[day] + hour / 24) / 365.25
    summer = -np.cos(year - 2 * np.pi * 20 / 365.25)  # warmest and coldest some 20 to 30 days behind the solstice
    if south:
        summer = -summer
    elevation = _elevation_deg(calendar)
    cloud = np.clip(place.cloud + 0.32 * autoregressive(rng, (size,), 30.0), 0.0, 1.0)
    bright = 1.0 - 0.6 * cloud
    temperature = (
        place.mean_c
        + place.season_c * summer
        + place.day_c * (0.75 + 0.25 * summer) * bright * np.cos(2 * np.pi * (hour - 15.0) / 24)
        + place.weather_c * autoregressive(rng, (size,), 72.0)
        + 0.5 * autoregressive(rng, (size,), 5.0)
    )
    clear = np.clip(910.0 * np.sin(np.radians(np.clip(elevation, 0, None))) - 30.0, 0.0, None)
    return Setting(
        calendar=calendar,
        temperature_c=temperature.astype(np.float32),
        slow_temperature_c=_behind(temperature, 36.0).astype(np.float32),
        irradiance_w_m2=(clear * (1.0 - 0.75 * cloud**3.4)).astype(np.float32),
        elevation_deg=elevation.astype(np.float32),
        water_flow_m3_s=_water_flow(summer, rng).astype(np.float32),
        price_per_kwh=_price(calendar, temperature, elevation, rng),
    )


def tariff_price(calendar: Calendar) -> NDArray[np.float32]:
    """Time-of-use rate: night, day and evening peak. [currency/kWh]"""
    hour = calendar.hour
    rate = np.full(hour.size, 0.27, np.float32)
    rate[(hour >= NIGHT_TARIFF[0]) & (hour < NIGHT_TARIFF[1])] = 0.13
    peak = (hour >= EVENING_PEAK[0]) & (hour < EVENING_PEAK[1]) & ~calendar.off[calendar.day]
    rate[peak] = 0.38
    return rate


def _elevation_deg(calendar: Calendar) -> NDArray[np.float64]:
    """Elevation of the sun, to a degree or two: the zone's winter time is taken as solar time. [degrees]"""
    winter_s = float(calendar.offset_s.min())
    solar_hour = (calendar.time_s + winter_s) % 86_400 / 3600
    year_day = calendar.year_day[calendar.day]
    declination = np.radians(-23.44 * np.cos(2 * np.pi * (year_day + 10) / 365.25))
    latitude = np.radians(calendar.place.latitude)
    turn = np.radians(15.0 * (solar_hour - 12.0))
    sine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(turn)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1, 1))))


def _behind(values: NDArray[np.float64], lag_h: float) -> NDArray[np.float64]:
    """Values through a first-order lag, as if the first had held for ever. [as given]"""
    keep = float(np.exp(-FINE_S / 3600 / lag_h))
    inputs = ((1 - keep) * (values - values[0])).astype(np.float32)
    return np.asarray(lagged(inputs, keep) + values[0], np.float64)


def _water_flow(summer: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    rain = rng.poisson(FINE_S / 86_400 / 4.0, summer.size) * rng.exponential(1.0, summer.size)
    river = _behind(rain * 86_400 / FINE_S, 9 * 24.0)
    return np.maximum(4.0 - 1.2 * summer + 4.0 * river, 0.8)


def _price(
    calendar: Calendar, temperature: NDArray[np.float64], elevation: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float32]:
    hour = calendar.hour.astype(np.float64)
    peaks = np.exp(-(((hour - 8.5) / 1.8) ** 2)) * 0.05 + np.exp(-(((hour - 18.0) / 2.2) ** 2)) * 0.11
    night = np.exp(-(((hour - 3.5) / 3.0) ** 2)) * -0.05
    cold = 0.0025 * np.clip(16.0 - temperature, 0, None)
    sun = -0.05 * np.clip(np.sin(np.radians(elevation)), 0, None)
    wind = 0.035 * autoregressive(rng, (hour.size,), 30.0)
    spikes = np.exp(np.clip(1.4 * autoregressive(rng, (hour.size,), 4.0) - 2.2, None, 2.0)) * 0.06
    price = 0.19 + peaks + night + cold + sun + wind + spikes - 0.02 * calendar.off[calendar.day]
    # Day-ahead markets settle by the hour; quarter hours begin on the hour, because offsets are whole quarter hours.
    hours = (calendar.time_s - calendar.time_s[0]) // 3600
    mean = np.bincount(hours, price) / np.bincount(hours)
    return np.asarray(np.round(mean, 4)[hours], np.float32)
