"""Which coin is mined: candidates from all that was seen, the likeliest first.

Each sign gives points to the coins it speaks for. What the server says of its jobs weighs most, an account's form
next, the height and difficulty of the chain check both, names and software only lean, and a port decides nothing but
a tie. One coin stands for all that share an algorithm where nothing tells them apart.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from headframe.detectors.network.stratum.dialects import Dialect, Notify
from headframe.detectors.network.stratum.difficulty import bits_difficulty
from headframe.detectors.network.stratum.hashrate import COINS_ALGORITHM
from headframe.detectors.network.stratum.session import CoinSigns

MERGE_NS = 1_663_224_162_000_000_000
"""2022-09-15 06:42:42 UTC: Ethereum's last block by proof of work (15,537,393). [ns]"""
RANDOMX_NS = 1_575_072_000_000_000_000
"""2019-11-30: Monero's change from CryptoNightR to RandomX at height 1,978,433. [ns]"""

_ALGORITHMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("rx/0", ("XMR",)), ("randomx", ("XMR",)), ("rx/monero", ("XMR",)), ("rx/wow", ("WOW",)), ("rx/arq", ("ARQ",)),
    ("rx/graft", ("GRFT",)), ("rx/sfx", ("SFX",)), ("rx/keva", ("KVA",)), ("rx/xla", ("XLA",)), ("rx/yada", ("YDA",)),
    ("panthera", ("XLA",)), ("ghostrider", ("RTM",)), ("gr", ("RTM",)), ("argon2/chukwa", ("TRTL",)),
    ("argon2/wrkz", ("WRKZ",)), ("astrobwt", ("DERO",)), ("cn-heavy/xhv", ("XHV",)), ("cn-heavy", ("SUMO",)),
    ("cn-lite", ("AEON",)), ("cn-pico", ("TRTL",)), ("cn/gpu", ("RYO",)), ("cn/ccx", ("CCX",)), ("cn/half", ("MSR",
    "XTL")),
    ("cn/fast", ("MSR",)), ("cn/xao", ("XAO",)), ("cn/rto", ("RTO",)), ("cn/rwz", ("GRFT",)), ("cn/zls", ("ZLS",)),
    ("cn/wow", ("WOW",)), ("cn/upx", ("UPX",)), ("cn/", ("XMR",)), ("cryptonight", ("XMR",)), ("cn", ("XMR",)),
    ("kawpow", ("RVN",)), ("autolykos", ("ERG",)), ("etchash", ("ETC",)), ("ethash", ("ETH", "ETC")),
    ("kheavyhash", ("KAS",)), ("sha256", ("BTC", "BCH")), ("scrypt", ("LTC", "DOGE")), ("x11", ("DASH",)),
    ("equihash", ("ZEC",)), ("beamhash", ("BEAM",)), ("cuckatoo", ("GRIN",)), ("blake3", ("ALPH",)),
    ("eaglesong", ("CKB",)), ("octopus", ("CFX",)),
)  # fmt: skip
"""First prefix that fits wins. Names as XMRig and the pools write them in a job's ``algo``."""

_ACCOUNTS: tuple[tuple[re.Pattern[str], tuple[str, ...], float], ...] = tuple(
    (re.compile(pattern), coins, points)
    for pattern, coins, points in (
        (r"[48][0-9A-HJ-NP-Za-km-z]{94}", ("XMR",), 4.0),
        (r"4[0-9A-HJ-NP-Za-km-z]{105}", ("XMR",), 4.0),
        (r"(?:hvx|hvi)[1-9A-HJ-NP-Za-km-z]{90,110}", ("XHV",), 4.0),
        (r"TRTL[1-9A-HJ-NP-Za-km-z]{90,190}", ("TRTL",), 4.0),
        (r"Wm[1-9A-HJ-NP-Za-km-z]{90,110}", ("AEON",), 4.0),
        (r"Sumo[1-9A-HJ-NP-Za-km-z]{90,110}", ("SUMO",), 4.0),
        (r"(?:bc1)[02-9ac-hj-np-z]{20,80}", ("BTC",), 4.0),
        (r"1[1-9A-HJ-NP-Za-km-z]{25,33}", ("BTC", "BCH"), 1.5),
        (r"3[1-9A-HJ-NP-Za-km-z]{25,33}", ("BTC", "LTC"), 1.5),
        (r"(?:bitcoincash:)?[qp][02-9ac-hj-np-z]{41}", ("BCH",), 4.0),
        (r"ltc1[02-9ac-hj-np-z]{20,80}", ("LTC",), 4.0),
        (r"[LM][1-9A-HJ-NP-Za-km-z]{32,33}", ("LTC",), 3.0),
        (r"D[1-9A-HJ-NP-Za-km-z]{32,33}", ("DOGE",), 3.0),
        (r"X[1-9A-HJ-NP-Za-km-z]{33}", ("DASH",), 3.0),
        (r"t[13][1-9A-HJ-NP-Za-km-z]{33}", ("ZEC",), 4.0),
        (r"z[cns][1-9A-HJ-NP-Za-km-z]{33}", ("ZEN",), 4.0),
        (r"R[1-9A-HJ-NP-Za-km-z]{33}", ("RVN", "KMD"), 2.0),
        (r"V[1-9A-HJ-NP-Za-km-z]{33}", ("VTC",), 2.0),
        (r"f[1-9A-HJ-NP-Za-km-z]{33}", ("FST",), 2.0),
        (r"kaspa:[02-9ac-hj-np-z]{60,64}", ("KAS",), 5.0),
        (r"9[1-9A-HJ-NP-Za-km-z]{50}", ("ERG",), 4.0),
        (r"0x[0-9a-fA-F]{40}", ("ETH", "ETC"), 2.0),
        (r"cfx:[a-z0-9]{42}", ("CFX",), 4.0),
        (r"ckb1[02-9ac-hj-np-z]{40,100}", ("CKB",), 4.0),
        (r"dero[1i][02-9ac-hj-np-z]{58,64}", ("DERO",), 4.0),
    )
)
_TESTNET_ACCOUNT = re.compile(
    r"(?:[mn][1-9A-HJ-NP-Za-km-z]{33}|2[1-9A-HJ-NP-Za-km-z]{34}|(?:tb1|tltc1)[02-9ac-hj-np-z]{20,80})"
)
"""Prefixes 0x6f and 0xc4 of Bitcoin's and Litecoin's test networks (chainparams.cpp of both)."""

_NAMES: dict[str, str] = {
    "xmr": "XMR", "monero": "XMR", "eth": "ETH", "ethereum": "ETH", "etc": "ETC", "ethw": "ETHW", "zec": "ZEC",
    "zcash": "ZEC",
    "btc": "BTC", "bitcoin": "BTC", "bch": "BCH", "ltc": "LTC", "litecoin": "LTC", "litecoinpool": "LTC",
    "doge": "DOGE",
    "dash": "DASH", "rvn": "RVN", "ravencoin": "RVN", "kas": "KAS", "kaspa": "KAS", "erg": "ERG", "ergo": "ERG",
    "alph": "ALPH", "zen": "ZEN", "beam": "BEAM", "grin": "GRIN", "ethermine": "ETH", "ethpool": "ETH",
    "minexmr": "XMR",
    "supportxmr": "XMR", "moneroocean": "XMR", "moneropool": "XMR", "coinhive": "XMR", "dwarfpool": "ETH",
    "bitminter": "BTC",
    "slushpool": "BTC", "ckpool": "BTC", "flypool": "ZEC", "iron": "IRON", "dero": "DERO", "rtm": "RTM", "btg": "BTG",
}  # fmt: skip
_AGENTS: dict[str, str] = {
    "xmrig": "XMR", "xmr-": "XMR", "xmr/": "XMR", "ethminer": "ETH", "phoenixminer": "ETH", "ewbf": "ZEC",
    "nheq": "ZEC",
    "equihash": "ZEC", "gminer": "ZEC", "coinhive": "XMR",
}  # fmt: skip
_PORTS: dict[int, str] = {
    14444: "XMR",
    14433: "XMR",
    45700: "XMR",
    18081: "XMR",
    8332: "BTC",
    9332: "LTC",
    8545: "ETH",
    20535: "ETH",
}

_SHAPES: dict[Notify, tuple[str, ...]] = {
    Notify.ZCASH: ("ZEC",),
    Notify.KAWPOW: ("RVN",),
    Notify.KASPA: ("KAS",),
    Notify.ERGO: ("ERG",),
    Notify.ALEPHIUM: ("ALPH",),
    Notify.IRON_FISH: ("IRON",),
    Notify.CRYPTONOTE: ("XMR",),
    Notify.GRIN: ("GRIN",),
    Notify.BEAM: ("BEAM",),
}

_HEIGHTS: dict[str, tuple[float, float, float]] = {
    # known height at a known time (s), and the block interval from there on (s): each chain's own consensus parameters
    "BTC": (630_000, 1_589_225_023, 597.0),
    "BCH": (630_000, 1_586_347_000, 600.0),
    "LTC": (1_680_000, 1_564_965_000, 150.0),
    "DOGE": (1_000_000, 1_450_000_000, 62.7),
    "ZEC": (653_600, 1_576_075_000, 75.0),
    "XMR": (1_978_433, 1_575_072_000, 120.0),
    "ETC": (15_000_000, 1_651_000_000, 13.2),
    "DASH": (1_000_000, 1_548_000_000, 157.6),
    "RVN": (1_219_736, 1_588_788_000, 60.2),
    "KAS": (0, 1_636_293_000, 1.0),
    "ERG": (417_792, 1_612_500_000, 120.0),
}
_MONERO_MAJOR: tuple[tuple[int, float], ...] = (
    (1, 1_397_818_193), (2, 1_458_748_658), (3, 1_474_505_000), (4, 1_483_574_400), (5, 1_492_041_600),
    (6, 1_505_433_600),
    (7, 1_522_972_800), (8, 1_539_820_800), (9, 1_539_907_200), (10, 1_552_089_600), (11, 1_552_176_000),
    (12, 1_575_072_000),
    (13, 1_602_892_800), (14, 1_602_979_200), (15, 1_660_348_800), (16, 1_660_435_200),
)  # fmt: skip
"""Monero's block major version and when it began [s]: ``src/hardforks/hardforks.cpp`` of the reference node."""
_BTC_DIFFICULTY: tuple[tuple[float, float], ...] = (
    (1_325_376_000, 1.16e6), (1_356_998_400, 2.98e6), (1_388_534_400, 1.18e9), (1_420_070_400, 4.06e10),
    (1_451_606_400, 1.04e11), (1_483_228_800, 3.18e11), (1_514_764_800, 1.93e12), (1_546_300_800, 5.62e12),
    (1_577_836_800, 1.38e13), (1_609_459_200, 1.86e13), (1_640_995_200, 2.43e13), (1_672_531_200, 3.54e13),
    (1_704_067_200, 7.2e13), (1_735_689_600, 1.098e14),
)  # fmt: skip
"""Bitcoin's network difficulty at each new year from 2012 to 2025: the chain itself."""


SETTLED_POINTS = 3.0
"""Points that the coins of one algorithm must have together before a hash rate is made of it: an address of a peculiar
form, a peculiar job, a block height that fits, or zeros that only Bitcoin's chain has. Units differ by 65,536 between
scrypt and SHA-256, so a guess would do harm. [points]"""


class Naming(NamedTuple):
    """Coins of a session.

    Attributes
    ----------
    coins : tuple of str
        Ticker symbols, the likeliest first; at most four; empty where nothing tells.
    testnet : bool
        True where account or chain belong to a test network.
    algorithm : str
        Key of `JOULE_PER_HASH`; empty where the coins do not settle it.
    """

    coins: tuple[str, ...]
    testnet: bool
    algorithm: str


def account_core(account: str) -> str:
    """The wallet part of a log-in name: without worker, fixed difficulty, or mail address."""
    text = account.strip()
    prefix = ""
    for scheme in ("kaspa:", "bitcoincash:", "cfx:"):
        if text.lower().startswith(scheme):
            prefix, text = text[: len(scheme)], text[len(scheme) :]
    return prefix + re.split(r"[./+:\s@,;]", text, maxsplit=1)[0]


def is_wallet(account: str) -> bool:
    """True where a log-in name begins with the address of a wallet, by its form.

    Examples
    --------
    >>> is_wallet("bob"), is_wallet("4" + "8" * 94 + ".rig7")
    (False, True)
    """
    core = account_core(account)
    return bool(_TESTNET_ACCOUNT.fullmatch(core)) or any(pattern.fullmatch(core) for pattern, _, _ in _ACCOUNTS)


def candidates(
    signs: Iterable[CoinSigns],
    dialects: Counter[Dialect],
    names: Iterable[str],
    port: int,
    time_ns: int,
) -> Naming:
    """Coins that the signs speak for, and whether they speak of a test network.

    Parameters
    ----------
    signs : iterable of CoinSigns
        One per conversation of the finding.
    dialects : Counter of Dialect
    names : iterable of str
        Names of the server and its pool, as far as they are known.
    port : int
        Of the server.
    time_ns : int
        Capture time of the session. [ns since 1970-01-01 UTC]

    Returns
    -------
    Naming
    """
    points: defaultdict[str, float] = defaultdict(float)
    testnet = False
    eth = ("ETH", "ETC") if time_ns < MERGE_NS else ("ETC", "ETHW")
    texts: list[str] = list(names)
    for sign in signs:
        texts.extend(sign.names)
        for algorithm in sign.algorithms:
            _add(points, _by_algorithm(algorithm, time_ns, eth), 6.0)
        for shape in sign.shapes:
            _add(points, _SHAPES.get(shape, ()), 3.0)
            if shape is Notify.ETHASH:
                _add(points, eth, 3.0)
        for account in sign.accounts:
            core = account_core(account)
            if _TESTNET_ACCOUNT.fullmatch(core):
                testnet = True
            for pattern, coins, weight in _ACCOUNTS:
                if pattern.fullmatch(core):
                    _add(points, eth if coins == ("ETH", "ETC") else coins, weight)
        for agent in sign.agents:
            for name, coin in _AGENTS.items():
                if agent.lower().startswith(name):
                    _add(points, eth if coin == "ETH" else (coin,), 0.5)
        testnet |= _by_chain(points, sign)
        _by_monero(points, sign)
    for text in texts:
        for token in re.split(r"[.\-_:/ ]+", text.lower()):
            coin = _NAMES.get(re.sub(r"\d+$", "", token), "")
            if coin:
                _add(points, ("ETC", "ETHW") if coin == "ETH" and time_ns >= MERGE_NS else (coin,), 2.5)
    if not points:
        _add(points, _by_dialect(dialects, eth), 1.0)
    elif port in _PORTS and _PORTS[port] in points:
        points[_PORTS[port]] += 0.2
    if not points and port in _PORTS:
        points[_PORTS[port]] += 0.2
    best = max(points.values(), default=0.0)
    ranked = sorted(points.items(), key=lambda item: (-item[1], item[0]))
    coins = tuple(coin for coin, value in ranked if value >= 0.2 * best)[:4]
    algorithm = COINS_ALGORITHM.get(coins[0], "") if coins else ""
    support = sum(value for coin, value in points.items() if COINS_ALGORITHM.get(coin) == algorithm)
    return Naming(coins, testnet, algorithm if support >= SETTLED_POINTS else "")


def _add(points: defaultdict[str, float], coins: tuple[str, ...], weight: float) -> None:
    """Points for the coins of one sign, a little less for each that is less usual."""
    for rank, coin in enumerate(coins):
        points[coin] += weight * 0.6**rank


def _by_algorithm(algorithm: str, time_ns: int, eth: tuple[str, ...]) -> tuple[str, ...]:
    if algorithm.startswith("ethash"):
        return eth
    for prefix, coins in _ALGORITHMS:
        if algorithm.startswith(prefix):
            left = time_ns >= RANDOMX_NS + 7 * 86_400_000_000_000
            if left and coins == ("XMR",) and prefix in ("cn/", "cn", "cryptonight"):
                return ()  # Monero left CryptoNight; what still uses it cannot be told
            return coins
    return ()


def _by_dialect(dialects: Counter[Dialect], eth: tuple[str, ...]) -> tuple[str, ...]:
    if Dialect.CRYPTONOTE in dialects:
        return ("XMR",)
    if Dialect.ZCASH in dialects:
        return ("ZEC",)
    if any(dialect in dialects for dialect in (Dialect.ETH_PROXY, Dialect.ETHEREUM_STRATUM, Dialect.ETH_GETWORK_HTTP)):
        return eth
    if Dialect.STRATUM_V2 in dialects:
        return ("BTC",)
    return ()


def _by_chain(points: defaultdict[str, float], sign: CoinSigns) -> bool:
    """Bitcoin's family by what a block header and a coinbase must hold; True where only a test network fits."""
    seconds = sign.sign_time_ns / 1e9
    family = Notify.BITCOIN in sign.shapes or Notify.TEMPLATE in sign.shapes or Notify.GETWORK in sign.shapes
    height = sign.height if sign.height is not None else _coinbase_height(sign.coinbase)
    if height is not None and seconds:
        for coin, (known, at, interval) in _HEIGHTS.items():
            expected = known + (seconds - at) / interval
            if coin == "ZEC" and seconds < at:
                expected = known + (seconds - at) / 150.0  # before Blossom
            close = abs(height - expected) <= 0.03 * max(expected, 10_000)
            if close and (family or coin in points):
                _add(points, (coin,), 3.0)
    if not family or Notify.CRYPTONOTE in sign.shapes:
        return False
    difficulty = bits_difficulty(sign.nbits)
    zero_words = _zero_words(sign.previous_hash)
    if difficulty is None:
        return False
    if zero_words >= 2:
        # 64 zero bits: only a chain of double SHA-256 with real hash power behind it.
        usual = _bitcoin_difficulty(seconds)
        _add(points, ("BTC", "BCH") if usual / 2.5 < difficulty < usual * 2.5 else ("BCH", "BTC"), 4.0)
        return False
    if zero_words == 1 and difficulty >= 1.0:
        _add(points, ("BTC", "BCH"), 1.0)
        return True
    # The block hash is not the proof of work: scrypt, X11 and their like.
    _add(points, ("LTC", "DOGE"), 2.0 if difficulty >= 1_000.0 else 1.0)
    return difficulty < 0.1


def _zero_words(previous_hash: str | None) -> int:
    """Zero 32-bit words at either end: stratum sends the hash in words turned round, templates as printed."""
    if previous_hash is None or len(previous_hash) != 64:
        return 0
    words = [previous_hash[at : at + 8] == "00000000" for at in range(0, 64, 8)]
    front = next((count for count, zero in enumerate(words) if not zero), 8)
    back = next((count for count, zero in enumerate(reversed(words)) if not zero), 8)
    return max(front, back)


def _coinbase_height(coinbase: str | None) -> int | None:
    """Height that BIP 34 has a coinbase begin with. [blocks]"""
    if coinbase is None:
        return None
    at = coinbase.find("ffffffff")
    if at < 0 or len(coinbase) < at + 20:
        return None
    script = coinbase[at + 10 :]
    try:
        size = int(script[:2], 16)
        return int.from_bytes(bytes.fromhex(script[2 : 2 + 2 * size]), "little") if 2 <= size <= 4 else None
    except ValueError:
        return None


def _bitcoin_difficulty(seconds: float) -> float:
    table = _BTC_DIFFICULTY
    if seconds <= table[0][0]:
        return table[0][1]
    for (begin, low), (end, high) in pairwise(table):
        if seconds <= end:
            return float(low * (high / low) ** ((seconds - begin) / (end - begin)))
    return table[-1][1]


def _by_monero(points: defaultdict[str, float], sign: CoinSigns) -> None:
    """A block's major version against Monero's fork schedule, two weeks of clock error allowed."""
    if sign.blob_major is None or not sign.sign_time_ns:
        return
    seconds = sign.sign_time_ns / 1e9
    allowed = {
        major
        for (major, begin), (_, end) in zip(_MONERO_MAJOR, (*_MONERO_MAJOR[1:], (0, 4e9)), strict=True)
        if begin - 1_209_600 <= seconds <= end + 1_209_600
    }
    if sign.blob_major in allowed:
        points["XMR"] += 2  # major versions of other coins coincide now and then
    elif "XMR" in points:
        points["XMR"] *= 0.6
