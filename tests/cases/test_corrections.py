"""Corrections: rules ask what is right now, the record shows both, and what does not stand with it falls."""

import json
from dataclasses import replace

import pytest
from case_auditor import audit
from case_stories import (
    DAY,
    HEARER,
    HOUR,
    INSPECTOR,
    PROPOSER,
    SCREENER,
    Story,
    account,
    classification,
    decider,
    decision,
    document,
    finding,
    inspection,
    letter,
    requestable,
)

import headframe.cases.apply as apply_module
from headframe.cases.apply import replay
from headframe.cases.codec import act_from_json
from headframe.cases.steps import next_steps
from headframe.records.case import (
    AddFindings,
    AdmitAppeal,
    AppealOutcome,
    Approve,
    CaseEvent,
    ClosureReason,
    DecideAppeal,
    DeclareFinal,
    Duty,
    FileAppeal,
    ProposeClosure,
    ProposeCorrection,
    ProposeMeasure,
    ProposeReopening,
    RecordRemedy,
    RecordReply,
    RemedyGrade,
    ServeDecision,
    ServeNotice,
    Stage,
)
from headframe.records.finding import Family
from headframe.records.policy import ClockState, PartyStanding


def correction(event: int, field: str, value: str) -> ProposeCorrection:
    """What an event says wrongly, and what is right."""
    return ProposeCorrection(event=event, field=field, value=value, reason="a slip")


def last(story: Story, act: str) -> int:
    """Number of the last event with an act."""
    return max(event.number for event in story.events if act == event.act.NAME)


RECTIFIED = ProposeClosure(reason=ClosureReason.RECTIFIED, text="over")


def test_a_corrected_grade_of_proof_does_not_close_a_case() -> None:
    """B was written down, D it was: the rule asks for what is right, and the event stays as it is."""
    story = Story("campus-operator").verified()
    at = last(story, "remedy")
    story.agreed(correction(at, "grade", "D"))
    assert story.case.remedies[-1].grade is RemedyGrade.D
    assert story.case.events[at - 1].act.grade is RemedyGrade.B
    assert story.case.corrections[-1].value == "D"
    assert replay(story.events) == story.case
    story.refuses(PROPOSER, RECTIFIED, "no remedy of grade A or B is recorded; the party's own word alone does not")
    story.agreed(correction(at, "grade", "A")).agreed(RECTIFIED)


def test_a_closure_that_waits_is_asked_again() -> None:
    """The correction is approved first; then the closure that rested on what was wrong is refused."""
    story = Story("campus-operator").verified() >> (PROPOSER, RECTIFIED)
    waits = story.last
    story.agreed(correction(last(story, "remedy"), "grade", "C"))
    story.refuses(decider(story.pack), Approve(proposal=waits), "no remedy of grade A or B is recorded")


def test_a_closed_case_is_opened_again_before_what_closed_it_is_corrected() -> None:
    """Nobody's closure goes away behind his back: reopened by two accounts, corrected, and closed on what is right."""
    story = Story("campus-operator").closed()
    at = last(story, "remedy")
    story.refuses(
        PROPOSER,
        correction(at, "grade", "D"),
        "the case is closed, and with that event 15 (propose_closure) would not stand: no remedy of grade A or B is "
        "recorded",
        "Propose to reopen the case first",
    )
    story.agreed(correction(at, "grade", "A"))  # what speaks for the closure needs no reopening
    story.agreed(ProposeReopening(reason="the proof was another's")).agreed(correction(at, "grade", "D"))
    story.refuses(PROPOSER, RECTIFIED, "no remedy of grade A or B is recorded")


def on_silence(pack: str = "campus-operator", *measures: str) -> Story:
    """Decided on silence, after a notice that is said to have come two and a half days before it was recorded."""
    story = Story(pack).classified().agreed(letter()) + 3
    proposal = story.case.proposals[-1].number
    story >> (PROPOSER, ServeNotice(proposal=proposal, received_ns=story.now_ns - 5 * DAY // 2, channel="post"))
    due_ns = next(clock.due_ns for clock in story.clocks if clock.id == "reply")
    story.now_ns = due_ns
    story.agreed(decision(heard="", measures=measures))
    return story + 1 >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))


def came_later(story: Story) -> ProposeCorrection:
    """The notice came when it was recorded."""
    served = last(story, "serve_notice")
    return correction(served, "received_ns", json.dumps(str(story.events[served - 1].at_ns)))


def test_a_notice_that_came_later_takes_the_decision_away() -> None:
    """Decided before the time was over, as is known now: it falls, the party is told, and it is decided again."""
    name = requestable(Story("campus-operator").pack)
    story = on_silence("campus-operator", name)
    number = story.case.decisions[-1].number
    story.agreed(
        ProposeMeasure(measure=name, reason="rule"),
        by=(decider(story.pack, unit=next(m.decided_by for m in story.pack.measures if m.id == name)),),
    )
    story >> (PROPOSER, came_later(story))
    assert story.events[-1].act.falls == (number,)  # and its measures with it
    outsider = account("outsider", Duty.DECIDE, unit="somewhere")
    story.refuses(
        outsider, Approve(proposal=story.last), "takes a step away that was decided; its approver must belong"
    )
    story >> (decider(story.pack), Approve(proposal=story.last)) << [f"write setting_aside {number}"]
    assert story.case.decisions[-1].set_aside
    assert story.case.measures[-1].withdrawn
    assert replay(story.events) == story.case
    story.looked_up() + 3
    story.agreed(decision(heard=""))


def test_a_decision_that_stands_all_the_same_stays() -> None:
    """The party has answered: when the notice came exactly changes nothing about that."""
    story = on_silence() >> (PROPOSER, correction_of := ProposeCorrection(event=1, field="region", value="R-2",
                                                                          reason="a slip"))  # fmt: skip
    assert correction_of.falls == ()
    story >> (decider(story.pack), Approve(proposal=story.last)) << []
    assert story.case.region == "R-2"
    assert not story.case.decisions[-1].set_aside


def test_what_falls_is_what_was_said_when_it_was_proposed() -> None:
    """Whoever approves knows what goes; where that is no more so, it is proposed anew."""
    story = on_silence() >> (PROPOSER, came_later(on_silence()))
    waits = story.last
    number = story.case.decisions[-1].number
    assert story.events[-1].act.falls == (number,)
    story.agreed(classification(story.pack, PartyStanding.VICTIM))
    story.refuses(decider(story.pack), Approve(proposal=waits), "what falls with this correction is not what it was")


def test_a_finality_that_came_too_early_falls_alone() -> None:
    """The decision came later than was recorded, and the time to appeal was not over; the register entry goes."""
    story = Story("campus-operator").heard().agreed(decision()) + 3
    story >> (PROPOSER, ServeDecision(received_ns=story.now_ns - 5 * DAY // 2, channel="post"))
    served = story.last
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "appeal")
    story >> (decider(story.pack), DeclareFinal(reason="no appeal")) << ["enter register"]
    final = story.last
    later = correction(served, "received_ns", json.dumps(str(story.events[served - 1].at_ns)))
    story >> (PROPOSER, later)
    assert story.events[-1].act.falls == (final,)
    story >> (decider(story.pack), Approve(proposal=story.last)) << ["remove from register"]
    decided = story.case.decisions[-1]
    assert (decided.final_ns, decided.set_aside) == (None, False)
    story + 4 >> (decider(story.pack), DeclareFinal(reason="no appeal")) << ["enter register"]


def test_no_correction_takes_time_from_the_party() -> None:
    """A delivery that was earlier than recorded would end the time earlier: it was given, and stays."""
    story = Story("campus-operator").classified().agreed(letter()) + 2
    proposal = story.case.proposals[-1].number
    story >> (PROPOSER, lambda now: ServeNotice(proposal=proposal, received_ns=now, channel="post"))
    early = json.dumps(str(story.now_ns - DAY))
    story.refuses(
        PROPOSER, correction(story.last, "received_ns", early),
        "clock reply is the party's time and runs until 2026-03-19", "time that was given is not taken back",
    )  # fmt: skip


def test_what_could_not_have_been_recorded_is_no_correction() -> None:
    """A grade without its papers, a date to come: the rule of the act is asked again as of then."""
    story = Story("campus-operator").decided() + 1 >> (
        PROPOSER, lambda now: RecordRemedy(at_ns=now, grade=RemedyGrade.D, text="they say so")
    )  # fmt: skip
    no = f"event {story.last} would not have been accepted with that: "
    story.refuses(PROPOSER, correction(story.last, "grade", "B"), no + "grade B rests on documents of others")
    later = json.dumps(str(story.now_ns + HOUR))
    story.refuses(PROPOSER, correction(story.last, "at_ns", later), no + "the time of the remedy is 2026-03")
    story.refuses(PROPOSER, correction(story.last, "grade", "D"), "says that already; there is nothing to correct")


@pytest.mark.parametrize(
    ("act", "field", "value", "instead"),
    [
        ("propose_decision", "outcome", "dismissed", "propose another decision"),
        ("propose_class", "standing", "victim", "propose the classification again"),
        ("verify", "measurement.outcome", "persists", "measure again"),
        ("look_up_lawful", "outcome", "listed", "look the site up again"),
        ("open", "site_id", "S-2", "close the case, and split another from it about"),
        ("approve", "proposal", "3", "what was approved is taken away by another proposal"),
    ],
)
def test_what_was_judged_is_judged_again_and_not_corrected(act: str, field: str, value: str, instead: str) -> None:
    """Nothing that took two accounts, or an instrument, goes by a slip of the pen."""
    story = Story("campus-operator").verified()
    story.refuses(PROPOSER, correction(last(story, act), field, value), f"{field} of a {act} is not mended", instead)


def test_judgements_are_no_slips() -> None:
    """As above, for one of them."""
    story = Story("campus-operator").heard()
    story.refuses(PROPOSER, correction(3, "record.mood", "x"), "event 3 cannot be corrected there")
    story.refuses(PROPOSER, correction(2, "outcome", "listed"), "outcome of a look_up_lawful is not mended")


def test_another_organisation_is_another_party() -> None:
    """Before anybody was written to, the right one is put in; afterwards the case is another's."""
    story = Story("campus-operator").classified().agreed(correction(1, "organisation_id", "O-2"))
    assert story.case.organisation_id == "O-2"
    story.notified()
    story.refuses(
        PROPOSER, correction(1, "organisation_id", "O-3"), "the case was held with O-2, which has had letters"
    )


def test_a_site_that_turns_out_to_be_a_home_leaves_the_register() -> None:
    """The register is one of organisations."""
    story = Story("campus-operator").decided() + 200 >> (
        decider(Story("campus-operator").pack), DeclareFinal(reason="no appeal")
    )  # fmt: skip
    story.agreed(correction(1, "site_kind", "household_premises")) << ["remove from register"]
    story.agreed(correction(1, "region", "R-9")) << []
    story.agreed(correction(1, "site_kind", "enterprise")) << ["enter register"]  # it was a slip the other way


def test_a_home_that_turns_out_to_be_none_enters_the_register() -> None:
    """Nothing was entered when the decision became final; what is right is entered when it is known."""
    story = Story("campus-operator").opened(site_kind="household_premises").classified().notified().heard().decided()
    story + 200 >> (decider(story.pack), DeclareFinal(reason="no appeal")) << []
    story.agreed(correction(1, "site_kind", "data_centre")) << ["enter register"]


def test_what_a_case_says_of_its_site_could_stand_in_a_registry() -> None:
    """A kind that there is, a region that is said, usage points once each, and nothing that no page shows."""
    story = Story("campus-operator").opened()
    story.refuses(PROPOSER, correction(1, "site_kind", "castle"), "'castle' is no kind of site; kinds are campus,")
    story.refuses(PROPOSER, correction(1, "region", " "), "the region is empty")
    story.refuses(PROPOSER, correction(1, "region", "R\u200b-1"), "'R\\u200b-1' has the character U+200B in it")
    story.refuses(PROPOSER, correction(1, "organisation_id", "O-1\n"), "has the character U+000A in it")
    story.refuses(PROPOSER, correction(1, "usage_points", '["UP-1", ""]'), "a usage point is empty")
    story.refuses(PROPOSER, correction(1, "usage_points", '["UP-1", "UP-1"]'), "a usage point is given twice")
    story.agreed(correction(1, "usage_points", '["UP-2"]')).agreed(correction(1, "organisation_id", ""))
    story.refuses(PROPOSER, correction(1, "organisation_name", "Foundry"), "correct which one it is first")
    story.refuses(PROPOSER, correction(1, "site_name", " "), "the name of the site is empty")


def test_machines_that_nobody_saw_are_no_evidence() -> None:
    """The notice rested on an inspection's machines; it was a slip, and one source is too little to decide against."""
    story = Story("campus-operator").opened((finding(1),)).classified().notified()
    story.heard()
    seen = last(story, "inspect")
    story.agreed(correction(seen, "record.machines_seen", "0"))
    story.refuses(PROPOSER, decision(), "rest on 1 independent source of evidence (packets: content)")
    story >> (SCREENER, AddFindings(findings=(finding(2, Family.LOAD),)))
    story.looked_up().shown() + 30
    story.looked_up().agreed(decision())


def test_an_appeal_is_not_made_late_by_a_correction() -> None:
    """It was taken as one in time, and stays so; one that came in time after all is admitted for that reason."""
    story = Story("campus-operator").decided()
    decided_ns = story.now_ns
    story + 40 >> (PROPOSER, FileAppeal(received_ns=decided_ns + DAY, body="court", grounds="not us"))
    late = json.dumps(str(story.now_ns))
    story.refuses(
        PROPOSER, correction(story.last, "received_ns", late), "would have come late, and it was taken as one"
    )
    story = Story("campus-operator").decided() + 40
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    early = json.dumps(str(decided_ns + DAY))
    story.agreed(correction(story.last, "received_ns", early)) << []
    assert story.case.stage is Stage.APPEALED
    other = decider(story.pack, 2)
    story.refuses(other, AdmitAppeal(admitted=False, reason="late"), "came in time, by the dates as they are known now")
    story >> (other, AdmitAppeal(admitted=True, reason="it came in time"))


def found_late() -> tuple[Story, int]:
    """An appeal four weeks after the recorded delivery, which was found inadmissible for that."""
    story = Story("campus-operator").heard().agreed(decision()) + 3
    story >> (PROPOSER, lambda now: ServeDecision(received_ns=now - 5 * DAY // 2, channel="post"))
    served = story.last
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "appeal") + HOUR
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    assert story.case.appeals[-1].late
    story >> (decider(story.pack, 2), AdmitAppeal(admitted=False, reason="late"))
    return story, served


def test_an_appeal_that_was_found_late_is_heard_when_the_delivery_turns_out_later() -> None:
    """The finality falls, none comes before it is admitted, and whoever decided has no say in that."""
    story, served = found_late()
    filed, chief, other = story.case.appeals[-1].event, decider(story.pack), decider(story.pack, 2)
    yes = AdmitAppeal(admitted=True, reason="the slip says the 5th")
    story.refuses(other, replace(yes, appeal=filed), "was found inadmissible, and is late by the dates on file")
    story.refuses(other, yes, "no appeal is pending")
    story >> (chief, DeclareFinal(reason="inadmissible")) << ["enter register"]
    final = story.last
    later = correction(served, "received_ns", json.dumps(str(story.events[served - 1].at_ns)))
    story >> (PROPOSER, later)
    assert story.events[-1].act.falls == (final,)
    story >> (chief, Approve(proposal=story.last)) << ["remove from register"]
    story + 30
    story.refuses(chief, DeclareFinal(reason="over"), f"the appeal of event {filed} was found inadmissible for coming")
    story.refuses(chief, yes, "has proposed or approved a decision in this case")
    story.refuses(other, replace(yes, admitted=False), "came in time, by the dates as they are known now")
    offered = [step for step in next_steps(story.case, story.pack, story.clocks, story.now_ns) if step.ready]
    assert [(step.variant, step.proposal) for step in offered if step.act == "admit_appeal"] == [("admit", filed)]
    story >> (other, yes) << []
    assert story.events[-1].act.appeal == filed
    assert story.case.stage is Stage.APPEALED
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no"))
    story >> (chief, DeclareFinal(reason="rejected")) << ["enter register"]
    assert audit(story.events, story.pack) == []


def test_an_appeal_that_waits_is_in_time_when_the_delivery_turns_out_later() -> None:
    """Nobody can find it inadmissible any more; people still say that it is heard."""
    story, served = found_late()
    story.case, story.events = replay(story.events[:-1]), story.events[:-1]
    story.agreed(correction(served, "received_ns", json.dumps(str(story.events[served - 1].at_ns))))
    story.refuses(HEARER, AdmitAppeal(admitted=False, reason="late"), "nothing is to be excused: admit it")
    story >> (HEARER, AdmitAppeal(admitted=True, reason="in time"))


def test_one_correction_of_the_body_says_where_the_party_went() -> None:
    """From elsewhere to a body of the pack, whose clock stops then, and back; each is one correction."""
    story = Story("cn-national-1283").decided() + 1
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="the moon", other_body=True, grounds="not us"))
    filed = story.last

    def stopped() -> list[str]:
        return [one.id for one in story.clocks if one.id.startswith("appeal") and one.state is ClockState.STOPPED]

    assert stopped() == []
    story.agreed(correction(filed, "body", "review"))
    assert stopped() == ["appeal-2"]
    story.agreed(correction(filed, "body", "the ombudsman"))
    assert stopped() == []
    story.agreed(correction(filed, "body", "court"))
    assert stopped() == ["appeal"]
    story.refuses(PROPOSER, correction(filed, "body", " "), "the body that hears the appeal is empty")
    story.refuses(PROPOSER, correction(filed, "other_body", "false"), "whether the pack names it, from its body")
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no"))
    story + 100 >> (decider(story.pack), DeclareFinal(reason="review has run out, the court said no"))
    assert audit(story.events, story.pack) == []


def test_an_old_correction_of_what_none_may_mend_changes_nothing() -> None:
    """Files of earlier versions hold corrections of anything; they are read, and a decision is not changed by one."""
    story = Story("campus-operator").decided()
    number = story.case.decisions[-1].number
    story.agreed(correction(1, "summary", "better"))
    old = replace(story.events[-2], act=act_from_json("propose_correction", {
        "event": number, "field": "outcome", "value": "dismissed", "reason": "as it was"}))  # fmt: skip
    case = replay([*story.events[:-2], old, story.events[-1]])
    assert case.decisions[-1].act.outcome == "confirmed"
    assert case.corrections[-1].value == "dismissed"


def test_an_inspection_is_corrected_in_part() -> None:
    """A meter's reading in the middle of a record; everything else of it stays."""
    story = Story("campus-operator").opened().looked_up() >> (INSPECTOR, inspection)
    story.agreed(correction(story.last, "record.meters.0.reading", "10241.7"))
    (record,) = story.case.inspections
    assert record.meters[0].reading == "10241.7"
    assert record.meters[0].seals == ("A1",)
    story.refuses(PROPOSER, correction(3, "record.meters.7.reading", "1"), "the value does not fit")


def test_papers_are_corrected_like_the_rest() -> None:
    """A document that belongs to another case is replaced by the right one."""
    story = Story("campus-operator").verified()
    right = json.dumps([{"sha256": "ef" * 32, "name": "right.pdf", "media_type": "application/pdf",
                         "kind": "remedy_proof", "size": 10}])  # fmt: skip
    story.agreed(correction(last(story, "remedy"), "documents", right))
    assert story.case.remedies[-1].documents == (
        replace(document("remedy_proof", "right.pdf"), sha256="ef" * 32, size=10),
    )


def test_many_corrections_build_the_case_once_more_and_not_once_each() -> None:
    """A replay with thirty corrections puts in each event twice; what comes out is what came out step by step."""
    story = Story("campus-operator").notified()
    for number in range(30):
        story.agreed(correction(1, "region", f"R-{number}"))
    story >> (PROPOSER, lambda now: RecordReply(received_ns=now, stance="contests", document=None, text="not us"))
    story.agreed(correction(last(story, "reply"), "text", "not at all us"))
    calls: list[int] = []
    put = apply_module._put

    def counted(draft: apply_module.Draft, event: CaseEvent) -> apply_module.Draft:
        calls.append(event.number)
        return put(draft, event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apply_module, "_put", counted)
        case = replay(iter(story.events))
    assert len(calls) == 2 * (len(story.events) - 1)
    assert case == story.case
    assert (case.region, case.replies[-1].text, len(case.corrections)) == ("R-29", "not at all us", 31)


def test_a_letter_to_the_former_party_keeps_nobody_from_setting_it_right_again() -> None:
    """It was in the post when the organisation was corrected; the one that it is about since has had none."""
    story = Story("campus-operator").classified().agreed(letter()) + 1
    number, received_ns = story.case.proposals[-1].number, story.now_ns
    story.agreed(correction(1, "organisation_id", "O-2")) + 1
    paper = document("other")
    story >> (PROPOSER, ServeNotice(proposal=number, received_ns=received_ns, channel="post", proof=paper))
    story.agreed(correction(1, "organisation_id", "O-1"))
    assert story.case.organisation_id == "O-1"
    story.agreed(letter()) + 1
    story >> (PROPOSER, lambda now: ServeNotice(proposal=story.last - 1, received_ns=now, channel="post"))
    story.refuses(
        PROPOSER, correction(1, "organisation_id", "O-2"), "close this case, and split one from it on the right party"
    )
    assert audit(story.events, story.pack) == []


def test_a_value_without_end_does_not_fit() -> None:
    """Lists in lists, deeper than anything is read, are refused in words."""
    story = on_silence()
    story.refuses(PROPOSER, correction(1, "usage_points", "[" * 100_000), "the value has lists in lists without end")
