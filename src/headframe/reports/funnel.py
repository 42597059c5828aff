"""What became of cases: how many were screened, flagged, noticed, confirmed, dismissed, and closed.

Pure: events and a word on each site come in, counts come out. A case counts in the period in which it was opened, so a
row of the funnel follows one set of cases to its end, and later reports of the same period can only grow to the right.
The share of dismissed cases of each detector is the house's own error rate, as far as decisions tell it; it is shown
with its interval, never as one number [1]_.

References
----------
.. [1] C. Clopper, E. Pearson, Biometrika 26, 1934, 404-413.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import groupby

from headframe.cases.apply import replay
from headframe.records.case import Case, CaseEvent, ClosureReason, DecisionOutcome, NoticeKind, VerificationOutcome
from headframe.records.finding import Interval
from headframe.reports.csv_rows import csv_number, csv_text
from headframe.reports.suppression import MIN_CELL, SHOWN_AS, suppress

STEPS = (
    "screened", "flagged", "noticed", "informed", "decided", "confirmed", "dismissed", "victim", "lawful",
    "undetermined", "set_aside", "rectified", "closed",
)  # fmt: skip
"""Columns of the funnel, in order. `dismissed` counts decisions; `set_aside` those that an appeal upheld undid."""
PERIODS = ("week", "month", "quarter", "year", "all")
BY = ("period", "region", "site_kind", "coin", "detector", "pack")
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What a report may say of a case's site, and no more.

    Attributes
    ----------
    owner_enterprise : str
        Name of the organisation, for the ledger that a rule asks for; empty for premises without one.
    coins : tuple of str
        Of the case's findings.
    power_w : Interval or None
        [W]
    hashrate_hs : Interval or None
        [hashes/s]
    energy_month_wh : float or None
        [Wh]
    """

    owner_enterprise: str = ""
    coins: tuple[str, ...] = ()
    power_w: Interval | None = None
    hashrate_hs: Interval | None = None
    energy_month_wh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """Where one case stands, in the words of the funnel."""

    case: Case
    steps: frozenset[str]
    detectors: tuple[str, ...]
    site: SiteFacts


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The funnel of some cases.

    Attributes
    ----------
    by : str
    rows : tuple of FunnelRow
        By group; a case with two coins counts in both, and once in the total.
    total : FunnelRow
    dismissed : tuple of DismissedShare
        By detector.
    adds_up : bool
        Whether the rows add up to the total.
    """

    by: str
    rows: tuple[FunnelRow, ...]
    total: FunnelRow
    dismissed: tuple[DismissedShare, ...]
    adds_up: bool


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
    events: Iterable[CaseEvent], site_of: Callable[[Case], SiteFacts] = lambda case: SiteFacts()
) -> Iterator[CaseFacts]:
    """Each case with what became of it.

    Parameters
    ----------
    events : iterable of CaseEvent
        By case and number, as a store streams them.
    site_of : callable
        What is known of a case's site.

    Yields
    ------
    CaseFacts
    """
    for _, own in groupby(events, key=lambda event: event.case_id):
        case = replay(own)
        detectors = tuple(sorted({found.detector for found in case.findings if found.mining}))
        yield CaseFacts(case=case, steps=frozenset(_steps(case)), detectors=detectors, site=site_of(case))


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
    decided: dict[str, list[int]] = {}
    adds_up = True
    for one in facts:
        groups = _groups(one, by, period, zone)
        adds_up &= len(groups) == 1
        for counts in (total, *(rows.setdefault(group, dict.fromkeys(STEPS, 0)) for group in groups)):
            for step in one.steps:
                counts[step] += 1
        if "decided" in one.steps:
            for detector in one.detectors or (UNKNOWN,):
                tally = decided.setdefault(detector, [0, 0])
                tally[0] += 1
                tally[1] += bool(one.steps & {"dismissed", "set_aside"})
    return Funnel(
        by=by,
        rows=tuple(FunnelRow(group=group, counts=counts) for group, counts in sorted(rows.items())),
        total=FunnelRow(group="total", counts=total),
        dismissed=tuple(_share(detector, n, k) for detector, (n, k) in sorted(decided.items())),
        adds_up=adds_up,
    )


def shown(whole: Funnel, min_cell: int = MIN_CELL) -> ShownFunnel:
    """The funnel without small cells, and without what would give them away.

    Parameters
    ----------
    whole : Funnel
    min_cell : int
        The pack's.

    Returns
    -------
    ShownFunnel
    """
    rows = (*whole.rows, whole.total)
    figures = {(row.group, step): float(row.counts[step]) for row in rows for step in STEPS}
    sums: list[tuple[tuple[str, str], list[tuple[str, str]]]] = []
    if whole.adds_up and whole.rows:
        sums += [(("total", step), [(row.group, step) for row in whole.rows]) for step in STEPS]
    # Every decided case has one outcome.
    outcomes = ("confirmed", "dismissed", "victim", "lawful", "undetermined")
    sums += [((row.group, "decided"), [(row.group, step) for step in outcomes]) for row in rows]
    answer = suppress(figures, sums, min_cell=min_cell)

    def cell(group: str, step: str) -> str:
        return str(int(figures[group, step])) if (group, step) in answer.shown else SHOWN_AS

    return ShownFunnel(
        header=(whole.by, *STEPS),
        rows=tuple((row.group, *(cell(row.group, step) for step in STEPS)) for row in rows),
        words=answer.words,
        hidden=len(answer.primary) + len(answer.complementary),
    )


def shown_dismissed(shares: Sequence[DismissedShare], min_cell: int = MIN_CELL) -> tuple[tuple[str, ...], ...]:
    """Dismissed shares as texts; where fewer than `min_cell` were decided, or dismissed, only that is said."""
    rows: list[tuple[str, ...]] = []
    for one in shares:
        if one.decided < min_cell or 0 < one.dismissed < min_cell or 0 < one.decided - one.dismissed < min_cell:
            rows.append((one.detector, "too few to show", "", ""))
        else:
            rows.append((one.detector, f"{one.dismissed} of {one.decided}", f"{one.share:.1%}",
                         f"{one.low:.1%} to {one.high:.1%}"))  # fmt: skip
    return tuple(rows)


LEDGER_FIELDS = ("owner_enterprise", "scale", "hashrate", "power_use", "status")
"""What item 3 of the national notice of 2021 asks a weekly ledger to hold, as the pack names it."""


def weekly_ledger(
    facts: Iterable[CaseFacts], from_ns: int, until_ns: int, fields: Sequence[str] = LEDGER_FIELDS
) -> Iterator[dict[str, str]]:
    """The ledger of a week: one row for each case with something against its party that is on the way or new.

    It goes to the unit that the rule names, so it is not a table of counts and nothing is suppressed. A case whose
    party is not yet heard is listed with its status and without the enterprise's name; a victim and a dismissed case
    are not listed at all.

    Parameters
    ----------
    facts : iterable of CaseFacts
    from_ns, until_ns : int
        [ns since 1970-01-01 UTC]
    fields : sequence of str
        Of `LEDGER_FIELDS`, as the pack asks.

    Yields
    ------
    dict
        Texts by field, after ``case_id``.

    Raises
    ------
    ValueError
        If a field is not known.
    """
    if unknown := [name for name in fields if name not in LEDGER_FIELDS]:
        raise ValueError(f"the ledger has no field {unknown[0]!a}; it has {', '.join(LEDGER_FIELDS)}")
    for one in facts:
        case = one.case
        if case.opened_ns >= until_ns or (case.closed_ns is not None and case.closed_ns < from_ns):
            continue
        if one.steps & {"victim", "dismissed", "lawful", "set_aside"}:
            continue
        # Before a decision the party is not one that mines, so its name stays here.
        name = one.site.owner_enterprise if "confirmed" in one.steps else ""
        texts = {
            "owner_enterprise": name or "(not decided)",
            "scale": _interval(one.site.power_w, 1e-3, "kW"),
            "hashrate": _interval(one.site.hashrate_hs, 1e-12, "TH/s"),
            "power_use": "" if one.site.energy_month_wh is None else f"{one.site.energy_month_wh / 1e6:.1f} MWh/month",
            "status": case.stage.value,
        }
        yield {"case_id": case.case_id, **{name: texts[name] for name in fields}}


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
    if case.decisions:
        # The last one stands; one that was set aside and not replaced still was a decision.
        last = case.decisions[-1]
        yield "decided"
        yield {
            DecisionOutcome.CONFIRMED: "confirmed",
            DecisionOutcome.DISMISSED: "dismissed",
            DecisionOutcome.VICTIM: "victim",
            DecisionOutcome.LAWFUL: "lawful",
            DecisionOutcome.UNDETERMINED: "undetermined",
        }[last.act.outcome]
        if last.set_aside:
            yield "set_aside"
    if any(measured.outcome is VerificationOutcome.RECTIFIED for _, _, measured in case.verifications[-1:]):
        yield "rectified"
    if case.closed_ns is not None or case.closure in set(ClosureReason):
        yield "closed"


def _groups(one: CaseFacts, by: str, period: str, zone: tzinfo) -> tuple[str, ...]:
    case = one.case
    if by == "period":
        return (period_of(case.opened_ns, period, zone),)
    if by == "coin":
        return one.site.coins or (UNKNOWN,)
    if by == "detector":
        return one.detectors or (UNKNOWN,)
    return ({"region": case.region, "site_kind": case.site_kind, "pack": case.pack_id}[by] or UNKNOWN,)


def _share(detector: str, decided: int, dismissed: int) -> DismissedShare:
    low, high = clopper_pearson(dismissed, decided)
    share = dismissed / decided if decided else math.nan
    return DismissedShare(detector=detector, decided=decided, dismissed=dismissed, share=share, low=low, high=high)


def _interval(value: Interval | None, factor: float, unit: str) -> str:
    if value is None:
        return ""
    low, estimate, high = (
        csv_number(float(f"{part * factor:.3g}")) for part in (value.low, value.estimate, value.high)
    )
    return f"{estimate} ({low} to {high}) {unit}"
