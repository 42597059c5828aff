"""Lists: they are their definitions, and hold their rate on simulated populations, dependent ones too."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headframe.evidence.calibrators import mixture_calibrator, rank_calibrator
from headframe.evidence.conformal import conformal_p_values
from headframe.evidence.lists import (
    ControlledList,
    benjamini_hochberg,
    benjamini_yekutieli,
    e_benjamini_hochberg,
)

PS = st.lists(st.one_of(st.floats(1e-12, 1.0), st.sampled_from([0.01, 0.05, 1.0])), max_size=40)
LOG10_ES = st.lists(st.one_of(st.floats(-6, 6), st.sampled_from([-math.inf, 0.0, 1.0, 2.0])), max_size=40)
RATES = st.sampled_from([0.01, 0.05, 0.1, 0.5])
LISTS = [benjamini_hochberg, benjamini_yekutieli, e_benjamini_hochberg]


def naive_step_up(p: list[float], fdr: float) -> list[bool]:
    """The largest k such that k values lie at or below k fdr / m, by trying each k."""
    m = len(p)
    best = max((k for k in range(1, m + 1) if sum(v <= k * fdr / m for v in p) >= k), default=0)
    return [best > 0 and v <= best * fdr / m for v in p]


def naive_e_bh(e: list[float], fdr: float) -> list[bool]:
    """The largest k such that k values reach m / (k fdr), by trying each k."""
    m = len(e)
    best = max((k for k in range(1, m + 1) if sum(v >= m / (k * fdr) for v in e) >= k), default=0)
    return [best > 0 and v >= m / (best * fdr) for v in e]


def clear_of_the_edge(p: list[float], fdr: float) -> bool:
    """No value so close to a threshold that rounding decides."""
    m = len(p)
    return all(abs(v * m / (k * fdr) - 1.0) > 1e-9 for v in p for k in range(1, m + 1))


@given(PS, RATES)
def test_bh_is_its_definition(p: list[float], fdr: float) -> None:
    """Against trying every length."""
    assume(clear_of_the_edge(p, fdr))
    assert benjamini_hochberg(p, fdr).listed.tolist() == naive_step_up(p, fdr)


@given(PS, RATES)
def test_by_is_bh_at_a_stricter_rate(p: list[float], fdr: float) -> None:
    """Divided by the harmonic number."""
    stricter = fdr / math.fsum(1 / k for k in range(1, len(p) + 1)) if p else fdr
    assume(clear_of_the_edge(p, stricter))
    assert benjamini_yekutieli(p, fdr).listed.tolist() == naive_step_up(p, stricter)


@given(LOG10_ES, RATES)
def test_e_bh_is_its_definition_and_bh_on_reciprocals(log10_e: list[float], fdr: float) -> None:
    """Against trying every length, and as Benjamini-Hochberg of 1/E."""
    reciprocal = [min(1.0, 10.0**-x) if x > 0 else 1.0 for x in log10_e]
    assume(clear_of_the_edge(reciprocal, fdr))
    found = e_benjamini_hochberg(log10_e, fdr)
    assert found.listed.tolist() == naive_e_bh([10.0**x for x in log10_e], fdr)
    assert found.listed.tolist() == benjamini_hochberg(reciprocal, fdr).listed.tolist()
    assert found.adjusted == pytest.approx(benjamini_hochberg(reciprocal, fdr).adjusted, rel=1e-9)


@pytest.mark.parametrize("cut", LISTS)
@given(values=PS, fdr=RATES)
def test_adjusted_rate_is_the_smallest_that_lists(cut, values: list[float], fdr: float) -> None:  # type: ignore[no-untyped-def]
    """At its adjusted rate a subject is on the list, just below it is not; membership is nothing else."""
    given_values = [-math.log10(v) * 2 for v in values] if cut is e_benjamini_hochberg else values
    found: ControlledList = cut(given_values, fdr)
    assert found.listed.tolist() == [rate <= fdr * (1 + 1e-11) for rate in found.adjusted]
    for place, rate in enumerate(found.adjusted.tolist()):
        if rate < 1.0:
            assert cut(given_values, rate).listed[place]
            assert not cut(given_values, rate * (1 - 1e-6)).listed[place]


@given(PS, RATES, st.randoms(use_true_random=False))
def test_order_of_subjects_does_not_matter(p: list[float], fdr: float, random) -> None:  # type: ignore[no-untyped-def]
    """The same subjects are listed however they are numbered; a longer list at a higher rate."""
    order = random.sample(range(len(p)), len(p))
    shuffled = benjamini_hochberg([p[i] for i in order], fdr)
    straight = benjamini_hochberg(p, fdr)
    assert shuffled.adjusted.tolist() == straight.adjusted[order].tolist()
    assert np.all(straight.listed <= benjamini_hochberg(p, min(0.99, 1.5 * fdr)).listed)


def test_round_numbers_are_on_the_list() -> None:
    """What meets the threshold exactly is listed, whatever the rounding."""
    assert benjamini_hochberg([3 / 60], 0.05).size == 1
    assert benjamini_hochberg([0.1, 0.1, 0.1], 0.1).size == 3
    for k in range(1, 13):
        assert e_benjamini_hochberg([float(k)], 10.0**-k).size == 1


def test_what_a_report_says_of_a_list() -> None:
    """Its size and the wrong entries that the rate stands for; nothing listed of nobody."""
    found = e_benjamini_hochberg([5.0] * 40 + [0.0] * 60, 0.05)
    assert (found.method, found.size, found.expected_wrong) == ("e-BH", 40, pytest.approx(2.0))
    for cut in LISTS:
        assert cut([], 0.05).size == 0
    assert e_benjamini_hochberg([-math.inf, 400.0], 0.05).listed.tolist() == [False, True]
    assert e_benjamini_hochberg([-math.inf, 400.0], 0.05).adjusted.min() > 0.0


@pytest.mark.parametrize("cut", LISTS)
def test_impossible_input_is_refused(cut) -> None:  # type: ignore[no-untyped-def]
    """Rates, NaN and tables."""
    for fdr in (0.0, 1.0, -0.1, math.nan):
        with pytest.raises(ValueError, match="false discovery rate"):
            cut([0.5], fdr)
    with pytest.raises(ValueError, match="NaN"):
        cut([0.5, math.nan], 0.05)
    with pytest.raises(ValueError, match="one value for each"):
        cut([[0.5]], 0.05)


# Populations: m subjects, some of which mine; the false discovery proportion averaged over many of them.
RUNS = 3_000


def mean_share_wrong(cut, draw, guilty: np.ndarray, fdr: float, runs: int = RUNS) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Average of (innocent on the list) / (all on the list), with its standard error."""
    shares = np.empty(runs)
    for run in range(runs):
        listed = cut(draw(), fdr).listed
        shares[run] = np.count_nonzero(listed & ~guilty) / max(1, np.count_nonzero(listed))
    return float(shares.mean()), float(shares.std() / math.sqrt(runs))


def test_bh_holds_its_rate_on_conformal_p_values_that_share_their_peers() -> None:
    """The claim of Bates and others: shared peers make p-values dependent, and the list holds all the same."""
    rng = np.random.default_rng(40)
    guilty = np.arange(100) < 10

    def draw() -> np.ndarray:
        return conformal_p_values(rng.normal(size=999), rng.normal(size=100) + 4.0 * guilty)

    mean, error = mean_share_wrong(benjamini_hochberg, draw, guilty, 0.2)
    assert mean <= 0.2 * 0.9 + 4 * error
    assert mean > 0.1  # it is not idle either


def correlated(rng: np.random.Generator, m: int, correlation: float) -> np.ndarray:
    """Standard normal scores with a common part, or with opposite pairs for a negative correlation."""
    if correlation >= 0:
        return math.sqrt(correlation) * rng.normal() + math.sqrt(1 - correlation) * rng.normal(size=m)
    half = rng.normal(size=m // 2)
    return np.concatenate([half, -half])


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9, -1.0])
def test_e_bh_holds_its_rate_under_dependence(correlation: float) -> None:
    """Likelihood ratios of correlated subjects: common shocks and exact opposites."""
    rng = np.random.default_rng(41)
    guilty = np.zeros(100, dtype=bool)
    guilty[[1, 7, 20, 55, 81]] = True
    effect = 3.0

    def draw() -> np.ndarray:
        score = correlated(rng, 100, correlation) + effect * guilty
        return (effect * score - effect**2 / 2) / math.log(10.0)  # E = exp(effect x - effect^2 / 2)

    mean, error = mean_share_wrong(e_benjamini_hochberg, draw, guilty, 0.2)
    assert mean <= 0.2 * 0.95 + 4 * error


def worst_case_p(rng: np.random.Generator, m: int, fdr: float) -> np.ndarray:
    """All innocent, each p uniform, and so arranged that Benjamini-Hochberg errs as often as it can.

    With chance fdr / k for each k up to m, exactly k of the p-values lie evenly in ((k - 1) fdr / m, k fdr / m], and
    the others above fdr. Each p then has density 1 below fdr: sum over k of (fdr / k) (k / m) (m / fdr) / m.
    """
    chances = fdr / np.arange(1, m + 1)
    k = int(np.searchsorted(np.cumsum(chances), rng.random(), side="right")) + 1
    p = fdr + (1 - fdr) * (1.0 - rng.random(m))
    if k <= m:
        p[rng.permutation(m)[:k]] = (k - 1 + 1.0 - rng.random(k)) * fdr / m
    return p


def test_bh_can_fail_under_dependence_where_by_and_e_bh_do_not() -> None:
    """The condition matters: on the worst arrangement BH exceeds its rate by far, the others hold it."""
    rng = np.random.default_rng(42)
    nobody = np.zeros(50, dtype=bool)
    fdr = 0.1
    p = np.concatenate([worst_case_p(rng, 50, fdr) for _ in range(4000)])
    for t in (fdr / 50, fdr / 2, fdr, 0.5):
        assert np.mean(p <= t) <= t + 0.005  # every one of them is a p-value
    wrong = {
        cut: mean_share_wrong(cut, lambda: worst_case_p(rng, 50, fdr), nobody, fdr)
        for cut in (benjamini_hochberg, benjamini_yekutieli)
    }
    assert wrong[benjamini_hochberg][0] > 3 * fdr
    assert wrong[benjamini_yekutieli][0] <= fdr + 4 * wrong[benjamini_yekutieli][1]
    mean, error = mean_share_wrong(
        e_benjamini_hochberg, lambda: mixture_calibrator(worst_case_p(rng, 50, fdr)), nobody, fdr
    )
    assert mean <= fdr + 4 * error


def test_e_bh_on_calibrated_ranks_holds_its_rate_and_finds_somebody() -> None:
    """From peers to a list by way of e-values: with enough peers for the length of the list."""
    rng = np.random.default_rng(43)
    guilty = np.arange(50) < 10

    def draw() -> np.ndarray:
        return rank_calibrator(conformal_p_values(rng.normal(size=2000), rng.normal(size=50) + 5.0 * guilty), 2000)

    mean, error = mean_share_wrong(e_benjamini_hochberg, draw, guilty, 0.2, runs=1000)
    assert mean <= 0.2 * 0.8 + 4 * error
    assert e_benjamini_hochberg(draw(), 0.2).size >= 5
