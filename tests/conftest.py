"""Fixtures that every test may use: where the real data is, and which outside tools must be there."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, settings
from typer import testing

PROJECT_ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = PROJECT_ROOT.parent / "shared" / "data"

# Numba compiles on the first call of a kernel, which takes seconds: a deadline per example would be a lie.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
settings.register_profile("dev", max_examples=50, **_COMMON)
settings.register_profile("ci", max_examples=200, derandomize=True, print_blob=True, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--golden``, which ``make golden`` uses."""
    parser.addoption("--golden", action="store_true", help="rewrite the golden files instead of comparing with them")


LONGEST_FIRST = (
    "tests/test_story.py",
    "tests/test_story_page.py",
    "tests/casework/test_together.py",
    "tests/cases/test_rights.py",
    "tests/cli/test_wrong_values.py",
    "tests/acceptance/test_real_captures.py",
    "tests/acceptance/test_simulated_office.py",
    "tests/test_verify_bundle.py",
    "tests/cli/test_casework_faults.py",
    "tests/cli/test_examples_of_help.py",
    "tests/reports/test_html.py",
    "tests/test_app.py",
)
"""Files that take long, the longest first. Files go to the workers whole, and one begun last would run there alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; nothing else changes its place."""
    places = {PROJECT_ROOT / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def missing(what: str) -> None:
    """Skip a test for want of something, but fail it on the machine whose green light counts (``CI`` is set)."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} (CI is set, so this is a failure and not a skip)", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session", autouse=True)
def one_parser_for_all() -> Iterator[None]:
    """Commands that run in this process have their parser made once, and not for each of thousands of runs."""
    made = cache(typer.main.get_command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", made)
        patch.setattr(testing, "_get_command", made)
        yield


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout."""
    return PROJECT_ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """``../shared/data`` beside the project: real captures, labels and lists (read-only)."""
    if not (SHARED_DATA / "network" / "MANIFEST.tsv").is_file():
        missing(f"no real data at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], str]:
    """Give the path of a program that is not ours, such as ``tshark``: ``tshark = require_tool("tshark")``."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            missing(f"{name} is not installed; tools/system-packages.sh installs it")
        assert path is not None
        return path

    return find


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with ``tests/golden/NAME``; ``make golden`` rewrites the files, and the diff is then read."""

    def check(name: str, text: str) -> None:
        path = PROJECT_ROOT / "tests" / "golden" / name
        if request.config.getoption("--golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.is_file(), f"{path} is missing: run make golden, read it, and commit it"
        assert text == path.read_text(encoding="utf-8")

    return check
