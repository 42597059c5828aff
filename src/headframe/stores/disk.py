"""The few things that the ledger asks of the operating system, in one thin layer.

They are behind a class so that tests can put a disk there that crashes after any step and shows what a real one may
show then (tests/stores/crashing_disk.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from headframe.stores.durable import flush_folder

SYNC_THREADS = 16
"""They wait for the disk and do nothing else. Some twenty files belong to a usual append."""


class Disk:
    """Files and folders of this machine."""

    _pool: ThreadPoolExecutor | None = None

    def read(self, path: Path) -> bytes | None:
        """All bytes of a file; None if there is no such file."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def names(self, folder: Path) -> list[str]:
        """Names in a folder; empty if there is no such folder."""
        try:
            return os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def is_folder(self, path: Path) -> bool:
        """Whether there is a folder of this name."""
        return path.is_dir()

    def create(self, path: Path) -> int:
        """Open a new file for writing; `FileExistsError` if it is there."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def write(self, file: int, data: bytes) -> None:
        """Write all of the bytes."""
        view = memoryview(data)
        while view:
            # A full disk may take a part and refuse the rest only at the next call.
            view = view[os.write(file, view) :]

    def sync(self, file: int) -> None:
        """Return when the file's bytes are on the disk."""
        os.fsync(file)

    def close(self, file: int) -> None:
        """Give the file back."""
        os.close(file)

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in a folder are on the disk: a file's own fsync does not do that (fsync(2))."""
        flush_folder(folder)

    def sync_all(self, files: Sequence[int], folders: Sequence[Path]) -> None:
        """Return when the bytes of all files and the names in all folders are on the disk, in no particular order.

        Several at once, because a journalling file system then writes its journal once for many of them: on ext4 an
        append of 1,000 leaves waits for 4 commits of the journal in the place of 18.
        """
        if len(files) + len(folders) < 2:
            for file in files:
                self.sync(file)
            for folder in folders:
                self.sync_folder(folder)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(SYNC_THREADS, thread_name_prefix="headframe-sync")
        waiting = [self._pool.submit(self.sync, file) for file in files]
        waiting += [self._pool.submit(self.sync_folder, folder) for folder in folders]
        # All must have ended before anybody closes a file; then the first fault is told.
        faults = [fault for done in waiting if (fault := done.exception()) is not None]
        if faults:
            raise faults[0]

    def make_folder(self, folder: Path) -> bool:
        """Make one folder, whose parent is there; False if it is there already."""
        try:
            os.mkdir(folder, 0o755)
        except FileExistsError:
            return False
        return True

    def rename(self, source: Path, target: Path) -> None:
        """Put a file in the place of another, atomically."""
        os.replace(source, target)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        path.unlink(missing_ok=True)

    def remove_folder(self, folder: Path) -> None:
        """Remove a folder if it is empty."""
        try:
            os.rmdir(folder)
        except OSError:
            return

    @contextmanager
    def lock(self, path: Path, timeout_s: float) -> Iterator[None]:
        """Hold a lock between programs (`headframe.stores.locks`)."""
        from headframe.stores.locks import exclusive

        with exclusive(path, timeout_s):
            yield
