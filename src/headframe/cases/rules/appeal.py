"""Appeal: the party goes to another body. What was decided rests meanwhile; who hears it had no part in the case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from headframe.cases.apply import appealed, replay
from headframe.cases.question import (
    Question,
    Refusals,
    Rule,
    confirmed,
    corrections,
    decision_in_force,
    event_numbers,
    instant,
    needs_text,
    not_in_future,
    pending_appeals,
    proposers_and_approvers,
    sound_document,
    took_part,
    unheard,
    untold,
)
from headframe.policy.appeals import appeal_bodies, bodies_in_words, body_of
from headframe.policy.clocks import clocks_of
from headframe.records.case import (
    AdmitAppeal,
    AppealOutcome,
    AppealStatus,
    Case,
    Command,
    DecideAppeal,
    DocumentKind,
    Duty,
    ExtendClock,
    FileAppeal,
    NoteAppealInRegister,
    PauseClock,
    ProposeCorrection,
    ProposeDecision,
    RemoveFromRegister,
    ResumeClock,
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
    # One that is pending elsewhere is no reason not to take this one: what comes from a party is on file.
    decision = appealed(case.decisions)
    if decision is None:
        yield (
            "no decision is in force; there is nothing to appeal against: record what the party sent as a reply, so "
            "that it is weighed when something is decided"
        )
        return
    if decision.received_ns is None:
        yield f"decision {decision.number} was not served; record when the party received it first"
        return
    # Who appeals has the decision, whatever its slip says: an appeal that came before the recorded receipt is taken.
    if act.received_ns < decision.decided_ns:
        yield (
            f"the appeal came at {instant(act.received_ns)}, before decision {decision.number} was approved "
            f"({instant(decision.decided_ns)}); check the date. If it is about a decision that this one replaced, "
            f"record it as a reply: it came before this one was taken, and another decision weighs it"
        )


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
    """Whether an appeal came after its time. It is on file all the same; people decide whether it is heard."""
    act: FileAppeal = question.act
    return _is_late(question, act.body, act.received_ns)


def _is_late(question: Question, body_words: str, received_ns: int) -> bool:
    """Whether the time of a body was over by then. Each has its own; elsewhere the longest of them counts."""
    body = body_of(question.pack, body_words)
    if body is not None and not body.clock:
        return False
    clocks = question.clocks_of("appeal") if body is None else (question.clock(body.clock),)
    ends = [None if clock is None else clock.due_ns for clock in clocks]
    known = [end_ns for end_ns in ends if end_ns is not None]
    # A clock that stands still has no end yet: in doubt for the party.
    return bool(known) and len(known) == len(ends) and received_ns >= max(known)


def in_time_after_all(question: Question, appeal: AppealStatus) -> bool:
    """Whether an appeal that was taken for late came in time, by the dates as they are known now.

    The delivery of the decision, or the receipt of the appeal, may have been corrected since. Only the clocks of the
    decision in force run: of an appeal against another nobody can say it any more.

    Parameters
    ----------
    question : Question
        Whatever it is about; its clocks count.
    appeal : AppealStatus

    Returns
    -------
    bool
    """
    held = decision_in_force(question.case)
    mine = held is not None and appeal.decision in (0, held.number)
    return mine and appeal.late and not _is_late(question, appeal.body, appeal.received_ns)


def wrongly_inadmissible(question: Question) -> tuple[AppealStatus, ...]:
    """Appeals that were found inadmissible for being late, and came in time as is known now; they wait to be heard."""
    return tuple(
        appeal
        for appeal in question.case.appeals
        if appeal.outcome is AppealOutcome.INADMISSIBLE and in_time_after_all(question, appeal)
    )


def no_appeal_pending(question: Question, what: str) -> Refusals:
    """What was decided rests while an appeal is heard, and while one waits that should have been."""
    if pending_appeals(question.case):
        yield f"an appeal is pending, so {what} has to wait until it is decided or withdrawn"
    yield from no_appeal_thrown_out(question, what)


def no_appeal_thrown_out(question: Question, what: str) -> Refusals:
    """What was decided rests while an appeal in time stands as inadmissible, from when that is known."""
    for appeal in wrongly_inadmissible(question):
        if _known_in_time(question, appeal) is not None:
            yield (
                f"the appeal of event {appeal.event} was found inadmissible for coming late, and came in time as is "
                f"known now, so {what} has to wait until an account that did not decide has admitted it, and it is "
                f"decided or withdrawn"
            )


def rests_for_appeal_since(question: Question) -> int | None:
    """Since when, as was known then, what was decided rests for an appeal; None if it does not."""
    filed = zip(event_numbers(question.case, FileAppeal), question.case.appeals, strict=True)
    found = [question.case.history[number - 1].at_ns for number, one in filed if one.outcome is None]
    known = (_known_in_time(question, appeal) for appeal in wrongly_inadmissible(question))
    return min([*found, *(at_ns for at_ns in known if at_ns is not None)], default=None)


_MOVES_DATES = frozenset({ProposeCorrection.NAME, ExtendClock.NAME, PauseClock.NAME, ResumeClock.NAME})
"""Acts by which an appeal that was late may be in time."""


def _known_in_time(question: Question, appeal: AppealStatus) -> int | None:
    """Since when the file says that an appeal which was found inadmissible came in time.

    What was done before that was right as things were known, and is not undone: a correction that is only proposed, or
    was approved later, counts for nothing here.
    """
    case = question.case
    said = [
        event.number for event in case.events
        if isinstance(event.act, AdmitAppeal) and event.act.appeal in (0, appeal.event)
    ]  # fmt: skip
    moved = [event.number for event in case.events if event.act.NAME in _MOVES_DATES]
    moved += [number for number, _ in corrections(case)]
    first = max(said, default=case.version + 1)
    for number in sorted({first, *(number for number in moved if number > first)} & set(range(1, case.version + 1))):
        then = replay(case.events[:number])
        asked = replace(question, case=then, clocks=clocks_of(then, question.pack, question.now_ns))
        if any(one.event == appeal.event for one in wrongly_inadmissible(asked)):
            return then.history[number - 1].at_ns
    return None


def which_appeal(question: Question) -> AppealStatus | None:
    """The appeal that an act admits or decides: the one that it names, else the only one that it can be about.

    Parameters
    ----------
    question : Question
        About an `AdmitAppeal` or a `DecideAppeal`.

    Returns
    -------
    AppealStatus or None
        None where there is none, or several, and the act names none of them.
    """
    act: AdmitAppeal | DecideAppeal = question.act
    if act.appeal:
        return next((one for one in question.case.appeals if one.event == act.appeal), None)
    about = _to_admit(question) if isinstance(act, AdmitAppeal) else pending_appeals(question.case)
    return about[0] if len(about) == 1 else None


def _to_admit(question: Question) -> tuple[AppealStatus, ...]:
    waiting = tuple(one for one in question.case.appeals if one.waits_for_admission)
    return (*waiting, *wrongly_inadmissible(question))


def _no_such(question: Question, about: Sequence[AppealStatus]) -> Refusals:
    """Why an act is about no appeal."""
    act: AdmitAppeal | DecideAppeal = question.act
    there = ", ".join(f"{one.event} ({one.body})" for one in about)
    if act.appeal:
        every = ", ".join(f"{one.event} ({one.body})" for one in question.case.appeals) or "none"
        yield f"event {act.appeal} is no appeal of this case; its appeals are {every}"
    elif len(about) > 1:
        yield f"several appeals are open: {there}; say by the number of its event which one it is about"
    else:
        yield "no appeal is pending; record it first"


def _noted(question: Question, after: Case) -> Iterable[Command]:
    """An entry of the register says how the appeal against it stands."""
    held = confirmed(after)
    if held is not None and held.final_ns is not None:
        unweighed = bool(unheard(after, question.clocks))
        yield NoteAppealInRegister(case_id=after.case_id, decision=held.number, unweighed=unweighed)


def _admit(question: Question) -> Refusals:
    act: AdmitAppeal = question.act
    yield from needs_text(act.reason, "the reason why the late appeal is heard or not")
    yield from sound_document(act.document, "the decision on the late appeal")
    about = _to_admit(question)
    appeal = which_appeal(question)
    if appeal is None and not act.appeal and not about:
        appeal = next(iter(pending_appeals(question.case)), None)
    if appeal is None:
        yield from _no_such(question, about)
    elif appeal not in about:
        yield from _not_to_be_admitted(appeal)
    elif not act.admitted and in_time_after_all(question, appeal):
        yield (
            f"the appeal of event {appeal.event} came in time, by the dates as they are known now; nothing is to be "
            f"excused: admit it"
        )
    yield from not_the_first_decider(question)


def _not_to_be_admitted(appeal: AppealStatus) -> Refusals:
    """Why nothing is to be said on whether an appeal is heard."""
    if appeal.outcome is AppealOutcome.INADMISSIBLE:
        yield (
            f"the appeal of event {appeal.event} was found inadmissible, and is late by the dates on file; correct the "
            f"date that is wrong first, its own receipt or the delivery of the decision"
        )
    elif appeal.outcome is not None:
        yield from _decided_already(appeal)
    elif appeal.late:
        yield "the late appeal was admitted already; record what the body decides on it"
    else:
        yield "the appeal came in time, and is heard as it is; record what the body decides on it"


def _decided_already(appeal: AppealStatus) -> Refusals:
    yield f"the appeal of event {appeal.event} was {appeal.outcome} already; if the party has come again, record that"


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
    appeal = which_appeal(question)
    if appeal is None:
        yield from _no_such(question, pending_appeals(question.case))
    elif appeal.outcome is not None:
        yield from _decided_already(appeal)
    elif appeal.waits_for_admission and act.outcome is not AppealOutcome.WITHDRAWN:
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
        # What the party has may be one that this decision had replaced, and that it never had.
        gone = untold(after)
        if before.received_ns is not None or gone is not None:
            number = before.number if before.received_ns is not None or gone is None else gone.number
            yield WriteDocument(kind=DocumentKind.SETTING_ASIDE, subject=str(number))
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
