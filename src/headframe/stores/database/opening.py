"""Opens a database, makes its tables, and brings those of an older version up to date."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from headframe import clock
from headframe.errors import HeadframeError
from headframe.stores.database.address import BadDatabase, keep_secrets, read_address, shown
from headframe.stores.database.store import DatabaseStore, told

HEAD = "0006"
"""Version of the tables that this program knows; a test compares it with the newest migration."""

VERSION_TABLE = "headframe_version"
"""Where the version is noted; by its name the database is known as one of ours."""

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for another one. [s] An import writes for longer; its transactions do not."""

OLDEST_SQLITE = (3, 35, 0)
"""RETURNING and MATERIALIZED came with it."""

_MIGRATION_LOCK = 0x48464442  # "HFDB"; any number that nobody else uses for an advisory lock in this database


def open_store(
    url: str | Path, *, create: bool = False, upgrade: bool = True, now_ns: Callable[[], int] = clock.now_ns
) -> DatabaseStore:
    """Open a database of cases.

    Parameters
    ----------
    url : str or Path
        A file of SQLite, or an address as SQLAlchemy has it: ``sqlite:///cases/headframe.db``,
        ``postgresql://headframe@db.example/headframe``.
    create : bool
        Whether to make the file of SQLite, or the tables in an empty database of PostgreSQL, where there are none.
    upgrade : bool
        Whether to bring tables of an older version up to date. Else they are refused.
    now_ns : callable
        The clock; imports are noted with its time. [ns since 1970-01-01 UTC]

    Returns
    -------
    DatabaseStore

    Raises
    ------
    BadDatabase
        If there is no such database, if it is none of Headframe's, if a newer Headframe made it, or if it keeps texts
        in another encoding than UTF-8. No message has a password, whatever form the address has.
    """
    address = read_address(url)
    name = shown(address)
    engine = _engine(address, create)
    try:
        with told():
            _bring_up(engine, name, create, upgrade)
    except HeadframeError:
        engine.dispose()
        raise
    except SQLAlchemyError as fault:
        engine.dispose()
        raise BadDatabase(f"{name} cannot be opened as a database: {getattr(fault, 'orig', fault)}") from fault
    return DatabaseStore(engine, now_ns)


def _engine(address: URL, create: bool) -> Engine:
    if address.get_backend_name() == "postgresql":
        # Else a variable of the environment could say in which encoding texts come and go.
        engine = create_engine(address, pool_pre_ping=True, connect_args={"client_encoding": "utf8"})
        keep_secrets(engine)
        for name in ("psycopg", "sqlalchemy"):
            # What they log of a lost connection is raised, too, and told in words; without a handler it would go to
            # standard error as it is.
            if not logging.getLogger(name).handlers:
                logging.getLogger(name).addHandler(logging.NullHandler())
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise BadDatabase(
            f"Python's SQLite is {sqlite3.sqlite_version}; Headframe needs {'.'.join(map(str, OLDEST_SQLITE))} or newer"
        )
    path = Path(str(address.database))
    if not path.exists():
        if not create:
            raise BadDatabase(f"there is no database {path}. Check the path, or make a workspace first.")
        if not path.parent.is_dir():
            raise BadDatabase(f"there is no folder {path.parent} to make the database {path.name} in")
        # Cases and sealed addresses are nobody else's business. SQLite gives its WAL the rights of the file.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    """What is committed is on the disk, whatever the server's default says."""
    connection.execute("SET synchronous_commit TO on")
    connection.commit()


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Settings that SQLite keeps by connection."""
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    cursor = connection.cursor()
    try:
        if cursor.execute("PRAGMA page_count").fetchone()[0] == 0:
            # It counts only before the first page is written; later it would wait for a writer, for nothing.
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a commit is flushed before it is told
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten with zeros
        cursor.execute("PRAGMA cache_size=-65536")  # [KiB, negative by SQLite's custom]
        cursor.execute(f"PRAGMA mmap_size={2 << 30}")  # pages are read without a system call each [bytes]
        cursor.execute("PRAGMA temp_store=MEMORY")  # nothing is spilt beside the database
        cursor.execute(f"PRAGMA journal_size_limit={64 << 20}")  # what a large import leaves of the log [bytes]
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once, so that what it reads is what it writes on; a reader takes none."""
    writes = connection.get_execution_options().get("headframe_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _bring_up(engine: Engine, shown: str, create: bool, upgrade: bool) -> None:
    with engine.connect() as connection:
        _check_encoding(connection, shown)
        version = _version(connection, shown)
    if version == HEAD:
        return
    if version is None and not create:
        raise BadDatabase(f"the database {shown} is empty. Check its name, or make a workspace first.")
    if version is not None and not upgrade:
        raise BadDatabase(
            f"the database {shown} is of version {version}, this Headframe works with {HEAD}: it has to be brought up "
            "to date. Make a copy of it first."
        )
    migrate(engine, HEAD, shown)


def _check_encoding(connection: Connection, shown: str) -> None:
    """Texts are of any script: a database that has not all letters would refuse some of them, or keep them as bytes."""
    if connection.dialect.name != "postgresql":
        return
    found = str(connection.exec_driver_sql("SHOW server_encoding").scalar_one())
    if found != "UTF8":
        raise BadDatabase(
            f"the database {shown} keeps its texts in {found}, which has not every letter; Headframe needs UTF8. Make "
            "one with createdb --encoding=UTF8 --template=template0 NAME, and give its address"
        )


def _version(connection: Connection, shown: str) -> str | None:
    """Version of the tables; None where there is no table at all."""
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables:
            some = ", ".join(sorted(tables)[:3])
            raise BadDatabase(
                f"the database {shown} is none of Headframe's: it has tables ({some}) but no {VERSION_TABLE}. "
                "Give another name, or an empty database."
            )
        return None
    version = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608
    if version is None:
        return None
    if not re.fullmatch(r"[0-9]{4}", version) or version > HEAD:
        raise BadDatabase(
            f"the database {shown} is of version {version}; this Headframe knows versions up to {HEAD}. "
            "Open it with the Headframe that made it, or with a newer one."
        )
    return str(version)


def migrate(engine: Engine, revision: str, shown: str = "") -> None:
    """Bring the tables to a version, forward or back, in one transaction.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    revision : str
        ``0001``; ``base`` for no tables at all.
    shown : str
        The database's name, for messages.

    Raises
    ------
    BadDatabase
        If the database is none of ours or of a newer version.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    writer = engine.execution_options(headframe_writes=True)
    with writer.connect() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        raw = connection.connection.driver_connection
        assert raw is not None
        if on_sqlite:
            # Tables are remade on the way; a check in between would find half of them. It has to be said before BEGIN.
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                if not on_sqlite:
                    # Two programs that open it at the same time: the second waits, and finds it done.
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                current = _version(connection, shown)
                config.attributes["connection"] = connection
                if revision == "base" or (current is not None and revision < current):
                    command.downgrade(config, revision)
                else:
                    command.upgrade(config, revision)
                if on_sqlite:
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                    if broken:
                        raise BadDatabase(f"the database {shown} has rows without what they refer to: {broken[:3]}")
        finally:
            if on_sqlite:
                raw.execute("PRAGMA foreign_keys=ON")
