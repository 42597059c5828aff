"""Photos: kept as they are, and what their metadata give away is said."""

import io
import struct
from pathlib import Path

import pytest

from headframe.casework.photos import media_type_of, neutral_name, photo_warnings


def tiff(order: str, tags: dict[int, int], exif: dict[int, int] | None = None) -> bytes:
    """A TIFF header with a directory, and one of Exif behind it."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = dict(tags)
    if exif is not None:
        entries[0x8769] = 8 + 2 + 12 * (len(tags) + 1) + 4
    body = struct.pack(f"{order}H", len(entries))
    body += b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    body += struct.pack(f"{order}I", 0)
    if exif is not None:
        body += struct.pack(f"{order}H", len(exif))
        body += b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in sorted(exif.items()))
        body += struct.pack(f"{order}I", 0)
    return mark + struct.pack(f"{order}I", 8) + body


def jpeg(inner: bytes) -> bytes:
    """A JPEG with an APP0 segment, and Exif behind it."""
    exif = b"Exif\0\0" + inner
    return (
        b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
        + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + b"\xff\xda\0\x02"
    )  # fmt: skip


def png(inner: bytes) -> bytes:
    """A PNG with an eXIf chunk."""
    chunks = [(b"IHDR", bytes(13)), (b"eXIf", inner)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + bytes(4) for kind, data in chunks
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wrap", [jpeg, png, bytes])
def test_where_and_whose_camera_is_told(order: str, wrap: type[bytes]) -> None:
    """GPS in the first directory; the camera's owner in that of Exif."""
    (told,) = photo_warnings(io.BytesIO(wrap(tiff(order, {0x8825: 90, 0x0112: 1}, {0xA430: 5}))), "p.jpg")
    assert "where it was taken (GPS)" in told
    assert "CameraOwnerName" in told
    assert "kept as it is" in told
    assert photo_warnings(io.BytesIO(wrap(tiff(order, {0x0112: 1}))), "p.jpg") == ()


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\0\0", b"II*\0\xff\xff\xff\xff", b"%PDF-1.7"])
def test_damaged_photos_and_other_files_are_no_fault(data: bytes) -> None:
    """Nothing is said, and nothing breaks."""
    assert photo_warnings(io.BytesIO(data), "x") == ()


def test_every_cut_of_a_photo_is_harmless() -> None:
    """Wherever it ends, and whichever byte is another."""
    whole = jpeg(tiff(">", {0x8825: 90}, {0xA431: 5}))
    for end in range(len(whole)):
        photo_warnings(io.BytesIO(whole[:end]), "x")
        photo_warnings(io.BytesIO(whole[:end] + b"\xff" + whole[end + 1 :]), "x")


def test_what_a_file_is_is_told_by_its_bytes(tmp_path: Path) -> None:
    """And by its name where they do not tell."""
    for name, data, expected in (
        ("a.txt", b"%PDF-1.7", "application/pdf"), ("b.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("c.csv", b"a,b", "text/csv"), ("d", b"?", "application/octet-stream"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(data)
        assert media_type_of(tmp_path / name) == expected


def test_a_neutral_name_says_kind_digest_and_type() -> None:
    """And nothing else can get into it, whatever the kind or the type is."""
    digest = "3f" * 32
    assert neutral_name("photo", digest, "image/jpeg") == "photo-3f3f3f3f3f3f.jpg"
    assert neutral_name("../Zhang Wei", digest, "x/y") == "zhang-wei-3f3f3f3f3f3f.bin"
    assert neutral_name("", digest, "text/plain") == "document-3f3f3f3f3f3f.txt"
