"""The interval covers the true rate as often as it says."""

import numpy as np
import pytest

from headframe.detectors.network.stratum.hashrate import (
    JOULE_PER_HASH,
    gamma_interval,
    power_interval,
    rate_interval,
    spread_between_windows,
    widened,
)
from headframe.records.finding import Interval

REPETITIONS = 2000
LEAST = 0.95 - 3 * (0.95 * 0.05 / REPETITIONS) ** 0.5  # three standard errors of the simulation below the claim


def test_equal_worths_give_garwoods_interval() -> None:
    """Ten events: 4.795 to 18.39 (Garwood 1936, table)."""
    interval = gamma_interval([1.0] * 10)
    assert interval.low == pytest.approx(4.795, abs=5e-4)
    assert interval.high == pytest.approx(18.390, abs=5e-4)
    thousand = gamma_interval([1000.0] * 10)
    assert thousand.low == pytest.approx(4795.0, rel=1e-3)


@pytest.mark.parametrize("expected", [3.0, 10.0, 100.0])
def test_coverage_at_constant_difficulty(expected: float) -> None:
    """At least 95 of 100 intervals hold the truth; runs without a share give none and are left out as misses."""
    generator = np.random.default_rng(1)
    hits = 0
    for count in generator.poisson(expected, REPETITIONS):
        if count:
            interval = gamma_interval([1.0] * int(count))
            hits += interval.low <= expected <= interval.high
        else:
            hits += expected <= 3.689  # the exact interval of no event is 0 to 3.689
    assert hits / REPETITIONS >= LEAST


@pytest.mark.parametrize("rate", [0.02, 0.2])
def test_coverage_when_the_pool_follows_the_miner(rate: float) -> None:
    """Difficulty set anew after every share from the last interval, as pools do, between 1 and 64."""
    generator = np.random.default_rng(2)
    watched_s, hits, told = 1000.0, 0, 0
    for _ in range(REPETITIONS):
        now, worth, worths = 0.0, 1.0, []
        while True:
            wait = generator.exponential(worth / rate)
            now += wait
            if now > watched_s:
                break
            worths.append(worth)
            worth = float(np.clip(worth * (2.0 if wait < 20 else 0.5 if wait > 60 else 1.0), 1.0, 64.0))
        interval = rate_interval(worths, watched_s)
        if interval is not None:
            told += 1
            hits += interval.low <= rate <= interval.high
    assert told > 0.99 * REPETITIONS
    assert hits / told >= LEAST


def windowed(generator: np.random.Generator, rates: np.ndarray, worth: float, seconds: float) -> tuple[Interval, float]:
    counts = generator.poisson(rates * seconds / worth)
    worths = [worth] * int(counts.sum())
    mean = rate_interval(worths, seconds * len(rates))
    assert mean is not None
    spread = spread_between_windows(
        [float(n) * worth for n in counts], [float(n) * worth**2 for n in counts], [seconds] * len(rates)
    )
    return widened(mean, spread), spread


def test_coverage_of_a_quarter_hour_when_the_rate_moves() -> None:
    """A machine that is also used by its owner: the interval holds the rate of a quarter hour taken at random."""
    generator = np.random.default_rng(3)
    hits = 0
    for _ in range(REPETITIONS):
        rates = generator.normal(1000.0, 200.0, 40).clip(100.0)
        interval, _ = windowed(generator, rates, 10_000.0, 900.0)
        hits += interval.low <= rates[generator.integers(40)] <= interval.high
    assert hits / REPETITIONS >= 0.93  # the spread is estimated from 40 windows and the rates are cut off at 100


def test_a_steady_machine_is_not_widened_much() -> None:
    """Where the rate is constant, the estimated spread is small against it, and the mean stays covered."""
    generator = np.random.default_rng(4)
    hits, spreads = 0, []
    for _ in range(500):
        interval, spread = windowed(generator, np.full(40, 1000.0), 10_000.0, 900.0)
        hits += interval.low <= 1000.0 <= interval.high
        spreads.append(spread)
    assert hits / 500 >= 0.95
    assert np.mean(spreads) < 40.0


def test_what_cannot_be_estimated_is_refused() -> None:
    """No shares, no time, worths that are none."""
    assert rate_interval([], 100.0) is None
    assert rate_interval([1.0], 0.0) is None
    with pytest.raises(ValueError, match="at least one share"):
        gamma_interval([])
    with pytest.raises(ValueError, match="above 0"):
        gamma_interval([1.0, -1.0])
    with pytest.raises(ValueError, match="confidence"):
        gamma_interval([1.0], confidence=1.0)
    assert spread_between_windows([1.0, 5.0], [1.0, 5.0], [900.0, 900.0]) == 0.0


def test_power_spans_efficient_to_poor_hardware() -> None:
    """An Apple M1 at 2180 H/s (some 20 W) and a Xeon E5-2430 at 2000 H/s (95 W) lie inside."""
    power = power_interval(Interval(2000.0, 2100.0, 2200.0), "randomx")
    assert power is not None
    assert power.low < 20.0 < 95.0 < power.high
    assert power.low < power.estimate < power.high
    assert power_interval(Interval(1.0, 1.0, 1.0), "unheard-of") is None
    assert all(best < worst for best, worst in JOULE_PER_HASH.values())
