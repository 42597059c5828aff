"""Fixtures for the command line: the real program as a process, and the program around a scan that was made by hand."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headframe.records.scan import ScanResult


@pytest.fixture
def headframe(project_root: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the real program: ``headframe("scan", "a.pcap")``, in an empty folder."""

    def run(*arguments: str, stdin: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "headframe", *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(project_root / "src"), **environment},
            timeout=240,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[ScanResult | BaseException], dict[str, object]]:
    """Let the scan answer with a result made by hand, or raise; all around it is real.

    For what no capture can bring about at will: a fault, an interruption, a finding and damage at once. Gives the
    dictionary in which the scan's arguments will be.
    """

    def prepare(outcome: ScanResult | BaseException) -> dict[str, object]:
        from headframe import app
        from headframe.engines import compiling

        seen: dict[str, object] = {}

        def scan(paths: list[str], options: object, progress: object = None) -> ScanResult:
            seen.update(paths=paths, options=options, progress=progress)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr(app, "scan", scan)
        monkeypatch.setattr(compiling, "needs_compiling", lambda: False)
        return seen

    return prepare
