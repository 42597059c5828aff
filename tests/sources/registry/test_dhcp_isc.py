"""`dhcpd.leases`: what dhcpd writes, what it leaves behind when it dies, and what must never come out of it."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.site import AssignmentKind, Locator
from headframe.sources.registry import LeaseLog, read_isc_leases
from tests.sources.registry.mangle import anything, key

S = 1_000_000_000


def at(hour: int, minute: int = 0) -> int:
    return int(datetime(2026, 11, 20, hour, minute, tzinfo=UTC).timestamp()) * S


def entry(
    address: str, start: str, end: str, state: str = "active", mac: str = "00:1a:2b:3c:4d:5e", more: str = ""
) -> str:
    return (
        f"lease {address} {{\n  starts 5 2026/11/20 {start};\n  ends {end};\n  cltt 5 2026/11/20 {start};\n"
        f"  binding state {state};\n  next binding state free;\n  hardware ethernet {mac};\n"
        f'  uid "\\001\\000\\032+<M^";\n  client-hostname "annas-laptop";\n{more}}}\n'
    )


def day(clock: str) -> str:
    return f"5 2026/11/20 {clock}"


def read(tmp_path: Path, text: str, **more: object) -> LeaseLog:
    path = tmp_path / "dhcpd.leases"
    path.write_text(text, encoding="utf-8")
    return read_isc_leases(path, pseudonym=key, **more)  # type: ignore[arg-type]


def spans(log: LeaseLog) -> list[tuple[str, int, int | None]]:
    return [(lease.prefix, lease.started_ns, lease.ended_ns) for lease in log.leases]


def test_a_lease_with_its_place(tmp_path: Path) -> None:
    """Times are UTC, the relay's words and the keyed hardware address are the places; row and file are kept."""
    more = '  option agent.circuit-id "ge-0/0/1";\n  option agent.remote-id 0:1a:2b:3c:4d:5f;\n  set vlan = "100";\n'
    text = '# a comment { "\nauthoring-byte-order little-endian;\n' + entry(
        "10.1.2.3", "08:00:00", day("20:00:00"), more=more
    )
    log = read(tmp_path, text, realm="north")
    (lease,) = log.leases
    assert (lease.prefix, lease.started_ns, lease.ended_ns, lease.realm) == ("10.1.2.3/32", at(8), at(20), "north")
    assert str(lease.source) == "dhcpd.leases row 3"
    switch = key("001a2b3c4d5f")
    assert lease.locators == (
        Locator(AssignmentKind.CIRCUIT, "ge-0/0/1"),
        Locator(AssignmentKind.CIRCUIT, f"{switch}|ge-0/0/1"),
        Locator(AssignmentKind.REMOTE, switch),
        Locator(AssignmentKind.VLAN, "100"),
        Locator(AssignmentKind.HARDWARE, key("001a2b3c4d5e")),
    )
    assert log.remarks == ()


def test_no_name_and_no_plain_hardware_address_comes_out(tmp_path: Path) -> None:
    """Client host names and identifiers are in no form in the result; without a key there is no pseudonym either."""
    path = tmp_path / "dhcpd.leases"
    path.write_text(
        entry("10.1.2.3", "08:00:00", day("20:00:00"), more='  set ddns-fwd-name = "annas-laptop.example";\n')
    )
    for log in (read_isc_leases(path, pseudonym=key), read_isc_leases(path)):
        shown = repr(log).lower()
        for secret in ("anna", "laptop", "00:1a", "001a2b", "\\x1a", "uid"):
            assert secret not in shown
    assert read_isc_leases(path).leases[0].locators == ()


def test_renewals_are_one_stretch(tmp_path: Path) -> None:
    """Each renewal is written again, with a new start or the old one."""
    text = (
        entry("10.1.2.3", "08:00:00", day("09:00:00"))
        + entry("10.1.2.3", "08:30:00", day("09:30:00"))
        + entry("10.1.2.3", "08:30:00", day("10:30:00"))
        + entry("10.1.2.3", "11:00:00", day("12:00:00"))
    )
    log = read(tmp_path, text)
    assert spans(log) == [("10.1.2.3/32", at(8), at(10, 30)), ("10.1.2.3/32", at(11), at(12))]
    assert log.remarks == ()


def test_a_released_lease_ends_when_it_was_released(tmp_path: Path) -> None:
    """State free with an earlier end; it may be written twice."""
    text = (
        entry("10.1.2.3", "08:00:00", day("20:00:00"))
        + entry("10.1.2.3", "08:00:00", day("09:15:00"), "released")
        + entry("10.1.2.3", "08:00:00", day("09:15:00"), "free")
    )
    assert spans(read(tmp_path, text)) == [("10.1.2.3/32", at(8), at(9, 15))]


def test_a_rewritten_file_still_tells_of_past_leases(tmp_path: Path) -> None:
    """After a rewrite only the last state is there: a free address with the times of its last client."""
    for state in ("free", "expired", "backup", "released", "reset"):
        assert spans(read(tmp_path, entry("10.1.2.3", "08:00:00", day("09:00:00"), state))) == [
            ("10.1.2.3/32", at(8), at(9))
        ]


def test_an_address_given_to_another_client_ends_the_lease_before(tmp_path: Path) -> None:
    """The last declaration counts; that the earlier one did not run its time is a remark."""
    text = entry("10.1.2.3", "08:00:00", day("20:00:00")) + entry(
        "10.1.2.3", "09:00:00", day("21:00:00"), mac="00:1a:2b:00:00:01"
    )
    log = read(tmp_path, text)
    assert spans(log) == [("10.1.2.3/32", at(8), at(9)), ("10.1.2.3/32", at(9), at(21))]
    assert log.remarks == (
        "dhcpd.leases: 1 leases ended early, because the address was given to another client (first: row 11)",
    )


def test_a_clock_that_went_back_leaves_both(tmp_path: Path) -> None:
    """A later row that begins before the one it follows: the overlap is not decided here."""
    text = entry("10.1.2.3", "09:00:00", day("20:00:00")) + entry(
        "10.1.2.3", "08:00:00", day("21:00:00"), mac="00:1a:2b:00:00:01"
    )
    assert spans(read(tmp_path, text)) == [("10.1.2.3/32", at(9), at(20)), ("10.1.2.3/32", at(8), at(21))]


def test_forms_of_time(tmp_path: Path) -> None:
    """`never`, seconds since 1970, and statements in any order on one line."""
    text = (
        "lease 10.1.2.3 { binding state active; ends never; hardware ethernet 0:1a:2b:3c:4d:5e; "
        "starts epoch 1795161600; # c\n}"
        "lease 10.1.2.4 {ends epoch 1795165200;starts epoch 1795161600;binding state active;}"
    )
    assert spans(read(tmp_path, text)) == [
        ("10.1.2.3/32", 1795161600 * S, None),
        ("10.1.2.4/32", 1795161600 * S, 1795165200 * S),
    ]


def test_abandoned_addresses_belong_to_no_client(tmp_path: Path) -> None:
    """Somebody answered on the address without a lease: the stretch before ends there, and no new one begins."""
    text = entry("10.1.2.3", "08:00:00", day("20:00:00")) + entry("10.1.2.3", "09:00:00", day("20:00:00"), "abandoned")
    log = read(tmp_path, text)
    assert spans(log) == [("10.1.2.3/32", at(8), at(9))]
    assert "abandoned" in log.remarks[0]


def test_the_last_declaration_may_be_cut_off(tmp_path: Path) -> None:
    """The server died while it wrote: what is whole is used, the rest is told and not guessed."""
    whole = entry("10.1.2.3", "08:00:00", day("20:00:00"))
    log = read(tmp_path, whole + entry("10.1.2.4", "08:00:00", day("20:00:00"))[:90])
    assert spans(log) == [("10.1.2.3/32", at(8), at(20))]
    assert "cut off by the end of the file" in log.remarks[0]
    inside = read(tmp_path, entry("10.1.2.4", "08:00:00", day("20:00:00"))[:90] + "\n" + whole)
    assert spans(inside) == [("10.1.2.3/32", at(8), at(20))]
    assert "has no end" in inside.remarks[0]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("lease 10.1.2 { starts 5 2026/11/20 08:00:00; ends never; }", "10.1.2"),
        ("lease 10.1.2.3 { starts 5 2026/13/20 08:00:00; ends never; }", "expected weekday"),
        ("lease 10.1.2.3 { starts 5 2026/11/20 08:00:00 -3600; ends never; }", "expected weekday"),
        ("lease 10.1.2.3 { ends never; binding state active; }", "no start"),
        ("lease 10.1.2.3 { starts epoch 5; binding state active; }", "no end"),
        ("lease 10.1.2.3 { starts epoch 5; ends epoch 4; binding state active; }", "ends before it starts"),
        ("lease 10.1.2.3 { starts epoch 5; ends epoch 9; binding state odd; }", "unknown binding state"),
    ],
)
def test_a_bad_declaration_is_told_and_the_next_is_used(tmp_path: Path, broken: str, says: str) -> None:
    """One remark with the row; no other declaration is lost."""
    log = read(tmp_path, broken + "\n" + entry("10.1.2.9", "08:00:00", day("20:00:00")))
    assert [lease.prefix for lease in log.leases] == ["10.1.2.9/32"]
    assert len(log.remarks) == 1
    assert log.remarks[0].startswith("dhcpd.leases row 1: ")
    assert says in log.remarks[0]


def test_dhcpv6(tmp_path: Path) -> None:
    """Addresses and delegated prefixes; the DUID gives the hardware address, as a pseudonym."""
    text = (
        'ia-na "\\001\\000\\000\\000\\000\\003\\000\\001\\000\\032+<M^" {\n  cltt 5 2026/11/20 08:00:00;\n'
        "  iaaddr 2001:db8::7 {\n    binding state active;\n    preferred-life 375;\n    max-life 600;\n"
        "    ends 5 2026/11/20 08:10:00;\n  }\n}\n"
        'ia-pd "\\001\\000\\000\\000\\000\\003\\000\\001\\000\\032+<M^" {\n  cltt 5 2026/11/20 08:00:00;\n'
        "  iaprefix 2001:db8:7::/48 {\n    binding state active;\n    ends never;\n  }\n}\n"
        'host x { hardware ethernet 00:00:00:00:00:01; }\nserver-duid "\\000\\001";\n'
    )
    log = read(tmp_path, text)
    assert spans(log) == [("2001:db8::7/128", at(8), at(8, 10)), ("2001:db8:7::/48", at(8), None)]
    assert log.leases[0].locators == (Locator(AssignmentKind.HARDWARE, key("001a2b3c4d5e")),)
    assert log.remarks == ()


GOOD = (
    entry("10.1.2.3", "08:00:00", day("20:00:00"), more='  option agent.circuit-id "ge\\\\-0\\"";\n')
    + entry("10.1.2.3", "09:00:00", "never", "free")
    + 'ia-na "\\001a" {\n  cltt epoch 5;\n  iaaddr 2001:db8::7 { binding state active; ends epoch 9; }\n}\n'
).encode()


@given(anything(GOOD))
def test_damage_gives_a_remark_or_a_value_error(tmp_path: Path, data: bytes) -> None:
    """Nothing else comes out of a damaged file, and every stretch makes sense."""
    path = tmp_path / "dhcpd.leases"
    path.write_bytes(data)
    try:
        log = read_isc_leases(path, pseudonym=key)
    except ValueError:
        return
    assert all(lease.ended_ns is None or lease.started_ns < lease.ended_ns for lease in log.leases)


@given(st.integers(0, len(GOOD)))
def test_a_file_that_is_cut_anywhere_keeps_its_whole_declarations(tmp_path: Path, cut: int) -> None:
    """What ended before the cut is there."""
    path = tmp_path / "dhcpd.leases"
    path.write_bytes(GOOD[:cut])
    log = read_isc_leases(path)
    first = GOOD.index(b"}\n") + 1
    assert bool(log.leases) == (cut >= first)


@pytest.mark.parametrize("piece", ["{", '"', "lease 10.1.2.3 {", "x ", "}", "lease 10.1.2.3 { a { b { ", '\\"', ";"])
def test_hostile_files_cost_no_more_than_their_length(tmp_path: Path, piece: str) -> None:
    """Nothing nests without bound, and nothing is read twice."""
    path = tmp_path / "dhcpd.leases"
    path.write_text("\n".join([piece * 20] * 20_000), encoding="utf-8")
    began = time.process_time()
    log = read_isc_leases(path)
    assert time.process_time() - began < 10
    assert len(log.remarks) < 1100
