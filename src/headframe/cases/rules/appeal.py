"""Appeal: the party goes to another body. What was decided rests meanwhile; who hears it had no part in the case."""

from __future__ import annotations

from collections.abc import Iterable

from headframe.cases.question import (
    Question,
    Refusals,
    Rule,
    confirmed,
    decision_in_force,
    needs_text,
    not_before,
    not_in_future,
    pending_appeal,
    proposers_and_approvers,
    sound_document,
    took_part,
)
from headframe.policy.appeals import appeal_bodies, bodies_in_words, body_of
from headframe.records.case import (
    AdmitAppeal,
    AppealOutcome,
    Case,
    Command,
    DecideAppeal,
    DocumentKind,
    Duty,
    FileAppeal,
    NoteAppealInRegister,
    ProposeDecision,
    RemoveFromRegister,
    WriteDocument,
)
from headframe.records.policy import Pack


def _file(question: Question) -> Refusals:
    act: FileAppeal = question.act
    case = question.case
    yield from needs_text(act.body, "the body that hears the appeal")
    yield from known_body(question.pack, act)
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


def known_body(pack: Pack, act: FileAppeal) -> Refusals:
    """The body is one that the pack names, or is said to be none of them."""
    if not act.body.strip() or not appeal_bodies(pack):
        return
    body = body_of(pack, act.body)
    if body is None and not act.other_body:
        yield (
            f"{act.body!a} is no body that hears appeals under pack {pack.id}; these do: {bodies_in_words(pack)}. If "
            f"the party went elsewhere, say so (--other-body), and it is recorded as a body that the pack does not name"
        )
    if body is not None and act.other_body:
        yield f"{act.body!a} is a body of pack {pack.id}, {body.id}; record the appeal there, and not as elsewhere"


def came_late(question: Question) -> bool:
    """Whether an appeal came after its time. It is on file all the same; people decide whether it is heard.

    Each body has a time of its own. Of one that the pack does not name the longest of them counts.
    """
    act: FileAppeal = question.act
    body = None if act.other_body else body_of(question.pack, act.body)
    if body is not None and not body.clock:
        return False
    clocks = question.clocks_of("appeal") if body is None else (question.clock(body.clock),)
    ends = [None if clock is None else clock.due_ns for clock in clocks]
    known = [end_ns for end_ns in ends if end_ns is not None]
    # A clock that stands still has no end yet: in doubt for the party.
    return bool(known) and len(known) == len(ends) and act.received_ns >= max(known)


def _noted(question: Question, after: Case) -> Iterable[Command]:
    """An entry of the register says how the appeal against it stands."""
    held = confirmed(after)
    if held is not None and held.final_ns is not None:
        yield NoteAppealInRegister(case_id=after.case_id, decision=held.number)


def _admit(question: Question) -> Refusals:
    act: AdmitAppeal = question.act
    case = question.case
    yield from needs_text(act.reason, "the reason why the late appeal is heard or not")
    yield from sound_document(act.document, "the decision on the late appeal")
    pending = pending_appeal(case)
    if pending is None:
        yield "no appeal is pending; record it first"
    elif not pending.late:
        yield "the appeal came in time, and is heard as it is; record what the body decides on it"
    elif not pending.waits_for_admission:
        yield "the late appeal was admitted already; record what the body decides on it"
    yield from not_the_first_decider(question)


def not_the_first_decider(question: Question) -> Refusals:
    """Whoever proposed or approved what is appealed does not judge whether the appeal comes too late."""
    if question.account.name in proposers_and_approvers(question.case, ProposeDecision):
        yield (
            f"{question.account.name} has proposed or approved a decision in this case; whether a late appeal is heard "
            f"is said by an account that has not"
        )


def _decide(question: Question) -> Refusals:
    act: DecideAppeal = question.act
    yield from needs_text(act.reason, "the reason of the decision on the appeal")
    yield from sound_document(act.document, "the decision on the appeal")
    pending = pending_appeal(question.case)
    if pending is None:
        yield "no appeal is pending; record it first"
    elif pending.waits_for_admission and act.outcome is not AppealOutcome.WITHDRAWN:
        yield (
            "the appeal came late, and nobody has said whether it is heard; let an account that did not decide admit "
            "it, or find it inadmissible, first"
        )
    if act.standing is not None and act.outcome not in (AppealOutcome.UPHELD, AppealOutcome.REMITTED):
        yield f"an appeal that was {act.outcome} changes nothing about the party's standing; leave the standing out"
    if act.outcome is AppealOutcome.INADMISSIBLE:
        yield "an appeal that is heard is not inadmissible for being late; say upheld, rejected, remitted or withdrawn"
    if question.account.name in took_part(question.case):
        yield f"{question.account.name} has had a part in this case; an appeal is heard by an account that has not"


def _commands(question: Question, after: Case) -> Iterable[Command]:
    act: DecideAppeal = question.act
    before = decision_in_force(question.case)
    if act.outcome in (AppealOutcome.UPHELD, AppealOutcome.REMITTED) and before is not None:
        if before.final_ns is not None:
            yield RemoveFromRegister(
                case_id=after.case_id, decision=before.number, reason=f"the appeal was {act.outcome}"
            )
        if before.received_ns is not None:
            yield WriteDocument(kind=DocumentKind.SETTING_ASIDE, subject=str(before.number))
    else:
        yield from _noted(question, after)


# Nothing that comes from a party is refused for coming late, and nothing for the case being closed.
APPEAL = Rule(
    duties=frozenset({Duty.SCREEN, Duty.PROPOSE, Duty.HEAR_APPEAL}), refusals=_file, commands=_noted, when_closed=True
)
ADMIT_APPEAL = Rule(
    duties=frozenset({Duty.DECIDE, Duty.HEAR_APPEAL}), refusals=_admit, commands=_noted, when_closed=True
)
DECIDE_APPEAL = Rule(duties=frozenset({Duty.HEAR_APPEAL}), refusals=_decide, commands=_commands, when_closed=True)
