"""Who follows the chain: told by what the client sends, since every follower hears of blocks at the same time.

A miner must be shown to be one: it hands in shares, which are small messages of one size, sent at random times without
being prompted, and each is answered in a word. A node passes on what it hears and sends messages of all sizes. A
wallet, or software that polls for work, asks before it is told, or asks back when it is told. A page or a ticker
listens.
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
TIMER_JITTER = 0.1
"""Part of its period by which a timer's tick may be early or late."""
TIMED_SHARE = 0.8
"""Part of the intervals that must be multiples of one to be a timer's; of random intervals one in seven is."""
ANSWERED_SHARE = 0.5
"""A pool answers every share; half of the answers may be lost."""
ANSWER_SIZE = 1.2
"""An answer to a share (40 to 100 bytes) is shorter than the share (100 and more); where both are padded, as long."""
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
    unasked = ~mine & ~subject.reply
    if int(unasked.sum()) < UNASKED_PER_BLOCK * blocks:
        return Judgement(
            Client.POLLER,
            f"the server spoke unasked {int(unasked.sum())} times in {blocks} blocks and else only answered, as a "
            "wallet, an explorer or software that asks for work is answered; a pool tells its miners unasked",
        )
    own = mine & _after_introduction(subject) & ~_prompted(subject, mine, unasked)
    places = np.flatnonzero(own)
    sizes = np.abs(subject.size[places].astype(np.int64))
    random = ~_on_timers(subject.time_ns[places], sizes)
    places, sizes = places[random], sizes[random]
    if len(sizes) < FEWEST_MESSAGES:
        times = {0: "nothing", 1: "one message", 2: "two messages"}[len(sizes)]
        return Judgement(
            Client.LISTENER,
            "apart from its introduction, from answers to what the server said and from timers, the client sent "
            f"{times}, so it hands in no shares: a wallet, a page, a ticker or a monitor, or a miner that found "
            "nothing in this time",
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
    answers = _answers(subject, places)
    if len(answers) < ANSWERED_SHARE * len(sizes):
        return Judgement(
            Client.LISTENER,
            f"the server answered {len(answers)} of {len(sizes)} messages of the client; a pool says of every share "
            "whether it took it",
        )
    if float(np.median(answers)) > ANSWER_SIZE * median:
        return Judgement(
            Client.LISTENER,
            f"the server's answers (median {np.median(answers):.0f} bytes) are longer than the client's messages "
            f"(median {median:.0f} bytes), as a wallet's or a page's requests are answered; a share is answered in a "
            "word",
        )
    return Judgement(
        Client.MINER,
        f"the client sends {len(sizes)} small messages (median {median:.0f} bytes) unasked and at irregular times, and "
        "each gets a short answer, as shares are handed in",
    )


def _after_introduction(subject: Subject) -> NDArray[np.bool_]:
    """Bursts later than `LOGIN_S` after their conversation began."""
    starts = np.array([int(b.time_ns[0]) for b in subject.conversations])
    since_start = subject.time_ns - starts[np.searchsorted(starts, subject.time_ns, side="right") - 1]
    return np.asarray(since_start > LOGIN_S * _SECOND)


def _prompted(subject: Subject, mine: NDArray[np.bool_], unasked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Client's bursts that answer something the server said unasked."""
    last = np.maximum.accumulate(np.where(~mine, np.arange(len(mine)), -1))
    return np.asarray(mine & subject.reply & (last >= 0) & unasked[last])


def _on_timers(time_ns: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Messages of sizes that come at multiples of one interval, some of them lost perhaps."""
    kinds = np.round(np.log(sizes) / SIZE_STEP)
    timed = np.zeros(len(sizes), dtype=np.bool_)
    for kind in np.unique(kinds):
        places = np.flatnonzero(kinds == kind)
        intervals = np.diff(time_ns[places]) / _SECOND
        intervals = intervals[intervals > 0.5]  # two at once are one tick
        if len(intervals) < 5:
            continue
        ratio = intervals / np.median(intervals)
        if float((np.abs(ratio - np.maximum(np.round(ratio), 1)) <= TIMER_JITTER).mean()) >= TIMED_SHARE:
            timed[places] = True
    return timed


def _answers(subject: Subject, places: NDArray[np.intp]) -> NDArray[np.int64]:
    """Sizes of the server's answers to the client's bursts at `places`, of those that got one. [bytes]"""
    following = places[places + 1 < len(subject.size)] + 1
    other = np.sign(subject.size[following]) != np.sign(subject.size[following - 1])
    answers: NDArray[np.int64] = np.abs(subject.size[following[other & subject.reply[following]]].astype(np.int64))
    return answers


def _commonest(sizes: NDArray[np.int64]) -> float:
    """Part of the messages that have one of the three commonest sizes."""
    _values, counts = np.unique(np.round(np.log(sizes) / SIZE_STEP), return_counts=True)
    return float(np.sort(counts)[-3:].sum() / len(sizes))
