"""The system clock, called here and nowhere else: everything else is handed the time as an argument."""

import time
from datetime import UTC, date, datetime


def now_ns() -> int:
    """Time of day by the system clock.

    Returns
    -------
    int
        [ns since 1970-01-01 UTC]
    """
    return time.time_ns()


def monotonic_s() -> float:
    """Seconds on a clock that never goes back; only differences mean something.

    Returns
    -------
    float
        [s]
    """
    return time.monotonic()


def today() -> date:
    """Today's date in UTC.

    Returns
    -------
    datetime.date
    """
    return datetime.fromtimestamp(now_ns() / 1e9, tz=UTC).date()
