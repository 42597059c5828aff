"""The wiring: what a scan and a calibration give as a whole."""

import math
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headframe import app
from headframe.detectors.network.peer_sync import PeerSyncResult
from headframe.errors import UnreadableInput
from headframe.pseudonym import SALT_VARIABLE
from headframe.records.block import Block
from headframe.records.finding import Finding
from headframe.records.scan import ScanResult
from headframe.simulate import CaptureSpec, simulate_capture, write_simulation
from headframe.simulate.capture import SimulatedTraffic
from headframe.sources.chain.series import BadClock
from headframe.stores.blocks import BlockStore
from tests.timing_office import HIDDEN, clock_file, office, scrambled, written


@pytest.fixture(scope="module")
def innocent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a capture of an office in which nobody mines."""
    folder = tmp_path_factory.mktemp("office")
    write_simulation(simulate_capture(CaptureSpec.demo(miners=0, minutes=3), 3), folder / "office.pcap")
    (folder / "dns.log").write_text(
        "#separator \\x09\n#fields\tts\tquery\tanswers\n1.0\twww.weather.example\t198.51.100.7\n"
        "2.0\tmail.office.example\t198.51.100.8\n"
    )
    return folder


def test_calibration_counts_what_stands_in_the_corpora(innocent: Path, tmp_path: Path) -> None:
    """Conversations, names and addresses of captures and logs, each thing once; bounds that follow from the counts."""
    archive = tmp_path / "again.tar.xz"
    with tarfile.open(archive, "w:xz") as packed:
        packed.add(innocent / "dns.log", "logs/dns.log")
    table = app.calibrate([str(innocent), str(archive)])

    session = table.row("stratum", "session")
    assert session is not None
    assert session.matches == 0
    assert session.size > 50
    assert [corpus.name for corpus in session.corpora] == [innocent.name]
    # Simulated web servers are looked up by name, and both names of the log are new.
    names = table.row("pool_endpoint", "name")
    assert names is not None
    assert names.size >= 5
    assert names.matches == 0
    # The archive holds nothing that the folder had not.
    assert [corpus.name for corpus in names.corpora] == [innocent.name]
    assert table.log10_e("stratum", "session") == pytest.approx(-math.log10(1 - 0.05 ** (1 / session.size)), rel=1e-6)


def test_a_corpus_of_nothing_is_refused(tmp_path: Path) -> None:
    """And named."""
    (tmp_path / "notes.txt").write_text("no capture")
    with pytest.raises(UnreadableInput, match="neither captures nor Zeek logs"):
        app.calibrate([str(tmp_path)])


def test_every_thread_count_gives_the_same_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads share the work and nothing else."""
    monkeypatch.setenv(SALT_VARIABLE, "a salt")
    office = write_simulation(simulate_capture(CaptureSpec.demo(miners=4, minutes=4), 5), tmp_path / "office.pcapng")
    results = [
        app.scan([str(office.capture)], app.ScanOptions(indicators=(office.indicators,), threads=threads))
        for threads in (1, 2, 4)
    ]
    assert results[0].findings
    assert results[0].findings == results[1].findings == results[2].findings
    assert results[0].lookalikes == results[1].lookalikes == results[2].lookalikes


def test_pseudonyms_differ_between_scans_unless_they_share_a_salt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a salt of the operator's, nobody can follow an account from one scan to the next."""
    office = write_simulation(simulate_capture(CaptureSpec.demo(miners=1, minutes=3), 5), tmp_path / "office.pcap")

    def accounts() -> list[tuple[str, ...]]:
        return [finding.accounts for finding in app.scan([str(office.capture)]).findings if finding.accounts]

    monkeypatch.delenv(SALT_VARIABLE, raising=False)
    assert accounts() != accounts()
    monkeypatch.setenv(SALT_VARIABLE, "a salt")
    assert accounts() == accounts() != []


def test_rows_of_an_indicator_list_that_are_not_understood_are_told(tmp_path: Path) -> None:
    """The others are used."""
    office = write_simulation(simulate_capture(CaptureSpec.demo(miners=1, minutes=2), 5), tmp_path / "office.pcap")
    listed = tmp_path / "list.txt"
    listed.write_text("pool.example\n???\n")
    result = app.scan([str(office.capture)], app.ScanOptions(indicators=(listed,)))
    assert len(result.remarks) == 1
    assert "line 2" in result.remarks[0]


# --- timing -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def traffic() -> SimulatedTraffic:
    """An hour and a half of an office with one miner, inside TLS: nobody tells the time of blocks."""
    return office(1.5, plaintext=False)


@pytest.fixture(scope="module")
def hidden(traffic: SimulatedTraffic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a capture."""
    return written(traffic, tmp_path_factory.mktemp("hidden") / "office.pcap")


HOST = "192.0.2.100"


def timed(capture: Path, **options: Any) -> ScanResult:
    return app.scan([str(capture)], app.ScanOptions(builtin_indicators=False, threads=1, **options))


def timing(result: ScanResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.detector == "chain_sync"]


def test_a_clock_from_a_file_finds_the_miner_inside_tls(
    hidden: Path, traffic: SimulatedTraffic, tmp_path: Path
) -> None:
    """And the list says how long it is and how wrong it may be."""
    result = timed(hidden, clocks=(clock_file(tmp_path / "xmr.csv", traffic.truth),))
    (found,) = timing(result)
    assert (found.host, found.peer, found.coins) == (HOST, HIDDEN[1], ("XMR",))
    assert found.log10_e > 6
    assert found.block_sync is not None
    assert found.block_sync.clock_sources == ("file xmr.csv",)
    assert result.timing_tested > 1
    assert result.timing_fdr == 0.01
    assert timing(timed(hidden)) == []


def test_no_detector_needs_payload_or_ports(hidden: Path, traffic: SimulatedTraffic, tmp_path: Path) -> None:
    """All payload random, all ports others: blind to content the scan says the same, to the last digit."""
    clocks = (clock_file(tmp_path / "xmr.csv", traffic.truth),)
    other = written(replace(traffic, packets=scrambled(traffic.packets, 2)), tmp_path / "other.pcap")
    (found,) = timed(hidden, clocks=clocks, content_blind=True).findings
    (again,) = timed(other, clocks=clocks, content_blind=True).findings
    assert found.log10_e > 6
    assert found.peer == HIDDEN[1].partition(":")[0]
    assert replace(again, sources=found.sources, community_ids=found.community_ids) == found
    assert [source.packets for source in again.sources] == [source.packets for source in found.sources]
    assert again.log10_e == found.log10_e


def test_the_list_is_cut_at_the_rate_that_was_asked_for(
    hidden: Path, traffic: SimulatedTraffic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """e-BH: of m pairs the only large E is on the list down to the rate m / E, and not below."""
    # With a list of hidden clocks beside it, this one gets half of the rate.
    monkeypatch.setattr(app.peer_sync, "detect", lambda *_given: PeerSyncResult())
    clocks = (clock_file(tmp_path / "xmr.csv", traffic.truth),)
    result = timed(hidden, clocks=clocks)
    edge = result.timing_tested / 10.0 ** timing(result)[0].log10_e
    for factor, count in ((1.01, 1), (0.99, 0)):
        again = timed(hidden, clocks=clocks, false_discovery_rate=edge * factor)
        assert len(timing(again)) == count
        assert again.timing_fdr == edge * factor


def test_a_clock_that_is_wrong_by_hours(hidden: Path, traffic: SimulatedTraffic, tmp_path: Path) -> None:
    """Said to share no time; found on request, with the hours among what contradicts."""
    clocks = (clock_file(tmp_path / "xmr.csv", traffic.truth, shift_s=-7 * 3600),)
    result = timed(hidden, clocks=clocks)
    assert timing(result) == []
    assert any("they share no time" in one.missing for one in result.insufficient)
    (found,) = timing(timed(hidden, clocks=clocks, any_hour=True))
    assert found.log10_e > 6
    assert found.contradictions[0] == "The pushes fit only if the sensor's clock is wrong by 7 hours."


def test_gaps_duplicates_and_rows_that_are_wrong_are_told(
    hidden: Path, traffic: SimulatedTraffic, tmp_path: Path
) -> None:
    """By file, and the rest is used."""
    path = clock_file(tmp_path / "xmr.csv", traffic.truth)
    header, *rows = path.read_text().splitlines()
    del rows[10:12]
    path.write_text("\n".join([header, *rows, rows[3], rows[-1].rsplit(",", 1)[0] + ",soon"]) + "\n")
    result = timed(hidden, clocks=(path,))
    assert len(timing(result)) == 1
    told = "\n".join(result.remarks)
    assert "2 heights are missing, in 1 places" in told
    assert "1 rows say the same as another; taken once" in told
    assert "arrival_time is 'soon'" in told
    assert all(remark.startswith((str(path), "XMR")) for remark in result.remarks)


def test_a_clock_in_another_zone_is_refused(hidden: Path, traffic: SimulatedTraffic, tmp_path: Path) -> None:
    """Before the capture is read: header times beside arrival times tell the zone."""
    rows = [
        f"XMR,{b['height']},{b['time_ns'] // 10**9 + 8 * 3600},{b['time_ns'] // 10**9}"
        for b in traffic.truth["blocks"]["XMR"]
    ]
    path = tmp_path / "xmr.csv"
    path.write_text("chain,height,arrival_time,header_time\n" + "\n".join(rows) + "\n")
    with pytest.raises(BadClock, match="arrival_time is 8 h ahead of header_time"):
        timed(tmp_path / "no such capture.pcap", clocks=(path,))


def test_columns_of_other_names(hidden: Path, traffic: SimulatedTraffic, tmp_path: Path) -> None:
    """As the mapping says."""
    path = clock_file(tmp_path / "xmr.csv", traffic.truth)
    path.write_text(path.read_text().replace("chain,height,arrival_time", "coin,blk,ts"))
    with pytest.raises(BadClock):
        timed(hidden, clocks=(path,))
    columns = {"chain": "coin", "height": "blk", "arrival_time": "ts"}
    assert len(timing(timed(hidden, clocks=(path,), clock_columns=columns))) == 1


def stored(folder: Path, traffic: SimulatedTraffic, *, shift_ns: int = 0, arrival: bool = True) -> Path:
    """A workspace with the clock of Monero in it."""
    BlockStore(folder).append(
        [
            Block(
                chain="XMR",
                height=b["height"],
                header_time_ns=None if arrival else b["time_ns"],
                arrival_time_ns=b["time_ns"] + shift_ns if arrival else None,
                clock_source="monerod",
            )
            for b in traffic.truth["blocks"]["XMR"]
        ]
    )
    return folder


def test_the_same_clock_twice_is_one(hidden: Path, traffic: SimulatedTraffic, tmp_path: Path) -> None:
    """The same file again, and a copy of it by another name: no more evidence, and not less."""
    path = clock_file(tmp_path / "xmr.csv", traffic.truth)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(path.read_bytes())
    alone = timing(timed(hidden, clocks=(path,)))[0].log10_e
    assert timing(timed(hidden, clocks=(path, path)))[0].log10_e == pytest.approx(alone, abs=1e-9)
    assert timing(timed(hidden, clocks=(path, copy)))[0].log10_e == pytest.approx(alone, abs=1e-9)


def test_stored_clocks_are_used(hidden: Path, traffic: SimulatedTraffic, tmp_path: Path) -> None:
    """Of the chains that no file is given for; a file goes first."""
    (found,) = timing(timed(hidden, stored_clocks=stored(tmp_path / "right", traffic)))
    assert found.block_sync is not None
    assert found.block_sync.clock_sources == ("monerod",)
    assert found.log10_e > 6
    wrong = stored(tmp_path / "wrong", traffic, shift_ns=700 * 10**9)
    assert timing(timed(hidden, stored_clocks=wrong)) == []
    (again,) = timing(timed(hidden, stored_clocks=wrong, clocks=(clock_file(tmp_path / "xmr.csv", traffic.truth),)))
    assert again.block_sync is not None
    assert again.block_sync.clock_sources == ("file xmr.csv",)


def test_stored_clocks_that_are_of_no_use_do_not_stop_a_scan(
    hidden: Path, traffic: SimulatedTraffic, tmp_path: Path
) -> None:
    """Nobody asked for them by name: damaged, unknown or too coarse ones are told, and the others are used."""
    workspace = stored(tmp_path, traffic)
    (tmp_path / "blocks" / "BTC.parquet").write_bytes(b"PAR1 this is no table PAR1")
    (tmp_path / "blocks" / "NOPE.parquet").write_bytes(b"")
    BlockStore(tmp_path).append(
        [
            Block(
                chain="LTC",
                height=k,
                header_time_ns=(1_767_260_000 + 150 * k) * 10**9,
                arrival_time_ns=None,
                clock_source="x",
            )
            for k in range(50)
        ]
    )
    result = timed(hidden, stored_clocks=workspace)
    assert len(timing(result)) == 1
    told = [remark for remark in result.remarks if remark.startswith("the stored clock of ")]
    assert {"BTC", "NOPE"} <= {remark.split()[4] for remark in told}
    assert any("is damaged" in remark for remark in told)


def test_plaintext_miners_stand_in_for_a_clock_of_another_time(tmp_path: Path) -> None:
    """An old clock in the workspace must not silence the one that the traffic itself tells."""
    traffic = office(1.5)
    capture = written(traffic, tmp_path / "office.pcap")
    old = stored(tmp_path / "old", traffic, shift_ns=-90 * 86_400 * 10**9)
    result = timed(capture, stored_clocks=old)
    (found,) = timing(result)
    assert (found.host, found.peer) == HIDDEN
    assert found.block_sync is not None
    assert found.block_sync.clock_sources == ("capture",)
    assert result.remarks == ["the clock of XMR is of another time; jobs of plaintext miners stand in for it"]
    # One of the right time goes first, and then also those who speak in the clear are tested.
    result = timed(capture, clocks=(clock_file(tmp_path / "xmr.csv", traffic.truth),))
    assert {finding.host for finding in timing(result)} == {"192.0.2.100", "192.0.2.101", "192.0.2.102"}
    assert result.remarks == []
