"""A generator feeds in less than before, while its water, fuel or sun does not fall.

Machines in a power plant, or behind a PV inverter, take energy before the meter that counts what is fed in. What the
generator should feed in is learned from its resource: a bent line, day by day, robustly. A step in what is left says
how much is missing and since when; how the missing power depends on the output tells machines (a constant load) from
soiling and broken strings (a share) and from curtailment (a cut at the top).

``docs/detectors/export_drop.md`` has the mathematics.

References
----------
.. [1] Huber and Ronchetti, "Robust Statistics", 2nd ed., Wiley, 2009, section 7.8 (iteratively reweighted fits).
.. [2] Andrews, "Tests for parameter instability and structural change with unknown change point", Econometrica 61(4),
   1993, section 3. doi:10.2307/2951764
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headframe.detectors.power.hours import local_offset_s, values_at
from headframe.records.finding import Family, Interval
from headframe.records.load_finding import (
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

    from headframe.records.reading import HourlySeries, LoadBatch, LocalClock

    Floats = NDArray[np.float64]

DETECTOR = "export_drop"
VERSION = "1"
_DAY_S = 86_400
_NS = 1_000_000_000

BLIND_SPOTS: tuple[str, ...] = (
    "A load from before the data: only a change is seen.",
    "A load that was added little by little looks like wear.",
    "A resource that was measured elsewhere, or by an instrument that drifts together with the drop.",
    "A lawful new consumer behind the same meter looks the same: it takes an inspection to tell.",
)


@dataclass(frozen=True)
class ExportDropParameters:
    """What is asked of the data.

    Attributes
    ----------
    least_days : int
        Days with both output and resource.
    least_side_days : int
        On each side of a step.
    least_relative : float
        A drop below this share of the mean feed-in is not asked for: gauges of water and sun are no better (class B
        pyranometers of ISO 9060 are within some 5 % a day). [unitless]
    running_share : float
        Resource above this share of its 95th percentile counts as "could generate". [unitless]
    list_below : float
        p-value from which on an estimate is made.
    ceiling_log10_e : float
        An assumption: changes of a plant that nobody wrote down are no rarer than this. [unitless]
    """

    least_days: int = 40
    least_side_days: int = 10
    least_relative: float = 0.03
    running_share: float = 0.05
    list_below: float = 0.05
    ceiling_log10_e: float = 3.0


class _Days(NamedTuple):
    """Daily means: feed-in [W] and resource, which local day each is, and whole days without feed-in."""

    power_w: Floats
    resource: Floats
    day: NDArray[np.int64]
    outages: int


class _Step(NamedTuple):
    """The step that explains most: begin as a place in the days, drop [W], its deviation, and the range of begins."""

    place: int
    drop_w: float
    sd_w: float
    z: float
    earliest: int
    latest: int
    tried: int


class _Fall(NamedTuple):
    """How the missing power goes with the output: shares of the variation that each form explains, 0 to 1."""

    constant: float
    share: float
    cut: float
    power_w: float
    duty: float


def detect(
    export: LoadBatch,
    resource: HourlySeries,
    parameters: ExportDropParameters = ExportDropParameters(),
    *,
    clock: LocalClock | None = None,
    kind: str = "irradiance",
) -> tuple[LoadFinding | LoadInsufficient, ...]:
    """Test each generator for a drop that its resource does not explain.

    Parameters
    ----------
    export : LoadBatch
        Mean power fed into the grid, of one or more generators; hours.
    resource : HourlySeries
        What they live on: irradiance [W/m2], water flow [m3/s], fuel; any unit, for it is only compared with itself.
    parameters : ExportDropParameters
    clock : LocalClock, optional
        UTC without it.
    kind : str
        ``irradiance``, ``water`` or ``fuel``, for the words.

    Returns
    -------
    tuple of LoadFinding or LoadInsufficient
        One for each generator; a finding also where nothing dropped, with its p-value.
    """
    answers: list[LoadFinding | LoadInsufficient] = []
    for k, name in enumerate(export.usage_points):
        power_w = export.power_w[export.first[k] : export.first[k + 1]].astype(np.float64)
        time_s = int(export.start_s[k]) + export.step_s * np.arange(power_w.size, dtype=np.int64)
        given = values_at(resource, time_s)
        local_s = time_s + local_offset_s(time_s, clock)
        if np.isfinite(power_w).any() and not np.nan_to_num(power_w).any():
            answers.append(LoadInsufficient(detector=DETECTOR, usage_point=name, missing="it feeds nothing in"))
            continue
        days = _daily(power_w, given, local_s // _DAY_S, _DAY_S // export.step_s)
        if days.power_w.size < parameters.least_days:
            answers.append(
                LoadInsufficient(
                    detector=DETECTOR,
                    usage_point=name,
                    missing=f"{days.power_w.size} days with feed-in and {kind}; {parameters.least_days} are needed",
                )
            )
            continue
        if np.ptp(days.resource) == 0.0:
            answers.append(LoadInsufficient(detector=DETECTOR, usage_point=name, missing=f"its {kind} never changes"))
            continue
        answers.append(_answer(name, power_w, given, time_s, local_s // _DAY_S, days, parameters, kind))
    return tuple(answers)


MOST_TAKEN = 0.25
"""A point that takes more than this, of what it feeds in, from the grid is no generator but premises with one: more of
the generation is used there in some seasons, which looks like a drop. Machines behind a solar park's meter take half of
their energy from the grid by night; above a drop of two fifths they would be missed."""
LEAST_FOLLOWED = 0.3
"""Rank correlation by day below which a resource is not what a generator lives on. A drop in the midst of the data
costs some of it, so that it lies far below what generators have."""


def followed(export: LoadBatch, resource: HourlySeries, *, clock: LocalClock | None = None) -> Floats:
    """How closely each generator's feed-in follows a resource from day to day: Spearman's rank correlation.

    Parameters
    ----------
    export, resource, clock
        As in `detect`.

    Returns
    -------
    float64[n]
        From -1 to 1; -1 where there are too few days, or one of both never changes.
    """
    from scipy.stats import rankdata

    found = np.full(len(export.usage_points), -1.0)
    for k in range(found.size):
        power_w = export.power_w[export.first[k] : export.first[k + 1]].astype(np.float64)
        time_s = int(export.start_s[k]) + export.step_s * np.arange(power_w.size, dtype=np.int64)
        local_day = (time_s + local_offset_s(time_s, clock)) // _DAY_S
        days = _daily(power_w, values_at(resource, time_s), local_day, _DAY_S // export.step_s)
        if days.power_w.size >= 14 and np.ptp(days.power_w) > 0 and np.ptp(days.resource) > 0:
            found[k] = np.corrcoef(rankdata(days.power_w), rankdata(days.resource))[0, 1]
    return found


def _daily(power_w: Floats, resource: Floats, day: NDArray[np.int64], per_day: int) -> _Days:
    """Means of days of which nine tenths are there. Days without any feed-in are outages, and are not fitted."""
    both = np.isfinite(power_w) & np.isfinite(resource)
    if not both.any():
        nothing = np.zeros(0)
        return _Days(nothing, nothing, np.zeros(0, np.int64), 0)
    index = day - int(day[0])
    count = np.bincount(index, both, int(index[-1]) + 1)
    total = np.bincount(index, np.where(both, power_w, 0.0), count.size)
    given = np.bincount(index, np.where(both, resource, 0.0), count.size)
    whole = count >= 0.9 * per_day
    mean, level = total[whole] / count[whole], given[whole] / count[whole]
    typical = float(np.median(mean)) if mean.size else 0.0
    out = (mean <= 0.001 * typical) & (level > 0.25 * float(np.median(level))) if mean.size else np.zeros(0, bool)
    return _Days(mean[~out], level[~out], np.flatnonzero(whole)[~out].astype(np.int64) + int(day[0]), int(out.sum()))


def _design(days: _Days) -> Floats:
    """A line with bends at the resource's quantiles, and the season where the data holds more than a year of it.

    The more days, the more bends: a turbine at its limit has a corner that few bends would miss for weeks on end.
    """
    x = days.resource / max(float(np.abs(days.resource).max()), 1e-30)
    columns = [np.ones(x.size), x]
    bends = 3 if x.size < 100 else 7 if x.size < 300 else 15
    columns += [np.maximum(x - bend, 0.0) for bend in np.unique(np.quantile(x, np.linspace(0.0, 1.0, bends + 2)[1:-1]))]
    if int(days.day[-1] - days.day[0]) > 400:
        phase = 2.0 * math.pi * (days.day - days.day[0]) / 365.25
        columns += [np.cos(phase) * x, np.sin(phase) * x]
    return np.column_stack(columns)


def _huber(design: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Coefficients and weights of a robust fit [1]_: beyond 1.345 deviations a residual counts by its size only.

    Deviations go with the output: a cloud over a plant matters in summer more than in winter.
    """
    level = np.ones(values.size)
    for _ in range(2):
        coefficient, weight = _huber_at(design / level[:, None], values / level)
        level = np.maximum(design @ coefficient, 0.2 * float(values.mean()))
    return coefficient, weight / level**2


def _huber_at(design: Floats, values: Floats) -> tuple[Floats, Floats]:
    """The same for deviations that are alike."""
    weight: Floats = np.ones(values.size)
    coefficient: Floats = np.zeros(design.shape[1])
    for _ in range(15):
        root = np.sqrt(weight)
        coefficient = np.linalg.lstsq(design * root[:, None], values * root, rcond=1e-10)[0].astype(np.float64)
        left = values - design @ coefficient
        scale = 1.4826 * float(np.median(np.abs(left))) + 1e-12 * float(np.abs(values).max())
        weight = np.minimum(1.0, 1.345 * scale / np.maximum(np.abs(left), 1e-300))
    return coefficient, weight


def _scan(design: Floats, values: Floats, weight: Floats, side: int, rho: float, scale: float) -> tuple[Floats, Floats]:
    """Drop and its z for a step at each place; NaN near the ends."""
    root = np.sqrt(weight)
    basis, _ = np.linalg.qr(design * root[:, None])
    target = values * root
    target = target - basis @ (basis.T @ target)
    n = values.size
    drop, z = np.full(n, np.nan), np.full(n, np.nan)
    inflation = math.sqrt((1.0 + rho) / (1.0 - rho))
    for place in range(side, n - side + 1):
        step = np.where(np.arange(n) >= place, root, 0.0)
        step = step - basis @ (basis.T @ step)
        information = float(step @ step)
        if information > 1e-6 * float(weight.sum()):
            drop[place - (place == n)] = -float(step @ target) / information
            z[place - (place == n)] = drop[place - (place == n)] * math.sqrt(information) / (scale * inflation)
    return drop, z


def _slow(left: Floats) -> float:
    """The first-order correlation whose mean varies as much as means of these residuals over three weeks do.

    What lasts for weeks (a filter that clogs, a dry river bed) shows little from one day to the next.
    """
    span = min(_WEEKS_DAYS, left.size // 4)
    if span < 2:
        return 0.0
    total = float(left @ left)
    sums = sum((1.0 - lag / span) * float(left[lag:] @ left[:-lag]) for lag in range(1, span))
    ratio = max(1.0 + 2.0 * sums / max(total, 1e-300), 1.0)  # Bartlett's estimate of the long-run variance
    return (ratio - 1.0) / (ratio + 1.0)


_WEEKS_DAYS = 21


def _step(days: _Days, parameters: ExportDropParameters) -> _Step:
    """The largest unexplained drop, with noise that goes together from day to day."""
    design, values = _design(days), days.power_w
    _, weight = _huber(design, values)
    best = -1
    drop, z = np.zeros(values.size), np.zeros(values.size)
    for _ in range(3):
        with_step = design
        if best >= 0:
            with_step = np.column_stack([design, np.arange(values.size) >= best])
        # The step is in the model when the noise is measured, or it would be taken for noise.
        coefficient, weight = _huber(with_step, values)
        left = values - with_step @ coefficient
        cut = np.sqrt(weight) * left
        scale = math.sqrt(float(np.sum(cut**2)) / max(values.size - with_step.shape[1], 1))
        scale = max(scale, 1e-4)  # of the output
        # The first estimate is low in short series: (n rho + 1) / (n - 4) takes the bias out (Kendall 1954).
        rho = float(cut[1:] @ cut[:-1]) / max(float(cut @ cut), 1e-300)
        rho = min(max((values.size * rho + 1.0) / (values.size - 4.0), 0.0), 0.9)
        rho = max(rho, _slow(cut))
        drop, z = _scan(design, values, weight, parameters.least_side_days, rho, scale)
        best = int(np.nanargmax(z)) if np.isfinite(z).any() else parameters.least_side_days
    near = np.flatnonzero(z**2 >= z[best] ** 2 - 3.84)  # 95 % of chi-square with one degree of freedom
    near = near[z[near] > 0.0] if z[best] > 0.0 else np.array([best])
    sd = abs(drop[best] / z[best]) if z[best] else math.inf
    asked = parameters.least_relative * float(values.mean())
    beyond = (drop[best] - asked) / sd
    return _Step(best, float(drop[best]), sd, float(beyond), int(near[0]), int(near[-1]), int(np.isfinite(z).sum()))


def _fall(
    power_w: Floats,
    resource: Floats,
    day: NDArray[np.int64],
    onset_day: int,
    running_share: float,
) -> _Fall:
    """How the fall depends on what could be generated, hour by hour: before and after by bins of the resource."""
    both = np.isfinite(power_w) & np.isfinite(resource)
    running = both & (resource > running_share * float(np.quantile(resource[both], 0.95)))
    before, after = running & (day < onset_day), running & (day >= onset_day)
    duty = float(running[both].mean())
    edges = np.unique(np.quantile(resource[running], np.linspace(0.0, 1.0, 11))) if running.any() else np.zeros(0)
    expected, missing, weight = [], [], []
    for low, high in pairwise(edges):
        here = (resource >= low) & (resource <= high)
        one, other = power_w[before & here], power_w[after & here]
        if one.size >= 12 and other.size >= 12:
            expected.append(float(one.mean()))
            missing.append(float(one.mean() - other.mean()))
            spread = math.sqrt(float(one.var()) / one.size + float(other.var()) / other.size)
            weight.append(1.0 / max(spread, 0.01 * max(float(one.mean()), 1e-9)) ** 2)
    if len(expected) < 4:
        return _Fall(math.nan, math.nan, math.nan, math.nan, duty)
    e, m, w = np.array(expected), np.array(missing), np.array(weight)
    top = float(e.max())
    # A load takes at most what is generated; a cut takes what is above a line.
    forms = {
        "constant": [np.minimum(level, e) for level in np.linspace(0.02, 1.0, 50) * top],
        "share": [e],
        "cut": [np.maximum(e - line, 0.0) for line in np.linspace(0.3, 0.98, 35) * top],
    }
    worst = float(w @ m**2)
    left = {}
    for name, shapes in forms.items():
        fits = []
        for shape in shapes:
            factor = 1.0 if name != "share" else float(w @ (shape * m)) / max(float(w @ shape**2), 1e-300)
            fits.append(float(w @ (m - factor * shape) ** 2))
        left[name] = min(fits)
    best = forms["constant"][int(np.argmin([float(w @ (m - shape) ** 2) for shape in forms["constant"]]))]
    explained = {name: 1.0 - value / max(worst, 1e-300) for name, value in left.items()}
    return _Fall(explained["constant"], explained["share"], explained["cut"], float(best.max()), duty)


def _answer(
    name: str,
    power_w: Floats,
    resource: Floats,
    time_s: NDArray[np.int64],
    day: NDArray[np.int64],
    days: _Days,
    parameters: ExportDropParameters,
    kind: str,
) -> LoadFinding:
    from scipy.special import stdtr

    step = _step(days, parameters)
    # A step may be at any place (Bonferroni; Andrews has the exact law for noise without memory).
    freedom = max(days.power_w.size - 8, 3)
    p_value = min(float(stdtr(freedom, -step.z)) * max(step.tried, 1), 1.0)
    p_value = max(p_value, 1e-300)
    log10_e = min(math.log10(0.5) - 0.5 * math.log10(p_value), parameters.ceiling_log10_e)
    estimate = None
    others: tuple[CounterHypothesis, ...] = ()
    if p_value > parameters.list_below:
        sentence = f"Feed-in follows its {kind}: no drop that it does not explain (p = {p_value:.2g})."
    else:
        onset_day = int(days.day[step.place])
        fall = _fall(power_w, resource, day, onset_day, parameters.running_share)
        estimate = _estimate(days, step, fall, time_s, day)
        others = _counter_hypotheses(step, fall, days, kind)
        share = step.drop_w / max(float(days.power_w[: step.place].mean()), 1e-9)
        sentence = (
            f"Since {np.datetime64(onset_day, 'D')} the generator feeds in {_watts(step.drop_w)} less in the mean "
            f"({share:.0%} of before), and its {kind} does not explain it (p = {p_value:.2g})."
        )
    return LoadFinding(
        detector=DETECTOR,
        version=VERSION,
        family=Family.LOAD,
        usage_point=name,
        started_ns=int(time_s[0]) * _NS,
        ended_ns=(2 * int(time_s[-1]) - int(time_s[-2])) * _NS,
        score=-math.log10(p_value),
        p_value=p_value,
        peers=0,
        log10_e=log10_e,
        explanation=sentence,
        estimate=estimate,
        counter_hypotheses=others,
        contradictions=(f"{days.outages} days without any feed-in were left out.",) if days.outages else (),
        blind_spots=BLIND_SPOTS,
    )


def _estimate(days: _Days, step: _Step, fall: _Fall, time_s: NDArray[np.int64], day: NDArray[np.int64]) -> LoadEstimate:
    half = 1.96 * step.sd_w
    duty = min(max(fall.duty, 1e-3), 1.0)

    def at(place: int) -> int:
        return int(time_s[int(np.searchsorted(day, days.day[place]))]) * _NS

    hours = (int(time_s[-1]) - at(step.place) // _NS) / 3600.0
    low, high = max(step.drop_w - half, 0.0), step.drop_w + half
    whole = float(days.power_w[: step.place].mean())
    return LoadEstimate(
        power_w=Interval(low / duty, step.drop_w / duty, high / duty),
        onset=Onset(at(step.earliest), at(step.place), at(step.latest)),
        mode=Mode.STEP,
        share=min(max(step.drop_w / whole, 0.0), 1.0) if whole > 0.0 else 0.0,
        duty=duty,
        energy_wh=Interval(low * hours, step.drop_w * hours, high * hours),
    )


def _counter_hypotheses(step: _Step, fall: _Fall, days: _Days, kind: str) -> tuple[CounterHypothesis, ...]:
    """What else lowers feed-in. The form of the fall decides where it can."""
    known = math.isfinite(fall.constant)

    def standing(own: float) -> Standing:
        if not known:
            return Standing.UNTESTED
        # Another form must leave twice as much unexplained to be excluded.
        return Standing.EXCLUDED if 1.0 - own > 2.0 * (1.0 - fall.constant) else Standing.POSSIBLE

    def said(own: float) -> str:
        if not known:
            return "too few hours with comparable output before and after."
        return (
            f"it explains {max(own, 0.0):.0%} of the fall over the levels of output, a constant load "
            f"{max(fall.constant, 0.0):.0%}."
        )

    return (
        CounterHypothesis(
            name="outage",
            standing=Standing.POSSIBLE if days.outages > 0.2 * (days.power_w.size - step.place) else Standing.EXCLUDED,
            text=f"{days.outages} days without any feed-in were left out, so the drop is not made of them.",
        ),
        CounterHypothesis(
            name="curtailment", standing=standing(fall.cut), text="A cut at the top of the output: " + said(fall.cut)
        ),
        CounterHypothesis(
            name="soiling" if kind == "irradiance" else "wear",
            standing=standing(fall.share),
            text="A loss in proportion to the output (soiling, a broken string or turbine): " + said(fall.share),
        ),
        CounterHypothesis(
            name="self_consumption",
            standing=Standing.POSSIBLE,
            text="A new lawful consumer before the meter takes what machines would take; feed-in alone cannot tell.",
        ),
    )


def _watts(power_w: float) -> str:
    return f"{power_w / 1000.0:.1f} kW" if abs(power_w) >= 950.0 else f"{power_w:.0f} W"
