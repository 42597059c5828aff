"""The same evidence while the conversation goes on: an e-process with a state of fixed size.

Segment by segment the sums of `evidence` are carried on. After any of them an observer may stop and believe the number
(Ville's inequality; docs/detectors/chain_sync.md), so a sensor need not wait for the end of a conversation.
"""

import math

import numpy as np

from headframe.detectors.network.chain_sync.evidence import ChainSyncParameters, make_grid, spread_arrivals
from headframe.kernels import bursts as burst_kernels
from headframe.kernels import chain_sync as kernel
from headframe.records.block import BlockClock

_SECOND = 1_000_000_000
_NEVER = -(1 << 62)


class ChainSyncProcess:
    """Evidence of one conversation against one chain, as it grows.

    Packets come in order of time. A segment is taken into the sums once the clock knows all blocks that any offset
    moves into it; until then its bursts wait, and that is all that is kept of them.

    Parameters
    ----------
    server_sign : int
        -1 where the responder is the server, 1 where the originator is.
    parameters : ChainSyncParameters

    Attributes
    ----------
    log10_e : float
        Evidence of the segments that are closed.
    blocks : int
        Blocks in them.
    dropped : int
        Bursts that found no room, because the clock has been silent for longer than the room lasts. The segments that
        they fall into are left out whole. Which ones that are hangs on when blocks came, so from the first such burst
        on the promise is no theorem any more: a conversation made for it could gain a percent per segment. Where the
        proof must hold, begin anew.
    """

    def __init__(self, server_sign: int, parameters: ChainSyncParameters) -> None:
        self._parameters = parameters
        self._grid = make_grid(parameters)
        self._sign = server_sign
        # Both sides burst at most once in GAP_NS. While a full segment waits for the clock to pass the farthest
        # offset, so many more come in.
        waiting_ns = 2 * round(parameters.farthest_offset_s * _SECOND)
        room = 2 * (parameters.most_pushes + 2 * waiting_ns // burst_kernels.GAP_NS)
        self._time_ns = np.zeros(room, dtype=np.int64)
        self._size = np.zeros(room, dtype=np.int32)
        self._reply = np.zeros(room, dtype=np.bool_)
        self._count = 0
        self._last_ns = [_NEVER, _NEVER]
        self._open = [-1, -1]
        self._asked_ns = [_NEVER, _NEVER]
        self._begin_ns = _NEVER
        self._now_ns = _NEVER
        self._hole_ns: tuple[int, int] | None = None
        shape = (kernel.CLASSES, len(self._grid.windows_ns), len(self._grid.shares), self._grid.offsets)
        self._log_e = np.zeros(shape)
        self.log10_e = math.log10(1.0 - parameters.hour_weight)
        self.blocks = 0
        self.dropped = 0

    def packet(self, time_ns: int, size: int) -> None:
        """Take one packet; one without payload says nothing.

        Parameters
        ----------
        time_ns : int
            [ns since 1970-01-01 UTC]
        size : int
            Payload, negative from the responder. [bytes]
        """
        if not size:
            return
        now = self._now_ns = max(self._now_ns, time_ns)
        if self._begin_ns == _NEVER:
            self._begin_ns = now
        side = 0 if size > 0 else 1
        growing = now - self._last_ns[side] < burst_kernels.GAP_NS
        self._last_ns[side] = now
        if growing:
            # Also where the burst is in the sums by now, or found no room: when that happened depends on the clock,
            # and what follows must not look like a push that came with a block.
            place = self._open[side]
            if place >= 0:
                total = int(self._size[place]) + size
                self._size[place] = max(-0x7FFFFFFF, min(0x7FFFFFFF, total))
            return
        reply = now - self._asked_ns[1 - side] <= burst_kernels.REPLY_NS
        self._asked_ns[1 - side] = _NEVER
        self._asked_ns[side] = now
        k = self._count
        if k == len(self._time_ns):
            self._open[side] = -1
            self.dropped += 1
            self._hole_ns = (now if self._hole_ns is None else self._hole_ns[0], now)
            return
        self._time_ns[k] = now
        self._size[k] = size
        self._reply[k] = reply
        self._open[side] = k
        self._count = k + 1

    def advance(self, clock: BlockClock) -> float:
        """Close the segments whose blocks the clock knows.

        Parameters
        ----------
        clock : BlockClock
            What is known by now; it may begin after blocks that were used before.

        Returns
        -------
        float
            log10 of the e-process after the last closed segment.
        """
        p, grid = self._parameters, self._grid
        segment_ns = round(p.segment_s * _SECOND)
        blocks_ns = spread_arrivals(clock)
        known_until_ns = int(clock.covered[-1, 1]) + grid.first_ns if len(clock.covered) else _NEVER
        bits = np.empty(self._count, dtype=np.uint8)
        kernel.class_bits(self._size[: self._count], self._reply[: self._count], self._sign, p.large_bytes, bits)
        first = 0
        while self._begin_ns != _NEVER:
            end_ns = self._begin_ns + segment_ns
            full = first + p.most_pushes
            cut = full < self._count and int(self._time_ns[full]) < end_ns
            if cut:
                end_ns = int(self._time_ns[full])
            # A burst that may still grow belongs to what is not closed.
            if end_ns > known_until_ns or end_ns + burst_kernels.GAP_NS > self._now_ns:
                break
            last = first + int(np.searchsorted(self._time_ns[first : self._count], end_ns))
            if end_ns <= self._begin_ns:  # more bursts than that at one instant: step over them
                self._begin_ns += 1
                first += int(np.searchsorted(self._time_ns[first : self._count], self._begin_ns))
                continue
            hole = self._hole_ns
            if hole is None or end_ns <= hole[0] or hole[1] < self._begin_ns:
                more, _watched_ns = kernel.add_conversation(
                    self._time_ns[first:last],
                    bits[first:last],
                    self._begin_ns,
                    end_ns,
                    blocks_ns,
                    clock.covered,
                    grid,
                    segment_ns,
                    p.most_pushes,
                    self._log_e,
                )
                self.blocks += int(more)
            self._begin_ns = end_ns
            first = last
        self._forget(first)
        if self.blocks:
            whole = float(kernel.log_mixture(self._log_e, grid.offset_weights)) / math.log(10.0)
            self.log10_e = whole + math.log10(1.0 - p.hour_weight)
        return self.log10_e

    def _forget(self, first: int) -> None:
        """Bursts before `first` are in the sums: move the others to the front."""
        if not first:
            return
        left = self._count - first
        for column in (self._time_ns, self._size, self._reply):
            column[:left] = column[first : self._count].copy()
        self._open = [place - first if place >= first else -1 for place in self._open]
        self._count = left
        if self._hole_ns is not None and self._hole_ns[1] < self._begin_ns:
            self._hole_ns = None
