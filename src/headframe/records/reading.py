"""Interval readings: what a meter says, as a table (`interval_reading`) and as series for the detectors.

Names are those of IEC 61968-9 and Green Button: a usage point is where energy is metered, an interval reading is the
energy of one interval, named by its start. A usage point is a place in a grid. Nobody who lives or works behind it is
known here, and nothing is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import TYPE_CHECKING

from headframe.records.site import SourceRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Quality(IntFlag):
    """What is known of a reading's quality; 0 is a plain measured value."""

    MEASURED = 0
    ESTIMATED = 1
    """The source filled it in."""
    CORRECTED = 2
    """A later reading of the same interval replaced it."""
    SUSPECT = 4
    """The source, or the reader with a reason, doubts it."""
    SHARED_OUT = 8
    """A longer reading, or the difference of a register over a gap, spread evenly over its intervals."""
    MISSING = 16
    """The interval was named, but its value is absent; `energy_wh` is null. Zero is never put in its place."""


class Flow(StrEnum):
    """Direction of energy at a usage point, seen from the grid (IEC 61968-9 flowDirection)."""

    DELIVERED = "delivered"
    """From the grid to the customer: consumption."""
    RECEIVED = "received"
    """From the customer to the grid: feed-in."""


INTERVAL_READING: tuple[tuple[str, str, str], ...] = (
    ("usage_point", "str", "identifier of the supply point"),
    ("flow", "str", "delivered or received"),
    ("start_s", "int64", "start of the interval [s since 1970-01-01 UTC]"),
    ("duration_s", "int32", "[s]"),
    ("energy_wh", "float32", "active energy of the interval, null where missing [Wh]"),
    ("quality", "uint8", "see `Quality`"),
)
"""Columns of the `interval_reading` table: name, type, meaning. Sorted by usage point, flow and start in the lake."""


@dataclass(frozen=True, slots=True)
class LocalClock:
    """Civil time of a grid region: when its offset from UTC changes.

    Attributes
    ----------
    zone : str
        IANA name, ``Europe/London``.
    from_s : int64[k]
        Ascending; the first is before all data. [s since 1970-01-01 UTC]
    offset_s : int32[k]
        Local time minus UTC from that instant on. [s]
    holidays : int32[h]
        Days off, ascending, as days since 1970-01-01 in local time. [days]
    """

    zone: str
    from_s: NDArray[np.int64]
    offset_s: NDArray[np.int32]
    holidays: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBatch:
    """Mean power of some usage points, each a gapless run of intervals of one length.

    Runs may start and end at different times. All detectors take this.

    Attributes
    ----------
    usage_points : tuple of str
    first : int64[n + 1]
        Where each run begins in `power_w`; the last entry is its length.
    start_s : int64[n]
        Start of the first interval of each run. [s since 1970-01-01 UTC]
    step_s : int
        Length of all intervals; 3600 for the shape detectors. [s]
    power_w : float32[total]
        Mean power from the grid in each interval, NaN where missing. [W]
    """

    usage_points: tuple[str, ...]
    first: NDArray[np.int64]
    start_s: NDArray[np.int64]
    step_s: int
    power_w: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class HourlySeries:
    """Something that is known for every hour of a region: temperature, price, carbon.

    Attributes
    ----------
    start_s : int
        [s since 1970-01-01 UTC]
    step_s : int
        [s]
    values : float32[n]
        NaN where missing; the unit is said by whoever holds it.
    """

    start_s: int
    step_s: int
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What detectors may know beside the readings.

    Attributes
    ----------
    clock : LocalClock
    temperature_c : HourlySeries or None
        Outdoor temperature. [degrees C]
    price_per_kwh : HourlySeries or None
        [currency/kWh]
    """

    clock: LocalClock
    temperature_c: HourlySeries | None = None
    price_per_kwh: HourlySeries | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePoint:
    """What a utility's tables say of a supply point.

    Attributes
    ----------
    usage_point : str
    tariff_class : str
        As the utility names it (``household``, ``commercial-lv``); empty where it is not said. Peers are of one class.
    contracted_power_w : float or None
        [W]
    region : str
    transformer, feeder, phase : str or None
        Where it hangs in the grid.
    has_generation : bool or None
        Whether PV or another generator is known behind the meter.
    generation_capacity_w : float or None
        [W]
    meter_class : str or None
        Accuracy class of the meter, ``1``, ``0.5S``, ``A``, ``B``, ``C`` (IEC 62053-21/-22, EN 50470-3).
    source : SourceRow
    """

    usage_point: str
    tariff_class: str = ""
    contracted_power_w: float | None = None
    region: str = ""
    transformer: str | None = None
    feeder: str | None = None
    phase: str | None = None
    has_generation: bool | None = None
    generation_capacity_w: float | None = None
    meter_class: str | None = None
    source: SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """A transformer, or a feeder head, with a meter of its own.

    Attributes
    ----------
    transformer : str
    head_usage_point : str
        The usage point under which its own meter's readings stand.
    rated_power_va : float or None
        [VA]
    no_load_loss_w, load_loss_w : float or None
        At nominal voltage; at rated power (IEC 60076-1). [W]
    line_resistance_ohm : float or None
        Of the lines behind it, lumped. [ohm]
    meter_class : str
        Of its own meter.
    source : SourceRow
    """

    transformer: str
    head_usage_point: str
    rated_power_va: float | None = None
    no_load_loss_w: float | None = None
    load_loss_w: float | None = None
    line_resistance_ohm: float | None = None
    meter_class: str = "0.5S"
    source: SourceRow


class MeterEventKind(StrEnum):
    """Events of a meter that matter here (IEC 61968-9 EndDeviceEvent types, in our words)."""

    TAMPER = "tamper"
    COVER_OPENED = "cover_opened"
    MAGNETIC_FIELD = "magnetic_field"
    REVERSE_FLOW = "reverse_flow"
    POWER_OFF = "power_off"
    POWER_ON = "power_on"
    CLOCK_CHANGED = "clock_changed"
    METER_EXCHANGED = "meter_exchanged"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEvent:
    """Something that a meter reported of itself.

    Attributes
    ----------
    usage_point : str
    kind : MeterEventKind
    time_ns : int
        [ns since 1970-01-01 UTC]
    code : str
        As the source writes it (``3.12.29.212`` or an OBIS event code).
    source : SourceRow
    """

    usage_point: str
    kind: MeterEventKind
    time_ns: int
    code: str
    source: SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingAccount:
    """What became of the rows of one file.

    Attributes
    ----------
    file : str
    rows : int
        Read in all, without the header.
    kept : int
        That became readings.
    problems : tuple of (str, int, tuple of SourceRow)
        For each reason, how many rows and the first few of them.
    remarks : tuple of str
        Facts about the file that a user should know: time zone assumed, duplicates merged, registers unrolled.
    """

    file: str
    rows: int
    kept: int
    problems: tuple[tuple[str, int, tuple[SourceRow, ...]], ...] = ()
    remarks: tuple[str, ...] = field(default=())
