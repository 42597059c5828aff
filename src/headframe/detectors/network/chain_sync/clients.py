"""Who follows the chain: told by what the client sends, since every follower hears of blocks at the same time.

A miner hands in shares: small messages of one size, at random times, and keepalives of another size between them. A
node passes on what it hears and sends messages of all sizes. A wallet, or software that polls for work, asks before it
is told. A page or a ticker listens.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.network.chain_sync.evidence import Subject

_SECOND = 1_000_000_000

LOGIN_S = 5.0
"""What a client sends in the first seconds of a conversation introduces it and is no share. [s]"""
FEWEST_MESSAGES = 3
"""Fewer messages than this after the introduction tell nothing of the client."""
KEEPALIVE_SPREAD = 0.15
"""Intervals whose standard deviation is below this part of their mean are a timer's; shares come at random, with
intervals as spread as long (1.0)."""
UNASKED_PER_BLOCK = 0.5
"""With fewer unasked bursts of the server for each block, the client asks and is not told: a wallet has none, and all
miners that were simulated have three and more, whatever they hide behind (docs/detectors/chain_sync_power.md)."""
BLOCK_BYTES = 1000
"""A client's burst of this size carries blocks or transactions, not a share (180 to 400 bytes, also inside TLS)."""
COMMONEST_SHARE = 0.8
"""Part of the messages that have one of the three commonest sizes, below which a client says many things. A slow miner
sends as many keepalives as shares; shares of Equihash, with a solution of 1,344 bytes, are cut in two where a packet is
lost."""
SIZE_STEP = 0.05
"""Sizes that differ by less than this part count as one."""
SIZE_SPREAD = 0.5
"""Interquartile range of a client's message sizes, as part of their median, above which it says many things."""


class Client(StrEnum):
    """What follows a chain."""

    MINER = "miner"
    NODE = "node"
    POLLER = "poller"
    LISTENER = "listener"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a client is, and why."""

    client: Client
    reason: str


def judge_client(subject: Subject, server_sign: int, blocks: int) -> Judgement:
    """Tell a miner from others who follow a chain.

    Parameters
    ----------
    subject : Subject
    server_sign : int
        -1 where the responder pushes, 1 where the originator does.
    blocks : int
        Blocks of the chain while the subject was watched.

    Returns
    -------
    Judgement
    """
    mine = subject.size * server_sign < 0
    starts = np.array([int(b.time_ns[0]) for b in subject.conversations])
    since_start = subject.time_ns - starts[np.searchsorted(starts, subject.time_ns, side="right") - 1]
    said = mine & (since_start > LOGIN_S * _SECOND)
    sizes = np.abs(subject.size[said].astype(np.int64))
    times_s = subject.time_ns[said] / _SECOND

    unasked = int((~mine & ~subject.reply).sum())
    if unasked < UNASKED_PER_BLOCK * blocks:
        return Judgement(
            Client.POLLER,
            f"the server spoke unasked {unasked} times in {blocks} blocks and else only answered, as a wallet, an "
            "explorer or software that asks for work is answered; a pool tells its miners unasked",
        )
    if len(sizes) < FEWEST_MESSAGES:
        times = {0: "nothing", 1: "one message", 2: "two messages"}[len(sizes)]
        return Judgement(
            Client.LISTENER,
            f"the client sent {times} after its introduction, so it hands in no shares: a page, a price ticker or a "
            "monitor, or a miner that found nothing in this time",
        )
    large = sizes[sizes >= BLOCK_BYTES]
    if len(large) >= max(FEWEST_MESSAGES, len(sizes) / 100) and _commonest(large) < COMMONEST_SHARE:
        return Judgement(
            Client.NODE,
            f"the client sent {len(large)} messages of {BLOCK_BYTES} bytes and more and of many sizes, as a node does "
            "that passes on blocks and transactions; shares are all of one size",
        )
    low, median, high = np.percentile(sizes, [25, 50, 75])
    if len(sizes) >= 10 and (high - low) > SIZE_SPREAD * median and _commonest(sizes) < COMMONEST_SHARE:
        return Judgement(
            Client.NODE,
            f"the client's messages are of many sizes (half of them outside {low:.0f} to {high:.0f} bytes), as a "
            "node's or a wallet's; shares are all of one size",
        )
    intervals_s = np.diff(times_s)
    if len(intervals_s) >= 5 and float(intervals_s.std()) < KEEPALIVE_SPREAD * float(intervals_s.mean()):
        return Judgement(
            Client.LISTENER,
            f"the client sends the like every {intervals_s.mean():.0f} s, which is a timer's keepalive; shares come "
            "at random times",
        )
    return Judgement(
        Client.MINER,
        f"the client answers with {len(sizes)} small messages (median {median:.0f} bytes) at irregular times, "
        "as shares are handed in",
    )


def _commonest(sizes: NDArray[np.int64]) -> float:
    """Part of the messages that have one of the three commonest sizes."""
    _values, counts = np.unique(np.round(np.log(sizes) / SIZE_STEP), return_counts=True)
    return float(np.sort(counts)[-3:].sum() / len(sizes))
