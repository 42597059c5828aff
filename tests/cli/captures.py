"""Captures small enough to write by hand: one Stratum session, and office traffic without any."""

import json
import struct

T0_S = 1_700_000_000


def _checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def _frame(src: str, sport: int, dst: str, dport: int, seq: int, ack: int, flags: int, payload: bytes) -> bytes:
    def packed(address: str) -> bytes:
        return bytes(int(part) for part in address.split("."))

    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 64_240, 0, 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0, packed(src), packed(dst))
    head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + head + tcp


def session(messages: list[tuple[str, bytes]], *, client: str, server: str, port: int, step_s: float = 1.0) -> bytes:
    """A pcap file with one TCP conversation; `messages` are pairs of ``c`` or ``s`` and what it sends."""
    frames: list[bytes] = []
    seq = {"c": 1_000, "s": 9_000}

    def send(who: str, flags: int, payload: bytes = b"") -> None:
        other = "s" if who == "c" else "c"
        ends = (client, 40_000, server, port) if who == "c" else (server, port, client, 40_000)
        frames.append(_frame(*ends, seq[who], seq[other] if flags & 0x10 else 0, flags, payload))
        seq[who] += len(payload) + (1 if flags & 0x03 else 0)

    send("c", 0x02)
    send("s", 0x12)
    send("c", 0x10)
    for who, payload in messages:
        send(who, 0x18, payload)
        send("s" if who == "c" else "c", 0x10)
    send("c", 0x11)
    send("s", 0x11)
    send("c", 0x10)
    records = b""
    for number, frame in enumerate(frames):
        at = T0_S + number * step_s
        records += struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1) + records


def _line(**message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def miner() -> bytes:
    """A miner that subscribes, is authorised, gets work and has ten shares accepted."""
    hexes = {"prev": "00" * 32, "one": "01" * 40, "two": "02" * 40}
    notify = _line(
        id=None, method="mining.notify",
        params=["4f", hexes["prev"], hexes["one"], hexes["two"], [], "20000000", "1a0377ae", "65536a00", True],
    )  # fmt: skip
    messages = [
        ("c", _line(id=1, method="mining.subscribe", params=["cgminer/4.12.0"])),
        (
            "s",
            _line(
                id=1, result=[[["mining.notify", "ae68"], ["mining.set_difficulty", "b4b6"]], "08000002", 4], error=None
            ),
        ),
        ("c", _line(id=2, method="mining.authorize", params=["1BoatSLRHtKNngkdXEeobR76b53LETtpyT.rig7", "x"])),
        ("s", _line(id=2, result=True, error=None)),
        ("s", _line(id=None, method="mining.set_difficulty", params=[4096])),
        ("s", notify),
    ]
    for share in range(10):
        parameters = ["1BoatSLRHtKNngkdXEeobR76b53LETtpyT.rig7", "4f", f"{share:08x}", "65536a10", f"{share:08x}"]
        messages += [
            ("c", _line(id=10 + share, method="mining.submit", params=parameters)),
            ("s", _line(id=10 + share, result=True, error=None)),
        ]
    return session(messages, client="192.0.2.10", server="198.51.100.20", port=3333)


def office() -> bytes:
    """A page fetched over HTTP."""
    return session(
        [
            ("c", b"GET / HTTP/1.1\r\nHost: intranet.example\r\n\r\n"),
            ("s", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        ],
        client="192.0.2.11", server="198.51.100.21", port=80,
    )  # fmt: skip
