"""XML of meters: streamed, with everything refused that makes a small file large, and told apart by its elements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np

from headframe.records.reading import MeterEvent
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.tally import Tally

if TYPE_CHECKING:
    import polars as pl

PIECE_ROWS = 200_000
"""Readings that are gathered before they become a table."""


def rows(path: Path, options: ReadingOptions, tally: Tally, events: list[MeterEvent]) -> Iterator[pl.DataFrame]:
    """`RAW` rows of Green Button (ESPI) or IEC 61968-9 XML.

    Raises
    ------
    ValueError
        If it is neither, or tries what a table of readings has no need of: entities, a document type.
    """
    from headframe.sources.power import espi, iec61968

    root = ""
    # The first of these elements decides: a message may stand in an envelope.
    for event, element in elements(path, tally=None):
        name = local(element)
        root = root or name
        if name in ("feed", "entry", "IntervalBlock"):
            return espi.rows(path, options, tally)
        if name in ("MeterReadings", "MeterReading", "EndDeviceEvents", "EndDeviceEvent"):
            return iec61968.rows(path, options, tally, events)
        if event == "end":
            element.clear()
    raise ValueError(f"{path.name}: <{root}> is neither Green Button (an Atom feed) nor IEC 61968-9 (MeterReadings)")


def elements(path: Path, tally: Tally | None) -> Iterator[tuple[str, Element]]:
    """Starts and ends of elements. Where the text breaks off, what stood before was read, and a problem says so.

    Raises
    ------
    ValueError
        If the file uses entities or a document type, or breaks and there is no `tally`.
    """
    from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
    from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

    try:
        with path.open("rb") as stream:
            yield from iterparse(stream, events=("start", "end"), forbid_dtd=True)
    except DefusedXmlException as fault:
        raise ValueError(f"{path.name}: a document type or entities are refused ({type(fault).__name__})") from fault
    except (ParseError, LookupError, UnicodeError) as fault:
        if tally is None:
            raise ValueError(f"{path.name}: this is no sound XML: {fault}") from fault
        line = fault.position[0] if isinstance(fault, ParseError) else 0
        tally.rows += 1
        tally.problem(f"the XML is broken here ({fault}): only what stands before was read", [line])


def forget(element: Element, opened: list[Element]) -> None:
    """Let go of an element that was read, in its parent too: memory does not grow with the file."""
    element.clear()
    if opened:
        opened[-1].remove(element)


def local(element: Element) -> str:
    """Name of an element without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def text_of(element: Element, *names: str) -> str:
    """Text of the first descendant along a path of names; empty if it is not there."""
    found: Element | None = element
    for name in names:
        found = next((child for child in found if local(child) == name), None) if found is not None else None
    return (found.text or "").strip() if found is not None else ""


class Gathered:
    """Rows of `RAW` as they are found, one by one."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(
        self,
        row: int,
        usage_point: str,
        received: bool,
        kind: int,
        time_s: int,
        duration_s: int,
        value: float,
        quality: int,
        naive: bool = False,
    ) -> None:
        """One reading; `duration_s` 0 and `value` NaN where they are not said."""
        self._rows.append(
            (row, usage_point, received, kind, time_s, naive, None, duration_s or None,
             None if np.isnan(value) else value, quality)
        )  # fmt: skip

    def table(self) -> pl.DataFrame:
        """All rows, which are gone from here afterwards."""
        import polars as pl

        from headframe.sources.power.intervals import raw_schema

        table = pl.DataFrame(self._rows, schema=raw_schema(), orient="row")
        self._rows = []
        return table
