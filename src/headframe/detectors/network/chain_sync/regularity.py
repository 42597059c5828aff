"""Times that are no block times: the theorem holds for blocks that were found by chance, not for a timer's ticks.

A script that asks an explorer once a minute writes down minutes, and every timer of the network keeps step with those.
A test chain may make its blocks by the clock. Such times are refused before anything is compared with them.
"""

import numpy as np
from numpy.typing import NDArray

from headframe.records.block import BlockClock

_SECOND = 1_000_000_000

FEWEST = 15
"""With fewer blocks than this neither test can tell."""
SPREAD = 0.35
"""Intervals whose standard deviation is below this part of their mean are a timer's. For blocks it is 1; of fifteen
intervals it falls below 0.35 in one case in 10,000 (simulated, 2026-11)."""
LATTICE = 15.0
"""Arrivals lie on a lattice where their number times the squared mean resultant length of their phases (Rayleigh's
statistic; Mardia & Jupp 2000, Directional Statistics, section 6.3.1) is above this. For blocks it is exponential with
mean 1: above 15 once in three million for each period."""
PERIODS_S = (*range(5, 121), 180, 240, 300, 600, 900, 1800, 3600)
"""Periods at which programs ask. Shorter ones are windows' own size, and spread by the clock's resolution. [s]"""
_MOST = 5000  # arrivals that are looked at: a lattice shows in a few dozen


def why_not_random(clock: BlockClock) -> str | None:
    """What shows that a clock's times are not those of blocks; None where nothing does.

    Parameters
    ----------
    clock : BlockClock

    Returns
    -------
    str or None
        In words, to follow "is not used: ".
    """
    arrival_ns = clock.arrival_ns[-_MOST:]
    if len(arrival_ns) < FEWEST:
        return None
    stretch = np.searchsorted(clock.covered[:, 0], arrival_ns, side="right")
    intervals_s = np.diff(arrival_ns)[np.diff(stretch) == 0] / _SECOND
    if len(intervals_s) >= FEWEST - 1 and float(intervals_s.std()) < SPREAD * float(intervals_s.mean()):
        return (
            f"its blocks come every {intervals_s.mean():.0f} s with a spread of {intervals_s.std():.0f} s, as a timer "
            "ticks; blocks that are found by chance are as uneven as the time between them is long"
        )
    at_s = arrival_ns / _SECOND
    for period_s in PERIODS_S:
        # Over a few periods only, any times gather at some phase.
        tells = 2 * clock.resolution_ns < period_s * _SECOND < (arrival_ns[-1] - arrival_ns[0]) / 10
        if tells and rayleigh(at_s, period_s) > LATTICE:
            return (
                f"its times lie on steps of {period_s} s, as those of a program that asks every {period_s} s; every "
                "timer of the network keeps step with that, so give times at which blocks were heard of"
            )
    return None


def rayleigh(at_s: NDArray[np.float64], period_s: float) -> float:
    """Rayleigh's statistic: how much times gather at one phase of a period; exponential with mean 1 by chance."""
    phases = np.exp(2j * np.pi / period_s * (at_s % period_s))
    return float(abs(phases.sum()) ** 2 / len(at_s))
