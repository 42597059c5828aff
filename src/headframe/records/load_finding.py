"""What a detector answers about a usage point: a finding with its evidence, or what it lacks; never a bare score."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headframe.records.finding import Family, Interval


class Mode(StrEnum):
    """How a mining-like load runs."""

    ALWAYS_ON = "always_on"
    """Day and night, since before the data."""
    STEP = "step"
    """Day and night, since a day within the data."""
    STAGED = "staged"
    """In several steps."""
    CURTAILED = "curtailed"
    """Off at the evening peak."""
    PRICE_FOLLOWING = "price_following"
    """Off where the price is high."""
    NIGHT_ONLY = "night_only"
    OFF_HOURS = "off_hours"
    """Outside working hours: nights and weekends."""
    UNMETERED = "unmetered"
    """The energy passes the transformer and no point's meter."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Onset:
    """Since when, with a 95 % interval. [ns since 1970-01-01 UTC]"""

    earliest_ns: int
    estimate_ns: int
    latest_ns: int


class Standing(StrEnum):
    """What became of a counter-hypothesis."""

    EXCLUDED = "excluded"
    """It was tested and does not explain the load."""
    POSSIBLE = "possible"
    """It was tested and explains the load too."""
    UNTESTED = "untested"
    """What it would take is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterHypothesis:
    """Something lawful that may look like this.

    Attributes
    ----------
    name : str
        ``electric_heating``, ``heat_pump``, ``ev``, ``cold_store``, ``server_room``, ``pv``, ``tariff``,
        ``operating_calendar``.
    standing : Standing
    text : str
        What was tested, with figures; or what is missing.
    """

    name: str
    standing: Standing
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadEstimate:
    """What the load amounts to, if it is mining.

    Attributes
    ----------
    power_w : Interval
        While it runs. [W]
    onset : Onset or None
        None: it ran before the data began.
    mode : Mode
    share : float
        Of the site's energy in the period, 0 to 1. [unitless]
    duty : float
        Share of the time in which it runs, 0 to 1. [unitless]
    energy_wh : Interval
        Since the onset, or over the data. [Wh]
    hours_of_day : tuple of int
        Local hours at which it runs; empty: all, or not by the clock.
    """

    power_w: Interval
    onset: Onset | None
    mode: Mode
    share: float
    duty: float
    energy_wh: Interval
    hours_of_day: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """One line of a calculation: what, how much, at what rate, where that comes from, and the result.

    A sum never stands without the lines that it is made of.
    """

    label: str
    quantity: float
    unit: str
    rate: float
    rate_unit: str
    source: str
    result: float
    result_unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What follows from an estimate, each with its source.

    Attributes
    ----------
    cost : tuple of SheetLine
        Empty where no tariff is known.
    co2 : tuple of SheetLine
    machines : tuple of int
        Fewest and most machines of known models. Never one number.
    hashrate_hs : Interval or None
        SHA-256 hash rate of such machines. [hashes/s]
    """

    cost: tuple[SheetLine, ...] = ()
    co2: tuple[SheetLine, ...] = ()
    machines: tuple[int, int] | None = None
    hashrate_hs: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceMonth:
    """What a transformer's balance leaves over in one local month, or the part of it that is in the data.

    Attributes
    ----------
    started_ns : int
        Begin of its first interval. [ns since 1970-01-01 UTC]
    known_h : float
        How long the balance was complete; the energies are of these hours. [h]
    energy_wh : float
        That passed the head meter, and neither a point's meter nor the losses explain. Below 0: the points meter more.
        [Wh]
    accuracy_wh : float
        As much could all meters at the limits of their classes make, all in one direction. [Wh]
    """

    started_ns: int
    known_h: float
    energy_wh: float
    accuracy_wh: float


TRAITS = frozenset({"flat_load", "load_step", "off_hours", "peer_ratio", "price_follow"})
"""Detectors that describe a part of the load that `likeness` or `homes` has judged whole. They are told where there is
something to tell, so that the best of them, or their mean, would be chosen by its result: none of them is weighed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFinding:
    """One statement about one usage point over one period.

    Attributes
    ----------
    detector, version : str
    family : Family
        ``load`` or ``balance``.
    usage_point : str
    started_ns, ended_ns : int
        The period. [ns since 1970-01-01 UTC]
    score : float
        Higher is more mining-like; comparable among the usage points that this detector saw.
    p_value : float
        Among `peers` peers, or of metrology for `balance`.
    peers : int
        0 where no peers are needed.
    log10_e : float
    estimate : LoadEstimate or None
    explanation : str
    counter_hypotheses : tuple of CounterHypothesis
    contradictions, blind_spots : tuple of str
    months : tuple of BalanceMonth
        Of `balance`, ascending.
    """

    detector: str
    version: str
    family: Family
    usage_point: str
    started_ns: int
    ended_ns: int
    score: float
    p_value: float
    peers: int
    log10_e: float
    explanation: str
    estimate: LoadEstimate | None = None
    counter_hypotheses: tuple[CounterHypothesis, ...] = ()
    contradictions: tuple[str, ...] = ()
    blind_spots: tuple[str, ...] = ()
    months: tuple[BalanceMonth, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadInsufficient:
    """A detector that could not answer about a usage point, and what it lacked."""

    detector: str
    usage_point: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDrawing:
    """What a report draws of a usage point. Daily values, so that a page stays small.

    Attributes
    ----------
    day_start_s : tuple of int
        Start of each local day. [s since 1970-01-01 UTC]
    mean_w, floor_w : tuple of float
        Mean and lowest hour of the day, NaN where missing. [W]
    fitted_floor_w : tuple of float
        What `load_step` fits. [W]
    peers_low_w, peers_high_w : tuple of float
        Middle 90 % of comparable points, scaled to this point's mean; empty without peers. [W]
    residual_w : tuple of float
        What is left after the weather and calendar are taken out, or the transformer's residual. [W]
    """

    day_start_s: tuple[int, ...]
    mean_w: tuple[float, ...]
    floor_w: tuple[float, ...]
    fitted_floor_w: tuple[float, ...] = ()
    peers_low_w: tuple[float, ...] = ()
    peers_high_w: tuple[float, ...] = ()
    residual_w: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePointResult:
    """All that is said of one usage point over one period: one row of ``headframe meters``.

    Attributes
    ----------
    usage_point : str
    started_ns, ended_ns : int
        [ns since 1970-01-01 UTC]
    score : float
        Comparable across rows and runs, higher is more mining-like; ``-inf`` is never used: NaN where nothing could
        answer.
    p_value : float
        Of the score among comparable points; NaN where nothing could answer.
    peers : int
    log10_e : float
        All detectors together, averaged: they read the same meters. A balance that was drawn over the point and not
        traced to it is a look that showed nothing; ``-inf`` where nothing else could answer.
    families : tuple of Family
        Those that support.
    detector : str
        The one whose answer weighs most; empty where none found anything.
    listed : bool
        On the list at the chosen false discovery rate.
    estimate : LoadEstimate or None
    consequences : Consequences or None
    explanation : str
    counter_hypotheses : tuple of CounterHypothesis
    findings : tuple of LoadFinding
        What each detector found.
    insufficient : tuple of LoadInsufficient
    drawing : LoadDrawing or None
        Only of listed points.
    adjusted_rate : float
        Smallest false discovery rate at which it would be on the list. [unitless]
    worth_a_look : bool
        Stands out among its peers, whether or not the list holds it.
    site_id, site_name : str
        Of the registry; empty where it is not known.
    site_note : str
        Why the site is not known for sure.
    """

    usage_point: str
    started_ns: int
    ended_ns: int
    score: float
    p_value: float
    peers: int
    log10_e: float
    explanation: str
    families: tuple[Family, ...] = ()
    detector: str = ""
    listed: bool = False
    estimate: LoadEstimate | None = None
    consequences: Consequences | None = None
    counter_hypotheses: tuple[CounterHypothesis, ...] = ()
    findings: tuple[LoadFinding, ...] = ()
    insufficient: tuple[LoadInsufficient, ...] = ()
    drawing: LoadDrawing | None = None
    adjusted_rate: float = 1.0
    worth_a_look: bool = False
    site_id: str = ""
    site_name: str = ""
    site_note: str = ""
