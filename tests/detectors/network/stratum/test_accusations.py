"""What does not make a host a miner: being spoken to, logging in somewhere, a single packet; and what may be said."""

import json
from dataclasses import replace
from typing import Any

import pytest

from headframe.detectors.network.stratum import Detection, StratumParameters, detect
from headframe.detectors.network.stratum.dialects import Act, is_job, is_share, understand
from headframe.records.finding import Role
from tests.detectors.network.stratum.dialect_talks import XMR, cryptonote, stratum_v1
from tests.detectors.network.stratum.talk import Talk, answer, hear, post, report

NOTIFY = {
    "id": None,
    "method": "mining.notify",
    "params": ["7", "00" * 32, "01", "02", [], "20000000", "1a2b3c4d", "65aabbcc", True],
}
DIFFICULTY = {"id": None, "method": "mining.set_difficulty", "params": [8]}
SHARE = {"id": 4, "method": "mining.submit", "params": ["w", "7", "00000000", "65aabbcc", "00000001"]}
JOB = {"job_id": "1", "blob": "0c0c" + "ab" * 74, "target": "b88d0600"}


def seen_as(history: str, *talks: Talk, pseudonym: Any = None) -> Detection:
    """What is said where the packets of the first conversation were of this history; the others have none."""
    return detect(
        [
            (replace(talk.conversation(), history="" if number else history), hear(talk))
            for number, talk in enumerate(talks)
        ],
        StratumParameters(),
        log10_e=lambda key: 3.0,
        server_name=lambda *_: None,
        pool_name=lambda *_: None,
        pseudonym=pseudonym or (lambda text: text),
    )


def pushed(*messages: object, turned: bool = False, apart_s: float = 0.0) -> Talk:
    """A server's messages that nobody asked for; the server opened the conversation if `turned`."""
    talk = Talk(turned=turned)
    for message in messages:
        talk.s(message).wait(apart_s)
    return talk


@pytest.mark.parametrize("message", [NOTIFY, DIFFICULTY, SHARE], ids=["work", "difficulty", "share"])
def test_one_message_makes_no_miner(message: dict[str, object]) -> None:
    """A single packet can be sent to anyone, under any address."""
    detection = report(Talk().c(message) if message is SHARE else pushed(message))
    assert detection.findings == ()
    assert "one message" in detection.insufficient[0].missing


@pytest.mark.parametrize("history", ["Dr", "^dR"])
def test_who_answers_work_with_a_reset_is_no_miner(history: str) -> None:
    """However much work is sent: the host took none of it."""
    talk = pushed(DIFFICULTY, NOTIFY, NOTIFY, apart_s=30.0, turned=history == "Dr")
    detection = seen_as(history, talk)
    assert detection.findings == ()
    assert "reset" in detection.insufficient[0].missing
    assert detection.insufficient[0].host == talk.client


def test_who_took_the_work_and_then_resets_is_a_miner() -> None:
    """Acknowledged work, and a reset at the end of the session: the client's other packets were there."""
    talk = pushed(DIFFICULTY, NOTIFY, NOTIFY, apart_s=30.0)
    assert [finding.role for finding in seen_as("^dAdAR", talk).findings] == [Role.MINER]


def test_who_is_called_and_sent_work_is_no_miner() -> None:
    """The server opened the conversation (its SYN was seen), and the host answered as a web server does."""
    talk = pushed(DIFFICULTY, NOTIFY, NOTIFY, apart_s=30.0, turned=True).c(answer(None, "400 Bad Request"))
    detection = seen_as("ShADadfF", talk)
    assert detection.findings == ()
    assert "something else" in detection.insufficient[0].missing
    assert [finding.role for finding in seen_as("^shADad", talk).findings] == [Role.MINER]


def test_who_is_called_and_mines_is_a_miner() -> None:
    """A connection the other way round hides nothing once the host asks for work itself."""
    talk = stratum_v1()
    talk.turned = True
    assert [finding.role for finding in seen_as("ShADad", talk).findings] == [Role.MINER]


@pytest.mark.parametrize(("apart_s", "miner"), [(0.0, False), (60.0, True)])
def test_a_lone_side_must_last(apart_s: float, miner: bool) -> None:
    """Without a packet of the other side, a burst is no session and messages over a minute are."""
    detection = report(pushed(DIFFICULTY, NOTIFY, NOTIFY, apart_s=apart_s))
    assert [finding.role for finding in detection.findings] == ([Role.MINER] if miner else [])
    assert len(detection.insufficient) == (not miner)


def test_late_work_counts_for_a_host_that_mines_elsewhere() -> None:
    """A pool goes on sending to a session that just ended: with the host's other sessions it is told, and doubted."""
    late = Talk(server="203.0.113.9").s(NOTIFY)
    findings = seen_as("^dR", late, stratum_v1()).findings
    by_peer = {finding.peer: finding for finding in findings}
    assert set(by_peer) == {"203.0.113.9:3333", "198.51.100.7:3333"}
    assert "left over" in by_peer["203.0.113.9:3333"].contradictions[0]
    assert "mines" not in by_peer["203.0.113.9:3333"].explanation
    other = replace(stratum_v1(), client="192.0.2.99")
    assert [finding.host for finding in seen_as("^dR", late, other).findings] == ["192.0.2.99"]


LOGIN = {"id": 1, "method": "login", "params": {"login": "bob", "pass": "x"}}
CONFIRMATIONS: dict[str, dict[str, object]] = {
    "status": {"id": 1, "result": {"status": "OK"}},
    "user": {"id": 1, "result": {"id": 42, "name": "Bob"}},
    "true": {"id": 1, "result": True},
    "error": {"id": 1, "error": {"code": -1, "message": "bad password"}},
}


@pytest.mark.parametrize("confirmation", CONFIRMATIONS.values(), ids=CONFIRMATIONS)
@pytest.mark.parametrize("http", [False, True], ids=["bare", "http"])
@pytest.mark.parametrize("method", ["login", "eth_login"])
def test_an_ordinary_log_in_is_a_lookalike(confirmation: dict[str, object], http: bool, method: str) -> None:
    """Whatever it is answered: many programs log in by these words."""
    login = {**LOGIN, "method": method}
    if method == "eth_login":
        login["params"] = ["bob"]
    talk = Talk().c(post(login)).s(answer(confirmation)) if http else Talk().c(login).s(confirmation)
    detection = report(talk)
    assert detection.findings == ()
    assert [lookalike.label for lookalike in detection.lookalikes] == ["JSON-RPC"]


@pytest.mark.parametrize("sign", [{"agent": "XMRig/6.20"}, {"login": f"{XMR}.rig"}, {"agent": "some-miner/1"}])
def test_a_log_in_with_a_sign_of_mining_is_none(sign: dict[str, str]) -> None:
    """The name of mining software or the form of a wallet: a miner where confirmed, a probe where refused."""
    login = {**LOGIN, "params": {"login": "bob", "pass": "x", **sign}}
    confirmed = report(Talk().c(login).s(CONFIRMATIONS["status"])).findings[0]
    assert confirmed.role is Role.MINER
    assert "logged in at" in confirmed.explanation
    assert confirmed.coins == (() if sign.get("agent") == "some-miner/1" else ("XMR",))
    assert "mines" not in confirmed.explanation
    assert [finding.role for finding in report(Talk().c(login).s(CONFIRMATIONS["error"])).findings] == [Role.PROBE]


@pytest.mark.parametrize(
    ("change", "is_mining"),
    [
        ({}, True), ({"blob": "deadbeef" * 4}, False), ({"blob": "make test" * 20}, False), ({"blob": None}, False),
        ({"target": "release"}, False), ({"target": "ffffffffffff0300"}, True), ({"target": "ffff03"}, False),
    ],
)  # fmt: skip
def test_a_job_is_hexadecimal(change: dict[str, object], is_mining: bool) -> None:
    """Blob as long as a block header, target of 8 or 16 digits."""
    assert is_job({**JOB, **change}) is is_mining
    said = understand({"method": "job", "params": {**JOB, **change}})
    assert (said is not None and said.act is Act.JOB) is is_mining


@pytest.mark.parametrize(
    ("change", "is_mining"),
    [
        ({}, True), ({"nonce": "n-0"}, False), ({"result": "passed"}, False), ({"result": "ab" * 20}, False),
        ({"nonce": 7}, False), ({"nonce": 7, "pow": [1, 2, 3]}, True), ({"nonce": 7, "pow": ["x"]}, False),
    ],
)  # fmt: skip
def test_a_share_is_hexadecimal(change: dict[str, object], is_mining: bool) -> None:
    """Nonce and hash in hexadecimal; Grin's proof in numbers."""
    share = {"id": "s", "job_id": "1", "nonce": "0000beef", "result": "5f" * 32, **change}
    assert is_share(share) is is_mining
    assert (understand({"method": "submit", "params": share}) is not None) is is_mining


def test_a_build_server_is_no_pool() -> None:
    """Log-in, jobs and results by the words of CryptoNote, and no work in them."""
    talk = Talk(server_port=9000).c(LOGIN).s({"id": 1, "result": {"id": "s", "status": "OK"}})
    for number in range(10):
        talk.s({"method": "job", "params": {"job_id": str(number), "script": "make test", "target": "linux"}})
        result = {"id": "s", "job_id": str(number), "result": "passed", "nonce": "00000000"}
        talk.c({"id": number + 2, "method": "submit", "params": result})
        talk.s({"id": number + 2, "result": {"status": "OK"}})
    detection = report(talk)
    assert detection.findings == ()
    assert [lookalike.label for lookalike in detection.lookalikes] == ["JSON-RPC"]


def test_shares_without_work_contradict_where_the_start_was_seen() -> None:
    """Shares need work; a session seen from its log-in without any is odd, one from the middle is not."""
    whole = cryptonote()
    without = Talk(
        server_port=14444,
        now_s=whole.now_s,
        said=[line for line in whole.said if b'"blob"' not in line[2]],
    )
    without.said.insert(1, (False, 0.0, b'{"id":1,"result":{"id":"s1","status":"OK"}}\n'))
    finding = report(without).findings[0]
    assert any("no work was seen" in line for line in finding.contradictions)
    without.said = without.said[2:]
    assert not any("no work was seen" in line for line in report(without).findings[0].contradictions)
    assert not any("no work was seen" in line for line in report(whole).findings[0].contradictions)


def begun(*, authorise: bool) -> Talk:
    talk = Talk().c({"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.9"]})
    talk.s({"id": 1, "result": [[["mining.notify", "b"]], "08000002", 4], "error": None})
    if authorise:
        talk.c({"id": 2, "method": "mining.authorize", "params": ["a.b", "x"]}).s({"id": 2, "result": True})
    return talk


def test_a_subscription_is_not_called_mining() -> None:
    """The sentence says what was seen: no log-in where there was none, no mining without a share."""
    finding = report(begun(authorise=False)).findings[0]
    assert finding.coins == ()
    assert "subscribed at 198.51.100.7:3333" in finding.explanation
    assert "no share was seen" in finding.explanation
    assert "mines" not in finding.explanation
    assert "log" not in finding.explanation
    assert "subscribed and logged in" in report(begun(authorise=True)).findings[0].explanation


@pytest.mark.parametrize(("authorise", "mines"), [(True, True), (False, False)])
def test_work_and_a_log_in_are_called_mining(authorise: bool, mines: bool) -> None:
    """Both together; work alone is work handed out."""
    finding = report(begun(authorise=authorise).s(NOTIFY)).findings[0]
    assert ("mines" in finding.explanation) is mines
    assert "share was seen" in finding.explanation.lower()


def test_a_watcher_is_called_one() -> None:
    """Hours of work and not one share: the sentence and a contradiction say so; one share undoes it."""
    talk = begun(authorise=True)
    for number in range(240):
        talk.wait(60).s({**NOTIFY, "params": [str(number), *NOTIFY["params"][1:]]})  # type: ignore[index]
    finding = report(talk).findings[0]
    assert "was handed work 240 times" in finding.explanation
    assert "a watcher, or a miner too slow for one share" in finding.explanation
    assert "mines" not in finding.explanation
    assert any("not one share" in line for line in finding.contradictions)
    assert "mines" in report(talk.c(SHARE)).findings[0].explanation


# -- lines that cannot be read ---------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    return b'{"id":1,"method":"mining.submit","params":' + b"[" * depth + b"]" * depth + b"}\n"


@pytest.mark.parametrize("depth", [4_096, 40_000, 200_000])
def test_nested_brackets_do_not_end_the_reading(depth: int) -> None:
    """Kilobytes of brackets in one line, and the session behind it is read."""
    talk = Talk().c(nested(depth))
    talk.said += stratum_v1().said
    finding = report(talk).findings[0]
    assert (finding.role, finding.shares.accepted) == (Role.MINER, 5)
    assert any("could not be read" in line for line in finding.blind_spots)
    alone = report(Talk().c(nested(depth)))
    assert alone.findings == ()
    assert "cannot be read" in alone.insufficient[0].missing


def rewritten(change: Any) -> Talk:
    talk = stratum_v1()
    talk.said = [(side, when, change(data.rstrip()) + b"\n") for side, when, data in talk.said]
    return talk


def test_what_only_lenient_parsers_take_is_read_leniently() -> None:
    """NaN, bare control characters, and numbers of hundreds of digits, in the client's lines."""
    for tail in (b',"x":NaN}', b',"x":"a\tb"}', b',"x":' + b"9" * 400 + b"}"):
        finding = report(rewritten(lambda data, tail=tail: data[:-1] + tail if b"method" in data else data)).findings[0]
        assert (finding.role, finding.shares.accepted) == (Role.MINER, 5)


def test_a_number_of_any_length_does_no_harm() -> None:
    """As a height, a difficulty, an id, in every place of a job."""
    huge = b"9" * 400
    for place in range(len(NOTIFY["params"])):  # type: ignore[arg-type]
        text = json.dumps({**NOTIFY, "params": [p if n != place else "@" for n, p in enumerate(NOTIFY["params"])]})  # type: ignore[arg-type, var-annotated]
        report(begun(authorise=True).s(text.encode().replace(b'"@"', huge) + b"\n"))
    job = json.dumps({"method": "job", "params": {**JOB, "height": "@"}}).encode().replace(b'"@"', huge) + b"\n"
    report(cryptonote().s(job))


def test_lines_that_nothing_reads_are_counted() -> None:
    """A comma too many in every line: not enough data, with the number of lines, and never silence."""
    detection = report(rewritten(lambda data: data[:-1] + b",}"))
    assert detection.findings == ()
    lines = sum(b'"mining.' in data for _, _, data in stratum_v1().said)
    assert detection.insufficient[0].missing.startswith(f"{lines} lines")


# -- identities ------------------------------------------------------------------------------------------------------

WALLET = "44WALLETsecretWALLET"


def hidden(text: str) -> str:
    return f"#{len(text)}"


@pytest.mark.parametrize(
    "agent", [f"xmrig/6 {WALLET}.secretWorker", f"xmrig/6 {WALLET.lower()}", f"XMRig ({XMR})", "xmrig secretworker"]
)
def test_no_identity_stands_in_the_agent(agent: str) -> None:
    """Wallet, worker or both, in any case; and what has the form of a wallet without being known."""
    talk = Talk().c({"id": 1, "method": "mining.subscribe", "params": [agent]})
    talk.s({"id": 1, "result": [[["mining.notify", "b"]], "08000002", 4], "error": None})
    talk.c({"id": 2, "method": "mining.authorize", "params": [f"{WALLET}.secretWorker", "x"]}).s(
        {"id": 2, "result": True}
    )
    finding = report(talk, pseudonym=hidden).findings[0]
    assert finding.agent is not None
    assert finding.agent.lower().startswith("xmrig")
    assert "#" in finding.agent
    for secret in (WALLET.lower(), "secretworker", XMR.lower()):
        assert secret not in repr(finding).lower()
    assert report(talk, pseudonym=lambda text: text).findings[0].agent.lower() == agent.lower()  # type: ignore[union-attr]


def test_no_identity_stands_in_the_name_of_the_pool() -> None:
    """A wallet as a subdomain, told by the path of the request or by its account."""
    host = f"{WALLET.lower()}.pool.example"
    head = ("User-Agent: cgminer 2.1", f"Host: {host}")
    request = post({"method": "getwork", "params": [], "id": 0}, *head, path=f"/{WALLET}/rig")
    work = {"data": "00" * 128, "target": "ff" * 28 + "00" * 4}
    talk = Talk(server_port=80).c(request).s(answer({"id": 0, "result": work, "error": None}))
    finding = report(talk, pseudonym=hidden).findings[0]
    assert finding.pool == "#20.pool.example"
    assert WALLET.lower() not in repr(finding).lower()
    assert report(talk, pseudonym=lambda text: text).findings[0].pool is not None
    named = report(stratum_v1(), server_name=lambda *_: "tester.pool.example", pseudonym=hidden).findings[0]
    assert named.pool == "#6.pool.example"


def test_software_and_hosts_without_an_identity_are_shown_as_they_are() -> None:
    """A pseudonym is put for identities only; a worker called like its software is no secret."""
    talk = begun(authorise=False).c({"id": 2, "method": "mining.authorize", "params": ["acc.cgminer", "x"]})
    finding = report(talk, server_name=lambda *_: "stratum.pool.example", pseudonym=hidden).findings[0]
    assert (finding.agent, finding.pool) == ("cgminer/4.9", "stratum.pool.example")
