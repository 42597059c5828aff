"""Correct, report, hold: what keeps the file right and whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from headframe.cases.apply import as_corrected, right_acts
from headframe.cases.codec import field_type
from headframe.cases.corrections import CORRECTABLE, INSTEAD, corrected_act, is_correctable
from headframe.cases.question import (
    Question,
    Refusals,
    Rule,
    approved,
    confirmed,
    decision_in_force,
    instant,
    last_event,
    needs_text,
    sound_document,
)
from headframe.cases.rules.close import closure_stands
from headframe.cases.rules.decide import decision_stands, final_stands
from headframe.cases.rules.measure import measure_stands
from headframe.cases.rules.reply import is_the_units
from headframe.cases.rules.units import in_deciding_unit
from headframe.policy.clocks import clocks_of
from headframe.records.case import (
    Account,
    Act,
    Case,
    CaseEvent,
    Command,
    Correction,
    DeclareFinal,
    DocumentKind,
    Duty,
    FileAppeal,
    LiftHold,
    PlaceHold,
    ProposalState,
    ProposeClosure,
    ProposeCorrection,
    PurgeContacts,
    RecordReport,
    RemoveFromRegister,
    WriteDocument,
)
from headframe.records.site import SiteKind

KEPT_FOREVER = frozenset({"account", "at_ns", "unit", "number", "case_id"})
"""Fields of an event, not of its act: who did it and when is no matter of opinion."""


NO_RULE_ASKS = frozenset({"summary", "reason", "grounds", "explanation", "channel"})
"""Fields of which no rule asks more than that they are there."""


def correction_stands(question: Question) -> Refusals:
    """What must be so when a correction is proposed, and still when it is approved."""
    act: ProposeCorrection = question.act
    case = question.case
    if not 1 <= act.event <= case.version:
        yield f"there is no event {act.event}; the case has events 1 to {case.version}"
        return
    event = case.events[act.event - 1]
    if act.field in KEPT_FOREVER and not is_correctable(event.act, act.field):
        yield f"{act.field} of an event says who did it and when, and is not corrected; only what the act says is"
        return
    now = right_acts(case).get(act.event, event.act)
    try:
        field_type(now.NAME, act.field)
    except ValueError as fault:
        yield f"event {act.event} cannot be corrected there: {fault}"
        return
    if not is_correctable(now, act.field):
        able = ", ".join(sorted(CORRECTABLE.get(type(now), ()))) or "nothing"
        yield (
            f"{act.field} of a {now.NAME} is not mended by a correction (of it, {able} is): "
            f"{INSTEAD.get(type(now), 'do the step again')}"
        )
        return
    try:
        right = corrected_act(now, act.field, act.value)
    except ValueError as fault:
        yield f"the value does not fit: {fault}"
        return
    if right == now:
        yield f"event {act.event} says that already; there is nothing to correct"
        return
    yield from _could_be_recorded(question, event, right)
    yield from _takes_no_time(question, act)
    yield from _concerns_another_party(question, act)
    yield from _what_falls_is_said(question, act)


def _proposed(act: ProposeCorrection, at_ns: int) -> tuple[Correction, ...]:
    one = Correction(event=act.event, field=act.field, value=act.value, reason=act.reason, approved_ns=at_ns)
    return (one,)


def _then(question: Question, event: CaseEvent, act: Act, more: tuple[Correction, ...] = ()) -> Question:
    """The question that an act was, as it should have been asked with all that is known today."""
    before = as_corrected(question.case, event.number - 1, more)
    return Question(
        case=before,
        act=act,
        account=Account(name=event.account, unit=event.unit, duties=frozenset(Duty)),
        pack=question.pack,
        now_ns=event.at_ns,
        clocks=clocks_of(before, question.pack, event.at_ns),
    )


def _could_be_recorded(question: Question, event: CaseEvent, right: Act) -> Refusals:
    """What is right could have been recorded then: no date to come, no grade without its papers."""
    from headframe.cases.rules import RULES
    from headframe.cases.rules.appeal import came_late

    if event.number == 1:
        return
    recorded = right_acts(question.case).get(event.number, event.act)
    rule = RULES[type(right)]
    told = set(rule.refusals(_then(question, event, recorded)))
    for reason in rule.refusals(_then(question, event, right)):
        if reason not in told:
            yield f"event {event.number} would not have been accepted with that: {reason}"
    if isinstance(right, FileAppeal) and came_late(_then(question, event, right)) is not right.late:
        how = (
            "in time: admit it for that reason" if right.late else "late, and it was taken as one in time; it stays so"
        )
        yield f"with that the appeal of event {event.number} would have come {how}"


def _takes_no_time(question: Question, act: ProposeCorrection) -> Refusals:
    """No period of the party ends earlier because of a correction."""
    case, pack, now = question.case, question.pack, question.now_ns
    after = as_corrected(case, case.version, _proposed(act, now))
    ends = {clock.id: clock for clock in clocks_of(after, pack, now)}
    for clock in clocks_of(case, pack, now):
        new = ends.get(clock.id)
        if is_the_units(clock.id) or clock.due_ns is None or new is None or new.due_ns is None:
            continue
        if new.due_ns < clock.due_ns:
            yield (
                f"clock {clock.id} is the party's time and runs until {instant(clock.due_ns)}; with that it would end "
                f"at {instant(new.due_ns)}, and time that was given is not taken back"
            )


def _concerns_another_party(question: Question, act: ProposeCorrection) -> Refusals:
    """Who was written to stays whom the case is about."""
    case = question.case
    if act.event == 1 and act.field == "organisation_id" and (case.notices or case.decisions):
        yield (
            f"the case was held with {case.organisation_id or 'nobody known'}, which has had letters or a decision in "
            f"it; another organisation is another party: close this case, and open one on the right party"
        )


def fallen(question: Question) -> tuple[tuple[int, int, tuple[str, ...]], ...]:
    """Steps that were right on what was recorded, and would not have been on what is right.

    Each is asked again as of its time: the decision in force, its finality, measures that are under way, and the
    closure of a closed case.

    Parameters
    ----------
    question : Question
        About a `ProposeCorrection`.

    Returns
    -------
    tuple of (int, int, tuple of str)
        Event that names it (the proposal, or the finality), event that brought it, and the new reasons against it.
    """
    act: ProposeCorrection = question.act
    case = question.case
    if act.field in NO_RULE_ASKS or not 1 <= act.event <= case.version:
        return ()
    steps: list[tuple[int, int, Callable[[Question], Refusals]]] = []
    by_number = {status.number: status for status in case.proposals}
    decision = decision_in_force(case)
    if decision is not None:
        steps.append((decision.number, by_number[decision.number].settled or 0, decision_stands))
        if decision.final_ns is not None:
            final = last_event(case, DeclareFinal)
            steps.append((final, final, final_stands))
    steps += [
        (measure.proposal, by_number[measure.proposal].settled or 0, measure_stands)
        for measure in case.measures
        if measure.proposal in by_number and not measure.withdrawn and measure.ended_ns is None
    ]
    if case.closed_ns is not None:
        closure = approved(case, ProposeClosure)[-1]
        steps.append((closure.number, closure.settled or 0, closure_stands))
    more = _proposed(act, question.now_ns)
    found = []
    for number, brought, stands in steps:
        if brought <= act.event:
            continue
        event = case.events[brought - 1]
        wanted = right_acts(case, more).get(number, case.events[number - 1].act)
        without = list(stands(_then(question, event, wanted)))
        against = list(stands(_then(question, event, wanted, more)))
        if len(against) > len(without):
            found.append((number, brought, tuple(reason for reason in against if reason not in without)))
    return tuple(found)


def _what_falls_is_said(question: Question, act: ProposeCorrection) -> Refusals:
    """In an open case a step that does not stand falls with the approval; a closed one is opened again first."""
    case = question.case
    falls = fallen(question)
    if falls and case.closed_ns is not None:
        for number, _brought, reasons in falls:
            yield (
                f"the case is closed, and with that event {number} ({case.history[number - 1].act}) would not stand: "
                f"{'; '.join(reasons)}. Propose to reopen the case first, and correct then"
            )
        return
    waits = any(status.act is act and status.state is ProposalState.OPEN for status in case.proposals)
    if not waits:
        return
    if tuple(number for number, _, _ in falls) != act.falls:
        yield (
            "what falls with this correction is not what it was when it was proposed; withdraw or reject it, and "
            "propose it anew"
        )
    if act.falls:
        yield from in_deciding_unit(question, "this correction takes a step away that was decided; its approver")


def correction_commands(question: Question, after: Case) -> Iterable[Command]:
    """After the approval of a correction."""
    before, now = confirmed(question.case), confirmed(after)
    home = after.site_kind == SiteKind.HOUSEHOLD_PREMISES
    if before is not None and before.final_ns is not None and (now is None or now.final_ns is None or home):
        yield RemoveFromRegister(
            case_id=after.case_id,
            decision=before.number,
            reason="what it rested on was corrected" if not home else "the site was found to be household premises",
        )
    held = decision_in_force(question.case)
    if held is not None and held.received_ns is not None and decision_in_force(after) is None:
        yield WriteDocument(kind=DocumentKind.SETTING_ASIDE, subject=str(held.number))


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
