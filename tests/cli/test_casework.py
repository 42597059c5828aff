"""The commands of the casework, by the real program: refusals with every reason, ids on standard output, exit codes."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headframe.cli import app, choices
from headframe.cli.exit_codes import ExitCode
from headframe.records import case as acts
from headframe.records.finding import Family
from headframe.records.policy import PartyStanding
from headframe.records.site import SiteKind
from tests.casework.office import PACK, Office

Run = Callable[..., subprocess.CompletedProcess[str]]

CHOICES: list[tuple[type[StrEnum], type[StrEnum]]] = [
    (choices.DutyChoice, acts.Duty), (choices.StageChoice, acts.Stage), (choices.StandingChoice, PartyStanding),
    (choices.NoticeChoice, acts.NoticeKind), (choices.StanceChoice, acts.ReplyStance),
    (choices.OutcomeChoice, acts.DecisionOutcome), (choices.GradeChoice, acts.RemedyGrade),
    (choices.ClosureChoice, acts.ClosureReason), (choices.AppealChoice, acts.AppealOutcome),
    (choices.RelationChoice, acts.CaseRelation), (choices.FamilyChoice, Family), (choices.SiteKindChoice, SiteKind),
]  # fmt: skip


@pytest.mark.parametrize(("shown", "meant"), CHOICES, ids=lambda kind: kind.__name__)
def test_the_words_of_options_are_those_of_the_records(shown: type[StrEnum], meant: type[StrEnum]) -> None:
    """They are written twice so that help is quick; they may never differ."""
    assert [one.value for one in shown] == [one.value for one in meant]


def test_documents_that_can_be_asked_for_are_those_of_a_case() -> None:
    """All but those that are about no single case."""
    of_no_case = {acts.DocumentKind.WEEKLY_REPORT, acts.DocumentKind.DESTRUCTION_CERTIFICATE}
    assert {one.value for one in choices.DocumentChoice} == {one.value for one in set(acts.DocumentKind) - of_no_case}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A workspace with one case, and the tokens of its accounts beside it."""
    office = Office(tmp_path_factory.mktemp("cli") / "workspace")
    office.find("192.0.2.9")
    office.open()
    for name, token in office.tokens.items():
        path = office.folder.parent / f"{name}.token"
        path.write_text(token)
        path.chmod(0o600)
    return office


@pytest.fixture
def run(office: Office, project_root: Path) -> Run:
    """Run the program in the workspace: ``run("case", "list", by="officer")``."""

    def program(*arguments: str, by: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        acting = {"HEADFRAME_ACCOUNT": by, "HEADFRAME_TOKEN_FILE": str(office.folder.parent / f"{by}.token")}
        clean = {key: value for key, value in os.environ.items() if not key.startswith("HEADFRAME_")}
        return subprocess.run(
            [sys.executable, "-m", "headframe", *arguments], capture_output=True, text=True, cwd=office.folder.parent,
            env={**clean, "PYTHONPATH": str(project_root / "src"), "HEADFRAME_WORKSPACE": str(office.folder),
                 **(acting if by else {}), **environment},
            timeout=240, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    return program


@pytest.fixture
def here(office: Office, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The same in this process, for what takes many runs: ``here("case", "list", by="officer")``."""

    def program(*arguments: str, by: str = "officer") -> Any:
        monkeypatch.setenv("HEADFRAME_ACCOUNT", by)
        monkeypatch.setenv("HEADFRAME_TOKEN_FILE", str(office.folder.parent / f"{by}.token"))
        monkeypatch.setenv("HEADFRAME_WORKSPACE", str(office.folder))
        return CliRunner().invoke(app, list(arguments))

    return program


CASE = "HF-2026-000001"


def test_an_act_prints_the_number_of_what_it_added(run: Run, office: Office) -> None:
    """The number alone on standard output; what follows from it on standard error."""
    axes = [part for axis in office.a_class().axes for part in ("--axis", "=".join(axis))]
    done = run("case", "propose", CASE, "--standing", "operator", *axes, "--reason", "two families", by="officer")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{CASE}/3\n"
    assert f"headframe case approve {CASE} 3" in done.stderr


def test_a_refusal_tells_every_reason_and_does_nothing(run: Run, office: Office) -> None:
    """Exit code 6, nothing on standard output, each reason on a line of its own."""
    before = office.work.store.events(CASE)
    done = run("case", "close", CASE, "--as-closed", "rectified", "--text", "over", by="officer")
    assert done.returncode == ExitCode.REFUSED == 6
    assert done.stdout == ""
    reasons = done.stderr.splitlines()
    assert len(reasons) > 1
    assert all(line.startswith("headframe: refused: ") for line in reasons)
    assert office.work.store.events(CASE) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "needs an account (--as NAME, or HEADFRAME_ACCOUNT) and its token"),
        ({"by": "officer", "HEADFRAME_ACCOUNT": "chief"}, "do not belong together; nothing was done"),
        ({"by": "nobody"}, "the token cannot be read"),
        ({"by": "verifier"}, "needs the duty"),
    ],
)
def test_who_may_not_act_is_refused(run: Run, arguments: dict[str, str], words: str) -> None:
    """No account, a wrong token, no token, a duty that the account has not."""
    done = run("case", "lookup", CASE, **arguments)
    assert (done.returncode, done.stdout) == (6, "")
    assert words in done.stderr


def test_the_time_of_real_cases_cannot_be_set(run: Run) -> None:
    """The variable is for training workspaces; anywhere else it ends the program."""
    done = run("case", "list", HEADFRAME_NOW="2030-01-01")
    assert done.returncode == ExitCode.USAGE
    assert "not for training" in done.stderr


def test_lists_are_for_people_and_for_scripts(run: Run) -> None:
    """Tabs where nobody watches, and JSON."""
    plain = run("case", "list")
    assert plain.returncode == 0, plain.stderr
    heading, row = plain.stdout.splitlines()
    assert heading.split("\t")[:2] == ["case", "stage"]
    assert row.split("\t")[0] == CASE
    (row,) = json.loads(run("case", "list", "--format", "json").stdout)["rows"]
    assert (row["case"], row["pack"], row["site"]) == (CASE, PACK, "S1")
    assert json.loads(run("findings", "list", "--case", CASE, "--format", "json").stdout)["total"] == 2


def test_one_case_is_shown_with_all_that_a_decision_needs(run: Run) -> None:
    """Evidence on three sides, dates with their basis, measures with reasons, gaps; what may be done and by whom."""
    done = run("case", "show", CASE)
    assert done.returncode == 0, done.stderr
    for words in (
        "legal review of the pack: none", "lawful mining: not_listed", "supporting", "missing", "Clocks:",
        "operator default: no public text says so", "barred", "What may be done now:", "headframe case ",
        "What the pack does not know:", "People decide.",
    ):  # fmt: skip
        assert words in done.stdout, words
    shown = json.loads(run("case", "show", CASE, "--format", "json").stdout)
    assert shown["pack"]["legal_review"] == "none"
    assert shown["pack"]["gaps"]
    assert all(clock["basis"] for clock in shown["clocks"])
    assert all(row["missing"] for row in shown["measures"] if not row["allowed"])


def test_a_correction_of_an_instant_takes_a_time_as_every_option_does(here: Callable[..., Any], office: Office) -> None:
    """A day or time in the pack's zone; null; or nanoseconds in quotes, as the events show them. Kept as the last."""
    office.clock.at_ns = time.time_ns()  # by which the commands go
    office.inspect(CASE)
    number, field = str(len(office.work.store.events(CASE))), "record.started_ns"
    said: dict[str, str] = {}
    for value in (
        "2026-05-01T08:00", "2026-05-01T00:00Z", "2026-05-01T08:00+08:00", "2026-05-01", '"1777593600000000000"',
    ):  # fmt: skip
        done = here(
            "case", "correct", CASE, "--event", number, "--field", field, "--value", value, "--reason", "stamp",
        )  # fmt: skip
        assert done.exit_code == 0, done.stderr
        said[value] = office.work.store.events(CASE)[-1].act.value
    assert said == {
        "2026-05-01T08:00": '"1777593600000000000"',
        "2026-05-01T00:00Z": '"1777593600000000000"',
        "2026-05-01T08:00+08:00": '"1777593600000000000"',
        "2026-05-01": '"1777564800000000000"',
        '"1777593600000000000"': '"1777593600000000000"',
    }
    before = office.work.store.events(CASE)
    for value, code, words in (
        ("last Tuesday", ExitCode.USAGE, "--value 'last Tuesday'"),
        ("2026-13-01", ExitCode.USAGE, "--value '2026-13-01'"),
        ("1777593600000000000", ExitCode.USAGE, "--value '1777593600000000000'"),
        ("2026-05-01T25:00", ExitCode.USAGE, "--value '2026-05-01T25:00'"),
        ("-", ExitCode.USAGE, "--value is empty; where there is no such time, it is null"),
        (" ", ExitCode.USAGE, "--value is empty"),
        ('"soon"', ExitCode.REFUSED, "soon"),
        ("null", ExitCode.REFUSED, "started_ns"),
        ("2031-05-01", ExitCode.REFUSED, "2031"),
    ):
        done = here(
            "case", "correct", CASE, "--event", number, "--field", field, "--value", value, "--reason", "stamp",
        )  # fmt: skip
        assert (done.exit_code, done.stdout) == (code, ""), (value, done.stderr)
        assert words in done.stderr, (value, done.stderr)
        assert "Traceback" not in done.stderr
    assert office.work.store.events(CASE) == before


def test_a_case_says_what_the_registry_says_otherwise_now(
    here: Callable[..., Any], office: Office, tmp_path: Path
) -> None:
    """Kind, region, organisation, supply points; with how to correct what was wrong, and that else nothing is due."""
    assert "The registry says otherwise" not in here("case", "show", CASE).stdout
    assert json.loads(here("case", "show", CASE, "--format", "json").stdout)["registry_differs"] == []
    table = tmp_path / "sites.csv"
    table.write_text(
        "site,name,kind,organisation,region,usage_point\nS1,Foundry North,data centre,O7,south,UP-77\n",
        encoding="utf-8",
    )
    done = here("sites", "import", str(table))
    assert done.exit_code == 0, done.stderr
    shown = here("case", "show", CASE).stdout
    for words in (
        "The registry says otherwise now than when the case was opened:",
        "  site_kind: the case holds enterprise, the registry data_centre",
        "  region: the case holds north, the registry south",
        f"    headframe case correct {CASE} --event 1 --field region --value south --reason TEXT",
        "  organisation_id: the case holds O1, the registry O7",
        "UP-77",
        "Correct what was wrong when the case was opened. What has changed since stays: do nothing.",
    ):
        assert words in shown, (words, shown)
    told = json.loads(here("case", "show", CASE, "--format", "json").stdout)["registry_differs"]
    assert [one["field"] for one in told] == ["site_kind", "region", "organisation_id", "usage_points"]
    assert told[1] == {"field": "region", "case": "north", "registry": "south"}
    assert set(told[3]["registry"]) == {*told[3]["case"], "UP-77"}
    command = next(line for line in shown.splitlines() if "--field usage_points" in line)
    done = here(*shlex.split(command.replace("TEXT", "wrong-from-the-start"))[1:])
    assert done.exit_code == 0, done.stderr
    assert json.loads(office.work.store.events(CASE)[-1].act.value) == told[3]["registry"]


def test_what_is_not_there_is_said(run: Run, tmp_path: Path) -> None:
    """A case, a pack, a workspace: what came, and what there is."""
    for arguments, words in (
        (("case", "show", "HF-1999-000001"), "headframe case list"),
        (("register", "show", "R-0"), "headframe register list"),
        (("findings", "show", "F-0"), "headframe findings list"),
        (("case", "list", "--workspace", str(tmp_path)), "headframe workspace init"),
    ):
        done = run(*arguments)
        assert done.returncode in (ExitCode.USAGE, ExitCode.UNREADABLE)
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_a_bundle_says_what_it_keeps_back(run: Run, tmp_path: Path) -> None:
    """What stayed closed, what stayed out, and what nobody has looked at."""
    done = run("bundle", "make", CASE, str(tmp_path / "b"), "--reason", "audit", "--withhold", "content", by="officer")
    assert done.returncode == 0, done.stderr
    assert "of 2 findings only digests are in it, for 2" in done.stderr
    done = run("bundle", "make", CASE, str(tmp_path / "c"), "--reason", "a", "--withhold", "case_id", by="officer")
    assert done.returncode != 0
    assert "has a field 'case_id' to withhold" in done.stderr


def test_a_file_that_comes_in_loses_its_name(run: Run, tmp_path: Path) -> None:
    """And whoever handed it in is told what it is called now."""
    path = tmp_path / "IMG_Zhang_Wei.txt"
    path.write_text("sent")
    done = run(
        "case", "report", CASE, "--report", "weekly", "--to", "cn-ndrc", "--period", "2026-W20",
        "--document", str(path), by="officer",
    )  # fmt: skip
    assert "IMG_Zhang_Wei.txt is kept as other-" in done.stderr
    assert "its own name is not" in done.stderr
    assert "Zhang" not in run("case", "show", CASE, "--format", "json", by="officer").stdout


def test_a_late_appeal_is_admitted_or_not_by_a_word(run: Run) -> None:
    """Each asks the machine for the same act; what does not go together is said before anything is done."""
    for words in (("--admit",), ("--outcome", "inadmissible")):
        done = run("case", "appeal", CASE, *words, "--reason", "the post was on strike", by="chief")
        assert done.returncode == ExitCode.REFUSED, done.stderr
        assert "no appeal is pending; record it first" in done.stderr
    done = run("case", "appeal", CASE, "--admit", "--outcome", "rejected", "--reason", "x", by="chief")
    assert done.returncode == ExitCode.USAGE
    assert "it came late and is heard" in done.stderr


def test_a_step_is_listed_once(run: Run) -> None:
    """A measurement is one step, whichever its outcome: on the screen, in JSON, and among what comes next."""
    for arguments in (("case", "show", CASE), ("case", "next", CASE)):
        rows = json.loads(run(*arguments, "--format", "json").stdout)
        steps = rows.get("next") or rows["rows"]
        told = [(one["command"], one["ready"], *one["missing"]) for one in steps]
        assert len(told) == len(set(told)) > 5
        (verify,) = [one for one in steps if one["act"] == "verify" and one["ready"]]
        assert len(verify["variants"]) > 1
        assert verify["variant"] == ""
    now = run("case", "show", CASE).stdout.split("What may be done now:\n")[1].split("What ")[0].splitlines()
    assert len(now) == len(set(now))
    assert sum(f"headframe case verify {CASE}" in line for line in now) == 1


def test_times_are_to_the_second_for_people_and_exact_for_programs(run: Run) -> None:
    """No nanoseconds in a list, and its zone beside each time; JSON keeps what the record has."""
    shown = run("findings", "list").stdout
    assert not re.search(r"\d\.\d{9}Z", shown)
    exact = json.loads(run("findings", "list", "--format", "json").stdout)["rows"]
    for row, line in zip(exact, shown.splitlines()[1:], strict=True):
        for name in ("started", "ended"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", row[name])
            assert f"\t{row[name][:10]} {row[name][11:19]} UTC\t" in line


def test_a_case_is_linked_to_a_case_only(run: Run, office: Office) -> None:
    """A number that is none would stand in the file for good."""
    before = office.work.store.events(CASE)
    done = run("case", "link", CASE, "HF-2026-000404", "--relation", "same_operator", by="officer")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "there is no case 'HF-2026-000404'; headframe case list shows those that there are" in done.stderr
    assert office.work.store.events(CASE) == before


@pytest.mark.parametrize("option", [("--given", "ab" * 32), ("--held-back", "cd: a trade secret")])
def test_only_documents_of_the_case_can_be_given(run: Run, office: Office, option: tuple[str, str]) -> None:
    """What the record says was given to the party is in the file, under that digest."""
    before = office.work.store.events(CASE)
    done = run("case", "access", CASE, *option, by="officer")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert f"{option[0]} '{option[1].split(':')[0]}': the case has no document of that SHA-256" in done.stderr
    assert f"headframe case documents {CASE} lists" in done.stderr
    assert office.work.store.events(CASE) == before


def test_a_database_from_an_older_backup_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is sound; that the database does not know what was done since its backup is said, with the number."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    office.open()
    office.work.store.backup(tmp_path / "copy.db")
    office.do("chief", CASE, acts.PlaceHold(reason="court file"))
    office.work.close()
    monkeypatch.setenv("HEADFRAME_WORKSPACE", str(office.folder))
    whole = CliRunner().invoke(app, ["log", "verify"])
    assert whole.exit_code == 0
    assert "does not know" not in whole.stdout
    for beside in ("-wal", "-shm"):
        (office.folder / f"headframe.db{beside}").unlink(missing_ok=True)
    (tmp_path / "copy.db").replace(office.folder / "headframe.db")
    done = CliRunner().invoke(app, ["log", "verify"])
    assert done.exit_code == 3
    assert f"event 3 of case {CASE} is in the log, and not in the database" in done.stderr
    shown = CliRunner().invoke(app, ["case", "show", CASE])
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "an administrator says so: headframe log restored --reason TEXT" in shown.stderr
    who = ("--as", "admin", "--token-file", str(office.folder / "admin.token"))
    said = CliRunner().invoke(app, ["log", "restored", "--reason", "disk failed; copy of Monday", *who])
    assert (said.exit_code, said.stdout) == (0, f"{CASE}: 2 events of 3\n")
    assert "the database lacks 1 leaf of the log, and 1 case lost events" in said.stderr
    done = CliRunner().invoke(app, ["log", "verify"])
    assert done.exit_code == 0, done.stderr
    assert "1 leaf of it the database of the workspace does not know: it was restored from an older copy" in done.stdout
    about = json.loads(CliRunner().invoke(app, ["log", "verify", "--format", "json"]).stdout)
    assert (about["sound"], about["unknown_to_database"]) == (True, 1)
    again = CliRunner().invoke(app, ["log", "restored", "--reason", "once more", *who])
    assert "there is nothing to say" in again.stderr
