"""The second injector: other assumptions, the same question. Nothing is designed, fitted or chosen with it.

Where the first one switches whole machines of one model on and off, this one runs a small mine as an operator would
describe it. Machines fail one by one and are repaired on a visit. Fans turn faster and coolers run longer when it is
hot outside. The link or the pool goes away for minutes to hours, more often in the evening, and the machines idle. The
firmware is tuned to another level now and then. Machines arrive by the pallet and are set up over days, some dead on
arrival. A contract lets the utility call for a stop. Some sites mine at weekends only, some beside graphics cards that
change their algorithm. The measured power wanders slowly about its level. The share of the site's load is log-normal,
not log-uniform.

All figures here are operating experience as published by makers and miners, rounded; none was taken from a detector.
"""

from __future__ import annotations

import numpy as np

from bench.power_injection.inject import Injection
from bench.power_injection.meters import HOUR_S, Window

MODES = (
    "steady",
    "pallets",
    "contract",
    "weekend_only",
    "night_tariff",
    "mixed_asic_gpu",
    "retuned",
    "hot_room",
)
HOME_LOADS = (
    ("steady", 600.0),
    ("steady", 900.0),
    ("night_tariff", 600.0),
    ("night_tariff", 900.0),
    ("weekend_only", 900.0),
    ("mixed_asic_gpu", 600.0),
)
"""Modes and fixed powers for homes. [W]"""
MEDIAN_SHARE, SPREAD_OF_SHARE = 0.35, 0.8
"""Of the machines' power over the site's mean power: log-normal, clipped to `SHARE_BOUNDS`."""
SHARE_BOUNDS = (0.06, 3.0)
BEFORE = 0.5
"""Chance that it ran before the window began."""


def inject(
    window: Window,
    mode: str,
    rng: np.random.Generator,
    *,
    total_w: float | None = None,
    price: np.ndarray | None = None,
    outside_c: np.ndarray | None = None,
) -> Injection:
    """A mine for a window; `outside_c` is the temperature of each hour, `total_w` overrules the drawn share.

    `price` is taken and not used: this injector's curtailment comes from contracts.
    """
    n = window.power_w.size
    mean_w = float(np.nanmean(window.power_w))
    if total_w is None:
        share = float(np.clip(MEDIAN_SHARE * np.exp(SPREAD_OF_SHARE * rng.normal()), *SHARE_BOUNDS))
        total_w = share * mean_w
    hours = window.start_s // HOUR_S + np.arange(n)
    hour, weekday = hours % 24, (hours // 24 + 3) % 7  # 1970-01-01 was a Thursday
    if outside_c is None:
        outside_c = 12 + 5 * np.sin(2 * np.pi * (hour - 9) / 24)
    unit_w = float(rng.choice([450.0, 900.0, 1400.0, 2200.0, 3300.0]))
    machines = int(np.clip(round(total_w / unit_w), 1, 400))
    onset = None if rng.random() < BEFORE else int(rng.integers(24, n - 24))

    alive = _alive(n, machines, rng)
    if mode == "pallets":
        onset = int(rng.integers(24, n // 2))
        alive *= _delivered(n, machines, onset, rng)
    level = alive.mean(axis=0)
    if mode == "mixed_asic_gpu":
        cards = rng.uniform(0.3, 0.7)
        level = level * (1 - cards) + cards * _levels(n, (0.6, 1.0), (6, 72), rng)
    if mode == "retuned":
        level = level * _levels(n, (0.65, 1.1), (7 * 24, 28 * 24), rng)
    if mode == "weekend_only":
        begin, end = int(rng.integers(16, 24)), int(rng.integers(4, 9))  # Friday evening to Monday morning
        level = level * ((weekday >= 5) | ((weekday == 4) & (hour >= begin)) | ((weekday == 0) & (hour < end)))
    if mode == "night_tariff":
        begin, length = rng.uniform(21.0, 25.0), rng.uniform(6.0, 9.0)
        night = np.clip(length - (hour - begin) % 24, 0, 1)  # the last hour only in part
        level = level * (np.maximum(night, weekday >= 5) if rng.random() < 0.4 else night)
    if mode == "contract":
        level = level * (1 - _called(n, hour, weekday, rng))
    level = level * (1 - _offline(n, hour, rng) * rng.uniform(0.6, 0.97))  # what idles still draws something

    overhead = rng.uniform(0.01, 0.06)
    slope = rng.uniform(0.001, 0.006) * (3.0 if mode == "hot_room" else 1.0)
    cooling = 1 + overhead + slope * np.clip(outside_c - rng.uniform(10, 18), 0, None)
    if mode == "hot_room":  # above its limit the chips slow down instead
        limit = rng.uniform(20, 27)
        cooling = cooling * (1 - np.clip((outside_c - limit) * 0.03, 0, 0.4))
    wander = _wander(n, rng.uniform(0.004, 0.015), rng)
    added = level * cooling * (1 + wander)
    if onset is not None and mode != "pallets":
        ramp = int(rng.choice([1, 1, 6, 48]))  # switched on at once, or set up over hours to days
        added *= np.clip((np.arange(n) - onset + 1) / ramp, 0, 1)
    added_w = np.maximum(added * total_w, 0).astype(np.float32)
    return Injection(mode, total_w, total_w / mean_w, onset, added_w)


def _alive(n: int, machines: int, rng: np.random.Generator) -> np.ndarray:
    """float64[machines, n]: 1 where a machine runs. It fails every 50 to 300 days and waits 1 to 7 days for a visit."""
    alive = np.ones((machines, n))
    between, away = rng.uniform(50, 300) * 24, rng.uniform(1, 7) * 24
    for row in alive:
        at = rng.exponential(between)
        while at < n:
            back = at + 1 + rng.exponential(away)
            row[int(at) : int(back) + 1] = 0
            at = back + rng.exponential(between)
    if machines == 1:
        # A lone machine that fails is seen to at once; else half of all single rigs would be gone for days.
        alive[:] = np.maximum(alive, rng.random(n) > 0.02)
    return alive


def _delivered(n: int, machines: int, onset: int, rng: np.random.Generator) -> np.ndarray:
    """bool[machines, n]: since when each machine stands, by pallets, each set up over hours to three days."""
    pallets = int(rng.integers(2, 6))
    comes = np.sort(np.append(onset, rng.integers(onset, n, size=pallets - 1)))
    own = comes[np.arange(machines) * pallets // machines] + rng.integers(0, rng.integers(2, 72), size=machines)
    dead = rng.random(machines) < 0.02
    own[dead] += 14 * 24
    if machines < pallets:  # too few to come by pallets: the single one grows by boards
        share = np.searchsorted(comes, np.arange(n), side="right") / pallets
        return np.broadcast_to(share, (machines, n))
    return np.arange(n)[None, :] >= own[:, None]


def _levels(n: int, between: tuple[float, float], hours: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """float64[n]: a level that holds for some hours and then is another."""
    level = np.empty(n)
    at = 0
    while at < n:
        length = int(rng.integers(*hours))
        level[at : at + length] = rng.uniform(*between)
        at += length
    return level


def _called(n: int, hour: np.ndarray, weekday: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64[n]: 1 where the contract's stop is called: some days of a month, two to five hours, mostly workdays."""
    off = np.zeros(n)
    days = n // 24
    for day in range(days):
        busy = weekday[min(day * 24 + 12, n - 1)] < 5
        if rng.random() < (0.22 if busy else 0.05):
            begin = int(rng.choice([7, 8, 16, 17, 18]) if rng.random() < 0.7 else rng.integers(0, 22))
            first = day * 24 + (begin - int(hour[0])) % 24
            off[first : first + int(rng.integers(2, 6))] = 1
    return off


def _offline(n: int, hour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64[n]: share of each hour without the link or the pool."""
    off = np.zeros(n)
    busy = 1 + 1.5 * np.exp(-(((hour - 20) / 3.0) ** 2))
    short = rng.random(n) < rng.uniform(0.005, 0.04) * busy
    off[short] = rng.uniform(0.02, 0.4, int(short.sum()))
    for _ in range(rng.poisson(rng.uniform(0.2, 2.0) * n / 720)):
        at = int(rng.integers(0, n))
        off[at : at + int(rng.integers(1, 9))] = 1
    return off


def _wander(n: int, size: float, rng: np.random.Generator) -> np.ndarray:
    """float64[n]: a slow relative wander (AR(1), half of it gone after some hours) of standard deviation `size`."""
    from scipy.signal import lfilter

    keep = rng.uniform(0.8, 0.98)
    pushes = rng.normal(0, size * np.sqrt(1 - keep**2), n)
    pushes[0] = rng.normal(0, size)
    return np.asarray(lfilter([1.0], [1.0, -keep], pushes))
