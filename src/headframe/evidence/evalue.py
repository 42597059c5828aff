"""E-values by their logarithm: mixtures, products, and the process that may be stopped at any time.

An e-value is a number ``E >= 0`` whose expectation is at most 1 if the subject is innocent. Everything here works on
``log10(E)``, so that nothing overflows; ``-inf`` stands for ``E = 0`` and is allowed. ``+inf`` and NaN are refused: no
finite amount of data shows infinite evidence, and both come from a fault further up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked_log10_e(log10_e: ArrayLike) -> NDArray[np.float64]:
    """The values as float64, refused where they cannot be logarithms of e-values.

    Parameters
    ----------
    log10_e : float64[...]
        [unitless]

    Returns
    -------
    float64[...]

    Raises
    ------
    ValueError
        If one is NaN or plus infinity; the message says how many.
    """
    values = np.asarray(log10_e, dtype=np.float64)
    # One pass in the good case: NaN and +inf both fail the comparison.
    if not bool(np.all(values < np.inf)):
        bad = int(np.count_nonzero(~(values < np.inf)))
        raise ValueError(f"{bad} of {values.size} log10_e are NaN or +inf; an e-value is finite (-inf means E = 0)")
    return values


@dataclass(frozen=True, slots=True, order=True)
class EValue:
    """Evidence against innocence, by its logarithm.

    ``log10 = 6`` reads: an innocent subject shows this, or more, at most once in a million. Values below 0 are money
    lost on the bet; they are part of the accounts and must not be dropped.

    Attributes
    ----------
    log10 : float
        ``log10(E)``; 0 is no evidence, ``-inf`` is ``E = 0``. [unitless]

    Raises
    ------
    ValueError
        If it is NaN or plus infinity.

    Examples
    --------
    >>> EValue(6.0).chance
    1e-06
    >>> EValue.from_value(20.0)
    EValue(log10=1.301029995663981...)

    References
    ----------
    .. [1] Vovk and Wang, "E-values: calibration, combination and applications", Annals of Statistics 49(3), 2021,
       section 2. doi:10.1214/20-AOS2020
    """

    log10: float = 0.0

    def __post_init__(self) -> None:
        if not self.log10 < math.inf:
            raise ValueError(f"log10 of an e-value must be finite or -inf, got {self.log10}")

    @classmethod
    def from_value(cls, value: float) -> EValue:
        """The e-value `value`, 0 or more and finite.

        Raises
        ------
        ValueError
            If it is negative, infinite or NaN.
        """
        if not 0.0 <= value < math.inf:
            raise ValueError(f"an e-value is 0 or more and finite, got {value}")
        return cls(math.log10(value) if value > 0.0 else -math.inf)

    @property
    def chance(self) -> float:
        """``min(1, 1 / E)``: an innocent subject shows this much at most so often (Markov). [unitless]"""
        return 1.0 if self.log10 <= 0.0 else max(10.0**-self.log10, math.ulp(0.0))


def mixture(log10_e: ArrayLike, weights: ArrayLike | None = None) -> NDArray[np.float64]:
    """Logarithm of the weighted mean of e-values, over the last axis.

    The mean of e-values is an e-value, whatever the dependence between them: that is linearity of the expectation.
    It is the only admissible way to merge them when nothing is known of their dependence [1]_ [2]_. Against the best
    of `n` equal parts it loses at most ``log10(n)``; the best itself (the maximum) is no e-value.

    It fails when the weights were chosen after a look at the values, and when values that came out low were left out.

    Parameters
    ----------
    log10_e : float64[..., n]
        n >= 1. [unitless]
    weights : float64[n], optional
        0 or more, not all 0, fixed before the data were seen; scaled to sum 1. Equal where left out.

    Returns
    -------
    float64[...]
        ``log10(sum(w * E) / sum(w))``; a scalar for one row.

    Raises
    ------
    ValueError
        If there is nothing to mix, a weight is negative, NaN or infinite, or all are 0, or a value is NaN or +inf.

    Examples
    --------
    >>> float(mixture([3.0, -np.inf]))  # half the stake on each: E = 500
    2.698970004336...

    References
    ----------
    .. [1] Vovk and Wang, "E-values: calibration, combination and applications", Annals of Statistics 49(3), 2021,
       Proposition 3.1 and Theorem 3.2 (symmetric merging). doi:10.1214/20-AOS2020
    .. [2] Wang, "The only admissible way of merging arbitrary e-values", 2024 (any weights). arXiv:2409.19888
    """
    values = checked_log10_e(log10_e)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError("a mixture needs at least one e-value")
    n = values.shape[-1]
    share = np.full(n, 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
    if share.shape != (n,):
        raise ValueError(f"need one weight for each of {n} e-values, got shape {share.shape}")
    if not bool(np.all((share >= 0.0) & (share < np.inf))) or not bool(np.any(share > 0.0)):
        raise ValueError("weights must be finite, 0 or more, and not all 0")
    # Parts without a stake must not set the scale below, or the others would underflow beside them.
    values = values[..., share > 0.0]
    share = share[share > 0.0]
    share = share / share.max()  # first, so that their sum stays finite
    top = values.max(axis=-1, keepdims=True)
    scale = np.where(top > -np.inf, top, 0.0)
    with np.errstate(divide="ignore"):  # log10(0) = -inf is what a mixture of zeros is worth
        mean = np.log10((10.0 ** (values - scale)) @ share) - math.log10(share.sum())
    return np.asarray(mean + scale[..., 0])[()]


def product(log10_e: ArrayLike) -> NDArray[np.float64]:
    """Logarithm of the product of e-values, over the last axis.

    The product is an e-value if the factors are independent under innocence, or, weaker, if each has conditional
    expectation at most 1 given those before it (sequential e-values). It fails for factors that share their data: the
    product of a value with itself is the plainest case.

    Parameters
    ----------
    log10_e : float64[..., n]
        Of an empty row the product is 1. [unitless]

    Returns
    -------
    float64[...]
        A scalar for one row. One factor ``E = 0`` makes the product 0.

    Raises
    ------
    ValueError
        If a value is NaN or +inf.

    References
    ----------
    .. [1] Vovk and Wang, "E-values: calibration, combination and applications", Annals of Statistics 49(3), 2021,
       section 4. doi:10.1214/20-AOS2020
    """
    return np.asarray(checked_log10_e(log10_e).sum(axis=-1))[()]


def running_product(log10_e: ArrayLike) -> NDArray[np.float64]:
    """The e-process of sequential e-values: the product of the first ``1 .. n`` of them, along the last axis.

    Each factor must have conditional expectation at most 1 given all before it. Then the process is a non-negative
    supermartingale that starts at 1, and ``P(it ever reaches 1 / alpha) <= alpha`` (Ville [1]_): one may look after
    every factor and stop when one likes. The value at the stopping time is an e-value. The highest value so far is
    not: it only gives a p-value, see `EProcess.chance`.

    Parameters
    ----------
    log10_e : float64[..., n]
        In the order of time. [unitless]

    Returns
    -------
    float64[..., n]

    Raises
    ------
    ValueError
        If a value is NaN or +inf.

    References
    ----------
    .. [1] Ville, "Etude critique de la notion de collectif", Gauthier-Villars, 1939, chapter V.
    .. [2] Ramdas, Gruenwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference",
       Statistical Science 38(4), 2023, section 3. doi:10.1214/23-STS894
    """
    return np.cumsum(checked_log10_e(log10_e), axis=-1)


def first_crossing(log10_process: ArrayLike, alpha: float) -> int | None:
    """Index at which an e-process first reaches ``1 / alpha``; None where it never does.

    Parameters
    ----------
    log10_process : float64[n]
        From `running_product`. [unitless]
    alpha : float
        Chance of a false alarm that is accepted for the whole run, however long. 0 < alpha <= 1.

    Returns
    -------
    int or None

    Raises
    ------
    ValueError
        If `alpha` is outside its range, or the process is not one row of logarithms of e-values.
    """
    if not 0.0 < alpha <= 1.0:
        raise ValueError(f"alpha must lie above 0 and be at most 1, got {alpha}")
    values = checked_log10_e(log10_process)
    if values.ndim != 1:
        raise ValueError(f"need one process, got shape {values.shape}")
    reached = np.flatnonzero(values >= -math.log10(alpha))
    return int(reached[0]) if reached.size else None


@dataclass(frozen=True, slots=True)
class EProcess:
    """A running product with a state of fixed size, for a sensor that never stops.

    Attributes
    ----------
    log10 : float
        What the stake of 1 has become: an e-value at whatever time one stops. [unitless]
    peak_log10 : float
        The highest it has been. Not the logarithm of an e-value. [unitless]
    steps : int
        Factors so far.

    Examples
    --------
    >>> process = EProcess().after(2.0).after(-0.5)
    >>> process.log10, process.peak_log10, process.chance
    (1.5, 2.0, 0.01)
    """

    log10: float = 0.0
    peak_log10: float = 0.0
    steps: int = 0

    def after(self, log10_e: float) -> EProcess:
        """The process after one more factor, whose conditional expectation given the past must be at most 1.

        Raises
        ------
        ValueError
            If the factor is NaN or +inf.
        """
        now = self.log10 + EValue(log10_e).log10
        return EProcess(now, max(self.peak_log10, now), self.steps + 1)

    @property
    def chance(self) -> float:
        """Anytime-valid p-value ``1 / peak``: an innocent process ever gets so high at most so often. [unitless]"""
        return EValue(self.peak_log10).chance


def multiply(factors: Iterable[EValue]) -> EValue:
    """The product of e-values that are independent under innocence; of none it is 1. See `product`."""
    return EValue(float(sum(factor.log10 for factor in factors)))
