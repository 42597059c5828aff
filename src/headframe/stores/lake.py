"""A lake of interval readings: Parquet files that are only ever added, and streams of `LoadBatch` out of them.

A lake is a folder with pairs of files, numbered in the order of their coming:

``000001.parquet``
    Readings with the columns of `INTERVAL_READING`, sorted by usage point, flow and start, one row for each interval.
``000001.points.parquet``
    One row for each usage point and flow, in the same order: `usage_point`, `flow`, `rows`, `first_s` (start of the
    first interval), `last_s` (end of the last). It says where in the first file a usage point's readings lie.

The second is written first, under its name; the first is written under another name and renamed. A lake whose writer
was killed has at most a list without readings, which is passed over, and a ``.part`` file, which the next writer may
overwrite. Nothing is ever changed: a correction is a later file, and of two readings of one interval the one from the
later file counts.

Only retention takes readings away (`headframe.stores.lake_purge`): it writes a file anew without them, as
``000001-0001.parquet`` with its own list, and then removes the one before. Of two forms of one number the later
counts.

A batch takes some usage points, whose rows are neighbours in every file, and merges the files' slices by time. So
memory is bounded by the size of a batch and not by that of the lake, unless a single usage point is larger.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.errors import UnreadableInput, fault_words
from headframe.records.reading import LoadBatch, MeterEvent, Quality, ReadingAccount
from headframe.sources.power.columns import ColumnMapping
from headframe.sources.power.intervals import RawRows, reading_schema, to_intervals
from headframe.sources.power.options import LONGEST_S, ReadingOptions
from headframe.sources.power.read import open_readings
from headframe.stores.durable import replacing
from headframe.stores.load_batches import BATCH_ROWS, Columns, Shape, ahead, cuts_of, to_batch
from headframe.stores.locks import exclusive, shared

if TYPE_CHECKING:
    import polars as pl

SPILL_ROWS = 3_000_000
"""Rows of a file that are held in memory before they go to disk, to be sorted by usage point."""

PARQUET: dict[str, Any] = {"row_group_size": 1 << 17, "compression": "zstd", "compression_level": 1}
"""How files of readings are written. A group of rows is what must be read at least to reach one usage point."""

LOCK_TIMEOUT_S = 600.0
"""Retention writes a large lake anew in minutes; whoever adds readings meanwhile waits. [s]"""

LOCK = ".lock"
TRANSFORMERS = "transformers.json"
SPILL = ".spill-"
"""Beginning of a folder's name in which an import sorts rows; nobody's while nobody writes."""

_FORM = re.compile(r"(\d{6})(?:-(\d{4}))?(\.points)?\.parquet\Z", re.ASCII)


class Name(NamedTuple):
    """Number of a file of the lake, and how often it was written anew."""

    number: int
    anew: int

    def file(self, ending: str = ".parquet") -> str:
        """``000001.parquet``, ``000001-0002.parquet``."""
        return f"{self.number:06d}{f'-{self.anew:04d}' if self.anew else ''}{ending}"

    @property
    def listing(self) -> str:
        """``000001.points.parquet``."""
        return self.file(".points.parquet")


def names_in(folder: Path) -> tuple[set[Name], set[Name]]:
    """Files of readings in a folder, and lists; superseded ones too."""
    tables: set[Name] = set()
    lists: set[Name] = set()
    if folder.is_dir():
        for path in folder.iterdir():
            if found := _FORM.match(path.name):
                (lists if found[3] else tables).add(Name(int(found[1]), int(found[2] or 0)))
    return tables, lists


def latest(tables: Iterable[Name]) -> list[Name]:
    """Of several forms of one number the later, in the order of the numbers."""
    return list({name.number: name for name in sorted(tables)}.values())


def listing_columns() -> dict[str, pl.Expr]:
    """What a list says of the rows of one usage point and flow, which are in the order of their start."""
    import polars as pl

    return {
        "rows": pl.len().cast(pl.Int64),
        "first_s": pl.col("start_s").first(),
        "last_s": (pl.col("start_s") + pl.col("duration_s")).max(),
    }


def transformers_in(folder: Path) -> dict[str, frozenset[str]]:
    """Which usage points, its head meter's with them, hang at each transformer that a lake was ever looked at with.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict of str to frozenset of str

    Raises
    ------
    UnreadableInput
        If it was noted, and cannot be read: by it cases keep the readings that a balance is made of.
    """
    path = folder / TRANSFORMERS
    try:
        told = json.loads(path.read_bytes())
        return {str(name): frozenset(map(str, points)) for name, points in told.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as fault:
        raise UnreadableInput(
            f"{path} cannot be read: {fault_words(fault)}. It says which readings a balance is of"
        ) from (fault)


def is_lake(folder: Path) -> bool:
    """Whether a folder is a lake: there are lists of usage points in it."""
    return bool(names_in(folder)[1])


@dataclass(frozen=True, slots=True)
class Span:
    """From the first instant to the last of some readings. [s since 1970-01-01 UTC]"""

    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a file that was taken into a lake."""

    account: ReadingAccount
    events: tuple[MeterEvent, ...]


class Lake:
    """Readings in a folder.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def append(self, readings: pl.DataFrame) -> None:
        """Add readings; where the lake has the same interval already, these count from now on.

        Parameters
        ----------
        readings : polars.DataFrame
            Columns of `INTERVAL_READING`. Of two rows of one interval the later counts.

        Raises
        ------
        ValueError
            If columns are missing or of other types.
        """
        import polars as pl

        if not len(readings):
            return
        schema = reading_schema()
        absent = [name for name in schema if name not in readings.columns]
        if absent:
            raise ValueError(f"these are no interval readings: there is no column {', '.join(absent)}")
        try:
            readings = readings.select(pl.col(name).cast(kind) for name, kind in schema.items())
        except pl.exceptions.PolarsError as fault:
            raise ValueError(f"these are no interval readings: {fault}") from fault
        key = ["usage_point", "flow", "start_s"]
        point, flow, start = (pl.col(name) for name in key)
        same = point == point.shift(1)
        same_flow = same & (flow == flow.shift(1))
        follows = (point > point.shift(1)) | (same & (flow > flow.shift(1))) | (same_flow & (start > start.shift(1)))
        if not readings.select(follows).to_series().slice(1).all():
            readings = readings.sort(key, maintain_order=True).unique(key, keep="last", maintain_order=True)
        points = readings.group_by(["usage_point", "flow"], maintain_order=True).agg(**listing_columns())
        with self.adding():
            self._add(readings, points)

    def note_transformers(self, transformers: Mapping[str, Iterable[str]]) -> None:
        """Keep in mind which usage points hang together; what was noted before stays, for it was so then.

        Parameters
        ----------
        transformers : mapping of str to iterable of str
            Usage points of each, its head meter's with them.
        """
        with exclusive(self.folder / f"{LOCK}-transformers", LOCK_TIMEOUT_S):
            known = transformers_in(self.folder)
            joined = {**known, **{name: known.get(name, frozenset()) | set(own) for name, own in transformers.items()}}
            if joined != known:
                with replacing(self.folder / TRANSFORMERS) as file:
                    told = {name: sorted(points) for name, points in sorted(joined.items())}
                    file.write(json.dumps(told, ensure_ascii=False, indent=1).encode())

    @contextmanager
    def adding(self) -> Iterator[None]:
        """Keep retention out while something is written; others may write at the same time."""
        with shared(self.folder / LOCK, LOCK_TIMEOUT_S):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other writer out."""
        with exclusive(self.folder / LOCK, LOCK_TIMEOUT_S):
            yield

    def _add(self, readings: pl.DataFrame, points: pl.DataFrame) -> None:
        tables, lists = names_in(self.folder)
        name = Name(max((one.number for one in tables | lists), default=0) + 1, 0)
        while True:
            # Whoever makes the list has the number: two writers never share one.
            listing = self.folder / name.listing
            try:
                os.close(os.open(listing, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
                break
            except FileExistsError:
                name = Name(name.number + 1, 0)
        part = self.folder / name.file(".parquet.part")
        try:
            points.write_parquet(listing)
            readings.write_parquet(part, **PARQUET)
            part.rename(self.folder / name.file())
        except BaseException:
            # Half a file of readings would lie there until somebody looks; the list holds the number, and no more.
            part.unlink(missing_ok=True)
            raise

    def take_in(
        self, path: Path, mapping: ColumnMapping | None = None, options: ReadingOptions | None = None
    ) -> TakenIn:
        """Read a file of any size into the lake.

        Rows go to disk by usage point where they are too many to be held, for lengths, registers and repetitions need
        all rows of a usage point together.

        Parameters
        ----------
        path : Path
        mapping, options
            As for `headframe.sources.power.read.read_readings`.

        Returns
        -------
        TakenIn

        Raises
        ------
        ValueError
            If the file cannot be read at all.
        """
        import polars as pl

        events: list[MeterEvent] = []
        with self.adding(), open_readings(Path(path), mapping, options) as source:
            held: list[pl.DataFrame] = []
            rows = 0
            spill: _Spill | None = None
            try:
                for piece in source.pieces:
                    held.append(piece)
                    rows += len(piece)
                    if rows >= SPILL_ROWS:
                        spill = spill or _Spill(self.folder)
                        spill.add(pl.concat(held))
                        held, rows = [], 0
                if spill is not None and held:
                    spill.add(pl.concat(held))
                    held = []
                for frame in spill.groups() if spill is not None else [pl.concat(held)] if held else []:
                    readings, exchanged = to_intervals(RawRows(frame, source.at_end), source.options, source.tally)
                    events += exchanged
                    self.append(readings)
            finally:
                if spill is not None:
                    spill.remove()
            return TakenIn(source.tally.account(), (*source.events, *events))

    def _files(self) -> list[_Grouped]:
        """Files of the lake, in the order of their coming."""
        import polars as pl

        # A folder is not listed in one moment: a form that takes another's place meanwhile could be seen in neither.
        tables, again = names_in(self.folder)[0], names_in(self.folder)[0]
        while tables != again:
            tables, again = again, names_in(self.folder)[0]
        found = []
        for name in latest(tables):
            with _there():
                points = pl.read_parquet(self.folder / name.listing, glob=False)
            found.append(_Grouped(self.folder / name.file(), points))
        return found

    def usage_points(self) -> tuple[str, ...]:
        """Usage points with readings, in order of name."""
        import polars as pl

        files = self._files()
        if not files:
            return ()
        return tuple(pl.concat([f.points.select("usage_point") for f in files])["usage_point"].unique().sort())

    def rows(self) -> int:
        """Readings in the lake, superseded ones too."""
        return sum(int(file.points["rows"].sum()) for file in self._files())

    def span(self) -> Span | None:
        """From the first reading to the last; None for an empty lake."""
        files = self._files()
        if not files:
            return None
        return Span(
            min(int(f.points["first_s"].min()) for f in files),  # type: ignore[arg-type]
            max(int(f.points["last_s"].max()) for f in files),  # type: ignore[arg-type]
        )

    def readings(self, usage_points: Iterable[str] | None = None) -> pl.DataFrame:
        """Readings of some usage points, or of all, in memory; what was corrected is marked.

        Returns
        -------
        polars.DataFrame
            Columns of `INTERVAL_READING`, sorted.
        """
        import polars as pl

        wanted = None if usage_points is None else sorted(set(usage_points))
        parts = []
        for file in self._files():
            scan = pl.scan_parquet(file.path, glob=False)
            if wanted is not None:
                scan = scan.filter(pl.col("usage_point").is_in(wanted))
            with _there():
                parts.append(scan.collect())
        if not parts:
            return pl.DataFrame(schema=reading_schema())
        key = ["usage_point", "flow", "start_s"]
        table = pl.concat(parts)
        if len(parts) == 1:
            return table
        table = table.sort(key, maintain_order=True)
        again = pl.struct(key)
        changed = ((again == again.shift(1)) & pl.col("energy_wh").ne_missing(pl.col("energy_wh").shift(1))).fill_null(
            False
        )
        table = table.with_columns(
            quality=pl.when(changed).then(pl.col("quality") | int(Quality.CORRECTED)).otherwise(pl.col("quality"))
        )
        return table.unique(key, keep="last", maintain_order=True)

    def batches(
        self,
        step_s: int = 3600,
        *,
        points_per_batch: int | None = None,
        usage_points: Iterable[str] | None = None,
        flow: str = "delivered",
        longest_s: int = LONGEST_S,
        zeros_are_missing: bool = True,
        estimates_are_missing: bool = False,
    ) -> Iterator[LoadBatch]:
        """Mean power of all usage points, some at a time, in order of name.

        Parameters
        ----------
        step_s : int
            A step counts where readings cover it; shorter readings are added, longer ones spread. [s]
        points_per_batch : int, optional
            At most; as many as make some four million readings where None.
        usage_points : iterable of str, optional
            Only these.
        flow : str
            ``delivered`` or ``received``.
        longest_s : int
            Readings longer than this are left out: spread over days they look like a load that is always on. [s]
        zeros_are_missing : bool
            Whether long runs of exact 0 in a load that otherwise is never 0 become NaN.
        estimates_are_missing : bool
            Whether readings that the source only estimated become NaN.

        Yields
        ------
        LoadBatch
        """
        import polars as pl

        files = [file.of_flow(flow) for file in self._files()]
        files = [file for file in files if len(file.points)]
        if not files:
            return
        total = (
            pl.concat([f.points.select("usage_point", "rows") for f in files])
            .group_by("usage_point")
            .agg(pl.col("rows").sum())
            .sort("usage_point")
        )
        if usage_points is not None:
            total = total.filter(pl.col("usage_point").is_in(list(set(usage_points))))
        names, rows = total["usage_point"], total["rows"].to_numpy()
        shape = Shape(step_s, longest_s, zeros_are_missing)

        def job(begin: int, end: int) -> Callable[[], LoadBatch]:
            return lambda: _merge(
                [f.take(names[begin], names[end - 1], estimates_are_missing) for f in files], names[begin:end], shape
            )

        cuts = cuts_of(rows, BATCH_ROWS, points_per_batch)
        yield from ahead(job(begin, end) for begin, end in cuts)


@contextmanager
def _there() -> Iterator[None]:
    """A file that went between two looks at it: retention has written it anew under another name."""
    try:
        yield
    except FileNotFoundError as fault:
        raise UnreadableInput(
            f"a file of the lake went while it was read ({fault}): retention took readings away. Do it again"
        ) from fault


@dataclass(frozen=True, slots=True)
class _Slice:
    """Rows of some usage points out of one file."""

    names: pl.Series
    rows: NDArray[np.int64]
    frame: pl.DataFrame


class _Grouped:
    """A file of the lake, and where in it each usage point's readings lie."""

    def __init__(self, path: Path, points: pl.DataFrame, flow_from: NDArray[np.int64] | None = None) -> None:
        self.path, self.points = path, points
        rows = points["rows"].to_numpy()
        self.first = np.cumsum(rows) - rows if flow_from is None else flow_from

    def of_flow(self, flow: str) -> _Grouped:
        which = (self.points["flow"] == flow).to_numpy()
        return _Grouped(self.path, self.points.filter(which), self.first[which])

    def take(self, low: str, high: str, measured_only: bool) -> _Slice:
        """Readings of the usage points from one name to another; estimated ones are null if `measured_only`."""
        import polars as pl

        begin = int(self.points["usage_point"].search_sorted(low, "left"))
        end = int(self.points["usage_point"].search_sorted(high, "right"))
        points = self.points.slice(begin, end - begin)
        rows = points["rows"].to_numpy()
        columns = ["start_s", "duration_s", "energy_wh"]
        if end == begin:
            return _Slice(points["usage_point"], rows, pl.DataFrame(schema={c: reading_schema()[c] for c in columns}))
        first, last = int(self.first[begin]), int(self.first[end - 1] + rows[-1])
        energy = pl.col("energy_wh")
        if measured_only:
            energy = pl.when(pl.col("quality") & int(Quality.ESTIMATED) == 0).then(energy)
        rows_of_file = pl.scan_parquet(self.path, glob=False).slice(first, last - first)
        with _there():
            frame = rows_of_file.select(*columns[:2], energy.alias(columns[2])).collect()
        if int(rows.sum()) != len(frame):
            # The other flow's rows lie between.
            keep = np.zeros(len(frame), bool)
            for at, many in zip(self.first[begin:end] - first, rows, strict=True):
                keep[at : at + many] = True
            frame = frame.filter(pl.Series(keep))
        return _Slice(points["usage_point"], rows, frame)


def _merge(slices: list[_Slice], names: pl.Series, shape: Shape) -> LoadBatch:
    """Batch out of slices of several files, the later of which count."""
    import polars as pl

    slices = [s for s in slices if len(s.frame)]
    if len(slices) == 1 and len(slices[0].names) == len(names):
        only = slices[0]
        first = np.concatenate(([0], np.cumsum(only.rows))).astype(np.int64)
        frame = only.frame
    else:
        place = {name: k for k, name in enumerate(names)}
        point = np.concatenate([np.repeat([place.get(n, -1) for n in s.names], s.rows) for s in slices])
        frame = pl.concat([s.frame for s in slices])
        start = frame["start_s"].to_numpy()
        order = np.lexsort((start, point))  # stable: of equal starts the later file's comes last
        order = order[point[order] >= 0]
        point = point[order]
        frame = frame.select(pl.all().gather(order))
        first = np.searchsorted(point, np.arange(len(names) + 1)).astype(np.int64)
    energy = frame["energy_wh"]
    values = (energy.fill_null(float("nan")) if energy.null_count() else energy).to_numpy()
    columns = Columns(frame["start_s"].to_numpy(), frame["duration_s"].to_numpy(), values)
    return to_batch(tuple(names), first, columns, shape)[0]


class _Spill:
    """Rows on disk, to be had again by usage point.

    Each addition is a file sorted by usage point with a list of them; `groups` reads the same range of names out of
    all.
    """

    def __init__(self, beside: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=SPILL, dir=beside))
        self.files: list[_Sorted] = []

    def add(self, frame: pl.DataFrame) -> None:
        import polars as pl

        if not frame["usage_point"].is_sorted():
            frame = frame.sort("usage_point", maintain_order=True)
        path = self.folder / f"{len(self.files):06d}.parquet"
        frame.write_parquet(path, **PARQUET)
        points = frame.group_by("usage_point", maintain_order=True).agg(rows=pl.len().cast(pl.Int64))
        self.files.append(_Sorted(path, points))

    def groups(self) -> Iterator[pl.DataFrame]:
        import polars as pl

        total = (
            pl.concat([f.points for f in self.files])
            .group_by("usage_point")
            .agg(pl.col("rows").sum())
            .sort("usage_point")
        )
        names = total["usage_point"]
        for begin, end in cuts_of(total["rows"].to_numpy(), SPILL_ROWS // 2, None):
            yield pl.concat([f.take(names[begin], names[end - 1]) for f in self.files])

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class _Sorted:
    """A file of the spill."""

    def __init__(self, path: Path, points: pl.DataFrame) -> None:
        self.path, self.points = path, points
        self.last = points["rows"].cum_sum().to_numpy()

    def take(self, low: str, high: str) -> pl.DataFrame:
        import polars as pl

        begin = int(self.points["usage_point"].search_sorted(low, "left"))
        end = int(self.points["usage_point"].search_sorted(high, "right"))
        first = int(self.last[begin - 1]) if begin else 0
        last = int(self.last[end - 1]) if end > begin else first
        return pl.scan_parquet(self.path, glob=False).slice(first, last - first).collect()
