"""Transformers, their losses, and the meters: what is true, and what is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headframe.records.reading import Quality
from headframe.simulate.meters.noise import Floats
from headframe.simulate.meters.places import FINE_S

RATINGS_KVA = (25, 50, 100, 160, 250, 400, 630, 1000, 1600, 2500)
"""Preferred ratings (EN 50588-1)."""
NO_LOAD_W = {25: 70, 50: 90, 100: 145, 160: 210, 250: 300, 400: 430, 630: 600, 1000: 770, 1600: 1200, 2500: 1750}
LOAD_LOSS_W = {
    25: 900, 50: 1100, 100: 1750, 160: 2350, 250: 3250, 400: 4600, 630: 6500, 1000: 10500, 1600: 18000, 2500: 28000,
}  # fmt: skip
"""Upper limits of classes A0 and Ck (EN 50588-1, Table 3), as a ministry's rule of 2014 made them binding in Europe
(Regulation (EU) 548/2014, Annex I). [W]"""
VOLTAGE_V = 400.0
POWER_FACTOR = 0.95
CLASS_LIMIT = {"0.2S": 0.002, "0.5S": 0.005, "1": 0.01, "2": 0.02, "C": 0.005, "B": 0.01, "A": 0.02}
"""Largest error at full load (IEC 62053-21, -22; EN 50470-3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerPlate:
    """What a transformer is.

    Attributes
    ----------
    rated_power_kva : int
        [kVA]
    no_load_loss_w, load_loss_w : int
        [W]
    line_resistance_ohm : float
        Of the lines behind it, lumped. [ohm]
    """

    rated_power_kva: int
    no_load_loss_w: int
    load_loss_w: int
    line_resistance_ohm: float


def plate_for(peak_w: float, rng: np.random.Generator) -> TransformerPlate:
    """A transformer that carries `peak_w` with some room, and lines that lose 1 to 3 % of it."""
    need_kva = peak_w / POWER_FACTOR / 1000 * rng.uniform(1.1, 1.8)
    rating = next((one for one in RATINGS_KVA if one >= need_kva), RATINGS_KVA[-1])
    current_a = peak_w / POWER_FACTOR / VOLTAGE_V / np.sqrt(3)
    lost = rng.uniform(0.01, 0.03)
    resistance = lost * peak_w / (3 * current_a**2) if current_a else 0.0
    return TransformerPlate(
        rated_power_kva=rating,
        no_load_loss_w=NO_LOAD_W[rating],
        load_loss_w=LOAD_LOSS_W[rating],
        line_resistance_ohm=round(float(resistance), 5),
    )


def losses_w(plate: TransformerPlate, through_w: Floats) -> Floats:
    """Technical losses of a transformer and its lines at a power. [W]

    P0 + Pk (S / Sr)^2 (IEC 60076-1) and 3 I^2 R of the lines.
    """
    apparent = through_w.astype(np.float64) / POWER_FACTOR
    load = plate.load_loss_w * (apparent / (plate.rated_power_kva * 1000)) ** 2
    lines = 3 * plate.line_resistance_ohm * (apparent / VOLTAGE_V / np.sqrt(3)) ** 2
    return np.asarray(plate.no_load_loss_w + load + lines, np.float32)


def metered_wh(
    rng: np.random.Generator, power_w: Floats, per_interval: int, accuracy: str, resolution_wh: int
) -> NDArray[np.float64]:
    """What a meter registers of a power of one direction.

    Parameters
    ----------
    rng : numpy.random.Generator
    power_w : float32[t]
        Non-negative, by quarter hours. [W]
    per_interval : int
        Quarter hours of an interval.
    accuracy : str
        Class of the meter, a key of `CLASS_LIMIT`: its gain is off by a constant well within it, and by a tenth of
        that at random.
    resolution_wh : int
        Its register counts in such steps; what is left over is in the next interval. [Wh]

    Returns
    -------
    float64[t // per_interval]
        [Wh]
    """
    limit = CLASS_LIMIT[accuracy]
    gain = 1 + np.clip(rng.normal(0, limit / 2.5), -0.9 * limit, 0.9 * limit)
    energy = power_w.reshape(-1, per_interval).sum(axis=1, dtype=np.float64) * (FINE_S / 3600) * gain
    energy *= 1 + limit / 10 * rng.standard_normal(energy.size)
    register = np.floor(np.cumsum(energy) / resolution_wh + rng.random())
    return np.diff(register, prepend=np.floor(register[0] - energy[0] / resolution_wh)) * resolution_wh


@dataclass(slots=True)
class Readings:
    """Intervals of one point and one direction as they reach the utility.

    Attributes
    ----------
    energy_wh : float64[n]
        NaN where the row is there and its value is not. [Wh]
    quality : uint8[n]
        `Quality`.
    there : bool[n]
        False where there is no row at all.
    """

    energy_wh: NDArray[np.float64]
    quality: NDArray[np.uint8]
    there: NDArray[np.bool_]


def plain(energy_wh: NDArray[np.float64]) -> Readings:
    """Readings without a fault."""
    return Readings(energy_wh, np.zeros(energy_wh.size, np.uint8), np.ones(energy_wh.size, bool))


@dataclass(frozen=True, slots=True)
class Fault:
    """What became of the readings of a meter from one interval to another."""

    kind: str
    """``absent``, ``zero``, ``estimated`` or ``exchanged``."""
    begin: int
    end: int


def draw_faults(rng: np.random.Generator, n: int, per_day: int, *, head: bool) -> list[Fault]:
    """Faults of one meter: seldom for a head meter, and never zeros there."""
    faults = []
    rates = (("absent", 0.12, 2.0), ("zero", 0.0 if head else 0.04, 1.5), ("estimated", 0.0 if head else 0.08, 1.2))
    for kind, share, most_days in rates:
        if rng.random() < share:
            for _ in range(int(rng.integers(1, 4))):
                begin = int(rng.integers(0, n))
                length = max(int(per_day * rng.uniform(0.08, most_days)), 1)
                faults.append(Fault(kind, begin, min(begin + length, n)))
    if not head and rng.random() < 0.02 and n > 4 * per_day:
        begin = int(rng.integers(per_day, n - per_day))
        faults.append(Fault("exchanged", begin, begin + max(int(per_day * rng.uniform(0.05, 0.3)), 1)))
    return faults


def with_faults(
    readings: Readings, faults: list[Fault], rng: np.random.Generator, per_day: int, blank_share: float = 0.0005
) -> Readings:
    """Readings as they arrive: rows absent, values blank, gaps filled with 0 by the source, or with an estimate.

    An estimate is the same time of day a week before, and says so. Zeros do not say so: that is what some sources do.
    """
    n = readings.energy_wh.size
    for fault in faults:
        gap = slice(fault.begin, fault.end)
        if fault.kind == "zero":
            readings.energy_wh[gap] = 0.0
        elif fault.kind == "estimated":
            places = np.arange(fault.begin, fault.end)
            readings.energy_wh[gap] = readings.energy_wh[np.where(places >= 7 * per_day, places - 7 * per_day, places)]
            readings.quality[gap] |= np.uint8(Quality.ESTIMATED)
        else:
            readings.there[gap] = False
    blank = rng.random(n) < blank_share
    readings.energy_wh[blank] = np.nan
    readings.quality[blank] = np.uint8(Quality.MISSING)
    return readings
