"""Days off and working days."""

from datetime import date, timedelta

import holidays
import pytest

from headframe.policy.calendars import UnknownCalendar, calendar_of


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_two_libraries_agree_on_china(year: int) -> None:
    """chinesecalendar and holidays know the same days off and the same make-up working days."""
    ours = calendar_of("CN")
    theirs = holidays.country_holidays("CN", years=[year - 1, year, year + 1])
    for day in days(date(year, 1, 1), date(year, 12, 31)):
        works = day not in theirs and (day.weekday() < 5 or day in theirs.weekend_workdays)
        assert ours.is_working(day) == works, day


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 9, 28), True),  # Sunday, worked for National Day
        (date(2025, 10, 8), False),
        (date(2025, 10, 11), True),  # Saturday, worked
        (date(2026, 2, 14), True),  # Saturday, worked for the Spring Festival
        (date(2026, 2, 15), False),
        (date(2026, 2, 23), False),
        (date(2026, 2, 24), True),
        (date(2026, 2, 28), True),  # Saturday, worked
        (date(2026, 1, 4), True),  # Sunday, worked for New Year
    ],
)
def test_make_up_days_of_china_are_worked(day: date, works: bool) -> None:
    """By the State Council's notices for 2025 and 2026."""
    assert calendar_of("CN").is_working(day) is works
    assert calendar_of("CN").make_up(day) is (works and day.weekday() > 4)


def test_a_year_without_a_notice_is_provisional() -> None:
    """China publishes a year's days off late in the year before; until then the law's own holidays are taken."""
    china = calendar_of("CN")
    known = max(year for year in range(2020, 2060) if not china.provisional(year))
    assert known >= 2026
    assert china.provisional(known + 1)
    assert not china.is_working(date(known + 1, 10, 1))
    assert china.off(date(known + 1, 10, 1)) != "weekend"


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 26), False),  # Thanksgiving
        (date(2026, 11, 27), False),  # the Friday after: closed
        (date(2026, 11, 11), False),  # Veterans Day
        (date(2026, 10, 12), True),  # Columbus Day is none of Texas
        (date(2026, 3, 2), True),  # Texas Independence Day: partial staffing, open
        (date(2026, 6, 19), True),  # Emancipation Day: partial staffing, open
        (date(2026, 4, 3), True),  # Good Friday: optional
        (date(2026, 7, 3), True),  # 4 July is a Saturday and is not moved
        (date(2026, 12, 24), False),
        (date(2027, 12, 27), True),  # 26 December is a Sunday and is not moved
    ],
)
def test_texas_counts_days_on_which_agencies_are_open(day: date, works: bool) -> None:
    """Government Code 662.003 and 662.004."""
    assert calendar_of("US-TX").is_working(day) is works


def test_a_saturday_ends_a_period_in_malaysia() -> None:
    """A weekly holiday is Sunday (Holidays Act 1951, section 2): a period may end on Saturday."""
    kuala_lumpur = calendar_of("MY-14")
    assert not kuala_lumpur.is_working(date(2026, 4, 11))
    assert not kuala_lumpur.rolls_over(date(2026, 4, 11))
    assert kuala_lumpur.rolls_over(date(2026, 4, 12))
    kelantan = calendar_of("MY-03")
    assert not kelantan.is_working(date(2026, 4, 10))
    assert kelantan.is_working(date(2026, 4, 12))
    assert kelantan.rolls_over(date(2026, 4, 10))
    assert not kelantan.rolls_over(date(2026, 4, 12))


def test_russia_moves_days_off_by_decree() -> None:
    """Saturday 1 November 2025 was worked, Monday 3 November was off; from 2027 on no decree is known."""
    russia = calendar_of("RU")
    assert russia.is_working(date(2025, 11, 1))
    assert not russia.is_working(date(2025, 11, 3))
    assert not russia.is_working(date(2026, 1, 9))
    assert not russia.provisional(2026)
    assert russia.provisional(2040)


def test_norway_has_no_days_in_place_of_a_holiday() -> None:
    """Easter moves, 17 May 2026 is a Sunday and the Monday is worked."""
    norway = calendar_of("NO")
    assert not norway.is_working(date(2026, 4, 2))
    assert not norway.is_working(date(2026, 5, 25))
    assert norway.is_working(date(2026, 5, 18))


def test_an_unknown_calendar_says_which_there_are() -> None:
    """And nothing but words comes of it."""
    with pytest.raises(UnknownCalendar, match="US-TX"):
        calendar_of("XX")
    with pytest.raises(UnknownCalendar, match="WEEKDAYS"):
        calendar_of("US-QQ")
