"""Photos and other files as they come in: what they are by their first bytes, and what they tell besides.

A photo is hashed on capture and kept as it is: taking its metadata out would change its bytes and the proof with them.
Where it was taken and by whose camera stands in its Exif data, so whoever hands it on is warned.

References
----------
.. [1] CIPA DC-008, "Exchangeable image file format for digital still cameras: Exif Version 2.32", section 4.6.
.. [2] ISO/IEC 10918-1, annex B (segments of a JPEG file).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import BinaryIO

_HEAD_BYTES = 1 << 18
"""Exif stands in one of the first segments, of at most 64 KiB each. [bytes]"""
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (b"PK\x03\x04", "application/zip"),
)
_BY_SUFFIX = {
    ".csv": "text/csv", ".txt": "text/plain", ".json": "application/json", ".html": "text/html",
    ".md": "text/markdown", ".heic": "image/heic", ".webp": "image/webp", ".eml": "message/rfc822",
}  # fmt: skip
_ENDINGS = {
    "image/jpeg": "jpg", "image/png": "png", "image/tiff": "tif", "image/heic": "heic", "image/webp": "webp",
    "application/pdf": "pdf", "application/zip": "zip", "application/json": "json", "text/csv": "csv",
    "text/plain": "txt", "text/html": "html", "text/markdown": "md", "message/rfc822": "eml",
    "application/vnd.apache.parquet": "parquet", "application/vnd.tcpdump.pcap": "pcap",
    "application/x-pcapng": "pcapng",
}  # fmt: skip
_NAME_HEX = 12
"""48 bits: among the documents of a case two never share them, and a page still has room for the name."""
_GPS_POINTER, _EXIF_POINTER = 0x8825, 0x8769
_NAMING = {0x013B: "Artist", 0x8298: "Copyright", 0xA430: "CameraOwnerName", 0xA431: "BodySerialNumber"}
_MOST_ENTRIES = 512


def media_type_of(path: Path) -> str:
    """What a file is: by its first bytes, else by the end of its name.

    Returns
    -------
    str
        ``application/octet-stream`` where neither tells.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        head = b""
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    return _BY_SUFFIX.get(path.suffix.lower(), "application/octet-stream")


def neutral_name(kind: str, sha256: str, media_type: str) -> str:
    """What a file that came in is called from now on: its kind, the beginning of its digest, what it is.

    Its own name is not kept. Cameras and people write names, numbers and places into theirs (``IMG_Zhang_Wei.jpg``),
    a file is found by its digest, and nothing else needs the name.

    Parameters
    ----------
    kind : str
        ``photo``, ``reply``, ``remedy_proof``, ...
    sha256 : str
        64 hex digits.
    media_type : str

    Returns
    -------
    str

    Examples
    --------
    >>> neutral_name("remedy_proof", "3f" * 32, "image/jpeg")
    'remedy-proof-3f3f3f3f3f3f.jpg'
    """
    word = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-") or "document"
    return f"{word}-{sha256[:_NAME_HEX]}.{_ENDINGS.get(media_type, 'bin')}"


def photo_warnings(file: BinaryIO, name: str) -> tuple[str, ...]:
    """What a photo's metadata give away: where it was taken, and whose camera took it.

    Parameters
    ----------
    file : binary file
    name : str
        For the message.

    Returns
    -------
    tuple of str
        Empty for anything that is no JPEG, PNG or TIFF with such data.
    """
    tags = _exif_tags(file.read(_HEAD_BYTES))
    told = []
    if _GPS_POINTER in tags:
        told.append("where it was taken (GPS)")
    named = [name for tag, name in _NAMING.items() if tag in tags]
    if named:
        told.append(f"whose camera took it ({', '.join(named)})")
    if not told:
        return ()
    return (
        f"{name}: its metadata tell {' and '.join(told)}; it is kept as it is, because its digest is the proof. "
        "Hand out a copy without metadata",
    )


def _exif_tags(data: bytes) -> frozenset[int]:
    """Tags of the first image directory and of the Exif directory; empty where there are none."""
    tiff = _tiff_of(data)
    if len(tiff) < 8 or tiff[:2] not in (b"II", b"MM"):
        return frozenset()
    order = "<" if tiff[:2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    tags = dict(_directory(tiff, order, first))
    if (exif := tags.get(_EXIF_POINTER)) is not None:
        tags.update(_directory(tiff, order, exif))
    return frozenset(tags)


def _directory(tiff: bytes, order: str, at: int) -> list[tuple[int, int]]:
    """Tag and value (or offset) of each entry; a directory that points outside of the data is none."""
    if not 0 < at <= len(tiff) - 2:
        return []
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    found = []
    for entry in range(min(count, _MOST_ENTRIES)):
        place = at + 2 + 12 * entry
        if place + 12 > len(tiff):
            break
        tag, _kind, _number, value = struct.unpack_from(f"{order}HHII", tiff, place)
        found.append((tag, value))
    return found


def _tiff_of(data: bytes) -> bytes:
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return data
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        at = 8
        while at + 12 <= len(data):
            (length,) = struct.unpack_from(">I", data, at)
            if data[at + 4 : at + 8] == b"eXIf":
                return data[at + 8 : at + 8 + length]
            at += 12 + length
        return b""
    if data[:2] != b"\xff\xd8":
        return b""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker == 0xDA or length < 2:  # image data begin
            return b""
        segment = data[at + 4 : at + 2 + length]
        if marker == 0xE1 and segment[:6] == b"Exif\x00\x00":
            return segment[6:]
        at += 2 + length
    return b""
