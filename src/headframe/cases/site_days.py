"""Hourly load of a site's usage points, laid out as local days: what `headframe.cases.verification` compares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headframe.cases.verification import BLOCKS, SiteDays
from headframe.detectors.power.hours import local_offset_s, values_at
from headframe.records.reading import HourlySeries, LocalClock

HOUR_S, DAY_S = 3600, 86_400
FOUR_DAYS = 4
"""1970-01-01 was a Thursday: (day + 3) mod 7 is 0 on Mondays."""

WHOLE_DAY_H = 22
"""Hours that make a day of feed-in, or of a balance: a day of 23 hours in spring is a whole one. [h]"""
STILL = 0.001
"""Of a typical day's feed-in: a generator that feeds in less stands still, as in `detectors.power.export_drop`."""

Floats = NDArray[np.float64]


def site_days(
    power_w: Floats,
    start_s: int,
    clock: LocalClock | None,
    *,
    temperature_c: HourlySeries | None = None,
    peers_w: Floats | None = None,
    balance_w: Floats | None = None,
    usage_points: tuple[str, ...] = (),
    export_w: Floats | None = None,
    resource: HourlySeries | None = None,
    resource_kind: str = "",
    export_peers_w: Floats | None = None,
) -> SiteDays:
    """Lay hourly load out as local days.

    Parameters
    ----------
    power_w : float64[k, n] or float64[n]
        Hourly mean power of each usage point of the site; an hour in which one is missing is missing. [W]
    start_s : int
        Start of the first hour. [s since 1970-01-01 UTC]
    clock : LocalClock or None
        Of days and hours, and of holidays; None: UTC.
    temperature_c : HourlySeries or None
        [degrees C]
    peers_w : float64[n] or None
        Typical power of comparable sites in each hour. [W]
    balance_w : float64[n] or None
        What the transformer delivers and no meter sees, less losses. [W]
    usage_points : tuple of str
    export_w : float64[n] or None
        What the site feeds into the grid. [W]
    resource : HourlySeries or None
        What its generator lives on: irradiance, water flow, fuel; any unit.
    resource_kind : str
    export_peers_w : float64[n] or None
        What comparable generators feed in. [W]

    Returns
    -------
    SiteDays
        From the first local day to the last, consecutive.
    """
    total = np.asarray(power_w, np.float64)
    if total.ndim == 2:
        total = total.sum(axis=0)
    hours_s = start_s + HOUR_S * np.arange(total.size, dtype=np.int64)
    local_s = hours_s + local_offset_s(hours_s, clock)
    day, hour = local_s // DAY_S, local_s % DAY_S // HOUR_S
    first = int(day[0]) if day.size else 0
    at = day - first
    n = int(at[-1]) + 1 if at.size else 0
    block_w = _whole_means(total, at * BLOCKS + hour * BLOCKS // 24, n * BLOCKS).reshape(n, BLOCKS)
    # The meter of a day begins at its first local hour.
    day_start_s = np.zeros(n, np.int64)
    day_start_s[at[::-1]] = (hours_s - hour * HOUR_S)[::-1]
    local_days = first + np.arange(n)
    off = (local_days + FOUR_DAYS - 1) % 7 >= 5
    if clock is not None and clock.holidays.size:
        off |= np.isin(local_days, clock.holidays)
    fed_in, still, given = _fed_in(export_w, resource, hours_s, at, n)
    return SiteDays(
        day_start_s=day_start_s,
        block_w=block_w,
        peak_w=_extremes(total, at, n, highest=True),
        floor_w=_extremes(total, at, n, highest=False),
        day_off=off,
        temperature_c=None if temperature_c is None else _means(values_at(temperature_c, hours_s), at, n),
        peers_w=None if peers_w is None else _means(np.asarray(peers_w, np.float64), at, n),
        balance_w=None if balance_w is None else _long_means(np.asarray(balance_w, np.float64), at, n),
        usage_points=usage_points,
        export_w=fed_in,
        stood_still=still,
        resource=given,
        resource_kind=resource_kind,
        export_peers_w=None if export_peers_w is None else _means(np.asarray(export_peers_w, np.float64), at, n),
    )


def _fed_in(
    export_w: Floats | None, resource: HourlySeries | None, hours_s: NDArray[np.int64], at: NDArray[np.int64], n: int
) -> tuple[Floats | None, NDArray[np.bool_] | None, Floats | None]:
    """Feed-in, days on which the generator stood still, and resource of whole days: half a day of sun is no day."""
    if export_w is None:
        return None, None, None
    power = np.asarray(export_w, np.float64)
    known = np.isfinite(power)
    values = None if resource is None else np.asarray(values_at(resource, hours_s), np.float64)
    if values is not None:
        known &= np.isfinite(values)
    fed_in = _long_means(np.where(known, power, np.nan), at, n)
    given = None if values is None else _long_means(np.where(known, values, np.nan), at, n)
    typical = float(np.nanmedian(fed_in)) if np.isfinite(fed_in).any() else 0.0
    still = fed_in <= STILL * typical
    if given is not None and np.isfinite(given).any():
        still &= given > 0.25 * float(np.nanmedian(given))
    return np.where(still, np.nan, fed_in), still, given


def _means(values: Floats, slot: NDArray[np.int64], slots: int) -> Floats:
    """Mean of what is known in each slot; NaN where nothing is."""
    known = np.isfinite(values)
    count = np.bincount(slot[known], minlength=slots)
    total = np.bincount(slot[known], weights=values[known], minlength=slots)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _whole_means(values: Floats, slot: NDArray[np.int64], slots: int) -> Floats:
    """Mean of each slot of which every hour is known; else NaN: machines may run in the very hour that is missing.

    A slot has the hours that its day has, also where the clock goes forward; at the rim of the data it may be cut.
    """
    known = np.bincount(slot[np.isfinite(values)], minlength=slots)
    hours = np.bincount(slot, minlength=slots)
    whole = known == hours
    if slot.size:
        rim = [slot[0], slot[-1]]
        whole[rim] &= hours[rim] * BLOCKS >= 24
    return np.where(whole, _means(values, slot, slots), np.nan)


def _long_means(values: Floats, day: NDArray[np.int64], days: int) -> Floats:
    """Mean of each day of which nearly all hours are known."""
    known = np.bincount(day[np.isfinite(values)], minlength=days)
    return np.where(known >= WHOLE_DAY_H, _means(values, day, days), np.nan)


def _extremes(values: Floats, day: NDArray[np.int64], days: int, *, highest: bool) -> Floats:
    found = np.full(days, -np.inf if highest else np.inf)
    known = np.isfinite(values)
    (np.maximum if highest else np.minimum).at(found, day[known], values[known])
    return np.where(np.isfinite(found), found, np.nan)
