"""What happened in another order than it was recorded: the file takes it, and no right is lost between the two."""

import json
from typing import Any

import pytest
from case_stories import (
    DAY,
    HEARER,
    HOUR,
    PROPOSER,
    SHEET,
    VERIFIER,
    Story,
    classification,
    decider,
    decision,
    document,
    letter,
    measured,
    requestable,
)

from headframe.cases.apply import replay
from headframe.cases.codec import act_from_json, act_to_json
from headframe.cases.question import unheard
from headframe.cases.steps import PROVED, NextStep, measures_now, next_steps
from headframe.records.case import (
    AppealOutcome,
    ClosureReason,
    DecideAppeal,
    DecisionOutcome,
    DeclareFinal,
    ExtendClock,
    FileAppeal,
    NoticeKind,
    ProposeClosure,
    ProposeCorrection,
    ProposeMeasure,
    ProposeReopening,
    RecordMeasure,
    RecordReply,
    ReplyStance,
    ServeDecision,
    ServeNotice,
    ServeSettingAside,
)
from headframe.records.policy import MeasureMode, PartyStanding

CAMPUS = "campus-operator"
FINAL = DeclareFinal(reason="no appeal")
RECTIFIED = ProposeClosure(reason=ClosureReason.RECTIFIED, text="over")


def steps(story: Story) -> dict[tuple[str, str], NextStep]:
    """The next steps of a story by act and variant."""
    found = next_steps(story.case, story.pack, story.clocks, story.now_ns)
    return {(step.act, step.variant): step for step in found}


def due_ns(story: Story, clock: str) -> int:
    """When a clock is over."""
    return next(one.due_ns for one in story.clocks if one.id == clock)


def came(at_ns: int, stance: ReplyStance = ReplyStance.CONTESTS, **more: Any) -> RecordReply:
    """An answer that came at a time."""
    return RecordReply(received_ns=at_ns, stance=stance, document=None, text="our answer", **more)


def on_silence(*measures: str) -> Story:
    """Decided on silence when the time to answer was over, and served."""
    story = Story(CAMPUS).notified()
    story.now_ns = due_ns(story, "reply")
    story.agreed(decision(heard="", measures=measures))
    return story + 1 >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))


def measure_asked(story: Story, name: str) -> Story:
    """A measure that was approved by its unit."""
    unit = next(one.decided_by for one in story.pack.measures if one.id == name)
    return story.agreed(ProposeMeasure(measure=name, reason="rule"), by=(decider(story.pack, unit=unit),))


def carried_out(story: Story, name: str, at_ns: int, **more: Any) -> RecordMeasure:
    """A measure that its unit carried out."""
    entry = next(one for one in story.pack.measures if one.id == name)
    return RecordMeasure(measure=name, unit=entry.executed_by or entry.decided_by, at_ns=at_ns, **more)


UNWEIGHED = "what the party sent in time (event"


# ---------------------------------------------------------------------------------------------------------------------
# Answers


@pytest.mark.parametrize("stance", [ReplyStance.CONTESTS, ReplyStance.ASKS_FILE, ReplyStance.ASKS_TIME])
def test_an_answer_in_time_that_lay_in_a_drawer_is_weighed(stance: ReplyStance) -> None:
    """It came before the decision on silence and was recorded after: all rests until another one has weighed it."""
    name = requestable(Story(CAMPUS).pack)
    story = on_silence(name)
    number, sent_ns = story.case.decisions[-1].number, story.now_ns - 3 * DAY
    measure_asked(story, name)
    story >> (PROPOSER, came(sent_ns, stance))
    assert unheard(story.case, story.clocks) == (story.last,)
    what = f"{UNWEIGHED} {story.last}) came to the file after decision {number} was approved, and no decision has"
    story.refuses(PROPOSER, carried_out(story, name, story.now_ns), what)
    story.remedied() + 91 >> (VERIFIER, measured)
    chief = decider(story.pack)
    story.refuses(chief, FINAL, what, "take another decision that does, whatever it comes to")
    story.refuses(PROPOSER, ProposeMeasure(measure=name, reason="rule"), what)
    story.refuses(PROPOSER, RECTIFIED, what)
    found = steps(story)
    assert any(UNWEIGHED in text for text in found["declare_final", ""].missing)
    assert ("propose_decision", "confirmed") in found
    story.looked_up()
    if stance is ReplyStance.ASKS_FILE:
        story.refuses(PROPOSER, decision(), "has asked for the file")
        story.shown()
    assert steps(story)["propose_decision", "confirmed"].ready
    story.agreed(decision(heard="weighed: it was late in our post"))
    story + 1 >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))
    assert unheard(story.case, story.clocks) == ()
    story.now_ns = due_ns(story, "appeal")
    story >> (chief, FINAL)


def test_a_measure_is_not_shown_as_allowed_while_an_answer_waits() -> None:
    """The list of measures says what the rule says; what is not supported keeps its own reason only."""
    story = on_silence(name := requestable(Story(CAMPUS).pack)) + 1
    listed = {state.measure.id: state for state in measures_now(story.case, story.pack, story.clocks, story.now_ns)}
    assert listed[name].allowed
    story >> (PROPOSER, came(story.now_ns - 4 * DAY))
    waits = {state.measure.id: state for state in measures_now(story.case, story.pack, story.clocks, story.now_ns)}
    assert not waits[name].allowed
    assert any(UNWEIGHED in text for text in waits[name].missing)
    for state in waits.values():
        if state.measure.mode is MeasureMode.NOT_SUPPORTED:
            assert state == listed[state.measure.id]


def test_time_to_answer_is_the_partys_to_its_end() -> None:
    """It has answered and was decided upon; what it sends within its time is weighed, what it sends later may be."""
    story = Story(CAMPUS).decided()
    end_ns = due_ns(story, "reply")
    story >> (PROPOSER, lambda now: came(now))
    assert unheard(story.case, story.clocks) == (story.last,)
    story = Story(CAMPUS).decided()
    story.refuses(PROPOSER, decision(), "is in force and says the same")
    story.now_ns = end_ns
    story >> (PROPOSER, came(end_ns))
    assert unheard(story.case, story.clocks) == ()
    story.looked_up().agreed(decision())  # a late answer is weighed like any other where somebody decides to


def test_what_the_party_was_not_held_for_need_not_be_weighed() -> None:
    """A decision that holds nothing against it leaves no answer unheard."""
    story = Story(CAMPUS).heard().agreed(decision(DecisionOutcome.DISMISSED))
    story >> (PROPOSER, came(story.now_ns - HOUR))
    assert unheard(story.case, story.clocks) == ()
    story + 1 >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))
    story.now_ns = due_ns(story, "appeal")
    story >> (decider(story.pack), FINAL)


def test_a_closed_case_is_opened_for_an_answer_that_nobody_weighed() -> None:
    """The party's paper is taken, the finality is not, and the list says to reopen the case."""
    story = on_silence().remedied().verified().closed()
    assert steps(story)["propose_reopening", ""].any_time
    story >> (PROPOSER, came(story.case.decisions[-1].decided_ns - 2 * DAY))
    story.refuses(decider(story.pack), FINAL, "propose to reopen the case, and take another decision that does")
    reopen = steps(story)["propose_reopening", ""]
    assert reopen.ready
    assert not reopen.any_time
    story.agreed(ProposeReopening(reason="an answer was not weighed")).looked_up().shown() + 15
    story.agreed(decision(heard="weighed"))


def test_an_answer_stays_one_in_time() -> None:
    """A correction of its date does not make it late; one that finds it in time lets the finality fall."""
    story = on_silence()
    story >> (PROPOSER, came(story.now_ns - 3 * DAY))
    late = ProposeCorrection(
        event=story.last, field="received_ns", value=json.dumps(str(story.now_ns)), reason="a slip"
    )
    story.refuses(PROPOSER, late, f"the reply of event {story.last} was taken as one in time")
    story = on_silence() >> (PROPOSER, lambda now: came(now))
    sent = story.last
    story.now_ns = due_ns(story, "appeal")
    story >> (decider(story.pack), FINAL)
    final = story.last
    early = json.dumps(str(story.case.decisions[-1].decided_ns - DAY))
    story.agreed(ProposeCorrection(event=sent, field="received_ns", value=early, reason="our stamp was wrong"))
    assert story.events[-2].act.falls == (final,)
    assert story.case.decisions[-1].final_ns is None
    story.refuses(decider(story.pack), FINAL, UNWEIGHED)


def test_time_that_was_given_after_the_decision_is_waited_for() -> None:
    """An extension that was promised and recorded late: what comes in it is weighed, and nothing goes on before."""
    story = on_silence()
    until_ns = story.now_ns + 60 * DAY
    story >> (PROPOSER, ExtendClock(clock="reply", until_ns=until_ns, reason="promised on the phone before"))
    story.now_ns = due_ns(story, "appeal")
    assert story.now_ns < until_ns
    chief = decider(story.pack)
    story.refuses(
        chief, FINAL, f"the party was given time to answer (event {story.last}) after decision", "wait until 2026-05-"
    )
    story.remedied()
    story.now_ns = until_ns
    story >> (chief, FINAL)


def test_no_clerk_takes_a_finality_back_by_giving_time() -> None:
    """What comes late can be admitted, and a promise is a reason."""
    story = Story(CAMPUS).decided() + 60 >> (decider(Story(CAMPUS).pack), FINAL)
    for clock in ("appeal", "reply"):
        story.refuses(
            PROPOSER,
            ExtendClock(clock=clock, until_ns=story.now_ns + 30 * DAY, reason="asked for"),
            f"is final since 2026-05-04 05:24:00 UTC, and clock {clock} belongs to the time before that",
        )


def test_the_clock_of_a_decision_that_is_gone_is_not_extended() -> None:
    """There is nothing to appeal against, and the next decision has its own time."""
    story = Story(CAMPUS).decided()
    story.agreed(classification(story.pack, PartyStanding.VICTIM))
    story.refuses(
        PROPOSER,
        lambda now: ExtendClock(clock="appeal", until_ns=now + 90 * DAY, reason="asked for"),
        "clock appeal has not started",
    )


def test_an_answer_that_names_its_letter_answers_it() -> None:
    """The letter came earlier than its slip says. What names none may be about something else, and takes no time."""
    story = Story(CAMPUS).classified().agreed(letter()) + 2
    proposal = story.case.proposals[-1].number
    sent_ns = story.now_ns
    story + 1
    serve = ServeNotice(proposal=proposal, received_ns=story.now_ns, channel="post")
    story.refuses(PROPOSER, came(sent_ns, answers=1), "event 1 proposes no letter that was approved; record the reply")
    story.refuses(PROPOSER, came(sent_ns - 5 * DAY, answers=proposal), f"before letter {proposal} was approved")
    story >> (PROPOSER, came(sent_ns)) >> (PROPOSER, serve)
    story.refuses(PROPOSER, decision(), "the party has not answered, and has time until")
    named = Story(CAMPUS).classified().agreed(letter()) + 2 >> (PROPOSER, came(sent_ns, answers=proposal))
    (named + 1 >> (PROPOSER, serve)).agreed(decision())
    # To name a letter afterwards takes its time from the party; that it was named wrongly takes the decision away.
    names = ProposeCorrection(event=story.last - 1, field="answers", value=str(proposal), reason="it quotes it")
    story.refuses(PROPOSER, names, "record another reply, access or delivery, as it was")
    wrong = next(event.number for event in named.events if event.act.NAME == "reply")
    named.agreed(ProposeCorrection(event=wrong, field="answers", value="0", reason="it is about the inspection"))
    assert named.case.decisions[-1].set_aside


def test_the_last_notice_is_the_one_that_came_last() -> None:
    """The slip of an earlier one comes back later; the time of the later one is still the party's."""
    story = Story(CAMPUS).classified().agreed(letter()) + 1
    first, first_ns = story.case.proposals[-1].number, story.now_ns
    story + 1
    story.agreed(letter()) + 1
    story >> (PROPOSER, lambda now: ServeNotice(proposal=story.last - 1, received_ns=now, channel="post"))
    story >> (PROPOSER, came(first_ns + DAY))
    story >> (PROPOSER, ServeNotice(proposal=first, received_ns=first_ns, channel="post"))
    story.refuses(PROPOSER, decision(), "the party has not answered, and has time until")


# ---------------------------------------------------------------------------------------------------------------------
# Deliveries


def test_a_decision_that_was_gone_before_its_slip_came_back_is_taken_back_in_words() -> None:
    """The party has it. So that is recorded, and the letter that it does not hold is due before the case closes."""
    story = Story(CAMPUS).heard().agreed(decision())
    number = story.case.decisions[-1].number
    story + 1
    got_ns = story.now_ns
    (story + 0.5).agreed(classification(story.pack, PartyStanding.NOT_MINING))
    story.refuses(
        PROPOSER, ServeDecision(received_ns=got_ns, channel="post"),
        f"no decision is in force; only an approved decision is served. If one that was set aside reached the party, "
        f"name it by its number: {number}",
    )  # fmt: skip
    story.refuses(PROPOSER, ServeDecision(received_ns=got_ns, channel="post", decision=1), "1 is no approved decision")
    (
        story
        >> (PROPOSER, ServeDecision(received_ns=got_ns, channel="post", decision=number))
        << [f"write setting_aside {number}"]
    )
    assert replay(story.events) == story.case
    assert story.case.decisions[-1].received_ns == got_ns
    assert not steps(story)["serve_setting_aside", ""].any_time
    story >> (PROPOSER, lambda now: ServeSettingAside(decision=number, received_ns=now, channel="post"))


def test_a_decision_that_was_in_the_post_is_recorded_with_its_proof() -> None:
    """It was set aside, and came all the same; nobody is asked to send it."""
    story = Story(CAMPUS).heard().agreed(decision())
    number = story.case.decisions[-1].number
    story.agreed(classification(story.pack, PartyStanding.NOT_MINING)) + 1
    step = steps(story)["serve_decision", PROVED]
    assert (step.proposal, step.any_time) == (number, True)
    late = ServeDecision(received_ns=story.now_ns, channel="post", decision=number)
    story.refuses(PROPOSER, late, f"decision {number} was set aside at 2026-03-04", "record that with the proof")
    (
        story
        >> (
            PROPOSER,
            ServeDecision(received_ns=story.now_ns, channel="post", decision=number, proof=document()),
        )
        << [f"write setting_aside {number}"]
    )


def test_a_decision_that_came_after_the_one_that_replaced_it() -> None:
    """The party holds the older one for the newer: it is told before the case closes."""
    story = Story(CAMPUS).heard().agreed(decision())
    first = story.case.decisions[-1].number
    story + 0.1 >> (PROPOSER, lambda now: came(now))
    story.agreed(decision(DecisionOutcome.DISMISSED))
    story + 1 >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))
    (
        story + 1
        >> (
            PROPOSER,
            lambda now: ServeDecision(received_ns=now, channel="slow post", decision=first, proof=document()),
        )
        << [f"write setting_aside {first}"]
    )
    dismissed = ProposeClosure(reason=ClosureReason.DISMISSED, text="nothing to it")
    story.refuses(PROPOSER, dismissed, f"decision {first} was set aside, and the party, which has it, was not told")
    story >> (PROPOSER, lambda now: ServeSettingAside(decision=first, received_ns=now, channel="post"))
    story.agreed(dismissed)


@pytest.mark.parametrize("standing", [PartyStanding.VICTIM, PartyStanding.LAWFUL, PartyStanding.NOT_MINING])
def test_a_notice_that_came_while_it_stood_is_recorded(standing: PartyStanding) -> None:
    """And the party is told how it stands before the case closes."""
    story = Story(CAMPUS).classified().agreed(letter()) + 1
    proposal, got_ns = story.case.proposals[-1].number, story.now_ns
    (story + 0.5).agreed(classification(story.pack, standing))
    late = ServeNotice(proposal=proposal, received_ns=story.now_ns, channel="post")
    story.refuses(
        PROPOSER, late, f"standing has become {standing} since", "reached the party all the same, record that"
    )
    assert steps(story)["serve_notice", PROVED].any_time
    story >> (PROPOSER, ServeNotice(proposal=proposal, received_ns=got_ns, channel="post")) << []
    if standing is PartyStanding.VICTIM:
        assert steps(story)["propose_notice", "help"].ready
        victim = ProposeClosure(reason=ClosureReason.VICTIM_HELPED, text="helped")
        story.refuses(PROPOSER, victim, "no help letter was served")
        return
    outcome = DecisionOutcome.LAWFUL if standing is PartyStanding.LAWFUL else DecisionOutcome.DISMISSED
    story.agreed(decision(outcome))
    closure = ProposeClosure(reason=ClosureReason(str(outcome)), text="nothing is held against it")
    story.refuses(PROPOSER, closure, "the party was written to, and must learn how it ended")


def test_a_notice_that_was_in_the_post_is_recorded_with_its_proof() -> None:
    """A victim who got an accusation after its help letter gets another letter."""
    story = Story(CAMPUS).classified().agreed(letter())
    proposal = story.case.proposals[-1].number
    story.agreed(classification(story.pack, PartyStanding.VICTIM)).agreed(letter(NoticeKind.HELP)) + 1
    story >> (PROPOSER, lambda now: ServeNotice(proposal=story.last - 1, received_ns=now, channel="post"))
    story + 1 >> (
        PROPOSER,
        lambda now: ServeNotice(proposal=proposal, received_ns=now, channel="slow post", proof=document()),
    )
    closure = ProposeClosure(reason=ClosureReason.VICTIM_HELPED, text="helped")
    story.refuses(PROPOSER, closure, "a notice reached the party after its help letter; write to it again")


def test_a_slip_that_comes_back_after_the_closure_is_taken() -> None:
    """A letter that was never known to have come: the party is told how it ended, on the closed case."""
    story = Story(CAMPUS).classified().agreed(letter()) + 1
    proposal, got_ns = story.case.proposals[-1].number, story.now_ns
    (story + 0.5).agreed(decision(DecisionOutcome.DISMISSED))
    story.agreed(ProposeClosure(reason=ClosureReason.DISMISSED, text="nothing to it")) + 1
    sent = ServeNotice(proposal=proposal, received_ns=story.now_ns, channel="post")
    story.refuses(PROPOSER, sent, "the case was closed at 2026-03-03", "record that with the proof of delivery")
    story >> (PROPOSER, ServeNotice(proposal=proposal, received_ns=got_ns, channel="post")) << []
    assert steps(story)["serve_decision", ""].ready
    story >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))


def test_an_appeal_that_came_before_the_recorded_receipt_is_taken() -> None:
    """Who appeals has the decision, whatever the slip says. What is about a replaced one is weighed as a reply."""
    story = Story(CAMPUS).heard().agreed(decision()) + 1
    sent = FileAppeal(received_ns=story.now_ns, body="ombuds", grounds="not us")
    story + 1 >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post")) >> (PROPOSER, sent)
    assert not story.case.appeals[-1].late
    story.refuses(decider(story.pack), FINAL, "an appeal is pending")
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no")) >> (decider(story.pack), FINAL)
    story = Story(CAMPUS).decided() + 0.1
    sent_ns = story.now_ns
    story + 0.1 >> (PROPOSER, lambda now: came(now))
    story.agreed(decision())
    story + 0.1 >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))
    about_the_first = FileAppeal(received_ns=sent_ns, body="ombuds", grounds="not us")
    story.refuses(PROPOSER, about_the_first, "If it is about a decision that this one replaced, record it as a reply")
    story >> (PROPOSER, came(sent_ns))
    story.refuses(decider(story.pack), FINAL, UNWEIGHED)


# ---------------------------------------------------------------------------------------------------------------------
# Receipts that were noted too early


def noted_early() -> tuple[Story, int]:
    """A notice that was noted as delivered when it was sent, a decision on silence, and its measure."""
    name = requestable(Story(CAMPUS).pack)
    story = Story(CAMPUS).classified().agreed(letter())
    story >> (PROPOSER, lambda now: ServeNotice(proposal=story.last - 1, received_ns=now, channel="post"))
    served = story.last
    story.now_ns = due_ns(story, "reply")
    story.agreed(decision(heard="", measures=(name,), sheets=(SHEET,)))
    return story, served


def later(event: int, at_ns: int, field: str = "received_ns") -> ProposeCorrection:
    """It happened later than was said."""
    return ProposeCorrection(event=event, field=field, value=json.dumps(str(at_ns)), reason="noted when it was sent")


def test_a_receipt_is_set_right_beyond_its_own_record() -> None:
    """The letter had not come when it was noted: the time runs from when it did, and the decision on silence falls."""
    story, served = noted_early()
    number = story.case.decisions[-1].number
    story.refuses(
        PROPOSER, later(served, story.now_ns + HOUR), "what is said to be right is 2026-03-17", "still to come"
    )
    truly_ns = story.now_ns - DAY
    story.agreed(later(served, truly_ns))
    assert story.events[-2].act.falls == (number,)
    assert story.case.notices[-1].received_ns == truly_ns
    assert due_ns(story, "reply") > story.now_ns + 12 * DAY
    assert replay(story.events) == story.case


def test_a_decision_that_came_later_than_its_record_gives_its_time_from_then() -> None:
    """Finality and measures that came before the party had it fall."""
    name = requestable(Story(CAMPUS).pack)
    story = Story(CAMPUS).heard().agreed(decision(measures=(name,), sheets=(SHEET,)))
    story >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))
    served = story.last
    story + 15
    measure_asked(story, name)
    asked = story.case.measures[-1].proposal
    story.now_ns = due_ns(story, "appeal")
    story >> (decider(story.pack), FINAL)
    final = story.last
    story.agreed(later(served, story.now_ns - DAY)) << ["remove from register"]
    assert story.events[-2].act.falls == (final, asked)
    assert story.case.decisions[-1].final_ns is None
    assert story.case.measures[-1].withdrawn
    assert due_ns(story, "appeal") > story.now_ns + 25 * DAY


def test_an_access_is_set_right_beyond_its_own_record() -> None:
    """The file was handed over later than was noted; what an answer needs a date for is not moved that way."""
    story = Story(CAMPUS).heard().shown() + 1
    story.agreed(later(story.last, story.now_ns, "given_ns"))
    assert story.case.access[-1].given_ns == story.now_ns
    story >> (PROPOSER, lambda now: came(now))
    sent = story.last
    story + 1
    story.refuses(PROPOSER, later(sent, story.now_ns), "which is still to come")


# ---------------------------------------------------------------------------------------------------------------------
# Measures


def test_a_measure_that_was_carried_out_before_it_was_stopped_is_on_file() -> None:
    """Else nobody would see to its end. It takes the document that shows when; afterwards nothing is carried out."""
    for stopped in ("appeal", "victim", "answer"):
        carried_out_before(stopped)


def carried_out_before(stopped: str) -> None:
    """A measure that was stopped after it had been carried out."""
    name = requestable(Story(CAMPUS).pack)
    story = on_silence(name)
    measure_asked(story, name) + 1
    done_ns = story.now_ns
    story + 1
    if stopped == "appeal":
        story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    elif stopped == "victim":
        story.agreed(classification(story.pack, PartyStanding.VICTIM))
    else:
        story >> (PROPOSER, came(story.now_ns - 10 * DAY))
    slip = document("other", "slip.pdf")
    story.refuses(PROPOSER, carried_out(story, name, done_ns), "if it was carried out before that, record it with the")
    why = {"appeal": "an appeal is pending", "victim": "was withdrawn", "answer": UNWEIGHED}[stopped]
    story.refuses(PROPOSER, carried_out(story, name, story.now_ns, document=slip), why)
    story >> (PROPOSER, carried_out(story, name, done_ns, document=slip))
    assert story.case.measures[-1].carried_out_ns == done_ns
    if stopped == "victim":
        story.refuses(
            PROPOSER, ProposeClosure(reason=ClosureReason.VICTIM_HELPED, text="helped"),
            f"measure {name} was carried out and has not ended; record its end first",
        )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# Older files


def test_acts_of_an_older_workspace_are_read() -> None:
    """They name no decision and no letter; the decision that was in force then is the one that was served."""
    story = Story(CAMPUS).decided()
    assert story.events[-1].act.decision == story.case.decisions[-1].number
    old = {"received_ns": str(story.now_ns), "channel": "post", "proof": None}
    served = act_from_json("serve_decision", old)
    assert served == ServeDecision(received_ns=story.now_ns, channel="post")
    events = [*story.events[:-1], type(story.events[-1])(**{
        **{name: getattr(story.events[-1], name) for name in ("case_id", "number", "at_ns", "account", "unit")},
        "act": served})]  # fmt: skip
    assert replay(events).decisions == story.case.decisions
    reply = act_to_json(came(5))
    del reply["answers"]
    assert act_from_json("reply", reply) == came(5)
