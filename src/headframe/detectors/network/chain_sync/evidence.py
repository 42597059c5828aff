"""Pushes that keep step with a chain: exact timing evidence, on traffic that nobody can read.

A pool hands every miner new work within a second or so of each new block. When blocks are found is a Poisson process,
and a conversation that knows nothing of the chain cannot know those times. So the times at which the server speaks
are compared with the times of blocks, and the comparison is an e-value: its mean over innocent conversations is at
most 1, whatever they look like. Theory, proof and limits: docs/detectors/chain_sync.md.

It reads times, sizes and directions of packets, and nothing else.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.kernels import bursts as burst_kernels
from headframe.kernels import chain_sync as kernel
from headframe.records.block import BlockClock
from headframe.records.bursts import Bursts
from headframe.records.finding import SourceRef

VERSION = "1"

_SECOND = 1_000_000_000
_HOUR = 3600 * _SECOND
_LN10 = math.log(10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSyncParameters:
    """What the mixture covers. Fixed before any data is seen: that is what makes it valid.

    Attributes
    ----------
    farthest_offset_s, offset_step_s : float
        Clock errors that are covered, and how densely. [s]
    windows_s : tuple of float
        How long after its block a push may come. [s]
    shares : tuple of float
        Share of blocks that cause a push. [unitless]
    large_bytes : int
        Pushes of this size and more are a class of their own. Answers to shares are 40 to 100 bytes, also inside TLS;
        jobs are 220 and more (the sessions of 2018 to 2021 that `stratum` was tested on). [bytes]
    segment_s : float
        Length of a segment: long beside a window, short beside the time in which a chain's rate changes. [s]
    most_pushes : int
        Bursts in a segment, for a state of fixed size.
    shortest_s : float
        Conversations (or pairs of client and server together) watched for less are not tested. [s]
    fewest_pushes : int
    any_hour : bool
        Also consider clocks that are wrong by whole hours.
    hour_weight : float
        Weight of all whole hours together. Kept back also where they are not considered, so that asking for them
        later changes nothing that was said.
    """

    farthest_offset_s: float = 30.0
    offset_step_s: float = 0.5
    windows_s: tuple[float, ...] = (1.0, 2.0, 4.0, 10.0)
    shares: tuple[float, ...] = (0.1, 0.3, 0.6, 0.9, 0.98)
    large_bytes: int = 150
    segment_s: float = 900.0
    most_pushes: int = 2048
    shortest_s: float = 300.0
    fewest_pushes: int = 3
    any_hour: bool = False
    hour_weight: float = 0.1
    most_hours: int = 14

    @property
    def hours(self) -> tuple[int, ...]:
        """Whole hours by which the clock is moved; 0 first."""
        return (0, *(k for k in range(-self.most_hours, self.most_hours + 1) if k and self.any_hour))


class Sync(NamedTuple):
    """Evidence of one subject against one clock.

    Attributes
    ----------
    log10_e : float
    log_e : float64[CLASSES, w, θ, d]
        Natural logarithms of the alternatives at `hour`, without their weights.
    hour : int
        Whole hours by which the clock was moved.
    server_sign : int
        -1 where the responder pushes, 1 where the originator does.
    blocks : int
    watched_ns : int
    """

    log10_e: float
    log_e: NDArray[np.float64]
    hour: int
    server_sign: int
    blocks: int
    watched_ns: int


@cache
def make_grid(parameters: ChainSyncParameters) -> kernel.Grid:
    """The alternatives with their weights.

    Offsets weigh ``1/(1 + |offset|/1 s)``: small errors are likelier, and far ones are not given up. Classes, windows
    and shares weigh the same.
    """
    p = parameters
    steps = round(p.farthest_offset_s / p.offset_step_s)
    offsets_s = np.arange(-steps, steps + 1) * p.offset_step_s
    weights = 1.0 / (1.0 + np.abs(offsets_s))
    return kernel.Grid(
        first_ns=round(-steps * p.offset_step_s * _SECOND),
        step_ns=round(p.offset_step_s * _SECOND),
        offsets=len(offsets_s),
        windows_ns=np.array([round(w * _SECOND) for w in p.windows_s], dtype=np.int64),
        shares=np.array(p.shares, dtype=np.float64),
        offset_weights=weights / weights.sum(),
    )


def spread_arrivals(clock: BlockClock) -> NDArray[np.int64]:
    """Arrival times as if the clock had no coarse step.

    Whole seconds would meet a conversation that keeps whole seconds more often than chance says. A uniform fraction of
    the step, drawn by the height, restores what rounding took: a Poisson process stays one. The same block gets the
    same fraction in every run.

    Returns
    -------
    int64[n]
        Ascending. [ns]
    """
    if clock.resolution_ns <= 1:
        return clock.arrival_ns
    x = clock.heights.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    # splitmix64 (Steele, Lea & Flood 2014, OOPSLA), as a hash.
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    fraction = (x ^ (x >> np.uint64(31))).astype(np.float64) / 2.0**64
    return np.sort(clock.arrival_ns + (fraction * clock.resolution_ns).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tested as one: the conversations between one client and one server, on one line of time.

    Attributes
    ----------
    conversations : tuple of Bursts
        By start.
    time_ns, size, reply
        Bursts of all, ascending. [ns], [bytes, negative from the responder]
    spans_ns : int64[k, 2]
        When at least one of them was open, ascending and disjoint. [ns]
    """

    conversations: tuple[Bursts, ...]
    time_ns: NDArray[np.int64]
    size: NDArray[np.int32]
    reply: NDArray[np.bool_]
    spans_ns: NDArray[np.int64]

    @property
    def watched_ns(self) -> int:
        """Time in which at least one conversation was open. [ns]"""
        return int((self.spans_ns[:, 1] - self.spans_ns[:, 0]).sum())

    @property
    def server_signs(self) -> tuple[int, ...]:
        """Signs of the sides that may be the server: the responder's where it is known who called, else both."""
        return (-1,) if all(b.direction_known for b in self.conversations) else (-1, 1)

    @property
    def sources(self) -> tuple[SourceRef, ...]:
        """Where each conversation begins in the captures."""
        return tuple(
            SourceRef(file=b.first_packet.file, packets=(b.first_packet.number,))
            for b in self.conversations
            if b.first_packet is not None
        )

    @property
    def community_ids(self) -> tuple[str, ...]:
        """Those of its conversations, each once."""
        return tuple(dict.fromkeys(b.conversation.community_id for b in self.conversations))

    def ends(self, server_sign: int) -> tuple[str, str, int]:
        """Address of the client, address and port of the server."""
        c = self.conversations[0].conversation
        return (c.orig_h, c.resp_h, c.resp_p) if server_sign < 0 else (c.resp_h, c.orig_h, c.orig_p)


def make_subject(conversations: Sequence[Bursts]) -> Subject:
    """Put conversations of one client and one server on one line of time.

    Where two overlap they count as one, since the same block would speak twice.
    """
    ordered = sorted(conversations, key=lambda b: int(b.time_ns[0]))
    replies = []
    spans: list[list[int]] = []
    for bursts in ordered:
        reply = np.zeros(len(bursts.time_ns), dtype=np.bool_)
        burst_kernels.mark_replies(bursts.time_ns, bursts.size, reply)
        replies.append(reply)
        start, end = int(bursts.time_ns[0]), int(bursts.time_ns[-1]) + 1
        if spans and start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end])
    if len(ordered) == 1:
        only = ordered[0]
        return Subject((only,), only.time_ns, only.size, replies[0], np.array(spans, dtype=np.int64))
    time_ns = np.concatenate([b.time_ns for b in ordered])
    order = np.argsort(time_ns, kind="stable")
    return Subject(
        tuple(ordered),
        time_ns[order],
        np.concatenate([b.size for b in ordered])[order],
        np.concatenate(replies)[order],
        np.array(spans, dtype=np.int64),
    )


def best_explanation(subject: Subject, clock: BlockClock, parameters: ChainSyncParameters) -> Sync:
    """The hour and direction that explain a subject's pushes best, with the sums behind it."""
    p = parameters
    blocks_ns = spread_arrivals(clock)
    best: Sync | None = None
    for sign in subject.server_signs:
        bits = np.empty(len(subject.size), dtype=np.uint8)
        kernel.class_bits(subject.size, subject.reply, sign, p.large_bytes, bits)
        for hour in p.hours:
            found = _measure_once(subject, bits, blocks_ns, clock.covered, hour, sign, p)
            if best is None or found.log10_e > best.log10_e:
                best = found
    assert best is not None
    return best


def _measure_once(
    subject: Subject,
    bits: NDArray[np.uint8],
    blocks_ns: NDArray[np.int64],
    covered_ns: NDArray[np.int64],
    hour: int,
    sign: int,
    parameters: ChainSyncParameters,
) -> Sync:
    grid = make_grid(parameters)
    log_e = np.zeros((kernel.CLASSES, len(grid.windows_ns), len(grid.shares), grid.offsets))
    blocks, watched_ns = 0, 0
    moved_ns = hour * _HOUR
    for start, end in subject.spans_ns.tolist():
        more, longer = kernel.add_conversation(
            subject.time_ns,
            bits,
            start,
            end,
            blocks_ns + moved_ns if moved_ns else blocks_ns,
            covered_ns + moved_ns if moved_ns else covered_ns,
            grid,
            round(parameters.segment_s * _SECOND),
            parameters.most_pushes,
            log_e,
        )
        blocks += int(more)
        watched_ns += int(longer)
    log10_e = float(kernel.log_mixture(log_e, grid.offset_weights)) / _LN10 if blocks else 0.0
    return Sync(log10_e, log_e, hour, sign, blocks, watched_ns)


def measure_all(
    subjects: Sequence[Subject], clocks: Sequence[BlockClock], parameters: ChainSyncParameters
) -> NDArray[np.float64]:
    """Evidence of every subject against every clock.

    Parameters
    ----------
    subjects : sequence of Subject
    clocks : sequence of BlockClock
        One for each chain.
    parameters : ChainSyncParameters

    Returns
    -------
    float64[n, c]
        log10 of the e-values; NaN where clock and subject share no time, or the clock was taken from the subject
        itself.
    """
    p = parameters
    grid = make_grid(p)
    out = np.full((len(subjects), len(clocks)), np.nan)
    if not subjects:
        return out
    known = np.array([len(s.server_signs) == 1 for s in subjects])
    time_ns = np.concatenate([s.time_ns for s in subjects])
    size = np.concatenate([s.size for s in subjects])
    reply = np.concatenate([s.reply for s in subjects])
    burst_at = np.cumsum([0, *(len(s.time_ns) for s in subjects)])
    spans_ns = np.concatenate([s.spans_ns for s in subjects])
    span_at = np.cumsum([0, *(len(s.spans_ns) for s in subjects)])
    bits = np.empty(len(size), dtype=np.uint8)
    for column, clock in enumerate(clocks):
        arrivals_ns = spread_arrivals(clock)
        terms = []
        compared_ns = np.zeros(len(subjects), dtype=np.int64)
        for sign in (-1, 1):
            if sign == 1 and known.all():
                break
            kernel.class_bits(size, reply, sign, p.large_bytes, bits)
            for hour in p.hours:
                moved_ns = hour * _HOUR
                log_e = np.zeros(len(subjects))
                watched_ns = np.zeros(len(subjects), dtype=np.int64)
                kernel.measure_many(
                    time_ns,
                    bits,
                    burst_at,
                    spans_ns,
                    span_at,
                    arrivals_ns + moved_ns,
                    clock.covered + moved_ns,
                    grid,
                    round(p.segment_s * _SECOND),
                    p.most_pushes,
                    log_e,
                    watched_ns,
                )
                compared_ns += watched_ns
                weight = p.hour_weight / (2 * p.most_hours) if hour else 1.0 - p.hour_weight
                # Where it is known who called, the responder pushes; else both are tried.
                turned = np.where(known, 1.0 if sign == -1 else 0.0, 0.5)
                with np.errstate(divide="ignore"):
                    terms.append(log_e + np.log(weight * turned))
        own = np.array([_told_clock(subject, clock) for subject in subjects])
        log10_e = np.logaddexp.reduce(terms, axis=0) / _LN10
        out[:, column] = np.where(own | (compared_ns == 0), np.nan, log10_e)
    return out


def _told_clock(subject: Subject, clock: BlockClock) -> bool:
    """Whether the clock's times were taken from the subject's own messages."""
    return not clock.community_ids.isdisjoint(subject.community_ids)
