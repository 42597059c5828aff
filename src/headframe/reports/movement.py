"""Cases that came and went in a period: opened, opened again, closed.

How many are on hand is not among them: with that, one report after another would tell what it leaves out, since what is
on hand at the end of a period is on hand when the next begins.
"""

from __future__ import annotations

from collections.abc import Iterable

from headframe.reports.funnel import CaseFacts, is_of_period

FLOW = ("opened", "opened_again", "closed")
"""No sum ties them to each other, nor those of one period to those of another."""


def movement(facts: Iterable[CaseFacts], from_ns: int, until_ns: int) -> dict[str, int]:
    """How many cases came and went.

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
        if one.began != "open":
            flow["opened_again" if one.began else "opened"] += 1
        flow["closed"] += one.case.closed_ns is not None
    return flow
