"""Green Button: the energy of usage points as an Atom feed (NAESB REQ.21, ESPI).

A feed has one entry for each thing. An ``IntervalBlock`` belongs to a ``MeterReading``, and that to a ``ReadingType``,
by the addresses in their links, in any order; so a feed is read twice, first for what its readings are, then for the
readings. Instants are seconds since 1970 UTC; ``LocalTimeParameters`` only say what a local clock showed.

| ``ReadingType`` | is taken as |
|---|---|
| ``uom`` 72 (Wh), accumulation 1, 2, 3 (bulk, cumulative) | register: a value stands at the end of its period |
| ``uom`` 72, any other accumulation | energy of the interval |
| ``uom`` 38 (W) | power |
| ``flowDirection`` 19 | received; else delivered |

Values are multiplied by ``10 ** powerOfTenMultiplier``. Other units, and services other than electricity, are counted
as what they are. Where a feed names customers beside usage points, only the usage point's identifier is kept.

References
----------
.. [1] NAESB REQ.21, "Energy Services Provider Interface"; espi.xsd 3.3: ReadingType, IntervalReading, QualityOfReading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from headframe.records.reading import Quality
from headframe.sources.power.columns import ENERGY, POWER, REGISTER
from headframe.sources.power.meter_xml import PIECE_ROWS, Gathered, elements, forget, local, text_of
from headframe.sources.power.options import LONGEST_S, ReadingOptions
from headframe.sources.power.tally import Tally

if TYPE_CHECKING:
    import polars as pl

_QUALITY = {
    0: Quality.MEASURED, 7: Quality.CORRECTED, 8: Quality.ESTIMATED, 9: Quality.ESTIMATED, 10: Quality.SUSPECT,
    11: Quality.MEASURED, 12: Quality.ESTIMATED, 13: Quality.ESTIMATED, 14: Quality.MEASURED, 15: Quality.ESTIMATED,
    16: Quality.SUSPECT, 17: Quality.MEASURED, 18: Quality.MEASURED, 19: Quality.MEASURED,
}  # fmt: skip
"""QualityOfReading of espi.xsd: 8 and 9 estimated, 10 questionable, 12 projected, 13 mixed, 15 normalised, 16 other."""


@dataclass(frozen=True, slots=True)
class _Type:
    kind: int = ENERGY
    scale: float = 1.0
    received: bool = False
    length_s: int = 0
    quality: int = 0
    reason: str = ""


@dataclass(slots=True)
class _Index:
    """What the first pass finds."""

    types: dict[str, _Type] = field(default_factory=dict)
    """By the address of the entry."""
    meter_readings: dict[str, set[str]] = field(default_factory=dict)
    """Addresses that a MeterReading's entry is linked with, by its own."""
    points: dict[str, str] = field(default_factory=dict)
    """Names of usage points, by address."""
    other_service: set[str] = field(default_factory=set)


class _Entry:
    """Links of the entry that is being read."""

    def __init__(self) -> None:
        self.own = ""
        self.up = ""
        self.related: set[str] = set()
        self.id = ""

    def link(self, element: Element) -> None:
        address = (element.get("href") or "").rstrip("/")
        relation = element.get("rel")
        if relation == "self":
            self.own = address
        elif relation == "up":
            self.up = address
        else:
            self.related.add(address)


def rows(path: Path, options: ReadingOptions, tally: Tally) -> Iterator[pl.DataFrame]:
    """`RAW` rows of a feed; see the module."""
    index = _index(path, tally)
    gathered = Gathered()
    entry, number = _Entry(), 0
    # What stands in the feed before an entry's content decides, so links must come first; Atom's order is free, and
    # a block is therefore held until its entry ends. Entries are of a month or so.
    blocks: list[tuple[int, int, list[tuple[str, str, str, str]]]] = []
    readings: list[tuple[str, str, str, str]] = []
    opened: list[Element] = []
    for event, element in elements(path, tally):
        name = local(element)
        if event == "start":
            opened.append(element)
            if name == "entry":
                entry, blocks = _Entry(), []
            elif name == "IntervalBlock":
                readings = []
            continue
        opened.pop()
        if name == "link":
            entry.link(element)
        elif name == "IntervalReading":
            readings.append(
                (
                    text_of(element, "timePeriod", "start"),
                    text_of(element, "timePeriod", "duration"),
                    text_of(element, "value"),
                    text_of(element, "ReadingQuality", "quality"),
                )
            )
            forget(element, opened)
        elif name == "IntervalBlock":
            start = _integer(text_of(element, "interval", "start"))
            blocks.append((start if start is not None else -1, number, readings))
            number += len(readings)
            readings = []
            forget(element, opened)
            if not any(local(e) == "entry" for e in opened):
                yield from _emit(blocks, entry, index, path, gathered, tally)
                blocks = []
        elif name == "entry":
            yield from _emit(blocks, entry, index, path, gathered, tally)
            blocks = []
            forget(element, opened)
    if readings:
        blocks.append((-1, number, readings))
    yield from _emit(blocks, entry, index, path, gathered, tally)
    if len(gathered):
        yield gathered.table()


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _index(path: Path, tally: Tally) -> _Index:
    index = _Index()
    entry = _Entry()
    content: list[Element] = []
    opened: list[Element] = []
    for event, element in elements(path, Tally(tally.file)):
        name = local(element)
        if event == "start":
            opened.append(element)
            if name == "entry":
                entry, content = _Entry(), []
            continue
        opened.pop()
        if name == "link":
            entry.link(element)
        elif name == "id" and opened and local(opened[-1]) == "entry":
            entry.id = (element.text or "").strip().removeprefix("urn:uuid:")
        elif name in ("ReadingType", "MeterReading", "UsagePoint", "LocalTimeParameters"):
            content.append(element)
        elif name in ("IntervalReading", "IntervalBlock"):
            forget(element, opened)
        elif name == "entry":
            for found in content:
                _take(found, entry, index, tally)
            content = []
            forget(element, opened)
    for found in content:
        _take(found, entry, index, tally)
    return index


def _take(element: Element, entry: _Entry, index: _Index, tally: Tally) -> None:
    name = local(element)
    if name == "ReadingType":
        index.types[entry.own or entry.id or str(len(index.types))] = _type_of(element)
    elif name == "MeterReading":
        index.meter_readings[entry.own] = {address for address in (*entry.related, entry.up) if address}
    elif name == "UsagePoint":
        index.points[entry.own] = entry.id
        service = text_of(element, "ServiceCategory", "kind")
        if service not in ("", "0"):
            index.other_service.add(entry.own)
    elif name == "LocalTimeParameters":
        offset = _integer(text_of(element, "tzOffset"))
        summer = _integer(text_of(element, "dstOffset"))
        if offset is not None:
            tally.remark(
                f"the feed's local clock is UTC{offset / 3600:+g} h"
                + (f", {summer / 3600:+g} h more in summer" if summer else "")
                + "; its instants are UTC and are taken as such"
            )


def _type_of(element: Element) -> _Type:
    said = {local(child): (child.text or "").strip() for child in element}
    unit, gathering = said.get("uom", ""), said.get("accumulationBehaviour", "")
    power_of_ten = _integer(said.get("powerOfTenMultiplier", "0") or "0")
    length = _integer(said.get("intervalLength", "0") or "0") or 0
    reason = ""
    kind = ENERGY
    if said.get("commodity", "") not in ("", "0", "1", "2"):
        reason = "not electricity"
    elif unit == "72":
        kind = REGISTER if gathering in ("1", "2", "3") else ENERGY
    elif unit == "38":
        kind = POWER
    else:
        reason = f"not active energy or power (uom {unit or 'missing'})"
    if said.get("dataQualifier", "") in ("8", "9"):
        reason = reason or "a largest or smallest value, not a mean"
    if power_of_ten is None or not -12 <= power_of_ten <= 12:
        reason = reason or "a powerOfTenMultiplier that is none"
        power_of_ten = 0
    return _Type(
        kind=kind,
        scale=10.0**power_of_ten,
        received=said.get("flowDirection") == "19",
        length_s=length if 0 < length <= LONGEST_S else 0,
        quality=int(_QUALITY.get(_integer(said.get("defaultQuality", "") or "0") or 0, Quality.SUSPECT)),
        reason=reason,
    )


def _emit(
    blocks: list[tuple[int, int, list[tuple[str, str, str, str]]]],
    entry: _Entry,
    index: _Index,
    path: Path,
    gathered: Gathered,
    tally: Tally,
) -> Iterator[pl.DataFrame]:
    if not blocks:
        return
    kind = _resolve(entry, index)
    point = _point(entry, index, path)
    reason = kind.reason if kind is not None else "no ReadingType belongs to it"
    if any(_covers(other, entry) for other in index.other_service):
        reason = "not electricity"
    for block_start, first, readings in blocks:
        tally.rows += len(readings)
        numbers = range(first + 1, first + 1 + len(readings))
        if reason or kind is None:
            tally.problem(reason, numbers[:100], len(readings))
            continue
        at = block_start
        for number, (start, length, value, quality) in zip(numbers, readings, strict=True):
            start_s = _integer(start) if start else (at if at >= 0 else None)
            length_s = (_integer(length) if length else kind.length_s) or 0
            if start_s is None:
                tally.problem("the time is not understood", [number])
                continue
            if not 0 <= length_s <= LONGEST_S:
                tally.problem("an interval that ends before it starts, or lasts for more than 400 days", [number])
                continue
            at = start_s + length_s
            amount = _integer(value) if value else None
            if (value and amount is None) or abs(amount or 0) > 1e30:
                tally.problem("the value is no number", [number])
                continue
            code = _integer(quality) if quality else None
            doubt = int(_QUALITY.get(code, Quality.SUSPECT)) if code is not None else kind.quality
            watt_hours = float("nan") if amount is None else amount * kind.scale
            register = kind.kind == REGISTER
            gathered.add(
                number, point, kind.received, kind.kind, start_s + length_s if register else start_s,
                0 if register else length_s, watt_hours, doubt,
            )  # fmt: skip
            if len(gathered) >= PIECE_ROWS:
                yield gathered.table()


def _covers(address: str, entry: _Entry) -> bool:
    return bool(address) and (entry.own.startswith(address + "/") or entry.up.startswith(address + "/"))


def _resolve(entry: _Entry, index: _Index) -> _Type | None:
    """ReadingType of an entry with interval blocks."""
    if len(index.types) == 1:
        return next(iter(index.types.values()))
    for own, related in index.meter_readings.items():
        if _covers(own, entry) or entry.up in related or entry.own in related:
            for address in related | {own}:
                if address in index.types:
                    return index.types[address]
    return next((index.types[a] for a in entry.related if a in index.types), None)


def _point(entry: _Entry, index: _Index, path: Path) -> str:
    """Identifier of an entry's usage point.

    ``RetailCustomer/9b/UsagePoint/01`` is unique as ``9b/01`` only; without a customer the entry's UUID is.
    """
    address = entry.own or entry.up
    match = re.search(r"(?:RetailCustomer/([^/]+)/|Subscription/([^/]+)/)?UsagePoint/([^/]+)", address)
    if match is None:
        return next((uuid for uuid in index.points.values() if uuid), "") if len(index.points) == 1 else path.stem
    customer, point = match[1] or match[2], match[3]
    if customer:
        return f"{customer}/{point}"
    known = next((uuid for own, uuid in index.points.items() if own and address.startswith(own + "/")), "")
    return known or point
