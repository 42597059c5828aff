"""`likeness`: how much more a load's shape looks like that of a building with machines than of one without.

One continuous score of a usage point, from its hourly readings and the calendar alone, and from the price where one is
given. It is absolute: a row's score depends on that row only, so scores compare across rows, runs and utilities. The
figures come from physics (`kernels/load_shape`): a machine adds a constant, so it lifts the floor without adding noise,
switches between hours and not over hours, at the same hours and by the same watts on weekdays and at weekends. How much
each figure is worth was learned from real buildings with and without injected machines (`bench/power_injection/train`),
because no single figure is worth much on a building that nobody has seen before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from headframe.detectors.power import likeness_model, shape_net

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from headframe.records.reading import HourlySeries, LoadBatch, Surroundings

DETECTOR = "likeness"
VERSION = "1"
HOUR_S = 3600

BLIND_SPOTS: tuple[str, ...] = (
    "A machine that runs day and night since before the data is hardly told from a building with a high base load.",
    "Below about a fifth of the site's mean power most machines are not seen.",
    "A lawful machine of the same kind, a server or a pump that is switched on for good, has the same shape.",
    "What was learned comes from university buildings in one town; other trades' innocent loads are less well known.",
    "A machine that follows the site's own load, or is throttled at random, has none of these shapes.",
)

FLOOR, NIGHT_SPREAD, NIGHT_EDGES, LATE_NIGHT_EDGES, LATE_DIPS = 1, 32, 68, 89, 103
"""Places of the figures that other detectors use, in the order of `kernels.load_shape.describe`."""

PRICE_PRIOR = 0.125
"""Share of machines that follow a price: one of the eight modes that are injected."""
PRICE_USUAL_Z, PRICE_SLOPE, PRICE_MOST = 3.0, 0.75, 5.5
"""Logarithm of how much more often a response to the price of z standard errors comes from a follower than from an
innocent load: 0 up to 3, then rising by 0.75, at most 5.5. On the split `design` 5 % of innocent windows exceed 3, 1 %
4.6 and 0.2 % 7.3; of followers half exceed 4.7 and a tenth 16."""


@dataclass(frozen=True)
class LikenessParameters:
    """What `measure` goes by.

    Attributes
    ----------
    period_days : int
        The model was fitted on periods of this length; longer data are cut into such, counted back from the end, and
        the one that stands out most is scored, less the logarithm of their number: on the split `tune` the scores of
        innocent buildings over 1, 2 and 6 periods agree then within 0.1 at the 99th percentile. [days]
    short_cost : float
        Times the logarithm of `period_days` over the days at hand, taken off where they are fewer. Innocent scores over
        28 days lie 0.4 (median and 99th percentile) to 0.7 (90th) above those over 56 days on the split `tune`.
    least_days : int
        Two weeks: both weekends and ten working days. [days]
    zero_run_hours : int
        Exact zeros for at least so long are missing readings: some sources store them so. [h]
    picture_from : float
        The network of `shape_net` is asked from these log-odds of the figures on: 5 % of innocent periods of `tune`
        reach them. Asking it more often changed no figure by more than 0.01.
    picture_weight : float
        Of its log-odds. Anything from 0.3 to 1 gave the same on `tune`.
    picture_usual : float
        Its median over innocent periods of `tune`, which counts as nothing.
    cheap_shares : tuple of float
        Shares of the hours that count as cheap, where a price is given; the one that fits best is taken.
    price_days : int
        The response to the price is sought in so many days at the end of the data. [days]
    """

    period_days: int = 56
    short_cost: float = 0.65
    least_days: int = 14
    zero_run_hours: int = 3
    picture_from: float = 0.9
    picture_weight: float = 0.5
    picture_usual: float = -0.58
    cheap_shares: tuple[float, ...] = (0.6, 0.75, 0.87)
    price_days: int = 56


class LikenessMeasures(NamedTuple):
    """Of each usage point; shares are of its mean power.

    Attributes
    ----------
    log_odds : float64[n]
        Of the period that stands out most; NaN where the data are insufficient.
    floor : float32[n]
        Power that nine days of ten never go below for two hours. [unitless]
    night_spread : float32[n]
        Between the quartiles of days, at the five lowest hours of the day. [unitless]
    night_edges : float32[n]
        Rise in the evening and fall in the morning that weekdays and weekends share. [unitless]
    dips : float32[n]
        Depth between square edges, of the median day in the last third of the period. [unitless]
    price_effect : float64[n]
        Mean load in cheap hours less that in dear hours, at the same hour of the day. NaN without a price. [unitless]
    price_z : float64[n]
        The same over its standard error. [unitless]
    """

    log_odds: NDArray[np.float64]
    floor: NDArray[np.float32]
    night_spread: NDArray[np.float32]
    night_edges: NDArray[np.float32]
    dips: NDArray[np.float32]
    price_effect: NDArray[np.float64]
    price_z: NDArray[np.float64]


class Trees(NamedTuple):
    """Decision trees as arrays, one entry for each node; `feature` is -1 at a leaf."""

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]


class Networks(NamedTuple):
    """Networks with one hidden layer, side by side in one."""

    centre: NDArray[np.float32]
    factor: NDArray[np.float32]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    output: NDArray[np.float32]
    constant: NDArray[np.float32]


def _unpacked(text: str, shapes: tuple[tuple[str, int], ...]) -> list[NDArray[Any]]:
    raw = shape_net.bytes_of(text)
    arrays: list[NDArray[Any]] = []
    at = 0
    for dtype, size in shapes:
        arrays.append(np.frombuffer(raw, dtype, size, at).astype(dtype[1:]))
        at += arrays[-1].nbytes
    return arrays


@cache
def model() -> tuple[Trees, Networks]:
    """The shipped model."""
    nodes, k, h = likeness_model.NODES, likeness_model.FIGURES, likeness_model.HIDDEN
    trees = _unpacked(
        likeness_model.TREES,
        (("<i2", nodes), ("<f4", nodes), ("<i4", nodes), ("<i4", nodes), ("<f4", nodes), ("<i4", likeness_model.ROOTS)),
    )
    nets = _unpacked(
        likeness_model.NETWORKS, (("<f4", k), ("<f4", k), ("<f4", k * h), ("<f4", h), ("<f4", h), ("<f4", 1))
    )
    nets[2] = nets[2].reshape(k, h)
    return Trees(*trees), Networks(*nets)


def combined(
    trees: Sequence[NDArray[Any]],
    networks: Sequence[NDArray[Any]],
    network_weight: float,
    figures: NDArray[np.float64],
) -> float:
    """Log-odds of the figures of one period; NaN without figures."""
    from headframe.kernels.load_shape import pass_through, walk

    if not figures.size:
        return float("nan")
    nets = Networks(*networks)
    hidden = np.empty(nets.bias.size, np.float32)
    both = walk(Trees(*trees), figures), pass_through(nets, figures, hidden)
    return float((1 - network_weight) * both[0] + network_weight * both[1])


def measure(
    batch: LoadBatch, surroundings: Surroundings, parameters: LikenessParameters = LikenessParameters()
) -> LikenessMeasures:
    """What the score is made of, for each usage point.

    Parameters
    ----------
    batch : LoadBatch
        Hourly, of any length.
    surroundings : Surroundings
        The clock says when a local day begins; a price is used where it is given.
    parameters : LikenessParameters, optional

    Returns
    -------
    LikenessMeasures
        NaN for a usage point with less than `least_days` whole days, without load, or with more than a quarter of the
        hours missing.

    Raises
    ------
    ValueError
        If the intervals are not hours.
    """
    from headframe.kernels.load_shape import scan_shapes

    if batch.step_s != HOUR_S:
        raise ValueError(f"step_s is {batch.step_s}; the shape detectors take hours of {HOUR_S} s")
    n = len(batch.usage_points)
    figures = np.array([FLOOR, NIGHT_SPREAD, NIGHT_EDGES, LATE_NIGHT_EDGES, LATE_DIPS], np.int64)
    log_odds = np.full(n, np.nan)
    kept = np.full((n, figures.size), np.nan, np.float32)
    clock = surroundings.clock
    settings = np.array([parameters.period_days, parameters.least_days, parameters.zero_run_hours], np.int64)
    trees, networks = model()
    from_s, offset_s = clock.from_s.astype(np.int64), clock.offset_s.astype(np.int64)
    scan_shapes(
        batch.power_w, batch.first, batch.start_s, from_s, offset_s, settings,
        parameters.short_cost, trees, networks, likeness_model.NETWORK_WEIGHT, shape_net.shipped(),
        np.array([parameters.picture_from, parameters.picture_weight, parameters.picture_usual]),
        log_odds, figures, kept,
    )  # fmt: skip
    effect, z = np.full(n, np.nan), np.full(n, np.nan)
    if surroundings.price_per_kwh is not None and n:
        _respond(batch, int(offset_s[-1]), surroundings.price_per_kwh, parameters, effect, z)
    return LikenessMeasures(
        log_odds, kept[:, 0], kept[:, 1], np.maximum(kept[:, 2], kept[:, 3]), kept[:, 4], effect, z
    )  # fmt: skip


def _respond(
    batch: LoadBatch,
    offset_s: int,
    price: HourlySeries,
    parameters: LikenessParameters,
    effect: NDArray[np.float64],
    z: NDArray[np.float64],
) -> None:
    from headframe.kernels.load_shape import price_response

    values = np.asarray(price.values, np.float32)
    if price.step_s < HOUR_S:  # half-hourly prices: an hour has their mean
        each = HOUR_S // price.step_s
        values = values[: values.size // each * each].reshape(-1, each).mean(axis=1)
    elif price.step_s > HOUR_S:
        values = np.repeat(values, price.step_s // HOUR_S)
    price_response(
        batch.power_w,
        batch.first,
        batch.start_s,
        offset_s,
        values.astype(np.float32),
        price.start_s,
        parameters.price_days * 24,
        np.array(parameters.cheap_shares),
        effect,
        z,
    )


def score(measures: LikenessMeasures) -> NDArray[np.float64]:
    """The score: log-odds, higher is more mining-like; NaN where nothing could answer.

    A response to the price adds to it and never takes away: most machines do not follow one.
    """
    with np.errstate(invalid="ignore"):
        ratio = np.exp(np.clip(PRICE_SLOPE * (measures.price_z - PRICE_USUAL_Z), 0.0, PRICE_MOST))
    gain = np.log1p(PRICE_PRIOR * (ratio - 1.0))
    return measures.log_odds + np.where(np.isnan(gain), 0.0, gain)
