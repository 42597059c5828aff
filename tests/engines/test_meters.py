"""The engine of meters: the same rows whatever the batches, and every usage point has one."""

import math
from dataclasses import replace

import numpy as np
import pytest

from headframe.cases.question import joint_log10_e
from headframe.engines.meters import LEAST_P, Knowledge, MetersEngine, MetersOptions, least_of, score_of_p
from headframe.records.case import Case, FindingRef, Stage
from headframe.records.finding import Family
from headframe.records.load_finding import TRAITS, UsagePointResult
from headframe.records.meters import MetersResult
from headframe.records.reading import Transformer, UsagePoint
from headframe.records.site import SourceRow
from headframe.stores.reference_scores import load_references
from tests.engines.meters_population import START_S, Series, batches_of, home, shop, utc

ROW = SourceRow("points.csv", 2)


def population() -> list[Series]:
    """Shops and homes, two with machines, one too short, one without a reading, one with nothing but zeros."""
    made = [shop(f"S{k:02d}", k) for k in range(24)]
    made += [home(f"H{k:02d}", 100 + k) for k in range(8)]
    made += [shop("S90", 90, machine_w=25_000.0, since_day=30), home("H90", 190, machine_w=1_200.0)]
    name, start, power = shop("X-short", 7, days=9)
    made.append((name, start + 86_400, power))
    made.append(("X-void", START_S, np.full(24 * 70, math.nan, np.float32)))
    made.append(("X-zero", START_S, np.zeros(24 * 70, np.float32)))
    return made


def knowledge(**changes: object) -> Knowledge:
    return replace(Knowledge(surroundings=utc(), references=load_references()), **changes)


def run(
    series: list[Series], *, per_batch: int = 1_000, known: Knowledge | None = None, **options: object
) -> MetersResult:
    return MetersEngine(batches_of(series, per_batch), known or knowledge(), MetersOptions(**options)).run()


def of(result: MetersResult, name: str) -> UsagePointResult:
    return next(row for row in result.rows if row.usage_point == name)


@pytest.fixture(scope="module")
def result() -> MetersResult:
    return run(population())


def test_every_usage_point_has_a_row(result: MetersResult) -> None:
    """The innocent and the insufficient too; only what nothing can answer has no score, and says why."""
    assert sorted(row.usage_point for row in result.rows) == sorted(name for name, _, _ in population())
    silent = [row for row in result.rows if math.isnan(row.score)]
    assert {row.usage_point for row in silent} == {"X-short", "X-void", "X-zero"}
    for row in silent:
        assert row.insufficient, row.usage_point
        assert row.insufficient[0].missing
        assert math.isnan(row.p_value)
        assert not row.listed
    assert "9 days" in of(result, "X-short").insufficient[0].missing
    assert result.rows[-1].usage_point.startswith("X-"), "what has no score comes last"


def test_machines_rank_first_with_their_figures(result: MetersResult) -> None:
    """A shop's step of 25 kW and a home's 1.2 kW stand out; when, how much and what else it could be is said."""
    scored = [row for row in result.rows if not math.isnan(row.score)]
    assert scored[0].usage_point in {"S90", "H90"}
    step = of(result, "S90")
    assert step.estimate is not None
    assert step.estimate.power_w.low < 25_000 < step.estimate.power_w.high
    assert step.estimate.onset is not None
    assert abs(step.estimate.onset.estimate_ns / 1e9 - (START_S + 30 * 86_400)) < 2 * 86_400
    assert {one.name for one in step.counter_hypotheses} >= {"electric_heating", "server_room"}
    assert step.consequences is not None
    assert step.consequences.machines is not None
    steady = of(result, "H90")
    assert steady.worth_a_look
    assert steady.p_value < 0.01
    assert steady.estimate is not None
    assert steady.estimate.power_w.estimate == pytest.approx(1_200, rel=0.25)
    assert steady.families == (Family.LOAD,)
    assert steady.drawing is not None
    assert len(steady.drawing.day_start_s) == 70


def test_ranks_are_by_the_list_and_the_score(result: MetersResult) -> None:
    """Nobody below has a higher score than somebody above, but for the list."""
    rest = [row.score for row in result.rows if not row.listed and not math.isnan(row.score)]
    assert rest == sorted(rest, reverse=True)
    assert [row.listed for row in result.rows] == sorted((row.listed for row in result.rows), reverse=True)


def same(one: UsagePointResult, other: UsagePointResult) -> bool:
    """Equal in all parts, NaN included."""
    return repr(one) == repr(other)


@pytest.mark.parametrize("per_batch", [1, 7])
@pytest.mark.parametrize("threads", [1, 3])
def test_one_batch_equals_many(result: MetersResult, per_batch: int, threads: int) -> None:
    """Size of batches and number of threads change nothing."""
    other = run(population(), per_batch=per_batch, threads=threads)
    assert all(same(a, b) for a, b in zip(result.rows, other.rows, strict=True))


def test_row_order_is_harmless_and_inputs_stay(result: MetersResult) -> None:
    """The series come in another order, and nobody writes into them."""
    series = population()[::-1]
    before = [power.copy() for _, _, power in series]
    other = run(series)
    assert all(same(a, b) for a, b in zip(result.rows, other.rows, strict=True))
    for (_, _, power), copy in zip(series, before, strict=True):
        np.testing.assert_array_equal(power, copy)


def test_periods_have_rows_of_their_own() -> None:
    """70 days in periods of 28: two rows each, the second with the rest of 14 days, or three where half is reached."""
    series = [shop(f"S{k:02d}", k) for k in range(5)]
    cut = run(series, period_days=28)
    assert len(cut.rows) == 15
    spans = sorted({(row.started_ns // 10**9 - START_S, (row.ended_ns - row.started_ns) // (86_400 * 10**9))
                    for row in cut.rows})  # fmt: skip
    assert spans == [(0, 28), (28 * 86_400, 28), (56 * 86_400, 14)]
    whole = run(series, period_days=60)
    assert [(row.ended_ns - row.started_ns) // (86_400 * 10**9) for row in whole.rows] == [70] * 5
    assert whole.period_days == 60


def test_a_period_is_like_data_that_end_there() -> None:
    """The row of a period has the score of those readings alone: absolute, whatever else is in the run."""
    series = population()[:12]
    first = [(name, start, power[: 24 * 35]) for name, start, power in series]
    cut, alone = run(series, period_days=35), run(first)
    for name, start, _ in series:
        (row,) = (one for one in cut.rows if one.usage_point == name and one.started_ns == start * 10**9)
        assert row.score == of(alone, name).score


def test_nothing_to_look_at() -> None:
    """No usage point, no row, no promise."""
    empty = run([])
    assert list(empty.rows) == []
    assert (empty.answered, empty.expected_wrong) == (0, 0.0)


def transformer_with(bypass_w: float) -> tuple[list[Series], Knowledge]:
    """Six shops at a transformer; one leads a load past its meter at night."""
    members = [shop(f"S{k:02d}", k) for k in range(6)]
    total = np.sum([power for _, _, power in members], axis=0)
    night = (np.arange(total.size) % 24) < 7
    head = ("T1-head", START_S, (total * 1.01 + bypass_w * night).astype(np.float32))
    points = {
        name: UsagePoint(usage_point=name, transformer="T1", meter_class="1", source=ROW) for name, _, _ in members
    }
    known = knowledge(
        usage_points=points,
        transformers=(Transformer(transformer="T1", head_usage_point="T1-head", source=ROW),),
    )
    return [*members, head], known


def test_energy_that_passes_no_meter_is_found_at_the_transformer() -> None:
    """The balance has a row, with its own family and mode; the head meter is nobody's peer."""
    series, known = transformer_with(30_000.0)
    result = run(series, known=known)
    found = [row for row in result.rows if Family.BALANCE in row.families]
    assert found
    assert found[0].listed
    assert found[0].detector == "balance"
    assert found[0].p_value < 0.01
    assert found[0].estimate is not None
    assert found[0].estimate.power_w.estimate == pytest.approx(30_000, rel=0.3)
    quiet = run(*transformer_with(0.0)[:1], known=transformer_with(0.0)[1])
    assert not [row for row in quiet.rows if Family.BALANCE in row.families]
    assert not math.isnan(of(quiet, "T1-head").score)


@pytest.fixture(scope="module")
def traced() -> MetersResult:
    """A transformer at one of whose shops six tenths of the load pass no meter from the 20th day on."""
    series, known = transformer_with(0.0)
    name, start_s, power_w = series[2]
    shown = power_w * np.where(np.arange(power_w.size) >= 24 * 20, 0.4, 1.0)
    return run([*series[:2], (name, start_s, shown.astype(np.float32)), *series[3:]], known=known)


def test_what_reads_the_same_meters_is_averaged(traced: MetersResult) -> None:
    """Of a load and a balance the mean, as in a case, and never the product; each finding has its own number."""
    row = of(traced, "S02")
    balance = next(found for found in row.findings if found.family is Family.BALANCE)
    load = next(found for found in row.findings if found.detector == "likeness")
    assert balance.log10_e > 3.0
    assert row.log10_e == pytest.approx(math.log10((10**balance.log10_e + 10**load.log10_e) / 2))
    case = Case(
        case_id="C-1", pack_id="p", pack_version="1", pack_digest="0" * 64, site_id="S", site_kind="other", region="",
        organisation_id="", usage_points=("S02",), opened_ns=0, opened_by="a", stage=Stage.SCREENED, version=1,
        last_ns=0,
        findings=tuple(
            FindingRef(
                finding_id=found.detector, family=found.family, detector=found.detector, version="1", subject="S02",
                log10_e=found.log10_e, started_ns=0, ended_ns=1, sha256="0" * 64, mining=True,
            )
            for found in (balance, load)
        ),
    )  # fmt: skip
    assert row.log10_e == pytest.approx(joint_log10_e(case))


def test_a_balance_that_names_another_point_is_a_look(traced: MetersResult) -> None:
    """Counted only where it shows something, it would be chosen by its result."""
    for name in ("S00", "S01", "S03", "S04", "S05"):
        row = of(traced, name)
        load = next(found for found in row.findings if found.detector == "likeness")
        assert row.log10_e == pytest.approx(load.log10_e - math.log10(2)), name


def test_a_head_whose_balance_was_traced_says_so(traced: MetersResult) -> None:
    """It has no answer of its own, and its balance was drawn all the same."""
    head = of(traced, "T1-head")
    assert math.isnan(head.score)
    assert head.log10_e == -math.inf
    assert "traced to a point" in head.insufficient[0].missing


def test_several_looks_at_a_row_cost_as_many(traced: MetersResult) -> None:
    """The p-value is the smallest times their number."""
    row = of(traced, "S02")
    assert row.p_value == pytest.approx(2 * max(min(found.p_value for found in row.findings), LEAST_P))
    assert least_of([0.01, math.nan, 0.2, 0.03]) == pytest.approx(0.03)
    assert least_of([0.9, 0.9]) == 1.0
    assert math.isnan(least_of([math.nan]))


def test_what_describes_a_part_of_a_load_is_a_trait(result: MetersResult, traced: MetersResult) -> None:
    """Whatever speaks beside the whole load and what is measured apart from it is never weighed in a case."""
    seen = {found.detector for one in (result, traced) for row in one.rows for found in row.findings}
    assert seen - {"likeness", "homes", "balance"} <= TRAITS
    assert len(TRAITS & seen) >= 2


def test_a_transformer_without_its_points_says_so() -> None:
    """What the balance lacks stands in the row of its head meter."""
    series, known = transformer_with(0.0)
    result = run([one for one in series if one[0] != "S03"], known=known)
    row = of(result, "T1-head")
    assert math.isnan(row.score)
    assert "S03" in row.insufficient[0].missing


def with_sun(series: list[Series], known: Knowledge, plant_w: float) -> MetersResult:
    """The same with PV at S02, which its meter and the head's meter show as taken and as fed in."""
    hour = np.arange(series[0][2].size) % 24
    sun_w = (plant_w * np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0)).astype(np.float32)
    taken, back = [], []
    for name, start_s, power_w in series:
        net = power_w - sun_w if name in ("S02", "T1-head") else power_w
        taken.append((name, start_s, np.maximum(net, 0.0)))
        if name in ("S02", "T1-head"):
            back.append((name, start_s, np.maximum(-net, 0.0)))
    return MetersEngine(batches_of(taken), known, MetersOptions(), export_batches=batches_of(back)).run()


def test_a_balance_knows_what_is_fed_in() -> None:
    """With PV at a point an honest transformer still closes, and a bypass is still found at its size."""
    honest = with_sun(*transformer_with(0.0), 40_000.0)
    assert not [row for row in honest.rows if Family.BALANCE in row.families]
    assert not math.isnan(of(honest, "T1-head").score)
    found = [row for row in with_sun(*transformer_with(30_000.0), 40_000.0).rows if row.detector == "balance"]
    assert found
    assert found[0].listed
    assert found[0].estimate is not None
    assert found[0].estimate.power_w.estimate == pytest.approx(30_000, rel=0.3)


def test_a_transformer_that_mostly_feeds_back_is_not_balanced() -> None:
    """Its losses and errors are not those of a flow one way."""
    row = of(with_sun(*transformer_with(0.0), 2_000_000.0), "T1-head")
    assert math.isnan(row.score)
    assert "one way" in row.insufficient[0].missing


def test_a_head_that_is_its_own_point_is_refused() -> None:
    """A slip in a table of the grid must not accuse anybody."""
    series, known = transformer_with(0.0)
    slip = (Transformer(transformer="T1", head_usage_point="S03", source=ROW),)
    result = run(series, known=replace(known, transformers=slip))
    assert not [row for row in result.rows if Family.BALANCE in row.families]
    assert "one of its own points" in of(result, "S03").insufficient[0].missing


def test_a_list_claims_no_more_than_its_reference_can_show() -> None:
    """One rare shape among many points is worth a look: so few buildings cannot certify that it is not innocent."""
    series = [shop(f"S{k:02d}", k) for k in range(40)] + [shop("S90", 90, machine_w=40_000.0, since_day=30)]
    row = of(run(series), "S90")
    buildings = len(load_references()["commercial"].scores)
    assert row.p_value < 1 / (buildings + 1)
    assert row.worth_a_look
    assert not row.listed
    assert row.adjusted_rate == pytest.approx(41 / (buildings + 1), rel=0.01)


def test_a_p_value_has_a_score() -> None:
    """So that a balance stands beside loads: 0 at one of a hundred."""
    assert score_of_p(0.01) == pytest.approx(0.0)
    assert score_of_p(0.001) > score_of_p(0.002)
    assert math.isfinite(score_of_p(0.0))
