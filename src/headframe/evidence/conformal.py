"""Conformal p-values: where a score stands among those of comparable points.

Any score will do, from a load factor to a learned model, so long as higher means more unusual. If the subject is
innocent it is one more draw from the same urn as its peers (exchangeable with them), so its rank is uniform, and no
model of the score is needed.

What breaks it:

- peers that are not comparable: another climate, tariff, season, or kind of building;
- a score that was fitted to the peers but not to the subject, or to both in different ways;
- a second comparison of those that stood out in the first, with the same peers;
- ranks of a group *within itself*: they are ``1/m .. m/m`` whatever the data are, so no list can ever be cut from them.
  The candidates of a list need peers that are not candidates.

Peers among whom some mine do not break it. They make it weaker.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headframe.evidence.calibrators import largest_log10_e, peers_needed


def conformal_p_values(
    calibration: ArrayLike, scores: ArrayLike, rng: np.random.Generator | None = None
) -> NDArray[np.float64]:
    """Split-conformal p-value of each score: ``(1 + #{peers with an equal or higher score}) / (n + 1)``.

    With n exchangeable peers ``P(p <= t) <= t`` for each subject that is innocent [1]_, on average over the choice of
    peers (marginally). p-values that share their peers are dependent, but positively (PRDS) where scores have no ties
    [2]_, so that Benjamini-Hochberg holds for a list of them; e-BH holds in any case.

    Parameters
    ----------
    calibration : float64[n]
        Scores of the peers, n >= 1, higher is more unusual, no NaN. The scoring rule must not have been fitted to them.
    scores : float64[m]
        Scores of the subjects, by the same rule. NaN: the subject has no answer.
    rng : numpy.random.Generator, optional
        Breaks ties at random, evenly, by one draw for each peer and subject. The p-values are then exactly uniform on
        ``1/(n+1), ..., 1``, and PRDS holds with ties too. Without it a tie counts for the subject, which is valid
        and, where there are many ties, weak.

    Returns
    -------
    float64[m]
        From ``1 / (n + 1)`` to 1; NaN where the score is.

    Raises
    ------
    ValueError
        If there is no peer, or a peer's score is NaN.

    Examples
    --------
    >>> conformal_p_values([0.2, 0.5, 0.9], [0.95, 0.5])
    array([0.25, 0.75])

    References
    ----------
    .. [1] Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", Springer, 2005, chapters 2 and 4.
    .. [2] Bates, Candes, Lei, Romano and Sesia, "Testing for outliers with conformal p-values", Annals of Statistics
       51(1), 2023, section 2 (marginal p-values, PRDS). doi:10.1214/22-AOS2244
    """
    peers = np.sort(_peers(calibration))
    subjects = np.atleast_1d(np.asarray(scores, dtype=np.float64))
    if rng is not None:
        levels, level_of_peer = np.unique(peers, return_inverse=True)
        place = np.searchsorted(levels, subjects, side="left")
        tied = (place < levels.size) & (levels[np.minimum(place, levels.size - 1)] == subjects)
        # A level's number plus a fraction orders by score, then at random. The fraction stays clear of 1, or rounding
        # would lift it into the next level (good for 2^32 levels).
        below_one = 1.0 - 2.0**-20
        peers = np.sort(level_of_peer + rng.random(peers.size) * below_one)
        subjects = np.where(np.isnan(subjects), np.nan, place + tied * rng.random(subjects.size) * below_one)
    at_least = peers.size - np.searchsorted(peers, subjects, side="left")
    return np.where(np.isnan(subjects), np.nan, (1.0 + at_least) / (peers.size + 1.0))


def weighted_conformal_p_values(
    calibration: ArrayLike, calibration_weights: ArrayLike, scores: ArrayLike, score_weights: ArrayLike
) -> NDArray[np.float64]:
    """Conformal p-values when subjects differ from their peers in a known way.

    ``p = (w + sum of w_i over peers with an equal or higher score) / (w + sum of w_i)``, where a point's weight is the
    likelihood ratio, at its covariates, of the subjects' distribution to the peers' [1]_. It is valid if, given the
    covariates, innocent scores are distributed alike in both groups, and if the ratio is known. With estimated weights
    it holds nearly; with weights by mere similarity it holds up to the weighted distance between the distributions
    [2]_. These p-values are *not* PRDS: Benjamini-Hochberg is not proven for them [3]_. Cut lists of them with e-BH
    through `mixture_calibrator`, or with Benjamini-Yekutieli.

    Parameters
    ----------
    calibration : float64[n]
        Scores of the peers, n >= 1, no NaN.
    calibration_weights : float64[n]
        0 or more; a common factor with `score_weights` does not matter.
    scores : float64[m]
        NaN: no answer.
    score_weights : float64[m]
        Above 0.

    Returns
    -------
    float64[m]
        Above 0 and at most 1; NaN where the score is.

    Raises
    ------
    ValueError
        If there is no peer, a peer's score is NaN, shapes differ, or a weight is outside its range.

    References
    ----------
    .. [1] Tibshirani, Barber, Candes and Ramdas, "Conformal prediction under covariate shift", NeurIPS 32, 2019,
       section 2. arXiv:1904.06019
    .. [2] Barber, Candes, Ramdas and Tibshirani, "Conformal prediction beyond exchangeability", Annals of Statistics
       51(2), 2023, section 4. doi:10.1214/23-AOS2276
    .. [3] Jin and Candes, "Model-free selective inference under covariate shift via weighted conformal p-values", 2023.
       arXiv:2307.09291
    """
    peers = _peers(calibration)
    weights = np.asarray(calibration_weights, dtype=np.float64)
    subjects = np.atleast_1d(np.asarray(scores, dtype=np.float64))
    own = np.atleast_1d(np.asarray(score_weights, dtype=np.float64))
    if weights.shape != peers.shape or own.shape != subjects.shape:
        raise ValueError(
            f"one weight for each score: {weights.shape} for {peers.shape}, {own.shape} for {subjects.shape}"
        )
    if not bool(np.all((weights >= 0.0) & (weights < np.inf))) or not bool(np.all((own > 0.0) & (own < np.inf))):
        raise ValueError("weights must be finite, 0 or more for peers and above 0 for subjects")
    order = np.argsort(peers, kind="stable")
    # Weight of the peers from each place up; the last entry, beyond all peers, is 0.
    from_here_up = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
    at_least = from_here_up[np.searchsorted(peers[order], subjects, side="left")]
    return np.where(np.isnan(subjects), np.nan, (own + at_least) / (own + from_here_up[0]))


def too_few_peers(n_peers: int, wanted_log10_e: float, kappa: float | None = None) -> str | None:
    """A sentence for the report where the peers cannot show what is wanted; None where they can.

    Parameters
    ----------
    n_peers : int
        How many comparable points have a score.
    wanted_log10_e : float
        0 < wanted_log10_e <= 12. [unitless]
    kappa : float, optional
        Of `rank_calibrator`; left out, the ceiling of all calibrators.

    Returns
    -------
    str or None

    Raises
    ------
    ValueError
        If `wanted_log10_e` or `kappa` is outside its range.

    Examples
    --------
    >>> too_few_peers(20, 2.0)
    '20 comparable points show at most log10_e = 1.32; log10_e = 2 takes 99 of them.'
    """
    needed = peers_needed(wanted_log10_e, kappa)
    if n_peers >= needed:
        return None
    if n_peers < 1:
        return f"No comparable points with a score; log10_e = {wanted_log10_e:g} takes {needed:,} of them."
    most = math.floor(largest_log10_e(n_peers, kappa) * 100.0) / 100.0  # down: 2.996 must not read as 3.00
    return (
        f"{n_peers:,} comparable points show at most log10_e = {most:.2f}; "
        f"log10_e = {wanted_log10_e:g} takes {needed:,} of them."
    )


def _peers(calibration: ArrayLike) -> NDArray[np.float64]:
    """The peers' scores, if a rank among them means something."""
    peers = np.asarray(calibration, dtype=np.float64)
    if peers.ndim != 1 or peers.size == 0:
        raise ValueError(f"need one row of at least one peer's score, got shape {peers.shape}")
    missing = int(np.count_nonzero(np.isnan(peers)))
    if missing:
        raise ValueError(
            f"{missing} of {peers.size} peers have no score (NaN); leave them out, by a rule that "
            "treats the subjects alike"
        )
    return peers
