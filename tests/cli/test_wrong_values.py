"""Whatever stands in the place of a value: the answer is in words, with an exit code, and nobody sees Python."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer import testing
from typer.testing import CliRunner, Result

from headframe.casework.accounts import new_token
from headframe.cli import app
from headframe.cli.exit_codes import ExitCode
from headframe.records.case import Account, Duty
from tests.casework.office import PACK, Office

CASE = "HF-2026-000001"

PYTHON = re.compile(
    r"Traceback|a fault in Headframe|Value error|Invalid value|Input should|parse string|\bErrno\b|NoneType"
    r"|object has no|codec can't|surrogate|embedded null|[A-Z][a-z]+(Error|Exception)\b|<class|\bPosixPath\b"
    r"|\bargument '|sqlalchemy|sqlite3\."
)
"""Words of the language that Headframe is written in, and of what it is made with."""

LONGEST_ANSWER = 20_000  # characters; a value of a million is not repeated


TREE = typer.main.get_command(app)


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the program with its names, whatever is added."""

    def below(command: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        if not hasattr(command, "commands"):
            yield names, command
            return
        for name, inner in command.commands.items():
            yield from below(inner, (*names, name))

    yield from below(TREE, ())


COMMANDS = dict(commands())

GIVEN = {
    "CASE": CASE, "OTHER": CASE, "NUMBER": "1", "TEXT": "words", "TIME": "2026-05-01T01:00", "DAY": "2026-04-01",
    "UNIT": "drc", "PACK": PACK, "SITE": "S1", "REASON": "words", "HOW": "post", "ROLE": "grid company", "ID": "x",
    "PERIOD": "2026-W18", "MEASURE": "clear", "CLOCK": "reply", "NAME": "nobody", "ENTRY": "R-0", "CONTACT": "C-0",
    "FINDING": "F-0", "PSEUDONYM": "#x", "FACT": "x=1", "ZONE": "UTC", "KWH": "1", "PRICE": "1", "REF": "x",
    "OUT_FOLDER": "made", "CHAIN": "btc", "FIELD": "text", "CORPUS": "text.txt", "READINGS": "text.txt",
    "FINDINGS": "text.txt", "PATH": "text.txt", "FILE": "text.txt", "FILE.csv": "text.txt", "FILE.json": "text.txt",
    "KEY": "text.txt", "URL": "http://127.0.0.1:1/", "CERTIFICATE": "D-0", "DIR": "made",
}  # fmt: skip
"""A value for what a command cannot do without, by the word that stands for it in the help."""

RECURRING = {"--workspace", "--as", "--token-file", "--format", "--quiet", "--help", "--threads"}
"""Options that are one and the same in many commands; `test_options_that_recur` has them."""

NEW_FILES = {
    "--new-token-file", "--out", "--output", "--report", "--keep", "-o", "--sheet", "--lake", "--state", "OUT_FOLDER",
    "PATH",
}  # fmt: skip
"""Options that name what is to be made: that nothing is there yet is no mistake."""


def name_of(parameter: Any) -> str:
    """``--reason``, or ``CASE`` for an argument."""
    return (
        max(parameter.opts, key=len) if parameter.param_type_name == "option" else parameter.metavar or parameter.name
    )


def kind_of(parameter: Any) -> Any:
    """Type of one value."""
    kind = parameter.type_descriptor.annotation
    return getattr(kind, "__args__", (kind,))[0]


def choices_of(parameter: Any) -> list[str]:
    """Its words, if it takes only some."""
    return [one.value for one in parameter.type_descriptor.choices or ()]


def sound(parameter: Any) -> str:
    """A value of the right form."""
    if words := choices_of(parameter):
        return words[0]
    if kind_of(parameter) in (int, float):
        return str(parameter.min or 1)
    return GIVEN[(parameter.metavar or parameter.name).strip("[]")]


def line_of(names: tuple[str, ...], command: Any, changed: Any = None, value: str | None = None) -> list[str]:
    """The command with what it cannot do without; of `changed` the value, or not at all."""
    words, arguments = list(names), []
    for parameter in sorted(command.params, key=lambda one: one.param_type_name == "argument"):
        if parameter is not changed and not parameter.required:
            continue
        given = value if parameter is changed else sound(parameter)
        if given is None:
            if parameter.param_type_name == "argument":
                break  # what came next would be taken for it; arguments stand behind options
            continue
        if parameter.param_type_name == "option":
            words.append(f"{name_of(parameter)}={given}")
        else:
            arguments.append(given)
    return [*words, "--", *arguments] if arguments else words


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to work in: a workspace with one case, an account that may do everything, a text, a folder."""
    place = tmp_path_factory.mktemp("wrong")
    office = Office(place / "workspace")
    office.find("192.0.2.9")
    office.open()
    token = new_token()
    office.admit(Account(name="all", unit="drc", duties=frozenset(Duty)), token)
    office.work.close()
    (place / "all.token").write_text(token)
    (place / "all.token").chmod(0o600)
    (place / "text.txt").write_text("words\n")
    (place / "bytes").write_bytes(b"\xff\xfe\x00,\x80\n" * 9)
    (place / "nothing").touch()
    (place / "folder").mkdir()
    before = os.getcwd()
    os.chdir(place)
    yield place
    os.chdir(before)


@pytest.fixture
def run(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the program in this process, and hold its answer against what every answer must be."""
    for name, value in (
        ("WORKSPACE", str(desk / "workspace")), ("ACCOUNT", "all"), ("TOKEN_FILE", str(desk / "all.token"))
    ):  # fmt: skip
        monkeypatch.setenv(f"HEADFRAME_{name}", value)
    monkeypatch.delenv("HEADFRAME_DEBUG", raising=False)
    monkeypatch.setattr(testing, "_get_command", lambda _app: TREE)  # else it is made anew for each of thousands
    runner = CliRunner()

    def program(words: list[str]) -> Result:
        done = runner.invoke(app, words, prog_name="headframe")
        shown = [word[:60] for word in words]
        assert done.exit_code in set(ExitCode) - {ExitCode.FAULT}, (shown, done.exit_code, done.output[:2000])
        assert not PYTHON.search(done.output), (shown, PYTHON.search(done.output), done.output[:2000])
        assert len(done.stderr) < LONGEST_ANSWER, (shown, len(done.stderr), done.stderr[:500])
        if done.exit_code not in (ExitCode.OK, ExitCode.FOUND):
            # A check of a bundle or of a log is the answer itself, and stands on standard output.
            assert done.stderr.startswith(("headframe: ", "Usage: ")) or "failed" in done.stdout, shown
        return done

    return program


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_what_the_parser_refuses(run: Any, names: tuple[str, ...]) -> None:
    """A word that is none of an option's, a number that is none, nothing at all: what came, what would be right."""
    command = COMMANDS[names]
    path = " ".join(["headframe", *names])
    for parameter in command.params:
        name = name_of(parameter)
        if name == "--help":
            continue
        if words := choices_of(parameter):
            for wrong in ("no such word", "", words[0] + "x", "\udcff", "x" * 1_000_000):
                done = run(line_of(names, command, parameter, wrong))
                assert done.exit_code == ExitCode.USAGE
                assert all(word in done.stderr for word in (name, *words)), done.stderr
                assert wrong[:50] in done.stderr or "\\udcff" in done.stderr
                assert f"{path} --help" in done.stderr
        elif kind_of(parameter) in (int, float):
            wrongs = ["three", "", "1,5", "\u0663x", "9" * 5000 + "x", "nan"]
            if parameter.min is not None:
                wrongs.append(str(parameter.min - 1))
            if parameter.max is not None:
                wrongs.append(str(parameter.max + 1))
            for wrong in wrongs:
                done = run(line_of(names, command, parameter, wrong))
                assert done.exit_code == ExitCode.USAGE, (name, wrong, done.output)
                assert name in done.stderr
        if parameter.required:
            done = run(line_of(names, command, parameter, None))
            assert done.exit_code == ExitCode.USAGE
            assert f"{name.strip('[]')} is missing: " in done.stderr
        if parameter.param_type_name == "option" and not parameter.is_flag:
            done = run([*names, name])
            assert done.exit_code == ExitCode.USAGE
            assert f"{name} came without its value" in done.stderr
    done = run(
        [*line_of(names, command), "--no-such-option"]
        if "--" not in line_of(names, command)
        else [*names, "--no-such-option"]
    )
    assert done.exit_code == ExitCode.USAGE
    assert "there is no option '--no-such-option'" in done.stderr
    assert run([*names, "\0"]).exit_code == ExitCode.USAGE


OPEN = [
    (names, parameter.name)
    for names, command in COMMANDS.items()
    for parameter in command.params
    if name_of(parameter) not in RECURRING
    and not choices_of(parameter)
    and kind_of(parameter) not in (int, float, bool)
]


@pytest.mark.parametrize(("names", "which"), OPEN, ids=lambda one: one if isinstance(one, str) else " ".join(one))
def test_what_a_command_refuses(run: Any, names: tuple[str, ...], which: str) -> None:
    """Empty, endless, no UTF-8, no time, no file: an answer in words, whichever it is."""
    command = COMMANDS[names]
    parameter = next(one for one in command.params if one.name == which)
    name, metavar = name_of(parameter), (parameter.metavar or "").strip("[]")
    wrongs = ["\udcff\udcfe", "a\x1b[2J" + "x" * 1_000_000]
    must_fail = []
    if metavar in ("TIME", "DAY"):
        must_fail = ["yesterday", "2026-13-45", "2026-02-30T25:61", "1e400", "99999-01-01"]
    if kind_of(parameter) is Path:
        must_fail = [""]
    else:
        wrongs.append("")
    if kind_of(parameter) is Path and name not in NEW_FILES:
        must_fail += ["no such file", "no such folder/either"]
        wrongs += ["folder", "bytes", "nothing"]
    for wrong in [*must_fail, *wrongs]:
        done = run(line_of(names, command, parameter, wrong))
        if wrong in must_fail:
            assert done.exit_code not in (ExitCode.OK, ExitCode.FOUND), (names, name, wrong, done.output[:1000])
