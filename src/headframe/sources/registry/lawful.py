"""Registers of lawful mining, and exemptions: CSV, Parquet, GeoJSON.

One row per entry, or per entry and period. Required are `entry`, and one at least of `site`, `organisation` and
`usage_point`:

| column | meaning | empty means |
|---|---|---|
| ``entry`` | number of the entry in its register | not allowed |
| ``register`` | name of the register | the file's name |
| ``kind`` | one of `LawfulKind`, in words | licence |
| ``site``, ``organisation`` | whom it covers, by the identifiers of the table of sites | not limited to one |
| ``usage_point`` | the same; several separated by blanks | not limited to one |
| ``scope`` | what it allows, in the register's words | not said |
| ``power_limit_w``, ``power_limit_kw``, ``power_limit_mw`` | above it the entry does not cover | no limit |
| ``power_limit`` with ``power_unit`` | the same; the unit is W, kW, MW or GW | no limit |
| ``proof`` | number of the document that proves it | not said |
| ``valid_from``, ``valid_until`` | day (``valid_until``: through that day), ISO 8601 time, seconds since 1970 | open |

An entry that names several of site, organisation and usage point covers only what fits all of them. Rows that repeat an
entry's number, with another period or another place, are entries of their own, numbered ``ID~2``, ``ID~3``.

A column that describes people makes the file refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from headframe.records.assessment import DamagedRow
from headframe.records.lawful import LawfulEntry, LawfulKind
from headframe.records.site import SourceRow
from headframe.sources.registry.tables import Columns, DamagedRows, rows_of, several, text_of, validity_ns
from headframe.sources.registry.values import Remarks
from headframe.sources.registry.writing import check_identifier

LAWFUL_COLUMNS = (
    "entry", "register", "kind", "site", "organisation", "usage_point", "scope", "power_limit_w", "power_limit_kw",
    "power_limit_mw", "power_limit", "power_unit", "proof", "valid_from", "valid_until",
)  # fmt: skip
_TABLE = Columns(
    names=LAWFUL_COLUMNS,
    required="entry",
    identifier="entry",
    aliases={
        "entry_id": "entry", "licence": "entry", "license": "entry", "registration": "entry", "permit": "entry",
        "site_id": "site", "organization": "organisation", "organisation_id": "organisation",
        "usage_point_id": "usage_point", "valid_to": "valid_until", "expires": "valid_until", "expiry": "valid_until",
    },
    lists=("usage_point",),
    identifiers=("entry", "register", "site", "organisation", "usage_point"),
)  # fmt: skip
_KINDS = {
    "": "licence", "license": "licence", "permit": "licence", "register": "registration", "registered": "registration",
    "research": "filed_research", "tariff": "tariff_agreement", "agreement": "tariff_agreement", "exempt": "exemption",
}  # fmt: skip
_W_PER = {"w": Decimal(1), "kw": Decimal(10) ** 3, "mw": Decimal(10) ** 6, "gw": Decimal(10) ** 9}
_MAX_LIMIT_W = Decimal(10) ** 12
"""More than all power plants of a country together (China, end of 2021: 2.4e12 W): a mistake of unit. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawfulTable:
    """What registers of lawful mining say.

    Attributes
    ----------
    entries : tuple of LawfulEntry
        In order of rows.
    remarks : tuple of str
        What had to be assumed, or is not read, with file and row.
    damaged : tuple of DamagedRow
        Every row that could not be used, and why: an entry that is lost makes a lawful site look unlawful.
    """

    entries: tuple[LawfulEntry, ...]
    remarks: tuple[str, ...] = ()
    damaged: tuple[DamagedRow, ...] = ()

    @property
    def registers(self) -> tuple[str, ...]:
        """Names of the registers, in order of first mention."""
        return tuple(dict.fromkeys(entry.register for entry in self.entries))


def read_lawful(paths: Path | Sequence[Path], zone: tzinfo) -> LawfulTable:
    """Entries of registers of lawful mining, and exemptions, from tables in any of the three forms.

    Parameters
    ----------
    paths : Path or sequence of Path
    zone : datetime.tzinfo
        For days, and for times without an offset. A time that clocks showed twice, or never, is refused.

    Returns
    -------
    LawfulTable

    Raises
    ------
    ValueError
        If a file cannot be read at all: missing, no header with a column `entry`, damaged Parquet or JSON, or a column
        that describes people.
    """
    collector = _Collector(zone)
    sentences: list[str] = []
    damaged: list[DamagedRow] = []
    for path in [paths] if isinstance(paths, Path) else paths:
        remarks = DamagedRows(path.name)
        for row, said in rows_of(path, _TABLE, remarks):
            try:
                collector.take(said, path.stem, SourceRow(path.name, row), remarks)
            except ValueError as fault:
                remarks.lost(row, fault)
        damaged += remarks.damaged
        sentences += remarks.sentences()
    return LawfulTable(entries=tuple(collector.entries), remarks=tuple(sentences), damaged=tuple(damaged))


class _Collector:
    """Entries in order of rows, each with a number of its own."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.entries: list[LawfulEntry] = []
        self._by_number: dict[tuple[str, str], list[LawfulEntry]] = {}

    def take(self, said: Mapping[str, Any], file: str, source: SourceRow, remarks: Remarks) -> None:
        number = text_of(said.get("entry"))
        if not number:
            raise ValueError("no entry number")
        start, end = validity_ns(said, self.zone)
        register = text_of(said.get("register"))
        if not register:
            check_identifier(file, "the file's name, which stands for the register,")
        entry = LawfulEntry(
            entry_id=number,
            kind=_kind(text_of(said.get("kind"))),
            register=register or file,
            site_id=text_of(said.get("site")),
            organisation_id=text_of(said.get("organisation")),
            scope=text_of(said.get("scope")),
            power_limit_w=_power_limit_w(said),
            proof=text_of(said.get("proof")),
            valid_from_ns=start,
            valid_until_ns=end,
            source=source,
        )
        points = list(dict.fromkeys(several(said.get("usage_point"))))
        if not (entry.site_id or entry.organisation_id or points):
            raise ValueError(f"entry {number[:60]} covers nobody; name a site, an organisation or a usage point")
        for point in points or [""]:
            self._keep(replace(entry, usage_point=point), remarks)

    def _keep(self, entry: LawfulEntry, remarks: Remarks) -> None:
        known = self._by_number.setdefault((entry.register, entry.entry_id), [])
        if any(_same(entry, one) for one in known):
            remarks.count("rows say what an earlier row says, and are left out", entry.source.row)
            return
        known.append(entry)
        if len(known) > 1:
            remarks.count("rows repeat the number of an earlier entry; they are kept as ID~2, ID~3", entry.source.row)
            entry = replace(entry, entry_id=f"{entry.entry_id}~{len(known)}")
        self.entries.append(entry)


def _same(one: LawfulEntry, other: LawfulEntry) -> bool:
    return replace(one, source=other.source) == other


def _kind(written: str) -> LawfulKind:
    name = written.lower().replace("-", "_").replace(" ", "_")
    try:
        return LawfulKind(_KINDS.get(name, name))
    except ValueError:
        raise ValueError(f"unknown kind {written[:40]!r}; known are {', '.join(LawfulKind)}") from None


def _power_limit_w(said: Mapping[str, Any]) -> float | None:
    """The limit of a row [W], whichever column it stands in; None without one."""
    limits: dict[str, Decimal] = {}
    for unit in _W_PER:
        column = f"power_limit_{unit}"
        if text := text_of(said.get(column)):
            limits[column] = _number(text, column) * _W_PER[unit]
    if text := text_of(said.get("power_limit")):
        unit = text_of(said.get("power_unit"))
        if unit.lower() not in _W_PER:
            why = "; apparent power is no limit of power" if unit.lower() in ("va", "kva", "mva", "gva") else ""
            raise ValueError(f"power_unit is {unit[:20]!r}{why}; expected W, kW, MW or GW")
        limits["power_limit"] = _number(text, "power_limit") * _W_PER[unit.lower()]
    elif text_of(said.get("power_unit")) and not limits:
        raise ValueError("power_unit without power_limit; leave both empty where there is no limit")
    if not limits:
        return None
    if len(set(limits.values())) > 1:
        raise ValueError(f"{' and '.join(limits)} say different limits; keep one of them")
    limit_w = next(iter(limits.values()))
    if not 0 < limit_w <= _MAX_LIMIT_W:
        raise ValueError(
            f"{next(iter(limits))} comes to {limit_w.normalize():f} W; expected more than 0 and at most 1 TW. "
            "Is the unit right? Leave it empty where there is no limit"
        )
    return float(limit_w)


def _number(text: str, column: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    # A comma may stand for thousands or for decimals: a factor of a thousand is not guessed.
    if not (number.is_finite() and text.isascii() and "_" not in text):
        raise ValueError(f"{column} is {text[:40]!r}; expected a number as 1500 or 1.5, without commas")
    if abs(number.adjusted()) > 30:
        raise ValueError(f"{column} is {text[:40]!r}; no power is that large or that small")
    return number
