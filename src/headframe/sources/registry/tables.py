"""Rows of a table that somebody keeps in CSV, Parquet or GeoJSON: what the readers of this folder's tables share.

The form is told by the content: ``PAR1`` begins Parquet, ``{`` GeoJSON, anything else is CSV. A GeoJSON file is a
FeatureCollection whose properties are the columns (a list stands for several values), and whose point, or the middle of
whose polygon, is the position.

References
----------
.. [1] RFC 7946, "The GeoJSON Format".
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

from headframe.records.assessment import DamagedRow
from headframe.records.no_person import personal_names, what_to_do
from headframe.records.site import SourceRow
from headframe.sources.registry.values import Remarks, lines_of, local_ns, time_ns
from headframe.sources.registry.writing import check_identifier, check_text, on_one_line

MAX_FILE_BYTES = 1 << 30
"""A GeoJSON file is held whole while it is read; a larger one is refused. [bytes]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of a kind of table.

    Attributes
    ----------
    names : tuple of str
    required : str
        Without it the file is not such a table.
    identifier : str
        The column that the identifier of a GeoJSON feature fills where it is empty.
    aliases : mapping of str to str
        Other names that the columns go by.
    lists : tuple of str
        Columns of which a cell may hold several values, separated by blanks.
    identifiers : tuple of str
        Columns whose values name something: no formula, nothing invisible (`headframe.sources.registry.writing`). The
        others are text, or are read as numbers, times and addresses.
    several_lines : tuple of str
        Columns of text that may have line breaks.
    positions : bool
        Whether the geometry of a feature fills ``longitude`` and ``latitude``.
    refuse_personal : bool
        Whether a file with a column that describes people is refused, as what is kept in a workspace is; else it is
        read without that column, and with a remark.
    """

    names: tuple[str, ...]
    required: str
    identifier: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    several_lines: tuple[str, ...] = ()
    positions: bool = False
    refuse_personal: bool = True

    def ours(self, column: str) -> str:
        """Our name of a column, or its own in lower case where it is none of ours."""
        name = column.strip().lower()
        return self.aliases.get(name, name)


class DamagedRows(Remarks):
    """Remarks that keep the rows that could not be used apart, for tables of which each row weighs."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.damaged: list[DamagedRow] = []

    def lost(self, row: int, text: object) -> None:
        self.damaged.append(DamagedRow(source=SourceRow(self.file, row), reason=str(text)))


def rows_of(path: Path, columns: Columns, remarks: Remarks) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows of a table, each with its number.

    Parameters
    ----------
    path : Path
    columns : Columns
    remarks : Remarks
        Told of rows that cannot be read, and of columns that are not read.

    Yields
    ------
    tuple of int and mapping
        Row from 1 (a line of the file, a row of Parquet, a feature), and what it says by column, without empty cells.

    Raises
    ------
    ValueError
        If the file cannot be read at all: missing, no header with the required column, damaged Parquet or JSON, or a
        column that describes people.
    """
    try:
        with path.open("rb") as stream:
            first = stream.read(64)
    except OSError as fault:
        raise ValueError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    if first.startswith(b"PAR1"):
        rows = _parquet(path, columns, remarks)
    elif first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        rows = _geojson(path, columns, remarks)
    else:
        rows = _csv(path, columns, remarks)
    return _harmless(rows, columns, remarks)


def _harmless(
    rows: Iterator[tuple[int, Mapping[str, Any]]], columns: Columns, remarks: Remarks
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows whose cells may go onto a screen and into a spreadsheet; the others are told."""
    for row, said in rows:
        try:
            clean = {name: _checked(name, value, columns, row, remarks) for name, value in said.items()}
        except ValueError as fault:
            remarks.lost(row, fault)
            continue
        yield row, clean


def _checked(name: str, value: Any, columns: Columns, row: int, remarks: Remarks) -> Any:
    if name in columns.lists:
        for one in several(value):
            (check_identifier if name in columns.identifiers else check_text)(one, name)
    elif name in columns.identifiers:
        check_identifier(text_of(value), name)
    elif isinstance(value, str):
        text = value.strip()
        joined = on_one_line(text)
        check_text(joined, name)
        if "\ufffd" in text:
            remarks.count("cells have bytes that are not UTF-8; save the table as UTF-8", row)
        if joined != text and name not in columns.several_lines:
            remarks.count("cells have a tab or a line break in them; a blank stands there now", row)
            return joined
    return value


def _refuse_people(path: Path, names: Sequence[str], columns: Columns) -> None:
    if columns.refuse_personal and (found := personal_names(name.strip() for name in names)):
        raise ValueError(what_to_do(str(path), found))


def _known(header: Sequence[str], path: Path, row: int, columns: Columns, remarks: Remarks) -> list[str | None]:
    """Our name of each column; None for one that is not read."""
    _refuse_people(path, header, columns)
    names = [columns.ours(column) for column in header]
    if columns.required not in names:
        split = next((sign for sign in (";", "\t") if len(header) == 1 and sign in header[0]), "")
        between = f" Its columns lie between {'semicolons' if split == ';' else 'tabs'}; save it with commas."
        raise ValueError(
            f"{path}: no column {columns.required}.{between if split else ''} Hint: known are "
            f"{', '.join(columns.names)}."
        )
    unknown = [name for name in names if name not in columns.names]
    if unknown:
        known = ", ".join(columns.names)
        remarks.row(row, f"columns that are not read: {', '.join(unknown)[:200]}; known are {known}")
    return [name if name in columns.names else None for name in names]


def _csv(path: Path, columns: Columns, remarks: Remarks) -> Iterator[tuple[int, Mapping[str, Any]]]:
    header: list[str | None] | None = None
    for row, line in lines_of(path, remarks):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            # Line by line: one quotation mark that is left open must not swallow the rest of the file.
            fields = next(csv.reader([line], strict=True), [])
        except csv.Error as fault:
            remarks.lost(row, f"{fault}; is a quotation mark left open? A field may not run over several lines")
            continue
        if header is None:
            header = _known(fields, path, row, columns, remarks)
        elif len(fields) != len(header):
            if any(cell.strip() for cell in fields):
                remarks.lost(row, f"{len(fields)} fields where the header has {len(header)}")
        else:
            yield row, _gathered(zip(header, fields, strict=True), columns)
    if header is None:
        raise ValueError(f"{path}: empty. Hint: the first line names the columns: {', '.join(columns.names)}.")


def _gathered(pairs: Any, columns: Columns) -> dict[str, Any]:
    """Columns with their values; two columns that mean the same (`prefix`, `address`) are put together."""
    said: dict[str, Any] = {}
    for name, value in pairs:
        if name is None or value is None or value == "":
            continue
        said[name] = [*several(said[name]), *several(value)] if name in said and name in columns.lists else value
    return said


def several(value: Any) -> list[str]:
    """The values of a cell: a list, or a text separated by blanks."""
    if isinstance(value, (list, tuple)):
        return [part for one in value for part in several(one)] if len(value) < 100_000 else []
    return text_of(value).split()


def text_of(value: Any) -> str:
    """A cell as text: whole numbers that a table keeps as floats (``7.0``) without their fraction."""
    if value is None:
        return ""
    if isinstance(value, float):
        return (
            "" if math.isnan(value) else (str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value))
        )
    return str(value).strip()


def cell_ns(value: Any, zone: tzinfo, *, end: bool) -> int | None:
    """A cell as an instant: a date or time of Parquet, or a text that `time_ns` reads.

    Parameters
    ----------
    value : object
    zone : datetime.tzinfo
        For times without an offset.
    end : bool
        True for the end of an interval: a bare day then means through that day.

    Returns
    -------
    int or None
        [ns since 1970-01-01 UTC]

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(value, datetime):
        return local_ns(value, zone)
    if isinstance(value, date):
        value = value.isoformat()
    return time_ns(text_of(value), zone, end=end)


def validity_ns(said: Mapping[str, Any], zone: tzinfo) -> tuple[int | None, int | None]:
    """The interval of a row, from its ``valid_from`` and ``valid_until``.

    Returns
    -------
    tuple of (int or None, int or None)
        Half open; None is open. [ns since 1970-01-01 UTC]

    Raises
    ------
    ValueError
        If one is no time, or the end is not after the start.
    """
    start = cell_ns(said.get("valid_from"), zone, end=False)
    end = cell_ns(said.get("valid_until"), zone, end=True)
    if start is not None and end is not None and start >= end:
        raise ValueError(f"valid_from {said['valid_from']} is not before valid_until {said['valid_until']}")
    return start, end


def _parquet(path: Path, columns: Columns, remarks: Remarks) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import polars as pl

    try:
        frame = pl.scan_parquet(path, glob=False)
        header = frame.collect_schema().names()
        known = _known(header, path, 0, columns, remarks)
        wanted = [column for column, name in zip(header, known, strict=True) if name is not None]
        # Only the columns that are known are ever decoded.
        table = frame.select(wanted).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as fault:
        raise ValueError(f"{path}: damaged Parquet file: {str(fault)[:200]}") from None
    names = [name for name in known if name is not None]
    for row, cells in enumerate(table.iter_rows(), 1):
        yield row, _gathered(zip(names, cells, strict=True), columns)


def _geojson(path: Path, columns: Columns, remarks: Remarks) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"{path}: larger than {MAX_FILE_BYTES} bytes; write it as CSV or Parquet")
        document = json.loads(path.read_bytes())
    except OSError as fault:
        raise ValueError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    except RecursionError:
        raise ValueError(f"{path}: JSON nested too deeply") from None
    except ValueError as fault:
        if str(path) in str(fault):
            raise
        raise ValueError(f"{path}: no valid JSON: {fault}") from None
    features = document.get("features") if isinstance(document, dict) else None
    if isinstance(document, dict) and document.get("type") == "Feature":
        features = [document]
    if not isinstance(features, list):
        raise ValueError(f"{path}: expected a GeoJSON FeatureCollection with features")
    _refuse_people(path, list(_properties(features)), columns)
    not_read: dict[str, int] = {}
    for row, feature in enumerate(features, 1):
        if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
            remarks.lost(row, "no GeoJSON feature")
            continue
        pairs = []
        for key, value in (feature.get("properties") or {}).items():
            name = columns.ours(key)
            if name not in columns.names:
                not_read.setdefault(name, row)
            elif isinstance(value, dict) or (isinstance(value, list) and name not in columns.lists):
                remarks.lost(row, f"{name} is neither text nor number")
            else:
                pairs.append((name, value))
        said = _gathered(pairs, columns)
        if columns.identifier not in said and isinstance(feature.get("id"), (str, int)):
            said[columns.identifier] = feature["id"]
        if columns.positions and feature.get("geometry") is not None and not {"latitude", "longitude"} & set(said):
            try:
                said["longitude"], said["latitude"] = _middle(feature["geometry"])
            except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError):
                remarks.row(row, "no point or polygon of longitude and latitude; used without a position")
        yield row, said
    if not_read:
        names = ", ".join(not_read)[:200]
        known = ", ".join(columns.names)
        remarks.row(min(not_read.values()), f"properties that are not read: {names}; known are {known}")


def _properties(features: list[Any]) -> dict[str, None]:
    """Every name of a property, once."""
    found: dict[str, None] = {}
    for feature in features:
        if isinstance(feature, dict) and isinstance(feature.get("properties"), dict):
            found.update(dict.fromkeys(feature["properties"]))
    return found


def _middle(geometry: Mapping[str, Any]) -> tuple[float, float]:
    """Longitude and latitude [degrees] of a point, or of the middle of the largest outer ring of a polygon."""
    kind, places = geometry["type"], geometry["coordinates"]
    if kind == "Point":
        return _position(places)
    if kind == "Polygon":
        places = [places]
    elif kind != "MultiPolygon":
        raise ValueError(kind)
    best = None
    for polygon in places:
        ring = [_position(place) for place in polygon[0]]
        # Shoelace formula, about the first vertex so that small polygons keep their digits.
        x0, y0 = ring[0]
        doubled = east = north = 0.0
        for (xa, ya), (xb, yb) in zip(ring, ring[1:] + ring[:1], strict=True):
            cross = (xa - x0) * (yb - y0) - (xb - x0) * (ya - y0)
            doubled += cross
            east += (xa + xb - 2 * x0) * cross
            north += (ya + yb - 2 * y0) * cross
        if doubled:
            middle = (x0 + east / (3 * doubled), y0 + north / (3 * doubled))
        else:
            middle = (sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring))
        if best is None or abs(doubled) > best[0]:
            best = (abs(doubled), middle)
    if best is None:
        raise ValueError("no ring")
    return best[1]


def _position(place: Any) -> tuple[float, float]:
    longitude, latitude = float(place[0]), float(place[1])
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise ValueError("no longitude and latitude")
    return longitude, latitude
