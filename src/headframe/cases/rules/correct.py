"""Correct: what the file says wrongly is set right, without taking anything from the party by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from headframe.cases.apply import as_corrected, right_acts
from headframe.cases.codec import field_type
from headframe.cases.corrections import CORRECTABLE, INSTEAD, corrected_act, is_correctable
from headframe.cases.question import (
    DAY_NS,
    Question,
    Refusals,
    Rule,
    approved,
    decision_in_force,
    for_the_register,
    instant,
    last_event,
    needs_text,
    not_in_future,
    proposal,
    settled_at,
    unheard,
)
from headframe.cases.rules.close import closure_stands
from headframe.cases.rules.decide import (
    decision_stands,
    ends_for_what_is_new,
    final_stands,
    gives_something,
    last_notice,
    put_to_the_party,
    shows_all,
    told_and_heard,
)
from headframe.cases.rules.measure import measure_stands
from headframe.cases.rules.notify import notice_stands, other_party_since
from headframe.cases.rules.reply import is_the_units
from headframe.cases.rules.units import in_deciding_unit
from headframe.cases.texts import unfit_texts, unshown
from headframe.policy.appeals import body_of
from headframe.policy.clocks import clocks_of
from headframe.records.case import (
    ASKS,
    Account,
    Act,
    Case,
    CaseEvent,
    Command,
    Correction,
    DeclareFinal,
    DocumentKind,
    Duty,
    EnterRegister,
    FileAppeal,
    GrantAccess,
    NoteAppealInRegister,
    OpenCase,
    ProposalState,
    ProposeClosure,
    ProposeCorrection,
    ProposeNotice,
    RecordReply,
    RemoveFromRegister,
    ReplyStance,
    ServeDecision,
    ServeNotice,
    ServeSettingAside,
    WriteDocument,
)
from headframe.records.policy import Pack
from headframe.records.site import SiteKind

KEPT_FOREVER = frozenset({"account", "at_ns", "unit", "number", "case_id"})
"""Fields of an event, not of its act: who did it and when is no matter of opinion."""


NO_RULE_ASKS = frozenset({"summary", "reason", "grounds", "explanation", "channel", "site_name", "organisation_name"})
"""Fields of which no rule asks more than that they are there."""

ASKED_OR_CLAIMED = ASKS | {ReplyStance.CLAIMS_VICTIM, ReplyStance.CLAIMS_LAWFUL}
"""Replies that something has to follow before anything is decided against the party."""

RUNS_ON_WITHIN_DAYS = 14
"""A clock that stands still is weighed as if it ran on today or on any day so soon. One day would not do: two ends on
the same day off move to the same working day, and are days apart when the pause is longer. No run of days off in the
calendars is longer. [days]"""


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
    yield from sorted(set(unfit_texts(right)) - set(unfit_texts(now)))
    yield from _is_a_site(act, right)
    yield from _could_be_recorded(question, event, right)
    if act.field not in NO_RULE_ASKS:  # such a field moves no time and takes no right
        after = as_corrected(case, case.version, _proposed(act, question.now_ns))
        yield from _takes_no_time(question, after)
        yield from _takes_no_right(question, act, now, right, after)
    yield from _concerns_another_party(question, act)
    yield from _what_falls_is_said(question, act)


def _is_a_site(act: ProposeCorrection, right: Act) -> Refusals:
    """What a case says of its site could stand in a registry. Whether it does, the casework looks up."""
    field = act.field.partition(".")[0]
    if not isinstance(right, OpenCase) or field == "summary":
        return
    if field == "site_kind" and right.site_kind not in set(SiteKind):
        yield f"{right.site_kind!a} is no kind of site; kinds are {', '.join(sorted(SiteKind))}"
    if field == "region":
        yield from needs_text(right.region, "the region")
    if field == "site_name":
        yield from needs_text(right.site_name, "the name of the site")
    if field == "organisation_name":
        yield from needs_text(right.organisation_name, "the name of the organisation")
        if not right.organisation_id:
            yield "the case is about no organisation that is known; correct which one it is first"
    if field == "usage_points":
        for point in right.usage_points:
            yield from needs_text(point, "a usage point")
        if len(set(right.usage_points)) < len(right.usage_points):
            yield "a usage point is given twice; give each once"
    said = getattr(right, field)
    for text in (said,) if isinstance(said, str) else said:
        if found := unshown(text):
            yield f"{text!a} has the character {found} in it, which no page shows; leave it out"


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
    if isinstance(right, FileAppeal):
        # Whether the pack names the body follows from its name, which may be what was wrong.
        right = replace(right, other_body=body_of(question.pack, right.body) is None)
    right, later_ns = _known_then(event, right)
    if later_ns is not None:
        yield from not_in_future(question, later_ns, "what is said to be right")
    rule = RULES[type(right)]
    told = set(rule.refusals(_then(question, event, recorded)))
    for reason in rule.refusals(_then(question, event, right)):
        if reason not in told:
            yield f"event {event.number} would not have been accepted with that: {reason}"
    # The other way round it is for people: what is in time by the right date is admitted, also after it was found late.
    if isinstance(right, FileAppeal) and not right.late and came_late(_then(question, event, right)):
        yield (
            f"with that the appeal of event {event.number} would have come late, and it was taken as one in time; it "
            f"stays so"
        )


def _known_then(event: CaseEvent, right: Act) -> tuple[Act, int | None]:
    """What could be said of a delivery at most when it was recorded, and its right time where that is later.

    Somebody noted a letter as delivered that was still on its way. The right date lies after the note, which could not
    have said it; it gives the party more time, and must only have come by now.
    """
    if isinstance(right, ServeNotice | ServeDecision | ServeSettingAside) and right.received_ns > event.at_ns:
        return replace(right, received_ns=event.at_ns), right.received_ns
    if isinstance(right, GrantAccess) and right.given_ns > event.at_ns:
        return replace(right, given_ns=event.at_ns), right.given_ns
    return right, None


def _takes_no_time(question: Question, after: Case) -> Refusals:
    """No period of the party ends earlier because of a correction, and none begins before anybody knew of it.

    A clock that stands still has no end to compare; it is weighed as if it ran on now, or soon. One that would not run
    any more takes nothing: what never ends, nobody may wait out.
    """
    case, now = question.case, question.now_ns
    still = any(until is None for state in (case, after) for _, _, until, _ in state.pauses)
    told = set()
    for days in range(RUNS_ON_WITHIN_DAYS + 1 if still else 1):
        runs_on_ns = now + days * DAY_NS
        given, left = (_party_time(question, state, runs_on_ns) for state in (case, after))
        for name, (starts_ns, ends_ns) in left.items():
            began_ns, until_ns = given.get(name, (None, None))
            if name in told or ends_ns is None:
                continue
            if until_ns is not None and ends_ns < until_ns:
                told.add(name)
                paused = f" if it ran on at {instant(runs_on_ns)}" if _stands_still(case, name) else ""
                yield (
                    f"{name} is the party's time and runs until {instant(until_ns)}{paused}; with that it would end at "
                    f"{instant(ends_ns)}, and time that was given is not taken back"
                )
            elif began_ns is None and name != WHAT_IS_NEW:
                told.add(name)
                yield (
                    f"{name} is the party's time and has not begun; with that it would have begun at "
                    f"{instant(starts_ns)}, before the party could know, and end at {instant(ends_ns)}: record what "
                    f"it begins with again"
                )


WHAT_IS_NEW = "the time to answer what came after the notice"


def _party_time(question: Question, case: Case, runs_on_ns: int) -> dict[str, tuple[int | None, int | None]]:
    """Periods in which the party may do something: when each began and ends if what stands still ran on at a time."""
    pauses = tuple(
        (clock, since, max(runs_on_ns, since) if until is None else until, why)
        for clock, since, until, why in case.pauses
    )
    running = replace(case, pauses=pauses)
    found = {
        f"clock {clock.id}": (clock.started_ns, clock.due_ns)
        for clock in clocks_of(running, question.pack, question.now_ns)
        if not is_the_units(clock.id)
    }
    letter = last_notice(running)
    if letter is not None:
        found[WHAT_IS_NEW] = None, ends_for_what_is_new(_as_of_now(question, running), letter)
    return found


def _stands_still(case: Case, name: str) -> bool:
    of = "reply" if name == WHAT_IS_NEW else name.removeprefix("clock ")
    return any(clock == of and until is None for clock, _, until, _ in case.pauses)


def _as_of_now(question: Question, case: Case) -> Question:
    """The same question about a case that is recorded otherwise."""
    pack: Pack = question.pack
    return replace(question, case=case, clocks=clocks_of(case, pack, question.now_ns))


def _takes_no_right(question: Question, act: ProposeCorrection, told: Act, right: Act, corrected: Case) -> Refusals:
    """What the party asked for stays asked, and it counts as heard by what it said and was shown, not by a slip."""
    if isinstance(told, RecordReply) and isinstance(right, RecordReply):
        if told.stance in ASKED_OR_CLAIMED and right.stance is not told.stance:
            yield (
                f"event {act.event} says that the party {told.stance.replace('_', ' ')}, and something follows from "
                f"that before anything is decided against it; that is not taken out of its reply. Record another reply "
                f"that says {right.stance}"
            )
    if isinstance(told, GrantAccess) and isinstance(right, GrantAccess):
        if (shows_all(right) and not shows_all(told)) or (gives_something(right) and not gives_something(told)):
            yield (
                f"the access of event {act.event} did not give the party the whole file, and does not become one that "
                f"did; give it what it lacked, and record the access again"
            )
    before, after = _as_of_now(question, question.case), _as_of_now(question, corrected)
    for number in sorted(set(unheard(before.case, before.clocks)) - set(unheard(corrected, after.clocks))):
        yield (
            f"the reply of event {number} was taken as one in time, and no decision has weighed it; with that it would "
            f"have come late, and it stays as it is"
        )
    for what in sorted(_not_heard(before) - _not_heard(after)):
        yield (
            f"the party has neither {what}, and with that it would count as if it had; a correction takes no right "
            f"away: record another reply, access or delivery, as it was"
        )


def _not_heard(question: Question) -> set[str]:
    """What the party could still say before anything is decided against it."""
    letter = last_notice(question.case)
    if letter is None:
        return set()
    new = list(put_to_the_party(question, letter))
    unsaid = {"answered what came after the notice nor had its time": bool(new)}
    unsaid["answered the notice nor had its time"] = any(reason not in new for reason in told_and_heard(question))
    return {what for what, so in unsaid.items() if so}


def _concerns_another_party(question: Question, act: ProposeCorrection) -> Refusals:
    """Who was written to stays whom the case is about."""
    case = question.case
    since = other_party_since(case)
    # A letter to whom the case was about before went out all the same: this one has not had it.
    told = any(letter.proposal > since for letter in case.notices) or case.decisions
    if act.event == 1 and act.field == "organisation_id" and told:
        yield (
            f"the case was held with {case.organisation_id or 'nobody known'}, which has had letters or a decision in "
            f"it; another organisation is another party: close this case, and split one from it on the right party, "
            f"with the reason (--split-from {case.case_id} --organisation ID)"
        )


def fallen(question: Question) -> tuple[tuple[int, int, tuple[str, ...]], ...]:
    """Steps that were right on what was recorded, and would not have been on what is right.

    Each is asked again as of its time: the decision in force, its finality, measures that are under way, approved
    letters that have not gone out, and the closure of a closed case.

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
    decision = decision_in_force(case)
    if decision is not None:
        steps.append((decision.number, settled_at(case, decision.number), decision_stands))
        if decision.final_ns is not None:
            final = last_event(case, DeclareFinal)
            steps.append((final, final, final_stands))
    steps += [
        (measure.proposal, settled_at(case, measure.proposal), measure_stands)
        for measure in case.measures
        if proposal(case, measure.proposal) is not None and not measure.withdrawn and measure.ended_ns is None
    ]
    letters = _waiting_letters(case)
    steps += [(*letter, notice_stands) for letter in letters]
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
    if act.event == 1 and act.field == "organisation_id":
        fell = {number for number, _, _ in found}
        found += [(*letter, ("it was written to another party",)) for letter in letters if letter[0] not in fell]
    return tuple(found)


def _waiting_letters(case: Case) -> tuple[tuple[int, int], ...]:
    """Letters that were approved and have not gone out, and the events of their approvals. A closed case sends none."""
    if case.closed_ns is not None:
        return ()
    served = {letter.proposal for letter in case.notices}
    return tuple(
        (status.number, status.settled or 0) for status in approved(case, ProposeNotice) if status.number not in served
    )


def _what_falls_is_said(question: Question, act: ProposeCorrection) -> Refusals:
    """In an open case a step that does not stand falls with the approval; a closed one is opened again first."""
    case = question.case
    waits = any(status.act is act and status.state is ProposalState.OPEN for status in case.proposals)
    if case.closed_ns is None and not waits:
        return
    falls = fallen(question)
    if falls and case.closed_ns is not None:
        for number, _brought, reasons in falls:
            yield (
                f"the case is closed, and with that event {number} ({case.history[number - 1].act}) would not stand: "
                f"{'; '.join(reasons)}. Propose to reopen the case first, and correct then"
            )
        return
    if not waits:
        return
    if tuple(number for number, _, _ in falls) != act.falls:
        yield (
            "what falls with this correction is not what it was when it was proposed; withdraw or reject it, and "
            "propose it anew"
        )
    letters = {number for number, _ in _waiting_letters(case)}
    if set(act.falls) - letters:
        yield from in_deciding_unit(question, "this correction takes a step away that was decided; its approver")


def correction_commands(question: Question, after: Case) -> Iterable[Command]:
    """After the approval of a correction."""
    before, now = for_the_register(question.case), for_the_register(after)
    unweighed = bool(unheard(after, _as_of_now(question, after).clocks))
    home = after.site_kind == SiteKind.HOUSEHOLD_PREMISES
    if before is not None and now is None:
        yield RemoveFromRegister(
            case_id=after.case_id,
            decision=before.number,
            reason="what it rested on was corrected" if not home else "the site was found to be household premises",
        )
    elif now is not None and before is None:
        # The way back, or a household from the beginning that is none: an entry of its own.
        yield EnterRegister(case_id=after.case_id, decision=now.number, unweighed=unweighed)
    elif now is not None and unweighed:
        # A reply that seemed late was in time.
        yield NoteAppealInRegister(case_id=after.case_id, decision=now.number, unweighed=True)
    held = decision_in_force(question.case)
    if held is not None and held.received_ns is not None and decision_in_force(after) is None:
        yield WriteDocument(kind=DocumentKind.SETTING_ASIDE, subject=str(held.number))


def _correct(question: Question) -> Refusals:
    act: ProposeCorrection = question.act
    yield from needs_text(act.reason, "the reason of the correction")
    yield from correction_stands(question)


PROPOSE_CORRECTION = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_correct, when_closed=True)
