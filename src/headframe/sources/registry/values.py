"""What the readers of this folder share: lines, remarks, times, addresses, and the pseudonyms of hardware addresses."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import BinaryIO

from headframe.records.site import AssignmentKind, Lease, Locator, Translation

Pseudonym = Callable[[str], str]
"""A keyed hash, the same for the registry and for the logs that are joined to it."""

MAX_LINE_BYTES = 1 << 20
"""A longer line is none: no format here has lines of more than some kilobytes, and memory must stay bounded. [bytes]"""
MAX_REMARKS = 1000
"""Remarks on one file that are told one by one, as for damage in captures; the rest is counted."""
MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
LATEST_NS = int(_LATEST.timestamp()) * 1_000_000_000
"""A time after this is a mistake of unit: seconds that were milliseconds. It also keeps sums inside int64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseLog:
    """Stretches of time from one log, and what could not be read or had to be assumed."""

    leases: tuple[Lease, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationLog:
    """Translations from one log, and what could not be read or had to be assumed."""

    translations: tuple[Translation, ...]
    remarks: tuple[str, ...]


class Remarks:
    """Collects a sentence for each row that could not be used, and counts what happens often."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._rows: list[str] = []
        self._left_out = 0
        self._counts: dict[str, tuple[int, int]] = {}

    def row(self, row: int, text: object) -> None:
        """Say what is wrong with a row."""
        if len(self._rows) < MAX_REMARKS:
            self._rows.append(f"{self.file} row {row}: {text}")
        else:
            self._left_out += 1

    def lost(self, row: int, text: object) -> None:
        """Say that a row, or a cell of it, could not be used."""
        self.row(row, text)

    def count(self, text: str, row: int) -> None:
        """Count something that may happen in many rows; `text` reads on from the number of rows."""
        seen, first = self._counts.get(text, (0, row))
        self._counts[text] = (seen + 1, first)

    def sentences(self) -> tuple[str, ...]:
        """All of it, rows first."""
        tail = [f"{self.file}: {self._left_out} more rows could not be read"] if self._left_out else []
        counts = [f"{self.file}: {n} {text} (first: row {first})" for text, (n, first) in self._counts.items()]
        return tuple(self._rows + tail + counts)


def _opened(path: Path) -> BinaryIO:
    stream = path.open("rb")
    try:
        magic = stream.read(2)
        stream.seek(0)
    except OSError:
        stream.close()
        raise
    # Logs are rotated into .gz; they are told by their first bytes, as captures are.
    return io.BufferedReader(gzip.GzipFile(fileobj=stream)) if magic == b"\x1f\x8b" else stream


def lines_of(path: Path, remarks: Remarks) -> Iterator[tuple[int, str]]:
    """Lines of a text file, plain or gzip, with their numbers from 1.

    Bytes that are not UTF-8 are kept as replacement characters. A line of more than 1 MiB is passed over, and a file
    that breaks off is used up to there; both with a remark.

    Parameters
    ----------
    path : Path
    remarks : Remarks

    Yields
    ------
    tuple of int and str
        Row, and line without its end.

    Raises
    ------
    ValueError
        If the file cannot be opened.
    """
    try:
        stream = _opened(path)
    except OSError as fault:
        raise ValueError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    row = 0
    with stream:
        try:
            while line := stream.readline(MAX_LINE_BYTES):
                row += 1
                if len(line) >= MAX_LINE_BYTES and not line.endswith(b"\n"):
                    while (more := stream.readline(MAX_LINE_BYTES)) and not more.endswith(b"\n"):
                        pass
                    remarks.lost(row, f"longer than {MAX_LINE_BYTES} bytes, passed over")
                    continue
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                yield row, text.removeprefix("\ufeff") if row == 1 else text
        except (OSError, EOFError, zlib.error) as fault:
            remarks.lost(row + 1, f"the file breaks off here: {fault}")


# Times -------------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"(\d{1,12})(?:\.(\d{1,9})\d*)?\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def epoch_ns(text: str) -> int:
    """Read seconds since 1970, whole or with a fraction, exactly.

    Returns
    -------
    int
        [ns since 1970-01-01 UTC]

    Raises
    ------
    ValueError
        If it is no number, or a time after the year 2200, as milliseconds taken for seconds are.
    """
    found = _NUMBER.match(text)
    if not found:
        raise ValueError(f"time is {text[:40]!r}; expected seconds since 1970")
    value = int(found[1]) * 1_000_000_000 + int((found[2] or "").ljust(9, "0"))
    if value > LATEST_NS:
        raise ValueError(f"time {text[:40]} is after the year 2200; expected seconds since 1970, not milliseconds")
    return value


def local_ns(moment: datetime, zone: tzinfo) -> int:
    """Give the instant of a date and time of day; one without offset is meant in `zone`.

    Returns
    -------
    int
        [ns since 1970-01-01 UTC]

    Raises
    ------
    ValueError
        If clocks in `zone` never showed that time, or showed it twice: which one is meant would be a guess.
    """
    if moment.tzinfo is None and zone is UTC:
        moment = moment.replace(tzinfo=UTC)  # its clocks are never changed
    elif moment.tzinfo is None:
        first, second = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first != second:
            back = first.astimezone(zone).replace(tzinfo=None)
            happened = "was shown twice" if back == moment else "was never shown"
            raise ValueError(f"{moment} {happened} by clocks in {zone}; write it with its offset from UTC")
        moment = first
    delta = moment - _EPOCH
    value = (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000
    if not 0 <= value <= LATEST_NS:
        raise ValueError(f"{moment} is not between 1970 and 2200")
    return value


def time_ns(text: str, zone: tzinfo, *, end: bool = False) -> int | None:
    """Read a day, an ISO 8601 date and time, or seconds since 1970; empty and ``-`` are None.

    Parameters
    ----------
    text : str
    zone : datetime.tzinfo
        For times without an offset.
    end : bool
        True for the end of an interval: a bare day then means through that day.

    Returns
    -------
    int or None
        [ns since 1970-01-01 UTC]

    Raises
    ------
    ValueError
    """
    text = text.strip()
    if text in ("", "-"):
        return None
    if _NUMBER.match(text):
        return epoch_ns(text)
    try:
        if _DAY.match(text):
            day = date.fromisoformat(text)
            moment = datetime(day.year, day.month, day.day) + timedelta(days=1 if end else 0)
        else:
            moment = datetime.fromisoformat(text)
        return local_ns(moment, zone)
    except (ValueError, OverflowError) as fault:
        if "by clocks in" in str(fault):
            raise
        raise ValueError(
            f"time is {text[:40]!r}; expected 2026-04-21, 2026-04-21T08:00:00Z or seconds since 1970"
        ) from None


# Addresses ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 16)
def clean_address(text: str) -> str:
    """Read an address in canonical form: without zone, and an IPv4-mapped IPv6 address as the IPv4 address it means.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> clean_address("::ffff:10.0.0.1"), clean_address("FE80::1%eth0")
    ('10.0.0.1', 'fe80::1')
    """
    address: IPv4Address | IPv6Address = ip_address(text.strip().partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def clean_prefix(text: str) -> str:
    """Read a prefix in canonical form; a bare address is a prefix of full length.

    Raises
    ------
    ValueError
        If it is none, or names a host inside it.

    Examples
    --------
    >>> clean_prefix("2001:DB8::/32"), clean_prefix("10.0.0.1")
    ('2001:db8::/32', '10.0.0.1/32')
    """
    text = text.strip()
    if "/" not in text:
        address = clean_address(text)
        return f"{address}/{128 if ':' in address else 32}"
    network: IPv4Network | IPv6Network
    try:
        network = ip_network(text)
    except ValueError as fault:
        if "host bits set" in str(fault):
            raise ValueError(f"{text[:60]} has host bits set; did you mean {ip_network(text, strict=False)}?") from None
        raise ValueError(f"{text[:60]!r} is no network prefix") from None
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped is not None:
        return f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}"
    return str(network)


def clean_port(text: str) -> int:
    """Read a port number.

    Raises
    ------
    ValueError
        If it is none from 0 to 65535.
    """
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise ValueError(f"port is {text[:20]!r}; expected 0 to 65535")
    return int(text)


_PROTO_NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "132": "sctp", "any": "", "-": "", "all": ""}


def clean_proto(text: str) -> str | None:
    """Read a transport protocol by name or number; None for any."""
    text = text.strip().lower()
    return _PROTO_NAMES.get(text, text[:16]) or None


# Hardware addresses and what relays add ------------------------------------------------------------------------------

_HARDWARE = re.compile(
    r"(?<![0-9A-Fa-f:.-])(?:[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}"
    r"|[0-9A-Fa-f]{4}(?:[.-][0-9A-Fa-f]{4}){2}|[0-9A-Fa-f]{12})(?![0-9A-Fa-f])"
)


def hardware_in(text: str) -> str | None:
    """The first hardware address in a text, as twelve hexadecimal digits; None without one.

    Examples
    --------
    >>> hardware_in("00-1A-2B-3C-4D-5E:guests"), hardware_in("port 7")
    ('001a2b3c4d5e', None)
    """
    found = _HARDWARE.search(text)
    if not found:
        return None
    parts = re.split(r"[:.-]", found[0].lower())
    return "".join(part.zfill(2) if len(parts) == 6 else part for part in parts)


def hardware_pseudonym(text: str, pseudonym: Pseudonym | None) -> str | None:
    """Pseudonym of a text that is a hardware address; None without a key, or where it is none."""
    digits = hardware_in(text)
    return pseudonym(digits) if digits and pseudonym else None


def without_hardware(text: str, pseudonym: Pseudonym | None) -> str | None:
    """A text with each hardware address in it replaced by its pseudonym; None where there is one and no key."""
    if not _HARDWARE.search(text):
        return text
    if pseudonym is None:
        return None
    return _HARDWARE.sub(lambda found: pseudonym(hardware_in(found[0]) or ""), text)


def station_locators(text: str, pseudonym: Pseudonym | None) -> list[Locator]:
    """Called-Station-Id as locators: the access point with its network name, and the access point alone.

    A hardware address in it becomes a pseudonym; the registry's entries go the same way, so that they meet.
    """
    text = text.strip()
    if not text:
        return []
    whole = without_hardware(text, pseudonym)
    if whole is None:
        return []
    found = [Locator(AssignmentKind.STATION, whole)]
    if (alone := hardware_pseudonym(text, pseudonym)) and alone != whole:
        found.append(Locator(AssignmentKind.STATION, alone))
    return found


def agent_text(value: bytes) -> str:
    """A circuit or remote id as text: as it is where it can be printed, else hexadecimal."""
    if value and all(0x20 <= byte < 0x7F for byte in value):
        return value.decode("ascii").strip()
    return "0x" + value.hex()


def agent_locators(
    circuit: bytes | None, remote: bytes | None, vlan: str | None, relay: str | None, pseudonym: Pseudonym | None
) -> list[Locator]:
    """What a relay added to a DHCP message, as locators.

    A remote id of six bytes is the hardware address of a modem or a switch, and becomes a pseudonym.

    References
    ----------
    .. [1] RFC 3046, sections 3.1 and 3.2.
    .. [2] Cisco, "Configuring DHCP Snooping": a circuit id of ``00 04``, VLAN (2 bytes), module, port.
    """

    def shown(value: bytes) -> str | None:
        if len(value) == 6 and agent_text(value).startswith("0x"):
            return pseudonym(value.hex()) if pseudonym else None
        if len(value) == 8 and value[:2] == b"\x00\x06":  # the same, with Cisco's type and length before it
            return pseudonym(value[2:].hex()) if pseudonym else None
        return without_hardware(agent_text(value), pseudonym)

    found = []
    circuit_text = shown(circuit) if circuit else None
    remote_text = shown(remote) if remote else None
    if circuit and len(circuit) == 6 and circuit[:2] == b"\x00\x04":
        circuit_text = agent_text(circuit)  # no hardware address, though it is as long as one
        vlan = vlan or str(int.from_bytes(circuit[2:4], "big"))
    if circuit_text:
        found.append(Locator(AssignmentKind.CIRCUIT, circuit_text))
        if remote_text:
            found.append(Locator(AssignmentKind.CIRCUIT, f"{remote_text}|{circuit_text}"))
    if remote_text:
        found.append(Locator(AssignmentKind.REMOTE, remote_text))
    if relay:
        found.append(Locator(AssignmentKind.RELAY, relay))
    if vlan:
        found.append(Locator(AssignmentKind.VLAN, vlan))
        if relay:
            found.append(Locator(AssignmentKind.VLAN, f"{relay}|{vlan}"))
    return found


def duid_hardware(duid: bytes) -> str | None:
    """The Ethernet address inside a DUID of type 1 or 3, as hexadecimal digits; None without one.

    References
    ----------
    .. [1] RFC 8415, sections 11.2 and 11.4.
    """
    if duid[:4] == b"\x00\x01\x00\x01" and len(duid) == 14:
        return duid[8:].hex()
    if duid[:4] == b"\x00\x03\x00\x01" and len(duid) == 10:
        return duid[4:].hex()
    return None


class Stretches:
    """Turns what a lease log says, row after row, into stretches of time that do not claim more than was said.

    A DHCP server writes a row whenever a lease changes, and the last row counts. So for one address:

    - a row of the same client that touches the stretch before it goes on with it (renewal), or ends it earlier;
    - a row of another client ends the stretch before it where that had not ended: the server gave the address away;
    - a row that begins before the stretch it follows leaves both standing: the clock went back, and the truth is not
      known, so the overlap resolves to both.
    """

    def __init__(self) -> None:
        self._open: dict[str, Stretch] = {}
        self._done: list[Stretch] = []

    def add(
        self, prefix: str, client: object, start: int, end: int | None, locators: tuple[Locator, ...], row: int
    ) -> bool:
        """Take in a row that says a lease runs from `start` to `end`; True where it cut another client's stretch."""
        last = self._open.get(prefix)
        cut = False
        if last is not None:
            touches = last.end is None or start <= last.end
            if last.client == client and last.locators == locators and last.start <= start and touches:
                last.end, last.row, last.heard = end, row, start
                return False
            if last.start <= start and touches and (last.end is None or start < last.end):
                last.end = start
                cut = last.client != client
            self._done.append(last)
        self._open[prefix] = Stretch(prefix, client, start, end, locators, row, start)
        return cut

    def end(self, prefix: str, client: object, end: int, row: int) -> bool:
        """Take in a row that says the client's lease ended then; False where no such stretch is known."""
        last = self._open.get(prefix)
        if last is None or (client is not None and last.client != client) or end < last.start:
            return False
        if last.end is None or end < last.end:
            last.end, last.row = end, row
        return True

    def last(self, prefix: str) -> tuple[int, int] | None:
        """Start of the last stretch of a prefix, and when the client was last heard of; None without one."""
        found = self._open.get(prefix)
        return (found.start, found.heard) if found else None

    def close(self) -> list[Stretch]:
        """All stretches, without those that turned out empty."""
        self._done.extend(self._open.values())
        self._open = {}
        kept = [s for s in self._done if s.end is None or s.end > s.start]
        return sorted(kept, key=lambda s: (s.row, s.prefix))


@dataclass(slots=True)
class Stretch:
    """One stretch under way; `heard` is when its client last dealt with the server."""

    prefix: str
    client: object
    start: int
    end: int | None
    locators: tuple[Locator, ...]
    row: int
    heard: int
