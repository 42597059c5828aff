"""Figures of a load's shape: each rule in plain numpy beside the kernel, and what meters do to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.kernels import load_shape
from headframe.kernels.load_shape import FIGURES, rank_of
from headframe.kernels.sort_columns import sort_columns

DAYS = 28
FLOOR_10, FLOOR_50 = 1, 3  # places of the floor's quantiles
NIGHT_SPREAD = 32


def naive_floor(x: np.ndarray, share: float) -> float:
    """The second lowest hour of each day over the mean; a quantile of days by the nearest rank."""
    days = sorted(sorted(day)[1] / np.mean(x) for day in x.reshape(-1, 24).tolist())
    return days[min(int(share * (len(days) - 1) + 0.5), len(days) - 1)]


def building(seed: int = 1, days: int = DAYS) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hour = np.arange(days * 24) % 24
    weekday = np.arange(days * 24) // 24 % 7 < 5
    work = np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None) * weekday
    return (8_000 + 9_000 * work * rng.uniform(0.8, 1.2, days).repeat(24) + rng.normal(0, 400, hour.size)).astype(
        np.float32
    )


def describe(x: np.ndarray, weekday: int = 0) -> tuple[int, np.ndarray]:
    """As Python, so that no test waits for the compiler."""
    f = np.full(FIGURES, 7.0)
    n = load_shape.describe.py_func(x.astype(np.float32), x.size // 24, weekday, f)
    return n, f


class TestSortRows:
    @given(st.integers(0, 70), st.integers(1, 30), st.integers(0, 99))
    @settings(max_examples=40, deadline=None)
    def test_it_sorts_each_column(self, n: int, m: int, seed: int) -> None:
        """Whatever the number of rows, also where it is no power of two."""
        a = np.random.default_rng(seed).integers(0, 20, (n + 2, m)).astype(np.float32)
        expected = a.copy()
        expected[:n] = np.sort(a[:n], axis=0)
        sort_columns(a, n, m)
        np.testing.assert_array_equal(a, expected)

    def test_plain_and_compiled_agree(self) -> None:
        a = np.random.default_rng(3).normal(size=(17, 5)).astype(np.float32)
        b = a.copy()
        sort_columns(a, 17, 5)
        sort_columns.py_func(b, 17, 5)
        np.testing.assert_array_equal(a, b)


def test_ranks_stay_inside() -> None:
    """The nearest rank, and never past the last entry."""
    assert [rank_of(n, q) for n, q in ((1, 0.9), (4, 0.5), (5, 0.5), (56, 1.0))] == [0, 2, 2, 55]


class TestDescribe:
    def test_the_floor_is_the_naive_one(self) -> None:
        x = building()
        _, f = describe(x)
        assert f[FLOOR_10] == pytest.approx(naive_floor(x, 0.1), rel=1e-5)
        assert f[FLOOR_50] == pytest.approx(naive_floor(x, 0.5), rel=1e-5)

    def test_every_figure_is_a_number(self) -> None:
        n, f = describe(building())
        assert 100 < n <= FIGURES
        assert np.isfinite(f[:n]).all()
        assert np.isnan(f[n:]).all()

    def test_size_alone_changes_only_the_noise_in_watts(self) -> None:
        """A building twice as large has the same shape; five figures compare its noise in watts."""
        _, a = describe(building())
        n, b = describe(building() * 2)
        differing = np.flatnonzero(~np.isclose(a[:n], b[:n], rtol=1e-2, atol=1e-3))
        assert differing.size <= 5

    def test_a_constant_machine_lifts_the_floor_and_adds_no_noise(self) -> None:
        _, before = describe(building())
        _, after = describe(building() + 8_000)
        assert after[FLOOR_10] > before[FLOOR_10] + 0.1
        assert after[NIGHT_SPREAD] < 0.7 * before[NIGHT_SPREAD]

    @pytest.mark.parametrize("days", [14, 15, 20, 33, 55, 56])
    def test_any_length_from_two_weeks(self, days: int) -> None:
        n, f = describe(building(days=days), weekday=3)
        assert np.isfinite(f[:n]).all()

    @pytest.mark.parametrize("value", [1e-6, 5.0, 1e9])
    def test_a_constant_load(self, value: float) -> None:
        n, f = describe(np.full(DAYS * 24, value))
        assert np.isfinite(f[:n]).all()
        assert f[FLOOR_10] == pytest.approx(1.0, rel=1e-4)

    def test_feed_in_and_spikes(self) -> None:
        x = building()
        x[::7] = -3_000
        x[5] = 1e9
        n, f = describe(x)
        assert np.isfinite(f[:n]).all()

    def test_up_to_a_quarter_may_be_missing(self) -> None:
        x = building()
        x[10:100] = np.nan
        x[-5:] = np.nan
        n, f = describe(x)
        assert np.isfinite(f[:n]).all()
        x[: x.size // 4 + 5] = np.nan
        n, f = describe(x)
        assert n == 0
        assert np.isnan(f).all()

    @pytest.mark.parametrize("x", [np.zeros(DAYS * 24), np.full(DAYS * 24, -1.0), np.full(DAYS * 24, np.nan)])
    def test_no_load_is_no_answer(self, x: np.ndarray) -> None:
        assert describe(x)[0] == 0


class TestPriceResponse:
    SHARES = np.array([0.6, 0.75, 0.87])

    def respond(self, x: np.ndarray, price: np.ndarray, price_start_s: int = 0) -> tuple[float, float]:
        effect, z = np.zeros(1), np.zeros(1)
        first, start = np.array([0, x.size]), np.array([0])
        load_shape.price_response(
            x.astype(np.float32), first, start, 0, price.astype(np.float32), price_start_s, 1344, self.SHARES, effect, z
        )
        return float(effect[0]), float(z[0])

    def price(self) -> np.ndarray:
        rng = np.random.default_rng(5)
        hour = np.arange(56 * 24) % 24
        return 20 + 8 * np.exp(-((hour - 18) ** 2) / 8) + 4 * rng.normal(size=56 * 4).repeat(6)

    def test_a_machine_that_rests_where_it_is_dear(self) -> None:
        """It is found, with its size; the same machine on another day's price is not."""
        price = self.price()
        x = building(days=56)
        on = price <= np.quantile(price, 0.75)
        effect, z = self.respond(x + 4_000 * on, price)
        assert z > 8
        assert effect * np.mean(x + 4_000 * on) == pytest.approx(4_000, rel=0.15)
        assert self.respond(x + 4_000 * np.roll(on, 24 * 9), price)[1] < 4

    def test_people_who_are_awake_when_it_is_dear(self) -> None:
        """A load that is high in the evening, as the price, does not answer to the price."""
        assert abs(self.respond(building(days=56), self.price())[1]) < 3.5

    @pytest.mark.parametrize("price", [np.zeros(0), np.full(1344, np.nan), np.full(1344, 5.0), np.arange(100.0)])
    def test_without_a_price_that_moves_there_is_no_answer(self, price: np.ndarray) -> None:
        assert np.isnan(self.respond(building(days=56), price)[1])

    def test_a_price_of_another_year(self) -> None:
        assert np.isnan(self.respond(building(days=56), self.price(), price_start_s=10**9)[1])


class TestWeekMeans:
    def test_the_naive_twin(self) -> None:
        """Weeks begin on Monday; a week with too few known hours is left out."""
        rng = np.random.default_rng(2)
        x = rng.uniform(1, 2, 24 * 40).astype(np.float32)
        x[rng.random(x.size) < 0.05] = np.nan
        start_s = 1_700_000_000 // 3600 * 3600
        first_week = (start_s - 4 * 86_400) // (7 * 86_400)
        means = np.full((1, 8), np.nan)
        load_shape.week_means(x, np.array([0, x.size]), np.array([start_s]), first_week, 126, means)
        for week in range(8):
            begin = (first_week + week) * 7 * 86_400 + 4 * 86_400
            t = start_s + 3600 * np.arange(x.size)
            part = x[(t >= begin) & (t < begin + 7 * 86_400) & ~np.isnan(x)]
            expected = part.mean() if part.size >= 126 else np.nan
            assert means[0, week] == pytest.approx(expected, rel=1e-5, nan_ok=True)
