"""Files of block times: as they are, with every row accounted for."""

import gzip
import io
import lzma
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from headframe.errors import HeadframeError, UnreadableInput
from headframe.sources.chain import files
from headframe.sources.chain.files import BlockFile, clocks_of_files, parse_columns, read_blocks
from headframe.sources.chain.series import NO_TIME, BadClock

S = 10**9
FIRST_S = 1_603_311_580


def written(tmp_path: Path, data: bytes | str, name: str = "blocks.csv") -> Path:
    """A file with that content."""
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def arrivals(file: BlockFile) -> list[tuple[int, int]]:
    """Heights and arrival times of a file with one series."""
    (one,) = file.series
    return list(zip(one.heights.tolist(), one.arrival_ns.tolist(), strict=True))


PLAIN = "chain,height,arrival_time\nXMR,7,1603311580\nXMR,8,1603311633\nXMR,9,1603311875\n"
THREE = [(7, FIRST_S * S), (8, (FIRST_S + 53) * S), (9, (FIRST_S + 295) * S)]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", " , ").encode(),
        PLAIN.rstrip().encode(),
        PLAIN.replace("\n", "\n\n").encode(),
        ("# made by hand\n" + PLAIN).encode(),
        PLAIN.upper().encode(),
        PLAIN.replace("XMR", '"monero"').encode(),
        PLAIN.replace("1603311580", "1603311580.0").encode(),
        PLAIN.replace("7,", "7.0,").encode(),
        gzip.compress(PLAIN.encode()),
        lzma.compress(PLAIN.encode()),
        zstandard.compress(PLAIN.encode()),
    ],
    ids=["plain", "crlf", "cr", "bom", "semicolons", "tabs", "blanks", "no-end", "empty-lines", "comment", "upper-case",
         "quoted-name", "float", "float-height", "gzip", "xz", "zstd"],
)  # fmt: skip
def test_the_same_blocks_in_any_dress(tmp_path: Path, data: bytes) -> None:
    """Line ends, marks, separators, quotes and compression change nothing."""
    file = read_blocks(written(tmp_path, data))
    assert arrivals(file) == THREE
    assert (file.rows, file.not_understood, file.remarks) == (3, 0, ())
    assert (file.series[0].chain, file.series[0].resolution_ns) == ("XMR", S)
    assert file.series[0].clock_source == "file blocks.csv"


@pytest.mark.parametrize(
    ("times", "first_ns", "resolution_ns"),
    [
        (["1603311580", "1603311633"], FIRST_S * S, S),
        (["1603311580000", "1603311633000"], FIRST_S * S, S),
        (["1603311580250", "1603311633000"], FIRST_S * S + 250_000_000, 10_000_000),
        (["1603311580250001", "1603311633000000"], FIRST_S * S + 250_001_000, 1_000),
        (["1603311580000000001", "1603311633000000000"], FIRST_S * S + 1, 1),
        (["1603311580.25", "1603311633.5"], FIRST_S * S + 250_000_000, 10_000_000),
        (["1603311580.977", "1603311633.0"], FIRST_S * S + 977_000_000, 1_000_000),
        (["1.60331158e9", "1603311633"], FIRST_S * S, S),
        (["2020-10-21T20:19:40Z", "2020-10-21T20:20:33Z"], FIRST_S * S, S),
        (["2020-10-21 20:19:40 UTC", "2020-10-21 20:20:33 UTC"], FIRST_S * S, S),
        (["2020-10-21T22:19:40+02:00", "2020-10-21T20:20:33Z"], FIRST_S * S, S),
        (["2020-10-22 04:19:40.123456789+0800", "2020-10-21T20:20:33Z"], FIRST_S * S + 123_456_789, 1),
        (["2020-10-21T12:19:40-08", "2020-10-21T20:20:33Z"], FIRST_S * S, S),
    ],
)
def test_times_of_any_unit_and_form(tmp_path: Path, times: list[str], first_ns: int, resolution_ns: int) -> None:
    """The unit is told by the size of the numbers, the step is measured."""
    rows = "".join(f"XMR,{7 + k},{text}\n" for k, text in enumerate(times))
    file = read_blocks(written(tmp_path, "chain,height,arrival_time\n" + rows))
    assert arrivals(file)[0] == (7, first_ns)
    assert file.remarks == ()
    assert file.series[0].resolution_ns == resolution_ns


@given(st.integers(1_300_000_000, 2_000_000_000), st.sampled_from([0, 3, 6, 9]), st.integers(0, 10**9 - 1))
def test_a_unit_is_that_of_the_column(tmp_path: Path, start_s: int, digits: int, fraction_ns: int) -> None:
    """Whatever the unit, the instant is the same; what is finer than the unit is cut off before it is written."""
    wanted = [(start_s + 100 * k) * S + fraction_ns // 10 ** (9 - digits) * 10 ** (9 - digits) for k in range(3)]
    rows = "".join(f"BTC,{k},{time_ns // 10 ** (9 - digits)}\n" for k, time_ns in enumerate(wanted))
    file = read_blocks(written(tmp_path, "chain,height,arrival_time\n" + rows))
    assert [arrival for _, arrival in arrivals(file)] == wanted


def test_one_row_in_another_unit_is_not_believed(tmp_path: Path) -> None:
    """Milliseconds among seconds are a mistake, not a second unit."""
    file = read_blocks(written(tmp_path, PLAIN + "XMR,10,1603311990000\n"))
    assert arrivals(file) == THREE
    assert file.remarks == (
        f"{file.path}, line 5: arrival_time is '1603311990000'; expected seconds since 1970 or ISO 8601, from 2009 to "
        "2099",
    )


def test_iso_without_zone_is_utc_with_a_remark(tmp_path: Path) -> None:
    """Unless the offset is given: then there is nothing to remark."""
    text = "chain,height,arrival_time\nXMR,7,2020-10-21 20:19:40\nXMR,8,2020-10-21T20:20:33\n"
    file = read_blocks(written(tmp_path, text))
    assert arrivals(file) == THREE[:2]
    assert file.remarks == (f"{file.path}: arrival_time names no time zone; read as UTC",)
    shifted = read_blocks(
        written(tmp_path, text.replace("21 20", "22 04").replace("21T20", "22T04")), utc_offset_s=28_800
    )
    assert arrivals(shifted) == THREE[:2]
    assert shifted.remarks == ()


def test_other_names_by_mapping(tmp_path: Path) -> None:
    """A list of times, heights and texts for people, as a node's log gives it."""
    text = "ts,height,UTC\n1603311580,7,2020-10-21 20:19:40\n1603311633,8,2020-10-21 20:20:33\n"
    path = written(tmp_path, text)
    by_number = read_blocks(path, columns=parse_columns("arrival_time=ts"), chain="xmr")
    by_text = read_blocks(path, columns=parse_columns("arrival_time=UTC,height=height"), chain="XMR", source="node 3")
    assert arrivals(by_number) == arrivals(by_text) == THREE[:2]
    assert by_text.series[0].clock_source == "node 3"


def test_a_file_without_header_by_column_numbers(tmp_path: Path) -> None:
    """Height, hash and milliseconds."""
    text = "7,00ab,1603311580000\n8,00cd,1603311633000\n9,00ef,1603311875000\n"
    file = read_blocks(written(tmp_path, text), columns=parse_columns("height=1,arrival_time=3"), chain="XMR")
    assert arrivals(file) == THREE
    assert (file.rows, file.series[0].resolution_ns) == (3, S)


def test_column_numbers_of_a_file_with_header(tmp_path: Path) -> None:
    """The header is no row, and no row that cannot be understood."""
    file = read_blocks(written(tmp_path, PLAIN), columns=parse_columns("chain=1,height=2,arrival_time=3"))
    assert (arrivals(file), file.rows, file.not_understood) == (THREE, 3, 0)


def test_chains_and_sources_are_kept_apart(tmp_path: Path) -> None:
    """One series each, in the order in which they come; an empty source is the file."""
    text = (
        "chain,height,arrival_time,clock_source\nXMR,1,1603311580,a\nBTC,1,1603311580,a\nXMR,2,1603311581,b\n"
        "XMR,2,1603311583,a\nXMR,5,1603311589,\n"
    )
    file = read_blocks(written(tmp_path, text))
    assert [(one.chain, one.clock_source, one.heights.tolist()) for one in file.series] == [
        ("XMR", "a", [1, 2]), ("BTC", "a", [1]), ("XMR", "b", [2]), ("XMR", "file blocks.csv", [5]),
    ]  # fmt: skip


def test_rows_that_cannot_be_understood_are_named(tmp_path: Path) -> None:
    """By file, line and reason; the good rows are kept."""
    rows = ["XMR,7,1603311580", "XMR,x,1603311633", "XMR,9,soon", "XMR,10", "XMR,-1,1603311999", "XMR,11,",
            "XMR,12,1603319999", "XMR,13,17", ",14,1603321999", "XMR,15,1603331999,more"]  # fmt: skip
    file = read_blocks(written(tmp_path, "# list\nchain,height,arrival_time\n" + "\n".join(rows) + "\n"))
    assert [height for height, _ in arrivals(file)] == [7, 12, 15]
    assert (file.rows, file.not_understood) == (10, 7)
    said = [remark.removeprefix(f"{file.path}, ") for remark in file.remarks if ", line " in remark]
    time_hint = "expected seconds since 1970 or ISO 8601, from 2009 to 2099"
    assert said == [
        "line 4: height is 'x'; expected a whole number",
        f"line 5: arrival_time is 'soon'; {time_hint}",
        "line 6: 2 fields, where 3 or more were expected",
        "line 7: height is '-1'; expected a whole number",
        "line 8: there is no time",
        f"line 10: arrival_time is '17'; {time_hint}",
        "line 11: chain is ''; expected a ticker symbol, or --chain",
    ]


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    """The first ten by line, all of them by number."""
    text = (
        PLAIN
        + "".join(f"XMR,{k},never\n" for k in range(100, 150))
        + "".join(f"XMR,{k},1603400000\n" for k in range(60))
    )
    file = read_blocks(written(tmp_path, text))
    assert file.not_understood == 50
    assert sum(", line " in remark for remark in file.remarks) == files.ROWS_NAMED
    assert f"{file.path}: 50 of 113 rows cannot be understood" in file.remarks


def test_duplicates_disorder_reorganisations_and_gaps_are_remarked(tmp_path: Path) -> None:
    """Nothing of it is a fault; nothing of it goes unsaid."""
    rows = ["XMR,9,1603311875", "XMR,7,1603311580", "XMR,7,1603311580", "XMR,9,1603311870", "XMR,20,1603319999"]
    text = "chain,height,arrival_time\n" + "\n".join(rows) + "\n"
    file = read_blocks(written(tmp_path, text))
    assert arrivals(file) == [(7, FIRST_S * S), (9, 1603311870 * S), (20, 1603319999 * S)]
    where = f"{file.path}: XMR:"
    assert file.remarks == (
        f"{where} the rows are not in order of height; sorted",
        f"{where} 1 rows say the same as another; taken once",
        f"{where} 1 rows give another time for a height that was there before (a reorganisation), 9 for one; the "
        "earliest is kept",
        f"{where} 11 heights are missing, in 2 places",
    )


@pytest.mark.parametrize(
    ("hours", "words"), [(8, "8 h ahead of"), (-5, "5 h behind"), (5.5, "5.5 h ahead of"), (-1, "1 h behind")]
)
def test_a_wrong_time_zone_is_found(tmp_path: Path, hours: float, words: str) -> None:
    """Arrival and header times that are whole hours apart, and what to do about it."""
    rows = "".join(
        f"XMR,{k},{FIRST_S + 120 * k + int(hours * 3600)},{FIRST_S + 120 * k - 13 * (k % 5)}\n" for k in range(50)
    )
    path = written(tmp_path, "chain,height,arrival_time,header_time\n" + rows)
    with pytest.raises(BadClock, match=f"XMR: arrival_time is {words} header_time on average: .* --utc-offset"):
        read_blocks(path)


def test_a_wrong_time_zone_is_mended(tmp_path: Path) -> None:
    """As the message says: by the offset, which is for arrival times only, or without the header times."""
    rows = "".join(f"XMR,{k},{FIRST_S + 120 * k + 28_800},{FIRST_S + 120 * k}\n" for k in range(5))
    path = written(tmp_path, "chain,height,arrival_time,header_time\n" + rows)
    mended = read_blocks(path, utc_offset_s=28_800).series[0]
    np.testing.assert_array_equal(mended.arrival_ns, mended.header_ns)
    alone = read_blocks(path, columns=parse_columns("header_time=-")).series[0]
    assert np.all(alone.header_ns == NO_TIME)
    assert alone.arrival_ns[0] == (FIRST_S + 28_800) * S


def test_an_offset_is_not_for_times_that_name_their_zone(tmp_path: Path) -> None:
    """They say themselves what they are."""
    text = "chain,height,arrival_time\nXMR,7,2020-10-22T04:19:40\nXMR,8,2020-10-21T20:20:33Z\n"
    assert arrivals(read_blocks(written(tmp_path, text), utc_offset_s=28_800)) == THREE[:2]


def test_an_open_quotation_mark_swallows_nothing_in_silence(tmp_path: Path) -> None:
    """Also in a column that is not read: the rows inside it would be gone without a word."""
    text = 'chain,height,arrival_time,note\nXMR,7,1603311580,"oops\nXMR,8,1603311633,fine\nXMR,9,1603311875,"end"\n'
    with pytest.raises(BadClock, match=r"line 2: this row goes on over 3 lines; is a quotation mark left open\?"):
        read_blocks(written(tmp_path, text))
    file = read_blocks(written(tmp_path, text + "XMR,10,1603311999,\n"))
    assert [height for height, _ in arrivals(file)] == [10]
    assert file.remarks == (f"{file.path}, line 2: this row goes on over 3 lines; is a quotation mark left open?",)
    good = read_blocks(written(tmp_path, text.replace('"', "").replace("fine", '"a, b"')))
    assert arrivals(good) == THREE


def test_a_column_that_names_no_source(tmp_path: Path) -> None:
    """A hash for each block is not who says so."""
    text = "chain,height,arrival_time,hash\n" + "".join(f"XMR,{k},{FIRST_S + k},{k:x}\n" for k in range(200))
    with pytest.raises(BadClock, match="the column clock_source has 200 different values, and should name who says so"):
        read_blocks(written(tmp_path, text), columns=parse_columns("clock_source=hash"))


def test_a_device_without_end() -> None:
    """Refused at its first bytes."""
    with pytest.raises(BadClock, match="is neither text nor Parquet"):
        read_blocks(Path("/dev/zero"))


def test_header_times_near_the_arrival_are_no_zone(tmp_path: Path) -> None:
    """Some minutes either way is what headers are like."""
    rows = "".join(f"XMR,{k},{FIRST_S + 120 * k},{FIRST_S + 120 * k + 700 - 200 * (k % 7)}\n" for k in range(50))
    file = read_blocks(written(tmp_path, "chain,height,arrival_time,header_time\n" + rows))
    assert file.series[0].header_ns[0] == (FIRST_S + 700) * S


def test_header_times_alone(tmp_path: Path) -> None:
    """They are read, and known for what they are."""
    file = read_blocks(written(tmp_path, PLAIN.replace("arrival_time", "header_time")))
    (one,) = file.series
    assert np.all(one.arrival_ns == NO_TIME)
    assert one.header_ns.tolist() == [arrival for _, arrival in THREE]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty; a file of block times has the columns chain, height and arrival_time, or others by --columns"),
        (b" \n\n", "is empty"),
        (b"chain,height,arrival_time\n", "has a header and no rows"),
        (b"a,b\n1,2\n", "there is no column height and no column arrival_time; its columns are a, b; say --columns "
                         "height=NAME,arrival_time=NAME"),
        (b"chain,height\nXMR,1\n", "there is no column arrival_time; its columns are chain, height; say --columns "),
        (b"7,ab,1603311580\n", "the first line is no header, but 7, ab, 1603311580; say which column is which"),
        (b"height,arrival_time\n7,1603311580\n", "there is no column chain; say which it is, for example --chain XMR"),
        (b"chain,height,arrival_time\nXMRR,7,1603311580\n", "'XMRR' is no chain that is known here; did you mean XMR?"),
        (b"chain,height,arrival_time\nXMR,a,1603311580\n", "no row can be understood. .*line 2: height is 'a'"),
        (b"chain,height,arrival_time\nXMR,7\n", "no row can be understood. .*line 2: 2 fields, where 3 or more"),
        (b'chain,height,arrival_time\nXMR,7,"' + b"x" * 200_000, "field larger than field limit .*; is a quotation"),
        ("chain,height\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (b"MZ\x90\0\3\0\0\0", "is neither text nor Parquet"),
        (b"a\x1b[2J,b\n1,2\n", r"its columns are a\\x1b\[2J, b; "),
        (b"PAR1 and then nothing", "is a damaged Parquet file"),
        (b"\x1f\x8b" + b"\0" * 50, "is empty"),
        (gzip.compress(b"\0" * 10**7), "is neither text nor Parquet"),
    ],
)  # fmt: skip
def test_files_that_are_no_clock(tmp_path: Path, data: bytes, message: str) -> None:
    """Each says what came, and what would be right."""
    with pytest.raises(BadClock, match=message):
        read_blocks(written(tmp_path, data))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, or a folder: a fault of another kind, because nothing is wrong with the content."""
    for path in (tmp_path / "missing.csv", tmp_path, Path("a\0b")):
        with pytest.raises(UnreadableInput, match="cannot be read: "):
            read_blocks(path)


def test_an_option_against_the_column(tmp_path: Path) -> None:
    """Both cannot be right."""
    with pytest.raises(BadClock, match="the column chain says 'XMR', and --chain says BTC; leave --chain out"):
        read_blocks(written(tmp_path, PLAIN), chain="BTC")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("height", "'height' is no NAME=COLUMN"),
        ("height=", "'height=' is no NAME=COLUMN"),
        ("", "'' is no NAME=COLUMN"),
        ("hight=1", "'hight' is no column of ours; known are chain, height, "),
        ("height=1,height=2", "height is given twice"),
    ],
)
def test_mappings_that_are_none(text: str, message: str) -> None:
    """The mistake is named."""
    with pytest.raises(BadClock, match=message):
        parse_columns(text)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("height=blk", "there is no column 'blk'; its columns are chain, height, arrival_time"),
        ("height=4,arrival_time=3", "height=4 is no column; the file has 3, counted from 1"),
        ("height=0,arrival_time=3", "height=0 is no column"),
        ("height=2", "--columns needs height and arrival_time"),
    ],
)
def test_mappings_that_do_not_fit_the_file(tmp_path: Path, mapping: str, message: str) -> None:
    """The columns that there are, are listed."""
    with pytest.raises(BadClock, match=message):
        read_blocks(written(tmp_path, PLAIN), columns=parse_columns(mapping))


def test_a_compressed_file_that_ends_early(tmp_path: Path) -> None:
    """What came before is used, but not the line that may have lost its end."""
    text = "chain,height,arrival_time\n" + "".join(f"XMR,{k},{FIRST_S + 97 * k}\n" for k in range(5000))
    whole = gzip.compress(text.encode())
    file = read_blocks(written(tmp_path, whole[: len(whole) // 2], "cut.csv.gz"))
    heights = [height for height, _ in arrivals(file)]
    assert heights == list(range(len(heights)))
    assert 1000 < len(heights) < 5000
    assert all(arrival == (FIRST_S + 97 * height) * S for height, arrival in arrivals(file))
    assert "compressed data is damaged or ends early" in file.remarks[0]


@pytest.mark.parametrize(
    "times",
    [
        pl.Series([FIRST_S, FIRST_S + 53], dtype=pl.UInt32),
        pl.Series([float(FIRST_S), FIRST_S + 53.0]),
        pl.Series([str(FIRST_S), str(FIRST_S + 53)]),
        pl.Series([datetime.fromtimestamp(FIRST_S + k, UTC) for k in (0, 53)], dtype=pl.Datetime("ms", "UTC")),
        pl.Series([datetime.fromtimestamp(FIRST_S + k, UTC) for k in (0, 53)], dtype=pl.Datetime("us", "UTC")).dt
        .convert_time_zone("Asia/Almaty"),
        pl.Series([FIRST_S * S, (FIRST_S + 53) * S]).cast(pl.Datetime("ns", "UTC")),
    ],
    ids=["uint32", "float", "text", "ms", "zone", "ns"],
)  # fmt: skip
def test_parquet_of_any_type(tmp_path: Path, times: pl.Series) -> None:
    """Numbers, texts and timestamps."""
    path = tmp_path / "blocks.parquet"
    pl.DataFrame({"blk": [7, 8], "ts": times, "more": [[1], [2]]}).write_parquet(path)
    file = read_blocks(path, columns=parse_columns("height=blk,arrival_time=ts"), chain="XMR")
    assert arrivals(file) == THREE[:2]
    assert file.remarks == ()


def test_parquet_rows_that_cannot_be_understood(tmp_path: Path) -> None:
    """Named by row, because there are no lines."""
    path = tmp_path / "blocks.parquet"
    times = [datetime(2020, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), None]
    pl.DataFrame(
        {"height": [1, 2, 3, 4], "arrival_time": pl.Series(times, dtype=pl.Datetime("us", "UTC"))}
    ).write_parquet(path)
    file = read_blocks(path, chain="XMR")
    assert [height for height, _ in arrivals(file)] == [1]
    assert [remark.split(": ")[0] for remark in file.remarks] == [f"{path}, row {row}" for row in (2, 3, 4)]


def test_parquet_of_the_wrong_type(tmp_path: Path) -> None:
    """A list is no time, and a date is none either."""
    path = tmp_path / "blocks.parquet"
    pl.DataFrame({"height": [1], "arrival_time": [[5]]}).write_parquet(path)
    with pytest.raises(BadClock, match="no row can be understood"):
        read_blocks(path, chain="XMR")


# Texts that look like something: most random bytes never get past the header.
CELLS = st.sampled_from([
    "XMR", "BTC", "", "7", "8", "9", "-1", "1e5", "1603311580", "1603311580.5", "1603311580000", "2020-10-21 20:19:40",
    "2020-10-21T20:19:40+02:00", "nan", "inf", "9" * 30, '"', '"a', "#", "\0", "é", "chain", "height", "arrival_time",
    "header_time", "clock_source", "\u2028", "0x1f",
])  # fmt: skip
TABLES = st.lists(st.lists(CELLS, max_size=6), max_size=8)


@given(TABLES, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_bad_tables_raise_nothing_else(
    tmp_path: Path, table: list[list[str]], separator: str, end: str, header: bool
) -> None:
    """A clock, or our own error: nothing is lost, each row is in a series or counted."""
    rows = [["chain", "height", "arrival_time", "header_time"], *table] if header else table
    data = end.join(separator.join(row) for row in rows).encode()
    for columns in (None, {"height": "1", "arrival_time": "2", "chain": "3"}):
        try:
            file = read_blocks(written(tmp_path, data), columns=columns)
        except HeadframeError:
            continue
        else:
            assert file.rows >= file.not_understood
            assert sum(len(one.heights) for one in file.series) <= file.rows - file.not_understood


@given(st.binary(max_size=300), st.sampled_from([b"", b"PAR1", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00"]))
def test_any_bytes_raise_nothing_else(tmp_path: Path, data: bytes, head: bytes) -> None:
    """With the first bytes of each known form, too."""
    with pytest.raises(HeadframeError):
        read_blocks(written(tmp_path, head + data), chain="XMR")


@given(st.data())
def test_damaged_parquet_raises_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    """One byte changed anywhere, or the end cut off: read as far as it goes, or refused."""
    stream = io.BytesIO()
    pl.DataFrame(
        {"chain": ["XMR"] * 50, "height": range(50), "arrival_time": range(FIRST_S, FIRST_S + 50)}
    ).write_parquet(stream)
    whole = bytearray(stream.getvalue())
    place = data.draw(st.integers(4, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    end = data.draw(st.integers(len(whole) // 2, len(whole)))
    try:
        file = read_blocks(written(tmp_path, bytes(whole[:end]), "x.parquet"))
    except HeadframeError:
        return
    assert sum(len(one.heights) for one in file.series) + file.not_understood <= file.rows


ROWS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 10**6)), min_size=1, max_size=20
)  # heights, seconds after the first


@given(ROWS)
def test_the_fast_and_the_slow_reader_agree(tmp_path: Path, rows: list[tuple[int, int]]) -> None:
    """A row with a flaw at the end brings the slow reader in; the other rows come out alike."""
    text = "chain,height,arrival_time\n" + "".join(f"XMR,{height},{FIRST_S + after}\n" for height, after in rows)
    fast = read_blocks(written(tmp_path, text))
    slow = read_blocks(written(tmp_path, text + "XMR,,\n"))
    assert slow.not_understood == 1
    assert arrivals(fast) == arrivals(slow)
    earliest: dict[int, int] = {}
    for height, after in rows:
        earliest[height] = min(after, earliest.get(height, after))
    assert arrivals(fast) == [(height, (FIRST_S + after) * S) for height, after in sorted(earliest.items())]


def test_clocks_of_several_files(tmp_path: Path) -> None:
    """One per chain; the remarks of the files and of the clocks together."""
    text = "chain,height,arrival_time\n"
    first = written(tmp_path, text + "".join(f"XMR,{k},{FIRST_S + 120 * k}\n" for k in range(10)), "a.csv")
    second = written(tmp_path, text + "".join(f"BTC,{k},{FIRST_S + 600 * k}\n" for k in range(10)), "b.csv")
    clocks, remarks = clocks_of_files([first, second])
    assert {symbol: len(made.clock.arrival_ns) for symbol, made in clocks.items()} == {"XMR": 8, "BTC": 8}
    assert remarks == []


def test_a_million_rows_in_about_a_second(tmp_path: Path) -> None:
    """Printed; the limit is generous, because other tests may be running."""
    heights = np.arange(1_000_000)
    times = FIRST_S - 60_000_000 + heights * 120
    table = pl.DataFrame({"chain": ["XMR"] * len(heights), "height": heights, "arrival_time": times})
    table = table.with_columns(pl.lit("monerod").alias("clock_source"))
    path = tmp_path / "large.csv"
    table.write_csv(path)
    read_blocks(written(tmp_path, PLAIN))  # Polars is loaded
    started = time.perf_counter()
    file = read_blocks(path)
    seconds = time.perf_counter() - started
    print(f"1,000,000 rows in {seconds:.2f} s")
    assert len(file.series[0].heights) == 1_000_000
    assert seconds < 5


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "mapping", "chain", "rows", "blocks", "resolution_ns"),
    [
        ("clock_xmr_pool.csv", None, None, 8014, 8014, S),
        ("clock_xmr_node_2020.csv.gz", None, None, 54408, 54408, S),
        ("clock_btc_node_2023.csv.gz", None, None, 42628, 42617, S),
        ("btc_arrival_offing-gcp.csv.gz", "height=1,arrival_time=3", "BTC", 10927, 10927, S),
        ("btc_arrival_vostrnad_node1.csv.gz", "height=1,arrival_time=3", "BTC", 40107, 40087, S),
        ("xmr_block_times_from_pool_jobs.csv", "height=job_height,arrival_time=template_ts_unix", "XMR", 8014, 8014, S),
        ("xmr_block_times_from_pool_jobs.csv", "height=job_height,arrival_time=first_packet_ts_corrected", "XMR", 8014,
         8014, 1_000_000),
    ],
)  # fmt: skip
def test_real_files(
    shared_data: Path, name: str, mapping: str | None, chain: str | None, rows: int, blocks: int, resolution_ns: int
) -> None:
    """Counts as ``wc -l`` and ``sort -u`` give them; what the file calls milliseconds are whole seconds."""
    path = shared_data / "network" / "blocks" / name
    file = read_blocks(path, columns=parse_columns(mapping) if mapping else None, chain=chain)
    (one,) = file.series
    assert (file.rows, len(one.heights), file.not_understood) == (rows, blocks, 0)
    assert one.resolution_ns == resolution_ns


def test_zone_of_a_datetime_is_obeyed() -> None:
    """A guard on the test above: the two instants that it writes in two zones are one."""
    there = timezone(timedelta(hours=2))
    assert datetime(2020, 10, 21, 22, 19, 40, tzinfo=there).timestamp() == FIRST_S
