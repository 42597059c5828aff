"""What is offered as a next step is accepted, and what is accepted was offered: the list and the machine agree."""

import random
from dataclasses import replace
from typing import Any

import pytest
from case_stories import (
    DAY,
    HOUR,
    PROPOSER,
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
    lookup,
    measured,
    opening,
    packs,
)
from case_walks import Walk

from headframe.cases.machine import replay
from headframe.cases.steps import PROVED, NextStep, next_steps, order_of
from headframe.policy.clocks import clocks_of
from headframe.records.case import (
    Accepted,
    AddFindings,
    AdmitAppeal,
    AppealOutcome,
    Approve,
    CaseRelation,
    ClosureReason,
    DecideAppeal,
    DecisionOutcome,
    DeclareFinal,
    Duty,
    ExtendClock,
    FileAppeal,
    GrantAccess,
    LiftHold,
    LinkCase,
    NoticeKind,
    PauseClock,
    PlaceHold,
    ProposeClosure,
    ProposeCorrection,
    ProposeDecision,
    ProposeMeasure,
    ProposeNotice,
    ProposeReopening,
    RecordMeasure,
    RecordRemedy,
    RecordReply,
    RecordReport,
    Reject,
    RemedyGrade,
    ReplyStance,
    ResumeClock,
    ServeDecision,
    ServeNotice,
    ServeSettingAside,
    VerificationOutcome,
    Verify,
    Withdraw,
)
from headframe.records.policy import PartyStanding, Step

PACKS = sorted(packs())


def steps(story: Story) -> tuple[NextStep, ...]:
    """The next steps of a story."""
    return next_steps(story.case, story.pack, story.clocks, story.now_ns)


def content(step: NextStep, story: Story) -> Any:
    """An act of a step, with sound content that is not the list's own."""
    now, case, pack, why = story.now_ns, story.case, story.pack, "for a reason"
    variant, number = step.variant, step.proposal
    proof = document() if variant == PROVED else None
    clocks = {clock.id: clock for clock in story.clocks}
    if step.act == "verify":
        verify = measured(now, outcome=VerificationOutcome(variant), days=pack.verification.window_days)
        start = max([now - pack.verification.window_days * DAY, *(remedy.at_ns for remedy in case.remedies)])
        window = replace(verify.measurement, after_from_ns=start, before_until_ns=start, before_from_ns=start - DAY)
        return replace(verify, measurement=window)
    if step.act == "record_measure":
        name = variant.removesuffix(" ended")
        entry = next(entry for entry in pack.measures if entry.id == name)
        return RecordMeasure(measure=name, unit=entry.executed_by or entry.decided_by, at_ns=now, ended=name != variant)
    makers = {
        "open": lambda: opening(pack, (finding(777, ended_ns=now),), case_id="HF-2026-000777", recurrence_of=variant),
        "add_findings": lambda: AddFindings(findings=(finding(case.version + 5_000, ended_ns=now),)),
        "look_up_lawful": lookup,
        "propose_class": lambda: classification(pack, PartyStanding.UNDETERMINED),
        "propose_notice": lambda: letter(NoticeKind(variant)),
        "serve_notice": lambda: ServeNotice(proposal=number, received_ns=now, channel="post", proof=proof),
        "reply": lambda: RecordReply(received_ns=now, stance=ReplyStance.OTHER, document=None, text=why),
        "grant_access": lambda: GrantAccess(given_ns=now, documents=("F-1",)),
        "pause_clock": lambda: PauseClock(clock=variant, from_ns=now, reason=why),
        "resume_clock": lambda: ResumeClock(clock=variant, from_ns=now, reason=why),
        "extend_clock": lambda: ExtendClock(
            clock=variant,
            until_ns=max(now, clocks[variant].due_ns or now, *(until for _, until, _ in case.extensions), now)
            + 2 * DAY,
            reason=why,
        ),
        "inspect": lambda: inspection(now),
        "propose_decision": lambda: decision(DecisionOutcome(variant), sheets=(SHEET,)),
        "serve_decision": lambda: ServeDecision(
            received_ns=now, channel="post", proof=proof, decision=0 if proof is None else number
        ),
        "serve_setting_aside": lambda: ServeSettingAside(decision=number, received_ns=now, channel="post"),
        "declare_final": lambda: DeclareFinal(reason=why),
        "propose_measure": lambda: ProposeMeasure(
            measure=variant, reason=why, sheets=(SHEET,), court_warrant=document()
        ),
        "remedy": lambda: RecordRemedy(at_ns=now, grade=RemedyGrade.A, text=why, documents=(document("remedy_proof"),)),
        "propose_closure": lambda: ProposeClosure(reason=ClosureReason(variant), text=why),
        "propose_reopening": lambda: ProposeReopening(reason=why),
        "appeal": lambda: FileAppeal(received_ns=now, body=variant, grounds=why),
        "admit_appeal": lambda: AdmitAppeal(admitted=variant == "admit", reason=why, appeal=number or 0),
        "decide_appeal": lambda: DecideAppeal(
            outcome=AppealOutcome(variant or "remitted"), reason=why, appeal=number or 0
        ),
        "propose_correction": lambda: ProposeCorrection(
            event=1, field="region", value=f"R-{case.version}-new", reason=why
        ),
        "approve": lambda: Approve(proposal=number),
        "reject": lambda: Reject(proposal=number, reason=why),
        "withdraw": lambda: Withdraw(proposal=number, reason=why),
        "link": lambda: LinkCase(case_id="HF-2026-000888", relation=CaseRelation.SPLIT_FROM),
        "report": lambda: RecordReport(report=variant, to="unit", period="2026-W10"),
        "hold": lambda: PlaceHold(reason=why),
        "lift_hold": lambda: LiftHold(reason=why),
    }
    return makers[step.act]()


def check(story: Story) -> tuple[int, int]:
    """Every step that is offered is accepted from a fitting account; none that lacks something is."""
    offered = lacking = 0
    for step in steps(story):
        name = "somebody new"
        if step.act == "withdraw":
            name = next(status.proposer for status in story.case.proposals if status.number == step.proposal)
        who = account(name, *step.duties, unit=step.units[0] if step.units else "office")
        assert name not in step.barred
        answer = story.ask(who, content(step, story))
        if step.ready:
            offered += 1
            assert isinstance(answer, Accepted), (step, answer.reasons)
            for barred in step.barred:
                assert not isinstance(story.ask(replace(who, name=barred), content(step, story)), Accepted), step
            assert not isinstance(story.ask(replace(who, duties=frozenset()), content(step, story)), Accepted)
        else:
            lacking += 1
            assert not isinstance(answer, Accepted), step
            assert set(step.missing) <= set(answer.reasons)
            assert not any("\N{HORIZONTAL ELLIPSIS}" in text for text in step.missing), "a sample shows through"
    return offered, lacking


@pytest.mark.parametrize("pack", PACKS)
def test_offered_means_accepted_on_the_whole_way(pack: str) -> None:
    """At each event of a case from its opening to its closure, and after."""
    story = Story(pack).closed()
    whole = story.events
    for until in range(1, len(whole) + 1):
        story.case = replay(whole[:until])
        story.now_ns = whole[until - 1].at_ns + HOUR
        offered, _ = check(story)
        assert offered >= 5


def test_offered_means_accepted_wherever_walks_lead() -> None:
    """The same wherever accounts can get a case to."""
    offered = lacking = 0
    for seed in range(8):
        walk = Walk(packs()[PACKS[seed]], random.Random(seed))
        for number in range(160):
            walk.step()
            if number % 16 == 0:
                found = check(walk.story)
                offered, lacking = offered + found[0], lacking + found[1]
    assert offered > 500
    assert lacking > 50


def test_what_is_accepted_was_offered() -> None:
    """Nothing can be done that the list does not know."""
    seen = set()
    for seed in range(8):
        walk = Walk(packs()[PACKS[seed]], random.Random(seed + 100))
        for _ in range(120):
            if walk.story.case is None:
                walk.step()
                continue
            before, number = walk.story.case, len(walk.story.events)
            walk.step()
            if len(walk.story.events) == number:
                continue
            event = walk.story.events[-1]
            clocks = clocks_of(before, walk.story.pack, event.at_ns)
            found = next_steps(before, walk.story.pack, clocks, event.at_ns)
            fitting = [step for step in found if step.ready and step.act == event.act.NAME]
            match event.act:
                case ProposeClosure(reason=variant) | ProposeNotice(kind=variant) | ProposeDecision(outcome=variant):
                    fitting = [step for step in fitting if step.variant == variant]
                case Verify(measurement=measurement):
                    fitting = [step for step in fitting if step.variant == measurement.outcome]
                case Approve(proposal=proposal) | Reject(proposal=proposal) | ServeNotice(proposal=proposal):
                    fitting = [step for step in fitting if step.proposal == proposal]
            assert fitting, (event, [step.act for step in found])
            assert event.account not in fitting[0].barred
            assert not fitting[0].units or event.unit in fitting[0].units
            seen.add(event.act.NAME)
    assert len(seen) > 20


def test_the_list_says_what_is_missing_and_who_may() -> None:
    """For the case's next step it gives the reason, the duty, the unit and who is barred."""
    story = Story("campus-operator").notified()
    found = {(step.act, step.variant): step for step in steps(story)}
    confirm = found["propose_decision", "confirmed"]
    assert not confirm.ready
    assert confirm.duties == (Duty.PROPOSE,)
    assert any("has time until" in text for text in confirm.missing)
    story + 1 >> (PROPOSER, content(NextStep(step="reply", act="reply"), story)) >> (PROPOSER, decision())
    approve = next(step for step in steps(story) if step.act == "approve")
    assert approve.ready
    assert approve.proposal == story.last
    assert decider(story.pack).unit in approve.units
    assert {"proposer", "inspector"} <= set(approve.barred)
    assert approve.duties == (Duty.DECIDE,)


def test_ready_steps_come_first_in_the_order_of_the_procedure() -> None:
    """A screen shows the top of the list."""
    story = Story("campus-operator").opened()
    found = steps(story)
    assert [step.ready for step in found] == sorted((step.ready for step in found), reverse=True)
    ready = [step.act for step in found if step.ready]
    assert ready[:2] == ["look_up_lawful", "propose_class"]
    assert ready.index("propose_class") < ready.index("inspect")
    assert not any(step.any_time for step in found if step.act in ("look_up_lawful", "propose_class", "inspect"))
    at_any_time = [step.act for step in found if step.ready and step.any_time]
    assert ready[-len(at_any_time) :] == at_any_time
    assert {"add_findings", "propose_correction", "link", "hold", "report"} <= set(at_any_time)
    story.looked_up()
    assert [step.any_time for step in steps(story) if step.act == "look_up_lawful"] == [True]
    story + 31
    assert [step.any_time for step in steps(story) if step.act == "look_up_lawful"] == [False]


@pytest.mark.parametrize("pack", PACKS)
def test_the_way_is_shown_from_the_first_day_on(pack: str) -> None:
    """What a notice and a decision still need stands there before anything is classified, in the pack's order."""
    story = Story(pack).opened()
    lacking = [(step.act, step.variant) for step in steps(story) if not step.ready]
    assert lacking == [("propose_notice", "notice"), ("propose_decision", "confirmed")]
    decide = next(step for step in steps(story) if step.variant == "confirmed")
    assert any("no notice was served" in text for text in decide.missing)
    order = order_of(story.pack)
    assert sorted(order) == sorted(Step)
    assert [step for step in order if step in {row.step for row in story.pack.procedure}] == [
        row.step for row in story.pack.procedure
    ]
    ready = [order.index(step.step) for step in steps(story) if step.ready and not step.any_time]
    assert ready == sorted(ready)


def test_an_inspection_that_comes_first_stands_first() -> None:
    """Malaysia inspects before it notifies."""
    for pack, first in (("my-esa", True), ("ru-irk", False)):
        order = order_of(packs()[pack])
        assert (order.index(Step.INSPECT) < order.index(Step.NOTIFY)) is first


def test_a_late_appeal_waits_for_somebody_to_say_whether_it_is_heard() -> None:
    """The list says who may: not who proposed or approved the decision; on a closed case, too."""
    for story in (Story("campus-operator").decided(), Story("campus-operator").closed()):
        story + 300 >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not ours"))
        check(story)
        admit = next(step for step in steps(story) if step.act == "admit_appeal")
        assert admit.ready
        assert not admit.any_time
        assert admit.barred == tuple(sorted({"proposer", decider(story.pack).name}))


def test_a_closed_case_takes_what_comes_in() -> None:
    """Papers and the file are offered there as well, for they are accepted."""
    found = {step.act for step in steps(Story("campus-operator").closed()) if step.ready}
    assert {"reply", "grant_access", "appeal", "propose_reopening"} <= found
