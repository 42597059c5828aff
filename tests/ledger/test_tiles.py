"""Tiles: the names and bytes of c2sp.org/tlog-tiles."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.ledger.log import Tail, grow, superseded
from headframe.ledger.merkle import leaf_hash
from headframe.ledger.tiles import (
    ENTRIES,
    WIDTH,
    BadTile,
    Tile,
    TileTree,
    bundle_bytes,
    entries_of,
    hashes_of,
    node_reader,
    read_path,
    tile_at,
    tiles_of,
)

from .naive_merkle import mth

tiles = st.builds(Tile, st.sampled_from([ENTRIES, 0, 1, 2, 5, 63]), st.integers(0, 10**12), st.integers(1, WIDTH))


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),  # the specification's example
        (Tile(0, 0, 1), "tile/0/000.p/1"),
        (Tile(ENTRIES, 999), "tile/entries/999"),
        (Tile(ENTRIES, 1000, 255), "tile/entries/x001/000.p/255"),
        (Tile(63, 5), "tile/63/005"),
    ],
)
def test_names_are_the_specifications(tile: Tile, path: str) -> None:
    """And back."""
    assert tile.path() == path
    assert read_path(path) == tile


@given(tiles)
def test_reading_a_name_is_the_inverse_of_writing_it(tile: Tile) -> None:
    """read_path(path(x)) == x."""
    assert read_path(tile.path()) == tile


@given(st.text(alphabet="tile/0123456789x.penris-", max_size=40))
def test_a_name_is_read_only_in_its_one_spelling(text: str) -> None:
    """Anything else is refused."""
    with contextlib.suppress(BadTile):
        assert read_path(text).path() == text


def test_the_specifications_tree_of_70000_leaves() -> None:
    """273 full level 0 tiles, a partial one of 112; one full level 1 tile, a partial one of 17; one of 1 at level 2."""
    last = list(tiles_of(70_000))
    assert [tile for tile in last if tile.level == 0] == [Tile(0, 272), Tile(0, 273, 112)]
    assert [tile for tile in last if tile.level == 1] == [Tile(1, 0), Tile(1, 1, 17)]
    assert [tile for tile in last if tile.level == 2] == [Tile(2, 0, 1)]
    assert list(tiles_of(256)) == [Tile(ENTRIES, 0), Tile(0, 0), Tile(1, 0, 1)]
    assert tile_at(0, 69_999, 70_000) == Tile(0, 273, 112)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=WIDTH))
def test_a_bundle_survives_its_bytes(entries: list[bytes]) -> None:
    """entries_of(bundle_bytes(x)) == x; and no cut of it passes."""
    data = bundle_bytes(entries)
    assert entries_of(data, Tile(ENTRIES, 0, len(entries))) == entries
    with pytest.raises(BadTile):
        entries_of(data[:-1], Tile(ENTRIES, 0, len(entries)))


@given(st.lists(st.integers(1, 600), min_size=1, max_size=8))
def test_a_log_that_grows_in_steps_has_the_tiles_of_the_definition(steps: list[int]) -> None:
    """Every tile's hash is the naive root over its leaves; every older root can be computed from the tiles."""
    files: dict[Tile, bytes] = {}
    tail = Tail()
    leaves: list[bytes] = []
    for step in steps:
        new = [b"%d" % number for number in range(len(leaves), len(leaves) + step)]
        written: dict[Tile, bytes] = {}
        after = grow(tail, new, written.__setitem__)
        assert not files.keys() & written.keys(), "a file that is there is written again"
        files |= written
        for tile in superseded(tail.size, after.size):
            del files[tile]
        tail = after
        leaves += new
    assert tail.size == len(leaves)
    assert tail.root() == mth(leaves)
    for tile, data in files.items():
        if tile.level == ENTRIES:
            assert entries_of(data, tile) == leaves[tile.number * WIDTH :][: tile.width]
            continue
        span = WIDTH**tile.level
        for place, value in enumerate(hashes_of(data, tile)):
            start = (tile.number * WIDTH + place) * span
            assert value == mth(leaves[start : start + span])
    full = {Tile(ENTRIES, number) for number in range(len(leaves) // WIDTH)}
    assert {tile for tile in files if tile.width == WIDTH and tile.level == ENTRIES} == full
    assert {tile for tile in files if tile.width < WIDTH} == {
        tile for tile in tiles_of(len(leaves)) if tile.width < WIDTH
    }
    node = node_reader(lambda tile: TileTree(hashes_of(files[tile], tile)), len(leaves))
    for level in range(len(leaves).bit_length()):
        number = (len(leaves) >> level) - 1
        if number >= 0:
            assert node(level, number) == mth(leaves[number << level : (number + 1) << level])
    assert node(0, 0) == leaf_hash(leaves[0])
