"""Tables of the grid: every row becomes a point or a transformer, or a problem with its row, and never nothing."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.site import SourceRow
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.topology import read_topology

BOTH = """\
usage_point,transformer,head_usage_point,tariff_class,contracted_power_kw,pv,meter_class,rated_power_kva,no_load_loss_w
P1,T1,,household,11,no,1,,
P2,T1,,shop,30,yes,class B,,
,T1,H1,,,,0.5S,250,300
"""


def written(tmp_path: Path, text: str, name: str = "grid.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_one_file_may_hold_points_and_transformers(tmp_path: Path) -> None:
    """A row with a head meter is a transformer's, a row with a usage point is a point's; units become W and VA."""
    grid = read_topology(written(tmp_path, BOTH))
    one, two = grid.usage_points
    assert (one.usage_point, one.transformer, one.tariff_class) == ("P1", "T1", "household")
    assert (one.contracted_power_w, one.has_generation, one.meter_class) == (11_000.0, False, "1")
    assert (two.has_generation, two.meter_class) == (True, "B")
    (transformer,) = grid.transformers
    assert (transformer.head_usage_point, transformer.rated_power_va) == ("H1", 250_000.0)
    assert (transformer.no_load_loss_w, transformer.load_loss_w, transformer.meter_class) == (300.0, None, "0.5S")
    assert transformer.source == SourceRow(str(tmp_path / "grid.csv"), 4)
    assert grid.accounts[0].kept == grid.accounts[0].rows == 3


def test_two_files_and_common_names(tmp_path: Path) -> None:
    """Points and transformers may come in two files, with names that utilities use, and semicolons."""
    points = written(tmp_path, "Meter ID;Trafo;Tariff;kWp PV\nA;T9;G1;5,5\n", "points.csv")
    heads = written(tmp_path, "trafo_id;dt_meter;kVA\nT9;H9;100\n", "heads.csv")
    grid = read_topology([points, heads], columns=None)
    assert grid.usage_points[0].transformer == "T9"
    assert grid.transformers[0].rated_power_va == 100_000.0
    assert any("kWp PV" in remark for remark in grid.accounts[0].remarks)


def test_a_mapping_names_any_column(tmp_path: Path) -> None:
    """With a mapping the file's own names do not matter, and what is mapped wins over what is guessed."""
    path = written(tmp_path, "meter,number,station\nwrong,17,T1\n")
    (point,) = read_topology(path, columns={"usage_point": "number", "transformer": "station"}).usage_points
    assert (point.usage_point, point.transformer) == ("17", "T1")


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    """Numbers that a table keeps as floats are identifiers without a fraction."""
    path = tmp_path / "grid.parquet"
    pl.DataFrame({"usage_point": [17.0, None], "transformer": [3, 4], "pv": [True, None]}).write_parquet(path)
    grid = read_topology(path)
    assert [(p.usage_point, p.transformer, p.has_generation) for p in grid.usage_points] == [("17", "3", True)]
    assert grid.accounts[0].problems[0][:2] == ("neither a usage point nor a head meter", 1)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("P1,T1", "not as many fields"),
        (",,,", "neither a usage point nor a head meter"),
        (',T1,"H1,', "no row of a table"),
        ("P0,T2,,5", "says something else"),
        (",,H1,", "a head meter without the name of its transformer"),
    ],
)
def test_a_bad_row_is_told_with_its_number(tmp_path: Path, row: str, reason: str) -> None:
    """What cannot be used is in the account, and the other rows are used."""
    text = f"usage_point,transformer,head_usage_point,contracted_power_kw\nP0,T1,,5\n{row}\nP9,T1,,5\n"
    grid = read_topology(written(tmp_path, text))
    assert [p.usage_point for p in grid.usage_points] == ["P0", "P9"]
    told = [(why, rows) for why, _, rows in grid.accounts[0].problems]
    if row != ",,,":  # an empty line is no row
        assert len(told) == 1
        assert reason in told[0][0]
        assert told[0][1] == (SourceRow(str(tmp_path / "grid.csv"), 3),)
        assert grid.accounts[0].rows - grid.accounts[0].kept == 1


def test_a_bad_figure_costs_the_figure_and_not_the_point(tmp_path: Path) -> None:
    """The point is needed for its balance; a remark names row and column."""
    path = written(tmp_path, "usage_point,contracted_power_kw,pv,meter_class\nA,many,perhaps,7\nB,-3,,\n")
    grid = read_topology(path)
    assert [p.contracted_power_w for p in grid.usage_points] == [None, None]
    told = " ".join(grid.accounts[0].remarks)
    for expected in ("row 2: contracted_power_kw", "row 2: pv", "row 2: meter_class", "row 3: contracted_power_kw"):
        assert expected in told
    assert grid.accounts[0].kept == 2


def test_transformers_without_points_and_points_without_a_head_meter_are_told(tmp_path: Path) -> None:
    """Both mean that no balance can be drawn, which a user should know."""
    path = written(tmp_path, "usage_point,transformer,head_usage_point\nA,T1,\n,T2,H2\n")
    told = " ".join(read_topology(path).accounts[0].remarks)
    assert "no head meter, so no balance: T1" in told
    assert "no usage points: T2" in told


def test_columns_with_people_in_them_are_not_read(tmp_path: Path) -> None:
    """Unknown columns are named, and their cells go nowhere."""
    grid = read_topology(written(tmp_path, "usage_point,customer_name\nA,Jane Doe\n"))
    assert "Jane" not in repr(grid)
    assert "columns that are not read: customer_name" in grid.accounts[0].remarks


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "1,2\n3,4\n"])
def test_a_file_that_is_no_topology_is_refused(tmp_path: Path, text: str) -> None:
    """Without a column that names points or heads nothing can be said."""
    with pytest.raises(ValueError, match=r"usage_point|no rows|does not name"):
        read_topology(written(tmp_path, text))
    with pytest.raises(ValueError, match="cannot be read"):
        read_topology(tmp_path / "absent.csv")


@given(st.binary(max_size=300))
def test_noise_is_refused_or_accounted_for(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    """Whatever bytes follow a header, nothing but ValueError comes out, and all rows are accounted for."""
    path = tmp_path_factory.mktemp("noise") / "grid.csv"
    path.write_bytes(b"usage_point,transformer\nA,T1\n" + noise)
    try:
        grid = read_topology(path, options=ReadingOptions(delimiter=","))
    except ValueError:
        return
    account = grid.accounts[0]
    assert account.rows == account.kept + sum(count for _, count, _ in account.problems)
