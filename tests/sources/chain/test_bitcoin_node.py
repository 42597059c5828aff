"""A Bitcoin node: its documented RPC over real HTTP, its documented push over a real ZeroMQ socket, on loopback."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.errors import HeadframeError
from headframe.sources.chain.bitcoin_node import GENESIS, BitcoinNode, parse_hash_block
from headframe.sources.chain.connections import JsonRpc, Login
from headframe.sources.chain.follow import FollowOptions, make_source, parse_address
from tests.chain_servers import (
    Chain,
    RpcFault,
    RpcServer,
    basic,
    bitcoin_answers,
    chain_of,
    eventually,
    free_port,
    publisher,
)


@pytest.fixture
def chain() -> Chain:
    """Five blocks."""
    return chain_of(5)


@pytest.fixture
def server(chain: Chain) -> Iterator[RpcServer]:
    """A node that wants a login."""
    with RpcServer(bitcoin_answers(chain), authorization=basic("me", "p:ss@1")) as node:
        yield node


def source_of(text: str, *, notes: list[str] | None = None, **options: object) -> object:
    """A source of an address, as the command makes it, that naps for a fiftieth of a second."""
    return make_source(
        parse_address(text),
        FollowOptions(**{"chain": "BTC", "poll_s": 0.02, **options}),  # type: ignore[arg-type]
        now_ns=time.time_ns,
        pause=time.sleep,
        note=(notes if notes is not None else []).append,
    )


def test_blocks_come_by_asking(chain: Chain, server: RpcServer) -> None:
    """A login in the address (with escaped signs), the best block, and each new one."""
    source = source_of(f"bitcoin+http://me:p%3Ass%401@127.0.0.1:{server.port}/wallet/w")
    source.open()
    assert source.wait() == []
    before_ns = time.time_ns()
    chain.add()
    (block,) = source.wait()
    assert (block.chain, block.height, block.clock_source) == ("BTC", 5, f"bitcoind 127.0.0.1:{server.port}")
    assert block.arrival_time_ns <= before_ns <= block.arrival_time_ns + block.resolution_ns
    assert [block.height for block in source.back_fill(3)] == [3, 4, 5]
    assert set(server.paths) == {"/wallet/w"}
    source.close()


def test_blocks_come_by_push(chain: Chain, server: RpcServer) -> None:
    """``hashblock`` has three parts, and the time is that of the message, to a fraction of a second."""
    notes: list[str] = []
    with publisher() as (address, publish):
        source = source_of(f"bitcoin+http://me:p%3Ass%401@127.0.0.1:{server.port}", notes=notes, zmq=address)
        source.open()
        publish([b"hashblock", b"too short", b"\0\0\0\0"])
        sent_ns = time.time_ns()
        publish([b"hashblock", bytes.fromhex(chain.add()), (8).to_bytes(4, "little")])
        (block,) = eventually(source.wait)
        assert (block.height, block.resolution_ns) == (5, 1)
        assert 0 <= block.arrival_time_ns - sent_ns < 250_000_000
        publish([b"hashblock", bytes.fromhex(chain.add()), (11).to_bytes(4, "little")])
        assert eventually(source.wait)[0].height == 6
        source.close()
    assert "hashblock has 3" in notes[0]
    assert "2 pushes were lost" in notes[1]


def test_the_time_of_a_push_does_not_wait_for_the_rpc(chain: Chain) -> None:
    """Two blocks within a tenth of a second, and a node whose answers take half of one."""
    answers = bitcoin_answers(chain)

    def slow(method: str, params: object) -> object:
        time.sleep(0.5)
        return answers(method, params)

    with RpcServer(slow) as server, publisher() as (address, publish):
        source = source_of(f"bitcoin+http://127.0.0.1:{server.port}", zmq=address)
        source.open()
        sent = []
        for number in range(2):
            sent.append(time.time_ns())
            publish([b"hashblock", bytes.fromhex(chain.add()), number.to_bytes(4, "little")])
            time.sleep(0.1)
        blocks: list[object] = []
        eventually(lambda: blocks.extend(source.wait()) or len(blocks) == 2)
        for block, sent_ns in zip(blocks, sent, strict=True):
            assert 0 <= block.arrival_time_ns - sent_ns < 250_000_000
        source.close()


def test_a_cookie_is_read_again_after_a_restart(chain: Chain, tmp_path: Path) -> None:
    """A restarted node has written a new cookie; until it is read the node is away, not refusing."""
    cookie = tmp_path / ".cookie"
    with RpcServer(bitcoin_answers(chain), authorization=basic("__cookie__", "one")) as server:
        source = source_of(f"bitcoin+http://127.0.0.1:{server.port}", cookie=cookie)
        with pytest.raises(OSError):
            source.open()
        cookie.write_text("__cookie__:one")
        source.open()
        server.authorization = basic("__cookie__", "two")
        with pytest.raises(ConnectionError, match="refuses the cookie"):
            source.wait()
        cookie.write_text("__cookie__:two")
        source.open()
        chain.add()
        assert len(source.wait()) == 1
        source.close()


def test_a_wrong_login_is_refused_without_showing_it(server: RpcServer) -> None:
    """It is not tried again, and the password is in no message and no representation."""
    address = parse_address(f"bitcoin+http://me:wrongsecret@127.0.0.1:{server.port}")
    assert "wrongsecret" not in repr(address)
    assert "wrongsecret" not in repr(Login("me", "wrongsecret"))
    source = source_of(f"bitcoin+http://me:wrongsecret@127.0.0.1:{server.port}")
    with pytest.raises(HeadframeError, match="refuses the login") as error:
        source.open()
    assert "wrongsecret" not in str(error.value)


def test_a_node_that_is_not_there_is_away() -> None:
    """Nobody listens: to be tried again."""
    with pytest.raises(ConnectionError, match=r"bitcoind 127\.0\.0\.1:\d+ cannot be reached: .*refused"):
        source_of(f"bitcoin+http://127.0.0.1:{free_port()}").open()


def test_a_node_that_is_starting_is_away(chain: Chain) -> None:
    """Error -28: the block index is being loaded."""

    def starting(method: str, params: object) -> object:
        raise RpcFault(-28, "Loading block index...")

    with RpcServer(starting) as server, pytest.raises(ConnectionError, match="still starting: Loading block index"):
        source_of(f"bitcoin+http://127.0.0.1:{server.port}").open()


def respond(body: bytes, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> object:
    """What a server sends in place of an answer."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        (b"<html>hello</html>", 200, ValueError, "HTTP 200 and no JSON-RPC"),
        (b"[]", 200, ValueError, "no JSON-RPC"),
        (b'{"result": [1], "error": null}', 200, ValueError, "64 hexadecimal digits"),
        (b'{"result": null, "error": {"code": -32601, "message": "?"}}', 404, HeadframeError, "does not know getbest"),
        (b'{"result": null, "error": "odd"}', 500, ValueError, "with error None: odd"),
        (b"", 503, ConnectionError, "busy"),
        (b"", 302, ValueError, "HTTP 302"),
    ],
)
def test_a_bad_answer_is_a_clear_error(body: bytes, status: int, kind: type[Exception], words: str) -> None:
    """What came, and what would be right; no redirect is followed."""
    answer = respond(body, status, (("Location", "http://192.0.2.1/"),))
    with RpcServer(lambda *_: None, raw=answer) as server, pytest.raises(kind, match=words):
        source_of(f"bitcoin+http://127.0.0.1:{server.port}").open()


def test_an_answer_that_drips_is_given_up() -> None:
    """One byte now and then would hold a client for ever that counts its patience from the last byte."""
    leave = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not leave.wait(0.1):
            handler.wfile.write(b" ")

    with RpcServer(lambda *_: None, raw=drip) as server:
        rpc = JsonRpc(f"http://127.0.0.1:{server.port}/", place="bitcoind here", timeout_s=0.5)
        begun = time.monotonic()
        with pytest.raises(TimeoutError, match=r"0\.5 s"):
            rpc("getbestblockhash", [])
        assert time.monotonic() - begun < 5
        leave.set()


def test_the_chain_is_known_by_its_first_block(chain: Chain) -> None:
    """Bitcoin Cash by its name besides; a test network is not taken for the main one."""
    for genesis, name in GENESIS.items():
        node = BitcoinNode(bitcoin_answers(chain, getblockhash=genesis), place="here")
        assert node.identify() == name
    bitcoin = next(iter(GENESIS))
    cash = bitcoin_answers(chain, getblockhash=bitcoin, getnetworkinfo={"subversion": "/Bitcoin Cash Node:27.1.0/"})
    assert BitcoinNode(cash, place="here").identify() == "BCH"
    with pytest.raises(HeadframeError, match=r"'regtest'.*name it with --chain"):
        BitcoinNode(bitcoin_answers(chain), place="here").identify()


@given(st.lists(st.binary(max_size=40) | st.just(b"hashblock") | st.just(bytes(32)), max_size=4))
def test_a_push_of_another_form_is_an_error(parts: list[bytes]) -> None:
    """Nothing but ValueError comes out of a push of any form."""
    with pytest.raises(ValueError, match="hashblock has 3"):
        parse_hash_block(tuple(parts))


def test_a_push_is_read_as_documented() -> None:
    """The hash stands as it is printed; the number has its least significant byte first."""
    printed = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    assert parse_hash_block((b"hashblock", bytes.fromhex(printed), b"\x02\x01\0\0")) == (printed, 258)
