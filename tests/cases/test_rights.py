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
    HOUR,
    INSPECTOR,
    PROPOSER,
    SCREENER,
    SHEET,
    Story,
    classification,
    decider,
    decision,
    document,
    finding,
    inspection,
    letter,
    lookup,
    opening,
    packs,
    requestable,
)
from case_walks import WANTED, Walk
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import headframe.cases.apply as apply_module
from headframe.cases import machine, rules
from headframe.cases.apply import Draft
from headframe.cases.machine import replay
from headframe.cases.question import Rule, families, joint_log10_e, replies, sources, unheard
from headframe.cases.rules.decide import newer_evidence
from headframe.policy.clocks import clocks_of
from headframe.records.case import (
    AddFindings,
    AdmitAppeal,
    AppealOutcome,
    AppendEvidence,
    Case,
    DecideAppeal,
    DeclareFinal,
    ExtendClock,
    FileAppeal,
    GrantAccess,
    PartyStanding,
    PauseClock,
    ProposalState,
    ProposeClosure,
    ProposeCorrection,
    ProposeMeasure,
    ProposeNotice,
    PurgeContacts,
    RecordMeasure,
    RecordReply,
    ReplyStance,
    ResumeClock,
    ServeDecision,
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
        "appeals": (
            [(row["event"], row["body"], row["outcome"]) for row in seen.appeals],
            [(one.event, one.body, None if one.outcome is None else str(one.outcome)) for one in case.appeals],
        ),
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
        "heard": (seen.unheard(), list(unheard(case, walk.story.clocks))),
        "site": ((seen.region, seen.site_kind), (case.region, case.site_kind)),
        # To a part in a million: the auditor counts with decimals, and powers that no float holds are 0 to it.
        "together": (round(max(float(seen.together()), 1e-9), 5), round(max(10.0 ** joint_log10_e(case), 1e-9), 5))
        if joint_log10_e(case) < 6
        else (True, seen.together() > 900_000),
        "late appeals": (
            [row["event"] for row in seen.appeals if row["waits"]],
            [appeal.event for appeal in case.appeals if appeal.waits_for_admission],
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


def all_shown(*_: Any, **__: Any) -> str:
    """A page shows every character."""
    return ""


def the_first(question: Any) -> Any:
    """Whatever is said on an appeal is said on the first."""
    return question.case.appeals[0] if question.case.appeals else None


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
    "corrections take no time": (off("_takes_no_time", "correct"), "made a period shorter"),
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
    "several appeals": (
        lambda: [(machine, "which_appeal", the_first)],
        "appeals: ",
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
    "measured lately": (off("measured_lately", "close"), "closed as"),
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


def test_the_auditor_sees_mining_that_a_remedy_did_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mining after the remedy and before the window, which a walk hardly ever meets: with the rule off it is closed."""

    def closed() -> Story:
        story = Story("campus-operator").verified()
        since = finding(61, ended_ns=story.now_ns - 90 * DAY)
        return (story >> (SCREENER, AddFindings(findings=(since,)))).closed()

    with pytest.raises(AssertionError, match="went on after the remedy"):
        closed()
    monkeypatch.setattr(rules.close, "ended_by_the_remedy", nothing)
    story = closed()
    assert any("closed as rectified" in wrong for wrong in audit(story.events, story.pack, story.commands))


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
    story.shown() + 1 >> (PROPOSER, answer)
    return story.agreed(decision())


def nothing_unsaid(_question: Any) -> set[str]:
    """Everybody counts as heard."""
    return set()


def nothing_stands_still(question: Any, case: Case, runs_on_ns: int) -> dict[str, Any]:
    """The party's periods, with no end for those that are paused."""
    clocks = [one for one in clocks_of(case, question.pack, question.now_ns) if one.id == "reply"]
    return {one.id: (one.started_ns, one.due_ns) for one in clocks}


def asked_for_time() -> Story:
    """It asked for time, and is said to have contested."""
    story = Story("campus-operator").notified() + 1
    story >> (PROPOSER, lambda now: replace(answer(now), stance=ReplyStance.ASKS_TIME))
    return story.agreed(ProposeCorrection(event=story.last, field="stance", value="contests", reason="a slip"))


def answered_before() -> Story:
    """What came before the notice is said to have come after it."""
    story = Story("campus-operator").classified().agreed(letter()) + 1
    number = story.case.proposals[-1].number
    story >> (PROPOSER, lambda now: ServeNotice(proposal=number, received_ns=now, channel="post"))
    story >> (PROPOSER, lambda now: replace(answer(now), received_ns=now - DAY // 2))
    value = f'"{story.now_ns}"'
    return story.agreed(ProposeCorrection(event=story.last, field="received_ns", value=value, reason="a slip"))


def earlier_while_it_stands_still() -> Story:
    """The notice is said to have come earlier while the clock is paused."""
    story = Story("campus-operator").classified().agreed(letter()) + 2.9
    number = story.case.proposals[-1].number
    story >> (PROPOSER, lambda now: ServeNotice(proposal=number, received_ns=now, channel="post"))
    served, value = story.last, f'"{story.now_ns - 2 * DAY}"'
    story >> (PROPOSER, PauseClock(clock="reply", from_ns=story.now_ns, reason="the file is away"))
    return story.agreed(ProposeCorrection(event=served, field="received_ns", value=value, reason="a slip"))


def seen_otherwise() -> Story:
    """An inspection is said to have seen machines after the party was heard on one that saw none."""
    story = Story("campus-operator").opened().looked_up() >> (INSPECTOR, lambda now: inspection(now, machines=0))
    seen = story.last
    story.agreed(classification(story.pack)).notified().heard()
    story.agreed(ProposeCorrection(event=seen, field="record.machines_seen", value="400", reason="a slip"))
    return story.agreed(decision())


def given_in_part() -> Story:
    """What is new was held back."""
    story = (Story("campus-operator").heard() + 1 >> (INSPECTOR, inspection)).looked_up()
    story >> (PROPOSER, lambda now: GrantAccess(given_ns=now, documents=("F-1",), held_back=("the record: names",)))
    story + 1 >> (PROPOSER, answer)
    return story.agreed(decision())


def given_whole_after_all() -> Story:
    """An access in part is said to have been one to all."""
    story = (Story("campus-operator").heard() + 1 >> (INSPECTOR, inspection)).looked_up()
    story >> (PROPOSER, lambda now: GrantAccess(given_ns=now, documents=("F-1",), held_back=("the record: names",)))
    return story.agreed(ProposeCorrection(event=story.last, field="held_back", value="[]", reason="a slip"))


def on_machines_that_nobody_saw() -> Story:
    """A notice was approved on an inspection's machines; there were none."""
    story = Story("campus-operator").opened((finding(1),)).classified().agreed(letter())
    seen = next(event.number for event in story.events if event.act.NAME == "inspect")
    return story.agreed(ProposeCorrection(event=seen, field="record.machines_seen", value="0", reason="a slip"))


def served_on_a_stale_look() -> Story:
    """A letter lay for forty days between its approval and its delivery."""
    story = Story("campus-operator").classified().agreed(letter()) + 40
    number = story.case.proposals[-1].number
    return story >> (PROPOSER, lambda now: ServeNotice(proposal=number, received_ns=now, channel="post"))


def written_to_another() -> Story:
    """The notice went to one organisation, and the case is about another."""
    story = Story("campus-operator").classified().agreed(letter())
    number = story.case.proposals[-1].number
    story.agreed(ProposeCorrection(event=1, field="organisation_id", value="O-2", reason="a slip"))
    paper = document("other")
    story + 1 >> (PROPOSER, lambda now: ServeNotice(proposal=number, received_ns=now, channel="post", proof=paper))
    story + 1 >> (PROPOSER, answer)
    return story.agreed(decision())


def rejected_at_one_body() -> Story:
    """Declared final although the court's time runs."""
    story = Story("cn-national-1283").decided() + 1
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="review", grounds="not us"))
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no"))
    return story >> (decider(story.pack), DeclareFinal(reason="rejected"))


def a_rule_and_any_law() -> Story:
    """Decided on a rule with a second line."""
    story = Story("campus-operator").heard()
    return story.agreed(decision(legal_basis=(f"{story.pack.instruments[0].id}#1\nany law",)))


def a_way_that_reads_backwards() -> Story:
    """Served by a way that a reader takes for another."""
    story = Story("campus-operator").classified().agreed(letter()) + 1
    number = story.case.proposals[-1].number
    return story >> (PROPOSER, ServeNotice(proposal=number, received_ns=story.now_ns, channel="\u202etsop"))


def withdrawn_in_time() -> Story:
    """Declared final although the party may come again."""
    story = Story("campus-operator").decided() + 1
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.WITHDRAWN, reason="the wrong paper"))
    return story >> (decider(story.pack), DeclareFinal(reason="withdrawn"))


def found_late_by_a_wrong_date() -> Story:
    """Declared final although the appeal, which was found inadmissible, came in time."""
    story = Story("campus-operator").heard().agreed(decision()) + 3
    story >> (PROPOSER, ServeDecision(received_ns=story.now_ns - 5 * DAY // 2, channel="post"))
    served, at_ns = story.last, story.now_ns
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "appeal") + HOUR
    story >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    story >> (HEARER, AdmitAppeal(admitted=False, reason="late"))
    story.agreed(ProposeCorrection(event=served, field="received_ns", value=f'"{at_ns}"', reason="a slip")) + 30
    return story >> (decider(story.pack), DeclareFinal(reason="over"))


def measured_on_a_wrong_date() -> Story:
    """A measure is asked for although the appeal that was found inadmissible is known to have come in time."""
    name = requestable(packs()["campus-operator"])
    story = Story("campus-operator").heard().agreed(decision(measures=(name,), sheets=(SHEET,))) + 3
    story >> (PROPOSER, ServeDecision(received_ns=story.now_ns - 5 * DAY // 2, channel="post"))
    served, at_ns = story.last, story.now_ns
    over(story, "appeal") + 0.1 >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not us"))
    story >> (HEARER, AdmitAppeal(admitted=False, reason="late"))
    story.agreed(ProposeCorrection(event=served, field="received_ns", value=f'"{at_ns}"', reason="a slip"))
    return asked(story, name)


def decided_too_early() -> Story:
    """On silence, after a notice that came later than was thought."""
    story = Story("campus-operator").classified().agreed(letter()) + 3
    number = story.case.proposals[-1].number
    story >> (PROPOSER, ServeNotice(proposal=number, received_ns=story.now_ns - 5 * DAY // 2, channel="post"))
    served, at_ns = story.last, story.now_ns
    story.now_ns = next(clock.due_ns for clock in story.clocks if clock.id == "reply")
    story.agreed(decision(heard=""))
    return story.agreed(ProposeCorrection(event=served, field="received_ns", value=f'"{at_ns}"', reason="a slip"))


def asked(story: Story, name: str) -> Story:
    """A measure that was approved by its unit."""
    unit = next(one.decided_by for one in story.pack.measures if one.id == name)
    return story.agreed(ProposeMeasure(measure=name, reason="rule"), by=(decider(story.pack, unit=unit),))


def over(story: Story, clock: str) -> Story:
    """The moment at which a clock is over."""
    story.now_ns = next(one.due_ns for one in story.clocks if one.id == clock)
    return story


def on_silence(*measures: str) -> Story:
    """Decided on silence, and served."""
    story = over(Story("campus-operator").notified(), "reply").agreed(decision(heard="", measures=measures))
    return story + 1 >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))


def answer(at_ns: int) -> RecordReply:
    """An answer that came at a time."""
    return RecordReply(received_ns=at_ns, stance=ReplyStance.CONTESTS, document=None, text="not us")


def until_another_century() -> Story:
    """Time to answer is given until 2226, by a slip."""
    slip = 200 * 365 * DAY
    return Story("campus-operator").notified() >> (
        PROPOSER, lambda now: ExtendClock(clock="reply", until_ns=now + slip, reason="asked"),
    )  # fmt: skip


def still_for_a_century() -> Story:
    """The clock of the reply stands still until 2226, by a slip."""
    story = Story("campus-operator").notified() + 1
    story >> (PROPOSER, lambda now: PauseClock(clock="reply", from_ns=now, reason="the file is copied"))
    slip = 200 * 365 * DAY
    return story >> (PROPOSER, lambda now: ResumeClock(clock="reply", from_ns=now + slip, reason="copied"))


def split_for_nothing() -> Story:
    """The findings of a closed case carry another, and nobody says why."""
    story = Story("campus-operator")
    return story >> (SCREENER, opening(story.pack, split_from="HF-2025-000001", organisation_id="O-2"))


def wrong_year() -> Story:
    """An answer of ten years ago."""
    return Story("campus-operator").notified() >> (PROPOSER, lambda now: answer(now - 3_650 * DAY))


def from_a_drawer() -> Story:
    """The answer lay there while it was decided on silence, and the decision is declared final on it."""
    story = on_silence() >> (PROPOSER, lambda now: answer(now - 3 * DAY))
    return over(story, "appeal") >> (decider(story.pack), DeclareFinal(reason="no appeal"))


def late_after_all() -> Story:
    """The answer is said to have come after the decision, and so be none."""
    story = on_silence() >> (PROPOSER, lambda now: answer(now - 3 * DAY))
    late = f'"{story.now_ns}"'
    return story.agreed(ProposeCorrection(event=story.last, field="received_ns", value=late, reason="a slip"))


def in_given_time() -> Story:
    """Time to answer was given after the decision, which is declared final in it."""
    story = on_silence() >> (
        PROPOSER, lambda now: ExtendClock(clock="reply", until_ns=now + 90 * DAY, reason="promised"),
    )  # fmt: skip
    return over(story, "appeal") >> (decider(story.pack), DeclareFinal(reason="no appeal"))


def time_after_finality() -> Story:
    """A clerk gives time to appeal against a decision that is final."""
    story = over(on_silence(), "appeal") >> (decider(packs()["campus-operator"]), DeclareFinal(reason="no appeal"))
    return story >> (PROPOSER, lambda now: ExtendClock(clock="appeal", until_ns=now + 9 * DAY, reason="asked"))


def gone_and_sent() -> Story:
    """A decision that was set aside goes out."""
    story = Story("campus-operator").heard().agreed(decision())
    number = story.case.decisions[-1].number
    story.agreed(classification(story.pack, PartyStanding.VICTIM)) + 1
    return story >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post", decision=number))


def to_come() -> Story:
    """A receipt that is corrected to next week."""
    story = Story("campus-operator").decided()
    next_week = f'"{story.now_ns + 7 * DAY}"'
    return story.agreed(ProposeCorrection(event=story.last, field="received_ns", value=next_week, reason="a slip"))


def carried_out_all_the_same() -> Story:
    """A measure whose decision is gone is carried out."""
    name = requestable(packs()["campus-operator"])
    story = asked(on_silence(name), name).agreed(classification(packs()["campus-operator"], PartyStanding.VICTIM)) + 1
    entry = next(one for one in story.pack.measures if one.id == name)
    unit = entry.executed_by or entry.decided_by
    return story >> (PROPOSER, lambda now: RecordMeasure(measure=name, unit=unit, at_ns=now, document=document()))


def earlier_slip() -> Story:
    """An answer to the first of two notices, whose slip comes back after that of the second."""
    story = Story("campus-operator").classified().agreed(letter()) + 1
    first, first_ns = story.case.proposals[-1].number, story.now_ns
    (story + 1).agreed(letter()) + 1
    story >> (PROPOSER, lambda now: ServeNotice(proposal=story.last - 1, received_ns=now, channel="post"))
    story >> (PROPOSER, answer(first_ns + DAY // 2))
    story >> (PROPOSER, ServeNotice(proposal=first, received_ns=first_ns, channel="post"))
    return story.agreed(decision())


def from_before_it_was_there() -> Story:
    """An access that is dated back makes an answer of an old paper."""
    story = Story("campus-operator").heard()
    heard_ns = story.now_ns
    (story + 10 >> (INSPECTOR, inspection)).looked_up()
    story >> (PROPOSER, GrantAccess(given_ns=heard_ns, documents=("all",))) >> (PROPOSER, answer(heard_ns + DAY))
    return story.agreed(decision())


def another_has_answered() -> Story:
    """Who got the letter to the former party writes, and that is taken for the answer of the other."""
    story = Story("campus-operator").classified().agreed(letter())
    story.agreed(ProposeCorrection(event=1, field="organisation_id", value="O-2", reason="a slip"))
    story.notified() + 1 >> (PROPOSER, answer)
    return story.agreed(decision())


def told_by_the_older() -> Story:
    """Two notices are written, and what came between is never told: the newer one does not arrive."""
    story = Story("campus-operator").notified()
    (story + 1 >> (INSPECTOR, inspection)).looked_up().agreed(letter()) + 1 >> (PROPOSER, answer)
    return story.agreed(decision())


def recorded_last(case: Case) -> Any:
    """The notice that was recorded last, whenever it came."""
    return case.notices[-1]


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
    "answers in time are weighed": (
        lambda: [(rules.decide, "all_heard", nothing)],
        from_a_drawer,
        "final before an answer in time was weighed",
    ),
    "answers stay in time": (
        lambda: [(rules.correct, "unheard", nothing)],
        late_after_all,
        "a correction made an answer late that nobody has weighed",
    ),
    "time given is waited for": (
        lambda: [(rules.decide, "time_given_since", nothing)],
        in_given_time,
        "final while the party had time to answer again",
    ),
    "no time after finality": (
        lambda: [(rules.reply, "BEFORE_FINAL", frozenset())],
        time_after_finality,
        "gave time to answer or to appeal after the decision was final",
    ),
    "time has a measure": (
        off("_no_longer_than_one_gives", "reply"),
        until_another_century,
        "one account gave time without measure",
    ),
    "a pause has an end at hand": (
        lambda: [(rules.reply, "LONGEST_STANDSTILL_DAYS", 1_000_000)],
        still_for_a_century,
        "a clock stands still far ahead",
    ),
    "a case is split for a reason": (
        off("_split", "screen"),
        split_for_nothing,
        "split from another case without a reason",
    ),
    "no reply from another time": (
        off("_from_long_before", "reply"),
        wrong_year,
        "a reply from long before the case",
    ),
    "what is gone is not sent": (
        unbound("serve_decision", refusals=nothing),
        gone_and_sent,
        "a decision delivered that had been set aside",
    ),
    "no receipt to come": (
        lambda: [(rules.correct, "not_in_future", nothing)],
        to_come,
        "corrected to a time to come",
    ),
    "what is withdrawn is not carried out": (
        lambda: [(rules.measure, "_stopped", lambda *_: (0, []))],
        carried_out_all_the_same,
        "carried out a measure that was withdrawn",
    ),
    "an old paper answers nothing new": (
        lambda: [(rules.decide, "_given_ns", lambda _case, _last, _number, access: access.given_ns)],
        from_before_it_was_there,
        "decided on something new before the party answered it or had its time",
    ),
    "another party's answer": (
        lambda: [(rules.decide, "of_this_party", replies)],
        another_has_answered,
        "decided before the party answered or had its time",
    ),
    "told by a notice that came": (
        lambda: [(rules.decide, "told_by_notices", lambda case, _letter: case.version)],
        told_by_the_older,
        "decided on what the party was not shown",
    ),
    "the notice that came last": (
        lambda: [(rules.decide, "last_notice", recorded_last)],
        earlier_slip,
        "decided before the party answered or had its time",
    ),
    "what the party asked for stays asked": (
        lambda: [(rules.correct, "ASKED_OR_CLAIMED", frozenset()), (rules.correct, "_not_heard", nothing_unsaid)],
        asked_for_time,
        "corrected away what the party asked for or claimed",
    ),
    "nobody is heard by a slip": (
        off("_not_heard", "correct", replacement=nothing_unsaid),
        answered_before,
        "a correction took it from the party: the time to answer the notice",
    ),
    "a pause hides no time": (
        lambda: [(rules.correct, "_party_time", nothing_stands_still)],
        earlier_while_it_stands_still,
        "made a period shorter that stood still",
    ),
    "a corrected inspection is new evidence": (
        off("corrected_inspections", "decide"),
        seen_otherwise,
        "decided on what the party was not shown",
    ),
    "access to the whole file": (
        off("shows_all", "decide", replacement=lambda _access: True),
        given_in_part,
        "decided on what the party was not shown",
    ),
    "access in part stays so": (
        lambda: [(rules.correct, "shows_all", lambda _access: True), (rules.correct, "_not_heard", nothing_unsaid)],
        given_whole_after_all,
        "made an access whole that held something back",
    ),
    "a letter falls with what it rests on": (
        off("_waiting_letters", "correct"),
        on_machines_that_nobody_saw,
        "an approved notice waits to go out that rests on one source of evidence",
    ),
    "a notice is asked again when it is served": (
        off("still_carried", "notify"),
        served_on_a_stale_look,
        "a notice served on a stale look into the registers",
    ),
    "a notice is to this party": (
        off("other_party_since", "decide", replacement=lambda _case: 0),
        written_to_another,
        "decided against a party without a notice",
    ),
    "who withdraws may come again": (
        lambda: [(rules.decide, "ENDS_THE_RIGHT", frozenset(AppealOutcome))],
        withdrawn_in_time,
        "final before the appeal was over: ombuds",
    ),
    "late by a wrong date": (
        off("wrongly_inadmissible", "decide"),
        found_late_by_a_wrong_date,
        "final although an appeal that came in time was not heard",
    ),
    "late by a wrong date lets all rest": (
        lambda: [(getattr(rules, name), "no_appeal_thrown_out", nothing) for name in ("appeal", "measure")],
        measured_on_a_wrong_date,
        "a measure while an appeal that came in time was not heard",
    ),
    "a rule shows whole": (
        off("unshown", "decide", replacement=all_shown),
        a_rule_and_any_law,
        "a rule that no page shows whole",
    ),
    "texts show whole": (
        lambda: [(machine, "unfit_texts", nothing)],
        a_way_that_reads_backwards,
        "a text that no page shows whole",
    ),
    "what does not stand falls": (
        lambda: [(machine, "fallen", nothing), (rules.correct, "fallen", nothing)],
        decided_too_early,
        "a decision stands that came before the party answered or had its time",
    ),
}
"""Rules that walks hardly ever come to; the story that breaks each, and what the auditor must say then."""


@pytest.mark.parametrize("name", TOLD)
def test_the_auditor_sees_it_in_a_story_as_well(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused while the rule is there; with the rule off the story goes on, and the auditor says what is wrong."""
    make, tell, expected = TOLD[name]
    if name in ("what does not stand falls", "a letter falls with what it rests on"):
        story = tell()
        assert all(one.set_aside for one in story.case.decisions)
        served = {one.proposal for one in story.case.notices}
        letters = [one for one in story.case.proposals if isinstance(one.act, ProposeNotice)]
        assert all(one.number in served or one.state is ProposalState.WITHDRAWN for one in letters)
        assert audit(story.events, story.pack) == []
    else:
        with pytest.raises(AssertionError):
            tell()
    for place, attribute, replacement in make():
        monkeypatch.setattr(place, attribute, replacement)
    story = tell()
    assert any(expected in wrong for wrong in audit(story.events, story.pack))
