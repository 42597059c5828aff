"""What is left of a load after it is said to be gone: a comparison of weeks, with an error that is measured.

Two questions are asked of the later window, each with a baseline of its own:

1. How far does it lie above what the site used before the mining began, under the later window's weather and calendar?
2. How far did it fall below what the site used while the mining went on, and how much of the found load is that?

Each answers with what is left and a standard error. The error is not the one that a regression prints, since that
takes days for independent: windows of the same length, in which nothing is known to have changed, are left out in turn
and predicted from days that lie as far away as the later window does. What such predictions miss is the error
(placebo windows). Where there are too few, a mean of one week's residuals is taken for the mean of the whole window,
which is as if all its weeks erred alike.

References
----------
.. [1] D. J. Schuirmann, "A comparison of the two one-sided tests procedure and the power approach for assessing the
   equivalence of average bioavailability", J. Pharmacokinet. Biopharm. 15, 1987, 657-680: not significant is not equal.
.. [2] EVO, "International Performance Measurement and Verification Protocol", Core Concepts, 2022: the adjusted
   baseline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headframe.kernels.load_step import COOLING_C, HEATING_C

Floats = NDArray[np.float64]

WEEK = 7
LEAST_DAYS = 28
"""A baseline of fewer days knows neither a site's weeks nor their spread. [days]"""
LEAST_LENGTH = 2.0
"""A baseline whose error could not be measured is at least so many times as long as the later window is away: else
nothing tells how far the site's own level moves in that time. Of 1080 trials on real buildings (2026-11) two were
called rectified wrongly, both by 90 clean days, 86 days away, after which the building's own load fell by a third."""
LEAST_PLACEBOS = 4
"""Windows left out in turn; of fewer a spread says nothing."""
BEYOND_C = 2.0
"""A day so much colder or warmer than any of the baseline is weather that the baseline has not seen. [degrees C]"""
MOST_BEYOND = 0.2
"""Share of days with such weather, from which on the window is not compared."""
MOST_STRETCH = 0.1
"""A column that lies further outside its range in the baseline, as a share of that range, is extrapolated."""
SEASON_DAYS = 45
"""Without temperatures, days of the year so far apart are of different seasons. [days]"""
YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left by one baseline.

    Attributes
    ----------
    baseline : str
        ``clean`` (days before the mining began) or ``mining`` (days with it, less the found load).
    value, error : float
        What is left, in the unit of the series, and its standard error.
    degrees : float
        Degrees of freedom of the error.
    expected : float
        What the later window would be without a change, that is with the mining going on.
    expected_error : float
    days : int
        Of the baseline. [days]
    placebos : int
        Windows that the error rests on; 0 where weeks stand in.
    """

    baseline: str
    value: float
    error: float
    degrees: float
    expected: float
    expected_error: float
    days: int
    placebos: int

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided interval of what is left."""
        reach = quantile(1 - (1 - level) / 2, self.degrees) * self.error
        return self.value - reach, self.value + reach

    def expected_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided interval of what is expected."""
        reach = quantile(1 - (1 - level) / 2, self.degrees) * self.expected_error
        return self.expected - reach, self.expected + reach


@dataclass(frozen=True, slots=True)
class Fit:
    """A baseline: coefficients, the days it was fitted on, and what its predictions of a window miss."""

    beta: Floats
    rows: NDArray[np.int64]
    error: float
    degrees: float
    placebos: int

    def predicted(self, design: Floats) -> Floats:
        """Values of some days."""
        return np.asarray(design @ self.beta, np.float64)


def quantile(share: float, degrees: float) -> float:
    """Quantile of Student's distribution."""
    from scipy.stats import t

    return float(t.ppf(share, max(degrees, 1.0)))


def design(
    temperature_c: Floats | None, day_off: NDArray[np.bool_], peers: Floats | None = None
) -> tuple[Floats, tuple[str, ...]]:
    """Columns that a day's load is explained by, and what they are.

    Parameters
    ----------
    temperature_c : float64[n] or None
        Mean outdoor temperature of each day. [degrees C]
    day_off : bool[n]
        Weekends and holidays.
    peers : float64[n] or None
        What comparable sites used on each day, in the unit of the series.

    Returns
    -------
    columns : float64[n, p]
        The first is 1.
    names : tuple of str
    """
    columns = [np.ones(day_off.size), day_off.astype(np.float64)]
    names = ["level", "days off"]
    if temperature_c is not None:
        columns += [np.maximum(HEATING_C - temperature_c, 0.0), np.maximum(temperature_c - COOLING_C, 0.0)]
        names += ["heating degrees", "cooling degrees"]
    if peers is not None:
        columns.append(peers)
        names.append("comparable sites")
    return np.column_stack(columns), tuple(names)


def unseen_weather(
    temperature_c: Floats | None, day_start_s: NDArray[np.int64], base: NDArray[np.int64], later: NDArray[np.int64]
) -> str:
    """Why the weather of the later days cannot be compared with that of a baseline; empty where it can.

    Parameters
    ----------
    temperature_c : float64[n] or None
        [degrees C]
    day_start_s : int64[n]
        [s since 1970-01-01 UTC]
    base, later : int64
        Rows.

    Returns
    -------
    str
    """
    if not base.size or not later.size:
        return ""
    if temperature_c is None:
        base_day, later_day = ((day_start_s[rows] / 86_400) % YEAR_DAYS for rows in (base, later))
        apart = np.abs(later_day[:, None] - base_day[None, :])
        far = np.minimum(apart, YEAR_DAYS - apart).min(axis=1) > SEASON_DAYS
        if far.mean() > MOST_BEYOND:
            return (
                f"no temperatures were given, and {far.mean():.0%} of the later days are of a season that the baseline "
                "has no day of"
            )
        return ""
    low, high = np.nanmin(temperature_c[base]), np.nanmax(temperature_c[base])
    beyond = (temperature_c[later] < low - BEYOND_C) | (temperature_c[later] > high + BEYOND_C)
    if beyond.mean() > MOST_BEYOND:
        return (
            f"{beyond.mean():.0%} of the later days are colder or warmer than any day of the baseline "
            f"({low:.0f} to {high:.0f} degrees C)"
        )
    return ""


def fit(y: Floats, columns: Floats, rows: NDArray[np.int64], window: int, gap: int) -> Fit | None:
    """A baseline from some days; None where there are too few.

    Parameters
    ----------
    y : float64[n]
        A value of each day; rows are consecutive days. NaN where missing.
    columns : float64[n, p]
        See `design`.
    rows : int64[k]
        Days of the baseline.
    window : int
        Length of the window that is to be predicted. [days]
    gap : int
        How far it lies from the baseline. [days]

    Returns
    -------
    Fit or None
    """
    rows = rows[np.isfinite(y[rows]) & np.isfinite(columns[rows]).all(axis=1)]
    if rows.size < max(LEAST_DAYS, 2 * columns.shape[1]):
        return None
    beta = _solve(columns[rows], y[rows])
    errors, windows = _placebo_errors(y, columns, rows, window, gap)
    if windows >= LEAST_PLACEBOS:
        return Fit(beta, rows, float(np.sqrt(np.mean(errors**2))), windows - 1.0, windows)
    left = y[rows] - columns[rows] @ beta
    of_week = (rows - rows[0]) // WEEK
    means = np.array([left[of_week == k].mean() for k in np.unique(of_week) if (of_week == k).sum() >= WEEK // 2])
    degrees = means.size - 1.0
    if degrees < 2:
        return None
    # The coefficients took their share of the spread.
    spared = max(1 - columns.shape[1] / rows.size, 0.2)
    return Fit(beta, rows, float(np.sqrt(np.sum(means**2) / degrees / spared)), degrees, 0)


def left_over(
    y: Floats,
    columns: Floats,
    clean: NDArray[np.int64],
    mining: NDArray[np.int64],
    later: NDArray[np.int64],
    effect: float,
    effect_error: float,
    usable: tuple[bool, bool] = (True, True),
) -> list[Left]:
    """What is left in the later days, by each baseline that there is; the more exact one first.

    Parameters
    ----------
    y : float64[n]
        A value of each day, NaN where missing; rows are consecutive days.
    columns : float64[n, p]
        See `design`.
    clean, mining, later : int64
        Rows before the mining began, with it, and after it is said to have ended.
    effect, effect_error : float
        What the found load adds to a day's value, and its standard error.
    usable : tuple of bool
        Whether the clean and the mining days may serve as a baseline (`unseen_weather`).

    Returns
    -------
    list of Left
    """
    later = later[np.isfinite(y[later]) & np.isfinite(columns[later]).all(axis=1)]
    if not later.size:
        return []
    seen = float(y[later].mean())
    found: list[Left] = []
    for name, rows, allowed in (("clean", clean, usable[0]), ("mining", mining, usable[1])):
        if not allowed or not rows.size:
            continue
        gap = int(max(later[0] - rows.max() - 1, 0))
        base = fit(y, columns, rows, int(later[-1] - later[0] + 1), gap)
        if base is None or is_beyond(columns, base.rows, later):
            continue
        if not base.placebos and base.rows.size < LEAST_LENGTH * gap:
            continue
        level = float(base.predicted(columns[later]).mean())
        without = level if name == "clean" else level - effect
        error = math.hypot(base.error, 0.0 if name == "clean" else effect_error)
        found.append(
            Left(
                baseline=name,
                value=seen - without,
                error=error,
                degrees=base.degrees,
                expected=level + effect if name == "clean" else level,
                expected_error=math.hypot(base.error, effect_error) if name == "clean" else base.error,
                days=int(base.rows.size),
                placebos=base.placebos,
            )
        )
    return sorted(found, key=lambda one: one.error * quantile(0.975, one.degrees))


def is_beyond(columns: Floats, base: NDArray[np.int64], later: NDArray[np.int64]) -> bool:
    """Whether too many days lie beyond what a baseline has seen in one of its columns: there it would have to guess.

    Parameters
    ----------
    columns : float64[n, p]
        See `design`.
    base, later : int64
        Rows.

    Returns
    -------
    bool
    """
    low, high = columns[base].min(axis=0), columns[base].max(axis=0)
    margin = MOST_STRETCH * (high - low) + 1e-9
    beyond = ((columns[later] < low - margin) | (columns[later] > high + margin)).any(axis=1)
    return bool(beyond.mean() > MOST_BEYOND)


def _solve(columns: Floats, y: Floats) -> Floats:
    """Least squares with a trace of a ridge: a column without variation gets no weight."""
    scale = np.sqrt((columns**2).mean(axis=0))
    scaled = columns / np.where(scale > 0, scale, 1.0)
    ridge = np.eye(columns.shape[1]) * 1e-6 * len(y)
    ridge[0, 0] = 0.0
    beta = np.linalg.solve(scaled.T @ scaled + ridge, scaled.T @ y)
    return np.asarray(beta / np.where(scale > 0, scale, 1.0), np.float64)


def _placebo_errors(y: Floats, columns: Floats, rows: NDArray[np.int64], window: int, gap: int) -> tuple[Floats, int]:
    """What predictions of windows miss that nothing is known of, and how many windows do not overlap.

    Windows begin every half window. Each is predicted from days that are at least `gap` away, or as far as leaves
    enough of them; from one side where there are enough, since the later window has a baseline on one side only.
    """
    first, last = int(rows.min()), int(rows.max())
    least = max(LEAST_DAYS, 2 * columns.shape[1])
    errors, windows = [], 0
    for begin in range(first, last - window + 2, max(window // 2, 1)):
        inside = rows[(rows >= begin) & (rows < begin + window)]
        if inside.size < 0.7 * window:
            continue
        for apart in (gap, gap // 2, gap // 4, 0):
            early, late = rows[rows < begin - apart], rows[rows >= begin + window + apart]
            enough = max(least, rows.size // 3)
            sides = [side for side in (early, late) if side.size >= enough] or [np.concatenate([early, late])]
            # What is compared has to be comparable: the later window is not taken either where its weather was never
            # seen (`is_beyond`).
            sides = [side for side in sides if side.size >= least and not is_beyond(columns, side, inside)]
            if sides:
                windows += 1
                errors += [
                    float((y[inside] - columns[inside] @ _solve(columns[side], y[side])).mean()) for side in sides
                ]
                break
    return np.array(errors), (windows + 1) // 2
