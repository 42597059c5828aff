"""Each command's help has an example; it is taken out of the help as people see it, parsed, and run where it can be."""

import re
import shlex
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer import testing
from typer.testing import CliRunner

from headframe.casework.accounts import new_token
from headframe.cli import app
from headframe.cli.exit_codes import ExitCode
from headframe.ledger.note import COSIGNATURE, Signer
from headframe.records.case import Account, Duty
from headframe.stores.packs import load_packs
from tests.casework.office import Office
from tests.cli.test_wrong_values import COMMANDS, TREE, kind_of

NOT_RUN = {
    ("compile",): "minutes of work",
    ("simulate", "capture"): "has a test of its own",
    ("simulate", "meters"): "has a test of its own",
    ("simulate", "district"): "has a test of its own",
    ("clock", "follow"): "needs a node",
    ("calibrate",): "needs weeks of captures",
}
NOT_THERE = re.compile(
    r"there is no (finding|entry|site|case|account|certificate)|is not in the registry|has no finding without a case"
    r"|no blocks of \w+ are stored|it has not had [\d,]+ yet|no finding and no row|is there already; choose another"
    r"|does not tell how many conversations were read|shows no such figure"
    r"|there is nothing to report of it yet|there is nothing to say"
)
"""What an example may stumble over in a workspace that has other cases than the example's."""


@cache
def block_of(names: tuple[str, ...]) -> str:
    """What a command's help has behind "Example:", at 80 columns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testing, "_get_command", lambda _app: TREE)  # else it is made anew for each command
        done = CliRunner().invoke(app, [*names, "--help"], prog_name="headframe", env={"COLUMNS": "80"})
    return re.split(r"\n\s*Examples?:", done.stdout)[1].split("\n\n")[0]


def examples(names: tuple[str, ...]) -> list[list[str]]:
    """The words of each example in a command's help."""
    block = block_of(names)
    lines: list[str] = []
    for line in block.splitlines():
        text = line.strip()
        if not text:
            continue
        if lines and (lines[-1].endswith("\\") or not text.startswith(("headframe ", "tcpdump "))):
            lines[-1] = f"{lines[-1].removesuffix(chr(92)).rstrip()} {text}"
        else:
            lines.append(text)
    found = []
    for line in lines:
        for part in re.split(r"&&|\||(?<= )>", line):
            words = shlex.split(part)
            if words[:1] == ["headframe"]:
                found.append(words[1:])
    return found


EXAMPLES = [(names, words) for names in COMMANDS for words in examples(names)]
PARAMETERS = [pytest.param(names, words, id=" ".join(words)) for names, words in EXAMPLES]


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_an_example_can_be_copied(names: tuple[str, ...]) -> None:
    """At 80 columns no line is broken within an option's name, nor without the backslash that a shell needs."""
    lines = [line.strip() for line in block_of(names).splitlines() if line.strip()]
    for before, line in zip(["", *lines], lines, strict=False):
        assert before.endswith("\\") or line.startswith(("headframe ", "tcpdump ")), line
        assert len(line) < 80


def parsed(words: list[str]) -> tuple[Any, dict[str, Any]]:
    """The command that an example means and what its parser makes of it, without running it."""
    command, names = TREE, []
    while hasattr(command, "commands"):
        names.append(words[len(names)])
        command = command.commands[names[-1]]
    context = command.make_context(" ".join(names), words[len(names) :])
    return command, dict(context.params)


@pytest.mark.parametrize(("names", "words"), PARAMETERS)
def test_an_example_is_understood(names: tuple[str, ...], words: list[str]) -> None:
    """By the parser of the very command that is shown, values and all."""
    command, _ = parsed(words)
    assert command in COMMANDS.values()


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_a_command_is_shown_in_its_own_help(names: tuple[str, ...]) -> None:
    """And not only its neighbours."""
    assert any(tuple(words[: len(names)]) == names for words in examples(names))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Path:
    """A workspace like that of the examples: a case with findings, one account for every duty."""
    place = tmp_path_factory.mktemp("examples")
    office = Office(place / "workspace")
    office.find("192.0.2.9")
    office.open()
    token = new_token()
    for name in ("admin", "admin2", "clerk", "mei", "officer", "chief", "all"):
        office.admit(Account(name=name, unit="drc", duties=frozenset(Duty)), token)
        (place / f"{name}.token").write_text(token)
        (place / f"{name}.token").chmod(0o600)
    office.work.close()
    for path in (project_root / "examples" / "casework").iterdir():
        shutil.copy(path, place / {"lawful.csv": "register.csv", "contacts.csv": "desks.csv"}.get(path.name, path.name))
    shutil.copy(place / "findings.jsonl", place / "findings.json")
    (place / "witness.pub").write_text(Signer("witness.example/w1", COSIGNATURE, bytes(32)).verifier.text())
    for name in ("answer.pdf", "removal.pdf", "rack.jpg"):
        (place / name).write_bytes(b"a letter, or a photo")
    return place


def self_contained(words: list[str], place: Path) -> bool:
    """Whether an example needs nothing but the workspace: no capture, no table, no letter."""
    command, values = parsed(words)
    made = {"out", "output", "new_token_file", "new_key", "sheet", "report", "folder"}
    for parameter in command.params:
        if parameter.name in made or (parameter.name == "path" and "make" in words):
            continue
        value = values.get(parameter.name)
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if (
                (kind_of(parameter) is Path or parameter.metavar == "PATH")
                and one is not None
                and not (place / one).exists()
            ):
                return False
    return "--database-url" not in words and "-" not in words


@pytest.mark.parametrize(("names", "words"), PARAMETERS)
def test_an_example_runs(
    names: tuple[str, ...], words: list[str], place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Done, or refused by the rules of a case that stands elsewhere; never a mistake in the example itself."""
    if names in NOT_RUN or not self_contained(words, place):
        pytest.skip(NOT_RUN.get(names, "needs files that the help only names"))
    monkeypatch.setattr(testing, "_get_command", lambda _app: TREE)
    new = names == ("workspace", "init")
    monkeypatch.setenv("HEADFRAME_WORKSPACE", str(tmp_path / "new" if new else place / "workspace"))
    monkeypatch.setenv("HEADFRAME_ACCOUNT", "all")
    monkeypatch.setenv("HEADFRAME_TOKEN_FILE", str(place / "all.token"))
    monkeypatch.delenv("HEADFRAME_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    for path in place.iterdir():
        if path.is_file() and not (new and path.suffix == ".token"):
            shutil.copy(path, tmp_path)
    done = CliRunner().invoke(app, words, prog_name="headframe")
    if done.exit_code in (ExitCode.USAGE, ExitCode.UNREADABLE):
        assert NOT_THERE.search(done.stderr), done.stderr
    else:
        assert done.exit_code in (ExitCode.OK, ExitCode.REFUSED), done.output[-2000:]
    RAN.append(names)


RAN: list[tuple[str, ...]] = []


def test_most_of_them_ran() -> None:
    """Else the test above says little."""
    assert len(set(RAN)) > len(COMMANDS) // 2


def named(option: str) -> Iterator[tuple[str, str]]:
    """What the examples give for an option or an argument, with the command."""
    for names, words in EXAMPLES:
        command, values = parsed(words)
        for parameter in command.params:
            if option in (*parameter.opts, parameter.metavar):
                value = values.get(parameter.name)
                for one in value if isinstance(value, (list, tuple)) else [value]:
                    if one not in (None, ""):
                        yield " ".join(names), str(one)


def test_what_examples_name_is_in_a_pack() -> None:
    """Measures, reporting duties, axes, bodies and rules that a reader could look for."""
    packs = load_packs().values()
    known = {
        "--measure": {one.id for pack in packs for one in pack.measures},
        "MEASURE": {one.id for pack in packs for one in pack.measures},
        "--subject": {one.id for pack in packs for one in pack.measures} | {""},
        "--report": {one.id for pack in packs for one in pack.reporting},
        "--duty": {one.id for pack in packs for one in pack.reporting} | {one.value for one in Duty},
        "--pack": {pack.id for pack in packs},
    }
    for option, ids in known.items():
        for command, value in named(option):
            if option == "--report" and command != "case report":
                continue
            assert value in ids, (command, option, value)
