"""Where a simulated district lies: its clock, its holidays, its climate; and the calendar of its days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

FINE_S = 900
"""What is simulated is simulated in quarter hours, whatever the meters' interval: a kettle is not an hour long. [s]"""
FINE_PER_DAY = 86_400 // FINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place with a climate.

    Attributes
    ----------
    name, zone : str
        ``london``; IANA name, ``Europe/London``.
    country, subdivision : str
        Whose public holidays are kept (ISO 3166); the subdivision may be empty.
    latitude : float
        [degrees]
    mean_c, season_c, day_c : float
        Mean temperature of the year; half the difference of warmest and coldest month; half the difference of day and
        night on a clear summer day. [degrees C]
    weather_c : float
        Standard deviation of the weather about the season. [degrees C]
    cloud : float
        Mean cloud cover, 0 to 1. [unitless]
    cooling : float
        Share of homes with air conditioning. [unitless]
    weekend : tuple of int
        Days off, 0 is Monday.
    """

    name: str
    zone: str
    country: str
    subdivision: str = ""
    latitude: float
    mean_c: float
    season_c: float
    day_c: float
    weather_c: float
    cloud: float
    cooling: float
    weekend: tuple[int, ...] = (5, 6)


# Temperatures are rounded from the climate normals of 1991 to 2020 of London Heathrow, Tashkent, Chicago O'Hare,
# Sydney Observatory Hill and Chengdu (WMO); cloud and air conditioning are plain guesses.
PLACES = {
    place.name: place
    for place in (
        Place(name="london", zone="Europe/London", country="GB", subdivision="ENG", latitude=51.5, mean_c=11.8,
              season_c=6.8, day_c=5.0, weather_c=3.0, cloud=0.65, cooling=0.03),
        Place(name="tashkent", zone="Asia/Tashkent", country="UZ", latitude=41.3, mean_c=15.0,
              season_c=13.0, day_c=8.0, weather_c=3.5, cloud=0.4, cooling=0.5),
        Place(name="chicago", zone="America/Chicago", country="US", subdivision="IL", latitude=41.9, mean_c=10.6,
              season_c=14.0, day_c=6.0, weather_c=4.5, cloud=0.55, cooling=0.7),
        Place(name="sydney", zone="Australia/Sydney", country="AU", subdivision="NSW", latitude=-33.9, mean_c=18.6,
              season_c=5.2, day_c=5.0, weather_c=2.5, cloud=0.5, cooling=0.5),
        Place(name="chengdu", zone="Asia/Shanghai", country="CN", latitude=30.7, mean_c=16.8,
              season_c=10.0, day_c=4.0, weather_c=2.5, cloud=0.75, cooling=0.6),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Quarter hours of some whole local days, and the days.

    Attributes
    ----------
    place : Place
    time_s : int64[t]
        Start of each quarter hour. [s since 1970-01-01 UTC]
    offset_s : int32[t]
        Local time minus UTC. [s]
    hour : float32[t]
        Local time of day at its start. [h]
    day : int32[t]
        Which day it is in, from 0.
    weekday : int8[d]
        0 is Monday.
    holiday : bool[d]
        Public holidays.
    off : bool[d]
        Weekend or holiday.
    school_out : bool[d]
        Off, or in the holidays of schools.
    year_day : float32[d]
        Day of the year, 1 to 366.
    """

    place: Place
    time_s: NDArray[np.int64]
    offset_s: NDArray[np.int32]
    hour: NDArray[np.float32]
    day: NDArray[np.int32]
    weekday: NDArray[np.int8]
    holiday: NDArray[np.bool_]
    off: NDArray[np.bool_]
    school_out: NDArray[np.bool_]
    year_day: NDArray[np.float32]

    @property
    def days(self) -> int:
        """Number of days."""
        return self.weekday.size


def calendar_of(place: Place, first: date, days: int) -> Calendar:
    """The calendar of `days` days at a place.

    Parameters
    ----------
    place : Place
    first : datetime.date
        The first local day; it begins and the last one ends at local midnight, so that a change to summer time makes
        the whole an hour shorter.
    days : int
        1 or more.

    Returns
    -------
    Calendar
    """
    import holidays

    zone = ZoneInfo(place.zone)
    dates = [first + timedelta(days=k) for k in range(days + 1)]
    midnight_s = [int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()) for d in dates]
    time_s = np.arange(midnight_s[0], midnight_s[-1], FINE_S, dtype=np.int64)
    # A zone changes its offset at most once within an hour.
    hours = np.arange(midnight_s[0] // 3600, midnight_s[-1] // 3600 + 1)
    offsets = [int(_offset(int(hour) * 3600, zone)) for hour in hours]
    offset_s = np.array(offsets, np.int32)[time_s // 3600 - hours[0]]
    local_s = time_s + offset_s
    first_day = (first - date(1970, 1, 1)).days
    known = holidays.country_holidays(
        place.country, subdiv=place.subdivision or None, years=range(first.year, dates[-1].year + 1)
    )
    inside = dates[:-1]
    weekday = np.array([d.weekday() for d in inside], np.int8)
    holiday = np.array([d in known for d in inside])
    off = holiday | np.isin(weekday, place.weekend)
    return Calendar(
        place=place,
        time_s=time_s,
        offset_s=offset_s,
        hour=(local_s % 86_400 / 3600).astype(np.float32),
        day=(local_s // 86_400 - first_day).astype(np.int32),
        weekday=weekday,
        holiday=holiday,
        off=off,
        school_out=off | np.array([_school_is_out(d, place.latitude) for d in inside]),
        year_day=np.array([d.timetuple().tm_yday for d in inside], np.float32),
    )


def _offset(time_s: int, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(time_s, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()


def _school_is_out(day: date, latitude: float) -> bool:
    """Long holidays in summer, two weeks about the new year, a week in autumn, two in spring."""
    summer = (7, 22) <= (day.month, day.day) <= (9, 1)
    if latitude < 0:
        summer = (day.month, day.day) >= (12, 20) or (day.month, day.day) <= (1, 27)
    new_year = (day.month, day.day) >= (12, 20) or (day.month, day.day) <= (1, 3)
    return bool(
        summer or new_year or (10, 25) <= (day.month, day.day) <= (10, 31) or (4, 1) <= (day.month, day.day) <= (4, 14)
    )
