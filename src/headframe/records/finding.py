"""What a detector answers: a finding with its evidence, or what it lacks; never a bare score."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from headframe.records.conversation import PacketRef
from headframe.records.indicator import IndicatorKind


class Family(StrEnum):
    """Kinds of evidence. Those of one source (`SOURCE_OF`) are not independent of each other."""

    CONTENT = "content"
    ENDPOINT = "endpoint"
    TIMING = "timing"
    TRAFFIC = "traffic"
    LOAD = "load"
    BALANCE = "balance"
    REGISTRY = "registry"
    INSPECTION = "inspection"


SOURCE_OF: Mapping[Family, str] = MappingProxyType(
    {
        Family.CONTENT: "packets",
        Family.ENDPOINT: "packets",
        Family.TRAFFIC: "packets",
        Family.TIMING: "block times",
        Family.LOAD: "meters",
        Family.BALANCE: "meters",
        Family.REGISTRY: "registry",
        Family.INSPECTION: "inspection",
    }
)
"""Where the chance in a family's false alarms lies. Families of one source err together: they count once, and are
averaged and not multiplied. The one definition of independence: of assessments, of the rules of a case, of the sum."""

METERED = frozenset({Family.LOAD, Family.BALANCE})
"""Families of findings that meters show."""


def independent_sources(families: Iterable[Family]) -> frozenset[str]:
    """In how many independent sources evidence is, and which.

    Parameters
    ----------
    families : iterable of Family
        That speak for mining.

    Returns
    -------
    frozenset of str
    """
    return frozenset(SOURCE_OF[family] for family in families)


class Role(StrEnum):
    """What the host of a finding does."""

    MINER = "miner"
    """Asks for work and hands in shares, or did so towards a pool that answered as one."""
    POOL = "pool"
    """Hands out work and takes shares."""
    PROXY = "proxy"
    """Takes shares from miners and hands them on to a pool in its own name."""
    NODE_CLIENT = "node_client"
    """Asks a node for block templates, as a pool does of its daemon."""
    PROBE = "probe"
    """Spoke a mining protocol to an endpoint that never answered as a pool: an attempt, not mining."""
    CONTACT = "contact"
    """Looked up or touched a known name or address; no session was seen."""
    FOLLOWER = "follower"
    """Hears from its server what other hosts hear from theirs, at the same moments; what that is, is not known. Mining
    is one explanation."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval, in the unit that the field's name says."""

    low: float
    estimate: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares handed in, by the pool's answer. `unanswered` ones were sent but no answer was seen."""

    accepted: int = 0
    rejected: int = 0
    stale: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRef:
    """The rows a statement rests on: one file and packet numbers in it, counted from 1, ascending."""

    file: str
    packets: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLine:
    """One thing that was seen, in words, with the packet that shows it."""

    time_ns: int
    text: str
    packet: PacketRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The course of a mining session, for drawing. Times in ns since 1970-01-01 UTC, ascending in each list."""

    jobs: tuple[int, ...] = ()
    """When the pool pushed a job."""
    shares: tuple[tuple[int, str], ...] = ()
    """When a share was handed in, and ``accepted``, ``rejected``, ``stale`` or ``unanswered``."""
    difficulty: tuple[tuple[int, float], ...] = ()
    """When the share difficulty changed, and to what. [expected hashes per share]"""


MOST_COURSE_BINS = 96
"""Quarters of an hour of a day; five rows of so many counts take less than 4 kB in a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How often jobs and shares were seen over a session: counts in bins, for a picture that a letter can carry.

    Attributes
    ----------
    started_ns : int
        Begin of the first bin. [ns since 1970-01-01 UTC]
    bin_s : int
        Length of each bin. [s]
    jobs : tuple of int
        Jobs that the pool pushed, by bin.
    shares : tuple of (str, tuple of int)
        Shares handed in, by the pool's answer (``accepted``, ``rejected``, ``stale``, ``unanswered``) and bin; an
        answer that no share got is left out.
    """

    started_ns: int
    bin_s: int
    jobs: tuple[int, ...] = ()
    shares: tuple[tuple[str, tuple[int, ...]], ...] = ()


MOST_DRAWN = 2000
"""Blocks, and pushes, that a finding keeps for drawing, the first of each; more marks would be a grey bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSync:
    """How a conversation keeps step with a chain, for words and drawing.

    Attributes
    ----------
    chain : str
        Ticker symbol of the chain that explains the pushes best.
    log10_e_by_chain : tuple of (str, float)
        Evidence against every clock that was at hand, the best first.
    clock_sources : tuple of str
    offset_s : Interval
        How far the pushes lie behind the clock: error of the sensor's clock plus the pool's own delay. [s]
    window_s : float
        How long after its block a push counts. [s]
    pushes_counted : str
        ``all``, ``large`` or ``unasked``: the class of pushes that fits best.
    blocks, hits : int
        Blocks while the conversation was watched, and those that a push followed.
    expected_hits : float
        As many would be by chance.
    watched_s : float
        How long conversation and clock overlap. [s]
    block_ns, push_ns : tuple of int
        For drawing: the blocks, moved by the offset, and the pushes counted, the first `MOST_DRAWN` of each.
        [ns since 1970-01-01 UTC]
    block_hit : tuple of bool
        Whether a push followed each of the blocks.
    """

    chain: str
    log10_e_by_chain: tuple[tuple[str, float], ...]
    clock_sources: tuple[str, ...]
    offset_s: Interval
    window_s: float
    pushes_counted: str
    blocks: int
    hits: int
    expected_hits: float
    watched_s: float
    block_ns: tuple[int, ...] = ()
    block_hit: tuple[bool, ...] = ()
    push_ns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One statement about one host over one period.

    Attributes
    ----------
    detector, version : str
        What found it; the version changes whenever the statistic does.
    family : Family
    role : Role
    host : str
        The address that the finding is about.
    peer : str
        The other side as ``address:port`` (``[address]:port`` for IPv6).
    coins : tuple of str
        Ticker symbols in upper case, the likeliest first; empty where the traffic does not tell.
    protocol : str
        ``stratum-v1``, ``stratum-v2``, ``cryptonote``, ``eth-proxy``, ``ethereum-stratum``, ``zcash-stratum``,
        ``kaspa-stratum``, ``getwork``, ``getblocktemplate``, ``eth-getwork-http``, or the sign of an endpoint
        finding; the carrier (``+tls``, ``+websocket``, ``+http``) is appended where there is one.
    pool : str or None
        Name of the pool or of its server, where known.
    agent : str or None
        Mining software as it names itself.
    started_ns, ended_ns : int
        [ns since 1970-01-01 UTC]
    shares : Shares
    hashrate_hs : Interval or None
        [hashes/s] None where too few shares or no difficulty were seen.
    power_w : Interval or None
        What a machine of known efficiency would draw at that hash rate. [W]
    log10_e : float
        Evidence (design, section 4). An innocent subject shows this at most once in ``10**log10_e``.
    explanation : str
        Plain language: what was seen and why it means what is said.
    contradictions, blind_spots : tuple of str
    evidence : tuple of EvidenceLine
    timeline : Timeline or None
    course : Course or None
        The same, counted in few bins: what documents carry.
    block_sync : BlockSync or None
        Of timing findings.
    sources : tuple of SourceRef
    community_ids : tuple of str
        The conversations it rests on.
    accounts : tuple of str
        Wallets, worker and user names: salted hashes unless the operator asked to reveal them.
    indicator_kinds : tuple of IndicatorKind
        What stands behind the known names and addresses it rests on; empty where none was matched. A malware proxy or
        a web miner tells that the host is probably a victim, and reports say so.
    """

    detector: str
    version: str
    family: Family
    role: Role
    host: str
    peer: str
    protocol: str
    started_ns: int
    ended_ns: int
    log10_e: float
    explanation: str
    coins: tuple[str, ...] = ()
    pool: str | None = None
    agent: str | None = None
    shares: Shares = field(default_factory=Shares)
    hashrate_hs: Interval | None = None
    power_w: Interval | None = None
    contradictions: tuple[str, ...] = ()
    blind_spots: tuple[str, ...] = ()
    evidence: tuple[EvidenceLine, ...] = ()
    timeline: Timeline | None = None
    course: Course | None = None
    block_sync: BlockSync | None = None
    sources: tuple[SourceRef, ...] = ()
    community_ids: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    indicator_kinds: tuple[IndicatorKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Insufficient:
    """A detector that could not answer, and what it lacked."""

    detector: str
    host: str
    peer: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """A conversation that looked like mining and is not: what it is, and how that is known."""

    detector: str
    host: str
    peer: str
    label: str
    reason: str
    started_ns: int
    sources: tuple[SourceRef, ...] = ()
    community_ids: tuple[str, ...] = ()
