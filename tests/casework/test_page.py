"""``docs/casework.md`` is run from top to bottom: what it shows is what the program does."""

import json
import shutil
from pathlib import Path

import pytest

from headframe.casework import open_workspace
from tests.casework.office import sealed_events
from tests.casework.worked_example import Example, commands_of


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> tuple[Example, dict[str, str]]:
    """The page's commands, run, and what each wrote to standard output."""
    folder = tmp_path_factory.mktemp("page")
    for file in (project_root / "examples" / "casework").iterdir():
        shutil.copy(file, folder)
    example = Example(folder)
    said = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in commands_of(project_root / "docs" / "casework.md"):
            said[line] = example.run(line)
    return example, said


def test_the_case_ends_as_the_page_says(done: tuple[Example, dict[str, str]]) -> None:
    """Closed as rectified, and in the register of decisions."""
    example, said = done
    view = json.loads(example.run("headframe case show HF-2026-000001 --format json"))
    assert (view["stage"], view["closure"], view["training"]) == ("closed", "rectified", True)
    (entry,) = json.loads(example.run("headframe register list --format json"))["rows"]
    assert (entry["site"], entry["outcome"], entry["basis"]) == ("FOUNDRY", "confirmed", ["bj24#18"])
    assert entry["entry"] in said["headframe register lookup Foundry"]


def test_everything_of_it_is_in_the_ledger(done: tuple[Example, dict[str, str]]) -> None:
    """Every event has its leaf, and the log its events, unaltered."""
    example, _ = done
    with open_workspace(example.folder / "workspace") as work:
        sealed_events(work)()


def test_the_letters_were_copied_out(done: tuple[Example, dict[str, str]]) -> None:
    """PDF and HTML, of the very bytes that the digest names."""
    example, _ = done
    letters = sorted((example.folder / "letters").iterdir())
    assert {path.suffix for path in letters} >= {".pdf", ".html"}
    assert all(path.read_bytes().startswith(b"%PDF-") for path in letters if path.suffix == ".pdf")
