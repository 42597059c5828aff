"""TCP reassembly against a model: a stream is a string, and what comes out is it, but for what was never captured."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headframe.records.conversation import Direction, PacketRef, StreamChunk
from headframe.sources.network.reassembly import StreamAssembler, sequence_step

STREAM = bytes(range(256)) * 8
REF = PacketRef("f", 1)


@st.composite
def segmentations(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    """An initial sequence number and segments as (first, last) in the stream: all of it, with repeats and overlaps."""
    start = draw(st.integers(0, 2**32 - 1) | st.integers(2**32 - 500, 2**32 - 1))
    cuts = sorted(draw(st.sets(st.integers(1, len(STREAM) - 1), min_size=1, max_size=12)))
    borders = [0, *cuts, len(STREAM)]
    segments = list(pairwise(borders))
    for _ in range(draw(st.integers(0, 5))):
        first = draw(st.integers(0, len(STREAM) - 1))
        segments.append((first, draw(st.integers(first + 1, min(len(STREAM), first + 400)))))
    return start, draw(st.permutations(segments))


def feed(assembler: StreamAssembler, start: int, segments: list[tuple[int, int]]) -> list[StreamChunk]:
    out: list[StreamChunk] = []
    for number, (first, last) in enumerate(segments):
        out += assembler.feed((start + first) % 2**32, STREAM[first:last], number, PacketRef("f", number))
    return out


@given(segmentations())
def test_any_order_cut_and_repeat_gives_the_stream(case: tuple[int, list[tuple[int, int]]]) -> None:
    """The first sequence number is known, nothing is lost: every byte once, in order, no gap."""
    start, segments = case
    assembler = StreamAssembler(Direction.ORIG)
    assembler.begins_at(start)
    chunks = feed(assembler, start, segments) + list(assembler.flush())
    assert b"".join(chunk.data for chunk in chunks) == STREAM
    assert not any(chunk.after_gap for chunk in chunks)
    assert all(chunk.data for chunk in chunks)


@given(segmentations(), st.data())
def test_each_chunk_names_the_packet_that_brought_it(
    case: tuple[int, list[tuple[int, int]]], data: st.DataObject
) -> None:
    """Time and packet number are those of the segment that holds the chunk's first byte."""
    start, segments = case
    assembler = StreamAssembler(Direction.RESP)
    assembler.begins_at(start)
    at = 0
    for chunk in feed(assembler, start, segments) + list(assembler.flush()):
        first, last = segments[chunk.packet.number]
        assert first <= at < last
        assert chunk.time_ns == chunk.packet.number
        at += len(chunk.data)


@given(segmentations(), st.data())
def test_losses_are_gaps_and_nothing_else_is_lost(case: tuple[int, list[tuple[int, int]]], data: st.DataObject) -> None:
    """With segments missing, what comes out is every captured byte once, in order; a gap is flagged where one is."""
    start, segments = case
    kept = [s for s in segments if data.draw(st.booleans())]
    assembler = StreamAssembler(Direction.ORIG)
    assembler.begins_at(start)
    chunks = feed(assembler, start, kept) + list(assembler.flush())
    captured = sorted({k for first, last in kept for k in range(first, last)})
    assert b"".join(chunk.data for chunk in chunks) == bytes(STREAM[k] for k in captured)
    at, expected = 0, -1
    for chunk in chunks:
        assert chunk.after_gap == (captured[at] != expected + 1)
        expected = captured[at + len(chunk.data) - 1]
        at += len(chunk.data)


def test_an_acknowledgement_ends_the_waiting() -> None:
    """The receiver had the missing bytes, only the capture has not."""
    assembler = StreamAssembler(Direction.ORIG)
    assembler.begins_at(100)
    assert list(assembler.feed(110, b"later", 0, REF)) == []
    assert list(assembler.acknowledged(105)) == []
    chunks = list(assembler.acknowledged(115))
    assert [(chunk.data, chunk.after_gap) for chunk in chunks] == [(b"later", True)]


def test_waiting_is_bounded() -> None:
    """Neither many small nor few large segments behind a hole are held for ever."""
    small = StreamAssembler(Direction.ORIG, most_segments=4)
    small.begins_at(0)
    out = [chunk for k in range(6) for chunk in small.feed(10 + k, b"x", k, REF)]
    assert b"".join(chunk.data for chunk in out) == b"x" * 6
    assert [chunk.after_gap for chunk in out] == [True] + [False] * 5
    large = StreamAssembler(Direction.ORIG, most_bytes=1000)
    large.begins_at(0)
    assert list(large.feed(10, b"x" * 900, 0, REF)) == []
    assert sum(len(chunk.data) for chunk in large.feed(910, b"x" * 200, 1, REF)) == 1100


def test_mid_stream_begins_where_it_begins() -> None:
    """Without a SYN the first segment is the beginning, after a gap."""
    assembler = StreamAssembler(Direction.RESP)
    (chunk,) = assembler.feed(2**32 - 2, b"abcd", 0, REF)
    assert chunk.after_gap
    (following,) = assembler.feed(2, b"ef", 0, REF)
    assert (following.data, following.after_gap) == (b"ef", False)


@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_sequence_step_is_signed_distance(seq: int, step: int) -> None:
    """Also over the end of the sequence space."""
    assert sequence_step((seq + step) % 2**32, seq) == step
