"""Timing evidence on real captures: what must be found by times and sizes alone, and what must not.

Every scan here is blind to content: no detector sees payload or ports. Clocks are those of the real data: Monero as a
pool told of it (`clock_xmr_pool.csv`, made from job messages of these very captures, whole seconds), and Bitcoin as a
node of 2023 heard of it.
"""

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headframe.app import ScanOptions, scan
from headframe.detectors.network.chain_sync import (
    ChainSyncParameters,
    Subject,
    detect,
    group_subjects,
    measure_all,
)
from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.engines.local import LocalEngine
from headframe.errors import UnreadableInput
from headframe.evidence.lists import e_benjamini_hochberg
from headframe.records.block import BlockClock
from headframe.records.finding import Finding, Role
from headframe.records.scan import ScanResult
from headframe.simulate.capture_file import write_pcap
from headframe.sources.archives import unpack
from headframe.sources.chain.files import clocks_of_files
from tests.timing_office import scrambled

pytestmark = pytest.mark.real_data

DAY_NS = 86_400 * 10**9
P = ChainSyncParameters()

# Capture, and the clients in it that talk to a Monero pool for a quarter of an hour or more.
MONERO = (
    ("1574720899_9M3tc", "10.108.8.154"),
    ("1575056774_OMKru", "192.168.0.112"),
    ("1578349600_DSfJl", "10.109.33.194 192.168.50.99"),
    ("1578529652_yUoQZ", "10.109.53.198 192.168.50.99"),
    ("1578804351_x7uHG", "10.185.239.55"),
    ("1579151818_d1flX", "10.185.238.194"),
    ("1579224329_7LLzY", "10.108.126.20"),
    ("1588049082_Dn6z5", "10.0.1.4"),
    ("1588111705_DbbiW", "10.0.1.4"),
    ("1588128490_tdAx5", "10.0.1.4"),
    ("1613757603_ShWXL", "10.0.1.8"),
    ("1613757861_D4Ij2", "10.0.1.8"),
    ("1613758066_IRGQG", "10.0.1.8"),
    ("1613759102_1bM5i", "10.0.1.10"),
    ("1617744956_YjZL4", "10.0.1.9"),
    ("1617834909_dYo3e", "192.168.50.73"),
    ("1617837582_wFnw2", "192.168.50.87"),
    ("1617847135_GP9jX", "192.168.50.73"),
    ("1618213054_3POZq", "10.0.1.5"),
    ("1618301296_vpTmY", "10.0.1.62"),
    ("1618393762_XWyTZ", "10.0.1.62"),
    ("1619046104_UAjTR", "192.168.50.73"),
    ("1619284857_caR2V", "192.168.50.73"),
    ("1619311474_In6IT", "192.168.50.51"),
    ("1619400666_D48cG", "192.168.50.73"),
    ("1619677604_K1GN3", "184.171.124.102"),
    ("1619719026_O7mzZ", "184.171.124.102"),
    ("1619803801_uvK4p", "184.171.124.102"),
    ("1619812647_8alcB", "184.171.124.102"),
    ("1619854718_3xmni", "184.171.124.102"),
)
WRONG_BY_HOURS = "1618550187_hQST8"
BRIEF = "1619477075_R7PCd"  # 11 minutes
ETHEREUM = "1618213677_i8KJi"

# Of these, heights in a row are known from another capture too, so the clock is there without them.
TWO_CAPTURES = (
    "1613757861_D4Ij2", "1613758066_IRGQG", "1613759102_1bM5i", "1617744956_YjZL4", "1617834909_dYo3e",
    "1617837582_wFnw2", "1617847135_GP9jX", "1618213054_3POZq", "1618301296_vpTmY",
)  # fmt: skip

Blind = Callable[..., ScanResult]


@pytest.fixture(scope="module")
def captures(shared_data: Path) -> Path:
    return shared_data / "network" / "pcap_mining" / "cj-sniffer"


@pytest.fixture(scope="module")
def blind(shared_data: Path, captures: Path) -> Blind:
    """Scan of one capture, blind to content, with the pool's clock of Monero."""

    def run(capture: str, **options: object) -> ScanResult:
        given = {"clocks": (shared_data / "network" / "blocks" / "clock_xmr_pool.csv",), **options}
        return scan([str(captures / f"{capture}.pcap")], ScanOptions(content_blind=True, threads=1, **given))  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="module")
def monero(shared_data: Path) -> BlockClock:
    clocks, _ = clocks_of_files([shared_data / "network" / "blocks" / "clock_xmr_pool.csv"])
    return clocks["XMR"].clock


@pytest.fixture(scope="module")
def bitcoin(shared_data: Path) -> BlockClock:
    clocks, _ = clocks_of_files([shared_data / "network" / "blocks" / "clock_btc_node_2023.csv.gz"])
    return clocks["BTC"].clock


@pytest.fixture(scope="module")
def subjects(captures: Path) -> dict[str, list[Subject]]:
    """Pairs of client and server of each capture."""
    return {path.stem: subjects_of(path) for path in sorted(captures.glob("*.pcap"))}


def subjects_of(path: Path) -> list[Subject]:
    facts = LocalEngine(EndpointIndex([]), threads=1, content_blind=True).run([str(path)])
    return group_subjects(facts.bursts, P)


def moved(clock: BlockClock, subjects: list[Subject], k: int) -> BlockClock:
    """The clock moved by whole days, so that the middle of the traffic falls on the k-th of its months."""
    start = int(min(s.spans_ns[0, 0] for s in subjects))
    target = int(clock.covered[0, 0]) + (3 + 30 * k) * DAY_NS
    days = round((start - target) / DAY_NS)
    return replace(clock, arrival_ns=clock.arrival_ns + days * DAY_NS, covered=clock.covered + days * DAY_NS)


def frames_of(data: bytes) -> list[tuple[int, bytes]]:
    """Time [ns] and frame of each packet of a little-endian pcapng file with nanoseconds."""
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            high, low, captured = struct.unpack_from("<III", data, at + 12)
            found.append(((high << 32) | low, data[at + 28 : at + 28 + captured]))
        at += length
    return found


def check(finding: Finding) -> None:
    """What every one of them must say."""
    assert finding.detector == "chain_sync"
    assert finding.role is Role.MINER
    assert finding.coins == ("XMR",)
    assert finding.log10_e >= 6
    sync = finding.block_sync
    assert sync is not None
    assert sync.hits > 5 * sync.expected_hits or sync.hits > 0.8 * sync.blocks
    assert finding.sources


@pytest.mark.parametrize(("capture", "clients"), MONERO)
def test_each_monero_miner_is_found_by_timing_alone(blind: Blind, capture: str, clients: str) -> None:
    """log10 E of 6 and more, Monero named, a few seconds of the sensor's clock found by itself, and nobody else."""
    result = blind(capture)
    assert sorted(finding.host for finding in result.findings) == clients.split()
    for finding in result.findings:
        check(finding)
        assert ":" not in finding.peer
        assert finding.block_sync is not None
        assert abs(finding.block_sync.offset_s.estimate) < 20
        assert finding.contradictions == ()
    assert result.lookalikes == []


def test_all_captures_are_spoken_of(captures: Path) -> None:
    """33: thirty found as they are, one on request, one too brief, one of Ethereum."""
    named = {name for name, _ in MONERO} | {WRONG_BY_HOURS, BRIEF, ETHEREUM}
    assert {path.stem for path in captures.glob("*.pcap")} == named


def test_a_sensor_in_another_time_zone_is_found_on_request(blind: Blind) -> None:
    """Its clock is wrong by 25,200 s: nothing is claimed until whole hours are asked for."""
    result = blind(WRONG_BY_HOURS)
    assert result.findings == []
    (told,) = [one.missing for one in result.insufficient if one.detector == "chain_sync"]
    assert "and they share no time; give a clock of that time, check its time zone, or" in told
    (found,) = blind(WRONG_BY_HOURS, any_hour=True).findings
    check(found)
    assert found.block_sync is not None
    assert abs(found.block_sync.offset_s.estimate - 25_200) < 20
    assert found.contradictions == ("The pushes fit only if the sensor's clock is wrong by 7 hours.",)


def test_eleven_minutes_are_few(blind: Blind) -> None:
    """Six blocks: on the list at one in a hundred, far from one in a million."""
    (found,) = blind(BRIEF).findings
    assert 2 < found.log10_e < 6


@pytest.mark.parametrize("any_hour", [False, True])
def test_the_ethereum_miner_does_not_follow_monero(blind: Blind, any_hour: bool) -> None:
    """It was compared, and nothing is claimed."""
    result = blind(ETHEREUM, any_hour=any_hour)
    assert (result.findings, result.lookalikes, result.timing_tested) == ([], [], 1)


def test_the_ethereum_miner_has_no_evidence_of_monero(subjects: dict[str, list[Subject]], monero: BlockClock) -> None:
    """log10 E below 2."""
    log10_e = measure_all(subjects[ETHEREUM], [monero], P)
    assert np.isfinite(log10_e).any()
    assert np.nanmax(log10_e) < 2


def test_heights_that_two_captures_tell_of_are_a_clock(blind: Blind, shared_data: Path, tmp_path: Path) -> None:
    """A clock that would be there without the capture itself: of heights that another capture has seen as well."""
    source = shared_data / "network" / "blocks" / "clock_xmr_pool.csv"
    header, *rows = source.read_text(encoding="utf-8").splitlines()
    assert header.split(",")[-1] == "n_captures"
    path = tmp_path / "two.csv"
    path.write_text("\n".join([header, *(row for row in rows if int(row.rsplit(",", 1)[1]) >= 2)]) + "\n")
    for capture in TWO_CAPTURES:
        (found,) = blind(capture, clocks=(path,)).findings
        check(found)


def test_no_miner_of_monero_follows_bitcoin(subjects: dict[str, list[Subject]], bitcoin: BlockClock) -> None:
    """Each capture against eight months of Bitcoin, moved by whole days: E is what chance allows, and no claim."""
    values = []
    for name, of_capture in subjects.items():
        rows = [measure_all(of_capture, [moved(bitcoin, of_capture, k)], P)[:, 0] for k in range(8)]
        assert np.isfinite(rows[0]).all(), name
        assert rows[0].max() < 2, name
        values.append(np.concatenate(rows))
    log10_e = np.concatenate(values)
    assert len(log10_e) > 250
    assert log10_e.max() < 3
    e = 10.0**log10_e
    assert e.mean() - 3 * e.std() / np.sqrt(len(e)) <= 1
    assert (log10_e >= 1).mean() <= 0.1
    assert (log10_e >= 2).mean() <= 0.01


def test_the_zoo_follows_no_chain(shared_data: Path, tmp_path: Path, monero: BlockClock, bitcoin: BlockClock) -> None:
    """Every conversation of the protocol zoo that lasts, against both clocks moved to its days: nobody is listed."""
    unpack(shared_data / "network" / "benign" / "ndpi_pcaps_and_results.tar.xz", tmp_path)
    tested = captures = 0
    for path in sorted(p for p in tmp_path.rglob("*") if p.suffix in {".pcap", ".pcapng", ".cap"}):
        try:
            facts = LocalEngine(EndpointIndex([]), threads=1, content_blind=True).run([str(path)])
        except UnreadableInput:
            continue
        together = group_subjects(facts.bursts, P)
        if not together:
            continue
        clocks = [moved(clock, together, 1) for clock in (monero, bitcoin)]
        result = detect(facts.bursts, clocks, P, on_list=lambda e: e_benjamini_hochberg(e, 0.01).listed)
        assert (result.findings, result.lookalikes) == ([], []), path.name
        tested += result.tested
        captures += 1
    assert captures > 20
    assert tested > 50


def test_payload_and_ports_make_no_difference(blind: Blind, captures: Path, shared_data: Path, tmp_path: Path) -> None:
    """A real capture with every payload byte random and every port another: the same finding, to the last digit."""
    capture = "1619812647_8alcB"
    packets = frames_of((captures / f"{capture}.pcap").read_bytes())
    changed = scrambled(packets, 1)
    path = tmp_path / f"{capture}.pcap"
    write_pcap(path, changed)
    assert len(packets) > 1000
    assert sum(a != b for a, b in zip(packets, changed, strict=True)) > 0.9 * len(packets)
    (found,) = blind(capture).findings
    clock = shared_data / "network" / "blocks" / "clock_xmr_pool.csv"
    (again,) = scan([str(path)], ScanOptions(content_blind=True, clocks=(clock,))).findings
    assert again.log10_e == found.log10_e
    assert replace(again, sources=found.sources, community_ids=found.community_ids) == found
