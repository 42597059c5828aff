"""The lake: what is appended comes back, the last said counts, and batches are hours of mean power."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headframe.records.reading import LoadBatch, Quality
from headframe.sources.power.columns import ColumnMapping
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.read import read_readings
from headframe.stores import lake as lake_module
from headframe.stores.lake import Lake
from headframe.stores.parquet_stream import ParquetReadings, open_parquet

T0 = 1577836800  # 2020-01-01 UTC


def readings(
    point: str, energies: list[float | None], start_s: int = T0, length_s: int = 3600, flow: str = "delivered"
) -> pl.DataFrame:
    n = len(energies)
    return pl.DataFrame(
        {
            "usage_point": [point] * n,
            "flow": [flow] * n,
            "start_s": [start_s + k * length_s for k in range(n)],
            "duration_s": pl.Series([length_s] * n, dtype=pl.Int32),
            "energy_wh": pl.Series(energies, dtype=pl.Float32),
            "quality": pl.Series([0] * n, dtype=pl.UInt8),
        }
    )


def series(batches) -> dict[str, tuple[int, list[float]]]:
    """Start and power by usage point, whatever the batches."""
    found = {}
    for batch in batches:
        assert isinstance(batch, LoadBatch)
        for k, name in enumerate(batch.usage_points):
            power = batch.power_w[batch.first[k] : batch.first[k + 1]]
            found[name] = (int(batch.start_s[k]), [None if np.isnan(w) else round(float(w), 3) for w in power])
    return found


def test_round_trip(tmp_path):
    """What went in comes out, sorted, with its usage points and span."""
    lake = Lake(tmp_path / "lake")
    assert lake.usage_points() == ()
    assert lake.span() is None
    assert list(lake.batches()) == []
    table = pl.concat([readings("b", [1.0, None]), readings("a", [3.0], T0 + 7200)])
    lake.append(table)
    assert lake.readings().equals(table.sort("usage_point", "flow", "start_s"))
    assert lake.usage_points() == ("a", "b")
    span = lake.span()
    assert span is not None
    assert (span.start_s, span.end_s) == (T0, T0 + 3 * 3600)
    assert lake.readings(["b"])["usage_point"].unique().to_list() == ["b"]


@pytest.mark.parametrize("name", ["lake [2026]", "[a]", "what?", "*"])
def test_the_name_of_a_folder_is_no_pattern(tmp_path, name):
    """A lake is read where it is, whatever its folder is called; and the folder that a pattern would mean is not."""
    (tmp_path / "a").mkdir()
    folder = tmp_path / name
    Lake(tmp_path / "a").append(readings("OTHER", [9.0], 0, 3600))
    lake = Lake(folder)
    lake.append(readings("A", [1.0, 2.0], 0, 3600))
    lake.append(readings("A", [3.0], 3600, 3600))
    assert lake.readings()["energy_wh"].to_list() == [1.0, 3.0]
    (batch,) = lake.batches()
    assert list(batch.usage_points) == ["A"]


def test_a_later_file_corrects(tmp_path):
    """The last append of an interval counts, in tables as in batches; the other intervals stay."""
    lake = Lake(tmp_path)
    lake.append(pl.concat([readings("a", [1, 2, 3]), readings("b", [4, 4])]))
    lake.append(readings("a", [9, 10], T0 + 3600))
    lake.append(readings("c", [7], T0))
    table = lake.readings(["a"])
    assert table["energy_wh"].to_list() == [1, 9, 10]
    assert table["quality"].to_list() == [0, Quality.CORRECTED, Quality.CORRECTED]
    assert series(lake.batches()) == {"a": (T0, [1, 9, 10]), "b": (T0, [4, 4]), "c": (T0, [7])}
    assert series(lake.batches(points_per_batch=1)) == series(lake.batches())
    assert series(lake.batches(usage_points=["c", "a", "nobody"])).keys() == {"a", "c"}


def test_flows_are_kept_apart(tmp_path):
    """Export is not subtracted; it is another batch, for whoever asks."""
    lake = Lake(tmp_path)
    for point in "abc":
        lake.append(pl.concat([readings(point, [1, 2]), readings(point, [5, 6, 7], flow="received")]))
    lake.append(pl.concat([readings(p, [1], T0 + 7200) for p in "abc"]))
    assert series(lake.batches()) == {p: (T0, [1, 2, 1]) for p in "abc"}
    assert series(lake.batches(flow="received")) == {p: (T0, [5, 6, 7]) for p in "abc"}


def test_hours_out_of_other_lengths(tmp_path):
    """Quarters are added when all four are there; days are spread, unless they are too long to be asked for."""
    lake = Lake(tmp_path)
    lake.append(readings("quarters", [1, 1, 1, 2, 1, 1, 1, None, 4, 4, 4, 4, 9], length_s=900))
    lake.append(readings("day", [24], length_s=86_400))
    lake.append(readings("offset", [2, 4, 6], T0 + 1800))
    found = series(lake.batches())
    assert found["quarters"] == (T0, [5, None, 16, None])
    assert found["day"] == (T0, [1.0] * 24)
    assert found["offset"] == (T0, [None, 3, 5, None])
    assert series(lake.batches(longest_s=4 * 3600))["day"][1] == [None] * 24
    assert series(lake.batches(900))["quarters"][1][:4] == [4, 4, 4, 8]


def test_zeros_of_a_load_that_is_never_zero_are_missing(tmp_path):
    """Six hours of exact 0 amid hundreds of others are what a store writes for nothing; an empty house is 0."""
    lake = Lake(tmp_path)
    lake.append(readings("office", [5.0] * 300 + [0.0] * 6 + [5.0] * 100))
    lake.append(readings("short", [5.0] * 300 + [0.0] * 5 + [5.0] * 1000))
    lake.append(readings("house", [5.0, 0.0, 0.0] * 100 + [0.0] * 60 + [5.0] * 40))
    found = series(lake.batches())
    assert found["office"][1][300:306] == [None] * 6
    assert found["short"][1].count(0) == 5
    assert None not in found["house"][1]
    assert series(lake.batches(zeros_are_missing=False))["office"][1].count(0) == 6


def test_what_is_no_reading_is_refused(tmp_path):
    """Missing columns are named."""
    with pytest.raises(ValueError, match="energy_wh"):
        Lake(tmp_path).append(readings("a", [1]).drop("energy_wh"))


def test_a_killed_writer_leaves_a_lake_that_can_be_read_and_added_to(tmp_path):
    """A list without its readings, and a part of a file, are passed over."""
    lake = Lake(tmp_path)
    lake.append(readings("a", [1]))
    (tmp_path / "000002.points.parquet").write_bytes(b"")
    (tmp_path / "000002.parquet.part").write_bytes(b"PAR1")
    lake.append(readings("a", [2], T0 + 3600))
    assert series(lake.batches()) == {"a": (T0, [1, 2])}


def write_csv(path: Path, points: int, hours: int, by_time: bool = False) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    table = pl.DataFrame(
        {
            "meter": np.repeat([f"m{k:03d}" for k in range(points)], hours),
            "ts": [datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(hours=h) for h in range(hours)]
            * points,
            "kwh": rng.integers(1, 5000, points * hours) / 1000,
        }
    )
    if by_time:
        table = table.sort("ts", "meter")
    if path.suffix == ".csv":
        table.write_csv(path, datetime_format="%Y-%m-%d %H:%M")
    else:
        table.write_parquet(path)
    return table


@pytest.mark.parametrize("by_time", [False, True])
def test_a_file_larger_than_memory_gives_the_same(tmp_path, monkeypatch, by_time):
    """Through the disk, in many pieces, sorted by meter or by time: the same readings as in one piece."""
    path = tmp_path / "r.csv"
    write_csv(path, 12, 200, by_time)
    monkeypatch.setattr(lake_module, "SPILL_ROWS", 500)
    monkeypatch.setattr("headframe.sources.power.text_file.TextTable.blocks.__defaults__", (4096,), raising=False)
    lake = Lake(tmp_path / "lake")
    taken = lake.take_in(path)
    whole = read_readings(path)
    assert lake.readings().equals(whole.readings)
    assert taken.account == whole.account
    assert not list((tmp_path / "lake").glob(".spill*"))


def standing(path: Path, *more: object) -> ParquetReadings:
    """A table that can be read as it stands."""
    stream = open_parquet(path, *more)
    assert stream is not None
    return stream


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("kind", ["time", "epoch", "text"])
def test_parquet_is_streamed_as_it_stands_or_sorted_first(tmp_path, by_time, kind):
    """Whatever the order of rows and the type of times, batches are the same as through a lake."""
    path = tmp_path / "r.parquet"
    table = write_csv(path, 7, 100, by_time)
    if kind == "epoch":
        table.with_columns(pl.col("ts").dt.epoch("ms")).write_parquet(path)
    elif kind == "text":
        table.with_columns(pl.col("ts").dt.strftime("%Y-%m-%d %H:%M")).write_parquet(path)
    lake = Lake(tmp_path / "lake")
    account = lake.take_in(path).account
    found = series(lake.batches(points_per_batch=3))
    stream = open_parquet(path)
    assert (stream is not None) == (not by_time and kind != "text")
    if stream is not None:
        assert series(stream.batches(points_per_batch=3)) == found
        assert stream.account is not None
        account = stream.account
    assert (account.rows, account.kept) == (700, 700)
    assert found == series(lake.batches())
    wh = table.filter(pl.col("meter") == "m003").sort("ts")["kwh"] * 1000
    assert found["m003"][1] == pytest.approx(wh.to_list(), rel=1e-6)


def test_a_stream_reports_what_it_could_not_use(tmp_path):
    """Rows without a time, values that are not finite, repetitions, negative energies: counted on the fast way too."""
    path = tmp_path / "r.parquet"
    times = [datetime(2020, 1, 1, h) for h in (0, 1, 1, 2, 3, 4)] + [None, datetime(2020, 1, 1, 6)]
    pl.DataFrame(
        {"meter": ["m"] * 8, "ts": times, "kwh": [1.0, 2.0, 5.0, -1.0, float("inf"), None, 3.0, 4.0]}
    ).write_parquet(path)
    stream = standing(path)
    assert series(stream.batches()) == {"m": (T0, [1000, 5000, 0, None, None, None, 4000])}
    assert stream.account is not None
    assert {reason: count for reason, count, _ in stream.account.problems} == {
        "the time is not understood": 1, "the value is no number": 1
    }  # fmt: skip
    assert stream.account.kept == 6
    assert any("1 repeated" in remark for remark in stream.account.remarks)


def test_unsorted_times_within_a_usage_point(tmp_path):
    """Rows of a usage point that stand together but not in order are put in order."""
    path = tmp_path / "r.parquet"
    table = write_csv(path, 3, 50)
    table.sort("meter", pl.col("ts").hash(), maintain_order=True).write_parquet(path)
    stream = standing(path, ColumnMapping.parse("usage_point=meter,start=ts,energy_kwh=kwh"), ReadingOptions())
    found = series(stream.batches())
    assert all(len(power) == 50 and None not in power for _, power in found.values())


@pytest.mark.real_data
def test_real_buildings(shared_data):
    """The Cambridge archive as it stands: its stretches of zeros are missing, and there is one series a building."""
    stream = standing(shared_data / "power" / "cambridge_estates_hourly.parquet")
    missing = total = points = 0
    for batch in stream.batches():
        missing += int(np.isnan(batch.power_w).sum())
        total += len(batch.power_w)
        points += len(batch.usage_points)
    assert stream.account is not None
    assert stream.account.kept == stream.account.rows > 10_000_000
    assert points == 85
    assert 0 < missing < 0.2 * total


def test_estimates_can_be_left_out(tmp_path: Path) -> None:
    """A balance is of what meters measured; the shape detectors take estimates too."""
    lake = Lake(tmp_path)
    quality = [Quality.MEASURED, Quality.ESTIMATED, Quality.CORRECTED, Quality.MEASURED]
    flags = pl.Series("quality", [int(one) for one in quality], dtype=pl.UInt8)
    lake.append(readings("a", [1.0, 2.0, 3.0, 4.0]).with_columns(flags))
    (all_of_it,) = lake.batches()
    (measured,) = lake.batches(estimates_are_missing=True)
    np.testing.assert_array_equal(all_of_it.power_w, [1, 2, 3, 4])
    np.testing.assert_array_equal(measured.power_w, [1, np.nan, 3, 4])
