"""Walks through cases: any account asks for anything at any time, with sound content more often than not."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from case_stories import (
    DAY,
    HOUR,
    SHEET,
    Story,
    account,
    classification,
    decision,
    document,
    finding,
    inspection,
    letter,
    lookup,
    measured,
    opening,
)

from headframe.cases.question import classified_at, last_event, replies, unheard
from headframe.cases.rules.decide import accesses, newer_evidence, shows_all
from headframe.policy.appeals import appeal_bodies
from headframe.policy.rights import BROUGHT, measure_states
from headframe.records.case import (
    Accepted,
    Account,
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
    EnterRegister,
    ExtendClock,
    FileAppeal,
    GrantAccess,
    LiftHold,
    LinkCase,
    LookUpLawful,
    LookupOutcome,
    NoticeKind,
    PauseClock,
    PlaceHold,
    ProposalState,
    ProposeClosure,
    ProposeCorrection,
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
    Withdraw,
)
from headframe.records.finding import Family
from headframe.records.policy import MeasureMode, Pack, PartyStanding, UnitRole

AGREED = {
    PartyStanding.VICTIM: DecisionOutcome.VICTIM,
    PartyStanding.LAWFUL: DecisionOutcome.LAWFUL,
    PartyStanding.NOT_MINING: DecisionOutcome.DISMISSED,
    PartyStanding.UNDETERMINED: DecisionOutcome.UNDETERMINED,
}
FAMILIES = (Family.CONTENT, Family.ENDPOINT, Family.LOAD, Family.TIMING)
STRENGTHS = ((*[7.0] * 8, 1.2, -2.0, math.nan, math.inf), (1.2, 0.4, 0.4, 0.1))
"""Of findings: mostly strong, with a bet that was lost and what is no e-value; and of cases that rest on little."""


def office(pack: Pack, rng: random.Random) -> list[Account]:
    """Accounts that have every duty, so that nothing but the rules keeps them apart; of every unit that matters."""
    deciding = [unit.id for unit in pack.units if unit.roles & {UnitRole.DECIDE, UnitRole.LEAD}]
    units = {*deciding[:2], *(measure.decided_by for measure in pack.measures), "office"}
    accounts = [account(f"a{number}-{unit}", *Duty, unit=unit) for unit in sorted(units) for number in range(3)]
    clerk = account("clerk", *(duty for duty in Duty if rng.random() < 0.5), unit=deciding[0])
    return [*accounts, clerk]


class Walk:
    """A case that anybody may ask anything of."""

    def __init__(self, pack: Pack, rng: random.Random) -> None:
        self.rng = rng
        self.story = Story(pack)
        self.accounts = office(pack, rng)
        self.commands: list[Any] = []
        self.refused = 0
        # Whoever works on a case mostly is who worked on it before; a few hands make four eyes hard to keep.
        self.hands = rng.sample(self.accounts, k=5)
        self.usual = rng.sample(self.accounts, k=4)
        self.strengths = STRENGTHS[rng.random() < 0.25]
        kind = rng.choice(["data_centre", "household_premises", "campus", "enterprise"])
        findings = (
            finding(1, log10_e=rng.choice(self.strengths)),
            finding(2, rng.choice(FAMILIES), log10_e=rng.choice(self.strengths)),
        )
        self.ask(self.hand(Duty.SCREEN), opening(pack, findings[: rng.choice([1, 2, 2])], site_kind=kind))

    def hand(self, duty: Duty | None = None) -> Account:
        """Some account, mostly one of the usual, with the duty if one has it."""
        pool = self.hands if self.rng.random() < 0.7 else self.accounts
        fitting = [one for one in pool if duty is None or duty in one.duties] or self.accounts
        return self.rng.choice(fitting)

    def ask(self, who: Account, wanted: Any) -> bool:
        """Ask for an act; keep what comes of it."""
        story = self.story
        before = story.case
        answer = story.ask(who, wanted)
        if not isinstance(answer, Accepted):
            assert answer.reasons
            assert all(reason.strip() for reason in answer.reasons)
            assert story.case is before
            self.refused += 1
            return False
        story.case = answer.case
        story.events += answer.events
        self.commands += answer.commands
        return True

    def step(self) -> bool:
        """Let time pass, and ask for something: what the case waits for, or anything."""
        rng = self.rng
        if rng.random() < 0.15:
            self.story + rng.choice([0.5, 1, 3, 8, 20, 40, 100, 200])
        if self.story.case is not None and self.story.case.verifications and rng.random() < 0.05:
            self.story + 70  # what was measured grows old
        if self.story.case is None:
            return self.ask(self.hand(Duty.SCREEN), opening(self.story.pack))
        kinds = list(WANTED)
        kind = rng.choice(kinds)
        if rng.random() < 0.7:
            ahead = self.ahead()
            kind = ahead if isinstance(ahead, str) else rng.choice(ahead)
        wanted = WANTED[kind](self)
        return wanted is not None and self.ask(self.whose(kind), wanted)

    def whose(self, kind: str) -> Account:
        """Who asks: mostly one account for each kind of work, else anybody."""
        if self.rng.random() < 0.3:
            return self.hand()
        place = {"inspect": 0, "verify": 1, "decide appeal": 2, "admit appeal": 2}.get(kind, 3)
        if kind != "approve":
            return self.usual[place]
        waiting = [status.act for status in self.proposals(ProposalState.OPEN)]
        decides = {entry.id: entry.decided_by for entry in self.story.pack.measures}
        units = {decides[act.measure] for act in waiting if isinstance(act, ProposeMeasure)}
        return self.rng.choice([one for one in self.accounts if not units or one.unit in units])

    def ahead(self) -> str | list[str]:
        """What the case waits for, or several things that it may."""
        case = self.story.case
        if any(status.state is ProposalState.OPEN for status in case.proposals):
            return "approve"
        if any(appeal.waits_for_admission and appeal.outcome is None for appeal in case.appeals):
            return ["admit appeal", "admit appeal", "admit appeal", "decide appeal"]
        if case.closed_ns is not None:
            return ["reopen", "appeal", "look up"]
        if case.lookup is None:
            return "look up"
        if not case.axes:
            return "classify"
        if not case.inspections:
            return "inspect"
        letters = [status for status in case.proposals if isinstance(status.act, ProposeNotice)]
        served = {letter.proposal for letter in case.notices}
        if letters and letters[-1].state is ProposalState.APPROVED and letters[-1].number not in served:
            done = [mark.act for mark in case.history]
            overtaken = "add_findings" in done[len(done) - done[::-1].index("look_up_lawful") :]
            if overtaken or self.story.now_ns - case.lookup_ns > 30 * DAY:
                return ["look up", "look up", "look up", "serve"]
            return ["serve", "serve", "serve", "letter"]
        if any(appeal.outcome is None for appeal in case.appeals):
            return ["decide appeal", "decide appeal", "decide appeal", "carry out", "appeal"]
        held = bool(case.decisions) and not case.decisions[-1].set_aside
        if not held:
            if any(until is None for _, _, until, _ in case.pauses):
                return ["resume", "resume", "decide"]
            if any(one.set_aside and one.received_ns and not one.told_set_aside_ns for one in case.decisions):
                return ["serve setting aside", "close", "decide", "letter"]
            if any(appeal.outcome is AppealOutcome.UPHELD for appeal in case.appeals):
                return ["close", "close", "classify", "decide", "reply"]
            if any(served.kind is NoticeKind.NOTICE for served in case.notices):
                if self.story.now_ns - case.lookup_ns > 30 * DAY:
                    return ["look up", "look up", "decide"]
                notices = [served.proposal for served in case.notices if served.kind is NoticeKind.NOTICE]
                new = newer_evidence(case, max(notices))
                if new and not any(shows_all(one) and number > new[-1][0] for number, one in accesses(case)):
                    return ["access", "access", "decide"]
                said = {reply.stance: number for number, reply in replies(case)}
                if said.get(ReplyStance.CLAIMS_VICTIM, 0) > classified_at(case):
                    return ["classify", "classify", "decide"]
                if said.get(ReplyStance.ASKS_FILE, 0) > last_event(case, GrantAccess):
                    return ["access", "access", "decide"]
                new = max(said.get(ReplyStance.CLAIMS_LAWFUL, 0), last_event(case, AddFindings))
                if new > last_event(case, LookUpLawful) or case.lookup.outcome is LookupOutcome.LISTED:
                    return ["look up", "look up", "decide"]
                aside = ["letter", "close", "pause", "pause", "reply", "reply", "correct"]
                return ["decide", "decide", "decide", *aside]
            return ["letter", "letter", "letter", "decide", "close", "remedy", "inspect", "look up"]
        if case.decisions[-1].received_ns is None:
            return "serve decision"
        if case.decisions[-1].act.outcome is not DecisionOutcome.CONFIRMED:
            return ["close", "close", "remedy", "decide", "appeal"]
        # What is final can still be taken away; that is rare, and worth to be seen.
        often = 0.2 if case.decisions[-1].final_ns is None else 0.6
        aside = ["classify", "classify", "extend", "remedy", "appeal"] if self.rng.random() < often else []
        if self.rng.random() < 0.05:
            return "correct"
        if unheard(case, self.story.clocks):
            return ["decide", "decide", "final", "measure", "carry out", "close", "look up", "access"]
        if self.rng.random() < 0.02:
            return ["reply", "extend"]
        return ["final", "measure", "measure", "carry out", "carry out", "verify", "verify", "close", *aside]

    # What is at hand

    def proposals(self, state: ProposalState) -> list[Any]:
        """Proposals in a state."""
        return [status for status in self.story.case.proposals if status.state is state]

    def waiting(self) -> int | None:
        """An open proposal, or now and then any number."""
        numbers = [status.number for status in self.proposals(ProposalState.OPEN)]
        if self.rng.random() < 0.05:
            return self.rng.randint(1, self.story.case.version + 1)
        return self.rng.choice(numbers) if numbers else None

    def lately(self) -> int:
        """A time of late, or rarely a time to come."""
        late = self.rng.choice([0, 0, 0, HOUR, DAY])
        return self.story.now_ns + (HOUR if self.rng.random() < 0.03 else -late)


def _some(words: str) -> Callable[[Walk], str]:
    return lambda walk: "" if walk.rng.random() < 0.03 else words


_REASON = _some("because")


def _classify(walk: Walk) -> Any:
    weights = {PartyStanding.OPERATOR: 6.0, PartyStanding.HOST: 2.0, PartyStanding.VICTIM: 2.0}
    standing = walk.rng.choices(list(PartyStanding), weights=[weights.get(one, 1.0) for one in PartyStanding])[0]
    proposed = classification(walk.story.pack, standing)
    if walk.rng.random() < 0.05:
        proposed = replace(proposed, axes=proposed.axes[1:])
    if walk.rng.random() < 0.05:
        proposed = replace(proposed, standing=walk.rng.choice(list(PartyStanding)))
    return proposed


def _serve(walk: Walk) -> Any:
    letters = [status for status in walk.story.case.proposals if isinstance(status.act, ProposeNotice)]
    if not letters:
        return None
    served = {letter.proposal for letter in walk.story.case.notices}
    waiting = [one for one in letters if one.state is ProposalState.APPROVED and one.number not in served]
    number = walk.rng.choice(waiting if waiting and walk.rng.random() < 0.8 else letters).number
    return ServeNotice(proposal=number, received_ns=walk.lately(), channel="post", proof=_proof(walk))


def _proof(walk: Walk) -> Any:
    return document() if walk.rng.random() < 0.1 else None


def _serve_decision(walk: Walk) -> Any:
    numbers = [one.number for one in walk.story.case.decisions]
    number = walk.rng.choice(numbers) if numbers and walk.rng.random() < 0.3 else 0
    return ServeDecision(received_ns=walk.lately(), channel="post", proof=_proof(walk), decision=number)


def _reply(walk: Walk) -> Any:
    letters = [status for status in walk.story.case.proposals if isinstance(status.act, ProposeNotice)]
    named = walk.rng.choice(letters).number if letters and walk.rng.random() < 0.1 else 0
    late = walk.rng.choice([5, 20]) * DAY if walk.rng.random() < 0.2 else 0
    return RecordReply(
        received_ns=walk.lately() - late,
        stance=walk.rng.choice(list(ReplyStance)),
        document=None,
        text="our answer",
        answers=named,
    )


def _decide(walk: Walk) -> Any:
    usual = AGREED.get(walk.story.case.standing, DecisionOutcome.CONFIRMED)
    outcome = usual if walk.rng.random() < 0.85 else walk.rng.choice(list(DecisionOutcome))
    names = [measure.id for measure in walk.story.pack.measures]
    usable = [entry.id for entry in walk.story.pack.measures if entry.mode is not MeasureMode.NOT_SUPPORTED]
    measures = () if outcome is not DecisionOutcome.CONFIRMED else tuple(usable)
    if walk.rng.random() < 0.05:
        measures = tuple(names)
    heard = "" if walk.rng.random() < 0.1 else "weighed"
    basis = ("nosuch#5",) if walk.rng.random() < 0.03 else ("rule 1",)
    return decision(
        outcome, heard=heard, legal_basis=basis, measures=measures, sheets=(SHEET,) if walk.rng.random() < 0.8 else ()
    )


def _measure(walk: Walk) -> Any:
    story = walk.story
    states = measure_states(story.case, story.pack, story.clocks, story.now_ns, brought=BROUGHT)
    allowed = [state.measure.id for state in states if state.allowed]
    name = walk.rng.choice(allowed * 5 + [entry.id for entry in story.pack.measures])
    warrant = document() if walk.rng.random() < 0.8 else None
    return ProposeMeasure(measure=name, reason=_REASON(walk), court_warrant=warrant)


def _carry_out(walk: Walk) -> Any:
    asked = walk.story.case.measures
    if not asked:
        return None
    name = walk.rng.choice(asked).measure
    entry = next(entry for entry in walk.story.pack.measures if entry.id == name)
    unit = entry.executed_by or entry.decided_by
    return RecordMeasure(
        measure=name, unit=unit, at_ns=walk.lately(), ended=walk.rng.random() < 0.4, document=_proof(walk)
    )


def _verify(walk: Walk) -> Any:
    outcome = walk.rng.choice([VerificationOutcome.RECTIFIED] * 3 + list(VerificationOutcome))
    coverage = walk.rng.choice([0.95, 0.95, 0.95, 0.5])
    return measured(walk.lately(), days=walk.rng.choice([20, 61, 61, 90]), outcome=outcome, coverage=coverage)


def _clock(walk: Walk) -> str:
    live = [clock.id for clock in walk.story.clocks if clock.started_ns is not None]
    return walk.rng.choice([*live, "reply", "reply", "appeal", "none"])


def _add(walk: Walk) -> Any:
    number = walk.story.case.version + 100
    return AddFindings(
        findings=(
            finding(
                number,
                walk.rng.choice(FAMILIES),
                ended_ns=walk.lately(),
                mining=walk.rng.random() < 0.8,
                log10_e=walk.rng.choice(walk.strengths),
            ),
        )
    )


def _report(walk: Walk) -> Any:
    duties = walk.story.pack.reporting
    if not duties:
        return None
    return RecordReport(report=duties[0].id, to=duties[0].to, period="2026-W10")


def _appeal(walk: Walk) -> Any:
    names = [body.id for body in appeal_bodies(walk.story.pack)]
    other = walk.rng.random() < 0.1
    body = "the moon" if other or walk.rng.random() < 0.05 else walk.rng.choice(names)
    return FileAppeal(received_ns=walk.lately(), body=body, other_body=other, grounds=_REASON(walk))


def _which_appeal(walk: Walk) -> int:
    """One of those that are open, or none that is named, or now and then any."""
    rng, appeals = walk.rng, walk.story.case.appeals
    open_ = [one.event for one in appeals if one.outcome is None]
    if rng.random() < 0.1 and appeals:
        return rng.choice(appeals).event
    return rng.choice(open_) if len(open_) > 1 or (open_ and rng.random() < 0.2) else 0


def _serve_setting_aside(walk: Walk) -> Any:
    gone = [one.number for one in walk.story.case.decisions if one.set_aside]
    if not gone or walk.rng.random() < 0.05:
        return ServeSettingAside(decision=walk.rng.randint(1, 30), received_ns=walk.lately(), channel="post")
    return ServeSettingAside(decision=walk.rng.choice(gone), received_ns=walk.lately(), channel="post")


_RIGHT = {
    "open": ("region", "summary", "usage_points", "site_kind"),
    "remedy": ("grade", "at_ns"),
    "serve_notice": ("received_ns",),
    "serve_decision": ("received_ns",),
    "appeal": ("received_ns", "body"),
    "reply": ("stance", "received_ns"),
    "inspect": ("record.machines_seen", "record.machines_seen", "record.place"),
    "grant_access": ("given_ns", "held_back", "documents"),
    "propose_decision": ("outcome", "heard_reply"),
    "verify": ("measurement.outcome",),
}
"""What is corrected in walks, in fields of weight."""


def _correct(walk: Walk) -> Any:
    rng, case = walk.rng, walk.story.case
    number = rng.randint(0, case.version + 1)
    weighty = [at for at, mark in enumerate(case.history, 1) if mark.act in _RIGHT]
    field, value = rng.choice(["summary", "reason", "account", "at_ns", "text"]), "better"
    if weighty and rng.random() < 0.8:
        seen = [at for at in weighty if case.history[at - 1].act == "inspect"]
        number = rng.choice(seen if seen and rng.random() < 0.3 else weighty)
        field = rng.choice(_RIGHT[case.history[number - 1].act])
        shifted = json.dumps(str(case.history[number - 1].at_ns + rng.choice([-3, -1, 0, 1, 9]) * DAY))
        value = {
            "grade": rng.choice(list(RemedyGrade)), "stance": rng.choice(list(ReplyStance)), "outcome": "confirmed",
            "record.machines_seen": rng.choice(["0", "0", "4"]), "usage_points": '["UP-2"]',
            "site_kind": rng.choice(["enterprise", "household_premises"]), "heard_reply": rng.choice(["", "well"]),
            "body": rng.choice(["the moon", *(body.id for body in appeal_bodies(walk.story.pack))]),
            "held_back": "[]", "documents": '["F-1", "F-2"]',
        }.get(field, shifted if field.endswith("_ns") else "better")  # fmt: skip
    return ProposeCorrection(event=number, field=field, value=value, reason=_REASON(walk))


WANTED: dict[str, Callable[[Walk], Any]] = {
    "add": _add,
    "look up": lambda walk: lookup(walk.rng.choice([LookupOutcome.NOT_LISTED] * 3 + list(LookupOutcome))),
    "classify": _classify,
    "letter": lambda walk: letter(walk.rng.choice([NoticeKind.NOTICE] * 3 + list(NoticeKind))),
    "serve": _serve,
    "reply": _reply,
    "access": lambda walk: GrantAccess(
        given_ns=walk.lately(),
        documents=("" if walk.rng.random() < 0.03 else "F-1",),
        held_back=("F-2: names",) if walk.rng.random() < 0.2 else (),
    ),
    "pause": lambda walk: PauseClock(clock=_clock(walk), from_ns=walk.lately(), reason=_REASON(walk)),
    "resume": lambda walk: ResumeClock(
        clock=next((name for name, _, until, _ in walk.story.case.pauses if until is None), "reply"),
        from_ns=walk.lately() + walk.rng.choice([0, 0, DAY]),
        reason=_REASON(walk),
    ),
    "extend": lambda walk: ExtendClock(
        clock=_clock(walk),
        until_ns=walk.story.now_ns + walk.rng.choice([-5, 1, 10, 40, 200]) * DAY,
        reason=_REASON(walk),
    ),
    "inspect": lambda walk: inspection(walk.lately(), machines=walk.rng.choice([0, 0, 4])),
    "decide": _decide,
    "serve decision": _serve_decision,
    "final": lambda walk: DeclareFinal(reason=_REASON(walk)),
    "measure": _measure,
    "carry out": _carry_out,
    "remedy": lambda walk: RecordRemedy(
        at_ns=walk.lately(),
        grade=walk.rng.choice(list(RemedyGrade)),
        text="gone",
        documents=(document("remedy_proof"),),
    ),
    "verify": _verify,
    "close": lambda walk: ProposeClosure(reason=walk.rng.choice(list(ClosureReason)), text=_REASON(walk)),
    "reopen": lambda walk: ProposeReopening(reason=_REASON(walk)),
    "appeal": _appeal,
    "serve setting aside": _serve_setting_aside,
    "admit appeal": lambda walk: AdmitAppeal(
        admitted=walk.rng.random() < 0.5, reason=_REASON(walk), appeal=_which_appeal(walk)
    ),
    "decide appeal": lambda walk: DecideAppeal(
        appeal=_which_appeal(walk),
        outcome=walk.rng.choice(list(AppealOutcome)),
        reason=_REASON(walk),
        standing=walk.rng.choice([*[None] * 9, *PartyStanding]),
    ),
    "correct": _correct,
    "approve": lambda walk: None if (number := walk.waiting()) is None else Approve(proposal=number),
    "reject": lambda walk: None if (number := walk.waiting()) is None else Reject(proposal=number, reason="no"),
    "withdraw": lambda walk: None if (number := walk.waiting()) is None else Withdraw(proposal=number, reason="no"),
    "link": lambda walk: LinkCase(case_id=f"HF-{walk.rng.randint(1, 9)}", relation=CaseRelation.SAME_OPERATOR),
    "report": _report,
    "hold": lambda walk: PlaceHold(reason=_REASON(walk)),
    "lift": lambda walk: LiftHold(reason=_REASON(walk)),
}
"""Something to ask for, of every kind."""


def entered(commands: list[Any]) -> int:
    """How many register entries were asked for."""
    return sum(isinstance(command, EnterRegister) for command in commands)
