"""Small tables beside the readings: cells by our names of the columns, row by row, with the row's number."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from headframe.sources.power.columns import plain
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.parquet import is_parquet
from headframe.sources.power.tally import Tally
from headframe.sources.power.text_file import look_at, plain_text

Names = Mapping[str, tuple[str, ...]]
"""Our names with the common names of others, as `plain` gives them; our own need not be repeated."""


def columns_of(header: tuple[str, ...], names: Names, mapping: Mapping[str, str] | None, tally: Tally) -> list[str]:
    """Our name of each column, or an empty text for one that is not read.

    Raises
    ------
    ValueError
        If a mapped column is not there, or a name of the mapping is not ours.
    """
    told = dict(mapping or {})
    strange = [ours for ours in told if ours not in names]
    if strange:
        raise ValueError(f"{tally.file}: {strange[0]!r} is not one of our names: {', '.join(names)}")
    absent = [theirs for theirs in told.values() if theirs not in header]
    if absent:
        raise ValueError(f"{tally.file} has no column {absent[0]!r}; its columns are {', '.join(header[:30])}")
    ours_of = {theirs: ours for ours, theirs in told.items()}
    guesses = {alias: ours for ours, aliases in names.items() if ours not in told for alias in (plain(ours), *aliases)}
    found = []
    for column in header:
        ours = ours_of.get(column) or guesses.get(plain(column), "")
        # Of two columns that mean the same the first is read: the other is told below.
        found.append(ours if ours not in found else "")
    unread = [column for column, ours in zip(header, found, strict=True) if not ours]
    if unread:
        tally.remark(f"columns that are not read: {', '.join(unread)[:200]}")
    return found


def named_rows(
    path: Path, names: Names, mapping: Mapping[str, str] | None, options: ReadingOptions, tally: Tally
) -> tuple[tuple[str, ...], Iterator[tuple[int, dict[str, str]]]]:
    """Our names of the columns, and the rows: their number, counted as the file does, and the cells that have text.

    CSV (any delimiter, plain, gzip or zstd) or Parquet, told by the content. A row that is no row goes to the tally.

    Raises
    ------
    ValueError
        If the file cannot be read at all.
    """
    if is_parquet(path):
        return _parquet_rows(path, names, mapping, tally)
    return _text_rows(path, names, mapping, options, tally)


def _text_rows(
    path: Path, names: Names, mapping: Mapping[str, str] | None, options: ReadingOptions, tally: Tally
) -> tuple[tuple[str, ...], Iterator[tuple[int, dict[str, str]]]]:
    with plain_text(path) as text:
        table = look_at(text, options)
        if not table.has_header:
            raise ValueError(f"{path}: the first line does not name the columns; known are {', '.join(names)}")
        ours = columns_of(table.header, names, mapping, tally)
        # The tables are small, and the unpacked copy is gone when this returns.
        lines = [(first + k, line) for block, first in table.blocks() for k, line in enumerate(block.split(b"\n"))]

    def rows() -> Iterator[tuple[int, dict[str, str]]]:
        for number, raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r")
            if not line.strip(f"{table.delimiter} \t"):
                continue
            tally.rows += 1
            try:
                # Line by line: one quotation mark that is left open must not swallow the rest of the file.
                cells = next(csv.reader([line], delimiter=table.delimiter, strict=True), [])
            except csv.Error as fault:
                tally.problem(f"no row of a table ({fault})", [number])
                continue
            if len(cells) != len(ours):
                tally.problem(f"not as many fields as the header has ({len(ours)})", [number])
                continue
            yield number, {name: cell.strip() for name, cell in zip(ours, cells, strict=True) if name and cell.strip()}

    return tuple(name for name in ours if name), rows()


def _parquet_rows(
    path: Path, names: Names, mapping: Mapping[str, str] | None, tally: Tally
) -> tuple[tuple[str, ...], Iterator[tuple[int, dict[str, str]]]]:
    import polars as pl

    try:
        frame = pl.scan_parquet(path, glob=False)
        header = tuple(frame.collect_schema().names())
        ours = columns_of(header, names, mapping, tally)
        # Only the columns that are known are ever decoded.
        table = frame.select([column for column, name in zip(header, ours, strict=True) if name]).collect()
        for column, kind in table.schema.items():
            if isinstance(kind, pl.Datetime):  # at once: one by one takes most of the time
                instant = pl.col(column).dt.convert_time_zone("UTC") if kind.time_zone else pl.col(column)
                shown = "%Y-%m-%d %H:%M:%S" + ("Z" if kind.time_zone else "")
                table = table.with_columns(instant.dt.strftime(shown))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as fault:
        raise ValueError(f"{path}: damaged Parquet file: {str(fault)[:200]}") from None
    kept = tuple(name for name in ours if name)

    def rows() -> Iterator[tuple[int, dict[str, str]]]:
        for number, cells in enumerate(table.iter_rows(), 1):
            tally.rows += 1
            yield number, {n: text for n, cell in zip(kept, cells, strict=True) if (text := _text(cell))}

    return kept, rows()


def _text(cell: object) -> str:
    """A cell as text: whole numbers that a table keeps as floats (``7.0``) without their fraction."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


def number_of(text: str, decimal_comma: bool = False) -> float:
    """A number of a cell.

    Raises
    ------
    ValueError
        If it is none, or not finite.
    """
    cleaned = text.replace(" ", "").replace("\u00a0", "")
    if "," in cleaned and ("." not in cleaned or decimal_comma):
        cleaned = cleaned.replace(".", "").replace(",", ".") if decimal_comma else cleaned.replace(",", ".")
    value = float(cleaned) if cleaned.isascii() and "_" not in cleaned else float("nan")
    if not abs(value) < 1e18:
        raise ValueError(f"{text[:40]!r} is not a finite number")
    return value
