"""JSON-RPC out of a stream: the same messages however the bytes are cut, and none lost after noise or a gap."""

import gzip
import json
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.conversation import Direction, PacketRef, StreamChunk
from headframe.sources.network.jsonrpc import MAX_MESSAGE_BYTES, PREFIX_BYTES, Carrier, Message, MessageReader


def chunk(data: bytes, number: int, after_gap: bool = False) -> StreamChunk:
    return StreamChunk(
        direction=Direction.ORIG, time_ns=number, packet=PacketRef("f", number), data=data, after_gap=after_gap
    )


def read(*parts: bytes, gaps: tuple[int, ...] = ()) -> list[Message]:
    reader = MessageReader()
    return [
        message
        for number, part in enumerate(parts, 1)
        if part
        for message in reader.feed(chunk(part, number, number in gaps))
    ]


def values(*parts: bytes, gaps: tuple[int, ...] = ()) -> list[Any]:
    return [message.value for message in read(*parts, gaps=gaps) if message.value is not None]


def frame(text: bytes, mask: bytes = b"", first: int = 0x81) -> bytes:
    masked, size = (0x80 if mask else 0), len(text)
    if size < 126:
        header = bytes([first, masked | size])
    elif size < 65536:
        header = bytes([first, masked | 126]) + size.to_bytes(2, "big")
    else:
        header = bytes([first, masked | 127]) + size.to_bytes(8, "big")
    return header + mask + (bytes(byte ^ mask[at % 4] for at, byte in enumerate(text)) if mask else text)


def body(text: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"Content-Length: %d" % len(text), b"", b""]) + text


UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
LONG = b'{"id":1,"x":"' + b"a" * 70_000 + b'"}'

STREAMS: dict[str, tuple[bytes, list[Any]]] = {
    "line feeds": (b'{"id":1}\n{"id":2}\n', [1, 2]),
    "carriage returns and blanks": (b' {"id":1}\r\n\r\n\t{ "id" : 2 }  \r\n', [1, 2]),
    "nul-terminated": (b'{"id":1}\0{"id":2}\0', [1, 2]),
    "nothing between": (b'{"id":1}{"id":2}{"id":3}', [1, 2, 3]),
    "no end of line": (b'{"id":1}', [1]),
    "batch": (b'[{"id":1},{"id":2}, 7, [], {"id":3}]\n', [1, 2, 3]),
    "pretty-printed": (b'{\n  "id": 1,\n  "params": [\n    {"a": "}"},\n    "{"\n  ]\n}\n{"id":2}', [1, 2]),
    "brackets and quotes in strings": (b'{"id":1,"x":"\\"}]{[\\\\"}{"id":2}', [1, 2]),
    "text before and in the line": (b'hello {"id":9}\n{"id":1}\n', [1]),
    "broken line": (b'{"id":1}\n{"id":9,"x":"bro\n{"id":2}\n', [1, 2]),
    "unclosed line": (b'{"id":9,\n{"id":1}\n{"id":2}\n', [1, 2]),
    "not json": (b'{id:9}\n{"id":1}\n', [1]),
    "binary noise": (b'\xff\xfe\x00\x80\n{"id":1}\n\x00\x00{"id":2}\n', [1, 2]),
    "http requests": (
        b'POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n{"id":1}POST / HTTP/1.1\r\ncontent-length:8\r\n\r\n{"id":2}',
        [1, 2],
    ),
    "http chunks": (
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"i\r\n5;x=y\r\nd":1}\r\n0\r\nT: 1\r\n\r\n'
        + body(b'{"id":2}'),
        [1, 2],
    ),
    "http up to the end": (b'HTTP/1.0 200 OK\r\n\r\n{"id":1}\n{"id":2}', [1, 2]),
    "http batch": (body(b' [{"id":1},{"id":2}]\n') + body(b"") + body(b'{"id":3}'), [1, 2, 3]),
    "http two lines in a body": (body(b'{"id":1}\n{"id":2}\n'), [1, 2]),
    "http without body": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n" + body(b'{"id":1}'), [1]),
    "http pages": (body(b'<p>\n{"id":9}\n</p>') + body(b'{"id":1}'), [1]),
    "gzip": (body(gzip.compress(b'{"id":1}', mtime=0), b"Content-Encoding: gzip") + body(b'{"id":2}'), [1, 2]),
    "deflate": (body(zlib.compress(b'{"id":1}'), b"Content-Encoding: deflate"), [1]),
    "http then a bare line": (body(b'{"id":1}') + b'{"id":2}\n', [1, 2]),
    "frames": (UPGRADE + frame(b'{"id":1}') + frame(b'{"id":2}', b"\x01\x02\x03\x04") + frame(b"", first=0x89), [1, 2]),
    "frames without upgrade": (frame(b'{"id":1}', b"wxyz") + frame(b'{"id":2}', b"\xaa\xbb\xcc\xdd"), [1, 2]),
    "frames of every length": (
        UPGRADE + frame(b'{"id":1,"x":"' + b"a" * 300 + b'"}') + frame(LONG.replace(b"1", b"2", 1), b"abcd"),
        [1, 2],
    ),
    "fragmented frames": (
        UPGRADE
        + frame(b'{"i', b"abcd", 0x01)
        + frame(b"ping", first=0x89)
        + frame(b'd":', first=0x00)
        + frame(b"1}", first=0x80),
        [1],
    ),
    "socket.io": (UPGRADE + frame(b'42["x",{"id":1}]'), [1]),
    "several in a frame": (UPGRADE + frame(b'{"id":1}\n{"id":2}'), [1, 2]),
}


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_messages_of_a_stream(name: str) -> None:
    """Each framing gives its messages in order."""
    stream, expected = STREAMS[name]
    assert [value["id"] for value in values(stream)] == expected


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_byte_by_byte(name: str) -> None:
    """One byte at a time gives the same as all at once."""
    stream, expected = STREAMS[name]
    stream = stream if len(stream) < 5000 else stream[:200] + stream[200:]
    assert [value["id"] for value in values(*(stream[at : at + 1] for at in range(len(stream))))] == expected


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 80_000), max_size=20))
def test_cuts_anywhere(name: str, places: list[int]) -> None:
    """Any cuts give the same messages in the same carriers under the same heads."""
    stream, _ = STREAMS[name]
    cuts = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    parts = [stream[a:b] for a, b in pairwise(cuts)]

    def seen(messages: list[Message]) -> list[Any]:
        return [(m.value, m.carrier, m.head and (m.head.status, m.head.path), m.prefix, m.page_word) for m in messages]

    assert seen(read(*parts)) == seen(read(stream))


def test_upgrade_of_the_other_side() -> None:
    """A client's frames are read as such once the server agreed to the upgrade."""
    reader = MessageReader()
    reader.feed(chunk(b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", 1))
    reader.expect_websocket()
    compressor = zlib.compressobj(wbits=-15)
    for number in (2, 3):  # RFC 7692: the second message uses the first one's dictionary
        packed = compressor.compress(b'{"method":"submit","id":%d}' % number) + compressor.flush(zlib.Z_SYNC_FLUSH)
        messages = reader.feed(chunk(frame(packed[:-4], b"abcd", 0xC1), number))
        assert [message.value["id"] for message in messages if message.value] == [number]
        assert messages[0].carrier is Carrier.WEBSOCKET


def test_a_message_cites_the_packet_of_its_first_byte() -> None:
    """Also when it ends in another, and when several share one."""
    messages = read(b'{"id":1}\n{"id"', b":2}\n", b'{"id":3}{"id":4}\n{"i', b"d", b'":5}')
    assert [(message.value["id"], message.packet.number) for message in messages if message.value] == [
        (1, 1),
        (2, 1),
        (3, 3),
        (4, 3),
        (5, 3),
    ]


def test_after_a_gap_the_next_message_is_found() -> None:
    """What the gap broke is dropped; what begins after it, at a packet or in the middle of one, is not."""
    assert values(b'{"id":1}\n{"id":9,"x":"aa', b'{"id":2}\n', gaps=(2,)) == [{"id": 1}, {"id": 2}]
    assert values(b'{"id":9,"x":"aa', b'bb","y":{"z":1}}\n{"id":2}\n', gaps=(2,)) == [{"id": 2}]
    assert values(b'{"id":9', b'"],"a",["b"],true]}{"id":2}', gaps=(2,)) == [{"id": 2}]
    assert values(b"POST / HTTP/1.1\r\nContent-Length: 900\r\n\r\n{", b'":9}' + body(b'{"id":2}'), gaps=(2,)) == [
        {"id": 2}
    ]
    frames = (
        frame(b'{"id":1,"m":"aaaaaaaaaaaaaa"}', b"abcd") + frame(b'{"id":2}', b"efgh") + frame(b'{"id":3}', b"ijkl")
    )
    assert [value["id"] for value in values(frame(b'{"id":0}', b"abcd"), frames[9:], gaps=(2,))] == [0, 2, 3]


def test_a_document_too_long_is_told_of_by_its_beginning() -> None:
    """Only its first bytes are given, and what follows is not lost."""
    long = b'{"result":{"previousblockhash":"00","transactions":[' + b'{"data":"ff"},' * 30_000 + b"{}]}}"
    assert len(long) > MAX_MESSAGE_BYTES
    for step in (len(long), 1448, 65_536):
        stream = long + b'\n{"id":1}\n'
        messages = read(*(stream[at : at + step] for at in range(0, len(stream), step)))
        assert [message.value for message in messages] == [None, {"id": 1}]
        assert messages[0].prefix == long[:PREFIX_BYTES]
    assert [m.prefix[:20] for m in read(body(long) + body(b'{"id":1}')) if m.prefix] == [long[:20]]
    assert values(UPGRADE + frame(b'{"x":"' + b"a" * 300_000 + b'"}') + frame(b'{"id":1}')) == [{"id": 1}]


def test_memory_is_bounded() -> None:
    """Endless documents, heads, frames and noise keep no more than the bound."""
    for opening in (
        b'{"x":"',
        b"[" * 100,
        b"POST /" + b"a" * 100,
        b"\xff",
        UPGRADE + b"\x01\x7f\x00\x00\x00\x00\x00\x03\xff\xff",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
    ):
        reader = MessageReader()
        reader.feed(chunk(opening, 1))
        for number in range(2, 200):
            reader.feed(chunk(b"b" * 10_000, number))
        held = len(reader._buffer) + len(reader._page) + len(reader._frame_parts)
        assert held <= MAX_MESSAGE_BYTES + 10_000


def test_heads_are_given_too() -> None:
    """Requests and responses tell who asks: agent, path, user, status."""
    request = (
        b"POST /json_rpc HTTP/1.1\r\nAuthorization: Basic bWluZXI6c2VjcmV0\r\n"
        b"User-Agent: cgminer 3.7.2\r\nContent-Length: 2\r\n\r\n{}"
    )
    head = read(request)[0].head
    assert head is not None
    assert (head.method, head.path, head.user, head.headers["user-agent"]) == (
        "POST",
        "/json_rpc",
        "miner",
        "cgminer 3.7.2",
    )
    other = read(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")[0].head
    assert other is not None
    assert (other.status, other.user) == (404, None)
    bad = read(b"GET / HTTP/1.1\r\nAuthorization: Basic !!!\r\n\r\n")[0].head
    assert bad is not None
    assert bad.user is None


def test_pages_with_the_words_of_mining_are_noted() -> None:
    """A body that is no JSON but speaks of mining is told apart from one that is neither."""
    assert [m.page_word for m in read(body(b"<a href='stratum+tcp://pool:3333'>")) if m.page_word] == ["stratum+tcp://"]
    assert not any(m.page_word for m in read(body(b"<p>iron ore</p>")))


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=200)), max_size=30))
def test_anything_is_survived(pieces: list[tuple[bool, bytes]]) -> None:
    """Random bytes with random gaps never raise."""
    reader = MessageReader()
    for number, (gap, data) in enumerate(pieces):
        reader.feed(chunk(data, number, gap))


@given(
    st.lists(
        st.sampled_from(
            [
                b"{",
                b"}",
                b"[",
                b"]",
                b'"',
                b"\\",
                b"\n",
                b'{"id":1}',
                b"HTTP/1.1 200 OK\r\n",
                b"\r\n",
                b"POST / HTTP/1.1\r\n",
                b"Content-Length: 3\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"\x81\x05",
                b"\x81\x85abcd",
                b"\x00",
                b"Upgrade: websocket\r\n",
                b"3\r\n",
            ]
        ),
        max_size=60,
    ),
    st.lists(st.integers(0, 400), max_size=10),
)
def test_pieces_of_protocols_in_any_order(tokens: list[bytes], places: list[int]) -> None:
    """Fragments of every framing, thrown together, give the same messages however they are cut."""
    stream = b"".join(tokens)
    if not stream:
        return
    cuts = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    parts = [stream[a:b] for a, b in pairwise(cuts)]
    assert values(*parts) == values(stream)


def test_cost_is_linear_in_the_input() -> None:
    """Ten times the bytes in small pieces are not a hundred times the steps: measured in bytes moved, not seconds."""
    inner = json.dumps([["a"] * 50] * 400).encode()
    reader = MessageReader()
    stream = b'{"x":' + inner + b',"id":1}\n'
    messages = [m for at in range(0, len(stream), 3) for m in reader.feed(chunk(stream[at : at + 3], at))]
    assert len(messages) == 1
    blanks = MessageReader()
    for number in range(300):
        blanks.feed(chunk(b"x" + b" \x00" * 700, number))
    assert blanks.messages == 0


@pytest.mark.parametrize(
    ("text", "worker"),
    [
        ("矿机".encode("gbk"), "\ufffd\ufffd\ufffd"),
        (b"r\xe9g", "r\ufffdg"),
        (b"r\\ud800g", "r\ufffdg"),
        (b"r\\u0069g", "rig"),
    ],
)
def test_a_name_in_another_encoding_does_not_lose_the_message(text: bytes, worker: str) -> None:
    """Workers are named in GBK and Latin-1, and half a surrogate pair passes other parsers; the rest must be read."""
    message = b'{"id":7,"method":"mining.submit","params":["' + text + b'","1"]}'
    read_values = values(message + b"\n", b"[" + message + b"]", body(message))
    assert [value["id"] for value in read_values] == [7, 7, 7]
    assert {value["params"][0] for value in read_values} == {worker}


def test_bytes_that_are_no_json_stay_none() -> None:
    """The second try is for encodings only."""
    assert values(b'{"id":1,\xff}\n', b'{"id":"\\ud800",}\n', b'{"id":2}\n') == [{"id": 2}]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_words_of_mining_in_other_text_are_noticed_however_cut(sizes: list[int]) -> None:
    """The reader of a chat keeps the first word it met, and no message."""
    text = b":bob PRIVMSG #x :look at mining.notify and xmrig\r\n" * 8
    reader, at, number = MessageReader(), 0, 0
    while at < len(text):
        size = sizes[number % len(sizes)]
        number += 1
        assert reader.feed(chunk(text[at : at + size], number)) == []
        at += size
    assert reader.quoted_word == "mining.notify"


@pytest.mark.parametrize("tail", [b',"x":NaN}', b',"x":-Infinity}', b',"x":"a\tb"}', b',"x":' + b"9" * 400 + b"}"])
def test_lines_of_mining_are_read_as_leniently_as_by_lenient_parsers(tail: bytes) -> None:
    """Only where a method of mining stands in the line; whole numbers stay within 64 bits."""
    [value] = values(b'{"id":1,"method":"mining.submit","params":[]' + tail + b"\n")
    assert value["method"] == "mining.submit"
    assert not isinstance(value["x"], int)
    assert values(b'{"id":1,"method":"status","params":[]' + tail + b"\n") == []


NESTED = b'{"id":1,"method":"mining.submit","params":' + b"[" * 5000 + b"]" * 5000 + b"}\n"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b'{"id":1,"method":"mining.submit",}\n', 1), (NESTED, 1), (NESTED * 3, 3),
        (b'{"method" : "login","params":{,}}\n', 1), (b'{"id":1,"method":"status",}\n', 0),
        (b'{"id":1,"method":"mining.notify","params":["\n', 1), (b'{"id":1,"method":"mining.submit"}\n', 0),
        (b'{"method":"mining.submit","x":"' + b"a" * (MAX_MESSAGE_BYTES + 9) + b'"}', 1),
    ],
)  # fmt: skip
def test_lines_with_a_method_of_mining_that_cannot_be_read_are_counted(text: bytes, count: int) -> None:
    """However they are cut; what follows them is read."""
    for size in (len(text), 1000, 77):
        reader = MessageReader()
        for number, at in enumerate(range(0, len(text), size)):
            reader.feed(chunk(text[at : at + size], number))
        assert reader.unreadable == count
        [message] = reader.feed(chunk(b'{"id":7}\n', 10**6))
        assert message.value == {"id": 7}
