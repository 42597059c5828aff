"""Timing evidence in words: which conversations keep step with a chain, and what their clients are."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.network.chain_sync.clients import Client, judge_client
from headframe.detectors.network.chain_sync.evidence import (
    VERSION,
    ChainSyncParameters,
    Subject,
    Sync,
    best_explanation,
    make_grid,
    make_subject,
    measure_all,
    spread_arrivals,
)
from headframe.detectors.network.chain_sync.regularity import why_not_random
from headframe.kernels import chain_sync as kernel
from headframe.records.block import BlockClock
from headframe.records.bursts import Bursts
from headframe.records.conversation import endpoint_text
from headframe.records.finding import (
    MOST_DRAWN,
    BlockSync,
    Family,
    Finding,
    Insufficient,
    Interval,
    Lookalike,
    Role,
)

DETECTOR = "chain_sync"

_SECOND = 1_000_000_000
_HOUR = 3600 * _SECOND
_CLASS_NAMES = ("all", "large", "unasked")

BLIND_SPOTS = (
    "A tunnel that carries many users' traffic hides the pushes among other packets.",
    "Chains with blocks every few seconds cannot be resolved.",
    "Who listens to a chain without handing in work is told apart only by what it sends.",
    "A pool that spreads its pushes over many seconds weakens the evidence.",
)


@dataclass(slots=True)
class ChainSyncResult:
    """What the detector answers.

    Attributes
    ----------
    findings : list of Finding
        Clients that mine, among those on the caller's list.
    lookalikes : list of Lookalike
        Those on the list that follow a chain and do something else.
    insufficient : list of Insufficient
    tested : int
        How many pairs of client and server had an e-value. A list's error rate counts all of them.
    """

    findings: list[Finding] = field(default_factory=list)
    lookalikes: list[Lookalike] = field(default_factory=list)
    insufficient: list[Insufficient] = field(default_factory=list)
    tested: int = 0


def detect(
    series: Sequence[Bursts],
    clocks: Sequence[BlockClock],
    parameters: ChainSyncParameters,
    on_list: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> ChainSyncResult:
    """Find clients whose server keeps step with a chain.

    Parameters
    ----------
    series : sequence of Bursts
        Conversations that are over, in any order.
    clocks : sequence of BlockClock
        One for each chain.
    parameters : ChainSyncParameters
    on_list : callable
        Cuts the list: given log10 of all e-values, float64[n], it says which are on it, bool[n].

    Returns
    -------
    ChainSyncResult
    """
    result = ChainSyncResult()
    # Spread once: whoever asks again for the arrivals of a clock without a step gets them as they are.
    clocks = [
        replace(clock, arrival_ns=spread_arrivals(clock), resolution_ns=1)
        for clock in clocks
        if not _refused(clock, result)
    ]
    if not clocks:
        return result
    subjects = group_subjects(series, parameters)
    table = measure_all(subjects, clocks, parameters)
    known = ~np.isnan(table)
    for column, clock in enumerate(clocks):
        # Where the clock was taken from the traffic itself, those who told it have been found by what they say.
        if not known[:, column].any() and not clock.community_ids:
            result.insufficient.append(_no_common_time(clock, subjects, parameters))
    tested = np.flatnonzero(known.any(axis=1))
    result.tested = len(tested)
    if not len(tested):
        return result
    # "Mines something": the mean over the chains that it could be compared with, which no block time decides.
    any_chain = _log10_mean(np.where(known, table, -np.inf)[tested], known[tested].sum(axis=1))
    for place in np.flatnonzero(on_list(any_chain)).tolist():
        row = int(tested[place])
        _describe(subjects[row], table[row], clocks, float(any_chain[place]), parameters, result)
    return result


def _refused(clock: BlockClock, result: ChainSyncResult) -> bool:
    """Whether a clock's times are not those of blocks; then that is said."""
    reason = why_not_random(clock)
    if reason is not None:
        missing = f"the clock of {clock.chain} ({', '.join(clock.sources)}) is not used: {reason}"
        result.insufficient.append(Insufficient(detector=DETECTOR, host="", peer="", missing=missing))
    return reason is not None


def group_subjects(series: Sequence[Bursts], parameters: ChainSyncParameters) -> list[Subject]:
    """Conversations by client and server, so that reconnects add up; those too short to tell anything are left out."""
    pairs: dict[tuple[str, str, int, str], list[Bursts]] = defaultdict(list)
    for bursts in series:
        if len(bursts.time_ns):
            c = bursts.conversation
            pairs[c.orig_h, c.resp_h, c.resp_p, c.proto].append(bursts)
    subjects = []
    for together in pairs.values():
        subject = make_subject(together)
        if subject.watched_ns < parameters.shortest_s * _SECOND:
            continue
        signs = np.sign(subject.size)
        if max((signs < 0).sum(), (signs > 0).sum()) >= parameters.fewest_pushes:
            subjects.append(subject)
    return subjects


def _log10_mean(log10_e: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """log10 of the mean e-value of each row over so many chains."""
    ln10 = np.log(10.0)
    return np.asarray((np.logaddexp.reduce(log10_e * ln10, axis=1) - np.log(counts)) / ln10)


def _no_common_time(clock: BlockClock, subjects: Sequence[Subject], parameters: ChainSyncParameters) -> Insufficient:
    if not subjects:
        missing = (
            f"no client and server were watched for {parameters.shortest_s / 60:.0f} minutes or more (conversations of "
            "some seconds do not count), "
            f"so the clock of {clock.chain} could not be compared with anything"
        )
    elif not len(clock.covered):
        missing = (
            f"the clock of {clock.chain} has no stretch in which all blocks are known; "
            "heights must follow each other, so give a source without gaps"
        )
    else:
        common = [end - start for s in subjects for start, end in _overlaps(s.spans_ns, clock.covered)]
        share = "no time"
        if common:
            # All blocks must be known at every offset, so both ends of a stretch are lost.
            least_s = 2 * parameters.farthest_offset_s
            share = f"{max(common) / _SECOND:.0f} s at a time, where more than {least_s:.0f} s are needed"
        first, last = min(int(s.spans_ns[0, 0]) for s in subjects), max(int(s.spans_ns[-1, 1]) for s in subjects)
        missing = (
            f"the clock of {clock.chain} knows blocks from {_utc(int(clock.covered[0, 0]))} to "
            f"{_utc(int(clock.covered[-1, 1]))}, the traffic is from {_utc(first)} to {_utc(last)}, and they share "
            f"{share}; give a clock of that time, check its time zone, or try all hours (--any-hour)"
        )
    return Insufficient(detector=DETECTOR, host="", peer="", missing=missing)


def _describe(
    subject: Subject,
    log10_e: NDArray[np.float64],
    clocks: Sequence[BlockClock],
    any_chain: float,
    parameters: ChainSyncParameters,
    result: ChainSyncResult,
) -> None:
    ranked = sorted((c for c in range(len(clocks)) if not np.isnan(log10_e[c])), key=lambda c: -log10_e[c])
    clock = clocks[ranked[0]]
    best = best_explanation(subject, clock, parameters)
    sync = _sync_of(subject, best, clock, [(clocks[c].chain, float(log10_e[c])) for c in ranked], parameters)
    judgement = judge_client(subject, best.server_sign, best.blocks)
    client, server, port = subject.ends(best.server_sign)
    peer = endpoint_text(server, port)
    seen = _in_words(sync)
    if judgement.client is not Client.MINER:
        result.lookalikes.append(
            Lookalike(
                detector=DETECTOR,
                host=client,
                peer=peer,
                label=f"{sync.chain} {judgement.client}",
                reason=f"{seen} But {judgement.reason}.",
                started_ns=int(subject.spans_ns[0, 0]),
                sources=subject.sources,
                community_ids=subject.community_ids,
            )
        )
        return
    result.findings.append(
        Finding(
            detector=DETECTOR,
            version=VERSION,
            family=Family.TIMING,
            role=Role.MINER,
            host=client,
            peer=peer,
            coins=_coins(sync),
            protocol="chain-sync",
            started_ns=int(subject.spans_ns[0, 0]),
            ended_ns=int(subject.spans_ns[-1, 1]),
            log10_e=any_chain,
            explanation=f"{seen} {judgement.reason[0].upper()}{judgement.reason[1:]}.",
            contradictions=_contradictions(sync),
            blind_spots=BLIND_SPOTS,
            block_sync=sync,
            sources=subject.sources,
            community_ids=subject.community_ids,
        )
    )


def _coins(sync: BlockSync) -> tuple[str, ...]:
    """Chains within a factor of 100 of the best: only a lead beyond that names the coin."""
    lead = sync.log10_e_by_chain[0][1]
    return tuple(chain for chain, log10_e in sync.log10_e_by_chain if log10_e > lead - 2.0)


def _contradictions(sync: BlockSync) -> tuple[str, ...]:
    notes = []
    if abs(sync.offset_s.estimate) > 600:
        hours = round(sync.offset_s.estimate / 3600)
        notes.append(
            f"The pushes fit only if the sensor's clock is wrong by {abs(hours)} hour{'s' if abs(hours) > 1 else ''}."
        )
    if sync.hits < 0.7 * sync.blocks:
        notes.append(f"{sync.blocks - sync.hits} of {sync.blocks} blocks were followed by no push in time.")
    return tuple(notes)


def _in_words(sync: BlockSync) -> str:
    pushes = {"all": "a push", "large": "a push of a job's size", "unasked": "an unasked push"}[sync.pushes_counted]
    blocks = f"Of {sync.blocks} blocks" if sync.blocks != 1 else "Of one block"
    return (
        f"{blocks} of {sync.chain} in {sync.watched_s / 60:.0f} minutes, {sync.hits} "
        f"{'was' if sync.hits == 1 else 'were'} followed by {pushes} of the server within {sync.window_s:g} s; "
        f"by chance it would be {sync.expected_hits:.1f}."
    )


def _sync_of(
    subject: Subject,
    best: Sync,
    clock: BlockClock,
    by_chain: list[tuple[str, float]],
    parameters: ChainSyncParameters,
) -> BlockSync:
    """The alternative that fits best, counted out for words and drawing."""
    grid = make_grid(parameters)
    log_weights = np.log(grid.offset_weights)
    k, w, _share, d = np.unravel_index(int((best.log_e + log_weights).argmax()), best.log_e.shape)
    window_ns = int(grid.windows_ns[w])
    hour_ns = best.hour * _HOUR
    offset_ns = hour_ns + grid.first_ns + int(d) * grid.step_ns
    bits = np.empty(len(subject.size), dtype=np.uint8)
    kernel.class_bits(subject.size, subject.reply, best.server_sign, parameters.large_bytes, bits)
    counted = (bits & (1 << int(k))) != 0
    pushes_ns = subject.time_ns[counted]
    moved_ns = spread_arrivals(clock) + offset_ns
    blocks: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    hits: list[NDArray[np.bool_]] = [np.empty(0, dtype=np.bool_)]
    expected, watched_ns = 0.0, 0
    for start, end in _overlaps(subject.spans_ns, clock.covered + offset_ns):
        inside = moved_ns[(moved_ns >= start) & (moved_ns < end)]
        mine = pushes_ns[(pushes_ns >= start) & (pushes_ns < end)]
        nearest = np.searchsorted(mine, inside)
        next_ns = np.append(mine, end + window_ns)[nearest]
        every = np.ones(len(mine), dtype=np.uint8)
        expected += len(inside) * float(kernel.chance(mine, every, 0, len(mine), start, end, 0, window_ns))
        blocks.append(inside)
        hits.append((next_ns < end) & (next_ns - inside <= window_ns))
        watched_ns += end - start
    block_ns, block_hit = np.concatenate(blocks), np.concatenate(hits)
    drawn = slice(0, MOST_DRAWN)
    return BlockSync(
        chain=clock.chain,
        log10_e_by_chain=tuple(by_chain),
        clock_sources=clock.sources,
        offset_s=_offset(best, grid),
        window_s=window_ns / _SECOND,
        pushes_counted=_CLASS_NAMES[int(k)],
        blocks=len(block_ns),
        hits=int(block_hit.sum()),
        expected_hits=expected,
        watched_s=watched_ns / _SECOND,
        block_ns=tuple(block_ns[drawn].tolist()),
        block_hit=tuple(block_hit[drawn].tolist()),
        push_ns=tuple(pushes_ns[drawn].tolist()),
    )


def _offset(best: Sync, grid: kernel.Grid) -> Interval:
    """Offset with its 95 % interval: each alternative weighs what it explains. [s]"""
    behind = best.log_e - best.log_e.max()
    weights = np.exp(behind).sum(axis=(0, 1, 2)) * grid.offset_weights
    offsets_s = (best.hour * _HOUR + grid.first_ns + np.arange(grid.offsets) * grid.step_ns) / _SECOND
    share = np.cumsum(weights) / weights.sum()
    low, middle, high = (float(offsets_s[int(np.searchsorted(share, q))]) for q in (0.025, 0.5, 0.975))
    return Interval(low, middle, high)


def _overlaps(spans_ns: NDArray[np.int64], covered_ns: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Where the subject was watched and the clock knows all blocks."""
    both = []
    for start, end in spans_ns.tolist():
        k = int(np.searchsorted(covered_ns[:, 1], start, side="right"))
        while k < len(covered_ns) and covered_ns[k, 0] < end:
            both.append((max(start, int(covered_ns[k, 0])), min(end, int(covered_ns[k, 1]))))
            k += 1
    return both


def _utc(time_ns: int) -> str:
    return str(np.datetime64(time_ns // _SECOND, "s")).replace("T", " ") + " UTC"
