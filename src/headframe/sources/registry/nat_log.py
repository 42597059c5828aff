r"""Logs of address translation: which inside address an outside address and port stood for, and when.

Forms, told apart line by line, so that a file of a log collector may hold several:

**A table** (CSV with a header; times as days, ISO 8601 or seconds since 1970; empty ports mean all, an empty end is
open)::

    time_start,time_end,inside_address,outside_address,port_from,port_to,proto
    2026-11-20T08:00:00Z,2026-11-20T09:00:00Z,100.64.1.2,203.0.113.5,1024,2047,tcp

Optional: ``inside_port``, ``peer_address``, ``peer_port``, ``realm``. A NAT that computes its ports (RFC 7422) keeps
no log; write what it computes as such a table.

**netfilter**, ``conntrack -E -o timestamp[,id]``: the first tuple is as the inside host sent it, the second as the
answer comes back, so its destination is the outside address and port::

    [1795161600.25]     [NEW] tcp 6 120 SYN_SENT src=10.1.2.3 dst=198.51.100.9 sport=50000 dport=3333 [UNREPLIED]
        src=198.51.100.9 dst=203.0.113.5 sport=3333 dport=61000      (one line in the file)

**Junos, blocks of ports** (`(A|J)SERVICES` and relatives)::

    Nov 20 08:00:00 mx1 (FPC Slot 2, PIC Slot 0) 2026-11-20 08:00:00
        [nat]:ASP_NAT_PORT_BLOCK_ALLOC: 100.64.1.2 -> 203.0.113.5:1024-1151        (one line in the file)

also ``_RELEASE`` and ``_ACTIVE``, which may end in the time of allocation, ``0x`` and seconds since 1970.

**Junos, sessions**: ``RT_FLOW_SESSION_CREATE`` and ``_CLOSE`` with structured data (``source-address="..."
nat-source-address="..."``), with an RFC 5424 header. Its ``username`` is not read.

**Cisco IOS XR CGN**: one or more records in brackets, eleven fields::

    1 2026 Nov 20 08:00:00 192.0.2.3 - - NAT44 - [UserbasedA - 100.64.1.2 Broadband - 203.0.113.5 - 1024 1535 - -]

An allocation lasts until its release. Where the release is missing it lasts until the block goes to somebody else or
the log ends, no longer; a release without an allocation reaches back to the beginning of the log. Each is counted in
the remarks.

References
----------
.. [1] conntrack(8), conntrack-tools.
.. [2] Juniper, "Secured Port Block Allocation Interim Logging"; "System Log Error Messages for Next Gen Services".
.. [3] Cisco, "IOS XR Carrier Grade NAT Configuration Guide", release 5.2.x, "External Logging: Syslog Message Format".
.. [4] RFC 7422, "Deterministic Address Mapping to Reduce Logging in Carrier-Grade NAT Deployments".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from headframe.records.site import SourceRow, Translation
from headframe.sources.registry.values import (
    MONTHS,
    Remarks,
    TranslationLog,
    clean_address,
    clean_port,
    clean_proto,
    epoch_ns,
    lines_of,
    local_ns,
    time_ns,
)

_COLUMNS = (
    "time_start", "time_end", "inside_address", "outside_address", "port_from", "port_to", "proto",
    "inside_port", "peer_address", "peer_port", "realm",
)  # fmt: skip
_NEEDED = frozenset(("time_start", "inside_address", "outside_address"))

_CONNTRACK_TIME = re.compile(r"\[(\d{1,12}\.\d{1,9}|\d{1,12})\s*\]")
_CONNTRACK_EVENT = re.compile(r"\[(NEW|DESTROY|UPDATE)\]\s+(\w{1,16})")
_CONNTRACK_FIELD = re.compile(r"\b(src|dst|sport|dport|id)=(\S{1,64})")
_JUNOS_BLOCK = re.compile(
    r"_NAT_PORT_BLOCK_(ALLOC|RELEASE|ACTIVE):\s*([0-9A-Fa-f.:]{2,45}) -> ([0-9A-Fa-f.:]{2,45}):(\d{1,5})-(\d{1,5})"
    r"(?:\s+0x([0-9A-Fa-f]{1,8})\b)?"
)
_JUNOS_FLOW = re.compile(r"RT_FLOW_SESSION_(CREATE|CLOSE)(?:_LS|_USF)?\b")
_JUNOS_FIELD = re.compile(
    r"\b((?:nat-)?source-address|(?:nat-)?source-port|destination-address|destination-port|protocol-id|session-id(?:-32)?)"
    r'="([^"]{1,64})"'
)
_CISCO = re.compile(
    r"\[(Userbased|Sessionbased)(A|W|AD|WD)((?: +[^\s\[\]]{1,64}){10})\s*\]"
)  # EventName L4 inside VRF inside6 outside inside-port first last destination destination-port
_ISO = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})?")
_CISCO_TIME = re.compile(r"(?<!\d)(\d{4}) ([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2})")
_BSD_TIME = re.compile(r"^(?:<\d{1,3}>)?([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class _Event:
    """One line, understood: a mapping begins, is confirmed, or ends."""

    what: str  # "begin", "alive", "end"
    key: tuple[object, ...]
    inside: str
    outside: str
    port_from: int
    port_to: int
    inside_port: int | None = None
    proto: str | None = None
    peer: tuple[str, int | None] | None = None
    vrf: str = ""
    since_ns: int | None = None


@dataclass(slots=True)
class _Held:
    event: _Event
    started_ns: int
    row: int


class _Clock:
    """The time of a line. A log without years needs to be told the year of its first line; it may run into the next."""

    def __init__(self, zone: tzinfo, year: int | None) -> None:
        self.zone = zone
        self.year = year
        self.month = 0

    def of(self, line: str) -> int:
        """Instant of a log line. [ns since 1970-01-01 UTC]"""
        if found := _CONNTRACK_TIME.match(line.lstrip()):
            return epoch_ns(found[1])
        if found := _ISO.search(line):
            moment = datetime.fromisoformat(found[0])
            # Inside a Junos message the time of the services card stands in UTC, whatever the syslog header says.
            plain_utc = moment.tzinfo is None and found[0][10] == " "
            return local_ns(moment.replace(tzinfo=UTC) if plain_utc else moment, self.zone)
        if found := _CISCO_TIME.search(line):
            return self._reckoned(int(found[1]), *found.groups()[1:])
        if found := _BSD_TIME.match(line):
            if self.year is None:
                raise ValueError("the time has no year; say which year the log begins in")
            month = MONTHS.get(found[1], 0)
            if self.month == 12 and month == 1:
                self.year += 1
            self.month = month
            return self._reckoned(self.year, *found.groups())
        raise ValueError("no time in the line (conntrack writes one with -o timestamp)")

    def _reckoned(self, year: int, *parts: str) -> int:
        if parts[0] not in MONTHS:
            raise ValueError(f"unknown month {parts[0]!r}")
        day, hour, minute, second = (int(part) for part in parts[1:])
        return local_ns(datetime(year, MONTHS[parts[0]], day, hour, minute, second), self.zone)


def read_nat_log(
    path: Path, *, realm: str | None = None, zone: tzinfo = UTC, year: int | None = None
) -> TranslationLog:
    """Translations of a log in any of the forms above.

    Parameters
    ----------
    path : Path
        The file, plain or gzip.
    realm : str, optional
        Name of the network behind this NAT, for registries in which inside addresses are used more than once. Without
        it the routing instance counts that a line names (Cisco), or nothing.
    zone : datetime.tzinfo
        For times without an offset. A time that clocks showed twice, or never, is refused.
    year : int, optional
        The year of the first line, for syslog headers without one.

    Returns
    -------
    TranslationLog
        Translations in order of their rows; a remark for each line that could not be read.

    Raises
    ------
    ValueError
        If the file cannot be opened.
    """
    remarks = Remarks(path.name)
    found: list[Translation] = []
    book = _Book(path.name, realm, remarks)
    clock = _Clock(zone, year)
    header: list[str] | None = None
    for row, line in lines_of(path, remarks):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if header is None and "inside_address" in line and "outside_address" in line:
                header = _header(line, row, remarks)
            elif header is not None and "_NAT_PORT_BLOCK_" not in line and not line.startswith("["):
                found.append(_table_row(line, header, zone, SourceRow(path.name, row), realm))
            else:
                _log_line(line, row, clock, book, remarks)
        except ValueError as fault:
            remarks.row(row, fault)
    found += book.close()
    return TranslationLog(translations=tuple(sorted(found, key=lambda t: t.source.row)), remarks=remarks.sentences())


def _log_line(line: str, row: int, clock: _Clock, book: _Book, remarks: Remarks) -> None:
    events = list(_events(line))
    if not events:
        if "[UPDATE]" not in line:
            # Without the line: what is not understood may hold a name.
            remarks.row(row, "no form of NAT log that is known")
        return
    now = clock.of(line)
    for event in events:
        if event.inside == event.outside:
            remarks.count("lines are of connections that were not translated", row)
        else:
            book.take(event, now, row)


def _header(line: str, row: int, remarks: Remarks) -> list[str]:
    try:
        header = [name.strip().lower() for name in next(csv.reader([line]), [])]
    except csv.Error as fault:
        raise ValueError(f"the header is no row of a table: {fault}") from None
    if not set(header) >= _NEEDED:
        raise ValueError(f"the header lacks {', '.join(sorted(_NEEDED - set(header)))}")
    if unknown := [name for name in header if name not in _COLUMNS]:
        remarks.row(row, f"columns that are not read: {', '.join(unknown)[:200]}; known are {', '.join(_COLUMNS)}")
    return header


def _table_row(line: str, header: list[str], zone: tzinfo, source: SourceRow, realm: str | None) -> Translation:
    try:
        fields = next(csv.reader([line], strict=True), [])
    except csv.Error as fault:
        raise ValueError(f"{fault}; is a quotation mark left open?") from None
    if len(fields) != len(header):
        raise ValueError(f"{len(fields)} fields where the header has {len(header)}")
    said = {name: field.strip() for name, field in zip(header, fields, strict=True)}
    started = time_ns(said["time_start"], zone)
    ended = time_ns(said.get("time_end", ""), zone, end=True)
    if started is not None and ended is not None and ended < started:
        raise ValueError("time_end is before time_start")
    first = clean_port(said["port_from"]) if said.get("port_from") else 0
    last = clean_port(said["port_to"]) if said.get("port_to") else (first if said.get("port_from") else 65535)
    if last < first:
        raise ValueError(f"port_to {last} is less than port_from {first}")
    return Translation(
        outside_address=clean_address(said["outside_address"]),
        inside_address=clean_address(said["inside_address"]),
        port_from=first,
        port_to=last,
        inside_port=clean_port(said["inside_port"]) if said.get("inside_port") else None,
        proto=clean_proto(said.get("proto", "")),
        peer_address=clean_address(said["peer_address"]) if said.get("peer_address") else None,
        peer_port=clean_port(said["peer_port"]) if said.get("peer_port") else None,
        realm=said.get("realm") or realm or "",
        started_ns=started,
        ended_ns=ended,
        source=source,
    )


def _events(line: str) -> Iterator[_Event]:
    """What a line says, without its time."""
    if found := _CONNTRACK_EVENT.search(line):
        if found[1] != "UPDATE":
            yield _conntrack(line, "begin" if found[1] == "NEW" else "end", found[2])
    elif found := _JUNOS_BLOCK.search(line):
        what = {"ALLOC": "begin", "ACTIVE": "alive", "RELEASE": "end"}[found[1]]
        yield _block(
            what,
            found[2],
            found[3],
            found[4],
            found[5],
            since_ns=epoch_ns(str(int(found[6], 16))) if found[6] else None,
        )
    elif found := _JUNOS_FLOW.search(line):
        yield _junos_flow(line, "begin" if found[1] == "CREATE" else "end")
    else:
        for found in _CISCO.finditer(line):
            yield _cisco(found)


def _conntrack(line: str, what: str, proto: str) -> _Event:
    fields = _CONNTRACK_FIELD.findall(line)
    tuples: list[dict[str, str]] = []
    identity = ""
    for name, value in fields:
        if name == "id":
            identity = value
        elif name == "src":
            tuples.append({name: value})
        elif tuples:
            tuples[-1].setdefault(name, value)
    if len(tuples) < 2 or not all("dst" in one for one in tuples[:2]):
        raise ValueError("expected two tuples of src= and dst=")
    sent, back = tuples[:2]
    inside, outside = clean_address(sent["src"]), clean_address(back["dst"])
    peer_port = clean_port(sent["dport"]) if "dport" in sent else None
    if "dport" in back:
        first = last = clean_port(back["dport"])
    else:
        first, last = 0, 65535  # ICMP and others without ports
    key = (proto, inside, sent.get("sport"), clean_address(sent["dst"]), peer_port, outside, first, identity)
    return _Event(
        what, key, inside, outside, first, last,
        inside_port=clean_port(sent["sport"]) if "sport" in sent else None,
        proto=clean_proto(proto),
        peer=(clean_address(sent["dst"]), peer_port),
    )  # fmt: skip


def _block(
    what: str, inside: str, outside: str, first: str, last: str, vrf: str = "", since_ns: int | None = None
) -> _Event:
    start, stop = clean_port(first), clean_port(last)
    if stop < start:
        raise ValueError(f"ports {start} to {stop} run backwards")
    outside = clean_address(outside)
    return _Event(
        what, ("block", outside, start, stop), clean_address(inside), outside, start, stop, vrf=vrf, since_ns=since_ns
    )


def _junos_flow(line: str, what: str) -> _Event:
    said = dict(_JUNOS_FIELD.findall(line))
    try:
        inside, outside = clean_address(said["source-address"]), clean_address(said["nat-source-address"])
        port = clean_port(said["nat-source-port"])
        peer = (clean_address(said["destination-address"]), clean_port(said["destination-port"]))
        inside_port = clean_port(said["source-port"])
    except KeyError as fault:
        raise ValueError(f"a session without {fault.args[0]}; is it structured data?") from None
    proto = clean_proto(said.get("protocol-id", ""))
    session = said.get("session-id-32") or said.get("session-id") or ""
    key = ("flow", proto, inside, inside_port, peer, outside, port, session)
    return _Event(what, key, inside, outside, port, port, inside_port=inside_port, proto=proto, peer=peer)


def _cisco(found: re.Match[str]) -> _Event:
    proto, inside, vrf, inside6, outside, inside_port, first, last, peer, peer_port = found[3].split()
    what = "begin" if found[2].startswith("A") else "end"
    # With DS-Lite every household has the same inside IPv4 addresses; the IPv6 address of its tunnel tells them apart.
    inside = inside6 if inside6 != "-" else inside
    event = _block(what, inside, outside, first, last if last != "-" else first, vrf="" if vrf == "-" else vrf)
    if found[1] == "Userbased":
        return event
    named = clean_proto(proto)
    to = (clean_address(peer), clean_port(peer_port) if peer_port != "-" else None) if peer != "-" else None
    return _Event(
        what, ("session", named, event.inside, inside_port, *event.key, to), event.inside, event.outside,
        event.port_from, event.port_to,
        inside_port=clean_port(inside_port) if inside_port != "-" else None, proto=named, peer=to, vrf=event.vrf,
    )  # fmt: skip


class _Book:
    """Who holds which mapping, from event to event."""

    def __init__(self, file: str, realm: str | None, remarks: Remarks) -> None:
        self.file = file
        self.realm = realm
        self.remarks = remarks
        self.held: dict[tuple[object, ...], _Held] = {}
        self.released: dict[tuple[object, ...], int] = {}
        self.done: list[Translation] = []
        self.first_ns: int | None = None
        self.last_ns = 0

    def take(self, event: _Event, now: int, row: int) -> None:
        """Take in one event."""
        self.first_ns = now if self.first_ns is None else min(self.first_ns, now)
        self.last_ns = max(self.last_ns, now)
        holder = self.held.get(event.key)
        same = holder is not None and (holder.event.inside, holder.event.vrf) == (event.inside, event.vrf)
        if event.what == "end":
            if holder is None:
                self._unseen(event, now, row)
            elif same:
                self._finish(holder, now)
                del self.held[event.key]
            else:
                self.remarks.row(row, f"released by {event.inside}, but {holder.event.inside} held it; not used")
                return
            if event.key[0] == "block":  # single sessions do not come back under the same key
                self.released[event.key] = now
            return
        if same:
            return  # interim message, or written twice
        if holder is not None:
            self.remarks.count("mappings went to another inside address without a release; they end there", row)
            self._finish(holder, now)
            self.released[event.key] = now
        begun = now
        if event.what == "alive":
            begun = self._before(event, now)
        self.held[event.key] = _Held(event, begun, row)

    def _before(self, event: _Event, now: int) -> int:
        """Since when a mapping stood whose beginning was not seen."""
        if event.since_ns is not None and event.since_ns <= now:
            return event.since_ns
        return max(self.first_ns or now, self.released.get(event.key, 0))

    def _unseen(self, event: _Event, now: int, row: int) -> None:
        self.remarks.count("releases have no allocation in this log; they count from its beginning", row)
        self._finish(_Held(event, self._before(event, now), row), now)

    def _finish(self, held: _Held, end: int) -> None:
        if end <= held.started_ns:
            if end < held.started_ns:
                self.remarks.row(held.row, "ends before it begins: the clock went back; not used")
                return
            end = held.started_ns + 1  # begun and ended in one tick of the clock
        event = held.event
        self.done.append(
            Translation(
                outside_address=event.outside,
                inside_address=event.inside,
                port_from=event.port_from,
                port_to=event.port_to,
                inside_port=event.inside_port,
                proto=event.proto,
                peer_address=event.peer[0] if event.peer else None,
                peer_port=event.peer[1] if event.peer else None,
                realm=self.realm if self.realm is not None else event.vrf,
                started_ns=held.started_ns,
                ended_ns=end,
                source=SourceRow(self.file, held.row),
            )
        )

    def close(self) -> list[Translation]:
        """End what is still held at the end of the log: later than that nothing is known."""
        for held in self.held.values():
            self.remarks.count("mappings have no release in this log; they count to its end", held.row)
            self._finish(held, max(self.last_ns, held.started_ns))
        return self.done
