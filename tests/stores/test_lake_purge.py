"""Retention in a lake: parts go whole, what stays is untouched, and no crash destroys what no certificate tells of."""

import hashlib
import os
import struct
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from headframe.errors import HeadframeError, NotWritten, UnreadableInput
from headframe.meters import _is_lake, _places
from headframe.stores import lake as lake_module
from headframe.stores import lake_purge
from headframe.stores.lake import TRANSFORMERS, Lake, Name, names_in, transformers_in
from headframe.stores.lake_purge import LakePart, lake_parts, ready_to_go
from tests.dying import Crash, Operation, dying
from tests.stores.test_lake import readings

HOUR_S, DAY_S = 3600, 86_400


def second(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


JANUARY, FEBRUARY, MARCH, APRIL = (second(f"2024-0{month}-01") for month in (1, 2, 3, 4))
NEVER = 0


def filled(folder: Path) -> Lake:
    """Two points over the first quarter, one with feed-in; later a correction of February, and a point of its own."""
    lake = Lake(folder)
    days = (APRIL - JANUARY) // DAY_S
    lake.append(
        pl.concat(
            [
                readings("A", [float(k) for k in range(days)], JANUARY, DAY_S),
                readings("B", [float(k) for k in range(days)], JANUARY, DAY_S),
                readings("B", [None] * days, JANUARY, DAY_S, flow="received"),
            ]
        )
    )
    lake.append(readings("A", [7.0, 8.0], FEBRUARY, DAY_S))
    lake.append(readings("C", [9.0] * 10, JANUARY, DAY_S))
    return lake


def parts_of(folder: Path, apart: tuple[str, ...] = (), until_s: int = MARCH, **more: Any) -> tuple[LakePart, ...]:
    return lake_parts(folder, apart, **{"until_s": until_s, "apart_until_s": until_s, **more})


def purge(folder: Path, wanted: tuple[LakePart, ...], apart: tuple[str, ...] = (), name: str = "D-1") -> None:
    names = [(one.part_id, one.sha256) for one in wanted]
    with ready_to_go(
        folder, names, apart, until_s=MARCH, apart_until_s=MARCH, certified=lambda *_: False
    ) as ready:  # fmt: skip
        assert [(one.part_id, one.sha256) for one in ready.parts] == names
        ready.destroy(name)
        ready.settle()


def without(table: pl.DataFrame, from_s: int, until_s: int, points: str = "ABC") -> pl.DataFrame:
    inside = (pl.col("start_s") >= from_s) & (pl.col("start_s") < until_s) & pl.col("usage_point").is_in(list(points))
    return table.filter(~inside)


def test_parts_are_months_and_what_cases_need_is_apart(tmp_path: Path) -> None:
    """A month that is not over is no part; usage points of cases have parts of their own, and their own border."""
    filled(tmp_path / "lake")
    assert parts_of(tmp_path / "none") == ()
    assert [(one.part_id, one.rows, one.usage_points) for one in parts_of(tmp_path / "lake")] == [
        ("2024-01", 31 * 3 + 10, ("A", "B", "C")),
        ("2024-02", 29 * 3 + 2, ("A", "B")),
    ]
    assert [one.part_id for one in parts_of(tmp_path / "lake", until_s=MARCH - 1)] == ["2024-01"]
    assert [one.until_s for one in parts_of(tmp_path / "lake", until_s=JANUARY + 40 * DAY_S)] == [FEBRUARY]
    own = parts_of(tmp_path / "lake", ("B", "X"), FEBRUARY, apart_until_s=MARCH)
    assert [(one.part_id, one.usage_points) for one in own] == [
        ("2024-01", ("A", "C")),
        ("2024-01 B", ("B",)),
        ("2024-02 B", ("B",)),
    ]
    assert (own[0].from_s, own[0].until_s) == (JANUARY, FEBRUARY)


def test_the_digest_is_of_the_readings_as_they_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the readings can make it again, however many are read at a time."""
    filled(tmp_path / "lake")
    told = parts_of(tmp_path / "lake", ("C",))
    made = hashlib.sha256()
    for k in range(10):
        who = hashlib.blake2b(b"C\0delivered", digest_size=8).digest()
        made.update(who + struct.pack("<qifB", JANUARY + k * DAY_S, DAY_S, 9.0, 0))
    assert next(one.sha256 for one in told if one.part_id == "2024-01 C") == made.hexdigest()
    monkeypatch.setattr(lake_purge, "ROWS_AT_ONCE", 1)
    assert parts_of(tmp_path / "lake", ("C",)) == told


def test_a_part_goes_and_nothing_else(tmp_path: Path) -> None:
    """What is left is byte for byte what it was; files that nothing is left of go; numbers go on."""
    folder = tmp_path / "lake"
    lake = filled(folder)
    before = lake.readings()
    january, _february = parts_of(folder)
    purge(folder, (january,))
    assert lake.readings().equals(without(before, JANUARY, FEBRUARY))
    assert [one.part_id for one in parts_of(folder)] == ["2024-02"]
    # Only January was in the third file.
    assert names_in(folder) == ({Name(1, 1), Name(2, 0)}, {Name(1, 1), Name(2, 0), Name(3, 0)})
    assert (folder / "000003.points.parquet").stat().st_size == 0, "its number is nobody else's"
    assert not list(folder.glob("*.part"))
    assert not (folder / lake_purge.FORGETTING).exists()
    lake.append(readings("A", [5.0], APRIL - DAY_S, DAY_S))
    assert Name(4, 0) in names_in(folder)[0]
    assert _places(lake)[0] == ("A", "B"), "the empty list is no table"
    assert lake.readings(["A"])["energy_wh"][-1] == 5.0, "what comes later counts, also after a purge"
    purge(folder, parts_of(folder))
    assert Name(1, 2) in names_in(folder)[0]
    assert lake.readings().filter(pl.col("start_s") < MARCH).is_empty()
    assert lake.usage_points() == ("A", "B")
    assert lake.span().start_s == MARCH
    batch = next(lake.batches(DAY_S))
    assert batch.usage_points == ("A", "B")
    assert _is_lake(folder)


def test_one_usage_point_of_a_month(tmp_path: Path) -> None:
    """Either way of naming them: the few that go, or the few that stay."""
    for points, gone in ((("B",), "B"), (("A", "B"), "C")):
        folder = tmp_path / gone
        lake = filled(folder)
        before = lake.readings()
        wanted = tuple(one for one in parts_of(folder, points) if one.month == "2024-01" and gone in one.usage_points)
        purge(folder, wanted, points)
        assert lake.readings().equals(without(before, JANUARY, FEBRUARY, gone))


def test_what_a_killed_writer_left_goes_too(tmp_path: Path) -> None:
    """Parts of files and spilt rows hold readings as well."""
    folder = tmp_path / "lake"
    filled(folder)
    (folder / "000009.parquet.part").write_bytes(b"half a file")
    (folder / ".spill-x").mkdir()
    (folder / ".spill-x" / "000000.parquet").write_bytes(b"readings")
    (folder / "000009.points.parquet").write_bytes(b"")
    purge(folder, parts_of(folder))
    left = {path.name for path in folder.iterdir() if path.stat().st_size}
    assert left == {"000001-0001.parquet", "000001-0001.points.parquet"}


def test_a_plan_that_is_not_true_any_more(tmp_path: Path) -> None:
    """Readings of the month that came since are not in the plan, so its part does not go."""
    folder = tmp_path / "lake"
    lake = filled(folder)
    (january, february) = parts_of(folder)
    lake.append(readings("A", [1.5], FEBRUARY, DAY_S))
    names = [(one.part_id, one.sha256) for one in (january, february)]
    with ready_to_go(folder, names, (), until_s=MARCH, apart_until_s=MARCH, certified=lambda *_: False) as ready:
        assert ready.parts == (january,)
    assert parts_of(folder)[0] == january, "nobody said that it should go"
    assert not list(folder.glob("*.part"))


def test_writers_wait_and_readers_hear_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody adds to a lake while files are written anew; who reads a file that goes is told so."""
    folder = tmp_path / "lake"
    lake = filled(folder)
    files = lake._files()
    monkeypatch.setattr(lake_module, "LOCK_TIMEOUT_S", 0.05)
    with ready_to_go(
        folder, [(one.part_id, one.sha256) for one in parts_of(folder)], (), until_s=MARCH, apart_until_s=MARCH,
        certified=lambda *_: False,
    ) as ready:  # fmt: skip
        with pytest.raises(HeadframeError, match="locked by another process"):
            lake.append(readings("A", [1.0], APRIL, DAY_S))
        ready.destroy("D-1")
        ready.settle()
    with pytest.raises(UnreadableInput, match="retention took readings away"):
        files[0].take("A", "B", False)
    with lake.adding(), pytest.raises(HeadframeError, match="locked"), lake.alone():
        pass
    together = threading.Event()
    with lake.adding(), lake.adding():
        together.set()
    assert together.is_set()


def half_a_file(_frame: object, path: Path, **_: object) -> None:
    Path(path).write_bytes(b"PAR1 and no end")


OPERATIONS = (
    *(Operation(os, name) for name in ("replace", "rename", "unlink", "fsync")),
    *(Operation(Path, name) for name in ("rename", "replace", "unlink")),
    Operation(pl.LazyFrame, "sink_parquet", half_a_file),
    Operation(pl.DataFrame, "write_parquet", half_a_file),
)
"""What changes the lake."""


def test_a_crash_at_any_step(tmp_path: Path) -> None:
    """What stays can be read; what was to go is due again with its digests, until a certificate says it is gone."""
    key = ["usage_point", "flow", "start_s"]
    steps = 0
    for at in range(1, 200):
        folder = tmp_path / str(at)
        lake = filled(folder)
        before = lake.readings()
        wanted = parts_of(folder, ("B",))
        survived = True
        with dying(at, OPERATIONS) as done:
            try:
                purge(folder, wanted, ("B",))
            except Crash:
                survived = False
        if survived:
            steps = done()
            break
        left = lake.readings()
        kept = without(before, JANUARY, MARCH)
        assert left.filter(pl.col("start_s") >= MARCH).equals(kept)
        assert left.join(before.select(key), on=key, how="anti").is_empty()
        again = parts_of(folder, ("B",))
        if not again:
            # It was noting that the certificate is written.
            assert left.equals(kept)
            continue
        assert sorted((one.part_id, one.sha256) for one in again) == sorted((one.part_id, one.sha256) for one in wanted)
        if len(left) < len(before):
            assert {one.certificate_id for one in again} == {"D-1"}, (
                "readings are gone, and nothing says by which purge"
            )
        # A certificate that was written before the crash ends it.
        if again[0].certificate_id and len(left) == len(kept):
            assert parts_of(folder, ("B",), certified=lambda *_: True) == ()
        purge(folder, again, ("B",), "D-2")
        assert lake.readings().equals(kept)
        assert parts_of(folder, ("B",)) == ()
        assert len(names_in(folder)[0]) == 1
        assert not list(folder.glob("*.part"))
    assert steps > 12


def test_what_came_since_a_crash_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings that were added since are no part of what is destroyed under the old digest."""
    folder = tmp_path / "lake"
    lake = filled(folder)
    wanted = parts_of(folder)
    names = [(one.part_id, one.sha256) for one in wanted]
    with ready_to_go(folder, names, (), until_s=MARCH, apart_until_s=MARCH, certified=lambda *_: False) as ready:
        ready.destroy("D-1")
    late = readings("A", [3.0], JANUARY, DAY_S)
    lake.append(late)
    again = parts_of(folder)
    assert [(one.part_id, one.sha256) for one in again] == names
    purge(folder, again, (), "D-2")
    assert lake.readings(["A"]).head(1).equals(late)
    assert [(one.part_id, one.rows) for one in parts_of(folder)] == [("2024-01", 1)]


def test_a_damaged_note_is_told(tmp_path: Path) -> None:
    """It says what was being destroyed: without it a part would go without a certificate."""
    folder = tmp_path / "lake"
    filled(folder)
    for text in ("{", '{"format": "other/1", "parts": []}', '{"format": "headframe-lake-purge/1", "parts": [{}]}'):
        (folder / lake_purge.FORGETTING).write_text(text)
        with pytest.raises(UnreadableInput, match="forgetting"):
            parts_of(folder)


def test_a_reading_that_lasts_beyond_its_month(tmp_path: Path) -> None:
    """A register that is read once a quarter: the part's time is over when its last reading's is."""
    folder = tmp_path / "lake"
    lake = Lake(folder)
    lake.append(pl.concat([readings("A", [1.0] * 31, JANUARY, DAY_S), readings("Q", [90.0], JANUARY, 91 * DAY_S)]))
    assert parts_of(folder, until_s=FEBRUARY) == ()
    assert parts_of(folder, until_s=APRIL - 1) == ()
    (part,) = parts_of(folder, until_s=APRIL)
    assert (part.part_id, part.rows, part.from_s, part.until_s) == ("2024-01", 32, JANUARY, APRIL)
    own, rest = sorted(parts_of(folder, ("Q",), FEBRUARY, apart_until_s=APRIL), key=lambda one: -len(one.part_id))
    assert (own.part_id, own.until_s) == ("2024-01 Q", APRIL)
    assert (rest.part_id, rest.usage_points, rest.until_s) == ("2024-01", ("A",), FEBRUARY)
    with ready_to_go(
        folder, [(part.part_id, part.sha256)], (), until_s=APRIL, apart_until_s=APRIL, certified=lambda *_: False
    ) as ready:
        ready.destroy("D-1")
    assert lake.readings().is_empty()
    again = parts_of(folder, until_s=APRIL)
    assert again[0].until_s == APRIL, "it is the same after a crash"
    assert again[0].from_s == JANUARY


def test_a_full_disk_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes the file names it otherwise; nothing has changed, and nothing half is left."""
    folder = tmp_path / "lake"
    lake = filled(folder)
    before, wanted = lake.readings(), parts_of(folder)

    def full(_frame: object, path: Path, *_: object, **__: object) -> None:
        Path(path).write_bytes(b"PAR1 and no end")
        raise fault

    for fault in (pl.exceptions.ComputeError("No space left on device"), OSError(28, "No space left on device")):
        with monkeypatch.context() as patch:
            patch.setattr(pl.LazyFrame, "sink_parquet", full)
            patch.setattr(pl.DataFrame, "write_parquet", full)
            with pytest.raises(NotWritten, match="No space left on device; nothing of it was destroyed"):
                purge(folder, wanted)
            with pytest.raises(type(fault)):
                lake.append(readings("A", [1.0], APRIL, DAY_S))
    assert not list(folder.glob("*.part"))
    assert lake.readings().equals(before)
    assert parts_of(folder) == wanted


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and nothing is destroyed."""
    folder = tmp_path / "lake"
    lake = filled(folder)
    before, wanted = lake.readings(), parts_of(folder)
    (folder / "000009.parquet.part").write_bytes(b"half a file")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(NotWritten, match="Read-only file system; nothing of it was destroyed"):
            purge(folder, wanted)
    assert lake.readings().equals(before)


def test_what_a_killed_writer_left_goes_without_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the lake may ever be due, and half files of readings must not outlast it; but not under a writer."""
    folder = tmp_path / "lake"
    lake = filled(folder)
    before = lake.readings()
    (folder / "000009.parquet.part").write_bytes(b"half a file")
    (folder / ".spill-x").mkdir()
    with lake.adding():
        lake_purge.tidy(folder)
    assert (folder / "000009.parquet.part").exists()
    lake_purge.tidy(folder)
    assert not list(folder.glob("*.part"))
    assert not (folder / ".spill-x").exists()
    assert lake.readings().equals(before)
    lake_purge.tidy(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_folder_is_not_listed_in_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that takes another's place while names are read may be in neither place: then it is read again."""
    folder = tmp_path / "lake"
    lake = filled(folder)
    before = lake.readings()
    whole = names_in(folder)
    seen = iter([({Name(2, 0), Name(3, 0)}, whole[1])])
    monkeypatch.setattr(lake_module, "names_in", lambda folder: next(seen, whole))
    assert lake.readings().equals(before)


def test_points_of_one_transformer_are_known(tmp_path: Path) -> None:
    """Of each part, what hangs beside its points; what was so once stays known."""
    folder = tmp_path / "lake"
    lake = filled(folder)
    assert {one.beside for one in parts_of(folder)} == {()}
    lake.note_transformers({"T1": ["A", "head"]})
    lake.note_transformers({"T1": ["B", "head"], "T2": ["D"]})
    assert transformers_in(folder) == {"T1": frozenset({"A", "B", "head"}), "T2": frozenset({"D"})}
    assert {one.part_id: one.beside for one in parts_of(folder, ("A", "C"))} == {
        "2024-01": ("A", "B", "head"),
        "2024-01 A": ("A", "B", "head"),
        "2024-01 C": (),
        "2024-02": ("A", "B", "head"),
        "2024-02 A": ("A", "B", "head"),
    }
    (folder / TRANSFORMERS).write_text("{")
    with pytest.raises(UnreadableInput, match=r"transformers\.json cannot be read"):
        parts_of(folder)
