"""Classify: one value of each of the pack's axes, and the party's standing; proposed by one account, set by another."""

from __future__ import annotations

from collections.abc import Iterable

from headframe.cases.question import (
    Question,
    Refusals,
    Rule,
    comes_before,
    confirmed,
    needs_text,
    one_at_a_time,
    responsible,
)
from headframe.cases.rules.units import in_deciding_unit
from headframe.records.case import (
    Case,
    Command,
    DocumentKind,
    Duty,
    ProposeClass,
    RemoveFromRegister,
    WriteDocument,
)
from headframe.records.policy import PartyStanding, Step


def class_stands(question: Question) -> Refusals:
    """What must be so when a classification is proposed, and still when it is approved."""
    act: ProposeClass = question.act
    pack = question.pack
    yield from needs_text(act.reason, "the reason of the classification")
    given: dict[str, str] = {}
    for name, value in act.axes:
        if name in given:
            yield f"axis {name} is answered twice; a case gets one value of each axis"
        given[name] = value
    known = {axis.id: axis for axis in pack.axes}
    for name in given:
        if name not in known:
            yield f"pack {pack.id} has no axis {name}; its axes are {', '.join(known) or 'none'}"
    for axis in pack.axes:
        ids = [entry.id for entry in axis.values]
        if axis.id not in given:
            yield f"axis {axis.id} is not answered; choose one of {', '.join(ids)}"
            continue
        chosen = next((entry for entry in axis.values if entry.id == given[axis.id]), None)
        if chosen is None:
            yield f"axis {axis.id} has no value {given[axis.id]}; choose one of {', '.join(ids)}"
        elif chosen.standing is not None and chosen.standing is not act.standing:
            yield (
                f"{axis.id} = {chosen.id} says that the party's standing is {chosen.standing}, but {act.standing} is "
                f"proposed; make the two agree"
            )
    criteria = {criterion.id for criterion in pack.criteria}
    for name in act.criteria:
        if name not in criteria:
            yield f"pack {pack.id} has no criterion {name}; its criteria are {', '.join(sorted(criteria)) or 'none'}"


def _propose(question: Question) -> Refusals:
    yield from one_at_a_time(question, ProposeClass, "a classification")
    yield from class_stands(question)


def class_approvable(question: Question) -> Refusals:
    """What the approval needs beside that: who takes a decision away must be able to make one."""
    yield from class_stands(question)
    act: ProposeClass = question.act
    if confirmed(question.case) is not None and not responsible(act.standing):
        yield from in_deciding_unit(question, "this classification takes a confirmed decision away; its approver")


def class_commands(question: Question, after: Case) -> Iterable[Command]:
    """After the approval of a classification."""
    act: ProposeClass = question.act
    before = confirmed(question.case)
    if before is not None and before.final_ns is not None and confirmed(after) is None:
        yield RemoveFromRegister(
            case_id=after.case_id,
            decision=before.number,
            reason=f"the party's standing was found to be {act.standing}",
        )
    if before is not None and before.received_ns is not None and confirmed(after) is None:
        yield WriteDocument(kind=DocumentKind.SETTING_ASIDE, subject=str(before.number))
    asks = responsible(act.standing) or act.standing is PartyStanding.UNDETERMINED
    if asks and comes_before(question.pack, Step.INSPECT, Step.NOTIFY) and not question.case.inspections:
        yield WriteDocument(kind=DocumentKind.INSPECTION_REQUEST)


PROPOSE_CLASS = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_propose)
