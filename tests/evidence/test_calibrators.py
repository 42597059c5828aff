"""Calibrators: their integrals are 1, they fall, and what n peers can show is the most that comes out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from headframe.evidence.calibrators import (
    EXACT_TERMS,
    e_to_p,
    kappa_calibrator,
    largest_log10_e,
    mixture_calibrator,
    peers_needed,
    rank_calibrator,
)

P = st.floats(5e-324, 1.0)
KAPPA = st.sampled_from([0.01, 0.1, 0.5, 0.9, 1.0])
RANK_KAPPA = st.sampled_from([-math.inf, -2.0, -0.5, 0.0, 0.3, 1.0])


@pytest.mark.parametrize("kappa", [0.1, 0.5, 0.9, 1.0])
def test_kappa_calibrator_has_integral_one(kappa: float) -> None:
    """The condition of Vovk and Wang, by quadrature; in x = -ln p, where nothing is singular."""
    area, _ = quad(lambda x: 10.0 ** float(kappa_calibrator(math.exp(-x), kappa)) * math.exp(-x), 0.0, 700.0, limit=500)
    assert area == pytest.approx(1.0, abs=1e-6)


def test_mixture_calibrator_has_integral_one() -> None:
    """E is of order 1 / (p (ln p)^2), so beyond x = X an area of about 1/X is left: add it."""
    end = 700.0
    area, _ = quad(lambda x: 10.0 ** float(mixture_calibrator(math.exp(-x))) * math.exp(-x), 0.0, end, limit=500)
    assert area + 1.0 / end == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("p", [1e-300, 1e-9, 0.001, 0.3, 0.36, 0.37, 0.5, 0.99, 1 - 1e-12])
def test_mixture_calibrator_is_the_mean_over_kappa(p: float) -> None:
    """The closed form and its series against the integral it stands for."""
    area, _ = quad(lambda kappa: 10.0 ** float(kappa_calibrator(p, kappa)) * p if kappa else 0.0, 0.0, 1.0, limit=500)
    assert 10.0 ** (float(mixture_calibrator(p)) + math.log10(p)) == pytest.approx(area, rel=1e-6)


def test_mixture_calibrator_at_its_ends() -> None:
    """1/2 at p = 1; no overflow at the smallest float."""
    assert 10.0 ** float(mixture_calibrator(1.0)) == pytest.approx(0.5)
    assert 300.0 < float(mixture_calibrator(5e-324)) < 323.0


@given(P, P, KAPPA)
def test_calibrators_fall(p: float, q: float, kappa: float) -> None:
    """A smaller p is never worth less."""
    low, high = min(p, q), max(p, q)
    assert float(kappa_calibrator(low, kappa)) >= float(kappa_calibrator(high, kappa)) - 1e-12
    assert float(mixture_calibrator(low)) >= float(mixture_calibrator(high)) - 1e-12


@given(st.integers(1, 400), RANK_KAPPA)
def test_rank_calibrator_has_mean_one_over_the_ranks(n_peers: int, kappa: float) -> None:
    """Exactly what a discrete e-value may have; it falls, and its top is what `largest_log10_e` says."""
    p = np.arange(1, n_peers + 2) / (n_peers + 1)
    log10_e = rank_calibrator(p, n_peers, kappa)
    assert (10.0**log10_e).mean() == pytest.approx(1.0, rel=1e-9)
    assert np.all(np.diff(log10_e[log10_e > -np.inf]) <= 1e-12)
    assert log10_e[0] == largest_log10_e(n_peers, kappa)
    assert log10_e.max() <= largest_log10_e(n_peers) + 1e-12


@pytest.mark.parametrize("n_peers", [1, 2, 7, 58, 99, 1000, 99_999])
def test_ranks_survive_rounding(n_peers: int) -> None:
    """p = r / (n + 1) in floating point means rank r, not r + 1; a p between two steps is the higher rank."""
    ranks = np.arange(1, n_peers + 2)
    naive = math.log10(n_peers + 1) - math.log10(math.fsum(1 / j for j in range(1, n_peers + 2))) - np.log10(ranks)
    assert rank_calibrator(ranks / (n_peers + 1), n_peers) == pytest.approx(naive, abs=1e-9)
    between = (ranks - 0.5) / (n_peers + 1)
    assert rank_calibrator(between, n_peers) == pytest.approx(naive, abs=1e-9)


def test_peers_set_the_ceiling() -> None:
    """n peers show at most n + 1, whoever calibrates; tiny p does not help."""
    assert largest_log10_e(9) == 1.0
    assert largest_log10_e(9, -math.inf) == 1.0
    assert float(rank_calibrator(1e-300, 9, -math.inf)) == 1.0
    assert largest_log10_e(9, 0.0) < 1.0
    assert largest_log10_e(9, 1.0) == pytest.approx(0.0)


@pytest.mark.parametrize("kappa", [-1.0, 0.0, 1e-12, -1e-12, 0.5])
def test_very_many_peers_are_bounded_from_the_innocent_side(kappa: float) -> None:
    """Beyond the terms that are summed, an integral takes their place: never more evidence than the sum would give."""
    ranks = EXACT_TERMS + 500_000
    exact = math.fsum((np.arange(1, ranks + 1, dtype=np.float64) ** (kappa - 1.0)).tolist())
    truth = math.log10(ranks) - math.log10(exact)
    assert truth - 1e-6 <= largest_log10_e(ranks - 1, kappa) <= truth + 1e-12


@given(st.floats(0.1, 4.0), st.sampled_from([None, -math.inf, 0.0, 0.3]))
def test_peers_needed_is_the_inverse(log10_e: float, kappa: float | None) -> None:
    """So many suffice and one less does not."""
    needed = peers_needed(log10_e, kappa)
    assert largest_log10_e(needed, kappa) >= log10_e - 1e-9
    assert needed == 1 or largest_log10_e(needed - 1, kappa) < log10_e


def test_peers_needed_for_round_numbers() -> None:
    """99 for a hundred, 999,999 for a million; some things no number of peers can show."""
    assert [peers_needed(k) for k in (1.0, 2.0, 3.0, 6.0)] == [9, 99, 999, 999_999]
    for log10_e, kappa in [(0.0, None), (13.0, None), (math.nan, None), (1.0, 1.0)]:
        with pytest.raises(ValueError, match=r"log10_e|peers"):
            peers_needed(log10_e, kappa)


@pytest.mark.parametrize("p", [0.0, -0.1, 1.0001, math.nan, math.inf])
def test_impossible_p_values_are_refused(p: float) -> None:
    """Among them 0: it would be infinite evidence."""
    for act in (lambda: kappa_calibrator(p, 0.5), lambda: mixture_calibrator(p), lambda: rank_calibrator(p, 9)):
        with pytest.raises(ValueError, match="1 of 1 p-values"):
            act()


def test_impossible_parameters_are_refused() -> None:
    """kappa and the number of peers have their ranges."""
    for kappa in (0.0, 1.1, -1.0, math.nan):
        with pytest.raises(ValueError, match="kappa"):
            kappa_calibrator(0.5, kappa)
    for kappa in (1.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="kappa"):
            rank_calibrator(0.5, 9, kappa)
    with pytest.raises(ValueError, match="at least one peer"):
        largest_log10_e(0)


def test_way_back() -> None:
    """min(1, 1/E), never 0."""
    assert e_to_p([2.0, 0.0, -3.0, -math.inf]).tolist() == [0.01, 1.0, 1.0, 1.0]
    assert float(e_to_p(5000.0)) > 0.0
    with pytest.raises(ValueError, match="NaN"):
        e_to_p(math.nan)


@given(P)
def test_there_and_back_never_gains(p: float) -> None:
    """The p-value that comes back is not smaller than the one that went in."""
    for log10_e in (mixture_calibrator(p), kappa_calibrator(p, 0.3)):
        assert float(e_to_p(log10_e)) >= p * (1 - 1e-9)


def test_calibrated_innocent_p_values_are_e_values() -> None:
    """Mean at most 1 and P(E >= 10^k) <= 10^-k: uniform p, p on a grid, and p that is larger than uniform."""
    rng = np.random.default_rng(20)
    runs = 400_000
    uniform = 1.0 - rng.random(runs)
    grid = rng.integers(1, 101, runs) / 100
    samples = [
        mixture_calibrator(uniform),
        kappa_calibrator(uniform, 0.7),  # for 0.5 and less E has no variance, and a mean over runs settles nothing
        mixture_calibrator(np.sqrt(uniform)),
        rank_calibrator(uniform, 99),
        rank_calibrator(grid, 99),
        rank_calibrator(grid, 99, -math.inf),
        mixture_calibrator(grid),
    ]
    for log10_e in samples:
        e = 10.0**log10_e
        # The heaviest of them has a long tail, so the mean is also held to its truncated form below.
        truncated = np.minimum(e, 1000.0)
        assert truncated.mean() <= 1.0 + 4.0 * truncated.std() / math.sqrt(runs)
        for k in (1, 2, 3):
            assert np.mean(log10_e >= k - 1e-12) <= 10.0**-k + 4.0 * math.sqrt(10.0**-k / runs)
    assert (10.0 ** rank_calibrator(grid, 99)).mean() == pytest.approx(1.0, abs=0.02)


def test_choosing_the_calibrator_by_the_result_breaks_it() -> None:
    """Why kappa is fixed in advance: the best of several has a mean above 1."""
    uniform = 1.0 - np.random.default_rng(21).random(100_000)
    best = np.max([kappa_calibrator(uniform, kappa) for kappa in (0.1, 0.3, 0.6, 1.0)], axis=0)
    assert np.minimum(10.0**best, 1000.0).mean() > 1.3
