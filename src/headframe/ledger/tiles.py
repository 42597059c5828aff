"""Where the hashes and entries of a log are: tiles of 256 hashes, bundles of 256 entries [1]_.

A tile at level L holds hashes over ``256**L`` leaves each; 256 neighbours make a tile, and its root is one hash of the
level above. The levels of the Merkle tree in between are computed from a tile. Tile number N of level L is the file
``tile/L/N``, with N in groups of three digits (``tile/0/x001/x234/067``), and ``.p/W`` after it while only its first W
hashes are there. Entries are in ``tile/entries/N``, each behind its length in two bytes, big-endian.

References
----------
.. [1] c2sp.org/tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from headframe.errors import HeadframeError
from headframe.ledger.leaf import LARGEST_LEAF
from headframe.ledger.merkle import HASH_SIZE, NodeReader, node_hash

WIDTH = 256
"""Hashes of a full tile, entries of a full bundle."""
BITS = 8
"""Levels of the Merkle tree in one tile: 2^8 is 256."""
ENTRIES = -1
"""The level that stands for entry bundles."""
TOP_LEVEL = 63
"""The specification's highest level; 2^63 leaves need no more than 7."""

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class BadTile(HeadframeError):
    """A tile or entry bundle has not the form or the content that it must have."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Name of a tile, or of an entry bundle.

    Attributes
    ----------
    level : int
        From 0; `ENTRIES` for an entry bundle.
    number : int
        From 0.
    width : int
        1 to 256; below 256 it is partial.
    """

    level: int
    number: int
    width: int = WIDTH

    def path(self) -> str:
        """File in the log's folder. `read_path` is its inverse."""
        name = "entries" if self.level == ENTRIES else str(self.level)
        number = f"{self.number % 1000:03d}"
        rest = self.number // 1000
        while rest:
            number = f"x{rest % 1000:03d}/{number}"
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{name}/{number}{partial}"


class TileTree:
    """The hashes of a tile, and the complete nodes above them up to the tile's root, computed when first asked for.

    Parameters
    ----------
    hashes : list of bytes
        1 to 256.
    """

    __slots__ = ("_rows",)

    def __init__(self, hashes: list[bytes]) -> None:
        self._rows = [hashes]

    @property
    def hashes(self) -> list[bytes]:
        """Those of the tile itself."""
        return self._rows[0]

    def node(self, height: int, number: int) -> bytes:
        """Root over the ``2**height`` hashes from ``number * 2**height`` on."""
        while len(self._rows) <= height:
            row = self._rows[-1]
            self._rows.append([node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)])
        return self._rows[height][number]


TileReader = Callable[[Tile], TileTree]
"""Gives a tile by its name."""


def read_path(path: str) -> Tile:
    """The tile whose file this is.

    Raises
    ------
    BadTile
        If no tile's file is called so.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise BadTile(f"{path!r} is not the name of a tile; tile/0/x001/234 and tile/entries/000.p/17 are")
    level, number, width = match.groups()
    tile = Tile(
        ENTRIES if level == "entries" else int(level),
        int(number.replace("x", "").replace("/", "")),
        WIDTH if width is None else int(width),
    )
    if tile.level > TOP_LEVEL or tile.path() != path:
        raise BadTile(f"{path!r} is not the name of a tile; the one for this level and number is {tile.path()!r}")
    return tile


def tiles_of(size: int) -> Iterator[Tile]:
    """Partial tiles of a log of `size` leaves, and the last full one of each level, entries first, then upwards.

    All full tiles with lower numbers are there too.
    """
    for level in (ENTRIES, *range(TOP_LEVEL + 1)):
        count = size >> (BITS * max(level, 0))
        if not count:
            return
        full, width = divmod(count, WIDTH)
        if full:
            yield Tile(level, full - 1)
        if width:
            yield Tile(level, full, width)


def tile_at(level: int, place: int, size: int) -> Tile:
    """The tile of a log of `size` leaves that holds hash (or entry) number `place` of a level.

    Raises
    ------
    ValueError
        If the log has no such hash yet.
    """
    count = size >> (BITS * max(level, 0))
    if not 0 <= place < count:
        raise ValueError(f"a log of {size} leaves has {count} hashes at level {level}; number {place} is not one")
    number = place // WIDTH
    return Tile(level, number, min(WIDTH, count - number * WIDTH))


def hashes_of(data: bytes, tile: Tile) -> list[bytes]:
    """The hashes in a tile's bytes.

    Raises
    ------
    BadTile
        If they are too many or too few.
    """
    if len(data) != tile.width * HASH_SIZE:
        raise BadTile(
            f"{tile.path()} must have {tile.width} hashes, {tile.width * HASH_SIZE:,} bytes; it has {len(data):,}"
        )
    return [data[place : place + HASH_SIZE] for place in range(0, len(data), HASH_SIZE)]


def node_reader(read: TileReader, size: int) -> NodeReader:
    """Complete nodes of a log from its tiles.

    Parameters
    ----------
    read : TileReader
    size : int
        Leaves of the log.

    Returns
    -------
    NodeReader
    """

    def node(level: int, number: int) -> bytes:
        tile_level, within = divmod(level, BITS)
        first = number << within
        tile = tile_at(tile_level, first + (1 << within) - 1, size)
        return read(tile).node(within, (first - tile.number * WIDTH) >> within)

    return node


def bundle_bytes(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle's bytes. `entries_of` is its inverse.

    Raises
    ------
    BadTile
        If an entry is too large for its two bytes of length.
    """
    parts = []
    for entry in entries:
        if len(entry) > LARGEST_LEAF:
            raise BadTile(f"an entry has at most {LARGEST_LEAF:,} bytes; this one has {len(entry):,}")
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def entries_of(data: bytes, tile: Tile) -> list[bytes]:
    """The entries in a bundle's bytes.

    Raises
    ------
    BadTile
        If they are too many or too few, or the last is cut off.
    """
    entries: list[bytes] = []
    place = 0
    while place < len(data):
        length = int.from_bytes(data[place : place + 2], "big")
        end = place + 2 + length
        if place + 2 > len(data) or end > len(data):
            raise BadTile(f"{tile.path()} ends in the middle of entry {len(entries)}")
        entries.append(data[place + 2 : end])
        place = end
    if len(entries) != tile.width:
        raise BadTile(f"{tile.path()} must have {tile.width} entries; it has {len(entries)}")
    return entries
