"""No correction, no access and no service takes a right from a party that is not asked."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from case_auditor import audit
from case_stories import (
    DAY,
    HEARER,
    HOUR,
    PROPOSER,
    SCREENER,
    SHEET,
    Story,
    account,
    classification,
    decider,
    decision,
    document,
    finding,
    inspection,
    letter,
    packs,
    requestable,
)

from headframe.cases.rules import correct
from headframe.cases.rules import reply as rules_of_reply
from headframe.cases.rules.decide import last_notice
from headframe.cases.rules.notify import LOOKUP_MAX_AGE_DAYS
from headframe.cases.steps import next_steps
from headframe.policy.clocks import clocks_of
from headframe.records.case import (
    AddFindings,
    AdmitAppeal,
    AppealOutcome,
    Approve,
    ClosureReason,
    DecideAppeal,
    DeclareFinal,
    Duty,
    EnterRegister,
    ExtendClock,
    FileAppeal,
    GrantAccess,
    NoteAppealInRegister,
    PauseClock,
    ProposalState,
    ProposeClosure,
    ProposeCorrection,
    ProposeMeasure,
    RecordInspection,
    RecordMeasure,
    RecordReply,
    Refused,
    ReplyStance,
    ResumeClock,
    ServeDecision,
    ServeNotice,
)
from headframe.records.finding import Family
from headframe.records.policy import DeadlineUnit, PartyStanding

OFFICE = account("office", *Duty)


def correction(event: int, field: str, value: object) -> ProposeCorrection:
    """What an event says wrongly, and what is right."""
    text = value if isinstance(value, str) else json.dumps(value)
    return ProposeCorrection(event=event, field=field, value=text, reason="a slip")


def moment(at_ns: int) -> str:
    """An instant as a correction gives it."""
    return json.dumps(str(at_ns))


def number_of(story: Story, act: str) -> int:
    """Number of the last event with an act."""
    return max(event.number for event in story.events if act == event.act.NAME)


def reply(stance: ReplyStance = ReplyStance.CONTESTS, ago_ns: int = 0) -> Callable[[int], RecordReply]:
    """An answer that came now, or some time ago."""
    return lambda now: RecordReply(received_ns=now - ago_ns, stance=stance, document=None, text="not us")


def access(*held_back: str, documents: tuple[str, ...] = ("the whole file",)) -> Callable[[int], GrantAccess]:
    """The party was given the file, or a part of it."""
    return lambda now: GrantAccess(given_ns=now, documents=documents, held_back=held_back)


def served(pack: str = "campus-operator", wait_days: float = 2.9) -> Story:
    """A notice that came some days after its approval, as it is recorded."""
    story = Story(pack).classified().agreed(letter())
    number = story.case.proposals[-1].number
    return story + wait_days >> (PROPOSER, lambda now: ServeNotice(proposal=number, received_ns=now, channel="post"))


# ---------------------------------------------------------------------------------------------------------------------
# Time


def test_a_pause_hides_no_time_that_a_correction_takes() -> None:
    """A clock that stands still has no end; that of the day on which it would run on is compared."""
    story = served()
    at = story.last
    earlier = correction(at, "received_ns", moment(story.now_ns - 2 * DAY))
    story.refuses(PROPOSER, earlier, "clock reply is the party's time and runs until", "is not taken back")
    story >> (PROPOSER, PauseClock(clock="reply", from_ns=story.now_ns, reason="the file is away"))
    story.refuses(PROPOSER, earlier, "clock reply is the party's time", "if it ran on at", "is not taken back")
    # What gives time is taken, and what changes no day as well.
    story.agreed(correction(at, "received_ns", moment(story.now_ns - HOUR)))
    story + 2 >> (PROPOSER, lambda now: ResumeClock(clock="reply", from_ns=now, reason="it is back"))


def test_two_ends_that_a_day_off_makes_one_are_told_apart() -> None:
    """On the day of the correction both ends move to the same Monday; a pause of another day shows the difference."""
    story = served("us-tx-lfl", wait_days=1)
    (step,) = [one for one in story.pack.procedure if one.step == "reply"]
    assert step.deadline.rolls
    assert step.deadline.unit is DeadlineUnit.CALENDAR_DAY
    at, received_ns = story.last, story.now_ns
    story + 1 >> (PROPOSER, lambda now: PauseClock(clock="reply", from_ns=now, reason="the file is away"))
    wanted = correction(at, "received_ns", moment(received_ns - DAY))
    on_this_day_alone = []
    for _ in range(7):
        story + 1
        story.refuses(PROPOSER, wanted, "clock reply is the party's time")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(correct, "RUNS_ON_WITHIN_DAYS", 0)
            on_this_day_alone.append(isinstance(story.ask(PROPOSER, wanted), Refused))
    assert set(on_this_day_alone) == {True, False}


def test_what_is_new_keeps_its_time() -> None:
    """The time to answer it runs from the access: an access that is said to have been earlier would end it earlier."""
    story = Story("campus-operator").heard() + 1 >> (SCREENER, AddFindings(findings=(finding(9, Family.TIMING),)))
    story.looked_up() + 1
    given_ns = story.now_ns
    story.shown()
    story.refuses(
        PROPOSER,
        correction(story.last, "given_ns", moment(given_ns - DAY + HOUR)),
        "the time to answer what came after the notice is the party's time and runs until",
    )
    story.agreed(correction(story.last, "given_ns", moment(given_ns - HOUR)))  # on the same day


def test_a_period_of_the_party_does_not_begin_in_the_past() -> None:
    """A pack that gives time from an inspection on: what an old one is corrected to have seen begins no old period."""
    pack = packs()["my-esa"]
    (reply_step,) = [one for one in pack.procedure if one.step == "reply"]
    remedy = next(one for one in pack.procedure if one.step == "remediate")
    timed = replace(remedy, deadline=replace(reply_step.deadline, start="first_offence_found"))
    story = Story(replace(pack, procedure=tuple(timed if one is remedy else one for one in pack.procedure)))
    story.classified()
    seen = number_of(story, "inspect")
    story + 60
    story.refuses(
        PROPOSER,
        correction(seen, "record.bypass_seen", "true"),
        "clock remediate is the party's time and has not begun; with that it would have begun at",
        "before the party could know",
    )
    story.agreed(correction(seen, "record.place", "hall 3"))


# ---------------------------------------------------------------------------------------------------------------------
# What the party said


@pytest.mark.parametrize(
    "stance",
    [ReplyStance.ASKS_TIME, ReplyStance.ASKS_FILE, ReplyStance.CLAIMS_VICTIM, ReplyStance.CLAIMS_LAWFUL],
)
def test_what_the_party_asked_for_or_claimed_is_not_corrected_away(stance: ReplyStance) -> None:
    """Something follows from it; a slip of the clerk's is mended by another reply."""
    story = Story("campus-operator").notified() + 1 >> (PROPOSER, reply(stance))
    at = story.last
    says = f"event {at} says that the party {stance.replace('_', ' ')}"
    for other in set(ReplyStance) - {stance}:
        instead = f"Record another reply that says {other}"
        story.refuses(PROPOSER, correction(at, "stance", str(other)), says, instead)
    story.agreed(correction(at, "text", "not us, and in better words"))


def test_what_the_party_asked_for_stays_asked() -> None:
    """As above, for one of them."""
    story = Story("campus-operator").notified() + 1 >> (PROPOSER, reply(ReplyStance.ASKS_TIME))
    story.refuses(PROPOSER, correction(story.last, "stance", "contests"), "says that the party asks time")


def test_an_answer_may_turn_out_to_ask_for_something() -> None:
    """What gives the party more is taken: the decision on it falls."""
    story = Story("campus-operator").notified() + 1 >> (PROPOSER, reply())
    at = story.last
    story.agreed(decision())
    number = story.case.decisions[-1].number
    story >> (PROPOSER, correction(at, "stance", "asks_file"))
    assert story.events[-1].act.falls == (number,)
    story >> (decider(story.pack), Approve(proposal=story.last))
    assert story.case.decisions[-1].set_aside


def test_a_reply_is_not_made_an_answer_by_its_date() -> None:
    """It came before the notice; the time to answer that is not ended by saying that it came after."""
    story = served(wait_days=1)
    story >> (PROPOSER, reply(ago_ns=DAY // 2))
    at = story.last
    story.refuses(PROPOSER, decision(), "the party has not answered, and has time until")
    story.refuses(
        PROPOSER,
        correction(at, "received_ns", moment(story.now_ns)),
        "the party has neither answered the notice nor had its time, and with that it would count as if it had",
    )
    story >> (PROPOSER, reply())
    story.agreed(decision())


def test_a_reply_in_time_is_not_made_late() -> None:
    """It came to the file after the decision, and is weighed by another; a later date would let it lie."""
    story = Story("campus-operator").notified()
    until_ns = next(clock.due_ns for clock in story.clocks if clock.id == "reply")
    sent_ns = story.now_ns + 3 * DAY
    story.now_ns = until_ns
    story.agreed(decision(heard="")) + 0.1 >> (
        PROPOSER, RecordReply(received_ns=sent_ns, stance=ReplyStance.CONTESTS, document=None, text="not us")
    )  # fmt: skip
    at = story.last
    story.refuses(
        PROPOSER,
        correction(at, "received_ns", moment(story.now_ns)),
        f"the reply of event {at} was taken as one in time, and no decision has weighed it",
    )
    story.agreed(correction(at, "received_ns", moment(sent_ns + HOUR)))


# ---------------------------------------------------------------------------------------------------------------------
# What the party was shown


def test_an_old_paper_answers_nothing_that_was_not_there() -> None:
    """An access that is dated back to before the inspection makes no answer of what came before it."""
    story = Story("campus-operator").heard()
    heard_ns = story.now_ns
    (story + 20 >> (OFFICE, inspection)).looked_up()
    story >> (PROPOSER, GrantAccess(given_ns=heard_ns, documents=("the whole file",)))
    story >> (PROPOSER, replace(reply()(heard_ns + DAY), text="a second paper"))
    story.refuses(
        PROPOSER, decision(), "came after the notice, and the party was given that at", "wait until it answers"
    )
    story >> (PROPOSER, reply())
    story.agreed(decision())


def test_what_a_newer_notice_told_is_told() -> None:
    """The older one turns out to have come last: the time runs from it, and what the newer one tells stays told."""
    story = served(wait_days=1)
    at, first = story.last, story.case.notices[-1].proposal
    (story + 1 >> (OFFICE, inspection)).looked_up().notified() + 0.5
    story.agreed(correction(at, "received_ns", moment(story.now_ns)))
    assert last_notice(story.case).proposal == first
    story.refuses(PROPOSER, decision(), "the party has not answered, and has time until")
    story + 0.1 >> (PROPOSER, reply())
    story.agreed(decision())
    assert audit(story.events, story.pack) == []


def test_time_to_answer_a_new_notice_is_given_after_finality() -> None:
    """What ran before the decision was final stays over; a notice that came since has a time of its own."""
    story = Story("campus-operator").decided()
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "appeal")
    story >> (decider(story.pack), DeclareFinal(reason="no appeal"))
    longer = ExtendClock(clock="reply", until_ns=story.now_ns + 60 * DAY, reason="asked for")
    story.refuses(PROPOSER, longer, "is final since")
    (story + 1 >> (OFFICE, inspection)).looked_up().notified() >> (PROPOSER, reply(ReplyStance.ASKS_TIME))
    story >> (PROPOSER, longer)
    story.refuses(PROPOSER, replace(longer, clock="appeal"), "is final since")
    assert audit(story.events, story.pack) == []


def test_access_that_holds_something_back_puts_nothing_to_the_party() -> None:
    """It may be the very thing: the whole file, or another notice that tells it."""
    story = (Story("campus-operator").heard() + 1 >> (OFFICE, inspection)).looked_up()
    story >> (PROPOSER, access("the inspection record: others are named in it"))
    at = story.last
    for _ in range(2):
        story.refuses(
            PROPOSER, decision(), f"the access of event {at} held something back, so that the party may not have seen"
        )
        story + 20 >> (PROPOSER, reply())
    story.looked_up().shown() + 0.1 >> (PROPOSER, reply())
    story.agreed(decision())


def test_what_was_held_back_is_told_by_another_notice() -> None:
    """There is a way on that names nobody."""
    story = (Story("campus-operator").heard() + 1 >> (OFFICE, inspection)).looked_up()
    story >> (PROPOSER, access("the inspection record: others are named in it"))
    story.notified() + 1 >> (PROPOSER, reply())
    story.agreed(decision())


def test_a_document_that_was_given_has_a_name() -> None:
    """Nothing, in an empty text, is nothing."""
    story = Story("campus-operator").heard()
    story.refuses(PROPOSER, access(documents=("",)), "a document that was given is empty")
    story.refuses(PROPOSER, access(documents=("F-1", "  ")), "a document that was given is empty")


def test_older_files_have_accesses_to_nothing() -> None:
    """They are read, and show nothing: neither what is new, nor the file that was asked for."""
    story = Story("campus-operator").notified() + 1 >> (PROPOSER, reply(ReplyStance.ASKS_FILE))
    story + 1 >> (PROPOSER, reply()) >> (PROPOSER, access())
    event = story.events[-1]
    story.events[-1] = replace(event, act=replace(event.act, documents=("",)))
    story.case = replace(story.case, access=(story.events[-1].act,), events=tuple(story.events))
    story.refuses(PROPOSER, decision(), "the party has asked for the file")
    whole = correction(story.last, "documents", ["all of it"])
    story.refuses(PROPOSER, whole, "did not give the party the whole file, and does not become one that did")


@pytest.mark.parametrize(("field", "value"), [("held_back", []), ("documents", ["everything"])])
def test_an_access_does_not_become_whole_by_a_correction(field: str, value: list[str]) -> None:
    """It is given and recorded again; what was given may be told better."""
    story = (Story("campus-operator").heard() + 1 >> (OFFICE, inspection)).looked_up()
    story >> (PROPOSER, access("the inspection record: others are named in it"))
    wanted = correction(story.last, field, value)
    if field == "documents":
        story.agreed(wanted).refuses(PROPOSER, decision(), "held something back")
    else:
        story.refuses(PROPOSER, wanted, f"the access of event {story.last} did not give the party the whole file",
                      "record the access again")  # fmt: skip


def test_an_access_that_held_something_back_after_all_takes_the_decision_away() -> None:
    """The party had not seen what it was judged on."""
    story = (Story("campus-operator").heard() + 1 >> (OFFICE, inspection)).looked_up().shown()
    at = story.last
    story + 0.1 >> (PROPOSER, reply())
    story.agreed(decision())
    number = story.case.decisions[-1].number
    story >> (PROPOSER, correction(at, "held_back", ["the inspection record: a mistake"]))
    assert story.events[-1].act.falls == (number,)


# ---------------------------------------------------------------------------------------------------------------------
# What an inspection is corrected to have seen


def corrected_inspection() -> Story:
    """An inspection saw nothing, the party was heard on that; then it is said to have seen machines."""
    story = Story("campus-operator").opened().looked_up() >> (OFFICE, lambda now: inspection(now, machines=0))
    seen = story.last
    story.agreed(classification(story.pack)).notified() + 1 >> (PROPOSER, reply())
    return story.agreed(correction(seen, "record.machines_seen", 400))


def test_what_an_inspection_is_corrected_to_say_is_put_to_the_party() -> None:
    """It was told of no machines; four hundred are something new, from the approval of the correction on."""
    story = corrected_inspection()
    story.refuses(
        PROPOSER,
        decision(),
        f"a correction of an inspection (event {story.last}) came after the notice and the party has not seen that",
    )
    story.shown()
    story.refuses(PROPOSER, decision(), "wait until it answers, or until")
    story + 1 >> (PROPOSER, reply())
    story.agreed(decision())
    assert audit(story.events, story.pack) == []


def test_a_correction_before_the_notice_is_told_by_it() -> None:
    """What was right when the notice was proposed is what it tells."""
    story = Story("campus-operator").classified()
    story.agreed(correction(number_of(story, "inspect"), "record.place", "hall 3"))
    story.notified().heard().agreed(decision())


def test_a_decision_stands_that_came_before_the_correction() -> None:
    """It rests on what it was decided on; that something is said otherwise since makes it no decision unheard."""
    story = Story("campus-operator").decided()
    seen = number_of(story, "inspect")
    story >> (PROPOSER, correction(seen, "record.machines_seen", 40))
    assert story.events[-1].act.falls == ()
    story >> (decider(story.pack), Approve(proposal=story.last)) << []
    assert not story.case.decisions[-1].set_aside
    # And a harmless correction of something older still is harmless.
    story.agreed(correction(number_of(story, "reply"), "text", "in other words")) << []
    assert not story.case.decisions[-1].set_aside


def test_a_correction_while_a_decision_waits_stops_it() -> None:
    """Proposed before, approved after: what the party has not seen has come between."""
    story = Story("campus-operator").heard() >> (PROPOSER, decision())
    waits = story.last
    story.agreed(correction(number_of(story, "inspect"), "record.machines_seen", 40))
    story.refuses(decider(story.pack), Approve(proposal=waits), "a correction of an inspection", "has not seen that")


# ---------------------------------------------------------------------------------------------------------------------
# A letter that was approved, and has not gone out


def on_machines() -> Story:
    """A notice that rests on one source and on machines that an inspection saw, approved and not served."""
    return Story("campus-operator").opened((finding(1),)).classified().agreed(letter())


def nobody_saw_any(story: Story) -> ProposeCorrection:
    """The inspection saw no machines."""
    return correction(number_of(story, "inspect"), "record.machines_seen", 0)


def test_an_approved_letter_falls_with_what_it_rests_on() -> None:
    """Nobody serves it; what has to be done stands among the steps."""
    story = on_machines()
    proposed = story.case.proposals[-1].number
    story >> (PROPOSER, nobody_saw_any(story))
    assert story.events[-1].act.falls == (proposed,)
    # A letter is approved in any unit, and falls in any.
    story >> (account("elsewhere", Duty.DECIDE, unit="somewhere"), Approve(proposal=story.last)) << []
    status = next(one for one in story.case.proposals if one.number == proposed)
    assert (status.state, status.settled) == (ProposalState.WITHDRAWN, story.last)
    serve = ServeNotice(proposal=proposed, received_ns=story.now_ns + HOUR, channel="post")
    story + 1
    story.refuses(PROPOSER, serve, f"the letter of event {proposed} fell with a correction")
    steps = next_steps(story.case, story.pack, story.clocks, story.now_ns)
    (another,) = [one for one in steps if (one.act, one.variant) == ("propose_notice", "notice")]
    assert any("the findings rest on 1 independent source" in reason for reason in another.missing)
    # That it came all the same can be noted, with its proof; nobody is asked to send it.
    assert [one.variant for one in steps if one.act == "serve_notice" and not one.any_time] == []
    story >> (SCREENER, AddFindings(findings=(finding(2, Family.LOAD),)))
    story.looked_up().notified()
    assert audit(story.events, story.pack) == []


def test_a_letter_that_stands_all_the_same_goes_out() -> None:
    """Two sources are left without the machines."""
    story = Story("campus-operator").classified().agreed(letter())
    proposed = story.case.proposals[-1].number
    story.agreed(nobody_saw_any(story)) + 1
    story >> (PROPOSER, lambda now: ServeNotice(proposal=proposed, received_ns=now, channel="post"))


def test_a_letter_to_another_party_falls() -> None:
    """It was written to one organisation, and the case turns out to be about another."""
    story = Story("campus-operator").classified().agreed(letter())
    proposed = story.case.proposals[-1].number
    story >> (PROPOSER, correction(1, "organisation_id", "O-2"))
    assert story.events[-1].act.falls == (proposed,)
    story >> (decider(story.pack), Approve(proposal=story.last))
    # That it went out all the same is on file, and tells the right party nothing.
    story + 1 >> (
        PROPOSER,
        lambda now: ServeNotice(proposal=proposed, received_ns=now, channel="post", proof=document("other")),
    )
    story + 1 >> (PROPOSER, reply())
    story.refuses(PROPOSER, decision(), "no notice was served; a decision against a party needs one")
    story.notified() + 1 >> (PROPOSER, reply())
    # Either may have sent that; one that names the letter is an answer to it.
    story.refuses(PROPOSER, decision(), "the party has not answered", "another party has had letters in this case too")
    mine = story.case.notices[-1].proposal
    story >> (PROPOSER, lambda now: replace(reply()(now), answers=mine))
    story.agreed(decision())


def test_a_letter_that_fell_and_came_is_answered() -> None:
    """Whoever got it may say so; that is on file, and no answer of the party of today, nor to what is new."""
    story = Story("campus-operator").classified().agreed(letter())
    first = story.case.proposals[-1].number
    story >> (PROPOSER, correction(1, "organisation_id", "O-2"))
    story + 0.1
    came_ns = story.now_ns
    story + 0.1 >> (decider(story.pack), Approve(proposal=story.last))
    story >> (PROPOSER, ServeNotice(proposal=first, received_ns=came_ns, channel="post"))
    former = replace(reply()(story.now_ns), answers=first)
    story >> (PROPOSER, former)
    story.notified() + 1 >> (PROPOSER, lambda now: replace(former, received_ns=now))
    story.refuses(PROPOSER, decision(), "the party has not answered, and has time until")
    mine = story.case.notices[-1].proposal
    story >> (PROPOSER, lambda now: replace(reply()(now), answers=mine))
    (story >> (SCREENER, AddFindings(findings=(finding(9, Family.TIMING),)))).looked_up().shown() + 0.1
    story >> (PROPOSER, lambda now: replace(former, received_ns=now))
    story.refuses(PROPOSER, decision(), "wait until it answers, or until")
    assert audit(story.events, story.pack) == []


def test_a_letter_that_waits_is_proposed_to_the_right_party_anew() -> None:
    """Proposed to one organisation, it is not approved to another."""
    story = Story("campus-operator").classified() >> (PROPOSER, letter())
    waits = story.last
    story.agreed(correction(1, "organisation_id", "O-2"))
    story.refuses(decider(story.pack), Approve(proposal=waits), "the party was corrected (event 8) since this letter")


def test_a_notice_is_asked_again_when_it_is_served() -> None:
    """A closed case asks for no letter; reopened, it is asked at the door. The look-up may have grown old as well."""
    story = on_machines() + LOOKUP_MAX_AGE_DAYS + 1
    proposed = story.case.proposals[-1].number
    serve = ServeNotice(proposal=proposed, received_ns=story.now_ns, channel="post")
    story.refuses(PROPOSER, serve, "more than 30 days ago (operator default); look the site up again")
    story >> (SCREENER, AddFindings(findings=(finding(3, log10_e=-9.0, mining=False),)))
    story + 1
    serve = replace(serve, received_ns=story.now_ns)
    story.refuses(PROPOSER, serve, "findings were added after the look-up")
    story.looked_up() + 1
    story >> (PROPOSER, replace(serve, received_ns=story.now_ns))


def test_a_notice_on_evidence_that_later_looks_contradict_is_called_back() -> None:
    """It was enough together when it was approved, and is not any more: it says so at the door, and what to do."""
    weak = (finding(1, log10_e=1.3), finding(2, Family.LOAD, log10_e=1.3))
    story = Story("campus-operator").opened(weak).looked_up()
    story.agreed(classification(story.pack)).agreed(letter())
    proposed = story.case.proposals[-1].number
    nothing = tuple(finding(number, log10_e=-9.0, mining=False) for number in range(10, 20))
    (story + 1 >> (SCREENER, AddFindings(findings=nothing))).looked_up() + 1
    serve = ServeNotice(proposal=proposed, received_ns=story.now_ns, channel="post")
    story.refuses(
        PROPOSER, serve, f"the notice of event {proposed} does not stand any more: the findings come to an e-value of",
        "Call it back, and write another letter",
    )  # fmt: skip
    steps = next_steps(story.case, story.pack, story.clocks, story.now_ns)
    (step,) = [one for one in steps if one.act == "serve_notice" and not one.any_time]
    assert any("does not stand any more" in reason for reason in step.missing)


def test_a_notice_is_not_served_on_a_party_whose_appeal_was_upheld() -> None:
    """It was approved before, and holds against the party what the body found to be wrong."""
    story = Story("campus-operator").decided().agreed(letter()) + 1
    proposed = story.case.proposals[-1].number
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    (story >> (HEARER, DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"))) + 1
    serve = ServeNotice(proposal=proposed, received_ns=story.now_ns, channel="post")
    story.refuses(PROPOSER, serve, "does not stand any more: an appeal was upheld: the party was found to be right")


def test_an_old_letter_is_not_waited_for_when_another_was_written() -> None:
    """Only the last one that was approved is asked for."""
    story = Story("campus-operator").classified().agreed(letter()).agreed(letter()) + LOOKUP_MAX_AGE_DAYS + 1
    steps = next_steps(story.case, story.pack, story.clocks, story.now_ns)
    waiting = [one.proposal for one in steps if one.act == "serve_notice" and not one.any_time]
    assert waiting == [story.case.proposals[-1].number]


def test_a_correction_in_a_closed_case_asks_no_letter() -> None:
    """A closed case sends none."""
    story = Story("campus-operator").classified().agreed(letter()).notified().heard().decided().remedied().verified()
    story.closed().agreed(correction(number_of(story, "inspect"), "record.place", "hall 3"))
    assert story.events[-2].act.falls == ()
    assert clocks_of(story.case, story.pack, story.now_ns)


def test_standing_aside() -> None:
    """A victim gets no notice by the back door: the standing is asked at service as ever."""
    story = Story("campus-operator").classified().agreed(letter())
    proposed = story.case.proposals[-1].number
    story.agreed(classification(story.pack, PartyStanding.VICTIM)) + 1
    serve = ServeNotice(proposal=proposed, received_ns=story.now_ns, channel="post")
    story.refuses(PROPOSER, serve, "the party's standing has become victim")
    assert isinstance(story.case.events[2].act, RecordInspection)


# ---------------------------------------------------------------------------------------------------------------------
# An appeal that was thrown out for a wrong date


def thrown_out(*measures: str) -> tuple[Story, ProposeCorrection]:
    """A served decision, a measure that was asked for, and an appeal that was late by the slip of the decision."""
    story = Story("campus-operator").heard().agreed(decision(measures=measures, sheets=(SHEET,))) + 3
    story >> (PROPOSER, ServeDecision(received_ns=story.now_ns - 5 * DAY // 2, channel="post"))
    slip, came_ns = story.last, story.now_ns
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "appeal") + HOUR
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    story >> (HEARER, AdmitAppeal(admitted=False, reason="late"))
    return story, correction(slip, "received_ns", moment(came_ns))


def test_an_appeal_that_was_thrown_out_and_came_in_time_lets_all_rest() -> None:
    """Not only the finality: measures, a new decision and the closure wait as for any appeal, from then on."""
    name = requestable(packs()["campus-operator"])
    story, right = thrown_out(name)
    unit = next(one.decided_by for one in story.pack.measures if one.id == name)
    (story + 1).agreed(ProposeMeasure(measure=name, reason="rule"), by=(decider(story.pack, unit=unit),))
    story + 1
    done_ns = story.now_ns
    (story + 1).agreed(right)
    # What was asked for before that was known is not undone; it rests.
    assert not story.case.measures[-1].withdrawn
    assert not story.case.decisions[-1].set_aside
    why = "was found inadmissible for coming late, and came in time as is known now"
    carried = RecordMeasure(
        measure=name,
        unit=next(one.executed_by or one.decided_by for one in story.pack.measures if one.id == name),
        at_ns=story.now_ns,
        document=document(),
    )
    story.refuses(PROPOSER, carried, why)
    story.refuses(PROPOSER, ProposeMeasure(measure=name, reason="rule"), why)
    story.refuses(PROPOSER, decision(), why)
    story.refuses(PROPOSER, ProposeClosure(reason=ClosureReason.RECTIFIED, text="over"), why)
    story >> (PROPOSER, replace(carried, at_ns=done_ns))
    (story + 1) >> (HEARER, AdmitAppeal(admitted=True, reason="in time")) >> (
        HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no merit"))  # fmt: skip
    story >> (PROPOSER, lambda now: replace(carried, at_ns=now, ended=True))
    story >> (PROPOSER, ProposeMeasure(measure=name, reason="rule"))
    assert audit(story.events, story.pack) == []


def twice_decided() -> Story:
    """A served decision, and another one that replaced it and has not gone out."""
    story = Story("campus-operator").decided() + 1 >> (PROPOSER, reply())
    return story.agreed(decision()) + 1


def test_an_appeal_against_a_decision_that_was_just_replaced_is_taken() -> None:
    """The party has only the first, and is in time; another has been approved, of which it knows nothing."""
    story = twice_decided()
    first, second = (one.number for one in story.case.decisions)
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    (appeal,) = story.case.appeals
    assert (appeal.decision, appeal.late, appeal.outcome) == (first, False, None)
    story.refuses(PROPOSER, ProposeClosure(reason=ClosureReason.RECTIFIED, text="over"), "an appeal is pending")
    # The other goes out all the same, and can be appealed for itself: what was said on the first ends no right.
    story >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no merit"))
    story.refuses(decider(story.pack), DeclareFinal(reason="x"), "the party can appeal to")
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="nor this"))
    assert story.case.appeals[-1].decision == second
    assert audit(story.events, story.pack) == []


def test_what_it_had_is_gone_when_that_appeal_is_upheld() -> None:
    """The decision in force goes, and the party is told that the one that it has does not hold."""
    story = twice_decided()
    first = story.case.decisions[0].number
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right")) << [f"write setting_aside {first}"]
    assert all(one.set_aside for one in story.case.decisions)
    closes = ProposeClosure(reason=ClosureReason.DECISION_SET_ASIDE, text="over")
    story.refuses(PROPOSER, closes, f"decision {first} was set aside, and the party, which has it, was not told")


def test_an_appeal_against_what_an_appeal_took_away_is_about_nothing() -> None:
    """The party was told; the next decision has to reach it first."""
    story = Story("campus-operator").decided() + 1
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.REMITTED, reason="say why"))
    (story + 0.1).agreed(decision()) + 1
    wanted = FileAppeal(received_ns=story.now_ns, body="court", grounds="not us")
    story.refuses(PROPOSER, wanted, "was not served; record when the party received it first")


def test_the_register_says_that_an_answer_in_time_was_not_weighed() -> None:
    """It came to the file after the finality, which stays; the entry says so, also beside what is said on an appeal."""
    story = Story("campus-operator").decided()
    number = story.case.decisions[-1].number
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "appeal")
    story >> (decider(story.pack), DeclareFinal(reason="no appeal")) << ["enter register"]
    entered = story.commands
    story >> (PROPOSER, reply()) << []  # late: it may be weighed, and nothing waits for it
    story >> (PROPOSER, reply(ReplyStance.CLAIMS_VICTIM, ago_ns=story.now_ns - story.case.replies[0].received_ns))
    (noted,) = [one for one in story.commands if isinstance(one, NoteAppealInRegister)]
    assert (noted.decision, noted.unweighed) == (number, True)
    assert story.case.decisions[-1].final_ns is not None
    (wrong,) = audit(story.events, story.pack, entered)
    assert wrong == f"the register does not say of decision {number} that an answer in time was not weighed"
    assert audit(story.events, story.pack, (*entered, noted)) == []
    story + 1 >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    (noted,) = [one for one in story.commands if isinstance(one, NoteAppealInRegister)]
    assert noted.unweighed


def test_an_entry_that_comes_back_says_still_that_an_answer_was_not_weighed() -> None:
    """A site was taken for a home by mistake, which takes the entry away; set right, it is entered as it stood."""
    story = Story("campus-operator").decided()
    number = story.case.decisions[-1].number
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "appeal")
    kind = story.case.site_kind
    story >> (decider(story.pack), DeclareFinal(reason="no appeal"))
    commands = list(story.commands)
    decided_ns = story.case.decisions[-1].decided_ns
    story >> (PROPOSER, reply(ReplyStance.CLAIMS_VICTIM, ago_ns=story.now_ns - decided_ns + HOUR))
    commands += story.commands
    story.agreed(correction(1, "site_kind", "household_premises")) << ["remove from register"]
    commands += story.commands
    story.agreed(correction(1, "site_kind", kind))
    (entered,) = [one for one in story.commands if isinstance(one, EnterRegister)]
    assert (entered.decision, entered.unweighed) == (number, True)
    assert audit(story.events, story.pack, (*commands, entered)) == []
    (wrong,) = audit(story.events, story.pack, (*commands, replace(entered, unweighed=False)))
    assert wrong == f"the register does not say of decision {number} that an answer in time was not weighed"


def test_a_reply_that_turns_out_to_be_in_time_is_noted_in_the_register() -> None:
    """It was recorded as late, after the finality; its right date says that nobody has weighed it."""
    story = Story("campus-operator").decided()
    number, decided_ns = story.case.decisions[-1].number, story.case.decisions[-1].decided_ns
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "appeal")
    story >> (decider(story.pack), DeclareFinal(reason="no appeal"))
    commands = list(story.commands)
    story >> (PROPOSER, reply()) << []
    replied = story.last
    story.agreed(correction(replied, "received_ns", moment(decided_ns - HOUR)))
    (noted,) = [one for one in story.commands if isinstance(one, NoteAppealInRegister)]
    assert (noted.decision, noted.unweighed) == (number, True)
    assert story.case.decisions[-1].final_ns is not None
    assert audit(story.events, story.pack, (*commands, noted)) == []


def test_a_unit_gives_itself_no_time_by_a_pause_of_long_ago() -> None:
    """On the last day of its own clock a clerk would say that it had stood still from its beginning."""
    story = Story("cn-bj-2024").notified() >> (PROPOSER, reply(ReplyStance.ASKS_FILE))
    clock = next(one for one in story.clocks if one.id == "access_file")
    assert clock.started_ns is not None
    assert clock.due_ns is not None
    story.now_ns = clock.due_ns - HOUR
    long_ago = PauseClock(clock="access_file", from_ns=clock.started_ns, reason="busy")
    story.refuses(PROPOSER, long_ago, "clock access_file binds the unit, which cannot give itself time afterwards")
    story >> (PROPOSER, replace(long_ago, from_ns=story.now_ns - DAY)) << []
    assert audit(story.events, story.pack) == []
    story = Story("cn-bj-2024").notified() >> (PROPOSER, reply(ReplyStance.ASKS_FILE))
    story.now_ns = clock.due_ns - HOUR
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rules_of_reply, "_paused_when_it_was", lambda *_: ())
        story >> (PROPOSER, long_ago)
    assert any("gave itself time by a pause of long ago" in wrong for wrong in audit(story.events, story.pack))
