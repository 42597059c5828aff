"""From an address, a port and a period to a site, step by step: NAT log, lease, prefix.

A question has one of four answers (`ResolutionOutcome`), and each stretch of the period keeps its reasons, so that an
outsider can walk the rows. Where more than one site is possible, all are listed; where a step lacks a row, the row is
named; no step is bridged by what is likely.

Rules beyond those of `headframe.sites.registry`:

- An address that a NAT log translates stands for whoever was behind it. Without a row for the port and time it stands
for nobody: the owner of the
  outside address is not the one who used it.
- A private address means something only within a network. `realm` says which; without it the address is looked for in
all
  of them, and two answers are two answers. A network of that name never borrows a private address from another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from headframe.records.site import (
    AssignmentKind,
    Resolution,
    ResolutionOutcome,
    SiteStretch,
    Translation,
)
from headframe.sites.registry import (
    EVER_NS,
    NEVER_NS,
    NO_SITE,
    REUSED,
    SEVERAL,
    WIDTH,
    Entry,
    PrefixIndex,
    Registry,
    Slot,
    address_number,
    is_reused,
)

MAX_REASONS = 20
"""Reasons that are written out for one stretch; the rest is counted, so that a report stays readable."""
MAX_CANDIDATES = 256
"""Rows of a NAT log from which on a question without a port is answered with a question: a carrier shares an address
among thousands."""
_MAX_TRANSLATIONS = 4
"""NATs in a row. Two are usual (home and carrier), and a log that turns in a circle must come to an end."""

_Step = Translation | Entry


class _Hit(NamedTuple):
    site: int
    steps: tuple[_Step, ...]


class _Part(NamedTuple):
    """A stretch of the period: ways that lead to a site, and candidates that lead nowhere."""

    start: int
    end: int
    hits: tuple[_Hit, ...]
    lacking: tuple[str, ...]
    nothing: tuple[str, ...] = ()
    """What to say where there is neither."""


def resolve(
    address: str,
    port: int | None,
    period: tuple[int, int],
    registry: Registry,
    *,
    proto: str | None = None,
    peer: tuple[str, int | None] | None = None,
    realm: str = "",
) -> Resolution:
    """Which site an address belonged to over a period.

    Parameters
    ----------
    address : str
    port : int or None
        The address's own port, needed where it is an outside address of a NAT.
    period : tuple of int
        Start and end; an end equal to the start asks for that instant. [ns since 1970-01-01 UTC]
    registry : Registry
    proto : str, optional
        ``tcp``, ``udp``; None for any.
    peer : tuple of str and int, optional
        Address and port of the other side, where a NAT uses one port towards several.
    realm : str
        The network in which the address was seen (the vantage point), where private addresses are used more than once.

    Returns
    -------
    Resolution

    Raises
    ------
    ValueError
        If the address or the port is none, or the period ends before it starts.

    Examples
    --------
    >>> from headframe.records.site import Assignment, AssignmentKind, Site, SourceRow
    >>> row = SourceRow("sites.csv", 2)
    >>> registry = Registry(
    ...     [Site(site_id="A", name="A", source=row)],
    ...     [Assignment(kind=AssignmentKind.PREFIX, value="10.1.0.0/16", site_id="A", source=row)],
    ... )
    >>> answer = resolve("10.1.2.3", None, (0, 10), registry)
    >>> answer.outcome.value, answer.site_id, answer.reasons
    ('resolved', 'A', ('prefix 10.1.0.0/16 (sites.csv row 2) -> site A',))
    """
    start, end = _period(period)
    text = _canonical(address)
    if port is not None and not 0 <= port <= 65535:
        raise ValueError(f"port is {port}; expected 0 to 65535")
    parts = _parts(registry, text, port, proto, peer, realm, start, end, ())
    subject = text if port is None else (f"[{text}]:{port}" if ":" in text else f"{text}:{port}")
    return _told(subject, parts, registry)


def resolve_usage_point(usage_point: str, period: tuple[int, int], registry: Registry) -> Resolution:
    """Which site a meter belonged to over a period.

    Parameters
    ----------
    usage_point : str
    period : tuple of int
        Start and end. [ns since 1970-01-01 UTC]
    registry : Registry

    Returns
    -------
    Resolution

    Raises
    ------
    ValueError
        If the period ends before it starts.
    """
    start, end = _period(period)
    slot = registry.usage_point(usage_point)
    nothing = (f"no assignment of the registry names the usage point {usage_point} at this time",)
    found = [slot] if slot is not None else []
    parts = [
        _Part(s, e, tuple(_Hit(entry.site, (entry,)) for entry in entries), (), nothing)
        for s, e, _, entries in _swept(found, start, end)
    ]
    return _told(usage_point, parts, registry)


def _period(period: tuple[int, int]) -> tuple[int, int]:
    start, end = period
    if end < start:
        raise ValueError(f"the period ends at {end}, before it starts at {start}")
    if start < EVER_NS or end > NEVER_NS:
        raise ValueError("the period is outside the range of int64 nanoseconds")
    return (start, end) if end > start else (start, min(start + 1, NEVER_NS))


def _canonical(address: str) -> str:
    family, number = address_number(address)
    return str(IPv4Address(number) if family == 4 else IPv6Address(number))


# Steps ---------------------------------------------------------------------------------------------------------------


def _parts(
    registry: Registry,
    address: str,
    port: int | None,
    proto: str | None,
    peer: tuple[str, int | None] | None,
    realm: str,
    start: int,
    end: int,
    passed: tuple[str, ...],
) -> list[_Part]:
    """The whole period in stretches, through NAT logs where they apply."""
    family, number = address_number(address)
    # In a named network a private address is one of its own, not the outside of some NAT that uses it too.
    translated = registry.is_translated(address) and not (realm and is_reused(family, number))
    if not translated or address in passed:
        return _located(registry, family, number, address, realm, start, end)
    if len(passed) >= _MAX_TRANSLATIONS:
        return [_Part(start, end, (), (f"{address} is translated more than {_MAX_TRANSLATIONS} times",))]
    rows = registry.translations(address, port, proto, peer, start, end)
    if port is None and len(rows) > MAX_CANDIDATES:
        why = f"{len(rows)} rows of NAT logs fit {address} in this time: which port?"
        return [_Part(start, end, (), (why,))]
    shown = address if port is None else f"{address}:{port}"
    parts: list[_Part] = []
    for s, e, active in _tiles([(_ns(r.started_ns, EVER_NS), _ns(r.ended_ns, NEVER_NS), r) for r in rows], start, end):
        if not active:
            why = f"{shown} is an outside address of a NAT, and no row of its log covers this time"
            parts.append(_Part(s, e, (), (why,)))
            continue
        ways = []
        for row in active:
            inner = _parts(
                registry, row.inside_address, row.inside_port, row.proto, peer, row.realm, s, e, (*passed, address)
            )
            ways.append(
                [
                    _Part(
                        p.start,
                        p.end,
                        tuple(_Hit(hit.site, (row, *hit.steps)) for hit in p.hits),
                        tuple(f"{_way(row)}; {why}" for why in (p.lacking or (() if p.hits else p.nothing))),
                    )
                    for p in inner
                ]
            )
        parts += _joined(ways, s, e)
    return parts


def _ns(time_ns: int | None, otherwise: int) -> int:
    return otherwise if time_ns is None else time_ns


def _located(
    registry: Registry, family: int, number: int, address: str, realm: str, start: int, end: int
) -> list[_Part]:
    """The whole period in stretches, by prefixes and leases."""
    own = realm in registry.realms
    if not realm:
        ways = [_in_realm(index, family, number, address, "", start, end) for index in registry.realms.values()]
        return _joined(ways, start, end) if ways else [_Part(start, end, (), (), (_no_assignment(address, ""),))]
    first = (
        _in_realm(registry.realms[realm], family, number, address, realm, start, end)
        if own
        else [_Part(start, end, (), (), (_no_assignment(address, realm),))]
    )
    if is_reused(family, number) or "" not in registry.realms:
        return first
    # A public address means the same everywhere: where its own network says nothing, what is said without one counts.
    parts: list[_Part] = []
    for part in first:
        if part.hits or part.lacking:
            parts.append(part)
        else:
            parts += _in_realm(registry.realms[""], family, number, address, "", part.start, part.end)
    return parts


def _no_assignment(address: str, realm: str) -> str:
    where = f" in the network {realm}" if realm else ""
    return f"no assignment of the registry covers {address}{where} at this time"


def _in_realm(
    index: PrefixIndex, family: int, number: int, address: str, realm: str, start: int, end: int
) -> list[_Part]:
    width = WIDTH[family]
    slots = []
    for level in index.levels(family):
        slot = level.slots.get(number >> (width - level.length))
        if slot is not None:
            slots.append(slot)
    parts = []
    for s, e, slot, entries in _swept(slots, start, end):
        hits = tuple(_Hit(entry.site, (entry,)) for entry in entries if entry.site >= 0)
        lacking: tuple[str, ...] = ()
        if slot is not None and slot.by_lease:
            lacking = tuple(_unlisted(entry) for entry in entries if entry.site < 0)
            if not entries:
                lacking = (f"{address} is held by lease, and no lease covers this time",)
        nothing: tuple[str, ...] = (_no_assignment(address, realm),)
        if slot is None:
            # Leases at places that are not listed decide nothing, but whoever mends the registry wants to know of them.
            nothing += tuple(_unlisted(entry) for entry in entries)
        parts.append(_Part(s, e, hits, lacking, nothing))
    return parts


def _unlisted(entry: Entry) -> str:
    lease = entry.lease
    assert lease is not None
    places = ", ".join(str(locator) for locator in lease.locators) or "no place"
    return f"{lease.origin} {lease.source} has {lease.prefix} at {places}; no assignment lists it"


def _swept(slots: Sequence[Slot], start: int, end: int) -> list[tuple[int, int, Slot | None, list[Entry]]]:
    """What decides in each stretch: the slot of the longest prefix that has something to say, and its entries then.

    Slots come longest first. No slot is given where none decides; the entries are then leases at unlisted places.
    """
    touching = [slot.touching(start, end) for slot in slots]
    items = [
        (entry.start, entry.end, (rank, entry))
        for rank, entries in enumerate(touching)
        for entry in entries
    ]  # fmt: skip
    told = []
    for s, e, active in _tiles(items, start, end):
        by_rank: dict[int, list[Entry]] = {}
        for rank, entry in active:
            by_rank.setdefault(rank, []).append(entry)
        chosen: tuple[Slot | None, list[Entry]] = (None, [entry for entries in by_rank.values() for entry in entries])
        for rank, slot in enumerate(slots):
            entries = by_rank.get(rank, [])
            if slot.by_lease or any(entry.site >= 0 for entry in entries):
                # A lease at an unlisted place says nothing about an address that leases have never placed.
                chosen = (slot, entries if slot.by_lease else [entry for entry in entries if entry.site >= 0])
                break
        told.append((s, e, *chosen))
    return told


T = TypeVar("T")


def _tiles(items: Sequence[tuple[int, int, T]], start: int, end: int) -> list[tuple[int, int, list[T]]]:
    """Cut [start, end) where any item begins or ends, with the items that are there in each piece."""
    if not items:
        return [(start, end, [])]
    begins: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for number, (since, until, _) in enumerate(items):
        begins.setdefault(max(since, start), []).append(number)
        ends.setdefault(min(until, end), []).append(number)
    cuts = sorted({start, end, *begins, *ends})
    active: dict[int, T] = {}
    tiles = []
    for at, following in pairwise(cuts):
        for number in ends.get(at, ()):
            active.pop(number, None)
        for number in begins.get(at, ()):
            active[number] = items[number][2]
        tiles.append((at, following, list(active.values())))
    return tiles


def _joined(ways: Sequence[list[_Part]], start: int, end: int) -> list[_Part]:
    """Several candidates' answers at once: every site, and everything that is lacking."""
    if len(ways) == 1:
        return ways[0]
    items = [(part.start, part.end, part) for way in ways for part in way]
    return [
        _Part(
            s,
            e,
            tuple(hit for part in active for hit in part.hits),
            tuple(dict.fromkeys(why for part in active for why in part.lacking)),
            tuple(dict.fromkeys(why for part in active for why in part.nothing)),
        )
        for s, e, active in _tiles(items, start, end)
    ]


# Telling -------------------------------------------------------------------------------------------------------------


def _outcome(parts: Sequence[_Part]) -> tuple[ResolutionOutcome, int]:
    """The answer, and the number of the one site or `NO_SITE`."""
    sites: set[int] = set()
    several = gap = False
    for part in parts:
        here = {hit.site for hit in part.hits}
        sites |= here
        several |= bool(here) and bool(part.lacking)
        gap |= not here
    if not sites:
        return ResolutionOutcome.UNRESOLVED, NO_SITE
    if several or len(sites) > 1:
        return ResolutionOutcome.AMBIGUOUS, NO_SITE
    return (ResolutionOutcome.PARTLY if gap else ResolutionOutcome.RESOLVED), next(iter(sites))


def _told(subject: str, parts: Sequence[_Part], registry: Registry) -> Resolution:
    outcome, site = _outcome(parts)
    stretches: list[SiteStretch] = []
    for part in parts:
        ids = tuple(sorted({registry.site_ids[hit.site] for hit in part.hits}))
        reasons = tuple(dict.fromkeys(_reason(hit, registry) for hit in part.hits[: MAX_REASONS + 1]))
        if len(part.hits) > MAX_REASONS:
            reasons = (*reasons[:MAX_REASONS], f"and {len(part.hits) - MAX_REASONS} more ways")
        missing = part.lacking or (() if ids else part.nothing)
        if len(missing) > MAX_REASONS:
            missing = (*missing[:MAX_REASONS], f"and {len(missing) - MAX_REASONS} more")
        last = stretches[-1] if stretches else None
        if last is not None and (last.site_ids, last.reasons, last.missing) == (ids, reasons, missing):
            stretches[-1] = SiteStretch(
                started_ns=last.started_ns, ended_ns=part.end, site_ids=ids, reasons=reasons, missing=missing
            )
        else:
            stretches.append(
                SiteStretch(started_ns=part.start, ended_ns=part.end, site_ids=ids, reasons=reasons, missing=missing)
            )
    return Resolution(
        subject=subject,
        outcome=outcome,
        site_id=registry.site_ids[site] if site >= 0 else None,
        stretches=tuple(stretches),
    )


def _way(row: Translation) -> str:
    ports = f":{row.port_from}" if row.port_from == row.port_to else f":{row.port_from}-{row.port_to}"
    outside = row.outside_address if (row.port_from, row.port_to) == (0, 65535) else f"{row.outside_address}{ports}"
    return f"NAT log {row.source}: {outside} -> {row.inside_address}{f' in {row.realm}' if row.realm else ''}"


def _reason(hit: _Hit, registry: Registry) -> str:
    """The way to a site, as a chain of rows."""
    said = []
    for step in hit.steps:
        if isinstance(step, Translation):
            said.append(_way(step))
            continue
        assignment = step.assignment
        assert assignment is not None
        if step.lease is not None:
            place = f"{step.lease.prefix} at {assignment.kind} {assignment.value}"
            said.append(f"{step.lease.origin} {step.lease.source}: {place}")
        kind = "usage point" if assignment.kind is AssignmentKind.USAGE_POINT else assignment.kind
        where = f" in {assignment.realm}" if assignment.realm else ""
        said.append(f"{kind} {assignment.value}{where} ({assignment.source}) -> site {registry.site_ids[hit.site]}")
    return "; ".join(said)


# Many at once --------------------------------------------------------------------------------------------------------

OUTCOMES = tuple(ResolutionOutcome)
"""Outcomes by number, as `ResolutionTable` gives them."""
_NUMBER = {outcome: number for number, outcome in enumerate(OUTCOMES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionTable:
    """Answers to many questions.

    Attributes
    ----------
    outcome : uint8[n]
        Place in `OUTCOMES`.
    site : int32[n]
        Place in `Registry.site_ids`; -1 where there is no one site.
    """

    outcome: NDArray[np.uint8]
    site: NDArray[np.int32]


def resolve_many(
    addresses: Sequence[str],
    started_ns: NDArray[np.int64],
    ended_ns: NDArray[np.int64],
    registry: Registry,
    *,
    ports: Sequence[int | None] | None = None,
    realm: str = "",
) -> ResolutionTable:
    """The outcomes of `resolve` for many questions, without their reasons.

    Questions whose answer does not change within their period, and that no NAT log is asked for, are answered by array
    look-ups: for each prefix length in use a binary search among its prefixes and one among their changes, so the cost
    is ``O(n * lengths * log(assignments))`` for each network that is searched. The rest goes one by one through
    `resolve`'s own steps.

    Parameters
    ----------
    addresses : sequence of str
    started_ns, ended_ns : int64[n]
        [ns since 1970-01-01 UTC]
    registry : Registry
    ports : sequence of int or None, optional
    realm : str

    Returns
    -------
    ResolutionTable

    Raises
    ------
    ValueError
        If the lengths differ, an address is none, or a period ends before it starts.
    """
    count = len(addresses)
    if len(started_ns) != count or len(ended_ns) != count or (ports is not None and len(ports) != count):
        raise ValueError("addresses, started_ns, ended_ns and ports differ in length")
    started = np.asarray(started_ns, np.int64)
    ended = np.asarray(ended_ns, np.int64)
    if np.any(ended < started):
        raise ValueError(f"the period of question {int(np.argmax(ended < started))} ends before it starts")
    ended = np.maximum(ended, started + 1)
    family, high, low = _numbers(addresses)
    code = np.full(count, NO_SITE, np.int32)
    steady = np.ones(count, bool)
    for version in (4, 6):
        rows = np.flatnonzero(family == version)
        # In order of addresses: neighbours find the same branches of the searches in the cache, which halves the time.
        rows = rows[np.lexsort((low[rows], high[rows])) if version == 6 else np.argsort(low[rows])]
        if len(rows):
            code[rows], steady[rows] = _codes(
                registry, version, high[rows], low[rows], started[rows], ended[rows], realm
            )
    outcome = np.full(count, _NUMBER[ResolutionOutcome.UNRESOLVED], np.uint8)
    outcome[code >= 0] = _NUMBER[ResolutionOutcome.RESOLVED]
    outcome[code == SEVERAL] = _NUMBER[ResolutionOutcome.AMBIGUOUS]
    site = np.maximum(code, NO_SITE)
    slow = set(np.flatnonzero(~steady).tolist())
    slow.update(_translated_rows(registry, addresses))
    for row in slow:
        port = ports[row] if ports is not None else None
        parts = _parts(
            registry, _canonical(addresses[row]), port, None, None, realm, int(started[row]), int(ended[row]), ()
        )
        answer, number = _outcome(parts)
        outcome[row], site[row] = _NUMBER[answer], number
    return ResolutionTable(outcome=outcome, site=site.astype(np.int32))


def _translated_rows(registry: Registry, addresses: Sequence[str]) -> Iterable[int]:
    if not registry.has_translations:
        return ()
    # An IPv4 address has one usual form; an IPv6 address has many, of which the registry knows the canonical one.
    return (
        row
        for row, address in enumerate(addresses)
        if registry.is_translated(_canonical(address) if ":" in address else address)
    )


_OCTETS = {str(value): value for value in range(256)}


def _numbers(addresses: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.uint64]]:
    """Families and halves of addresses; the usual form of IPv4 is read without the detour over an object."""
    family: list[int] = []
    high: list[int] = []
    low: list[int] = []
    octets = _OCTETS
    for text in addresses:
        try:
            a, b, c, d = text.split(".")
            number = octets[a] << 24 | octets[b] << 16 | octets[c] << 8 | octets[d]
            version = 4
        except (ValueError, KeyError):
            version, number = address_number(text)
        family.append(version)
        high.append(number >> 64)
        low.append(number & 0xFFFFFFFFFFFFFFFF)
    return np.array(family, np.uint8), np.array(high, np.uint64), np.array(low, np.uint64)


def _codes(
    registry: Registry,
    family: int,
    high: NDArray[np.uint64],
    low: NDArray[np.uint64],
    started: NDArray[np.int64],
    ended: NDArray[np.int64],
    realm: str,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Site or code at the start of each period, and whether it stays so to its end."""
    count = len(low)
    nothing = np.full(count, NO_SITE, np.int32)
    forever = np.full(count, NEVER_NS, np.int64)
    if not realm:
        code, until = nothing, forever
        for index in registry.realms.values():
            also, changes = _realm_codes(index, family, high, low, started)
            code, until = _both(code, also), np.minimum(until, changes)
        return code, until >= ended
    if realm in registry.realms:
        code, until = _realm_codes(registry.realms[realm], family, high, low, started)
    else:
        code, until = nothing, forever
    if "" in registry.realms:
        open_rows = np.flatnonzero((code == NO_SITE) & ~_reused(family, high, low))
        if len(open_rows):
            also, changes = _realm_codes(
                registry.realms[""], family, high[open_rows], low[open_rows], started[open_rows]
            )
            code[open_rows] = also
            until[open_rows] = np.minimum(until[open_rows], changes)
    return code, until >= ended


def _realm_codes(
    index: PrefixIndex, family: int, high: NDArray[np.uint64], low: NDArray[np.uint64], time_ns: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    code = np.full(len(low), NO_SITE, np.int32)
    until = np.full(len(low), NEVER_NS, np.int64)
    left = np.arange(len(low))
    for level in index.levels(family):
        found, said, changes = level.arrays().look_up(high[left], low[left], time_ns[left])
        rows = left[found]
        until[rows] = np.minimum(until[rows], changes)
        code[rows] = said
        left = np.delete(left, found[said != NO_SITE])
        if not len(left):
            break
    return code, until


def _both(one: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.int32]:
    """Two networks' answers: one where the other says nothing, several where they differ."""
    differ = np.where(one == other, one, np.int32(SEVERAL))
    return np.where(one == NO_SITE, other, np.where(other == NO_SITE, one, differ)).astype(np.int32)


def _reused(family: int, high: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """`is_reused` for arrays."""
    reused = np.zeros(len(low), bool)
    for base, shift in REUSED[family]:
        if family == 4:
            reused |= low >> np.uint64(shift) == base
        elif shift >= 64:
            reused |= high >> np.uint64(shift - 64) == base
        else:
            reused |= (high == base >> (64 - shift)) & (low >> np.uint64(shift) == base & ((1 << (64 - shift)) - 1))
    return reused
