"""Results of ``headframe meters`` made by hand: one row of each kind, and one whose every text is hostile."""

import math
import random
from dataclasses import replace

from headframe.records.finding import Family, Interval
from headframe.records.load_finding import (
    Consequences,
    CounterHypothesis,
    LoadDrawing,
    LoadEstimate,
    LoadFinding,
    LoadInsufficient,
    Mode,
    Onset,
    SheetLine,
    Standing,
    UsagePointResult,
)
from headframe.records.meters import MetersResult
from headframe.records.reading import ReadingAccount
from headframe.records.site import SourceRow

DAY_S = 86_400
SECOND = 1_000_000_000
START_S = 1_640_995_200
"""2022-01-01 00:00 UTC"""
DAYS = 112
END_S = START_S + DAYS * DAY_S


def drawing(seed: int = 1, *, days: int = DAYS, step_day: int | None = 44, step_w: float = 21_000.0) -> LoadDrawing:
    """An office by day: five working days, a night floor, a step up."""
    rng = random.Random(seed)
    start, mean, floor, fitted, low, high, residual = [], [], [], [], [], [], []
    for day in range(days):
        working = (day + 5) % 7 < 5
        season = 1 + 0.2 * math.cos(2 * math.pi * day / 365)
        own = (58_000 if working else 31_000) * season + rng.gauss(0, 2_500)
        base = 24_000 + rng.gauss(0, 700)
        added = step_w if step_day is not None and day >= step_day else 0.0
        start.append(START_S + day * DAY_S)
        mean.append(own + added)
        floor.append(base + added)
        fitted.append(24_000 + added)
        low.append((38_000 if working else 22_000) * season)
        high.append((76_000 if working else 44_000) * season)
        residual.append(added + rng.gauss(0, 3_000))
    mean[20] = floor[20] = residual[20] = math.nan
    return LoadDrawing(
        day_start_s=tuple(start),
        mean_w=tuple(mean),
        floor_w=tuple(floor),
        fitted_floor_w=tuple(fitted),
        peers_low_w=tuple(low),
        peers_high_w=tuple(high),
        residual_w=tuple(residual),
    )


def miner(point: str = "M-2044", **changes: object) -> UsagePointResult:
    """A step of 21 kW that runs day and night."""
    onset_s = START_S + 44 * DAY_S
    found = LoadFinding(
        detector="load_step",
        version="1",
        family=Family.LOAD,
        usage_point=point,
        started_ns=START_S * SECOND,
        ended_ns=END_S * SECOND,
        score=9.2,
        p_value=0.0004,
        peers=2_812,
        log10_e=1.9,
        explanation="The lowest hours rose by 21.3 kW on 2022-02-14, at all hours alike, and stayed.",
        blind_spots=("A step at the beginning or the end of the data.", "Growth that takes months."),
        contradictions=("On 3 of 68 days the floor fell back for some hours.",),
    )
    made = UsagePointResult(
        usage_point=point,
        started_ns=START_S * SECOND,
        ended_ns=END_S * SECOND,
        score=7.31,
        p_value=0.00041,
        peers=2_812,
        log10_e=1.83,
        families=(Family.LOAD,),
        detector="load_step",
        listed=True,
        worth_a_look=True,
        adjusted_rate=0.031,
        explanation="A load of about 21.3 kW that runs day and night, weekdays and weekends alike, since 2022-02-14",
        estimate=LoadEstimate(
            power_w=Interval(19_800.0, 21_300.0, 22_700.0),
            onset=Onset((onset_s - DAY_S) * SECOND, onset_s * SECOND, (onset_s + DAY_S) * SECOND),
            mode=Mode.STEP,
            share=0.31,
            duty=0.98,
            energy_wh=Interval(3.2e7, 3.5e7, 3.7e7),
        ),
        consequences=Consequences(
            cost=(
                SheetLine(
                    label="Energy since the onset",
                    quantity=34_700.0,
                    unit="kWh",
                    rate=0.214,
                    rate_unit="GBP/kWh",
                    source="prices.csv, mean of the hours in which it ran",
                    result=7_425.8,
                    result_unit="GBP",
                ),
            ),
            co2=(
                SheetLine(
                    label="CO2 of that energy",
                    quantity=34_700.0,
                    unit="kWh",
                    rate=268.0,
                    rate_unit="g/kWh",
                    source="national mean, 2021",
                    result=9_300.0,
                    result_unit="kg",
                ),
            ),
            machines=(4, 16),
            hashrate_hs=Interval(2.2e14, 6.1e14, 1.2e15),
        ),
        counter_hypotheses=(
            CounterHypothesis(
                name="electric_heating",
                standing=Standing.EXCLUDED,
                text="The step keeps its size from 2 to 19 degrees (slope 0.01 kW per degree, 95 % -0.05 to 0.07).",
            ),
            CounterHypothesis(
                name="server_room", standing=Standing.POSSIBLE, text="A server room draws the same watts day and night."
            ),
            CounterHypothesis(name="pv", standing=Standing.UNTESTED, text="No table says whether there is generation."),
        ),
        findings=(found,),
        drawing=drawing(),
        site_id="S7",
        site_name="Cold Lane 7",
    )
    return replace(made, **changes)


def innocent(point: str, score: float, p_value: float, **changes: object) -> UsagePointResult:
    """A shop like others."""
    made = UsagePointResult(
        usage_point=point,
        started_ns=START_S * SECOND,
        ended_ns=END_S * SECOND,
        score=score,
        p_value=p_value,
        peers=2_812,
        log10_e=-0.3,
        explanation="Nothing stands out: the load follows the working day as others do.",
    )
    return replace(made, **changes)


def short(point: str) -> UsagePointResult:
    """Nine days of data: nothing can answer."""
    return UsagePointResult(
        usage_point=point,
        started_ns=START_S * SECOND,
        ended_ns=(START_S + 9 * DAY_S) * SECOND,
        score=math.nan,
        p_value=math.nan,
        peers=0,
        log10_e=0.0,
        explanation="No answer: too short.",
        insufficient=(
            LoadInsufficient(detector="load_step", usage_point=point, missing="9 days; it takes 21"),
            LoadInsufficient(detector="flat_load", usage_point=point, missing="9 days; it takes 14"),
        ),
    )


def district() -> MetersResult:
    """A step, a weaker entry without an estimate's consequences, one worth a look, innocents, one too short."""
    night = miner(
        "M-0871",
        score=5.02,
        p_value=0.0011,
        log10_e=1.4,
        adjusted_rate=0.046,
        detector="off_hours",
        explanation="A load of about 8 kW from 22 to 6 o'clock, every night",
        site_id="",
        site_name="",
        site_note="no assignment of the registry names the usage point M-0871 at this time",
        consequences=None,
        findings=(),
        drawing=drawing(2, step_day=None),
    )
    assert night.estimate is not None
    night = replace(night, estimate=replace(night.estimate, mode=Mode.NIGHT_ONLY, onset=None, duty=0.33))
    look = innocent("M-1500", 2.1, 0.012, worth_a_look=True, log10_e=0.6, adjusted_rate=0.4, site_id="")
    problem = ("the energy is not a number", 3, (SourceRow("readings.csv", 17), SourceRow("readings.csv", 4_022)))
    return MetersResult(
        rows=[miner(), night, look, innocent("M-0001", -1.0, 0.7), innocent("M-0002", -2.5, 0.93), short("M-9999")],
        accounts=(
            ReadingAccount(
                file="readings.csv",
                rows=13_120,
                kept=13_117,
                problems=(problem,),
                remarks=("readings.csv: times without an offset were taken as UTC",),
            ),
        ),
        readings=13_117,
        fdr=0.05,
        not_tested=("balance: no transformer is named; --topology names them",),
        assumptions=("prices are those of the region at the hour",),
    )
