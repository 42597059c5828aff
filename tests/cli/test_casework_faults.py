"""What goes wrong around an act: no writing, Ctrl-C, a full disk. Told in words, and nothing is half done."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headframe.cli.exit_codes import ExitCode
from tests.casework.office import Office, sealed_events

CASE = "HF-2026-000001"
HOLD = ("case", "hold", CASE, "--reason", "court file 12/2026")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A workspace with one case, which this process has closed."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    office.open()
    path = tmp_path / "chief.token"
    path.write_text(office.tokens["chief"])
    path.chmod(0o600)
    office.work.close()
    yield office
    office.work.close()


@pytest.fixture
def run(office: Office, project_root: Path) -> Run:
    """Run the program as a process of its own; `before` is Python that runs in it first."""

    def program(
        *arguments: str | bytes, before: str = "", in_child: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("HEADFRAME_")}
        code = f"{before}\nfrom headframe.cli import main\nmain()\n"
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, cwd=office.folder.parent, timeout=120,
            check=False, stdin=subprocess.DEVNULL, preexec_fn=in_child,
            env={**clean, "PYTHONPATH": str(project_root / "src"), "HEADFRAME_WORKSPACE": str(office.folder),
                 "HEADFRAME_ACCOUNT": "chief", "HEADFRAME_TOKEN_FILE": str(office.folder.parent / "chief.token")},
        )  # fmt: skip
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return program


def events(office: Office) -> int:
    """How many events the case has, once the workspace was opened again; each of them is in the ledger, once."""
    work = office.reopen()
    sealed_events(work)()
    number = len(work.store.events(CASE))
    work.close()
    return number


# Nothing may be written ----------------------------------------------------------------------------------------------


def _without_privilege() -> None:
    """Bind root, as which tests run in containers, to the rights of files: drop what overrides them."""
    libc = ctypes.CDLL(None, use_errno=True)
    drop_from_bounding_set = 24
    for capability in (1, 2, 3):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
        libc.prctl(drop_from_bounding_set, capability, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the privileges of root are dropped as on Linux")
@pytest.mark.parametrize("arguments", [("case", "list"), ("case", "show", CASE), HOLD, ("log", "verify")], ids=" ".join)
def test_a_workspace_that_may_not_be_written(office: Office, run: Run, arguments: tuple[str, ...]) -> None:
    """What came, what would be right; the log is verified all the same, and says what it could not compare."""
    before = events(office)
    every = [office.folder, *office.folder.rglob("*")]
    rights = {path: path.stat().st_mode for path in every}
    for path in every:
        path.chmod(rights[path] & ~0o222)
    try:
        done = run(*arguments, in_child=_without_privilege if os.geteuid() == 0 else None)
    finally:
        for path in every:
            if path.exists():
                path.chmod(rights[path])
    if arguments[0] == "log":
        assert done.returncode == ExitCode.OK, done.stderr
        assert "every leaf, tile and the root are as the signed checkpoint says" in done.stdout
        assert "the database could not be read, so the log was not compared with it" in done.stderr
    else:
        assert (done.returncode, done.stdout) == (ExitCode.UNREADABLE, "")
        assert "cannot be written, and its database is written even where it is only read" in done.stderr
        assert "headframe log verify works as it is" in done.stderr
    assert events(office) == before


# Ctrl-C --------------------------------------------------------------------------------------------------------------


INTERRUPTED = {
    "within the transaction": """
from headframe.stores.database.writer import Writer
whole = Writer.append
def cut(self, *given, **more):
    whole(self, *given, **more)
    os.kill(os.getpid(), signal.SIGINT); time.sleep(5)
Writer.append = cut
""",
    "within the ledger": """
from headframe.stores.ledger_files import Ledger
whole, fsync = Ledger.append, os.fsync
def cut(self, leaves):
    def late(number):
        os.fsync = fsync
        fsync(number)
        os.kill(os.getpid(), signal.SIGINT); time.sleep(5)
    os.fsync = late
    return whole(self, leaves)
Ledger.append = cut
""",
    "twice": """
from headframe.casework.core import Casework
from headframe.stores.ledger_files import Ledger
whole, close = Ledger.append, Casework.close
def cut(self, leaves):
    whole(self, leaves)
    os.kill(os.getpid(), signal.SIGINT); time.sleep(5)
def again(self):
    try:
        os.kill(os.getpid(), signal.SIGINT); time.sleep(0.1)
    except KeyboardInterrupt:  # the library that closes connections logs it, with its traceback
        os.write(2, b"Traceback")
    close(self)
Ledger.append, Casework.close = cut, again
""",
    "after the ledger": """
from headframe.stores.ledger_files import Ledger
whole = Ledger.append
def cut(self, leaves):
    whole(self, leaves)
    os.kill(os.getpid(), signal.SIGINT); time.sleep(5)
Ledger.append = cut
""",
}


@pytest.mark.parametrize("where", INTERRUPTED)
def test_ctrl_c_leaves_nothing_half_done(office: Office, run: Run, where: str) -> None:
    """Exit code 130; what to look at before it is done again; the act is there with its leaf, or not at all."""
    before = events(office)
    done = run(*HOLD, before=f"import os, signal, time\n{INTERRUPTED[where]}")
    assert (done.returncode, done.stdout) == (ExitCode.INTERRUPTED, ""), done.stderr
    assert done.stderr == (
        "headframe: interrupted; what was not acknowledged may have been done or not: headframe case events CASE or "
        "headframe log show tells, before it is done again\n"
    )
    assert events(office) == before + (where != "within the transaction")
    again = run(*HOLD)
    if where == "within the transaction":
        assert again.returncode == 0, again.stderr
    else:
        assert "on hold already" in again.stderr
    assert events(office) == before + 1


def test_ctrl_c_while_only_reading(run: Run) -> None:
    """Nothing was asked to be done, so nothing is said of it."""
    cut = """
import os, signal, time
from headframe.casework.core import Casework
def view(self, case_id):
    os.kill(os.getpid(), signal.SIGINT); time.sleep(5)
Casework.view = view
"""
    done = run("case", "show", CASE, before=cut)
    assert (done.returncode, done.stdout) == (ExitCode.INTERRUPTED, "")
    assert done.stderr.startswith("headframe: interrupted")
    assert "may have been done" not in done.stderr


# A full disk ---------------------------------------------------------------------------------------------------------


FULL = {
    "the database": """
import resource
from headframe.stores.database.writer import Writer
whole = Writer.append
def cut(self, *given, **more):
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return whole(self, *given, **more)
Writer.append = cut
""",
    "the ledger": """
import resource
from headframe.stores.ledger_files import Ledger
whole = Ledger.append
def cut(self, leaves):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
    return whole(self, leaves)
Ledger.append = cut
""",
}


@pytest.mark.skipif(sys.platform == "win32", reason="the size of files is limited as on POSIX")
@pytest.mark.parametrize("where", FULL)
def test_a_full_disk_while_an_act_is_written(office: Office, run: Run, where: str) -> None:
    """Nothing is acknowledged; the words say what to do; with room again the act is there once, or can be done."""
    before = events(office)
    done = run(*HOLD, before=FULL[where])
    assert (done.returncode, done.stdout) == (ExitCode.NOT_WRITTEN, ""), done.stderr
    assert "a fault in Headframe" not in done.stderr
    assert "space" in done.stderr or "room" in done.stderr, done.stderr
    assert events(office) == before + (where == "the ledger")
    again = run(*HOLD)
    assert again.returncode == (ExitCode.REFUSED if where == "the ledger" else ExitCode.OK), again.stderr
    assert events(office) == before + 1


# Words that are no words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        (*HOLD[:3], "--reason", "Gericht für Öffentliches".encode("latin-1")),
        ("case", "reply", CASE, "--stance", "contests", "--text", "冷库".encode("gb18030")),
        ("case", "list", "Gießerei".encode("latin-1")),
    ],
    ids=["latin-1", "GB 18030", "a search"],
)
def test_text_from_a_file_that_is_no_utf_8(office: Office, run: Run, arguments: tuple[str | bytes, ...]) -> None:
    """``--text "$(cat reply.txt)"``: which option, what it would have to be, and nothing was done."""
    before = events(office)
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "is no UTF-8, so it could not be kept, and nothing was done; give it in UTF-8" in done.stderr
    assert any(option in done.stderr for option in ("--reason", "--text", "TEXT"))
    assert events(office) == before


# Hints ---------------------------------------------------------------------------------------------------------------


def test_a_refused_class_names_the_values_of_every_axis(office: Office, run: Run) -> None:
    """Whoever proposes a class with a value that the pack has not sees those that it has."""
    path = office.folder.parent / "chief.token"
    path.write_text(office.tokens["officer"])
    done = run("case", "propose", CASE, "--as", "officer", "--axis", "intent=greed", "--reason", "two families")
    assert done.returncode == ExitCode.REFUSED
    hints = [line for line in done.stderr.splitlines() if line.startswith("headframe: --axis ")]
    axes = dict(office.a_class().axes)
    assert len(hints) == len(axes)
    for name, value in axes.items():
        (hint,) = [line for line in hints if line.startswith(f"headframe: --axis {name}=WHICH: ")]
        assert value in hint.split(": ", 2)[2].split(", ")


def test_an_accepted_class_needs_no_hints(office: Office, run: Run) -> None:
    """They would look like something still to be done."""
    (office.folder.parent / "chief.token").write_text(office.tokens["officer"])
    axes = [part for axis in office.a_class().axes for part in ("--axis", "=".join(axis))]
    done = run("case", "propose", CASE, "--as", "officer", "--standing", "operator", *axes, "--reason", "two families")
    assert done.returncode == 0, done.stderr
    assert "WHICH" not in done.stderr
