"""DNS messages: who asked for which name, and which addresses came back.

Layout (RFC 1035 section 4): 12 bytes of header, then questions, then resource records. A name is a run of
labels, each led by its length; a length with both top bits set is a pointer to an earlier byte of the message.
Over TCP a length of 2 bytes goes before each message (RFC 1035 section 4.2.2). Multicast DNS uses the same form
(RFC 6762 section 18); the top bit of its class is a flag and is taken off here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from headframe.sources.network.wire_text import printable

A = 1
CNAME = 5
AAAA = 28
SVCB = 64
HTTPS = 65

_IN = 1
_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_MAX_NAME = 255  # RFC 1035 section 3.1: octets of a whole name
_IPV4HINT, _IPV6HINT = 4, 6  # RFC 9460 section 14.3.2


@dataclass(frozen=True, slots=True)
class DnsQuestion:
    """What was asked for: a lower-case name without trailing dot, and the record type."""

    name: str
    rtype: int


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """One record of the answer section.

    Attributes
    ----------
    name : str
        The name that the record belongs to, lower case, no trailing dot.
    rtype : int
    ttl_s : int
        How long the answer may be kept. [s]
    addresses : tuple of str
        The address of an A or AAAA record; the address hints of an HTTPS or SVCB record.
    target : str or None
        The name that a CNAME, HTTPS or SVCB record points to; None where there is none, or it is the name itself.
    """

    name: str
    rtype: int
    ttl_s: int
    addresses: tuple[str, ...] = ()
    target: str | None = None


@dataclass(frozen=True, slots=True)
class DnsMessage:
    """One DNS message as far as mining detection needs it.

    Attributes
    ----------
    ident : int
    is_response : bool
    rcode : int
        0 is success, 3 is "no such name".
    questions : tuple of DnsQuestion
    answers : tuple of DnsAnswer
        Records of types other than A, AAAA, CNAME, HTTPS and SVCB carry neither address nor target.
    cut_short : bool
        True where the message ends inside its answer section (snap length, or a server's limit): what stood
        before is kept.
    """

    ident: int
    is_response: bool
    rcode: int
    questions: tuple[DnsQuestion, ...]
    answers: tuple[DnsAnswer, ...]
    cut_short: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The questions' names, then every target, each once, in the order of the message."""
        seen = dict.fromkeys(question.name for question in self.questions)
        seen.update(dict.fromkeys(answer.target for answer in self.answers if answer.target))
        return tuple(seen)

    @property
    def addresses(self) -> tuple[str, ...]:
        """All answered addresses, each once, in the order of the message."""
        return tuple(dict.fromkeys(address for answer in self.answers for address in answer.addresses))


def parse_message(payload: bytes) -> DnsMessage:
    """Read one DNS message.

    Parameters
    ----------
    payload : bytes
        The payload of a UDP datagram, or what follows the 2-byte length on TCP.

    Returns
    -------
    DnsMessage

    Raises
    ------
    ValueError
        If the header or a question cannot be read, a pointer does not go backwards, or a name is too long.

    References
    ----------
    .. [1] RFC 1035, section 4. RFC 9460, section 2 (HTTPS records).

    Examples
    --------
    >>> query = bytes.fromhex("0001 0100 0001 0000 0000 0000 04706f6f6c076578616d706c6500 0001 0001")
    >>> parse_message(query).questions
    (DnsQuestion(name='pool.example', rtype=1),)
    """
    if len(payload) < _HEADER.size:
        raise ValueError(f"a DNS header takes 12 bytes, got {len(payload)}")
    ident, flags, n_questions, n_answers, _, _ = _HEADER.unpack_from(payload)
    # An entry takes 5 bytes at least (question) or 11 (record): a count beyond that is not DNS.
    if n_questions * 5 > len(payload):
        raise ValueError(f"{n_questions} questions cannot fit in {len(payload)} bytes")
    offset = _HEADER.size
    questions = []
    for _ in range(n_questions):
        name, offset = _read_name(payload, offset)
        if offset + 4 > len(payload):
            raise ValueError("the message ends inside a question")
        questions.append(DnsQuestion(name, int.from_bytes(payload[offset : offset + 2], "big")))
        offset += 4
    answers = []
    cut_short = False
    for _ in range(n_answers):
        try:
            answer, offset = _read_record(payload, offset)
        except _EndsEarly:
            cut_short = True
            break
        answers.append(answer)
    return DnsMessage(ident, bool(flags & 0x8000), flags & 0x000F, tuple(questions), tuple(answers), cut_short)


def parse_tcp_messages(stream_prefix: bytes) -> tuple[list[DnsMessage], int]:
    """Read all whole DNS messages at the beginning of one direction of a TCP stream.

    Parameters
    ----------
    stream_prefix : bytes
        The stream from its first byte, or from where the last call stopped.

    Returns
    -------
    list of DnsMessage, int
        The messages, and how many bytes they took; what follows is the beginning of a message still to come. [bytes]

    Raises
    ------
    ValueError
        If a whole message is there and cannot be read.
    """
    messages = []
    offset = 0
    while offset + 2 <= len(stream_prefix):
        length = int.from_bytes(stream_prefix[offset : offset + 2], "big")
        if offset + 2 + length > len(stream_prefix):
            break
        messages.append(parse_message(stream_prefix[offset + 2 : offset + 2 + length]))
        offset += 2 + length
    return messages, offset


class _EndsEarly(ValueError):
    """The message ends inside a record."""


def _read_record(payload: bytes, offset: int) -> tuple[DnsAnswer, int]:
    name, offset = _read_name(payload, offset)
    if offset + _RECORD.size > len(payload):
        raise _EndsEarly("the message ends inside a record")
    rtype, rclass, ttl_s, length = _RECORD.unpack_from(payload, offset)
    start = offset + _RECORD.size
    end = start + length
    if end > len(payload):
        raise _EndsEarly("the message ends inside a record's data")
    addresses: tuple[str, ...] = ()
    target: str | None = None
    if rclass & 0x7FFF == _IN:
        if rtype == A and length == 4:
            addresses = (str(IPv4Address(payload[start:end])),)
        elif rtype == AAAA and length == 16:
            addresses = (str(IPv6Address(payload[start:end])),)
        elif rtype == CNAME:
            target = _read_name(payload, start)[0]
        elif rtype in (HTTPS, SVCB) and length >= 3:
            target, parameters = _read_name(payload, start + 2)
            addresses = _address_hints(payload[parameters:end])
            target = target or None  # "." stands for the record's own name (RFC 9460 section 2.5.2)
    return DnsAnswer(name, rtype, ttl_s, addresses, target), end


def _address_hints(parameters: bytes) -> tuple[str, ...]:
    """Addresses in the ipv4hint and ipv6hint parameters (RFC 9460 section 7.3); stops at the first odd length."""
    found: list[str] = []
    offset = 0
    while offset + 4 <= len(parameters):
        key = int.from_bytes(parameters[offset : offset + 2], "big")
        length = int.from_bytes(parameters[offset + 2 : offset + 4], "big")
        value = parameters[offset + 4 : offset + 4 + length]
        if len(value) < length:
            break
        if key == _IPV4HINT:
            found.extend(str(IPv4Address(value[i : i + 4])) for i in range(0, length - 3, 4))
        elif key == _IPV6HINT:
            found.extend(str(IPv6Address(value[i : i + 16])) for i in range(0, length - 15, 16))
        offset += 4 + length
    return tuple(found)


def _read_name(payload: bytes, offset: int) -> tuple[str, int]:
    """The name at `offset` in lower case, and the offset behind it in the original run of bytes.

    A pointer must go to an earlier byte than the run it ends: so each jump is shorter than the last, and no loop
    can be built. Together with the limit of 255 octets the cost of a name is bounded.
    """
    labels: list[str] = []
    octets = 0
    behind = -1
    run_start = offset
    while True:
        if offset >= len(payload):
            raise _EndsEarly("the message ends inside a name")
        length = payload[offset]
        if length & 0xC0 == 0xC0:
            if offset + 2 > len(payload):
                raise _EndsEarly("the message ends inside a name")
            pointer = (length & 0x3F) << 8 | payload[offset + 1]
            if behind < 0:
                behind = offset + 2
            if pointer >= run_start:
                raise ValueError("a compression pointer does not go backwards")
            offset = run_start = pointer
            continue
        if length & 0xC0:
            raise ValueError(f"unknown label type 0x{length & 0xC0:02x}")
        offset += 1
        if length == 0:
            return ".".join(labels), offset if behind < 0 else behind
        octets += length + 1
        if octets > _MAX_NAME:
            raise ValueError("a name is longer than 255 octets")
        label = payload[offset : offset + length]
        if len(label) < length:
            raise _EndsEarly("the message ends inside a name")
        labels.append(printable(label))
        offset += length
