"""No path skips a right, a clock or a second account: walks through cases, and an auditor that reads what is left."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from case_auditor import Auditor, audit
from case_stories import (
    DAY,
    HEARER,
    PROPOSER,
    SCREENER,
    Story,
    decider,
    decision,
    finding,
    letter,
    lookup,
    packs,
)
from case_walks import WANTED, Walk
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import headframe.cases.apply as apply_module
from headframe.cases import machine, rules
from headframe.cases.apply import Draft
from headframe.cases.machine import replay
from headframe.cases.question import Rule, families, joint_log10_e, sources
from headframe.cases.rules.decide import newer_evidence
from headframe.records.case import (
    AppealOutcome,
    AppendEvidence,
    Case,
    DecideAppeal,
    DeclareFinal,
    FileAppeal,
    PartyStanding,
    ProposalState,
    ProposeClosure,
    ProposeCorrection,
    PurgeContacts,
    ServeNotice,
)

PACKS = sorted(packs())


class Casework(RuleBasedStateMachine):
    """Any account asks for anything, at any time, in any pack."""

    walk: Walk | None = None

    @initialize(pack=st.sampled_from(PACKS), seed=st.integers(0, 2**32 - 1))
    def begin(self, pack: str, seed: int) -> None:
        """A case, and accounts that have every duty."""
        self.walk = Walk(packs()[pack], random.Random(seed))

    @rule(kind=st.sampled_from(sorted(WANTED)), who=st.integers(0, 30))
    def ask(self, kind: str, who: int) -> None:
        """One asks for anything."""
        walk = self.walk
        if walk is not None and walk.story.case is not None:
            wanted = WANTED[kind](walk)
            if wanted is not None:
                walk.ask(walk.accounts[who % len(walk.accounts)], wanted)

    @rule(steps=st.integers(1, 12))
    def go_on(self, steps: int) -> None:
        """The case goes on as cases do."""
        if self.walk is not None:
            for _ in range(steps):
                self.walk.step()

    @rule(days=st.floats(0, 400))
    def wait(self, days: float) -> None:
        """Time passes, and changes nothing."""
        if self.walk is not None and self.walk.story.case is not None:
            before = self.walk.story.case
            self.walk.story + days
            assert replay(self.walk.story.events) == before

    @invariant()
    def the_events_are_the_case(self) -> None:
        """What the machine says is what its events say."""
        if self.walk is not None and self.walk.story.events:
            assert replay(self.walk.story.events) == self.walk.story.case

    @invariant()
    def every_event_is_evidence(self) -> None:
        """Nothing happens that does not go to the ledger."""
        if self.walk is not None:
            logged = [command.event for command in self.walk.commands if isinstance(command, AppendEvidence)]
            assert logged == self.walk.story.events

    @invariant()
    def closed_by_two_accounts_only(self) -> None:
        """A closed case has a closure that another account approved; its addresses go, unless on hold."""
        if self.walk is None or self.walk.story.case is None or self.walk.story.case.closed_ns is None:
            return
        case = self.walk.story.case
        done = [status for status in case.proposals
                if isinstance(status.act, ProposeClosure) and status.state is ProposalState.APPROVED]  # fmt: skip
        assert done
        assert done[-1].act.reason is case.closure
        assert set(done[-1].approvers) - {done[-1].proposer}
        if not case.on_hold:
            assert any(isinstance(command, PurgeContacts) for command in self.walk.commands)

    @invariant()
    def a_victim_bears_nothing(self) -> None:
        """While a party is a victim no decision holds against it, and no measure is under way."""
        if self.walk is not None and self.walk.story.case is not None:
            case = self.walk.story.case
            if case.standing is PartyStanding.VICTIM and case.decisions and not case.decisions[-1].set_aside:
                assert case.decisions[-1].act.outcome != "confirmed"
            if case.standing is PartyStanding.VICTIM:
                assert all(measure.withdrawn or measure.ended_ns is not None for measure in case.measures)

    def teardown(self) -> None:
        """The auditor reads the whole history, and comes to the same state."""
        if self.walk is not None:
            assert audit(self.walk.story.events, self.walk.story.pack, self.walk.commands) == []
            if self.walk.story.case is not None:
                assert differences(self.walk) == []


TestCasework = Casework.TestCase
TestCasework.settings = settings(
    max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def differences(walk: Walk) -> list[str]:
    """Where the auditor's picture of a case is not the machine's."""
    seen = Auditor(walk.story.events, walk.story.pack)
    case = walk.story.case
    held = case.decisions[-1].number if case.decisions and not case.decisions[-1].set_aside else None
    pairs = {
        "closed": (seen.closed, case.closed_ns is not None),
        "standing": (seen.standing, str(case.standing)),
        "decision": (None if seen.decision is None else seen.decision["number"], held),
        "appeal": (seen.appeal is not None, any(appeal.outcome is None for appeal in case.appeals)),
        "measures": (
            [(row["measure"], row["withdrawn"] and not row["ended"], row["ended"]) for row in seen.asked],
            [(row.measure, row.withdrawn and row.ended_ns is None, row.ended_ns is not None) for row in case.measures],
        ),
        "families": (sorted(seen.families()), sorted(families(case))),
        "sources": (seen.sources(), set(sources(case))),
        "proofs": ([str(one.act.grade) for one in seen.remedies], [str(one.grade) for one in case.remedies]),
        "final": (
            bool(seen.decision and seen.decision.get("final")),
            held is not None and case.decisions[-1].final_ns is not None,
        ),
        "told": (
            [(row["number"], bool(row.get("told"))) for row in seen.decisions],
            [(row.number, row.told_set_aside_ns is not None) for row in case.decisions],
        ),
        "site": ((seen.region, seen.site_kind), (case.region, case.site_kind)),
        # To a part in a million: the auditor counts with decimals, and powers that no float holds are 0 to it.
        "together": (round(max(float(seen.together()), 1e-9), 5), round(max(10.0 ** joint_log10_e(case), 1e-9), 5))
        if joint_log10_e(case) < 6
        else (True, seen.together() > 900_000),
        "late appeals": (
            seen.appeal is not None and seen.appeal["waits"],
            any(appeal.outcome is None and appeal.waits_for_admission for appeal in case.appeals),
        ),
        "open": (
            sorted(n for n, e in seen.by_number.items() if e.act.NAME.startswith("propose") and n not in seen.settled),
            sorted(status.number for status in case.proposals if status.state is ProposalState.OPEN),
        ),
    }
    return [f"{name}: {theirs} against {ours}" for name, (theirs, ours) in pairs.items() if theirs != ours]


def walked(seed: int, steps: int = 250) -> Walk:
    """A walk of some length."""
    walk = Walk(packs()[PACKS[seed % len(PACKS)]], random.Random(seed))
    for _ in range(steps):
        walk.step()
    return walk


def test_walks_get_somewhere_and_keep_every_right() -> None:
    """The walks are worth something: together they do every act, and the auditor has nothing to say."""
    done: dict[str, int] = {}
    refused = 0
    for seed in range(40):
        walk = walked(seed)
        assert audit(walk.story.events, walk.story.pack, walk.commands) == []
        assert differences(walk) == []
        refused += walk.refused
        for event in walk.story.events:
            done[event.act.NAME] = done.get(event.act.NAME, 0) + 1
    assert set(done) == {kind.NAME for kind in rules.RULES}
    assert done["propose_closure"] > 10
    assert done["serve_decision"] > 20
    assert refused > 1_000


def nothing(*_: Any) -> tuple[()]:
    """A rule that is switched off."""
    return ()


def one(*_: Any) -> int:
    """A single approval, whatever the pack says."""
    return 1


def at_once(*_: Any) -> int:
    """A time that is over before it begins."""
    return 0


def without_inspections(case: Case, since: int) -> tuple[tuple[int, str], ...]:
    """What came after a notice, if inspections did not count."""
    return tuple(entry for entry in NEWER(case, since) if entry[1] != "an inspection")


NEWER = newer_evidence


def nobody(_case: Case) -> frozenset[str]:
    """Nobody has had a part in anything."""
    return frozenset()


def never(_case: Case) -> bool:
    """No appeal was ever upheld."""
    return False


def nothing_right(case: Case, more: Any = ()) -> dict[int, Any]:
    """Corrections that stand on file and change nothing."""
    return {}


def any_appeal(question: Any, decision: Any, body: Any) -> bool:
    """One appeal that failed ends the right to go anywhere."""
    return any(one.decision == decision.number and one.outcome == "rejected" for one in question.case.appeals)


Patch = tuple[Any, str, Any]


def unbound(kind: str, **changed: Any) -> Callable[[], list[Patch]]:
    """The table with one rule changed."""

    def make() -> list[Patch]:
        table = dict(rules.RULES)
        act = next(entry for entry in table if kind == entry.NAME)
        old = table[act]
        table[act] = Rule(
            duties=old.duties, refusals=changed.get("refusals", old.refusals), commands=old.commands,
            when_closed=changed.get("when_closed", old.when_closed),
        )  # fmt: skip
        return [(machine, "RULES", table)]

    return make


def off(name: str, *modules: str, replacement: Any = nothing) -> Callable[[], list[Patch]]:
    """A named check, switched off where it is used."""
    return lambda: [(getattr(rules, module), name, replacement) for module in modules]


MUTANTS: dict[str, tuple[Callable[[], list[Patch]], str]] = {
    "own proposals": (off("_not_ones_own", "settle"), "approved its own proposal"),
    "verifier and proposer": (off("not_the_verifier", "notify", "decide", "close"), "verified what they proposed"),
    "inspector and decider": (off("not_an_inspector", "decide", "measure", "settle"), "inspected and decided"),
    "units that decide": (off("in_deciding_unit", "decide"), "outside the units that decide"),
    "unit of the measure": (off("in_unit", "measure"), "outside the unit that decides on it"),
    "second approver": (lambda: [(machine, "approvals_needed", one)], "measures: "),
    "two sources": (off("two_sources", "notify"), "on one source of evidence"),
    "rules of the pack": (off("cites_the_pack", "decide"), "a rule that the pack does not have"),
    "bodies of the pack": (off("known_body", "appeal"), "which the pack does not name"),
    "what is gone is told": (off("untold", "close", replacement=lambda _case: None), "what it was served is gone"),
    "standing after an appeal": (
        lambda: [(rules.notify, "appeal_upheld", never), (rules.decide, "appeal_upheld", never)],
        "whose appeal was upheld",
    ),
    "rules ask what is right": (lambda: [(apply_module, "right_acts", nothing_right)], "proofs: "),
    "corrections take no time": (off("_takes_no_time", "keep"), "made a period shorter"),
    "evidence together": (off("enough_together", "notify"), "on findings that say too little together"),
    "what is new is shown": (off("put_to_the_party", "decide"), "decided on what the party was not shown"),
    "an inspection is new evidence": (
        lambda: [(rules.decide, "newer_evidence", without_inspections)],
        "decided on what the party was not shown",
    ),
    "time for what is new": (
        off("_reply_ends_again", "decide", replacement=at_once),
        "decided on something new before the party answered it or had its time",
    ),
    "look-up at the decision": (off("looked_up", "decide"), "decided on a stale look into the registers"),
    "late appeals are marked": (
        lambda: [(machine, "came_late", nothing)],
        "a late appeal that is not marked so",
    ),
    "late appeals are admitted first": (
        unbound("decide_appeal", refusals=nothing),
        "heard a late appeal that nobody has admitted",
    ),
    "who admits a late appeal": (
        off("not_the_first_decider", "appeal"),
        "judged whether an appeal against its own decision is heard",
    ),
    "look-up": (off("looked_up", "notify"), "look into the registers"),
    "listed sites": (off("not_listed", "notify", "decide"), "that is listed"),
    "no notice to victims": (off("NO_NOTICE", "notify", replacement=frozenset()), "a notice to a party of standing"),
    "notice and reply": (off("told_and_heard", "decide"), "decided against a party without a notice"),
    "answers are weighed": (off("replies_weighed", "decide"), "decided although the reply"),
    "time to reply": (
        off("has_answered", "decide", replacement=lambda *_: True),
        "decided before the party answered or had its time",
    ),
    "time to appeal": (off("appeal_is_over", "decide"), "final before the appeal was over"),
    "what the pack has against measures": (off("not_allowed", "measure"), "a measure"),
    "appeals let all rest": (off("no_appeal_pending", "decide", "measure", "close"), "while an appeal is pending"),
    "measured as over": (off("measured_as_over", "close"), "closed as"),
    "enough data": (off("enough_for_rectified", "verify"), "rectified on"),
    "the windows": (off("_windows", "verify"), "measured"),
    "whoever hears had no part": (off("took_part", "appeal", replacement=nobody), "that it had a part in"),
    "time given stays given": (off("is_the_units", "reply", replacement=lambda *_: True), "time was taken away"),
    "reasons of a closure": (
        lambda: [(rules.close, "closure_stands", nothing), (rules.settle, "APPROVABLE", {
            **rules.settle.APPROVABLE, ProposeClosure: nothing})],
        "closed as rectified without decision, proof or measurement",
    ),
    "the axes": (off("class_stands", "classify"), "axis"),
    "closed cases": (unbound("look_up_lawful", when_closed=True), "was done to a closed case"),
    "register entries go": (
        lambda: [(rules.settle, "COMMANDS", {}), (rules.decide, "appeal_is_over", nothing)],
        "still in the register",
    ),
    "the letter is approved": (unbound("serve_notice", refusals=nothing), "a letter that was not approved"),
}  # fmt: skip
"""Rules that are switched off one at a time, and what the auditor must say then."""


@pytest.mark.parametrize("name", MUTANTS)
def test_the_auditor_sees_a_rule_that_is_switched_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that cannot fail is no test: with one rule off, the walks break a right, and the auditor says which."""
    make, expected = MUTANTS[name]
    for place, attribute, replacement in make():
        assert hasattr(place, attribute)
        monkeypatch.setattr(place, attribute, replacement)
    if name == "own proposals":
        monkeypatch.setattr(Walk, "whose", lambda walk, _kind: walk.accounts[0])
    for seed in range(400):
        try:
            walk = walked(seed, 150)
            heard = audit(walk.story.events, walk.story.pack, walk.commands) + differences(walk)
        except (KeyError, IndexError):  # a mutant may break the case itself; the next walk may live
            continue
        if any(expected in wrong for wrong in heard):
            return
    raise AssertionError(f"nobody noticed that {name!r} was switched off")


def test_the_auditor_sees_a_decision_that_is_not_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the events make of a case is checked, too: a decision that should be gone and is not."""
    monkeypatch.setattr(Draft, "set_aside", nothing)
    assert any(differences(walked(seed, 150)) for seed in range(30))


def test_the_case_is_linear_in_its_events() -> None:
    """A replay of ten times the events takes about ten times as long, not a hundred times."""
    story = Story("campus-operator").opened()
    for _ in range(200):
        story.case = story.ask(SCREENER, lookup()).case
        story.events.append(
            type(story.events[0])(
                case_id=story.case.case_id, number=story.case.version, at_ns=story.now_ns, account="screener",
                unit="office", act=lookup(),
            )
        )  # fmt: skip
    few = story.events
    many = list(few)
    while len(many) < 20 * len(few):
        many.append(replace(many[-1], number=len(many) + 1))

    def best(events: list[Any]) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            case = replay(events)
            times.append(time.perf_counter() - start)
            assert isinstance(case, Case)
            assert case.version == len(events)
        return min(times)

    assert best(many) < 80 * best(few)


def machines_corrected_away() -> Story:
    """A notice on machines that nobody saw, and a decision on what is left."""
    story = Story("campus-operator").opened((finding(1),)).classified().notified().heard()
    seen = next(event.number for event in story.events if event.act.NAME == "inspect")
    story.agreed(ProposeCorrection(event=seen, field="record.machines_seen", value="0", reason="a slip"))
    return story.agreed(decision())


def rejected_at_one_body() -> Story:
    """Declared final although the court's time runs."""
    story = Story("cn-national-1283").decided() + 1
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="review", grounds="not us"))
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no"))
    return story >> (decider(story.pack), DeclareFinal(reason="rejected"))


def decided_too_early() -> Story:
    """On silence, after a notice that came later than was thought."""
    story = Story("campus-operator").classified().agreed(letter()) + 3
    number = story.case.proposals[-1].number
    story >> (PROPOSER, ServeNotice(proposal=number, received_ns=story.now_ns - 5 * DAY // 2, channel="post"))
    served, at_ns = story.last, story.now_ns
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "reply")
    story.agreed(decision(heard=""))
    return story.agreed(ProposeCorrection(event=served, field="received_ns", value=f'"{at_ns}"', reason="a slip"))


TOLD: dict[str, tuple[Callable[[], list[Patch]], Callable[[], Story], str]] = {
    "two sources at the decision": (
        lambda: [*off("two_sources", "decide")(), *off("enough_together", "decide")()],
        machines_corrected_away,
        "decided against a party on one source of evidence",
    ),
    "each body for itself": (
        lambda: [(rules.decide, "used_up", any_appeal)],
        rejected_at_one_body,
        "final before the appeal was over: court",
    ),
    "what does not stand falls": (
        lambda: [(machine, "fallen", nothing), (rules.keep, "fallen", nothing)],
        decided_too_early,
        "a decision stands that came before the party answered or had its time",
    ),
}
"""Rules that walks hardly ever come to; the story that breaks each, and what the auditor must say then."""


@pytest.mark.parametrize("name", TOLD)
def test_the_auditor_sees_it_in_a_story_as_well(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused while the rule is there; with the rule off the story goes on, and the auditor says what is wrong."""
    make, tell, expected = TOLD[name]
    if name == "what does not stand falls":
        story = tell()
        assert story.case.decisions[-1].set_aside
        assert audit(story.events, story.pack) == []
    else:
        with pytest.raises(AssertionError):
            tell()
    for place, attribute, replacement in make():
        monkeypatch.setattr(place, attribute, replacement)
    story = tell()
    assert any(expected in wrong for wrong in audit(story.events, story.pack))
