"""A district's miners, from captures and meters to cases that are over: the story that docs/story.md tells.

``python examples/district_story.py [FOLDER]`` simulates the district, finds what mines with the ordinary commands, and
takes twelve cases through classification, letters, replies, inspections, decisions, measuring again and closure, in a
workspace for training whose clock this program moves. It leaves in FOLDER (a temporary one if none is given):

| what | where |
|---|---|
| captures, readings, registries, truth | ``district/`` |
| the workspace: database, ledger, documents, keys | ``workspace/`` |
| every document, as PDF and HTML, by case | ``documents/`` |
| an evidence bundle for each case | ``bundles/`` |
| the public key to check them with | ``ledger.pub`` |
| how each case ended | ``cases.json`` |

Each step that a case needs is a line here, in the order of `main`; what may not be done is refused, and the story shows
some of that too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from headframe import app
from headframe.casework import Casework, make_workspace
from headframe.casework.case_bundle import write_case_bundle
from headframe.casework.sites import import_registry
from headframe.records import case as act
from headframe.records.case import Account, DocumentKind, Duty
from headframe.records.policy import CalculationSheet, PartyStanding
from headframe.records.scan import ScanResult
from headframe.simulate.district import SimulatedDistrict, local_day_ns, write_district

ZONE = ZoneInfo("Asia/Shanghai")
DAY_NS, MINUTE_NS = 86_400_000_000_000, 60_000_000_000
NATIONAL, DRAFT, CAMPUS = "cn-national-1283", "cn-nm-2021-draft", "campus-operator"

ACCOUNTS = (
    ("desk", "drc", (Duty.SCREEN, Duty.PROPOSE)),
    ("head", "drc", (Duty.DECIDE,)),
    ("deputy", "drc", (Duty.DECIDE,)),
    ("inspector", "nea", (Duty.INSPECT,)),
    ("measuring", "grid", (Duty.VERIFY,)),
    ("court", "court", (Duty.HEAR_APPEAL,)),
    ("judicial-desk", "judicial", (Duty.DECIDE,)),
    ("campus-desk", "network-security", (Duty.SCREEN, Duty.PROPOSE)),
    ("campus-head", "network-security", (Duty.DECIDE,)),
    ("campus-privacy", "data-protection", (Duty.VERIFY,)),
)
"""Who acts: accounts of units, no two of whom may say yes to the same thing."""


class Clock:
    """The district's time; it goes a minute further with every look, and jumps when the story says so."""

    def __init__(self) -> None:
        self.at_ns = local_day_ns(219, time(9))

    def __call__(self) -> int:
        """The time now. [ns since 1970-01-01 UTC]"""
        self.at_ns += MINUTE_NS
        return self.at_ns

    def day(self, day: int, at: time = time(9)) -> None:
        """Go to a local day of the district's calendar, if it is not past already."""
        self.at_ns = max(self.at_ns, local_day_ns(day, at))


class WrongTurn(Exception):
    """The story expected a yes and got a no, or the other way round."""


@dataclass
class Office:
    """The workspace, and short words for what its accounts do."""

    work: Casework
    clock: Clock
    district: SimulatedDistrict
    folder: Path

    def __post_init__(self) -> None:
        self.accounts = {
            name: Account(name=name, unit=unit, duties=frozenset(duties)) for name, unit, duties in ACCOUNTS
        }
        self.papers = 0
        self.scanned: dict[tuple[str, ...], ScanResult] = {}

    def say(self, case_id: str, text: str) -> None:
        """Tell the story."""
        print(f"{case_id}  {text}")

    def do(self, name: str, case_id: str, wanted: act.Act, **options: Any) -> act.Accepted:
        """Do what must be accepted."""
        done = self.work.perform(self.accounts[name], case_id, wanted, **options)
        if isinstance(done.answer, act.Refused) or done.faults:
            reasons = done.answer.reasons if isinstance(done.answer, act.Refused) else done.faults
            raise WrongTurn(f"{case_id}: {name} could not {wanted.NAME}: {'; '.join(reasons)}")
        return done.answer

    def refused(self, name: str, case_id: str, wanted: act.Act) -> None:
        """Try what must be refused, and say why it was."""
        done = self.work.perform(self.accounts[name], case_id, wanted)
        if not isinstance(done.answer, act.Refused):
            raise WrongTurn(f"{case_id}: {name} was allowed to {wanted.NAME}")
        self.say(case_id, f"refused to {name}: {done.answer.reasons[0]}")

    def open(
        self, site: str, pack: str, *, by: str = "desk", findings: Sequence[str] = (), recurrence_of: str = ""
    ) -> str:
        """Open a case on the findings of a site; the registers of lawful mining are asked at once."""
        done = self.work.open_case(self.accounts[by], site, pack, finding_ids=findings, recurrence_of=recurrence_of)
        if isinstance(done.answer, act.Refused):
            raise WrongTurn(f"{site}: {'; '.join(done.answer.reasons)}")
        case = done.answer.case
        families = ", ".join(sorted({found.family.value for found in case.findings if found.stands_out}))
        assert case.lookup is not None
        self.say(case.case_id, f"opened on {site}: evidence of {families}; registers: {case.lookup.outcome.value}")
        return case.case_id

    def classify(
        self, case_id: str, standing: PartyStanding, reason: str, *, by: str = "desk", head: str = "head",
        **axes: str,
    ) -> None:  # fmt: skip
        """Propose a class, and have another account approve it."""
        values = self.axes(case_id, standing, axes)
        met = self.work.view(case_id).classes.met
        self.settle(by, head, case_id, act.ProposeClass(standing=standing, axes=values, criteria=met, reason=reason))
        self.say(case_id, f"classified: {standing.value} ({reason})")

    def axes(self, case_id: str, standing: PartyStanding, given: dict[str, str]) -> tuple[tuple[str, str], ...]:
        """A value for each axis of the pack: the one given, the one of this standing, or its default."""
        values = []
        for axis in self.work.pack_of_case(case_id).axes:
            fitting = [value.id for value in axis.values if value.standing is standing]
            default = axis.default or axis.values[-1].id
            values.append((axis.id, given.get(axis.id) or (fitting[0] if fitting else default)))
        return tuple(values)

    def settle(self, by: str, heads: str | Sequence[str], case_id: str, proposal: act.Proposal, **options: Any) -> int:
        """Propose, and have it approved; gives the proposal's number."""
        number = self.do(by, case_id, proposal, **options).events[0].number
        for head in [heads] if isinstance(heads, str) else heads:
            self.do(head, case_id, act.Approve(proposal=number))
        return number

    def letter(
        self, case_id: str, kind: act.NoticeKind, *, by: str = "desk", head: str = "head", language: str = "en"
    ) -> None:
        """Write a letter, have it approved, and record that it was delivered."""
        written = {
            act.NoticeKind.NOTICE: DocumentKind.NOTICE,
            act.NoticeKind.INFORMATION: DocumentKind.INFORMATION_LETTER,
            act.NoticeKind.HELP: DocumentKind.HELP_LETTER,
        }[kind]
        drafts = self.work.draft_document(case_id, written, language=language, account=self.accounts[by])
        proposal = act.ProposeNotice(kind=kind, document=drafts[0].ref, language=language)
        number = self.settle(by, head, case_id, proposal, documents=drafts)
        self.do(by, case_id, act.ServeNotice(proposal=number, received_ns=self.clock(), channel="post"))
        clock = next((one for one in self.work.view(case_id).clocks if one.id == "reply"), None)
        until = f"; time to answer through {clock.due_day} ({clock.basis.value})" if clock and clock.due_day else ""
        self.say(case_id, f"{kind.value} letter served{until}")

    def reply(self, case_id: str, stance: act.ReplyStance, text: str, *, by: str = "desk") -> None:
        """Record an answer."""
        paper = self.paper("reply", text)
        self.do(by, case_id, act.RecordReply(received_ns=self.clock(), stance=stance, document=paper, text=text))
        self.say(case_id, f"the party answers ({stance.value}): {text}")

    def paper(self, kind: str, text: str) -> act.DocumentRef:
        """A paper that came from outside."""
        self.papers += 1
        return self.work.keep_bytes(f"{text}\n".encode(), f"{kind}-{self.papers}.txt", "text/plain", kind)

    def inspect(
        self, case_id: str, place: str, *observations: str, machines: int, meter: str = "", bypass: bool | None = None
    ) -> None:
        """Record an inspection; its photo is hashed on capture."""
        self.clock.at_ns += 100 * MINUTE_NS
        now = self.clock()
        photo = self.work.keep_bytes(_photo(len(observations)), "rack.png", "image/png", "photo")
        meters = (
            (act.MeterSeen(meter=meter, reading="104233.7", unit="kWh", seals=("A-118", "A-119"),
                           seals_intact=not bypass),) if meter else ()
        )  # fmt: skip
        record = act.InspectionRecord(
            authority="inspection request of the unit", unit="nea",
            present=("energy regulator, inspection", "grid company, metering", "site, facility desk"),
            started_ns=now - 90 * MINUTE_NS, ended_ns=now, place=place, observations=observations,
            machines_seen=machines, meters=meters, bypass_seen=bypass, photos=(photo,),
        )  # fmt: skip
        self.do("inspector", case_id, act.RecordInspection(record=record))
        self.say(case_id, f"inspected: {observations[0]}")

    def show(self, case_id: str, what: str) -> None:
        """Give the party what came after its notice; its time to answer runs again from there."""
        self.do("desk", case_id, act.GrantAccess(given_ns=self.clock(), documents=(what,)))
        self.say(case_id, f"shown to the party: {what}")

    def decide(
        self, case_id: str, outcome: act.DecisionOutcome, reason: str, *, basis: Sequence[str] = ("ndrc1283#18",),
        measures: Sequence[str] = (), sheets: Sequence[CalculationSheet] = (), heard: str = "", by: str = "desk",
        head: str = "head",
    ) -> None:  # fmt: skip
        """Propose a decision, have it approved, write it, and record that it was delivered."""
        proposal = act.ProposeDecision(
            outcome=outcome, legal_basis=tuple(basis), reason=reason, measures=tuple(measures), sheets=tuple(sheets),
            heard_reply=heard,
        )  # fmt: skip
        self.settle(by, head, case_id, proposal)
        self.do(by, case_id, act.ServeDecision(received_ns=self.clock(), channel="post"))
        self.say(case_id, f"decided: {outcome.value} ({reason})")

    def measure(self, case_id: str, name: str, heads: Sequence[str], sheets: Sequence[CalculationSheet] = ()) -> None:
        """Ask for a measure of the decision: a request or a dossier is written, and people carry it."""
        self.settle(
            "desk", heads, case_id,
            act.ProposeMeasure(measure=name, reason="as decided", sheets=tuple(sheets)),
        )  # fmt: skip
        self.say(case_id, f"measure asked for: {name}, said yes to by {' and '.join(heads)}")

    def remedy(self, case_id: str, grade: act.RemedyGrade, text: str, *, by: str = "desk") -> None:
        """Record what the party did."""
        proof = self.paper("remedy_proof", text)
        self.do(by, case_id, act.RecordRemedy(at_ns=self.clock(), grade=grade, text=text, documents=(proof,)))
        self.say(case_id, f"remedy, proof of grade {grade.value}: {text}")

    def verify(self, case_id: str, *, by: str = "measuring", until_day: int = 270) -> act.VerificationOutcome:
        """Measure again from the captures and readings of the time since."""
        made = self.district
        measurement = self.work.measure_again(
            case_id,
            captures=(str(made.path("before/link.pcap")), str(made.path("after/link.pcap"))),
            readings=(made.path("before/readings.parquet"), made.path("after/readings.parquet")),
            topology=(made.path("topology.csv"), made.path("transformers.csv")),
            weather=made.path("weather.csv"),
            until_ns=local_day_ns(until_day, time(8)),
            scan=self.scan,
        )
        self.do(by, case_id, act.Verify(measurement=measurement))
        self.say(case_id, f"measured again: {measurement.outcome.value} ({measurement.explanation})")
        return measurement.outcome

    def scan(self, paths: Sequence[str]) -> ScanResult:
        """Scan captures as at first: with the same indicators, and the block times of those weeks. Each once."""
        names = tuple(paths)
        if names not in self.scanned:
            made = self.district
            options = app.ScanOptions(
                indicators=(made.path("before/link.indicators.csv"),),
                clocks=(made.path("before/link.blocks.csv"), made.path("after/link.blocks.csv")),
            )
            self.scanned[names] = app.scan(list(names), options)
        return self.scanned[names]

    def close(
        self, case_id: str, reason: act.ClosureReason, text: str, *, by: str = "desk", head: str = "head"
    ) -> None:
        """Propose to close, and have another account approve it."""
        self.settle(by, head, case_id, act.ProposeClosure(reason=reason, text=text))
        self.say(case_id, f"closed: {reason.value}")


def _photo(number: int) -> bytes:
    """A picture of one pixel: what matters here is its digest."""
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    row = zlib.compress(bytes((0, 40, 40, number % 256)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def headframe(*arguments: str) -> None:
    """Run a command as a user would."""
    subprocess.run([sys.executable, "-m", "headframe", *arguments], check=True, stderr=subprocess.DEVNULL)


def find(district: SimulatedDistrict) -> list[Path]:
    """Scan the captures and look through the meters, with the ordinary commands."""
    found = []
    for part in ("before", "later"):
        path = district.path(f"{part}/findings.jsonl")
        with path.open("w") as out:
            subprocess.run(
                [sys.executable, "-m", "headframe", "scan", str(district.path(f"{part}/link.pcap")), "--format",
                 "jsonl", "--indicators", str(district.path("before/link.indicators.csv")), "--clock",
                 str(district.path(f"{part}/link.blocks.csv"))],
                check=True, stdout=out, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        found.append(path)
    path = district.path("before/meters.jsonl")
    with path.open("w") as out:
        subprocess.run(
            [sys.executable, "-m", "headframe", "meters", str(district.path("before/readings.parquet")), "--zone",
             ZONE.key, "--topology", str(district.path("topology.csv")), "--topology",
             str(district.path("transformers.csv")), "--weather", str(district.path("weather.csv")), "--all",
             "--format", "jsonl"],
            check=True, stdout=out, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    found.append(path)
    return found


def set_up(folder: Path) -> Office:
    """Simulate the district, find, make the workspace, import."""
    (folder / "district").mkdir(parents=True)
    district = write_district(folder / "district", 1)
    before, _later, meters = find(district)
    clock = Clock()
    work = make_workspace(
        folder / "workspace", unit="District energy office", log_origin="headframe.example/district", training=True,
        now_ns=clock,
    )  # fmt: skip
    admin = work.first_account("admin", "drc", folder / "workspace" / "admin.token")
    for name, unit, duties in ACCOUNTS:
        work.add_account(admin, name, unit, duties, folder / "workspace" / f"{name}.token")
    office = Office(work, clock, district, folder)
    desk = office.accounts["desk"]
    import_registry(
        work, desk, [district.path("sites.csv")], [district.path("lawful.csv")], [district.path("contacts.csv")],
        zone=ZONE, whole_registers=True,
    )  # fmt: skip
    for told in work.import_findings([before, meters], account=desk):
        print(f"imported {Path(told.file).name}: {told.rows} rows, {told.new} findings")
    return office


def surcharge(district: SimulatedDistrict, point: str) -> CalculationSheet:
    """The differential tariff of an account since the step in June, with its sheet, from the account's readings."""
    from datetime import date
    from decimal import Decimal

    import polars as pl

    from headframe.policy.calculators.differential_tariff import RULES, BillingCycle, differential_tariff

    rows = pl.concat([pl.read_parquet(district.path(f"{part}/readings.parquet")) for part in ("before", "after")])
    daily = (
        rows.filter((pl.col("usage_point") == point) & (pl.col("flow") == "delivered"))
        .with_columns(month=pl.col("start").dt.convert_time_zone(ZONE.key).dt.strftime("%Y-%m"))
        .group_by("month").agg(pl.col("energy_kwh").sum()).sort("month")
    )  # fmt: skip
    energy = dict(zip(daily["month"], daily["energy_kwh"], strict=True))
    cycles = [
        BillingCycle(
            first=date(2026, month, 1), last=date(2026, month, last), energy_kwh=Decimal(f"{energy[name]:.1f}"),
            source=f"bill {name}",
        )
        for month, last, name in ((6, 30, "2026-06"), (7, 31, "2026-07"))
    ]  # fmt: skip
    return differential_tariff(RULES["national"], cycles, mining_from=date(2026, 6, 22), mining_until=None, issued=None)


# ---------------------------------------------------------------------------------------------------------------------
# The twelve cases


def open_miner(office: Office) -> str:
    """A data centre mines on hired racks. It stops after the decision, pays a surcharge, and is measured to be over."""
    case = office.open("data-hill", NATIONAL)
    office.refused("desk", case, act.ProposeNotice(kind=act.NoticeKind.NOTICE, document=office.paper("notice", "early"),
                                                   language="en"))  # fmt: skip
    office.classify(case, PartyStanding.OPERATOR, "content, endpoint and load agree; the racks are its own",
                    stock_or_new="stock_in_operation", dc_or_mine="data_centre_with_mining",
                    supply="legal_metered")  # fmt: skip
    office.letter(case, act.NoticeKind.NOTICE, language="zh")
    office.reply(case, act.ReplyStance.ADMITS, "the racks are let to a mining customer; they can be cleared in a week")
    office.inspect(case, "hall 2", "33 machines in racks, fans running", "pool address on the label", machines=33,
                   meter="U0000041", bypass=False)  # fmt: skip
    office.show(case, "the record of hall 2")
    return case


def decide_open_miner(office: Office, case: str) -> None:
    """The decision, with its sum and its sheet; two accounts beside the proposer say yes to the measure."""
    sheet = surcharge(office.district, "U0000041")
    office.decide(case, act.DecisionOutcome.CONFIRMED, "shares handed in over the whole capture, a step of 110 kW",
                  basis=("ndrc1283#18", "ndrc1283#13"), measures=("diff-tariff",), sheets=(sheet,),
                  heard="the party admits; a week was granted to clear the racks")  # fmt: skip
    office.refused("desk", case, act.ProposeMeasure(measure="power-off", reason="at once"))
    office.measure(case, "diff-tariff", ("head", "deputy"), (sheet,))
    office.say(case, f"surcharge {sheet.result} {sheet.unit}, with its sheet of {len(sheet.lines)} lines")


def victim(office: Office) -> str:
    """A laboratory's server was broken into. Its owner is helped, nothing is held against anybody."""
    case = office.open("east-campus", CAMPUS, by="campus-desk")
    office.classify(case, PartyStanding.VICTIM, "a malware proxy stands behind the address", by="campus-desk",
                    head="campus-head", place="managed_machine")  # fmt: skip
    office.letter(case, act.NoticeKind.HELP, by="campus-desk", head="campus-head")
    return case


def lawful(office: Office) -> str:
    """The registers know the site: what is seen is what was filed."""
    case = office.open("licence-hall", NATIONAL)
    office.classify(case, PartyStanding.LAWFUL, "filed research R-17 covers the site, the period and the power",
                    dc_or_mine="mining_site", supply="legal_metered")  # fmt: skip
    office.refused("desk", case, act.ProposeNotice(kind=act.NoticeKind.NOTICE, document=office.paper("notice", "no"),
                                                   language="en"))  # fmt: skip
    office.decide(case, act.DecisionOutcome.LAWFUL, "filed research R-17")
    office.close(case, act.ClosureReason.LAWFUL, "listed, and within what was filed")
    return case


def theft(office: Office) -> str:
    """The transformer gives more than its meters show; the inspection finds the bypass; the file goes to the courts."""
    case = office.open("mill-lane", DRAFT)
    office.classify(case, PartyStanding.UNDETERMINED, "balance alone: an inspection has to look")
    office.inspect(case, "cellar", "a line before the meter feeds 15 machines", "a seal of the meter is cut",
                   machines=15, meter="U0000043", bypass=True)  # fmt: skip
    office.classify(case, PartyStanding.OPERATOR, "machines and bypass were found on inspection",
                    supply="unmetered_or_tampered", subject_class="private-tap", involvement="mines_itself",
                    dc_or_mine="mining_site", stock_or_new="stock_in_operation")  # fmt: skip
    office.letter(case, act.NoticeKind.NOTICE)
    office.reply(case, act.ReplyStance.CONTESTS, "the line was there when the workshop was rented")
    return case


def appeal(office: Office) -> str:
    """A cold store's tenant mines. The decision is appealed, for the tenant's project was filed in time."""
    case = office.open("north-cold", NATIONAL)
    office.classify(case, PartyStanding.HOST, "the tenant's machines are on the store's account",
                    stock_or_new="stock_in_operation", dc_or_mine="mining_site", supply="legal_metered")  # fmt: skip
    office.letter(case, act.NoticeKind.NOTICE)
    office.inspect(case, "loft", "9 machines beside a grain drier", machines=9, meter="U0000044", bypass=False)
    office.show(case, "the record of the loft")
    return case


def cafe(office: Office) -> str:
    """An internet cafe mines at night with its guests' machines."""
    case = office.open("star-cafe", DRAFT)
    office.classify(case, PartyStanding.OPERATOR, "content, endpoint, timing and load agree",
                    stock_or_new="stock_in_operation", dc_or_mine="mining_site", supply="legal_metered",
                    subject_class="netcafe", involvement="mines_itself")  # fmt: skip
    office.letter(case, act.NoticeKind.NOTICE, language="zh")
    office.reply(case, act.ReplyStance.ADMITS, "the machines mined when no guest was there; the program is removed")
    office.inspect(case, "gaming hall", "40 graphics cards, mining program installed", machines=40)
    office.show(case, "the record of the gaming hall")
    return case


def server_room(office: Office) -> str:
    """A load that only looks like mining: one family, so an information letter; the answer explains it."""
    case = office.open("south-school", NATIONAL)
    office.letter(case, act.NoticeKind.INFORMATION)
    office.reply(case, act.ReplyStance.CONTESTS, "a server room was opened in May; its plan and bills are attached")
    office.classify(case, PartyStanding.NOT_MINING, "the server room's plan and bills explain the step",
                    dc_or_mine="data_centre_no_mining")  # fmt: skip
    office.decide(case, act.DecisionOutcome.DISMISSED, "explained by a server room",
                  heard="the plan and the bills fit the day and the size of the step")  # fmt: skip
    office.close(case, act.ClosureReason.DISMISSED, "not mining")
    return case


def unknown(office: Office) -> str:
    """An encrypted relay keeps step with a chain; nobody can say what it is. That is an answer too."""
    case = office.open("river-consult", NATIONAL)
    office.letter(case, act.NoticeKind.INFORMATION)
    office.reply(case, act.ReplyStance.OTHER, "nothing of the kind is known here; the machine was set up anew")
    office.classify(case, PartyStanding.UNDETERMINED, "timing alone; the machine is gone")
    office.decide(case, act.DecisionOutcome.UNDETERMINED, "one family of evidence, and nothing left to look at",
                  heard="the answer neither explains nor admits")  # fmt: skip
    office.close(case, act.ClosureReason.UNDETERMINED, "decided as undetermined")
    return case


def host(office: Office) -> str:
    """An industrial park gives room to miners, and goes on after the decision."""
    case = office.open("west-park", NATIONAL)
    office.classify(case, PartyStanding.HOST, "content, endpoint and timing; the hall is let with power",
                    stock_or_new="stock_in_operation", dc_or_mine="mining_site", supply="legal_metered")  # fmt: skip
    office.letter(case, act.NoticeKind.NOTICE)
    office.inspect(case, "hall 7", "18 machines behind a partition", machines=18, meter="U0000047", bypass=False)
    office.show(case, "the record of hall 7")
    return case


def household(office: Office) -> str:
    """Premises behind one supply point: an information letter, and no more is asked of them."""
    case = office.open("premises-48", NATIONAL)
    office.refused("desk", case, act.ProposeNotice(kind=act.NoticeKind.NOTICE, document=office.paper("notice", "no"),
                                                   language="en"))  # fmt: skip
    office.letter(case, act.NoticeKind.INFORMATION)
    return case


def plant(office: Office) -> str:
    """A hydro plant feeds in less than its river gives. It asks for time, and the clock stands still."""
    case = office.open("weir-plant", NATIONAL)
    office.inspect(case, "turbine house", "a container with machines on the plant's own bus", machines=15)
    office.classify(case, PartyStanding.OPERATOR, "feed-in fell, and the inspection found the container",
                    supply="self_owned_plant", dc_or_mine="mining_site", stock_or_new="stock_in_operation")  # fmt: skip
    office.letter(case, act.NoticeKind.NOTICE)
    office.reply(case, act.ReplyStance.ASKS_TIME, "the plant asks for its expert's report until the end of the month")
    office.do("desk", case, act.PauseClock(clock="reply", from_ns=office.clock(), reason="waits for the report"))
    office.say(case, "the clock of the reply stands still while the unit waits")
    return case


def recurrence(office: Office, earlier: str) -> str:
    """The cafe begins again: a new case, linked to the old one."""
    office.work.import_findings([office.district.path("later/findings.jsonl")], account=office.accounts["desk"])
    case = office.open("star-cafe", DRAFT, recurrence_of=earlier)
    office.classify(case, PartyStanding.OPERATOR, "the same pool, the same chain, two months after closure",
                    stock_or_new="stock_in_operation", dc_or_mine="mining_site", supply="legal_metered",
                    subject_class="netcafe", involvement="mines_itself")  # fmt: skip
    office.letter(case, act.NoticeKind.NOTICE, language="zh")
    return case


def main(folder: Path) -> None:
    """Tell the story."""
    office = set_up(folder)
    clock = office.clock

    miner, hacked, filed = open_miner(office), victim(office), lawful(office)
    thief, store, gamers = theft(office), appeal(office), cafe(office)
    rooms, relay, park = server_room(office), unknown(office), host(office)
    home, river = household(office), plant(office)

    clock.day(231)  # the time to answer is over for those who kept silent
    decide_open_miner(office, miner)
    for case, reason in ((store, "machines of a tenant on its account"), (park, "a hall let to miners with power")):
        office.decide(case, act.DecisionOutcome.CONFIRMED, reason, heard="no answer came in time")
    office.decide(gamers, act.DecisionOutcome.CONFIRMED, "mining on the guests' machines", basis=("nm8#4",),
                  measures=("m4-suspend",), heard="the party admits and has removed the program")  # fmt: skip
    office.decide(thief, act.DecisionOutcome.CONFIRMED, "machines before the meter", basis=("nm8#5",),
                  measures=("m5-theft",), heard="whoever laid the line, the party's machines drew from it")  # fmt: skip
    office.measure(thief, "m5-theft", ("head", "deputy"))

    clock.day(235)  # what was ordered to stop has stopped
    office.remedy(miner, act.RemedyGrade.A, "inspected again: the racks are empty, sealed by the grid company")
    office.remedy(hacked, act.RemedyGrade.B, "the computing centre has set the server up anew", by="campus-desk")
    office.remedy(gamers, act.RemedyGrade.B, "the maintenance firm has removed the program from 40 machines")
    office.remedy(thief, act.RemedyGrade.A, "the grid company has cut the line and sealed the meter")
    office.remedy(park, act.RemedyGrade.C, "the estate says that the hall is empty")

    office.do("desk", store, act.FileAppeal(
        received_ns=clock(), body="court", grounds="the tenant's research was filed in April, entry R-18",
        document=office.paper("appeal", "grounds of the appeal")))  # fmt: skip
    office.say(store, "appealed: what was decided rests meanwhile")
    import_registry(
        office.work, office.accounts["desk"], [], [office.district.path("later/lawful.csv")], zone=ZONE,
        whole_registers=True,
    )  # fmt: skip
    office.do("court", store, act.DecideAppeal(
        outcome=act.AppealOutcome.UPHELD, reason="the project was filed in time; the register was late",
        document=office.paper("appeal", "the court's judgment")))  # fmt: skip
    gone = office.work.case(store).decisions[-1].number
    office.do("desk", store, act.ServeSettingAside(decision=gone, received_ns=office.clock(), channel="post"))
    office.say(store, "appeal upheld: the decision is set aside, and the party is told")
    office.close(store, act.ClosureReason.DECISION_SET_ASIDE, "the party was right")

    clock.day(271)  # a month of captures and readings later
    for case in (miner, thief, gamers, park, home):
        office.verify(case)
    office.verify(hacked, by="campus-privacy")
    office.refused("desk", park, act.ProposeClosure(reason=act.ClosureReason.RECTIFIED, text="it has been quiet"))
    for case, text in (
        (miner, "empty racks, and nothing measured since"), (thief, "the line is cut, the balance closes"),
        (gamers, "the program is gone, nothing measured since"),
    ):  # fmt: skip
        office.close(case, act.ClosureReason.RECTIFIED, text)
    office.close(hacked, act.ClosureReason.VICTIM_HELPED, "the server is clean", by="campus-desk", head="campus-head")

    clock.day(279)
    again = recurrence(office, gamers)

    clock.day(428)  # half a year after the decisions they are final, and in the register
    for case in (miner, thief, gamers, park):
        office.do("head", case, act.DeclareFinal(reason="the time to appeal is over"))
    for entry in office.work.register_entries(expired=True):
        office.say(entry.case_id, f"in the register of decisions: {entry.site_id or entry.organisation_id}")

    hand_out(office, [miner, hacked, filed, thief, store, gamers, rooms, relay, park, home, river, again])


def hand_out(office: Office, cases: Sequence[str]) -> None:
    """Copy every document, make a bundle for each case, and write down how each ended."""
    told = []
    for case_id in cases:
        kept = office.work.store.documents(case_id)
        office.work.copy_out((one.ref for one in kept), office.folder / "documents" / case_id)
        (office.folder / "bundles").mkdir(exist_ok=True)
        write_case_bundle(office.work, office.accounts["desk"], case_id, office.folder / "bundles" / f"{case_id}.zip",
                          reason="the story's end")  # fmt: skip
        case = office.work.case(case_id)
        told.append({
            "case": case_id, "site": case.site_id, "pack": case.pack_id, "stage": case.stage.value,
            "standing": case.standing.value, "closure": case.closure.value if case.closure else None,
            "families": sorted({found.family.value for found in case.findings if found.stands_out}),
            "events": case.version, "documents": len(kept),
        })  # fmt: skip
    (office.folder / "cases.json").write_text(json.dumps(told, indent=1) + "\n")
    (office.folder / "ledger.pub").write_text("".join(f"{one.verifier.text()}\n" for one in office.work.ledger.signers))
    print(f"{len(cases)} cases, {office.work.ledger.size} entries in the ledger")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
