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
