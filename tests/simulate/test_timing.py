"""Series of packets as miners and others make them, and what disguises do to them."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.detectors.network.chain_sync import (
    ChainSyncParameters,
    Client,
    group_subjects,
    judge_client,
    measure_all,
)
from headframe.records.bursts import Bursts
from headframe.records.conversation import Conversation
from headframe.simulate import timing
from headframe.simulate.chains import CHAINS
from headframe.simulate.timing import Series, TimingHabits

START = 1_767_225_600_000_000_000
SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def blocks(mean_s: float, hours: float, seed: int = 1) -> np.ndarray:
    number = rng(seed).poisson(hours * 3600 / mean_s)
    return np.sort(rng(seed + 1).integers(START, START + int(hours * HOUR), number))


def mined(seed: int = 1, *, hours: float = 4.0, coin: str = "XMR", found: np.ndarray | None = None, **habits: object):
    dialect = {"XMR": "cryptonote", "BTC": "stratum-v1"}[coin]
    found = blocks(CHAINS[coin].block_interval_s, hours, seed) if found is None else found
    return timing.mine(
        CHAINS[coin], [found], TimingHabits(dialect=dialect, **habits), START, START + int(hours * HOUR), rng(seed)
    ).series


def bursts_of(series: Series) -> list[Bursts]:
    kept = []
    for number in np.unique(series.connection):
        mine = series.connection == number
        t = series.time_ns[mine]
        conversation = Conversation(
            uid="C", community_id="1:", proto="tcp", orig_h="192.0.2.1", orig_p=0, resp_h="198.51.100.1", resp_p=0,
            started_ns=int(t[0]), ended_ns=int(t[-1]),
        )  # fmt: skip
        kept.append(Bursts(conversation=conversation, time_ns=t, size=series.size[mine]))
    return kept


# -- blocks and clocks -------------------------------------------------------------------------------------------------


def test_nine_of_ten_blocks_are_heard_of_within_the_bounds() -> None:
    """The lognormal law has 5 % below `fast_s` and 5 % above `slow_s`; late blocks come on top."""
    found = np.zeros(20_000, dtype=np.int64)
    quick = timing.hear(found, timing.Propagation(late_share=0.0), rng()) / SECOND
    assert np.mean(quick < 0.1) == pytest.approx(0.05, abs=0.006)
    assert np.mean(quick > 2.0) == pytest.approx(0.05, abs=0.006)
    late = timing.hear(found, timing.Propagation(late_share=0.3, late_s=(20.0, 30.0)), rng()) / SECOND
    assert np.mean(late > 20.0) == pytest.approx(0.3, abs=0.015)


@pytest.mark.parametrize(("fast_s", "slow_s"), [(0.0, 1.0), (2.0, 1.0), (1.0, 1.0)])
def test_a_propagation_that_cannot_be_is_refused(fast_s: float, slow_s: float) -> None:
    """Bounds must be positive and ascending."""
    with pytest.raises(ValueError, match="positive and ascending"):
        timing.hear(np.zeros(1, dtype=np.int64), timing.Propagation(fast_s=fast_s, slow_s=slow_s), rng())


def test_a_clock_holds_what_it_covers() -> None:
    """Times outside are left out, the others are ascending and rounded down to the resolution."""
    clock = timing.clock_of("XMR", np.array([5, 21, 13, 40]), (10, 40), resolution_ns=10)
    assert clock.arrival_ns.tolist() == [10, 20]
    assert clock.covered.tolist() == [[10, 40]]
    assert len(clock.heights) == 2


def test_header_times_are_whole_seconds_before_the_block() -> None:
    """A template is older than its block: by half its life on average."""
    found = np.full(20_000, START)
    stamped = timing.header_times(found, rng(), template_s=30.0)
    assert (stamped % SECOND == 0).all()
    assert np.median(found - stamped) / SECOND == pytest.approx(15.5, abs=0.6)


@given(seed=st.integers(0, 200), held_back_s=st.sampled_from([0.0, 5.0, 60.0]))
def test_pushes_and_stale_work_are_those_of_plain_loops(seed: int, held_back_s: float) -> None:
    """No push is of a block older than one already told of; stale is the time in which a newer block was known."""
    found = np.sort(rng(seed).integers(0, 600 * SECOND, 12))
    pushed, stale = timing.pool_pushes(found, held_back_s, rng(seed))
    again = rng(seed)
    heard = timing.hear(found, timing.POOL, again)
    told = heard + (again.uniform(0.0, 1.0, len(heard)) * held_back_s * SECOND).astype(np.int64)
    expected = [
        int(t) for k, t in enumerate(told) if all(later > t or k == m for m, later in enumerate(told) if m >= k)
    ]
    assert pushed.tolist() == expected
    waits = [(int(heard[k]), min(int(t) for t in told[k:])) for k in range(len(heard))]
    covered, reached = 0, -1
    for begin, end in sorted(waits):
        covered += max(0, end - max(begin, reached))
        reached = max(reached, end)
    length = max(end for _, end in waits) - min(begin for begin, _ in waits)
    assert stale == pytest.approx(covered / length, abs=1e-12)


# -- miners ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coin", ["BTC", "XMR"])
def test_each_block_is_followed_by_a_job(coin: str) -> None:
    """While connected, a push of a job's size comes soon after each block; and jobs have the size of the dialect's."""
    found = blocks(300, 6, seed=3)
    series = mined(4, hours=6, coin=coin, found=found, refresh_s=None, hours_between_reconnects=1e6)
    jobs = series.time_ns[series.size < -250]
    inside = found[found < START + 6 * HOUR - 20 * SECOND]
    waits = jobs[np.searchsorted(jobs, inside)] - inside
    assert np.mean(waits < 3 * SECOND) > 0.85
    sizes = -series.size[series.size < -250]
    low, high = (700, 2000) if coin == "BTC" else (280, 480)
    assert low <= sizes.min()
    assert sizes.max() <= high


@pytest.mark.parametrize("refresh_s", [10.0, 30.0, 60.0])
def test_jobs_are_refreshed_at_the_interval(refresh_s: float) -> None:
    """Without blocks the jobs come by the timer alone."""
    series = mined(2, found=np.empty(0, dtype=np.int64), refresh_s=refresh_s, hours_between_reconnects=1e6)
    jobs = series.time_ns[series.size < -250]
    gaps_s = np.diff(jobs[2:]) / SECOND
    assert abs(gaps_s - refresh_s).max() < 0.2
    assert len(jobs) > 0.9 * 4 * 3600 / refresh_s


def test_a_timer_may_begin_anew_with_each_block() -> None:
    """A block cuts one interval short where the timer begins anew with it, and two where it goes on; both happen."""
    found = blocks(600, 8, seed=9)
    short = []
    for seed in range(12):
        series = mined(seed, hours=8, found=found, refresh_s=30.0, hours_between_reconnects=1e6)
        gaps_s = np.diff(series.time_ns[series.size < -250]) / SECOND
        short.append(float(np.sum(gaps_s < 29.5)) / len(found))
    anew, on = [s for s in short if s < 1.5], [s for s in short if s >= 1.5]
    assert len(anew) >= 2
    assert len(on) >= 2
    assert max(anew) < 1.15
    assert min(on) > 1.7


def test_shares_are_as_many_as_vardiff_holds() -> None:
    """Three to twenty a minute, each answered within a second."""
    rates = []
    for seed in range(30):
        series = mined(seed, hours=2, hours_between_reconnects=1e6)
        shares = series.time_ns[(series.size > 150) & (series.time_ns > START + 600 * SECOND)]
        answers = series.time_ns[(series.size < -50) & (series.size > -80)]
        rates.append(len(shares) / 110)
        waits = answers[np.searchsorted(answers, shares[:-3])] - shares[:-3]
        assert waits.max() < SECOND
    assert 2.0 < min(rates) < 5.0
    assert 12.0 < max(rates) < 27.0


def test_a_fixed_rate_of_shares_is_poisson() -> None:
    """Counts in minutes have the variance of their mean."""
    series = mined(5, hours=20, vardiff=False, shares_per_minute=(10.0, 10.001), hours_between_reconnects=1e6)
    shares = series.time_ns[(series.size > 190)]
    counts = np.bincount(((shares - START) // (60 * SECOND)).astype(int))[1:-1]
    assert counts.mean() == pytest.approx(10.0, abs=0.4)
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=0.2)


def test_reconnects_are_connections_of_their_own() -> None:
    """They do not overlap, and each begins with the client's login."""
    series = mined(6, hours=24, hours_between_reconnects=2.0)
    assert (np.diff(series.time_ns) >= 0).all()
    parts = [series.time_ns[series.connection == k] for k in range(series.connection.max() + 1)]
    assert len(parts) > 3
    for k, part in enumerate(parts):
        assert series.size[series.connection == k][0] > 0
        assert k == 0 or part[0] > parts[k - 1][-1]


def test_the_same_seed_gives_the_same_series() -> None:
    """And another seed another one."""
    first, again, other = mined(7), mined(7), mined(8)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.time_ns[:50], other.time_ns[:50])


def test_dialects_that_ask_for_work_have_no_series() -> None:
    """A pool that is asked pushes nothing."""
    with pytest.raises(ValueError, match="asks for work"):
        timing.mine(CHAINS["ETC"], [blocks(13, 1)], TimingHabits(dialect="eth-http"), START, START + HOUR, rng())


# -- disguises ---------------------------------------------------------------------------------------------------------


def test_packets_carry_the_bytes_of_the_messages() -> None:
    """Nothing is lost or made by cutting, and no packet is longer than a segment."""
    messages = mined(1, coin="BTC")
    packets = timing.as_packets(messages, rng())
    assert np.abs(packets.size).max() <= 1448
    assert np.abs(packets.size).min() > 0
    for sign in (-1, 1):
        assert packets.size[packets.size * sign > 0].sum() == messages.size[messages.size * sign > 0].sum()
    assert (np.diff(packets.time_ns) >= 0).all()


def test_tls_adds_a_record_to_each_message_and_a_handshake_to_each_connection() -> None:
    """22 or 29 bytes a message; the client speaks first, and it is a ClientHello."""
    messages = mined(3, hours=12, hours_between_reconnects=3.0)
    seen = set()
    for seed in range(8):
        hidden = timing.in_tls(messages, rng(seed))
        more = len(hidden.size) - len(messages.size)
        connections = int(messages.connection.max()) + 1
        assert more in (3 * connections, 5 * connections)
        later = hidden.time_ns > START + 2 * SECOND
        old = messages.size[(messages.time_ns > START + 2 * SECOND) & (messages.connection == 0)]
        added = np.unique(np.abs(hidden.size[later & (hidden.connection == 0)]) - np.abs(old))
        assert len(added) == 1
        seen.add(int(added[0]))
        for k in range(connections):
            assert 150 < hidden.size[hidden.connection == k][0] < 700
    assert seen == {22, 29}


@given(multiple=st.integers(1, 2000), sizes=st.lists(st.integers(-3000, 3000).filter(bool), min_size=1, max_size=20))
def test_padding_fills_up_and_keeps_sides(multiple: int, sizes: list[int]) -> None:
    """To the next multiple, or by no more than was said; signs, times and order stay."""
    n = len(sizes)
    series = Series(np.arange(n, dtype=np.int64), np.array(sizes, dtype=np.int32), np.zeros(n, dtype=np.int32))
    full = timing.pad_to_multiple(multiple)(series, rng()).size
    assert (np.abs(full) % multiple == 0).all()
    assert (np.abs(full) - np.abs(series.size) < multiple).all()
    longer = timing.pad_at_random(multiple)(series, rng()).size
    for padded in (full, longer):
        assert (np.sign(padded) == np.sign(series.size)).all()
        assert (np.abs(padded) >= np.abs(series.size)).all()
    assert (np.abs(longer) - np.abs(series.size) <= multiple).all()


def test_a_tunnel_is_one_conversation_of_padded_packets_with_acknowledgements() -> None:
    """Sizes are multiples of 16, each side's talk is acknowledged by the other, reconnects cannot be told."""
    messages = mined(3, hours=12, hours_between_reconnects=3.0)
    hidden = timing.in_tunnel(messages, rng())
    assert (np.abs(hidden.size) % 16 == 0).all()
    assert set(hidden.connection.tolist()) == {0}
    assert 1.5 * len(messages.size) < len(hidden.size) < 2.2 * len(messages.size)


@pytest.mark.parametrize(("other", "per_s"), [(timing.with_web_traffic, 1.0), (timing.with_video, 2.5)])
def test_other_traffic_comes_on_top(other: timing.Disguise, per_s: float) -> None:
    """All packets of the miner are still there, among as many of others as is said."""
    tunnelled = timing.in_tunnel(mined(4), rng())
    mixed = other(tunnelled, rng())
    assert np.isin(tunnelled.time_ns, mixed.time_ns).all()
    added = (len(mixed.size) - len(tunnelled.size)) / (4 * 3600)
    assert added == pytest.approx(per_s, rel=0.25)


def test_sensors_lose_what_is_said() -> None:
    """A fifth at random; all but every tenth."""
    series = mined(4)
    lost = timing.lose(0.2)(series, rng())
    assert len(lost.size) / len(series.size) == pytest.approx(0.8, abs=0.03)
    sampled = timing.every_nth(10)(series, rng())
    assert abs(len(sampled.size) - len(series.size) / 10) <= 1
    places = np.searchsorted(series.time_ns, sampled.time_ns)
    assert (np.diff(places) >= 9).all()


def test_a_wrong_clock_moves_everything_alike() -> None:
    """Gaps stay, times differ by the error."""
    series = mined(4)
    moved = timing.move_clock(17.0)(series, rng())
    assert set((moved.time_ns - series.time_ns).tolist()) == {17 * SECOND}


# -- what the detector makes of them -----------------------------------------------------------------------------------


def evidence(series: Series, found: np.ndarray) -> tuple[float, Client]:
    heard = timing.hear(found, timing.NODE, rng(99))
    clock = timing.clock_of("XMR", heard, (START - 600 * SECOND, START + 5 * HOUR))
    parameters = ChainSyncParameters()
    (subject,) = group_subjects(bursts_of(series), parameters)
    inside = (clock.arrival_ns >= subject.spans_ns[0, 0]) & (clock.arrival_ns < subject.spans_ns[-1, 1])
    client = judge_client(subject, -1, int(inside.sum())).client
    return float(measure_all([subject], [clock], parameters)[0, 0]), client


def test_a_miner_keeps_step_with_its_own_blocks_only() -> None:
    """An hour of mining is beyond doubt on the right clock, and nothing on another."""
    found = blocks(120, 4, seed=1)
    series = mined(1, found=found)
    assert evidence(series, found)[0] > 6
    assert evidence(series, found)[1] is Client.MINER
    assert evidence(series, blocks(120, 4, seed=50))[0] < 1


FOLLOWERS: dict[str, tuple[Callable[[np.ndarray], Series], bool, Client]] = {
    "node": (lambda f: timing.node_peers(f, START, START + 4 * HOUR, rng()), True, Client.NODE),
    "wallet": (lambda f: timing.wallet_polls(f, 10.0, START, START + 4 * HOUR, rng()), False, Client.POLLER),
    "page": (lambda f: timing.explorer_page(f, START, START + 4 * HOUR, rng()), True, Client.LISTENER),
    "ticker": (lambda f: timing.ticker_page(1.0, True, START, START + 4 * HOUR, rng()), False, Client.LISTENER),
    "random ticker": (lambda f: timing.ticker_page(0.3, False, START, START + 4 * HOUR, rng()), False, Client.LISTENER),
}


@pytest.mark.parametrize("name", FOLLOWERS)
def test_others_are_told_from_miners(name: str) -> None:
    """Who follows the chain keeps step with it, who does not does not; none is taken for a miner."""
    make, follows, kind = FOLLOWERS[name]
    found = blocks(120, 4, seed=1)
    log10_e, client = evidence(make(found), found)
    assert (log10_e > 6) if follows else (log10_e < 1)
    assert client is kind


def test_a_ticker_knows_no_chain() -> None:
    """Its series is the same whatever the blocks are, so its evidence is fair: the mean over clocks is at most 1."""
    series = timing.ticker_page(0.3, False, START, START + 2 * HOUR, rng(3))
    values = [evidence(series, blocks(120, 4, seed=seed))[0] for seed in range(60)]
    assert np.mean(10.0 ** np.array(values)) < 1.5
    assert max(values) < 3


def test_messages_of_the_two_sides_alternate_in_a_wallet() -> None:
    """A wallet asks, its node answers."""
    series = timing.wallet_polls(blocks(120, 2), 10.0, START, START + 2 * HOUR, rng())
    assert all(a != b for a, b in itertools.pairwise(np.sign(series.size).tolist()))
