"""RADIUS accounting: sessions become stretches of addresses at ports, and names stay in the file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.site import AssignmentKind, Locator
from headframe.sources.registry import LeaseLog, read_radius_detail
from headframe.sources.registry.radius import _READ
from tests.sources.registry.mangle import anything, key

S = 1_000_000_000
T = int(datetime(2026, 11, 20, 8, tzinfo=UTC).timestamp())


def record(
    state: str, seconds: int, elapsed: int | None = None, address: str | None = "10.1.2.3", **more: object
) -> str:
    said: dict[str, object] = {
        "User-Name": '"anna@example.org"',
        "Chargeable-User-Identity": '"4a6f686e"',
        "Acct-Status-Type": state,
        "Acct-Session-Id": '"00000A31"',
        "NAS-IP-Address": "192.0.2.17",
        "NAS-Port-Id": '"ge-0/0/1:100"',
        "Calling-Station-Id": '"00-1A-2B-3C-4D-5E"',
        "Timestamp": T + seconds,
    }
    if address:
        said["Framed-IP-Address"] = address
    if elapsed is not None:
        said["Acct-Session-Time"] = elapsed
    said |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"\t{name} = {value}\n" for name, value in said.items() if value is not None)
    return f"Fri Nov 20 00:00:00 2026\n{lines}\n"


def read(tmp_path: Path, *records: str) -> LeaseLog:
    path = tmp_path / "detail"
    path.write_text("".join(records), encoding="utf-8")
    return read_radius_detail(path, pseudonym=key)


def spans(log: LeaseLog) -> list[tuple[str, float, float | None]]:
    return [
        (x.prefix, (x.started_ns - T * S) / S, None if x.ended_ns is None else (x.ended_ns - T * S) / S)
        for x in log.leases
    ]


def test_start_to_stop(tmp_path: Path) -> None:
    """A session is a stretch, with its port, its server and the keyed hardware address."""
    log = read(tmp_path, record("Start", 0), record("Interim-Update", 600, 600), record("Stop", 1800, 1800))
    assert spans(log) == [("10.1.2.3/32", 0, 1800)]
    assert log.leases[0].locators == (
        Locator(AssignmentKind.NAS_PORT, "192.0.2.17|ge-0/0/1:100"),
        Locator(AssignmentKind.HARDWARE, key("001a2b3c4d5e")),
        Locator(AssignmentKind.NAS, "192.0.2.17"),
    )
    assert log.remarks == ()


@pytest.mark.parametrize(
    "more",
    [
        {"Calling_Station_Id": '"+15551234567"'},
        {"Calling_Station_Id": '"anna"'},
        {"Class": "0x616e6e61", "User_Name": '"anna"', "Reply_Message": '"hello anna"'},
    ],
)
def test_no_name_comes_out(tmp_path: Path, more: dict[str, object]) -> None:
    """User names, identities and telephone numbers are dropped at reading: not stored, not hashed, not in a remark."""
    good = record("Start", 0, **more) + record("Stop", 60, 60, **more)
    bad = record("Odd", 0, **more) + record("Start", 0, Timestamp=None, **more)
    shown = repr(read(tmp_path, good, bad)).lower()
    for secret in ("anna", "616e6e61", "5551234567", "4a6f686e", "00-1a-2b", "001a2b", key("anna"), key("15551234567")):
        assert secret not in shown


def test_the_list_of_attributes_names_no_person() -> None:
    """Whoever adds an attribute meets this test."""
    assert not {name for name in _READ if "user" in name or "identity" in name or "name" in name or name == "class"}


@pytest.mark.parametrize(
    ("records", "expected", "remark"),
    [
        # the beginning was lost: the Stop says how long it was
        ([record("Stop", 1800, 1800)], [("10.1.2.3/32", 0, 1800)], None),
        ([record("Interim-Update", 600, 600), record("Stop", 1800, 1800)], [("10.1.2.3/32", 0, 1800)], None),
        # the end was lost: no longer than the last message
        ([record("Start", 0), record("Interim-Update", 600, 600)], [("10.1.2.3/32", 0, 600)], "no Stop"),
        # out of order
        ([record("Stop", 1800, 1800), record("Start", 0)], [("10.1.2.3/32", 0, 1800)], None),
        # no address before DHCP has given one
        ([record("Start", 0, address=None), record("Interim-Update", 300, 300), record("Stop", 900, 900)],
         [("10.1.2.3/32", 300, 900)], None),
        ([record("Start", 0, address="255.255.255.254"), record("Stop", 900, 900)],
         [("10.1.2.3/32", 900, 900.000000001)], None),
        # another address in the same session
        ([record("Start", 0), record("Interim-Update", 600, 600), record("Interim-Update", 700, 700, "10.1.2.4"),
          record("Stop", 900, 900, "10.1.2.4")], [("10.1.2.3/32", 0, 600), ("10.1.2.4/32", 700, 900)], None),
        # the delay is taken off
        ([record("Start", 30, Acct_Delay_Time=30), record("Stop", 90, 60, Acct_Delay_Time=30)],
         [("10.1.2.3/32", 0, 60)], None),
        # the access server's own time goes first, in seconds or in UTC
        ([record("Start", 5, Event_Timestamp=T), record("Stop", 65, 60, Event_Timestamp='"Nov 20 2026 08:01:00 UTC"')],
         [("10.1.2.3/32", 0, 60)], None),
        # a zone in letters is not trusted
        ([record("Start", 0, Event_Timestamp='"Nov 20 2026 03:00:00 IST"'), record("Stop", 60, 60)],
         [("10.1.2.3/32", 0, 60)], None),
        ([record("Accounting-On", 0, Acct_Session_Id=None), record("Stop", 60, 60)], [("10.1.2.3/32", 0, 60)], None),
    ],
)  # fmt: skip
def test_what_is_lost_is_not_made_up(
    tmp_path: Path, records: list[str], expected: list[tuple[str, float, float]], remark: str | None
) -> None:
    """A stretch is as long as the messages show."""
    log = read(tmp_path, *records)
    found = [(p, s, e) for p, s, e in spans(log)]
    assert [f[0] for f in found] == [e[0] for e in expected]
    assert [f[1:] for f in found] == [pytest.approx(e[1:], abs=1e-6) for e in expected]
    assert (remark is None and log.remarks == ()) or (remark is not None and remark in log.remarks[0])


def test_ipv6_and_places(tmp_path: Path) -> None:
    """Prefixes for the link and for delegation, a DSL line, an access point with its network, a VLAN."""
    more = {
        "Framed_IPv6_Prefix": "2001:db8:1:2::/64",
        "Delegated_IPv6_Prefix": "2001:db8:7::/48",
        "ADSL_Agent_Circuit_Id": "0x6c696e652037",
        "Called_Station_Id": '"00-1A-2B-3C-4D-5F:eduroam"',
        "Tunnel_Private_Group_Id:0": '"100"',
    }
    log = read(tmp_path, record("Start", 0, **more), record("Stop", 60, 60, **more))
    assert {x.prefix for x in log.leases} == {"10.1.2.3/32", "2001:db8:1:2::/64", "2001:db8:7::/48"}
    places = log.leases[0].locators
    for expected in (
        Locator(AssignmentKind.CIRCUIT, "line 7"),
        Locator(AssignmentKind.STATION, f"{key('001a2b3c4d5f')}:eduroam"),
        Locator(AssignmentKind.STATION, key("001a2b3c4d5f")),
        Locator(AssignmentKind.VLAN, "100"),
    ):
        assert expected in places, expected


def test_sessions_of_two_servers_are_two(tmp_path: Path) -> None:
    """A session identifier is unique within its server only."""
    log = read(
        tmp_path,
        record("Start", 0), record("Start", 10, address="10.1.2.4", NAS_IP_Address="192.0.2.18"),
        record("Stop", 60, 60), record("Stop", 70, 60, address="10.1.2.4", NAS_IP_Address="192.0.2.18"),
    )  # fmt: skip
    assert sorted(spans(log)) == [("10.1.2.3/32", 0, 60), ("10.1.2.4/32", 10, 70)]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (record("Odd", 0), "Acct-Status-Type is 'Odd'"),
        (record("Start", 0, Acct_Session_Id=None), "without Acct-Session-Id"),
        (record("Start", 0, Timestamp=None), "no time that is certain"),
        (record("Start", 0, Timestamp=None, Event_Timestamp='"Nov 20 2026 03:00:00 IST"'), "no time that is certain"),
        (record("Start", 0, Event_Timestamp=T - 90_000), "differ by more than a day"),
        (record("Start", 0, address="10.1.2"), "10.1.2"),
        (record("Start", 0, 60, Acct_Session_Time="long"), "whole number of seconds"),
    ],
)
def test_a_bad_record_is_told_and_the_next_is_used(tmp_path: Path, bad: str, says: str) -> None:
    """One remark with its row."""
    log = read(tmp_path, bad, record("Stop", 60, 60, address="10.1.2.9", Acct_Session_Id='"B"'))
    assert [x.prefix for x in log.leases] == ["10.1.2.9/32"]
    assert log.remarks[0].startswith("detail row 1: ")
    assert says in log.remarks[0]


messages = st.lists(
    st.tuples(
        st.sampled_from(["Start", "Interim-Update", "Stop"]), st.integers(0, 50),
        st.sampled_from(["10.0.0.1", "10.0.0.2", None]),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@given(messages)
def test_no_stretch_goes_beyond_its_messages(tmp_path: Path, said: list[tuple[str, int, str | None]]) -> None:
    """In any order, each address holds from a message to a message, within the session."""
    log = read(tmp_path, *(record(state, n, n, address) for state, n, address in said))
    last = {address: max(n for _, n, a in said if a == address) for _, _, address in said if address}
    for lease in log.leases:
        address = lease.prefix.removesuffix("/32")
        assert lease.started_ns >= T * S
        assert lease.ended_ns is not None
        assert lease.ended_ns <= max(T + last[address], lease.started_ns // S) * S + 1
    assert {lease.prefix.removesuffix("/32") for lease in log.leases} == set(last)


GOOD = (record("Start", 0) + record("Stop", 60, 60, Delegated_IPv6_Prefix="2001:db8::/48")).encode()


@given(anything(GOOD))
def test_damage_gives_a_remark_or_a_value_error(tmp_path: Path, data: bytes) -> None:
    """Nothing else comes out of a damaged file, and every stretch makes sense."""
    path = tmp_path / "detail"
    path.write_bytes(data)
    try:
        log = read_radius_detail(path, pseudonym=key)
    except ValueError:
        return
    assert all(x.ended_ns is not None and 0 <= x.started_ns < x.ended_ns for x in log.leases)
