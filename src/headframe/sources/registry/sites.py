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

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from headframe.records.assessment import DamagedRow
from headframe.records.site import Assignment, AssignmentKind, Organisation, Site, SiteKind, SourceRow
from headframe.sources.registry.tables import Columns, DamagedRows, rows_of, several, text_of, validity_ns
from headframe.sources.registry.values import (
    Pseudonym,
    Remarks,
    clean_address,
    clean_prefix,
    hardware_pseudonym,
    station_locators,
    without_hardware,
)

COLUMNS = (
    "site", "name", "kind", "organisation", "region", "latitude", "longitude", "prefix", "usage_point", "vlan",
    "relay", "subnet", "hardware", "circuit", "remote", "nas", "nas_port", "station", "realm",
    "valid_from", "valid_until",
)  # fmt: skip
_LISTS = ("prefix", "usage_point", "vlan", "relay", "subnet", "hardware")
_SINGLE = ("circuit", "remote", "nas", "nas_port", "station")
_KIND_ALIASES = {
    "datacentre": "data_centre", "data_center": "data_centre", "datacenter": "data_centre",
    "telecom": "telecom_or_internet_company", "telecom_company": "telecom_or_internet_company",
    "internet_company": "telecom_or_internet_company", "isp": "telecom_or_internet_company",
    "cloud": "cloud_firm", "household": "household_premises", "premises": "household_premises",
    "home": "household_premises", "company": "enterprise", "university": "campus", "": "unknown",
}  # fmt: skip
_TABLE = Columns(
    names=COLUMNS,
    required="site",
    identifier="site",
    aliases={
        "site_id": "site", "organization": "organisation", "organisation_id": "organisation", "address": "prefix",
    },
    lists=_LISTS,
    identifiers=("site", "organisation", "usage_point", "realm"),
    positions=True,
    refuse_personal=False,
)  # fmt: skip


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
        Every row, or part of a row, that could not be used, with file and row; and what had to be assumed.
    damaged : tuple of DamagedRow
        Of these, the rows that could not be used, whole or in part.
    """

    sites: tuple[Site, ...]
    organisations: tuple[Organisation, ...]
    assignments: tuple[Assignment, ...]
    remarks: tuple[str, ...]
    damaged: tuple[DamagedRow, ...] = ()


def read_sites(
    paths: Path | Sequence[Path],
    *,
    zone: tzinfo = UTC,
    pseudonym: Pseudonym | None = None,
    refuse_personal: bool = False,
) -> SiteTable:
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
    refuse_personal : bool
        Whether a table with a column that describes people is refused, as what is to be kept is; else it is read
        without that column, and with a remark.

    Returns
    -------
    SiteTable

    Raises
    ------
    ValueError
        If a file cannot be read at all: missing, no header with a column `site`, damaged Parquet or JSON. A single row
        that cannot be used is a remark, and the rest is used.
    """
    columns = replace(_TABLE, refuse_personal=refuse_personal)
    collector = _Collector(zone, pseudonym)
    sentences: list[str] = []
    damaged: list[DamagedRow] = []
    for path in [paths] if isinstance(paths, Path) else paths:
        remarks = _Remarks(path.name)
        for row, said in rows_of(path, columns, remarks):
            try:
                collector.take(said, SourceRow(path.name, row), remarks)
            except ValueError as fault:
                remarks.lost(row, fault)
        sentences += remarks.sentences()
        damaged += remarks.damaged
    sites = tuple(collector.sites.values())
    # Only now: what a row calls an organisation may be dropped when a later row says that the site is a household.
    names = dict.fromkeys(site.organisation_id for site in sites if site.organisation_id is not None)
    return SiteTable(
        sites=sites,
        organisations=tuple(Organisation(organisation_id=name, name=name) for name in names),
        assignments=tuple(collector.assignments),
        remarks=tuple(sentences),
        damaged=tuple(damaged),
    )


class _Remarks(DamagedRows):
    """Rows that could not be used stand among the remarks as well, in order."""

    def lost(self, row: int, text: object) -> None:
        super().lost(row, text)
        self.row(row, text)


class _Collector:
    """Puts rows together: each site once, its assignments in order."""

    def __init__(self, zone: tzinfo, pseudonym: Pseudonym | None) -> None:
        self.zone = zone
        self.pseudonym = pseudonym
        self.sites: dict[str, Site] = {}
        self.assignments: list[Assignment] = []

    def take(self, said: Mapping[str, Any], source: SourceRow, remarks: Remarks) -> None:
        site_id = text_of(said.get("site"))
        if not site_id:
            raise ValueError("no site")
        start, end = validity_ns(said, self.zone)
        values = list(self._values(said, source, remarks))
        site = self._site(site_id, said, source, remarks)
        if not any(column in said for column in (*_LISTS, *_SINGLE)):
            site = self._dated(site, start, end, source, remarks)
        self._keep(site, source, remarks)
        realm = text_of(said.get("realm"))
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

    def _values(
        self, said: Mapping[str, Any], source: SourceRow, remarks: Remarks
    ) -> Iterator[tuple[AssignmentKind, str]]:
        for column in _LISTS:
            for text in several(said.get(column)):
                try:
                    yield self._value(column, text)
                except ValueError as fault:
                    remarks.lost(source.row, fault)
        for column in _SINGLE:
            text = text_of(said.get(column))
            if not text:
                continue
            if column == "station":
                found = station_locators(text, self.pseudonym)
                if found:
                    yield AssignmentKind.STATION, found[0].value
                else:
                    remarks.lost(
                        source.row, "station is a hardware address, which is only taken with a key for pseudonyms"
                    )
                continue
            try:
                yield self._value(column, text)
            except ValueError as fault:
                remarks.lost(source.row, fault)

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
        written = text_of(said.get("kind")).lower().replace("-", "_").replace(" ", "_")
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
            name=text_of(said.get("name")) or site_id,
            kind=kind,
            organisation_id=text_of(said.get("organisation")) or None,
            region=text_of(said.get("region")) or None,
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
