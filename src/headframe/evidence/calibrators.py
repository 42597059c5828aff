"""From p-values to e-values and back.

A p-value is a number with ``P(p <= t) <= t`` under innocence (super-uniform). A calibrator is a decreasing function
``f`` of it with ``integral_0^1 f(t) dt <= 1``: then ``f(p)`` is an e-value [1]_. There is no best one. It must be
chosen, with its parameter, before the p-value is known: the best of several calibrators is no e-value, their mean is.

References
----------
.. [1] Vovk and Wang, "E-values: calibration, combination and applications", Annals of Statistics 49(3), 2021,
   section 2. doi:10.1214/20-AOS2020
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headframe.evidence.evalue import checked_log10_e

EXACT_TERMS = 1_000_000
"""Ranks whose weights are summed one by one; beyond, an integral bounds the rest from above. That errs on the
innocent's side, by less than the first of the terms it stands for."""

_SERIES_BELOW = 1.0
_SERIES = [1.0 / math.factorial(power + 2) for power in range(18)]
"""(e^x - 1 - x) / x^2 as a power series: the closed form loses all figures near x = 0. For x <= 1 the first term
left out is 1/20!, below the last bit."""


def checked_p(p: ArrayLike) -> NDArray[np.float64]:
    """The p-values as float64.

    Raises
    ------
    ValueError
        If one is NaN, 0 or less, or above 1.
    """
    values = np.asarray(p, dtype=np.float64)
    if not bool(np.all((values > 0.0) & (values <= 1.0))):
        bad = int(np.count_nonzero(~((values > 0.0) & (values <= 1.0))))
        raise ValueError(
            f"{bad} of {values.size} p-values are NaN or outside 0 < p <= 1; a p-value of 0 is a rounding, not a result"
        )
    return values


def kappa_calibrator(p: ArrayLike, kappa: float) -> NDArray[np.float64]:
    """The power calibrator: ``E = kappa * p^(kappa - 1)``.

    Its integral over ``0 < p <= 1`` is 1 for each `kappa`. Small `kappa` pays more for very small p and less for the
    rest; 1 never pays. For a given p the best would be ``kappa = -1 / ln p``, which must not be looked up from p.

    Parameters
    ----------
    p : float64[...]
        Super-uniform under innocence, 0 < p <= 1. [unitless]
    kappa : float
        0 < kappa <= 1, fixed in advance.

    Returns
    -------
    float64[...]
        log10(E). [unitless]

    Raises
    ------
    ValueError
        If `kappa` or a p-value is outside its range.

    Examples
    --------
    >>> float(kappa_calibrator(1e-4, kappa=0.5))  # E = 50
    1.698970004336...

    References
    ----------
    .. [1] Vovk and Wang, Annals of Statistics 49(3), 2021, section 2, Eq. 1. doi:10.1214/20-AOS2020
    """
    if not 0.0 < kappa <= 1.0:
        raise ValueError(f"kappa must lie above 0 and be at most 1, got {kappa}")
    return np.asarray(math.log10(kappa) + (kappa - 1.0) * np.log10(checked_p(p)))[()]


def mixture_calibrator(p: ArrayLike) -> NDArray[np.float64]:
    """The power calibrators mixed evenly over kappa: ``E = (1 - p + p ln p) / (p (ln p)^2)``.

    It needs no choice of kappa and is of order ``1 / (p (ln p)^2)`` for small p. At p = 1 it is 1/2.

    Parameters
    ----------
    p : float64[...]
        Super-uniform under innocence, 0 < p <= 1. [unitless]

    Returns
    -------
    float64[...]
        log10(E). [unitless]

    Raises
    ------
    ValueError
        If a p-value is outside its range.

    Examples
    --------
    >>> round(float(10 ** mixture_calibrator(0.001)), 2)
    20.79

    References
    ----------
    .. [1] Vovk and Wang, Annals of Statistics 49(3), 2021, section 2, Eq. 2. doi:10.1214/20-AOS2020
    """
    x = -np.log(checked_p(p))  # E = (e^x - 1 - x) / x^2
    near = np.minimum(x, _SERIES_BELOW)
    far = np.maximum(x, _SERIES_BELOW)
    # e^x is taken out as x / ln 10, so that p = 5e-324 does not overflow.
    log10_far = far / math.log(10.0) + np.log10(-np.expm1(-far) - far * np.exp(-far)) - 2.0 * np.log10(far)
    log10_near = np.log10(np.polynomial.polynomial.polyval(near, _SERIES))
    return np.asarray(np.where(x < _SERIES_BELOW, log10_near, log10_far))[()]


def rank_calibrator(p: ArrayLike, n_peers: int, kappa: float = 0.0) -> NDArray[np.float64]:
    """Calibrator for a rank among peers: ``E = (n + 1) r^(kappa - 1) / sum_{j=1}^{n+1} j^(kappa - 1)``.

    A conformal p-value with n peers is ``r / (n + 1)`` for a rank r from 1 to n + 1. On this grid a calibrator only
    needs mean 1 over the ranks (a decreasing f with mean 1 is the discrete form of the integral), so it may pay more
    than one for continuous p-values: the grid has no p below ``1 / (n + 1)`` to save for. ``kappa = 0`` pays
    ``(n + 1) / (r H_{n+1})`` with the harmonic number H: 19.3 for the first of 99 peers, against 4.5 from
    `mixture_calibrator` at the same p. ``kappa = -inf`` stakes all on the first rank and pays ``n + 1`` or nothing.

    Parameters
    ----------
    p : float64[...]
        Super-uniform under innocence; values between the steps count as the next higher step. [unitless]
    n_peers : int
        n >= 1.
    kappa : float
        At most 1; ``-inf`` is allowed. Fixed in advance.

    Returns
    -------
    float64[...]
        log10(E), at most ``largest_log10_e(n_peers, kappa)``. [unitless]

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> round(float(10 ** rank_calibrator(0.01, n_peers=99)), 1)
    19.3
    """
    values = checked_p(p)
    top = largest_log10_e(n_peers, kappa)
    # p = r / (n + 1) was rounded on its way: four units in the last place keep r from becoming r + 1.
    rank = np.maximum(np.ceil(values * (n_peers + 1) * (1.0 - 4.0 * np.finfo(np.float64).eps)), 1.0)
    if math.isinf(kappa):
        return np.asarray(np.where(rank == 1.0, top, -np.inf))[()]
    return np.asarray(top + (kappa - 1.0) * np.log10(rank))[()]


def largest_log10_e(n_peers: int, kappa: float | None = None) -> float:
    """The most that a rank among `n_peers` can show.

    Under innocence the subject is first among n exchangeable peers once in n + 1 times, so no e-value from its rank
    can exceed n + 1 there, whichever calibrator is used.

    Parameters
    ----------
    n_peers : int
        n >= 1.
    kappa : float, optional
        What `rank_calibrator` pays to the first rank with this `kappa`. Left out: the ceiling ``log10(n + 1)`` of all
        calibrators.

    Returns
    -------
    float
        log10(E). [unitless]

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> largest_log10_e(999)
    3.0
    >>> round(largest_log10_e(999, kappa=0.0), 2)
    2.13
    """
    if n_peers < 1:
        raise ValueError(f"a rank needs at least one peer, got {n_peers}")
    if kappa is None or kappa == -math.inf:
        return math.log10(n_peers + 1)
    if not kappa <= 1.0:
        raise ValueError(f"kappa must be at most 1, got {kappa}")
    return math.log10(n_peers + 1) - math.log10(_rank_weights(n_peers + 1, kappa))


def peers_needed(log10_e: float, kappa: float | None = None) -> int:
    """How many peers it takes for the first rank to show so much: the inverse of `largest_log10_e`.

    Parameters
    ----------
    log10_e : float
        0 < log10_e <= 12; nobody has more peers. [unitless]
    kappa : float, optional
        As in `largest_log10_e`; below 1.

    Returns
    -------
    int
        The smallest sufficient number.

    Raises
    ------
    ValueError
        If an argument is outside its range, or more than 10^15 peers would be needed.

    Examples
    --------
    >>> peers_needed(2.0)
    99
    """
    most = 10**15
    if not 0.0 < log10_e <= 12.0:
        raise ValueError(f"log10_e must lie above 0 and be at most 12, got {log10_e}")
    tolerance = 1e-12  # log10(100) may come out one unit below 2
    if largest_log10_e(most, kappa) < log10_e:
        raise ValueError(f"not even 10^15 peers show log10_e = {log10_e} with kappa = {kappa}")
    low, high = 0, 1
    while largest_log10_e(high, kappa) < log10_e - tolerance:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if largest_log10_e(middle, kappa) < log10_e - tolerance:
            low = middle
        else:
            high = middle
    return high


def e_to_p(log10_e: ArrayLike) -> NDArray[np.float64]:
    """The p-value of an e-value: ``min(1, 1 / E)``, by Markov's inequality; the only admissible way back.

    Going from p to E and back loses: 0.001 becomes 0.048 with `mixture_calibrator`. Convert once, at the edge.

    Parameters
    ----------
    log10_e : float64[...]
        [unitless]

    Returns
    -------
    float64[...]
        Never 0: the smallest float stands for anything below it. [unitless]

    Raises
    ------
    ValueError
        If a value is NaN or +inf.

    References
    ----------
    .. [1] Vovk and Wang, Annals of Statistics 49(3), 2021, Proposition 2.2. doi:10.1214/20-AOS2020
    """
    values = checked_log10_e(log10_e)
    return np.asarray(np.maximum(10.0 ** np.minimum(-values, 0.0), math.ulp(0.0)))[()]


@lru_cache(maxsize=256)
def _rank_weights(ranks: int, kappa: float) -> float:
    """``sum_{j=1}^{ranks} j^(kappa - 1)``, from above where there are too many terms."""
    exact = min(ranks, EXACT_TERMS)
    total = float(np.sum(np.arange(1, exact + 1, dtype=np.float64) ** (kappa - 1.0)))
    if ranks > exact:  # each term j is below the integral of x^(kappa - 1) from j - 1 to j
        if abs(kappa) < 1e-9:
            total += math.log(ranks / exact) * max(1.0, (ranks / exact) ** kappa)
        else:
            total += (ranks**kappa - exact**kappa) / kappa
    return total
