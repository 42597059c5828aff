"""Tables with many readings to a row: a column for each usage point, or for each interval of the day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headframe.sources.power import obis
from headframe.sources.power.columns import ColumnMapping, guess, plain
from headframe.sources.power.csv_long import read_block
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.table import TableReader
from headframe.sources.power.tally import Tally
from headframe.sources.power.text_file import TextTable

if TYPE_CHECKING:
    import polars as pl

POINT, VALUE = "column of the usage point", "value of the cell"


def times_of_day(columns: Sequence[str]) -> dict[str, int]:
    """Columns whose names are intervals of the day, and when each starts; empty if there are no such columns. [s]

    Known are ``00:30`` and ``00:30-01:00``, ``h1`` to ``h24``, and numbers, with or without a word before them, of
    which there are 24, 48, 96, 144, 288 or 1440. Names from 00:30 to 24:00, or to a 00:00 at the end, are ends.

    Examples
    --------
    >>> times_of_day(["meter", "day", *(f"h{k}" for k in range(1, 25))])["h2"]
    3600
    """
    clock = {}
    for name in columns:
        match = re.fullmatch(r"\D{0,12}?(\d{1,2})[:h](\d{2})(?::00)?(?:\s*-\s*\d{1,2}[:h]\d{2}(?::00)?)?", name.strip())
        if match and int(match[1]) <= 24 and int(match[2]) < 60:
            clock[name] = int(match[1]) * 3600 + int(match[2]) * 60
    if len(clock) >= 12:
        names = list(clock)
        step = int(np.median(np.abs(np.diff([clock[n] for n in names]))))
        ends = "-" not in names[0] and clock[names[0]] == step and clock[names[-1]] in (0, 86_400)
        if ends:
            clock = {n: (s or 86_400) - step for n, s in clock.items()}
        return clock
    groups: dict[str, list[tuple[int, str]]] = {}
    for name in columns:
        match = re.fullmatch(r"([A-Za-z_ .-]*?)0*(\d{1,4})", name.strip())
        if match:
            groups.setdefault(match[1].casefold(), []).append((int(match[2]), name))
    for found in groups.values():
        numbers = [k for k, _ in found]
        count = len(found)
        if count in (24, 48, 96, 144, 288, 1440) and numbers == list(range(numbers[0], numbers[0] + count)):
            if numbers[0] in (0, 1):
                return {name: (k - numbers[0]) * (86_400 // count) for k, name in found}
    return {}


def wide_mapping(
    columns: Sequence[str], mapping: ColumnMapping | None, tally: Tally, is_number: Sequence[bool]
) -> tuple[ColumnMapping, list[str], dict[str, int]] | None:
    """How to read a table in wide form; None if it is in long form.

    Parameters
    ----------
    columns : sequence of str
    mapping : ColumnMapping or None
        What the user says.
    tally : Tally
    is_number : sequence of bool
        Whether a column's first values are numbers.

    Returns
    -------
    (ColumnMapping, list of str, dict) or None
        The mapping of what is not wide, the columns that hold values, and the start of each in the day, empty where
        columns are usage points. [s]
    """
    told = mapping is not None and (bool(mapping.values()) or mapping.obis is not None)
    if told:
        return None
    base = mapping or guess(columns)
    own = {part for name in base.named() for part in [name, *name.split("+")]}
    day = times_of_day([c for c in columns if c not in own])
    kind = base.wide
    if day and (base.start or base.end):
        mapping_ = replace(base, wide=kind or "energy_kwh")
        _say(tally, mapping, mapping_, f"{len(day)} columns are intervals of the day")
        return mapping_, list(day), day
    if mapping is None and (base.values() or base.obis is not None) and kind is None:
        return None
    start = base.start or base.end
    if start is None or (
        base.usage_point is not None
        and kind is None
        and not any(obis.is_code(c.split()[0]) for c in columns if c.split())
    ):
        return None
    cells = [c for c, number in zip(columns, is_number, strict=True) if c not in own and number]
    if kind is not None and not cells:
        cells = [c for c in columns if c not in own]
    if any(obis.is_code(c.split()[0]) for c in cells if c.split()):
        cells = [c for c in columns if c.split() and obis.is_code(c.split()[0])]
        _say(tally, mapping, base, f"{len(cells)} columns are OBIS codes")
        return replace(base, obis=POINT, value=VALUE, wide=None), cells, {}
    if not cells or (mapping is None and len(cells) < 2):
        return None
    if base.usage_point is not None:
        return None
    unit = next((u for u in ("energy_wh", "energy_kwh", "energy_mwh", "power_w", "power_kw")
                 if all(plain(c).endswith(u.split("_")[1]) for c in cells)), "energy_kwh")  # fmt: skip
    mapping_ = replace(base, wide=kind or unit)
    _say(tally, mapping, mapping_, f"{len(cells)} columns are usage points")
    return mapping_, cells, {}


def _say(tally: Tally, told: ColumnMapping | None, mapping: ColumnMapping, form: str) -> None:
    tally.remark(f"wide form: {form}" + (f", values are {mapping.wide}" if mapping.wide else ""))
    if told is None or told.wide is None:
        tally.remark(f"columns were guessed: {mapping.sentence()}")


class WideReader:
    """Makes of each row of a wide table one for each of its cells."""

    def __init__(
        self,
        mapping: ColumnMapping,
        cells: list[str],
        day: dict[str, int],
        options: ReadingOptions,
        tally: Tally,
        lone_point: str,
    ) -> None:
        self.cells, self.day = cells, day
        self.fixed = [c for c in mapping.named() if c not in (POINT, VALUE)]
        long = replace(mapping, wide=None)
        if mapping.wide is not None:
            long = replace(long, **{mapping.wide: VALUE})
            if not day:
                long = replace(long, usage_point=POINT)
        if day:
            step = 86_400 // len(day) if len(day) in (24, 48, 96, 144, 288, 1440) else 0
            if options.duration_s is None and step:
                options = replace(options, duration_s=step)
        self.reader = TableReader(long, options, tally, lone_point)
        self.options = options
        if long.obis == POINT:
            self._code = {c: c.split()[0] for c in cells}
        else:
            self._code = {}

    def take(
        self, frame: pl.DataFrame, row: NDArray[np.int64], ragged: NDArray[np.bool_] | None = None
    ) -> pl.DataFrame:
        """`RAW` rows of some rows of the table."""
        import polars as pl

        n, m = len(frame), len(self.cells)
        fixed = [c for name in self.fixed for c in ([name] if name in frame.columns else name.split("+"))]
        long = frame.with_columns(pl.Series("row of the cell", row)).unpivot(
            self.cells, index=[*dict.fromkeys(fixed), "row of the cell"], variable_name=POINT, value_name=VALUE
        )
        offset = np.repeat([self.day[c] for c in self.cells], n).astype(np.int64) if self.day else None
        if self._code:
            long = long.with_columns(pl.col(POINT).replace(self._code))
        return self.reader.take(
            long,
            long["row of the cell"].to_numpy(),
            ragged=np.tile(ragged, m) if ragged is not None else None,
            offset_s=offset,
        )


def rows(
    table: TextTable,
    mapping: ColumnMapping,
    cells: list[str],
    day: dict[str, int],
    options: ReadingOptions,
    tally: Tally,
) -> Iterator[pl.DataFrame]:
    """`RAW` rows of a wide CSV, block by block."""
    options = replace(options, decimal=table.decimal)
    reader = WideReader(mapping, cells, day, options, tally, table.path.stem)
    used = list(dict.fromkeys([c for n in reader.fixed for c in ([n] if n in table.header else n.split("+"))] + cells))
    for block, line in table.blocks():
        frame, row, _, ragged = read_block(table, block, line, used, set())
        yield reader.take(frame, row, ragged)
