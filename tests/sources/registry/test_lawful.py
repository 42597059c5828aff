"""Registers of lawful mining in three forms: each entry once, units and dates exact, every bad row told."""

import contextlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.lawful import LawfulKind
from headframe.sources.registry import LawfulTable, read_lawful
from tests.sources.registry.mangle import anything

S = 1_000_000_000
HEAD = "entry,register,kind,site,organisation,usage_point,scope,power_limit,power_unit,proof,valid_from,valid_until\n"
GOOD = (
    HEAD + "L1,fns,licence,A,,,mining,1.5,MW,D-1,2026-01-01,2026-12-31\n"
    "# a remark\n"
    "L2,fns,filed research,,University,,GPU tests,,,,2026-03-01T08:00:00+08:00,\n"
    "L3,fns,exemption,,,UP1 UP2,,300,kW,,,\n"
)


def ns(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * S


def read(tmp_path: Path, text: str, name: str = "lawful.csv", zone: Any = UTC) -> LawfulTable:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_lawful(path, zone)


def test_a_csv_register(tmp_path: Path) -> None:
    """Kinds in words, limits in their unit, days through their end, offsets obeyed, rows kept."""
    table = read(tmp_path, GOOD)
    one, two, three, four = table.entries
    assert (one.entry_id, one.register, one.kind, one.site_id) == ("L1", "fns", LawfulKind.LICENCE, "A")
    assert (one.power_limit_w, one.proof, one.scope) == (1.5e6, "D-1", "mining")
    assert (one.valid_from_ns, one.valid_until_ns) == (ns(2026, 1, 1), ns(2027, 1, 1))
    assert str(one.source) == "lawful.csv row 2"
    assert (two.kind, two.organisation_id, two.power_limit_w) == (LawfulKind.FILED_RESEARCH, "University", None)
    assert (two.valid_from_ns, two.valid_until_ns) == (ns(2026, 3, 1), None)
    assert [(x.entry_id, x.usage_point, x.power_limit_w) for x in (three, four)] == [
        ("L3", "UP1", 3e5), ("L3~2", "UP2", 3e5),
    ]  # fmt: skip
    assert table.damaged == ()
    assert table.registers == ("fns",)


def test_parquet_and_geojson_say_the_same(tmp_path: Path) -> None:
    """Typed columns and lists; the feature's own identifier is the entry."""
    path = tmp_path / "lawful.parquet"
    pl.DataFrame(
        {
            "entry": ["L1", "L2"],
            "register": ["fns", "fns"],
            "site": ["A", None],
            "usage_point": [None, ["UP1", "UP2"]],
            "power_limit_mw": [1.5, None],
            "valid_from": [date(2026, 1, 1), None],
            "valid_until": [datetime(2026, 12, 31, 12, tzinfo=UTC), None],
        }
    ).write_parquet(path)
    parquet = read_lawful(path, UTC)
    features = [
        {"type": "Feature", "id": "L1", "geometry": {"type": "Point", "coordinates": [1, 2]},
         "properties": {"register": "fns", "site": "A", "power_limit_kw": 1500, "valid_from": "2026-01-01",
                        "valid_until": "2026-12-31T12:00:00Z"}},
        {"type": "Feature", "geometry": None,
         "properties": {"entry": "L2", "register": "fns", "usage_point": ["UP1", "UP2"]}},
    ]  # fmt: skip
    text = json.dumps({"type": "FeatureCollection", "features": features})
    geojson = read(tmp_path, text, "lawful.geojson")

    def told(table: LawfulTable) -> list[tuple[object, ...]]:
        return [
            (x.entry_id, x.register, x.site_id, x.usage_point, x.power_limit_w, x.valid_from_ns, x.valid_until_ns)
            for x in table.entries
        ]

    assert told(parquet) == told(geojson)
    assert told(parquet)[0] == ("L1", "fns", "A", "", 1.5e6, ns(2026, 1, 1), ns(2026, 12, 31, 12))
    assert [x.source.row for x in geojson.entries] == [1, 2, 2]
    assert parquet.damaged == geojson.damaged == ()


def test_days_are_meant_in_the_zone(tmp_path: Path) -> None:
    """A licence for a day of a change of clocks is valid for 23 hours."""
    text = HEAD + "L1,,licence,A,,,,,,,2026-03-29,2026-03-29\n"
    (one,) = read(tmp_path, text, zone=ZoneInfo("Europe/Berlin")).entries
    assert one.valid_from_ns is not None
    assert one.valid_until_ns is not None
    assert one.valid_until_ns - one.valid_from_ns == 23 * 3600 * S
    twice = HEAD + "L1,,licence,A,,,,,,,2026-10-25T02:30,\n"
    table = read(tmp_path, twice, zone=ZoneInfo("Europe/Berlin"))
    assert table.entries == ()
    assert "shown twice" in table.damaged[0].reason


def test_a_register_without_a_name_is_called_as_its_file(tmp_path: Path) -> None:
    """And an entry without a kind is a licence."""
    table = read(tmp_path, "licence,site\nL1,A\n", "fns-miners.csv")
    assert (table.entries[0].register, table.entries[0].kind) == ("fns-miners", LawfulKind.LICENCE)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",fns,licence,A,,,,,,,,", "no entry number"),
        ("L9,fns,licence,,,,,,,,,", "covers nobody"),
        ("L9,fns,blessing,A,,,,,,,,", "unknown kind 'blessing'; known are licence"),
        ("L9,fns,licence,A,,,,,,,2026-05-01,2026-04-01", "valid_from 2026-05-01 is not before valid_until 2026-04-01"),
        ("L9,fns,licence,A,,,,,,,2026-05-01,2026-04-30", "is not before"),
        ("L9,fns,licence,A,,,,,,,soon,", "time is 'soon'"),
        ("L9,fns,licence,A,,,,2,MVA,,,", "apparent power"),
        ("L9,fns,licence,A,,,,2,,,,", "power_unit is ''"),
        ("L9,fns,licence,A,,,,,MW,,,", "power_unit without power_limit"),
        ('L9,fns,licence,A,,,,"1,5",MW,,,', "without commas"),
        ("L9,fns,licence,A,,,,0,MW,,,", "more than 0"),
        ("L9,fns,licence,A,,,,-3,MW,,,", "more than 0"),
        ("L9,fns,licence,A,,,,2000000,MW,,,", "Is the unit right?"),
        ("L9,fns,licence,A,,,,nan,MW,,,", "expected a number"),
        ("L9,fns,licence,A,,,,1e999999999,MW,,,", "no power is that large"),
        ("L9,fns,licence,A,,,,٣,MW,,,", "expected a number"),
        ("L9,fns,licence", "3 fields where the header has 12"),
    ],
)
def test_a_bad_row_is_told_and_the_rest_is_used(tmp_path: Path, row: str, says: str) -> None:
    """File and row with the reason; no other row suffers, and no other remark is made."""
    table = read(tmp_path, f"{HEAD}{row}\nL1,fns,licence,A,,,,,,,,\n")
    assert [x.entry_id for x in table.entries] == ["L1"]
    (one,) = table.damaged
    assert str(one.source) == "lawful.csv row 2"
    assert says in one.reason
    assert table.remarks == ()


def test_units_in_columns(tmp_path: Path) -> None:
    """Each unit has a column; two that agree are one limit, two that differ are told."""
    head = "entry,site,power_limit_w,power_limit_kw,power_limit_mw\n"
    table = read(tmp_path, head + "1,A,1500000,,\n2,A,,1500,\n3,A,,,1.5\n4,A,1500000,1500,1.5\n5,A,1,1,\n6,A,,0.1,\n")
    assert [x.power_limit_w for x in table.entries] == [1.5e6, 1.5e6, 1.5e6, 1.5e6, 100.0]
    assert "say different limits" in table.damaged[0].reason


def test_one_number_on_several_rows(tmp_path: Path) -> None:
    """Renewals under one number are entries of their own; the same row twice is one."""
    row = "L1,fns,licence,A,,,,,,,2026-01-01,2026-12-31\n"
    later = "L1,fns,licence,A,,,,,,,2027-01-01,2027-12-31\n"
    table = read(tmp_path, HEAD + row + later + row + later)
    assert [x.entry_id for x in table.entries] == ["L1", "L1~2"]
    assert len({(x.register, x.entry_id) for x in table.entries}) == 2
    assert "2 rows say what an earlier row says" in "".join(table.remarks)
    other = read(tmp_path, HEAD + row + row.replace("fns", "campus"))
    assert [(x.register, x.entry_id) for x in other.entries] == [("fns", "L1"), ("campus", "L1")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "entry,site,owner_name\nL1,A,Anna\n"),
        ("x.csv", "entry,site,户主姓名\nL1,A,张三\n"),
        (
            "x.geojson",
            '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"entry":"L1","site":"A"}},'
            '{"type":"Feature","properties":{"entry":"L2","site":"A","E-Mail":"anna"}}]}',
        ),
    ],
)
def test_a_column_with_people_stops_the_file(tmp_path: Path, name: str, content: str) -> None:
    """Named, with what to do; and what stood in it is in no message."""
    with pytest.raises(ValueError, match="would hold people") as fault:
        read(tmp_path, content, name)
    assert "Leave it out" in str(fault.value)
    assert "x." in str(fault.value)
    for word in ("Anna", "anna", "张三"):
        assert word not in str(fault.value)


def test_parquet_with_people_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """From its schema alone."""
    path = tmp_path / "x.parquet"
    pl.DataFrame({"entry": ["L1"], "site": ["A"], "date_of_birth": ["x"]}).write_parquet(path)
    with pytest.raises(ValueError, match="date_of_birth"):
        read_lawful(path, UTC)


@given(anything(GOOD.encode()))
def test_damage_gives_a_damaged_row_or_a_value_error(tmp_path: Path, data: bytes) -> None:
    """Nothing else comes out of a damaged file, and what comes out is in order."""
    path = tmp_path / "lawful"
    path.write_bytes(data)
    with contextlib.suppress(ValueError):
        table = read_lawful(path, UTC)
        assert len({(x.register, x.entry_id) for x in table.entries}) == len(table.entries)
        for x in table.entries:
            assert x.site_id or x.organisation_id or x.usage_point
            assert x.power_limit_w is None or x.power_limit_w > 0
            assert x.valid_from_ns is None or x.valid_until_ns is None or x.valid_from_ns < x.valid_until_ns


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers())


@given(st.lists(st.dictionaries(st.sampled_from(HEAD.strip().split(",")), values, max_size=5), max_size=4))
def test_any_json_gives_a_damaged_row_or_a_value_error(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    """Values of the wrong kind anywhere in a feature."""
    path = tmp_path / "x.geojson"
    features = [{"type": "Feature", "properties": row} for row in rows]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    with contextlib.suppress(ValueError):
        read_lawful(path, UTC)
