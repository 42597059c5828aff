"""Times as files write them, in seconds since 1970-01-01 UTC: texts of many forms, epochs, and civil time with DST."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

_DAYS_YEAR_FIRST = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")
_DAYS_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y",
                   "%d%b%Y")  # fmt: skip
_DAYS_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%b %d, %Y", "%b %d %Y")
_HOURS = ("%H:%M:%S", "%H:%M", "%H:%M:%S%.f", "%H%M", "%H%M%S", "%I:%M:%S %p", "%I:%M %p", "%H.%M", "%I:%M%p")
_SAMPLE = 1000
_SHAPES = 6
"""So many ways of writing a time are looked for in one column."""


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How a file writes its times.

    Attributes
    ----------
    formats : tuple of (str, bool)
        ``strptime`` formats, the most frequent first, and whether they have an offset.
    """

    formats: tuple[tuple[str, bool], ...]


def epoch_unit(value: float) -> int:
    """Seconds divided by this many are what an epoch counts: 1, 1e3, 1e6 or 1e9, by its size."""
    size = abs(value)
    return 1 if size < 1e11 else 1000 if size < 1e14 else 1_000_000 if size < 1e17 else 1_000_000_000


def find_form(sample: pl.Series, day_first: bool | None) -> TimeForm:
    """Formats that understand a sample of texts; of two that do, the one whose times go on more evenly.

    03/04/2020 may be in March or in April: times of a file mostly go forward in small steps, under the right reading.
    """
    texts = sample.drop_nulls().head(_SAMPLE).str.strip_chars()
    texts = texts.filter(texts != "").str.replace(r"([T ])24:00", "${1}00:00")
    found: list[tuple[str, bool]] = []
    orders = [*_DAYS_YEAR_FIRST, *_DAYS_DAY_FIRST, *_DAYS_MONTH_FIRST]
    for _ in range(_SHAPES):
        if not len(texts):
            break
        # The most frequent shape of what is not understood yet, its digits all the same.
        shapes = texts.str.replace_all(r"\d", "9")
        counts = shapes.value_counts(sort=True, name="n")
        shape = counts.filter(counts["n"] == counts["n"][0])[shapes.name].min()
        best: tuple[tuple[int, float], tuple[str, bool]] | None = None
        alike = texts.filter(shapes == shape)
        # One of them may be no time at all: the 30th of February.
        forms = next((found_ for k in (0, len(alike) // 2, -1) if (found_ := _candidates(str(alike[k]), orders))), [])
        for form, zoned in forms:
            times = _try(texts, form, zoned)
            good = times.drop_nulls()
            if not len(good):
                continue
            steps = good.diff().drop_nulls().to_numpy().astype(np.float64)
            # A whole month's jump where a day's is right, or the other way round: the even reading has the smaller sum.
            unevenness = float(np.abs(steps - np.median(steps)).sum()) if len(steps) else 0.0
            if day_first is not None and form.startswith(_DAYS_MONTH_FIRST if day_first else _DAYS_DAY_FIRST):
                continue
            if form.startswith("%y") or ("%y" in form and good.min() < 0):  # type: ignore[operator]
                continue
            rank = (len(good), -unevenness)
            if best is None or rank > best[0]:
                best = (rank, (form, zoned))
        left = shapes != shape
        if best is not None:
            found.append(best[1])
            left &= _try(texts, *best[1]).is_null()
        texts = texts.filter(left)
    return TimeForm(tuple(found))


def _candidates(text: str, days: list[str]) -> list[tuple[str, bool]]:
    """Formats that may fit one text, told by its signs."""
    zoned = bool(re.search(r"\d\s?(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})$", text)) and bool(re.search(r"\d[T ]\s?\d", text))
    joints = [joint for joint in ("T", " ") if joint in text.strip()] or [""]
    joints += ["-", ":"] if joints == [""] else []
    suffixes = ["%#z", " %#z"] if zoned else [""]
    forms = [(f"{day}{joint}{hour}{suffix}", zoned)
             for day in days for joint in joints for hour in _HOURS for suffix in suffixes]  # fmt: skip
    if not re.search(r":|\d[T ]\d|\d{9}", text):
        forms = [(day, False) for day in days] + forms
    return [(form, zoned) for form, zoned in forms if _fits(text, form)]


_SIGNS = {
    "%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"(?:0?[1-9]|1[0-2])", "%d": r"(?:0?[1-9]|[12]\d|3[01])",
    "%b": r"[A-Za-z]{3,9}", "%H": r"(?:[01]?\d|2[0-3])",
    "%I": r"(?:0?[1-9]|1[0-2])", "%M": r"[0-5]\d", "%S": r"[0-6]\d",
    "%.f": r"\.\d+", "%p": r"[AaPp][Mm]", "%#z": r"(?:Z|[+-]\d{2}:?(?:\d{2})?)",
}  # fmt: skip


@cache
def _sign(form: str) -> re.Pattern[str]:
    parts = re.split(r"(%#z|%\.f|%.)", form)
    return re.compile("".join(_SIGNS.get(part, re.escape(part)) for part in parts))


def _fits(text: str, form: str) -> bool:
    """Whether one text may be of a form: much cheaper to ask than whether a column is."""
    return _sign(form).fullmatch(text.strip()) is not None


def _try(texts: pl.Series, form: str, zoned: bool) -> pl.Series:
    """Seconds, null where a text is not of this form."""
    import polars as pl

    if "%H" not in form and "%I" not in form:
        days: pl.Series = texts.str.to_date(form, strict=False).cast(pl.Int64) * 86_400
        return days
    if zoned:
        texts = texts.str.replace("Z$", "+00:00")
        return texts.str.to_datetime(form, strict=False, time_zone="UTC", time_unit="us").dt.epoch("s")
    return texts.str.to_datetime(form, strict=False, time_unit="us").dt.epoch("s")


def seconds_of_texts(
    texts: pl.Series, form: TimeForm
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Seconds of texts, whether each was understood, and whether it is still in civil time.

    Returns
    -------
    (int64[n], bool[n], bool[n])
        Seconds since 1970-01-01 in UTC, or in civil time where the third says so. [s]
    """
    import polars as pl

    n = len(texts)
    seconds = np.zeros(n, np.int64)
    good = np.zeros(n, bool)
    naive = np.zeros(n, bool)
    left = None
    for form_, zoned in form.formats:
        part = texts if left is None else texts.gather(left).str.strip_chars()
        times = _try(part, form_, zoned)
        found = times.is_not_null().to_numpy()
        where = np.flatnonzero(found) if left is None else left[found]
        seconds[where] = times.drop_nulls().to_numpy()
        good[where] = True
        naive[where] = not zoned
        left = (np.arange(n) if left is None else left)[~found]
        if not left.size:
            return seconds, good, naive
    left = np.flatnonzero(~good)
    if not left.size:
        return seconds, good, naive
    rest = texts.gather(left).fill_null("").str.strip_chars()
    # Epochs, and the 24:00 with which some name the end of a day.
    numbers = rest.cast(pl.Float64, strict=False)
    is_epoch = (numbers.is_finite() & (numbers.abs() > 1e8) & (numbers.abs() < 1e19)).fill_null(False).to_numpy()
    for k in np.flatnonzero(is_epoch):
        seconds[left[k]] = int(float(numbers[int(k)]) // epoch_unit(float(numbers[int(k)])))
        good[left[k]] = True
    midnight = rest.str.contains(r"[T ]24:00(:00)?")
    if midnight.any():
        where = left[midnight.to_numpy()]
        replaced = rest.filter(midnight).str.replace(r"([T ])24:00", "${1}00:00")
        for form_, zoned in form.formats or find_form(replaced, None).formats:
            times = _try(replaced, form_, zoned)
            found = times.is_not_null().to_numpy() & ~good[where]
            seconds[where[found]] = times.filter(pl.Series(found)).to_numpy() + 86_400
            good[where[found]] = True
            naive[where[found]] = not zoned
    return seconds, good, naive


def seconds_of_numbers(values: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds out of epochs in s, ms, us or ns, told by the size of the first. [s]"""
    if not values.size:
        return np.zeros(0, np.int64)
    unit = epoch_unit(float(np.median(np.abs(values[:1000]))))
    floor: NDArray[np.int64] = np.floor_divide(values, unit).astype(np.int64)
    return floor


def changes_of_offset(zone: tzinfo, first_s: int, last_s: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When a zone's offset from UTC changes.

    Parameters
    ----------
    zone : datetime.tzinfo
    first_s, last_s : int
        The time that must be covered. [s since 1970-01-01 UTC]

    Returns
    -------
    (int64[k], int64[k])
        From when on, ascending, the first before `first_s`; local time minus UTC from then on. [s]
    """

    def offset(at_s: int) -> int:
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_s)).astimezone(zone)
        return int((local.utcoffset() or timedelta(0)).total_seconds())

    week = 7 * 86_400
    at = first_s - week
    times, offsets = [at], [offset(at)]
    while at < last_s + week:
        after = at + week
        if offset(after) != offsets[-1]:
            low, high = at, after
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            times.append(high)
            offsets.append(offset(high))
        at = after
    return np.array(times, np.int64), np.array(offsets, np.int64)


@dataclass(frozen=True, slots=True)
class Civil:
    """Civil times in UTC, as far as one clock face tells.

    Attributes
    ----------
    early_s, late_s : int64[n]
        The first and the second instant at which clocks showed the time; mostly the same. [s since 1970-01-01 UTC]
    never : bool[n]
        Clocks skipped the time in spring.
    """

    early_s: NDArray[np.int64]
    late_s: NDArray[np.int64]
    never: NDArray[np.bool_]


def civil_to_utc(local_s: NDArray[np.int64], zone: tzinfo) -> Civil:
    """Instants at which clocks of a zone showed some times.

    Parameters
    ----------
    local_s : int64[n]
        Civil time. [s since 1970-01-01 of the same clock]
    zone : datetime.tzinfo

    Returns
    -------
    Civil
    """
    if not local_s.size:
        none = np.zeros(0, np.int64)
        return Civil(none, none, np.zeros(0, bool))
    from_s, offset_s = changes_of_offset(zone, int(local_s.min()) - 90_000, int(local_s.max()) + 90_000)
    if len(from_s) == 1:
        plain = local_s - offset_s[0]
        return Civil(plain, plain, np.zeros(len(plain), bool))
    # The clock's face just before and just after each change: between the two lies what is shown twice or never.
    before, after = from_s[1:] + offset_s[:-1], from_s[1:] + offset_s[1:]
    early = np.searchsorted(before, local_s, side="right")  # the old offset holds until its last face
    late = np.searchsorted(after, local_s, side="right")  # the new one from its first
    early_s, late_s = local_s - offset_s[early], local_s - offset_s[late]
    # In spring the face jumps: after the old one's last and before the new one's first no offset holds.
    return Civil(early_s, late_s, late < early)
