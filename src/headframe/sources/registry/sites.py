r"""Tables of sites and of what is assigned to them: CSV, Parquet, GeoJSON.

One row per site, per assignment, or both; the same site may stand in many rows and files. Only `site` is required:

| column | meaning | empty means |
|---|---|---|
| ``site`` | identifier | not allowed |
| ``name`` | what it is called; not kept for a household | the identifier |
| ``kind`` | one of `SiteKind`, in words | unknown |
| ``organisation`` | who answers for it; not kept for a household | not known |
| ``region`` | | not known |
| ``latitude``, ``longitude`` | degrees, WGS 84 | not known |
| ``prefix`` | network prefixes or addresses, separated by blanks | |
| ``usage_point``, ``vlan``, ``relay``, ``subnet``, ``hardware`` | the same | |
| ``circuit``, ``remote``, ``nas``, ``nas_port``, ``station`` | one value each: it may have blanks in it | |
| ``realm`` | the network in which addresses and the like are meant | not said |
| ``valid_from``, ``valid_until`` | day (``valid_until``: through that day), ISO 8601 time, seconds since 1970 | open |

The interval dates the assignments of its row; in a row without assignments it dates the site. A GeoJSON file is a
FeatureCollection whose properties are these columns (a list stands for several values), and whose point, or the middle
of whose polygon, is the position. Other columns are named in a remark and not read, so that a column with people in it
does not come in by accident.

References
----------
.. [1] RFC 7946, "The GeoJSON Format".
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

from headframe.records.site import Assignment, AssignmentKind, Organisation, Site, SiteKind, SourceRow
from headframe.sources.registry.values import (
    Pseudonym,
    Remarks,
    clean_address,
    clean_prefix,
    hardware_pseudonym,
    lines_of,
    local_ns,
    station_locators,
    time_ns,
    without_hardware,
)

COLUMNS = (
    "site", "name", "kind", "organisation", "region", "latitude", "longitude", "prefix", "usage_point", "vlan",
    "relay", "subnet", "hardware", "circuit", "remote", "nas", "nas_port", "station", "realm",
    "valid_from", "valid_until",
)  # fmt: skip
_ALIASES = {"site_id": "site", "organization": "organisation", "organisation_id": "organisation", "address": "prefix"}
_LISTS = ("prefix", "usage_point", "vlan", "relay", "subnet", "hardware")
_SINGLE = ("circuit", "remote", "nas", "nas_port", "station")
_KIND_ALIASES = {
    "datacentre": "data_centre", "data_center": "data_centre", "datacenter": "data_centre",
    "telecom": "telecom_or_internet_company", "telecom_company": "telecom_or_internet_company",
    "internet_company": "telecom_or_internet_company", "isp": "telecom_or_internet_company",
    "cloud": "cloud_firm", "household": "household_premises", "premises": "household_premises",
    "home": "household_premises", "company": "enterprise", "university": "campus", "": "unknown",
}  # fmt: skip
_MAX_FILE_BYTES = 1 << 30
"""A GeoJSON file is held whole while it is read; a larger one is refused. [bytes]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTable:
    """What tables of sites say.

    Attributes
    ----------
    sites : tuple of Site
        In order of first mention, each once.
    organisations : tuple of Organisation
    assignments : tuple of Assignment
        In order of rows.
    remarks : tuple of str
        Every row, or part of a row, that could not be used, with file and row.
    """

    sites: tuple[Site, ...]
    organisations: tuple[Organisation, ...]
    assignments: tuple[Assignment, ...]
    remarks: tuple[str, ...]


def read_sites(paths: Path | Sequence[Path], *, zone: tzinfo = UTC, pseudonym: Pseudonym | None = None) -> SiteTable:
    """Sites, organisations and assignments of tables in any of the three forms.

    The form is told by the content: ``PAR1`` begins Parquet, ``{`` GeoJSON, anything else is CSV.

    Parameters
    ----------
    paths : Path or sequence of Path
        Read in this order; what is said of a site first counts, and what is said differently later is a remark.
    zone : datetime.tzinfo
        For days, and for times without an offset. A time that clocks showed twice, or never, is refused.
    pseudonym : callable, optional
        Keyed hash for hardware addresses, the same as for the logs; without it they are not taken, with a remark.

    Returns
    -------
    SiteTable

    Raises
    ------
    ValueError
        If a file cannot be read at all: missing, no header with a column `site`, damaged Parquet or JSON. A single row
        that cannot be used is a remark, and the rest is used.
    """
    collector = _Collector(zone, pseudonym)
    sentences: list[str] = []
    for path in [paths] if isinstance(paths, Path) else paths:
        remarks = Remarks(path.name)
        for row, said in _rows(path, remarks):
            try:
                collector.take(said, SourceRow(path.name, row), remarks)
            except ValueError as fault:
                remarks.row(row, fault)
        sentences += remarks.sentences()
    sites = tuple(collector.sites.values())
    # Only now: what a row calls an organisation may be dropped when a later row says that the site is a household.
    names = dict.fromkeys(site.organisation_id for site in sites if site.organisation_id is not None)
    return SiteTable(
        sites=sites,
        organisations=tuple(Organisation(organisation_id=name, name=name) for name in names),
        assignments=tuple(collector.assignments),
        remarks=tuple(sentences),
    )


def _rows(path: Path, remarks: Remarks) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with path.open("rb") as stream:
            first = stream.read(64)
    except OSError as fault:
        raise ValueError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    if first.startswith(b"PAR1"):
        return _parquet(path, remarks)
    if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return _geojson(path, remarks)
    return _csv(path, remarks)


def _known(columns: Sequence[str], path: Path, row: int, remarks: Remarks) -> list[str | None]:
    """Our name of each column; None for one that is not read."""
    names = [_ALIASES.get(column.strip().lower(), column.strip().lower()) for column in columns]
    if "site" not in names:
        raise ValueError(f"{path}: no column site. Hint: known are {', '.join(COLUMNS)}.")
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        remarks.row(row, f"columns that are not read: {', '.join(unknown)[:200]}; known are {', '.join(COLUMNS)}")
    return [name if name in COLUMNS else None for name in names]


def _csv(path: Path, remarks: Remarks) -> Iterator[tuple[int, Mapping[str, Any]]]:
    header: list[str | None] | None = None
    for row, line in lines_of(path, remarks):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            # Line by line: one quotation mark that is left open must not swallow the rest of the file.
            fields = next(csv.reader([line], strict=True), [])
        except csv.Error as fault:
            remarks.row(row, f"{fault}; is a quotation mark left open? A field may not run over several lines")
            continue
        if header is None:
            header = _known(fields, path, row, remarks)
        elif len(fields) != len(header):
            if any(field.strip() for field in fields):
                remarks.row(row, f"{len(fields)} fields where the header has {len(header)}")
        else:
            yield row, _gathered(zip(header, fields, strict=True))
    if header is None:
        raise ValueError(f"{path}: empty. Hint: the first line names the columns: {', '.join(COLUMNS)}.")


def _gathered(pairs: Any) -> dict[str, Any]:
    """Columns with their values; two columns that mean the same (`prefix`, `address`) are put together."""
    said: dict[str, Any] = {}
    for name, value in pairs:
        if name is None or value is None or value == "":
            continue
        said[name] = [*_several(said[name]), *_several(value)] if name in said and name in _LISTS else value
    return said


def _several(value: Any) -> list[str]:
    """The values of a cell: a list, or a text separated by blanks."""
    if isinstance(value, (list, tuple)):
        return [part for one in value for part in _several(one)] if len(value) < 100_000 else []
    return _text(value).split()


def _text(value: Any) -> str:
    """A cell as text: whole numbers that a table keeps as floats (``7.0``) without their fraction."""
    if value is None:
        return ""
    if isinstance(value, float):
        return (
            "" if math.isnan(value) else (str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value))
        )
    return str(value).strip()


def _parquet(path: Path, remarks: Remarks) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import polars as pl

    try:
        frame = pl.scan_parquet(path, glob=False)
        columns = frame.collect_schema().names()
        known = _known(columns, path, 0, remarks)
        wanted = [column for column, name in zip(columns, known, strict=True) if name is not None]
        # Only the columns that are known are ever decoded.
        table = frame.select(wanted).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as fault:
        raise ValueError(f"{path}: damaged Parquet file: {str(fault)[:200]}") from None
    names = [name for name in known if name is not None]
    for row, cells in enumerate(table.iter_rows(), 1):
        yield row, _gathered(zip(names, cells, strict=True))


def _geojson(path: Path, remarks: Remarks) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ValueError(f"{path}: larger than {_MAX_FILE_BYTES} bytes; write it as CSV or Parquet")
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
    not_read: dict[str, int] = {}
    for row, feature in enumerate(features, 1):
        if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
            remarks.row(row, "no GeoJSON feature")
            continue
        pairs = []
        for key, value in (feature.get("properties") or {}).items():
            name = _ALIASES.get(key.strip().lower(), key.strip().lower())
            if name not in COLUMNS:
                not_read.setdefault(name, row)
            elif isinstance(value, dict) or (isinstance(value, list) and name not in _LISTS):
                remarks.row(row, f"{name} is neither text nor number")
            else:
                pairs.append((name, value))
        said = _gathered(pairs)
        if "site" not in said and isinstance(feature.get("id"), (str, int)):
            said["site"] = feature["id"]
        if feature.get("geometry") is not None and not {"latitude", "longitude"} & set(said):
            try:
                said["longitude"], said["latitude"] = _middle(feature["geometry"])
            except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError):
                remarks.row(row, "no point or polygon of longitude and latitude; used without a position")
        yield row, said
    if not_read:
        names = ", ".join(not_read)[:200]
        remarks.row(min(not_read.values()), f"properties that are not read: {names}; known are {', '.join(COLUMNS)}")


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


class _Collector:
    """Puts rows together: each site once, its assignments in order."""

    def __init__(self, zone: tzinfo, pseudonym: Pseudonym | None) -> None:
        self.zone = zone
        self.pseudonym = pseudonym
        self.sites: dict[str, Site] = {}
        self.assignments: list[Assignment] = []

    def take(self, said: Mapping[str, Any], source: SourceRow, remarks: Remarks) -> None:
        site_id = _text(said.get("site"))
        if not site_id:
            raise ValueError("no site")
        start, end = self._time(said.get("valid_from"), end=False), self._time(said.get("valid_until"), end=True)
        if start is not None and end is not None and start >= end:
            raise ValueError(f"valid_from {said['valid_from']} is not before valid_until {said['valid_until']}")
        values = list(self._values(said, source, remarks))
        site = self._site(site_id, said, source, remarks)
        if not any(column in said for column in (*_LISTS, *_SINGLE)):
            site = self._dated(site, start, end, source, remarks)
        self._keep(site, source, remarks)
        realm = _text(said.get("realm"))
        self.assignments += [
            Assignment(
                kind=kind,
                value=value,
                site_id=site_id,
                realm=realm,
                valid_from_ns=start,
                valid_until_ns=end,
                source=source,
            )
            for kind, value in dict.fromkeys(values)
        ]

    def _time(self, value: Any, *, end: bool) -> int | None:
        if isinstance(value, datetime):
            return local_ns(value, self.zone)
        if isinstance(value, date):
            value = value.isoformat()
        return time_ns(_text(value), self.zone, end=end)

    def _values(
        self, said: Mapping[str, Any], source: SourceRow, remarks: Remarks
    ) -> Iterator[tuple[AssignmentKind, str]]:
        for column in _LISTS:
            for text in _several(said.get(column)):
                try:
                    yield self._value(column, text)
                except ValueError as fault:
                    remarks.row(source.row, fault)
        for column in _SINGLE:
            text = _text(said.get(column))
            if not text:
                continue
            if column == "station":
                found = station_locators(text, self.pseudonym)
                if found:
                    yield AssignmentKind.STATION, found[0].value
                else:
                    remarks.row(
                        source.row, "station is a hardware address, which is only taken with a key for pseudonyms"
                    )
                continue
            try:
                yield self._value(column, text)
            except ValueError as fault:
                remarks.row(source.row, fault)

    def _value(self, column: str, text: str) -> tuple[AssignmentKind, str]:
        """One value in the form in which the logs' readers write it."""
        if column == "prefix":
            prefix = clean_prefix(text)
            full = prefix.endswith("/128" if ":" in prefix else "/32")
            return (AssignmentKind.ADDRESS if full else AssignmentKind.PREFIX), prefix
        if column == "hardware":
            name = hardware_pseudonym(text, self.pseudonym)
            if name is None:
                why = "is no hardware address" if self.pseudonym else "is only taken with a key for pseudonyms"
                raise ValueError(f"hardware {why}")
            return AssignmentKind.HARDWARE, name
        if column in ("vlan", "subnet"):
            before, bar, number = text.rpartition("|")
            if not (number.isascii() and number.isdigit() and len(number) <= 10):
                raise ValueError(f"{column} is {text[:40]!r}; expected a number")
            if column == "vlan" and int(number) > 4095:
                raise ValueError(f"vlan is {number}; IEEE 802.1Q ends at 4095")
            return AssignmentKind(column), f"{_as_address(before)}{bar}{int(number)}"
        if column == "relay":
            return AssignmentKind.RELAY, clean_address(text)
        if column == "nas":
            return AssignmentKind.NAS, _as_address(text)
        if column == "nas_port":
            server, bar, port = text.partition("|")
            if not (bar and server.strip() and port.strip()):
                raise ValueError(f"nas_port is {text[:60]!r}; expected server|port")
            return AssignmentKind.NAS_PORT, f"{_as_address(server.strip())}|{port.strip()}"
        if column in ("circuit", "remote"):
            # A remote id is often the hardware address of a modem or a switch, alone or before a bar.
            return AssignmentKind(column), "|".join(self._masked(part) for part in text.split("|"))
        return AssignmentKind(column), text

    def _masked(self, text: str) -> str:
        masked = without_hardware(text.strip(), self.pseudonym)
        if masked is None:
            raise ValueError("a hardware address is only taken with a key for pseudonyms")
        return masked

    def _site(self, site_id: str, said: Mapping[str, Any], source: SourceRow, remarks: Remarks) -> Site:
        """What this row alone says of its site."""
        written = _text(said.get("kind")).lower().replace("-", "_").replace(" ", "_")
        try:
            kind = SiteKind(_KIND_ALIASES.get(written, written))
        except ValueError:
            remarks.row(source.row, f"unknown kind {written[:40]!r}, taken as unknown; known are {', '.join(SiteKind)}")
            kind = SiteKind.UNKNOWN
        latitude = self._degrees(said.get("latitude"), 90.0, source, remarks)
        longitude = self._degrees(said.get("longitude"), 180.0, source, remarks)
        if latitude is None or longitude is None:
            latitude = longitude = None
        return Site(
            site_id=site_id,
            name=_text(said.get("name")) or site_id,
            kind=kind,
            organisation_id=_text(said.get("organisation")) or None,
            region=_text(said.get("region")) or None,
            latitude=latitude,
            longitude=longitude,
            source=source,
        )

    @staticmethod
    def _degrees(value: Any, limit: float, source: SourceRow, remarks: Remarks) -> float | None:
        if value is None or value == "":
            return None
        try:
            number = float(value)
        except (ValueError, TypeError):
            number = math.inf
        if math.isnan(number):
            return None
        if abs(number) > limit:
            remarks.row(source.row, f"{str(value)[:40]!r} is no number of degrees; used without a position")
            return None
        return number

    def _dated(self, site: Site, start: int | None, end: int | None, source: SourceRow, remarks: Remarks) -> Site:
        known = self.sites.get(site.site_id)
        if known is not None and (known.valid_from_ns, known.valid_until_ns) not in ((None, None), (start, end)):
            if start is not None or end is not None:
                remarks.row(source.row, f"another validity for {site.site_id} than in {known.source}; the first counts")
            return site
        return replace(site, valid_from_ns=start, valid_until_ns=end)

    def _keep(self, site: Site, source: SourceRow, remarks: Remarks) -> None:
        known = self.sites.get(site.site_id)
        if known is not None:
            site = self._joined(known, site, source, remarks)
        if site.kind is SiteKind.HOUSEHOLD_PREMISES:
            # The name of a household, and of the organisation it would be, is the name of the people who live there.
            if site.name != site.site_id or site.organisation_id is not None:
                remarks.count("rows name a household; the name is not kept", source.row)
            site = replace(site, name=site.site_id, organisation_id=None)
        self.sites[site.site_id] = site

    @staticmethod
    def _joined(known: Site, new: Site, source: SourceRow, remarks: Remarks) -> Site:
        """What was said first, filled up with what is said now."""
        changes: dict[str, Any] = {}
        for name, empty in (
            ("name", known.site_id), ("kind", SiteKind.UNKNOWN), ("organisation_id", None), ("region", None),
            ("latitude", None), ("longitude", None), ("valid_from_ns", None), ("valid_until_ns", None),
        ):  # fmt: skip
            before, now = getattr(known, name), getattr(new, name)
            if before == empty:
                changes[name] = now
            elif now not in (empty, before):
                # Without the values: a name may turn out to be that of a household, rows later.
                told = name.removesuffix("_ns").replace("_", " ")
                remarks.row(source.row, f"another {told} for {known.site_id} than in {known.source}; the first counts")
        return replace(known, **changes)


def _as_address(text: str) -> str:
    """An address in canonical form; any other name as it is."""
    try:
        return clean_address(text)
    except ValueError:
        return text
