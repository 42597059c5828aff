"""Hourly tables: every row becomes part of an hour or a problem with its row; a gap stays a gap."""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.site import SourceRow
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.surroundings import read_surroundings

H0 = 1_577_836_800  # 2020-01-01 UTC


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "weather.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_hours_with_a_gap(tmp_path: Path) -> None:
    """The series begins with the first hour; an hour that is not there is NaN and not the mean of its neighbours."""
    found = read_surroundings(
        written(tmp_path, "time,temp\n2020-01-01T00:00Z,1.5\n2020-01-01T01:00Z,-2\n2020-01-01T03:00Z,4\n")
    )
    series = found.temperature_c
    assert series is not None
    assert (series.start_s, series.step_s) == (H0, 3600)
    np.testing.assert_array_equal(series.values, np.array([1.5, -2, np.nan, 4], np.float32))
    assert found.price_per_kwh is None
    assert found.account.kept == found.account.rows == 3


@pytest.mark.parametrize(
    ("column", "value", "ours", "expected"),
    [
        ("temperature_f", "212", "temperature_c", None),
        ("temperature_f", "50", "temperature_c", 10.0),
        ("temp_k", "283.15", "temperature_c", 10.0),
        ("EUR/MWh", "85", "price_per_kwh", 0.085),
        ("p/kWh", "25", "price_per_kwh", 0.25),
        ("Carbon Intensity [kg_CO2/kWh]", "0.4", "carbon_g_per_kwh", 400.0),
        ("ghi", "-3", "irradiance_w_m2", -3.0),
        ("discharge_m3s", "12.5", "water_flow_m3_s", 12.5),
    ],
)
def test_units(tmp_path: Path, column: str, value: str, ours: str, expected: float | None) -> None:
    """Known columns in other units become ours; a value that no air has is a problem, not a temperature."""
    path = written(tmp_path, f"time,{column}\n2020-01-01 00:00,{value}\n2020-01-01 01:00,{value}\n")
    if expected is None:
        with pytest.raises(ValueError, match="none of 2 rows"):
            read_surroundings(path)
        return
    series = getattr(read_surroundings(path), ours)
    assert series.values == pytest.approx([expected] * 2, rel=1e-5)


def test_half_hours_are_averaged_and_days_hold(tmp_path: Path) -> None:
    """Finer rows make the hour's mean; coarser ones hold until the next, and a remark says so."""
    fine = read_surroundings(
        written(tmp_path, "ts;price\n01.01.2020 00:00;0,1\n01.01.2020 00:30;0,3\n01.01.2020 01:00;0,5\n")
    )
    assert fine.price_per_kwh is not None
    assert fine.price_per_kwh.values == pytest.approx([0.2, 0.5])
    coarse = read_surroundings(written(tmp_path, "date,temp\n2020-01-01,5\n2020-01-02,7\n"))
    assert coarse.temperature_c is not None
    assert coarse.temperature_c.values.tolist() == [5.0] * 24 + [7.0] * 24
    assert any("holds for 24 h" in remark for remark in coarse.account.remarks)


def test_local_time_over_both_changes_of_clocks(tmp_path: Path) -> None:
    """In autumn the hour that comes twice is two hours; in spring the hour that never came is a problem."""
    zone = ReadingOptions(zone=ZoneInfo("Europe/Berlin"))
    text = "time,temp\n" + "".join(f"2020-10-25 {h}:00,{t}\n" for h, t in (("01", 1), ("02", 2), ("02", 3), ("03", 4)))
    autumn = read_surroundings(written(tmp_path, text), options=zone)
    assert autumn.temperature_c is not None
    assert autumn.temperature_c.values.tolist() == [1, 2, 3, 4]
    text = "time,temp\n2020-03-29 01:00,1\n2020-03-29 02:00,2\n2020-03-29 03:00,3\n"
    spring = read_surroundings(written(tmp_path, text), options=zone)
    assert spring.temperature_c is not None
    assert spring.temperature_c.values.tolist() == [1, 3]
    assert spring.account.problems == (
        ("a time that clocks of the zone never showed", 1, (SourceRow(str(tmp_path / "weather.csv"), 3),)),
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2020-01-01 01:00,warm", "temperature_c is not a number"),
        ("2020-01-01 01:00,-999", "temperature_c is outside -90 to 60"),
        ("2020-01-01 01:00,", "no value"),
        ("yesterday,3", "a time that is not understood"),
        (",3", "no time"),
        ("2020-01-01 01:00,3,4", "not as many fields"),
    ],
)
def test_a_bad_row_is_told_with_its_number(tmp_path: Path, row: str, reason: str) -> None:
    """And its hour stays empty."""
    text = f"time,temperature_c\n2020-01-01 00:00,1\n{row}\n2020-01-01 02:00,3\n2020-01-01 03:00,3\n"
    found = read_surroundings(written(tmp_path, text))
    assert found.temperature_c is not None
    assert np.isnan(found.temperature_c.values[1])
    ((why, count, rows),) = found.account.problems
    assert reason in why
    assert (count, rows) == (1, (SourceRow(str(tmp_path / "weather.csv"), 3),))
    assert (found.account.rows, found.account.kept) == (4, 3)


def test_what_is_wanted_may_have_any_name(tmp_path: Path) -> None:
    """A file of a time and one other column is what was asked for; of more columns one must be known or mapped."""
    path = written(tmp_path, "time,Schwanheim\n2020-01-01 00:00,1\n2020-01-01 01:00,2\n")
    found = read_surroundings(path, wanted="temperature_c")
    assert found.temperature_c is not None
    with pytest.raises(ValueError, match="no column is the temperature, price or carbon"):
        read_surroundings(path)
    two = written(tmp_path, "time,x,y\n2020-01-01 00:00,1,0.2\n2020-01-01 01:00,2,0.3\n")
    with pytest.raises(ValueError, match="no column is the price_per_kwh"):
        read_surroundings(two, wanted="price_per_kwh")
    mapped = read_surroundings(two, wanted="price_per_kwh", columns={"price_per_kwh": "y"})
    assert mapped.price_per_kwh is not None
    assert mapped.price_per_kwh.values == pytest.approx([0.2, 0.3])


def test_parquet_with_times_that_are_times(tmp_path: Path) -> None:
    """Instants with a zone and without are read alike."""
    for zone in (None, "UTC"):
        path = tmp_path / "weather.parquet"
        times = pl.Series("start", [H0 * 1000, (H0 + 3600) * 1000]).cast(pl.Datetime("ms", zone))
        pl.DataFrame({"start": times, "temperature": [1.0, 2.0]}).write_parquet(path)
        series = read_surroundings(path).temperature_c
        assert series is not None
        assert (series.start_s, series.values.tolist()) == (H0, [1.0, 2.0])


@given(st.binary(max_size=300))
def test_noise_is_refused_or_accounted_for(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    """Whatever bytes follow a good beginning, nothing but ValueError comes out, and all rows are accounted for."""
    path = tmp_path_factory.mktemp("noise") / "w.csv"
    path.write_bytes(b"time,temp\n2020-01-01 00:00,1\n2020-01-01 01:00,2\n" + noise)
    try:
        found = read_surroundings(path, options=ReadingOptions(delimiter=","))
    except ValueError:
        return
    account = found.account
    assert account.rows == account.kept + sum(count for _, count, _ in account.problems)


@pytest.mark.real_data
def test_real_weather_prices_and_carbon(shared_data: Path) -> None:
    """The files beside the real readings are read whole, with their units told by their names."""
    folder = shared_data / "power"
    price = read_surroundings(folder / "agile_import_price_eastern_england_hourly.parquet", wanted="price_per_kwh")
    assert price.price_per_kwh is not None
    assert float(np.nanmean(price.price_per_kwh.values)) == pytest.approx(0.19, abs=0.1)
    carbon = read_surroundings(folder / "gb_carbon_intensity_hourly.parquet")
    assert carbon.carbon_g_per_kwh is not None
    assert 150 < float(np.nanmean(carbon.carbon_g_per_kwh.values)) < 450
    assert price.account.problems == carbon.account.problems == ()
