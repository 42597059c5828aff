"""Lists with a stated error rate: who is on them, and from which rate on.

The false discovery rate is the expectation of (wrong entries) / (all entries), where an empty list has rate 0. Which
procedure holds it depends on what is known of the dependence between the subjects:

- `e_benjamini_hochberg`: e-values, any dependence at all;
- `benjamini_hochberg`: p-values that are independent or PRDS, such as conformal ones with shared peers;
- `benjamini_yekutieli`: p-values, any dependence; dearer by a factor of about ``ln(m) + 0.58``.

All three give each subject an adjusted rate: the smallest rate at which it would be on the list. Boosting of e-values
before e-BH (Wang and Ramdas 2022) is left out: it needs the distribution of each e-value under innocence, which ours do
not claim to know. That they need not know it is why their lists hold under any dependence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headframe.evidence.calibrators import checked_p
from headframe.evidence.evalue import checked_log10_e

ROUNDING = 1e-12
"""Relative slack in comparing an adjusted rate with the chosen one: p = 3/60 must count as 0.05. A rate that is so
much too high is the same rate in every table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlledList:
    """A list that holds a false discovery rate.

    Attributes
    ----------
    method : str
        ``e-BH``, ``BH`` or ``BY``.
    fdr : float
        The rate that was asked for. [unitless]
    listed : bool[m]
        True for those on the list, in the order of the input.
    adjusted : float64[m]
        Smallest rate at which each would be on the list, at most 1. Choosing the rate by looking at these gives up the
        promise. [unitless]
    """

    method: str
    fdr: float
    listed: NDArray[np.bool_]
    adjusted: NDArray[np.float64]

    @property
    def size(self) -> int:
        """How many are on the list."""
        return int(np.count_nonzero(self.listed))

    @property
    def expected_wrong(self) -> float:
        """``fdr * size``: so many wrong entries correspond to the rate.

        The promise is on the average *share* of wrong entries over many such lists. This list may hold more or fewer.
        """
        return self.fdr * self.size


def benjamini_hochberg(p: ArrayLike, fdr: float) -> ControlledList:
    """The Benjamini-Hochberg list of p-values.

    The k smallest are listed, for the largest k with ``p_(k) <= k fdr / m``. The rate is at most ``fdr * m0 / m``, with
    m0 innocent among m, if the p-values are independent [1]_ or positively dependent (PRDS) on the innocent ones [2]_,
    as conformal p-values with shared peers and without ties are [3]_. It fails for other dependence, by up to a factor
    of ``H_m = 1 + 1/2 + ... + 1/m``, and if the subjects were picked by looking at their p-values.

    Parameters
    ----------
    p : float64[m]
        0 < p <= 1, no NaN: a subject without an answer gets 1, or is left out by a rule that does not look at its
        p-value. [unitless]
    fdr : float
        0 < fdr < 1.

    Returns
    -------
    ControlledList

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> found = benjamini_hochberg([0.001, 0.04, 0.012, 0.8], fdr=0.05)
    >>> found.listed
    array([ True, False,  True, False])
    >>> found.adjusted.round(4)
    array([0.004 , 0.0533, 0.024 , 0.8   ])

    References
    ----------
    .. [1] Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B 57(1), 1995, Theorem 1.
       doi:10.1111/j.2517-6161.1995.tb02031.x
    .. [2] Benjamini and Yekutieli, "The control of the false discovery rate in multiple testing under dependency",
       Annals of Statistics 29(4), 2001, Theorem 1.2. doi:10.1214/aos/1013699998
    .. [3] Bates, Candes, Lei, Romano and Sesia, "Testing for outliers with conformal p-values", Annals of Statistics
       51(1), 2023, section 2. doi:10.1214/22-AOS2244
    """
    return _step_up(p, fdr, method="BH")


def benjamini_yekutieli(p: ArrayLike, fdr: float) -> ControlledList:
    """The Benjamini-Yekutieli list: as `benjamini_hochberg` at ``fdr / H_m``, valid under any dependence.

    For p-values of which PRDS cannot be claimed: weighted conformal ones, those of one subject by several detectors,
    those of neighbours on one feeder.

    Parameters
    ----------
    p : float64[m]
        0 < p <= 1, no NaN. [unitless]
    fdr : float
        0 < fdr < 1.

    Returns
    -------
    ControlledList

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    .. [1] Benjamini and Yekutieli, Annals of Statistics 29(4), 2001, Theorem 1.3. doi:10.1214/aos/1013699998
    """
    return _step_up(p, fdr, method="BY")


def e_benjamini_hochberg(log10_e: ArrayLike, fdr: float) -> ControlledList:
    """The e-BH list: the k largest, for the largest k with ``E_(k) >= m / (k fdr)``.

    The rate is at most ``fdr * m0 / m`` under any dependence between the subjects [1]_. It needs nothing but that each
    innocent subject's e-value has mean at most 1, and fails where that fails.

    Parameters
    ----------
    log10_e : float64[m]
        ``-inf`` is allowed, NaN and +inf are not; a subject without an answer gets 0. [unitless]
    fdr : float
        0 < fdr < 1.

    Returns
    -------
    ControlledList

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> e_benjamini_hochberg([3.0, 1.7, 0.2, -1.0], fdr=0.05).listed
    array([ True,  True, False, False])

    References
    ----------
    .. [1] Wang and Ramdas, "False discovery rate control with e-values", JRSS B 84(3), 2022, section 3.
       doi:10.1111/rssb.12489
    """
    _check_rate(fdr)
    values = _one_row(checked_log10_e(log10_e))
    # E <= 1 cannot help anybody: m / (k E_(k)) is at least 1 there and for all below. So only the rest is sorted.
    rest = np.flatnonzero(values > 0.0)
    evidence = values[rest]
    ascending = np.argsort(evidence)
    ranks = np.arange(rest.size, 0, -1, dtype=np.float64)  # the greatest has rank 1
    log10_rate = (math.log10(max(values.size, 1)) - np.log10(ranks)) - evidence[ascending]
    log10_adjusted = np.minimum(np.minimum.accumulate(log10_rate), 0.0)
    adjusted = np.ones(values.size)
    adjusted[rest[ascending]] = np.maximum(10.0**log10_adjusted, math.ulp(0.0))
    return ControlledList(method="e-BH", fdr=fdr, listed=adjusted <= fdr * (1.0 + ROUNDING), adjusted=adjusted)


def _step_up(p: ArrayLike, fdr: float, *, method: str) -> ControlledList:
    """Benjamini-Hochberg, or Benjamini-Yekutieli, from one sort."""
    _check_rate(fdr)
    values = _one_row(checked_p(p))
    ascending = np.argsort(values)
    ranks = np.arange(1, values.size + 1, dtype=np.float64)
    tests = float(values.size) * (float(np.sum(1.0 / ranks)) if method == "BY" else 1.0)
    rate = tests * values[ascending] / ranks
    adjusted = np.empty(values.size)
    adjusted[ascending] = np.minimum(np.minimum.accumulate(rate[::-1])[::-1], 1.0)
    return ControlledList(method=method, fdr=fdr, listed=adjusted <= fdr * (1.0 + ROUNDING), adjusted=adjusted)


def _check_rate(fdr: float) -> None:
    if not 0.0 < fdr < 1.0:
        raise ValueError(f"a false discovery rate lies between 0 and 1, got {fdr}")


def _one_row(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if values.ndim != 1:
        raise ValueError(f"need one value for each subject, got shape {values.shape}")
    return values
