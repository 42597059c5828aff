"""Every connection that Headframe opens: to a node's RPC and its push socket, and to a pool, as the user names them.

The only module of the project that talks to the network, and only when ``headframe clock follow`` is given an address.
It asks for blocks; nothing of a capture, a finding or a configuration is ever sent. No proxy, no redirect and no
credential store of the environment is used, so a password goes to the named host or nowhere. Each wait has an end.

Three kinds of fault, because a caller acts differently on each: OSError (not there, or not now: try again later),
ValueError (an answer that cannot be what was asked for), HeadframeError (refused: trying again would be rude).

References
----------
JSON-RPC 2.0, sections 4 and 5. Bitcoin Core, ``doc/JSON-RPC-interface.md`` and ``doc/zmq.md`` (topic ``hashblock``).
monerod, ``src/cryptonote_protocol``/``src/rpc/zmq_pub.cpp`` (topic ``json-minimal-chain_main``).
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from headframe import clock
from headframe.errors import HeadframeError

if TYPE_CHECKING:
    from requests.auth import AuthBase

TIMEOUT_S = 10.0
"""How long a node or a pool may take to connect, or to answer. [s]"""
MAX_ANSWER_BYTES = 8 << 20
"""Longest answer of a node that is read: 1,000 block headers of Monero are 1.1 MB of JSON."""
MAX_LINE_BYTES = 1 << 20
"""Longest line of a pool that is read: the largest job list seen has 600 kB. [bytes]"""
MAX_PUSHES = 10_000
"""Pushes kept while a node's RPC is away; a chain of 10 s blocks needs a day to fill them."""
_WARMING_UP = -28
"""RPC_IN_WARMUP of Bitcoin Core's ``src/rpc/protocol.h``: the node is starting."""
_NO_METHOD = -32601
"""JSON-RPC 2.0, section 5.1."""
_NAP_MS = 200
"""How often the thread that listens looks whether it shall end. [ms]"""


@dataclass(frozen=True, slots=True)
class Login:
    """How to identify oneself to a node.

    Attributes
    ----------
    user, password : str
        Empty where none is needed.
    cookie : Path or None
        File with ``user:password`` that a Bitcoin node writes anew at each start.
    digest : bool
        HTTP digest authentication (Monero) in place of basic (Bitcoin, Ethereum).
    """

    user: str = ""
    password: str = ""
    cookie: Path | None = None
    digest: bool = False

    def __repr__(self) -> str:
        # A password must not get into a traceback or a log line.
        return f"Login(user={'set' if self.user else 'none'}, cookie={self.cookie}, digest={self.digest})"

    def auth(self) -> "AuthBase | None":
        """What goes with a request; the cookie is read anew each time, for a restarted node has a new one.

        Raises
        ------
        OSError
            If the cookie file cannot be read (yet).
        ValueError
            If it holds something else.
        """
        from requests.auth import HTTPBasicAuth, HTTPDigestAuth

        user, password = self.user, self.password
        if self.cookie is not None:
            user, colon, password = self.cookie.read_text(encoding="utf-8", errors="replace").strip().partition(":")
            if not colon or "\n" in password or len(password) > 1024:
                raise ValueError(f"{self.cookie} holds no login; a node's cookie file is one line, user:password")
        if not user:
            return None
        return HTTPDigestAuth(user, password) if self.digest else HTTPBasicAuth(user.encode(), password.encode())


class JsonRpc:
    """Client of a node's JSON-RPC over HTTP.

    Parameters
    ----------
    url : str
        Without user and password.
    place : str
        How messages name the node: ``bitcoind 127.0.0.1:8332``.
    login : Login
    timeout_s : float
        For the whole of a call. [s]
    """

    def __init__(self, url: str, *, place: str, login: Login | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._place = place
        self._login = login or Login()
        self._timeout_s = timeout_s
        self._session: Any = None
        self._number = 0

    def __call__(self, method: str, params: list[Any] | dict[str, Any]) -> Any:
        """What the node answers to one call.

        Parameters
        ----------
        method : str
        params : list or dict

        Returns
        -------
        object
            ``result`` of the answer, as JSON has it.

        Raises
        ------
        OSError
            If the node is away, still starting, or too slow.
        ValueError
            If the answer is no JSON-RPC, too long, or an error of the node.
        HeadframeError
            If the login is refused, or the server does not know the method.
        """
        self._number += 1
        body = orjson.dumps({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        status, answer = self._post(body)
        if status in (401, 403):
            if self._login.cookie is not None:
                self.close()
                raise ConnectionError(f"{self._place} refuses the cookie of {self._login.cookie}; it is read again")
            raise HeadframeError(
                f"{self._place} refuses the login (HTTP {status}); give user and password in the address, as in "
                "bitcoin+http://USER:PASSWORD@HOST:8332, or --cookie FILE"
            )
        if status in (429, 502, 503, 504):
            raise ConnectionError(f"{self._place} is busy (HTTP {status})")
        return self._result(method, status, answer)

    def close(self) -> None:
        """Give the connection back; the next call opens a new one."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _post(self, body: bytes) -> tuple[int, bytes]:
        import requests
        import urllib3

        if self._session is None:
            session = requests.Session()
            # Neither a proxy nor ~/.netrc of the environment: the login is for this host, straight.
            session.trust_env = False
            session.auth = self._login.auth()
            self._session = session
        late_s = clock.monotonic_s() + self._timeout_s
        try:
            with self._session.post(
                self._url,
                data=body,
                headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                parts = bytearray()
                # read1 gives what is there; the reader of requests would wait for a full piece.
                while part := response.raw.read1(65_536, decode_content=False):
                    parts += part
                    if len(parts) > MAX_ANSWER_BYTES:
                        self.close()
                        raise ValueError(f"{self._place} answers with more than {MAX_ANSWER_BYTES} bytes")
                    # The timeout of requests begins anew with each byte; a server that drips would hold us for ever.
                    if clock.monotonic_s() > late_s:
                        self.close()
                        raise TimeoutError(f"{self._place} did not finish its answer in {self._timeout_s:g} s")
                return int(response.status_code), bytes(parts)
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
            self.close()
            raise TimeoutError(f"{self._place} did not answer in {self._timeout_s:g} s") from error
        except requests.exceptions.InvalidURL as error:
            raise HeadframeError(f"{self._place}: no address that can be called") from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            self.close()
            raise ConnectionError(f"{self._place} cannot be reached: {_reason(error)}") from error

    def _result(self, method: str, status: int, answer: bytes) -> Any:
        try:
            value = orjson.loads(answer)
        except ValueError:
            value = None
        if not isinstance(value, dict) or not ("result" in value or "error" in value):
            raise ValueError(
                f"{self._place} answers {method} with HTTP {status} and no JSON-RPC; "
                "is this the RPC port of a node of this kind?"
            )
        fault = value.get("error")
        if fault is None:
            return value.get("result")
        code = fault.get("code") if isinstance(fault, dict) else None
        words = str(fault.get("message", "") if isinstance(fault, dict) else fault)[:200]
        if code == _WARMING_UP:
            raise ConnectionError(f"{self._place} is still starting: {words}")
        if code == _NO_METHOD:
            raise HeadframeError(
                f"{self._place} does not know {method}; another kind of node, or one that does not allow it"
            )
        raise ValueError(f"{self._place} answers {method} with error {code}: {words}")


def _reason(error: BaseException) -> str:
    """The innermost words of a chain of wrapped errors: the others name objects, not faults."""
    seen: BaseException = error
    while seen.__cause__ is not None or seen.__context__ is not None:
        seen = seen.__cause__ or seen.__context__ or seen
    return (getattr(seen, "strerror", None) or str(seen) or type(seen).__name__)[:200]


@dataclass(frozen=True, slots=True)
class Push:
    """One message of a node's push socket.

    Attributes
    ----------
    parts : tuple of bytes
        Its frames, topic first.
    time_ns : int
        When it came. [ns since 1970-01-01 UTC]
    """

    parts: tuple[bytes, ...]
    time_ns: int


class ZmqSubscription:
    """Messages of a ZeroMQ PUB socket, each stamped as it comes.

    A thread of its own takes them in: a call to the node's RPC may take seconds, and the time of a block must not wait
    for it. ZeroMQ connects again by itself, and says nothing while nobody is there.

    Parameters
    ----------
    address : str
        ``tcp://host:port``.
    topic : str
        Beginning of the messages wanted.
    now_ns : callable
        The clock. [ns since 1970-01-01 UTC]

    Raises
    ------
    HeadframeError
        If the address is none that can be subscribed to.
    """

    def __init__(self, address: str, topic: str, *, now_ns: Callable[[], int]) -> None:
        import zmq

        self.address = address
        self._now_ns = now_ns
        self._pushes: queue.Queue[Push] = queue.Queue(MAX_PUSHES)
        self._stop = threading.Event()
        self._context: Any = zmq.Context()
        socket: Any = self._context.socket(zmq.SUB)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
        # Politely: after a node went away, tries lie 1 s apart at first and 30 s later on.
        socket.setsockopt(zmq.RECONNECT_IVL, 1_000)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 30_000)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_LINE_BYTES)
        socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
        try:
            socket.connect(address)
        except zmq.ZMQError as error:
            socket.close()
            self._context.term()
            raise HeadframeError(
                f"--zmq {address}: {error.strerror}; an address looks like tcp://127.0.0.1:28332"
            ) from (error)
        self._thread = threading.Thread(target=self._listen, args=(socket,), name="zmq", daemon=True)
        self._thread.start()

    def _listen(self, socket: Any) -> None:
        # The socket belongs to this thread alone: ZeroMQ's are not to be shared.
        import zmq

        try:
            while not self._stop.is_set():
                if not socket.poll(_NAP_MS):
                    continue
                parts = socket.recv_multipart()
                push = Push(tuple(parts), self._now_ns())
                while not self._stop.is_set():
                    with contextlib.suppress(queue.Full):
                        self._pushes.put(push, timeout=_NAP_MS / 1000)
                        break
        except zmq.ZMQError:
            return
        finally:
            socket.close()

    def wait(self, timeout_s: float) -> list[Push]:
        """What has come, in order; waits for the first, but not longer than `timeout_s`.

        Parameters
        ----------
        timeout_s : float
            [s]

        Returns
        -------
        list of Push
            Empty where nothing came.
        """
        came = []
        with contextlib.suppress(queue.Empty):
            came.append(self._pushes.get(timeout=timeout_s))
            while True:
                came.append(self._pushes.get_nowait())
        return came

    def close(self) -> None:
        """End the thread and free the socket."""
        self._stop.set()
        self._thread.join(timeout=5 * _NAP_MS / 1000)
        if not self._thread.is_alive():
            self._context.term()


class LineConnection:
    """A TCP or TLS connection that speaks in lines, as pools do.

    Parameters
    ----------
    host : str
    port : int
    tls : bool
    fingerprint : str
        SHA-256 of the server's certificate in hexadecimal. Given, it takes the place of the check by certificate
        authorities: many pools sign their own. Empty: the authorities decide.
    now_ns : callable
        The clock. [ns since 1970-01-01 UTC]
    timeout_s : float
        To connect and shake hands. [s]

    Raises
    ------
    OSError
        If the server is not there, or does not complete the handshake.
    HeadframeError
        If its certificate is not the one expected.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: bool,
        now_ns: Callable[[], int],
        fingerprint: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        import socket

        self._now_ns = now_ns
        self._rest = bytearray()
        raw = socket.create_connection((host, port), timeout=timeout_s)
        self._socket: Any = raw
        try:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self._socket = _shake_hands(raw, host, port, fingerprint)
        except BaseException:
            raw.close()
            raise

    def send(self, line: bytes) -> None:
        """Send one line.

        Raises
        ------
        OSError
            If the connection is gone.
        """
        self._socket.settimeout(TIMEOUT_S)
        self._socket.sendall(line)

    def wait(self, timeout_s: float) -> list[tuple[bytes, int]]:
        """Lines that have come, each with the time of the piece that completed it; empty after `timeout_s` of silence.

        Parameters
        ----------
        timeout_s : float
            [s]

        Returns
        -------
        list of (bytes, int)
            Line without its end; time. [ns since 1970-01-01 UTC]

        Raises
        ------
        OSError
            If the other side closed the connection.
        ValueError
            If a line has more than `MAX_LINE_BYTES`.
        """
        self._socket.settimeout(timeout_s)
        try:
            piece = self._socket.recv(65_536)
        except TimeoutError:
            return []
        time_ns = self._now_ns()
        if not piece:
            raise ConnectionError("the other side closed the connection")
        # Only the new piece is searched: a long line in small pieces costs no more than a short one.
        if b"\n" not in piece:
            self._rest += piece
            if len(self._rest) > MAX_LINE_BYTES:
                raise ValueError(f"a line of more than {MAX_LINE_BYTES} bytes")
            return []
        *lines, rest = bytes(self._rest + piece).split(b"\n")
        self._rest = bytearray(rest)
        return [(line, time_ns) for line in lines]

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._socket.close()


def _shake_hands(raw: Any, host: str, port: int, fingerprint: str) -> Any:
    import hashlib
    import ssl

    context = ssl.create_default_context()
    if fingerprint:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        secured = context.wrap_socket(raw, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise HeadframeError(
            f"{host}:{port}: its certificate is not trusted ({error.verify_message}); where the pool publishes the "
            "certificate's SHA-256, give it with --fingerprint"
        ) from error
    if fingerprint:
        shown = hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
        if shown != fingerprint.replace(":", "").lower():
            secured.close()
            raise HeadframeError(f"{host}:{port}: its certificate has the SHA-256 {shown}, not the one expected")
    return secured
