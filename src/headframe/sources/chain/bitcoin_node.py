"""A node of Bitcoin's family: JSON-RPC for headers, ZeroMQ ``hashblock`` for the moment a block is there.

References
----------
Bitcoin Core, RPC reference: ``getbestblockhash``, ``getblockheader``, ``getblockhash``, ``getblockchaininfo``,
``getnetworkinfo``; ``doc/zmq.md``: a ``hashblock`` message has three parts, the topic, 32 bytes of hash as it is
printed, and a sequence number of 4 bytes, least significant first.
"""

from collections.abc import Callable

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

DEFAULT_PORT = 8332
TOPIC = "hashblock"

GENESIS: dict[str, str] = {
    "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f": "BTC",
    "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2": "LTC",
    "1a91e3dace36e2be3bf030a65679fe821aa1d6ef92e7c9902eb318182c355691": "DOGE",
    "00000ffd590b1485b3caadc19b22e6379c733355108f107a430458cdf3407ab6": "DASH",
    "00040fe8ec8471911baa1db1266ea15dd06b4a8a5c453883c000b031973dce08": "ZEC",
    "0000006b444bc2f2ffe627be9d9e7e7a0730000870ef6eb6da46c8eae389df90": "RVN",
}
"""Hash of the first block of each main network: ``chainparams.cpp`` of each reference node."""
_CASH_AGENTS = ("bitcoin cash", "bchn", "bchd", "knuth")
"""Bitcoin Cash shares Bitcoin's first block; its nodes are known by the name they give themselves."""


class BitcoinNode(RpcNode):
    """Node of Bitcoin's family.

    Parameters
    ----------
    call : callable
        See `headframe.sources.chain.node_rpc.RpcCall`.
    place : str
        ``bitcoind 127.0.0.1:8332``.
    chain : str
        Ticker symbol, where the user names it; empty: found out by the first block.
    close : callable
        Gives the connection back.
    """

    def identify(self) -> str:
        """Ticker symbol of the chain, by its first block.

        Raises
        ------
        HeadframeError
            If it is a test network or a chain not known here, and the user named none.
        """
        if self._chain:
            return self._chain
        first = check_hash(self._call("getblockhash", [0]), "the first block's hash", self.place)
        chain = GENESIS.get(first)
        if chain is None:
            info = self._call("getblockchaininfo", [])
            network = str(info.get("chain", "?"))[:40] if isinstance(info, dict) else "?"
            raise HeadframeError(
                f"{self.place} follows a chain that is not known here (its first block is {first}, its network "
                f"{network!r}); name it with --chain"
            )
        if chain == "BTC":
            info = check_object(self._call("getnetworkinfo", []), "getnetworkinfo", self.place, ["subversion"])
            agent = str(info["subversion"]).lower()
            if any(name in agent for name in _CASH_AGENTS):
                chain = "BCH"
        self._chain = chain
        return chain

    def tip(self) -> Header:
        """Header of the best chain's last block."""
        return self.header(check_hash(self._call("getbestblockhash", []), "the best block's hash", self.place))

    def header(self, block_hash: str) -> Header:
        """Header of a block.

        Raises
        ------
        ValueError
            If the answer is no header, or another block's.
        """
        keys = ["hash", "height", "time"]
        found = check_object(self._call("getblockheader", [block_hash, True]), "getblockheader", self.place, keys)
        height = check_int(found["height"], "a block's height", self.place)
        # The first block of a chain has no parent, and its header none of the key.
        parent = check_hash(found.get("previousblockhash"), "a block's parent", self.place) if height else ""
        given = check_hash(found["hash"], "a block's hash", self.place)
        if given != block_hash:
            raise ValueError(f"{self.place} answers with block {given} where {block_hash} was asked for")
        return Header(height, given, parent, header_time_ns(found["time"], self.place))


class HashBlockAnnouncements:
    """What a node pushes with ``-zmqpubhashblock=ADDRESS``.

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
        self._sequence: int | None = None

    def wait(self, timeout_s: float) -> list[Announcement]:
        """Blocks that were pushed; a message of another form is passed over, and said."""
        announced = []
        for push in self._subscription.wait(timeout_s):
            try:
                block_hash, sequence = parse_hash_block(push.parts)
            except ValueError as error:
                self._note(f"{self._subscription.address}: {error}")
                continue
            # The number starts again with the node; one that is skipped is a block that was not heard of.
            if self._sequence is not None and self._sequence + 1 < sequence:
                self._note(f"{self._subscription.address}: {sequence - self._sequence - 1} pushes were lost on the way")
            self._sequence = sequence
            announced.append(Announcement(block_hash, push.time_ns))
        return announced

    def close(self) -> None:
        """End the subscription."""
        self._subscription.close()


def parse_hash_block(parts: tuple[bytes, ...]) -> tuple[str, int]:
    r"""Hash and sequence number of a ``hashblock`` message.

    Parameters
    ----------
    parts : tuple of bytes
        Topic, hash, sequence number.

    Returns
    -------
    block_hash : str
        64 hexadecimal digits.
    sequence : int

    Raises
    ------
    ValueError
        If the message has another form.

    Examples
    --------
    >>> parse_hash_block((b"hashblock", bytes(31) + b"\x2a", b"\x07\x00\x00\x00"))[1]
    7
    """
    if len(parts) != 3 or parts[0] != TOPIC.encode() or len(parts[1]) != 32 or len(parts[2]) != 4:
        lengths = ", ".join(str(len(part)) for part in parts)
        raise ValueError(
            f"a push of {len(parts)} parts ({lengths} bytes); hashblock has 3: the topic, 32 bytes and 4 bytes"
        )
    return parts[1].hex(), int.from_bytes(parts[2], "little")
