"""A real PostgreSQL for the tests: Debian's binaries, a folder of its own, a unix socket and no network.

One server for each test process, started by the first test that asks for it. PostgreSQL refuses to run as root, so it
then runs as ``postgres`` or ``nobody``.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

START_TIMEOUT_S = 60.0


def binaries() -> Path | None:
    """Folder with ``initdb`` and ``postgres``: on the path, or where Debian keeps them; the newest version."""
    found = shutil.which("initdb")
    if found and (Path(found).parent / "postgres").exists():
        return Path(found).parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


def _account() -> dict[str, object]:
    """As whom to run, for `subprocess`: ourselves, unless that is root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("there is neither an account postgres nor nobody to run PostgreSQL as")


class Server:
    """A running server. `url` gives the address of a database, `fresh` makes one."""

    def __init__(self, socket: Path, start: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self.socket = socket
        self._count = 0
        self._start = start
        self.process = start()
        _wait(self)

    def stop(self) -> None:
        """Stop at once, as a server does whose power fails."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=30)

    def start(self) -> None:
        """Start again."""
        self.process = self._start()
        _wait(self)

    def url(self, database: str) -> str:
        return f"postgresql://tester@/{database}?host={self.socket}"

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def fresh(self, template: str = "template0") -> str:
        """An empty database, or the copy of one."""
        self._count += 1
        name = f"test_{self._count}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[Server]:
    """A server in a temporary folder, until the end of the block.

    Parameters
    ----------
    durable : bool
        Whether it flushes to the disk; a test that kills it needs that, the others are faster without.
    """
    programs = binaries()
    assert programs is not None, "PostgreSQL is not installed"
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="hf-pg-", dir="/tmp"))  # a socket's path has at most 107 bytes
    try:
        if account:
            os.chown(folder, account["user"], account["group"])  # type: ignore[arg-type]
        # The locale is one that sorts unlike code points do, so that a missing COLLATE shows.
        initdb = [programs / "initdb", "-D", folder / "data", "-U", "tester", "-A", "trust", "-E", "UTF8"]
        initdb += ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **account)  # type: ignore[call-overload]
        command = [programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses="]
        command += ["-c", "shared_buffers=256MB", "-c", "max_connections=50", "-c", "timezone=UTC"]
        if not durable:
            command += ["-c", "fsync=off", "-c", "full_page_writes=off"]

        def start() -> "subprocess.Popen[bytes]":
            with (folder / "log").open("ab") as log:
                return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **account)  # type: ignore[call-overload]

        server = Server(folder, start)
        try:
            yield server
        finally:
            server.process.send_signal(signal.SIGINT)
            try:
                server.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def required_server(*, durable: bool = False) -> Iterator[Server]:
    """`running_server` for a test, which is skipped where PostgreSQL is not installed, or fails if ``CI`` is set."""
    from conftest import missing  # of the tests only: programs of bench/ start a server, too

    if binaries() is None:
        missing("PostgreSQL is not installed; tools/system-packages.sh installs it")
    with running_server(durable=durable) as server:
        yield server


def _wait(server: Server) -> None:
    log = server.socket / "log"
    end = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(server.url("postgres")).close()
            return
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL does not start: {log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.05)
