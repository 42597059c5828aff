"""Mining as chance and pools make it: shares are Poisson, jobs follow blocks."""

import itertools
import math
import random

import pytest
from scipy import stats

from headframe.simulate.chains import CHAINS, draw_blocks
from headframe.simulate.dialects import DIALECTS, Account, Outcome
from headframe.simulate.session import SECOND, Habits, job_pushes, run_session

START = 1_767_260_000_000_000_000
ACCOUNT = Account("4wallet", "rig1", "simminer/1.0")
COIN = {"stratum-v1": "BTC", "zcash": "ZEC", "kaspa": "KAS", "kawpow": "RVN", "ethereum-stratum": "ETC",
        "eth-proxy": "ETC", "eth-http": "ETC", "cryptonote": "XMR", "browser": "XMR", "getwork": "BTC",
        "getblocktemplate": "BTC", "stratum-v2": "BTC"}  # fmt: skip


def session_of(dialect: str, seed: int, *, hours: float = 1.0, **habits: float | None):
    chain = CHAINS[COIN[dialect]]
    end = START + int(hours * 3600 * SECOND)
    pushes = job_pushes(draw_blocks(chain, START - 600 * SECOND, end, random.Random(seed)), random.Random(seed))
    speaker = DIALECTS[dialect](chain, ACCOUNT, "pool.example", random.Random(seed))
    behaviour = Habits(**{"hashrate_hs": 3.3e8, **habits})  # type: ignore[arg-type]
    return run_session(speaker, behaviour, pushes, START, end, random.Random(seed)), pushes


def test_every_dialect_has_a_chain_here() -> None:
    """The table above is complete."""
    assert set(COIN) == set(DIALECTS)


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "getblocktemplate"])
def test_hashes_in_shares_match_the_hash_rate(dialect: str) -> None:
    """The sum of the difficulties over the time estimates the hash rate, whatever the difficulty did meanwhile."""
    hashes = squares = 0.0
    for seed in range(6):
        session, _ = session_of(dialect, seed, hashrate_hs=4e9 if dialect == "stratum-v1" else 3.3e8)
        hashes += sum(share.difficulty_hashes for share in session.shares)
        squares += sum(share.difficulty_hashes**2 for share in session.shares)
    expected = (4e9 if dialect == "stratum-v1" else 3.3e8) * 6 * 3600
    assert abs(hashes - expected) < 4 * math.sqrt(squares)


def test_share_counts_are_poisson() -> None:
    """With a fixed difficulty, counts of 80 sessions have Poisson mean and dispersion, and gaps are exponential.

    A simulator with regular shares (dispersion 0) or with bursts (dispersion 2) fails this.
    """
    counts, gaps = [], []
    for seed in range(80):
        session, _ = session_of("cryptonote", seed, hashrate_hs=10_000.0, fixed_difficulty_hashes=300_000.0)
        difficulty = session.shares[0].difficulty_hashes
        times = [share.time_ns / 1e9 for share in session.shares]
        counts.append(len(times))
        gaps += [(late - early) * 10_000 / difficulty for early, late in itertools.pairwise(times)]
    mean = 3600 * 10_000 / difficulty
    assert abs(sum(counts) / 80 - mean) < 4 * math.sqrt(mean / 80)
    dispersion = sum((n - mean) ** 2 for n in counts) / mean
    assert stats.chi2.ppf(0.0005, 80) < dispersion < stats.chi2.ppf(0.9995, 80)
    assert stats.kstest(gaps, "expon").pvalue > 0.001


def test_vardiff_reaches_the_share_interval_it_aims_at() -> None:
    """The second half hour of a session has about as many shares as the pool wants, though it began at a quarter."""
    late = early = 0
    for seed in range(10):
        session, _ = session_of("cryptonote", seed, share_interval_s=10.0, first_difficulty_factor=0.05)
        late += sum(share.time_ns > START + 1800 * SECOND for share in session.shares)
        early += sum(share.time_ns < START + 120 * SECOND for share in session.shares)
    assert 0.6 * 180 < late / 10 < 1.7 * 180
    assert early / 10 > 3 * 12


def test_jobs_follow_blocks_within_a_second() -> None:
    """Each block of a slow chain reaches each miner 0.1 to 1.03 s later."""
    session, pushes = session_of("cryptonote", 4, hours=3)
    seen = {block.height: time_ns for time_ns, block in session.block_job_times_ns}
    later = [block for _, block in pushes if block.time_ns > START + SECOND]
    assert len(later) > 60
    for block in later:
        assert 0.1 * SECOND <= seen[block.height] - block.time_ns <= 1.03 * SECOND


def test_a_fast_chain_does_not_flood_its_miners() -> None:
    """Kaspa finds ten blocks a second; a pool pushes at most one job per 0.4 s."""
    session, _ = session_of("kaspa", 4, hours=0.1)
    times = [time_ns for time_ns, _ in session.block_job_times_ns]
    assert 360 / 1.0 < len(times) <= 360 / 0.4 + 1


def test_block_arrivals_are_poisson() -> None:
    """Gaps between blocks are exponential with the chain's mean."""
    blocks = draw_blocks(CHAINS["XMR"], 0, 2000 * 120 * SECOND, random.Random(5))
    gaps = [(b.time_ns - a.time_ns) / 120e9 for a, b in itertools.pairwise(blocks)]
    assert abs(len(gaps) - 2000) < 4 * math.sqrt(2000)
    assert stats.kstest(gaps, "expon").pvalue > 0.001


def test_outcomes_occur_as_often_as_asked() -> None:
    """Rejected and stale shares at their probabilities, within four standard deviations."""
    session, _ = session_of("cryptonote", 9, hours=24, rejected=0.1, stale=0.05, share_interval_s=4.0)
    total = len(session.shares)
    for outcome, share in ((Outcome.REJECTED, 0.1), (Outcome.STALE, 0.05)):
        count = sum(s.outcome is outcome for s in session.shares)
        # A few shares are late by themselves: a round trip of 25 ms every 120 s.
        assert abs(count - share * total) < 4 * math.sqrt(total * share) + total * 0.001


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_same_seed_same_session(dialect: str) -> None:
    """Message for message."""
    assert session_of(dialect, 2, hours=0.2)[0].messages == session_of(dialect, 2, hours=0.2)[0].messages
    assert session_of(dialect, 2, hours=0.2)[0].messages != session_of(dialect, 3, hours=0.2)[0].messages


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_messages_are_in_order_and_answers_follow_shares(dialect: str) -> None:
    """Times ascend; the answer to a share comes a round trip later at the earliest."""
    session, _ = session_of(dialect, 2, hours=0.5)
    times = [message.time_ns for message in session.messages]
    assert times == sorted(times)
    assert all(share.answered_ns - share.time_ns >= 25_000_000 for share in session.shares)


def test_impossible_habits_are_refused() -> None:
    """A negative hash rate is no hash rate."""
    with pytest.raises(ValueError, match="hash rate"):
        Habits(hashrate_hs=-1)
