"""`homes`: a machine of some hundred watts to some kilowatts in a household's load.

A household leaves its load lying low at some hour of most days, also while it is empty: refrigeration and standby, some
tens to some hundreds of watts. A machine lifts that floor by its own power and adds nothing that varies. So the
question is how much power is *nearly always there*, at every hour (always on) or at a fixed run of hours (night only),
and how much varies beside it: each figure is steady power, discounted by the varying power that comes with it. Both
discounts have the same form and weight, and no figure was fitted but the two points at which the score is 0.

Habits lift the same hours each day too: a family that sits under its lamps from 19 to 1 o'clock. They differ in what
they do to the *calm* hours. Each home has hours at which one day is like another, because everybody sleeps or is out.
A machine leaves them calm: its block contains the calmest hours, or hours as calm. An evening's block is livelier than
the hours around it, and is discounted for that; so is a floor that swings at its calmest, as that of electric heating.

It needs hourly readings and nothing else. The run of hours is searched over the whole day, so that no time zone needs
to be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.records.finding import Family, Interval
from headframe.records.load_finding import (
    CounterHypothesis,
    LoadEstimate,
    LoadFinding,
    LoadInsufficient,
    Mode,
    Onset,
    Standing,
)
from headframe.records.reading import LoadBatch, LocalClock, Surroundings, UsagePoint

DETECTOR = "homes"
VERSION = "1"
HOUR_S = 3_600
HOUR_NS = 3_600 * 1_000_000_000

BLIND_SPOTS: tuple[str, ...] = (
    "A machine below about 0.3 kW, or one that draws less than the household's own floor.",
    "A machine in a household with electric heating or cooling that runs all day: its floor is not low.",
    "A machine that came within the last four weeks.",
    "A machine that runs on irregular hours, on few days of a week, or on fewer than six hours in a row.",
    "Storage heaters and water heating on a ripple-control or night tariff look like a night-only machine where they "
    "run every night; the tariff class, or the weather, tells them apart.",
    "A machine that runs at night only in a household whose tariff class says that it is on a night tariff.",
    "A load that passes beside the meter, or is fed by the household's own generation.",
)


@dataclass(frozen=True)
class HomeParameters:
    """What `measure` goes by.

    Attributes
    ----------
    window_days : int
        Readings are looked at in windows of this length, and in the last quarter and half of each. The project's
        standard window. [days]
    quantile : float
        Power that a load exceeds on all but this share of days counts as nearly always there. A fifth lets a machine
        stand still on one day of five. On the homes of the splits `design` and `tune` a tenth separates a little better
        but loses half of the machines that are off on a tenth of the nights; three tenths loses to evening activity.
    variable_weight : float
        How much varying power discounts the steady one: ``v^2 / (v + 2 s)``. 1 and 4 do about as well on these splits,
        none at all (0) loses nearly all: one home of ten has a floor of 0.8 kW that varies.
    block_hours : int
        A run of hours of this length is searched, of which one may fail. Night tariffs last 7 or 8 hours.
    base_hours : int
        The block is measured from the mean of so many quietest hours of the day.
    least_days : int
        Two weeks: both weekends and ten working days. [days]
    least_span_days : int
        A part of a window is at least so long, where the window is. Four weeks: the three highest scores of innocent
        homes on `design` and `tune` all came from their best fortnight (holidays, a cold spell); machines that began
        in the last four weeks are left to `load_step`. [days]
    least_covered : float
        Of the days, for each hour of the day.
    zero_run_hours : int
        Exact zeros for longer are missing readings: some sources store them so. Generation behind the meter makes zeros
        too, but not through a night. [h]
    soft_w : float
        Below this, ratios of powers mean little: the resolution of coarse meters. [W]
    own_w : float
        What a household's own floor amounts to: differences below it mean little, so that the logarithm is taken of
        the effective power plus this. Chosen among 20, 50, 100 and 200 W, splits `design` and `tune`: with it the
        scores of innocent homes have no long lower tail, and a Student distribution fitted to nine of the ten homes
        foretells the tenth best. [W]
    always_on_w, block_w : float
        Effective power at which the score is 0: where that distribution, widened as for another population, has a
        hundredth of its mass beyond. Their ratio weighs one against the other. A block needs far more, because clocks
        switch lawful loads for the same hours each day in many homes (pool pumps, storage and water heating), and
        hardly anything lawful runs at all hours. On `design` and `tune` this pair finds 0.90 of the machines of 0.6 kW
        always on and 0.71 of those at night; 215 and 300 W would find 0.86 and 0.75. [W]
    slope : float
        Score per natural unit of effective power: there the logarithm of that distribution's tail falls by so much
        (4.9 from a tail of 0.02 to one of 0.005).
    """

    window_days: int = 56
    quantile: float = 0.2
    variable_weight: float = 2.0
    block_hours: int = 7
    base_hours: int = 4
    least_days: int = 14
    least_span_days: int = 28
    least_covered: float = 0.6
    zero_run_hours: int = 24
    soft_w: float = 20.0
    own_w: float = 100.0
    always_on_w: float = 180.0
    block_w: float = 300.0
    slope: float = 5.0


class HomeMeasures(NamedTuple):
    """What was measured of each usage point: float32[n] each, NaN where no span has enough readings.

    Attributes
    ----------
    windows : float32[n]
        How many windows were looked at; the rest is that of the window, and the part of it, that stands out most.
    floor_effective_w, floor_w, floor_mean_w, floor_calm_w : float32[n]
        Always-on load: discounted, plain, the mean power over the same days, and how much the load of the three calmest
        hours of the day swings from quiet to lively days. [W]
    floor_first_hour, floor_days : float32[n]
        Where that span begins in the run, and its length. [h], [days]
    block_effective_w, block_lift_w, block_spread_w, block_calm_w, outside_calm_w, block_base_w : float32[n]
        Load in a run of hours: discounted, plain (above the base), how much varies within it, the swing of its three
        calmest hours and of the three calmest outside, and the base. [W]
    block_hour, block_length : float32[n]
        First hour of day (UTC) of that run, and how many hours carry it. [h]
    block_first_hour, block_days : float32[n]
        Where that span begins in the run, and its length. [h], [days]
    covered : float32[n]
        Share of readings present.
    """

    windows: NDArray[np.float32]
    floor_effective_w: NDArray[np.float32]
    floor_w: NDArray[np.float32]
    floor_mean_w: NDArray[np.float32]
    floor_calm_w: NDArray[np.float32]
    floor_first_hour: NDArray[np.float32]
    floor_days: NDArray[np.float32]
    block_effective_w: NDArray[np.float32]
    block_lift_w: NDArray[np.float32]
    block_spread_w: NDArray[np.float32]
    block_calm_w: NDArray[np.float32]
    outside_calm_w: NDArray[np.float32]
    block_base_w: NDArray[np.float32]
    block_hour: NDArray[np.float32]
    block_length: NDArray[np.float32]
    block_first_hour: NDArray[np.float32]
    block_days: NDArray[np.float32]
    covered: NDArray[np.float32]


def measure(
    batch: LoadBatch,
    surroundings: Surroundings | None = None,
    parameters: HomeParameters = HomeParameters(),
    wanted: NDArray[np.bool_] | None = None,
) -> HomeMeasures:
    """Steady load of each usage point, at all hours and in a run of hours.

    Parameters
    ----------
    batch : LoadBatch
        Hourly.
    surroundings : Surroundings, optional
        Not needed; all detectors take it.
    parameters : HomeParameters
    wanted : bool[n], optional
        Which usage points to measure, see `peers.are_homes`; the others come out as without readings.

    Returns
    -------
    HomeMeasures

    Raises
    ------
    ValueError
        If the readings are not hourly, or there is not one mark for each usage point.
    """
    from headframe.kernels.home_load import COLUMNS, HomeSettings, fold_homes

    if batch.step_s != HOUR_S:
        raise ValueError(f"readings must be hourly, got intervals of {batch.step_s} s")
    out = np.empty((len(batch.usage_points), COLUMNS), np.float32)
    settings = HomeSettings(
        parameters.window_days,
        parameters.quantile,
        parameters.variable_weight,
        parameters.block_hours,
        parameters.base_hours,
        parameters.least_days,
        parameters.least_span_days,
        parameters.least_covered,
        parameters.zero_run_hours,
    )
    rows = np.ones(len(batch.usage_points), np.bool_) if wanted is None else np.asarray(wanted, np.bool_)
    if rows.shape != (len(batch.usage_points),):
        raise ValueError(f"one mark for each usage point: {rows.shape} for {len(batch.usage_points)}")
    fold_homes(batch.power_w, batch.first, batch.start_s, rows, settings, parameters.soft_w, out)
    return HomeMeasures(*out.T)


NIGHT_TARIFF_WORDS = ("night", "off-peak", "off peak", "economy 7", "economy 10", "controlled load", "storage heat")
"""In the name of a tariff class: a clock switches lawful loads in such homes at night."""


def with_night_tariffs(measures: HomeMeasures, tariff_classes: Sequence[str]) -> HomeMeasures:
    """The same without the runs of hours of homes on a night tariff, which storage and water heating fill.

    A machine that runs only then cannot be told from them by the meter; one that runs by day too still can.

    Parameters
    ----------
    measures : HomeMeasures
    tariff_classes : sequence of str
        Of each usage point; empty where it is not said.

    Returns
    -------
    HomeMeasures
    """
    night = np.array([any(word in name.lower() for word in NIGHT_TARIFF_WORDS) for name in tariff_classes], bool)
    return measures._replace(block_effective_w=np.where(night, np.float32(0), measures.block_effective_w))


def score(measures: HomeMeasures, parameters: HomeParameters = HomeParameters()) -> NDArray[np.float64]:
    """One figure for each usage point: 0 where about one innocent household of a hundred lies, higher is rarer.

    It is the larger of the scores of the always-on load and of the load in a run of hours, each the logarithm of the
    effective power over the one at which it is 0, times ``slope``: about the natural logarithm of how much rarer, so
    that it can stand beside the log-odds of other usage points.

    Returns
    -------
    float64[n]
        NaN where there is no measure. [unitless]
    """
    return np.asarray(np.fmax(*scores(measures, parameters)))


def scores(
    measures: HomeMeasures, parameters: HomeParameters = HomeParameters()
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the always-on load and of the load in a run of hours: float64[n] each. [unitless]"""
    own = parameters.own_w
    return (
        parameters.slope
        * np.log((measures.floor_effective_w.astype(np.float64) + own) / (parameters.always_on_w + own)),
        parameters.slope * np.log((measures.block_effective_w.astype(np.float64) + own) / (parameters.block_w + own)),
    )


def explain(
    batch: LoadBatch,
    measures: HomeMeasures,
    at: int,
    *,
    p_value: float,
    peers: int,
    log10_e: float,
    clock: LocalClock | None = None,
    usage_point: UsagePoint | None = None,
    parameters: HomeParameters = HomeParameters(),
) -> LoadFinding | LoadInsufficient:
    """What is said of one usage point.

    Parameters
    ----------
    batch : LoadBatch
    measures : HomeMeasures
        Of that batch.
    at : int
        Which of its usage points.
    p_value, log10_e : float
        What the score shows among its peers.
    peers : int
    clock : LocalClock, optional
        For hours of the day in words; UTC where left out.
    usage_point : UsagePoint, optional
        Its tariff class excludes or supports a night tariff.
    parameters : HomeParameters

    Returns
    -------
    LoadFinding or LoadInsufficient
    """
    name = batch.usage_points[at]
    first, last = int(batch.first[at]), int(batch.first[at + 1])
    if not measures.windows[at] > 0:
        return LoadInsufficient(
            detector=DETECTOR,
            usage_point=name,
            missing=(
                f"{parameters.least_days} days with each hour of the day read on {parameters.least_covered:.0%} of "
                f"them; there are {(last - first) // 24} days, {_share(measures.covered[at])} of the hours read"
            ),
        )
    start_ns = int(batch.start_s[at]) * 1_000_000_000
    always, block = (float(part[at]) for part in scores(measures, parameters))
    if always >= block:
        low, watts, vary = _always_on(measures, at)
        mode, duty = Mode.ALWAYS_ON, 1.0
        since, days = int(measures.floor_first_hour[at]), int(measures.floor_days[at])
        text = (
            f"At every hour of the day at least {watts:.0f} W were drawn on four days of five, over {days} days with a "
            f"mean of {float(measures.floor_mean_w[at]):.0f} W. An ordinary household's floor is some tens to some "
            "hundreds of watts, and more of its load varies."
        )
    else:
        watts, vary = float(measures.block_lift_w[at]), float(measures.block_spread_w[at])
        low = max(watts - vary, 0.0)
        length = int(measures.block_length[at])
        duty = length / 24.0
        begin = _local_hour(int(measures.block_hour[at]), start_ns, clock)
        mode = _mode_of_block(begin, length)
        since, days = int(measures.block_first_hour[at]), int(measures.block_days[at])
        zone = clock.zone if clock is not None else "UTC"
        text = (
            f"From {begin:02d}:00 to {(begin + length) % 24:02d}:00 ({zone}) at least {watts:.0f} W above the quietest "
            f"hours ({float(measures.block_base_w[at]):.0f} W) were drawn on four days of five, over {days} days; only "
            f"{vary:.0f} W of it vary from a quiet to a common day."
        )
    hours = last - first
    own = batch.power_w[first:last].astype(np.float64)
    used_wh = float(np.nansum(own))
    # The span that stands out most says when the load was there, not when it came: the days before may carry it too.
    onset = (
        None if since < 24 else Onset(start_ns, start_ns + since * HOUR_NS, start_ns + (since + days * 24) * HOUR_NS)
    )
    running_h = (hours - since) * duty
    estimate = LoadEstimate(
        power_w=Interval(low=low, estimate=watts, high=watts + vary),
        onset=onset,
        mode=mode if onset is None or mode is not Mode.ALWAYS_ON else Mode.STEP,
        share=min(watts * running_h / used_wh, 1.0) if used_wh > 0 else 0.0,
        duty=duty,
        energy_wh=Interval(low=low * running_h, estimate=watts * running_h, high=(watts + vary) * running_h),
    )
    return LoadFinding(
        detector=DETECTOR,
        version=VERSION,
        family=Family.LOAD,
        usage_point=name,
        started_ns=start_ns,
        ended_ns=start_ns + hours * HOUR_NS,
        score=max(always, block),
        p_value=p_value,
        peers=peers,
        log10_e=log10_e,
        explanation=text,
        estimate=estimate,
        counter_hypotheses=_counter_hypotheses(block > always, watts, vary, usage_point),
        blind_spots=BLIND_SPOTS,
    )


def _always_on(measures: HomeMeasures, at: int) -> tuple[float, float, float]:
    """Least, likely power of an always-on load, and how much of the floor may be the household's own. [W]"""
    floor = float(measures.floor_w[at])
    # A household's own floor lies between 20 and 200 W on the homes of the splits `design` and `tune` but one.
    own_low, own, own_high = 20.0, 80.0, 200.0
    watts = max(floor - own, 0.0)
    return max(floor - own_high, 0.0), watts, own - own_low


def _mode_of_block(begin: int, length: int) -> Mode:
    """Night only where most of the run lies between 20 and 8 o'clock; curtailed where most of the day carries it."""
    if length >= 16:
        return Mode.CURTAILED
    night = sum(1 for k in range(length) if (begin + k) % 24 >= 20 or (begin + k) % 24 < 8)
    return Mode.NIGHT_ONLY if night * 4 >= length * 3 else Mode.OFF_HOURS


def _local_hour(hour: int, at_ns: int, clock: LocalClock | None) -> int:
    if clock is None:
        return hour % 24
    place = max(int(np.searchsorted(clock.from_s, at_ns // 1_000_000_000, side="right")) - 1, 0)
    return (hour + round(int(clock.offset_s[place]) / HOUR_S)) % 24


def _counter_hypotheses(
    block: bool, watts: float, vary: float, usage_point: UsagePoint | None
) -> tuple[CounterHypothesis, ...]:
    """What else a household has that runs for hours each day."""
    tariff = usage_point.tariff_class if usage_point is not None else ""
    night_tariff = any(
        word in tariff.lower() for word in ("night", "economy 7", "e7", "controlled", "off-peak", "ht/nt")
    )
    found = []
    if block:
        found.append(
            CounterHypothesis(
                name="tariff",
                standing=Standing.POSSIBLE if night_tariff or not tariff else Standing.UNTESTED,
                text=(
                    f"Tariff class {tariff!r} switches heaters or boilers at night."
                    if night_tariff
                    else "No tariff class is known: water or storage heating on a night tariff would look like this."
                    if not tariff
                    else f"Tariff class {tariff!r} does not say whether a night tariff switches heaters."
                ),
            )
        )
        # A car's battery is charged when it was driven, to a level: neither each night nor for equally long.
        found.append(
            CounterHypothesis(
                name="ev",
                standing=Standing.EXCLUDED if vary < 0.25 * watts else Standing.POSSIBLE,
                text=(
                    f"The load is there on four days of five, and varies by {vary:.0f} W of {watts:.0f} W from a quiet "
                    "to a common day; charging differs in length from night to night."
                ),
            )
        )
    found.append(
        CounterHypothesis(
            name="electric_heating",
            standing=Standing.UNTESTED,
            text="Not tested here: it takes outdoor temperature, or another season.",
        )
    )
    if not block:
        found.append(
            CounterHypothesis(
                name="server_room",
                standing=Standing.POSSIBLE,
                text="A home server, an aquarium, a pool pump or several old freezers draw constant power too.",
            )
        )
    return tuple(found)


def _share(value: np.float32) -> str:
    return f"{float(value):.0%}" if value == value else "none"
