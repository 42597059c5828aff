"""What is read out of the few packets that the table selects: RPC streams, server names, DNS answers."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.detectors.network.stratum import StratumSession
from headframe.engines.places import WatchedPlaces
from headframe.kernels import conversations as kernel
from headframe.kernels import look
from headframe.records.conversation import Conversation, Direction, PacketRef, StreamChunk
from headframe.records.endpoint import EndpointObservation, EndpointSign
from headframe.sources.network import dns, http, quic, tls
from headframe.sources.network.reassembly import StreamAssembler

_QUIC_SPARE = 256  # QUIC datagrams decrypted beyond the first of each server
_QUIC_SHARE = 65_536  # and one more for so many packets

_EVENT_FIELDS = ("time_ns", "payload", "payload_captured", "payload_len", "seq", "ack", "tcp_flags", "proto")
_DER_NAME = re.compile(rb"[\x82\x0c\x13][\x04-\x7f](?:\*\.)?((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63})")


class Timeline:
    """Files in the order of reading, and whose packet an ordinal is."""

    def __init__(self) -> None:
        self._files: list[str] = []
        self._starts: list[int] = []

    def begin(self, file: str, ordinal: int) -> None:
        """The packet with this ordinal is the first of the file."""
        self._files.append(file)
        self._starts.append(ordinal)

    def packet(self, ordinal: int) -> PacketRef:
        """Where the packet with this ordinal is."""
        k = bisect_right(self._starts, ordinal) - 1
        return PacketRef(self._files[k], ordinal - self._starts[k] + 1)


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


class Parsers:
    """Parsers of all conversations that have one.

    Parameters
    ----------
    index : EndpointIndex
    places : WatchedPlaces
        Told of the addresses that DNS gives for names of the index.
    timeline : Timeline
    every_name : bool
        Observe names that are not in the index too.

    Attributes
    ----------
    sessions, observations
        Of the conversations that are over.
    """

    def __init__(self, index: EndpointIndex, places: WatchedPlaces, timeline: Timeline, *, every_name: bool) -> None:
        self.sessions: list[tuple[Conversation, StratumSession]] = []
        self.observations: list[EndpointObservation] = []
        self._index = index
        self._places = places
        self._timeline = timeline
        self._every_name = every_name
        self._readers: dict[int, _Reader] = {}
        self._quic_servers: set[bytes] = set()
        self._quic_more = 0
        self._table: kernel.Table

    def take(
        self,
        table: kernel.Table,
        selected: NDArray[np.void],
        buf: NDArray[np.uint8],
        packets: NDArray[np.void],
        ordinal: int,
    ) -> None:
        """Read what the table selected of one stretch of packets.

        Parameters
        ----------
        table : Table
        selected : SELECTED[n]
        buf : uint8[m]
        packets : PACKET[k]
        ordinal : int
            Ordinal of ``packets[0]`` in the whole run.
        """
        self._table = table
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
        if not self._every_name:
            for address in message.addresses:
                self._places.add(address)

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

    def finish(self, k: int, conversation: Conversation | None) -> None:
        """A conversation is over: let go of its parsers, and keep what they read where its summary is given.

        Parameters
        ----------
        k : int
            Its number in the table, which another may have next.
        conversation : Conversation or None
        """
        reader = self._readers.pop(k, None)
        if conversation is None or reader is None:
            return
        if reader.session is not None:
            if reader.assemblers is not None and not reader.dismissed:
                for assembler in reader.assemblers:
                    for chunk in assembler.flush():
                        reader.session.feed(chunk)
            self.sessions.append((conversation, reader.session))
        for sign in reader.signs:
            self.observations.append(
                EndpointObservation(
                    conversation=conversation,
                    sign=sign.sign,
                    names=sign.names,
                    addresses=sign.addresses,
                    time_ns=sign.time_ns,
                    packet=sign.packet,
                )
            )


def _assemblers() -> tuple[StreamAssembler, StreamAssembler]:
    return StreamAssembler(Direction.ORIG), StreamAssembler(Direction.RESP)


def _host_of(data: bytes) -> str | None:
    try:
        return http.request_host(data)
    except ValueError:
        return None
