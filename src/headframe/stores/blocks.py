"""Blocks that were heard of, kept in the workspace: one Parquet file per chain.

``WORKSPACE/blocks/XMR.parquet`` has one row per height and source:

| column | type | meaning |
|---|---|---|
| ``chain`` | string | ticker symbol |
| ``height`` | int64 | |
| ``header_time`` | timestamp, ns, UTC | what the header says; may be null |
| ``arrival_time`` | timestamp, ns, UTC | when the source heard of it; may be null |
| ``clock_source`` | string | who says so |
| ``resolution_ns`` | int64 | step of the times |

Rows are in order of source and height. Any program that reads Parquet may read it, at any moment: a file is never
changed, but replaced by a new one that was written in full before.

**What a crash leaves behind.** The new file is written beside the old one under a name that no reader looks for,
flushed to the disk, and then renamed over it. A crash before the rename leaves the old file and a leftover, which the
next writer overwrites; a crash after it leaves the new file. There is no moment without a whole file.

**Two writers at once.** Whoever writes reads the file, adds to it and replaces it while holding a lock on
``blocks/.XMR.lock`` (flock(2): the system lets go of it when its holder dies, so that a crash locks nobody out).
Without the lock the second to rename would take away what the first had added.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headframe.errors import UnreadableInput
from headframe.records.block import Block
from headframe.sources.chain.chains import chain_of
from headframe.sources.chain.reconcile import Reconciled, reconcile
from headframe.sources.chain.series import NO_TIME, NS_PER_S, BadClock, BlockSeries, series_of
from headframe.stores.durable import replacing
from headframe.stores.locks import exclusive

if TYPE_CHECKING:
    import polars as pl

WORKSPACE_VARIABLE = "HEADFRAME_WORKSPACE"
LOCK_TIMEOUT_S = 30.0
"""A writer holds the lock for as long as it takes to rewrite a file: far below a second for all of Bitcoin. [s]"""
COLUMNS = ("chain", "height", "header_time", "arrival_time", "clock_source", "resolution_ns")


def workspace_folder(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder in which Headframe keeps what it learns.

    Parameters
    ----------
    given : Path or None
        What ``--workspace`` says; it comes first.
    environment : mapping
        Then ``HEADFRAME_WORKSPACE``, then ``XDG_DATA_HOME/headframe``, then ``~/.local/share/headframe`` [1]_.

    Returns
    -------
    Path
        It need not exist yet.

    References
    ----------
    .. [1] XDG Base Directory Specification, version 0.8, section "Environment variables".
    """
    if given is not None:
        return given
    if named := environment.get(WORKSPACE_VARIABLE):
        return Path(named)
    data_home = environment.get("XDG_DATA_HOME", "")
    # A relative path there is to be ignored, says the specification.
    if data_home and Path(data_home).is_absolute():
        return Path(data_home) / "headframe"
    home = environment.get("HOME")
    return (Path(home) if home else Path.home()) / ".local" / "share" / "headframe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What an append did to one chain.

    Attributes
    ----------
    chain : str
    blocks : int
        Rows that were handed in.
    new : int
        Heights of a source that were not there before.
    earlier : int
        Heights that were there, and got an earlier time or one they lacked.
    """

    chain: str
    blocks: int
    new: int
    earlier: int


class BlockStore:
    """Blocks by chain, in a workspace.

    Parameters
    ----------
    workspace : Path
        Made when something is first written.
    """

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / "blocks"

    def path_of(self, chain: str) -> Path:
        """The file of a chain, whether it is there or not."""
        return self.folder / f"{chain_of(chain).symbol}.parquet"

    def chains(self) -> list[str]:
        """Chains that there is a file of, in alphabetical order."""
        try:
            return sorted(path.stem for path in self.folder.glob("[!.]*.parquet") if path.is_file())
        except OSError as fault:
            raise UnreadableInput(f"{self.folder}: cannot be read: {fault.strerror}") from fault

    def series(self, chain: str) -> list[BlockSeries]:
        """All blocks of a chain.

        Parameters
        ----------
        chain : str
            Ticker symbol.

        Returns
        -------
        list of BlockSeries
            One per source and resolution; none where nothing is stored.

        Raises
        ------
        UnreadableInput
            If the file may not be read, or is damaged.
        """
        table = self._read(chain_of(chain).symbol)
        return [] if table is None else _series_of_table(chain_of(chain).symbol, table)

    def clock(self, chain: str, *, header_time: bool = False) -> Reconciled:
        """The clock that all sources of a chain make together; see `reconcile`.

        Raises
        ------
        BadClock
            If nothing is stored of the chain, or header times only where they are too coarse.
        UnreadableInput
            If the file may not be read, or is damaged.
        """
        series = self.series(chain)
        if not series:
            known = ", ".join(self.chains()) or "none"
            raise BadClock(
                f"no blocks of {chain_of(chain).symbol} are stored in {self.folder} (chains there: {known}); "
                "add some: headframe clock import FILE"
            )
        return reconcile(series, header_time=header_time)

    def append(self, blocks: Iterable[Block] | Sequence[BlockSeries]) -> list[Appended]:
        """Add blocks; what is there already is not stored twice, and the earliest time of each height stays.

        When this returns the blocks are on the disk.

        Parameters
        ----------
        blocks : iterable of Block, or sequence of BlockSeries
            Of any chains and sources.

        Returns
        -------
        list of Appended
            One per chain.

        Raises
        ------
        BadClock
            If a chain is not known.
        UnreadableInput
            If the file that is there is damaged. It is not touched then.
        OSError
            If the new file cannot be written.
        """
        given = list(blocks)
        series = [one for one in given if isinstance(one, BlockSeries)]
        series += series_of(one for one in given if isinstance(one, Block))
        by_chain: dict[str, list[BlockSeries]] = {}
        for one in series:
            by_chain.setdefault(chain_of(one.chain).symbol, []).append(one)
        return [self._append(symbol, of_chain) for symbol, of_chain in by_chain.items()]

    def _append(self, symbol: str, series: Sequence[BlockSeries]) -> Appended:
        import polars as pl

        added = pl.concat([_table_of_series(symbol, one) for one in series])
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked(symbol):
            there = self._read(symbol)
            key = ["clock_source", "height"]
            merged = added if there is None else pl.concat([there, added])
            # One row per source and height: the earliest arrival with its resolution, and the earliest header time.
            merged = (
                merged.sort([*key, "arrival_time", "resolution_ns"], nulls_last=True)
                .group_by(key, maintain_order=True)
                .agg(
                    pl.col("chain").first(),
                    pl.col("header_time").min(),
                    pl.col("arrival_time").first(),
                    pl.col("resolution_ns").first(),
                )
                .select(COLUMNS)
            )
            before = 0 if there is None else len(there)
            earlier = 0
            if there is not None:
                both = there.join(merged, on=key, how="inner", suffix="_now")
                earlier = len(
                    both.filter(
                        pl.col("arrival_time").ne_missing(pl.col("arrival_time_now"))
                        | pl.col("header_time").ne_missing(pl.col("header_time_now"))
                    )
                )
            if there is None or earlier or len(merged) > before:
                self._write(symbol, merged)
        return Appended(
            chain=symbol, blocks=sum(len(one.heights) for one in series), new=len(merged) - before, earlier=earlier
        )

    def _read(self, symbol: str) -> "pl.DataFrame | None":
        import polars as pl

        path = self.path_of(symbol)
        try:
            # In memory, so that nobody's rename changes the file under a lazy reader.
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise UnreadableInput(f"{path}: cannot be read: {fault.strerror}") from fault
        try:
            table = pl.read_parquet(data).select(COLUMNS).cast(_schema())  # type: ignore[arg-type]
            if table.get_column("height").null_count() or table.get_column("clock_source").null_count():
                raise ValueError("rows without height or source")
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as fault:
            reason = " ".join(str(fault).split())[:120]
            raise UnreadableInput(
                f"{path} is damaged, or no table of blocks: {reason}. Move it away, and import the blocks again: "
                "headframe clock import FILE"
            ) from fault
        return table

    def _write(self, symbol: str, table: "pl.DataFrame") -> None:
        with replacing(self.path_of(symbol)) as file:
            table.write_parquet(file, compression="zstd")

    def _locked(self, symbol: str) -> AbstractContextManager[None]:
        return exclusive(self.folder / f".{symbol}.lock", LOCK_TIMEOUT_S)


def _schema() -> "dict[str, pl.DataType]":
    import polars as pl

    instant = pl.Datetime("ns", "UTC")
    return {
        "chain": pl.String(),
        "height": pl.Int64(),
        "header_time": instant,
        "arrival_time": instant,
        "clock_source": pl.String(),
        "resolution_ns": pl.Int64(),
    }


def table_of(series: Sequence[BlockSeries]) -> "pl.DataFrame":
    """Blocks as a table with the columns of the store, in order of source and height.

    Parameters
    ----------
    series : sequence of BlockSeries

    Returns
    -------
    polars.DataFrame
    """
    import polars as pl

    if not series:
        return pl.DataFrame(schema=_schema())
    return pl.concat([_table_of_series(one.chain, one) for one in series]).sort("clock_source", "height")


def table_bytes(table: "pl.DataFrame", form: str) -> bytes:
    """A table of blocks as a file that `read_blocks` understands.

    Parameters
    ----------
    table : polars.DataFrame
        As `table_of` gives it.
    form : str
        ``csv`` or ``parquet``. A CSV file has no column for the step of the times: who reads it takes it from the times
        themselves, which have as many decimals as the step needs.

    Returns
    -------
    bytes
    """
    import io

    import polars as pl

    stream = io.BytesIO()
    if form == "parquet":
        table.write_parquet(stream, compression="zstd")
        return stream.getvalue()
    finest_ns = int(str(table.get_column("resolution_ns").min() or NS_PER_S))
    # ISO 8601 with no decimals, or with three, six or nine.
    decimals = next((digits for digits in (0, 3, 6) if finest_ns % 10 ** (9 - digits) == 0), 9)
    form_of_time = "%Y-%m-%dT%H:%M:%S" + (f"%.{decimals}f" if decimals else "") + "Z"
    table = table.with_columns(
        pl.col("header_time").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"), pl.col("arrival_time").dt.strftime(form_of_time)
    )
    table.select("chain", "height", "arrival_time", "header_time", "clock_source").write_csv(stream)
    return stream.getvalue()


def _table_of_series(symbol: str, series: BlockSeries) -> "pl.DataFrame":
    import polars as pl

    schema = _schema()
    columns = {"height": series.heights, "header_time": series.header_ns, "arrival_time": series.arrival_ns}
    table = pl.DataFrame({name: pl.Series(values, dtype=pl.Int64) for name, values in columns.items()})
    table = table.with_columns(
        *(
            pl.when(pl.col(name) != NO_TIME).then(pl.col(name)).cast(schema[name]).alias(name)
            for name in ("header_time", "arrival_time")
        ),
        pl.lit(symbol).alias("chain"),
        pl.lit(series.clock_source).alias("clock_source"),
        pl.lit(series.resolution_ns, dtype=pl.Int64).alias("resolution_ns"),
    )
    return table.select(COLUMNS)


def _series_of_table(symbol: str, table: "pl.DataFrame") -> list[BlockSeries]:
    import polars as pl

    found = []
    parts = table.partition_by(["clock_source", "resolution_ns"], as_dict=True, maintain_order=True)
    for (source, resolution_ns), part in parts.items():
        part = part.sort("height")
        times = {
            name: part.get_column(name).cast(pl.Int64).fill_null(NO_TIME).to_numpy().astype(np.int64)
            for name in ("arrival_time", "header_time")
        }
        found.append(
            BlockSeries(
                chain=symbol,
                clock_source=str(source),
                heights=part.get_column("height").to_numpy().astype(np.int64),
                arrival_ns=times["arrival_time"],
                header_ns=times["header_time"],
                resolution_ns=int(str(resolution_ns)),
            )
        )
    return found
