"""A Monero node: the real daemon, on a chain of its own with difficulty 1, offline, on loopback."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.errors import HeadframeError
from headframe.records.block import Block
from headframe.sources.chain.follow import FollowOptions, make_source, parse_address
from headframe.sources.chain.monero_node import MoneroNode, parse_chain_main
from tests.chain_servers import Monerod, eventually, free_port, run_monerod


def source_of(text: str, *, notes: list[str] | None = None, **options: object) -> object:
    """A source of an address, as the command makes it, that asks twenty times a second."""
    return make_source(
        parse_address(text),
        FollowOptions(**{"chain": "XMR", "poll_s": 0.05, **options}),  # type: ignore[arg-type]
        now_ns=time.time_ns,
        pause=time.sleep,
        note=(notes if notes is not None else []).append,
    )


def next_blocks(source: object, count: int) -> list[Block]:
    """The next `count` blocks of a source."""
    blocks: list[Block] = []
    eventually(lambda: blocks.extend(source.wait()) or len(blocks) >= count)  # type: ignore[attr-defined]
    return blocks


def settle(source: object, node: Monerod) -> None:
    """Make blocks until their pushes come, for ZeroMQ says nothing of when it is connected; then take all there are."""
    heights = [-1]

    def caught_up() -> bool:
        heights.extend(block.height for block in source.wait())  # type: ignore[attr-defined]
        return heights[-1] == node.header()["height"]

    eventually(lambda: (node.generate(1) and caught_up()) or heights[-1] >= 0, within_s=15)
    eventually(caught_up)


def test_the_real_daemon_pushes_its_blocks(monerod: Monerod) -> None:
    """Height, header time and arrival agree with what the daemon itself says, to a fraction of a second."""
    source = source_of(monerod.url, zmq=monerod.zmq)
    source.open()
    settle(source, monerod)
    for _ in range(2):
        before_ns = time.time_ns()
        (made,) = monerod.generate(1)
        after_ns = time.time_ns()
        (block,) = next_blocks(source, 1)
        header = monerod.header()
        assert header["hash"] == made
        assert (block.chain, block.height, block.resolution_ns) == ("XMR", header["height"], 1)
        assert block.header_time_ns == header["timestamp"] * 1_000_000_000
        assert before_ns <= block.arrival_time_ns <= after_ns + 250_000_000
        assert block.clock_source == f"monerod 127.0.0.1:{monerod.port}"
    source.close()


def test_the_real_daemon_is_asked(monerod: Monerod) -> None:
    """Without ZeroMQ: the moment at which the block was made lies within the interval given."""
    source = source_of(monerod.url)
    source.open()
    assert source.wait() == []
    before_ns = time.time_ns()
    monerod.generate(1)
    after_ns = time.time_ns()
    (block,) = next_blocks(source, 1)
    assert block.height == monerod.header()["height"]
    assert block.arrival_time_ns <= after_ns
    assert block.arrival_time_ns + block.resolution_ns >= before_ns
    assert block.resolution_ns < 1_100_000_000
    source.close()


@pytest.mark.parametrize("pushed", [True, False])
def test_a_reorganisation_of_the_real_daemon(monerod: Monerod, pushed: bool) -> None:
    """Blocks taken off the chain and found anew come again, with the same heights and later arrivals."""
    source = source_of(monerod.url, zmq=monerod.zmq if pushed else "")
    source.open()
    settle(source, monerod)
    monerod.generate(2)
    first = next_blocks(source, 2)
    monerod.pop(2)
    monerod.generate(2, nonce=1_000)
    again = next_blocks(source, 2)
    assert [block.height for block in first] == [block.height for block in again]
    assert again[0].arrival_time_ns >= first[0].arrival_time_ns
    source.close()


def test_back_fill_from_the_real_daemon(monerod: Monerod) -> None:
    """Header times of the last blocks, oldest first, without arrival."""
    source = source_of(monerod.url)
    source.open()
    height = monerod.header()["height"]
    blocks = source.back_fill(3)
    assert [block.height for block in blocks] == [height - 2, height - 1, height]
    assert {block.arrival_time_ns for block in blocks} == {None}
    assert blocks[-1].header_time_ns == monerod.header()["timestamp"] * 1_000_000_000
    assert [block.height for block in source.back_fill(10_000)] == list(range(height + 1))
    source.close()


def test_a_test_chain_is_not_taken_for_monero(monerod: Monerod) -> None:
    """Blocks of a test network in Monero's clock would spoil it."""
    with pytest.raises(HeadframeError, match=r"test network \('fakechain'\).*--chain"):
        source_of(monerod.url, chain="").open()


def test_a_daemon_with_a_login_that_goes_away_and_comes_back(
    require_tool: Callable[[str], str], tmp_path: Path
) -> None:
    """Digest authentication; a daemon that is gone is away, and when it is back its pushes come again by themselves."""
    program = require_tool("monerod")
    port, zmq_port = free_port(), free_port()
    notes: list[str] = []
    with run_monerod(program, tmp_path, login="me:s3cret", port=port, zmq_port=zmq_port) as node:
        with pytest.raises(HeadframeError, match="refuses the login"):
            source_of(f"monero+http://me:wrong@127.0.0.1:{port}").open()
        node.generate(1)
        source = source_of(node.url, notes=notes, zmq=node.zmq)
        source.open()
        settle(source, node)
        height = node.header()["height"]
        node.generate(1)
        assert [block.height for block in next_blocks(source, 1)] == [height + 1]
    with pytest.raises(OSError, match="cannot be reached"):
        source.open()
    with run_monerod(program, tmp_path, login="me:s3cret", port=port, zmq_port=zmq_port, keep=True) as node:
        source.open()
        # ZeroMQ tries again after a second, and then less and less often.
        seen: list[Block] = []

        def pushed_again() -> bool:
            node.generate(1)
            seen.extend(source.wait())
            return bool(seen)

        eventually(pushed_again, within_s=15)
        assert seen[0].height >= height
        assert all(block.arrival_time_ns is not None for block in seen)
        source.close()


def header(number: int, **changes: object) -> dict[str, object]:
    """A block header as the daemon gives it."""
    return {"height": number, "hash": f"{number:064x}", "prev_hash": f"{number - 1:064x}", "timestamp": 1, **changes}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (None, ValueError, "answers get_info with null"),
        ({"status": "BUSY"}, ConnectionError, "busy"),
        ({"status": "OK"}, ValueError, "without nettype"),
        ({"nettype": "mainnet", "block_header": header(5, height="5")}, ValueError, "a block's height as '5'"),
        ({"nettype": "mainnet", "block_header": header(5, hash="zz")}, ValueError, "64 hexadecimal digits are right"),
        ({"nettype": "mainnet", "block_header": header(5, timestamp=1 << 40)}, ValueError, "the time of a block"),
        ({"nettype": "mainnet", "block_header": [1]}, ValueError, "a block header with a list"),
    ],
)
def test_a_malformed_answer_is_a_clear_error(answer: object, kind: type[Exception], words: str) -> None:
    """What came and what would be right."""
    node = MoneroNode(lambda method, params: answer, place="monerod here")
    with pytest.raises(kind, match=words):
        node.identify()
        node.tip()


def test_headers_that_do_not_follow_each_other_are_an_error() -> None:
    """A range with a hole would be a gap that nobody sees."""

    def call(method: str, params: object) -> object:
        return {"block_header": header(5), "headers": [header(3), header(5)]}

    with pytest.raises(ValueError, match="other headers than those of heights 3 to 5"):
        MoneroNode(call, place="here").last_headers(3)


NEARLY = b'json-minimal-chain_main:{"first_height":1,"ids":["x"]}'


@given(st.lists(st.binary(max_size=60) | st.just(NEARLY), max_size=2))
def test_a_push_is_blocks_or_an_error(parts: list[bytes]) -> None:
    """Nothing but ValueError comes out of a push of any form."""
    with pytest.raises(ValueError, match="push"):
        parse_chain_main(tuple(parts))


def test_a_push_may_bring_several_blocks() -> None:
    """As after a reorganisation: heights count from the first."""
    text = b'{"first_height":7,"first_prev_id":"%s","ids":["%s","%s"]}' % (b"00" * 32, b"ab" * 32, b"CD" * 32)
    assert parse_chain_main((b"json-minimal-chain_main:" + text,)) == (7, ["ab" * 32, "cd" * 32])
