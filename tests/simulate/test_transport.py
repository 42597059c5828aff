"""TCP as it should be on a wire: numbers that fit, acknowledgements that keep within what arrived."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headframe.simulate.packets import ACK, FIN, SYN, Path, internet_checksum
from headframe.simulate.transport import MILLISECOND, Faults, Message, tcp_packets, udp_packets
from tests.simulate.wire import Seen, decode_all, ones_complement_sum, streams

RTT = 20 * MILLISECOND
PATHS = [
    Path("192.0.2.5", 40000, "203.0.113.9", 3333),
    Path("2001:db8:2::5", 40000, "2001:db8::9", 443),
    Path("192.0.2.5", 40000, "203.0.113.9", 3333, vlan=30),
]


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Messages of both sides at ascending times."""
    step = st.tuples(st.integers(0, 300), st.integers(0, 1), st.integers(1, 6000))
    gaps = draw(st.lists(step, min_size=1, max_size=25))
    now, out = 10**18, []
    for gap_ms, direction, size in gaps:
        now += gap_ms * MILLISECOND
        out.append(Message(now, direction, bytes((len(out) + at) % 251 for at in range(size))))
    return out


def said(messages: list[Message], direction: int) -> bytes:
    return b"".join(message.data for message in messages if message.direction == direction)


def both_ways(path: Path) -> tuple[tuple[tuple[str, int], tuple[str, int]], ...]:
    near, far = (path.orig_h, path.orig_p), (path.resp_h, path.resp_p)
    return (near, far), (far, near)


@pytest.mark.parametrize("path", PATHS, ids=["ipv4", "ipv6", "vlan"])
@given(messages=conversations(), seed=st.integers(0, 2**32), lossy=st.booleans())
def test_the_streams_carry_the_messages(path: Path, messages: list[Message], seed: int, lossy: bool) -> None:
    """Whatever is retransmitted or reordered, putting the segments in order gives what was said."""
    faults = Faults(retransmission=0.2, reordering=0.2) if lossy else Faults()
    packets = decode_all(tcp_packets(path, messages, random.Random(seed), rtt_ns=RTT, faults=faults))
    found = streams(packets)
    for direction, key in enumerate(both_ways(path)):
        assert found.get(key, b"") == said(messages, direction)


@given(messages=conversations(), seed=st.integers(0, 2**32), loss=st.sampled_from((0.0, 0.2)))
def test_acknowledgements_keep_within_what_was_sent(messages: list[Message], seed: int, loss: float) -> None:
    """At the sensor, no acknowledgement covers a byte that has not passed it before, and none goes back."""
    path = PATHS[0]
    packets = decode_all(
        tcp_packets(path, messages, random.Random(seed), rtt_ns=RTT, faults=Faults(retransmission=loss))
    )
    reached: dict[tuple[str, int], int] = {}
    told: dict[tuple[str, int], int] = {}
    base = {packet.source: packet.seq for packet in packets if packet.flags & SYN}
    assert len(base) == 2
    for packet in packets:
        if packet.flags & ACK:
            number = (packet.ack - base[packet.target]) % 2**32
            assert number <= reached[packet.target]
            assert number >= told.get(packet.source, 0)
            told[packet.source] = number
        end = (packet.seq - base[packet.source]) % 2**32 + len(packet.payload) + bool(packet.flags & (SYN | FIN))
        reached[packet.source] = max(reached.get(packet.source, 0), end)
    # The last word on each side: everything was acknowledged, the FINs too.
    assert told[path.orig_h, path.orig_p] == reached[path.resp_h, path.resp_p]
    assert told[path.resp_h, path.resp_p] == reached[path.orig_h, path.orig_p]


def test_segments_keep_to_the_maximum_size() -> None:
    """A frame holds at most 1,500 bytes of IP packet, or 1,518 with Ethernet header and tag."""
    messages = [Message(10**18, 0, bytes(100_000))]
    for path in PATHS:
        frames = [frame for _, frame in tcp_packets(path, messages, random.Random(1), rtt_ns=RTT)]
        assert max(map(len, frames)) == 1514 + (4 if path.vlan else 0)


@pytest.mark.parametrize(("ending", "flags"), [("fin", FIN), ("rst", 4)])
def test_a_conversation_ends_as_told(ending: str, flags: int) -> None:
    """FIN from both sides, or one RST."""
    messages = [Message(10**18, 0, b"hello\n")]
    packets = decode_all(tcp_packets(PATHS[0], messages, random.Random(1), rtt_ns=RTT, ending=ending))  # type: ignore[arg-type]
    assert sum(bool(packet.flags & flags) for packet in packets) == (2 if ending == "fin" else 1)


def count(packets: list[Seen]) -> int:
    return sum(bool(packet.payload) for packet in packets)


def test_faults_happen_as_often_as_asked() -> None:
    """Of 4,000 segments a tenth is retransmitted, and the sensor misses a tenth: within four standard deviations."""
    messages = [Message(10**18 + n * 10**9, 0, b"x" * 100) for n in range(4000)]
    whole = decode_all(tcp_packets(PATHS[0], messages, random.Random(3), rtt_ns=RTT))
    again = decode_all(tcp_packets(PATHS[0], messages, random.Random(3), rtt_ns=RTT, faults=Faults(retransmission=0.1)))
    missed = decode_all(tcp_packets(PATHS[0], messages, random.Random(3), rtt_ns=RTT, faults=Faults(sensor_loss=0.1)))
    assert count(whole) == 4000
    # Half of the retransmitted segments are seen twice.
    assert abs(count(again) - 4000 - 200) < 4 * 14
    assert abs(4000 - count(missed) - 400) < 4 * 19


def test_packets_come_in_order_of_capture_time() -> None:
    """Reordering moves a packet's place, never its time stamp behind its successor's."""
    messages = [Message(10**18 + n * MILLISECOND, n % 2, b"x" * 3000) for n in range(300)]
    packets = tcp_packets(PATHS[0], messages, random.Random(3), rtt_ns=RTT, faults=Faults(reordering=0.3))
    assert [time for time, _ in packets] == sorted(time for time, _ in packets)
    seqs = [p.seq for p in decode_all(packets) if p.source[1] == 40000 and p.payload]
    assert seqs != sorted(seqs)


@example(b"\xff\xff")  # a sum of 65,535 is not a sum of 0
@example(b"\x80\x00\x7f\xff")
@example(bytes(4))
@given(st.binary(max_size=3000))
def test_the_checksum_is_the_one_of_rfc_1071(data: bytes) -> None:
    """The shortcut by remainder gives what adding word by word gives."""
    assert internet_checksum(data) == 0xFFFF - ones_complement_sum(data)


def test_datagrams_stay_whole() -> None:
    """One UDP packet per message."""
    messages = [Message(10**18, 0, b"ask"), Message(10**18 + RTT, 1, b"answer")]
    packets = decode_all(udp_packets(PATHS[1], messages, random.Random(1)))
    assert [packet.payload for packet in packets] == [b"ask", b"answer"]


def test_what_cannot_be_is_refused() -> None:
    """Probabilities above 1, mixed address families and silent conversations raise ValueError."""
    with pytest.raises(ValueError, match="sensor_loss"):
        Faults(sensor_loss=1.5)
    with pytest.raises(ValueError, match="IP versions"):
        Path("192.0.2.1", 1, "2001:db8::1", 2)
    with pytest.raises(ValueError, match="at least one message"):
        tcp_packets(PATHS[0], [], random.Random(1), rtt_ns=RTT)
