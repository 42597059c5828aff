"""DNS messages: what is read, and what hostile ones may do."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.sources.network.dns import AAAA, CNAME, HTTPS, A, parse_message, parse_tcp_messages


def wire_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def message(
    question: str, records: list[tuple[bytes, int, bytes]], *, flags: int = 0x8180, qtype: int = A, ident: int = 7
) -> bytes:
    """A response as a server writes it: header, one question, records of (name bytes, type, data)."""
    out = struct.pack("!HHHHHH", ident, flags, 1, len(records), 0, 0)
    out += wire_name(question) + struct.pack("!HH", qtype, 1)
    for name, rtype, data in records:
        out += name + struct.pack("!HHIH", rtype, 1, 300, len(data)) + data
    return out


POINTER_TO_QUESTION = b"\xc0\x0c"


def test_reads_addresses_and_aliases_through_compression_pointers() -> None:
    """An answer's CNAME targets and addresses come out in the order of the message, names in lower case."""
    cname = wire_name("Edge.Pool.example")
    at = 12 + len(wire_name("www.pool.example")) + 4 + 2 + 10  # where the CNAME's data begins
    packet = message(
        "WWW.pool.Example",
        [
            (POINTER_TO_QUESTION, CNAME, cname),
            (struct.pack("!H", 0xC000 | at), A, bytes([192, 0, 2, 7])),
            (struct.pack("!H", 0xC000 | at), AAAA, bytes.fromhex("20010db8000000000000000000000001")),
        ],
    )
    parsed = parse_message(packet)
    assert parsed.is_response
    assert parsed.names == ("www.pool.example", "edge.pool.example")
    assert parsed.addresses == ("192.0.2.7", "2001:db8::1")
    assert parsed.answers[1].name == "edge.pool.example"
    assert parsed.answers[1].ttl_s == 300
    assert not parsed.cut_short


def test_reads_target_and_hints_of_an_https_record() -> None:
    """RFC 9460: the target name and the address hints are where the client will go."""
    parameters = struct.pack("!HH", 4, 8) + bytes([192, 0, 2, 1, 192, 0, 2, 2])
    parameters += struct.pack("!HH", 6, 16) + bytes.fromhex("20010db8000000000000000000000009")
    data = struct.pack("!H", 1) + wire_name("svc.pool.example") + parameters
    parsed = parse_message(message("pool.example", [(POINTER_TO_QUESTION, HTTPS, data)], qtype=HTTPS))
    assert parsed.names == ("pool.example", "svc.pool.example")
    assert parsed.addresses == ("192.0.2.1", "192.0.2.2", "2001:db8::9")


def test_an_https_record_for_the_name_itself_adds_no_name() -> None:
    """The target "." stands for the owner name (RFC 9460, section 2.5.2)."""
    data = struct.pack("!H", 1) + b"\0"
    parsed = parse_message(message("pool.example", [(POINTER_TO_QUESTION, HTTPS, data)]))
    assert parsed.names == ("pool.example",)
    assert parsed.answers[0].target is None


def test_multicast_dns_answer_without_question() -> None:
    """mDNS answers ask nothing and set the top bit of the class (RFC 6762, section 10.2)."""
    record = wire_name("printer.local") + struct.pack("!HHIH", A, 0x8001, 120, 4) + bytes([192, 0, 2, 9])
    parsed = parse_message(struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + record)
    assert parsed.addresses == ("192.0.2.9",)
    assert parsed.answers[0].name == "printer.local"


@pytest.mark.parametrize(
    ("pointer", "reason"),
    [(b"\xc0\x0c", "points to itself"), (b"\xc0\x20", "points forward")],
)
def test_pointer_that_does_not_go_backwards_is_refused(pointer: bytes, reason: str) -> None:
    """A loop of pointers cannot be followed: ValueError, and at once."""
    with pytest.raises(ValueError, match="pointer"):
        parse_message(struct.pack("!HHHHHH", 1, 0, 1, 0, 0, 0) + pointer + b"\0\1\0\1" + b"\0" * 40)


def test_two_pointers_that_point_at_each_other_are_refused() -> None:
    """A label and a pointer back to it would go round for ever."""
    with pytest.raises(ValueError, match="pointer"):
        parse_message(struct.pack("!HHHHHH", 1, 0, 1, 0, 0, 0) + b"\1a\xc0\x0c\0\1\0\1")


def test_name_longer_than_the_protocol_allows_is_refused() -> None:
    """255 octets are the limit (RFC 1035, section 3.1): 127 labels of one letter fit, 128 do not."""
    assert parse_message(message(".".join("a" * 127), [])).questions[0].name.count(".") == 126
    with pytest.raises(ValueError, match="255"):
        parse_message(message(".".join("a" * 128), []))


def test_cut_answer_keeps_question_and_says_so() -> None:
    """A snap length cuts answers: what stood before is kept."""
    packet = message(
        "pool.example",
        [(POINTER_TO_QUESTION, A, bytes([192, 0, 2, 7])), (POINTER_TO_QUESTION, A, bytes([192, 0, 2, 8]))],
    )
    parsed = parse_message(packet[:-3])
    assert parsed.names == ("pool.example",)
    assert parsed.addresses == ("192.0.2.7",)
    assert parsed.cut_short


def test_control_characters_in_a_name_are_shown_as_numbers() -> None:
    """A name goes to terminals and reports: it must not draw there."""
    packet = struct.pack("!HHHHHH", 1, 0, 1, 0, 0, 0) + b"\x05a\x1b[2J\x07example\0\0\1\0\1"
    assert parse_message(packet).questions[0].name == "a\\x1b[2j.example"


def test_tcp_messages_are_split_by_their_length() -> None:
    """Two messages and a half: two are read, and the rest waits."""
    one, two = message("a.example", []), message("b.example", [])
    stream = b"".join(struct.pack("!H", len(part)) + part for part in (one, two)) + b"\0\x40half"
    messages, taken = parse_tcp_messages(stream)
    assert [parsed.names for parsed in messages] == [("a.example",), ("b.example",)]
    assert stream[taken:] == b"\0\x40half"


@given(st.binary(max_size=600))
def test_any_bytes_parse_or_raise_valueerror(payload: bytes) -> None:
    """Hostile input never raises anything else."""
    with suppress(ValueError):
        parse_message(payload)
    with suppress(ValueError):
        _, taken = parse_tcp_messages(payload)
        assert 0 <= taken <= len(payload)


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_changed_byte_parses_or_raises_valueerror(place: int, value: int) -> None:
    """A real answer with one byte changed."""
    packet = bytearray(
        message(
            "www.pool.example", [(POINTER_TO_QUESTION, CNAME, wire_name("x.y.example")), (b"\xc0\x10", A, b"\1\2\3\4")]
        )
    )
    packet[place % len(packet)] = value
    with suppress(ValueError):
        parse_message(bytes(packet))
