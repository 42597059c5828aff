"""The table of chains: complete, sourced, and honest about what cannot be resolved."""

from pathlib import Path

import pytest

from headframe.sources.chain.chains import (
    CHAINS,
    RESOLVABLE_SPACING_S,
    chain_of,
    load_chains,
    why_header_times_are_coarse,
)
from headframe.sources.chain.files import parse_columns, read_blocks
from headframe.sources.chain.reconcile import reconcile
from headframe.sources.chain.series import BadClock

WANTED = "BTC BCH BSV LTC DOGE XMR ZEC ZEN ETC ETH ETHW RVN ERG DASH KAS ALPH CKB KDA XTM WOW FIRO BTG DGB NMC PEP"


def test_the_chains_that_are_mined_are_there() -> None:
    """Those that the documentation names, each under its symbol."""
    assert set(WANTED.split()) <= set(CHAINS)
    assert len(CHAINS) == len(load_chains())
    assert all(symbol == chain.symbol == symbol.upper() for symbol, chain in CHAINS.items())


@pytest.mark.parametrize("symbol", list(load_chains()))
def test_each_figure_has_a_source_and_each_refusal_a_reason(symbol: str) -> None:
    """Nobody need take a figure on trust, and a chain that is too fast says so."""
    chain = CHAINS[symbol]
    assert len(chain.source) > 15
    assert chain.family in {"bitcoin", "monero", "ethereum", "other"}
    assert chain.spacing_s > 0
    assert chain.resolvable == (chain.spacing_s >= RESOLVABLE_SPACING_S)
    assert chain.resolvable == ("too fast" not in chain.remark)
    assert set(chain.merged_with) <= set(CHAINS)
    assert symbol not in chain.merged_with


@pytest.mark.parametrize(
    ("symbol", "spacing_s", "resolvable"),
    [("BTC", 600, True), ("XMR", 120, True), ("ETC", 13, True), ("DGB", 15, True), ("KAS", 0.1, False),
     ("ALPH", 0.5, False), ("ZEC", 75, True)],
)  # fmt: skip
def test_known_figures(symbol: str, spacing_s: float, resolvable: bool) -> None:
    """Figures that anybody who mines knows by heart."""
    assert (CHAINS[symbol].spacing_s, CHAINS[symbol].resolvable) == (spacing_s, resolvable)


def test_litecoin_and_dogecoin_are_mined_together() -> None:
    """A new block of either makes a new job, so each names the other."""
    assert "DOGE" in CHAINS["LTC"].merged_with
    assert "LTC" in CHAINS["DOGE"].merged_with


def test_ethereum_was_mined_until_the_merge() -> None:
    """2022-09-15 06:42:42 UTC is the header time of its last mined block, 15537393."""
    assert CHAINS["ETH"].proof_of_work_until_ns == 1_663_224_162 * 10**9
    assert CHAINS["ETC"].proof_of_work_until_ns is None


@pytest.mark.parametrize("text", ["XMR", "xmr", " Xmr\n", "monero", "MONERO"])
def test_a_chain_is_found_by_symbol_or_name(text: str) -> None:
    """In any case, with blanks around it."""
    assert chain_of(text).symbol == "XMR"


def test_an_unknown_chain_is_named_with_those_that_come_near() -> None:
    """The message says what came and what would be right."""
    with pytest.raises(
        BadClock, match=r"'moner' is no chain that is known here; did you mean XMR or .*\? Known are BTC, "
    ):
        chain_of("moner")
    with pytest.raises(BadClock, match="'qqqqqq' is no chain that is known here; known are BTC, "):
        chain_of("qqqqqq")
    with pytest.raises(ValueError, match="is no chain"):
        chain_of("x" * 100_000)


def test_header_times_are_usable_on_ethereum_only() -> None:
    """Where consensus lets a header run two hours ahead, it is no clock."""
    assert why_header_times_are_coarse(CHAINS["ETC"]) == ""
    assert "up to 2 h ahead" in why_header_times_are_coarse(CHAINS["BTC"])
    assert "up to 20 min ahead" in why_header_times_are_coarse(CHAINS["ERG"])
    assert "nobody says" in why_header_times_are_coarse(CHAINS["RVN"])


def test_the_documented_table_is_the_table(project_root: Path) -> None:
    """``docs/clocks.md`` says what ``chains.csv`` says, chain by chain."""
    text = (project_root / "docs" / "clocks.md").read_text(encoding="utf-8")
    documented = [line for line in text.split("| to know |", 1)[1].splitlines() if line.startswith("| ")]
    wanted = [
        f"| {chain.symbol} | {chain.name} | {chain.spacing_s:g} s | {'yes' if chain.resolvable else 'no'} | "
        f"{', '.join(chain.merged_with)} | {chain.remark} |"
        for chain in CHAINS.values()
    ]
    assert documented == wanted, "the table should be:\n" + "\n".join(wanted)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "mapping", "chain"),
    [
        ("clock_xmr_pool.csv", None, None),
        ("clock_xmr_node_2020.csv.gz", None, None),
        ("clock_btc_node_2023.csv.gz", None, None),
        ("btc_arrival_offing-gcp.csv.gz", "height=1,arrival_time=3", "BTC"),
        ("btc_arrival_vostrnad_node1.csv.gz", "height=1,arrival_time=3", "BTC"),
        ("xmr_block_times_from_pool_jobs.csv", "height=job_height,arrival_time=template_ts_unix", "XMR"),
    ],
)
def test_real_chains_keep_their_spacing(shared_data: Path, name: str, mapping: str | None, chain: str | None) -> None:
    """The table's target, and what nodes saw, agree within 5 %: hash rate grows, so blocks come a little early."""
    path = shared_data / "network" / "blocks" / name
    file = read_blocks(path, columns=parse_columns(mapping) if mapping else None, chain=chain)
    clock = reconcile(file.series).clock
    covered_s = float((clock.covered[:, 1] - clock.covered[:, 0]).sum()) / 1e9
    seen_s = covered_s / (len(clock.arrival_ns) + len(clock.covered))
    print(f"{name}: {len(clock.arrival_ns):,} blocks in {len(clock.covered)} stretches, one every {seen_s:.2f} s")
    assert seen_s == pytest.approx(CHAINS[clock.chain].spacing_s, rel=0.05)
