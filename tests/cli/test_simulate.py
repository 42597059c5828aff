"""``headframe simulate`` and ``headframe compile``, by the real program."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import captures

Run = Callable[..., subprocess.CompletedProcess[str]]

SMALL = ("--minutes", "2", "--miners", "2")


def test_capture_truth_and_indicators_are_written_and_named(headframe: Run, tmp_path: Path) -> None:
    """The four paths go to standard output, what to do next to standard error."""
    done = headframe("simulate", "capture", "new/demo", "--seed", "3", *SMALL)
    assert done.returncode == 0, done.stderr
    paths = done.stdout.splitlines()
    names = ("office.pcap", "office.truth.json", "office.indicators.csv", "office.blocks.csv")
    assert paths == [f"new/demo/{name}" for name in names]
    assert all((tmp_path / path).stat().st_size for path in paths)
    command = f"headframe scan {paths[0]} --indicators {paths[2]} --clock {paths[3]}"
    assert done.stderr == f"headframe: now find them: {command}\n"


def test_what_was_simulated_is_found(headframe: Run, tmp_path: Path) -> None:
    """The command that the last line names finds the miners that the truth names."""
    headframe("simulate", "capture", "demo", "--seed", "3", "--minutes", "10", "--miners", "2", "--format", "pcapng")
    truth = json.loads((tmp_path / "demo" / "office.truth.json").read_text(encoding="utf-8"))
    done = headframe(
        "scan", "demo/office.pcapng", "--indicators", "demo/office.indicators.csv", "--format", "jsonl", "-q"
    )
    assert done.returncode == 0, done.stderr
    found = {json.loads(line)["host"] for line in done.stdout.splitlines()}
    assert {miner["host"] for miner in truth["miners"]} <= found


def test_same_seed_same_capture(headframe: Run, tmp_path: Path) -> None:
    """Byte for byte, so that two people can speak of the same capture; another seed gives another one."""
    for folder, seed in [("a", "5"), ("b", "5"), ("c", "6")]:
        headframe("simulate", "capture", folder, "--seed", seed, *SMALL)
    a, b, c = ((tmp_path / folder / "office.pcap").read_bytes() for folder in "abc")
    assert a == b
    assert a != c


def test_meters_are_written_and_named(headframe: Run, tmp_path: Path) -> None:
    """The ten paths go to standard output, how much it is and what to do next to standard error."""
    done = headframe("simulate", "meters", "new/district", "--points", "30", "--days", "3", "--place", "tashkent")
    assert done.returncode == 0, done.stderr
    paths = done.stdout.splitlines()
    names = ("readings.parquet", "readings.csv", "registers.csv", "topology.csv", "transformers.csv", "weather.csv",
             "prices.csv", "tariff.csv", "sites.csv", "truth.csv")  # fmt: skip
    assert paths == [f"new/district/{name}" for name in names]
    assert all((tmp_path / path).stat().st_size for path in paths)
    much, then = done.stderr.splitlines()
    assert "of 30 supply points" in much
    assert "2 miners, new/district/truth.csv says where" in much
    command = (
        "headframe meters new/district/readings.parquet --topology new/district/topology.csv "
        "--topology new/district/transformers.csv --weather new/district/weather.csv --prices new/district/prices.csv "
        "--sites new/district/sites.csv --zone Asia/Tashkent"
    )
    assert then == f"headframe: now find them: {command}"


def test_meters_that_are_replaced_are_told(headframe: Run, tmp_path: Path) -> None:
    """An older district is gone without a word otherwise; one of a thing is no plural."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "weather.csv").write_text("x")
    one = ("simulate", "meters", "d", "--points", "1", "--days", "2", "--prevalence", "0")
    first, much, _ = headframe(*one).stderr.splitlines()
    assert first == "headframe: 1 older file of the same names in d was replaced"
    assert "of 1 supply point and 1 transformer; no miners" in much
    assert headframe(*one).stderr.startswith("headframe: 10 older files of the same names in d were replaced\n")


def test_options_of_meters_reach_the_simulation(headframe: Run, tmp_path: Path) -> None:
    """Interval, first day, place, share of homes, and no faults: 2026-03-08 has 23 hours in Chicago."""
    done = headframe(
        "simulate", "meters", "d", "--points", "12", "--days", "2", "--step-minutes", "30", "--from", "2026-03-07",
        "--place", "chicago", "--homes", "1", "--prevalence", "0", "--no-faults", "--seed", "8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with (tmp_path / "d" / "readings.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["flow"] == "delivered"]
    assert len(rows) == 13 * 2 * 47
    assert {row["quality"] for row in rows} == {"measured"}
    assert rows[0]["start"] == "2026-03-07T00:00:00-06:00"
    assert rows[93]["start"] == "2026-03-08T23:30:00-05:00"
    with (tmp_path / "d" / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = list(csv.DictReader(file))
    assert all(row["mining"] == "no" and row["what"].startswith("home") for row in truth)


def test_places_are_those_of_the_simulator() -> None:
    """The command line names them without loading it."""
    from headframe.cli.simulate import PlaceName
    from headframe.simulate.meters import PLACES

    assert [str(name) for name in PlaceName] == list(PLACES)


@pytest.mark.parametrize(
    "wrong",
    [("--step-minutes", "20"), ("--points", "0"), ("--prevalence", "0.9"), ("--place", "mars"), ("--from", "x")],
)
def test_meters_that_make_no_sense_are_refused(headframe: Run, tmp_path: Path, wrong: tuple[str, str]) -> None:
    """As usage, in words, before anything is written."""
    done = headframe("simulate", "meters", "d", *wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "d").exists()


def test_meters_where_no_folder_can_be(headframe: Run, tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / "taken").write_text("x")
    done = headframe("simulate", "meters", "taken/d", "--points", "5", "--days", "2")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == "headframe: taken/d could not be written: Not a directory; choose another OUT_FOLDER\n"


def test_folder_that_cannot_be_made(headframe: Run, tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / "taken").write_text("x")
    done = headframe("simulate", "capture", "taken/demo", *SMALL)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == "headframe: taken/demo could not be written: Not a directory; choose another OUT_FOLDER\n"


def test_compiled_kernels_that_cannot_be_kept(headframe: Run, tmp_path: Path) -> None:
    """Else every run is slow, and nobody knows why."""
    (tmp_path / "taken").write_text("x")
    (tmp_path / "office.pcap").write_bytes(captures.office())
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "taken")}
    done = headframe("scan", "office.pcap", **environment)
    assert done.returncode == 0, done.stderr
    first, second = done.stderr.splitlines()
    assert first == "headframe: compiling for this machine, once; this takes about half a minute"
    assert second.startswith(f"headframe: cannot keep the compiled kernels in {tmp_path}/taken/kernels-")
    assert second.endswith(": set NUMBA_CACHE_DIR to a folder that can be written")


def test_compiling_is_done_once(headframe: Run) -> None:
    """After it, scans start at once; a second time there is nothing to do."""
    first = headframe("compile")
    assert first.returncode == 0
    assert first.stderr.splitlines()[-1].startswith(("headframe: compiled in ", "headframe: already compiled"))
    second = headframe("compile")
    assert (second.returncode, second.stdout) == (0, "")
    assert second.stderr == "headframe: already compiled for this machine\n"
