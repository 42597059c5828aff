"""Batches on their way: nothing is lost in cutting, and the order of results is that of the batches."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from headframe.engines.load_batches import cut, in_threads, joined, rows_of
from headframe.records.reading import LoadBatch

START_S = 1_640_995_200


def batch_of(*lengths: int, seed: int = 1) -> LoadBatch:
    """Runs of these many hours, some of them missing."""
    rng = np.random.default_rng(seed)
    power = rng.uniform(100, 900, sum(lengths)).astype(np.float32)
    power[rng.random(power.size) < 0.05] = math.nan
    return LoadBatch(
        usage_points=tuple(f"P{k}" for k in range(len(lengths))),
        first=np.cumsum([0, *lengths]),
        start_s=START_S + 3600 * np.arange(len(lengths), dtype=np.int64) * 5,
        step_s=3600,
        power_w=power,
    )


def naive_cut(length: int, steps: int) -> list[int]:
    """Lengths of the periods of one run, step by step."""
    pieces = []
    while length >= steps:
        pieces.append(steps)
        length -= steps
    if not pieces:
        return [length]
    if 2 * length >= steps:
        pieces.append(length)
    else:
        pieces[-1] += length
    return pieces


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6), st.integers(1, 9))
def test_periods_are_those_of_the_plain_loop(lengths: list[int], days: int) -> None:
    """Each run is cut from its own first hour on, and no reading is left out."""
    batch = batch_of(*lengths)
    made = cut(batch, days)
    expected = [(k, piece) for k, length in enumerate(lengths) for piece in naive_cut(length, 24 * days)]
    assert list(made.usage_points) == [f"P{k}" for k, _ in expected]
    assert np.diff(made.first).tolist() == [piece for _, piece in expected]
    assert made.power_w is batch.power_w
    at = dict.fromkeys(range(len(lengths)), 0)
    for row, (k, piece) in enumerate(expected):
        assert made.start_s[row] == batch.start_s[k] + 3600 * at[k]
        at[k] += piece


def test_without_a_period_runs_stay_whole() -> None:
    """The very same batch."""
    batch = batch_of(30, 40)
    assert cut(batch, None) is batch


def test_rows_count_what_is_there() -> None:
    """Hours and known hours of each run, an empty one among them."""
    batch = batch_of(50, 0, 70)
    rows = rows_of(batch)
    assert rows.usage_points == ["P0", "P1", "P2"]
    assert rows.hours.tolist() == [50, 0, 70]
    assert math.isnan(rows.mean_w[1])
    assert math.isnan(rows.roughness[1])
    known = [int(np.isfinite(batch.power_w[a:b]).sum()) for a, b in ((0, 50), (50, 50), (50, 120))]
    assert rows.present.tolist() == known


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_batches(threads: int) -> None:
    """Whatever the number of threads; and no more batches are taken than are worked on, and one ahead."""
    taken: list[int] = []
    given_out: list[int] = []

    def batches() -> Iterator[LoadBatch]:
        for k in range(20):
            taken.append(k)
            assert len(taken) - len(given_out) <= threads + 2
            yield batch_of(10 + k, seed=k)

    for size in in_threads(batches(), lambda batch: int(batch.power_w.size), threads):
        given_out.append(size)
    assert given_out == [10 + k for k in range(20)]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_fault_in_a_worker_comes_out(threads: int) -> None:
    """And ends the reading."""

    def work(batch: LoadBatch) -> int:
        if batch.power_w.size == 12:
            raise ValueError("no")
        return 0

    with pytest.raises(ValueError, match="no"):
        list(in_threads((batch_of(10 + k) for k in range(9)), work, threads))


def test_measures_are_joined_by_name() -> None:
    """The kind of tuple stays."""

    class Sizes(NamedTuple):
        hours: NDArray[np.int64]
        present: NDArray[np.int64]

    one = rows_of(batch_of(5, 6))
    made = joined([Sizes(one.hours, one.present), Sizes(one.hours + 1, one.present)])
    assert isinstance(made, Sizes)
    assert made.hours.tolist() == [5, 6, 6, 7]
