"""The address of a database: read from what somebody wrote, and shown without a password.

An address may hold a password, and one that is written wrongly may hold it anywhere: behind the port, in the name of
the database, in what looks like the path of a file. So an address that is not understood is never shown, not even in
part; of one that is, only user, host, port and database are. What the driver and the server say is looked at, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from headframe.errors import HeadframeError

KNOWN = "give the path of an SQLite file, sqlite:///PATH, or postgresql://USER@HOST/DATABASE"
LARGEST_PORT = 65_535

SECRET_OPTIONS = frozenset({"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})
"""Options of libpq that hold a secret (PostgreSQL 18, section 34.1.2)."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+]*)://")
_NAME = re.compile(r"""[^\s\x00-\x1f:/?#=;&,|<>"'\\]+""")
"""A user or a database: nothing that parts an address, as those would be that stand there by mistake."""
_HOST = re.compile(r"[\w./,-]+(?::[0-9]{1,5})?|[0-9a-fA-F:.%]+")
"""Names, numbers, a list of them, or the folder of a socket."""
_NO_PATH = re.compile(r"[@=:;]|//|passw", re.IGNORECASE)
"""What stands in addresses, and hardly ever in the path of a file; such a path is written ``sqlite:///PATH``."""


class BadDatabase(HeadframeError):
    """A database that cannot be opened: not there, not ours, or of another version."""


def read_address(url: str | Path) -> URL:
    """An address as SQLAlchemy takes it.

    Parameters
    ----------
    url : str or Path
        A file of SQLite, ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS``.

    Returns
    -------
    sqlalchemy.URL
        Of SQLite, with a file; or of PostgreSQL, with psycopg for its driver.

    Raises
    ------
    BadDatabase
        If it is none. The message shows nothing of it.
    """
    if isinstance(url, Path):
        return URL.create("sqlite", database=str(url))
    written = url.strip()
    scheme = _SCHEME.match(written)
    if scheme is None:
        if not written or _NO_PATH.search(written):
            raise _not_understood()
        return URL.create("sqlite", database=written)
    try:
        address = make_url(scheme[1].lower() + written[scheme.end(1) :])
        backend = address.get_backend_name()
    except (ArgumentError, ValueError, NoSuchModuleError):
        # Not even as its cause: the parser's words have parts of the address.
        raise _not_understood() from None
    if backend in ("postgresql", "postgres"):
        return _of_postgresql(written, address)
    if backend != "sqlite":
        raise BadDatabase(f"{backend} is no database that Headframe works with: {KNOWN}")
    if address.username or address.password or address.host or address.query:
        raise _not_understood()
    if not address.database or address.database == ":memory:":
        raise BadDatabase(f"the address names no file, and a database in memory is lost at the end: {KNOWN}")
    return address.set(drivername="sqlite")


def _of_postgresql(written: str, address: URL) -> URL:
    query = {name: (value,) if isinstance(value, str) else value for name, value in address.query.items()}
    names = [address.username, address.database, *query.get("user", ()), *query.get("dbname", ())]
    hosts = [address.host, *query.get("host", ()), *query.get("hostaddr", ())]
    ports = [str(address.port or 1), *",".join(query.get("port", ())).split(",")]
    whole = (
        all(not name or _NAME.fullmatch(name) for name in names)
        and all(not host or _HOST.fullmatch(host) for host in hosts)
        and all(not port or (re.fullmatch("[0-9]{1,5}", port) and int(port) <= LARGEST_PORT) for port in ports)
        # Behind the colon is nothing: what looks like the host may be the password.
        and address.password != ""
        # The name of a database with an @, and a second one anywhere before the options, come of a password with an @.
        and "@" not in (address.database or "")
        and written.partition("?")[0].count("@") <= 1
    )
    if not whole:
        raise _not_understood()
    return address.set(drivername="postgresql+psycopg")


def _not_understood() -> BadDatabase:
    return BadDatabase(
        f"the address of the database is not understood, and not shown, because it may hold a password: {KNOWN}. "
        "A port is a number up to 65535, and in a password a letter such as @ : / ? # % or a blank is written as "
        "% and two digits: %40 for @"
    )


def shown(address: URL) -> str:
    """An address for messages: without a password and without options, in which one may stand, too."""
    if address.get_backend_name() == "sqlite":
        return str(address.database)
    user = f"{address.username}@" if address.username else ""
    port = f":{address.port}" if address.port else ""
    return f"postgresql://{user}{address.host or ''}{port}/{address.database or ''}"


def keep_secrets(engine: Engine) -> None:
    """See to it that no fault of an engine has a password in its words, nor has any that it came from.

    What the driver or the server says may repeat what it was given. Words that hold a secret are taken out of the
    fault itself, so that a traceback has them as little as a message.
    """
    secrets = sorted(_secrets(engine.url))
    if not secrets:
        return

    @event.listens_for(engine, "handle_error")
    def _look(context: Any) -> None:
        for fault in (context.original_exception, context.sqlalchemy_exception):
            for one in _chain(fault):
                if any(secret in f"{one} {one.args}" for secret in secrets):
                    one.args = (f"{type(one).__name__}, in words that hold the password, so they are not shown",)


def _secrets(address: URL) -> set[str]:
    """Each secret of an address, but for what is shown anyway, such as a password that is the user's name."""
    found = {str(address.password)} if address.password else set()
    for name in SECRET_OPTIONS & address.query.keys():
        value = address.query[name]
        found.update((value,) if isinstance(value, str) else value)
    return found - {"", address.username, address.database, address.host}


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [fault]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
