"""Blocks of one chain as one source heard of them, as columns: what files and stores hold, and clocks are made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headframe.errors import HeadframeError
from headframe.records.block import Block

NO_TIME = np.iinfo(np.int64).min
"""Stands where a source has no such time for a block. [ns since 1970-01-01 UTC]"""

NS_PER_S = 1_000_000_000


class BadClock(HeadframeError, ValueError):
    """Block times that no clock can be made of; the message says what came, what would be right, what to do next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSeries:
    """Blocks of one chain by one source.

    Attributes
    ----------
    chain : str
        Ticker symbol in upper case.
    clock_source : str
        Who says so, as in `Block`.
    heights : int64[n]
        Ascending; each height once.
    arrival_ns : int64[n]
        `NO_TIME` where the source has none. [ns since 1970-01-01 UTC]
    header_ns : int64[n]
        What the headers say; `NO_TIME` where the source has none. [ns since 1970-01-01 UTC]
    resolution_ns : int
        Step of the arrival times; of the header times where there is no arrival time at all. [ns]
    """

    chain: str
    clock_source: str
    heights: NDArray[np.int64]
    arrival_ns: NDArray[np.int64]
    header_ns: NDArray[np.int64]
    resolution_ns: int

    def blocks(self) -> Iterator[Block]:
        """The same, one record per block."""
        for height, arrival, header in zip(
            self.heights.tolist(), self.arrival_ns.tolist(), self.header_ns.tolist(), strict=True
        ):
            yield Block(
                chain=self.chain,
                height=height,
                header_time_ns=None if header == NO_TIME else header,
                arrival_time_ns=None if arrival == NO_TIME else arrival,
                clock_source=self.clock_source,
                resolution_ns=self.resolution_ns,
            )


def series_of(blocks: Iterable[Block]) -> list[BlockSeries]:
    """Columns of many blocks, for what comes one by one from a node or a capture.

    Parameters
    ----------
    blocks : iterable of Block
        Of any chains and sources, in any order. Of several times of one height the earliest is kept.

    Returns
    -------
    list of BlockSeries
        One per chain, source and resolution, in the order in which they first came.
    """
    groups: dict[tuple[str, str, int], list[Block]] = {}
    for block in blocks:
        groups.setdefault((block.chain, block.clock_source, block.resolution_ns), []).append(block)
    found = []
    for (chain, source, resolution_ns), group in groups.items():
        heights = np.array([block.height for block in group], dtype=np.int64)
        arrival_ns = np.array(
            [NO_TIME if block.arrival_time_ns is None else block.arrival_time_ns for block in group], dtype=np.int64
        )
        header_ns = np.array(
            [NO_TIME if block.header_time_ns is None else block.header_time_ns for block in group], dtype=np.int64
        )
        kept = earliest_of_each_height(heights, arrival_ns, header_ns)
        found.append(
            BlockSeries(
                chain=chain,
                clock_source=source,
                heights=heights[kept],
                arrival_ns=arrival_ns[kept],
                header_ns=header_ns[kept],
                resolution_ns=resolution_ns,
            )
        )
    return found


def earliest_of_each_height(
    heights: NDArray[np.int64], arrival_ns: NDArray[np.int64], header_ns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Which rows to keep so that each height is there once, with the earliest time it has.

    A height that was heard of twice was replaced by another block of the same height (a reorganisation). Miners got
    a new job at the first of them, and mostly none worth speaking of at the second.

    Parameters
    ----------
    heights, arrival_ns, header_ns : int64[n]
        In any order; `NO_TIME` where there is no time.

    Returns
    -------
    int64[k]
        Places of the rows to keep, in ascending order of height.
    """
    latest = np.iinfo(np.int64).max
    arrival = np.where(arrival_ns == NO_TIME, latest, arrival_ns)
    header = np.where(header_ns == NO_TIME, latest, header_ns)
    order = np.lexsort((header, arrival, heights))
    ordered = heights[order]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return order[first].astype(np.int64)


def step_ns(times_ns: NDArray[np.int64]) -> int:
    """Coarsest power of ten that all times are multiples of, from a second down to a nanosecond.

    Few times may look coarser than they are. That is the harmless side: a clock with a coarse step claims less.

    Parameters
    ----------
    times_ns : int64[n]
        `NO_TIME` is passed over.

    Returns
    -------
    int
        1,000,000,000 for whole seconds, or for no time at all; 1 for nanoseconds. [ns]

    Examples
    --------
    >>> step_ns(np.array([1_603_311_580_000_000_000])), step_ns(np.array([1_603_311_580_250_000_000]))
    (1000000000, 10000000)
    """
    known = times_ns[times_ns != NO_TIME]
    step = NS_PER_S
    while step > 1 and np.any(known % step):
        step //= 10
    return step
