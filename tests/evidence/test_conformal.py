"""Conformal p-values: the rank of an innocent subject is uniform, with ties and with weights too."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.evidence.calibrators import rank_calibrator
from headframe.evidence.conformal import conformal_p_values, too_few_peers, weighted_conformal_p_values
from headframe.evidence.lists import benjamini_hochberg

SCORES = st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(-1e9, 1e9)), min_size=1, max_size=40)


def naive_p(calibration: list[float], weights: list[float], score: float, own: float) -> float:
    """The definition: a sum over peers."""
    above = own + math.fsum(w for c, w in zip(calibration, weights, strict=True) if c >= score)
    return above / (own + math.fsum(weights))


@given(SCORES, SCORES, st.data())
def test_p_values_are_their_definition(calibration: list[float], scores: list[float], data: st.DataObject) -> None:
    """By sorting and searching as by counting; with equal weights the weighted form is the plain one."""
    ones = [1.0] * len(calibration)
    naive = [naive_p(calibration, ones, score, 1.0) for score in scores]
    assert conformal_p_values(calibration, scores) == pytest.approx(naive)
    assert weighted_conformal_p_values(calibration, ones, scores, [1.0] * len(scores)) == pytest.approx(naive)
    weights = data.draw(st.lists(st.floats(0, 9), min_size=len(calibration), max_size=len(calibration)))
    assert weighted_conformal_p_values(calibration, weights, scores, [0.5] * len(scores)) == pytest.approx(
        [naive_p(calibration, weights, score, 0.5) for score in scores]
    )


@given(SCORES, SCORES, st.integers(0, 2**32))
def test_breaking_ties_moves_a_rank_within_its_tie(calibration: list[float], scores: list[float], seed: int) -> None:
    """Not above the p-value that counts all ties for the subject, not below the one that counts none."""
    p = conformal_p_values(calibration, scores, np.random.default_rng(seed))
    n = len(calibration)
    for score, value in zip(scores, p, strict=True):
        rank = value * (n + 1)
        assert rank == pytest.approx(round(rank), abs=1e-9)
        assert 1 + sum(c > score for c in calibration) <= round(rank) <= 1 + sum(c >= score for c in calibration)


@given(SCORES, st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_more_unusual_is_never_less_significant(calibration: list[float], one: float, other: float) -> None:
    """p falls as the score rises; the order of the peers is of no account."""
    low, high = min(one, other), max(one, other)
    p = conformal_p_values(calibration, [low, high])
    assert p[0] >= p[1]
    assert p.tolist() == conformal_p_values(calibration[::-1], [low, high]).tolist()


def test_infinite_scores_have_a_rank() -> None:
    """Infinity is a score, the highest."""
    assert conformal_p_values([1.0, np.inf], [np.inf, -np.inf, 2.0]).tolist() == pytest.approx([2 / 3, 1.0, 2 / 3])


def test_missing_scores_and_missing_peers_are_told_apart() -> None:
    """A subject without a score has no answer; a peer without one, or no peers, is a fault of the caller."""
    for rng in (None, np.random.default_rng(1)):
        p = conformal_p_values([1.0, 2.0], [np.nan, 3.0], rng)
        assert np.isnan(p[0])
        assert p[1] == pytest.approx(1 / 3)
        with pytest.raises(ValueError, match="1 of 2 peers have no score"):
            conformal_p_values([1.0, np.nan], [1.0], rng)
        with pytest.raises(ValueError, match="at least one peer"):
            conformal_p_values([], [1.0], rng)
    assert np.isnan(weighted_conformal_p_values([1.0], [1.0], [np.nan], [1.0])[0])
    assert conformal_p_values([1.0], []).size == 0


@pytest.mark.parametrize(
    ("peer_weights", "own"), [([1.0], [1.0]), ([1.0, -1.0], [1.0]), ([1.0, 1.0], [0.0]), ([1.0, math.nan], [1.0])]
)
def test_impossible_weights_are_refused(peer_weights: list[float], own: list[float]) -> None:
    """Among them a subject of weight 0, which its peers' distribution could not tell anything about."""
    with pytest.raises(ValueError, match="weight"):
        weighted_conformal_p_values([1.0, 2.0], peer_weights, [1.0], own)


def test_shortage_of_peers_is_said_with_figures() -> None:
    """What is there, what it can show, what it takes."""
    assert too_few_peers(999, 3.0) is None
    assert (
        too_few_peers(998, 3.0) == "998 comparable points show at most log10_e = 2.99; log10_e = 3 takes 999 of them."
    )
    assert too_few_peers(0, 2.0, 0.0) == "No comparable points with a score; log10_e = 2 takes 715 of them."


def test_random_ranks_of_the_innocent_are_uniform() -> None:
    """With ties broken at random each rank is as likely as the next, though scores take three values only."""
    rng = np.random.default_rng(30)
    n, runs = 9, 40_000
    counts = np.zeros(n + 1)
    for _ in range(runs):
        scores = rng.integers(0, 3, n + 1)
        p = conformal_p_values(scores[:n], scores[n:], rng)
        counts[round(p[0] * (n + 1)) - 1] += 1
    chi_square = float(((counts - runs / (n + 1)) ** 2 / (runs / (n + 1))).sum())
    assert chi_square < 27.9  # 0.999 quantile with 9 degrees of freedom


def test_p_values_of_the_innocent_are_super_uniform_and_give_e_values() -> None:
    """P(p <= t) <= t without breaking ties, and the calibrated rank has mean at most 1."""
    rng = np.random.default_rng(31)
    n, runs = 19, 30_000
    scores = np.round(rng.normal(size=(runs, n + 1)), 1)
    p = np.concatenate([conformal_p_values(row[:n], row[n:]) for row in scores])
    for t in (0.05, 0.1, 0.25, 0.5):
        assert np.mean(p <= t + 1e-12) <= t + 4 * math.sqrt(t / runs)
    e = 10.0 ** rank_calibrator(p, n)
    assert e.mean() <= 1.0 + 4 * e.std() / math.sqrt(runs)


def test_weights_repair_a_known_difference_and_only_they_do() -> None:
    """Subjects whose covariate is shifted: plain p-values are too small too often, weighted ones are not."""
    rng = np.random.default_rng(32)
    n, runs, shift = 49, 20_000, 1.0

    def weight(covariate: np.ndarray) -> np.ndarray:
        return np.exp(shift * covariate - shift**2 / 2)  # density of N(shift, 1) over that of N(0, 1)

    plain, weighted = np.empty(runs), np.empty(runs)
    for run in range(runs):
        peers, subject = rng.normal(size=n), rng.normal(shift, size=1)
        calibration, score = peers + rng.normal(size=n), subject + rng.normal(size=1)
        plain[run] = conformal_p_values(calibration, score)[0]
        weighted[run] = weighted_conformal_p_values(calibration, weight(peers), score, weight(subject))[0]
    for t in (0.1, 0.2, 0.5):
        assert np.mean(weighted <= t) <= t + 4 * math.sqrt(t / runs)
        assert np.mean(plain <= t) > t + 8 * math.sqrt(t / runs)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60, unique=True), st.floats(0.01, 0.99))
def test_no_list_can_be_cut_from_ranks_of_a_group_within_itself(scores: list[float], fdr: float) -> None:
    """The trap that the module warns of: such p-values are 1/m .. m/m whatever was measured."""
    array = np.array(scores)
    within = np.array([(1 + np.sum(np.delete(array, i) >= array[i])) / array.size for i in range(array.size)])
    assert sorted(within) == pytest.approx([(i + 1) / array.size for i in range(array.size)])
    assert benjamini_hochberg(within, fdr).size == 0
