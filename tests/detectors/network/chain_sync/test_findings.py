"""Timing evidence in words: who is on the list, what is said of them, and what is said where nothing can be."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from headframe.detectors.network.chain_sync import ChainSyncParameters, ChainSyncResult, detect, group_subjects
from headframe.records.block import BlockClock
from headframe.records.bursts import Bursts
from headframe.records.conversation import PacketRef
from headframe.records.finding import Family, Role, SourceRef
from headframe.simulate.timing import explorer_page, node_peers
from tests.detectors.network.chain_sync.talks import (
    BASE,
    CLIENT,
    HOUR,
    SERVER,
    S,
    blocks,
    clock,
    miner,
    miner_series,
    poisson,
    talk,
    talks_of,
)

P = ChainSyncParameters()


def strong(log10_e: NDArray[np.float64]) -> NDArray[np.bool_]:
    return log10_e >= 6


def every(log10_e: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.ones(len(log10_e), dtype=bool)


@pytest.fixture(scope="module")
def hour() -> tuple[list[Bursts], BlockClock]:
    """A miner of Monero for an hour, and the clock."""
    rng = np.random.default_rng(1)
    found = blocks(3.0, rng)
    return miner(found, BASE + HOUR // 2, BASE + 3 * HOUR // 2, rng, hours_between_reconnects=0.3), clock(found)


def bitcoin() -> BlockClock:
    return clock(blocks(3.0, np.random.default_rng(2), 600.0), chain="BTC")


def office(count: int) -> list[Bursts]:
    """Other conversations of the same time, with servers of their own."""
    rng = np.random.default_rng(3)
    made = []
    for k in range(count):
        times = poisson(12.0, BASE + HOUR // 2, BASE + 3 * HOUR // 2, rng)
        made.append(talk(times, -rng.integers(60, 900, len(times)), server=f"198.51.100.{k + 1}", port=443))
    return made


def only(result: ChainSyncResult) -> ChainSyncResult:
    assert (len(result.findings), result.lookalikes, result.insufficient) == (1, [], [])
    return result


def test_a_miner_is_found_and_all_is_said(hour: tuple[list[Bursts], BlockClock]) -> None:
    """Who, with whom, which coin, how sure, what was counted, where it stands in the capture."""
    talks, xmr = hour
    assert len(talks) > 1
    (found,) = only(detect([*talks, *office(5)], [xmr, bitcoin()], P, strong)).findings
    assert (found.detector, found.family, found.role, found.protocol) == (
        "chain_sync", Family.TIMING, Role.MINER, "chain-sync",
    )  # fmt: skip
    assert (found.host, found.peer, found.coins) == (CLIENT, f"{SERVER}:3333", ("XMR",))
    assert found.log10_e > 6
    assert found.started_ns == min(int(b.time_ns[0]) for b in talks)
    assert found.ended_ns - 1 == max(int(b.time_ns[-1]) for b in talks)
    assert found.community_ids == tuple(b.conversation.community_id for b in talks)
    assert found.sources == tuple(SourceRef(file="a.pcap", packets=(1 + k,)) for k in range(len(talks)))
    sync = found.block_sync
    assert sync is not None
    assert sync.chain == "XMR"
    assert sync.clock_sources == ("simulated",)
    assert [chain for chain, _ in sync.log10_e_by_chain] == ["XMR", "BTC"]
    assert sync.log10_e_by_chain[0][1] == pytest.approx(found.log10_e + np.log10(2), abs=1e-6)
    assert sync.log10_e_by_chain[1][1] < 2
    assert sync.offset_s.low <= sync.offset_s.estimate <= sync.offset_s.high
    assert abs(sync.offset_s.estimate) <= 2
    assert 25 <= sync.blocks <= 35
    assert 0.8 * sync.blocks <= sync.hits <= sync.blocks
    assert sync.expected_hits < 0.5 * sync.blocks
    assert found.explanation.startswith(
        f"Of {sync.blocks} blocks of XMR in {sync.watched_s / 60:.0f} minutes, {sync.hits} were followed by "
    )
    assert f"by chance it would be {sync.expected_hits:.1f}." in found.explanation
    assert "The client sends" in found.explanation
    assert found.contradictions == ()
    assert len(found.blind_spots) >= 4


def test_what_is_drawn_is_what_was_counted(hour: tuple[list[Bursts], BlockClock]) -> None:
    """Blocks and pushes of the drawing give the hits anew: a hit has a push at most a window after its block."""
    talks, xmr = hour
    (found,) = detect(talks, [xmr], P, strong).findings
    sync = found.block_sync
    assert sync is not None
    pushes = np.array(sync.push_ns)
    assert len(sync.block_ns) == len(sync.block_hit) == sync.blocks
    assert sum(sync.block_hit) == sync.hits
    for block, hit in zip(sync.block_ns, sync.block_hit, strict=True):
        assert hit == bool(((pushes >= block) & (pushes - block <= sync.window_s * S)).any())
    all_pushes = np.concatenate([b.time_ns[b.size < 0] for b in talks])
    assert set(sync.push_ns) <= set(all_pushes.tolist())


def test_the_list_is_cut_over_all_that_were_tested(hour: tuple[list[Bursts], BlockClock]) -> None:
    """`on_list` gets one value for each pair that was compared, strong and weak; nobody is left out of the count."""
    talks, xmr = hour
    seen: list[NDArray[np.float64]] = []

    def cut(log10_e: NDArray[np.float64]) -> NDArray[np.bool_]:
        seen.append(log10_e)
        return log10_e >= 6

    result = detect([*office(20), *talks], [xmr], P, cut)
    (values,) = seen
    assert len(values) == result.tested == 21
    assert (values >= 6).sum() == 1
    assert np.isfinite(values).all()
    assert detect([*office(20), *talks], [xmr], P, lambda e: np.zeros(len(e), dtype=bool)).findings == []


def test_whoever_the_list_names_is_described(hour: tuple[list[Bursts], BlockClock]) -> None:
    """A caller may list the weakest of all: words are found for everybody, and nothing breaks."""
    talks, xmr = hour
    late = clock(np.array([BASE + 3 * HOUR // 2 + 20 * S]), chain="ZEC", wide_ns=100 * S)
    result = detect([*office(6), *talks], [xmr, late, bitcoin()], replace(P, any_hour=True), every)
    assert len(result.findings) + len(result.lookalikes) == result.tested == 7


def test_order_of_conversations_is_of_no_account(hour: tuple[list[Bursts], BlockClock]) -> None:
    """The same findings from any order."""
    talks, xmr = hour
    given = [*talks, *office(3)]
    assert detect(given, [xmr], P, strong).findings == detect(given[::-1], [xmr], P, strong).findings


def test_coins_by_their_lead(hour: tuple[list[Bursts], BlockClock]) -> None:
    """Chains within a factor of 100 of the best are all named; beyond that the best alone."""
    talks, xmr = hour
    twin = replace(xmr, chain="WOW")
    assert set(detect(talks, [xmr, twin], P, strong).findings[0].coins) == {"XMR", "WOW"}
    # Every third block forgotten, each gap between stretches of its own: less evidence, the same chain.
    assert detect(talks, [xmr, bitcoin()], P, strong).findings[0].coins == ("XMR",)


def test_two_chains_are_averaged(hour: tuple[list[Bursts], BlockClock]) -> None:
    """Asking for a second chain costs a factor of two, not more, and is not free."""
    talks, xmr = hour
    alone = detect(talks, [xmr], P, strong).findings[0].log10_e
    both = detect(talks, [xmr, bitcoin()], P, strong).findings[0].log10_e
    assert both == pytest.approx(alone - np.log10(2), abs=1e-6)


def test_the_server_may_be_the_originator(hour: tuple[list[Bursts], BlockClock]) -> None:
    """Direction not seen and guessed wrong: the pushes tell who is the server."""
    _, xmr = hour
    rng = np.random.default_rng(4)
    found_ns = xmr.arrival_ns
    series = miner_series(found_ns, BASE + HOUR // 2, BASE + 3 * HOUR // 2, rng, hours_between_reconnects=1e6)
    turned = talk(
        series.time_ns, -series.size, client=SERVER, client_port=3333, server=CLIENT, port=40_000, known=False
    )
    (found,) = only(detect([turned], [xmr], P, strong)).findings
    assert (found.host, found.peer) == (CLIENT, f"{SERVER}:3333")


# --- lookalikes -------------------------------------------------------------------------------------------------------


def test_a_page_that_follows_the_chain_is_a_lookalike() -> None:
    """It keeps step as well as a miner does, and is named for what it is, with the evidence and the reason."""
    rng = np.random.default_rng(5)
    found = blocks(4.0, rng)
    talks = talks_of(explorer_page(found, BASE + HOUR // 2, BASE + 7 * HOUR // 2, rng))
    result = detect(talks, [clock(found)], P, strong)
    assert (result.findings, result.insufficient, result.tested) == ([], [], 1)
    (told,) = result.lookalikes
    assert (told.detector, told.host, told.peer, told.label) == (
        "chain_sync", CLIENT, f"{SERVER}:3333", "XMR listener",
    )  # fmt: skip
    assert told.reason.startswith("Of ")
    assert " But apart from its introduction, from answers" in told.reason
    assert "and from timers, the client sent nothing" in told.reason
    assert told.reason.endswith(".")
    assert told.community_ids == (talks[0].conversation.community_id,)
    assert told.sources == (SourceRef(file="a.pcap", packets=(1,)),)


def test_a_node_is_a_lookalike() -> None:
    """Two nodes tell each other of blocks."""
    rng = np.random.default_rng(6)
    found = blocks(14.0, rng)
    talks = talks_of(node_peers(found, BASE + HOUR // 2, BASE + 13 * HOUR, rng))
    result = detect(talks, [clock(found)], P, every)
    assert result.findings == []
    assert [told.label for told in result.lookalikes] == ["XMR node"]


# --- contradictions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "words"), [(1, "by 1 hour."), (7, "by 7 hours."), (-8, "by 8 hours.")])
def test_a_clock_that_is_wrong_by_hours_is_said(hours: int, words: str) -> None:
    """Also where the clock covers nothing of the traffic's own time: whole hours away is where to look."""
    rng = np.random.default_rng(7)
    found = blocks(1.5, rng)
    talks = miner(found, BASE + HOUR // 4, BASE + 5 * HOUR // 4, rng)
    wrong = clock(found - hours * HOUR, wide_ns=HOUR // 4)
    assert detect(talks, [wrong], P, strong).findings == []
    (told,) = detect(talks, [wrong], replace(P, any_hour=True), strong).findings
    assert told.contradictions == (f"The pushes fit only if the sensor's clock is wrong {words}",)
    assert told.block_sync is not None
    assert round(told.block_sync.offset_s.estimate / 3600) == hours
    assert told.block_sync.hits > 0.7 * told.block_sync.blocks


def test_missed_blocks_are_said() -> None:
    """A pool that tells of every other block."""
    rng = np.random.default_rng(8)
    found = blocks(8.0, rng)
    talks = miner(found[rng.random(len(found)) < 0.5], BASE, BASE + 8 * HOUR, rng, refresh_s=None)
    (told,) = detect(talks, [clock(found)], P, strong).findings
    assert told.block_sync is not None
    missed = told.block_sync.blocks - told.block_sync.hits
    assert told.contradictions == (
        f"{missed} of {told.block_sync.blocks} blocks were followed by no push in time.",
    )  # fmt: skip


# --- insufficient -----------------------------------------------------------------------------------------------------


def test_too_short_is_said() -> None:
    """Four minutes of conversation: the clock could be compared with nothing."""
    rng = np.random.default_rng(9)
    found = blocks(2.0, rng)
    result = detect(miner(found, BASE, BASE + 240 * S, rng), [clock(found)], P, every)
    assert (result.findings, result.tested) == ([], 0)
    (told,) = result.insufficient
    assert (told.detector, told.host, told.peer) == ("chain_sync", "", "")
    assert told.missing == (
        "no client and server were watched for 5 minutes or more (conversations of some seconds do not count), so the "
        "clock of XMR could not be compared with anything"
    )


def test_a_clock_without_a_stretch_is_said(hour: tuple[list[Bursts], BlockClock]) -> None:
    """Heights here and there: nowhere are all blocks known."""
    talks, xmr = hour
    torn = replace(
        xmr, covered=np.empty((0, 2), dtype=np.int64), arrival_ns=xmr.arrival_ns[:0], heights=xmr.heights[:0]
    )
    result = detect(talks, [torn], P, every)
    assert result.tested == 0
    assert result.insufficient[0].missing == (
        "the clock of XMR has no stretch in which all blocks are known; heights must follow each other, so give a "
        "source without gaps"
    )


def test_a_clock_of_another_time_is_said() -> None:
    """Both times are given, and the likeliest mistake."""
    times = BASE + 1_000 * S + np.arange(0, 1800, 20) * S
    other = clock(np.array([BASE - 86_400 * S, BASE - 80_000 * S]), wide_ns=HOUR)
    result = detect([talk(times, np.full(len(times), -300))], [other], P, every)
    assert result.insufficient[0].missing == (
        "the clock of XMR knows blocks from 2023-11-13 21:13:20 UTC to 2023-11-14 01:00:00 UTC, the traffic is from "
        "2023-11-14 22:30:00 UTC to 2023-11-14 22:59:40 UTC, and they share no time; give a clock of that time, "
        "check its time zone, or try all hours (--any-hour)"
    )


def test_too_short_a_time_in_common_is_said() -> None:
    """Less than the offsets reach: that they share no time would be untrue."""
    times = BASE + np.arange(0, 1800, 20) * S
    brief = clock(np.array([BASE + 900 * S, BASE + 930 * S]), wide_ns=5 * S)
    result = detect([talk(times, np.full(len(times), -300))], [brief], P, every)
    assert "and they share 40 s at a time, where more than 60 s are needed; give" in result.insufficient[0].missing


def test_one_good_clock_is_enough_and_the_other_is_named(hour: tuple[list[Bursts], BlockClock]) -> None:
    """A clock of another time costs nothing but a sentence."""
    talks, xmr = hour
    stale = replace(bitcoin(), arrival_ns=bitcoin().arrival_ns - 90 * HOUR, covered=bitcoin().covered - 90 * HOUR)
    result = detect(talks, [xmr, stale], P, strong)
    assert len(result.findings) == 1
    assert result.findings[0].log10_e == detect(talks, [xmr], P, strong).findings[0].log10_e
    (told,) = result.insufficient
    assert told.missing.startswith("the clock of BTC knows blocks from")


def test_those_who_told_the_clock_are_neither_tested_nor_lamented(hour: tuple[list[Bursts], BlockClock]) -> None:
    """The clock came from the only conversation there is: nothing to say, and nothing to ask of the user."""
    talks, xmr = hour
    own = replace(xmr, community_ids=frozenset(b.conversation.community_id for b in talks))
    result = detect(talks, [own], P, every)
    assert (result.findings, result.lookalikes, result.insufficient, result.tested) == ([], [], [], 0)


def test_nothing_at_all() -> None:
    """No conversation, no clock."""
    assert detect([], [], P, every) == ChainSyncResult()
    assert detect(office(2), [], P, every) == ChainSyncResult()


# --- grouping ---------------------------------------------------------------------------------------------------------


def test_pairs_of_client_and_server() -> None:
    """Other server, other port, other client, other protocol: a subject each. Too few pushes or too short: none."""
    times = BASE + np.arange(0, 900, 10) * S
    sizes = np.full(len(times), -200)
    base = talk(times, sizes)
    others = [
        talk(times + 1000 * S, sizes, client_port=41_000),
        talk(times, sizes, port=3334),
        talk(times, sizes, server="203.0.113.10"),
        talk(times, sizes, client="192.0.2.8"),
        replace(base, conversation=replace(base.conversation, proto="udp")),
    ]
    subjects = group_subjects([base, *others], P)
    assert sorted(len(s.conversations) for s in subjects) == [1, 1, 1, 1, 2]
    assert group_subjects([talk(times[:20], sizes[:20])], P) == []
    assert group_subjects([talk(times[[0, -1]], sizes[:2])], P) == []
    empty = replace(base, time_ns=times[:0], size=sizes[:0].astype(np.int32), first_packet=PacketRef("a.pcap", 1))
    assert group_subjects([empty], P) == []
