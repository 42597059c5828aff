"""A small language for the stories of cases: acts go in (`>>`), commands come out (`<<`), time passes (`+`).

>>> from case_stories import *
>>> story = Story("campus-operator")
>>> story = story >> (SCREENER, opening(story.pack)) << []
>>> story.case.stage
<Stage.SCREENED: 'screened'>
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

from headframe.cases.machine import act, replay
from headframe.policy.appeals import appeal_bodies
from headframe.policy.clocks import clocks_of
from headframe.records.case import (
    Accepted,
    Account,
    AppendEvidence,
    Approve,
    Case,
    CaseEvent,
    ClosureReason,
    Command,
    DecisionOutcome,
    DocumentRef,
    Duty,
    EnterRegister,
    FileAppeal,
    FindingRef,
    GrantAccess,
    InspectionRecord,
    LookUpLawful,
    LookupOutcome,
    Measurement,
    MeterSeen,
    MetricReading,
    NoticeKind,
    OpenCase,
    ProposeClass,
    ProposeClosure,
    ProposeDecision,
    ProposeNotice,
    PurgeContacts,
    RecordInspection,
    RecordRemedy,
    RecordReply,
    Refused,
    RemedyGrade,
    RemoveFromRegister,
    ReplyStance,
    ServeDecision,
    ServeNotice,
    VerificationOutcome,
    Verify,
    WriteDocument,
)
from headframe.records.finding import Family
from headframe.records.policy import (
    Basis,
    CalculationLine,
    CalculationSheet,
    Clock,
    MeasureMode,
    Pack,
    PartyStanding,
    UnitRole,
)
from headframe.stores.packs import load_packs

HEARD: list[str] = []
"""Every reason that was heard for a no."""

DAY = 86_400_000_000_000
HOUR = DAY // 24
START = 1_772_420_400_000_000_000
"""2026-03-02 03:00 UTC: a Monday, 11:00 in Beijing."""


@cache
def packs() -> dict[str, Pack]:
    """The packs that are shipped."""
    return dict(load_packs())


def account(name: str, *duties: Duty, unit: str = "office") -> Account:
    """An account of a unit."""
    return Account(name=name, unit=unit, duties=frozenset(duties))


SCREENER = account("screener", Duty.SCREEN)
PROPOSER = account("proposer", Duty.PROPOSE)
INSPECTOR = account("inspector", Duty.INSPECT)
VERIFIER = account("verifier", Duty.VERIFY)
HEARER = account("hearer", Duty.HEAR_APPEAL, unit="court")


def decider(pack: Pack, number: int = 1, unit: str = "") -> Account:
    """An account of the unit that decides in a pack; the second one for two approvals."""
    deciding = [entry.id for entry in pack.units if entry.roles & {UnitRole.DECIDE, UnitRole.LEAD}]
    unit = unit or deciding[0]
    return account(f"decider-{number}-{unit}", Duty.DECIDE, unit=unit)


def document(kind: str = "other", name: str = "paper.pdf") -> DocumentRef:
    """A document that is kept elsewhere."""
    return DocumentRef(sha256="ab" * 32, name=name, media_type="application/pdf", kind=kind, size=1_000)


def finding(
    number: int = 1,
    family: Family = Family.CONTENT,
    *,
    ended_ns: int = START - DAY,
    mining: bool = True,
    log10_e: float = 7.0,
) -> FindingRef:
    """A finding of a family of evidence."""
    return FindingRef(
        finding_id=f"F-{number}", family=family, detector="stratum", version="2", subject="10.1.2.3", log10_e=log10_e,
        started_ns=ended_ns - 10 * DAY, ended_ns=ended_ns, sha256="cd" * 32, mining=mining,
    )  # fmt: skip


TWO = (finding(1, Family.CONTENT), finding(2, Family.LOAD))
ONE = (finding(1, Family.CONTENT),)


def opening(pack: Pack, findings: tuple[FindingRef, ...] = TWO, **changed: Any) -> OpenCase:
    """The act that opens a case."""
    wanted = OpenCase(
        case_id="HF-2026-000001", pack_id=pack.id, pack_version=pack.version, pack_digest=pack.digest, site_id="S-1",
        site_kind="data_centre", region="R-1", organisation_id="O-1", usage_points=("UP-1",), findings=findings,
        summary="mining traffic and a flat load",
    )  # fmt: skip
    return replace(wanted, **changed)


def lookup(outcome: LookupOutcome = LookupOutcome.NOT_LISTED) -> LookUpLawful:
    """A look into the registers."""
    return LookUpLawful(outcome=outcome, registers=("register as of 2026-03-01",))


def classification(pack: Pack, standing: PartyStanding = PartyStanding.OPERATOR) -> ProposeClass:
    """A value of each axis that agrees with a standing."""
    axes = []
    for axis in pack.axes:
        fitting = [value for value in axis.values if value.standing in (None, standing)]
        said = [value for value in fitting if value.standing is standing]
        axes.append((axis.id, (said or fitting)[0].id))
    return ProposeClass(standing=standing, axes=tuple(axes), criteria=(), reason="as the evidence shows")


def letter(kind: NoticeKind = NoticeKind.NOTICE) -> ProposeNotice:
    """A letter to the party."""
    name = {NoticeKind.NOTICE: "notice", NoticeKind.INFORMATION: "information_letter", NoticeKind.HELP: "help_letter"}
    return ProposeNotice(kind=kind, document=document(name[kind]), language="en")


def inspection(now_ns: int, machines: int | None = 12) -> RecordInspection:
    """An inspection that has just ended."""
    record = InspectionRecord(
        authority="rule 12", unit="grid", present=("grid company, metering",), started_ns=now_ns - 2 * HOUR,
        ended_ns=now_ns - HOUR, place="hall 2", observations=("racks of machines",), machines_seen=machines,
        meters=(MeterSeen(meter="M-1", reading="10421.7", unit="kWh", seals=("A1",), seals_intact=True),),
        bypass_seen=False, photos=(document("photo", "hall.jpg"),),
    )  # fmt: skip
    return RecordInspection(record=record)


SHEET = CalculationSheet(
    title="surcharge", rule="rule 13", basis=Basis.STATUTORY,
    lines=(CalculationLine(label="surcharge", quantity="12.00", unit="CNY", source="40 kWh at 0.30"),),
    result="12.00", unit="CNY",
)  # fmt: skip


def decision(outcome: DecisionOutcome = DecisionOutcome.CONFIRMED, *, heard: str = "weighed", **more: Any) -> Any:
    """A decision."""
    wanted = ProposeDecision(outcome=outcome, legal_basis=("rule 1",), reason="as shown", heard_reply=heard)
    return replace(wanted, **more)


def sound(wanted: Any, pack: Pack) -> Any:
    """An act with the pack's own rule and body in the place of those that stories name in general."""
    if isinstance(wanted, ProposeDecision) and wanted.legal_basis == ("rule 1",):
        return replace(wanted, legal_basis=(f"{pack.instruments[0].id}#1",))
    if isinstance(wanted, FileAppeal) and wanted.body == "court":
        return replace(wanted, body=appeal_bodies(pack)[0].id)
    return wanted


def measured(
    now_ns: int, *, days: int = 90, outcome: VerificationOutcome = VerificationOutcome.RECTIFIED, coverage: float = 0.98
) -> Verify:
    """A measurement whose later window ends now."""
    after = now_ns - days * DAY
    reading = MetricReading(
        metric="kWh_per_day", before=900.0, after=100.0 if outcome is VerificationOutcome.RECTIFIED else 890.0,
        unit="kWh", expected=905.0, low=850.0, high=960.0, coverage=coverage, outcome=outcome, explanation="",
    )  # fmt: skip
    return Verify(
        measurement=Measurement(
            outcome=outcome, before_from_ns=after - 100 * DAY, before_until_ns=after - DAY, after_from_ns=after,
            after_until_ns=now_ns, detectors=("stratum 2",), metrics=(reading,), coverage=coverage, explanation="",
        )
    )  # fmt: skip


class Story:
    """A case as it goes, under one of the shipped packs."""

    def __init__(self, pack: str | Pack = "campus-operator", now_ns: int = START) -> None:
        self.pack = packs()[pack] if isinstance(pack, str) else pack
        self.now_ns = now_ns
        self.case: Case | None = None
        self.events: list[CaseEvent] = []
        self.commands: tuple[Command, ...] = ()

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """The clocks of the case, as they stand."""
        return () if self.case is None else clocks_of(self.case, self.pack, self.now_ns)

    @property
    def last(self) -> int:
        """Number of the last event."""
        return self.events[-1].number

    def ask(self, who: Account, wanted: Any) -> Accepted | Refused:
        """Put the question, without consequences."""
        return act(self.case, sound(wanted, self.pack), who, self.pack, self.now_ns, self.clocks)

    def __rshift__(self, step: tuple[Account, Any]) -> Story:
        """An act that must be accepted."""
        who, wanted = step
        answer = self.ask(who, wanted(self.now_ns) if callable(wanted) else wanted)
        assert isinstance(answer, Accepted), answer.reasons
        assert [command.event for command in answer.commands if isinstance(command, AppendEvidence)] == list(
            answer.events
        )
        self.case = answer.case
        self.events += answer.events
        self.commands = answer.commands
        assert replay(self.events) == self.case
        return self

    def __lshift__(self, expected: list[str]) -> Story:
        """What the last act asked for, beside the evidence of its event."""
        assert [told(command) for command in self.commands if not isinstance(command, AppendEvidence)] == expected
        return self

    def __add__(self, days: float) -> Story:
        """Time passes."""
        self.now_ns += round(days * DAY)
        return self

    def refuses(self, who: Account, wanted: Any, *reasons: str) -> Story:
        """An act that must be refused, for these reasons among others; nothing changes."""
        before = self.case
        answer = self.ask(who, wanted(self.now_ns) if callable(wanted) else wanted)
        assert isinstance(answer, Refused), f"{wanted} was accepted"
        HEARD.extend(answer.reasons)
        for reason in reasons:
            assert any(reason in given for given in answer.reasons), (reason, answer.reasons)
        assert self.case is before
        return self

    def agreed(self, proposal: Any, who: Account = PROPOSER, *, by: tuple[Account, ...] = ()) -> Story:
        """A proposal and its approval."""
        self >> (who, proposal)
        number = self.last
        for approver in by or (decider(self.pack),):
            self >> (approver, Approve(proposal=number))
        return self

    # Where stories often begin. Each takes up where the one before it ends.

    def opened(self, findings: tuple[FindingRef, ...] = TWO, **changed: Any) -> Story:
        """A case on findings."""
        return self >> (SCREENER, opening(self.pack, findings, **changed))

    def classified(self, standing: PartyStanding = PartyStanding.OPERATOR) -> Story:
        """Opened, looked up, classified; inspected, so that packs that want it first are content."""
        if self.case is None:
            self.opened()
        return (self >> (SCREENER, lookup()) >> (INSPECTOR, inspection)).agreed(
            classification(self.pack, standing)
        ) + 0.1

    def notified(self) -> Story:
        """A notice was served."""
        if self.case is None:
            self.classified()
        self.agreed(letter())
        return self + 1 >> (PROPOSER, lambda now: ServeNotice(proposal=self.last - 1, received_ns=now, channel="post"))

    def heard(self) -> Story:
        """The party has answered."""
        if self.case is None:
            self.notified()
        return self + 1 >> (
            PROPOSER,
            lambda now: RecordReply(received_ns=now, stance=ReplyStance.CONTESTS, document=None, text="not us"),
        )

    def shown(self) -> Story:
        """The party was given the file as it stands."""
        return self >> (PROPOSER, lambda now: GrantAccess(given_ns=now, documents=("the whole file",)))

    def looked_up(self) -> Story:
        """The registers were asked again."""
        return self >> (SCREENER, lookup())

    def decided(self, *measures: str) -> Story:
        """Confirmed, and served."""
        if self.case is None:
            self.heard()
        self.agreed(decision(measures=measures, sheets=(SHEET,)))
        return self + 1 >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))

    def remedied(self) -> Story:
        """The party has ended it, and others prove it."""
        if self.case is None:
            self.decided()
        return self + 1 >> (
            PROPOSER,
            lambda now: RecordRemedy(
                at_ns=now - HOUR, grade=RemedyGrade.B, text="machines sold", documents=(document("remedy_proof"),)
            ),
        )

    def verified(self) -> Story:
        """Measured to be over."""
        if self.case is None:
            self.remedied()
        return self + 91 >> (VERIFIER, measured)

    def closed(self) -> Story:
        """Closed as rectified."""
        if self.case is None:
            self.verified()
        return self.agreed(ProposeClosure(reason=ClosureReason.RECTIFIED, text="over"))


def told(command: Command) -> str:
    """A command in a word or two."""
    match command:
        case WriteDocument(kind=kind, subject=subject):
            return f"write {kind} {subject}".strip()
        case EnterRegister():
            return "enter register"
        case RemoveFromRegister():
            return "remove from register"
        case PurgeContacts():
            return "purge contacts"
    return type(command).__name__


def requestable(pack: Pack) -> str:
    """A measure of the pack that is asked for in the system."""
    return next(measure.id for measure in pack.measures if measure.mode is MeasureMode.IN_SYSTEM_REQUEST)


NAN = math.nan
__all__ = [name for name in dir() if not name.startswith("_")]
