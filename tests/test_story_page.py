"""The commands of ``docs/story.md``, as a stranger types them: from the district's files to cases."""

import csv
import json
from pathlib import Path

import pytest

from tests.casework.worked_example import Example, commands_of


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> tuple[Example, dict[str, str]]:
    """The page's commands, run, and what each wrote to standard output."""
    example = Example(tmp_path_factory.mktemp("story_page"))
    said = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(example.folder)
        for line in commands_of(project_root / "docs" / "story.md"):
            if not line.startswith("python "):  # tests/test_story.py runs the program
                said[line] = example.run(line)
    return example, said


def test_the_findings_are_those_of_the_sites(done: tuple[Example, dict[str, str]]) -> None:
    """Network and meters, at the sites whose truth says so; the innocent rows of the meters say nothing of mining."""
    example, _ = done
    with (example.folder / "district" / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["site"]: row for row in csv.DictReader(file)}
    rows = json.loads(example.run("headframe findings list --mining --limit 500 --format json"))["rows"]
    assert {row["site_id"] for row in rows} <= {*truth, ""}
    on_network = {site for site, row in truth.items() if row["host"]}
    assert {row["site_id"] for row in rows if row["family"] in ("content", "endpoint", "timing")} == on_network
    assert {row["site_id"] for row in rows if row["family"] == "balance"} == {"mill-lane"}
    meters = [json.loads(line) for line in (example.folder / "meters.jsonl").read_text().splitlines()]
    points = {row["usage_point"]: row["listed"] for row in meters}
    for row in json.loads(example.run("headframe findings list --limit 500 --format json"))["rows"]:
        if row["family"] in ("load", "balance"):
            assert row["mining"] is points[row["subject"]], row
            assert row["says"] == ("mining" if points[row["subject"]] else "worth a look")


def test_the_cases_are_opened_on_what_was_found(done: tuple[Example, dict[str, str]]) -> None:
    """Seen from both sides, found in the register, and the theft by its transformer alone."""
    example, _ = done
    views = [
        json.loads(example.run(f"headframe case show HF-2026-00000{number} --format json")) for number in (1, 2, 3)
    ]
    assert [view["site"]["site_id"] for view in views] == ["data-hill", "licence-hall", "mill-lane"]
    assert [view["lookup"]["outcome"] for view in views] == ["not_listed", "listed", "not_listed"]


def test_what_goes_past_the_meter_is_what_the_balance_misses(done: tuple[Example, dict[str, str]]) -> None:
    """The truth's figure lies within the interval of the finding; the machines' own power need not."""
    example, _ = done
    with (example.folder / "district" / "truth.csv").open(encoding="utf-8", newline="") as file:
        (mill,) = [row for row in csv.DictReader(file) if row["site"] == "mill-lane"]
    meters = [json.loads(line) for line in (example.folder / "meters.jsonl").read_text().splitlines()]
    (row,) = [row for row in meters if "balance" in row["families"]]
    assert row["zone"] == "Asia/Shanghai"
    assert row["mode"] == "unmetered"
    assert row["power_w"]["low"] * 0.9 < float(mill["past_meter_w"]) < row["power_w"]["high"] * 1.1
