"""The injector that models are trained with: what the others assume is drawn here, so that no assumption is learned.

It shares no code with `inject`, on which the models are checked, and knows nothing of `inject_other`.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

SHARES = (0.1, 1.5)
"""Power of the machines over the mean power of the site, drawn log-uniformly."""
KINDS = {
    "always_on": 0.13,
    "step": 0.13,
    "staged": 0.12,
    "daily": 0.25,
    "price": 0.14,
    "outage": 0.10,
    "throttled": 0.07,
    "weekly": 0.04,
    "random": 0.02,
}
"""How machines run, and how often that is drawn."""
PARTS = 4
"""Machines are switched at quarter hours, so that an edge may fall within an hour."""


def inject_widely(power_w: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Machines for hourly powers from a midnight on: float32[n]. [W]"""
    n = power_w.size
    total_w = float(np.nanmean(power_w)) * float(np.exp(rng.uniform(*np.log(SHARES))))
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    quarters = n * PARTS
    onset = 0
    if kind in ("step", "staged") or (kind != "always_on" and rng.random() < 0.45):
        onset = int(rng.integers(quarters // 10, quarters - quarters // 10))
        if rng.random() < 0.5:
            onset = onset // PARTS * PARTS
    hour = np.arange(quarters) / PARTS % 24
    day = np.arange(quarters) // (24 * PARTS)
    running = np.ones(quarters)
    if kind == "daily":
        running = _daily(hour, day, rng)
    elif kind == "price":
        running = np.repeat(_cheap(n, rng), PARTS)
    elif kind == "weekly":
        weekend = (day + rng.integers(7)) % 7 >= 5
        evening = (hour < rng.uniform(6, 8)) | (hour >= rng.uniform(17, 20))
        running = (weekend | (evening if rng.random() < 0.6 else False)).astype(float)
    elif kind == "random":
        at, on = 0, 1.0
        while at < quarters:
            length = int(rng.exponential(PARTS * 24 * rng.uniform(0.3, 3))) + PARTS
            running[at : at + length] = on
            at, on = at + length, 1 - on
    elif kind == "staged":
        steps = int(rng.integers(2, 7))
        begins = np.sort(np.r_[onset, rng.integers(onset, quarters, steps - 1)])
        levels = np.sort(rng.uniform(0.1, 1, steps))
        levels[-1] = 1
        for begin, level in zip(begins, levels, strict=True):
            running[begin:] = level
        if rng.random() < 0.15:  # some are taken away again
            running[int(rng.integers(onset, quarters)) :] *= rng.uniform(0, 0.8)
    if kind == "outage" or rng.random() < 0.08:
        for _ in range(int(rng.integers(1, 6))):
            _interrupt(running, rng)
    if kind == "throttled" or rng.random() < 0.1:
        heat = np.clip(np.sin(2 * np.pi * (hour - rng.uniform(7, 11)) / 24), 0, None)
        running = running * (1 - rng.uniform(0.02, 0.25) * heat)
    if onset:
        running[:onset] = 0
        if rng.random() < 0.3:  # put up one after the other
            ramp = running[onset : onset + int(rng.integers(1, 48 * PARTS))]
            ramp *= np.linspace(0, 1, ramp.size)
    hourly = running.reshape(n, PARTS).mean(axis=1)
    if rng.random() < 0.3:  # machines fail and are repaired
        for _ in range(int(rng.integers(1, 8))):
            at = int(rng.integers(0, n))
            hourly[at : at + int(rng.exponential(100))] *= 1 - 1 / rng.integers(2, 30)
    if rng.random() < 0.3:  # fans
        hourly *= 1 + rng.uniform(0, 0.06) * np.sin(2 * np.pi * (np.arange(n) % 24 - 9) / 24)
    noise = rng.normal(0, 1, n) * rng.choice([0.002, 0.005, 0.01, 0.02])
    if rng.random() < 0.3:
        noise += lfilter([0.01], [1, -0.95], rng.normal(0, 1, n))
    return (total_w * hourly * (1 + noise)).clip(0).astype(np.float32)


def _daily(hour: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """On for the same hours of each day: off at the evening's peak, on in the night only, or anything."""
    kind = rng.random()
    if kind < 0.45:
        off = rng.uniform(2, 7)
        begin, length = rng.uniform(14.5, 19) + off, 24 - off
    elif kind < 0.92:
        begin, length = rng.uniform(19, 25), rng.uniform(5, 11)
    else:
        begin, length = rng.uniform(0, 24), rng.uniform(3, 20)
    if rng.random() < 0.7:  # tariffs change at full hours
        begin, length = round(begin), round(length)
    late = rng.normal(0, rng.choice([0, 0, 0, 0.1, 0.3]), day[-1] + 1)
    running = ((hour - begin - late[day]) % 24 < length).astype(float)
    if rng.random() < 0.15:
        running[np.isin(day, np.flatnonzero(rng.random(day[-1] + 1) < 0.1))] = rng.integers(0, 2)
    if rng.random() < 0.1:
        running[(day + rng.integers(7)) % 7 >= 5] = rng.integers(0, 2)
    return running


def _cheap(n: int, rng: np.random.Generator) -> np.ndarray:
    """Hours in which a price is below a quantile of its own: an evening and a morning peak, and weather."""
    keep = rng.uniform(0.7, 0.97)
    weather = lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.normal(0, 1, n))
    hour = np.arange(n) % 24
    price = weather * rng.uniform(0.3, 1) + rng.uniform(0, 0.8) * np.exp(-(((hour - 8) / 2.5) ** 2))
    price += rng.uniform(0.3, 1.5) * np.exp(-(((hour - rng.uniform(16, 20)) % 24) ** 2) / 18)
    return (price < np.quantile(price, rng.uniform(0.55, 0.93))).astype(float)


def _interrupt(running: np.ndarray, rng: np.random.Generator) -> None:
    at, length = int(rng.integers(0, running.size)), int(rng.integers(2 * PARTS, 80 * PARTS))
    running[at : at + length] = 0
    if rng.random() < 0.6:  # machines come back one after the other
        back = running[at + length : at + length + int(rng.integers(1, 8 * PARTS))]
        back *= np.linspace(0, 1, back.size)
