"""The ledger in a folder: what `headframe.ledger.store` asks for, with files.

::

    ledger/checkpoint            how large the log is, its root, signed: the commit point
    ledger/tile/0/x001/x234/067  256 leaf hashes; tile/1/... 256 roots of those, and so on
    ledger/tile/0/000.p/17       the last one, while it has only 17
    ledger/tile/entries/000      256 leaves, each behind its length
    ledger/witnessed             the largest checkpoint that witnesses have co-signed
    ledger/witnessed-before/1200 smaller ones that other witnesses have co-signed, each by its number of leaves
    ledger/set-aside/            what writers left that died; never read
    ledger/.lock                 held by the one who writes

`docs/ledger-format.md` has every byte. The order of writing, and what a crash leaves at each step, is told in
`headframe.ledger.log`. Readers take no lock: they read the checkpoint, and files that do not change.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import RLock

from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.bundle import MOST_WITNESSED
from headframe.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from headframe.ledger.log import (
    LARGEST_COMMIT,
    Checked,
    Leftovers,
    Tail,
    check_all,
    grow,
    leftovers,
    read_tail,
    superseded,
    tile_hashes,
)
from headframe.ledger.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    NodeReader,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    range_root,
)
from headframe.ledger.note import Note, Signer, Verifier, format_note, parse_note, sign
from headframe.ledger.store import AlreadyThere, BadLedger, LedgerNotWritten
from headframe.ledger.tiles import (
    BITS,
    ENTRIES,
    WIDTH,
    BadTile,
    Tile,
    TileTree,
    entries_of,
    node_reader,
    read_path,
    tile_at,
)
from headframe.ledger.witness import cosignatures, without_forged, witnesses_under
from headframe.stores.disk import Disk
from headframe.stores.ledger_keys import new_key, read_keys, write_keys

LOCK_TIMEOUT_S = 60.0
"""A commit of 65,536 leaves takes a few seconds on a slow disk. [s]"""
OPEN_FILES = 128
"""Files that wait for their fsync together; a process may have 1,024 open, and has others. [files]"""
KEPT_TILES = 256
"""Tiles kept in memory by a reader, with the nodes above them: some 10 MB."""
KEPT_PLACES = 65_536
"""Leaves whose places a writer remembers, to see that one is there already."""
FEW_WANTED = 16
"""So many searches in a tile's bytes are faster than cutting it into its hashes."""
WITNESSED = "witnessed"
WITNESSED_BEFORE = "witnessed-before"
READ_ATTEMPTS = 20
"""A partial tile may vanish while somebody writes; the next checkpoint tells where its hashes are now."""

LARGEST_SIZE_BITS = 63
"""Leaves of the largest log, as a power of two (c2sp.org/tlog-checkpoint keeps sizes below 2^63)."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_PARTIAL = re.compile(r"([0-9]{3})\.p")
_FULL = re.compile(r"[0-9]{3}")
_WIDTH = re.compile(r"[1-9][0-9]{0,2}")


class FolderStore:
    """Files of one log in a folder; meets `headframe.ledger.store.LedgerStore`.

    Parameters
    ----------
    folder : Path
    disk : Disk
    """

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self.disk = disk or Disk()
        self._open: list[int] = []
        self._created: list[Path] = []
        self._folders: set[Path] = set()
        self._known: set[Path] = set()

    @contextmanager
    def writing(self) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                stack.enter_context(self.disk.lock(self.folder / ".lock", LOCK_TIMEOUT_S))
            except OSError as error:
                raise LedgerNotWritten(
                    f"the ledger in {self.folder} cannot be locked for writing: {error.strerror or error}. Nothing was "
                    "changed; see whose folder it is"
                ) from None
            yield

    def read_checkpoint(self) -> bytes | None:
        return self._read(self.folder / "checkpoint")

    def read(self, tile: Tile) -> bytes | None:
        return self._read(self.folder / tile.path())

    def _read(self, path: Path) -> bytes | None:
        try:
            return self.disk.read(path)
        except OSError as error:
            raise UnreadableInput(f"{path} of the ledger cannot be read: {error.strerror or error}") from None

    def create(self, tile: Tile, data: bytes) -> None:
        path = self.folder / tile.path()
        self._make_folders(path.parent)
        try:
            file = self.disk.create(path)
        except FileExistsError:
            raise AlreadyThere(f"{path} is there already: a writer left it that died before its checkpoint") from None
        self._open.append(file)
        self._created.append(path)
        self._folders.add(path.parent)
        self.disk.write(file, data)
        if len(self._open) >= OPEN_FILES:
            self.disk.sync_all(self._open, [])
            self._close()

    def sync(self) -> None:
        # In any order: nothing speaks of any of them before all of them are there.
        self.disk.sync_all(self._open, sorted(self._folders))
        self._close()
        self._folders.clear()

    def commit(self, checkpoint: bytes) -> None:
        # From here on a reader may find the new checkpoint: what was created must stay, whatever happens.
        self._created.clear()
        replace_file(self.disk, self.folder / "checkpoint", checkpoint)

    def around_the_end(self, size: int) -> Iterator[Tile]:
        # All levels, also those that a log of this size has not: of what a dead append made, any name may be lost.
        for level in (ENTRIES, *range(LARGEST_SIZE_BITS // BITS + 1)):
            last = (size >> (BITS * max(level, 0))) // WIDTH
            # One append writes at most LARGEST_COMMIT leaves, so at most so many tiles of a level, and one more.
            furthest = last + -(-LARGEST_COMMIT // WIDTH) + 1
            folders = {(self.folder / Tile(level, number).path()).parent: number // 1000 for number in (last, furthest)}
            for folder, thousands in folders.items():
                yield from self._tiles_in(folder, level, thousands * 1000, last - 1)

    def _tiles_in(self, folder: Path, level: int, first: int, partial_from: int) -> Iterator[Tile]:
        for name in self.disk.names(folder):
            if _FULL.fullmatch(name):
                yield Tile(level, first + int(name))
            elif match := _PARTIAL.fullmatch(name):
                number = first + int(match[1])
                # Folders of partial tiles long superseded are empty or gone; only those near the end are opened.
                if number < partial_from:
                    continue
                for width in self.disk.names(folder / name):
                    if _WIDTH.fullmatch(width) and int(width) < WIDTH:
                        yield Tile(level, number, int(width))

    def set_aside(self, tiles: Iterable[Tile]) -> None:
        for tile in tiles:
            target = self.folder / "set-aside" / tile.path()
            self._make_folders(target.parent)
            self.disk.rename(self.folder / tile.path(), target)

    def remove(self, tiles: Iterable[Tile]) -> None:
        for tile in tiles:
            path = self.folder / tile.path()
            self.disk.remove(path)
            if tile.width < WIDTH and not self.disk.names(path.parent):
                self.disk.remove_folder(path.parent)
                self._known.discard(path.parent)

    def give_up(self) -> None:
        for path in self._created:
            with suppress(OSError):
                self.disk.remove(path)
        self._created.clear()
        with suppress(OSError):
            self._close()
        self._open.clear()
        self._folders.clear()
        self._known.clear()

    def _close(self) -> None:
        while self._open:
            self.disk.close(self._open.pop())

    def _make_folders(self, folder: Path) -> None:
        if folder in self._known or folder == self.folder:
            return
        self._make_folders(folder.parent)
        self.disk.make_folder(folder)
        # Also one that was there: whoever made it may have died before its name was on the disk.
        self._folders.add(folder.parent)
        self._known.add(folder)


def replace_file(disk: Disk, path: Path, data: bytes) -> None:
    """Put a file in the place of another, atomically and durably."""
    new = path.with_name(f".{path.name}.new")
    disk.remove(new)
    file = disk.create(new)
    try:
        disk.write(file, data)
        # Else the new name could be on the disk before the bytes are.
        disk.sync(file)
    finally:
        disk.close(file)
    disk.rename(new, path)
    disk.sync_folder(path.parent)


class LedgerReader:
    """Reads a log in a folder, and proves what it says. Takes no lock; others may write meanwhile.

    Parameters
    ----------
    folder : Path
    keys : sequence of Verifier
        Public keys that are trusted to sign for this log.
    disk : Disk

    Raises
    ------
    UnreadableInput
        If there is no log.
    BadNote
        If no trusted key signed its checkpoint.
    """

    def __init__(self, folder: Path, keys: Sequence[Verifier], disk: Disk | None = None) -> None:
        self.folder = folder
        self.keys = tuple(keys)
        self.store = FolderStore(folder, disk)
        self._kept: OrderedDict[tuple[int, int], tuple[int, TileTree]] = OrderedDict()
        self._kept_bundle: tuple[Tile, list[bytes]] | None = None
        self._guard = RLock()
        self._checkpoint, self._note = self._load()

    @property
    def checkpoint(self) -> Checkpoint:
        """The latest checkpoint that was read."""
        return self._checkpoint

    @property
    def note(self) -> bytes:
        """The same with its signatures: the bytes of the file ``checkpoint``."""
        return self._note

    @property
    def size(self) -> int:
        """Leaves."""
        return self._checkpoint.size

    def refresh(self) -> Checkpoint:
        """Read the checkpoint again.

        Raises
        ------
        BadLedger
            If the log has shrunk since it was last read, or is another one.
        """
        with self._guard:
            before = self._checkpoint
            now, note = self._load()
            if now.origin != before.origin or now.size < before.size or (now.size == before.size and now != before):
                raise BadLedger(
                    f"the checkpoint in {self.folder} said {before.size:,} leaves of {before.origin} a moment ago, and "
                    f"now says {now.size:,} of {now.origin}: somebody put an older or another log in its place"
                )
            self._checkpoint, self._note = now, note
            return now

    def entry(self, index: int) -> bytes:
        """The leaf at a place.

        Raises
        ------
        HeadframeError
            If the log has no such leaf.
        BadLedger
            If its file is damaged.
        """
        return next(self.entries(index, index + 1))

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Leaves from one place to before another, bundle by bundle, each checked against its hash.

        Parameters
        ----------
        start, end : int
            ``0 <= start <= end <= size``.

        Yields
        ------
        bytes
        """
        end = self.size if end is None else end
        if not 0 <= start <= end <= self.size:
            raise HeadframeError(
                f"the log has {self.size:,} leaves, numbered from 0; {start:,} to before {end:,} are not among them"
            )
        for number in range(start // WIDTH, -(-end // WIDTH) if end > start else start // WIDTH):
            first = number * WIDTH
            width = min(self.size - first, WIDTH)
            hashes = self._hashes(Tile(0, number, width))
            tile, entries = self._bundle(Tile(ENTRIES, number, width))
            for place in range(max(start - first, 0), min(end - first, WIDTH)):
                if leaf_hash(entries[place]) != hashes[place]:
                    raise BadLedger(f"leaf {first + place} in {tile.path()} is not the one whose hash is in the log")
                yield entries[place]

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """What shows that a leaf is in the log of so many leaves (now, if not said).

        Raises
        ------
        HeadframeError
            If there is no such leaf or no such size.
        """
        size = self._known_size(size)
        if not 0 <= index < size:
            raise HeadframeError(f"leaf {index:,} is not among the {size:,} leaves of the log, numbered from 0")
        return inclusion_proof(index, size, self._nodes())

    def consistency_proof(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        """What shows that the log of `old` leaves is the beginning of that of `new` leaves (now, if not said).

        Raises
        ------
        HeadframeError
            If the log never had that size.
        """
        new = self._known_size(new)
        if not 0 <= old <= new:
            raise HeadframeError(f"a log of {old:,} leaves is not the beginning of one of {new:,}")
        return consistency_proof(old, new, self._nodes())

    def root_at(self, size: int) -> bytes:
        """The root that the log had when it had so many leaves."""
        size = self._known_size(size)
        return range_root(0, size, self._nodes()) if size else EMPTY_ROOT

    def find(self, leaves: Sequence[bytes]) -> Mapping[bytes, int]:
        """Places of leaves, searched from the end of the log backwards.

        Reads 32 bytes per leaf of the log until all are found; meant for what a crash left undecided.

        Parameters
        ----------
        leaves : sequence of bytes

        Returns
        -------
        mapping of bytes to int
            Leaf to place, for those that are in the log; the first place if one is there twice within a tile.
        """
        wanted = {leaf_hash(leaf): leaf for leaf in leaves}
        found: dict[bytes, int] = {}
        size = self.size
        for number in range((size - 1) // WIDTH, -1, -1):
            if not wanted:
                break
            data, tile = self._read(0, number, min(size - number * WIDTH, WIDTH))
            # A look at the bytes first: most tiles have none, and cutting each one up would take most of the time.
            if len(wanted) <= FEW_WANTED and not any(value in data for value in wanted):
                continue
            hashes = tile_hashes(data, tile)
            for value in wanted.keys() & set(hashes):
                found[wanted.pop(value)] = number * WIDTH + hashes.index(value)
        return found

    def check_all(
        self, progress: Callable[[int], None] | None = None, each: Callable[[int, bytes], None] | None = None
    ) -> Checked:
        """Read all of the log, hash it anew, and compare with the checkpoint; see `headframe.ledger.log.check_all`."""
        checkpoint = self.refresh()

        def read(tile: Tile) -> bytes:
            data, got = self._read(tile.level, tile.number, tile.width)
            if got.width == tile.width:
                return data
            # The log grew while it was being checked; the beginning of the wider tile is what was there.
            if tile.level != ENTRIES:
                return data[: tile.width * HASH_SIZE]
            place = 0
            for _ in range(tile.width):
                place += 2 + int.from_bytes(data[place : place + 2], "big")
            return data[:place]

        return check_all(read, checkpoint, progress, each)

    def unknown_files(self) -> Iterator[str]:
        """Files below ``tile/`` that are none of the log's: beyond its end, or of a strange name.

        A partial tile that a wider one has superseded is none of them: a crash may leave some, and they do no harm.
        """
        waiting = ["tile"]
        while waiting:
            path = waiting.pop()
            if self.store.disk.is_folder(self.folder / path):
                waiting.extend(f"{path}/{name}" for name in sorted(self.store.disk.names(self.folder / path)))
                continue
            try:
                tile = read_path(path)
            except BadTile:
                if path != "tile":
                    yield path
                continue
            count = self.size >> (BITS * max(tile.level, 0))
            end = tile.number * WIDTH + tile.width
            if end > count:
                yield path

    def witnessed(self) -> bytes | None:
        """The largest checkpoint that was co-signed, as `Ledger.keep_witnessed` was given it."""
        return self.store.disk.read(self.folder / WITNESSED)

    def every_witnessed(self) -> tuple[bytes, ...]:
        """Every checkpoint that was co-signed and is kept, the largest first.

        Each is the largest that one of the witnesses has signed.
        """
        return tuple(note for _size, note in sorted(self._witnessed_by_size().items(), reverse=True))

    def _witnessed_by_size(self) -> dict[int, bytes]:
        disk, before = self.store.disk, self.folder / WITNESSED_BEFORE
        names = disk.names(before) if disk.is_folder(before) else []
        paths = [self.folder / WITNESSED, *(before / name for name in names if _SIZE.fullmatch(name))]
        found: dict[int, bytes] = {}
        for path in paths:
            if (note := disk.read(path)) is not None:
                found.setdefault(read_checkpoint(parse_note(note).text).size, note)
        return found

    def _bundle(self, wanted: Tile) -> tuple[Tile, list[bytes]]:
        """Entries of a bundle that is at least so wide; the last one is kept, for who reads in order."""
        kept = self._kept_bundle
        if kept is not None and kept[0].number == wanted.number and kept[0].width >= wanted.width:
            return kept
        data, tile = self._read(wanted.level, wanted.number, wanted.width)
        try:
            self._kept_bundle = kept = (tile, entries_of(data, tile))
        except BadTile as error:
            raise BadLedger(str(error)) from None
        return kept

    def _known_size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if size > self.size:
            self.refresh()
        if not 0 <= size <= self.size:
            raise HeadframeError(f"the log has {self.size:,} leaves; it has not had {size:,} yet")
        return size

    def _nodes(self) -> NodeReader:
        return node_reader(self._tree, self.size)

    def _hashes(self, tile: Tile) -> list[bytes]:
        return self._tree(tile).hashes

    def _tree(self, tile: Tile) -> TileTree:
        with self._guard:
            key = (tile.level, tile.number)
            kept = self._kept.get(key)
            if kept is None or kept[0] < tile.width:
                data, got = self._read(tile.level, tile.number, tile.width)
                kept = (got.width, TileTree(tile_hashes(data, got)))
                self._kept[key] = kept
                while len(self._kept) > KEPT_TILES:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return kept[1]

    def _read(self, level: int, number: int, width: int) -> tuple[bytes, Tile]:
        """Bytes of a tile that is at least so wide, and which one it is."""
        tile = Tile(level, number, width)
        for _ in range(READ_ATTEMPTS):
            data = self.store.read(tile)
            if data is not None:
                return data, tile
            if tile.width == WIDTH:
                break
            # Superseded meanwhile: the newest checkpoint says how wide it is now.
            self.refresh()
            tile = tile_at(level, number * WIDTH + width - 1, self.size)
        raise BadLedger(
            f"{self.folder / tile.path()} is missing, and the checkpoint of {self.size:,} leaves needs it; "
            "restore the folder from a copy"
        )

    def _load(self) -> tuple[Checkpoint, bytes]:
        data = self.store.read_checkpoint()
        if data is None:
            raise UnreadableInput(f"there is no ledger in {self.folder}: no file named checkpoint")
        checkpoint, _note, _signed = open_checkpoint(data, self.keys)
        return checkpoint, data


class Ledger(LedgerReader):
    """A log that grows. Any number of programs may have it open; they append one after the other.

    Parameters
    ----------
    folder : Path
        Made by `Ledger.create`.
    signers : sequence of Signer
        Private keys of the log; every checkpoint is signed with each.
    disk : Disk

    Attributes
    ----------
    remarks : list of str
        What was found and repaired: what a writer left that died.
    """

    def __init__(self, folder: Path, signers: Sequence[Signer], disk: Disk | None = None) -> None:
        self.signers = tuple(signers)
        self.remarks: list[str] = []
        self._tail = Tail()
        self._ours: bytes | None = None
        self._old: tuple[Tile, ...] = ()
        self._holds = False
        self._places: OrderedDict[bytes, int] = OrderedDict()
        super().__init__(folder, [signer.verifier for signer in signers], disk)
        self._seen = self.size
        with self._guard, self._writing():
            self._settle()

    @classmethod
    def create(cls, folder: Path, signers: Sequence[Signer], disk: Disk | None = None) -> Ledger:
        """Begin a log; its origin is the name of the keys.

        Parameters
        ----------
        folder : Path
            Made if it is not there.
        signers : sequence of Signer
            All of one name.
        disk : Disk

        Returns
        -------
        Ledger

        Raises
        ------
        HeadframeError
            If there is a log, or the remains of one, already.
        """
        names = {signer.name for signer in signers}
        if len(names) != 1:
            raise HeadframeError(f"the keys of a log all have its name; got {', '.join(sorted(names)) or 'no key'}")
        store = FolderStore(folder, disk)
        missing = [path for path in (folder, *folder.parents) if not store.disk.is_folder(path)]
        try:
            for path in reversed(missing):
                store.disk.make_folder(path)
                store.disk.sync_folder(path.parent)
        except OSError as error:
            raise LedgerNotWritten(f"{folder} cannot be made: {error.strerror or error}") from None
        with store.writing():
            if store.read_checkpoint() is not None:
                raise HeadframeError(f"there is a ledger in {folder} already; open it")
            if store.disk.names(folder / "tile"):
                raise BadLedger(
                    f"{folder} has tiles and no checkpoint: the remains of a log. Restore its checkpoint from a copy; "
                    "begin a new log in another folder"
                )
            text = Checkpoint(names.pop(), 0, EMPTY_ROOT).text()
            try:
                store.commit(format_note(sign(text, signers)))
            except OSError as error:
                raise LedgerNotWritten(f"no ledger can be begun in {folder}: {error.strerror or error}") from None
        return cls(folder, signers, disk)

    def append(self, leaves: Sequence[bytes]) -> tuple[int, ...]:
        """Add leaves to the log, durably.

        When this returns, the leaves survive a crash of the program and of the machine. When it raises, none of them
        was acknowledged: up to 65,536 leaves either all are in the log or none is (more are appended in several
        steps). A leaf that is among the last 65,536 which this program or another has appended since this ledger was
        opened is not added again: its place is given. After a crash, use `append_once`.

        Parameters
        ----------
        leaves : sequence of bytes
            1 to 65,535 bytes each.

        Returns
        -------
        tuple of int
            Place of each leaf.

        Raises
        ------
        BadLeaf
            If a leaf is too large or empty.
        LedgerNotWritten
            If the disk would not take it.
        BadLedger
            If the log on the disk contradicts itself.
        """
        if not leaves:
            return ()
        with self._guard, self._writing():
            self._settle()
            hashes = [leaf_hash(leaf) for leaf in leaves]
            # A leaf stands once, also if it was handed in twice.
            new = {value: leaf for value, leaf in zip(hashes, leaves, strict=True) if value not in self._places}
            waiting = list(new.values())
            known = list(new)
            for start in range(0, len(waiting), LARGEST_COMMIT):
                first = self.size
                self._commit(waiting[start : start + LARGEST_COMMIT])
                for place, value in enumerate(known[start : start + LARGEST_COMMIT], first):
                    self._places[value] = place
            places = tuple(self._places[value] for value in hashes)
            while len(self._places) > KEPT_PLACES:
                self._places.popitem(last=False)
            return places

    def append_once(self, leaves: Sequence[bytes]) -> tuple[int, ...]:
        """Add those of the leaves that are nowhere in the log yet; for what a crash left undecided.

        Searches the whole log if need be (`LedgerReader.find`), then does as `append`.
        """
        if not leaves:
            return ()
        with self._guard, self._writing():
            self._settle()
            for leaf, place in self.find(leaves).items():
                self._places[leaf_hash(leaf)] = place
            return self.append(leaves)

    def keep_witnessed(self, note: bytes, witnesses: Sequence[Verifier]) -> bool:
        """Keep a checkpoint of this log that witnesses have co-signed, for bundles.

        Only lines that verify with a key of this log or of a named witness are kept: a forged line under it would make
        every bundle be refused by those who know that witness. Of each witness's key the largest that it has signed is
        kept, at most `MOST_WITNESSED` in all. Two with the same text become one that has the lines of both: two
        witnesses may bring theirs one after the other.

        Parameters
        ----------
        note : bytes
        witnesses : sequence of Verifier
            Keys of the witnesses that the unit has named, of type `headframe.ledger.note.COSIGNATURE`.

        Returns
        -------
        bool
            False if there is nothing new in it: each of its witnesses has signed one as large that is kept.

        Raises
        ------
        HeadframeError
            If it is not a checkpoint of this log, if no named witness has co-signed it, or if a line that claims to be
            of one does not verify.
        """
        checkpoint, new, signed = open_checkpoint(note, self.keys)
        if checkpoint.root != self.root_at(checkpoint.size):
            raise BadLedger(f"the co-signed checkpoint of {checkpoint.size:,} leaves has another root than this log")
        if not witnesses_under(new, checkpoint.origin):
            raise HeadframeError(
                f"no witness has co-signed this checkpoint of {checkpoint.size:,} leaves; give it to one (headframe "
                "log witness), and keep what it makes of it"
            )
        cosigned = cosignatures(new, witnesses)
        if not cosigned:
            whose = ", ".join(sorted(f"{name}+{key_id.hex()}" for name, key_id in witnesses_under(new, self._origin)))
            raise HeadframeError(
                f"no witness that is named here has co-signed this checkpoint of {checkpoint.size:,} leaves; its lines "
                f"say {whose}. Ask that witness for its public key on another way than this file, and name it: "
                "headframe log name-witness KEY"
            )
        ours = {(key.name, key.key_id) for key in (*signed, *(item.witness for item in cosigned))}
        new = Note(new.text, tuple(line for line in new.signatures if (line.name, line.key_id) in ours))
        with self._guard, self._writing():
            before = self._witnessed_by_size()
            kept = {size: without_forged(parse_note(one), witnesses) for size, one in before.items()}
            if (old := kept.get(checkpoint.size)) is not None and old.text == new.text:
                lines = {(line.name, line.key_id): line for line in (*old.signatures, *new.signatures)}
                new = Note(new.text, tuple(lines.values()))
            kept[checkpoint.size] = new
            notes = self._largest_of_each(kept)
            if notes == before:
                return False
            self._write(lambda: self._put_witnessed(notes))
            return checkpoint.size in notes

    def forget_forged(self, witnesses: Sequence[Verifier]) -> None:
        """Take lines from what is kept that claim to be of a named witness and are not.

        An earlier version kept lines without looking at them.
        """
        with self._guard, self._writing():
            before = self._witnessed_by_size()
            kept = {size: without_forged(parse_note(one), witnesses) for size, one in before.items()}
            if any(one != parse_note(before[size]) for size, one in kept.items()):
                self._write(lambda: self._put_witnessed(self._largest_of_each(kept)))

    @property
    def _origin(self) -> str:
        return self._checkpoint.origin

    def _largest_of_each(self, kept: Mapping[int, Note]) -> dict[int, bytes]:
        """Of each witness's key the largest checkpoint that it has signed."""
        largest: dict[tuple[str, bytes], int] = {}
        for size in sorted(kept):
            largest |= dict.fromkeys(witnesses_under(kept[size], self._origin), size)
        needed = sorted({*largest.values()}, reverse=True)[:MOST_WITNESSED]
        return {size: format_note(kept[size]) for size in needed}

    def _put_witnessed(self, notes: Mapping[int, bytes]) -> None:
        """The largest by itself, the others by their sizes. What goes, goes last: of two that are there one counts."""
        disk, folder = self.store.disk, self.folder / WITNESSED_BEFORE
        first, *others = sorted(notes, reverse=True) or [-1]
        if others and not disk.is_folder(folder):
            disk.make_folder(folder)
            disk.sync_folder(self.folder)
        for size in others:
            replace_file(disk, folder / str(size), notes[size])
        if notes:
            replace_file(disk, self.folder / WITNESSED, notes[first])
        else:
            disk.remove(self.folder / WITNESSED)
            disk.sync_folder(self.folder)
        if disk.is_folder(folder):
            for name in disk.names(folder):
                if not (_SIZE.fullmatch(name) and int(name) in others):
                    disk.remove(folder / name)
            disk.sync_folder(folder)

    def sign_again(self, signers: Sequence[Signer]) -> None:
        """Sign the checkpoint with other keys, of which at least one signed it before.

        Parameters
        ----------
        signers : sequence of Signer
            Of the log's name.
        """
        if not signers or any(signer.name != self.checkpoint.origin for signer in signers):
            raise HeadframeError(f"keys of this log have its name, {self.checkpoint.origin}")
        with self._guard, self._writing():
            self._settle()
            self.signers = tuple(signers)
            self.keys = tuple(signer.verifier for signer in signers)
            note = format_note(sign(self._checkpoint.text(), self.signers))
            self._write(lambda: self.store.commit(note))
            self._note = self._ours = note

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The lock between programs, which whoever holds it may take once more."""
        if self._holds:
            yield
            return
        with self.store.writing():
            self._holds = True
            try:
                yield
            finally:
                self._holds = False

    def _settle(self) -> None:
        """Make sure that the edge in memory is that of the disk, and that nothing lies beyond it.

        Called with the lock. Cheap while nobody else has written: the checkpoint is compared byte by byte.
        """
        data = self.store.read_checkpoint()
        if data is not None and data == self._ours:
            return
        checkpoint = self.refresh()
        tail = read_tail(self.store, checkpoint)
        # What was renamed by a program that died may not be on the disk yet, and is about to be relied on.
        self._write(lambda: self.store.disk.sync_folder(self.folder))
        left = leftovers(self.store, checkpoint.size)
        if left.beyond:
            self._write(lambda: self.store.set_aside(left.beyond))
            self.remarks.append(_remark(left, self.folder))
        self._tidy(left.superseded)
        for place in range(max(self._seen, checkpoint.size - KEPT_PLACES), checkpoint.size):
            self._places[self._hashes(tile_at(0, place, checkpoint.size))[place % WIDTH]] = place
        self._seen = checkpoint.size
        self._tail = tail
        self._old = ()
        self._ours = self._note

    def _commit(self, leaves: Sequence[bytes]) -> None:
        before = self._tail.size
        try:
            tail = self._grow(leaves)
        except AlreadyThere:
            # Something lies beyond the checkpoint that the last look did not see: look again, then it must go.
            self._ours = None
            self._settle()
            tail = self._grow(leaves)
        checkpoint = Checkpoint(self._checkpoint.origin, tail.size, tail.root())
        note = format_note(sign(checkpoint.text(), self.signers))
        # Until the new checkpoint is known to be on the disk, the disk is the one to be asked.
        self._ours = None
        self._write(lambda: self.store.commit(note))
        self._tail, self._checkpoint, self._note, self._ours = tail, checkpoint, note, note
        self._seen = tail.size
        # Readers may be about to read what the checkpoint before this one spoke of: it goes one append later.
        self._tidy(self._old)
        self._old = superseded(before, tail.size)

    def _tidy(self, tiles: Iterable[Tile]) -> None:
        # What was acknowledged is on the disk by now; a superseded tile that stays does no harm.
        with suppress(OSError):
            self.store.remove(tiles)

    def _grow(self, leaves: Sequence[bytes]) -> Tail:
        tail: list[Tail] = []

        def write() -> None:
            tail.append(grow(self._tail, leaves, self.store.create))
            self.store.sync()

        self._write(write)
        return tail[0]

    def _write(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            # After a failed fsync the system may believe that the pages are written (fsync(2)): nothing that was
            # created is trusted. It is removed, to make room; the next append reads the disk and begins anew.
            self.store.give_up()
            self._ours = None
            raise LedgerNotWritten(
                f"the ledger in {self.folder} could not be written: {error.strerror or error}. Nothing was "
                "acknowledged, and what was in the log is still there; mend the disk and try again"
            ) from error
        except AlreadyThere:
            self.store.give_up()
            self._ours = None
            raise


def _remark(left: Leftovers, folder: Path) -> str:
    names = ", ".join(tile.path() for tile in left.beyond[:3])
    more = f" and {len(left.beyond) - 3} more" if len(left.beyond) > 3 else ""
    return (
        f"a writer died before its checkpoint and left {names}{more} in {folder}; nothing of it was acknowledged, and "
        "it was moved to set-aside/"
    )


def workspace_ledger(workspace: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> Ledger:
    """The ledger of a workspace; begun, with a fresh key and name, if there is none.

    Parameters
    ----------
    workspace : Path
        Its folders ``ledger`` and ``keys``.
    random_bytes : callable
        For a new key and name.

    Returns
    -------
    Ledger

    Raises
    ------
    HeadframeError
        If there is a ledger without its key, or a key that is not its own.
    """
    folder, key_file = workspace / "ledger", workspace / "keys" / "ledger.key"
    if key_file.exists():
        signers = read_keys(key_file)
        if not (folder / "checkpoint").exists():
            return Ledger.create(folder, signers)
        return Ledger(folder, signers)
    if (folder / "checkpoint").exists():
        raise HeadframeError(
            f"the ledger in {folder} has no private key in {key_file}: it can be read and checked, and nothing can be "
            "appended. Restore the key from your copy"
        )
    # The name only tells logs apart; random letters keep two units from giving theirs the same.
    signers = (new_key(f"headframe/{random_bytes(8).hex()}", random_bytes),)
    # The key first: a log whose key was lost in a crash could never grow.
    write_keys(key_file, signers)
    return Ledger.create(folder, signers)
