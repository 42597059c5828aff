"""Periodic reports: counts with small cells hidden, the dismissed share of each detector, the ledger of the week.

Two reports may tell together what each of them hides. So counts are published by weeks or by months, never by both,
only of periods that are over, and under one smallest cell: each case is in the counts of one report only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from headframe.casework.derived import zone_of
from headframe.errors import HeadframeError
from headframe.records.case import Account, DocumentKind, DocumentRef
from headframe.records.policy import Pack
from headframe.reports.suppression import MIN_CELL

if TYPE_CHECKING:
    from headframe.casework.core import Casework
    from headframe.reports.funnel import CaseFacts
    from headframe.reports.ledger_figures import LedgerFigure

GROUPS = ("region", "site_kind", "coin")
"""By what a report counts cases."""
_LONGER = frozenset({"monthly", "quarterly", "annual"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def period_bounds(text: str, pack: Pack) -> tuple[int, int]:
    """Beginning and end of a week (``2026-W47``, ISO 8601) or month (``2026-11``) in the pack's zone.

    Returns
    -------
    tuple of int
        Half open. [ns since 1970-01-01 UTC]

    Raises
    ------
    HeadframeError
        If it is neither.
    """
    try:
        if found := re.fullmatch(r"(\d{4})-W(\d{2})", text, re.ASCII):
            first = date.fromisocalendar(int(found[1]), int(found[2]), 1)
            last = first + timedelta(days=7)
        elif found := re.fullmatch(r"(\d{4})-(\d{2})", text, re.ASCII):
            first = date(int(found[1]), int(found[2]), 1)
            last = (first + timedelta(days=32)).replace(day=1)
        else:
            raise ValueError
        if not 1970 <= first.year < 2200:
            raise ValueError  # as all times that come in
        zone = zone_of(pack)
        begin, end = (
            int((datetime.combine(day, time(), tzinfo=zone) - _EPOCH).total_seconds()) for day in (first, last)
        )
    except (ValueError, OverflowError):
        raise HeadframeError(f"{text!a} is no period; name a week as in 2026-W47, or a month as in 2026-11") from None
    return begin * 1_000_000_000, end * 1_000_000_000


def counted_by(pack: Pack) -> str:
    """The length of the periods that counts under a pack are published by: ``month`` where it owes such a report or one
    of a longer period, else ``week``.
    """
    return "week" if {one.frequency for one in pack.reporting}.isdisjoint(_LONGER) else "month"


def least_cell(pack: Pack) -> int:
    """The smallest count that is shown under a pack, whichever report it stands in: the most that a duty asks for."""
    return max((MIN_CELL, *(one.min_cell for one in pack.reporting)))


def period_ends(from_ns: int, until_ns: int, pack: Pack) -> list[int]:
    """The ends of the periods by which counts are published, from the one of an instant to one that ends at another.

    Returns
    -------
    list of int
        [ns since 1970-01-01 UTC]
    """
    zone = zone_of(pack)
    day = datetime.fromtimestamp(from_ns // 1_000_000_000, tz=zone).date()
    ends: list[int] = []
    while not ends or ends[-1] < until_ns:
        year, week, _ = day.isocalendar()
        name = f"{day:%Y-%m}" if counted_by(pack) == "month" else f"{year}-W{week:02d}"
        ends.append(period_bounds(name, pack)[1])
        # The instant of an end is in the next period.
        day = datetime.fromtimestamp(ends[-1] // 1_000_000_000, tz=zone).date()
    return ends


def write_period_report(
    casework: Casework,
    pack_id: str,
    period: str,
    *,
    language: str = "en",
    duty: str = "",
    account: Account | None = None,
    given: Mapping[str, Sequence[LedgerFigure]] | None = None,
) -> tuple[DocumentRef, DocumentRef]:
    """Write the report of a period about the cases under a pack, and keep it; people send it.

    It tells the state at the end of the period, by the events that were recorded before it, whenever it is written; of
    a period that is not over, the state of now, and it says so. The ledger lists the cases that were open in the
    period; the funnel follows those that were opened in it; the dismissed share is of all that were decided by then.

    Counts (everything but the ledger) are in the report only if the period is over and of the length by which the pack
    publishes them (`counted_by`); else the report says where they are.

    Parameters
    ----------
    casework : Casework
    pack_id : str
    period : str
        ``2026-W47`` or ``2026-11``.
    language : str
        ``en`` or ``zh``.
    duty : str
        Id of the pack's reporting duty; its smallest cell counts. Empty for a report that nobody asks for.
    account : Account or None
        Who has it written.
    given : mapping of str to sequence of LedgerFigure, optional
        By case, numbers of an operator's own, each with its source; the ledger says that they were given.

    Returns
    -------
    tuple of DocumentRef
        The PDF, and the page.

    Raises
    ------
    HeadframeError
        If there is no such pack, period or duty, if the period has not begun, if there would be neither counts nor a
        ledger, or a number was given for a case that the ledger shows no figures of.
    """
    from headframe.reports.case_documents.general import PeriodFigures, write_weekly_report
    from headframe.reports.funnel import LEDGER_FIELDS, is_of_period, ledger_figures, weekly_ledger
    from headframe.stores.database.queries import facts_of_cases

    pack = casework.pack(pack_id)
    zone = zone_of(pack)
    from_ns, until_ns = period_bounds(period, pack)
    owed = next((one for one in pack.reporting if one.id == duty), None)
    if duty and owed is None:
        there = ", ".join(one.id for one in pack.reporting) or "none"
        raise HeadframeError(f"pack {pack_id} has no reporting duty {duty!a}; it has {there}")
    now = casework.now_ns()
    if now < from_ns:
        began = datetime.fromtimestamp(from_ns // 1_000_000_000, tz=zone)
        raise HeadframeError(f"{period} begins on {began:%Y-%m-%d}; there is nothing to report of it yet")
    fields = tuple(name for name in (owed.fields if owed is not None else ()) if name in LEDGER_FIELDS)
    lacking = _without_counts(period, pack, is_over=now >= until_ns)
    if lacking and not fields:
        raise HeadframeError(f"there is nothing to report of {period} yet: {_WHY_NOT[lacking]}")
    facts = [
        one for one in facts_of_cases(casework.store, from_ns=from_ns, until_ns=until_ns) if one.case.pack_id == pack_id
    ]
    of_period = [one for one in facts if is_of_period(one.case, from_ns, until_ns)]
    told = tuple(ledger_figures(of_period, from_ns, until_ns, fields, given)) if fields else ()
    _refuse_not_shown(given or {}, told, period)
    figures = PeriodFigures(
        period=period,
        from_ns=from_ns,
        until_ns=until_ns,
        **({} if lacking else counts_of_period(facts, from_ns, until_ns, pack)),
        lacking=lacking,
        ledger=tuple(weekly_ledger(of_period, from_ns, until_ns, fields, given)) if fields else None,
        ledger_figures=told,
        duty=duty,
    )
    done = write_weekly_report(figures, pack, language, now, prepared_by=account, training=casework.config.training)
    name = "-".join(filter(None, (pack_id, duty, period, language)))
    kind = DocumentKind.WEEKLY_REPORT.value
    refs = (
        casework.keep_bytes(done.pdf, f"{name}.pdf", "application/pdf", kind),
        casework.keep_bytes(done.html, f"{name}.html", "text/html", kind),
    )
    casework.log_documents(refs, now)
    return refs


def _without_counts(period: str, pack: Pack, *, is_over: bool) -> str:
    """Why a report holds no counts: ``not_over``, ``by_month`` or ``by_week``; empty where it does."""
    length = "week" if "W" in period else "month"
    if length != counted_by(pack):
        return f"by_{counted_by(pack)}"
    return "" if is_over else "not_over"


_WHY_NOT = {
    "not_over": "it is not over, and counts are published once, when it is; wait, or name a --duty with a ledger",
    "by_month": (
        "counts under this pack are published by months, as it owes them, and those of weeks beside them would tell "
        "what both leave out; name a month, or a --duty with a ledger"
    ),
    "by_week": (
        "counts under this pack are published by weeks, as it owes none by months, and those of months beside them "
        "would tell what both leave out; name a week, or a --duty with a ledger"
    ),
}


def counts_of_period(facts: Sequence[CaseFacts], from_ns: int, until_ns: int, pack: Pack) -> dict[str, Any]:
    """The counts of a report, as they may be shown.

    Parameters
    ----------
    facts : sequence of CaseFacts
        Of all cases under the pack, as they stood at the end of the period.
    from_ns, until_ns : int
        [ns since 1970-01-01 UTC]
    pack : Pack

    Returns
    -------
    dict
        ``funnels``, ``flow`` and ``dismissed`` of `headframe.reports.case_documents.general.PeriodFigures`.
    """
    from headframe.reports.dismissed import share_rows, tallies_over, told
    from headframe.reports.funnel import funnel, is_of_period, shown_together
    from headframe.reports.movement import movement

    min_cell, zone = least_cell(pack), zone_of(pack)
    of_period = [one for one in facts if is_of_period(one.case, from_ns, until_ns)]
    # A funnel follows one set of cases: those that were opened in the period.
    new = [one for one in of_period if not one.began]
    funnels, flow = shown_together(
        [funnel(new, by=by, zone=zone) for by in GROUPS], movement(of_period, from_ns, until_ns), min_cell=min_cell
    )
    ends = period_ends(min((one.case.opened_ns for one in facts), default=from_ns), until_ns, pack)
    return {"funnels": funnels, "flow": flow, "dismissed": share_rows(told(tallies_over(facts, ends), min_cell))}


def _refuse_not_shown(
    given: Mapping[str, Sequence[LedgerFigure]], told: Sequence[tuple[str, LedgerFigure]], period: str
) -> None:
    """Say of numbers that were given and would stand nowhere, instead of leaving them out in silence."""
    shown = {(case_id, figure.name) for case_id, figure in told}
    for case_id, figures in given.items():
        for figure in figures:
            if (case_id, figure.name) not in shown:
                raise HeadframeError(
                    f"{figure.name} was given for {case_id!a}, and the ledger of {period} shows no such figure: it "
                    "shows those of cases with a decision against the party in force, and those that the duty asks for"
                )
