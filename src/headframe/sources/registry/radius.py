r"""RADIUS accounting as FreeRADIUS writes it to `detail` files: which address was served at which port, and when.

A record is a line with the server's local time, then indented ``Attribute = value`` lines, then an empty line::

    Fri Nov 20 08:00:24 2026
            Acct-Status-Type = Start
            Acct-Session-Id = "00000A31"
            NAS-IP-Address = 192.0.2.17
            NAS-Port-Id = "ge-0/0/1:100"
            Framed-IP-Address = 10.1.2.3
            Delegated-IPv6-Prefix = 2001:db8:7::/48
            Event-Timestamp = "Nov 20 2026 08:00:24 UTC"
            Timestamp = 1795161624

**Only the attributes in `_READ` are looked at.** `User-Name`, `Chargeable-User-Identity`, `Class`,
`Calling-Station-Id` where it is no hardware address (it may be a telephone number), and all others are never stored,
not even as a hash: nothing here is joined by them. A hardware address in `Calling-Station-Id` or `Called-Station-Id`
becomes a keyed pseudonym, and is dropped without a key.

A session that has no Stop counts to its last message, no longer. An address that is first named in the middle of a
session counts from there; one that is named in the first message that was seen counts from the beginning that
`Acct-Session-Time` tells.

References
----------
.. [1] RFC 2866, "RADIUS Accounting", section 5.
.. [2] RFC 2869, "RADIUS Extensions", sections 5.3 (Event-Timestamp) and 5.17 (NAS-Port-Id).
.. [3] RFC 3162 (Framed-IPv6-Prefix), RFC 4818 (Delegated-IPv6-Prefix), RFC 4679 (Agent-Circuit-Id).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from headframe.records.site import AssignmentKind, Lease, Locator, Origin, SourceRow
from headframe.sources.registry.values import (
    MONTHS,
    LeaseLog,
    Pseudonym,
    Remarks,
    agent_locators,
    clean_address,
    clean_prefix,
    epoch_ns,
    hardware_pseudonym,
    lines_of,
    local_ns,
    station_locators,
    without_hardware,
)

_ADDRESSES = (
    "framed-ip-address", "framed-ipv6-address", "framed-ipv6-prefix", "delegated-ipv6-prefix",
)  # fmt: skip
_READ = frozenset(
    (
        *_ADDRESSES,
        "acct-status-type", "acct-session-id", "acct-unique-session-id", "acct-session-time", "acct-delay-time",
        "event-timestamp", "timestamp",
        "nas-ip-address", "nas-ipv6-address", "nas-identifier", "nas-port", "nas-port-id",
        "called-station-id", "calling-station-id", "tunnel-private-group-id",
        "adsl-agent-circuit-id", "adsl-agent-remote-id", "agent-circuit-id", "agent-remote-id",
    )
)  # fmt: skip
"""Every attribute that is looked at. No name of a person is among them, and none may be added."""
_ATTRIBUTE = re.compile(r"\s*([A-Za-z0-9-]{1,64})(?::\d{1,3})?\s*(?::|\+|-)?=\s*(.*?)\s*\Z")
_EVENT_TIME = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) +(\d{4}) +(\d{2}):(\d{2}):(\d{2}) (UTC|GMT)\Z")
_STATES = {
    "start": "start", "1": "start", "stop": "stop", "2": "stop", "interim-update": "interim", "alive": "interim",
    "3": "interim", "accounting-on": "on", "7": "on", "accounting-off": "off", "8": "off",
}  # fmt: skip
_MAX_ATTRIBUTES = 2000
"""Of one record. A RADIUS packet has at most 4096 octets, two for the shortest attribute (RFC 2865, section 3)."""
_DAY_NS = 86_400_000_000_000


@dataclass(slots=True)
class _Held:
    """One address of a session, with its first and its last mention."""

    first_ns: int
    last_ns: int
    row: int
    locators: dict[Locator, None]
    from_start: bool


@dataclass(slots=True)
class _Session:
    started_ns: int
    last_ns: int
    stopped: bool = False
    held: dict[tuple[str, str], _Held] = field(default_factory=dict)


def read_radius_detail(path: Path, *, realm: str = "", pseudonym: Pseudonym | None = None) -> LeaseLog:
    """Stretches of time in which addresses were served, and at which port of which server.

    Parameters
    ----------
    path : Path
        A detail file, plain or gzip.
    realm : str
        Network in which the addresses are meant, where private addresses are used more than once.
    pseudonym : callable, optional
        Keyed hash for hardware addresses; without it they are dropped.

    Returns
    -------
    LeaseLog

    Raises
    ------
    ValueError
        If the file cannot be opened.
    """
    remarks = Remarks(path.name)
    sessions: dict[tuple[str, str], _Session] = {}
    for row, said in _records(path, remarks):
        try:
            _take(said, row, sessions, remarks, pseudonym)
        except ValueError as fault:
            remarks.row(row, fault)
    leases = []
    for session in sessions.values():
        rows = [held.row for held in session.held.values()]
        if not session.stopped and rows:
            remarks.count("sessions have no Stop; they count to their last message", min(rows))
        for (_, prefix), held in session.held.items():
            start = min(session.started_ns, held.first_ns) if held.from_start else held.first_ns
            leases.append(
                Lease(
                    prefix=prefix,
                    started_ns=start,
                    # One message shows that the address was served at that instant, and no more.
                    ended_ns=max(held.last_ns, start + 1),
                    locators=tuple(held.locators),
                    origin=Origin.RADIUS,
                    realm=realm,
                    source=SourceRow(path.name, held.row),
                )
            )
    return LeaseLog(leases=tuple(sorted(leases, key=lambda s: (s.source.row, s.prefix))), remarks=remarks.sentences())


def _records(path: Path, remarks: Remarks) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """Records as lower-case attribute to values, with the row that each begins in."""
    said: dict[str, list[str]] = {}
    begun = count = 0
    for row, line in lines_of(path, remarks):
        stripped = line.strip()
        if not stripped or (line[:1] not in " \t" and "=" not in line):
            if said:
                yield begun, said
            said, count = {}, 0
            begun = row
            continue
        found = _ATTRIBUTE.match(line)
        if not found:
            remarks.row(row, "no attribute = value")
            continue
        if not said:
            begun = begun or row
        count += 1
        name = found[1].lower()
        if name in _READ and count <= _MAX_ATTRIBUTES:
            value = found[2]
            if len(value) >= 2 and value[0] == value[-1] == '"':
                value = value[1:-1]
            said.setdefault(name, []).append(value)
        elif count == _MAX_ATTRIBUTES + 1:
            remarks.row(row, f"a record of more than {_MAX_ATTRIBUTES} attributes, the rest is not read")
    if said:
        yield begun, said


def _take(
    said: dict[str, list[str]],
    row: int,
    sessions: dict[tuple[str, str], _Session],
    remarks: Remarks,
    pseudonym: Pseudonym | None,
) -> None:
    def first(name: str) -> str:
        return said[name][0] if name in said else ""

    state = _STATES.get(first("acct-status-type").lower())
    if state is None:
        raise ValueError(
            f"Acct-Status-Type is {first('acct-status-type')[:40]!r}; expected Start, Interim-Update or Stop"
        )
    now = _when(first("event-timestamp"), first("timestamp"), first("acct-delay-time"))
    server = first("nas-ip-address") or first("nas-ipv6-address")
    server = clean_address(server) if server else without_hardware(first("nas-identifier"), pseudonym) or ""
    if state in ("on", "off"):
        return  # the server was started or stopped: its sessions count to their last message anyway
    session_id = first("acct-unique-session-id") or first("acct-session-id")
    if not session_id:
        raise ValueError("a record without Acct-Session-Id")
    elapsed_s = _whole(first("acct-session-time") or "0", "Acct-Session-Time")
    begun = max(now - elapsed_s * 1_000_000_000, 0)
    key = (server, session_id)
    session = sessions.get(key)
    known = session is not None
    if session is None:
        session = sessions[key] = _Session(begun, now)
    session.started_ns = min(session.started_ns, begun)
    session.last_ns = max(session.last_ns, now)
    session.stopped |= state == "stop"
    locators = _locators(first, server, pseudonym)
    for name in _ADDRESSES:
        for text in said.get(name, ()):
            try:
                prefix = clean_prefix(text)
            except ValueError as fault:
                remarks.row(row, f"{name}: {fault}")
                continue
            if prefix in ("0.0.0.0/32", "255.255.255.255/32", "255.255.255.254/32"):
                continue  # "the server shall choose", RFC 2865, section 5.8; none is known yet
            held = session.held.get((name, prefix))
            if held is None:
                earlier = any(kind == name for kind, _ in session.held)
                session.held[name, prefix] = _Held(now, now, row, dict.fromkeys(locators), not known and not earlier)
            else:
                held.first_ns, held.last_ns = min(held.first_ns, now), max(held.last_ns, now)
                held.row = row
                held.locators.update(dict.fromkeys(locators))


def _when(event: str, stamp: str, delay: str) -> int:
    """When it happened: the access server's own time, or the accounting server's less the delay that it was told of.

    A zone in letters (`CET`, `IST`) means different things in different countries, so only UTC is taken from a text.
    """
    heard = None
    if stamp:
        heard = max(epoch_ns(stamp) - _whole(delay or "0", "Acct-Delay-Time") * 1_000_000_000, 0)
    told = None
    if event.isascii() and event.isdigit():
        told = epoch_ns(event)
    elif found := _EVENT_TIME.match(event):
        if found[1] not in MONTHS:
            raise ValueError(f"Event-Timestamp is {event!r}")
        day, year, hour, minute, second = (int(found[n]) for n in (2, 3, 4, 5, 6))
        told = local_ns(datetime(year, MONTHS[found[1]], day, hour, minute, second, tzinfo=UTC), UTC)
    if told is None and heard is None:
        raise ValueError("no time that is certain: neither Timestamp nor an Event-Timestamp in UTC")
    if told is not None and heard is not None and abs(told - heard) > _DAY_NS:
        raise ValueError("Event-Timestamp and Timestamp differ by more than a day; not used")
    return told if told is not None else heard  # type: ignore[return-value]


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValueError(f"{name} is {text[:20]!r}; expected a whole number of seconds")
    return int(text)


def _locators(first: Callable[[str], str], server: str, pseudonym: Pseudonym | None) -> list[Locator]:
    found: list[Locator] = []
    if server:
        for name in ("nas-port-id", "nas-port"):
            port = without_hardware(first(name), pseudonym)
            if port:
                found.append(Locator(AssignmentKind.NAS_PORT, f"{server}|{port}"))
    found += station_locators(first("called-station-id"), pseudonym)
    if hardware := hardware_pseudonym(first("calling-station-id"), pseudonym):
        found.append(Locator(AssignmentKind.HARDWARE, hardware))
    circuit = first("adsl-agent-circuit-id") or first("agent-circuit-id")
    remote = first("adsl-agent-remote-id") or first("agent-remote-id")
    group = first("tunnel-private-group-id")
    vlan = group if group.isascii() and group.isdigit() and len(group) <= 4 else None
    found += agent_locators(_octets(circuit), _octets(remote), vlan, None, pseudonym)
    if server:
        found.append(Locator(AssignmentKind.NAS, server))
    return list(dict.fromkeys(found))


def _octets(text: str) -> bytes | None:
    """The octets of an attribute: FreeRADIUS prints those that are no text as ``0x`` and hexadecimal digits."""
    if text.startswith("0x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            return None
    return text.encode() or None
