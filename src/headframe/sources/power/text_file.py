"""Text tables as blocks of whole lines: what separates them, where the header is, and where the rows begin."""

from __future__ import annotations

import contextlib
import csv
import gzip
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headframe.sources.power.options import ReadingOptions

BLOCK_BYTES = 32 << 20
"""So much of a file is read at a time: some million rows. [bytes]"""

_SAMPLE_BYTES = 1 << 18
_LONGEST_LINE = 8 << 20
"""A line longer than this is no line of a table of readings. [bytes]"""


@dataclass(frozen=True, slots=True)
class TextTable:
    """How a text file is laid out.

    Attributes
    ----------
    path : Path
        UTF-8 or a superset of ASCII, uncompressed.
    delimiter, decimal : str
    header : tuple of str
        Names of the columns, made unique; ``column_1`` and so on where the file has none.
    has_header : bool
    header_line : int
        Line of the header, counted from 1; 0 where there is none.
    data_at : int
        Where the first row begins. [bytes]
    quoted : bool
        Whether there are double quotes.
    sample : tuple of tuple of str
        The first rows.
    """

    path: Path
    delimiter: str
    decimal: str
    header: tuple[str, ...]
    has_header: bool
    header_line: int
    data_at: int
    quoted: bool
    sample: tuple[tuple[str, ...], ...]

    def blocks(self, size: int = BLOCK_BYTES) -> Iterator[tuple[bytes, int]]:
        """Whole lines, and the number of the first in the file, counted from 1."""
        line = self.header_line + 1
        with self.path.open("rb") as stream:
            stream.seek(self.data_at)
            rest = b""
            while True:
                piece = stream.read(size)
                if not piece:
                    break
                cut = piece.rfind(b"\n")
                if cut < 0:
                    rest += piece
                    if len(rest) > max(_LONGEST_LINE, size):
                        raise ValueError(f"{self.path.name}: a line of more than {_LONGEST_LINE >> 20} MiB is no row")
                    continue
                block = rest + piece[: cut + 1] if rest else piece[: cut + 1]
                rest = piece[cut + 1 :]
                yield block, line
                line += block.count(b"\n")
            if rest:
                yield rest, line


@contextlib.contextmanager
def plain_text(path: Path) -> Iterator[Path]:
    """A file as uncompressed text in a superset of ASCII: itself, or a copy that is removed afterwards."""
    with path.open("rb") as stream:
        begin = stream.read(4)
    packed = begin[:2] == b"\x1f\x8b" or begin == b"\x28\xb5\x2f\xfd"
    wide = begin[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not packed and not wide:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="headframe-") as folder:
        copy = Path(folder) / path.name
        try:
            with copy.open("wb") as target:
                if begin[:2] == b"\x1f\x8b":
                    with gzip.open(path) as source:
                        shutil.copyfileobj(source, target, 1 << 20)
                elif packed:
                    import zstandard

                    with path.open("rb") as stream:
                        zstandard.ZstdDecompressor(max_window_size=1 << 27).copy_stream(stream, target)
                else:
                    with path.open(encoding="utf-16", newline="", errors="replace") as text:
                        while piece := text.read(1 << 20):
                            target.write(piece.encode())
        except (OSError, EOFError, UnicodeError) as fault:
            raise ValueError(f"{path}: cannot be unpacked: {fault}") from fault
        except Exception as fault:  # zlib.error and ZstdError share no base
            if type(fault).__module__.split(".")[0] not in ("zlib", "zstandard"):
                raise
            raise ValueError(f"{path}: cannot be unpacked: {fault}") from fault
        yield copy


def look_at(path: Path, options: ReadingOptions, names: Sequence[str] = ()) -> TextTable:
    """Layout of a text file, from its beginning.

    Parameters
    ----------
    path : Path
        Plain text.
    options : ReadingOptions
    names : sequence of str
        Columns that are known to be there: the first line with all of them is the header.

    Raises
    ------
    ValueError
        If there is no table in it.
    """
    with path.open("rb") as stream:
        begin = stream.read(_SAMPLE_BYTES)
    mark = 3 if begin.startswith(b"\xef\xbb\xbf") else 0
    if b"\0" in begin:
        raise ValueError(f"{path.name} is neither a text table nor one of the other forms of readings")
    raw = begin[mark:].split(b"\n")
    if len(begin) == _SAMPLE_BYTES and len(raw) > 1:
        raw.pop()  # may be cut
    lines = [line.decode("utf-8", "replace").rstrip("\r") for line in raw[:400]]
    if not any(line.strip() for line in lines):
        raise ValueError(f"{path.name}: there are no rows")
    delimiter = options.delimiter or _delimiter(lines)
    rows = [_fields(line, delimiter) for line in lines]
    filled = [k for k, line in enumerate(lines) if line.strip(f"{delimiter} \t")]
    if not filled:
        raise ValueError(f"{path.name}: there are no rows, only blanks and {delimiter!r}")
    # A title above the table has fewer fields than the table.
    widths = Counter(len(rows[k]) for k in filled)
    width = max(widths, key=lambda w: (widths[w] * (w > 1), w))
    at = next(k for k in filled if len(rows[k]) >= width)
    told = next((k for k in filled if names and {field.strip() for field in rows[k]} >= set(names)), None)
    at = at if told is None else told
    fields = [field.strip() for field in rows[at]]
    has_header = told is not None or not any(_is_datum(field) for field in fields) or _many_times_of_day(fields)
    header: list[str] = []
    for k, field in enumerate(fields):
        name = (field or f"column_{k + 1}") if has_header else f"column_{k + 1}"
        header.append(name if name not in header else f"{name}_{k + 1}")
    first = at + 1 if has_header else at
    data_at = mark + sum(len(line) + 1 for line in raw[:first])
    sample = tuple(tuple(row) for row in rows[first : first + 200] if any(field.strip() for field in row))
    with path.open("rb") as stream:
        quoted = any(b'"' in piece for piece in iter(lambda: stream.read(16 << 20), b""))
    return TextTable(
        path=path,
        delimiter=delimiter,
        decimal=options.decimal or _decimal(sample, delimiter),
        header=tuple(header),
        has_header=has_header,
        header_line=first,
        data_at=data_at,
        quoted=quoted,
        sample=sample,
    )


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _delimiter(lines: list[str]) -> str:
    """The sign that cuts most lines into the same number of fields."""
    best, rank = ",", (0.0, 0)
    some = [line for line in lines if line.strip()][:200]
    for sign in (";", "\t", ",", "|"):
        counts = Counter(len(_fields(line, sign)) for line in some)
        width = max(counts, key=lambda w: (counts[w] * (w > 1), w))
        if width < 2:
            continue
        share = counts[width] / len(some)
        if (round(share, 1), width if sign != "," else min(width, 3)) > rank:
            best, rank = sign, (round(share, 1), width)
    return best


def _decimal(sample: tuple[tuple[str, ...], ...], delimiter: str) -> str:
    comma = sum(bool(re.fullmatch(r"\s*-?\d+,\d+\s*", field)) for row in sample for field in row)
    point = sum(bool(re.fullmatch(r"\s*-?\d+\.\d+\s*", field)) for row in sample for field in row)
    return "," if comma > point and delimiter != "," else "."


def _is_datum(field: str) -> bool:
    """A number or a time: what stands in rows and not in a header."""
    return bool(
        re.fullmatch(r"-?\d+([.,]\d+)?([eE][-+]?\d+)?", field) or re.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d", field)
    )


def _many_times_of_day(fields: list[str]) -> bool:
    """Names of columns are numbers where each is an interval of the day, or a meter; the first is a word then."""
    words = [field for field in fields if field and not _is_datum(field)]
    return (
        bool(words)
        and not _is_datum(fields[0])
        and bool(re.search(r"[A-Za-z]{3}", fields[0]))
        and (
            len(fields) - len(words) >= 5 or (all(re.search(r"[A-Za-z]{2}", w) for w in words[:2]) and len(words) >= 2)
        )
        and len({f for f in fields if f}) == len([f for f in fields if f])
    )
