"""Tables of everything: safe in a spreadsheet, typed in Parquet, explained in the data dictionary."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import polars as pl
import pytest
from cases_to_report import events_of
from findings_to_export import START, stored, stored_load

from headframe.cases.retention import DEFAULT_DAYS, FIELD_CLASS
from headframe.cases.store import CaseRow
from headframe.records.case import DecisionOutcome, RegisterEntry, Stage
from headframe.records.no_person import personal_names
from headframe.records.policy import Basis, Clock, ClockState, PartyStanding
from headframe.reports import case_tables
from headframe.reports.case_tables import TABLES, csv_table, data_dictionary, write_parquet
from headframe.reports.funnel import case_facts, funnel, shown

ROOT = Path(__file__).resolve().parents[2]
CASE = CaseRow(
    case_id="HF-2026-000001", site_id="S", site_name="=HYPERLINK(1)", organisation_id="O", organisation_name="+Ltd",
    region="R", site_kind="campus", pack_id="p", stage=Stage.SCREENED, standing=PartyStanding.UNDETERMINED,
    opened_ns=START, last_ns=START, version=1, families=("content", "load"), next_clock="", next_due_ns=None,
    next_due_basis="", on_hold=False,
)  # fmt: skip
CLOCK = Clock(
    id="reply", state=ClockState.RUNNING, started_ns=START, due_ns=None, due_day="2026-11-27",
    basis=Basis.OPERATOR_DEFAULT,
)  # fmt: skip
ENTRY = RegisterEntry(
    entry_id="E", case_id="HF-2026-000001", decision=3, organisation_id="O", site_id="S",
    outcome=DecisionOutcome.CONFIRMED, legal_basis=("a#1",), decided_ns=START, final_ns=START,
)  # fmt: skip
THINGS: dict[str, list[object]] = {
    "findings": [stored(), stored_load()],
    "cases": [CASE],
    "events": list(events_of(1, DecisionOutcome.CONFIRMED)),
    "clocks": [("HF-2026-000001", CLOCK)],
    "register": [ENTRY],
    "funnel": list(shown(funnel(case_facts(events_of(1))))[0].rows),
}


def read_csv(name: str, things: list[object]) -> list[dict[str, str]]:
    """Rows of a table as CSV gives them back."""
    return list(csv.DictReader(io.StringIO("".join(csv_table(TABLES[name], things)))))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_is_written_both_ways(name: str, tmp_path: Path) -> None:
    """As many rows and the same columns in CSV and Parquet; instants are instants there."""
    things = THINGS[name]
    rows = read_csv(name, things)
    assert len(rows) == len(things)
    path = tmp_path / f"{name}.parquet"
    assert write_parquet(TABLES[name], things, path) == len(things)
    table = pl.read_parquet(path)
    assert tuple(table.columns) == TABLES[name].header == tuple(rows[0])
    assert table.height == len(things)
    for column in TABLES[name].columns:
        kind = table.schema[column.name]
        assert (kind == pl.Datetime("ns", "UTC")) is (column.kind == "instant")
    assert not list(tmp_path.glob(".*"))


def test_no_cell_is_a_formula() -> None:
    """A site may call itself =HYPERLINK(1); a spreadsheet shows it and runs nothing."""
    row = read_csv("cases", [CASE])[0]
    assert row["site_name"] == "'=HYPERLINK(1)"
    assert row["organisation_name"] == "'+Ltd"
    assert row["next_due"] == ""
    assert row["on_hold"] == "false"
    risky = dataclasses.replace(CLOCK, explanation="-1+cmd|' /C calc'!A0")
    assert read_csv("clocks", [("HF", risky)])[0]["explanation"].startswith("'-1")


def test_an_empty_table_has_its_header(tmp_path: Path) -> None:
    """Nothing is a table too."""
    assert list(csv_table(TABLES["cases"], [])) == [",".join(f'"{name}"' for name in TABLES["cases"].header) + "\n"]
    write_parquet(TABLES["cases"], [], tmp_path / "empty.parquet")
    assert pl.read_parquet(tmp_path / "empty.parquet").height == 0


def test_a_long_table_is_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than are held at a time, in the order they came."""
    monkeypatch.setattr(case_tables, "BATCH_ROWS", 3)
    rows = [dataclasses.replace(CASE, case_id=f"HF-2026-{k:06d}") for k in range(10)]
    assert write_parquet(TABLES["cases"], rows, tmp_path / "cases.parquet") == 10
    assert pl.read_parquet(tmp_path / "cases.parquet")["case_id"].to_list() == [row.case_id for row in rows]
    assert [one.name for one in tmp_path.iterdir()] == ["cases.parquet"]


def test_a_fault_on_the_way_leaves_no_half_table(tmp_path: Path) -> None:
    """Whole or not at all; what was there before stays."""
    path = tmp_path / "cases.parquet"
    write_parquet(TABLES["cases"], [CASE], path)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        write_parquet(TABLES["cases"], [CASE, object()], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_data_dictionary_is_up_to_date() -> None:
    """The page is generated; here is how: ``python -m headframe.reports.case_tables > docs/data-dictionary.md``."""
    assert (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8") == data_dictionary()


def test_every_field_says_how_long_and_why() -> None:
    """Class, period and basis of each column, of each class, and of each field that packs name: nothing is left out."""
    page = data_dictionary()
    for table in TABLES.values():
        part = page.partition(f"## {table.name}\n")[2].partition("\n## ")[0]
        rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| `")]
        assert [row[0].strip("`") for row in rows] == list(table.header)
        for row in rows:
            assert len(row) == 6, row
            assert row[4].strip(), row
            assert row[5].strip(), row
    assert {f"| `{name}` | `{kept.value}` | {DEFAULT_DAYS[kept]} days | `operator_default` |" for name, kept in
            FIELD_CLASS.items()} <= set(page.splitlines())  # fmt: skip
    assert page.count("`statutory`") == 1, "no default is passed off as law"


def test_no_column_is_about_anybody() -> None:
    """Subjects are addresses, usage points, sites and organisations."""
    for table in TABLES.values():
        assert not personal_names(table.header)
        for column in table.columns:
            assert column.meaning.endswith(".")
