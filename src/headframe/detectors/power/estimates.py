"""What a mining-like load amounts to: kW, since when, in which mode, its share of the site, its energy.

Everything here answers "if it is mining, how much is it?" for one usage point that something else has found; it does
not say whether it is. Each way of running leaves another trace:

- a step: the weeks before and after differ by it (`load_step`);
- fixed hours since before the data: two edges a day, at the same hours on working days and weekends;
- following a price: the load drops with the price, beyond what the hours of the week explain;
- always on since before the data: only the floor is left, and the floor is shared with the building's own. What part
  is whose can be said only as far as comparable points agree on how high a floor is; so the interval is wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headframe.detectors.power.hours import values_at
from headframe.detectors.power.load_step import Step, find_steps, finite, local_hours, median_over_days
from headframe.records.finding import Interval
from headframe.records.load_finding import LoadEstimate, Mode, Onset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from headframe.records.reading import HourlySeries, Surroundings

    Floats = NDArray[np.float64]

HOUR_S = 3600
FLOOR_QUANTILE = 0.1
"""The floor of a load: this quantile of its hours. With 0.05 the outages of a machine make its floor (tune split: 43 %
median error in place of 38 %)."""
FLOOR_SLACK = 1.1
"""A machine that rests now and then has more than the floor: upper bound over the floor."""
PRICE_UNSEEN = 0.25
"""Share added to the upper end of a load that follows a price: on the design split a fifth of them lie above an
interval without it."""
DUTY_ERROR = 0.15
"""Relative error of an energy beside that of the power: repairs, outages, hours at the edges. Half of the 95 %
interval; design split."""
COMMERCIAL_FLOOR_SHARES: tuple[float, ...] = (
    0.118, 0.201, 0.306, 0.348, 0.398, 0.449, 0.476, 0.499, 0.511, 0.531, 0.549, 0.571, 0.587, 0.605, 0.622, 0.633,
    0.649, 0.660, 0.677, 0.687, 0.698, 0.711, 0.720, 0.733, 0.744, 0.756, 0.766, 0.776, 0.786, 0.795, 0.805, 0.814,
    0.824, 0.834, 0.842, 0.851, 0.860, 0.874, 0.885, 0.907,
)  # fmt: skip
"""Quantiles of `floor_share` from 0.0125 in steps of 0.025, of 1,092 windows of 56 days of 46 university buildings
(Cambridge estates archive, doi 10.5281/zenodo.10955332; design split)."""
HOME_FLOOR_SHARES: tuple[float, ...] = (
    0.000, 0.057, 0.073, 0.078, 0.092, 0.128, 0.179, 0.217, 0.235, 0.266, 0.277, 0.296, 0.309, 0.329, 0.349, 0.379,
    0.402, 0.427, 0.452, 0.492,
)  # fmt: skip
"""The same from 0.025 in steps of 0.05, of 96 windows of 8 homes (Smart Grid Smart City, SimBench, eemeter's samples;
design split)."""


@dataclass(frozen=True)
class EstimateParameters:
    """What decides between the modes. Origins: confusion on the design split, see ``docs/estimates.md``.

    Attributes
    ----------
    least_step : float
        Score from which a step is taken for the onset.
    least_stage : float
        Score from which a further step, a week or more from the first, is taken for another stage.
    least_edge : float
        Daily edges must be this many times as large as those at other hours of the day.
    least_price_z : float
        The drop with the price over its standard error, days taken as independent.
    least_days : int
        [days]
    """

    least_step: float = 0.1
    least_stage: float = 0.05
    least_edge: float = 3.0
    least_price_z: float = 5.0
    least_days: int = 14


@dataclass(frozen=True, slots=True)
class DailyHours:
    """Hours of the day at which a load runs: local hours bool[24], size [W] with its error, ratio to other edges."""

    hours: NDArray[np.bool_]
    size_w: float
    error_w: float
    clearness: float


@dataclass(frozen=True, slots=True)
class PriceResponse:
    """A load that rests above a price: the drop [W] with its standard error, and the share of the time it runs."""

    size_w: float
    error_w: float
    price: float
    duty: float

    @property
    def z(self) -> float:
        """The drop over its standard error."""
        return self.size_w / self.error_w if self.error_w > 0 else 0.0


def estimate(
    power_w: NDArray[np.float32],
    start_s: int,
    surroundings: Surroundings,
    *,
    peer_floor_shares: Sequence[float] | Floats | None = None,
    home: bool = False,
    parameters: EstimateParameters = EstimateParameters(),
) -> LoadEstimate | None:
    """Say what the load at one usage point amounts to, if it is mining.

    Parameters
    ----------
    power_w : float32[n]
        Hourly mean power, NaN where missing. [W]
    start_s : int
        [s since 1970-01-01 UTC]
    surroundings : Surroundings
        The clock, and the price where it is known.
    peer_floor_shares : sequence of float, optional
        `floor_share` of comparable points; without them those of the real buildings (or homes) that the project was
        fitted on.
    home : bool, optional
        Which of those.
    parameters : EstimateParameters, optional

    Returns
    -------
    LoadEstimate or None
        None where there are too few readings.
    """
    power_w = finite(power_w)
    x = power_w.astype(np.float64)
    known = ~np.isnan(x)
    if np.count_nonzero(known) < parameters.least_days * 24 or not np.nansum(x) > 0:
        return None
    steps = find_steps(power_w, start_s, surroundings.clock, temperature_c=surroundings.temperature_c)
    rises = [step for step in steps if step.size_w.estimate > 0]
    main = max(rises, key=lambda step: step.score, default=None)
    if main is not None and main.score >= parameters.least_step:
        return _since_step(x, start_s, surroundings, main, steps, parameters)
    response = price_response(x, start_s, surroundings)
    hours = daily_hours(x, start_s, surroundings)
    if response is not None and response.z >= parameters.least_price_z:
        power = _around(response.size_w, response.error_w)
        # The drop is seen only where the price departs from its usual day; what is not seen is missing from it.
        power = Interval(power.low, power.estimate, power.high + PRICE_UNSEEN * power.estimate)
        return _whole(x, Mode.PRICE_FOLLOWING, power, response.duty)
    # Clear edges at hours that no mode has are some lawful clock's: they say nothing of the floor.
    if (
        hours is not None
        and hours.clearness >= parameters.least_edge
        and mode_of_hours(hours.hours) is not Mode.UNKNOWN
    ):
        duty = float(hours.hours.mean())
        return _whole(x, mode_of_hours(hours.hours), _around(hours.size_w, hours.error_w), duty, hours.hours)
    late = _since_hours(x, start_s, surroundings, parameters)
    if late is not None:
        return late
    if peer_floor_shares is None:
        peer_floor_shares = HOME_FLOOR_SHARES if home else COMMERCIAL_FLOOR_SHARES
    return _whole(x, Mode.ALWAYS_ON, hidden_in_floor(x, np.asarray(peer_floor_shares, float)), 1.0)


def floor_share(power_w: NDArray[np.float32]) -> float:
    """Floor over mean of a load, 0 to 1; NaN without readings or with a mean of 0 or less."""
    x = np.asarray(power_w, float)
    x = x[~np.isnan(x)]
    mean = float(x.mean()) if len(x) else 0.0
    return float(np.quantile(x, FLOOR_QUANTILE)) / mean if mean > 0 else float("nan")


def hidden_in_floor(x: Floats, peer_floor_shares: Floats) -> Interval:
    """How much of a floor may be a machine that was always on.

    If the site without the machine had the floor share `f` of one of its peers, then the machine has
    ``P = (F - f M) / (1 - f)`` of floor `F` and mean `M`. Every peer gives one answer; they are weighted by how likely
    a machine of that size is beforehand, log-uniformly from a twentieth of the rest of the site to twice it.
    """
    x = x[~np.isnan(x)]
    mean = float(x.mean())
    floor = max(float(np.quantile(x, FLOOR_QUANTILE)), 0.0)
    peers = peer_floor_shares[(peer_floor_shares >= 0) & (peer_floor_shares < 0.995)]
    if len(peers) == 0:
        return Interval(0.0, 0.5 * floor, floor)
    share = floor / mean
    power = (floor - peers * mean) / (1 - peers)
    rest = mean - power
    ratio = np.where(rest > 0, power / np.maximum(rest, 1e-9), np.inf)
    fits = (ratio >= 0.05) & (ratio <= 2.0)
    if share >= 1 or np.count_nonzero(fits) < 3:
        # Lower or flatter than nearly all peers: what is possible is all that can be said.
        estimate = float(np.clip(np.median(power), 0.0, floor)) if share < 1 else 0.9 * floor
        return Interval(0.0, estimate, floor)
    weight = (1 - peers[fits]) / ratio[fits]
    value = power[fits]
    order = np.argsort(value)
    share_below = np.cumsum(weight[order]) / weight.sum()
    places = np.minimum(np.searchsorted(share_below, (0.02, 0.5, 0.99)), len(value) - 1)
    low, middle, high = (float(part) for part in value[order][places])
    return Interval(low, middle, max(min(high, floor * FLOOR_SLACK), middle))


def daily_hours(x: Floats, start_s: int, surroundings: Surroundings) -> DailyHours | None:
    """Find the fixed local hours at which a load is switched on and off every day, by its two edges.

    People's days have slopes, and other ones on weekends; a clock's have an edge, always the same. An edge is how much
    the change at an hour exceeds the mean of the changes at the two hours beside it, the lesser of working days and
    weekends.
    """
    days = _by_day(x, start_s, surroundings)
    if days is None:
        return None
    table, weekday = days
    flat = table.reshape(-1)
    change: Floats = np.concatenate([[np.nan], np.diff(flat)]).reshape(table.shape)
    parts = []
    weekend = weekday >= 5
    for part in (change[~weekend], change[weekend]):
        if np.count_nonzero(~np.isnan(part).all(axis=1)) < 4:
            return None
        middle = median_over_days(part)
        parts.append(middle - (np.roll(middle, 1) + np.roll(middle, -1)) / 2)
    work, rest = parts
    if np.isnan(work + rest).any():
        return None
    # A clock's edge spreads to both neighbours with the other sign and half the size: 1.5 in all.
    edge = np.where(work * rest > 0, np.sign(work) * np.minimum(np.abs(work), np.abs(rest)), 0.0)
    best: tuple[float, int, int] | None = None
    for up in range(24):
        for length in range(4, 22):
            down = (up + length) % 24
            size = min(edge[up], -edge[down])
            if size <= 0 or max(edge[up], -edge[down]) > 2.5 * size:
                continue
            if best is None or size > best[0]:
                best = (size, up, length)
    if best is None:
        return None
    size, up, length = best
    near = {(up + k) % 24 for k in (-1, 0, 1)} | {(up + length + k) % 24 for k in (-1, 0, 1)}
    others = np.abs(np.array([(abs(work[h]) + abs(rest[h])) / 2 for h in range(24) if h not in near]))
    usual = float(np.sqrt(np.mean(others**2)))
    hours = np.zeros(24, bool)
    hours[(up + np.arange(length)) % 24] = True
    down = (up + length) % 24
    value = float(np.mean([edge[up], -edge[down]]))
    return DailyHours(hours, value, max(usual, 0.5 * abs(edge[up] + edge[down])), size / max(usual, 1e-9))


def price_response(x: Floats, start_s: int, surroundings: Surroundings, since: int = 0) -> PriceResponse | None:
    """Find the price above which a load rests, and by how much.

    Hours of the week explain the load and the price alike, so both are compared within the same hour of the day on
    working days and weekends: what is left is days on which the price was high at an hour when it usually is not.
    """
    series = surroundings.price_per_kwh
    if series is None:
        return None
    n = len(x)
    price = aligned(series, start_s, n)[since:]
    load = x[since:]
    hour = local_hours(start_s, n, surroundings.clock)[since:]
    there = ~np.isnan(price) & ~np.isnan(load)
    if np.count_nonzero(there) < 14 * 24:
        return None
    price, load, hour = price[there], load[there], hour[there]
    day = hour // 24
    weekend = (day + 3) % 7 >= 5
    slot = hour % 24 + 24 * weekend
    level = _centred(load, slot)
    # What a whole day has more or less is weather and calendar.
    day_index = day - day.min()
    level = _centred(level, day_index)
    limit = 6 * float(np.median(np.abs(level)))
    level = np.clip(level, -limit, limit) if limit > 0 else level
    best: PriceResponse | None = None
    for quantile in np.arange(0.6, 0.951, 0.025):
        threshold = float(np.quantile(price, quantile))
        high = (price > threshold).astype(float)
        signal = _centred(_centred(high, slot), day_index)
        power = float(np.sum(signal * signal))
        if power < 24:
            continue
        slope = -float(np.sum(signal * level)) / power
        left = level + slope * signal
        by_day = np.bincount(day_index, weights=signal * left)
        error = float(np.sqrt(np.sum(by_day**2))) / power
        found = PriceResponse(slope, error, threshold, float(1 - high.mean()))
        if slope > 0 and (best is None or found.z > best.z):
            best = found
    return best


def mode_of_hours(hours: NDArray[np.bool_], *, all_week: bool = False) -> Mode:
    """Name the mode of a load that runs at these local hours of the day, bool[24]."""
    off = 24 - int(np.count_nonzero(hours))
    if off <= 1:
        return Mode.STEP
    if all_week:
        return Mode.OFF_HOURS
    evening = np.count_nonzero(~hours[14:24])
    if off <= 9 and evening >= off / 2:
        return Mode.CURTAILED
    if off >= 10 and np.count_nonzero(hours[10:19]) <= 2:
        return Mode.NIGHT_ONLY
    return Mode.UNKNOWN


def aligned(series: HourlySeries, start_s: int, n: int) -> Floats:
    """Give the value of a series for each of `n` hours, NaN where it says nothing: float64[n]."""
    return values_at(series, start_s + HOUR_S * np.arange(n, dtype=np.int64))


def _since_step(
    x: Floats,
    start_s: int,
    surroundings: Surroundings,
    main: Step,
    steps: Sequence[Step],
    parameters: EstimateParameters,
) -> LoadEstimate:
    stages = [main]
    for step in steps:
        alike = np.mean(step.hours == main.hours) >= 0.75
        size = step.size_w.estimate
        if step is not main and alike and size > 0.15 * main.size_w.estimate and step.score >= parameters.least_stage:
            stages.append(step)
    stages.sort(key=lambda step: step.onset.estimate_ns)
    first = stages[0]
    onset = first.onset
    since = max((onset.estimate_ns // 1_000_000_000 - start_s) // HOUR_S, 0)
    mode = Mode.STAGED if len(stages) > 1 else mode_of_hours(main.hours, all_week=main.all_week)
    power = _sum([step.size_w for step in stages])
    duty = main.duty
    if len(stages) == 1:
        response = price_response(x, start_s, surroundings, since=since)
        if (
            response is not None
            and response.z >= parameters.least_price_z
            and response.size_w > 0.4 * main.size_w.estimate
        ):
            mode, duty = Mode.PRICE_FOLLOWING, response.duty
    hours_on = sum(
        step.size_w.estimate * max(len(x) - (step.onset.estimate_ns // 1_000_000_000 - start_s) // HOUR_S, 0)
        for step in stages
    )
    energy = hours_on * duty
    return _finish(x, mode, power, duty, onset, energy, None if mode is Mode.PRICE_FOLLOWING else main.hours)


def _since_hours(
    x: Floats, start_s: int, surroundings: Surroundings, parameters: EstimateParameters
) -> LoadEstimate | None:
    """A load with fixed hours that came within the data: its edges are clear in the last half or quarter only."""
    for part in (0.5, 0.25):
        since = int(len(x) * (1 - part)) // 24 * 24
        if len(x) - since < 14 * 24:
            break
        hours = daily_hours(x[since:], start_s + since * HOUR_S, surroundings)
        if hours is None or hours.clearness < parameters.least_edge or mode_of_hours(hours.hours) is Mode.UNKNOWN:
            continue
        onset = _onset_of_hours(x, start_s, surroundings, hours)
        if onset is None:
            return None
        at = max((onset.estimate_ns // 1_000_000_000 - start_s) // HOUR_S, 0)
        duty = float(hours.hours.mean())
        power = _around(hours.size_w, hours.error_w)
        energy = power.estimate * duty * (len(x) - at)
        return _finish(x, mode_of_hours(hours.hours), power, duty, onset, energy, hours.hours)
    return None


def _onset_of_hours(x: Floats, start_s: int, surroundings: Surroundings, hours: DailyHours) -> Onset | None:
    """Since which day the hours inside the two edges exceed those outside; None if they did all along."""
    local = local_hours(start_s, len(x), surroundings.clock)
    on = hours.hours
    length = int(np.count_nonzero(on))
    up = int(np.flatnonzero(on & ~np.roll(on, 1))[0])
    down = (up + length) % 24
    inside = [(up + k) % 24 for k in (0, 1)] + [(down - k) % 24 for k in (1, 2)]
    outside = [(up - k) % 24 for k in (1, 2)] + [(down + k) % 24 for k in (0, 1)]
    # A day begins twelve hours before the middle of the run, so that no run is cut.
    day = (local - (up + length // 2) % 24 + 12) // 24
    day = day - day[0]
    days = int(day[-1]) + 1
    contrast = np.zeros(days)
    for group, sign in ((inside, 1.0), (outside, -1.0)):
        used = np.isin(local % 24, group) & ~np.isnan(x)
        count = np.bincount(day[used], minlength=days)
        total = np.bincount(day[used], weights=x[used], minlength=days)
        contrast += sign * np.where(count > 0, total / np.maximum(count, 1), np.nan)
    known = np.flatnonzero(~np.isnan(contrast))
    if len(known) < 10:
        return None
    value = contrast[known]
    cost = np.array(
        [
            np.abs(value[:k] - np.median(value[:k])).sum() + np.abs(value[k:] - np.median(value[k:])).sum()
            for k in range(1, len(value))
        ]
    )
    best = int(np.argmin(cost)) + 1
    rise = float(np.median(value[best:]) - np.median(value[:best]))
    if rise < 0.5 * hours.size_w:
        return None
    # Laplace errors: the likelihood of an onset is a power of the spread that is left.
    chance = np.exp(-len(value) * np.log(np.maximum(cost, 1e-9) / max(float(cost.min()), 1e-9)))
    order = np.argsort(-chance)
    covered = order[: int(np.searchsorted(np.cumsum(chance[order]) / chance.sum(), 0.95)) + 1] + 1

    def instant(k: int) -> int:
        hours_of = np.flatnonzero(day == known[k])
        at_up = hours_of[local[hours_of] % 24 == up]
        return (start_s + HOUR_S * int(at_up[0] if len(at_up) else hours_of[0])) * 1_000_000_000

    # It may have been switched on while it rests: after the end of its last hour without it.
    earliest = instant(int(covered.min())) - HOUR_S * (24 - length) * 1_000_000_000
    return Onset(max(earliest, start_s * 1_000_000_000), instant(best), instant(int(covered.max())))


def _whole(x: Floats, mode: Mode, power: Interval, duty: float, hours: NDArray[np.bool_] | None = None) -> LoadEstimate:
    return _finish(x, mode, power, duty, None, power.estimate * duty * len(x), hours)


def _finish(
    x: Floats,
    mode: Mode,
    power: Interval,
    duty: float,
    onset: Onset | None,
    energy_wh: float,
    hours: NDArray[np.bool_] | None,
) -> LoadEstimate:
    total = float(np.nanmean(x)) * len(x)
    energy_wh = min(energy_wh, total)
    ratio = energy_wh / power.estimate if power.estimate > 0 else 0.0
    low = float(np.hypot(power.estimate - max(power.low, 0.0), DUTY_ERROR * power.estimate))
    high = float(np.hypot(power.high - power.estimate, DUTY_ERROR * power.estimate))
    energy = Interval(max(power.estimate - low, 0.0) * ratio, energy_wh, (power.estimate + high) * ratio)
    return LoadEstimate(
        power_w=power,
        onset=onset,
        mode=mode,
        share=float(np.clip(energy_wh / total, 0.0, 1.0)) if total > 0 else 0.0,
        duty=duty,
        energy_wh=energy,
        hours_of_day=() if hours is None or hours.all() else tuple(int(hour) for hour in np.flatnonzero(hours)),
    )


def _sum(parts: Sequence[Interval]) -> Interval:
    """Add estimates whose errors are independent."""
    total = sum(part.estimate for part in parts)
    low = float(np.sqrt(sum((part.estimate - part.low) ** 2 for part in parts)))
    high = float(np.sqrt(sum((part.high - part.estimate) ** 2 for part in parts)))
    return Interval(max(total - low, 0.0), total, total + high)


def _around(value: float, error: float) -> Interval:
    half = 1.96 * float(np.hypot(error, 0.08 * value))
    return Interval(max(value - half, 0.0), value, value + half)


def _by_day(x: Floats, start_s: int, surroundings: Surroundings) -> tuple[Floats, NDArray[np.int64]] | None:
    """Readings as float64[days, 24] by local day and hour, and the weekday of each day (0: Monday)."""
    hour = local_hours(start_s, len(x), surroundings.clock)
    day = hour // 24
    if len(x) == 0:
        return None
    table = np.full((int(day[-1] - day[0]) + 1, 24), np.nan)
    table[day - day[0], hour % 24] = x
    return table, (np.arange(day[0], day[-1] + 1) + 3) % 7


def _centred(values: Floats, group: NDArray[np.int64]) -> Floats:
    """Values less the mean of their group."""
    count = np.maximum(np.bincount(group), 1)
    return values - (np.bincount(group, weights=values) / count)[group]
