"""``headframe export``: pseudonyms unless there is a reason, tables of everything, messages, no tracebacks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from headframe.cli import app
from headframe.cli.exit_codes import ExitCode
from tests.casework.office import Office

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A workspace with findings on two sites and one case."""
    place = Office(tmp_path_factory.mktemp("office"))
    place.find("192.0.2.10")
    place.find("192.0.2.200", "more.jsonl")
    place.open()
    for name in ("verifier",):
        (place.folder / f"{name}.token").write_text(place.tokens[name], encoding="utf-8")
        (place.folder / f"{name}.token").chmod(0o600)
    place.work.close()
    return place


@pytest.fixture
def run(office: Office) -> Run:
    """Run ``headframe export``; gives the result."""

    def of(*words: str, code: ExitCode = ExitCode.OK) -> Any:
        done = CliRunner().invoke(app, ["export", *words], env={"HEADFRAME_WORKSPACE": str(office.folder)})
        assert done.exit_code == code, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    return of


def test_findings_leave_with_pseudonyms(run: Run) -> None:
    """STIX and OCSF name neither an address nor a site, and need no account."""
    bundle = run("findings", "--format", "stix", "--tlp", "green").stdout
    assert json.loads(bundle)["type"] == "bundle"
    events = [json.loads(line) for line in run("findings", "--format", "ocsf", "--mining-only").stdout.splitlines()]
    assert len(events) == 4
    for text in (bundle, json.dumps(events)):
        assert "192.0.2." not in text
        assert "Foundry" not in text
    one_site = run("findings", "--format", "ocsf", "--site", "S1").stdout.splitlines()
    assert len(one_site) == 2


def test_a_site_on_the_other_side_leaves_with_a_pseudonym(tmp_path: Path) -> None:
    """Public addresses that the registry assigns are parties', and so is one that was found to mine elsewhere."""
    place = Office(tmp_path / "office")
    place.find("192.0.2.10", "one.jsonl", peer="192.0.2.130:3333")
    place.find("198.51.100.77", "two.jsonl", peer="203.0.113.5:3333")
    place.find("192.0.2.11", "three.jsonl", peer="198.51.100.77:3333")
    place.work.close()
    for form in ("stix", "ocsf"):
        done = CliRunner().invoke(
            app, ["export", "findings", "--format", form], env={"HEADFRAME_WORKSPACE": str(place.folder)}
        )
        assert done.exit_code == ExitCode.OK, done.stderr
        assert not [name for name in ("192.0.2.", "198.51.100.77") if name in done.stdout]
        assert "203.0.113.5" in done.stdout


def test_addresses_leave_for_a_reason_that_is_kept(run: Run, office: Office) -> None:
    """Who takes them out is in the access log and in the ledger."""
    token = str(office.folder / "verifier.token")
    bundle = run(
        "findings", "--format", "stix", "--reveal", "request 17", "--as", "verifier", "--token-file", token
    ).stdout
    assert "192.0.2.10" in bundle
    work = office.reopen()
    try:
        kept = [one for one in work.store.accesses(account="verifier").rows if one.reason == "request 17"]
        assert len(kept) == 1
        assert not work.store.pending_leaves()
        (leaf,) = work.store.leaves(leaf_ids=[f"access/{kept[0].access_id}"])
        assert leaf.index is not None
    finally:
        work.close()
    refused = run("findings", "--format", "stix", "--reveal", "because", code=ExitCode.REFUSED)
    assert "account" in refused.stderr
    assert "192.0.2." not in refused.stdout


def test_tables_of_findings_hold_addresses_and_need_a_reason(run: Run) -> None:
    """CSV and Parquet are as the workspace keeps them."""
    for form in ("csv", "parquet"):
        done = run("findings", "--format", form, "--output", "x", code=ExitCode.USAGE)
        assert "--reveal" in done.stderr


@pytest.mark.parametrize(("name", "rows"), [("cases", 1), ("events", 2), ("clocks", None), ("register", 0)])
def test_every_table_is_written(run: Run, tmp_path: Path, name: str, rows: int | None) -> None:
    """To standard output as CSV, and into a file as Parquet; both hold the same."""
    text = run(name).stdout
    told = list(csv.DictReader(io.StringIO(text)))
    assert rows is None or len(told) == rows
    path = tmp_path / f"{name}.parquet"
    done = run(name, "--format", "parquet", "--output", str(path))
    assert done.stdout == ""
    assert pl.read_parquet(path).height == len(told)


def test_the_funnel_says_what_it_hides(run: Run) -> None:
    """One case is too few to show."""
    done = run("funnel", "--by", "region")
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0][:3] == ["group", "screened", "flagged"]
    assert all("1" not in row[1:] for row in rows[1:])
    assert "not shown" in done.stderr
    assert run("funnel", "--min-cell", "1").stdout.count('"1"')


def test_what_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    """Parquet needs a file, a file needs a folder; never a traceback."""
    assert "--output" in run("cases", "--format", "parquet", code=ExitCode.USAGE).stderr
    nowhere = tmp_path / "none" / "cases.csv"
    assert "cannot be written" in run("cases", "--output", str(nowhere), code=ExitCode.USAGE).stderr
    assert "no finding" in run("findings", "--case", "HF-2020-000001", code=ExitCode.USAGE).stderr
    path = tmp_path / "cases.csv"
    run("cases", "--output", str(path))
    assert path.read_text(encoding="utf-8").startswith('"case_id"')
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("command", ["findings", "cases", "events", "clocks", "register", "funnel"])
def test_each_command_has_an_example(command: str) -> None:
    """In its help."""
    done = CliRunner().invoke(app, ["export", command, "--help"])
    assert f"headframe export {command}" in done.stdout


def test_an_entry_that_has_expired_leaves_by_its_number_alone(tmp_path: Path) -> None:
    """As lists and look-ups have it: neither its party, nor its site, nor its case, nor what was decided."""
    office = Office(tmp_path / "workspace", training=True)
    office.enter_register()
    (entry,) = office.work.register_entries()
    office.work.close()

    def exported(now: str) -> list[dict[str, str]]:
        environment = {"HEADFRAME_WORKSPACE": str(office.folder), "HEADFRAME_NOW": now}
        done = CliRunner().invoke(app, ["export", "register"], env=environment)
        assert done.exit_code == ExitCode.OK, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    (now,) = exported("2027-07-01T00:00:00Z")
    assert (now["entry_id"], now["organisation_id"], now["outcome"]) == (entry.entry_id, "O1", "confirmed")
    (over,) = exported("2030-01-01T00:00:00Z")
    told = {name: value for name, value in over.items() if value}
    assert told.pop("removed")
    assert told == {"entry_id": entry.entry_id, "removal_reason": "expired"}
