"""Feed-in that falls while its resource does not: found, dated, sized, and told from what is not machines."""

from pathlib import Path

import numpy as np
import pytest

from headframe.detectors.power.export_drop import BLIND_SPOTS, LEAST_FOLLOWED, detect, followed
from headframe.records.load_finding import LoadFinding, LoadInsufficient, Standing
from headframe.records.reading import HourlySeries, LoadBatch

START_S = 1_577_836_800
DAYS = 160
STEP_DAY = 90


def batch(power_w: np.ndarray) -> LoadBatch:
    return LoadBatch(
        usage_points=("G1",),
        first=np.array([0, power_w.size]),
        start_s=np.array([START_S]),
        step_s=3600,
        power_w=power_w.astype(np.float32),
    )


def hourly(values: np.ndarray) -> HourlySeries:
    return HourlySeries(start_s=START_S, step_s=3600, values=values.astype(np.float32))


def one(power_w: np.ndarray, resource: np.ndarray, kind: str = "irradiance") -> LoadFinding:
    (answer,) = detect(batch(power_w), hourly(resource), kind=kind)
    assert isinstance(answer, LoadFinding)
    return answer


def river(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Water that goes slowly up and down, and a turbine of 60 kW that has a limit."""
    rng = np.random.default_rng(seed)
    flow = np.exp(0.5 * np.cumsum(rng.normal(0.0, 0.1, DAYS)) / 2.0).repeat(24)
    return np.minimum(flow, 1.6) * 37_500.0 * np.exp(rng.normal(0.0, 0.03, DAYS * 24)), flow


def sun(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Clouds, the same for the instrument and nearly the same for the plant of some 80 kW."""
    rng = np.random.default_rng(seed)
    hour = np.arange(DAYS * 24) % 24
    clear = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0) * 900.0
    light = clear * np.clip(rng.beta(2.0, 1.2, DAYS).repeat(24) + rng.normal(0, 0.1, DAYS * 24), 0.02, 1.0)
    return light * 90.0 * np.exp(rng.normal(0.0, 0.08, DAYS).repeat(24)), light


AFTER = np.arange(DAYS * 24) >= STEP_DAY * 24


@pytest.mark.parametrize("plant", [river, sun])
@pytest.mark.parametrize("seed", range(4))
def test_a_plant_that_follows_its_resource_is_left_alone(plant, seed: int) -> None:
    """Dry weeks and dark weeks are no drop."""
    found = one(*plant(seed))
    assert found.p_value > 0.01
    assert found.log10_e < 1.0


@pytest.mark.parametrize("seed", range(2))
def test_machines_in_a_hydro_plant(seed: int) -> None:
    """A constant load of 8 kW since a day: found to the day, with its power."""
    power, flow = river(seed)
    found = one(np.maximum(power - 8_000.0 * AFTER, 0.0), flow, "water")
    assert found.p_value < 1e-4
    estimate = found.estimate
    assert estimate is not None
    assert estimate.onset is not None
    day = (estimate.onset.estimate_ns / 1e9 - START_S) / 86_400
    assert abs(day - STEP_DAY) <= 1
    assert estimate.power_w.estimate == pytest.approx(8_000.0, rel=0.1)
    assert estimate.power_w.low < 8_000.0 < estimate.power_w.high * 1.05
    assert "its water does not explain it" in found.explanation
    assert found.blind_spots == BLIND_SPOTS
    standing = {each.name: each.standing for each in found.counter_hypotheses}
    assert standing["self_consumption"] is Standing.POSSIBLE
    assert standing["outage"] is Standing.EXCLUDED


def test_the_form_of_the_fall_tells_machines_from_soiling_and_from_a_cut() -> None:
    """A load takes the same at all levels of output, dirt a share, a limit the top only."""
    power, light = sun(1)
    after = {
        "machines": np.maximum(power - 12_000.0, 0.0),
        "soiling": power * 0.7,
        "curtailment": np.minimum(power, 30_000.0),
    }
    standing = {}
    for name, fallen in after.items():
        found = one(np.where(AFTER, fallen, power), light)
        assert found.p_value < 0.01
        standing[name] = {each.name: each.standing for each in found.counter_hypotheses}
    assert standing["machines"]["soiling"] is Standing.EXCLUDED
    assert standing["machines"]["curtailment"] is Standing.EXCLUDED
    assert standing["soiling"]["soiling"] is Standing.POSSIBLE
    assert standing["curtailment"]["curtailment"] is Standing.POSSIBLE


def test_a_generator_follows_one_resource() -> None:
    """A river's plant does not follow the sun, nor a roof the river, also when machines take half of what they give."""
    power, flow = river(1)
    roof, light = sun(2)
    power[power.size // 2 :] *= 0.5
    water = followed(batch(power), hourly(flow))[0], followed(batch(power), hourly(light))[0]
    clouds = followed(batch(roof), hourly(flow))[0], followed(batch(roof), hourly(light))[0]
    assert water[0] > LEAST_FOLLOWED > water[1]
    assert clouds[1] > LEAST_FOLLOWED > clouds[0]
    assert followed(batch(np.zeros(480)), hourly(flow))[0] == -1.0


def test_a_drop_of_the_resource_too_is_none() -> None:
    """Half the water, half the energy."""
    rng = np.random.default_rng(3)
    flow = np.exp(rng.normal(0.0, 0.2, DAYS)).repeat(24) * np.where(AFTER, 0.5, 1.0)
    power = flow * 20_000.0 * np.exp(rng.normal(0.0, 0.03, flow.size))
    assert one(power, flow, "water").p_value > 0.01


def test_outages_are_left_out_and_told() -> None:
    """Days without any feed-in are no lasting drop."""
    power, flow = river(2)
    power[100 * 24 : 106 * 24] = 0.0
    found = one(power, flow, "water")
    assert found.p_value > 0.01
    assert found.contradictions == ("6 days without any feed-in were left out.",)


@pytest.mark.parametrize(
    ("power", "resource", "missing"),
    [
        (np.ones(240), np.ones(240), "10 days with feed-in"),
        (np.full(DAYS * 24, np.nan), np.ones(DAYS * 24), "0 days with feed-in"),
        (np.ones(DAYS * 24), np.zeros(0), "0 days with feed-in"),
        (np.zeros(DAYS * 24), np.arange(DAYS * 24.0), "feeds nothing in"),
        (np.ones(DAYS * 24), np.ones(DAYS * 24), "never changes"),
    ],
)
def test_what_is_missing_is_said(power: np.ndarray, resource: np.ndarray, missing: str) -> None:
    """Too little data is an answer of its own."""
    (answer,) = detect(batch(power), hourly(resource))
    assert isinstance(answer, LoadInsufficient)
    assert missing in answer.missing


@pytest.mark.real_data
def test_under_real_skies(shared_data: Path) -> None:
    """Panels under a measured irradiance: no drop without machines, and 15 kW of machines are seen."""
    from headframe.sources.power.surroundings import read_surroundings

    light = read_surroundings(shared_data / "power" / "bedford_weather_hourly.parquet").irradiance_w_m2
    assert light is not None
    begin = (1_420_070_400 - light.start_s) // 3600  # 2015
    values = np.nan_to_num(light.values[begin : begin + DAYS * 24].astype(np.float64))
    rng = np.random.default_rng(8)
    power = values * 100.0 * np.exp(rng.normal(0.0, 0.1, DAYS).repeat(24) + rng.normal(0.0, 0.15, DAYS * 24))
    assert one(power, values).p_value > 0.01
    assert one(np.maximum(power - 15_000.0 * AFTER, 0.0), values).p_value < 0.01
