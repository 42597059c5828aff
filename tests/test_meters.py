"""The wiring of meters: files in, rows out, a lake that is kept, sites, tables beside, and every fault in words."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headframe.errors import HeadframeError, UnreadableInput
from headframe.meters import MeterFiles, screen
from headframe.records.finding import Family
from headframe.records.meters import MetersResult
from headframe.stores.lake import TRANSFORMERS, transformers_in
from tests.engines.meters_population import START_S, Series, home, shop

COLUMNS = "usage_point=meter,start=ts,energy_kwh=kwh"


def table_of(series: list[Series]) -> pl.DataFrame:
    """As a utility would export it."""
    return pl.concat(
        pl.DataFrame(
            {
                "meter": [name] * power.size,
                "ts": pl.from_epoch(pl.Series(start + 3600 * np.arange(power.size))),
                "kwh": pl.Series(power.astype(np.float64) / 1000).fill_nan(None),
            }
        )
        for name, start, power in series
    )


def population() -> list[Series]:
    made = [shop(f"S{k:02d}", k, days=42) for k in range(6)]
    return [*made, home("H1", 5, days=42), home("H2", 6, days=42, machine_w=1_500.0), shop("Z", 8, days=5)]


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("meters") / "readings.parquet"
    table_of(population()).write_parquet(path)
    return path


def names(result: MetersResult) -> list[str]:
    return sorted(row.usage_point for row in result.rows)


def test_parquet_and_csv_say_the_same(readings: Path, tmp_path: Path) -> None:
    """The form of the file changes nothing but rounding."""
    text = tmp_path / "readings.csv"
    pl.read_parquet(readings).write_csv(text)
    one, other = screen(MeterFiles(readings=(readings,), columns=COLUMNS)), screen(MeterFiles(readings=(text,)))
    assert names(one) == names(other) == ["H1", "H2", *(f"S{k:02d}" for k in range(6)), "Z"]
    for a, b in zip(one.rows, other.rows, strict=True):
        assert a.usage_point == b.usage_point
        assert a.score == pytest.approx(b.score, abs=1e-3, nan_ok=True)
    assert one.rows[0].usage_point == "H2"
    assert any("UTC" in remark for account in one.accounts for remark in account.remarks)
    assert one.readings == sum(power.size for _, _, power in population())


def test_a_folder_stands_for_its_files(readings: Path, tmp_path: Path) -> None:
    """Each part is read, and what is no reading's form is not."""
    table = pl.read_parquet(readings)
    for k, (_, part) in enumerate(table.group_by("meter", maintain_order=True)):
        part.write_parquet(tmp_path / f"{k}.parquet")
    (tmp_path / "notes.doc").write_text("nothing")
    result = screen(MeterFiles(readings=(tmp_path,)))
    assert names(result) == names(screen(MeterFiles(readings=(readings,))))
    assert len(result.accounts) == 9


def test_a_lake_is_kept_and_not_read_twice(readings: Path, tmp_path: Path) -> None:
    """The second run reads nothing again; the lake itself can be given."""
    lake = tmp_path / "lake"
    files = MeterFiles(readings=(readings,), columns=COLUMNS, lake=lake)
    first, second = screen(files), screen(files)
    assert len(first.accounts) == 1
    assert second.accounts == first.accounts
    assert first.accounts[0].file == str(readings)
    assert [row.score for row in first.rows][:3] == [row.score for row in second.rows][:3]
    direct = screen(MeterFiles(readings=(lake,)))
    assert names(direct) == names(first)
    assert direct.accounts == first.accounts
    assert sorted(path.name for path in lake.glob("*.parquet")) == ["000001.parquet", "000001.points.parquet"]


def test_damage_is_told_and_the_rest_used(readings: Path, tmp_path: Path) -> None:
    """With file, row and reason."""
    text = tmp_path / "readings.csv"
    lines = pl.read_parquet(readings).write_csv().splitlines()
    lines[7] = lines[7].rpartition(",")[0] + ",much"
    text.write_text("\n".join(lines))
    result = screen(MeterFiles(readings=(text,)))
    assert len(result.damaged) == 1
    ((_, rows, examples),) = result.damaged[0].problems
    assert rows == 1
    assert examples[0].row in (7, 8)
    assert names(result) == names(screen(MeterFiles(readings=(readings,))))


def test_sites_are_named_for_the_period(readings: Path, tmp_path: Path) -> None:
    """The registry names the site that held the usage point for the whole period, and says why where it does not."""
    sites = tmp_path / "sites.csv"
    sites.write_text("site,name,usage_point\nCOLD,Cold Lane,S01\nEAST,East Hall,H2\n")
    result = screen(MeterFiles(readings=(readings,), sites=(sites,)))
    by = {row.usage_point: row for row in result.rows}
    assert (by["H2"].site_id, by["H2"].site_name, by["H2"].site_note) == ("EAST", "East Hall", "")
    assert by["S02"].site_id == ""
    assert "S02" in by["S02"].site_note
    assert result.known == ("sites",)


def test_tables_beside_the_readings(readings: Path, tmp_path: Path) -> None:
    """Weather tests heating, prices make the calculation sheet, the topology says who is a household."""
    hours = 42 * 24
    at = [datetime.fromtimestamp(START_S + 3600 * k, UTC).isoformat() for k in range(hours)]
    weather, prices, points = tmp_path / "w.csv", tmp_path / "p.csv", tmp_path / "points.csv"
    weather.write_text("\n".join(["time,temperature_c", *(f"{t},{5 + k % 24 / 3 + k / 60}" for k, t in enumerate(at))]))
    prices.write_text("\n".join(["time,price_per_kwh", *(f"{t},0.2" for t in at)]))
    points.write_text("usage_point,tariff_class\nH1,household\nH2,household\nS01,commercial\nNOT-THERE,commercial\n")
    result = screen(MeterFiles(readings=(readings,), weather=weather, prices=prices, topology=(points,), country="GB"))
    row = next(one for one in result.rows if one.usage_point == "H2")
    assert row.consequences is not None
    assert row.consequences.cost[0].rate == pytest.approx(0.2, rel=1e-3)
    assert row.consequences.cost[0].source == "p.csv"
    assert row.consequences.co2[0].source
    assert result.known == ("topology", "weather", "prices")
    assert not [line for line in result.not_tested if "temperature" in line or "price" in line]


def test_a_transformer_is_balanced(tmp_path: Path) -> None:
    """Head meter and points from one file; a bypass at night has a row, also where the bypassed meter shows zeros."""
    members = [shop(f"S{k:02d}", k, days=42) for k in range(5)]
    total = np.sum([power for _, _, power in members], axis=0)
    own = members[0][2].copy()
    night = np.arange(own.size) % 24 < 6
    own[night] = 0.0
    head = ("T1-head", START_S, (total * 1.01).astype(np.float32))
    table_of([("S00", START_S, own), *members[1:], head]).write_parquet(tmp_path / "r.parquet")
    points = tmp_path / "points.csv"
    points.write_text("usage_point,transformer\n" + "".join(f"S{k:02d},T1\n" for k in range(5)))
    trafo = tmp_path / "trafo.csv"
    trafo.write_text("transformer,head_usage_point\nT1,T1-head\n")
    result = screen(MeterFiles(readings=(tmp_path / "r.parquet",), topology=(points, trafo)))
    found = [row for row in result.rows if Family.BALANCE in row.families]
    assert [row.listed for row in found] == [True]
    assert found[0].usage_point in {"S00", "T1-head"}
    # A lake keeps in mind what hangs together, for cases that rest on a balance; also one that was only looked at.
    kept = tmp_path / "lake"
    screen(MeterFiles(readings=(tmp_path / "r.parquet",), lake=kept))
    assert transformers_in(kept) == {}
    for files in ({"readings": (kept,)}, {"readings": (tmp_path / "r.parquet",), "lake": kept}):
        screen(MeterFiles(**files, topology=(points, trafo)))  # type: ignore[arg-type]
        assert transformers_in(kept) == {"T1": frozenset({"T1-head", *(f"S{k:02d}" for k in range(5))})}
        (kept / TRANSFORMERS).unlink()


@pytest.mark.parametrize(
    ("make", "fault", "words"),
    [
        ({"readings": ("nowhere.csv",)}, UnreadableInput, "there is no such file or folder"),
        ({"readings": (".",)}, UnreadableInput, "no file in this folder ends in"),
        ({"columns": "start=ts,energy_kwh"}, HeadframeError, "--columns: 'energy_kwh' is not a pair"),
        (
            {"columns": "usage_point=zaehler,start=ts,energy_kwh=kwh"},
            HeadframeError,
            "--columns: .* has no column 'zaehler'",
        ),
        ({"sites": ("nowhere.csv",)}, HeadframeError, "nowhere.csv"),
        ({"topology": ("nowhere.csv",)}, HeadframeError, "nowhere.csv"),
        ({"weather": "nowhere.csv"}, HeadframeError, "nowhere.csv"),
        ({"country": "Atlantis"}, HeadframeError, "public holidays of 'Atlantis' are not known"),
    ],
)
def test_faults_are_told_in_words(
    readings: Path, tmp_path: Path, make: dict[str, object], fault: type[Exception], words: str
) -> None:
    """What came, what would be right."""
    made: dict[str, object] = {"readings": (readings,)}
    for key, value in make.items():
        if isinstance(value, tuple):
            made[key] = tuple(tmp_path / one for one in value)
        else:
            made[key] = tmp_path / str(value) if key == "weather" else value
    with pytest.raises(fault, match=words.replace("(", r"\(")) as caught:
        screen(MeterFiles(**made))  # type: ignore[arg-type]
    assert caught.type is fault  # their exit codes differ


def test_a_file_without_any_reading_is_refused(tmp_path: Path) -> None:
    """An answer about nothing would look like innocence."""
    empty = tmp_path / "empty.csv"
    empty.write_text("meter,ts,kwh\n")
    with pytest.raises(UnreadableInput, match=r"empty\.csv"):
        screen(MeterFiles(readings=(empty,)))
    bad = tmp_path / "bad.csv"
    bad.write_text("meter,ts,kwh\nM1,2022-01-01 00:00,much\n")
    with pytest.raises(UnreadableInput, match=r"bad\.csv: no reading could be read"):
        screen(MeterFiles(readings=(bad,)))


def test_what_a_lake_took_in_is_no_secret_format(readings: Path, tmp_path: Path) -> None:
    """Names, sizes and times; a file that changed is read again."""
    copy = tmp_path / "readings.parquet"
    copy.write_bytes(readings.read_bytes())
    files = MeterFiles(readings=(copy,), lake=tmp_path / "lake")
    screen(files)
    (known,) = json.loads((tmp_path / "lake" / "taken_in.json").read_text())
    assert known.startswith("readings.parquet ")
    table = pl.read_parquet(copy)
    table.filter(pl.col("meter") == "H1").with_columns(pl.col("kwh") * 2).write_parquet(copy)
    again = screen(files)
    assert len(again.accounts) == 1
    assert names(again) == names(screen(MeterFiles(readings=(readings,))))
    assert not math.isnan(next(row.score for row in again.rows if row.usage_point == "H1"))


def test_damage_is_not_forgotten_by_a_lake(readings: Path, tmp_path: Path) -> None:
    """A second run uses the same readings, so it says the same of the rows that were lost."""
    text = tmp_path / "readings.csv"
    lines = pl.read_parquet(readings).write_csv().splitlines()
    lines[7] = lines[7].rpartition(",")[0] + ",much"
    text.write_text("\n".join(lines))
    files = MeterFiles(readings=(text,), lake=tmp_path / "lake")
    first, second = screen(files), screen(files)
    assert len(first.damaged) == 1
    assert second.damaged == first.damaged
    # A list of names without accounts is understood.
    taken = tmp_path / "lake" / "taken_in.json"
    taken.write_text(json.dumps(list(json.loads(taken.read_text()))))
    assert screen(files).accounts == ()


def test_one_bad_file_does_not_spoil_a_folder(readings: Path, tmp_path: Path) -> None:
    """It is told with its reason, and the others are used; only where none can be read is that the end."""
    good, bad, bare = tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "c.csv"
    good.write_bytes(readings.read_bytes())
    bad.write_bytes(readings.read_bytes()[:3_000])
    bare.write_text("meter,ts,kwh\n")
    result = screen(MeterFiles(readings=(tmp_path,)))
    assert names(result) == names(screen(MeterFiles(readings=(readings,))))
    assert [account.file for account in result.damaged] == [str(bad)]
    assert "the file cannot be used" in result.damaged[0].problems[0][0]
    assert [line for one in result.accounts for line in one.remarks if "there is no reading in it" in line] == [
        f"{bare}: there is no reading in it"
    ]
    with pytest.raises(UnreadableInput, match=r"b\.parquet"):
        screen(MeterFiles(readings=(good, bad)))
    good.unlink()
    with pytest.raises(UnreadableInput, match="no reading could be read: the file cannot be used"):
        screen(MeterFiles(readings=(tmp_path,)))


def test_tables_that_match_nothing_are_not_known(readings: Path, tmp_path: Path) -> None:
    """A table of other points, another time or of readings is said to be of no use, and counts as not given."""
    points, heads, weather, prices = (tmp_path / name for name in ("points.csv", "heads.csv", "w.csv", "p.csv"))
    points.write_text("usage_point,tariff_class\nX1,household\nX2,household\n")
    heads.write_text("transformer,head_usage_point\nT1,NOPE\n")
    weather.write_text("time,temperature_c\n2010-01-01T00:00Z,5\n2010-01-01T01:00Z,5\n")
    prices.write_text("time,price_per_kwh\n2040-01-01T00:00Z,1\n2040-01-01T01:00Z,2\n")
    result = screen(MeterFiles(readings=(readings,), topology=(points, heads), weather=weather, prices=prices))
    assert result.known == ()
    assert any("temperature" in line for line in result.not_tested)
    for words in (
        f"{points}: none of its 2 usage points has readings",
        f"{heads}: the head meter NOPE of transformer T1 has no readings, so no balance",
        f"{weather}: none of its times lies within the readings (",
        f"{prices}: none of its times lies within the readings (",
    ):
        assert any(line.startswith(words) for line in result.remarks), words
    # Without weather the table is read as it stands.
    result = screen(MeterFiles(readings=(readings,), topology=(readings,), prices=prices))
    assert result.known == ()
    assert any("says nothing of its 9 usage points but their names" in line for line in result.remarks)
    assert any(line.startswith(f"{prices}: none of its times") for line in result.remarks)


def test_what_a_balance_lacks_is_said(readings: Path, tmp_path: Path) -> None:
    """Whoever gave a table of points is not told to give one: it is the table of transformers that is missing."""
    bare = [line for line in screen(MeterFiles(readings=(readings,))).not_tested if line.startswith("balance: ")]
    assert bare == ["balance: no transformer is named, so energy that passes no meter is not seen; see --topology"]
    first = pl.read_parquet(readings)["meter"].unique().sort()[:2].to_list()
    points = tmp_path / "topology.csv"
    points.write_text("usage_point,transformer\n" + "".join(f"{one},T1\n" for one in first))
    (said,) = [
        line
        for line in screen(MeterFiles(readings=(readings,), topology=(points,))).not_tested
        if line.startswith("balance: ")
    ]
    assert "usage points are placed under 1 transformer, but no table says what went through" in said
    assert "--topology transformers.csv" in said


def test_columns_of_other_types_are_refused_by_name(readings: Path, tmp_path: Path) -> None:
    """A list is no name of a meter, and yes is no kilowatt-hour."""
    table = pl.read_parquet(readings).head(50)
    lists, yes = tmp_path / "lists.parquet", tmp_path / "yes.parquet"
    table.with_columns(pl.concat_list("meter")).write_parquet(lists)
    with pytest.raises(UnreadableInput, match=r"column 'meter' holds List\(String\)"):
        screen(MeterFiles(readings=(lists,)))
    table.with_columns(kwh=pl.lit(value=True)).write_parquet(yes)
    with pytest.raises(UnreadableInput, match="the value is no number"):
        screen(MeterFiles(readings=(yes,)))


def test_a_file_of_blanks_has_no_rows(tmp_path: Path) -> None:
    """Only delimiters and blanks."""
    blank = tmp_path / "blank.csv"
    blank.write_text(" , ,\n , ,\n")
    with pytest.raises(UnreadableInput, match="there are no rows"):
        screen(MeterFiles(readings=(blank,)))
