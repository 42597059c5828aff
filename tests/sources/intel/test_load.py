"""Indicator files of every form, and what is said of bad ones."""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.errors import BadIndicator
from headframe.records.indicator import Indicator, IndicatorKind
from headframe.sources.intel import load_indicators

TODAY = date(2026, 11, 20)


def load(tmp_path: Path, name: str, text: str, problems: list[str] | None = None) -> list[Indicator]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_indicators([path], builtin=False, today=TODAY, problems=problems)


def endpoints(indicators: list[Indicator]) -> list[tuple[str, int | None]]:
    return [(indicator.value, indicator.port) for indicator in indicators]


# ---------------------------------------------------------------- the shipped table


def test_shipped_table_loads_quickly() -> None:
    """The start of every scan waits for it: less than 40 ms."""
    load_indicators([], today=TODAY)
    began = time.perf_counter()
    indicators = load_indicators([], today=TODAY)
    assert time.perf_counter() - began < 0.04
    assert len(indicators) > 1000


def test_shipped_table_needs_no_heavy_library() -> None:
    """`headframe --help` may reach it: neither stix2 nor cryptography is imported."""
    code = (
        "import sys, datetime; from headframe.sources.intel import load_indicators; "
        "load_indicators([], today=datetime.date(2026, 11, 20)); "
        "print(sorted({'stix2', 'cryptography', 'polars', 'numpy', 'aioquic'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_shipped_rows_read_the_same_with_every_check(tmp_path: Path) -> None:
    """The fast reader takes values as they stand: each must pass the careful one unchanged."""
    from headframe.sources.intel.builtin import BUILTIN_TABLE

    assert load_indicators([BUILTIN_TABLE], builtin=False, today=TODAY) == load_indicators([], today=TODAY)


# ---------------------------------------------------------------- CSV


def test_own_columns_in_any_order(tmp_path: Path) -> None:
    """Only kind and value are required; comments and empty lines may stand between."""
    found = load(
        tmp_path,
        "mine.csv",
        "# our own list\n\nvalue,kind,port,coins,pool,subdomains,valid_from,valid_until,shared,source\n"
        "Pool.Example.,pool,3333,xmr LTC,The Pool,yes,2020-01-01,2021-01-01,,field notes\n"
        "# a comment\n2001:DB8::0001,malware_proxy,,,,,,,true,\n",
    )
    assert found == [
        Indicator(
            kind=IndicatorKind.POOL, value="pool.example", port=3333, coins=("XMR", "LTC"), pool="The Pool",
            subdomains=True,
            valid_from=date(2020, 1, 1), valid_until=date(2021, 1, 1), source="field notes",
        ),
        Indicator(
            kind=IndicatorKind.MALWARE_PROXY, value="2001:db8::1", shared=True, source="mine.csv, read 2026-11-20"
        ),
    ]  # fmt: skip


def test_pool_list_columns(tmp_path: Path) -> None:
    """The columns of the mining-pool-domain-intel project are understood as they are published."""
    found = load(
        tmp_path,
        "pools.csv",
        "domain,port,scheme,pool_name,coin,confidence\nErg.Pool.example,8888,stratum+tcp,The Pool,ERG,confirmed\n"
        "x.pool.example,1,stratum+tcp,The Pool,UNKNOWN,candidate\n",
    )
    assert endpoints(found) == [("erg.pool.example", 8888), ("x.pool.example", 1)]
    assert (found[0].coins, found[1].coins, found[0].pool) == (("ERG",), (), "The Pool")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("pool,pool example,,", "no domain name"),
        ("pool,localhost,,", "two labels"),
        ("pol,pool.example,,", "known are pool, malware_proxy"),
        ("pool,pool.example,0,", "from 1 to 65535"),
        ("pool,pool.example,http,", "from 1 to 65535"),
        ("pool,pool.example,,maybe", "true or false"),
        ("pool,pool.example", "2 fields where the header has 4"),
        (",pool.example,,", "unknown kind"),
    ],
)
def test_bad_row_names_file_and_line(tmp_path: Path, row: str, words: str) -> None:
    """The message says where, what came, and what would be right."""
    with pytest.raises(BadIndicator, match=r"bad\.csv, line 3: ") as fault:
        load(tmp_path, "bad.csv", f"kind,value,port,shared\npool,good.example,,\n{row}\n")
    assert words in str(fault.value)


def test_unknown_column_is_refused(tmp_path: Path) -> None:
    """A misspelt column would lose what stands in it."""
    with pytest.raises(BadIndicator, match="unknown columns prot"):
        load(tmp_path, "bad.csv", "kind,value,prot\npool,a.example,3333\n")


def test_days_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    """valid_from after valid_until would never match."""
    with pytest.raises(BadIndicator, match="after valid_until"):
        load(tmp_path, "bad.csv", "kind,value,valid_from,valid_until\npool,a.example,2021-01-01,2020-01-01\n")


def test_problems_are_collected_where_asked(tmp_path: Path) -> None:
    """A list of thousands need not fail for one bad line, as long as it is said."""
    problems: list[str] = []
    found = load(tmp_path, "list.csv", "kind,value\npool,a.example\npool,b\npool,c.example\n", problems)
    assert endpoints(found) == [("a.example", None), ("c.example", None)]
    assert len(problems) == 1
    assert "list.csv, line 3" in problems[0]


# ---------------------------------------------------------------- plain lists


def test_plain_lists(tmp_path: Path) -> None:
    """Hosts lines, bare names, ports in three ways, addresses, schemes, comments."""
    found = load(
        tmp_path,
        "hosts.txt",
        "# list\n127.0.0.1 localhost\n0.0.0.0 a.example B.Example # both\nc.example\n\nd.example:3333\n"
        "192.0.2.1:4444\n[2001:db8::1]:5555\n2001:db8::2\ne.example,3333,443\nstratum+tcp://f.example:14444\n*.g.example\n"
        "d.example:3333\nmüller.example\n",
    )
    assert endpoints(found) == [
        ("a.example", None), ("b.example", None), ("c.example", None), ("d.example", 3333), ("192.0.2.1", 4444),
        ("2001:db8::1", 5555), ("2001:db8::2", None), ("e.example", 3333), ("e.example", 443), ("f.example", 14444),
        ("g.example", None), ("xn--mller-kva.example", None),
    ]  # fmt: skip
    assert [indicator.value for indicator in found if indicator.subdomains] == ["g.example"]
    assert {indicator.kind for indicator in found} == {IndicatorKind.POOL}
    assert found[0].source == "hosts.txt, read 2026-11-20"


@pytest.mark.parametrize(
    "line", ["just-a-word", "a.example:99999", "a.example:", "a..example", "<html>", "1.2.3.4.5", "[::1"]
)
def test_bad_line_is_named(tmp_path: Path, line: str) -> None:
    """What is neither name nor address is refused with its line number."""
    with pytest.raises(BadIndicator, match=r"list\.txt, line 2: .*Hint"):
        load(tmp_path, "list.txt", f"good.example\n{line}\n")


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is the user's to mend."""
    with pytest.raises(BadIndicator, match=r"none\.txt: cannot be read"):
        load_indicators([tmp_path / "none.txt"], today=TODAY)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "rows", "bad"),
    [
        ("adamyoung71_mining_pool_domains.csv", 1230, 0),
        ("coinblocker2018_list.txt", 5836, 1),
        ("coinblocker2018_MiningServerIPList.txt", 1026, 0),
        ("decrypto_list_cato.txt", 857, 1),
        ("decrypto_list_custom.txt", 220, 0),
        ("nocoin_hosts.txt", 313, 0),
        ("ut1_cryptojacking_domains.txt", 11491, 0),
    ],
)
def test_real_lists_are_read_whole(shared_data: Path, name: str, rows: int, bad: int) -> None:
    """Lists as their projects publish them: every row read, the two garbled ones named."""
    problems: list[str] = []
    found = load_indicators([shared_data / "network/intel" / name], builtin=False, today=TODAY, problems=problems)
    assert (len(found), len(problems)) == (rows, bad)


# ---------------------------------------------------------------- STIX 2.1


def bundle(*patterns: str, **fields: object) -> str:
    objects = [
        {
            "type": "indicator", "spec_version": "2.1", "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "pattern": pattern,
            "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
        }
        | fields
        for number, pattern in enumerate(patterns)
    ]  # fmt: skip
    return json.dumps({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": objects})


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[domain-name:value = 'Pool.Example']", [("pool.example", None)]),
        ("[ipv4-addr:value = '192.0.2.1']", [("192.0.2.1", None)]),
        ("[ipv6-addr:value = '2001:DB8::1']", [("2001:db8::1", None)]),
        ("[domain-name:value IN ('a.example', 'b.example')]", [("a.example", None), ("b.example", None)]),
        (
            "[domain-name:value = 'a.example' OR ipv4-addr:value = '192.0.2.1']",
            [("a.example", None), ("192.0.2.1", None)],
        ),
        (
            "[domain-name:value = 'a.example'] OR [domain-name:value = 'b.example']",
            [("a.example", None), ("b.example", None)],
        ),
        ("[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 3333]", [("192.0.2.1", 3333)]),
        ("[url:value = 'https://web.example:8443/miner.js']", [("web.example", None)]),
    ],
)
def test_stix_patterns(tmp_path: Path, pattern: str, expected: list[tuple[str, int | None]]) -> None:
    """Endpoints in a pattern, each with the port that stands with it."""
    found = load(tmp_path, "bundle.json", bundle(pattern))
    assert endpoints(found) == expected
    assert found[0].valid_from == date(2026, 1, 1)


@pytest.mark.parametrize(
    "pattern",
    [
        "[file:name = 'xmrig.exe']",
        "[domain-name:value LIKE '%.pool.example']",
        "[domain-name:value != 'pool.example']",
        "[domain-name:value NOT = 'pool.example']",
        "[domain-name:value = 'a.example'] AND [domain-name:value = 'b.example']",
        "[network-traffic:dst_port = 3333]",
        "[domain-name:value = 'not a name']",
        "[domain-name:value = ",
        "pool.example",
    ],
)
def test_stix_pattern_that_cannot_be_checked_is_refused(tmp_path: Path, pattern: str) -> None:
    """By the object's number and id: nothing is passed over in silence."""
    with pytest.raises(BadIndicator, match=r"bundle\.json, object 1 \(indicator--"):
        load(tmp_path, "bundle.json", bundle(pattern))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, IndicatorKind.POOL),
        ({"labels": ["web-miner"]}, IndicatorKind.WEB_MINER),
        ({"indicator_types": ["malicious-activity"]}, IndicatorKind.MALWARE_PROXY),
        ({"indicator_types": ["malicious-activity"], "labels": ["pool"]}, IndicatorKind.POOL),
    ],
)
def test_stix_kinds(tmp_path: Path, fields: dict[str, object], kind: IndicatorKind) -> None:
    """Our own kinds as labels come first; malicious activity is malware's."""
    assert load(tmp_path, "b.json", bundle("[domain-name:value = 'a.example']", **fields))[0].kind is kind


def test_stix_revoked_and_dated(tmp_path: Path) -> None:
    """What its maker withdrew is left out; validity is kept."""
    assert load(tmp_path, "b.json", bundle("[domain-name:value = 'a.example']", revoked=True)) == []
    found = load(tmp_path, "b.json", bundle("[domain-name:value = 'a.example']", valid_until="2026-02-03T04:05:06Z"))
    assert found[0].valid_until == date(2026, 2, 3)


@pytest.mark.parametrize(
    "text", ["{", "{}", '{"objects": 3}', '{"type": "bundle", "objects": [1]}', '{"objects": [{"type": "indicator"}]}']
)
def test_broken_bundles_are_refused(tmp_path: Path, text: str) -> None:
    """With the file's name."""
    with pytest.raises(BadIndicator, match=r"b\.json"):
        load(tmp_path, "b.json", text)


# ---------------------------------------------------------------- anything else

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "pattern", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda rest: b"kind,value,port\n" + rest),
        st.lists(_JSON, max_size=3).map(lambda objects: json.dumps({"type": "bundle", "objects": objects}).encode()),
        st.text('0123456789abc.:,[]/*# \n"', max_size=60).map(str.encode),
    )
)
def test_any_file_gives_indicators_or_badindicator(tmp_path: Path, content: bytes) -> None:
    """Whatever a file holds, the answer is rows or a message; with a list for problems nothing else is different."""
    path = tmp_path / "any"
    path.write_bytes(content)
    try:
        strict = load_indicators([path], builtin=False, today=TODAY)
    except BadIndicator as fault:
        if str(path) not in str(fault):
            raise
        return
    problems: list[str] = []
    assert load_indicators([path], builtin=False, today=TODAY, problems=problems) == strict
    assert problems == []


def test_open_quotation_mark_is_named(tmp_path: Path) -> None:
    """A field without end swallows the file: the csv module gives up, and the message says why."""
    with pytest.raises(BadIndicator, match=r"quotation mark|fields where"):
        load(tmp_path, "open.csv", 'kind,value\npool,"' + "a.example\n" * 20_000)


def test_deep_json_is_refused(tmp_path: Path) -> None:
    """Nesting deeper than the interpreter's stack is no bundle."""
    with pytest.raises(BadIndicator, match="not JSON"):
        load(tmp_path, "deep.json", '{"objects":' + "[" * 100_000)
