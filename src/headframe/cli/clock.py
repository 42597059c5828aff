"""``headframe clock``: block times of chains, which `chain_sync` holds conversations against."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.clock_follow import follow
from headframe.cli.exit_codes import ExitCode
from headframe.cli.options import BlocksFolder, QuietButErrors
from headframe.cli.polite import fail, politely, say

if TYPE_CHECKING:
    from headframe.records.block import Chain
    from headframe.sources.chain.files import BlockFile
    from headframe.sources.chain.reconcile import Reconciled
    from headframe.sources.chain.series import BlockSeries
    from headframe.stores.blocks import BlockStore

clock = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

ANNOUNCED_BYTES = 20_000_000
"""A file of this size takes about a second: it is named before it is read."""


class StatusFormat(StrEnum):
    """Forms of the status."""

    TEXT = "text"
    JSON = "json"


class TableFormat(StrEnum):
    """Forms of a table of blocks."""

    CSV = "csv"
    PARQUET = "parquet"


@clock.callback()
def _clock() -> None:
    """Keep block times of chains, to hold traffic against.

    Example: headframe clock import blocks.csv --chain XMR
    """


clock.command("follow")(follow)


@clock.command("import")
@politely
def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV (also .gz, .zst, .xz) or Parquet.")],
    chain: Annotated[
        str | None, typer.Option("--chain", metavar="SYMBOL", help="Chain of files that have no such column.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="NAME=COLUMN,...",
            help="Which is which: height=blk,arrival_time=ts; numbers from 1 without a header; - leaves one out.",
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Who says so, instead of what the files say.")
    ] = None,
    utc_offset: Annotated[
        float,
        typer.Option(
            "--utc-offset",
            metavar="HOURS",
            min=-14,
            max=14,
            help="What the clock behind arrival_time is ahead of UTC. [hours]",
        ),
    ] = 0.0,
    workspace: BlocksFolder = None,
    quiet: QuietButErrors = False,
) -> None:
    """Read block times from files, and keep them in the workspace.

    Known columns are chain, height, arrival_time, header_time and clock_source; others are named with --columns. Times
    are seconds (or milli-, micro-, nanoseconds) since 1970, or ISO 8601. If one of the files cannot be read, nothing
    is kept of any.

    \b
    Examples:
      headframe clock import clock_xmr.csv
      headframe clock import arrivals.csv.gz --chain BTC \\
        --columns height=1,arrival_time=3 --source node0
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.reports.words import count, visible
    from headframe.sources.chain.chains import chain_of
    from headframe.sources.chain.files import parse_columns

    mapping = parse_columns(columns) if columns is not None else {}
    read: list[BlockFile] = []
    for path in files:
        read.append(_read(path, mapping, chain, source, utc_offset, quiet=quiet))
        if not quiet:
            for remark in read[-1].remarks:
                say(visible(remark))
    store = _store(workspace)
    try:
        done = store.append([one for file in read for one in file.series])
    except OSError as error:
        fail(f"{store.folder} could not be written: {error.strerror}; choose another --workspace", ExitCode.NOT_WRITTEN)
    for appended in done:
        if quiet:
            break
        known = chain_of(appended.chain)
        earlier = f", {count(appended.earlier, 'earlier time')}" if appended.earlier else ""
        say(
            f"{appended.chain}: {count(appended.blocks, 'block')} read, {appended.new:,} new{earlier}; "
            f"kept in {store.path_of(appended.chain)}"
        )
        if not known.resolvable:
            say(f"{appended.chain} cannot be resolved: {known.remark}")
    lost = sum(file.not_understood for file in read)
    if lost:
        say(f"{count(lost, 'row')} could not be understood, and {'is' if lost == 1 else 'are'} not kept")
        raise SystemExit(int(ExitCode.DAMAGED))


@clock.command("export")
@politely
def export(
    chain: Annotated[str, typer.Argument(metavar="CHAIN", help="Ticker symbol, such as XMR.")],
    table_format: Annotated[
        TableFormat | None, typer.Option("--format", help="csv, unless the name after -o ends in .parquet.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Standard output, unless told otherwise.")
    ] = None,
    workspace: BlocksFolder = None,
) -> None:
    """Write the blocks of a chain as a table: one row per height and source, as import reads it.

    Example: headframe clock export XMR --format csv -o xmr.csv
    """
    store = _store(workspace)
    from headframe.stores.blocks import table_bytes, table_of

    if table_format is None:
        parquet = output is not None and output.suffix.lower() == ".parquet"
        table_format = TableFormat.PARQUET if parquet else TableFormat.CSV
    series = store.series(chain)
    if not series:
        store.clock(chain)  # raises, and says what there is
    data = table_bytes(table_of(series), table_format.value)
    if output is not None:
        try:
            output.write_bytes(data)
        except OSError as error:
            fail(f"{output} could not be written: {error.strerror}; choose another name", ExitCode.NOT_WRITTEN)
        return
    if sys.stdout is None:
        fail("standard output is closed; give a name: -o FILE", ExitCode.NOT_WRITTEN)
    if table_format is TableFormat.PARQUET and sys.stdout.isatty():
        fail("Parquet is no text, and standard output is a terminal; give a name: -o blocks.parquet", ExitCode.USAGE)
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(f"standard output could not be written: {error.strerror}", ExitCode.NOT_WRITTEN)


@clock.command("status")
@politely
def status(
    chains: Annotated[
        list[str] | None,
        typer.Argument(metavar="CHAIN", help="Ticker symbols; else all of which blocks are kept."),
    ] = None,
    status_format: Annotated[
        StatusFormat, typer.Option("--format", help="Form of the status on standard output.")
    ] = StatusFormat.TEXT,
    workspace: BlocksFolder = None,
) -> None:
    """Tell which chains are known, and what is covered of each.

    \b
    Examples:
      headframe clock status
      headframe clock status XMR BTC --format json
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.reports.clock_status import chain_document, chain_lines
    from headframe.sources.chain.chains import CHAINS, chain_of

    store = _store(workspace)
    kept = store.chains()
    if chains:
        shown = [chain_of(symbol) for symbol in dict.fromkeys(chains)]
    elif status_format is StatusFormat.JSON:
        shown = list(CHAINS.values())
    else:
        shown = [known for known in CHAINS.values() if known.symbol in kept]
    strangers = [] if chains else sorted(set(kept) - set(CHAINS))
    documents = []
    unreadable = False
    for known in shown:
        series, made, fault, damaged = _look(store, known)
        unreadable |= damaged
        if status_format is StatusFormat.JSON:
            documents.append(chain_document(known, series, made, fault))
        else:
            for line in chain_lines(known, series, made, fault):
                print(line)
    if status_format is StatusFormat.JSON:
        import json

        encoded = json.dumps({"workspace": str(store.folder.parent), "chains": documents}, indent=2, allow_nan=False)
        # DEL (0x7f) is ASCII, so json leaves it as it is; old terminals act on it.
        print(encoded.replace("\x7f", "\\u007f"))
    elif not chains:
        _print_the_others(store, {known.symbol for known in shown})
    for symbol in strangers:
        say(f"{store.folder / symbol}.parquet is of no chain that is known here; it is passed over")
    if unreadable:
        raise SystemExit(int(ExitCode.UNREADABLE))


def _print_the_others(store: "BlockStore", shown: set[str]) -> None:
    """Chains that are known, of which nothing is kept, and those that nobody need try."""
    from headframe.sources.chain.chains import CHAINS

    others = [known for known in CHAINS.values() if known.symbol not in shown]
    usable = [known.symbol for known in others if known.resolvable]
    too_fast = [f"{known.symbol} ({known.spacing_s:g} s)" for known in others if not known.resolvable]
    if not shown:
        print(f"no blocks are kept in {store.folder}; add some: headframe clock import FILE")
    if usable:
        print(f"known, nothing kept: {', '.join(usable)}")
    if too_fast:
        print(f"known, too fast to be resolved: {', '.join(too_fast)}")


def _look(store: "BlockStore", known: "Chain") -> "tuple[list[BlockSeries], Reconciled | None, str, bool]":
    """What is stored of a chain, its clock, why there is none, and whether the file is unreadable."""
    from headframe.errors import UnreadableInput
    from headframe.sources.chain.reconcile import reconcile
    from headframe.sources.chain.series import BadClock

    try:
        series = store.series(known.symbol)
    except UnreadableInput as error:
        return [], None, str(error), True
    if not series:
        return [], None, "", False
    try:
        return series, reconcile(series), "", False
    except BadClock as error:
        return series, None, str(error), False


def _read(
    path: Path, columns: dict[str, str], chain: str | None, source: str | None, utc_offset: float, *, quiet: bool
) -> "BlockFile":
    from headframe.reports.words import size, visible
    from headframe.sources.chain.files import read_blocks

    try:
        length = path.stat().st_size
    except (OSError, ValueError):
        length = 0  # read_blocks says what is wrong with it
    if length >= ANNOUNCED_BYTES and not quiet:
        say(f"reading {visible(str(path))} ({size(length)})")
    return read_blocks(path, columns=columns, chain=chain, source=source, utc_offset_s=round(utc_offset * 3600))


def _store(workspace: Path | None) -> "BlockStore":
    from headframe.stores.blocks import BlockStore, workspace_folder

    return BlockStore(workspace_folder(workspace))
