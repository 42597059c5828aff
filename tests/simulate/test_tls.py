"""Hello messages that any reader understands, and records that tell sizes only."""

import random

import pytest

from headframe.simulate import tls


def read_hello(message: bytes) -> dict[int, bytes]:
    """Extensions of a ClientHello by number (RFC 8446, section 4.1.2)."""
    assert message[0] == 1
    assert int.from_bytes(message[1:4], "big") == len(message) - 4
    at = 4 + 2 + 32
    at += 1 + message[at]
    at += 2 + int.from_bytes(message[at : at + 2], "big")
    at += 1 + message[at]
    assert int.from_bytes(message[at : at + 2], "big") == len(message) - at - 2
    at += 2
    found = {}
    while at < len(message):
        size = int.from_bytes(message[at + 2 : at + 4], "big")
        found[int.from_bytes(message[at : at + 2], "big")] = message[at + 4 : at + 4 + size]
        at += 4 + size
    assert at == len(message)
    return found


@pytest.mark.parametrize("tls13", [True, False])
@pytest.mark.parametrize("post_quantum", [True, False])
def test_the_hello_names_the_server(tls13: bool, post_quantum: bool) -> None:
    """The server_name extension carries the name; versions and key shares are as asked."""
    hello = tls.client_hello("pool.example", random.Random(1), tls13=tls13, post_quantum=post_quantum)
    assert hello[:3] == b"\x16\x03\x01"
    assert int.from_bytes(hello[3:5], "big") == len(hello) - 5
    extensions = read_hello(hello[5:])
    assert extensions[0] == b"\x00\x0f\x00\x00\x0cpool.example"
    assert (43 in extensions) == tls13
    # The long hello does not fit into one segment of 1,440 or 1,448 bytes.
    assert (len(hello) > 1448) == (tls13 and post_quantum)


def test_a_hello_may_be_silent_about_the_server() -> None:
    """No name, no extension."""
    assert 0 not in read_hello(tls.client_hello_message(None, random.Random(1)))


@pytest.mark.parametrize(("size", "records"), [(0, 1), (1, 1), (16384, 1), (16385, 2), (50000, 4)])
def test_sealed_sizes(size: int, records: int) -> None:
    """Each record adds its header of 5 and its overhead of 17 bytes, and holds at most 16,384 of plaintext."""
    assert len(tls.sealed(bytes(size), random.Random(1))) == size + records * (5 + 17)
