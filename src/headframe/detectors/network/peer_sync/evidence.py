"""Evidence that a server's pushes follow a clock that other servers follow too, with no clock at hand.

Whoever mines is told of each new block, by whatever pool, within a few seconds. So the pushes of pools that have
nothing else in common coincide. Two rows (a client and its server) give *beats*, the moments at which both pushed; a
third, with which they share no address and no network, is held against them by rotating its pushes in time. That is
an e-value, exact where either the beats or the pushes have no memory. Theory, proof and limits:
docs/detectors/peer_sync.md.

It reads times, sizes and directions of packets, and nothing else; addresses only tell who is not a stranger to whom.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.network.chain_sync import ChainSyncParameters, Subject, group_subjects
from headframe.kernels import chain_sync as classes
from headframe.kernels import peer_sync as kernel
from headframe.records.bursts import Bursts

VERSION = "1"

_SECOND = 1_000_000_000
_LN10 = math.log(10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSyncParameters:
    """What is compared, and what the mixture covers. Fixed before any data is seen: that is what makes it valid.

    Attributes
    ----------
    shortest_s : float
        Client and server that were watched for less are not tested. [s]
    fewest_pushes : int
    shortest_interval_s, longest_interval_s : float
        Mean time between unasked pushes, timers' ticks taken out. Faster ones meet everybody by chance; chains that
        can be resolved have blocks 10 s to 10 min apart. [s]
    timer_tolerance_s : float
        How exactly a timer ticks. [s]
    timer_share : float
        Part of all intervals that must be alike to be a timer's. A stream without memory and with 20 s between pushes
        has 6 % of its intervals in the likeliest 1.2 s. [unitless]
    window_s : float
        How far from its beat a push may lie, either way. [s]
    part_s : tuple of float
        Lengths of the parts within which pushes are rotated. Long beside the time between beats of a chain, short
        beside the hours over which habits change; several, since chains differ. [s]
    shares : tuple of float
        Share of beats that the pushes take part in. [unitless]
    fewest_beats : int
        With fewer beats nothing is said.
    partners : int
        Partners that are kept of each row.
    strength_margin : float
        Partners are those whose coincidences have a strength above ``ln(rows) + margin``. [nats]
    strength_cap : float
        Above this all partners weigh the same, so that two mirrored streams do not take all the weight. [nats]
    kept : float
        Part of the stake that is not bet. [unitless]
    farthest_recurrence_s : float
        How far coincidences may recur and be noticed: longer than the periods of most timers. [s]
    different_servers : bool
        Whether rows must have servers in different networks. Only for tests: clients of one server hear from it at
        the same time whatever it serves.
    network_bits_4, network_bits_6 : int
        Servers that agree in so many bits are one network: the smallest that is announced between providers.
    most_meetings : int
        Pairs of pushes within 4 s of each other that are looked at; above this the rows watched longest are taken.
        10,000 rows that push once a minute for 50 min have 330 million, which takes 6 s (one core, 2026-11).
    """

    shortest_s: float = 900.0
    fewest_pushes: int = 5
    shortest_interval_s: float = 5.0
    longest_interval_s: float = 1800.0
    timer_tolerance_s: float = 0.6
    timer_share: float = 0.3
    window_s: float = 1.0
    part_s: tuple[float, ...] = (150.0, 600.0, 1800.0)
    shares: tuple[float, ...] = (0.5, 0.9)
    fewest_beats: int = 5
    partners: int = 8
    strength_margin: float = 3.0
    strength_cap: float = 30.0
    kept: float = 0.1
    farthest_recurrence_s: float = 900.0
    different_servers: bool = True
    network_bits_4: int = 24
    network_bits_6: int = 48
    most_meetings: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """The pushes of one side of a subject.

    Attributes
    ----------
    subject : Subject
    server_sign : int
        -1 where the responder pushes, 1 where the originator does.
    time_ns : int64[n]
        Unasked pushes without a timer's ticks, ascending. [ns]
    timer_s : float
        Period of the ticks that were taken out; 0 where there were none. [s]
    """

    subject: Subject
    server_sign: int
    time_ns: NDArray[np.int64]
    timer_s: float

    @property
    def client(self) -> str:
        """Address of the side that is told."""
        return self.subject.ends(self.server_sign)[0]

    @property
    def server(self) -> str:
        """Address of the side that pushes."""
        return self.subject.ends(self.server_sign)[1]

    @property
    def server_port(self) -> int:
        """Port of the side that pushes."""
        return self.subject.ends(self.server_sign)[2]


class Measured(NamedTuple):
    """What every row showed.

    Attributes
    ----------
    rows : tuple of Row
        Those that were compared.
    log10_e, log10_e_rotated : float64[n]
        Evidence, and the same of the rotations alone, which timers deceive.
    recurring : float64[n]
        Coincidences at the worst other lag beside those at the best lag: about 1 for timers. [unitless]
    partners : Partners
        By place in `rows`.
    support : int32[n, 2]
        The two rows whose beats speak loudest; -1 where there are none.
    beats, lag_s : int64[n]
        Beats of those, and how far the row lies behind them. [1], [s]
    left_out : int
        Rows that were not compared because there were too many.
    """

    rows: tuple[Row, ...]
    log10_e: NDArray[np.float64]
    log10_e_rotated: NDArray[np.float64]
    recurring: NDArray[np.float64]
    partners: kernel.Partners
    support: NDArray[np.int32]
    beats: NDArray[np.int64]
    lag_s: NDArray[np.int64]
    left_out: int


def find_rows(series: Sequence[Bursts], parameters: PeerSyncParameters) -> list[Row]:
    """Clients and servers whose unasked pushes are sparse enough to be compared.

    Reconnects add up, as for `chain_sync`. Where it is not known who called, both sides are a row.
    """
    p = parameters
    same = replace(ChainSyncParameters(), shortest_s=p.shortest_s, fewest_pushes=p.fewest_pushes)
    rows = []
    for subject in group_subjects(series, same):
        bits = np.empty(len(subject.size), dtype=np.uint8)
        # The first and the last burst of a conversation say when it was watched; they cannot lie elsewhere.
        inner = ~np.isin(subject.time_ns, [t for b in subject.conversations for t in (b.time_ns[0], b.time_ns[-1])])
        for sign in subject.server_signs:
            classes.class_bits(subject.size, subject.reply, sign, 0, bits)
            row = _row(subject, sign, subject.time_ns[inner & ((bits & (1 << classes.UNASKED)) != 0)], p)
            if row is not None:
                rows.append(row)
    return rows


def _row(subject: Subject, sign: int, time_ns: NDArray[np.int64], parameters: PeerSyncParameters) -> Row | None:
    p = parameters
    keep = np.empty(len(time_ns), dtype=np.bool_)
    period_ns = kernel.drop_ticks(
        time_ns,
        round(p.shortest_interval_s * _SECOND),
        round(p.longest_interval_s * _SECOND),
        round(p.timer_tolerance_s * _SECOND),
        p.timer_share,
        3,
        keep,
    )
    left = time_ns[keep]
    if len(left) < p.fewest_pushes:
        return None
    mean_s = subject.watched_ns / _SECOND / len(left)
    if not p.shortest_interval_s <= mean_s <= p.longest_interval_s:
        return None
    return Row(subject, sign, left, float(period_ns) / _SECOND)


def measure(rows: Sequence[Row], parameters: PeerSyncParameters) -> Measured:
    """Evidence of every row against the beats of all others.

    Parameters
    ----------
    rows : sequence of Row
    parameters : PeerSyncParameters

    Returns
    -------
    Measured
    """
    p = parameters
    chosen, packed = _choose(rows, p)
    m = len(chosen)
    slots = p.partners + 1
    partners = kernel.Partners(
        np.full((m, slots), -1, dtype=np.int32), np.zeros((m, slots)), np.zeros((m, slots), dtype=np.int64)
    )
    log_e, log_e_rotated, recurring = np.full(m, -np.inf), np.full(m, -np.inf), np.zeros(m)
    support = np.full((m, 2), -1, dtype=np.int32)
    beats, lag_s = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    if m >= 3:
        order = np.argsort(packed.time_ns, kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        who = np.repeat(np.arange(m, dtype=np.int32), np.diff(packed.at))[order]
        kernel.find_partners(
            packed,
            packed.time_ns[order],
            who,
            place,
            round(p.shortest_s * _SECOND),
            p.fewest_beats,
            math.log(m) + p.strength_margin,
            partners,
        )
        kernel.bet_on_all(
            packed, partners, make_bet(p), p.strength_cap, log_e, log_e_rotated, recurring, support, beats, lag_s
        )
    # A part of the stake is kept back, so that who has no partner loses little.
    floor = math.log(p.kept)
    rest = math.log1p(-p.kept)
    return Measured(
        tuple(chosen),
        np.logaddexp(floor, rest + log_e) / _LN10,
        np.logaddexp(floor, rest + log_e_rotated) / _LN10,
        recurring,
        partners,
        support,
        beats,
        lag_s,
        len(rows) - m,
    )


def make_bet(parameters: PeerSyncParameters) -> kernel.Bet:
    """The parameters of a bet, as the kernel takes them."""
    p = parameters
    return kernel.Bet(
        window_ns=round(p.window_s * _SECOND),
        step_ns=_SECOND,
        lengths_ns=np.array([round(s * _SECOND) for s in p.part_s], dtype=np.int64),
        shares=np.array(p.shares, dtype=np.float64),
        merge_ns=kernel.LAGS * _SECOND,
        fewest_beats=p.fewest_beats,
        shortest_ns=60 * _SECOND,
        farthest_ns=round(p.farthest_recurrence_s * _SECOND),
    )


def _choose(rows: Sequence[Row], parameters: PeerSyncParameters) -> tuple[list[Row], kernel.Rows]:
    """As many rows as can be compared in bounded time: those watched longest, whatever their pushes say."""
    p = parameters
    chosen = list(rows)
    while True:
        packed = pack(chosen, p)
        meetings = int(kernel.count_meetings(np.sort(packed.time_ns), (kernel.LAGS + 1) * _SECOND))
        if meetings <= p.most_meetings:
            return chosen, packed
        fewer = int(len(chosen) * 0.95 * math.sqrt(p.most_meetings / meetings))
        longest = sorted(range(len(chosen)), key=lambda k: -chosen[k].subject.watched_ns)[:fewer]
        chosen = [chosen[k] for k in sorted(longest)]


def pack(rows: Sequence[Row], parameters: PeerSyncParameters) -> kernel.Rows:
    """Rows as the kernel takes them: one after the other, addresses and networks as numbers."""
    addresses: dict[str, int] = {}
    networks: dict[tuple[int, int], int] = {}

    def network_of(address: str) -> tuple[int, int]:
        ip = ip_address(address.partition("%")[0])
        bits = parameters.network_bits_4 if ip.version == 4 else parameters.network_bits_6
        return ip.version, int(ip) >> (ip.max_prefixlen - bits)

    def number(numbers: dict, key: object) -> int:  # type: ignore[type-arg]
        return int(numbers.setdefault(key, len(numbers)))

    empty = np.empty(0, dtype=np.int64)
    spans = [row.subject.spans_ns for row in rows]
    return kernel.Rows(
        time_ns=np.concatenate([empty, *(row.time_ns for row in rows)]),
        at=np.cumsum([0, *(len(row.time_ns) for row in rows)], dtype=np.int64),
        spans_ns=np.concatenate([empty.reshape(0, 2), *spans]),
        span_at=np.cumsum([0, *(len(s) for s in spans)], dtype=np.int64),
        client=np.array([number(addresses, row.client) for row in rows], dtype=np.int32),
        server=np.array([number(addresses, row.server) for row in rows], dtype=np.int32),
        network=np.array([number(networks, network_of(row.server)) for row in rows], dtype=np.int32),
        strict=parameters.different_servers,
    )
