"""What may be done next with a case, by whom, and what is missing: the rules themselves, asked with made-up content.

For each act that a case could need, a sample with sound content is put to the rule by an account that has had no part
in the case. What the rule still has against it lies in the case, not in what would be written: it is what is missing.
So the list and the machine cannot disagree. Samples never leave this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headframe.cases.question import (
    DAY_NS,
    VERIFIED_FOR,
    Question,
    appeal_upheld,
    approved,
    classified_at,
    confirmed,
    decision_in_force,
    pending_appeals,
    proposers_and_approvers,
    responsible,
    took_part,
    unheard,
    untold,
    verifiers,
)
from headframe.cases.rules import RULES
from headframe.cases.rules.appeal import no_appeal_thrown_out
from headframe.cases.rules.decide import all_heard
from headframe.cases.rules.measure import pack_measure
from headframe.cases.rules.notify import letter_approved_at, looked_up, stands_no_more
from headframe.cases.rules.units import deciding_units
from headframe.policy.appeals import appeal_bodies
from headframe.policy.rights import MeasureState, measure_states
from headframe.records.case import (
    Account,
    AddFindings,
    AdmitAppeal,
    AppealOutcome,
    AppealStatus,
    Approve,
    Case,
    CaseRelation,
    ClosureReason,
    DecideAppeal,
    DecisionOutcome,
    DecisionStatus,
    DeclareFinal,
    DocumentRef,
    Duty,
    ExtendClock,
    FileAppeal,
    FindingRef,
    GrantAccess,
    InspectionRecord,
    LiftHold,
    LinkCase,
    LookUpLawful,
    LookupOutcome,
    Measurement,
    MetricReading,
    NoticeKind,
    OpenCase,
    PauseClock,
    PlaceHold,
    ProposalState,
    ProposalStatus,
    ProposeClass,
    ProposeClosure,
    ProposeCorrection,
    ProposeDecision,
    ProposeMeasure,
    ProposeNotice,
    ProposeReopening,
    RecordInspection,
    RecordMeasure,
    RecordRemedy,
    RecordReply,
    RecordReport,
    Reject,
    RemedyGrade,
    ReplyStance,
    ResumeClock,
    ServeDecision,
    ServeNotice,
    ServeSettingAside,
    VerificationOutcome,
    Verify,
    Withdraw,
)
from headframe.records.finding import Family
from headframe.records.policy import (
    Basis,
    CalculationLine,
    CalculationSheet,
    Clock,
    MeasureMode,
    Pack,
    PartyStanding,
    Step,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """Something that may be done next, or could be, and what it lacks.

    Attributes
    ----------
    step : Step
        Of the procedure, for the order and for headings.
    act : str
        Name of the act.
    variant : str
        Which one of several: a kind of letter, an outcome, a measure, a clock; empty where there is but one.
    proposal : int or None
        Which proposal is approved, rejected, withdrawn or served; which appeal is admitted or decided, where it is not
        the only one that is open.
    duties : tuple of Duty
        One of them is needed.
    units : tuple of str
        To one of which the account must belong; empty where it does not matter.
    barred : tuple of str
        Accounts that may not do it, because of their part in the case.
    missing : tuple of str
        What must be so first; empty where it may be done now.
    any_time : bool
        It does not bring the case on: a correction, a hold, more findings. What the case is waiting for is not so.
    """

    step: Step
    act: str
    variant: str = ""
    proposal: int | None = None
    duties: tuple[Duty, ...] = ()
    units: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    any_time: bool = False

    @property
    def ready(self) -> bool:
        """Whether it may be done now."""
        return not self.missing


def next_steps(case: Case, pack: Pack, clocks: Sequence[Clock], now_ns: int) -> tuple[NextStep, ...]:
    """What may be done next with a case, and what the steps lack that the case is on its way to.

    Parameters
    ----------
    case : Case
    pack : Pack
        The one that it was opened under.
    clocks : sequence of Clock
        As `headframe.policy.clocks` computes them.
    now_ns : int
        [ns since 1970-01-01 UTC]

    Returns
    -------
    tuple of NextStep
        What may be done now and brings the case on, then what may be done at any time, then what lacks something; each
        in the order of the pack's procedure.
    """
    steps = []
    for sample in _samples(case, pack, clocks, now_ns):
        rule = RULES[type(sample.act)]
        if case.closed_ns is not None and not rule.when_closed:
            continue
        account = Account(
            name=sample.account or _STRANGER,
            unit=sample.units[0] if sample.units else _STRANGER,
            duties=frozenset(Duty),
        )
        question = Question(case=case, act=sample.act, account=account, pack=pack, now_ns=now_ns, clocks=tuple(clocks))
        missing = tuple(dict.fromkeys(rule.refusals(question)))
        if missing and not sample.worth_waiting:
            continue
        steps.append(
            NextStep(
                step=sample.step,
                act=sample.act.NAME,
                variant=sample.variant,
                proposal=sample.proposal,
                duties=tuple(sorted(rule.duties)),
                units=tuple(sorted(sample.units)),
                barred=tuple(sorted(sample.barred)),
                missing=missing,
                any_time=_is_aside(question),
            )
        )
    order = order_of(pack)
    return tuple(sorted(steps, key=lambda step: (not step.ready, step.any_time, order.index(step.step))))


def measures_now(case: Case, pack: Pack, clocks: Sequence[Clock], now_ns: int) -> tuple[MeasureState, ...]:
    """Every measure of a pack, and all that stands against it: the pack's preconditions, and what the case waits for.

    Parameters
    ----------
    case : Case
    pack : Pack
    clocks : sequence of Clock
    now_ns : int
        [ns since 1970-01-01 UTC]

    Returns
    -------
    tuple of MeasureState
        In the pack's order.
    """
    states = measure_states(case, pack, clocks, now_ns)
    question = _asked_by_a_stranger(case, pack, clocks, now_ns)
    waits = (*all_heard(question), *no_appeal_thrown_out(question, "a measure"))
    return tuple(
        replace(state, allowed=False, missing=(*state.missing, *waits))
        if waits and state.measure.mode is not MeasureMode.NOT_SUPPORTED
        else state
        for state in states
    )


def order_of(pack: Pack) -> tuple[Step, ...]:
    """Every step, in the order of a pack's procedure; one that it does not name comes after the one it usually follows.

    Parameters
    ----------
    pack : Pack

    Returns
    -------
    tuple of Step
    """
    order = [entry.step for entry in pack.procedure]
    usual = list(Step)
    for place, step in enumerate(usual):
        if step not in order:
            before = usual[place - 1] if place else None
            order.insert(order.index(before) + 1 if before is not None else 0, step)
    return tuple(order)


_ASIDE: tuple[type, ...] = (
    AddFindings, ProposeCorrection, LinkCase, PlaceHold, LiftHold, RecordReport, PauseClock, ExtendClock, FileAppeal,
    OpenCase,
)  # fmt: skip
"""What may come at any time, and which no case waits for."""


def _is_aside(question: Question) -> bool:
    """Whether an act does not bring the case on. A look-up does while the last one is missing, too old or overtaken."""
    if isinstance(question.act, LookUpLawful):
        return not any(looked_up(question))
    if isinstance(question.act, ServeSettingAside):
        gone = untold(question.case)  # else the letter of another decision tells it as well
        return gone is None or gone.number != question.act.decision
    if isinstance(question.act, ServeNotice | ServeDecision):
        return question.act.proof is not None
    if isinstance(question.act, ProposeReopening):
        return not unheard(question.case, question.clocks)
    return isinstance(question.act, _ASIDE)


_STRANGER = "\N{HORIZONTAL ELLIPSIS}"
"""Name of the account and unit that samples come from; no account can have it, and none has had a part in the case."""

_WORDS = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    step: Step
    act: Any
    variant: str = ""
    proposal: int | None = None
    account: str = ""
    units: tuple[str, ...] = ()
    barred: frozenset[str] = frozenset()
    worth_waiting: bool = False
    """Whether it is shown while something is missing."""


def _asked_by_a_stranger(case: Case, pack: Pack, clocks: Sequence[Clock], now_ns: int) -> Question:
    """What lies in the case whoever asks, and whatever for."""
    account = Account(name=_STRANGER, unit=_STRANGER, duties=frozenset(Duty))
    return Question(case=case, act=None, account=account, pack=pack, now_ns=now_ns, clocks=tuple(clocks))


def _samples(case: Case, pack: Pack, clocks: Sequence[Clock], now_ns: int) -> Iterator[_Sample]:
    """Each act that a case could need, with sound content."""
    yield from _settling(case, pack)
    yield from _came_all_the_same(_asked_by_a_stranger(case, pack, clocks, now_ns))
    if case.closed_ns is not None:
        yield from _after_closure(case, pack, clocks, now_ns)
        return
    yield _Sample(step=Step.SCREEN, act=AddFindings(findings=(_finding(case, now_ns),)))
    yield _Sample(step=Step.SCREEN, act=LookUpLawful(outcome=LookupOutcome.NOT_LISTED, registers=(_WORDS,)))
    yield _Sample(step=Step.CLASSIFY, act=_classification(pack), worth_waiting=True)
    yield from _letters(case, now_ns)
    yield from _what_comes_in(now_ns)
    yield from _clock_acts(clocks, now_ns)
    yield _Sample(step=Step.INSPECT, act=RecordInspection(record=_inspection(now_ns)), barred=_deciders(case))
    yield from _decisions(case, pack, clocks, now_ns)
    yield from _measures(case, pack, now_ns)
    yield _Sample(
        step=Step.REMEDIATE, act=RecordRemedy(at_ns=now_ns, grade=RemedyGrade.B, text=_WORDS, documents=(_paper(),))
    )
    for outcome in VerificationOutcome:
        yield _Sample(
            step=Step.VERIFY,
            act=Verify(measurement=_measurement(case, pack, now_ns, outcome)),
            variant=outcome,
            barred=proposers_and_approvers(case, *VERIFIED_FOR),
            worth_waiting=outcome is VerificationOutcome.RECTIFIED and bool(case.remedies),
        )
    for reason in ClosureReason:
        yield _Sample(
            step=Step.CLOSE,
            act=ProposeClosure(reason=reason, text=_WORDS),
            variant=reason,
            barred=verifiers(case),
            worth_waiting=_leads_to(case) is reason,
        )
    yield from _appeals(case, pack, now_ns)
    yield from _keeping(case, pack)


def _settling(case: Case, pack: Pack) -> Iterator[_Sample]:
    for status in case.proposals:
        if status.state is not ProposalState.OPEN:
            continue
        step = _STEP_OF[type(status.act)]
        part: dict[str, Any] = {"proposal": status.number, "variant": status.act.NAME, "step": step}
        barred = frozenset({status.proposer, *status.approvers}) | _barred_from(case, status)
        yield _Sample(
            act=Approve(proposal=status.number),
            units=_approving_units(case, pack, status),
            barred=barred,
            worth_waiting=True,
            **part,
        )
        inspectors = frozenset(case.inspectors) if isinstance(status.act, ProposeDecision | ProposeMeasure) else set()
        yield _Sample(
            act=Reject(proposal=status.number, reason=_WORDS),
            barred=frozenset({status.proposer, *status.approvers, *inspectors}),
            **part,
        )
        yield _Sample(act=Withdraw(proposal=status.number, reason=_WORDS), account=status.proposer, **part)


_STEP_OF = {
    ProposeClass: Step.CLASSIFY,
    ProposeNotice: Step.NOTIFY,
    ProposeDecision: Step.DECIDE,
    ProposeMeasure: Step.REMEDIATE,
    ProposeClosure: Step.CLOSE,
    ProposeReopening: Step.REOPEN,
    ProposeCorrection: Step.CORRECT,
}


def _barred_from(case: Case, status: ProposalStatus) -> frozenset[str]:
    barred: set[str] = set()
    if isinstance(status.act, VERIFIED_FOR):
        barred |= verifiers(case)
    if isinstance(status.act, ProposeDecision | ProposeMeasure):
        barred |= set(case.inspectors)
    return frozenset(barred)


def _approving_units(case: Case, pack: Pack, status: ProposalStatus) -> tuple[str, ...]:
    act = status.act
    deciding = tuple(sorted(deciding_units(pack)))
    if isinstance(act, ProposeDecision):
        return deciding
    if isinstance(act, ProposeMeasure):
        measure = pack_measure(pack, act.measure)
        if measure is not None and measure.mode is MeasureMode.IN_SYSTEM_REQUEST:
            return (measure.decided_by,)
        return deciding
    if isinstance(act, ProposeClass) and confirmed(case) is not None:
        return deciding
    return ()


def _deciders(case: Case) -> frozenset[str]:
    return frozenset(
        name
        for status in case.proposals
        if isinstance(status.act, ProposeDecision | ProposeMeasure)
        for name in status.approvers
    )


def _letters(case: Case, now_ns: int) -> Iterator[_Sample]:
    kinds = {NoticeKind.NOTICE: "notice", NoticeKind.INFORMATION: "notice", NoticeKind.HELP: "help_letter"}
    victim = case.standing is PartyStanding.VICTIM
    for kind, document in kinds.items():
        yield _Sample(
            step=Step.NOTIFY,
            act=ProposeNotice(kind=kind, document=_paper(document), language="en"),
            variant=kind,
            barred=verifiers(case),
            worth_waiting=kind is (NoticeKind.HELP if victim else NoticeKind.NOTICE)
            and not appeal_upheld(case)
            and all(letter.kind is not kind for letter in case.notices)
            and not case.decisions,
        )
    served = {letter.proposal for letter in case.notices}
    letters = approved(case, ProposeNotice)
    for status in letters:
        if status.number not in served:
            assert isinstance(status.act, ProposeNotice)
            yield _Sample(
                step=Step.NOTIFY,
                act=ServeNotice(proposal=status.number, received_ns=now_ns, channel=_WORDS),
                variant=status.act.kind,
                proposal=status.number,
                # One that cannot go out any more waits for nothing once another was written in its place.
                worth_waiting=status is letters[-1],
            )


def _came_all_the_same(question: Question) -> Iterator[_Sample]:
    """Letters and decisions that do not stand any more, and may have reached the party: with the proof, that is noted.

    Nobody is asked to send them, and the case waits for none of it.
    """
    case, now_ns = question.case, question.now_ns
    served = {letter.proposal for letter in case.notices}
    for status in case.proposals:
        if not isinstance(status.act, ProposeNotice) or status.number in served:
            continue
        if letter_approved_at(case, status) is not None and any(stands_no_more(question, status)):
            yield _Sample(
                step=Step.NOTIFY,
                act=ServeNotice(proposal=status.number, received_ns=now_ns, channel=_WORDS, proof=_paper()),
                variant=PROVED,
                proposal=status.number,
            )
    for decision in case.decisions:
        if decision.set_aside and decision.received_ns is None:
            yield _Sample(
                step=Step.DECIDE,
                act=ServeDecision(received_ns=now_ns, channel=_WORDS, proof=_paper(), decision=decision.number),
                variant=PROVED,
                proposal=decision.number,
            )


PROVED = "proved"
"""Variant of a delivery that is recorded with its proof although what was delivered does not stand any more."""


def _clock_acts(clocks: Sequence[Clock], now_ns: int) -> Iterator[_Sample]:
    for clock in clocks:
        later_ns = max(now_ns, clock.due_ns or now_ns) + DAY_NS
        for act in (
            PauseClock(clock=clock.id, from_ns=now_ns, reason=_WORDS),
            ResumeClock(clock=clock.id, from_ns=now_ns, reason=_WORDS),
            ExtendClock(clock=clock.id, until_ns=later_ns, reason=_WORDS),
        ):
            yield _Sample(step=Step.REPLY, act=act, variant=clock.id)


def _served(held: DecisionStatus, now_ns: int) -> _Sample:
    """The decision in force, as delivered."""
    return _Sample(
        step=Step.DECIDE,
        act=ServeDecision(received_ns=now_ns, channel=_WORDS),
        worth_waiting=held.received_ns is None,
    )


def _not_final(held: DecisionStatus, case: Case, clocks: Sequence[Clock]) -> bool:
    """Whether the finality is to come, or was declared over something that the party sent in time."""
    return held.final_ns is None or bool(unheard(case, clocks))


def _decisions(case: Case, pack: Pack, clocks: Sequence[Clock], now_ns: int) -> Iterator[_Sample]:
    held = decision_in_force(case)
    # From the first day on: what a decision against the party still needs is what the case is on its way to.
    open_or_against = responsible(case.standing) or not classified_at(case)
    basis = (pack.instruments[0].id if pack.instruments else _WORDS,)
    for outcome in DecisionOutcome:
        yield _Sample(
            step=Step.DECIDE,
            act=ProposeDecision(outcome=outcome, legal_basis=basis, reason=_WORDS, heard_reply=_WORDS),
            variant=outcome,
            barred=verifiers(case),
            worth_waiting=(held is None or bool(unheard(case, clocks)))
            and outcome is DecisionOutcome.CONFIRMED
            and open_or_against
            and not appeal_upheld(case),
        )
    if held is not None:
        yield _served(held, now_ns)
        yield _Sample(step=Step.DECIDE, act=DeclareFinal(reason=_WORDS), worth_waiting=_not_final(held, case, clocks))


def _measures(case: Case, pack: Pack, now_ns: int) -> Iterator[_Sample]:
    decision = confirmed(case)
    if decision is not None:
        for name in decision.act.measures:
            yield _Sample(
                step=Step.REMEDIATE,
                act=ProposeMeasure(measure=name, reason=_WORDS, sheets=(_SHEET,), court_warrant=_paper()),
                variant=name,
                worth_waiting=all(measure.measure != name or measure.withdrawn for measure in case.measures),
            )
    for status in case.measures:
        measure = pack_measure(pack, status.measure)
        unit = (measure.executed_by or measure.decided_by) if measure is not None else _WORDS
        for ended in (False, True):
            yield _Sample(
                step=Step.REMEDIATE,
                act=RecordMeasure(measure=status.measure, unit=unit, at_ns=now_ns, ended=ended),
                variant=f"{status.measure}{' ended' if ended else ''}",
            )


def _leads_to(case: Case) -> ClosureReason | None:
    """How the case would end as it stands."""
    if case.standing is PartyStanding.VICTIM:
        return ClosureReason.VICTIM_HELPED
    decision = decision_in_force(case)
    if decision is None:
        return ClosureReason.DECISION_SET_ASIDE if appeal_upheld(case) else None
    return {
        DecisionOutcome.CONFIRMED: ClosureReason.RECTIFIED,
        DecisionOutcome.DISMISSED: ClosureReason.DISMISSED,
        DecisionOutcome.LAWFUL: ClosureReason.LAWFUL,
        DecisionOutcome.UNDETERMINED: ClosureReason.UNDETERMINED,
        DecisionOutcome.VICTIM: ClosureReason.VICTIM_HELPED,
    }[decision.act.outcome]


def _told(case: Case, now_ns: int) -> Iterator[_Sample]:
    """That what the party was served does not hold any more."""
    for decision in case.decisions:
        if decision.set_aside and decision.received_ns is not None and decision.told_set_aside_ns is None:
            yield _Sample(
                step=Step.APPEAL,
                act=ServeSettingAside(decision=decision.number, received_ns=now_ns, channel=_WORDS),
                proposal=decision.number,
            )


def _appeals(case: Case, pack: Pack, now_ns: int) -> Iterator[_Sample]:
    yield from _told(case, now_ns)
    bodies = appeal_bodies(pack)
    for body in bodies:
        yield _Sample(
            step=Step.APPEAL,
            act=FileAppeal(received_ns=now_ns, body=body.id, grounds=_WORDS),
            variant=body.id,
        )
    if not bodies:
        yield _Sample(step=Step.APPEAL, act=FileAppeal(received_ns=now_ns, body=_WORDS, grounds=_WORDS))
    pending = pending_appeals(case)
    found_late = [one for one in case.appeals if one.outcome is AppealOutcome.INADMISSIBLE]
    several = len(pending) > 1
    for appeal in (*pending, *found_late):
        yield from _on_appeal(case, appeal, several=several)


def _on_appeal(case: Case, appeal: AppealStatus, *, several: bool) -> Iterator[_Sample]:
    """What is said on an appeal; one that was found inadmissible may be admitted after all, if the rule agrees."""
    which = appeal.event if several or appeal.outcome is not None else None
    waits = appeal.waits_for_admission
    if waits or appeal.outcome is not None:
        for admitted in (True, False):
            yield _Sample(
                step=Step.APPEAL,
                act=AdmitAppeal(admitted=admitted, reason=_WORDS, appeal=appeal.event),
                variant="admit" if admitted else f"outcome {AppealOutcome.INADMISSIBLE}",
                proposal=which,
                barred=proposers_and_approvers(case, ProposeDecision),
                worth_waiting=waits,
            )
    if appeal.outcome is not None:
        return
    for outcome in (AppealOutcome.REJECTED, AppealOutcome.WITHDRAWN):
        # A late appeal can be withdrawn before anybody has said whether it is heard.
        if outcome is AppealOutcome.REJECTED or waits:
            yield _Sample(
                step=Step.APPEAL,
                act=DecideAppeal(outcome=outcome, reason=_WORDS, appeal=appeal.event),
                variant=outcome if waits else "",
                proposal=which,
                barred=took_part(case),
                worth_waiting=True,
            )


def _keeping(case: Case, pack: Pack) -> Iterator[_Sample]:
    yield _Sample(
        step=Step.CORRECT,
        act=ProposeCorrection(event=1, field="summary", value=_WORDS, reason=_WORDS),
    )
    for duty in pack.reporting:
        yield _Sample(step=Step.REPORT, act=RecordReport(report=duty.id, to=duty.to, period=_WORDS), variant=duty.id)
    yield _Sample(step=Step.SCREEN, act=LinkCase(case_id=_WORDS, relation=CaseRelation.SAME_OPERATOR))
    yield _Sample(step=Step.CLOSE, act=PlaceHold(reason=_WORDS))
    yield _Sample(step=Step.CLOSE, act=LiftHold(reason=_WORDS))


def _what_comes_in(now_ns: int) -> Iterator[_Sample]:
    """Papers of the party, and its file: also when the case is closed."""
    yield _Sample(
        step=Step.REPLY,
        act=RecordReply(received_ns=now_ns, stance=ReplyStance.OTHER, document=None, text=_WORDS),
    )
    yield _Sample(step=Step.REPLY, act=GrantAccess(given_ns=now_ns, documents=(_WORDS,)))


def _after_closure(case: Case, pack: Pack, clocks: Sequence[Clock], now_ns: int) -> Iterator[_Sample]:
    yield from _what_comes_in(now_ns)
    yield _Sample(step=Step.REOPEN, act=ProposeReopening(reason=_WORDS))
    held = decision_in_force(case)
    if held is not None and held.received_ns is None:
        yield _served(held, now_ns)
    if held is not None and confirmed(case) is not None:
        yield _Sample(step=Step.DECIDE, act=DeclareFinal(reason=_WORDS), worth_waiting=_not_final(held, case, clocks))
    yield from _appeals(case, pack, now_ns)
    yield from _keeping(case, pack)
    recurrence = OpenCase(
        case_id=_WORDS,
        pack_id=pack.id,
        pack_version=pack.version,
        pack_digest=pack.digest,
        site_id=case.site_id,
        site_kind=case.site_kind,
        region=case.region,
        organisation_id=case.organisation_id,
        usage_points=case.usage_points,
        findings=(_finding(case, now_ns),),
        summary=_WORDS,
        recurrence_of=case.case_id,
    )
    yield _Sample(step=Step.SCREEN, act=recurrence, variant=case.case_id)


# ---------------------------------------------------------------------------------------------------------------------
# Sound content


def _paper(kind: str = "other") -> DocumentRef:
    return DocumentRef(sha256="0" * 64, name=_WORDS, media_type=_WORDS, kind=kind, size=1)


_SHEET = CalculationSheet(
    title=_WORDS,
    rule=_WORDS,
    basis=Basis.OPERATOR_DEFAULT,
    lines=(CalculationLine(label=_WORDS, quantity="0", unit=_WORDS, source=_WORDS),),
    result="0",
    unit=_WORDS,
)


def _finding(case: Case, now_ns: int) -> FindingRef:
    known = {finding.finding_id for finding in case.findings}
    name = _WORDS
    while name in known:
        name += _WORDS
    return FindingRef(
        finding_id=name,
        family=Family.CONTENT,
        detector=_WORDS,
        version="0",
        subject=_WORDS,
        log10_e=0.0,
        started_ns=now_ns,
        ended_ns=now_ns,
        sha256="0" * 64,
    )


def _classification(pack: Pack) -> ProposeClass:
    """A standing, and a value of each axis that agrees with it."""
    standings: Iterable[PartyStanding] = (PartyStanding.UNDETERMINED, *PartyStanding)
    for standing in standings:
        axes = []
        for axis in pack.axes:
            fitting = [value.id for value in axis.values if value.standing in (None, standing)]
            axes += [(axis.id, fitting[0])] if fitting else []
        if len(axes) == len(pack.axes):
            break
    return ProposeClass(standing=standing, axes=tuple(axes), criteria=(), reason=_WORDS)


def _inspection(now_ns: int) -> InspectionRecord:
    return InspectionRecord(
        authority=_WORDS,
        unit=_WORDS,
        present=(),
        started_ns=now_ns,
        ended_ns=now_ns,
        place=_WORDS,
        observations=(_WORDS,),
    )


def _measurement(case: Case, pack: Pack, now_ns: int, outcome: VerificationOutcome) -> Measurement:
    """The longest window that can have been measured by now, full of data."""
    from_ns = now_ns - pack.verification.window_days * DAY_NS
    if case.remedies:
        from_ns = max(from_ns, max(remedy.at_ns for remedy in case.remedies))
    reading = MetricReading(
        metric=_WORDS,
        before=1.0,
        after=0.0,
        unit="",
        expected=1.0,
        low=1.0,
        high=1.0,
        coverage=1.0,
        outcome=outcome,
        explanation="",
    )
    return Measurement(
        outcome=outcome,
        before_from_ns=from_ns - DAY_NS,
        before_until_ns=from_ns,
        after_from_ns=from_ns,
        after_until_ns=now_ns,
        detectors=tuple(sorted({f"{one.detector} {one.version}" for one in case.findings})) or (_WORDS,),
        metrics=(reading,),
        coverage=1.0,
        explanation="",
    )
