"""A Monero node: JSON-RPC for headers, ZeroMQ ``json-minimal-chain_main`` for the moment a block is there.

References
----------
monerod: "Daemon RPC documentation" (``get_info``, ``get_last_block_header``, ``get_block_header_by_hash``,
``get_block_headers_range``); ``docs/ZMQ.md``: the message is the topic, a colon and a JSON object with
``first_height``, ``first_prev_id`` and ``ids``, the hashes of the blocks that the main chain gained.
"""

from collections.abc import Callable
from typing import Any

import orjson

from headframe.errors import HeadframeError
from headframe.sources.chain.connections import ZmqSubscription
from headframe.sources.chain.node_rpc import (
    Announcement,
    Header,
    RpcNode,
    check_hash,
    check_int,
    check_object,
    header_time_ns,
)

DEFAULT_PORT = 18081
TOPIC = "json-minimal-chain_main"
HEADERS_PER_CALL = 500
"""A node in restricted mode gives 1,000 at most (``RESTRICTED_BLOCK_HEADER_RANGE``, core_rpc_server.cpp)."""


class MoneroNode(RpcNode):
    """Node of Monero, or of a chain that descends from it.

    Parameters
    ----------
    call : callable
        See `headframe.sources.chain.node_rpc.RpcCall`.
    place : str
        ``monerod 127.0.0.1:18081``.
    chain : str
        Ticker symbol, where the user names it; empty: XMR, if the node is on the main network.
    close : callable
        Gives the connection back.
    """

    def identify(self) -> str:
        """Ticker symbol of the chain.

        Raises
        ------
        HeadframeError
            If the node is on a test network, and the user named no chain.
        """
        info = self._ask("get_info", {}, ["nettype"])
        if self._chain:
            return self._chain
        if info["nettype"] != "mainnet":
            raise HeadframeError(
                f"{self.place} follows a test network ({str(info['nettype'])[:40]!r}), whose blocks are no clock for "
                "Monero; name it with --chain if that is meant"
            )
        return "XMR"

    def tip(self) -> Header:
        """Header of the main chain's last block."""
        return self._header(self._ask("get_last_block_header", {}, ["block_header"])["block_header"])

    def header(self, block_hash: str) -> Header:
        """Header of a block.

        Raises
        ------
        ValueError
            If the answer is no header, or another block's.
        """
        answer = self._ask("get_block_header_by_hash", {"hash": block_hash}, ["block_header"])
        found = self._header(answer["block_header"])
        if found.block_hash != block_hash:
            raise ValueError(f"{self.place} answers with block {found.block_hash} where {block_hash} was asked for")
        return found

    def last_headers(self, count: int) -> list[Header]:
        """Headers of the last `count` blocks, oldest first."""
        end = self.tip().height + 1
        first = max(0, end - count)
        headers: list[Header] = []
        for start in range(first, end, HEADERS_PER_CALL):
            asked = {"start_height": start, "end_height": min(start + HEADERS_PER_CALL, end) - 1}
            answer = self._ask("get_block_headers_range", asked, ["headers"])
            if not isinstance(answer["headers"], list):
                raise ValueError(f"{self.place} answers get_block_headers_range without a list of headers")
            headers += [self._header(header) for header in answer["headers"]]
        if [header.height for header in headers] != list(range(first, end)):
            raise ValueError(f"{self.place} gives other headers than those of heights {first} to {end - 1}")
        return headers

    def _ask(self, method: str, params: dict[str, Any], keys: list[str]) -> dict[str, Any]:
        answer = self._call(method, params)
        if isinstance(answer, dict) and answer.get("status") == "BUSY":
            raise ConnectionError(f"{self.place} is busy, for instance still loading its chain")
        return check_object(answer, method, self.place, keys)

    def _header(self, value: Any) -> Header:
        found = check_object(value, "a block header", self.place, ["height", "hash", "prev_hash", "timestamp"])
        return Header(
            check_int(found["height"], "a block's height", self.place),
            check_hash(found["hash"], "a block's hash", self.place),
            check_hash(found["prev_hash"], "a block's parent", self.place),
            header_time_ns(found["timestamp"], self.place),
        )


class ChainMainAnnouncements:
    """What a node pushes with ``--zmq-pub ADDRESS``.

    Parameters
    ----------
    address : str
        ``tcp://host:port``.
    now_ns : callable
        The clock. [ns since 1970-01-01 UTC]
    note : callable
        Takes a sentence about what the user should know.
    """

    def __init__(self, address: str, *, now_ns: Callable[[], int], note: Callable[[str], None]) -> None:
        self._subscription = ZmqSubscription(address, TOPIC, now_ns=now_ns)
        self._note = note

    def wait(self, timeout_s: float) -> list[Announcement]:
        """Blocks that were pushed; a message of another form is passed over, and said."""
        announced: list[Announcement] = []
        for push in self._subscription.wait(timeout_s):
            try:
                first_height, hashes = parse_chain_main(push.parts)
            except ValueError as error:
                self._note(f"{self._subscription.address}: {error}")
                continue
            announced += [
                Announcement(block_hash, push.time_ns, first_height + at) for at, block_hash in enumerate(hashes)
            ]
        return announced

    def close(self) -> None:
        """End the subscription."""
        self._subscription.close()


def parse_chain_main(parts: tuple[bytes, ...]) -> tuple[int, list[str]]:
    """Height of the first block, and the hashes of all, of a ``json-minimal-chain_main`` message.

    Parameters
    ----------
    parts : tuple of bytes
        One part: topic, colon, JSON.

    Returns
    -------
    first_height : int
    hashes : list of str
        64 hexadecimal digits each, in order of height.

    Raises
    ------
    ValueError
        If the message has another form.

    Examples
    --------
    >>> parse_chain_main((b'json-minimal-chain_main:{"first_height":7,"ids":["%s"]}' % (b"ab" * 32),))[0]
    7
    """
    topic, colon, text = parts[0].partition(b":") if parts else (b"", b"", b"")
    if len(parts) != 1 or topic != TOPIC.encode() or not colon:
        raise ValueError(
            f"a push of {len(parts)} parts that is no {TOPIC}: its JSON would follow the topic and a colon"
        )
    try:
        value = orjson.loads(text)
    except ValueError as error:
        raise ValueError(f"a push of {TOPIC} that is no JSON") from error
    place = f"a push of {TOPIC}"
    found = check_object(value, "that", place, ["first_height", "ids"])
    if not isinstance(found["ids"], list):
        raise ValueError(f"{place} has no list of hashes")
    first_height = check_int(found["first_height"], "the first height", place)
    return first_height, [check_hash(block_hash, "a hash", place) for block_hash in found["ids"]]
