"""The few random shapes that loads are made of. All are arrays of k premises by t quarter hours, float32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headframe.simulate.meters.places import FINE_S

Floats = NDArray[np.float32]


def autoregressive(
    rng: np.random.Generator, shape: tuple[int, ...], memory_h: float, step_h: float | None = None
) -> Floats:
    """Stationary first-order autoregressive noise with standard deviation 1, along the last axis.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
    memory_h : float
        After so long the correlation is 1/e. [h]
    step_h : float, optional
        A quarter hour where it is not given. [h]

    Returns
    -------
    float32 of `shape`
    """
    keep = np.exp(-(FINE_S / 3600 if step_h is None else step_h) / memory_h)
    drawn = rng.standard_normal(shape, np.float32)
    drawn[..., 1:] *= np.float32(np.sqrt(1 - keep * keep))
    return lagged(drawn, float(keep))


def lagged(values: Floats, keep: float) -> Floats:
    """Sum of all values up to each, each step older ones times `keep`: y[n] = x[n] + keep y[n - 1]. In place.

    By doubling, as many steps at once as are behind already; what is weighted less than a millionth is left out. A
    filter of scipy would do, at two seconds for its import.
    """
    rows = values.reshape(-1, values.shape[-1])
    for row in rows:  # a row stays in the processor's cache
        behind, weight = 1, keep
        while behind < row.size and weight > 1e-6:
            row[behind:] += np.float32(weight) * row[:-behind]
            behind, weight = 2 * behind, weight * weight
    return values


def uniform(rng: np.random.Generator, k: int, low: float, high: float) -> Floats:
    """One number for each of k premises, as a column. [as given]"""
    return rng.uniform(low, high, (k, 1)).astype(np.float32)


def log_uniform(rng: np.random.Generator, k: int, low: float, high: float) -> Floats:
    """The same, uniform in the logarithm. [as given]"""
    return np.exp(rng.uniform(np.log(low), np.log(high), (k, 1))).astype(np.float32)


def cycling(rng: np.random.Generator, t: int, duty: Floats, period_h: Floats) -> Floats:
    """A thermostat's switching: 1 while on, 0 while off, with periods that wander.

    Parameters
    ----------
    rng : numpy.random.Generator
    t : int
        Quarter hours.
    duty : float32[k, 1] or float32[k, t]
        Share of each period in which it is on.
    period_h : float32[k, 1]
        [h]

    Returns
    -------
    float32[k, t]
        Share of each quarter hour in which it is on: the phase moves by a good part of a period in it, and the edge
        falls anywhere.
    """
    k = period_h.shape[0]
    turn = np.float32(FINE_S / 3600) / period_h
    steps = rng.standard_normal((k, t), np.float32)
    steps *= np.float32(0.15)
    steps += 1
    steps *= turn
    steps[:, :1] += rng.random((k, 1), np.float32)
    phase = np.cumsum(steps, axis=1, dtype=np.float64)  # float32 would lose the phase over years
    phase %= 1.0
    phase_32 = phase.astype(np.float32)
    # How much of [phase, phase + turn] lies below `duty`, round the circle.
    end = phase_32 + turn
    on = np.clip(duty, 0, 1)
    whole = np.floor(end)
    covered = whole * on + np.minimum(end - whole, on) - np.minimum(phase_32, on)
    return np.asarray(np.clip(covered / turn, 0, 1), np.float32)


def blocks(hour: Floats, day: NDArray[np.int32], begin_h: Floats, length_h: Floats) -> Floats:
    """Blocks of running, one for each day, which may run past midnight. The day before the first was like the first.

    Parameters
    ----------
    hour : float32[t]
        Local time of day of each quarter hour. [h]
    day : int32[t]
    begin_h, length_h : float32[k, d]
        Begin on the day's clock, up to 24, and length, up to 24; a length of 0 is no block. [h]

    Returns
    -------
    float32[k, t]
        Share of each quarter hour within a block.
    """
    step = np.float32(FINE_S / 3600)

    def within(begin: Floats, length: Floats) -> Floats:
        inside = np.minimum(hour + step, begin + length) - np.maximum(hour, begin)
        return np.asarray(np.clip(inside, 0, step), np.float32)

    share = within(begin_h[:, day], length_h[:, day])
    if bool((begin_h + length_h > 24).any()):
        late, left = np.roll(begin_h, 1, axis=1), np.roll(length_h, 1, axis=1)
        late[:, 0], left[:, 0] = begin_h[:, 0], length_h[:, 0]
        share = share + within(late[:, day] - 24, left[:, day])
    return np.asarray(np.minimum(share, step) / step, np.float32)


def smooth_between(hour: Floats, begin_h: Floats, end_h: Floats, ramp_h: Floats) -> Floats:
    """1 between two times of day and 0 outside, with ramps; `begin_h` and so on are columns or whole arrays. [h]"""
    up = np.clip((hour - begin_h) / ramp_h + np.float32(0.5), 0, 1)
    down = np.clip((end_h - hour) / ramp_h + np.float32(0.5), 0, 1)
    shape = up * down
    return np.asarray(shape * shape * (3 - 2 * shape), np.float32)
