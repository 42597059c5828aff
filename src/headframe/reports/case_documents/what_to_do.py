"""What the party has to stop, until when, to whom and how to prove it, and what ends the case.

A decision against a party that does not say what it asks is kept by nobody. Everything here comes of the case, the pack
and the rules of closure: where no text sets a period, it is said that none is set.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from headframe.cases.rules.close import PROVED
from headframe.records.case import DecisionOutcome, DecisionStatus, ProposeDecision, RemedyGrade
from headframe.records.policy import MeasureMode, PartyStanding, Precondition, Step
from headframe.reports.case_documents.model import Block, Callout, Listing, Paragraph, Section, Subheading, Tone
from headframe.reports.case_documents.parts import (
    Desk,
    acting_unit,
    class_words,
    due_words,
    in_own_words,
    measure_named,
    period_words,
    reference,
    with_basis,
)


def asks_something(desk: Desk, act: ProposeDecision, status: DecisionStatus | None) -> bool:
    """Whether a decision asks anything of the party as things stand: one that confirms, holds, and is not done with."""
    gone = status is not None and status.set_aside
    return act.outcome is DecisionOutcome.CONFIRMED and not gone and desk.case.closed_ns is None


def to_do_section(desk: Desk, act: ProposeDecision) -> Section:
    """What a decision that confirms asks of the party."""
    say = desk.speech.say
    return Section(
        title=say("todo.title"),
        blocks=(
            Paragraph(text=say("todo.lead")),
            Listing(items=tuple(_to_stop(desk))),
            _until_when(desk),
            Subheading(text=say("todo.prove")),
            Listing(items=tuple(_to_prove(desk, Step.DECIDE)), ordered=True),
            *_ends_of_measures(desk, act),
        ),
    )


def ahead_section(desk: Desk) -> Section:
    """What a decision would ask, as far as it is known when the notice is written: the notice itself asks nothing."""
    speech, say = desk.speech, desk.speech.say
    step = next((one for one in desk.pack.procedure if one.step is Step.REMEDIATE), None)
    until = [*_how_soon(desk), say("todo.ahead.no_period")]
    if step is not None and step.deadline is not None:
        until[-1] = say(
            "todo.ahead.period", period=period_words(step.deadline, speech),
            basis=with_basis(step.deadline.basis, step.deadline.ref, desk.pack, speech),
        )  # fmt: skip
    blocks: list[Block] = [
        Paragraph(text=say("todo.ahead.lead")),
        Listing(items=(*_to_stop(desk), *until)),
        Subheading(text=say("todo.prove")),
        Listing(items=tuple(_to_prove(desk, Step.NOTIFY)), ordered=True),
        Paragraph(text=say("todo.ahead.now")),
    ]
    return Section(title=say("todo.ahead.title"), blocks=tuple(blocks))


def _to_stop(desk: Desk) -> Iterable[str]:
    """Where it was seen, what an inspection counted, and what a host sees to."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    telling = [(number, one.ref.subject) for number, one in enumerate(desk.held, 1) if one.ref.mining]
    if telling:
        yield say(
            "todo.stop.facts", site=desk.site, numbers=speech.listed(str(number) for number, _ in telling),
            where=speech.listed(dict.fromkeys(subject for _, subject in telling)),
        )  # fmt: skip
    else:
        yield say("todo.stop", site=desk.site)
    for record in case.inspections:
        if record.machines_seen:
            yield say(
                "todo.machines", day=speech.day(record.ended_ns), n=f"{record.machines_seen:,}", place=record.place
            )
    if case.standing is PartyStanding.HOST:
        yield say("todo.host")
    yield say("todo.how")


def _how_soon(desk: Desk) -> list[str]:
    """What the class of the case says of how it is handled: to stop at once, by a set date.

    Axes with a value for not knowing ask what is so; one without it says what is to be done.
    """
    speech, given = desk.speech, dict(desk.case.axes)
    return [
        speech.say(
            "todo.class", axis=name, value=value,
            basis=reference(axis.ref, desk.pack, speech) or speech.say("basis.not_said"),
        )
        for axis in desk.pack.axes
        if not axis.default and axis.id in given
        for name, value in [class_words(desk, axis.id, given[axis.id])]
    ]  # fmt: skip


def _until_when(desk: Desk) -> Callout:
    """The clock of the remedy; where the pack has none, that no period is set, and what follows all the same."""
    speech, say, pack = desk.speech, desk.speech.say, desk.pack
    step = next((one for one in pack.procedure if one.step is Step.REMEDIATE), None)
    deadline = step.deadline if step is not None else None
    clock = next((one for one in desk.clocks if one.id == Step.REMEDIATE.value), None)
    lines = _how_soon(desk)
    if clock is None and deadline is None:
        lines.append(say("todo.no_period"))
    else:
        due, notes = due_words(clock, deadline, speech)
        lines += [due, *notes]
        if (held := clock or deadline) is not None:
            lines.append(with_basis(held.basis, held.ref, pack, speech))
    lines.append(say("todo.goes_on"))
    names = [
        speech.of(one.text) or one.id
        for one in pack.measures
        if Precondition.VIOLATION_CONTINUING in one.preconditions and one.mode is not MeasureMode.NOT_SUPPORTED
    ]
    if names:
        lines.append(say("todo.goes_on.measures", measures=speech.listed(names)))
    return Callout(title=say("todo.until"), lines=tuple(lines), tone=Tone.STRONG)


def _to_prove(desk: Desk, writes: Step) -> Iterable[str]:
    """To whom, with which proof, that it is measured again, and that this ends it."""
    speech, say, pack = desk.speech, desk.speech.say, desk.pack
    yield say(
        "todo.tell", unit=acting_unit(pack, writes, speech), case=desk.case.case_id, where=say("where.title")
        if writes is Step.DECIDE else say("answer.title"),
    )  # fmt: skip
    for key, enough in (("todo.proof", True), ("todo.proof.less", False)):
        grades = [speech.term("grade", one.value) for one in RemedyGrade if (one in PROVED) is enough]
        yield say(key, grades=reduce(lambda one, other: say("todo.or", one=one, other=other), grades))
    rule = pack.verification
    yield say(
        "todo.measured", unit=acting_unit(pack, Step.VERIFY, speech), days=rule.window_days,
        metrics=speech.listed(speech.term("metric", one) for one in rule.metrics),
        coverage=speech.share(rule.min_coverage), basis=with_basis(rule.basis, "", pack, speech),
    )  # fmt: skip
    yield say("todo.ends")


def _ends_of_measures(desk: Desk, act: ProposeDecision) -> Iterable[Block]:
    """When each measure of the decision ends, where the pack says it."""
    speech = desk.speech
    items = tuple(
        speech.say(
            "todo.measure_ends", measure=speech.of(one.text) or one.id,
            when=in_own_words(one.ends_words or {"en": one.ends_when}, speech),
        )
        for name in act.measures
        if (one := measure_named(desk.pack, name)) is not None and one.ends_when
    )  # fmt: skip
    if items:
        yield Listing(items=items)
