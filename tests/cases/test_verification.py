"""Whether mining has ended: what is called rectified, what persists, and what is not enough data."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from headframe.cases.remainder import design, fit, left_over, unseen_weather
from headframe.cases.site_days import site_days
from headframe.cases.verification import (
    DAY_NS,
    FoundLoad,
    NetworkDays,
    RegisterFact,
    SiteDays,
    Sources,
    VerificationLimits,
    Windows,
    found_in_situ,
    metrics_needed,
    verify,
)
from headframe.meters import MeterFiles, local_clock
from headframe.records.case import FindingRef, Measurement, VerificationOutcome
from headframe.records.finding import Family, Interval
from headframe.records.policy import Basis, VerificationRule
from headframe.records.reading import HourlySeries

DAY, HOUR_S = 24, 3600
START_S = 1_767_571_200  # Monday 2026-01-05
CLEAN, MINING, WINDOW = 200, 60, 30
RECTIFIED, PERSISTS, OPEN = (
    VerificationOutcome.RECTIFIED,
    VerificationOutcome.PERSISTS,
    VerificationOutcome.NOT_ENOUGH_DATA,
)


def rule(*metrics: str, window_days: int = WINDOW) -> VerificationRule:
    """A pack's rule."""
    return VerificationRule(window_days=window_days, metrics=metrics, basis=Basis.OPERATOR_DEFAULT)


def finding(family: Family = Family.LOAD, detector: str = "load_step", **changed: object) -> FindingRef:
    """What a case rests on."""
    found = FindingRef(
        finding_id="F", family=family, detector=detector, version="1", subject="U1", log10_e=4.0, started_ns=0,
        ended_ns=1, sha256="00",
    )  # fmt: skip
    return dataclasses.replace(found, **changed)  # type: ignore[arg-type]


def instant(day: int) -> int:
    """Start of a day of the trial."""
    return START_S * 1_000_000_000 + day * DAY_NS


WINDOWS = Windows(
    clean_until_ns=instant(CLEAN), before_from_ns=instant(CLEAN), before_until_ns=instant(CLEAN + MINING),
    after_from_ns=instant(CLEAN + MINING), after_until_ns=instant(CLEAN + MINING + WINDOW),
)  # fmt: skip


def building(seed: int = 1, heating: float = 0.0) -> tuple[np.ndarray, HourlySeries]:
    """An office of about 20 kW with its weather, hour by hour."""
    rng = np.random.default_rng(seed)
    hours = np.arange((CLEAN + MINING + WINDOW) * DAY)
    day = hours // DAY
    work = (day % 7 < 5) & (hours % DAY >= 8) & (hours % DAY < 18)
    warm = 12 - 10 * np.cos(2 * np.pi * (day + 5) / 365) + 3 * np.sin(2 * np.pi * (hours % DAY - 9) / 24)
    load = 12_000 + 16_000 * work + heating * np.maximum(15.5 - warm, 0)
    load = load * (1 + 0.03 * rng.standard_normal(hours.size)) * (1 + 0.02 * rng.standard_normal(day.max() + 1))[day]
    return load, HourlySeries(start_s=START_S, step_s=HOUR_S, values=warm.astype(np.float32))


def days_of(added: np.ndarray, *, seed: int = 1, heating: float = 0.0, own: float = 1.0) -> SiteDays:
    """The building with machines in it; `own` scales the building itself in the later window."""
    load, warm = building(seed, heating)
    load = load.copy()
    load[(CLEAN + MINING) * DAY :] *= own
    return site_days(load + added, START_S, None, temperature_c=warm)


def machines(afterwards: float | np.ndarray = 0.0, power_w: float = 10_000) -> np.ndarray:
    """Machines of 10 kW from the onset on, and what is left of them."""
    added = np.zeros((CLEAN + MINING + WINDOW) * DAY)
    added[CLEAN * DAY : (CLEAN + MINING) * DAY] = power_w
    added[(CLEAN + MINING) * DAY :] = afterwards
    return added


def measured(days: SiteDays, *metrics: str, findings: tuple[FindingRef, ...] = (), **more: object) -> Measurement:
    """The answer about a load."""
    sources = Sources(load=days, detectors=("load_step 1",), **more)  # type: ignore[arg-type]
    return verify(findings or (finding(),), rule(*(metrics or ("kWh_per_day",))), WINDOWS, sources)


HOUR = np.arange(WINDOW * DAY) % DAY
NIGHT = np.where((HOUR >= 22) | (HOUR < 6), 10_000.0, 0.0)
MIDDAY = np.where((HOUR >= 9) & (HOUR < 15), 10_000.0, 0.0)


@pytest.mark.parametrize("seed", range(6))
def test_a_load_that_is_gone_is_rectified(seed: int) -> None:
    """With a year's worth of clean days, weather and a clear step, the end is shown, and by how much."""
    answer = measured(days_of(machines(), seed=seed, heating=60))
    reading = answer.metrics[0]
    assert answer.outcome is RECTIFIED, reading.explanation
    assert abs((reading.expected - reading.after) - 240) < 30
    assert reading.low < reading.expected < reading.high
    assert not answer.missing
    assert answer.plot_metric == "kWh_per_day"
    assert len(answer.series) == 2 * WINDOW


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("how", "afterwards"),
    [("goes on", 10_000.0), ("half", 5_000.0), ("night only", NIGHT), ("midday only", MIDDAY), ("a third", 3_333.0)],
)
def test_what_goes_on_is_never_rectified(how: str, afterwards: float | np.ndarray, seed: int) -> None:
    """Fully, by half, at night only, at midday only, by a third: none of it passes for an end."""
    answer = measured(days_of(machines(afterwards), seed=seed, heating=60))
    assert answer.outcome is not RECTIFIED, (how, answer.explanation)
    if how != "a third":
        assert answer.outcome is PERSISTS, (how, answer.metrics[0].explanation)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("left_w", [10_000.0, 5_000.0])
def test_an_empty_building_hides_nothing(seed: int, left_w: float) -> None:
    """A vacation that saves as much as the machines use is not taken for their end."""
    answer = measured(days_of(machines(left_w), seed=seed, own=0.5))
    assert answer.outcome is not RECTIFIED


def test_not_significant_is_not_rectified() -> None:
    """A load that is small beside the noise of its site is neither shown nor excluded: not enough data."""
    for afterwards in (0.0, 40.0):
        answer = measured(days_of(machines(afterwards, power_w=40.0)))
        assert answer.outcome is OPEN
        assert answer.missing


def test_coverage_is_asked_for() -> None:
    """With a third of the readings missing nothing is rectified, whatever the rest shows."""
    days = days_of(machines())
    block = days.block_w.copy()
    block[CLEAN + MINING : CLEAN + MINING + 10] = np.nan
    answer = measured(dataclasses.replace(days, block_w=block))
    assert answer.outcome is OPEN
    assert answer.coverage == pytest.approx(2 / 3, abs=0.05)
    assert "67%" in answer.metrics[0].explanation


def test_a_season_that_was_never_seen_is_no_baseline() -> None:
    """Readings of a winter say nothing of a summer."""
    days = days_of(machines())
    cold = np.where(np.arange(days.day_off.size) >= CLEAN + MINING, 30.0, 5.0)
    answer = measured(dataclasses.replace(days, temperature_c=cold))
    assert answer.outcome is OPEN
    assert "colder or warmer" in answer.metrics[0].explanation
    assert unseen_weather(cold, days.day_start_s, np.arange(50), np.arange(CLEAN + MINING, CLEAN + MINING + 9))
    # Without temperatures the season of the year stands in.
    apart = np.array([0, 180]) * 86_400
    assert "season" in unseen_weather(None, apart, np.array([0]), np.array([1]))


def test_without_a_clean_day_the_found_load_must_be_known() -> None:
    """Mining that ran before the data began: the days with it, less what was found, stand in; and that is said."""
    windows = dataclasses.replace(WINDOWS, clean_until_ns=None)
    # July to September: a mining baseline that never saw an autumn morning would rightly be refused.
    days = dataclasses.replace(days_of(machines()), temperature_c=None)
    unknown = verify((finding(),), rule("kWh_per_day"), windows, Sources(load=days, detectors=("load_step 1",)))
    assert unknown.outcome is OPEN
    known = FoundLoad(power_w=Interval(9_600, 10_000, 10_400))
    sources = Sources(load=days, found=known, detectors=("load_step 1",))
    answer = verify((finding(),), rule("kWh_per_day"), windows, sources)
    assert answer.outcome is RECTIFIED
    assert "no clean baseline exists" in answer.metrics[0].explanation
    # A figure that is not well known excludes nothing.
    vague = dataclasses.replace(sources, found=FoundLoad(power_w=Interval(5_000, 10_000, 15_000)))
    assert verify((finding(),), rule("kWh_per_day"), windows, vague).outcome is OPEN


def test_a_load_past_the_meter_is_not_gone_by_the_meter() -> None:
    """More than the meters ever showed cannot be shown to be gone by them."""
    answer = measured(days_of(machines()), found=FoundLoad(power_w=Interval(90_000, 100_000, 110_000)))
    assert answer.outcome is OPEN
    assert "does not pass them" in answer.metrics[0].explanation


def test_the_size_of_a_load_is_measured_around_its_onset() -> None:
    """Power and hours come from the readings themselves."""
    found = found_in_situ(days_of(machines(), heating=60), WINDOWS)
    assert found is not None
    assert found.power_w.low < 10_000 < found.power_w.high
    assert found.hours == ()
    at_night = machines()
    span = slice(CLEAN * DAY, (CLEAN + MINING) * DAY)
    at_night[span] = np.where(np.arange(MINING * DAY) % DAY < 6, 10_000.0, 0.0)
    night = found_in_situ(days_of(at_night), WINDOWS)
    assert night is not None
    assert night.hours == tuple(range(6))
    assert night.duty == 0.25


def test_supporting_metrics_speak_against_an_end_only() -> None:
    """Load factor and flatness may say that it goes on; that they cannot tell does not keep a case open."""
    gone = measured(days_of(machines()), "kWh_per_day", "load_factor", "load_flatness")
    assert gone.outcome is RECTIFIED
    assert [one.metric for one in gone.metrics] == ["kWh_per_day", "load_factor", "load_flatness"]
    on = measured(days_of(machines(10_000.0)), "kWh_per_day", "load_factor", "load_flatness")
    assert {one.outcome for one in on.metrics} == {PERSISTS}


def test_month_and_share_are_the_same_load() -> None:
    """Other packs ask for energy of a month, or for mining's share of it."""
    gone = measured(days_of(machines()), "kWh_month")
    assert gone.outcome is RECTIFIED
    assert gone.metrics[0].before == pytest.approx(measured(days_of(machines())).metrics[0].before * 365.25 / 12)
    share = measured(days_of(machines()), "mining_power_share")
    assert share.outcome is RECTIFIED
    assert share.metrics[0].after < 0.05 < 0.2 < share.metrics[0].before


def test_a_balance_that_closes_again_is_rectified() -> None:
    """Energy past the meters: what the transformer delivers and nobody's meter sees."""
    days = days_of(np.zeros((CLEAN + MINING + WINDOW) * DAY))
    rng = np.random.default_rng(2)
    losses = 0.02 * days.block_w.mean(axis=1) + 60 * rng.standard_normal(days.day_off.size)
    for left, wanted in ((0.0, RECTIFIED), (8_000.0, PERSISTS), (4_000.0, PERSISTS)):
        balance = losses.copy()
        balance[CLEAN : CLEAN + MINING] += 8_000
        balance[CLEAN + MINING :] += left
        site = dataclasses.replace(days, balance_w=balance)
        sources = Sources(
            load=site, found=FoundLoad(power_w=Interval(7_800, 8_000, 8_200)), detectors=("balance 1",)
        )  # fmt: skip
        case = (finding(Family.BALANCE, "balance"),)
        answer = verify(case, rule("feeder_balance", "kWh_per_day"), WINDOWS, sources)
        assert answer.outcome is wanted, answer.explanation
    # Energy that is metered now, and was not before, is no part of the evidence; it keeps the case open.
    moved = days_of(machines(8_000.0, power_w=0.0))
    balance = losses.copy()
    balance[CLEAN : CLEAN + MINING] += 8_000
    sources = Sources(
        load=dataclasses.replace(moved, balance_w=balance), found=FoundLoad(power_w=Interval(7_800, 8_000, 8_200)),
        detectors=("balance 1",),
    )  # fmt: skip
    answer = verify((finding(Family.BALANCE, "balance"),), rule("feeder_balance", "kWh_per_day"), WINDOWS, sources)
    assert answer.outcome is PERSISTS or answer.missing


# Network --------------------------------------------------------------------------------------------------------------


def network(
    *, after: int = 0, before_share: float = 1.0, recorded: float = 1.0, traffic: int = 50, elsewhere: int = 1_000
) -> NetworkDays:
    """A sensor's days around the windows."""
    n = MINING + WINDOW
    mining = np.zeros(n, np.int64)
    mining[: round(MINING * before_share)] = 4
    mining[MINING : MINING + after] = 1
    later = np.arange(n) >= MINING
    return NetworkDays(
        day_start_s=START_S + 86_400 * (CLEAN + np.arange(n)),
        recorded=np.where(later, recorded, 1.0),
        conversations=np.where(later, traffic, 100).astype(np.int64),
        elsewhere=np.full(n, elsewhere),
        mining=mining,
        day_off=np.arange(n) % 7 >= 5,
    )


CONTENT = finding(Family.CONTENT, "stratum", subject="10.0.0.1")


def of_network(days: NetworkDays | None, *, new: tuple[FindingRef, ...] = (), version: str = "1") -> Measurement:
    """The answer about a site's traffic."""
    sources = Sources(network=days, new_findings=new, detectors=(f"stratum {version}",))
    return verify((CONTENT,), rule("pool_connections", "kWh_per_day"), WINDOWS, sources)


def test_thirty_days_without_mining_are_an_end() -> None:
    """A sensor that sees the site every day, and mining on none of them; load is no part of this case's evidence."""
    answer = of_network(network())
    assert answer.outcome is RECTIFIED
    assert answer.coverage == 1.0
    assert {one.metric: one.outcome for one in answer.metrics}["kWh_per_day"] is OPEN


def test_the_plot_of_the_traffic_counts_as_the_metric_does() -> None:
    """By day of looking: four conversations in an hour's look are ninety-six of a day, in the table and in the plot."""
    days = network()
    short = dataclasses.replace(days, recorded=days.recorded / 24)
    answer = of_network(short)
    metric = next(one for one in answer.metrics if one.metric == "pool_connections")
    assert answer.plot_metric == "pool_connections"
    earlier = [point for point in answer.series if point.day_start_s * 10**9 < WINDOWS.before_until_ns]
    assert np.nanmean([point.value for point in earlier]) == pytest.approx(metric.before, rel=1e-6)
    band = np.array([(point.expected, point.low, point.high) for point in answer.series])
    np.testing.assert_allclose(band, [(metric.expected, metric.low, metric.high)] * len(band))


def test_a_load_is_plotted_before_a_few_looks_at_the_traffic() -> None:
    """Where the case's evidence rests on both; each day of the load is there."""
    sources = Sources(network=network(), load=days_of(machines(0.0)), detectors=("stratum 1", "load_step 1"))
    answer = verify((CONTENT, finding()), rule("pool_connections", "kWh_per_day"), WINDOWS, sources)
    assert answer.plot_metric == "kWh_per_day"


def test_a_silent_sensor_shows_nothing() -> None:
    """No traffic at all from the site's addresses: moved away, switched off, or the sensor's cable is out."""
    for days in (network(traffic=0), network(traffic=0, elsewhere=0), network(recorded=0.5), None):
        answer = of_network(days)
        assert answer.outcome is OPEN
        assert answer.missing
    assert "silent sensor" in of_network(network(traffic=0)).metrics[0].explanation


def test_rare_mining_needs_a_longer_look() -> None:
    """Mining that was there on a tenth of the days is not excluded by 30 days without it; how many would do is said."""
    answer = of_network(network(before_share=0.1))
    assert answer.outcome is OPEN
    assert "days without any would do" in answer.metrics[0].explanation


def test_one_day_of_mining_persists() -> None:
    """The same detectors found it again."""
    assert of_network(network(after=1)).outcome is PERSISTS


def test_a_strong_new_finding_persists_and_a_weak_one_keeps_it_open() -> None:
    """Evidence that it goes on is what an innocent subject shows once in a thousand."""
    strong = dataclasses.replace(CONTENT, subject="10.0.0.9", log10_e=5.0)
    assert of_network(network(), new=(strong,)).outcome is PERSISTS
    assert "10.0.0.9" in of_network(network(), new=(strong,)).explanation
    assert of_network(network(), new=(dataclasses.replace(strong, log10_e=1.0),)).outcome is OPEN
    assert of_network(network(), new=(dataclasses.replace(strong, mining=False),)).outcome is RECTIFIED


def test_another_version_of_a_detector_does_not_verify() -> None:
    """What was found by version 1 is not shown to be gone by version 2."""
    answer = of_network(network(), version="2")
    assert answer.outcome is OPEN
    assert any("version 2 now and was 1" in one for one in answer.missing)


# Together -------------------------------------------------------------------------------------------------------------


def test_every_family_of_the_evidence_must_say_so() -> None:
    """A case on traffic and load is closed by both; one that goes on is enough to say so."""
    case = (CONTENT, finding())
    ran = ("stratum 1", "load_step 1")

    def answer(days: NetworkDays, left: float) -> VerificationOutcome:
        sources = Sources(network=days, load=days_of(machines(left)), detectors=ran)
        return verify(case, rule("pool_connections", "kWh_per_day"), WINDOWS, sources).outcome

    assert answer(network(), 0.0) is RECTIFIED
    assert answer(network(traffic=0), 0.0) is OPEN
    assert answer(network(), 10_000.0) is PERSISTS
    assert answer(network(after=3), 0.0) is PERSISTS


def test_evidence_that_the_pack_names_no_metric_for_is_measured_all_the_same() -> None:
    """A pack about meters does not make traffic disappear."""
    wanted, needed = metrics_needed((CONTENT, finding()), rule("peer_ratio", "load_flatness", "kWh_month"))
    assert wanted == ("peer_ratio", "load_flatness", "kWh_month", "pool_connections")
    assert needed == {"pool_connections", "kWh_month"}
    assert metrics_needed((), rule("kWh_per_day"))[1] == frozenset()
    assert verify((), rule("kWh_per_day"), WINDOWS, Sources()).outcome is OPEN


@pytest.mark.parametrize(
    ("state", "listed", "wanted"), [(300, True, RECTIFIED), (300, False, PERSISTS), (10, True, OPEN)]
)
def test_a_register_is_asked_after_the_window(state: int, listed: bool, wanted: VerificationOutcome) -> None:
    """A site that has to be registered is rectified by a valid entry, looked up in a register that is new enough."""
    fact = RegisterFact(
        metric="registration_record", register="puct", state_ns=instant(state), listed_before=False, listed_after=listed
    )
    answer = verify((CONTENT,), rule("registration_record"), WINDOWS, Sources(
        registers=(fact,), network=network(), detectors=("stratum 1",)))  # fmt: skip
    by_name = {one.metric: one.outcome for one in answer.metrics}
    assert by_name["registration_record"] is wanted
    assert answer.outcome is wanted


def test_a_window_that_is_too_short_is_not_enough() -> None:
    """The pack says how long to look."""
    windows = dataclasses.replace(WINDOWS, after_until_ns=instant(CLEAN + MINING + 20))
    sources = Sources(load=days_of(machines()), detectors=("load_step 1",))
    answer = verify((finding(),), rule("kWh_per_day"), windows, sources)
    assert answer.outcome is OPEN
    assert any("asks for 30" in one for one in answer.missing)
    with pytest.raises(ValueError, match="windows must not be empty"):
        verify((finding(),), rule("kWh_per_day"), dataclasses.replace(WINDOWS, after_until_ns=0), sources)


def test_nothing_is_rectified_without_data() -> None:
    """No readings, no captures, no registers: every metric says what is missing."""
    names = ("pool_connections", "kWh_per_day", "load_factor", "feeder_balance", "peer_ratio", "register_entry", "odd")
    answer = verify((CONTENT, finding()), rule(*names), WINDOWS, Sources())
    assert answer.outcome is OPEN
    assert all(one.outcome is OPEN and one.explanation for one in answer.metrics)
    assert all(math.isnan(one.after) for one in answer.metrics)


# The baseline ---------------------------------------------------------------------------------------------------------


def test_the_error_of_a_baseline_is_that_of_windows_without_a_change() -> None:
    """Over many series whose level drifts, the interval holds the truth nearly as often as it says: 181 of 200."""
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n = 400
        drift = np.zeros(n)
        for k in range(1, n):
            drift[k] = 0.95 * drift[k - 1] + rng.standard_normal()
        off = np.arange(n) % 7 >= 5
        y = 100 - 20 * off + drift
        columns, _ = design(None, off)
        rows = np.arange(n)
        lefts = left_over(y, columns, rows[:300], rows[:0], rows[370:], 0.0, 0.0)
        low, high = lefts[0].interval()
        held += low <= 0 <= high
    assert held >= 50


def test_too_few_days_are_no_baseline() -> None:
    """28 days at least, and a week's spread needs three weeks."""
    off = np.arange(60) % 7 >= 5
    columns, _ = design(None, off)
    assert fit(np.ones(60), columns, np.arange(20), 30, 0) is None
    assert fit(np.ones(60), columns, np.arange(40), 30, 0) is not None


def test_limits_are_arguments() -> None:
    """Who allows less than a fifth says so, and then less passes."""
    days = days_of(machines(), heating=60)
    sources = Sources(load=days, detectors=("load_step 1",))
    strict = VerificationLimits(share=0.001)
    assert verify((finding(),), rule("kWh_per_day"), WINDOWS, sources, strict).outcome is OPEN


def plant(
    afterwards: float, *, seed: int = 1, sun: float = 1.0, known: bool = True, still: int = 0, less: float = 1.0
) -> SiteDays:
    """A solar plant of 60 kW with machines of 6 kW before its meter; what of them goes on afterwards. [W]

    `sun` scales the irradiance of the later window, `less` the plant's own output in it; `still` of its days are none.
    """
    rng = np.random.default_rng(seed)
    hours = np.arange((CLEAN + MINING + WINDOW) * DAY)
    day, later = hours // DAY, hours >= (CLEAN + MINING) * DAY
    height = np.maximum(np.sin(2 * np.pi * (hours % DAY - 6) / 24), 0.0)
    clouds = np.clip(0.65 + 0.3 * rng.standard_normal(day.max() + 1), 0.15, 1.0)[day]
    light = 900 * height * clouds * np.where(later, sun, 1.0)
    made = np.minimum(60_000 * light / 1_000, 50_000) * (1 + 0.02 * rng.standard_normal(hours.size))
    made = made * np.where(later, less, 1.0)
    taken = np.zeros(hours.size)
    taken[CLEAN * DAY : (CLEAN + MINING) * DAY] = 6_000
    taken[later] = afterwards
    fed_in = np.maximum(made - taken, 0.0)
    fed_in[(day >= CLEAN + MINING) & (day < CLEAN + MINING + still)] = 0.0
    return site_days(
        np.full(hours.size, 300.0), START_S, None, export_w=fed_in, resource_kind="irradiance",
        resource=HourlySeries(start_s=START_S, step_s=HOUR_S, values=light.astype(np.float32)) if known else None,
    )  # fmt: skip


FEWER = finding(detector="export_drop")


def of_plant(days: SiteDays, windows: Windows = WINDOWS, **more: object) -> Measurement:
    sources = Sources(load=days, detectors=("export_drop 1",), **more)  # type: ignore[arg-type]
    return verify((FEWER,), rule("kWh_per_day", "pool_connections"), windows, sources)


def test_a_drop_of_the_feed_in_is_answered_for_by_the_feed_in() -> None:
    """Whatever the pack names; beside evidence of another load both have to say so."""
    assert metrics_needed((FEWER,), rule("kWh_per_day")) == (
        ("kWh_per_day", "export_kWh_per_day"), frozenset({"export_kWh_per_day"})
    )  # fmt: skip
    assert metrics_needed((FEWER, finding()), rule("kWh_per_day"))[1] == {"export_kWh_per_day", "kWh_per_day"}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sun", [0.9, 1.0])
def test_feed_in_that_is_back_is_rectified(seed: int, sun: float) -> None:
    """Under the same sun as before, or less of it: what counts is what the plant makes of it."""
    answer = of_plant(plant(0.0, seed=seed, sun=sun))
    reading = next(one for one in answer.metrics if one.metric == "export_kWh_per_day")
    assert answer.outcome is RECTIFIED, reading.explanation
    assert reading.low < reading.expected < reading.high < reading.after
    assert answer.plot_metric == "export_kWh_per_day"
    assert len(answer.series) == 2 * WINDOW
    assert "irradiance" in reading.explanation


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("left", "sun"), [(6_000, 1.0), (6_000, 1.05), (3_000, 1.0), (2_000, 1.0)])
def test_feed_in_that_is_missing_still_is_never_rectified(seed: int, left: float, sun: float) -> None:
    """Fully, by half, by a third; nor when more sun makes up for it."""
    answer = of_plant(plant(left, seed=seed, sun=sun))
    assert answer.outcome is not RECTIFIED, answer.explanation
    if left >= 3_000:
        assert answer.outcome is PERSISTS, answer.explanation


def test_what_keeps_the_feed_in_from_being_compared() -> None:
    """No weather, no feed-in, a generator that stands still, and far more missing than was found: not enough data."""
    for days, words in (
        (plant(0.0, known=False), "more feed-in may be more sun"),
        (dataclasses.replace(plant(0.0), export_w=None), "no readings of what the site feeds in"),
        (plant(0.0, still=10), "stood still on"),
        (plant(6_000, less=0.5), "something else is wrong"),
        (plant(0.0, sun=1.6), "there is no baseline"),
        (plant(0.0, less=1.4), "something else has changed too"),
    ):
        answer = of_plant(days)
        reading = next(one for one in answer.metrics if one.metric == "export_kWh_per_day")
        assert answer.outcome is OPEN, (words, reading.explanation)
        assert words in reading.explanation, (words, reading.explanation)


def test_without_clean_days_the_found_drop_is_needed() -> None:
    """It then comes from the finding, and the days with the machines are the baseline."""
    windows = dataclasses.replace(WINDOWS, clean_until_ns=None)
    assert of_plant(plant(0.0), windows).outcome is OPEN
    drop = FoundLoad(power_w=Interval(5_700, 6_000, 6_300), duty=0.45, source="the findings")
    assert of_plant(plant(0.0), windows, found_export=drop).outcome is RECTIFIED
    assert of_plant(plant(6_000), windows, found_export=drop).outcome is PERSISTS


def test_comparable_generators_are_weather_too() -> None:
    """Where nobody measured the sun, others that live on it did."""
    there = plant(0.0, seed=3)
    peers = there.resource * 55.0
    days = dataclasses.replace(there, resource=None, export_peers_w=peers)
    assert of_plant(days).outcome is RECTIFIED
    going_on = plant(6_000, seed=3)
    assert of_plant(dataclasses.replace(going_on, resource=None, export_peers_w=peers)).outcome is PERSISTS


@pytest.mark.parametrize("begins", [datetime(2026, 3, 25, tzinfo=UTC), datetime(2026, 10, 21, tzinfo=UTC)])
def test_a_block_is_whole_or_missing(begins: datetime) -> None:
    """An hour that is not there takes its three hours with it; days of 23 and 25 hours have no hole by themselves."""
    files = MeterFiles(readings=(), zone=ZoneInfo("Europe/London"), zone_name="Europe/London", country="GB")
    start_s, hours = int(begins.timestamp()), 10 * 24
    power = np.full(hours, 1_000.0)
    clock = local_clock(files, start_s, start_s + hours * 3600)
    inner = site_days(power, start_s, clock).block_w[1:9]
    assert np.isfinite(inner).all()
    power[5 * 24 + 13] = np.nan
    holed = site_days(power, start_s, clock).block_w[1:9]
    assert np.isnan(holed).sum() == 1
    # At the rim of the data a block is cut.
    assert np.isnan(site_days(power[:22], start_s, None).block_w[0, -1])
    balance = np.full(hours, 50.0)
    balance[2 * 24 : 2 * 24 + 3] = np.nan
    daily = site_days(power, start_s, None, balance_w=balance).balance_w
    assert daily is not None
    assert np.isnan(daily[2])
    assert np.isfinite(np.delete(daily, 2)).all()
