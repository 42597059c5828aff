"""A node of Ethereum's family (Ethereum Classic and others that are mined), asked over JSON-RPC.

There is no push: a node is asked for its newest block every second or so, and blocks between two answers are found by
going from child to parent.

References
----------
Ethereum execution API, ``eth_chainId``, ``eth_getBlockByNumber``, ``eth_getBlockByHash``: numbers are hexadecimal texts
with ``0x`` and no leading zeros. EIP-155 lists the chain ids.
"""

from typing import Any

from headframe.errors import HeadframeError
from headframe.sources.chain.node_rpc import (
    Header,
    RpcNode,
    check_hash,
    check_int,
    check_object,
    header_time_ns,
)

DEFAULT_PORT = 8545
CHAIN_IDS: dict[int, str] = {1: "ETH", 61: "ETC", 10_001: "ETHW"}
"""EIP-155, and the chains' own configuration."""


class EthereumNode(RpcNode):
    """Node of Ethereum's family.

    Parameters
    ----------
    call : callable
        See `headframe.sources.chain.node_rpc.RpcCall`.
    place : str
        ``geth 127.0.0.1:8545``.
    chain : str
        Ticker symbol, where the user names it; empty: found out by the chain id.
    close : callable
        Gives the connection back.
    """

    def identify(self) -> str:
        """Ticker symbol of the chain, by its id.

        Raises
        ------
        HeadframeError
            If the id is not known here and the user named no chain, or if nobody mines the chain.
        """
        if self._chain:
            return self._chain
        number = parse_quantity(self._call("eth_chainId", []), "the chain id", self.place)
        chain = CHAIN_IDS.get(number)
        if chain is None:
            raise HeadframeError(
                f"{self.place} follows chain id {number}, which is not known here; name it with --chain"
            )
        if chain == "ETH":
            raise HeadframeError(
                f"{self.place} follows Ethereum, which has not been mined since 2022-09-15: its blocks are no clock "
                "for miners. A node of Ethereum Classic is one; --chain ETH follows it all the same"
            )
        return chain

    def tip(self) -> Header:
        """Header of the newest block."""
        return self._header(self._call("eth_getBlockByNumber", ["latest", False]), "eth_getBlockByNumber")

    def header(self, block_hash: str) -> Header:
        """Header of a block.

        Raises
        ------
        ValueError
            If the answer is no block, or another.
        """
        found = self._header(self._call("eth_getBlockByHash", ["0x" + block_hash, False]), "eth_getBlockByHash")
        if found.block_hash != block_hash:
            raise ValueError(f"{self.place} answers with block {found.block_hash} where {block_hash} was asked for")
        return found

    def _header(self, value: Any, method: str) -> Header:
        found = check_object(value, method, self.place, ["number", "hash", "parentHash", "timestamp"])
        return Header(
            parse_quantity(found["number"], "a block's number", self.place),
            check_hash(found["hash"], "a block's hash", self.place),
            check_hash(found["parentHash"], "a block's parent", self.place),
            header_time_ns(parse_quantity(found["timestamp"], "a block's time", self.place), self.place),
        )


def parse_quantity(value: Any, what: str, place: str) -> int:
    """A number as Ethereum's JSON-RPC writes it.

    Parameters
    ----------
    value : object
        As it came.
    what, place : str
        For the message.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is no hexadecimal text with ``0x``, or too large.

    Examples
    --------
    >>> parse_quantity("0x3d", "the chain id", "geth")
    61
    """
    if isinstance(value, str) and value.startswith("0x") and len(value) <= 18:
        digits = value[2:].lower()
        if digits and not set(digits) - set("0123456789abcdef"):
            return check_int(int(digits, 16), what, place)
    raise ValueError(f"{place} gives {what} as {str(value)[:80]!r}; hexadecimal digits after 0x are right")
