"""What the clock sources talk to in tests, all on loopback: a real monerod on a chain of its own, small servers that
speak the documented RPC of Bitcoin and Ethereum over real sockets, a ZeroMQ publisher, and a pool.
"""

import base64
import contextlib
import hashlib
import json
import random
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from requests.auth import HTTPDigestAuth

from headframe.simulate.chains import CHAINS
from headframe.simulate.chains import Block as SimulatedBlock
from headframe.simulate.dialects import DIALECTS, Account

HOST = "127.0.0.1"
# The address of monerod's own functional tests; what it gets are coins of a chain that exists for the length of a test.
MONERO_ADDRESS = "42ey1afDFnn4886T7196doS9GPMzexD9gXpsZJDwVjeRVdFCSoHnv7KPbBeGpzJBzHRCAs9UxqeoyFQMYbqSWYTfJJQAWDm"


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def eventually(check: Callable[[], Any], within_s: float = 10.0) -> Any:
    """The first true answer of `check`, tried again and again; fails after `within_s`."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not so after {within_s} s")


# -- monerod ---------------------------------------------------------------------------------------------------------


@dataclass
class Monerod:
    """A running monerod on a chain of its own (``--regtest --offline``), with difficulty 1."""

    port: int
    zmq_port: int
    login: str = ""

    @property
    def url(self) -> str:
        return f"monero+http://{self.login + '@' if self.login else ''}{HOST}:{self.port}"

    @property
    def zmq(self) -> str:
        return f"tcp://{HOST}:{self.zmq_port}"

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST without our own client."""
        user, _, password = self.login.partition(":")
        with requests.Session() as session:
            session.trust_env = False
            auth = HTTPDigestAuth(user, password) if user else None
            answered = session.post(f"http://{HOST}:{self.port}{path}", json=body, auth=auth, timeout=10)
        answered.raise_for_status()
        answer: dict[str, Any] = answered.json()
        return answer

    def rpc(self, method: str, **params: Any) -> dict[str, Any]:
        answer = self.post("/json_rpc", {"jsonrpc": "2.0", "id": "0", "method": method, "params": params})
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def generate(self, count: int, nonce: int = 0) -> list[str]:
        """Make `count` blocks; gives their hashes."""
        made = self.rpc("generateblocks", amount_of_blocks=count, wallet_address=MONERO_ADDRESS, starting_nonce=nonce)
        return [str(block) for block in made["blocks"]]

    def pop(self, count: int) -> None:
        """Take the last blocks off the chain, as a reorganisation does."""
        assert self.post("/pop_blocks", {"nblocks": count})["status"] == "OK"

    def header(self) -> dict[str, Any]:
        header: dict[str, Any] = self.rpc("get_last_block_header")["block_header"]
        return header


@contextlib.contextmanager
def run_monerod(
    program: str, folder: Path, *, login: str = "", port: int = 0, zmq_port: int = 0, keep: bool = False
) -> Iterator[Monerod]:
    """Start monerod, wait for its RPC, end it."""
    node = Monerod(port or free_port(), zmq_port or free_port(), login)
    command = [
        program, "--regtest", "--offline", "--fixed-difficulty", "1", "--no-igd", "--non-interactive",
        "--data-dir", str(folder / "chain"), "--log-file", str(folder / "log"), "--log-level", "0",
        "--rpc-bind-ip", HOST, "--rpc-bind-port", str(node.port), "--zmq-rpc-bind-ip", HOST,
        "--zmq-rpc-bind-port", str(free_port()), "--zmq-pub", node.zmq, "--disable-rpc-ban",
        # Without these it asks the name servers for checkpoints and new versions, offline or not.
        "--disable-dns-checkpoints", "--check-updates", "disabled", "--db-sync-mode", "fast:async:1000",
    ]  # fmt: skip
    if login:
        command += ["--rpc-login", login]
    if keep:
        command += ["--keep-fakechain"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:

        def up() -> bool:
            assert process.poll() is None, (folder / "log").read_text(errors="replace")[-2000:]
            with contextlib.suppress(OSError):
                return "nettype" in node.rpc("get_info")
            return False

        eventually(up, within_s=60)
        yield node
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# -- a chain, and nodes that know it ---------------------------------------------------------------------------------


@dataclass
class Chain:
    """Blocks by hash, and which is the best: enough to answer for."""

    blocks: dict[str, dict[str, Any]] = field(default_factory=dict)
    tip: str = ""

    def add(self, parent: str | None = None, *, time_s: int | None = None, salt: int = 0, best: bool = True) -> str:
        """A block on `parent` (the tip where None); gives its hash."""
        parent = self.tip if parent is None else parent
        height = self.blocks[parent]["height"] + 1 if parent else 0
        block_hash = hashlib.sha256(f"{parent} {height} {salt}".encode()).hexdigest()
        seconds = int(time.time()) if time_s is None else time_s
        self.blocks[block_hash] = {"hash": block_hash, "height": height, "parent": parent, "time": seconds}
        if best:
            self.tip = block_hash
        return block_hash


def chain_of(count: int) -> Chain:
    """A chain of `count` blocks, a minute apart, the last one now."""
    chain = Chain()
    now_s = int(time.time())
    for at in range(count):
        chain.add(time_s=now_s - 60 * (count - 1 - at))
    return chain


class RpcFault(Exception):
    """What a node answers with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class RpcServer:
    """A node's RPC over HTTP on loopback.

    `answer(method, params)` gives the result or raises `RpcFault`; `raw`, where set, is sent in place of any answer.
    """

    answer: Callable[[str, Any], Any]
    authorization: str = ""
    raw: Callable[[BaseHTTPRequestHandler], None] | None = None
    port: int = 0
    calls: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    open_connections: list[socket.socket] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> "RpcServer":
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                node.calls.append(body["method"])
                node.paths.append(self.path)
                if node.raw is not None:
                    node.raw(self)
                    return
                if node.authorization and self.headers.get("Authorization") != node.authorization:
                    self.reply(401, b"")
                    return
                try:
                    answer = {"result": node.answer(body["method"], body["params"]), "error": None, "id": body["id"]}
                    status = 200
                except RpcFault as fault:
                    error = {"code": fault.code, "message": fault.message}
                    answer, status = {"result": None, "error": error, "id": body["id"]}, 500
                self.reply(status, json.dumps(answer).encode())

            def reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def get_request(self) -> Any:
                connection, address = super().get_request()
                node.open_connections.append(connection)
                return connection, address

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that leaves early is part of the test

        self._server = Server((HOST, self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            # A connection that is kept alive would go on answering.
            for connection in self.open_connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> "RpcServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def basic(user: str, password: str) -> str:
    """RFC 7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def bitcoin_answers(chain: Chain, **fixed: Any) -> Callable[[str, Any], Any]:
    """What Bitcoin Core's RPC reference promises for the calls that a clock needs."""

    def answer(method: str, params: Any) -> Any:
        if method in fixed:
            return fixed[method]
        if method == "getbestblockhash":
            return chain.tip
        if method == "getblockhash":
            return next(h for h, block in chain.blocks.items() if block["height"] == params[0])
        if method == "getblockheader":
            block = chain.blocks.get(params[0])
            if block is None:
                raise RpcFault(-5, "Block not found")
            found = {
                "hash": params[0], "confirmations": 1, "height": block["height"], "version": 0x20000000,
                "time": block["time"], "mediantime": block["time"], "nonce": 0, "bits": "1d00ffff", "nTx": 1,
            }  # fmt: skip
            return {**found, "previousblockhash": block["parent"]} if block["parent"] else found
        if method == "getnetworkinfo":
            return {"subversion": "/Satoshi:27.0.0/"}
        if method == "getblockchaininfo":
            return {"chain": "regtest"}
        raise RpcFault(-32601, "Method not found")

    return answer


def ethereum_answers(chain: Chain, chain_id: str = "0x3d") -> Callable[[str, Any], Any]:
    """What the Ethereum execution API promises for the calls that a clock needs."""

    def block_of(block_hash: str) -> dict[str, Any] | None:
        block = chain.blocks.get(block_hash)
        if block is None:
            return None
        return {"number": hex(block["height"]), "hash": "0x" + block_hash, "timestamp": hex(block["time"]),
                "parentHash": "0x" + (block["parent"] or "0" * 64), "transactions": []}  # fmt: skip

    def answer(method: str, params: Any) -> Any:
        if method == "eth_chainId":
            return chain_id
        if method == "eth_getBlockByNumber":
            assert params == ["latest", False]
            return block_of(chain.tip)
        if method == "eth_getBlockByHash":
            return block_of(params[0].removeprefix("0x"))
        raise RpcFault(-32601, f"the method {method} does not exist")

    return answer


@contextlib.contextmanager
def publisher() -> Iterator[tuple[str, Callable[[list[bytes]], None]]]:
    """A real ZeroMQ PUB socket: its address, and how to publish once a subscriber is there."""
    import zmq

    context = zmq.Context()
    # XPUB is PUB that also shows who subscribes: the test need not guess when the subscriber is ready.
    publishing = context.socket(zmq.XPUB)
    publishing.setsockopt(zmq.LINGER, 0)
    port = publishing.bind_to_random_port(f"tcp://{HOST}")
    subscribed = False

    def publish(parts: list[bytes]) -> None:
        nonlocal subscribed
        if not subscribed:
            assert publishing.poll(10_000), "nobody subscribed"
            assert publishing.recv()[:1] == b"\x01"
            subscribed = True
        publishing.send_multipart(parts)

    try:
        yield f"tcp://{HOST}:{port}", publish
    finally:
        publishing.close()
        context.term()


# -- a pool ------------------------------------------------------------------------------------------------------------


class Pool:
    """A pool on loopback: the simulator's words over real sockets.

    Attributes
    ----------
    heard : list of dict
        All that any client said.
    connections : int
        How many there have been.
    """

    def __init__(self, dialect: str, coin: str, *, height: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._dialect_name = dialect
        self.chain = CHAINS[coin]
        self.height = height or self.chain.height
        self.heard: list[dict[str, Any]] = []
        self.connections = 0
        self.reply: Callable[[dict[str, Any]], bytes | None] | None = None
        self._tls = tls
        self._clients: list[tuple[socket.socket, Any]] = []
        self._listening = socket.create_server((HOST, 0))
        self.port = int(self._listening.getsockname()[1])
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._listening.close()
        self.hang_up()

    def _serve(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            account = Account(wallet="ab" * 20, worker="rig", agent="listener/1")
            dialect = DIALECTS[self._dialect_name](self.chain, account, HOST, random.Random(7))
            dialect.difficulty_hashes = dialect.settle(1e12)
            answers = [text for who, text in dialect.opening() if who == 1]
            questions = max(1, len(answers) + (self._dialect_name == "eth-proxy"))
            asked = 0
            for line in connection.makefile("rb"):
                said = json.loads(line)
                self.heard.append(said)
                special = self.reply(said) if self.reply else None
                if special is not None:
                    connection.sendall(special)
                    continue
                asked += 1
                if asked <= len(answers):
                    connection.sendall(answers[asked - 1])
                if asked == questions:
                    connection.sendall(dialect.difficulty() + self._job(dialect, clean=True))
                    self._clients.append((connection, dialect))

    def _job(self, dialect: Any, *, clean: bool) -> bytes:
        block = SimulatedBlock(self.height, time.time_ns())
        return bytes(dialect.job(block, block.time_ns, clean=clean))

    @property
    def ready(self) -> bool:
        """Whether a client has had its first job."""
        return bool(self._clients)

    def push(self, height: int, *, clean: bool = True) -> None:
        """Send every client a job for a block of this height."""
        self.height = height
        for connection, dialect in self._clients:
            connection.sendall(self._job(dialect, clean=clean))

    def send(self, data: bytes) -> None:
        """Send every client these bytes."""
        for connection, _ in self._clients:
            connection.sendall(data)

    def hang_up(self) -> None:
        """Close every connection."""
        clients, self._clients = self._clients, []
        for connection, _ in clients:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


MINING = {"mining.submit", "submit", "eth_submitWork", "eth_submitHashrate", "mining.hashrate"}
"""What a listener never says."""
