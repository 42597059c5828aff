"""The balance of a transformer: honest ones close, and what passes no meter is found, sized, dated and placed."""

from dataclasses import replace

import numpy as np
import pytest

from headframe.detectors.power.balance import BLIND_SPOTS, BalanceParameters, align, detect
from headframe.records.finding import Family
from headframe.records.load_finding import LoadFinding, LoadInsufficient, Mode, Standing
from headframe.records.reading import HourlySeries, LoadBatch, LocalClock, Transformer, UsagePoint
from headframe.records.site import SourceRow

ROW = SourceRow("grid.csv", 2)
START_S = 1_600_041_600  # 2020-09-14 00:00 UTC, a Monday
DAYS = 60
HOURS = DAYS * 24
N = 8
TRANSFORMER = Transformer(transformer="T1", head_usage_point="H1", source=ROW)
POINTS = tuple(UsagePoint(usage_point=f"P{k}", transformer="T1", meter_class="1", source=ROW) for k in range(N))


def loads(seed: int = 1) -> np.ndarray:
    """True loads of eight points: a floor, a day, a week, and a life of their own. float64[hours, N]"""
    rng = np.random.default_rng(seed)
    hour, day = np.arange(HOURS) % 24, np.arange(HOURS) // 24
    out = np.empty((HOURS, N))
    for k in range(N):
        daily = np.exp(-0.5 * ((hour - rng.uniform(7, 20)) / rng.uniform(2, 4)) ** 2)
        week = 1.0 - 0.4 * rng.random() * (day % 7 >= 5)
        own = np.exp(rng.normal(0.0, 0.3, HOURS))
        out[:, k] = rng.uniform(500, 4000) * (0.3 + daily * week) * own
    return out


def series(values: np.ndarray, names: tuple[str, ...]) -> LoadBatch:
    values = np.atleast_2d(values.T)
    return LoadBatch(
        usage_points=names,
        first=np.arange(len(names) + 1) * values.shape[1],
        start_s=np.full(len(names), START_S),
        step_s=3600,
        power_w=np.ascontiguousarray(values).ravel().astype(np.float32),
    )


def measured(true_w: np.ndarray, unmetered_w: np.ndarray | float = 0.0, seed: int = 2) -> tuple[LoadBatch, LoadBatch]:
    """Head and points as their meters show them: gains within the classes, losses, steps of the registers."""
    rng = np.random.default_rng(seed)
    flow = true_w.sum(axis=1) + unmetered_w
    head = flow + 0.02 * flow**2 / flow.mean() + 0.003 * flow.mean()
    head = np.round(head * (1.0 + rng.uniform(-0.005, 0.005)) / 10.0) * 10.0
    points = np.round(true_w * (1.0 + rng.uniform(-0.01, 0.01, N)))
    return series(head, ("H1",)), series(points, tuple(p.usage_point for p in POINTS))


def one(head: LoadBatch, points: LoadBatch, **more: object) -> LoadFinding:
    (answer,) = detect(head, points, TRANSFORMER, POINTS, **more)  # type: ignore[arg-type]
    assert isinstance(answer, LoadFinding)
    return answer


@pytest.fixture(scope="module")
def true_w() -> np.ndarray:
    return loads()


@pytest.mark.parametrize("seed", range(6))
def test_an_honest_transformer_closes(seed: int) -> None:
    """Errors of meters and losses are no load: no estimate, and what would have been seen is said."""
    found = one(*measured(loads(seed), seed=seed))
    assert found.p_value > 0.05
    assert found.estimate is None
    assert found.log10_e < 0.0
    assert found.usage_point == "H1"
    assert "closes within the accuracy" in found.explanation
    assert "would have been seen" in found.explanation


def test_a_tap_is_found_and_sized_and_not_pinned_on_a_neighbour(true_w: np.ndarray) -> None:
    """5 % of the mean, day and night since before the data, at no point."""
    load = 0.05 * true_w.sum(axis=1).mean()
    found = one(*measured(true_w, load))
    assert found.p_value < 1e-3
    assert (found.family, found.detector, found.usage_point) == (Family.BALANCE, "balance", "H1")
    estimate = found.estimate
    assert estimate is not None
    assert estimate.mode is Mode.UNMETERED
    assert estimate.onset is None
    assert estimate.power_w.low <= load <= estimate.power_w.high
    assert estimate.power_w.estimate == pytest.approx(load, rel=0.2)
    assert estimate.energy_wh.estimate == pytest.approx(estimate.power_w.estimate * HOURS, rel=1e-6)
    assert "cannot be localised" in found.explanation
    assert found.blind_spots == BLIND_SPOTS
    assert found.explanation.startswith(f"Over the {HOURS // 24} days from "), "of which days the means are"
    assert "its power while it runs; the means are of all those days" in found.explanation


def test_night_only(true_w: np.ndarray) -> None:
    """A load from 22 to 5 o'clock is named by its hours, with its power while it runs."""
    load = 0.05 * true_w.sum(axis=1).mean()
    at_night = ((np.arange(HOURS) - 22) % 24 < 7) * load
    found = one(*measured(true_w, at_night))
    assert found.estimate is not None
    assert found.estimate.power_w.estimate == pytest.approx(load, rel=0.1)
    assert found.estimate.duty == pytest.approx(7 / 24, abs=0.01)
    assert "between 22:00 and 05:00" in found.explanation


def test_night_is_told_by_the_local_clock(true_w: np.ndarray) -> None:
    """With two hours of offset the same load runs from 0 to 7."""
    at_night = ((np.arange(HOURS) - 22) % 24 < 7) * 0.05 * true_w.sum(axis=1).mean()
    clock = LocalClock("X", np.array([0]), np.array([7200], np.int32), np.zeros(0, np.int32))
    assert "between 00:00 and 07:00" in one(*measured(true_w, at_night), clock=clock).explanation


def test_a_load_that_leaves_its_meter_is_dated_and_placed(true_w: np.ndarray) -> None:
    """From an hour on, a constant load that was metered is not: the point's own load falls as the residual rises."""
    begin = 30 * 24 + 9
    load = 0.08 * true_w.sum(axis=1).mean()
    on = np.arange(HOURS) >= begin
    metered = true_w.copy()
    metered[:, 3] += load * ~on
    found = one(*measured(metered, load * on))
    assert found.usage_point == "P3"
    assert "traced to P3" in found.explanation
    estimate = found.estimate
    assert estimate is not None
    assert estimate.onset is not None
    at_ns = (START_S + begin * 3600) * 1_000_000_000
    assert estimate.onset.earliest_ns <= at_ns <= estimate.onset.latest_ns
    assert abs(estimate.onset.estimate_ns - at_ns) <= 3 * 3_600_000_000_000


def test_a_share_of_a_points_load_is_pinned_on_it(true_w: np.ndarray) -> None:
    """Half of a point's load passes by its meter: the residual goes as the point's readings do."""
    metered = true_w.copy()
    metered[:, 5] *= 0.5
    found = one(*measured(metered, true_w[:, 5] * 0.5))
    assert found.usage_point == "P5"
    assert "fixed ratio" in found.explanation


def test_a_full_bypass_is_pinned_on_the_point_that_went_silent(true_w: np.ndarray) -> None:
    """A meter that shows 0 since a day is either bypassed or not read: both are said."""
    on = np.arange(HOURS) >= 25 * 24
    metered = true_w.copy()
    metered[on, 2] = 0.0
    found = one(*measured(metered, true_w[:, 2] * on))
    assert found.usage_point == "P2"
    standing = {each.name: each.standing for each in found.counter_hypotheses}
    assert standing["missing_readings"] is Standing.POSSIBLE
    assert standing["technical_losses"] is Standing.EXCLUDED


def test_voltage_names_the_place(true_w: np.ndarray) -> None:
    """A new load at a point, never metered, moves the voltages of the line as the point's own load does."""
    rng = np.random.default_rng(4)
    load = 0.08 * true_w.sum(axis=1).mean() * (np.arange(HOURS) >= 20 * 24)
    current = true_w.copy()
    current[:, 4] += load
    behind = np.cumsum(current[:, ::-1], axis=1)[:, ::-1]
    volts = 230.0 - np.cumsum(behind * 3e-5, axis=1) + rng.normal(0.0, 1.0, (HOURS, 1)) + rng.normal(0, 0.1, (HOURS, N))
    voltage = {
        point.usage_point: HourlySeries(start_s=START_S, step_s=3600, values=volts[:, k].astype(np.float32))
        for k, point in enumerate(POINTS)
    }
    assert one(*measured(true_w, load)).usage_point == "H1"
    found = one(*measured(true_w, load), voltage_v=voltage)
    assert found.usage_point == "P4"
    assert "voltages along the line" in found.explanation


def test_other_evidence_moves_the_place_and_not_the_p_value(true_w: np.ndarray) -> None:
    """Traffic of a miner at a point makes it the likely place; the balance itself shows what it showed."""
    case = measured(true_w, 0.05 * true_w.sum(axis=1).mean())
    plain, told = one(*case), one(*case, other_log10_e={"P6": 6.0})
    assert (plain.usage_point, told.usage_point) == ("H1", "P6")
    assert plain.p_value == told.p_value


def test_gaps_are_no_load(true_w: np.ndarray) -> None:
    """Missing readings of points, single and in runs, do not make a finding, and a head without a reading neither."""
    rng = np.random.default_rng(6)
    head, points = measured(true_w)
    power = points.power_w.copy()
    power[rng.random(power.size) < 0.02] = np.nan
    power[3 * HOURS + 100 : 3 * HOURS + 180] = np.nan
    flow = head.power_w.copy()
    flow[500:540] = np.nan
    found = one(replace(head, power_w=flow), replace(points, power_w=power))
    assert found.p_value > 0.05


def test_a_wild_reading_is_left_out_and_told(true_w: np.ndarray) -> None:
    """One register fault of ten times the flow must not become a load."""
    head, points = measured(true_w)
    flow = head.power_w.copy()
    flow[700] *= 10.0
    found = one(replace(head, power_w=flow), points)
    assert found.p_value > 0.05
    assert any("wild" in told for told in found.contradictions)


def test_runs_may_start_at_different_times(true_w: np.ndarray) -> None:
    """A point's readings are laid beside the head's by their time."""
    head, points = measured(true_w)
    cut = np.concatenate([points.power_w[:HOURS][48:], points.power_w[HOURS:]])
    first = points.first - np.where(np.arange(N + 1) > 0, 48, 0)
    start = points.start_s + np.where(np.arange(N) == 0, 48 * 3600, 0)
    late = replace(points, power_w=cut, first=first, start_s=start)
    balance = align(head, late, TRANSFORMER, POINTS)
    assert not isinstance(balance, str)
    assert not balance.complete[:48].any()
    assert balance.complete[48:].all()
    np.testing.assert_array_equal(balance.metered_w[48:, 0], points.power_w[48:HOURS])
    assert one(head, late).p_value > 0.05


def test_known_losses_take_the_place_of_guessed_ones(true_w: np.ndarray) -> None:
    """High losses that a power flow or ratings explain are no load; unexplained they are."""
    head, points = measured(true_w)
    flow = head.power_w.astype(np.float64)
    extra = 0.12 * flow.mean() * (flow / flow.mean()) ** 2
    lossy = replace(head, power_w=(flow + extra).astype(np.float32))
    guessed = one(lossy, points)
    assert guessed.p_value < 0.01
    assert "as losses go" in guessed.explanation
    known = HourlySeries(
        start_s=START_S, step_s=3600, values=(extra + 0.02 * flow**2 / flow.mean() + 0.003 * flow.mean()).astype("f4")
    )
    assert one(lossy, points, losses_w=known).p_value > 0.05
    resistance = 0.14 / flow.mean() * (400.0 * 0.95) ** 2
    rated = replace(TRANSFORMER, line_resistance_ohm=resistance)
    (answer,) = detect(lossy, points, rated, POINTS)
    assert isinstance(answer, LoadFinding)
    assert answer.p_value > 0.01


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda head, points: (head, replace(points, usage_points=("Z", *points.usage_points[1:]))), "no readings"),
        (lambda head, points: (replace(head, usage_points=("Z",)), points), "no readings of the head meter"),
        (
            lambda head, points: (
                replace(head, first=np.array([0, 240]), power_w=head.power_w[:240]),
                points,
            ),
            "10 days of the head meter; 14 are needed",
        ),
        (lambda head, points: (replace(head, power_w=head.power_w * 0), points), "shows nothing"),
        (lambda head, points: (replace(head, power_w=head.power_w * np.nan), points), "shows nothing"),
        (lambda head, points: (head, replace(points, power_w=points.power_w * np.nan)), "days with readings"),
        (lambda head, points: (replace(head, start_s=head.start_s + 60), points), "begin"),
    ],
)
def test_what_is_missing_is_said(true_w: np.ndarray, change, expected: str) -> None:
    """Too little data is an answer of its own."""
    head, points = change(*measured(true_w))
    (answer,) = detect(head, points, TRANSFORMER, POINTS)
    assert isinstance(answer, LoadInsufficient)
    assert expected in answer.missing
    assert answer.usage_point == "H1"


def test_no_points_and_other_transformers_points(true_w: np.ndarray) -> None:
    """Points of another transformer do not count; without any there is no balance."""
    head, points = measured(true_w)
    strangers = tuple(replace(point, transformer="T2") for point in POINTS)
    (answer,) = detect(head, points, TRANSFORMER, strangers)
    assert isinstance(answer, LoadInsufficient)
    with pytest.raises(ValueError, match="one length"):
        detect(replace(head, step_s=900), points, TRANSFORMER, POINTS)


def test_half_hours(true_w: np.ndarray) -> None:
    """Intervals of another length are balanced just so."""
    head, points = measured(true_w, 0.06 * true_w.sum(axis=1).mean())
    half = [replace(each, step_s=1800) for each in (head, points)]  # the same values over half of the time
    found = one(half[0], half[1])
    assert found.p_value < 0.01
    assert found.estimate is not None
    assert found.estimate.energy_wh.estimate == pytest.approx(found.estimate.power_w.estimate * HOURS / 2, rel=1e-6)


def test_worse_meters_show_less(true_w: np.ndarray) -> None:
    """The p-value refers to the classes: with class 2 everywhere a small load may be error."""
    case = measured(true_w, 0.02 * true_w.sum(axis=1).mean())
    good = one(*case, parameters=BalanceParameters(tolerated=0.002)).p_value
    rough = [replace(point, meter_class="2") for point in POINTS]
    (poor,) = detect(*case, replace(TRANSFORMER, meter_class="2"), rough, BalanceParameters(tolerated=0.002))
    assert isinstance(poor, LoadFinding)
    assert poor.p_value > good


def test_losses_of_a_power_flow_model_close_the_balance(true_w: np.ndarray) -> None:
    """Where a model of the grid exists, its losses are given for each hour: a long line is then no theft.

    The meters' own readings go into the power flow, as a utility would do it, and not the truth.
    """
    import power_grid_model as pgm

    n = N + 1
    node = pgm.initialize_array("input", "node", n)
    node["id"], node["u_rated"] = np.arange(n), 400.0
    line = pgm.initialize_array("input", "line", N)
    line["id"], line["from_node"], line["to_node"] = 100 + np.arange(N), np.arange(N), 1 + np.arange(N)
    line["from_status"] = line["to_status"] = 1
    line["r1"], line["x1"], line["c1"], line["tan1"] = 0.1, 0.02, 1e-9, 0.0
    load = pgm.initialize_array("input", "sym_load", N)
    load["id"], load["node"], load["status"], load["type"] = 200 + np.arange(N), 1 + np.arange(N), 1, 0
    load["p_specified"] = load["q_specified"] = 0.0
    source = pgm.initialize_array("input", "source", 1)
    source["id"], source["node"], source["status"], source["u_ref"] = 300, 0, 1, 1.0
    model = pgm.PowerGridModel({"node": node, "line": line, "sym_load": load, "source": source})

    def losses_of(loads_w: np.ndarray) -> np.ndarray:
        update = pgm.initialize_array("update", "sym_load", (HOURS, N))
        update["id"], update["p_specified"] = load["id"], loads_w
        update["q_specified"] = 0.3 * loads_w
        lines = model.calculate_power_flow(update_data={"sym_load": update})["line"]
        return (lines["p_from"] + lines["p_to"]).sum(axis=1)

    truth = losses_of(true_w)
    assert 0.03 < truth.mean() / true_w.sum(axis=1).mean() < 0.15
    head, points = series(np.round(true_w.sum(axis=1) + truth, -1), ("H1",)), measured(true_w)[1]
    shown = points.power_w.reshape(N, HOURS).T.astype(np.float64)
    known = HourlySeries(start_s=START_S, step_s=3600, values=losses_of(shown).astype(np.float32))
    assert one(head, points, losses_w=known).p_value > 0.05
    stolen = replace(head, power_w=head.power_w + np.float32(0.05 * true_w.sum(axis=1).mean()))
    found = one(stolen, points, losses_w=known)
    assert found.p_value < 0.01
    assert found.estimate is not None
    assert found.estimate.power_w.estimate == pytest.approx(0.05 * true_w.sum(axis=1).mean(), rel=0.25)


def test_months_tell_what_is_left_over_in_each(true_w: np.ndarray) -> None:
    """Each hour belongs to one local month, energies are sums over complete hours, and meters err less than a load."""
    load = 0.05 * true_w.sum(axis=1).mean()
    head, points = measured(true_w, load)
    found = one(head, points)
    assert sum(month.known_h for month in found.months) == HOURS
    assert sum(month.energy_wh for month in found.months) == pytest.approx(load * HOURS, rel=0.25)
    starts = [np.datetime64(month.started_ns, "ns").astype("datetime64[D]") for month in found.months]
    assert len({day.astype("datetime64[M]") for day in starts}) == len(starts) > 1
    assert all(day == day.astype("datetime64[M]") for day in starts[1:])
    assert all(0.0 < month.accuracy_wh < month.energy_wh for month in found.months)
    honest = one(*measured(true_w))
    assert all(abs(month.energy_wh) < month.accuracy_wh + 0.01 * month.known_h * load / 0.05 for month in honest.months)
