"""Readings whose time is over leave a lake: by month and usage points, whole or not at all, with a digest of each part.

A part is the readings that begin in one month (UTC) of some usage points: those that no case needs go together, each
that a case needs is a part of its own. A month is the unit because its files are written anew without it; a reading
therefore goes up to a month after its days are over, never before. Where one lasts beyond the month (a register that is
read once a quarter) the part's time is over when that one's is.

How a part goes, so that a crash at any moment leaves no reading that is said to be gone, and no half file:

1. Files are written anew beside the old ones, under other names, and flushed. Nothing has changed yet.
2. ``forgetting.json`` says which parts go, under which certificate, and is flushed.
3. Each new file gets its name; then the old one goes. What nothing is left of goes without a new one.
4. The certificate is written by whoever called, and ``forgetting.json`` goes.

After a crash between 2 and 4 the parts in ``forgetting.json`` are due again, with the digests that they had, whether
their readings are still there or not, until a certificate names them: `gone_parts` tells which of them are gone wholly.
Files that were superseded, and what a killed writer left, go with the next run.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headframe.errors import HeadframeError, NotWritten, UnreadableInput
from headframe.stores.durable import flush_file, flush_folder, replacing
from headframe.stores.lake import (
    LOCK,
    PARQUET,
    SPILL,
    Lake,
    Name,
    is_lake,
    latest,
    listing_columns,
    names_in,
    transformers_in,
)
from headframe.stores.load_batches import cuts_of
from headframe.stores.locks import exclusive

if TYPE_CHECKING:
    import polars as pl

FORGETTING = "forgetting.json"
FORMAT = "headframe-lake-purge/1"
ROWS_AT_ONCE = 2_000_000
"""Readings that are digested at a time: some 100 MB."""
_RECORD = np.dtype([("who", "V8"), ("start_s", "<i8"), ("duration_s", "<i4"), ("energy_wh", "<f4"), ("quality", "u1")])
"""What a digest is made of; 25 bytes for each reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LakePart:
    """Readings of one month of some usage points.

    Attributes
    ----------
    part_id : str
        ``2024-03``, or ``2024-03 UP-1`` of a usage point that a case needs.
    usage_points : tuple of str
        In order of name.
    until_s : int
        End of the month, or of its last reading where that is later. [s since 1970-01-01 UTC]
    rows : int
        Readings, superseded ones too.
    sha256 : str
        Of all of them, file by file in the order of their coming, and by usage point, flow and start: 8 bytes of
        BLAKE2b of usage point, a zero byte and flow; start (int64), length (int32), energy (float32, missing as
        0x7fc00000), quality (uint8), little endian.
    upto : int
        Number of the last file that it is in; 0: all of them.
    certificate_id : str
        Of the purge that had begun to destroy it; empty where none has.
    beside : tuple of str
        Usage points that hang at one transformer with one of these, as far as the lake was told: a balance is made of
        all of them.
    """

    part_id: str
    usage_points: tuple[str, ...]
    until_s: int
    rows: int
    sha256: str
    upto: int = 0
    certificate_id: str = ""
    beside: tuple[str, ...] = ()

    @property
    def month(self) -> str:
        """``2024-03``."""
        return self.part_id[:7]

    @property
    def from_s(self) -> int:
        """Beginning of the month. [s since 1970-01-01 UTC]"""
        return _month_s(_month_number(self.month))


def lake_parts(
    folder: Path,
    apart: Collection[str],
    *,
    until_s: int,
    apart_until_s: int,
    certified: Callable[[str, str], bool] = lambda _certificate, _sha256: False,
) -> tuple[LakePart, ...]:
    """Parts of a lake that ended before an instant; what an earlier purge had begun on comes first.

    Parameters
    ----------
    folder : Path
        A lake; where there is none, there are no parts.
    apart : collection of str
        Usage points that are a part of their own in each month.
    until_s, apart_until_s : int
        Months whose readings ended by then: of the usage points together, and of those apart.
        [s since 1970-01-01 UTC]
    certified : callable
        Whether a certificate of that id says that what had that digest is destroyed: it is no part any more.

    Returns
    -------
    tuple of LakePart
        By month and usage point.

    Raises
    ------
    UnreadableInput
        If a file of the lake cannot be read.
    """
    transformers = list(transformers_in(folder).values()) if folder.is_dir() else []
    begun = tuple(
        replace(one, beside=_beside(one.usage_points, transformers))
        for one in _begun(folder)
        if not certified(one.certificate_id, one.sha256)
    )
    tables, _ = names_in(folder)
    if not tables:
        return begun
    taken = {(one.month, point) for one in begun for point in one.usage_points}
    found: dict[tuple[int, str], _Digest] = defaultdict(_Digest)
    for name in latest(tables):
        _digest_file(folder, name, frozenset(apart), (until_s, apart_until_s), taken, found)
    parts = [
        LakePart(
            part_id=f"{_month_name(month)} {own}" if own else _month_name(month),
            usage_points=tuple(sorted(digest.points)),
            until_s=max(digest.last_s, _month_s(month + 1)),
            rows=digest.rows,
            sha256=digest.sum.hexdigest(),
            beside=_beside(digest.points, transformers),
        )
        for (month, own), digest in sorted(found.items())
        if digest.last_s <= (apart_until_s if own else until_s)
    ]
    return (*begun, *parts)


def _beside(points: Collection[str], transformers: Sequence[frozenset[str]]) -> tuple[str, ...]:
    own = frozenset(points)
    return tuple(sorted(frozenset().union(*(one for one in transformers if not one.isdisjoint(own)))))


class LakePurge:
    """Parts of a lake that are ready to go. Made by `ready_to_go` only.

    Attributes
    ----------
    parts : tuple of LakePart
    """

    def __init__(self, lake: Lake, parts: tuple[LakePart, ...], kept: tuple[LakePart, ...]) -> None:
        self.parts = parts
        self._lake = lake
        self._kept = kept  # begun by an earlier purge, and not for this one
        self._anew: dict[Name, Name | None] = {}
        self._done = False

    def write_anew(self) -> None:
        """Write the files without the parts, under names that nobody looks for."""
        doomed: defaultdict[int, list[LakePart]] = defaultdict(list)
        for part in self.parts:
            doomed[_month_number(part.month)].append(part)
        for name in latest(names_in(self._lake.folder)[0]):
            self._write_one_anew(name, doomed)
        flush_folder(self._lake.folder)

    def _write_one_anew(self, name: Name, doomed: dict[int, list[LakePart]]) -> None:
        import polars as pl

        folder = self._lake.folder
        points = pl.read_parquet(folder / name.listing, glob=False)
        going = _doomed_in(name, points, doomed)
        if not going:
            return
        scan = pl.scan_parquet(folder / name.file(), glob=False)
        gone = pl.any_horizontal(going)
        number = int(scan.select(gone.sum()).collect().item())
        if number == 0:
            return
        if number == int(points["rows"].sum()):
            self._anew[name] = None
            return
        after = Name(name.number, name.anew + 1)
        part = folder / after.file(".parquet.part")
        scan.filter(~gone).sink_parquet(part, **PARQUET)
        flush_file(part)
        listing = folder / after.file(".points.parquet.part")
        left = pl.scan_parquet(part, glob=False).group_by("usage_point", "flow").agg(**listing_columns())
        left.sort("usage_point", "flow").collect().write_parquet(listing)
        flush_file(listing)
        self._anew[name] = after

    def destroy(self, certificate_id: str) -> None:
        """Let the parts go; from here on they are gone, or due again until there is a certificate.

        Raises
        ------
        OSError
            If the disk does not take it; what is not gone yet goes with the next purge.
        """
        folder = self._lake.folder
        upto = max((name.number for name in names_in(folder)[0]), default=0)
        begun = [replace(one, certificate_id=certificate_id, upto=one.upto or upto) for one in self.parts]
        _write_begun(folder, (*self._kept, *begun))
        for after in self._anew.values():
            if after is not None:
                # The list first: a table that has its name has its list as well.
                (folder / after.file(".points.parquet.part")).rename(folder / after.listing)
                (folder / after.file(".parquet.part")).rename(folder / after.file())
        flush_folder(folder)
        for name, after in self._anew.items():
            (folder / name.file()).unlink(missing_ok=True)
            _remove_list(folder, name, is_last=after is None and name.number == upto)
        flush_folder(folder)
        self._done = True

    def settle(self) -> None:
        """Note that the certificate is written; where not all has gone, it is due again."""
        if self._done:
            _write_begun(self._lake.folder, self._kept)


@contextmanager
def ready_to_go(
    folder: Path,
    wanted: Collection[tuple[str, str]],
    apart: Collection[str],
    *,
    until_s: int,
    apart_until_s: int,
    certified: Callable[[str, str], bool],
) -> Iterator[LakePurge]:
    """Parts of a plan, ready to go, and nobody else writing to the lake until the end of the block.

    Parameters
    ----------
    folder : Path
    wanted : collection of (str, str)
        Id and digest of each part, as the plan has them. What is otherwise now is not among the parts that are given.
    apart, until_s, apart_until_s, certified
        As for `lake_parts`.

    Yields
    ------
    LakePurge

    Raises
    ------
    HeadframeError
        If somebody else writes to the lake for too long.
    NotWritten
        If the disk does not take the new files; nothing is destroyed then.
    """
    import polars as pl

    lake = Lake(folder)
    with lake.alone():
        try:
            _tidy(folder)
        except OSError as fault:
            raise _not_anew(folder, fault) from fault
        now = lake_parts(folder, apart, until_s=until_s, apart_until_s=apart_until_s, certified=certified)
        names = set(wanted)
        chosen = tuple(one for one in now if (one.part_id, one.sha256) in names)
        kept = tuple(one for one in now if one.certificate_id and one not in chosen)
        purge = LakePurge(lake, chosen, kept)
        try:
            try:
                purge.write_anew()
            except (OSError, pl.exceptions.PolarsError) as fault:  # a full disk is either, by who writes
                raise _not_anew(folder, fault) from fault
            yield purge
        finally:
            with suppress(OSError):
                _remove_parts(folder)


def tidy(folder: Path) -> None:
    """Remove what a killed writer left, and what was superseded; nothing while somebody writes.

    Parameters
    ----------
    folder : Path
        A lake, or a folder that is not there.
    """
    if is_lake(folder):
        with suppress(HeadframeError, OSError), exclusive(folder / LOCK, 0.0):
            _tidy(folder)


def _doomed_in(name: Name, points: pl.DataFrame, doomed: Mapping[int, Sequence[LakePart]]) -> list[pl.Expr]:
    """What of a file belongs to parts, by its list; empty where nothing does."""
    import polars as pl

    if points.is_empty():
        return []
    there = set(points["usage_point"].unique())
    first, last = int(points["first_s"].min()), int(points["last_s"].max())  # type: ignore[arg-type]
    going: list[pl.Expr] = []
    for month, parts in doomed.items():
        if _month_s(month + 1) <= first or _month_s(month) >= last:
            continue
        some = {point for one in parts if not one.upto or name.number <= one.upto for point in one.usage_points}
        if not (some := some & there):
            continue
        inside = (pl.col("start_s") >= _month_s(month)) & (pl.col("start_s") < _month_s(month + 1))
        if rest := there - some:
            fewer, other = (rest, True) if len(rest) < len(some) else (some, False)
            named = pl.col("usage_point").is_in(sorted(fewer))
            inside &= ~named if other else named
        going.append(inside)
    return going


def gone_parts(folder: Path, certificate_id: str) -> frozenset[tuple[str, str]]:
    """Of the parts that a purge had begun to destroy, those of which no reading is left.

    Parameters
    ----------
    folder : Path
        A lake; where there is none, nothing is known.
    certificate_id : str
        Of that purge.

    Returns
    -------
    frozenset of (str, str)
        Id and digest of each.

    Raises
    ------
    UnreadableInput
        If a file of the lake cannot be read.
    """
    import polars as pl

    if not folder.is_dir():
        return frozenset()
    gone = {one for one in _begun(folder) if one.certificate_id == certificate_id}
    for name in latest(names_in(folder)[0]) if gone else ():
        try:
            points = pl.read_parquet(folder / name.listing, glob=False)
            scan = pl.scan_parquet(folder / name.file(), glob=False)
            for part in sorted(gone, key=lambda one: one.part_id):
                going = _doomed_in(name, points, {_month_number(part.month): [part]})
                if going and int(scan.select(pl.any_horizontal(going).sum()).collect().item()):
                    gone.discard(part)
        except (OSError, pl.exceptions.PolarsError) as fault:
            raise UnreadableInput(f"{folder / name.file()} cannot be read: {fault}") from fault
    return frozenset((one.part_id, one.sha256) for one in gone)


def _not_anew(folder: Path, fault: Exception) -> NotWritten:
    why = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return NotWritten(
        f"the lake {folder} could not be written anew: {why}; nothing of it was destroyed. It needs room for a second "
        "copy of its largest file, and a folder that may be written"
    )


# ---------------------------------------------------------------------------------------------------------------------
# Files


def _tidy(folder: Path) -> None:
    """Remove what was superseded, and what a writer left that was killed. Nobody writes meanwhile."""
    tables, lists = names_in(folder)
    counting = set(latest(tables))
    last = max((name.number for name in tables | lists), default=0)
    for name in tables - counting:
        (folder / name.file()).unlink(missing_ok=True)
    for name in lists - counting:
        _remove_list(folder, name, is_last=name.number == last and last not in {one.number for one in tables})
    _remove_parts(folder)
    for path in folder.glob(f"{SPILL}*"):
        shutil.rmtree(path, ignore_errors=True)
    flush_folder(folder)


def _remove_parts(folder: Path) -> None:
    for path in folder.glob("*.part"):
        path.unlink(missing_ok=True)


def _remove_list(folder: Path, name: Name, *, is_last: bool) -> None:
    """Remove a list; the last one stays, empty, so that no later file gets a number that was somebody else's."""
    if is_last:
        (folder / name.listing).write_bytes(b"")
    else:
        (folder / name.listing).unlink(missing_ok=True)


def _begun(folder: Path) -> tuple[LakePart, ...]:
    path = folder / FORGETTING
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as fault:
        raise UnreadableInput(f"{path} cannot be read: {fault}. It says which readings were being destroyed") from fault
    try:
        if value["format"] != FORMAT:
            raise ValueError(f"its format is {value['format']!a}")
        return tuple(
            LakePart(
                part_id=str(one["part"]),
                usage_points=tuple(map(str, one["usage_points"])),
                until_s=int(one["until_s"]),
                rows=int(one["rows"]),
                sha256=str(one["sha256"]),
                upto=int(one["upto"]),
                certificate_id=str(one["certificate"]),
            )
            for one in value["parts"]
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise UnreadableInput(f"{path} is none of this Headframe's: {fault}; this one reads {FORMAT}") from fault


def _write_begun(folder: Path, parts: Sequence[LakePart]) -> None:
    path = folder / FORGETTING
    if not parts:
        path.unlink(missing_ok=True)
        flush_folder(folder)
        return
    value: dict[str, Any] = {
        "format": FORMAT,
        "parts": [
            {
                "part": one.part_id, "until_s": one.until_s, "rows": one.rows, "sha256": one.sha256, "upto": one.upto,
                "certificate": one.certificate_id, "usage_points": list(one.usage_points),
            }
            for one in parts
        ],
    }  # fmt: skip
    with replacing(path) as file:
        file.write(json.dumps(value, ensure_ascii=False).encode())


# ---------------------------------------------------------------------------------------------------------------------
# Digests


class _Digest:
    """What is known of a part while files are read."""

    def __init__(self) -> None:
        self.sum = hashlib.sha256()
        self.rows = 0
        self.last_s = 0
        self.points: set[str] = set()


def _digest_file(
    folder: Path,
    name: Name,
    apart: frozenset[str],
    until_s: tuple[int, int],
    taken: Collection[tuple[str, str]],
    found: dict[tuple[int, str], _Digest],
) -> None:
    import polars as pl

    try:
        points = pl.read_parquet(folder / name.listing, glob=False)
    except (OSError, pl.exceptions.PolarsError) as fault:
        raise UnreadableInput(f"{folder / name.listing} cannot be read: {fault}") from fault
    if points.is_empty() or int(points["first_s"].min()) >= max(until_s):  # type: ignore[arg-type]
        return
    names: list[str] = points["usage_point"].to_list()
    flows: list[str] = points["flow"].to_list()
    texts = (f"{one}\0{flow}".encode() for one, flow in zip(names, flows, strict=True))
    who = np.array([hashlib.blake2b(text, digest_size=8).digest() for text in texts], "V8")
    places = sorted({one for one in names if one in apart})
    index = {one: k + 1 for k, one in enumerate(places)}
    own = np.array([index.get(one, 0) for one in names], np.int64)
    rows = points["rows"].to_numpy()
    ends = np.cumsum(rows)
    for begin, end in cuts_of(rows, ROWS_AT_ONCE, None):
        first, last = int(ends[begin] - rows[begin]), int(ends[end - 1])
        try:
            frame = pl.scan_parquet(folder / name.file(), glob=False).slice(first, last - first).collect()
        except (OSError, pl.exceptions.PolarsError) as fault:
            raise UnreadableInput(f"{folder / name.file()} cannot be read: {fault}") from fault
        if len(frame) != last - first:
            raise UnreadableInput(f"{folder / name.file()} has other readings than its list says; it is damaged")
        at = np.repeat(np.arange(begin, end), rows[begin:end])
        _digest_rows(frame, at, names, who, own, places, until_s, taken, found)


def _digest_rows(
    frame: pl.DataFrame,
    at: NDArray[np.int64],
    names: Sequence[str],
    who: NDArray[np.void],
    own: NDArray[np.int64],
    places: Sequence[str],
    until_s: tuple[int, int],
    taken: Collection[tuple[str, str]],
    found: dict[tuple[int, str], _Digest],
) -> None:
    start = frame["start_s"].to_numpy()
    month = start.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    whose = own[at]
    # Months as numbers, so that what is over can be told from the first month that is not.
    over = month < np.where(whose == 0, _month_of(until_s[0]), _month_of(until_s[1]))
    if not over.any():
        return
    records = np.zeros(len(frame), _RECORD)
    records["who"] = who[at]
    records["start_s"] = start
    records["duration_s"] = frame["duration_s"].to_numpy()
    energy = frame["energy_wh"].to_numpy().astype(np.float32, copy=True)
    energy[~np.isfinite(energy)] = np.float32("nan")
    records["energy_wh"] = energy
    records["quality"] = frame["quality"].to_numpy()
    keys = month * (len(places) + 1) + whose
    kept = np.flatnonzero(over)
    order = kept[np.argsort(keys[kept], kind="stable")]
    borders = np.flatnonzero(np.diff(keys[order])) + 1
    for some in np.split(order, borders):
        this = int(month[some[0]])
        these = np.unique(at[some])
        if taken:
            # What came since an earlier purge began on these waits until that one is done.
            these = these[[(_month_name(this), names[k]) not in taken for k in these]]
            some = some[np.isin(at[some], these)]
            if not some.size:
                continue
        digest = found[this, places[whose[some[0]] - 1] if whose[some[0]] else ""]
        digest.sum.update(records[some].tobytes())
        digest.rows += int(some.size)
        digest.last_s = max(digest.last_s, int((start[some] + records["duration_s"][some]).max()))
        digest.points.update(names[k] for k in these)


def _month_of(at_s: int) -> int:
    """Months since 1970-01."""
    day = datetime.fromtimestamp(at_s, UTC)
    return (day.year - 1970) * 12 + day.month - 1


def _month_number(name: str) -> int:
    """Of ``1970-02`` 1."""
    return (int(name[:4]) - 1970) * 12 + int(name[5:7]) - 1


def _month_s(month: int) -> int:
    """First second of a month."""
    return int(datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp())


def _month_name(month: int) -> str:
    return f"{1970 + month // 12:04d}-{month % 12 + 1:02d}"
