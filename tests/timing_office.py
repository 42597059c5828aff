"""An office in which one miner hides in TLS and others speak in the clear: captures for timing evidence."""

import random
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from headframe.simulate import CaptureSpec, MinerSpec, simulate_capture, write_simulation
from headframe.simulate.capture import SimulatedTraffic
from headframe.simulate.spec import PoolSpec

HIDDEN = ("192.0.2.102", "203.0.113.13:443")
"""Client and server of the miner inside TLS."""


def _pool(name: str, last: int, port: int) -> PoolSpec:
    return PoolSpec(name=f"{name}.example", address=f"203.0.113.{last}", port=port)


def office(hours: float, seed: int = 5, *, plaintext: bool = True) -> SimulatedTraffic:
    """Two plaintext miners of Monero, one inside TLS, one of Bitcoin, and people at work."""
    open_miners = (
        MinerSpec(dialect="cryptonote", coin="XMR", hashrate_hs=9_500, pool=_pool("one", 11, 5555)),
        MinerSpec(dialect="cryptonote", coin="XMR", hashrate_hs=4_000, pool=_pool("two", 12, 3333)),
    )
    hidden = MinerSpec(
        dialect="cryptonote", coin="XMR", hashrate_hs=14_000, tls=True, server_name="front.example",
        pool=_pool("three", 13, 443),
    )  # fmt: skip
    bitcoin = MinerSpec(dialect="stratum-v1", coin="BTC", hashrate_hs=1e14, pool=_pool("btc", 14, 3334))
    miners = (*open_miners, hidden, bitcoin) if plaintext else (hidden,)
    spec = CaptureSpec(miners=miners, office_hosts=4, duration_s=hours * 3600, visits_per_host=10)
    return simulate_capture(spec, seed)


def written(traffic: SimulatedTraffic, path: Path) -> Path:
    """The capture in a file."""
    return write_simulation(traffic, path).capture


def clock_file(path: Path, truth: dict[str, Any], *, chain: str = "XMR", shift_s: float = 0.0, keep: int = 1) -> Path:
    """A file of the true block times in whole seconds; of `keep` heights only each first."""
    rows = [
        f"{chain},{block['height']},{int(block['time_ns'] / 1e9 + shift_s)}"
        for k, block in enumerate(truth["blocks"][chain])
        if k % keep == 0
    ]
    path.write_text("chain,height,arrival_time\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def scrambled(packets: Iterable[tuple[int, bytes]], seed: int) -> list[tuple[int, bytes]]:
    """Every payload byte of TCP and UDP replaced at random, every port by another: no content is left, only timing."""
    rng = random.Random(seed)
    return [(time_ns, _scramble(frame, rng.randbytes)) for time_ns, frame in packets]


def _scramble(frame: bytes, randbytes: Callable[[int], bytes]) -> bytes:
    at = 14
    while frame[at - 2 : at] == b"\x81\x00":
        at += 4
    kind = struct.unpack_from("!H", frame, at - 2)[0]
    if kind == 0x0800:
        proto, body = frame[at + 9], at + 4 * (frame[at] & 15)
        end = at + struct.unpack_from("!H", frame, at + 2)[0]
    elif kind == 0x86DD:
        proto, body = frame[at + 6], at + 40
        end = body + struct.unpack_from("!H", frame, at + 4)[0]
    else:
        return frame
    if proto not in (6, 17):
        return frame
    payload = body + (4 * (frame[body + 12] >> 4) if proto == 6 else 8)
    ports = b"".join(struct.pack("!H", _port(p)) for p in struct.unpack_from("!HH", frame, body))
    return frame[:body] + ports + frame[body + 4 : payload] + randbytes(max(0, end - payload)) + frame[end:]


def _port(port: int) -> int:
    """Another port for each: low ones become high, high ones low."""
    return (port + 35_600) % 65_536
