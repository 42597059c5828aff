"""One machine: captures through the kernels, and the parsers for what deserves them.

Workers decode the next batch of packets, in one stretch of the file or two at once, while this thread takes the batch
before into the conversation table and hands the selected packets to the parsers. Kernels release the interpreter's
lock, so two cores work for one process, and only this thread ever touches the table.
"""

import os
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from ipaddress import ip_address

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.detectors.network.stratum import StratumSession
from headframe.errors import UnreadableInput
from headframe.kernels import conversations as kernel
from headframe.kernels import frames, look
from headframe.records.conversation import Conversation, Direction, PacketRef, StreamChunk
from headframe.records.endpoint import EndpointObservation, EndpointSign
from headframe.records.scan import Damage, InputSummary
from headframe.sources.network import dns, http, quic, tls
from headframe.sources.network.capture import (
    BATCH_PACKETS,
    CaptureReader,
    KernelInputs,
    Stretch,
    first_time_ns,
)
from headframe.sources.network.community_id import community_id
from headframe.sources.network.container import STANDARD_INPUT, open_source
from headframe.sources.network.fragments import FragmentAssembler
from headframe.sources.network.reassembly import StreamAssembler

_SECOND = 1_000_000_000

# How long a conversation stays in the table after its last packet. Zeek's defaults, but for open TCP: pools of slow
# chains may be silent for many minutes, and a longer wait only costs memory.
ENDED_NS = 5 * _SECOND
OPEN_NS = 3600 * _SECOND
ATTEMPT_NS = 60 * _SECOND
DATAGRAM_NS = 120 * _SECOND

_SWEEP_PACKETS = 1 << 21
_SWITCH_S = 0.0002
_QUIC_SPARE = 256  # QUIC datagrams decrypted beyond the first of each server
_QUIC_SHARE = 65_536  # and one more for so many packets

_PROTO_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6", 132: "sctp"}


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
    inputs: list[InputSummary] = field(default_factory=list)
    conversations: int = 0
    packets: int = 0
    bytes_read: int = 0


@dataclass(slots=True)
class _Sign:
    """An observation that waits for the end of its conversation."""

    sign: EndpointSign
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    time_ns: int
    packet: PacketRef


@dataclass(slots=True)
class _Reader:
    """Parsers of one conversation."""

    assemblers: tuple[StreamAssembler, StreamAssembler] | None = None
    session: StratumSession | None = None
    dismissed: bool = False
    wanted: bool = False
    datagrams: list[bytes] = field(default_factory=list)
    signs: list[_Sign] = field(default_factory=list)


@dataclass(slots=True)
class _Event:
    """A selected packet. Not frozen: there is one for each, and freezing doubles the cost of making it."""

    conversation: int
    side: int
    look: int
    time_ns: int
    data: bytes
    cut: bool
    seq: int
    ack: int | None
    packet: PacketRef


class _Timeline:
    """Files in the order of reading, and whose packet an ordinal is."""

    def __init__(self) -> None:
        self._files: list[str] = []
        self._starts: list[int] = []

    def begin(self, file: str, ordinal: int) -> None:
        self._files.append(file)
        self._starts.append(ordinal)

    def packet(self, ordinal: int) -> PacketRef:
        k = bisect_right(self._starts, ordinal) - 1
        return PacketRef(self._files[k], ordinal - self._starts[k] + 1)


class LocalEngine:
    """Reads captures on this machine.

    Parameters
    ----------
    index : EndpointIndex
        Names and addresses to look for.
    threads : int or None
        Workers; None for as many as this process may use, at most 8.
    secret : bytes
        16 random bytes for the hash of conversation keys: nobody outside can make collisions.
    every_name : bool
        Observe all names, not only those of the index: what `headframe calibrate` counts. Slow.
    """

    def __init__(
        self,
        index: EndpointIndex,
        *,
        threads: int | None = None,
        secret: bytes | None = None,
        every_name: bool = False,
    ) -> None:
        secret = os.urandom(16) if secret is None else secret
        self._index = index
        self._threads = max(1, min(8, threads or len(os.sched_getaffinity(0))))
        self._every_name = every_name
        self._inputs = KernelInputs(
            look.EVERY_NAME if every_name else look.name_table(index.name_hashes()),
            np.uint64(int.from_bytes(secret[:8], "little")),
            np.uint64(int.from_bytes(secret[8:16], "little")),
        )
        self._place_keys = set(_indicator_places(index))
        self._places = look.name_table(np.array(sorted(self._place_keys), dtype=np.uint64))
        self._table = kernel.new_table()
        # A batch has two stretches at the most, and a packet selects and closes one conversation at the most.
        self._selected = np.zeros(2 * BATCH_PACKETS + 1, dtype=kernel.SELECTED)
        self._closed = np.zeros(4 * BATCH_PACKETS, dtype=np.int32)
        self._borders: list[tuple[int, int]] = []
        self._late: list[tuple[NDArray[np.void], NDArray[np.uint8], NDArray[np.void], int]] = []
        self._new_places = False
        self._readers: dict[int, _Reader] = {}
        self._fragments = FragmentAssembler()
        self._quic_servers: set[bytes] = set()
        self._quic_more = 0
        self._timeline = _Timeline()
        self._facts = CaptureFacts()
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
        workers = ThreadPoolExecutor(self._threads, thread_name_prefix="headframe")
        # A worker that comes out of a kernel waits for the interpreter's lock as long as this thread may keep it:
        # 5 ms by default, longer than the kernel ran.
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        try:
            ordered, total = self._in_time_order(names)
            before = 0
            for name in ordered:
                before += self._read_file(name, workers, progress, before, total)
            self._close_all()
        finally:
            sys.setswitchinterval(interval_s)
            workers.shutdown(cancel_futures=True)
        facts = self._facts
        if facts.inputs and not any(i.packets or not i.damage for i in facts.inputs):
            first = facts.inputs[0].damage[0]
            several = f"none of {len(facts.inputs)} inputs can be read; the first: "
            raise UnreadableInput((several if len(facts.inputs) > 1 else "") + first.reason)
        facts.conversations = int(self._table.counters[kernel.N_BEGUN])
        facts.packets = sum(i.packets for i in facts.inputs)
        facts.bytes_read = sum(i.bytes_read for i in facts.inputs)
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
        damage = Damage(file=name, offset=0, length=0, packets=0, reason=str(problem))
        self._facts.inputs.append(InputSummary(file=name, damage=[damage]))

    def _read_file(
        self,
        name: str,
        workers: ThreadPoolExecutor,
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
        buffers = [[_new_stretch() for _ in range(min(2, self._threads))] for _ in range(2)]
        turn = 0
        ahead: Future[tuple[list[Stretch], int]] | None = workers.submit(
            self._next_batch, reader, buffers[turn], workers
        )
        while ahead is not None:
            batch, used = ahead.result()
            if not batch and reader.done:
                break
            turn = 1 - turn
            ahead = self._begin_batch(reader, buffers[turn], workers) if not reader.done else None
            self._update(batch)
            self._parse(batch)
            source.forget(used)
            if progress is not None:
                done = before + source.consumed
                progress(Progress(bytes_read=done, bytes_total=total, packets=self._ordinal, file=name))
        reader.close()
        return source.consumed

    def _begin_batch(
        self, reader: CaptureReader, buffers: list[Stretch], workers: ThreadPoolExecutor
    ) -> Future[tuple[list[Stretch], int]]:
        """Decode the next batch: by a worker, or here and now where one thread is all there is."""
        if self._threads > 1:
            return workers.submit(self._next_batch, reader, buffers, workers)
        done: Future[tuple[list[Stretch], int]] = Future()
        done.set_result(self._next_batch(reader, buffers, workers))
        return done

    def _next_batch(
        self, reader: CaptureReader, buffers: list[Stretch], workers: ThreadPoolExecutor
    ) -> tuple[list[Stretch], int]:
        """The next stretches, and how many bytes of the file are then used."""
        second = buffers[1] if len(buffers) > 1 else None
        batch = reader.read(buffers[0], second, workers if second is not None else None)
        return batch, reader.summary.bytes_read

    # -- the table -----------------------------------------------------------------------------------------------

    def _update(self, batch: list[Stretch]) -> None:
        """Take a batch into the table."""
        counters = self._table.counters
        counters[kernel.N_SELECTED] = 0
        counters[kernel.N_CLOSED] = 0
        self._borders.clear()
        ordinal = self._ordinal
        for stretch in batch:
            first = int(counters[kernel.N_SELECTED])
            self._update_from(stretch.buf, stretch.packets, stretch.count, ordinal)
            self._borders.append((first, int(counters[kernel.N_SELECTED])))
            fragments = np.flatnonzero(stretch.packets["status"][: stretch.count] == frames.FRAGMENT)
            if len(fragments):
                self._update_fragments(stretch, fragments, ordinal)
            ordinal += stretch.count

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
                self._places,
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

    def _parse(self, batch: list[Stretch]) -> None:
        """Hand selected packets to the parsers, in the order of capture; then let go of what is over."""
        ordinal = self._ordinal
        for (first, last), stretch in zip(self._borders, batch, strict=True):
            self._parse_selected(self._selected[first:last], stretch.buf, stretch.packets, ordinal)
            ordinal += stretch.count
        for selected, buf, made, at in self._late:
            self._parse_selected(selected, buf, made, at)
        self._late.clear()
        if self._new_places:
            self._watch_places(batch)
        self._close(int(self._table.counters[kernel.N_CLOSED]))
        self._since_sweep += ordinal - self._ordinal
        self._ordinal = ordinal
        if batch and self._since_sweep >= max(_SWEEP_PACKETS, len(self._table.conversations)):
            # The median clock of the batch: one packet with a damaged time must not end every conversation.
            last_stretch = batch[-1]
            self._sweep(int(np.median(last_stretch.packets["time_ns"][: last_stretch.count])))

    def _parse_selected(
        self, selected: NDArray[np.void], buf: NDArray[np.uint8], packets: NDArray[np.void], ordinal: int
    ) -> None:
        if len(selected) == 0:
            return
        rows = packets[selected["packet"]][list(_EVENT_FIELDS)].tolist()
        for (number, conversation, side, seen), row in zip(selected.tolist(), rows, strict=True):
            if seen == look.QUIC_INITIAL and not self._quic_wanted(conversation, ordinal):
                continue
            time_ns, payload, captured, length, seq, ack, tcp_flags, proto = row
            event = _Event(
                conversation,
                side,
                seen,
                time_ns,
                buf[payload : payload + captured].tobytes(),
                captured < length,
                (seq + ((tcp_flags >> 1) & 1)) & 0xFFFFFFFF,
                ack if tcp_flags & 0x10 else None,
                self._timeline.packet(ordinal + number),
            )
            reader = self._readers.get(conversation)
            if reader is None:
                reader = self._readers[conversation] = _Reader()
            if proto == 6:
                self._parse_segment(event, reader)
            else:
                self._parse_datagram(event, reader)

    def _quic_wanted(self, conversation: int, ordinal: int) -> bool:
        """Whether to decrypt this datagram: the first of each server always, more while they are few.

        A decryption costs as much as a thousand packets. Another name at the same address is seen in DNS too.
        """
        server = self._table.addresses[conversation, 16:].tobytes()
        if server in self._quic_servers and self._quic_more >= _QUIC_SPARE + ordinal // _QUIC_SHARE:
            return False
        self._quic_more += server in self._quic_servers
        self._quic_servers.add(server)
        return True

    def _parse_segment(self, event: _Event, reader: _Reader) -> None:
        if event.look == look.RPC or (event.look == look.NOTHING and reader.wanted):
            self._parse_content(event, reader)
            return
        if event.look == look.DNS_TCP:
            try:
                messages, _used = dns.parse_tcp_messages(event.data)
            except ValueError:
                return
            for message in messages:
                self._sign_of_answer(event, reader, message)
            return
        flags = int(self._table.conversations[event.conversation]["flags"])
        if flags & kernel.HELLO:
            self._sign_of_hello(event, reader)
        elif event.look == look.NAME or (event.look == look.NOTHING and not flags & (kernel.WANTED | kernel.NOISE)):
            self._sign_of_segment(event, reader)
        else:
            self._parse_content(event, reader)

    def _sign_of_segment(self, event: _Event, reader: _Reader) -> None:
        """A name that stands in one segment: HTTP host, server name, certificate."""
        data = event.data
        try:
            if data[:1] == b"\x16":
                if data[5:6] == b"\x01":
                    name = tls.server_name(data)
                    if name is tls.NEED_MORE:  # the hello goes on in the next segment, its name stands in this one
                        name = tls.client_hello_server_name(data[9:], whole=False)
                    if isinstance(name, str):
                        self._add_sign(reader, event, EndpointSign.TLS_SNI, (name,))
                elif event.look == look.NAME:
                    names = tls.certificate_names(data)
                    if isinstance(names, tuple):
                        self._add_sign(reader, event, EndpointSign.CERTIFICATE, names)
                    else:
                        known = self._known_names_in(data, event.time_ns)
                        self._add_sign(reader, event, EndpointSign.CERTIFICATE, known)
                return
            host = http.request_host(data)
        except ValueError:
            return
        if host is not None:
            self._add_sign(reader, event, EndpointSign.HTTP_HOST, (host,))
            self._parse_content(event, reader, sign=False)

    def _known_names_in(self, data: bytes, time_ns: int) -> tuple[str, ...]:
        """Indicator names among the strings of a certificate that goes on in later segments."""
        names = {m.decode("ascii").lower() for m in _DER_NAME.findall(data)}
        return tuple(sorted(n for n in names if self._is_wanted(n, time_ns)))

    def _is_wanted(self, name: str, time_ns: int) -> bool:
        return self._every_name or bool(self._index.match_name(name, None, time_ns))

    def _sign_of_hello(self, event: _Event, reader: _Reader) -> None:
        """A ClientHello over several segments, joined by the kernel."""
        table = self._table
        place = int(table.conversations[event.conversation]["hello"])
        self._set_flags(event, clear=kernel.HELLO)
        try:
            name = tls.server_name(table.hello[place, : int(table.hello_len[place])].tobytes())
        except ValueError:
            return
        if isinstance(name, str):
            self._add_sign(reader, event, EndpointSign.TLS_SNI, (name,))

    def _parse_datagram(self, event: _Event, reader: _Reader) -> None:
        if event.look == look.QUIC_INITIAL:
            reader.datagrams.append(event.data)
            try:
                name = quic.server_name(reader.datagrams)
            except ValueError:
                return
            if name is not None and self._is_wanted(name, event.time_ns):
                self._add_sign(reader, event, EndpointSign.QUIC_SNI, (name,))
            return
        if event.look == look.NAME:
            try:
                message = dns.parse_message(event.data)
            except ValueError:
                return
            self._sign_of_answer(event, reader, message)

    def _sign_of_answer(self, event: _Event, reader: _Reader, message: dns.DnsMessage) -> None:
        if not message.is_response:
            return
        names = message.names
        if not any(self._is_wanted(name, event.time_ns) for name in names):
            return
        self._add_sign(reader, event, EndpointSign.DNS_ANSWER, names, message.addresses)
        if self._every_name:
            return
        for address in message.addresses:
            key = _place(address, 0)
            if key not in self._place_keys and address not in _NOWHERE:
                self._place_keys.add(key)
                self._new_places = True

    def _parse_content(self, event: _Event, reader: _Reader, *, sign: bool = True) -> None:
        """Bytes for the stratum parser, in stream order."""
        if reader.dismissed:
            return
        if reader.session is None:
            reader.session = StratumSession()
        if reader.assemblers is None:
            reader.assemblers = _assemblers()
        rpc = event.look not in (look.HTTP_RPC_HEAD, look.NAME, look.RPC_WEAK)
        if rpc and not reader.wanted:
            # From here on every payload comes; what came before was picked out.
            reader.wanted = True
            for assembler in reader.assemblers:
                assembler.restart()
        if sign and event.look == look.HTTP_RPC_HEAD:
            host = _host_of(event.data)
            if host is not None and self._is_wanted(host, event.time_ns):
                self._add_sign(reader, event, EndpointSign.HTTP_HOST, (host,))
        mine, other = reader.assemblers[event.side], reader.assemblers[1 - event.side]
        if mine.fresh and self._begins_stream(event):
            mine.begins_at(event.seq)
        if event.ack is not None and other.waits:
            for chunk in other.acknowledged(event.ack):
                self._feed(event, reader, chunk)
        for chunk in mine.feed(event.seq, event.data, event.time_ns, event.packet):
            self._feed(event, reader, chunk)
        if event.cut:
            mine.restart()

    def _begins_stream(self, event: _Event) -> bool:
        c = self._table.conversations[event.conversation]
        flags = int(c["flags"])
        if event.side == Direction.ORIG:
            return bool(flags & kernel.SYN) and event.seq == (int(c["orig_isn"]) + 1) & 0xFFFFFFFF
        return bool(flags & kernel.SYN_ACK) and event.seq == (int(c["resp_isn"]) + 1) & 0xFFFFFFFF

    def _feed(self, event: _Event, reader: _Reader, chunk: StreamChunk) -> None:
        assert reader.session is not None
        if not reader.dismissed and not reader.session.feed(chunk):
            reader.dismissed = True
            self._set_flags(event, put=kernel.DISMISSED)
        elif not reader.wanted and reader.session.dialects:
            # The parser knows more words than the kernel, escaped ones for instance.
            reader.wanted = True
            self._set_flags(event, put=kernel.WANTED | kernel.KEEP)

    def _set_flags(self, event: _Event, *, put: int = 0, clear: int = 0) -> None:
        c = self._table.conversations[event.conversation]
        c["flags"] = (int(c["flags"]) | put) & ~clear

    def _add_sign(
        self,
        reader: _Reader,
        event: _Event,
        sign: EndpointSign,
        names: tuple[str, ...],
        addresses: tuple[str, ...] = (),
    ) -> None:
        if names:
            reader.signs.append(_Sign(sign, names, addresses, event.time_ns, event.packet))
            self._set_flags(event, put=kernel.KEEP)

    def _watch_places(self, batch: list[Stretch]) -> None:
        """Addresses were learnt from DNS: watch them, also in conversations that began in this batch."""
        self._new_places = False
        self._places = look.name_table(np.array(sorted(self._place_keys), dtype=np.uint64))
        since = int(batch[0].packets["time_ns"][0]) if batch and batch[0].count else 0
        kernel.flag_places(self._table, self._places, since)

    # -- the end of conversations --------------------------------------------------------------------------------

    def _sweep(self, now_ns: int) -> None:
        self._since_sweep = 0
        table = self._table
        if len(self._closed) < len(table.conversations) + 4 * BATCH_PACKETS:
            self._closed = np.zeros(2 * len(table.conversations) + 4 * BATCH_PACKETS, dtype=np.int32)
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
                self.on_closed(self._conversation(k), *kernel.read_series(table, k))
        touched = closed[((flags & np.uint32(kernel.KEEP | kernel.NOISE)) != 0) | (parts > 0)]
        for k in touched.tolist():
            reader = self._readers.pop(k, None)
            kept = int(table.conversations[k]["flags"])
            if kept & kernel.KEEP:
                self._finish(k, kept, reader)
        kernel.release(table, closed, count)
        table.counters[kernel.N_CLOSED] = 0

    def _finish(self, k: int, flags: int, reader: _Reader | None) -> None:
        conversation = self._conversation(k)
        if reader is not None:
            if reader.session is not None:
                if reader.assemblers is not None and not reader.dismissed:
                    for assembler in reader.assemblers:
                        for chunk in assembler.flush():
                            reader.session.feed(chunk)
                self._facts.sessions.append((conversation, reader.session))
            for sign in reader.signs:
                self._facts.observations.append(
                    EndpointObservation(
                        conversation=conversation,
                        sign=sign.sign,
                        names=sign.names,
                        addresses=sign.addresses,
                        time_ns=sign.time_ns,
                        packet=sign.packet,
                    )
                )
        if flags & kernel.PLACE:
            first = int(self._table.conversations[k]["first_packet"])
            # Where no SYN was seen the originator is a guess: the known address may be on its side.
            known = self._place_of(conversation)
            self._facts.observations.append(
                EndpointObservation(
                    conversation=conversation,
                    sign=EndpointSign.ADDRESS,
                    names=(),
                    addresses=(known,),
                    time_ns=conversation.started_ns,
                    packet=self._timeline.packet(first),
                )
            )

    def _place_of(self, conversation: Conversation) -> str:
        """The side of a conversation that is among the watched addresses."""
        watched = {_place(conversation.resp_h, conversation.resp_p), _place(conversation.resp_h, 0)}
        return conversation.resp_h if watched & self._place_keys else conversation.orig_h

    def _conversation(self, k: int) -> Conversation:
        table = self._table
        c = table.conversations[k]
        address = table.addresses[k].tobytes()
        size = 4 if int(c["version"]) == 4 else 16
        orig_h, resp_h = str(ip_address(address[:size])), str(ip_address(address[16 : 16 + size]))
        proto, orig_p, resp_p = int(c["proto"]), int(c["orig_p"]), int(c["resp_p"])
        flow = community_id(proto, orig_h, orig_p, resp_h, resp_p)
        started_ns = int(c["first_ns"])
        uid = blake2b(f"{flow} {started_ns} {int(c['first_packet'])}".encode(), digest_size=9).hexdigest()
        return Conversation(
            uid="C" + uid,
            community_id=flow,
            proto=_PROTO_NAMES.get(proto, str(proto)),
            orig_h=orig_h,
            orig_p=orig_p,
            resp_h=resp_h,
            resp_p=resp_p,
            started_ns=started_ns,
            ended_ns=int(c["last_ns"]),
            orig_bytes=int(c["orig_bytes"]),
            resp_bytes=int(c["resp_bytes"]),
            orig_pkts=int(c["orig_pkts"]),
            resp_pkts=int(c["resp_pkts"]),
            missed_bytes=max(0, int(c["missed_bytes"])),
            history=c["history"][: int(c["history_len"])].tobytes().decode("ascii"),
            conn_state=_conn_state(proto, int(c["flags"]), int(c["orig_pkts"]), int(c["resp_pkts"])),
            vlan=int(c["vlan"]) or None,
        )


_EVENT_FIELDS = ("time_ns", "payload", "payload_captured", "payload_len", "seq", "ack", "tcp_flags", "proto")
_DER_NAME = re.compile(rb"[\x82\x0c\x13][\x04-\x7f](?:\*\.)?((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63})")
_NOWHERE = frozenset(("0.0.0.0", "127.0.0.1", "::", "::1"))  # noqa: S104  what a resolver that blocks a name answers


def _new_stretch() -> Stretch:
    return Stretch(buf=np.empty(0, dtype=np.uint8), packets=np.zeros(BATCH_PACKETS, dtype=frames.PACKET))


def _assemblers() -> tuple[StreamAssembler, StreamAssembler]:
    return StreamAssembler(Direction.ORIG), StreamAssembler(Direction.RESP)


def _host_of(data: bytes) -> str | None:
    try:
        return http.request_host(data)
    except ValueError:
        return None


def _place(address: str, port: int) -> int:
    """`place_key` of an address in text form."""
    value = ip_address(address)
    number = int(value)
    high, low = (0, number) if value.version == 4 else (number >> 64, number & 0xFFFFFFFFFFFFFFFF)
    row = (np.array([part], dtype=np.uint64) for part in (high, low, port))
    return int(kernel.place_keys(*row)[0])


def _indicator_places(index: EndpointIndex) -> list[int]:
    keys = index.address_keys()
    zeros = np.zeros(len(keys.v4), np.uint64)
    v4 = kernel.place_keys(zeros, keys.v4.astype(np.uint64), keys.v4_port.astype(np.uint64))
    v6 = kernel.place_keys(keys.v6_high, keys.v6_low, keys.v6_port.astype(np.uint64))
    return [*v4.tolist(), *v6.tolist()]


def _conn_state(proto: int, flags: int, orig_pkts: int, resp_pkts: int) -> str:
    """Zeek's summary of how a connection went (Zeek documentation, ``conn.log``, conn_state)."""
    if proto != 6:
        return "SF" if orig_pkts and resp_pkts else "S0" if orig_pkts else "SHR"
    syn, syn_ack = bool(flags & kernel.SYN), bool(flags & kernel.SYN_ACK)
    orig_fin, resp_fin = bool(flags & kernel.ORIG_FIN), bool(flags & kernel.RESP_FIN)
    orig_rst, resp_rst = bool(flags & kernel.ORIG_RST), bool(flags & kernel.RESP_RST)
    if syn and syn_ack:
        if orig_rst:
            return "RSTO"
        if resp_rst:
            return "RSTR"
        return {(True, True): "SF", (True, False): "S2", (False, True): "S3", (False, False): "S1"}[orig_fin, resp_fin]
    if syn:
        if resp_rst:
            return "REJ"
        if orig_rst:
            return "RSTOS0"
        return "SH" if orig_fin else "S0" if resp_pkts == 0 else "OTH"
    if syn_ack:
        return "RSTRH" if resp_rst else "SHR" if resp_fin else "OTH"
    return "OTH"
