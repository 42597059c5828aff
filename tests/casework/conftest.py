"""Fixtures of the casework: a PostgreSQL where it is installed."""

from collections.abc import Iterator

import pytest
from conftest import missing
from postgresql_server import Server, binaries, running_server


@pytest.fixture(scope="session")
def postgresql_of_casework() -> Iterator[Server]:
    """A server, started when the first test asks for it."""
    if binaries() is None:
        missing("PostgreSQL is not installed; tools/system-packages.sh installs it")
    with running_server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_of_casework: Server) -> Iterator[str]:
    """Address of a database without tables."""
    name = postgresql_of_casework.fresh()
    yield postgresql_of_casework.url(name)
    postgresql_of_casework.drop(name)
