"""Periodic reports: counts with small cells hidden, the dismissed share of each detector, the ledger of the week."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from headframe.casework.derived import zone_of
from headframe.errors import HeadframeError
from headframe.records.case import Account, DocumentKind, DocumentRef
from headframe.records.policy import Pack

if TYPE_CHECKING:
    from headframe.casework.core import Casework
    from headframe.reports.ledger_figures import LedgerFigure

GROUPS = ("region", "site_kind", "coin")
"""By what a report counts cases."""
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
        If there is no such pack, period or duty, if the period has not begun, or a number was given for a case that
        the ledger shows no figures of.
    """
    from headframe.reports.case_documents.general import PeriodFigures, write_weekly_report
    from headframe.reports.funnel import (
        LEDGER_FIELDS,
        funnel,
        is_of_period,
        ledger_figures,
        shown_dismissed,
        shown_together,
        weekly_ledger,
    )
    from headframe.reports.movement import movement
    from headframe.reports.suppression import MIN_CELL
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
    min_cell = owed.min_cell if owed is not None else MIN_CELL
    facts = [
        one for one in facts_of_cases(casework.store, from_ns=from_ns, until_ns=until_ns) if one.case.pack_id == pack_id
    ]
    of_period = [one for one in facts if is_of_period(one.case, from_ns, until_ns)]
    fields = tuple(name for name in (owed.fields if owed is not None else ()) if name in LEDGER_FIELDS)
    told = tuple(ledger_figures(of_period, from_ns, until_ns, fields, given)) if fields else ()
    _refuse_not_shown(given or {}, told, period)
    # A funnel follows one set of cases: those that were opened in the period.
    new = [one for one in of_period if not one.began]
    funnels, flow = shown_together(
        [funnel(new, by=by, zone=zone) for by in GROUPS], movement(of_period, from_ns, until_ns), min_cell=min_cell
    )
    figures = PeriodFigures(
        period=period,
        from_ns=from_ns,
        until_ns=until_ns,
        funnels=funnels,
        flow=flow,
        dismissed=shown_dismissed(funnel(facts, by="region", zone=zone).dismissed, min_cell),
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
