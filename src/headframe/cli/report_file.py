"""The file that ``--report`` names: what may be written there, and how that is said."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, say


def write_report(write: Callable[[], None], path: Path, rest: str, *, quiet: bool) -> bool:
    """Have a report written; False where that failed, which is said together with where the `rest` is."""
    try:
        write()
    except OSError as error:
        say(f"{_shown(path)} could not be written: {error.strerror}; {rest}")
        return False
    if not quiet:
        say(f"report written to {_shown(path)}")
    return True


def refuse_report(report: Path, inputs: list[Path]) -> None:
    """Refuse a name for a report that would do harm, before the work is done and not after it."""
    if report.suffix.lower() not in (".html", ".htm"):
        fail(
            f"{_shown(report)} does not end in .html; --report writes HTML and would replace that file, "
            "so name it FILE.html",
            ExitCode.USAGE,
        )
    if report.is_dir():
        fail(f"{_shown(report)} is a folder; --report takes the name of a file to write", ExitCode.USAGE)
    if not report.parent.is_dir():
        fail(
            f"{_shown(report.parent)} is no folder, so {report.name} cannot be written there; "
            "create it, or choose another place for --report",
            ExitCode.USAGE,
        )
    there = _status(report)
    if there is None:
        return
    for path in inputs:
        status = _status(path)
        if status is not None and os.path.samestat(status, there):
            fail(
                f"{_shown(report)} is one of the inputs, and --report would replace it; choose another name",
                ExitCode.USAGE,
            )
    if not stat.S_ISREG(there.st_mode) or not _is_html(report):
        fail(
            f"{_shown(report)} is there and is no HTML file, and --report would replace it; choose another name",
            ExitCode.USAGE,
        )


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):
        return None  # not there, a pattern, or no name that a file can have


def _is_html(path: Path) -> bool:
    """Whether a file looks like a report, and may be replaced by one; so may an empty one."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError:
        return False  # what cannot be read may be anything
    return not head or head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _shown(path: Path) -> str:
    from headframe.reports.words import visible

    return visible(str(path))
