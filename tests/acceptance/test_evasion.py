"""A miner that does not want to be found: what still finds it, and what does not.

The second half of this file is as important as the first: ``docs/detectors/stratum.md`` lists as blind spots what is
shown there, and a test that begins to fail because the miner *is* found means that the list must be shortened.
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headframe.app import ScanOptions, scan
from headframe.records.finding import Finding, Role
from headframe.simulate import packets
from headframe.simulate.capture_file import write_capture
from headframe.simulate.transport import Message, tcp_packets

SECOND = 10**9
START_NS = 1_767_260_000 * SECOND
SHARES = 20
WIRE = packets.Path("192.0.2.10", 40000, "203.0.113.9", 3333)

Write = Callable[[bytes], bytes]


def as_it_is(line: bytes) -> bytes:
    return line


def talk(client: Write = as_it_is, server: Write = as_it_is, harmless: int = 0, piece: int = 0) -> list[Message]:
    """A session of Stratum V1 with `SHARES` accepted shares, written as `client` and `server` please.

    `harmless` calls of other methods, with their answers, come first; `piece` is the most that one segment carries.
    """
    said: list[tuple[int, int, bytes]] = []
    now = START_NS

    def say(side: int, message: object) -> None:
        nonlocal now
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        said.append((now, side, (client, server)[side](line)))
        now += SECOND // 2

    for number in range(harmless):
        say(0, {"jsonrpc": "2.0", "id": number, "method": "status", "params": {}})
        say(1, {"jsonrpc": "2.0", "id": number, "result": {"ok": True}})
    say(0, {"id": 1, "method": "mining.subscribe", "params": ["tool/1"]})
    say(1, {"id": 1, "result": [[["mining.notify", "ae"]], "08000002", 4], "error": None})
    say(0, {"id": 2, "method": "mining.authorize", "params": ["someone.rig", "x"]})
    say(1, {"id": 2, "result": True, "error": None})
    say(1, {"id": None, "method": "mining.set_difficulty", "params": [1024]})
    for number in range(SHARES):
        if number % 5 == 0:
            previous = "00" * 24 + "ab" * 8
            job = [f"{number:x}", previous, "01" * 30, "02" * 30, [], "20000000", "1701e2a4", "65000000", True]
            say(1, {"id": None, "method": "mining.notify", "params": job})
        now += 10 * SECOND
        share = ["someone.rig", f"{number // 5 * 5:x}", f"0000{number:04x}", "65000000", f"{number:08x}"]
        say(0, {"id": 10 + number, "method": "mining.submit", "params": share})
        say(1, {"id": 10 + number, "result": True, "error": None})
    return list(cut(said, piece))


def cut(said: list[tuple[int, int, bytes]], piece: int) -> Iterator[Message]:
    """Each message, or its pieces a millisecond apart."""
    for time_ns, side, data in said:
        size = piece or len(data)
        for number, at in enumerate(range(0, len(data), size)):
            yield Message(time_ns + number * 1_000_000, side, data[at : at + size])


def found(folder: Path, messages: list[Message], side: int | None = None) -> list[Finding]:
    """Findings in a capture of the messages; with `side`, only the packets that this side sent were captured."""
    capture = tcp_packets(WIRE, messages, random.Random(1), rtt_ns=20_000_000)
    if side is not None:
        source = packets.mac_address((WIRE.orig_h, WIRE.resp_h)[side])
        capture = [packet for packet in capture if packet[1][6:12] == source]
    write_capture(folder / "evasion.pcap", capture)
    return scan([str(folder / "evasion.pcap")], ScanOptions(builtin_indicators=False)).findings


def more_members(line: bytes) -> bytes:
    return line.replace(b"{", b'{"jsonrpc":"2.0","a":[1,{"b":2}],', 1)


def blanks(line: bytes) -> bytes:
    return line.replace(b'":', b'" \t :  \t ').replace(b"{", b"{ \r\t").replace(b",", b" , ")


def one_member_per_line(line: bytes) -> bytes:
    return line.replace(b",", b",\n").replace(b"{", b"{\n")


def escaped_method(line: bytes) -> bytes:
    return line.replace(b'"method"', b'"m\\u0065thod"')


def escaped_word(line: bytes) -> bytes:
    return line.replace(b"mining.", b"m\\u0069ning.")


def escaped(line: bytes) -> bytes:
    for name in (b"method", b"params", b"result", b"error"):
        line = line.replace(b'"%s"' % name, b'"\\u%04x%s"' % (name[0], name[1:]))
    return line


def upper_case(line: bytes) -> bytes:
    for name in (b"method", b"params", b"result", b"error", b"id"):
        line = line.replace(b'"%s"' % name, b'"%s"' % name.upper())
    return line


def padded(size: int) -> Write:
    return lambda line: line[:1] + b'"x":"' + b"A" * size + b'",' + line[1:]


def indented(size: int) -> Write:
    return lambda line: b" " * size + line


def in_a_batch(line: bytes) -> bytes:
    return b"[" + line.rstrip() + b"]\n"


def without_line_end(line: bytes) -> bytes:
    return line[:-1]


def behind_other_lines(line: bytes) -> bytes:
    return b"nothing to see here\n" + line


def method_twice(line: bytes) -> bytes:
    return line.replace(b'"method"', b'"method":"status","method"')


def other_encoding(line: bytes) -> bytes:
    return line.replace(b"rig", b"r\xe9g")


BOTH: dict[str, Write] = {
    "more members": more_members, "blanks": blanks, "one member per line": one_member_per_line,
    "escaped method": escaped_method, "1,000 bytes of padding": padded(1000), "5,000 bytes of padding": padded(5000),
    "indented by 10": indented(10), "indented by 4,000": indented(4000), "batch": in_a_batch,
    "no line end": without_line_end, "behind other lines": behind_other_lines, "method twice": method_twice,
    "other encoding": other_encoding,
}  # fmt: skip


def is_whole(findings: list[Finding]) -> bool:
    """One miner with every share accepted."""
    return [(f.role, f.host, f.shares.accepted) for f in findings] == [(Role.MINER, WIRE.orig_h, SHARES)]


@pytest.mark.parametrize("write", BOTH.values(), ids=BOTH)
def test_how_both_sides_write_does_not_matter(tmp_path: Path, write: Write) -> None:
    """Spelling, order, spacing and padding of JSON hide nothing, not one share."""
    assert is_whole(found(tmp_path, talk(write, write)))


@pytest.mark.parametrize("write", [escaped, escaped_word, upper_case, padded(2000), indented(40)])
def test_the_server_gives_a_disguised_client_away(tmp_path: Path, write: Write) -> None:
    """A pool that speaks plainly is enough: from its first word on, the client's disguise is read too."""
    assert is_whole(found(tmp_path, talk(client=write)))


@pytest.mark.parametrize("harmless", [30, 63, 500])
def test_harmless_calls_first(tmp_path: Path, harmless: int) -> None:
    """Other JSON-RPC, however much of it, before the first message of mining."""
    assert is_whole(found(tmp_path, talk(harmless=harmless)))


@pytest.mark.parametrize("piece", [40, 100])
def test_small_segments(tmp_path: Path, piece: int) -> None:
    """Messages in pieces of 40 bytes and more."""
    assert is_whole(found(tmp_path, talk(piece=piece)))


@pytest.mark.parametrize("write", [escaped_method, padded(2000), indented(40)])
def test_a_disguised_client_alone(tmp_path: Path, write: Write) -> None:
    """With the client's packets only."""
    findings = found(tmp_path, talk(client=write), side=0)
    assert [(f.role, f.shares.unanswered) for f in findings] == [(Role.MINER, SHARES)]


def single_quotes(line: bytes) -> bytes:
    return line.replace(b'"', b"'")


@pytest.mark.parametrize("write", [single_quotes, padded(300_000)])
def test_a_client_that_cannot_be_read_is_found_by_its_work(tmp_path: Path, write: Write) -> None:
    """What is no JSON, or longer than is kept, costs the shares; the server's jobs remain."""
    findings = found(tmp_path, talk(client=write))
    assert [(f.role, f.shares.accepted) for f in findings] == [(Role.MINER, 0)]


def test_where_no_word_of_mining_is_spelt_out(tmp_path: Path) -> None:
    """Both sides escape ``mining.``: the miner is found, though perhaps without its first shares."""
    findings = found(tmp_path, talk(escaped_word, escaped_word))
    assert [(f.role, f.host) for f in findings] == [(Role.MINER, WIRE.orig_h)]


# -- blind spots: docs/detectors/stratum.md --------------------------------------------------------------------------


def byte_order_mark(line: bytes) -> bytes:
    return b"\xef\xbb\xbf" + line


def with_comment(line: bytes) -> bytes:
    return b"/**/" + line


BLIND: dict[str, list[Message]] = {
    "all four names escaped, on both sides": talk(escaped, escaped),
    "all names in upper case, on both sides": talk(upper_case, upper_case),
    "a byte order mark before each message": talk(byte_order_mark, byte_order_mark),
    "a comment before each message": talk(with_comment, with_comment),
    "messages longer than is kept, on both sides": talk(padded(300_000), padded(300_000)),
    "segments of 12 bytes": talk(piece=12),
}


@pytest.mark.parametrize("messages", BLIND.values(), ids=BLIND)
def test_blind_spots_are_those_that_the_documentation_names(tmp_path: Path, messages: list[Message]) -> None:
    """Both sides must agree on the disguise, so a public pool does not take part in it; a private one may."""
    assert found(tmp_path, messages) == []
