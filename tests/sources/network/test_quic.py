"""Server names in QUIC Initial packets: the vectors of RFC 9001 and RFC 9369, and a real client."""

from contextlib import suppress

import pytest
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from headframe.sources.network.quic import server_name

CONNECTION_ID = bytes.fromhex("8394c8f03e515708")
# RFC 9001, appendix A.2: the CRYPTO frame of the client's Initial packet, for example.com.
CRYPTO_FRAME = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
    "04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
    "616d706c652e636f6dff01000100000a00080006001d00170018001000070005"
    "04616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
    "baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
    "0d0010000e0403050306030203080408050806002d00020101001c0002400100"
    "3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
    "75300901100f088394c8f03e51570806048000ffff"
)
VERSIONS = {
    # version: salt, label prefix, first byte of an Initial packet, and how the RFC's protected packet begins
    0x00000001: ("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", b"quic ", 0xC0,
                 "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11"),
    0x6B3343CF: ("0dede3def700a6db819381be6e269dcbf9bd2ed9", b"quicv2 ", 0xD0,
                 "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485"),
}  # fmt: skip


def expand(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446, section 7.1)."""
    info = length.to_bytes(2, "big") + bytes([len(label) + 6]) + b"tls13 " + label + b"\0"
    return HKDFExpand(hashes.SHA256(), length, info).derive(secret)


def seal(
    frames: bytes, *, version: int = 1, number: int = 2, size: int = 1162, connection_id: bytes = CONNECTION_ID
) -> bytes:
    """A client's Initial packet written from RFC 9001, section 5, padded to `size` bytes of frames."""
    salt, prefix, first, _ = VERSIONS[version]
    extract = HMAC(bytes.fromhex(salt), hashes.SHA256())
    extract.update(connection_id)
    secret = expand(extract.finalize(), b"client in", 32)
    key, iv, hp = (
        expand(secret, prefix + b"key", 16),
        expand(secret, prefix + b"iv", 12),
        expand(secret, prefix + b"hp", 16),
    )
    plain = frames + bytes(size - len(frames))
    header = bytes([first | 3]) + version.to_bytes(4, "big") + bytes([len(connection_id)]) + connection_id + b"\0\0"
    header += (0x4000 | (size + 16 + 4)).to_bytes(2, "big") + number.to_bytes(4, "big")
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    body = AESGCM(key).encrypt(nonce, plain, header)
    encryptor = Cipher(algorithms.AES(hp), modes.ECB()).encryptor()
    mask = encryptor.update(body[:16])
    covered = bytearray(header)
    covered[0] ^= mask[0] & 0x0F
    for i in range(4):
        covered[len(header) - 4 + i] ^= mask[1 + i]
    return bytes(covered) + body


@pytest.mark.parametrize("version", VERSIONS)
def test_vector_of_the_rfc(version: int) -> None:
    """RFC 9001 appendix A.2 and RFC 9369 appendix A.2: the packet is the printed one, and names example.com."""
    packet = seal(CRYPTO_FRAME, version=version)
    assert len(packet) == 1200
    assert packet[:32].hex() == VERSIONS[version][3]
    assert server_name([packet]) == "example.com"


def crypto(offset: int, data: bytes) -> bytes:
    return b"\x06" + (0x4000 | offset).to_bytes(2, "big") + (0x4000 | len(data)).to_bytes(2, "big") + data


def test_pieces_out_of_order_over_two_datagrams() -> None:
    """CRYPTO frames are put together by offset, whichever datagram came first, with other frames between."""
    hello = CRYPTO_FRAME[4:]
    ack = bytes([0x02, 0x00, 0x00, 0x00, 0x00])
    late = seal(crypto(150, hello[150:]) + b"\x01" + crypto(40, hello[40:90]) + ack, number=3)
    early = seal(b"\x00\x00" + crypto(90, hello[90:160]) + crypto(0, hello[:40]), number=2)
    assert server_name([late, early]) == "example.com"
    assert server_name([early, late]) == "example.com"
    assert server_name([early]) is None


def test_two_packets_in_one_datagram() -> None:
    """Packets may share a datagram (RFC 9000, section 12.2)."""
    hello = CRYPTO_FRAME[4:]
    first, second = seal(crypto(0, hello[:100]), size=300), seal(crypto(100, hello[100:]), number=3, size=300)
    assert server_name([first + second]) == "example.com"


def test_a_real_client() -> None:
    """The first flight of aioquic's client."""
    configuration = QuicConfiguration(is_client=True, server_name="Pool.Example", alpn_protocols=["h3"])
    client = QuicConnection(configuration=configuration)
    client.connect(("192.0.2.1", 443), now=0.0)
    datagrams = [data for data, _ in client.datagrams_to_send(now=0.0)]
    assert server_name(datagrams) == "pool.example"


def test_damaged_packet_gives_nothing() -> None:
    """The seal does not fit: the packet is passed over."""
    packet = bytearray(seal(CRYPTO_FRAME))
    packet[100] ^= 1
    assert server_name([bytes(packet)]) is None


def test_other_version_gives_nothing() -> None:
    """A draft version has other keys."""
    packet = bytearray(seal(CRYPTO_FRAME))
    packet[1:5] = bytes.fromhex("ff00001d")
    assert server_name([bytes(packet)]) is None


def test_other_handshake_message_is_refused() -> None:
    """A sealed packet whose handshake is no ClientHello is not from a client."""
    with pytest.raises(ValueError, match="type 2"):
        server_name([seal(crypto(0, b"\x02\x00\x00\x01\x00"))])


@given(st.lists(st.binary(max_size=80), max_size=3), st.integers(0, 1199), st.integers(0, 255))
def test_any_datagrams_answer_or_raise_valueerror(datagrams: list[bytes], place: int, value: int) -> None:
    """Hostile datagrams, sealed frames of any content, and a changed byte."""
    packet = bytearray(PACKET)
    packet[place] = value
    for batch in ([*datagrams], [bytes(packet)], [seal(frame, size=100) for frame in datagrams]):
        with suppress(ValueError):
            server_name(batch)


PACKET = seal(CRYPTO_FRAME)
