"""Premises that are not homes: a base that never rests, a working day, weather, and noise that grows with the level.

`TRADES` says in figures what each trade is. Lawful loads that look like mining are among them on purpose: a server
room, a mast, a cold store, a bakery, street lights, pumps that fill a reservoir at night, a depot of electric vans.
The ranges were set by eye and then against the 85 university buildings of Cambridge (docs/simulate-meters.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from headframe.simulate.meters.homes import Loads, pv
from headframe.simulate.meters.noise import (
    Floats,
    autoregressive,
    blocks,
    cycling,
    log_uniform,
    smooth_between,
    uniform,
)
from headframe.simulate.meters.setting import Setting

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """What a kind of premises looks like; each pair is a range to draw from.

    Attributes
    ----------
    what : str
    tariff_class : str
    site_kind : str
        Of `headframe.records.site.SiteKind`.
    weight : float
        How common it is among premises that are not homes.
    mean_kw : (float, float)
        Mean power, drawn log-uniformly. [kW]
    base : (float, float)
        Share of the power by day that never rests.
    opens, closes : (float, float)
        Working day, local time. [h]
    weekend, holiday : (float, float)
        Activity on such days, 1 is a working day.
    heating, cooling : (float, float)
        Increase per degree below 14 or above 18 degrees C, as share of the mean. [1/K]
    noise : (float, float)
        Standard deviation of a quarter hour, as share of the level, of premises of 10 kW.
    day_noise : (float, float)
        Standard deviation of the activity from day to day, as share.
    cycles : (float, float)
        Part of the base that switches on and off.
    shape : str
        ``open``: a working day between `opens` and `closes`; ``shifts``: the same with breaks and changes;
        ``dark``: while the sun is down; ``night``: blocks in the night tariff; ``school``: off in school holidays too.
    """

    what: str
    tariff_class: str = "commercial-lv"
    site_kind: str = "enterprise"
    weight: float
    mean_kw: Range
    base: Range
    opens: Range = (7.0, 9.0)
    closes: Range = (17.0, 19.0)
    weekend: Range = (0.02, 0.25)
    holiday: Range = (0.0, 0.15)
    heating: Range = (0.0, 0.012)
    cooling: Range = (0.0, 0.015)
    noise: Range = (0.012, 0.04)
    day_noise: Range = (0.05, 0.28)
    cycles: Range = (0.02, 0.1)
    shape: Literal["open", "shifts", "dark", "night", "school"] = "open"


TRADES = {
    trade.what: trade
    for trade in (
        Trade(what="shop", weight=18, mean_kw=(1.5, 25), base=(0.25, 0.55), opens=(8, 10), closes=(17.5, 21),
              weekend=(0.5, 0.95), holiday=(0.0, 0.8), noise=(0.03, 0.07)),
        Trade(what="office", weight=18, mean_kw=(3, 120), base=(0.4, 0.7), noise=(0.015, 0.04)),
        Trade(what="laboratory", weight=7, site_kind="campus", mean_kw=(15, 300), base=(0.6, 0.85), opens=(6.5, 9),
              closes=(17.5, 20), weekend=(0.1, 0.4), holiday=(0.05, 0.3), noise=(0.01, 0.03)),
        Trade(what="school", weight=7, site_kind="public_institution", mean_kw=(8, 80), base=(0.25, 0.55),
              opens=(6.5, 8), closes=(15.5, 18.5), weekend=(0.02, 0.15), shape="school"),
        Trade(what="restaurant", weight=8, mean_kw=(4, 30), base=(0.3, 0.5), opens=(9.5, 12), closes=(21.5, 23.5),
              weekend=(0.8, 1.15), holiday=(0.2, 1.0), noise=(0.04, 0.08), day_noise=(0.08, 0.18)),
        Trade(what="hotel or care home", weight=5, mean_kw=(10, 120), base=(0.5, 0.7), opens=(5, 6.5),
              closes=(22, 23.8), weekend=(0.9, 1.05), holiday=(0.8, 1.05), heating=(0.0, 0.01), noise=(0.02, 0.05)),
        Trade(what="supermarket", weight=5, mean_kw=(40, 220), base=(0.55, 0.75), opens=(5.5, 7.5), closes=(20, 23),
              weekend=(0.75, 1.0), holiday=(0.2, 0.9), cooling=(0.005, 0.02), noise=(0.015, 0.03), cycles=(0.05, 0.12)),
        Trade(what="cold store", weight=4, mean_kw=(15, 160), base=(0.8, 0.93), opens=(5, 7), closes=(15, 19),
              weekend=(0.1, 0.6), cooling=(0.01, 0.03), noise=(0.03, 0.06), cycles=(0.12, 0.35)),
        Trade(what="bakery", weight=3, mean_kw=(5, 40), base=(0.2, 0.4), opens=(0.5, 3), closes=(8, 12),
              weekend=(0.4, 1.0), holiday=(0.0, 0.6), noise=(0.03, 0.06)),
        Trade(what="workshop", tariff_class="industrial", weight=7, mean_kw=(8, 80), base=(0.1, 0.3), opens=(6, 7.5),
              closes=(14.5, 17.5), weekend=(0.0, 0.2), noise=(0.06, 0.14), shape="shifts"),
        Trade(what="factory, two shifts", tariff_class="industrial", weight=4, mean_kw=(40, 500), base=(0.15, 0.35),
              opens=(5, 6.5), closes=(21.5, 23), weekend=(0.0, 0.5), noise=(0.05, 0.12), shape="shifts"),
        Trade(what="factory, three shifts", tariff_class="industrial", weight=2, mean_kw=(100, 700), base=(0.55, 0.8),
              opens=(5, 6.5), closes=(21.5, 23), weekend=(0.2, 0.95), noise=(0.05, 0.1), shape="shifts"),
        Trade(what="server room", weight=2.5, site_kind="data_centre", mean_kw=(3, 80), base=(0.95, 0.99),
              cooling=(0.002, 0.012), noise=(0.004, 0.012), day_noise=(0.005, 0.02), cycles=(0.005, 0.03)),
        Trade(what="mobile mast", weight=4, site_kind="telecom_or_internet_company", mean_kw=(1.2, 4.5),
              base=(0.8, 0.93), opens=(6, 9), closes=(21, 23.5), weekend=(0.9, 1.0), holiday=(0.9, 1.0),
              cooling=(0.005, 0.02), noise=(0.01, 0.025), day_noise=(0.01, 0.03), cycles=(0.01, 0.05)),
        Trade(what="street lights", tariff_class="public-lighting", site_kind="public_institution", weight=3,
              mean_kw=(1, 12), base=(0.002, 0.01), noise=(0.003, 0.01), day_noise=(0.001, 0.005), cycles=(0, 0),
              heating=(0, 0), cooling=(0, 0), shape="dark"),
        Trade(what="water pumps", tariff_class="industrial", site_kind="public_institution", weight=1.5,
              mean_kw=(6, 60), base=(0.05, 0.2), noise=(0.01, 0.03), day_noise=(0.08, 0.2), cycles=(0.0, 0.2),
              shape="night"),
        Trade(what="depot of electric vans", weight=1.5, mean_kw=(8, 80), base=(0.05, 0.15), weekend=(0.1, 0.5),
              holiday=(0.05, 0.4), noise=(0.03, 0.08), day_noise=(0.1, 0.25), shape="night"),
    )
}  # fmt: skip


def trade_loads(rng: np.random.Generator, trade: Trade, k: int, setting: Setting) -> Loads:
    """Draw `k` premises of one trade.

    Parameters
    ----------
    rng : numpy.random.Generator
    trade : Trade
    k : int
        1 or more.
    setting : Setting

    Returns
    -------
    Loads
    """
    calendar = setting.calendar
    t, day, days = calendar.hour.size, calendar.day, calendar.days
    mean_w = log_uniform(rng, k, *trade.mean_kw) * 1000
    base = uniform(rng, k, *trade.base)
    quiet = calendar.school_out if trade.shape == "school" else calendar.off
    weekend, holiday = uniform(rng, k, *trade.weekend), uniform(rng, k, *trade.holiday)
    second = np.where(calendar.weekday == calendar.place.weekend[-1], np.float32(0.75), np.float32(1.0))
    activity = np.where(quiet, weekend * second, np.float32(1))
    activity = np.where(calendar.holiday, holiday, activity)
    day_noise = uniform(rng, k, *trade.day_noise)
    wander = autoregressive(rng, (k, days), 1.5, step_h=1.0) + autoregressive(rng, (k, days), 30.0, step_h=1.0)
    activity = activity * np.exp(day_noise * np.float32(0.75) * wander)
    working = activity[:, day] * _shape(rng, trade, k, setting)

    season = np.float32(1) + (
        uniform(rng, k, *trade.heating) * np.clip(14 - setting.slow_temperature_c, 0, None)
        + uniform(rng, k, *trade.cooling) * np.clip(setting.temperature_c - 18, 0, None)
    )
    # The base wanders too, over weeks and from day to day: things are left on, filters clog, tenants come and go.
    restless = np.float32(0.35) * uniform(rng, k, *trade.day_noise)
    drift = np.exp(
        uniform(rng, k, 0.2, 1.2) * trade.day_noise[1] * autoregressive(rng, (k, days), 45.0, step_h=1.0)
        + restless * autoregressive(rng, (k, days), 1.5, step_h=1.0)
    )[:, day]
    resting = base * season * drift
    # Large premises have many things that switch, and they switch at different times.
    size = (mean_w / 15_000) ** np.float32(-0.35)
    cycles = np.minimum(uniform(rng, k, *trade.cycles) * size, 0.45)
    if trade.cycles[1] > 0:
        switching = cycling(rng, t, uniform(rng, k, 0.3, 0.7), log_uniform(rng, k, 0.5, 6.0)) - np.float32(0.5)
        resting = resting * (1 + 2 * cycles * switching)
    level = resting + (1 - base) * working * season
    # Dispersion grows with the level, and less than in proportion from small premises to large ones: the night noise
    # of the Cambridge buildings, as share of their level, goes with the level to the power -0.35.
    noise = uniform(rng, k, *trade.noise) * (mean_w / 10_000) ** np.float32(-0.35)
    fast = np.float32(0.75) * autoregressive(rng, (k, t), 0.8) + np.float32(0.66) * autoregressive(rng, (k, t), 5.0)
    # By day people add to it what machines alone do not have.
    level = level * np.exp(noise * (np.float32(0.75) + np.float32(0.5) * np.clip(working, 0, 1)) * fast)
    level *= mean_w / level.mean(axis=1, keepdims=True)
    feed = np.zeros((k, t), np.float32)
    has_pv = (rng.random(k) < (0.12 if trade.shape in ("open", "school", "shifts") else 0.0)).tolist()
    own = np.flatnonzero(has_pv)
    feed[own] = pv(rng, own.size, setting, mean_w[own] * uniform(rng, own.size, 0.4, 2.0))
    what = [f"{trade.what}, PV" if generates else trade.what for generates in has_pv]
    return Loads(load_w=level, feed_w=feed, tariff_class=[trade.tariff_class] * k, what=what, pv=has_pv)


def hydro_plant(rng: np.random.Generator, k: int, setting: Setting) -> Loads:
    """Small run-of-river plants: what the river gives, up to what the turbine takes; a station service of a few kW."""
    t = setting.calendar.hour.size
    rated_flow = uniform(rng, k, 3.5, 6.0)
    head_m = log_uniform(rng, k, 4, 12)
    flow = np.clip(setting.water_flow_m3_s * uniform(rng, k, 0.85, 1.05) - np.float32(0.5), 0, rated_flow)
    own = np.exp(np.float32(0.01) * autoregressive(rng, (k, t), 3.0))
    # P = efficiency * density * g * flow * head.
    feed = np.float32(0.82 * 1000 * 9.81) * flow * head_m * own
    service = log_uniform(rng, k, 800, 3000) * np.exp(np.float32(0.05) * autoregressive(rng, (k, t), 2.0))
    return Loads(
        load_w=np.asarray(service, np.float32),
        feed_w=np.asarray(feed, np.float32),
        tariff_class=["generation"] * k,
        what=["hydro plant"] * k,
        pv=[False] * k,
    )


def _shape(rng: np.random.Generator, trade: Trade, k: int, setting: Setting) -> Floats:
    """What share of the full working load runs when, on a working day. float32[k, t]"""
    calendar = setting.calendar
    hour, day, t, days = calendar.hour, calendar.day, calendar.hour.size, calendar.days
    if trade.shape == "dark":
        return np.repeat(np.clip((np.float32(-1.5) - setting.elevation_deg) / 2, 0, 1)[None, :], k, axis=0)
    if trade.shape == "night":
        begin = uniform(rng, k, 20.5, 24) + np.float32(0.3) * rng.standard_normal((k, days), np.float32)
        length = uniform(rng, k, 4, 8) * np.exp(np.float32(0.15) * rng.standard_normal((k, days), np.float32))
        return blocks(hour, day, np.clip(begin, 0, 24), np.clip(length, 0, 12))
    jitter = np.float32(0.2) * rng.standard_normal((2, k, days), np.float32)
    opens, closes = uniform(rng, k, *trade.opens), uniform(rng, k, *trade.closes)
    ramp = uniform(rng, k, 0.5, 3.0) if trade.shape != "shifts" else uniform(rng, k, 0.3, 0.8)
    shape = smooth_between(hour, (opens + jitter[0])[:, day], (closes + jitter[1])[:, day], ramp)
    if trade.shape == "shifts":
        pause = smooth_between(hour, opens + 4.2, opens + 4.9, np.full((k, 1), 0.3, np.float32))
        machines = np.clip(1 + np.float32(0.25) * autoregressive(rng, (k, t), 2.0), 0.2, 1.6)
        return np.asarray(shape * (1 - uniform(rng, k, 0.3, 0.7) * pause) * machines, np.float32)
    noon = np.exp(-(((hour - (opens + closes) / 2) / 4.5) ** 2))
    return np.asarray(shape * (np.float32(0.75) + np.float32(0.25) * noon), np.float32)
