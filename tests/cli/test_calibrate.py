"""``headframe calibrate``, by the real program."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from headframe.stores.calibration import load_table
from tests.cli import captures

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_matches_are_counted_by_corpus(headframe: Run, tmp_path: Path) -> None:
    """A corpus without mining has no match; the bound is the one that its size allows."""
    (tmp_path / "office-week").mkdir()
    (tmp_path / "office-week" / "a.pcap").write_bytes(captures.office())
    done = headframe("calibrate", "office-week", "--out", "table.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    table = load_table(tmp_path / "table.json")
    rows = [row for row in table.rows if row.detector == "stratum"]
    assert rows
    for row in rows:
        assert [corpus.name for corpus in row.corpora] == ["office-week"]
        assert sum(corpus.matches for corpus in row.corpora) == 0
    assert done.stderr.endswith(f"headframe: {len(table.rows)} rows written to table.json\n")


def test_a_corpus_that_is_not_there(headframe: Run, tmp_path: Path) -> None:
    """Named, with code 4, and no table is written."""
    done = headframe("calibrate", "nowhere", "--out", "table.json")
    assert done.returncode == 4
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "table.json").exists()


def test_folder_of_the_table_must_exist(headframe: Run) -> None:
    """Found before the corpora are read."""
    done = headframe("calibrate", "nowhere", "--out", "away/table.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "headframe: away is no folder, so table.json cannot be written there; create it first\n"
