"""A mining pool's job messages as a clock: one connection that logs in, listens, and never hands in a share.

A pool tells its miners of each new block within a second or so, because work on the old one is worth nothing. A job
names the block that it builds on, and most name the height of the block to be found: the block that has just come is
**one lower**, and that is the height given here.

What is sent is a subscription or login, an answer to the pool's own questions, and a keep-alive where the dialect has
one. Nothing is mined, so nothing can be handed in. The first job after a connection is older than the connection and
gives no block; blocks that came while nobody listened leave a gap.

`PoolListener` is the conversation without a socket, `PoolSource` the socket.

References
----------
"Stratum mining protocol" of the Bitcoin wiki (mining.subscribe, authorize, notify). BIP 34 (height in the coinbase).
ZIP 301 (Zcash). EthereumStratum_NiceHash_v1.0.0; EIP-1571 (EthereumStratum/2.0.0). CryptoNote: ``doc/STRATUM.md`` of
xmrig-proxy; the block's header begins with two versions and a time as variable-length integers, then 32 bytes of the
previous block's hash (CryptoNote Standard 003, section 4). ``eth_getWork``: Ethereum JSON-RPC; pools add the number of
the block to be found as a fourth element.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from headframe import __version__
from headframe.errors import HeadframeError
from headframe.records.block import Block
from headframe.sources.chain.connections import TIMEOUT_S, LineConnection

AGENT = f"headframe/{__version__}"
"""The name given to the pool: it may know who listens."""
KEEPALIVE_AFTER_NS = 60_000_000_000
"""XMRig sends ``keepalived`` after a minute without traffic. [ns]"""
SILENT_FOR_NS = 15 * 60_000_000_000
"""A pool that says nothing for so long is gone: jobs are renewed every few minutes at the latest. [ns]"""
STEADY_AFTER_NS = 60_000_000_000
"""A connection that lasted so long, and brought a job, was no failure. [ns]"""
OTHER_CHAIN_BLOCKS = 100
"""Heights so far apart from one job to the next belong to two chains: some pools move their miners about. [blocks]"""
_WAIT_S = 0.5
_OP_1, _OP_16 = 0x51, 0x60
"""How a script pushes 1 to 16; BIP 34 asks for the shortest push."""


class PoolDialect(StrEnum):
    """How to log in; jobs are known by their form."""

    STRATUM = "stratum"
    CRYPTONOTE = "cryptonote"
    ETH_PROXY = "eth-proxy"
    ETHEREUM_STRATUM = "ethereum-stratum"


def usual_dialect(family: str) -> PoolDialect:
    """What pools of a family of chains speak, unless the user says otherwise.

    Parameters
    ----------
    family : str
        See `headframe.records.block.Chain`.

    Returns
    -------
    PoolDialect
    """
    return {"monero": PoolDialect.CRYPTONOTE, "ethereum": PoolDialect.ETH_PROXY}.get(family, PoolDialect.STRATUM)


@dataclass(frozen=True, slots=True)
class Job:
    """What a job says of the chain.

    Attributes
    ----------
    height : int or None
        Of the block to be found; None where the form has no place for it.
    parent : str
        Which block it builds on; empty where the form does not tell.
    """

    height: int | None
    parent: str


class PoolListener:
    """The listener's side of a conversation with a pool: lines in, blocks and lines out; no socket and no clock.

    Parameters
    ----------
    dialect : PoolDialect
    chain : str
        Ticker symbol: a pool does not say it.
    login, password : str
        Sent to the pool, and nowhere else.
    clock_source : str
        ``pool pool.example:3333``.
    note : callable
        Takes a sentence about what the user should know.
    """

    def __init__(
        self,
        dialect: PoolDialect,
        *,
        chain: str,
        login: str,
        password: str = "",
        clock_source: str,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._dialect = dialect
        self._chain = chain
        self._login = login
        self._password = password
        self._clock_source = clock_source
        self._note = note
        self._job: Job | None = None
        self._fresh = True
        self._session = ""
        self._noted: set[str] = set()
        self.has_job = False

    def opening(self) -> list[bytes]:
        """First lines of a new connection.

        Returns
        -------
        list of bytes
        """
        self._fresh = True
        self._session = ""
        self.has_job = False
        if self._dialect is PoolDialect.CRYPTONOTE:
            params = {"login": self._login, "pass": self._password, "agent": AGENT}
            return [_line({"id": 1, "jsonrpc": "2.0", "method": "login", "params": params})]
        if self._dialect is PoolDialect.ETH_PROXY:
            return [
                _line({"id": 1, "jsonrpc": "2.0", "method": "eth_submitLogin", "params": [self._login, self._password]})
            ]
        params_v1 = [AGENT, "EthereumStratum/1.0.0"] if self._dialect is PoolDialect.ETHEREUM_STRATUM else [AGENT]
        return [_line({"id": 1, "method": "mining.subscribe", "params": params_v1})]

    def keepalive(self) -> list[bytes]:
        """What to send when nothing has been said for `KEEPALIVE_AFTER_NS`; only one dialect has a word for it.

        Returns
        -------
        list of bytes
        """
        if self._dialect is PoolDialect.CRYPTONOTE and self._session:
            return [_line({"id": 3, "jsonrpc": "2.0", "method": "keepalived", "params": {"id": self._session}})]
        return []

    def feed(self, line: bytes, time_ns: int) -> tuple[list[Block], list[bytes]]:
        """What a line of the pool amounts to.

        Parameters
        ----------
        line : bytes
            Without its end.
        time_ns : int
            When it came. [ns since 1970-01-01 UTC]

        Returns
        -------
        blocks : list of Block
            At most one.
        answers : list of bytes
            Lines to send.

        Raises
        ------
        ValueError
            If the line is no JSON object.
        ConnectionError
            If the pool asks to be left.
        HeadframeError
            If it refuses the login.
        """
        if not line.strip():
            return [], []
        try:
            value = orjson.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ValueError(
                f"{self._clock_source} sends {line[:40]!r}; a pool sends one JSON object per line. Is the port right, "
                "and is it TLS (stratum+ssl) or not (stratum+tcp)?"
            )
        method = value.get("method")
        if isinstance(method, str):
            return self._asked(method, value, time_ns)
        return self._answered(value, time_ns)

    # -- what the pool says by itself ------------------------------------------------------------------------------

    def _asked(self, method: str, value: dict[str, Any], time_ns: int) -> tuple[list[Block], list[bytes]]:
        params = value.get("params")
        number = value.get("id")
        if method == "mining.notify":
            return self._take(job_of_notify, params, time_ns), []
        if method == "job":
            return self._take(job_of_cryptonote, params, time_ns), []
        if method == "client.reconnect":
            # Only the host that the user named is called again; a stranger in between must not send us elsewhere.
            raise ConnectionError("the pool asks to connect again")
        if method == "client.get_version":
            return [], [_line({"id": number, "result": AGENT, "error": None})]
        if method == "mining.ping":
            return [], [_line({"id": number, "result": "pong", "error": None})]
        return [], []  # difficulties, extra nonces, messages for people: nothing that tells a time

    # -- what the pool answers -------------------------------------------------------------------------------------

    def _answered(self, value: dict[str, Any], time_ns: int) -> tuple[list[Block], list[bytes]]:
        number, result = value.get("id"), value.get("result")
        fault = value.get("error")
        asked_for_work = number == 2 and self._dialect is PoolDialect.ETH_PROXY
        if number in (1, 2) and not asked_for_work and (fault or result is False):
            # The pool's words may repeat the login, which is a wallet.
            words = _error_words(fault).replace(self._login, "...") if self._login else _error_words(fault)
            raise HeadframeError(
                f"{self._clock_source} refuses the subscription or login: {words or 'no reason given'}. "
                "It is not tried again; look at --login and --dialect"
            )
        if fault and (asked_for_work or number == 3):
            raise ConnectionError(f"the pool answers with an error: {_error_words(fault)}".replace(self._login, "..."))
        if self._dialect is PoolDialect.CRYPTONOTE:
            if isinstance(result, dict) and isinstance(result.get("job"), dict):
                session = result.get("id")
                self._session = session if isinstance(session, str) else self._session
                return self._take(job_of_cryptonote, result["job"], time_ns), []
            return [], []
        if isinstance(result, list) and _is_work(result):
            return self._take(job_of_work, result, time_ns), []
        if number == 1 and self._dialect is PoolDialect.ETH_PROXY:
            return [], [_line({"id": 2, "jsonrpc": "2.0", "method": "eth_getWork", "params": []})]
        if number == 1:
            return [], [_line({"id": 2, "method": "mining.authorize", "params": [self._login, self._password]})]
        return [], []

    def _take(self, read: Callable[[Any], Job], value: Any, time_ns: int) -> list[Block]:
        try:
            job = read(value)
        except ValueError as error:
            self._note_once(f"{self._clock_source}: {error}")
            return []
        self.has_job = True
        before, self._job = self._job, job
        fresh, self._fresh = self._fresh, False
        if job.height is None:
            self._note_once(
                f"{self._clock_source}: its jobs do not tell the height, so its blocks cannot be placed on the chain; "
                "use a node, or another pool"
            )
            return []
        if before is None or before.height is None:
            return []
        new = job.parent != before.parent if job.parent and before.parent else job.height != before.height
        if not new:
            return []
        apart = abs(job.height - before.height)
        if fresh:
            self._note(
                f"{self._clock_source}: {self._chain} blocks up to height {job.height - 1} came while nobody listened; "
                "they have no arrival time"
            )
            return []
        if apart > OTHER_CHAIN_BLOCKS:
            self._note(
                f"{self._clock_source}: the height went from {before.height} to {job.height}: it seems to move its "
                "miners from one chain to another, which makes a poor clock"
            )
            return []
        return [
            Block(
                chain=self._chain,
                height=job.height - 1,
                header_time_ns=None,
                arrival_time_ns=time_ns,
                clock_source=self._clock_source,
            )
        ]

    def _note_once(self, words: str) -> None:
        if words not in self._noted:
            self._noted.add(words)
            self._note(words)


class PoolSource:
    """Blocks of one pool, as it tells them; one connection.

    Parameters
    ----------
    listener : PoolListener
    chain : str
    host : str
    port : int
    tls : bool
    fingerprint : str
        See `LineConnection`.
    clock_source : str
    now_ns : callable
        The clock. [ns since 1970-01-01 UTC]
    timeout_s : float
        To connect. [s]
    """

    def __init__(
        self,
        listener: PoolListener,
        *,
        chain: str,
        host: str,
        port: int,
        tls: bool,
        clock_source: str,
        now_ns: Callable[[], int],
        fingerprint: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._listener = listener
        self._host = host
        self._port = port
        self._tls = tls
        self._fingerprint = fingerprint
        self._now_ns = now_ns
        self._timeout_s = timeout_s
        self._connection: LineConnection | None = None
        self._opened_ns = 0
        self._heard_ns = 0
        self._said_ns = 0
        self.chain = chain
        self.clock_source = clock_source

    @property
    def steady(self) -> bool:
        """Whether the connection has brought a job and lasted."""
        return self._listener.has_job and self._now_ns() - self._opened_ns >= STEADY_AFTER_NS

    def open(self) -> None:
        """Connect, and say what a miner says first.

        Raises
        ------
        OSError, HeadframeError
            As `LineConnection`.
        """
        self.close()
        try:
            self._connection = LineConnection(
                self._host,
                self._port,
                tls=self._tls,
                now_ns=self._now_ns,
                fingerprint=self._fingerprint,
                timeout_s=self._timeout_s,
            )
        except OSError as error:
            raise ConnectionError(f"{self.clock_source} cannot be reached: {error.strerror or error}") from error
        self._opened_ns = self._heard_ns = self._now_ns()
        self._send(self._listener.opening())

    def back_fill(self, count: int) -> list[Block]:
        """Nothing: a pool does not tell the past."""
        del count
        return []

    def wait(self) -> list[Block]:
        """Blocks that the pool told of since the last call; returns within a second.

        Returns
        -------
        list of Block

        Raises
        ------
        OSError, ValueError, HeadframeError
            If the pool is gone, talks nonsense, or refuses the login.
        """
        connection = self._connection
        if connection is None:
            raise ConnectionError(f"{self.clock_source} is not connected")
        blocks: list[Block] = []
        try:
            for line, time_ns in connection.wait(_WAIT_S):
                self._heard_ns = time_ns
                came, answers = self._listener.feed(line, time_ns)
                blocks += came
                self._send(answers)
        except OSError as error:
            self.close()
            if blocks:
                return blocks  # the next call finds that nothing is connected
            raise ConnectionError(f"{self.clock_source}: {error.strerror or error}") from error
        now_ns = self._now_ns()
        if now_ns - self._heard_ns > SILENT_FOR_NS:
            self.close()
            raise ConnectionError(f"{self.clock_source} has been silent for {SILENT_FOR_NS // 60_000_000_000} minutes")
        if now_ns - max(self._heard_ns, self._said_ns) > KEEPALIVE_AFTER_NS:
            self._send(self._listener.keepalive())
            self._said_ns = now_ns
        return blocks

    def _send(self, lines: list[bytes]) -> None:
        for line in lines:
            assert self._connection is not None
            self._connection.send(line)
            self._said_ns = self._now_ns()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _line(message: dict[str, Any]) -> bytes:
    return orjson.dumps(message) + b"\n"


def _error_words(fault: Any) -> str:
    if isinstance(fault, dict):
        return str(fault.get("message", ""))[:200]
    if isinstance(fault, list) and len(fault) > 1:
        return str(fault[1])[:200]
    return str(fault)[:200] if fault else ""


# -- what a job says -----------------------------------------------------------------------------------------------


def job_of_notify(params: Any) -> Job:
    """What ``mining.notify`` says of the chain, in each of the forms that pools use.

    Parameters
    ----------
    params : list
        As it came.

    Returns
    -------
    Job

    Raises
    ------
    ValueError
        If it is none of the known forms.

    Examples
    --------
    >>> job_of_notify(["1", "ab" * 32, "cd" * 32, True])  # EthereumStratum/1.0.0: seed and header, no height
    Job(height=None, parent='')
    """
    if isinstance(params, list):
        count = len(params)
        if count >= 9 and isinstance(params[4], list) and _is_hex(params[1], 64):
            return Job(coinbase_height(params[2]), params[1].lower())  # Bitcoin's family
        if count >= 8 and _is_hex(params[1], 8) and _is_hex(params[2], 64) and _is_hex(params[3], 64):
            return Job(None, params[2].lower())  # Zcash: no coinbase, so no height
        if count >= 6 and all(_is_hex(part, 64) for part in params[1:4]) and _is_height(params[5]):
            return Job(params[5], "")  # KawPoW: header, seed, target, clean, height
        if count >= 3 and _is_height(params[1]) and _is_hex(params[2], 64):
            return Job(params[1], "")  # Ergo, and EthereumStratum/2.0.0 with a number
        if 4 <= count <= 5 and isinstance(params[1], str) and 0 < len(params[1]) <= 8 and _is_hex(params[2], 64):
            if _is_hex(params[1], len(params[1])):
                return Job(int(params[1], 16), "")  # EthereumStratum/2.0.0: height in hexadecimal
        if 3 <= count <= 5 and _is_hex(params[1], 64) and _is_hex(params[2], 64):
            return Job(None, "")  # EthereumStratum/1.0.0
    raise ValueError("a mining.notify of an unknown form; its jobs cannot be used as a clock")


def job_of_cryptonote(params: Any) -> Job:
    """What a CryptoNote job says of the chain: its ``height``, and the previous block's hash out of its ``blob``.

    Parameters
    ----------
    params : dict
        As it came.

    Returns
    -------
    Job

    Raises
    ------
    ValueError
        If it is no job.

    Examples
    --------
    >>> job_of_cryptonote({"job_id": "1", "height": 9, "blob": "101080" + "01" + "ab" * 32 + "00" * 40}).parent[:4]
    'abab'
    """
    if not isinstance(params, dict) or not isinstance(params.get("blob"), str):
        raise ValueError("a job without a blob; its jobs cannot be used as a clock")
    height = params.get("height")
    return Job(height if _is_height(height) else None, _previous_of_blob(params["blob"]))


def job_of_work(result: Any) -> Job:
    """What ``eth_getWork`` says of the chain: the fourth element, where the pool gives it.

    Parameters
    ----------
    result : list
        Header hash, seed hash, target, and perhaps the number of the block to be found.

    Returns
    -------
    Job

    Raises
    ------
    ValueError
        If it is no work.

    Examples
    --------
    >>> job_of_work(["0x" + "ab" * 32] * 3 + ["0xe4e1c0"])
    Job(height=15000000, parent='')
    """
    if not isinstance(result, list) or not _is_work(result):
        raise ValueError("work of an unknown form; it cannot be used as a clock")
    number = result[3] if len(result) > 3 else None
    if (
        isinstance(number, str)
        and 2 < len(number) <= 12
        and number.startswith("0x")
        and _is_hex(number, len(number) - 2)
    ):
        return Job(int(number, 16), "")
    return Job(None, "")


def coinbase_height(coinbase1: Any) -> int | None:
    """Height of the block to be found, out of the first part of its coinbase transaction.

    Parameters
    ----------
    coinbase1 : str
        Hexadecimal: version, one input without a previous output, then the script that begins with the height.

    Returns
    -------
    int or None
        None where it does not begin so.

    References
    ----------
    BIP 34: "the first byte is the number of bytes in the number, then the number, least significant byte first"; up to
    16 as one operation (Bitcoin Core, ``CScript::push_int64``).

    Examples
    --------
    >>> coinbase_height("01000000" + "01" + "00" * 32 + "ffffffff" + "35" + "03a0860e" + "00" * 20)
    951968
    """
    # The height lies within the first 60 bytes; what follows may be long.
    data = _bytes_of(coinbase1, 120)
    opening = b"\x01" + bytes(32) + b"\xff\xff\xff\xff"
    for at in (4, 8):  # behind the version; chains that put 4 more bytes there begin 4 later
        if data[at : at + 37] != opening or len(data) < at + 39:
            continue
        size = data[at + 38]  # behind the script's length
        if _OP_1 <= size <= _OP_16:
            return size - _OP_1 + 1
        number = data[at + 39 : at + 39 + size]
        if 1 <= size <= 4 and len(number) == size and not number[-1] & 0x80:
            return int.from_bytes(number, "little")
    return None


def _previous_of_blob(blob: str) -> str:
    """Hash of the previous block out of a CryptoNote hashing blob; empty where it has another form."""
    data = _bytes_of(blob, 160)
    at = 0
    for _ in range(3):  # major version, minor version, time
        length = 1
        while length <= 10 and at + length <= len(data) and data[at + length - 1] & 0x80:
            length += 1
        at += length
    previous = data[at : at + 32]
    return previous.hex() if len(previous) == 32 else ""


def _bytes_of(text: Any, digits: int) -> bytes:
    """The first `digits` hexadecimal digits of a text as bytes; nothing where it has others."""
    if not isinstance(text, str):
        return b""
    part = text.removeprefix("0x")[:digits]
    part = part[: len(part) & ~1]
    return bytes.fromhex(part) if _is_hex(part, len(part)) else b""


def _is_work(result: list[Any]) -> bool:
    return 3 <= len(result) <= 6 and all(_is_hex(part, 64) for part in result[:3])


def _is_height(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 40


def _is_hex(value: Any, digits: int) -> bool:
    if not isinstance(value, str):
        return False
    text = value[2:] if value[:2] in ("0x", "0X") else value
    return len(text) == digits and not set(text) - set("0123456789abcdefABCDEF")
