"""Follow block clocks: addresses in, blocks out as they come, patiently and politely.

Each source has a thread that waits for it; whoever called `follow` gets the blocks one after another in its own
thread, and writes them through the callable it hands in. A source that goes away is tried again after a wait that
doubles up to a limit and varies by chance, so that many sensors do not come back in the same second. One that refuses
is not tried again.
"""

import queue
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from headframe.errors import HeadframeError
from headframe.records.block import Block
from headframe.sources.chain import bitcoin_node, ethereum_node, monero_node
from headframe.sources.chain.chains import CHAINS
from headframe.sources.chain.connections import JsonRpc, Login
from headframe.sources.chain.node_rpc import Announcements, Node, NodeSource
from headframe.sources.chain.pool_subscription import PoolDialect, PoolListener, PoolSource, usual_dialect

NODE_BACKOFF_S = (1.0, 60.0)
POOL_BACKOFF_S = (10.0, 900.0)
"""First and longest wait before a source is tried again; longer where the machine is somebody else's. [s]"""
SCHEMES = {
    "bitcoin+http": ("bitcoin", "bitcoind", bitcoin_node.DEFAULT_PORT),
    "bitcoin+https": ("bitcoin", "bitcoind", bitcoin_node.DEFAULT_PORT),
    "monero+http": ("monero", "monerod", monero_node.DEFAULT_PORT),
    "monero+https": ("monero", "monerod", monero_node.DEFAULT_PORT),
    "ethereum+http": ("ethereum", "ethereum node", ethereum_node.DEFAULT_PORT),
    "ethereum+https": ("ethereum", "ethereum node", ethereum_node.DEFAULT_PORT),
    "stratum+tcp": ("pool", "pool", 0),
    "stratum+ssl": ("pool", "pool", 0),
}
"""Forms of an address: what answers there, how messages name it, and its usual port."""
_EXAMPLES = (
    "bitcoin+http://user:pass@host:8332, monero+http://host:18081, ethereum+http://host:8545, stratum+tcp://host:3333"
)


class BlockSource(Protocol):
    """Where blocks come from, one after another.

    Attributes
    ----------
    clock_source : str
        See `Block.clock_source`.
    chain : str
        Ticker symbol; empty until `open` found it out.
    steady : bool
        Whether all is well, so that the next failure is a new one.
    """

    clock_source: str
    chain: str

    @property
    def steady(self) -> bool:
        """Whether all is well."""

    def open(self) -> None:
        """Connect, or connect again."""

    def back_fill(self, count: int) -> list[Block]:
        """The last `count` blocks by their headers' times."""

    def wait(self) -> list[Block]:
        """What has come; returns within a second or so."""

    def close(self) -> None:
        """Give back what is open."""


@dataclass(frozen=True, slots=True)
class ClockAddress:
    """Where a clock is, taken apart.

    Attributes
    ----------
    kind : {'bitcoin', 'monero', 'ethereum', 'pool'}
    place : str
        Name without login: ``monerod 127.0.0.1:18081``. It becomes `Block.clock_source`.
    host : str
    port : int
    tls : bool
    path : str
        Of a node's RPC.
    user, password : str
        Not shown by ``repr``.
    chain : str
        Ticker symbol after ``#``; empty where none is given.
    """

    kind: str
    place: str
    host: str
    port: int
    tls: bool
    path: str = ""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    chain: str = ""


def parse_address(text: str) -> ClockAddress:
    """Take the address of a clock apart.

    Parameters
    ----------
    text : str
        ``scheme://[user:password@]host[:port][/path][#CHAIN]``; the schemes are in `SCHEMES`.

    Returns
    -------
    ClockAddress

    Raises
    ------
    ValueError
        If it is none; the message does not repeat a password.

    Examples
    --------
    >>> parse_address("monero+http://[::1]").place
    'monerod [::1]:18081'
    >>> parse_address("bitcoin+http://me:secret@10.0.0.1#LTC").chain
    'LTC'
    """
    if any(ord(character) <= 32 or ord(character) == 127 for character in text):
        raise ValueError(f"an address without blanks is right, such as {_EXAMPLES}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(
            f"{_shown(text)} is no address: its host or port cannot be read; right is {_EXAMPLES}"
        ) from None
    found = SCHEMES.get(parts.scheme.lower())
    if found is None or not parts.hostname:
        raise ValueError(f"{_shown(text)} is no address of a clock; right is one like {_EXAMPLES}")
    kind, name, usual_port = found
    chain = parts.fragment.upper()
    if chain and not (chain.isascii() and chain.replace("-", "").isalnum() and len(chain) <= 20):
        raise ValueError(f"{_shown(text)}: after # stands a chain's ticker symbol, such as #LTC")
    port = port or usual_port
    if not port:
        raise ValueError(f"{_shown(text)} has no port; pools have no usual one")
    if parts.query or (kind == "pool" and (parts.path.strip("/") or parts.username)):
        more = "the login goes into --login" if kind == "pool" else "nothing may follow a question mark"
        raise ValueError(f"{_shown(text)} has parts that an address of this kind does not have; {more}")
    host = parts.hostname
    shown_host = f"[{host}]" if ":" in host else host
    return ClockAddress(
        kind=kind,
        place=f"{name} {shown_host}:{port}",
        host=host,
        port=port,
        tls=parts.scheme.lower() in ("stratum+ssl", "bitcoin+https", "monero+https", "ethereum+https"),
        path=parts.path,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        chain=chain,
    )


def _shown(text: str) -> str:
    """An address without its login, for messages."""
    before, at, after = text.rpartition("@")
    return f"{before.partition('://')[0]}://...@{after}"[:120] if at else text[:120]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOptions:
    """What goes for all addresses of one run.

    Attributes
    ----------
    chain : str
        Ticker symbol where the address has none; empty: the node is asked.
    zmq : str
        Where the node publishes; empty: it is asked every `poll_s`.
    cookie : Path or None
        Cookie file of a Bitcoin node.
    login, password : str
        For a pool. The login is not shown by ``repr``.
    dialect : PoolDialect or None
        None: the usual one of the chain's family.
    fingerprint : str
        SHA-256 of the pool's certificate.
    subscribe : bool
        Whether the user agrees to a connection to a pool.
    poll_s : float
        How often a node is asked. [s]
    """

    chain: str = ""
    zmq: str = ""
    cookie: Path | None = None
    login: str = field(default="", repr=False)
    password: str = field(default="x", repr=False)
    dialect: PoolDialect | None = None
    fingerprint: str = ""
    subscribe: bool = False
    poll_s: float = 1.0


def make_source(
    address: ClockAddress,
    options: FollowOptions,
    *,
    now_ns: Callable[[], int],
    pause: Callable[[float], object],
    note: Callable[[str], None],
) -> BlockSource:
    """Source of an address; nothing is connected yet (but for ``--zmq``, which listens from here on).

    Parameters
    ----------
    address : ClockAddress
    options : FollowOptions
    now_ns : callable
        The clock. [ns since 1970-01-01 UTC]
    pause : callable
        Waits so many seconds, or less where the program is to end.
    note : callable
        Takes a sentence about what the user should know.

    Returns
    -------
    BlockSource

    Raises
    ------
    HeadframeError
        If the options do not suit the address.
    """
    chain = address.chain or options.chain
    if address.kind == "pool":
        return _pool_source(address, options, chain, now_ns=now_ns, note=note)
    scheme = "https" if address.tls else "http"
    host = f"[{address.host}]" if ":" in address.host else address.host
    path = address.path or "/"
    if address.kind == "monero":
        path = address.path.rstrip("/") + "/json_rpc"
    login = Login(
        address.user,
        address.password,
        cookie=options.cookie if address.kind == "bitcoin" and not address.user else None,
        digest=address.kind == "monero",
    )
    rpc = JsonRpc(f"{scheme}://{host}:{address.port}{path}", place=address.place, login=login)
    announcements: Announcements | None = None
    node: Node
    if address.kind == "bitcoin":
        node = bitcoin_node.BitcoinNode(rpc, place=address.place, chain=chain, close=rpc.close)
        if options.zmq:
            announcements = bitcoin_node.HashBlockAnnouncements(options.zmq, now_ns=now_ns, note=note)
    elif address.kind == "monero":
        node = monero_node.MoneroNode(rpc, place=address.place, chain=chain, close=rpc.close)
        if options.zmq:
            announcements = monero_node.ChainMainAnnouncements(options.zmq, now_ns=now_ns, note=note)
    else:
        if options.zmq:
            raise HeadframeError(
                "--zmq is for Bitcoin's and Monero's nodes; those of Ethereum's family push nothing over it"
            )
        node = ethereum_node.EthereumNode(rpc, place=address.place, chain=chain, close=rpc.close)
    return NodeSource(node, now_ns=now_ns, pause=pause, note=note, poll_s=options.poll_s, announcements=announcements)


def _pool_source(
    address: ClockAddress,
    options: FollowOptions,
    chain: str,
    *,
    now_ns: Callable[[], int],
    note: Callable[[str], None],
) -> PoolSource:
    if not options.subscribe:
        raise HeadframeError(
            f"{address.place} is a pool: --subscribe opens a connection there, logs in and listens, without ever "
            "handing in a share. Whether the pool allows that is for its terms to say; read them first"
        )
    if not options.login:
        raise HeadframeError(f"{address.place} is a pool and wants a login: give your account there with --login")
    if not chain:
        raise HeadframeError(
            f"{address.place} is a pool, which does not say what it mines: give --chain, such as --chain BTC"
        )
    known = CHAINS.get(chain)
    dialect = options.dialect or usual_dialect(known.family if known else "")
    listener = PoolListener(
        dialect,
        chain=chain,
        login=options.login,
        password=options.password,
        clock_source=address.place,
        note=note,
    )
    return PoolSource(
        listener,
        chain=chain,
        host=address.host,
        port=address.port,
        tls=address.tls,
        clock_source=address.place,
        now_ns=now_ns,
        fingerprint=options.fingerprint,
    )


class Backoff:
    """How long to wait before the next try: twice as long after each failure, give or take a half.

    Parameters
    ----------
    first_s, longest_s : float
        Mean of the first wait, and of the longest. [s]
    rng : random.Random
        Source of chance.
    """

    def __init__(self, first_s: float, longest_s: float, rng: random.Random) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._rng = rng
        self._failures = 0

    def failed(self) -> float:
        """Note a failure.

        Returns
        -------
        float
            How long to wait now. [s]
        """
        # 2**30 s is longer than any limit; without a bound the power would overflow one day.
        mean_s = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return mean_s * self._rng.uniform(0.5, 1.5)

    def succeeded(self) -> None:
        """Note that all is well."""
        self._failures = 0


@dataclass(frozen=True, slots=True)
class _Ended:
    """A source that is not tried again, and why; None where it was asked to stop."""

    error: Exception | None


def follow(
    sources: Sequence[BlockSource],
    *,
    write: Callable[[Sequence[Block]], object],
    stop: threading.Event,
    rng: random.Random,
    monotonic_s: Callable[[], float],
    note: Callable[[str], None] = lambda _: None,
    back_fill: int = 0,
    count: int | None = None,
    duration_s: float | None = None,
) -> int:
    """Hand on blocks as they come, until there are enough, time is up, or `stop` is set.

    Parameters
    ----------
    sources : sequence of BlockSource
        Closed when this returns.
    write : callable
        Takes blocks as they come: a few at a time, or some thousands of a back-fill; called in this thread only.
    stop : threading.Event
        Set from elsewhere, it ends this within a second or so; set by this when it ends.
    rng : random.Random
        Varies the waits between tries.
    monotonic_s : callable
        Clock for `duration_s`. [s]
    note : callable
        Takes a sentence about what the user should know; called from any thread.
    back_fill : int
        How many past blocks to fetch from each node, by header times alone.
    count : int or None
        Ends after so many blocks with an arrival time.
    duration_s : float or None
        Ends after so long. [s]

    Returns
    -------
    int
        Blocks with an arrival time that were written.

    Raises
    ------
    HeadframeError, ValueError
        If no source is left: what the last one said.
    """
    # Small: when the writer is slow, the threads wait, and the sources keep what comes with its time.
    ready: queue.Queue[list[Block] | _Ended] = queue.Queue(64)
    threads = [
        threading.Thread(
            target=_run,
            args=(source, ready, stop, random.Random(rng.random()), note, back_fill),
            name=source.clock_source,
            daemon=True,
        )
        for source in sources
    ]
    end_s = None if duration_s is None else monotonic_s() + duration_s
    written, left = 0, len(threads)
    last: Exception | None = None
    try:
        for thread in threads:
            thread.start()
        while left and not stop.is_set() and (end_s is None or monotonic_s() < end_s):
            try:
                item = ready.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(item, _Ended):
                left -= 1
                last = item.error or last
                if item.error is not None and left:
                    note(f"{item.error}; the others go on")
                continue
            live = [block for block in item if block.arrival_time_ns is not None]
            if count is not None and written + len(live) > count:
                item = _up_to(item, count - written)
                live = [block for block in item if block.arrival_time_ns is not None]
            if item:
                write(item)
            written += len(live)
            if count is not None and written >= count:
                break
    finally:
        stop.set()
        for thread in threads:
            # Whoever waits for an answer of a node may do so for ten seconds; it ends with the program.
            if thread.ident is not None:
                thread.join(timeout=1.5)
    while not ready.empty():
        # What came before the end was heard, and is kept.
        item = ready.get_nowait()
        if not isinstance(item, _Ended) and (count is None or written < count):
            item = item if count is None else _up_to(item, count - written)
            write(item)
            written += sum(block.arrival_time_ns is not None for block in item)
    if not left and last is not None:
        raise last
    return written


def _up_to(blocks: list[Block], live: int) -> list[Block]:
    kept: list[Block] = []
    for block in blocks:
        if block.arrival_time_ns is not None:
            if live <= 0:
                break
            live -= 1
        kept.append(block)
    return kept


def _run(
    source: BlockSource,
    ready: "queue.Queue[list[Block] | _Ended]",
    stop: threading.Event,
    rng: random.Random,
    note: Callable[[str], None],
    back_fill: int,
) -> None:
    """Wait for one source until `stop`; the body of its thread."""
    limits = POOL_BACKOFF_S if isinstance(source, PoolSource) else NODE_BACKOFF_S
    backoff = Backoff(*limits, rng)
    filled = back_fill <= 0
    worked = False
    error: Exception | None = None
    try:
        while not stop.is_set():
            try:
                source.open()
                if not filled:
                    _put(source.back_fill(back_fill), ready, stop)
                    filled = True
                while not stop.is_set():
                    blocks = source.wait()
                    worked = True
                    if source.steady:
                        backoff.succeeded()
                    _put(blocks, ready, stop)
            except OSError as away:
                trouble: Exception = away
            except ValueError as nonsense:
                # At first contact it is the wrong server; later on it may have been a bad moment.
                if not worked:
                    error = nonsense
                    return
                trouble = nonsense
            wait_s = backoff.failed()
            if not stop.is_set():
                note(f"{trouble}; next try in {wait_s:.0f} s")
                stop.wait(wait_s)
    except Exception as fault:  # a fault must end in words, not in a thread that is silently gone
        error = fault
    finally:
        source.close()
        _put(_Ended(error), ready, stop)


def _put(item: list[Block] | _Ended, ready: "queue.Queue[list[Block] | _Ended]", stop: threading.Event) -> None:
    while item:
        try:
            ready.put(item, timeout=0.2)
            return
        except queue.Full:
            if stop.is_set():
                return


__all__ = [
    "Backoff",
    "BlockSource",
    "ClockAddress",
    "FollowOptions",
    "follow",
    "make_source",
    "parse_address",
]
