"""Frames: every link layer and tunnel, against a decoder that shares no line with ours, and never out of bounds."""

from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.kernels import frames
from tests import captures as make
from tests import naive
from tests.kernels.uncompiled import StrictBytes, _Record, records, uncompiled

KEY_A, KEY_B = np.uint64(0x1234567890ABCDEF), np.uint64(0xFEDCBA0987654321)
PAD = 9  # a frame seldom begins at the start of the buffer


def decode(data: bytes, wire_len: int | None = None, link_type: int = 1, *, behind: bytes = b"\xff" * 64) -> np.void:
    """One frame through the compiled kernel, with other bytes around it."""
    buf = np.frombuffer(b"\xee" * PAD + data + behind, dtype=np.uint8)
    packets = np.zeros(1, dtype=frames.PACKET)
    packets["frame"], packets["captured_len"] = PAD, len(data)
    packets["wire_len"] = len(data) if wire_len is None else wire_len
    packets["link_type"] = link_type
    frames.decode_frames(buf, packets, 0, 1, KEY_A, KEY_B)
    return packets[0]


def decode_strictly(data: bytes, wire_len: int, link_type: int) -> _Record:
    """One frame through the uncompiled kernel, which may read nothing but the frame."""
    plain = uncompiled().frames
    packets = records(plain.PACKET, 1)
    packets["frame"], packets["captured_len"], packets["wire_len"], packets["link_type"] = (
        PAD,
        len(data),
        wire_len,
        link_type,
    )
    buf = StrictBytes(b"\xee" * PAD + data + b"\xff" * 64, PAD, PAD + len(data))
    with np.errstate(over="ignore"):
        plain.decode_frames(buf, packets, 0, 1, KEY_A, KEY_B)
    return packets[0]


def compare(packet: np.void | _Record, expected: naive.Decoded) -> None:
    assert int(packet["status"]) == expected.status
    if expected.status == naive.FRAGMENT:
        assert int(packet["network"]) == expected.network
    if expected.status != naive.OK:
        return
    for name, value in (
        ("version", expected.version),
        ("proto", expected.proto),
        ("orig_port", expected.sport),
        ("resp_port", expected.dport),
        ("seq", expected.seq),
        ("ack", expected.ack),
        ("tcp_flags", expected.tcp_flags),
        ("vlan", expected.vlan),
        ("network", expected.network),
        ("payload", expected.payload + PAD),
        ("payload_len", expected.payload_len),
        ("payload_captured", expected.payload_captured),
    ):
        assert int(packet[name]) == value, name
    if expected.version == 4:
        ends = sorted(
            [(int(ip_address(expected.src)), expected.sport), (int(ip_address(expected.dst)), expected.dport)]
        )
        assert int(packet["key0"]) == ends[0][0] << 32 | ends[1][0]
        assert int(packet["key1"]) == ends[0][1] << 48 | ends[1][1] << 32 | expected.proto << 8 | 4
        assert bool(packet["low"]) == (ends[0] == (int(ip_address(expected.src)), expected.sport))


# -- random stacks of layers -------------------------------------------------------------------------------------------

ports = st.integers(0, 65_535).filter(lambda port: port != 4789)
v4 = st.ip_addresses(v=4).map(str)
v6 = st.ip_addresses(v=6).map(str)
payloads = st.binary(max_size=40)
words = st.integers(0, 2**32 - 1)


@st.composite
def transports(draw: st.DrawFn) -> tuple[int, bytes]:
    kind = draw(st.sampled_from(["tcp", "tcp", "udp", "icmp", "sctp", "other"]))
    if kind == "tcp":
        options = draw(st.binary(max_size=9)).ljust(12, b"\1")[: 4 * draw(st.integers(0, 3))]
        flags = draw(st.integers(0, 255))
        return 6, make.tcp(draw(ports), draw(ports), draw(words), draw(words), flags, draw(payloads), options)
    if kind == "udp":
        return 17, make.udp(draw(ports), draw(ports), draw(payloads))
    if kind == "icmp":
        return 1, make.icmp(draw(payloads))
    if kind == "sctp":
        return 132, make.udp(draw(ports), draw(ports), draw(st.binary(min_size=4, max_size=20)))
    return draw(st.sampled_from([2, 89, 103, 253])), draw(payloads)


@st.composite
def ip_packets(draw: st.DrawFn, depth: int = 0) -> tuple[int, bytes]:
    """An EtherType and the IP packet, perhaps with more packets inside."""
    inner = draw(st.sampled_from(["none", "none", "ip", "gre", "vxlan"])) if depth < 3 else "none"
    if inner == "none":
        proto, body = draw(transports())
    elif inner == "ip":
        kind, body = draw(ip_packets(depth + 1))
        proto = 4 if kind == 0x0800 else 41
    elif inner == "gre":
        proto = 47
        form = draw(st.sampled_from(["ip", "ethernet", "ppp", "mpls", "erspan"]))
        options = {
            "checksummed": draw(st.booleans()),
            "key": draw(st.none() | words),
            "seq": draw(st.none() | words),
        }
        kind, packet = draw(ip_packets(depth + 1))
        if form == "ip":
            body = make.gre(kind, packet, **options)
        elif form == "ethernet":
            body = make.gre(0x6558, make.ethernet(kind, packet), **options)
        elif form == "ppp":
            ppp = b"\xff\x03" * draw(st.booleans()) + (b"\0\x21" if kind == 0x0800 else b"\0\x57")
            body = make.gre(0x880B, ppp + packet, **options)
        elif form == "mpls":
            body = make.gre(0x8847, make.mpls([draw(st.integers(16, 2**20 - 1))], packet), **options)
        else:
            body = make.gre(0x88BE, b"\x10\x01\0\0\0\0\0\0" + make.ethernet(kind, packet), seq=1)
    else:
        proto = 17
        body = make.vxlan(draw(link_frames(depth + 1)))
    if draw(st.booleans()):
        options_4 = draw(st.sampled_from([b"", b"\x94\x04\0\0", b"\1" * 40]))
        return 0x0800, make.ipv4(draw(v4), draw(v4), proto, body, options=options_4)
    extensions = draw(
        st.lists(
            st.sampled_from(
                [
                    (0, b"\0\1\4\0\0\0\0"),
                    (43, b"\1" + b"\0" * 14),
                    (60, b"\0\1\4\0\0\0\0"),
                    (51, b"\2" + b"\7" * 14),
                    (44, b"\0\0\0\0\0\0\7"),  # an atomic fragment: RFC 6946
                ]
            ),
            max_size=3,
        )
    )
    return 0x86DD, make.ipv6(draw(v6), draw(v6), proto, body, extensions=extensions)


@st.composite
def link_frames(draw: st.DrawFn, depth: int = 0) -> bytes:
    """An Ethernet frame with tags, labels or sessions."""
    kind, body = draw(ip_packets(depth))
    for _ in range(draw(st.integers(0, 2))):
        layer = draw(st.sampled_from(["vlan", "mpls", "pseudowire", "pppoe"]))
        if layer == "vlan":
            body, kind = (
                make.vlan(draw(st.integers(0, 65_535)), kind, body),
                draw(st.sampled_from([0x8100, 0x88A8, 0x9100])),
            )
        elif layer == "mpls" and kind in (0x0800, 0x86DD):
            body, kind = make.mpls(draw(st.lists(st.integers(0, 2**20 - 1), min_size=1, max_size=4)), body), 0x8847
        elif layer == "pseudowire":
            body, kind = make.mpls([draw(st.integers(16, 1000))], b"\0\0\0\1" + make.ethernet(kind, body)), 0x8848
        elif layer == "pppoe" and kind in (0x0800, 0x86DD):
            body, kind = make.pppoe((b"\0\x21" if kind == 0x0800 else b"\0\x57") + body), 0x8864
    return make.snap(kind, body) if draw(st.integers(0, 9)) == 0 else make.ethernet(kind, body)


@st.composite
def any_frames(draw: st.DrawFn) -> tuple[int, bytes]:
    """A link type and a frame of it."""
    link = draw(st.sampled_from([1, 1, 1, 113, 276, 101, 12, 14, 228, 229, 0, 108, 9, 50, 104]))
    if link == 1:
        return 1, draw(link_frames())
    kind, body = draw(ip_packets())
    if link == 113:
        return link, make.sll(kind, body)
    if link == 276:
        return link, make.sll2(kind, body)
    if link in (0, 108):
        family = b"\2\0\0\0" if kind == 0x0800 else b"\0\0\0\x1e"
        return link, family + body
    if link in (9, 50):
        ppp = draw(st.sampled_from([b"\xff\x03", b""])) + (b"\0\x21" if kind == 0x0800 else b"\0\x57")
        return link, ppp + body
    if link == 104:
        return link, b"\x0f\0" + kind.to_bytes(2, "big") + body
    return link, body


@given(any_frames())
def test_every_stack_decodes_to_its_innermost_packet(case: tuple[int, bytes]) -> None:
    """The kernel agrees with the naive decoder, and a stack of at most 8 IP headers is never refused."""
    link, data = case
    expected = naive.decode(data, len(data), link)
    assert expected.status == naive.OK
    compare(decode(data, link_type=link), expected)


@given(any_frames(), st.data())
def test_cut_and_flipped_frames_agree_and_stay_in_bounds(case: tuple[int, bytes], data: st.DataObject) -> None:
    """A snap length or flipped bytes anywhere: same answer as the naive decoder, and not a byte read outside."""
    link, frame = case
    wire = len(frame)
    mutable = bytearray(frame)
    for _ in range(data.draw(st.integers(0, 4))):
        mutable[data.draw(st.integers(0, wire - 1))] = data.draw(st.integers(0, 255))
    frame = bytes(mutable[: data.draw(st.integers(0, wire))])
    expected = naive.decode(frame, wire, link)
    compare(decode(frame, wire, link), expected)
    compare(decode_strictly(frame, wire, link), expected)


@given(st.binary(max_size=200), st.sampled_from([0, 1, 9, 12, 14, 50, 101, 104, 108, 113, 147, 228, 229, 276]))
def test_random_bytes_agree_and_stay_in_bounds(data: bytes, link: int) -> None:
    """Noise of any link type."""
    expected = naive.decode(data, len(data), link)
    compare(decode(data, len(data), link), expected)
    compare(decode_strictly(data, len(data), link), expected)


def test_a_frame_cut_at_every_byte() -> None:
    """Each byte less is either the same conversation with less payload or headers cut short."""
    inner = make.ethernet(0x0800, make.ipv4("10.0.0.1", "10.0.0.2", 6, make.tcp(40_000, 3333, 5, 6, 24, b"payload")))
    whole = make.ethernet(
        0x88A8,
        make.vlan(5, 0x8100, make.vlan(7, 0x86DD, make.ipv6("2001:db8::1", "2001:db8::2", 17, make.vxlan(inner)))),
    )
    for length in range(len(whole) + 1):
        expected = naive.decode(whole[:length], len(whole), 1)
        compare(decode(whole[:length], len(whole)), expected)
        compare(decode_strictly(whole[:length], len(whole), 1), expected)
        # from 4 bytes of the innermost TCP header on, who speaks to whom is known
    assert naive.decode(whole[:-7], len(whole), 1).payload_len == 7


def test_nesting_has_a_limit() -> None:
    """A crafted frame of tunnels in tunnels is given up after 8."""
    body, proto = make.tcp(1, 2, 3), 6
    for depth in range(1, 12):
        body, proto = make.ipv4("10.0.0.1", "10.0.0.2", proto, body), 4
        status = int(decode(body, link_type=101)["status"])
        assert status == (frames.OK if depth <= frames.MAX_DEPTH else frames.TOO_DEEP)


@settings(max_examples=30)
@given(st.data())
def test_key_is_the_same_from_either_side_and_no_other(data: st.DataObject) -> None:
    """Swapping source and destination keeps the key and turns `low`; any other endpoint changes the key."""
    addresses = v4 if data.draw(st.booleans()) else v6
    a, b, c = (data.draw(addresses) for _ in range(3))
    p, q, r = (data.draw(ports) for _ in range(3))
    one, other = decode(make.frame(a, p, b, q)), decode(make.frame(b, q, a, p))
    assert (one["key0"], one["key1"], one["hash"]) == (other["key0"], other["key1"], other["hash"])
    if (a, p) != (b, q):
        assert one["low"] != other["low"]
    if {(a, p), (b, q)} != {(a, r), (c, q)}:
        third = decode(make.frame(a, r, c, q))
        assert (one["key0"], one["key1"]) != (third["key0"], third["key1"])


def test_fragments_and_offload() -> None:
    """A fragment says so with its IP offset; a total length of 0 means as long as the frame."""
    part = make.ipv4("10.0.0.1", "10.0.0.2", 17, b"x" * 16, offset=8, more=True)
    packet = decode(make.ethernet(0x0800, part))
    assert (int(packet["status"]), int(packet["network"])) == (frames.FRAGMENT, 14)
    large = make.ipv4("10.0.0.1", "10.0.0.2", 6, make.tcp(1, 2, 3, payload=b"x" * 900), total=0)
    assert int(decode(make.ethernet(0x0800, large))["payload_len"]) == 900


@pytest.mark.parametrize("padding", [0, 6, 300])
def test_padding_is_no_payload(padding: int) -> None:
    """Ethernet pads short frames: the IP header says where the payload ends."""
    data = make.frame("10.0.0.1", 1, "10.0.0.2", 2, payload=b"ab") + b"\0" * padding
    packet = decode(data)
    assert (int(packet["payload_len"]), int(packet["payload_captured"])) == (2, 2)
