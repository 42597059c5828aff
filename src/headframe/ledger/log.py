"""Appending to a log, reading from it, checking all of it: the algorithms, over the contract in `store`.

**Appending**, and what a crash leaves at each step:

1. The writer takes the lock and reads the checkpoint. Whatever lies beyond it was never acknowledged: a writer died.
   It is set aside, and said.
2. Entry bundles and hash tiles of the new leaves are created under names that no checkpoint speaks of. *A crash leaves
   some of them, whole, torn or empty; the next writer sets them aside.*
3. All of them are made durable. *As before.*
4. The new checkpoint takes the place of the old one. *A crash leaves the old one or the new one. If it is the new one,
   everything it speaks of is durable already (3), so the leaves are in the log though nobody was told; who asks again
   is given their places.*
5. Only now are the places given to the caller: acknowledged.
6. Partial tiles that were superseded by the append before this one are removed. *A crash leaves some; they are removed
   later.*
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from headframe.ledger.checkpoint import Checkpoint
from headframe.ledger.leaf import LARGEST_LEAF, BadLeaf
from headframe.ledger.merkle import complete_root, fold, leaf_hash
from headframe.ledger.store import BadLedger, LedgerStore
from headframe.ledger.tiles import (
    BITS,
    ENTRIES,
    TOP_LEVEL,
    WIDTH,
    BadTile,
    Tile,
    bundle_bytes,
    entries_of,
    hashes_of,
    tile_at,
)

LARGEST_COMMIT = 65_536
"""Leaves that share a checkpoint; more are appended in several steps. It bounds what a dead writer can leave."""

Put = Callable[[Tile, bytes], None]


@dataclass(slots=True)
class Tail:
    """The growing edge of a log: what an append must know of all that is there already.

    Attributes
    ----------
    size : int
        Leaves.
    entries : list of bytes
        Those of the last, partial bundle; fewer than 256.
    edges : list of list of bytes
        Per level, the hashes of the last, partial tile; fewer than 256 each.
    """

    size: int = 0
    entries: list[bytes] = field(default_factory=list)
    edges: list[list[bytes]] = field(default_factory=lambda: [[]])

    def copy(self) -> Tail:
        """The same edge, to grow on its own."""
        return Tail(self.size, list(self.entries), [list(edge) for edge in self.edges])

    def root(self) -> bytes:
        """Root over all leaves."""
        peaks = []
        for edge in reversed(self.edges):
            start = 0
            for bit in range(BITS - 1, -1, -1):
                if len(edge) >> bit & 1:
                    peaks.append(complete_root(edge[start : start + (1 << bit)]))
                    start += 1 << bit
        return fold(peaks)


def grow(tail: Tail, leaves: Sequence[bytes], put: Put) -> Tail:
    """Add leaves to a log.

    Parameters
    ----------
    tail : Tail
        Is left as it is.
    leaves : sequence of bytes
    put : callable
        Is handed each new tile and bundle, with its bytes.

    Returns
    -------
    Tail
        The edge after them.

    Raises
    ------
    BadLeaf
        If a leaf is too large or empty; nothing has been put then.
    """
    for place, leaf in enumerate(leaves):
        if not 0 < len(leaf) <= LARGEST_LEAF:
            raise BadLeaf(f"leaf {place} of {len(leaves)} has {len(leaf):,} bytes; the log takes 1 to {LARGEST_LEAF:,}")
    new = tail.copy()
    touched = {0} if leaves else set()
    for leaf in leaves:
        new.entries.append(leaf)
        new.edges[0].append(leaf_hash(leaf))
        new.size += 1
        if len(new.entries) == WIDTH:
            number = (new.size - 1) // WIDTH
            put(Tile(ENTRIES, number), bundle_bytes(new.entries))
            new.entries = []
            touched |= _carry(new, number, put)
    if new.entries:
        put(Tile(ENTRIES, new.size // WIDTH, len(new.entries)), bundle_bytes(new.entries))
    for level in sorted(touched):
        edge = new.edges[level]
        if edge:
            put(Tile(level, new.size >> (BITS * (level + 1)), len(edge)), b"".join(edge))
    return new


def _carry(tail: Tail, number: int, put: Put) -> set[int]:
    """Write the full tile at level 0, its root to the level above, and so on; gives the levels that changed."""
    touched = set()
    level = 0
    while len(tail.edges[level]) == WIDTH:
        full = tail.edges[level]
        put(Tile(level, number), b"".join(full))
        tail.edges[level] = []
        level += 1
        if level == len(tail.edges):
            tail.edges.append([])
        tail.edges[level].append(complete_root(full))
        touched.add(level)
        number //= WIDTH
    return touched


def superseded(size: int, by: int) -> tuple[Tile, ...]:
    """Partial tiles of a log of `size` leaves that one of `by` leaves does not need."""
    return tuple(tile for tile in _edge_tiles(size) if tile not in _edge_tiles(by))


def _edge_tiles(size: int) -> set[Tile]:
    tiles = set()
    for level in (ENTRIES, *range(TOP_LEVEL + 1)):
        count = size >> (BITS * max(level, 0))
        if not count:
            break
        if count % WIDTH:
            tiles.add(Tile(level, count // WIDTH, count % WIDTH))
    return tiles


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What lies near the end of a log and is not part of it.

    Attributes
    ----------
    beyond : tuple of Tile
        Beyond the checkpoint: a writer died.
    superseded : tuple of Tile
        Partial tiles that wider ones have replaced.
    """

    beyond: tuple[Tile, ...]
    superseded: tuple[Tile, ...]


def leftovers(store: LedgerStore, size: int) -> Leftovers:
    """What lies near the end of a log of `size` leaves and is not part of it."""
    beyond = []
    old = []
    for tile in store.around_the_end(size):
        count = size >> (BITS * max(tile.level, 0))
        end = tile.number * WIDTH + tile.width
        if end > count:
            beyond.append(tile)
        elif tile.width < WIDTH and end < count:
            old.append(tile)
    return Leftovers(tuple(sorted(beyond)), tuple(sorted(old)))


def read_tail(store: LedgerStore, checkpoint: Checkpoint) -> Tail:
    """The edge of the log that a checkpoint speaks of, checked against its root.

    Parameters
    ----------
    store : LedgerStore
    checkpoint : Checkpoint
        Its signature has been checked.

    Returns
    -------
    Tail

    Raises
    ------
    BadLedger
        If files are missing or contradict the checkpoint.
    """
    size = checkpoint.size
    tail = Tail(size)
    tail.edges = []
    level = 0
    while True:
        count = size >> (BITS * level)
        if not count and level:
            break
        number, width = divmod(count, WIDTH)
        tile = Tile(level, number, width)
        tail.edges.append(tile_hashes(_must_read(store, tile, size), tile) if width else [])
        level += 1
    if tail.root() != checkpoint.root:
        raise BadLedger(
            f"the hash tiles at the end of the log lead to the root {tail.root().hex()}, and its checkpoint of "
            f"{size:,} leaves says {checkpoint.root.hex()}. Nothing was changed; restore the folder from a copy"
        )
    number, width = divmod(size, WIDTH)
    if width:
        tile = Tile(ENTRIES, number, width)
        try:
            tail.entries = entries_of(_must_read(store, tile, size), tile)
        except BadTile as error:
            raise BadLedger(f"{error}. Nothing was changed; restore the folder from a copy") from None
        if [leaf_hash(entry) for entry in tail.entries] != tail.edges[0]:
            raise BadLedger(
                f"{tile.path()} does not hold the leaves whose hashes are in the log. Nothing was changed; restore the "
                "folder from a copy"
            )
    return tail


def _must_read(store: LedgerStore, tile: Tile, size: int) -> bytes:
    data = store.read(tile)
    if data is None:
        raise BadLedger(
            f"{tile.path()} is missing, and the checkpoint of {size:,} leaves needs it. Nothing was changed; restore "
            "the folder from a copy"
        )
    return data


def tile_hashes(data: bytes, tile: Tile) -> list[bytes]:
    """Hashes of a tile of the log.

    Raises
    ------
    BadLedger
        If the file has not the right length.
    """
    try:
        return hashes_of(data, tile)
    except BadTile as error:
        raise BadLedger(f"{error}. Nothing was changed; restore the folder from a copy") from None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the whole log has seen.

    Attributes
    ----------
    size : int
        Leaves.
    root : bytes
    entry_bytes : int
        [bytes]
    """

    size: int
    root: bytes
    entry_bytes: int


def check_all(
    read: Callable[[Tile], bytes],
    checkpoint: Checkpoint,
    progress: Callable[[int], None] | None = None,
    each: Callable[[int, bytes], None] | None = None,
) -> Checked:
    """Read every entry and every tile of a log, hash everything anew, and compare.

    Memory is bounded by one bundle.

    Parameters
    ----------
    read : callable
        Gives the bytes of a tile or bundle of the log of the checkpoint's size.
    checkpoint : Checkpoint
    progress : callable
        Is told how many leaves have been checked.
    each : callable
        Is handed every leaf with its place.

    Returns
    -------
    Checked

    Raises
    ------
    BadLedger
        If anything is missing, or differs.
    """
    tail = Tail()
    total = 0

    def compare(tile: Tile, data: bytes) -> None:
        if read(tile) != data:
            raise BadLedger(f"{tile.path()} does not have the hashes that the leaves below it make")

    def compare_full(tile: Tile, data: bytes) -> None:
        # Partial tiles on the way are not files; those at the end are compared below.
        if tile.width == WIDTH and tile.level != ENTRIES:
            compare(tile, data)

    bundles = -(-checkpoint.size // WIDTH)
    for number in range(bundles):
        tile = tile_at(ENTRIES, number * WIDTH, checkpoint.size)
        try:
            entries = entries_of(read(tile), tile)
            tail = grow(tail, entries, compare_full)
        except (BadTile, BadLeaf) as error:
            raise BadLedger(str(error)) from None
        if each is not None:
            for place, entry in enumerate(entries):
                each(number * WIDTH + place, entry)
        total += sum(map(len, entries))
        if progress is not None:
            progress(tail.size)
    for level, edge in enumerate(tail.edges):
        if edge:
            compare(Tile(level, tail.size >> (BITS * (level + 1)), len(edge)), b"".join(edge))
    if tail.root() != checkpoint.root:
        raise BadLedger(
            f"the {tail.size:,} leaves make the root {tail.root().hex()}, and the checkpoint says "
            f"{checkpoint.root.hex()}"
        )
    return Checked(tail.size, tail.root(), total)
