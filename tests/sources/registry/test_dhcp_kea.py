"""Kea's memfile: rows that follow each other, clean-ups that copy them, and what must never come out."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given

from headframe.records.site import AssignmentKind, Locator
from headframe.sources.registry import LeaseLog, read_kea_leases
from tests.sources.registry.mangle import anything, key

S = 1_000_000_000
T = 1_795_161_600
HEAD4 = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id"
HEAD6 = (
    "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,"
    "hwaddr,state,user_context,hwtype,hwaddr_source,pool_id"
)
MAC = "00:1a:2b:3c:4d:5e"


def row4(
    expire: int, life: int = 3600, state: int = 0, mac: str = MAC, address: str = "10.1.2.3", context: str = ""
) -> str:
    return f"{address},{mac},01:{mac},{life},{expire},7,0,0,annas-laptop,{state},{context},0"


def read(tmp_path: Path, *rows: str, head: str = HEAD4) -> LeaseLog:
    path = tmp_path / "leases4.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return read_kea_leases(path, pseudonym=key)


def spans(log: LeaseLog) -> list[tuple[str, int, int | None]]:
    return [(x.prefix, x.started_ns // S - T, None if x.ended_ns is None else x.ended_ns // S - T) for x in log.leases]


def test_a_lease_begins_a_lifetime_before_it_expires(tmp_path: Path) -> None:
    """`expire` less `valid_lifetime`; the subnet and the keyed hardware address are its places."""
    (lease,) = read(tmp_path, row4(T + 3600)).leases
    assert (lease.prefix, lease.started_ns, lease.ended_ns) == ("10.1.2.3/32", T * S, (T + 3600) * S)
    assert str(lease.source) == "leases4.csv row 2"
    assert lease.locators == (
        Locator(AssignmentKind.SUBNET, "7"),
        Locator(AssignmentKind.HARDWARE, key("001a2b3c4d5e")),
    )


def test_no_name_and_no_plain_hardware_address_comes_out(tmp_path: Path) -> None:
    """Host names, client identifiers and DUIDs are not in the result in any form."""
    shown = repr(read(tmp_path, row4(T + 3600))).lower()
    for secret in ("anna", "laptop", "00:1a", "001a2b"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # renewals, the second after the half of the time
        ([row4(T + 3600), row4(T + 5400), row4(T + 9000)], [(0, 9000)]),
        # a gap between two leases
        ([row4(T + 3600), row4(T + 9000)], [(0, 3600), (5400, 9000)]),
        # reclaimed after it expired: the row is written again
        ([row4(T + 3600), row4(T + 3600, state=2)], [(0, 3600)]),
        ([row4(T + 3600), row4(T + 3600, state=2, mac="")], [(0, 3600)]),
        # only the reclaimed row is left after a clean-up
        ([row4(T + 3600, state=2)], [(0, 3600)]),
        # given back, with the time at which it was
        ([row4(T + 3600), row4(T + 900, life=0)], [(0, 900)]),
        ([row4(T + 3600), row4(T + 900, life=0, state=3)], [(0, 900)]),
        # given back, and the row only repeats the last transaction: the planned end stands
        ([row4(T + 3600), row4(T, life=0)], [(0, 3600)]),
        # another client, before the first one's time was over
        ([row4(T + 3600), row4(T + 4600, mac="00:1a:2b:00:00:01")], [(0, 1000), (1000, 4600)]),
        # declined: somebody else sits on it
        ([row4(T + 3600), row4(T + 1000 + 86400, life=86400, state=1, mac="")], [(0, 1000)]),
        ([row4(T + 0xFFFFFFFF, life=0xFFFFFFFF)], [(0, None)]),
    ],
)
def test_rows_that_follow_each_other(tmp_path: Path, rows: list[str], expected: list[tuple[int, int | None]]) -> None:
    """Each row changes what is known of its address from its own time on."""
    assert spans(read(tmp_path, *rows)) == [("10.1.2.3/32", *span) for span in expected]


def test_what_had_to_be_assumed_is_told(tmp_path: Path) -> None:
    """A lease that was given back at an unknown time keeps its planned end, and the reader learns so."""
    assert "not told" in read(tmp_path, row4(T + 3600), row4(T, life=0)).remarks[0]
    assert "declined" in read(tmp_path, row4(T + 3600, state=1)).remarks[0]


def test_a_clean_up_changes_nothing(tmp_path: Path) -> None:
    """Rows that the clean-up copied into an older file are recognised; old files may be zipped."""
    rows = [row4(T + 3600), row4(T + 5400), row4(T + 9000, mac="00:1a:2b:00:00:01", address="10.1.2.4")]
    old, new = tmp_path / "leases4.csv.2", tmp_path / "leases4.csv"
    old.write_bytes(gzip.compress("\n".join([HEAD4, *rows[:2]]).encode()))
    new.write_text("\n".join([HEAD4, *rows[1:]]), encoding="utf-8")
    log = read_kea_leases([old, new])
    assert spans(log) == [("10.1.2.3/32", 0, 5400), ("10.1.2.4/32", 5400, 9000)]
    assert [str(lease.source) for lease in log.leases] == ["leases4.csv row 2", "leases4.csv row 3"]


def test_what_the_relay_added(tmp_path: Path) -> None:
    """Option 82 inside the user context, whose commas are escaped."""
    options = bytes([1, 4]) + b"ge/1" + bytes([2, 6]) + bytes.fromhex("001a2b3c4d5f")
    context = json.dumps({"ISC": {"relay-agent-info": {"sub-options": "0x" + options.hex()}}}).replace(",", "&#x2c")
    (lease,) = read(tmp_path, row4(T + 3600, context=context)).leases
    assert Locator(AssignmentKind.CIRCUIT, "ge/1") in lease.locators
    assert Locator(AssignmentKind.REMOTE, key("001a2b3c4d5f")) in lease.locators


def test_dhcpv6(tmp_path: Path) -> None:
    """Addresses, delegated prefixes, a hardware address from the DUID, the link of the relay."""
    context = json.dumps({"ISC": {"relay-info": [{"link": "2001:db8::1", "remote-id": "0x6c696e653137"}]}}).replace(
        ",", "&#x2c"
    )
    duid = "00:03:00:01:00:1a:2b:3c:4d:5e"
    log = read(
        tmp_path,
        f"2001:db8::7,{duid},600,{T + 600},3,300,0,1,128,0,0,,,0,{context},1,2,0",
        f"2001:db8:7::,{duid},600,{T + 600},3,300,2,1,48,0,0,,,0,,1,2,0",
        head=HEAD6,
    )
    assert spans(log) == [("2001:db8::7/128", 0, 600), ("2001:db8:7::/48", 0, 600)]
    assert log.leases[0].locators == (
        Locator(AssignmentKind.REMOTE, "line17"),
        Locator(AssignmentKind.RELAY, "2001:db8::1"),
        Locator(AssignmentKind.SUBNET, "3"),
        Locator(AssignmentKind.HARDWARE, key("001a2b3c4d5e")),
    )


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("10.1.2,,,3600,1795161600,7,0,0,,0,,0", "10.1.2"),
        ("10.1.2.3,,,x,1795161600,7,0,0,,0,,0", "valid_lifetime is 'x'"),
        ("10.1.2.3,,,3600,soon,7,0,0,,0,,0", "time is 'soon'"),
        ("10.1.2.3,,,3600,1795161600,7,0,0,,9,,0", "unknown state 9"),
        ("10.1.2.3,,,3600,5,7,0,0,,0,,0", "less than valid_lifetime"),
        ("10.1.2.3,,,3600,1795161600,7,0,0,a,b,c,d,e,f", "14 fields"),
        ("10.1.2.3", "valid_lifetime"),
    ],
)
def test_a_bad_row_is_told_and_the_next_is_used(tmp_path: Path, bad: str, says: str) -> None:
    """One remark with its row; a row that was cut off has fewer fields."""
    log = read(tmp_path, bad, row4(T + 3600, address="10.1.2.9"))
    assert [lease.prefix for lease in log.leases] == ["10.1.2.9/32"]
    assert len(log.remarks) == 1
    assert log.remarks[0].startswith("leases4.csv row 2: ")
    assert says in log.remarks[0]


def test_another_file_is_refused(tmp_path: Path) -> None:
    """A file without the header is no lease file, and the message says so."""
    with pytest.raises(ValueError, match="no lease file of Kea"):
        read(tmp_path, head="lease 10.1.2.3 {")
    with pytest.raises(ValueError, match="the header lacks"):
        read(tmp_path, head="address,hwaddr")
    with pytest.raises(ValueError, match="cannot be read"):
        read_kea_leases(tmp_path / "none")


GOOD4 = "\n".join(
    [HEAD4, row4(T + 3600), row4(T + 900, life=0), row4(T + 9000, context='{"ISC":{"relay-agent-info":"0x0102"}}')]
)
GOOD6 = f"{HEAD6}\n2001:db8::7,00:03:00:01:00:1a:2b:3c:4d:5e,600,{T},3,300,2,1,48,0,0,,,0,,1,2,0\n"


@given(anything(GOOD4.encode()) | anything(GOOD6.encode()))
def test_damage_gives_a_remark_or_a_value_error(tmp_path: Path, data: bytes) -> None:
    """Nothing else comes out of a damaged file, and every stretch makes sense."""
    path = tmp_path / "leases.csv"
    path.write_bytes(data)
    try:
        log = read_kea_leases(path, pseudonym=key)
    except ValueError:
        return
    assert all(lease.ended_ns is None or lease.started_ns < lease.ended_ns for lease in log.leases)
