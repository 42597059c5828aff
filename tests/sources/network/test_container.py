"""Bytes out of files, pipes and compressed files; all that can be had before damage."""

import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.errors import UnreadableInput
from headframe.sources.network.container import STREAM_PIECE, ByteSource, open_source

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "xz": lzma.compress,
}
TEXT = b"".join(b"line %d of a text that packs well enough\n" % k for k in range(40_000))


def everything(source: ByteSource, piece: int = STREAM_PIECE) -> bytes:
    out = []
    while data := source.read(piece):
        out.append(data)
    return b"".join(out)


@pytest.fixture(params=PACKERS)
def pack(request: pytest.FixtureRequest) -> Callable[[bytes], bytes]:
    """Each way to compress."""
    return PACKERS[request.param]


def test_a_plain_file_is_mapped(tmp_path: Path) -> None:
    """Its bytes are there at once, and are still good after the source was told to forget and was closed."""
    path = tmp_path / "a"
    path.write_bytes(TEXT)
    source = open_source(str(path))
    whole = source.whole()
    assert whole is not None
    source.forget(len(TEXT))
    source.close()
    assert whole.tobytes() == TEXT


@pytest.mark.parametrize("piece", [1000, STREAM_PIECE])
def test_members_and_frames_follow_each_other(tmp_path: Path, pack: Callable[[bytes], bytes], piece: int) -> None:
    """One member, several, padded with zeros, with something else behind the last: the same bytes, no fault."""
    path = tmp_path / "a"
    third = len(TEXT) // 3
    several = pack(TEXT[:third]) + pack(TEXT[third : 2 * third]) + pack(TEXT[2 * third :])
    for packed in (
        pack(TEXT),
        several,
        pack(TEXT[:third]) + b"\0" * 8 + pack(TEXT[third:]) + b"\0" * 512,
        several + b"junk",
    ):
        path.write_bytes(packed)
        source = open_source(str(path))
        assert source.whole() is None
        assert everything(source, piece) == TEXT
        assert source.fault is None


def test_a_missing_end_costs_nothing_before_it(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """Cut anywhere, what comes out is the beginning of the text, and the fault is told."""
    path = tmp_path / "a"
    packed = pack(TEXT)
    for cut in (len(packed) - 1, len(packed) * 3 // 4, len(packed) // 2, 40):
        path.write_bytes(packed[:cut])
        source = open_source(str(path))
        assert TEXT.startswith(everything(source))
        assert source.fault is not None
        assert "ends early" in source.fault


@settings(max_examples=30)
@given(st.data())
def test_gzip_gives_every_byte_before_the_damage(data: st.DataObject) -> None:
    """Exactly what zlib can give when it is fed byte by byte, which is all there is."""
    text = TEXT[: data.draw(st.integers(1, len(TEXT)))]
    packed = bytearray(gzip.compress(text))
    at = data.draw(st.integers(10, len(packed) - 1))
    packed[at] ^= 1 << data.draw(st.integers(0, 7))
    inflater, expected = zlib.decompressobj(wbits=31), b""
    broken = False
    for k in range(len(packed)):
        try:
            expected += inflater.decompress(packed[k : k + 1])
        except zlib.error:
            broken = True
            break
    broken = broken or not inflater.eof
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".gz") as file:
        file.write(packed)
        file.flush()
        source = open_source(file.name)
        assert everything(source, data.draw(st.sampled_from([999, 65_536, STREAM_PIECE]))) == expected
        assert (source.fault is not None) == broken


@pytest.mark.parametrize(("name", "loss"), [("zstd", 256 * 1024), ("xz", 1024)])
def test_what_an_error_costs_in_other_formats_is_bounded(tmp_path: Path, name: str, loss: int) -> None:
    """zstd gives whole blocks only; xz loses what one call would have given."""
    import random

    noise = random.Random(1).randbytes(1 << 20)  # does not compress: a place in the file is a place in the text
    packed = bytearray(PACKERS[name](noise))
    at = len(packed) // 2
    for k in range(64):
        packed[at + k] ^= 0xFF
    path = tmp_path / "a"
    path.write_bytes(packed)
    source = open_source(str(path))
    out = everything(source)
    assert out[: at - loss - 1024] == noise[: at - loss - 1024]
    if name == "zstd":
        assert source.fault is not None


def test_standard_input(monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]) -> None:
    """A dash reads the pipe, compressed or not; an empty pipe is an answer of its own."""
    for content in (TEXT, pack(TEXT)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert everything(open_source("-")) == TEXT
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(UnreadableInput, match="no bytes came"):
        open_source("-")


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    """Missing, empty, a folder."""
    with pytest.raises(UnreadableInput, match="No such file"):
        open_source(str(tmp_path / "missing"))
    (tmp_path / "empty").touch()
    with pytest.raises(UnreadableInput, match="empty"):
        open_source(str(tmp_path / "empty"))
    with pytest.raises(UnreadableInput):
        open_source(str(tmp_path))
