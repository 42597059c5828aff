"""Options that many commands have are one and the same: defined once, and understood alike."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from headframe.cli import app
from headframe.cli.exit_codes import ExitCode
from tests.cli.test_wrong_values import COMMANDS, line_of, name_of


def test_no_option_is_written_twice(project_root: Path) -> None:
    """What stands word for word in two places is changed in one of them some day."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted((project_root / "src" / "headframe" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("typer.Option", "typer.Argument"):
                places[ast.unparse(node)].append(f"{path.name}:{node.lineno}")
    assert {call: where for call, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("option", ["--workspace", "--as", "--token-file", "--format", "--language", "--quiet"])
def test_a_recurring_option_takes_the_same_everywhere(option: str) -> None:
    """One word for its value and one type, in whichever command it stands."""
    kinds = {
        "/".join(sorted(one.value for one in parameter.type_descriptor.choices))
        if option == "--language"
        else str(parameter.metavar)
        for command in COMMANDS.values()
        for parameter in command.params
        if name_of(parameter) == option
    }
    assert len(kinds) == 1


@pytest.mark.parametrize(
    ("option", "wrong", "code", "words"),
    [
        ("--workspace", "no such folder", ExitCode.UNREADABLE, "is no workspace for casework yet; make one: headframe"),
        ("--workspace", "", ExitCode.USAGE, "--workspace is empty: expected DIR"),
        ("--as", "nobody", ExitCode.REFUSED, "this needs its token (--token-file FILE, or HEADFRAME_TOKEN_FILE)"),
        ("--token-file", "none", ExitCode.REFUSED, "this needs an account (--as NAME, or HEADFRAME_ACCOUNT)"),
        ("--token-file", "", ExitCode.USAGE, "--token-file is empty: expected FILE"),
    ],
)
def test_options_that_recur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, wrong: str, code: int, words: str
) -> None:
    """A folder that is no workspace, an account without its token, and the other way round."""
    from headframe.casework import make_workspace

    make_workspace(tmp_path / "workspace", unit="Changping").close()
    for name in ("ACCOUNT", "TOKEN_FILE", "NOW"):
        monkeypatch.delenv(f"HEADFRAME_{name}", raising=False)
    monkeypatch.setenv("HEADFRAME_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)
    names = ("case", "hold")
    done = CliRunner().invoke(
        app, [*line_of(names, COMMANDS[names])[:2], option, wrong, "HF-2026-000001", "--reason", "x"]
    )
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr


def test_the_program_is_a_group_of_its_own() -> None:
    """The parser's mistakes are told by `headframe.cli.usage`, not by the library."""
    assert type(typer.main.get_command(app)).__name__ == "PoliteGroup"
