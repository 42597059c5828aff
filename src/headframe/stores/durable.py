"""Small files that are on the disk when they are said to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def flush_file(path: Path) -> None:
    """Return when what was written to a file, by whomever, is on the disk; its name in the folder is another matter."""
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def flush_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk: a file's own fsync does not do that (fsync(2))."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A new file that takes the place of another when the block ends well; else nothing has changed.

    It is written under another name, flushed, and renamed, and the folder is flushed. One writer at a time: the other
    name is always the same, so that a crash leaves no more than one behind.

    Parameters
    ----------
    path : Path
    mode : int
        Permissions, where the umask allows them.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)
