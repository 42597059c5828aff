"""Times, addresses, hardware addresses and lines: what the readers of logs share."""

import contextlib
import gzip
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.site import AssignmentKind, Locator
from headframe.sources.registry.values import (
    MAX_REMARKS,
    Remarks,
    Stretches,
    agent_locators,
    clean_address,
    clean_prefix,
    clean_proto,
    duid_hardware,
    epoch_ns,
    hardware_in,
    lines_of,
    station_locators,
    time_ns,
)
from tests.sources.registry.mangle import key

BERLIN = ZoneInfo("Europe/Berlin")
S = 1_000_000_000


def ns(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * S


@pytest.mark.parametrize(
    ("text", "zone", "end", "expected"),
    [
        ("", UTC, False, None),
        ("-", UTC, False, None),
        ("2026-04-21", UTC, False, ns(2026, 4, 21)),
        ("2026-04-21", UTC, True, ns(2026, 4, 22)),
        ("2026-04-21T08:00:00Z", BERLIN, False, ns(2026, 4, 21, 8)),
        ("2026-04-21T08:00:00+02:00", UTC, True, ns(2026, 4, 21, 6)),
        ("2026-04-21 08:00:00", BERLIN, False, ns(2026, 4, 21, 6)),
        ("2026-01-21 08:00:00", BERLIN, False, ns(2026, 1, 21, 7)),
        # The day on which clocks go forward has 23 hours, the one on which they go back 25.
        ("2026-03-29", BERLIN, False, ns(2026, 3, 28, 23)),
        ("2026-03-29", BERLIN, True, ns(2026, 3, 29, 22)),
        ("2026-10-25", BERLIN, False, ns(2026, 10, 24, 22)),
        ("2026-10-25", BERLIN, True, ns(2026, 10, 25, 23)),
        # Twice on the clock, but not with an offset.
        ("2026-10-25T02:30:00+02:00", BERLIN, False, ns(2026, 10, 25, 0, 30)),
        ("2026-10-25T02:30:00+01:00", BERLIN, False, ns(2026, 10, 25, 1, 30)),
        ("1795161600", BERLIN, False, 1795161600 * S),
        ("1795161600.25", UTC, False, 1795161600 * S + S // 4),
        ("1795161600.123456789", UTC, False, 1795161600 * S + 123456789),
    ],
)
def test_times(text: str, zone: timezone, end: bool, expected: int | None) -> None:
    """A day for an end counts through that day; an offset in the text goes before the zone."""
    assert time_ns(text, zone, end=end) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-10-25T02:30:00", "was shown twice by clocks in Europe/Berlin"),
        ("2026-03-29T02:30:00", "was never shown by clocks in Europe/Berlin"),
        ("1795161600000", "time is '1795161600000'"),
        ("99999999999", "not milliseconds"),
        ("2026-02-30", "expected 2026-04-21"),
        ("21.04.2026", "expected 2026-04-21"),
        ("1960-01-01", "expected"),
        ("9999-12-31", "expected"),
        ("-5", "expected"),
        ("nan", "expected"),
    ],
)
def test_times_that_would_be_a_guess_are_refused(text: str, says: str) -> None:
    """An hour that clocks showed twice, milliseconds for seconds, dates in an order of their own."""
    with pytest.raises(ValueError, match=says):
        time_ns(text, BERLIN, end=True)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_an_offset_is_exact(moment: datetime, minutes: int) -> None:
    """ISO 8601 with an offset goes to the nanosecond and needs no zone."""
    there = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (there - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert time_ns(there.isoformat(), BERLIN) == expected


@given(st.integers(0, 7_000_000_000), st.integers(0, 999_999_999))
def test_seconds_with_a_fraction_are_exact(seconds: int, fraction: int) -> None:
    """No detour over a float: the last nanosecond counts."""
    assert epoch_ns(f"{seconds}.{fraction:09d}") == seconds * S + fraction


@given(st.text(max_size=40))
def test_a_time_is_read_or_a_value_error(text: str) -> None:
    """Nothing else comes out, whatever goes in."""
    with contextlib.suppress(ValueError):
        time_ns(text, BERLIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1.0.0/16", "10.1.0.0/16"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
        ("::ffff:10.1.0.0/112", "10.1.0.0/16"),
        ("10.1.0.0/255.255.0.0", "10.1.0.0/16"),
        ("fe80::1%eth0", "fe80::1/128"),
    ],
)
def test_prefixes(text: str, expected: str) -> None:
    """One form for each, and a bare address is a prefix of full length."""
    assert clean_prefix(text) == expected


@pytest.mark.parametrize("text", ["10.1.2.3/16", "10.1/16", "010.1.2.3", "10.1.2.3/33", "host", "", "10.1.2.3:80"])
def test_prefixes_that_are_none(text: str) -> None:
    """A host inside its own network is likely a mistake, and is told rather than mended."""
    with pytest.raises(ValueError):
        clean_prefix(text)


def test_an_address_has_one_form() -> None:
    """Mapped, scoped and upper-case forms meet."""
    assert {clean_address("::FFFF:a01:203"), clean_address("10.1.2.3")} == {"10.1.2.3"}
    assert [clean_proto(text) for text in ("6", "TCP", "17", "-", "any", "")] == ["tcp", "tcp", "udp", None, None, None]


@pytest.mark.parametrize(
    "text",
    ["00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e", "001A2B3C4D5E", "0:1a:2b:3c:4d:5e", "001a2b-3c4d5e"],
)
def test_hardware_addresses(text: str) -> None:
    """The usual ways to write one give the same digits, alone or with a network name behind; the last is none."""
    expected = None if text == "001a2b-3c4d5e" else "001a2b3c4d5e"
    assert hardware_in(text) == expected
    assert hardware_in(f"{text}:eduroam") == expected


def test_what_a_relay_adds() -> None:
    """Text stays text; six bytes of a modem are a hardware address; Cisco's circuit id holds the VLAN."""
    found = agent_locators(b"ge-0/0/1:100", b"\x00\x1a\x2b\x3c\x4d\x5e", None, "10.0.0.1", key)
    name = key("001a2b3c4d5e")
    assert found == [
        Locator(AssignmentKind.CIRCUIT, "ge-0/0/1:100"),
        Locator(AssignmentKind.CIRCUIT, f"{name}|ge-0/0/1:100"),
        Locator(AssignmentKind.REMOTE, name),
        Locator(AssignmentKind.RELAY, "10.0.0.1"),
    ]
    cisco = agent_locators(b"\x00\x04\x00\x64\x01\x02", b"\x00\x06\x00\x1a\x2b\x3c\x4d\x5e", None, None, key)
    assert Locator(AssignmentKind.VLAN, "100") in cisco
    assert Locator(AssignmentKind.REMOTE, name) in cisco
    assert agent_locators(None, b"\x00\x1a\x2b\x3c\x4d\x5e", None, None, None) == [], "without a key it is dropped"


def test_an_access_point_meets_its_registry_entry() -> None:
    """Called-Station-Id with a network name, and the access point alone."""
    whole, alone = station_locators("00-1A-2B-3C-4D-5E:eduroam", key)
    assert alone.value == key("001a2b3c4d5e")
    assert whole.value == f"{alone.value}:eduroam"
    assert station_locators("00-1A-2B-3C-4D-5E:eduroam", None) == []
    assert station_locators("lobby", None) == [Locator(AssignmentKind.STATION, "lobby")]


def test_duids() -> None:
    """Link-layer DUIDs hold a hardware address, others do not."""
    assert duid_hardware(bytes.fromhex("000100012c0a0b0c001a2b3c4d5e")) == "001a2b3c4d5e"
    assert duid_hardware(bytes.fromhex("00030001001a2b3c4d5e")) == "001a2b3c4d5e"
    assert duid_hardware(bytes.fromhex("0004" + "00" * 16)) is None
    assert duid_hardware(b"") is None


def test_lines_plain_zipped_and_broken(tmp_path: Path) -> None:
    """Logs are rotated into .gz; what a damaged one still holds is used, and the damage is told."""
    text = "".join(f"line {n}\n" for n in range(1000))
    plain, zipped, broken = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    plain.write_bytes(b"\xef\xbb\xbf" + text.encode())
    zipped.write_bytes(gzip.compress(text.encode()))
    broken.write_bytes(gzip.compress(text.encode())[:-20])
    remarks = Remarks("x")
    assert list(lines_of(plain, remarks)) == list(lines_of(zipped, remarks))
    assert remarks.sentences() == ()
    assert all(line == f"line {row - 1}" for row, line in lines_of(broken, remarks))
    assert "breaks off here" in remarks.sentences()[0]
    with pytest.raises(ValueError, match="cannot be read"):
        list(lines_of(tmp_path / "none", remarks))


def test_a_line_without_end_is_passed_over(tmp_path: Path) -> None:
    """Memory stays bounded, the rows keep their numbers."""
    path = tmp_path / "a"
    path.write_bytes(b"one\n" + b"x" * 5_000_000 + b"\nthree\n")
    remarks = Remarks("a")
    assert list(lines_of(path, remarks)) == [(1, "one"), (3, "three")]
    assert remarks.sentences() == ("a row 2: longer than 1048576 bytes, passed over",)


def test_remarks_are_counted_where_there_are_too_many() -> None:
    """A file of nothing but damage does not fill the memory with sentences."""
    remarks = Remarks("a")
    for row in range(1, MAX_REMARKS + 6):
        remarks.row(row, "bad")
        remarks.count("leases", row)
    sentences = remarks.sentences()
    assert len(sentences) == MAX_REMARKS + 2
    assert sentences[-2:] == ("a: 5 more rows could not be read", f"a: {MAX_REMARKS + 5} leases (first: row 1)")


rows = st.lists(
    st.tuples(st.sampled_from(["x", "y"]), st.integers(0, 30), st.integers(1, 15)), max_size=12
)  # fmt: skip


@given(rows)
def test_the_last_word_counts_at_each_instant(said: list[tuple[str, int, int]]) -> None:
    """At each instant the client of the last row that covers it is among those told, and nobody who never said so."""
    stretches = Stretches()
    for row, (client, start, length) in enumerate(said):
        stretches.add("10.0.0.1/32", client, start, start + length, (), row)
    told = stretches.close()
    for t in range(50):
        here = {one.client for one in told if one.start <= t < (one.end or t + 1)}
        claims = [client for client, start, length in said if start <= t < start + length]
        assert here <= set(claims)
        last_row = max((n for n, (_, start, _) in enumerate(said) if start <= t), default=None)
        if last_row is not None and all(start <= said[last_row][1] for _, start, _ in said[:last_row]):
            client, start, length = said[last_row]
            rest = said[last_row + 1 :]
            if start <= t < start + length and all(later > t for _, later, _ in rest):
                assert client in here


def test_lines_cost_is_linear(tmp_path: Path) -> None:
    """Two hundred thousand lines in well under a second per reader's loop."""
    path = tmp_path / "a"
    path.write_text("x\n" * 200_000, encoding="utf-8")
    began = time.process_time()
    assert sum(1 for _ in lines_of(path, Remarks("a"))) == 200_000
    assert time.process_time() - began < 3
