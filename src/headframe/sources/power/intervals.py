"""From rows as a file has them to interval readings: one for each usage point, flow and interval.

Whatever the format, its reader hands rows of one form, `RAW`, to `to_intervals`, together with all other rows of the
same usage points. There civil times become UTC, lengths are inferred, registers become differences, powers energies,
and repetitions one reading.

- The hour that clocks show twice in autumn is told by the order of a usage point's rows: a face that comes for the
  first time is the first. In a table that runs backwards it is the other way round.
- A register's fall is a roll-over where it stood in the last tenth before a power of ten, stands in the first tenth
  after it, and the energy between is no more than ten times what the register ever counted at that pace. Any other
  fall is an exchanged meter: that interval is missing, and an event says so.
- A negative energy is the net of an interval that fed in more than it drew. It becomes a received reading, and the
  delivered one is 0; a remark counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.records.reading import MeterEvent, MeterEventKind, Quality
from headframe.records.site import SourceRow
from headframe.sources.power.columns import ENERGY, POWER, REGISTER
from headframe.sources.power.options import EARLIEST_S, LATEST_S, LONGEST_S, ReadingOptions
from headframe.sources.power.tally import Tally
from headframe.sources.power.times import civil_to_utc

if TYPE_CHECKING:
    import polars as pl

RAW = (
    ("row", "Int64"),
    ("usage_point", "String"),
    ("received", "Boolean"),
    ("kind", "UInt8"),
    ("time_s", "Int64"),
    ("naive", "Boolean"),
    ("end_s", "Int64"),
    ("duration_s", "Int32"),
    ("value", "Float64"),
    ("quality", "UInt8"),
)
"""Rows as a reader hands them over: the row in the file, the time (civil where `naive`) of the start, or of the end
where the table names intervals so; `end_s` beside a start, and `duration_s`, null where not said; `value` in Wh or W,
null where missing."""

ROLL_OVER_MARGIN = 0.1
"""A register that rolls over stood in the last tenth of its range and stands in the first afterwards. With a reading a
day, a tenth of a five-digit register is 10,000 kWh: more than premises with such a meter use in a day."""

LEAST_RANGE_WH = 1e6
"""No meter has fewer than three digits for its kilowatt hours: a fall from 95 kWh is no roll-over. [Wh]"""

ROLL_OVER_PACE = 10.0
"""Times the fastest pace that the register showed elsewhere."""


@dataclass(frozen=True, slots=True)
class RawRows:
    """Rows of one form, and whether `time_s` names the end of its interval."""

    frame: pl.DataFrame
    at_end: bool = False


def raw_schema() -> dict[str, pl.DataType]:
    """`RAW` as polars wants it."""
    import polars as pl

    return {name: getattr(pl, kind)() for name, kind in RAW}


def reading_schema() -> dict[str, pl.DataType]:
    """`INTERVAL_READING` as polars wants it."""
    import polars as pl

    return {
        "usage_point": pl.String(),
        "flow": pl.String(),
        "start_s": pl.Int64(),
        "duration_s": pl.Int32(),
        "energy_wh": pl.Float32(),
        "quality": pl.UInt8(),
    }


class _Rows(NamedTuple):
    """Sorted by usage point, flow, time, and row."""

    row: NDArray[np.int64]
    group: NDArray[np.int64]
    """Usage point and flow as one number."""
    kind: NDArray[np.uint8]
    time_s: NDArray[np.int64]
    end_s: NDArray[np.int64]
    """0 where not said."""
    duration_s: NDArray[np.int64]
    """0 where not said."""
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> _Rows:
        return _Rows._make(column[which] for column in self)


def to_intervals(
    raw: RawRows, options: ReadingOptions, tally: Tally, fallback_s: int = 0
) -> tuple[pl.DataFrame, tuple[MeterEvent, ...]]:
    """Interval readings of some usage points, out of all their rows.

    Parameters
    ----------
    raw : RawRows
    options : ReadingOptions
    tally : Tally
        Problems and remarks go here.
    fallback_s : int
        Length for a usage point whose rows do not show one; the most frequent of all where 0. [s]

    Returns
    -------
    (polars.DataFrame, tuple of MeterEvent)
        Columns of `INTERVAL_READING`, sorted; and exchanges of meters that registers show.
    """
    import polars as pl

    frame = raw.frame
    if not len(frame):
        return pl.DataFrame(schema=reading_schema()), ()
    names = frame["usage_point"].unique().sort()
    place = pl.DataFrame({"usage_point": names, "place": pl.Series(range(len(names)), dtype=pl.Int64)})
    if len(names) == 1:
        point = np.zeros(len(frame), np.int64)
    else:
        point = (
            frame.select("usage_point")
            .join(place, on="usage_point", how="left", maintain_order="left")["place"]
            .to_numpy()
        )
    rows = _Rows(
        row=frame["row"].to_numpy(),
        group=point * 2 + frame["received"].to_numpy(),
        kind=frame["kind"].to_numpy(),
        time_s=frame["time_s"].to_numpy(),
        end_s=frame["end_s"].fill_null(0).to_numpy(),
        duration_s=frame["duration_s"].fill_null(0).cast(pl.Int64).to_numpy(),
        value=frame["value"].fill_null(float("nan")).to_numpy(),
        quality=frame["quality"].to_numpy(),
    )
    rows = _in_utc(rows, frame["naive"].to_numpy(), options, tally)
    rows = _plausible(rows, tally)
    rows = _one_kind(_sorted(rows), tally)
    lengths = _lengths(rows, raw.at_end, options, fallback_s)
    events: list[MeterEvent] = []
    registers = rows.kind == REGISTER
    parts: list[Columns] = []
    if not registers.any():
        parts.append(_intervals(rows, lengths, raw.at_end, tally))
    elif not registers.all():
        parts.append(_intervals(rows.take(~registers), lengths[~registers], raw.at_end, tally))
    if registers.any():
        parts.append(_differences(rows.take(registers), lengths[registers], names, tally, events))
    columns = parts[0] if len(parts) == 1 else _joined(*parts)
    if not _ascending(columns.group, columns.start_s):
        columns = columns.take(np.lexsort((columns.start_s, columns.group)))
    group, start_s, duration_s, energy_wh, quality = _feed_in(columns, tally)
    missing = np.isnan(energy_wh)
    quality = np.where(missing, quality | Quality.MISSING, quality).astype(np.uint8)
    table = pl.DataFrame(
        {
            "usage_point": names.gather(group >> 1) if len(group) else pl.Series([], dtype=pl.String),
            "flow": pl.Series(["delivered", "received"]).gather(group & 1)
            if len(group)
            else pl.Series([], dtype=pl.String),
            "start_s": start_s,
            "duration_s": duration_s.astype(np.int32),
            "energy_wh": pl.Series(energy_wh.astype(np.float32)).fill_nan(None),
            "quality": quality,
        }
    )
    return table, tuple(events)


def _in_utc(rows: _Rows, naive: NDArray[np.bool_], options: ReadingOptions, tally: Tally) -> _Rows:
    if not naive.any():
        return rows
    zone = options.zone
    if zone is None or zone is UTC:
        if zone is None:
            tally.remark("times without an offset are taken as UTC")
        return rows
    tally.remark(f"times without an offset are taken as civil time of {zone}")
    which = np.flatnonzero(naive)
    time_s, end_s = rows.time_s.copy(), rows.end_s.copy()
    never = np.zeros(len(naive), bool)
    for column in (time_s, end_s):
        said = which[column[which] != 0]
        civil = civil_to_utc(column[said], zone)
        never[said] |= civil.never
        utc = civil.early_s.copy()
        twice = np.flatnonzero((civil.late_s != civil.early_s) & ~civil.never)
        if twice.size:
            later = _comes_again(rows, said, column, twice)
            utc[twice[later]] = civil.late_s[twice[later]]
            if column is time_s:
                tally.remark("{} times in the hour that clocks show twice were told apart by the order of rows",
                             twice.size)  # fmt: skip
        column[said] = utc
    rows = rows._replace(time_s=time_s, end_s=end_s)
    if never.any():
        tally.problem("a time that clocks skipped in spring", rows.row[never].tolist())
        rows = rows.take(~never)
    return rows


def _comes_again(
    rows: _Rows, said: NDArray[np.int64], column: NDArray[np.int64], twice: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which of the times that clocks showed twice are the second showing."""
    at = said[twice]
    group, face, row = rows.group[at] * 4 + rows.kind[at], column[at], rows.row[at]
    # Whether the table runs backwards, told by its neighbouring rows of one usage point.
    step = np.diff(column[said])
    same = np.diff(rows.group[said]) == 0
    backwards = np.count_nonzero(step[same] < 0) > np.count_nonzero(step[same] > 0)
    order = np.lexsort((-row if backwards else row, face, group))
    again = np.zeros(len(at), bool)
    again[order[1:]] = (group[order[1:]] == group[order[:-1]]) & (face[order[1:]] == face[order[:-1]])
    return again


def _plausible(rows: _Rows, tally: Tally) -> _Rows:
    bad = (rows.time_s < EARLIEST_S) | (rows.time_s >= LATEST_S)
    if bad.any():
        tally.problem("a time before 1970 or after 2100", rows.row[bad].tolist())
        rows = rows.take(~bad)
    lengths = np.where(rows.end_s != 0, rows.end_s - rows.time_s, rows.duration_s)
    said = (rows.end_s != 0) | (rows.duration_s != 0)
    bad = said & ((lengths <= 0) | (lengths > LONGEST_S))
    if bad.any():
        tally.problem("an interval that ends before it starts, or lasts for more than 400 days", rows.row[bad].tolist())
        rows, lengths = rows.take(~bad), lengths[~bad]
    return rows._replace(duration_s=lengths)


def _ascending(group: NDArray[np.int64], time_s: NDArray[np.int64]) -> bool:
    step = np.diff(group)
    return bool(np.all((step > 0) | ((step == 0) & (np.diff(time_s) >= 0))))


def _sorted(rows: _Rows) -> _Rows:
    """By usage point, flow and time; rows of the same time in the order of the file."""
    if _ascending(rows.group, rows.time_s):
        return rows
    if np.any(np.diff(rows.row) < 0):
        return rows.take(np.lexsort((rows.row, rows.time_s, rows.group)))
    # One stable sort of one number is several times as fast as a sort by two keys.
    low = rows.time_s.min()
    span = int(rows.time_s.max() - low) + 1
    return rows.take(np.argsort(rows.group * span + (rows.time_s - low), kind="stable"))


def _starts(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where runs of equal numbers begin, and the length."""
    if not len(group):
        return np.zeros(1, np.int64)
    return np.concatenate(([0], np.flatnonzero(np.diff(group)) + 1, [len(group)])).astype(np.int64)


def _one_kind(rows: _Rows, tally: Tally) -> _Rows:
    """Where a usage point has its energy as intervals and as a register too, the intervals."""
    if not len(rows.kind) or rows.kind.min() == rows.kind.max():
        return rows
    first = _starts(rows.group)
    best = np.minimum.reduceat(rows.kind, first[:-1])
    spare = rows.kind > np.repeat(best, np.diff(first))
    if spare.any():
        tally.problem(
            "says in another form what interval readings of the same usage point say", rows.row[spare].tolist()
        )
        rows = rows.take(~spare)
    return rows


def _lengths(rows: _Rows, at_end: bool, options: ReadingOptions, fallback_s: int) -> NDArray[np.int64]:
    """Length of each interval as said or inferred; 0 where it cannot be known. [s]"""
    if options.duration_s is not None:
        return np.where(rows.duration_s > 0, rows.duration_s, options.duration_s)
    if not len(rows.row) or rows.duration_s.all():
        return rows.duration_s
    from headframe.kernels.readings import infer_lengths

    first = _starts(rows.group)
    inferred = np.zeros(len(rows.row), np.int32)
    infer_lengths(first, rows.time_s, at_end, fallback_s, inferred)
    if fallback_s == 0 and (inferred == 0).any() and (inferred > 0).any():
        common = np.bincount(inferred[inferred > 0]).argmax() if inferred.max() < 10_000_000 else int(inferred.max())
        inferred[inferred == 0] = common
    return np.where(rows.duration_s > 0, rows.duration_s, inferred)


class Columns(NamedTuple):
    """Intervals. [s], [Wh]"""

    group: NDArray[np.int64]
    start_s: NDArray[np.int64]
    duration_s: NDArray[np.int64]
    energy_wh: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def take(self, which: NDArray[np.int64]) -> Columns:
        return Columns._make(column[which] for column in self)


def _joined(one: Columns, other: Columns) -> Columns:
    return Columns(
        group=np.concatenate((one.group, other.group)),
        start_s=np.concatenate((one.start_s, other.start_s)),
        duration_s=np.concatenate((one.duration_s, other.duration_s)),
        energy_wh=np.concatenate((one.energy_wh, other.energy_wh)),
        quality=np.concatenate((one.quality, other.quality)),
    )


def _intervals(rows: _Rows, lengths: NDArray[np.int64], at_end: bool, tally: Tally) -> Columns:
    unknown = (lengths <= 0) | (lengths > LONGEST_S)
    if unknown.any():
        tally.problem("the length of the interval is not known: say it with duration_s", rows.row[unknown].tolist())
        rows, lengths = rows.take(~unknown), lengths[~unknown]
    start_s = rows.time_s - lengths if at_end else rows.time_s
    energy = np.where(rows.kind == POWER, rows.value * lengths / 3600.0, rows.value)
    quality = rows.quality
    if len(start_s) > 1:
        again = (rows.group[1:] == rows.group[:-1]) & (start_s[1:] == start_s[:-1])
        if again.any():
            return _last_counts(rows.group, start_s, lengths, energy, quality, again, tally)
    return Columns(rows.group, start_s, lengths, energy, quality)


def _last_counts(
    group: NDArray[np.int64],
    start_s: NDArray[np.int64],
    lengths: NDArray[np.int64],
    energy: NDArray[np.float64],
    quality: NDArray[np.uint8],
    again: NDArray[np.bool_],
    tally: Tally,
) -> Columns:
    """Of readings of one interval the last in the file, which counts as a correction where it says something else."""
    said = ~np.isnan(energy)
    first = np.flatnonzero(np.concatenate(([True], ~again)))
    last = np.concatenate((first[1:], [len(group)])) - 1
    # A later row without a value takes nothing back.
    last = np.maximum.reduceat(np.where(said, np.arange(len(group)), -1), first).clip(min=-1)
    last = np.where(last < 0, np.concatenate((first[1:], [len(group)])) - 1, last)
    low = np.fmin.reduceat(energy, first)
    high = np.fmax.reduceat(energy, first)
    differ = low != high
    differ &= ~np.isnan(low)
    repeats = len(group) - len(first)
    changed = int(np.count_nonzero(differ))
    tally.remark("{} repeated rows were merged", repeats)
    tally.remark("{} intervals were said again with another value: the last counts, marked as corrected", changed)
    quality = quality[last] | np.where(differ, np.uint8(Quality.CORRECTED), np.uint8(0))
    return Columns(group[last], start_s[last], lengths[last], energy[last], quality)


def _differences(
    rows: _Rows, lengths: NDArray[np.int64], names: pl.Series, tally: Tally, events: list[MeterEvent]
) -> Columns:
    """Energy between the readings of a register."""
    missing = np.isnan(rows.value)
    if missing.any():
        tally.problem("a register without a value", rows.row[missing].tolist())
        rows, lengths = rows.take(~missing), lengths[~missing]
    again = np.zeros(len(rows.row), bool)
    if len(rows.row) > 1:
        again[:-1] = (rows.group[1:] == rows.group[:-1]) & (rows.time_s[1:] == rows.time_s[:-1])
    tally.remark("{} repeated rows were merged", int(again.sum()))
    rows, lengths = rows.take(~again), lengths[~again]
    group, time_s, value = rows.group, rows.time_s, rows.value
    pair = np.flatnonzero(group[1:] == group[:-1]) if len(group) > 1 else np.zeros(0, np.int64)
    start_s, length = time_s[pair], time_s[pair + 1] - time_s[pair]
    energy = value[pair + 1] - value[pair]
    quality = rows.quality[pair] | rows.quality[pair + 1]
    too_long = length > LONGEST_S
    if too_long.any():
        tally.remark("{} pairs of register values are more than 400 days apart: nothing is said of the time between",
                     int(too_long.sum()))  # fmt: skip
        near = ~too_long
        pair, start_s, length, energy, quality = pair[near], start_s[near], length[near], energy[near], quality[near]
    falls = np.flatnonzero(energy < 0)
    if falls.size:
        pace = np.where(energy >= 0, energy / length, 0.0)
        first = _starts(group[pair])
        fastest = np.repeat(np.maximum.reduceat(pace, first[:-1]), np.diff(first))
        rolled = 0
        for k in falls:
            before, after = value[pair[k]], value[pair[k] + 1]
            full = 10.0 ** (np.floor(np.log10(before)) + 1) if before >= LEAST_RANGE_WH / 10 else np.inf
            between = full - before + after
            close = before >= (1 - ROLL_OVER_MARGIN) * full and 0 <= after <= ROLL_OVER_MARGIN * full
            if close and fastest[k] > 0 and between / length[k] <= ROLL_OVER_PACE * fastest[k]:
                energy[k] = between
                rolled += 1
                continue
            energy[k] = np.nan
            quality[k] |= Quality.SUSPECT
            events.append(
                MeterEvent(
                    usage_point=str(names[int(group[pair[k]] >> 1)]),
                    kind=MeterEventKind.METER_EXCHANGED,
                    time_ns=int(time_s[pair[k] + 1]) * 1_000_000_000,
                    code="register fell",
                    source=SourceRow(tally.file, int(rows.row[pair[k] + 1])),
                )
            )
        tally.remark("{} roll-overs of registers were unrolled", rolled)
        tally.remark(
            "{} times a register fell without rolling over: taken for an exchanged meter, that interval is missing",
            len(falls) - rolled,
        )
    usual = lengths[pair]
    over = (usual > 0) & (length > usual)
    quality = quality | np.where(over, np.uint8(Quality.SHARED_OUT), np.uint8(0))
    tally.remark("{} differences of registers span a gap and are shared out over it", int(over.sum()))
    return Columns(group[pair], start_s, length, energy, quality.astype(np.uint8))


def _feed_in(columns: Columns, tally: Tally) -> Columns:
    """Make of a negative delivered energy a received one and a delivered 0."""
    negative = np.flatnonzero(columns.energy_wh < 0)
    if not negative.size:
        return columns
    tally.remark("{} negative energies are taken for net feed-in: received, with 0 delivered", negative.size)
    part = columns.take(negative)
    energy = columns.energy_wh.copy()
    energy[negative] = 0.0
    both = _joined(columns._replace(energy_wh=energy), part._replace(group=part.group ^ 1, energy_wh=-part.energy_wh))
    both = both.take(np.lexsort((both.start_s, both.group)))
    # Where the other flow has a reading of its own already, both are parts of one net: they add up.
    new = (both.group[1:] != both.group[:-1]) | (both.start_s[1:] != both.start_s[:-1])
    first = np.flatnonzero(np.concatenate(([True], new)))
    return both.take(first)._replace(energy_wh=np.add.reduceat(both.energy_wh, first))


__all__ = ["ENERGY", "POWER", "RAW", "REGISTER", "RawRows", "raw_schema", "reading_schema", "to_intervals"]
