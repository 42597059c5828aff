"""CSV: what spreadsheets read."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.finding import Interval
from headframe.reports.csv_rows import COLUMNS, csv_lines
from tests.reports import samples

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
OUR_NUMBERS = {name for name in COLUMNS if name.endswith(("_hs", "_w"))} | {"log10_e", "offset_s", "expected_hits"}


def rows_of(findings: list, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_lines(findings)), newline=""), delimiter=delimiter))


def test_one_row_for_each_finding_with_all_columns() -> None:
    """Flat: an interval is three columns, shares are four."""
    rows = rows_of(samples.mixed().findings)
    assert len(rows) == 4
    assert tuple(rows[0]) == COLUMNS
    miner = rows[3]
    assert (miner["host"], miner["peer"], miner["coin"], miner["role"]) == (
        "192.0.2.41",
        "198.51.100.7:4444",
        "XMR",
        "miner",
    )
    assert (float(miner["hashrate_low_hs"]), float(miner["hashrate_high_hs"])) == (2_710.0, 3_270.0)
    assert int(miner["shares_accepted"]) == samples.miner().shares.accepted
    assert miner["sources"] == "captures/site-a.pcapng: 104, 106-108, 131, 133, 150"
    assert rows[1]["indicator_kinds"] == "malware_proxy"


def test_unknown_is_empty() -> None:
    """Not 0, not None, not nan."""
    probe = rows_of([samples.probe()])[0]
    assert (
        probe["hashrate_estimate_hs"]
        == probe["pool"]
        == probe["power_w" if "power_w" in probe else "power_low_w"]
        == ""
    )
    assert rows_of(samples.hostile().findings)[1]["log10_e"] == ""


def test_timing_columns_are_filled_for_timing_only() -> None:
    """Chain, counts and the offset; empty cells where there is nothing to count."""
    content, timing = rows_of([samples.miner(), samples.timing_miner()])
    assert (timing["chain"], timing["blocks"], timing["hits"], timing["offset_s"]) == ("XMR", "89", "84", "17.0")
    assert float(timing["expected_hits"]) == samples.sync().expected_hits
    assert {content[name] for name in ("chain", "blocks", "hits", "expected_hits", "offset_s")} == {""}
    behind = replace(samples.sync(), offset_s=Interval(-3.0, -2.5, -2.0), chain="=1+1")
    row = rows_of([samples.timing_miner(block_sync=behind)])[0]
    assert (float(row["offset_s"]), row["chain"]) == (-2.5, "'=1+1")


def test_header_alone_where_nothing_was_found() -> None:
    """A reader of tables needs the columns even then."""
    assert "".join(csv_lines([])).count("\n") == 1


@pytest.mark.parametrize(
    "attack",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1+1", samples.FORMULA, "x;=1+1", "x\t=1", "x; @y"],
)
def test_no_cell_begins_a_formula(attack: str) -> None:
    """Whether the spreadsheet splits at commas or at semicolons."""
    row = rows_of([samples.miner(pool=attack, agent=attack, host=attack, coins=(attack,), accounts=(attack,))])[0]
    for name, cell in row.items():
        if name in OUR_NUMBERS:
            continue
        for piece in cell.split(";"):
            assert not piece.strip().startswith(FORMULA_STARTS), (name, cell)


@given(st.text())
def test_any_text_stays_in_its_cell(text: str) -> None:
    """Quotes, commas and line ends do not break the row, and nothing begins a formula."""
    rows = rows_of([samples.probe(), samples.miner(pool=text, explanation=text)])
    assert len(rows) == 2
    assert None not in rows[1]
    assert not rows[1]["pool"].lstrip().startswith(FORMULA_STARTS)
    assert rows[1]["host"] == "192.0.2.41"


def test_negative_evidence_stays_a_number() -> None:
    """Only text is defused; a spreadsheet must still be able to calculate."""
    assert float(rows_of([samples.miner(log10_e=-0.5)])[0]["log10_e"]) == -0.5


def test_hostile_scan_has_no_controls() -> None:
    """Nothing in the file can act on a terminal."""
    text = "".join(csv_lines(samples.hostile().findings))
    assert all(line.isprintable() for line in text.split("\n"))
