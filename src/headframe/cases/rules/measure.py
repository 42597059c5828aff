"""Remediate: measures that are asked for and carried out by others, and what the party did itself.

No measure executes itself. A measure is one of the pack, was named in the decision, has its preconditions, and is
approved by the unit that the pack says; a referral, and what the pack wants two for, by two accounts.
"""

from __future__ import annotations

from collections.abc import Iterable

from headframe.cases.question import (
    Question,
    Refusals,
    Rule,
    confirmed,
    had_it,
    instant,
    needs_text,
    not_before,
    not_in_future,
    responsible,
    sound_document,
)
from headframe.cases.rules.appeal import no_appeal_pending, no_appeal_thrown_out, rests_for_appeal_since
from headframe.cases.rules.decide import all_heard, not_an_inspector, rests_since, sheets_complete
from headframe.cases.rules.units import in_deciding_unit, in_unit
from headframe.policy.rights import measure_state
from headframe.records.case import (
    Case,
    Command,
    DocumentKind,
    Duty,
    MeasureStatus,
    ProposalState,
    ProposeMeasure,
    RecordMeasure,
    RecordRemedy,
    WriteDocument,
)
from headframe.records.policy import Measure, MeasureMode, Pack, Precondition

DOCUMENT_OF = {
    MeasureMode.IN_SYSTEM_REQUEST: DocumentKind.MEASURE_REQUEST,
    MeasureMode.REFERRAL_ONLY: DocumentKind.REFERRAL_DOSSIER,
}
"""What is written when a measure is approved."""


def pack_measure(pack: Pack, name: str) -> Measure | None:
    """A measure of a pack."""
    return next((measure for measure in pack.measures if measure.id == name), None)


def approvals_needed(pack: Pack, name: str) -> int:
    """How many accounts beside the proposer must approve a measure.

    Parameters
    ----------
    pack : Pack
    name : str
        Of the measure.

    Returns
    -------
    int
        2 for a referral and where the pack asks for a second approver, else 1.
    """
    measure = pack_measure(pack, name)
    if measure is None:
        return 1
    two = measure.mode is MeasureMode.REFERRAL_ONLY or Precondition.SECOND_APPROVER in measure.preconditions
    return 2 if two else 1


def running(case: Case, name: str) -> MeasureStatus | None:
    """The measure as it was last asked for, unless it has ended."""
    asked = [measure for measure in case.measures if measure.measure == name and measure.ended_ns is None]
    return asked[-1] if asked else None


def not_allowed(question: Question) -> Refusals:
    """What the pack has against a measure: its mode, the party's standing, an appeal, preconditions."""
    act: ProposeMeasure = question.act
    pack = question.pack
    brought = set()
    if act.sheets:
        brought.add(Precondition.CALCULATION_ATTACHED)
    if act.court_warrant is not None:
        brought.add(Precondition.COURT_WARRANT)
    state = measure_state(
        act.measure, question.case, pack, question.clocks, question.now_ns, brought=frozenset(brought)
    )
    if state is None:
        names = ", ".join(entry.id for entry in pack.measures) or "none"
        yield f"pack {pack.id} has no measure {act.measure}; its measures are {names}"
        return
    for text in state.missing:
        yield f"measure {act.measure} cannot be asked for: {text}"


def measure_stands(question: Question) -> Refusals:
    """What must be so when a measure is proposed, and still when it is approved."""
    act: ProposeMeasure = question.act
    case = question.case
    decision = confirmed(case)
    if decision is None:
        yield "no decision against the party is in force; a measure rests on one"
    elif act.measure not in decision.act.measures:
        named = ", ".join(decision.act.measures) or "none"
        yield f"decision {decision.number} does not name measure {act.measure}; it names {named}"
    elif not had_it(decision, question.now_ns):
        yield f"decision {decision.number} was not served; the party must know it before a measure is asked for"
    yield from all_heard(question)
    asked = running(case, act.measure)
    if asked is not None and not asked.withdrawn:
        yield f"measure {act.measure} was asked for already and has not ended; record its end first"
    yield from not_allowed(question)
    yield from no_appeal_thrown_out(question, f"measure {act.measure}")


def _propose(question: Question) -> Refusals:
    act: ProposeMeasure = question.act
    yield from needs_text(act.reason, "the reason of the measure")
    yield from sound_document(act.document, "the measure's document")
    yield from sound_document(act.court_warrant, "the court's warrant")
    yield from sheets_complete(question, act.sheets)
    for status in question.case.proposals:
        if isinstance(status.act, ProposeMeasure) and status.act.measure == act.measure:
            if status.state is ProposalState.OPEN:
                yield f"measure {act.measure} is already proposed (event {status.number}); settle that first"
    yield from measure_stands(question)


def measure_approvable(question: Question) -> Refusals:
    """What the approval of a measure needs."""
    act: ProposeMeasure = question.act
    yield from measure_stands(question)
    yield from not_an_inspector(question, "a measure")
    measure = pack_measure(question.pack, act.measure)
    if measure is not None and measure.mode is MeasureMode.IN_SYSTEM_REQUEST:
        yield from in_unit(question, measure.decided_by, f"whoever approves measure {measure.id}")
    else:
        yield from in_deciding_unit(question, f"whoever approves measure {act.measure}")


def measure_commands(question: Question, _after: Case) -> Iterable[Command]:
    """After the approval of a measure."""
    act: ProposeMeasure = question.act
    measure = pack_measure(question.pack, act.measure)
    if measure is not None and measure.mode in DOCUMENT_OF:
        yield WriteDocument(kind=DOCUMENT_OF[measure.mode], subject=measure.id)


def _record(question: Question) -> Refusals:
    act: RecordMeasure = question.act
    case = question.case
    yield from needs_text(act.unit, "the unit that carried the measure out")
    yield from not_in_future(question, act.at_ns, "the time of the measure")
    yield from sound_document(act.document, "the measure's document")
    measure = running(case, act.measure)
    if measure is None:
        yield f"measure {act.measure} was not asked for, or has ended; propose it and let it be approved first"
        return
    yield from not_before(act.at_ns, measure.requested_ns, "the time of the measure", "it was asked for")
    wanted = pack_measure(question.pack, act.measure)
    units = {wanted.executed_by, wanted.decided_by} - {""} if wanted is not None else set()
    if units and act.unit not in units:
        yield f"measure {act.measure} is carried out by {' or '.join(sorted(units))}, not by {act.unit}"
    if act.ended:
        if measure.carried_out_ns is None:
            yield f"measure {act.measure} was not carried out, so it cannot end"
        else:
            yield from not_before(act.at_ns, measure.carried_out_ns, "the end of the measure", "it was carried out")
        return
    if measure.carried_out_ns is not None:
        yield f"measure {act.measure} was carried out already; record its end, or ask for it again"
    stopped_ns, reasons = _stopped(question, measure)
    if not reasons or (act.at_ns < stopped_ns and act.document is not None):
        return  # what was carried out before is recorded, with what shows it: else nobody would see to its end
    yield from reasons
    if act.at_ns < stopped_ns:
        yield (
            f"measure {act.measure} rests since {instant(stopped_ns)}; if it was carried out before that, record it "
            f"with the document that shows when"
        )


def _stopped(question: Question, measure: MeasureStatus) -> tuple[int, list[str]]:
    """Since when, as was known then, a measure that was asked for is not to be carried out, and why."""
    case, name = question.case, measure.measure
    since: list[int] = []
    reasons = []
    if measure.withdrawn:
        reasons.append(
            f"measure {name} was withdrawn, because its decision does not hold any more; it is not carried out"
        )
    if not responsible(case.standing):  # which takes its decision away, and so the measure
        reasons.append(f"the party's standing is {case.standing}; no measure is carried out against it")
    if reasons:
        since.append(measure.withdrawn_ns or 0)
    if (appealed_ns := rests_for_appeal_since(question)) is not None:
        since.append(appealed_ns)
        reasons += no_appeal_pending(question, f"measure {name}")
    if (rests_ns := rests_since(question)) is not None:
        since.append(rests_ns)
        reasons += all_heard(question)
    return min(since, default=question.now_ns), reasons


def _remedy(question: Question) -> Refusals:
    act: RecordRemedy = question.act
    yield from needs_text(act.text, "what the party did")
    yield from not_in_future(question, act.at_ns, "the time of the remedy")
    for document in act.documents:
        yield from sound_document(document, f"document {document.name}")
    first = min((finding.started_ns for finding in question.case.findings), default=None)
    yield from not_before(act.at_ns, first, "the time of the remedy", "the first finding began")
    if act.grade.value in "AB" and not act.documents:
        yield f"grade {act.grade} rests on documents of others (photos, records); give them, or record grade C or D"


PROPOSE_MEASURE = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_propose)
RECORD_MEASURE = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_record)
REMEDY = Rule(duties=frozenset({Duty.PROPOSE, Duty.INSPECT}), refusals=_remedy)
