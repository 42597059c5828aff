"""Homes: what runs in premises that people live in. All powers are means of quarter hours.

What a home draws is made of what it has: standby, a refrigerator that cycles, lights after dark, screens, cooking and
washing while somebody is in, and for some electric hot water, storage heaters on a night tariff, a heat pump, air
conditioning, a car, PV. Appliance powers are those of rating plates (kettle 2 to 3 kW, immersion heater 3 kW, wall box
3.7 or 7.4 kW); how often things run was set so that means, night levels and dispersion come near the real homes of the
SGSC trial (docs/simulate-meters.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from headframe.simulate.meters.noise import Floats, autoregressive, blocks, cycling, log_uniform, uniform
from headframe.simulate.meters.setting import Setting

_STEP_H = np.float32(0.25)


@dataclass(slots=True, kw_only=True)
class Loads:
    """What some premises truly draw and feed in, before any machine and any meter.

    Attributes
    ----------
    load_w, feed_w : float32[k, t]
        Drawn by all appliances; generated behind the meter. [W]
    tariff_class : list of str
    what : list of str
        In words, for the truth.
    """

    load_w: Floats
    feed_w: Floats
    tariff_class: list[str]
    what: list[str]
    pv: list[bool] = field(default_factory=list)


def homes(rng: np.random.Generator, k: int, setting: Setting) -> Loads:
    """Draw `k` homes.

    Parameters
    ----------
    rng : numpy.random.Generator
    k : int
        1 or more.
    setting : Setting

    Returns
    -------
    Loads
    """
    calendar = setting.calendar
    hour, t = calendar.hour, calendar.hour.size
    people = rng.choice([1, 2, 3, 4, 5], k, p=[0.3, 0.33, 0.16, 0.15, 0.06])[:, None].astype(np.float32)
    present = _presence(rng, k, setting)
    active = present * np.sqrt(people / 2, dtype=np.float32)

    # Standby; over the weeks things are left on or unplugged.
    wander = uniform(rng, k, 0.0, 0.5) * autoregressive(rng, (k, calendar.days), 12.0, step_h=1.0)
    load = log_uniform(rng, k, 10, 90) * np.exp(wander)[:, calendar.day]
    load += log_uniform(rng, k, 60, 150) * cycling(rng, t, uniform(rng, k, 0.2, 0.45), uniform(rng, k, 0.7, 1.8))
    second = np.flatnonzero(rng.random(k) < 0.3)  # a freezer
    n = second.size
    load[second] += log_uniform(rng, n, 60, 120) * cycling(rng, t, uniform(rng, n, 0.2, 0.5), uniform(rng, n, 0.7, 1.8))
    dark = np.clip((4 - setting.elevation_deg) / 8, 0, 1)
    load += log_uniform(rng, k, 20, 200) * active * (dark + np.float32(0.1))
    screens = np.exp(np.float32(0.8) * autoregressive(rng, (k, t), 1.5) - np.float32(0.32))
    load += log_uniform(rng, k, 20, 190) * active * screens
    load += _events(rng, k, hour, active)

    what = ["home"] * k
    tariff = ["household"] * k

    def some(share: float, name: str, needs_night: bool = False) -> NDArray[np.int64]:
        chosen = np.flatnonzero(rng.random(k) < share)
        for one in chosen:
            what[one] += f", {name}"
            if needs_night:
                tariff[one] = "household-night"
        return chosen

    cold = float(np.mean(setting.temperature_c < 12)) + 0.2
    for share, name, needs_night, appliance in (
        (0.18, "electric hot water", False, partial(_hot_water, night=False)),
        (0.08, "night hot water", True, partial(_hot_water, night=True)),
        (0.09 * cold, "storage heaters", True, _storage_heaters),
        (0.1 * cold, "heat pump", False, _heat_pump),
        (0.06 * cold, "electric heaters", False, _heaters),
        (calendar.place.cooling, "air conditioning", False, _air_conditioning),
        (0.07, "electric car", True, _car),
    ):
        own = some(share, name, needs_night)
        if own.size:
            load[own] += appliance(rng, own.size, setting, present[own])
    feed = np.zeros((k, t), np.float32)
    own = some(0.12, "PV")
    feed[own] = pv(rng, own.size, setting, log_uniform(rng, own.size, 2000, 8000))
    has_pv = np.zeros(k, bool)
    has_pv[own] = True
    return Loads(load_w=load, feed_w=feed, tariff_class=tariff, what=what, pv=has_pv.tolist())


def pv(rng: np.random.Generator, k: int, setting: Setting, rated_w: Floats) -> Floats:
    """Feed of `k` PV systems of `rated_w` (float32[k, 1]) under the district's sky and each its own clouds. [W]"""
    t = setting.calendar.hour.size
    own_sky = np.clip(1 + np.float32(0.12) * autoregressive(rng, (k, t), 0.7), 0.3, 1.15)
    # 1000 W/m2 is the standard test condition; 0.82 is a usual performance ratio (IEC 61724-1).
    return np.asarray(rated_w * np.float32(0.82 / 1000) * setting.irradiance_w_m2 * own_sky, np.float32)


def _presence(rng: np.random.Generator, k: int, setting: Setting) -> Floats:
    """How much goes on: 0 nobody is in or all sleep, 1 all are up. float32[k, t]"""
    calendar = setting.calendar
    hour, day, days = calendar.hour, calendar.day, calendar.days
    late = calendar.off[None, :].astype(np.float32)
    jitter = rng.standard_normal((2, k, days), np.float32) * np.float32(0.9)
    wake = uniform(rng, k, 5.5, 8.5) + jitter[0] + late * uniform(rng, k, 0, 1.8)
    sleep = uniform(rng, k, 21.5, 25.5) + jitter[1] + late * np.float32(0.4)
    # Up: from the day's waking; also before the end of the evening before.
    up = (hour >= wake[:, day]) & (hour < sleep[:, day])
    up |= hour < np.roll(sleep, 1, axis=1)[:, day] - 24
    works = rng.random((k, days), np.float32) < uniform(rng, k, 0, 1) ** np.float32(0.6)
    works &= ~calendar.off
    leaves, returns = uniform(rng, k, 7, 9.5) + jitter[1], uniform(rng, k, 14.5, 19) + jitter[0]
    at_work = works[:, day] & (hour >= leaves[:, day]) & (hour < returns[:, day])
    stays = uniform(rng, k, 0.05, 0.7)  # of those who are in on a working day
    away = np.zeros((k, days), bool)
    for one, trips in enumerate(rng.poisson(days / 110, k)):
        for begin in rng.integers(0, days, trips):
            away[one, begin : begin + int(rng.integers(2, 15))] = True
    level = np.where(at_work, stays, np.float32(1)) * up
    level += uniform(rng, k, 0.0, 0.6) ** np.float32(1.3)  # somebody is up at night
    level *= ~away[:, day]
    mood = np.exp(np.float32(0.45) * rng.standard_normal((k, days), np.float32))
    return np.asarray(level * mood[:, day], np.float32)


def _events(rng: np.random.Generator, k: int, hour: Floats, active: Floats) -> Floats:
    """Kettle, cooking, washing: things of some kW for some quarters of an hour."""
    meals = (
        np.float32(0.25)
        + np.exp(-(((hour - 7.5) / 1.2) ** 2))
        + np.float32(0.7) * np.exp(-(((hour - 12.8) / 1.2) ** 2))
        + np.float32(1.6) * np.exp(-(((hour - 18.8) / 1.6) ** 2))
    )
    load = np.zeros(active.shape, np.float32)
    for per_day, low, high, quarters, profile in (
        ((2, 7), 250, 900, 1, meals),  # kettle, toaster: minutes of 2 to 3 kW
        ((0.2, 1.4), 900, 3000, 3, meals),  # oven and hob
        ((0.1, 0.9), 400, 2200, 4, np.ones_like(hour)),  # washing, dishes, dryer
    ):
        weight = active * profile
        chance = uniform(rng, k, *per_day) * weight / (96 * float(profile.mean() * 0.45))
        starts = rng.random(active.shape, np.float32) < chance
        where = np.flatnonzero(starts)
        power = np.exp(rng.uniform(np.log(low), np.log(high), where.size)).astype(np.float32)
        flat = load.reshape(-1)
        for later in range(quarters):
            # The last premises' last quarter has no next; a run over the end of one series is cut, not moved.
            inside = where % hour.size + later < hour.size
            np.add.at(flat, where[inside] + later, power[inside] * np.float32(rng.uniform(0.6, 1.0)))
    return load


def _hot_water(rng: np.random.Generator, k: int, setting: Setting, present: Floats, *, night: bool) -> Floats:
    """An electric tank: reheated after use, or at night only."""
    calendar = setting.calendar
    power = uniform(rng, k, 1500, 3600)
    # kWh a day, less when nobody is in.
    in_day = np.zeros((k, calendar.days), np.float32)
    for one in range(k):
        in_day[one] = np.bincount(calendar.day, present[one], calendar.days) > 4
    energy_h = (
        uniform(rng, k, 2.5, 8)
        * 1000
        * in_day
        / power
        * np.exp(0.25 * rng.standard_normal((k, calendar.days), np.float32))
    )
    jitter = rng.standard_normal((k, calendar.days), np.float32) * np.float32(0.3)
    if night:
        begin = uniform(rng, k, 0.5, 3.0) + 0 * jitter
        return power * blocks(calendar.hour, calendar.day, begin, np.clip(energy_h, 0, 7))
    morning = blocks(calendar.hour, calendar.day, uniform(rng, k, 6, 8) + jitter, np.clip(0.5 * energy_h, 0, 4))
    evening = blocks(calendar.hour, calendar.day, uniform(rng, k, 18, 21) + jitter, np.clip(0.5 * energy_h, 0, 4))
    return np.asarray(power * (morning + evening), np.float32)


def _day_mean(setting: Setting) -> Floats:
    calendar = setting.calendar
    total = np.bincount(calendar.day, setting.slow_temperature_c, calendar.days)
    return np.asarray(total / np.bincount(calendar.day, minlength=calendar.days), np.float32)


def _storage_heaters(rng: np.random.Generator, k: int, setting: Setting, _: Floats) -> Floats:
    """Charged at the night rate, longer the colder it is."""
    calendar = setting.calendar
    need = np.clip(16 - _day_mean(setting), 0, None) * uniform(rng, k, 0.25, 0.6)  # hours at full power
    begin = np.repeat(uniform(rng, k, 0.5, 1.0), calendar.days, axis=1)
    return np.asarray(
        uniform(rng, k, 3000, 8000) * blocks(calendar.hour, calendar.day, begin, np.clip(need, 0, 6.8)), np.float32
    )


def _heat_pump(rng: np.random.Generator, k: int, setting: Setting, _: Floats) -> Floats:
    """Heat demand over a coefficient of performance that falls with the outdoor temperature; cycles at part load."""
    t = setting.calendar.hour.size
    demand = np.clip(uniform(rng, k, 14, 17) - setting.slow_temperature_c, 0, None) * uniform(rng, k, 120, 330)
    performance = np.clip(np.float32(3.4) + np.float32(0.07) * (setting.temperature_c - 7), 1.6, 5)
    night = smooth_night(setting.calendar.hour, uniform(rng, k, 0.65, 1.0))
    need = demand / performance * night
    largest = np.maximum(need.max(axis=1, keepdims=True), 1)
    return np.asarray(largest * cycling(rng, t, need / largest, uniform(rng, k, 0.7, 2.0)), np.float32)


def smooth_night(hour: Floats, level: Floats) -> Floats:
    """1 by day, `level` (float32[k, 1]) between 23:00 and 05:00."""
    night = ((hour >= 23) | (hour < 5)).astype(np.float32)
    return np.asarray(1 - (1 - level) * night, np.float32)


def _heaters(rng: np.random.Generator, k: int, setting: Setting, present: Floats) -> Floats:
    t = setting.calendar.hour.size
    need = np.asarray(np.clip((uniform(rng, k, 13, 16) - setting.slow_temperature_c) / 16, 0, 1), np.float32)
    on = cycling(rng, t, need, uniform(rng, k, 0.8, 2.5))
    return np.asarray(uniform(rng, k, 1500, 5000) * on * np.clip(present + np.float32(0.35), 0, 1), np.float32)


def _air_conditioning(rng: np.random.Generator, k: int, setting: Setting, present: Floats) -> Floats:
    t = setting.calendar.hour.size
    need = np.asarray(np.clip((setting.temperature_c - uniform(rng, k, 23, 27)) / 14, 0, 1), np.float32)
    on = cycling(rng, t, need, uniform(rng, k, 0.4, 1.2))
    return np.asarray(uniform(rng, k, 1200, 4000) * on * np.clip(present + np.float32(0.2), 0, 1), np.float32)


def _car(rng: np.random.Generator, k: int, setting: Setting, _: Floats) -> Floats:
    """Charged on some days, in the evening or by a timer at the night rate."""
    calendar = setting.calendar
    timer = rng.random((k, 1)) < 0.6
    begin = np.where(timer, 0.5, uniform(rng, k, 17.5, 20)) + np.where(timer, 0.02, 0.7) * rng.standard_normal(
        (k, calendar.days)
    )
    power = rng.choice([3700.0, 7400.0], (k, 1)).astype(np.float32)
    charges = rng.random((k, calendar.days)) < uniform(rng, k, 0.2, 0.8)
    energy = rng.gamma(2.5, 4500.0, (k, calendar.days)) * charges
    length = np.clip(energy / power, 0, 9)
    return np.asarray(
        power * blocks(calendar.hour, calendar.day, begin.astype(np.float32), length.astype(np.float32)), np.float32
    )
