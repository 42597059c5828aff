"""An auditor of cases: reads the events and the pack, and says which rights were not kept.

Written to be believed: plain loops over the events, and nothing of `headframe.cases`. It knows the rules from
docs/cases.md, and the length of a period from the pack's own clock rule.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from headframe.policy.clocks import due
from headframe.records.case import CaseEvent, EnterRegister, NoteAppealInRegister, RemoveFromRegister
from headframe.records.policy import Pack

DAY = 86_400_000_000_000
LOOKUP_DAYS = 30
SOURCES = {"content": "packets", "endpoint": "packets", "traffic": "packets", "load": "meters", "balance": "meters",
           "timing": "block times"}  # fmt: skip
"""Families that read the same source; every other is a source of its own (docs/evidence.md)."""
AFTER_CLOSURE = {
    "propose_reopening", "propose_correction", "link", "appeal", "hold", "lift_hold", "report", "approve", "reject",
    "withdraw", "declare_final", "reply", "grant_access", "admit_appeal", "decide_appeal", "serve_setting_aside",
    "serve_notice", "serve_decision",
}  # fmt: skip


def audit(events: Sequence[CaseEvent], pack: Pack, commands: Sequence[Any] = ()) -> list[str]:
    """Everything that is wrong with a case's history."""
    return Auditor(events, pack, commands).wrong


def hidden(letter: str) -> bool:
    """Whether a page shows nothing of a character, or a line end."""
    return unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp")


def worth_a_look(finding: Any) -> bool:
    """A load that is on no list: it accuses nobody, may be asked about, and weighs what it weighs."""
    return str(finding.family) in ("load", "balance") and not finding.mining and finding.log10_e > 0


class Auditor:
    """Walks through the events once, and keeps what it needs in plain variables."""

    def __init__(self, events: Sequence[CaseEvent], pack: Pack, commands: Sequence[Any] = ()) -> None:
        self.pack = pack
        self.commands = commands
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
        self.waiting: dict[int, tuple[int, int]] = {}
        self.fell: set[int] = set()
        self.other_party_at = 0
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
        self.appeals: list[dict[str, Any]] = []
        self.pauses: list[list[Any]] = []
        self.extensions: list[tuple[str, int]] = []
        self.given: list[tuple[int, str]] = []
        self.now_ns = 0
        self.parts: set[str] = set()
        self.closed = False
        self.closed_as = ""
        self.region = self.site_kind = ""
        self.owed: set[int] = set()
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
            last = self.now_ns = event.at_ns
            self.by_number[number] = event
            name = event.act.NAME
            if self.closed and name not in AFTER_CLOSURE:
                self.say(event, "was done to a closed case")
            if number == 1 and name != "open":
                self.say(event, "is not the opening")
            for text in (getattr(event.act, "channel", ""), getattr(event.act, "body", "")):
                if any(hidden(letter) for letter in text):
                    self.say(event, "a text that no page shows whole")
            getattr(self, f"see_{name}", self.see_nothing)(event, event.act)
            for row in self.unheard_appeals():
                row.setdefault("in_time_at", event.at_ns)
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
        if act.split_from and (act.recurrence_of or not act.reason.strip()):
            self.say(event, "split from another case without a reason, or a recurrence as well")
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
            if any(hidden(letter) for letter in rule):
                self.say(event, f"rests on {rule!a}, a rule that no page shows whole")
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
        # What is said last of an entry holds: one that comes back is a new one.
        said = [one for one in self.commands if isinstance(one, NoteAppealInRegister | EnterRegister)]
        noted = {number for number, unweighed in {one.decision: one.unweighed for one in said}.items() if unweighed}
        for number in (self.owed - noted) & self.entered:
            self.wrong.append(f"the register does not say of decision {number} that an answer in time was not weighed")
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

    def rests_on_two(self, findings: int, inspections: int) -> bool:
        """Whether the first so many findings and inspections are two sources, as is known now."""
        families = {one.family for one in self.findings[:findings] if one.mining and 0 < one.log10_e < math.inf}
        seen = any(one.act.record.machines_seen for one in self.inspections[:inspections])
        return len({SOURCES.get(str(family), str(family)) for family in families}) + seen >= 2

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
            self.waiting[proposal.number] = len(self.findings), len(self.inspections)
            if any(appeal["outcome"] == "upheld" for appeal in self.appeals):
                self.say(event, "a notice to a party whose appeal was upheld")
            order = [str(step.step) for step in self.pack.procedure]
            if "inspect" in order and order.index("inspect") < order.index("notify") and not self.inspected:
                self.say(event, "a notice before the inspection")

    def stood_until(self, approval: int) -> int:
        """Until when nothing had happened since a letter's approval by which it may not stand any more."""
        found = [] if self.lookup is None else [self.lookup.at_ns + LOOKUP_DAYS * DAY + 1]
        for number, past in self.by_number.items():
            wanted = self.by_number[past.act.proposal].act.NAME if past.act.NAME == "approve" else ""
            if number > approval and (
                past.act.NAME in ("look_up_lawful", "add_findings", "decide_appeal")
                or wanted in ("propose_class", "propose_correction", "propose_closure")
            ):
                found.append(past.at_ns)
        return min(found, default=2**63)

    def see_serve_notice(self, event: CaseEvent, act: Any) -> None:
        if self.settled.get(act.proposal) != "approved" and act.proposal not in self.fell:
            self.say(event, "a letter that was not approved")
            return
        # What happened is recorded: it came while the letter stood, or its delivery is proved.
        goes_out = act.proof is None and act.received_ns >= self.stood_until(self.yes[act.proposal][-1].number)
        wanted = self.by_number[act.proposal].act
        if act.received_ns > event.at_ns or act.received_ns < self.yes[act.proposal][-1].at_ns:
            self.say(event, "a letter received at an impossible time")
        self.waiting.pop(act.proposal, None)
        if goes_out and act.proposal in self.fell:
            self.say(event, "a letter that fell with a correction")
        if goes_out and wanted.kind == "notice":
            self.notice_rights(event)
            self.evidence(event, "a notice served")
            if self.lookup is not None and self.lookup.number < self.findings_at:
                self.say(event, "a notice served without a look into the registers after the last findings")
            elif self.lookup is not None and event.at_ns - self.lookup.at_ns > LOOKUP_DAYS * DAY:
                self.say(event, "a notice served on a stale look into the registers")
            if any(appeal["outcome"] == "upheld" for appeal in self.appeals):
                self.say(event, "a notice served on a party whose appeal was upheld")
        if goes_out and wanted.kind == "help" and self.standing != "victim":
            self.say(event, "a help letter to no victim")
        self.letters.append((event, wanted))

    def see_reply(self, event: CaseEvent, act: Any) -> None:
        self.replies.append(event)
        if act.received_ns > event.at_ns:
            self.say(event, "a reply from the future")
        if act.received_ns < self.by_number[1].at_ns - 731 * 86_400_000_000_000:
            self.say(event, "a reply from long before the case")
        if self.decision is not None and self.decision.get("final") and event.number in self.unheard():
            self.owed.add(self.decision["number"])

    def see_grant_access(self, event: CaseEvent, act: Any) -> None:
        if not all(name.strip() for name in act.documents):
            self.say(event, "access to a document without a name")
        self.access_at = event.number
        self.accesses.append(event)

    # -- clocks -------------------------------------------------------------------------------------------------------

    def see_pause_clock(self, event: CaseEvent, act: Any) -> None:
        before = self.ends(act.clock)
        if act.clock.partition("-")[0] not in ("reply", "hearing", "remediate", "appeal"):
            if event.at_ns - act.from_ns > 3 * DAY:
                self.say(event, "a unit gave itself time by a pause of long ago")
        self.pauses.append([act.clock, act.from_ns, None])
        self.not_shorter(event, act.clock, before)

    def see_resume_clock(self, event: CaseEvent, act: Any) -> None:
        if act.clock in ("reply", "appeal", "appeal-2") and act.from_ns < event.at_ns:
            self.say(event, "time was taken away from a party")
        if act.from_ns > event.at_ns + 32 * 86_400_000_000_000:
            self.say(event, "a clock stands still far ahead")
        for pause in reversed(self.pauses):
            if pause[0] == act.clock and pause[2] is None:
                pause[2] = act.from_ns
                return
        self.say(event, "resumed what was not paused")

    def see_extend_clock(self, event: CaseEvent, act: Any) -> None:
        before = self.ends(act.clock)
        given, self.extensions = self.extensions, []
        plain = self.ends(act.clock)
        self.extensions = given
        if plain is not None and act.until_ns > max(plain, event.at_ns) + 184 * 86_400_000_000_000:
            self.say(event, "one account gave time without measure")
        self.extensions.append((act.clock, act.until_ns))
        self.given.append((event.number, act.clock))
        anew = act.clock == "reply" and self.decision is not None and any(
            wanted.kind == "notice" and one.act.received_ns > self.decision.get("final_at", 0)
            for one, wanted in self.letters
        )  # fmt: skip
        its_time = act.clock in ("reply", *self.bodies().values()) and not anew
        if self.decision is not None and self.decision.get("final") and its_time:
            self.say(event, "gave time to answer or to appeal after the decision was final")
        self.not_shorter(event, act.clock, before)

    def not_shorter(self, event: CaseEvent, clock: str, before: int | None) -> None:
        after = self.ends(clock)
        if before is not None and after is not None and after < before:
            self.say(event, "made a period shorter")

    def ends(self, name: str, began: int | None = None, runs_on: int | None = None) -> int | None:
        """First instant after the period; None if it has none, or stands still and is not said to run on."""
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
        pauses = [
            (since, runs_on if until is None and runs_on is not None else until)
            for clock, since, until in self.pauses
            if clock == name
        ]
        granted = [until for clock, until in self.extensions if clock == name]
        return due(deadlines[0], start, self.pack, pauses, granted).due_ns

    # -- decisions ----------------------------------------------------------------------------------------------------

    def drop_decision(self) -> None:
        if self.decision is not None:
            self.decision["gone"] = True
            self.decision["gone_at"] = self.now_ns
        self.decision = None
        for measure in self.asked:
            self.withdraw_measure(measure)

    def withdraw_measure(self, measure: dict[str, Any]) -> None:
        """It is asked for no more, from the first time on that it was taken away."""
        measure["withdrawn"] = True
        measure.setdefault("withdrawn_at", self.now_ns)

    def approved_propose_decision(self, event: CaseEvent, act: Any, proposal: CaseEvent) -> None:
        self.must_rest(event, "decided")
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
        self.decision = {"number": proposal.number, "act": act, "at": event.at_ns, "yes": event.number,
                         "letters": list(self.letters),
                         "answers": len(self.replies)}  # fmt: skip
        self.decisions.append(self.decision)

    def against(self, event: CaseEvent, act: Any) -> None:
        served = self.last_notice()
        if served is None:
            self.say(event, "decided against a party without a notice")
            return
        self.evidence(event, "decided against a party")
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

    def notices_to_this_party(self) -> list[CaseEvent]:
        """Proposals of the notices that were served on it."""
        return [
            self.by_number[served.act.proposal] for served, wanted in self.letters
            if wanted.kind == "notice" and served.act.proposal > self.other_party_at
        ]  # fmt: skip

    def its_own(self, reply: CaseEvent) -> bool:
        """Whether this party sent it: it names a letter to it, or no letter was approved to another."""
        to_another = any(
            self.by_number[number].act.NAME == "propose_notice" and number < self.other_party_at for number in self.yes
        )
        return not to_another or reply.act.answers > self.other_party_at

    def last_notice(self) -> CaseEvent | None:
        """The notice that reached this party last."""
        notices = [
            served for served, wanted in self.letters
            if wanted.kind == "notice" and served.act.proposal > self.other_party_at
        ]  # fmt: skip
        return max(notices, key=lambda one: (one.act.received_ns, one.number), default=None)

    def heard(self, at_ns: int, until: int | None = None) -> bool:
        """Whether the party had answered the last notice by then, or had its time."""
        served = self.last_notice()
        if served is None:
            return False
        letter = served.act
        answered = any(
            (reply.act.received_ns >= letter.received_ns or reply.act.answers == letter.proposal)
            and reply.act.stance not in ("asks_time", "asks_file")
            and self.its_own(reply)
            for reply in self.replies[:until]
        )
        end = self.ends("reply")
        return answered or (end is not None and at_ns >= end)

    def shown_what_is_new(self, event: CaseEvent, letter: int) -> None:
        """What came after the notice: the party was given it, and has answered since, or had a reply's time again."""
        if wrong := self.new_and_unanswered(event.at_ns, letter):
            self.say(event, f"decided on {wrong}")

    def whole(self, access: Any) -> bool:
        """Whether an access gave the file, and held nothing back."""
        return any(name.strip() for name in access.documents) and not access.held_back

    def new_and_unanswered(self, at_ns: int, letter: int) -> str:
        """What is wrong with what came after a notice; nothing if it was shown and answered, or its time is over."""
        told = [wanted.number for wanted in self.notices_to_this_party()]
        newer = sorted(number for number in self.against_party if number > max(told, default=letter))
        if not newer:
            return ""
        shown = [access for access in self.accesses if access.number > newer[-1] and self.whole(access.act)]
        if not shown:
            return "what the party was not shown"
        access = shown[0]
        began = max(access.act.given_ns, self.by_number[newer[-1]].at_ns, access.at_ns - 3 * DAY)
        for reply in self.replies:
            asks = reply.act.stance in ("asks_time", "asks_file")
            if reply.number > access.number and reply.act.received_ns >= began and not asks and self.its_own(reply):
                return ""
        end = self.ends("reply", began)
        late = end is not None and at_ns >= end
        return "" if late else "something new before the party answered it or had its time"

    def unheard(self, before: int | None = None) -> list[int]:
        """Answers in time that came to the file after the decision was approved: numbers of their events."""
        row = self.decision
        if row is None or row["act"].outcome != "confirmed":
            return []
        end = self.ends("reply")
        runs = any(wanted.kind == "notice" for _, wanted in self.letters) and any(
            step.step == "reply" and step.deadline is not None for step in self.pack.procedure
        )
        return [
            reply.number
            for reply in self.replies
            if reply.number > row["yes"]
            and (before is None or reply.number < before)
            and (reply.act.received_ns < row["at"] or (runs and (end is None or reply.act.received_ns < end)))
        ]

    def may_answer(self, at_ns: int) -> list[int]:
        """Extensions of the time to answer that were given after the decision and are not over."""
        row = self.decision
        if row is None or row["act"].outcome != "confirmed":
            return []
        end = self.ends("reply")
        given = [number for number, clock in self.given if clock == "reply" and number > row["yes"]]
        return given if end is None or at_ns < end else []

    def must_hear(self, event: CaseEvent, what: str) -> None:
        """Nothing that rests on a decision goes on before it was weighed what the party sent in time."""
        if self.unheard():
            self.say(event, f"{what} before an answer in time was weighed")
        if self.may_answer(event.at_ns):
            self.say(event, f"{what} while the party had time to answer again")

    def must_rest(self, event: CaseEvent, what: str) -> None:
        """Nothing that rests on a decision goes on while an appeal is heard, or should be."""
        if self.appeal is not None:
            self.say(event, f"{what} while an appeal is pending")
        if self.unheard_appeals():
            self.say(event, f"{what} while an appeal that came in time was not heard")

    def see_serve_decision(self, event: CaseEvent, act: Any) -> None:
        row = next((row for row in self.decisions if row["number"] == act.decision), None)
        if row is None:
            self.say(event, "served no decision")
            return
        if not row["at"] <= act.received_ns <= event.at_ns:
            self.say(event, "a decision received at an impossible time")
        if row.get("gone") and act.proof is None and act.received_ns >= row["gone_at"]:
            self.say(event, "a decision delivered that had been set aside")
        row["received"] = act.received_ns
        row["served"] = event.number

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
                and appeal["outcome"] == "rejected"
                for appeal in self.appeals
            )  # fmt: skip
            end = self.ends("appeal" if place == 1 else f"appeal-{place}")
            if not used and (end is None or event.at_ns < end):
                self.say(event, f"final before the appeal was over: {right.id}")
        self.must_hear(event, "final")
        self.decision["final"] = True
        self.decision["final_number"] = event.number
        self.decision["final_at"] = event.at_ns
        self.decision["final_event"] = event.number
        self.decision["used"] = {
            appeal["body"] for appeal in self.appeals
            if appeal["decision"] == number and appeal["outcome"] == "rejected"
        }  # fmt: skip
        if self.unheard_appeals():
            self.say(event, "final although an appeal that came in time was not heard")
        self.decision["final_standing"] = self.standing

    # -- measures -----------------------------------------------------------------------------------------------------

    def measure_rights(self, event: CaseEvent, act: Any) -> None:
        measure = next(entry for entry in self.pack.measures if entry.id == act.measure)
        if measure.mode == "not_supported":
            self.say(event, "a measure that is not supported")
        if self.standing not in ("operator", "host"):
            self.say(event, f"a measure against a party of standing {self.standing}")
        self.must_rest(event, "a measure")
        decision = self.decision
        if decision is None or decision["act"].outcome != "confirmed" or "received" not in decision:
            self.say(event, "a measure without a served decision")
            return
        if act.measure not in decision["act"].measures:
            self.say(event, "a measure that the decision does not name")
        self.must_hear(event, "a measure")
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

        def too_late(since: int) -> bool:
            """Not carried out before that, by a document that shows it."""
            return act.at_ns >= since or act.document is None

        if live[-1]["withdrawn"] and too_late(live[-1]["withdrawn_at"]):
            self.say(event, "carried out a measure that was withdrawn")
        if any(row["outcome"] is None and too_late(row["filed"]) for row in self.appeals):
            self.say(event, "carried out a measure while an appeal is pending")
        for row in self.unheard_appeals():
            if too_late(row.get("in_time_at", event.at_ns)):
                self.say(event, "carried out a measure while an appeal that came in time was not heard")
        if self.standing not in ("operator", "host") and too_late(live[-1].get("withdrawn_at", 0)):
            self.say(event, f"carried out a measure against a party of standing {self.standing}")
        for number in (*self.unheard(), *self.may_answer(event.at_ns)):
            if too_late(self.by_number[number].at_ns):
                self.say(event, "carried out a measure before an answer in time was weighed")

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
            same = {f"{found.detector} {found.version}" for found in self.findings if found.mining}
            if same - set(measured.detectors):
                self.say(event, "rectified on the word of other detectors")

    def over(self, at_ns: int) -> bool:
        """Whether the last measurement says so, and nothing newer stands against it."""
        if not self.verifications:
            return False
        last = self.verifications[-1]
        measured = last.act.measurement
        return (
            measured.outcome == "rectified"
            and all(remedy.number < last.number for remedy in self.remedies)
            and all(found.ended_ns <= measured.after_from_ns for found in self.findings if found.mining)
            and not any(self.after_the_remedy(found) for found in self.findings if found.mining)
            and at_ns - measured.after_until_ns <= 60 * DAY
        )

    def after_the_remedy(self, found: Any) -> bool:
        """Whether mining was seen more than a day after all that the party did."""
        seen = found.started_ns if found.family in ("load", "balance") else found.ended_ns
        return bool(self.remedies) and seen > max(remedy.act.at_ns for remedy in self.remedies) + DAY

    def approved_propose_closure(self, event: CaseEvent, act: Any, proposal: CaseEvent) -> None:
        self.must_rest(event, "closed")
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
        unserved = self.decision is not None and "received" not in self.decision
        if not unserved and any(
            row.get("gone") and not row.get("told")
            and all(other["number"] <= row["number"] or other["received"] < row["received"] for other in had_one)
            for row in had_one
        ):  # fmt: skip
            self.say(event, "closed before the party was told that what it was served is gone")
        self.closed_as = str(act.reason)
        reason = str(act.reason)
        if reason == "rectified" and not (outcome == "confirmed" and told and proved and self.over(event.at_ns)):
            self.say(event, "closed as rectified without decision, proof or measurement")
        if reason == "rectified":
            self.must_hear(event, "closed")
        if reason in ("dismissed", "lawful", "undetermined") and outcome != reason:
            self.say(event, f"closed as {reason} without such a decision")
        if reason == "victim_helped":
            helped = [served.number for served, wanted in self.letters if wanted.kind == "help"]
            handed = bool(helped) and bool(proved) and self.remedies[-1].number > helped[0]
            if self.standing != "victim" or not helped or not (handed or self.over(event.at_ns)):
                self.say(event, "closed as helped without help")
            came = {kind: max((served.act.received_ns for served, wanted in self.letters if wanted.kind == kind),
                              default=0) for kind in ("notice", "help")}  # fmt: skip
            if came["notice"] > came["help"]:
                self.say(event, "closed as helped on an accusation that came after the help")
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
        before = {name: (self.ends(name), self.ends(name, runs_on=event.at_ns)) for name in names}
        doubted = self.in_doubt()
        unheard = self.not_heard(event.at_ns)
        unweighed = self.unheard()
        told = self.by_number[act.event].act
        self.mend(act)
        right = self.by_number[act.event].act
        for name in ("received_ns", "given_ns"):
            if getattr(right, name, 0) > event.at_ns:
                self.say(event, "corrected to a time to come")
        for name in names:
            self.not_shorter(event, name, before[name][0])
            ran, runs = before[name][1], self.ends(name, runs_on=event.at_ns)
            if ran is not None and runs is not None and runs < ran:
                self.say(event, "made a period shorter that stood still")
        if told.NAME == "reply" and told.stance in ("asks_time", "asks_file", "claims_victim", "claims_lawful"):
            if right.stance != told.stance:
                self.say(event, "corrected away what the party asked for or claimed")
        if told.NAME == "grant_access" and self.whole(right) and not self.whole(told):
            self.say(event, "made an access whole that held something back")
        if set(unweighed) - set(self.unheard()):
            self.say(event, "a correction made an answer late that nobody has weighed")
        for what in unheard - self.not_heard(event.at_ns):
            self.say(event, f"a correction took it from the party: {what}")
        if act.event == 1 and act.field == "organisation_id":
            self.other_party_at = event.number
        if told.NAME == "inspect":
            self.against_party.append(event.number)
        for number in act.falls:
            if self.decision is not None and number == self.decision["number"]:
                self.drop_decision()
            elif self.by_number[number].act.NAME == "propose_notice":
                self.settled[number] = "withdrawn"
                self.fell.add(number)
                self.waiting.pop(number, None)
            elif any(row["proposal"] == number for row in self.asked):
                self.withdraw_measure(next(row for row in self.asked if row["proposal"] == number))
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
        for row in self.appeals:
            if row["event"] == new.number:
                row["received"], row["body"] = new.act.received_ns, new.act.body
        if new.number == 1:
            self.region, self.site_kind = new.act.region, new.act.site_kind

    def unheard_appeals(self) -> list[dict[str, Any]]:
        """Found inadmissible for being late, and in time as is known now."""
        return [row for row in self.appeals if row["outcome"] == "inadmissible" and self.in_time_after_all(row)]

    def in_doubt(self) -> set[str]:
        """What was done and is not right, as things are known now."""
        found = set()
        for findings, inspections in [] if self.closed else self.waiting.values():
            if not self.rests_on_two(findings, inspections):
                found.add("an approved notice waits to go out that rests on one source of evidence")
        row = self.decision
        if row is not None and row["act"].outcome == "confirmed" and len(self.letters) == len(row["letters"]):
            if not self.heard(row["at"], row["answers"]):
                found.add("a decision stands that came before the party answered or had its time")
        if row is not None and row.get("final"):
            for name, clock in self.bodies().items():
                end = self.ends(clock)
                if name not in row["used"] and (end is None or row["final_at"] < end):
                    found.add("a decision stays final that was declared so too early")
            if any(one["said"] < row["final_event"] for one in self.unheard_appeals()):
                found.add("a decision stays final although an appeal that came in time was not heard")
            if self.unheard(row["final_number"]):
                found.add("a decision stays final although an answer in time was not weighed before")
        if self.closed and self.closed_as == "rectified":
            if not any(remedy.act.grade in ("A", "B") for remedy in self.remedies):
                found.add("a case stays closed as rectified without a proof")
        return found

    def not_heard(self, at_ns: int) -> set[str]:
        """What the party could still say by then, and what time it has for that."""
        last = self.last_notice()
        if last is None:
            return set()
        found = set() if self.heard(at_ns) else {"the time to answer the notice"}
        if self.new_and_unanswered(at_ns, last.act.proposal):
            found.add("the time to answer what is new")
        return found

    def bodies(self) -> dict[str, str]:
        """Bodies that hear appeals, with the names of their clocks."""
        rights = [right.id for right in self.pack.rights if right.right == "appeal"]
        return {name: "appeal" if place == 1 else f"appeal-{place}" for place, name in enumerate(rights, 1)}

    @property
    def appeal(self) -> dict[str, Any] | None:
        """The first appeal that nobody has decided."""
        return next((row for row in self.appeals if row["outcome"] is None), None)

    def too_late(self, body: str, received: int) -> bool:
        """Whether the time of a body was over by then; of all of them, where the party went elsewhere."""
        bodies = self.bodies()
        ends = [self.ends(clock) for name, clock in bodies.items() if body not in bodies or name == body]
        known = [end for end in ends if end is not None]
        return bool(known) and len(known) == len(ends) and received >= max(known)

    def in_time_after_all(self, row: dict[str, Any]) -> bool:
        """Whether an appeal that was taken for late came in time, as the dates are known now."""
        mine = self.decision is not None and self.decision["number"] == row["decision"]
        return mine and row["late"] and not self.too_late(row["body"], row["received"])

    def see_appeal(self, event: CaseEvent, act: Any) -> None:
        about = self.decision
        for row in reversed(self.decisions if about is not None else []):
            if "received" in row:
                about = row
                break
            earlier = [one for one in self.decisions if one["number"] < row["number"]]
            if not earlier or earlier[-1].get("gone_at") != row["at"]:
                break
        if about is None or "received" not in about or act.received_ns < about["at"]:
            self.say(event, "an appeal against nothing")
            return
        if (act.body in self.bodies()) is act.other_body:
            self.say(event, f"an appeal to {act.body}, which the pack does not name, or is said not to")
        late = self.too_late(act.body, act.received_ns)
        if late != act.late:
            self.say(event, f"a late appeal that is not marked so, or the other way round: {late}")
        self.appeals.append(
            {"event": event.number, "decision": about["number"], "outcome": None, "waits": late, "late": late,
             "body": act.body, "received": act.received_ns}
        )  # fmt: skip
        if not late:
            self.closed = False

    def see_admit_appeal(self, event: CaseEvent, act: Any) -> None:
        row = next((row for row in self.appeals if row["event"] == act.appeal), None)
        if row is None or not (row["waits"] or (row["outcome"] == "inadmissible" and self.in_time_after_all(row))):
            self.say(event, "no late appeal waits")
            return
        if event.account in self.had_a_say:
            self.say(event, "judged whether an appeal against its own decision is heard")
        if not act.admitted and self.in_time_after_all(row):
            self.say(event, "found an appeal inadmissible that came in time")
        row["waits"] = False
        row["outcome"] = None if act.admitted else "inadmissible"
        row["said"] = event.number
        if act.admitted:
            self.closed = False

    def see_decide_appeal(self, event: CaseEvent, act: Any) -> None:
        if event.account in self.parts:
            self.say(event, "heard an appeal in a case that it had a part in")
        row = next((row for row in self.appeals if row["event"] == act.appeal and row["outcome"] is None), None)
        if row is None:
            self.say(event, "decided no appeal")
            return
        if row["waits"] and act.outcome != "withdrawn":
            self.say(event, "heard a late appeal that nobody has admitted")
        row["waits"] = False
        before = [one for one in self.appeals if one["outcome"] == "upheld" and one["decision"] == row["decision"]]
        row["outcome"] = str(act.outcome)
        if act.outcome in ("upheld", "remitted"):
            self.drop_decision()
            if act.standing is not None or (act.outcome == "upheld" and not before):
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
