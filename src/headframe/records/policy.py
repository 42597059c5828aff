"""A policy pack: who decides what about mining in one jurisdiction, by which rule, with which rights and clocks.

A pack is data. It is compiled from public sources, carries what is missing in it (`Provenance.gaps`) and whether a
lawyer has read it (`Provenance.legal_review`); both go to every screen that uses it. No subject of a pack is a natural
person, and no measure executes itself: there is no mode for either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Words = Mapping[str, str]
"""A text by language (BCP 47): ``{"en": "…", "zh": "…"}``; one language at least."""


def words_in(words: Words, language: str) -> str:
    """The text in a language, else in English, else in the first that there is.

    Parameters
    ----------
    words : mapping of str to str
    language : str
        BCP 47; ``zh-Hans`` falls back to ``zh``.

    Returns
    -------
    str
    """
    for wanted in (language, language.partition("-")[0], "en"):
        if wanted in words:
            return words[wanted]
    return next(iter(words.values()), "")


class Basis(StrEnum):
    """What a rule, a threshold or a date rests on. It is shown beside each."""

    STATUTORY = "statutory"
    POLICY = "policy"
    OPERATOR_DEFAULT = "operator_default"
    """Ours: no public text says so. A user may change it, and nobody may call it law."""


class Step(StrEnum):
    """The steps of a case, as packs order them."""

    SCREEN = "screen"
    CLASSIFY = "classify"
    NOTIFY = "notify"
    REPLY = "reply"
    INSPECT = "inspect"
    DECIDE = "decide"
    REMEDIATE = "remediate"
    VERIFY = "verify"
    REPORT = "report"
    CLOSE = "close"
    REOPEN = "reopen"
    APPEAL = "appeal"
    CORRECT = "correct"


class UnitRole(StrEnum):
    """What a unit may do."""

    LEAD = "lead"
    MONITOR = "monitor"
    INSPECT = "inspect"
    DECIDE = "decide"
    EXECUTE = "execute"
    RECEIVE_REFERRAL = "receive_referral"
    HEAR_APPEAL = "hear_appeal"
    REPORT_TO = "report_to"
    REGISTER = "register"


class SubjectKind(StrEnum):
    """What a pack may be about. There is no natural person here, by design."""

    ORGANISATION = "organisation"
    SITE = "site"
    FACILITY = "facility"
    SUPPLY_POINT = "supply_point"
    NETWORK_PREFIX = "network_prefix"


class PartyStanding(StrEnum):
    """How the party stands to the mining at its site: the axis that every pack has, whatever its own axes are.

    A person decides it. It is what makes a victim no offender: measures apply to an operator and a host only.
    """

    OPERATOR = "operator"
    """Mines itself."""
    HOST = "host"
    """Gives room, power or network to it, and knows."""
    VICTIM = "victim"
    """Its machines or premises are used without its knowledge: a compromised host, a deceived landlord."""
    LAWFUL = "lawful"
    """Mines, and may: licence, filed research, tariff agreement."""
    NOT_MINING = "not_mining"
    """What was seen has another cause."""
    UNDETERMINED = "undetermined"
    """Not known yet, or not to be known. It is an answer, not a gap."""


NOTHING_AGAINST = frozenset({PartyStanding.VICTIM, PartyStanding.LAWFUL, PartyStanding.NOT_MINING})
"""Standings of a party against which nothing is held: no notice, no measure, no line in a ledger of mining, and no
second case on the same findings."""


class MeasureMode(StrEnum):
    """How a measure leaves the system. There is no automatic mode."""

    IN_SYSTEM_REQUEST = "in_system_request"
    """Headframe writes the request document; the unit carries it out."""
    RECORD_ONLY = "record_only"
    """That somebody took it is recorded."""
    REFERRAL_ONLY = "referral_only"
    """Headframe writes a dossier for the unit that decides it."""
    NOT_SUPPORTED = "not_supported"
    """A text names it; Headframe shows the reason why it takes no part, and it cannot be used."""


class Precondition(StrEnum):
    """What must be so before a measure may be asked for."""

    NOTICE_SERVED = "notice_served"
    REPLY_PERIOD_OVER = "reply_period_over"
    SECOND_APPROVER = "second_approver"
    INSPECTION_RECORD = "inspection_record"
    VIOLATION_CONTINUING = "violation_continuing"
    CALCULATION_ATTACHED = "calculation_attached"
    FINAL_DECISION = "final_decision"
    COURT_WARRANT = "court_warrant"


class RightKind(StrEnum):
    """Rights of the party concerned."""

    NOTICE = "notice"
    REPLY = "reply"
    ACCESS_FILE = "access_file"
    CALCULATION = "calculation"
    HEARING = "hearing"
    APPEAL = "appeal"
    CORRECTION = "correction"
    REMOVAL = "removal"
    COMPENSATION = "compensation"


class DeadlineUnit(StrEnum):
    """In what a period is counted."""

    HOUR = "hour"
    CALENDAR_DAY = "calendar_day"
    BUSINESS_DAY = "business_day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A period: how long, from which moment, on what basis.

    Attributes
    ----------
    n : float
        How many of `unit`.
    unit : DeadlineUnit
    start : str
        What it runs from: ``notice_received``, ``decision_received``, ``first_retail_service`` and such.
    basis : Basis
    ref : str
        Instrument and place in it, ``ndrc1283#13``; empty where no text says so.
    calendar : str
        Days off: ``CN``, ``US-TX``; empty for the jurisdiction's own.
    pauses : bool
        Whether it stands still while the unit waits for the other party.
    rolls : bool
        Whether a last day that is a day off moves to the next working day; only where the basis says so.
    rolls_ref : str
        What says so.
    """

    n: float
    unit: DeadlineUnit
    start: str
    basis: Basis
    ref: str = ""
    calendar: str = ""
    pauses: bool = True
    rolls: bool = False
    rolls_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A legal or policy text, and how well it is known."""

    id: str
    title: Words
    status: str
    text_quality: str
    number: str = ""
    issuers: tuple[str, ...] = ()
    issued: str = ""
    effective: str = ""
    expires: str = ""
    url: str = ""
    sha256: str = ""
    retrieved: str = ""
    """When it was read, as far as that is known."""
    parts: str = ""
    """What the places in it are, as they are cited: ``article``, ``section``, ``item``, ``measure``, ``paragraph``;
    empty where the pack does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An authority, company or department that has a part in it."""

    id: str
    name: Words
    roles: frozenset[UnitRole]
    ref: str = ""
    answer: Words = field(default_factory=dict)
    """Where one can write to it: desk, postal address, portal. It is public, and nobody's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A kind of party that the pack is about."""

    id: str
    kind: SubjectKind
    role: str
    label: Words
    ref: str = ""
    outside_rule: str = ""
    """What is done where the party turns out to be a household or somebody on his own: ``exclude``, or
    ``refer_only_outside_system``."""
    site_kinds: tuple[str, ...] = ()
    """Kinds of site (`SiteKind`) that belong to it; empty where the kind does not tell. A subject of the kind `site`
    has them always. Household premises belong to a subject that names them, and to no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisValue:
    """One value of a classification axis, and what it says of the party's standing, where it says so."""

    id: str
    label: Words = field(default_factory=dict)
    standing: PartyStanding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One question that the classification of a case answers; a case gets one value of each, set by a person."""

    id: str
    values: tuple[AxisValue, ...]
    default: str = ""
    ref: str = ""
    label: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A sign that the pack names: what to look at, how to compare it, and on what basis.

    Attributes
    ----------
    id : str
    text : mapping of str to str
    basis : Basis
    ref : str
    feature : str
        Name of a fact, ``kWh_month``; empty where only evidence is asked for.
    op : str
        ``>=``, ``<=``, ``>``, ``<``, ``==`` or ``in``; empty without a threshold.
    value : number, str or tuple
        What the feature is compared with; None without a threshold.
    unit : str
    min_independent_sources : int
        Independent sources of evidence that must support it. [sources]
    evidence : tuple of str
        Kinds of evidence asked for, ``load_profile``.
    proposes : mapping of str to str
        Axis to the value that it proposes where it is met.
    """

    id: str
    text: Words
    basis: Basis
    ref: str = ""
    feature: str = ""
    op: str = ""
    value: Any = None
    unit: str = ""
    min_independent_sources: int = 1
    evidence: tuple[str, ...] = ()
    proposes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Why mining may be allowed, and what proves it."""

    id: str
    text: Words
    proof: str = ""
    expires: bool = False
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataField:
    """A datum that the pack allows to be kept, what for, and for how long. [days]

    `ref` is what asks for the datum; `retention_basis` and `retention_ref` say why it is kept for so long, which is
    another question. `data_class` names the class (`headframe.records.retention.DataClass`) of a datum that Headframe
    does not know; empty where it does.
    """

    field: str
    purpose: str
    personal: str
    unit: str = ""
    source: str = ""
    update: str = ""
    retention_days: int | None = None
    ref: str = ""
    retention_basis: Basis = Basis.OPERATOR_DEFAULT
    retention_ref: str = ""
    data_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What may be asked for, by whom, after what.

    `reason` says why a measure is not supported, or what it takes.
    """

    id: str
    text: Words
    mode: MeasureMode
    decided_by: str
    applies_to: tuple[str, ...] = ()
    executed_by: str = ""
    preconditions: tuple[Precondition, ...] = ()
    legal_basis: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    ends_when: str = ""
    ref: str = ""
    reason: Words = field(default_factory=dict)
    ends_words: Words = field(default_factory=dict)
    """`ends_when` by language, where the pack has it in several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureStep:
    """A step in the pack's order, its unit and its clock."""

    step: Step
    actor: str = ""
    deadline: Deadline | None = None
    template: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A right of the party, the body that grants it, and its clock."""

    right: RightKind
    body: str = ""
    deadline: Deadline | None = None
    ref: str = ""
    id: str = ""
    """Short name of a right of appeal, for commands: ``court``. Where it is empty it follows from the body."""
    answer: Words = field(default_factory=dict)
    """Where the body is written to, where it is no unit of the pack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingDuty:
    """A report that is owed: to which unit, how often, of what; cells below `min_cell` are not shown."""

    id: str
    to: str
    frequency: str
    due: str = ""
    fields: tuple[str, ...] = ()
    min_cell: int = 5
    ref: str = ""
    basis: Basis = Basis.OPERATOR_DEFAULT


CLOSE_WITHIN_DAYS = 60
"""An old window says nothing of today. Operator default: a month's readings come some weeks after the month, and two
accounts take some more. [days]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRule:
    """How the end of mining is measured. [days]"""

    window_days: int
    metrics: tuple[str, ...]
    basis: Basis
    min_coverage: float = 0.9
    close_within_days: int | None = None
    """From the end of the measured window to the closure on it, where the pack says it: see `closes_within`."""
    normalise: tuple[str, ...] = ()
    reopen_if: str = ""
    reopen_words: Words = field(default_factory=dict)
    """`reopen_if` by language, where the pack has it in several."""

    @property
    def closes_within(self) -> tuple[int, Basis]:
        """How long after the end of the measured window a closure may rest on it, and who says so. [days]"""
        if self.close_within_days is None:
            return CLOSE_WITHIN_DAYS, Basis.OPERATOR_DEFAULT
        return self.close_within_days, self.basis


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEvidence:
    """How much the findings of a case must say together before a notice.

    Attributes
    ----------
    least_e : float
        Joint e-value of the independent families (`headframe.evidence.fusion`): a site without mining shows this much,
        or more, at most once in so many. [unitless]
    basis : Basis
    ref : str
        Instrument and place in it; empty where no text says so.
    """

    least_e: float = 100.0
    basis: Basis = Basis.OPERATOR_DEFAULT
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the pack comes from, who has read it, and what is missing in it."""

    compiled: str
    legal_review: str
    gaps: tuple[str, ...]
    reviewer: str = ""
    gap_words: tuple[Words, ...] = ()
    """The gaps by language, in their order; a gap that the pack has in one language only has that one."""
    compiled_words: Words = field(default_factory=dict)
    """`compiled` by language, where the pack has it in several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A policy pack, with what it inherits already in it.

    Attributes
    ----------
    id, version : str
    digest : str
        SHA-256 of the pack's file, in hex: a case says by which text it was handled. Where it inherits, of the file
        followed by the digests (as bytes) of what it inherits from, in order.
    title : mapping of str to str
    time_zone : str
        IANA name; days begin and end there.
    calendar : str
        Days off where a deadline names none.
    """

    id: str
    version: str
    digest: str
    title: Words
    regime: tuple[str, ...]
    country: str
    subdivision: str
    level: str
    inherits: tuple[str, ...]
    time_zone: str
    calendar: str
    instruments: tuple[Instrument, ...]
    units: tuple[Unit, ...]
    subjects: tuple[Subject, ...]
    axes: tuple[Axis, ...]
    criteria: tuple[Criterion, ...]
    exemptions: tuple[Exemption, ...]
    data: tuple[DataField, ...]
    measures: tuple[Measure, ...]
    procedure: tuple[ProcedureStep, ...]
    rights: tuple[Right, ...]
    reporting: tuple[ReportingDuty, ...]
    verification: VerificationRule
    provenance: Provenance
    publication: Mapping[str, Any] = field(default_factory=dict)
    notice_evidence: NoticeEvidence = NoticeEvidence()
    language: str = "en"
    """BCP 47; of documents, where nobody names another."""


class ClockState(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    """What it waited for has happened in time."""
    OVER = "over"
    """Its time is over. That closes nothing by itself."""
    NOT_STARTED = "not_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A period that runs in a case.

    Attributes
    ----------
    id : str
        ``reply``, ``appeal``: the step or right it belongs to.
    state : ClockState
    started_ns : int or None
        [ns since 1970-01-01 UTC]
    due_ns : int or None
        The first instant after the period; None while it is paused without end or not started.
    due_day : str
        The last day on which it can be kept, in the pack's zone: ``2026-11-27``.
    basis : Basis
    ref : str
    explanation : str
        How the date came about: days counted, days off, make-up days, pauses.
    provisional : bool
        The days off of that year are not published yet.
    """

    id: str
    state: ClockState
    started_ns: int | None
    due_ns: int | None
    due_day: str
    basis: Basis
    ref: str = ""
    explanation: str = ""
    provisional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculationLine:
    """One line of a calculation sheet: what, how much, from where."""

    label: str
    quantity: str
    """Decimal number as text, so that nothing is rounded on the way."""
    unit: str
    source: str
    """Where the quantity comes from: a meter reading, a rule and its place, a line above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculationSheet:
    """How a sum of money, or of energy, came about; a sum never goes without it.

    Attributes
    ----------
    title : str
    rule : str
        Instrument and place in it, ``sc186#2``.
    basis : Basis
    lines : tuple of CalculationLine
        In order; the last is the result.
    result : str
        Decimal number as text.
    unit : str
        ``CNY``, ``MYR``, ``kWh``.
    caveats : tuple of str
        Draft rule, missing data, assumptions.
    """

    title: str
    rule: str
    basis: Basis
    lines: tuple[CalculationLine, ...]
    result: str
    unit: str
    caveats: tuple[str, ...] = ()
