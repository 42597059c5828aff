"""One machine: load through the shape detectors, then a list, then a closer look at what stands out.

The first pass keeps a few numbers of each usage point and period, never a series, so memory is bounded by a batch and
by the number of points. The second pass reads only those again that stand out, with some of their peers for the band
that a report draws. Rows come out the same whatever the order, the size of batches and the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.power import balance as balance_detector
from headframe.detectors.power import (
    estimates,
    export_drop,
    flat_load,
    homes,
    likeness,
    load_step,
    off_hours,
    peer_ratio,
    price_follow,
)
from headframe.detectors.power import peers as peer_rule
from headframe.detectors.power.consequences import consequences
from headframe.detectors.power.counter_hypotheses import counter_hypotheses
from headframe.detectors.power.hours import local_offset_s
from headframe.engines.load_batches import (
    NO_ROWS,
    Batches,
    Rows,
    cut,
    in_threads,
    joined,
    joined_rows,
    merged,
    one_row,
    rows_of,
    runs,
)
from headframe.engines.load_drawing import Days, PeerBand, band_points, by_day, drawing_of, fitted_floor
from headframe.evidence.calibrators import rank_calibrator
from headframe.evidence.fusion import Answer, fuse
from headframe.evidence.lists import benjamini_hochberg
from headframe.evidence.peers import ReferencePopulation, p_values, reference_p_values
from headframe.records.finding import Family
from headframe.records.load_finding import (
    Consequences,
    CounterHypothesis,
    LoadDrawing,
    LoadEstimate,
    LoadFinding,
    LoadInsufficient,
    Mode,
    UsagePointResult,
)
from headframe.records.meters import MetersResult
from headframe.records.reading import HourlySeries, LoadBatch, LocalClock, Surroundings, Transformer, UsagePoint
from headframe.reports.meters import MODE_WORDS
from headframe.reports.words import clock_time, count, interval, si

NS = 1_000_000_000
HOUR_S = 3600
LOOK_P = 0.02
"""What is not listed and has a p-value of at most this is worth a look: one innocent point of fifty."""
MOST_TOGETHER = 20_000_000
"""Readings that are held at once, so that each point can be compared with its peers week by week: 80 MB."""
LEAST_RATIO_Z = 3.0
"""A rise against the peers of fewer usual weekly changes is not spoken of."""
MOST_BACK = 0.2
"""Energy that a transformer feeds back, over what it takes: beyond this its losses and its meter's errors are no longer
those of one direction, which is what the balance knows."""
LEAST_P = 1e-6
"""A balance's p-value counts no further in the score: meters fail and tables of the grid have errors."""
HOME_ROUGHNESS = 0.78
"""A household's load is at least so rough within its days (`headframe.kernels.load_rows`). On the splits `design` and
`tune`, 98 % of 80 windows of homes lie above, and 70 % of 53 windows of university buildings below 3 kW lie below."""
LEAST_HOMES = 0.1
"""Share of the points without a tariff class that must be small and rough before any of them is taken for a home: where
they are fewer, they are the small ones among commercial points. Of the Cambridge windows on `design` and `tune` 2 %
are, of the windows of homes 98 %."""
MOST_ESTIMATED_H = 1_000_000
"""For so many hours of readings the load is estimated, the rows with the highest scores first: some 750 rows of 56
days, or 110 of a year. It takes some microseconds an hour, a hundred times as long as the measures. [h]"""
MOST_TESTED = 100
"""Rows whose counter-hypotheses are tested though they do not stand out, the highest scores first."""
MOST_DRAWN = 300
"""Rows that are drawn: what a report shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetersOptions:
    """How usage points are looked at.

    Attributes
    ----------
    period_days : int or None
        One row per usage point and so many days; None: over all its data. [days]
    fdr : float
        False discovery rate of the list. [unitless]
    threads : int or None
        Workers; None: one for each processor.
    """

    period_days: int | None = None
    fdr: float = 0.05
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known beside the readings.

    Attributes
    ----------
    surroundings : Surroundings
    usage_points : mapping of str to UsagePoint
    transformers : sequence of Transformer
    references : mapping of str to ReferencePopulation
        Scores of real buildings without machines, by kind of premises.
    country : str
        ISO 3166-1 alpha-2, for the carbon of its electricity; empty where it is not said.
    price_source : str
        Where the prices come from.
    carbon_g_per_kwh : HourlySeries or None
        [g/kWh]
    resources : sequence of (str, HourlySeries)
        What generators live on: ``irradiance``, ``water``, ``fuel``.
    """

    surroundings: Surroundings
    usage_points: Mapping[str, UsagePoint] = field(default_factory=dict)
    transformers: Sequence[Transformer] = ()
    references: Mapping[str, ReferencePopulation] = field(default_factory=dict)
    country: str = ""
    price_source: str = ""
    carbon_g_per_kwh: HourlySeries | None = None
    resources: Sequence[tuple[str, HourlySeries]] = ()


class Shape(NamedTuple):
    """What the shape detectors measured of some rows: one entry for each row in every array."""

    home: NDArray[np.bool_]
    likeness: likeness.LikenessMeasures
    homes: homes.HomeMeasures
    load_step: load_step.LoadStepMeasures


@dataclass(slots=True)
class _Details:
    """What the closer look at a row gave."""

    findings: list[LoadFinding] = field(default_factory=list)
    insufficient: list[LoadInsufficient] = field(default_factory=list)
    estimate: LoadEstimate | None = None
    consequences: Consequences | None = None
    counter_hypotheses: tuple[CounterHypothesis, ...] = ()
    drawing: LoadDrawing | None = None

    def take(self, other: _Details) -> None:
        """Add what another look gave."""
        self.findings += other.findings
        self.insufficient += other.insufficient
        self.estimate = other.estimate or self.estimate
        self.consequences = other.consequences or self.consequences
        self.counter_hypotheses = other.counter_hypotheses or self.counter_hypotheses
        self.drawing = other.drawing or self.drawing


class _Table:
    """All rows on their way to results, as arrays of n; details of those that were looked at closely.

    `beside` has, by row, what was found beside the load's shape: by a balance, or in what is fed in. `balances` counts
    the balances that were drawn over a row's point, whether or not one was traced to it.
    """

    def __init__(self, rows: Rows) -> None:
        n = len(rows.usage_points)
        self.rows = rows
        self.home = np.zeros(n, bool)
        self.shape_score = np.full(n, np.nan)
        self.shape_p = np.full(n, np.nan)
        self.shape_log10_e = np.zeros(n)
        self.score = np.full(n, np.nan)
        self.p = np.full(n, np.nan)
        self.log10_e = np.zeros(n)
        self.beside: dict[int, list[LoadFinding]] = {}
        self.balances: dict[int, int] = {}
        self.peers = np.zeros(n, np.int64)
        self.peer_words = [""] * n
        self.listed = np.zeros(n, bool)
        self.look = np.zeros(n, bool)
        self.adjusted = np.ones(n)
        self.trait_p: dict[str, NDArray[np.float64]] = {}
        self.trait_score: dict[str, NDArray[np.float64]] = {}
        self.trait_peers = np.zeros(n, np.int64)
        self.peer_ratio: peer_ratio.PeerRatioMeasures | None = None
        self.details: dict[int, _Details] = {}

    def of(self, at: int) -> _Details:
        """Details of a row, made where there are none."""
        return self.details.setdefault(at, _Details())

    def ranked(self) -> list[int]:
        """Rows in order: the list, then by score, those without a score last; names and times break ties."""
        names, start = self.rows.usage_points, self.rows.start_s
        score = np.where(np.isnan(self.score), -np.inf, self.score)
        keys = zip((~self.listed).tolist(), (-score).tolist(), names, start.tolist(), strict=True)
        return [at for _, at in sorted((key, at) for at, key in enumerate(keys))]


class MetersEngine:
    """Looks through the readings of usage points on this machine.

    Parameters
    ----------
    batches : Batches
        Hourly load, to be had again.
    knowledge : Knowledge
    options : MetersOptions, optional
    raw_batches : Batches, optional
        The same with exact zeros kept, for the balance: a bypassed meter shows 0.
    export_batches : Batches, optional
        What is fed into the grid, for `export_drop`.
    """

    def __init__(
        self,
        batches: Batches,
        knowledge: Knowledge,
        options: MetersOptions = MetersOptions(),
        *,
        raw_batches: Batches | None = None,
        export_batches: Batches | None = None,
    ) -> None:
        self._export_batches = export_batches
        self._together: LoadBatch | None = None
        self._batches = batches
        self._raw_batches = raw_batches or batches
        self._knowledge = knowledge
        self._options = options
        self._heads = {one.head_usage_point for one in knowledge.transformers}

    def run(self) -> MetersResult:
        """All rows, ranked, with the list."""
        rows, shape = self._measured()
        table = self._judged(rows, shape) if shape is not None else _Table(rows)
        self._balanced(table)
        self._listed(table)
        self._looked_at(table, shape)
        results = [self._result(table, at) for at in table.ranked()]
        return MetersResult(
            rows=results,
            readings=int(rows.present.sum()),
            fdr=self._options.fdr,
            method="BH",
            period_days=self._options.period_days,
            look_p=LOOK_P,
            zone=self._knowledge.surroundings.clock.zone,
            not_tested=self._not_tested(),
        )

    # First pass ------------------------------------------------------------------------------------------------------

    def _measured(self) -> tuple[Rows, Shape | None]:
        parts: list[tuple[Rows, Shape]] = []
        together: list[LoadBatch] | None = None if self._options.period_days else []
        readings = 0
        for rows, shape, batch in in_threads(self._batches(None), self._measure, self._options.threads):
            if not rows.usage_points:
                continue
            parts.append((rows, shape))
            readings += batch.power_w.size
            if together is not None:
                together = None if readings > MOST_TOGETHER else [*together, batch]
        if not parts:
            return NO_ROWS, None
        self._together = merged(together) if together else None
        shapes = [shape for _, shape in parts]
        return joined_rows([rows for rows, _ in parts]), Shape(
            np.concatenate([shape.home for shape in shapes]),
            joined([shape.likeness for shape in shapes]),
            joined([shape.homes for shape in shapes]),
            joined([shape.load_step for shape in shapes]),
        )

    def _measure(self, batch: LoadBatch) -> tuple[Rows, Shape, LoadBatch]:
        batch = cut(batch, self._options.period_days)
        surroundings = self._knowledge.surroundings
        rows = rows_of(batch)
        known = self._knowledge.usage_points
        home = self._homes(rows, _mean_for_kind(rows, known, whole_run=False))
        tariffs = [point.tariff_class if (point := known.get(name)) else "" for name in rows.usage_points]
        shape = Shape(
            home,
            likeness.measure(batch, surroundings),
            homes.with_night_tariffs(homes.measure(batch, surroundings, wanted=home), tariffs),
            load_step.measure(batch, surroundings),
        )
        return rows, shape, batch

    def _homes(self, rows: Rows, mean_w: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which rows are households; a transformer's meter is none."""
        mean_w = np.where(self._is_head(rows), np.nan, mean_w)
        return peer_rule.are_homes(rows.usage_points, mean_w, self._knowledge.usage_points)

    def _is_head(self, rows: Rows) -> NDArray[np.bool_]:
        return np.array([name in self._heads for name in rows.usage_points], bool)

    # Scores and p-values ---------------------------------------------------------------------------------------------

    def _judged(self, rows: Rows, shape: Shape) -> _Table:
        table = _Table(rows)
        known = self._knowledge.usage_points
        kind_w = _mean_for_kind(rows, known, whole_run=True)
        shape = shape._replace(home=shape.home & self._homes(rows, kind_w))
        table.home = shape.home
        # A transformer's meter is no customer: it is nobody's peer.
        raw = np.where(self._is_head(rows), np.nan, _score(shape))
        zero = np.where(shape.home, *(zero_of(self._knowledge.references, kind) for kind in KINDS))
        table.score = raw - zero
        mean_w = np.where(np.isnan(table.score), np.nan, kind_w)
        windows = _windows(rows, shape)
        # Periods of one point are no peers of each other: each is compared with the points' periods of its number.
        peers = [
            (at, peer_rule.peer_groups([rows.usage_points[k] for k in at], mean_w[at], known))
            for at in _by_number(rows.usage_points)
        ]
        for at, groups in peers:
            standing = p_values(raw[at], groups.group, groups.kinds, self._knowledge.references, windows[at])
            table.p[at], table.log10_e[at], table.peers[at] = standing.p, standing.log10_e, standing.peers
            for k, group, source in zip(at.tolist(), groups.group.tolist(), standing.source, strict=True):
                if group >= 0:
                    table.peer_words[k] = _peer_words(groups.labels[group], source)
        table.shape_score, table.shape_p = table.score.copy(), table.p.copy()
        table.shape_log10_e = table.log10_e.copy()
        self._traits(table, shape, mean_w, peers)
        return table

    def _traits(
        self,
        table: _Table,
        shape: Shape,
        mean_w: NDArray[np.float64],
        peers: Sequence[tuple[NDArray[np.int64], peer_rule.PeerGroups]],
    ) -> None:
        """p-values of each detector's own measure, by rank among the run's comparable points."""
        scores = _trait_scores(shape)
        if self._together is not None:
            # All members of a group at once: what a point did against the others, week by week.
            whole = peer_rule.peer_groups(table.rows.usage_points, mean_w, self._knowledge.usage_points)
            table.peer_ratio = peer_ratio.measure(self._together, whole.group)
            scores[peer_ratio.DETECTOR] = peer_ratio.score(table.peer_ratio)
        table.trait_score = scores
        for name in scores:
            table.trait_p[name] = np.full(len(table.rows.usage_points), np.nan)
        for at, groups in peers:
            for name, score in scores.items():
                own = np.where(shape.home[at], np.nan, score[at])
                standing = p_values(own, groups.group, groups.kinds, {})
                table.trait_p[name][at] = standing.p
                table.trait_peers[at] = np.maximum(table.trait_peers[at], standing.peers)

    def _balanced(self, table: _Table) -> None:
        """Ask the balance of each transformer, and put its answer beside the row that it names."""
        last = {name: at for at, name in enumerate(table.rows.usage_points)}  # of several periods the last
        for found, asked in self._balances(last, table.rows.mean_w):
            for name in asked & last.keys():
                table.balances[last[name]] = table.balances.get(last[name], 0) + 1
            at = last.get(found.usage_point)
            if at is None:
                continue
            if isinstance(found, LoadInsufficient):
                table.of(at).insufficient.append(found)
                continue
            table.of(at).findings.append(found)
            table.beside.setdefault(at, []).append(found)
            table.score[at] = np.fmax(table.score[at], score_of_p(_counted_p(found)))
        for at, beside in table.beside.items():
            table.p[at] = least_of([float(table.p[at]), *map(_counted_p, beside)])
        for at in table.beside.keys() | table.balances.keys():
            table.log10_e[at] = self._together_log10_e(table, at)

    def _together_log10_e(self, table: _Table, at: int) -> float:
        """What a row's detectors say together, by the rule of cases and assessments: of one source, so a mean.

        A balance that was drawn over a point and does not name it is a look that showed nothing. Left out where it
        shows nothing and weighed where it shows something, it would be chosen by its result.
        """
        found: dict[tuple[Family, str], list[float]] = {}
        if not math.isnan(table.shape_p[at]):
            found[Family.LOAD, likeness.DETECTOR] = [float(table.shape_log10_e[at])]
        if balances := table.balances.get(at, 0):
            found[Family.BALANCE, balance_detector.DETECTOR] = []
        for one in table.beside.get(at, ()):
            found.setdefault((one.family, one.detector), []).append(one.log10_e)
        answers = [
            Answer(
                detector=detector,
                family=family,
                looks=balances if family is Family.BALANCE else len(values),
                log10_e=tuple(values),
            )
            for (family, detector), values in found.items()
        ]
        return fuse(answers, expected=()).log10_e

    def _balances(
        self, there: Mapping[str, int], taken_w: NDArray[np.float64]
    ) -> Iterator[tuple[LoadFinding | LoadInsufficient, frozenset[str]]]:
        """What is found beside the shape of a load, and over which points a balance was drawn for it."""
        clock = self._knowledge.surroundings.clock
        members: dict[str, list[UsagePoint]] = {}
        for point in self._knowledge.usage_points.values():
            if point.transformer is not None:
                members.setdefault(point.transformer, []).append(point)
        metered = self._heads | {one.usage_point for points in members.values() for one in points}
        fed_in: dict[str, tuple[int, NDArray[np.float32]]] = {}
        # Without transformers and resources nobody asks what is fed in, and it is not read.
        if self._export_batches is not None and (self._knowledge.transformers or self._knowledge.resources):
            for batch in self._export_batches(None):
                for name, start_s, power_w in runs(batch):
                    if name in metered and np.nansum(power_w) > 0:
                        fed_in[name] = (start_s, power_w.copy())
                if self._knowledge.resources:
                    for answer in self._drops(batch, {name: float(taken_w[at]) for name, at in there.items()}):
                        yield answer, frozenset()
        for transformer in sorted(self._knowledge.transformers, key=lambda one: one.transformer):
            head = transformer.head_usage_point
            points = members.get(transformer.transformer, [])
            if head not in there:
                continue
            batch = merged(list(self._raw_batches({head, *(one.usage_point for one in points)})))
            fault = ""
            if any(one.usage_point == head for one in points):
                fault = f"its head meter {head} is said to be one of its own points; mend the table of points"
            elif unread := sorted({one.usage_point for one in points} & fed_in.keys() - set(batch.usage_points)):
                fault = f"readings of what {unread[0]} takes from the grid; only what it feeds in is read"
            elif head in fed_in and _energy(fed_in[head]) > MOST_BACK * sum(
                float(np.nansum(power_w)) for name, _, power_w in runs(batch) if name == head
            ):
                fault = "a transformer through which energy mostly flows one way; this one feeds back a good part of it"
            if fault:
                yield LoadInsufficient(detector=balance_detector.DETECTOR, usage_point=head, missing=fault), frozenset()
                continue
            batch = _net(batch, fed_in)
            asked = frozenset({head, *(one.usage_point for one in points)})
            for answer in balance_detector.detect(batch, batch, transformer, points, clock=clock):
                yield answer, asked if isinstance(answer, LoadFinding) else frozenset()

    def _drops(self, batch: LoadBatch, taken_w: Mapping[str, float]) -> Iterator[LoadFinding | LoadInsufficient]:
        """What each generator's feed-in says, beside the resource that it follows best; no table says which it is."""
        clock = self._knowledge.surroundings.clock
        resources = self._knowledge.resources
        followed = np.array([export_drop.followed(batch, series, clock=clock) for _, series in resources])
        answers = [export_drop.detect(batch, series, clock=clock, kind=kind) for kind, series in resources]
        for k, name in enumerate(batch.usage_points):
            if name in self._heads:  # what a whole transformer gives back is its generators' to explain
                continue
            best = int(np.argmax(followed[:, k]))
            power_w = batch.power_w[batch.first[k] : batch.first[k + 1]]
            fed_w = float(np.nanmean(power_w)) if not np.isnan(power_w).all() else 0.0
            if fed_w > 0 and taken_w.get(name, 0.0) > export_drop.MOST_TAKEN * fed_w:
                yield LoadInsufficient(
                    detector=export_drop.DETECTOR,
                    usage_point=name,
                    missing="a meter of the generation alone: the premises use what would be fed in, and more of it "
                    "in some seasons",
                )
                continue
            if followed[best, k] >= export_drop.LEAST_FOLLOWED:
                yield answers[best][k]
            elif fed_w > 0:
                kinds = " nor ".join(kind for kind, _ in resources)
                missing = (
                    f"its feed-in follows neither {kinds}" if len(resources) > 1 else f"it does not follow {kinds}"
                )
                yield LoadInsufficient(detector=export_drop.DETECTOR, usage_point=name, missing=missing)

    def _listed(self, table: _Table) -> None:
        """Cut the list over all rows that have an answer, and mark what is worth a look.

        For the list a shape counts no more than the buildings of its reference can show, though its p-value goes on
        along the tail fitted to them: of buildings never seen, two of 32 had shapes that no tail foretold.
        """
        answered = np.flatnonzero(~np.isnan(table.p))
        if not answered.size:
            return
        least = [self._least_shape_p(kind) for kind in KINDS]
        shape_p = np.maximum(table.shape_p, np.where(table.home, *least))
        p = shape_p.copy()
        for at, beside in table.beside.items():
            p[at] = least_of([float(shape_p[at]), *map(_counted_p, beside)])
        cut_off = benjamini_hochberg(p[answered], self._options.fdr)
        table.look[answered] = table.p[answered] <= LOOK_P
        table.listed[answered] = cut_off.listed & table.look[answered]
        table.adjusted[answered] = cut_off.adjusted

    def _least_shape_p(self, kind: str) -> float:
        """What the buildings of a reference can show of one building more: a rank among them."""
        reference = self._knowledge.references.get(kind)
        return 0.0 if reference is None else 1.0 / (len(reference.scores) + 1.0)

    # Second pass -----------------------------------------------------------------------------------------------------

    def _looked_at(self, table: _Table, shape: Shape | None) -> None:
        """Look closely at the rows with the highest scores, and draw those that stand out."""
        if shape is None:
            return
        names, start_s = table.rows.usage_points, table.rows.start_s.tolist()
        ranked = table.ranked()
        scored = [at for at in ranked if not math.isnan(table.shape_score[at])]
        hours = np.cumsum(table.rows.hours[scored])
        close = [at for k, at in enumerate(scored) if hours[k] <= MOST_ESTIMATED_H or table.look[at]]
        tested = {*close[:MOST_TESTED], *(at for at in ranked[:MOST_DRAWN] if table.look[at])}
        drawn = {at for at in ranked if table.look[at]} & set(ranked[:MOST_DRAWN])
        wanted = {(names[at], start_s[at]): at for at in (*close, *drawn)}
        bands = {home: PeerBand() for home in (True, False)}
        in_band = self._band_points(table) if drawn else {}

        def look(batch: LoadBatch) -> tuple[list[tuple[int, _Details, Days | None]], list[tuple[bool, Days]]]:
            clock = self._knowledge.surroundings.clock
            peers = [
                (in_band[name], by_day(power_w, begin, clock))
                for name, begin, power_w in runs(batch)
                if name in in_band
            ]
            found = []
            for name, begin, power_w in runs(cut(batch, self._options.period_days)):
                at = wanted.get((name, begin))
                if at is not None:
                    days = by_day(power_w, begin, clock) if at in drawn else None
                    try:
                        details = self._look(table, shape, at, power_w, days, at in tested)
                    except Exception as fault:  # one row's fault must not cost the answer about all others
                        details = _Details(insufficient=[_fault(name, fault)])
                    found.append((at, details, days))
            return found, peers

        batches = self._batches({*(name for name, _ in wanted), *in_band})
        days_of: dict[int, Days] = {}
        for found, peers in in_threads(batches, look, self._options.threads):
            for home, days in peers:
                bands[home].add(days)
            for at, details, own_days in found:
                table.of(at).take(details)
                if own_days is not None:
                    days_of[at] = own_days
        for at, days in days_of.items():
            own = table.of(at)
            if own.drawing is not None:
                low, high = bands[bool(table.home[at])].around(days)
                own.drawing = replace(own.drawing, peers_low_w=low, peers_high_w=high)

    def _band_points(self, table: _Table) -> dict[str, bool]:
        """Points that a band is drawn from, and whether they are homes; some of each that do not stand out."""
        chosen: dict[str, bool] = {}
        for home in (True, False):
            usual = (table.shape_p > LOOK_P) & (table.home == home)
            chosen |= dict.fromkeys(band_points({table.rows.usage_points[at] for at in np.flatnonzero(usual)}), home)
        return chosen

    def _look(
        self,
        table: _Table,
        shape: Shape,
        at: int,
        power_w: NDArray[np.float32],
        days: Days | None,
        tested: bool,
    ) -> _Details:
        """Everything that is said of one row from its own readings."""
        name, start_s = table.rows.usage_points[at], int(table.rows.start_s[at])
        surroundings = self._knowledge.surroundings
        details = _Details()
        if name not in self._heads:
            details.estimate = estimates.estimate(power_w, start_s, surroundings, home=bool(table.home[at]))
            self._ask(table, shape, at, power_w, details)
            if details.estimate is not None and not details.estimate.power_w.estimate > 0:
                # Nothing stands out of the floor; what the finding itself estimates may still be something.
                own = [one.estimate for one in details.findings if one.estimate is not None]
                details.estimate = next((one for one in own if one.power_w.estimate > 0), None)
        if details.estimate is not None:
            if tested:
                details.counter_hypotheses = counter_hypotheses(power_w, start_s, surroundings, details.estimate)
            details.consequences = consequences(
                details.estimate,
                start_s=start_s,
                hours=power_w.size,
                clock=surroundings.clock,
                price_per_kwh=surroundings.price_per_kwh,
                price_source=self._knowledge.price_source,
                carbon_g_per_kwh=self._knowledge.carbon_g_per_kwh,
                carbon_source="the table that was given",
                country=self._knowledge.country,
            )
        if days is not None:
            floor = None if name in self._heads else fitted_floor(power_w, start_s, days, surroundings.clock)
            details.drawing = drawing_of(days, surroundings, floor)
        return details

    def _ask(self, table: _Table, shape: Shape, at: int, power_w: NDArray[np.float32], details: _Details) -> None:
        """What the detectors of a point's kind say of it."""
        name = table.rows.usage_points[at]
        batch = LoadBatch(
            usage_points=(name,),
            first=np.array([0, power_w.size], np.int64),
            start_s=table.rows.start_s[at : at + 1],
            step_s=HOUR_S,
            power_w=power_w,
        )
        if table.home[at]:
            answer = homes.explain(
                batch,
                one_row(shape.homes, at),
                0,
                p_value=float(table.shape_p[at]),
                peers=int(table.peers[at]),
                log10_e=float(table.shape_log10_e[at]),
                clock=self._knowledge.surroundings.clock,
                usage_point=self._knowledge.usage_points.get(name),
            )
            if isinstance(answer, LoadFinding):
                details.findings.append(answer)
            else:
                details.insufficient.append(answer)
            return
        start_s = int(table.rows.start_s[at])
        traits = self._trait_words(table, shape, at, batch, details.estimate)
        clock = self._knowledge.surroundings.clock
        shown = f"{_rarity_words(table, at)} {_shape_words(details.estimate, power_w, clock)}".strip()
        whole = LoadFinding(
            detector=likeness.DETECTOR,
            version=likeness.VERSION,
            family=Family.LOAD,
            usage_point=name,
            started_ns=start_s * NS,
            ended_ns=(start_s + power_w.size * HOUR_S) * NS,
            score=float(table.shape_score[at]),
            p_value=float(table.shape_p[at]),
            peers=int(table.peers[at]),
            log10_e=float(table.shape_log10_e[at]),
            explanation=" ".join([shown, *(words for _, _, words, _ in traits)]),
            estimate=details.estimate,
            blind_spots=likeness.BLIND_SPOTS,
        )
        details.findings.append(whole)
        for detector, version, words, blind_spots in traits:
            p = float(table.trait_p[detector][at])
            if math.isnan(p):
                continue
            own = replace(whole, detector=detector, version=version, explanation=words, blind_spots=blind_spots)
            score, peers = float(table.trait_score[detector][at]), max(int(table.trait_peers[at]), 1)
            log10_e = float(rank_calibrator(np.array([p]), peers)[0])
            details.findings.append(replace(own, score=score, p_value=p, peers=peers, log10_e=log10_e))

    def _trait_words(
        self, table: _Table, shape: Shape, at: int, batch: LoadBatch, estimate: LoadEstimate | None
    ) -> list[tuple[str, str, str, tuple[str, ...]]]:
        """Detector, version, words and blind spots of each trait that the load has."""
        shapes = one_row(shape.likeness, at)
        surroundings = self._knowledge.surroundings
        flat = flat_load.explain(flat_load.measure(batch, surroundings, shapes=shapes), 0)
        hours = off_hours.explain(off_hours.measure(batch, surroundings, shapes=shapes), 0)
        # How much a load rose against its peers says something where it rose.
        rose = table.peer_ratio is not None and float(table.peer_ratio.z[at]) >= LEAST_RATIO_Z
        ratio = peer_ratio.explain(table.peer_ratio, at) if table.peer_ratio is not None and rose else ""
        price = price_follow.explain(price_follow.measure(batch, surroundings, shapes=shapes), 0)
        step = load_step.explain(
            batch,
            one_row(shape.load_step, at),
            0,
            p_value=1.0,
            peers=0,
            log10_e=0.0,
            surroundings=surroundings,
            estimate=estimate,
        )
        return [
            (module.DETECTOR, module.VERSION, words, module.BLIND_SPOTS)
            for module, words in ((flat_load, flat), (off_hours, hours), (price_follow, price), (peer_ratio, ratio))
            if words
        ] + (
            [(load_step.DETECTOR, load_step.VERSION, step.explanation, load_step.BLIND_SPOTS)]
            if isinstance(step, LoadFinding)
            else []
        )

    # Results ---------------------------------------------------------------------------------------------------------

    def _result(self, table: _Table, at: int) -> UsagePointResult:
        rows, details = table.rows, table.details.get(at, _Details())
        start_s = int(rows.start_s[at])
        p, look = float(table.p[at]), bool(table.look[at])
        supporting = [found for found in details.findings if found.p_value <= LOOK_P] if look else []
        main = min(supporting, key=lambda found: (found.p_value, found.detector), default=None)
        whole = next((found for found in details.findings if found.detector == likeness.DETECTOR), None)
        estimate, hypotheses = details.estimate, details.counter_hypotheses
        if main is not None and (estimate is None or main.family is Family.BALANCE):
            estimate = main.estimate or estimate
        if main is not None and (not hypotheses or main.family is Family.BALANCE):
            hypotheses = main.counter_hypotheses
        insufficient = list(details.insufficient)
        if math.isnan(p) and not insufficient:
            insufficient.append(self._lacking(table, at))
        return UsagePointResult(
            usage_point=rows.usage_points[at],
            started_ns=start_s * NS,
            ended_ns=(start_s + int(rows.hours[at]) * HOUR_S) * NS,
            score=float(table.score[at]),
            p_value=p,
            peers=int(table.peers[at]),
            log10_e=float(table.log10_e[at]),
            explanation=_explanation(main, whole) or _plain_words(table, at, insufficient),
            families=tuple(dict.fromkeys(found.family for found in supporting)),
            detector=main.detector if main is not None else "",
            listed=bool(table.listed[at]),
            estimate=estimate,
            consequences=details.consequences,
            counter_hypotheses=hypotheses,
            findings=tuple(details.findings),
            insufficient=tuple(insufficient),
            drawing=details.drawing,
            adjusted_rate=float(table.adjusted[at]),
            worth_a_look=look,
        )

    def _lacking(self, table: _Table, at: int) -> LoadInsufficient:
        """Why a row has no score: too few days, too many holes, no load at all; or it is a transformer's meter."""
        rows = table.rows
        name, hours, present = rows.usage_points[at], int(rows.hours[at]), int(rows.present[at])
        if name in self._heads and at in table.balances:
            missing = "it is a transformer's own meter; what its balance lacks was traced to a point, and stands there"
        elif name in self._heads:
            missing = "it is a transformer's own meter, and its balance could not be drawn"
        elif not present:
            missing = f"there is no reading in {hours / 24:.0f} days"
        else:
            missing = (
                f"there are {hours / 24:.0f} days of which {present / hours:.0%} of the hours are known; "
                f"it takes {LEAST_DAYS} days with {LEAST_KNOWN:.0%} known, and a load that is not always 0"
            )
        return LoadInsufficient(detector="likeness", usage_point=name, missing=missing)

    def _not_tested(self) -> tuple[str, ...]:
        said = []
        if not self._knowledge.transformers:
            under = {one.transformer for one in self._knowledge.usage_points.values() if one.transformer}
            said.append(
                f"balance: usage points are placed under {count(len(under), 'transformer')}, but no table says what "
                "went through them, so energy that passes no meter is not seen; give their table too, --topology "
                "transformers.csv, with the head meter of each"
                if under
                else "balance: no transformer is named, so energy that passes no meter is not seen; see --topology"
            )
        if self._knowledge.surroundings.temperature_c is None:
            said.append("heating and cooling as an explanation: no temperature is given; see --weather")
        if self._knowledge.surroundings.price_per_kwh is None:
            said.append("price_follow: no price is given; see --prices")
        if self._together is None and not self._options.period_days:
            said.append("peer_ratio: too many readings to compare week by week at once; give one region at a time")
        if self._options.period_days:
            said.append("peer_ratio: periods are too short to compare with peers week by week; leave out --period")
        return tuple(said)


LEAST_DAYS = 14
LEAST_KNOWN = 0.6
"""What the measures ask for; see `homes.HomeParameters`."""


def score_of_p(p: float) -> float:
    """The score that a p-value of another kind has: 0 at one innocent point of a hundred, and its natural logarithm.

    >>> round(score_of_p(0.01), 6), round(score_of_p(0.001), 2)
    (0.0, 2.3)
    """
    return math.log(0.01) - math.log(max(p, math.ulp(0.0)))


KINDS = (peer_rule.HOME, peer_rule.COMMERCIAL)


def zero_of(references: Mapping[str, ReferencePopulation], kind: str) -> float:
    """The score that one innocent point of a hundred reaches in one window, by the shipped reference of its kind.

    With it taken off, scores of homes and of commercial points lie on one scale. It depends on the reference alone, so
    that a row's score does not depend on the other rows.
    """
    reference = references.get(kind)
    if reference is None:
        return 0.0
    low, high = -50.0, 50.0
    for _ in range(40):
        middle = (low + high) / 2
        if float(reference_p_values(reference, [middle])[0]) > 0.01:
            low = middle
        else:
            high = middle
    return high


def _energy(run: tuple[int, NDArray[np.float32]]) -> float:
    return float(np.nansum(run[1]))


def _net(batch: LoadBatch, fed_in: Mapping[str, tuple[int, NDArray[np.float32]]]) -> LoadBatch:
    """What is taken from the grid less what is fed in; an hour in which either is missing is missing."""
    power_w = batch.power_w.copy()
    for k, name in enumerate(batch.usage_points):
        if name not in fed_in:
            continue
        own = power_w[batch.first[k] : batch.first[k + 1]]
        start_s, back_w = fed_in[name]
        shift = (start_s - int(batch.start_s[k])) // batch.step_s
        low, high = max(shift, 0), min(shift + back_w.size, own.size)
        if low < high:
            own[low:high] -= back_w[low - shift : high - shift]
    return replace(batch, power_w=power_w)


def _counted_p(found: LoadFinding) -> float:
    """How far the p-value of a balance, or of what is fed in, counts."""
    return max(found.p_value, LEAST_P)


def least_of(p_values: Sequence[float]) -> float:
    """p-value of several looks at a row: the smallest times their number (Bonferroni); NaN is no look.

    >>> least_of([0.01, math.nan, 0.2])
    0.02
    """
    known = [p for p in p_values if not math.isnan(p)]
    return min(len(known) * min(known), 1.0) if known else math.nan


def _mean_for_kind(rows: Rows, known: Mapping[str, UsagePoint], *, whole_run: bool) -> NDArray[np.float64]:
    """Mean power that says which points are comparable.

    A small load without a tariff class is no home's if it is smooth, or if it stands among commercial ones; the latter
    can be told only from all rows of a run.
    """
    mean_w = rows.mean_w.copy()
    classed = np.array([bool((point := known.get(name)) and point.tariff_class) for name in rows.usage_points], bool)
    unsaid = ~classed & ~np.isnan(mean_w)
    with np.errstate(invalid="ignore"):
        small = unsaid & (mean_w < peer_rule.HOME_MOST_MEAN_W)
        homely = small & (rows.roughness >= HOME_ROUGHNESS)
    if whole_run and np.count_nonzero(homely) < LEAST_HOMES * np.count_nonzero(unsaid):
        homely[:] = False
    mean_w[small & ~homely] = peer_rule.HOME_MOST_MEAN_W
    return mean_w


def _score(shape: Shape) -> NDArray[np.float64]:
    """Of homes and of commercial points, each by its own measure; both scales are natural logarithms of odds."""
    return np.where(shape.home, homes.score(shape.homes), likeness.score(shape.likeness))


def _trait_scores(shape: Shape) -> dict[str, NDArray[np.float64]]:
    """What each detector of commercial points measures, higher more mining-like."""
    found = shape.likeness
    spread = flat_load.FlatLoadParameters().spread_weight
    floor = found.floor.astype(np.float64)
    return {
        flat_load.DETECTOR: floor**2 / np.maximum(floor + spread * found.night_spread.astype(np.float64), 1e-6),
        off_hours.DETECTOR: found.night_edges.astype(np.float64),
        price_follow.DETECTOR: found.price_z,
        load_step.DETECTOR: shape.load_step.score,
    }


def _windows(rows: Rows, shape: Shape) -> NDArray[np.int64]:
    """Of how many windows each score is the worst."""
    whole = rows.hours // (24 * likeness.LikenessParameters().period_days)
    return np.maximum(np.where(shape.home, np.nan_to_num(shape.homes.windows), whole), 1).astype(np.int64)


def _fault(name: str, fault: Exception) -> LoadInsufficient:
    """What is said where a closer look failed by our own fault; the row keeps its score."""
    said = " ".join(f"{type(fault).__name__}: {fault}".split())[:200]
    missing = f"a fault in Headframe itself ({said}); its score stands, please report it"
    return LoadInsufficient(detector="closer look", usage_point=name, missing=missing)


def _by_number(names: Sequence[str]) -> list[NDArray[np.int64]]:
    """Rows by which period of their usage point they are: the firsts, the seconds, and so on."""
    seen: dict[str, int] = {}
    number = np.empty(len(names), np.int64)
    for at, name in enumerate(names):
        number[at] = seen.get(name, 0)
        seen[name] = int(number[at]) + 1
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(names) else []


def _peer_words(label: str, source: str) -> str:
    return f"{label}{' of other utilities' if source == 'reference' else ''}"


def _rarity_words(table: _Table, at: int) -> str:
    """How many innocent points look as much like mining."""
    p = float(table.shape_p[at])
    base = next((base for base in (100, 1_000, 10_000) if base * p >= 1.0), 0)
    many = f"about {base * p:.0f} of {base:,}" if base else "fewer than 1 of 10,000"
    peers = table.peer_words[at] or "points"
    return f"The load has the shape of one with a constant machine in it, as {many} innocent {peers} have."


def _shape_words(estimate: LoadEstimate | None, power_w: NDArray[np.float32], clock: LocalClock) -> str:
    """What in the load it is that looks so."""
    if estimate is None:
        return ""
    power = interval(estimate.power_w, "W")
    if estimate.mode is Mode.ALWAYS_ON:
        known = power_w[np.isfinite(power_w)]
        floor, mean_w = float(np.quantile(known, estimates.FLOOR_QUANTILE)), float(known.mean())
        share = f", {floor / mean_w:.0%} of its mean" if mean_w > 0 else ""
        return (
            f"Day and night, on working days and weekends, it draws at least {si(floor, 'W')}{share}; of that {power} "
            "may be machines that ran since before the data began."
        )
    since = ""
    if estimate.onset is not None:
        onset_ns = estimate.onset.estimate_ns
        shift_s = int(local_offset_s(np.array([onset_ns // NS]), clock)[0])
        since = f" since {clock_time(onset_ns + shift_s * NS)[:10]}"
    if estimate.mode is Mode.STEP:
        return f"It draws {power} more{since}, at all hours of the day alike."
    return f"It holds a load of {power}, {MODE_WORDS[estimate.mode]}{since}."


def _explanation(main: LoadFinding | None, whole: LoadFinding | None) -> str:
    """The words of the finding that weighs most; a trait of the shape is told with the whole."""
    if main is None:
        return ""
    own = main.detector == export_drop.DETECTOR or main.family is not Family.LOAD
    return main.explanation if own or whole is None or math.isnan(whole.p_value) else whole.explanation


def _plain_words(table: _Table, at: int, insufficient: Sequence[LoadInsufficient]) -> str:
    """What is said of a row of which no detector found anything."""
    p = float(table.p[at])
    if math.isnan(p):
        return f"No answer: {insufficient[0].missing}." if insufficient else "No answer."
    return (
        f"Nothing stands out: about {100 * p:.0f} of 100 innocent {table.peer_words[at] or 'points'} look as much so."
    )
