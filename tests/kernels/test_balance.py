"""The balance kernels say what the dense formulas say."""

import numpy as np
import pytest

from headframe.kernels.balance import fit_effects, scan_onsets


def problem(seed: int, n: int = 60, q: int = 5, k: int = 3):
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.5, 2.0, n)
    weight[rng.random(n) < 0.2] = 0.0
    return rng.normal(size=n), weight, rng.normal(size=(n, q)), rng.uniform(0.0, 1.0, (n, k))


def naive_score(centred, weight, design, pattern):
    """``s' V^-1 r`` and ``s' V^-1 s`` with V written out, over the intervals that count."""
    rows = [t for t in range(len(weight)) if weight[t] > 0.0]
    covariance = np.zeros((len(rows), len(rows)))
    for a, i in enumerate(rows):
        for b, j in enumerate(rows):
            covariance[a, b] = sum(design[i, c] * design[j, c] for c in range(design.shape[1]))
        covariance[a, a] += 1.0 / weight[i]
    inverse = np.linalg.inv(covariance)
    s, r = pattern[rows], centred[rows]
    return s @ inverse @ r, s @ inverse @ s


@pytest.mark.parametrize("seed", range(4))
def test_scan_is_the_dense_score_test(seed: int) -> None:
    """Woodbury's identity and the running sums change nothing; intervals of weight 0 are not there."""
    centred, weight, design, patterns = problem(seed)
    first = np.array([0, 7, 20, 59])
    scan = scan_onsets(fit_effects(centred, weight, design), patterns, first)
    for pattern in range(patterns.shape[1]):
        for block, begin in enumerate(first):
            since = np.where(np.arange(60) >= begin, patterns[:, pattern], 0.0)
            score, information = naive_score(centred, weight, design, since)
            assert scan.score[pattern, block] == pytest.approx(score, abs=1e-9)
            if information > 1e-6:
                assert scan.information[pattern, block] == pytest.approx(information, abs=1e-9)
                assert scan.z[pattern, block] == pytest.approx(score / np.sqrt(information), abs=1e-8)


def test_effects_are_the_ridge_estimate() -> None:
    """Posterior means under a standard normal prior."""
    centred, weight, design, _ = problem(9)
    fit = fit_effects(centred, weight, design)
    left = design.T @ (weight * centred) - (design.T * weight) @ design @ fit.effects
    np.testing.assert_allclose(left, fit.effects, atol=1e-9)


def test_a_pattern_that_effects_may_explain_has_little_information() -> None:
    """A load in the form of a free effect cannot be told from it; a pattern of zeros has none, and its z is 0."""
    centred, weight, design, patterns = problem(3)
    wide = np.column_stack([design, 1e6 * patterns[:, 0]])
    still = np.column_stack([patterns[:, :1], np.zeros(60)])
    scan = scan_onsets(fit_effects(centred, weight, wide), still, np.array([0]))
    assert abs(scan.z[0, 0]) < 0.01
    assert scan.z[1, 0] == 0.0


def test_z_is_standard_normal_when_the_model_holds() -> None:
    """Over draws of the null the deviation of z is 1, so that p-values mean what they say."""
    rng = np.random.default_rng(5)
    _, weight, design, patterns = problem(5)
    weight = np.where(weight == 0.0, 1.0, weight)
    z = []
    for _ in range(2000):
        centred = design @ rng.normal(size=design.shape[1]) + rng.normal(size=60) / np.sqrt(weight)
        z.append(scan_onsets(fit_effects(centred, weight, design), patterns[:, :1], np.array([0])).z[0, 0])
    assert np.mean(z) == pytest.approx(0.0, abs=0.08)
    assert np.std(z) == pytest.approx(1.0, abs=0.06)
