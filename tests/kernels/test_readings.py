"""Lengths of intervals, and hours out of readings, against plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.kernels import readings as kernels


def naive_hours(rows, step):
    """Mean power of each step, reading by reading and second by second in effect; `rows` of one point."""
    touched = [start + length - 1 for start, length, _ in rows]
    rows = {start: (length, value) for start, length, value in rows}  # the last of a start counts
    energy, seconds = {}, {}
    for start, (length, value) in rows.items():
        if math.isnan(value):
            continue
        at = start
        while at < start + length:
            j = at // step
            part = min(start + length, (j + 1) * step) - at
            energy[j] = energy.get(j, 0.0) + value * part / length
            seconds[j] = seconds.get(j, 0) + part
            at += part
    if not rows:
        return []
    low = min(start for start in rows) // step
    high = max(touched) // step
    return [
        energy[j] * 3600 / seconds[j] if seconds.get(j, 0) >= int(0.99 * step) else math.nan
        for j in range(low, high + 1)
    ]


def hours(runs, step=3600, **how):
    first = np.concatenate(([0], np.cumsum([len(r) for r in runs]))).astype(np.int64)
    flat = [row for run in runs for row in run]
    start = np.array([r[0] for r in flat], np.int64)
    length = np.array([r[1] for r in flat], np.int32)
    value = np.array([r[2] for r in flat], np.float32)
    step_first, steps = np.zeros(len(runs), np.int64), np.zeros(len(runs), np.int64)
    kernels.spans(first, start, length, step, step_first, steps)
    out_first = np.concatenate(([0], np.cumsum(steps))).astype(np.int64)
    power = np.empty(out_first[-1], np.float32)
    covered = np.empty(int(steps.max(initial=0)), np.int32)
    kernels.fill_steps(
        first, start, length, value, how.get("scale", 1.0), how.get("is_power", False), how.get("longest_s", 10**9),
        step, step_first, out_first, power, covered,
    )  # fmt: skip
    return [power[out_first[k] : out_first[k + 1]].tolist() for k in range(len(runs))]


RUN = st.lists(
    st.tuples(
        st.integers(0, 400).map(lambda k: 1_577_836_800 + 900 * k),
        st.sampled_from([900, 1800, 3600, 7200, 5000]),
        st.sampled_from([0.0, 1.0, 250.0, float("nan")]),
    ),
    max_size=25,
).map(lambda rows: sorted(rows, key=lambda r: r[0]))


@given(st.lists(RUN, min_size=1, max_size=4))
def test_hours_are_those_of_the_naive_loop(runs):
    """Any mixture of lengths, overlaps, repetitions, gaps and missing values."""
    for got, run in zip(hours(runs), runs, strict=True):
        assert got == pytest.approx(naive_hours(run, 3600), rel=1e-5, nan_ok=True)


def test_scale_power_and_longest():
    """kWh by the scale; watts as they are; what is too long stays out."""
    assert hours([[(0, 1800, 1.0), (1800, 1800, 2.0)]], scale=1000.0) == [[3000.0]]
    assert hours([[(0, 1800, 100.0), (1800, 1800, 200.0)]], is_power=True) == [[150.0]]
    assert np.isnan(hours([[(0, 7200, 5.0)]], longest_s=3600)[0]).all()
    assert hours([[]]) == [[]]


def lengths(runs, at_end=False, fallback=0):
    first = np.concatenate(([0], np.cumsum([len(r) for r in runs]))).astype(np.int64)
    start = np.array([t for run in runs for t in run], np.int64)
    out = np.full(len(start), -1, np.int32)
    kernels.infer_lengths(first, start, at_end, fallback, out)
    return [out[first[k] : first[k + 1]].tolist() for k in range(len(runs))]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([0, 1800, 3600, 9000], [1800] * 4),  # a gap is no long interval
        ([0, 1800, 1800, 3600], [1800] * 4),  # a repetition
        ([0, 3600, 5400, 9000], [3600, 1800, 3600, 3600]),  # never into the next one
        ([0], [0]),
        ([], []),
        ([5, 5], [0, 0]),
        (
            [3600 * k for k in range(40)] + [3600 * 39 + 1800 * k for k in range(1, 31)],
            [3600] * 39 + [1800] * 30 + [3600],
        ),
    ],
)
def test_lengths(times, expected):
    """Gap, repetition, overlap, one reading, none, and a meter that went from hours to half hours."""
    assert lengths([times])[0][: len(expected) - 1] == expected[:-1]
    assert lengths([times, [0, 900, 1800]])[1] == [900] * 3
    assert lengths([times], fallback=60)[0].count(0) == 0


def test_lengths_of_ends():
    """Named by its end, an interval reaches back to the end before it."""
    assert lengths([[1800, 3600, 9000, 10800]], at_end=True) == [[1800] * 4]
    assert lengths([[3600, 5400, 9000, 12600]], at_end=True) == [[3600, 1800, 3600, 3600]]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=300))
def test_the_usual_length_is_a_most_frequent_one_of_few(steps):
    """With no more than sixteen different ways to the next reading the count is exact."""
    steps = [step % 16 + 1 for step in steps]
    times = np.concatenate(([0], np.cumsum(steps))).astype(np.int64)
    usual = kernels.usual_length(times, 0, len(times))
    most = max(steps.count(step) for step in steps)
    assert usual == min(step for step in steps if steps.count(step) == most)


def test_zero_runs():
    """Long runs of zeros go, in a load that is otherwise never 0; a load that is often 0 keeps them."""
    steady = np.array([5.0] * 400 + [0.0] * 6 + [5.0] * 100, np.float32)
    often = np.array([5.0, 0.0] * 100 + [0.0] * 20, np.float32)
    nothing = np.zeros(30, np.float32)
    first = np.cumsum([0, len(steady), len(often), len(nothing)]).astype(np.int64)
    power = np.concatenate((steady, often, nothing))
    assert kernels.drop_zero_runs(first, power, 6, 0.005) == 6
    assert np.isnan(power[400:406]).all()
    assert not np.isnan(power[406:]).any()
    assert kernels.drop_zero_runs(np.zeros(1, np.int64), power[:0], 6, 0.005) == 0


def test_ascends():
    """Within runs, not across them."""
    first = np.array([0, 2, 2, 4], np.int64)
    assert kernels.ascends(first, np.array([5, 6, 1, 1], np.int64))
    assert not kernels.ascends(first, np.array([5, 6, 2, 1], np.int64))
