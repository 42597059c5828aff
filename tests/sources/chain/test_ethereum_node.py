"""A node of Ethereum's family: its documented RPC over real HTTP on loopback."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.errors import HeadframeError
from headframe.sources.chain.ethereum_node import EthereumNode, parse_quantity
from headframe.sources.chain.follow import FollowOptions, make_source, parse_address
from tests.chain_servers import RpcServer, chain_of, ethereum_answers


def source_of(server: RpcServer, notes: list[str] | None = None, **options: object) -> object:
    """A source as the command makes it, that asks fifty times a second."""
    return make_source(
        parse_address(f"ethereum+http://127.0.0.1:{server.port}"),
        FollowOptions(**{"poll_s": 0.02, **options}),  # type: ignore[arg-type]
        now_ns=time.time_ns,
        pause=time.sleep,
        note=(notes if notes is not None else []).append,
    )


def test_blocks_between_two_answers_are_found_by_their_parents() -> None:
    """The chain by its id, the newest block, and each new one; a reorganisation comes again."""
    chain = chain_of(4)
    with RpcServer(ethereum_answers(chain)) as server:
        source = source_of(server)
        source.open()
        assert source.chain == "ETC"
        parent = chain.tip
        chain.add()
        chain.add()
        blocks = source.wait()
        assert [block.height for block in blocks] == [4, 5]
        assert blocks[0].clock_source == f"ethereum node 127.0.0.1:{server.port}"
        assert blocks[1].header_time_ns == chain.blocks[chain.tip]["time"] * 1_000_000_000
        assert all(block.arrival_time_ns is not None for block in blocks)
        chain.add(parent=parent, salt=1)
        assert [block.height for block in source.wait()] == [4]
        assert [block.height for block in source.back_fill(3)] == [2, 3, 4]
        source.close()


def test_a_server_that_restarts_leaves_a_gap() -> None:
    """What came meanwhile is said, not made up."""
    chain, notes = chain_of(2), []
    with RpcServer(ethereum_answers(chain)) as server:
        source = source_of(server, notes)
        source.open()
        port = server.port
    with pytest.raises(OSError):
        source.wait()
    chain.add()
    with RpcServer(ethereum_answers(chain), port=port):
        source.open()
        assert "up to height 2 came while it could not be asked" in notes[0]
        chain.add()
        assert [block.height for block in source.wait()] == [3]
        source.close()


@pytest.mark.parametrize(
    ("chain_id", "words"),
    [("0x1", "not been mined since 2022-09-15"), ("0x539", "chain id 1337.*--chain"), (61, None), ("61", None)],
)
def test_only_a_mined_chain_is_a_clock(chain_id: object, words: str | None) -> None:
    """Ethereum itself is refused unless it is named; so is a chain that nobody knows."""
    node = EthereumNode(ethereum_answers(chain_of(1), chain_id), place="here")  # type: ignore[arg-type]
    with pytest.raises(HeadframeError if words else ValueError, match=words or "hexadecimal digits after 0x"):
        node.identify()


def test_zmq_is_refused() -> None:
    """Nodes of this family push nothing over it."""
    with RpcServer(lambda *_: None) as server, pytest.raises(HeadframeError, match="push nothing"):
        source_of(server, zmq="tcp://127.0.0.1:1")


@given(st.integers(0, 1 << 53))
def test_a_quantity_is_read_as_it_is_written(number: int) -> None:
    """``hex`` and `parse_quantity` are a pair."""
    assert parse_quantity(hex(number), "x", "here") == number


@pytest.mark.parametrize("value", ["", "0x", "0x_1", "0x+1", "12", "0xg", None, 5, "0x" + "f" * 17, "0x" + "f" * 16])
def test_what_is_no_quantity_is_an_error(value: object) -> None:
    """The message shows what came."""
    with pytest.raises(ValueError, match="here gives x as"):
        parse_quantity(value, "x", "here")
