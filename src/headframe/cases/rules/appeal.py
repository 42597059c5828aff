"""Appeal: the party goes to another body. What was decided rests meanwhile; who hears it had no part in the case."""

from __future__ import annotations

from collections.abc import Iterable

from headframe.cases.question import (
    Question,
    Refusals,
    Rule,
    confirmed,
    decision_in_force,
    instant,
    needs_text,
    not_before,
    not_in_future,
    pending_appeal,
    sound_document,
    took_part,
)
from headframe.records.case import (
    AppealOutcome,
    Case,
    Command,
    DecideAppeal,
    Duty,
    FileAppeal,
    RemoveFromRegister,
)


def _file(question: Question) -> Refusals:
    act: FileAppeal = question.act
    case = question.case
    yield from needs_text(act.body, "the body that hears the appeal")
    yield from needs_text(act.grounds, "the grounds of the appeal")
    yield from not_in_future(question, act.received_ns, "the time of receipt")
    yield from sound_document(act.document, "the appeal")
    if pending_appeal(case) is not None:
        yield "an appeal is pending already; add to it, or record what became of it"
    decision = decision_in_force(case)
    if decision is None:
        yield "no decision is in force; there is nothing to appeal against"
        return
    if decision.received_ns is None:
        yield f"decision {decision.number} was not served; record when the party received it first"
        return
    yield from not_before(act.received_ns, decision.received_ns, "the appeal came", "the decision was received")
    ends = [clock.due_ns for clock in question.clocks_of("appeal")]
    known = [end_ns for end_ns in ends if end_ns is not None]
    # A clock that stands still has no end yet: in doubt for the party.
    if known and len(known) == len(ends) and act.received_ns >= max(known):
        yield (
            f"the appeal came at {instant(act.received_ns)}, after its time ({instant(max(known))}); extend the "
            f"clock of the appeal first if the party was kept from appealing"
        )


def _decide(question: Question) -> Refusals:
    act: DecideAppeal = question.act
    yield from needs_text(act.reason, "the reason of the decision on the appeal")
    yield from sound_document(act.document, "the decision on the appeal")
    if pending_appeal(question.case) is None:
        yield "no appeal is pending; file it first"
    if question.account.name in took_part(question.case):
        yield f"{question.account.name} has had a part in this case; an appeal is heard by an account that has not"


def _commands(question: Question, after: Case) -> Iterable[Command]:
    act: DecideAppeal = question.act
    before = confirmed(question.case)
    if act.outcome in (AppealOutcome.UPHELD, AppealOutcome.REMITTED) and before is not None:
        if before.final_ns is not None:
            yield RemoveFromRegister(
                case_id=after.case_id, decision=before.number, reason=f"the appeal was {act.outcome}"
            )


APPEAL = Rule(duties=frozenset({Duty.SCREEN, Duty.PROPOSE, Duty.HEAR_APPEAL}), refusals=_file, when_closed=True)
DECIDE_APPEAL = Rule(duties=frozenset({Duty.HEAR_APPEAL}), refusals=_decide, commands=_commands)
