"""Close and reopen: a case ends by a proposal and an approval, for a reason that the file bears out, not by silence."""

from __future__ import annotations

from collections.abc import Iterable

from headframe.cases.question import (
    DAY_NS,
    Question,
    Refusals,
    Rule,
    appeal_upheld,
    confirmed,
    decision_in_force,
    had_it,
    instant,
    last_event,
    needs_text,
    not_the_verifier,
    one_at_a_time,
    untold,
)
from headframe.cases.rules.appeal import no_appeal_pending
from headframe.cases.rules.decide import all_heard
from headframe.cases.rules.measure import pack_measure
from headframe.records.case import (
    Case,
    ClosureReason,
    Command,
    DecisionOutcome,
    DocumentKind,
    Duty,
    Measurement,
    NoticeKind,
    ProposalState,
    ProposeClosure,
    ProposeCorrection,
    ProposeReopening,
    PurgeContacts,
    RecordRemedy,
    RemedyGrade,
    VerificationOutcome,
    Verify,
    WriteDocument,
)
from headframe.records.finding import METERED
from headframe.records.policy import PartyStanding

DECIDED_AS = {
    ClosureReason.DISMISSED: DecisionOutcome.DISMISSED,
    ClosureReason.LAWFUL: DecisionOutcome.LAWFUL,
    ClosureReason.UNDETERMINED: DecisionOutcome.UNDETERMINED,
}
"""Reasons that need a decision which says so."""

PROVED = frozenset({RemedyGrade.A, RemedyGrade.B})
"""Grades of proof that a closure rests on. The party's own word is recorded, and is not enough."""


def measured_lately(question: Question, measurement: Measurement) -> Refusals:
    """The window ended not long ago."""
    days = (question.now_ns - measurement.after_until_ns) / DAY_NS
    most_days, basis = question.pack.verification.closes_within
    if days > most_days:
        yield (
            f"the window that was measured ended {days:.0f} days ago, at {instant(measurement.after_until_ns)}; a "
            f"closure rests on one that ended {most_days} days ago at most ({basis.replace('_', ' ')}): measure again"
        )


def ended_by_the_remedy(case: Case, measurement: Measurement) -> Refusals:
    """No finding says that mining went on after the last remedy, also where the window begins later."""
    if not case.remedies:
        return
    remedy_ns = max(remedy.at_ns for remedy in case.remedies)
    # Readings that were analysed may end after the machines were gone; packets of mining were seen at their time. The
    # day of the remedy itself is left to the party.
    since = [
        finding.finding_id
        for finding in case.findings
        if finding.stands_out
        and finding.ended_ns <= measurement.after_from_ns
        and (finding.ended_ns if finding.family not in METERED else finding.started_ns) > remedy_ns + DAY_NS
    ]
    if since:
        yield (
            f"findings say that mining went on after the remedy of {instant(remedy_ns)} ({', '.join(since)}); record "
            f"what the party did since, and measure again"
        )


def measured_as_over(question: Question) -> Refusals:
    """The last measurement says that mining is over, not long ago, and nothing newer says otherwise."""
    case = question.case
    if not case.verifications:
        yield "nothing was measured again; verify first"
        return
    _at_ns, _account, measurement = case.verifications[-1]
    if measurement.outcome is not VerificationOutcome.RECTIFIED:
        yield f"the last measurement says {measurement.outcome}, not rectified; measure again when there is more to see"
        return
    yield from measured_lately(question, measurement)
    yield from ended_by_the_remedy(case, measurement)
    if last_event(case, Verify) < last_event(case, RecordRemedy):
        yield "a remedy was recorded after the last measurement; measure again"
    mining = [finding for finding in case.findings if finding.stands_out]
    after = [finding.finding_id for finding in mining if finding.started_ns >= measurement.after_until_ns]
    into = [
        finding.finding_id
        for finding in mining
        if measurement.after_from_ns < finding.ended_ns and finding.started_ns < measurement.after_until_ns
    ]
    if into:
        yield f"findings reach into the window that was measured as free of mining ({', '.join(into)}); measure again"
    if after:
        yield (
            f"findings say that mining went on after the window that was measured as free of it, which ended at "
            f"{instant(measurement.after_until_ns)} ({', '.join(after)}); measure again"
        )


def _told(question: Question) -> Refusals:
    """A party that has had a letter learns how it ended, and that what it was served does not hold any more."""
    gone = untold(question.case)
    if gone is not None:
        yield (
            f"decision {gone.number} was set aside, and the party, which has it, was not told; record when it received "
            f"the letter that says so, which was written when the decision fell (case serve --setting-aside "
            f"{gone.number})"
        )
    decision = decision_in_force(question.case)
    has_one = bool(question.case.notices) or any(one.received_ns is not None for one in question.case.decisions)
    if decision is not None and not had_it(decision, question.now_ns) and has_one:
        yield f"decision {decision.number} was not served; the party was written to, and must learn how it ended"


def _rectified(question: Question) -> Refusals:
    case = question.case
    decision = confirmed(case)
    if decision is None:
        yield "no decision against the party is in force; 'rectified' ends a confirmed case"
    elif not had_it(decision, question.now_ns):
        yield f"decision {decision.number} was not served; serve it first"
    yield from all_heard(question)
    if not any(remedy.grade in PROVED for remedy in case.remedies):
        yield "no remedy of grade A or B is recorded; the party's own word alone does not close a case"
    yield from measured_as_over(question)


def _victim_helped(question: Question) -> Refusals:
    case = question.case
    if case.standing is not PartyStanding.VICTIM:
        yield f"the party's standing is {case.standing}, not victim; choose another reason, or classify the case again"
    helped = [letter.event for letter in case.notices if letter.kind is NoticeKind.HELP]
    if not helped:
        yield "no help letter was served; a victim gets one before its case is closed"
        return
    received = {
        kind: max((letter.received_ns for letter in case.notices if letter.kind is kind), default=0)
        for kind in (NoticeKind.NOTICE, NoticeKind.HELP)
    }
    if received[NoticeKind.NOTICE] > received[NoticeKind.HELP]:
        yield "a notice reached the party after its help letter; write to it again, that nothing is held against it"
    in_other_hands = any(remedy.grade in PROVED for remedy in case.remedies) and (
        last_event(case, RecordRemedy) > helped[0]
    )
    if not in_other_hands:
        open_points = list(measured_as_over(question))
        if open_points:
            yield (
                f"that the mining is over is neither measured ({'; '.join(open_points)}) nor proved by others: "
                f"record a remedy of grade A or B since the help letter, or verify"
            )


def _set_aside(question: Question) -> Refusals:
    if not appeal_upheld(question.case):
        yield "no appeal was upheld; a decision is set aside by an appeal"
    if confirmed(question.case) is not None:
        yield "a decision against the party is in force; it is not set aside"


def _decided(question: Question) -> Refusals:
    act: ProposeClosure = question.act
    wanted = DECIDED_AS[act.reason]
    decision = decision_in_force(question.case)
    if decision is None:
        yield f"no decision is in force; closing as {act.reason} needs one that says {wanted}, by two accounts"
    elif decision.act.outcome is not wanted:
        yield f"decision {decision.number} says {decision.act.outcome}, not {wanted}; close by what was decided"


_REASONS = {
    ClosureReason.RECTIFIED: _rectified,
    ClosureReason.VICTIM_HELPED: _victim_helped,
    ClosureReason.DECISION_SET_ASIDE: _set_aside,
    ClosureReason.DISMISSED: _decided,
    ClosureReason.LAWFUL: _decided,
    ClosureReason.UNDETERMINED: _decided,
}


def closure_stands(question: Question) -> Refusals:
    """What must be so when a closure is proposed, and still when it is approved."""
    act: ProposeClosure = question.act
    case = question.case
    yield from not_the_verifier(question, "a closure")
    yield from no_appeal_pending(question, "the closure")
    for status in case.proposals:
        if status.state is ProposalState.OPEN and not isinstance(status.act, ProposeClosure):
            yield f"the proposal of event {status.number} is still open; approve, reject or withdraw it first"
    for measure in case.measures:
        wanted = pack_measure(question.pack, measure.measure)
        lasting = measure.withdrawn or (wanted is not None and bool(wanted.ends_when))
        if measure.carried_out_ns is not None and measure.ended_ns is None and lasting:
            yield f"measure {measure.measure} was carried out and has not ended; record its end first"
    yield from _REASONS[act.reason](question)
    yield from _told(question)


def _propose(question: Question) -> Refusals:
    act: ProposeClosure = question.act
    yield from one_at_a_time(question, ProposeClosure, "the closure")
    yield from needs_text(act.text, "the text of the closure")
    yield from closure_stands(question)


def closure_commands(question: Question, after: Case) -> Iterable[Command]:
    """After the approval of a closure."""
    yield WriteDocument(kind=DocumentKind.CLOSURE)
    if not after.on_hold:
        yield PurgeContacts(case_id=after.case_id)


def reopening_stands(question: Question) -> Refusals:
    """What must be so when a reopening is proposed, and still when it is approved."""
    if question.case.closed_ns is None:
        yield "the case is open; there is nothing to reopen"


def _reopen(question: Question) -> Refusals:
    act: ProposeReopening = question.act
    yield from one_at_a_time(question, ProposeReopening, "the reopening")
    yield from needs_text(act.reason, "the reason of the reopening")
    yield from reopening_stands(question)


PROPOSE_CLOSURE = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_propose)
PROPOSE_REOPENING = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_reopen, when_closed=True)

WHEN_CLOSED: tuple[type, ...] = (ProposeReopening, ProposeCorrection)
"""Proposals that can be made and settled after closure."""
