"""What one conversation has said so far, kept small.

`StratumSession` takes the pieces of a stream as they come and keeps facts only: who asks and who answers, counts, the
latest jobs, shares, difficulties, and where the first message of each kind stands. No payload is kept.

Memory of one session is bounded: two readers of at most 256 KiB each, 3.4 MB of shares, 1.6 MB of job times, and less
than 10 MB of all else. A usual session of a day with one share a minute takes about 100 kB.
"""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from headframe.detectors.network.stratum.dialects import (
    Act,
    Dialect,
    Notify,
    Said,
    error_kind,
    error_words,
    is_hex,
    is_job,
    is_subscription,
    is_template,
    is_work,
    node_label,
    notify_shape,
    share_verdict,
    understand,
)
from headframe.detectors.network.stratum.difficulty import from_compact_target, from_target_256
from headframe.detectors.network.stratum.shares import VERDICTS, ShareBook
from headframe.detectors.network.stratum.v2_handshake import HandshakeShape
from headframe.records.conversation import PacketRef, StreamChunk
from headframe.sources.network.jsonrpc import Carrier, HttpHead, Message, MessageReader

MAX_JOB_TIMES = 200_000
MAX_DIFFICULTIES = 10_000
MAX_PAUSES = 2_000
MAX_JOBS_REMEMBERED = 512
"""A pool takes shares for its last few jobs; nobody keeps hundreds."""
MAX_ASKED = 1_024
"""Ids with open questions; each holds at most 64, so a hostile stream gets 65,000 small entries and no more."""
MAX_TENTATIVE = 64
MAX_PACKETS = 128
"""Packets cited per session: the first half and the last half of these."""
MAX_NAMES = 64
MIN_HIDDEN = 12
"""Parts of a path from this length on may be an account: words such as ``json_rpc`` are shorter. [characters]"""
PAUSE_NS = 60_000_000_000
"""Silences from here on are noted; which of them count as absence is for the parameters to say. [ns]"""
GARBAGE_LIMIT_BYTES = 8_192
"""After so many bytes that are neither JSON nor HTTP nor WebSocket, nothing will come. A pool's banner is shorter."""
PLAIN_LIMIT = 128
"""After so many messages without a word of mining the label of a conversation does not change any more."""

_KEYS = ("method", "result", "error", "type")
"""One of these is in every message."""
_SHARE_WORDS = ("share", "job not found", "block expired", "invalid job id")
"""Errors that nothing but a share gets, as pools of both families word them."""

MINING_AGENTS = (
    "cgminer", "bfgminer", "sgminer", "cpuminer", "minerd", "ccminer", "xmrig", "xmr-stak", "ethminer", "claymore",
    "phoenixminer", "nsgminer", "poclbm", "ufasoft", "diablominer", "guiminer", "antminer", "whatsminer", "bmminer",
    "nheqminer", "t-rex", "lolminer", "nbminer", "gminer", "teamredminer", "wildrig", "srbminer", "yam", "rpcminer",
    "phoenix", "bzminer", "braiins", "bosminer", "avalon", "innosilicon", "kncminer", "goldshell",
)  # fmt: skip
"""How mining software calls itself in ``User-Agent``, ``agent`` and ``mining.subscribe``."""


@dataclass(slots=True)
class CoinSigns:
    """Everything seen that tells which coin is mined."""

    algorithms: Counter[str] = field(default_factory=Counter)
    shapes: Counter[Notify] = field(default_factory=Counter)
    accounts: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    agents: dict[str, None] = field(default_factory=dict)
    hidden: dict[str, None] = field(default_factory=dict)
    """What may name an account and is not sure to: never shown, and not counted as one."""
    nbits: str | None = None
    previous_hash: str | None = None
    coinbase: str | None = None
    blob_major: int | None = None
    height: int | None = None
    sign_time_ns: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """The first message of a kind: what it is, and the packet that shows it."""

    time_ns: int
    text: str
    packet: PacketRef


class StratumSession:
    """One conversation, read for mining. Pure, incremental, bounded; see the module for how much it keeps.

    Attributes
    ----------
    client_acts, server_acts : list of int[2]
        By direction: messages that only a client, only a server says.
    heard : int
        Messages of mining, answers to them included.
    own_words : int
        Those by a method, or with contents, that nothing but mining has.
    authorised : bool
        True where the server confirmed a log-in.
    acts : Counter of Act
    dialects : Counter of Dialect
    book : ShareBook
    job_times : array of int64
        [ns since 1970-01-01 UTC]
    tips : list of (int, int or None, str or None)
        The first job on each block: its time, its height where jobs tell it, its coinbase. [ns since 1970-01-01 UTC]
    difficulties : list of (int, float)
        Each change of a share's worth; see `ShareBook.worth` for the sign.
    pauses : list of (int, int)
        Silences of `PAUSE_NS` and more, and stretches with missing bytes as (start, end), marked in `lost`.
    marks : dict of str to Mark
    """

    __slots__ = (
        "_asked",
        "_closed",
        "_gap_since",
        "_jobs",
        "_last_job",
        "_noted",
        "_readers",
        "_shape",
        "_stated_difficulty",
        "_tentative",
        "_tip",
        "_trailing_packets",
        "_worth",
        "acts",
        "answers_only_shares",
        "answers_without_question",
        "authorised",
        "book",
        "carriers",
        "client_acts",
        "dialects",
        "difficulties",
        "errors",
        "first_ns",
        "handshake_seen",
        "heard",
        "http_errors",
        "job_times",
        "known_since_ns",
        "labels",
        "last_ns",
        "leading_packets",
        "lost",
        "malformed",
        "marks",
        "messages",
        "mining_agent",
        "mining_extensions",
        "node_calls",
        "own_words",
        "page_word",
        "pauses",
        "positive_answers",
        "seen_bytes",
        "server_acts",
        "signs",
        "subscribed",
        "templates",
        "tips",
    )

    def __init__(self) -> None:
        self._readers = (MessageReader(), MessageReader())
        self._shape: HandshakeShape = HandshakeShape()
        self._asked: tuple[dict[str, list[tuple[Said, int]]], dict[str, list[tuple[Said, int]]]] = ({}, {})
        self._jobs: dict[str, float] = {}
        self._worth = 0.0
        self._closed = False
        self._gap_since: int | None = None
        self._tentative: list[tuple[int, Message, str]] = []
        self._last_job = ""
        self._stated_difficulty = 1.0
        self._trailing_packets: list[PacketRef] = []
        self.leading_packets: list[PacketRef] = []
        self.client_acts = [0, 0]
        self.server_acts = [0, 0]
        self.seen_bytes = [0, 0]
        self.acts: Counter[Act] = Counter()
        self.dialects: Counter[Dialect] = Counter()
        self.carriers: Counter[Carrier] = Counter()
        self.book = ShareBook()
        self.job_times = array("q")
        self.tips: list[tuple[int, int | None, str | None]] = []
        self._tip: tuple[int | None, str | None] = (None, None)
        self.difficulties: list[tuple[int, float]] = []
        self.pauses: list[tuple[int, int]] = []
        self.lost: list[tuple[int, int]] = []
        self.marks: dict[str, Mark] = {}
        self.signs = CoinSigns()
        self.labels: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.messages = 0
        self.malformed = 0
        self.positive_answers = 0
        self.subscribed = False
        self.templates = 0
        self.node_calls = 0
        self.mining_agent = False
        self.mining_extensions = False
        self.http_errors = 0
        self.page_word = ""
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self.known_since_ns: int | None = None
        self.handshake_seen = False
        self.heard = 0
        self.own_words = 0
        self.authorised = False
        self._noted = False
        self.answers_without_question = 0
        self.answers_only_shares = 0

    # -- taking in ---------------------------------------------------------------------------------------------------

    def feed(self, chunk: StreamChunk) -> bool:
        """Take the next piece of either direction.

        Parameters
        ----------
        chunk : StreamChunk

        Returns
        -------
        bool
            False where it is certain that this is not mining and no label will improve: send no more.
        """
        if self._closed:
            return False
        direction = int(chunk.direction)
        first = self.seen_bytes[direction] == 0
        self.seen_bytes[direction] += len(chunk.data)
        if self._shape.possible:
            self._shape.feed(chunk)
        if chunk.after_gap and self.first_ns is not None:
            self._note_gap(direction)
        if self._tentative:
            self._settle_tentative(direction, chunk.after_gap and not first)
        messages = self._readers[direction].feed(chunk)
        for message in messages:
            try:
                self._take(direction, message)
            except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError):
                # A message of the wrong shape is counted and passed over: the sender decides what it holds.
                self.malformed += 1
            self.heard += self._noted
            self._noted = False
        if self.first_ns is None and not self._shape.handshaken:
            self._closed = self._is_hopeless(chunk.data if first else b"")
        return not self._closed

    def _is_hopeless(self, opening: bytes) -> bool:
        if opening[:2] == b"\x16\x03" or opening[:4] == b"SSH-":
            return True
        readers = self._readers
        if self.unreadable or self.quoted_word:
            return False  # garbage that holds a word of mining may be there to have the rest passed over
        if self.messages == 0:
            heads = readers[0].http_heads + readers[1].http_heads
            if heads == 0:
                garbage = readers[0].garbage_bytes + readers[1].garbage_bytes
                return garbage > GARBAGE_LIMIT_BYTES and not self._shape.possible
            return heads > PLAIN_LIMIT
        return self.messages > PLAIN_LIMIT

    def _note_gap(self, direction: int) -> None:
        if self._gap_since is None:
            self._gap_since = self.last_ns
        # Answers may be missing: where one id stands for several questions they cannot be told apart any more.
        asked = self._asked[1 - direction]
        for key in [key for key, waiting in asked.items() if len(waiting) > 1]:
            del asked[key]

    def _take(self, direction: int, message: Message) -> None:
        value = message.value
        if value is None:
            self._take_head(direction, message)
            return
        self.messages += 1
        if not any(key in value for key in _KEYS):
            # Some servers read names in any case (Go's encoding/json does), so a client may write them in any.
            value = {key.lower(): part for key, part in value.items()}
        said = understand(value)
        if said is not None:
            self._take_said(direction, message, value, said)
        elif "result" in value or "error" in value:
            self._take_answer(direction, message, value)
        else:
            self._take_plain(direction, message, value)

    def _take_head(self, direction: int, message: Message) -> None:
        head = message.head
        if message.prefix:
            self._take_prefix(direction, message)
            return
        if message.page_word:
            self.page_word = message.page_word
            self._mark("page", message, f"HTTP body that holds the words {message.page_word!r}")
            return
        if head is None:
            return
        if head.status == 0:
            self._take_request_head(message, head)
            return
        if head.status == 101:
            self._readers[1 - direction].expect_websocket()
        elif head.status >= 400:
            self.http_errors += 1
            if self.first_ns is not None:
                self._mark("http error", message, f"HTTP answer {head.status}")
        if "x-stratum" in head.headers or "x-long-polling" in head.headers:
            # Servers of getwork name their stratum twin and their long polling: pools do, nodes do not.
            self._name(self.signs.names, head.headers.get("x-stratum", ""))

    def _take_request_head(self, message: Message, head: HttpHead) -> None:
        agent = head.headers.get("user-agent", "")
        if agent and any(name in agent.lower() for name in MINING_AGENTS):
            self.mining_agent = True
            self._name(self.signs.agents, agent)
            self._mark("agent", message, "HTTP request by mining software (User-Agent)")
        if self.mining_agent or "x-mining-extensions" in head.headers:
            host = head.headers.get("host", "").rpartition(":")[0] or head.headers.get("host", "")
            if any(char.isalpha() for char in host):
                self._name(self.signs.names, host)
        if head.user:
            self._name(self.signs.hidden, head.user)
        for part in head.path.split("?", 1)[0].split("/"):
            if len(part) >= MIN_HIDDEN:
                self._name(self.signs.hidden, part)
        path = head.path.lower()
        if "zabbix" in path:
            self._label("Zabbix")
        elif path.endswith("/json_rpc"):
            self._label("RPC of a Monero node or wallet")
        if "x-mining-extensions" in head.headers:
            self.mining_extensions = True
            self._mark("extensions", message, "HTTP request with X-Mining-Extensions")

    def _take_prefix(self, direction: int, message: Message) -> None:
        """A document too long to keep: only a block template is as long and opens with these names."""
        self.messages += 1
        if b'"previousblockhash"' in message.prefix or b'"blocktemplate_blob"' in message.prefix:
            self.templates += 1
            self._seen(message, direction, server=True)
            self._mark("template", message, "block template handed out (long answer, only its beginning read)")

    def _take_plain(self, direction: int, message: Message, value: dict[str, Any]) -> None:
        method = value.get("method")
        if isinstance(method, str) and ("params" in value or "id" in value or "jsonrpc" in value):
            self._label(node_label(method) or "JSON-RPC")
            self.node_calls += 1
            self._mark("plain", message, "JSON-RPC call that is not of mining")

    def _take_said(self, direction: int, message: Message, value: dict[str, Any], said: Said) -> None:
        act = said.act
        params: Any = value.get("params", value.get("body"))
        if act is Act.SUBMIT_BLOCK and not (isinstance(params, list) and params):
            return
        self.acts[act] += 1
        self.own_words += act in _WORK_ACTS or value.get("method") not in _ORDINARY
        dialect = said.dialect
        if dialect is Dialect.ETH_PROXY and message.carrier is Carrier.HTTP:
            dialect = Dialect.ETH_GETWORK_HTTP
        self.dialects[dialect] += 1
        self.carriers[message.carrier] += 1
        server = act >= Act.JOB
        self._seen(message, direction, server)
        time_ns = message.time_ns
        if server:
            self.server_acts[direction] += 1
            if act is Act.JOB:
                self._take_job(message, value, params)
            elif act is Act.DIFFICULTY:
                number = params[0] if isinstance(params, list) else params.get("difficulty")
                number = float(number) if isinstance(number, str) else number
                if isinstance(number, (int, float)) and not isinstance(number, bool) and 0 < number < 1e30:
                    self._stated_difficulty = float(number)
                    self._set_worth(time_ns, -float(number))
                    self._mark("difficulty", message, f"{value.get('method')}: the server sets the share difficulty")
            elif act is Act.TARGET:
                target = params[0] if isinstance(params, list) else params.get("target")
                hashes = from_target_256(target)
                if isinstance(params, dict) and isinstance(params.get("algo"), str):
                    self._algorithm(params["algo"])
                if hashes is not None:
                    self._set_worth(time_ns, hashes)
                    self._mark("difficulty", message, f"{value.get('method')}: the server sets the share target")
            elif act is Act.ACCEPTED:
                self._take_web_answer(direction, message, "accepted")
            elif act is Act.REJECTED:
                self._take_web_answer(direction, message, "rejected")
            elif act is Act.REFUSED:
                self.errors["banned"] += 1
            else:
                name = value.get("method", value.get("type"))
                self._mark("note", message, f"{name}: server's message")
            return
        self.client_acts[direction] += 1
        number = -1
        if act in (Act.SUBMIT, Act.SUBMIT_BLOCK):
            number = self._take_submit(message, value, said, params)
        elif act in (Act.SUBSCRIBE, Act.LOGIN, Act.AUTHORIZE):
            self.handshake_seen = True
            self._take_introduction(value, said, params)
        elif act is Act.TEMPLATE and isinstance(params, dict):
            self._name(self.signs.accounts, params.get("wallet_address", ""))
        if message.head is not None:
            self._take_http_account(message.head, said)
        if isinstance(value.get("worker"), str):
            self._name(self.signs.accounts, value["worker"])
        self._mark(f"client {act.name}", message, f"{value.get('method', value.get('type'))}: {_WHAT_CLIENT[act]}")
        if act is not Act.KEEPALIVE or "id" in value:
            asked = self._asked[direction]
            key = _id(value)
            waiting = asked.setdefault(key, [])
            if len(waiting) < 64:
                waiting.append((said, number))
            if len(asked) > MAX_ASKED:
                del asked[next(iter(asked))]

    def _take_http_account(self, head: HttpHead, said: Said) -> None:
        """Who mines, where HTTP carries it: the user of getwork, or a path of wallet and worker."""
        # Who asks a node for templates is a user of the node, unless it calls itself mining software.
        if head.user and (self.mining_agent or said.dialect is Dialect.GETWORK):
            self._name(self.signs.accounts, head.user)
        if said.dialect is Dialect.ETH_PROXY:
            wallet, _, worker = head.path.strip("/").partition("/")
            if is_hex(wallet.partition(".")[0], 40):
                self._name(self.signs.accounts, wallet)
                if worker and "/" not in worker:
                    self._name(self.signs.accounts, worker)

    def _take_introduction(self, value: dict[str, Any], said: Said, params: Any) -> None:
        signs = self.signs
        if isinstance(params, list):
            texts = [part for part in params if isinstance(part, str)]
            if said.act is Act.SUBSCRIBE:
                for text in texts:
                    if "EthereumStratum" in text:
                        self.dialects[Dialect.ETHEREUM_STRATUM] += 1000
                    elif "." in text and "/" not in text and " " not in text and not text[0].isdigit():
                        self._name(signs.names, text)
                    elif any(char.isalpha() for char in text) and len(signs.agents) < 4 and not is_hex(text, len(text)):
                        self._name(signs.agents, text)
            elif texts:
                self._name(signs.accounts, texts[0])
            return
        if not isinstance(params, dict):
            params = value
        for key in ("login", "site_key", "sitekey", "api_key", "worker", "graffiti", "user"):
            if isinstance(params.get(key), str):
                self._name(signs.accounts, params[key])
                break
        agent = params.get("agent")
        if isinstance(agent, str):
            self._name(signs.agents, agent)

    def _take_submit(self, message: Message, value: dict[str, Any], said: Said, params: Any) -> int:
        job: Any = None
        contents: Any = None
        if isinstance(params, dict):
            job = params.get("job_id", params.get("miningRequestId"))
            nonce = params.get("nonce", params.get("randomness"))
            contents = (str(job), str(nonce), str(params.get("result", params.get("pow"))))
        elif isinstance(params, list) and params:
            if said.dialect is Dialect.ETH_PROXY:
                job = params[1] if len(params) > 1 else None
                contents = tuple(str(part) for part in params)
            elif said.dialect in (Dialect.GETWORK, Dialect.GETBLOCKTEMPLATE):
                contents = hash(str(params[0]))
            else:
                job = params[1] if len(params) > 1 else None
                contents = (str(job), *(hash(str(part)) for part in params[2:]))
                if isinstance(params[0], str):
                    self._name(self.signs.accounts, params[0])
                if len(params) == 5 and isinstance(params[4], str) and len(params[4]) > 500:
                    self.dialects[Dialect.ZCASH] += 1  # an Equihash solution
        elif "nonce" in value:
            contents = (str(value.get("id")), str(value["nonce"]))
        worth = self._jobs.get(_key(job), self._worth)
        return self.book.hand_in(message.time_ns, worth, contents)

    def _take_job(self, message: Message, value: dict[str, Any], params: Any) -> None:
        time_ns = message.time_ns
        job: Any = None
        worth = self._worth
        if value.get("method") == "mining.notify":
            shape = notify_shape(params)
            if isinstance(params, list):
                job = params[0]
                if shape is Notify.BITCOIN:
                    self._keep_header(time_ns, params[1], params[6] if len(params) > 6 else None, params[2])
                elif shape is Notify.ZCASH:
                    self._keep_header(time_ns, params[2], params[6], None)
                elif shape is Notify.KAWPOW:
                    worth = self._changed(time_ns, from_target_256(params[3]))
                    if len(params) > 5 and isinstance(params[5], int):
                        self._keep_height(time_ns, params[5])
                elif shape is Notify.ERGO:
                    self._keep_height(time_ns, params[1])
                    # Pools disagree whether a stated difficulty divides the bound of the job: only 1 leaves no doubt.
                    bound = from_target_256(int(params[6])) if self._stated_difficulty == 1.0 else 0.0
                    worth = self._changed(time_ns, bound)
                elif shape is Notify.ALEPHIUM:
                    job = params[0].get("jobId")  # its target may be the chain's own, so no rate is made of it
            elif isinstance(params, dict):
                job = params.get("miningRequestId", params.get("job_id"))
        elif isinstance(params, dict):
            shape = Notify.GRIN if "pre_pow" in params else Notify.CRYPTONOTE
            job = params.get("job_id")
            worth = self._changed(time_ns, from_compact_target(params.get("target")))
            self._keep_cryptonote(time_ns, params)
        else:
            shape = Notify.BEAM
            job = value.get("id")
            worth = 0.0
        self._add_job(message, job, worth, shape)

    def _keep_cryptonote(self, time_ns: int, job: dict[str, Any]) -> None:
        signs = self.signs
        algorithm = job.get("algo")
        if isinstance(algorithm, str) and algorithm:
            self._algorithm(algorithm)
        blob = job.get("blob")
        if isinstance(blob, str) and len(blob) >= 8:
            signs.blob_major = int(blob[:2], 16)
            signs.sign_time_ns = time_ns
        if isinstance(job.get("height"), int):
            self._keep_height(time_ns, job["height"])

    def _keep_height(self, time_ns: int, height: int) -> None:
        self.signs.height = height
        self.signs.sign_time_ns = time_ns

    def _keep_header(self, time_ns: int, previous: Any, nbits: Any, coinbase: Any) -> None:
        signs = self.signs
        signs.sign_time_ns = time_ns
        if isinstance(previous, str):
            signs.previous_hash = previous[:64]
        if isinstance(nbits, str):
            signs.nbits = nbits[:8]
        if isinstance(coinbase, str):
            signs.coinbase = coinbase[:256]

    def _changed(self, time_ns: int, hashes: float | None) -> float:
        """A job that brings its own target; its worth, or that of the session where it brings none."""
        if hashes is None:
            return self._worth
        self._set_worth(time_ns, hashes)
        return hashes

    def _set_worth(self, time_ns: int, worth: float) -> None:
        if worth == self._worth:
            return
        self._worth = worth
        if self.known_since_ns is None:
            self.known_since_ns = time_ns
        if len(self.difficulties) < MAX_DIFFICULTIES:
            self.difficulties.append((time_ns, worth))

    def _add_job(self, message: Message, job: Any, worth: float, shape: Notify) -> None:
        self.signs.shapes[shape] += 1
        jobs = self._jobs
        key = _key(job)
        jobs.pop(key, None)
        jobs[key] = worth
        if len(jobs) > MAX_JOBS_REMEMBERED:
            del jobs[next(iter(jobs))]
        tip = (self.signs.height, self.signs.previous_hash)
        if tip != self._tip and len(self.tips) < MAX_JOB_TIMES:
            self._tip = tip
            self.tips.append((message.time_ns, self.signs.height, self.signs.coinbase))
        again, self._last_job = key == self._last_job, key
        if again and shape in (Notify.ETHASH, Notify.GETWORK):
            return  # a poll answered with the work that is known already
        if len(self.job_times) < MAX_JOB_TIMES:
            self.job_times.append(message.time_ns)
        self._mark("job", message, f"{_WHAT_JOB[shape]}: the server hands out work")

    # -- answers -------------------------------------------------------------------------------------------------

    def _take_answer(self, direction: int, message: Message, value: dict[str, Any]) -> None:
        result, error = value.get("result"), value.get("error")
        asked = self._asked[1 - direction]
        key = _id(value)
        waiting = asked.get(key)
        if waiting:
            said, number = waiting.pop(0)
            if not waiting:
                del asked[key]
            self._take_reply(direction, message, said, number, result, error)
            return
        self._take_orphan(direction, message, value)

    def _take_reply(self, direction: int, message: Message, said: Said, number: int, result: Any, error: Any) -> None:
        """An answer whose question was seen."""
        self._seen(message, direction, server=True)
        act = said.act
        if act in (Act.SUBMIT, Act.SUBMIT_BLOCK):
            verdict = share_verdict(result, error)
            if act is Act.SUBMIT_BLOCK and error is None:
                verdict = "accepted" if result is None else "rejected"  # BIP 22: null means taken
            if error not in _NO_ERROR:
                self._refused(message, error)
            elif verdict == "rejected" and message.head is not None:
                # getwork answers true or false, and says in a header why (Bitcoin wiki, "Getwork").
                verdict = share_verdict(None, message.head.headers.get("x-reject-reason", "rejected"))
            self.book.answer(number, verdict)
            if verdict == "accepted":
                self.positive_answers += 1
            self._mark(f"share {verdict}", message, f"answer to a share: {verdict}")
            return
        if error not in _NO_ERROR:
            self._refused(message, error)
            return
        if self._take_work(direction, message, result):
            return
        if act is Act.SUBSCRIBE:
            if is_subscription(result) or (result is True and said.dialect is not Dialect.STRATUM_V1):
                self._subscribed(message, result)
        elif act in (Act.AUTHORIZE, Act.LOGIN):
            if result is True or (isinstance(result, dict) and ("id" in result or result.get("status") == "OK")):
                self.positive_answers += 1
                self.authorised = True
                self._mark("authorised", message, "the server accepts the log-in")
            elif result is False:
                self._refused(message, "log-in refused")

    def _subscribed(self, message: Message, result: Any) -> None:
        self.subscribed = True
        self.positive_answers += 1
        if "EthereumStratum" in str(result)[:400]:
            self.dialects[Dialect.ETHEREUM_STRATUM] += 1000
        self._mark("subscribed", message, "the server confirms the subscription and hands out an extra nonce")

    def _refused(self, message: Message, error: Any) -> None:
        self.errors[error_kind(error)] += 1
        self._mark("refused", message, "the server answers with an error")

    def _take_work(self, direction: int, message: Message, result: Any) -> bool:
        """Work that comes as an answer, or as an answer that nobody asked for: some pools push it so."""
        time_ns = message.time_ns
        if isinstance(result, list):
            if is_work(result):
                self._server_said(direction, message, Dialect.ETH_PROXY)
                worth = self._changed(time_ns, from_target_256(result[2]))
                height = result[3] if len(result) > 3 else None
                if isinstance(height, str) and height.startswith("0x") and len(height) <= 18:
                    self._keep_height(time_ns, int(height, 16))
                self._add_job(message, result[0], worth, Notify.ETHASH)
                return True
            return False
        if not isinstance(result, dict):
            return False
        job = result.get("job")
        if is_job(job):
            self._server_said(direction, message, Dialect.CRYPTONOTE)
            self.positive_answers += 1
            self.authorised = True  # a log-in is answered with the first job
            self._take_job(message, {"method": "job"}, job)
            return True
        if is_job(result):
            self._server_said(direction, message, Dialect.CRYPTONOTE)
            self._take_job(message, {"method": "job"}, result)
            return True
        if "data" in result and "target" in result and is_hex(result["target"], 64) and len(str(result["data"])) >= 160:
            self._server_said(direction, message, Dialect.GETWORK)
            worth = self._changed(time_ns, from_target_256(result["target"], "little"))
            self._add_job(message, str(result["data"])[:160], worth, Notify.GETWORK)
            return True
        if is_template(result):
            self.templates += 1
            self._server_said(direction, message, Dialect.GETBLOCKTEMPLATE)
            hashes = from_target_256(result.get("target"))
            if hashes is None and isinstance(result.get("difficulty"), int):
                hashes = float(result["difficulty"])
            worth = self._changed(time_ns, hashes)
            previous = result.get("previousblockhash", result.get("prev_hash"))
            self._keep_header(time_ns, previous, result.get("bits"), None)
            if "blocktemplate_blob" in result:
                self._keep_cryptonote(time_ns, {"blob": result["blocktemplate_blob"], "height": result.get("height")})
                self.signs.shapes[Notify.CRYPTONOTE] += 1
            elif isinstance(result.get("height"), int):
                self._keep_height(time_ns, result["height"])
            self._add_job(message, previous, worth, Notify.TEMPLATE)
            return True
        return False

    def _server_said(self, direction: int, message: Message, dialect: Dialect) -> None:
        if dialect is Dialect.ETH_PROXY and message.carrier is Carrier.HTTP:
            dialect = Dialect.ETH_GETWORK_HTTP
        self.server_acts[direction] += 1
        self.acts[Act.JOB] += 1
        self.own_words += 1
        self.dialects[dialect] += 1
        self.carriers[message.carrier] += 1
        self._seen(message, direction, server=True)

    def _take_orphan(self, direction: int, message: Message, value: dict[str, Any]) -> None:
        """An answer whose question was not seen: only what it can mean by itself."""
        result, error = value.get("result"), value.get("error")
        if error in _NO_ERROR and self._take_work(direction, message, result):
            return
        if error in _NO_ERROR and "mining.notify" in str(result)[:400] and is_subscription(result):
            self._server_said(direction, message, Dialect.STRATUM_V1)
            self.acts[Act.JOB] -= 1
            self._subscribed(message, result)
            return
        if error not in _NO_ERROR:
            if self.first_ns is not None and not self.job_times:
                self._refused(message, error)
        if self.first_ns is None and ("id" in value or "jsonrpc" in value):
            self._label("JSON-RPC")
            self._mark("plain", message, "JSON-RPC answer that is not of mining")
        self.answers_without_question += 1
        if not self.job_times or not self._only_a_share(result, error):
            return
        if self.seen_bytes[1 - direction] == 0:
            self._seen(message, direction, server=True)
            self._take_unseen_share(message, share_verdict(result, error), self._worth)
        elif len(self._tentative) < MAX_TENTATIVE:
            self._tentative.append((direction, message, share_verdict(result, error)))

    def _take_unseen_share(self, message: Message, verdict: str, worth: float) -> None:
        self.answers_only_shares += 1
        self.book.hand_in(message.time_ns, worth, None, VERDICTS[verdict])
        self._mark(f"share {verdict}", message, f"answer to a share that was not seen: {verdict}")

    def _settle_tentative(self, client: int, gap: bool) -> None:
        """Answers to nothing that was seen: if the client's packets turn out to be missing, they were to shares.

        The time around a gap is taken out of the hash rate, so these shares must not count towards it either.
        """
        for direction, message, verdict in self._tentative:
            if gap and direction == 1 - client:
                self._take_unseen_share(message, verdict, 0.0)
        self._tentative = [entry for entry in self._tentative if entry[0] == client]

    def _only_a_share(self, result: Any, error: Any) -> bool:
        """True for an answer that nothing but a share gets; a bare ``true`` may also answer a log-in.

        Log-in and its kin are over within the first answers of a session: where its beginning was seen, the first two
        bare ones are passed over, elsewhere none.
        """
        if isinstance(result, dict):
            return result.get("status") == "OK" and "job" not in result and "id" not in result
        words, code = error_words(error)
        if error not in _NO_ERROR:
            return code in (20, 21, 22, 23) or any(word in words for word in _SHARE_WORDS)
        if result is not True or Dialect.ETH_PROXY in self.dialects:
            return False  # ethminer reports its hash rate, and that too is answered with true
        return self.answers_without_question > (3 if self.subscribed else 1)

    def _take_web_answer(self, direction: int, message: Message, verdict: str) -> None:
        """``hash_accepted`` and an ``invalid_share`` carry no id: the oldest unanswered share is meant."""
        self.positive_answers += verdict == "accepted"
        self._mark(f"share {verdict}", message, f"answer to a share: {verdict}")
        asked = self._asked[1 - direction]
        for key, waiting in asked.items():
            for position, (said, number) in enumerate(waiting):
                if said.act is Act.SUBMIT:
                    del waiting[position]
                    if not waiting:
                        del asked[key]
                    self.book.answer(number, verdict)
                    return
        if self.seen_bytes[1 - direction] == 0:
            self.answers_only_shares += 1
            self.book.hand_in(message.time_ns, self._worth, None, VERDICTS[verdict])

    # -- keeping -------------------------------------------------------------------------------------------------

    def _seen(self, message: Message, direction: int, server: bool) -> None:
        """Note that a message of mining was here: time, silence before it, packet."""
        self._noted = True
        time_ns = message.time_ns
        last = self.last_ns
        if self.first_ns is None:
            self.first_ns = time_ns
        elif last is not None and time_ns > last:
            if self._gap_since is not None:
                if len(self.lost) < MAX_PAUSES:
                    self.lost.append((self._gap_since, time_ns))
            elif time_ns - last >= PAUSE_NS and len(self.pauses) < MAX_PAUSES:
                self.pauses.append((last, time_ns))
        if self._gap_since is not None and last is not None and time_ns > last:
            self._gap_since = None
        if last is None or time_ns > last:
            self.last_ns = time_ns
        if len(self.leading_packets) < MAX_PACKETS // 2:
            self.leading_packets.append(message.packet)
        else:
            trailing = self._trailing_packets
            trailing.append(message.packet)
            if len(trailing) >= MAX_PACKETS:
                del trailing[: MAX_PACKETS // 2]

    def _mark(self, key: str, message: Message, text: str) -> None:
        if key not in self.marks:
            self.marks[key] = Mark(message.time_ns, text, message.packet)

    def _label(self, label: str) -> None:
        if label in self.labels or len(self.labels) < MAX_NAMES:
            self.labels[label] += 1

    def _algorithm(self, name: str) -> None:
        algorithms = self.signs.algorithms
        if len(algorithms) < MAX_NAMES:
            algorithms[name.lower()[:24]] += 1

    @staticmethod
    def _name(names: dict[str, None], name: Any) -> None:
        if isinstance(name, str) and name and len(names) < MAX_NAMES:
            names.setdefault(name[:256])

    # -- reading out -----------------------------------------------------------------------------------------------

    @property
    def is_mining_like(self) -> bool:
        """True where at least one message of a mining dialect was seen."""
        return self.first_ns is not None

    @property
    def handshake(self) -> HandshakeShape:
        """What the beginning looks like under Stratum V2."""
        return self._shape

    @property
    def client_direction(self) -> int:
        """Direction of the client, by what was said; the originator where nothing tells."""
        votes = [self.client_acts[0] + self.server_acts[1], self.client_acts[1] + self.server_acts[0]]
        if not any(votes) and self._shape.handshaken:
            return self._shape.client_direction
        return 1 if votes[1] > votes[0] else 0

    @property
    def packets(self) -> list[PacketRef]:
        """The packets cited, at most `MAX_PACKETS`: the first and the last of the session."""
        return [*self.leading_packets, *self._trailing_packets[-MAX_PACKETS // 2 :]]

    @property
    def quoted_word(self) -> str:
        """A word of mining inside text that is no message; empty where none was met."""
        return self._readers[0].quoted_word or self._readers[1].quoted_word

    @property
    def unreadable(self) -> int:
        """Lines that hold a method of mining and are no JSON that can be read."""
        return self._readers[0].unreadable + self._readers[1].unreadable

    @property
    def names_a_miner(self) -> bool:
        """True where the client calls itself mining software."""
        return self.mining_agent or any(
            word in agent.lower() for agent in self.signs.agents for word in (*MINING_AGENTS, "miner")
        )

    @property
    def gaps(self) -> int:
        """Places where bytes are missing."""
        return self._readers[0].gaps + self._readers[1].gaps


_NO_ERROR: tuple[Any, ...] = (None, False, [], "")
_WORK_ACTS = frozenset((Act.JOB, Act.SUBMIT, Act.DIFFICULTY, Act.TARGET, Act.ACCEPTED, Act.REJECTED))
_ORDINARY = frozenset((None, "login", "eth_login", "keepalived", "getjob", "getjobtemplate"))
"""Methods whose names other programs use too; `None` stands for messages with ``type`` in its place."""
_WHAT_CLIENT = {
    Act.SUBSCRIBE: "the client asks for work",
    Act.AUTHORIZE: "the client logs a worker in",
    Act.LOGIN: "the client logs in",
    Act.CONFIGURE: "the client negotiates",
    Act.GET_WORK: "the client asks for work",
    Act.SUBMIT: "the client hands in a share",
    Act.HASHRATE: "the client reports its hash rate",
    Act.KEEPALIVE: "the client keeps the session alive",
    Act.TEMPLATE: "the client asks for a block template",
    Act.SUBMIT_BLOCK: "the client hands in a block",
}
_WHAT_JOB = {
    **dict.fromkeys(Notify, "mining.notify"),
    Notify.CRYPTONOTE: "job",
    Notify.GRIN: "job",
    Notify.BEAM: "job",
    Notify.ETHASH: "header hash, seed hash and target",
    Notify.GETWORK: "answer to getwork",
    Notify.TEMPLATE: "answer to getblocktemplate",
}


def _id(value: dict[str, Any]) -> str:
    return _key(value.get("id"))


def _key(name: Any) -> str:
    """A short key for an id or a job name of any type and length; 1 and "1" are the same to careless software."""
    text = name if isinstance(name, str) else str(name)
    return text if len(text) <= 64 else f"#{hash(text)}"
