"""The benchmark of power: captures that end earlier are beginnings of later ones, and tables say what was measured."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from bench import power
from bench.power import CASES, EVASIONS, ROWS, Outcome, Row, cell, fill
from headframe.detectors.network.chain_sync import group_subjects, make_subject, measure_all

XMR = next(case for case in CASES if case.symbol == "XMR")


def outcomes(*minutes: float | None) -> list[Outcome]:
    return [Outcome(m, 6.5 if m else 1.0, "miner", 0.01) for m in minutes]


def test_the_time_found_is_the_first_at_which_the_detector_is_sure() -> None:
    """Taken apart from the search in batches: every capture's end before it falls short, and it does not."""
    row = EVASIONS[0]
    found = power.run(XMR, row, 3)
    assert found.minutes is not None
    assert found.client == "miner"
    series, clock, _ = power.draw(XMR, row, 3)
    bursts = power.bursts_of(series)
    for end_s in power.ends_s(XMR, row):
        subjects = group_subjects(power.until(bursts, power.START + end_s * power.SECOND), power.PARAMETERS)
        value = float(measure_all(subjects, [clock], power.PARAMETERS)[0, 0]) if subjects else 0.0
        assert (value >= power.GOAL) == (end_s / 60 >= found.minutes)
        if value >= power.GOAL:
            assert value == pytest.approx(found.log10_e, abs=1e-12)
            break


@pytest.mark.parametrize("name", ["nothing hidden", "20 % of packets lost", "jobs held back 0 to 30 s", "node"])
def test_a_growing_capture_is_measured_as_each_capture_afresh(name: str) -> None:
    """Segments that were looked at once count the same, over reconnects as well."""
    row = next(row for row in ROWS if row.name == name)
    case = power.replace(XMR, hours=3.0)
    number = next(n for n in range(50) if row.control or power.draw(case, row, n)[0].connection.max() >= 1)
    series, clock, _ = power.draw(case, row, number)
    bursts = power.bursts_of(series)
    ends_ns = [power.START + end_s * power.SECOND for end_s in power.ends_s(case, row)]
    for end_ns, value in zip(ends_ns, power.growing(make_subject(bursts), clock, ends_ns), strict=True):
        subjects = group_subjects(power.until(bursts, end_ns), power.PARAMETERS)
        afresh = float(measure_all(subjects, [clock], power.PARAMETERS)[0, 0]) if subjects else np.nan
        assert value == pytest.approx(afresh, abs=1e-9, nan_ok=True)


def test_disguises_of_one_session_hide_the_same_blocks() -> None:
    """Rows can be compared: chain and number alone say when blocks were found."""
    clocks = [power.draw(XMR, row, 5)[1].arrival_ns for row in ROWS if row.clock == "exact"]
    assert all(np.array_equal(clocks[0], other) for other in clocks)
    assert not np.array_equal(clocks[0], power.draw(XMR, EVASIONS[0], 6)[1].arrival_ns)


def test_every_row_can_be_drawn() -> None:
    """A series with both sides, ascending, for each disguise and control."""
    short = power.replace(XMR, hours=0.5)
    for row in ROWS:
        series, clock, _ = power.draw(short, row, 0)
        assert len(series.time_ns)
        assert (np.diff(series.time_ns) >= 0).all()
        assert {-1, 1} == set(np.sign(series.size).tolist())
        assert len(clock.arrival_ns)


def test_names_are_told_apart() -> None:
    """Results are kept under them."""
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert not any("|" in row.name or ";" in row.name for row in ROWS)
    assert {case.symbol for case in CASES} == set(power.COLOURS)


def test_quantiles_count_those_that_never_get_there() -> None:
    """A session without an end is later than any other."""
    assert cell(outcomes(10, 20, 30, 40, None)) == (30, np.inf, 0.2)
    assert cell(outcomes(*range(1, 11))) == (5, 9, 0.0)
    assert cell(outcomes(None, None)) == (np.inf, np.inf, 1.0)


def test_the_page_holds_every_disguise_and_the_picture_loads_nothing(project_root: Path) -> None:
    """What was measured last is what the page and the picture show."""
    page = (project_root / "docs" / "detectors" / "chain_sync_power.md").read_text(encoding="utf-8")
    drawn = (project_root / "docs" / "img" / "power-chain_sync.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(drawn)
    assert "href" not in drawn
    for row in EVASIONS:
        assert f"| {row.name} |" in page
        assert f">{row.name}</text>" in drawn
    for row in power.CONTROLS:
        assert f"| {row.name} |" in page


def test_the_picture_marks_what_is_never_found() -> None:
    """A hollow dot for at least half, a broken line for a tenth."""
    results = {(case.symbol, row.name): outcomes(20, 20, 40) for case in CASES for row in EVASIONS}
    results["XMR", EVASIONS[1].name] = outcomes(20, None, None)
    results["BTC", EVASIONS[2].name] = outcomes(20, 20, None)
    drawn = power.picture(results)
    ElementTree.fromstring(drawn)
    assert drawn.count('fill="none"') == 1
    assert drawn.count("stroke-dasharray") == 1


def test_a_table_stands_between_its_markers() -> None:
    """Filling twice is filling once; a page without markers is refused."""
    page = "a\n<!-- x -->old<!-- /x -->\nb"
    filled = fill(page, "x", "| 1 |")
    assert filled == "a\n<!-- x -->\n\n| 1 |\n\n<!-- /x -->\nb"
    assert fill(filled, "x", "| 1 |") == filled
    with pytest.raises(ValueError, match="markers"):
        fill(page, "y", "")


def test_the_tables_have_a_row_for_each_disguise() -> None:
    """And say never where nobody got there."""
    results = {(case.symbol, row.name): outcomes(20, None) for case in CASES for row in ROWS}
    results["XMR", EVASIONS[0].name] = outcomes(None, None)
    table = power.power_table(results)
    assert table.count("\n") == len(EVASIONS) + 1
    assert "| never |" in table.splitlines()[2]
    assert "20 / never (50.0%)" in table
    for text, rows in ((power.client_table(results), EVASIONS), (power.control_table(results), power.CONTROLS)):
        assert all(f"| {row.name} |" in text for row in rows)


def test_a_control_that_knows_no_chain_stays_low() -> None:
    """A ticker against a clock of six hours."""
    ticker: Row = next(row for row in power.CONTROLS if row.name.startswith("price ticker, at"))
    found = power.run(XMR, ticker, 1)
    assert found.minutes is None
    assert found.log10_e < 2
    assert found.client == "listener"
