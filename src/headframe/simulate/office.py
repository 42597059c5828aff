"""Office traffic: what else runs on the link, and the conversations that only look like mining.

Every maker returns one conversation. Payloads are made up; encrypted ones are noise of plausible sizes.
"""

import hashlib
import ipaddress
import json
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

from headframe.simulate import quic, tls
from headframe.simulate.chains import CHAINS, Block
from headframe.simulate.dialects import Account
from headframe.simulate.dialects.base import http_request, http_response, line
from headframe.simulate.dialects.solo import PolledTemplate
from headframe.simulate.session import SECOND, Habits, run_session
from headframe.simulate.transport import MILLISECOND, Message

CLIENT, SERVER = 0, 1


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation before it becomes packets: its server's port, what is said, and by which transport."""

    port: int
    messages: list[Message]
    udp: bool = False


@dataclass(slots=True)
class Occasion:
    """When a conversation takes place, with what name, over what distance.

    Attributes
    ----------
    rng : random.Random
    start_ns, end_ns : int
        [ns since 1970-01-01 UTC]
    server_name : str
    rtt_ns : int
        [ns]
    """

    rng: random.Random
    start_ns: int
    end_ns: int
    server_name: str
    rtt_ns: int

    def pause(self, mean_s: float) -> int:
        """An exponential waiting time. [ns]"""
        return int(self.rng.expovariate(1 / mean_s) * SECOND)

    def answer_ns(self, time_ns: int) -> int:
        """When the answer to something said at `time_ns` passes the sensor. [ns since 1970-01-01 UTC]"""
        return time_ns + self.rtt_ns + int(self.rng.uniform(1, 15) * MILLISECOND)


def _tls(what: Occasion, exchanges: list[tuple[int, int, bytes]], port: int = 443) -> Talk:
    """Exchanges as (time, direction, plaintext of the right size) behind a TLS handshake."""
    rng, start = what.rng, what.start_ns
    modern = rng.random() < 0.85
    hello = tls.client_hello(what.server_name, rng, tls13=modern, post_quantum=modern and rng.random() < 0.4)
    messages = [
        Message(start, CLIENT, hello),
        Message(what.answer_ns(start), SERVER, tls.server_hello_flight(rng, tls13=modern)),
        Message(start + what.rtt_ns + 20 * MILLISECOND, CLIENT, tls.client_finish(rng, tls13=modern)),
    ]
    overhead = tls.TLS13_OVERHEAD_BYTES if modern else tls.TLS12_OVERHEAD_BYTES
    messages += [Message(t, d, tls.sealed(data, rng, overhead_bytes=overhead)) for t, d, data in exchanges]
    messages.sort(key=lambda message: message.time_ns)
    return Talk(port, messages)


def web_visit(what: Occasion) -> Talk:
    """A page over TLS: a burst of requests and answers, perhaps a few bursts."""
    rng = what.rng
    said = []
    now = what.start_ns + what.rtt_ns + 30 * MILLISECOND
    for _ in range(1 + int(rng.expovariate(0.6))):
        for _ in range(rng.randrange(1, 7)):
            said.append((now, CLIENT, bytes(rng.randrange(120, 900))))
            size = min(int(rng.lognormvariate(8.2, 1.1)), 120_000)
            now = what.answer_ns(now)
            said.append((now, SERVER, bytes(size)))
            now += int(rng.uniform(2, 60) * MILLISECOND)
        now += what.pause(8.0)
    return _tls(what, said)


def http_visit(what: Occasion) -> Talk:
    """A page in the clear."""
    rng = what.rng
    body = b"<html><body><p>" + b"An ordinary page. " * rng.randrange(10, 400) + b"</p></body></html>"
    return _http_pages(what, [("/", body)])


def _http_pages(what: Occasion, pages: list[tuple[str, bytes]]) -> Talk:
    messages = []
    now = what.start_ns
    for path, body in pages:
        ask = f"GET {path} HTTP/1.1\r\nHost: {what.server_name}\r\nUser-Agent: Browser/1.0\r\nAccept: */*\r\n\r\n"
        messages.append(Message(now, CLIENT, ask.encode()))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
        now = what.answer_ns(now)
        messages.append(Message(now, SERVER, head.encode() + body))
        now += what.pause(3.0)
    return Talk(80, messages)


def dns_lookup(what: Occasion, address: str | None = None) -> Talk:
    """A question for an address and its answer; both parts of RFC 1035, section 4.1."""
    identifier = what.rng.randrange(1 << 16)
    question = b"".join(bytes((len(label),)) + label.encode() for label in what.server_name.split(".")) + b"\x00"
    six = address is not None and ":" in address
    question += struct.pack(">HH", 28 if six else 1, 1)
    query = struct.pack(">6H", identifier, 0x0100, 1, 0, 0, 0) + question
    if address is None:
        reply = struct.pack(">6H", identifier, 0x8183, 1, 0, 0, 0) + question
    else:
        packed = ipaddress.ip_address(address).packed
        reply = struct.pack(">6H", identifier, 0x8180, 1, 1, 0, 0) + question
        reply += struct.pack(">HHHIH", 0xC00C, 28 if six else 1, 1, 300, len(packed)) + packed
    start = what.start_ns
    return Talk(53, [Message(start, CLIENT, query), Message(what.answer_ns(start), SERVER, reply)], udp=True)


def quic_visit(what: Occasion) -> Talk:
    """A page over QUIC: a true Initial, then protected packets of noise."""
    rng, now = what.rng, what.start_ns
    client_id, server_id = rng.randbytes(8), rng.randbytes(8)
    messages = [Message(now, CLIENT, quic.client_initial(what.server_name, rng, client_id))]
    now = what.answer_ns(now)
    handshake = b"\xe1\x00\x00\x00\x01\x08" + client_id + b"\x08" + server_id + b"\x44\x96" + rng.randbytes(1174)
    messages.append(Message(now, SERVER, handshake))
    for _ in range(rng.randrange(2, 9)):
        now += what.pause(0.6)
        messages.append(Message(now, CLIENT, quic.short_header_packet(rng.randrange(60, 400), server_id, rng)))
        arrival = what.answer_ns(now)
        for number in range(rng.randrange(1, 30)):
            size = rng.choice((1200, 1250, 1250, 700))
            messages.append(Message(arrival + number * 150_000, SERVER, quic.short_header_packet(size, client_id, rng)))
        now = arrival + 5 * MILLISECOND
    messages.sort(key=lambda message: message.time_ns)
    return Talk(443, messages, udp=True)


def ssh_session(what: Occasion) -> Talk:
    """Banners in the clear, key exchange of the usual sizes, then typing."""
    rng, now = what.rng, what.start_ns
    messages = [Message(now, CLIENT, b"SSH-2.0-OpenSSH_9.7\r\n")]
    now = what.answer_ns(now)
    messages.append(Message(now, SERVER, b"SSH-2.0-OpenSSH_9.6\r\n"))
    for size in (1536, 1208, 44, 44, 372):
        now += 2 * MILLISECOND
        messages.append(Message(now, CLIENT, rng.randbytes(size)))
        now = what.answer_ns(now)
        messages.append(Message(now, SERVER, rng.randbytes(rng.choice((size, 600, 44)))))
    while now < what.end_ns:
        messages.append(Message(now, CLIENT, rng.randbytes(36)))
        answer = what.answer_ns(now)
        messages.append(Message(answer, SERVER, rng.randbytes(rng.choice((36, 36, 36, 52, 180, 900)))))
        now = answer + what.pause(rng.choice((0.2, 0.2, 0.2, 25.0)))
    return Talk(22, messages)


def mail_delivery(what: Occasion) -> Talk:
    """SMTP in the clear up to STARTTLS, then TLS records."""
    rng, now = what.rng, what.start_ns
    messages = []
    lines: list[tuple[int, bytes]] = [
        (SERVER, f"220 {what.server_name} ESMTP\r\n".encode()), (CLIENT, b"EHLO desk.office.example\r\n"),
        (SERVER, f"250-{what.server_name}\r\n250-SIZE 52428800\r\n250 STARTTLS\r\n".encode()),
        (CLIENT, b"STARTTLS\r\n"), (SERVER, b"220 go ahead\r\n"), (CLIENT, tls.client_hello(what.server_name, rng)),
        (SERVER, tls.server_hello_flight(rng)), (CLIENT, tls.client_finish(rng)),
        (CLIENT, tls.sealed(bytes(rng.randrange(2_000, 90_000)), rng)), (SERVER, tls.sealed(bytes(60), rng)),
    ]  # fmt: skip
    for direction, data in lines:
        now = what.answer_ns(now) if direction == SERVER else now + 3 * MILLISECOND
        messages.append(Message(now, direction, data))
    return Talk(587, messages)


def clock_query(what: Occasion) -> Talk:
    """NTP version 4, every 64 s."""
    messages = []
    now = what.start_ns
    while now < what.end_ns:
        messages.append(Message(now, CLIENT, b"\x23\x00\x06\xec" + bytes(36) + what.rng.randbytes(8)))
        messages.append(Message(now + what.rtt_ns, SERVER, b"\x24\x02\x06\xec" + bytes(8) + what.rng.randbytes(36)))
        now += 64 * SECOND
    return Talk(123, messages, udp=True)


def video_stream(what: Occasion) -> Talk:
    """A film over TLS: a chunk of video every four seconds or so."""
    said = []
    now = what.start_ns + what.rtt_ns + 30 * MILLISECOND
    while now < what.end_ns:
        said.append((now, CLIENT, bytes(350)))
        said.append((what.answer_ns(now), SERVER, bytes(what.rng.randrange(40_000, 90_000))))
        now += int(what.rng.uniform(3.6, 4.4) * SECOND)
    return _tls(what, said)


def file_sync(what: Occasion) -> Talk:
    """A long TLS connection that is mostly idle: small polls, now and then a file. Long and thin, as miners are."""
    said = []
    now = what.start_ns + what.rtt_ns + 30 * MILLISECOND
    while now < what.end_ns:
        said.append((now, CLIENT, bytes(190)))
        said.append((what.answer_ns(now), SERVER, bytes(what.rng.choice((70, 70, 70, 70, 40_000)))))
        now += 30 * SECOND + what.pause(2.0)
    return _tls(what, said)


def backup(what: Occasion) -> Talk:
    """A large upload over TLS."""
    said = []
    now = what.start_ns + what.rtt_ns + 30 * MILLISECOND
    for _ in range(what.rng.randrange(6, 14)):
        said.append((now, CLIENT, bytes(what.rng.randrange(100_000, 300_000))))
        now = what.answer_ns(now) + 40 * MILLISECOND
        said.append((now, SERVER, bytes(90)))
        now += what.pause(0.5)
    return _tls(what, said)


def bitcoin_node(what: Occasion) -> Talk:
    """Two nodes: version, verack, then inv, getdata, tx, headers and pings. Not mining."""
    rng, now = what.rng, what.start_ns

    def packet(command: str, body: bytes) -> bytes:
        check = hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]
        return b"\xf9\xbe\xb4\xd9" + command.encode().ljust(12, b"\x00") + struct.pack("<I", len(body)) + check + body

    def version() -> bytes:
        addresses = bytes(26) + bytes(26)
        agent = b"/SimNode:1.0.0/"
        head = struct.pack("<iQq", 70016, 1033, now // SECOND) + addresses + rng.randbytes(8)
        return packet("version", head + bytes((len(agent),)) + agent + struct.pack("<i?", CHAINS["BTC"].height, True))

    def transaction() -> bytes:
        spent = b"\x01" + rng.randbytes(36) + b"\x6b" + rng.randbytes(107) + b"\xff\xff\xff\xff"
        paid = b"".join(struct.pack("<Q", rng.randrange(10**9)) + b"\x16\x00\x14" + rng.randbytes(20) for _ in range(2))
        return struct.pack("<i", 2) + spent + b"\x02" + paid + bytes(4)

    messages = [Message(now, CLIENT, version())]
    now = what.answer_ns(now)
    messages.append(Message(now, SERVER, version() + packet("verack", b"")))
    messages.append(Message(now + MILLISECOND, CLIENT, packet("verack", b"") + packet("sendheaders", b"")))
    while True:
        now += what.pause(2.0)
        if now >= what.end_ns:
            return Talk(8333, messages)
        teller = rng.randrange(2)
        items = rng.randrange(1, 12)
        inventory = bytes((items,)) + b"".join(struct.pack("<I", 1) + rng.randbytes(32) for _ in range(items))
        if rng.random() < 0.02:
            messages.append(Message(now, teller, packet("headers", b"\x01" + rng.randbytes(80) + b"\x00")))
            continue
        messages.append(Message(now, teller, packet("inv", inventory)))
        if rng.random() < 0.4:
            now += what.rtt_ns + 2 * MILLISECOND
            messages.append(Message(now, 1 - teller, packet("getdata", b"\x01" + inventory[1:37])))
            now += what.rtt_ns + 2 * MILLISECOND
            messages.append(Message(now, teller, packet("tx", transaction())))


def json_rpc_service(what: Occasion) -> Talk:
    """A service of another trade that also speaks JSON-RPC by lines, with subscribe and submit among its methods."""
    rng, now = what.rng, what.start_ns
    messages = []
    number = 0
    while now < what.end_ns and number < 400:
        number += 1
        method = rng.choice(("status", "orders.list", "orders.submit", "stock.subscribe", "job.get", "login.check"))
        call = {"jsonrpc": "2.0", "id": number, "method": method, "params": {"site": rng.randrange(40)}}
        messages.append(Message(now, CLIENT, line(call)))
        now = what.answer_ns(now)
        result = {"ok": True, "rows": [rng.randrange(10_000) for _ in range(rng.randrange(9))]}
        messages.append(Message(now, SERVER, line({"jsonrpc": "2.0", "id": number, "result": result})))
        now += what.pause(6.0)
    return Talk(4000, messages)


def wallet_rpc(what: Occasion) -> Talk:
    """A wallet asks an Ethereum node over HTTP: balances, calls, block number; no work."""
    rng, now = what.rng, what.start_ns
    messages = []
    height = 23_000_000
    number = 0
    while now < what.end_ns:
        number += 1
        method = rng.choice(("eth_blockNumber", "eth_call", "eth_getBalance", "eth_gasPrice", "net_version"))
        params: list[object] = [] if method in ("eth_blockNumber", "eth_gasPrice", "net_version") else [
            "0x" + rng.randbytes(20).hex(), "latest",
        ]  # fmt: skip
        if method == "eth_call":
            params[0] = {"to": "0x" + rng.randbytes(20).hex(), "data": "0x" + rng.randbytes(36).hex()}
        call = line({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        messages.append(Message(now, CLIENT, http_request(what.server_name, call)))
        now = what.answer_ns(now)
        result = hex(height) if method == "eth_blockNumber" else "0x" + rng.randbytes(32).hex()
        messages.append(Message(now, SERVER, http_response(line({"jsonrpc": "2.0", "id": number, "result": result}))))
        height += rng.randrange(2)
        now += what.pause(9.0)
    return Talk(8545, messages)


def pool_daemon_rpc(what: Occasion) -> Talk:
    """A pool's server asks its own node for block templates: work is prepared, not done."""
    rng = what.rng
    chain = CHAINS["BTC"]
    dialect = PolledTemplate(chain, Account("", "pool", "poolserver/1.0"), what.server_name, rng)
    habits = Habits(hashrate_hs=0, fixed_difficulty_hashes=5e23, rtt_ns=what.rtt_ns)
    pushes = [(what.start_ns, Block(chain.height, what.start_ns))]
    messages = run_session(dialect, habits, pushes, what.start_ns, what.end_ns, rng).messages
    return Talk(8332, messages)


def chat_about_mining(what: Occasion) -> Talk:
    """A chat room whose text quotes stratum messages."""
    rng, now = what.rng, what.start_ns
    sayings = (
        'look what mining.notify sends: {"id": null, "method": "mining.notify", "params": ["1", "ab"]}',
        "so mining.subscribe comes first, then mining.authorize?",
        'and {"method":"login","params":{"login":"..."}} is the Monero way',
        "what is for lunch", "the exam is on Thursday", "my homework is about stratum+tcp://pool.example:3333",
    )  # fmt: skip
    messages = [Message(now, CLIENT, b"NICK ada\r\nUSER ada 0 * :ada\r\n")]
    now = what.answer_ns(now)
    messages.append(Message(now, SERVER, f":{what.server_name} 001 ada :welcome\r\n".encode()))
    while True:
        now += what.pause(20.0)
        if now >= what.end_ns:
            return Talk(6667, messages)
        saying = rng.choice(sayings)
        if rng.random() < 0.4:
            messages.append(Message(now, CLIENT, f"PRIVMSG #protocols :{saying}\r\n".encode()))
        else:
            messages.append(Message(now, SERVER, f":bob!b@host.example PRIVMSG #protocols :{saying}\r\n".encode()))


def page_about_mining(what: Occasion) -> Talk:
    """A lesson on the web that shows stratum messages, each on a line of its own."""
    example = {"id": 1, "method": "mining.subscribe", "params": ["miner/1.0"]}
    body = b"<html><body><h1>How stratum works</h1><pre>\n" + line(example)
    job = ["bf", "4d16", "01", "02", [], "2", "1c", "50", True]
    body += line({"id": None, "method": "mining.notify", "params": job})
    body += line({"id": 4, "method": "mining.submit", "params": ["worker", "bf", "00000001", "504e86ed", "b2957c02"]})
    body += b"</pre>" + b"<p>Miners hand in shares.</p>" * 40 + b"</body></html>"
    article = {"title": "eth_submitWork explained", "text": json.dumps({"method": "eth_submitWork"})}
    return _http_pages(what, [("/lessons/stratum", body), ("/api/lesson.json", line(article))])


ROUTINE: dict[str, Callable[[Occasion], Talk]] = {
    "web": web_visit, "http": http_visit, "quic": quic_visit, "ssh": ssh_session, "mail": mail_delivery,
    "ntp": clock_query, "video": video_stream, "file_sync": file_sync, "backup": backup,
}  # fmt: skip
"""Traffic that no detector should even look at twice."""

HARD_NEGATIVES: dict[str, Callable[[Occasion], Talk]] = {
    "bitcoin_node": bitcoin_node, "json_rpc_service": json_rpc_service, "wallet_rpc": wallet_rpc,
    "pool_daemon_rpc": pool_daemon_rpc, "chat_about_mining": chat_about_mining,
    "page_about_mining": page_about_mining, "file_sync": file_sync,
}  # fmt: skip
"""Traffic that resembles mining in content or in shape, by the label that the truth gives it."""
