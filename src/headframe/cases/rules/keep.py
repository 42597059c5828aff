"""Correct, report, hold: what keeps the file right and whole."""

from __future__ import annotations

import json
from collections.abc import Iterable

from headframe.cases.codec import field_type, value_from_json
from headframe.cases.question import Question, Refusals, Rule, needs_text, sound_document
from headframe.records.case import (
    Case,
    Command,
    Duty,
    LiftHold,
    PlaceHold,
    ProposeCorrection,
    PurgeContacts,
    RecordReport,
)

KEPT_FOREVER = frozenset({"account", "at_ns", "unit", "number", "case_id"})
"""Fields of an event, not of its act: who did it and when is no matter of opinion."""


def correction_stands(question: Question) -> Refusals:
    """What must be so when a correction is proposed, and still when it is approved."""
    act: ProposeCorrection = question.act
    case = question.case
    if not 1 <= act.event <= case.version:
        yield f"there is no event {act.event}; the case has events 1 to {case.version}"
        return
    if act.field in KEPT_FOREVER:
        yield f"{act.field} of an event says who did it and when, and is not corrected; only what the act says is"
        return
    name = case.history[act.event - 1].act
    try:
        kind = field_type(name, act.field)
    except ValueError as fault:
        yield f"event {act.event} cannot be corrected there: {fault}"
        return
    try:
        value_from_json(corrected_value(kind, act.value), kind, f"{name}.{act.field}")
    except ValueError as fault:
        yield f"the value does not fit: {fault}"


def corrected_value(kind: object, text: str) -> object:
    """What a correction puts in the place of a field: text as it stands, anything else as JSON.

    Parameters
    ----------
    kind : type
        Of the field.
    text : str

    Returns
    -------
    JSON value

    Raises
    ------
    ValueError
        If it is no JSON where the field is no text.
    """
    if isinstance(kind, type) and issubclass(kind, str):
        return text
    try:
        return json.loads(text)
    except ValueError as fault:
        raise ValueError(f"{text!r} is no JSON value ({fault})") from None


def _correct(question: Question) -> Refusals:
    act: ProposeCorrection = question.act
    yield from needs_text(act.reason, "the reason of the correction")
    yield from correction_stands(question)


def _report(question: Question) -> Refusals:
    act: RecordReport = question.act
    yield from needs_text(act.to, "the unit that got the report")
    yield from needs_text(act.period, "the period of the report")
    yield from sound_document(act.document, "the report")
    names = [duty.id for duty in question.pack.reporting]
    if act.report not in names:
        yield f"pack {question.pack.id} asks for no report {act.report}; it asks for {', '.join(names) or 'none'}"


def _hold(question: Question) -> Refusals:
    act: PlaceHold = question.act
    yield from needs_text(act.reason, "the reason of the hold")
    if question.case.on_hold:
        yield "the case is on hold already"


def _lift(question: Question) -> Refusals:
    act: LiftHold = question.act
    yield from needs_text(act.reason, "the reason to lift the hold")
    if not question.case.on_hold:
        yield "the case is not on hold; there is nothing to lift"


def _lifted(_question: Question, after: Case) -> Iterable[Command]:
    # A closure under hold kept the addresses; what has no reason to be kept any more goes now.
    if after.closed_ns is not None:
        yield PurgeContacts(case_id=after.case_id)


PROPOSE_CORRECTION = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_correct, when_closed=True)
REPORT = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_report, when_closed=True)
HOLD = Rule(duties=frozenset({Duty.DECIDE}), refusals=_hold, when_closed=True)
LIFT_HOLD = Rule(duties=frozenset({Duty.DECIDE}), refusals=_lift, commands=_lifted, when_closed=True)
