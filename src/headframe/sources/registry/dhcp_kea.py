r"""Leases of the Kea DHCP server: the memfile of DHCPv4 and of DHCPv6.

A log with a header; the last row of an address counts, and the clean-up (LFC) writes the file again with the last rows
only::

    address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
    10.1.2.3,00:1a:2b:3c:4d:5e,,3600,1795165200,7,0,0,,0,,0

    address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,...,hwaddr,state,...

Columns are found by name, for they grew from version to version. `expire` is the client's last transaction plus
`valid_lifetime`, in seconds since 1970. Fields are never quoted: a comma in one is written ``&#x2c``. `state`: 0 in
use, 1 declined (somebody else uses the address), 2 expired, 3 released, 4 registered by the client itself.
`user_context` may hold what the relay added.

**Not read:** `hostname`, `client_id`, `fqdn_*`. `hwaddr` and `duid` are held while the file is read, to know a renewal
from a new client, and leave only as a keyed pseudonym of the hardware address.

References
----------
.. [1] Kea Administrator Reference Manual, "Memfile - Basic Storage for Leases" and "Lease File Cleanup".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from headframe.records.site import AssignmentKind, Lease, Locator, Origin, SourceRow
from headframe.sources.registry.values import (
    LeaseLog,
    Pseudonym,
    Remarks,
    Stretches,
    agent_locators,
    clean_address,
    clean_prefix,
    duid_hardware,
    epoch_ns,
    hardware_in,
    lines_of,
)

_INFINITE_S = 0xFFFFFFFF
"""A lease without end. RFC 2131, section 3.3; RFC 8415, section 7.7. [s]"""
_NEEDED = frozenset(("address", "valid_lifetime", "expire"))
_ESCAPE = re.compile(r"&#x([0-9A-Fa-f]{2})")


def read_kea_leases(paths: Path | Sequence[Path], *, realm: str = "", pseudonym: Pseudonym | None = None) -> LeaseLog:
    """Stretches of time in which addresses and prefixes were leased, and where their clients were attached.

    Parameters
    ----------
    paths : Path or sequence of Path
        Files of one server, the oldest first (``leases4.csv.2``, ``leases4.csv.1``, ``leases4.csv``): rows that the
        clean-up copied are recognised.
    realm : str
        Network in which the addresses are meant, where private addresses are used more than once.
    pseudonym : callable, optional
        Keyed hash for hardware addresses; without it they are dropped.

    Returns
    -------
    LeaseLog
        A lease that was given back at a time the file does not tell keeps the end that was planned, with a remark.

    Raises
    ------
    ValueError
        If a file cannot be opened, or has no header of a lease file.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    leases: list[Lease] = []
    sentences: list[str] = []
    stretches = Stretches()
    # Rows are numbered through, so that a stretch which goes on in the next file still knows where it was read.
    starts_at: list[tuple[int, str]] = []
    base = 0
    for path in files:
        remarks = Remarks(path.name)
        starts_at.append((base, path.name))
        base = _read_one(path, base, stretches, remarks, pseudonym)
        sentences += remarks.sentences()
    for stretch in stretches.close():
        offset, name = next(place for place in reversed(starts_at) if place[0] < stretch.row)
        leases.append(
            Lease(
                prefix=stretch.prefix,
                started_ns=stretch.start,
                ended_ns=stretch.end,
                locators=stretch.locators,
                origin=Origin.DHCP_KEA,
                realm=realm,
                source=SourceRow(name, stretch.row - offset),
            )
        )
    return LeaseLog(leases=tuple(leases), remarks=tuple(sentences))


def _read_one(path: Path, base: int, stretches: Stretches, remarks: Remarks, pseudonym: Pseudonym | None) -> int:
    header: list[str] = []
    row = 0
    for row, line in lines_of(path, remarks):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split(",")
        if fields[0].strip().lower() == "address":  # again in the middle where files were joined
            header = [name.strip().lower() for name in fields]
            if not set(header) >= _NEEDED:
                raise ValueError(f"{path}: no lease file of Kea: the header lacks {', '.join(_NEEDED - set(header))}")
            continue
        if not header:
            raise ValueError(f"{path}: no lease file of Kea: expected a header that begins with address,")
        if len(fields) > len(header):
            remarks.row(row, f"{len(fields)} fields where the header has {len(header)}")
            continue
        try:
            _row(dict(zip(header, fields, strict=False)), base + row, row, stretches, remarks, pseudonym)
        except ValueError as fault:
            remarks.row(row, fault)
    return base + row


def _row(
    said: dict[str, str], place: int, row: int, stretches: Stretches, remarks: Remarks, pseudonym: Pseudonym | None
) -> None:
    prefix = clean_address(said["address"])
    lease_type = said.get("lease_type", "0").strip() or "0"
    # Lease types of Kea: 0 address (IA_NA), 1 temporary address (IA_TA), 2 delegated prefix (IA_PD).
    if lease_type == "2":
        prefix = f"{prefix}/{said.get('prefix_len', '').strip()}"
    prefix = clean_prefix(prefix)
    life_s = _whole(said.get("valid_lifetime", ""), "valid_lifetime")
    expire_ns = epoch_ns(said.get("expire", "").strip())
    state = _whole(said.get("state", "").strip() or "0", "state")
    hardware = hardware_in(said.get("hwaddr", ""))
    duid = _hex(said.get("duid", ""))
    hardware = hardware or duid_hardware(duid)
    client: object = hardware or duid or said.get("client_id", "").strip() or None
    if 0 < life_s < _INFINITE_S and expire_ns < life_s * 1_000_000_000:
        raise ValueError("expire is less than valid_lifetime")
    endless = life_s == _INFINITE_S
    # An endless lease has no end from which its beginning could be reckoned: Kea adds modulo 2**32.
    start = (expire_ns // 1_000_000_000 - life_s) % 2**32 * 1_000_000_000 if endless else expire_ns - life_s * 10**9
    if state == 1:
        stretches.end(prefix, None, start, place)
        remarks.count("declined addresses: used by somebody without a lease", row)
        return
    if state not in (0, 2, 3, 4):
        raise ValueError(f"unknown state {state}")
    if life_s == 0 or state == 3:
        # Given back. The row tells when only if its time is later than the client's last transaction.
        last = stretches.last(prefix)
        if last is not None and expire_ns > last[1]:
            stretches.end(prefix, client, expire_ns, place)
        elif last is not None:
            remarks.count("leases were given back at a time that is not told; they count to their planned end", row)
        return
    end = None if endless else expire_ns
    if state == 2 and stretches.end(prefix, None, expire_ns, place):
        return  # the clean-up of an expired lease may have removed its client; the stretch is known already
    locators = _locators(said, hardware, pseudonym)
    if stretches.add(prefix, client, start, end, locators, place):
        remarks.count("leases ended early, because the address was given to another client", row)


def _whole(text: str, name: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValueError(f"{name} is {text[:20]!r}; expected a whole number")
    return int(text)


def _hex(text: str) -> bytes:
    try:
        return bytes(int(part, 16) for part in text.strip().split(":")) if text.strip() else b""
    except ValueError:
        return b""


def _locators(said: dict[str, str], hardware: str | None, pseudonym: Pseudonym | None) -> tuple[Locator, ...]:
    circuit, remote, relay = _relayed(said.get("user_context", ""))
    found = agent_locators(circuit, remote, None, relay, pseudonym)
    subnet = said.get("subnet_id", "").strip()
    if subnet.isascii() and subnet.isdigit() and len(subnet) <= 10:
        found.append(Locator(AssignmentKind.SUBNET, str(int(subnet))))
    if hardware and pseudonym:
        found.append(Locator(AssignmentKind.HARDWARE, pseudonym(hardware)))
    return tuple(found)


def _relayed(context: str) -> tuple[bytes | None, bytes | None, str | None]:
    """Circuit id, remote id and relay from a user context; None each where it does not say."""
    if "relay" not in context:
        return None, None, None
    try:
        known = json.loads(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), context))["ISC"]
        circuit = remote = relay = None
        info = known.get("relay-agent-info")
        if info is not None:
            text = info if isinstance(info, str) else info["sub-options"]
            options = _sub_options(bytes.fromhex(text.removeprefix("0x")))
            circuit, remote = options.get(1), options.get(2)
        hops = known.get("relay-info")
        if isinstance(hops, list) and hops:
            last = hops[-1]  # the relay nearest to the client
            remote = _hex_text(last.get("remote-id"))
            if "link" in last:
                relay = clean_address(last["link"])
        return circuit, remote, relay
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None, None, None  # extras: what they lack is seen when the address is looked for


def _hex_text(text: object) -> bytes | None:
    return bytes.fromhex(text.removeprefix("0x").replace(":", "")) if isinstance(text, str) else None


def _sub_options(data: bytes) -> dict[int, bytes]:
    """Sub-options of option 82: code, length, value. RFC 3046, section 2."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 2 <= len(data):
        length = data[at + 1]
        value = data[at + 2 : at + 2 + length]
        if len(value) == length:
            found.setdefault(data[at], value)
        at += 2 + length
    return found
