"""NAT logs: five written forms, and the same rule for all of them: a mapping holds no longer than the log shows."""

import gzip
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.site import Translation
from headframe.sources.registry import TranslationLog, read_nat_log
from tests.sources.registry.mangle import anything

S = 1_000_000_000


def at(hour: int, minute: int = 0, second: int = 0) -> int:
    return int(datetime(2026, 11, 20, hour, minute, second, tzinfo=UTC).timestamp()) * S


def read(tmp_path: Path, text: str, **more: object) -> TranslationLog:
    path = tmp_path / "nat.log"
    path.write_text(text, encoding="utf-8")
    return read_nat_log(path, **more)  # type: ignore[arg-type]


def told(row: Translation) -> tuple[object, ...]:
    return (row.outside_address, row.port_from, row.port_to, row.inside_address, row.started_ns, row.ended_ns)


CSV = "time_start,time_end,inside_address,outside_address,port_from,port_to,proto\n"


def test_a_table(tmp_path: Path) -> None:
    """Ports, protocol and end may be left out."""
    log = read(
        tmp_path,
        CSV + "2026-11-20T08:00:00Z,2026-11-20T09:00:00Z,100.64.1.2,203.0.113.5,1024,2047,6\n"
        "2026-11-20,,100.64.1.3,203.0.113.6,,,\n2026-11-20,2026-11-20,100.64.1.4,203.0.113.7,80,,udp\n",
        realm="cgn",
    )
    assert [told(row) for row in log.translations] == [
        ("203.0.113.5", 1024, 2047, "100.64.1.2", at(8), at(9)),
        ("203.0.113.6", 0, 65535, "100.64.1.3", at(0), None),
        ("203.0.113.7", 80, 80, "100.64.1.4", at(0), at(0) + 86400 * S),
    ]
    assert [row.proto for row in log.translations] == ["tcp", None, "udp"]
    assert {row.realm for row in log.translations} == {"cgn"}
    assert [row.source.row for row in log.translations] == [2, 3, 4]
    assert log.remarks == ()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("yesterday,,100.64.1.2,203.0.113.5,1,2,", "time is 'yesterday'"),
        ("2026-11-20T09:00:00Z,2026-11-20T08:00:00Z,100.64.1.2,203.0.113.5,1,2,", "time_end is before"),
        ("2026-11-20,,100.64.1.2,203.0.113.5,9,2,", "port_to 2 is less"),
        ("2026-11-20,,100.64.1.2,203.0.113.5,1,65536,", "port is '65536'"),
        ("2026-11-20,,100.64.1,203.0.113.5,1,2,", "100.64.1"),
        ("2026-11-20,,100.64.1.2", "3 fields where the header has 7"),
        ('2026-11-20,,"100.64.1.2,203.0.113.5,1,2,', "quotation mark"),
    ],
)
def test_a_bad_row_of_a_table_is_told(tmp_path: Path, bad: str, says: str) -> None:
    """One remark with its row; the next row is used."""
    log = read(tmp_path, CSV + bad + "\n2026-11-20,,100.64.1.3,203.0.113.6,,,\n")
    assert [row.inside_address for row in log.translations] == ["100.64.1.3"]
    assert len(log.remarks) == 1
    assert log.remarks[0].startswith("nat.log row 2: ")
    assert says in log.remarks[0]


def conntrack(event: str, stamp: str, sport: int = 50000, out: int = 61000, more: str = "") -> str:
    state = "[UNREPLIED] " if event == "NEW" else ""
    return (
        f"[{stamp}\t]    [{event}] tcp      6 120 SYN_SENT "
        f"src=10.1.2.3 dst=198.51.100.9 sport={sport} dport=3333 {state}"
        f"src=198.51.100.9 dst=203.0.113.5 sport=3333 dport={out}{more}\n"
    )


def test_netfilter(tmp_path: Path) -> None:
    """From NEW to DESTROY; outside is where the answer goes; the destination is kept, for one port serves several."""
    text = (
        conntrack("NEW", f"{at(8) // S}.250000")
        + conntrack("UPDATE", f"{at(8) // S}.300000")
        + conntrack("DESTROY", f"{at(9) // S}.500000")
    )
    (row,) = read(tmp_path, text).translations
    assert told(row) == ("203.0.113.5", 61000, 61000, "10.1.2.3", at(8) + S // 4, at(9) + S // 2)
    assert (row.inside_port, row.proto, row.peer_address, row.peer_port) == (50000, "tcp", "198.51.100.9", 3333)


def test_a_connection_that_was_not_translated_is_no_translation(tmp_path: Path) -> None:
    """conntrack lists every connection; those whose answer goes to the same address are counted, not taken."""
    line = (
        f"[{at(8) // S}.0] [NEW] tcp 6 120 src=10.1.2.3 dst=10.9.9.9 sport=5 dport=6 "
        "src=10.9.9.9 dst=10.1.2.3 sport=6 dport=5\n"
    )
    log = read(tmp_path, line)
    assert log.translations == ()
    assert "were not translated" in log.remarks[0]


def test_netfilter_without_times_says_what_to_do(tmp_path: Path) -> None:
    """A log without times is of no use, and the remark names the option."""
    log = read(tmp_path, conntrack("NEW", "x").replace("[x\t]", ""))
    assert "-o timestamp" in log.remarks[0]


def junos(what: str, clock: str, inside: str = "100.64.1.2", tail: str = "") -> str:
    return (
        f"Nov 20 01:00:00 mx1 (FPC Slot 2, PIC Slot 0) 2026-11-20 {clock} [nat]:ASP_NAT_PORT_BLOCK_{what}: "
        f"{inside} -> 203.0.113.5:1024-1151{tail}\n"
    )


@pytest.mark.parametrize(
    ("lines", "expected", "remark"),
    [
        ([junos("ALLOC", "08:00:00"), junos("RELEASE", "09:00:00")], [("100.64.1.2", at(8), at(9))], None),
        ([junos("ALLOC", "08:00:00"), junos("ACTIVE", "08:30:00"), junos("RELEASE", "09:00:00")],
         [("100.64.1.2", at(8), at(9))], None),
        # lost messages: nothing is held for longer than the log shows
        ([junos("ALLOC", "08:00:00"), junos("ALLOC", "09:00:00", "100.64.1.9")],
         [("100.64.1.2", at(8), at(9)), ("100.64.1.9", at(9), at(9) + 1)], "without a release"),
        ([junos("ALLOC", "08:00:00"), junos("ACTIVE", "11:00:00")], [("100.64.1.2", at(8), at(11))], "no release"),
        ([junos("ALLOC", "07:00:00", "100.64.1.9"), junos("RELEASE", "08:00:00", "100.64.1.9"),
          junos("RELEASE", "09:00:00")],
         [("100.64.1.9", at(7), at(8)), ("100.64.1.2", at(8), at(9))], "no allocation"),
        # the time of allocation stands behind later messages
        ([junos("RELEASE", "09:00:00", tail=f" 0x{at(6) // S:x}")], [("100.64.1.2", at(6), at(9))], "no allocation"),
        ([junos("ACTIVE", "09:00:00", tail=f" 0x{at(6) // S:x}"), junos("RELEASE", "10:00:00")],
         [("100.64.1.2", at(6), at(10))], None),
        # a release by somebody who did not hold it
        ([junos("ALLOC", "08:00:00"), junos("RELEASE", "08:30:00", "100.64.1.9"), junos("RELEASE", "09:00:00")],
         [("100.64.1.2", at(8), at(9))], "but 100.64.1.2 held it"),
    ],
)  # fmt: skip
def test_blocks_of_ports(
    tmp_path: Path, lines: list[str], expected: list[tuple[str, int, int]], remark: str | None
) -> None:
    """Allocation to release, in UTC as the services card writes it; what is lost is told."""
    log = read(tmp_path, "".join(lines), zone=ZoneInfo("America/Los_Angeles"))
    assert [(row.inside_address, row.started_ns, row.ended_ns) for row in log.translations] == expected
    assert all((row.port_from, row.port_to, row.proto) == (1024, 1151, None) for row in log.translations)
    assert (remark is None and log.remarks == ()) or (remark is not None and remark in log.remarks[0])


def test_junos_sessions_without_their_user(tmp_path: Path) -> None:
    """Structured data with an RFC 5424 header; the name in it stays where it is."""
    line = (
        "<14>1 2026-11-20T{}-08:00 mx1 RT_FLOW - RT_FLOW_SESSION_{}_USF [junos@2636.1.1.1.2.25 "
        'source-address="10.1.2.3" source-port="50000" destination-address="198.51.100.9" destination-port="3333" '
        'nat-source-address="203.0.113.5" '
        'nat-source-port="61000" protocol-id="6" username="anna" session-id-32="160000001"]\n'
    )
    log = read(tmp_path, line.format("00:00:00.5", "CREATE") + line.format("01:00:00", "CLOSE"))
    (row,) = log.translations
    assert told(row) == ("203.0.113.5", 61000, 61000, "10.1.2.3", at(8) + S // 2, at(9))
    assert (row.peer_address, row.peer_port, row.proto) == ("198.51.100.9", 3333, "tcp")
    assert "anna" not in repr(log)


def test_cisco(tmp_path: Path) -> None:
    """Several records in a line; the routing instance is the network if the caller names none; DS-Lite by tunnel."""
    text = (
        "1 2026 Nov 20 08:00:00 192.0.2.3 - - NAT44 - [UserbasedA - 10.0.0.1 Broadband - 203.0.113.5 - 2048 3071 - -]"
        "[UserbasedA - 192.168.1.2 - 2001:db8::9 203.0.113.6 - 1024 2047 - -]\n"
        "1 2026 Nov 20 09:00:00 192.0.2.3 - - NAT44 - [UserbasedW - 10.0.0.1 Broadband - 203.0.113.5 - 2048 3071 - -]"
        "[SessionbasedAD 6 10.0.0.7 - - 203.0.113.7 5000 6000 - 198.51.100.9 3333]\n"
    )
    log = read(tmp_path, text)
    assert [told(row) for row in log.translations] == [
        ("203.0.113.5", 2048, 3071, "10.0.0.1", at(8), at(9)),
        ("203.0.113.6", 1024, 2047, "2001:db8::9", at(8), at(9)),
        ("203.0.113.7", 6000, 6000, "10.0.0.7", at(9), at(9) + 1),
    ]
    assert [row.realm for row in log.translations] == ["Broadband", "", ""]
    assert (log.translations[2].inside_port, log.translations[2].peer_port) == (5000, 3333)
    assert {row.realm for row in read(tmp_path, text, realm="cgn").translations} == {"cgn"}


def test_local_times_follow_the_clocks(tmp_path: Path) -> None:
    """A header without offset is meant in the zone that is given; an hour that clocks showed twice is refused."""
    line = "1 2026 {} 192.0.2.3 - - NAT44 - [Userbased{} - 10.0.0.1 - - 203.0.113.5 - 2048 3071 - -]\n"
    text = (
        line.format("Oct 25 01:30:00", "A") + line.format("Oct 25 02:30:00", "W") + line.format("Oct 25 03:30:00", "W")
    )
    log = read(tmp_path, text, zone=ZoneInfo("Europe/Berlin"))
    (row,) = log.translations
    assert row.ended_ns is not None
    assert row.started_ns is not None
    assert row.ended_ns - row.started_ns == 3 * 3600 * S, "three hours passed between 01:30 and 03:30"
    assert "was shown twice" in log.remarks[0]


def test_a_log_without_years_needs_one(tmp_path: Path) -> None:
    """Only then are its times certain; it may run into the next year."""
    line = (
        "{} 23:59:59 gw [NEW] udp 17 30 src=10.1.2.3 dst=8.8.8.8 sport=5 dport=53 "
        "src=8.8.8.8 dst=203.0.113.5 sport=53 dport={}\n"
    )
    text = line.format("Dec 31", 6) + line.format("Jan  1", 7)
    assert "say which year" in read(tmp_path, text).remarks[0]
    started = [row.started_ns for row in read(tmp_path, text, year=2026).translations]
    assert started[1] - started[0] == 86400 * S  # type: ignore[operator]


def test_a_zipped_log_of_several_forms(tmp_path: Path) -> None:
    """A collector writes what comes; each line is understood by itself, and what is not is told."""
    path = tmp_path / "nat.log.gz"
    path.write_bytes(
        gzip.compress((junos("ALLOC", "08:00:00") + "hello\n" + conntrack("NEW", f"{at(9) // S}.5")).encode())
    )
    log = read_nat_log(path)
    assert len(log.translations) == 2
    assert log.remarks[0] == "nat.log.gz row 2: no form of NAT log that is known"


events = st.lists(st.tuples(st.sampled_from(["ALLOC", "RELEASE"]), st.integers(1, 3)), min_size=1, max_size=10)


@given(events)
def test_a_block_is_never_with_two_at_once(tmp_path: Path, said: list[tuple[str, int]]) -> None:
    """Whatever is lost, no instant has two holders of one block, and none before the log or after it."""
    text = "".join(junos(what, f"08:{n:02d}:00", f"100.64.1.{who}") for n, (what, who) in enumerate(said))
    rows = sorted(read(tmp_path, text).translations, key=lambda row: (row.started_ns, row.ended_ns))
    for one, other in pairwise(rows):
        assert one.ended_ns is not None
        assert other.started_ns is not None
        # one nanosecond stands for "at the instant of the last line"
        assert one.ended_ns <= other.started_ns + 1
    for row in rows:
        assert at(8) <= row.started_ns < row.ended_ns <= at(8, len(said) - 1) + 1  # type: ignore[operator]


GOOD = (
    CSV + "2026-11-20T08:00:00Z,2026-11-20,100.64.1.2,203.0.113.5,1024,2047,6\n"
    + junos("ALLOC", "08:00:00", tail=" 0x6a000000")
    + conntrack("NEW", "1795161600.25") + conntrack("DESTROY", "1795161601.25")
    + "1 2026 Nov 20 08:00:00 192.0.2.3 - - NAT44 - "
    + "[SessionbasedWD 6 10.0.0.1 B - 203.0.113.5 5 2048 - 198.51.100.9 3333]\n"
).encode()  # fmt: skip


@given(anything(GOOD), st.sampled_from([None, 2026]))
def test_damage_gives_a_remark_or_a_value_error(tmp_path: Path, data: bytes, year: int | None) -> None:
    """Nothing else comes out of a damaged file, and every stretch makes sense."""
    path = tmp_path / "nat.log"
    path.write_bytes(data)
    try:
        log = read_nat_log(path, year=year)
    except ValueError:
        return
    for row in log.translations:
        assert row.started_ns is None or row.ended_ns is None or row.started_ns <= row.ended_ns
        assert 0 <= row.port_from <= row.port_to <= 65535


def test_a_carriage_return_in_front_of_the_header_is_told(tmp_path: Path) -> None:
    """Python's csv reader has an error of its own for it."""
    path = tmp_path / "nat.log"
    path.write_bytes(b"\r" + GOOD)
    try:
        told = " ".join(str(remark) for remark in read_nat_log(path).remarks)
    except ValueError as fault:
        told = str(fault)
    assert "the header is no row of a table" in told


@pytest.mark.parametrize(
    "piece", ["[NEW] tcp src=", "_NAT_PORT_BLOCK_ALLOC: ", "[UserbasedA ", "2026-11-20T", "a b ", "[1.1", ' src="']
)
def test_hostile_lines_cost_no_more_than_their_length(tmp_path: Path, piece: str) -> None:
    """No pattern runs away on a long line."""
    path = tmp_path / "nat.log"
    path.write_text(("\n".join([piece * (200_000 // len(piece))] * 5)), encoding="utf-8")
    began = time.process_time()
    read_nat_log(path)
    assert time.process_time() - began < 10
