"""A case as screens show it: everything that the rules and the pack say of it, at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headframe.cases.store import CaseFilter
from headframe.records.case import Case, CaseRelation
from headframe.reports.casework import CaseView

if TYPE_CHECKING:
    from headframe.casework.core import Casework


def view_of(casework: Casework, case_id: str) -> CaseView:
    """Everything that a screen shows of a case."""
    from headframe.cases.steps import next_steps
    from headframe.policy.classify import classify, facts_of_case
    from headframe.policy.rights import measure_states, right_states

    file = casework.case_file(case_id)
    case, now = file.case, max(casework.now_ns(), file.case.last_ns)
    pack = casework.pack_of(case)
    clocks = casework.clocks_of(case, now)
    return CaseView(
        file=file,
        pack=pack,
        now_ns=now,
        clocks=clocks,
        measures=tuple(measure_states(case, pack, clocks, now)),
        rights=tuple(right_states(case, pack, clocks)),
        steps=next_steps(case, pack, clocks, now),
        classes=classify(pack, facts_of_case(file)),
        training=casework.config.training,
        linked_from=tuple(_linked_from(casework, case)),
    )


_THE_OTHER_WAY = {
    CaseRelation.RECURRENCE_OF: "recurred_as",
    CaseRelation.SPLIT_FROM: "split_into",
    CaseRelation.SAME_OPERATOR: "same_operator",
}
"""How a case stands to this one that names this one so."""


def _linked_from(casework: Casework, case: Case) -> Iterator[tuple[str, str]]:
    """Cases of the same site that name this one; a recurrence is always at its site."""
    cursor = ""
    while True:
        page = casework.store.cases(CaseFilter(site_id=case.site_id), cursor=cursor)
        for row in page.rows:
            if row.case_id != case.case_id:
                other = casework.case(row.case_id)
                for named, relation in other.links:
                    if named == case.case_id and (other.case_id, relation) not in case.links:
                        yield other.case_id, _THE_OTHER_WAY[relation]
        cursor = page.cursor
        if not cursor:
            return
