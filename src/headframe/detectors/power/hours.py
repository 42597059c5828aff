"""What is known at some instants: the local clock's offset, and the value of a series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headframe.records.reading import HourlySeries, LocalClock


def local_offset_s(time_s: NDArray[np.int64], clock: LocalClock | None) -> NDArray[np.int64]:
    """Local time minus UTC at each instant; 0 without a clock. [s]"""
    if clock is None or clock.from_s.size == 0:
        return np.zeros(time_s.size, np.int64)
    place = np.clip(np.searchsorted(clock.from_s, time_s, side="right") - 1, 0, None)
    return clock.offset_s[place].astype(np.int64)


def values_at(series: HourlySeries, time_s: NDArray[np.int64]) -> NDArray[np.float64]:
    """The series' value in whose interval each instant lies; NaN outside of it."""
    if series.values.size == 0:
        return np.full(time_s.size, np.nan)
    place = (time_s - series.start_s) // series.step_s
    inside = (place >= 0) & (place < series.values.size)
    return np.where(inside, series.values[np.where(inside, place, 0)].astype(np.float64), np.nan)
