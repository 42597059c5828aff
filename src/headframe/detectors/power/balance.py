"""Energy that passes a transformer and no point's meter.

``residual = head meter - sum of the points' meters - technical losses``. If nobody taps the line or leads a load past
a meter, the residual is made of errors whose size is known: of the meters (accuracy classes), of their clocks, of
losses that are not known exactly, of missing readings. The detector asks how much more there is, at which hours,
since when, and which point it moves with. Errors of meters stay what they are from hour to hour; that is why
60 days of hours show much less than the accuracy class of one reading.

``docs/detectors/balance.md`` has the mathematics.

References
----------
.. [1] IEC 62053-21:2020 (classes 0.5, 1, 2) and IEC 62053-22:2020 (0.1S, 0.2S, 0.5S), tables of error limits;
   EN 50470-3:2022 (classes A, B, C).
.. [2] JCGM 100:2008, "Guide to the expression of uncertainty in measurement", 4.3.7 (rectangular distribution).
.. [3] Kron, "Tensorial analysis of integrated transmission systems", AIEE Transactions 70(2), 1951 (losses as a
   quadratic form of the loads).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headframe.detectors.power.hours import local_offset_s, values_at
from headframe.kernels.balance import EffectFit, OnsetScan, fit_effects, scan_onsets
from headframe.records.finding import Family, Interval
from headframe.records.load_finding import (
    BalanceMonth,
    CounterHypothesis,
    LoadEstimate,
    LoadFinding,
    LoadInsufficient,
    Mode,
    Onset,
    Standing,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headframe.records.reading import HourlySeries, LoadBatch, LocalClock, Transformer, UsagePoint

    Floats = NDArray[np.float64]

DETECTOR = "balance"
VERSION = "1"
_DAY_S = 86_400
_NS = 1_000_000_000
_SQRT3 = math.sqrt(3.0)

CLASS_LIMITS: Mapping[str, float] = {
    "0.1S": 0.001, "0.2S": 0.002, "0.5S": 0.005, "0.5": 0.005, "1": 0.01, "2": 0.02,
    "A": 0.02, "B": 0.01, "C": 0.005,
}  # fmt: skip
"""Limit of the percentage error at unity power factor by accuracy class [1]_. [unitless]"""

BLIND_SPOTS: tuple[str, ...] = (
    "A load that is too small for the meters' classes: the finding says what would have been seen.",
    "A load that was there on some days only, or that ended within the data.",
    "A second load at the same transformer: only the strongest pattern is described.",
    "A constant load from before the data that is not larger than losses can be is taken for losses.",
    "Energy that is stolen before the head meter, or behind a meter that is manipulated together with the head meter.",
    "A wrong topology table looks like theft (a point that is missing in it) or hides it (a point too many).",
)


@dataclass(frozen=True)
class BalanceParameters:
    """What is assumed of an honest transformer. All of it belongs to the null hypothesis that a p-value refers to.

    Attributes
    ----------
    in_service_factor : float
        Errors of meters in service over the limits of their class: influence quantities and age. Rectangular [2]_.
        German law allows twice the limits in service (MessEV section 22), most meters stay within them. [unitless]
    unknown_class : str
        Taken where the class of a point's meter is not said.
    clock_s : float
        Largest error of a meter's clock, rectangular. [s]
    most_line_loss, most_constant_loss : float
        Where nothing is known of the losses: their largest share of the mean flow, rectangular from 0. Low-voltage
        lines lose some 2 to 5 % [unitless].
    loss_tolerance : float
        Of losses that are computed from ratings: power factor, voltage, unbalance. IEC 60076-1 allows a transformer
        15 % of each component. [unitless]
    loss_spread : float
        How differently points count in the losses, by their place on the line [3]_; a share of the line losses.
    own_consumption_w : float
        Of one meter, that it does not meter itself, and of its starting current; rectangular from 0. IEC 62053-61
        allows 2 W. [W]
    unmodelled_loss : float
        Deviation of what the loss model cannot follow (unbalance, reactive power), by hour of day and from day to
        day; a share of the losses. [unitless]
    tolerated : float
        The null hypothesis is a load of at most this share of the mean flow, in any pattern: drifts of meters and
        clocks and losses that no model follows make small patterns, but steady ones. [unitless]
    longest_gap : int
        Intervals; a longer gap of a point that matters takes these hours out.
    least_days : int
        With a complete balance.
    most_days : int
        Longer data is tested by its last part, so that the cost stays linear.
    list_below : float
        p-value from which on an estimate is made.
    ceiling_log10_e : float
        Meters fail and topology tables have errors: an assumption that no balance shows more than this. [unitless]
    """

    in_service_factor: float = 1.5
    unknown_class: str = "2"
    clock_s: float = 120.0
    most_line_loss: float = 0.04
    most_constant_loss: float = 0.01
    loss_tolerance: float = 0.2
    loss_spread: float = 1.0
    own_consumption_w: float = 5.0
    unmodelled_loss: float = 0.1
    tolerated: float = 0.005
    longest_gap: int = 6
    least_days: int = 14
    most_days: int = 400
    list_below: float = 0.05
    ceiling_log10_e: float = 4.0
    nominal_voltage_v: float = 400.0
    power_factor: float = 0.95


class Balance(NamedTuple):
    """The balance of one transformer, hour by hour: what is tested, and what a report draws.

    All arrays are float64[t] unless said otherwise. `metered_w` is float64[t, n], gaps filled; `filled_variance` is
    what the filling may err. `complete` is bool[t]: the balance can be used. `expected_loss_w` is the mean of the
    prior, `hour` float64[t] the local hour of day, `day` int64[t] counts local days from `first_day` [days since
    1970-01-01] on.
    """

    names: tuple[str, ...]
    start_s: int
    step_s: int
    head_w: Floats
    metered_w: Floats
    filled_variance: Floats
    complete: NDArray[np.bool_]
    expected_loss_w: Floats
    hour: Floats
    day: NDArray[np.int64]
    first_day: int = 0

    @property
    def residual_w(self) -> Floats:
        """What neither meters nor expected losses explain; NaN where the balance is not complete. [W]"""
        left = self.head_w - self.metered_w.sum(axis=1) - self.expected_loss_w
        return np.where(self.complete, left, np.nan)


class _Pattern(NamedTuple):
    """When a load runs: always, within a window of the day, or as a point's metered load goes."""

    kind: str
    point: int = -1
    begin_h: int = 0
    length_h: int = 24


class _Search(NamedTuple):
    """All patterns and onsets with their evidence. `z` is beyond what is tolerated; `days` are the onsets."""

    patterns: list[_Pattern]
    shapes: Floats
    scan: OnsetScan
    z: Floats
    log_weight: Floats
    p_value: float
    log10_e: float
    days: NDArray[np.int64]
    best: tuple[int, int]


class _Estimate(NamedTuple):
    """Size and begin of the load in its best pattern."""

    power_w: Interval
    onset: tuple[int, int, int] | None
    running: Floats
    pattern: _Pattern


def detect(
    head: LoadBatch,
    points: LoadBatch,
    transformer: Transformer,
    usage_points: Sequence[UsagePoint],
    parameters: BalanceParameters = BalanceParameters(),
    *,
    clock: LocalClock | None = None,
    losses_w: HourlySeries | None = None,
    voltage_v: Mapping[str, HourlySeries] | None = None,
    other_log10_e: Mapping[str, float] | None = None,
) -> tuple[LoadFinding | LoadInsufficient, ...]:
    """Test the balance of a transformer, and say how much is not metered, since when, at which hours and where.

    Parameters
    ----------
    head : LoadBatch
        Has the transformer's `head_usage_point`.
    points : LoadBatch
        Has the readings of all `usage_points`; others are not looked at. Intervals as in `head`. Readings of exactly 0
        should be in it: that is what a bypassed meter shows. Short runs of them are taken for lost readings here.
    transformer : Transformer
        Losses in it are used; give them only if the head meter stands before them.
    usage_points : sequence of UsagePoint
        All that hang at this transformer. Those that name another transformer are left out.
    parameters : BalanceParameters
    clock : LocalClock, optional
        UTC without it.
    losses_w : HourlySeries, optional
        Technical losses from a power flow calculation, in place of ratings. [W]
    voltage_v : mapping of str to HourlySeries, optional
        Voltage at points, for the place. [V]
    other_log10_e : mapping of str to float, optional
        Evidence of other families at points (network traffic), for the place only: it does not change the p-value.

    Returns
    -------
    tuple of LoadFinding or LoadInsufficient
        One answer. A finding is made also where the balance closes, with its p-value, so that a list may be cut; it
        stands under the point that the load was traced to, or else under the head's usage point.

    Raises
    ------
    ValueError
        If head and points have intervals of different length.
    """
    if head.step_s != points.step_s:
        raise ValueError(f"head and points need intervals of one length, got {head.step_s} s and {points.step_s} s")
    at_head = transformer.head_usage_point
    members = [
        point
        for point in usage_points
        if point.transformer in (None, transformer.transformer) and point.usage_point != at_head
    ]
    balance = align(head, points, transformer, members, parameters, clock=clock, losses_w=losses_w)
    if isinstance(balance, str):
        return (LoadInsufficient(detector=DETECTOR, usage_point=at_head, missing=balance),)
    model = _null_model(balance, transformer, members, parameters, known_losses=losses_w is not None)
    fitted = _fit(balance, model)
    search = _search(balance, fitted, parameters)
    estimate = place = None
    if search.p_value <= parameters.list_below:
        # With the load in the model the noise is what it is without it: onset and size are sharper. The p-value is not
        # taken from here, for the pattern was chosen by looking.
        # What was left out stays so, and nothing else: hours in which the onset is wrong look wild too.
        wild = balance.complete & (fitted.fit.weight == 0.0)
        sharper = _fit(balance, model, also=_since(balance, search), wild=wild)
        again = _search(balance, sharper, parameters)
        estimate = _estimate(balance, model, sharper, again)
        # Once more with the onset to the hour: days in which it is wrong look like noise.
        sharpest = _fit(balance, model, also=estimate.running, wild=wild)
        estimate = _estimate(balance, model, sharpest, again)
        # Restless: the pattern is not the load's own, and voltages do not follow it.
        followed = voltage_v if voltage_v and sharpest.sd_w <= _QUIET * model.level else {}
        place = _locate(balance, model, sharper, again, estimate, followed, other_log10_e or {})
    return (_finding(balance, transformer, members, fitted, search, estimate, place, parameters),)


def align(
    head: LoadBatch,
    points: LoadBatch,
    transformer: Transformer,
    members: Sequence[UsagePoint],
    parameters: BalanceParameters = BalanceParameters(),
    *,
    clock: LocalClock | None = None,
    losses_w: HourlySeries | None = None,
) -> Balance | str:
    """Head and points on one time axis, or a sentence on what is missing.

    Short gaps of a point are filled (with the neighbours in time and the same hour of the days beside), and what that
    may err is added to the noise; hours with a long gap of a point that matters are left out.
    """
    index = {name: k for k, name in enumerate(points.usage_points)}
    absent = [point.usage_point for point in members if point.usage_point not in index]
    if not members:
        return f"no usage points are known to hang at transformer {transformer.transformer}"
    if absent:
        return (
            f"{len(absent)} of {len(members)} points at transformer {transformer.transformer} have no readings "
            f"({', '.join(absent[:3])}{', ...' if len(absent) > 3 else ''}); without them the balance cannot be drawn"
        )
    if transformer.head_usage_point not in head.usage_points:
        return f"no readings of the head meter {transformer.head_usage_point}"
    own = head.usage_points.index(transformer.head_usage_point)
    step_s = head.step_s
    start_s = int(head.start_s[own])
    head_w = head.power_w[head.first[own] : head.first[own + 1]].astype(np.float64)
    most = parameters.most_days * _DAY_S // step_s
    if head_w.size > most:
        start_s += (head_w.size - most) * step_s
        head_w = head_w[-most:]
    n = head_w.size
    per_day = max(_DAY_S // step_s, 1)
    if n < parameters.least_days * per_day:
        return f"{n / per_day:.0f} days of the head meter; {parameters.least_days} are needed"
    level = float(np.nanmean(np.abs(head_w))) if np.isfinite(head_w).any() else 0.0
    if level <= 0.0:
        return f"the head meter {transformer.head_usage_point} shows nothing"
    metered = np.empty((n, len(members)))
    variance = np.zeros(n)
    complete = np.isfinite(head_w)
    worst: list[tuple[int, str]] = []
    for column, member in enumerate(members):
        k = index[member.usage_point]
        run = points.power_w[points.first[k] : points.first[k + 1]]
        offset, rest = divmod(int(points.start_s[k]) - start_s, step_s)
        if rest:
            return f"intervals of {member.usage_point} begin {rest} s after those of the head meter"
        series = np.full(n, np.nan)
        begin, end = max(offset, 0), min(offset + run.size, n)
        if begin < end:
            series[begin:end] = run[begin - offset : end - offset]
        filled, error, gap = _filled(_without_lost(series, per_day), per_day)
        matters = not np.isfinite(series).any() or float(np.nanmean(np.abs(series))) > 0.003 * level
        if matters:
            lost = gap > parameters.longest_gap
            complete &= ~lost
            worst.append((int(lost.sum()), member.usage_point))
        variance += error
        metered[:, column] = filled
    if complete.sum() < parameters.least_days * per_day:
        worst.sort(reverse=True)
        lacking = ", ".join(name for hours, name in worst[:3] if hours)
        return (
            f"{complete.sum() / per_day:.1f} days with readings of the head meter and all points; "
            f"{parameters.least_days} are needed{f' (most gaps: {lacking})' if lacking else ''}"
        )
    time_s = start_s + step_s * np.arange(n, dtype=np.int64)
    local_s = time_s + local_offset_s(time_s, clock)
    head_w = np.where(np.isfinite(head_w), head_w, level)
    expected = _expected_loss(head_w, level, transformer, len(members), parameters)
    if losses_w is not None:
        known = values_at(losses_w, time_s)
        complete &= np.isfinite(known)
        expected = np.where(np.isfinite(known), known, 0.0)
        if complete.sum() < parameters.least_days * per_day:
            return f"the computed losses cover {complete.sum() / per_day:.1f} days; {parameters.least_days} are needed"
    return Balance(
        names=tuple(member.usage_point for member in members),
        start_s=start_s,
        step_s=step_s,
        head_w=head_w,
        metered_w=metered,
        filled_variance=variance,
        complete=complete,
        expected_loss_w=expected,
        hour=(local_s % _DAY_S) / 3600.0,
        day=local_s // _DAY_S - int(local_s[0]) // _DAY_S,
        first_day=int(local_s[0]) // _DAY_S,
    )


def _without_lost(series: Floats, per_day: int) -> Floats:
    """The series with zeros that stand for lost readings as gaps.

    Many sources store a reading that did not come as 0. A bypassed meter shows 0 too, but for a large part of the time,
    or to the end: runs of zeros that end again and make less than a tenth of the data are taken for lost readings.
    """
    zero = series == 0.0
    if not zero.any():
        return series
    edges = np.flatnonzero(np.diff(np.concatenate(([0], zero.astype(np.int8), [0])))).reshape(-1, 2)
    length = edges[:, 1] - edges[:, 0]
    inside = (edges[:, 1] < series.size) | (length < 3 * per_day)
    if length[inside].sum() >= 0.1 * series.size:
        return series
    out = series.copy()
    for begin, end in edges[inside]:
        out[begin:end] = np.nan
    return out


def _filled(series: Floats, per_day: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """The series without gaps, the variance of what was filled in, and the length of the gap around each place."""
    there = np.isfinite(series)
    if there.all():
        return series, np.zeros(series.size), np.zeros(series.size, np.int64)
    if not there.any():
        return np.zeros(series.size), np.zeros(series.size), np.full(series.size, series.size)
    places = np.arange(series.size)
    edges = np.flatnonzero(np.diff(np.concatenate(([1], there.astype(np.int8), [1]))))
    gap = np.zeros(series.size, np.int64)
    for begin, end in edges.reshape(-1, 2):
        gap[begin:end] = end - begin
    between = np.interp(places, places[there], series[there])
    beside = _mean_of(_shifted(series, per_day), _shifted(series, -per_day))
    guess = np.where(np.isfinite(beside), (between + np.where(np.isfinite(beside), beside, 0.0)) / 2.0, between)
    # What the same guess would have erred where the reading is there.
    tried = (_mean_of(_shifted(series, 1), _shifted(series, -1)) + beside) / 2.0
    error = (series - tried)[np.isfinite(series - tried)]
    variance = float(np.mean(error**2)) if error.size >= per_day else float(np.nanvar(series))
    # Errors within one gap go together: the variance of their sum grows with its square.
    return np.where(there, series, guess), variance * np.minimum(gap, per_day), gap


def _shifted(series: Floats, by: int) -> Floats:
    out = np.full(series.size, np.nan)
    if by > 0:
        out[by:] = series[:-by]
    else:
        out[:by] = series[-by:]
    return out


def _mean_of(one: Floats, other: Floats) -> Floats:
    """Mean of what is there of the two."""
    return np.where(np.isnan(one), other, np.where(np.isnan(other), one, (one + other) / 2.0))


def _copper_per_w2(transformer: Transformer, parameters: BalanceParameters) -> float | None:
    """Load losses over the square of the flow, as far as ratings say. [1/W]"""
    known = 0.0
    if transformer.load_loss_w is not None and transformer.rated_power_va:
        known += transformer.load_loss_w / (transformer.rated_power_va * parameters.power_factor) ** 2
    if transformer.line_resistance_ohm is not None:
        # Three phases with R each: 3 R I^2 with I = P / (sqrt(3) U cos phi).
        known += transformer.line_resistance_ohm / (parameters.nominal_voltage_v * parameters.power_factor) ** 2
    return known if known > 0.0 else None


def _expected_loss(
    flow: Floats, level: float, transformer: Transformer, n_points: int, parameters: BalanceParameters
) -> Floats:
    """Mean of the prior of the losses."""
    constant = transformer.no_load_loss_w
    if constant is None:
        constant = parameters.most_constant_loss * level / 2.0
    constant += n_points * parameters.own_consumption_w / 2.0
    copper = _copper_per_w2(transformer, parameters) or 0.0
    if transformer.line_resistance_ohm is None:
        copper += parameters.most_line_loss / 2.0 / level
    return constant + copper * flow**2


class _NullModel(NamedTuple):
    """What an honest transformer's residual is made of: ``centred = design b + noise``; `level` is the mean flow."""

    centred: Floats
    design: Floats
    level: float


class _Fitted(NamedTuple):
    """The null model with its noise: deviation of one interval, correlation of neighbours, intervals it rests on.

    `typical_w` is the deviation by the median, that a fault in fewer than half of the intervals does not move far.
    """

    fit: EffectFit
    sd_w: float
    typical_w: float
    rho: float
    plain: int


def _null_model(
    balance: Balance,
    transformer: Transformer,
    members: Sequence[UsagePoint],
    parameters: BalanceParameters,
    *,
    known_losses: bool,
) -> _NullModel:
    """All errors that an honest transformer may have, with their priors."""
    flow, metered = balance.head_w, balance.metered_w
    n, n_points = metered.shape
    level = float(np.mean(np.abs(flow[balance.complete])))
    relative = flow / level
    line_loss = parameters.most_line_loss / 2.0
    copper = _copper_per_w2(transformer, parameters)
    if known_losses:
        line_loss = float(np.mean(np.abs(balance.expected_loss_w))) / level
    elif transformer.line_resistance_ohm is not None and copper is not None:
        line_loss = copper * level
    columns: list[Floats] = []
    for k, member in enumerate(members):
        load = metered[:, k]
        limit = CLASS_LIMITS.get((member.meter_class or "").strip(), CLASS_LIMITS[parameters.unknown_class])
        columns.append(load * (limit * parameters.in_service_factor / _SQRT3))
        # A clock that is wrong by d moves d/step of an interval's energy into the one before or after.
        shift = parameters.clock_s / balance.step_s / _SQRT3 / 2.0
        columns.append(np.append(np.diff(load), 0.0) * shift)
        columns.append(np.insert(np.diff(load), 0, 0.0) * shift)
        spread = parameters.loss_tolerance if known_losses else parameters.loss_spread
        columns.append(load * relative * (line_loss * spread))
        # Its own current in its own phase and the neutral, some three times what the whole flow's square says.
        columns.append(load**2 * (3.0 * line_loss * spread / level))
    limit = CLASS_LIMITS.get(transformer.meter_class.strip(), CLASS_LIMITS[parameters.unknown_class])
    columns.append(flow * (limit * parameters.in_service_factor / _SQRT3))
    shift = parameters.clock_s / balance.step_s / _SQRT3 / 2.0
    columns.append(np.append(np.diff(flow), 0.0) * shift)
    columns.append(np.insert(np.diff(flow), 0, 0.0) * shift)
    columns.append(np.full(n, n_points * parameters.own_consumption_w / 2.0 / _SQRT3))
    if known_losses:
        columns.append(balance.expected_loss_w * parameters.loss_tolerance)
    else:
        constant = transformer.no_load_loss_w
        deviation = (
            parameters.most_constant_loss * level / 2.0 / _SQRT3
            if constant is None
            else constant * parameters.loss_tolerance
        )
        columns.append(np.full(n, deviation))
        if copper is not None:
            columns.append(flow**2 * (copper * parameters.loss_tolerance))
        if transformer.line_resistance_ohm is None:
            columns.append(flow * relative * (parameters.most_line_loss / 2.0 / _SQRT3))
    unmodelled = parameters.unmodelled_loss * line_loss * level
    design = np.column_stack([*columns, _by_hour(balance, unmodelled), _by_day(balance, unmodelled)])
    return _NullModel(flow - metered.sum(axis=1) - balance.expected_loss_w, design, level)


_MOST_WILD = 0.05
"""Of the intervals. A source that estimates what it lacks makes some days of it; what is looked for lasts longer."""


def _fit(
    balance: Balance, model: _NullModel, also: Floats | None = None, wild: NDArray[np.bool_] | None = None
) -> _Fitted:
    """Effects and noise together; `also` is a load that is taken out for the noise only, `wild` what is left out."""
    centred, level, n = model.centred, model.level, model.centred.size
    design = model.design
    if also is not None:
        peak = float(np.abs(also).max()) or 1.0
        design = np.column_stack([design, also * (level / peak)])  # as large as all the flow: a prior that says nothing
    # Energy of a register comes in steps, so no balance is better than this.
    least = 1e-4 * level
    noise = 0.01 * level
    excluded = np.zeros(n, bool) if wild is None else wild
    for _ in range(4):
        usable = balance.complete & ~excluded
        weight = np.where(usable, 1.0 / (noise**2 + balance.filled_variance), 0.0)
        fit = fit_effects(centred, weight, design)
        left = centred - design @ fit.effects
        plain = usable & (balance.filled_variance == 0.0)
        if plain.sum() < 48:
            plain = usable
        typical = 1.4826 * float(np.median(np.abs(left[plain]))) + least
        # A few wild readings are damage, and would count more than all the rest. Many are what is looked for.
        if wild is None:
            far = balance.complete & (np.abs(left) > 8.0 * np.sqrt(typical**2 + balance.filled_variance))
            excluded = far if far.sum() <= _MOST_WILD * balance.complete.sum() else np.zeros(n, bool)
        cut = np.clip(left, -6.0 * typical, 6.0 * typical)
        variance = float(np.mean(cut[plain & ~excluded] ** 2)) if (plain & ~excluded).any() else typical**2
        pair = plain[1:] & plain[:-1]
        together = float(np.mean(cut[1:][pair] * cut[:-1][pair])) / variance if pair.any() and variance > 0 else 0.0
        rho = min(max(together, 0.0), 0.95)
        # Slow noise counts by its level at low frequency: (1 + rho) / (1 - rho) of its variance, first-order.
        noise = max(math.sqrt(variance * (1.0 + rho) / (1.0 - rho)), least)
    plain &= ~excluded
    if also is not None:
        fit = fit_effects(centred, weight, model.design)
    return _Fitted(fit, math.sqrt(variance), typical, rho, int(plain.sum()))


def _by_hour(balance: Balance, deviation_w: float) -> Floats:
    """A profile of the day that losses may have and the model has not: smooth over some 3 hours."""
    apart = np.abs(np.arange(24)[:, None] - np.arange(24)[None, :])
    covariance = np.exp(-np.minimum(apart, 24 - apart) / 3.0)
    return (np.linalg.cholesky(covariance) * deviation_w)[balance.hour.astype(np.int64) % 24]


def _by_day(balance: Balance, deviation_w: float) -> Floats:
    """A drift from day to day, that forgets itself in some 10 days."""
    days = np.arange(int(balance.day[-1]) + 1)
    covariance = np.exp(-np.abs(days[:, None] - days[None, :]) / 10.0)
    return (np.linalg.cholesky(covariance) * deviation_w)[balance.day]


def _since(balance: Balance, search: _Search) -> Floats:
    """The best pattern, from its day on."""
    best, day = search.best
    return np.where(balance.day >= day, search.shapes[:, best], 0.0)


def _search(balance: Balance, fitted: _Fitted, parameters: BalanceParameters) -> _Search:
    """Evidence of each pattern since each day, and of a residual that is restless."""
    fit = fitted.fit
    patterns = [_Pattern("always"), _Pattern("flow"), _Pattern("heat")]
    flow = np.maximum(balance.metered_w.sum(axis=1), 0.0)
    shapes = [np.ones(balance.head_w.size), flow, flow**2 / max(float(flow.mean()), 1e-9)]
    for length in (4, 7, 10):  # the hour is found later
        for begin in range(24):
            patterns.append(_Pattern("window", begin_h=begin, length_h=length))
            shapes.append(_window(balance, patterns[-1]))
    for k in range(len(balance.names)):
        load = np.maximum(balance.metered_w[:, k], 0.0)
        if load.any():
            patterns.append(_Pattern("point", point=k))
            shapes.append(load)
    stacked = np.column_stack(shapes)
    days = np.arange(0, int(balance.day[-1]) + 1, max(1, round((int(balance.day[-1]) + 1) / _ONSETS)))
    scan = scan_onsets(fit, stacked, np.searchsorted(balance.day, days).astype(np.int64))
    log_weight = _log_weights(patterns, days)
    # Power while it runs is what is compared with the mean flow, for all patterns alike.
    running_w = np.array([shape[shape > 0.0].mean() for shape in shapes])
    tolerated_w = parameters.tolerated * float(np.mean(np.abs(balance.head_w[balance.complete])))
    z = scan.z - (tolerated_w / running_w)[:, None] * np.sqrt(scan.information)
    level = float(np.mean(np.abs(balance.head_w[balance.complete])))
    restless = _restless_log_p(fitted, parameters.tolerated * level)
    if _mean_residual(balance) < -_OTHER_FAULT * level:
        restless = 0.0  # a load that is not metered makes the residual rise: this is another fault, and is told as one
    p_value, log10_e = _evidence(z, log_weight, restless, parameters)
    best = np.unravel_index(int(np.argmax(log_weight - _log_p(z))), z.shape)
    place = (int(best[0]), int(days[best[1]]))
    return _Search(patterns, stacked, scan, z, log_weight, p_value, log10_e, days, place)


_ONSETS = 20
"""Onsets that are tried, evenly over the data; the day and hour are found later."""


def _log_weights(patterns: Sequence[_Pattern], days: NDArray[np.int64]) -> Floats:
    """How much each pattern and onset is looked for before the data is seen; they sum to 1.

    Each kind of pattern has its part, half of it for "since before the data", the rest evenly over the onsets but those
    in the first and last three days.
    """
    kinds = [pattern.kind for pattern in patterns]
    share = {"always": 0.25, "flow": 0.1, "heat": 0.05, "window": 0.3, "point": 0.3}
    of_pattern = np.array([share[kind] / kinds.count(kind) for kind in kinds])
    onset = ((days >= 3) & (days <= days[-1] - 3)).astype(np.float64)
    if onset.any():
        onset *= 0.5 / onset.sum()
    onset[0] = 1.0 - onset.sum()
    with np.errstate(divide="ignore"):
        log_weight: Floats = np.log(of_pattern / of_pattern.sum())[:, None] + np.log(onset)[None, :]
    return log_weight


def _log_p(z: Floats) -> Floats:
    """Logarithm of the chance that a standard normal exceeds z."""
    from scipy.special import log_ndtr

    logs: Floats = log_ndtr(-z)
    return logs


_OTHER_FAULT = 0.02
"""Of the mean flow: so far below 0 the residual is not by errors within the classes of the meters."""

_RESTLESS_WEIGHT = 0.1
"""Part of the evidence's weight that the hour-to-hour deviation has, beside the patterns."""


def _restless_log_p(fitted: _Fitted, tolerated_w: float) -> float:
    """Logarithm of the chance that noise of the deviation tolerated shows the deviation seen.

    A load that is led past its meter with all its ups and downs has no pattern; it makes the residual restless, by far
    more than registers and clocks do. So do readings that were estimated or lost, but in some hours only: the deviation
    is taken by the median. It varies as a chi-square of fewer squares does; neighbours that go together count as fewer.
    """
    from scipy.special import gammaincc

    # The median has 0.37 of the efficiency of the mean square (Huber and Ronchetti 2009, section 5.1).
    independent = 0.37 * fitted.plain * (1.0 - fitted.rho**2) / (1.0 + fitted.rho**2)
    chance = float(gammaincc(independent / 2.0, independent / 2.0 * (fitted.typical_w / tolerated_w) ** 2))
    return math.log(max(chance, 1e-300))


def _evidence(
    z: Floats, log_weight: Floats, restless_log_p: float, parameters: BalanceParameters
) -> tuple[float, float]:
    """Valid under any dependence: a weighted Bonferroni bound, and a mean of e-values.

    ``exp(l z - l^2/2)`` has expectation at most 1 for every l, also for errors that are only bounded (a rectangular
    error is strictly sub-Gaussian); its mean over half-normal l of scale t has the closed form used here.
    """
    log_weight = log_weight + math.log1p(-_RESTLESS_WEIGHT)
    log_p = float(np.min(np.where(np.isfinite(log_weight), _log_p(z) - log_weight, 0.0)))
    log_p = min(log_p, restless_log_p - math.log(_RESTLESS_WEIGHT))
    p_value = math.exp(min(max(log_p, -690.0), 0.0))
    parts = []
    for scale in (2.0, 5.0, 15.0):
        shrink = scale**2 / (1.0 + scale**2)
        parts.append(math.log(2.0) - 0.5 * math.log1p(scale**2) + 0.5 * shrink * z**2 + _log_p(-z * math.sqrt(shrink)))
    mixed = np.logaddexp.reduce(np.stack(parts), axis=0) - math.log(3.0)
    # 1 / (2 sqrt(p)) is an e-value of a p-value (Vovk and Wang 2021, equation 1, kappa = 1/2).
    restless = math.log(_RESTLESS_WEIGHT / 2.0) - restless_log_p / 2.0
    log_e = float(np.logaddexp(np.logaddexp.reduce((mixed + log_weight).ravel()), restless))
    return p_value, min(log_e / math.log(10.0), parameters.ceiling_log10_e)


def _estimate(balance: Balance, model: _NullModel, fitted: _Fitted, search: _Search) -> _Estimate:
    """Size and onset of the best pattern: the onset to the interval, its interval by the likelihood ratio."""
    fit = fitted.fit
    best, day = search.best
    shape = search.shapes[:, best]
    pattern = search.patterns[best]
    if pattern.kind == "window":
        pattern, shape = _refined(balance, fit, pattern, day)
    onset = None
    begin = 0
    if day > 0:
        each = np.arange(balance.head_w.size, dtype=np.int64)
        fine = scan_onsets(fit, shape[:, None], each)
        z = np.maximum(fine.z[0], 0.0)
        day_begin = np.flatnonzero(np.diff(balance.day, prepend=-1))
        # The first and last three days hold no onset: too little is there to tell it from noise.
        z[1 : day_begin[min(3, day_begin.size - 1)]] = 0.0
        z[day_begin[max(day_begin.size - 3, 0)] :] = 0.0
        begin = int(np.argmax(z))
        near = np.flatnonzero(z**2 >= z[begin] ** 2 - 3.84)  # 95 % of chi-square with one degree of freedom
        if begin > 0 and near[0] > 0:
            onset = (int(near[0]), begin, int(near[-1]))
        else:
            begin = 0
    running = np.where(np.arange(shape.size) >= begin, shape, 0.0)
    scan = scan_onsets(fit, running[:, None], np.zeros(1, np.int64))
    score, information = float(scan.score[0, 0]), float(scan.information[0, 0])
    amplitude = score / information if information > 0.0 else 0.0
    half = 1.96 / math.sqrt(information) if information > 0.0 else math.inf
    # A point's pattern is in watts of that point; a load's power is what it draws while it runs.
    on = running > 0.0
    unit = float(running[on].mean()) if on.any() else 0.0
    low, high = max(amplitude - half, 0.0), amplitude + half
    if begin == 0 and fitted.sd_w > _QUIET * model.level and on.any():
        # What is left is restless, so the pattern is not the load's own, and gains and losses have taken a part of the
        # load in. The plain mean of the residual has errors of its own, but not this one.
        plain = float(model.centred[balance.complete].mean()) / float(running[balance.complete].mean())
        low, high = min(low, max(plain, 0.0)), max(high, plain)
    power = Interval(low * unit, max(amplitude, 0.0) * unit, high * unit)
    return _Estimate(power, onset, running / unit if unit > 0.0 else running, pattern)


def _refined(balance: Balance, fit: EffectFit, pattern: _Pattern, day: int) -> tuple[_Pattern, Floats]:
    """The window to the hour: the search looks at even lengths only."""
    since = balance.day >= day
    near = [
        _Pattern("window", begin_h=(pattern.begin_h + later) % 24, length_h=pattern.length_h + longer)
        for later in (-1, 0, 1)
        for longer in (-2, -1, 0, 1, 2)
        if 0 < pattern.length_h + longer < 24
    ]
    shapes = np.column_stack([_window(balance, each) for each in near])
    z = scan_onsets(fit, shapes * since[:, None], np.zeros(1, np.int64)).z[:, 0]
    best = int(np.argmax(z))
    return near[best], shapes[:, best]


def _window(balance: Balance, pattern: _Pattern) -> Floats:
    inside: Floats = ((balance.hour - pattern.begin_h) % 24.0 < pattern.length_h).astype(np.float64)
    return inside


class _Place(NamedTuple):
    """Where the load is: a point with its reasons, or why it cannot be said."""

    point: int | None
    reasons: tuple[str, ...]


_LEAST_SUPPORT = 3.0
"""Natural logarithm of a likelihood ratio: 20 to 1 against no point, and against the next one."""


_SILENT_SUPPORT = 4.0
"""Of a point that meters nothing while energy is missing: an assumption, some 50 to 1 against a point that meters."""


def _locate(
    balance: Balance,
    model: _NullModel,
    fitted: _Fitted,
    search: _Search,
    estimate: _Estimate,
    voltage_v: Mapping[str, HourlySeries],
    other_log10_e: Mapping[str, float],
) -> _Place:
    """Which point moves with the load: by its pattern, by a fall of what it meters, by voltage, by other evidence."""
    fit = fitted.fit
    support = np.zeros(len(balance.names))
    reasons: dict[int, list[str]] = {k: [] for k in range(len(balance.names))}

    def add(k: int, gain: float, reason: str) -> None:
        if gain > 1.0:
            support[k] += gain
            reasons[k].append(reason)

    z = np.maximum(np.where(np.isfinite(search.log_weight), search.z, 0.0), 0.0).max(axis=1)
    is_point = np.array([pattern.kind == "point" for pattern in search.patterns])
    others = float(z[~is_point].max())
    if estimate.onset is not None:
        falls = _falls(balance, estimate)
        for k, gain, fall_w in falls:
            add(k, gain, f"its metered load fell by {_watts(fall_w)} when the residual rose")
        # A load that is led past its meter goes on as it went before: that pattern too must be beaten.
        usual = {k: _usual(balance, k, estimate.onset[1]) for k, gain, _ in falls if gain > 1.0}
        for k, shape in usual.items():
            goes_on = float(scan_onsets(fit, shape[:, None], np.zeros(1, np.int64)).z[0, 0])
            gain = 0.5 * (max(goes_on, 0.0) ** 2 - others**2)
            add(k, gain, "what is missing goes as its load went before")
            others = max(others, goes_on)
    for k, reading in enumerate(balance.metered_w.T):
        if not reading[balance.complete & (estimate.running > 0.0)].any():
            add(k, _SILENT_SUPPORT, "its meter shows exactly nothing while the load runs")
    for row in np.flatnonzero(is_point):
        gain = 0.5 * (float(z[row]) ** 2 - others**2)
        if gain > _LEAST_SUPPORT and not _explains(balance, model, search, int(row)):
            continue  # a neighbour that lives alike: similar, but not the same to the hour
        add(search.patterns[row].point, gain, "what is missing goes with what this point meters, in a fixed ratio")
    for k, gain in _voltage_support(balance, estimate, voltage_v):
        add(k, gain, "voltages along the line fall with the load as they do with this point's own")
    for k, name in enumerate(balance.names):
        add(k, math.log(10.0) * min(other_log10_e.get(name, 0.0), 3.0), "other evidence of mining at this point")
    order = np.argsort(-support)
    top = int(order[0])
    margin = float(support[top] - (support[order[1]] if order.size > 1 else 0.0))
    if margin >= _LEAST_SUPPORT:
        return _Place(top, tuple(reasons[top]))
    if support[top] >= _LEAST_SUPPORT:
        few = ", ".join(balance.names[k] for k in order[:3] if support[k] > support[top] - _LEAST_SUPPORT)
        return _Place(None, (f"several points fit equally well ({few})",))
    return _Place(None, ("no point's metered load, voltage or other evidence moves with it",))


def _explains(balance: Balance, model: _NullModel, search: _Search, row: int) -> bool:
    """Whether nothing is left that is restless, once a fixed ratio of a point's load is taken out."""
    z = np.where(np.isfinite(search.log_weight[row]), search.z[row], -np.inf)
    shape = np.where(balance.day >= search.days[int(np.argmax(z))], search.shapes[:, row], 0.0)
    return _fit(balance, model, also=shape).sd_w <= _QUIET * model.level


_QUIET = 0.003
"""Of the mean flow: residuals of honest transformers have a deviation of 0.05 to 0.18 % of it (split `design` of
bench/power_injection/bypass.py)."""


def _usual(balance: Balance, point: int, onset: int) -> Floats:
    """What a point metered before the onset by hour of the week, from the onset on; 0 before. [W]"""
    slot = (balance.day % 7) * 24 + balance.hour.astype(np.int64) % 24
    before = balance.complete & (np.arange(slot.size) < onset)
    count = np.bincount(slot[before], minlength=168)
    mean = np.bincount(slot[before], balance.metered_w[before, point], 168) / np.maximum(count, 1)
    mean[count == 0] = float(mean[count > 0].mean()) if (count > 0).any() else 0.0
    return np.where(np.arange(slot.size) >= onset, np.maximum(mean, 0.0)[slot], 0.0)


def _falls(balance: Balance, estimate: _Estimate) -> list[tuple[int, float, float]]:
    """Points whose metered load fell at the onset: logarithm of the likelihood ratio of "by the size of the load"."""
    assert estimate.onset is not None
    earliest, _, latest = estimate.onset
    days = balance.day
    n_days = int(days[-1]) + 1
    usable = balance.complete.astype(np.float64)
    count = np.bincount(days, usable, n_days)
    whole = count >= 0.75 * count.max()
    daily = (
        np.column_stack(
            [np.bincount(days, usable * balance.metered_w[:, k], n_days) for k in range(len(balance.names))]
        )
        / np.maximum(count, 1.0)[:, None]
    )
    duty = float(estimate.running[balance.day > days[latest]].mean()) if latest + 24 < days.size else 1.0
    size, size_sd = estimate.power_w.estimate * duty, (estimate.power_w.high - estimate.power_w.low) / 3.92 * duty
    # Whole weeks on both sides, so that weekends weigh alike.
    before = np.flatnonzero(whole & (np.arange(n_days) < days[earliest]))[-28:]
    after = np.flatnonzero(whole & (np.arange(n_days) > days[latest]))[:28]
    weeks = min(before.size, after.size) // 7
    if weeks:
        before, after = before[-7 * weeks :], after[: 7 * weeks]
    if before.size < 3 or after.size < 3:
        return []
    mean_before, mean_after = daily[before].mean(axis=0), daily[after].mean(axis=0)
    safe = np.where(mean_before > 0.0, mean_before, np.inf)
    common = float(np.median(mean_after / safe - 1.0)) if daily.shape[1] > 3 else 0.0
    fall = mean_before * (1.0 + common) - mean_after
    found = []
    for k in range(daily.shape[1]):
        spread = np.concatenate((daily[before, k] - mean_before[k], daily[after, k] - mean_after[k]))
        # Days go together: the variance of a mean of m days is some 3 times that of independent days.
        sd = math.sqrt(3.0 * float(np.mean(spread**2)) * (1.0 / before.size + 1.0 / after.size))
        sd = math.hypot(sd, 0.02 * mean_before[k], 1e-3 * abs(size))
        both = math.hypot(sd, size_sd, 0.1 * size)
        # Against no fall; heavy tails (Student, 2 degrees) for the null, for loads do fall for their own reasons.
        null = -1.5 * math.log1p((fall[k] / (2.0 * sd)) ** 2)
        match = -0.5 * ((fall[k] - size) / both) ** 2 - math.log(both / sd)
        found.append((k, match - null, float(fall[k])))
    return found


_VOLTAGE_TRUST = 0.5
"""Voltages follow loads by lines, transformers and reactive power, and only the first is in the model. Unhalved, one
in four places named by voltage was a neighbour (split `design` of bench/power_injection/bypass.py)."""


def _voltage_support(
    balance: Balance, estimate: _Estimate, voltage_v: Mapping[str, HourlySeries]
) -> list[tuple[int, float]]:
    """Points at which a load would move all voltages as this one does, against the median point (log likelihood).

    A load lowers the voltage of its neighbours by what they share of the line. So the pattern of the falls names the
    place: it is the same as for the point's metered load, ``dV_j / d(load) = dV_j / dx_k`` for all points j. Voltages
    are taken against their mean, so that the grid's own movement is out.
    """
    time_s = balance.start_s + balance.step_s * np.arange(balance.head_w.size, dtype=np.int64)
    series = [values_at(voltage_v[name], time_s) for name in balance.names if name in voltage_v]
    if len(series) < 3:
        return []
    voltage = np.column_stack(series)
    usable = balance.complete & np.isfinite(voltage).all(axis=1)
    load = estimate.running * estimate.power_w.estimate
    # A point that meters nothing has no voltage response of its own to compare with.
    live = np.flatnonzero(np.ptp(balance.metered_w[usable], axis=0) > 0.0) if usable.any() else np.zeros(0, np.int64)
    if usable.sum() < 10 * (live.size + 2) or np.ptp(load[usable]) == 0.0 or live.size < 2:
        return []  # a load that never changes leaves no mark
    own = voltage[usable] - voltage[usable].mean(axis=1, keepdims=True)
    scale = float(np.abs(load).max())
    explain = np.column_stack([np.ones(own.shape[0]), load[usable] / scale, balance.metered_w[usable][:, live] / scale])
    covariance = np.linalg.pinv(explain.T @ explain)
    coefficient = covariance @ explain.T @ own
    left = own - explain @ coefficient
    noise = np.maximum(left.var(axis=0), 1e-12)
    rho = np.clip((left[1:] * left[:-1]).mean(axis=0) / noise, 0.0, 0.98)
    noise *= (1.0 + rho) / (1.0 - rho)
    # Forcing the load's response to be that of point k costs this much of the sum of squares.
    apart = coefficient[2:] - coefficient[1]
    spread = np.maximum(covariance[1, 1] + np.diag(covariance)[2:] - 2.0 * covariance[1, 2:], 1e-30)
    # Voltages of neighbours err together: they count for as many as their correlations leave (participation ratio).
    together = np.nan_to_num(np.corrcoef(left.T))
    independent = own.shape[1] / float((together**2).sum())
    cost = (apart**2 / (spread[:, None] * noise[None, :])).sum(axis=1) * independent * _VOLTAGE_TRUST
    if float(cost.min()) > own.shape[1] + 5.0 * math.sqrt(2.0 * own.shape[1]):
        return []  # at none of the points: a tap between them
    # The best is believed so far and no farther, the others by what they are behind it.
    most = min(0.5 * (float(np.median(cost)) - float(cost.min())), 15.0)
    return [(int(k), most - 0.5 * (float(each) - float(cost.min()))) for k, each in zip(live, cost, strict=True)]


def _watts(power_w: float) -> str:
    return f"{power_w / 1000.0:.1f} kW" if abs(power_w) >= 950.0 else f"{power_w:.0f} W"


def _finding(
    balance: Balance,
    transformer: Transformer,
    members: Sequence[UsagePoint],
    fitted: _Fitted,
    search: _Search,
    estimate: _Estimate | None,
    place: _Place | None,
    parameters: BalanceParameters,
) -> LoadFinding:
    """The answer in words and figures."""
    mean_w = float(balance.head_w[balance.complete].mean())
    always = float(search.scan.information[0, 0])
    # What a constant load must have for p = 0.01 in half of the cases, all weights counted.
    seen_w = math.inf
    if always > 0.0:
        needed = _z_at(0.01 * math.exp(float(search.log_weight[0, 0])))
        seen_w = needed / math.sqrt(always) + parameters.tolerated * mean_w
    days = int(balance.day[-1]) - int(balance.day[0]) + 1
    sentence = (
        f"Over the {days} days from {_day(balance, 0)} to {_day(balance, balance.day.size - 1)}, the head meter of "
        f"transformer {transformer.transformer} (class {transformer.meter_class}) shows a mean of "
        f"{_watts(mean_w)}, its {len(members)} points and the losses expected "
        f"{_watts(mean_w - _mean_residual(balance))}. "
    )
    usage_point = transformer.head_usage_point
    load_estimate = None
    if estimate is None or place is None:
        short = _mean_residual(balance) < -_OTHER_FAULT * mean_w
        closes = "There is no unmetered load beyond" if short else "The balance closes within"
        sentence += (
            f"{closes} the accuracy of the meters (p = {search.p_value:.2g}); a constant load of "
            f"{_watts(seen_w)} ({seen_w / mean_w:.1%} of the mean) would have been seen."
        )
    else:
        pattern = estimate.pattern
        when = {
            "always": "day and night",
            "window": f"between {pattern.begin_h:02d}:00 and {(pattern.begin_h + pattern.length_h) % 24:02d}:00",
            "flow": "as the flow of the whole transformer goes",
            "heat": "as losses go, but more than lines within the limits of voltage lose,",
            "point": f"in proportion to what {balance.names[max(pattern.point, 0)]} meters",
        }[pattern.kind]
        low, high = estimate.power_w.low, estimate.power_w.high
        sentence += (
            f"No meter shows {_watts(estimate.power_w.estimate)} ({_watts(low)} to {_watts(high)}) {when}, "
            f"{'since before the data' if estimate.onset is None else 'since ' + _day(balance, estimate.onset[1])}. "
            "That is its power while it runs; the means are of all those days, and what was fitted as errors of meters "
            "and losses is still in them. "
        )
        reasons = "; ".join(place.reasons)
        if place.point is not None:
            usage_point = balance.names[place.point]
            sentence += f"It is traced to {usage_point}: {reasons}."
        elif pattern.kind == "point":
            sentence += f"That point is the first to look at; the place is not certain: {reasons}."
        else:
            sentence += f"It cannot be localised: {reasons}."
        load_estimate = _load_estimate(balance, estimate, mean_w)
    end_s = balance.start_s + balance.step_s * balance.head_w.size
    return LoadFinding(
        detector=DETECTOR,
        version=VERSION,
        family=Family.BALANCE,
        usage_point=usage_point,
        started_ns=balance.start_s * _NS,
        ended_ns=end_s * _NS,
        score=-math.log10(search.p_value),
        p_value=search.p_value,
        peers=0,
        log10_e=search.log10_e,
        explanation=sentence,
        estimate=load_estimate,
        counter_hypotheses=_counter_hypotheses(balance, transformer, members, search, estimate, place, parameters),
        contradictions=_contradictions(balance, fitted, mean_w),
        blind_spots=BLIND_SPOTS,
        months=_months(balance, transformer, members, parameters),
    )


def _months(
    balance: Balance, transformer: Transformer, members: Sequence[UsagePoint], parameters: BalanceParameters
) -> tuple[BalanceMonth, ...]:
    """What the balance leaves over in each local month, beside what meters within their classes could make."""
    limits, head_limit = _class_limits(transformer, members, parameters)
    # Readings that are missing were filled for the fit; they are no evidence, and no energy is told of them.
    accuracy_w = balance.metered_w @ limits + head_limit * np.abs(balance.head_w)
    residual_w, hours = balance.residual_w, balance.step_s / 3600.0
    month = (balance.first_day + balance.day).astype("datetime64[D]").astype("datetime64[M]")
    told = []
    for begin, end in pairwise([*np.flatnonzero(np.diff(month, prepend=month[:1] - 1)).tolist(), month.size]):
        known = balance.complete[begin:end]
        told.append(
            BalanceMonth(
                started_ns=_time_ns(balance, begin),
                known_h=float(known.sum()) * hours,
                energy_wh=float(residual_w[begin:end][known].sum()) * hours,
                accuracy_wh=float(accuracy_w[begin:end][known].sum()) * hours,
            )
        )
    return tuple(told)


def _class_limits(
    transformer: Transformer, members: Sequence[UsagePoint], parameters: BalanceParameters
) -> tuple[Floats, float]:
    """How far each point's meter, and the head meter, may err by their classes. [unitless]"""
    unknown = CLASS_LIMITS[parameters.unknown_class]
    limits = np.array([CLASS_LIMITS.get((member.meter_class or "").strip(), unknown) for member in members])
    return limits, CLASS_LIMITS.get(transformer.meter_class.strip(), unknown)


def _mean_residual(balance: Balance) -> float:
    return float(balance.residual_w[balance.complete].mean())


def _z_at(p: float) -> float:
    from scipy.special import ndtri

    return -float(ndtri(p))


def _time_ns(balance: Balance, place: int) -> int:
    return (balance.start_s + balance.step_s * place) * _NS


def _day(balance: Balance, place: int) -> str:
    """The local day of an interval, as the meters' owner knows it."""
    return str(np.datetime64(balance.first_day + int(balance.day[min(place, balance.day.size - 1)]), "D"))


def _load_estimate(balance: Balance, estimate: _Estimate, mean_w: float) -> LoadEstimate:
    hours = balance.step_s / 3600.0
    total = float(estimate.running.sum()) * hours
    onset = None
    begin = 0
    if estimate.onset is not None:
        begin = estimate.onset[1]
        onset = Onset(*(_time_ns(balance, place) for place in estimate.onset))
    power = estimate.power_w
    running = estimate.running[begin:]
    duty = float((running > 0.0).mean()) if running.size else 0.0
    whole = mean_w * balance.head_w.size * hours
    return LoadEstimate(
        power_w=power,
        onset=onset,
        mode=Mode.UNMETERED,
        share=min(max(power.estimate * total / whole, 0.0), 1.0) if whole > 0.0 else 0.0,
        duty=duty,
        energy_wh=Interval(power.low * total, power.estimate * total, power.high * total),
    )


def _counter_hypotheses(
    balance: Balance,
    transformer: Transformer,
    members: Sequence[UsagePoint],
    search: _Search,
    estimate: _Estimate | None,
    place: _Place | None,
    parameters: BalanceParameters,
) -> tuple[CounterHypothesis, ...]:
    if estimate is None:
        return ()
    mean_w = float(balance.head_w[balance.complete].mean())
    limits, head_limit = _class_limits(transformer, members, parameters)
    worst = float(balance.metered_w[balance.complete].mean(axis=0) @ limits) + head_limit * mean_w
    load = estimate.power_w.estimate * float(estimate.running.mean())
    found = [
        CounterHypothesis(
            name="meter_error",
            standing=Standing.EXCLUDED if load > worst and estimate.power_w.low > 0.0 else Standing.POSSIBLE,
            text=f"All meters at the limits of their classes, all in the same direction, make {_watts(worst)} in the "
            f"mean; {_watts(load)} are missing. A meter that is broken is not covered by its class.",
        ),
    ]
    most_loss = (parameters.most_line_loss + parameters.most_constant_loss) * mean_w
    known = transformer.line_resistance_ohm is not None
    found.append(
        CounterHypothesis(
            name="technical_losses",
            standing=Standing.EXCLUDED if search.p_value <= 0.01 else Standing.POSSIBLE,
            text="Losses, as a quadratic form of the loads, are part of what an honest transformer may show, "
            + ("around what its ratings say" if known else f"up to some {_watts(most_loss)} in the mean")
            + f"; p = {search.p_value:.2g} is with them.",
        )
    )
    night = estimate.pattern.kind == "window"
    found.append(
        CounterHypothesis(
            name="unmetered_supply",
            standing=Standing.POSSIBLE if night or estimate.onset is None else Standing.UNTESTED,
            text="A lawful supply without a meter (street lighting, signals, a building site) or a point that is "
            "missing in the topology table looks the same: check the list of supplies of this transformer.",
        )
    )
    if place is not None and place.point is not None:
        own = balance.metered_w[:, place.point]
        begin = estimate.onset[1] if estimate.onset else 0
        silent = float((own[begin:] == 0.0).mean()) if own.size > begin else 0.0
        if silent > 0.05:
            found.append(
                CounterHypothesis(
                    name="missing_readings",
                    standing=Standing.POSSIBLE,
                    text=f"{silent:.0%} of its readings since then are exactly 0: a bypassed meter, or readings that "
                    "are missing and were stored as 0.",
                )
            )
    return tuple(found)


def _contradictions(balance: Balance, fitted: _Fitted, mean_w: float) -> tuple[str, ...]:
    """What speaks against the balance being in order at all."""
    told = []
    excluded = int((balance.complete & (fitted.fit.weight == 0.0)).sum())
    if excluded:
        told.append(f"{excluded} intervals with wild residuals were left out.")
    missing = 1.0 - float(balance.complete.mean())
    if missing > 0.1:
        told.append(f"{missing:.0%} of the intervals have no complete balance.")
    residual = _mean_residual(balance)
    if residual < -_OTHER_FAULT * mean_w:
        told.append(
            f"The points meter {_watts(-residual)} more than passed the head: a point of another transformer, or a "
            "generator that is not metered."
        )
    if fitted.sd_w > 0.05 * mean_w:
        told.append(
            f"The residual is restless ({fitted.sd_w / mean_w:.0%} of the mean from hour to hour): a whole point may "
            "be missing in the topology table."
        )
    return tuple(told)
