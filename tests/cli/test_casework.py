"""The commands of the casework, by the real program: refusals with every reason, ids on standard output, exit codes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import pytest

from headframe.cli import choices
from headframe.cli.exit_codes import ExitCode
from headframe.records import case as acts
from headframe.records.policy import PartyStanding
from tests.casework.office import PACK, Office

Run = Callable[..., subprocess.CompletedProcess[str]]

CHOICES: list[tuple[type[StrEnum], type[StrEnum]]] = [
    (choices.DutyChoice, acts.Duty), (choices.StageChoice, acts.Stage), (choices.StandingChoice, PartyStanding),
    (choices.NoticeChoice, acts.NoticeKind), (choices.StanceChoice, acts.ReplyStance),
    (choices.OutcomeChoice, acts.DecisionOutcome), (choices.GradeChoice, acts.RemedyGrade),
    (choices.ClosureChoice, acts.ClosureReason), (choices.AppealChoice, acts.AppealOutcome),
    (choices.RelationChoice, acts.CaseRelation),
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
