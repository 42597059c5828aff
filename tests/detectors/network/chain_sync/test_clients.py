"""Who follows the chain: miner, node, poller or listener, by what the client sends; and why, in words."""

from pathlib import Path

import numpy as np
import pytest

from headframe.detectors.network.chain_sync import Client, Judgement, group_subjects, judge_client, make_subject
from headframe.detectors.network.chain_sync.evidence import ChainSyncParameters
from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.engines.local import LocalEngine
from headframe.records.bursts import Bursts
from headframe.simulate.timing import explorer_page, node_peers, ticker_page, wallet_polls
from tests.detectors.network.chain_sync.talks import BASE, HOUR, S, blocks, miner, poisson, talk, talks_of

P = ChainSyncParameters()


def judge(talks: list[Bursts], sign: int = -1) -> Judgement:
    subject = make_subject(talks)
    return judge_client(subject, sign, subject.watched_ns // (120 * S))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tls", [False, True])
def test_a_miner_hands_in_small_messages_at_random_times(seed: int, tls: bool) -> None:
    """In the clear and inside TLS, at every rate of shares that pools hold."""
    rng = np.random.default_rng(seed)
    found = judge(miner(blocks(2.0, rng), BASE, BASE + HOUR, rng, tls=tls))
    assert found.client is Client.MINER
    assert "small messages" in found.reason
    assert "irregular times" in found.reason


@pytest.mark.parametrize("per_minute", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("tls", [False, True])
def test_a_slow_miner_is_still_one(per_minute: float, tls: bool) -> None:
    """As many keepalives as shares: two sizes, and neither the many of a node nor the beat of a timer."""
    for seed in range(5):
        rng = np.random.default_rng(100 + seed)
        talks = miner(
            blocks(5.0, rng), BASE, BASE + 4 * HOUR, rng, tls=tls, shares_per_minute=(per_minute, per_minute + 1e-9)
        )
        assert judge(talks).client is Client.MINER, judge(talks).reason


@pytest.mark.parametrize("seed", range(4))
def test_a_node_passes_blocks_on(seed: int) -> None:
    """It sends large messages and messages of many sizes, whichever side is taken for the server."""
    rng = np.random.default_rng(seed)
    talks = talks_of(node_peers(blocks(2.0, rng), BASE, BASE + HOUR, rng))
    for sign in (-1, 1):
        found = judge(talks, sign)
        assert found.client is Client.NODE
        assert "as a node" in found.reason
        assert "shares are" in found.reason


@pytest.mark.parametrize("interval_s", [5.0, 20.0])
def test_who_asks_is_no_miner(interval_s: float) -> None:
    """A wallet asks and is answered; a pool tells its miners unasked."""
    rng = np.random.default_rng(5)
    found = judge(talks_of(wallet_polls(blocks(2.0, rng), interval_s, BASE, BASE + HOUR, rng)))
    assert found.client is Client.POLLER
    assert "and else only answered" in found.reason


def test_a_page_listens() -> None:
    """An explorer's page or a ticker sends nothing, or what a timer sends."""
    rng = np.random.default_rng(6)
    for series in (
        explorer_page(blocks(2.0, rng), BASE, BASE + HOUR, rng),
        ticker_page(0.2, False, BASE, BASE + HOUR, rng),
    ):
        found = judge(talks_of(series))
        assert found.client is Client.LISTENER
        assert "and from timers, the client sent nothing" in found.reason


@pytest.mark.parametrize(("count", "words"), [(0, "nothing"), (1, "one message"), (2, "two messages")])
def test_a_silent_client_listens(count: int, words: str) -> None:
    """Fewer than three messages after the introduction; what is said in the first seconds introduces it."""
    rng = np.random.default_rng(7)
    pushes = poisson(60.0, BASE + 10 * S, BASE + HOUR, rng)
    said = BASE + 1000 * S * np.arange(1, count + 1) + 7 * S
    login = BASE + np.array([0, S, 2 * S, 3 * S])
    times = np.concatenate([login, pushes, said])
    sizes = np.concatenate([np.full(4, 250), np.full(len(pushes), -300), np.full(count, 180)])
    order = np.argsort(times)
    found = judge([talk(times[order], sizes[order])])
    assert found.client is Client.LISTENER
    assert f"and from timers, the client sent {words}," in found.reason


def test_the_introduction_of_each_connection_is_left_out() -> None:
    """A ticker that reconnects a hundred times has said hello a hundred times, and hands in nothing."""
    talks = [
        talk(
            BASE + k * 60 * S + np.array([0, 200_000_000, 20 * S, 45 * S]),
            [300, -200, -300, -300],
            client_port=2000 + k,
        )
        for k in range(100)
    ]
    found = judge(talks)
    assert found.client is Client.LISTENER
    assert "nothing" in found.reason


def test_one_long_message_makes_no_node() -> None:
    """A share with a long name, or two that were written at once: a few in a thousand do not count."""
    rng = np.random.default_rng(8)
    (only,) = miner(blocks(9.0, rng), BASE, BASE + 8 * HOUR, rng, hours_between_reconnects=1e6)
    size = only.size.copy()
    size[np.flatnonzero(size > 0)[50:52]] = 1200
    assert judge([talk(only.time_ns, size)]).client is Client.MINER


def test_shares_may_be_long_if_they_are_alike() -> None:
    """Equihash: a solution of 1,344 bytes, in hexadecimal, in each share."""
    rng = np.random.default_rng(10)
    shares = poisson(20.0, BASE + 10 * S, BASE + HOUR, rng)
    pushes = poisson(75.0, BASE + 10 * S, BASE + HOUR, rng)
    times = np.concatenate([shares, shares + 150_000_000, pushes])
    sizes = np.concatenate(
        [2_880 + rng.integers(0, 3, len(shares)), np.full(len(shares), -60), np.full(len(pushes), -400)]
    )
    order = np.argsort(times)
    assert judge([talk(times[order], sizes[order])]).client is Client.MINER


def test_a_server_without_a_word_told_nobody() -> None:
    """Nothing was pushed in thirty blocks: whatever the client says, it is not told of them."""
    times = poisson(20.0, BASE, BASE + HOUR, np.random.default_rng(9))
    assert judge([talk(times, np.full(len(times), 180))]).client is Client.POLLER


@pytest.mark.real_data
def test_every_real_miner_is_called_one(shared_data: Path) -> None:
    """All Monero captures of cj-sniffer, blind to content: who talks to the pool for ten minutes is a miner."""
    pools = {"47.101.30.124", "47.100.95.105", "203.107.32.162"}
    judged = {}
    for path in sorted((shared_data / "network" / "pcap_mining" / "cj-sniffer").glob("*.pcap")):
        facts = LocalEngine(EndpointIndex([]), threads=1, content_blind=True).run([str(path)])
        for subject in group_subjects(facts.bursts, P):
            c = subject.conversations[0].conversation
            if not pools & {c.orig_h, c.resp_h} or subject.watched_ns < 600 * S:
                continue
            sign = -1 if c.resp_h in pools else 1
            blocks = subject.watched_ns // (120 * S)
            judged[path.stem, c.orig_h, c.resp_h] = judge_client(subject, sign, blocks)
    assert len(judged) >= 32
    assert {name: j for name, j in judged.items() if j.client is not Client.MINER} == {}


def woven(*parts: tuple[np.ndarray, int]) -> Bursts:
    """One conversation of several streams of messages, each of one size."""
    times = np.concatenate([at for at, _size in parts])
    sizes = np.concatenate([np.full(len(at), size) for at, size in parts])
    order = np.argsort(times, kind="stable")
    return talk(times[order], sizes[order])


def test_a_wallet_that_is_told_and_asks_back_is_no_miner() -> None:
    """A light wallet hears of a block, asks for it and is answered; for the rest it pings. All that it says was
    prompted, or is a timer's: nothing of it is a share, however well it keeps step."""
    rng = np.random.default_rng(21)
    told = blocks(14.0, rng, mean_s=600.0) + S
    wallet = woven(
        (told, -61), (told + S // 5, 61), (told + S // 3, -500),
        (BASE + np.arange(400) * 120 * S, 32), (BASE + np.arange(400) * 120 * S + S // 10, -32),
    )  # fmt: skip
    found = judge_client(make_subject([wallet]), -1, len(told))
    assert found.client is Client.LISTENER
    assert "from answers to what the server said" in found.reason


def test_long_answers_are_not_those_to_shares() -> None:
    """Whoever asks at random times and gets pages for it browses; a pool answers a share in a word."""
    rng = np.random.default_rng(22)
    told = blocks(3.0, rng)
    asked = poisson(45.0, BASE + 10 * S, BASE + 3 * HOUR, rng)
    found = judge([woven((told, -300), (asked, 120), (asked + S // 5, -900))])
    assert found.client is Client.LISTENER
    assert "answers (median 900 bytes) are longer" in found.reason


def test_who_is_not_answered_hands_in_nothing() -> None:
    """A pool says of every share whether it took it."""
    rng = np.random.default_rng(23)
    told = blocks(3.0, rng)
    said_at = poisson(45.0, BASE + 10 * S, BASE + 3 * HOUR, rng)
    found = judge([woven((told, -300), (said_at, 120))])
    assert found.client is Client.LISTENER
    assert "a pool says of every share whether it took it" in found.reason


def test_keepalives_do_not_hide_rare_shares() -> None:
    """A timer's beat is taken out by its size; the few shares that are left speak, also where a third is lost."""
    rng = np.random.default_rng(24)
    told = blocks(4.0, rng)
    beat = BASE + np.arange(10, 1430) * 10 * S
    beat = beat[rng.random(len(beat)) < 0.67]
    shares = poisson(900.0, BASE + 60 * S, BASE + 4 * HOUR, rng)
    assert len(shares) >= 8
    found = judge([woven((told, -320), (beat, 64), (beat + S // 10, -60), (shares, 190), (shares + S // 5, -64))])
    assert found.client is Client.MINER
    assert "small messages (median 190 bytes) unasked" in found.reason
