"""The walkers of both formats over damaged bytes: compiled and uncompiled agree, and no byte outside is read."""

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import damage
from headframe.kernels import frames, look, pcap, pcapng
from tests import captures as make
from tests.kernels.uncompiled import Records, StrictBytes, uncompiled

NAMES = look.name_table(np.empty(0, dtype=np.uint64))
KEY = np.uint64(3)
COMPILED = SimpleNamespace(pcap=pcap, pcapng=pcapng, frames=frames)


def broken(seed: int, *, ng: bool) -> bytes:
    """A small capture with damage of a random kind."""
    sizes = random.Random(seed)
    data = [make.frame("10.0.0.1", 1, "10.0.0.2", 2, k, payload=b"x" * sizes.randrange(60)) for k in range(8)]
    packets = make.packets_of(data)
    whole = make.pcapng_file(packets) if ng else make.pcap_file(packets)
    damager = sizes.choice(damage.DAMAGERS)
    made = damage.make_variant(whole, damage.parse(whole), damager.__name__, sizes)[0]
    return made[:3000]


def both(data: bytes, ask: Callable[[SimpleNamespace, Any, Callable[[np.ndarray], Any]], Any]) -> tuple[Any, Any]:
    """The same question to the compiled kernels, and to the uncompiled ones over bytes that refuse."""
    compiled = ask(COMPILED, np.frombuffer(data, dtype=np.uint8), lambda array: array)
    with np.errstate(over="ignore"):
        plain = ask(uncompiled(), StrictBytes(data), Records)
    return compiled, plain


def numbers(answer: Any) -> Any:
    return tuple(int(a) for a in answer) if isinstance(answer, tuple) else int(answer)


def facts(packets: np.ndarray, count: int) -> list[tuple[int, ...]]:
    names = ("time_ns", "frame", "captured_len", "wire_len", "link_type", "status", "payload", "look")
    return [tuple(int(p[name]) for name in names) for p in packets[:count]]


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.data())
def test_pcap_walk(seed: int, data: st.DataObject) -> None:
    """From any offset, with any room and any clock; and the searches that follow damage."""
    content = broken(seed, ng=False)
    start = data.draw(st.sampled_from([24, 24, 24]) | st.integers(0, len(content)))
    near = data.draw(st.sampled_from([-1, make.T0_S]))
    room = data.draw(st.integers(0, 12))

    def walk(k: SimpleNamespace, buf: Any, wrap: Callable[[np.ndarray], Any]) -> Any:
        fmt = k.pcap.RecordFormat(False, 1000, 16, 1, k.pcap.MAX_CAPTURED, 262_144)
        packets = np.zeros(room, dtype=frames.PACKET)
        answer = k.pcap.read_pcap(buf, start, fmt, near, wrap(packets), 0, NAMES, KEY, KEY)
        return numbers(answer), facts(packets, int(answer[0]))

    def search(k: SimpleNamespace, buf: Any, _wrap: object) -> Any:
        fmt = k.pcap.RecordFormat(False, 1000, 16, 1, k.pcap.MAX_CAPTURED, 262_144)
        return (
            numbers(k.pcap.find_after_damage(buf, start, fmt, near, 5)),
            numbers(k.pcap.find_record(buf, start, fmt, near, 3)),
            numbers(k.pcap.chain_length(buf, start, fmt, near, 99)),
            numbers(k.pcap.goes_beyond(buf, start, fmt, near, min(len(content), start + 200))),
        )

    for ask in (walk, search):
        compiled, plain = both(content, ask)
        assert compiled == plain
    for _time, frame, captured, *_ in walk(COMPILED, np.frombuffer(content, np.uint8), lambda a: a)[1]:
        assert 0 <= frame <= frame + captured <= len(content)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.booleans(), st.data())
def test_pcapng_walk(seed: int, swapped: bool, data: st.DataObject) -> None:
    """The same for blocks, in the right byte order and in the wrong one, with interfaces and without."""
    content = broken(seed, ng=True)
    start = data.draw(st.sampled_from([28, 28]) | st.integers(0, len(content)))
    known = data.draw(st.integers(0, 2))
    columns = [[1, 101], [1000, 0], [1, 1], [0, 40], [0, -5], [0, 20]]

    def walk(k: SimpleNamespace, buf: Any, wrap: Callable[[np.ndarray], Any]) -> Any:
        interfaces = k.pcapng.Interfaces(*(np.array(c[:known], dtype=np.int64) for c in columns))
        packets = np.zeros(12, dtype=frames.PACKET)
        order = (buf, start, swapped, interfaces, 7, wrap(packets), 0, NAMES, KEY, KEY)
        answer = k.pcapng.read_pcapng(*order)
        return numbers(answer), facts(packets, int(answer[0]))

    def search(k: SimpleNamespace, buf: Any, _wrap: object) -> Any:
        return (
            numbers(k.pcapng.find_after_damage(buf, start, swapped)),
            numbers(k.pcapng.is_block(buf, start, swapped)),
        )

    for ask in (walk, search):
        compiled, plain = both(content, ask)
        assert compiled == plain
    for _time, frame, captured, *_ in walk(COMPILED, np.frombuffer(content, np.uint8), lambda a: a)[1]:
        assert 0 <= frame <= frame + captured <= len(content)


@given(st.binary(max_size=400))
def test_noise(content: bytes) -> None:
    """Random bytes."""

    def ask(k: SimpleNamespace, buf: Any, _wrap: object) -> Any:
        fmt = k.pcap.RecordFormat(True, 1, 24, 1, k.pcap.MAX_CAPTURED, 0)
        return (
            numbers(k.pcap.find_after_damage(buf, 0, fmt, 5, 2)),
            numbers(k.pcapng.find_after_damage(buf, 0, False)),
        )

    compiled, plain = both(content, ask)
    assert compiled == plain
