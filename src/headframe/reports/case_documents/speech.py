"""A document's language: sentences out of the catalogue, and dates, numbers and units as that language writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headframe.errors import HeadframeError
from headframe.records.finding import Interval
from headframe.records.policy import Words, words_in
from headframe.reports.case_documents import words_en, words_zh
from headframe.reports.words import NS_PER_S, interval_parts
from headframe.sources.findings import moment_ns

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": words_en.TEXTS, "zh": words_zh.TEXTS}
"""Catalogues of the languages in which documents are written."""
METRICS = tuple(key.removeprefix("metric.") for key in words_en.TEXTS if key.startswith("metric.") and key != "metric.")
"""Keys of metrics (`MetricReading.metric`), of which each catalogue has the name."""

_HOUSEHOLD_WORDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "en": (),
    "zh": (("贵单位", "贵户"), ("当事单位", "用电户"), ("该场所的责任单位", "该处用电户")),
}
"""What an organisation is called, and what a household is; English letters say you to both."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})\Z", re.ASCII)


class UnknownLanguage(HeadframeError):
    """No catalogue for the language asked for."""


class Speech:
    """One language, and the time zone in which its dates are told.

    Parameters
    ----------
    language : str
        BCP 47; ``zh-Hans-CN`` is ``zh``, ``en-GB`` is ``en``.
    time_zone : str
        IANA name.
    household : bool
        Whether the reader is a household: it is no organisation, and is not addressed as one.

    Raises
    ------
    UnknownLanguage
        If there is no catalogue for it.
    """

    def __init__(self, language: str, time_zone: str, *, household: bool = False) -> None:
        short = language.replace("_", "-").partition("-")[0].lower()
        if short not in LANGUAGES:
            raise UnknownLanguage(
                f"no document can be written in {language!r}: there are {' and '.join(sorted(LANGUAGES))}; "
                "ask for one of them"
            )
        self.language = short
        self._texts = _for_households(short) if household else LANGUAGES[short]
        try:
            self._zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError) as fault:
            raise HeadframeError(
                f"the policy pack names the time zone {time_zone!r}, which is not known; write an IANA name such as "
                "Asia/Shanghai"
            ) from fault
        self.zone_name = self._texts.get(f"zone.{time_zone}", time_zone)

    def say(self, key: str, **values: object) -> str:
        """A text of the catalogue, with its places filled."""
        return self._texts[key].format(**values)

    def term(self, group: str, value: str) -> str:
        """A word for a value of an enum; the value itself, legible, where the catalogue has none."""
        return self._texts.get(f"{group}.{value}", value.replace("_", " "))

    def has(self, key: str) -> bool:
        """Whether the catalogue has a text."""
        return key in self._texts

    def of(self, words: Words) -> str:
        """A text of a policy pack."""
        return words_in(words, self.language)

    # ------------------------------------------------------------------------------------------------------ dates

    def _local(self, time_ns: int) -> datetime:
        return (_EPOCH + timedelta(microseconds=time_ns // 1_000)).astimezone(self._zone)

    def wall_ns(self, time_ns: int) -> int:
        """What the clock on the wall shows at an instant, told as if it were UTC: for axes of pictures. [ns]"""
        offset = self._local(time_ns).utcoffset() or timedelta(0)
        return time_ns + round(offset.total_seconds()) * NS_PER_S

    def day(self, time_ns: int) -> str:
        """The day on which an instant falls, in the zone."""
        return self._date(self._local(time_ns).date())

    def _date(self, of: date) -> str:
        if self.language == "zh":
            return f"{of.year}年{of.month}月{of.day}日"
        return f"{of.day} {_MONTHS[of.month - 1]} {of.year}"

    def month(self, time_ns: int) -> str:
        """The month in which an instant falls, in the zone."""
        local = self._local(time_ns)
        return f"{local.year}年{local.month}月" if self.language == "zh" else f"{_MONTHS[local.month - 1]} {local.year}"

    def iso_day(self, text: str) -> str:
        """A day as ``2026-11-27``, in words; anything else as it is."""
        found = _ISO_DAY.match(text)
        if not found:
            return text
        try:
            return self._date(date(int(found[1]), int(found[2]), int(found[3])))
        except ValueError:
            return text

    def moment(self, time_ns: int) -> str:
        """Day and time of day to the minute, in the zone."""
        local = self._local(time_ns)
        clock = f"{local.hour:02d}:{local.minute:02d}"
        return f"{self._date(local.date())}{clock}" if self.language == "zh" else f"{self._date(local.date())}, {clock}"

    def from_to(self, started_ns: int, ended_ns: int) -> str:
        """From one instant to another."""
        return self.say("from_to", start=self.moment(started_ns), end=self.moment(ended_ns))

    def last_day_before(self, end_ns: int) -> str:
        """The last day of a period whose end is open: the day of the instant before it."""
        return self.day(end_ns - 1)

    # ---------------------------------------------------------------------------------------------------- numbers

    def number(self, value: float, digits: int = 3) -> str:
        """A number with so many significant digits, thousands apart; a dash where it is not known."""
        if not math.isfinite(value):
            return self.say("not_known")
        if value == 0:
            return "0"
        places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
        text = f"{value:,.{places}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def share(self, value: float) -> str:
        """A share as percentage."""
        if not math.isfinite(value):
            return self.say("not_known")
        digits = f"{value * 100:.3g}"
        return f"{digits}%" if self.language == "zh" else f"{digits} %"

    def ordinal(self, place: str) -> str:
        """The number of an article or item, as this language counts them: 第四十六条; anything else as it is."""
        if self.language != "zh" or not place.isascii() or not place.isdigit() or not 0 < int(place) < 10_000:
            return place
        digits, names = "零一二三四五六七八九", ("千", "百", "十", "")
        told, zero = "", False
        for digit, name in zip(map(int, f"{int(place):04d}"), names, strict=True):
            if digit:
                told += ("零" if zero and told else "") + digits[digit] + name
            zero = not digit
        return told.removeprefix("一") if told.startswith("一十") else told

    def amount(self, decimal: str, unit: str) -> str:
        """A decimal number as text with its unit; nothing is rounded, thousands are set apart."""
        found = re.fullmatch(r"(-?)(\d+)((?:\.\d+)?)", decimal.strip(), re.ASCII)
        shown = f"{found[1]}{int(found[2]):,}{found[3]}" if found else decimal
        return f"{shown} {self.unit(unit)}".strip()

    def unit(self, unit: str) -> str:
        """A unit as this language writes it."""
        return self._texts.get(f"unit.{unit}", unit)

    def interval(self, estimate: Interval, unit: str, *, brief: bool = False) -> str:
        """An estimate with its 95 % interval; `brief` leaves unsaid that it is one of 95 %."""
        middle, _, ends = interval_parts(estimate, unit)
        low, _, high = ends.partition(" to ")
        return self.say("interval.brief" if brief else "interval", middle=middle, low=low, high=high)

    def once_in(self, log10_e: float) -> str:
        """How often at most an innocent subject shows as much, ``1.9 million``; empty where nothing is bounded."""
        if not math.isfinite(log10_e):
            return ""
        shown = math.floor(log10_e * 100 + 1e-9) / 100  # rounded down, as everywhere: it is a bound
        if shown <= 0:
            return ""
        if shown >= 15:
            return "10" + str(math.floor(shown)).translate(_SUPERSCRIPT)
        bound = 10.0**shown
        scales = ((1e8, "亿"), (1e4, "万")) if self.language == "zh" else (
            (1e12, " trillion"), (1e9, " billion"), (1e6, " million"),
        )  # fmt: skip
        for factor, name in scales:
            if bound >= factor * (1 - 1e-12):
                return f"{_two_digits(bound / factor)}{name}"
        return _two_digits(bound)

    def listed(self, items: Iterable[str]) -> str:
        """Items in a row."""
        there = [item for item in items if item]
        if self.language == "zh":
            return "、".join(there)
        return ", ".join(there)

    def sentences(self, lines: Iterable[str]) -> str:
        """Sentences one after the other."""
        return ("" if self.language == "zh" else " ").join(line for line in lines if line)


@lru_cache(maxsize=4)
def _for_households(language: str) -> Mapping[str, str]:
    """The catalogue with the words by which a household is addressed."""
    changed = dict(LANGUAGES[language])
    for key, text in changed.items():
        for organisation, household in _HOUSEHOLD_WORDS[language]:
            text = text.replace(organisation, household)
        changed[key] = text
    return changed


def _two_digits(value: float) -> str:
    step = 10.0 ** (math.floor(math.log10(value) + 1e-9) - 1)
    floored = math.floor(value / step + 1e-9) * step
    return f"{floored:,.0f}" if floored >= 10 else f"{floored:.1f}".removesuffix(".0")


def instant_ns(text: object) -> int | None:
    """An instant of a finding's document, ``2021-04-16T03:09:47.123456789Z``; None where it is not one of 1970 to 2200.

    Returns
    -------
    int or None
        [ns since 1970-01-01 UTC]
    """
    try:
        return moment_ns(text, "time")
    except ValueError:
        return None
