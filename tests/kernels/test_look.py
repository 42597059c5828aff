"""The look at payloads: what must be picked out is, and no payload makes it read out of bounds."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.kernels import frames, look
from tests import naive
from tests.kernels.uncompiled import StrictBytes, records, uncompiled

KNOWN = {"pool.example", "xmr.example.org"}
NAMES = look.name_table(np.array([naive.fnv1a(name) for name in KNOWN], dtype=np.uint64))
PAD = 5


def looked(data: bytes, *, proto: int = 6, sport: int = 40_000, dport: int = 3333, length: int | None = None) -> int:
    """The answer of the compiled kernel."""
    packets = np.zeros(1, dtype=frames.PACKET)
    buf = np.frombuffer(b"\x22" * PAD + data + b"\x22method" * 9, dtype=np.uint8)
    _fill(packets, data, proto, sport, dport, length)
    look.look_at_payloads(buf, packets, 0, 1, NAMES)
    return int(packets["look"][0])


def looked_strictly(
    data: bytes, *, proto: int = 6, sport: int = 40_000, dport: int = 3333, length: int | None = None
) -> int:
    """The answer of the uncompiled kernel, which may read the payload and nothing else."""
    plain = uncompiled()
    packets = records(plain.frames.PACKET, 1)
    _fill(packets, data, proto, sport, dport, length)
    buf = StrictBytes(b"\x22" * PAD + data + b"\x22method" * 9, PAD, PAD + len(data))
    with np.errstate(over="ignore"):
        plain.look.look_at_payloads(buf, packets, 0, 1, NAMES)
    return int(packets["look"][0])


def _fill(packets: np.ndarray, data: bytes, proto: int, sport: int, dport: int, length: int | None) -> None:
    packets["payload"], packets["payload_captured"] = PAD, len(data)
    packets["payload_len"] = len(data) if length is None else length
    packets["proto"], packets["orig_port"], packets["resp_port"] = proto, sport, dport


# -- samples -----------------------------------------------------------------------------------------------------------


def client_hello(name: str, *, padding: int = 0, records_of: int = 16_384) -> bytes:
    """A TLS 1.2 ClientHello (RFC 5246 7.4.1.2) with a server name behind `padding` bytes of another extension."""
    host = name.encode()
    server_name = struct.pack("!HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
    extensions = struct.pack("!HH", 21, padding) + b"\0" * padding + server_name + b"\0\x17\0\0"
    body = b"\3\3" + b"R" * 32 + b"\x20" + b"S" * 32 + b"\0\4\x13\1\0\xff" + b"\1\0"
    body += struct.pack("!H", len(extensions)) + extensions
    handshake = b"\1" + len(body).to_bytes(3, "big") + body
    pieces = [handshake[k : k + records_of] for k in range(0, len(handshake), records_of)]
    return b"".join(b"\x16\3\1" + struct.pack("!H", len(piece)) + piece for piece in pieces)


def certificate(name: str) -> bytes:
    """Server handshake bytes with a dNSName in them."""
    host = name.encode()
    return b"\x16\3\3\3\0\x0b" + b"\x30\x82\1\0" * 30 + b"\x82" + bytes([len(host)]) + host + b"\x30\x0d\6\1" * 8


def dns_response(question: str, alias: str | None = None) -> bytes:
    """A DNS answer; the alias is compressed against the question (RFC 1035 4.1.4)."""

    def wire(name: str) -> bytes:
        return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"

    out = struct.pack("!HHHHHH", 1, 0x8180, 1, 2 if alias else 1, 0, 0) + wire(question) + b"\0\1\0\1"
    if alias:
        target = wire(alias)
        out += b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, len(target)) + target
        at = len(out) - len(target)
        return out + struct.pack("!H", 0xC000 | at) + struct.pack("!HHIH", 1, 1, 60, 4) + b"\1\2\3\4"
    return out + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + b"\1\2\3\4"


def websocket(text: bytes, mask: bytes | None) -> bytes:
    """A text frame (RFC 6455 5.2)."""
    bit = 0x80 if mask else 0
    head = (
        bytes([0x81, bit | len(text)]) if len(text) < 126 else bytes([0x81, bit | 126]) + struct.pack("!H", len(text))
    )
    if mask:
        text = bytes(byte ^ mask[k % 4] for k, byte in enumerate(text))
    return head + (mask or b"") + text


SUBMIT = b'{"id":4,"method":"mining.submit","params":["w","1","2","3","4"]}\n'
TCP_SAMPLES = {
    "stratum": (SUBMIT, look.RPC),
    "spaced": (b' \r\n{ "id" : 1, "result" : true }', look.RPC_WEAK),
    "batch": (b"[" + SUBMIT + b"]", look.RPC),
    "tail": (b'abcdef01"],"error":null}\n', look.RPC_WEAK),
    "tail and next": (b'00ff"],"x":1}\n' + SUBMIT, look.RPC),
    "post": (b"POST / HTTP/1.1\r\nHost: a.b\r\nContent-Type: application/json\r\n\r\n" + SUBMIT, look.RPC),
    "post head": (b"POST / HTTP/1.1\r\nHost: a.b\r\nContent-Type: application/json\r\n\r\n", look.HTTP_RPC_HEAD),
    "upgrade": (b"GET /proxy HTTP/1.1\r\nHost: a.b\r\nUpgrade: websocket\r\n\r\n", look.HTTP_RPC_HEAD),
    "getwork": (b"POST / HTTP/1.1\r\nX-Mining-Extensions: midstate\r\n\r\n", look.HTTP_RPC_HEAD),
    "known host": (b"GET / HTTP/1.1\r\nhost:  eu.Pool.Example:80\r\n\r\n", look.NAME),
    "plain page": (b"GET / HTTP/1.1\r\nHost: www.example.net\r\nAccept: */*\r\n\r\n", look.NOTHING),
    "response": (b'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n{"id":1,"result":{},"error":null}', look.RPC_WEAK),
    "connect": (b"CONNECT pool.example:443 HTTP/1.1\r\nHost: pool.example:443\r\n\r\n", look.NAME),
    "hello": (client_hello("a.pool.example"), look.NAME),
    "hello of nobody": (client_hello("www.example.net"), look.NOTHING),
    "hello begun": (client_hello("a.pool.example", padding=900)[:500], look.TLS_PART),
    "hello in two records": (client_hello("a.pool.example", padding=40, records_of=100), look.TLS_PART),
    "certificate": (certificate("*.pool.example"), look.NAME),
    "other certificate": (certificate("*.example.net"), look.NOTHING),
    "masked": (websocket(SUBMIT, b"\x11\x22\x33\x44"), look.RPC),
    "unmasked": (websocket(SUBMIT, None), look.RPC),
    "long frame": (websocket(b'{"id":"' + b"x" * 200 + b'","method":"m"}', b"abcd"), look.RPC_WEAK),
    "noise": (bytes(range(0x80, 0xC0)), look.NOISE_HELLO),
    "application data": (b"\x17\3\3\0\x40" + b"\x22method" * 10, look.NOTHING),
    "chat": (b"hello, have you seen mining.notify lately?\n", look.NOTHING),
}
UDP_SAMPLES = {
    "question name": (dns_response("xmr.example.org"), look.NAME),
    "subdomain": (dns_response("a.b.pool.example"), look.NAME),
    "alias": (dns_response("cdn.example.net", "xmr.example.org"), look.NAME),
    "nobody": (dns_response("www.example.net", "cdn.example.net"), look.NOTHING),
}


@pytest.mark.parametrize("name", TCP_SAMPLES)
def test_tcp_payloads_are_told_apart(name: str) -> None:
    """One sample of each kind, and the same answer uncompiled."""
    data, expected = TCP_SAMPLES[name]
    assert looked(data) == expected
    assert looked_strictly(data) == expected


@pytest.mark.parametrize("name", UDP_SAMPLES)
def test_dns_answers_are_told_apart(name: str) -> None:
    """Over UDP, and over TCP behind its length."""
    data, expected = UDP_SAMPLES[name]
    assert looked(data, proto=17, sport=53) == expected
    assert looked_strictly(data, proto=17, sport=53) == expected
    over_tcp = looked(struct.pack("!H", len(data)) + data, sport=53)
    assert over_tcp == (look.DNS_TCP if expected == look.NAME else look.NOTHING)


def test_quic_initial() -> None:
    """Long header, version 1 or 2, at least 1200 bytes, to port 443."""
    first, second = b"\xc3\0\0\0\1" + b"\0" * 1195, b"\xd3\x6b\x33\x43\xcf" + b"\0" * 1195
    for data in (first, second):
        assert looked(data, proto=17, dport=443) == look.QUIC_INITIAL
        assert looked_strictly(data, proto=17, dport=443) == look.QUIC_INITIAL
        assert looked(data[:1199], proto=17, dport=443) == look.NOTHING
        assert looked(data, proto=17, dport=53) == look.NOTHING
    assert looked(b"\xe3" + first[1:], proto=17, dport=443) == look.NOTHING


@pytest.mark.parametrize("name", [*TCP_SAMPLES, *UDP_SAMPLES])
def test_payloads_cut_at_every_byte_stay_in_bounds(name: str) -> None:
    """The snap length may end a payload anywhere; compiled and uncompiled agree on each length."""
    udp = name in UDP_SAMPLES
    data, _ = (UDP_SAMPLES if udp else TCP_SAMPLES)[name]
    for length in range(1, len(data)):
        ends = {"proto": 17 if udp else 6, "sport": 53 if udp else 40_000, "length": len(data)}
        assert looked(data[:length], **ends) == looked_strictly(data[:length], **ends)
        if not udp:
            assert looked(data[:length], sport=53) == looked_strictly(data[:length], sport=53)


SEEDS = [data for data, _ in TCP_SAMPLES.values()] + [b"\0\x90" + data for data, _ in UDP_SAMPLES.values()]


@given(st.sampled_from(SEEDS), st.data())
def test_flipped_payloads_stay_in_bounds(sample: bytes, data: st.DataObject) -> None:
    """Lengths, counts, pointers and masks that lie: compiled and uncompiled agree, nothing outside is read."""
    mutable = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 6))):
        mutable[data.draw(st.integers(0, len(mutable) - 1))] = data.draw(
            st.sampled_from([0, 1, 22, 63, 127, 128, 192, 255]) | st.integers(0, 255)
        )
    payload = bytes(mutable[: data.draw(st.integers(1, len(mutable)))])
    for proto, sport, dport in ((6, 40_000, 3333), (6, 53, 40_000), (17, 53, 40_000), (17, 40_000, 443)):
        ends = {"proto": proto, "sport": sport, "dport": dport}
        assert looked(payload, **ends) == looked_strictly(payload, **ends)


@given(
    st.binary(min_size=1, max_size=300),
    st.sampled_from([b"", b"\x16\3\1", b"\x81", b"GET / ", b"HTTP/1.1 200", b"{", b"\0\0\x81\x80"]),
)
def test_noise_stays_in_bounds(noise: bytes, head: bytes) -> None:
    """Random bytes behind the openings that the look knows."""
    for proto, sport in ((6, 40_000), (6, 53), (17, 53)):
        assert looked(head + noise, proto=proto, sport=sport) == looked_strictly(head + noise, proto=proto, sport=sport)


labels = st.from_regex(r"[a-zA-Z0-9-]{1,12}", fullmatch=True)


@given(
    st.lists(labels, min_size=1, max_size=6), st.sampled_from(["", ".pool.example", ".example", "xpool.example", "."])
)
def test_a_name_matches_by_itself_or_a_parent(parts: list[str], tail: str) -> None:
    """As the naive twin has it: whole labels, any case, a dot at the end or none."""
    name = ".".join(parts) + tail
    buf = np.frombuffer(name.encode(), dtype=np.uint8)
    assert bool(look.name_matches(buf, 0, len(buf), NAMES)) == naive.name_or_parent_in(name, KNOWN)


@given(st.sets(st.integers(1, 2**64 - 1), max_size=60))
def test_name_table_holds_all_and_only_what_was_given(hashes: set[int]) -> None:
    """Also where many begin in one slot: low bits are made equal."""
    crowded = {h & ~0xFF | 0xFF for h in hashes}
    table = look.name_table(np.array(sorted(crowded), dtype=np.uint64))
    assert set(table[table != 0].tolist()) == crowded
    assert len(table) >= 2 * len(crowded)
    assert len(table) & (len(table) - 1) == 0


MINING_WORDS = {
    "mining.notify": b'{"params":["1"],"id":null,"method":"mining.notify"}',
    "client.reconnect": b'{"id":null,"method":"client.reconnect","params":[]}',
    "login": b'{"id":1,"method":"login","params":{}}',
    "job": b'{"jsonrpc":"2.0","method":"job","params":{}}',
    "log-in answered": b'{"id":1,"result":{"job":{},"status":"OK"},"error":null}',
    "keepalived": b'{"id":9,"method":"keepalived","params":{}}',
    "eth_submitLogin": b'{"id":1,"method":"eth_submitLogin","params":[]}',
    "eth_getWork": b'{"id":1,"method":"eth_getWork","params":[]}',
    "ethash work": b'{"id":0,"result":["0x' + b"8b" * 32 + b'"]}',
    "getwork": b'{"method":"getwork","params":[],"id":0}',
    "getblocktemplate": b'{"method":"getblocktemplate","params":[],"id":0}',
    "get_block_template": b'{"method":"get_block_template","params":{},"id":0}',
    "submitblock": b'{"method":"submitblock","params":[],"id":0}',
    "browser": b'{"type":"auth","params":{"site_key":"x"}}',
    "browser's share": b'{"type":"hash_accepted","params":{"hashes":1}}',
}
OTHER_WORDS = {
    "eth_call": b'{"id":1,"method":"eth_call","params":[]}',
    "eth_getBalance": b'{"id":1,"method":"eth_getBalance","params":["0x00"]}',
    "getblockcount": b'{"method":"getblockcount","params":[],"id":0}',
    "get_block_count": b'{"method":"get_block_count","params":{},"id":0}',
    "initialize": b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}',
    "answer": b'{"id":1,"result":true,"error":null}',
}


@pytest.mark.parametrize("name", MINING_WORDS)
def test_words_of_mining_are_heard(name: str) -> None:
    """Bare, masked in a WebSocket frame, and in the body of an HTTP request."""
    text = MINING_WORDS[name]
    assert looked(text) == look.RPC
    assert looked(websocket(text, b"\x91\x02\xf3\x44")) == look.RPC
    assert looked(b"POST / HTTP/1.1\r\nHost: a.b\r\n\r\n" + text) == look.RPC


@pytest.mark.parametrize("name", OTHER_WORDS)
def test_other_json_rpc_is_weak(name: str) -> None:
    """A few such messages are parsed, to say what the conversation is."""
    assert looked(OTHER_WORDS[name]) == look.RPC_WEAK


def test_words_of_mining_alone_are_no_rpc() -> None:
    """A web form with a log-in is not JSON-RPC."""
    assert looked(b'{"login":"somebody","job":"baker"}') == look.NOTHING


def test_words_cut_by_the_end_are_read_to_the_end() -> None:
    """A payload that ends inside a word says nothing of it, and nothing beyond it is read."""
    for text in (*MINING_WORDS.values(), *OTHER_WORDS.values()):
        for end in range(1, len(text)):
            assert looked_strictly(text[:end]) == looked(text[:end])
