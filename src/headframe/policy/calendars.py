"""Working days and days off, by jurisdiction.

====================  ================================================================================================
``CN``                Monday to Friday without public holidays, and the make-up working days that the State Council
                      puts on weekends. From ``chinesecalendar`` (the State Council's notices, typed in by year); a test
                      compares it day by day with ``holidays``. A year without a notice is provisional.
``MY``, ``MY-14``     Malaysia, a state by its ISO 3166-2 number. Dates by the moon are estimates until they are
                      gazetted, and such a year is provisional. The weekly holiday for the end of a period is Sunday
                      alone, or Friday where the state rests on Friday (Holidays Act 1951, section 2; Interpretation
                      Acts, section 54).
``NO``                Norway.
``RU``                Russia, with the government's transfers of days off; a year without a decree is provisional.
``US-TX``             Texas: Monday to Friday without the national and state holidays on which agencies are closed
                      (Government Code 662.003(a); the Friday after Thanksgiving, 24 and 26 December by (b) and
                      662.004). A holiday on a weekend is not moved. Days of
                      partial staffing (Texas Independence Day and such) are business days: the agencies are open.
``WEEKDAYS``          Monday to Friday and nothing else; for an operator's own rule.
``CC``, ``CC-SUB``    Any other country that ``holidays`` knows.
====================  ================================================================================================

A year is provisional where nobody could know its days off yet. The date is then the best that can be said today, and
says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

_MON_TO_FRI_OFF = frozenset({5, 6})

TEXAS_CLOSED = frozenset(
    {
        "New Year's Day",
        "Martin Luther King Jr. Day",
        "Presidents' Day",
        "Memorial Day",
        "Independence Day",
        "Labor Day",
        "Veterans Day",
        "Thanksgiving Day",
        "Christmas Day",
        # State holidays on which agencies are closed, 662.003(b) and 662.004.
        "Friday After Thanksgiving",
        "Christmas Eve",
        "Day After Christmas",
        # National Independence Day of Juneteenth is Emancipation Day in Texas, of partial staffing: agencies are open.
    }
)
"""Holidays of ``US-TX`` on which state agencies are closed (Texas Government Code 662.003, 662.004)."""

_RUSSIAN_DECREES = (2000, 2026)
"""First and last year whose transfers of days off the library ``holidays`` 0.108 knows. [years]"""

_FRIDAY_STATES = frozenset({"02", "03", "11"})
"""Kedah, Kelantan and Terengganu rest on Friday and Saturday (ISO 3166-2:MY)."""


class UnknownCalendar(ValueError):
    """There is no such calendar; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days off of one jurisdiction.

    Attributes
    ----------
    code : str
    off : callable
        Name of the reason why a day is off, or empty on a working day.
    make_up : callable
        Whether a day of the weekend is worked.
    rolls_over : callable
        Whether the end of a period moves on from this day, where it moves at all.
    provisional : callable
        Whether the days off of a year are not known for sure.
    """

    code: str
    off: Callable[[date], str]
    make_up: Callable[[date], bool]
    rolls_over: Callable[[date], bool]
    provisional: Callable[[int], bool]

    def is_working(self, day: date) -> bool:
        """Whether a day is a working day."""
        return not self.off(day)

    def next_working(self, day: date) -> date:
        """The first working day after a day."""
        day += timedelta(days=1)
        while not self.is_working(day):
            day += timedelta(days=1)
        return day


@lru_cache(maxsize=64)
def calendar_of(code: str) -> Calendar:
    """The calendar with this code.

    Parameters
    ----------
    code : str
        See the head of this module.

    Returns
    -------
    Calendar

    Raises
    ------
    UnknownCalendar
        If there is none.
    """
    if code == "WEEKDAYS":
        return _simple(code, lambda day: "weekend" if day.weekday() in _MON_TO_FRI_OFF else "", lambda _year: False)
    if code == "CN":
        return _china()
    if code == "US-TX":
        return _texas()
    return _of_library(code)


def _simple(code: str, off: Callable[[date], str], provisional: Callable[[int], bool]) -> Calendar:
    return Calendar(code, off, lambda _day: False, lambda day: bool(off(day)), provisional)


def _china() -> Calendar:
    from chinese_calendar import constants  # type: ignore[import-untyped]
    from holidays import country_holidays

    # The days just before the first of January that a notice of the next year speaks of do not make their year known.
    published = {day.year for day in constants.holidays if day.month == 10}
    # The holidays that the law itself names, for a year whose days off are not published yet.
    by_law = country_holidays("CN", language="en_US")

    def off(day: date) -> str:
        if day in constants.workdays:
            return ""
        name = constants.holidays.get(day) if day.year in published else by_law.get(day)
        if name is not None:
            return str(name)
        return "weekend" if day.weekday() in _MON_TO_FRI_OFF else ""

    return Calendar(
        "CN",
        off,
        lambda day: day in constants.workdays,
        lambda day: bool(off(day)),
        lambda year: year not in published,
    )


def _texas() -> Calendar:
    from holidays import country_holidays

    table = country_holidays("US", subdiv="TX", observed=False)

    def off(day: date) -> str:
        if day.weekday() in _MON_TO_FRI_OFF:
            return "weekend"
        closed = TEXAS_CLOSED.intersection(table.get_list(day))
        return min(closed, default="")

    return _simple("US-TX", off, lambda _year: False)


def _of_library(code: str) -> Calendar:
    from holidays import country_holidays

    country, _, subdivision = code.partition("-")
    try:
        table = country_holidays(country, subdiv=subdivision or None, language="en_US")
    except NotImplementedError:
        raise UnknownCalendar(
            f"{code!a} is no calendar; use CN, MY-14, NO, RU, US-TX, WEEKDAYS, or a country or subdivision of ISO 3166 "
            "that the library holidays knows"
        ) from None
    weekend = frozenset({4, 5}) if country == "MY" and subdivision in _FRIDAY_STATES else frozenset(table.weekend)

    def off(day: date) -> str:
        if (name := table.get(day)) is not None:
            return str(name)
        return "weekend" if day.weekday() in weekend and day not in table.weekend_workdays else ""

    def make_up(day: date) -> bool:
        return table.get(day) is None and day in table.weekend_workdays

    # Malaysia alone: Saturday is no weekly holiday in the sense of its Interpretation Acts.
    weekly = {4} if weekend == {4, 5} else {6}

    def rolls_over(day: date) -> bool:
        if country == "MY":
            return table.get(day) is not None or day.weekday() in weekly
        return bool(off(day))

    def provisional(year: int) -> bool:
        if country == "RU":
            return not _RUSSIAN_DECREES[0] <= year <= _RUSSIAN_DECREES[1]
        table.get(date(year, 1, 1))  # makes the library work the year out
        return any("estimated" in name for day, name in table.items() if day.year == year)

    return Calendar(code, off, make_up, rolls_over, provisional)
