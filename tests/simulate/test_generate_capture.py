"""The benchmark's capture: as many packets as asked for, and every one sound."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from bench.generate_capture import generate
from tests.simulate.wire import decode_all, records, streams

PACKETS = 30_000


@pytest.mark.parametrize("pcapng", [False, True], ids=["pcap", "pcapng"])
def test_the_benchmark_capture_is_sound(tmp_path: Path, pcapng: bool) -> None:
    """Counts are those of the truth, checksums hold, sequence numbers run on, miners are where the truth says."""
    path = tmp_path / "bench.capture"
    truth = generate(path, PACKETS, 3, pcapng=pcapng)  # a seed with a miner in it
    assert json.loads(path.with_suffix(".truth.json").read_text()) == truth
    read = records(path)
    assert len(read) == PACKETS
    assert path.stat().st_size == truth["bytes"]
    assert [time for time, _ in read] == sorted(time for time, _ in read)
    packets = decode_all(read)
    flows = {(p.proto, *sorted((p.source, p.target))) for p in packets}
    assert len(flows) == truth["conversations"]
    said = streams(packets)
    assert truth["miners"]
    for miner in truth["miners"]:
        server, port = miner["peer"].rsplit(":", 1)
        text = said[(miner["host"], miner["host_port"]), (server.strip("[]"), int(port))]
        assert text.count(b'"mining.submit"' if miner["protocol"] == "stratum-v1" else b'"submit"') > 10
    reached: dict[tuple, int] = defaultdict(int)
    for packet in packets:
        if packet.proto == 6:
            key = (packet.source, packet.target)
            assert not reached[key] or reached[key] == packet.seq
            reached[key] = (packet.seq + len(packet.payload) + bool(packet.flags & 3)) % 2**32


def test_the_mix_does_not_depend_on_the_size(tmp_path: Path) -> None:
    """Bytes per packet at two sizes lie within a quarter of each other, and the same seed gives the same bytes."""
    means = []
    for count in (20_000, 80_000):
        truth = generate(tmp_path / "x.pcap", count, 3)
        means.append(truth["bytes"] / count)
    assert 0.75 < means[0] / means[1] < 1.33
    first = (tmp_path / "x.pcap").read_bytes()
    generate(tmp_path / "x.pcap", 80_000, 3)
    assert (tmp_path / "x.pcap").read_bytes() == first
