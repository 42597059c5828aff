"""Bytes of a capture, whatever they are wrapped in: a mapped file, or a stream out of gzip, zstd, xz or a pipe."""

import lzma
import mmap
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from headframe.errors import UnreadableInput

STANDARD_INPUT = "-"

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_XZ = b"\xfd7zXZ\x00"

# A decompressed piece: large enough that calls cost nothing, small enough that two of them cost no memory.
STREAM_PIECE = 8 * 1024 * 1024


class ByteSource(Protocol):
    """Where a capture's bytes come from, in order."""

    name: str
    size: int | None
    """Bytes of the file on disk, None where that is not known."""
    consumed: int
    """Bytes of the file on disk that were used so far."""
    fault: str | None
    """Why the bytes ended early, None where they did not."""

    def whole(self) -> NDArray[np.uint8] | None:
        """All bytes at once where the file is mapped, else None."""

    def read(self, count: int) -> bytes:
        """The next bytes of a stream, at most `count`; empty at the end. Never raises: see `fault`."""

    def forget(self, last: int) -> None:
        """Bytes before `last` of a mapped file will not be looked at again."""

    def close(self) -> None:
        """Give the file back."""


class MappedFile:
    """A plain file, read in place."""

    def __init__(self, name: str, file: BinaryIO, size: int) -> None:
        self.name = name
        self.size: int | None = size
        self.consumed = 0
        self.fault: str | None = None
        self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        self._bytes: NDArray[np.uint8] | None = np.frombuffer(self._map, dtype=np.uint8)
        self._forgotten = 0
        file.close()

    def whole(self) -> NDArray[np.uint8] | None:
        return self._bytes

    def read(self, count: int) -> bytes:
        raise NotImplementedError("a mapped file is not read as a stream")

    def forget(self, last: int) -> None:
        # The pages stay in the system's cache; they only stop counting as this process's memory.
        self.consumed = last
        page = mmap.PAGESIZE
        first = self._forgotten
        last = last // page * page
        if last - first >= 64 * 1024 * 1024 and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED, first, last - first)
            self._forgotten = last

    def close(self) -> None:
        # Views of the bytes may still be alive in a caller's batch; the map goes with the last of them.
        self._bytes = None


class StreamedBytes:
    """A pipe or a compressed file."""

    def __init__(self, name: str, raw: BinaryIO, size: int | None, head: bytes) -> None:
        self.name = name
        self.size = size
        self.consumed = 0
        self.fault: str | None = None
        self._raw = _Counted(raw, head)
        self._read = _reader(self._raw, head)

    def whole(self) -> NDArray[np.uint8] | None:
        return None

    def read(self, count: int) -> bytes:
        if self.fault is not None:
            return b""
        try:
            data = self._read(count)
        except Exception as problem:
            if not _is_damage(problem):
                raise
            self.fault = f"compressed data is damaged or ends early ({problem})"
            data = b""
        self.consumed = self._raw.count
        return data

    def forget(self, last: int) -> None:
        pass

    def close(self) -> None:
        self._raw.close()


class _Counted:
    """Gives back the bytes that were read to recognise the format, then the rest; counts what was taken."""

    def __init__(self, raw: BinaryIO, head: bytes) -> None:
        self._raw = raw
        self._head = head
        self.count = 0

    def read(self, count: int = -1) -> bytes:
        if self._head:
            cut = len(self._head) if count < 0 else min(count, len(self._head))
            data, self._head = self._head[:cut], self._head[cut:]
            if count < 0:
                data += self._raw.read()
        else:
            data = self._raw.read(count)
        self.count += len(data)
        return data

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        if self._raw is not sys.stdin.buffer:
            self._raw.close()


def _is_damage(problem: Exception) -> bool:
    if isinstance(problem, (EOFError, OSError, zlib.error, lzma.LZMAError)):
        return True
    return type(problem).__name__ == "ZstdError"


def _reader(raw: _Counted, head: bytes) -> Callable[[int], bytes]:
    """The function that gives decompressed bytes."""
    if head.startswith(_GZIP):
        return _GzipPieces(raw).read
    if head.startswith(_ZSTD):
        import zstandard

        return zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True).read  # type: ignore[arg-type]
    if head.startswith(_XZ):
        decompressor = lzma.LZMAFile(raw)  # type: ignore[arg-type]
        return lambda count: decompressor.read1(count)
    return raw.read


class _GzipPieces:
    """Decompressed pieces of a gzip file, with all that can be had before damage.

    `gzip.GzipFile` drops what is in its buffer when the end is missing.
    """

    def __init__(self, raw: _Counted) -> None:
        self._raw = raw
        self._inflater = zlib.decompressobj(wbits=31)  # 31: a gzip header and trailer around the data
        self._pending = b""
        self._inside = False

    def read(self, count: int) -> bytes:
        while True:
            data = self._pending or self._raw.read(256 * 1024)
            if not data:
                if self._inside:
                    raise EOFError("the end of the gzip stream is missing")
                return b""
            if not self._inside:
                data = data.lstrip(b"\0")
                if not data:
                    continue
            self._inside = True
            out = self._inflater.decompress(data, count)
            if self._inflater.eof:
                # Members may follow each other, padded with zeros; anything else behind the last is ignored.
                rest = self._inflater.unused_data.lstrip(b"\0")
                self._pending = rest if rest.startswith(_GZIP[: len(rest)]) else b""
                self._inflater = zlib.decompressobj(wbits=31)
                self._inside = False
            else:
                self._pending = self._inflater.unconsumed_tail
            if out:
                return out


def open_source(name: str) -> ByteSource:
    """Open a capture by its name, ``-`` for standard input.

    Raises
    ------
    UnreadableInput
        Where the file is missing, empty, not permitted or not a file.
    """
    if name == STANDARD_INPUT:
        head = sys.stdin.buffer.read(8)
        if not head:
            raise UnreadableInput("standard input: no bytes came; pipe a pcap or pcapng capture into it")
        return StreamedBytes("-", sys.stdin.buffer, None, head)
    path = Path(name)
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError as problem:
        raise UnreadableInput(
            f"{name}: {problem.strerror or problem}; "
            "give a pcap or pcapng file, a folder, a pattern, or - for standard input"
        ) from problem
    if path.is_file() and size == 0:
        file.close()
        raise UnreadableInput(f"{name}: the file is empty (0 bytes); a capture has at least a header of 24 bytes")
    try:
        head = file.read(8)
        if head.startswith((_GZIP, _ZSTD, _XZ)) or not path.is_file():
            return StreamedBytes(name, file, size if path.is_file() else None, head)
        file.seek(0)
        return MappedFile(name, file, size)
    except OSError as problem:
        file.close()
        raise UnreadableInput(f"{name}: {problem.strerror or problem}") from problem


__all__ = ["STANDARD_INPUT", "STREAM_PIECE", "ByteSource", "MappedFile", "StreamedBytes", "open_source"]
