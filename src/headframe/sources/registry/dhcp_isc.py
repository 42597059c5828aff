r"""Leases of the ISC DHCP server: `dhcpd.leases` and `dhcpd6.leases`.

The file is a log. A declaration is written whenever a lease changes, the last one of an address counts, and from time
to time the file is rewritten with the last one only::

    lease 10.1.2.3 {
      starts 5 2026/11/20 08:00:00;          # weekday date time, always UTC
      ends 5 2026/11/20 20:00:00;            # or: epoch 1795204800; or: never
      cltt 5 2026/11/20 08:00:00;
      binding state active;                  # free, expired, released, abandoned, backup, reset, bootp
      hardware ethernet 00:1a:2b:3c:4d:5e;
      uid "\001\000\032+<M^";                # octal escapes
      option agent.circuit-id "ge-0/0/1";
      client-hostname "somebodys-laptop";
    }
    ia-na "\001\000\000\000\000\001..." {    # IAID (4 bytes) and DUID
      cltt 5 2026/11/20 08:00:00;
      iaaddr 2001:db8::7 {
        binding state active;
        preferred-life 375;
        max-life 600;
        ends 5 2026/11/20 08:10:00;
      }
    }

Statements come in any order. What is read: times, state, hardware address, what the relay added (option 82), and a
variable named `vlan`, `circuit-id` or `remote-id` where the configuration sets one. **What is not:**
`client-hostname`, `uid`, DDNS names, vendor strings. The hardware address is held while the file is read, to know a
renewal from a new client, and leaves only as a keyed pseudonym.

References
----------
.. [1] dhcpd.leases(5), ISC DHCP 4.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
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
    local_ns,
)

# A string never runs over a line: dhcpd writes a line feed in it as \012.
_TOKEN = re.compile(r'[ \t\r\f\v]+|#.*|"((?:[^"\\]|\\.)*)("?)|[{};=,]|[^\s{};=,"#]+', re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_LETTERS = {b"t": b"\t", b"r": b"\r", b"n": b"\n", b"b": b"\b"}
_DATE = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2}) (\d{1,2}):(\d{2}):(\d{2})\Z", re.ASCII)
_COLON_HEX = re.compile(r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2})*\Z")
_ENDED = frozenset(("free", "expired", "released", "backup", "reset"))
_DECLARATIONS = ("lease ", "ia-na ", "ia-ta ", "ia-pd ")
_MAX_DEPTH = 16
_MAX_WORDS = 4096
"""Words in one statement; a longer one is damage (dhcpd writes a dozen)."""

_Statement = tuple[int, tuple["str | bytes", ...]]


class _Block:
    """One ``head { statements }``, with the blocks inside it."""

    __slots__ = ("blocks", "head", "row", "statements")

    def __init__(self, row: int, head: tuple[str | bytes, ...]) -> None:
        self.row = row
        self.head = head
        self.statements: list[_Statement] = []
        self.blocks: list[_Block] = []


def _unescaped(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")

    def plain(found: re.Match[bytes]) -> bytes:
        code = found[1]
        if code[:1].isdigit():
            return bytes([int(code, 8) & 0xFF])
        if code[:1] == b"x" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        return _LETTERS.get(code, code)

    return _ESCAPE.sub(plain, raw)


def read_isc_leases(path: Path, *, realm: str = "", pseudonym: Pseudonym | None = None) -> LeaseLog:
    r"""Stretches of time in which addresses were leased, and where their clients were attached.

    A renewal goes on with its stretch. A lease that was given back ends when it was, and one whose address the server
    gave to another client ends when the other began; both may be before the end that was planned. Abandoned addresses
    belong to no client. A declaration that the end of the file cuts off is not used.

    Parameters
    ----------
    path : Path
        The file, plain or gzip.
    realm : str
        Network in which the addresses are meant, where private addresses are used more than once.
    pseudonym : callable, optional
        Keyed hash for hardware addresses; without it they are dropped.

    Returns
    -------
    LeaseLog
        Leases by row; a remark for each declaration that could not be read.

    Raises
    ------
    ValueError
        If the file cannot be opened.
    """
    remarks = Remarks(path.name)
    stretches = Stretches()
    for block in _blocks(path, remarks):
        try:
            kind = block.head[0]
            if kind == "lease":
                _lease4(block, stretches, remarks, pseudonym)
            elif kind in ("ia-na", "ia-ta", "ia-pd"):
                _lease6(block, stretches, remarks, pseudonym)
        except ValueError as fault:
            remarks.row(block.row, fault)
    leases = tuple(
        Lease(
            prefix=stretch.prefix,
            started_ns=stretch.start,
            ended_ns=stretch.end,
            locators=stretch.locators,
            origin=Origin.DHCP_ISC,
            realm=realm,
            source=SourceRow(path.name, stretch.row),
        )
        for stretch in stretches.close()
    )
    return LeaseLog(leases=leases, remarks=remarks.sentences())


def _blocks(path: Path, remarks: Remarks) -> Iterator[_Block]:
    """Top-level blocks, one at a time; cost linear, memory that of one block."""
    stack: list[_Block] = []
    words: list[str | bytes] = []
    begun = 0
    row = 0
    for row, line in lines_of(path, remarks):
        # dhcpd begins a line with a declaration, and indents what lies in one: here another is still open, because the
        # server died while it wrote it.
        if line.startswith(_DECLARATIONS):
            if stack:
                remarks.row(stack[0].row, "the declaration has no end, not used")
            stack, words = [], []
        for token in _TOKEN.finditer(line):
            text = token[0]
            if text[0] in " \t\r\f\v#":
                continue
            if not words:
                begun = row
            if text == ";":
                if stack and words:
                    stack[-1].statements.append((begun, tuple(words)))
                words = []
            elif text == "{":
                stack.append(_Block(begun, tuple(words) or ("",)))
                words = []
                if len(stack) > _MAX_DEPTH:
                    remarks.row(row, f"braces nested deeper than {_MAX_DEPTH}, not used")
                    stack = []
            elif text == "}":
                words = []
                if stack:
                    block = stack.pop()
                    if stack:
                        stack[-1].blocks.append(block)
                    else:
                        yield block
            elif text[0] == '"':
                if not token[2]:
                    remarks.row(row, "a quotation mark is left open")
                words.append(_unescaped(token[1]))
            else:
                words.append(text)
            if len(words) > _MAX_WORDS:
                remarks.row(begun, f"a statement of more than {_MAX_WORDS} words, not used")
                words, stack = [], []
    if stack:
        remarks.row(stack[0].row, f"the declaration is cut off by the end of the file (row {row}), not used")


def _time(words: tuple[str | bytes, ...]) -> int | None:
    """The time of a statement such as ``ends 5 2026/11/20 20:00:00``; None for ``never``."""
    rest = [word if isinstance(word, str) else "" for word in words[1:]]
    if rest == ["never"]:
        return None
    if len(rest) == 2 and rest[0] == "epoch":
        return epoch_ns(rest[1])
    if len(rest) == 3:
        found = _DATE.match(f"{rest[1]} {rest[2]}")
        try:
            if found:
                return local_ns(datetime(*(int(part) for part in found.groups())), UTC)  # type: ignore[arg-type]
        except ValueError:
            pass  # a month 13 and the like: told below
    shown = " ".join(rest)[:60]
    raise ValueError(f"{words[0]!s} is {shown!r}; expected weekday yyyy/mm/dd hh:mm:ss in UTC, epoch seconds or never")


class _Said:
    """What a declaration says, whatever the order of its statements."""

    def __init__(self, block: _Block) -> None:
        self.times: dict[str, int | None] = {}
        self.state = ""
        self.hardware: str | None = None
        self.uid: bytes | None = None
        self.circuit: bytes | None = None
        self.remote: bytes | None = None
        self.vlan: str | None = None
        self.max_life_s: int | None = None
        for row, words in block.statements:
            head = words[0]
            try:
                if head in ("starts", "ends", "tstp", "cltt"):
                    self.times[str(head)] = _time(words)
                elif words[:2] == ("binding", "state"):
                    self.state = str(words[-1]).lower()
                elif head == "abandoned":  # how dhcpd 2 and 3.0 said it
                    self.state = "abandoned"
                elif head == "hardware" and len(words) == 3:
                    self.hardware = hardware_in(str(words[2]))
                elif head == "uid":
                    self.uid = _octets(words[1:])
                elif words[:2] == ("option", "agent.circuit-id"):
                    self.circuit = _octets(words[2:])
                elif words[:2] == ("option", "agent.remote-id"):
                    self.remote = _octets(words[2:])
                elif head == "set" and len(words) == 4 and words[2] == "=":
                    self._variable(str(words[1]).lower(), words[3])
                elif head == "max-life":
                    self.max_life_s = int(str(words[1])[:12])
            except (ValueError, IndexError) as fault:
                raise ValueError(f"row {row}: {fault}") from None

    def _variable(self, name: str, value: str | bytes) -> None:
        octets = value if isinstance(value, bytes) else value.encode()
        if name == "vlan":
            text = octets.decode("ascii", "replace").strip()
            self.vlan = text if text.isdigit() and len(text) <= 4 else None
        elif name in ("circuit-id", "circuit_id"):
            self.circuit = octets
        elif name in ("remote-id", "remote_id"):
            self.remote = octets

    def locators(self, pseudonym: Pseudonym | None) -> tuple[Locator, ...]:
        found = agent_locators(self.circuit, self.remote, self.vlan, None, pseudonym)
        if self.hardware and pseudonym:
            found.append(Locator(AssignmentKind.HARDWARE, pseudonym(self.hardware)))
        return tuple(found)


def _octets(words: tuple[str | bytes, ...]) -> bytes:
    """A data string: quoted, or hexadecimal with colons."""
    if len(words) == 1:
        word = words[0]
        if isinstance(word, bytes):
            return word
        if _COLON_HEX.match(word):
            return bytes(int(part, 16) for part in word.split(":"))
    raise ValueError("expected a quoted text or hexadecimal octets with colons")


def _lease4(block: _Block, stretches: Stretches, remarks: Remarks, pseudonym: Pseudonym | None) -> None:
    if len(block.head) != 2:
        raise ValueError("a lease without an address")
    prefix = clean_prefix(clean_address(str(block.head[1])))
    said = _Said(block)
    client = said.hardware or said.uid
    start, end = said.times.get("starts"), said.times.get("ends")
    if said.state in ("", "active", "bootp"):
        # Before failover (dhcpd 2) there was no state: a lease with times was one.
        if start is None or "ends" not in said.times:
            lacking = "start" if start is None else "end"
            raise ValueError(f"the lease of {prefix} has no {lacking} ({'starts' if start is None else 'ends'})")
        if end is not None and end < start:
            raise ValueError(f"the lease of {prefix} ends before it starts")
        if stretches.add(prefix, client, start, end, said.locators(pseudonym), block.row):
            remarks.count("leases ended early, because the address was given to another client", block.row)
    elif said.state == "abandoned":
        # Somebody used the address without a lease: from then on nobody knows who.
        if start is not None:
            stretches.end(prefix, None, start, block.row)
        remarks.count("declarations of abandoned addresses: used by somebody without a lease", block.row)
    elif said.state in _ENDED:
        if end is None:
            return  # never leased
        if not stretches.end(prefix, client, end, block.row) and client and start is not None and start < end:
            stretches.add(prefix, client, start, end, said.locators(pseudonym), block.row)
    else:
        raise ValueError(f"unknown binding state {said.state[:40]!r}")


def _lease6(block: _Block, stretches: Stretches, remarks: Remarks, pseudonym: Pseudonym | None) -> None:
    outer = _Said(block)
    identity = block.head[1] if len(block.head) > 1 and isinstance(block.head[1], bytes) else b""
    hardware = duid_hardware(identity[4:])
    for inner in block.blocks:
        if inner.head[0] not in ("iaaddr", "iaprefix") or len(inner.head) != 2:
            continue
        try:
            prefix = clean_prefix(str(inner.head[1]))
            said = _Said(inner)
            said.hardware = said.hardware or hardware
            end = said.times.get("ends")
            start = outer.times.get("cltt")
            if start is None and end is not None and said.max_life_s is not None:
                start = end - said.max_life_s * 1_000_000_000
            if said.state == "active":
                if start is None or "ends" not in said.times:
                    raise ValueError(f"the lease of {prefix} has no cltt or no ends")
                if end is not None and end < start:
                    raise ValueError(f"the lease of {prefix} ends before it starts")
                if stretches.add(prefix, identity, start, end, said.locators(pseudonym), inner.row):
                    remarks.count("leases ended early, because the address was given to another client", inner.row)
            elif said.state == "abandoned":
                remarks.count("declarations of abandoned addresses: used by somebody without a lease", inner.row)
                if start is not None:
                    stretches.end(prefix, None, start, inner.row)
            elif said.state in _ENDED:
                if end is not None and not stretches.end(prefix, identity, end, inner.row):
                    if start is not None and start < end:
                        stretches.add(prefix, identity, start, end, said.locators(pseudonym), inner.row)
            else:
                raise ValueError(f"unknown binding state {said.state[:40]!r}")
        except ValueError as fault:
            remarks.row(inner.row, fault)
