"""What one scan of captures gives, before it is shown."""

from dataclasses import dataclass, field

from headframe.records.finding import Finding, Insufficient, Lookalike


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A stretch of a file that could not be read, and why.

    Attributes
    ----------
    file : str
    offset : int
        First byte that could not be used. [bytes from the start of the (decompressed) file]
    length : int
        How many bytes were passed over. [bytes]
    packets : int
        Packets that are known to have been lost or left undecoded there; 0 where that cannot be known.
    reason : str
        ``truncated``, ``bad record header``, ``bad block``, ``snap length``, ``bad length`` and the like.
    """

    file: str
    offset: int
    length: int
    packets: int
    reason: str


LONGEST_SILENCE_S = 1200
"""From this long without a packet on, nothing says that anything was recorded. [s]

Basis: operator default. A machine that is left alone asks for the time every 1,024 s at the longest (RFC 5905, maximum
poll), so a quiet network at night stays below it; a pool sends work every minute or so, and a miner is never as silent.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLook:
    """A block clock that a scan compared conversations with.

    Attributes
    ----------
    chain : str
    sources : tuple of str
    covered : tuple of (int, int)
        Stretches in which it knows every block. [ns since 1970-01-01 UTC]
    """

    chain: str
    sources: tuple[str, ...] = ()
    covered: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPrefix:
    """That conversations began from a prefix on a day.

    Attributes
    ----------
    day : str
        ``2026-04-21``, in UTC.
    prefix : str
        ``192.0.2.0/24``; of IPv6 ``2001:db8::/48``.
    conversations : int
    """

    day: str
    prefix: str
    conversations: int


@dataclass(slots=True, kw_only=True)
class InputSummary:
    """What was read from one file."""

    file: str
    bytes_read: int = 0
    packets: int = 0
    decoded: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    undecoded: dict[str, int] = field(default_factory=dict)
    """Packets that were read but carry nothing we can decode, by reason (``not IP``, ``unknown link type 147``):
    that is normal, not damage."""
    damage: list[Damage] = field(default_factory=list)
    recorded: list[tuple[int, int]] = field(default_factory=list)
    """Stretches in which packets follow each other, never `LONGEST_SILENCE_S` apart. [ns since 1970-01-01 UTC]"""


@dataclass(slots=True, kw_only=True)
class ScanResult:
    """Everything a report needs."""

    findings: list[Finding] = field(default_factory=list)
    insufficient: list[Insufficient] = field(default_factory=list)
    lookalikes: list[Lookalike] = field(default_factory=list)
    inputs: list[InputSummary] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What the user should know of the scan itself, in sentences: indicator rows that were not understood, gaps of a
    block clock and the like."""
    conversations: int = 0
    packets: int = 0
    bytes_read: int = 0
    elapsed_s: float = 0.0
    timing_tested: int = 0
    """Pairs of client and server that had an e-value of timing; the list of timing findings counts all of them."""
    timing_fdr: float | None = None
    """Share of wrong entries that the list of timing findings may have on average. [unitless]"""
    content_blind: bool = False
    """Payload and ports were hidden from every detector, so content and endpoint could not answer."""
    detectors: tuple[str, ...] = ()
    """That looked at all of the traffic, with their versions: ``stratum 2``. `chain_sync` only with a block clock."""
    clocks: tuple[ClockLook, ...] = ()
    """That timing was compared with."""
    seen: tuple[SeenPrefix, ...] = ()
    """Where conversations began, by day: whether the sensor sees a network at all."""
    seen_left_out: int = 0
    """Prefixes of a day that are not in `seen`, for want of room."""
