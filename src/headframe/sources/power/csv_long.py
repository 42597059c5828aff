"""CSV with one reading, or a few, to a row.

Lines are read as lines: a quotation mark that is never closed spoils its own row and not those that follow.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headframe.sources.power.columns import ColumnMapping, NoSuchColumn, cannot_guess, guess, parts_of
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.table import TableReader
from headframe.sources.power.tally import Tally
from headframe.sources.power.text_file import TextTable

if TYPE_CHECKING:
    import polars as pl

_REST = "beyond the last column"


def settled(mapping: ColumnMapping | None, columns: tuple[str, ...], tally: Tally) -> ColumnMapping:
    """The mapping to be used on a table with these columns: as told, or guessed, which a remark says.

    Raises
    ------
    ValueError
        If a mapped column is not there, or time or value are neither told nor clear.
    """
    if mapping is None:
        mapping = guess(columns)
        if mapping.start is None and mapping.end is None:
            raise cannot_guess(columns, "the start or the end of an interval")
        if not mapping.values() and mapping.obis is None:
            raise cannot_guess(columns, "the energy or the power")
        tally.remark(f"columns were guessed: {mapping.sentence()}")
    for name in mapping.named():
        for part in parts_of(name, columns):
            if part not in columns:
                shown = ", ".join(repr(c) for c in columns[:30]) + (" ..." if len(columns) > 30 else "")
                raise NoSuchColumn(f"{tally.file} has no column {part!r}; its columns are {shown}")
    if mapping.start is None and mapping.end is None:
        raise cannot_guess(columns, "the start or the end of an interval")
    if mapping.obis is not None and mapping.value is None:
        raise cannot_guess(columns, "the value that belongs to the OBIS code (value=...)")
    if not mapping.values() and mapping.obis is None:
        raise cannot_guess(columns, "the energy or the power")
    return mapping


def rows(table: TextTable, mapping: ColumnMapping, options: ReadingOptions, tally: Tally) -> Iterator[pl.DataFrame]:
    """`RAW` rows, block by block."""
    reader = TableReader(mapping, options, tally, table.path.stem)
    used = list(dict.fromkeys(part for name in mapping.named() for part in parts_of(name, table.header)))
    numbers = {theirs for _, theirs in mapping.values()} | {mapping.duration_s, mapping.value} - {None}
    # A column that stands for two things keeps its text.
    texts = [mapping.usage_point, mapping.start, mapping.end, mapping.flow, mapping.quality, mapping.obis, mapping.unit]
    numbers -= set(texts)
    for block, line in table.blocks():
        frame, row, again, ragged = read_block(table, block, line, used, {n for n in numbers if n})
        yield reader.take(frame, row, again, ragged)


def read_block(
    table: TextTable, block: bytes, line: int, used: list[str], numbers: set[str]
) -> tuple[pl.DataFrame, NDArray[np.int64], Callable[[str], pl.Series], NDArray[np.bool_] | None]:
    """Some columns of a block: the frame, the line of each row, texts on demand, and which have too many fields.

    A row of nothing but delimiters and blanks is no row.
    """
    import polars as pl

    if b"\r" in block[:4096] and b"\n" not in block:
        block = block.replace(b"\r", b"\n")
    width = len(table.header)
    head = table.delimiter.join(f"c{k}" for k in range(width + 1)).encode() + b"\n"
    place = {name: f"c{k}" for k, name in enumerate(table.header)}
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    content = head + block
    quote: str | None = '"' if table.quoted else None

    def read(columns: list[str], kinds: dict[str, type[pl.DataType]]) -> pl.DataFrame:
        nonlocal quote

        def once(sign: str | None) -> pl.DataFrame:
            return pl.read_csv(
                io.BytesIO(content),
                columns=[*columns, f"c{width}"],
                schema={f"c{k}": kinds.get(f"c{k}", pl.String) for k in range(width + 1)},
                separator=table.delimiter,
                quote_char=sign,
                truncate_ragged_lines=True,
                missing_columns="insert",
                ignore_errors=True,
                encoding="utf8-lossy",
                decimal_comma=table.decimal == ",",
            )

        if quote is not None:
            try:
                with warnings.catch_warnings():
                    # Of lines that do not come out even; they are read again without quotation marks.
                    warnings.simplefilter("ignore", UserWarning)
                    frame = once(quote)
                if len(frame) == lines:
                    return frame
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
                pass  # a number that is one lone quotation mark ends in a panic
            quote = None
        frame = once(None)
        if len(frame) != lines:
            raise ValueError(f"{table.path.name}: {lines} lines from line {line} on were read as {len(frame)} rows")
        if table.quoted:
            frame = frame.with_columns(pl.col(pl.String).str.strip_chars(' "'))
        return frame

    wanted = [place[name] for name in used]
    frame = read(wanted, {place[name]: pl.Float64 for name in numbers})
    row: NDArray[np.int64] = np.arange(line, line + len(frame), dtype=np.int64)
    beyond = frame[f"c{width}"]
    ragged = beyond.is_not_null() & (beyond.str.strip_chars() != "")
    keep: pl.Series | None = None
    lead = frame[wanted[0]]
    if (lead.is_null() if lead.dtype != pl.String else lead.is_null() | (lead.str.strip_chars() == "")).any():
        # What looks empty may have a number that is none, or something in a column that is not read.
        first = np.flatnonzero(
            (lead.is_null() if lead.dtype != pl.String else lead.is_null() | (lead.str.strip_chars() == "")).to_numpy()
        )
        every = block.split(b"\n")
        nothing = table.delimiter.encode() + b" \t\r"
        empty = np.zeros(len(frame), bool)
        empty[[k for k in first.tolist() if not every[k].translate(None, nothing)]] = True
        blank = pl.Series(empty)
        if blank.any():
            keep = ~blank
            frame, row, ragged = frame.filter(keep), row[keep.to_numpy()], ragged.filter(keep)

    def again(name: str) -> pl.Series:
        column = read([place[name]], {})[place[name]]
        return column if keep is None else column.filter(keep)

    frame = frame.rename({theirs: name for name, theirs in place.items() if theirs in frame.columns})
    many = ragged.fill_null(False).to_numpy() if ragged.any() else None
    return frame, row, again, many
