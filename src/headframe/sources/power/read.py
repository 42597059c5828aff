"""Any file of readings: its form is told by its content."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.records.reading import MeterEvent
from headframe.sources.power import csv_long, csv_wide, parquet
from headframe.sources.power.columns import ColumnMapping
from headframe.sources.power.intervals import RawRows, to_intervals
from headframe.sources.power.options import ReadingFile, ReadingOptions
from headframe.sources.power.table import empty_rows
from headframe.sources.power.tally import Tally
from headframe.sources.power.text_file import look_at, plain_text

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ColumnMapping", "OpenReadings", "ReadingFile", "ReadingOptions", "open_readings", "read_readings"]


@dataclass(slots=True)
class OpenReadings:
    """A file that is being read.

    Attributes
    ----------
    pieces : iterator of polars.DataFrame
        `RAW` rows, in the order of the file.
    at_end : bool
        Whether its times name the ends of intervals.
    options : ReadingOptions
        With what the file's form says itself.
    tally : Tally
        Grows while `pieces` are taken.
    events : list of MeterEvent
        Grows likewise.
    """

    pieces: Iterator[pl.DataFrame]
    at_end: bool
    options: ReadingOptions
    tally: Tally
    events: list[MeterEvent] = field(default_factory=list)


@contextlib.contextmanager
def open_readings(
    path: Path, mapping: ColumnMapping | None = None, options: ReadingOptions | None = None
) -> Iterator[OpenReadings]:
    """A file of readings, piece by piece: Parquet, CSV in long or wide form, Green Button or IEC 61968-9 XML.

    Parameters
    ----------
    path : Path
        Text may be packed with gzip or zstd.
    mapping : ColumnMapping or None
        Of a table's columns; guessed from common names where None.
    options : ReadingOptions or None

    Raises
    ------
    ValueError
        If the file cannot be read at all, or it is not clear which column is what.
    """
    options = options or ReadingOptions()
    tally = Tally(str(path))
    if parquet.is_parquet(path):
        pieces, at_end, options = parquet.rows(path, mapping, options, tally)
        yield OpenReadings(pieces, at_end, options, tally)
        return
    with plain_text(path) as plain:
        with plain.open("rb") as stream:
            head = stream.read(4096)
        if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            from headframe.sources.power import meter_xml

            events: list[MeterEvent] = []
            yield OpenReadings(meter_xml.rows(plain, options, tally, events), False, options, tally, events)
            return
        names = [] if mapping is None else [n for n in mapping.named() if "+" not in n]
        table = look_at(plain, options, names)
        if not table.has_header:
            tally.remark("there is no header: columns are called column_1, column_2 and so on")
        elif table.header_line > 1:
            tally.remark(f"the header is line {table.header_line}")
        if options.decimal is None and table.decimal == ",":
            tally.remark("numbers have a decimal comma")
        options = ReadingOptions(
            zone=options.zone,
            delimiter=table.delimiter,
            decimal=table.decimal,
            duration_s=options.duration_s,
            day_first=options.day_first,
        )
        wide = csv_wide.wide_mapping(
            table.header, mapping, tally, _numeric(table.sample, len(table.header), table.decimal)
        )
        if wide is not None:
            settled, cells, day = wide
            reader_options = csv_wide.WideReader(settled, cells, day, options, Tally(""), "").options
            yield OpenReadings(
                csv_wide.rows(table, settled, cells, day, options, tally), settled.start is None, reader_options, tally
            )
            return
        mapping = csv_long.settled(mapping, table.header, tally)
        yield OpenReadings(csv_long.rows(table, mapping, options, tally), mapping.start is None, options, tally)


def _numeric(sample: tuple[tuple[str, ...], ...], width: int, decimal: str) -> list[bool]:
    """Whether what stands in a column's first rows is for the most part numbers or nothing, and not all nothing."""
    out = []
    for k in range(width):
        said = [row[k].strip() for row in sample if len(row) > k and row[k].strip()]
        good = 0
        for text in said:
            try:
                float(text.replace(",", ".") if decimal == "," else text)
                good += 1
            except ValueError:
                pass
        out.append(bool(said) and good >= 0.5 * len(said))
    return out


def read_readings(
    path: Path, mapping: ColumnMapping | None = None, options: ReadingOptions | None = None
) -> ReadingFile:
    """All readings of one file, in memory; see `headframe.stores.lake.Lake.take_in` for files that are larger.

    Parameters
    ----------
    path : Path
    mapping : ColumnMapping or None
        Of a table's columns; guessed from common names where None, which a remark says.
    options : ReadingOptions or None

    Returns
    -------
    ReadingFile

    Raises
    ------
    ValueError
        If the file cannot be read at all, or it is not clear which column is what. A single row that cannot be used is
        in the account, and the rest is used.
    """
    import polars as pl

    with open_readings(Path(path), mapping, options) as source:
        pieces = list(source.pieces)
        frame = pl.concat(pieces, rechunk=True) if pieces else empty_rows()
        readings, exchanged = to_intervals(RawRows(frame, source.at_end), source.options, source.tally)
        return ReadingFile(readings=readings, account=source.tally.account(), events=(*source.events, *exchanged))
