"""Cases for the screen and for scripts: lists, one case with everything that a decision needs, events.

What a person decides on stands side by side: what supports mining, what contradicts it, what is missing; each date with
what it rests on; each measure with why it may or may not be asked for; and what the policy pack does not know.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from headframe.cases.codec import act_to_json
from headframe.cases.question import joint_log10_e
from headframe.cases.store import CaseRow, StoredFinding
from headframe.policy.appeals import body_of
from headframe.records.case import (
    Accepted,
    CaseFile,
    Correction,
    KeptDocument,
    ProposalState,
    RegisterEntry,
)
from headframe.records.finding import Family
from headframe.records.policy import Basis, Clock, ClockState, Pack, words_in
from headframe.reports.words import clock_time, count, instant, power_of_ten, visible

if TYPE_CHECKING:
    from headframe.cases.steps import NextStep
    from headframe.policy.classify import Classification
    from headframe.policy.rights import MeasureState, RightState

PEOPLE_DECIDE = "People decide. Nothing here was sent to anybody, and no measure executes itself."

CASE_COLUMNS = {
    "case": "case", "stage": "stage", "standing": "party", "site": "site", "site_name": "name", "region": "region",
    "pack": "pack", "families": "evidence", "clock": "next clock", "due": "due", "basis": "basis of the date",
}  # fmt: skip
EVENT_COLUMNS = {
    "number": "no.", "at": "when", "account": "account", "unit": "unit", "act": "act", "summary": "what",
    "log_index": "in the log at",
}  # fmt: skip
STEP_COLUMNS = {
    "ready": "now", "step": "step", "command": "command", "duties": "duty", "units": "unit", "barred": "not by",
    "missing": "still missing",
}  # fmt: skip
DOCUMENT_COLUMNS = {
    "name": "name", "kind": "kind", "language": "language", "created": "since", "event": "event", "sha256": "sha-256",
    "size": "bytes",
}  # fmt: skip
REGISTER_COLUMNS = {
    "entry": "entry", "organisation": "organisation", "site": "site", "outcome": "outcome", "basis": "legal basis",
    "final": "final since", "appeal": "appeal", "expires": "until", "left": "left the register",
}  # fmt: skip


def zoned(at_ns: int | None, pack: Pack | None) -> str:
    """An instant in the pack's zone and in UTC; a dash where there is none.

    Parameters
    ----------
    at_ns : int or None
        [ns since 1970-01-01 UTC]
    pack : Pack or None
    """
    if at_ns is None:
        return "-"
    utc = f"{clock_time(at_ns)[:16]} UTC"
    if pack is None or pack.time_zone in ("", "UTC"):
        return utc
    local = datetime.fromtimestamp(at_ns // 1_000_000_000, tz=UTC).astimezone(ZoneInfo(pack.time_zone))
    return f"{local:%Y-%m-%d %H:%M} {pack.time_zone} ({utc})"


def _instant(at_ns: int | None) -> str | None:
    return None if at_ns is None else instant(at_ns)


# Lists ---------------------------------------------------------------------------------------------------------------


def case_row(row: CaseRow, pack: Pack | None) -> dict[str, Any]:
    """One row of a list of cases, as plain values."""
    return {
        "case": row.case_id,
        "stage": row.stage.value,
        "standing": row.standing.value,
        "site": row.site_id,
        "site_name": row.site_name,
        "organisation": row.organisation_id,
        "region": row.region,
        "site_kind": row.site_kind,
        "pack": row.pack_id,
        "families": list(row.families),
        "clock": row.next_clock,
        "due": zoned(row.next_due_ns, pack) if row.next_due_ns is not None else "",
        "due_utc": _instant(row.next_due_ns),
        "basis": row.next_due_basis,
        "opened": instant(row.opened_ns),
        "last": instant(row.last_ns),
        "version": row.version,
        "on_hold": row.on_hold,
    }


def finding_row(found: StoredFinding) -> dict[str, Any]:
    """One row of a list of findings, as plain values."""
    ref = found.ref
    return {
        "finding_id": ref.finding_id,
        "site_id": found.site_id,
        "subject": ref.subject,
        "family": ref.family.value,
        "detector": ref.detector,
        "version": ref.version,
        "coin": found.coin,
        "evidence": round(ref.log10_e, 2) if math.isfinite(ref.log10_e) else None,
        "started": instant(ref.started_ns),
        "ended": instant(ref.ended_ns),
        "mining": ref.mining,
        "sha256": ref.sha256,
    }


def register_row(entry: RegisterEntry) -> dict[str, Any]:
    """One entry of the register of decisions; of one that has left, its number and when it left."""
    if entry.removed_ns is not None:
        return {"entry": entry.entry_id, "left": instant(entry.removed_ns), "why": entry.removal_reason or "removed"}
    return {
        "entry": entry.entry_id,
        "case": entry.case_id,
        "decision": entry.decision,
        "organisation": entry.organisation_id,
        "site": entry.site_id,
        "outcome": entry.outcome.value,
        "basis": list(entry.legal_basis),
        "decided": instant(entry.decided_ns),
        "final": instant(entry.final_ns),
        "appeal": entry.appeal,
        "expires": _instant(entry.expires_ns),
        "left": None,
    }


def document_rows(documents: Iterable[KeptDocument]) -> list[dict[str, Any]]:
    """Documents of a case, as plain values."""
    return [
        {
            "sha256": one.ref.sha256,
            "name": one.ref.name,
            "kind": one.ref.kind,
            "media_type": one.ref.media_type,
            "language": one.language,
            "size": one.ref.size,
            "created": instant(one.created_ns),
            "event": one.event,
        }
        for one in documents
    ]


# One case ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryDifference:
    """Something that a case holds of its site since it was opened, and that the registry says otherwise now.

    Attributes
    ----------
    field : str
        Of the event that opened the case: ``site_kind``, ``region``, ``site_name``, ``organisation_id``,
        ``organisation_name``, ``usage_points``; or ``site_id`` where the registry does not have the site any more, or
        says that it has ended.
    held, registry : str or tuple of str
        What the case holds, and what the registry says.
    """

    field: str
    held: str | tuple[str, ...]
    registry: str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """Everything that a screen shows of a case.

    Attributes
    ----------
    file : CaseFile
    pack : Pack
    now_ns : int
        [ns since 1970-01-01 UTC]
    clocks : tuple of Clock
    measures : tuple of MeasureState
    rights : tuple of RightState
    steps : tuple of NextStep
        What may be done next, and what each step lacks.
    classes : Classification
        What the pack's criteria propose.
    training : bool
        Nothing in the workspace is a real case.
    linked_from : tuple of (str, str)
        Other cases of the same site that name this one, and how they stand to it: ``recurred_as``, ``split_into``,
        ``same_operator``.
    registry : tuple of RegistryDifference
        What the registry says otherwise than the case does; of an open case only.
    """

    file: CaseFile
    pack: Pack
    now_ns: int
    clocks: tuple[Clock, ...]
    measures: tuple[MeasureState, ...]
    rights: tuple[RightState, ...]
    steps: tuple[NextStep, ...]
    classes: Classification
    training: bool = False
    linked_from: tuple[tuple[str, str], ...] = ()
    registry: tuple[RegistryDifference, ...] = ()


def event_rows(view: CaseView, places: Mapping[str, int | None]) -> list[dict[str, Any]]:
    """Events of a case with their places in the ledger, as plain values; what was corrected is said beside it."""
    corrections: dict[int, list[Correction]] = {}
    for one in view.file.case.corrections:
        corrections.setdefault(one.event, []).append(one)
    return [
        {
            "number": event.number,
            "at": zoned(event.at_ns, view.pack),
            "at_utc": instant(event.at_ns),
            "account": event.account,
            "unit": event.unit,
            "act": event.act.NAME,
            "summary": "; ".join(
                filter(
                    None,
                    (
                        act_words(event.act, view.pack),
                        *(_marked(one, view.pack) for one in corrections.get(event.number, ())),
                    ),
                )
            ),
            "content": act_to_json(event.act),
            "corrected": [
                {"field": one.field, "right": one.value, "reason": one.reason, "approved": instant(one.approved_ns)}
                for one in corrections.get(event.number, ())
            ],
            "log_index": places.get(f"case/{event.case_id}/{event.number}"),
        }
        for event in view.file.events
    ]


def _marked(one: Correction, pack: Pack) -> str:
    right = _right_value(one.field, one.value, pack)
    return f"CORRECTED {clock_time(one.approved_ns)[:10]}: {one.field} is {right}"


def _right_value(field: str, value: str, pack: Pack | None) -> str:
    """What a correction says is right: an instant as a time, anything else as it was given."""
    digits = value.strip('"')
    return zoned(int(digits), pack) if field.endswith("_ns") and re.fullmatch(r"[0-9]{1,19}", digits) else value


_TELLING = (
    "event", "decision", "kind", "outcome", "standing", "stance", "grade", "measure", "clock", "proposal", "reason",
    "text", "summary", "explanation", "grounds", "body", "report", "relation", "field", "value",
)  # fmt: skip


def act_words(act: Any, pack: Pack | None = None) -> str:
    """An act in one line: the parts that tell it from others of its kind; with a pack, instants in its zone."""
    said = []
    for name in _TELLING:
        value = getattr(act, name, None)
        if name == "value" and isinstance(value, str):
            value = _right_value(getattr(act, "field", ""), value, pack)
        if value not in (None, ""):
            numbered = ("proposal", "clock", "measure", "grade", "event", "decision")
            said.append(f"{name} {value}" if name in numbered else str(value))
    record = getattr(act, "record", None)
    if record is not None:
        said += [record.place, *record.observations]
    measurement = getattr(act, "measurement", None)
    if measurement is not None:
        said += [str(measurement.outcome), measurement.explanation]
    findings = getattr(act, "findings", None)
    if findings:
        said.append(count(len(findings), "finding"))
    falls = getattr(act, "falls", None)
    if falls:
        said.append(f"takes away what {count(len(falls), 'event')} brought: {', '.join(map(str, falls))}")
    return "; ".join(said)


def families_of(view: CaseView) -> list[dict[str, Any]]:
    """Each family of evidence: whether it supports, contradicts or is missing, and what it rests on."""
    case = view.file.case
    rows: list[dict[str, Any]] = []
    for family in Family:
        refs = [ref for ref in case.findings if ref.family is family]
        mining = [ref for ref in refs if ref.mining]
        against = []
        for ref, document in zip(case.findings, view.file.finding_documents, strict=True):
            if ref.family is family:
                against += _contradictions(document, ref.detector)
        standing = "supporting" if mining else "contradicting" if against else "weak" if refs else "missing"
        if family is Family.INSPECTION and case.inspections:
            seen = [one for one in case.inspections if one.machines_seen or one.bypass_seen]
            standing = "supporting" if seen else "contradicting"
        if family is Family.REGISTRY and case.lookup is not None:
            standing = "contradicting" if case.lookup.outcome in ("listed", "partly") else "silent"
        rows.append(
            {
                "family": family.value,
                "standing": standing,
                "findings": len(refs),
                "log10_e": max((ref.log10_e for ref in mining), default=None),
                "detectors": sorted({f"{ref.detector} {ref.version}" for ref in refs}),
                "contradictions": list(dict.fromkeys(against)),
            }
        )
    return rows


def _contradictions(document: Mapping[str, Any], detector: str) -> list[str]:
    """What a finding's document says against mining."""
    said = document.get("contradictions")
    if isinstance(said, list):
        return [str(line) for line in said]
    inner = document.get("findings")
    told: list[str] = []
    if isinstance(inner, list):
        for one in inner:
            if isinstance(one, dict) and one.get("detector") == detector:
                told += [str(line) for line in one.get("contradictions") or ()]
    for one in document.get("counter_hypotheses") or ():
        if isinstance(one, dict) and one.get("standing") == "possible":
            told.append(f"it could also be {str(one.get('name')).replace('_', ' ')}: {one.get('text')}")
    return told


def case_lines(view: CaseView, *, language: str = "en") -> Iterator[str]:
    """A case for the screen, line by line.

    Parameters
    ----------
    view : CaseView
    language : str
        Of the pack's own words.

    Yields
    ------
    str
        Without a line end.
    """
    case, pack = view.file.case, view.pack
    if view.training:
        yield "TRAINING WORKSPACE: nothing in it is a real case."
    yield f"{case.case_id}  {case.stage}  {visible(view.file.site_name)} ({visible(case.site_id)}, {case.site_kind})"
    organisation = visible(view.file.organisation_name) if case.organisation_id else "none known"
    yield f"organisation: {organisation}; region: {visible(case.region) or '-'}"
    yield f"opened {zoned(case.opened_ns, pack)} by {case.opened_by}; {count(case.version, 'event')}" + (
        "; ON LEGAL HOLD" if case.on_hold else ""
    )
    yield f"pack {pack.id} {pack.version}: {visible(words_in(pack.title, language))}"
    yield f"legal review of the pack: {pack.provenance.legal_review}"
    if case.closure is not None:
        yield f"closed {zoned(case.closed_ns, pack)}: {case.closure}"
    for other, relation in case.links:
        yield f"linked: {relation} {other}"
    for other, how in view.linked_from:
        yield f"linked: {how} {other}"
    yield from _registry_lines(view)
    for kept in view.file.strange_documents:
        yield (
            f"{visible(kept.ref.name)} (SHA-256 {kept.ref.sha256}) is in the database as a document of the case, and "
            "not in the log: hand nothing out, and find out who could write into the database"
        )
    yield ""
    yield f"party: {case.standing}"
    for axis, value in case.axes:
        yield f"  {axis}: {value}"
    if case.lookup is None:
        yield "lawful mining: not looked up yet"
    else:
        yield f"lawful mining: {case.lookup.outcome}, looked up {zoned(case.lookup_ns, pack)}"
        yield f"  {visible(case.lookup.explanation, 1_000)}"
    yield from _class_lines(view)
    yield ""
    yield "Evidence:"
    for row in families_of(view):
        what = f"{count(row['findings'], 'finding')}, {', '.join(row['detectors'])}" if row["findings"] else ""
        strength = f", 10^{row['log10_e']:.1f} to 1" if row["log10_e"] is not None and row["log10_e"] > 0 else ""
        yield f"  {row['family']:<10} {row['standing']:<13} {visible(what)}{strength}".rstrip()
        for line in row["contradictions"]:
            yield f"    against: {visible(line, 300)}"
    yield from _evidence_lines(view)
    yield ""
    yield "Clocks:"
    for clock in view.clocks:
        if clock.state is ClockState.NOT_STARTED:
            continue
        yield f"  {clock_words(clock, pack)}"
    waiting = [clock.id for clock in view.clocks if clock.state is ClockState.NOT_STARTED]
    if waiting:
        yield f"  not started: {', '.join(waiting)}"
    open_proposals = [one for one in case.proposals if one.state is ProposalState.OPEN]
    if open_proposals:
        yield ""
        yield "Waiting for a second account:"
        for one in open_proposals:
            still = one.needed - len(one.approvers)
            yield (
                f"  {one.number} {one.act.NAME} by {one.proposer}: {visible(act_words(one.act, view.pack), 300)} "
                f"({count(still, 'approval')} more)"
            )
    yield from _appeal_lines(view)
    yield ""
    yield "Rights of the party:"
    for right in view.rights:
        used = "used" if right.used else "not used yet"
        until = f", clock {right.clock.id}" if right.clock is not None else ""
        yield f"  {right.right}: {used}{f', at {visible(right.body)}' if right.body else ''}{until}"
    yield ""
    yield "Measures (people ask for them, none executes itself):"
    for state in view.measures:
        text = visible(words_in(state.measure.text, language), 300)
        yield f"  {'allowed' if state.allowed else 'barred'}  {state.measure.id}: {text}"
        for reason in (*state.missing, *state.remarks):
            yield f"    {visible(reason, 400)}"
    yield ""
    steps = step_rows(view)
    for head, any_time in (("What may be done now:", False), ("What may be done at any time:", True)):
        ready = [step for step in steps if step["ready"] and step["any_time"] is any_time]
        if ready or not any_time:
            yield head
        for step in ready:
            yield f"  {step['command']} ({_by_whom(step)})"
    waiting_steps = [step for step in steps if not step["ready"]]
    if waiting_steps:
        yield "What lacks something:"
    for step in waiting_steps:
        yield f"  {' '.join(filter(None, (step['act'], step['variant'])))} ({_by_whom(step)})"
        for reason in step["missing"]:
            yield f"    {visible(reason, 600)}"
    if pack.provenance.gaps:
        yield ""
        yield "What the pack does not know:"
        for gap in pack.provenance.gaps:
            yield f"  {visible(gap, 600)}"
    yield ""
    yield PEOPLE_DECIDE


def _registry_lines(view: CaseView) -> Iterator[str]:
    """What the registry says otherwise now, and what to do about it."""
    if not view.registry:
        return
    case_id, opening = view.file.case.case_id, view.file.events[0].number
    yield "The registry says otherwise now than when the case was opened:"
    for one in view.registry:
        held, now = (
            "none" if not said else visible(said if isinstance(said, str) else ", ".join(said), 300)
            for said in (one.held, one.registry)
        )
        yield f"  {one.field}: the case holds {held}, the registry {now}"
        # No correction empties a text: where the registry says nothing, what the case holds stays.
        if one.field != "site_id" and one.registry != "":
            right = one.registry if isinstance(one.registry, str) else json.dumps(one.registry, ensure_ascii=False)
            yield (
                f"    headframe case correct {case_id} --event {opening} --field {one.field} "
                f"--value {visible(shlex.quote(right), 400)} --reason TEXT"
            )
    yield "  Correct what was wrong when the case was opened. What has changed since stays: do nothing."


def _appeal_lines(view: CaseView) -> Iterator[str]:
    """Every appeal by the number of its event, when it came, whether it was late, and what became of it."""
    case, pack = view.file.case, view.pack
    if case.appeals:
        yield ""
        yield "Appeals:"
    for one in case.appeals:
        late = ", LATE" if one.late else ""
        if one.outcome is not None:
            state = f"{one.outcome} {zoned(one.decided_ns, pack)}"
        elif one.waits_for_admission:
            state = "nobody has said yet whether it is heard"
        else:
            state = "admitted, and being heard" if one.late else "being heard"
        yield f"  {one.event}: against decision {one.decision}, came {zoned(one.received_ns, pack)}{late}: {state}"
        elsewhere = " (a body that the pack does not name)" if body_of(pack, one.body) is None else ""
        yield f"    {visible(one.body)}{elsewhere}: {visible(one.grounds, 400)}"


def _evidence_lines(view: CaseView) -> Iterator[str]:
    """What the findings come to together, and what a notice needs, with its basis."""
    case, rule = view.file.case, view.pack.notice_evidence
    basis = f"{rule.basis}{f', {rule.ref}' if rule.ref else ''}"
    yield (
        f"  together: {power_of_ten(joint_log10_e(case))}, independent sources multiplied, others averaged; a notice "
        f"needs {rule.least_e:g} [{basis}], or machines seen by an inspection"
    )


def _by_whom(step: Mapping[str, Any]) -> str:
    said = f"duty {' or '.join(step['duties'])}"
    if step["units"]:
        said += f"; of {' or '.join(step['units'])}"
    return f"{said}; not by {', '.join(step['barred'])}" if step["barred"] else said


def _class_lines(view: CaseView) -> Iterator[str]:
    proposed = view.classes
    yield f"the pack proposes: {proposed.standing}: {visible(proposed.standing_text, 400)}"
    for row in proposed.axes:
        yield f"  {row.axis.id} = {row.value or '-'}: {visible(row.text, 300)}"
    met = [row for row in proposed.criteria if row.verdict == "met"]
    for criterion in met:
        ref = criterion.criterion.ref
        basis = f"{criterion.criterion.basis}{f', {ref}' if ref else ''}"
        yield f"  met: {criterion.criterion.id} [{basis}]: {visible(criterion.text, 300)}"


def class_document(view: CaseView) -> dict[str, Any]:
    """What the pack's criteria propose, as plain values."""
    proposed = view.classes
    return {
        "standing": proposed.standing.value,
        "standing_text": proposed.standing_text,
        "axes": [
            {"axis": row.axis.id, "value": row.value, "criteria": list(row.criteria), "text": row.text}
            for row in proposed.axes
        ],
        "criteria": [
            {
                "id": row.criterion.id,
                "verdict": row.verdict.value,
                "basis": row.criterion.basis.value,
                "ref": row.criterion.ref,
                "text": row.text,
                "findings": list(row.refs),
            }
            for row in proposed.criteria
        ],
    }


_COMMAND = {
    "add_findings": "add CASE", "look_up_lawful": "lookup CASE", "propose_class": "propose CASE --standing WHICH",
    "propose_notice": "notice CASE --kind VARIANT", "serve_notice": "serve CASE --notice NUMBER",
    "reply": "reply CASE --stance WHAT --text TEXT", "grant_access": "access CASE", "pause_clock": "pause CASE VARIANT",
    "resume_clock": "resume CASE VARIANT", "extend_clock": "extend CASE VARIANT --until TIME",
    "inspect": "inspect CASE", "propose_decision": "decide CASE --outcome VARIANT",
    "serve_decision": "serve CASE --decision", "serve_setting_aside": "serve CASE --setting-aside NUMBER",
    "declare_final": "final CASE",
    "propose_measure": "measure CASE VARIANT",
    "record_measure": "measure CASE VARIANT --done-by UNIT", "remedy": "remedy CASE --grade GRADE --text TEXT",
    "verify": "verify CASE", "propose_closure": "close CASE --as-closed VARIANT", "propose_reopening": "reopen CASE",
    "appeal": "appeal CASE --body VARIANT --grounds TEXT", "decide_appeal": "appeal CASE --outcome WHAT --reason TEXT",
    "admit_appeal": "appeal CASE --VARIANT --reason TEXT",
    "propose_correction": "correct CASE", "approve": "approve CASE NUMBER", "reject": "reject CASE NUMBER",
    "withdraw": "withdraw CASE NUMBER", "link": "link CASE OTHER", "report": "report CASE --report VARIANT",
    "hold": "hold CASE", "lift_hold": "hold CASE --lift", "open": "open SITE --recurrence-of CASE",
}  # fmt: skip
"""How each act is asked for."""


def step_rows(view: CaseView, *, ready_only: bool = False) -> list[dict[str, Any]]:
    """What may be done next, by whom, and what is still missing, as plain values.

    A step is what somebody does: a measurement is one step, whichever its outcome. Outcomes that lack the same stand in
    one row; where one of them lacks more than the others, that is a row of its own.
    """
    from headframe.cases.steps import PROVED

    rows: list[dict[str, Any]] = []
    for step in view.steps:
        if ready_only and not step.ready:
            continue
        command = _COMMAND[step.act].replace("CASE", view.file.case.case_id).replace("SITE", view.file.case.site_id)
        command = command.replace("VARIANT", step.variant.removesuffix(" ended"))
        if step.act in ("admit_appeal", "decide_appeal") and step.proposal is not None:
            command = command.replace("--reason", "--appeal NUMBER --reason")
        if step.act == "decide_appeal" and step.variant:  # of a late one that waits, not every outcome is to be had
            command = command.replace("WHAT", step.variant)
        if step.variant.endswith(" ended"):
            command = command.replace("--done-by", "--ended-by")
        if step.variant == PROVED:
            command = f"{command.replace('--decision', '--decision-number NUMBER')} --proof SLIP"
        rows.append(
            {
                "step": step.step.value,
                "act": step.act,
                "variant": step.variant,
                "variants": [step.variant] if step.variant else [],
                "proposal": step.proposal,
                "ready": step.ready,
                "any_time": step.any_time,
                "duties": [duty.value for duty in step.duties],
                "units": list(step.units),
                "barred": list(step.barred),
                "missing": list(step.missing),
                "command": f"headframe case {command.replace('NUMBER', str(step.proposal or 'NUMBER'))}",
            }
        )
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["command"], row["act"], row["ready"], *row["missing"])
        if (first := merged.setdefault(key, row)) is not row:
            first["variants"] += row["variants"]
            first["variant"] = ""
    return list(merged.values())


def clock_words(clock: Clock, pack: Pack) -> str:
    """A clock in one line: until when, on what basis, and how the date came about."""
    basis = {
        Basis.STATUTORY: f"statutory, {clock.ref}",
        Basis.POLICY: f"policy, {clock.ref}",
        Basis.OPERATOR_DEFAULT: "operator default: no public text says so",
    }[clock.basis]
    until = f"through {clock.due_day}" if clock.due_day else ""
    if clock.due_ns is not None:
        until = f"{until}, over at {zoned(clock.due_ns, pack)}".removeprefix(", ")
    provisional = "; provisional: the days off of that year are not published yet" if clock.provisional else ""
    why = f"; {visible(clock.explanation, 400)}" if clock.explanation else ""
    return f"{clock.id}: {clock.state}{f' {until}' if until else ''} [{basis}]{why}{provisional}"


def view_document(view: CaseView, *, language: str = "en") -> dict[str, Any]:
    """A case as plain values: what `case_lines` says, for programs."""
    case, pack = view.file.case, view.pack
    return {
        "case": case.case_id,
        "stage": case.stage.value,
        "version": case.version,
        "training": view.training,
        "site": {
            "site_id": case.site_id,
            "name": view.file.site_name,
            "kind": case.site_kind,
            "region": case.region,
            "usage_points": list(case.usage_points),
        },
        "organisation": {"organisation_id": case.organisation_id, "name": view.file.organisation_name},
        "registry_differs": [
            {
                "field": one.field,
                "case": one.held if isinstance(one.held, str) else list(one.held),
                "registry": one.registry if isinstance(one.registry, str) else list(one.registry),
            }
            for one in view.registry
        ],
        "pack": {
            "id": pack.id,
            "version": pack.version,
            "sha256": pack.digest,
            "title": words_in(pack.title, language),
            "time_zone": pack.time_zone,
            "legal_review": pack.provenance.legal_review,
            "gaps": list(pack.provenance.gaps),
        },
        "opened": instant(case.opened_ns),
        "closed": _instant(case.closed_ns),
        "closure": None if case.closure is None else case.closure.value,
        "on_hold": case.on_hold,
        "standing": case.standing.value,
        "axes": dict(case.axes),
        "lookup": None if case.lookup is None else {"at": _instant(case.lookup_ns), **act_to_json(case.lookup)},
        "proposed_class": class_document(view),
        "families": families_of(view),
        "together": {
            "log10_e": together if math.isfinite(together := joint_log10_e(case)) else None,
            "least_e_for_notice": pack.notice_evidence.least_e,
            "basis": pack.notice_evidence.basis.value,
            "ref": pack.notice_evidence.ref,
        },
        "findings": [
            {"finding_id": ref.finding_id, "detector": ref.detector, "subject": ref.subject, "sha256": ref.sha256}
            for ref in case.findings
        ],
        "clocks": [
            {
                "id": clock.id,
                "state": clock.state.value,
                "started": _instant(clock.started_ns),
                "due": _instant(clock.due_ns),
                "due_day": clock.due_day,
                "basis": clock.basis.value,
                "ref": clock.ref,
                "explanation": clock.explanation,
                "provisional": clock.provisional,
            }
            for clock in view.clocks
        ],
        "proposals": [
            {
                "number": one.number,
                "act": one.act.NAME,
                "proposer": one.proposer,
                "state": one.state.value,
                "approvers": list(one.approvers),
                "needed": one.needed,
            }
            for one in case.proposals
        ],
        "rights": [
            {"right": right.right.value, "body": right.body, "ref": right.ref, "used": right.used}
            for right in view.rights
        ],
        "measures": [
            {
                "id": state.measure.id,
                "mode": state.measure.mode.value,
                "allowed": state.allowed,
                "missing": list(state.missing),
                "remarks": list(state.remarks),
                "approvals": state.approvals,
            }
            for state in view.measures
        ],
        "appeals": [
            {
                "event": one.event,
                "decision": one.decision,
                "received": instant(one.received_ns),
                "body": one.body,
                "body_of_pack": body_of(pack, one.body) is not None,
                "grounds": one.grounds,
                "late": one.late,
                "admitted": one.admitted,
                "outcome": None if one.outcome is None else one.outcome.value,
                "decided": _instant(one.decided_ns),
            }
            for one in case.appeals
        ],
        "next": step_rows(view),
        "documents": document_rows(view.file.documents),
        "strange_documents": document_rows(view.file.strange_documents),
        "register": [register_row(entry) for entry in view.file.register_entries],
        "links": [
            *({"case": other, "relation": relation.value} for other, relation in case.links),
            *({"case": other, "relation": relation} for other, relation in view.linked_from),
        ],
        "people_decide": PEOPLE_DECIDE,
    }


def after_words(answer: Accepted, documents: Sequence[KeptDocument], faults: Sequence[str]) -> Iterator[str]:
    """What follows from an accepted act, for whoever did it."""
    case = answer.case
    yield f"{case.case_id} is {case.stage}; party: {case.standing}"
    for status in case.proposals:
        if status.state is ProposalState.OPEN and status.number in {event.number for event in answer.events}:
            yield (
                f"proposal {status.number} waits for {count(status.needed, 'other account')}: "
                f"headframe case approve {case.case_id} {status.number}"
            )
    for one in documents:
        yield f"written: {one.ref.kind} {visible(one.ref.name)} ({one.language}), SHA-256 {one.ref.sha256}"
    for fault in faults:
        yield visible(fault, 1_000)
