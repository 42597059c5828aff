"""Documents about what is done: inspection, decision, measure, referral, verification, closure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from headframe.errors import HeadframeError
from headframe.policy.appeals import body_of
from headframe.policy.citations import looks_like_citation
from headframe.records.case import (
    AppealOutcome,
    AppealStatus,
    Case,
    DecisionOutcome,
    DecisionStatus,
    DeclareFinal,
    FileAppeal,
    GrantAccess,
    InspectionRecord,
    Measurement,
    ProposeClosure,
    ProposeCorrection,
    ProposeDecision,
    ProposeMeasure,
    RecordInspection,
    RecordMeasure,
    RecordRemedy,
    RecordReply,
    ServeDecision,
    VerificationOutcome,
)
from headframe.records.policy import (
    NOTHING_AGAINST,
    CalculationSheet,
    Measure,
    MeasureMode,
    Precondition,
    RightKind,
    Step,
    UnitRole,
)
from headframe.reports.case_documents.corrected import (
    corrections_section,
    field_words,
    mark,
    marks,
    marks_within,
    right_events,
)
from headframe.reports.case_documents.drawings import plot_before_after
from headframe.reports.case_documents.letters import plots_of
from headframe.reports.case_documents.model import (
    Block,
    Callout,
    CaseDocument,
    Column,
    Entries,
    Entry,
    Exhibits,
    Listing,
    Paragraph,
    Section,
    Signature,
    Subheading,
    Table,
    Tone,
)
from headframe.reports.case_documents.parts import (
    Desk,
    acting_unit,
    body_words,
    cited,
    classification_section,
    course_section,
    delivered,
    documents_of,
    doubts_section,
    error_rates_section,
    event_of,
    evidence_section,
    exhibit_of,
    facts_section,
    furniture,
    in_own_words,
    letterhead,
    links_lines,
    lookup_section,
    measure_basis,
    measure_named,
    measure_row,
    prepared,
    proposal_signatures,
    provenance_section,
    reference,
    rights_at_the_end,
    rights_section,
    rules_section,
    sheets_section,
    signatures_section,
    signed_by,
    to_party,
    to_sign,
    unit_name,
    unit_with,
    where_section,
    with_basis,
)
from headframe.reports.case_documents.speech import METRICS, Speech
from headframe.reports.case_documents.translated import translated
from headframe.reports.case_documents.what_to_do import asks_something, to_do_section

_METRIC_KEYS = re.compile(rf"\b(?:{'|'.join(map(re.escape, METRICS))})\b")


class NothingToWrite(HeadframeError):
    """The case does not hold what the document is about."""


def _made(
    desk: Desk,
    kind: str,
    *,
    unit: str,
    addressee: tuple[str, ...],
    title: str,
    lead: tuple[str, ...],
    standing: Callout | None,
    sections: Sequence[Section | None],
) -> CaseDocument:
    return CaseDocument(
        kind=kind,
        language=desk.speech.language,
        made_ns=desk.now_ns,
        title=title,
        letterhead=letterhead(desk, unit, addressee),
        lead=lead,
        standing=standing,
        sections=tuple(section for section in sections if section is not None),
        furniture=furniture(desk.speech),
    )


# ---------------------------------------------------------------------------------------------------------- inspection


def inspection_request(desk: Desk) -> CaseDocument:
    """Ask a unit to look on the spot: what is known, what to look for, what the record must hold."""
    speech, say = desk.speech, desk.speech.say
    unit = acting_unit(desk.pack, Step.CLASSIFY, speech)
    to = unit_with(desk.pack, UnitRole.INSPECT, speech) or say("unit.unknown")
    held = desk.held
    looks = ["machines", "supply", "others"]
    if any(one.of_meter for one in held) or desk.case.usage_points:
        looks[1:1] = ["meters", "bypass"]
    if any(not one.of_meter for one in held):
        looks.insert(1, "hosts")
    sections = [
        facts_section(desk, *plots_of(desk)),
        Section(
            title=say("inspect.look.title"), blocks=(Listing(items=tuple(say(f"inspect.look.{n}") for n in looks)),)
        ),
        Section(
            title=say("inspect.record.title"),
            blocks=(
                Paragraph(text=say("inspect.record.lead")),
                Table(
                    columns=(
                        Column(head=say("inspect.record.what"), weight=1.3),
                        Column(head=say("inspect.record.how"), weight=2.6),
                    ),
                    rows=tuple(
                        (say(f"inspect.record.{n}"), say(f"inspect.record.{n}.how"))
                        for n in ("authority", "present", "time", "machines", "meters", "bypass", "photos")
                    ),
                ),
            ),
        ),
        Section(
            title=say("inspect.conduct.title"),
            blocks=(
                Listing(items=tuple(say(f"inspect.conduct.{n}") for n in ("authority", "safety", "least", "victim"))),
            ),
        ),
        lookup_section(desk, to_party=False),
        rules_section(desk),
        doubts_section(desk),
        corrections_section(desk.case, speech),
        evidence_section(desk),
        provenance_section(desk),
        signatures_section(desk, [*prepared(desk), to_sign(desk, "sign.approval")]),
    ]
    return _made(
        desk, "inspection_request", unit=unit, addressee=(to,), title=say("inspect.title"),
        lead=(say("inspect.lead", site=desk.site, party=desk.party),),
        standing=Callout(title=say("inspect.standing"), lines=(say("inspect.standing.text"),)), sections=sections,
    )  # fmt: skip


def inspection_sections(desk: Desk) -> list[Section]:
    """What inspections found."""
    case, speech = desk.case, desk.speech
    events = [event for event in case.events if isinstance(event.act, RecordInspection)]
    corrected = [marks_within(case, event, "record", speech) for event in events]
    if len(corrected) != len(case.inspections):
        corrected = [[] for _ in case.inspections]
    return [
        Section(
            title=speech.say("inspected.title", n=number),
            blocks=(
                *_inspection(record, desk),
                *([Listing(items=tuple(marked))] if marked else []),
            ),
        )
        for number, (record, marked) in enumerate(zip(case.inspections, corrected, strict=True), 1)
    ]


def _authority(text: str, desk: Desk) -> str:
    """By what an inspection was made; a citation as one, a warrant or a request in its own words."""
    return cited(text, desk.pack, desk.speech) if looks_like_citation(text) else reference(text, desk.pack, desk.speech)


def _inspection(record: InspectionRecord, desk: Desk) -> list[Block]:
    speech, say = desk.speech, desk.speech.say
    entries = [
        Entry(label=say("inspected.authority"), value=_authority(record.authority, desk)),
        Entry(label=say("inspected.unit"), value=unit_name(desk.pack, record.unit, speech)),
        Entry(label=say("inspected.when"), value=speech.from_to(record.started_ns, record.ended_ns)),
        Entry(label=say("inspected.place"), value=record.place),
        Entry(label=say("inspected.present"), value=speech.listed(record.present) or say("none")),
        Entry(
            label=say("inspected.machines"),
            value=say("not_counted") if record.machines_seen is None else f"{record.machines_seen:,}",
        ),
        Entry(
            label=say("inspected.bypass"),
            value=say({None: "inspected.bypass.unlooked", True: "yes", False: "no"}[record.bypass_seen]),
        ),
    ]
    blocks: list[Block] = [Entries(entries=tuple(entries))]
    if record.observations:
        blocks.append(Listing(items=record.observations))
    if record.meters:
        blocks.append(
            Table(
                columns=tuple(
                    Column(head=say(f"inspected.meter.{n}"), weight=weight, figures=n == "reading", code=n == "number")
                    for n, weight in (
                        ("number", 1.5),
                        ("reading", 1.3),
                        ("seals", 1.6),
                        ("intact", 1.0),
                        ("remark", 1.6),
                    )
                ),
                rows=tuple(
                    (
                        meter.meter,
                        f"{meter.reading} {meter.unit}".strip(),
                        speech.listed(meter.seals) or say("none"),
                        say({None: "not_looked_at", True: "yes", False: "no"}[meter.seals_intact]),
                        meter.remark or say("none"),
                    )
                    for meter in record.meters
                ),
            )
        )
    if record.photos:
        blocks.append(Exhibits(exhibits=tuple(exhibit_of(photo, speech) for photo in record.photos)))
    return blocks


# ------------------------------------------------------------------------------------------------------------ decision


def _decision(case: Case, number: int | None) -> tuple[ProposeDecision, int, DecisionStatus | None] | None:
    """The decision asked for, else the latest, else the latest proposal of one."""
    taken = [one for one in case.decisions if number is None or one.number == number]
    if taken:
        return taken[-1].act, taken[-1].number, taken[-1]
    for status in reversed(case.proposals):
        if isinstance(status.act, ProposeDecision) and (number is None or status.number == number):
            return status.act, status.number, None
    return None


def decision(desk: Desk, number: int | None = None) -> CaseDocument:
    """What was decided, on which facts and basis, how the party was heard, and how to appeal."""
    speech, say, case, pack = desk.speech, desk.speech.say, desk.case, desk.pack
    found = _decision(case, number)
    if found is None:
        raise NothingToWrite(
            f"case {case.case_id} has no decision"
            + (f" number {number}" if number is not None else "")
            + ", taken or proposed: propose one first, then write the document"
        )
    act, event, status = found
    unit = acting_unit(pack, Step.DECIDE, speech)
    reasons: list[Block] = [Paragraph(text=speech.sentences([act.reason, _mark_of(desk, event, "reason")]))]
    basis = [cited(ref, pack, speech) for ref in act.legal_basis]
    reasons += [
        Subheading(text=say("decision.basis")),
        Listing(items=tuple(basis)) if basis else Paragraph(text=_without_basis(desk, act.outcome)),
    ]
    asks = asks_something(desk, act, status)
    measures = [one for name in act.measures if (one := measure_named(pack, name)) is not None]
    unknown = [name for name in act.measures if measure_named(pack, name) is None]
    # What holds nothing against the party leaves it nothing to appeal against, to answer, or to have removed.
    burdens = act.outcome is DecisionOutcome.CONFIRMED
    sections: list[Section | None] = [
        Section(title=say("decision.reasons"), blocks=tuple(reasons)),
        to_do_section(desk, act) if asks else None,
        Section(title=say("decision.heard"), blocks=tuple(_heard(desk, act, event))),
        facts_section(desk, *plots_of(desk)),
        *inspection_sections(desk),
        _measures_section(desk, measures, unknown) if act.measures else _no_measures(desk, act.outcome),
        sheets_section(act.sheets, desk),
        rights_section(desk, decision=True, only=None if burdens else rights_at_the_end(case, registered=False)),
        where_section(desk, Step.DECIDE),
        _appeals_section(desk),
        classification_section(desk),
        lookup_section(desk),
        rules_section(desk),
        doubts_section(desk),
        error_rates_section(desk),
        corrections_section(desk.case, speech),
        evidence_section(desk, documents_of(desk, but_decision=event)),
        provenance_section(desk),
        signatures_section(desk, _decision_signatures(desk, event, status), say("sign.decision")),
    ]
    if status is None or not status.deciders:
        standing = Callout(title=say("decision.draft"), lines=(say("decision.draft.text"),), tone=Tone.CAUTION)
    elif status.set_aside:
        standing = Callout(title=say("decision.set_aside"), lines=(say("decision.set_aside.text"),), tone=Tone.CAUTION)
    else:
        key = "final" if status.final_ns is not None else "not_final" if burdens else "in_favour"
        standing = Callout(title=say(f"decision.{key}"), lines=(say(f"decision.{key}.text"),))
    return _made(
        desk, "decision", unit=unit, addressee=to_party(desk), title=say("decision.title"),
        lead=(
            say(f"decision.lead.{act.outcome.value}", party=desk.party, site=desk.site),
            *((say("decision.decided", when=speech.day(status.decided_ns)),) if status is not None else ()),
            *((say("todo.see"),) if asks else ()),
        ),
        standing=standing, sections=sections,
    )  # fmt: skip


def _without_basis(desk: Desk, outcome: DecisionOutcome) -> str:
    """What stands where a decision names no rule: one that burdens nobody needs none, and what it rests on is told."""
    speech, say, lookup = desk.speech, desk.speech.say, desk.case.lookup
    if outcome is DecisionOutcome.CONFIRMED:
        return say("basis.not_said")
    if outcome is DecisionOutcome.LAWFUL and lookup is not None and lookup.entries:
        return say("decision.basis.entries", entries=speech.listed(lookup.entries))
    return say("decision.basis.none")


def setting_aside(desk: Desk, number: int | None = None) -> CaseDocument:
    """Tell the party that a decision which it was served does not hold any more, why, and what follows."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    gone = [one for one in case.decisions if one.set_aside and number in (None, one.number)]
    if not gone:
        raise NothingToWrite(f"no decision of case {case.case_id} was set aside; there is nothing to tell of one")
    row = gone[-1]
    why, key = _set_aside_by(desk, row)
    if key == "upheld" and case.closed_ns is None:
        key = "to_close"
    # It enters the register when it is declared final; what was removed says nothing any more of what it was about.
    entered = any(
        isinstance(event.act, DeclareFinal)
        and row.decided_ns <= event.at_ns
        and (row.set_aside_ns is None or event.at_ns <= row.set_aside_ns)
        for event in case.events
    )
    served = ""
    if row.received_ns is not None:
        served = speech.sentences(
            [say("set_aside.served", day=speech.day(row.received_ns)), _delivery_marks(desk)[row.number]]
        )
    sections: list[Section | None] = [
        Section(title=say("set_aside.why"), blocks=tuple(Paragraph(text=line) for line in why)),
        Section(
            title=say("set_aside.means"),
            blocks=(
                Listing(
                    items=tuple(
                        say(f"set_aside.means.{name}")
                        for name, told in (
                            ("effect", True),
                            ("measures", bool(row.act.measures)),
                            ("register", entered),
                        )
                        if told
                    )
                ),
                Paragraph(text=say(f"set_aside.next.{key}"), tone=Tone.STRONG),
            ),
        ),
        _decisions_section(desk),
        _appeals_section(desk),
        _carried_out_section(desk),
        rights_section(desk, only=rights_at_the_end(case, registered=False)),
        where_section(desk, Step.DECIDE),
        corrections_section(desk.case, speech),
        evidence_section(desk, documents_of(desk)),
        provenance_section(desk),
        signatures_section(desk, [*prepared(desk), to_sign(desk, "sign.approval")]),
    ]
    return _made(
        desk, "setting_aside", unit=acting_unit(desk.pack, Step.DECIDE, speech), addressee=to_party(desk),
        title=say("set_aside.title"),
        lead=tuple(
            line
            for line in (
                say("set_aside.lead", day=speech.day(row.decided_ns), site=desk.site, party=desk.party),
                served,
            )
            if line
        ),
        standing=Callout(title=say("decision.set_aside"), lines=(say("decision.set_aside.text"),), tone=Tone.STRONG),
        sections=sections,
    )  # fmt: skip


def _set_aside_by(desk: Desk, row: DecisionStatus) -> tuple[list[str], str]:
    """What took a decision away, in sentences, and which words say what follows."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    for appeal in sorted(case.appeals, key=lambda one: one.decided_ns or 0):
        if appeal.decision == row.number and appeal.outcome in (AppealOutcome.UPHELD, AppealOutcome.REMITTED):
            line = say(
                f"set_aside.by.{appeal.outcome.value}", body=appeal_body_words(desk, appeal),
                day=speech.day(appeal.decided_ns or 0),
            )  # fmt: skip
            return [line, appeal.reason], appeal.outcome.value
    fell = [
        status.act
        for status in case.proposals
        if isinstance(status.act, ProposeCorrection) and status.settled is not None and row.number in status.act.falls
    ]
    if fell:
        return [
            say("set_aside.by.correction", event=fell[-1].event, field=field_words(fell[-1].field, speech)),
            fell[-1].reason,
        ], "open"
    if (other := _replaced_by(case, row)) is not None:
        return [say("set_aside.by.replaced", day=speech.day(other.decided_ns))], "replaced"
    now = [say("set_aside.by.standing", standing=speech.term("standing", case.standing.value))]
    return now, "open" if case.closed_ns is None else "closed"


def appeal_body_words(desk: Desk, appeal: AppealStatus) -> str:
    """A body that hears appeals in words; one that the pack does not name is marked as such."""
    body = body_of(desk.pack, appeal.body)
    if body is None:
        return desk.speech.say("appeals.other_body", body=unit_name(desk.pack, appeal.body, desk.speech))
    named = unit_name(desk.pack, body.words, desk.speech)
    return named if named != body.words else body_words(body.words, desk.speech)


def _decision_signatures(desk: Desk, event: int, status: DecisionStatus | None) -> list[Signature]:
    if made := proposal_signatures(desk, event):
        return made
    if status is not None:
        return [
            signed_by(desk, "sign.proposed", status.proposer, None),
            *(signed_by(desk, "sign.decided", account, status.decided_ns) for account in status.deciders),
        ]
    return [*prepared(desk), to_sign(desk, "sign.approval")]


_OF_A_REPLY = ("received_ns", "stance", "text")


def _mark_of(desk: Desk, number: int, field: str) -> str:
    """That a longer text of an event was corrected; both of its forms stand in the table of corrections."""
    event = event_of(desk, number)
    return mark(desk.case, event, field, desk.speech, brief=True) if event is not None else ""


def _heard(desk: Desk, act: ProposeDecision, event: int = 0) -> list[Block]:
    """How the party was informed, what it answered, and how that was weighed; `event` is that of the decision."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    blocks: list[Block] = []
    if lines := delivered(desk):
        blocks.append(Listing(items=tuple(lines)))
    rows = case.replies
    corrected = [marks(rows, case, RecordReply, name, speech, brief=name == "text") for name in _OF_A_REPLY]
    for reply, *of in zip(rows, *corrected, strict=True):
        told = (
            speech.moment(reply.received_ns), speech.term("stance", reply.stance.value),
            reply.text or say("reply.in_document"),
        )  # fmt: skip
        received, stance, text = (speech.sentences(pair) for pair in zip(told, of, strict=True))
        blocks.append(
            Entries(
                entries=(
                    Entry(label=say("reply.received"), value=received),
                    Entry(label=say("reply.stance"), value=stance),
                    Entry(label=say("reply.text"), value=text),
                )
            )
        )
    if not case.replies:
        blocks.append(Paragraph(text=say("reply.none")))
    if act.heard_reply:
        blocks += [Subheading(text=say("reply.weighed")), Paragraph(
            text=speech.sentences([act.heard_reply, _mark_of(desk, event, "heard_reply")])
        )]  # fmt: skip
    given = (marks(case.access, case, GrantAccess, name, speech) for name in ("given_ns", "held_back"))
    for access, *of in zip(case.access, *given, strict=True):
        held_back = speech.listed(access.held_back)
        blocks.append(
            Paragraph(
                text=speech.sentences(
                    [
                        say(
                            "access.held_back" if held_back else "access.given",
                            day=speech.day(access.given_ns),
                            what=held_back,
                        ),
                        *of,
                    ]
                )
            )
        )
    return blocks


def _measures_section(desk: Desk, measures: list[Measure], unknown: list[str]) -> Section:
    speech, say = desk.speech, desk.speech.say
    blocks: list[Block] = [
        Paragraph(text=say("measures.lead")),
        Table(
            columns=(
                Column(head=say("measures.what"), weight=2.0),
                Column(head=say("measures.mode"), weight=1.6),
                Column(head=say("measures.units"), weight=1.7),
                Column(head=say("measures.basis"), weight=2.0),
            ),
            rows=tuple(measure_row(one, desk) for one in measures),
        ),
    ]
    if unknown:
        blocks.append(Callout(title=say("measures.unknown"), lines=(speech.listed(unknown),), tone=Tone.CAUTION))
    for one in measures:
        if one.mode is MeasureMode.NOT_SUPPORTED:
            blocks.append(
                Callout(
                    title=say("measures.not_supported", measure=speech.of(one.text)),
                    lines=(speech.of(one.reason) or say("measures.no_reason"),), tone=Tone.CAUTION,
                )
            )  # fmt: skip
    blocks.append(Paragraph(text=say("measures.by_units")))
    return Section(title=say("measures.title"), blocks=tuple(blocks))


def _no_measures(desk: Desk, outcome: DecisionOutcome) -> Section:
    key = "measures.none.victim" if outcome is DecisionOutcome.VICTIM else "measures.none"
    return Section(title=desk.speech.say("measures.title"), blocks=(Paragraph(text=desk.speech.say(key)),))


# ------------------------------------------------------------------------------------------------------------ measures


def _proposed_measure(desk: Desk, subject: str) -> tuple[Measure, ProposeMeasure | None, int | None]:
    """The measure asked for, with the proposal that asks for it."""
    case, pack = desk.case, desk.pack
    proposals = [status for status in case.proposals if isinstance(status.act, ProposeMeasure)]
    if subject.isdigit():
        proposals = [status for status in proposals if status.number == int(subject)]
        subject = ""
    for status in reversed(proposals):
        act = status.act
        if isinstance(act, ProposeMeasure) and (not subject or act.measure == subject):
            measure = measure_named(pack, act.measure)
            if measure is None:
                break
            return measure, act, status.number
    measure = measure_named(pack, subject)
    if measure is None:
        there = ", ".join(one.id for one in pack.measures) or "none"
        raise NothingToWrite(
            f"the document needs a measure of the pack {pack.id}, and {subject or 'none'!r} came: it has {there}"
        )
    return measure, None, None


def _refuse_unsupported(measure: Measure, pack_id: str, speech: Speech) -> None:
    if measure.mode is MeasureMode.NOT_SUPPORTED:
        reason = speech.of(measure.reason) or "the pack gives no reason"
        raise NothingToWrite(
            f"no document asks for the measure {measure.id!r} of {pack_id}: it is not supported ({reason}); choose "
            "another measure of the pack"
        )


def _refuse_victim(desk: Desk) -> None:
    if desk.case.standing in NOTHING_AGAINST:
        raise NothingToWrite(
            f"case {desk.case.case_id}: the party stands as {desk.case.standing.value!r}, and no measure may be asked "
            "for against it; a help letter or a closure is what can be written"
        )


def _sheets_behind(
    desk: Desk, act: ProposeMeasure | None
) -> tuple[tuple[CalculationSheet, ...], DecisionStatus | None]:
    """The sheets that a measure rests on: its proposal's own, else those of a decision that stands, and that decision.

    The rule that lets a measure pass takes a sheet of either (`headframe.policy.rights`); what was rejected or set
    aside is no sheet of it.
    """
    if act is not None and act.sheets:
        return act.sheets, None
    for one in reversed(desk.case.decisions):
        if one.act.sheets and not one.set_aside:
            return one.act.sheets, one
    return (), None


def _met_by_sheets(desk: Desk, act: ProposeMeasure | None) -> str:
    speech = desk.speech
    sheets, decision = _sheets_behind(desk, act)
    if decision is not None:
        return speech.say("met.sheets.decision", n=len(sheets), day=speech.day(decision.decided_ns))
    return speech.say("met.sheets", n=len(sheets)) if sheets else ""


def _precondition_rows(desk: Desk, measure: Measure, act: ProposeMeasure | None) -> tuple[tuple[str, str], ...]:
    """Each precondition, and by what in the case it is met; one that is not met is said to be open."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    final = next((one for one in reversed(case.decisions) if one.final_ns is not None and not one.set_aside), None)
    approvals = next((status for status in reversed(case.proposals) if act is not None and status.act == act), None)
    persists = next(
        (one for one in reversed(case.verifications) if one[2].outcome is VerificationOutcome.PERSISTS), None
    )
    reply_clock = next((clock for clock in desk.clocks if clock.id == "reply"), None)
    met: dict[Precondition, str] = {
        Precondition.NOTICE_SERVED: (
            say("met.notice", day=speech.day(case.notices[-1].received_ns)) if case.notices else ""
        ),
        Precondition.REPLY_PERIOD_OVER: (
            say("met.reply_period", state=speech.term("clockstate", reply_clock.state.value)) if reply_clock else ""
        ),
        Precondition.SECOND_APPROVER: (
            say("met.approvers", accounts=speech.listed(approvals.approvers))
            if approvals is not None and approvals.approvers else ""
        ),
        Precondition.INSPECTION_RECORD: (
            say("met.inspection", day=speech.day(case.inspections[-1].ended_ns)) if case.inspections else ""
        ),
        Precondition.VIOLATION_CONTINUING: (
            say("met.persists", day=speech.day(persists[2].after_until_ns)) if persists else ""
        ),
        Precondition.CALCULATION_ATTACHED: _met_by_sheets(desk, act),
        Precondition.FINAL_DECISION: say("met.final", day=speech.day(final.final_ns or 0)) if final else "",
        Precondition.COURT_WARRANT: (
            say("met.warrant", name=act.court_warrant.name) if act is not None and act.court_warrant else ""
        ),
    }  # fmt: skip
    return tuple(
        (speech.term("precondition", one.value), met.get(one) or say("met.open")) for one in measure.preconditions
    )


def _measure_sections(desk: Desk, measure: Measure, act: ProposeMeasure | None) -> list[Section | None]:
    speech, say, pack = desk.speech, desk.speech.say, desk.pack
    entries = [
        Entry(label=say("measures.what"), value=speech.of(measure.text) or measure.id),
        Entry(label=say("measures.mode"), value=speech.term("mode", measure.mode.value)),
        Entry(label=say("measure.decides"), value=unit_name(pack, measure.decided_by, speech)),
        Entry(label=say("measure.executes"), value=unit_name(pack, measure.executed_by or measure.decided_by, speech)),
        Entry(label=say("measures.basis"), value=measure_basis(measure, pack, speech)),
    ]
    if measure.ends_when:
        words = measure.ends_words or {"en": measure.ends_when}
        entries.append(Entry(label=say("measure.ends"), value=in_own_words(words, speech)))
    blocks: list[Block] = [Entries(entries=tuple(entries))]
    if act is not None and act.reason:
        blocks += [Subheading(text=say("measure.reason")), Paragraph(text=act.reason)]
    if speech.of(measure.reason):
        blocks.append(Callout(title=say("measure.takes"), lines=(speech.of(measure.reason),)))
    rows = _precondition_rows(desk, measure, act)
    conditions: list[Block] = [
        Table(
            columns=(
                Column(head=say("measure.precondition"), weight=1.3), Column(head=say("measure.met_by"), weight=2.2),
            ),
            rows=rows,
        )
    ] if rows else [Paragraph(text=say("measure.no_preconditions"))]  # fmt: skip
    return [
        Section(title=say("measure.title"), blocks=tuple(blocks)),
        Section(title=say("measure.preconditions"), blocks=tuple(conditions)),
    ]


def measure_request(desk: Desk, subject: str) -> CaseDocument:
    """Ask the unit that carries a measure out to do so. Headframe writes the request and does nothing else."""
    speech, say, pack = desk.speech, desk.speech.say, desk.pack
    _refuse_victim(desk)
    measure, act, number = _proposed_measure(desk, subject)
    _refuse_unsupported(measure, pack.id, speech)
    unit = unit_name(pack, measure.decided_by, speech) or acting_unit(pack, Step.DECIDE, speech)
    to = unit_name(pack, measure.executed_by or measure.decided_by, speech)
    signatures = proposal_signatures(desk, number) if number is not None else [
        *prepared(desk), to_sign(desk, "sign.approval"),
    ]  # fmt: skip
    approved = number is not None and not any(one.account == "" for one in signatures)
    sections: list[Section | None] = [
        *_measure_sections(desk, measure, act),
        _decisions_section(desk),
        _appeals_section(desk),
        facts_section(desk, *plots_of(desk)),
        *inspection_sections(desk),
        sheets_section(_sheets_behind(desk, act)[0], desk),
        rights_section(desk, decision=True, to_party=False),
        lookup_section(desk, to_party=False),
        doubts_section(desk),
        corrections_section(desk.case, speech),
        evidence_section(desk, documents_of(desk)),
        provenance_section(desk),
        signatures_section(desk, signatures, say("sign.measure")),
    ]
    return _made(
        desk, "measure_request", unit=unit, addressee=(to,), title=say("measure.request"),
        lead=(say("measure.lead", measure=speech.of(measure.text) or measure.id, party=desk.party, site=desk.site),),
        standing=Callout(
            title=say("measure.standing" if approved else "measure.draft"),
            lines=(say("measure.standing.text" if approved else "measure.draft.text"),),
            tone=Tone.STRONG if approved else Tone.CAUTION,
        ),
        sections=sections,
    )  # fmt: skip


def _decision_state(desk: Desk, row: DecisionStatus) -> str:
    """Whether a decision holds, as a word for a table; what burdens nobody is not waiting for an appeal."""
    speech, say = desk.speech, desk.speech.say
    if row.set_aside:
        other = _replaced_by(desk.case, row)
        return say("decision.set_aside") if other is None else say(
            "decisions.replaced", day=speech.day(other.decided_ns)
        )  # fmt: skip
    if row.final_ns is not None:
        return say("decision.final")
    return say("decision.not_final" if row.act.outcome is DecisionOutcome.CONFIRMED else "decisions.holds")


def _replaced_by(case: Case, row: DecisionStatus) -> DecisionStatus | None:
    """The decision whose approval took another one away."""
    taken = (one for one in case.decisions if one.number > row.number and one.decided_ns == row.set_aside_ns)
    return next(taken, None)


def _delivery_marks(desk: Desk) -> dict[int, str]:
    """By the number of each decision that was served, that the day of its receipt was corrected."""
    served = [one for one in desk.case.decisions if one.received_ns is not None]
    corrected = marks(served, desk.case, ServeDecision, "received_ns", desk.speech)
    return {one.number: mark for one, mark in zip(served, corrected, strict=True)}


def _decisions_section(desk: Desk) -> Section | None:
    speech, say = desk.speech, desk.speech.say
    if not desk.case.decisions:
        return None
    rows = []
    corrected = _delivery_marks(desk)
    for one in desk.case.decisions:
        told = say("decision.never_served" if one.set_aside else "decision.not_served")
        if one.received_ns is not None:
            told = speech.sentences([speech.day(one.received_ns), corrected[one.number]])
        rows.append(
            (
                speech.term("outcome", one.act.outcome.value), speech.day(one.decided_ns), told,
                _decision_state(desk, one),
            )
        )  # fmt: skip
    return Section(
        title=say("decisions.title"),
        blocks=(
            Table(
                columns=tuple(Column(head=say(f"decisions.{n}")) for n in ("outcome", "decided", "served", "state")),
                rows=tuple(rows),
            ),
        ),
    )


def _appeals_section(desk: Desk) -> Section | None:
    """Appeals of the party, and what became of each."""
    speech, say, rows = desk.speech, desk.speech.say, desk.case.appeals
    if not rows:
        return None
    corrected = (
        marks(rows, desk.case, FileAppeal, name, speech, brief=name == "grounds")
        for name in ("received_ns", "body", "grounds")
    )
    return Section(
        title=say("appeals.title"),
        blocks=(
            Table(
                columns=(
                    Column(head=say("appeals.received"), weight=1.1),
                    Column(head=say("appeals.body"), weight=1.5),
                    Column(head=say("appeals.grounds"), weight=2.4),
                    Column(head=say("appeals.outcome"), weight=1.6),
                ),
                rows=tuple(
                    (
                        speech.sentences([speech.day(one.received_ns), received]),
                        speech.sentences([appeal_body_words(desk, one), body]),
                        speech.sentences([one.grounds, grounds]),
                        say(
                            "appeals.decided", outcome=speech.term("outcome", one.outcome.value),
                            day=speech.day(one.decided_ns),
                        )
                        if one.outcome is not None and one.decided_ns is not None
                        else say("appeals.late" if one.waits_for_admission else "appeals.pending"),
                    )
                    for one, received, body, grounds in zip(rows, *corrected, strict=True)
                ),
            ),
        ),
    )  # fmt: skip


def _carried_out_section(desk: Desk) -> Section | None:
    """Measures that were asked for: when, when they were carried out, and when they ended."""
    speech, say = desk.speech, desk.speech.say
    if not desk.case.measures:
        return None

    done = [(event, act) for event, act in right_events(desk.case) if isinstance(act, RecordMeasure)]

    def day(measure: str, at_ns: int | None) -> str:
        if at_ns is None:
            return say("not_yet")
        event = next((event for event, act in done if (act.measure, act.at_ns) == (measure, at_ns)), None)
        marked = mark(desk.case, event, "at_ns", speech) if event is not None else ""
        return speech.sentences([speech.day(at_ns), marked])

    rows = []
    for one in desk.case.measures:
        measure = measure_named(desk.pack, one.measure)
        name = (speech.of(measure.text) if measure is not None else "") or one.measure
        ended = say("carried.withdrawn") if one.withdrawn else day(one.measure, one.ended_ns)
        rows.append((name, speech.day(one.requested_ns), day(one.measure, one.carried_out_ns), ended))
    return Section(
        title=say("carried.title"),
        blocks=(
            Table(
                columns=(
                    Column(head=say("measures.what"), weight=2.0),
                    *(Column(head=say(f"carried.{n}")) for n in ("requested", "done", "ended")),
                ),
                rows=tuple(rows),
            ),
        ),
    )


def referral_dossier(desk: Desk, subject: str) -> CaseDocument:
    """Hand a case to the unit that may decide what the writer may not: evidence, digests, chain of custody."""
    speech, say, pack = desk.speech, desk.speech.say, desk.pack
    _refuse_victim(desk)
    measure, act, number = _proposed_measure(desk, subject)
    _refuse_unsupported(measure, pack.id, speech)
    unit = acting_unit(pack, Step.DECIDE, speech)
    to = unit_with(pack, UnitRole.RECEIVE_REFERRAL, speech) or unit_name(pack, measure.decided_by, speech)
    signatures = proposal_signatures(desk, number) if number is not None else [
        *prepared(desk), to_sign(desk, "sign.approval"), to_sign(desk, "sign.approval"),
    ]  # fmt: skip
    approved = sum(bool(one.account) for one in signatures[1:])
    complete = number is not None and approved >= 2
    bypass = any(record.bypass_seen for record in desk.case.inspections)
    sections: list[Section | None] = [
        *_measure_sections(desk, measure, act),
        facts_section(desk, *plots_of(desk)),
        *inspection_sections(desk),
        _decisions_section(desk),
        _appeals_section(desk),
        sheets_section(_sheets_behind(desk, act)[0], desk),
        Section(title=say("decision.heard"), blocks=tuple(_replies(desk))),
        doubts_section(desk),
        error_rates_section(desk),
        lookup_section(desk, to_party=False),
        rules_section(desk),
        corrections_section(desk.case, speech),
        evidence_section(desk, [*documents_of(desk), *(kept.ref for kept in desk.file.documents)]),
        course_section(desk, custody=True),
        rights_section(desk, decision=bool(desk.case.decisions), to_party=False),
        provenance_section(desk),
        signatures_section(desk, signatures, say("sign.referral")),
    ]
    return _made(
        desk, "referral_dossier", unit=unit, addressee=(to,), title=say("referral.title"),
        lead=(
            say("referral.lead", measure=speech.of(measure.text) or measure.id, party=desk.party, site=desk.site),
            *((say("referral.bypass"),) if bypass else ()),
        ),
        standing=Callout(
            title=say("referral.standing" if complete else "referral.draft"),
            lines=(say("referral.standing.text" if complete else "referral.draft.text"),),
            tone=Tone.STRONG if complete else Tone.CAUTION,
        ),
        sections=sections,
    )  # fmt: skip


def _replies(desk: Desk) -> list[Block]:
    act = ProposeDecision(outcome=DecisionOutcome.UNDETERMINED, legal_basis=(), reason="")
    return _heard(desk, act)


# -------------------------------------------------------------------------------------------------------- verification


def verification_report(desk: Desk, measurement: Measurement | None = None) -> CaseDocument:
    """What was measured again, with the picture before and after.

    Parameters
    ----------
    desk : Desk
    measurement : Measurement or None
        The one to report where it is not an event yet; else the latest of the case.

    Raises
    ------
    NothingToWrite
        If nothing was measured again.
    """
    speech, say, case, pack = desk.speech, desk.speech.say, desk.case, desk.pack
    signed: list[Signature]
    if measurement is None:
        if not case.verifications:
            raise NothingToWrite(
                f"case {case.case_id} holds no measurement: verify it first (headframe case verify), then write "
                "the report"
            )
        at_ns, account, measurement = case.verifications[-1]
        signed = [signed_by(desk, "sign.verified", account, at_ns)]
    else:
        signed = prepared(desk)
    rule = pack.verification
    outcome = measurement.outcome.value
    result: list[Block] = []
    if measurement.explanation:
        told = translated(measurement.explanation, speech.language)
        result.append(Paragraph(text=_named(measurement.explanation if told is None else told, speech)))
        if told is None:
            result.append(Paragraph(text=say("verify.original"), tone=Tone.SOFT))
    if (plot := plot_before_after(measurement, speech)) is not None:
        result.append(plot)
    else:
        result.append(Paragraph(text=say("verify.no_plot"), tone=Tone.SOFT))
    metrics: list[Block] = [
        Table(
            columns=(
                Column(head=say("verify.metric"), weight=1.7),
                Column(head=say("verify.before"), figures=True, weight=1.1),
                Column(head=say("verify.after"), figures=True, weight=1.1),
                Column(head=say("verify.expected"), figures=True, weight=1.9),
                Column(head=say("verify.coverage"), figures=True, weight=0.9),
                Column(head=say("verify.outcome"), weight=1.3),
            ),
            rows=tuple(
                (
                    speech.term("metric", one.metric),
                    _with_unit(one.before, one.unit, speech),
                    _with_unit(one.after, one.unit, speech),
                    _expected(one.expected, one.low, one.high, one.unit, speech),
                    speech.share(one.coverage),
                    speech.term("verified", one.outcome.value),
                )
                for one in measurement.metrics
            ),
        ),
        Listing(
            items=tuple(
                say(
                    "verify.explained",
                    metric=speech.term("metric", one.metric),
                    text=_in_language(one.explanation, speech),
                )
                for one in measurement.metrics
                if one.explanation
            )
        ),
    ]
    method = [
        Entry(
            label=say("verify.window.before"),
            value=speech.from_to(measurement.before_from_ns, measurement.before_until_ns),
        ),
        Entry(
            label=say("verify.window.after"),
            value=speech.from_to(measurement.after_from_ns, measurement.after_until_ns),
        ),
        Entry(label=say("verify.detectors"), value=speech.listed(measurement.detectors) or say("none")),
        Entry(label=say("verify.coverage"), value=speech.share(measurement.coverage)),
        Entry(
            label=say("verify.rule"),
            value=say(
                "verify.rule.text", days=rule.window_days, coverage=speech.share(rule.min_coverage),
                basis=with_basis(rule.basis, "", pack, speech),
            ),
        ),
    ]  # fmt: skip
    if rule.normalise:
        method.append(
            Entry(
                label=say("verify.normalised"),
                value=say(
                    "verify.normalised.text",
                    what=speech.listed(speech.term("normalise", one) for one in rule.normalise),
                ),
            )
        )
    blind = measurement.outcome is VerificationOutcome.NOT_ENOUGH_DATA
    key = "some" if measurement.new_findings else "blind" if blind else "none"
    found: list[Block] = [Paragraph(text=say(f"verify.new.{key}"))]
    if measurement.new_findings:
        found.append(
            Listing(
                items=tuple(
                    say(
                        "verify.new.one", detector=one.detector, version=one.version, subject=one.subject,
                        period=speech.from_to(one.started_ns, one.ended_ns), id=one.finding_id,
                    )
                    for one in measurement.new_findings
                )
            )
        )  # fmt: skip
    if measurement.missing:
        found.append(
            Callout(
                title=say("verify.missing"),
                lines=tuple(_in_language(line, speech) for line in measurement.missing),
                tone=Tone.CAUTION,
            )
        )
    sections: list[Section | None] = [
        Section(title=say("verify.result"), blocks=tuple(result)),
        Section(title=say("verify.metrics"), blocks=tuple(metrics)) if measurement.metrics else None,
        Section(title=say("verify.found"), blocks=tuple(found)),
        _remedies_section(desk),
        Section(title=say("verify.method"), blocks=(Entries(entries=tuple(method)),)),
        Section(
            title=say("verify.limits"),
            blocks=(Listing(items=tuple(say(f"verify.limits.{n}") for n in ("elsewhere", "window", "baseline"))),),
        ),
        corrections_section(desk.case, speech),
        evidence_section(desk, [ref for remedy in case.remedies for ref in remedy.documents]),
        provenance_section(desk),
        signatures_section(desk, signed, say("sign.verification")),
    ]
    tone = Tone.STRONG if measurement.outcome is VerificationOutcome.RECTIFIED else Tone.CAUTION
    return _made(
        desk, "verification_report", unit=acting_unit(pack, Step.VERIFY, speech), addressee=(),
        title=say("verify.title"),
        lead=(say(f"verify.lead.{outcome}", site=desk.site),),
        standing=Callout(title=speech.term("verified", outcome), lines=(say(f"verify.means.{outcome}"),), tone=tone),
        sections=sections,
    )  # fmt: skip


def _with_unit(value: float, unit: str, speech: Speech) -> str:
    if not math.isfinite(value):
        return speech.say("not_measured")
    return f"{speech.number(value)} {speech.unit(unit)}".strip()


def _expected(expected: float, low: float, high: float, unit: str, speech: Speech) -> str:
    if not math.isfinite(expected):
        return speech.say("not_known")
    if not math.isfinite(low + high):
        return _with_unit(expected, unit, speech)
    return speech.say(
        "interval.brief", middle=_with_unit(expected, unit, speech), low=speech.number(low), high=speech.number(high)
    )


_OF_A_REMEDY = ("at_ns", "grade", "text")


def _remedies_section(desk: Desk) -> Section | None:
    speech, say, rows = desk.speech, desk.speech.say, desk.case.remedies
    if not rows:
        return None
    return Section(
        title=say("remedy.title"),
        blocks=(
            Table(
                columns=(
                    Column(head=say("remedy.when"), weight=1.0),
                    Column(head=say("remedy.grade"), weight=1.8),
                    Column(head=say("remedy.what"), weight=2.4),
                ),
                rows=tuple(
                    (
                        speech.sentences([speech.day(one.at_ns), at]),
                        speech.sentences([speech.term("grade", one.grade.value), grade]),
                        speech.sentences([one.text, text]),
                    )
                    for one, at, grade, text in zip(
                        rows,
                        *(marks(rows, desk.case, RecordRemedy, of, speech, brief=of == "text") for of in _OF_A_REMEDY),
                        strict=True,
                    )
                ),
            ),
        ),
    )


# ------------------------------------------------------------------------------------------------------------- closure


def closure(desk: Desk) -> CaseDocument:
    """Why the case ends, on what, what stays, and what would open it again."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    proposal = next((one for one in reversed(case.proposals) if isinstance(one.act, ProposeClosure)), None)
    reason = case.closure
    text = ""
    if proposal is not None and isinstance(proposal.act, ProposeClosure):
        reason, text = reason or proposal.act.reason, proposal.act.text
    if reason is None:
        raise NothingToWrite(
            f"case {case.case_id} is not closed, and no closure is proposed: propose one first; silence closes nothing"
        )
    signatures = proposal_signatures(desk, proposal.number) if proposal is not None else [
        *prepared(desk), to_sign(desk, "sign.approval"),
    ]  # fmt: skip
    why: list[Block] = [Paragraph(text=say(f"closure.because.{reason.value}"))]
    if text and proposal is not None:
        why.append(Paragraph(text=speech.sentences([text, _mark_of(desk, proposal.number, "text")])))
    if case.verifications:
        _, _, measured = case.verifications[-1]
        why.append(
            Paragraph(
                text=say(
                    "closure.measured", outcome=speech.term("verified", measured.outcome.value),
                    start=speech.day(measured.after_from_ns), end=speech.last_day_before(measured.after_until_ns),
                )
            )
        )  # fmt: skip
        if (plot := plot_before_after(measured, speech)) is not None:
            why.append(plot)
    stays = [say("closure.stays.ledger"), say("closure.stays.contacts"), say("closure.stays.retention")]
    if case.on_hold:
        stays.append(say("closure.stays.hold"))
    stays += [_register_line(one_expires, outcome, desk) for outcome, one_expires in _registered(desk)]
    again = [say("closure.again.findings"), say("closure.again.error")]
    at_the_end = rights_at_the_end(case, registered=bool(_registered(desk)))
    if RightKind.APPEAL in at_the_end:
        again.append(say("closure.again.appeal"))
    if rule := desk.pack.verification.reopen_if:
        words = desk.pack.verification.reopen_words or {"en": rule}
        again.append(say("closure.again.pack", text=in_own_words(words, speech)))
    sections: list[Section | None] = [
        Section(title=say("closure.why"), blocks=tuple(why)),
        _remedies_section(desk),
        _decisions_section(desk),
        _appeals_section(desk),
        _carried_out_section(desk),
        Section(title=say("closure.stays"), blocks=(Listing(items=tuple(stays)),)),
        Section(title=say("closure.again"), blocks=(Listing(items=tuple(again)),)),
        Section(title=say("links.title"), blocks=(Listing(items=tuple(links_lines(desk))),)) if case.links else None,
        rights_section(desk, decision=bool(case.decisions), only=at_the_end),
        where_section(desk, Step.CLOSE),
        course_section(desk),
        corrections_section(desk.case, speech),
        evidence_section(desk, documents_of(desk)),
        provenance_section(desk),
        signatures_section(desk, signatures, say("sign.closure")),
    ]
    closed = case.closed_ns is not None
    return _made(
        desk, "closure", unit=acting_unit(desk.pack, Step.CLOSE, speech), addressee=to_party(desk),
        title=say("closure.title"), lead=(say(f"closure.lead.{reason.value}", site=desk.site),),
        standing=Callout(
            title=say("closure.closed", day=speech.day(case.closed_ns)) if closed and case.closed_ns is not None
            else say("closure.draft"),
            lines=(say("closure.closed.text" if closed else "closure.draft.text"),),
            tone=Tone.STRONG if closed else Tone.CAUTION,
        ),
        sections=sections,
    )  # fmt: skip


def _in_language(text: str, speech: Speech) -> str:
    """Words of a measurement in the document's language; marked as the original where they have no form in it."""
    told = translated(text, speech.language)
    return speech.say("verify.original.one", text=text) if told is None else _named(told, speech)


def _named(text: str, speech: Speech) -> str:
    """A text with metrics by their names: ``kWh_per_day`` is a key of a policy pack and no word of any language."""

    def name(found: re.Match[str]) -> str:
        term = speech.term("metric", found[0])
        # A name in a sentence begins small, as long as it is no abbreviation.
        inside = found.start() > 0 and not text[: found.start()].rstrip().endswith((".", ":"))
        return term[:1].lower() + term[1:] if inside and term[1:2].islower() else term

    return _METRIC_KEYS.sub(name, text)


def _registered(desk: Desk) -> list[tuple[str, int | None]]:
    return [(one.outcome.value, one.expires_ns) for one in desk.file.register_entries if one.removed_ns is None]


def _register_line(expires_ns: int | None, outcome: str, desk: Desk) -> str:
    speech = desk.speech
    until = speech.say("closure.register.until", day=speech.day(expires_ns)) if expires_ns is not None else speech.say(
        "closure.register.open"
    )  # fmt: skip
    return speech.say("closure.register", outcome=speech.term("outcome", outcome), until=until)


__all__ = [
    "NothingToWrite",
    "closure",
    "decision",
    "inspection_request",
    "inspection_sections",
    "measure_request",
    "referral_dossier",
    "setting_aside",
    "verification_report",
]
