"""Put miners and office together into one capture, and write the truth about it beside it."""

import csv
import io
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Any, Literal

from headframe.records.finding import Role
from headframe.simulate import carriers, office
from headframe.simulate.capture_file import write_capture
from headframe.simulate.chains import CHAINS, Block, draw_blocks
from headframe.simulate.dialects import DIALECTS, Account, Dialect, Outcome
from headframe.simulate.packets import Path, mac_address
from headframe.simulate.session import SECOND, Habits, Session, Share, job_pushes, run_session
from headframe.simulate.spec import CaptureSpec, MinerSpec, PoolSpec
from headframe.simulate.transport import MILLISECOND, Message, tcp_packets, udp_packets

TRUTH_VERSION = 1
DEFAULT_START_NS = 1_767_260_000_000_000_000
"""2026-01-01 09:33:20 UTC: a simulation has no clock of its own."""
_HISTORY_S = 1_500.0
"""Chains and mid-session miners begin this long before the capture."""
_BLOCKS_BEHIND = 6
_CLOCK_SPACING_S = 10.0
"""Chains with faster blocks are in no clock file: nobody could resolve them."""
_RESOLVERS = ("192.0.2.2", "2001:db8:2::2")


@dataclass(slots=True)
class SimulatedTraffic:
    """A capture in memory: packets in order of capture time, the truth, and what finds the miners as CSV rows."""

    packets: list[tuple[int, bytes]]
    truth: dict[str, Any]
    indicators: list[dict[str, str]]
    clock: list[dict[str, str]]
    """Blocks of the chains that can be resolved, from before the capture to behind it, as a node would tell them."""


@dataclass(frozen=True, slots=True)
class SimulatedCapture:
    """Where the four files are."""

    capture: FilePath
    truth: FilePath
    indicators: FilePath
    clock: FilePath


def simulate_capture(spec: CaptureSpec, seed: int, *, start_ns: int = DEFAULT_START_NS) -> SimulatedTraffic:
    """Simulate the traffic that a sensor at the office's edge captures.

    Parameters
    ----------
    spec : CaptureSpec
    seed : int
        The same seed gives the same capture, byte for byte.
    start_ns : int
        Start of the capture. [ns since 1970-01-01 UTC]

    Returns
    -------
    SimulatedTraffic

    Notes
    -----
    Blocks arrive as a Poisson process per chain. A pool has a job on each block 0.1 to 1 s later and pushes it to all
    its miners. Shares are a Poisson process of rate hash rate / difficulty. The truth counts what took place within
    the capture's time, whether or not the sensor lost packets.
    """
    return _Office(spec, seed, start_ns).run()


def write_simulation(traffic: SimulatedTraffic, capture: FilePath) -> SimulatedCapture:
    """Write a capture (``.pcap`` or ``.pcapng``) and, beside it, NAME with ``.truth.json``, ``.indicators.csv`` and
    ``.blocks.csv``.
    """
    truth = capture.with_suffix(".truth.json")
    indicators = capture.with_suffix(".indicators.csv")
    write_capture(capture, traffic.packets)
    truth.write_text(json.dumps(traffic.truth, indent=1) + "\n", encoding="utf-8")
    clock = capture.with_suffix(".blocks.csv")
    _write_rows(indicators, _INDICATOR_COLUMNS, traffic.indicators)
    _write_rows(clock, _CLOCK_COLUMNS, traffic.clock)
    return SimulatedCapture(capture, truth, indicators, clock)


def _write_rows(path: FilePath, columns: Sequence[str], rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def write_demo(
    folder: FilePath,
    *,
    seed: int,
    start_ns: int = DEFAULT_START_NS,
    minutes: float = 30.0,
    miners: int = 14,
    capture_format: Literal["pcap", "pcapng"] | str = "pcap",
) -> SimulatedCapture:
    """Write the capture that ``make demo`` shows: an office of 60 hosts with miners of every dialect.

    Parameters
    ----------
    folder : pathlib.Path
        Exists already; files of the same names are replaced.
    seed : int
    start_ns : int
        Start of the capture. [ns since 1970-01-01 UTC]
    minutes : float
        [min]
    miners : int
    capture_format : {"pcap", "pcapng"}

    Returns
    -------
    SimulatedCapture

    Raises
    ------
    ValueError
        Where a number is out of its range or the format is not known.
    """
    if capture_format not in ("pcap", "pcapng"):
        raise ValueError(f"capture_format must be pcap or pcapng, got {capture_format!r}")
    traffic = simulate_capture(CaptureSpec.demo(miners=miners, minutes=minutes), seed, start_ns=start_ns)
    return write_simulation(traffic, folder / f"office.{capture_format}")


_INDICATOR_COLUMNS = (
    "kind", "value", "subdomains", "port", "coins", "pool", "source", "valid_from", "valid_until", "shared",
)  # fmt: skip
_CLOCK_COLUMNS = ("chain", "height", "arrival_time")


def _network_difficulty_hashes(bits: int) -> float:
    """Expected hashes per block for a compact target (Bitcoin developer reference, "Target nBits")."""
    return float(2**256 / ((bits & 0xFFFFFF) << 8 * ((bits >> 24) - 3)))


@dataclass(slots=True)
class _Connection:
    """One TCP connection of a miner as captured, with its part of the truth."""

    path: Path
    session: Session
    packets: list[tuple[int, bytes]] = field(default_factory=list)


class _Office:
    def __init__(self, spec: CaptureSpec, seed: int, start_ns: int) -> None:
        self.spec, self.seed, self.start_ns = spec, seed, start_ns
        self.end_ns = start_ns + int(spec.duration_s * SECOND)
        self.rng = random.Random(seed)
        self.packets: list[tuple[int, bytes]] = []
        self.miners: list[dict[str, Any]] = []
        self.negatives: list[dict[str, Any]] = []
        self.conversations = 0
        self.used_ports: set[tuple[str, int]] = set()
        self.blocks: dict[str, list[Block]] = {}
        self.every_block: dict[str, list[Block]] = {}
        self.pushes: dict[tuple[str, str, int], list[tuple[int, Block]]] = {}

    def run(self) -> SimulatedTraffic:
        spec = self.spec
        history_ns = self.start_ns - int(_HISTORY_S * SECOND)
        mined = {miner.coin for miner in spec.miners}
        for coin in sorted(mined | set(spec.clocks)):
            # A stream of its own per chain: adding a miner does not move another coin's blocks.
            stream = random.Random(f"{self.seed} blocks {coin}")
            chain = CHAINS[coin]
            # On behind the capture's end: a clock must know the next block to know that none was missed.
            further_ns = int(_BLOCKS_BEHIND * chain.block_interval_s * SECOND)
            self.every_block[coin] = draw_blocks(chain, history_ns, self.end_ns + further_ns, stream)
            if coin in mined:
                self.blocks[coin] = [block for block in self.every_block[coin] if block.time_ns < self.end_ns]
        for number, miner in enumerate(spec.miners):
            self._miner(number, miner, random.Random(f"{self.seed} miner {number}"))
        self._routine(random.Random(f"{self.seed} office"))
        if spec.hard_negatives:
            self._hard_negatives(random.Random(f"{self.seed} negatives"))
        self.packets.sort(key=lambda packet: packet[0])
        truth = {
            "version": TRUTH_VERSION, "seed": self.seed, "started_ns": self.start_ns, "ended_ns": self.end_ns,
            "packets": len(self.packets), "conversations": self.conversations, "miners": self.miners,
            "hard_negatives": self.negatives,
            "faults": {"retransmission": spec.faults.retransmission, "sensor_loss": spec.faults.sensor_loss,
                       "reordering": spec.faults.reordering},
            "blocks": {
                coin: [{"height": b.height, "time_ns": b.time_ns} for b in blocks if b.time_ns >= self.start_ns]
                for coin, blocks in self.blocks.items() if CHAINS[coin].block_interval_s >= 1
            },
        }  # fmt: skip
        return SimulatedTraffic(self.packets, truth, self._indicators(), self._clock())

    def _clock(self) -> list[dict[str, str]]:
        return [
            {"chain": coin, "height": str(block.height), "arrival_time": f"{block.time_ns / SECOND:.3f}"}
            for coin, blocks in self.every_block.items() if CHAINS[coin].block_interval_s >= _CLOCK_SPACING_S
            for block in blocks
        ]  # fmt: skip

    # -- the wire ------------------------------------------------------------------------------------------------

    def _port(self, host: str, rng: random.Random) -> int:
        """A client port that the host has not used yet."""
        while True:
            port = rng.randrange(32_768, 61_000)
            if (host, port) not in self.used_ports:
                self.used_ports.add((host, port))
                return port

    def _capture(self, packets: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Keep what lies within the capture's time."""
        kept = [packet for packet in packets if self.start_ns <= packet[0] < self.end_ns]
        if kept:
            self.conversations += 1
        self.packets += kept
        return kept

    def _lookup(self, client: str, name: str, address: str, time_ns: int, rng: random.Random) -> None:
        what = office.Occasion(rng, time_ns, self.end_ns, name, 2 * MILLISECOND)
        talk = office.dns_lookup(what, address)
        path = Path(client, self._port(client, rng), _RESOLVERS[":" in client], 53)
        self._capture(udp_packets(path, talk.messages, rng))

    # -- miners --------------------------------------------------------------------------------------------------

    def _miner(self, number: int, miner: MinerSpec, rng: random.Random) -> None:
        host = miner.host or (f"2001:db8:2::{100 + number:x}" if miner.ipv6 else f"192.0.2.{100 + number}")
        if miner.behind_proxy:
            self._proxied(number, host, miner, rng)
            return
        pool = miner.pool
        start_ns = self.start_ns + int(rng.uniform(2, min(60.0, self.spec.duration_s / 10)) * SECOND)
        if miner.mid_session:
            start_ns = self.start_ns - int(rng.uniform(0.4, 0.8) * _HISTORY_S * SECOND)
        stop_ns = self.end_ns + 10 * SECOND
        if rng.random() < 0.3:
            stop_ns = self.end_ns - int(rng.uniform(5, self.spec.duration_s * 0.1) * SECOND)
        account = self._account(number, miner)
        breaks = sorted(rng.uniform(0.3, 0.9) for _ in range(miner.reconnects))
        edges = [start_ns] + [self.start_ns + int(b * self.spec.duration_s * SECOND) for b in breaks] + [stop_ns]
        habits = self._habits(miner, rng)
        connections = []
        for index, (begin, end) in enumerate(pairwise(edges)):
            pause_ns = int(rng.uniform(3, 9) * SECOND) if index else 0
            dialect = self._dialect(miner, account, rng)
            session = run_session(dialect, habits, self._pushes(miner), begin + pause_ns, end, rng)
            ending: Literal["fin", "rst", "open"] = "rst" if index < miner.reconnects else "fin"
            name = miner.server_name or pool.name
            self._lookup(host, name, pool.address, begin + pause_ns - 2 * SECOND, rng)
            path = Path(host, self._port(host, rng), pool.address, pool.port, miner.vlan)
            connections.append(self._send(path, session, miner, habits.rtt_ns, rng, ending))
        role = Role.NODE_CLIENT if miner.dialect == "getblocktemplate" else Role.MINER
        self._record(miner, role, account, host, connections, miner.hashrate_hs)

    def _proxied(self, number: int, proxy: str, miner: MinerSpec, rng: random.Random) -> None:
        """Miners, their proxy in the office, and the one session that the proxy has with the pool."""
        port = 3333
        start_ns = self.start_ns + int(rng.uniform(2, 10) * SECOND)
        stop_ns = self.end_ns + 10 * SECOND
        difficulty = miner.hashrate_hs * miner.share_interval_s
        inner = replace(miner, tls=False, padding="none", pool=replace(
            miner.pool, name="proxy.office.example", address=proxy, port=port, listed=False))  # fmt: skip
        # The proxy answers its miners itself and hands on every share, so one difficulty holds on both sides.
        behind = replace(self._habits(miner, rng), fixed_difficulty_hashes=difficulty, rejected=0.0, stale=0.0,
                         rtt_ns=MILLISECOND // 2, refresh_interval_s=None)  # fmt: skip
        pushes = self._pushes(miner)
        relayed = [(time_ns + 30 * MILLISECOND, block) for time_ns, block in pushes]
        times: list[int] = []
        for member in range(miner.behind_proxy):
            host = f"192.0.2.{220 + (number * 3 + member) % 30}"
            account = self._account(number * 10 + member, miner)
            dialect = self._dialect(inner, account, rng)
            begin = start_ns + int(rng.uniform(1, 5) * SECOND)
            session = run_session(dialect, behind, relayed, begin, stop_ns, rng)
            times += [share.time_ns + 3 * MILLISECOND for share in session.shares]
            path = Path(host, self._port(host, rng), proxy, port, miner.vlan)
            connection = self._send(path, session, inner, behind.rtt_ns, rng, "fin")
            self._record(inner, Role.MINER, account, host, [connection], miner.hashrate_hs)
        account = self._account(number, miner)
        outer = replace(self._habits(miner, rng), fixed_difficulty_hashes=difficulty)
        self._lookup(proxy, miner.pool.name, miner.pool.address, start_ns - SECOND, rng)
        session = run_session(
            self._dialect(miner, account, rng), outer, pushes, start_ns, stop_ns, rng, share_times_ns=sorted(times)
        )
        path = Path(proxy, self._port(proxy, rng), miner.pool.address, miner.pool.port, miner.vlan)
        connection = self._send(path, session, miner, outer.rtt_ns, rng, "fin")
        self._record(miner, Role.PROXY, account, proxy, [connection], miner.hashrate_hs * miner.behind_proxy)

    def _habits(self, miner: MinerSpec, rng: random.Random) -> Habits:
        fixed = None
        if miner.dialect == "getblocktemplate":
            fixed = _network_difficulty_hashes(int(CHAINS[miner.coin].bits, 16))
        return Habits(
            hashrate_hs=miner.hashrate_hs,
            share_interval_s=miner.share_interval_s,
            fixed_difficulty_hashes=fixed,
            # A pool that wants few shares has no haste with fresh jobs either.
            refresh_interval_s=None if CHAINS[miner.coin].block_interval_s < 30 else max(45.0, miner.share_interval_s),
            rejected=miner.rejected,
            stale=miner.stale,
            rtt_ns=int(rng.uniform(8, 90) * MILLISECOND),
        )

    def _pushes(self, miner: MinerSpec) -> list[tuple[int, Block]]:
        """One schedule per pool, which all its miners share."""
        key = (miner.coin, miner.pool.address, miner.pool.port)
        if key not in self.pushes:
            fast = CHAINS[miner.coin].block_interval_s < 1
            stream = random.Random(f"{self.seed} pool {key}")
            self.pushes[key] = job_pushes(self.blocks[miner.coin], stream, least_gap_s=1.0 if fast else 0.4)
        return self.pushes[key]

    def _account(self, number: int, miner: MinerSpec) -> Account:
        stream = random.Random(f"{self.seed} account {number} {miner.coin}")
        wallet = {"XMR": "4Sim", "BTC": "simbc1q", "ZEC": "tsim", "LTC": "ltsim1q", "RVN": "RSim"}.get(miner.coin, "")
        wallet += stream.randbytes(20).hex()
        return Account(wallet, f"rig{number:02d}", f"simminer/{1 + number % 4}.{number % 10}")

    def _dialect(self, miner: MinerSpec, account: Account, rng: random.Random) -> Dialect:
        return DIALECTS[miner.dialect](CHAINS[miner.coin], account, miner.pool.name, rng)

    def _send(
        self, path: Path, session: Session, miner: MinerSpec, rtt_ns: int, rng: random.Random,
        ending: Literal["fin", "rst", "open"],
    ) -> _Connection:  # fmt: skip
        messages: list[Message] = carriers.padded(session.messages, miner.padding, rng)
        if miner.tls:
            messages = carriers.over_tls(
                messages, miner.server_name or miner.pool.name, rng, rtt_ns=rtt_ns, post_quantum=miner.post_quantum
            )
        packets = tcp_packets(path, messages, rng, rtt_ns=rtt_ns, ending=ending, faults=self.spec.faults)
        if miner.one_direction is not None:
            # The Ethernet source address tells who sent a frame, because each host has its own.
            source = mac_address((path.orig_h, path.resp_h)[miner.one_direction])
            packets = [packet for packet in packets if packet[1][6:12] == source]
        return _Connection(path, session, self._capture(packets))

    def _record(
        self, miner: MinerSpec, role: Role, account: Account, host: str, connections: list[_Connection],
        hashrate_hs: float,
    ) -> None:  # fmt: skip
        """Write down what was true of one miner within the capture's time."""
        pool = miner.pool
        happened = [
            share for connection in connections for share in connection.session.shares
            if self.start_ns <= share.time_ns < self.end_ns
        ]  # fmt: skip
        jobs = [
            time_ns for connection in connections for time_ns in connection.session.job_times_ns
            if self.start_ns <= time_ns < self.end_ns
        ]  # fmt: skip
        seen_ns = [packet[0] for connection in connections for packet in connection.packets]
        protocol = DIALECTS[miner.dialect].protocol + ("+tls" if miner.tls else "")
        readable = not miner.tls and miner.dialect != "stratum-v2"
        visible_to = ["content"] if readable or miner.dialect == "stratum-v2" else []
        visible_to += ["endpoint"] if pool.listed else []
        visible_to += ["timing"] if CHAINS[miner.coin].block_interval_s >= 1 else []
        address = f"[{pool.address}]" if ":" in pool.address else pool.address
        server_name = (miner.server_name or pool.name) if miner.tls else None
        self.miners.append({
            "host": host, "peer": f"{address}:{pool.port}",
            "role": role.value, "coin": miner.coin, "dialect": miner.dialect, "protocol": protocol, "pool": pool.name,
            "pool_kind": pool.kind, "tls": miner.tls, "server_name": server_name,
            "padding": miner.padding, "one_direction": miner.one_direction, "mid_session": miner.mid_session,
            "agent": account.agent, "account": account.wallet, "worker": account.worker,
            "started_ns": min(seen_ns, default=None), "ended_ns": max(seen_ns, default=None),
            "hashrate_hs": hashrate_hs, "hashes_in_shares": sum(share.difficulty_hashes for share in happened),
            "jobs": len(jobs), "shares": self._count(happened),
            "shares_readable": self._readable(happened, miner.one_direction) if readable else None,
            "connections": [
                {"orig_p": connection.path.orig_p, "packets": len(connection.packets)} for connection in connections
            ],
            "visible_to": visible_to,
        })  # fmt: skip

    @staticmethod
    def _count(shares: list[Share]) -> dict[str, int]:
        return {outcome.value: sum(share.outcome is outcome for share in shares) for outcome in Outcome}

    def _readable(self, shares: list[Share], one_direction: int | None) -> dict[str, int]:
        """What a perfect reader of the capture can count: an answer after the end, or never captured, is unknown."""
        if one_direction == 1:
            return {**self._count([s for s in shares if s.answered_ns < self.end_ns]), "unanswered": 0}
        answered = [] if one_direction == 0 else [s for s in shares if s.answered_ns < self.end_ns]
        return {**self._count(answered), "unanswered": len(shares) - len(answered)}

    # -- the office ----------------------------------------------------------------------------------------------

    def _routine(self, rng: random.Random) -> None:
        spec = self.spec
        span_s = spec.duration_s
        for number in range(spec.office_hosts):
            host = f"192.0.2.{20 + number}"
            six = f"2001:db8:2::{20 + number:x}"
            for _ in range(round(rng.expovariate(1 / max(spec.visits_per_host, 1e-9)))):
                kind = rng.choices(("web", "http", "quic"), (6, 1, 3))[0]
                self._office_talk(kind, six if rng.random() < 0.1 else host, rng, rng.uniform(0, span_s * 0.97), 60)
            if spec.standing_talks and number % 4 == 0:
                self._office_talk("ntp", host, rng, rng.uniform(0, min(64, span_s / 2)), span_s)
            if number % 5 == 1:
                self._office_talk("mail", host, rng, rng.uniform(0, span_s * 0.9), 60)
            for kind, every, length_s in (("ssh", 15, 600.0), ("video", 20, 150.0), ("backup", 30, 60.0)):
                if number % every == 2:
                    self._office_talk(kind, host, rng, rng.uniform(0, span_s * 0.6), length_s)
            if spec.standing_talks and number % 6 == 3:
                self._office_talk("file_sync", host, rng, rng.uniform(0, span_s * 0.1), span_s)

    def _office_talk(self, kind: str, host: str, rng: random.Random, at_s: float, length_s: float) -> None:
        number = rng.randrange(60)
        name = f"{kind.replace('_', '-')}{number}.services.example"
        address = f"2001:db8:100::{number:x}" if ":" in host else f"198.51.100.{10 + number}"
        start_ns = self.start_ns + int(at_s * SECOND)
        stop_ns = min(start_ns + int(length_s * SECOND), self.end_ns)
        if kind != "ntp":
            self._lookup(host, name, address, start_ns - 40 * MILLISECOND, rng)
        self._talk(office.ROUTINE[kind], host, address, name, start_ns, stop_ns, rng)

    def _talk(
        self, maker: Any, host: str, address: str, name: str, start_ns: int, stop_ns: int, rng: random.Random
    ) -> tuple[Path, list[tuple[int, bytes]]]:
        rtt_ns = int(rng.uniform(4, 80) * MILLISECOND)
        talk = maker(office.Occasion(rng, start_ns, stop_ns, name, rtt_ns))
        path = Path(host, self._port(host, rng), address, talk.port)
        if talk.udp:
            packets = udp_packets(path, talk.messages, rng, faults=self.spec.faults)
        else:
            packets = tcp_packets(path, talk.messages, rng, rtt_ns=rtt_ns, faults=self.spec.faults)
        return path, self._capture(packets)

    def _hard_negatives(self, rng: random.Random) -> None:
        for number, (label, maker) in enumerate(office.HARD_NEGATIVES.items()):
            host, address = f"192.0.2.{90 + number}", f"198.51.100.{100 + number}"
            name = f"{label.replace('_', '-')}.services.example"
            start_ns = self.start_ns + int(rng.uniform(1, 20) * SECOND)
            self._lookup(host, name, address, start_ns - 40 * MILLISECOND, rng)
            path, packets = self._talk(maker, host, address, name, start_ns, self.end_ns, rng)
            self.negatives.append({
                "host": host, "peer": f"{address}:{path.resp_p}", "label": label, "orig_p": path.orig_p,
                "started_ns": packets[0][0], "ended_ns": packets[-1][0], "packets": len(packets),
            })  # fmt: skip

    # -- indicators ----------------------------------------------------------------------------------------------

    def _indicators(self) -> list[dict[str, str]]:
        """What a list would know of the pools: the name, and the address with its port."""
        day = datetime.fromtimestamp(self.start_ns // SECOND, UTC).date()
        common = {
            "source": "simulation", "valid_from": (day - timedelta(days=200)).isoformat(),
            "valid_until": (day + timedelta(days=200)).isoformat(),
        }  # fmt: skip
        pools: dict[tuple[str, int], tuple[PoolSpec, list[str]]] = {}
        for miner in self.spec.miners:
            if miner.pool.listed:
                _, coins = pools.setdefault((miner.pool.address, miner.pool.port), (miner.pool, []))
                if miner.coin not in coins:
                    coins.append(miner.coin)
        rows = []
        for pool, coins in pools.values():
            for value, port in ((pool.name, ""), (pool.address, str(pool.port))):
                rows.append({
                    "kind": pool.kind, "value": value, "subdomains": "", "port": port, "coins": " ".join(coins),
                    "pool": pool.operator, **common, "shared": "",
                })  # fmt: skip
        for address in sorted({miner.pool.address for miner in self.spec.miners if miner.server_name}):
            # A front is a delivery network's address: careless lists have it, and it is no evidence by itself.
            rows.append({
                "kind": "malware_proxy", "value": address, "subdomains": "", "port": "443", "coins": "", "pool": "",
                **common, "shared": "true",
            })  # fmt: skip
        return rows
