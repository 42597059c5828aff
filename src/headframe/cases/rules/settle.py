"""Approve, reject, withdraw: nothing that one account proposes holds before another has said yes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from headframe.cases.question import Question, Refusals, Rule, needs_text, proposal
from headframe.cases.rules.classify import class_approvable, class_commands
from headframe.cases.rules.close import WHEN_CLOSED, closure_commands, closure_stands, reopening_stands
from headframe.cases.rules.correct import correction_commands, correction_stands
from headframe.cases.rules.decide import decision_approvable, decision_commands, not_an_inspector
from headframe.cases.rules.measure import measure_approvable, measure_commands
from headframe.cases.rules.notify import notice_commands, notice_stands
from headframe.records.case import (
    Approve,
    Case,
    Command,
    Duty,
    ProposalState,
    ProposalStatus,
    ProposeClass,
    ProposeClosure,
    ProposeCorrection,
    ProposeDecision,
    ProposeMeasure,
    ProposeNotice,
    ProposeReopening,
    Reject,
    Withdraw,
)

APPROVABLE: dict[type, Callable[[Question], Refusals]] = {
    ProposeClass: class_approvable,
    ProposeNotice: notice_stands,
    ProposeDecision: decision_approvable,
    ProposeMeasure: measure_approvable,
    ProposeClosure: closure_stands,
    ProposeReopening: reopening_stands,
    ProposeCorrection: correction_stands,
}
"""What must still be so when a proposal is approved: things may have changed since it was made."""

COMMANDS: dict[type, Callable[[Question, Case], Iterable[Command]]] = {
    ProposeClass: class_commands,
    ProposeNotice: notice_commands,
    ProposeDecision: decision_commands,
    ProposeMeasure: measure_commands,
    ProposeClosure: closure_commands,
    ProposeCorrection: correction_commands,
}
"""What follows the last approval of a proposal."""


def open_proposal(question: Question) -> tuple[ProposalStatus | None, list[str]]:
    """The open proposal that an act is about, or why there is none."""
    act: Approve | Reject | Withdraw = question.act
    status = proposal(question.case, act.proposal)
    if status is None:
        waiting = [str(entry.number) for entry in question.case.proposals if entry.state is ProposalState.OPEN]
        return None, [f"event {act.proposal} proposes nothing; open proposals are {', '.join(waiting) or 'none'}"]
    if status.state is not ProposalState.OPEN:
        return None, [f"the proposal of event {act.proposal} is {status.state} already; propose it anew"]
    if question.case.closed_ns is not None and not isinstance(status.act, WHEN_CLOSED):
        return None, [f"the case is closed; the proposal of event {act.proposal} cannot be settled any more"]
    return status, []


def _not_ones_own(question: Question, status: ProposalStatus) -> Refusals:
    name = question.account.name
    if name == status.proposer:
        yield f"{name} proposed this itself; another account decides on it"
    if name in status.approvers:
        yield f"{name} has approved this already; it needs {status.needed} accounts beside the proposer"


def _approve(question: Question) -> Refusals:
    status, reasons = open_proposal(question)
    yield from reasons
    if status is None:
        return
    yield from _not_ones_own(question, status)
    yield from APPROVABLE[type(status.act)](question.with_act(status.act))


def _approved(question: Question, after: Case) -> Iterable[Command]:
    act: Approve = question.act
    status = proposal(after, act.proposal)
    assert status is not None
    if status.state is ProposalState.APPROVED:
        commands = COMMANDS.get(type(status.act))
        if commands is not None:
            yield from commands(question.with_act(status.act), after)


def _reject(question: Question) -> Refusals:
    act: Reject = question.act
    yield from needs_text(act.reason, "the reason of the rejection")
    status, reasons = open_proposal(question)
    yield from reasons
    if status is None:
        return
    yield from _not_ones_own(question, status)
    if isinstance(status.act, ProposeDecision | ProposeMeasure):
        yield from not_an_inspector(question, "a decision")


def _withdraw(question: Question) -> Refusals:
    act: Withdraw = question.act
    yield from needs_text(act.reason, "the reason of the withdrawal")
    status, reasons = open_proposal(question)
    yield from reasons
    if status is not None and question.account.name != status.proposer:
        yield f"{status.proposer} proposed this; only that account withdraws it, others reject it"


APPROVE = Rule(duties=frozenset({Duty.DECIDE}), refusals=_approve, commands=_approved, when_closed=True)
REJECT = Rule(duties=frozenset({Duty.DECIDE}), refusals=_reject, when_closed=True)
WITHDRAW = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_withdraw, when_closed=True)
