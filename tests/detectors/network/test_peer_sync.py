"""Common hidden clocks: who follows one is found, who does not is left in peace, and no coin is ever named."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bench import peer_sync as make
from headframe.detectors.network.peer_sync import PeerSyncParameters, PeerSyncResult, detect, find_rows, measure
from headframe.evidence.lists import e_benjamini_hochberg
from headframe.records.bursts import Bursts
from headframe.records.finding import Family, Role

PARAMETERS = PeerSyncParameters()
MINUTES = 90.0


def listed(log10_e: np.ndarray) -> np.ndarray:
    """The list as a scan cuts it."""
    return e_benjamini_hochberg(log10_e, 0.05).listed


def run(series: list[Bursts], parameters: PeerSyncParameters = PARAMETERS) -> PeerSyncResult:
    return detect(series, parameters, listed)


def hosts(result: PeerSyncResult) -> set[str]:
    return {f.host for f in result.findings}


def blocks_of(rng: np.random.Generator, spacing_s: float = 120.0, minutes: float = MINUTES) -> np.ndarray:
    return make.poisson(spacing_s, minutes, rng)


def miners(
    blocks_s: np.ndarray, count: int, rng: np.random.Generator, *, refresh_s: float = 20.0, **ends: object
) -> list[Bursts]:
    """Miners at so many different pools."""
    return [
        make.talk(
            k,
            make.pool(blocks_s, MINUTES, rng, refresh_s=refresh_s, restart=k % 2 == 0),
            MINUTES,
            rng,
            **ends,  # type: ignore[arg-type]
        )
        for k in range(count)
    ]


def strangers(name: str, count: int, rng: np.random.Generator, minutes: float = MINUTES) -> list[Bursts]:
    """Conversations whose pushes come from one of the bench's nulls."""
    maker = make.NULLS[name][0]
    return [make.talk(100 + k, maker(minutes, rng), minutes, rng) for k in range(count)]


@pytest.fixture(scope="module")
def office() -> tuple[list[Bursts], np.ndarray]:
    """Five miners at five pools of a chain with blocks every 2 min, among strangers of each kind."""
    rng = np.random.default_rng(7)
    blocks_s = blocks_of(rng)
    others = [make.talk(100 + k, m(MINUTES, rng), MINUTES, rng) for k, (m, _) in enumerate([*make.NULLS.values()] * 4)]
    return [*miners(blocks_s, 5, rng), *others], blocks_s


def test_the_group_is_found_and_nobody_else(office: tuple[list[Bursts], np.ndarray]) -> None:
    """Miners of one chain at different pools are found among strangers, without any clock."""
    series, _ = office
    result = run(series)
    assert hosts(result) == {f"10.0.0.{k}" for k in range(5)}
    assert result.tested > 20
    for finding in result.findings:
        assert (finding.detector, finding.family, finding.role) == ("peer_sync", Family.TIMING, Role.FOLLOWER)
        assert finding.protocol == "peer-sync"
        assert finding.log10_e > 2
        assert "5 hosts with 5 servers" in finding.explanation
        assert finding.blind_spots
        assert finding.community_ids


def test_nobody_is_called_a_miner(office: tuple[list[Bursts], np.ndarray]) -> None:
    """A federated chat beats as a chain does: each finding says that no chain was compared, and what else it can be."""
    for finding in run(office[0]).findings:
        assert "No chain was compared" in finding.explanation
        assert "federated chat" in finding.explanation
        assert any("No chain was compared" in text for text in finding.contradictions)
        assert "mines" not in finding.explanation


def test_rooms_of_a_federated_chat_are_followers_at_most() -> None:
    """Lines of one room reach three members through servers of their own, and each says something now and then."""
    rng = np.random.default_rng(67)
    lines_s = make.poisson(70.0, MINUTES, rng)
    series = [make.talk(k, np.sort(lines_s + rng.uniform(0.1, 0.6, len(lines_s))), MINUTES, rng) for k in range(5)]
    roles = {finding.role for finding in run(series).findings}
    assert roles == {Role.FOLLOWER}


def test_no_coin_is_named_without_a_clock(office: tuple[list[Bursts], np.ndarray]) -> None:
    """Chains that fit by their spacing are mentioned, the field `coins` stays empty."""
    result = run(office[0])
    assert all(f.coins == () and f.block_sync is None for f in result.findings)
    assert "XMR" in result.findings[0].explanation or "chains by their spacing" in result.findings[0].explanation


def test_the_hidden_clock_is_the_chains(office: tuple[list[Bursts], np.ndarray]) -> None:
    """The beats that are put out are the blocks, a few seconds late, and name the conversations they came from."""
    series, blocks_s = office
    result = run(series)
    assert len(result.clocks) == 1
    clock = result.clocks[0]
    assert clock.chain == "hidden-1"
    assert clock.community_ids == {i for f in result.findings for i in f.community_ids}
    beats_s = clock.arrival_ns / 1e9 - make.T0_S
    near = np.array([np.any((beats_s >= b) & (beats_s <= b + 4)) for b in blocks_s])
    assert near.mean() > 0.8
    true = np.array([np.any((b >= blocks_s) & (b <= blocks_s + 4)) for b in beats_s])
    assert true.mean() > 0.8
    assert (np.diff(clock.arrival_ns) > 0).all()
    assert clock.covered.tolist() == [[int(make.T0_S * 1e9), int((make.T0_S + MINUTES * 60) * 1e9) + 1]]


def test_order_is_harmless_and_inputs_stay(office: tuple[list[Bursts], np.ndarray]) -> None:
    """The same conversations in another order give the same e-values, and nothing is written into them."""
    series, _ = office
    before = [(b.time_ns.copy(), b.size.copy()) for b in series]
    one = {f.host: f.log10_e for f in run(series).findings}
    other = {f.host: f.log10_e for f in run(series[::-1]).findings}
    assert one == pytest.approx(other)
    for bursts, (time_ns, size) in zip(series, before, strict=True):
        assert np.array_equal(bursts.time_ns, time_ns)
        assert np.array_equal(bursts.size, size)


@pytest.mark.parametrize("name", list(make.NULLS))
def test_strangers_stay_off_the_list(name: str) -> None:
    """No kind of stranger is called a miner, whether the theorem covers it or not; the mean of E is at most 1."""
    rng = np.random.default_rng(11)
    series = strangers(name, 150, rng)
    assert run(series).findings == []
    rows = find_rows(series, PARAMETERS)
    if len(rows) < 3:
        assert name == "timers, random phase"
        return
    e = 10.0 ** measure(rows, PARAMETERS).log10_e
    assert e.mean() <= 1
    assert (e >= 100).mean() <= 0.01


@pytest.mark.parametrize(
    "ends",
    [
        {"server": "203.0.113.9"},
        {"client": "10.9.9.9"},
    ],
    ids=["one server", "one host"],
)
def test_one_cause_is_no_evidence_for_itself(ends: dict[str, str]) -> None:
    """Clients of one server, and conversations of one host, do not speak for each other."""
    rng = np.random.default_rng(13)
    result = run(miners(blocks_of(rng), 5, rng, **ends))
    assert not result.findings
    assert not result.clocks


def test_one_network_of_servers_is_one_cause() -> None:
    """A farm of servers side by side counts as one, unless a test asks otherwise."""
    rng = np.random.default_rng(17)
    blocks_s = blocks_of(rng)
    series = [
        make.talk(
            k, make.pool(blocks_s, MINUTES, rng, refresh_s=0, restart=True), MINUTES, rng, server=f"203.0.113.{k}"
        )
        for k in range(5)
    ]
    assert not run(series).findings
    relaxed = dataclasses.replace(PARAMETERS, different_servers=False)
    assert len(run(series, relaxed).findings) == 5


def test_two_followers_are_not_enough() -> None:
    """Two coincide with each other, and nobody is left to be held against them."""
    rng = np.random.default_rng(19)
    result = run([*miners(blocks_of(rng), 2, rng), *strangers("Poisson pushes", 20, rng)])
    assert not result.findings


def test_listeners_are_lookalikes() -> None:
    """Clients that follow the clock and send nothing do not mine."""
    rng = np.random.default_rng(23)
    result = run(miners(blocks_of(rng), 5, rng, refresh_s=0.0, shares_every_s=0.0))
    assert not result.findings
    assert {look.label for look in result.lookalikes} == {"hidden clock listener"}
    assert len(result.lookalikes) == 5


def test_common_minutes_are_a_timer() -> None:
    """Services that wake at the same, irregularly chosen full minutes have a common clock that is no chain's."""
    rng = np.random.default_rng(29)
    minutes = np.flatnonzero(rng.random(int(MINUTES)) < 0.35) * 60.0 + 0.3
    series = [make.talk(k, minutes + rng.uniform(0, 0.5, len(minutes)), MINUTES, rng) for k in range(5)]
    result = run(series)
    assert not result.findings
    assert not result.clocks
    assert {look.label for look in result.lookalikes} == {"common timer"}
    assert "at multiples of 60 s" in result.lookalikes[0].reason


def test_timers_that_tick_alike_are_one_lookalike() -> None:
    """Strangers that wake at full minutes, each when it likes, are said to be timers, once for all of them."""
    rng = np.random.default_rng(61)
    result = run(strangers("each full minute, or not, and noise", 150, rng))
    assert [look.label for look in result.lookalikes] == ["common timer"]
    assert "other pairs of client and server" in result.lookalikes[0].reason


def test_a_group_seen_for_a_short_while_is_no_timer() -> None:
    """With few beats another lag may do nearly as well by chance: miners must not be taken for timers then."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        blocks_s = blocks_of(rng, minutes=20.0)
        series = [
            make.talk(k, make.pool(blocks_s, 20.0, rng, refresh_s=20.0, restart=True), 20.0, rng) for k in range(5)
        ]
        assert run(series).lookalikes == []


def test_reconnects_add_up() -> None:
    """A client that comes back to its server every quarter of an hour is one subject."""
    rng = np.random.default_rng(31)
    blocks_s = blocks_of(rng)
    series = miners(blocks_s, 4, rng)
    pushes = make.pool(blocks_s, MINUTES, rng, refresh_s=0, restart=True)
    pieces = [make.talk(50, pushes, 14.0, rng, started_s=start) for start in np.arange(0, MINUTES * 60, 900)]
    result = run([*series, *pieces])
    assert "10.0.0.50" in hosts(result)
    finding = next(f for f in result.findings if f.host == "10.0.0.50")
    assert len(finding.community_ids) == len(pieces)


def test_direction_may_be_unknown() -> None:
    """Where nobody saw who called, both sides are tried, and the one that is pushed to is named."""
    rng = np.random.default_rng(37)
    series = miners(blocks_of(rng), 5, rng, direction_known=False)
    result = run(series)
    assert result.tested == 5
    assert hosts(result) == {f"10.0.0.{k}" for k in range(5)}


def test_a_list_with_everybody_on_it_does_no_harm() -> None:
    """Strangers have no beats to rest on: nothing is said of them, whatever the caller's list says."""
    rng = np.random.default_rng(59)
    everybody = detect(strangers("Poisson pushes", 30, rng), PARAMETERS, lambda e: np.ones(len(e), dtype=np.bool_))
    assert everybody.tested == 30
    assert not everybody.findings


def test_too_little_says_what_is_missing() -> None:
    """No conversation, none that lasts, and two of them."""
    rng = np.random.default_rng(41)
    assert run([]) == PeerSyncResult()
    assert run(strangers("Poisson pushes", 5, rng, minutes=10.0)).tested == 0
    two = run(strangers("Poisson pushes", 2, rng))
    assert (two.tested, two.findings) == (0, [])
    assert "only 2 pairs of client and server" in two.insufficient[0].missing


def test_too_many_are_cut_by_time_watched_and_said() -> None:
    """Beyond the bound those watched longest are compared, and a remark says so."""
    rng = np.random.default_rng(43)
    series = strangers("Poisson pushes", 40, rng)
    longer = [make.talk(300 + k, make.poisson(40.0, 120.0, rng), 120.0, rng) for k in range(10)]
    rows = find_rows([*series, *longer], PARAMETERS)
    few = dataclasses.replace(PARAMETERS, most_meetings=2000)
    found = measure(rows, few)
    assert 0 < found.left_out < len(rows)
    kept = {row.client for row in found.rows}
    assert kept >= {b.conversation.orig_h for b in longer} or all(r.subject.watched_ns > 100 * 60e9 for r in found.rows)
    assert "watched longest" in run([*series, *longer], few).insufficient[0].missing


def test_names_and_payload_are_not_needed() -> None:
    """Ports hidden, as in a run that is blind to content: the same evidence."""
    rng = np.random.default_rng(47)
    series = miners(blocks_of(rng), 4, rng)
    blind = [
        dataclasses.replace(b, conversation=dataclasses.replace(b.conversation, orig_p=0, resp_p=0)) for b in series
    ]
    assert [f.log10_e for f in run(blind).findings] == [f.log10_e for f in run(series).findings] != []


@pytest.mark.real_data
def test_real_miners_follow_the_real_chain(shared_data: Path) -> None:
    """A real miner of Monero is found by two made neighbours that hear of the real blocks, and not by others."""
    from bench import series as corpora

    rng = np.random.default_rng(53)
    blocks_s = corpora.read_clock(shared_data / "network" / "blocks" / "clock_xmr_pool.csv")
    path = shared_data / "network" / "pcap_mining" / "cj-sniffer" / "1613757861_D4Ij2.pcap"
    real = corpora.main_series(corpora.capture_series(path, "cj-sniffer", "mining", coin="xmr"))[path.stem]
    offset_s = corpora.clock_offset(corpora.pushes(real), blocks_s).offset_s
    minutes = 180.0
    heard_s = blocks_s + offset_s - real.times_ns[0] / 1e9
    heard_s = heard_s[(heard_s > 0) & (heard_s < minutes * 60)]
    cut = real.times_ns < real.times_ns[0] + minutes * 60e9
    real = dataclasses.replace(real, times_ns=real.times_ns[cut], signed_sizes=real.signed_sizes[cut])
    log10_e = []
    for times_s in (heard_s, np.sort((heard_s + 1234.5) % (minutes * 60))):
        made = [
            make.talk(k, make.pool(times_s, minutes, rng, refresh_s=0, restart=True), minutes, rng) for k in range(2)
        ]
        found = measure(find_rows([make.bursts_of(real, 9, from_s=0.0), *made], PARAMETERS), PARAMETERS)
        log10_e.append({row.client: float(e) for row, e in zip(found.rows, found.log10_e, strict=True)}["10.1.0.9"])
    assert log10_e[0] > 6
    assert log10_e[1] < 0
