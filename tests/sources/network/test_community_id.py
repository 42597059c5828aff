"""Community ID, held to the published specification."""

import base64
import hashlib
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.sources.network.community_id import community_id


def test_published_vector() -> None:
    """The example in the specification's README: the same from both sides."""
    assert community_id(6, "128.232.110.120", 34855, "66.35.250.204", 80) == "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
    assert community_id(6, "66.35.250.204", 80, "128.232.110.120", 34855) == "1:LQU9qZlK+B5F3KDmev6m5PMibrg="


def naive(proto: int, a: str, p: int, b: str, q: int, seed: int) -> str:
    """The specification's recipe, written with the socket library."""
    family = socket.AF_INET6 if ":" in a else socket.AF_INET
    first, second = (socket.inet_pton(family, a), p), (socket.inet_pton(family, b), q)
    if second < first:
        first, second = second, first
    text = struct.pack("!H", seed) + first[0] + second[0] + bytes([proto, 0])
    if proto in (6, 17, 132):
        text += struct.pack("!HH", first[1], second[1])
    return "1:" + base64.b64encode(hashlib.sha1(text).digest()).decode()


ports = st.integers(0, 65_535)


@pytest.mark.parametrize("version", [4, 6])
@given(data=st.data())
def test_matches_the_recipe_from_either_side(version: int, data: st.DataObject) -> None:
    """Any addresses and ports, any seed."""
    address = st.ip_addresses(v=version).map(str)
    a, b, p, q = data.draw(address), data.draw(address), data.draw(ports), data.draw(ports)
    proto, seed = data.draw(st.sampled_from([6, 17, 132])), data.draw(ports)
    expected = naive(proto, a, p, b, q, seed)
    assert community_id(proto, a, p, b, q, seed=seed) == expected
    assert community_id(proto, b, q, a, p, seed=seed) == expected
