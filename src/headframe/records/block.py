"""Blocks of a chain and when they were heard of: a clock that only those who follow the chain can know."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block, as one source heard of it.

    Attributes
    ----------
    chain : str
        Ticker symbol in upper case.
    height : int
    header_time_ns : int or None
        What its header says: chosen by whoever found it, and wrong by seconds to hours on most chains.
        [ns since 1970-01-01 UTC]
    arrival_time_ns : int or None
        When the source heard of it. [ns since 1970-01-01 UTC]
    clock_source : str
        Who says so: ``file blocks.csv``, ``bitcoind``, ``monerod``, ``pool pool.example:3333``, ``capture``.
    resolution_ns : int
        Step of the times: a source that writes whole seconds has 1,000,000,000. [ns]
    """

    chain: str
    height: int
    header_time_ns: int | None
    arrival_time_ns: int | None
    clock_source: str
    resolution_ns: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockClock:
    """Arrival times of one chain's blocks, and the stretches of time over which all of them are known.

    Attributes
    ----------
    chain : str
        Ticker symbol in upper case.
    arrival_ns : int64[n]
        Arrival of each block that lies inside a stretch of `covered`, ascending. [ns since 1970-01-01 UTC]
    heights : int64[n]
    resolution_ns : int
        The coarsest step of the times that were used: a block arrived somewhere in
        ``[arrival, arrival + resolution)``. [ns]
    covered : int64[m, 2]
        Stretches of time (start, end), ascending and disjoint, in which every block is in `arrival_ns`: from one
        block whose neighbours are known to the next that is not. The blocks that bound a stretch are not in it.
        [ns since 1970-01-01 UTC]
    sources : tuple of str
        Who said so.
    header_time : bool
        True where some of the times are header times, for want of anything better.
    community_ids : frozenset of str
        Conversations that the times were taken from; a clock says nothing about those.
    """

    chain: str
    arrival_ns: NDArray[np.int64]
    heights: NDArray[np.int64]
    resolution_ns: int
    covered: NDArray[np.int64]
    sources: tuple[str, ...]
    header_time: bool = False
    community_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What is known of a chain that is mined.

    Attributes
    ----------
    symbol, name : str
    family : str
        Whose interface its nodes speak: ``bitcoin``, ``monero``, ``ethereum`` or ``other``.
    spacing_s : float
        Mean time between blocks that the chain aims at. [s]
    proof_of_work_until_ns : int or None
        When mining ended; None where it goes on. [ns since 1970-01-01 UTC]
    resolvable : bool
        Whether its blocks are far enough apart for a push to be told from chance.
    remark : str
        Why not, or what to know; empty where there is nothing to say.
    merged_with : tuple of str
        Chains that the same work serves, whose blocks also make new jobs.
    source : str
        Where the figures are from.
    header_ahead_s : float or None
        How far a block's header time may lie ahead of the time at which it is accepted; None where nobody says. [s]
    """

    symbol: str
    name: str
    family: str
    spacing_s: float
    resolvable: bool
    source: str
    proof_of_work_until_ns: int | None = None
    remark: str = ""
    merged_with: tuple[str, ...] = ()
    header_ahead_s: float | None = None
