"""Documents, photos and data extracts of a workspace, kept under the digest of their bytes.

``WORKSPACE/documents/ab/cdef…`` holds the bytes whose SHA-256 begins with ``ab`` and goes on with ``cdef…``. What a
file is called, and of what kind it is, stands in the database; here there are bytes alone.

Durable
    When `DocumentStore.keep` returns, bytes and name are on the disk: the file is flushed before it gets its name, and
    the folders after. A crash before that leaves a file under a name that no reader looks for.
Immutable
    A second write of the same digest is held against the bytes that are there. If they differ, the disk (or somebody)
    has changed them, and that is said; nothing is replaced.
Trusted
    Whoever may write in this folder can destroy documents, and cannot forge one: `DocumentStore.read` gives nothing
    whose digest does not agree.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from headframe.errors import HeadframeError, UnreadableInput
from headframe.stores.durable import flush_folder

PIECE_BYTES = 1 << 20
"""Bytes in memory at a time, whatever the size of the document. [bytes]"""

_DIGEST = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_UNFINISHED = ".new-"


class DamagedDocument(HeadframeError):
    """A kept document is not what it was when it was kept."""


class DocumentStore:
    """Bytes by their digest.

    Parameters
    ----------
    folder : Path
        ``WORKSPACE/documents``; made when something is first kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path_of(self, sha256: str) -> Path:
        """Where the bytes of a digest are, whether they are there or not.

        Raises
        ------
        ValueError
            If `sha256` is not 64 hex digits in lower case.
        """
        if not _DIGEST.match(sha256):
            raise ValueError(f"{sha256!a} is no SHA-256 digest; expected 64 hex digits in lower case")
        return self.folder / sha256[:2] / sha256[2:]

    def __contains__(self, sha256: str) -> bool:
        return self.path_of(sha256).is_file()

    def keep(self, data: bytes) -> str:
        """Keep bytes.

        Parameters
        ----------
        data : bytes

        Returns
        -------
        str
            Their SHA-256 in hex.

        Raises
        ------
        DamagedDocument
            If other bytes lie under that digest.
        OSError
            If they cannot be written; nothing is left of them then.
        """
        return self._keep(iter([data]))[0]

    def keep_file(self, path: Path) -> tuple[str, int]:
        """Keep a copy of a file, read once and piece by piece.

        Parameters
        ----------
        path : Path

        Returns
        -------
        sha256 : str
        size : int
            [bytes]

        Raises
        ------
        UnreadableInput
            If the file cannot be read.
        DamagedDocument
            If other bytes lie under that digest.
        """
        try:
            source = path.open("rb")
        except (OSError, ValueError) as fault:
            reason = getattr(fault, "strerror", None) or fault
            raise UnreadableInput(f"{path}: cannot be read: {reason}") from fault
        with source:
            return self._keep(_pieces(source, path))

    def open(self, sha256: str) -> BinaryIO:
        """The bytes of a digest, unchecked: for whoever hashes them on the way.

        Raises
        ------
        UnreadableInput
            If they are not there: destroyed by retention, or lost.
        """
        try:
            return self.path_of(sha256).open("rb")
        except OSError as fault:
            raise UnreadableInput(
                f"document {sha256}: not in {self.folder} ({fault.strerror}); its retention may be over "
                "(headframe retention certificates), or the folder is not this workspace's"
            ) from fault

    def read(self, sha256: str) -> bytes:
        """All bytes of a digest, checked.

        Raises
        ------
        UnreadableInput
            If they are not there.
        DamagedDocument
            If they are not what was kept.
        """
        with self.open(sha256) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DamagedDocument(_altered(sha256, self.path_of(sha256)))
        return data

    def destroy(self, sha256: str) -> bool:
        """Delete the bytes of a digest; False where they were gone already. Retention asks for it, nobody else."""
        path = self.path_of(sha256)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        flush_folder(path.parent)
        return True

    def digests(self) -> Iterator[str]:
        """Every digest that is kept, in no order."""
        for folder in self.folder.glob("[0-9a-f][0-9a-f]"):
            for file in folder.iterdir():
                if _DIGEST.match(name := folder.name + file.name):
                    yield name

    def kept_ns(self, sha256: str) -> int | None:
        """When the bytes of a digest were kept last; None where they are not there. [ns since 1970-01-01 UTC]"""
        try:
            return self.path_of(sha256).stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def tidy(self, before_ns: int) -> None:
        """Remove what writers left that were killed before an instant. [ns since 1970-01-01 UTC]"""
        for path in self.folder.glob(f"{_UNFINISHED}*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime_ns <= before_ns:
                    path.unlink()

    def _keep(self, pieces: Iterator[bytes]) -> tuple[str, int]:
        self.folder.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=self.folder)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    digest.update(piece)
                    size += len(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            sha256 = digest.hexdigest()
            place = self.path_of(sha256)
            place.parent.mkdir(exist_ok=True)
            try:
                # A link, unlike a rename, fails where the name is taken: nothing is ever replaced.
                os.link(temporary, place)
            except FileExistsError:
                if not _same(temporary, place):
                    raise DamagedDocument(_altered(sha256, place)) from None
                # Handed in again: what nothing names is swept by its age, and this one is wanted.
                os.utime(place)
            flush_folder(place.parent)
            flush_folder(self.folder)
        finally:
            temporary.unlink(missing_ok=True)
        return sha256, size


def _pieces(source: BinaryIO, path: Path) -> Iterator[bytes]:
    while True:
        try:
            piece = source.read(PIECE_BYTES)
        except OSError as fault:
            raise UnreadableInput(f"{path}: cannot be read: {fault.strerror}") from fault
        if not piece:
            return
        yield piece


def _same(one: Path, other: Path) -> bool:
    with one.open("rb") as left, other.open("rb") as right:
        while True:
            here, there = left.read(PIECE_BYTES), right.read(PIECE_BYTES)
            if here != there:
                return False
            if not here:
                return True


def _altered(sha256: str, path: Path) -> str:
    return (
        f"document {sha256}: the bytes at {path} do not have this digest, so they were altered or damaged after they "
        "were kept. Move the file away, and keep the document again from its source or from a bundle"
    )
