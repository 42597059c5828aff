"""Decide: what the case comes to. Nothing goes against a party that was not told, heard and given the file."""

from __future__ import annotations

from collections.abc import Iterable

from headframe.cases.question import (
    DAY_NS,
    LATE_RECORD_DAYS,
    Question,
    Refusals,
    Rule,
    appeal_upheld,
    approved,
    classified_at,
    comes_before,
    confirmed,
    corrections,
    decides_at,
    decision_in_force,
    event_numbers,
    for_the_register,
    had_it,
    has_answered,
    instant,
    is_time_to_answer,
    last_event,
    needs_text,
    not_before,
    not_in_future,
    not_the_verifier,
    one_at_a_time,
    pending_appeals,
    proof_of_late_record,
    replies,
    settled_at,
    sound_document,
    unheard,
    untold,
)
from headframe.cases.rules.appeal import no_appeal_pending, wrongly_inadmissible
from headframe.cases.rules.notify import (
    enough_together,
    letter_approved_at,
    looked_up,
    not_listed,
    other_party_since,
    two_sources,
)
from headframe.cases.rules.reply import deadline_of
from headframe.cases.rules.units import in_deciding_unit
from headframe.cases.texts import unshown
from headframe.policy.appeals import AppealBody, appeal_bodies, body_of
from headframe.policy.citations import instrument_of, looks_like_citation
from headframe.policy.clocks import due
from headframe.records.case import (
    ASKS,
    AddFindings,
    AppealOutcome,
    Case,
    Command,
    DecisionOutcome,
    DecisionStatus,
    DeclareFinal,
    DocumentKind,
    Duty,
    EnterRegister,
    ExtendClock,
    GrantAccess,
    LookUpLawful,
    NoticeKind,
    ProposalState,
    ProposeDecision,
    ProposeNotice,
    ProposeReopening,
    RecordInspection,
    RecordReply,
    RemoveFromRegister,
    ReplyStance,
    ServeDecision,
    ServedNotice,
    ServeSettingAside,
    VerificationOutcome,
    Verify,
    WriteDocument,
)
from headframe.records.policy import CalculationSheet, Clock, MeasureMode, Pack, PartyStanding, Step

STANDING_OF = {
    DecisionOutcome.CONFIRMED: frozenset({PartyStanding.OPERATOR, PartyStanding.HOST}),
    DecisionOutcome.VICTIM: frozenset({PartyStanding.VICTIM}),
    DecisionOutcome.LAWFUL: frozenset({PartyStanding.LAWFUL}),
    DecisionOutcome.UNDETERMINED: frozenset({PartyStanding.UNDETERMINED}),
    DecisionOutcome.DISMISSED: frozenset(PartyStanding) - {PartyStanding.VICTIM},
}
"""With which standing of the party a decision agrees. A case is dismissed for other reasons too: the rule does not
reach so far, the evidence is too thin."""


def last_notice(case: Case) -> ServedNotice | None:
    """The letter that held something against the party and reached it last, in whatever order that was recorded."""
    # One that was written to another party, and went out all the same, told this one nothing.
    since = other_party_since(case)
    held = [letter for letter in case.notices if letter.kind is NoticeKind.NOTICE and letter.proposal > since]
    return max(held, key=lambda letter: (letter.received_ns, letter.event), default=None)


def of_this_party(case: Case) -> tuple[tuple[int, RecordReply], ...]:
    """The replies that the party of today can be taken to have sent, with the numbers of their events.

    Where a letter was approved to another party before, either of them may have written: then only a reply that names a
    letter to the party of today is its own. Every reply stays on file, and is weighed.

    Parameters
    ----------
    case : Case

    Returns
    -------
    tuple of (int, RecordReply)
    """
    since = other_party_since(case)
    another = any(
        isinstance(status.act, ProposeNotice) and status.number < since and letter_approved_at(case, status) is not None
        for status in case.proposals
    )
    return tuple(entry for entry in replies(case) if not another or entry[1].answers > since)


def told_by_notices(case: Case, letter: ServedNotice) -> int:
    """Number of the newest proposal among the notices that reached this party: what came before it was told to it.

    The notice that came last need not be the one that was written last. From the last one the time to answer runs.

    Parameters
    ----------
    case : Case
    letter : ServedNotice
        The notice that came last.

    Returns
    -------
    int
    """
    since = other_party_since(case)
    held = [one.proposal for one in case.notices if one.kind is NoticeKind.NOTICE and one.proposal > since]
    return max(held, default=letter.proposal)


def replies_weighed(question: Question) -> Refusals:
    """What the party has answered was followed up."""
    act: ProposeDecision = question.act
    case = question.case
    answers = replies(case)
    if answers and not act.heard_reply.strip():
        done = "answered" if any(reply.stance not in ASKS for _, reply in answers) else "asked for something"
        yield f"the party has {done}, and the decision does not say how that was weighed; say it of each point"
    for stance, needed, message in (
        (
            ReplyStance.CLAIMS_LAWFUL,
            last_event(case, LookUpLawful),
            "the party says that it mines lawfully (event {}); look the site up again before deciding",
        ),
        (
            ReplyStance.CLAIMS_VICTIM,
            classified_at(case),
            "the party says that it is a victim (event {}); classify the case again before deciding",
        ),
        (
            ReplyStance.ASKS_FILE,
            max((number for number, one in accesses(case) if gives_something(one)), default=0),
            "the party has asked for the file (event {}); give access before deciding (operator default where the pack "
            "does not say so)",
        ),
    ):
        asked = [number for number, reply in answers if reply.stance is stance]
        if asked and needed < asked[-1]:
            yield message.format(asked[-1])
    if answers:
        # An answer that came after the proposal cannot have been weighed in it.
        waiting = [entry for entry in case.proposals if entry.act is act and entry.state is ProposalState.OPEN]
        if waiting and answers[-1][0] > waiting[0].number:
            yield f"the party has answered (event {answers[-1][0]}) since this decision was proposed; propose it anew"


def over_since(question: Question, clock: Clock, letter: ServedNotice) -> bool:
    """Whether the time after this letter has run out; one that began before the letter came gives the party nothing."""
    return question.is_over(clock.id) and clock.started_ns is not None and clock.started_ns >= letter.received_ns


def told_and_heard(question: Question) -> Refusals:
    """A notice was served, and the party has answered or had its time."""
    case = question.case
    letter = last_notice(case)
    if letter is None:
        yield "no notice was served; a decision against a party needs one, and time to answer it"
        return
    clocks = (*question.clocks_of("reply"), *question.clocks_of("hearing"))
    mine = of_this_party(case)
    if not has_answered(mine, letter) and not (clocks and all(over_since(question, one, letter) for one in clocks)):
        clock = next((one for one in clocks if not over_since(question, one, letter)), None)
        if clock is None:
            yield "the party has not answered, and the pack gives no time for the reply; silence alone decides nothing"
        elif clock.started_ns is not None and clock.started_ns < letter.received_ns:
            yield (
                f"the party has not answered, and clock {clock.id} began before the notice came "
                f"({instant(letter.received_ns)}), so that it gives the party no time; let it run from the notice"
            )
        elif clock.due_ns is None:
            yield "the party has not answered, and the clock of the reply is not running out; resume it first"
        else:
            yield (
                f"the party has not answered, and has time until {instant(clock.due_ns)} "
                f"({clock.basis.replace('_', ' ')}); wait for the answer or for that time"
            )
        if has_answered(replies(case), letter):
            yield (
                f"another party has had letters in this case too, and a reply that names no letter may be from either; "
                f"if it is this one's, let the reply name the letter (answers: {letter.proposal})"
            )
    yield from put_to_the_party(question, letter)


def accesses(case: Case) -> tuple[tuple[int, GrantAccess], ...]:
    """Every access to the file, with the number of its event."""
    return tuple(zip(event_numbers(case, GrantAccess), case.access, strict=True))


def gives_something(access: GrantAccess) -> bool:
    """Whether an access names a document that was given. Older files have some that name nothing."""
    return any(text.strip() for text in access.documents)


def shows_all(access: GrantAccess) -> bool:
    """Whether the party can be taken to know the file. What was held back may be the very thing that is new."""
    return gives_something(access) and not access.held_back


def newer_evidence(case: Case, since: int) -> tuple[tuple[int, str], ...]:
    """What came to the file after an event and may be held against the party: the numbers of the events, and what.

    A measurement counts where it says that the mining goes on. An inspection counts whatever it saw: what it observed
    is for the party to answer, and not for us to weigh. What it is corrected to say is new when that is approved.

    Parameters
    ----------
    case : Case
    since : int
        Number of an event; what came before it was told by the notice.

    Returns
    -------
    tuple of (int, str)
        In order.
    """
    measured = zip(event_numbers(case, Verify), case.verifications, strict=True)
    found = [
        *((number, "findings") for number in event_numbers(case, AddFindings)),
        *((number, "an inspection") for number in event_numbers(case, RecordInspection)),
        *((number, "a correction of an inspection") for number in corrected_inspections(case)),
        *(
            (number, "a measurement")
            for number, (_at_ns, _account, one) in measured
            if one.outcome is VerificationOutcome.PERSISTS or any(finding.mining for finding in one.new_findings)
        ),
    ]
    return tuple(sorted(entry for entry in found if entry[0] > since))


def corrected_inspections(case: Case) -> tuple[int, ...]:
    """Numbers of the events that approved a correction of what an inspection saw."""
    return tuple(
        number for number, act in corrections(case) if isinstance(case.events[act.event - 1].act, RecordInspection)
    )


def put_to_the_party(question: Question, letter: ServedNotice) -> Refusals:
    """What came after the notice was shown to the party, which has answered since, or had the time of a reply again."""
    case = question.case
    newer = newer_evidence(case, told_by_notices(case, letter))
    if not newer:
        return
    last = newer[-1][0]
    what = ", ".join(f"{name} (event {number})" for number, name in newer)
    shown = _shown_since(case, last)
    if shown is None:
        in_part = [number for number, one in accesses(case) if number > last and one.held_back]
        if in_part:
            yield (
                f"{what} came after the notice, and the access of event {in_part[-1]} held something back, so that the "
                f"party may not have seen it; serve another notice that tells it, or give the whole file, and let the "
                f"party answer"
            )
        else:
            yield (
                f"{what} came after the notice and the party has not seen that; serve another notice, or give the "
                f"party access to the file, and let it answer"
            )
        return
    number, access = shown
    given_ns = _given_ns(case, last, number, access)
    # What came before it counts as given, and so before what is new was there, answers nothing of it.
    if any(
        at > number and reply.received_ns >= given_ns and reply.stance not in ASKS for at, reply in of_this_party(case)
    ):
        return
    end_ns = _reply_ends_again(question, given_ns)
    if end_ns is None or question.now_ns < end_ns:
        until = "answers" if end_ns is None else f"answers, or until {instant(end_ns)}"
        yield (
            f"{what} came after the notice, and the party was given that at {instant(given_ns)}; wait until it {until}"
        )


def _shown_since(case: Case, last: int) -> tuple[int, GrantAccess] | None:
    """The first access after an event that gave the party the file, with the number of its own event."""
    return next(((number, one) for number, one in accesses(case) if number > last and shows_all(one)), None)


def _given_ns(case: Case, last: int, number: int, access: GrantAccess) -> int:
    """When an access counts as given, the last of what it shows being of an earlier event."""
    # Nobody was given what was not there yet, and a date that lies far back is not taken on somebody's word alone.
    return max(
        access.given_ns, case.history[last - 1].at_ns, case.history[number - 1].at_ns - LATE_RECORD_DAYS * DAY_NS
    )


def ends_for_what_is_new(question: Question, letter: ServedNotice) -> int | None:
    """When the time is over to answer what came after a notice; None where nothing did, or the party has not seen it.

    Parameters
    ----------
    question : Question
        Whatever it is about.
    letter : ServedNotice

    Returns
    -------
    int or None
        First instant after it; None also while the clock of the reply stands still. [ns since 1970-01-01 UTC]
    """
    newer = newer_evidence(question.case, told_by_notices(question.case, letter))
    shown = _shown_since(question.case, newer[-1][0]) if newer else None
    if shown is None:
        return None
    return _reply_ends_again(question, _given_ns(question.case, newer[-1][0], *shown))


def _reply_ends_again(question: Question, given_ns: int) -> int | None:
    """When the time of a reply is over if it runs from here, with the pauses and the extensions of that time."""
    period = deadline_of(question.pack, str(Step.REPLY))
    if period is None:
        return None
    name = str(Step.REPLY)
    pauses = [(since, until) for clock, since, until, _ in question.case.pauses if clock == name]
    granted = [until for clock, until, _ in question.case.extensions if clock == name]
    return due(period, given_ns, question.pack, pauses, granted).due_ns


def all_heard(question: Question) -> Refusals:
    """What rests on the decision against the party waits until what the party sent in time was weighed.

    It may have come to the file only after the decision was approved; and time to answer that was given after the
    decision is time to answer.
    """
    case = question.case
    held = confirmed(case)
    if held is None:
        return
    numbers = unheard(case, question.clocks)
    if numbers:
        events = f"event{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
        opened = "propose to reopen the case, and " if case.closed_ns is not None else ""
        yield (
            f"what the party sent in time ({events}) came to the file after decision {held.number} was approved, and "
            f"no decision has weighed it; {opened}take another decision that does, whatever it comes to"
        )
    for number, clock in time_given_since(question, held):
        until = f"clock {clock.id} is over" if clock.due_ns is None else instant(clock.due_ns)
        yield (
            f"the party was given time to answer (event {number}) after decision {held.number} was approved; wait "
            f"until {until}, and weigh what it sends"
        )


def time_given_since(question: Question, held: DecisionStatus) -> tuple[tuple[int, Clock], ...]:
    """Extensions of the time to answer since a decision that are not over: number of the event, and the clock."""
    return tuple(
        (event.number, clock)
        for event in question.case.events[settled_at(question.case, held.number) :]
        if isinstance(event.act, ExtendClock) and is_time_to_answer(event.act.clock)
        for clock in question.clocks
        if clock.id == event.act.clock and not question.is_over(clock.id)
    )


def rests_since(question: Question) -> int | None:
    """Since when, as was known then, the decision in force rests for what `all_heard` says; None if it does not."""
    held = confirmed(question.case)
    if held is None:
        return None
    numbers = [*unheard(question.case, question.clocks), *(number for number, _ in time_given_since(question, held))]
    return min((question.case.history[number - 1].at_ns for number in numbers), default=None)


def cites_the_pack(pack: Pack, citations: Iterable[str], what: str) -> Refusals:
    """What is cited as a rule is an instrument of the pack; a place in it that the pack does not cite is marked so.

    It is one line and shows whole, also where a pack lists no instruments.
    """
    for text in citations:
        if found := unshown(text, joiners=False):
            yield (
                f"{what} names {text!a}, with the character {found} in it, which no page shows; a rule is one line, "
                f"and each rule is given by itself"
            )
            continue
        if pack.instruments and instrument_of(pack, text) is None:
            names = ", ".join(one.id for one in pack.instruments)
            yield (
                f"{what} names {text.strip()!a}, which is no instrument of pack {pack.id}; its instruments are "
                f"{names}: cite one with a place in it, {pack.instruments[0].id}#1, or put the rule into the pack"
            )


def sheets_complete(question: Question, sheets: Iterable[CalculationSheet]) -> Refusals:
    """A sum goes with how it came about."""
    for sheet in sheets:
        if looks_like_citation(sheet.rule):
            yield from cites_the_pack(question.pack, (sheet.rule,), f"the calculation sheet {sheet.title!r}")
        if not sheet.lines or not sheet.result.strip() or not sheet.unit.strip():
            yield f"the calculation sheet {sheet.title!r} lacks its lines, result or unit; a sum goes with all of them"


def decision_stands(question: Question) -> Refusals:
    """What must be so when a decision is proposed, and still when it is approved."""
    act: ProposeDecision = question.act
    case, pack = question.case, question.pack
    yield from not_the_verifier(question, "a decision")
    yield from no_appeal_pending(question, "a new decision")
    if not classified_at(case):
        yield "no classification is approved; a decision rests on one"
    if case.standing not in STANDING_OF[act.outcome]:
        fitting = ", ".join(sorted(STANDING_OF[act.outcome]))
        yield (
            f"{act.outcome} does not agree with the party's standing, {case.standing}; it needs {fitting}: classify "
            f"the case again or decide otherwise"
        )
    yield from replies_weighed(question)
    if act.outcome is not DecisionOutcome.CONFIRMED:
        if act.measures:
            yield f"a decision that says {act.outcome} asks for no measure; leave {', '.join(act.measures)} out"
        return
    yield from told_and_heard(question)
    yield from looked_up(question)
    yield from not_listed(question)
    # What was enough for the notice may not be so any more: a correction, looks that found nothing.
    yield from two_sources(question)
    yield from enough_together(question)
    step = decides_at(pack)
    if comes_before(pack, Step.INSPECT, step) and not case.inspections:
        yield f"pack {pack.id} inspects before it decides; record an inspection first"
    if appeal_upheld(case):
        yield "an appeal was upheld: the party was found to be right; close the case as decision_set_aside"
    held = confirmed(case)
    # What the party has sent since then, in time or late, is weighed by another decision.
    if held is not None and last_event(case, ProposeReopening, RecordReply) < held.number:
        yield f"decision {held.number} is in force and says the same; propose its measures, or reopen the case"
    for name in act.measures:
        measure = next((entry for entry in pack.measures if entry.id == name), None)
        if measure is None:
            names = ", ".join(entry.id for entry in pack.measures) or "none"
            yield f"pack {pack.id} has no measure {name}; its measures are {names}"
        elif measure.mode is MeasureMode.NOT_SUPPORTED:
            yield f"measure {name} is not supported, and can be neither decided nor asked for; leave it out"


def _replaces(question: Question) -> Refusals:
    """A decision that holds nothing against the party is replaced by one that does only on something new."""
    act: ProposeDecision = question.act
    case = question.case
    held = decision_in_force(case)
    if held is None or confirmed(case) is not None or act.outcome is not DecisionOutcome.CONFIRMED:
        return
    reopened = [status.settled or 0 for status in approved(case, ProposeReopening)]
    newest = max(last_event(case, AddFindings, RecordInspection), classified_at(case), *reopened, 0)
    if newest < settled_at(case, held.number):
        yield (
            f"decision {held.number} says {held.act.outcome}; it is replaced by one against the party only on new "
            f"findings, an inspection, a classification or a reopening since"
        )


def _propose(question: Question) -> Refusals:
    act: ProposeDecision = question.act
    yield from one_at_a_time(question, ProposeDecision, "a decision")
    yield from needs_text(act.reason, "the reason of the decision")
    if act.outcome is DecisionOutcome.CONFIRMED and not any(text.strip() for text in act.legal_basis):
        yield "a decision against a party names the rule that it rests on; give that rule as its legal basis"
    yield from cites_the_pack(question.pack, act.legal_basis, "the legal basis")
    yield from sheets_complete(question, act.sheets)
    yield from sound_document(act.document, "the decision's document")
    yield from decision_stands(question)
    yield from _replaces(question)


def decision_approvable(question: Question) -> Refusals:
    """What the approval of a decision needs."""
    yield from decision_stands(question)
    yield from in_deciding_unit(question, "whoever approves a decision")
    yield from not_an_inspector(question, "a decision")


def not_an_inspector(question: Question, what: str) -> Refusals:
    """Whoever inspected does not decide."""
    if question.account.name in question.case.inspectors:
        yield f"{question.account.name} has inspected in this case; {what} is approved by an account that has not"


def decision_commands(question: Question, after: Case) -> Iterable[Command]:
    """After the approval of a decision."""
    before = confirmed(question.case)
    if before is not None and before.final_ns is not None:
        yield RemoveFromRegister(
            case_id=after.case_id, decision=before.number, reason="the decision was replaced by another"
        )
    yield WriteDocument(kind=DocumentKind.DECISION)


def _serve(question: Question) -> Refusals:
    act: ServeDecision = question.act
    case = question.case
    yield from not_in_future(question, act.received_ns, "the time of receipt")
    yield from needs_text(act.channel, "the way of delivery")
    yield from sound_document(act.proof, "the proof of delivery")
    yield from proof_of_late_record(question, act.received_ns, act.proof)
    decision = decision_delivered(case, act)
    if decision is None and act.decision:
        numbers = ", ".join(str(one.number) for one in case.decisions) or "none"
        yield f"{act.decision} is no approved decision of this case; those are {numbers}"
        return
    if decision is None:
        gone = ", ".join(str(one.number) for one in case.decisions if one.received_ns is None)
        yield "no decision is in force; only an approved decision is served" + (
            f". If one that was set aside reached the party, name it by its number: {gone}" if gone else ""
        )
        return
    yield from not_before(act.received_ns, decision.decided_ns, "the time of receipt", "the decision was approved")
    if decision.received_ns is not None:
        yield f"decision {decision.number} was served already, at {instant(decision.received_ns)}"
    # What happened is recorded, whatever became of the decision: else nobody would tell the party that it is gone.
    if decision.set_aside and act.proof is None and act.received_ns >= (decision.set_aside_ns or 0):
        yield (
            f"decision {decision.number} was set aside at {instant(decision.set_aside_ns)}, and is not delivered any "
            f"more; call it back. If it reached the party all the same, record that with the proof of delivery"
        )


def decision_delivered(case: Case, act: ServeDecision) -> DecisionStatus | None:
    """Which decision reached the party: the one that is named, else the one in force."""
    if not act.decision:
        return decision_in_force(case)
    return next((one for one in case.decisions if one.number == act.decision), None)


def _served_commands(question: Question, after: Case) -> Iterable[Command]:
    """A decision that does not hold, and that the party has, brings the letter that says so."""
    gone = untold(after)
    decision = decision_delivered(question.case, question.act)
    if gone is not None and decision is not None and gone.number == decision.number:
        yield WriteDocument(kind=DocumentKind.SETTING_ASIDE, subject=str(gone.number))


def _serve_setting_aside(question: Question) -> Refusals:
    act: ServeSettingAside = question.act
    yield from not_in_future(question, act.received_ns, "the time of receipt")
    yield from needs_text(act.channel, "the way of delivery")
    yield from sound_document(act.proof, "the proof of delivery")
    decision = next((one for one in question.case.decisions if one.number == act.decision), None)
    if decision is None or not decision.set_aside:
        gone = ", ".join(str(one.number) for one in question.case.decisions if one.set_aside) or "none"
        yield f"{act.decision} is no decision that was set aside; those are {gone}"
    elif decision.received_ns is None:
        yield (
            f"decision {act.decision} was never served; nobody has to be told that it does not hold. If it reached the "
            f"party all the same, record that first"
        )
    elif decision.told_set_aside_ns is not None:
        yield f"the party was told already, at {instant(decision.told_set_aside_ns)}"
    else:
        yield from not_before(act.received_ns, decision.received_ns, "the letter came", "the decision was received")


ENDS_THE_RIGHT = frozenset({AppealOutcome.REJECTED})
"""With which the right to go to that body is used; of other bodies it says nothing. Who withdraws an appeal may come
again while the time runs, and one that is inadmissible came after it: neither adds anything to the clock."""


def used_up(question: Question, decision: DecisionStatus, body: AppealBody) -> bool:
    """Whether the party has been to a body with this decision, and that body is done with it."""
    for appeal in question.case.appeals:
        at = body_of(question.pack, appeal.body)
        same = at is not None and at.id == body.id and appeal.decision in (0, decision.number)
        if same and appeal.outcome in ENDS_THE_RIGHT:
            return True
    return False


def appeal_is_over(question: Question, decision: DecisionStatus) -> Refusals:
    """The decision cannot be appealed any more: every right of appeal of the pack was used, or has run out."""
    for appeal in wrongly_inadmissible(question):
        yield (
            f"the appeal of event {appeal.event} was found inadmissible for coming late, and came in time by the dates "
            f"as they are known now; let an account that did not decide admit it first"
        )
    for body in appeal_bodies(question.pack):
        if used_up(question, decision, body):
            continue
        clock = question.clock(body.clock) if body.clock else None
        if clock is None:
            yield (
                f"pack {question.pack.id} gives a right of appeal to {body.id}, but no clock of it runs; the decision "
                f"is not final before an appeal there was decided: give its deadline in the pack"
            )
        elif question.is_over(clock.id):
            continue
        elif clock.due_ns is None:
            yield f"clock {clock.id} has no end yet ({clock.state.replace('_', ' ')}); the decision is not final before"
        else:
            yield (
                f"the party can appeal to {body.id} until {instant(clock.due_ns)} "
                f"({clock.basis.replace('_', ' ')}); the decision is not final before"
            )


def final_stands(question: Question) -> Refusals:
    """What the finality of a decision needs."""
    act: DeclareFinal = question.act
    case = question.case
    yield from needs_text(act.reason, "the reason why the decision is final")
    if pending_appeals(case):
        yield "an appeal is pending; the decision is not final before it is decided or withdrawn"
    decision = decision_in_force(case)
    if decision is None:
        yield "no decision is in force; there is nothing to be final"
        return
    if not had_it(decision, question.now_ns):
        yield f"decision {decision.number} was not served; its appeal cannot be over before the party knows it"
        return
    if decision.final_ns is not None:
        yield f"decision {decision.number} is final already, since {instant(decision.final_ns)}"
    yield from all_heard(question)
    yield from appeal_is_over(question, decision)


def _final_commands(question: Question, after: Case) -> Iterable[Command]:
    decision = for_the_register(after)
    if decision is not None:
        yield EnterRegister(case_id=after.case_id, decision=decision.number)


PROPOSE_DECISION = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_propose)
# A delivery that is proved happened, also where the slip comes back after the closure.
SERVE_DECISION = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_serve, commands=_served_commands, when_closed=True)
SERVE_SETTING_ASIDE = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_serve_setting_aside, when_closed=True)
# Mining may be over, and the case closed, long before the time to appeal is.
DECLARE_FINAL = Rule(duties=frozenset({Duty.DECIDE}), refusals=final_stands, commands=_final_commands, when_closed=True)
