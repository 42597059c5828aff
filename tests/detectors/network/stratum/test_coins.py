"""Naming the coin from what was said."""

from collections import Counter

import pytest

from headframe.detectors.network.stratum.coins import MERGE_NS, RANDOMX_NS, account_core, candidates
from headframe.detectors.network.stratum.dialects import Dialect, Notify
from headframe.detectors.network.stratum.session import CoinSigns
from tests.detectors.network.stratum.dialect_talks import stratum_v1
from tests.detectors.network.stratum.talk import Talk, report

NOW = 1_618_000_000_000_000_000  # 2021-04-09
CN = Counter({Dialect.CRYPTONOTE: 1})
V1 = Counter({Dialect.STRATUM_V1: 1})


def signs(**given: object) -> CoinSigns:
    sign = CoinSigns(sign_time_ns=NOW)
    for name, value in given.items():
        if name in ("accounts", "names", "agents"):
            value = dict.fromkeys(value)  # type: ignore[arg-type]
        elif name in ("algorithms", "shapes"):
            value = Counter(value)
        setattr(sign, name, value)
    return sign


def first(sign: CoinSigns, dialects: Counter[Dialect], *names: str, port: int = 0, time_ns: int = NOW) -> str:
    coins = candidates([sign], dialects, names, port, time_ns).coins
    return coins[0] if coins else ""


@pytest.mark.parametrize(
    ("account", "coin"),
    [
        ("4" + "8" + "z" * 93, "XMR"),
        ("8" + "z" * 94 + ".worker+5000", "XMR"),
        ("bc1q" + "a" * 38 + ".w", "BTC"),
        ("1" + "B" * 33, "BTC"),
        ("ltc1q" + "a" * 38, "LTC"),
        ("L" + "B" * 33, "LTC"),
        ("D" + "B" * 33, "DOGE"),
        ("t1" + "B" * 33, "ZEC"),
        ("R" + "B" * 33, "RVN"),
        ("kaspa:q" + "a" * 60 + ".rig", "KAS"),
        ("9" + "B" * 50, "ERG"),
        ("0x" + "aB" * 20 + "/rig/mail@example.org", "ETH"),
        ("someuser.worker", ""),
    ],
)
def test_accounts(account: str, coin: str) -> None:
    """The form of a wallet's address names its chain, whatever is appended."""
    assert first(signs(accounts=[account]), V1) == coin


def test_account_core() -> None:
    """Worker, difficulty and mail go, the scheme stays."""
    assert account_core("abc.w1") == "abc"
    assert account_core("kaspa:abc.w1") == "kaspa:abc"
    assert account_core("0xab/rig/a@b") == "0xab"


@pytest.mark.parametrize(
    ("algorithm", "time_ns", "coin"),
    [
        ("rx/0", NOW, "XMR"),
        ("cn/r", RANDOMX_NS - 10**15, "XMR"),
        ("rx/wow", NOW, "WOW"),
        ("kawpow", NOW, "RVN"),
        ("cn-heavy/xhv", NOW, "XHV"),
        ("gr", NOW, "RTM"),
    ],
)
def test_algorithms(algorithm: str, time_ns: int, coin: str) -> None:
    """What the pool names in its jobs decides."""
    assert first(signs(algorithms=[algorithm], shapes=[Notify.CRYPTONOTE]), CN, time_ns=time_ns) == coin


def test_ethash_before_and_after_the_merge() -> None:
    """Until 2022-09-15 it is ETH (or ETC), later ETC (or ETHW)."""
    sign = signs(shapes=[Notify.ETHASH], accounts=["0x" + "1a" * 20])
    eth = Counter({Dialect.ETH_PROXY: 1})
    assert candidates([sign], eth, [], 0, MERGE_NS - 1)[0] == ("ETH", "ETC")
    assert candidates([sign], eth, [], 0, MERGE_NS + 1)[0] == ("ETC", "ETHW")
    assert first(sign, eth, "asia1-etc.pool.example") == "ETC"


def test_bitcoin_and_its_kin_by_the_chain_itself() -> None:
    """Leading zeros, difficulty and height tell Bitcoin from Litecoin and from test networks."""
    bitcoin = signs(shapes=[Notify.BITCOIN], previous_hash="5f" * 22 + "00" * 10, nbits="170d1f8c", height=678_400)
    assert first(bitcoin, V1) == "BTC"
    cash = signs(shapes=[Notify.BITCOIN], previous_hash="5f" * 22 + "00" * 10, nbits="18038f5e", height=682_500)
    assert first(cash, V1) == "BCH"
    litecoin = signs(shapes=[Notify.BITCOIN], previous_hash="5f" * 32, nbits="1a01cd2d", height=2_034_000)
    assert first(litecoin, V1) == "LTC"
    coins, testnet, _ = candidates(
        [signs(shapes=[Notify.BITCOIN], previous_hash="5f" * 32, nbits="1e0ffff0")], V1, [], 0, NOW
    )
    assert testnet
    assert "BTC" not in coins
    assert candidates([signs(accounts=["mn" + "B" * 32])], V1, [], 0, NOW)[1]


def test_a_monero_block_version_of_another_time_weakens() -> None:
    """Version 14 belongs to April 2021; version 1 then is another coin."""
    right, wrong = signs(shapes=[Notify.CRYPTONOTE], blob_major=14), signs(shapes=[Notify.CRYPTONOTE], blob_major=1)
    assert first(right, CN) == "XMR"
    assert candidates([wrong], CN, ["aeon.pool.example"], 0, NOW)[0][0] == "XMR"  # nothing better is known


def test_agents_are_matched_from_their_start() -> None:
    """``cgminer`` is not ``gminer``."""
    assert first(signs(agents=["cgminer/3.7.2"]), V1) == ""
    assert first(signs(agents=["gminer/2.5"]), V1) == "ZEC"


def test_server_names_lean_and_ports_break_ties_only() -> None:
    """A name counts little, a port nearly nothing."""
    assert first(signs(), V1, "zec-eu1.pool.example") == "ZEC"
    assert first(signs(algorithms=["rx/0"]), CN, "btc.pool.example") == "XMR"
    assert first(signs(), V1, port=3333) == ""
    assert first(signs(), V1, port=14444) == "XMR"


def test_a_testnet_miner_is_marked() -> None:
    """The finding says that the coins have no value."""
    talk = stratum_v1()
    said = [(side, at, data.replace(b"tester.worker1", b"mn" + b"B" * 32)) for side, at, data in talk.said]
    finding = report(Talk(said=said, now_s=talk.now_s)).findings[0]
    assert any("test network" in text for text in finding.contradictions)


def test_an_algorithm_is_named_only_when_settled() -> None:
    """Scrypt and SHA-256 difficulties differ by 65,536: without an address or a fitting chain there is no hash rate."""
    unsure = signs(shapes=[Notify.BITCOIN], previous_hash="5f" * 32, nbits="1e0ffff0")
    assert candidates([unsure], V1, [], 0, NOW).algorithm == ""
    sure = signs(shapes=[Notify.BITCOIN], previous_hash="5f" * 32, nbits="1e0ffff0", accounts=["L" + "B" * 33])
    assert candidates([sure], V1, [], 0, NOW).algorithm == "scrypt"
    bitcoin = signs(shapes=[Notify.BITCOIN], previous_hash="5f" * 22 + "00" * 10, nbits="170d1f8c")
    assert candidates([bitcoin], V1, [], 0, NOW).algorithm == "sha256d"
