"""What became of cases: how many were screened, flagged, noticed, confirmed, dismissed, and closed.

Pure: events and a word on each site come in, counts come out. A case counts in the period in which it was opened, so a
row of the funnel follows one set of cases to its end, and later reports of the same period can only grow to the right.
A case has one outcome at most: that of the decision in force; without one, victim, where two accounts have found the
party to be one; else set aside, where a decision does not hold any more. The share of dismissed cases of each detector
is the house's own error rate, as far as decisions tell it; it is shown with its interval, never as one number [1]_.

What is asked for a period is told as it stood at the period's end: by the events that were recorded before it.

References
----------
.. [1] C. Clopper, E. Pearson, Biometrika 26, 1934, 404-413.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import combinations, groupby

from headframe.cases.apply import replay
from headframe.cases.question import decision_in_force
from headframe.records.case import (
    Case,
    CaseEvent,
    ClosureReason,
    DecisionOutcome,
    FileAppeal,
    NoticeKind,
    ProposalState,
    ProposeClosure,
    RecordInspection,
    RecordRemedy,
    RecordReply,
    VerificationOutcome,
    Verify,
)
from headframe.records.policy import NOTHING_AGAINST, PartyStanding
from headframe.reports.csv_rows import csv_text
from headframe.reports.ledger_figures import LedgerFigure
from headframe.reports.suppression import MIN_CELL, SHOWN_AS, Suppressed, suppress

MEANING = {
    "screened": "that were opened",
    "flagged": "that rest on a finding which says that mining goes on",
    "noticed": "whose party a notice reached",
    "informed": "whose party an information or help letter reached",
    "decided": "with an outcome: confirmed, dismissed, victim, lawful, undetermined or set aside",
    "confirmed": "with a decision against the party in force",
    "dismissed": "with a decision in force that dismisses them",
    "victim": "whose party is a victim, by a decision or by the approved class",
    "lawful": "with a decision in force that the mining is lawful",
    "undetermined": "with a decision in force that it cannot be told",
    "set_aside": "whose decision does not hold any more, and that have no other outcome yet",
    "rectified": "that the last measurement found to be rectified",
    "closed": "that are closed",
}
"""Columns of the funnel, in order, and which cases each counts."""
STEPS = tuple(MEANING)
OUTCOMES = ("confirmed", "dismissed", "victim", "lawful", "undetermined", "set_aside")
"""Every decided case has one of them, so they add up to `decided`."""
HAPPENED = (
    "opened", "opened_again", "noticed", "informed", "answered", "inspected", "decided", "remedied", "measured",
    "appealed", "closed",
)  # fmt: skip
"""What may happen to a case in a period, in the order in which it is told."""
PERIODS = ("week", "month", "quarter", "year", "all")
BY = ("period", "region", "site_kind", "coin", "detector", "pack")
UNKNOWN = "unknown"
TOGETHER = " + "
"""Between the coins, or the detectors, of cases that have several."""
TOO_FEW = "too few to show"
"""Stands in the place of a dismissed share that is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What a report may say of a case's site, and no more.

    Attributes
    ----------
    owner_enterprise : str
        Name of the organisation, for the ledger that a rule asks for; empty for premises without one.
    coins : tuple of str
        Of the case's findings.
    figures : tuple of LedgerFigure
        What the findings' own estimates say of scale, hash rate and power use.
    """

    owner_enterprise: str = ""
    coins: tuple[str, ...] = ()
    figures: tuple[LedgerFigure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """Where one case stands, in the words of the funnel.

    Attributes
    ----------
    case : Case
        As it stood at the end of the period that was asked for.
    steps : frozenset of str
    detectors : tuple of str
    site : SiteFacts
    began : str
        How it stood when the period began: ``open``, ``closed``; empty where it was not there yet.
    happened : tuple of str
        Of `HAPPENED`, what was recorded in the period.
    cleared_since : bool
        Whether it was found after the period that nothing stands against the party.
    """

    case: Case
    steps: frozenset[str]
    detectors: tuple[str, ...]
    site: SiteFacts
    began: str = ""
    happened: tuple[str, ...] = ()
    cleared_since: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelRow:
    """Counts of one group."""

    group: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissedShare:
    """How many decided cases of a detector were dismissed.

    Attributes
    ----------
    detector : str
    decided, dismissed : int
    share, low, high : float
        With its 95 % interval; NaN without a decided case.
    """

    detector: str
    decided: int
    dismissed: int
    share: float
    low: float
    high: float

    @classmethod
    def of(cls, detector: str, dismissed: int, decided: int) -> DismissedShare:
        """The share with its interval."""
        low, high = clopper_pearson(dismissed, decided)
        share = dismissed / decided if decided else math.nan
        return cls(detector=detector, decided=decided, dismissed=dismissed, share=share, low=low, high=high)

    def row(self) -> tuple[str, str, str, str]:
        """Detector, count, share and interval as texts."""
        count, interval = f"{self.dismissed} of {self.decided}", f"{self.low:.1%} to {self.high:.1%}"
        return self.detector, count, f"{self.share:.1%}", interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The funnel of some cases.

    Attributes
    ----------
    by : str
    rows : tuple of FunnelRow
        By group; they add up to the total. A case with two coins is in the row of both of them together.
    total : FunnelRow
    dismissed : tuple of DismissedShare
        By detector; a case with two detectors counts for both.
    dismissed_sets : mapping of tuple of str to tuple of int
        Dismissed and decided cases by all the detectors that they rest on; each case is in one of them.
    """

    by: str
    rows: tuple[FunnelRow, ...]
    total: FunnelRow
    dismissed: tuple[DismissedShare, ...]
    dismissed_sets: Mapping[tuple[str, ...], tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFunnel:
    """The funnel as it may leave the house: cells as texts, small ones hidden.

    Attributes
    ----------
    header : tuple of str
    rows : tuple of tuple of str
        The last is the total.
    words : str
        What was hidden, and why; empty where nothing was.
    hidden : int
        Cells that are not shown.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: str
    hidden: int


def case_facts(
    events: Iterable[CaseEvent],
    site_of: Callable[[Case], SiteFacts] = lambda case: SiteFacts(),
    *,
    from_ns: int | None = None,
    until_ns: int | None = None,
) -> Iterator[CaseFacts]:
    """Each case with what became of it.

    Parameters
    ----------
    events : iterable of CaseEvent
        By case and number, as a store streams them.
    site_of : callable
        What is known of a case's site.
    from_ns, until_ns : int or None
        A period: what happened in it is told, and events that were recorded later do not count. A case that was opened
        later is left out. [ns since 1970-01-01 UTC]

    Yields
    ------
    CaseFacts
    """
    for _, own in groupby(events, key=lambda event: event.case_id):
        every = list(own)
        known = [event for event in every if until_ns is None or event.at_ns < until_ns]
        if not known:
            continue
        case = replay(known)
        began = "" if from_ns is None else _stood(case, from_ns)
        yield CaseFacts(
            case=case,
            steps=frozenset(_steps(case)),
            detectors=detectors_of(case),
            site=site_of(case),
            began=began,
            happened=() if from_ns is None else _happened(case, from_ns, began),
            cleared_since=len(known) < len(every) and not _is_listed(replay(every)),
        )


def funnel(facts: Iterable[CaseFacts], *, by: str = "period", period: str = "month", zone: tzinfo = UTC) -> Funnel:
    """Count cases by step.

    Parameters
    ----------
    facts : iterable of CaseFacts
    by : str
        One of `BY`.
    period : str
        One of `PERIODS`; for ``by="period"``.
    zone : datetime.tzinfo
        In which weeks and months begin.

    Returns
    -------
    Funnel

    Raises
    ------
    ValueError
        If `by` or `period` is none of those.
    """
    if by not in BY or period not in PERIODS:
        raise ValueError(
            f"by is one of {', '.join(BY)}, and period one of {', '.join(PERIODS)}; got {by!a}, {period!a}"
        )
    total = dict.fromkeys(STEPS, 0)
    rows: dict[str, dict[str, int]] = {}
    decided: dict[tuple[str, ...], tuple[int, int]] = {}
    for one in facts:
        group = _group(one, by, period, zone)
        for counts in (total, rows.setdefault(group, dict.fromkeys(STEPS, 0))):
            for step in one.steps:
                counts[step] += 1
        if "decided" in one.steps:
            wrong, every = decided.get(one.detectors, (0, 0))
            decided[one.detectors] = (wrong + is_dismissed(one.case), every + 1)
    return Funnel(
        by=by,
        rows=tuple(FunnelRow(group=group, counts=counts) for group, counts in sorted(rows.items())),
        total=FunnelRow(group="total", counts=total),
        dismissed=_by_detector(decided),
        dismissed_sets=decided,
    )


def _by_detector(decided: Mapping[tuple[str, ...], tuple[int, int]]) -> tuple[DismissedShare, ...]:
    """Each decided case once for each of its detectors."""
    tallies: dict[str, tuple[int, int]] = {}
    for detectors, (wrong, every) in decided.items():
        for detector in detectors:
            before = tallies.get(detector, (0, 0))
            tallies[detector] = (before[0] + wrong, before[1] + every)
    return tuple(DismissedShare.of(detector, wrong, every) for detector, (wrong, every) in sorted(tallies.items()))


def shown(whole: Funnel, min_cell: int = MIN_CELL) -> tuple[ShownFunnel, tuple[tuple[str, ...], ...]]:
    """The funnel without small cells, and without what would give them away.

    Parameters
    ----------
    whole : Funnel
    min_cell : int
        The pack's.

    Returns
    -------
    table : ShownFunnel
    dismissed : tuple of tuple of str
        The dismissed share of each detector as texts, that may stand beside the table.
    """
    system = _System()
    system.add_funnels([whole])
    system.add_shares(whole)
    answer = suppress(
        system.figures, system.sums, min_cell=min_cell, at_most=system.at_most, never_shown=system.never_shown
    )
    dismissed = tuple(
        one.row()
        if all(_of_share(one.detector, name) in answer.shown for name in _SHARE)
        else (one.detector, TOO_FEW, "", "")
        for one in whole.dismissed
    )
    return _table(whole, answer), dismissed


def shown_together(
    wholes: Sequence[Funnel], flow: Mapping[str, int] | None = None, *, min_cell: int = MIN_CELL
) -> tuple[tuple[ShownFunnel, ...], dict[str, str]]:
    """Funnels of the same cases, grouped in several ways, as they may stand in one report.

    Their totals are the same figures, so what one table hides the others must not give away: all are suppressed
    together.

    Parameters
    ----------
    wholes : sequence of Funnel
    flow : mapping of str to int, optional
        Cases that came and went in the period (`headframe.reports.movement.movement`). The opened ones are the funnels'
        screened ones, and the funnels' closed ones are among those that were closed.
    min_cell : int
        The pack's.

    Returns
    -------
    funnels : tuple of ShownFunnel
    flow : dict
        Texts by name.

    Raises
    ------
    ValueError
        If the totals differ: then they are not funnels of the same cases.
    """
    system = _System()
    system.add_funnels(wholes)
    places = system.add_flow(flow or {}, bool(wholes))
    answer = suppress(system.figures, system.sums, min_cell=min_cell, at_most=system.at_most)
    told = {name: str(int(answer.shown[key])) if key in answer.shown else SHOWN_AS for name, key in places.items()}
    return tuple(_table(whole, answer) for whole in wholes), told


Place = tuple[str, str, str]
"""A figure's name: by what its table is grouped, its group, and what it counts. A total is the same in every table."""
_SHARE = ("decided", "dismissed", "kept")


@dataclass(slots=True)
class _System:
    """All figures of a page, and everything that a reader knows of how they hang together."""

    figures: dict[Place, float] = field(default_factory=dict)
    sums: list[tuple[Place, list[Place]]] = field(default_factory=list)
    at_most: list[tuple[Place, Place]] = field(default_factory=list)
    never_shown: set[Place] = field(default_factory=set)

    def add_funnels(self, wholes: Sequence[Funnel]) -> None:
        """Every row has its outcomes as the sum of the decided, and is made of cases that were screened."""
        for whole in wholes:
            for row in (*whole.rows, whole.total):
                cells = {step: _cell(whole, row, step) for step in STEPS}
                for step, key in cells.items():
                    if self.figures.setdefault(key, float(row.counts[step])) != row.counts[step]:
                        raise ValueError(
                            f"the totals of {step} differ; funnels are shown together if their cases are one"
                        )
                self.sums.append((cells["decided"], [cells[step] for step in OUTCOMES]))
                self.at_most += [
                    (cells[step], cells["screened"]) for step in STEPS if step not in ("screened", *OUTCOMES)
                ]
            if whole.rows:
                self.sums += [
                    (_cell(whole, whole.total, step), [_cell(whole, row, step) for row in whole.rows]) for step in STEPS
                ]

    def add_flow(self, flow: Mapping[str, int], has_funnels: bool) -> dict[str, Place]:
        """Where each figure of the flow stands."""
        places: dict[str, Place] = {name: ("", "flow", name) for name in flow}
        if has_funnels and flow:
            places["opened"] = ("", "total", "screened")
            self.at_most.append((("", "total", "closed"), places["closed"]))
        for name, key in places.items():
            if self.figures.setdefault(key, float(flow[name])) != flow[name]:
                raise ValueError("the funnels are not of the cases that were opened in the period")
        return places

    def add_shares(self, whole: Funnel) -> None:
        """Dismissed and kept cases of each detector, and of the sets of detectors that they are made of.

        Of the sets nothing is shown but what a table by detectors shows: each of its rows is one of them. Without that
        table a reader cannot rule out that two detectors come together, or all.
        """
        total = {name: _cell(whole, whole.total, name) for name in ("decided", "dismissed", "set_aside")}
        sets: dict[str, list[Place]] = {"dismissed": [], "kept": []}
        decided = dict(whole.dismissed_sets)
        if whole.by != "detector":
            names = tuple(one.detector for one in whole.dismissed)
            decided = dict.fromkeys((*combinations(names, 2), names), (0, 0)) | decided
        for detectors, (wrong, every) in decided.items():
            for name, value in (("dismissed", wrong), ("kept", every - wrong)):
                key = ("set", TOGETHER.join(detectors), name)
                self.figures[key] = float(value)
                self.never_shown.add(key)
                sets[name].append(key)
            if whole.by == "detector":
                row = TOGETHER.join(detectors)
                self.sums += [
                    (("set", row, "dismissed"), [("detector", row, "dismissed"), ("detector", row, "set_aside")]),
                    (("detector", row, "decided"), [("set", row, "dismissed"), ("set", row, "kept")]),
                ]
        if not whole.dismissed_sets:
            return
        bad = ("set", "", "dismissed")
        self.figures[bad] = math.fsum(self.figures[key] for key in sets["dismissed"])
        self.never_shown.add(bad)
        self.sums += [
            (bad, [total["dismissed"], total["set_aside"]]),
            (bad, sets["dismissed"]),
            (total["decided"], [*sets["dismissed"], *sets["kept"]]),
        ]
        for one in whole.dismissed:
            keys = {name: _of_share(one.detector, name) for name in _SHARE}
            own = [detectors for detectors in decided if one.detector in detectors]
            values = (one.decided, one.dismissed, one.decided - one.dismissed)
            self.figures |= {keys[name]: float(value) for name, value in zip(_SHARE, values, strict=True)}
            self.sums.append((keys["decided"], [keys["dismissed"], keys["kept"]]))
            for name in ("dismissed", "kept"):
                self.sums.append((keys[name], [("set", TOGETHER.join(detectors), name) for detectors in own]))


def _table(whole: Funnel, answer: Suppressed[Place]) -> ShownFunnel:
    rows = tuple(
        (
            row.group,
            *(
                str(int(answer.shown[key])) if (key := _cell(whole, row, step)) in answer.shown else SHOWN_AS
                for step in STEPS
            ),
        )
        for row in (*whole.rows, whole.total)
    )
    hidden = sum(text == SHOWN_AS for row in rows for text in row[1:])
    words = answer.words.rpartition(" (")[0] if hidden else ""
    return ShownFunnel(
        header=(whole.by, *STEPS),
        rows=rows,
        words=f"{words} ({hidden} of {len(rows) * len(STEPS)} figures, marked {SHOWN_AS})." if words else "",
        hidden=hidden,
    )


def _of_share(detector: str, name: str) -> Place:
    return ("share", detector, name)


def _cell(whole: Funnel, row: FunnelRow, step: str) -> Place:
    return ("", "total", step) if row is whole.total else (whole.by, row.group, step)


LEDGER_FIELDS = ("owner_enterprise", "scale", "hashrate", "power_use", "status")
"""What item 3 of the national notice of 2021 asks a weekly ledger to hold, as the pack names it."""


def weekly_ledger(
    facts: Iterable[CaseFacts],
    from_ns: int,
    until_ns: int,
    fields: Sequence[str] = LEDGER_FIELDS,
    given: Mapping[str, Sequence[LedgerFigure]] | None = None,
) -> Iterator[dict[str, str]]:
    """The ledger of a week: its state at the week's end, and what happened in it.

    One row for each case with something against its party that was open in the week, for some of it at least. It goes
    to the unit that the rule names, so it is not a table of counts and nothing is suppressed. A case whose party is not
    yet heard is listed with its status, without the enterprise's name and without figures. A victim, a lawful, a
    dismissed case and one that was decided to be undetermined are not listed at all; nor is a case that was found to be
    one of these after the week.

    Figures are those of the findings of confirmed cases, and say that they are estimated; `ledger_figures` has what
    they are made of.

    Parameters
    ----------
    facts : iterable of CaseFacts
        As they stood at the end of the week (`case_facts` with the week's bounds).
    from_ns, until_ns : int
        [ns since 1970-01-01 UTC]
    fields : sequence of str
        Of `LEDGER_FIELDS`, as the pack asks.
    given : mapping of str to sequence of LedgerFigure, optional
        By case, numbers that an operator gave (`headframe.reports.ledger_figures.given_by_operator`); they stand in
        the place of estimates, and say so.

    Yields
    ------
    dict
        Texts by field, after ``case_id``; last what happened in the week, of `HAPPENED`, with spaces between.

    Raises
    ------
    ValueError
        If a field is not known.
    """
    if unknown := [name for name in fields if name not in LEDGER_FIELDS]:
        raise ValueError(f"the ledger has no field {unknown[0]!a}; it has {', '.join(LEDGER_FIELDS)}")
    for one in facts:
        if not _is_in_ledger(one, from_ns, until_ns):
            continue
        # Before a decision the party is not one that mines, so its name stays here.
        name = one.site.owner_enterprise if "confirmed" in one.steps else ""
        texts = dict.fromkeys(LEDGER_FIELDS, "")
        texts |= {figure.name: figure.text for figure in _figures_of(one, given or {})}
        texts |= {"owner_enterprise": name or "(not decided)", "status": one.case.stage.value}
        told = {name: texts[name] for name in fields}
        yield {"case_id": one.case.case_id, **told, "happened": " ".join(one.happened)}


def ledger_figures(
    facts: Iterable[CaseFacts],
    from_ns: int,
    until_ns: int,
    fields: Sequence[str] = LEDGER_FIELDS,
    given: Mapping[str, Sequence[LedgerFigure]] | None = None,
) -> Iterator[tuple[str, LedgerFigure]]:
    """Every figure that `weekly_ledger` shows, with its case, for the sheet that goes with it."""
    for one in facts:
        if _is_in_ledger(one, from_ns, until_ns):
            yield from ((one.case.case_id, figure) for figure in _figures_of(one, given or {}) if figure.name in fields)


def is_of_period(case: Case, from_ns: int, until_ns: int) -> bool:
    """Whether a case was open in a period, for some of it at least."""
    return case.opened_ns < until_ns and (case.closed_ns is None or case.closed_ns >= from_ns)


def _is_in_ledger(one: CaseFacts, from_ns: int, until_ns: int) -> bool:
    return is_of_period(one.case, from_ns, until_ns) and not one.cleared_since and _is_listed(one.case)


def _is_listed(case: Case) -> bool:
    """Whether something stands against the party, or may."""
    if outcome_of(case) in ("victim", "dismissed", "lawful", "undetermined", "set_aside"):
        return False
    return decision_in_force(case) is not None or case.standing not in NOTHING_AGAINST


def _figures_of(one: CaseFacts, given: Mapping[str, Sequence[LedgerFigure]]) -> tuple[LedgerFigure, ...]:
    """Of confirmed cases only: before that, how much somebody mines is not decided either."""
    if "confirmed" not in one.steps:
        return ()
    told = {figure.name: figure for figure in (*one.site.figures, *given.get(one.case.case_id, ()))}
    return tuple(told.values())


def funnel_csv(table: ShownFunnel) -> Iterator[str]:
    """A shown funnel as CSV, with what was hidden below."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in (table.header, *table.rows, *([(table.words,)] if table.words else [])):
        writer.writerow([csv_text(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def clopper_pearson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a share; NaN where nothing was counted.

    Examples
    --------
    >>> low, high = clopper_pearson(0, 10)
    >>> low, round(high, 4)
    (0.0, 0.3085)
    """
    from scipy.stats import beta

    if n == 0:
        return math.nan, math.nan
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else float(beta.ppf(tail, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(1 - tail, k + 1, n - k))
    return low, high


def period_of(at_ns: int, period: str, zone: tzinfo = UTC) -> str:
    """Name of the period that an instant lies in: ``2026-W47``, ``2026-11``, ``2026-Q4``, ``2026``, ``all``.

    Examples
    --------
    >>> [period_of(1_767_225_600_000_000_000, name) for name in PERIODS]
    ['2026-W01', '2026-01', '2026-Q1', '2026', 'all']
    """
    day = datetime.fromtimestamp(at_ns // 1_000_000_000, zone)
    if period == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    names = {"month": f"{day:%Y-%m}", "quarter": f"{day.year}-Q{(day.month + 2) // 3}", "year": f"{day.year}"}
    return names.get(period, "all")


def _steps(case: Case) -> Iterator[str]:
    yield "screened"
    if any(found.mining for found in case.findings):
        yield "flagged"
    kinds = {notice.kind for notice in case.notices}
    if NoticeKind.NOTICE in kinds:
        yield "noticed"
    if kinds - {NoticeKind.NOTICE}:
        yield "informed"
    outcome = outcome_of(case)
    if outcome:
        yield "decided"
        yield outcome
    if any(measured.outcome is VerificationOutcome.RECTIFIED for _, _, measured in case.verifications[-1:]):
        yield "rectified"
    if case.closed_ns is not None or case.closure in set(ClosureReason):
        yield "closed"


def outcome_of(case: Case) -> str:
    """The one outcome of a case, of `OUTCOMES`; empty where there is none yet.

    A victim needs no decision to be helped: two accounts have found it to be one by the class that they approved, and
    that is its outcome as long as no decision holds.
    """
    if (decision := decision_in_force(case)) is not None:
        return {
            DecisionOutcome.CONFIRMED: "confirmed",
            DecisionOutcome.DISMISSED: "dismissed",
            DecisionOutcome.VICTIM: "victim",
            DecisionOutcome.LAWFUL: "lawful",
            DecisionOutcome.UNDETERMINED: "undetermined",
        }[decision.act.outcome]
    if case.standing is PartyStanding.VICTIM or case.closure is ClosureReason.VICTIM_HELPED:
        return "victim"
    # One that was set aside and not replaced still was a decision.
    return "set_aside" if case.decisions else ""


def is_dismissed(case: Case) -> bool:
    """Whether decisions say that a case should not have been taken up."""
    return outcome_of(case) in ("dismissed", "set_aside")


def detectors_of(case: Case) -> tuple[str, ...]:
    """Detectors of the findings that a case rests on; `UNKNOWN` where none says that mining goes on."""
    return tuple(sorted({found.detector for found in case.findings if found.mining})) or (UNKNOWN,)


def _stood(case: Case, at_ns: int) -> str:
    """How a case stood at an earlier instant: ``open``, ``closed``, or empty where it was not there."""
    if case.opened_ns >= at_ns:
        return ""
    closures = (one for one in case.proposals if isinstance(one.act, ProposeClosure))
    if not any(one.state is ProposalState.APPROVED for one in closures):
        return "open"
    then = replay(event for event in case.events if event.at_ns < at_ns)
    return "open" if then.closed_ns is None else "closed"


def _happened(case: Case, from_ns: int, began: str) -> tuple[str, ...]:
    """What was recorded since an instant, at which the case stood as `began` says, in the order of `HAPPENED`."""
    recent = {mark.act for mark in case.history if mark.at_ns >= from_ns}
    letters = {letter.kind for letter in case.notices if case.history[letter.event - 1].at_ns >= from_ns}
    closed = case.closed_ns is not None and case.closed_ns >= from_ns
    told = {
        "opened": case.opened_ns >= from_ns,
        "opened_again": began == "closed" and (case.closed_ns is None or closed),
        "noticed": NoticeKind.NOTICE in letters,
        "informed": bool(letters - {NoticeKind.NOTICE}),
        "answered": RecordReply.NAME in recent,
        "inspected": RecordInspection.NAME in recent,
        "decided": any(one.decided_ns >= from_ns for one in case.decisions),
        "remedied": RecordRemedy.NAME in recent,
        "measured": Verify.NAME in recent,
        "appealed": FileAppeal.NAME in recent,
        "closed": closed,
    }
    return tuple(name for name in HAPPENED if told[name])


def _group(one: CaseFacts, by: str, period: str, zone: tzinfo) -> str:
    """The one row of a case: rows that overlap would not add up, and what one hides others would tell."""
    case = one.case
    if by == "period":
        return period_of(case.opened_ns, period, zone)
    if by in ("coin", "detector"):
        return TOGETHER.join(sorted(one.site.coins if by == "coin" else one.detectors)) or UNKNOWN
    return {"region": case.region, "site_kind": case.site_kind, "pack": case.pack_id}[by] or UNKNOWN
