"""What a report draws of a usage point: its days, the band of its peers, and what weather and calendar leave over."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.power.hours import local_offset_s
from headframe.detectors.power.load_step import find_steps
from headframe.records.load_finding import LoadDrawing
from headframe.records.reading import LocalClock, Surroundings

DAY_S = 86_400
BAND_PEERS = 200
"""Points that the band in a report is drawn from: enough for its 5 % and 95 % edges."""


def local_days(start_s: int, hours: int, clock: LocalClock) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start of each local day that a run touches, and the day of each of its hours. [s], index

    Returns
    -------
    day_start_s : int64[d]
        [s since 1970-01-01 UTC]
    day : int64[hours]
        Ascending from 0.
    """
    time_s = start_s + 3600 * np.arange(hours, dtype=np.int64)
    number = (time_s + local_offset_s(time_s, clock)) // DAY_S
    at = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
    day = np.cumsum(np.diff(number, prepend=number[:1]) != 0)
    midnight = number[at] * DAY_S
    return midnight - local_offset_s(midnight, clock), day


@dataclass(frozen=True, slots=True)
class Days:
    """A run by local day: its mean and lowest hour, NaN where less than half of the day is known."""

    start_s: NDArray[np.int64]
    mean_w: NDArray[np.float64]
    floor_w: NDArray[np.float64]


def by_day(power_w: NDArray[np.float32], start_s: int, clock: LocalClock) -> Days:
    """Daily mean and floor of one hourly run."""
    if power_w.size == 0:
        none = np.zeros(0)
        return Days(np.zeros(0, np.int64), none, none)
    starts, day = local_days(start_s, power_w.size, clock)
    known = np.isfinite(power_w)
    count = np.bincount(day, known, starts.size)
    total = np.bincount(day, np.where(known, power_w, 0.0), starts.size)
    floor = np.full(starts.size, np.inf)
    np.minimum.at(floor, day, np.where(known, power_w, np.inf))
    enough = count >= 12
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(enough, total / count, np.nan)
    return Days(starts, mean, np.where(enough, floor, np.nan))


@dataclass(slots=True)
class PeerBand:
    """Daily loads of some comparable points, each over its own mean: what a report's band is drawn from."""

    days: dict[int, list[float]] = field(default_factory=dict)

    def add(self, one: Days) -> None:
        """Take in a point."""
        level = float(np.nanmean(one.mean_w)) if np.isfinite(one.mean_w).any() else 0.0
        if level <= 0.0:
            return
        # Days are told by their middle, so that runs of one zone share them whatever the season.
        for at, mean in zip(((one.start_s + DAY_S // 2) // DAY_S).tolist(), one.mean_w.tolist(), strict=True):
            if math.isfinite(mean):
                self.days.setdefault(at, []).append(mean / level)

    def around(self, one: Days, *, least: int = 20) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Lower and upper edge of the middle 90 % on a point's days, scaled to its mean; empty without peers. [W]"""
        level = float(np.nanmean(one.mean_w)) if np.isfinite(one.mean_w).any() else 0.0
        low, high = [], []
        for at in ((one.start_s + DAY_S // 2) // DAY_S).tolist():
            there = self.days.get(at, ())
            if len(there) < least:
                low.append(math.nan)
                high.append(math.nan)
                continue
            edges = np.quantile(there, (0.05, 0.95)) * level
            low.append(float(edges[0]))
            high.append(float(edges[1]))
        if not any(map(math.isfinite, low)):
            return (), ()
        return tuple(low), tuple(high)


def band_points(names: Collection[str], most: int = BAND_PEERS) -> list[str]:
    """Some points for the band, the same ones whatever the order in which they come."""
    return sorted(set(names), key=lambda name: (zlib.crc32(name.encode("utf-8", "surrogatepass")), name))[:most]


def residual_of(one: Days, clock: LocalClock, temperature_c: Callable[[int], float] | None = None) -> list[float]:
    """What is left of each day's mean after weekday, holiday and temperature are taken out. [W]

    Days off and working days have a level of their own (the median), and where the temperature is known a straight
    line for heating below 15 degrees and one for cooling above 20 [1]_ is fitted to what is left by least squares. It
    is drawn, not tested: what is tested is said in the counter-hypotheses.

    References
    ----------
    .. [1] ASHRAE Guideline 14-2014, change-point models of energy use.
    """
    mean = one.mean_w
    if not np.isfinite(mean).any():
        return [math.nan] * mean.size
    middle = one.start_s + DAY_S // 2
    number = (middle + local_offset_s(middle, clock)) // DAY_S
    off = ((number + 3) % 7 >= 5) | np.isin(number, clock.holidays)  # 1970-01-01 was a Thursday
    columns = [np.ones(mean.size), off.astype(np.float64)]
    if temperature_c is not None:
        degrees = np.array([temperature_c(int(at)) for at in one.start_s.tolist()])
        columns += [np.clip(15.0 - degrees, 0.0, None), np.clip(degrees - 20.0, 0.0, None)]
    design = np.stack(columns, axis=1)
    good = np.isfinite(mean) & np.isfinite(design).all(axis=1)
    if good.sum() < 2 * design.shape[1]:
        return [float(watts) for watts in mean - np.nanmedian(mean)]
    weights, *_ = np.linalg.lstsq(design[good], mean[good], rcond=None)
    return [float(watts) for watts in np.where(good, mean - design @ weights, np.nan)]


def fitted_floor(power_w: NDArray[np.float32], start_s: int, days: Days, clock: LocalClock) -> list[float]:
    """The floor that the steps of a load explain: its usual level, and what each step added. [W] by day"""
    steps = find_steps(power_w, start_s, clock)
    middle = days.start_s + DAY_S // 2
    added = np.zeros(middle.size)
    for step in steps:
        if step.duty > 0.95:  # a step at some hours of the day leaves the lowest hour where it was
            added += np.where(middle * 1_000_000_000 >= step.onset.estimate_ns, step.size_w.estimate, 0.0)
    known = np.isfinite(days.floor_w)
    if not known.any():
        return [math.nan] * middle.size
    level = float(np.median((days.floor_w - added)[known]))
    return [float(watts) for watts in level + added]


def drawing_of(days: Days, surroundings: Surroundings, fitted_floor_w: Sequence[float] | None) -> LoadDrawing:
    """What a report draws of one run; the peers' band comes later."""
    return LoadDrawing(
        day_start_s=tuple(days.start_s.tolist()),
        mean_w=tuple(days.mean_w.tolist()),
        floor_w=tuple(days.floor_w.tolist()),
        fitted_floor_w=tuple(fitted_floor_w or ()),
        residual_w=tuple(residual_of(days, surroundings.clock, _daily_temperature(surroundings))),
    )


def _daily_temperature(surroundings: Surroundings) -> Callable[[int], float] | None:
    series = surroundings.temperature_c
    if series is None:
        return None

    def of_day(start_s: int) -> float:
        begin = (start_s - series.start_s) // series.step_s
        end = begin + max(DAY_S // series.step_s, 1)
        there = series.values[max(begin, 0) : max(end, 0)]
        return float(np.nanmean(there)) if there.size and np.isfinite(there).any() else math.nan

    return of_day
