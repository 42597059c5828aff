"""Batches of load on their way to the detectors: cut into periods, counted, measured in threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from headframe.records.reading import LoadBatch

DAY_S = 86_400
T = TypeVar("T")
M = TypeVar("M", bound=tuple[NDArray[np.generic], ...])


Batches = Callable[[Collection[str] | None], Iterator[LoadBatch]]
"""Where the series come from: hourly load of all usage points (None), or of the named ones. Each point comes in one
batch only. It may be asked again, and then gives the same."""


class Rows(NamedTuple):
    """One row for each usage point and period, as arrays: [n] each.

    `start_s` is the first interval of the row, `hours` its length, `present` how many of them are known, `mean_w` their
    mean [W], and `roughness` as in `headframe.kernels.load_rows`.
    """

    usage_points: list[str]
    start_s: NDArray[np.int64]
    hours: NDArray[np.int64]
    present: NDArray[np.int64]
    mean_w: NDArray[np.float64]
    roughness: NDArray[np.float64]


NO_ROWS = Rows([], np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


def cut(batch: LoadBatch, period_days: int | None) -> LoadBatch:
    """The same readings with each run cut into periods, from its own first interval on.

    A rest shorter than half a period belongs to the period before; a longer one is a row of its own. No reading is
    left out.

    Parameters
    ----------
    batch : LoadBatch
    period_days : int or None
        None leaves runs whole. [days]

    Returns
    -------
    LoadBatch
        Its usage points are named once for each period.
    """
    if period_days is None:
        return batch
    steps = max(period_days * DAY_S // batch.step_s, 1)
    length = np.diff(batch.first)
    whole, rest = np.divmod(length, steps)
    pieces = np.maximum(whole + (2 * rest >= steps), 1)
    run = np.repeat(np.arange(length.size), pieces)
    of_run = np.arange(run.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begin = of_run * steps
    first = np.append(batch.first[run] + begin, batch.first[-1]).astype(np.int64)
    return LoadBatch(
        usage_points=tuple(batch.usage_points[k] for k in run.tolist()),
        first=first,
        start_s=(batch.start_s[run] + begin * batch.step_s).astype(np.int64),
        step_s=batch.step_s,
        power_w=batch.power_w,
    )


def rows_of(batch: LoadBatch) -> Rows:
    """What a batch's runs are, without their series."""
    from headframe.kernels.load_rows import fold_rows

    n = len(batch.usage_points)
    present, mean_w, roughness = np.zeros(n, np.int64), np.empty(n), np.empty(n)
    fold_rows(np.ascontiguousarray(batch.power_w, np.float32), batch.first, present, mean_w, roughness)
    hours = np.diff(batch.first) * batch.step_s // 3600
    return Rows(list(batch.usage_points), batch.start_s, hours, present, mean_w, roughness)


def joined_rows(parts: Sequence[Rows]) -> Rows:
    """Rows of several batches as those of one."""
    if not parts:
        return NO_ROWS
    names = [name for part in parts for name in part.usage_points]
    return Rows(names, *(np.concatenate([part[k] for part in parts]) for k in range(1, len(Rows._fields))))


def in_threads(batches: Iterator[LoadBatch], work: Callable[[LoadBatch], T], threads: int | None = None) -> Iterator[T]:
    """Results of `work` on each batch, in the order of the batches, with a bounded number of them at hand.

    This thread reads ahead while workers measure; kernels release the interpreter's lock.
    """
    workers = threads or len(os.sched_getaffinity(0))
    if workers == 1:
        for batch in batches:
            yield work(batch)
        return
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            for batch in batches:
                waiting.append(pool.submit(work, batch))
                del batch
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def joined(parts: Sequence[M]) -> M:
    """Measures of several batches, named tuples of arrays, as those of one."""
    return type(parts[0])(*(np.concatenate([part[k] for part in parts]) for k in range(len(parts[0]))))


def one_row(measures: M, at: int) -> M:
    """Measures of one row, as those of a batch that has nothing else."""
    return type(measures)(*(part[at : at + 1] for part in measures))


def runs(batch: LoadBatch) -> Iterator[tuple[str, int, NDArray[np.float32]]]:
    """Name, start [s since 1970-01-01 UTC] and power [W] of each run."""
    for k, name in enumerate(batch.usage_points):
        yield name, int(batch.start_s[k]), batch.power_w[batch.first[k] : batch.first[k + 1]]


def merged(batches: Sequence[LoadBatch]) -> LoadBatch:
    """Several batches, of which there must be one, as one."""
    sizes = np.concatenate([np.diff(batch.first) for batch in batches])
    return LoadBatch(
        usage_points=tuple(name for batch in batches for name in batch.usage_points),
        first=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        start_s=np.concatenate([batch.start_s for batch in batches]),
        step_s=batches[0].step_s,
        power_w=np.concatenate([batch.power_w for batch in batches]),
    )
