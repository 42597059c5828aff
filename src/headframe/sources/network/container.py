"""Bytes of a capture, whatever they are wrapped in: a mapped file, or a stream out of gzip, zstd, xz or a pipe."""

import ctypes
import lzma
import mmap
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from headframe.errors import UnreadableInput

if TYPE_CHECKING:
    import zstandard

STANDARD_INPUT = "-"

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_XZ = b"\xfd7zXZ\x00"

_SMALL = 1024  # bytes handed to a decompressor that cannot go back after an error
# A decompressed piece: large enough that calls cost nothing, small enough that two of them cost no memory.
STREAM_PIECE = 8 * 1024 * 1024


_FORGET_BYTES = 64 * 1024 * 1024
_MADV_POPULATE_READ = 22  # Linux 5.14; older kernels say EINVAL, and pages come one fault at a time
_libc = ctypes.CDLL(None)
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


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

    def fetch(self, first: int, last: int) -> None:
        """Bytes of a mapped file that will be looked at now."""

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

    def fetch(self, first: int, last: int) -> None:
        # One call maps what would be one fault for every 64 KiB.
        self._advise(first, last, _MADV_POPULATE_READ)

    def forget(self, last: int) -> None:
        # The pages stay in the system's cache; they only stop counting as this process's memory.
        self.consumed = last
        if last - self._forgotten >= _FORGET_BYTES:
            last = last // mmap.PAGESIZE * mmap.PAGESIZE
            self._advise(self._forgotten, last, mmap.MADV_DONTNEED)
            self._forgotten = last

    def _advise(self, first: int, last: int, advice: int) -> None:
        """madvise(2) without the interpreter's lock, which `mmap.madvise` keeps. Advice may go untaken."""
        if self._bytes is not None:
            first = first // mmap.PAGESIZE * mmap.PAGESIZE
            _libc.madvise(self._bytes.ctypes.data + first, min(last, len(self._bytes)) - first, advice)

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

    def fetch(self, first: int, last: int) -> None:
        pass

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

    def peek(self) -> bool:
        """Whether more bytes come."""
        if not self._head:
            self._head = self._raw.read(1)
        return bool(self._head)

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
        return _ZstdPieces(raw).read
    if head.startswith(_XZ):
        return _XzPieces(raw).read
    return raw.read


class _Pieces:
    """Decompressed pieces of a file, with all that can be had before damage.

    The standard readers drop what is in their buffers when the data is damaged or its end is missing.
    """

    name = ""
    magic = b""

    def __init__(self, raw: _Counted) -> None:
        self._raw = raw
        self._pending = b""
        self._inside = False
        self._over = False  # something else follows the last member
        self._members = 0
        self._problem: Exception | None = None

    def read(self, count: int) -> bytes:
        """The next bytes, at most about `count`; empty at the end.

        Raises
        ------
        Exception
            What the decompressor raised, after everything before it was given.
        """
        pieces: list[bytes] = []
        have = 0
        while have < count and self._problem is None and not self._over:
            try:
                piece = self._piece(count - have)
            except Exception as problem:
                if not _is_damage(problem):
                    raise
                self._problem = problem
                break
            if piece is None:
                break
            pieces.append(piece)
            have += len(piece)
        if self._problem is not None:
            pieces.append(self._last_words())
        data = b"".join(pieces)
        if not data and self._problem is not None:
            raise self._problem
        return data

    def _input(self, size: int) -> bytes:
        """Compressed bytes: what is left of the last, or new ones; empty at the end of the file."""
        data = self._pending or self._raw.read(size)
        self._pending = b""
        if not self._inside:
            data = data.lstrip(b"\0")  # members may be padded with zeros
            if self._members and not data.startswith(self.magic[: len(data)]):
                self._over = True
                return b""
        if not data and self._inside:
            raise EOFError(f"the end of the {self.name} stream is missing")
        return data

    def _member_ended(self, rest: bytes) -> None:
        """Members may follow each other; anything else behind the last is ignored."""
        self._pending = rest
        self._inside = False
        self._members += 1

    def _piece(self, count: int) -> bytes | None:
        """Some bytes, perhaps none yet; None at the end."""
        raise NotImplementedError

    def _last_words(self) -> bytes:
        """What can still be had after an error."""
        return b""


class _GzipPieces(_Pieces):
    name = "gzip"
    magic = _GZIP

    def __init__(self, raw: _Counted) -> None:
        super().__init__(raw)
        self._inflater = zlib.decompressobj(wbits=31)  # 31: a gzip header and trailer around the data
        self._before = self._inflater
        self._given = b""

    def _piece(self, count: int) -> bytes | None:
        self._given = b""
        data = self._input(256 * 1024)
        if not data:
            return None if self._over or not self._raw.peek() else b""
        self._before = self._inflater.copy()
        self._given = data
        self._inside = True
        out = self._inflater.decompress(data, count)
        if self._inflater.eof:
            self._member_ended(self._inflater.unused_data)
            self._inflater = zlib.decompressobj(wbits=31)
        else:
            self._pending = self._inflater.unconsumed_tail
        return out

    def _last_words(self) -> bytes:
        # Again, byte by byte, up to the one that is wrong.
        out = []
        try:
            for k in range(len(self._given)):
                out.append(self._before.decompress(self._given[k : k + 1]))
        except zlib.error:
            pass
        self._given = b""
        return b"".join(out)


class _ZstdPieces(_Pieces):
    """An error costs what its call would have given: small pieces make that one block of 128 KiB or little more."""

    name = "zstd"
    magic = _ZSTD

    def __init__(self, raw: _Counted) -> None:
        super().__init__(raw)
        self._decoder = self._fresh()

    @staticmethod
    def _fresh() -> "zstandard.ZstdDecompressionObj":
        import zstandard

        return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    def _piece(self, count: int) -> bytes | None:
        data = self._input(64 * 1024)
        if not data:
            return None if self._over or not self._raw.peek() else b""
        self._inside = True
        now, self._pending = data[:_SMALL], data[_SMALL:]
        out = self._decoder.decompress(now)
        if self._decoder.eof:
            self._member_ended(self._decoder.unused_data + self._pending)
            self._decoder = self._fresh()
        return out


class _XzPieces(_Pieces):
    """An error costs at most the `_SMALL` bytes that its call would have given."""

    name = "xz"
    magic = _XZ

    def __init__(self, raw: _Counted) -> None:
        super().__init__(raw)
        self._decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)

    def _piece(self, count: int) -> bytes | None:
        data = b""
        if self._decoder.needs_input:
            data = self._input(64 * 1024)
            if not data:
                return None if self._over or not self._raw.peek() else b""
            self._inside = True
        out = self._decoder.decompress(data, _SMALL)
        if self._decoder.eof:
            self._member_ended(self._decoder.unused_data)
            self._decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
        return out


def first_bytes(name: str, count: int) -> bytes:
    """The first bytes of a plain or compressed file, fewer where it is shorter or damaged.

    Raises
    ------
    OSError
        If the file may not be read.
    """
    with open(name, "rb") as file:
        head = file.read(8)
        if not head.startswith((_GZIP, _ZSTD, _XZ)):
            return head[:count]
        return StreamedBytes(name, file, None, head).read(count)[:count]


def open_source(name: str) -> ByteSource:
    """Open a capture by its name, ``-`` for standard input.

    Raises
    ------
    UnreadableInput
        Where the file is missing, empty, not permitted or not a file.
    """
    if name == STANDARD_INPUT:
        if sys.stdin is None:
            raise UnreadableInput("standard input: it is closed; pipe a pcap or pcapng capture into it")
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


__all__ = ["STANDARD_INPUT", "STREAM_PIECE", "ByteSource", "MappedFile", "StreamedBytes", "first_bytes", "open_source"]
