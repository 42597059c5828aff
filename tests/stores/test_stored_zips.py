"""A zip is read in one way only, and what is wrong with one is said."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.ledger.bundle import BadBundle
from headframe.stores.stored_zips import chunks_of, read_directory

FILES = {"checkpoint": b"three lines\n", "data/leer": b"", "documents/通知.pdf": bytes(3000)}


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    file = io.BytesIO(data)
    return {path: b"".join(chunks_of(file, *found)) for path, found in read_directory(file, len(data)).items()}


GOOD = zipped(FILES)
LAST = GOOD.rindex(b"PK\1\2")
END = len(GOOD) - 22


def patched(at: int, new: bytes) -> bytes:
    return GOOD[:at] + new + GOOD[at + len(new) :]


@given(st.dictionaries(st.from_regex(r"data/[a-zäß]{1,9}", fullmatch=True), st.binary(max_size=200), max_size=6))
def test_what_another_program_zips_is_read(files: dict[str, bytes]) -> None:
    """Every file with its bytes, also none at all."""
    assert unzipped(zipped(files)) == files


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (b"", "not a whole zip"),
        (b"hello", "not a whole zip"),
        (GOOD[:-1], "not a whole zip"),
        (patched(END, b"X"), "not a whole zip"),
        (GOOD + b"x", "stands behind its end"),
        (patched(END + 4, b"\1"), "several parts"),
        (patched(END + 8, b"\4\0\4"), "lists another number"),
        (patched(END + 8, b"\2\0\2"), "lists another number"),
        (patched(END + 10, b"\4"), "several parts"),
        (patched(END + 12, b"\0\0\0\xf0"), "says it has"),
        (patched(END + 16, b"\0"), "does not end where"),
        (patched(LAST, b"X"), "list of files is damaged"),
        (patched(LAST + 28, b"\xff\xff"), "runs past the list"),
        (patched(LAST + 30, b"\xff\xff"), "runs past the list"),
        (patched(LAST + 32, b"\1"), "runs past the list"),
        (patched(LAST + 34, b"\1"), "several parts"),
        (patched(LAST + 8, b"\1"), "encrypted"),
        (patched(LAST + 6, b"\x33"), "later version, 51"),
        (patched(LAST + 9, b"\0"), "neither ASCII nor flagged"),
        (patched(LAST + 10, b"\x08"), "compressed"),
        (patched(LAST + 20, b"\xff\xff\xff\xff"), "lacks the numbers of a large file"),
        (patched(LAST + 38, b"\x10"), "not a plain file"),
        (patched(LAST + 42, b"\0\0\0\0"), "lies over another"),
        (patched(30, b"C"), "says something else"),
        (patched(6, b"\2"), "says something else"),
        (patched(30 + len("checkpoint"), b"T"), "another CRC-32"),
    ],
)
def test_what_is_wrong_is_said(damaged: bytes, words: str) -> None:
    """One sentence, and never an exception of another kind."""
    with pytest.raises(BadBundle, match=words):
        unzipped(damaged)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused_or_means_nothing(at: int, change: int) -> None:
    """Dates and the like may differ; names and bytes do not."""
    try:
        found = unzipped(patched(at, bytes([GOOD[at] ^ change])))
    except BadBundle:
        return
    assert found == FILES


def test_the_cut_of_any_length_is_refused() -> None:
    """However little is missing."""
    for end in range(0, len(GOOD), 7):
        with pytest.raises(BadBundle):
            unzipped(GOOD[:end])
