"""``headframe meters``, by the real program: every form, exit codes, and what goes to which stream."""

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from headframe.reports.meters import CSV_COLUMNS, PEOPLE_DECIDE
from tests.engines.meters_population import home, shop
from tests.test_meters import table_of

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen points: one home with a machine, one shop that is too short."""
    path = tmp_path_factory.mktemp("meters") / "readings.parquet"
    made = [shop(f"S{k:02d}", k, days=42) for k in range(8)]
    made += [home("H1", 5, days=42), home("H2", 6, days=42, machine_w=1_500.0), shop("Z", 8, days=5)]
    table_of(made).write_parquet(path)
    return path


def test_json_lines_as_the_issue_asks(headframe: Run, readings: Path, project_root: Path) -> None:
    """--columns, --all: one valid object per usage point on standard output, talk on standard error, a report."""
    done = headframe(
        "meters", str(readings), "--columns", "usage_point=meter,start=ts,energy_kwh=kwh", "--all",
        "--format", "jsonl", "--report", "report.html",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    schema = json.loads((project_root / "docs" / "schema-usage-point.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for row in rows:
        validator.validate(row)
    assert sorted(row["usage_point"] for row in rows) == ["H1", "H2", *(f"S{k:02d}" for k in range(8)), "Z"]
    assert rows[0]["usage_point"] == "H2"
    assert [row["usage_point"] for row in rows if row["score"] is None] == ["Z"]
    assert rows[-1]["insufficient"][0]["missing"]
    assert "of them" in done.stderr or "No entry on the list" in done.stderr
    assert "report written to report.html" in done.stderr


def test_every_form_and_quiet(headframe: Run, readings: Path) -> None:
    """Table, JSON and CSV; with --quiet not a word on standard error."""
    table = headframe("meters", str(readings), "--quiet")
    assert (table.returncode, table.stderr) == (0, "")
    assert "H2" in table.stdout
    assert "S03" not in table.stdout
    assert " ".join(PEOPLE_DECIDE.split()) in " ".join(table.stdout.split())
    document = json.loads(headframe("meters", str(readings), "--quiet", "--format", "json", "--all").stdout)
    assert document["summary"]["rows"] == 11
    rows = list(csv.DictReader(io.StringIO(headframe("meters", str(readings), "-q", "--format", "csv").stdout)))
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert rows[0]["usage_point"] == "H2"


def test_exit_codes(headframe: Run, readings: Path, tmp_path: Path) -> None:
    """1 where the list was asked to fail, 3 where rows were lost, told even with --quiet."""
    listed = headframe("meters", str(readings), "--fail-on-list", "--fdr", "0.2", "--quiet")
    assert listed.returncode == (1 if "yes (" in listed.stdout else 0)
    import polars as pl

    text = tmp_path / "damaged.csv"
    lines = pl.read_parquet(readings).filter(pl.col("meter") == "S01").write_csv().splitlines()
    lines[9] = lines[9].rpartition(",")[0] + ",much"
    text.write_text("\n".join(lines))
    damaged = headframe("meters", str(text), "--quiet")
    assert damaged.returncode == 3
    assert "damaged.csv" in damaged.stderr
    assert "1 row" in damaged.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere.csv"], 4, "nowhere.csv: there is no such file or folder"),
        (["odd.csv"], 4, "--columns"),
        (["odd.csv", "--columns", "start"], 2, "--columns: 'start' is not a pair"),
        (["odd.csv", "--zone", "Mars/Base"], 2, "'Mars/Base' is no time zone"),
        (["odd.csv", "--report", "report.txt"], 2, "does not end in .html"),
        (["odd.csv", "--report", "odd.html"], 2, "is no HTML file"),
        (["odd.csv", "--period", "2"], 2, "--period '2': expected a whole number, 7 to 3,660"),
    ],
)
def test_faults_in_words(headframe: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    """What came, what would be right, and an exit code; a file whose columns nobody knows names those that it has."""
    (tmp_path / "odd.csv").write_text("alpha,beta,gamma\n1,2,3\n4,5,6\n")
    (tmp_path / "odd.html").write_text("no page")
    done = headframe("meters", *arguments)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    if arguments == ["odd.csv"]:
        assert "'alpha', 'beta', 'gamma'" in done.stderr
