"""Captures made to have a host accused, or to have a miner passed over; from packets to findings."""

import json
import random
from pathlib import Path

import pytest

from headframe.app import ScanOptions, scan
from headframe.records.finding import Role
from headframe.records.scan import ScanResult
from headframe.simulate import packets
from headframe.simulate.capture_file import write_capture
from headframe.simulate.transport import Message, tcp_packets

SECOND = 10**9
START_NS = 1_767_260_000 * SECOND
OUTSIDE = "203.0.113.66"
NOTIFY = {
    "id": None,
    "method": "mining.notify",
    "params": ["7", "00" * 32, "01", "02", [], "20000000", "1a2b3c4d", "65aabbcc", True],
}


def line(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def scanned(folder: Path, capture: list[tuple[int, bytes]], *indicators: str) -> ScanResult:
    write_capture(folder / "accusation.pcap", capture)
    options = ScanOptions(builtin_indicators=False)
    if indicators:
        (folder / "list.txt").write_text("\n".join(indicators) + "\n", encoding="utf-8")
        options = ScanOptions(builtin_indicators=False, indicators=(folder / "list.txt",))
    return scan([str(folder / "accusation.pcap")], options)


def conversation(client: str, server: str, port: int, *said: tuple[int, bytes]) -> list[tuple[int, bytes]]:
    messages = [Message(START_NS + number * SECOND, side, data) for number, (side, data) in enumerate(said)]
    wire = packets.Path(client, 40000, server, port)
    return list(tcp_packets(wire, messages, random.Random(1), rtt_ns=20_000_000))


def test_one_segment_to_each_host_accuses_none(tmp_path: Path) -> None:
    """An outsider sends one job to twenty hosts, and each answers with a reset."""
    capture = []
    for number in range(20):
        framer = packets.Framer(packets.Path(OUTSIDE, 3333, f"192.0.2.{100 + number}", 50000 + number))
        at = START_NS + number * 1_000_000
        capture.append((at, framer.tcp(0, 1, 1, packets.PSH | packets.ACK, line(NOTIFY))))
        capture.append((at + 1000, framer.tcp(1, 1, 0, packets.RST)))
    result = scanned(tmp_path, capture)
    assert result.findings == []
    assert {entry.host for entry in result.insufficient} == {f"192.0.2.{100 + number}" for number in range(20)}


def test_a_refused_connection_and_work_accuse_nobody(tmp_path: Path) -> None:
    """SYN, reset, and a job all the same."""
    framer = packets.Framer(packets.Path(OUTSIDE, 3333, "192.0.2.100", 445))
    capture = [
        (START_NS, framer.tcp(0, 1, 0, packets.SYN)),
        (START_NS + 100, framer.tcp(1, 0, 2, packets.RST | packets.ACK)),
        (START_NS + 300, framer.tcp(0, 2, 1, packets.PSH | packets.ACK, line(NOTIFY) * 3)),
    ]
    result = scanned(tmp_path, capture)
    assert result.findings == []
    assert len(result.insufficient) == 1


def test_work_pushed_at_a_web_server_accuses_nobody(tmp_path: Path) -> None:
    """The server answers 400, as to anything that is no request."""
    said = [(0, line(NOTIFY))] * 5
    result = scanned(
        tmp_path,
        conversation(OUTSIDE, "192.0.2.80", 80, *said, (1, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")),
    )
    assert result.findings == []
    assert "something else" in result.insufficient[0].missing


def test_a_visit_from_a_listed_address_is_a_contact(tmp_path: Path) -> None:
    """A crawler of a pool reads our web site."""
    request = (0, b"GET / HTTP/1.1\r\nHost: www.ours.example\r\n\r\n")
    reply = (1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    [finding] = scanned(tmp_path, conversation(OUTSIDE, "192.0.2.80", 443, request, reply), OUTSIDE).findings
    assert (finding.host, finding.role, finding.log10_e) == ("192.0.2.80", Role.CONTACT, 0.0)
    assert f"192.0.2.80 was contacted by {OUTSIDE}" in finding.explanation


def session() -> list[tuple[int, bytes]]:
    said = [
        (0, line({"id": 1, "method": "mining.subscribe", "params": ["tool/1"]})),
        (1, line({"id": 1, "result": [[["mining.notify", "ae"]], "08000002", 4], "error": None})),
        (0, line({"id": 2, "method": "mining.authorize", "params": ["someone.rig", "x"]})),
        (1, line({"id": 2, "result": True, "error": None})),
        (1, line(NOTIFY)),
    ]
    for number in range(5):
        share = ["someone.rig", "7", f"{number:08x}", "65aabbcc", f"{number:08x}"]
        said.append((0, line({"id": 10 + number, "method": "mining.submit", "params": share})))
        said.append((1, line({"id": 10 + number, "result": True, "error": None})))
    return said


@pytest.mark.parametrize("method", ["mining.submit", "status"])
@pytest.mark.parametrize("kilobytes", [8, 64])
def test_brackets_first_do_not_hide_what_follows(tmp_path: Path, kilobytes: int, method: str) -> None:
    """One line of nested brackets, with or without a word of mining, and then a whole session."""
    depth = kilobytes * 512
    first = b'{"id":1,"method":"%s","params":' % method.encode() + b"[" * depth + b"]" * depth + b"}\n"
    result = scanned(tmp_path, conversation("192.0.2.10", OUTSIDE, 3333, (0, first), *session()))
    assert [(finding.role, finding.shares.accepted) for finding in result.findings] == [(Role.MINER, 5)]


@pytest.mark.parametrize("tail", [b",}\n", b',"x":' + b"[" * 1100 + b"]" * 1100 + b"}\n"], ids=["comma", "brackets"])
def test_lines_that_cannot_be_read_are_reported(tmp_path: Path, tail: bytes) -> None:
    """Both sides write what no JSON parser takes: not found, and not passed over in silence."""
    said = [(side, data.rstrip()[:-1] + tail) for side, data in session()]
    result = scanned(tmp_path, conversation("192.0.2.10", OUTSIDE, 3333, *said))
    assert result.findings == []
    assert "cannot be read" in result.insufficient[0].missing
