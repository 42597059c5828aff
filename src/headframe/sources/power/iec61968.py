"""IEC 61968-9 ``MeterReadings``: interval blocks, registers, and events of meters.

What a value is says its reading type, 18 numbers with points between (Annex C). Read are

| place | meaning | used |
|---|---|---|
| 2 | aggregate | 8, 9 (largest, smallest): not read |
| 3 | measuring period | length of the interval |
| 4 | accumulation | 1, 2, 3: register; 12, 6, 0 with W: power; else energy of the interval |
| 5 | flow | 19: received; 1, 4, 20 and 0: delivered |
| 6, 7 | commodity, kind | 1, 2 electricity; 12 energy, 37 power, 8 demand |
| 12 | time of use | other than 0: a tariff's part, not read |
| 15 | phase | other than 0, 224 (A, B, C together) and the like: a phase's part, not read |
| 16, 17 | multiplier, unit | 10 to this power; 72 Wh, 38 W |

A time stamp is the end of its interval (IEC 61968-9, IntervalReading.timeStamp); ``timePeriod`` goes before it. One
usage point is named by ``UsagePoint``'s mRID, or its name, or the meter's. Names of customers are not read.

Event codes are four numbers, device, domain, subdomain and event (Annex E): 12 is security, 26 power, 36 time; of the
events, 257 is tampering detected, 212 removed, 39 opened, 85 failed or down, 216 restored, 49 up, 219 reversed.

References
----------
.. [1] IEC 61968-9:2013, "Interfaces for meter reading and control", Annexes C, D and E.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from headframe.records.reading import MeterEvent, MeterEventKind, Quality
from headframe.records.site import SourceRow
from headframe.sources.power.columns import ENERGY, POWER, REGISTER
from headframe.sources.power.meter_xml import PIECE_ROWS, Gathered, elements, forget, local, text_of
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.tally import Tally
from headframe.sources.power.times import civil_to_utc

if TYPE_CHECKING:
    import polars as pl

_PERIODS_S = {
    1: 600, 2: 900, 3: 60, 4: 86_400, 5: 1800, 6: 300, 7: 3600, 10: 120, 11: 86_400, 14: 180, 31: 1200, 15: 0, 50: 720,
    54: 240, 55: 14_400, 63: 7200, 64: 43_200, 66: 21_600,
}  # fmt: skip
"""Measuring periods (Annex C, table of TimeAttribute) that are a fixed length."""

_ALL_PHASES = (0, 224, 225, 227, 8, 7)
_QUALITY = {
    0: Quality.MEASURED, 1: Quality.SUSPECT, 2: Quality.MEASURED, 3: Quality.SUSPECT, 4: Quality.SUSPECT,
    5: Quality.SUSPECT, 6: Quality.SUSPECT, 7: Quality.CORRECTED, 8: Quality.ESTIMATED, 10: Quality.SUSPECT,
    11: Quality.MEASURED, 12: Quality.ESTIMATED,
}  # fmt: skip
"""By the second number of a quality code (Annex D): 0 valid, 1 diagnostics, 2 power quality, 3 tampering,
4 collection, 5 reasonability, 6 validation, 7 edited, 8 estimated, 10 questionable, 11 derived, 12 projected."""


@dataclass(frozen=True, slots=True)
class ReadingType:
    """What a reading type says of a value; `reason` where it is not to be read."""

    kind: int = ENERGY
    scale: float = 1.0
    received: bool = False
    length_s: int = 0
    reason: str = ""


@lru_cache(maxsize=4096)
def reading_type(code: str) -> ReadingType:
    """Meaning of a reading type's 18 numbers.

    Examples
    --------
    >>> reading_type("0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.3.72.0")
    ReadingType(kind=0, scale=1000.0, received=True, length_s=900, reason='')
    """
    try:
        n = [int(part) for part in code.strip().split(".")]
    except ValueError:
        n = []
    if len(n) != 18:
        return ReadingType(reason="the reading type is not 18 numbers")
    if n[5] not in (0, 1, 2):
        return ReadingType(reason="not electricity")
    if n[16] not in (72, 38) or n[6] not in (0, 8, 12, 37):
        return ReadingType(reason="not active energy or power")
    if n[1] in (8, 9):
        return ReadingType(reason="a largest or smallest value, not a mean")
    if n[11] != 0:
        return ReadingType(reason="a tariff register: the total is what is read")
    if n[14] not in _ALL_PHASES:
        return ReadingType(reason="the part of one phase: the total is what is read")
    if n[4] not in (0, 1, 4, 19, 20) or not -12 <= n[15] <= 12:
        return ReadingType(reason="a direction of flow, or a multiplier, that is not known")
    kind = POWER if n[16] == 38 else REGISTER if n[3] in (1, 2, 3) else ENERGY
    return ReadingType(
        kind=kind, scale=10.0 ** n[15], received=n[4] == 19, length_s=_PERIODS_S.get(n[2], _PERIODS_S.get(n[0], 0))
    )


def event_kind(code: str, words: str = "") -> MeterEventKind:
    """Kind of an event by its four numbers, or else by the words that come with it.

    Examples
    --------
    >>> event_kind("3.12.29.212").value
    'cover_opened'
    """
    parts = code.strip().split(".")
    if len(parts) == 4 and all(part.isdigit() for part in parts):
        _, domain, subdomain, event = (int(part) for part in parts)
        if domain == 12:
            if subdomain == 66:
                return MeterEventKind.MAGNETIC_FIELD
            if subdomain == 29 and event in (39, 212, 257):
                return MeterEventKind.COVER_OPENED
            if event == 219:
                return MeterEventKind.REVERSE_FLOW
            if event in (257, 212, 39):
                return MeterEventKind.TAMPER
        if domain == 26 and event in (85, 216, 49, 47, 185, 219):
            if event == 219:
                return MeterEventKind.REVERSE_FLOW
            return MeterEventKind.POWER_ON if event in (216, 49) else MeterEventKind.POWER_OFF
        if domain == 36 and event in (13, 14, 24, 139):
            return MeterEventKind.CLOCK_CHANGED
    said = words.casefold()
    for kind, signs in (
        (MeterEventKind.MAGNETIC_FIELD, ("magnet",)),
        (MeterEventKind.COVER_OPENED, ("cover open", "cover remov", "terminal cover", "case open")),
        (MeterEventKind.TAMPER, ("tamper", "fraud", "manipulat")),
        (MeterEventKind.REVERSE_FLOW, ("reverse", "reversed")),
        (MeterEventKind.POWER_ON, ("power on", "power up", "power restor", "restoration", "power return")),
        (MeterEventKind.POWER_OFF, ("power off", "power down", "power fail", "outage", "power loss")),
        (MeterEventKind.CLOCK_CHANGED, ("clock", "time set", "time change")),
        (MeterEventKind.METER_EXCHANGED, ("meter exchange", "meter replac", "device replac")),
    ):
        if any(sign in said for sign in signs):
            return kind
    return MeterEventKind.OTHER


def rows(path: Path, options: ReadingOptions, tally: Tally, events: list[MeterEvent]) -> Iterator[pl.DataFrame]:
    """`RAW` rows of a message; events go to `events`. A row is a reading, or an event, counted from 1."""
    gathered = Gathered()
    opened: list[Element] = []
    number = 0
    # What a meter reading says of its usage point may follow its readings; they are held until it ends, in pieces of
    # one meter reading, which is one usage point over one query.
    point_held: list[tuple[int, str, str, str, str, str, str]] = []
    point = ""
    point_rank = 9
    block: list[tuple[int, str, str, str, str, str]] = []
    for event, element in elements(path, tally):
        name = local(element)
        if event == "start":
            opened.append(element)
            if name == "MeterReading":
                point, point_rank, point_held = "", 9, []
            elif name == "IntervalBlocks":
                block = []
            continue
        opened.pop()
        parent = local(opened[-1]) if opened else ""
        if name in ("IntervalReadings", "IntervalReading") and parent == "IntervalBlocks":
            number += 1
            block.append((number, *_said(element)))
            forget(element, opened)
        elif name == "IntervalBlocks":
            kind = _reference(element, "ReadingType")
            point_held += [(*reading, kind) for reading in block]
            block = []
            forget(element, opened)
        elif name == "Readings" and parent == "MeterReading":
            number += 1
            point_held.append((number, *_said(element), _reference(element, "ReadingType")))
            forget(element, opened)
        elif name in ("UsagePoint", "Meter") and parent == "MeterReading":
            rank = 0 if name == "UsagePoint" else 1
            said = text_of(element, "mRID") or text_of(element, "Names", "name")
            if said and rank < point_rank:
                point, point_rank = said, rank
        elif name == "MeterReading":
            _emit(point_held, point, options, gathered, tally)
            point_held = []
            for held in [child for child in element if local(child) == "EndDeviceEvents"]:
                number += 1
                _event(held, point, number, options, tally, events)
            forget(element, opened)
        elif name == "EndDeviceEvent" and parent == "EndDeviceEvents":
            number += 1
            _event(element, "", number, options, tally, events)
            forget(element, opened)
        if len(gathered) >= PIECE_ROWS:
            yield gathered.table()
    # Where the text broke off within a meter reading.
    _emit(point_held, point, options, gathered, tally)
    if block:
        tally.rows += len(block)
        tally.problem("the reading type is missing", [reading[0] for reading in block][:100], len(block))
    if len(gathered):
        yield gathered.table()


def _reference(element: Element, name: str) -> str:
    """``ref`` of a child, or the mRID that stands in it."""
    found = next((child for child in element if local(child) == name), None)
    if found is None:
        return ""
    return found.get("ref") or text_of(found, "mRID") or (found.text or "").strip()


def _said(element: Element) -> tuple[str, str, str, str, str]:
    """Time stamp, start and end of the period, value, and quality codes of a reading."""
    qualities = []
    for child in element:
        if local(child) in ("ReadingQualities", "ReadingQuality"):
            qualities.append(_reference(child, "ReadingQualityType") or child.get("ref") or text_of(child, "quality"))
    return (
        text_of(element, "timeStamp"),
        text_of(element, "timePeriod", "start"),
        text_of(element, "timePeriod", "end"),
        text_of(element, "value"),
        " ".join(qualities),
    )


@lru_cache(maxsize=65536)
def _instant(text: str) -> tuple[int, bool] | None:
    """Seconds of an ISO 8601 time, and whether it is civil time without an offset."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        if time.tzinfo is None:
            return int(time.replace(tzinfo=UTC).timestamp()), True
        return int(time.timestamp()), False
    except (OverflowError, ValueError):
        return None


def _quality(codes: str) -> int:
    found = 0
    for code in codes.split():
        parts = code.split(".")
        category = parts[1] if len(parts) == 3 else ""
        found |= int(_QUALITY.get(int(category), Quality.SUSPECT)) if category.isdigit() else int(Quality.SUSPECT)
    return found


def _emit(
    held: list[tuple[int, str, str, str, str, str, str]],
    point: str,
    options: ReadingOptions,
    gathered: Gathered,
    tally: Tally,
) -> None:
    tally.rows += len(held)
    for number, stamp, start, end, value, qualities, code in held:
        kind = reading_type(code)
        if not point:
            tally.problem("no usage point", [number])
            continue
        if kind.reason:
            tally.problem(kind.reason, [number])
            continue
        stamp_at, start_at, end_at = _instant(stamp), _instant(start), _instant(end)
        at = stamp_at or end_at or start_at
        if at is None:
            tally.problem("the time is not understood", [number])
            continue
        try:
            amount = float(value) if value else float("nan")
        except ValueError:
            amount = float("inf")
        if abs(amount) > 1e30:
            tally.problem("the value is no number", [number])
            continue
        length_s = kind.length_s
        if start_at is not None and end_at is not None:
            length_s = end_at[0] - start_at[0]
            at = end_at
        if kind.kind == REGISTER:
            time_s, length_s = at[0], 0
        elif length_s > 0:
            time_s = at[0] - length_s
        else:
            tally.problem("the length of the interval is not known: the reading type has none", [number])
            continue
        naive = at[1]
        if naive and options.zone is not None and kind.kind != REGISTER:
            # The end is what stands in the file; its instant is found before the length is taken off.
            time_s, naive = _end_in_utc(at[0], options) - length_s, False
        gathered.add(number, point, kind.received, kind.kind, time_s, length_s, amount * kind.scale,
                     _quality(qualities), naive)  # fmt: skip


def _end_in_utc(local_s: int, options: ReadingOptions) -> int:
    import numpy as np

    assert options.zone is not None
    return int(civil_to_utc(np.array([local_s], np.int64), options.zone).early_s[0])


def _event(
    element: Element, point: str, number: int, options: ReadingOptions, tally: Tally, events: list[MeterEvent]
) -> None:
    tally.rows += 1
    at = _instant(text_of(element, "createdDateTime"))
    code = _reference(element, "EndDeviceEventType")
    own = text_of(element, "UsagePoint", "mRID") or point or text_of(element, "Assets", "mRID")
    if at is None or not own:
        tally.problem("an event without a time or a usage point", [number])
        return
    seconds = _end_in_utc(at[0], options) if at[1] and options.zone is not None else at[0]
    words = " ".join((text_of(element, "reason"), text_of(element, "severity"), text_of(element, "type")))
    events.append(
        MeterEvent(
            usage_point=own,
            kind=event_kind(code, words),
            time_ns=seconds * 1_000_000_000,
            code=code,
            source=SourceRow(tally.file, number),
        )
    )
