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


def schema_of(path: Path) -> pl.Schema:
    """Columns and types of a file.

    Raises
    ------
    ValueError
        If it is no Parquet file.
    """
    import polars as pl

    try:
        return pl.scan_parquet(path).collect_schema()
    except (OSError, pl.exceptions.PolarsError) as fault:
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
        return _wide(path, reader, [*dict.fromkeys(fixed), *cells]), settled_.start is None, reader.options
    mapping = settled(mapping, columns, tally)
    return _long(path, mapping, columns, options, tally), mapping.start is None, options


def slices(path: Path, used: list[str], size: int) -> Iterator[tuple[pl.DataFrame, int]]:
    """Some columns of the file, some rows at a time, and the number of rows before."""
    import polars as pl

    at = 0
    try:
        for frame in pl.scan_parquet(path).select(used).collect_batches(chunk_size=size, maintain_order=True):
            if len(frame):
                yield frame, at
            at += len(frame)
    except (OSError, pl.exceptions.PolarsError) as fault:
        raise ValueError(f"{path} cannot be read as Parquet: {fault}") from fault


def _long(
    path: Path, mapping: ColumnMapping, columns: tuple[str, ...], options: ReadingOptions, tally: Tally
) -> Iterator[pl.DataFrame]:
    reader = TableReader(mapping, options, tally, path.stem)
    used = list(dict.fromkeys(part for name in mapping.named() for part in parts_of(name, columns)))
    for frame, at in slices(path, used, SLICE_ROWS):
        yield reader.take(frame, np.arange(at + 1, at + 1 + len(frame), dtype=np.int64))


def _wide(path: Path, reader: csv_wide.WideReader, used: list[str]) -> Iterator[pl.DataFrame]:
    for frame, at in slices(path, used, max(1, SLICE_ROWS // len(reader.cells))):
        yield reader.take(frame, np.arange(at + 1, at + 1 + len(frame), dtype=np.int64))
