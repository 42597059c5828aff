"""Names in TLS handshakes, taken from handshakes that Python's own TLS library makes."""

import datetime
import ssl
import time
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from headframe.sources.network.tls import NEED_MORE, ClientHelloAssembler, certificate_names, server_name


def client_hello(name: str | None, *, maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """What a real TLS client sends first."""
    context = ssl.create_default_context()
    context.maximum_version = maximum
    if name is None:
        context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.fixture(scope="module")
def server_flight(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The first flight of a real TLS 1.2 server with a certificate for four names."""
    folder: Path = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pool.Example")])
    start = datetime.datetime(2020, 1, 1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(n) for n in ("pool.example", "*.pool.example", "eu.other.example")]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(client_hello("pool.example", maximum=ssl.TLSVersion.TLSv1_2))
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    return outgoing.read()


def cut_into_records(stream: bytes, size: int) -> bytes:
    """The same handshake bytes in records of at most `size` bytes."""
    assert stream[0] == 22
    body = stream[5 : 5 + int.from_bytes(stream[3:5], "big")]
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece for piece in pieces)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_server_name_of_a_real_client(version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3 clients name their server in the same place; names come in lower case."""
    assert server_name(client_hello("XMR-eu1.Pool.example", maximum=version)) == "xmr-eu1.pool.example"


def test_client_without_a_name() -> None:
    """No server_name extension: an answer, not an error."""
    assert server_name(client_hello(None)) is None


@pytest.mark.parametrize("size", [1, 3, 50, 16000])
def test_client_hello_over_many_records(size: int) -> None:
    """A handshake message may be laid over records of any size (RFC 8446, section 5.1)."""
    assert server_name(cut_into_records(client_hello("pool.example"), size)) == "pool.example"


def test_every_prefix_asks_for_more_until_the_message_is_whole() -> None:
    """Any cut of a real ClientHello is NEED_MORE, never a wrong name; the whole gives the name."""
    stream = client_hello("pool.example")
    assert {server_name(stream[:length]) for length in range(len(stream))} == {NEED_MORE}
    assert server_name(stream) == "pool.example"
    assert server_name(stream + b"\x14\x03\x03\x00\x01\x01") == "pool.example"


@given(st.integers(1, 400), st.integers(1, 300))
def test_assembler_gives_the_name_whatever_the_segments(segment: int, record: int) -> None:
    """Segments and records of any size: the name is there with the last byte of the message."""
    stream = cut_into_records(HELLO, record)
    hello = ClientHelloAssembler()
    answers = [hello.feed(stream[i : i + segment]) for i in range(0, len(stream), segment)]
    assert answers[-1] == "pool.example"
    assert set(answers[:-1]) <= {NEED_MORE}


HELLO = client_hello("pool.example")


def test_one_byte_segments_and_records_do_not_take_long() -> None:
    """The cost of a hostile client stays bounded: a thousand records fed byte by byte, well under a second."""
    stream = cut_into_records(HELLO, 1)
    hello = ClientHelloAssembler()
    began = time.process_time()
    for i in range(len(stream)):
        hello.feed(stream[i : i + 1])
    assert time.process_time() - began < 2.0


def test_handshake_in_thousands_of_records_is_refused() -> None:
    """Nobody cuts a ClientHello into two thousand records, except to be read again and again."""
    body = b"\x01" + (5000).to_bytes(3, "big") + bytes(1996)
    stream = b"".join(b"\x16\x03\x01\x00\x01" + bytes([byte]) for byte in body)
    with pytest.raises(ValueError, match="records"):
        server_name(stream)


def test_certificate_names_of_a_real_server(server_flight: bytes) -> None:
    """Common name first, then the alternative names, each once, in lower case, wildcards kept."""
    assert certificate_names(server_flight) == ("pool.example", "*.pool.example", "eu.other.example")


def test_certificate_is_awaited(server_flight: bytes) -> None:
    """The server's stream cut inside its certificate asks for more."""
    assert certificate_names(server_flight[:200]) is NEED_MORE


def test_encrypted_handshake_has_no_names() -> None:
    """TLS 1.3: after the ServerHello comes a change of cipher, and nothing more can be read."""
    server_hello = b"\x02\x00\x00\x26" + b"\x03\x03" + bytes(32) + b"\x00\x13\x01\x00"
    stream = b"\x16\x03\x03" + len(server_hello).to_bytes(2, "big") + server_hello + b"\x14\x03\x03\x00\x01\x01"
    assert certificate_names(stream) == ()


def test_unreadable_certificate_gives_no_names() -> None:
    """Mining servers sign odd certificates themselves: no names is the answer, not an error."""
    der = b"\x30\x03\x02\x01\x00"
    body = (len(der) + 3).to_bytes(3, "big") + len(der).to_bytes(3, "big") + der
    handshake = b"\x0b" + len(body).to_bytes(3, "big") + body
    assert certificate_names(b"\x16\x03\x03" + len(handshake).to_bytes(2, "big") + handshake) == ()


@pytest.mark.parametrize(
    "other",
    [b"GET / HTTP/1.1\r\n", b"\x17\x03\x03\x00\x05hello", b"\x16\x02\x00\x00\x05hello", b"\x16\x03\x01\x00\x00"],
)
def test_other_protocols_are_refused_at_once(other: bytes) -> None:
    """What cannot become a ClientHello must not be waited for."""
    with pytest.raises(ValueError):
        server_name(other)


@given(st.integers(0, 10_000), st.integers(0, 255), st.integers(0, 10_000))
def test_changed_or_cut_handshakes_parse_or_raise_valueerror(place: int, value: int, cut: int) -> None:
    """A real ClientHello with a byte changed and cut anywhere."""
    stream = bytearray(HELLO)
    stream[place % len(stream)] = value
    piece = bytes(stream[: 1 + cut % len(stream)])
    for read in (server_name, certificate_names):
        with suppress(ValueError):
            read(piece)


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_raise_valueerror(payload: bytes) -> None:
    """Hostile input never raises anything else."""
    for stream in (payload, b"\x16\x03\x01\x00\x20" + payload, b"\x16\x03\x01\x01\x00\x0b" + payload):
        for read in (server_name, certificate_names):
            with suppress(ValueError):
                read(stream)
