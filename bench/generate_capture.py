"""Write a large capture that looks like a campus link, for measuring readers.

``python bench/generate_capture.py --packets 16000000 --seed 1 OUT.pcap [--format pcap|pcapng]``

Every conversation follows a script of packet templates: an opening, a body that repeats, an end. The plan (who, when,
how long) is drawn with NumPy; one numba loop copies the templates into a slab, fills in addresses, sequence numbers
and checksums, and the slab goes to disk. Memory is bounded by the slab and by a few words per conversation. The mix
does not depend on the size, so 1 M, 4 M and 16 M packets are the same link seen for longer.

Beside ``OUT.pcap`` it writes ``OUT.truth.json``: packets, bytes, conversations, and the miners with their pools.

Inside hosts are in 10.0.0.0/8, outside hosts in 198.18.0.0/15, which RFC 2544 sets aside for benchmarks; IPv6 is in
2001:db8::/32 (RFC 3849), and names end in ``.example`` (RFC 2606).
"""

import argparse
import ipaddress
import json
import random
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numba
import numpy as np

from headframe.simulate import quic, tls

START_NS = 1_767_261_600_000_000_000  # 2026-01-01 10:00:00 UTC
SPAN_US = 3_600_000_000
CHUNK_PACKETS = 40_000
SEGMENT = 1448  # 1500 less 20 of IPv4, 20 of TCP and 12 of timestamps
ORIG, RESP = 0, 1
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
PLAIN, TLS_RECORD, DNS_ID = 0, 1, 2

# A step is (direction, flags, fixed payload, least fill, most fill, style).
Step = tuple[int, int, bytes, int, int, int]


def data(direction: int, payload: bytes) -> list[Step]:
    """A message as the segments that carry it."""
    return [(direction, PSH | ACK, payload[at : at + SEGMENT], 0, 0, PLAIN) for at in range(0, len(payload), SEGMENT)]


def noise(direction: int, least: int, most: int, style: int = PLAIN) -> Step:
    return (direction, PSH | ACK, b"", least, most, style)


def ack(direction: int) -> Step:
    return (direction, ACK, b"", 0, 0, PLAIN)


HANDSHAKE: list[Step] = [(ORIG, SYN, b"", 0, 0, PLAIN), (RESP, SYN | ACK, b"", 0, 0, PLAIN), ack(ORIG)]
GOODBYE: list[Step] = [(ORIG, FIN | ACK, b"", 0, 0, PLAIN), (RESP, FIN | ACK, b"", 0, 0, PLAIN), ack(ORIG)]


@dataclass
class Script:
    """One kind of conversation: what is said, to which port, and how often and how long it occurs."""

    name: str
    proto: int
    port: int
    opening: list[Step]
    body: list[Step]
    ending: list[Step]
    weight: float
    least: int
    most: int
    alpha: float = 1.1
    servers: int = 8
    miner: dict[str, str] | None = None
    fixed_server: int = -1
    first_packets: int = field(init=False)

    def __post_init__(self) -> None:
        self.first_packets = len(self.opening) + len(self.ending)
        self.least = max(self.least, self.first_packets)
        self.most = max(self.most, self.least)


def dns_message(name: str, *, answer: bytes | None) -> bytes:
    """A query for an address, or its answer (RFC 1035, section 4.1)."""
    question = b"".join(bytes((len(part),)) + part.encode() for part in name.split(".")) + b"\x00\x00\x01\x00\x01"
    if answer is None:
        return struct.pack(">6H", 0, 0x0100, 1, 0, 0, 0) + question
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + answer
    return struct.pack(">6H", 0, 0x8180, 1, 1, 0, 0) + question + record


def line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def stratum_v1(rng: random.Random, variant: int) -> tuple[list[Step], list[Step]]:
    """A Bitcoin miner's talk: subscribe, authorize, then jobs and shares, as many as an hour can hold."""
    worker = f"bench{variant}.rig{rng.randrange(100)}"
    opening = data(ORIG, line({"id": 1, "method": "mining.subscribe", "params": [f"benchminer/4.{variant}"]}))
    opening += data(
        RESP,
        line(
            {"id": 1, "result": [[["mining.notify", rng.randbytes(4).hex()]], rng.randbytes(4).hex(), 4], "error": None}
        ),
    )
    opening += data(ORIG, line({"id": 2, "method": "mining.authorize", "params": [worker, "x"]}))
    opening += data(RESP, line({"id": 2, "result": True, "error": None}))
    opening += data(RESP, line({"id": None, "method": "mining.set_difficulty", "params": [65536]}))

    def job() -> list[Step]:
        params = [
            rng.randbytes(4).hex(),
            rng.randbytes(32).hex(),
            rng.randbytes(60).hex(),
            rng.randbytes(70).hex(),
            [rng.randbytes(32).hex() for _ in range(10)],
            "20000000",
            "1702f128",
            "6774f9a0",
            False,
        ]
        return [*data(RESP, line({"id": None, "method": "mining.notify", "params": params})), ack(ORIG)]

    opening += job()
    body: list[Step] = []
    for number in range(3, 200):
        share = [worker, rng.randbytes(4).hex(), rng.randbytes(4).hex(), "6774f9a0", rng.randbytes(4).hex()]
        body += data(ORIG, line({"id": number, "method": "mining.submit", "params": share}))
        body += data(RESP, line({"id": number, "result": True, "error": None}))
        body.append(ack(ORIG))
        if number % 3 == 0:
            body += job()
    return opening, body


def cryptonote(rng: random.Random, variant: int) -> tuple[list[Step], list[Step]]:
    """A Monero miner's talk: login with the first job, then jobs and shares."""
    session = rng.randbytes(8).hex()

    def job() -> dict[str, object]:
        return {
            "blob": rng.randbytes(76).hex(),
            "job_id": rng.randbytes(6).hex(),
            "target": "b88d0600",
            "algo": "rx/0",
            "height": 3_300_000 + rng.randrange(1000),
            "seed_hash": rng.randbytes(32).hex(),
        }

    login = {"login": f"4Bench{variant}", "pass": "x", "agent": f"BenchRig/6.{variant}", "algo": ["rx/0"]}
    opening = data(ORIG, line({"id": 1, "jsonrpc": "2.0", "method": "login", "params": login}))
    opening += data(
        RESP, line({"id": 1, "jsonrpc": "2.0", "error": None, "result": {"id": session, "job": job(), "status": "OK"}})
    )
    opening.append(ack(ORIG))
    body: list[Step] = []
    for number in range(2, 200):
        share = {
            "id": session,
            "job_id": rng.randbytes(6).hex(),
            "nonce": rng.randbytes(4).hex(),
            "result": rng.randbytes(32).hex(),
        }
        body += data(ORIG, line({"id": number, "jsonrpc": "2.0", "method": "submit", "params": share}))
        body += data(RESP, line({"id": number, "jsonrpc": "2.0", "error": None, "result": {"status": "OK"}}))
        body.append(ack(ORIG))
        if number % 3 == 0:
            body += [*data(RESP, line({"jsonrpc": "2.0", "method": "job", "params": job()})), ack(ORIG)]
    return opening, body


def scripts(rng: random.Random) -> list[Script]:
    """Every kind of conversation on the link, with its share of all conversations in `weight`."""
    made: list[Script] = []
    words = ["www", "cdn", "api", "mail", "static", "img", "login", "news", "video", "files"]
    bodies: dict[str, tuple[float, list[Step]]] = {
        "browse": (4.0, [noise(ORIG, 180, 700, TLS_RECORD), ack(RESP), noise(RESP, 300, 1400, TLS_RECORD),
                         noise(RESP, SEGMENT, SEGMENT), ack(ORIG), noise(RESP, 500, 1440), ack(ORIG),
                         noise(ORIG, 40, 90, TLS_RECORD), noise(RESP, 40, 250, TLS_RECORD), ack(ORIG)]),
        "chat": (2.0, [noise(ORIG, 50, 300, TLS_RECORD), ack(RESP), noise(RESP, 40, 220, TLS_RECORD), ack(ORIG)]),
        "fetch": (1.0, [noise(RESP, SEGMENT - 5, SEGMENT - 5, TLS_RECORD), noise(RESP, SEGMENT, SEGMENT), ack(ORIG),
                        noise(RESP, SEGMENT, SEGMENT), ack(ORIG), noise(ORIG, 40, 60, TLS_RECORD), ack(RESP)]),
        "push": (0.4, [noise(ORIG, SEGMENT - 5, SEGMENT - 5, TLS_RECORD), noise(ORIG, SEGMENT, SEGMENT), ack(RESP),
                       ack(RESP)]),
    }  # fmt: skip
    for variant in range(72):
        name = f"{words[variant % 10]}{variant}.site{variant * 7 % 31}.example"
        tls13, post_quantum = variant % 4 != 0, variant % 3 == 1
        hello = tls.client_hello(name, rng, tls13=tls13, post_quantum=tls13 and post_quantum)
        opening = [*HANDSHAKE, *data(ORIG, hello), ack(RESP)]
        opening += [*data(RESP, tls.server_hello_flight(rng, tls13=tls13)), ack(ORIG)]
        opening += data(ORIG, tls.client_finish(rng, tls13=tls13))
        kind = list(bodies)[(0, 0, 0, 1, 1, 0, 2, 0, 3, 1)[variant % 10]]
        made.append(Script(f"tls-{kind}", 6, 443, opening, bodies[kind][1], GOODBYE, 28 / 72, 16, 150_000,
                           servers=1 + variant % 24))  # fmt: skip
        address = bytes((198, 18, variant, 1))
        made.append(Script("dns", 17, 53, [(ORIG, 0, dns_message(name, answer=None), 0, 0, DNS_ID),
                                           (RESP, 0, dns_message(name, answer=address), 0, 0, DNS_ID)],
                           [], [], 30 / 72, 2, 2, servers=3, fixed_server=variant % 4))  # fmt: skip
    for variant in range(24):
        name = f"{words[variant % 10]}{variant}.plain.example"
        ask = (f"GET /page/{rng.randrange(10**6)} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: bench/1.0\r\n"
               "Accept: */*\r\nConnection: keep-alive\r\n\r\n").encode()  # fmt: skip
        tell = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 40000\r\n\r\n"
        exchange = [*data(ORIG, ask), ack(RESP), (RESP, PSH | ACK, tell, 300, 1300, PLAIN), ack(ORIG),
                    noise(RESP, 200, SEGMENT), ack(ORIG)]  # fmt: skip
        made.append(Script("http", 6, 80, HANDSHAKE + exchange, exchange, GOODBYE, 7 / 24, 14, 20_000, servers=9))
        hello_quic = quic.client_initial(f"h3-{name}", rng)
        identifier = rng.randbytes(8)
        answer = b"\xc1\x00\x00\x00\x01\x00\x08" + identifier + b"\x00\x44\x96" + rng.randbytes(1174)
        finish = b"\xe1\x00\x00\x00\x01\x08" + identifier + b"\x00\x40\x46" + rng.randbytes(70)
        opening = [(ORIG, 0, hello_quic, 0, 0, PLAIN), (RESP, 0, answer, 0, 0, PLAIN),
                   (ORIG, 0, finish, 0, 0, PLAIN)]  # fmt: skip
        body = [(RESP, 0, b"\x4a", 200, 1250, PLAIN), (RESP, 0, b"\x4b", 20, 1250, PLAIN),
                (ORIG, 0, b"\x51" + identifier, 20, 40, PLAIN)]  # fmt: skip
        made.append(Script("quic", 17, 443, opening, body, [], 12 / 24, 8, 100_000, servers=12))
    ssh = HANDSHAKE + data(ORIG, b"SSH-2.0-OpenSSH_9.7\r\n") + data(RESP, b"SSH-2.0-OpenSSH_9.6\r\n")
    typing = [noise(ORIG, 36, 68), noise(RESP, 36, 68), ack(ORIG), noise(RESP, 36, 420), ack(ORIG)]
    made.append(Script("ssh", 6, 22, ssh, typing, GOODBYE, 0.8, 40, 60_000, servers=60))
    binary = [noise(ORIG, 90, 250), noise(RESP, 90, 1400), noise(ORIG, 90, 180), noise(RESP, 60, 800), ack(ORIG)]
    made.append(Script("file share", 6, 445, HANDSHAKE, binary, GOODBYE, 2.2, 20, 150_000, servers=40))
    made.append(Script("ntp", 17, 123, [(ORIG, 0, b"\x23" + bytes(47), 0, 0, PLAIN),
                                        (RESP, 0, b"\x24\x02" + bytes(46), 0, 0, PLAIN)], [], [], 4, 2, 2))  # fmt: skip
    for port in (23, 2323, 8080, 3389, 5900):
        steps = [(ORIG, SYN, b"", 0, 0, PLAIN), (RESP, RST | ACK, b"", 0, 0, PLAIN)]
        made.append(Script("refused", 6, port, steps, [], [], 0.8, 2, 2, servers=4000))
    call = data(ORIG, line({"jsonrpc": "2.0", "id": 1, "method": "status", "params": []}))
    call += [*data(RESP, line({"jsonrpc": "2.0", "id": 1, "result": {"ok": True}})), ack(ORIG)]
    made.append(Script("json-rpc", 6, 8545, HANDSHAKE + call, call, GOODBYE, 0.4, 12, 2_000, servers=20))
    for variant in range(8):
        opening, body = (stratum_v1, cryptonote)[variant % 2](rng, variant)
        facts = {"protocol": ("stratum-v1", "cryptonote")[variant % 2], "coin": ("BTC", "XMR")[variant % 2],
                 "pool": f"pool{variant}.example"}  # fmt: skip
        # About 75 miners among 300,000 conversations, one in some hundred hosts that speak in the hour.
        made.append(Script("miner", 6, (3333, 5555)[variant % 2], HANDSHAKE + opening, body, [], 0.024 / 8, 120, 700,
                           servers=1, miner=facts, fixed_server=60_000 + variant))  # fmt: skip
    return made


@dataclass
class Plan:
    """The conversations, one row each."""

    script: np.ndarray
    packets: np.ndarray
    start_us: np.ndarray
    duration_us: np.ndarray
    client: np.ndarray
    server: np.ndarray
    client_port: np.ndarray
    ipv6: np.ndarray
    vlan: np.ndarray
    burst: np.ndarray


def draw_plan(made: list[Script], packets: int, rng: np.random.Generator) -> Plan:
    """Draw conversations until they hold exactly `packets` packets."""
    weight = np.array([s.weight for s in made])
    weight /= weight.sum()
    mean_guess = 60
    script = np.empty(0, np.int64)
    length = np.empty(0, np.int64)
    while length.sum() < packets:
        count = max(int((packets - length.sum()) / mean_guess * 0.5), 200)
        more = rng.choice(len(made), count, p=weight)
        least = np.array([s.least for s in made], float)[more]
        most = np.array([s.most for s in made], float)[more] + 1
        alpha = np.array([s.alpha for s in made])[more]
        # Stratified draws of a truncated Pareto law keep the tail, and so the mix, the same at every size.
        u = rng.permutation((np.arange(count) + rng.random(count)) / count)
        drawn = least * (1 - u * (1 - (least / most) ** alpha)) ** (-1 / alpha)
        mines = np.array([s.miner is not None for s in made])[more]
        drawn = np.where(mines, least + u * (most - least), drawn)
        script, length = np.concatenate((script, more)), np.concatenate((length, drawn.astype(np.int64)))
    last = int(np.searchsorted(np.cumsum(length), packets)) + 1
    script, length = script[:last], length[:last]
    spare = int(length.sum()) - packets
    order = np.argsort(-length)
    room = length - np.array([s.least for s in made])[script]
    for row in order:  # The surplus is less than the longest conversation; it comes off the longest ones.
        cut = min(spare, int(room[row]))
        length[row] -= cut
        spare -= cut
        if not spare:
            break
    n = len(script)
    mines = np.array([s.miner is not None for s in made])[script]
    gap_us = np.exp(rng.normal(np.log(20_000), 1.0, n))
    duration = np.clip(length * gap_us, length * 400, SPAN_US * 0.97)
    duration = np.where(mines, SPAN_US * rng.uniform(0.6, 0.97, n), duration).astype(np.int64)
    start = (rng.random(n) * (SPAN_US - duration - 1_000_000)).astype(np.int64)
    hosts = max(2_000, min(30_000, n // 6))
    client = np.minimum((hosts * rng.random(n) ** 2.2).astype(np.int64), hosts - 1)
    groups = np.array([s.servers for s in made])[script]
    fixed = np.array([s.fixed_server for s in made])[script]
    base = (np.arange(len(made)) * 331 % 50_000 + 256)[script]
    server = np.where(fixed >= 0, fixed, base + (groups * rng.random(n) ** 2).astype(np.int64))
    port = rng.integers(1024, 65536, n)
    proto_port = np.array([s.proto << 16 | s.port for s in made])[script]
    while True:
        key = np.stack((client, server, port, proto_port), axis=1)
        _, first = np.unique(key, axis=0, return_index=True)
        twice = np.setdiff1d(np.arange(n), first)
        if not len(twice):
            break
        port[twice] = rng.integers(1024, 65536, len(twice))
    vlan = np.where(client % 7 == 0, 100 + client % 11, 0)
    burst = np.where(mines, 3, 6)
    return Plan(script, length, start, duration, client, server, port, rng.random(n) < 0.05, vlan, burst)


@dataclass
class Steps:
    """All steps of all scripts in flat arrays, and where each script's three parts begin."""

    fields: np.ndarray  # int32[steps, 6]: direction, flags, offset, length, least fill, most fill
    style: np.ndarray
    payload: np.ndarray
    parts: np.ndarray  # int32[scripts, 6]: start and length of opening, body, ending


def flatten(made: list[Script]) -> Steps:
    fields, style, payload, parts = [], [], bytearray(), []
    for script in made:
        row = []
        for steps in (script.opening, script.body, script.ending):
            row += [len(fields), len(steps)]
            for direction, flags, fixed, least, most, how in steps:
                fields.append((direction, flags, len(payload), len(fixed), least, most))
                style.append(how)
                payload += fixed
        parts.append(row)
    return Steps(
        np.array(fields, np.int32),
        np.array(style, np.int32),
        np.frombuffer(bytes(payload), np.uint8),
        np.array(parts, np.int32),
    )


@numba.njit(inline="always")
def _put16(buffer, at, value):
    buffer[at] = (value >> 8) & 255
    buffer[at + 1] = value & 255


@numba.njit(inline="always")
def _put32(buffer, at, value):
    _put16(buffer, at, (value >> 16) & 0xFFFF)
    _put16(buffer, at + 2, value & 0xFFFF)


@numba.njit(inline="always")
def _little32(buffer, at, value):
    buffer[at] = value & 255
    buffer[at + 1] = (value >> 8) & 255
    buffer[at + 2] = (value >> 16) & 255
    buffer[at + 3] = (value >> 24) & 255


@numba.njit
def _sum16(buffer, at, length):
    total = np.int64(0)
    for index in range(length >> 1):
        total += (np.int64(buffer[at + 2 * index]) << 8) | np.int64(buffer[at + 2 * index + 1])
    if length & 1:
        total += np.int64(buffer[at + length - 1]) << 8
    return total


@numba.njit(inline="always")
def _fold(total):
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total) & 0xFFFF


@numba.njit
def write_packets(
    conv, index, time_us, lower, upper, script, packets, client, server, client_port, ipv6, vlan,
    seq, proto, port, parts, fields, style, payload, pool, start_ns, pcapng, buffer,
):  # fmt: skip
    """Write packets ``lower`` to ``upper`` into `buffer` and return how many bytes they take."""
    at = 0
    for row in range(lower, upper):
        c = np.int64(conv[row])
        i = np.int64(index[row])
        kind = script[c]
        opening, ending = parts[kind, 1], parts[kind, 5]
        n = packets[c]
        if i < opening:
            step = parts[kind, 0] + i
        elif i >= n - ending:
            step = parts[kind, 4] + i - (n - ending)
        else:
            step = parts[kind, 2] + (i - opening) % parts[kind, 3]
        direction, flags = np.int64(fields[step, 0]), np.int64(fields[step, 1])
        fixed_at, fixed = np.int64(fields[step, 2]), np.int64(fields[step, 3])
        draw = np.uint64(c * 0x9E3779B1 + i * 0x85EBCA77 + 12345)
        draw ^= draw >> np.uint64(15)
        draw *= np.uint64(0x2C1B3C6D)
        draw ^= draw >> np.uint64(12)
        chance = np.int64(draw & np.uint64(0x3FFFFFFF))
        least, most = np.int64(fields[step, 4]), np.int64(fields[step, 5])
        fill = least + (chance % (most - least + 1))
        how = style[step]
        size = fixed + fill + (5 if how == 1 else 0)
        tcp = proto[kind] == 6
        if tcp and size > 1428 and ipv6[c]:
            fill -= size - 1428
            if fill < 0:  # A fixed segment of full size; IPv6 leaves 20 bytes less room, so a larger frame it is.
                fill = 0
            size = fixed + fill + (5 if how == 1 else 0)
        syn = flags & 2
        transport = 8
        if tcp:
            transport = 40 if syn else 32
        network = 40 if ipv6[c] else 20
        link = 18 if vlan[c] else 14
        frame = link + network + transport + size

        # Record header.
        stamp_us = start_ns // 1000 + time_us[row]
        if pcapng:
            padded = (frame + 3) & ~3
            _little32(buffer, at, 6)
            _little32(buffer, at + 4, 32 + padded)
            _little32(buffer, at + 8, 0)
            _little32(buffer, at + 12, stamp_us >> 32)
            _little32(buffer, at + 16, stamp_us & 0xFFFFFFFF)
            _little32(buffer, at + 20, frame)
            _little32(buffer, at + 24, frame)
            p = at + 28
        else:
            _little32(buffer, at, stamp_us // 1_000_000)
            _little32(buffer, at + 4, stamp_us % 1_000_000)
            _little32(buffer, at + 8, frame)
            _little32(buffer, at + 12, frame)
            p = at + 16
        first_byte = p

        # Ethernet: locally administered addresses, the router's on the outside.
        inside_at, outside_at = (6, 0) if direction == 0 else (0, 6)
        buffer[p + inside_at] = 2
        buffer[p + inside_at + 1] = 0
        _put32(buffer, p + inside_at + 2, client[c])
        buffer[p + outside_at] = 2
        buffer[p + outside_at + 1] = 1
        _put32(buffer, p + outside_at + 2, 1)
        p += 12
        if vlan[c]:
            _put16(buffer, p, 0x8100)
            _put16(buffer, p + 2, vlan[c])
            p += 4
        _put16(buffer, p, 0x86DD if ipv6[c] else 0x0800)
        p += 2

        inside = (10 << 24) | (1 + client[c])
        outside = (198 << 24) | (18 << 16) | server[c]
        source, target = (inside, outside) if direction == 0 else (outside, inside)
        pseudo = np.int64(transport + size) + (6 if tcp else 17)
        if ipv6[c]:
            _put32(buffer, p, 0x60000000)
            _put16(buffer, p + 4, transport + size)
            buffer[p + 6] = 6 if tcp else 17
            buffer[p + 7] = 60
            for side in range(2):
                q = p + 8 + 16 * side
                _put32(buffer, q, 0x20010DB8)
                _put32(buffer, q + 4, 0)
                _put32(buffer, q + 8, 0)
                _put32(buffer, q + 12, source if side == 0 else target)
            pseudo += _sum16(buffer, p + 8, 32)
            p += 40
        else:
            _put16(buffer, p, 0x4500)
            _put16(buffer, p + 2, 20 + transport + size)
            _put16(buffer, p + 4, (c * 40503 + i) & 0xFFFF)
            _put16(buffer, p + 6, 0x4000)
            buffer[p + 8] = 63 if direction == 0 else 54
            buffer[p + 9] = 6 if tcp else 17
            _put16(buffer, p + 10, 0)
            _put32(buffer, p + 12, source)
            _put32(buffer, p + 16, target)
            _put16(buffer, p + 10, _fold(_sum16(buffer, p, 20)))
            pseudo += _sum16(buffer, p + 12, 8)
            p += 20

        header = p
        near, far = (client_port[c], port[kind]) if direction == 0 else (port[kind], client_port[c])
        _put16(buffer, p, near)
        _put16(buffer, p + 2, far)
        if tcp:
            other = 1 - direction
            _put32(buffer, p + 4, np.int64(seq[c, direction]))
            _put32(buffer, p + 8, np.int64(seq[c, other]) if flags & 16 else 0)
            buffer[p + 12] = (transport >> 2) << 4
            buffer[p + 13] = flags
            _put16(buffer, p + 14, 64240 if syn else 501)
            _put32(buffer, p + 16, 0)
            q = p + 20
            if syn:
                _put32(buffer, q, 0x020405B4)
                _put32(buffer, q + 4, 0x0402080A)
                q += 8
            else:
                _put32(buffer, q, 0x0101080A)
                q += 4
            _put32(buffer, q, (stamp_us // 1000) & 0xFFFFFFFF)
            _put32(buffer, q + 4, ((stamp_us // 1000) - 20) & 0xFFFFFFFF if flags & 16 else 0)
            if syn:
                _put32(buffer, q + 8, 0x01030307)
            seq[c, direction] = seq[c, direction] + np.uint32(size + (1 if flags & 3 else 0))
        else:
            _put16(buffer, p + 4, 8 + size)
            _put16(buffer, p + 6, 0)
        p += transport
        for b in range(fixed):
            buffer[p + b] = payload[fixed_at + b]
        if how == 2:
            _put16(buffer, p, c & 0xFFFF)
        p += fixed
        if how == 1:
            buffer[p] = 23
            buffer[p + 1] = 3
            buffer[p + 2] = 3
            _put16(buffer, p + 3, fill)
            p += 5
        shift = chance % (len(pool) - 2048)
        for b in range(fill):
            buffer[p + b] = pool[shift + b]
        p += fill
        check = _fold(pseudo + _sum16(buffer, header, transport + size))
        if tcp:
            _put16(buffer, header + 16, check)
        else:
            _put16(buffer, header + 6, check if check else 0xFFFF)
        if pcapng:
            for b in range(padded - frame):
                buffer[p + b] = 0
            p = first_byte + padded
            _little32(buffer, p, 32 + padded)
            p += 4
        at = p
    return at


def generate(path: Path, packets: int, seed: int, *, pcapng: bool = False) -> dict[str, object]:
    """Write the capture and its truth; return the truth."""
    made = scripts(random.Random(seed))
    steps = flatten(made)
    rng = np.random.default_rng(seed)
    plan = draw_plan(made, packets, rng)
    n = len(plan.script)
    seq = rng.integers(0, 1 << 32, (n, 2), dtype=np.uint32)
    pool = rng.integers(0, 256, 1 << 20, dtype=np.uint8)
    proto = np.array([s.proto for s in made], np.int64)
    port = np.array([s.port for s in made], np.int64)
    buffer = np.empty(CHUNK_PACKETS * 1664, np.uint8)
    slices = max(1, packets // 200_000)
    written = 0
    done = np.zeros(n, np.int64)
    with path.open("wb") as file:
        if pcapng:
            section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
            file.write(section + struct.pack("<IIHHII", 1, 20, 1, 0, 262144, 20))
        else:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        size = file.tell()
        for slab in range(slices):
            end_us = SPAN_US * (slab + 1) // slices
            bursts = -(-plan.packets // plan.burst)
            if slab == slices - 1:
                upto = plan.packets
            else:
                passed = (end_us - plan.start_us) / plan.duration_us * bursts
                upto = np.clip(np.ceil(passed), 0, bursts).astype(np.int64) * plan.burst
                upto = np.minimum(upto, plan.packets)
            count = upto - done
            rows = np.flatnonzero(count)
            conv = np.repeat(rows, count[rows])
            base = np.repeat(np.cumsum(count[rows]) - count[rows], count[rows])
            index = np.arange(len(conv)) - base + np.repeat(done[rows], count[rows])
            burst = plan.burst[conv]
            # A burst begins at its share of the conversation; its packets follow within a fraction of a millisecond.
            gap = plan.duration_us[conv] // bursts[conv]
            step_us = np.minimum(gap // (burst + 1), 350)
            when = plan.start_us[conv] + (index // burst) * gap + (index % burst) * step_us
            order = np.argsort(when, kind="stable")
            when = np.minimum(when[order], end_us - 1)
            when = np.maximum(when, SPAN_US * slab // slices)
            conv, index = conv[order], index[order]
            for lower in range(0, len(conv), CHUNK_PACKETS):
                upper = min(lower + CHUNK_PACKETS, len(conv))
                used = write_packets(
                    conv, index, when, lower, upper, plan.script, plan.packets, plan.client, plan.server,
                    plan.client_port, plan.ipv6, plan.vlan, seq, proto, port, steps.parts, steps.fields, steps.style,
                    steps.payload, pool, START_NS, pcapng, buffer,
                )  # fmt: skip
                file.write(memoryview(buffer)[:used])
                size += used
            written += len(conv)
            done = upto
    assert written == packets, (written, packets)

    def address(value: int, ipv6: bool) -> str:
        if ipv6:
            return str(ipaddress.IPv6Address(0x20010DB8 << 96 | value))
        return str(ipaddress.IPv4Address(value))

    miners = []
    for row in np.flatnonzero([made[k].miner is not None for k in plan.script]):
        script, six = made[plan.script[row]], bool(plan.ipv6[row])
        server = address(198 << 24 | 18 << 16 | int(plan.server[row]), six)
        miners.append({
            "host": address(10 << 24 | int(plan.client[row]) + 1, six), "host_port": int(plan.client_port[row]),
            "peer": f"[{server}]:{script.port}" if six else f"{server}:{script.port}",
            "packets": int(plan.packets[row]), **(script.miner or {}),
        })  # fmt: skip
    names, counts = np.unique([made[k].name for k in plan.script], return_counts=True)
    truth: dict[str, object] = {
        "packets": packets, "bytes": size, "seed": seed, "conversations": n,
        "kinds": dict(zip(names.tolist(), counts.tolist(), strict=True)), "miners": miners,
    }  # fmt: skip
    path.with_suffix(".truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    return truth


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a large capture that looks like a campus link.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=("pcap", "pcapng"), default="pcap")
    options = parser.parse_args()
    began = time.perf_counter()
    truth = generate(options.output, options.packets, options.seed, pcapng=options.format == "pcapng")
    took = time.perf_counter() - began
    size = truth["bytes"]
    assert isinstance(size, int)
    print(
        f"{options.packets:,} packets, {size:,} bytes (mean {size / options.packets:.0f}), "
        f"{truth['conversations']:,} conversations, {took:.1f} s",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
