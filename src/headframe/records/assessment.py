"""What all findings together say of a site over a period, and what was left apart because its site is not known.

An assessment is a proposal to people. It has no verdict, no score and no measure in it, and nobody but sites: what
stood behind an address is named by its role, and the accounts of findings are not carried over.
"""

from dataclasses import dataclass
from enum import StrEnum

from headframe.records.finding import Family, Finding, Insufficient, Interval, Role
from headframe.records.indicator import IndicatorKind
from headframe.records.scan import ClockLook, SeenPrefix
from headframe.records.site import Site, SourceRow

VICTIM_KINDS = frozenset({IndicatorKind.MALWARE_PROXY, IndicatorKind.WEB_MINER})
"""What stands behind a name or address tells that the host which goes there is probably a victim."""


class PeriodLength(StrEnum):
    """How time is cut."""

    DAY = "day"
    WEEK = "week"
    """From Monday (ISO 8601)."""
    MONTH = "month"
    ALL = "all"
    """Everything that was read, as one period."""


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A stretch of time with a name; the first instant belongs, the last does not.

    Attributes
    ----------
    started_ns, ended_ns : int
        [ns since 1970-01-01 UTC]
    name : str
        ``2026-04-21``, ``2026-W17``, ``2026-04`` or ``all``.
    """

    started_ns: int
    ended_ns: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedRow:
    """A row that could not be used: where it is, and why."""

    source: SourceRow
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a scan looked at: without it, "nothing found" says nothing.

    Attributes
    ----------
    detectors : tuple of str
        ``stratum 2``.
    recorded : tuple of (int, int)
        Stretches without a long silence. [ns since 1970-01-01 UTC]
    clocks : tuple of ClockLook
    seen : tuple of SeenPrefix
    seen_left_out : int
    """

    detectors: tuple[str, ...] = ()
    recorded: tuple[tuple[int, int], ...] = ()
    clocks: tuple[ClockLook, ...] = ()
    seen: tuple[SeenPrefix, ...] = ()
    seen_left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsFile:
    """What one file of findings says.

    Attributes
    ----------
    file : str
    findings : tuple of Finding
        Without their timelines, which files do not carry.
    insufficient : tuple of Insufficient
    conversations : int or None
        How many were read. None where the file does not tell.
    timing_tested : int or None
        How many pairs of client and server had an e-value of timing. None where the file does not tell.
    first_ns, last_ns : int or None
        Span of the traffic that was read; None where the file does not tell. [ns since 1970-01-01 UTC]
    content_blind : bool or None
        Whether the scan hid payload and ports from every detector. None where the file does not tell.
    looked : Looked or None
        What the scan looked at. None where the file does not tell: JSON Lines, and scans before 1.4.
    damaged : tuple of DamagedRow
        Rows that could not be used.
    remarks : tuple of str
        What the scan said of itself, and damage of its captures.
    """

    file: str
    findings: tuple[Finding, ...] = ()
    insufficient: tuple[Insufficient, ...] = ()
    conversations: int | None = None
    timing_tested: int | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    content_blind: bool | None = None
    looked: Looked | None = None
    damaged: tuple[DamagedRow, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyAccount:
    """How one family of evidence stands in an assessment.

    Attributes
    ----------
    family : Family
    standing : str
        ``supporting``, ``contradicting``, ``silent`` or ``missing``.
    log10_e : float
        As it enters the list; 0 where it is missing, ``-inf`` where it looked and saw nothing. [unitless]
    detectors : tuple of str
        Those that could answer.
    looks : int
        How often all of them looked, at all sites together: more than at this one.
    findings : int
        That show mining, of this family at this site.
    shown_by : tuple of str
        The detectors of those findings.
    contradictions : tuple of str
        What speaks against mining.
    missing : tuple of str
        What was lacking.
    """

    family: Family
    standing: str
    log10_e: float
    detectors: tuple[str, ...] = ()
    looks: int = 0
    findings: int = 0
    shown_by: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinRate:
    """Mean hash rate over the time in which mining of one coin was seen.

    Attributes
    ----------
    coin : str
        The likeliest of each finding; empty where the traffic does not tell. Hash rates of different coins are of
        different work and have no sum.
    hashrate_hs : Interval
        [hashes/s]
    """

    coin: str
    hashrate_hs: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All evidence on one site over one period.

    Attributes
    ----------
    site : Site
    period : Period
    families : tuple of FamilyAccount
        Every family, in the order of `Family`.
    supporting_sources : int
        Independent sources in which a family supports: a notice takes two, an information letter one.
    sources_without_victims : int
        The same without the findings on addresses that are probably victims: nobody gets a notice for being one.
    log10_e : float
        Of the site by itself: charged with every conversation that was read, since findings do not tell whose they
        were. If nobody mines there, this much is shown at most once in ``10**log10_e``. [unitless]
    log10_e_list : float
        As it enters the list: the conversations are shared out evenly among the sites. It holds for all sites
        together, not for this one. [unitless]
    listed : bool
        Whether it is on the list at the chosen rate.
    adjusted_rate : float
        Smallest false discovery rate at which it would be. [unitless]
    assumptions : tuple of str
        What the merged evidence rests on.
    conversations : int
        Of all scans that could have shown it in this period: so many chances for a false match are counted.
    findings : int
    addresses : tuple of (Role, tuple of str)
        Addresses by what they do, sorted.
    coins, pools : tuple of str
        Of findings that show mining; sorted.
    hash_rates : tuple of CoinRate
        By coin.
    power_w : Interval or None
        What machines of known efficiency would draw on average while mining was seen. [W]
    first_ns, last_ns : int or None
        When mining was seen first and last; it may end after the period. [ns since 1970-01-01 UTC]
    victims : tuple of (IndicatorKind, tuple of str)
        Addresses that are probably victims, and by what it is known.
    open_questions : int
        What detectors could not answer about this site.
    """

    site: Site
    period: Period
    families: tuple[FamilyAccount, ...]
    supporting_sources: int
    sources_without_victims: int
    log10_e: float
    log10_e_list: float
    listed: bool
    adjusted_rate: float
    assumptions: tuple[str, ...] = ()
    conversations: int = 0
    findings: int = 0
    addresses: tuple[tuple[Role, tuple[str, ...]], ...] = ()
    coins: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    hash_rates: tuple[CoinRate, ...] = ()
    power_w: Interval | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    victims: tuple[tuple[IndicatorKind, tuple[str, ...]], ...] = ()
    open_questions: int = 0

    def standing(self, standing: str) -> tuple[FamilyAccount, ...]:
        """The families that stand so."""
        return tuple(account for account in self.families if account.standing == standing)


class Whereabouts(StrEnum):
    """Why findings are not attributed to a site."""

    PARTLY = "partly"
    """One site is known for a part of their time, and nothing for the rest."""
    AMBIGUOUS = "ambiguous"
    """Several sites are possible."""
    UNRESOLVED = "unresolved"
    """None is known."""
    NOT_OURS = "not_ours"
    """The address is public, and neither table nor log ever speaks of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unattributed:
    """Findings on one address whose site is not known; they count for nobody.

    Attributes
    ----------
    host : str
    whereabouts : Whereabouts
    candidates : tuple of str
        Identifiers of the sites that are possible, sorted.
    reasons : tuple of str
        What leads to each.
    missing : tuple of str
        What would tell.
    findings : int
    roles : tuple of Role
    families : tuple of Family
    first_ns, last_ns : int
        [ns since 1970-01-01 UTC]
    """

    host: str
    whereabouts: Whereabouts
    candidates: tuple[str, ...]
    reasons: tuple[str, ...]
    missing: tuple[str, ...]
    findings: int
    roles: tuple[Role, ...]
    families: tuple[Family, ...]
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentResult:
    """Everything that a report of assessments needs.

    Attributes
    ----------
    assessments : tuple of Assessment
        One for each site and period that was tested: the list first, then by evidence.
    unattributed : tuple of Unattributed
        Those of our own addresses first.
    not_tested : tuple of (str, str)
        Sites that the traffic could not have shown, and why.
    method : str
        How the list was cut: ``e-BH``.
    rule : str
        How evidence was merged: ``by_source``, ``mean`` or ``product``.
    fdr : float
        The chosen false discovery rate. [unitless]
    share : float
        By how much the evidence of packets is greater in the list than for a site by itself. [unitless]
    conversations : int
        How many were read in all files.
    timing_tested : int
    findings : int
        All that were read, each once.
    files : tuple of str
    damaged : tuple of DamagedRow
    assumptions : tuple of str
        What is taken for granted of all assessments.
    remarks : tuple of str
    """

    assessments: tuple[Assessment, ...]
    unattributed: tuple[Unattributed, ...]
    not_tested: tuple[tuple[str, str], ...]
    method: str
    rule: str
    fdr: float
    share: float
    conversations: int
    timing_tested: int
    findings: int
    files: tuple[str, ...] = ()
    damaged: tuple[DamagedRow, ...] = ()
    assumptions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def listed(self) -> tuple[Assessment, ...]:
        """Those on the list."""
        return tuple(one for one in self.assessments if one.listed)
