"""What is no clock: ticks of a timer, and times that a program wrote down when it asked."""

from pathlib import Path

import numpy as np
import pytest

from headframe.detectors.network.chain_sync import ChainSyncParameters, detect
from headframe.detectors.network.chain_sync.regularity import FEWEST, why_not_random
from headframe.sources.chain.files import clocks_of_files
from tests.detectors.network.chain_sync.talks import BASE, S, blocks, clock, talk


@pytest.mark.parametrize("mean_s", [13.0, 60.0, 120.0, 600.0])
def test_blocks_are_taken_for_blocks(mean_s: float) -> None:
    """Poisson times, exact and in whole seconds, of any number: none of 400 clocks is refused."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = blocks(mean_s * rng.integers(3, 400) / 3600 + 0.1, rng, mean_s=mean_s)
        if len(found) < 2:
            continue
        assert why_not_random(clock(found)) is None
        assert why_not_random(clock(found // S * S, resolution_ns=S)) is None


@pytest.mark.parametrize("spread_s", [0.0, 5.0, 20.0])
def test_ticks_are_refused(spread_s: float) -> None:
    """A block every two minutes, give or take, is a test chain's."""
    rng = np.random.default_rng(1)
    ticks = BASE + (np.arange(60) * 120 * S + rng.normal(0, spread_s, 60) * S).astype(np.int64)
    reason = why_not_random(clock(np.sort(ticks)))
    assert reason is not None
    assert "its blocks come every 120 s" in reason


@pytest.mark.parametrize("period_s", [10, 60, 300])
@pytest.mark.parametrize("jitter_s", [0.0, 0.9])
def test_times_of_a_poll_are_refused(period_s: int, jitter_s: float) -> None:
    """Blocks that were found by chance, and written down when a script asked next: all timers keep step with that."""
    rng = np.random.default_rng(2)
    found = blocks(200.0, rng, mean_s=600.0)
    asked = np.unique(-(-found // (period_s * S)) * period_s * S)
    asked = asked + (rng.random(len(asked)) * jitter_s * S).astype(np.int64)
    reason = why_not_random(clock(asked))
    assert reason is not None
    assert "its times lie on steps of" in reason


def test_too_few_to_tell() -> None:
    """Fourteen ticks may be chance."""
    assert why_not_random(clock(BASE + np.arange(FEWEST - 1) * 120 * S)) is None


def test_a_refused_clock_says_so_and_accuses_nobody() -> None:
    """Timers beside a minute's clock: no finding, and the reason among what is lacking."""
    rng = np.random.default_rng(3)
    asked = np.unique(-(-blocks(40.0, rng, mean_s=600.0) // (60 * S)) * 60 * S)
    timers = [
        talk(BASE + np.arange(2000) * 60 * S + 100_000_000, np.full(2000, -300), client=f"192.0.2.{k}") for k in (5, 6)
    ]
    found = detect(timers, [clock(asked, chain="BTC")], ChainSyncParameters(), lambda e: e >= 1.0)
    assert (found.findings, found.lookalikes, found.tested) == ([], [], 0)
    assert "the clock of BTC (" in found.insufficient[0].missing
    assert "is not used: its times lie on steps of" in found.insufficient[0].missing


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["clock_xmr_pool.csv", "clock_xmr_node_2020.csv.gz", "clock_btc_node_2023.csv.gz"])
def test_real_clocks_are_used(shared_data: Path, name: str) -> None:
    """A pool's and two nodes' block times pass, in whole seconds or finer."""
    made, _remarks = clocks_of_files([shared_data / "network" / "blocks" / name])
    for reconciled in made.values():
        assert why_not_random(reconciled.clock) is None
