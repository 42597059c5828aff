"""``headframe bundle``: the words and the exit codes."""

import json
from pathlib import Path

import pytest
from ledger.format_example import LOG, WITNESS, make_example
from typer.testing import CliRunner, Result

from headframe.casework.case_bundle import safe_name
from headframe.cli import app
from headframe.ledger.bundle import check_path


def headframe(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(make_example(tmp_path)[1])


def test_a_bundle_that_holds(bundle: str, tmp_path: Path) -> None:
    """Each check on a line; what is withheld is said; 0."""
    keys = tmp_path / "unit.pub"
    keys.write_text(LOG.verifier.text() + "\n" + WITNESS.verifier.text() + "\n")
    done = headframe("bundle", "verify", bundle, "--key", str(keys), "--witnesses", "1")
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("Nothing was altered.\n")
    assert "1 fields are withheld or erased" in done.stdout
    assert "co-signed by witness.example/w1" in done.stdout
    value = json.loads(headframe("bundle", "verify", bundle, "--key", str(keys), "--format", "json").stdout)
    assert value["sound"] is True
    assert value["withheld"] == [{"index": 2, "field": "reason"}]


def test_a_bundle_that_was_altered_ends_with_3(bundle: str) -> None:
    """And says what."""
    (Path(bundle) / "documents" / "notice.txt").write_text("Notice HF-2026-000002\n")
    done = headframe("bundle", "verify", bundle, "--key", LOG.verifier.text())
    assert done.exit_code == 3
    assert "documents/notice.txt was changed" in done.stdout
    assert done.stdout.endswith("This bundle does not hold: see what failed above.\n")


def test_without_a_key_it_shows_the_one_inside_and_ends_with_3(bundle: str) -> None:
    """A forger could name any."""
    done = headframe("bundle", "verify", bundle)
    assert done.exit_code == 3
    assert f"compare it with what the unit publishes: {LOG.verifier.text()}" in done.stderr


def test_nothing_there(tmp_path: Path) -> None:
    """In words."""
    done = headframe("bundle", "verify", str(tmp_path / "nowhere"), "--key", LOG.verifier.text())
    assert done.exit_code == 4
    assert "cannot be read: No such file or directory" in done.stderr


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("notice.pdf", "notice.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\letters\\通知.pdf", "通知.pdf"),
        ("a\u202eb\x00c.pdf", "a_b_c.pdf"),
        ("..", "document"),
        ("e\u0301.pdf", "é.pdf"),
        ("文" * 200, "文" * 66),
        (" a. ", "a"),
    ],
)
def test_names_of_documents_become_names_that_any_system_takes(name: str, kept: str) -> None:
    """Whatever a party called its file."""
    assert safe_name(name) == kept
    check_path(f"documents/{'0' * 12}-{safe_name(name)}")
