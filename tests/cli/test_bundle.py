"""``headframe bundle``: the words and the exit codes."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from ledger.format_example import LOG, WITNESS, make_example
from typer.testing import CliRunner, Result

from headframe.casework.case_bundle import safe_name
from headframe.cli import app
from headframe.ledger.bundle import check_path
from tests.casework.office import Office


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


def test_from_the_last_act_to_a_witnessed_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of docs/ledger-format.md, section 9, as they stand there."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    case = office.open()
    office.work.close()
    token = tmp_path / "officer.token"
    token.write_text(office.tokens["officer"])
    token.chmod(0o600)
    acting = {
        "HEADFRAME_WORKSPACE": str(office.folder),
        "HEADFRAME_ACCOUNT": "officer",
        "HEADFRAME_TOKEN_FILE": str(token),
    }
    for name, value in acting.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    Path("unit.pub").write_text(headframe("log", "checkpoint", "--public-key").stdout)
    page = (Path(__file__).parents[2] / "docs" / "ledger-format.md").read_text()
    by_hand = page.partition("\n## 9. By hand\n")[2]
    shutil.copy(office.folder / "admin.token", "admin.token")
    wanted = r"^headframe (?:log witness|log name-witness|log checkpoint --keep cosigned|bundle).*"
    lines = re.findall(wanted, by_hand, re.MULTILINE)
    assert len(lines) >= 8
    for line in lines:
        command = line.partition("   ")[0].replace("/mnt/unit", str(office.folder)).replace("HF-2026-000001", case)
        if "time-stamp" in command or "authority" in command:
            continue
        done = headframe(*shlex.split(command)[1:])
        assert done.exit_code == 0, (command, done.output)
    assert (
        "others have seen; the one about this bundle never is"
        in headframe("bundle", "make", case, "again.zip", "--reason", "x").stderr
    )
    value = json.loads(
        headframe("bundle", "verify", f"{case}.zip", "--key", "unit.pub", "--key", "witness.pub", "--witnesses", "1",
                  "--format", "json").stdout
    )  # fmt: skip
    assert (value["sound"], value["not_witnessed_count"]) == (True, 1)
    assert [one["kind"] for one in value["not_witnessed"]] == ["access"]
    both = ("--key", "witness.pub", "--key", "witness-2.pub", "--witnesses", "2")
    assert headframe("bundle", "verify", f"{case}.zip", "--key", "unit.pub", *both).exit_code == 0


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
