"""Every reason for a no: when it comes, and what it says."""

import ast
import importlib.util
import math
import re
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from case_stories import (
    DAY,
    HEARD,
    HEARER,
    INSPECTOR,
    ONE,
    PROPOSER,
    SCREENER,
    SHEET,
    START,
    VERIFIER,
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
    sound,
)

import headframe.cases
import headframe.records.case as records_of_cases
import headframe.records.policy as records_of_packs
from headframe.cases.machine import act
from headframe.cases.rules.reply import is_the_units
from headframe.policy.clocks import clocks_of
from headframe.records.case import (
    AddFindings,
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
    ProposalState,
    ProposeClosure,
    ProposeCorrection,
    ProposeMeasure,
    ProposeReopening,
    RecordInspection,
    RecordMeasure,
    RecordRemedy,
    RecordReply,
    RecordReport,
    Refused,
    Reject,
    RemedyGrade,
    ReplyStance,
    ResumeClock,
    ServeDecision,
    ServeNotice,
    VerificationOutcome,
    Verify,
    Withdraw,
)
from headframe.records.finding import Family
from headframe.records.policy import ClockState, PartyStanding, RightKind


@cache
def events(make: Callable[[], Story]) -> Story:
    """A story, told once."""
    return make()


def told(make: Callable[[], Story]) -> Story:
    """A copy of a story, to go on with."""
    whole = events(make)
    story = Story(whole.pack, whole.now_ns)
    story.case, story.events = whole.case, list(whole.events)
    return story


def no(story: Story, who: Any, wanted: Any, *reasons: str) -> None:
    """Refused, for each of these reasons."""
    answer = story.ask(who, wanted(story.now_ns) if callable(wanted) else wanted)
    assert isinstance(answer, Refused), "accepted"
    HEARD.extend(answer.reasons)
    for reason in reasons:
        assert any(reason in given for given in answer.reasons), (reason, answer.reasons)


def campus(*path: str, **more: Any) -> Callable[[], Story]:
    """The beginning of a story on the campus."""
    return _campus(path, tuple(sorted(more.items())))


@cache
def _campus(path: tuple[str, ...], more: tuple[Any, ...]) -> Callable[[], Story]:
    def make() -> Story:
        story = Story("campus-operator")
        for step in path:
            getattr(story, step)(**(dict(more) if step == "opened" else {}))
        return story

    return make


OPENED = campus("opened")
CLASSIFIED = campus("classified")
NOTIFIED = campus("notified")
REPLIED = campus("heard")
DECIDED = campus("decided")
REMEDIED = campus("remedied")
VERIFIED = campus("verified")
CLOSED = campus("closed")


def victim() -> Story:
    """A victim's case."""
    return Story("campus-operator").classified(PartyStanding.VICTIM)


def undecided() -> Story:
    """Looked up and inspected, and not classified."""
    return Story("campus-operator").opened() >> (SCREENER, lookup()) >> (INSPECTOR, inspection)


def surcharged() -> Story:
    """Decided with a surcharge, asked for."""
    story = Story("cn-national-1283").decided("diff-tariff") + 10
    return story.agreed(
        ProposeMeasure(measure="diff-tariff", reason="rule 13"),
        by=(decider(story.pack, 1, "drc"), decider(story.pack, 2, "drc")),
    )


def appealed() -> Story:
    """An appeal is pending."""
    return Story("campus-operator").decided() + 1 >> (
        PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not ours")
    )  # fmt: skip


def upheld() -> Story:
    """An appeal was upheld."""
    return appealed() >> (HEARER, DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"))


def paused() -> Story:
    """The clock of the reply stands still."""
    story = Story("campus-operator").notified() + 1
    story >> (PROPOSER, lambda now: PauseClock(clock="reply", from_ns=now, reason="waiting"))
    return story + 1


def resumed() -> Story:
    """It runs on."""
    story = paused() >> (PROPOSER, lambda now: ResumeClock(clock="reply", from_ns=now, reason="come"))
    return story + 1


def helped() -> Story:
    """A victim that has its help letter."""
    story = victim().agreed(letter(NoticeKind.HELP))
    return story >> (PROPOSER, lambda now: ServeNotice(proposal=6, received_ns=now, channel="post"))


def waiting() -> Story:
    """A measure waits for approval."""
    story = Story("cn-national-1283").decided("diff-tariff") + 10
    return story >> (PROPOSER, ProposeMeasure(measure="diff-tariff", reason="rule 13"))


def left_open() -> Story:
    """A reopened case with an open proposal, closed again by hand: the machine lets nobody get there."""
    story = Story("campus-operator").closed()
    late = replace(story.case.proposals[0], state=ProposalState.OPEN, number=99, settled=None)
    story.case = replace(story.case, proposals=(*story.case.proposals, late))
    return story


def anew() -> Story:
    """An answer came after the decision was proposed."""
    story = Story("campus-operator").heard() >> (PROPOSER, decision())
    return story >> (
        PROPOSER,
        lambda now: RecordReply(received_ns=now, stance=ReplyStance.OTHER, document=None, text="x"),
    )


def final() -> Story:
    """A decision that cannot be appealed any more."""
    story = Story("campus-operator").decided() + 200
    return story >> (decider(story.pack), DeclareFinal(reason="no appeal"))


def proposed() -> Story:
    """A classification waits for approval."""
    story = undecided()
    return story >> (PROPOSER, classification(story.pack))


CHIEF = decider(Story("campus-operator").pack)
BAD = replace(document(), sha256="AB", size=0)
LATER = START + 10_000 * DAY
SOON = START + 60 * DAY
CLASS = classification(Story("campus-operator").pack)
REMEDY = RecordRemedy(at_ns=START, grade=RemedyGrade.B, text="sold", documents=(document(),))


def inspected(**changed: Any) -> Callable[[int], RecordInspection]:
    """An inspection with something wrong in it."""
    return lambda now: RecordInspection(record=replace(inspection(now).record, **changed))


def window(**changed: Any) -> Callable[[int], Verify]:
    """A measurement with something wrong in it."""
    return lambda now: Verify(measurement=replace(measured(now).measurement, **changed))


def half(now: int) -> Verify:
    """A metric of which half is missing, in a whole that looks full."""
    whole = measured(now).measurement
    return Verify(measurement=replace(whole, metrics=(replace(whole.metrics[0], coverage=math.nan),)))


def mixed(now: int) -> Verify:
    """A metric that says that it persists, and a new finding, in a whole that says rectified."""
    whole = measured(now).measurement
    persists = replace(whole.metrics[0], outcome=VerificationOutcome.PERSISTS)
    return Verify(measurement=replace(whole, metrics=(persists,), new_findings=(finding(70),)))


CASES: list[tuple[Any, Any, Any, tuple[str, ...]]] = [
    # the machine
    (OPENED, account("a", unit="u"), lookup(), ("this needs the duty screen; a has none",)),
    (OPENED, replace(SCREENER, name=" "), lookup(), ("the account has no name or no unit",)),
    (OPENED, PROPOSER, lookup(), ("this needs the duty screen; proposer has propose",)),
    *(
        (proposed, replace(CHIEF, name=name), lambda _now: Approve(proposal=2), ("so that no account passes for two",))
        for name in ("Proposer", "proposer ", "\uff50roposer")
    ),
    (CLOSED, SCREENER, lookup(), ("the case is closed since", "propose to reopen it")),
    (CLOSED, SCREENER, AddFindings(findings=ONE), ("open a new case that recurs from HF-2026-000001",)),
    # screen
    (OPENED, SCREENER, AddFindings(findings=()), ("no finding is given",)),
    (OPENED, SCREENER, AddFindings(findings=ONE), ("finding F-1 is already in the case; give each once",)),
    (OPENED, SCREENER, AddFindings(findings=(replace(finding(8), ended_ns=0),)), ("F-8 ends before it begins",)),
    (
        OPENED,
        SCREENER,
        AddFindings(findings=(finding(8, ended_ns=LATER),)),
        ("the end of finding F-8 is 2053-07-18 03:00:00 UTC, which is still to come",),
    ),
    (
        OPENED,
        SCREENER,
        opening(Story("campus-operator").pack, case_id="HF-2"),
        ("case HF-2026-000001 is open already",),
    ),
    (OPENED, SCREENER, replace(lookup(), registers=(" ",)), ("no register is named",)),
    (
        OPENED,
        SCREENER,
        LinkCase(case_id="HF-2026-000001", relation=CaseRelation.SPLIT_FROM),
        ("a case is not linked to itself",),
    ),
    (OPENED, SCREENER, LinkCase(case_id="", relation=CaseRelation.SPLIT_FROM), ("the other case's id is empty",)),
    (
        lambda: (
            Story("campus-operator").opened() >> (SCREENER, LinkCase(case_id="X", relation=CaseRelation.SPLIT_FROM))
        ),
        SCREENER,
        LinkCase(case_id="X", relation=CaseRelation.SPLIT_FROM),
        ("case X is already linked as split_from",),
    ),
    # classify
    (undecided, PROPOSER, replace(CLASS, reason=""), ("the reason of the classification is empty",)),
    (undecided, PROPOSER, replace(CLASS, axes=(*CLASS.axes, CLASS.axes[0])), ("axis party is answered twice",)),
    (undecided, PROPOSER, replace(CLASS, axes=CLASS.axes[:1]), ("axis place is not answered; choose one of managed",)),
    (
        undecided,
        PROPOSER,
        replace(CLASS, axes=(*CLASS.axes, ("mood", "bad"))),
        ("pack campus-operator has no axis mood",),
    ),
    (undecided, PROPOSER, replace(CLASS, axes=(("party", "king"), CLASS.axes[1])), ("axis party has no value king",)),
    (
        undecided,
        PROPOSER,
        replace(CLASS, standing=PartyStanding.VICTIM),
        ("party = operator says that the party's standing is operator, but victim is proposed",),
    ),
    (undecided, PROPOSER, replace(CLASS, criteria=("nose",)), ("pack campus-operator has no criterion nose",)),
    (proposed, PROPOSER, CLASS, ("a classification is already proposed (event 4)",)),
    # notify
    (
        OPENED,
        PROPOSER,
        letter(),
        ("the registers of lawful mining have not been asked", "no classification is approved"),
    ),
    (
        lambda: Story("campus-operator").classified() >> (SCREENER, AddFindings(findings=(finding(9),))),
        PROPOSER,
        letter(),
        ("findings were added after the look-up",),
    ),
    (
        lambda: Story("campus-operator").classified() + 31,
        PROPOSER,
        letter(),
        ("more than 30 days ago (operator default)",),
    ),
    (CLASSIFIED, PROPOSER, replace(letter(), language=""), ("the letter's language is empty",)),
    (
        CLASSIFIED,
        PROPOSER,
        replace(letter(), document=BAD),
        ("the letter has the digest 'AB'", "the letter is empty (0 bytes)", "the document is kept as 'other'"),
    ),
    (
        CLASSIFIED,
        PROPOSER,
        letter(NoticeKind.HELP),
        ("a help letter goes to a victim; the party's standing is operator",),
    ),
    (
        campus("opened", findings=(finding(1, mining=False),)),
        PROPOSER,
        letter(NoticeKind.INFORMATION),
        ("no finding says that mining goes on there",),
    ),
    (
        NOTIFIED,
        PROPOSER,
        lambda now: ServeNotice(proposal=1, received_ns=now, channel="post"),
        ("event 1 proposes no letter; letters are proposed in events 6",),
    ),
    (
        NOTIFIED,
        PROPOSER,
        lambda now: ServeNotice(proposal=6, received_ns=now, channel="post"),
        ("the letter of event 6 is already recorded as served",),
    ),
    (
        NOTIFIED,
        PROPOSER,
        ServeNotice(proposal=6, received_ns=START, channel=""),
        (
            "the time of receipt is 2026-03-02 03:00:00 UTC, before the letter's approval",
            "the way of delivery is empty",
        ),
    ),
    (
        lambda: Story("campus-operator").classified() >> (PROPOSER, letter()),
        PROPOSER,
        lambda now: ServeNotice(proposal=6, received_ns=now, channel="post"),
        ("event 6 is open; only an approved letter",),
    ),
    (
        lambda: (
            Story("campus-operator")
            .classified()
            .agreed(letter())
            .agreed(replace(classification(Story("campus-operator").pack, PartyStanding.VICTIM)))
        ),
        PROPOSER,
        lambda now: ServeNotice(proposal=6, received_ns=now, channel="post"),
        ("the party's standing has become victim since this notice was approved",),
    ),
    (
        lambda: victim().agreed(letter(NoticeKind.HELP)).agreed(CLASS),
        PROPOSER,
        lambda now: ServeNotice(proposal=6, received_ns=now, channel="post"),
        ("the party's standing has become operator since this help letter was approved",),
    ),
    # reply and clocks
    (
        NOTIFIED,
        PROPOSER,
        RecordReply(received_ns=0, stance=ReplyStance.OTHER, document=None, text=""),
        (
            "the time of receipt is 1970-01-01 00:00:00 UTC, more than 730 days before the case was",
            "the reply is empty",
        ),
    ),
    (
        NOTIFIED,
        PROPOSER,
        GrantAccess(given_ns=LATER, documents=(), held_back=(" ",)),
        ("no document is named", "what was held back and why is empty", "the time of access is"),
    ),
    (
        NOTIFIED,
        PROPOSER,
        lambda now: PauseClock(clock="tea", from_ns=now, reason=""),
        ("no clock tea runs in this case; its clocks are", "the reason of the pause is empty"),
    ),
    *(
        (
            NOTIFIED,
            PROPOSER,
            lambda now, name=name: PauseClock(clock=name, from_ns=now, reason="x"),
            ("does not pause",),
        )
        for name in ("verify", "report:monthly")
    ),
    (
        NOTIFIED,
        PROPOSER,
        lambda now: ExtendClock(clock="report:monthly", until_ns=now + 900 * DAY, reason="x"),
        ("clock report:monthly binds the unit, which cannot give itself more time",),
    ),
    (
        paused,
        PROPOSER,
        lambda now: PauseClock(clock="reply", from_ns=now, reason="x"),
        ("clock reply is paused since",),
    ),
    (
        resumed,
        PROPOSER,
        lambda now: PauseClock(clock="reply", from_ns=now - 2 * DAY, reason="x"),
        ("before the last pause ended",),
    ),
    (NOTIFIED, PROPOSER, PauseClock(clock="reply", from_ns=START, reason="x"), ("before clock reply started",)),
    (
        REPLIED,
        PROPOSER,
        lambda now: PauseClock(clock="reply", from_ns=now, reason="x"),
        ("clock reply is stopped; only a running clock can be paused",),
    ),
    (
        NOTIFIED,
        PROPOSER,
        PauseClock(clock="reply", from_ns=LATER, reason="x"),
        ("the pause begins is", "clock reply was over at"),
    ),
    (
        NOTIFIED,
        PROPOSER,
        lambda now: ResumeClock(clock="reply", from_ns=now, reason=""),
        ("clock reply is not paused; nothing to resume", "the reason to let it run on is empty"),
    ),
    (
        paused,
        PROPOSER,
        ResumeClock(clock="reply", from_ns=START, reason="x"),
        ("the clock runs on is", "before its pause began", "resume it from now or later"),
    ),
    (NOTIFIED, PROPOSER, ExtendClock(clock="decide", until_ns=SOON, reason="x"), ("clock decide binds the unit",)),
    (NOTIFIED, PROPOSER, ExtendClock(clock="appeal", until_ns=SOON, reason="x"), ("clock appeal has not started",)),
    (
        NOTIFIED,
        PROPOSER,
        lambda now: ExtendClock(clock="reply", until_ns=now - 1, reason=""),
        (
            "an extension gives a later time, never an earlier one",
            "the extension ends at",
            "reason of the extension is",
        ),
    ),
    (
        lambda: paused() >> (PROPOSER, ExtendClock(clock="reply", until_ns=SOON, reason="x")),
        PROPOSER,
        ExtendClock(clock="reply", until_ns=SOON - 1, reason="x"),
        ("clock reply was already extended until",),
    ),
    (
        NOTIFIED,
        PROPOSER,
        ExtendClock(clock="access_file", until_ns=SOON, reason="x"),
        ("clock access_file binds the unit, which cannot give itself more time",),
    ),
    (
        DECIDED,
        PROPOSER,
        lambda now: PauseClock(clock="appeal", from_ns=now, reason="x"),
        ("clock appeal does not pause under pack campus-operator (operator default); extend it instead",),
    ),
    # inspect
    (
        OPENED,
        INSPECTOR,
        inspected(authority="", unit="", place="", observations=("",), machines_seen=-1),
        ("the authority of the inspection is empty", "the inspection observed nothing", "-1 machines cannot be seen"),
    ),
    *(
        (OPENED, INSPECTOR, inspected(present=("grid company, metering", who)), ("told by role and unit",))
        for who in ("site desk, +86 138 0013 8000", "desk@example.org", "keeper 110101-19900307-123X")
    ),
    (
        OPENED,
        INSPECTOR,
        inspected(ended_ns=0, photos=(BAD,)),
        ("before its beginning", "photo paper.pdf has the digest"),
    ),
    (
        lambda: Story("campus-operator").classified().agreed(letter()) + 5,
        PROPOSER,
        lambda now: ServeNotice(proposal=6, received_ns=now - 4 * DAY, channel="post"),
        ("lies more than 3 days back (operator default)", "give the proof of delivery"),
    ),
    # decide
    (undecided, PROPOSER, decision(DecisionOutcome.UNDETERMINED), ("no classification is approved; a decision rests",)),
    (
        REPLIED,
        PROPOSER,
        replace(decision(), legal_basis=(" ",), reason=""),
        ("names the rule that it rests on", "the reason of the decision is empty"),
    ),
    (
        lambda: (
            Story("campus-operator").heard()
            >> (SCREENER, AddFindings(findings=(finding(9, Family.TIMING),)))
            >> (INSPECTOR, inspection)
        ),
        PROPOSER,
        decision(),
        ("findings (event 10), an inspection (event 11) came after the notice and the party has not seen that",),
    ),
    (
        lambda: (
            Story("campus-operator").heard()
            >> (SCREENER, AddFindings(findings=(finding(9, Family.TIMING),)))
            >> (PROPOSER, lambda now: GrantAccess(given_ns=now, documents=("findings",)))
        ),
        PROPOSER,
        decision(),
        ("and the party was given that at", "wait until it answers, or until"),
    ),
    (REPLIED, PROPOSER, decision(sheets=(replace(SHEET, lines=()),)), ("the calculation sheet 'surcharge' lacks",)),
    (
        REPLIED,
        PROPOSER,
        decision(measures=("fly", "discipline")),
        ("pack campus-operator has no measure fly", "measure discipline is not supported"),
    ),
    (CLASSIFIED, PROPOSER, decision(), ("no notice was served; a decision against a party needs one",)),
    (DECIDED, PROPOSER, decision(), ("is in force and says the same; propose its measures, or reopen the case",)),
    (
        DECIDED,
        PROPOSER,
        decision(DecisionOutcome.DISMISSED, measures=("clean-up",)),
        ("a decision that says dismissed asks for no measure; leave clean-up out",),
    ),
    (
        lambda: Story("campus-operator").heard().agreed(decision(DecisionOutcome.DISMISSED)),
        PROPOSER,
        decision(),
        ("says dismissed; it is replaced by one against the party only on new findings",),
    ),
    (
        lambda: Story("campus-operator").heard() >> (PROPOSER, decision()),
        PROPOSER,
        decision(),
        ("a decision is already proposed (event 10)",),
    ),
    (upheld, PROPOSER, decision(), ("an appeal was upheld",)),
    (
        REPLIED,
        PROPOSER,
        lambda now: ServeDecision(received_ns=now, channel=""),
        ("no decision is in force; only an approved decision is served",),
    ),
    (
        DECIDED,
        PROPOSER,
        ServeDecision(received_ns=START, channel="post"),
        ("was served already, at", "before the decision was approved"),
    ),
    (
        DECIDED,
        CHIEF,
        DeclareFinal(reason=" "),
        ("the reason why the decision is final is empty", "can appeal to ombuds until"),
    ),
    (REPLIED, CHIEF, DeclareFinal(reason="x"), ("no decision is in force; there is nothing to be final",)),
    (
        lambda: Story("campus-operator").heard().agreed(decision()),
        CHIEF,
        DeclareFinal(reason="x"),
        ("was not served; its appeal cannot be over",),
    ),
    (final, CHIEF, DeclareFinal(reason="x"), ("is final already, since",)),
    # measures
    (
        REPLIED,
        PROPOSER,
        ProposeMeasure(measure="clean-up", reason=""),
        ("no decision against the party is in force; a measure rests on one", "the reason of the measure is empty"),
    ),
    (
        DECIDED,
        PROPOSER,
        ProposeMeasure(measure="clean-up", reason="x"),
        ("does not name measure clean-up; it names none",),
    ),
    (
        DECIDED,
        PROPOSER,
        ProposeMeasure(measure="fly", reason="x", document=BAD, sheets=(replace(SHEET, unit=""),)),
        ("pack campus-operator has no measure fly", "the measure's document has the digest", "lacks its lines"),
    ),
    (
        lambda: Story("campus-operator").heard().agreed(decision(measures=("clean-up",))),
        PROPOSER,
        ProposeMeasure(measure="clean-up", reason="x"),
        ("was not served; the party must know it before a measure",),
    ),
    (
        surcharged,
        PROPOSER,
        ProposeMeasure(measure="diff-tariff", reason="x"),
        ("was asked for already and has not ended",),
    ),
    (
        lambda: (
            Story("cn-national-1283").decided("diff-tariff") + 10
            >> (PROPOSER, ProposeMeasure(measure="diff-tariff", reason="x"))
        ),
        PROPOSER,
        ProposeMeasure(measure="diff-tariff", reason="x"),
        ("measure diff-tariff is already proposed",),
    ),
    (
        lambda: Story("cn-national-1283").decided("diff-tariff"),
        PROPOSER,
        ProposeMeasure(measure="diff-tariff", reason="x"),
        ("measure diff-tariff cannot be asked for: the period to reply",),
    ),
    (
        DECIDED,
        PROPOSER,
        lambda now: RecordMeasure(measure="clean-up", unit="", at_ns=now),
        ("was not asked for, or has ended", "the unit that carried the measure out is empty"),
    ),
    (
        surcharged,
        PROPOSER,
        lambda now: RecordMeasure(measure="diff-tariff", unit="cac", at_ns=now, ended=True),
        ("is carried out by drc or grid, not by cac", "was not carried out, so it cannot end"),
    ),
    (
        lambda: surcharged() >> (PROPOSER, lambda now: RecordMeasure(measure="diff-tariff", unit="grid", at_ns=now)),
        PROPOSER,
        lambda now: RecordMeasure(measure="diff-tariff", unit="grid", at_ns=now),
        ("was carried out already",),
    ),
    (
        lambda: surcharged().agreed(classification(Story("cn-national-1283").pack, PartyStanding.VICTIM)),
        PROPOSER,
        lambda now: RecordMeasure(measure="diff-tariff", unit="grid", at_ns=now),
        ("was withdrawn, because its decision does not hold any more", "no measure is carried out against it"),
    ),
    (
        OPENED,
        PROPOSER,
        replace(REMEDY, at_ns=0, documents=(), text=""),
        ("before the first finding began", "grade B rests on documents of others", "what the party did is empty"),
    ),
    # verify
    (REMEDIED, PROPOSER, measured, ("this needs the duty verify",)),
    (REMEDIED, VERIFIER, window(detectors=()), ("no detector is named", "before the last remedy")),
    (VERIFIED, VERIFIER, window(before_until_ns=0), ("the window before is empty",)),
    (VERIFIED, VERIFIER, window(after_until_ns=0), ("the window after is empty",)),
    (VERIFIED, VERIFIER, window(after_until_ns=LATER), ("the window after ends is",)),
    (
        VERIFIED,
        VERIFIER,
        lambda now: measured(now, days=3),
        ("is 3.0 days long; pack campus-operator measures 21 days",),
    ),
    (VERIFIED, VERIFIER, lambda now: measured(now, coverage=0.4), ("40% of the window has data", "needs 90%")),
    (VERIFIED, VERIFIER, window(metrics=()), ("no metric was measured",)),
    (VERIFIED, VERIFIER, window(detectors=("stratum 1",)), ("stratum 2 did not look at the window after",)),
    (
        lambda: (
            Story("campus-operator").remedied() + 60
            >> (VERIFIER, lambda now: measured(now, days=21, outcome=VerificationOutcome.PERSISTS))
        ),
        VERIFIER,
        lambda now: measured(now - 25 * DAY, days=30),
        ("but it was measured to go on until", "a window that says rectified begins after that"),
    ),
    (VERIFIED, VERIFIER, half, ("has data for nan% of it, not 90%",)),
    (
        VERIFIED,
        VERIFIER,
        mixed,
        ("metric kWh_per_day says persists", "finding F-70 in the window after says that mining"),
    ),
    (DECIDED, VERIFIER, measured, ("no remedy is recorded; say what the party did",)),
    # close
    (
        VERIFIED,
        PROPOSER,
        ProposeClosure(reason=ClosureReason.RECTIFIED, text=""),
        ("the text of the closure is empty",),
    ),
    (
        OPENED,
        PROPOSER,
        ProposeClosure(reason=ClosureReason.RECTIFIED, text="x"),
        (
            "no decision against the party is in force; 'rectified' ends a confirmed case",
            "no remedy of grade A or B is recorded",
            "nothing was measured again; verify first",
        ),
    ),
    (
        lambda: Story("campus-operator").heard().agreed(decision()),
        PROPOSER,
        ProposeClosure(reason=ClosureReason.RECTIFIED, text="x"),
        ("was not served; serve it first", "was not served; the party was written to, and must learn how it ended"),
    ),
    (
        lambda: (
            Story("campus-operator").remedied() + 91
            >> (VERIFIER, lambda now: measured(now, outcome=VerificationOutcome.PERSISTS))
        ),
        PROPOSER,
        ProposeClosure(reason=ClosureReason.RECTIFIED, text="x"),
        ("the last measurement says persists, not rectified",),
    ),
    (
        lambda: Story("campus-operator").verified().remedied(),
        PROPOSER,
        ProposeClosure(reason=ClosureReason.RECTIFIED, text="x"),
        ("a remedy was recorded after the last measurement",),
    ),
    (
        lambda: (
            (story := Story("campus-operator").verified())
            >> (SCREENER, AddFindings(findings=(finding(60, ended_ns=story.now_ns),)))
        ),
        PROPOSER,
        ProposeClosure(reason=ClosureReason.RECTIFIED, text="x"),
        ("findings reach into the window", "(F-60); measure again"),
    ),
    (
        lambda: Story("campus-operator").verified() + 61,
        PROPOSER,
        ProposeClosure(reason=ClosureReason.RECTIFIED, text="x"),
        (
            "ended 61 days ago",
            "a closure rests on one that ended 60 days ago at most (operator default): measure again",
        ),
    ),
    (
        lambda: (
            (story := Story("campus-operator").verified())
            >> (SCREENER, AddFindings(findings=(finding(61, ended_ns=story.now_ns - 90 * DAY),)))
        ),
        PROPOSER,
        ProposeClosure(reason=ClosureReason.RECTIFIED, text="x"),
        ("findings say that mining went on after the remedy of", "(F-61); record what the party did since"),
    ),
    (
        CLASSIFIED,
        PROPOSER,
        ProposeClosure(reason=ClosureReason.VICTIM_HELPED, text="x"),
        ("the party's standing is operator, not victim", "no help letter was served"),
    ),
    (
        CLASSIFIED,
        PROPOSER,
        ProposeClosure(reason=ClosureReason.DECISION_SET_ASIDE, text="x"),
        ("no appeal was upheld",),
    ),
    (DECIDED, PROPOSER, ProposeClosure(reason=ClosureReason.DECISION_SET_ASIDE, text="x"), ("it is not set aside",)),
    (DECIDED, PROPOSER, ProposeClosure(reason=ClosureReason.DISMISSED, text="x"), ("says confirmed, not dismissed",)),
    (
        OPENED,
        PROPOSER,
        ProposeClosure(reason=ClosureReason.LAWFUL, text="x"),
        ("closing as lawful needs one that says",),
    ),
    (
        proposed,
        PROPOSER,
        ProposeClosure(reason=ClosureReason.LAWFUL, text="x"),
        ("the proposal of event 4 is still open",),
    ),
    (OPENED, PROPOSER, ProposeReopening(reason=""), ("the case is open; there is nothing to reopen",)),
    # appeal
    (
        DECIDED,
        PROPOSER,
        FileAppeal(received_ns=START, body="", grounds="", document=BAD),
        (
            "the body that hears the appeal is empty",
            "the grounds of the appeal is empty",
            "check the date. If it is about a decision that this one replaced",
        ),
    ),
    (REPLIED, PROPOSER, lambda now: FileAppeal(received_ns=now, body="x", grounds="x"), ("nothing to appeal against",)),
    (
        lambda: Story("campus-operator").heard().agreed(decision()),
        PROPOSER,
        lambda now: FileAppeal(received_ns=now, body="x", grounds="x"),
        ("record when the party received it first",),
    ),
    (
        DECIDED,
        HEARER,
        DecideAppeal(outcome=AppealOutcome.UPHELD, reason=""),
        ("no appeal is pending; record it first",),
    ),
    (
        helped,
        PROPOSER,
        ProposeClosure(reason=ClosureReason.VICTIM_HELPED, text="x"),
        ("over is neither measured (nothing was measured again; verify first) nor proved by others",),
    ),
    (anew, CHIEF, Approve(proposal=10), ("the party has answered (event 11) since this decision was proposed",)),
    (left_open, CHIEF, Approve(proposal=99), ("the case is closed; the proposal of event 99 cannot be settled",)),
    (
        waiting,
        decider(Story("cn-national-1283").pack, 1, "nea"),
        Approve(proposal=13),
        ("whoever approves measure diff-tariff must belong to drc; decider-1-nea belongs to nea",),
    ),
    (appealed, PROPOSER, decision(), ("an appeal is pending, so a new decision has to wait",)),
    # correct, report, hold
    (
        OPENED,
        PROPOSER,
        ProposeCorrection(event=9, field="summary", value="x", reason="x"),
        ("there is no event 9; the case has events 1 to 1",),
    ),
    (
        OPENED,
        PROPOSER,
        ProposeCorrection(event=1, field="at_ns", value="1", reason=""),
        ("at_ns of an event says who did it and when, and is not corrected",),
    ),
    (
        OPENED,
        PROPOSER,
        ProposeCorrection(event=1, field="mood", value="x", reason="x"),
        ("event 1 cannot be corrected there: open has no field 'mood'",),
    ),
    (
        undecided,
        PROPOSER,
        ProposeCorrection(event=3, field="record.machines_seen", value="many", reason="x"),
        ("the value does not fit: 'many' is no JSON value",),
    ),
    (
        undecided,
        PROPOSER,
        ProposeCorrection(event=3, field="record.machines_seen", value="1.5", reason="x"),
        ("the value does not fit: inspect.record.machines_seen: 1.5 is no whole number",),
    ),
    (OPENED, PROPOSER, RecordReport(report="gossip", to="", period=""), ("asks for no report gossip; it asks for",)),
    (
        lambda: Story("campus-operator").opened() >> (CHIEF, PlaceHold(reason="order")),
        CHIEF,
        PlaceHold(reason=""),
        ("the case is on hold already",),
    ),
    (OPENED, CHIEF, LiftHold(reason="x"), ("the case is not on hold",)),
    # settle
    (proposed, CHIEF, Approve(proposal=1), ("event 1 proposes nothing; open proposals are 4",)),
    (CLASSIFIED, CHIEF, Reject(proposal=4, reason=""), ("the proposal of event 4 is approved already",)),
    (
        proposed,
        account("other", Duty.PROPOSE),
        Withdraw(proposal=4, reason=""),
        ("proposer proposed this; only that account withdraws it",),
    ),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_refusal_says_what_would_be_right(number: int) -> None:
    """Each reason in the situation that it is for."""
    make, who, wanted, reasons = CASES[number]
    no(told(make), who, wanted, *reasons)


def test_no_case_yet() -> None:
    """Anything but an opening needs a case."""
    answer = act(None, lookup(), SCREENER, Story("campus-operator").pack, START)
    assert answer == Refused(reasons=("there is no case yet; open one first",))
    HEARD.extend(answer.reasons)


def test_the_wrong_pack_and_the_wrong_time() -> None:
    """A case keeps to the text that it was opened under, and time to its direction."""
    story = told(OPENED)
    other = replace(story.pack, version="9", digest="ff" * 32)
    answer = act(story.case, lookup(), SCREENER, other, START - 1)
    assert isinstance(answer, Refused)
    assert answer.reasons[0].startswith("the time is 2026-03-02 02:59:59 UTC, before the last event")
    assert "the case was opened under pack campus-operator" in answer.reasons[1]
    HEARD.extend(answer.reasons)
    no(Story("campus-operator"), SCREENER, opening(other), "a case is handled by the text that it was opened under")
    no(Story("campus-operator"), SCREENER, opening(story.pack, ()), "no finding is given; a case rests on at least one")


def test_without_clocks_no_time_is_over() -> None:
    """Whoever hands in no clocks gets no decision out of silence."""
    story = told(NOTIFIED) + 1_000
    answer = act(story.case, sound(decision(), story.pack), PROPOSER, story.pack, story.now_ns, ())
    assert any("gives no time for the reply; silence alone decides nothing" in text for text in answer.reasons)
    HEARD.extend(answer.reasons)
    story = told(DECIDED) + 1_000
    answer = act(story.case, DeclareFinal(reason="x"), CHIEF, story.pack, story.now_ns, ())
    assert any("gives a right of appeal to ombuds, but no clock of it runs" in text for text in answer.reasons)
    HEARD.extend(answer.reasons)
    still = [replace(clock, due_ns=None, state=ClockState.PAUSED) if clock.id == "appeal" else clock
             for clock in story.clocks]  # fmt: skip
    answer = act(story.case, DeclareFinal(reason="x"), CHIEF, story.pack, story.now_ns, still)
    assert answer.reasons == ("clock appeal has no end yet (paused); the decision is not final before",)
    HEARD.extend(answer.reasons)
    without = replace(
        story.pack, rights=tuple(right for right in story.pack.rights if right.right is not RightKind.APPEAL)
    )
    assert not isinstance(act(story.case, DeclareFinal(reason="x"), CHIEF, without, story.now_ns, ()), Refused)


def test_a_time_that_began_before_the_notice_is_none() -> None:
    """Whoever lets the clock of the reply run from the opening of the case gets no decision out of silence."""
    story = told(NOTIFIED) + 1_000
    early = [replace(clock, started_ns=START) if clock.id == "reply" else clock for clock in story.clocks]
    answer = act(story.case, sound(decision(), story.pack), PROPOSER, story.pack, story.now_ns, early)
    assert isinstance(answer, Refused)
    assert "began before the notice came" in answer.reasons[0]
    HEARD.extend(answer.reasons)


def templates() -> dict[str, str]:
    """Every text that a rule can give as a reason, as a pattern, with its place."""
    found = {}
    folder = Path(headframe.cases.__file__).parent
    for path in [*sorted((folder / "rules").glob("*.py")), folder / "question.py", folder / "machine.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            texts: list[ast.AST] = []
            if isinstance(node, ast.Yield) and node.value is not None:
                texts = [node.value]
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                texts = [item for part in node.value.elts if isinstance(part, ast.List) for item in part.elts]
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "append":
                texts = list(node.args)
            for text in texts:
                if isinstance(text, ast.JoinedStr):
                    parts = [re.escape(part.value) if isinstance(part, ast.Constant) else ".*" for part in text.values]
                    found["".join(parts)] = f"{path.name}:{node.lineno}"
                elif isinstance(text, ast.Constant) and isinstance(text.value, str):
                    found[re.escape(text.value)] = f"{path.name}:{node.lineno}"
    return found


def test_every_reason_is_tested() -> None:
    """No rule has a reason that neither the table above nor a story has heard."""
    for make, who, wanted, reasons in CASES:
        no(told(make), who, wanted, *reasons)
    test_no_case_yet()
    test_the_wrong_pack_and_the_wrong_time()
    test_without_clocks_no_time_is_over()
    test_a_time_that_began_before_the_notice_is_none()
    for file in ("test_machine.py", "test_corrections.py", "test_other_order.py", "test_rights_kept.py"):
        spec = importlib.util.spec_from_file_location("stories_of_cases", Path(__file__).with_name(file))
        assert spec is not None
        assert spec.loader is not None
        stories = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(stories)
        for name, test in vars(stories).items():
            if name.startswith("test_") and not getattr(test, "pytestmark", ()):
                test()
    unheard = [
        f"{place}: {pattern}"
        for pattern, place in templates().items()
        if not any(re.fullmatch(pattern, text) for text in HEARD)
    ]
    assert not unheard, "\n".join(unheard)
    assert len(templates()) > 100


def test_a_reason_names_things_and_no_fields() -> None:
    """Who reads a reason has options before him, and words; how a record calls a field he cannot know.

    A word with an underscore is a value that an option takes, as it is typed.
    """
    values = {
        str(value)
        for module in (records_of_cases, records_of_packs)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, StrEnum)
        for value in kind
    }
    named = {
        (word, place)
        for pattern, place in templates().items()
        for word in re.findall(r"[a-z]+(?:_[a-z]+)+", pattern)
        if word not in values
    }
    assert not named, named


@pytest.mark.parametrize("pack_id", sorted(packs()))
def test_the_units_clocks_by_the_names_that_packs_make(pack_id: str) -> None:
    """Each clock of each shipped pack is the party's or the unit's; a report that is owed is the unit's."""
    pack = packs()[pack_id]
    names = {clock.id for clock in clocks_of(told(NOTIFIED).case, pack, LATER)}
    party = {"reply", "remediate", "appeal", "appeal-2", "hearing"}
    assert {name for name in names if not is_the_units(name)} == party & names
    assert names >= {f"report:{duty.id}" for duty in pack.reporting if duty.frequency != "on_change"}
    assert all(is_the_units(f"report:{duty.id}") for duty in pack.reporting)


def test_that_nobody_could_look_is_recorded() -> None:
    """Without a detector nothing is rectified; that there was not enough data is said all the same."""
    story = Story("campus-operator").verified()
    nothing = measured(story.now_ns, outcome=VerificationOutcome.NOT_ENOUGH_DATA).measurement
    story >> (VERIFIER, Verify(measurement=replace(nothing, detectors=())))
    assert story.case is not None
    assert story.case.verifications[-1][2].detectors == ()
