"""Policy packs, and what they say of a case, in lines for a terminal and as plain values for JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any

from headframe.cases.question import joint_log10_e
from headframe.policy.classify import Classification, Verdict, basis_words
from headframe.policy.parse import remarks
from headframe.policy.rights import MeasureState, RightState, lead_unit
from headframe.records.case import Case
from headframe.records.policy import (
    CalculationSheet,
    Clock,
    ClockState,
    Deadline,
    MeasureMode,
    Pack,
    words_in,
)
from headframe.reports.words import power_of_ten

PACK_COLUMNS: Mapping[str, str] = {
    "id": "pack",
    "version": "version",
    "title": "title",
    "regime": "regime",
    "legal_review": "legal review",
    "gaps": "gaps",
    "measures": "measures",
    "not_supported": "not supported",
}
"""Key of `pack_row` to the heading of its column."""

_VERDICT = {Verdict.MET: "met", Verdict.NOT_MET: "not met", Verdict.UNKNOWN: "unknown"}
_MODE = {
    MeasureMode.IN_SYSTEM_REQUEST: "request document",
    MeasureMode.RECORD_ONLY: "recorded only",
    MeasureMode.REFERRAL_ONLY: "referral dossier",
    MeasureMode.NOT_SUPPORTED: "NOT SUPPORTED",
}


def plain_value(value: Any) -> Any:
    """A record as plain JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {row.name: plain_value(getattr(value, row.name)) for row in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(plain_value(key)): plain_value(one) for key, one in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain_value(one) for one in value)
    if isinstance(value, tuple | list):
        return [plain_value(one) for one in value]
    return value


def pack_row(pack: Pack, language: str) -> dict[str, Any]:
    """One row of a list of packs."""
    return {
        "id": pack.id,
        "version": pack.version,
        "title": words_in(pack.title, language),
        "regime": list(pack.regime),
        "legal_review": pack.provenance.legal_review,
        "gaps": len(pack.provenance.gaps),
        "measures": len(pack.measures),
        "not_supported": sum(row.mode is MeasureMode.NOT_SUPPORTED for row in pack.measures),
        "digest": pack.digest,
    }


def warning_lines(pack: Pack, language: str = "en") -> list[str]:
    """What goes with a pack wherever it is shown: whether a lawyer read it, and what is missing in it."""
    head = f"legal review: {pack.provenance.legal_review}; compiled {pack.provenance.compiled}"
    if language.partition("-")[0] == "zh":
        head = f"法律审核：{pack.provenance.legal_review}；编制：{pack.provenance.compiled}"
    return [head, *(f"gap: {gap}" for gap in pack.provenance.gaps)]


def pack_lines(pack: Pack, language: str, today: date) -> Iterator[str]:
    """A whole pack for people.

    Parameters
    ----------
    pack : Pack
    language : str
        BCP 47.
    today : datetime.date
        For what is expired or not yet in force.

    Yields
    ------
    str
    """

    def said(words: Mapping[str, str]) -> str:
        return words_in(words, language)

    yield f"{pack.id} {pack.version}: {said(pack.title)}"
    yield f"sha256 {pack.digest}"
    place = pack.subdivision or pack.country
    yield f"{place} ({pack.level}), {', '.join(pack.regime)}; days of {pack.time_zone}, days off of {pack.calendar}"
    if pack.inherits:
        yield f"inherits from {', '.join(pack.inherits)}"
    yield from warning_lines(pack, language)
    yield from (f"note: {text}" for text in remarks(pack, today))
    yield from _part(
        "Instruments",
        (
            f"{row.id}: {said(row.title)}{f' ({row.number})' if row.number else ''}; {row.status.replace('_', ' ')}; "
            "text: "
            f"{row.text_quality.replace('_', ' ')}{f'; {row.url}' if row.url else ''}"
            for row in pack.instruments
        ),
    )
    yield from _part(
        "Units",
        (f"{row.id}: {said(row.name)} ({', '.join(sorted(role.value for role in row.roles))})" for row in pack.units),
    )
    yield from _part(
        "Subjects",
        (
            f"{row.id}: {said(row.label)} ({row.kind}, {row.role})"
            f"{f'; sites: {chr(44).join(row.site_kinds)}' if row.site_kinds else ''}"
            f"{f'; households: {row.outside_rule}' if row.outside_rule else ''}"
            for row in pack.subjects
        ),
    )
    for axis in pack.axes:
        yield from _part(
            f"Axis {axis.id}{f' ({said(axis.label)})' if axis.label else ''}",
            (
                f"{value.id}: {said(value.label)}{f' [{value.standing}]' if value.standing else ''}"
                f"{' (default)' if value.id == axis.default else ''}"
                for value in axis.values
            ),
        )
    yield from _part(
        "Criteria",
        (
            f"{row.id}: {said(row.text)} [{row.basis}]{f' {row.ref}' if row.ref else ''}{_threshold(row)}"
            for row in pack.criteria
        ),
    )
    yield from _part(
        "Exemptions", (f"{row.id}: {said(row.text)}; proof: {row.proof or '-'}" for row in pack.exemptions)
    )
    yield from _part("Measures", (line for row in pack.measures for line in _measure_lines(row, said)))
    yield from _part(
        "Procedure",
        (f"{row.step}{f' by {row.actor}' if row.actor else ''}{_deadline(row.deadline)}" for row in pack.procedure),
    )
    yield from _part(
        "Rights of the party",
        (f"{row.right}{f' at {row.body}' if row.body else ''}{_deadline(row.deadline)}" for row in pack.rights),
    )
    yield from _part("Evidence before a notice", [_notice_evidence(pack)])
    yield from _part(
        "Reports",
        (
            f"{row.id} to {row.to}, {row.frequency}{f', {row.due} after the period' if row.due else ''} [{row.basis}]; "
            f"cells below {row.min_cell} are not shown"
            for row in pack.reporting
        ),
    )
    again = pack.verification
    days, basis = again.closes_within
    look = (
        f"{', '.join(again.metrics)} over {again.window_days} days, coverage {again.min_coverage:.0%} [{again.basis}]"
    )
    yield from _part("Verification", [f"{look}; a closure rests on it for {days} days after its end [{basis}]"])


def _notice_evidence(pack: Pack) -> str:
    rule = pack.notice_evidence
    return (
        "two independent sources at least, and findings that come to an e-value of "
        f"{rule.least_e:g} together [{basis_words(rule.basis)}]{f' {rule.ref}' if rule.ref else ''}, or machines that "
        "an inspection saw"
    )


def _part(head: str, lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    rows = list(lines)
    if rows:
        yield ""
        yield head
        yield from (f"  {row}" for row in rows)


def _threshold(row: Any) -> str:
    if not row.feature:
        return ""
    value = f" {row.op} {row.value}" if row.op else ""
    return f"; {row.feature}{value}{f' {row.unit}' if row.unit else ''}"


def _measure_lines(row: Any, said: Any) -> Iterator[str]:
    needs = f"; needs {', '.join(p.value.replace('_', ' ') for p in row.preconditions)}" if row.preconditions else ""
    by = f"decided by {row.decided_by}{f', {row.ref}' if row.ref else ''}"
    yield f"{row.id}: {said(row.text)} [{_MODE[row.mode]}] {by}{needs}"
    if row.reason:
        yield f"    {said(row.reason)}"


def _deadline(deadline: Deadline | None) -> str:
    if deadline is None:
        return ""
    unit = deadline.unit.value.replace("_", " ")
    return (
        f": {deadline.n:g} {unit}{'' if deadline.n == 1 else 's'} from {deadline.start.replace('_', ' ')} "
        f"[{basis_words(deadline.basis)}]{f' {deadline.ref}' if deadline.ref else ''}"
    )


def explain_document(
    case: Case,
    pack: Pack,
    classification: Classification,
    measures: Sequence[MeasureState],
    clocks: Sequence[Clock],
    rights: Sequence[RightState],
) -> dict[str, Any]:
    """What a pack says of a case, as plain JSON values."""
    return {
        "case": case.case_id,
        "pack": pack_row(pack, "en"),
        "legal_review": pack.provenance.legal_review,
        "gaps": list(pack.provenance.gaps),
        "set": {"standing": case.standing.value, "axes": dict(case.axes)},
        "proposed": plain_value(classification),
        "measures": plain_value(measures),
        "clocks": plain_value(clocks),
        "rights": plain_value(rights),
    }


def explain_lines(
    case: Case,
    pack: Pack,
    classification: Classification,
    measures: Sequence[MeasureState],
    clocks: Sequence[Clock],
    rights: Sequence[RightState],
    *,
    language: str = "en",
) -> Iterator[str]:
    """What a pack says of a case, for people: class, criteria, measures with reasons, clocks with their basis, rights.

    Yields
    ------
    str
    """

    def said(words: Mapping[str, str]) -> str:
        return words_in(words, language)

    yield f"{case.case_id} under {pack.id} {case.pack_version}: {said(pack.title)}"
    yield from warning_lines(pack, language)
    unit = lead_unit(pack)
    yield f"responsible: {said(unit.name) if unit else 'no unit has the role lead'}"
    yield from _part("Class", _class_lines(case, classification))
    yield from _part("Criteria", (
        f"{_VERDICT[row.verdict]}: {row.criterion.id} ({said(row.criterion.text)}) [{basis_words(row.criterion.basis)}]"
        f"{f' {row.criterion.ref}' if row.criterion.ref else ''}: {row.text}"
        for row in sorted(classification.criteria, key=lambda row: list(Verdict).index(row.verdict))
    ))  # fmt: skip
    here = f"here {power_of_ten(joint_log10_e(case))}"
    yield from _part("Evidence before a notice", [f"{_notice_evidence(pack)}; {here}"])
    yield from _part("Measures", (line for state in measures for line in _state_lines(state, said)))
    yield from _part("Clocks", (clock_line(clock) for clock in clocks))
    yield from _part("Rights of the party", (
        f"{row.right}{f' at {row.body}' if row.body else ''}: {'used' if row.used else 'not used yet'}"
        f"{f'; {row.clock.state.value.replace(chr(95), chr(32))}' if row.clock else ''}"
        f"{f', until the end of {row.clock.due_day}' if row.clock and row.clock.due_day else ''}"
        for row in rights
    ))  # fmt: skip


def _class_lines(case: Case, classification: Classification) -> Iterator[str]:
    axes = ", ".join(f"{axis} {value}" for axis, value in case.axes) or "no axis is set"
    yield f"set by people: {case.standing}; {axes}"
    yield f"proposed: {classification.standing} ({classification.standing_text})"
    for row in classification.axes:
        yield f"proposed for {row.axis.id}: {row.value or 'nothing'} ({row.text})"


def _state_lines(state: MeasureState, said: Any) -> Iterator[str]:
    mark = "may be proposed" if state.allowed else "barred"
    if state.measure.mode is MeasureMode.NOT_SUPPORTED:
        yield f"NOT SUPPORTED: {state.measure.id} ({said(state.measure.text)}): {said(state.reason)}"
        return
    by = said(state.decided_by.name) if state.decided_by else state.measure.decided_by
    yield f"{mark}: {state.measure.id} ({said(state.measure.text)}), decided by {by} [{_MODE[state.measure.mode]}]"
    yield from (f"    missing: {reason}" for reason in state.missing)
    yield from (f"    {text}" for text in ([said(state.reason)] if state.reason else []))
    yield from (f"    note: {text}" for text in state.remarks)


def clock_line(clock: Clock) -> str:
    """A clock in one line, its basis beside its date."""
    basis = f"[{basis_words(clock.basis)}]{f' {clock.ref}' if clock.ref else ''}"
    state = clock.state.value.replace("_", " ")
    if clock.state is ClockState.NOT_STARTED:
        return f"{clock.id}: not started {basis}; {clock.explanation}"
    until = f"until the end of {clock.due_day}" if clock.due_day else "no date while it is paused"
    return f"{clock.id}: {state}, {until}{' (provisional)' if clock.provisional else ''} {basis}; {clock.explanation}"


def sheet_lines(sheet: CalculationSheet) -> Iterator[str]:
    """A calculation sheet for people."""
    yield sheet.title
    yield f"rule {sheet.rule} [{basis_words(sheet.basis)}]"
    yield ""
    for line in sheet.lines:
        yield f"  {line.label}: {line.quantity} {line.unit} ({line.source})"
    yield ""
    yield f"result: {sheet.result} {sheet.unit}"
    yield from (f"note: {text}" for text in sheet.caveats)
