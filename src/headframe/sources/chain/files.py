"""Block times from CSV and Parquet files, as they are.

Columns, in any order; others are passed over, and other names are understood by a mapping:

| column | meaning | empty or missing means |
|---|---|---|
| ``chain`` | ticker symbol | that of the call, else an error |
| ``height`` | number of the block | not allowed |
| ``arrival_time`` | when the source heard of it | not known: ``header_time`` must be there |
| ``header_time`` | what its header says | not known |
| ``clock_source`` | who says so | ``file NAME`` |

Times are numbers (seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by the size of the whole
column, not row by row) or ISO 8601 with or without a zone. A file without a header is read with a mapping to column
numbers, counted from 1. gzip, zstd and xz are unpacked; the separator may be a comma, a semicolon, a tab or a bar; a
byte order mark, Windows line ends and lines that begin with ``#`` do no harm.

A file without a flaw is read by Polars as a whole. Where any row cannot be understood, the file is cut into rows once
more, by a slower reader that knows the number of each line, so that the remark can name it.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headframe.errors import UnreadableInput
from headframe.sources.chain.chains import chain_of
from headframe.sources.chain.reconcile import Reconciled, reconcile
from headframe.sources.chain.series import NO_TIME, NS_PER_S, BadClock, BlockSeries, earliest_of_each_height, step_ns
from headframe.sources.network.container import STREAM_PIECE, StreamedBytes

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("chain", "height", "arrival_time", "header_time", "clock_source")
_TIMES = ("arrival_time", "header_time")

EARLIEST_NS = 1_230_768_000 * NS_PER_S
"""2009-01-01: Bitcoin's first block, the first of all that were mined, says 2009-01-03 18:15:05. [ns]"""
LATEST_NS = 4_102_444_800 * NS_PER_S
"""2100-01-01: a later time is no time. [ns]"""
MOST_HEIGHT = 10**12
"""Kaspa's count of blocks grows fastest, by ten a second: it takes three thousand years to get here."""
MOST_BYTES = 4 << 30
"""No table of blocks is larger when unpacked: a hundred million rows. A file that unpacks without end is."""
MOST_CHAINS = 1_000
"""More different values than this in a column are no ticker symbols."""
MOST_SOURCES = 100
"""More different values than this say nothing of who heard of a block: somebody took the wrong column."""
ROWS_NAMED = 10
"""So many rows that cannot be understood are named one by one; the others are counted."""
LEFT_OUT = "-"
"""In a mapping: the file has such a column, but it is not to be read."""
ZONE_STEP_S = 1800
"""Time zones differ by whole hours, some by half hours. [s]"""
ZONE_MATCH_S = 300
"""The median difference of arrival and header times lies within this of a multiple of `ZONE_STEP_S` where a zone is
wrong: headers are made up to some minutes before the block is found, and seldom off by more on average. [s]"""

_TAKES = "a file of block times has the columns chain, height and arrival_time, or others by --columns height=NAME,..."
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00")
_PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFile:
    """What a file of block times holds.

    Attributes
    ----------
    path : Path
    series : tuple of BlockSeries
        One per chain and source.
    rows : int
        Rows that the file has, without its header.
    not_understood : int
        Rows among them that are in no series, because they cannot be understood.
    remarks : tuple of str
        What to know: rows that cannot be understood by number, duplicates, disorder, reorganisations, zones.
    """

    path: Path
    series: tuple[BlockSeries, ...]
    rows: int
    not_understood: int
    remarks: tuple[str, ...]


@dataclass(slots=True)
class _Rows:
    """Columns that are wanted, as texts or as they came from Parquet; `lines` are their places in the file."""

    columns: "dict[str, pl.Series]"
    count: int
    lines: NDArray[np.int64] | None
    word: str = "line"
    short: list[tuple[int, str]] = field(default_factory=list)


def parse_columns(text: str) -> dict[str, str]:
    """A mapping of columns as it is written on the command line.

    Parameters
    ----------
    text : str
        ``height=blk,arrival_time=ts``; numbers count columns from 1; ``header_time=-`` leaves a column out.

    Returns
    -------
    dict of str to str

    Raises
    ------
    BadClock
        If a part is no ``name=column``, a name is not known, or comes twice.

    Examples
    --------
    >>> parse_columns("height=1,arrival_time=3")
    {'height': '1', 'arrival_time': '3'}
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, column = part.partition("=")
        name, column = name.strip().lower(), column.strip()
        if not equals or not column:
            raise BadClock(
                f"--columns: {part.strip()[:60]!r} is no NAME=COLUMN; write --columns height=blk,arrival_time=ts, "
                "or numbers from 1 where the file has no header"
            )
        if name not in COLUMNS:
            raise BadClock(f"--columns: {name[:60]!r} is no column of ours; known are {', '.join(COLUMNS)}")
        if name in found:
            raise BadClock(f"--columns: {name} is given twice; give it once")
        found[name] = column
    return found


def read_blocks(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    chain: str | None = None,
    source: str | None = None,
    utc_offset_s: int = 0,
) -> BlockFile:
    """Block times of a CSV or Parquet file; the module says what it may look like.

    Parameters
    ----------
    path : Path
        Told by its first bytes, not by its name. May be a pipe.
    columns : mapping of str to str, optional
        Our column to the file's; numbers count from 1 where the file has no header; ``-`` leaves a column out.
    chain : str, optional
        Chain of a file that has no such column.
    source : str, optional
        Who says so, instead of what the file says.
    utc_offset_s : int
        What the clock that wrote down `arrival_time` is ahead of UTC: 28,800 in Shanghai. Times that name their zone
        are left alone, and so are header times, which are UTC on every chain. [s]

    Returns
    -------
    BlockFile

    Raises
    ------
    UnreadableInput
        If the file is missing or may not be read.
    BadClock
        If it has no row that can be understood, lacks a column, names an unknown chain, or its arrival and header
        times are whole hours apart.
    """
    remarks: list[str] = []
    symbol = chain_of(chain).symbol if chain is not None else None
    data = _bytes_of(path, remarks)
    if data.startswith(_PARQUET):
        rows = _parquet_rows(path, data, columns or {})
    else:
        rows = _text_rows(path, data, columns or {})
    return _block_file(path, rows, data, columns or {}, symbol, source, utc_offset_s, remarks)


def clocks_of_files(
    paths: Iterable[Path],
    *,
    columns: Mapping[str, str] | None = None,
    chain: str | None = None,
    header_time: bool = False,
) -> tuple[dict[str, Reconciled], list[str]]:
    """One clock per chain out of many files: what ``headframe scan --clock FILE`` needs.

    Parameters
    ----------
    paths : iterable of Path
        As `read_blocks` takes them; each is a source of its own unless it says otherwise.
    columns, chain
        As in `read_blocks`, for all of them.
    header_time : bool
        As in `reconcile`.

    Returns
    -------
    clocks : dict of str to Reconciled
        By ticker symbol, in the order in which they first came.
    remarks : list of str
        Those of the files, then those of the clocks.

    Raises
    ------
    UnreadableInput, BadClock
        As `read_blocks` and `reconcile` do.
    """
    series: dict[str, list[BlockSeries]] = {}
    remarks: list[str] = []
    for path in paths:
        file = read_blocks(path, columns=columns, chain=chain)
        remarks += file.remarks
        for one in file.series:
            series.setdefault(one.chain, []).append(one)
    clocks = {symbol: reconcile(of_chain, header_time=header_time) for symbol, of_chain in series.items()}
    remarks += [f"{symbol}: {remark}" for symbol, made in clocks.items() for remark in made.remarks]
    return clocks, remarks


def _block_file(
    path: Path,
    rows: _Rows,
    data: bytes,
    columns: Mapping[str, str],
    symbol: str | None,
    source: str | None,
    utc_offset_s: int,
    remarks: list[str],
) -> BlockFile:
    if not rows.count:
        raise BadClock(f"{path} has a header and no rows; {_TAKES}")
    heights, bad = _heights(rows.columns["height"])
    faults = {"height": bad}
    times: dict[str, NDArray[np.int64]] = {}
    for name in _TIMES:
        times[name] = np.full(rows.count, NO_TIME, dtype=np.int64)
        if name in rows.columns:
            offset_s = utc_offset_s if name == "arrival_time" else 0
            times[name], faults[name], zoneless = _times(rows.columns[name], offset_s)
            if zoneless and not offset_s:
                remarks.append(f"{path}: {name} names no time zone; read as UTC")
    nothing = (times["arrival_time"] == NO_TIME) & (times["header_time"] == NO_TIME)
    for name in _TIMES:
        nothing &= ~faults.get(name, np.zeros(rows.count, dtype=bool))
    faults["no time"] = nothing
    symbols, faults["chain"] = _symbols(path, rows, symbol)
    wrong = np.logical_or.reduce(list(faults.values()))
    if (wrong.any() or rows.short) and rows.lines is None and rows.word == "line":
        return _block_file(
            path, _rows_one_by_one(path, data, columns), data, columns, symbol, source, utc_offset_s, remarks
        )
    wrong_count = int(wrong.sum()) + len(rows.short)
    if wrong_count:
        named = _name_wrong_rows(path, rows, faults, wrong)
        if bool(wrong.all()):
            raise BadClock(f"{path}: no row can be understood. {named[0]}. {_TAKES[0].upper()}{_TAKES[1:]}")
        remarks += named
        if wrong_count > ROWS_NAMED:
            remarks.append(f"{path}: {wrong_count:,} of {rows.count + len(rows.short):,} rows cannot be understood")
    right = np.flatnonzero(~wrong)
    sources = _sources(path, rows) if source is None else None
    series = []
    for (name, who), places in _groups(right, symbols, sources, source or f"file {path.name}").items():
        arrival_ns, header_ns = (times[column][places] for column in _TIMES)
        series.append(_series(path, name, who, heights[places], arrival_ns, header_ns, remarks))
    _check_zone(path, series)
    return BlockFile(
        path=path,
        series=tuple(series),
        rows=rows.count + len(rows.short),
        not_understood=wrong_count,
        remarks=tuple(remarks),
    )


def _series(
    path: Path,
    symbol: str,
    source: str,
    heights: NDArray[np.int64],
    arrival_ns: NDArray[np.int64],
    header_ns: NDArray[np.int64],
    remarks: list[str],
) -> BlockSeries:
    where = f"{path}: {symbol}"
    if np.any(heights[1:] < heights[:-1]):
        remarks.append(f"{where}: the rows are not in order of height; sorted")
    kept = earliest_of_each_height(heights, arrival_ns, header_ns)
    if len(kept) < len(heights):
        order = np.lexsort((header_ns, arrival_ns, heights))
        same_height = heights[order][1:] == heights[order][:-1]
        same = same_height & (arrival_ns[order][1:] == arrival_ns[order][:-1])
        same &= header_ns[order][1:] == header_ns[order][:-1]
        other = same_height & ~same
        if same.any():
            remarks.append(f"{where}: {int(same.sum()):,} rows say the same as another; taken once")
        if other.any():
            remarks.append(
                f"{where}: {int(other.sum()):,} rows give another time for a height that was there before (a "
                f"reorganisation), {heights[order][1:][other][0]} for one; the earliest is kept"
            )
    heights, arrival_ns, header_ns = heights[kept], arrival_ns[kept], header_ns[kept]
    jumps = int(np.count_nonzero(np.diff(heights) != 1))
    if jumps:
        lacking = int(heights[-1] - heights[0] + 1 - len(heights))
        remarks.append(f"{where}: {lacking:,} heights are missing, in {jumps:,} places")
    known = arrival_ns if np.any(arrival_ns != NO_TIME) else header_ns
    return BlockSeries(
        chain=symbol,
        clock_source=source,
        heights=heights,
        arrival_ns=arrival_ns,
        header_ns=header_ns,
        resolution_ns=step_ns(known),
    )


def _check_zone(path: Path, series: Sequence[BlockSeries]) -> None:
    """Arrival and header times of a block are minutes apart; whole hours on average are a time zone."""
    for one in series:
        both = (one.arrival_ns != NO_TIME) & (one.header_ns != NO_TIME)
        if not both.any():
            continue
        apart_s = float(np.median((one.arrival_ns[both] - one.header_ns[both]) / NS_PER_S))
        steps = round(apart_s / ZONE_STEP_S)
        if steps and abs(steps) <= 28 and abs(apart_s - steps * ZONE_STEP_S) <= ZONE_MATCH_S:
            hours = steps * ZONE_STEP_S / 3600
            raise BadClock(
                f"{path}: {one.chain}: arrival_time is {abs(hours):g} h {'ahead of' if hours > 0 else 'behind'} "
                "header_time on average: one of them is in another time zone. If it is arrival_time, give "
                f"--utc-offset {hours:+g}; else leave header_time out: --columns header_time=-"
            )


def _groups(
    places: NDArray[np.int64], symbols: "pl.Series", sources: "pl.Series | None", default: str
) -> dict[tuple[str, str], NDArray[np.int64]]:
    """Rows by chain and source, in the order in which they first come."""
    import polars as pl

    table = pl.DataFrame({"chain": symbols, "source": default if sources is None else sources}).with_columns(
        pl.when(pl.col("source") == "").then(pl.lit(default)).otherwise(pl.col("source")).alias("source"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("place"),
    )
    table = table[places]
    found: dict[tuple[str, str], NDArray[np.int64]] = {}
    for (chain, source), part in table.group_by("chain", "source", maintain_order=True):
        found[str(chain), str(source)] = part.get_column("place").to_numpy()
    return found


def _name_wrong_rows(
    path: Path, rows: _Rows, faults: Mapping[str, NDArray[np.bool_]], wrong: NDArray[np.bool_]
) -> list[str]:
    """A sentence on each of the first rows that cannot be understood."""
    meant = {
        "height": "expected a whole number",
        "chain": "expected a ticker symbol, or --chain",
        "arrival_time": "expected seconds since 1970 or ISO 8601, from 2009 to 2099",
        "header_time": "expected seconds since 1970 or ISO 8601, from 2009 to 2099",
    }
    said: list[tuple[int, str]] = list(rows.short[:ROWS_NAMED])
    for place in np.flatnonzero(wrong)[:ROWS_NAMED].tolist():
        fault = next(name for name, mask in faults.items() if mask[place])
        line = int(rows.lines[place]) if rows.lines is not None else place + 1
        if fault == "no time":
            said.append((line, "there is no time"))
        else:
            value = rows.columns[fault][place] if fault in rows.columns else None
            said.append((line, f"{fault} is {str('' if value is None else value)[:40]!r}; {meant[fault]}"))
    return [f"{path}, {rows.word} {line}: {text}" for line, text in sorted(said)[:ROWS_NAMED]]


# --- bytes and rows ---------------------------------------------------------------------------------------------------


def _bytes_of(path: Path, remarks: list[str]) -> bytes:
    """All bytes of a file, unpacked, without a byte order mark."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
            if head.startswith(_COMPRESSED):
                unpacked = StreamedBytes(str(path), file, None, head)
                data = _all_pieces(path, unpacked.read, b"")
                if unpacked.fault is not None:
                    # The last line may have lost its end: half a number is another number.
                    data = data[: data.rfind(b"\n") + 1]
                    used = f"the {data.count(10):,} lines before that are used"
                    remarks.append(f"{path}: {unpacked.fault}; {used}")
            else:
                data = _all_pieces(path, file.read, head)
    except BadClock:
        raise
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise UnreadableInput(f"{path}: cannot be read: {reason}; give a CSV or Parquet file") from fault
    if not data.strip():
        raise BadClock(f"{path} is empty; {_TAKES}")
    return data.removeprefix(b"\xef\xbb\xbf")


def _all_pieces(path: Path, read: Callable[[int], bytes], head: bytes) -> bytes:
    """What is no table is refused at its first bytes: a device or a bomb may go on for ever."""
    _refuse_what_is_no_table(path, head)
    pieces = [head]
    length = len(head)
    while piece := read(STREAM_PIECE):
        pieces.append(piece)
        length += len(piece)
        if len(pieces) == 2:
            _refuse_what_is_no_table(path, head + piece[:65_536])
        if length > MOST_BYTES:
            raise BadClock(f"{path} gives more than {MOST_BYTES >> 30} GiB; no table of blocks is that large")
    return b"".join(pieces)


def _refuse_what_is_no_table(path: Path, head: bytes) -> None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadClock(f"{path} is UTF-16; save it as UTF-8")
    if not head.startswith(_PARQUET) and b"\0" in head:
        raise BadClock(f"{path} is neither text nor Parquet; {_TAKES}")


def _text_rows(path: Path, data: bytes, columns: Mapping[str, str]) -> _Rows:
    """The rows of a text, all at once; `lines` is None, because nobody counted them."""
    import polars as pl

    first, start = _first_line(data)
    separator = _separator(first)
    header = _split(first, separator)
    places, has_header = _places(path, header, columns)
    try:
        table = pl.read_csv(
            io.BytesIO(data[start:]),
            has_header=False,
            skip_rows=1 if has_header else 0,
            separator=separator,
            columns=sorted(set(places.values())),
            infer_schema=False,
            comment_prefix="#",
        )
    except _polars_faults():
        return _rows_one_by_one(path, data, columns)
    if b'"' in data and len(table) != data.count(b"\n", start) - has_header + (not data.endswith(b"\n")):
        # A quotation mark that was left open swallows lines, and may do so in a column that nobody wants.
        return _rows_one_by_one(path, data, columns)
    names = {place: table.columns[k] for k, place in enumerate(sorted(set(places.values())))}
    wanted = {name: table[names[place]] for name, place in places.items()}
    if not len(table) and data[start:].count(b"\r"):
        return _rows_one_by_one(path, data, columns)  # the line ends of old Macs
    return _Rows(columns=wanted, count=len(table), lines=None)


def _rows_one_by_one(path: Path, data: bytes, columns: Mapping[str, str]) -> _Rows:
    """The same with the number of each line, for a file with a flaw; linear, but some ten times slower."""
    import polars as pl

    first, start = _first_line(data)
    before = data[:start].count(b"\n")
    separator = _separator(first)
    places, has_header = _places(path, _split(first, separator), columns)
    reader = csv.reader(io.StringIO(data[start:].decode("utf-8", errors="replace"), newline=""), delimiter=separator)
    most = max(places.values())
    cells: dict[str, list[str]] = {name: [] for name in places}
    lines: list[int] = []
    short: list[tuple[int, str]] = []
    last = 0
    try:
        for number, row in enumerate(reader):
            line, spanned, last = before + last + 1, reader.line_num - last, reader.line_num
            if (has_header and number == 0) or not any(row) or row[0].startswith("#"):
                continue
            if spanned > 1:
                short.append((line, f"this row goes on over {spanned:,} lines; is a quotation mark left open?"))
                continue
            if len(row) <= most:
                short.append((line, f"{len(row)} fields, where {most + 1} or more were expected"))
                continue
            lines.append(line)
            for name, place in places.items():
                cells[name].append(row[place])
    except csv.Error as fault:
        raise BadClock(
            f"{path}, line {before + reader.line_num}: {fault}; is a quotation mark left open, or is this no CSV?"
        ) from fault
    if not lines and short:
        raise BadClock(f"{path}: no row can be understood. {path}, line {short[0][0]}: {short[0][1]}")
    return _Rows(
        columns={name: pl.Series(name, values, dtype=pl.String) for name, values in cells.items()},
        count=len(lines),
        lines=np.array(lines, dtype=np.int64),
        short=short,
    )


def _first_line(data: bytes) -> tuple[str, int]:
    """The first line that is neither empty nor a comment, and where it begins."""
    start = 0
    while start < len(data):
        found = re.compile(rb"[^\r\n]*").match(data, start)
        line = found.group() if found else b""
        if line.strip() and not line.startswith(b"#"):
            return line[:65_536].decode("utf-8", errors="replace"), start
        start += len(line) + 1
    return "", len(data)


def _separator(line: str) -> str:
    return max(",;\t|", key=line.count)


def _split(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return [cell.strip() for cell in line.split(separator)]


def _places(path: Path, header: list[str], columns: Mapping[str, str]) -> tuple[dict[str, int], bool]:
    """Place of each of our columns in the file, from 0, and whether the first line is a header."""
    numbers = {name: column for name, column in columns.items() if column != LEFT_OUT}
    if numbers and all(column.isascii() and column.isdigit() for column in numbers.values()):
        if not set(numbers.values()) <= set(header):
            return _places_by_number(path, header, numbers)
    names = {cell.lower(): place for place, cell in reversed(list(enumerate(header)))}
    looks_like_data = any(re.fullmatch(r"[+-]?\d+(\.\d*)?([eE]\d+)?", cell) for cell in header)
    shown = _shown(header)
    places: dict[str, int] = {}
    for name in COLUMNS:
        column = columns.get(name, name)
        if column == LEFT_OUT:
            continue
        place = names.get(column.lower())
        if place is None and name in columns:
            raise BadClock(f"{path}: there is no column {column[:40]!r}; its columns are {shown}")
        if place is not None:
            places[name] = place
    lacking = [] if "height" in places else ["height"]
    if not {"arrival_time", "header_time"} & set(places):
        lacking.append("arrival_time")
    if not lacking:
        return places, True
    if looks_like_data:
        raise BadClock(
            f"{path}: the first line is no header, but {shown}; say which column is which, counted from 1: "
            "--columns height=1,arrival_time=2"
        )
    needed = ",".join(f"{name}=NAME" for name in lacking)
    raise BadClock(
        f"{path}: there is no column {' and no column '.join(lacking)}; its columns are {shown}; say --columns {needed}"
    )


def _shown(header: Sequence[str]) -> str:
    """Columns as they are named in messages: whoever wrote the file chose the names, escape sequences among them."""
    names = [repr(cell[:30])[1:-1] for cell in header[:12]]
    return ", ".join(names) + (f" and {len(header) - 12:,} more" if len(header) > 12 else "")


def _places_by_number(path: Path, header: list[str], columns: Mapping[str, str]) -> tuple[dict[str, int], bool]:
    places = {name: int(number[:9]) - 1 for name, number in columns.items()}
    for name, place in places.items():
        if not 0 <= place < len(header):
            raise BadClock(
                f"{path}: {name}={place + 1} is no column; the file has {len(header)}, counted from 1: {_shown(header)}"
            )
    if "height" not in places or not {"arrival_time", "header_time"} & set(places):
        raise BadClock(
            f"{path}: --columns needs height and arrival_time (or header_time), for example height=1,arrival_time=3"
        )
    return places, not re.fullmatch(r"\d+(\.0*)?", header[places["height"]])


def _parquet_rows(path: Path, data: bytes, columns: Mapping[str, str]) -> _Rows:
    import polars as pl

    try:
        header = list(pl.read_parquet_schema(io.BytesIO(data)))
        places, _ = _places(path, header, columns)
        table = pl.read_parquet(io.BytesIO(data), columns=[header[place] for place in sorted(set(places.values()))])
    except _polars_faults() as fault:
        raise BadClock(f"{path} is a damaged Parquet file: {_short(fault)}; make it again, or give CSV") from fault
    return _Rows(
        columns={name: table[header[place]] for name, place in places.items()},
        count=len(table),
        lines=None,
        word="row",
    )


def _polars_faults() -> tuple[type[BaseException], ...]:
    """What Polars raises on bad input; a panic of its Rust part is no `Exception`."""
    import polars as pl

    return (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)


def _short(fault: BaseException) -> str:
    return " ".join(str(fault).split())[:120]


# --- columns ----------------------------------------------------------------------------------------------------------


def _texts(column: "pl.Series") -> "pl.Series":
    import polars as pl

    return column.cast(pl.String, strict=False).str.strip_chars().fill_null("")


def _sources(path: Path, rows: _Rows) -> "pl.Series | None":
    """Who says so, row by row; None where the file does not tell."""
    if "clock_source" not in rows.columns:
        return None
    column = _texts(rows.columns["clock_source"])
    if (different := column.n_unique()) > MOST_SOURCES:
        raise BadClock(
            f"{path}: the column clock_source has {different:,} different values, and should name who says so; leave "
            "it out: --columns clock_source=-, or give one name for all: --source NAME"
        )
    return column


def _symbols(path: Path, rows: _Rows, symbol: str | None) -> "tuple[pl.Series, NDArray[np.bool_]]":
    """Chain of each row, and where there is none."""
    import polars as pl

    if "chain" not in rows.columns:
        if symbol is None:
            raise BadClock(f"{path}: there is no column chain; say which it is, for example --chain XMR")
        return pl.repeat(symbol, rows.count, dtype=pl.String, eager=True), np.zeros(rows.count, dtype=bool)
    column = _texts(rows.columns["chain"])
    written = column.unique()
    if len(written) > MOST_CHAINS:
        raise BadClock(
            f"{path}: the column chain has {len(written):,} different values, {written[0][:20]!r} for one; it should "
            "have ticker symbols, such as XMR"
        )
    known = {text: chain_of(text).symbol if text else symbol or "" for text in written.to_list()}
    for text, found in known.items():
        if symbol is not None and found != symbol:
            raise BadClock(f"{path}: the column chain says {text[:20]!r}, and --chain says {symbol}; leave --chain out")
    named = column.replace_strict(known, return_dtype=pl.String)
    return named, named.eq("").to_numpy()


def _heights(column: "pl.Series") -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Heights, and where there is none that can be understood."""
    import polars as pl

    if column.dtype == pl.String:
        text = column.str.strip_chars()
        whole = text.cast(pl.Int64, strict=False)
        if whole.null_count():
            # Spreadsheets and pandas write 777616.0 where a cell of the column was empty.
            whole = text.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    elif column.dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        whole = pl.select(pl.when(whole.cast(pl.Float64) == column).then(whole)).to_series()
    elif column.dtype.is_integer():
        whole = column.cast(pl.Int64, strict=False)
    else:
        whole = pl.Series([None] * len(column), dtype=pl.Int64)
    bad = (whole.is_null() | (whole < 0) | (whole > MOST_HEIGHT)).fill_null(True).to_numpy()
    return whole.fill_null(0).to_numpy().copy(), bad


def _times(column: "pl.Series", utc_offset_s: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], bool]:
    """Times of a column [ns], where one is there that cannot be understood, and whether some name no zone."""
    import polars as pl

    shift: NDArray[np.bool_] | bool = True  # whether the offset is to be taken away
    zoneless = False
    if isinstance(column.dtype, pl.Datetime):
        shift = zoneless = column.dtype.time_zone is None
        empty = column.is_null().to_numpy()
        floats = column.cast(pl.Int64).cast(pl.Float64).fill_null(0.0).to_numpy()
        scale = {"ns": 1, "us": 1_000, "ms": 1_000_000}[column.dtype.time_unit]
        # Compared as floats first: a product outside of int64 would wrap into a time that looks right.
        good = (floats * scale >= EARLIEST_NS) & (floats * scale < LATEST_NS)
        found = np.where(good, column.cast(pl.Int64).fill_null(0).to_numpy(), 0) * scale
    elif column.dtype.is_integer() or column.dtype.is_float():
        empty = column.is_null().to_numpy()
        found, good = _from_numbers(column)
    elif column.dtype == pl.String:
        text = column.str.strip_chars()
        empty = (text.is_null() | text.eq("")).to_numpy()
        whole = text.cast(pl.Int64, strict=False)
        filled = int((~empty).sum())
        if len(whole) - whole.null_count() == filled:
            found, good = _from_numbers(whole)
        else:
            numbers = text.cast(pl.Float64, strict=False)
            if 2 * (len(numbers) - numbers.null_count()) >= filled:
                found, good = _from_numbers(numbers)
            else:
                found, good, shift = _from_iso(text)
                zoneless = bool(shift.any())
    else:
        empty = np.zeros(len(column), dtype=bool)
        found, good = np.zeros(len(column), dtype=np.int64), empty
    found = found - np.where(shift, utc_offset_s * NS_PER_S, 0)
    good = good & (found >= EARLIEST_NS) & (found < LATEST_NS)
    return np.where(good, found, NO_TIME), ~good & ~empty, zoneless


def _from_numbers(column: "pl.Series") -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Times that are numbers. Their unit is that of the middle one: it must be one for the column, not for each row."""
    import polars as pl

    floats = column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    finite = np.isfinite(floats)
    if not finite.any():
        return np.zeros(len(floats), dtype=np.int64), finite
    middle = float(np.median(floats[finite]))
    # Seconds of 2009 to 2099 have 10 digits, and each finer unit three more: the borders lie far from all of them.
    scale = NS_PER_S if middle < 1e11 else 1_000_000 if middle < 1e14 else 1_000 if middle < 1e17 else 1
    good = finite & (floats * scale >= EARLIEST_NS - 86_400e9) & (floats * scale < LATEST_NS + 86_400e9)
    if column.dtype.is_integer():
        return np.where(good, column.cast(pl.Int64, strict=False).fill_null(0).to_numpy(), 0) * scale, good
    # A float64 of seconds is exact to 0.24 us in this century: what is finer was never there.
    finest = max(scale // 1_000, 1) if scale > 1 else 1
    held = np.where(good, floats, 0.0)
    if scale == NS_PER_S:
        return np.rint(held * 1e6).astype(np.int64) * 1_000, good
    return np.rint(held * (scale // finest)).astype(np.int64) * finest, good


_ISO = "%Y-%m-%dT%H:%M:%S%.f"


def _from_iso(text: "pl.Series") -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Times in ISO 8601: with T or blanks in the middle; with Z, UTC, GMT, an offset, or no zone, which is told."""
    import polars as pl

    # A year outside of these would leave int64 in nanoseconds.
    text = pl.select(pl.when(text.str.contains(r"^(?:19[7-9]|20)\d")).then(text)).to_series()
    text = text.str.replace(r"^(\d{4}-\d\d-\d\d)\s+", "${1}T").str.replace(r"(?i)\s*(?:z|utc|gmt)$", "+00:00")
    text = text.str.replace(r"\s+([+-]\d\d:?\d\d)$", "${1}").str.replace(r"(T[\d:.]+[+-]\d\d)$", "${1}:00")
    text = text.str.replace(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d)($|[+-])", "${1}:00${2}")
    has_zone = text.str.contains(r"T.*[+-]\d\d:?\d\d$").fill_null(False)
    naive = pl.select(pl.when(~has_zone).then(text)).to_series()
    zoned = pl.select(pl.when(has_zone).then(text)).to_series()
    plain = naive.str.to_datetime(_ISO, time_unit="ns", strict=False).cast(pl.Int64)
    found = plain
    if has_zone.any():
        with_zone = zoned.str.to_datetime(_ISO + "%z", time_unit="ns", strict=False).cast(pl.Int64)
        found = plain.zip_with(plain.is_not_null(), with_zone)
    good = found.is_not_null().to_numpy()
    return found.fill_null(0).to_numpy().copy(), good, plain.is_not_null().to_numpy()
