"""Tables of sites in three forms: the same content, every bad row named, and no people in it."""

import contextlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.site import AssignmentKind, SiteKind
from headframe.sources.registry import SiteTable, read_sites
from tests.sources.registry.mangle import anything, key

S = 1_000_000_000
HEAD = "site,name,kind,organisation,prefix,usage_point,valid_from,valid_until,latitude,longitude\n"


def ns(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * S


def read(tmp_path: Path, text: str, name: str = "sites.csv", **more: object) -> SiteTable:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_sites(path, pseudonym=key, **more)  # type: ignore[arg-type]


def values(table: SiteTable) -> list[tuple[str, str, str]]:
    return [(one.site_id, one.kind.value, one.value) for one in table.assignments]


GOOD = (
    HEAD
    + 'A,"North park, hall 1",industrial park,ACME,10.1.0.0/16 10.2.0.1,UP1 UP2,2026-01-01,2026-06-30,52.5,13.4\n'
    + "A,,,,2001:db8::/48,,,,,\n\n# a remark\n"
    + "B,Main campus,campus,University,,,2020-01-01,,,\n"
    + "C,,household,,,UP3,,,,\n"
)


def test_a_csv_table(tmp_path: Path) -> None:
    """Several prefixes in one cell, several rows for one site; the interval dates assignments, or the site."""
    table = read(tmp_path, GOOD)
    a, b, c = table.sites
    assert (a.site_id, a.name, a.kind, a.organisation_id) == (
        "A",
        "North park, hall 1",
        SiteKind.INDUSTRIAL_PARK,
        "ACME",
    )
    assert (a.latitude, a.longitude, a.valid_from_ns, a.source.row) == (52.5, 13.4, None, 2)
    assert (b.kind, b.valid_from_ns, b.valid_until_ns) == (SiteKind.CAMPUS, ns(2020, 1, 1), None)
    assert (c.name, c.kind) == ("C", SiteKind.HOUSEHOLD_PREMISES)
    assert [one.organisation_id for one in table.organisations] == ["ACME", "University"]
    assert values(table) == [
        ("A", "prefix", "10.1.0.0/16"),
        ("A", "address", "10.2.0.1/32"),
        ("A", "usage_point", "UP1"),
        ("A", "usage_point", "UP2"),
        ("A", "prefix", "2001:db8::/48"),
        ("C", "usage_point", "UP3"),
    ]
    first = table.assignments[0]
    assert (first.valid_from_ns, first.valid_until_ns, str(first.source)) == (
        ns(2026, 1, 1),
        ns(2026, 7, 1),
        "sites.csv row 2",
    )
    assert table.remarks == ()


def test_days_are_meant_in_the_zone_of_the_table(tmp_path: Path) -> None:
    """A day begins and ends when clocks there say so, also on the days on which they change."""
    text = HEAD + "A,,,,10.0.0.0/8,,2026-03-29,2026-03-29,,\n"
    one = read(tmp_path, text, zone=ZoneInfo("Europe/Berlin")).assignments[0]
    assert one.valid_until_ns is not None
    assert one.valid_from_ns is not None
    assert one.valid_until_ns - one.valid_from_ns == 23 * 3600 * S


def test_parquet_says_the_same(tmp_path: Path) -> None:
    """Typed columns: dates, instants, lists, numbers."""
    path = tmp_path / "sites.parquet"
    pl.DataFrame(
        {
            "site": ["A", "B"],
            "kind": ["data centre", None],
            "prefix": [["10.1.0.0/16", "10.2.0.0/16"], None],
            "vlan": [7, None],
            "usage_point": [4711.0, None],
            "valid_from": [date(2026, 1, 1), None],
            "valid_until": [datetime(2026, 6, 30, 12, tzinfo=UTC), None],
            "latitude": [52.5, float("nan")],
            "longitude": [13.4, None],
            "contact_person": ["somebody", "else"],
        }
    ).write_parquet(path)
    table = read_sites(path)
    assert values(table) == [
        ("A", "prefix", "10.1.0.0/16"), ("A", "prefix", "10.2.0.0/16"), ("A", "usage_point", "4711"),
        ("A", "vlan", "7"),
    ]  # fmt: skip
    one = table.assignments[0]
    assert (one.valid_from_ns, one.valid_until_ns) == (ns(2026, 1, 1), ns(2026, 6, 30, 12))
    assert [x.kind for x in table.sites] == [SiteKind.DATA_CENTRE, SiteKind.UNKNOWN]
    assert table.sites[1].latitude is None
    assert "contact_person" in table.remarks[0]
    assert "somebody" not in repr(table)


def test_geojson_says_the_same(tmp_path: Path) -> None:
    """Points, polygons and no position; lists of prefixes; the feature's own identifier."""
    square = [[[10, 50], [12, 50], [12, 52], [10, 52], [10, 50]]]
    small = [[[0, 0], [0.1, 0], [0, 0.1], [0, 0]]]
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [13.4, 52.5]},
         "properties": {"site": "A", "kind": "campus", "prefix": ["10.1.0.0/16", "10.2.0.0/16"]}},
        {"type": "Feature", "id": 7, "geometry": {"type": "Polygon", "coordinates": square},
         "properties": {"usage_point": "UP1"}},
        {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [small, square]},
         "properties": {"site": "C"}},
        {"type": "Feature", "geometry": None, "properties": {"site": "D", "owner": "somebody"}},
    ]  # fmt: skip
    table = read(tmp_path, json.dumps({"type": "FeatureCollection", "features": features}), "sites.geojson")
    assert [(x.site_id, x.latitude, x.longitude) for x in table.sites] == [
        ("A", 52.5, 13.4), ("7", 51.0, 11.0), ("C", 51.0, 11.0), ("D", None, None),
    ]  # fmt: skip
    assert values(table)[-1] == ("7", "usage_point", "UP1")
    assert table.assignments[0].source.row == 1
    assert "owner" in table.remarks[0]
    assert "somebody" not in repr(table)


@pytest.mark.parametrize(
    ("row", "says", "kept"),
    [
        (",North,,,10.0.0.0/8,,,,,", "no site", []),
        ("X,,,,10.0.0.1/8,,,,,", "did you mean 10.0.0.0/8", []),
        ("X,,,,10.0.0.0/8 nonsense,,,,,", "'nonsense'", ["10.0.0.0/8"]),
        ("X,,,,10.0.0.0/8,,2026-13-01,,,", "time is '2026-13-01'", []),
        ("X,,,,10.0.0.0/8,,2026-02-01,2026-01-01,,", "is not before", []),
        ("X,,castle,,10.0.0.0/8,,,,,", "unknown kind 'castle'", ["10.0.0.0/8"]),
        ("X,,,,10.0.0.0/8,,,,95,10", "degrees", ["10.0.0.0/8"]),
        ("X,,,,10.0.0.0/8", "5 fields where the header has 10", []),
        ('X,"North,,,10.0.0.0/8,,,,,', "quotation mark", []),
    ],
)
def test_a_bad_row_is_told_and_the_rest_is_used(tmp_path: Path, row: str, says: str, kept: list[str]) -> None:
    """File and row in the remark; what is good in the row, and every other row, counts."""
    table = read(tmp_path, HEAD + row + "\nB,,,,11.0.0.0/8,,,,,\n")
    assert [one.value for one in table.assignments] == [*kept, "11.0.0.0/8"]
    assert table.remarks[0].startswith("sites.csv row 2: ")
    assert says in table.remarks[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"name,prefix\nA,10.0.0.0/8\n", "no column site"),
        (b"site;name\nS1;A\n", "no column site. Its columns lie between semicolons; save it with commas."),
        (b"site\tname\nS1\tA\n", "no column site. Its columns lie between tabs; save it with commas."),
        (b"{", "no valid JSON"),
        (b'{"type": "FeatureCollection"}', "expected a GeoJSON"),
        (b'{"a":' * 100_000, "JSON"),
        (b"PAR1 and then nothing", "damaged Parquet"),
        (b"PAR1" + bytes(1000) + b"PAR1", "damaged Parquet"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """The message says what is wrong with the file."""
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        read_sites(path)


def test_a_household_has_no_name(tmp_path: Path) -> None:
    """Whatever the table holds: the name and the organisation of premises would be those of people."""
    text = (
        "site,name,kind,organisation,usage_point\n"
        "H1,Anna Example,household,Family Example,UP1\nH2,Ben,,Fam,UP2\nH2,,home,,\n"
    )
    table = read(tmp_path, text)
    assert [(x.name, x.organisation_id) for x in table.sites] == [("H1", None), ("H2", None)]
    assert "Anna" not in repr(table)
    assert "Ben" not in repr(table)
    assert "Fam" not in repr(table), "what was taken for an organisation before the kind was known is dropped too"
    assert "the name is not kept" in table.remarks[0]


def test_places_in_a_network(tmp_path: Path) -> None:
    """Each column in the form in which the readers of the logs write it."""
    text = (
        "site,circuit,remote,vlan,relay,subnet,nas,nas_port,station,hardware,realm\n"
        "A,sw7|ge-0/0/1 unit 3,sw7,10.0.0.1|100,10.0.0.1,7,192.0.2.17,192.0.2.17|ge-0/0/1,00-1A-2B-3C-4D-5E:eduroam,"
        "00:1a:2b:3c:4d:5f,north\n"
        "A,,00:1a:2b:3c:4d:5f,5000,,x,,port7,,nonsense,\n"
    )
    table = read(tmp_path, text)
    assert {(kind, value) for _, kind, value in values(table)} == {
        ("circuit", "sw7|ge-0/0/1 unit 3"), ("remote", "sw7"), ("vlan", "10.0.0.1|100"), ("relay", "10.0.0.1"),
        ("subnet", "7"), ("nas", "192.0.2.17"), ("nas_port", "192.0.2.17|ge-0/0/1"),
        ("station", f"{key('001a2b3c4d5e')}:eduroam"), ("hardware", key("001a2b3c4d5f")),
        ("remote", key("001a2b3c4d5f")),
    }  # fmt: skip
    assert table.assignments[0].realm == "north"
    assert len(table.remarks) == 4
    without = read_sites(tmp_path / "sites.csv")
    assert AssignmentKind.HARDWARE not in {one.kind for one in without.assignments}
    assert "00" + "1a2b" not in repr(without).lower()
    assert any("key for pseudonyms" in remark for remark in without.remarks)


def test_several_tables_are_one(tmp_path: Path) -> None:
    """What is said first counts, gaps are filled, differences are told; a byte order mark is no letter."""
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text("\ufeffsite_id,name,kind\nA,North,campus\n", encoding="utf-8")
    two.write_text("site,name,region,address\nA,South,Region 1,10.0.0.1\n", encoding="utf-8")
    table = read_sites([one, two])
    (site,) = table.sites
    assert (site.name, site.kind, site.region) == ("North", SiteKind.CAMPUS, "Region 1")
    assert values(table) == [("A", "address", "10.0.0.1/32")]
    assert table.remarks == ("b.csv row 2: another name for A than in a.csv row 2; the first counts",)


GEO = json.dumps(
    {"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [5, 6]]]},
         "properties": {"site": "A", "prefix": "10.0.0.0/8", "latitude": 1}}]}
)  # fmt: skip


@given(anything(GOOD.encode()) | anything(GEO.encode()))
def test_damage_gives_a_remark_or_a_value_error(tmp_path: Path, data: bytes) -> None:
    """Nothing else comes out of a damaged CSV or GeoJSON file."""
    path = tmp_path / "sites"
    path.write_bytes(data)
    try:
        table = read_sites(path, pseudonym=key)
    except ValueError:
        return
    assert {one.site_id for one in table.assignments} <= {one.site_id for one in table.sites}


@given(st.data())
def test_damaged_parquet_gives_a_value_error(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed or cut anywhere: whatever the library says, it comes out as a ValueError."""
    path = tmp_path / "good.parquet"
    if not path.exists():
        pl.DataFrame({"site": ["A", "B"] * 20, "prefix": ["10.0.0.0/8", "x"] * 20}).write_parquet(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(4, len(content)))
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(bytes(content[:cut]))
    try:
        read_sites(bad)
    except ValueError:
        return


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8)
    | st.sampled_from(["10.0.0.0/8", "2026-01-01", "Point", "Polygon"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(
            ["site", "prefix", "kind", "latitude", "valid_from", "type", "coordinates", "properties", "geometry"]
        ), inner,
        max_size=5),
    max_leaves=15,
)  # fmt: skip


@given(st.lists(json_values, max_size=4))
def test_any_json_gives_a_remark_or_a_value_error(tmp_path: Path, features: list[object]) -> None:
    """Values of the wrong kind anywhere in a feature."""
    path = tmp_path / "x.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    with contextlib.suppress(ValueError):
        read_sites(path)
