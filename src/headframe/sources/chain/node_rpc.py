"""What the sources that ask a node have in common: which blocks are new, when they came, and which are missing.

A node is asked or pushes. **Pushed** (ZeroMQ), a block has the time at which its message came. **Asked** every second
or so, it came between the last time the node did not have it and the first time it did: `Block.arrival_time_ns` is the
former, and `Block.resolution_ns` bounds that interval. The bound is the same for all blocks of a source, for a clock
is as coarse as the coarsest of its times: where an answer took longer than the bound allows, the block has no arrival.

Nothing is invented. Blocks that came while the node could not be asked are passed over, and leave a gap in the
heights; a block with a header hours older than its coming is one that the node fetched late, and has no arrival.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from headframe.records.block import Block

RpcCall = Callable[[str, list[Any] | dict[str, Any]], Any]
"""Calls a method of a node and gives its result, as `headframe.sources.chain.connections.JsonRpc` does."""

NS_PER_S = 1_000_000_000
MAX_BACK_FILL = 20_000
"""Most blocks that are asked for at once: more is a matter for a file."""
MAX_WALK = 64
"""Most blocks that a node is believed to have received between two questions; more is a node catching up."""
CATCHING_UP_NS = 2 * 3600 * NS_PER_S
"""A header so much older than its arrival was fetched late: consensus lets header times be wrong by 2 h (Bitcoin Core,
``MAX_FUTURE_BLOCK_TIME``; Monero, ``CRYPTONOTE_BLOCK_FUTURE_TIME_LIMIT``). [ns]"""
ANSWER_S = 1.0
"""How long an answer may take for its block to have an arrival, beside the time between two questions: a node that
checks a new block answers nobody until it is done. [s]"""
REMEMBERED = 4_096
"""Hashes kept to tell a new block from one already passed on."""
CHECK_EVERY_NS = 60 * NS_PER_S
"""How often a node that pushes is asked for its tip, to notice pushes that do not come. [ns]"""
PUSH_GRACE_NS = 10 * NS_PER_S
"""How far a node's push and its own answer may be apart, either way. [ns]"""


@dataclass(frozen=True, slots=True)
class Header:
    """What a node says of a block.

    Attributes
    ----------
    height : int
    block_hash, parent_hash : str
        Hexadecimal, lower case, without ``0x``.
    time_ns : int
        Of the header. [ns since 1970-01-01 UTC]
    """

    height: int
    block_hash: str
    parent_hash: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class Announcement:
    """A block that a node pushed.

    Attributes
    ----------
    block_hash : str
    time_ns : int
        When the push came. [ns since 1970-01-01 UTC]
    height : int or None
        Where the push tells it.
    """

    block_hash: str
    time_ns: int
    height: int | None = None


class Node(Protocol):
    """A node of some family; each method may raise what `RpcCall` raises."""

    @property
    def place(self) -> str:
        """Who says so: ``monerod 127.0.0.1:18081``."""

    def identify(self) -> str:
        """Ticker symbol of the chain that the node follows."""

    def tip(self) -> Header:
        """Header of the last block of the best chain."""

    def header(self, block_hash: str) -> Header:
        """Header of a block."""

    def last_headers(self, count: int) -> list[Header]:
        """Headers of the last `count` blocks of the best chain, oldest first."""

    def close(self) -> None:
        """Give back what is open."""


class Announcements(Protocol):
    """Where a node pushes its blocks."""

    def wait(self, timeout_s: float) -> list[Announcement]:
        """What has come, waiting no longer than `timeout_s`."""

    def close(self) -> None:
        """Give back what is open."""


class NodeSource:
    """Blocks of one node, as they come.

    Parameters
    ----------
    node : Node
    now_ns : callable
        The clock. [ns since 1970-01-01 UTC]
    pause : callable
        Waits so many seconds, or less where the program is to end.
    note : callable
        Takes a sentence about what the user should know.
    poll_s : float
        Time between two questions, where nothing is pushed. [s]
    announcements : Announcements or None
    """

    steady = True

    def __init__(
        self,
        node: Node,
        *,
        now_ns: Callable[[], int],
        pause: Callable[[float], object],
        note: Callable[[str], None] = lambda _: None,
        poll_s: float = 1.0,
        announcements: Announcements | None = None,
    ) -> None:
        self._node = node
        self._now_ns = now_ns
        self._pause = pause
        self._note = note
        self._poll_s = poll_s
        # A quarter for what the pause takes longer than it should on a busy machine.
        self._resolution_ns = round((1.25 * poll_s + ANSWER_S) * NS_PER_S)
        self._announcements = announcements
        self.clock_source = node.place
        self.chain = ""
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._height = -1
        self._asked_ns = 0
        self._pending: list[Announcement] = []
        self._check_ns = 0
        self._unheard = ""
        self._said_catching_up = False

    def open(self) -> None:
        """Ask the node what it follows and where it stands; what came before is not news.

        Raises
        ------
        OSError, ValueError, HeadframeError
            As `RpcCall`.
        """
        self.chain = self._node.identify()
        asked_ns = self._now_ns()
        tip = self._node.tip()
        self._asked_ns = asked_ns
        self._check_ns = asked_ns + CHECK_EVERY_NS
        self._unheard = ""
        if tip.block_hash in self._seen:
            return
        if self._height < 0:
            self._remember(tip)
        elif self._announcements is not None:
            # Its push may be waiting, with its time, or be a moment behind the answer.
            self._unheard = tip.block_hash
            self._check_ns = asked_ns + PUSH_GRACE_NS
        else:
            self._note(
                f"{self.clock_source}: {self.chain} blocks up to height {tip.height} came while it could not be asked; "
                "they have no arrival time"
            )
            self._remember(tip)

    def back_fill(self, count: int) -> list[Block]:
        """The last `count` blocks, by their headers' times alone: nobody noted when they came.

        Parameters
        ----------
        count : int
            At most `MAX_BACK_FILL`; fewer are given where the chain is shorter.

        Returns
        -------
        list of Block
            Oldest first; `Block.arrival_time_ns` is None.

        Raises
        ------
        OSError, ValueError, HeadframeError
            As `RpcCall`.
        """
        headers = self._node.last_headers(min(count, MAX_BACK_FILL)) if count > 0 else []
        return [self._block(header, None, 1) for header in headers]

    def wait(self) -> list[Block]:
        """Blocks that came since the last call; returns within a second or so, and an answer's time.

        Returns
        -------
        list of Block

        Raises
        ------
        OSError, ValueError, HeadframeError
            As `RpcCall`. Nothing is lost: what was pushed waits for the next call.
        """
        if self._announcements is None:
            self._pause(self._poll_s)
            return self._ask()
        self._pending += self._announcements.wait(0.1 if self._pending else 0.5)
        blocks = self._take_pending()
        self._check_pushes()
        return blocks

    def close(self) -> None:
        """Give back what is open."""
        self._node.close()
        if self._announcements is not None:
            self._announcements.close()

    # -- asked -----------------------------------------------------------------------------------------------------

    def _ask(self) -> list[Block]:
        asked_ns = self._now_ns()
        tip = self._node.tip()
        answered_ns = self._now_ns()
        since_ns, self._asked_ns = self._asked_ns, asked_ns
        if tip.block_hash in self._seen:
            return []
        headers = self._walk_back(tip)
        if headers is None:
            self._note(
                f"{self.clock_source}: more than {MAX_WALK} {self.chain} blocks at once, up to height {tip.height}: it "
                "is catching up, and they have no arrival time"
            )
            self._remember(tip)
            return []
        for header in headers:
            self._remember(header)
        # A clock that was set back between two questions tells nothing; nor does an answer that took too long.
        known = 0 <= answered_ns - since_ns < self._resolution_ns
        return [self._block(header, since_ns if known else None, self._resolution_ns) for header in headers]

    def _walk_back(self, tip: Header) -> list[Header] | None:
        """Headers from the first that is new up to `tip`; None where there are too many."""
        headers = [tip]
        while headers[-1].parent_hash not in self._seen and headers[-1].height > 0:
            if len(headers) >= MAX_WALK:
                return None
            parent = self._node.header(headers[-1].parent_hash)
            if parent.height != headers[-1].height - 1:
                raise ValueError(
                    f"{self.clock_source} gives the parent of block {headers[-1].height} the height {parent.height}"
                )
            headers.append(parent)
        return headers[::-1]

    # -- pushed ----------------------------------------------------------------------------------------------------

    def _take_pending(self) -> list[Block]:
        blocks: list[Block] = []
        waiting, self._pending = self._pending, []
        for at, announced in enumerate(waiting):
            if announced.block_hash in self._seen:
                continue
            try:
                header = self._node.header(announced.block_hash)
                if announced.height not in (None, header.height):
                    raise ValueError(
                        f"{self.clock_source} pushes a block with height {announced.height}, and answers with "
                        f"height {header.height}"
                    )
            except OSError:
                self._pending += waiting[at:]
                if blocks:
                    break  # the fault shows again at the next call, and the rest keeps its times
                raise
            except ValueError as error:
                # monerod pushes a block a moment before its RPC knows it (seen with 0.18 on 2026-11-20).
                if 0 <= self._now_ns() - announced.time_ns < PUSH_GRACE_NS:
                    self._pending.append(announced)
                    continue
                self._note(f"{error}; a pushed {self.chain} block is passed over")
                self._see(announced.block_hash)
            else:
                self._remember(header)
                blocks.append(self._block(header, announced.time_ns, 1))
        return blocks

    def _check_pushes(self) -> None:
        """Notice that blocks come and their pushes do not: a wrong address says nothing by itself."""
        now_ns = self._now_ns()
        if now_ns < self._check_ns and self._check_ns - now_ns <= CHECK_EVERY_NS:
            return
        tip = self._node.tip()
        self._check_ns = now_ns + CHECK_EVERY_NS
        if tip.block_hash in self._seen:
            self._unheard = ""
        elif tip.block_hash == self._unheard:
            self._note(
                f"{self.clock_source}: it has {self.chain} block {tip.height}, but no push of it came: either it was "
                "away at the time, or it does not publish at the address given with --zmq. The block has no arrival "
                "time"
            )
            self._remember(tip)
        else:
            self._unheard = tip.block_hash
            self._check_ns = now_ns + PUSH_GRACE_NS

    # -- both ------------------------------------------------------------------------------------------------------

    def _remember(self, header: Header) -> None:
        self._see(header.block_hash)
        self._height = header.height

    def _see(self, block_hash: str) -> None:
        self._seen[block_hash] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def _block(self, header: Header, arrival_ns: int | None, resolution_ns: int) -> Block:
        if arrival_ns is not None and arrival_ns - header.time_ns > CATCHING_UP_NS:
            if not self._said_catching_up:
                self._said_catching_up = True
                self._note(
                    f"{self.clock_source}: {self.chain} block {header.height} is hours old: the node is catching up; "
                    "such blocks have no arrival time"
                )
            arrival_ns, resolution_ns = None, 1
        return Block(
            chain=self.chain,
            height=header.height,
            header_time_ns=header.time_ns,
            arrival_time_ns=arrival_ns,
            clock_source=self.clock_source,
            resolution_ns=resolution_ns,
        )


class RpcNode(ABC):
    """What nodes of all families have in common: a connection to ask, a name, a chain that the user may have named.

    Parameters
    ----------
    call : callable
        See `RpcCall`.
    place : str
        Who says so: ``bitcoind 127.0.0.1:8332``.
    chain : str
        Ticker symbol, where the user names it; else empty.
    close : callable
        Gives the connection back.
    """

    def __init__(self, call: RpcCall, *, place: str, chain: str = "", close: Callable[[], None] = lambda: None) -> None:
        self._call = call
        self.place = place
        self._chain = chain
        self.close = close

    @abstractmethod
    def identify(self) -> str:
        """Ticker symbol of the chain that the node follows."""

    @abstractmethod
    def tip(self) -> Header:
        """Header of the last block of the best chain."""

    @abstractmethod
    def header(self, block_hash: str) -> Header:
        """Header of a block."""

    def last_headers(self, count: int) -> list[Header]:
        """Headers of the last `count` blocks of the best chain, oldest first."""
        return walk_headers(self, count)


def walk_headers(node: Node, count: int) -> list[Header]:
    """Headers of the last `count` blocks by going from child to parent, oldest first.

    Parameters
    ----------
    node : Node
    count : int

    Returns
    -------
    list of Header

    Raises
    ------
    OSError, ValueError, HeadframeError
        As `RpcCall`.
    """
    headers: list[Header] = []
    if count > 0:
        headers.append(node.tip())
    while len(headers) < count and headers[-1].height > 0:
        headers.append(node.header(headers[-1].parent_hash))
    return headers[::-1]


def check_object(value: Any, what: str, place: str, keys: Sequence[str]) -> dict[str, Any]:
    """`value`, if it is an object that has all `keys`.

    Raises
    ------
    ValueError
        If it is not; the message says what came.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{place} answers {what} with {_kind(value)}; an object with {', '.join(keys)} is right")
    absent = [key for key in keys if key not in value]
    if absent:
        raise ValueError(f"{place} answers {what} without {', '.join(absent)}; is this a node of this kind?")
    return value


def check_int(value: Any, what: str, place: str, most: int = 1 << 53) -> int:
    """`value`, if it is a whole number from 0 to `most`.

    Raises
    ------
    ValueError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{place} gives {what} as {str(value)[:80]!r}; a whole number of 0 or more is right")
    return value


def check_hash(value: Any, what: str, place: str) -> str:
    """A hash of 32 bytes in lower-case hexadecimal, without ``0x``.

    Raises
    ------
    ValueError
        If `value` is none.
    """
    if isinstance(value, str):
        text = value.removeprefix("0x").lower()
        if len(text) == 64 and not set(text) - set("0123456789abcdef"):
            return text
    raise ValueError(f"{place} gives {what} as {str(value)[:80]!r}; 64 hexadecimal digits are right")


def header_time_ns(value: Any, place: str) -> int:
    """Header time of a block out of whole seconds. [ns since 1970-01-01 UTC]

    Raises
    ------
    ValueError
        If it is no time that a header can hold.
    """
    # 2**32 s is what a 32-bit header can say; Monero's may be longer, but a later year would be nonsense all the same.
    return check_int(value, "the time of a block", place, most=1 << 32) * NS_PER_S


def _kind(value: Any) -> str:
    names: Iterable[tuple[type, str]] = (
        (type(None), "null"),
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "a text"),
        (list, "a list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), type(value).__name__)
