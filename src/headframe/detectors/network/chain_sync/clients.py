"""Who follows the chain: told by what the client sends, since every follower hears of blocks at the same time.

A miner hands in shares: small messages of one size, at random times. A node passes on what it hears and sends
messages of all sizes. A wallet, or software that polls for work, asks before it is told. A page or a ticker listens.
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
ASKED_SHARE = 0.8
"""Above this part of the pushes being answers, the client asks and is not told."""
BLOCK_BYTES = 1000
"""A client's burst of this size carries blocks or transactions, not a share (180 to 400 bytes, also inside TLS)."""
LARGE_SPREAD = 0.25
"""Large messages of which the middle four fifths differ by more than this part of their median are not one kind of
share; the rest may be cut by losses."""
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


def judge_client(subject: Subject, server_sign: int, large_bytes: int) -> Judgement:
    """Tell a miner from others who follow a chain.

    Parameters
    ----------
    subject : Subject
    server_sign : int
        -1 where the responder pushes, 1 where the originator does.
    large_bytes : int
        From this size on a push may be a job. [bytes]

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

    pushes = ~mine & (np.abs(subject.size.astype(np.int64)) >= large_bytes)
    if not pushes.any():
        pushes = ~mine
    asked = float(subject.reply[pushes].mean())
    if asked > ASKED_SHARE:
        return Judgement(
            Client.POLLER,
            f"{asked:.0%} of what the server says answers a request, as for a wallet, an explorer or software that "
            "asks for work; a pool tells its miners unasked",
        )
    if len(sizes) < FEWEST_MESSAGES:
        times = {0: "nothing", 1: "one message", 2: "two messages"}[len(sizes)]
        return Judgement(
            Client.LISTENER,
            f"the client sent {times} after its introduction, so it hands in no shares: a page, a price ticker or a "
            "monitor, or a miner that found nothing in this time",
        )
    large = sizes[sizes >= BLOCK_BYTES]
    # Shares of Equihash carry a solution of 1,344 bytes, but always as many.
    if len(large) >= max(FEWEST_MESSAGES, len(sizes) / 100) and _spread(large) > LARGE_SPREAD:
        return Judgement(
            Client.NODE,
            f"the client sent {len(large)} messages of {BLOCK_BYTES} bytes and more, as a node does that passes on blocks "
            "and transactions; shares are small",
        )
    low, median, high = np.percentile(sizes, [25, 50, 75])
    if len(sizes) >= 10 and (high - low) > SIZE_SPREAD * median:
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


def _spread(sizes: NDArray[np.int64]) -> float:
    """How far the middle four fifths of sizes lie apart, as part of their median."""
    low, median, high = np.percentile(sizes, [10, 50, 90])
    return float((high - low) / median)
