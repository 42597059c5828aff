"""The commands of reports and of retention: what is given by hand, and what there is nothing to do for."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from headframe.casework.accounts import new_token
from headframe.cli import app
from headframe.cli.exit_codes import ExitCode
from headframe.records.case import Account, Duty
from headframe.stores.database import open_store
from headframe.stores.database.tables import CERTIFICATES
from tests.casework.office import Office


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with a case that was just opened, and two accounts with every duty."""
    office = Office(tmp_path / "workspace", training=True)
    office.find("192.0.2.9")
    office.open()
    for name in ("one", "two"):
        token = new_token()
        office.admit(Account(name=name, unit="drc", duties=frozenset(Duty)), token)
        (tmp_path / f"{name}.token").write_text(token)
        (tmp_path / f"{name}.token").chmod(0o600)
    office.work.close()
    return tmp_path


def run(place: Path, *words: str) -> Result:
    environment = {
        "HEADFRAME_WORKSPACE": str(place / "workspace"), "HEADFRAME_ACCOUNT": "one",
        "HEADFRAME_TOKEN_FILE": str(place / "one.token"), "HEADFRAME_NOW": "2026-05-02T00:00:00Z",
    }  # fmt: skip
    return CliRunner().invoke(app, list(words), prog_name="headframe", env=environment)


@pytest.mark.parametrize(("given", "words"), [
    (["HF-2026-000001 scale 20 kW"], "cannot be read"),
    (["HF-2026-000001 scale 20 kWh: bill"], "scale is in W"),
    (["HF-2026-000001 scale 20 kW: bill", "HF-2026-000001 scale 21 kW: bill"], "given twice"),
    (["HF-2026-000001 scale 20 kW: bill"], "shows no such figure"),
])  # fmt: skip
def test_a_number_that_would_stand_nowhere_is_refused(place: Path, given: list[str], words: str) -> None:
    """Before anything is written: one that cannot be read, twice the same, and one for a case without a decision."""
    options = [word for one in given for word in ("--given", one)]
    done = run(
        place, "report", "period", "--pack", "cn-bj-2024", "--period", "2026-W18", "--duty", "weekly-ledger", *options
    )
    assert done.exit_code not in (ExitCode.OK, 1), done.output
    assert words in done.stderr.replace("\n", " ")
    assert not done.stdout


def test_a_period_that_has_not_begun_is_refused(place: Path) -> None:
    """Nobody reports of the future."""
    done = run(place, "report", "period", "--pack", "cn-bj-2024", "--period", "2026-W40")
    assert done.exit_code not in (ExitCode.OK, 1), done.output
    assert "there is nothing to report of it yet" in done.stderr.replace("\n", " ")


def test_where_nothing_is_due_no_certificate_is_written(place: Path) -> None:
    """It is said, and that is all; no second account is asked for in vain."""
    shown = run(place, "retention", "run")
    done = run(
        place, "retention", "run", "--with", "two", "--with-token-file", str(place / "two.token"), "--out",
        str(place / "out"),
    )  # fmt: skip
    for one in (shown, done):
        assert one.exit_code == ExitCode.OK, one.output
        assert "nothing is due; nothing was destroyed, and no certificate was written" in one.stderr
        assert "--with NAME" not in one.stderr
        assert "pack " not in one.stderr, "no shipped pack names a period that nobody keeps"
    assert not done.stdout
    assert not (place / "out").exists()
    assert json.loads(run(place, "retention", "certificates", "--format", "json").stdout)["rows"] == []


def test_files_that_were_not_written_anew_are_told_of_and_written(place: Path) -> None:
    """Though nothing is due: by whoever looks it is told, and by the next run with two accounts it is done."""
    document = {"certificate": "D-cut-off", "at_ns": "0", "proposer": "a", "approver": "b", "destroyed": []}
    store = open_store(place / "workspace" / "headframe.db")
    with store.writing() as writer:
        row = {"certificate_id": "D-cut-off", "at_ns": 0, "proposer": "a", "approver": "b"}
        writer.db.execute(CERTIFICATES.insert(), {**row, "document": json.dumps(document)})
    store.close()

    def told() -> str:
        return run(place, "retention", "run").stderr.replace("\n", " ")

    assert "may still hold what was destroyed by D-cut-off" in told()
    assert "not written anew yet" in run(place, "retention", "certificates").stdout
    done = run(place, "retention", "run", "--with", "two", "--with-token-file", str(place / "two.token"))
    assert done.exit_code == ExitCode.OK, done.output
    assert "written anew, as D-cut-off still had to be" in done.stderr.replace("\n", " ")
    assert "nothing is due" in done.stderr
    assert "D-cut-off" not in told()
    assert "not written anew yet" not in run(place, "retention", "certificates").stdout


def test_a_text_with_a_way_to_reach_somebody_is_told_of(place: Path) -> None:
    """On the screen, once the act is done; what was typed is not said again."""
    for text, warned in (("a cold store", False), ("call +86 138 1234 5678", True)):
        done = run(place, "retention", "hold", "--reason", text)
        assert done.exit_code == ExitCode.OK, done.output
        assert ("what looks like a telephone number" in done.stderr.replace("\n", " ")) is warned
        assert "5678" not in done.output
