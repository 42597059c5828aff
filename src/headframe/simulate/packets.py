"""Ethernet, IPv4, IPv6, TCP and UDP headers with their checksums: what a capture holds around a payload."""

import ipaddress
import struct
from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

_TCP, _UDP = 6, 17


def internet_checksum(data: bytes) -> int:
    """Ones' complement of the ones' complement sum of 16-bit words (RFC 1071).

    Adding 16-bit words with end-around carry is arithmetic modulo 65,535, which Python's integers do in one step.
    """
    if len(data) % 2:
        data += b"\x00"
    total = int.from_bytes(data, "big")
    if not total:
        return 0xFFFF
    return 0xFFFF - (total % 0xFFFF or 0xFFFF)


def mac_address(address: str) -> bytes:
    """A locally administered address that belongs to `address` alone."""
    packed = ipaddress.ip_address(address).packed
    return b"\x02\x48" + packed[-4:]


@dataclass(frozen=True, slots=True)
class Path:
    """Where the packets of one conversation run: two endpoints and, where tagged, a VLAN.

    Attributes
    ----------
    orig_h, resp_h : str
        Both IPv4 or both IPv6.
    orig_p, resp_p : int
    vlan : int or None
        IEEE 802.1Q identifier, 1 to 4094.
    """

    orig_h: str
    orig_p: int
    resp_h: str
    resp_p: int
    vlan: int | None = None

    def __post_init__(self) -> None:
        if (":" in self.orig_h) != (":" in self.resp_h):
            raise ValueError(f"{self.orig_h} and {self.resp_h} are of different IP versions")

    @property
    def is_ipv6(self) -> bool:
        """True where both endpoints have IPv6 addresses."""
        return ":" in self.orig_h

    @property
    def mss_bytes(self) -> int:
        """Largest TCP payload of a 1,500-byte packet without options. [bytes]"""
        return 1440 if self.is_ipv6 else 1460


class Framer:
    """Puts the headers of one conversation around payloads; keeps the packed addresses and the IP identification."""

    def __init__(self, path: Path, first_identification: int = 0) -> None:
        self.path = path
        ends = (ipaddress.ip_address(path.orig_h).packed, ipaddress.ip_address(path.resp_h).packed)
        macs = (mac_address(path.orig_h), mac_address(path.resp_h))
        kind = b"\x86\xdd" if path.is_ipv6 else b"\x08\x00"
        tag = b"" if path.vlan is None else b"\x81\x00" + path.vlan.to_bytes(2, "big")
        self._link = (macs[1] + macs[0] + tag + kind, macs[0] + macs[1] + tag + kind)
        self._addresses = (ends[0] + ends[1], ends[1] + ends[0])
        self._ports = (
            struct.pack(">HH", path.orig_p, path.resp_p),
            struct.pack(">HH", path.resp_p, path.orig_p),
        )
        self._identification = [first_identification & 0xFFFF, (first_identification * 7 + 1) & 0xFFFF]

    def _network(self, direction: int, proto: int, segment: bytes) -> bytes:
        if self.path.is_ipv6:
            return struct.pack(">IHBB", 0x60000000, len(segment), proto, 64) + self._addresses[direction] + segment
        self._identification[direction] = (self._identification[direction] + 1) & 0xFFFF
        # Time to live: the sensor stands one hop from the inside, nine from the outside.
        ttl = 64 if direction == 0 else 55
        head = struct.pack(">BBHHHBB", 0x45, 0, 20 + len(segment), self._identification[direction], 0x4000, ttl, proto)
        check = internet_checksum(head + b"\x00\x00" + self._addresses[direction])
        return head + check.to_bytes(2, "big") + self._addresses[direction] + segment

    def _sealed(self, direction: int, proto: int, head: bytes, tail: bytes) -> bytes:
        length = len(head) + 2 + len(tail)
        pseudo = self._addresses[direction] + struct.pack(">HH", proto, length)
        check = internet_checksum(pseudo + head + b"\x00\x00" + tail)
        if proto == _UDP and check == 0:
            check = 0xFFFF
        segment = head + check.to_bytes(2, "big") + tail
        return self._link[direction] + self._network(direction, proto, segment)

    def tcp(self, direction: int, seq: int, ack: int, flags: int, payload: bytes = b"") -> bytes:
        """A frame with one TCP segment. A SYN carries the maximum segment size and window scale options."""
        options = b""
        if flags & SYN:
            options = struct.pack(">BBHBBBB", 2, 4, self.path.mss_bytes, 1, 3, 3, 7)
        offset = (5 + len(options) // 4) << 4
        window = 64240 if flags & SYN else 502
        head = self._ports[direction] + struct.pack(">IIBBH", seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, offset, flags, window)
        return self._sealed(direction, _TCP, head, b"\x00\x00" + options + payload)

    def udp(self, direction: int, payload: bytes) -> bytes:
        """A frame with one UDP datagram."""
        head = self._ports[direction] + (8 + len(payload)).to_bytes(2, "big")
        return self._sealed(direction, _UDP, head, payload)
