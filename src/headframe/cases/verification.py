"""Whether mining has ended, by measuring again: two windows in, a `Measurement` out.

Three answers, none of them the default of another:

- ``rectified`` asks for evidence that the load is gone: what is left must lie, with its 95 % interval, within a stated
  share of what was found (two one-sided tests [1]_). "No significant load" is not that.
- ``persists`` asks for evidence that it goes on: what is left is more than that share at the same confidence, or the
  same detectors find mining in the later window.
- everything else is ``not_enough_data``, with what is missing.

A sensor that is silent shows nothing: without traffic from the site's own addresses, or with less data than the pack
asks for, no metric is rectified. The whole site is measured, with every address and usage point it has in the later
window, so machines that moved next door, or to other hours of the day, stay in the sum.

References
----------
.. [1] D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987, 657-680.
.. [2] C. Clopper, E. Pearson, Biometrika 26, 1934, 404-413.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.cases.remainder import LEAST_DAYS, Fit, Left, design, fit, left_over, quantile, unseen_weather
from headframe.records.case import FindingRef, Measurement, MetricReading, SeriesPoint, VerificationOutcome
from headframe.records.finding import Family, Interval
from headframe.records.policy import VerificationRule

Floats = NDArray[np.float64]

RECTIFIED, PERSISTS, OPEN = (
    VerificationOutcome.RECTIFIED,
    VerificationOutcome.PERSISTS,
    VerificationOutcome.NOT_ENOUGH_DATA,
)
DAY_NS = 86_400_000_000_000
BLOCKS = 8
"""Parts of a day, three hours each, as in `headframe.kernels.load_step`."""
NETWORK = frozenset({Family.CONTENT, Family.ENDPOINT, Family.TIMING, Family.TRAFFIC})
PRIMARY = {
    Family.LOAD: ("kWh_per_day", "kWh_month", "peer_ratio", "mining_power_share"),
    Family.BALANCE: ("feeder_balance",),
    Family.REGISTRY: ("register_entry", "registration_record"),
}
"""Metrics that answer for a family of evidence: the first of them that the pack names. Network evidence is answered
for by `pool_connections`."""
EXPORT, EXPORT_DETECTOR = "export_kWh_per_day", "export_drop"
"""Evidence of a generator that feeds in less is answered for by what it feeds in: its meter of consumption may never
have seen the machines."""
SUPPORTING = frozenset({"load_factor", "load_flatness", "peer_ratio", "kWh_per_day", "kWh_month"})
"""Metrics of the same load in another form. They can say that it goes on; they cannot say alone that it is gone."""
UNITS = {
    "pool_connections": "mining conversations/day",
    "kWh_per_day": "kWh/day",
    "kWh_month": "kWh/month",
    EXPORT: "kWh/day",
    "load_factor": "ratio",
    "load_flatness": "ratio",
    "peer_ratio": "ratio",
    "feeder_balance": "kWh/day",
    "mining_power_share": "share",
    "register_entry": "entry",
    "registration_record": "entry",
}
"""Every metric that can be measured, and its unit."""
MONTH_DAYS = 365.25 / 12
MOST_STILL = 0.2
"""Share of the later window in which a generator may have stood still: then its feed-in tells of that."""
SURE = 0.99
"""Confidence of what speaks against a party: that a load goes on. That it is gone is said with 0.95."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationLimits:
    """What counts as gone.

    Attributes
    ----------
    share : float
        Of the found load that may be left, at most, at the upper end of its 95 % interval. [unitless]
    block_share : float
        Of the found power that may be left in any three hours of the day: keeps machines from moving to other hours.
    fewer : float
        Fall of the working-day swing (day less night) from which on the site counts as used otherwise than before: an
        empty building can hide machines that go on. [unitless]
    log10_e : float
        A finding of the later window with at least this much shows by itself that mining goes on.
    most_beyond_days : int
        Days between the mining and the later window from which on the one is no baseline of the other. [days]
    """

    share: float = 0.2
    block_share: float = 0.5
    fewer: float = 0.25
    log10_e: float = 3.0
    most_beyond_days: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The two windows, and where the days without mining are. [ns since 1970-01-01 UTC]

    Attributes
    ----------
    clean_until_ns : int or None
        Earliest instant at which the mining may have begun; None where it ran before the data began.
    before_from_ns, before_until_ns : int
        With mining.
    after_from_ns, after_until_ns : int
    """

    clean_until_ns: int | None
    before_from_ns: int
    before_until_ns: int
    after_from_ns: int
    after_until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLoad:
    """The load that was found.

    Attributes
    ----------
    power_w : Interval
        While it runs. [W]
    hours : tuple of int
        Local hours in which it runs; empty: all.
    duty : float
        Share of the time in which it runs, 0 to 1. [unitless]
    source : str
        Where the figure comes from.
    """

    power_w: Interval
    hours: tuple[int, ...] = ()
    duty: float = 1.0
    source: str = ""

    @property
    def day_wh(self) -> float:
        """Energy of a day. [Wh]"""
        return self.power_w.estimate * 24 * self.duty

    @property
    def relative_error(self) -> float:
        """Standard error over the estimate."""
        return max(self.power_w.high - self.power_w.low, 0.0) / (2 * 1.96) / max(self.power_w.estimate, 1e-9)

    def runs(self) -> Floats:
        """Share of each block of the day in which it runs, 0 to 1."""
        if not self.hours:
            return np.full(BLOCKS, min(self.duty, 1.0))
        share = np.zeros(BLOCKS)
        for hour in set(self.hours):
            share[hour * BLOCKS // 24] += BLOCKS / 24
        return share


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDays:
    """Energy of a whole site, day by day; consecutive local days. NaN where missing.

    Attributes
    ----------
    day_start_s : int64[n]
        [s since 1970-01-01 UTC]
    block_w : float64[n, 8]
        Mean power of each three hours, all usage points together; NaN where one of its hours is missing. [W]
    peak_w, floor_w : float64[n]
        Highest and lowest hour. [W]
    day_off : bool[n]
        Weekends and holidays.
    temperature_c : float64[n] or None
        [degrees C]
    peers_w : float64[n] or None
        Mean power of comparable sites. [W]
    balance_w : float64[n] or None
        What the transformer delivers and no point's meter sees, less losses; mean of the day. [W]
    export_w : float64[n] or None
        What the site feeds in; mean of the day, NaN where hours are missing or the generator stood still. [W]
    stood_still : bool[n] or None
        Days on which it fed in nothing although its resource was there.
    resource : float64[n] or None
        What the generator lives on, mean of the day: irradiance, water flow, fuel; any unit.
    resource_kind : str
        ``irradiance``, ``water`` or ``fuel``.
    export_peers_w : float64[n] or None
        What comparable generators feed in. [W]
    usage_points : tuple of str
        That are in the sum.
    """

    day_start_s: NDArray[np.int64]
    block_w: Floats
    peak_w: Floats
    floor_w: Floats
    day_off: NDArray[np.bool_]
    temperature_c: Floats | None = None
    peers_w: Floats | None = None
    balance_w: Floats | None = None
    usage_points: tuple[str, ...] = ()
    export_w: Floats | None = None
    stood_still: NDArray[np.bool_] | None = None
    resource: Floats | None = None
    resource_kind: str = ""
    export_peers_w: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDays:
    """What a sensor saw of a site's addresses, day by day.

    Attributes
    ----------
    day_start_s : int64[n]
        [s since 1970-01-01 UTC]
    recorded : float64[n]
        Share of the day that captures cover, 0 to 1.
    conversations : int64[n]
        Of the site's addresses, of any kind.
    elsewhere : int64[n]
        Of all other addresses: whether the sensor is alive.
    mining : int64[n]
        Conversations that the detectors of the case took for mining.
    day_off : bool[n]
    vouched : bool[n] or None
        Days on which the hosts that the findings name were seen, or neighbours that were seen beside them before: so
        the sensor still stands where it stood. None where it need not be asked; then any traffic of the site's will do.
    """

    day_start_s: NDArray[np.int64]
    recorded: Floats
    conversations: NDArray[np.int64]
    elsewhere: NDArray[np.int64]
    mining: NDArray[np.int64]
    day_off: NDArray[np.bool_]
    vouched: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFact:
    """What a register said of the site. [ns since 1970-01-01 UTC]

    Attributes
    ----------
    metric : str
        ``register_entry`` or ``registration_record``.
    register : str
    state_ns : int
        Of which day its content is.
    listed_before, listed_after : bool
        Whether a valid entry covered the site at the end of each window.
    """

    metric: str
    register: str
    state_ns: int
    listed_before: bool
    listed_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that was measured again; None where there is nothing of a kind."""

    load: SiteDays | None = None
    found: FoundLoad | None = None
    found_export: FoundLoad | None = None
    """What was missing of the energy that a generator feeds in."""
    network: NetworkDays | None = None
    registers: tuple[RegisterFact, ...] = ()
    new_findings: tuple[FindingRef, ...] = ()
    """That the same detectors made in the later window, at the site."""
    detectors: tuple[str, ...] = ()
    """That ran over the later window: ``stratum 2``."""
    missing: tuple[str, ...] = ()
    """What could not be had: an address without a site, a usage point without readings."""
    places: tuple[str, ...] = field(default=())
    """Addresses and usage points that the site has now and had not before."""


class _Rows(NamedTuple):
    clean: NDArray[np.int64]
    mining: NDArray[np.int64]
    later: NDArray[np.int64]


def verify(
    findings: Sequence[FindingRef],
    rule: VerificationRule,
    windows: Windows,
    sources: Sources,
    limits: VerificationLimits = VerificationLimits(),
) -> Measurement:
    """Say whether the mining of a case has ended.

    Parameters
    ----------
    findings : sequence of FindingRef
        That the case rests on.
    rule : VerificationRule
        The pack's window, metrics and least coverage.
    windows : Windows
    sources : Sources
    limits : VerificationLimits

    Returns
    -------
    Measurement

    Raises
    ------
    ValueError
        If the windows are empty or overlap.
    """
    if not windows.before_from_ns < windows.before_until_ns <= windows.after_from_ns < windows.after_until_ns:
        raise ValueError(
            "the windows must not be empty, and the later one begins after the earlier one ends: "
            f"{windows.before_from_ns} to {windows.before_until_ns}, {windows.after_from_ns} to "
            f"{windows.after_until_ns}"
        )
    wanted, needed = metrics_needed(findings, rule)
    found = sources.found or _in_situ(sources.load, windows)
    readings = [_measured(metric, rule, windows, sources, found, limits) for metric in wanted]
    if past_the_meter(findings):
        readings = [
            _as(reading, OPEN, "what was found passes the meter, so that its own readings cannot show the end")
            if reading.metric in SUPPORTING
            else reading
            for reading in readings
        ]
    missing = list(sources.missing)
    ran = _versions(findings, sources, missing)
    if (days := (windows.after_until_ns - windows.after_from_ns) / DAY_NS) < rule.window_days - 1 / 24:
        missing.append(f"days: the later window has {days:.0f}, and the pack asks for {rule.window_days}")
    if not needed:
        missing.append("the case rests on no finding that can be measured again")
    by_name = {reading.metric: reading for reading in readings}
    outcome, why = _together(by_name, needed, windows, sources, limits, missing)
    series, plot = _series(wanted, needed, windows, sources, found)
    measured = [reading.coverage for reading in readings if reading.metric in needed] or [0.0]
    return Measurement(
        outcome=outcome,
        before_from_ns=windows.before_from_ns,
        before_until_ns=windows.before_until_ns,
        after_from_ns=windows.after_from_ns,
        after_until_ns=windows.after_until_ns,
        detectors=ran,
        metrics=tuple(readings),
        coverage=min(measured),
        explanation=" ".join(why),
        new_findings=sources.new_findings,
        missing=tuple(dict.fromkeys(missing)),
        plot_metric=plot,
        plot_unit=UNITS.get(plot, ""),
        series=series,
    )


def past_the_meter(findings: Sequence[FindingRef]) -> bool:
    """Whether the meters' own readings cannot tell the end: what was found passes them, at each point that was found.

    When such a load ends, or is metered at last, the point's meter shows as much as before, or more.
    """
    subjects: dict[Family, set[str]] = {Family.LOAD: set(), Family.BALANCE: set()}
    for found in findings:
        if found.stands_out and found.family in subjects:
            subjects[found.family].add(found.subject)
    return bool(subjects[Family.BALANCE]) and subjects[Family.LOAD] <= subjects[Family.BALANCE]


def metrics_needed(findings: Sequence[FindingRef], rule: VerificationRule) -> tuple[tuple[str, ...], frozenset[str]]:
    """Metrics to measure in order, and those that must each say that the mining has ended.

    A family of evidence that the pack names no metric for is measured all the same: a case that rests on it cannot be
    closed without it.

    Parameters
    ----------
    findings : sequence of FindingRef
    rule : VerificationRule

    Returns
    -------
    wanted : tuple of str
    needed : frozenset of str
    """
    families = {found.family for found in findings if found.stands_out and found.detector != EXPORT_DETECTOR}
    if past_the_meter(findings):
        families.discard(Family.LOAD)
    exports = any(found.stands_out and found.detector == EXPORT_DETECTOR for found in findings)
    wanted = list(rule.metrics)
    needed: set[str] = set()
    answers: list[tuple[str, ...]] = [("pool_connections",)] if families & NETWORK else []
    answers += [PRIMARY[family] for family in sorted(families & PRIMARY.keys())]
    answers += [(EXPORT,)] if exports else []
    for names in answers:
        named = next((name for name in names if name in rule.metrics), names[0])
        needed.add(named)
        if named not in wanted:
            wanted.append(named)
    # A rule that is about being registered is kept by being registered, whatever the evidence is.
    needed |= {name for name in wanted if name in PRIMARY[Family.REGISTRY]}
    return tuple(wanted), frozenset(needed)


# Together -------------------------------------------------------------------------------------------------------------


def _together(
    readings: dict[str, MetricReading],
    needed: frozenset[str],
    windows: Windows,
    sources: Sources,
    limits: VerificationLimits,
    missing: list[str],
) -> tuple[VerificationOutcome, list[str]]:
    """The outcome, and why."""
    strong = [one for one in sources.new_findings if one.mining and one.log10_e >= limits.log10_e]
    if strong:
        best = max(strong, key=lambda one: one.log10_e)
        when = "after" if best.started_ns >= windows.after_until_ns else "in"
        return PERSISTS, [
            f"Mining goes on: {best.detector} {best.version} found it at {best.subject} {when} the later window "
            f"(an innocent subject shows this at most once in 10 to the {best.log10_e:.1f})."
        ]
    on = [name for name, reading in readings.items() if reading.outcome is PERSISTS]
    against = [name for name in on if name in needed or (name in SUPPORTING and needed & SUPPORTING)]
    if against:
        return PERSISTS, [
            f"Mining goes on, by {' and '.join(map(_in_words, against))}: {readings[against[0]].explanation}"
        ]
    open_ = [name for name in sorted(needed) if readings[name].outcome is not RECTIFIED]
    why = []
    if open_:
        missing += [f"{name}: {readings[name].explanation}" for name in open_]
        why.append(f"Not enough data: the end of mining does not show in {' and '.join(open_)}.")
    if on:
        missing.append(f"an explanation of {' and '.join(on)}: {readings[on[0]].explanation}")
        why.append(f"Beside the case's evidence, {' and '.join(on)} spoke against an end.")
    if weak := [one for one in sources.new_findings if one.mining]:
        missing.append(f"a look at {len(weak)} weaker findings of the later window: {weak[0].subject}")
        why.append("The detectors found traces in the later window, too weak to show mining.")
    if missing and not why:
        why.append(f"Not enough data: {missing[0]}.")
    if missing or not needed:
        return OPEN, why
    return RECTIFIED, [
        f"The mining has ended, by {' and '.join(map(_in_words, sorted(needed)))}, which the case's evidence rests on. "
        + " ".join(readings[name].explanation for name in sorted(needed))
    ]


def _in_words(metric: str) -> str:
    return {EXPORT: "energy fed in per day", "kWh_per_day": "energy per day", "kWh_month": "energy per month"}.get(
        metric, metric.replace("_", " ")
    )


def _versions(findings: Sequence[FindingRef], sources: Sources, missing: list[str]) -> tuple[str, ...]:
    """Detectors that ran; what the case rests on and did not run again as it was is missing."""
    ran = {name.rpartition(" ")[0]: name.rpartition(" ")[2] for name in sources.detectors}
    for found in findings:
        if not found.stands_out:
            continue
        if found.detector not in ran:
            missing.append(f"{found.detector} {found.version} did not look at the later window")
        elif ran[found.detector] != found.version:
            missing.append(
                f"{found.detector} is version {ran[found.detector]} now and was {found.version}: measure the earlier "
                "window again with the same version"
            )
    # What found something has looked, also where a file of findings alone does not say so.
    found_by = (f"{one.detector} {one.version}" for one in sources.new_findings)
    return tuple(dict.fromkeys([*sources.detectors, *found_by]))


# Metrics --------------------------------------------------------------------------------------------------------------


def _measured(
    metric: str,
    rule: VerificationRule,
    windows: Windows,
    sources: Sources,
    found: FoundLoad | None,
    limits: VerificationLimits,
) -> MetricReading:
    if metric not in UNITS:
        return _nothing(metric, f"the metric is not known; known are {', '.join(UNITS)}")
    if metric == "pool_connections":
        return _pool_connections(rule, windows, sources.network, limits)
    if metric in PRIMARY[Family.REGISTRY]:
        return _register(metric, windows, sources.registers)
    days = sources.load
    if days is None:
        return _nothing(metric, "there are no readings of the site's usage points")
    if metric == EXPORT:
        return _export(rule, windows, days, sources.found_export or found_export_in_situ(days, windows), limits)
    if found is None:
        return _nothing(metric, "how large the found load is, is not known, so nobody can say that it is gone")
    if metric == "feeder_balance":
        return _feeder_balance(rule, windows, days, found, limits)
    if metric in ("kWh_per_day", "kWh_month", "mining_power_share"):
        return _energy(metric, rule, windows, days, found, limits)
    return _ratio(metric, rule, windows, days, found, limits)


def _nothing(metric: str, why: str, coverage: float = 0.0) -> MetricReading:
    nan = math.nan
    return MetricReading(
        metric=metric, before=nan, after=nan, unit=UNITS.get(metric, ""), expected=nan, low=nan, high=nan,
        coverage=coverage, outcome=OPEN, explanation=why,
    )  # fmt: skip


def _pool_connections(
    rule: VerificationRule, windows: Windows, days: NetworkDays | None, limits: VerificationLimits
) -> MetricReading:
    """Days on which mining was seen, among days on which the site could be seen."""
    if days is None or not days.day_start_s.size:
        return _nothing("pool_connections", "there are no captures of the later window")
    before_span, after_span = _spans(windows)
    # A look of an hour that found mining has found it on that day; an hour without any says nothing of its day.
    before, after = _touching(days.day_start_s, *before_span), _within(days.day_start_s, *after_span)
    # A day without any traffic from the site is a day that nobody saw, unless it is a day off and the sensor was alive.
    seen = days.conversations > 0
    seen &= True if days.vouched is None else days.vouched
    alive = seen | (days.day_off & (days.elsewhere + days.conversations > 0))
    covered = np.where(alive, days.recorded, 0.0)
    length = max((windows.after_until_ns - windows.after_from_ns) / DAY_NS, 1.0)
    coverage = min(float(covered[after].sum()) / length, 1.0)
    n_before, n_after = (float(covered[rows].sum()) for rows in (before, after))
    k_before, k_after = (int((days.mining[rows] > 0).sum()) for rows in (before, after))
    rate_before = float(days.mining[before].sum()) / n_before if n_before else math.nan
    rate_after = float(days.mining[after].sum()) / n_after if n_after else math.nan
    d_before = int((covered[before] > 0).sum())
    share = k_before / d_before if d_before else math.nan
    # No mining on n days: the share of days with mining is below this, with 97.5 % confidence [2].
    most = 1 - 0.025 ** (1 / n_after) if n_after >= 1 else 1.0
    said = f"Mining on {k_before} of {d_before} days looked at before, and on {k_after} of {n_after:.0f} days after"
    total = int(days.mining[before].sum())
    reading = MetricReading(
        metric="pool_connections", before=rate_before, after=rate_after, unit=UNITS["pool_connections"],
        expected=rate_before, low=_poisson_low(total) / n_before if n_before else math.nan,
        high=_poisson_high(total) / n_before if n_before else math.nan, coverage=coverage, outcome=OPEN,
        explanation=said,
    )  # fmt: skip
    if k_after:
        return _as(reading, PERSISTS, f"{said}: the same detectors found mining at the site's addresses.")
    if not int(days.conversations[after].sum()):
        return _as(reading, OPEN, "no traffic at all came from the site's addresses: a silent sensor shows nothing")
    if coverage < rule.min_coverage:
        return _as(
            reading, OPEN,
            f"the sensor saw the site in {coverage:.0%} of the window; the pack asks for {rule.min_coverage:.0%}",
        )  # fmt: skip
    if not k_before:
        return _as(reading, OPEN, "no capture of the earlier window shows how often the mining was to be seen")
    if most > limits.share * share:
        need = math.ceil(math.log(0.025) / math.log(1 - min(limits.share * share, 0.999)))
        return _as(
            reading, OPEN,
            f"{said}: mining on up to {most:.0%} of days is not excluded; {need} days without any would do",
        )  # fmt: skip
    return _as(
        reading, RECTIFIED,
        f"{said}; mining on more than {most:.0%} of days is excluded with 97.5 % confidence "
        f"(allowed: {limits.share * share:.0%}).",
    )  # fmt: skip


def _register(metric: str, windows: Windows, facts: Sequence[RegisterFact]) -> MetricReading:
    fact = next((one for one in facts if one.metric == metric), None)
    if fact is None:
        return _nothing(metric, "the register was not asked")
    after = float(fact.listed_after)
    reading = MetricReading(
        metric=metric, before=float(fact.listed_before), after=after, unit=UNITS[metric],
        expected=float(fact.listed_before), low=after, high=after, coverage=1.0, outcome=OPEN, explanation="",
    )  # fmt: skip
    if fact.state_ns < windows.after_until_ns:
        return _as(
            reading, OPEN, f"{fact.register} is of a day before the window's end; import it again and look up again"
        )
    if fact.listed_after:
        return _as(reading, RECTIFIED, f"{fact.register} has a valid entry for the site at the window's end.")
    return _as(reading, PERSISTS, f"{fact.register} has no valid entry for the site at the window's end.")


def _energy(
    metric: str,
    rule: VerificationRule,
    windows: Windows,
    days: SiteDays,
    found: FoundLoad,
    limits: VerificationLimits,
) -> MetricReading:
    """Energy of the whole day, then each three hours of it, then how the site is used."""
    rows = _rows(days, windows)
    mean_w = _day_means(days.block_w)
    coverage = _coverage(days.block_w, rows.later, windows)
    kwh = mean_w * 24 / 1000
    effect, error = found.day_wh / 1000, found.day_wh / 1000 * found.relative_error
    peers = None if days.peers_w is None else days.peers_w * 24 / 1000
    usual = _mean(kwh[rows.mining])
    if math.isfinite(usual) and effect > 1.1 * usual + 2 * error:
        return _nothing(
            metric,
            f"the found load of {effect:.0f} kWh/day is more than the meters show ({usual:.0f} kWh/day): it does not "
            "pass them, so they cannot show its end",
            coverage,
        )
    columns, names = design(days.temperature_c, days.day_off, peers)
    usable, why_not = _usable(days, rows)
    lefts = left_over(kwh, columns, rows.clean, rows.mining, rows.later, effect, error, usable)
    factor = MONTH_DAYS if metric == "kWh_month" else 1.0
    before, after = (_mean(kwh[some]) for some in (_before_rows(days, windows), rows.later))
    if metric == "mining_power_share":
        return _power_share(rule, lefts, effect, before, after, coverage, why_not, limits)
    reading = _reading(metric, before, after, lefts, coverage, factor)
    if not lefts:
        return _as(reading, OPEN, why_not or _no_baseline(rows))
    low, high = lefts[0].interval()
    quiet, hours = _quiet(days, rows, found, usable)
    power = found.power_w.estimate
    if not quiet:
        return _as(reading, OPEN, _no_baseline(rows))
    low_w, high_w = quiet[0].interval()
    said = (
        f"Of the {power / 1000:.1f} kW found, {quiet[0].value / 1000:.2f} ({low_w / 1000:.2f} to {high_w / 1000:.2f}) "
        f"kW are left {hours}, and of its {effect:.0f} kWh/day, {lefts[0].value:.0f} ({low:.0f} to {high:.0f}), judged "
        f"by {_baseline_words(quiet[0], names, rows, '')}"
    )
    verdict, why = _judged(quiet, power, limits.share)
    if verdict is not PERSISTS:
        whole, why_whole = _judged(lefts, effect, limits.block_share)
        if whole is PERSISTS or verdict is RECTIFIED:
            verdict, why = whole, why_whole
    blocks = _blocks(days, rows, found, usable)
    # Eight looks at a day: each must be sure enough that all together err once in twenty.
    if worst := [
        b for b, left in blocks.items() if left.interval(1 - (1 - SURE) / BLOCKS)[0] > limits.block_share * power
    ]:
        b = worst[0]
        return _as(
            reading, PERSISTS,
            f"{said}; from {b * 3}:00 to {b * 3 + 3}:00 {blocks[b].value / 1000:.1f} kW of "
            f"{power / 1000:.1f} kW are left.",
        )  # fmt: skip
    if verdict is PERSISTS:
        return _as(reading, PERSISTS, f"{said}: {why}.")
    if coverage < rule.min_coverage:
        return _as(
            reading, OPEN,
            f"readings cover {coverage:.0%} of the window; the pack asks for {rule.min_coverage:.0%}",
        )  # fmt: skip
    if verdict is OPEN:
        return _as(reading, OPEN, f"{said}: {why}")
    loose = [b for b in range(BLOCKS) if b not in blocks or blocks[b].interval()[1] > limits.block_share * power]
    if loose:
        return _as(
            reading, OPEN,
            f"{said}; but from {loose[0] * 3}:00 to {loose[0] * 3 + 3}:00 a load of more than "
            f"{limits.block_share:.0%} of the found power is not excluded",
        )  # fmt: skip
    if used := _used_otherwise(days, rows, limits, usable):
        return _as(reading, OPEN, f"{said}; but {used}")
    return _as(
        reading,
        RECTIFIED,
        f"{said}: at most {limits.share:.0%} of the found load, and nothing like it at another time of day.",
    )


def _power_share(
    rule: VerificationRule,
    lefts: list[Left],
    effect: float,
    before: float,
    after: float,
    coverage: float,
    why_not: str,
    limits: VerificationLimits,
) -> MetricReading:
    """Share of the facility's energy that is mining."""
    reading = MetricReading(
        metric="mining_power_share", before=min(effect / before, 1.0) if before > 0 else math.nan,
        after=max(lefts[0].value / after, 0.0) if lefts and after > 0 else math.nan, unit="share",
        expected=min(effect / before, 1.0) if before > 0 else math.nan,
        low=lefts[0].interval()[0] / after if lefts and after > 0 else math.nan,
        high=lefts[0].interval()[1] / after if lefts and after > 0 else math.nan,
        coverage=coverage, outcome=OPEN, explanation="",
    )  # fmt: skip
    if not lefts:
        return _as(reading, OPEN, why_not or "there is no baseline to tell the mining's share from")
    verdict, why = _judged(lefts, effect, limits.share)
    said = f"mining is {reading.after:.1%} ({reading.low:.1%} to {reading.high:.1%}) of the facility's energy"
    return _concluded(reading, verdict, said, why, coverage, rule, joint="; ")


def _feeder_balance(
    rule: VerificationRule, windows: Windows, days: SiteDays, found: FoundLoad, limits: VerificationLimits
) -> MetricReading:
    """Energy that the transformer delivers and no point's meter sees."""
    if days.balance_w is None:
        return _nothing("feeder_balance", "the transformer has no meter of its own, or its points are not known")
    rows = _rows(days, windows)
    kwh = days.balance_w * 24 / 1000
    coverage = _coverage(days.balance_w[:, None], rows.later, windows)
    effect, error = found.day_wh / 1000, found.day_wh / 1000 * found.relative_error
    # Losses follow the load through the transformer, so the metered load is what explains a residual.
    columns, names = design(None, days.day_off, _day_means(days.block_w))
    lefts = left_over(kwh, columns, rows.clean, rows.mining, rows.later, effect, error)
    before, after = (_mean(kwh[some]) for some in (_before_rows(days, windows), rows.later))
    reading = _reading("feeder_balance", before, after, lefts, coverage)
    if not lefts:
        return _as(reading, OPEN, _no_baseline(rows))
    low, high = lefts[0].interval()
    verdict, why = _judged(lefts, effect, limits.share)
    said = (
        f"Of the {effect:.0f} kWh/day found past the meters, {lefts[0].value:.0f} ({low:.0f} to {high:.0f}) are left, "
        f"judged by "
        f"{_baseline_words(lefts[0], names, rows, 'kWh/day')}"
    )
    return _concluded(reading, verdict, said, why, coverage, rule, what="the balance covers")


def _ratio(
    metric: str,
    rule: VerificationRule,
    windows: Windows,
    days: SiteDays,
    found: FoundLoad,
    limits: VerificationLimits,
) -> MetricReading:
    """Load factor, flatness and ratio to peers: the same load, in a form that some packs name."""
    rows = _rows(days, windows)
    mean_w = _day_means(days.block_w)
    coverage = _coverage(days.block_w, rows.later, windows)
    power = found.power_w.estimate
    at_peak = power if not found.hours or _peak_hour_runs(found) else 0.0
    at_floor = power if not found.hours and found.duty > 0.9 else 0.0
    rest_w = np.maximum(mean_w - power * found.duty, 1e-3 * np.maximum(mean_w, 1e-9))
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric == "load_factor":
            y = mean_w / days.peak_w
            without = rest_w / np.maximum(days.peak_w - at_peak, rest_w)
        elif metric == "load_flatness":
            y = days.floor_w / mean_w
            without = np.maximum(days.floor_w - at_floor, 0.0) / rest_w
        else:
            if days.peers_w is None:
                return _nothing(metric, "there are no comparable usage points", coverage)
            y = mean_w / days.peers_w
            without = rest_w / days.peers_w
    y = np.where(np.isfinite(y), y, np.nan)
    effect = _mean((y - without)[rows.mining])
    columns, names = design(days.temperature_c, days.day_off)
    usable, why_not = _usable(days, rows)
    error = abs(effect) * found.relative_error
    lefts = left_over(y, columns, rows.clean, rows.mining, rows.later, effect, error, usable)
    before, after = (_mean(y[some]) for some in (_before_rows(days, windows), rows.later))
    reading = _reading(metric, before, after, lefts, coverage)
    if not lefts or not math.isfinite(effect):
        return _as(reading, OPEN, why_not or _no_baseline(rows))
    if effect <= 0:
        return _as(reading, OPEN, "the found load does not show in this figure, so its absence would not either")
    low, high = lefts[0].interval()
    verdict, why = _judged(lefts, effect, limits.share)
    said = (
        f"Of the {effect:.3f} that the found load adds, {lefts[0].value:.3f} ({low:.3f} to {high:.3f}) are left, "
        f"judged by {_baseline_words(lefts[0], names, rows, '')}"
    )
    return _concluded(reading, verdict, said, why, coverage, rule)


def export_design(days: SiteDays) -> tuple[Floats, tuple[str, ...]] | None:
    """Columns that a day's feed-in is explained by; None where neither resource nor comparable generators are known.

    A line with bends at thirds of the resource: an inverter, or a turbine at its limit, has a corner.
    """
    columns, names = [np.ones(days.day_off.size)], ["level"]
    if days.resource is not None and np.isfinite(days.resource).any():
        known = days.resource[np.isfinite(days.resource)]
        columns.append(days.resource)
        columns += [np.maximum(days.resource - bend, 0.0) for bend in np.quantile(known, (1 / 3, 2 / 3))]
        names.append(days.resource_kind or "resource")
    if days.export_peers_w is not None:
        columns.append(days.export_peers_w * 24 / 1000)
        names.append("comparable generators")
    return (np.column_stack(columns), tuple(names)) if len(names) > 1 else None


def found_export_in_situ(days: SiteDays | None, windows: Windows) -> FoundLoad | None:
    """What is missing of the feed-in since the mining began, by the readings themselves; None without clean days."""
    if days is None or days.export_w is None or windows.clean_until_ns is None:
        return None
    designed = export_design(days)
    rows = _rows(days, windows)
    if designed is None:
        return None
    lefts = left_over(-days.export_w, designed[0], rows.clean, rows.mining[:0], rows.mining, 0.0, 0.0)
    if not lefts or lefts[0].value <= 0:
        return None
    low, high = lefts[0].interval()
    return FoundLoad(power_w=Interval(low, lefts[0].value, high), source="the feed-in around the onset")


def _export(
    rule: VerificationRule, windows: Windows, days: SiteDays, found: FoundLoad | None, limits: VerificationLimits
) -> MetricReading:
    """What a generator feeds in, under the same sun, water or fuel: what was missing has to be back."""
    if days.export_w is None or not np.isfinite(days.export_w).any():
        return _nothing(EXPORT, "there are no readings of what the site feeds in")
    rows = _rows(days, windows)
    coverage = _coverage(days.export_w[:, None], rows.later, windows)
    designed = export_design(days)
    if designed is None:
        return _nothing(
            EXPORT,
            "the weather of both windows is not known: without irradiance, water or fuel, or comparable generators, "
            "more feed-in may be more sun",
            coverage,
        )
    if found is None or not found.power_w.estimate > 0:
        return _nothing(
            EXPORT, "how much feed-in was missing is not known, so nobody can say that it is back", coverage
        )
    columns, names = designed
    kwh = days.export_w * 24 / 1000
    effect, error = found.day_wh / 1000, found.day_wh / 1000 * found.relative_error
    # Turned round, what is missing is a load: more of it is worse, and none of it is left when all of it is back.
    lefts = left_over(-kwh, columns, rows.clean, rows.mining, rows.later, effect, error)
    before, after = (_mean(kwh[some]) for some in (_before_rows(days, windows), rows.later))
    reading = _reading(EXPORT, before, after, lefts, coverage)
    if not lefts:
        return _as(reading, OPEN, _no_baseline(rows))
    # What would be fed in if the machines went on.
    reading = dataclasses.replace(reading, expected=-reading.expected, low=-reading.high, high=-reading.low)
    low, high = lefts[0].interval()
    said = (
        f"Of the {effect:.0f} kWh/day of feed-in that were missing, {lefts[0].value:.0f} ({low:.0f} to {high:.0f}) are "
        f"missing still, judged by {_baseline_words(lefts[0], names, rows, 'kWh/day')}"
    )
    still = 0 if days.stood_still is None else int(days.stood_still[rows.later].sum())
    if still > MOST_STILL * rows.later.size:
        return _as(reading, OPEN, f"{said}; but the generator stood still on {still} days of the window")
    verdict, why = _judged(lefts, effect, limits.share)
    if verdict is PERSISTS and low > (1 + limits.block_share) * effect:
        verdict, why = OPEN, "far more is missing than was found; something else is wrong with the generator"
    return _concluded(reading, verdict, said, why, coverage, rule)


def _concluded(
    reading: MetricReading,
    verdict: VerificationOutcome,
    said: str,
    why: str,
    coverage: float,
    rule: VerificationRule,
    *,
    what: str = "readings cover",
    joint: str = ": ",
) -> MetricReading:
    """How a comparison ends: nothing is rectified on less data than the pack asks for, and every outcome says why."""
    if verdict is RECTIFIED and coverage < rule.min_coverage:
        verdict, why = OPEN, f"{what} {coverage:.0%} of the window"
    return _as(reading, verdict, f"{said}{joint}{why}" if why else f"{said}.")


def _judged(lefts: list[Left], effect: float, share: float, below: float = 0.5) -> tuple[VerificationOutcome, str]:
    """What the baselines say together: the more exact one decides, and the other must not speak against it.

    A site that uses far less than before the mining has changed otherwise too: `below` is how much less may be.
    """
    first = lefts[0]
    low, high = first.interval()
    tolerance = share * effect
    if first.interval(SURE)[0] > tolerance:
        if len(lefts) > 1 and lefts[1].interval()[1] < tolerance:
            return OPEN, "the days before the mining and those with it do not agree on what is left"
        return PERSISTS, f"more than {share:.0%} of what was found"
    if high > tolerance:
        return OPEN, f"up to {high / effect:.0%} of what was found may be left; at most {share:.0%} is allowed"
    if low < -max(share, below) * effect:
        return OPEN, (
            "it lies below what the site used without the mining; something else has changed too, and may hide "
            "what is left"
        )
    if len(lefts) > 1 and lefts[1].interval()[0] > tolerance:
        return OPEN, "the days before the mining and those with it do not agree on what is left"
    return RECTIFIED, ""


def _quiet(days: SiteDays, rows: _Rows, found: FoundLoad, usable: tuple[bool, bool]) -> tuple[list[Left], str]:
    """What is left in those hours in which the load was found and the site itself is the calmest, and their words. [W]

    The hours are chosen by the error alone, which the later window has no part in.
    """
    runs = found.runs()
    columns, _ = design(days.temperature_c, days.day_off, days.peers_w)
    best: tuple[float, list[Left], str] | None = None
    for length in (BLOCKS, 3, 2):
        for begin in range(1 if length == BLOCKS else BLOCKS):
            some = [(begin + k) % BLOCKS for k in range(length)]
            share = float(runs[some].mean())
            if length < BLOCKS and share < 0.5:
                continue
            # Per watt of the found load, so that hours in which it ran half the time count as such.
            power = found.power_w.estimate
            y = days.block_w[:, some].mean(axis=1) / max(share, 1e-9)
            left = left_over(
                y, columns, rows.clean, rows.mining, rows.later, power, power * found.relative_error, usable
            )
            if not left:
                continue
            reach = left[0].error * quantile(0.975, left[0].degrees)
            words = (
                "over the whole day"
                if length == BLOCKS
                else f"from {begin * 3}:00 to {(begin + length) * 3 % 24}:00, where the site itself is the calmest"
            )
            if best is None or reach < best[0]:
                best = reach, left, words
    return ([], "") if best is None else (best[1], best[2])


def _blocks(days: SiteDays, rows: _Rows, found: FoundLoad, usable: tuple[bool, bool]) -> dict[int, Left]:
    """What is left in each three hours of the day. [W]"""
    runs = found.runs()
    columns, _ = design(days.temperature_c, days.day_off, days.peers_w)
    lefts = {}
    for b in range(BLOCKS):
        power = found.power_w.estimate * runs[b]
        error = power * found.relative_error
        some = left_over(
            days.block_w[:, b],
            columns,
            rows.clean,
            rows.mining,
            rows.later,
            power,
            error,
            usable,
        )
        if some:
            lefts[b] = some[0]
    return lefts


def _used_otherwise(days: SiteDays, rows: _Rows, limits: VerificationLimits, usable: tuple[bool, bool]) -> str:
    """Why the site's use cannot be taken for what it was; empty where it can.

    A constant load falls out of the difference of day and night. Where that difference has shrunk, people have left,
    and what they no longer use may hide what a machine still does.
    """
    day, night = days.block_w[:, 3:6].mean(axis=1), days.block_w[:, 0:2].mean(axis=1)
    working = ~days.day_off
    columns, _ = design(days.temperature_c, days.day_off, days.peers_w)
    clean, mining, later = (some[working[some]] for some in rows)
    if not later.size:
        return "no working day lies in the window"
    lefts = left_over(day - night, columns, clean, mining, later, 0.0, 0.0, usable)
    if not lefts or lefts[0].expected <= 0:
        return ""
    first = lefts[0]
    # Not only where the fall is significant: that people are still there has to be seen too.
    if first.value < -limits.fewer * first.expected:
        return (
            f"on working days the site uses {-first.value / first.expected:.0%} less by day above its night than "
            "before: it may stand empty, and that can hide machines that go on"
        )
    return ""


def _in_situ(days: SiteDays | None, windows: Windows) -> FoundLoad | None:
    """Size of the load from the readings themselves: what the days with mining have more than those before."""
    if days is None or windows.clean_until_ns is None:
        return None
    rows = _rows(days, windows)
    columns, _ = design(days.temperature_c, days.day_off, days.peers_w)
    # The weeks around the onset: the further away, the more else has changed, the weather first.
    for weeks in (8, 4, 2):
        clean, mining = rows.clean[-182:], rows.mining[: 7 * weeks]
        steps, errors = np.full(BLOCKS, np.nan), np.full(BLOCKS, np.nan)
        degrees = 1.0
        for b in range(BLOCKS):
            some = left_over(days.block_w[:, b], columns, clean, mining[:0], mining, 0.0, 0.0)
            if some:
                steps[b], errors[b], degrees = some[0].value, some[0].error, some[0].degrees
        if np.isfinite(steps).all():
            break
    if not np.isfinite(steps).all() or steps.max() <= 0:
        return None
    # Three hours in which people work are noisy: of two steps the surer one shows the level.
    level = float(steps[np.argmax(steps / errors)])
    runs = steps > level / 2
    weight = 1 / errors[runs] ** 2
    power = float((steps[runs] * weight).sum() / weight.sum())
    # Blocks of one day err alike: their mean is no better than the best of them.
    reach = quantile(0.975, degrees) * float(errors[runs].min())
    hours = tuple(int(h) for h in range(24) if runs[h * BLOCKS // 24])
    return FoundLoad(
        power_w=Interval(power - reach, power, power + reach), hours=() if runs.all() else hours,
        duty=float(runs.mean()), source="the readings around the onset",
    )  # fmt: skip


found_in_situ = _in_situ
"""Size of a load from the readings around its onset; None where no clean day is known."""


# Rows, words and pictures ---------------------------------------------------------------------------------------------


def _spans(windows: Windows) -> tuple[tuple[int, int], tuple[int, int]]:
    return (windows.before_from_ns, windows.before_until_ns), (windows.after_from_ns, windows.after_until_ns)


def _within(day_start_s: NDArray[np.int64], from_ns: int, until_ns: int) -> NDArray[np.int64]:
    """Days that lie wholly within a window."""
    start_ns = day_start_s * 1_000_000_000
    # A day of 25 hours, and a window that begins at midnight in another zone, lose no day by it.
    slack = 2 * 3600 * 1_000_000_000
    return np.flatnonzero((start_ns >= from_ns - slack) & (start_ns + DAY_NS <= until_ns + slack))


def _touching(day_start_s: NDArray[np.int64], from_ns: int, until_ns: int) -> NDArray[np.int64]:
    """Days of which a part lies within a window."""
    start_ns = day_start_s * 1_000_000_000
    return np.flatnonzero((start_ns < until_ns) & (start_ns + DAY_NS > from_ns))


def _rows(days: SiteDays, windows: Windows) -> _Rows:
    start_ns = days.day_start_s * 1_000_000_000
    clean = (
        np.zeros(0, np.int64)
        if windows.clean_until_ns is None
        else np.flatnonzero(start_ns + DAY_NS <= windows.clean_until_ns)
    )
    return _Rows(clean, *(_within(days.day_start_s, *span) for span in _spans(windows)))


def _before_rows(days: SiteDays, windows: Windows) -> NDArray[np.int64]:
    """The days before that a reader compares with: as many as there are after, the latest."""
    rows = _rows(days, windows)
    return rows.mining[-max(rows.later.size, 1) :]


def _usable(days: SiteDays, rows: _Rows) -> tuple[tuple[bool, bool], str]:
    """Whether each baseline has seen the later window's weather; why not, where neither has."""
    why = [unseen_weather(days.temperature_c, days.day_start_s, base, rows.later) for base in (rows.clean, rows.mining)]
    usable = (not why[0], not why[1])
    return usable, next((text for text in why if text), "") if not any(usable) else ""


def _coverage(block_w: Floats, later: NDArray[np.int64], windows: Windows) -> float:
    """How much of the later window is known; a day counts by its blocks. [share]"""
    days = max((windows.after_until_ns - windows.after_from_ns) / DAY_NS, 1.0)
    return min(float(np.isfinite(block_w[later]).mean(axis=1).sum()) / days, 1.0) if later.size else 0.0


def _day_means(block_w: Floats) -> Floats:
    """Mean of each day of which three quarters are known."""
    known = np.isfinite(block_w).sum(axis=1)
    total = np.where(np.isfinite(block_w), block_w, 0.0).sum(axis=1)
    return np.where(known >= 0.75 * block_w.shape[1], total / np.maximum(known, 1), np.nan)


def _mean(values: Floats) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else math.nan


def _peak_hour_runs(found: FoundLoad) -> bool:
    return any(9 <= hour <= 19 for hour in found.hours)


def _reading(
    metric: str, before: float, after: float, lefts: list[Left], coverage: float, factor: float = 1.0
) -> MetricReading:
    nan = math.nan
    low, high = lefts[0].expected_interval() if lefts else (nan, nan)
    return MetricReading(
        metric=metric, before=before * factor, after=after * factor, unit=UNITS[metric],
        expected=(lefts[0].expected if lefts else nan) * factor, low=low * factor, high=high * factor,
        coverage=coverage, outcome=OPEN, explanation="",
    )  # fmt: skip


def _as(reading: MetricReading, outcome: VerificationOutcome, explanation: str) -> MetricReading:
    return dataclasses.replace(reading, outcome=outcome, explanation=explanation)


def _baseline_words(left: Left, names: tuple[str, ...], rows: _Rows, unit: str) -> str:
    known = ", ".join(names[1:])
    error = (
        f"error from {left.placebos} windows without a change"
        if left.placebos
        else "too few windows without a change, so the error is that of single weeks"
    )
    if left.baseline == "clean":
        base = f"{left.days} days before the mining began"
    else:
        because = "" if rows.clean.size else "no clean baseline exists, since the mining ran before the data began; "
        base = f"{because}{left.days} days with the mining, less the found load"
    return f"{base} (with {known}; {error})"


def _no_baseline(rows: _Rows) -> str:
    if max(rows.clean.size, rows.mining.size) >= LEAST_DAYS and rows.later.size:
        return (
            f"there is no baseline: {rows.clean.size} days before the mining began and {rows.mining.size} days with it "
            "are known; the later window is unlike them (weather, days off or comparable sites), too far away for so "
            "few, or has no readings"
        )
    return (
        f"there is no baseline: {rows.clean.size} days before the mining began and {rows.mining.size} days with it; "
        f"{LEAST_DAYS} days with readings are needed of one of them"
    )


def _poisson_low(k: int) -> float:
    from scipy.stats import chi2

    return float(chi2.ppf(0.025, 2 * k) / 2) if k else 0.0


def _poisson_high(k: int) -> float:
    from scipy.stats import chi2

    return float(chi2.ppf(0.975, 2 * k + 2) / 2)


def _series(
    wanted: Sequence[str], needed: frozenset[str], windows: Windows, sources: Sources, found: FoundLoad | None
) -> tuple[tuple[SeriesPoint, ...], str]:
    """Both windows day by day, with what would be expected if the mining went on."""
    order = [name for name in wanted if name in needed] + list(wanted)
    # Days of a load say more than the few looks of a capture, where the case's evidence rests on both.
    order.sort(key=lambda name: (name not in needed, name == "pool_connections"))
    for name in order:
        if name == EXPORT and sources.load is not None:
            points = _export_series(sources.load, windows)
            if points:
                return points, EXPORT
        if name in ("kWh_per_day", "kWh_month", "mining_power_share", "peer_ratio", "feeder_balance") and sources.load:
            plot = "feeder_balance" if name == "feeder_balance" else "kWh_per_day"
            points = _load_series(sources.load, windows, found, plot)
            if points:
                return points, plot
        if name == "pool_connections" and sources.network is not None:
            return _network_series(sources.network, windows), name
    return (), ""


def _export_series(days: SiteDays, windows: Windows) -> tuple[SeriesPoint, ...]:
    """Feed-in of both windows, and what it would be with the machines going on; without days with them, without any."""
    designed = export_design(days)
    if designed is None or days.export_w is None:
        return ()
    rows = _rows(days, windows)
    y, columns = days.export_w * 24 / 1000, designed[0]
    base = fit(y, columns, rows.mining, 7, 0) or fit(y, columns, rows.clean, 7, 0)
    return _points(days, y, columns, base, 0.0, np.concatenate([_before_rows(days, windows), rows.later]))


def _load_series(days: SiteDays, windows: Windows, found: FoundLoad | None, plot: str) -> tuple[SeriesPoint, ...]:
    rows = _rows(days, windows)
    mean_w = _day_means(days.block_w)
    if plot == "feeder_balance":
        if days.balance_w is None:
            return ()
        y = days.balance_w * 24 / 1000
        columns, _ = design(None, days.day_off, mean_w)
    else:
        y = mean_w * 24 / 1000
        peers = None if days.peers_w is None else days.peers_w * 24 / 1000
        columns, _ = design(days.temperature_c, days.day_off, peers)
    effect = 0.0 if found is None else found.day_wh / 1000
    base = fit(y, columns, rows.mining, 7, 0)
    more = 0.0
    if base is None:
        base, more = fit(y, columns, rows.clean, 7, 0), effect
    return _points(days, y, columns, base, more, np.concatenate([_before_rows(days, windows), rows.later]))


def _points(
    days: SiteDays, y: Floats, columns: Floats, base: Fit | None, more: float, shown: NDArray[np.int64]
) -> tuple[SeriesPoint, ...]:
    points = []
    for k in shown.tolist():
        expected = math.nan if base is None else float(base.predicted(columns[k : k + 1])[0]) + more
        spread = math.nan if base is None else 1.96 * float(np.std(y[base.rows] - base.predicted(columns[base.rows])))
        points.append(
            SeriesPoint(
                day_start_s=int(days.day_start_s[k]),
                value=float(y[k]),
                expected=expected,
                low=expected - spread,
                high=expected + spread,
            )
        )
    return tuple(points)


LEAST_LOOK = 60 / 86_400
"""A look that is shorter gives no rate by day. [days]"""


def _network_series(days: NetworkDays, windows: Windows) -> tuple[SeriesPoint, ...]:
    before_span, after_span = _spans(windows)
    before, after = _touching(days.day_start_s, *before_span), _within(days.day_start_s, *after_span)
    # Per day of looking, as the metric counts: a look of an hour that met four conversations is not a day with four.
    looked = float(days.recorded[before].sum())
    total = int(days.mining[before].sum())
    usual, low, high = (
        (total / looked, _poisson_low(total) / looked, _poisson_high(total) / looked) if looked else (math.nan,) * 3
    )
    return tuple(
        SeriesPoint(
            day_start_s=int(days.day_start_s[k]),
            value=float(days.mining[k] / days.recorded[k]) if days.recorded[k] > LEAST_LOOK else math.nan,
            expected=usual,
            low=low,
            high=high,
        )
        for k in [*before.tolist(), *after.tolist()]
    )
