"""Decide: what the case comes to. Nothing goes against a party that was not told, heard and given the file."""

from __future__ import annotations

from collections.abc import Iterable

from headframe.cases.question import (
    Question,
    Refusals,
    Rule,
    appeal_upheld,
    approved,
    classified_at,
    comes_before,
    confirmed,
    decides_at,
    decision_in_force,
    event_numbers,
    has_answered,
    instant,
    last_event,
    needs_text,
    no_appeal_pending,
    not_before,
    not_in_future,
    not_the_verifier,
    one_at_a_time,
    pending_appeal,
    proof_of_late_record,
    replies,
    responsible,
    sound_document,
)
from headframe.cases.rules.notify import not_listed
from headframe.cases.rules.reply import ASKS, deadline_of
from headframe.cases.rules.units import in_deciding_unit
from headframe.policy.clocks import due
from headframe.records.case import (
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
    GrantAccess,
    LookUpLawful,
    NoticeKind,
    ProposalState,
    ProposeDecision,
    ProposeReopening,
    RecordInspection,
    RemoveFromRegister,
    ReplyStance,
    ServeDecision,
    ServedNotice,
    WriteDocument,
)
from headframe.records.policy import CalculationSheet, Clock, MeasureMode, PartyStanding, RightKind, Step
from headframe.records.site import SiteKind

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
    """The last letter that held something against the party."""
    held = [letter for letter in case.notices if letter.kind is NoticeKind.NOTICE]
    return held[-1] if held else None


def replies_weighed(question: Question) -> Refusals:
    """What the party has answered was followed up."""
    act: ProposeDecision = question.act
    case = question.case
    answers = replies(case)
    if answers and not act.heard_reply.strip():
        yield "the party has answered, but heard_reply is empty; say how each point of the answer was weighed"
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
            last_event(case, GrantAccess),
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
    if not has_answered(case, letter) and not (clocks and all(over_since(question, one, letter) for one in clocks)):
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
    added = last_event(case, AddFindings)
    if added > letter.proposal and last_event(case, GrantAccess) < added:
        yield (
            f"findings were added (event {added}) that the notice does not name; serve another notice, or give the "
            f"party access to the file"
        )
    elif added > letter.proposal:
        yield from _heard_on_the_file(question, added)


def _heard_on_the_file(question: Question, added: int) -> Refusals:
    """What was added and then shown can be answered: the time of the reply, counted from the access."""
    case = question.case
    shown = event_numbers(case, GrantAccess)
    first, access = next((number, one) for number, one in zip(shown, case.access, strict=True) if number > added)
    given_ns = max(access.given_ns, case.history[added - 1].at_ns)  # nobody was given what was not there yet
    if any(number > first and reply.stance not in ASKS for number, reply in replies(case)):
        return
    period = deadline_of(question.pack, "reply")
    end_ns = None if period is None else due(period, given_ns, question.pack).due_ns
    if end_ns is None or question.now_ns < end_ns:
        until = "answers" if end_ns is None else f"answers, or until {instant(end_ns)}"
        yield (
            f"findings were added (event {added}), and the party was given them at {instant(given_ns)}; wait "
            f"until it {until}"
        )


def sheets_complete(sheets: Iterable[CalculationSheet]) -> Refusals:
    """A sum goes with how it came about."""
    for sheet in sheets:
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
    yield from not_listed(question)
    step = decides_at(pack)
    if comes_before(pack, Step.INSPECT, step) and not case.inspections:
        yield f"pack {pack.id} inspects before it decides; record an inspection first"
    if appeal_upheld(case):
        yield "an appeal was upheld: the party was found to be right; close the case as decision_set_aside"
    held = confirmed(case)
    if held is not None and last_event(case, ProposeReopening) < held.number:
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
    settled = next((status.settled or 0 for status in case.proposals if status.number == held.number), 0)
    reopened = [status.settled or 0 for status in approved(case, ProposeReopening)]
    newest = max(last_event(case, AddFindings, RecordInspection), classified_at(case), *reopened, 0)
    if newest < settled:
        yield (
            f"decision {held.number} says {held.act.outcome}; it is replaced by one against the party only on new "
            f"findings, an inspection, a classification or a reopening since"
        )


def _propose(question: Question) -> Refusals:
    act: ProposeDecision = question.act
    yield from one_at_a_time(question, ProposeDecision, "a decision")
    yield from needs_text(act.reason, "the reason of the decision")
    if act.outcome is DecisionOutcome.CONFIRMED and not any(text.strip() for text in act.legal_basis):
        yield "a decision against a party names the rule that it rests on; give legal_basis"
    yield from sheets_complete(act.sheets)
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
    yield from not_in_future(question, act.received_ns, "the time of receipt")
    yield from needs_text(act.channel, "the way of delivery")
    yield from sound_document(act.proof, "the proof of delivery")
    yield from proof_of_late_record(question, act.received_ns, act.proof)
    decision = decision_in_force(question.case)
    if decision is None:
        yield "no decision is in force; only an approved decision is served"
        return
    yield from not_before(act.received_ns, decision.decided_ns, "the time of receipt", "the decision was approved")
    if decision.received_ns is not None:
        yield f"decision {decision.number} was served already, at {instant(decision.received_ns)}"


def appeal_is_over(question: Question, decision: DecisionStatus) -> Refusals:
    """The decision cannot be appealed any more."""
    decided = [appeal for appeal in question.case.appeals if appeal.decision == decision.number]
    if any(appeal.outcome in (AppealOutcome.REJECTED, AppealOutcome.WITHDRAWN) for appeal in decided):
        return
    clocks = question.clocks_of("appeal")
    if not clocks and any(right.right is RightKind.APPEAL for right in question.pack.rights):
        yield (
            f"pack {question.pack.id} gives a right of appeal, but no clock of it was handed in; give its deadline in "
            f"the pack and compute the clocks"
        )
    for clock in clocks:
        if question.is_over(clock.id):
            continue
        if clock.due_ns is None:
            yield f"clock {clock.id} has no end yet ({clock.state.replace('_', ' ')}); the decision is not final before"
        else:
            yield (
                f"the party can appeal until {instant(clock.due_ns)} ({clock.basis.replace('_', ' ')}); "
                f"the decision is not final before"
            )


def _declare_final(question: Question) -> Refusals:
    act: DeclareFinal = question.act
    case = question.case
    yield from needs_text(act.reason, "the reason why the decision is final")
    if pending_appeal(case) is not None:
        yield "an appeal is pending; the decision is not final before it is decided or withdrawn"
    decision = decision_in_force(case)
    if decision is None:
        yield "no decision is in force; there is nothing to be final"
        return
    if decision.received_ns is None:
        yield f"decision {decision.number} was not served; its appeal cannot be over before the party knows it"
        return
    if decision.final_ns is not None:
        yield f"decision {decision.number} is final already, since {instant(decision.final_ns)}"
    yield from appeal_is_over(question, decision)


def _final_commands(question: Question, after: Case) -> Iterable[Command]:
    decision = confirmed(after)
    if decision is None or after.site_kind == SiteKind.HOUSEHOLD_PREMISES:
        return
    # The register is one of organisations; a site behind which none is known may be anybody's.
    if responsible(after.standing) and after.organisation_id:
        yield EnterRegister(case_id=after.case_id, decision=decision.number)


PROPOSE_DECISION = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_propose)
SERVE_DECISION = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_serve)
# Mining may be over, and the case closed, long before the time to appeal is.
DECLARE_FINAL = Rule(
    duties=frozenset({Duty.DECIDE}), refusals=_declare_final, commands=_final_commands, when_closed=True
)
