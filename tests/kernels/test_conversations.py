"""The conversation table: Zeek's counts against a model, the hash table against a dictionary, growth and the series."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.kernels import conversations as kernel
from headframe.kernels import frames, look
from tests import captures as make
from tests.kernels.uncompiled import Records, StrictBytes, records, uncompiled

SECOND = 10**9
NAMES = look.name_table(np.empty(0, dtype=np.uint64))
KEY = np.uint64(99)


class Run:
    """One table fed with frames."""

    def __init__(self, conversations: int = 16, blocks: int = 16, names: np.ndarray = NAMES) -> None:
        self.table = kernel.new_table(conversations, blocks)
        self.names = names
        self.ordinal = 0
        self.closed = np.zeros(4096, dtype=np.int32)
        self.over: list[dict] = []
        self.selected: list[tuple[int, int]] = []

    def feed(self, data: Sequence[bytes], *, start_ns: int = 0, step_ns: int = 1) -> "Run":
        """Decode, look and update, as the engine does."""
        buf = np.frombuffer(b"".join(data), dtype=np.uint8)
        packets = np.zeros(len(data), dtype=frames.PACKET)
        at = 0
        for k, frame in enumerate(data):
            packets[k]["frame"], packets[k]["captured_len"], packets[k]["wire_len"] = at, len(frame), len(frame)
            packets[k]["time_ns"], packets[k]["link_type"] = start_ns + k * step_ns, 1
            at += len(frame)
        frames.decode_frames(buf, packets, 0, len(data), KEY, KEY)
        look.look_at_payloads(buf, packets, 0, len(data), self.names)
        assert (packets["status"] == frames.OK).all()
        selected = np.zeros(len(data) + 1, dtype=kernel.SELECTED)
        counters = self.table.counters
        counters[kernel.N_SELECTED] = counters[kernel.N_CLOSED] = 0
        first = 0
        while first < len(data):
            first, status = kernel.update(
                self.table, buf, packets, first, len(data), self.ordinal, selected, self.closed, self.names, NAMES
            )
            if status == kernel.GROW:
                self.table = kernel.grow(self.table)
        self.selected = [(int(s["packet"]), int(s["look"])) for s in selected[: int(counters[kernel.N_SELECTED])]]
        self._release(int(counters[kernel.N_CLOSED]))
        self.ordinal += len(data)
        return self

    def sweep(self, now_ns: int) -> int:
        """Time-outs of 5, 3600, 60 and 120 s."""
        self.table.counters[kernel.N_CLOSED] = 0
        n = int(kernel.sweep(self.table, now_ns, self.closed, 5 * SECOND, 3600 * SECOND, 60 * SECOND, 120 * SECOND))
        self._release(n)
        return n

    def _release(self, count: int) -> None:
        self.over += [self._view(int(k)) for k in self.closed[:count]]
        kernel.release(self.table, self.closed, count)

    def _view(self, k: int) -> dict:
        c = self.table.conversations[k]
        times, sizes = kernel.read_series(self.table, k)
        view = {name: int(c[name]) for name in c.dtype.names if name != "history"}
        history = c["history"][: int(c["history_len"])].tobytes().decode()
        return view | {"history": history, "series": list(zip(times.tolist(), sizes.tolist(), strict=True))}

    def all(self) -> list[dict]:
        """Every conversation, ended or not, by its first packet."""
        live = [self._view(int(k)) for k in np.flatnonzero(self.table.conversations["in_use"] == 1)]
        return sorted(self.over + live, key=lambda c: c["first_packet"])

    def one(self) -> dict:
        """The only one."""
        (view,) = self.all()
        return view


A, B = "10.0.0.9", "10.0.0.3"
S, SA, K, P, F, R = make.SYN, make.SYN | make.ACK, make.ACK, make.PSH | make.ACK, make.FIN | make.ACK, make.RST


def out(seq: int, flags: int = P, data: bytes = b"", *, ack: int = 0, sport: int = 40_000) -> bytes:
    return make.frame(A, sport, B, 3333, seq, ack, flags, data)


def back(seq: int, flags: int = P, data: bytes = b"", *, ack: int = 0, dport: int = 40_000) -> bytes:
    return make.frame(B, 3333, A, dport, seq, ack, flags, data)


SESSION = [
    out(99, S), back(499, SA, ack=100), out(100, K, ack=500),
    out(100, data=b"a" * 10), back(500, data=b"b" * 20), out(110, data=b"c" * 5),
    out(115, F), back(520, F), out(116, K),
]  # fmt: skip


def test_a_whole_session() -> None:
    """Originator, counts, history and series of nine packets."""
    c = Run().feed(SESSION).one()
    assert (c["orig_pkts"], c["resp_pkts"], c["orig_bytes"], c["resp_bytes"], c["missed_bytes"]) == (6, 3, 15, 20, 0)
    assert (c["orig_p"], c["resp_p"], c["history"]) == (40_000, 3333, "ShADdFf")
    assert c["series"] == [(3, 10), (4, -20), (5, 5)]
    assert c["flags"] & 0xFF & ~kernel.ORIG_LOW == kernel.SYN | kernel.SYN_ACK | kernel.ORIG_FIN | kernel.RESP_FIN


@pytest.mark.parametrize("turned", [False, True])
def test_direction_without_a_syn_is_guessed_by_port(turned: bool) -> None:
    """The low port is the server's, whoever is seen first; history says that it was turned."""
    data = [out(100, data=b"x"), back(500, data=b"y")]
    c = Run().feed(data[::-1] if turned else data).one()
    assert (c["orig_p"], c["resp_p"]) == (40_000, 3333)
    assert c["history"] == ("^dD" if turned else "Dd")


@pytest.mark.parametrize("base", [1000, 2**32 - 8])
def test_retransmissions_count_once_and_losses_are_missed(base: int) -> None:
    """Bytes by sequence numbers, also where these wrap round; a late segment fills its hole."""
    lost = [out(base - 1, S), out(base, data=b"a" * 10), out(base + 30, data=b"d" * 10)]
    assert Run().feed(lost).one()["missed_bytes"] == 20
    late = [*lost, out(base + 10, data=b"b" * 10), out(base + 20, data=b"c" * 10), out(base, data=b"a" * 10)]
    c = Run().feed(late).one()
    assert (c["orig_bytes"], c["missed_bytes"]) == (40, 0)
    assert c["history"] == "SDGT"


def test_a_syn_sent_again_does_not_wind_the_count_back() -> None:
    """A duplicate of the SYN between data: neither a hole nor bytes twice."""
    c = (
        Run()
        .feed([out(99, S), back(499, SA, ack=100), out(100, data=b"a" * 50), out(99, S), out(150, data=b"b" * 50)])
        .one()
    )
    assert (c["orig_bytes"], c["missed_bytes"]) == (100, 0)


def test_syn_captured_after_its_answer_is_the_same_conversation() -> None:
    """Queues of a network card reorder the two directions."""
    c = Run().feed([back(499, SA, ack=100), out(99, S), out(100, K), out(100, data=b"x")]).one()
    assert (c["orig_p"], c["orig_pkts"], c["resp_pkts"], c["orig_bytes"]) == (40_000, 3, 1, 1)
    late = Run().feed([out(100, data=b"abc"), out(99, S), back(499, SA, ack=100)]).one()
    assert (late["orig_pkts"], late["orig_bytes"]) == (2, 3)


@pytest.mark.parametrize("ending", [[out(115, F)], [out(115, R)], []])
def test_ports_used_again_begin_a_new_conversation(ending: list[bytes]) -> None:
    """After FIN or RST, or after data whose end was not seen, a SYN with another number is a new connection."""
    first = [out(99, S), back(499, SA, ack=100), out(100, data=b"a" * 10), *ending]
    second = [out(7_000_000, S), back(9_000_000, SA, ack=7_000_001), out(7_000_001, data=b"b" * 7)]
    one, two = Run().feed(first + second).all()
    assert (one["orig_bytes"], two["orig_bytes"]) == (10, 7)
    assert (one["missed_bytes"], two["missed_bytes"]) == (0, 0)
    assert two["first_packet"] == len(first)


def test_attempts_stay_one_conversation() -> None:
    """A SYN that is sent again, with the same number or another, before any answer."""
    c = Run().feed([out(99, S), out(99, S), out(555, S), back(0, make.RST | make.ACK)]).one()
    assert (c["orig_pkts"], c["resp_pkts"], c["history"]) == (3, 1, "Sr")


def test_time_going_backwards_keeps_the_latest() -> None:
    """`last_ns` never decreases; the series keeps what was captured."""
    run = Run().feed([out(1, data=b"a")], start_ns=1000).feed([out(2, data=b"b")], start_ns=400)
    c = run.one()
    assert (c["first_ns"], c["last_ns"], c["series"]) == (1000, 1000, [(1000, 1), (400, 1)])


def test_sweep_lets_go_by_state() -> None:
    """5 s after the end, 60 s after an attempt, 120 s for datagrams, an hour for the rest."""
    udp = make.ethernet(0x0800, make.ipv4(A, B, 17, make.udp(5000, 53, b"q")))
    data = [*SESSION, out(1, S, sport=41_000), udp, out(5, data=b"x", sport=42_000)]
    run = Run().feed(data)
    assert [run.sweep(at * SECOND) for at in (4, 6, 59, 61, 119, 121, 3599, 3601)] == [0, 1, 0, 1, 0, 1, 0, 1]
    assert len(run.over) == 4
    assert int(run.table.counters[3]) == 0
    assert not run.table.slots.any()


def test_growth_keeps_everything() -> None:
    """300 conversations in a table made for 2, each with a series that takes several blocks."""
    run = Run(2, 2)
    for round_ in range(40):
        run.feed([out(100 + round_, data=b"x", sport=10_000 + k) for k in range(300)], start_ns=round_ * 1000)
    views = run.all()
    assert [c["orig_p"] for c in views] == [10_000 + k for k in range(300)]
    for k, c in enumerate(views):
        assert c["series"] == [(round_ * 1000 + k, 1) for round_ in range(40)]
        assert (c["orig_pkts"], c["orig_bytes"], c["missed_bytes"]) == (40, 40, 0)


def test_room_is_used_again() -> None:
    """Ten thousand short conversations one after the other leave a table of the first size."""
    run = Run(64, 64)
    for k in range(200):
        run.feed([out(1, data=b"x", sport=1024 + (50 * k + j) % 60_000) for j in range(50)], start_ns=k * 4000 * SECOND)
        run.sweep((k + 1) * 4000 * SECOND)
    assert len(run.over) == 10_000
    assert len(run.table.conversations) == 64


# -- sequence bookkeeping against sets of bytes ------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), min_size=1, max_size=25))
def test_bytes_and_misses_agree_with_a_set(isn: int, segments: list[tuple[int, int]]) -> None:
    """`orig_bytes` is how far the stream went; `missed_bytes` is never less than what is truly missing, and is exact
    as long as no second hole opened and holes were filled from their front."""
    data = [out(isn, S)] + [out(isn + 1 + 10 * first, data=b"x" * size) for first, size in segments]
    c = Run().feed(data).one()
    seen: set[int] = set()
    for first, size in segments:
        seen |= set(range(10 * first, 10 * first + size))
    end = max(seen) + 1
    assert c["orig_bytes"] == end
    assert end - len(seen) <= c["missed_bytes"] <= end
    assert c["orig_pkts"] == len(data)
    assert [size for _, size in c["series"]] == [size for _, size in segments]
    in_order = sorted(segments)
    sorted_run = (
        Run().feed([out(isn, S)] + [out(isn + 1 + 10 * first, data=b"x" * size) for first, size in in_order]).one()
    )
    assert sorted_run["missed_bytes"] == end - len(seen)


# -- the hash table against a dictionary -------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), min_size=1, max_size=120), st.integers(0, 15))
def test_removal_keeps_all_others_reachable(steps: list[tuple[bool, int]], spread: int) -> None:
    """Insert and remove in a table of 32 slots where many keys share a home: like a dictionary after every step."""
    slots = np.zeros(32, dtype=np.uint64)
    table = kernel.new_table(16, 1)._replace(slots=slots)
    model: dict[int, int] = {}

    def home(key: int) -> int:
        return (key % (spread + 1)) + 28  # runs wrap round the end

    def find(key: int) -> int:
        slot = home(key) & 31
        while slots[slot] != 0:
            if int(slots[slot]) & 0xFFFFFFFF == key + 1:
                return slot
            slot = (slot + 1) & 31
        return -1

    for insert, key in steps:
        if insert and key not in model and len(model) < 24:
            slot = home(key) & 31
            while slots[slot] != 0:
                slot = (slot + 1) & 31
            slots[slot] = home(key) << 32 | key + 1
            model[key] = slot
        elif not insert and key in model:
            kernel._remove(table, np.uint64(find(key)))
            del model[key]
        assert np.count_nonzero(slots) == len(model)
        assert all(find(k) >= 0 for k in model)


# -- segments of a ClientHello -----------------------------------------------------------------------------------------


def test_client_hello_over_segments_is_joined() -> None:
    """A name behind the first segment's end: selected once, with its bytes in the pool; a lost segment gives up."""
    from tests import naive
    from tests.kernels.test_look import client_hello

    names = look.name_table(np.array([naive.fnv1a("pool.example")], dtype=np.uint64))
    hello = client_hello("eu.pool.example", padding=1500)
    opening = [out(99, S), back(499, SA, ack=100), out(100, K)]
    run = Run(names=names).feed(
        [
            *opening,
            out(100, data=hello[:1400]),
            out(1500, data=hello[1400:]),
            out(100 + len(hello), data=b"\x14\3\3\0\1\1"),
        ]
    )
    assert [number for number, _ in run.selected] == [4]
    c = run.one()
    assert c["flags"] & kernel.HELLO
    assert run.table.hello[c["hello"], : run.table.hello_len[c["hello"]]].tobytes() == hello
    broken = Run(names=names).feed([*opening, out(100, data=hello[:700]), out(1500, data=hello[1400:])])
    assert (broken.selected, broken.one()["hello"]) == ([], -1)


def test_tables_of_random_frames_stay_in_bounds() -> None:
    """The uncompiled table over a buffer that refuses other reads gives what the compiled one gives."""
    plain = uncompiled()
    rng = np.random.default_rng(5)
    data = []
    for _ in range(120):
        a, b = (A, B) if rng.random() < 0.5 else (B, A)
        ports = (40_000 + int(rng.integers(6)), 3333)
        sport, dport = ports if a == A else ports[::-1]
        payload = bytes([int(rng.choice([0x16, 0x7B, 0x17]))]) + b"\3\1\2\0\1" + rng.bytes(int(rng.integers(40)))
        flags = int(rng.choice([S, SA, K, P, F, R]))
        data.append(make.frame(a, sport, b, dport, int(rng.integers(2000)), 0, flags, payload * int(rng.integers(2))))
    whole = b"".join(data)
    buf = StrictBytes(whole)
    packets = records(frames.PACKET, len(data))
    at = 0
    for k, frame in enumerate(data):
        packets["frame"][k], packets["captured_len"][k], packets["wire_len"][k] = at, len(frame), len(frame)
        packets["time_ns"][k], packets["link_type"][k] = k, 1
        at += len(frame)
    table = plain.conversations.new_table(64, 256)
    table = table._replace(conversations=Records(table.conversations))
    selected, closed = records(kernel.SELECTED, len(data) + 1), np.zeros(len(data), dtype=np.int32)
    with np.errstate(over="ignore"):
        plain.frames.decode_frames(buf, packets, 0, len(data), KEY, KEY)
        plain.look.look_at_payloads(buf, packets, 0, len(data), NAMES)
        done = plain.conversations.update(table, buf, packets, 0, len(data), 0, selected, closed, NAMES, NAMES)
    assert done == (len(data), plain.conversations.DONE)
    compiled = Run(64, 256).feed(data)
    n = int(table.counters[kernel.N_CLOSED])
    assert n == len(compiled.over)
    live = np.flatnonzero(table.conversations["in_use"] != 0)
    keys = ("first_packet", "orig_pkts", "resp_pkts", "orig_bytes", "resp_bytes", "missed_bytes", "flags")
    got = sorted(tuple(int(table.conversations[k][name]) for name in keys) for k in live)
    assert got == sorted(tuple(c[name] for name in keys) for c in compiled.all())
