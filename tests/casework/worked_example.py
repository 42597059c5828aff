"""Runs the blocks of a page of the documentation, command by command, by the program's own entry point."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from typer.testing import CliRunner

from headframe.cli import app

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def commands_of(page: Path) -> Iterator[str]:
    """Every line of the page's ``sh`` blocks."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.strip() and not line.startswith("#"):
                yield line.strip()


class Example:
    """A folder with the files of an example, and an environment that its lines set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "HEADFRAME_WORKSPACE": str(folder / "workspace"), "HEADFRAME_SALT": "test"}
        self.runner = CliRunner()

    def run(self, line: str) -> str:
        """Do a line; gives its standard output. A line that begins with ``refused`` must end with code 6."""
        words = shlex.split(line)
        if words[0] == "as":
            self.environment["HEADFRAME_ACCOUNT"] = words[1]
            self.environment["HEADFRAME_TOKEN_FILE"] = str(self.folder / f"{words[1]}.token")
            return ""
        if words[0] == "day":
            self.environment["HEADFRAME_NOW"] = words[1]
            return ""
        target = None
        if ">" in words:
            words, target = words[: words.index(">")], words[-1]
        expected = 0
        if words[0] == "refused":
            expected, words = 6, words[1:]
        assert words[0] == "headframe", line
        done = self.runner.invoke(app, words[1:], env=self.environment)
        told = f"{line}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"
        assert done.exit_code == expected, told
        if target is not None:
            (self.folder / target).write_text(done.stdout, encoding="utf-8")
        return done.stdout
