"""Check a bundle without Headframe: one file, nothing but Python's standard library, no network.

``python examples/verify_bundle.py BUNDLE --key LINE-OR-FILE [--key ...] [--witnesses N]``

BUNDLE is a folder or a zip. A key is the one line ``name+id+base64``, or a file of such lines, of the log or of a
witness; get it on another way than the bundle. This is written from docs/ledger-format.md alone: each part names the
section of that page which it implements. It ends with 0 if every check holds, 1 if one does not, 2 if it was called
wrongly. Memory does not grow with the files, only with their number. It has one gap, which the page allows: an
RFC 3161 time-stamp is reported and not checked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import os
import re
import stat
import struct
import sys
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

MAX_FILES = 100_000  # section 6, step 1
MAX_MANIFEST = 32 * 2**20  # section 6, step 2
MAX_LINE = 16 * 2**20  # section 6, its last paragraph; without the newline
MAX_LEAF = 65_535  # section 1
MAX_PROOF = 64  # section 6, leaves.jsonl
MAX_FINDINGS = 100_000  # section 6, step 9
MAX_SMALL = 2**20  # section 6, step 3: checkpoint, manifest.note, keys, and what may be missing
MAX_SIGNATURES = 100  # section 3
MAX_WHOLE = 2**53 - 1  # section 1
MAX_DEPTH = 100  # section 1
MAX_INSTANT = 2**63 - 1  # sections 1 and 6: at_ns and made_ns
MAX_DIRECTORY = 32 * 2**20  # section 6, step 1
CHUNK = 2**16

NEEDED = {"README.txt", "checkpoint", "disclosures.jsonl", "keys", "leaves.jsonl"}  # section 6, table and step 3
MANIFEST, MANIFEST_NOTE, TIMESTAMP = "manifest.json", "manifest.note", "timestamp.tsr"
WITNESSED = ["witnessed", *(f"witnessed-{number}" for number in range(2, 17))]  # section 6, table
OPTIONAL = {TIMESTAMP, *WITNESSED, *(f"{name}.proof" for name in WITNESSED)}  # section 6, table and step 3
FINDINGS = "data/findings.jsonl"
HANDED_OUT = "access"  # section 6, steps 7 and 9

HEX_DIGEST = re.compile("[0-9a-f]{64}")
DECIMAL = re.compile("0|[1-9][0-9]*")
KIND = re.compile("[a-z][a-z0-9_]{0,63}")
SALT = re.compile("(?:[0-9a-f]{2}){16,}")


class Refused(Exception):
    """A check does not hold; the message says why."""


# Ed25519: RFC 8032, section 5.1. Only public things are computed here, so nothing has to take constant time.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z (section 5.1.4)
NEUTRAL: Point = (0, 1, 1, 0)


def add_points(p: Point, q: Point) -> Point:
    """RFC 8032, section 5.1.4."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar: int, point: Point) -> Point:
    """Add `point` to itself `scalar` times, by doubling."""
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = add_points(result, point)
        point, scalar = add_points(point, point), scalar >> 1
    return result


def decode_point(data: bytes) -> Point | None:
    """RFC 8032, section 5.1.3: y and the sign of x; None if no point of the curve has them."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    x_squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x_squared, (P + 3) // 8, P)
    if x * x % P != x_squared:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != x_squared or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def encode_point(point: Point) -> bytes:
    """RFC 8032, section 5.1.2."""
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032, section 5.1.7: is R what [S]B - [k]A says it must be?"""
    key = decode_point(public) if len(public) == 32 else None
    s = int.from_bytes(signature[32:], "little")
    if key is None or BASE is None or len(signature) != 64 or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus_key = (P - key[0], key[1], 1, P - key[3])
    return encode_point(add_points(multiply(s, BASE), multiply(k, minus_key))) == signature[:32]


# JSON: section 1, "Canonical", which is RFC 8785 and what a reader refuses on top of it.

ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)}
ESCAPES |= {ord(char): "\\" + name for char, name in zip('\b\t\n\f\r"\\', 'btnfr"\\', strict=True)}


def strict_json(data: bytes, what: str) -> Any:
    """Read JSON and refuse what section 1 refuses: keys twice, depth, half characters, numbers beyond its limits."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=object_without_repeats,
            parse_int=number_in_range,
            parse_float=number_in_range,
            parse_constant=number_in_range,
        )
        check_depth_and_texts(value)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what} is not strict JSON: {error}") from error
    return value


def check_depth_and_texts(value: Any) -> None:
    """Refuse more than 100 objects and lists within one another, and half surrogate pairs, which UTF-8 cannot hold."""
    level, depth = [value], 0
    while level:
        nested: list[Any] = []
        for item in level:
            if isinstance(item, str):
                item.encode()  # UnicodeEncodeError is a ValueError
            elif isinstance(item, list | dict):
                nested.append(item)
        depth += bool(nested)
        if depth > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} objects and lists are within one another")
        level = [item for outer in nested for item in outer]
        level += [item for outer in nested if isinstance(outer, dict) for item in outer.values()]


def object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object in which a key stands twice."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def number_in_range(text: str) -> int | float:
    """Refuse what a double cannot hold exactly; ``1e300`` is a whole number too."""
    number = float(text)
    if number - number != 0:
        raise ValueError(f"{text[:30]} is not a finite number")
    if number.is_integer() and abs(number) > MAX_WHOLE:
        raise ValueError(f"{text[:30]} is a whole number beyond 2^53 - 1")
    return int(text) if re.fullmatch("[0-9]+|-[1-9][0-9]*", text) else number  # -0 stays a double, and no index


def canonical(value: Any, what: str) -> bytes:
    """Write a value as RFC 8785 does."""
    parts: list[str] = []
    try:
        write_canonical(value, parts)
        return "".join(parts).encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused(f"{what} has half a surrogate pair, which is no text") from error


def write_canonical(value: Any, parts: list[str]) -> None:
    """RFC 8785, section 3.2: no white space, keys by UTF-16 code units, few escapes, numbers of ECMAScript."""
    if value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        parts.append(f'"{value.translate(ESCAPES)}"')
    elif isinstance(value, int | float):
        parts.append(ecmascript_number(value))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            parts.append("," if number else "[")
            write_canonical(item, parts)
        parts.append("]" if value else "[]")
    else:
        for number, key in enumerate(sorted(value, key=lambda key: key.encode("utf-16-be"))):
            parts.append(("," if number else "{") + f'"{key.translate(ESCAPES)}":')
            write_canonical(value[key], parts)
        parts.append("}" if value else "{}")


def ecmascript_number(value: float) -> str:
    """ECMA-262, Number::toString: digits s, of which there are k, with value = 0.s times 10^n."""
    if value == 0:
        return "0"
    decimal = Decimal(repr(abs(value)))  # Python's repr has the same shortest digits, in another dress
    s = "".join(map(str, decimal.as_tuple().digits)).rstrip("0")
    n, k = decimal.adjusted() + 1, len(s)
    if k <= n <= 21:
        text = s + "0" * (n - k)
    elif 0 < n <= 21:
        text = f"{s[:n]}.{s[n:]}"
    elif -6 < n <= 0:
        text = f"0.{'0' * -n}{s}"
    else:
        text = s[0] + ("." + s[1:] if k > 1 else "") + f"e{n - 1:+d}"
    return "-" + text if value < 0 else text


def is_whole(value: Any) -> bool:
    """Is this a whole number, 0 or more? To Python, true and false are numbers too; not to us."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_text(value: Any, pattern: re.Pattern[str] | None = None) -> bool:
    """Is this a text, of this pattern if one is given?"""
    return isinstance(value, str) and (pattern is None or pattern.fullmatch(value) is not None)


def is_instant(value: Any) -> bool:
    """Is this a number of nanoseconds since 1970, as decimal text, at most 2^63 - 1?"""
    return is_text(value, DECIMAL) and len(value) <= 19 and int(value) <= MAX_INSTANT


def demand(condition: bool, reason: str) -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise Refused(reason)


# The tree: section 2.


def leaf_hash(leaf: bytes) -> bytes:
    """Section 2: the hash of a leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Section 2: the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def is_included(hashed: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Section 2, "Inclusion": does the proof lead from this leaf to the root?"""
    if not 0 <= index < size:
        return False
    fn, sn = index, size - 1
    for neighbour in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            hashed = node_hash(neighbour, hashed)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            hashed = node_hash(hashed, neighbour)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hashed == root


def is_continued(old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]) -> bool:
    """Section 2, "Consistency": is the first tree the beginning of the second?"""
    if old > new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == hashlib.sha256().digest()
    if old & (old - 1) == 0:
        proof = [old_root, *proof]
    if not proof:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = proof[0]
    for neighbour in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(neighbour, first), node_hash(neighbour, second)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, neighbour)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == new_root


# Signed notes, keys and checkpoints: sections 3 and 4.

LOG_KEY, WITNESS_KEY = 1, 4


class Key(NamedTuple):
    """A public key (section 3)."""

    name: str
    id: bytes
    type: int
    public: bytes


Keys = dict[tuple[str, bytes], Key]


class Signature(NamedTuple):
    """One signature line of a note (section 3)."""

    name: str
    id: bytes
    signature: bytes


class Note(NamedTuple):
    """A signed note (section 3), not yet checked."""

    text: str
    signatures: list[Signature]


class Checkpoint(NamedTuple):
    """What the text of a checkpoint says (section 4)."""

    origin: str
    size: int
    root: bytes


def decode_base64(text: str) -> bytes:
    """Decode base64 in its one right spelling (the page's opening); ValueError for any other."""
    data = base64.b64decode(text.encode("ascii"), validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 in a spelling of its own")
    return data


def parse_key(line: str) -> Key:
    """Section 3: ``name+id+base64(type || key)``; ValueError if it is anything else."""
    name, id_hex, encoded = line.split("+", 2)
    data = decode_base64(encoded)
    key_id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if not is_key_name(name) or id_hex != key_id.hex():
        raise ValueError("its name or its id is wrong")
    if len(data) != 33 or data[0] not in (LOG_KEY, WITNESS_KEY):
        raise ValueError("it is no Ed25519 key of a log or a witness")
    return Key(name, key_id, data[0], data[1:])


def is_key_name(name: str) -> bool:
    """Section 3: not empty, no white space, no plus sign, nothing below U+0020."""
    return name != "" and not any(char.isspace() or char < " " or char == "+" for char in name)


def parse_note(data: bytes, what: str) -> Note:
    """Section 3: the text, the last blank line, and at most 100 signature lines; nothing below U+0020."""
    demand(len(data) <= MAX_SMALL, f"{what} is longer than {MAX_SMALL:,} bytes")
    try:
        whole = data.decode("utf-8")
        demand(not any(char < " " and char != "\n" for char in whole), f"{what} has control characters")
        body, blank, lines = whole.rpartition("\n\n")
        demand(bool(blank) and lines.endswith("\n"), f"{what} is no signed note: text, a blank line, signatures")
        demand(lines.count("\n") <= MAX_SIGNATURES, f"{what} has more than {MAX_SIGNATURES} signatures")
        return Note(body + "\n", [parse_signature(line) for line in lines[:-1].split("\n")])
    except ValueError as error:
        raise Refused(f"{what} is no signed note: {error}") from error


def parse_signature(line: str) -> Signature:
    """Section 3: em dash, space, name, space, base64 of id and signature; ValueError if it is anything else."""
    dash, name, encoded = line.split(" ")
    data = decode_base64(encoded)
    if dash != "\u2014" or not is_key_name(name) or len(data) < 5:
        raise ValueError("a signature line is malformed")
    return Signature(name, data[:4], data[4:])


def signers(note: Note, trusted: Keys, key_type: int, what: str) -> set[Key]:
    """Section 3: the trusted keys of this type that have signed; refuse if a line of one does not verify."""
    found = set()
    for line in note.signatures:
        key = trusted.get((line.name, line.id))
        if key is not None and key.type == key_type:
            holds = log_line_holds if key_type == LOG_KEY else witness_line_holds
            demand(holds(key, note.text, line.signature), f"{what}: the signature of {key.name!r} does not verify")
            found.add(key)
    return found


def log_line_holds(key: Key, text: str, signature: bytes) -> bool:
    """Section 3: 64 bytes, over the text."""
    return ed25519_holds(key.public, text.encode(), signature)


def witness_line_holds(key: Key, text: str, signature: bytes) -> bool:
    """Section 4, "Co-signatures": 8 bytes of time and 64 bytes, over two lines and the text."""
    seconds = int.from_bytes(signature[:8], "big")
    message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
    return len(signature) == 72 and ed25519_holds(key.public, message, signature[8:])


def parse_checkpoint(text: str) -> Checkpoint:
    """Section 4: origin, number of leaves, root; further lines that are not empty are passed over."""
    lines = text[:-1].split("\n")
    demand(len(lines) >= 3 and all(lines), "checkpoint has fewer than three lines, or an empty one")
    demand(is_text(lines[1], DECIMAL), "checkpoint has no decimal number on its second line")
    demand(len(lines[1]) <= 19 and int(lines[1]) < 2**63, "checkpoint speaks of 2^63 leaves or more")
    try:
        root = decode_base64(lines[2])
    except ValueError as error:
        raise Refused("checkpoint has no base64 on its third line") from error
    demand(len(root) == 32, "checkpoint has a root that is not 32 bytes long")
    of_nothing = hashlib.sha256().digest()
    demand(int(lines[1]) > 0 or root == of_nothing, "checkpoint has no leaves, and another root than that of none")
    return Checkpoint(lines[0], int(lines[1]), root)


# The container: section 6, step 1.


@dataclass(frozen=True)
class Bundle:
    """The files of a folder or of a zip: how long each is, and how to open it."""

    kind: str
    sizes: dict[str, int]
    open: Callable[[str], BinaryIO]

    def read(self, path: str, limit: int) -> bytes:
        """Read a small file whole."""
        demand(path in self.sizes, f"{path} is missing")
        demand(self.sizes[path] <= limit, f"{path} is longer than {limit:,} bytes")
        with self.open(path) as stream:
            return stream.read(self.sizes[path])


def open_folder(root: Path) -> Bundle:
    """Step 1, for a folder: plain files and folders only."""
    sizes: dict[str, int] = {}
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                path = folder + entry.name
                if entry.is_dir(follow_symlinks=False):
                    demand(path_is_plain(path), f"the path {path[:100]!r} is not allowed")
                    folders.append(path + "/")
                    continue
                demand(entry.is_file(follow_symlinks=False), f"{path!r} is neither a plain file nor a folder")
                sizes[path] = entry.stat(follow_symlinks=False).st_size
                demand(len(sizes) <= MAX_FILES, f"more than {MAX_FILES:,} files")
    check_paths(sizes)
    return Bundle("folder", sizes, lambda path: open(root / path, "rb"))


# The records of a zip, as its specification (APPNOTE.TXT, 4.3) lays them out.
LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = struct.Struct("<4sLQL")
NAME_IS_UTF8 = 1 << 11
DOS_FOLDER = 0x10
NEWEST_VERSION = 45
WIDE_NUMBERS, OTHER_NAME = 0x0001, 0x7075
DAMAGED = "this is no zip, or a damaged one"


class ZipEntry(NamedTuple):
    """One file of a zip, as the central directory describes it."""

    name: bytes
    path: str
    size: int
    offset: int
    flags: int
    crc: int


def open_zip(path: Path) -> Bundle:
    """Step 1, for a zip: stored plain files, one after the other from byte 0 on, then the central directory."""
    stream = open(path, "rb")
    entries: dict[str, ZipEntry] = {}
    count, start, end = find_central_directory(stream)
    demand(count <= MAX_FILES, f"more than {MAX_FILES:,} files")
    demand(end - start <= MAX_DIRECTORY, f"the central directory is longer than {MAX_DIRECTORY:,} bytes")
    for entry in read_central_directory(stream, start, end):
        demand(entry.path not in entries, f"the name {entry.path!r} is there twice")
        entries[entry.path] = entry
        demand(len(entries) <= count, "more entries than the end record says")
    demand(len(entries) == count, "fewer entries than the end record says")
    check_paths(entries)
    begins: dict[str, int] = {}
    free = 0
    for entry in sorted(entries.values(), key=lambda entry: entry.offset):
        demand(entry.offset == free, f"{entry.path!r} lies over another entry, or behind a gap")
        begins[entry.path] = data_begins(stream, entry)
        free = begins[entry.path] + entry.size
    demand(free == start, "the last entry does not end where the central directory begins")
    sizes = {entry.path: entry.size for entry in entries.values()}
    return Bundle("zip", sizes, lambda name: io.BufferedReader(Window(stream, begins[name], entries[name]), CHUNK))


class Window(io.RawIOBase):
    """The bytes of an entry, as a stream of its own; its CRC-32 is checked when its end is reached."""

    def __init__(self, stream: BinaryIO, start: int, entry: ZipEntry) -> None:
        self.stream, self.position, self.end = stream, start, start + entry.size
        self.entry, self.crc = entry, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.stream.seek(self.position)
        data = self.stream.read(min(len(buffer), self.end - self.position))
        buffer[: len(data)] = data
        self.position += len(data)
        self.crc = zlib.crc32(data, self.crc)
        at_end = self.position == self.end
        demand(not at_end or self.crc == self.entry.crc, f"{self.entry.path!r} has another CRC-32 than the zip says")
        return len(data)


def read_record(
    stream: BinaryIO, layout: struct.Struct, signature: bytes, offset: int | None = None
) -> tuple[Any, ...]:
    """Read one record of a zip, here or at an offset."""
    if offset is not None:
        demand(offset < 2**63, DAMAGED)
        stream.seek(offset)
    data = stream.read(layout.size)
    demand(len(data) == layout.size and data.startswith(signature), DAMAGED)
    return layout.unpack(data)


def find_central_directory(stream: BinaryIO) -> tuple[int, int, int]:
    """Give how many entries there are, and where the central directory begins and ends (APPNOTE 4.3.14 to 4.3.16)."""
    at = stream.seek(0, os.SEEK_END) - END.size
    demand(at >= 0, "this is neither a folder nor a zip")
    *numbers, comment = read_record(stream, END, b"PK\5\6", at)[1:]
    demand(comment == 0, "something stands behind the end of the zip")
    stream.seek(max(0, at - LOCATOR_64.size))
    if at >= LOCATOR_64.size and stream.read(4) == b"PK\6\7":
        place = read_record(stream, LOCATOR_64, b"PK\6\7", at - LOCATOR_64.size)
        at -= LOCATOR_64.size + END_64.size
        demand(place[1:] == (0, at, 1), DAMAGED)
        _, length, _, _, *wide = read_record(stream, END_64, b"PK\6\6", at)
        demand(length == END_64.size - 12, DAMAGED)
        maxima = [0xFFFF] * 4 + [0xFFFFFFFF] * 2
        fits = all(n in (w, m) for n, w, m in zip(numbers, wide, maxima, strict=True))
        demand(fits, "the two end records of the zip contradict each other")
        numbers = wide
    disk, first_disk, here, count, size, start = numbers
    demand(disk == first_disk == 0 and here == count, "the zip is one part of several")
    demand(start + size == at, "the central directory does not end where the end record begins")
    return count, start, at


def read_central_directory(stream: BinaryIO, start: int, end: int) -> Iterator[ZipEntry]:
    """Step 1: each entry is stored, has no flag but bit 11, is a plain file; its name is ASCII or flagged as UTF-8."""
    stream.seek(start)
    while stream.tell() < end:
        record = read_record(stream, CENTRAL, b"PK\1\2")
        version, flags, method, packed, size, attributes, offset = (record[i] for i in (2, 3, 4, 8, 9, 15, 16))
        name, extra = stream.read(record[10]), extra_fields(stream.read(record[11]))
        stream.seek(record[12], os.SEEK_CUR)
        demand(stream.tell() <= end, DAMAGED)
        size, packed, offset = wide_numbers(extra, size, packed, offset)
        path = decode_name(name, flags)
        demand(method == 0 and packed == size, f"{path!r} is compressed")
        demand(flags in (0, NAME_IS_UTF8), f"{path!r} is encrypted, or has other flags than bit 11")
        demand(version & 0xFF <= NEWEST_VERSION, f"{path!r} needs a later version of the format")
        demand(record[13] == 0, "the zip is one part of several")
        demand(stat.S_IFMT(attributes >> 16) in (0, stat.S_IFREG), f"{path!r} is not a plain file")
        demand(not attributes & DOS_FOLDER, f"{path!r} is a folder")
        yield ZipEntry(name, path, size, offset, flags, record[7])


def extra_fields(data: bytes) -> dict[int, bytes]:
    """APPNOTE 4.5.1: id, length and content of each extra field; together they fill their space, each id once."""
    fields: dict[int, bytes] = {}
    while data:
        demand(len(data) >= 4, DAMAGED)
        kind, length = struct.unpack_from("<2H", data)
        demand(kind != OTHER_NAME, "an entry of the zip has a second name")
        demand(4 + length <= len(data) and kind not in fields, DAMAGED)
        fields[kind], data = data[4 : 4 + length], data[4 + length :]
    return fields


def wide_numbers(extra: dict[int, bytes], *numbers: int) -> Iterator[int]:
    """APPNOTE 4.5.3: numbers that do not fit into four bytes stand in the extra field 0001."""
    wide = extra.get(WIDE_NUMBERS, b"")
    for number in numbers:
        if number == 0xFFFFFFFF:
            demand(len(wide) >= 8, DAMAGED)
            number, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        yield number


def decode_name(name: bytes, flags: int) -> str:
    """Step 1: a name outside ASCII is flagged as UTF-8."""
    try:
        return name.decode("utf-8" if flags & NAME_IS_UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise Refused(f"the name {name!r} is neither ASCII nor flagged as UTF-8") from error


def data_begins(stream: BinaryIO, entry: ZipEntry) -> int:
    """Pass the local header, which must speak of the same file, and give where the file's bytes begin."""
    record = read_record(stream, LOCAL, b"PK\3\4", entry.offset)
    demand(stream.read(record[9]) == entry.name, f"{entry.path!r} has another name in its local header")
    demand(record[2:4] == (entry.flags, 0), f"{entry.path!r} has other flags or another method in its local header")
    extra = stream.read(record[10])
    demand(len(extra) == record[10], DAMAGED)
    extra_fields(extra)
    return stream.tell()


def check_paths(paths: Iterable[str]) -> None:
    """Step 1: each path by itself, and no two that some file system would lay over each other."""
    spellings: dict[str, str] = {}
    for path in paths:
        demand(path_is_plain(path), f"the path {path[:100]!r} is not allowed")
        other = spellings.setdefault(path.casefold(), path)
        demand(other == path, f"{path!r} and {other!r} differ only in upper and lower case")
    for folded, path in spellings.items():
        slash = folded.find("/")
        while slash >= 0:
            demand(folded[:slash] not in spellings, f"{path!r} has a folder that is a file")
            slash = folded.find("/", slash + 1)


def path_is_plain(path: str) -> bool:
    """Step 1, "A path is refused if"; an empty path and one with / in front have an empty part."""
    if any(char in "\\:" or unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in path):
        return False
    parts = path.split("/")
    return (
        len(path.encode()) <= 1000
        and unicodedata.is_normalized("NFC", path)
        and all(len(part.encode()) <= 240 for part in parts)
        and not any(part in ("", ".", "..") or part[0] == " " or part[-1] in " ." for part in parts)
    )


# The manifest, the leaves and the disclosures: section 6.


class Listed(NamedTuple):
    """A file as the manifest lists it."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What manifest.json says."""

    subject: str
    made_ns: str
    checkpoint: Checkpoint
    files: dict[str, Listed]
    sha256: str


def parse_manifest(data: bytes) -> Manifest:
    """Section 6, "manifest.json", and step 2."""
    said = strict_json(data, MANIFEST)
    demand(canonical(said, MANIFEST) == data, f"{MANIFEST} is not canonical JSON")
    expected = {"files", "format", "made_ns", "origin", "root", "subject", "tree_size"}
    demand(isinstance(said, dict) and said.keys() == expected, f"{MANIFEST} has other keys than it must have")
    demand(said["format"] == "headframe-bundle/1", f"{MANIFEST} is of an unknown format")
    demand(is_text(said["subject"]) and is_text(said["origin"]), f"{MANIFEST}: subject and origin must be texts")
    demand(is_instant(said["made_ns"]), f"{MANIFEST}: made_ns must be decimal text, at most 2^63 - 1")
    demand(is_whole(said["tree_size"]), f"{MANIFEST}: tree_size must be a whole number")
    demand(is_text(said["root"], HEX_DIGEST), f"{MANIFEST}: root must be 64 hex digits")
    demand(isinstance(said["files"], list), f"{MANIFEST}: files must be a list")
    checkpoint = Checkpoint(said["origin"], said["tree_size"], bytes.fromhex(said["root"]))
    files = parse_listed(said["files"])
    return Manifest(said["subject"], said["made_ns"], checkpoint, files, hashlib.sha256(data).hexdigest())


def parse_listed(entries: list[Any]) -> dict[str, Listed]:
    """Section 6, "manifest.json": path, sha256 and size, in order of path, each once, names of the table only."""
    files: dict[str, Listed] = {}
    last = ""
    for entry in entries:
        known = isinstance(entry, dict) and entry.keys() == {"path", "sha256", "size"}
        demand(known and is_text(entry["path"]), f"{MANIFEST} lists a file without path, sha256 and size")
        path = entry["path"]
        demand(is_text(entry["sha256"], HEX_DIGEST) and is_whole(entry["size"]), f"{MANIFEST}: {path!r} is malformed")
        demand(path > last, f"{MANIFEST}: {path!r} is out of order or there twice")
        of_the_table = path in NEEDED | OPTIONAL or path.startswith(("documents/", "data/"))
        demand(of_the_table, f"{MANIFEST} lists {path!r}, which is no name of a bundle")
        files[path] = Listed(entry["size"], entry["sha256"])
        last = path
    check_paths(files)
    return files


@dataclass(frozen=True)
class Leaf:
    """A line of leaves.jsonl; what the leaf says is in `said`."""

    index: int
    data: bytes
    said: dict[str, Any]
    proof: list[bytes]


@dataclass(frozen=True)
class Disclosure:
    """A line of disclosures.jsonl."""

    index: int
    name: str
    salt: str
    value: Any


def read_lines(bundle: Bundle, path: str, keys: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Section 6: one object with these keys per line; each line is ended by a newline and at most 16 MiB long."""
    with bundle.open(path) as stream:
        for number in range(1, sys.maxsize):
            line = stream.readline(MAX_LINE + 1)
            if not line:
                return
            where = f"{path}, line {number:,}"
            demand(len(line) <= MAX_LINE or line.endswith(b"\n"), f"{where} is too long")
            demand(line.endswith(b"\n"), f"{where} is not ended by a newline")
            said = strict_json(line[:-1], where)
            demand(isinstance(said, dict) and said.keys() == keys, f"{where} has other keys than it must have")
            yield where, said


def read_leaves(bundle: Bundle) -> Iterator[Leaf]:
    """Section 6, "leaves.jsonl": in order of index, each once."""
    last = -1
    for where, line in read_lines(bundle, "leaves.jsonl", {"index", "leaf", "proof"}):
        proof = line["proof"]
        demand(is_whole(line["index"]) and is_text(line["leaf"]), f"{where} has no index or no leaf")
        demand(line["index"] > last, f"{where} is out of order or there twice")
        demand(isinstance(proof, list) and len(proof) <= MAX_PROOF, f"{where} has no proof of at most 64 hashes")
        demand(all(is_text(item, HEX_DIGEST) for item in proof), f"{where} has a proof with something else than hashes")
        data = line["leaf"].encode()
        yield Leaf(line["index"], data, parse_leaf(data, where), [bytes.fromhex(item) for item in proof])
        last = line["index"]


def parse_leaf(data: bytes, where: str) -> Any:
    """Section 1: a leaf is canonical JSON with exactly these keys."""
    demand(1 <= len(data) <= MAX_LEAF, f"{where}: a leaf has 1 to {MAX_LEAF:,} bytes")
    said = strict_json(data, f"{where}: the leaf")
    demand(canonical(said, where) == data, f"{where}: the leaf is not canonical JSON")
    expected = {"at_ns", "fields", "format", "kind", "subject"}
    demand(isinstance(said, dict) and said.keys() == expected, f"{where}: the leaf has other keys than it must have")
    demand(said["format"] == "headframe-leaf/1", f"{where}: the leaf is of an unknown format")
    demand(is_instant(said["at_ns"]), f"{where}: at_ns must be decimal text, at most 2^63 - 1")
    demand(is_text(said["kind"], KIND), f"{where}: kind must be a word of a-z, 0-9 and _")
    demand(is_text(said["subject"]) and said["subject"] != "", f"{where}: subject must be a text that is not empty")
    is_digest = said["kind"] != "document" or is_text(said["subject"], HEX_DIGEST)
    demand(is_digest, f"{where}: the subject of a document must be its SHA-256")
    fields = said["fields"]
    demand(isinstance(fields, dict) and "" not in fields, f"{where}: fields must be an object, with names")
    demand(all(is_text(digest, HEX_DIGEST) for digest in fields.values()), f"{where}: a field has no digest")
    return said


def read_disclosures(bundle: Bundle) -> Iterator[tuple[str, Disclosure]]:
    """Section 6, "disclosures.jsonl": in order of index and name, each once."""
    last = (-1, "")
    for where, line in read_lines(bundle, "disclosures.jsonl", {"index", "name", "salt", "value"}):
        demand(is_whole(line["index"]) and is_text(line["name"]), f"{where} has no index or no name")
        demand(is_text(line["salt"], SALT), f"{where} has no salt of 32 hex digits or more")
        demand((line["index"], line["name"]) > last, f"{where} is out of order or there twice")
        yield where, Disclosure(**line)
        last = (line["index"], line["name"])


def finding_digests(bundle: Bundle) -> list[str]:
    """Step 9: SHA-256 of each line of data/findings.jsonl; none if it is not made of lines."""
    digests: list[str] = []
    if FINDINGS in bundle.sizes:
        with bundle.open(FINDINGS) as stream:
            while len(digests) < MAX_FINDINGS and (line := stream.readline(MAX_LINE + 1)):
                if not line.endswith(b"\n"):
                    return []
                digests.append(hashlib.sha256(line[:-1]).hexdigest())
    return digests


def check_disclosure(found: Disclosure, leaf: Leaf, where: str) -> None:
    """Section 1, "Disclosures": the digest of salt, name and value is the one in the leaf."""
    fields = leaf.said["fields"]
    demand(found.name in fields, f"{where}: leaf {leaf.index} has no field {found.name!r}")
    opened = canonical([found.salt, found.name, found.value], where)
    demand(hashlib.sha256(opened).hexdigest() == fields[found.name], f"{where} does not fit the digest in its leaf")


def texts_in(value: Any) -> Iterator[str]:
    """Step 9: every text in an object's values or a list's items, at any depth; keys do not count."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)


# The steps: section 6, "Checking a bundle".


@dataclass
class Verification:
    """One bundle and one reader's keys; each step uses what the steps before it have found."""

    path: Path
    trusted: Keys
    witnesses: int
    named: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)
    witnessed: int = 0

    def container(self) -> str:
        """Step 1."""
        self.bundle = open_folder(self.path) if self.path.is_dir() else open_zip(self.path)
        return f"a {self.bundle.kind} of {len(self.bundle.sizes):,} files"

    def read_manifest(self) -> str:
        """Step 2."""
        self.manifest = parse_manifest(self.bundle.read(MANIFEST, MAX_MANIFEST))
        return f"about {self.manifest.subject!r}, made {moment(self.manifest.made_ns)}"

    def files(self) -> str:
        """Step 3."""
        listed = self.manifest.files
        absent = sorted({*NEEDED, *listed, MANIFEST_NOTE} - self.bundle.sizes.keys())
        demand(not absent, f"missing: {', '.join(map(repr, absent[:5]))}")
        extra = sorted(self.bundle.sizes.keys() - {*listed, MANIFEST, MANIFEST_NOTE})
        demand(not extra, f"not in the manifest: {', '.join(map(repr, extra[:5]))}")
        for name in WITNESSED:
            demand((name in listed) == (f"{name}.proof" in listed), f"{name} and {name}.proof go together")
        for path in ("checkpoint", MANIFEST_NOTE, "keys", *OPTIONAL):
            demand(self.bundle.sizes.get(path, 0) <= MAX_SMALL, f"{path} is longer than {MAX_SMALL:,} bytes")
        for path, (size, sha256) in listed.items():
            demand(self.bundle.sizes[path] == size, f"{path!r} is not {size:,} bytes long")
            demand(file_digest(self.bundle, path) == sha256, f"{path!r} has another SHA-256 than the manifest says")
        return f"{len(listed):,} files have their size and SHA-256"

    def signature(self) -> str:
        """Step 4."""
        note = parse_note(self.bundle.read(MANIFEST_NOTE, MAX_SMALL), MANIFEST_NOTE)
        demand(
            note.text == f"headframe-bundle/1\nsha256 {self.manifest.sha256}\n",
            f"{MANIFEST_NOTE} speaks of another manifest",
        )
        return f"by {self.log_signature(note, MANIFEST_NOTE)!r}"

    def checkpoint(self) -> str:
        """Step 5."""
        self.note = parse_note(self.bundle.read("checkpoint", MAX_SMALL), "checkpoint")
        found, expected = parse_checkpoint(self.note.text), self.manifest.checkpoint
        demand(found.origin == expected.origin, "checkpoint is of another log than the manifest")
        demand(found == expected, "checkpoint has another size or root than the manifest")
        return f"{found.size:,} leaves, signed by {self.log_signature(self.note, 'checkpoint')!r}"

    def log_signature(self, note: Note, what: str) -> str:
        """Steps 4 and 5: signed by a trusted key of type 01 that has the origin as its name."""
        origin = self.manifest.checkpoint.origin
        names = {key.name for key in signers(note, self.trusted, LOG_KEY, what)}
        demand(origin in names, f"{what} is not signed by a key of {origin!r} that you trust" + self.claimed_keys())
        return origin

    def claimed_keys(self) -> str:
        """What `keys` says, for comparing with what the log's owner has published."""
        lines = self.bundle.read("keys", MAX_SMALL).decode("utf-8", "replace").splitlines()
        return "; the bundle itself, which proves nothing, names " + ", ".join(map(repr, lines[:5]))

    def cosignatures(self) -> str:
        """Step 6."""
        size = self.manifest.checkpoint.size
        # By name: a witness that changed its key is one, whichever of its keys are trusted.
        seen = {key.name: size for key in signers(self.note, self.trusted, WITNESS_KEY, "checkpoint")}
        for name in WITNESSED:
            if name in self.manifest.files:
                older, signed = self.older_checkpoint(name)
                seen |= {key.name: max(older.size, seen.get(key.name, 0)) for key in signed}
        demand(len(seen) >= self.witnesses, f"{len(seen)} known witnesses have signed, not {self.witnesses}")
        # So many have seen the beginning of the log up to here; it takes one where the reader asks for none.
        enough = max(self.witnesses, 1)
        self.witnessed = sorted([0] * enough + list(seen.values()), reverse=True)[enough - 1]
        said = sorted(f"{name!r} has seen {count:,} leaves" for name, count in seen.items())
        return ", ".join(said) or "none that you know, and none asked for"

    def older_checkpoint(self, name: str) -> tuple[Checkpoint, set[Key]]:
        """Step 6: this one is the beginning of `checkpoint`; gives who has co-signed it."""
        note = parse_note(self.bundle.read(name, MAX_SMALL), name)
        older, newer = parse_checkpoint(note.text), self.manifest.checkpoint
        demand(older.origin == newer.origin, f"{name} is of another log than the manifest")
        signers(note, self.trusted, LOG_KEY, name)
        text = self.bundle.read(f"{name}.proof", MAX_SMALL).decode("ascii", "replace")
        proof = text.split("\n")
        demand(proof.pop() == "", f"{name}.proof is not ended by a newline")
        demand(len(proof) <= MAX_PROOF, f"{name}.proof has more than {MAX_PROOF} hashes")
        demand(all(is_text(line, HEX_DIGEST) for line in proof), f"{name}.proof has something else than hashes")
        hashes = [bytes.fromhex(line) for line in proof]
        holds = is_continued(older.size, older.root, newer.size, newer.root, hashes)
        demand(holds, f"{name}.proof does not lead from {name} to the checkpoint")
        return older, signers(note, self.trusted, WITNESS_KEY, name)

    def leaves(self) -> str:
        """Step 7."""
        log, count = self.manifest.checkpoint, 0
        late: list[str] = []
        for leaf in read_leaves(self.bundle):
            holds = is_included(leaf_hash(leaf.data), leaf.index, log.size, leaf.proof, log.root)
            demand(holds, f"the proof of leaf {leaf.index:,} does not lead to the checkpoint")
            count += 1
            if leaf.index >= self.witnessed:
                demand(
                    not self.witnesses or leaf.said["kind"] == HANDED_OUT,
                    f"fewer than {self.witnesses} known witnesses have seen leaf {leaf.index:,}",
                )
                late.append(f"{leaf.index:,} ({leaf.said['kind']})")
        said = f"{count:,} are in the log"
        if self.witnessed:
            said += f", {count - len(late):,} of them witnessed"
            said += f"; not witnessed yet: {', '.join(late[:20])}" if late else ""
        return said

    def disclosures(self) -> str:
        """Step 8, with both files read side by side; notes which documents and extracts the log names."""
        self.findings = finding_digests(self.bundle)
        wanted = {*(listed.sha256 for listed in self.manifest.files.values()), *self.findings}
        fields = opened = 0
        found = read_disclosures(self.bundle)
        where, next_one = next(found, ("", None))
        for leaf in read_leaves(self.bundle):
            fields += len(leaf.said["fields"])
            if leaf.said["kind"] == "document":
                self.named |= wanted & {leaf.said["subject"]}
            while next_one is not None and next_one.index == leaf.index:
                check_disclosure(next_one, leaf, where)
                if leaf.said["kind"] != HANDED_OUT:
                    self.named |= wanted.intersection(texts_in(next_one.value))
                opened += 1
                where, next_one = next(found, ("", None))
        demand(next_one is None, f"{where} belongs to no leaf of this bundle")
        return f"{opened:,} of {fields:,} fields are open; withheld or erased: {fields - opened:,}"

    def documents(self) -> str:
        """Step 9."""
        listed = self.manifest.files
        documents = [path for path in listed if path.startswith("documents/")]
        for path in documents:
            demand(listed[path].sha256 in self.named, f"no leaf or disclosure names {path!r}")
        extracts = [path for path in listed if path.startswith("data/")]
        unnamed = sum(listed[path].sha256 not in self.named for path in extracts)
        said = f"{len(documents):,} named by the log; vouched for by the manifest alone: {unnamed:,} files in data/"
        if self.findings:
            named = sum(digest in self.named for digest in self.findings)
            said += f"; lines in {FINDINGS} that the log names: {named:,} of {len(self.findings):,}"
        return said

    def timestamp(self) -> str:
        """Step 10, which this program leaves out."""
        return "present, not checked" if TIMESTAMP in self.manifest.files else "none"


STEPS = [
    ("container", Verification.container),
    ("manifest", Verification.read_manifest),
    ("files", Verification.files),
    ("signature", Verification.signature),
    ("checkpoint", Verification.checkpoint),
    ("witnesses", Verification.cosignatures),
    ("leaves", Verification.leaves),
    ("disclosures", Verification.disclosures),
    ("documents", Verification.documents),
    ("time-stamp", Verification.timestamp),
]


def file_digest(bundle: Bundle, path: str) -> str:
    """SHA-256 of a file, in hex, without holding it."""
    digest = hashlib.sha256()
    with bundle.open(path) as stream:
        for chunk in iter(partial(stream.read, CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def moment(ns: str) -> str:
    """Nanoseconds since 1970, for people."""
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(ns) // 10**9):%Y-%m-%d %H:%M:%S} UTC"


def verify(path: Path, trusted: Keys, witnesses: int) -> bool:
    """Take the steps in order, say how each went, and stop at the first that fails."""
    verification = Verification(path, trusted, witnesses)
    failed = False
    for number, (name, step) in enumerate(STEPS, 1):
        outcome = "not reached"
        if not failed:
            try:
                said = step(verification)
                outcome = said if step is Verification.timestamp else "ok: " + said
            except (Refused, OSError) as reason:
                outcome, failed = f"FAILED: {reason}", True
        print(f"{number:>2} {name:<12} {outcome}")
    return not failed


def trusted_keys(values: list[str]) -> Keys:
    """Read each ``--key``: a file of lines, or a line."""
    keys: Keys = {}
    for value in values:
        text = Path(value).read_text(encoding="utf-8") if os.path.isfile(value) else value
        lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
        if not lines:
            raise ValueError(f"no public key in {value!r}")
        for line in lines:
            try:
                key = parse_key(line)
            except ValueError as error:
                raise ValueError(f"not a public key, and not a file of them: {line[:100]!r}: {error}") from error
            if keys.setdefault((key.name, key.id), key) != key:
                raise ValueError(f"two keys have the same name and the same id: {line[:100]!r}")
    return keys


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, verify, say so."""
    parser = argparse.ArgumentParser(description="Check a bundle offline.", allow_abbrev=False)
    parser.add_argument("bundle", type=Path, help="a folder or a zip")
    parser.add_argument("--key", action="append", default=[], help="a public key that you trust, or a file of them")
    parser.add_argument("--witnesses", type=int, default=0, help="so many known witnesses must have co-signed")
    options = parser.parse_args(arguments)
    if options.witnesses < 0:
        parser.error(f"--witnesses {options.witnesses}: expected a whole number, 0 or more")
    try:
        trusted = trusted_keys(options.key)
        options.bundle.stat()
    except (OSError, ValueError) as error:
        parser.error(str(error))
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    holds = verify(options.bundle, trusted, options.witnesses)
    print("Every check holds." if holds else "This bundle does NOT hold.")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
