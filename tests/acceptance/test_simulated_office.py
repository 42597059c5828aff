"""Simulated offices, every dialect, every kind of damage: what `scan` says against the truth beside the capture."""

import gzip
import json
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headframe import cli
from headframe.app import ScanOptions, scan
from headframe.records.finding import Finding, Role
from headframe.records.scan import ScanResult
from headframe.simulate import CaptureSpec, Faults, MinerSpec, simulate_capture, write_simulation

Truth = dict[str, Any]
MINERS = CaptureSpec.every_dialect().miners
NONE = Faults()
MILD = Faults(retransmission=0.005, sensor_loss=0.0005, reordering=0.005)
HARSH = Faults(retransmission=0.03, sensor_loss=0.01, reordering=0.02)
STATES = ("accepted", "rejected", "stale", "unanswered")


@dataclass(frozen=True)
class Variant:
    """One office and the way it was captured."""

    name: str
    seed: int
    faults: Faults = NONE
    suffix: str = ".pcap"
    change: Callable[[MinerSpec], MinerSpec] | None = None
    snap_bytes: int = 0
    compressed: bool = False


def from_the_middle(miner: MinerSpec) -> MinerSpec:
    return miner if miner.behind_proxy else replace(miner, mid_session=True)


def one_way(direction: int) -> Callable[[MinerSpec], MinerSpec]:
    def change(miner: MinerSpec) -> MinerSpec:
        return miner if miner.behind_proxy else replace(miner, one_direction=direction, reconnects=0)

    return change


def tagged(miner: MinerSpec) -> MinerSpec:
    return replace(miner, vlan=7)


WHOLE = (
    Variant("clean", 1), Variant("clean again", 2), Variant("pcapng", 3, suffix=".pcapng"),
    Variant("gzip", 4, compressed=True), Variant("vlan", 5, change=tagged),
)  # fmt: skip
FAULTY = (
    Variant("mild", 6, MILD),
    Variant("mild again", 7, MILD),
    Variant("harsh", 8, HARSH),
    Variant("harsh again", 9, HARSH),
)
PARTIAL = (
    Variant("middle", 10, change=from_the_middle), Variant("client only", 11, change=one_way(0)),
    Variant("server only", 12, change=one_way(1)), Variant("middle, mild", 13, MILD, change=from_the_middle),
)  # fmt: skip
CUT = (Variant("snap 256", 14, snap_bytes=256), Variant("snap 96", 15, snap_bytes=96))


@dataclass
class Office:
    """A scanned office."""

    result: ScanResult
    truth: Truth

    def of(self, miner: Truth, detector: str = "stratum") -> list[Finding]:
        """Findings of one detector about one miner."""
        return [
            f for f in self.result.findings
            if f.detector == detector and (f.host, f.peer) == (miner["host"], miner["peer"])
        ]  # fmt: skip

    def miners(self) -> Iterator[Truth]:
        yield from self.truth["miners"]


def cut(path: Path, snap_bytes: int) -> None:
    """Cut the packets of a nanosecond pcap file as a sensor with a snap length does."""
    raw, at = path.read_bytes(), 24
    out = bytearray(raw[:at])
    while at < len(raw):
        seconds, rest, kept, whole = struct.unpack_from("<IIII", raw, at)
        packet = raw[at + 16 : at + 16 + min(kept, snap_bytes)]
        out += struct.pack("<IIII", seconds, rest, len(packet), whole) + packet
        at += 16 + kept
    path.write_bytes(out)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Variant], Office]:
    """Simulate and scan a variant, once."""
    known: dict[str, Office] = {}

    def give(variant: Variant) -> Office:
        if variant.name not in known:
            miners = tuple(variant.change(miner) if variant.change else miner for miner in MINERS)
            spec = CaptureSpec(
                miners=miners, duration_s=900, office_hosts=5, visits_per_host=2, faults=variant.faults
            )  # fmt: skip
            traffic = simulate_capture(spec, variant.seed)
            files = write_simulation(traffic, tmp_path_factory.mktemp("office") / f"office{variant.suffix}")
            if variant.snap_bytes:
                cut(files.capture, variant.snap_bytes)
            capture = files.capture
            if variant.compressed:
                capture = capture.with_suffix(".pcap.gz")
                capture.write_bytes(gzip.compress(files.capture.read_bytes(), 1))
            options = ScanOptions(indicators=(files.indicators,), builtin_indicators=False)
            known[variant.name] = Office(scan([str(capture)], options), traffic.truth)
        return known[variant.name]

    return give


def each(*groups: tuple[Variant, ...]) -> pytest.MarkDecorator:
    """Run a test for every variant of some groups."""
    variants = [variant for group in groups for variant in group]
    return pytest.mark.parametrize("variant", variants, ids=[variant.name for variant in variants])


def readable(miner: Truth) -> bool:
    """The contents say that this is mining: not encrypted, and Stratum V2 only from its beginning, both ways."""
    if miner["dialect"] == "stratum-v2":
        return False  # test_stratum_v2_is_found_by_its_handshake
    return "content" in miner["visible_to"]


@each(WHOLE, FAULTY, PARTIAL)
def test_who_can_be_read_is_found_by_contents(office: Callable[[Variant], Office], variant: Variant) -> None:
    """One finding each, with role, protocol, and the coin among the candidates where anything names one."""
    seen = office(variant)
    for miner in seen.miners():
        if not readable(miner):
            continue
        findings = seen.of(miner)
        if miner["dialect"] == "getblocktemplate" and miner["one_direction"] == 0:
            assert findings == []  # to ask for a template is what every node's user does
            continue
        assert len(findings) == 1, miner["dialect"]
        finding = findings[0]
        assert finding.role.value == miner["role"]
        assert finding.protocol == miner["protocol"]
        assert miner["coin"] in finding.coins or (
            # Shares of Stratum V1 alone, without log-in and jobs, name no coin.
            finding.coins == () and miner["one_direction"] == 0 and miner["mid_session"]
        )


@each(WHOLE, FAULTY)
def test_who_is_listed_is_found_by_endpoint(office: Callable[[Variant], Office], variant: Variant) -> None:
    """TLS, padding and Stratum V2 do not hide a listed pool. With one direction it is a contact, no session."""
    seen = office(variant)
    listed = [miner for miner in seen.miners() if "endpoint" in miner["visible_to"]]
    assert sum(miner["tls"] for miner in listed) >= 2
    for miner in listed:
        roles = {finding.role for finding in seen.of(miner, "pool_endpoint")}
        assert roles == {Role.CONTACT if miner["one_direction"] is not None else Role.MINER}, miner


@each(PARTIAL, CUT)
def test_who_is_listed_is_at_least_seen_where_much_is_missing(
    office: Callable[[Variant], Office], variant: Variant
) -> None:
    """Address and port remain when contents do not."""
    seen = office(variant)
    for miner in seen.miners():
        if "endpoint" in miner["visible_to"]:
            assert seen.of(miner, "pool_endpoint"), miner


def test_half_of_the_dialects_are_read_at_a_snap_length_of_256(office: Callable[[Variant], Office]) -> None:
    """Shares and answers are short: whoever speaks plain lines is found, and none gets a wrong role."""
    seen = office(CUT[0])
    found = {}
    for miner in seen.miners():
        if readable(miner) and not miner["protocol"].endswith("http"):
            found[miner["dialect"], miner["one_direction"]] = {finding.role.value for finding in seen.of(miner)}
            assert found[miner["dialect"], miner["one_direction"]] <= {miner["role"], "miner"}
    lines = {"stratum-v1", "kaspa", "kawpow", "zcash", "ethereum-stratum", "eth-proxy", "cryptonote"}
    assert {dialect for (dialect, one_direction), roles in found.items() if roles and one_direction is None} >= lines


@each(WHOLE)
def test_every_share_is_counted(office: Callable[[Variant], Office], variant: Variant) -> None:
    """Accepted, rejected, stale and unanswered as a perfect reader would; a server alone does not tell all of them."""
    seen = office(variant)
    for miner in seen.miners():
        expected = miner["shares_readable"]
        if not readable(miner) or expected is None:
            continue
        counted = {state: getattr(seen.of(miner)[0].shares, state) for state in STATES}
        if miner["one_direction"] == 1:
            assert all(counted[state] <= expected[state] for state in STATES)
            assert sum(counted.values()) >= sum(expected.values()) - 8  # answers that may be to something else
        else:
            assert counted == expected, miner["dialect"]


@each(FAULTY, PARTIAL)
def test_no_share_is_invented(office: Callable[[Variant], Office], variant: Variant) -> None:
    """Never more than there were; and nearly all, where the sensor lost one packet in a hundred or less."""
    seen = office(variant)
    handed, counted = 0, 0
    for miner in seen.miners():
        expected = miner["shares_readable"]
        if not readable(miner) or expected is None or not seen.of(miner):
            continue
        shares = seen.of(miner)[0].shares
        assert sum(getattr(shares, state) for state in STATES) <= sum(expected.values())
        assert shares.accepted <= expected["accepted"]
        if miner["dialect"] != "eth-proxy" or miner["one_direction"] != 1:  # its answers might be to hash rates
            handed += sum(expected.values())
            counted += sum(getattr(shares, state) for state in STATES)
    assert counted >= 0.95 * handed


def test_hash_rate_intervals_cover_the_truth(office: Callable[[Variant], Office]) -> None:
    """In at least 90 % of all sessions, whatever the damage; none is wider than a factor of ten."""
    covered: dict[str, list[bool]] = defaultdict(list)
    for variant in (*WHOLE, *FAULTY, *PARTIAL, *CUT):
        seen = office(variant)
        for miner in seen.miners():
            for finding in seen.of(miner):
                rate = finding.hashrate_hs
                if rate is not None and readable(miner):
                    covered[variant.name].append(rate.low <= miner["hashrate_hs"] <= rate.high)
                    assert rate.high <= 10 * max(rate.low, 0.1 * rate.estimate)
    every = [hit for hits in covered.values() for hit in hits]
    print(f"hash rate covered in {sum(every)} of {len(every)}")
    assert len(every) > 150
    assert sum(every) >= 0.9 * len(every)


@each(WHOLE, FAULTY, PARTIAL, CUT)
def test_nobody_else_is_called_a_miner(office: Callable[[Variant], Office], variant: Variant) -> None:
    """Not one innocent host, however damaged the capture; and no role is invented for those who mine."""
    seen = office(variant)
    guilty = {miner["host"] for miner in seen.miners()}
    others = [finding for finding in seen.result.findings if finding.host not in guilty]
    daemons = {negative["host"] for negative in seen.truth["hard_negatives"] if negative["label"] == "pool_daemon_rpc"}
    assert {(finding.host, finding.role) for finding in others} <= {(host, Role.NODE_CLIENT) for host in daemons}
    proxies = {miner["host"] for miner in seen.miners() if miner["role"] == "proxy"}
    assert {f.host for f in seen.result.findings if f.role is Role.PROXY} <= proxies


@each(WHOLE, FAULTY)
def test_what_only_looks_like_mining_is_called_by_its_name(
    office: Callable[[Variant], Office], variant: Variant
) -> None:
    """JSON-RPC, a wallet's calls, a chat and a page about mining, and a pool that asks its own node."""
    seen = office(variant)
    names = {negative["label"]: negative["host"] for negative in seen.truth["hard_negatives"]}
    labels = {lookalike.host: lookalike.label for lookalike in seen.result.lookalikes}
    # Where bytes are missing, nobody can know what a JSON-RPC conversation did not say.
    lacking = {insufficient.host for insufficient in seen.result.insufficient}
    assert labels.get(names["json_rpc_service"]) == "JSON-RPC" or names["json_rpc_service"] in lacking
    assert labels[names["wallet_rpc"]] == "RPC of an Ethereum node or wallet"
    assert labels[names["page_about_mining"]] == "web page about mining"
    assert labels[names["chat_about_mining"]] == "text that quotes a mining protocol"
    assert [f.role for f in seen.result.findings if f.host == names["pool_daemon_rpc"]] == [Role.NODE_CLIENT]
    for innocent in ("bitcoin_node", "file_sync"):
        assert names[innocent] not in labels


@each(CUT)
def test_a_cut_conversation_is_not_declared_harmless(office: Callable[[Variant], Office], variant: Variant) -> None:
    """A miner whose messages were cut is found, or lacks bytes; it is no lookalike."""
    seen = office(variant)
    miners = {(miner["host"], miner["peer"]) for miner in seen.miners() if miner["role"] == "miner"}
    assert not miners & {(lookalike.host, lookalike.peer) for lookalike in seen.result.lookalikes}


def test_kawpow_is_named(office: Callable[[Variant], Office]) -> None:
    """Its protocol has no name of its own, so the explanation tells."""
    seen = office(WHOLE[0])
    miner = next(miner for miner in seen.miners() if miner["dialect"] == "kawpow")
    assert "KawPoW" in seen.of(miner)[0].explanation


@pytest.mark.parametrize("seed", range(12))
def test_stratum_v2_is_found_by_its_handshake(tmp_path: Path, seed: int) -> None:
    """Whatever the first byte of the client's key is."""
    miners = tuple(miner for miner in MINERS if miner.dialect == "stratum-v2")
    spec = CaptureSpec(miners=miners, duration_s=60, office_hosts=0, hard_negatives=False)
    files = write_simulation(simulate_capture(spec, seed), tmp_path / "v2.pcap")
    findings = [f for f in scan([str(files.capture)]).findings if f.detector == "stratum"]
    assert [(f.role, f.protocol) for f in findings] == [(Role.MINER, "stratum-v2")]


# -- identities --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """A capture, and the truth with every name in it."""
    spec = CaptureSpec(miners=MINERS, duration_s=240, office_hosts=2)
    traffic = simulate_capture(spec, 21)
    return write_simulation(traffic, tmp_path_factory.mktemp("named") / "named.pcap").capture, traffic.truth


def output(capture: Path, folder: Path, form: str, *more: str) -> bytes:
    """All that one run prints and writes."""
    report = folder / f"report-{form}.html"
    done = CliRunner().invoke(cli.app, ["scan", str(capture), "--format", form, "--report", str(report), *more])
    assert done.exit_code == 0, done.output
    return done.stdout_bytes + done.stderr_bytes + report.read_bytes()


@pytest.mark.parametrize("form", ["table", "jsonl", "json", "csv"])
def test_no_identity_is_shown_unasked(named: tuple[Path, Truth], tmp_path: Path, form: str) -> None:
    """Neither wallet nor worker of anyone, on the screen, in any format, or in the report."""
    capture, truth = named
    shown = output(capture, tmp_path, form)
    text = shown.decode().lower()
    for miner in truth["miners"]:
        assert miner["account"].lower() not in text
        assert miner["account"][:16].lower() not in text
        assert miner["worker"].lower() not in text


def test_every_readable_identity_is_shown_on_demand(named: tuple[Path, Truth], tmp_path: Path) -> None:
    """With ``--reveal``, each wallet that its dialect says aloud, and of getwork the user."""
    capture, truth = named
    findings = [json.loads(line) for line in output(capture, tmp_path, "jsonl", "--reveal").split(b"\n")
                if line.startswith(b'{"schema_version"')]  # fmt: skip
    checked = 0
    for miner in truth["miners"]:
        if not readable(miner) or miner["one_direction"] == 1 or miner["role"] == "node_client":
            continue
        accounts = " ".join(
            account for finding in findings if finding["host"] == miner["host"] for account in finding["accounts"]
        )
        name = {"getwork": miner["worker"], "browser": miner["account"][:32]}.get(miner["dialect"], miner["account"])
        assert name in accounts, miner["dialect"]
        checked += 1
    assert checked >= 14
