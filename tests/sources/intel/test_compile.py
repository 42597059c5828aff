"""The compiler of the shipped table: what is kept, what is left out, and why."""

from datetime import date
from ipaddress import ip_address
from pathlib import Path

import pytest

from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.records.indicator import Indicator, IndicatorKind
from headframe.sources.intel import curated, load_indicators
from headframe.sources.intel.builtin import BUILTIN_TABLE
from headframe.sources.intel.compile import LISTS, compile_table, main, registrable, table_bytes

NOON_NS = 1_795_176_000_000_000_000


def write_lists(folder: Path, *, pools: str = "", maltrail: str = "", malware: str = "", nocoin: str = "") -> Path:
    """The four lists, as their projects write them."""
    header = "domain,port,scheme,pool_name,coin,algorithm,region,source_type,source_url,confidence,status\n"
    for name, text in {
        "adamyoung71": header + pools, "maltrail pools": maltrail, "maltrail malware": malware, "nocoin": nocoin,
    }.items():  # fmt: skip
        (folder / LISTS[name][0]).write_text(text)
    return folder


def find(table: list[Indicator], value: str) -> list[Indicator]:
    return [row for row in table if row.value == value]


def test_pool_rows_must_be_confirmed(tmp_path: Path) -> None:
    """Candidates are what a crawler saw; one endpoint for two coins is one row."""
    line = "{},{},stratum+tcp,The Pool,{},,,official,,{},active\n"
    pools = line.format("eu.pool.example", 3333, "XMR", "confirmed") + line.format(
        "eu.pool.example", 3333, "LTC", "confirmed"
    )
    pools += line.format("us.pool.example", 3333, "XMR", "candidate") + line.format(
        "127.0.0.1", 3333, "XMR", "confirmed"
    )
    table, ledgers = compile_table(write_lists(tmp_path, pools=pools))
    assert find(table, "eu.pool.example")[0].coins == ("XMR", "LTC")
    assert find(table, "us.pool.example") == find(table, "127.0.0.1") == []
    assert ledgers["adamyoung71"].read == 4
    assert dict(ledgers["adamyoung71"].dropped) == {"candidate": 1, "not public": 1}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("/xmrig.exe", "no endpoint"),
        ("http://192.0.2.1", "no endpoint"),
        ("10.1.2.3:3333", "not public"),
        ("8.8.8.8:3333", "resolver"),
        ("104.16.1.1:3333", "CDN"),
        ("172.65.200.133:3333", "CDN"),
        ("51.15.54.102", "address without port"),
        ("51.15.54.102:443", "web port"),
        ("51.15.54.102:8333", "node port"),
        ("herokuapp.com", "shared hosting"),
        ("vm1.contaboserver.net", "machine name"),
        ("bitpay.com", "large site"),
        ("emercoin.com", "not mining"),
        ("pool.supportxmr.com", "already known"),
    ],
)
def test_entries_that_would_accuse_the_wrong_ones_are_left_out(tmp_path: Path, entry: str, reason: str) -> None:
    """Each rule, with the reason it is counted under."""
    text = (
        "# Reference: https://report.example\n\npool.supportxmr.com\n"
        if reason == "already known"
        else "# Reference\n\n"
    )
    _, ledgers = compile_table(write_lists(tmp_path, maltrail=text + entry + "\n"))
    assert dict(ledgers["maltrail pools"].dropped) == {reason: 1}


def test_addresses_listed_with_one_operators_names_are_that_operators(tmp_path: Path) -> None:
    """Malware that mines at a public pool shows the pool's servers, not a proxy of its own."""
    text = (
        "# Reference: a\n\nxmr-eu1.nanopool.org\n51.15.54.102:14433\n\n# Reference: b\n\n51.15.54.103:14433\n\n"
        "# Reference: c\n\nxmr-eu1.nanopool.org\nevil.example\n51.15.54.104:14433\n"
    )
    table, _ = compile_table(write_lists(tmp_path, maltrail=text))
    kinds = {row.value: (row.kind, row.pool) for row in table}
    assert kinds["51.15.54.102"] == (IndicatorKind.POOL, "Nanopool")
    assert kinds["51.15.54.103"] == kinds["51.15.54.104"] == (IndicatorKind.MALWARE_PROXY, None)
    assert find(table, "xmr-eu1.nanopool.org")[0].coins == ("XMR",)
    assert find(table, "51.15.54.102")[0].valid_until == date(2027, 8, 23)


def test_malware_names_need_a_sign_of_mining(tmp_path: Path) -> None:
    """Download and control servers say nothing of mining; parcels and banks even less."""
    malware = (
        "# Reference\n\nmypackage-usps.com\nmine.bad.example\nxmr.worse.example\n51.15.54.102:4567\n51.15.54.102:3333\n"
    )
    pools = "eu.pool.example,3333,stratum+tcp,The Pool,XMR,,,official,,confirmed,active\n"
    table, ledgers = compile_table(write_lists(tmp_path, malware=malware, pools=pools))
    assert find(table, "mine.bad.example")[0].kind is IndicatorKind.MALWARE_PROXY
    assert find(table, "xmr.worse.example")[0].coins == ("XMR",)
    assert [row.port for row in find(table, "51.15.54.102")] == [3333]
    assert dict(ledgers["maltrail malware"].dropped) == {"other malware": 1, "no pool's port": 1}


def test_names_below_count_only_where_one_owner_has_them_all(tmp_path: Path) -> None:
    """A registered domain covers what is below; a name on shared hosting stands for itself."""
    table, _ = compile_table(
        write_lists(tmp_path, nocoin="0.0.0.0 miner.test\n0.0.0.0 x.herokuapp.com\n0.0.0.0 a.b.test\n")
    )
    assert {row.value: row.subdomains for row in table if row.kind is IndicatorKind.WEB_MINER and not row.pool} == {
        "miner.test": True, "x.herokuapp.com": False, "a.b.test": False,
    }  # fmt: skip


def test_registrable_knows_shared_suffixes() -> None:
    """One label below a suffix under which strangers get names."""
    assert registrable("a.b.co.uk") == "b.co.uk"
    assert registrable("xmr.pool.example") == "pool.example"


def test_curated_facts_do_not_contradict_each_other() -> None:
    """No operator's domain is a large site, a shared suffix or no mining; no domain has two operators."""
    domains = [domain for operator in curated.OPERATORS for domain in operator.domains]
    assert len(domains) == len(set(domains))
    assert not set(domains) & (curated.LARGE_SITES | curated.SHARED_HOSTING | curated.NOT_MINING)


def test_wrong_call_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a folder it writes nothing."""
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


# ---------------------------------------------------------------- the table that ships


def test_shipped_table_accuses_no_large_site_resolver_or_private_address() -> None:
    """The traps: exchanges, wallets, resolvers, CDNs, loopback."""
    table = load_indicators([], today=date(2026, 11, 20))
    index = EndpointIndex(table)
    for name in sorted(
        curated.LARGE_SITES | curated.SHARED_HOSTING | {"www.binance.com", "www.kraken.com", "google.com"}
    ):
        assert index.match_name(name, None, NOON_NS) == [], name
    for row in table:
        if row.value[0].isdigit() and row.value.count(".") == 3 and row.value[-1].isdigit():
            address = ip_address(row.value)
            assert row.port is not None
            assert address.is_global
            assert row.value not in curated.RESOLVERS
            assert not any(address in network for network in curated.CDN_NETWORKS)


@pytest.mark.parametrize(
    ("name", "port", "pool"),
    [
        ("pool.supportxmr.com", 3333, "SupportXMR"),
        ("xmr-eu1.nanopool.org", 14444, "Nanopool"),
        ("eth-eu1.nanopool.org", 9999, "Nanopool"),
        ("eu1.ethermine.org", 4444, "Ethermine"),
        ("scrypt.usa.nicehash.com", 3333, "NiceHash"),
        ("us.ss.btc.com", 1800, "BTC.com Pool"),
        ("ltc.f2pool.com", 3335, "F2Pool"),
        ("donate.v2.xmrig.com", 3333, "XMRig donation"),
    ],
)
def test_shipped_table_knows_well_known_pools(name: str, port: int, pool: str) -> None:
    """Mining hosts of large operators, those of exchanges by their own names."""
    index = EndpointIndex(load_indicators([], today=date(2026, 11, 20)))
    assert index.pool_name(name, "192.0.2.1", port) == pool


@pytest.mark.real_data
def test_compiling_again_gives_the_shipped_bytes(shared_data: Path) -> None:
    """The shipped table is what the compiler writes from the lists, to the byte; every entry is accounted for."""
    table, ledgers = compile_table(shared_data / "network/intel")
    assert table_bytes(table) == BUILTIN_TABLE.read_bytes()
    for name, ledger in ledgers.items():
        assert ledger.read == ledger.kept + sum(ledger.dropped.values()), name
