"""Batches straight out of a Parquet table of readings, without a lake in between.

The column of usage points is read first, alone: it says whether each usage point's rows stand together, and where.
Then come times and values, in slices of whole usage points. A table in another order, or one whose columns need more
than a multiplication, is left to a lake on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.records.reading import LoadBatch, ReadingAccount
from headframe.sources.power import csv_wide, parquet
from headframe.sources.power.columns import POWER, VALUES, ColumnMapping
from headframe.sources.power.csv_long import settled
from headframe.sources.power.options import EARLIEST_S, LATEST_S, LONGEST_S, ReadingOptions
from headframe.sources.power.tally import Tally
from headframe.sources.power.times import seconds_of_numbers
from headframe.stores.load_batches import BATCH_ROWS, Columns, Repeats, Shape, ahead, cuts_of, to_batch

if TYPE_CHECKING:
    import polars as pl

_SCAN_ROWS = 2_000_000
MOST_RUNS = 50_000_000
"""Usage points that are held in a list; a table with more is one whose rows do not stand together."""


class _Plan(NamedTuple):
    """A table that can be read as it stands."""

    start: str
    value: str
    scale: float
    is_power: bool
    names: pl.Series
    first: NDArray[np.int64]
    """Where each usage point's rows begin, and the number of rows."""


class ParquetReadings:
    """A Parquet table that can be read as it stands, over and over, like a lake.

    Parameters
    ----------
    path : Path
    plan : _Plan
        From `open_parquet`.
    options : ReadingOptions
    remarks : tuple of str
        Said of the table as a whole.

    Attributes
    ----------
    account : ReadingAccount or None
        What became of the rows, once all batches of all usage points were taken.
    """

    def __init__(self, path: Path, plan: _Plan, options: ReadingOptions, remarks: tuple[str, ...]) -> None:
        self.path = path
        self._plan, self._options, self._remarks = plan, options, remarks
        self.account: ReadingAccount | None = None

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return int(self._plan.first[-1])

    def usage_points(self) -> tuple[str, ...]:
        """Usage points, in the order of the file."""
        return tuple(self._plan.names)

    def span(self) -> tuple[int, int] | None:
        """Start of the earliest interval and of the latest; None for an empty table. [s since 1970-01-01 UTC]"""
        import polars as pl

        column = pl.col(self._plan.start)
        ends = pl.scan_parquet(self.path, glob=False).select(low=column.min(), high=column.max()).collect()
        low, _ = _seconds(ends["low"])
        high, _ = _seconds(ends["high"])
        return None if ends["low"].null_count() or not len(ends) else (int(low[0]), int(high[0]))

    def batches(
        self,
        step_s: int = 3600,
        *,
        points_per_batch: int | None = None,
        usage_points: Iterable[str] | None = None,
        longest_s: int = LONGEST_S,
        zeros_are_missing: bool = True,
    ) -> Iterator[LoadBatch]:
        """Mean power of all usage points, or of some, in the order of the file; see `Lake.batches`."""
        plan, shape = self._plan, Shape(step_s, longest_s, zeros_are_missing)
        tally = Tally(str(self.path))
        for remark in self._remarks:
            tally.remark(remark)
        state = _State(self._options.duration_s or 0)
        runs = np.arange(len(plan.names), dtype=np.int64)
        if usage_points is not None:
            import polars as pl

            runs = runs[plan.names.is_in(pl.Series(list(usage_points), dtype=pl.String).implode()).to_numpy()]

        def job(part: NDArray[np.int64]) -> Callable[[], tuple[LoadBatch, Repeats]]:
            return lambda: self._batch(part, shape, tally, state)

        parts = []
        # Rows that must be read: from the first of a batch to its last, with what lies between.
        reach = plan.first[runs + 1] - np.concatenate((plan.first[runs[:1]], plan.first[runs[:-1] + 1]))
        for begin, end in cuts_of(reach, BATCH_ROWS, points_per_batch):
            parts.append(runs[begin:end])
        for batch, repeats in ahead(job(part) for part in parts):
            tally.remark("{} repeated rows were merged", repeats.readings)
            tally.remark(
                "{} intervals were said again with another value: the last counts", repeats.readings - repeats.same
            )
            yield batch
        if usage_points is None:
            self.account = tally.account()

    def _batch(self, runs: NDArray[np.int64], shape: Shape, tally: Tally, state: _State) -> tuple[LoadBatch, Repeats]:
        import polars as pl

        from headframe.kernels.readings import ascends, infer_lengths

        plan = self._plan
        low, high = int(plan.first[runs[0]]), int(plan.first[runs[-1] + 1])
        frame = pl.scan_parquet(self.path, glob=False).select(plan.start, plan.value).slice(low, high - low).collect()
        many = plan.first[runs + 1] - plan.first[runs]
        first = np.concatenate(([0], np.cumsum(many))).astype(np.int64)
        row = np.zeros(0, np.int64)
        if first[-1] != len(frame):
            # Rows of usage points that are not asked for lie between.
            row = np.repeat(plan.first[runs] - low - first[:-1], many) + np.arange(first[-1])
            frame = frame.select(pl.all().gather(row))
        tally.rows += len(frame)
        start_s, bad_time = _seconds(frame[plan.start])
        column = frame[plan.value]
        if not column.dtype.is_float():
            column = column.cast(pl.Float64)
        value = (column.fill_null(float("nan")) if column.null_count() else column).to_numpy()
        least, most = column.min(), column.max()
        bad_value = np.zeros(0, bool)
        if least is not None and most is not None and not (least * plan.scale > -3e38 and most * plan.scale < 3e38):  # type: ignore[operator]
            bad_value = np.abs(value) * plan.scale >= 3e38
        if bad_time.size or bad_value.size:
            bad = np.zeros(len(frame), bool)
            for reason, which in (("the time is not understood", bad_time), ("the value is no number", bad_value)):
                if which.size:
                    tally.problem(reason, self._rows_of(np.flatnonzero(which & ~bad), row, low),
                                  int((which & ~bad).sum()))  # fmt: skip
                    bad |= which
            start_s, value = start_s[~bad], value[~bad]
            first = first - np.concatenate(([0], np.cumsum(bad)))[first]
        if least is not None and least < 0:  # type: ignore[operator]
            tally.remark("{} negative energies are taken for net feed-in, with 0 delivered", int((value < 0).sum()))
            value = np.maximum(value, value.dtype.type(0))
        if not ascends(first, start_s):
            order = np.lexsort((start_s, np.repeat(np.arange(len(runs)), np.diff(first))))
            start_s, value = start_s[order], value[order]
        if self._options.duration_s is not None:
            duration_s = np.full(len(start_s), self._options.duration_s, np.int32)
        else:
            duration_s = np.empty(len(start_s), np.int32)
            infer_lengths(first, start_s, False, state.usual_s, duration_s)
            state.usual_s = state.usual_s or int(np.median(duration_s[:100_000])) if len(duration_s) else state.usual_s
            unknown = np.flatnonzero(duration_s[first[:-1][np.diff(first) > 0]] == 0)
            if unknown.size:
                rows = np.flatnonzero(duration_s == 0)
                tally.problem("the length of the interval is not known: say it with duration_s",
                              self._rows_of(rows, row, low), len(rows))  # fmt: skip
        columns = Columns(start_s, duration_s, value, plan.scale, plan.is_power)
        names = tuple(plan.names.gather(runs))
        return to_batch(names, first, columns, shape)

    @staticmethod
    def _rows_of(at: NDArray[np.int64], row: NDArray[np.int64], low: int) -> list[int]:
        """Rows of the file, counted from 1, of some places in a batch."""
        at = at[:100]
        return [int(one) for one in (row[at] if row.size else at) + low + 1]


def open_parquet(
    path: Path, mapping: ColumnMapping | None = None, options: ReadingOptions | None = None
) -> ParquetReadings | None:
    """A Parquet table as a lake, without taking it into one; None if it has to be: other types, another order.

    Parameters
    ----------
    path : Path
    mapping : ColumnMapping or None
        Guessed from common names where None.
    options : ReadingOptions or None

    Returns
    -------
    ParquetReadings or None

    Raises
    ------
    ValueError
        If the file is no Parquet, or it is not clear which column is what.
    """
    options = options or ReadingOptions()
    tally = Tally(str(path))
    plan = _plan(Path(path), mapping, options, tally)
    return None if plan is None else ParquetReadings(Path(path), plan, options, tally.account().remarks)


class _State:
    """What one batch tells the next."""

    def __init__(self, usual_s: int) -> None:
        self.usual_s = usual_s


def _seconds(column: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Seconds of a column of times, and which of them are none; empty where all are. [s]"""
    import polars as pl

    nulls = column.is_null().to_numpy() if column.null_count() else np.zeros(0, bool)
    if column.null_count():
        column = (
            column.fill_null(strategy="zero")
            if column.dtype.is_numeric()
            else column.fill_null(pl.lit(0).cast(column.dtype))
        )
    if isinstance(column.dtype, pl.Datetime):
        seconds = column.dt.epoch("s").to_numpy()
    elif column.dtype == pl.Date:
        seconds = column.cast(pl.Int64).to_numpy() * 86_400
    else:
        seconds = seconds_of_numbers(column.cast(pl.Int64).to_numpy())
    if len(seconds) and (seconds.min() < EARLIEST_S or seconds.max() >= LATEST_S):
        strange = (seconds < EARLIEST_S) | (seconds >= LATEST_S)
        nulls = strange | nulls if nulls.size else strange
    return seconds, nulls


def _plan(path: Path, mapping: ColumnMapping | None, options: ReadingOptions, tally: Tally) -> _Plan | None:
    """How to read a file as it stands; None if it cannot be."""
    import polars as pl

    schema = parquet.schema_of(path)
    columns = tuple(schema.names())
    if csv_wide.wide_mapping(columns, mapping, Tally(""), [schema[c].is_numeric() for c in columns]) is not None:
        return None
    mapping = settled(mapping, columns, tally)
    values = mapping.values()
    delivered = [(ours, theirs) for ours, theirs in values if not ours.startswith("export")]
    if (
        mapping.usage_point is None
        or mapping.start is None
        or mapping.start not in columns
        or mapping.end or mapping.duration_s or mapping.flow or mapping.quality or mapping.obis
        or len(delivered) != 1
    ):  # fmt: skip
        return None
    ours, value = delivered[0]
    kind, scale = VALUES[ours]
    time, point = schema[mapping.start], schema[mapping.usage_point]
    aware = (isinstance(time, pl.Datetime) and time.time_zone is not None) or time.is_integer()
    if ours.startswith("register") or not schema[value].is_numeric() or not (time.is_temporal() or time.is_integer()):
        return None
    if time in (pl.Time, pl.Duration) or not (aware or options.zone in (None, UTC)):
        return None
    if not (point in (pl.String, pl.Categorical, pl.Enum) or point.is_integer()):
        return None
    found = _runs(path, mapping.usage_point)
    if found is None:
        return None
    names, first = found
    if not aware and options.zone is None:
        tally.remark("times without an offset are taken as UTC")
    if len(values) > 1:
        tally.remark("columns of export are not needed here and were not read")
    return _Plan(mapping.start, value, scale, kind == POWER, names, first)


def _runs(path: Path, column: str) -> tuple[pl.Series, NDArray[np.int64]] | None:
    """Usage points in the order of the file, and where their rows begin; None if one stands in two places."""
    import polars as pl

    names: list[pl.Series] = []
    starts: list[NDArray[np.int64]] = []
    last: str | None = None
    at, count = 0, 0
    for frame, _ in parquet.slices(path, [column], _SCAN_ROWS):
        point = frame[column]
        if point.null_count():
            return None
        change = np.flatnonzero(np.diff(point.rle_id().to_numpy())) + 1
        begin = np.concatenate(([0], change)).astype(np.int64)
        own = point.gather(begin).cast(pl.String).str.strip_chars()
        if (own == "").any():
            return None
        if last is not None and own[0] == last:
            own, begin = own.slice(1), begin[1:]
        if len(own):
            last = str(own[-1])
        names.append(own)
        starts.append(begin + at)
        at += len(frame)
        count += len(own)
        if count > MOST_RUNS or (count > 1000 and count > at // 2 and own.n_unique() < len(own)):
            return None
    if not names:
        return pl.Series([], dtype=pl.String), np.zeros(1, np.int64)
    all_names = pl.concat(names)
    if all_names.n_unique() != len(all_names):
        return None
    return all_names, np.concatenate([*starts, [at]]).astype(np.int64)
