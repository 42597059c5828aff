"""Help: complete, with an example for each command, and at once."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headframe.cli import app
from headframe.cli.exit_codes import ExitCode

COMMANDS = [
    [],
    ["scan"],
    ["meters"],
    ["assess"],
    ["simulate"],
    ["simulate", "capture"],
    ["simulate", "meters"],
    ["calibrate"],
    ["compile"],
    ["case"],
]

CASEWORK = [
    ["workspace"],
    ["workspace", "init"],
    ["workspace", "status"],
    ["account", "add"],
    ["account", "list"],
    ["account", "disable"],
    ["findings", "import"],
    ["findings", "list"],
    ["findings", "show"],
    *(["case", name] for name in (
        "list", "show", "events", "next", "open", "add", "lookup", "propose", "approve", "reject", "withdraw", "notice",
        "serve", "reply", "access", "pause", "resume", "extend", "inspect", "decide", "final", "measure", "remedy",
        "verify", "close", "reopen", "appeal", "correct", "hold", "link", "report", "document", "documents",
    )),
    ["register", "list"],
    ["register", "show"],
    ["register", "lookup"],
    ["report", "period"],
    ["retention", "run"],
    ["retention", "hold"],
    ["retention", "certificates"],
]  # fmt: skip

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_has_help_with_an_example(headframe: Run, command: list[str]) -> None:
    """Whoever asks how a command is used sees it used; the example is for this very command."""
    done = headframe(*command, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    example = done.stdout.split("Example", 1)[1]
    assert " ".join(["headframe", *command]) in example
    assert headframe(*command, "-h").stdout == done.stdout


@pytest.mark.parametrize("command", CASEWORK, ids=" ".join)
def test_each_command_of_the_casework_has_help_with_an_example(command: list[str]) -> None:
    """The same, in this process: there are many of them."""
    runner = CliRunner()
    done = runner.invoke(app, [*command, "--help"], prog_name="headframe")
    assert (done.exit_code, done.stderr) == (0, "")
    assert " ".join(["headframe", *command]) in done.stdout.split("Example", 1)[1]
    assert runner.invoke(app, [*command, "-h"], prog_name="headframe").stdout == done.stdout


def test_no_option_name_is_cut_short(headframe: Run) -> None:
    """On 80 columns, too."""
    text = headframe("scan", "--help", COLUMNS="80", TERMINAL_WIDTH="80").stdout
    for option in (
        "--indicators", "--format", "--report", "--fail-on-finding", "--reveal", "--no-builtin-indicators",
        "--threads", "--quiet", "--clock", "--clock-columns", "--workspace", "--content-blind", "--any-hour", "--fdr",
    ):  # fmt: skip
        assert option in text
    assert "table|jsonl|json|csv" in text


def test_help_names_every_exit_code(headframe: Run) -> None:
    """And says where more about them is written."""
    text = headframe("--help").stdout.split("Exit codes:", 1)[1]
    assert [int(number) for number in re.findall(r"\b\d+\b", text)] == [int(code) for code in ExitCode]
    assert "docs/exit-codes.md" in text


def test_help_names_the_ranges_of_a_simulation(headframe: Run) -> None:
    """What is refused without them."""
    text = " ".join(headframe("simulate", "capture", "--help").stdout.split())
    assert "How many miners work in it, 0 to 90." in text
    assert "How much time the capture covers, 1 or more." in text
    assert headframe("simulate", "capture", "x", "--miners", "91").returncode == 2


def test_version(headframe: Run) -> None:
    """Name and version, nothing else."""
    from headframe import __version__

    done = headframe("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"headframe {__version__}\n", "")


def test_help_imports_nothing_heavy(project_root: Path) -> None:
    """Start-up counts: what a command works with is imported when it runs."""
    code = (
        "import sys; sys.argv = ['headframe', '--help']\n"
        "import headframe.cli\n"
        "try: headframe.cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'numba', 'scipy', 'polars', 'rich', 'jinja2', 'cryptography', 'structlog'}\n"
        "heavy.add('headframe.app')\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=project_root / "src", timeout=60, check=True
    )
    assert done.stderr == "[]\n"


def test_help_is_there_in_half_a_second(headframe: Run) -> None:
    """A new process each time; the best of five, because other tests may be running."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        headframe("--help")
        seconds.append(time.perf_counter() - started)
    print(f"headframe --help: {min(seconds):.3f} s at best, {max(seconds):.3f} s at worst")
    assert min(seconds) < 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scan"], "PATH is missing: Capture files, folders, globs, or - for standard input"),
        (["scan", "a.pcap", "--nope"], "there is no option '--nope' here"),
        (["scan", "a.pcap", "--thread", "2"], "there is no option '--thread' here; did you mean --threads"),
        (["scan", "a.pcap", "--threads", "0"], "--threads '0': expected a whole number, 1 or more"),
        (["scan", "a.pcap", "--format", "tabel"], "expected one of table, jsonl, json, csv; did you mean table?"),
        (["dig"], "there is no command 'dig'; there are scan, meters, "),
        (["case", "shwo"], "there is no command 'shwo'; did you mean show"),
        (
            ["case", "list", "two", "words"],
            "too many words: 'words'; a text of several words stands in quotation marks",
        ),
        (
            ["workspace", "status", "password=hunter2", "hf:hunter2@db/hf"],
            "too many words: 'password=*** hf:***@db/hf'; a text of several words stands in quotation marks",
        ),
        (["case", "hold", "HF-2026-000001", "--reason"], "--reason came without its value: TEXT (Why, in words"),
        (["case", "hold", "HF-2026-000001", "--reason="], "--reason is empty: expected TEXT (Why, in words"),
        (["simulate", "meters", "x", "--from", "soon"], "--from 'soon': expected a day, such as 2026-04-01"),
        (["policy", "list", "--lang", "Klingon"], "--lang: 'Klingon' is no language; expected a tag of BCP 47"),
    ],
)
def test_usage_errors(headframe: Run, arguments: list[str], message: str) -> None:
    """Exit code 2, the mistake named on standard error, and where help is."""
    done = headframe(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert "hunter2" not in done.stderr
    assert "--help tells how it is used, with an example" in done.stderr


@pytest.mark.parametrize("asked", ["", "3"])
def test_linear_algebra_gets_one_thread_unless_told_otherwise(asked: str, project_root: Path) -> None:
    """Before numpy is loaded, which reads it then; more threads than cores wait for each other by spinning."""
    code = (
        "import os, sys\nfrom headframe.cli import main\nsys.argv = ['headframe', '--version']\n"
        "try:\n    main()\nexcept SystemExit:\n    print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {"PYTHONPATH": str(project_root / "src")} | ({"OPENBLAS_NUM_THREADS": asked} if asked else {})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == f"False {asked or '1'}"
