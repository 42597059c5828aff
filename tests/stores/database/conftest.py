"""Fixtures: every test of the store runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgresql_server import Server, required_server
from sqlalchemy import Engine, create_engine

from headframe.stores.database import DatabaseStore, open_store
from headframe.stores.database.tables import METADATA

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server, started when the first test asks for it."""
    with required_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgresql: Server) -> str:
    """A database with all tables and no rows, to be copied: that is faster than making the tables."""
    name = postgresql.fresh()
    open_store(postgresql.url(name), create=True).close()
    return name


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'headframe.db'}"
        return
    server: Server = request.getfixturevalue("postgresql")
    name = server.fresh()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=BACKENDS)
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database with all tables, for tests that change more than rows."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'headframe.db'}"
        open_store(address, create=True).close()
        yield address
        return
    server: Server = request.getfixturevalue("postgresql")
    name = server.fresh(request.getfixturevalue("migrated"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and no rows, to be copied."""
    path = tmp_path_factory.mktemp("template") / "headframe.db"
    open_store(path, create=True).close()
    return path


@pytest.fixture(scope="session")
def shared(postgresql: Server, migrated: str) -> Iterator[Engine]:
    """One database for many tests, emptied for each: a new one would take longer than most tests."""
    engine = create_engine(postgresql.url(postgresql.fresh(migrated)).replace("postgresql:", "postgresql+psycopg:", 1))
    yield engine
    engine.dispose()


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database with all tables and no rows."""
    if request.param == "sqlite":
        path = tmp_path / "headframe.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    engine: Engine = request.getfixturevalue("shared")
    with engine.begin() as db:
        for table in reversed(METADATA.sorted_tables):
            db.execute(table.delete())
    server: Server = request.getfixturevalue("postgresql")
    return server.url(str(engine.url.database))


@pytest.fixture
def opened(url: str) -> Iterator[Callable[[], DatabaseStore]]:
    """Open the same database as often as wanted; all are closed in the end."""
    stores: list[DatabaseStore] = []

    def again() -> DatabaseStore:
        stores.append(open_store(url, now_ns=lambda: 1_700_000_000_000_000_000))
        return stores[-1]

    yield again
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], DatabaseStore]) -> DatabaseStore:
    """The database, opened."""
    return opened()
