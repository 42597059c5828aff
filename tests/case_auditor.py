"""An auditor of cases: reads the events and the pack, and says which rights were not kept.

Written to be believed: plain loops over the events, and nothing of `headframe.cases`. It knows the rules from
docs/cases.md, and the length of a period from the pack's own clock rule.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from headframe.policy.clocks import due
from headframe.records.case import CaseEvent, EnterRegister, RemoveFromRegister
from headframe.records.policy import Pack

DAY = 86_400_000_000_000
LOOKUP_DAYS = 30
SOURCES = {"content": "packets", "endpoint": "packets", "traffic": "packets", "load": "meters", "balance": "meters",
           "timing": "block times"}  # fmt: skip
"""Families that read the same source; every other is a source of its own (docs/evidence.md)."""
AFTER_CLOSURE = {
    "propose_reopening", "propose_correction", "link", "appeal", "hold", "lift_hold", "report", "approve", "reject",
    "withdraw", "declare_final", "reply", "grant_access", "admit_appeal", "decide_appeal", "serve_setting_aside",
}  # fmt: skip


def audit(events: Sequence[CaseEvent], pack: Pack, commands: Sequence[Any] = ()) -> list[str]:
    """Everything that is wrong with a case's history."""
    return Auditor(events, pack, commands).wrong


def worth_a_look(finding: Any) -> bool:
    """A load that is on no list: it accuses nobody, may be asked about, and weighs what it weighs."""
    return str(finding.family) in ("load", "balance") and not finding.mining and finding.log10_e > 0


class Auditor:
    """Walks through the events once, and keeps what it needs in plain variables."""

    def __init__(self, events: Sequence[CaseEvent], pack: Pack, commands: Sequence[Any] = ()) -> None:
        self.pack = pack
        self.wrong: list[str] = []
        self.by_number: dict[int, CaseEvent] = {}
        self.findings: list[Any] = []
        self.inspections: list[CaseEvent] = []
        self.findings_at = 0
        self.lookup: CaseEvent | None = None
        self.class_at, self.standing = 0, "undetermined"
        self.yes: dict[int, list[CaseEvent]] = {}
        self.settled: dict[int, str] = {}
        self.letters: list[tuple[CaseEvent, Any]] = []
        self.replies: list[CaseEvent] = []
        self.accesses: list[CaseEvent] = []
        self.access_at = 0
        self.against_party: list[int] = []
        self.inspectors: set[str] = set()
        self.inspected = False
        self.deciders: set[str] = set()
        self.had_a_say: set[str] = set()
        self.proved_by: set[str] = set()
        self.verifiers: set[str] = set()
        self.verifications: list[CaseEvent] = []
        self.decision: dict[str, Any] | None = None
        self.decisions: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.remedies: list[CaseEvent] = []
        self.appeal: dict[str, Any] | None = None
        self.appeals: list[dict[str, Any]] = []
        self.pauses: list[list[Any]] = []
        self.extensions: list[tuple[str, int]] = []
        self.parts: set[str] = set()
        self.closed = False
        self.closed_as = ""
        self.region = self.site_kind = ""
        self.entered = {command.decision for command in commands if isinstance(command, EnterRegister)}
        self.listed: set[int] = set()
        for command in commands:
            if isinstance(command, EnterRegister):
                self.listed.add(command.decision)
            if isinstance(command, RemoveFromRegister):
                self.listed.discard(command.decision)
        last = 0
        for number, event in enumerate(events, 1):
            if event.number != number:
                self.say(event, "numbers have a gap")
            if event.at_ns < last:
                self.say(event, "time goes back")
            last = event.at_ns
            self.by_number[number] = event
            name = event.act.NAME
            if self.closed and name not in AFTER_CLOSURE:
                self.say(event, "was done to a closed case")
            if number == 1 and name != "open":
                self.say(event, "is not the opening")
            getattr(self, f"see_{name}", self.see_nothing)(event, event.act)
            if name not in ("appeal", "admit_appeal", "decide_appeal"):
                self.parts.add(event.account)
        self.final_checks()

    def say(self, event: CaseEvent, what: str) -> None:
        self.wrong.append(f"event {event.number} ({event.act.NAME} by {event.account}): {what}")

    def see_nothing(self, event: CaseEvent, act: Any) -> None:
        """Nothing to check by itself."""

    # -- what the case rests on ---------------------------------------------------------------------------------------

    def see_open(self, event: CaseEvent, act: Any) -> None:
        if not act.findings:
            self.say(event, "opened on nothing")
        self.findings += act.findings
        self.findings_at = event.number
        self.region, self.site_kind = act.region, act.site_kind

    @property
    def machines_seen(self) -> bool:
        """Whether an inspection saw machines, as is known now."""
        return any(event.act.record.machines_seen for event in self.inspections)

    def cites(self, event: CaseEvent, rules: Sequence[str]) -> None:
        """What is cited is in the pack."""
        for rule in rules:
            if rule.partition("#")[0] not in {one.id for one in self.pack.instruments}:
                self.say(event, f"rests on {rule}, a rule that the pack does not have")

    def see_add_findings(self, event: CaseEvent, act: Any) -> None:
        self.findings += act.findings
        self.findings_at = event.number
        self.against_party.append(event.number)

    def see_look_up_lawful(self, event: CaseEvent, act: Any) -> None:
        self.lookup = event

    def see_inspect(self, event: CaseEvent, act: Any) -> None:
        self.inspected = True
        self.inspectors.add(event.account)
        self.inspections.append(event)
        self.cites(event, [act.record.authority] if "#" in act.record.authority else [])
        self.against_party.append(event.number)
        if act.record.ended_ns > event.at_ns:
            self.say(event, "was recorded before it ended")

    # -- four eyes ----------------------------------------------------------------------------------------------------

    def see_propose_notice(self, event: CaseEvent, act: Any) -> None:
        self.proved_by.add(event.account)

    see_propose_closure = see_propose_notice

    def see_propose_decision(self, event: CaseEvent, act: Any) -> None:
        self.proved_by.add(event.account)
        self.had_a_say.add(event.account)

    def see_reject(self, event: CaseEvent, act: Any) -> None:
        proposal = self.by_number[act.proposal]
        if proposal.account == event.account:
            self.say(event, "rejected its own proposal")
        self.settled[act.proposal] = "rejected"

    def see_withdraw(self, event: CaseEvent, act: Any) -> None:
        if self.by_number[act.proposal].account != event.account:
            self.say(event, "withdrew what another proposed")
        self.settled[act.proposal] = "withdrawn"

    def see_approve(self, event: CaseEvent, act: Any) -> None:
        proposal = self.by_number[act.proposal]
        wanted = proposal.act
        said = self.yes.setdefault(act.proposal, [])
        if act.proposal in self.settled:
            self.say(event, "approved what was settled")
        if event.account == proposal.account:
            self.say(event, "approved its own proposal")
        if event.account in {before.account for before in said}:
            self.say(event, "approved twice")
        said.append(event)
        kind = wanted.NAME
        if kind in ("propose_notice", "propose_decision", "propose_closure"):
            self.proved_by.add(event.account)
        if kind == "propose_decision":
            self.had_a_say.add(event.account)
        if kind in ("propose_decision", "propose_measure"):
            self.deciders.add(event.account)
        deciding = {unit.id for unit in self.pack.units if {"decide", "lead"} & set(unit.roles)}
        if kind == "propose_decision" and event.unit not in deciding:
            self.say(event, "a decision was approved outside the units that decide")
        needed = 1
        if kind == "propose_measure":
            measure = next((entry for entry in self.pack.measures if entry.id == wanted.measure), None)
            if measure is None:
                self.say(event, "a measure that the pack does not have")
                return
            if measure.mode == "referral_only" or "second_approver" in measure.preconditions:
                needed = 2
            if measure.mode == "in_system_request" and event.unit != measure.decided_by:
                self.say(event, "a measure was approved outside the unit that decides on it")
        if len(said) >= needed:
            self.settled[act.proposal] = "approved"
            getattr(self, f"approved_{kind}")(event, wanted, proposal)
        elif kind == "propose_measure":
            self.measure_rights(event, wanted)

    def final_checks(self) -> None:
        if both := self.verifiers & self.proved_by:
            self.wrong.append(f"{sorted(both)} verified what they proposed or approved")
        if both := self.inspectors & self.deciders:
            self.wrong.append(f"{sorted(both)} inspected and decided")
        for number in self.listed:
            if self.decision is None or self.decision["number"] != number:
                self.wrong.append(f"decision {number} is still in the register, and does not hold any more")
            elif not self.decision.get("final"):
                self.wrong.append(f"decision {number} is still in the register, and is not final any more")
            elif self.site_kind == "household_premises":
                self.wrong.append("household premises are in the register")
            elif self.standing not in ("operator", "host"):
                self.wrong.append(f"decision {number} is still in the register against a party of {self.standing}")
        for number in self.entered:
            entry = next((row for row in self.decisions if row["number"] == number), None)
            if entry is None or entry["act"].outcome != "confirmed" or "final" not in entry:
                self.wrong.append(f"decision {number} is in the register without being final and confirmed")
            elif entry["final_standing"] not in ("operator", "host"):
                self.wrong.append(f"decision {number} is in the register against a party of {entry['final_standing']}")

    # -- classification and letters -----------------------------------------------------------------------------------

    def approved_propose_class(self, event: CaseEvent, act: Any, proposal: CaseEvent) -> None:
        if {axis for axis, _ in act.axes} != {axis.id for axis in self.pack.axes}:
            self.say(event, "not every axis has a value")
        for axis in self.pack.axes:
            for value in axis.values:
                if (axis.id, value.id) in act.axes and value.standing not in (None, act.standing):
                    self.say(event, "the standing does not agree with an axis")
        self.class_at, self.standing = event.number, str(act.standing)
        if self.standing not in ("operator", "host"):
            if self.decision is not None and self.decision["act"].outcome == "confirmed":
                self.drop_decision()

    def families(self) -> set[str]:
        return {finding.family for finding in self.findings if finding.mining and 0 < finding.log10_e < math.inf} | (
            {"inspection"} if self.machines_seen else set()
        )

    def sources(self) -> set[str]:
        """What does not rest on the same thing."""
        return {SOURCES.get(str(family), str(family)) for family in self.families()}

    def evidence(self, event: CaseEvent, what: str) -> None:
        if len(self.sources()) < 2:
            self.say(event, f"{what} on one source of evidence")
        least = Decimal(str(self.pack.notice_evidence.least_e))
        if not self.machines_seen and self.together() < least * Decimal("0.999999"):
            self.say(event, f"{what} on findings that say too little together")

    def together(self) -> Decimal:
        """The joint e-value, by the words of docs/evidence.md: means within, products over every choice of sources."""
        by_detector: dict[tuple[str, str], list[Decimal]] = {}
        for finding in self.findings:
            if math.isnan(finding.log10_e) or finding.log10_e == math.inf:
                continue
            weighs = finding.mining or worth_a_look(finding)
            value = Decimal(10) ** Decimal(str(finding.log10_e)) if weighs else Decimal(0)
            by_detector.setdefault((str(finding.family), finding.detector), []).append(value)
        by_family: dict[str, list[Decimal]] = {}
        for (family, _), values in by_detector.items():
            by_family.setdefault(family, []).append(sum(values) / len(values))
        by_source: dict[str, list[Decimal]] = {}
        for family, values in by_family.items():
            by_source.setdefault(SOURCES.get(family, family), []).append(sum(values) / len(values))
        sources = [sum(values) / len(values) for values in by_source.values()]
        products = [
            math.prod(chosen, start=Decimal(1))
            for size in range(1, len(sources) + 1)
            for chosen in itertools.combinations(sources, size)
        ]
        return sum(products) / len(products) if products else Decimal(1)

    def notice_rights(self, event: CaseEvent) -> None:
        if not self.class_at:
            self.say(event, "a notice without a classification")
        if self.standing in ("victim", "lawful", "not_mining"):
            self.say(event, f"a notice to a party of standing {self.standing}")
        if self.lookup is None:
            self.say(event, "a notice without a look into the registers")
            return
        if self.lookup.act.outcome == "listed" and self.class_at < self.lookup.number:
            self.say(event, "a notice to a site that is listed")

    def approved_propose_notice(self, event: CaseEvent, act: Any, proposal: CaseEvent) -> None:
        if act.kind == "help":
            if self.standing != "victim" or not self.class_at:
                self.say(event, "a help letter to no victim")
            return
        if self.lookup is None or self.lookup.number < self.findings_at:
            self.say(event, "a letter without a look into the registers after the last findings")
        elif event.at_ns - self.lookup.at_ns > LOOKUP_DAYS * DAY:
            self.say(event, "a letter on a stale look into the registers")
        if not self.families() and (act.kind == "notice" or not any(map(worth_a_look, self.findings))):
            self.say(event, "a letter without evidence of mining")
        if act.kind == "notice":
            self.notice_rights(event)
            self.evidence(event, "a notice")
            if any(appeal["outcome"] == "upheld" for appeal in self.appeals):
                self.say(event, "a notice to a party whose appeal was upheld")
            order = [str(step.step) for step in self.pack.procedure]
            if "inspect" in order and order.index("inspect") < order.index("notify") and not self.inspected:
                self.say(event, "a notice before the inspection")

    def see_serve_notice(self, event: CaseEvent, act: Any) -> None:
        if self.settled.get(act.proposal) != "approved":
            self.say(event, "a letter that was not approved")
            return
        wanted = self.by_number[act.proposal].act
        if act.received_ns > event.at_ns or act.received_ns < self.yes[act.proposal][-1].at_ns:
            self.say(event, "a letter received at an impossible time")
        if wanted.kind == "notice":
            self.notice_rights(event)
        if wanted.kind == "help" and self.standing != "victim":
            self.say(event, "a help letter to no victim")
        self.letters.append((event, wanted))

    def see_reply(self, event: CaseEvent, act: Any) -> None:
        self.replies.append(event)
        if act.received_ns > event.at_ns:
            self.say(event, "a reply from the future")

    def see_grant_access(self, event: CaseEvent, act: Any) -> None:
        self.access_at = event.number
        self.accesses.append(event)

    # -- clocks -------------------------------------------------------------------------------------------------------

    def see_pause_clock(self, event: CaseEvent, act: Any) -> None:
        before = self.ends(act.clock)
        self.pauses.append([act.clock, act.from_ns, None])
        self.not_shorter(event, act.clock, before)

    def see_resume_clock(self, event: CaseEvent, act: Any) -> None:
        if act.clock in ("reply", "appeal", "appeal-2") and act.from_ns < event.at_ns:
            self.say(event, "time was taken away from a party")
        for pause in reversed(self.pauses):
            if pause[0] == act.clock and pause[2] is None:
                pause[2] = act.from_ns
                return
        self.say(event, "resumed what was not paused")

    def see_extend_clock(self, event: CaseEvent, act: Any) -> None:
        before = self.ends(act.clock)
        self.extensions.append((act.clock, act.until_ns))
        self.not_shorter(event, act.clock, before)

    def not_shorter(self, event: CaseEvent, clock: str, before: int | None) -> None:
        after = self.ends(clock)
        if before is not None and after is not None and after < before:
            self.say(event, "made a period shorter")

    def ends(self, name: str, began: int | None = None) -> int | None:
        """First instant after the period; None if it has none, or stands still."""
        if name == "reply":
            received = [event.act.received_ns for event, wanted in self.letters if wanted.kind == "notice"]
            start = max(received, default=None) if began is None else began
            deadlines = [step.deadline for step in self.pack.procedure if step.step == "reply"]
        elif name.startswith("appeal"):
            start = None if self.decision is None else self.decision.get("received")
            deadlines = [right.deadline for right in self.pack.rights if right.right == "appeal"]
            deadlines = deadlines[int(name.partition("-")[2] or 1) - 1 :]
        else:
            return None
        if start is None or not deadlines or deadlines[0] is None:
            return None
        pauses = [(since, until) for clock, since, until in self.pauses if clock == name]
        granted = [until for clock, until in self.extensions if clock == name]
        return due(deadlines[0], start, self.pack, pauses, granted).due_ns

    # -- decisions ----------------------------------------------------------------------------------------------------

    def drop_decision(self) -> None:
        if self.decision is not None:
            self.decision["gone"] = True
        self.decision = None
        for measure in self.asked:
            measure["withdrawn"] = True

    def approved_propose_decision(self, event: CaseEvent, act: Any, proposal: CaseEvent) -> None:
        if self.appeal is not None:
            self.say(event, "decided while an appeal is pending")
        if not self.class_at:
            self.say(event, "decided without a classification")
        if self.replies and not act.heard_reply.strip():
            self.say(event, "decided without weighing the reply")
        if self.replies and self.replies[-1].number > proposal.number:
            self.say(event, "decided on a proposal that is older than the reply")
        for stance, done in (
            ("claims_lawful", self.lookup.number if self.lookup else 0),
            ("claims_victim", self.class_at),
            ("asks_file", self.access_at),
        ):
            if any(reply.act.stance == stance and reply.number > done for reply in self.replies):
                self.say(event, f"decided although the reply {stance}")
        agreed = {"confirmed": ("operator", "host"), "victim": ("victim",), "lawful": ("lawful",),
                  "undetermined": ("undetermined",)}  # fmt: skip
        if self.standing not in agreed.get(act.outcome, (self.standing,)):
            self.say(event, f"decided {act.outcome} on a party of standing {self.standing}")
        self.cites(event, act.legal_basis)
        if act.outcome == "confirmed":
            self.against(event, act)
        elif act.measures:
            self.say(event, "measures without a confirmed decision")
        self.drop_decision()
        self.decision = {"number": proposal.number, "act": act, "at": event.at_ns, "letters": list(self.letters),
                         "answers": len(self.replies)}  # fmt: skip
        self.decisions.append(self.decision)

    def against(self, event: CaseEvent, act: Any) -> None:
        notices = [(served, wanted) for served, wanted in self.letters if wanted.kind == "notice"]
        if not notices:
            self.say(event, "decided against a party without a notice")
            return
        self.evidence(event, "decided against a party")
        served, _ = notices[-1]
        if not self.heard(event.at_ns):
            self.say(event, "decided before the party answered or had its time")
        self.shown_what_is_new(event, served.act.proposal)
        order = [str(step.step) for step in self.pack.procedure]
        if "inspect" in order and order.index("inspect") < order.index("decide") and not self.inspected:
            self.say(event, "decided before the inspection")
        if any(appeal["outcome"] == "upheld" for appeal in self.appeals):
            self.say(event, "decided against a party whose appeal was upheld")
        if self.lookup is None or self.lookup.number < self.findings_at:
            self.say(event, "decided without a look into the registers after the last findings")
        elif event.at_ns - self.lookup.at_ns > LOOKUP_DAYS * DAY:
            self.say(event, "decided on a stale look into the registers")
        if self.lookup is None or (self.lookup.act.outcome == "listed" and self.class_at < self.lookup.number):
            self.say(event, "decided against a site that is listed")
        for name in act.measures:
            if not any(entry.id == name and entry.mode != "not_supported" for entry in self.pack.measures):
                self.say(event, f"decided on {name}, which is not supported")

    def heard(self, at_ns: int, until: int | None = None) -> bool:
        """Whether the party had answered the last notice by then, or had its time."""
        notices = [served for served, wanted in self.letters if wanted.kind == "notice"]
        answered = any(
            reply.act.received_ns >= notices[-1].act.received_ns and reply.act.stance not in ("asks_time", "asks_file")
            for reply in self.replies[:until]
        )
        end = self.ends("reply")
        return answered or (end is not None and at_ns >= end)

    def shown_what_is_new(self, event: CaseEvent, letter: int) -> None:
        """What came after the notice: the party was given it, and has answered since, or had a reply's time again."""
        newer = [number for number in self.against_party if number > letter]
        if not newer:
            return
        shown = [access for access in self.accesses if access.number > newer[-1]]
        if not shown:
            self.say(event, "decided on what the party was not shown")
            return
        access = shown[0]
        for reply in self.replies:
            asks = reply.act.stance in ("asks_time", "asks_file")
            if reply.number > access.number and reply.act.received_ns >= access.act.given_ns and not asks:
                return
        began = max(access.act.given_ns, self.by_number[newer[-1]].at_ns, access.at_ns - 3 * DAY)
        end = self.ends("reply", began)
        if end is None or event.at_ns < end:
            self.say(event, "decided on something new before the party answered it or had its time")

    def see_serve_decision(self, event: CaseEvent, act: Any) -> None:
        if self.decision is None:
            self.say(event, "served no decision")
            return
        if not self.decision["at"] <= act.received_ns <= event.at_ns:
            self.say(event, "a decision received at an impossible time")
        self.decision["received"] = act.received_ns
        self.decision["served"] = event.number

    def see_serve_setting_aside(self, event: CaseEvent, act: Any) -> None:
        row = next((row for row in self.decisions if row["number"] == act.decision), {})
        if not row.get("gone") or "received" not in row or not row["received"] <= act.received_ns <= event.at_ns:
            self.say(event, "told the party that something is gone which is not, or which it never had")
        row["told"] = True

    def see_declare_final(self, event: CaseEvent, act: Any) -> None:
        if self.decision is None or "received" not in self.decision:
            self.say(event, "final without being served")
            return
        if self.appeal is not None:
            self.say(event, "final while an appeal is pending")
        number = self.decision["number"]
        for place, right in enumerate([right for right in self.pack.rights if right.right == "appeal"], 1):
            used = any(
                appeal["decision"] == number and appeal["body"] == right.id
                and appeal["outcome"] in ("rejected", "withdrawn", "inadmissible")
                for appeal in self.appeals
            )  # fmt: skip
            end = self.ends("appeal" if place == 1 else f"appeal-{place}")
            if not used and (end is None or event.at_ns < end):
                self.say(event, f"final before the appeal was over: {right.id}")
        self.decision["final"] = True
        self.decision["final_at"] = event.at_ns
        self.decision["used"] = {appeal["body"] for appeal in self.appeals if appeal["decision"] == number}
        self.decision["final_standing"] = self.standing

    # -- measures -----------------------------------------------------------------------------------------------------

    def measure_rights(self, event: CaseEvent, act: Any) -> None:
        measure = next(entry for entry in self.pack.measures if entry.id == act.measure)
        if measure.mode == "not_supported":
            self.say(event, "a measure that is not supported")
        if self.standing not in ("operator", "host"):
            self.say(event, f"a measure against a party of standing {self.standing}")
        if self.appeal is not None:
            self.say(event, "a measure while an appeal is pending")
        decision = self.decision
        if decision is None or decision["act"].outcome != "confirmed" or "received" not in decision:
            self.say(event, "a measure without a served decision")
            return
        if act.measure not in decision["act"].measures:
            self.say(event, "a measure that the decision does not name")
        end = self.ends("reply")
        lacking = {
            "notice_served": all(wanted.kind != "notice" for _, wanted in self.letters),
            "reply_period_over": end is None or event.at_ns < end,
            "inspection_record": not self.inspected,
            "calculation_attached": not (act.sheets or decision["act"].sheets),
            "final_decision": not decision.get("final"),
            "court_warrant": act.court_warrant is None,
        }
        for name in measure.preconditions:
            if lacking.get(str(name)):
                self.say(event, f"a measure without {name}")

    def approved_propose_measure(self, event: CaseEvent, act: Any, proposal: CaseEvent) -> None:
        self.measure_rights(event, act)
        self.asked.append({"measure": act.measure, "withdrawn": False, "done": False, "ended": False,
                           "proposal": proposal.number})  # fmt: skip

    def see_record_measure(self, event: CaseEvent, act: Any) -> None:
        live = [row for row in self.asked if row["measure"] == act.measure and not row["ended"]]
        if not live:
            self.say(event, "a measure that was not asked for")
            return
        if act.ended:
            live[-1]["ended"] = True
            return
        live[-1]["done"] = True
        if live[-1]["withdrawn"]:
            self.say(event, "carried out a measure that was withdrawn")
        if self.appeal is not None:
            self.say(event, "carried out a measure while an appeal is pending")
        if self.standing not in ("operator", "host"):
            self.say(event, f"carried out a measure against a party of standing {self.standing}")

    # -- the end ------------------------------------------------------------------------------------------------------

    def see_remedy(self, event: CaseEvent, act: Any) -> None:
        self.remedies.append(event)

    def see_verify(self, event: CaseEvent, act: Any) -> None:
        self.verifiers.add(event.account)
        self.verifications.append(event)
        measured = act.measurement
        if measured.outcome == "persists" or any(finding.mining for finding in measured.new_findings):
            self.against_party.append(event.number)
        if measured.after_until_ns > event.at_ns:
            self.say(event, "measured the future")
        if self.remedies and measured.after_from_ns < max(remedy.act.at_ns for remedy in self.remedies):
            self.say(event, "measured from before the remedy")
        if measured.outcome == "rectified":
            length = measured.after_until_ns - measured.after_from_ns
            if length < self.pack.verification.window_days * DAY - DAY // 24:
                self.say(event, "rectified on a window that is too short")
            if not measured.coverage >= self.pack.verification.min_coverage:
                self.say(event, "rectified on too little data")

    def over(self) -> bool:
        """Whether the last measurement says so, and nothing newer stands against it."""
        if not self.verifications:
            return False
        last = self.verifications[-1]
        measured = last.act.measurement
        return (
            measured.outcome == "rectified"
            and all(remedy.number < last.number for remedy in self.remedies)
            and all(found.ended_ns <= measured.after_from_ns for found in self.findings if found.mining)
        )

    def approved_propose_closure(self, event: CaseEvent, act: Any, proposal: CaseEvent) -> None:
        if self.appeal is not None:
            self.say(event, "closed while an appeal is pending")
        waiting = [
            number for number, past in self.by_number.items()
            if past.act.NAME.startswith("propose_") and number not in self.settled
        ]  # fmt: skip
        if waiting:
            self.say(event, f"closed while proposals {waiting} are open")
        outcome = None if self.decision is None else str(self.decision["act"].outcome)
        told = self.decision is not None and "received" in self.decision
        proved = [remedy for remedy in self.remedies if remedy.act.grade in ("A", "B")]
        had_one = [row for row in self.decisions if "received" in row]
        if self.decision is not None and (self.letters or had_one) and not told:
            self.say(event, "closed before the party was told")
        if self.decision is None and had_one and not had_one[-1].get("told"):
            self.say(event, "closed before the party was told that what it was served is gone")
        self.closed_as = str(act.reason)
        reason = str(act.reason)
        if reason == "rectified" and not (outcome == "confirmed" and told and proved and self.over()):
            self.say(event, "closed as rectified without decision, proof or measurement")
        if reason in ("dismissed", "lawful", "undetermined") and outcome != reason:
            self.say(event, f"closed as {reason} without such a decision")
        if reason == "victim_helped":
            helped = [served.number for served, wanted in self.letters if wanted.kind == "help"]
            handed = bool(helped) and bool(proved) and self.remedies[-1].number > helped[0]
            if self.standing != "victim" or not helped or not (handed or self.over()):
                self.say(event, "closed as helped without help")
        if reason == "decision_set_aside":
            if outcome == "confirmed" or all(appeal["outcome"] != "upheld" for appeal in self.appeals):
                self.say(event, "closed as set aside although nothing was")
        self.closed = True

    def approved_propose_reopening(self, event: CaseEvent, act: Any, proposal: CaseEvent) -> None:
        self.closed = False

    def approved_propose_correction(self, event: CaseEvent, act: Any, proposal: CaseEvent) -> None:
        if act.field in ("account", "at_ns", "number", "unit", "case_id") or act.event not in self.by_number:
            if act.field != "at_ns" or self.by_number[act.event].act.NAME not in ("remedy", "record_measure"):
                self.say(event, "a correction of who or when")
                return
        if act.event not in self.by_number:
            return
        names = ("reply", *self.bodies().values())
        before = {name: self.ends(name) for name in names}
        doubted = self.in_doubt()
        self.mend(act)
        for name in names:
            self.not_shorter(event, name, before[name])
        for number in act.falls:
            if self.decision is not None and number == self.decision["number"]:
                self.drop_decision()
            elif any(row["proposal"] == number for row in self.asked):
                next(row for row in self.asked if row["proposal"] == number)["withdrawn"] = True
            elif self.decision is not None:
                self.decision["final"] = False
        for what in self.in_doubt() - doubted:
            self.say(event, what)

    def mend(self, act: Any) -> None:
        """Take what is right for what was recorded, wherever it was kept."""
        old = self.by_number[act.event]
        new = dataclasses.replace(old, act=mended(old.act, act.field.split("."), act.value))
        self.by_number[act.event] = new
        for kept in (self.replies, self.accesses, self.remedies, self.verifications, self.inspections):
            kept[:] = [new if one.number == new.number else one for one in kept]
        self.letters = [(new if one.number == new.number else one, wanted) for one, wanted in self.letters]
        for row in self.decisions:
            if row.get("served") == new.number:
                row["received"] = new.act.received_ns
            if row["number"] == new.number:
                row["act"] = new.act
        if new.number == 1:
            self.region, self.site_kind = new.act.region, new.act.site_kind

    def in_doubt(self) -> set[str]:
        """What was done and is not right, as things are known now."""
        found = set()
        row = self.decision
        if row is not None and row["act"].outcome == "confirmed" and len(self.letters) == len(row["letters"]):
            if not self.heard(row["at"], row["answers"]):
                found.add("a decision stands that came before the party answered or had its time")
        if row is not None and row.get("final"):
            for name, clock in self.bodies().items():
                end = self.ends(clock)
                if name not in row["used"] and (end is None or row["final_at"] < end):
                    found.add("a decision stays final that was declared so too early")
        if self.closed and self.closed_as == "rectified":
            if not any(remedy.act.grade in ("A", "B") for remedy in self.remedies):
                found.add("a case stays closed as rectified without a proof")
        return found

    def bodies(self) -> dict[str, str]:
        """Bodies that hear appeals, with the names of their clocks."""
        rights = [right.id for right in self.pack.rights if right.right == "appeal"]
        return {name: "appeal" if place == 1 else f"appeal-{place}" for place, name in enumerate(rights, 1)}

    def see_appeal(self, event: CaseEvent, act: Any) -> None:
        if self.decision is None or "received" not in self.decision:
            self.say(event, "an appeal against nothing")
            return
        if self.appeal is not None:
            self.say(event, "two appeals at once")
        bodies = self.bodies()
        if (act.body in bodies) is act.other_body:
            self.say(event, f"an appeal to {act.body}, which the pack does not name, or is said not to")
        ends = [self.ends(clock) for name, clock in bodies.items() if act.other_body or name == act.body]
        known = [end for end in ends if end is not None]
        late = bool(known) and len(known) == len(ends)
        late = late and act.received_ns >= max(known)
        if late != act.late:
            self.say(event, f"a late appeal that is not marked so, or the other way round: {late}")
        self.appeal = {"decision": self.decision["number"], "outcome": None, "waits": late,
                       "body": "" if act.other_body else act.body}  # fmt: skip
        self.appeals.append(self.appeal)
        if not late:
            self.closed = False

    def see_admit_appeal(self, event: CaseEvent, act: Any) -> None:
        if self.appeal is None or not self.appeal["waits"]:
            self.say(event, "no late appeal waits")
            return
        if event.account in self.had_a_say:
            self.say(event, "judged whether an appeal against its own decision is heard")
        self.appeal["waits"] = False
        if act.admitted:
            self.closed = False
        else:
            self.appeal["outcome"] = "inadmissible"
            self.appeal = None

    def see_decide_appeal(self, event: CaseEvent, act: Any) -> None:
        if event.account in self.parts:
            self.say(event, "heard an appeal in a case that it had a part in")
        if self.appeal is None:
            self.say(event, "decided no appeal")
            return
        if self.appeal["waits"] and act.outcome != "withdrawn":
            self.say(event, "heard a late appeal that nobody has admitted")
        self.appeal["outcome"] = str(act.outcome)
        self.appeal = None
        if act.outcome in ("upheld", "remitted"):
            self.drop_decision()
            if act.standing is not None or act.outcome == "upheld":
                self.standing = str(act.standing or "undetermined")
        elif act.standing is not None:
            self.say(event, "found a standing and changed nothing")


def mended(value: Any, path: list[str], right: str) -> Any:
    """A record with one field set right; texts and words of a list as they stand, numbers and records from JSON."""
    name, *inner = path
    if isinstance(value, tuple):
        at = int(name)
        return (*value[:at], mended(value[at], inner, right) if inner else right, *value[at + 1 :])
    old = getattr(value, name)
    if inner:
        return dataclasses.replace(value, **{name: mended(old, inner, right)})
    if isinstance(old, str):
        return dataclasses.replace(value, **{name: type(old)(right)})
    read = json.loads(right)
    if name.endswith("_ns"):
        read = int(read)
    return dataclasses.replace(value, **{name: tuple(read) if isinstance(read, list) else read})
