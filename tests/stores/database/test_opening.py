"""What is opened, what is refused and with which words; versions of the tables forward and back."""

import re
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from postgresql_server import Server
from sqlalchemy import Column, MetaData, Table, Text, inspect, text
from stores.database.makers import DAY_NS, T0, clock, document, finding, leaf, opening, site

from headframe.cases.store import CaseFilter, Disclosure, FindingFilter, SiteImport
from headframe.errors import HeadframeError, UnreadableInput
from headframe.records.case import Stage
from headframe.records.policy import ClockState
from headframe.sites.no_person import personal_in_metadata
from headframe.stores.database import DatabaseStore, open_store, retention
from headframe.stores.database import opening as module
from headframe.stores.database.address import read_address
from headframe.stores.database.opening import HEAD, migrate
from headframe.stores.database.tables import CERTIFICATES, METADATA


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).with_name("migrations")))
    return ScriptDirectory.from_config(config)


REVISIONS = [script.revision for script in reversed(list(scripts().walk_revisions()))]


def test_the_program_knows_the_newest_migration() -> None:
    """`HEAD` is the newest migration; they follow each other by number, one after the other."""
    assert [f"{k:04d}" for k in range(1, len(REVISIONS) + 1)] == REVISIONS
    assert REVISIONS[-1] == HEAD


def test_migrations_make_the_tables_of_the_program(store: DatabaseStore) -> None:
    """After all migrations the database has exactly the tables, columns and indices that the program works with."""
    with store.engine.connect() as db:
        differences = compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), METADATA)
    assert [d for d in differences if "headframe_version" not in str(d)] == []


def test_texts_sort_by_code_point(store: DatabaseStore) -> None:
    """A list has the same order on both databases, whatever language the server sorts by."""
    with store.writing() as writer:
        writer.import_sites(
            SiteImport(sites=[replace(site(1), site_id=name) for name in ("b", "B", "a", "é", "_", "Z", "挖")])
        )
    assert [each.site_id for each in store.all_sites()] == ["B", "Z", "_", "a", "b", "é", "挖"]


def fill(store: DatabaseStore) -> None:
    kept = [finding(1), replace(finding(2), coin="BTC"), replace(finding(3), coin="BTC"), finding(4)]
    with store.writing() as writer:
        writer.import_sites(SiteImport(sites=[site(1), site(2)]))
        writer.import_findings(kept)
        for k, own in ((1, kept[:3]), (2, []), (3, kept[3:])):
            events, case = opening(f"HF-2026-{k:06d}", findings=own)
            writer.append(events, case, [clock(), clock("appeal", None)])
            writer.log(leaf(f"case/{case.case_id}/1", case.case_id))
        assert writer.next_case_number(2026) == 1


def contents(store: DatabaseStore) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    with store.engine.connect() as db:
        return {
            table.name: sorted(
                (dict(row.items()) for row in db.execute(table.select()).mappings()),
                key=repr,
            )
            for table in METADATA.sorted_tables
        }


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_back_and_forward_keeps_the_data(fresh_url: str, revision: str) -> None:
    """From the newest version back to an older one and forward again: every row and every value is there."""
    store = open_store(fresh_url)
    fill(store)
    before = contents(store)
    assert {row["case_id"]: row["coin"] for row in before["cases"]} == {
        "HF-2026-000001": "BTC", "HF-2026-000002": "", "HF-2026-000003": "XMR",
    }  # fmt: skip
    migrate(store.engine, revision)
    with store.engine.connect() as db:
        assert db.execute(text("SELECT version_num FROM headframe_version")).scalar_one() == revision
        assert ("coin" in {column["name"] for column in inspect(db).get_columns("cases")}) == (revision > "0001")
        assert ("realm" in {column["name"] for column in inspect(db).get_columns("imports")}) == (revision > "0002")
        assert ("pack_digest" in {column["name"] for column in inspect(db).get_columns("cases")}) == (revision > "0003")
        assert ("mark" in {column["name"] for column in inspect(db).get_columns("leaves")}) == (revision > "0004")
        assert "mark" not in {column["name"] for column in inspect(db).get_columns("findings")}
    store.close()
    store = open_store(fresh_url)  # brings it up to date by itself
    assert contents(store) == before
    assert store.cases(CaseFilter()).total == 3
    assert len(store.clocks("HF-2026-000001")) == 2
    store.close()


def test_imports_of_before_are_not_resolved_again_unseen(fresh_url: str) -> None:
    """Of an import from before nobody knows whether leases decided: it comes back as one of which some had."""
    store = open_store(fresh_url)
    with store.writing() as writer:
        writer.note_import("I-1", "east", registry_only=True)
        writer.import_findings([replace(finding(1), site_id="")])
    assert len(store.resolvable_findings()) == 1
    migrate(store.engine, "0002")
    store.close()
    store = open_store(fresh_url)
    (row,) = contents(store)["imports"]
    assert (row["import_id"], row["findings"], row["realm"], row["registry_only"]) == ("I-1", 1, "", False)
    assert (store.resolvable_findings(), store.unresolved_by_logs()) == ([], 1)
    store.close()


REPORT = {"name": "week.pdf", "media_type": "application/pdf", "kind": "weekly_report", "size": 7, "case_id": ""}


def test_what_a_workspace_of_before_has_comes_under_the_rules_of_now(fresh_url: str) -> None:
    """Digest of the pack, end of the rights of appeal, papers of a destroyed case, reports: all by what is there."""
    store = open_store(fresh_url)
    late = replace(clock("appeal-2", T0 + 90 * DAY_NS), provisional=False)
    unserved = replace(
        clock("appeal", None, ClockState.NOT_STARTED), started_ns=None, explanation="60 days from decision received"
    )
    with store.writing() as writer:
        for k, clocks in ((1, [clock("appeal", T0 + 60 * DAY_NS), late]), (2, [unserved]), (3, [])):
            events, case = opening(f"HF-2026-{k:06d}")
            writer.append(events, replace(case, stage=Stage.CLOSED, closed_ns=T0 + DAY_NS), clocks)
        writer.keep_document(document("aa" * 32), "HF-2025-000009")
        disclosed = tuple(Disclosure(name=name, salt=b"s" * 16, value=value) for name, value in REPORT.items())
        report = leaf(f"document/{'bb' * 32}")
        sealed = b'{"at_ns":"%d"}' % T0
        writer.log(replace(report, leaf=sealed, disclosures=disclosed, data_class="document"))
        writer.db.execute(
            CERTIFICATES.insert(),
            {"certificate_id": "D-1", "at_ns": T0 + 5 * DAY_NS, "proposer": "a", "approver": "b", "document": "{}"},
        )
    migrate(store.engine, "0003")
    with store.engine.begin() as db:
        db.execute(text("UPDATE cases SET outcome = 'confirmed' WHERE case_id = 'HF-2026-000002'"))
    store.close()
    store = open_store(fresh_url)
    kept = contents(store)
    assert {(row["case_id"], row["pack_digest"], row["counts_from_ns"]) for row in kept["cases"]} == {
        ("HF-2026-000001", "ab" * 32, T0 + 90 * DAY_NS),
        ("HF-2026-000002", "ab" * 32, None),
        ("HF-2026-000003", "ab" * 32, T0 + DAY_NS),
    }
    assert kept["ended_cases"] == [
        {"case_id": "HF-2025-000009", "pack_id": "", "pack_digest": "", "counts_from_ns": T0 + 5 * DAY_NS}
    ]
    assert retention.not_compacted(store) == ("D-1",)
    (row,) = (row for row in kept["documents"] if not row["case_id"])
    assert (row["sha256"], row["name"], row["kind"], row["created_ns"]) == ("bb" * 32, "week.pdf", "weekly_report", T0)
    store.close()


def test_down_to_nothing_and_up_again(fresh_url: str) -> None:
    """Before the first version there is no table; what was kept is gone, as the migration says."""
    store = open_store(fresh_url)
    fill(store)
    migrate(store.engine, "base")
    with store.engine.connect() as db:
        assert set(inspect(db).get_table_names()) <= {"headframe_version"}
    store.close()
    with pytest.raises(HeadframeError, match="is empty"):
        open_store(fresh_url)
    store = open_store(fresh_url, create=True)
    assert store.cases(CaseFilter()).total == 0
    fill(store)
    store.close()


def test_an_old_version_is_refused_where_it_may_not_be_changed(fresh_url: str) -> None:
    """With ``upgrade=False`` an old database is left as it is, and the message says what to do."""
    store = open_store(fresh_url)
    migrate(store.engine, "0001")
    store.close()
    with pytest.raises(HeadframeError, match=r"version 0001.*works with .*copy"):
        open_store(fresh_url, upgrade=False)


@pytest.mark.parametrize("version", ["9999", "not ours"])
def test_a_newer_version_is_refused(fresh_url: str, version: str) -> None:
    """A database that a newer Headframe made is not touched."""
    store = open_store(fresh_url)
    with store.engine.begin() as db:
        db.execute(text("UPDATE headframe_version SET version_num = :v"), {"v": version})
    store.close()
    with pytest.raises(HeadframeError, match=f"version {version}.*newer"):
        open_store(fresh_url, create=True)


def test_a_foreign_database_is_refused(empty_url: str) -> None:
    """A database with other tables is somebody else's: nothing is made in it."""
    engine = module._engine(read_address(empty_url), create=True)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE accounts (id INTEGER)"))
    with pytest.raises(HeadframeError, match=r"none of Headframe's.*accounts"):
        open_store(empty_url, create=True)
    with engine.connect() as db:
        assert inspect(db).get_table_names() == ["accounts"]
    engine.dispose()


def test_an_empty_database_is_only_filled_when_asked(empty_url: str) -> None:
    """Without ``create`` nothing is made; not even a file."""
    with pytest.raises(HeadframeError, match=r"no database|is empty"):
        open_store(empty_url)
    open_store(empty_url, create=True).close()
    open_store(empty_url).close()


def test_two_who_make_the_same_database(empty_url: str) -> None:
    """Two programs that open a new database at the same moment both get it, and its tables are made once."""
    faults: list[BaseException] = []
    barrier = threading.Barrier(2)

    def make() -> None:
        barrier.wait()
        try:
            open_store(empty_url, create=True).close()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_no_column_has_a_place_for_a_person() -> None:
    """Tables are like classes: no table and no column describes a human being."""
    assert sum(len(table.columns) for table in METADATA.sorted_tables) > 100
    assert personal_in_metadata(METADATA) == ()
    Table("residents", worse := MetaData(), Column("phone", Text))
    assert personal_in_metadata(worse) != ()


def test_files_that_are_no_database(tmp_path: Path) -> None:
    """A file that is something else, a folder, and addresses that mean nothing are refused in words."""
    other = tmp_path / "notes.txt"
    other.write_text("not a database, but long enough to have a header of sixteen bytes" * 20)
    for url, words in (
        (str(other), "not a database"),
        (tmp_path, "cannot be opened|database"),
        (tmp_path / "absent" / "x.db", "no folder"),
        ("mysql://host/x", "mysql is no database"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql:///x?host=/nowhere/at/all", "does not answer"),
        ("nonsense+++://", "nonsense is no database"),
    ):
        with pytest.raises(HeadframeError, match=words) as told:
            open_store(url, create=True)
        assert "secret" not in str(told.value)
    with pytest.raises(HeadframeError, match="no database"):
        open_store(tmp_path / "absent.db")
    assert not (tmp_path / "absent.db").exists()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding_is_refused(postgresql: Server, encoding: str) -> None:
    """A database that has not every letter is refused in words before anything is made in it."""
    name = f"in_{encoding.lower()}"
    with psycopg.connect(postgresql.url("postgres"), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C' LOCALE_PROVIDER libc")
    for create in (True, False):
        with pytest.raises(HeadframeError, match=f"keeps its texts in {encoding}.*createdb --encoding=UTF8"):
            open_store(postgresql.url(name), create=create)
    with psycopg.connect(postgresql.url(name)) as db:
        assert db.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    postgresql.drop(name)


def test_the_environment_does_not_choose_the_encoding(
    postgresql: Server, migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts come and go in UTF-8, whatever libpq's variable says."""
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    name = postgresql.fresh(migrated)
    store = open_store(postgresql.url(name))
    with store.engine.connect() as db:
        assert db.exec_driver_sql("SELECT '昌平'").scalar_one() == "昌平"
    store.close()
    postgresql.drop(name)


def test_sqlite_is_set_up_for_safety(tmp_path: Path) -> None:
    """Nobody else may read the file; commits are flushed; references are checked; what is deleted is overwritten."""
    path = tmp_path / "headframe.db"
    store = open_store(path, create=True)
    with store.writing() as writer:
        writer.next_case_number(2026)
    for file in (path, Path(f"{path}-wal")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "auto_vacuum": 2}
    with store.engine.connect() as db:
        assert {name: db.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted} == wanted
    store.close()


def test_a_writer_waits_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer of another program is waited for; after too long the message says what is the matter."""
    path = tmp_path / "headframe.db"
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.2)
    store = open_store(path, create=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(HeadframeError, match="another program"), store.writing():
        pass
    assert store.findings(FindingFilter()).total == 0  # readers are not kept waiting
    late = open_store(path)  # and those who open it meanwhile are not either
    assert late.findings(FindingFilter()).total == 0
    late.close()
    other.execute("ROLLBACK")
    with store.writing() as writer:
        assert writer.next_case_number(2026) == 1
    other.close()
    store.close()


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """When the disk is full the transaction is not there, and the message says so; afterwards all goes on."""
    store = open_store(tmp_path / "headframe.db", create=True)
    fill(store)
    with store.engine.connect() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
    big = replace(finding(9), document={"noise": [f"{k * 2654435761 % 2**32:08x}" for k in range(40_000)]})
    raw = store.engine.raw_connection()
    raw.driver_connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[union-attr]
    raw.close()  # goes back to the pool, and is the one that is taken next
    with pytest.raises(HeadframeError, match="Free some space"), store.writing() as writer:
        writer.import_findings([big])
    assert store.finding("F-0000009") is None
    raw = store.engine.raw_connection()
    raw.driver_connection.execute("PRAGMA max_page_count=1000000")  # type: ignore[union-attr]
    raw.close()
    with store.writing() as writer:
        assert writer.import_findings([big]) == 1
    store.close()


def test_a_backup_is_whole(tmp_path: Path) -> None:
    """A copy taken while a transaction is open holds all that was committed and nothing else, for its owner only."""
    store = open_store(tmp_path / "headframe.db", create=True)
    fill(store)
    before = contents(store)
    with store.writing() as writer:
        writer.next_case_number(2030)
        store.backup(tmp_path / "copy.db")
    copy = open_store(tmp_path / "copy.db")
    assert contents(copy) == before
    copy.close()
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    with pytest.raises(HeadframeError, match="there already"):
        store.backup(tmp_path / "copy.db")
    with pytest.raises(HeadframeError, match="cannot be written"):
        store.backup(tmp_path / "absent" / "copy.db")
    store.close()


def test_importing_the_package_touches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations run when a database is opened, never because a module is imported."""
    import subprocess
    import sys

    code = "import headframe.stores.database, sys; print('alembic' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
    assert list(tmp_path.iterdir()) == []


def test_a_readable_copy_is_enough_to_look(tmp_path: Path, opened: Callable[[], DatabaseStore]) -> None:
    """Two stores on one database see what the other has committed, and nothing else."""
    one, two = opened(), opened()
    with one.writing() as writer:
        writer.import_sites(SiteImport(sites=[site(1)]))
        assert two.site("S-1") is None
    assert two.site("S-1") == site(1)
    assert re.fullmatch("[0-9]{4}", HEAD)
    assert T0


@pytest.mark.parametrize("how", ["pages", "header"])
def test_a_damaged_database_is_said_to_be_restored(tmp_path: Path, how: str) -> None:
    """A disk that lost pages, a file that is another: not SQLite's words alone, but what to do and where it is told."""
    path = tmp_path / "headframe.db"
    with closing(open_store(path, create=True)):
        pass
    data = bytearray(path.read_bytes())
    if how == "pages":
        data[4096:] = bytes(len(data) - 4096)
    else:
        data[:16] = b"no such format 1"
    path.write_bytes(data)
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    words = r"the database is damaged .*put the newest backup.*docs/store\.md, Restoring"
    with pytest.raises(UnreadableInput, match=words), closing(open_store(path)) as store:
        store.accounts()
