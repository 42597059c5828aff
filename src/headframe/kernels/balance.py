"""Balance of a transformer: a residual, what may explain it, and the search for what does not.

The residual ``r`` of each interval is ``m + X b + s u + e``: a mean that is known, effects ``b`` with a prior (standard
normal; the columns of ``X`` carry their deviations), an unmetered load ``u >= 0`` that runs in the pattern ``s``, and
noise ``e`` with weight ``W`` (the reciprocal of its variance). Without ``u``, ``r - m`` has the covariance
``V = W^-1 + X X'``, and ``z = s' V^-1 (r - m) / sqrt(s' V^-1 s)`` is standard normal for each pattern: that is the
score test of generalised least squares [1]_. ``V`` is never built: by Woodbury's identity everything is a few products
with ``M = I + X' W X``.

A pattern that holds since day ``d`` is a sum over the days from ``d`` on, so all onsets cost what one costs.

All of it is dense linear algebra: numpy's routines are the fast form, and nothing here is compiled.

References
----------
.. [1] C. R. Rao and H. Toutenburg, "Linear Models: Least Squares and Alternatives", 2nd ed., Springer,
   1999, section 4.2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class EffectFit(NamedTuple):
    """A residual with its explained part taken out.

    `weight` is float64[t], `design` float64[t, q], `inverse_factor` float64[q, q] with ``M^-1 = inverse_factor'
    inverse_factor``, `whitened` float64[t] is ``V^-1 (r - m)``, `effects` float64[q] the posterior means.
    """

    weight: Floats
    design: Floats
    inverse_factor: Floats
    whitened: Floats
    effects: Floats


class OnsetScan(NamedTuple):
    """For each pattern and onset: ``s' V^-1 (r - m)`` and ``s' V^-1 s``, float64[k, d] each."""

    score: Floats
    information: Floats

    @property
    def z(self) -> Floats:
        """Standard normal under the null, each; 0 where a pattern has no information."""
        safe = np.where(self.information > 0.0, self.information, 1.0)
        return np.where(self.information > 0.0, self.score / np.sqrt(safe), 0.0)


def fit_effects(centred: Floats, weight: Floats, design: Floats) -> EffectFit:
    """Posterior of the effects, and the residual times the inverse of its covariance.

    Parameters
    ----------
    centred : float64[t]
        Residual minus its known mean; any finite value where `weight` is 0.
    weight : float64[t]
        1 / variance of the noise; 0 leaves the interval out.
    design : float64[t, q]
        Each column times the prior deviation of its effect.

    Returns
    -------
    EffectFit
    """
    weighted = design * weight[:, None]
    factor = np.linalg.cholesky(np.eye(design.shape[1]) + design.T @ weighted)
    inverse_factor = np.linalg.inv(factor)
    effects = inverse_factor.T @ (inverse_factor @ (weighted.T @ centred))
    # V^-1 y = W y - W X M^-1 X' W y = W (y - X b)
    return EffectFit(weight, design, inverse_factor, weight * (centred - design @ effects), effects)


def scan_onsets(fit: EffectFit, patterns: Floats, first: NDArray[np.int64]) -> OnsetScan:
    """Score and information of each pattern, running since the begin of each block of intervals.

    Parameters
    ----------
    fit : EffectFit
        Of t intervals.
    patterns : float64[t, k]
    first : int64[d]
        First interval of each block, ascending; the first is 0. Block d reaches to the next one's begin.

    Returns
    -------
    OnsetScan
        float64[k, d].
    """
    score = _from_here_on(np.add.reduceat(patterns * fit.whitened[:, None], first, axis=0)).T
    weighted = fit.weight[:, None] * patterns
    information = _from_here_on(np.add.reduceat(weighted * patterns, first, axis=0)).T
    # From the last block to the first, so that all that is held is one sum of k by q.
    moments = np.zeros((patterns.shape[1], fit.design.shape[1]))
    for block, begin in reversed(list(enumerate(first))):
        end = first[block + 1] if block + 1 < first.size else fit.weight.size
        moments += weighted[begin:end].T @ fit.design[begin:end]
        information[:, block] -= np.square(moments @ fit.inverse_factor.T).sum(axis=1)
    # Rounding leaves tiny values where a pattern lies wholly in what the effects may explain, or has no weight.
    floor = 1e-9 * (fit.weight[:, None] * patterns**2).sum(axis=0)
    return OnsetScan(score, np.where(information > floor[:, None], information, 0.0))


def _from_here_on(values: Floats) -> Floats:
    """Sum from each row to the last."""
    return np.ascontiguousarray(np.cumsum(values[::-1], axis=0)[::-1])
