"""The store of blocks: nothing lost, nothing twice, and never half a file."""

import fcntl
import multiprocessing
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.errors import HeadframeError, UnreadableInput
from headframe.records.block import Block
from headframe.sources.chain.files import read_blocks
from headframe.sources.chain.series import BadClock, series_of
from headframe.stores import blocks as store_module
from headframe.stores.blocks import COLUMNS, Appended, BlockStore, table_bytes, table_of, workspace_folder

S = 10**9
FIRST_NS = 1_600_000_000 * S


def block(
    height: int, *, after_s: float | None = None, chain: str = "XMR", source: str = "a", header_s: int | None = None
) -> Block:
    """A block that arrived so long after the first."""
    after_s = 120.0 * height if after_s is None else after_s
    return Block(
        chain=chain, height=height, header_time_ns=None if header_s is None else FIRST_NS + header_s * S,
        arrival_time_ns=FIRST_NS + round(after_s * S), clock_source=source, resolution_ns=S,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> BlockStore:
    """An empty workspace."""
    return BlockStore(tmp_path / "workspace")


@pytest.mark.parametrize(
    ("given_folder", "environment", "wanted"),
    [
        ("here", {"HEADFRAME_WORKSPACE": "/there", "HOME": "/home/x"}, "here"),
        (None, {"HEADFRAME_WORKSPACE": "/there", "XDG_DATA_HOME": "/data", "HOME": "/home/x"}, "/there"),
        (None, {"HEADFRAME_WORKSPACE": "", "XDG_DATA_HOME": "/data", "HOME": "/home/x"}, "/data/headframe"),
        (None, {"XDG_DATA_HOME": "relative", "HOME": "/home/x"}, "/home/x/.local/share/headframe"),
        (None, {"HOME": "/home/x"}, "/home/x/.local/share/headframe"),
    ],
)
def test_where_the_workspace_is(given_folder: str | None, environment: dict[str, str], wanted: str) -> None:
    """The option, our variable, the desktop's variable, the usual place, in this order."""
    assert workspace_folder(Path(given_folder) if given_folder else None, environment) == Path(wanted)


def test_what_was_added_is_there(store: BlockStore) -> None:
    """By chain, source and height, with all that was known."""
    given_blocks = [block(2, header_s=230), block(1), block(1, source="b"), block(7, chain="BTC")]
    assert store.append(given_blocks) == [
        Appended(chain="XMR", blocks=3, new=3, earlier=0), Appended(chain="BTC", blocks=1, new=1, earlier=0),
    ]  # fmt: skip
    assert store.chains() == ["BTC", "XMR"]
    kept = [one for series in store.series("xmr") for one in series.blocks()]
    assert kept == [given_blocks[1], given_blocks[0], given_blocks[2]]
    assert store.series("LTC") == []


def test_the_file_has_the_documented_columns(store: BlockStore) -> None:
    """Any program that reads Parquet may read it."""
    store.append([block(1, header_s=100)])
    table = pl.read_parquet(store.path_of("XMR"))
    assert tuple(table.columns) == COLUMNS
    assert table.schema["arrival_time"] == pl.Datetime("ns", "UTC")
    assert table["arrival_time"].cast(pl.Int64).to_list() == [FIRST_NS + 120 * S]
    assert [path.name for path in store.folder.iterdir() if not path.name.startswith(".")] == ["XMR.parquet"]


def test_nothing_is_stored_twice(store: BlockStore) -> None:
    """The earliest time of each height and source stays; a header time that comes later is added."""
    store.append([block(1), block(2, after_s=250)])
    stamp = store.path_of("XMR").stat().st_mtime_ns
    assert store.append([block(1), block(2, after_s=300)]) == [Appended(chain="XMR", blocks=2, new=0, earlier=0)]
    assert store.path_of("XMR").stat().st_mtime_ns == stamp
    (done,) = store.append([block(1, header_s=110), block(2, after_s=240), block(3)])
    assert (done.new, done.earlier) == (1, 2)
    (one,) = store.series("XMR")
    assert ((one.arrival_ns - FIRST_NS) // S).tolist() == [120, 240, 360]
    assert one.header_ns[0] == FIRST_NS + 110 * S


BLOCKS = st.lists(
    st.builds(
        lambda height, after, source, header: block(height, after_s=after, source=source, header_s=header),
        st.integers(0, 5), st.integers(0, 50), st.sampled_from("ab"), st.none() | st.integers(0, 50),
    ),
    max_size=12,
)  # fmt: skip


@given(BLOCKS, st.integers(0, 12))
def test_in_parts_or_at_once(tmp_path_factory: pytest.TempPathFactory, blocks: list[Block], cut: int) -> None:
    """However the blocks are handed in, the same is kept: for each source and height the earliest times."""
    at_once, in_parts = (BlockStore(tmp_path_factory.mktemp("workspace")) for _ in range(2))
    at_once.append(blocks)
    in_parts.append(blocks[cut:])
    in_parts.append(blocks[:cut])
    kept = [[(one.clock_source, one.heights.tolist(), one.arrival_ns.tolist()) for one in store.series("XMR")]
            for store in (at_once, in_parts)]  # fmt: skip
    assert kept[0] == kept[1]
    earliest: dict[tuple[str, int], int] = {}
    for one in blocks:
        key = (one.clock_source, one.height)
        assert one.arrival_time_ns is not None
        earliest[key] = min(one.arrival_time_ns, earliest.get(key, one.arrival_time_ns))
    assert {
        (source, h): t for source, heights, times in kept[0] for h, t in zip(heights, times, strict=True)
    } == earliest


def write_blocks(workspace: Path, writer: int, each: int) -> None:
    """One of several writers, each block in an append of its own."""
    store = BlockStore(workspace)
    for height in range(each):
        store.append([block(height, source=f"writer {writer}")])


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Four processes on one file: every block of each is there afterwards."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_blocks, args=(tmp_path, k, 12)) for k in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=120)
        assert writer.exitcode == 0
    kept = {one.clock_source: one.heights.tolist() for one in BlockStore(tmp_path).series("XMR")}
    assert kept == {f"writer {k}": list(range(12)) for k in range(4)}


def test_a_lock_that_is_not_given_back(store: BlockStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process holds it: after a while an error says who to look for, and nothing is written."""
    store.append([block(1)])
    monkeypatch.setattr(store_module, "LOCK_TIMEOUT_S", 0.1)
    with (store.folder / ".XMR.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(
            HeadframeError, match=r"\.XMR\.lock has been locked by another process for 0\.1 s; see which"
        ):
            store.append([block(2)])
    store.append([block(3)])
    assert store.series("XMR")[0].heights.tolist() == [1, 3]


def test_a_crash_before_the_rename_leaves_the_old_file(store: BlockStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next writer puts things right."""
    store.append([block(1)])

    def crash(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            store.append([block(2)])
    (store.folder / ".XMR.parquet.new").write_bytes(b"what a machine that lost its power leaves")
    assert store.chains() == ["XMR"]
    assert store.series("XMR")[0].heights.tolist() == [1]
    store.append([block(3)])
    assert store.series("XMR")[0].heights.tolist() == [1, 3]
    assert sorted(os.listdir(store.folder)) == [".XMR.lock", "XMR.parquet"]


def test_a_disk_that_is_full(store: BlockStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays, and nothing is left lying about."""
    store.append([block(1)])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.append([block(2)])
    assert store.series("XMR")[0].heights.tolist() == [1]
    assert sorted(os.listdir(store.folder)) == [".XMR.lock", "XMR.parquet"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no table", b"PAR1" + b"\0" * 400 + b"PAR1"])
def test_a_damaged_file_is_not_touched(store: BlockStore, content: bytes) -> None:
    """The message names it and says what to do; an append would take away what may still be saved."""
    store.append([block(1)])
    store.path_of("XMR").write_bytes(content)
    for act in (lambda: store.series("XMR"), lambda: store.append([block(2)]), lambda: store.clock("XMR")):
        with pytest.raises(
            UnreadableInput, match=r"XMR\.parquet is damaged, or no table of blocks: .*import the blocks"
        ):
            act()
    assert store.path_of("XMR").read_bytes() == content


def test_a_table_of_something_else(store: BlockStore) -> None:
    """Parquet, but no blocks."""
    store.append([block(1)])
    pl.DataFrame({"a": [1]}).write_parquet(store.path_of("XMR"))
    with pytest.raises(UnreadableInput, match="no table of blocks"):
        store.series("XMR")


def test_an_unknown_chain(store: BlockStore) -> None:
    """Neither written nor read, and no path is made of it."""
    with pytest.raises(BadClock, match="is no chain that is known here"):
        store.append([block(1, chain="../../XMR")])
    with pytest.raises(BadClock, match="is no chain that is known here"):
        store.series("nope")
    assert not store.folder.exists()


def test_the_clock_of_a_chain(store: BlockStore) -> None:
    """All sources together; without any, what there is."""
    store.append([block(height, source="ab"[height % 2]) for height in range(20)])
    store.append([block(height, source="a") for height in range(20)])
    made = store.clock("XMR")
    assert (made.clock.heights.tolist(), made.clock.sources) == (list(range(1, 19)), ("a", "b"))
    with pytest.raises(BadClock, match=r"no blocks of LTC are stored in .*\(chains there: XMR\); add some: headframe"):
        store.clock("LTC")


@given(BLOCKS.filter(bool))
def test_what_is_exported_can_be_imported(tmp_path_factory: pytest.TempPathFactory, blocks: list[Block]) -> None:
    """The return trip, in both forms."""
    series = series_of(blocks)
    for form in ("csv", "parquet"):
        path = tmp_path_factory.mktemp("export") / f"blocks.{form}"
        path.write_bytes(table_bytes(table_of(series), form))
        file = read_blocks(path)
        assert file.not_understood == 0
        back = {one.clock_source: one for one in file.series}
        assert set(back) == {one.clock_source for one in series}
        for one in series:
            for name in ("heights", "arrival_ns", "header_ns"):
                np.testing.assert_array_equal(getattr(back[one.clock_source], name), getattr(one, name))


@pytest.mark.parametrize("fraction_ns", [0, 250_000_000, 123_456_000, 1])
def test_times_keep_their_decimals_in_csv(fraction_ns: int) -> None:
    """As many as the step of the source needs."""
    resolution_ns = {0: S, 250_000_000: 10_000_000, 123_456_000: 1_000, 1: 1}[fraction_ns]
    one = Block(
        chain="XMR", height=1, header_time_ns=None, arrival_time_ns=FIRST_NS + fraction_ns, clock_source="a",
        resolution_ns=resolution_ns,
    )  # fmt: skip
    text = table_bytes(table_of(series_of([one])), "csv").decode()
    decimals = {0: "", 250_000_000: ".250", 123_456_000: ".123456", 1: ".000000001"}[fraction_ns]
    header = "chain,height,arrival_time,header_time,clock_source"
    assert text == f"{header}\nXMR,1,2020-09-13T12:26:40{decimals}Z,,a\n"
