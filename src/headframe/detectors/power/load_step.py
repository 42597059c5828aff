"""`load_step`: a load that was switched on, or off, within the data.

A machine that runs from some hour on adds the same watts at the same hours of every day, weekdays and weekends alike,
and stays. The measure looks for the day whose next weeks differ from the weeks before by one common amount over
contiguous hours of the day, in units of how much this load's weeks usually differ. Whole weeks are compared, so the
calendar of the week cancels; where the data hold the same season of a neighbouring year, a change that recurs there is
taken off. What else can look like it: a lawful machine of the same kind, a new tenant, the start of a term.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headframe.detectors.power.hours import local_offset_s
from headframe.records.finding import Family, Interval
from headframe.records.load_finding import CounterHypothesis, LoadEstimate, LoadFinding, LoadInsufficient, Onset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from headframe.records.reading import HourlySeries, LoadBatch, LocalClock, Surroundings

DETECTOR = "load_step"
VERSION = "1"
HOUR_S = 3600
DAY_S = 86_400
BLIND_SPOTS: tuple[str, ...] = (
    "A load that ran before the data began has no step.",
    "A step in the first or last week of the data is not looked at: there is no week to compare with.",
    "A step that is small against how much the weeks of this load usually differ does not stand out.",
    "Any lawful load that is switched on for good, as a server or a pump, makes the same step.",
    "A load that is grown over weeks in many small steps looks like a season.",
)


@dataclass(frozen=True)
class LoadStepParameters:
    """What the search is told.

    Origins: figures on 56-day windows of the design split of `bench/power_injection`, onset within the window, 1 %
    false positives (recall 0.47).

    Attributes
    ----------
    most_days : int
        Weeks before and after are compared over at most so many days, a multiple of 7. 28: of 14, 28, 56, 112 and 182
        the best on 56 days and on two years. [days]
    least_noise : float
        A week differs from the next by at least this share of the mean load. Between 0.003 and 0.03 nothing much
        changes. [unitless]
    uneven_weight : float
        How much a change counts against a step that the common amount does not explain. 4: best of 0 to 4.
    partial_weight : float
        Of hours of the day, against the whole day: there are 48 choices of hours and one of all.
    least_z : float
        Below this many times the usual difference nothing is looked at more closely.
    least_days : int
        [days]
    """

    most_days: int = 28
    least_noise: float = 0.01
    uneven_weight: float = 4.0
    partial_weight: float = 0.8
    least_z: float = 2.0
    least_days: int = 28


class LoadStepMeasures(NamedTuple):
    """What `measure` finds of each usage point: float64[n] each, NaN where the data do not suffice.

    Attributes
    ----------
    score
        0 to 1, higher is more like one machine switched on for good; a product of the parts below. 0: no rise at all.
    z
        The common rise over its noise, less what it leaves unexplained. [unitless]
    size_w
        The common rise. [W]
    noise_w
        Its standard deviation, from how much the weeks usually differ. [W]
    onset_s
        The first hour of the new level. [s since 1970-01-01 UTC]
    from_hour, hours
        The hours of the day at which it rises: first hour in local time, and how many; 24 for all day.
    before_w, after_w
        Mean at those hours in the weeks before and after. [W]
    held
        Share of days on which the rise is there, 0 to 1.
    sharp
        1: within the hour; 0: a mere drift.
    even
        Share of the change that one common amount over those hours explains, 0 to 1.
    weekdays
        Mean deviation of the seven weekdays' rises, over the rise. 0: all alike.
    lasted
        Share of all later days on which the load stays above the middle, 0 to 1.
    was_low
        Share of all earlier days on which it was below, 0 to 1.
    mean_w
        Of all readings. [W]
    days
        Length of the data. [days]
    down_score, down_size_w, down_onset_s
        The same for a load that was switched off: `score`, the fall (positive), its first hour.
    """

    score: NDArray[np.float64]
    z: NDArray[np.float64]
    size_w: NDArray[np.float64]
    noise_w: NDArray[np.float64]
    onset_s: NDArray[np.float64]
    from_hour: NDArray[np.float64]
    hours: NDArray[np.float64]
    before_w: NDArray[np.float64]
    after_w: NDArray[np.float64]
    held: NDArray[np.float64]
    sharp: NDArray[np.float64]
    even: NDArray[np.float64]
    weekdays: NDArray[np.float64]
    lasted: NDArray[np.float64]
    was_low: NDArray[np.float64]
    mean_w: NDArray[np.float64]
    days: NDArray[np.float64]
    down_score: NDArray[np.float64]
    down_size_w: NDArray[np.float64]
    down_onset_s: NDArray[np.float64]


def measure(
    batch: LoadBatch, surroundings: Surroundings, parameters: LoadStepParameters = LoadStepParameters()
) -> LoadStepMeasures:
    """Find the step that stands out most at each usage point.

    Parameters
    ----------
    batch : LoadBatch
        Hourly.
    surroundings : Surroundings
        The clock; and the temperature, whose effect is taken off before steps are looked for.
    parameters : LoadStepParameters, optional

    Returns
    -------
    LoadStepMeasures

    Raises
    ------
    ValueError
        If the batch is not hourly.

    References
    ----------
    .. [1] R. Killick, P. Fearnhead, I. A. Eckley, "Optimal detection of changepoints with a linear computational
       cost", JASA 107 (2012), for the cost that the hour of the onset minimises.
    """
    from headframe.kernels import load_step as kernel

    up, down = scan(batch, surroundings, parameters, most=1)
    up, down = up[:, 0], down[:, 0]
    sizes = np.diff(batch.first)
    return LoadStepMeasures(
        score=score(up),
        z=up[:, kernel.SCORE],
        size_w=up[:, kernel.SIZE_W],
        noise_w=up[:, kernel.NOISE_W],
        onset_s=batch.start_s + HOUR_S * up[:, kernel.ONSET_HOUR],
        from_hour=up[:, kernel.FIRST_BLOCK] * kernel.BLOCK_HOURS,
        hours=up[:, kernel.RUN_BLOCKS] * kernel.BLOCK_HOURS,
        before_w=up[:, kernel.BEFORE_W],
        after_w=up[:, kernel.AFTER_W],
        held=up[:, kernel.HELD],
        sharp=up[:, kernel.SHARP],
        even=_even(up),
        weekdays=up[:, kernel.WEEKDAYS],
        lasted=up[:, kernel.LASTED],
        was_low=up[:, kernel.WAS_LOW],
        mean_w=up[:, kernel.MEAN_W],
        days=sizes / 24.0,
        down_score=score(down),
        down_size_w=-down[:, kernel.SIZE_W],
        down_onset_s=batch.start_s + HOUR_S * down[:, kernel.ONSET_HOUR],
    )


def scan(
    batch: LoadBatch, surroundings: Surroundings, parameters: LoadStepParameters, *, most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the `most` steps up and down of each usage point, at least a week apart, best first.

    Returns
    -------
    up, down : float64[n, most, COLUMNS]
        As `kernels.load_step.scan_steps` describes them.

    Raises
    ------
    ValueError
        If the batch is not hourly.
    """
    from headframe.kernels import load_step as kernel

    if batch.step_s != HOUR_S:
        raise ValueError(f"load_step takes hourly readings, not one every {batch.step_s} s")
    n = len(batch.usage_points)
    up = np.full((n, most, kernel.COLUMNS), np.nan)
    down = np.full((n, most, kernel.COLUMNS), np.nan)
    clock = surroundings.clock
    from_s, offset_s = clock.from_s, clock.offset_s
    if len(from_s) == 0:
        from_s, offset_s = np.zeros(1, np.int64), np.zeros(1, np.int32)
    warmth, warmth_day_0 = np.zeros(0, np.float32), 0
    if n and surroundings.temperature_c is not None:
        first_s, last_s = int(batch.start_s.min()), int((batch.start_s + HOUR_S * np.diff(batch.first)).max())
        near = _around(surroundings.temperature_c, first_s, (last_s - first_s) // HOUR_S)
        warmth, warmth_day_0 = daily_temperature(replace(surroundings, temperature_c=near))
    settings = kernel.ScanSettings(
        most_days=parameters.most_days // 7 * 7,
        least_noise=parameters.least_noise,
        uneven_weight=parameters.uneven_weight,
        partial_weight=parameters.partial_weight,
        least_z=parameters.least_z,
    )
    kernel.scan_steps(
        np.ascontiguousarray(batch.power_w, dtype=np.float32),
        batch.first,
        batch.start_s,
        np.ascontiguousarray(from_s, dtype=np.int64),
        np.ascontiguousarray(offset_s, dtype=np.int32),
        warmth,
        warmth_day_0,
        settings,
        up,
        down,
    )
    short = np.diff(batch.first) < parameters.least_days * 24
    for steps in (up, down):
        steps[short, :, : kernel.MEAN_W] = np.nan
    return up, down


def daily_temperature(surroundings: Surroundings) -> tuple[NDArray[np.float32], int]:
    """Mean outdoor temperature of each local day, NaN with less than half of it known, and the first day.

    Returns
    -------
    float32[k]
        Empty without a temperature. [degrees C]
    int
        [days since 1970-01-01]
    """
    series = surroundings.temperature_c
    if series is None or len(series.values) == 0:
        return np.zeros(0, np.float32), 0
    start = series.start_s + series.step_s * np.arange(len(series.values), dtype=np.int64)
    day = (start + local_offset_s(start, surroundings.clock)) // DAY_S
    first = int(day[0])
    known = ~np.isnan(series.values)
    count = np.bincount((day - first)[known], minlength=int(day[-1]) - first + 1)
    total = np.bincount((day - first)[known], weights=series.values[known], minlength=len(count))
    enough = count * series.step_s >= DAY_S // 2
    return np.where(enough, total / np.maximum(count, 1), np.nan).astype(np.float32), first


def score(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each step, a row of `scan`, looks like one machine switched on for good, 0 to 1.

    A step that is far above the noise gains nothing by being still farther: a building's own steps may be as large. So
    z saturates, and what a machine has beyond size decides: it is there on every day, sharp, even over the hours and
    over the weekdays, and stays.
    """
    from headframe.kernels import load_step as kernel

    z = steps[..., kernel.SCORE]
    with np.errstate(invalid="ignore"):
        product = (
            z
            / (z + 2.0)  # 2: of 2, 4, 8 and 16 the best on the design split
            * steps[..., kernel.HELD] ** 2
            * steps[..., kernel.SHARP]
            * _even(steps)
            / (1.0 + steps[..., kernel.WEEKDAYS])
            * steps[..., kernel.LASTED]
        )
    # No rise at all is an answer; a rise that could not be judged is a poor one.
    return np.where(np.isnan(z), np.nan, np.nan_to_num(product))


def _even(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    from headframe.kernels import load_step as kernel

    explained, left = steps[..., kernel.Z] ** 2, steps[..., kernel.UNEVEN] ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return explained / (explained + left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of one usage point, looked at closely.

    Attributes
    ----------
    size_w : Interval
        Negative for a fall. [W]
    onset : Onset
    score : float
        As in `LoadStepMeasures`.
    z : float
        The change over its noise. [unitless]
    hours : bool[24]
        Local hours of the day at which the step is there.
    all_week : bool
        Whether outside those hours it is there on weekends too, as with a load that rests in working hours.
    held, sharp, lasted : float
        As in `LoadStepMeasures`.
    before_w, after_w : float
        Mean at those hours in the weeks before and after. [W]
    """

    size_w: Interval
    onset: Onset
    score: float
    z: float
    hours: NDArray[np.bool_]
    all_week: bool
    held: float
    sharp: float
    lasted: float
    before_w: float
    after_w: float

    @property
    def duty(self) -> float:
        """Share of the hours of the day at which the step is there."""
        return float(self.hours.mean())


INTERVAL_SIGMAS = 2.4
SIZE_ERROR = 0.08
"""Half of the 95 % interval of a size: `INTERVAL_SIGMAS` times the root of the squares of the weeks' noise and of this
share of the size. Chosen on the design split so that 95 % of found steps, all modes but staged, are covered; 1.96 times
the noise alone covers 85 %, for the noise is itself known from few weeks."""
ONSET_SHARPNESS = 0.6
"""Power to which the likelihood of the onset is raised: residuals are not as independent as AR(1) has it. Chosen on the
design split, where 1 covers 0.94 of the true onsets and 0.6 covers 0.955."""


def find_steps(
    power_w: NDArray[np.float32],
    start_s: int,
    clock: LocalClock,
    parameters: LoadStepParameters = LoadStepParameters(),
    *,
    most: int = 6,
    least_score: float = 0.05,
    temperature_c: HourlySeries | None = None,
) -> tuple[Step, ...]:
    """Find all steps of one usage point, up and down, in order of time, each with its intervals.

    Parameters
    ----------
    power_w : float32[n]
        Hourly. [W]
    start_s : int
        [s since 1970-01-01 UTC]
    clock : LocalClock
    parameters : LoadStepParameters, optional
    most : int
    least_score : float
        Steps below are left out.
    temperature_c : HourlySeries, optional
        Its effect is taken off before steps are looked for. [degrees C]

    Returns
    -------
    tuple of Step
        Empty where there are none or the data do not suffice.
    """
    from headframe.kernels import load_step as kernel
    from headframe.records.reading import LoadBatch, Surroundings

    surroundings = Surroundings(clock=clock, temperature_c=temperature_c)
    power_w = finite(power_w)
    slot = local_hours(start_s, len(power_w), clock) % 24
    zero_day = _zero_days(power_w, slot)

    def without(others: list[Step]) -> NDArray[np.float32]:
        rest = np.array(power_w, np.float64)
        for other in others:
            later = np.arange(len(rest)) >= _hour(other, start_s)
            # Days of zeros are missing readings; a difference would make readings of them.
            rest[later & other.hours[slot] & ~zero_day] -= other.size_w.estimate
        return rest.astype(np.float32)

    def best(others: list[Step], allowed: Callable[[int], bool]) -> Step | None:
        rest = without(others)
        batch = LoadBatch(
            usage_points=("",),
            first=np.array([0, len(rest)], np.int64),
            start_s=np.array([start_s], np.int64),
            step_s=HOUR_S,
            power_w=rest,
        )
        steps = [
            (float(own), step)
            for side in scan(batch, surroundings, parameters, most=most)
            for own, step in zip(score(side[0]), side[0], strict=True)
            if step[kernel.SCORE] > 0 and own >= least_score and allowed(int(step[kernel.ONSET_HOUR]))
        ]
        if not steps:
            return None
        own, step = max(steps, key=lambda pair: pair[0])
        return _refine(rest, start_s, clock, step, own, parameters)

    found: list[Step] = []
    while len(found) < most:
        # What is left of a step whose size is not exact must not count as another one.
        taken = [_hour(other, start_s) for other in found]
        step = best(found, lambda hour, taken=taken: all(abs(hour - other) >= APART_HOURS for other in taken))  # type: ignore[misc]
        if step is None or any(abs(_hour(step, start_s) - other) < APART_HOURS for other in taken):
            break
        found.append(step)
    if len(found) > 1:
        # The first ones were measured while the later ones were still there.
        for k, old in enumerate(found):
            at = _hour(old, start_s)
            again = best(found[:k] + found[k + 1 :], lambda hour, at=at: abs(hour - at) < APART_HOURS / 2)  # type: ignore[misc]
            found[k] = again if again is not None and again.size_w.estimate * old.size_w.estimate > 0 else old
    return tuple(sorted(found, key=lambda step: step.onset.estimate_ns))


APART_HOURS = 5 * 24
"""Steps nearer to each other than this are one. [h]"""


def _around(series: HourlySeries | None, start_s: int, hours: int) -> HourlySeries | None:
    """Cut a series to the days of a run: decades of weather need not be averaged for each usage point."""
    if series is None:
        return None
    low = max((start_s - DAY_S - series.start_s) // series.step_s, 0)
    high = max((start_s + HOUR_S * hours + DAY_S - series.start_s) // series.step_s, low)
    return replace(series, start_s=series.start_s + low * series.step_s, values=series.values[low:high])


def _hour(step: Step, start_s: int) -> int:
    return int(step.onset.estimate_ns // 1_000_000_000 - start_s) // HOUR_S


def _zero_days(power_w: NDArray[np.float32], slot: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the hours of local days on which every reading is exactly 0, as sources write what they lack: bool[n]."""
    day = np.cumsum(slot == 0)
    there = np.bincount(day, weights=np.nan_to_num(power_w) != 0, minlength=1)
    return np.asarray(there[day] == 0)


def explain(
    batch: LoadBatch,
    measures: LoadStepMeasures,
    at: int,
    *,
    p_value: float,
    peers: int,
    log10_e: float,
    surroundings: Surroundings,
    estimate: LoadEstimate | None = None,
    counter_hypotheses: tuple[CounterHypothesis, ...] = (),
    parameters: LoadStepParameters = LoadStepParameters(),
) -> LoadFinding | LoadInsufficient | None:
    """Say what the step at one usage point looks like.

    Parameters
    ----------
    batch : LoadBatch
    measures : LoadStepMeasures
        Of that batch.
    at : int
        Which of its usage points.
    p_value, log10_e : float
        What the score shows among its peers.
    peers : int
    surroundings : Surroundings
    estimate : LoadEstimate, optional
        As `estimates.estimate` gives it.
    counter_hypotheses : tuple of CounterHypothesis, optional
    parameters : LoadStepParameters, optional

    Returns
    -------
    LoadFinding, LoadInsufficient or None
        None where nothing rises.
    """
    name = batch.usage_points[at]
    first, last = int(batch.first[at]), int(batch.first[at + 1])
    power_w, start_s = batch.power_w[first:last], int(batch.start_s[at])
    if np.isnan(measures.score[at]):
        days = (last - first) / 24
        return LoadInsufficient(
            detector=DETECTOR,
            usage_point=name,
            missing=f"{parameters.least_days} days with most hours of each week read; there are {days:.0f} days, "
            f"{np.count_nonzero(~np.isnan(power_w)) / max(last - first, 1):.0%} of the hours read",
        )
    if not measures.score[at] > 0:
        return None
    steps = find_steps(power_w, start_s, surroundings.clock, parameters, temperature_c=surroundings.temperature_c)
    near = [step for step in steps if step.size_w.estimate > 0]
    if not near:
        return None
    main = min(near, key=lambda step: abs(step.onset.estimate_ns - measures.onset_s[at] * 1e9))
    return LoadFinding(
        detector=DETECTOR,
        version=VERSION,
        family=Family.LOAD,
        usage_point=name,
        started_ns=start_s * 1_000_000_000,
        ended_ns=(start_s + (last - first) * HOUR_S) * 1_000_000_000,
        score=float(measures.score[at]),
        p_value=p_value,
        peers=peers,
        log10_e=log10_e,
        explanation=_words(main, surroundings.clock),
        estimate=estimate,
        counter_hypotheses=counter_hypotheses,
        contradictions=tuple(_contradictions(main, steps, surroundings.clock)),
        blind_spots=BLIND_SPOTS,
    )


def _words(step: Step, clock: LocalClock) -> str:
    kw = tuple(value / 1000 for value in (step.size_w.estimate, max(step.size_w.low, 0.0), step.size_w.high))
    when = _moment(step.onset.estimate_ns, clock)
    between = ""
    if step.onset.latest_ns > step.onset.earliest_ns:
        between = f" (between {_moment(step.onset.earliest_ns, clock)} and {_moment(step.onset.latest_ns, clock)})"
    hours = "at all hours of the day"
    if not step.hours.all():
        on = np.flatnonzero(step.hours)
        first = next((int(hour) for hour in on if not step.hours[hour - 1]), 0)
        hours = f"from {first:02d}:00 for {len(on)} hours of each day"
        if step.all_week:
            hours += ", and all day on weekends"
    return (
        f"From {when}{between} on, {kw[0]:.2f} kW more than before were drawn ({kw[1]:.2f} to {kw[2]:.2f} kW), {hours}"
        f": {step.before_w / 1000:.2f} kW before, {step.after_w / 1000:.2f} kW after. The rise is there on "
        f"{step.held:.0%} of the days compared and is {step.z:.0f} times what the weeks of this load usually differ by."
    )


def _contradictions(step: Step, steps: tuple[Step, ...], clock: LocalClock) -> Iterator[str]:
    if step.sharp < 0.5:
        yield "The rise is not sharp to the hour: it came over days, as weather or use does."
    if step.lasted < 0.8:
        yield f"On {1 - step.lasted:.0%} of the later days the load is back below the middle of the two levels."
    for other in steps:
        fall = -other.size_w.estimate
        if other.onset.estimate_ns > step.onset.estimate_ns and 0.6 < fall / step.size_w.estimate < 1.6:
            yield f"On {_moment(other.onset.estimate_ns, clock)} about as much ({fall / 1000:.2f} kW) was switched off."


def _moment(instant_ns: int, clock: LocalClock) -> str:
    local_hour = int(local_hours(instant_ns // 1_000_000_000, 1, clock)[0])
    return f"{np.datetime64(local_hour, 'h')}".replace("T", " ") + ":00"


def finite(power_w: NDArray[np.float32]) -> NDArray[np.float32]:
    """Readings with what no meter can read (infinities, above 1 TW) as missing: float32[n]. [W]"""
    return np.where(np.abs(power_w) < 1e12, power_w, np.float32(np.nan)).astype(np.float32)


def local_hours(start_s: int, n: int, clock: LocalClock) -> NDArray[np.int64]:
    """Local time of the start of each of `n` hours, as hours since 1970-01-01 in local time: int64[n]."""
    start = start_s + HOUR_S * np.arange(n, dtype=np.int64)
    return (start + local_offset_s(start, clock)) // HOUR_S


def _refine(
    power_w: NDArray[np.float32],
    start_s: int,
    clock: LocalClock,
    step: NDArray[np.float64],
    own_score: float,
    parameters: LoadStepParameters,
) -> Step:
    from headframe.kernels import load_step as kernel

    n = len(power_w)
    at = int(step[kernel.ONSET_HOUR])
    weeks = parameters.most_days // 7
    back = max(min(at // 168, weeks), 1) * 168
    ahead = max(min((n - at) // 168, weeks), 1) * 168
    x = power_w.astype(np.float64)
    clock_hour = local_hours(start_s, n, clock)
    # Change by hour of the week, over whole weeks on both sides.
    before = np.full(168, np.nan)
    after = np.full(168, np.nan)
    slot = clock_hour % 168
    before, before_n = _by_slot(x[max(at - back, 0) : at], slot[max(at - back, 0) : at])
    after, after_n = _by_slot(x[at : at + ahead], slot[at : at + ahead])
    change = (after - before).reshape(7, 24)
    size = float(step[kernel.SIZE_W])
    # Hours since 1970-01-01, a Thursday: weekend are the third and fourth day.
    weekend = np.array([False, False, True, True, False, False, False])
    hourly = median_over_days(change)
    on = hourly / size > 0.5
    length = int(step[kernel.RUN_BLOCKS]) * kernel.BLOCK_HOURS
    offsets = (np.arange(24) - int(step[kernel.FIRST_BLOCK]) * kernel.BLOCK_HOURS) % 24
    # Hours well within the window are on, hours well outside are off; at its edges the change itself decides.
    if length < 24:
        inside = offsets < length
        edge = (offsets < 3) | ((offsets >= length - 3) & (offsets < length + 3)) | (offsets >= 21)
        on = np.where(edge, on, inside)
        if not on.any():
            on = inside
    else:
        on = _rest_hours(hourly / size)
    off_hours = False
    if not on.all():
        rest = median_over_days(change[weekend])[~on]
        work = median_over_days(change[~weekend])[~on]
        # Hours that were never read on weekends, or never on working days, tell nothing of either.
        if np.isfinite(rest).any() and np.isfinite(work).any():
            off_hours = bool(np.nanmedian(rest) / size > 0.6 and np.nanmedian(work) / size < 0.4)
    noise = float(step[kernel.NOISE_W])
    onset = _onset(x, slot, at, size, on, before, before_n, after, after_n, start_s)
    half = INTERVAL_SIGMAS * float(np.hypot(noise, SIZE_ERROR * size))
    return Step(
        size_w=Interval(size - half, size, size + half),
        onset=onset,
        score=own_score,
        z=float(step[kernel.Z]),
        hours=on,
        all_week=off_hours,
        held=float(step[kernel.HELD]),
        sharp=float(step[kernel.SHARP]),
        lasted=float(step[kernel.LASTED]),
        before_w=float(step[kernel.BEFORE_W]),
        after_w=float(step[kernel.AFTER_W]),
    )


def _rest_hours(share: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Hours at which a step of all day is there: one run of 2 to 8 hours may be left out where it plainly is not.

    A rest of few hours fits no block of three and costs little there, so the search takes the whole day.
    """
    off = share < 0.4
    count = int(np.count_nonzero(off))
    runs = int(np.count_nonzero(off & ~np.roll(off, 1)))
    if 2 <= count <= 8 and runs == 1 and np.nanmean(share[off]) < 0.25:
        return ~off
    return np.ones(24, bool)


def median_over_days(change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over days, NaN left out; NaN where nothing is known, without a warning."""
    known = ~np.isnan(change).all(axis=0)
    result = np.full(change.shape[1], np.nan)
    if known.any():
        result[known] = np.nanmedian(change[:, known], axis=0)
    return result


def _by_slot(x: NDArray[np.float64], slot: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean by hour of the week, and of how many readings."""
    there = ~np.isnan(x)
    count = np.bincount(slot[there], minlength=168)
    total = np.bincount(slot[there], weights=x[there], minlength=168)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count


def _onset(
    x: NDArray[np.float64],
    slot: NDArray[np.int64],
    at: int,
    size: float,
    on: NDArray[np.bool_],
    before: NDArray[np.float64],
    before_n: NDArray[np.int64],
    after: NDArray[np.float64],
    after_n: NDArray[np.int64],
    start_s: int,
) -> Onset:
    """Likelihood of each hour as the onset, with residuals that follow each other (AR(1)) and have heavy tails."""
    extra = np.where(on[np.arange(168) % 24], size, 0.0)
    weight_0, weight_1 = before_n, after_n
    total = np.maximum(weight_0 + weight_1, 1)
    profile = (np.nan_to_num(before) * weight_0 + np.nan_to_num(after - extra) * weight_1) / total
    low, high = max(at - 72, 0), min(at + 72, len(x))
    outer = np.r_[max(at - 336, 0) : low, high : min(at + 336, len(x))]
    residual = x - profile[slot]
    far = residual[outer] - np.where(outer >= at, extra[slot[outer]], 0.0)
    pairs = np.flatnonzero(np.diff(outer) == 1)
    phi = 0.0
    if len(pairs) > 24:
        a, b = far[pairs], far[pairs + 1]
        fine = ~np.isnan(a + b)
        scale_a = float(np.median(np.abs(a[fine]))) * 5 if fine.any() else 0.0
        a, b = np.clip(a[fine], -scale_a, scale_a), np.clip(b[fine], -scale_a, scale_a)
        phi = float(np.clip(np.sum(a * b) / max(np.sum(a * a), 1e-12), 0.0, 0.95))
        innovation = np.abs(b - phi * a)
        sigma = float(np.median(innovation)) / 0.6745 if len(innovation) else 0.0
    else:
        sigma = 0.0
    sigma = max(sigma, 0.01 * abs(size))
    # Each onset tau in the window: steps s_h(tau) = extra if h >= tau.
    hours = np.arange(low + 1, high)
    taus = np.arange(low + 1, high + 1)
    running = hours[None, :] >= taus[:, None]
    ran = (hours[None, :] - 1) >= taus[:, None]
    error = (residual[hours] - running * extra[slot[hours]]) - phi * (
        residual[hours - 1] - ran * extra[slot[hours - 1]]
    )
    freedom = 3.0
    likelihood = -(freedom + 1) / 2 * np.log1p(error**2 / (freedom * sigma**2))
    value = np.nansum(likelihood, axis=1) * ONSET_SHARPNESS
    chance = np.exp(value - value.max())
    chance /= chance.sum()
    best = int(np.argmax(chance))
    order = np.argsort(-chance)
    covered = order[: int(np.searchsorted(np.cumsum(chance[order]), 0.95)) + 1]

    def instant(k: int) -> int:
        return (start_s + HOUR_S * int(taus[k])) * 1_000_000_000

    return Onset(instant(int(covered.min())), instant(best), instant(int(covered.max())))
