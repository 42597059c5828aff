"""A second, slow reader of captures for tests: it shares nothing with the writer but the standards."""

import ipaddress
import struct
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple


class Seen(NamedTuple):
    """One TCP or UDP packet as read back."""

    time_ns: int
    source: tuple[str, int]
    target: tuple[str, int]
    proto: int
    seq: int
    ack: int
    flags: int
    payload: bytes
    frame: bytes


def ones_complement_sum(data: bytes) -> int:
    """Sum of 16-bit words with end-around carry, word by word (RFC 1071, section 1)."""
    data += b"\x00" * (len(data) % 2)
    total = 0
    for (word,) in struct.iter_unpack(">H", data):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


def records(path: Path) -> list[tuple[int, bytes]]:
    """Time [ns] and frame of every record of a little-endian pcap or pcapng file."""
    data = path.read_bytes()
    out = []
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        at, unit = 0, 1000
        while at < len(data):
            kind, length = struct.unpack_from("<II", data, at)
            assert length % 4 == 0
            assert struct.unpack_from("<I", data, at + length - 4) == (length,)
            if kind == 1:
                if length > 20:
                    assert struct.unpack_from("<HHB", data, at + 16) == (9, 1, 9)
                    unit = 1
            elif kind == 6:
                _, high, low, captured, original = struct.unpack_from("<5I", data, at + 8)
                assert captured == original
                out.append(((high << 32 | low) * unit, data[at + 28 : at + 28 + captured]))
            at += length
        return out
    magic = struct.unpack_from("<I", data)[0]
    unit = {0xA1B23C4D: 1, 0xA1B2C3D4: 1000}[magic]
    at = 24
    while at < len(data):
        seconds, rest, captured, original = struct.unpack_from("<4I", data, at)
        assert captured == original
        out.append((seconds * 10**9 + rest * unit, data[at + 16 : at + 16 + captured]))
        at += 16 + captured
    assert at == len(data)
    return out


def decode(time_ns: int, frame: bytes) -> Seen:
    """Ethernet, one VLAN tag, IPv4 or IPv6, TCP or UDP; asserts that lengths and checksums are right."""
    at = 16 if frame[12:14] == b"\x81\x00" else 12
    kind, at = frame[at : at + 2], at + 2
    if kind == b"\x08\x00":
        size = struct.unpack_from(">H", frame, at + 2)[0]
        assert frame[at] == 0x45
        assert ones_complement_sum(frame[at : at + 20]) == 0xFFFF
        proto, ends = frame[at + 9], (frame[at + 12 : at + 16], frame[at + 16 : at + 20])
        segment = frame[at + 20 : at + size]
    else:
        assert kind == b"\x86\xdd"
        size = struct.unpack_from(">H", frame, at + 4)[0]
        proto, ends = frame[at + 6], (frame[at + 8 : at + 24], frame[at + 24 : at + 40])
        segment = frame[at + 40 :]
        assert len(segment) == size
    assert ones_complement_sum(ends[0] + ends[1] + struct.pack(">HH", proto, len(segment)) + segment) == 0xFFFF
    source, target = (str(ipaddress.ip_address(end)) for end in ends)
    ports = struct.unpack_from(">HH", segment)
    if proto == 6:
        seq, ack = struct.unpack_from(">II", segment, 4)
        payload, flags = segment[(segment[12] >> 4) * 4 :], segment[13]
    else:
        seq = ack = flags = 0
        payload = segment[8:]
    return Seen(time_ns, (source, ports[0]), (target, ports[1]), proto, seq, ack, flags, payload, frame)


def decode_all(packets: list[tuple[int, bytes]]) -> list[Seen]:
    """Decode every packet."""
    return [decode(time_ns, frame) for time_ns, frame in packets]


def streams(packets: list[Seen]) -> dict[tuple[tuple[str, int], tuple[str, int]], bytes]:
    """Payload of each TCP direction in the order of sequence numbers, each byte once; asserts there is no gap."""
    pieces: dict[tuple[tuple[str, int], tuple[str, int]], dict[int, bytes]] = defaultdict(dict)
    for packet in packets:
        if packet.proto == 6 and packet.payload:
            side = pieces[packet.source, packet.target]
            side[packet.seq] = max(side.get(packet.seq, b""), packet.payload, key=len)
    out = {}
    for key, side in pieces.items():
        first = min(side, key=lambda seq: (seq - min(side)) % 2**32)
        if max(side) - min(side) > 2**31:  # sequence numbers wrapped
            first = min(seq for seq in side if seq > 2**31)
        text, at = bytearray(), first
        while at in side:
            text += side[at]
            at = (at + len(side[at])) % 2**32
        assert len(text) == sum(map(len, side.values())), f"gap in {key}"
        out[key] = bytes(text)
    return out
