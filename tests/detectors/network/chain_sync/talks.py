"""Conversations as times and sizes, and blocks, for the tests of timing evidence."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headframe.kernels.bursts import gather_bursts
from headframe.records.block import BlockClock
from headframe.records.bursts import Bursts
from headframe.records.conversation import Conversation, PacketRef
from headframe.simulate.chains import CHAINS
from headframe.simulate.timing import Series, TimingHabits, as_packets, clock_of, in_tls, mine

S = 1_000_000_000
HOUR = 3600 * S
BASE = 1_700_000_000 * S
CLIENT, SERVER = "192.0.2.7", "203.0.113.9"

Times = NDArray[np.int64]


def poisson(mean_s: float, start_ns: int, end_ns: int, rng: np.random.Generator) -> Times:
    """Times of a Poisson process, ascending. [ns]"""
    count = rng.poisson((end_ns - start_ns) / S / mean_s)
    return np.sort(rng.integers(start_ns, end_ns, count))


def blocks(hours: float, rng: np.random.Generator, mean_s: float = 120.0, start_ns: int = BASE) -> Times:
    """Blocks of a chain."""
    return poisson(mean_s, start_ns, start_ns + int(hours * HOUR), rng)


def clock(times_ns: Times, *, chain: str = "XMR", resolution_ns: int = 1, wide_ns: int = HOUR) -> BlockClock:
    """A clock that knows all of them, and that there was none for so long before and after."""
    return clock_of(
        chain, times_ns, (int(times_ns[0]) - wide_ns, int(times_ns[-1]) + wide_ns), resolution_ns=resolution_ns
    )


def talk(
    time_ns: Sequence[int] | Times,
    size: Sequence[int] | NDArray[np.int32],
    *,
    client: str = CLIENT,
    server: str = SERVER,
    port: int = 3333,
    client_port: int = 40_000,
    known: bool = True,
    community_id: str = "",
    packet: int = 1,
) -> Bursts:
    """One conversation of these packets."""
    times = np.array(time_ns, dtype=np.int64)
    sizes = np.array(size, dtype=np.int32)
    first, last = int(times.min()), int(times.max())
    count = gather_bursts(times, sizes, times, sizes)
    return Bursts(
        conversation=Conversation(
            uid=f"C{client_port}",
            community_id=community_id or f"1:{client}:{client_port}-{server}:{port}",
            proto="tcp",
            orig_h=client,
            orig_p=client_port,
            resp_h=server,
            resp_p=port,
            started_ns=first,
            ended_ns=last,
        ),
        time_ns=times[:count].copy(),
        size=sizes[:count].copy(),
        direction_known=known,
        first_packet=PacketRef("a.pcap", packet),
    )


def talks_of(series: Series, **more: object) -> list[Bursts]:
    """The conversations of a simulated series."""
    return [
        talk(series.time_ns[mine], series.size[mine], client_port=40_000 + k, packet=1 + k, **more)  # type: ignore[arg-type]
        for k in np.unique(series.connection).tolist()
        if (mine := series.connection == k).any()
    ]


def miner_series(
    found_ns: Times, start_ns: int, end_ns: int, rng: np.random.Generator, *, tls: bool = False, **habits: object
) -> Series:
    """Packets of a Monero miner that follows these blocks."""
    made = TimingHabits(dialect="cryptonote", **habits)  # type: ignore[arg-type]
    series = as_packets(mine(CHAINS["XMR"], [found_ns], made, start_ns, end_ns, rng).series, rng)
    return in_tls(series, rng) if tls else series


def miner(found_ns: Times, start_ns: int, end_ns: int, rng: np.random.Generator, **more: object) -> list[Bursts]:
    """Conversations of such a miner."""
    return talks_of(miner_series(found_ns, start_ns, end_ns, rng, **more))  # type: ignore[arg-type]
