"""TCP segments to a stream, one direction at a time: out of order, repeated, overlapping, with holes."""

from collections.abc import Iterator

from headframe.records.conversation import Direction, PacketRef, StreamChunk

_HALF = 1 << 31
_WHOLE = 1 << 32


def sequence_step(later: int, earlier: int) -> int:
    """How far `later` is ahead of `earlier` in the 32-bit sequence space, negative behind (RFC 9293 3.4)."""
    return (later - earlier + _HALF) % _WHOLE - _HALF


class StreamAssembler:
    """One direction of one conversation.

    Segments come as they were captured; chunks go out in stream order. The first copy of a byte counts. A hole is
    waited for until `most_waiting` segments or bytes are held, or until the other side acknowledges beyond it (then
    the receiver had it and only the capture has not); after that the stream goes on with ``after_gap``.

    Parameters
    ----------
    direction : Direction
    most_segments : int
        Segments held back for a hole. 64 is more than a usual receive window of small messages.
    most_bytes : int
        The same in bytes.
    """

    __slots__ = ("_direction", "_most_bytes", "_most_segments", "_next", "_waiting", "_waiting_bytes", "fresh")

    def __init__(self, direction: Direction, *, most_segments: int = 64, most_bytes: int = 256 * 1024) -> None:
        self._direction = direction
        self._most_segments = most_segments
        self._most_bytes = most_bytes
        self._next: int | None = None
        self._waiting: list[tuple[int, bytes, int, PacketRef]] = []
        self._waiting_bytes = 0
        self.fresh = True
        """True until the first chunk went out, and after `restart`: the next one follows nothing."""

    def begins_at(self, sequence: int) -> None:
        """The stream's first byte has this sequence number (the SYN's plus one)."""
        self._next = sequence % _WHOLE
        self.fresh = False

    def restart(self) -> None:
        """Segments were left out on purpose: whatever comes next, if it does not follow on, comes after a gap."""
        if self._next is not None:
            self.fresh = True

    def feed(self, sequence: int, data: bytes, time_ns: int, packet: PacketRef) -> list[StreamChunk]:
        """Take one segment; give what is now in order.

        Parameters
        ----------
        sequence : int
            Sequence number of the first byte of `data`.
        data : bytes
            Not empty.
        time_ns : int
            Capture time. [ns since 1970-01-01 UTC]
        packet : PacketRef

        Returns
        -------
        list of StreamChunk
        """
        gap = False
        if sequence != self._next:
            if self._next is None or (self.fresh and sequence_step(sequence, self._next) > 0):
                gap = True
            else:
                step = sequence_step(sequence, self._next)
                if step > 0:
                    self._waiting.append((sequence, data, time_ns, packet))
                    self._waiting_bytes += len(data)
                    if len(self._waiting) > self._most_segments or self._waiting_bytes > self._most_bytes:
                        return list(self._skip_hole())
                    return []
                sequence, data = sequence - step, data[-step:]
                if not data:
                    return []
        self.fresh = False
        self._next = (sequence + len(data)) % _WHOLE
        chunk = StreamChunk(direction=self._direction, time_ns=time_ns, packet=packet, data=data, after_gap=gap)
        return [chunk, *self._drain()] if self._waiting else [chunk]

    @property
    def waits(self) -> bool:
        """Whether segments are held back for a hole."""
        return bool(self._waiting)

    def acknowledged(self, sequence: int) -> Iterator[StreamChunk]:
        """The other side has everything before `sequence`: stop waiting for holes before it."""
        while self._waiting and self._next is not None:
            first = min(self._waiting, key=lambda held: sequence_step(held[0], self._next or 0))
            if sequence_step(sequence, first[0]) < 0:
                return
            yield from self._skip_hole()

    def flush(self) -> Iterator[StreamChunk]:
        """The conversation is over: give what is held, holes or not."""
        while self._waiting:
            yield from self._skip_hole()

    def _drain(self) -> Iterator[StreamChunk]:
        """Give the held segments that now follow on."""
        assert self._next is not None
        self._waiting.sort(key=lambda held: sequence_step(held[0], self._next or 0))
        kept = []
        for sequence, data, time_ns, packet in self._waiting:
            step = sequence_step(sequence, self._next)
            if step > 0:
                kept.append((sequence, data, time_ns, packet))
                continue
            new = data[-step:] if step else data
            if new:
                self._next = (self._next + len(new)) % _WHOLE
                yield StreamChunk(direction=self._direction, time_ns=time_ns, packet=packet, data=new)
        self._waiting = kept
        self._waiting_bytes = sum(len(held[1]) for held in kept)

    def _skip_hole(self) -> Iterator[StreamChunk]:
        """Go on behind the nearest hole."""
        assert self._next is not None
        self._waiting.sort(key=lambda held: sequence_step(held[0], self._next or 0))
        sequence, data, time_ns, packet = self._waiting.pop(0)
        self._waiting_bytes -= len(data)
        step = sequence_step(sequence, self._next)
        new = data[-step:] if step < 0 else data
        if new:
            self._next = (sequence + len(data)) % _WHOLE
            yield StreamChunk(direction=self._direction, time_ns=time_ns, packet=packet, data=new, after_gap=step > 0)
        yield from self._drain()
