"""One machine: captures through the kernels, and the parsers for what deserves them.

A worker decodes the next stretches of packets while this thread takes the one before into the conversation table and
hands the selected packets to the parsers. Both have about the same to do, and kernels release the interpreter's lock,
so two cores work for one process; only this thread ever touches the table.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.detectors.network.stratum import StratumSession
from headframe.engines.parsers import Parsers, Timeline
from headframe.engines.places import WatchedPlaces
from headframe.engines.seen import SeenPrefixes
from headframe.engines.summary import summarise
from headframe.errors import UnreadableInput
from headframe.kernels import bursts as burst_kernels
from headframe.kernels import conversations as kernel
from headframe.kernels import frames, look
from headframe.records.bursts import Bursts
from headframe.records.conversation import Conversation
from headframe.records.endpoint import EndpointObservation, EndpointSign
from headframe.records.scan import Damage, InputSummary, SeenPrefix
from headframe.sources.network.capture import (
    BATCH_PACKETS,
    CaptureReader,
    KernelInputs,
    Stretch,
    first_time_ns,
)
from headframe.sources.network.container import STANDARD_INPUT, open_source
from headframe.sources.network.fragments import FragmentAssembler

_SECOND = 1_000_000_000

# How long a conversation stays in the table after its last packet. Zeek's defaults, but for open TCP: pools of slow
# chains may be silent for many minutes, and a longer wait only costs memory.
ENDED_NS = 5 * _SECOND
OPEN_NS = 3600 * _SECOND
ATTEMPT_NS = 60 * _SECOND
DATAGRAM_NS = 120 * _SECOND

# Of conversations shorter than this no bursts are kept: most are, and a block comes once in minutes. Who reconnects
# faster than that is seen by no timing detector.
_BURSTS_NS = 15 * _SECOND
_BURSTS_PACKETS = 4

_SWEEP_PACKETS = 1 << 21
_SWITCH_S = 0.0002
_AHEAD = 2  # stretches that may wait decoded: one evens out that some take longer to parse and others to decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is. `bytes_total` is None where an input's size is not known."""

    bytes_read: int
    bytes_total: int | None
    packets: int
    file: str


@dataclass(slots=True)
class CaptureFacts:
    """What the captures hold, ready for the detectors."""

    sessions: list[tuple[Conversation, StratumSession]] = field(default_factory=list)
    observations: list[EndpointObservation] = field(default_factory=list)
    bursts: list[Bursts] = field(default_factory=list)
    """Of the conversations that last: what timing evidence is drawn from."""
    inputs: list[InputSummary] = field(default_factory=list)
    conversations: int = 0
    packets: int = 0
    bytes_read: int = 0
    seen: tuple[SeenPrefix, ...] = ()
    """Where conversations began, by day."""
    seen_left_out: int = 0


class LocalEngine:
    """Reads captures on this machine.

    Parameters
    ----------
    index : EndpointIndex
        Names and addresses to look for.
    threads : int or None
        1 for all work in the thread that calls; more, or None on a machine with several processors, for a second one
        that decodes ahead.
    secret : bytes
        16 random bytes for the hash of conversation keys: nobody outside can make collisions.
    every_name : bool
        Observe all names, not only those of the index: what `headframe calibrate` counts. Slow.
    content_blind : bool
        Hide payload and ports: no packet is parsed, and of conversations only bursts are kept.
    """

    def __init__(
        self,
        index: EndpointIndex,
        *,
        threads: int | None = None,
        secret: bytes | None = None,
        every_name: bool = False,
        content_blind: bool = False,
    ) -> None:
        secret = os.urandom(16) if secret is None else secret
        self._ahead = _AHEAD if (threads or len(os.sched_getaffinity(0))) > 1 else 0
        self._inputs = KernelInputs(
            look.EVERY_NAME if every_name else look.name_table(index.name_hashes()),
            np.uint64(int.from_bytes(secret[:8], "little")),
            np.uint64(int.from_bytes(secret[8:16], "little")),
        )
        self._content_blind = content_blind
        self._places = WatchedPlaces(index)
        self._timeline = Timeline()
        self._parsers = Parsers(index, self._places, self._timeline, every_name=every_name)
        self._table = kernel.new_table()
        self._stretches = [_new_stretch() for _ in range(1 + self._ahead)]
        # A packet selects and closes one conversation at the most; a fragment may complete another.
        self._selected = np.zeros(BATCH_PACKETS + 1, dtype=kernel.SELECTED)
        self._closed = np.zeros(2 * BATCH_PACKETS, dtype=np.int32)
        self._late: list[tuple[NDArray[np.void], NDArray[np.uint8], NDArray[np.void], int]] = []
        self._fragments = FragmentAssembler()
        self._facts = CaptureFacts()
        self._seen = SeenPrefixes()
        self._ordinal = 0
        self._since_sweep = 0
        self.on_closed: Callable[[Conversation, NDArray[np.int64], NDArray[np.int32]], None] | None = None
        """Called with every conversation that ends, and its packet series (times [ns], sizes [bytes, negative from
        the responder]). It costs time: set it only where all conversations are needed."""

    # -- the run -------------------------------------------------------------------------------------------------

    def run(self, names: Sequence[str], progress: Callable[[Progress], None] | None = None) -> CaptureFacts:
        """Read all captures as one timeline.

        Parameters
        ----------
        names : sequence of str
            Files, ``-`` for standard input.
        progress : callable
            Called after every batch.

        Raises
        ------
        UnreadableInput
            If nothing can be read from any of them. One unreadable file among others is noted as damage.
        """
        worker = ThreadPoolExecutor(1, thread_name_prefix="headframe")
        # A worker that comes out of a kernel waits for the interpreter's lock as long as this thread may keep it:
        # 5 ms by default, longer than the kernel ran.
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        try:
            ordered, total = self._in_time_order(names)
            before = 0
            for name in ordered:
                before += self._read_file(name, worker, progress, before, total)
            self._close_all()
        finally:
            sys.setswitchinterval(interval_s)
            worker.shutdown(cancel_futures=True)
        facts = self._facts
        if facts.inputs and not any(i.packets or not i.damage for i in facts.inputs):
            first = facts.inputs[0].damage[0]
            several = f"none of {len(facts.inputs)} inputs can be read; the first: "
            file = "" if first.file == STANDARD_INPUT else f"{first.file}: "
            raise UnreadableInput(f"{several if len(facts.inputs) > 1 else ''}{file}{first.reason}")
        facts.sessions = self._parsers.sessions
        facts.observations += self._parsers.observations
        facts.conversations = int(self._table.counters[kernel.N_BEGUN])
        facts.packets = sum(i.packets for i in facts.inputs)
        facts.bytes_read = sum(i.bytes_read for i in facts.inputs)
        facts.seen, facts.seen_left_out = self._seen.told()
        return facts

    def _in_time_order(self, names: Sequence[str]) -> tuple[list[str], int | None]:
        """Files by the time of their first packet; those that cannot be read are noted, not raised."""
        if len(names) == 1 or STANDARD_INPUT in names:
            timed = [(0, name) for name in names]
        else:
            timed = []
            for name in names:
                try:
                    time_ns = first_time_ns(name)
                except UnreadableInput as problem:
                    self._note_unreadable(name, problem)
                    continue
                timed.append((time_ns if time_ns is not None else 0, name))
            timed.sort()
        total: int | None = 0
        for _time, name in timed:
            size = os.path.getsize(name) if name != STANDARD_INPUT and os.path.isfile(name) else None
            total = None if size is None or total is None else total + size
        return [name for _time, name in timed], total

    def _note_unreadable(self, name: str, problem: UnreadableInput) -> None:
        damage = Damage(file=name, offset=0, length=0, packets=0, reason=str(problem).removeprefix(f"{name}: "))
        self._facts.inputs.append(InputSummary(file=name, damage=[damage]))

    def _read_file(
        self,
        name: str,
        worker: ThreadPoolExecutor,
        progress: Callable[[Progress], None] | None,
        before: int,
        total: int | None,
    ) -> int:
        """Read one file; returns its size on disk as far as it was used. [bytes]"""
        try:
            source = open_source(name)
            reader = CaptureReader(source, self._inputs)
        except UnreadableInput as problem:
            self._note_unreadable(name, problem)
            return 0
        self._timeline.begin(reader.summary.file, self._ordinal)
        self._facts.inputs.append(reader.summary)
        for stretch in self._decoded(reader, worker):
            self._update(stretch)
            self._parse(stretch)
            source.forget(stretch.end)
            if progress is not None:
                done = before + source.consumed
                progress(Progress(bytes_read=done, bytes_total=total, packets=self._ordinal, file=name))
        reader.close()
        return source.consumed

    def _decoded(self, reader: CaptureReader, worker: ThreadPoolExecutor) -> Iterator[Stretch]:
        """Stretches of packets in order; while one is used, the worker decodes the next."""
        if not self._ahead:
            while not reader.done:
                if reader.read(self._stretches[0]):
                    yield self._stretches[0]
            return
        idle = deque(self._stretches)
        ahead = deque((worker.submit(reader.read, stretch), stretch) for stretch in (idle.popleft(),))
        while ahead:
            future, stretch = ahead.popleft()
            filled = future.result()
            # Asked for in order and done by one worker: the reader is never in two places at once.
            while idle and not reader.done:
                following = idle.popleft()
                ahead.append((worker.submit(reader.read, following), following))
            if filled:
                yield stretch
            idle.append(stretch)

    # -- the table -----------------------------------------------------------------------------------------------

    def _update(self, stretch: Stretch) -> None:
        """Take a stretch into the table."""
        counters = self._table.counters
        counters[kernel.N_SELECTED] = 0
        counters[kernel.N_CLOSED] = 0
        self._update_from(stretch.buf, stretch.packets, stretch.count, self._ordinal)
        fragments = np.flatnonzero(stretch.packets["status"][: stretch.count] == frames.FRAGMENT)
        if len(fragments):
            self._update_fragments(stretch, fragments, self._ordinal)

    def _update_from(self, buf: NDArray[np.uint8], packets: NDArray[np.void], count: int, ordinal: int) -> None:
        first = 0
        while first < count:
            first, status = kernel.update(
                self._table,
                buf,
                packets,
                first,
                count,
                ordinal,
                self._selected,
                self._closed,
                self._inputs.names,
                self._places.table,
            )
            if status == kernel.GROW:
                self._table = kernel.grow(self._table)

    def _update_fragments(self, stretch: Stretch, fragments: NDArray[np.intp], ordinal: int) -> None:
        """Reassemble; a whole datagram counts as a packet at the place of the fragment that completed it."""
        counters = self._table.counters
        for k in fragments.tolist():
            packet = stretch.packets[k]
            start = int(packet["frame"]) + int(packet["network"])
            end = int(packet["frame"]) + int(packet["captured_len"])
            whole = self._fragments.feed(stretch.buf[start:end].tobytes(), int(packet["time_ns"]))
            if whole is None:
                continue
            buf = np.frombuffer(whole, dtype=np.uint8)
            made = np.zeros(1, dtype=frames.PACKET)
            made["time_ns"] = packet["time_ns"]
            made["captured_len"] = made["wire_len"] = len(whole)
            made["link_type"] = frames.LINK_RAW
            frames.decode_frames(buf, made, 0, 1, self._inputs.key_a, self._inputs.key_b)
            look.look_at_payloads(buf, made, 0, 1, self._inputs.names)
            before = int(counters[kernel.N_SELECTED])
            self._update_from(buf, made, 1, ordinal + k)
            if int(counters[kernel.N_SELECTED]) > before:
                counters[kernel.N_SELECTED] = before
                self._late.append((self._selected[before : before + 1].copy(), buf, made, ordinal + k))

    # -- the parsers ---------------------------------------------------------------------------------------------

    def _parse(self, stretch: Stretch) -> None:
        """Hand selected packets to the parsers, in the order of capture; then let go of what is over."""
        counters = self._table.counters
        if not self._content_blind:
            selected = self._selected[: int(counters[kernel.N_SELECTED])]
            self._parsers.take(self._table, selected, stretch.buf, stretch.packets, self._ordinal)
            for late, buf, made, at in self._late:
                self._parsers.take(self._table, late, buf, made, at)
        self._late.clear()
        if self._places.grown:
            # Addresses were learnt from DNS: watch them, also in conversations that began in this stretch.
            self._places.rebuild()
            kernel.flag_places(self._table, self._places.table, int(stretch.packets["time_ns"][0]))
        self._close(int(counters[kernel.N_CLOSED]))
        self._ordinal += stretch.count
        self._since_sweep += stretch.count
        if self._since_sweep >= max(_SWEEP_PACKETS, len(self._table.conversations)):
            # The median clock of the stretch: one packet with a damaged time must not end every conversation.
            self._sweep(int(np.median(stretch.packets["time_ns"][: stretch.count])))

    # -- the end of conversations --------------------------------------------------------------------------------

    def _sweep(self, now_ns: int) -> None:
        self._since_sweep = 0
        table = self._table
        if len(self._closed) < len(table.conversations) + 2 * BATCH_PACKETS:
            self._closed = np.zeros(2 * len(table.conversations) + 2 * BATCH_PACKETS, dtype=np.int32)
        table.counters[kernel.N_CLOSED] = 0
        self._close(int(kernel.sweep(table, now_ns, self._closed, ENDED_NS, OPEN_NS, ATTEMPT_NS, DATAGRAM_NS)))

    def _close_all(self) -> None:
        self._closed = np.flatnonzero(self._table.conversations["in_use"] == 1).astype(np.int32)
        self._close(len(self._closed))

    def _close(self, count: int) -> None:
        """Finish conversations that are out of the table, and give their room back."""
        if count == 0:
            return
        table = self._table
        closed = self._closed[:count]
        flags = table.conversations["flags"][closed]
        parts = table.conversations["parts"][closed]
        if self.on_closed is not None:
            for k in closed.tolist():
                self.on_closed(summarise(table, k), *kernel.read_series(table, k))
        c = table.conversations
        self._seen.add(table.addresses[closed], c["version"][closed], c["first_ns"][closed], c["last_ns"][closed])
        self._keep_bursts(closed)
        touched = closed[((flags & np.uint32(kernel.KEEP | kernel.NOISE)) != 0) | (parts > 0)]
        for k in touched.tolist():
            kept = int(table.conversations[k]["flags"])
            conversation = summarise(table, k) if kept & kernel.KEEP and not self._content_blind else None
            self._parsers.finish(k, conversation)
            if conversation is not None and kept & kernel.PLACE:
                self._observe_place(k, conversation)
        kernel.release(table, closed, count)
        table.counters[kernel.N_CLOSED] = 0

    def _keep_bursts(self, closed: NDArray[np.int32]) -> None:
        """Reduce the packet series of conversations that lasted to bursts."""
        table = self._table
        c = table.conversations
        lasting = (c["last_ns"][closed] - c["first_ns"][closed] >= _BURSTS_NS) & (
            c["series_len"][closed] >= _BURSTS_PACKETS
        )
        for k in closed[lasting].tolist():
            time_ns, size = kernel.read_series(table, k)
            count = burst_kernels.gather_bursts(time_ns, size, time_ns, size)
            conversation = summarise(table, k)
            one = table.conversations[k]
            direction_known = bool(int(one["flags"]) & (kernel.SYN | kernel.SYN_ACK))
            if self._content_blind:
                conversation = replace(conversation, orig_p=0, resp_p=0)
                if not direction_known and _earlier(conversation.resp_h, conversation.orig_h):
                    # Who is the originator was guessed by the ports, which nobody may see.
                    conversation, size = _turned(conversation), -size
            self._facts.bursts.append(
                Bursts(
                    conversation=conversation,
                    time_ns=time_ns[:count].copy(),
                    size=size[:count].copy(),
                    direction_known=direction_known,
                    first_packet=self._timeline.packet(int(one["first_packet"])),
                )
            )

    def _observe_place(self, k: int, conversation: Conversation) -> None:
        """A conversation with an address that is looked out for."""
        first = int(self._table.conversations[k]["first_packet"])
        self._facts.observations.append(
            EndpointObservation(
                conversation=conversation,
                sign=EndpointSign.ADDRESS,
                names=(),
                addresses=(self._places.side_of(conversation),),
                time_ns=conversation.started_ns,
                packet=self._timeline.packet(first),
            )
        )


def _earlier(address: str, other: str) -> bool:
    """An order of addresses, which knows nothing of ports. Both are of one IP version."""
    return ip_address(address).packed < ip_address(other).packed


def _turned(conversation: Conversation) -> Conversation:
    """The same conversation with originator and responder the other way round."""
    c = conversation
    return replace(
        c,
        orig_h=c.resp_h,
        orig_p=c.resp_p,
        resp_h=c.orig_h,
        resp_p=c.orig_p,
        orig_bytes=c.resp_bytes,
        resp_bytes=c.orig_bytes,
        orig_pkts=c.resp_pkts,
        resp_pkts=c.orig_pkts,
        history=c.history.removeprefix("^").swapcase(),
    )


def _new_stretch() -> Stretch:
    return Stretch(buf=np.empty(0, dtype=np.uint8), packets=np.zeros(BATCH_PACKETS, dtype=frames.PACKET))
