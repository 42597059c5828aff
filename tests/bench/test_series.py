"""The packet series that timing detectors are measured on: complete, in order, labelled, and kept without loss."""

import csv
import gzip
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from captures import ACK, PSH, SYN, T0_S, Packet, ethernet, ipv4, pcap_file, tcp, udp

from bench import series as corpora
from bench.series import Series

CLIENT, SERVER, OTHER = "10.0.0.5", "192.0.2.7", "192.0.2.8"


def at(second: float, ip: bytes) -> Packet:
    return Packet(int((T0_S + second) * 10**9), ethernet(0x0800, ip))


def up(sport: int, seq: int, data: bytes, dst: str = SERVER, flags: int = ACK | PSH) -> bytes:
    return ipv4(CLIENT, dst, 6, tcp(sport, 443, seq, 1, flags, data))


def down(sport: int, seq: int, data: bytes, src: str = SERVER) -> bytes:
    return ipv4(src, CLIENT, 6, tcp(443, sport, seq, 1, ACK | PSH, data))


@pytest.fixture
def reconnecting(tmp_path: Path) -> Path:
    """A client that comes back by another port, asks another server once, and a capture out of order."""
    packets = [
        at(0, up(5001, 0, b"", flags=SYN)),
        at(1, up(5001, 1, b"a" * 10)),
        at(2, down(5001, 1, b"b" * 300)),
        at(700, up(5002, 0, b"", flags=SYN)),
        at(702, down(5002, 1, b"d" * 400)),
        at(701, up(5002, 1, b"c" * 20)),
        at(800, up(5003, 1, b"e" * 30, dst=OTHER)),
        at(801, ipv4(CLIENT, "192.0.2.9", 6, tcp(5004, 443, 0, flags=SYN))),
        at(802, ipv4("10.0.0.6", SERVER, 17, udp(53, 53, b"q" * 12))),
    ]
    path = tmp_path / "office.pcap"
    path.write_bytes(pcap_file(packets))
    return path


def relative(series: Series) -> list[tuple[float, int]]:
    return [
        ((int(t) - T0_S * 10**9) / 10**9, int(size))
        for t, size in zip(series.times_ns, series.signed_sizes, strict=True)
    ]


def test_a_capture_gives_conversations_pairs_and_hosts(reconnecting: Path) -> None:
    """Reconnects add up by server and port; a host is all it began; without payload there is no series."""
    found = list(corpora.capture_series(reconnecting, "c", "benign"))
    by_label = {label: [s for s in found if s.label == label] for label in ("benign", "pair", "host")}
    assert len(found) == 4 + 1 + 1
    assert len(by_label["benign"]) == 4
    (pair,) = by_label["pair"]
    assert relative(pair) == [(1, 10), (2, -300), (701, 20), (702, -400)]
    assert pair.duration_s == 702
    assert (pair.conversation.orig_p, pair.conversation.resp_p) == (0, 443)
    assert (pair.conversation.orig_bytes, pair.conversation.resp_bytes) == (30, 700)
    (host,) = by_label["host"]
    assert relative(host) == [(1, 10), (2, -300), (701, 20), (702, -400), (800, 30)]
    assert len({s.name for s in found}) == len(found)


def test_other_labels_go_before_pair_and_host(reconnecting: Path) -> None:
    """A pair in a capture of nodes is no benign pair."""
    labels = {s.label for s in corpora.capture_series(reconnecting, "c", "node")}
    assert labels == {"node", "node pair", "node host"}


def test_times_are_in_order_and_inside_the_conversation(reconnecting: Path) -> None:
    """Detectors are given ascending times, and a life that holds them all, whatever order the file has."""
    for s in corpora.capture_series(reconnecting, "c", "benign"):
        assert (np.diff(s.times_ns) >= 0).all()
        assert s.conversation.started_ns <= s.times_ns[0] <= s.times_ns[-1] <= s.conversation.ended_ns
        assert s.times_ns.dtype == np.int64
        assert s.signed_sizes.dtype == np.int32


def test_what_is_kept_comes_back(reconnecting: Path, tmp_path: Path) -> None:
    """`load` gives what `save` was given, also nothing at all."""
    series = [*corpora.capture_series(reconnecting, "c", "benign"), corpora.binned(
        "b", "d", "binned", np.array([5, 0]), np.array([0, 7]), coin="xmr")]  # fmt: skip
    for some in (series, []):
        corpora.save(tmp_path / "kept.npz", some)
        back = corpora.load(tmp_path / "kept.npz")
        assert len(back) == len(some)
        for old, new in zip(some, back, strict=True):
            assert (new.times_ns == old.times_ns).all()
            assert (new.signed_sizes == old.signed_sizes).all()
            assert new.times_ns.dtype == np.int64
            assert new.signed_sizes.dtype == np.int32
            assert new.conversation == old.conversation
            assert (new.name, new.label, new.coin, new.dated) == (old.name, old.label, old.coin, old.dated)


def test_a_changed_input_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept series belong to the bytes they were read from; old ones are removed."""
    monkeypatch.setattr(corpora, "BUILD", tmp_path / "build")
    source = tmp_path / "source"
    reads = []

    def read() -> list[Series]:
        reads.append(source.read_text())
        return [corpora.binned("x", "y", "binned", np.array([int(reads[-1])]), np.array([0]))]

    for content in ("1", "1", "2", "2"):
        source.write_text(content)
        (series,) = corpora.kept("some", [source], read, fresh=False)
        assert int(series.signed_sizes[0]) == int(content)
    assert reads == ["1", "2"]
    assert len(list((tmp_path / "build").iterdir())) == 1
    corpora.kept("some", [source], read, fresh=True)
    assert len(reads) == 3


def test_a_second_is_a_packet_for_each_direction() -> None:
    """Silent seconds and directions give none; the sign says who sent."""
    s = corpora.binned("n", "c", "binned", np.array([0, 9, 4]), np.array([0, 0, 2**40]))
    assert s.times_ns.tolist() == [1_500_000_000, 2_500_000_000, 2_500_000_000]
    assert s.signed_sizes.tolist() == [9, 4, -(2**31 - 1)]
    assert s.duration_s == 3
    assert not s.dated


def test_flow_records_become_pairs_and_hosts(tmp_path: Path) -> None:
    """A record is a packet from the client at its start and one from the server at its end; both notations are read."""
    head = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes\n"
    rows = [f"{T0_S + 60 * k}.250000\tC{k}\t10.0.0.5\t{5000 + k}\t192.0.2.7\t443\ttcp\t2.5\t10\t300" for k in range(6)]
    objects = [
        {"ts": T0_S + 60 * k, "uid": f"C{k}", "id.orig_h": "10.0.0.5", "id.orig_p": 5000 + k, "id.resp_h": "192.0.2.7",
         "id.resp_p": 443, "proto": "tcp", "duration": 1, "orig_bytes": 10, "resp_bytes": 0}
        for k in range(5, 12)
    ]  # fmt: skip
    folder = tmp_path / "logs" / "day"
    folder.mkdir(parents=True)
    unset = "1.0\tCx\t10.0.0.5\t1\t192.0.2.7\t443\ttcp\t-\t-\t-\n"
    (folder / "conn.log").write_text(head + "\n".join(rows) + "\n" + unset + "#close\n")
    (folder / "conn.1.log.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, objects)).encode()))
    (folder / "conn-summary.log").write_text("not a log of connections")
    archive = tmp_path / "logs.tar.xz"
    with tarfile.open(archive, "w:xz") as packed:
        packed.add(tmp_path / "logs", arcname="logs")
    pair, host = sorted(corpora.record_series(archive, "c"), key=lambda s: s.label)
    assert (pair.label, host.label) == ("records", "records host")
    assert relative(host) == relative(pair)
    # C5 stands in both logs and counts once, as the later one has it; the record without a duration is none.
    assert pair.name.endswith("x12")
    assert len(pair.times_ns) == 6 * 2 + 6
    assert relative(pair)[:2] == [(0.25, 10), (2.75, -300)]
    assert pair.conversation.resp_bytes == 6 * 300
    assert pair.duration_s == pytest.approx(60 * 11 + 1 - 0.25)


def test_copies_count_once(reconnecting: Path) -> None:
    """The same packets under two names are one series."""
    series = list(corpora.capture_series(reconnecting, "c", "benign"))
    again = list(corpora.capture_series(reconnecting, "d", "benign"))
    assert len(corpora.without_twins([*series, *again])) == len(corpora.without_twins(series))


def test_a_clock_offset_is_found_and_its_drift() -> None:
    """Whole hours and seconds together; a clock that loses time shows it in its parts."""
    rng = np.random.default_rng(11)
    blocks = 1.6e9 + np.cumsum(rng.exponential(120.0, 500))
    lost = 0.2 / 3600 * (blocks - blocks[0])
    pushes = blocks + 7200.0 - 11.0 - lost + rng.uniform(0.2, 0.9, 500)
    seen = corpora.clock_offset(pushes, blocks)
    assert seen.offset_s == pytest.approx(7200.0 - 12.5, abs=2.5)
    assert seen.followed > 0.5 > 0.1 > seen.chance
    parts = corpora.clock_drift(pushes, blocks, seen)
    begin, end = (p.offset_s + p.median_delay_s for p in (parts[0], parts[-1]))
    assert begin - end == pytest.approx(lost[-1] * (len(parts) - 1) / len(parts), abs=0.6)
    assert corpora.clock_offset(np.empty(0), blocks).blocks == 0


# -- real data ---------------------------------------------------------------------------------------------------------


@pytest.mark.real_data
def test_mining_series_cover_every_capture(shared_data: Path) -> None:
    """33 captures, 32 of Monero and one of Ethereum, also where a row of the labels lacks a comma."""
    series = corpora.mining_series(shared_data)
    assert len({s.capture for s in series}) == 33
    assert {s.capture for s in series if s.coin == "eth"} == {"1618213677_i8KJi"}
    assert {s.coin for s in series} == {"xmr", "eth"}
    main = corpora.main_series(series)
    assert len(main) == 33
    assert not any(s.label.endswith("host") for s in main.values())


@pytest.mark.real_data
def test_benign_series_are_long_enough_dated_and_not_mining(shared_data: Path) -> None:
    """What the null campaign may rely on."""
    series = corpora.benign_series(600.0, shared_data)
    labels = {s.label for s in series}
    assert {"benign", "pair", "host", "node", "binned", "mixed", "records"} <= labels
    assert not any("mining" in label for label in labels)
    assert sum(s.label == "benign" for s in series) >= 50
    for s in series:
        assert 600.0 <= s.duration_s <= corpora.WEEK_S
        assert len(s.times_ns) == len(s.signed_sizes) > 0
        assert (np.diff(s.times_ns) >= 0).all()
        assert s.conversation.started_ns <= s.times_ns[0]
        assert s.times_ns[-1] <= s.conversation.ended_ns
        assert s.dated == (s.corpus in ("ndpi-zoo", "slips", "rita"))
    assert len({s.name for s in series}) == len(series)
    longer = corpora.benign_series(1200.0, shared_data)
    assert {s.name for s in longer} == {s.name for s in series if s.duration_s >= 1200.0}


@pytest.mark.real_data
def test_ifip119_series_hold_every_packet_with_payload(shared_data: Path) -> None:
    """Counted once more from the rows; each file has its pool, for about ten minutes or five."""
    series = corpora.ifip119_series(shared_data)
    for path in (shared_data / "network" / "flows" / "ifip119").glob("*.csv"):
        with path.open(newline="") as lines:
            sizes = [int(row["payload_len"]) for row in csv.DictReader(lines)]
        here = [s for s in series if s.capture == path.stem[:8]]
        assert sum(len(s.times_ns) for s in here) == sum(size > 0 for size in sizes)
        assert sum(int(np.abs(s.signed_sizes).sum()) for s in here) == sum(sizes)
        longest = max((s for s in here if s.label == "mining"), key=lambda s: s.duration_s)
        assert longest.coin == "xmr"
        assert longest.conversation.orig_h == "192.168.10.6"
        # Work comes from the pool; the miner says hello, logs in, and found a share or none in this time.
        assert (longest.signed_sizes < 0).sum() >= 14
        assert (longest.signed_sizes > 0).sum() <= 3
        assert 290 < longest.duration_s < 600
