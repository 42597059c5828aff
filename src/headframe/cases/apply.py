"""From events to where a case stands: each event does one thing to the case, and nothing else changes it.

An event was checked when it was accepted (`headframe.cases.machine`); here nothing is judged again. A case is built in
a `Draft`, whose lists grow in place, so that a replay costs as much as there are events, not its square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, get_args

from headframe.cases.corrections import corrected_act, is_correctable
from headframe.records.case import (
    Act,
    AddFindings,
    AdmitAppeal,
    AppealOutcome,
    AppealStatus,
    Approve,
    Case,
    CaseEvent,
    CaseRelation,
    ClosureReason,
    Correction,
    DecideAppeal,
    DecisionOutcome,
    DecisionStatus,
    DeclareFinal,
    EventMark,
    ExtendClock,
    FileAppeal,
    FindingRef,
    GrantAccess,
    InspectionRecord,
    LiftHold,
    LinkCase,
    LookUpLawful,
    Measurement,
    MeasureStatus,
    OpenCase,
    PauseClock,
    PlaceHold,
    Proposal,
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
    ResumeClock,
    ServeDecision,
    ServedNotice,
    ServeNotice,
    ServeSettingAside,
    Stage,
    VerificationOutcome,
    Verify,
    Withdraw,
)
from headframe.records.policy import PartyStanding

RESPONSIBLE = frozenset({PartyStanding.OPERATOR, PartyStanding.HOST})
"""Who answers for mining. Nothing is held against any other standing."""

PROPOSALS: tuple[type, ...] = get_args(Proposal)


class Draft:
    """A case while events are put into it: the fields of `Case`, tuples as lists."""

    case_id: str
    version: int
    last_ns: int
    findings: list[FindingRef]
    lookup: LookUpLawful | None
    lookup_ns: int | None
    standing: PartyStanding
    axes: list[tuple[str, str]]
    criteria: list[str]
    proposals: list[ProposalStatus]
    notices: list[ServedNotice]
    replies: list[RecordReply]
    access: list[GrantAccess]
    inspections: list[InspectionRecord]
    inspectors: list[str]
    decisions: list[DecisionStatus]
    measures: list[MeasureStatus]
    remedies: list[RecordRemedy]
    verifications: list[tuple[int, str, Measurement]]
    appeals: list[AppealStatus]
    corrections: list[Correction]
    links: list[tuple[str, CaseRelation]]
    reports: list[RecordReport]
    pauses: list[tuple[str, int, int | None, str]]
    extensions: list[tuple[str, int, str]]
    closed_ns: int | None
    closure: ClosureReason | None
    on_hold: bool
    history: list[EventMark]
    events: list[CaseEvent]

    def __init__(self, case: Case) -> None:
        for field in fields(Case):
            value = getattr(case, field.name)
            setattr(self, field.name, list(value) if isinstance(value, tuple) else value)
        self.place = {status.number: at for at, status in enumerate(case.proposals)}
        """Where in the list a proposal is, by its number."""
        self.now_ns = case.last_ns
        """When the event happens that is being put in."""
        self.acts: Mapping[int, Act] | None = None
        """While a case is built anew after a correction: what each corrected event should say."""

    def case(self) -> Case:
        """The case as it stands."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(Case)}
        frozen: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        case = Case(**frozen)
        return replace(case, stage=stage_of(case))

    def in_force(self) -> int | None:
        """Place of the decision that holds, if one does."""
        if self.decisions and not self.decisions[-1].set_aside:
            return len(self.decisions) - 1
        return None

    def set_aside(self) -> None:
        """Take the decision in force away, and every measure with it."""
        at = self.in_force()
        if at is None:
            return
        self.decisions[at] = replace(self.decisions[at], set_aside=True, set_aside_ns=self.now_ns)
        self.measures[:] = [self.withdrawn(measure) for measure in self.measures]

    def withdrawn(self, measure: MeasureStatus) -> MeasureStatus:
        """A measure that is taken away, the first time that it is; one that has ended has ended."""
        if measure.ended_ns is not None or measure.withdrawn:
            return measure
        return replace(measure, withdrawn=True, withdrawn_ns=self.now_ns)

    def settle(self, number: int, state: ProposalState, event: int) -> None:
        """Note how a proposal ended."""
        at = self.place[number]
        self.proposals[at] = replace(self.proposals[at], state=state, settled=event)


def replay(events: Iterable[CaseEvent]) -> Case:
    """A case as its events make it.

    Parameters
    ----------
    events : iterable of CaseEvent
        In order, from number 1.

    Returns
    -------
    Case

    Raises
    ------
    ValueError
        If there is no event, the first opens no case, or the numbers, the times or the cases do not fit together; the
        message names the event.
    """
    known = tuple(events)
    if not known:
        raise ValueError("a case has at least one event; none was given")
    # Which corrections were approved does not depend on what they say. So they are collected first, and the case is
    # built once more with all of them, not once for each.
    case = _built(known, {}).case()
    return _built(known, right_acts(case)).case() if case.corrections else case


def apply(case: Case, event: CaseEvent) -> Case:
    """A case after one more event.

    Parameters
    ----------
    case : Case
    event : CaseEvent
        Its next one.

    Returns
    -------
    Case

    Raises
    ------
    ValueError
        If it is not the next event of this case.
    """
    return _put(Draft(case), event).case()


def right_acts(case: Case, more: Iterable[Correction] = ()) -> dict[int, Act]:
    """What corrected events should say, by their numbers.

    A correction of a field that none may mend, as older files have, is on record and changes nothing.

    Parameters
    ----------
    case : Case
    more : iterable of Correction
        That are not approved, and are weighed as if they were.

    Returns
    -------
    dict of int to Act
    """
    found: dict[int, Act] = {}
    for one in (*case.corrections, *more):
        act = found.get(one.event, case.events[one.event - 1].act)
        if is_correctable(act, one.field):
            try:
                found[one.event] = corrected_act(act, one.field, one.value)
            except ValueError:
                continue
    return found


def as_corrected(case: Case, until: int, more: Iterable[Correction] = ()) -> Case:
    """A case as it stood after an event, if everything had been recorded as it is known today.

    Parameters
    ----------
    case : Case
    until : int
        Number of an event, from 1.
    more : iterable of Correction
        That are not approved, and are weighed as if they were.

    Returns
    -------
    Case
    """
    return _built(case.events[:until], right_acts(case, more)).case()


def _built(events: Iterable[CaseEvent], acts: Mapping[int, Act]) -> Draft:
    draft: Draft | None = None
    for event in events:
        if draft is None:
            draft = _opened(event, acts.get(event.number))
            draft.acts = acts
        else:
            _put(draft, event)
    assert draft is not None
    return draft


def stage_of(case: Case) -> Stage:
    """Where a case stands, in one word.

    Parameters
    ----------
    case : Case

    Returns
    -------
    Stage
    """
    # First: a closed case with a late appeal that nobody has judged has something to be done, and is kept meanwhile.
    if any(appeal.outcome is None for appeal in case.appeals):
        return Stage.APPEALED
    if case.closed_ns is not None:
        return Stage.CLOSED
    decided = bool(case.decisions) and not case.decisions[-1].set_aside
    asked = any(not measure.withdrawn for measure in case.measures)
    if decided or (case.remedies and not case.decisions):
        if case.verifications and case.verifications[-1][2].outcome is VerificationOutcome.RECTIFIED:
            last = [mark.act for mark in case.history if mark.act in (RecordRemedy.NAME, Verify.NAME)][-1]
            if last == Verify.NAME:
                return Stage.VERIFIED
        if case.remedies or asked:
            return Stage.REMEDIATION
        return Stage.DECIDED
    if case.notices:
        return Stage.NOTIFIED
    classified = any(
        isinstance(status.act, ProposeClass) and status.state is ProposalState.APPROVED for status in case.proposals
    )
    return Stage.CLASSIFIED if classified else Stage.SCREENED


def _opened(event: CaseEvent, right: Act | None = None) -> Draft:
    act = event.act if right is None else right
    if not isinstance(act, OpenCase):
        raise ValueError(f"event {event.number} of case {event.case_id} is {act.NAME!r}; the first must be 'open'")
    if event.number != 1 or event.case_id != act.case_id:
        raise ValueError(
            f"the event that opens {act.case_id} is number {event.number} of {event.case_id}, not its first"
        )
    return Draft(
        Case(
            case_id=act.case_id,
            pack_id=act.pack_id,
            pack_version=act.pack_version,
            pack_digest=act.pack_digest,
            site_id=act.site_id,
            site_kind=act.site_kind,
            region=act.region,
            organisation_id=act.organisation_id,
            organisation_name=act.organisation_name,
            site_name=act.site_name,
            usage_points=act.usage_points,
            opened_ns=event.at_ns,
            opened_by=event.account,
            stage=Stage.SCREENED,
            version=1,
            last_ns=event.at_ns,
            findings=act.findings,
            links=tuple(
                (other, relation)
                for other, relation in (
                    (act.recurrence_of, CaseRelation.RECURRENCE_OF),
                    (act.split_from, CaseRelation.SPLIT_FROM),
                )
                if other
            ),
            history=(EventMark(act=act.NAME, account=event.account, at_ns=event.at_ns),),
            events=(event,),
        )
    )


def _put(draft: Draft, event: CaseEvent) -> Draft:
    if event.case_id != draft.case_id or event.number != draft.version + 1:
        raise ValueError(
            f"event {event.number} of {event.case_id} does not follow event {draft.version} of {draft.case_id}"
        )
    if event.at_ns < draft.last_ns:
        raise ValueError(f"event {event.number} of {event.case_id} was recorded before the event before it")
    recorded = event
    draft.now_ns = event.at_ns
    if draft.acts is not None and event.number in draft.acts:
        event = replace(event, act=draft.acts[event.number])
    act = event.act
    corrections = len(draft.corrections)
    if isinstance(act, PROPOSALS):
        _propose(draft, event)
    else:
        step = _STEPS.get(type(act))
        if step is None:
            raise ValueError(f"event {event.number} of {event.case_id} is {act.NAME!r}, which cannot come here")
        step(draft, event, act)
    draft.version = event.number
    draft.last_ns = event.at_ns
    draft.history.append(EventMark(act=act.NAME, account=event.account, at_ns=event.at_ns))
    draft.events.append(recorded)
    if draft.acts is None and len(draft.corrections) > corrections:
        # What was recorded wrongly is taken for what it is from the beginning, not only from here.
        case = draft.case()
        return Draft(_built(case.events, right_acts(case)).case())
    return draft


def _propose(draft: Draft, event: CaseEvent) -> None:
    act: Any = event.act
    draft.place[event.number] = len(draft.proposals)
    draft.proposals.append(
        ProposalStatus(
            number=event.number,
            proposer=event.account,
            act=act,
            state=ProposalState.OPEN,
            needed=max(1, act.approvals) if isinstance(act, ProposeMeasure) else 1,
        )
    )


def _approve(draft: Draft, event: CaseEvent, act: Approve) -> None:
    at = draft.place[act.proposal]
    status = draft.proposals[at]
    status = draft.proposals[at] = replace(status, approvers=(*status.approvers, event.account))
    if len(status.approvers) < status.needed:
        return
    draft.settle(act.proposal, ProposalState.APPROVED, event.number)
    holds = _APPROVED.get(type(status.act))
    if holds is not None:
        holds(draft, event, status)


def _classified(draft: Draft, event: CaseEvent, status: ProposalStatus) -> None:
    act = status.act
    assert isinstance(act, ProposeClass)
    draft.standing, draft.axes, draft.criteria = act.standing, list(act.axes), list(act.criteria)
    at = draft.in_force()
    # A decision against a party holds no longer than the finding that the party answers for it.
    if at is not None and draft.decisions[at].act.outcome is DecisionOutcome.CONFIRMED:
        if act.standing not in RESPONSIBLE:
            draft.set_aside()


def _decided(draft: Draft, event: CaseEvent, status: ProposalStatus) -> None:
    act = status.act
    assert isinstance(act, ProposeDecision)
    draft.set_aside()  # one decision holds at a time
    draft.decisions.append(
        DecisionStatus(
            number=status.number,
            act=act,
            proposer=status.proposer,
            deciders=status.approvers,
            decided_ns=event.at_ns,
        )
    )


def _requested(draft: Draft, event: CaseEvent, status: ProposalStatus) -> None:
    act = status.act
    assert isinstance(act, ProposeMeasure)
    draft.measures.append(MeasureStatus(measure=act.measure, requested_ns=event.at_ns, proposal=status.number))


def _closed(draft: Draft, event: CaseEvent, status: ProposalStatus) -> None:
    act = status.act
    assert isinstance(act, ProposeClosure)
    draft.closed_ns, draft.closure = event.at_ns, act.reason


def _reopened(draft: Draft, _event: CaseEvent, _status: ProposalStatus) -> None:
    draft.closed_ns = draft.closure = None


def _corrected(draft: Draft, event: CaseEvent, status: ProposalStatus) -> None:
    act = status.act
    assert isinstance(act, ProposeCorrection)
    draft.corrections.append(
        Correction(event=act.event, field=act.field, value=act.value, reason=act.reason, approved_ns=event.at_ns)
    )
    for number in act.falls:
        _fall(draft, number, event.number)


def _fall(draft: Draft, number: int, event: int) -> None:
    """Take away a step that does not stand with what is right."""
    at = draft.in_force()
    if number not in draft.place:  # the finality, which nobody proposes
        if at is not None:
            draft.decisions[at] = replace(draft.decisions[at], final_ns=None)
    elif at is not None and draft.decisions[at].number == number:
        draft.set_aside()
    elif isinstance(draft.proposals[draft.place[number]].act, ProposeNotice):
        # An approved letter that has not gone out: nobody serves it, and another may be written.
        draft.settle(number, ProposalState.WITHDRAWN, event)
    else:
        draft.measures[:] = [
            draft.withdrawn(measure) if measure.proposal == number else measure for measure in draft.measures
        ]


_APPROVED: dict[type, Callable[[Draft, CaseEvent, ProposalStatus], None]] = {
    ProposeClass: _classified,
    ProposeDecision: _decided,
    ProposeMeasure: _requested,
    ProposeClosure: _closed,
    ProposeReopening: _reopened,
    ProposeCorrection: _corrected,
}


def _reject(draft: Draft, event: CaseEvent, act: Reject) -> None:
    draft.settle(act.proposal, ProposalState.REJECTED, event.number)


def _withdraw(draft: Draft, event: CaseEvent, act: Withdraw) -> None:
    draft.settle(act.proposal, ProposalState.WITHDRAWN, event.number)


def _find(draft: Draft, _event: CaseEvent, act: AddFindings) -> None:
    draft.findings.extend(act.findings)


def _look_up(draft: Draft, event: CaseEvent, act: LookUpLawful) -> None:
    draft.lookup, draft.lookup_ns = act, event.at_ns


def _serve_notice(draft: Draft, event: CaseEvent, act: ServeNotice) -> None:
    proposed = draft.proposals[draft.place[act.proposal]].act
    assert isinstance(proposed, ProposeNotice)
    draft.notices.append(
        ServedNotice(
            kind=proposed.kind,
            document=proposed.document,
            received_ns=act.received_ns,
            event=event.number,
            proposal=act.proposal,
        )
    )


def _reply(draft: Draft, _event: CaseEvent, act: RecordReply) -> None:
    draft.replies.append(act)


def _grant(draft: Draft, _event: CaseEvent, act: GrantAccess) -> None:
    draft.access.append(act)


def _pause(draft: Draft, _event: CaseEvent, act: PauseClock) -> None:
    draft.pauses.append((act.clock, act.from_ns, None, act.reason))


def _resume(draft: Draft, _event: CaseEvent, act: ResumeClock) -> None:
    for at in range(len(draft.pauses) - 1, -1, -1):
        clock, since_ns, until_ns, reason = draft.pauses[at]
        if clock == act.clock and until_ns is None:
            draft.pauses[at] = (clock, since_ns, act.from_ns, reason)
            return


def _extend(draft: Draft, _event: CaseEvent, act: ExtendClock) -> None:
    draft.extensions.append((act.clock, act.until_ns, act.reason))


def _inspect(draft: Draft, event: CaseEvent, act: RecordInspection) -> None:
    draft.inspections.append(act.record)
    if event.account not in draft.inspectors:
        draft.inspectors.append(event.account)


def _serve_decision(draft: Draft, _event: CaseEvent, act: ServeDecision) -> None:
    at = draft.in_force()
    if act.decision:
        at = next((at for at, decision in enumerate(draft.decisions) if decision.number == act.decision), None)
    if at is not None:
        draft.decisions[at] = replace(draft.decisions[at], received_ns=act.received_ns)


def _serve_setting_aside(draft: Draft, _event: CaseEvent, act: ServeSettingAside) -> None:
    for at, decision in enumerate(draft.decisions):
        if decision.number == act.decision:
            draft.decisions[at] = replace(decision, told_set_aside_ns=act.received_ns)


def _finalise(draft: Draft, event: CaseEvent, _act: DeclareFinal) -> None:
    at = draft.in_force()
    if at is not None:
        draft.decisions[at] = replace(draft.decisions[at], final_ns=event.at_ns)


def _measure(draft: Draft, _event: CaseEvent, act: RecordMeasure) -> None:
    for at in range(len(draft.measures) - 1, -1, -1):
        measure = draft.measures[at]
        if measure.measure == act.measure and measure.ended_ns is None:
            draft.measures[at] = (
                replace(measure, ended_ns=act.at_ns) if act.ended else replace(measure, carried_out_ns=act.at_ns)
            )
            return


def _remedy(draft: Draft, _event: CaseEvent, act: RecordRemedy) -> None:
    draft.remedies.append(act)


def _verify(draft: Draft, event: CaseEvent, act: Verify) -> None:
    draft.verifications.append((event.at_ns, event.account, act.measurement))


def appealed(decisions: Sequence[DecisionStatus]) -> DecisionStatus | None:
    """The decision that an appeal is about: the one in force; while that was not served, the one that it replaced.

    Parameters
    ----------
    decisions : sequence of DecisionStatus
        Of the case, in order.

    Returns
    -------
    DecisionStatus or None
        None where none is in force. One that was not served where the party has none of those that it replaced either.
    """
    if not decisions or decisions[-1].set_aside:
        return None
    for at in range(len(decisions) - 1, -1, -1):
        if decisions[at].received_ns is not None:
            return decisions[at]
        # Replaced, it went when the next was approved; one that an appeal or a class took away went on its own.
        if at and decisions[at - 1].set_aside_ns != decisions[at].decided_ns:
            break
    return decisions[-1]


def _appeal(draft: Draft, event: CaseEvent, act: FileAppeal) -> None:
    about = appealed(draft.decisions)
    draft.appeals.append(
        AppealStatus(
            received_ns=act.received_ns,
            body=act.body,
            grounds=act.grounds,
            decision=0 if about is None else about.number,
            late=act.late,
            other_body=act.other_body,
            event=event.number,
        )
    )
    # An appeal opens a closed case again: what comes of it has to be served, carried out, and closed by two accounts.
    # One that came late does so when it is admitted.
    if not act.late:
        draft.closed_ns = draft.closure = None


def _admit_appeal(draft: Draft, event: CaseEvent, act: AdmitAppeal) -> None:
    for at, appeal in enumerate(draft.appeals):
        # Older events name none: then there was but one.
        if act.appeal != appeal.event and (act.appeal or not appeal.waits_for_admission):
            continue
        if act.admitted:
            draft.appeals[at] = replace(appeal, admitted=True, outcome=None, decided_ns=None, reason="")
            draft.closed_ns = draft.closure = None
        else:
            draft.appeals[at] = replace(
                appeal,
                admitted=False,
                outcome=AppealOutcome.INADMISSIBLE,
                decided_ns=event.at_ns,
                reason=act.reason,
            )


def _decide_appeal(draft: Draft, event: CaseEvent, act: DecideAppeal) -> None:
    settled = [appeal for appeal in draft.appeals if appeal.outcome is AppealOutcome.UPHELD]
    about: set[int] = set()
    for at, appeal in enumerate(draft.appeals):
        if appeal.outcome is None and act.appeal in (0, appeal.event):
            draft.appeals[at] = replace(appeal, outcome=act.outcome, decided_ns=event.at_ns, reason=act.reason)
            about.add(appeal.decision)
    if act.outcome in (AppealOutcome.UPHELD, AppealOutcome.REMITTED):
        draft.set_aside()
    if act.standing is not None:
        draft.standing = act.standing
    elif act.outcome is AppealOutcome.UPHELD:
        # What another body found on the same decision is not lost because a second one says nothing on it.
        if not any(appeal.decision in about for appeal in settled):
            draft.standing = PartyStanding.UNDETERMINED
    if act.standing is not None or act.outcome is AppealOutcome.UPHELD:
        # They said how the party stands to it, and that does not hold any more.
        draft.axes, draft.criteria = [], []


def _link(draft: Draft, _event: CaseEvent, act: LinkCase) -> None:
    draft.links.append((act.case_id, act.relation))


def _report(draft: Draft, _event: CaseEvent, act: RecordReport) -> None:
    draft.reports.append(act)


def _hold(draft: Draft, _event: CaseEvent, _act: PlaceHold) -> None:
    draft.on_hold = True


def _lift_hold(draft: Draft, _event: CaseEvent, _act: LiftHold) -> None:
    draft.on_hold = False


_STEPS: dict[type, Callable[[Draft, CaseEvent, Any], None]] = {
    AddFindings: _find,
    LookUpLawful: _look_up,
    ServeNotice: _serve_notice,
    RecordReply: _reply,
    GrantAccess: _grant,
    PauseClock: _pause,
    ResumeClock: _resume,
    ExtendClock: _extend,
    RecordInspection: _inspect,
    ServeDecision: _serve_decision,
    ServeSettingAside: _serve_setting_aside,
    DeclareFinal: _finalise,
    RecordMeasure: _measure,
    RecordRemedy: _remedy,
    Verify: _verify,
    FileAppeal: _appeal,
    AdmitAppeal: _admit_appeal,
    DecideAppeal: _decide_appeal,
    Approve: _approve,
    Reject: _reject,
    Withdraw: _withdraw,
    LinkCase: _link,
    RecordReport: _report,
    PlaceHold: _hold,
    LiftHold: _lift_hold,
}
