"""``headframe clock follow``: block times from a node or a pool, as they come."""

import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.options import BlocksFolder, QuietButErrors
from headframe.cli.polite import fail, politely, say

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from headframe.records.block import Block

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class LineFormat(StrEnum):
    """Forms of a line on standard output."""

    TEXT = "text"
    JSON = "json"


class DialectName(StrEnum):
    """What pools speak; the values are those of `headframe.sources.chain.pool_subscription.PoolDialect`."""

    STRATUM = "stratum"
    CRYPTONOTE = "cryptonote"
    ETH_PROXY = "eth-proxy"
    ETHEREUM_STRATUM = "ethereum-stratum"


@politely
def follow(
    urls: Annotated[
        list[str],
        typer.Argument(
            metavar="URL",
            help="bitcoin+http://USER:PASS@HOST:8332, monero+http://HOST:18081, ethereum+http://HOST:8545 (or +https), "
            "stratum+tcp://HOST:PORT, stratum+ssl://HOST:PORT; #SYMBOL at the end names the chain.",
        ),
    ],
    zmq: Annotated[
        str,
        typer.Option(
            "--zmq",
            metavar="tcp://HOST:PORT",
            help="Where the one node publishes its blocks (zmqpubhashblock, --zmq-pub): far more exact than asking.",
        ),
    ] = "",
    cookie: Annotated[
        Path | None, typer.Option("--cookie", metavar="FILE", help="Cookie file of a Bitcoin node, for the login.")
    ] = None,
    chain: Annotated[
        str, typer.Option("--chain", metavar="SYMBOL", help="Chain of addresses that name none; else nodes are asked.")
    ] = "",
    poll: Annotated[
        float, typer.Option("--poll", metavar="S", min=0.1, max=60, help="Ask a node this often. [s]")
    ] = 1.0,
    back_fill: Annotated[
        int,
        typer.Option(
            "--back-fill", metavar="N", min=0, max=20_000, help="First fetch the last N blocks, header times only."
        ),
    ] = 0,
    subscribe: Annotated[
        bool,
        typer.Option("--subscribe", help="Agree to connect to a pool, log in and listen. Read the pool's terms first."),
    ] = False,
    login: Annotated[
        str,
        typer.Option(
            "--login",
            metavar="USER",
            envvar="HEADFRAME_POOL_LOGIN",
            help="Your account at the pool; sent there, kept nowhere.",
        ),
    ] = "",
    password: Annotated[
        str | None,
        typer.Option("--password", metavar="PASS", envvar="HEADFRAME_POOL_PASSWORD", help="Most pools take any."),
    ] = None,
    dialect: Annotated[
        DialectName | None, typer.Option("--dialect", help="What the pool speaks; else the usual one of the chain.")
    ] = None,
    fingerprint: Annotated[
        str, typer.Option("--fingerprint", metavar="SHA256", help="Of the pool's certificate, if it signs its own.")
    ] = "",
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", min=1, help="End after N blocks that were heard as they came.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="End after so long: 90s, 30m, 12h, 7d.")
    ] = None,
    line_format: Annotated[LineFormat, typer.Option("--format", help="Form of the lines on standard output.")] = (
        LineFormat.TEXT
    ),
    workspace: BlocksFolder = None,
    quiet: QuietButErrors = False,
) -> None:
    """Listen to nodes and pools, and keep the time of each block as it comes.

    Runs until Ctrl-C, --count or --for. A source that goes away is tried again, less and less often. Each block is
    kept in the workspace at once, and is one line on standard output.

    With --subscribe a pool is a source too: one connection, a login, and then nothing but listening. No share is ever
    handed in, and nothing is mined. The pool sees this machine's address and the login, and its terms apply: some do
    not want clients that hand in nothing, and will hang up.

    \b
    Examples:
      headframe clock follow bitcoin+http://127.0.0.1:8332 \\
        --cookie ~/.bitcoin/.cookie --zmq tcp://127.0.0.1:28332
      headframe clock follow monero+http://127.0.0.1:18081 --back-fill 720 \\
        --for 12h
      headframe clock follow stratum+ssl://pool.example:443 --chain XMR \\
        --subscribe --login ACCOUNT
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    import random
    import threading

    from headframe import clock
    from headframe.errors import HeadframeError, UnreadableInput
    from headframe.reports.words import count as counted
    from headframe.reports.words import visible
    from headframe.sources.chain import chain_of
    from headframe.sources.chain.follow import FollowOptions, make_source, parse_address
    from headframe.sources.chain.follow import follow as follow_sources
    from headframe.sources.chain.pool_subscription import PoolDialect
    from headframe.stores.blocks import BlockStore, workspace_folder

    try:
        addresses = [parse_address(url) for url in urls]
        duration_s = None if duration is None else parse_duration_s(duration)
    except ValueError as error:
        fail(visible(str(error)), ExitCode.USAGE)
    if zmq and sum(address.kind != "pool" for address in addresses) != 1:
        fail("--zmq goes with one node; follow several in as many terminals", ExitCode.USAGE)
    for symbol in {chain, *(address.chain for address in addresses)} - {""}:
        chain_of(symbol)  # raises for one that is not known, before anything is connected
    if len({address.place for address in addresses}) < len(addresses):
        fail("an address is given twice; each is followed once", ExitCode.USAGE)

    options = FollowOptions(
        chain=chain_of(chain).symbol if chain else "",
        zmq=zmq,
        cookie=cookie,
        login=login,
        password="x" if password is None else password,
        dialect=None if dialect is None else PoolDialect(dialect.value),
        fingerprint=fingerprint,
        subscribe=subscribe,
        poll_s=poll,
    )
    store = BlockStore(workspace_folder(workspace))
    stop = threading.Event()

    def note(words: str) -> None:
        if not quiet:
            # A node's or a pool's words may hold what a terminal would obey.
            say(visible(words))

    def write(blocks: "Sequence[Block]") -> None:
        try:
            store.append(list(blocks))
        except OSError as error:
            raise _NotWritten(f"{store.folder} could not be written: {error.strerror or error}") from error
        _print(blocks, line_format)

    _end_on_signals(stop)
    sources = []
    try:
        for address in addresses:
            made = make_source(address, options, now_ns=clock.now_ns, pause=stop.wait, note=note)
            sources.append(made)
            known = address.chain or options.chain
            if known and not chain_of(known).resolvable:
                note(f"{known}: {chain_of(known).remark}")
        note(
            f"following {', '.join(address.place for address in addresses)}; blocks are kept in {store.folder}; "
            "end with Ctrl-C"
        )
        written = follow_sources(
            sources,
            write=write,
            stop=stop,
            rng=random.Random(clock.now_ns()),
            monotonic_s=clock.monotonic_s,
            note=note,
            back_fill=back_fill,
            count=count,
            duration_s=duration_s,
        )
    except _NotWritten as error:
        fail(visible(str(error)) + "; choose another --workspace", ExitCode.NOT_WRITTEN)
    except UnreadableInput:
        raise  # the store's file is damaged
    except HeadframeError as error:
        fail(visible(str(error)), ExitCode.USAGE)
    except ValueError as error:
        fail(visible(str(error)), ExitCode.UNREADABLE)
    finally:
        for source in sources:
            source.close()
    note(f"{counted(written, 'block')} heard and kept")


class _NotWritten(Exception):
    """The workspace could not be written: an end, and not a source that is away."""


def parse_duration_s(text: str) -> float:
    """A length of time out of a number and a unit.

    Parameters
    ----------
    text : str
        Such as ``90s``, ``30m``, ``12h``, ``7d``; without a unit, seconds.

    Returns
    -------
    float
        [s]

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> parse_duration_s("1.5h")
    5400.0
    """
    digits, unit = (text[:-1], text[-1]) if text[-1:].lower() in _UNITS_S else (text, "s")
    try:
        length_s = float(digits) * _UNITS_S[unit.lower()]
    except ValueError:
        length_s = -1.0
    if not 0 < length_s < 1e9:
        raise ValueError(f"--for {text[:40]!r} is no length of time; right is one like 90s, 30m, 12h or 7d")
    return length_s


def block_line(block: "Block") -> str:
    """One block as a line for people.

    Parameters
    ----------
    block : Block

    Returns
    -------
    str
        Chain, height, arrival, header time, source, separated by blanks; ``-`` where there is none.
    """
    from headframe.reports.words import instant, visible

    arrival = "-" if block.arrival_time_ns is None else instant(block.arrival_time_ns)
    header = "-" if block.header_time_ns is None else instant(block.header_time_ns)[:19] + "Z"
    return f"{block.chain} {block.height} {arrival} {header} {visible(block.clock_source)}"


def _print(blocks: "Sequence[Block]", line_format: LineFormat) -> None:
    if sys.stdout is None:
        return
    if line_format is LineFormat.JSON:
        import dataclasses
        import json

        lines = [json.dumps(dataclasses.asdict(block)) for block in blocks]
    else:
        lines = [block_line(block) for block in blocks]
    print("\n".join(lines), flush=True)


def _end_on_signals(stop: "threading.Event") -> None:
    """End in order on Ctrl-C and SIGTERM: what was heard is kept, and connections are closed.

    A second Ctrl-C interrupts at once, as usual.
    """

    def end(number: int, frame: Any) -> None:
        del number, frame
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    try:
        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)
    except ValueError:
        return  # not the main thread: whoever called us ends us
