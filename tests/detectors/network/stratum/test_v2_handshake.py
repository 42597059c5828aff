"""Stratum V2: known by the lengths of its first runs, and by nothing else."""

import random

import pytest

from headframe.records.finding import Role
from tests.detectors.network.stratum.talk import Talk, hear, report


def noise(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


def session(first: int = 64, second: int = 234, third: int = 110, fourth: int = 44, fifth: int = 90) -> Talk:
    talk = Talk(server_port=34254).c(noise(first, 1)).s(noise(second, 2)).c(noise(third, 3)).s(noise(fourth, 4))
    talk.c(noise(fifth, 5)).s(noise(300, 6))
    for turn in range(10):
        talk.wait(30).s(noise(160, 10 + turn)).c(noise(62, 50 + turn))
    return talk


@pytest.mark.parametrize("first_two", [(64, 234), (32, 170)])
def test_the_handshake_is_found_however_it_is_cut(first_two: tuple[int, int]) -> None:
    """The current lengths and those of the older draft."""
    for seed in (None, *range(20)):
        findings = report(session(*first_two), seed=seed).findings
        assert [(finding.role, finding.protocol, finding.host) for finding in findings] == [
            (Role.MINER, "stratum-v2", "192.0.2.10")
        ]
        assert findings[0].evidence
        assert findings[0].sources


@pytest.mark.parametrize(
    "wrong", [{"first": 63}, {"first": 65}, {"second": 233}, {"third": 53}, {"fourth": 45}, {"fourth": 43}]
)
def test_one_byte_off_is_something_else(wrong: dict[str, int]) -> None:
    """Obfuscated proxies and other Noise protocols have other lengths."""
    assert report(session(**wrong)).findings == ()


def test_text_of_the_right_length_is_something_else() -> None:
    """Keys look random; text and padding do not."""
    talk = Talk().c(b"a" * 64).s(noise(234, 1)).c(noise(100, 2)).s(noise(44, 3)).c(noise(90, 4))
    assert report(talk).findings == ()
    talk = (
        Talk()
        .c((b"GET /index.html HTTP/1.1 Host: www.example.org Accept: text/html x" * 2)[:64])
        .s(noise(234, 1))
        .c(noise(100, 2))
    )
    assert report(talk.s(noise(44, 3)).c(noise(90, 4))).findings == ()


def test_a_handshake_without_agreement_is_insufficient() -> None:
    """Two keys alone may be another protocol: said, but not called mining."""
    detection = report(Talk().c(noise(64, 1)).s(noise(234, 2)).c(noise(100, 3)))
    assert detection.findings == ()
    assert len(detection.insufficient) == 1
    assert "set-up" in detection.insufficient[0].missing


def test_legible_set_up_in_the_local_network() -> None:
    """Without encryption SetupConnection and its success are read."""
    setup = (
        b"\x00\x00\x00\x20\x00\x00"
        + b"\x00"
        + b"\x02\x00\x02\x00"
        + b"\x00" * 4
        + b"\x08pool.lan"
        + b"\xfe\x85"
        + b"\x00" * 4
    )
    talk = Talk(server="10.0.0.1").c(setup).s(b"\x00\x00\x01\x06\x00\x00" + b"\x02\x00" + b"\x00" * 4)
    findings = report(talk).findings
    assert findings[0].protocol == "stratum-v2"
    assert findings[0].role is Role.MINER


def test_it_stays_cheap_on_other_traffic() -> None:
    """The first thing that does not fit ends the watch."""
    assert not hear(Talk().c(b"\x16\x03\x01" + noise(500, 1))).handshake.possible
