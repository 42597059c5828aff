"""``headframe sites``: tables in, what they say out, and no address anywhere but on request.

Once by the real program; else in this process, where a run takes no time to start.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headframe.cli import app
from headframe.reports.jsonl import finding_lines
from tests.sites.test_assessment import finding

Run = Callable[..., subprocess.CompletedProcess[str]]

SECRET = "Quarry Lane 5"
SITES = (
    "site,name,kind,organisation,prefix,usage_point,valid_from,valid_until\n"
    "A,North park,industrial park,ACME,10.1.0.0/16,UP1,2026-01-01,2026-06-30\n"
    "B,Campus,campus,University,10.2.0.0/33,,,\n"
    "C,,household,,,UP3,,\n"
)
LAWFUL = "entry,register,site,power_limit_mw,valid_until\nL1,fns,A,1.5,2026-12-31\nL2,fns,A,x,\n"
CONTACTS = f"role,site,address\nlegal,A,{SECRET}\npet,A,{SECRET}\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in (("sites.csv", SITES), ("lawful.csv", LAWFUL), ("desks.csv", CONTACTS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def here(files: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The program in this process, in the folder of the files."""
    monkeypatch.chdir(files)

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = CliRunner(env=environment).invoke(app, list(arguments), prog_name="headframe")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


ALL = ("sites.csv", "--lawful", "lawful.csv", "--contacts", "desks.csv")


def test_check_counts_and_tells(headframe: Run, files: Path) -> None:
    """What there is by kind to standard output, each lost row to standard error, exit code 3, and nothing kept."""
    done = headframe("sites", "check", *ALL)
    assert done.returncode == 3, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0] == ["table", "kind", "number"]
    assert ["site", "household_premises", "1"] in rows
    assert ["assignment", "usage_point", "2"] in rows
    assert ["lawful", "licence", "1"] in rows
    assert ["contact", "legal", "1"] in rows
    assert "sites.csv row 3 could not be used: '10.2.0.0/33' is no network prefix" in done.stderr
    assert "lawful.csv row 3 could not be used: power_limit_mw is 'x'" in done.stderr
    assert "desks.csv row 3 could not be used: unknown role" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert sorted(path.name for path in files.iterdir()) == ["desks.csv", "lawful.csv", "sites.csv"]


def test_check_as_json(here: Run, files: Path) -> None:
    """The same for programs, with all of it."""
    done = here("sites", "check", *ALL, "--format", "json")
    value = json.loads(done.stdout)
    assert {"table": "lawful", "kind": "licence", "rows": 1} in value["rows"]
    assert [one["source"] for one in value["damaged"]] == ["sites.csv row 3", "lawful.csv row 3", "desks.csv row 3"]


def test_good_tables_end_well(here: Run, files: Path) -> None:
    """Exit code 0, and no word on standard error."""
    (files / "good.csv").write_text("site,prefix\nA,10.0.0.0/8\n", encoding="utf-8")
    done = here("sites", "check", "good.csv")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["check"], 2, "no file was given; name a table of sites, --lawful FILE or --contacts FILE"),
        (["check", "none.csv"], 4, "none.csv: cannot be read: No such file or directory"),
        (["check", "people.csv"], 4, "people.csv: 'owner_name' would hold people, and Headframe has no place for them"),
        (["check", "sites.csv", "--zone", "Mars"], 2, "'Mars' is no time zone"),
        (["import", "sites.csv", "--workspace", "empty"], 4, "is no workspace for casework yet"),
        (["show", "A", "--workspace", "empty"], 4, "headframe workspace init"),
    ],
)
def test_what_is_wrong_is_said(here: Run, files: Path, arguments: list[str], code: int, says: str) -> None:
    """In a sentence with what to do, and the exit code of the page on them."""
    (files / "people.csv").write_text("site,owner_name\nA,Anna\n", encoding="utf-8")
    done = here("sites", *arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "Anna" not in done.stderr


@pytest.fixture
def workspace(here: Run, files: Path) -> Callable[..., Any]:
    """A workspace with a clerk; gives a runner that acts as the clerk."""
    for arguments in (
        ("workspace", "init", "--workspace", "ws", "--unit", "Test", "--admin", "admin", "--new-token-file", "a.token"),
        ("account", "add", "clerk", "--unit", "U", "--duty", "screen", "--new-token-file", "c.token",
         "--workspace", "ws", "--as", "admin", "--token-file", "a.token"),
    ):  # fmt: skip
        done = here(*arguments)
        assert done.returncode == 0, done.stderr

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return here("sites", *arguments, "--workspace", "ws", HEADFRAME_ACCOUNT="clerk", HEADFRAME_TOKEN_FILE="c.token")

    return run


def test_import_show_lawful_address(files: Path, workspace: Run) -> None:
    """From files to a site with all that is known of it; its address for a reason only."""
    done = workspace("import", *ALL, "--zone", "Asia/Shanghai")
    assert done.returncode == 3, done.stderr
    assert "desks.csv row 3 could not be used" in done.stderr

    shown = workspace("show", "A")
    assert shown.returncode == 0, shown.stderr
    assert "A: North park (industrial park)" in shown.stdout
    assert "usage point: UP1, 2026-01-01 through 2026-06-30 (sites.csv row 2)" in shown.stdout
    assert "lawful: fns L1, licence for site A, open through 2026-12-31, up to 1.5 MW" in shown.stdout
    assert shown.stdout.endswith("days: of Asia/Shanghai\n")
    assert "contact: A/legal/post, legal by post, sealed" in shown.stdout
    assert SECRET not in shown.stdout

    value = json.loads(workspace("show", "A", "--format", "json").stdout)
    assert value["lawful"][0]["power_limit_w"] == 1.5e6
    assert value["contacts"] == [{"contact": "A/legal/post", "role": "legal", "channel": "post", "address": "sealed"}]
    assert list(value["registers"]) == ["fns"]

    listed = workspace("lawful", "A", "--format", "json")
    assert [row["entry"] for row in json.loads(listed.stdout)["rows"]] == ["L1"]
    assert "registers: fns as of 20" in workspace("lawful", "A").stderr

    days_are_those_that_were_given(workspace)

    address = workspace("address", "A/legal/post", "--site", "A", "--reason", "notice of HF-2026-000001")
    assert address.stdout == f"{SECRET}\n", address.stderr
    assert workspace("address", "A/legal/post", "--site", "A", "--reason", " ").returncode == 2
    unknown = workspace("address", "A/pet/post", "--site", "A", "--reason", "r")
    assert unknown.returncode == 2
    assert "it has A/legal/post" in unknown.stderr

    missing = workspace("show", "Q")
    assert missing.returncode == 2
    assert "there is no site 'Q'; headframe sites import FILE adds some" in missing.stderr
    for path in (files / "ws").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def days_are_those_that_were_given(workspace: Run) -> None:
    """In the zone of the import unless another is asked for, which is said; exact instants stand beside them in UTC."""
    value = json.loads(workspace("lawful", "A", "--format", "json").stdout)
    assert value["zone"] == "Asia/Shanghai"
    (row,) = value["rows"]
    assert (row["valid_from"], row["valid_until"]) == ("", "2026-12-31")
    assert (row["valid_from_utc"], row["valid_before_utc"]) == (None, "2026-12-31T16:00:00.000000000Z")
    assert "valid through (Asia/Shanghai)\t" in workspace("lawful", "A").stdout
    elsewhere = workspace("lawful", "A", "--zone", "UTC")
    assert "valid through (UTC)\t" in elsewhere.stdout
    assert "\t2026-12-31 16:00\t" in elsewhere.stdout
    (point,) = [
        one
        for one in json.loads(workspace("show", "A", "--format", "json").stdout)["assignments"]
        if one["value"] == "UP1"
    ]
    assert (point["valid_from"], point["valid_until"]) == ("2026-01-01", "2026-06-30")
    assert point["valid_from_utc"] == "2025-12-31T16:00:00.000000000Z"


def test_the_next_import_means_the_same_days(files: Path, workspace: Run) -> None:
    """Without --zone a table is read as the last one was, and that is said; the first one is of UTC."""
    (files / "more.csv").write_text("site,prefix,valid_until\nD,198.51.100.0/24,2026-03-31\n", encoding="utf-8")
    assert workspace("import", "more.csv").returncode == 0
    assert "through 2026-03-31" in workspace("show", "D").stdout
    assert workspace("show", "D").stdout.endswith("days: of UTC\n")
    assert workspace("import", "sites.csv", "--zone", "Asia/Shanghai").returncode == 3
    again = workspace("import", "more.csv")
    assert "days are read as those of Asia/Shanghai, as at the last import" in again.stderr
    shown = workspace("show", "D").stdout
    assert "through 2026-03-31 (more.csv" in shown
    assert "2026-03-31T16:00" in workspace("show", "D", "--format", "json").stdout
    assert workspace("import", "more.csv", "--zone", "Mars/Base").returncode == 2


def test_an_import_needs_an_account(here: Run, files: Path, workspace: Run) -> None:
    """With a duty for it; else nothing is imported."""
    done = here("sites", "import", "sites.csv", "--workspace", "ws")
    assert done.returncode == 6
    assert "HEADFRAME_ACCOUNT" in done.stderr
    admin = here("sites", "import", "sites.csv", "--workspace", "ws", "--as", "admin", "--token-file", "a.token")
    assert admin.returncode == 6, admin.stderr
    assert workspace("show", "A").returncode == 2


def test_the_whole_table_and_the_findings_that_follow(here: Run, files: Path, workspace: Run) -> None:
    """What ends is counted, and what became of findings, in words and for programs; slips of options are told."""
    (files / "one.csv").write_text("site,prefix\nA,198.51.100.0/24\nB,203.0.113.0/24\n", encoding="utf-8")
    (files / "two.csv").write_text("site,prefix\nA,198.51.100.0/24\n", encoding="utf-8")
    (files / "f.jsonl").write_text("".join(finding_lines([finding("198.51.100.7"), finding("203.0.113.9")])))
    clerk = {"HEADFRAME_ACCOUNT": "clerk", "HEADFRAME_TOKEN_FILE": "c.token"}
    done = here("findings", "import", "f.jsonl", "--workspace", "ws", **clerk)
    assert "1 finding of no known site" in done.stderr
    done = workspace("import", "one.csv")
    assert "2 findings that no case rests on resolved again: 2 have a site now, 0 went" in done.stderr
    value = json.loads(workspace("import", "two.csv", "--whole-sites", "--format", "json").stdout)
    assert (value["ended_sites"], value["ended_assignments"]) == (1, 1)
    assert value["findings"] == {"looked_at": 2, "found": 0, "moved": 0, "lost": 0, "by_logs": 0}, "the past stays"
    workspace("import", "one.csv")
    done = workspace("import", "two.csv", "--whole-sites", "--gone-since", "1970-01-01")
    assert "1 site and 1 assignment that the table does not hold any more end" in done.stderr
    assert "0 have a site now, 0 went to another site, 1 have none any more" in done.stderr
    for arguments, words in (
        (("--whole-sites", "--lawful", "lawful.csv"), "--whole-sites is about tables of sites, and none was given"),
        (("two.csv", "--gone-since", "2026-01-01"), "give both, or neither"),
        (("two.csv", "--whole-sites", "--gone-since", "soon"), "--gone-since 'soon'"),
    ):
        done = workspace("import", *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [("f.jsonl", ""), ("f.jsonl", "\n\n"), ("f.json", '{"schema_version": "1.2", "findings": []}')],
)
@pytest.mark.usefixtures("workspace")
def test_a_file_without_findings_is_told(here: Run, files: Path, name: str, content: str) -> None:
    """Clean traffic gives such a file, and so does a slip of the pen: somebody must see that nothing came."""
    (files / name).write_text(content)
    done = here(
        "findings", "import", name, "--workspace", "ws", HEADFRAME_ACCOUNT="clerk", HEADFRAME_TOKEN_FILE="c.token"
    )
    assert done.returncode == 0
    assert f"{name}: read to its end, and no finding is in it; nothing was imported" in done.stderr
