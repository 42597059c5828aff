"""A case as screens show it: everything that the rules and the pack say of it, at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    )
