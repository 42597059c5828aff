"""Zip files of which no two programs can think differently: stored files one after the other, and nothing else.

A zip says most things twice, and programs choose which to believe; that is where forgeries hide. This reader takes only
what leaves no choice, as ``docs/ledger-format.md``, "Checking a bundle", step 1, lists it: files without compression
from the first byte on, each behind its header and without a gap, then the list of files, then its end record [1]_.

References
----------
.. [1] PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", version 6.3.10, section 4.3.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from headframe.ledger.bundle import MOST_FILES, BadBundle, check_path

LARGEST_DIRECTORY = 32 << 20
"""A zip's list of files. [bytes]"""
NEWEST_VERSION = 45
"""4.5 brought Zip64 (APPNOTE, 4.4.3.2); what came later is compression and encryption."""

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64 = struct.Struct("<4sIQI")
_UTF8 = 1 << 11
_DOS_FOLDER = 0x10
_STORED = 0
_EXTRA_64 = 0x0001
_EXTRA_NAME = 0x7075
"""A second name for the same file (Info-ZIP), which some programs believe and some do not."""
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFF_FFFF
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in a zip.

    Attributes
    ----------
    path : str
    header : int
        Where its local header begins. [bytes]
    size : int
        [bytes]
    crc : int
        CRC-32 of its bytes.
    flags : int
    raw_name : bytes
    """

    path: str
    header: int
    size: int
    crc: int
    flags: int
    raw_name: bytes


def read_directory(file: IO[bytes], length: int) -> dict[str, tuple[StoredFile, int]]:
    """The files of a zip, each with the place where its bytes begin.

    Parameters
    ----------
    file : binary file
        Can be sought in.
    length : int
        Of the whole zip. [bytes]

    Returns
    -------
    dict
        Path to file and place [bytes], in the order of the places.

    Raises
    ------
    BadBundle
        If it is not a zip, is damaged, or leaves two programs room to see different files in it.
    """
    count, start, size = _find_directory(file, length)
    data = _at(file, start, size)
    found: dict[str, StoredFile] = {}
    place = 0
    while place < size:
        entry, place = _read_central(data, place)
        if entry.path in found:
            raise BadBundle(f"the zip has {entry.path!r} twice; programs would disagree on which one counts")
        found[entry.path] = entry
        if len(found) > count:
            break
    if len(found) != count:
        raise BadBundle(f"the zip says it has {count:,} files and lists another number. Ask for it again")
    result: dict[str, tuple[StoredFile, int]] = {}
    free = 0
    for entry in sorted(found.values(), key=lambda item: item.header):
        if entry.header != free:
            raise BadBundle(f"entry {entry.path!r} of the zip lies over another or behind a gap: a bomb, or a forgery")
        begin = _behind_local_header(file, entry)
        result[entry.path] = (entry, begin)
        free = begin + entry.size
    if free != start:
        raise BadBundle("the zip is cut off, or has bytes that belong to no file. Ask for it again")
    return result


def chunks_of(file: IO[bytes], entry: StoredFile, begin: int) -> Iterator[bytes]:
    """A file's bytes, piece by piece.

    Raises
    ------
    BadBundle
        If its CRC-32 is another than the zip says, after the last piece.
    """
    crc, done = 0, 0
    while done < entry.size:
        file.seek(begin + done)  # others read from the same file between two pieces
        chunk = file.read(min(_CHUNK, entry.size - done))
        if not chunk:
            raise BadBundle(f"{entry.path!r} in the zip is cut off")
        crc = zlib.crc32(chunk, crc)
        done += len(chunk)
        yield chunk
    if crc != entry.crc:
        raise BadBundle(f"{entry.path!r} in the zip has another CRC-32 than the zip says: it was damaged")


def _at(file: IO[bytes], place: int, size: int) -> bytes:
    if not 0 <= place < 1 << 63:
        raise BadBundle("the zip names a place outside of itself. Ask for it again")
    file.seek(place)
    data = file.read(size)
    if len(data) != size:
        raise BadBundle("the zip is cut off. Ask for it again")
    return data


def _find_directory(file: IO[bytes], length: int) -> tuple[int, int, int]:
    """Number of files, and where their list begins and how long it is (APPNOTE, 4.3.14 to 4.3.16)."""
    place = length - _END.size
    data = _at(file, place, _END.size) if place >= 0 else b""
    if not data.startswith(b"PK\5\6") or data[-2:] != b"\0\0":
        raise BadBundle("this is not a whole zip, or something stands behind its end. Ask for it again")
    _, disk, first_disk, here, count, size, start, _ = _END.unpack(data)
    locator = _at(file, place - _LOCATOR_64.size, _LOCATOR_64.size) if place >= _LOCATOR_64.size else b""
    if locator.startswith(b"PK\6\7"):
        place -= _LOCATOR_64.size + _END_64.size
        _, record_disk, at, disks = _LOCATOR_64.unpack(locator)
        if at != place or record_disk != 0 or disks != 1:
            raise BadBundle("the zip's record for large files is not where it should be. Ask for it again")
        record = _END_64.unpack(_at(file, place, _END_64.size))
        if record[0] != b"PK\6\6" or record[1] != _END_64.size - 12:
            raise BadBundle("the zip's record for large files is missing. Ask for it again")
        wide = record[4:]
        for narrow, number, full in zip(
            (disk, first_disk, here, count, size, start), wide, (*[_FULL_16] * 4, *[_FULL_32] * 2), strict=True
        ):
            if narrow not in (number, full):
                raise BadBundle("the two end records of the zip contradict each other. Ask for it again")
        disk, first_disk, here, count, size, start = wide
    if disk or first_disk or here != count:
        raise BadBundle("the zip is one of several parts; a bundle is one file")
    if count > MOST_FILES or size > LARGEST_DIRECTORY:
        raise BadBundle(
            f"the zip says it has {count:,} files with a list of {size:,} bytes; a bundle has at most {MOST_FILES:,} "
            f"files and {LARGEST_DIRECTORY:,} bytes"
        )
    if start + size != place:
        raise BadBundle("the zip's list of files does not end where its end record begins. Ask for it again")
    return count, start, size


def _read_central(data: bytes, place: int) -> tuple[StoredFile, int]:
    fixed = data[place : place + _CENTRAL.size]
    if len(fixed) < _CENTRAL.size or not fixed.startswith(b"PK\1\2"):
        raise BadBundle("the zip's list of files is damaged. Ask for it again")
    _, _, version, flags, method, _, _, crc, packed, size, name_size, extra_size, words, disk, _, attributes, header = (
        _CENTRAL.unpack(fixed)
    )
    name_at = place + _CENTRAL.size
    extra_at = name_at + name_size
    end = extra_at + extra_size + words
    if end > len(data):
        raise BadBundle("the last entry in the zip's list of files runs past the list. Ask for it again")
    raw_name = data[name_at:extra_at]
    path = _name(raw_name, flags)
    check_path(path)
    if flags & ~_UTF8:
        raise BadBundle(f"entry {path!r} of the zip is encrypted or written in an unusual way (flags {flags:#06x})")
    if version & 0xFF > NEWEST_VERSION:
        raise BadBundle(f"entry {path!r} of the zip asks for a reader of a later version, {version & 0xFF}")
    wide = _wide(_extras(data[extra_at : extra_at + extra_size], path), path, size, packed, header)
    size, packed, header = wide
    kind = stat.S_IFMT(attributes >> 16)
    if attributes & _DOS_FOLDER or kind not in (0, stat.S_IFREG):
        raise BadBundle(f"entry {path!r} of the zip is not a plain file; a bundle has no links and no folder entries")
    if method != _STORED or packed != size:
        raise BadBundle(
            f"entry {path!r} of the zip is compressed; a bundle's zip is not, so that it cannot swell. If you "
            "packed it yourself, unpack it and verify the folder"
        )
    if disk:
        raise BadBundle("the zip is one of several parts; a bundle is one file")
    return StoredFile(path, header, size, crc, flags, raw_name), end


def _name(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError:
        raise BadBundle(f"the name {raw[:60]!r} in the zip is neither ASCII nor flagged as UTF-8") from None


def _extras(data: bytes, path: str) -> dict[int, bytes]:
    """The extra fields of an entry, by their ids (APPNOTE, 4.5.1)."""
    found: dict[int, bytes] = {}
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from("<2H", data, place) if place + 4 <= len(data) else (_EXTRA_NAME, 0)
        place += 4
        if kind == _EXTRA_NAME or kind in found or place + size > len(data):
            raise BadBundle(f"entry {path!r} of the zip has extra fields that are damaged, twice, or another name")
        found[kind] = data[place : place + size]
        place += size
    return found


def _wide(extras: dict[int, bytes], path: str, *numbers: int) -> list[int]:
    """Numbers of which those that do not fit into four bytes stand in an extra field (APPNOTE, 4.5.3)."""
    rest = extras.get(_EXTRA_64, b"")
    result = []
    for number in numbers:
        if number != _FULL_32:
            result.append(number)
            continue
        if len(rest) < 8:
            raise BadBundle(f"entry {path!r} of the zip lacks the numbers of a large file. Ask for it again")
        result.append(int.from_bytes(rest[:8], "little"))
        rest = rest[8:]
    return result


def _behind_local_header(file: IO[bytes], entry: StoredFile) -> int:
    """Check that the header before a file speaks of the same one, and give where the file's bytes begin."""
    begin = entry.header + _LOCAL.size
    header = _LOCAL.unpack(_at(file, entry.header, _LOCAL.size))
    flags, method, name_size, extra_size = header[2], header[3], int(header[9]), int(header[10])
    name = _at(file, begin, name_size)
    if (header[0], flags, method, name) != (b"PK\3\4", entry.flags, _STORED, entry.raw_name):
        raise BadBundle(f"the header before {entry.path!r} in the zip says something else than the list of files")
    _extras(_at(file, begin + name_size, extra_size), entry.path)
    return begin + name_size + extra_size
