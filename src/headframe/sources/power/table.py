"""Rows of any table, by a mapping: what CSV and Parquet in long form have in common, and what wide forms become."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headframe.records.reading import Quality
from headframe.sources.power import obis
from headframe.sources.power.columns import ENERGY, VALUES, ColumnMapping, parts_of
from headframe.sources.power.intervals import RAW, raw_schema
from headframe.sources.power.options import LONGEST_S, ReadingOptions
from headframe.sources.power.tally import Tally
from headframe.sources.power.times import TimeForm, find_form, seconds_of_numbers, seconds_of_texts

if TYPE_CHECKING:
    import polars as pl

EMPTY = ("", "-", "--", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "\\n")
"""Texts that say that there is no value, in lower case."""

LARGEST = 3e38
"""A value beyond does not fit the lake's float32, and is no energy of anything."""

_RECEIVED = {
    "received": True, "export": True, "exported": True, "reverse": True, "generation": True, "feedin": True,
    "feed-in": True, "a-": True, "-a": True, "-": True, "19": True, "r": True, "out": True, "injection": True,
    "einspeisung": True, "outflow": True, "b": True,
    "delivered": False, "import": False, "imported": False, "forward": False, "consumption": False, "a+": False,
    "+a": False, "+": False, "1": False, "d": False, "in": False, "usage": False, "bezug": False, "withdrawal": False,
    "inflow": False, "e": False, "load": False, "": False,
}  # fmt: skip
"""What columns say of the direction; 1 and 19 are flowDirection of IEC 61968-9, E and B the suffixes of NEM12."""

_QUALITY = {
    **dict.fromkeys(
        ("", "0", "a", "actual", "act", "measured", "m", "valid", "v", "ok", "good", "g", "w", "wahr", "real", "r",
         "true", "true value", "normal", "raw", "validated"), Quality.MEASURED),
    **dict.fromkeys(
        ("e", "est", "estimated", "estimate", "s", "f", "substituted", "substitute", "ersatzwert", "ersatz",
         "interpolated", "final substitute", "forward estimate", "profiled", "provisional"), Quality.ESTIMATED),
    **dict.fromkeys(("corrected", "edited", "revised", "c", "manual"), Quality.CORRECTED),
    **dict.fromkeys(
        ("suspect", "questionable", "invalid", "bad", "fail", "failed", "error", "doubtful", "x"), Quality.SUSPECT),
    **dict.fromkeys(("missing", "null", "n", "gap", "no data", "nodata"), Quality.MISSING),
}  # fmt: skip


class TableReader:
    """Makes `RAW` rows of a table's pieces, one after the other; what the first piece shows holds for the others.

    Parameters
    ----------
    mapping : ColumnMapping
    options : ReadingOptions
    tally : Tally
    lone_point : str
        Usage point of a table that names none.
    """

    def __init__(self, mapping: ColumnMapping, options: ReadingOptions, tally: Tally, lone_point: str) -> None:
        self.mapping = mapping
        self.options = options
        self.tally = tally
        self.lone_point = lone_point
        self.at_end = mapping.start is None
        self._forms: dict[str, TimeForm] = {}
        self._thousands = "." if options.decimal == "," else ","
        if mapping.usage_point is None:
            tally.remark(f"no column names the usage point: all rows are of {lone_point!r}")

    def take(
        self,
        frame: pl.DataFrame,
        row: NDArray[np.int64],
        texts: Callable[[str], pl.Series] | None = None,
        ragged: NDArray[np.bool_] | None = None,
        offset_s: NDArray[np.int64] | None = None,
    ) -> pl.DataFrame:
        """Rows of one piece.

        Parameters
        ----------
        frame : polars.DataFrame
            The mapped columns, with the types that they have.
        row : int64[n]
            Number of each row in the file.
        texts : callable, optional
            Gives a column as text as it stands in the file, where `frame` has what could be made of it.
        ragged : bool[n], optional
            Rows with more fields than the table has columns.
        offset_s : int64[n], optional
            Added to each time: the time of day that stands in a column's name. [s]

        Returns
        -------
        polars.DataFrame
            Columns of `RAW`.
        """
        import polars as pl

        mapping, n = self.mapping, len(frame)
        values = mapping.values() or [("value", mapping.value or "")]
        good = np.ones(n, bool)
        problems: list[tuple[str, NDArray[np.bool_]]] = []

        def refuse(reason: str, which: NDArray[np.bool_]) -> None:
            which = which & good
            if which.any():
                problems.append((reason, which))
                good[which] = False

        if ragged is not None:
            refuse("more fields than the table has columns", ragged)
        if mapping.usage_point is None:
            point = pl.Series([self.lone_point]).new_from_index(0, n)
        else:
            point = frame[mapping.usage_point]
            if point.dtype != pl.String:
                point = self._name_of_number(point)
            stripped = point.str.strip_chars()
            refuse("no usage point", (stripped.is_null() | (stripped == "")).fill_null(True).to_numpy())
            point = stripped
        time_s, naive = self._times(frame, mapping.start or mapping.end or "", refuse)
        end_s = np.zeros(n, np.int64)
        if mapping.start is not None and mapping.end is not None:
            end_s, _ = self._times(frame, mapping.end, refuse)
        if offset_s is not None:
            time_s = time_s + offset_s
        duration_s = np.zeros(n, np.int32)
        if mapping.duration_s is not None:
            seconds, bad = self._numbers(frame, mapping.duration_s, texts)
            bad |= ~((seconds > 0) & (seconds <= LONGEST_S))
            refuse("a length of the interval that is no number of seconds up to 400 days", bad)
            duration_s = np.where(bad, 0, np.nan_to_num(seconds)).astype(np.int32)
        received = np.zeros(n, bool)
        if mapping.flow is not None:
            received = self._flows(frame[mapping.flow], refuse)
        quality = np.zeros(n, np.uint8)
        if mapping.quality is not None:
            quality = self._qualities(frame[mapping.quality])
        scale_of_row: NDArray[np.float64] | None = None
        kind_of_row: NDArray[np.uint8] | None = None
        if mapping.obis is not None:
            kind_of_row, received, scale_of_row = obis.meaning_of_rows(
                frame[mapping.obis], frame[mapping.unit] if mapping.unit is not None else None, refuse
            )
        parts = []
        for ours, theirs in values:
            value, bad = self._numbers(frame, theirs, texts)
            kind, scale = VALUES.get(ours, (ENERGY, 1.0))
            value = value * (scale if scale_of_row is None else scale_of_row)
            bad |= np.abs(value) > LARGEST
            bad &= good
            if bad.any():
                where = f" in {theirs!r}" if len(values) > 1 else ""
                self.tally.problem(f"the value{where} is no number", row[bad][:100].tolist(), int(bad.sum()))
            keep = good & ~bad
            value = np.where(quality & Quality.MISSING, np.nan, value)
            export = ours.startswith("export")
            part = pl.DataFrame(
                {
                    "row": row,
                    "usage_point": point,
                    "received": np.ones(n, bool) if export else received,
                    "kind": np.full(n, kind, np.uint8) if kind_of_row is None else kind_of_row,
                    "time_s": time_s,
                    "naive": naive,
                    "end_s": pl.Series(end_s) if mapping.end is not None and not self.at_end
                    else pl.repeat(None, n, dtype=pl.Int64, eager=True),
                    "duration_s": pl.Series(duration_s) if mapping.duration_s is not None
                    else pl.repeat(None, n, dtype=pl.Int32, eager=True),
                    "value": pl.Series(value),
                    "quality": quality,
                }
            )  # fmt: skip
            parts.append(part if keep.all() else part.filter(pl.Series(keep)))
        for reason, which in problems:
            # A row of several values is as many rows of the account.
            self.tally.problem(reason, row[which][:100].tolist(), int(which.sum()) * len(values))
        self.tally.rows += n * len(values)
        return pl.concat(parts) if len(parts) > 1 else parts[0]

    def _name_of_number(self, point: pl.Series) -> pl.Series:
        import polars as pl

        if point.dtype.is_float():
            whole = point.cast(pl.Int64, strict=False)
            if (whole.cast(pl.Float64) == point).all():
                point = whole
        return point.cast(pl.String)

    def _times(
        self, frame: pl.DataFrame, name: str, refuse: Callable[[str, NDArray[np.bool_]], None]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        import polars as pl

        parts = parts_of(name, frame.columns)
        if len(parts) == 1:
            column = frame[parts[0]]
        else:
            column = frame.select(pl.concat_str([pl.col(p).cast(pl.String).str.strip_chars() for p in parts],
                                                separator=" "))[parts[0]]  # fmt: skip
        n = len(column)
        if isinstance(column.dtype, pl.Datetime):
            seconds = column.dt.epoch("s")
            bad = seconds.is_null().to_numpy()
            naive = np.full(n, column.dtype.time_zone is None)
            refuse("the time is not understood", bad)
            return seconds.fill_null(0).to_numpy(), naive
        if column.dtype == pl.Date:
            seconds = column.cast(pl.Int64) * 86_400
            refuse("the time is not understood", seconds.is_null().to_numpy())
            return seconds.fill_null(0).to_numpy(), np.ones(n, bool)
        if column.dtype.is_numeric():
            numbers = column.cast(pl.Float64)
            bad = (~(numbers.is_finite() & (numbers.abs() < 1e20))).fill_null(True).to_numpy()
            refuse("the time is not understood", bad)
            exact = column.fill_null(0).to_numpy() if column.dtype.is_integer() else numbers.fill_null(0).to_numpy()
            return seconds_of_numbers(np.where(bad, 0, exact)), np.zeros(n, bool)
        if column.dtype != pl.String:
            column = column.cast(pl.String)
        if name not in self._forms:
            self._forms[name] = self._find_form(column, name)
        form = self._forms[name]
        if not form.formats:
            numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
            finite = (numbers.is_finite() & (numbers.abs() > 1e8) & (numbers.abs() < 1e20)).fill_null(False).to_numpy()
            if finite.any():
                seconds_f = np.where(finite, numbers.fill_null(0).to_numpy(), 0)
                out = np.zeros(n, np.int64)
                out[finite] = seconds_of_numbers(seconds_f[finite])
                refuse("the time is not understood", ~finite)
                return out, np.zeros(n, bool)
        out, understood, naive = seconds_of_texts(column, form)
        refuse("the time is not understood", ~understood)
        return out, naive

    def _find_form(self, column: pl.Series, name: str) -> TimeForm:
        """Form of the times, out of the beginning and of texts from all over the piece."""
        import polars as pl

        some = column.drop_nulls()
        head = some.head(500)
        spread = some.gather_every(max(1, len(some) // 500))
        sample = pl.concat([head, spread])
        numbers = sample.str.strip_chars().cast(pl.Float64, strict=False)
        compact = sample.str.contains(r"^\s*(19|20)\d{6}(\d{4}|\d{6})?\s*$")
        if len(sample) and numbers.is_not_null().mean() > 0.5 and not (compact.mean() or 0) > 0.5:  # type: ignore[operator]
            return TimeForm(())
        form = find_form(sample, self.options.day_first)
        if form.formats:
            first = form.formats[0][0]
            swapped = first.replace("%d", "?").replace("%m", "%d").replace("?", "%m")
            if self.options.day_first is None and not first.startswith("%Y") and "%b" not in first:
                if find_form(sample, first.startswith("%m")).formats[:1] == ((swapped, form.formats[0][1]),):
                    order = "month first" if first.startswith("%m") else "day first"
                    self.tally.remark(f"{name!r}: dates could be read either way; {order} gives the more even times")
        return form

    def _numbers(
        self, frame: pl.DataFrame, name: str, texts: Callable[[str], pl.Series] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Numbers of a column, NaN where it says that there is none; and where it says something else."""
        import polars as pl

        column = frame[name]
        n = len(column)
        if column.dtype.is_numeric():
            value = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
            if texts is None or not np.isnan(value).any():
                return value, np.isinf(value)
            value = value.copy()
            column = texts(name)
            lost = np.flatnonzero(np.isnan(value))
        else:
            if column.dtype != pl.String:
                column = column.cast(pl.String)
            value = np.full(n, np.nan)
            lost = np.arange(n)
        bad = np.zeros(n, bool)
        part = (column if len(lost) == n else column.gather(lost)).str.strip_chars()
        if self._thousands == ".":
            part = part.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        number = part.cast(pl.Float64, strict=False)
        grouped = number.is_null() & part.str.contains(r"^[-+]?\d{1,3}([,' \u00a0]\d{3})+(\.\d+)?$").fill_null(False)
        if grouped.any():
            number = pl.select(
                pl.when(grouped)
                .then(part.str.replace_all(r"[,' \u00a0]", "").cast(pl.Float64, strict=False))
                .otherwise(number)
            ).to_series()
        empty = part.is_null() | part.str.to_lowercase().is_in(list(EMPTY)).fill_null(True)
        value[lost] = number.fill_null(float("nan")).to_numpy()
        bad[lost] = (number.is_null() & ~empty).to_numpy()
        bad |= np.isinf(value)
        return value, bad

    def _flows(self, column: pl.Series, refuse: Callable[[str, NDArray[np.bool_]], None]) -> NDArray[np.bool_]:
        import polars as pl

        said = column.cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()
        meaning = said.replace_strict(_RECEIVED, default=None, return_dtype=pl.Boolean)
        refuse("the direction of flow is not understood", meaning.is_null().to_numpy())
        return meaning.fill_null(False).to_numpy()

    def _qualities(self, column: pl.Series) -> NDArray[np.uint8]:
        import polars as pl

        said = column.cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()
        known = {name: int(quality) for name, quality in _QUALITY.items()}
        meaning = said.replace_strict(known, default=None, return_dtype=pl.UInt8)
        strange = meaning.is_null()
        if strange.any():
            codes = ", ".join(repr(code) for code in said.filter(strange).unique().sort().head(5))
            self.tally.remark(f"{{}} rows have a quality that is not known ({codes}): kept, as suspect",
                              int(strange.sum()))  # fmt: skip
        return meaning.fill_null(int(Quality.SUSPECT)).to_numpy()


def empty_rows() -> pl.DataFrame:
    """No rows."""
    import polars as pl

    return pl.DataFrame(schema=raw_schema())


__all__ = ["RAW", "UTC", "TableReader", "empty_rows"]
