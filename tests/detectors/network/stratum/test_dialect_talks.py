"""Every dialect: found, named, counted; from the middle, on one side, cut anywhere, with losses."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.detectors.network.stratum import StratumSession
from headframe.records.conversation import Direction, PacketRef, StreamChunk
from headframe.records.finding import Role
from tests.detectors.network.stratum.dialect_talks import DIALECTS, cryptonote, eth_proxy, stratum_v1, xmr_stak, zcash
from tests.detectors.network.stratum.talk import Talk, facts, hear, report

NAMES = sorted(DIALECTS)


@pytest.mark.parametrize("turned", [False, True], ids=["as opened", "turned round"])
@pytest.mark.parametrize("name", NAMES)
def test_a_miner_is_found_and_described(name: str, turned: bool) -> None:
    """Host, peer, protocol, coin, shares and rate follow from what is said, not from who opened the conversation."""
    make, protocol, coin, accepted, hashes = DIALECTS[name]
    talk = make()
    talk.turned = turned
    detection = report(talk)
    assert [finding.role for finding in detection.findings] == [Role.MINER]
    finding = detection.findings[0]
    assert (finding.host, finding.peer) == (talk.client, f"{talk.server}:{talk.server_port}")
    assert finding.protocol == protocol
    assert finding.coins[:1] == ((coin,) if coin else finding.coins[:1])
    assert (finding.shares.accepted, finding.shares.rejected, finding.shares.unanswered) == (accepted, 0, 0)
    if hashes is None:
        assert finding.hashrate_hs is None
    elif coin or name == "getwork":
        assert finding.hashrate_hs is not None
        seconds = accepted * hashes / finding.hashrate_hs.estimate
        assert 0.6 * talk.now_s < seconds <= talk.now_s + 1.0
        assert finding.hashrate_hs.low < finding.hashrate_hs.estimate < finding.hashrate_hs.high
    assert detection.insufficient == ()
    assert detection.lookalikes == ()


@pytest.mark.parametrize("name", NAMES)
def test_evidence_cites_packets_that_are_there(name: str) -> None:
    """Each line and each source names a packet of the conversation; no wallet, worker or nonce stands in the words."""
    talk = DIALECTS[name][0]()
    finding = report(talk).findings[0]
    packets = {chunk.packet.number: chunk for chunk in talk.chunks()}
    assert finding.evidence
    assert len(finding.evidence) <= 12
    for line in finding.evidence:
        assert line.packet.file == "talk.pcap"
        assert line.time_ns == packets[line.packet.number].time_ns
        method = line.text.split(":")[0]
        if "." in method and " " not in method:
            assert method.encode() in packets[line.packet.number].data
    for source in finding.sources:
        assert set(source.packets) <= set(packets)
        assert list(source.packets) == sorted(set(source.packets))
    words = finding.explanation + "".join(line.text for line in finding.evidence)
    for secret in ("tester", "worker1", "aBcDeFgHiJk", "A1b2C3d4E5", "1a1a1a"):
        assert secret not in words
    assert all(account.startswith("hash-") for account in finding.accounts)
    assert finding.community_ids == (talk.conversation().community_id,)


@pytest.mark.parametrize("name", NAMES)
def test_cuts_change_nothing(name: str) -> None:
    """However the bytes are cut into packets, the facts are the same."""
    talk = DIALECTS[name][0]()
    whole = facts(hear(talk))
    for seed in range(12):
        assert facts(hear(talk, seed)) == whole


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32))
def test_cuts_change_nothing_at_all(name: str, seed: int) -> None:
    """The same, wherever chance cuts."""
    talk = DIALECTS[name][0]()
    assert facts(hear(talk, seed)) == facts(hear(talk))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "getblocktemplate"])
def test_from_the_middle(name: str) -> None:
    """Without its first messages a session is still a miner's, and later shares are counted."""
    talk = DIALECTS[name][0]()
    accepted = DIALECTS[name][3]
    for skip in range(1, len(talk.said) - 4):
        later = Talk(
            talk.client, talk.client_port, talk.server, talk.server_port, said=talk.said[skip:], now_s=talk.now_s
        )
        findings = report(later).findings
        assert [finding.role for finding in findings] == [Role.MINER], skip
        assert findings[0].host == talk.client
        left = sum(b"submit" in data.lower() for side, _, data in talk.said[skip:] if side)
        if name != "web miner" and name != "getwork":
            assert findings[0].shares.accepted <= min(accepted, left + 1)
            assert findings[0].shares.accepted >= min(accepted, left) - (1 if name.startswith("eth") else 0)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("getblocktemplate",)])
def test_client_side_alone(name: str) -> None:
    """One who hands in shares mines, though no answer was captured; every share stays unanswered."""
    finding = report(DIALECTS[name][0]().one_side(True)).findings[0]
    assert finding.role is Role.MINER
    assert finding.host == "192.0.2.10"
    assert finding.shares.unanswered == DIALECTS[name][3]
    assert finding.shares.accepted == 0
    assert finding.hashrate_hs is None
    assert any("one direction" in line for line in finding.blind_spots)


@pytest.mark.parametrize("name", NAMES)
def test_server_side_alone(name: str) -> None:
    """Work that is handed out shows a miner at the other end, except for templates, which a node hands out too."""
    findings = report(DIALECTS[name][0]().one_side(False)).findings
    if name == "getblocktemplate":
        assert [finding.role for finding in findings] == [Role.NODE_CLIENT]
        return
    assert [(finding.role, finding.host) for finding in findings] == [(Role.MINER, "192.0.2.10")]
    assert findings[0].shares.accepted <= DIALECTS[name][3]


def test_server_side_counts_answers_that_only_shares_get() -> None:
    """``{"status": "OK"}`` without a job answers a share; a log-in's answer and a keep-alive's do not count."""
    assert report(cryptonote().one_side(False)).findings[0].shares.accepted == 5


def test_lost_packets_lose_only_their_own_messages() -> None:
    """Whatever packet is missing, all messages in others are understood."""
    talk = cryptonote()
    total = len(talk.chunks())
    for lost in range(1, total + 1):
        session = hear(talk, drop={lost})
        assert sum(session.acts.values()) >= sum(hear(talk).acts.values()) - 1, lost
    for make in (stratum_v1, eth_proxy, zcash, xmr_stak):
        for seed in range(20):
            talk = make()
            lost = random.Random(seed).randrange(1, len(talk.chunks()) + 1)
            session = hear(talk, drop={lost})
            assert len(session.book) >= len(hear(talk).book) - 1


@given(cuts=st.integers(0, 2**32), lost=st.sets(st.integers(1, 120), max_size=20))
def test_losses_anywhere_never_raise_nor_invent(cuts: int, lost: set[int]) -> None:
    """With pieces of messages missing no share appears that was not handed in."""
    session = hear(cryptonote(), cuts, drop=lost)
    assert len(session.book) <= 5
    accepted = session.book.state.count(1)
    assert accepted <= 5


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.binary(min_size=1, max_size=300)), max_size=30))
def test_random_bytes_never_raise(pieces: list[tuple[bool, bool, bytes]]) -> None:
    """Anything may come; an answer is always given, and noise is no miner."""
    session = StratumSession()
    for number, (side, gap, data) in enumerate(pieces):
        session.feed(
            StreamChunk(
                direction=Direction(side), time_ns=number, packet=PacketRef("x", number + 1), data=data, after_gap=gap
            )
        )
    assert not session.is_mining_like


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.just("5f" * 32),
    lambda inner: (
        st.lists(inner, max_size=10)
        | st.dictionaries(
            st.sampled_from(["id", "job", "job_id", "blob", "target"]) | st.text(max_size=4), inner, max_size=4
        )
    ),
    max_leaves=12,
)
METHODS = st.sampled_from(
    [
        "mining.notify",
        "mining.submit",
        "mining.subscribe",
        "mining.authorize",
        "mining.set_difficulty",
        "mining.set_target",
        "mining.set",
        "login",
        "job",
        "submit",
        "eth_getWork",
        "eth_submitWork",
        "getwork",
        "getblocktemplate",
        "submitblock",
    ]
)


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.fixed_dictionaries(
                {},
                optional={
                    "id": JSON,
                    "method": METHODS | JSON,
                    "params": JSON,
                    "result": JSON,
                    "error": JSON,
                    "type": JSON,
                },
            ),
        ),
        max_size=12,
    )
)
def test_wrong_shapes_never_raise(messages: list[tuple[bool, dict[str, object]]]) -> None:
    """Messages of mining with anything at all for parameters are survived, session and findings."""
    talk = Talk()
    for side, message in messages:
        talk.says(side, message)
    report(talk)


def test_noise_between_messages() -> None:
    """Lines that are no JSON, on either side, hide nothing."""
    talk = stratum_v1()
    clean = facts(hear(talk))
    noisy = Talk()
    for side, seconds, data in talk.said:
        noisy.at(seconds).says(side, b"\x00\xff\xfe garbage\r\n", b"{not json\n", b'{"cut": "off\n', data)
    heard = facts(hear(noisy))
    assert heard[0] == clean[0]
    assert heard[4] == clean[4]
