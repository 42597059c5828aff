"""What must be found in real captures, and what must not.

The numbers below do not come from Headframe: ``bench/captures.py`` counts them from the packets with ``tshark`` and
plain Python, and prints them beside the labels of the data.
"""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from headframe.app import scan
from headframe.errors import UnreadableInput
from headframe.records.finding import Finding, Role
from headframe.records.scan import ScanResult
from headframe.sources.archives import unpack

pytestmark = pytest.mark.real_data

Scan = Callable[[str], ScanResult]

# Capture, client, server, coin, shares that the packets show as accepted.
CJ_SNIFFER = (
    ("1574720899_9M3tc", "10.108.8.154", "47.101.30.124:13531", "XMR", 14),
    ("1575056774_OMKru", "192.168.0.112", "47.101.30.124:13531", "XMR", 16),
    ("1578349600_DSfJl", "10.109.33.194", "47.101.30.124:13531", "XMR", 46),
    ("1578349600_DSfJl", "192.168.50.99", "47.101.30.124:13531", "XMR", 94),
    ("1578529652_yUoQZ", "10.109.53.198", "47.101.30.124:13531", "XMR", 86),
    ("1578529652_yUoQZ", "192.168.50.99", "47.101.30.124:13531", "XMR", 16),
    ("1578804351_x7uHG", "10.185.239.55", "47.101.30.124:13531", "XMR", 346),
    ("1579151818_d1flX", "10.185.238.194", "47.101.30.124:13531", "XMR", 164),
    ("1579224329_7LLzY", "10.108.126.20", "47.101.30.124:13531", "XMR", 142),
    ("1588049082_Dn6z5", "10.0.1.4", "47.101.30.124:13531", "XMR", 229),
    ("1588111705_DbbiW", "10.0.1.4", "47.101.30.124:13531", "XMR", 192),
    ("1588128490_tdAx5", "10.0.1.4", "47.101.30.124:13531", "XMR", 524),
    ("1613757603_ShWXL", "10.0.1.8", "47.100.95.105:13531", "XMR", 1767),
    ("1613757861_D4Ij2", "10.0.1.8", "47.100.95.105:13531", "XMR", 1336),
    ("1613758066_IRGQG", "10.0.1.8", "47.100.95.105:13531", "XMR", 4485),
    ("1613759102_1bM5i", "10.0.1.10", "47.100.95.105:13531", "XMR", 350),
    ("1617744956_YjZL4", "10.0.1.9", "203.107.32.162:13531", "XMR", 1252),
    ("1617834909_dYo3e", "192.168.50.73", "203.107.32.162:13531", "XMR", 270),
    ("1617837582_wFnw2", "192.168.50.87", "203.107.32.162:13531", "XMR", 673),
    ("1617847135_GP9jX", "192.168.50.73", "203.107.32.162:13531", "XMR", 200),
    ("1618213054_3POZq", "10.0.1.5", "203.107.32.162:13531", "XMR", 1245),
    ("1618213677_i8KJi", "10.0.1.62", "172.65.210.108:6688", "ETH", 23),
    ("1618301296_vpTmY", "10.0.1.62", "203.107.32.162:13531", "XMR", 2807),
    ("1618393762_XWyTZ", "10.0.1.62", "203.107.32.162:13531", "XMR", 3333),
    ("1618550187_hQST8", "192.168.50.73", "47.100.95.105:13531", "XMR", 21),
    ("1619046104_UAjTR", "192.168.50.73", "47.100.95.105:13531", "XMR", 203),
    ("1619284857_caR2V", "192.168.50.73", "47.100.95.105:13531", "XMR", 1237),
    ("1619311474_In6IT", "192.168.50.51", "47.100.95.105:13531", "XMR", 788),
    ("1619400666_D48cG", "192.168.50.73", "47.100.95.105:13531", "XMR", 919),
    ("1619477075_R7PCd", "184.171.124.102", "47.100.95.105:13531", "XMR", 45),
    ("1619677604_K1GN3", "184.171.124.102", "47.100.95.105:13531", "XMR", 5051),
    ("1619719026_O7mzZ", "184.171.124.102", "47.100.95.105:13531", "XMR", 2483),
    ("1619803801_uvK4p", "184.171.124.102", "47.100.95.105:13531", "XMR", 4703),
    ("1619812647_8alcB", "184.171.124.102", "47.100.95.105:13531", "XMR", 375),
    ("1619854718_3xmni", "184.171.124.102", "47.100.95.105:13531", "XMR", 2323),
)

# Label and packets differ in these six, for reasons that the packets show (bench/captures.py prints them):
# answers that are not in the capture, a start in mid-session, a label of another run, a label written down before the
# end, and a miner that was started again and forgot its count.
LABEL_DIFFERS = {
    "1579151818_d1flX", "1613757603_ShWXL", "1613758066_IRGQG", "1619803801_uvK4p", "1619812647_8alcB",
    "1619854718_3xmni",
}  # fmt: skip

# Capture, endpoints that answered as a pool (work or a subscription) and endpoints that never did: how many, and the
# first 16 digits of SHA-256 over the sorted lines "client server port".
CGMINER = (
    ("cgminer.g0.pcapng", 34, "bfbd22b094650128", 123, "9d93a391f1ace476"),
    ("cgminer.g2.pcapng", 108, "0abcd8bb04624dac", 453, "576d65314475a705"),
    ("cgminer.s0.pcapng", 13, "0e04aaea13adb9e8", 4, "c720df22ad8f02ad"),
    ("cgminer.s2.pcapng", 27, "68adff79fdac413d", 113, "d5c109a63d086de8"),
)

# Capture, detector, role, host, peer, coins of which any may come first, accepted shares.
SESSIONS = (
    ("nesfit/eth-eu1.nanopool.org.pcapng", "stratum", "miner", "147.229.13.222", "185.71.66.39:9999", "ETH", 1),
    ("nesfit/xmr.suprnova.cc.pcapng", "stratum", "miner", "147.229.13.222", "37.59.21.58:5222", "XMR", 5),
    ("nesfit/zec-eu1.nanopool.org.pcapng", "stratum", "miner", "147.229.13.222", "185.71.66.20:6666", "ZEC", 6),
    ("ndpi/mining.pcapng", "stratum", "miner", "147.229.13.222", "185.71.66.39:9999", "ETH", 1),
    ("ndpi/mining.pcapng", "stratum", "miner", "192.168.2.92", "178.32.196.217:9050", "XMR", 30),
    ("ndpi/mining.pcapng", "stratum", "miner", "192.168.2.148", "94.23.199.191:3333", "ZEC", 45),
    ("ndpi/mining.pcapng", "stratum", "miner", "192.168.2.148", "116.211.167.195:3333", "ZEC", 1),
    ("zeek-cryptomining/bitcoin-mining.pcap", "stratum", "miner", "10.0.2.15", "74.84.128.158:3333", "BTC", 0),
    ("zeek-cryptomining/bitcoin-mining.pcap", "stratum", "miner", "10.0.2.15", "113.21.199.11:3333", "BTC", 0),
    ("zeek-cryptomining/coinhive-stratum.pcap", "stratum", "miner", "10.0.2.15", "192.110.160.114:3333", "XMR", 0),
    ("zeek-cryptomining/coinhive.pcap", "pool_endpoint", "miner", "10.0.2.15", "37.187.167.83:443", "XMR", 0),
    ("coiniumserv/fastcoin.pcapng", "stratum", "miner", "10.0.0.40", "10.0.0.13:3334", "FST LTC", 16),
    ("coiniumserv/fastcoin.pcapng", "stratum", "node_client", "10.0.0.13", "10.0.0.40:9334", "FST LTC", 0),
    ("coiniumserv/litecoin-testnet-mini.pcapng", "stratum", "miner", "10.0.0.40", "10.0.0.13:3333", "LTC", 4),
    ("coiniumserv/litecoin-testnet-mini.pcapng", "stratum", "node_client", "10.0.0.13", "10.0.0.40:9333", "LTC", 0),
)


@pytest.fixture(scope="module")
def scanned(shared_data: Path) -> Scan:
    """Scan of one capture below ``pcap_mining``; each is read once."""
    results: dict[str, ScanResult] = {}

    def give(name: str) -> ScanResult:
        if name not in results:
            results[name] = scan([str(shared_data / "network" / "pcap_mining" / name)])
        return results[name]

    return give


def mine(result: ScanResult, detector: str = "stratum", role: Role = Role.MINER) -> list[Finding]:
    """Findings of a detector with a role."""
    return [finding for finding in result.findings if finding.detector == detector and finding.role is role]


def labels(shared_data: Path) -> dict[str, tuple[str, float | None, int | None]]:
    """Capture to (is_complete, 15-minute rate [hashes/s], accepted shares). One row lacks a comma between two rates."""
    read = {}
    path = shared_data / "network" / "pcap_mining" / "cj-sniffer" / "labels.csv"
    for row in csv.reader(path.read_text(encoding="utf-8").splitlines()):
        at = next(i for i, cell in enumerate(row) if re.fullmatch(r"(\d+|unknown)/(\d+|unknown)", cell))
        scale = 1e6 if row[at + 1] == "eth" else 1.0  # ethminer shows MH/s
        accepted = row[at].partition("/")[0]
        read[row[0]] = (
            row[3],
            None if row[at - 1] == "unknown" else float(row[at - 1]) * scale,
            None if accepted == "unknown" else int(accepted),
        )
    return read


def cj(scanned: Scan, capture: str) -> list[Finding]:
    return mine(scanned(f"cj-sniffer/{capture}.pcap"))


@pytest.mark.parametrize("capture", sorted({row[0] for row in CJ_SNIFFER}))
def test_each_miner_of_cj_sniffer_is_found(scanned: Scan, capture: str) -> None:
    """Client, server, first coin and accepted shares are those of the packets, and there is no other finding."""
    truth = {(client, server): (coin, shares) for name, client, server, coin, shares in CJ_SNIFFER if name == capture}
    found = {(f.host, f.peer): (f.coins[0], f.shares.accepted) for f in cj(scanned, capture)}
    assert found == truth
    assert len(cj(scanned, capture)) == len(truth)
    assert {f.role for f in scanned(f"cj-sniffer/{capture}.pcap").findings} == {Role.MINER}


def test_all_captures_of_cj_sniffer_are_in_the_table(shared_data: Path) -> None:
    """33, and none is left out of the test above."""
    folder = shared_data / "network" / "pcap_mining" / "cj-sniffer"
    assert {path.stem for path in folder.glob("*.pcap")} == {row[0] for row in CJ_SNIFFER}
    assert len({row[0] for row in CJ_SNIFFER}) == 33


def test_shares_of_cj_sniffer_are_those_of_the_labels(scanned: Scan, shared_data: Path) -> None:
    """Equal to the label's wherever label and packets agree with each other: 26 of the 32 that have one."""
    equal, differ = set(), set()
    for capture, (is_complete, _, accepted) in labels(shared_data).items():
        if accepted is None or capture not in {row[0] for row in CJ_SNIFFER}:
            continue
        assert is_complete == "yes"
        counted = sum(finding.shares.accepted for finding in cj(scanned, capture))
        (equal if counted == accepted else differ).add(capture)
    assert len(equal) == 26
    assert differ == LABEL_DIFFERS


def test_hash_rate_of_cj_sniffer_covers_the_labels(scanned: Scan, shared_data: Path) -> None:
    """The last finding's interval covers the rate that the miner itself showed, in at least 85 % of the captures."""
    covered = []
    for capture, (_, rate_hs, _) in labels(shared_data).items():
        if rate_hs is None or capture not in {row[0] for row in CJ_SNIFFER}:
            continue
        interval = max(cj(scanned, capture), key=lambda finding: finding.ended_ns).hashrate_hs
        covered.append(interval is not None and interval.low <= rate_hs <= interval.high)
    assert len(covered) == 32
    assert sum(covered) / len(covered) >= 0.85


def test_hash_rate_intervals_are_of_use(scanned: Scan) -> None:
    """An interval that covers everything would pass the test above: half of them are narrower than 40 % of the rate."""
    widths = sorted(
        (rate.high - rate.low) / rate.estimate
        for capture in {row[0] for row in CJ_SNIFFER}
        for finding in cj(scanned, capture)
        if (rate := finding.hashrate_hs) is not None
    )
    assert widths[len(widths) // 2] < 0.4


@pytest.mark.parametrize(("capture", "detector", "role", "host", "peer", "coins", "shares"), SESSIONS)
def test_each_session_of_the_small_sets_is_found(
    scanned: Scan, capture: str, detector: str, role: str, host: str, peer: str, coins: str, shares: int
) -> None:
    """Role, coin and accepted shares; among them sessions inside TLS, from the middle, and a pool asking its node."""
    hits = [f for f in mine(scanned(capture), detector, Role(role)) if (f.host, f.peer) == (host, peer)]
    assert len(hits) == 1
    assert hits[0].coins[0] in coins.split()
    assert hits[0].shares.accepted == shares


@pytest.mark.parametrize("capture", sorted({row[0] for row in SESSIONS}))
def test_nothing_else_in_the_small_sets_is_called_a_miner(scanned: Scan, capture: str) -> None:
    """Background traffic stays background, by contents and by endpoint."""
    known = {(row[3], row[4]) for row in SESSIONS if row[0] == capture and row[2] == "miner"}
    assert {(f.host, f.peer) for f in scanned(capture).findings if f.role is Role.MINER} == known


def test_the_pools_own_side_is_seen(scanned: Scan) -> None:
    """In a pool operator's network the server that hands out work is called a pool."""
    for capture in ("coiniumserv/fastcoin.pcapng", "coiniumserv/litecoin-testnet-mini.pcapng"):
        assert [f.host for f in mine(scanned(capture), role=Role.POOL)] == ["10.0.0.13"]


def digest(findings: Iterable[Finding]) -> tuple[int, str]:
    """How many endpoints, and a digest of them."""
    places = set()
    for finding in findings:
        server, _, port = finding.peer.rpartition(":")
        places.add((finding.host, server.strip("[]"), int(port)))
    text = "\n".join(f"{client} {server} {port}" for client, server, port in sorted(places))
    return len(places), hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize(("capture", "pools", "pools_digest", "others", "others_digest"), CGMINER)
def test_pools_are_told_from_endpoints_that_never_answered_as_one(
    scanned: Scan, capture: str, pools: int, pools_digest: str, others: int, others_digest: str
) -> None:
    """cgminer tried hundreds of addresses: a miner only where a pool answered, a probe everywhere else, to the last."""
    result = scanned(f"nesfit/{capture}")
    assert digest(mine(result)) == (pools, pools_digest)
    assert digest(mine(result, role=Role.PROBE)) == (others, others_digest)
    by_name = {(f.host, f.peer) for f in mine(result, "pool_endpoint")}
    assert by_name <= {(f.host, f.peer) for f in mine(result)}


def test_the_benign_zoo_holds_no_miner(shared_data: Path, tmp_path: Path) -> None:
    """344 captures of other protocols, among them nodes and JSON-RPC: no finding of any role."""
    unpack(shared_data / "network" / "benign" / "ndpi_pcaps_and_results.tar.xz", tmp_path)
    paths = [path for path in sorted(tmp_path.rglob("*")) if path.suffix in {".pcap", ".pcapng", ".cap"}]
    findings: dict[str, list[Finding]] = defaultdict(list)
    lookalikes: dict[str, list[str]] = {}
    unreadable = []
    for path in paths:
        try:
            result = scan([str(path)])
        except UnreadableInput:
            unreadable.append(path.name)
            continue
        if result.findings:
            findings[path.name] += result.findings
        if result.lookalikes:
            lookalikes[path.name] = [lookalike.label for lookalike in result.lookalikes]
    assert len(paths) == 344
    assert dict(findings) == {}
    assert lookalikes == {"jsonrpc.pcap": ["Zabbix", "JSON-RPC"]}
    assert unreadable == ["fuzz-2021-10-13.pcap"]  # one record of random bytes that claims more than the file holds
