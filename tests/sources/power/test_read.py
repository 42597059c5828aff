"""Readings out of tables: whatever a row says, it becomes a reading or a problem with its row, and never nothing."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.records.reading import INTERVAL_READING, MeterEventKind, Quality
from headframe.sources.power.columns import ColumnMapping, guess
from headframe.sources.power.csv_wide import times_of_day
from headframe.sources.power.options import ReadingFile, ReadingOptions
from headframe.sources.power.read import read_readings

H0 = 1577836800  # 2020-01-01 UTC
PLAIN = "usage_point=meter,start=ts,energy_kwh=kwh"


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str | bytes, columns: str | None = None, **options: object) -> ReadingFile:
        path = tmp_path / "readings.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        mapping = ColumnMapping.parse(columns) if columns else None
        return read_readings(path, mapping, ReadingOptions(**options))  # type: ignore[arg-type]

    return read


def kwh(file: ReadingFile) -> list[float | None]:
    return [None if e is None else round(e / 1000, 6) for e in file.readings["energy_wh"]]


def starts(file: ReadingFile) -> list[str]:
    return [f"{datetime.fromtimestamp(s, UTC):%Y-%m-%dT%H:%M}" for s in file.readings["start_s"]]


def reasons(file: ReadingFile) -> dict[str, tuple[int, list[int]]]:
    return {reason: (count, [row.row for row in first]) for reason, count, first in file.account.problems}


def test_the_table_has_the_columns_of_interval_reading(read):
    """Names and types are those of the contract, whatever the file."""
    table = read("meter,ts,kwh\nm,2020-01-01 00:00,1\nm,2020-01-01 01:00,2\n").readings
    kinds = {"str": pl.String, "int64": pl.Int64, "int32": pl.Int32, "float32": pl.Float32, "uint8": pl.UInt8}
    assert list(table.schema.items()) == [(name, kinds[kind]) for name, kind, _ in INTERVAL_READING]


def test_bad_rows_are_named_and_the_others_kept(read):
    """A time, a value, a usage point that cannot be understood: reason, exact count, line in the file."""
    file = read(
        "meter,ts,kwh\nm1,2020-01-01 00:00,1.5\nm1,yesterday,2\nm1,2020-01-01 01:00,much\n\n"
        ",2020-01-01 02:00,1\nm1,2020-01-01 03:00,\nm1,2020-01-01 04:00,1,2,3\nm1,2020-01-01 05:00,inf\n"
        "m1,1901-01-01 00:00,1\n",
        PLAIN,
    )
    assert reasons(file) == {
        "the time is not understood": (1, [3]),
        "the value is no number": (2, [4, 9]),
        "no usage point": (1, [6]),
        "more fields than the table has columns": (1, [8]),
        "a time before 1970 or after 2100": (1, [10]),
    }
    assert (file.account.rows, file.account.kept) == (8, 2)


def test_an_absent_value_is_missing_and_not_zero(read):
    """An interval that is named without a value is kept as missing."""
    file = read("meter,ts,kwh\nm,2020-01-01 00:00,1\nm,2020-01-01 01:00,\nm,2020-01-01 02:00,n/a\n", PLAIN)
    assert kwh(file) == [1, None, None]
    assert file.readings["quality"].to_list() == [0, Quality.MISSING, Quality.MISSING]


FIELD = st.sampled_from(
    ["", "m1", "m2", "2020-01-01 00:00", "2020-01-01 01:00", "2020-02-30 00:00", "1.5", "-3", "nan", "1e999", "x",
     '"', '"m1"', 'a"b', "1,5", ";", " ", "\t", "\u00e9", "9" * 40, "'", "=1+1", "0x10", "2020-01-01T24:00"]
)  # fmt: skip
ROW = st.lists(FIELD, min_size=1, max_size=6).map(",".join)


@given(st.lists(ROW, max_size=30), st.booleans())
@settings(max_examples=150)
def test_every_line_is_kept_or_reported(tmp_path_factory, lines, crlf):
    """kept + problems = rows, and rows are the lines with anything in them, however hostile the file."""
    path = tmp_path_factory.mktemp("hostile") / "x.csv"
    end = "\r\n" if crlf else "\n"
    path.write_bytes(end.join(["meter,ts,kwh", "m1,2020-01-01 05:00,1", *lines]).encode())
    file = read_readings(path, ColumnMapping.parse(PLAIN), ReadingOptions(delimiter=","))
    account = file.account
    assert account.kept + sum(count for _, count, _ in account.problems) == account.rows
    assert account.rows == 1 + sum(bool(line.replace(",", "").strip()) for line in lines)
    assert file.readings["energy_wh"].is_finite().drop_nulls().all()
    key = file.readings.select("usage_point", "flow", "start_s")
    assert key.n_unique() == len(key)
    assert key.rows() == sorted(key.rows())


@given(st.binary(max_size=400))
@settings(max_examples=150)
def test_bytes_of_any_kind_raise_nothing_but_value_error(tmp_path_factory, data):
    """Damaged and foreign files end in a ValueError, or in an account."""
    path = tmp_path_factory.mktemp("bytes") / "x.bin"
    path.write_bytes(data)
    try:
        account = read_readings(path).account
    except ValueError:
        return
    assert account.kept + sum(count for _, count, _ in account.problems) == account.rows


def test_a_lone_quotation_mark_is_no_number(read):
    """In place of a number it spoils its own row and not the file."""
    file = read('meter,ts,kwh\nm,2020-01-01 00:00,1\nm,2020-01-01 01:00,"\nm,2020-01-01 02:00,3\n', PLAIN)
    assert (file.account.rows, file.account.kept + sum(n for _, n, _ in file.account.problems)) == (3, 3)
    assert {1.0, 3.0} <= set(kwh(file))


def test_an_open_quotation_mark_spoils_its_own_line_only(read):
    """A quotation mark that is never closed must not swallow the lines after it."""
    lines = "".join(f"m,2020-01-01 {h:02d}:00,1\n" for h in range(20))
    file = read(f'meter,ts,kwh\n"m,2020-01-02 00:00,1\n{lines}', PLAIN)
    assert file.account.rows == 21
    assert len(file.readings) == 21


@pytest.mark.parametrize(
    ("texts", "day_first"),
    [
        (["2020-03-04T00:00:00Z", "2020-03-04T01:00:00Z"], None),
        (["2020-03-04 01:00:00+01:00", "2020-03-04 02:00:00+01:00"], None),
        (["2020-03-04T00:00:00.000Z", "2020-03-04T01:00:00.000Z"], None),
        (["04/03/2020 00:00", "04/03/2020 01:00"], True),
        (["03/04/2020 12:00 AM", "03/04/2020 01:00 AM"], False),
        (["04.03.2020 00:00", "04.03.2020 01:00"], True),
        (["04-Mar-2020 00:00", "04-Mar-2020 01:00"], None),
        (["20200304 0000", "20200304 0100"], None),
        (["202003040000", "202003040100"], None),
        (["1583280000", "1583283600"], None),
        (["1583280000000", "1583283600000"], None),
        (["1583280000.0", "1583283600.0"], None),
        (["2020-03-03T24:00", "2020-03-04T01:00"], None),
        (["2020-03-04T00:00:00Z", "2020-03-04 01:00:00"], None),
    ],
)
def test_forms_of_time(read, texts, day_first):
    """The same two hours, as fourteen systems write them."""
    file = read("meter,ts,kwh\n" + "".join(f"m,{t},1\n" for t in texts), PLAIN, day_first=day_first)
    assert starts(file) == ["2020-03-04T00:00", "2020-03-04T01:00"]
    assert not file.account.problems


def test_day_and_month_are_told_apart_by_the_even_run_of_times(read):
    """1/2, 2/2, 3/2 are days of February where the other reading would jump by months."""
    rows = "".join(f"m,{d:02d}/02/2020 00:00,1\n" for d in range(1, 10))
    assert starts(read(f"meter,ts,kwh\n{rows}", PLAIN))[:2] == ["2020-02-01T00:00", "2020-02-02T00:00"]


ZONES = [("Europe/London", 2020, 10, 25), ("America/Sao_Paulo", 2018, 2, 17), ("Australia/Lord_Howe", 2020, 4, 5)]


@pytest.mark.parametrize(("zone", "year", "month", "day"), ZONES)
@pytest.mark.parametrize("backwards", [False, True])
def test_autumn_is_told_apart_by_the_order_of_rows(read, zone, year, month, day, backwards):
    """Local half hours across the end of summer time come back as the UTC half hours they were made of."""
    clock = ZoneInfo(zone)
    noon = datetime(year, month, day, 12, tzinfo=UTC) - timedelta(days=1)
    times = [noon + timedelta(minutes=30 * k) for k in range(96)]
    assert len({t.astimezone(clock).replace(tzinfo=None) for t in times}) < len(times)
    rows = [f"{p},{t.astimezone(clock):%Y-%m-%d %H:%M},{k}" for p in "ab" for k, t in enumerate(times)]
    file = read("meter,ts,kwh\n" + "\n".join(rows[::-1] if backwards else rows), PLAIN, zone=clock)
    assert file.readings["start_s"].to_list() == 2 * [int(t.timestamp()) for t in times]
    assert kwh(file) == 2 * list(range(96))
    assert not file.account.problems


@pytest.mark.parametrize(
    ("zone", "skipped"), [("Europe/London", "2020-03-29 01:30"), ("America/Sao_Paulo", "2018-11-04 00:30")]
)
def test_spring_has_times_that_never_were(read, zone, skipped):
    """A time that clocks skipped is reported; the hours on both sides follow each other."""
    clock = ZoneInfo(zone)
    before = datetime.fromisoformat(skipped).replace(minute=0) - timedelta(hours=3)
    rows = [f"m,{before + timedelta(hours=h):%Y-%m-%d %H:%M},{h}" for h in range(6) if h != 3]
    file = read("meter,ts,kwh\n" + "\n".join([*rows, f"m,{skipped},9"]), PLAIN, zone=clock)
    assert reasons(file) == {"a time that clocks skipped in spring": (1, [7])}
    assert np.diff(file.readings["start_s"].to_numpy()).tolist() == [3600] * 4


def test_a_day_of_25_hours_has_no_gap_under_names_of_ends(read):
    """Ends of intervals in local time: the second 01:00 of October is an hour after the first."""
    clock = ZoneInfo("Europe/London")
    ends = [datetime(2020, 10, 25, 0, tzinfo=UTC) + timedelta(hours=h - 3) for h in range(10)]
    rows = "\n".join(f"m,{t.astimezone(clock):%Y-%m-%d %H:%M},1" for t in ends)
    file = read(f"meter,ts,kwh\n{rows}", "usage_point=meter,end=ts,energy_kwh=kwh", zone=clock)
    assert file.readings["start_s"].to_list() == [int(t.timestamp()) - 3600 for t in ends]


def test_offsets_need_no_zone(read):
    """A time with an offset is what it says, also when a zone is given for the others."""
    offset = timezone(timedelta(hours=-6))
    rows = "\n".join(f"m,{datetime(2020, 1, 1, h, tzinfo=offset).isoformat()},1" for h in range(3))
    file = read(f"meter,ts,kwh\n{rows}", PLAIN, zone=ZoneInfo("Asia/Tokyo"))
    assert starts(file)[0] == "2020-01-01T06:00"


@pytest.mark.parametrize(
    ("column", "values", "expected_wh"),
    [
        ("energy_wh", ["100", "200"], [100, 200]),
        ("energy_kwh", ["0.1", "0.2"], [100, 200]),
        ("energy_mwh", ["0.1", "0.2"], [100_000, 200_000]),
        ("power_w", ["400", "800"], [100, 200]),
        ("power_kw", ["0.4", "0.8"], [100, 200]),
    ],
)
def test_units(read, column, values, expected_wh):
    """Energy is energy; power is energy over the interval, a quarter of an hour here."""
    rows = "".join(f"m,2020-01-01 00:{15 * k:02d},{v}\n" for k, v in enumerate(values))
    file = read(f"meter,ts,v\n{rows}", f"usage_point=meter,start=ts,{column}=v")
    assert file.readings["energy_wh"].to_list() == pytest.approx(expected_wh)
    assert file.readings["duration_s"].to_list() == [900, 900]


def test_decimal_comma_semicolon_thousands_and_a_title(read):
    """A spreadsheet's export from where the comma is the decimal sign, found out from the file."""
    file = read(
        "Lastgang 2020\n\nZaehler;Datum;Uhrzeit;kWh\n"
        "z;01.02.2020;00:00;1,5\nz;01.02.2020;00:15;1.001,5\nz;01.02.2020;00:30;0,25\n"
    )
    assert kwh(file) == [1.5, 1001.5, 0.25]
    assert starts(file)[1] == "2020-02-01T00:15"
    assert any("line 3" in remark for remark in file.account.remarks)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_encodings(read, encoding):
    """Names with accents do not stop a file from being read."""
    text = "Zähler;ts;kwh\nz1;2020-01-01 00:00;1\nz1;2020-01-01 01:00;2\n"
    columns = "usage_point=Zähler,start=ts,energy_kwh=kwh" if encoding != "latin-1" else "start=ts,energy_kwh=kwh"
    file = read(text.encode(encoding), columns)
    assert kwh(file) == [1, 2]


def test_packed_files(tmp_path):
    """gzip and zstd are unpacked; a file that breaks off is a ValueError."""
    import gzip

    import zstandard

    text = b"meter,ts,kwh\nm,2020-01-01 00:00,1\nm,2020-01-01 01:00,2\n"
    for name, data in (("a.csv.gz", gzip.compress(text)), ("a.csv.zst", zstandard.compress(text))):
        (tmp_path / name).write_bytes(data)
        assert kwh(read_readings(tmp_path / name)) == [1, 2]
    (tmp_path / "cut.gz").write_bytes(gzip.compress(text)[:-12])
    with pytest.raises(ValueError, match="unpacked"):
        read_readings(tmp_path / "cut.gz")


def test_register_roll_over_and_exchange(read):
    """A register that passes 99,999 goes on; one that falls from the middle is another meter."""
    values = [99_980, 99_990, 5, 15, 25, 35, 100, 3, 13]
    rows = "".join(f"m,2020-01-01 {h:02d}:00,{v}\n" for h, v in enumerate(values))
    file = read(f"meter,ts,r\n{rows}", "usage_point=meter,start=ts,register_kwh=r")
    assert kwh(file) == [10, 15, 10, 10, 10, 65, None, 10]
    assert file.readings["quality"][6] == Quality.MISSING | Quality.SUSPECT
    (event,) = file.events
    assert (event.kind, event.time_ns, event.source.row) == (
        MeterEventKind.METER_EXCHANGED, (H0 + 7 * 3600) * 10**9, 9
    )  # fmt: skip


def test_a_register_shares_its_difference_over_a_gap(read):
    """Four hours without a reading are one long reading, marked; no value is invented in between."""
    hours = [0, 1, 2, 3, 7, 8, 9]
    rows = "".join(f"m,2020-01-01 {h:02d}:00,{h * 2}\n" for h in hours)
    file = read(f"meter,ts,r\n{rows}", "usage_point=meter,start=ts,register_kwh=r")
    assert file.readings["duration_s"].to_list() == [3600, 3600, 3600, 4 * 3600, 3600, 3600]
    assert file.readings["quality"].to_list() == [0, 0, 0, Quality.SHARED_OUT, 0, 0]
    assert kwh(file)[3] == 8


def test_export_is_another_flow(read):
    """An export column, a flow column and a negative energy become received energy."""
    file = read(
        "meter,ts,a,b\nm,2020-01-01 00:00,1,2\nm,2020-01-01 01:00,3,4\n",
        "usage_point=meter,start=ts,energy_kwh=a,export_kwh=b",
    )
    assert file.readings.select("flow", "energy_wh").rows() == [
        ("delivered", 1000), ("delivered", 3000), ("received", 2000), ("received", 4000)
    ]  # fmt: skip
    assert (file.account.rows, file.account.kept) == (4, 4)
    flows = read(
        "meter,ts,kwh,dir\nm,2020-01-01 00:00,1,A+\nm,2020-01-01 00:00,2,A-\nm,2020-01-01 01:00,2,up\n",
        PLAIN + ",flow=dir",
        duration_s=3600,
    )
    assert flows.readings["flow"].to_list() == ["delivered", "received"]
    assert reasons(flows) == {"the direction of flow is not understood": (1, [4])}
    net = read("meter,ts,kwh\nm,2020-01-01 00:00,1\nm,2020-01-01 01:00,-2\n", PLAIN)
    assert net.readings.select("flow", "energy_wh").rows() == [
        ("delivered", 1000),
        ("delivered", 0),
        ("received", 2000),
    ]
    assert any("1 negative" in remark for remark in net.account.remarks)


def test_quality_flags(read):
    """What the source says of its values is kept; what it says that is not known is doubt."""
    said = ["A", "E", "", "suspect", "N", "zzz"]
    rows = "".join(f"m,2020-01-01 {h:02d}:00,1,{q}\n" for h, q in enumerate(said))
    file = read(f"meter,ts,kwh,q\n{rows}", PLAIN + ",quality=q")
    assert file.readings["quality"].to_list() == [
        0, Quality.ESTIMATED, 0, Quality.SUSPECT, Quality.MISSING, Quality.SUSPECT
    ]  # fmt: skip
    assert file.readings["energy_wh"][4] is None
    assert any("'zzz'" in remark for remark in file.account.remarks)


def test_repetitions_and_corrections(read):
    """The same twice is one reading; said otherwise later, the later counts and is marked."""
    file = read(
        "meter,ts,kwh\nm,2020-01-01 00:00,1\nm,2020-01-01 01:00,2\nm,2020-01-01 00:00,1\n"
        "m,2020-01-01 01:00,5\nm,2020-01-01 02:00,3\nm,2020-01-01 02:00,\n",
        PLAIN,
    )
    assert kwh(file) == [1, 5, 3]
    assert file.readings["quality"].to_list() == [0, Quality.CORRECTED, 0]
    assert "3 repeated rows were merged" in file.account.remarks
    assert file.account.kept == 6


def test_length_of_intervals(read):
    """Told by a column, an option, an end, or the usual way to the next one of the same usage point."""
    rows = "a,2020-01-01 00:00,1\na,2020-01-01 00:30,1\na,2020-01-01 01:00,1\na,2020-01-01 03:00,1\n"
    rows += "b,2020-01-01 00:00,1\nb,2020-01-02 00:00,1\nc,2020-01-01 00:00,1\n"
    file = read("meter,ts,kwh\n" + rows, PLAIN)
    assert file.readings["duration_s"].to_list() == [1800] * 4 + [86400] * 2 + [1800]
    assert set(read("meter,ts,kwh\n" + rows, PLAIN, duration_s=900).readings["duration_s"]) == {900}
    both = read(
        "meter,a,b,kwh\nm,2020-01-01 00:00,2020-01-01 00:20,1\n", "usage_point=meter,start=a,end=b,energy_kwh=kwh"
    )
    assert both.readings["duration_s"].to_list() == [1200]
    alone = read("meter,ts,kwh\nm,2020-01-01 00:00,1\n", PLAIN)
    assert reasons(alone) == {"the length of the interval is not known: say it with duration_s": (1, [2])}


def test_wide_by_usage_point(read):
    """A column for each usage point, with a gap, and a cell that is no number."""
    file = read("time,b1,b2\n2020-01-01 00:00,1,2\n2020-01-01 01:00,,x\n2020-01-01 02:00,5,6\n")
    assert file.readings.select("usage_point", "energy_wh").rows() == [
        ("b1", 1000), ("b1", None), ("b1", 5000), ("b2", 2000), ("b2", 6000)
    ]  # fmt: skip
    assert reasons(file) == {"the value is no number": (1, [3])}
    watts = read("time,b1,b2\n2020-01-01 00:00,1,2\n2020-01-01 00:30,1,2\n", "start=time,wide=power_w")
    assert watts.readings["energy_wh"].to_list() == [0.5, 0.5, 1, 1]


@pytest.mark.parametrize(
    "names",
    [
        [f"{k // 2:02d}:{30 * (k % 2):02d}" for k in range(48)],
        [f"{(k + 1) // 2 % 24:02d}:{30 * ((k + 1) % 2):02d}" for k in range(48)],
        [f"{k // 2:02d}:{30 * (k % 2):02d}-{(k + 1) // 2:02d}:{30 * ((k + 1) % 2):02d}" for k in range(48)],
        [f"hh{k}" for k in range(48)],
        [f"INT_{k:02d}" for k in range(1, 49)],
        [str(k) for k in range(1, 49)],
    ],
)
def test_wide_by_interval_of_the_day(read, names):
    """A column for each half hour, as starts, ends, ranges and numbers."""
    assert list(times_of_day(["meter", "date", *names]).values()) == [1800 * k for k in range(48)]
    days = "".join(f"m,2020-01-0{d}," + ",".join(str(d * 100 + k) for k in range(48)) + "\n" for d in (1, 2))
    file = read("meter,date," + ",".join(names) + "\n" + days)
    assert file.readings["start_s"].to_list() == [H0 + 1800 * k for k in range(96)]
    assert kwh(file) == [100 + k for k in range(48)] + [200 + k for k in range(48)]
    assert set(file.readings["duration_s"]) == {1800}


def test_obis_codes_in_rows(read):
    """Load profiles and registers of active energy are read by their codes, the rest is named as what it is."""
    file = read(
        "meter;code;time;value;unit\n"
        "a;1-1:1.29.0;2020-01-01 00:00;1,5;kWh\na;1-1:1.29.0;2020-01-01 00:15;2,5;kWh\n"
        "a;1-1:2.29.0;2020-01-01 00:15;500;Wh\na;1-1:32.7.0;2020-01-01 00:15;230,5;V\n"
        "b;1-1:1.8.0;2020-01-01 00:00;100;kWh\nb;1-1:1.8.0;2020-01-01 01:00;103;kWh\n"
        "b;1-1:1.8.1;2020-01-01 01:00;9;kWh\n",
        "usage_point=meter,obis=code,start=time,value=value,unit=unit",
    )
    assert file.readings.select("usage_point", "flow", "energy_wh", "duration_s").rows() == [
        ("a", "delivered", 1500, 900), ("a", "delivered", 2500, 900), ("a", "received", 500, 900),
        ("b", "delivered", 3000, 3600),
    ]  # fmt: skip
    assert reasons(file) == {
        "not active energy or power": (1, [5]),
        "a tariff register: the total is what is read": (1, [8]),
    }


def test_obis_codes_as_columns(read):
    """Codes in the header, as head-end systems export them."""
    file = read("meter,time,1-1:1.29.0 [kWh],1-1:2.29.0 [kWh]\na,2020-01-01 00:00,1,2\na,2020-01-01 00:15,1,2\n")
    assert file.readings["flow"].to_list() == ["delivered"] * 2 + ["received"] * 2


def test_mapping():
    """Ours on the left, the file's on the right; what is not ours, or comes twice, is refused by name."""
    assert ColumnMapping.parse('usage_point="a, b",start=Date+Time,power_kw=P').usage_point == "a, b"
    for text, said in (("meter", "pair"), ("who=x", "'who'"), ("start=a,start=b", "twice"), ("", "empty")):
        with pytest.raises(ValueError, match=said):
            ColumnMapping.parse(text)
    assert (
        guess(["LCLid", "tstp", "energy(kWh/hh)"]).sentence()
        == "usage_point=LCLid,start=tstp,energy_kwh=energy(kWh/hh)"
    )
    assert guess(["Date", "Time", "kWh"]).start == "Date+Time"


def test_what_cannot_be_guessed_is_asked_for_with_the_columns(read):
    """The message lists what the file has and shows how to say it."""
    with pytest.raises(ValueError, match=r"'alpha', 'beta', 'gamma'.*--columns \"usage_point=alpha"):
        read("alpha,beta,gamma\nx,y,z\n")
    with pytest.raises(ValueError, match=r"no column 'kwhs'.*'kwh'"):
        read("meter,ts,kwh\nm,2020-01-01 00:00,1\n", "usage_point=meter,start=ts,energy_kwh=kwhs")


def test_parquet_in_long_and_wide_form(tmp_path):
    """Types of time, epochs, texts; and the wide form; give the same readings as CSV does."""
    times = [datetime(2020, 1, 1, h) for h in range(4)]
    epoch = [H0 + 3600 * h for h in range(4)]
    path = tmp_path / "a.parquet"
    for column in (times, [t.replace(tzinfo=UTC) for t in times], epoch, [t.isoformat() for t in times]):
        pl.DataFrame({"meter": ["m"] * 4, "ts": column, "kwh": [1.0, None, 3.0, 4.0]}).write_parquet(path)
        file = read_readings(path)
        assert file.readings["start_s"].to_list() == epoch
        assert kwh(file) == [1, None, 3, 4]
    pl.DataFrame({"ts": times, "m1": [1.0] * 4, "m2": [2.0] * 4}).write_parquet(path)
    assert read_readings(path).readings["usage_point"].to_list() == ["m1"] * 4 + ["m2"] * 4
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="Parquet"):
        read_readings(path)


@pytest.mark.real_data
def test_real_tables(shared_data, tmp_path):
    """Four stores of real readings, as they are."""
    power = shared_data / "power"
    homes = read_readings(
        power / "sgsc_10_homes_halfhourly.parquet",
        ColumnMapping.parse("usage_point=customer_id,start=reading_datetime,energy_kwh=general_supply_kwh"),
        ReadingOptions(zone=ZoneInfo("Australia/Sydney")),
    )
    assert homes.readings["usage_point"].n_unique() == 10
    assert set(homes.readings["duration_s"]) == {1800}
    assert homes.account.rows == 293_874
    sample = read_readings(
        power / "eemeter_sample_meters_hourly.parquet",
        ColumnMapping.parse("usage_point=meter,start=start,energy_kwh=value"),
    )
    assert not sample.account.problems
    assert sample.readings["usage_point"].n_unique() == 5
    steel = read_readings(
        power / "steel_industry_korea_15min.parquet", ColumnMapping.parse("end=date,energy_kwh=Usage_kWh")
    )
    # The source writes the 00:00 that ends a day with that day's own date, so one quarter of an hour is before 2018.
    assert steel.readings["start_s"][1] == int(datetime(2018, 1, 1, tzinfo=UTC).timestamp())
    assert set(steel.readings["duration_s"]) == {900}
    assert steel.account.rows == 35_040
    cambridge = pl.read_parquet(power / "cambridge_estates_hourly.parquet", n_rows=30_000)
    cambridge.write_csv(tmp_path / "c.csv")
    csv = read_readings(tmp_path / "c.csv")
    assert csv.account.kept == 30_000
    wh = cambridge.select(pl.col("kwh").cast(pl.Float64) * 1000).to_series().cast(pl.Float32)
    assert np.allclose(csv.readings["energy_wh"].sort().to_numpy(), wh.sort().to_numpy(), rtol=1e-5)
