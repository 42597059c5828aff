"""What a database refuses is said in the same words for SQLite and PostgreSQL, whatever the server's language."""

import sqlite3
from pathlib import Path

import pytest
from postgresql_server import Server
from sqlalchemy import text

from headframe.cases.store import StaleCase
from headframe.errors import HeadframeError, NotWritten, UnreadableInput
from headframe.stores.database import open_store
from headframe.stores.database import opening as module
from headframe.stores.database.store import NoAnswer, told


@pytest.fixture(scope="module")
def there(postgresql: Server, migrated: str) -> str:
    """A PostgreSQL with all tables."""
    return postgresql.url(postgresql.fresh(migrated))


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("53100", NotWritten, "cannot be written .*Free some space"),
        ("58030", NotWritten, "cannot be written .*Free some space"),
        ("XX001", UnreadableInput, "is damaged .*headframe log verify"),
        ("57P01", NoAnswer, "does not answer .*Check that it runs"),
        ("08006", NoAnswer, "does not answer .*Check that it runs"),
        ("55P03", HeadframeError, "written by another program for too long"),
        ("25006", HeadframeError, "may not be written .*Check the rights"),
        ("42501", HeadframeError, "may not be written .*Check the rights"),
        ("40001", StaleCase, "another transaction got in the way"),
        ("23505", HeadframeError, "the database refuses .*Nothing of this was kept"),
    ],
)
def test_a_server_is_understood_by_its_states(there: str, state: str, kind: type[Exception], words: str) -> None:
    """Its text is in its own language, and may repeat a value that reads like another fault."""
    store = open_store(there)
    said = f"DO $$ BEGIN RAISE EXCEPTION '磁盘 \"server is locked, disk is full\"' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(HeadframeError, match=words) as found, told(), store.engine.connect() as db:
        db.exec_driver_sql(said)
    assert type(found.value) is kind
    store.close()


def test_who_waits_and_who_may_not_write_is_told_alike(
    there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same two things done to both, for real."""
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.1)
    path = tmp_path / "headframe.db"
    heard: dict[str, list[str]] = {}
    for url in (str(path), there):
        store = open_store(url, create=True)
        table = text("UPDATE headframe_version SET version_num = version_num")
        other = open_store(url)
        with other.engine.execution_options(headframe_writes=True).begin() as busy:
            busy.execute(table)
            with pytest.raises(HeadframeError) as waited, store.writing() as writer:
                if store.is_postgresql:
                    writer.db.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
                writer.db.execute(table)
        with pytest.raises(HeadframeError) as refused, store.writing() as writer:
            read_only = "SET TRANSACTION READ ONLY" if store.is_postgresql else "PRAGMA query_only=1"
            writer.db.exec_driver_sql(read_only)
            writer.db.execute(table)
        heard[url] = [str(one.value).partition(" (")[0] for one in (waited, refused)]
        other.close()
        store.close()
    assert heard[str(path)] == heard[there]
    assert "another program" in heard[there][0]
    assert "may not be written" in heard[there][1]


def test_what_a_driver_raises_past_sqlalchemy_is_told() -> None:
    """Such as where a connection is being set up."""
    import psycopg

    with pytest.raises(NoAnswer, match=r"does not answer \(the connection is lost\)"), told():
        raise psycopg.OperationalError("the connection is lost")
    with pytest.raises(HeadframeError, match="another program"), told():
        raise sqlite3.OperationalError("database is locked")
    with pytest.raises(ValueError, match="ours"), told():
        raise ValueError("ours")
