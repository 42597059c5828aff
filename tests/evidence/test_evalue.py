"""E-values: they survive their algebra, and innocent subjects do not reach high ones more often than promised."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.evidence.evalue import (
    EProcess,
    EValue,
    first_crossing,
    mixture,
    multiply,
    product,
    running_product,
)

LOG10_E = st.one_of(st.floats(-300, 300), st.just(-math.inf))
ROWS = st.lists(LOG10_E, min_size=1, max_size=20)


def naive_mixture(log10_e: list[float], weights: list[float]) -> float:
    """The definition, in exact fractions of the values: no logarithms on the way."""
    total = sum((Fraction(w) * exact(x) for x, w in zip(log10_e, weights, strict=True)), Fraction(0))
    mean = total / sum((Fraction(w) for w in weights), Fraction(0))
    if mean == 0:
        return -math.inf
    return math.log10(mean.numerator) - math.log10(mean.denominator)


def exact(log10_e: float) -> Fraction:
    return Fraction(0) if log10_e == -math.inf else Fraction(10.0**log10_e)


@given(st.lists(st.tuples(LOG10_E, st.sampled_from([0.0, 0.1, 1.0, 7.0])), min_size=1, max_size=12))
def test_mixture_is_the_weighted_mean(parts: list[tuple[float, float]]) -> None:
    """The fast form against the definition."""
    values, weights = [x for x, _ in parts], [w for _, w in parts]
    if not any(weights):
        with pytest.raises(ValueError, match="not all 0"):
            mixture(values, weights)
        return
    assert float(mixture(values, weights)) == pytest.approx(naive_mixture(values, weights), rel=1e-9, abs=1e-9)


@given(ROWS)
def test_mixture_lies_between_and_loses_no_more_than_the_number_of_parts(values: list[float]) -> None:
    """Between the least and the greatest, and within log10(n) of the greatest."""
    mean = float(mixture(values))
    assert min(values) - 1e-9 <= mean <= max(values) + 1e-9
    assert mean >= max(values) - math.log10(len(values)) - 1e-9


@given(ROWS, st.randoms(use_true_random=False))
def test_order_does_not_matter(values: list[float], random) -> None:  # type: ignore[no-untyped-def]
    """Neither to the mixture nor to the product."""
    shuffled = random.sample(values, len(values))
    assert float(mixture(shuffled)) == pytest.approx(float(mixture(values)), abs=1e-9)
    assert float(product(shuffled)) == pytest.approx(float(product(values)), abs=1e-9)


@given(ROWS, st.integers(0, 19), st.floats(0, 50))
def test_more_evidence_never_counts_less(values: list[float], place: int, more: float) -> None:
    """Mixture and product rise with each part."""
    place %= len(values)
    raised = [x + more if i == place else x for i, x in enumerate(values)]
    assert float(mixture(raised)) >= float(mixture(values)) - 1e-9
    assert float(product(raised)) >= float(product(values)) - 1e-9


def test_nothing_overflows() -> None:
    """Values far beyond what a float could hold, and far below."""
    assert float(mixture([100_000.0, -100_000.0])) == pytest.approx(100_000.0 - math.log10(2))
    assert float(mixture([-100_000.0, -np.inf])) == pytest.approx(-100_000.0 - math.log10(2))
    assert float(mixture([5000.0, 1.0], [0.0, 1.0])) == 1.0
    assert float(mixture([-np.inf, -np.inf])) == -math.inf
    assert float(mixture([1.0, 2.0], [1e308, 1e308])) == pytest.approx(math.log10(55.0))
    assert EValue(-5000.0).chance == 1.0
    assert 0.0 < EValue(5000.0).chance < 1e-300


def test_rows_are_merged_one_by_one() -> None:
    """Over the last axis, like the single rows."""
    table = np.array([[1.0, 2.0, -np.inf], [0.0, 0.0, 0.0]])
    assert mixture(table).tolist() == [float(mixture(row)) for row in table]
    assert product(table).tolist() == [-math.inf, 0.0]
    assert running_product(table).tolist() == [[1.0, 3.0, -math.inf], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_no_evidence_are_refused(bad: float) -> None:
    """NaN and infinity come from a fault further up."""
    for act in (mixture, product, running_product):
        with pytest.raises(ValueError, match="1 of 2 log10_e are NaN or"):
            act([1.0, bad])
    with pytest.raises(ValueError, match="finite or -inf"):
        EValue(bad)
    with pytest.raises(ValueError, match="finite or -inf"):
        EProcess().after(bad)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_impossible_weights_are_refused(weights: list[float]) -> None:
    """A negative stake would be a bet against oneself."""
    with pytest.raises(ValueError, match="weight"):
        mixture([1.0, 2.0], weights)


def test_nothing_to_mix_is_refused_and_an_empty_product_is_one() -> None:
    """A mean of nothing has no value; a product of nothing has."""
    with pytest.raises(ValueError, match="at least one"):
        mixture([])
    with pytest.raises(ValueError, match="at least one"):
        mixture(3.0)
    assert float(product([])) == 0.0
    assert multiply([]) == EValue(0.0)
    assert multiply([EValue(2.0), EValue(-0.5)]) == EValue(1.5)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_values_from_outside_are_checked(bad: float) -> None:
    """from_value takes 0 and up."""
    assert EValue.from_value(0.0).log10 == -math.inf
    assert EValue(1.0) < EValue(2.0)
    with pytest.raises(ValueError, match="0 or more and finite"):
        EValue.from_value(bad)


@given(st.lists(LOG10_E, max_size=30))
def test_process_by_steps_is_the_running_product(factors: list[float]) -> None:
    """The state of fixed size gives what the whole history gives."""
    process = EProcess()
    for factor in factors:
        process = process.after(factor)
    history = [0.0, *running_product(factors).tolist()]
    assert process.log10 == pytest.approx(history[-1], abs=1e-9)
    assert process.peak_log10 == pytest.approx(max(history), abs=1e-9)
    assert process.steps == len(factors)


def test_first_crossing() -> None:
    """The first index, not the highest; None where the level is not reached; alpha has its range."""
    assert first_crossing([0.5, 2.0, 1.0, 3.0], 0.01) == 1
    assert first_crossing([0.5, 1.99], 0.01) is None
    assert first_crossing([], 0.01) is None
    for alpha in (0.0, 1.5, math.nan):
        with pytest.raises(ValueError, match="alpha"):
            first_crossing([1.0], alpha)
    with pytest.raises(ValueError, match="one process"):
        first_crossing([[1.0]], 0.01)


# Validity under innocence, by simulation: coin tosses with a known chance of heads, and a bet on more heads.
INNOCENT, STAKED_ON = 0.2, 0.5
HEADS, TAILS = math.log10(STAKED_ON / INNOCENT), math.log10((1 - STAKED_ON) / (1 - INNOCENT))
RUNS = 200_000


def innocent_factors(seed: int, tosses: int) -> np.ndarray:
    heads = np.random.default_rng(seed).random((RUNS, tosses)) < INNOCENT
    return np.where(heads, HEADS, TAILS)


def assert_valid(log10_e: np.ndarray) -> None:
    """Mean at most 1 within four standard errors, and Markov's bound at 10 and 100, each with a margin for chance."""
    e = 10.0**log10_e
    assert e.mean() <= 1.0 + 4.0 * e.std() / math.sqrt(e.size)
    for k in (1, 2):
        bound = 10.0**-k
        assert np.mean(log10_e >= k) <= bound + 4.0 * math.sqrt(bound / e.size)


def test_products_and_mixtures_of_innocent_evidence_stay_valid() -> None:
    """The mean of E is at most 1 and P(E >= 10^k) <= 10^-k, for a product and for a mixture of dependent ones."""
    factors = innocent_factors(seed=1, tosses=6)
    assert_valid(product(factors))
    # The same tosses bet on twice: as dependent as can be.
    dependent = np.stack([product(factors[:, :3]), product(factors[:, :3]), product(factors)], axis=-1)
    assert_valid(mixture(dependent, [1.0, 2.0, 0.5]))


def test_the_best_of_several_is_no_e_value() -> None:
    """The rule against taking the maximum has a reason: its mean is well above 1. So is that of a reused factor."""
    factors = innocent_factors(seed=2, tosses=6)
    assert (10.0 ** factors.max(axis=-1)).mean() > 1.5
    assert (10.0 ** (2.0 * factors[:, 0])).mean() > 1.2


def test_stopping_when_one_likes_is_allowed() -> None:
    """Ville: the chance of ever reaching 1/alpha is at most alpha, and E at a greedy stop has mean at most 1."""
    process = running_product(innocent_factors(seed=3, tosses=60))
    for alpha in (0.1, 0.05, 0.01):
        ever = np.mean(process.max(axis=-1) >= -math.log10(alpha))
        assert ever <= alpha + 4.0 * math.sqrt(alpha / RUNS)
        assert ever > alpha / 10  # the bound is not idle: the test would notice a factor of ten
    # Stop at the first value of 5 or more, else at the end.
    reached = process >= math.log10(5.0)
    stop = np.where(reached.any(axis=-1), reached.argmax(axis=-1), process.shape[1] - 1)
    assert_valid(process[np.arange(RUNS), stop])
    # The peak itself is not an e-value.
    assert (10.0 ** process.max(axis=-1)).mean() > 1.5
