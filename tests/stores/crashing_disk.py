"""A disk in memory that keeps no promise it did not make: what POSIX allows after a crash, it does.

- Bytes written since a file's last fsync: any of the writes may be there or not, in any order, cut, or as zeros.
- Names made, changed or removed since a folder's last fsync: any of them may have happened or not, one by one; a
  rename happens wholly or not at all.
- An fsync that fails leaves the bytes in the cache, marked as clean: the next fsync says yes and writes nothing
  (https://lwn.net/Articles/752063/).

A run counts its operations. At one of them the machine loses power (`Crash`), or the operation fails (`OSError`).
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from headframe.stores.disk import Disk


class Crash(BaseException):
    """The power is gone. No `except Exception` may catch it."""


@dataclass
class File:
    """A file's bytes: as they are in the cache, as they are on the disk, and what was written in between."""

    cached: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    pending: list[tuple[int, bytes]] = field(default_factory=list)

    def after_crash(self, random: Random) -> "File":
        """What the disk has of it when the power is back."""
        data = bytearray(self.durable)
        writes = [write for write in self.pending if random.random() < 0.5]
        random.shuffle(writes)
        for place, piece in writes:
            kind = random.randrange(4)
            if kind == 0:
                piece = piece[: random.randint(0, len(piece))]
            elif kind == 1:
                piece = bytes(len(piece))  # the length was written, the bytes were not
            elif kind == 2 and len(piece) > 512:
                sectors = [piece[i : i + 512] for i in range(0, len(piece), 512)]
                piece = b"".join(part if random.random() < 0.5 else bytes(len(part)) for part in sectors)
            if len(data) < place + len(piece):
                data.extend(bytes(place + len(piece) - len(data)))
            data[place : place + len(piece)] = piece
        return File(cached=data, durable=bytes(data))


@dataclass
class Folder:
    """Names in a folder: now, on the disk, and the changes in between, each a list of (name, what it is after)."""

    cached: dict[str, "File | Folder"] = field(default_factory=dict)
    durable: dict[str, "File | Folder"] = field(default_factory=dict)
    pending: list[list[tuple[str, "File | Folder | None"]]] = field(default_factory=list)

    def change(self, *changes: tuple[str, "File | Folder | None"]) -> None:
        for name, node in changes:
            if node is None:
                self.cached.pop(name, None)
            else:
                self.cached[name] = node
        self.pending.append(list(changes))

    def after_crash(self, random: Random) -> "Folder":
        """What the disk has of it when the power is back."""
        names = dict(self.durable)
        for changes in self.pending:
            if random.random() < 0.5:
                for name, node in changes:
                    if node is None:
                        names.pop(name, None)
                    else:
                        names[name] = node
        after = {name: node.after_crash(random) for name, node in names.items()}
        return Folder(cached=dict(after), durable=dict(after))


class CrashingDisk(Disk):
    """The disk; hand it to a ledger in the place of the real one.

    Parameters
    ----------
    root : Folder
    fail_at : int or None
        Which operation, from 1, goes wrong.
    error : int or None
        The errno of what goes wrong; None is a crash.
    random : Random
    """

    def __init__(self, root: Folder, random: Random, fail_at: int | None = None, error: int | None = None) -> None:
        self.root = root
        self.random = random
        self.fail_at = fail_at
        self.error = error
        self.operations = 0
        self._open: dict[int, File] = {}
        self._next = 1000

    def after_crash(self, fail_at: int | None = None) -> "CrashingDisk":
        """The same disk when the power is back."""
        return CrashingDisk(self.root.after_crash(self.random), self.random, fail_at)

    def read(self, path: Path) -> bytes | None:
        node = self._find(path)
        return bytes(node.cached) if isinstance(node, File) else None

    def names(self, folder: Path) -> list[str]:
        node = self._find(folder)
        return list(node.cached) if isinstance(node, Folder) else []

    def is_folder(self, path: Path) -> bool:
        return isinstance(self._find(path), Folder)

    def create(self, path: Path) -> int:
        folder = self._folder(path.parent)
        if path.name in folder.cached:
            raise FileExistsError(errno.EEXIST, "exists", str(path))
        self._step()
        file = File()
        folder.change((path.name, file))
        self._next += 1
        self._open[self._next] = file
        return self._next

    def write(self, file: int, data: bytes) -> None:
        node = self._open[file]
        place = len(node.cached)

        def part() -> None:
            # A full disk, or a power cut, in the middle of a write.
            some = data[: self.random.randint(0, len(data))]
            node.cached.extend(some)
            node.pending.append((place, some))

        self._step(part)
        node.cached.extend(data)
        node.pending.append((place, data))

    def sync(self, file: int) -> None:
        node = self._open[file]
        self._step(node.pending.clear if self.error is not None else None)
        for place, piece in node.pending:
            data = bytearray(node.durable)
            if len(data) < place + len(piece):
                data.extend(bytes(place + len(piece) - len(data)))
            data[place : place + len(piece)] = piece
            node.durable = bytes(data)
        node.pending.clear()

    def close(self, file: int) -> None:
        self._open.pop(file, None)

    def sync_folder(self, folder: Path) -> None:
        node = self._folder(folder)
        self._step()
        node.durable = dict(node.cached)
        node.pending.clear()

    def sync_all(self, files: Sequence[int], folders: Sequence[Path]) -> None:
        steps = [lambda file=file: self.sync(file) for file in files]
        steps += [lambda folder=folder: self.sync_folder(folder) for folder in folders]
        self.random.shuffle(steps)
        for step in steps:
            step()

    def make_folder(self, folder: Path) -> bool:
        parent = self._folder(folder.parent)
        if folder.name in parent.cached:
            return False
        self._step()
        parent.change((folder.name, Folder()))
        return True

    def rename(self, source: Path, target: Path) -> None:
        one, other = self._folder(source.parent), self._folder(target.parent)
        node = one.cached.get(source.name)
        if node is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(source))
        self._step()
        if one is other:
            one.change((target.name, node), (source.name, None))
        else:
            other.change((target.name, node))
            one.change((source.name, None))

    def remove(self, path: Path) -> None:
        folder = self._find(path.parent)
        if isinstance(folder, Folder) and path.name in folder.cached:
            self._step()
            folder.change((path.name, None))

    def remove_folder(self, folder: Path) -> None:
        parent, node = self._folder(folder.parent), self._find(folder)
        if isinstance(node, Folder) and not node.cached:
            self._step()
            parent.change((folder.name, None))

    @contextmanager
    def lock(self, path: Path, timeout_s: float) -> Iterator[None]:
        yield

    def _find(self, path: Path) -> File | Folder | None:
        node: File | Folder | None = self.root
        for name in path.parts[1:]:
            if not isinstance(node, Folder):
                return None
            node = node.cached.get(name)
        return node

    def _folder(self, path: Path) -> Folder:
        node = self._find(path)
        if not isinstance(node, Folder):
            raise FileNotFoundError(errno.ENOENT, "no such folder", str(path))
        return node

    def _step(self, half: "object | None" = None) -> None:
        self.operations += 1
        if self.operations != self.fail_at:
            return
        if callable(half):
            half()
        if self.error is None:
            raise Crash
        raise OSError(self.error, "injected")
