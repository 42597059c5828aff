"""Facts about mining operators that no list states, and what the compiler of the shipped table must leave out.

Everything here is a publicly known fact about a service: its domain, its coins, the day it closed, as of November 2026.
Nobody vouches for it but this project. To correct one, change it here and run `compile` again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from ipaddress import ip_network


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SOURCE = "Headframe curated facts, 2026-11-20"


@dataclass(frozen=True, slots=True)
class Operator:
    """A pool operator and the domains under which nothing but its pool, and the pool's web site, is served."""

    name: str
    domains: tuple[str, ...]
    coins: tuple[str, ...] = ()
    closed: date | None = None


OPERATORS = (
    Operator("2Miners", ("2miners.com", "2miners.ru")),
    Operator("AntPool", ("antpool.com",)),
    Operator("BTC Guild", ("btcguild.com",), ("BTC",), date(2015, 6, 30)),
    Operator("Binance Pool", ("poolbinance.com",)),
    Operator("C3Pool", ("c3pool.com", "c3pool.org"), ("XMR",)),
    Operator("CKPool", ("ckpool.org",), ("BTC",)),
    Operator("Crypto-Pool.fr", ("crypto-pool.fr", "crypto-pool.info"), ("XMR",)),
    Operator("Dwarfpool", ("dwarfpool.com",)),
    Operator("EMCD", ("emcd.network",)),
    Operator("Ethermine", ("ethermine.org",), ("ETH", "ETC")),
    Operator("F2Pool", ("f2pool.com",)),
    Operator("Fastpool", ("fastpool.xyz",)),
    Operator("Flexpool", ("flexpool.io",), (), date(2023, 11, 1)),
    Operator("Flypool", ("flypool.org",), ("ZEC",)),
    Operator("Foundry USA", ("foundryusapool.com",), ("BTC",)),
    Operator("GNTL", ("pool.gntl.co.uk",), ("XMR",)),
    Operator("HashVault", (
        "hashvault.pro", "hashvault.app", "hashvault.net", "hashvault.now", "hashvault.one", "hashvault.page",
        "hashvault.dev", "hashvault.sh", "hashvau.lt",
    )),
    Operator("HeroMiners", ("herominers.com",)),
    Operator("KanoPool", ("kano.is",), ("BTC",)),
    Operator("Kryptex Pool", ("kryptex.network",)),
    Operator("Kupool", ("kupool.com",)),
    Operator("Litecoinpool", ("litecoinpool.org",), ("LTC", "DOGE")),
    Operator("LuckPool", ("luckpool.net",)),
    Operator("LuckyPool", ("luckypool.io",)),
    Operator("MineXMR", ("minexmr.com",), ("XMR",), date(2022, 8, 12)),
    Operator("Miner.rocks", ("miner.rocks", "minerrocks.com")),
    Operator("MinerGate", ("pool.minergate.com",)),
    Operator("Mining Rig Rentals", ("miningrigrentals.com",)),
    Operator("Mining-Dutch", ("mining-dutch.nl",)),
    Operator("MiningOcean", ("miningocean.org",)),
    Operator("MiningPoolHub", ("miningpoolhub.com",)),
    Operator("MoneroHash", ("monerohash.com",), ("XMR",)),
    Operator("MoneroOcean", ("moneroocean.stream",), ("XMR",)),
    Operator("Moneropool", ("moneropool.com",), ("XMR",)),
    Operator("Multipool", ("multipool.us",)),
    Operator("Nanopool", ("nanopool.org",)),
    Operator("NiceHash", (
        "auto.nicehash.com", "eu.nicehash.com", "eu-north.nicehash.com", "eu-west.nicehash.com", "usa.nicehash.com",
        "usa-east.nicehash.com", "usa-west.nicehash.com", "hk.nicehash.com", "jp.nicehash.com", "in.nicehash.com",
        "br.nicehash.com",
    )),
    Operator("OKX Pool", ("okpool.me",)),
    Operator("PPXXMR", ("ppxxmr.com",), ("XMR",)),
    Operator("Poolin", ("poolin.com",)),
    Operator("Powerpool", ("powerpool.io",)),
    Operator("Prohashing", ("prohashing.com",)),
    Operator("Prohash", ("prohash.net",), ("XMR",)),
    Operator("RavenMiner", ("ravenminer.com",), ("RVN",)),
    Operator("Rplant", ("rplant.xyz",)),
    Operator("Siamining", ("siamining.com",), ("SC",)),
    Operator("SparkPool", ("sparkpool.com",), ("ETH",), date(2021, 9, 30)),
    Operator("Braiins Pool", ("slushpool.com", "stratum.braiins.com"), ("BTC",)),
    Operator("SupportXMR", ("supportxmr.com",), ("XMR",)),
    Operator("Suprnova", ("suprnova.cc",)),
    Operator("BTC.com Pool", ("ss.btc.com",), ("BTC", "BCH")),
    Operator("ViaBTC", ("viabtc.com", "viabtc.io", "viabtc.top", "viabtc.cc")),
    Operator("WoolyPooly", ("woolypooly.com",)),
    Operator("XMRPool.de", ("xmrpool.de",), ("XMR",)),
    Operator("XMRPool.eu", ("xmrpool.eu",), ("XMR",)),
    Operator("XMRPool.net", ("xmrpool.net",), ("XMR",)),
    Operator("Zergpool", ("zergpool.com",)),
    Operator("Zpool", ("zpool.ca",)),
    Operator("unMineable", ("unmineable.com",)),
)  # fmt: skip

DONATION_HOSTS = (
    "donate.xmrig.com", "donate.ssl.xmrig.com", "donate.v2.xmrig.com", "fee.xmrig.com", "randomx.xmrig.com",
)  # fmt: skip
"""XMRig mines for its developers at these for 1 minute in 100 unless told otherwise: whoever reaches them runs it."""


@dataclass(frozen=True, slots=True)
class WebMiner:
    """A service that let pages mine in their visitors' browsers, with the day it ended."""

    name: str
    domains: tuple[str, ...]
    coins: tuple[str, ...]
    closed: date | None
    opened: date | None = None


WEB_MINERS = (
    # Opened on 2017-09-14; "Discontinuation of Coinhive", announced on 2019-02-26 for 2019-03-08. The domain later
    # passed to a security researcher who shows a warning there.
    WebMiner(
        "Coinhive", ("coinhive.com", "coin-hive.com", "authedmine.com", "cnhv.co"), ("XMR",),
        closed=date(2019, 3, 8), opened=date(2017, 9, 14),
    ),
    WebMiner("JSEcoin", ("load.jsecoin.com", "server.jsecoin.com"), ("JSE",), date(2020, 4, 27)),
)  # fmt: skip

LARGE_SITES = _words(
    "binance.com kraken.com okx.com okex.com btc.com bitcoin.com nicehash.com kucoin.com huobi.com htx.com hpt.com "
    "bitpay.com coinbase.com bitfinex.com whitebit.com braiins.com minergate.com xmrig.com emcd.io luxor.tech "
    "bitfufu.com poloniex.com gate.io bybit.com crypto.com blockchain.com blockchain.info coinmarketcap.com "
    "adminer.com googleminer.com nbminer.com hiveon.com hiveos.farm"
)
"""Exchanges, wallets, large web sites and makers of software: the bare name says nothing of mining.

Host names below them that serve miners stand among the operators, or come from a list with their port.
"""

NOT_MINING = _words(
    "mining-help.ru pangolinminer.com emercoin.com emercoin.net emergate.net joulecoin.org kronecoin.org "
    "titcoins.info titcoinpool.com cryptominded.com teracycle.net gandalph3000.com hellominer.com dl.nbminer.com "
    "lhr.nbminer.com lhr3.nbminer.com node.btx.tools moneroworld.com my.domain"
)
"""Names on the lists that are web sites of projects, makers or advisers, or no names at all."""

SHARED_HOSTING = _words(
    "000webhostapp.com accesscam.org anondns.net awsglobalaccelerator.com azurewebsites.net beget.tech blogsite.xyz "
    "blogspot.com bplaced.net chickenkiller.com cloudfront.net contaboserver.net ct8.pl ddns.net dedyn.io "
    "devtunnels.ms dscloud.me duckdns.org dyndns.org elementfx.com fvds.ru github.io githubusercontent.com gitlab.io "
    "gleeze.com googleusercontent.com herokuapp.com hldns.ru hopto.org ignorelist.com mooo.com mybluehost.me "
    "myjino.ru myvnc.com netlify.app netsons.org ngrok.io ngrok.app ngrok-free.app no-ip.org now.sh ooguy.com "
    "onion.ly onion.pet page.tl pages.dev plesk.page slyip.com softether.net sslip.io swtest.ru synology.me sytes.net "
    "theworkpc.com tmweb.ru tor2web.in trycloudflare.com tw1.ru us.to vercel.app webtm.ru weebly.com wixsite.com "
    "workers.dev xsph.ru ydns.eu vps.ovh.net oktawave.com myzwv.com myvzw.com ip-51-222-248.net infura-ipfs.io "
    "to-support.me mine.bz mysrv.cloud co.uk com.au com.br com.cn com.hk com.tr com.tw com.ua co.in co.jp co.kr co.nz "
    "co.za net.ua org.ua org.uk my.id pp.ua net.pl org.pl com.ru"
)
"""Suffixes under which strangers get names: never an indicator themselves, and a name below stands for itself only."""

MACHINE_NAMES = (
    "contaboserver.net", "vps.ovh.net", "googleusercontent.com", "ip-51-222-248.net", "softether.net", "sslip.io",
    "plesk.page", "oktawave.com", "myvzw.com", "swtest.ru", "devtunnels.ms",
)  # fmt: skip
"""A provider names its machines below these by number or address: the name passes on with the machine."""

RESOLVERS = _words(
    "1.1.1.1 1.0.0.1 8.8.8.8 8.8.4.4 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 114.114.114.114 "
    "114.114.115.115 223.5.5.5 223.6.6.6 119.29.29.29 94.140.14.14 94.140.15.15 77.88.8.8 77.88.8.1"
)
"""Public DNS resolvers."""

CDN_NETWORKS = tuple(
    ip_network(text)
    for text in (
        # Cloudflare, https://www.cloudflare.com/ips-v4 (read 2026-11); 172.65.0.0/16 is its proxy for other ports.
        "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "104.16.0.0/13", "104.24.0.0/14", "108.162.192.0/18",
        "131.0.72.0/22", "141.101.64.0/18", "162.158.0.0/15", "172.64.0.0/13", "173.245.48.0/20", "188.114.96.0/20",
        "190.93.240.0/20", "197.234.240.0/22", "198.41.128.0/17",
        # Fastly, https://api.fastly.com/public-ip-list
        "23.235.32.0/20", "146.75.0.0/17", "151.101.0.0/16", "199.232.0.0/16",
    )
)  # fmt: skip
"""Networks in which one address serves many unrelated names."""

NODE_PORTS = frozenset((8333, 18333, 9333, 19335, 8767, 30303, 18080, 18081, 22556, 8233, 16110, 16111, 58080))
"""Default ports of nodes (Bitcoin, Litecoin, BTX, Ravencoin, Ethereum, Monero, Dogecoin, Zcash, Kaspa, Armor)."""

WEB_PORTS = frozenset((80, 81, 82, 443, 8000, 8080, 8081, 8443))
"""Ports on which a bare address serves pages as often as anything else."""

PUBLIC_POOLS = _words(
    "aeon-pool.com bmpool.org bohemianpool.com bittubeapp.com cnpool.cc coin-pool.com cryptmonero.com ethereumpool.co "
    "iwanttoearn.money koto-pool.work lindon-pool.win mine2gether.com minercircle.com miners.pro mixpools.org "
    "monero.us.to community-pools.mysrv.cloud monerogb.com moneropool.nl moriaxmr.com mypool.online noobxmr.com "
    "pooldd.com poolmining.org poolto.be ratchetmining.com riefly.id sheepman.mine.bz ultra-pool.com usxmrpool.com "
    "viaxmr.com xmr.pt xmrfast.com xmrpool.xyz pool.support drill.moneroworld.com solopool.eu"
)
"""Small public pools, many of them gone: lists name them because malware used them, as anyone could."""

COINS = _words(
    "aeon ae aleo alph bch bcn bc2 bsv beam btc btg cfx ckb clo ctxc dash dero dgb doge erg etc eth ethw grin hns "
    "iron kas kls ltc mwc nexa neox rtm rvn rxd sc trtl vrsc xdag xec xel xmr xna xtm zano zec zen zeph"
)
"""Ticker symbols that stand as a word in host names of pools (`xmr-eu1.nanopool.org`)."""

COIN_WORDS = {"monero": "XMR", "zephyr": "ZEPH", "salvium": "SAL", "bitcoin": "BTC", "kaspa": "KAS", "turtle": "TRTL"}
"""Coin names that stand in host names instead."""
