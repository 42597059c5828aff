"""A case: what accounts ask for (acts), what happened (events), and where the case stands.

An act is what an account asks for. The state machine (`headframe.cases.machine`) answers with events and commands, or
refuses and says why. An event is an act that was accepted, with its number, its time and its account; the events of a
case are the case, everything else is derived from them. Nobody appears here as a person: accounts are accounts of
units, parties are organisations, sites and supply points.

Instants are [ns since 1970-01-01 UTC].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from headframe.records.finding import METERED, Family
from headframe.records.policy import CalculationSheet, PartyStanding


class Duty(StrEnum):
    """What an account may do. One account may have several; the rule of four eyes holds all the same."""

    SCREEN = "screen"
    """Open cases, add findings, look up registers."""
    PROPOSE = "propose"
    DECIDE = "decide"
    """Approve or reject what another account has proposed."""
    INSPECT = "inspect"
    VERIFY = "verify"
    HEAR_APPEAL = "hear_appeal"
    ADMINISTER = "administer"
    """Accounts, keys, retention; no act on a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who acts: an account of a unit, with its duties."""

    name: str
    unit: str
    duties: frozenset[Duty]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRef:
    """A document, photo or data extract that is kept elsewhere, and known by its digest.

    Attributes
    ----------
    sha256 : str
        Hex, of its bytes, taken when it was captured.
    name : str
        File name for people.
    media_type : str
    kind : str
        ``notice``, ``help_letter``, ``inspection_request``, ``decision``, ``referral_dossier``, ``reply``,
        ``photo``, ``remedy_proof``, ``calculation``, ``measurement``, ``appeal``, ``other``.
    size : int
        [bytes]
    """

    sha256: str
    name: str
    media_type: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRef:
    """A finding that a case rests on.

    Attributes
    ----------
    finding_id : str
        In the store.
    family : Family
    detector, version : str
    subject : str
        Address or usage point.
    log10_e : float
    started_ns, ended_ns : int
    sha256 : str
        Of the finding's canonical document.
    mining : bool
        Whether it says that mining goes on there. A contact or probe does not, nor does a load that is worth a look and
        on no list: chance alone gives some in every district. Who accuses needs this.
    """

    finding_id: str
    family: Family
    detector: str
    version: str
    subject: str
    log10_e: float
    started_ns: int
    ended_ns: int
    sha256: str
    mining: bool = True

    @property
    def stands_out(self) -> bool:
        """Whether it says so, or is a load that is worth a look.

        Such a load may be asked about, weighs what its e-value says, and must be gone before anything is called over.
        """
        return self.mining or (self.family in METERED and self.log10_e > 0)


class LookupOutcome(StrEnum):
    """What a look-up in the registers of lawful mining gave."""

    LISTED = "listed"
    """A valid entry covers the site for the whole period of the findings."""
    PARTLY = "partly"
    """An entry covers a part of the period, or less power than was seen."""
    EXPIRED = "expired"
    NOT_LISTED = "not_listed"


class NoticeKind(StrEnum):
    """Letters to a party."""

    NOTICE = "notice"
    """Facts held against the party, the rule, and how to answer; starts the clock of the reply."""
    INFORMATION = "information"
    """That something was seen, and where to ask; nothing is held against anybody. One family of evidence is enough."""
    HELP = "help"
    """To a victim: what was seen, how to clean it, whom to ask."""


class ReplyStance(StrEnum):
    """What a reply says."""

    ADMITS = "admits"
    CONTESTS = "contests"
    CLAIMS_LAWFUL = "claims_lawful"
    CLAIMS_VICTIM = "claims_victim"
    ASKS_TIME = "asks_time"
    ASKS_FILE = "asks_file"
    OTHER = "other"


ASKS = frozenset({ReplyStance.ASKS_TIME, ReplyStance.ASKS_FILE})
"""Replies that ask for something and leave the answer open."""


class DecisionOutcome(StrEnum):
    """What a decision says."""

    CONFIRMED = "confirmed"
    """Mining that the rule forbids, by a party that answers for it."""
    DISMISSED = "dismissed"
    VICTIM = "victim"
    LAWFUL = "lawful"
    UNDETERMINED = "undetermined"


class RemedyGrade(StrEnum):
    """How well a remedy is proved. A closure needs A or B beside the measurement; C and D are recorded."""

    A = "A"
    """Seen by an inspector, with photos and meter."""
    B = "B"
    """Documents of others: removal, sale, end of contract, a provider's word."""
    C = "C"
    """The party's own word, with photos or documents."""
    D = "D"
    """The party's own word alone."""


class VerificationOutcome(StrEnum):
    """What re-measuring gave."""

    RECTIFIED = "rectified"
    PERSISTS = "persists"
    NOT_ENOUGH_DATA = "not_enough_data"


class ClosureReason(StrEnum):
    """Why a case ends. Silence is none of them."""

    RECTIFIED = "rectified"
    """Confirmed, remedied, and measured to be over."""
    DISMISSED = "dismissed"
    LAWFUL = "lawful"
    VICTIM_HELPED = "victim_helped"
    """Help letter served, and measured to be over or handed to those who help."""
    UNDETERMINED = "undetermined"
    """By a decision that says so; never by the lapse of time."""
    DECISION_SET_ASIDE = "decision_set_aside"
    """After an appeal that was upheld."""


class AppealOutcome(StrEnum):
    """What became of an appeal."""

    UPHELD = "upheld"
    """The party is right: the decision is set aside, its measures are withdrawn, its register entry is removed."""
    REJECTED = "rejected"
    REMITTED = "remitted"
    """The decision is set aside, and the case goes back to be decided again."""
    WITHDRAWN = "withdrawn"
    INADMISSIBLE = "inadmissible"
    """It came late, and nothing excuses that: it stays on file, and what was decided stands."""


class CaseRelation(StrEnum):
    """How one case stands to another."""

    RECURRENCE_OF = "recurrence_of"
    SAME_OPERATOR = "same_operator"
    SPLIT_FROM = "split_from"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSeen:
    """A meter at an inspection: its number, reading and seals. The readings as texts, as they stood there."""

    meter: str
    reading: str
    unit: str
    seals: tuple[str, ...] = ()
    seals_intact: bool | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionRecord:
    """What an inspection found.

    Attributes
    ----------
    authority : str
        Instrument and place in it, or the warrant, by which the unit went there.
    unit : str
    present : tuple of str
        Who was there, by role and unit: ``grid company, metering``; never names.
    started_ns, ended_ns : int
    place : str
        Room or part of the site.
    observations : tuple of str
    machines_seen : int or None
    meters : tuple of MeterSeen
    bypass_seen : bool or None
        A connection before the meter. None where it was not looked for.
    photos : tuple of DocumentRef
        Hashed on capture.
    """

    authority: str
    unit: str
    present: tuple[str, ...]
    started_ns: int
    ended_ns: int
    place: str
    observations: tuple[str, ...]
    machines_seen: int | None = None
    meters: tuple[MeterSeen, ...] = ()
    bypass_seen: bool | None = None
    photos: tuple[DocumentRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricReading:
    """One metric before and after, and what it says.

    Attributes
    ----------
    metric : str
        As the pack names it: ``pool_connections``, ``kWh_per_day``, ``load_factor``, ``peer_ratio``, ...
    before, after : float
        NaN where it could not be measured.
    unit : str
    expected : float
        What `after` would be without a change: the baseline under the weather and calendar of the later window.
    low, high : float
        95 % interval of `expected`.
    coverage : float
        Share of the window with data, 0 to 1.
    outcome : VerificationOutcome
    explanation : str
    """

    metric: str
    before: float
    after: float
    unit: str
    expected: float
    low: float
    high: float
    coverage: float
    outcome: VerificationOutcome
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """One day of a before-and-after plot. NaN where missing."""

    day_start_s: int
    value: float
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What was measured again to verify the end of mining.

    Attributes
    ----------
    outcome : VerificationOutcome
    before_from_ns, before_until_ns, after_from_ns, after_until_ns : int
        The two windows.
    detectors : tuple of str
        ``stratum 2``, ``load_step 1``: the same as at first, by version.
    metrics : tuple of MetricReading
    coverage : float
        Smallest of the metrics'.
    new_findings : tuple of FindingRef
        That the same detectors made in the later window.
    missing : tuple of str
    explanation : str
    plot_metric, plot_unit : str
    series : tuple of SeriesPoint
        Both windows, for the plot.
    """

    outcome: VerificationOutcome
    before_from_ns: int
    before_until_ns: int
    after_from_ns: int
    after_until_ns: int
    detectors: tuple[str, ...]
    metrics: tuple[MetricReading, ...]
    coverage: float
    explanation: str
    new_findings: tuple[FindingRef, ...] = ()
    missing: tuple[str, ...] = ()
    plot_metric: str = ""
    plot_unit: str = ""
    series: tuple[SeriesPoint, ...] = ()


# ---------------------------------------------------------------------------------------------------------------------
# Acts. `NAME` is the act's name in the store, in the ledger and in messages; it never changes once released.


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """Screen: open a case on a site, on findings."""

    NAME: ClassVar[str] = "open"
    case_id: str
    pack_id: str
    pack_version: str
    pack_digest: str
    site_id: str
    site_kind: str
    region: str
    organisation_id: str
    usage_points: tuple[str, ...]
    findings: tuple[FindingRef, ...]
    summary: str
    recurrence_of: str = ""
    split_from: str = ""
    """The closed case whose findings go into this one, which is about another party or site, or under another pack."""
    reason: str = ""
    """Why it is split from that; empty where it is not."""
    organisation_name: str = ""
    """As the registry had it; letters name the party so. Empty in cases of older versions: the registry's is taken."""
    site_name: str = ""
    """The same of the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFindings:
    """More findings on the same site."""

    NAME: ClassVar[str] = "add_findings"
    findings: tuple[FindingRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpLawful:
    """Look the site up in the registers of lawful mining."""

    NAME: ClassVar[str] = "look_up_lawful"
    outcome: LookupOutcome
    registers: tuple[str, ...]
    """Which registers were asked, each with the day of its state: ``fns-miners as of 2026-11-01``."""
    entries: tuple[str, ...] = ()
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeClass:
    """Propose the values of the pack's axes and the party's standing."""

    NAME: ClassVar[str] = "propose_class"
    standing: PartyStanding
    axes: tuple[tuple[str, str], ...]
    criteria: tuple[str, ...]
    """Ids of the criteria that are met."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeNotice:
    """Propose a letter to the party."""

    NAME: ClassVar[str] = "propose_notice"
    kind: NoticeKind
    document: DocumentRef
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeNotice:
    """Record that an approved letter was delivered: when, how, with what proof."""

    NAME: ClassVar[str] = "serve_notice"
    proposal: int
    received_ns: int
    channel: str
    proof: DocumentRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReply:
    """Record what the party answered."""

    NAME: ClassVar[str] = "reply"
    received_ns: int
    stance: ReplyStance
    document: DocumentRef | None
    text: str
    answers: int = 0
    """Number of the proposal of the letter that it names, where it came before the recorded receipt of that letter: it
    answers it all the same. 0: it names none, and answers what the party had received by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantAccess:
    """Record that the party was given the file, and which documents were held back and why."""

    NAME: ClassVar[str] = "grant_access"
    given_ns: int
    documents: tuple[str, ...]
    held_back: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseClock:
    """Stop a clock while the unit waits for the other party, or something else that is not the unit's to hasten."""

    NAME: ClassVar[str] = "pause_clock"
    clock: str
    from_ns: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeClock:
    """Let a paused clock run on."""

    NAME: ClassVar[str] = "resume_clock"
    clock: str
    from_ns: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendClock:
    """Give the party more time. Time is never taken away."""

    NAME: ClassVar[str] = "extend_clock"
    clock: str
    until_ns: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordInspection:
    """Record an inspection."""

    NAME: ClassVar[str] = "inspect"
    record: InspectionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeDecision:
    """Propose a decision, with its reasons, its basis, and the measures it asks for."""

    NAME: ClassVar[str] = "propose_decision"
    outcome: DecisionOutcome
    legal_basis: tuple[str, ...]
    reason: str
    measures: tuple[str, ...] = ()
    sheets: tuple[CalculationSheet, ...] = ()
    document: DocumentRef | None = None
    heard_reply: str = ""
    """How what the party answered was weighed; must be there if there was a reply."""
    language: str = ""
    """Of its document; empty: that of the letters before it, else the pack's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeDecision:
    """Record that a decision was delivered; starts the clock of the appeal."""

    NAME: ClassVar[str] = "serve_decision"
    received_ns: int
    channel: str
    proof: DocumentRef | None = None
    decision: int = 0
    """Number of the decision, which is that of its proposal's event; 0 for the one in force. The machine fills that in,
    so that the event alone tells it; older files have 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettingAside:
    """Record that the party was told that a decision, which it had been served, does not hold any more."""

    NAME: ClassVar[str] = "serve_setting_aside"
    decision: int
    """Number of the decision, which is that of its proposal's event."""
    received_ns: int
    channel: str
    proof: DocumentRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareFinal:
    """Record that the decision cannot be appealed any more."""

    NAME: ClassVar[str] = "declare_final"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeMeasure:
    """Propose that a measure of the decision be asked for, or a referral be made, now."""

    NAME: ClassVar[str] = "propose_measure"
    measure: str
    reason: str
    document: DocumentRef | None = None
    sheets: tuple[CalculationSheet, ...] = ()
    court_warrant: DocumentRef | None = None
    approvals: int = 0
    """How many accounts beside the proposer must say yes. The machine fills it in from the pack, so that the events
    alone tell it; what an account hands in does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMeasure:
    """Record that the unit carried a measure out, or ended it."""

    NAME: ClassVar[str] = "record_measure"
    measure: str
    unit: str
    at_ns: int
    ended: bool = False
    text: str = ""
    document: DocumentRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRemedy:
    """Record what the party did to end it, and how well that is proved."""

    NAME: ClassVar[str] = "remedy"
    at_ns: int
    grade: RemedyGrade
    text: str
    documents: tuple[DocumentRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Record what was measured again."""

    NAME: ClassVar[str] = "verify"
    measurement: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeClosure:
    """Propose to close the case."""

    NAME: ClassVar[str] = "propose_closure"
    reason: ClosureReason
    text: str
    language: str = ""
    """Of its document; empty: that of the letters before it, else the pack's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeReopening:
    """Propose to open a closed case again: an error came to light, or the file was incomplete."""

    NAME: ClassVar[str] = "propose_reopening"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAppeal:
    """Record that the party appealed; what was decided rests meanwhile."""

    NAME: ClassVar[str] = "appeal"
    received_ns: int
    body: str
    grounds: str
    document: DocumentRef | None = None
    late: bool = False
    """Whether it came after its time. The machine fills it in from the clocks, so that the events alone tell it; what
    an account hands in does not count."""
    other_body: bool = False
    """Whether the party went to a body that the pack does not name; `body` is then its words, and marked as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmitAppeal:
    """Decide whether an appeal that came late is heard all the same, because the delay is excusable."""

    NAME: ClassVar[str] = "admit_appeal"
    admitted: bool
    reason: str
    document: DocumentRef | None = None
    appeal: int = 0
    """Number of the appeal's event. 0: the only one that waits; the machine fills it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAppeal:
    """Record what the body decided on the appeal."""

    NAME: ClassVar[str] = "decide_appeal"
    outcome: AppealOutcome
    reason: str
    document: DocumentRef | None = None
    standing: PartyStanding | None = None
    """How the party stands to it as the body found; None where it found nothing on that."""
    appeal: int = 0
    """Number of the appeal's event. 0: the only pending one; the machine fills it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeCorrection:
    """Propose to correct what an earlier event says. The event stays; the correction stands beside it."""

    NAME: ClassVar[str] = "propose_correction"
    event: int
    field: str
    value: str
    reason: str
    falls: tuple[int, ...] = ()
    """Events whose step does not stand with what is right, and falls with the approval: that of a decision's or a
    measure's proposal, or of the finality. The machine fills it in, so that the events alone tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Approve what another account proposed; the number is that of the proposal's event."""

    NAME: ClassVar[str] = "approve"
    proposal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Reject what another account proposed."""

    NAME: ClassVar[str] = "reject"
    proposal: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Withdraw one's own proposal."""

    NAME: ClassVar[str] = "withdraw"
    proposal: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCase:
    """Record how another case stands to this one."""

    NAME: ClassVar[str] = "link"
    case_id: str
    relation: CaseRelation


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReport:
    """Record that the case went into a report that the pack asks for."""

    NAME: ClassVar[str] = "report"
    report: str
    to: str
    period: str
    document: DocumentRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHold:
    """Keep everything of this case from being purged (legal hold)."""

    NAME: ClassVar[str] = "hold"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftHold:
    """End a legal hold."""

    NAME: ClassVar[str] = "lift_hold"
    reason: str


Act = (
    OpenCase | AddFindings | LookUpLawful | ProposeClass | ProposeNotice | ServeNotice | RecordReply | GrantAccess
    | PauseClock | ResumeClock | ExtendClock | RecordInspection | ProposeDecision | ServeDecision
    | ServeSettingAside | DeclareFinal
    | ProposeMeasure | RecordMeasure | RecordRemedy | Verify | ProposeClosure | ProposeReopening | FileAppeal
    | AdmitAppeal | DecideAppeal | ProposeCorrection | Approve | Reject | Withdraw | LinkCase | RecordReport
    | PlaceHold | LiftHold
)  # fmt: skip
"""Everything that an account can ask for."""

Proposal = (
    ProposeClass | ProposeNotice | ProposeDecision | ProposeMeasure | ProposeClosure | ProposeReopening
    | ProposeCorrection
)  # fmt: skip
"""What needs a second account before it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """An act that was accepted.

    Attributes
    ----------
    case_id : str
    number : int
        From 1, without gaps.
    at_ns : int
        When it was recorded; never before the event before it.
    account, unit : str
        Who did it.
    act : Act
    """

    case_id: str
    number: int
    at_ns: int
    account: str
    unit: str
    act: Act


class Stage(StrEnum):
    """Where a case stands, in one word, for lists. What may be done next follows from the whole case."""

    SCREENED = "screened"
    CLASSIFIED = "classified"
    NOTIFIED = "notified"
    DECIDED = "decided"
    REMEDIATION = "remediation"
    VERIFIED = "verified"
    APPEALED = "appealed"
    CLOSED = "closed"


class ProposalState(StrEnum):
    """How a proposal stands."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalStatus:
    """A proposal, who made it, and who said yes. A measure may need two who do."""

    number: int
    proposer: str
    act: Proposal
    state: ProposalState
    approvers: tuple[str, ...] = ()
    needed: int = 1
    settled: int | None = None
    """Number of the event that approved it in full, rejected or withdrew it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedNotice:
    """A letter that reached the party."""

    kind: NoticeKind
    document: DocumentRef
    received_ns: int
    event: int
    proposal: int = 0
    """Number of the event that proposed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionStatus:
    """A decision of the case."""

    number: int
    """Of the proposal's event."""
    act: ProposeDecision
    proposer: str
    deciders: tuple[str, ...]
    decided_ns: int
    received_ns: int | None = None
    final_ns: int | None = None
    set_aside: bool = False
    told_set_aside_ns: int | None = None
    """When the party got the letter that says that it was set aside."""
    set_aside_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureStatus:
    """A measure that was asked for."""

    measure: str
    requested_ns: int
    carried_out_ns: int | None = None
    ended_ns: int | None = None
    withdrawn: bool = False
    proposal: int = 0
    """Number of the event that proposed it."""
    withdrawn_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealStatus:
    """An appeal, and what became of it."""

    received_ns: int
    body: str
    grounds: str
    outcome: AppealOutcome | None = None
    decided_ns: int | None = None
    decision: int = 0
    """Number of the decision that it is about."""
    late: bool = False
    """Whether it came after its time."""
    other_body: bool = False
    """Whether its recorder said that the pack does not name that body. Which body it is follows from `body` alone, so
    that one correction moves an appeal from elsewhere to a body of the pack, or the other way."""
    admitted: bool | None = None
    """Of a late one: whether it is heard all the same; None until somebody has said so."""
    event: int = 0
    """Number of the event that recorded it."""
    reason: str = ""
    """Of what was decided on it."""

    @property
    def waits_for_admission(self) -> bool:
        """Whether it came late, and nobody has said yet whether it is heard."""
        return self.late and self.admitted is None and self.outcome is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What an earlier event says wrongly, and what is right."""

    event: int
    field: str
    value: str
    reason: str
    approved_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMark:
    """What is needed of each event to tell the order of things, and who had a part in them."""

    act: str
    """`NAME` of the act."""
    account: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as its events make it (`headframe.cases.machine.replay`). Nothing in it is stored; all is derived."""

    case_id: str
    pack_id: str
    pack_version: str
    pack_digest: str
    site_id: str
    site_kind: str
    region: str
    organisation_id: str
    usage_points: tuple[str, ...]
    opened_ns: int
    opened_by: str
    stage: Stage
    version: int
    """Number of its last event."""
    last_ns: int
    findings: tuple[FindingRef, ...] = ()
    lookup: LookUpLawful | None = None
    lookup_ns: int | None = None
    standing: PartyStanding = PartyStanding.UNDETERMINED
    axes: tuple[tuple[str, str], ...] = ()
    criteria: tuple[str, ...] = ()
    proposals: tuple[ProposalStatus, ...] = ()
    notices: tuple[ServedNotice, ...] = ()
    replies: tuple[RecordReply, ...] = ()
    access: tuple[GrantAccess, ...] = ()
    inspections: tuple[InspectionRecord, ...] = ()
    inspectors: tuple[str, ...] = ()
    decisions: tuple[DecisionStatus, ...] = ()
    measures: tuple[MeasureStatus, ...] = ()
    remedies: tuple[RecordRemedy, ...] = ()
    verifications: tuple[tuple[int, str, Measurement], ...] = ()
    """When, by which account, and what was measured."""
    appeals: tuple[AppealStatus, ...] = ()
    corrections: tuple[Correction, ...] = ()
    links: tuple[tuple[str, CaseRelation], ...] = ()
    reports: tuple[RecordReport, ...] = ()
    organisation_name: str = ""
    """Of the party; empty where the registry's is taken."""
    site_name: str = ""
    pauses: tuple[tuple[str, int, int | None, str], ...] = ()
    """Clock, from, until (None: still), why."""
    extensions: tuple[tuple[str, int, str], ...] = ()
    """Clock, until, why."""
    closed_ns: int | None = None
    closure: ClosureReason | None = None
    on_hold: bool = False
    history: tuple[EventMark, ...] = ()
    """One mark for each event, in order: that of event number n is ``history[n - 1]``."""
    events: tuple[CaseEvent, ...] = ()
    """What it is made of, each as it was recorded. Everything above says what is right now: with what approved
    corrections put in the place of what was recorded."""


# ---------------------------------------------------------------------------------------------------------------------
# Commands: what the machine asks the outside to do after an act was accepted. None of them touches a party.


class DocumentKind(StrEnum):
    """Documents that Headframe writes."""

    NOTICE = "notice"
    INFORMATION_LETTER = "information_letter"
    HELP_LETTER = "help_letter"
    INSPECTION_REQUEST = "inspection_request"
    DECISION = "decision"
    SETTING_ASIDE = "setting_aside"
    MEASURE_REQUEST = "measure_request"
    REFERRAL_DOSSIER = "referral_dossier"
    VERIFICATION_REPORT = "verification_report"
    CLOSURE = "closure"
    WEEKLY_REPORT = "weekly_report"
    DESTRUCTION_CERTIFICATE = "destruction_certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendEvidence:
    """Append an event to the ledger. Every event has one; nothing is acknowledged before it is there."""

    event: CaseEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteDocument:
    """Write a document and keep it with the case. People send it."""

    kind: DocumentKind
    subject: str = ""
    """Which measure, for example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterRegister:
    """Enter a final decision on an organisation or site into the register of decisions.

    Attributes
    ----------
    case_id : str
    decision : int
        Its number.
    unweighed : bool
        Whether an answer that came in time was recorded after the decision, and no decision has weighed it.
    """

    case_id: str
    decision: int
    unweighed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFromRegister:
    """Remove an entry; the fact that there was one stays in the ledger, what it said does not."""

    case_id: str
    decision: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAppealInRegister:
    """Say beside an entry of the register how the appeal against its decision stands.

    Attributes
    ----------
    case_id : str
    decision : int
        Its number.
    unweighed : bool
        Whether an answer that came in time was recorded after the decision, and no decision has weighed it.
    """

    case_id: str
    decision: int
    unweighed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeContacts:
    """Destroy the keys of the delivery addresses that only this case needed."""

    case_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLinkedCase:
    """Findings after closure: somebody should open a case that is linked to this one."""

    recurrence_of: str


Command = (
    AppendEvidence | WriteDocument | EnterRegister | RemoveFromRegister | NoteAppealInRegister | PurgeContacts
    | OpenLinkedCase
)  # fmt: skip
"""What the machine asks the outside to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The machine's yes: what happened, and what is to be done about it."""

    case: Case
    events: tuple[CaseEvent, ...]
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The machine's no: every reason, each with what would be right, and what could be done instead."""

    reasons: tuple[str, ...]
    advice: tuple[OpenLinkedCase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterEntry:
    """A final decision on an organisation or site, in the public register's sense.

    Attributes
    ----------
    entry_id : str
    case_id : str
    decision : int
    organisation_id, site_id : str
    outcome : DecisionOutcome
    legal_basis : tuple of str
    decided_ns, final_ns : int
    expires_ns : int or None
        When the entry leaves the register by itself.
    appeal : str
        ``none``, ``pending``, ``late`` (came late, and nobody has said yet whether it is heard), ``inadmissible``,
        ``rejected``, ``upheld``; ``unweighed``: an answer that came in time was recorded after the decision, and no
        decision has weighed it.
    removed_ns : int or None
    removal_reason : str
    """

    entry_id: str
    case_id: str
    decision: int
    organisation_id: str
    site_id: str
    outcome: DecisionOutcome
    legal_basis: tuple[str, ...]
    decided_ns: int
    final_ns: int
    expires_ns: int | None = None
    appeal: str = "none"
    removed_ns: int | None = None
    removal_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDocument:
    """A document that the store keeps: its reference, language, and when it was written or received.

    `event` is the number of the event that names it or had it written; None where somebody asked for it by hand.
    """

    ref: DocumentRef
    language: str
    created_ns: int
    event: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAddress:
    """Where a unit is written to. It is public and an organisation's: a desk, a postal address, a portal; no name."""

    desk: str = ""
    postal: str = ""
    portal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """All that documents, exports and bundles draw from: a case with everything around it.

    `headframe.casework` assembles it; reports take it and nothing else. `finding_documents` are the findings' JSON
    documents (``docs/schema-finding.json`` or ``docs/schema-usage-point.json``), in the order of ``case.findings``.
    """

    case: Case
    events: tuple[CaseEvent, ...]
    site_name: str
    organisation_name: str
    documents: tuple[KeptDocument, ...] = ()
    finding_documents: tuple[dict[str, object], ...] = ()
    register_entries: tuple[RegisterEntry, ...] = field(default_factory=tuple)
    answers: Mapping[str, AnswerAddress] = field(default_factory=dict)
    """Where units and bodies are written to, by their id in the pack; the workspace's own under the empty one."""
    strange_documents: tuple[KeptDocument, ...] = ()
    """What the database has as documents of the case, and the log has not: nothing draws from them."""
