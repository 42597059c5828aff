"""What looks like mining and is not: told apart, labelled, and never a miner."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from headframe.detectors.network.stratum import StratumParameters, StratumSession, detect
from headframe.records.finding import Role
from tests.detectors.network.stratum.dialect_talks import cryptonote, getblocktemplate, getwork, stratum_v1
from tests.detectors.network.stratum.talk import Talk, answer, frame, hear, line, post, report

TEMPLATE = {
    "version": 2,
    "previousblockhash": "62" * 32,
    "transactions": [],
    "coinbasevalue": 5000000000,
    "bits": "1e0ffff0",
    "height": 9,
}


def page(body: bytes, kind: bytes = b"text/html") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body)) + body


def echo() -> Talk:
    return (
        Talk()
        .c({"jsonrpc": "2.0", "method": "echo", "params": ["mining.notify"], "id": "ca08"})
        .s({"id": "ca08", "result": "mining.notify"})
    )


def zabbix() -> Talk:
    talk = Talk(server_port=80).c(
        post({"jsonrpc": "2.0", "method": "message.get", "params": {}, "id": 1}, path="/zabbix/jsrpc.php")
    )
    return talk.s(answer({"jsonrpc": "2.0", "result": {"result": True}, "id": 1}))


def language_server() -> Talk:
    def lsp(message: object) -> bytes:
        body = json.dumps(message).encode()
        return b"Content-Length: %d\r\n\r\n" % len(body) + body

    talk = Talk().c(lsp({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}))
    talk.s(lsp({"jsonrpc": "2.0", "id": 1, "result": {"capabilities": {}}}))
    return talk.c(lsp({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"text": "login submit job"}}))


def ethereum_wallet() -> Talk:
    talk = Talk(server_port=8545)
    for number, method in enumerate(("eth_blockNumber", "eth_call", "eth_getBalance", "net_version")):
        talk.c(post({"jsonrpc": "2.0", "id": number, "method": method, "params": ["0x" + "1a" * 20, "latest"]}))
        talk.s(answer({"jsonrpc": "2.0", "id": number, "result": "0x" + "00" * 32}))
    return talk


def bitcoin_wallet() -> Talk:
    talk = Talk(server_port=8332)
    for number, method in enumerate(("getblockcount", "getinfo", "getmininginfo")):
        talk.c(post({"id": number, "method": method, "params": []}, "Authorization: Basic dTpw"))
        talk.s(answer({"result": 42, "error": None, "id": number}))
    return talk


def monero_wallet() -> Talk:
    talk = Talk(server_port=18081)
    talk.c(post({"jsonrpc": "2.0", "id": "0", "method": "get_info"}, path="/json_rpc"))
    talk.s(answer({"jsonrpc": "2.0", "id": "0", "result": {"height": 2_000_000, "difficulty": 1, "status": "OK"}}))
    talk.c(post({"jsonrpc": "2.0", "id": "0", "method": "getblockcount"}, path="/json_rpc"))
    return talk.s(answer({"jsonrpc": "2.0", "id": "0", "result": {"count": 2_000_000, "status": "OK"}}))


def chat() -> Talk:
    talk = Talk(server_port=6667).c(
        b"PRIVMSG #dev :look: ", line({"id": None, "method": "mining.notify", "params": ["1", "2"]})
    )
    return talk.s(b':bob PRIVMSG #dev :ah, {"method":"mining.submit","params":[]} and {"method":"login"}\r\n')


def web_page() -> Talk:
    talk = Talk(server_port=80).c(b"GET /stratum HTTP/1.1\r\nHost: wiki.example\r\n\r\n")
    return talk.s(
        page(
            b'<h1>Stratum</h1><pre>{"method":"mining.notify","params":["bf"]}\n{"id":1,"method":"mining.subscribe"}\n</pre>'
        )
    )


def log_file() -> Talk:
    """A log of a session, sent as it is: one side says what a miner and what a pool says."""
    whole = b"".join(data for _, _, data in stratum_v1().said)
    return Talk(server_port=20).s(whole[:700], whole[700:])


def web_socket_chat() -> Talk:
    talk = Talk(server_port=80)
    for text in (
        b'{"type":"message","params":{"text":"job"}}',
        b'{"type":"auth","params":{"name":"eve"}}',
        b'{"type":"job","id":1}',
    ):
        talk.c(frame(text, b"abcd")).s(frame(text))
    return talk


def generic_login() -> Talk:
    talk = (
        Talk()
        .c({"id": 1, "method": "login", "params": {"user": "eve", "password": "x"}})
        .s({"id": 1, "result": {"token": "t", "status": "OK"}})
    )
    return talk.c({"id": 2, "method": "submit", "params": {"form": 7}}).s({"id": 2, "result": {"status": "OK"}})


def template_refused() -> Talk:
    talk = Talk().c(post({"method": "getblocktemplate", "params": [], "id": 1}, "Authorization: Basic dTpw"))
    return talk.s(answer(None, "401 Unauthorized"))


CASES: dict[str, tuple[Callable[[], Talk], str | None]] = {
    "echo": (echo, "JSON-RPC"),
    "zabbix": (zabbix, "Zabbix"),
    "language server": (language_server, "language server"),
    "ethereum wallet": (ethereum_wallet, "RPC of an Ethereum node or wallet"),
    "bitcoin wallet": (bitcoin_wallet, "RPC of a Bitcoin-like node"),
    "monero wallet": (monero_wallet, "RPC of a Monero node or wallet"),
    "chat": (chat, "text that quotes a mining protocol"),
    "web page": (web_page, "web page about mining"),
    "log file": (log_file, "text that quotes a mining protocol"),
    "web socket": (web_socket_chat, None),
    "generic log-in": (generic_login, "JSON-RPC"),
    "template refused": (template_refused, "request for a block template"),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_lookalike_is_no_finding(name: str) -> None:
    """No finding of any role; a label where it speaks JSON-RPC or quotes mining, else silence."""
    make, label = CASES[name]
    for seed in (None, *range(6)):
        detection = report(make(), seed=seed)
        assert detection.findings == ()
        assert [lookalike.label for lookalike in detection.lookalikes] == ([label] if label else [])
        for lookalike in detection.lookalikes:
            assert lookalike.host == "192.0.2.10"
            assert lookalike.reason


def test_the_daemon_of_a_pool_has_a_node_client() -> None:
    """Templates over HTTP with basic authentication and no mining software: a pool's back end, not a miner."""
    talk = Talk(server_port=9332)
    for number in range(3):
        talk.c(
            post(
                {"method": "getblocktemplate", "params": [{"capabilities": ["workid"]}], "id": number},
                "Authorization: Basic dTpw",
            )
        )
        talk.s(answer({"result": TEMPLATE, "error": None, "id": number}))
    talk.c(post({"method": "submitblock", "params": ["02" * 90], "id": 9}, "Authorization: Basic dTpw"))
    talk.s(answer({"result": None, "error": None, "id": 9}))
    finding = report(talk).findings[0]
    assert finding.role is Role.NODE_CLIENT
    assert finding.protocol == "getblocktemplate+http"
    assert finding.accounts == ()


def test_a_template_too_long_to_keep_is_still_a_template() -> None:
    """A block template of megabytes is known by its beginning."""
    long = {**TEMPLATE, "transactions": [{"data": "f0" * 4000, "hash": "5f" * 32}] * 50}
    talk = Talk(server_port=9332).c(
        post({"method": "getblocktemplate", "params": [], "id": 1}, "Authorization: Basic dTpw")
    )
    talk.s(answer({"result": long, "error": None, "id": 1}))
    for seed in (None, 1, 2):
        assert [finding.role for finding in report(talk, seed=seed).findings] == [Role.NODE_CLIENT]


def parse_error(talk: Talk) -> Talk:
    return talk.s(b'{"id":0,"result":null,"error":[20,"Parse error",null]}\n')


def error_page(talk: Talk) -> Talk:
    return talk.s(answer(None, "404 Not Found"))


def silence(talk: Talk) -> Talk:
    return talk


@pytest.mark.parametrize("reply", [parse_error, error_page, silence])
@pytest.mark.parametrize("make", [getwork, getblocktemplate, stratum_v1, cryptonote])
def test_who_is_never_answered_as_by_a_pool_only_probed(
    make: Callable[[], Talk], reply: Callable[[Talk], Talk]
) -> None:
    """A mining program's request that meets an error, a web page or nothing is an attempt."""
    whole = make()
    talk = Talk(server_port=whole.server_port).says(True, whole.said[0][2])
    detection = report(reply(talk))
    if make is stratum_v1 and reply is not silence:
        talk.c({"id": 2, "method": "mining.subscribe", "params": []})
    assert [finding.role for finding in detection.findings] == [Role.PROBE]
    assert "not mining" in detection.findings[0].explanation


def test_a_bare_line_may_answer_an_http_request() -> None:
    """Stratum ports answer getwork with a line, and may even hand out work."""
    talk = Talk().c(post({"method": "getwork", "params": [], "id": 0}, "User-Agent: cgminer 2.0"))
    talk.s({"id": 0, "result": {"data": "00" * 128, "target": "ff" * 28 + "00" * 4}, "error": None})
    finding = report(talk).findings[0]
    assert finding.role is Role.MINER


def test_a_session_says_when_to_stop() -> None:
    """TLS and long plain traffic need no more looking at; mining always does."""
    assert not any(StratumSession().feed(chunk) for chunk in Talk().c(b"\x16\x03\x01\x02\x00" + b"\x01" * 300).chunks())
    session = StratumSession()
    answers = [
        session.feed(chunk)
        for chunk in Talk().c(*[{"id": n, "method": "echo", "params": []} for n in range(300)]).chunks()
    ]
    assert answers[0]
    assert not answers[-1]
    session = StratumSession()
    assert all(session.feed(chunk) for chunk in stratum_v1().chunks())


def test_a_quoted_message_does_not_hide_a_miner() -> None:
    """A pool's show_message with the words of the protocol stays a message."""
    talk = stratum_v1().s({"id": None, "method": "client.show_message", "params": ['{"method":"mining.submit"}']})
    assert report(talk).findings[0].role is Role.MINER
    assert len(hear(talk).book) == 5


def test_a_chat_that_quotes_is_called_by_its_name() -> None:
    """Words of mining inside lines of other text, and no message at all."""
    talk = Talk(server_port=6667).c(b"NICK ada\r\n").s(b':bob PRIVMSG #x :{"method":"mining.notify"} is what\r\n')
    detection = report(talk)
    assert detection.findings == ()
    assert [lookalike.label for lookalike in detection.lookalikes] == ["text that quotes a mining protocol"]
    assert "mining.notify" in detection.lookalikes[0].reason


def test_json_rpc_with_missing_bytes_is_not_declared_harmless() -> None:
    """What was cut off may have been mining: that is for the operator to know."""
    talk = Talk()
    for number in range(40):
        talk.c({"jsonrpc": "2.0", "id": number, "method": "status", "params": {}})
        talk.s({"jsonrpc": "2.0", "id": number, "result": {"ok": True}})
    whole = report(talk)
    assert [lookalike.label for lookalike in whole.lookalikes] == ["JSON-RPC"]
    session = StratumSession()
    for number, piece in enumerate(talk.chunks()):
        session.feed(replace(piece, after_gap=number > 10))
    broken = detect(
        [(talk.conversation(), session)],
        StratumParameters(),
        log10_e=lambda key: 1.0,
        server_name=lambda *_: None,
        pool_name=lambda *_: None,
        pseudonym=lambda text: text,
    )
    assert broken.findings == ()
    assert broken.lookalikes == ()
    assert "JSON-RPC conversation" in broken.insufficient[0].missing
