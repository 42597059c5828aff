"""`LoadBatch` out of readings that are sorted by usage point and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from headframe.records.reading import LoadBatch

BATCH_ROWS = 4_000_000
"""Readings in a batch, about. At 13 bytes a reading on disk and 60 while it is read, some 250 MB."""

ZERO_RUN_S = 6 * 3600
"""A run of exact zeros as long as this, in a load that otherwise is never 0, is missing data. [s]"""

STRAY_ZEROS = 0.005
"""Share of the other hours that may be 0 all the same. The store of the Cambridge buildings, which writes 0 for what
it does not have, has single missing hours too."""

T = TypeVar("T")


class Shape(NamedTuple):
    """What batches shall be like.

    Attributes
    ----------
    step_s : int
        [s]
    longest_s : int
        Readings longer than this stay out. [s]
    zeros_are_missing : bool
        Whether long runs of exact 0 in a load that otherwise is never 0 become NaN.
    """

    step_s: int
    longest_s: int
    zeros_are_missing: bool


class Columns(NamedTuple):
    """Readings of one usage point after the other.

    Attributes
    ----------
    start_s : int64[n], duration_s : int32[n]
        [s]
    value : float32[n] or float64[n]
        NaN where missing.
    scale : float
        What 1 in `value` is. [Wh or W]
    is_power : bool
        Whether values are mean powers, and not energies.
    """

    start_s: NDArray[np.int64]
    duration_s: NDArray[np.int32]
    value: NDArray[np.float32] | NDArray[np.float64]
    scale: float = 1.0
    is_power: bool = False


class Repeats(NamedTuple):
    """How many readings gave way to a later one of the same start, and how many of them said the same."""

    readings: int
    same: int


def cuts_of(rows: NDArray[np.int64], most_rows: int, most_points: int | None) -> list[tuple[int, int]]:
    """Neighbouring usage points to batches, by the number of their rows."""
    cuts, begin, sum_ = [], 0, 0
    for k, many in enumerate(rows.tolist()):
        if k > begin and (sum_ + many > most_rows or (most_points is not None and k - begin >= most_points)):
            cuts.append((begin, k))
            begin, sum_ = k, 0
        sum_ += many
    if len(rows) > begin:
        cuts.append((begin, len(rows)))
    return cuts


def ahead(jobs: Iterator[Callable[[], T]]) -> Iterator[T]:
    """Results in order, the next one under way in a thread while the caller is busy with this one."""
    with ThreadPoolExecutor(1, thread_name_prefix="lake") as pool:
        waiting: Future[T] | None = None
        for job in jobs:
            coming = pool.submit(job)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()


def to_batch(
    names: tuple[str, ...], first: NDArray[np.int64], columns: Columns, shape: Shape
) -> tuple[LoadBatch, Repeats]:
    """Steps of mean power.

    Parameters
    ----------
    names : tuple of str
    first : int64[n + 1]
        Where each usage point's readings begin.
    columns : Columns
        Each usage point's ascending by start.
    shape : Shape

    Returns
    -------
    (LoadBatch, Repeats)
    """
    from headframe.kernels.readings import drop_zero_runs, fill_steps, spans

    runs = len(first) - 1
    step_s = shape.step_s
    step_first, steps = np.zeros(runs, np.int64), np.zeros(runs, np.int64)
    spans(first, columns.start_s, columns.duration_s, step_s, step_first, steps)
    out_first = np.concatenate(([0], np.cumsum(steps))).astype(np.int64)
    power_w = np.empty(int(out_first[-1]), np.float32)
    covered = np.empty(int(steps.max(initial=0)), np.int32)
    repeated, same = fill_steps(
        first,
        columns.start_s,
        columns.duration_s,
        columns.value,
        columns.scale,
        columns.is_power,
        shape.longest_s,
        step_s,
        step_first,
        out_first,
        power_w,
        covered,
    )
    if shape.zeros_are_missing:
        drop_zero_runs(out_first, power_w, max(1, -(-ZERO_RUN_S // step_s)), STRAY_ZEROS)
    batch = LoadBatch(usage_points=names, first=out_first, start_s=step_first * step_s, step_s=step_s, power_w=power_w)
    return batch, Repeats(repeated, same)
