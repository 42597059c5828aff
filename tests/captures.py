"""Frames and capture files for tests, built field by field from the standards; nothing comes from the package."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

T0_S = 1_700_000_000

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# -- transport ---------------------------------------------------------------------------------------------------------


def tcp(
    sport: int, dport: int, seq: int, ack: int = 0, flags: int = ACK, payload: bytes = b"", options: bytes = b""
) -> bytes:
    """A TCP segment; `options` in multiples of 4 bytes."""
    offset = (20 + len(options)) // 4
    head = struct.pack("!HHIIBBHHH", sport, dport, seq % 2**32, ack % 2**32, offset << 4, flags, 64_000, 0, 0)
    return head + options + payload


def udp(sport: int, dport: int, payload: bytes = b"") -> bytes:
    """A UDP datagram."""
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def icmp(payload: bytes = b"") -> bytes:
    """An ICMP echo request."""
    return b"\x08\0\0\0\0\1\0\1" + payload


# -- network -----------------------------------------------------------------------------------------------------------


def ipv4(
    src: str,
    dst: str,
    proto: int,
    body: bytes,
    *,
    options: bytes = b"",
    ident: int = 1,
    offset: int = 0,
    more: bool = False,
    total: int | None = None,
) -> bytes:
    """An IPv4 packet; `offset` of a fragment in bytes, `total` overrides the total length."""
    words = (20 + len(options)) // 4
    length = 20 + len(options) + len(body) if total is None else total
    head = struct.pack(
        "!BBHHHBBH4s4s",
        0x40 | words,
        0,
        length,
        ident,
        (0x2000 if more else 0) | offset // 8,
        64,
        proto,
        0,
        ip_address(src).packed,
        ip_address(dst).packed,
    )
    head += options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def ipv6(src: str, dst: str, proto: int, body: bytes, *, extensions: Sequence[tuple[int, bytes]] = ()) -> bytes:
    """An IPv6 packet; `extensions` are pairs of a header's number and its bytes without the next-header byte."""
    kinds = [kind for kind, _ in extensions] + [proto]
    chain = b"".join(bytes([kinds[k + 1]]) + rest for k, (_, rest) in enumerate(extensions))
    head = struct.pack(
        "!IHBB16s16s", 6 << 28, len(chain) + len(body), kinds[0], 64, ip_address(src).packed, ip_address(dst).packed
    )
    return head + chain + body


def fragment_header(offset: int, more: bool, ident: int) -> tuple[int, bytes]:
    """An IPv6 fragment header (RFC 8200 4.5) for `extensions`."""
    return 44, struct.pack("!BHI", 0, offset | int(more), ident)


def gre(kind: int, body: bytes, *, checksummed: bool = False, key: int | None = None, seq: int | None = None) -> bytes:
    """RFC 2784 and RFC 2890."""
    flags = (0x8000 if checksummed else 0) | (0x2000 if key is not None else 0) | (0x1000 if seq is not None else 0)
    out = struct.pack("!HH", flags, kind)
    if checksummed:
        out += b"\0\0\0\0"
    if key is not None:
        out += struct.pack("!I", key)
    if seq is not None:
        out += struct.pack("!I", seq)
    return out + body


def vxlan(body: bytes, vni: int = 7, sport: int = 50_000) -> bytes:
    """A UDP datagram to the VXLAN port (RFC 7348)."""
    return udp(sport, 4789, struct.pack("!II", 0x08000000, vni << 8) + body)


# -- link --------------------------------------------------------------------------------------------------------------


def ethernet(kind: int, body: bytes) -> bytes:
    """An Ethernet II frame without its check sequence."""
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1" + struct.pack("!H", kind) + body


def snap(kind: int, body: bytes) -> bytes:
    """An 802.3 frame with LLC and SNAP (RFC 1042)."""
    inner = b"\xaa\xaa\x03\0\0\0" + struct.pack("!H", kind) + body
    return ethernet(min(len(inner), 1500), inner)


def vlan(tag: int, kind: int, body: bytes) -> bytes:
    """What follows a VLAN EtherType."""
    return struct.pack("!HH", tag, kind) + body


def mpls(labels: Sequence[int], body: bytes) -> bytes:
    """A label stack (RFC 3032)."""
    out = b""
    for k, label in enumerate(labels):
        out += struct.pack("!I", label << 12 | (1 if k == len(labels) - 1 else 0) << 8 | 64)
    return out + body


def pppoe(body: bytes) -> bytes:
    """A PPPoE session header (RFC 2516); `body` begins with the PPP protocol."""
    return struct.pack("!BBHH", 0x11, 0, 1, len(body)) + body


def sll(kind: int, body: bytes) -> bytes:
    """LINKTYPE_LINUX_SLL."""
    return struct.pack("!HHH8sH", 0, 1, 6, b"\x02\0\0\0\0\1\0\0", kind) + body


def sll2(kind: int, body: bytes) -> bytes:
    """LINKTYPE_LINUX_SLL2."""
    return struct.pack("!HHIHBB8s", kind, 0, 1, 1, 0, 6, b"\x02\0\0\0\0\1\0\0") + body


# -- a plain frame -----------------------------------------------------------------------------------------------------


def frame(
    src: str, sport: int, dst: str, dport: int, seq: int = 0, ack: int = 0, flags: int = ACK, payload: bytes = b""
) -> bytes:
    """Ethernet, IP of the addresses' version, TCP."""
    segment = tcp(sport, dport, seq, ack, flags, payload)
    if ":" in src:
        return ethernet(0x86DD, ipv6(src, dst, 6, segment))
    return ethernet(0x0800, ipv4(src, dst, 6, segment))


# -- files -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Packet:
    """A packet for a file: time, bytes, and the length on the wire where it is not the length of the bytes."""

    time_ns: int
    data: bytes
    wire: int | None = None
    interface: int = 0

    @property
    def wire_len(self) -> int:
        """Length on the wire [bytes]."""
        return len(self.data) if self.wire is None else self.wire


def packets_of(frames: Sequence[bytes], *, start_ns: int = T0_S * 10**9, step_ns: int = 1_000_000) -> list[Packet]:
    """Frames at regular times."""
    return [Packet(start_ns + k * step_ns, data) for k, data in enumerate(frames)]


def pcap_file(
    packets: Sequence[Packet],
    *,
    order: str = "<",
    nanoseconds: bool = False,
    kuznetzov: bool = False,
    link_type: int = 1,
    snap_len: int = 262_144,
) -> bytes:
    """A classic capture file."""
    magic = 0xA1B2CD34 if kuznetzov else 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap_len, link_type)]
    for packet in packets:
        seconds, rest = divmod(packet.time_ns, 10**9)
        fraction = rest if nanoseconds else rest // 1000
        out.append(struct.pack(order + "IIII", seconds, fraction, len(packet.data), packet.wire_len))
        if kuznetzov:
            out.append(struct.pack(order + "IHBB", 2, 0x0800, 0, 0))
        out.append(packet.data)
    return b"".join(out)


def block(kind: int, body: bytes, *, order: str = "<") -> bytes:
    """A pcapng block."""
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def option(code: int, value: bytes, *, order: str = "<") -> bytes:
    """A pcapng option."""
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(*, order: str = "<", options: bytes = b"") -> bytes:
    """A section header block of unknown length."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options, order=order)


def interface(
    link_type: int = 1,
    *,
    order: str = "<",
    resolution: int | None = None,
    offset_s: int | None = None,
    snap_len: int = 0,
) -> bytes:
    """An interface description block; `resolution` is the byte of ``if_tsresol``."""
    options = option(2, b"eth0", order=order)
    if resolution is not None:
        options += option(9, bytes([resolution]), order=order)
    if offset_s is not None:
        options += option(14, struct.pack(order + "q", offset_s), order=order)
    options += option(0, b"", order=order)
    return block(1, struct.pack(order + "HHI", link_type, 0, snap_len) + options, order=order)


def enhanced(packet: Packet, ticks: int, *, order: str = "<", options: bytes = b"") -> bytes:
    """An enhanced packet block."""
    head = struct.pack(
        order + "IIIII", packet.interface, ticks >> 32, ticks & 0xFFFFFFFF, len(packet.data), packet.wire_len
    )
    padded = packet.data + b"\0" * (-len(packet.data) % 4)
    return block(6, head + padded + options, order=order)


def obsolete(packet: Packet, ticks: int, *, order: str = "<") -> bytes:
    """The packet block of old."""
    head = struct.pack(
        order + "HHIIII", packet.interface, 3, ticks >> 32, ticks & 0xFFFFFFFF, len(packet.data), packet.wire_len
    )
    return block(2, head + packet.data, order=order)


def simple(packet: Packet, *, order: str = "<") -> bytes:
    """A simple packet block: no time, no interface."""
    return block(3, struct.pack(order + "I", packet.wire_len) + packet.data, order=order)


def pcapng_file(packets: Sequence[Packet], *, order: str = "<", link_type: int = 1) -> bytes:
    """One section, one interface, microseconds."""
    out = [section(order=order), interface(link_type, order=order)]
    out += [enhanced(p, p.time_ns // 1000, order=order) for p in packets]
    return b"".join(out)
