"""Count, mean and roughness of runs, against plain loops."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from headframe.kernels.load_rows import fold_rows


def folded(power: NDArray[np.float32], *lengths: int) -> tuple[list[int], list[float], list[float]]:
    n = len(lengths)
    present, mean, rough = np.zeros(n, np.int64), np.empty(n), np.empty(n)
    fold_rows(power, np.cumsum([0, *lengths]).astype(np.int64), present, mean, rough)
    return present.tolist(), mean.tolist(), rough.tolist()


def naive(run: list[float]) -> tuple[int, float, float]:
    """The definition, with lists."""
    known = [x for x in run if not math.isnan(x)]
    changes, within = [], []
    for at in range(0, len(run), 24):
        day = run[at : at + 24]
        there = [x for x in day if not math.isnan(x)]
        within += [(x - sum(there) / len(there)) ** 2 for x in there]
        changes += [(b - a) ** 2 for a, b in itertools.pairwise(day) if not math.isnan(a + b)]
    mean = sum(known) / len(known) if known else math.nan
    if not changes or sum(within) <= 0:
        return len(known), mean, math.nan
    return len(known), mean, math.sqrt((sum(changes) / len(changes)) / (sum(within) / len(within)))


values = st.one_of(st.just(math.nan), st.integers(0, 3_000).map(float))


@given(st.lists(st.lists(values, max_size=80), min_size=1, max_size=4))
def test_as_the_plain_loops(runs: list[list[float]]) -> None:
    """Any runs, with holes, empty ones among them."""
    power = np.array([x for run in runs for x in run], np.float32)
    present, mean, rough = folded(power, *map(len, runs))
    for k, run in enumerate(runs):
        count, average, roughness = naive(run)
        assert present[k] == count
        assert mean[k] == pytest.approx(average, nan_ok=True)
        assert rough[k] == pytest.approx(roughness, rel=1e-6, nan_ok=True)


def test_a_constant_load_changes_nothing() -> None:
    """Which is why it may say what kind of premises it is: a machine does not move it."""
    rng = np.random.default_rng(4)
    own = rng.gamma(2, 300, 24 * 60).astype(np.float32)
    with_machine = own + np.float32(1_500) * (np.arange(own.size) >= 24 * 20)
    (plain,), (changed,) = folded(own, own.size)[2], folded(with_machine.astype(np.float32), own.size)[2]
    assert changed == pytest.approx(plain, rel=1e-3)


@pytest.mark.parametrize("power", [[], [math.nan] * 30, [500.0] * 60, [1.0]])
def test_what_does_not_vary_has_no_roughness(power: list[float]) -> None:
    """Empty, missing, constant, a single reading."""
    (_,), (_,), (rough,) = folded(np.array(power, np.float32), len(power))
    assert math.isnan(rough)
