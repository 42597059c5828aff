"""The registry: sites, assignments and logs, arranged so that a question costs a few look-ups.

For each network (`realm`), each address family and each prefix length there is a table from prefix to its *slot*: the
stretches of time in which a site held exactly that prefix, by assignment or by lease. A question walks the lengths
from the longest to the shortest; a registry uses a dozen of the 33 or 129. In a slot the stretches are sorted by
start, beside the latest end so far, so that those of a period are found by two bisections.

What decides, at each instant:

1. The longest prefix that has a stretch at that instant. Two sites at one length are two sites: nothing is preferred.
2. A lease whose place the registry lists is a stretch of its address (or delegated prefix). Where a client was plugged
in (circuit,
   port, access point, pseudonym) goes before the area it lies in (VLAN, relay, subnet, server).
3. An address that the registry has ever placed by a lease is *held by lease*: at an instant without one, or with one
at a
   place that is not listed, shorter prefixes do not step in. The owner of a pool is not the user of its addresses.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from headframe.records.site import (
    ATTACHMENTS,
    Assignment,
    AssignmentKind,
    Lease,
    Locator,
    Organisation,
    Site,
    Translation,
)

EVER_NS, NEVER_NS = -(2**63), 2**63 - 1
"""Open beginning and open end, as int64. [ns since 1970-01-01 UTC]"""

NO_SITE, SEVERAL, HELD_BY_LEASE = -1, -2, -3
"""In place of a site's number: nothing known; more than one candidate; held by lease, but none tells where."""

WIDTH = {4: 32, 6: 128}
_BUCKET_PORTS = 64
"""A usual block has 64 to 2048 ports (RFC 6888, section 4; RFC 7422, section 2.2): one to 32 buckets. [ports]"""
_MAX_BUCKETS = 32
"""A mapping over more ports than this many buckets goes to a list of its own, which every question looks through."""

# Networks that many sites use at once: RFC 1918, RFC 6598, RFC 3927, RFC 1122; RFC 4193, RFC 4291.
_REUSED_PREFIXES = (
    ("10.0.0.0", 8), ("172.16.0.0", 12), ("192.168.0.0", 16), ("100.64.0.0", 10), ("169.254.0.0", 16),
    ("127.0.0.0", 8), ("fc00::", 7), ("fe80::", 10), ("::1", 128),
)  # fmt: skip
REUSED: dict[int, tuple[tuple[int, int], ...]] = {
    family: tuple(
        (int(base) >> (base.max_prefixlen - length), base.max_prefixlen - length)
        for base, length in ((ip_address(text), length) for text, length in _REUSED_PREFIXES)
        if base.version == family
    )
    for family in (4, 6)
}
"""By family: the leading bits of each such network, and how far to shift an address to compare it."""


def is_reused(family: int, number: int) -> bool:
    """True for an address that many networks use at once (private, shared, link-local)."""
    return any(number >> shift == base for base, shift in REUSED[family])


def address_number(text: str) -> tuple[int, int]:
    """Family (4 or 6) and number of an address; an IPv4-mapped IPv6 address counts as the IPv4 address it means.

    Raises
    ------
    ValueError
        If it is no address.
    """
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.version, int(address)


class Entry(NamedTuple):
    """A stretch in a slot: that a site, or an unlisted place, held the slot's prefix."""

    start: int
    end: int
    site: int
    """Number of the site; `NO_SITE` for a lease at a place that no assignment lists."""
    assignment: Assignment | None
    lease: Lease | None


T = TypeVar("T")


class Stretches(Generic[T]):
    """Values with a start and an end, to be asked for those that touch a period.

    Sorted by start, beside the latest end among those up to each: what lies before the first whose latest end is after
    the beginning of the period cannot touch it.
    """

    __slots__ = ("_items", "_latest", "_starts")

    def __init__(self, items: Iterable[tuple[int, int, T]]) -> None:
        ordered = sorted(items, key=lambda item: (item[0], item[1]))
        self._items = ordered
        self._starts = [item[0] for item in ordered]
        latest: list[int] = []
        top = EVER_NS
        for _, end, _ in ordered:
            top = max(top, end)
            latest.append(top)
        self._latest = latest

    def touching(self, start: int, end: int) -> Iterator[tuple[int, int, T]]:
        """Those with ``item.start < end`` and ``item.end > start``."""
        last = bisect_left(self._starts, end)
        for index in range(bisect_right(self._latest, start, hi=last), last):
            item = self._items[index]
            if item[1] > start:
                yield item

    def __len__(self) -> int:
        return len(self._items)


@dataclass(slots=True)
class Slot:
    """What is known of one prefix."""

    entries: list[Entry] = field(default_factory=list)
    by_lease: bool = False
    _ordered: Stretches[Entry] | None = None

    def touching(self, start: int, end: int) -> list[Entry]:
        """Entries that touch a period."""
        if len(self.entries) == 1:
            only = self.entries[0]
            return [only] if only.start < end and only.end > start else []
        if self._ordered is None:
            self._ordered = Stretches((entry.start, entry.end, entry) for entry in self.entries)
        return [entry for _, _, entry in self._ordered.touching(start, end)]

    def codes(self) -> list[tuple[int, int]]:
        """The slot's answer over all time: when it changes, and to which site or code."""
        nothing = HELD_BY_LEASE if self.by_lease else NO_SITE
        entries = [entry for entry in self.entries if entry.site >= 0 or self.by_lease]
        if not entries:
            return [(EVER_NS, nothing)]
        if len(entries) == 1 and entries[0].start == EVER_NS and entries[0].end == NEVER_NS:
            return [(EVER_NS, entries[0].site if entries[0].site >= 0 else nothing)]
        changes = sorted(
            [(entry.start, 1, entry.site) for entry in entries] + [(entry.end, -1, entry.site) for entry in entries]
        )
        counts: dict[int, int] = {}
        told = [(EVER_NS, nothing)]
        for at, (time, step, site) in enumerate(changes):
            count = counts.get(site, 0) + step
            if count:
                counts[site] = count
            else:
                counts.pop(site, None)
            if at + 1 < len(changes) and changes[at + 1][0] == time:
                continue
            if not counts or (len(counts) == 1 and NO_SITE in counts):
                code = nothing
            else:
                code = next(iter(counts)) if len(counts) == 1 else SEVERAL
            if code != told[-1][1]:
                if told[-1][0] == time:
                    told.pop()
                told.append((time, code))
        return told


@dataclass(slots=True)
class Level:
    """All slots of one prefix length, and the same as arrays once many questions are asked.

    Attributes
    ----------
    length : int
        [bits]
    slots : dict of int to Slot
        By the prefix's leading `length` bits, as a number.
    """

    family: int
    length: int
    slots: dict[int, Slot] = field(default_factory=dict)
    _arrays: LevelArrays | None = None

    def arrays(self) -> LevelArrays:
        """The level as arrays; built once."""
        if self._arrays is None:
            self._arrays = LevelArrays(self)
        return self._arrays


class LevelArrays:
    """One prefix length for `numpy.searchsorted`.

    Attributes
    ----------
    keys : uint64[n]
        Leading bits of the prefixes, ascending. For IPv6 prefixes longer than 64 bits: the rank of the high half times
        the number of different low halves, plus the rank of the low half.
    segment_keys : int64[m]
        Slot number times the number of different times, plus the rank of the segment's start; ascending.
    segment_start : int64[m]
        [ns since 1970-01-01 UTC]
    segment_code : int32[m]
    """

    def __init__(self, level: Level) -> None:
        self.family, self.length = level.family, level.length
        numbers = sorted(level.slots)
        self._high = self._low = np.zeros(0, np.uint64)
        if self.family == 4 or self.length <= 64:
            self.keys = np.array(numbers, np.uint64)
        else:
            low_bits = self.length - 64
            high = np.array([number >> low_bits for number in numbers], np.uint64)
            low = np.array([number & ((1 << low_bits) - 1) for number in numbers], np.uint64)
            self._high, self._low = np.unique(high), np.unique(low)
            ranks = np.searchsorted(self._high, high) * len(self._low) + np.searchsorted(self._low, low)
            self.keys = ranks.astype(np.uint64)  # ascending, as the numbers were
        told = [level.slots[number].codes() for number in numbers]
        self.segment_start = np.array([time for slot in told for time, _ in slot], np.int64)
        self.segment_code = np.array([code for slot in told for _, code in slot], np.int32)
        self._slot_of = np.repeat(np.arange(len(told)), [len(slot) for slot in told])
        self._times = np.unique(self.segment_start)
        self.segment_keys = self._slot_of * len(self._times) + np.searchsorted(self._times, self.segment_start)

    def look_up(
        self, high: NDArray[np.uint64], low: NDArray[np.uint64], time_ns: NDArray[np.int64]
    ) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.int64]]:
        """Which addresses have a slot here, what it says at a time, and until when it says so.

        Parameters
        ----------
        high, low : uint64[n]
            Halves of the addresses; an IPv4 address is in `low`.
        time_ns : int64[n]
            [ns since 1970-01-01 UTC]

        Returns
        -------
        found : intp[k]
            Positions of addresses with a slot.
        code : int32[k]
        until_ns : int64[k]
            When the slot's answer changes next. [ns since 1970-01-01 UTC]
        """
        if self.family == 4:
            wanted = low >> np.uint64(32 - self.length)
            known = np.ones(len(wanted), bool)
        elif self.length == 0:
            wanted, known = np.zeros(len(high), np.uint64), np.ones(len(high), bool)
        elif self.length <= 64:
            wanted, known = high >> np.uint64(64 - self.length), np.ones(len(high), bool)
        else:
            low = low >> np.uint64(128 - self.length)
            high_rank = np.minimum(np.searchsorted(self._high, high), len(self._high) - 1)
            low_rank = np.minimum(np.searchsorted(self._low, low), len(self._low) - 1)
            known = (self._high[high_rank] == high) & (self._low[low_rank] == low)
            wanted = (high_rank * len(self._low) + low_rank).astype(np.uint64)
        slot = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        found = np.flatnonzero(known & (self.keys[slot] == wanted))
        slot = slot[found]
        rank = np.searchsorted(self._times, time_ns[found], side="right") - 1
        segment = np.searchsorted(self.segment_keys, slot * len(self._times) + rank, side="right") - 1
        following = np.minimum(segment + 1, len(self.segment_start) - 1)
        same = (following > segment) & (self._slot_of[following] == slot)
        until = np.where(same, self.segment_start[following], NEVER_NS)
        return found, self.segment_code[segment], until


class PrefixIndex:
    """All prefixes of one network."""

    def __init__(self) -> None:
        self._levels: dict[int, dict[int, Level]] = {4: {}, 6: {}}
        self._ordered: dict[int, list[Level]] = {}

    def slot(self, prefix: str) -> Slot:
        """The slot of a prefix; made where there is none yet."""
        base, _, bits = prefix.partition("/")
        family, number = address_number(base)
        length = int(bits)
        level = self._levels[family].setdefault(length, Level(family, length))
        self._ordered.clear()
        key = number >> (WIDTH[family] - length)
        found = level.slots.get(key)
        if found is None:
            found = level.slots[key] = Slot()
        return found

    def covers(self, address: str) -> bool:
        """Whether an address lies in any of the prefixes, of whatever time."""
        family, number = address_number(address)
        return any(number >> (WIDTH[family] - level.length) in level.slots for level in self.levels(family))

    def levels(self, family: int) -> list[Level]:
        """Prefix lengths that are in use, the longest first."""
        if family not in self._ordered:
            self._ordered[family] = [
                self._levels[family][length] for length in sorted(self._levels[family], reverse=True)
            ]
        return self._ordered[family]


class _Ports:
    """Translations of one outside address, by port."""

    __slots__ = ("buckets", "wide")

    def __init__(self, rows: Sequence[Translation]) -> None:
        wide: list[tuple[int, int, Translation]] = []
        buckets: dict[int, list[tuple[int, int, Translation]]] = defaultdict(list)
        for row in rows:
            item = (_from(row.started_ns), _until(row.ended_ns), row)
            first, last = row.port_from // _BUCKET_PORTS, row.port_to // _BUCKET_PORTS
            if last - first >= _MAX_BUCKETS:
                wide.append(item)
            else:
                for bucket in range(first, last + 1):
                    buckets[bucket].append(item)
        self.wide = Stretches(wide)
        self.buckets = {bucket: Stretches(items) for bucket, items in buckets.items()}


def _from(time_ns: int | None) -> int:
    return EVER_NS if time_ns is None else time_ns


def _until(time_ns: int | None) -> int:
    return NEVER_NS if time_ns is None else time_ns


class Registry:
    """Sites, what is assigned to them, and the logs that lead to them; not changed after it is built.

    Parameters
    ----------
    sites : iterable of Site
    assignments : iterable of Assignment
    organisations : iterable of Organisation
    leases : iterable of Lease
        From DHCP and RADIUS.
    translations : iterable of Translation
        From NAT logs.

    Attributes
    ----------
    sites : dict of str to Site
    site_ids : tuple of str
        Sites by number, as `resolve_many` gives them.
    organisations : dict of str to Organisation
    remarks : tuple of str
        Assignments outside the validity of their site, and translations without duration.

    Raises
    ------
    ValueError
        If a site is there twice, an assignment names a site that is not there, or a value is not in canonical form.
    """

    def __init__(
        self,
        sites: Iterable[Site],
        assignments: Iterable[Assignment],
        *,
        organisations: Iterable[Organisation] = (),
        leases: Iterable[Lease] = (),
        translations: Iterable[Translation] = (),
    ) -> None:
        self.sites: dict[str, Site] = {}
        for site in sites:
            if site.site_id in self.sites:
                raise ValueError(f"site {site.site_id} is there twice; read all tables in one call of read_sites")
            self.sites[site.site_id] = site
        self.site_ids = tuple(self.sites)
        self.organisations = {one.organisation_id: one for one in organisations}
        self._numbers = {site_id: number for number, site_id in enumerate(self.site_ids)}
        self.realms: dict[str, PrefixIndex] = {}
        self._points: dict[str, Slot] = {}
        self._places: dict[Locator, list[tuple[int, int, int, Assignment]]] = defaultdict(list)
        remarks: list[str] = []
        for assignment in assignments:
            self._assign(assignment, remarks)
        for lease in leases:
            self._lease(lease)
        rows: dict[str, list[Translation]] = defaultdict(list)
        for row in translations:
            # Also by a row that cannot be used: the address is a NAT's, and whoever was behind it is not known.
            behind = rows[row.outside_address]
            if _from(row.started_ns) < _until(row.ended_ns):
                behind.append(row)
            else:
                remarks.append(f"{row.source}: a translation that ends where it begins; not used")
        self._ports = {address: _Ports(found) for address, found in rows.items()}
        self.remarks = tuple(remarks)

    def _index(self, realm: str) -> PrefixIndex:
        found = self.realms.get(realm)
        if found is None:
            found = self.realms[realm] = PrefixIndex()
        return found

    def _assign(self, assignment: Assignment, remarks: list[str]) -> None:
        site = self.sites.get(assignment.site_id)
        if site is None:
            raise ValueError(f"{assignment.source}: assigned to {assignment.site_id}, which is no site of the registry")
        # An assignment cannot outlive its site.
        start = max(_from(assignment.valid_from_ns), _from(site.valid_from_ns))
        end = min(_until(assignment.valid_until_ns), _until(site.valid_until_ns))
        if start >= end:
            remarks.append(f"{assignment.source}: the site {site.site_id} did not exist at that time; not used")
            return
        number = self._numbers[site.site_id]
        entry = Entry(start, end, number, assignment, None)
        if assignment.kind in (AssignmentKind.PREFIX, AssignmentKind.ADDRESS):
            self._index(assignment.realm).slot(assignment.value).entries.append(entry)
        elif assignment.kind is AssignmentKind.USAGE_POINT:
            self._points.setdefault(assignment.value, Slot()).entries.append(entry)
        else:
            self._places[Locator(assignment.kind, assignment.value)].append((start, end, number, assignment))

    def _lease(self, lease: Lease) -> None:
        start, end = lease.started_ns, _until(lease.ended_ns)
        if start >= end:
            return
        plugged: list[Entry] = []
        areas: list[Entry] = []
        for locator in lease.locators:
            exact = locator.kind in ATTACHMENTS
            for since, until, number, assignment in self._places.get(locator, ()):
                if not _same_network(lease.realm, assignment.realm, exact):
                    continue
                begin, stop = max(start, since), min(end, until)
                if begin < stop:
                    (plugged if exact else areas).append(Entry(begin, stop, number, assignment, lease))
        entries = list(plugged)
        for gap_start, gap_end in _gaps(plugged, start, end):
            inside = [
                Entry(max(area.start, gap_start), min(area.end, gap_end), area.site, area.assignment, lease)
                for area in areas
                if area.start < gap_end and area.end > gap_start
            ]
            entries += inside
            entries += [Entry(s, e, NO_SITE, None, lease) for s, e in _gaps(inside, gap_start, gap_end)]
        slot = self._index(lease.realm).slot(lease.prefix)
        slot.entries += entries
        slot.by_lease |= any(entry.site >= 0 for entry in entries)

    def usage_point(self, name: str) -> Slot | None:
        """What is known of a meter; None where it is not listed."""
        return self._points.get(name)

    @property
    def has_translations(self) -> bool:
        """True where there is any NAT log."""
        return bool(self._ports)

    def is_translated(self, address: str) -> bool:
        """True where a NAT log has the address as an outside address."""
        return address in self._ports

    def translations(
        self,
        address: str,
        port: int | None,
        proto: str | None,
        peer: tuple[str, int | None] | None,
        start: int,
        end: int,
    ) -> list[Translation]:
        """Rows of NAT logs for an outside address and port in a period.

        Parameters
        ----------
        address : str
            In canonical form.
        port, proto, peer : int, str, tuple of str and int, or None
            None, in the question or in a row, fits any.
        start, end : int
            [ns since 1970-01-01 UTC]

        Returns
        -------
        list of Translation
            By start.
        """
        ports = self._ports.get(address)
        if ports is None:
            return []
        found = [row for _, _, row in ports.wide.touching(start, end)]
        if port is None:
            seen: set[int] = set()
            for bucket in ports.buckets.values():
                for _, _, row in bucket.touching(start, end):
                    if id(row) not in seen:
                        seen.add(id(row))
                        found.append(row)
        elif (bucket_of := ports.buckets.get(port // _BUCKET_PORTS)) is not None:
            found += [row for _, _, row in bucket_of.touching(start, end)]
        fitting = [
            row
            for row in found
            if (port is None or row.port_from <= port <= row.port_to)
            and (proto is None or row.proto is None or row.proto == proto)
            and (peer is None or row.peer_address is None or row.peer_address == peer[0])
            and (peer is None or row.peer_port is None or peer[1] is None or row.peer_port == peer[1])
        ]
        return sorted(fitting, key=lambda row: (_from(row.started_ns), row.source.file, row.source.row))


def _same_network(lease_realm: str, realm: str, exact: bool) -> bool:
    """Whether an assignment may be meant by a lease: numbers of VLANs and subnets are used again in every network."""
    return not lease_realm or lease_realm == realm or (exact and not realm)


def _gaps(entries: Sequence[Entry], start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of [start, end) that no entry covers."""
    at = start
    for entry in sorted(entries, key=attrgetter("start")):
        if entry.start > at:
            yield at, entry.start
        at = max(at, entry.end)
    if at < end:
        yield at, end
