"""Hash rate from shares, with an interval, and the power that a machine of known efficiency needs for it.

A share of difficulty d (in expected hashes) turns up once in d hashes on average, so the shares of a miner of constant
rate are a Poisson process, and the sum of their difficulties over the time watched estimates the rate without bias,
also when the pool changes the difficulty on the way. For constant difficulty the interval is Garwood's exact one [1]_.
For differing difficulties it is the gamma interval of Fay and Feuer [2]_, which becomes Garwood's when all are equal
and covers at least as often as it says otherwise.

What it is an interval of: the rate at which the host hashed in a quarter of an hour of the time watched. Where the rate
was constant that is the mean rate with its counting error. Real machines are not: owners work on them, laptops
throttle and doze. How much the rate itself moved between quarter hours is estimated from the shares, by how much more
they scatter than Poisson counts may [3]_, and widens the interval on both sides. Developer fees (0 to 2 % of the time,
handed in elsewhere) and work lost at job changes are not in it.

References
----------
.. [1] F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936, 437-442.
.. [2] M. P. Fay and E. J. Feuer, "Confidence intervals for directly standardized rates: a method based on the gamma
   distribution", Statistics in Medicine 16, 1997, 791-801, Eq. 5 and 6.
.. [3] R. DerSimonian and N. Laird, "Meta-analysis in clinical trials", Controlled Clinical Trials 7, 1986, 177-188:
   the moment estimator of the variance between groups, here with exposure times as weights.
"""

import math
from collections.abc import Sequence

from headframe.records.finding import Interval

COINS_ALGORITHM: dict[str, str] = {
    "BTC": "sha256d", "BCH": "sha256d", "LTC": "scrypt", "DOGE": "scrypt", "FST": "scrypt", "DASH": "x11",
    "ETH": "ethash",
    "ETC": "ethash", "ETHW": "ethash", "RVN": "kawpow", "KAS": "kheavyhash", "ERG": "autolykos2", "ZEC": "equihash",
    "ZEN": "equihash", "XMR": "randomx", "WOW": "randomx", "VTC": "lyra2rev2",
}  # fmt: skip

JOULE_PER_HASH: dict[str, tuple[float, float]] = {
    "sha256d": (15.0e-12, 2.0e-9),
    "scrypt": (3.4e-7, 3.3e-4),
    "x11": (1.6e-9, 2.0e-5),
    "ethash": (0.8e-6, 9.0e-6),
    "kawpow": (3.0e-6, 2.0e-5),
    "kheavyhash": (1.5e-10, 3.0e-7),
    "autolykos2": (7.0e-7, 3.0e-6),
    "equihash": (3.6e-3, 3.0),
    "randomx": (6.0e-3, 0.43),
    "cryptonight": (2.0e-2, 0.7),
}
"""Energy per hash from efficient to poor hardware that was really used for it. [J/hash]

- sha256d: Antminer S21 Pro 15 J/TH (vendor's page) to the first Antminer S1, 2 J/GH (2013 data sheet).
- scrypt: Antminer L7 0.36 J/MH to a Radeon R9 290, 280 W at 850 kH/s (Litecoin wiki's hardware comparison).
- x11: Antminer D9 2839 W at 1.77 TH/s to a GeForce GTX 750 Ti, 60 W at 3 MH/s.
- ethash: Antminer E9 1920 W at 2.4 GH/s to a GeForce GTX 1080, 180 W (board power) at the 20.4 MH/s measured in the
  CJ-Sniffer data set's labels.
- kawpow, autolykos2: GeForce RTX 3060 Ti to GTX 1080, board power over the rates that the miners' authors publish.
- kheavyhash: IceRiver KS5L to a GeForce GTX 1080. equihash (200,9): Antminer Z15 to a desktop processor, 3 J/Sol.
- randomx: Ryzen 9 7950X, 23 kH/s at 140 W (xmrig.com benchmarks) to a Radeon RX 570, 150 W (board power) at the 345 H/s
  of the CJ-Sniffer labels. The same labels with the vendors' thermal design power: Apple M1 2180 H/s, Core i7-6820HQ
  1000 H/s at 45 W, Ryzen 5 1400 2170 H/s at 65 W, Xeon E5-2430 2000 H/s at 95 W.
- cryptonight: Radeon Vega 56 2 kH/s at about 160 W down-clocked, and less for variants, to a Core i5-5257U, 28 W at the
  41 H/s of the CJ-Sniffer labels (CryptoNightR).
"""


def gamma_interval(worths: Sequence[float], confidence: float = 0.95) -> Interval:
    """Expected sum of the worths of a Poisson number of shares, with its interval.

    Parameters
    ----------
    worths : sequence of float
        Expected hashes of each share, > 0. [hashes]
    confidence : float
        0 < confidence < 1.

    Returns
    -------
    Interval
        [hashes]

    Raises
    ------
    ValueError
        If there is no share, a worth is not positive, or the confidence lies outside 0 to 1.

    Examples
    --------
    >>> gamma_interval([1.0] * 10).high
    18.39...
    """
    if not worths or min(worths) <= 0.0:
        raise ValueError(f"need at least one share and worths above 0, got {len(worths)} shares")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    from scipy.special import gammaincinv

    total = math.fsum(worths)
    variance = math.fsum(worth * worth for worth in worths)
    largest = max(worths)
    tail = (1.0 - confidence) / 2.0
    scale = variance / total
    low = scale * float(gammaincinv(total / scale, tail))
    scale = (variance + largest**2) / (total + largest)
    high = scale * float(gammaincinv((total + largest) / scale, 1.0 - tail))
    return Interval(low, total, high)


def rate_interval(worths: Sequence[float], watched_s: float) -> Interval | None:
    """Mean hash rate over the time watched. [hashes/s]

    Parameters
    ----------
    worths : sequence of float
        Expected hashes of each valid share. [hashes]
    watched_s : float
        Time in which shares would have been seen. [s]

    Returns
    -------
    Interval or None
        None without shares or time.
    """
    if not worths or watched_s <= 0.0:
        return None
    hashes = gamma_interval(worths)
    return Interval(hashes.low / watched_s, hashes.estimate / watched_s, hashes.high / watched_s)


WINDOW_S = 900.0
"""Length of the windows whose rates are compared: the quarter of an hour that miners and pools display. [s]"""


def spread_between_windows(hashes: Sequence[float], squares: Sequence[float], watched_s: Sequence[float]) -> float:
    """Standard deviation of the rate itself from window to window, counting error taken off. [hashes/s]

    Parameters
    ----------
    hashes, squares : sequence of float
        Sum of the worths, and of their squares, in each window. [hashes, hashes**2]
    watched_s : sequence of float
        Time watched in each window, > 0. [s]

    Returns
    -------
    float
        0 with fewer than three windows, or where the counts scatter no more than chance has it.
    """
    total_s, total = math.fsum(watched_s), math.fsum(hashes)
    if len(watched_s) < 3 or total <= 0.0:
        return 0.0
    mean = total / total_s
    worth = math.fsum(squares) / total  # mean worth, weighted as the variance has it
    excess = 0.0
    for amount, time_s in zip(hashes, watched_s, strict=True):
        chance = mean * worth / time_s * (1.0 - time_s / total_s)
        excess += time_s * ((amount / time_s - mean) ** 2 - chance)
    scale = total_s - math.fsum(time_s * time_s for time_s in watched_s) / total_s
    return math.sqrt(max(0.0, excess / scale)) if scale > 0.0 else 0.0


def widened(mean: Interval, spread: float) -> Interval:
    """The interval of a mean rate, widened by how much the rate moved; both in quadrature. [hashes/s]"""
    reach = 1.96 * spread
    return Interval(
        max(0.0, mean.estimate - math.hypot(mean.estimate - mean.low, reach)),
        mean.estimate,
        mean.estimate + math.hypot(mean.high - mean.estimate, reach),
    )


def power_interval(rate: Interval, algorithm: str) -> Interval | None:
    """Power that hardware from efficient to poor would draw at that rate. [W]

    The estimate is the geometric mean of both ends: without a look at the machine no efficiency is likelier.
    """
    efficiency = JOULE_PER_HASH.get(algorithm)
    if efficiency is None:
        return None
    best, worst = efficiency
    return Interval(rate.low * best, rate.estimate * math.sqrt(best * worst), rate.high * worst)
