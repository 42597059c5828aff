"""Fixtures of the casework: an office, and a PostgreSQL where it is installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresql_server import Server, required_server

from tests.casework.office import Office


@pytest.fixture(scope="session")
def postgresql_of_casework() -> Iterator[Server]:
    """A server, started when the first test asks for it."""
    with required_server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_of_casework: Server) -> Iterator[str]:
    """Address of a database without tables."""
    name = postgresql_of_casework.fresh()
    yield postgresql_of_casework.url(name)
    postgresql_of_casework.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """For `Office`, on each of the two databases: empty for the workspace's own SQLite."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A workspace on SQLite, with two findings on a host of site S1."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    return office
