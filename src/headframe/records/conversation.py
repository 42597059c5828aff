"""A conversation: Zeek's connection, with Zeek's names."""

from dataclasses import dataclass
from enum import IntEnum


class Direction(IntEnum):
    """Who sent it: the originator of the conversation or its responder."""

    ORIG = 0
    RESP = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """All packets between two endpoints over one transport, as Zeek's ``conn.log`` counts them.

    The originator is whoever sent the first SYN. Where no SYN was seen it is a guess by port numbers;
    a content detector may know better and says so in its own words (client, server).

    Attributes
    ----------
    uid : str
        Identifier within one run, stable for the same input.
    community_id : str
        Community ID version 1, seed 0: the same flow has the same id in Zeek and Suricata.
    proto : str
        ``tcp``, ``udp``, ``icmp`` or the IP protocol number in decimal.
    orig_h, resp_h : str
        Addresses in their canonical text form.
    orig_p, resp_p : int
        Ports; 0 where the transport has none.
    started_ns, ended_ns : int
        Capture time of the first and last packet. [ns since 1970-01-01 UTC]
    orig_bytes, resp_bytes : int
        Payload sent, counted once however often it was retransmitted. [bytes]
    orig_pkts, resp_pkts : int
        Packets sent, retransmissions included.
    missed_bytes : int
        Payload that the sequence numbers tell of but the capture lacks. [bytes]
    history : str
        Zeek's letters: upper case from the originator, lower case from the responder; ``^`` first where the
        direction was turned round.
    conn_state : str
        Zeek's state: S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR, OTH.
    """

    uid: str
    community_id: str
    proto: str
    orig_h: str
    orig_p: int
    resp_h: str
    resp_p: int
    started_ns: int
    ended_ns: int
    orig_bytes: int = 0
    resp_bytes: int = 0
    orig_pkts: int = 0
    resp_pkts: int = 0
    missed_bytes: int = 0
    history: str = ""
    conn_state: str = "OTH"
    vlan: int | None = None


def endpoint_text(address: str, port: int) -> str:
    """An address and port as one word: ``192.0.2.1:3333``, ``[2001:db8::1]:3333``; the address alone for port 0."""
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True, slots=True)
class PacketRef:
    """Where a packet is: the file as it was named, and its number in that file, counted from 1 as Wireshark does."""

    file: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChunk:
    """A piece of one direction of a reassembled TCP stream (or one datagram), in stream order.

    Attributes
    ----------
    direction : Direction
        Who sent it.
    time_ns : int
        Capture time of the packet that brought the first byte of `data`. [ns since 1970-01-01 UTC]
    packet : PacketRef
        That packet.
    data : bytes
        The payload; never empty.
    after_gap : bool
        True where bytes are missing before `data`, or the stream's beginning was not seen: a parser must look
        for the next place where a message can begin.
    """

    direction: Direction
    time_ns: int
    packet: PacketRef
    data: bytes
    after_gap: bool = False
