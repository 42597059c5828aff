"""Report and hold: where the case was told of, and what keeps everything of it."""

from __future__ import annotations

from collections.abc import Iterable

from headframe.cases.question import (
    Question,
    Refusals,
    Rule,
    needs_text,
    sound_document,
)
from headframe.records.case import (
    Case,
    Command,
    Duty,
    LiftHold,
    PlaceHold,
    PurgeContacts,
    RecordReport,
)


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


REPORT = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_report, when_closed=True)
HOLD = Rule(duties=frozenset({Duty.DECIDE}), refusals=_hold, when_closed=True)
LIFT_HOLD = Rule(duties=frozenset({Duty.DECIDE}), refusals=_lift, commands=_lifted, when_closed=True)
