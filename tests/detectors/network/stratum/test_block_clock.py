"""Plaintext miners as a clock: what their jobs tell of blocks, for every conversation but their own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headframe.app import ScanOptions, scan
from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.detectors.network.stratum.block_clock import CLOCK_SOURCE, block_times
from headframe.engines.local import CaptureFacts, LocalEngine
from headframe.records.block import Block
from headframe.simulate import CaptureSpec, MinerSpec, simulate_capture
from headframe.simulate.capture import SimulatedTraffic
from headframe.simulate.spec import PoolSpec
from headframe.sources.chain.reconcile import reconcile
from headframe.sources.chain.series import series_of
from tests.timing_office import HIDDEN, office, written

S = 1_000_000_000


def read(path: Path) -> CaptureFacts:
    return LocalEngine(EndpointIndex([]), threads=1).run([str(path)])


@pytest.fixture(scope="module")
def traffic() -> SimulatedTraffic:
    """Two hours of the office."""
    return office(2.0)


@pytest.fixture(scope="module")
def capture(traffic: SimulatedTraffic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    return written(traffic, tmp_path_factory.mktemp("clock") / "office.pcap")


@pytest.fixture(scope="module")
def told(capture: Path) -> tuple[dict[str, list[Block]], dict[str, frozenset[str]]]:
    """What its plaintext miners tell."""
    return block_times(read(capture).sessions)


def true_times(truth: dict[str, Any], chain: str) -> dict[int, int]:
    return {block["height"]: block["time_ns"] for block in truth["blocks"][chain]}


@pytest.mark.parametrize(("chain", "sessions"), [("XMR", 2), ("BTC", 1)])
def test_blocks_are_those_that_were_found(
    traffic: SimulatedTraffic, told: tuple[dict[str, list[Block]], dict[str, frozenset[str]]], chain: str, sessions: int
) -> None:
    """Height and time of every block while a miner was connected; pools tell within some seconds, never before."""
    blocks, community_ids = told
    truth = true_times(traffic.truth, chain)
    assert {block.clock_source for block in blocks[chain]} == {CLOCK_SOURCE}
    for block in blocks[chain]:
        assert block.arrival_time_ns is not None
        assert 0 <= block.arrival_time_ns - truth[block.height] < 3 * S
    begun = min(m["started_ns"] for m in traffic.truth["miners"] if m["coin"] == chain and not m["tls"])
    ended = max(m["ended_ns"] for m in traffic.truth["miners"] if m["coin"] == chain and not m["tls"])
    due = {height for height, time_ns in truth.items() if begun + 60 * S < time_ns < ended - 5 * S}
    assert len(due) > 5
    # Two blocks within a second of each other are one job to their miners.
    assert len(due - {block.height for block in blocks[chain]}) <= 2
    assert len(community_ids[chain]) == sessions


def test_the_clock_is_close_to_the_truth(
    traffic: SimulatedTraffic, told: tuple[dict[str, list[Block]], dict[str, frozenset[str]]]
) -> None:
    """Reconciled like any other source: nearly all of the time is covered, and each arrival is right."""
    blocks, community_ids = told
    clock = reconcile(series_of(blocks["XMR"]), community_ids=community_ids["XMR"]).clock
    truth = true_times(traffic.truth, "XMR")
    late_s = (clock.arrival_ns - np.array([truth[h] for h in clock.heights.tolist()])) / S
    assert np.all((late_s >= 0) & (late_s < 3))
    covered = (clock.covered[:, 1] - clock.covered[:, 0]).sum()
    assert covered > 0.75 * (traffic.truth["ended_ns"] - traffic.truth["started_ns"])
    assert clock.community_ids == community_ids["XMR"]
    # In what is covered no block is missing: that is what coverage means.
    for start, end in clock.covered.tolist():
        inside = {h for h, t in truth.items() if start + 3 * S < t < end - 3 * S}
        assert inside <= set(clock.heights.tolist())


def test_the_first_job_tells_no_time(
    told: tuple[dict[str, list[Block]], dict[str, frozenset[str]]], capture: Path
) -> None:
    """At login a pool tells what the last block was, not when it came."""
    blocks, _ = told
    first_ns = {session.tips[0][0] for _, session in read(capture).sessions if session.tips}
    assert len(first_ns) >= 3
    assert not first_ns & {block.arrival_time_ns for of_chain in blocks.values() for block in of_chain}


def test_a_miner_inside_tls_is_found_without_any_file(capture: Path) -> None:
    """By the clock that others tell, and nobody else is; those who told it are not judged by it."""
    result = scan([str(capture)], ScanOptions(builtin_indicators=False))
    (found,) = [finding for finding in result.findings if finding.detector == "chain_sync"]
    assert (found.host, found.peer) == HIDDEN
    assert found.coins == ("XMR",)
    assert found.log10_e > 6
    assert found.block_sync is not None
    assert found.block_sync.clock_sources == (CLOCK_SOURCE,)
    _, community_ids = block_times(read(capture).sessions)
    assert not set(found.community_ids) & frozenset().union(*community_ids.values())
    assert result.remarks == []
    assert [one for one in result.insufficient if one.detector == "chain_sync"] == []


def test_without_plaintext_miners_there_is_no_clock(tmp_path: Path) -> None:
    """The same miner inside TLS alone: nothing to compare it with, and no word of a clock that nobody gave."""
    path = written(office(0.5, plaintext=False), tmp_path / "quiet.pcap")
    assert block_times(read(path).sessions) == ({}, {})
    result = scan([str(path)], ScanOptions(builtin_indicators=False))
    assert [finding for finding in result.findings if finding.detector == "chain_sync"] == []
    assert [one for one in result.insufficient if one.detector == "chain_sync"] == []


def test_blind_to_content_there_is_no_clock(capture: Path) -> None:
    """Jobs are content."""
    result = scan([str(capture)], ScanOptions(builtin_indicators=False, content_blind=True))
    assert [finding for finding in result.findings if finding.detector == "chain_sync"] == []


def test_a_miner_who_was_not_heard_for_a_while_leaves_a_gap(traffic: SimulatedTraffic, tmp_path: Path) -> None:
    """Ten minutes of the capture are missing: the clock covers what lies before and after, and nothing between."""
    start, end = (traffic.truth["started_ns"] + minutes * 60 * S for minutes in (50, 60))
    kept = [packet for packet in traffic.packets if not start <= packet[0] < end]
    path = written(replace(traffic, packets=kept), tmp_path / "gap.pcap")
    blocks, community_ids = block_times(read(path).sessions)
    clock = reconcile(series_of(blocks["XMR"]), community_ids=community_ids["XMR"]).clock
    assert len(clock.covered) >= 2
    assert not ((clock.covered[:, 0] < end - S) & (clock.covered[:, 1] > start + S)).any()
    truth = true_times(traffic.truth, "XMR")
    assert all(
        0 <= t - truth[h] < 3 * S for h, t in zip(clock.heights.tolist(), clock.arrival_ns.tolist(), strict=True)
    )


def test_jobs_without_a_height_make_no_clock(tmp_path: Path) -> None:
    """A missed block could not be noticed."""
    pool = PoolSpec(name="etc.example", address="203.0.113.20", port=4444)
    spec = CaptureSpec(
        miners=(MinerSpec(dialect="ethereum-stratum", coin="ETC", hashrate_hs=480e6, pool=pool),),
        office_hosts=0, duration_s=900, hard_negatives=False,
    )  # fmt: skip
    path = written(simulate_capture(spec, 3), tmp_path / "etc.pcap")
    facts = read(path)
    assert len(facts.sessions) == 1
    assert len(facts.sessions[0][1].job_times) > 30
    assert block_times(facts.sessions) == ({}, {})
