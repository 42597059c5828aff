"""Parquet tables of readings, in long or wide form, slice by slice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headframe.sources.power import csv_wide
from headframe.sources.power.columns import ColumnMapping, parts_of
from headframe.sources.power.csv_long import settled
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.table import TableReader
from headframe.sources.power.tally import Tally

if TYPE_CHECKING:
    import polars as pl

SLICE_ROWS = 2_000_000
"""Rows that are read at a time."""


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(4) == b"PAR1"
    except OSError as fault:
        raise ValueError(f"{path}: cannot be read: {fault.strerror or fault}") from fault


def schema_of(path: Path) -> pl.Schema:
    """Columns and types of a file.

    Raises
    ------
    ValueError
        If it is no Parquet file.
    """
    import polars as pl

    try:
        return pl.scan_parquet(path, glob=False).collect_schema()
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as fault:
        raise ValueError(f"{path} cannot be read as Parquet: {fault}") from fault


def rows(
    path: Path, mapping: ColumnMapping | None, options: ReadingOptions, tally: Tally
) -> tuple[Iterator[pl.DataFrame], bool, ReadingOptions]:
    """`RAW` rows slice by slice, whether times are ends, and the options with what the form of the table says."""
    schema = schema_of(path)
    columns = tuple(schema.names())
    numeric = [schema[c].is_numeric() for c in columns]
    wide = csv_wide.wide_mapping(columns, mapping, tally, numeric)
    if wide is not None:
        settled_, cells, day = wide
        reader = csv_wide.WideReader(settled_, cells, day, options, tally, path.stem)
        fixed = [p for n in reader.fixed for p in parts_of(n, columns)]
        used = [*dict.fromkeys(fixed), *cells]
        _refuse_other_types(path, schema, used)
        return _wide(path, reader, used), settled_.start is None, reader.options
    mapping = settled(mapping, columns, tally)
    used = list(dict.fromkeys(part for name in mapping.named() for part in parts_of(name, columns)))
    _refuse_other_types(path, schema, used)
    return _long(path, mapping, used, options, tally), mapping.start is None, options


def _refuse_other_types(path: Path, schema: pl.Schema, used: list[str]) -> None:
    """A cell of these types is no text, number or time.

    Raises
    ------
    ValueError
        Naming the column and its type.
    """
    import polars as pl

    for name in used:
        kind = schema[name]
        if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Time, pl.Duration):
            raise ValueError(
                f"{path}: column {name!r} holds {kind}, which is no text, number or time; map another column"
            )


def _taken(path: Path, reader: TableReader | csv_wide.WideReader, frame: pl.DataFrame, at: int) -> pl.DataFrame:
    """`RAW` rows of a slice.

    Raises
    ------
    ValueError
        If a column is of a type that cannot be made text, number or time.
    """
    import polars as pl

    try:
        return reader.take(frame, np.arange(at + 1, at + 1 + len(frame), dtype=np.int64))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as fault:
        kinds = ", ".join(f"{name!r} is {kind}" for name, kind in list(frame.schema.items())[:10])
        raise ValueError(f"{path}: a column is of a type that cannot be used ({kinds}): {fault}") from fault


def slices(path: Path, used: list[str], size: int) -> Iterator[tuple[pl.DataFrame, int]]:
    """Some columns of the file, some rows at a time, and the number of rows before."""
    import polars as pl

    at = 0
    try:
        chosen = pl.scan_parquet(path, glob=False).select(used)
        for frame in chosen.collect_batches(chunk_size=size, maintain_order=True):
            if len(frame):
                yield frame, at
            at += len(frame)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as fault:
        raise ValueError(f"{path} cannot be read as Parquet: {fault}") from fault


def _long(
    path: Path, mapping: ColumnMapping, used: list[str], options: ReadingOptions, tally: Tally
) -> Iterator[pl.DataFrame]:
    reader = TableReader(mapping, options, tally, path.stem)
    for frame, at in slices(path, used, SLICE_ROWS):
        yield _taken(path, reader, frame, at)


def _wide(path: Path, reader: csv_wide.WideReader, used: list[str]) -> Iterator[pl.DataFrame]:
    for frame, at in slices(path, used, max(1, SLICE_ROWS // len(reader.cells))):
        yield _taken(path, reader, frame, at)
