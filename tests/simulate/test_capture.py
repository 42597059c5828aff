"""A simulated capture and the truth beside it agree, byte for byte."""

import csv
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headframe.errors import BadIndicator
from headframe.simulate import (
    CaptureSpec,
    Faults,
    MinerSpec,
    SimulatedTraffic,
    simulate_capture,
    write_demo,
    write_simulation,
)
from headframe.simulate.capture import DEFAULT_START_NS
from headframe.simulate.dialects import DIALECTS
from headframe.sources.intel.table import read_table
from tests.simulate.wire import Seen, decode_all, records, streams

START_NS = 1_780_000_000_123_456_789

# How a share and the answers look, by dialect; the answers are counted where one pattern tells them.
SHARE = {
    "stratum-v1": rb'"method": ?"mining\.submit"', "zcash": rb'"mining\.submit"', "kaspa": rb'"mining\.submit"',
    "kawpow": rb'"mining\.submit"', "ethereum-stratum": rb'"mining\.submit"', "eth-proxy": rb'"eth_submitWork"',
    "eth-http": rb'"eth_submitWork"', "cryptonote": rb'"method":"submit"',
    "getwork": rb'"method": "getwork", "params": \["', "getblocktemplate": rb'"submitblock"',
}  # fmt: skip
STALE = {
    "stratum-v1": rb"Job not found", "zcash": rb"Job not found", "kaspa": rb"Job not found",
    "kawpow": rb"Job not found", "ethereum-stratum": rb"Job not found", "eth-proxy": rb"Stale share",
    "cryptonote": rb"Block expired", "getwork": rb"stale-work",
}  # fmt: skip
REJECTED = {
    "stratum-v1": rb"Low difficulty", "zcash": rb"Low difficulty", "kaspa": rb"Low difficulty",
    "kawpow": rb"Low difficulty", "ethereum-stratum": rb"Low difficulty", "eth-proxy": rb"Invalid share",
    "cryptonote": rb"Low difficulty", "getwork": rb"high-hash", "eth-http": rb'"result":false',
}  # fmt: skip


@pytest.fixture(scope="module")
def traffic() -> SimulatedTraffic:
    return simulate_capture(CaptureSpec.every_dialect(), 11, start_ns=START_NS)


@pytest.fixture(scope="module")
def seen(traffic: SimulatedTraffic) -> list[Seen]:
    return decode_all(traffic.packets)


def spoken(miner: dict, packets: list[Seen]) -> tuple[bytes, bytes]:
    """All that a miner of the truth said, and all it was told."""
    ports = {connection["orig_p"] for connection in miner["connections"]}
    server, port = miner["peer"].rsplit(":", 1)
    far = (server.strip("[]"), int(port))
    ours = [p for p in packets if far in (p.source, p.target) and miner["host"] in (p.source[0], p.target[0])]
    ours = [p for p in ours if {p.source[1], p.target[1]} & ports]
    said, told = b"", b""
    for (source, _), text in streams(ours).items():
        if source == far:
            told += text
        else:
            said += text
    return said, told


def test_every_dialect_occurs(traffic: SimulatedTraffic) -> None:
    """`CaptureSpec.every_dialect` keeps its word."""
    assert {miner["dialect"] for miner in traffic.truth["miners"]} == set(DIALECTS)


def test_shares_on_the_wire_are_those_of_the_truth(traffic: SimulatedTraffic, seen: list[Seen]) -> None:
    """Counting messages in the reassembled plaintext gives the truth's shares, by outcome."""
    checked = 0
    for miner in traffic.truth["miners"]:
        dialect, truth = miner["dialect"], miner["shares_readable"]
        if truth is None or dialect == "browser":
            continue
        said, told = spoken(miner, seen)
        if miner["one_direction"] != 1:
            assert len(re.findall(SHARE[dialect], said)) == sum(truth.values()), miner
            checked += 1
        if miner["one_direction"] != 0:
            assert len(re.findall(REJECTED.get(dialect, b"$."), told)) == truth["rejected"], miner
            assert len(re.findall(STALE.get(dialect, b"$."), told)) == truth["stale"], miner
        if dialect == "cryptonote" and miner["one_direction"] != 0:
            assert told.count(b'"result":{"status":"OK"}') == truth["accepted"], miner
    assert checked >= 12


def test_browser_shares_are_masked_frames(traffic: SimulatedTraffic, seen: list[Seen]) -> None:
    """Unmasking the client's WebSocket frames gives the truth's number of submissions (RFC 6455, section 5.3)."""
    miner = next(m for m in traffic.truth["miners"] if m["dialect"] == "browser")
    said, told = spoken(miner, seen)
    at, submits = said.index(b"\r\n\r\n") + 4, 0
    while at < len(said):
        size, head = said[at + 1] & 0x7F, 2
        assert said[at] == 0x81
        assert said[at + 1] & 0x80
        if size == 126:
            size, head = int.from_bytes(said[at + 2 : at + 4], "big"), 4
        key, body = said[at + head : at + head + 4], said[at + head + 4 : at + head + 4 + size]
        submits += json.loads(bytes(b ^ key[i % 4] for i, b in enumerate(body)))["type"] == "submit"
        at += head + 4 + size
    assert submits == sum(miner["shares_readable"].values())
    assert told.count(b'"hash_accepted"') == miner["shares_readable"]["accepted"]


def test_one_direction_and_mid_session_are_what_they_say(traffic: SimulatedTraffic, seen: list[Seen]) -> None:
    """A capture of one direction holds nothing of the other; a session under way shows no handshake."""
    for miner in traffic.truth["miners"]:
        said, told = spoken(miner, seen)
        assert bool(said) == (miner["one_direction"] != 1)
        assert bool(told) == (miner["one_direction"] != 0)
        if miner["mid_session"]:
            assert b"subscribe" not in said
            assert said


def test_encrypted_miners_say_nothing_in_the_clear(traffic: SimulatedTraffic, seen: list[Seen]) -> None:
    """Inside TLS there are records only, the first names the server, and no message of the dialect shows."""
    for miner in (m for m in traffic.truth["miners"] if m["tls"]):
        said, told = spoken(miner, seen)
        assert b"submit" not in said + told
        if not miner["mid_session"]:
            assert miner["server_name"].encode() in said
            at = 0
            while at < len(said):
                assert said[at] in (20, 22, 23)
                assert said[at + 1] == 3
                at += 5 + int.from_bytes(said[at + 3 : at + 5], "big")
            assert at == len(said)


def test_padding_hides_sizes(traffic: SimulatedTraffic, seen: list[Seen]) -> None:
    """Constant padding leaves multiples of 512 bytes only."""
    miner = next(m for m in traffic.truth["miners"] if m["padding"] == "constant")
    said, _ = spoken(miner, seen)
    assert {len(text) % 512 for text in said.splitlines(keepends=True)} == {0}


def test_a_proxy_hands_on_every_share(traffic: SimulatedTraffic) -> None:
    """The proxy's shares are those of the miners behind it, but for those still on the way at the end."""
    proxy = next(m for m in traffic.truth["miners"] if m["role"] == "proxy")
    behind = [m for m in traffic.truth["miners"] if m["peer"].startswith(proxy["host"] + ":")]
    assert len(behind) == 3
    total = sum(sum(m["shares"].values()) for m in behind)
    assert total - 2 <= sum(proxy["shares"].values()) <= total
    assert proxy["hashrate_hs"] == sum(m["hashrate_hs"] for m in behind)


def test_hard_negatives_hand_in_nothing(traffic: SimulatedTraffic, seen: list[Seen]) -> None:
    """They look like mining and are in the capture, and none is a host of a miner."""
    labels = {negative["label"] for negative in traffic.truth["hard_negatives"]}
    assert {"bitcoin_node", "json_rpc_service", "wallet_rpc", "pool_daemon_rpc", "chat_about_mining"} <= labels
    miners = {miner["host"] for miner in traffic.truth["miners"]}
    for negative in traffic.truth["hard_negatives"]:
        assert negative["host"] not in miners
        assert any(p.source == (negative["host"], negative["orig_p"]) for p in seen)


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    """A seed decides capture, truth and indicators; another seed gives others."""
    spec = CaptureSpec.demo(miners=4, minutes=2)
    texts = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        made = write_simulation(simulate_capture(spec, seed, start_ns=START_NS), tmp_path / f"{name}.pcap")
        texts.append((made.capture.read_bytes(), made.truth.read_bytes(), made.indicators.read_bytes()))
    assert texts[0] == texts[1]
    assert texts[0][0] != texts[2][0]


def test_start_time_moves_everything() -> None:
    """The start is an argument: packets lie within the capture's time, and the payload of random parts stays."""
    spec = CaptureSpec.demo(miners=2, minutes=2)
    for start in (START_NS, DEFAULT_START_NS):
        packets = simulate_capture(spec, 5, start_ns=start).packets
        assert start <= packets[0][0] <= packets[-1][0] < start + 120 * 10**9
        assert [time for time, _ in packets] == sorted(time for time, _ in packets)


def test_faults_lose_packets_but_not_the_truth() -> None:
    """Loss at the sensor takes packets away at the rate asked for; shares happened all the same."""
    spec = replace(CaptureSpec.every_dialect(minutes=5), miners=CaptureSpec.every_dialect().miners[:2])
    whole = simulate_capture(spec, 3)
    lossy = simulate_capture(replace(spec, faults=Faults(sensor_loss=0.1)), 3)
    missing = 1 - len(lossy.packets) / len(whole.packets)
    assert 0.08 < missing < 0.12
    assert lossy.truth["miners"][0]["shares"] == whole.truth["miners"][0]["shares"]


def test_names_and_addresses_are_nobody_s(traffic: SimulatedTraffic, seen: list[Seen]) -> None:
    """Only documentation ranges (RFC 5737, RFC 3849) and names below .example (RFC 2606) occur."""
    hosts = {end[0] for packet in seen for end in (packet.source, packet.target)}
    for host in hosts:
        assert host.startswith(("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:")), host
    for row in traffic.indicators:
        assert row["value"].endswith(".example") or row["value"].startswith(("198.51.100.", "203.0.113.", "2001:db8:"))


def test_indicators_are_read_by_our_own_reader(tmp_path: Path) -> None:
    """Every row is understood, and every listed pool is there by name and by address and port."""
    traffic = simulate_capture(CaptureSpec.demo(minutes=1), 1, start_ns=START_NS)
    made = write_simulation(traffic, tmp_path / "x.pcapng")
    try:
        indicators = read_table(made.indicators)
    except BadIndicator as error:  # pragma: no cover - the message is the point
        pytest.fail(str(error))
    values = {(indicator.value, indicator.port) for indicator in indicators}
    day = datetime.fromtimestamp(START_NS // 10**9, UTC).date()
    for miner in traffic.truth["miners"]:
        listed = "endpoint" in miner["visible_to"]
        address, port = miner["peer"].rsplit(":", 1)
        assert ((address.strip("[]"), int(port)) in values and (miner["pool"], None) in values) == listed
    assert all(i.valid_from <= day <= i.valid_until for i in indicators if i.valid_from and i.valid_until)


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_tshark_reads_what_we_write(tmp_path: Path, require_tool: Callable[[str], str], suffix: str) -> None:
    """An independent reader sees every packet at its time, right checksums, and no fault in TCP."""
    spec = CaptureSpec.every_dialect(minutes=2)
    spec = replace(spec, miners=tuple(m for m in spec.miners if m.one_direction is None and not m.mid_session))
    made = write_simulation(simulate_capture(spec, 4, start_ns=START_NS), tmp_path / f"c.{suffix}")
    checks = [word for name in ("tcp", "udp", "ip") for word in ("-o", f"{name}.check_checksum:TRUE")]
    fields = (
        "frame.time_epoch",
        "tcp.analysis.flags",
        "tcp.checksum.status",
        "udp.checksum.status",
        "ip.checksum.status",
    )
    wanted = [word for name in fields for word in ("-e", name)]
    command = [require_tool("tshark"), "-r", str(made.capture), *checks, "-T", "fields", *wanted]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [row.split("\t") for row in out.splitlines()]
    expected = records(made.capture)
    assert len(rows) == len(expected) == json.loads(made.truth.read_text())["packets"]
    faults = Counter()
    for (stamp, flags, *sums), (time_ns, _) in zip(rows, expected, strict=True):
        seconds, fraction = stamp.split(".")
        assert int(seconds) * 10**9 + int(fraction.ljust(9, "0")) == time_ns
        faults.update([flags] if flags else [])
        assert set(sums[:2]) == {"1", ""}  # 1 means good; either TCP or UDP has one
        assert sums[2] in ("1", "")
    assert not faults
    names = [
        require_tool("tshark"),
        "-r",
        str(made.capture),
        "-T",
        "fields",
        "-e",
        "tls.handshake.extensions_server_name",
    ]
    found = set(subprocess.run(names, capture_output=True, text=True, check=True).stdout.split())
    assert {m.server_name or m.pool.name for m in spec.miners if m.tls} <= found


def test_demo_writes_four_files(tmp_path: Path) -> None:
    """`write_demo` gives capture, truth, indicators and block times, in the format asked for."""
    made = write_demo(tmp_path, seed=1, minutes=1, miners=3, capture_format="pcapng")
    truth = json.loads(made.truth.read_text())
    assert truth["packets"] == len(records(made.capture))
    assert len(truth["miners"]) == 3
    assert list(csv.DictReader(made.indicators.open()))
    assert {path.name for path in tmp_path.iterdir()} == {
        "office.pcapng", "office.truth.json", "office.indicators.csv", "office.blocks.csv",
    }  # fmt: skip
    # The clock knows the truth's blocks, the ones before, and on until it is sure that none was missed.
    clock = [(row["chain"], int(row["height"])) for row in csv.DictReader(made.clock.open())]
    for chain, blocks in truth["blocks"].items():
        heights = [height for name, height in clock if name == chain]
        assert heights == list(range(heights[0], heights[-1] + 1))
        assert {block["height"] for block in blocks} <= set(heights)
        assert heights[-1] > max((block["height"] for block in blocks), default=0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"miners": 91}, "miners"), ({"minutes": 0.1}, "duration_s"), ({"capture_format": "erf"}, "capture_format")],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, arguments: dict, words: str) -> None:
    """The message names the argument."""
    with pytest.raises(ValueError, match=words):
        write_demo(tmp_path, seed=1, **arguments)


def test_unknown_words_are_refused() -> None:
    """A dialect or coin that does not exist is named with those that do."""
    pool = CaptureSpec.every_dialect().miners[0].pool
    with pytest.raises(ValueError, match="stratum-v1"):
        MinerSpec(dialect="gopher", coin="BTC", hashrate_hs=1, pool=pool)
    with pytest.raises(ValueError, match="XMR"):
        MinerSpec(dialect="zcash", coin="EUR", hashrate_hs=1, pool=pool)
