"""Cases that came and went in a period: on hand when it began, opened, opened again, closed, on hand at its end."""

from __future__ import annotations

from collections.abc import Iterable

from headframe.reports.funnel import CaseFacts, is_of_period

FLOW = ("began", "opened", "opened_again", "all", "closed", "ended")
"""Began, opened and opened again add up to all; so do closed and ended."""


def movement(facts: Iterable[CaseFacts], from_ns: int, until_ns: int) -> dict[str, int]:
    """How many cases were on hand, and how many came and went.

    Parameters
    ----------
    facts : iterable of CaseFacts
        As they stood at the end of the period (`headframe.reports.funnel.case_facts` with its bounds).
    from_ns, until_ns : int
        [ns since 1970-01-01 UTC]

    Returns
    -------
    dict
        By the names of `FLOW`.
    """
    flow = dict.fromkeys(FLOW, 0)
    for one in facts:
        if not is_of_period(one.case, from_ns, until_ns):
            continue
        flow["all"] += 1
        flow[{"open": "began", "closed": "opened_again", "": "opened"}[one.began]] += 1
        flow["ended" if one.case.closed_ns is None else "closed"] += 1
    return flow
