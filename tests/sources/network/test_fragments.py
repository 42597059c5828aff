"""IP fragments to datagrams: any order, with overlaps, bounded."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.sources.network.fragments import FragmentAssembler
from tests import captures as make

BODY = bytes(range(256)) * 6


def fragments(version: int, pieces: list[tuple[int, int]], ident: int = 7, body: bytes = BODY) -> list[bytes]:
    """IP packets that carry ``body[first:last]``."""
    out = []
    for first, last in pieces:
        more = last < len(body)
        if version == 4:
            out.append(make.ipv4("10.0.0.1", "10.0.0.2", 17, body[first:last], ident=ident, offset=first, more=more))
        else:
            header = make.fragment_header(first, more, ident)
            out.append(make.ipv6("2001:db8::1", "2001:db8::2", 17, body[first:last], extensions=[header]))
    return out


def body_of(packet: bytes) -> bytes:
    return packet[20:] if packet[0] >> 4 == 4 else packet[40:]


@pytest.mark.parametrize("version", [4, 6])
@given(data=st.data())
def test_any_order_with_overlaps_gives_the_datagram_once(version: int, data: st.DataObject) -> None:
    """The last missing piece gives the whole packet, without fragmentation."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(BODY) // 8 - 1), min_size=1, max_size=6)))
    borders = [0, *(8 * cut for cut in cuts), len(BODY)]
    pieces = list(pairwise(borders))
    for _ in range(data.draw(st.integers(0, 2))):
        first = 8 * data.draw(st.integers(0, len(BODY) // 8 - 2))
        pieces.append((first, first + 8 * data.draw(st.integers(1, (len(BODY) - first) // 8))))
    assembler = FragmentAssembler()
    whole = [w for p in fragments(version, data.draw(st.permutations(pieces))) if (w := assembler.feed(p, 0))]
    assert whole
    assert body_of(whole[0]) == BODY
    if version == 4:
        assert whole[0][6:8] == b"\0\0"
        assert int.from_bytes(whole[0][2:4], "big") == len(whole[0])
        assert whole[0][9] == 17
    else:
        assert whole[0][6] == 17
        assert int.from_bytes(whole[0][4:6], "big") == len(BODY)


def test_identifiers_are_kept_apart() -> None:
    """Two datagrams whose fragments alternate."""
    assembler = FragmentAssembler()
    other = BODY[::-1]
    a, b = fragments(4, [(0, 800), (800, len(BODY))], 1), fragments(4, [(0, 800), (800, len(BODY))], 2, other)
    out = [assembler.feed(p, 0) for p in (a[0], b[0], b[1], a[1])]
    assert [w and body_of(w) for w in out] == [None, None, other, BODY]


def test_old_fragments_are_forgotten() -> None:
    """After 30 s the second half alone makes nothing."""
    assembler = FragmentAssembler()
    first, second = fragments(4, [(0, 800), (800, len(BODY))])
    assert assembler.feed(first, 0) is None
    assert assembler.feed(second, 31 * 10**9) is None


def test_many_open_datagrams_do_not_fill_memory() -> None:
    """The oldest of 513 is gone, the newest is not."""
    assembler = FragmentAssembler()
    for ident in range(513):
        assembler.feed(fragments(4, [(0, 800)], ident)[0], 0)
    assert assembler.feed(fragments(4, [(800, len(BODY))], 0)[0], 0) is None
    assert assembler.feed(fragments(4, [(800, len(BODY))], 512)[0], 0) is not None


@given(st.binary(max_size=120))
def test_noise_is_refused_quietly(data: bytes) -> None:
    """Any bytes: no exception."""
    assembler = FragmentAssembler()
    for first in (0x45, 0x60):
        assembler.feed(bytes([first]) + data, 0)


@pytest.mark.parametrize("version", [4, 6])
def test_cut_at_every_byte(version: int) -> None:
    """A fragment that the snap length cut never completes a datagram with wrong bytes."""
    first, second = fragments(version, [(0, 800), (800, len(BODY))])
    for length in range(len(first)):
        assembler = FragmentAssembler()
        assembler.feed(first[:length], 0)
        whole = assembler.feed(second, 0)
        assert whole is None or body_of(whole) == BODY
