"""Indicators in a CSV file with a header: our own columns, or those of a pool list.

Our own columns, in any order; only `kind` and `value` are required:

| column | meaning | empty means |
|---|---|---|
| ``kind`` | ``pool``, ``malware_proxy``, ``web_miner``, ``node``, ``exchange`` | not allowed |
| ``value`` | domain name or IP address | not allowed |
| ``subdomains`` | ``true`` where every name below counts too | false |
| ``port`` | the only server port that counts | any |
| ``coins`` | ticker symbols, separated by blanks | not known |
| ``pool`` | operator | not known |
| ``source`` | where the fact comes from | the file's name |
| ``valid_from``, ``valid_until`` | days, ``2026-04-21`` | open |
| ``shared`` | ``true`` where the address serves unrelated names too | false |

A file whose header has ``domain``, ``port`` and ``pool_name`` is read as a pool list in the columns of the
mining-pool-domain-intel project: ``coin``, ``first_seen`` and ``confidence`` are understood too, each row is a pool.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

from headframe.errors import BadIndicator
from headframe.records.indicator import Indicator, IndicatorKind
from headframe.sources.intel.names import clean_port, clean_value, report_problem

COLUMNS = ("kind", "value", "subdomains", "port", "coins", "pool", "source", "valid_from", "valid_until", "shared")
_POOL_LIST = frozenset(("domain", "port", "pool_name"))
_TRUE, _FALSE = frozenset(("true", "yes", "1")), frozenset(("", "false", "no", "0"))


class _Rows(Protocol):
    """What `csv.reader` gives; it has no public name to write in a signature."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...


def is_table(first_line: str) -> bool:
    """True where a file's first line is a header that `read_table` understands."""
    header = {column.strip().lower() for column in first_line.lstrip("\ufeff").split(",")}
    return {"kind", "value"} <= header or header >= _POOL_LIST


def read_table(
    path: Path, *, today: date | None = None, trusted: bool = False, problems: list[str] | None = None
) -> list[Indicator]:
    """Indicators of a CSV file.

    Parameters
    ----------
    path : Path
    today : datetime.date, optional
        The day of reading, for the `source` of rows that name none.
    trusted : bool
        True for a table that was checked when it was written: values are taken as they stand.
    problems : list of str, optional
        Where given, a sentence on each row that cannot be understood is added and reading goes on.

    Returns
    -------
    list of Indicator
        One per row, in order.

    Raises
    ------
    BadIndicator
        If a row cannot be understood; the message names file, row and what would be right.
    """
    default_source = f"{path.name}, read {today}" if today else path.name
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream)
        header: list[str] = []
        for first in _readable(rows, path):
            if any(first) and not first[0].startswith("#"):
                header = [column.strip().lower() for column in first]
                break
        if trusted:
            return list(_trusted_rows(rows, header))
        hint = f"Hint: known are {', '.join(COLUMNS)}."
        unknown = [column for column in header if column not in COLUMNS]
        if {"kind", "value"} <= set(header):
            if unknown:
                raise BadIndicator(f"{path}: unknown columns {', '.join(unknown)}. {hint}")
            convert = _own_row
        elif set(header) >= _POOL_LIST:
            convert = _pool_list_row
        else:
            raise BadIndicator(f"{path}: the header has no columns kind and value. {hint}")
        found = []
        for fields in _readable(rows, path):
            if not any(fields) or fields[0].startswith("#"):
                continue
            try:
                if len(fields) != len(header):
                    raise ValueError(f"{len(fields)} fields where the header has {len(header)}")
                found.append(convert(dict(zip(header, fields, strict=True)), default_source))
            except ValueError as fault:
                report_problem(f"{path}, line {rows.line_num}: {fault}", problems, fault)
        return found


def _readable(rows: _Rows, path: Path) -> Iterator[list[str]]:
    """The rows, with the faults of the csv module (a field without end, mostly) in our own words."""
    try:
        yield from rows
    except csv.Error as fault:
        raise BadIndicator(f"{path}, line {rows.line_num}: {fault}. Hint: is a quotation mark left open?") from fault


def _trusted_rows(rows: Iterator[list[str]], header: list[str]) -> Iterator[Indicator]:
    if tuple(header) != COLUMNS:
        raise BadIndicator("the built-in table of indicators is damaged: reinstall the package")
    kinds = {kind.value: kind for kind in IndicatorKind}
    days: dict[str, date | None] = {"": None}
    coin_lists: dict[str, tuple[str, ...]] = {}
    for kind, value, subdomains, port, coins, pool, source, valid_from, valid_until, shared in rows:
        for day in (valid_from, valid_until):
            if day not in days:
                days[day] = date.fromisoformat(day)
        if coins not in coin_lists:
            coin_lists[coins] = tuple(coins.split())
        yield Indicator(
            kind=kinds[kind],
            value=value,
            subdomains=subdomains == "true",
            port=int(port) if port else None,
            coins=coin_lists[coins],
            pool=pool or None,
            source=source,
            valid_from=days[valid_from],
            valid_until=days[valid_until],
            shared=shared == "true",
        )


def _own_row(row: Mapping[str, str], default_source: str) -> Indicator:
    kind = row["kind"].strip().lower()
    try:
        known_kind = IndicatorKind(kind)
    except ValueError:
        raise ValueError(f"unknown kind {kind!r}; known are {', '.join(IndicatorKind)}") from None
    indicator = Indicator(
        kind=known_kind,
        value=clean_value(row["value"]),
        subdomains=_flag(row, "subdomains"),
        port=clean_port(row.get("port", "")),
        coins=tuple(row.get("coins", "").upper().split()),
        pool=row.get("pool", "").strip() or None,
        source=row.get("source", "").strip() or default_source,
        valid_from=_day(row, "valid_from"),
        valid_until=_day(row, "valid_until"),
        shared=_flag(row, "shared"),
    )
    if indicator.valid_from and indicator.valid_until and indicator.valid_from > indicator.valid_until:
        raise ValueError(f"valid_from {indicator.valid_from} is after valid_until {indicator.valid_until}")
    return indicator


def _pool_list_row(row: Mapping[str, str], default_source: str) -> Indicator:
    coin = row.get("coin", "").strip().upper()
    return Indicator(
        kind=IndicatorKind.POOL,
        value=clean_value(row["domain"]),
        port=clean_port(row["port"]),
        coins=(coin,) if coin and coin not in ("UNKNOWN", "ANONYMOUS") else (),
        pool=row["pool_name"].strip() or None,
        source=default_source,
    )


def _flag(row: Mapping[str, str], column: str) -> bool:
    text = row.get(column, "").strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError(f"{column} is {text!r}; expected true or false")
    return text in _TRUE


def _day(row: Mapping[str, str], column: str) -> date | None:
    text = row.get(column, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{column} is {text!r}; expected a day such as 2026-04-21") from None
