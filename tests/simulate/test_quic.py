"""A client's Initial that another implementation of QUIC can open."""

import random

import pytest

from headframe.simulate import quic
from tests.simulate.test_tls import read_hello

aioquic_buffer = pytest.importorskip("aioquic.buffer")


@pytest.mark.parametrize("seed", range(5))
def test_another_implementation_opens_it(seed: int) -> None:
    """aioquic derives the keys from the packet, removes the protection and finds the server's name."""
    from aioquic.quic.crypto import CryptoPair
    from aioquic.quic.packet import QuicProtocolVersion, pull_quic_header

    datagram = quic.client_initial("video.example", random.Random(seed))
    assert len(datagram) >= quic.MINIMUM_INITIAL_BYTES
    buffer = aioquic_buffer.Buffer(data=datagram)
    header = pull_quic_header(buffer, host_cid_length=8)
    assert header.version == QuicProtocolVersion.VERSION_1
    pair = CryptoPair()
    pair.setup_initial(cid=header.destination_cid, is_client=False, version=header.version)
    _, payload, number = pair.decrypt_packet(datagram, buffer.tell(), 0)
    assert number == 0
    frame = aioquic_buffer.Buffer(data=payload)
    assert frame.pull_uint_var() == 6
    assert frame.pull_uint_var() == 0
    hello = frame.pull_bytes(frame.pull_uint_var())
    extensions = read_hello(hello)
    assert extensions[0].endswith(b"video.example")
    assert 57 in extensions
    assert set(payload[frame.tell() :]) <= {0}


def test_short_header_packets_have_the_size_asked_for() -> None:
    """Fixed bit set, connection id behind it (RFC 9000, section 17.3.1)."""
    packet = quic.short_header_packet(900, b"12345678", random.Random(1))
    assert len(packet) == 900
    assert packet[0] & 0xC0 == 0x40
    assert packet[1:9] == b"12345678"
