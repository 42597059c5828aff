"""The score of a load's shape: absolute, no matter what else is in the batch, and not upset by what meters do."""

from collections.abc import Sequence

import numpy as np
import pytest

from headframe.detectors.power import flat_load, likeness, off_hours, peer_ratio, price_follow, shape_net
from headframe.kernels.load_shape import FIGURES, describe
from headframe.kernels.shape_net import judge
from headframe.records.reading import HourlySeries, LoadBatch, LocalClock, Surroundings

MONDAY_S = 1_700_438_400  # 2023-11-20
CLOCK = LocalClock(
    zone="UTC", from_s=np.zeros(1, np.int64), offset_s=np.zeros(1, np.int32), holidays=np.zeros(0, np.int32)
)
PLAIN = Surroundings(clock=CLOCK)
HOUR = np.arange(56 * 24)


def batch_of(loads: Sequence[np.ndarray], start_s: int = MONDAY_S) -> LoadBatch:
    sizes = np.array([x.size for x in loads], np.int64)
    return LoadBatch(
        usage_points=tuple(f"p{k}" for k in range(len(loads))),
        first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        start_s=np.full(len(loads), start_s, np.int64),
        step_s=3600,
        power_w=np.concatenate([*loads, np.zeros(0)]).astype(np.float32),
    )


def scores(*loads: np.ndarray, surroundings: Surroundings = PLAIN) -> np.ndarray:
    return likeness.score(likeness.measure(batch_of(loads), surroundings))


def building(seed: int = 1, days: int = 56) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hour = np.arange(days * 24) % 24
    work = np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None) * (np.arange(days * 24) // 24 % 7 < 5)
    return 8_000 + 9_000 * work * rng.uniform(0.8, 1.2, days).repeat(24) + rng.normal(0, 500, hour.size)


MACHINES = {
    "step": HOUR > 700,
    "curtailed": (HOUR % 24 - 17) % 24 >= 4,
    "night_only": (HOUR % 24 - 22) % 24 < 8,
}


class TestScore:
    @pytest.mark.parametrize("mode", list(MACHINES))
    def test_machines_raise_it(self, mode: str) -> None:
        """More so the larger they are beside the building."""
        none, small, large = scores(*(building() + share * 10_000 * MACHINES[mode] for share in (0, 0.3, 0.8)))
        assert none < 0
        assert none + 1 < small < large

    def test_it_depends_on_nothing_else_in_the_batch(self) -> None:
        x = building() + 4_000 * MACHINES["step"]
        alone = scores(x)
        among = scores(building(2), x, building(3))
        assert alone[0] == among[1]

    def test_it_does_not_depend_on_how_many_kilowatts_that_are(self) -> None:
        """Noise in watts is compared with the level; nothing else may know the size."""
        x = building() + 6_000 * MACHINES["step"]
        a, b = scores(x, x * 3)
        assert abs(a - b) < 1.5

    def test_longer_data_are_scored_by_the_period_that_stands_out(self) -> None:
        """The highest of two is high by chance: the logarithm of their number is taken off."""
        quiet, loud = building(5), building() + 6_000 * MACHINES["step"]
        whole, part, other = scores(np.concatenate([loud, quiet]), loud, quiet)
        assert whole == pytest.approx(max(part, other) - np.log(2))

    @pytest.mark.parametrize(
        "x",
        [
            np.zeros(0),
            building()[: 13 * 24],
            np.zeros(1344),
            np.full(1344, np.nan),
            np.where(HOUR < 400, np.nan, building()),
            np.where(HOUR < 400, 0.0, building()),
        ],
        ids=["empty", "13 days", "zeros", "missing", "a third missing", "a third stored as zero"],
    )
    def test_insufficient(self, x: np.ndarray) -> None:
        """NaN, never a score of nothing; and the neighbours keep theirs."""
        found = scores(building(), x, building())
        assert np.isnan(found[1])
        assert found[0] == found[2]

    def test_hours_are_needed(self) -> None:
        batch = batch_of([building()])
        half = LoadBatch(
            usage_points=batch.usage_points,
            first=batch.first,
            start_s=batch.start_s,
            step_s=1800,
            power_w=batch.power_w,
        )
        with pytest.raises(ValueError, match="1800"):
            likeness.measure(half, PLAIN)

    def test_an_empty_batch(self) -> None:
        assert scores().shape == (0,)

    def test_days_begin_where_the_clock_says(self) -> None:
        """The same load with other hours in front, and told in another zone, is the same load."""
        east = LocalClock(
            zone="x", from_s=np.zeros(1, np.int64), offset_s=np.full(1, 7_200, np.int32), holidays=np.zeros(0, np.int32)
        )
        x = building() + 4_000 * MACHINES["curtailed"]
        here = likeness.measure(batch_of([x]), PLAIN)
        there = likeness.measure(batch_of([x], MONDAY_S - 7_200), Surroundings(clock=east))
        assert likeness.score(here) == likeness.score(there)


def test_the_model_fits_the_kernel() -> None:
    """The shipped model was fitted on as many figures as the kernel gives: a new figure needs a new model."""
    trees, networks = likeness.model()
    f = np.empty(FIGURES)
    n = describe.py_func(building(days=14).astype(np.float32), 14, 0, f)
    assert networks.centre.size == networks.factor.size == networks.weight.shape[0] == n
    assert trees.feature.max() < n
    inner = trees.feature >= 0
    at = np.flatnonzero(inner)
    assert (trees.left[inner] > at).all(), "a walk always ends"
    assert (trees.right[inner] > at).all()


def naive_log_odds(figures: np.ndarray) -> float:
    """Trees and networks one by one."""
    trees, networks = likeness.model()
    total = 0.0
    for root in trees.roots:
        k = int(root)
        while trees.feature[k] >= 0:
            k = int(trees.left[k] if figures[trees.feature[k]] <= trees.threshold[k] else trees.right[k])
        total += float(trees.value[k])
    z = np.clip((np.sign(figures) * np.log1p(20 * np.abs(figures)) - networks.centre) * networks.factor, -4, 4)
    hidden = np.maximum(z @ networks.weight + networks.bias, 0)
    return 0.6 * total + 0.4 * float(hidden @ networks.output + networks.constant[0])


def test_the_naive_twin() -> None:
    x = building() + 4_000 * MACHINES["curtailed"]
    f = np.empty(FIGURES)
    n = describe.py_func(x.astype(np.float32), 56, 0, f)
    by_figures = naive_log_odds(f[:n])
    assert by_figures > 0.9, "the network of shape_net is asked"
    seen = judge(x.astype(np.float32), 56, shape_net.shipped())
    assert scores(x)[0] == pytest.approx(by_figures + 0.5 * (seen + 0.58), abs=0.02)


def test_an_ordinary_building_is_judged_by_its_figures_alone() -> None:
    x = building()
    f = np.empty(FIGURES)
    n = describe.py_func(x.astype(np.float32), 56, 0, f)
    assert naive_log_odds(f[:n]) < 0.9
    assert scores(x)[0] == pytest.approx(naive_log_odds(f[:n]), abs=0.02)


class TestPrice:
    def with_price(self) -> tuple[Surroundings, np.ndarray]:
        rng = np.random.default_rng(5)
        price = 20 + 8 * np.exp(-((HOUR % 24 - 18) ** 2) / 8) + 4 * rng.normal(size=56 * 4).repeat(6)
        series = HourlySeries(start_s=MONDAY_S, step_s=3600, values=price.astype(np.float32))
        return Surroundings(clock=CLOCK, price_per_kwh=series), price

    def test_a_follower_gains_and_nobody_loses(self) -> None:
        surroundings, price = self.with_price()
        x = building() + 4_000 * (price < np.quantile(price, 0.8))
        with_price, without = scores(building(), x, surroundings=surroundings), scores(building(), x)
        assert with_price[1] > without[1] + 1
        assert with_price[0] >= without[0]

    def test_price_follow_says_what_it_saw(self) -> None:
        surroundings, price = self.with_price()
        found = price_follow.measure(
            batch_of([building(), building() + 4_000 * (price < np.quantile(price, 0.8))]), surroundings
        )
        assert price_follow.score(found)[1] > 5
        assert "standard errors" in price_follow.explain(found, 1)
        assert price_follow.explain(found, 0) == ""

    def test_without_a_price_there_is_no_answer(self) -> None:
        assert np.isnan(price_follow.score(price_follow.measure(batch_of([building()]), PLAIN))).all()


def test_flat_load() -> None:
    """A constant has 1; a machine that runs day and night raises it; the words have the figures."""
    found = flat_load.measure(batch_of([building(), building() + 8_000, np.full(1344, 5.0)]), PLAIN)
    a, b, c = flat_load.score(found)
    assert a < b < c
    assert c == pytest.approx(1, abs=0.01)
    assert "100%" in flat_load.explain(found, 2)


def test_off_hours() -> None:
    """A machine that runs at night steps at fixed hours on all days; a building alone does not."""
    found = off_hours.measure(batch_of([building(), building() + 5_000 * MACHINES["night_only"]]), PLAIN)
    a, b = off_hours.score(found)
    assert a < 0.03
    assert b > 0.2
    assert off_hours.explain(found, 0) == ""
    assert "steps up" in off_hours.explain(found, 1)


class TestPeerRatio:
    def peers(self) -> list[np.ndarray]:
        season = np.repeat(np.array([1, 1.2, 1.5, 1.1, 0.9, 1.3, 1.4, 1.6]), 168)
        return [building(k) * season for k in range(12)]

    def test_a_rise_that_peers_do_not_share(self) -> None:
        """The season moves all of them and is no rise; a machine moves one."""
        loads = self.peers()
        loads[3] = loads[3] + 6_000 * (HOUR >= 4 * 168)
        found = peer_ratio.measure(batch_of(loads), np.zeros(12, np.int64))
        z = peer_ratio.score(found)
        assert int(np.nanargmax(z)) == 3
        assert z[3] > 5 * np.nanmedian(z)
        assert found.week_s[3] == MONDAY_S + 4 * 7 * 86_400

    def test_too_few_peers(self) -> None:
        found = peer_ratio.measure(batch_of(self.peers()[:5]), np.zeros(5, np.int64))
        assert np.isnan(found.z).all()
        assert peer_ratio.explain(found, 0) == ""

    def test_nobody_is_compared_with_minus_one(self) -> None:
        groups = np.zeros(12, np.int64)
        groups[2] = -1
        assert np.isnan(peer_ratio.measure(batch_of(self.peers()), groups).z[2])

    def test_groups_for_each_point(self) -> None:
        with pytest.raises(ValueError, match="groups"):
            peer_ratio.measure(batch_of([building()]), np.zeros(2, np.int64))
