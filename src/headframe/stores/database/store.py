"""The store on SQLite and PostgreSQL: reading, and where a transaction begins."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, and_, bindparam, func, or_, select, tuple_, update
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError

from headframe import clock
from headframe.cases.store import (
    CaseFilter,
    CasePage,
    Disclosure,
    FindingFilter,
    FindingHolder,
    FindingPage,
    PendingLeaf,
    StaleCase,
    StoredAccount,
    StoredFinding,
    StoredLeaf,
)
from headframe.errors import HeadframeError, NotWritten, UnreadableInput
from headframe.records.case import CaseEvent, KeptDocument, LinkCase, RegisterEntry
from headframe.records.lawful import Contact, LawfulEntry
from headframe.records.policy import Clock
from headframe.records.site import Assignment, Organisation, Site
from headframe.stores.database import listing, rows
from headframe.stores.database.tables import (
    ACCOUNTS,
    ASSIGNMENTS,
    CASE_CLOCKS,
    CASE_EVENTS,
    CASES,
    CONTACTS,
    DISCLOSURES,
    DOCUMENTS,
    ENDED_CASES,
    FINDINGS,
    IMPORTS,
    LAWFUL_ENTRIES,
    LEAVES,
    ORGANISATIONS,
    REGISTER_ENTRIES,
    SITES,
)
from headframe.stores.database.writer import CHUNK, Writer, batches, holders_of, lawful_entries, registers_in

if TYPE_CHECKING:
    from headframe.stores.leaf_marks import LeafMarks

EVENTS_AT_ONCE = 1_000
"""Events that a stream holds in memory."""
LEAVES_AT_ONCE = 1_000
"""Leaves that a stream holds in memory."""

TRY_AGAIN = frozenset({"40001", "40P01"})
"""SQLSTATE of PostgreSQL: serialization failure, deadlock."""

REGISTER_LIMIT = 1_000
"""Entries that one look-up in the register of decisions gives at most."""


class NoAnswer(UnreadableInput):
    """The database does not run, or went away in the middle."""


class DatabaseStore:
    """Cases, findings, sites and leaves in a database. Meets `headframe.cases.store.CaseStore`.

    May be used by several threads. Made by `headframe.stores.database.open_store`.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    now_ns : callable
        The time of an import. [ns since 1970-01-01 UTC]

    Attributes
    ----------
    marks : LeafMarks or None
        What marks findings as they are written; set by whoever has its key.
    """

    def __init__(self, engine: Engine, now_ns: Callable[[], int] = clock.now_ns) -> None:
        self.engine = engine
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ") if self.is_postgresql else engine
        self._writer = engine.execution_options(headframe_writes=True)
        self._now_ns = now_ns
        self._local = threading.local()
        self.marks: LeafMarks | None = None

    @property
    def is_postgresql(self) -> bool:
        """Whether the database is a PostgreSQL; else it is an SQLite."""
        return self.engine.dialect.name == "postgresql"

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def packer(self) -> rows.DocumentPacker:
        if not hasattr(self._local, "packer"):
            self._local.packer = rows.DocumentPacker()
        packer: rows.DocumentPacker = self._local.packer
        return packer

    def backup(self, path: Path) -> None:
        """Copy an SQLite database while it is used; the copy is whole, and of one moment.

        Parameters
        ----------
        path : Path
            Must not be there yet. Only its owner may read it.

        Raises
        ------
        HeadframeError
            If it is there, if it cannot be written, or if the database is a PostgreSQL, which has ``pg_dump``.
        """
        if self.is_postgresql:
            raise HeadframeError("a PostgreSQL is backed up with pg_dump, or by its archive of the write-ahead log")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise HeadframeError(f"{path} is there already; a backup replaces nothing. Give another name.") from None
        except OSError as fault:
            raise HeadframeError(f"{path} cannot be written: {fault.strerror}") from fault
        with told(), self.engine.connect() as db:
            source = db.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            with closing(sqlite3.connect(path)) as copy:
                source.backup(copy)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection on which all statements see the same state."""
        with told(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, alone: bool = False) -> Iterator[Writer]:
        """A transaction: all of it or nothing.

        Parameters
        ----------
        alone : bool
            Whether nobody else may write meanwhile: whoever comes waits, and finds what was done. For what destroys,
            and must not overlook a hold or a paper that comes at that moment. On SQLite a writer always is.

        Yields
        ------
        Writer

        Raises
        ------
        StaleCase
            If somebody else was faster.
        HeadframeError
            If the database cannot be written.
        """
        ending = False
        try:
            with told(), self._writer.begin() as connection:
                writer = Writer(connection, self._now_ns, self.packer(), self.marks)
                # First of all locks, so that nobody who has another one waits for it.
                writer.lock_writing(alone=alone)
                yield writer
                writer.flush()
                ending = True
        except NoAnswer as fault:
            if not ending:
                raise NoAnswer(f"{fault} Nothing of this was kept: do it again when it runs.") from fault
            raise NoAnswer(
                f"{fault} It went away while it was asked to keep this, all of it or nothing, and which of both cannot "
                "be told from here: look whether it is there before you do it again."
            ) from fault

    # -- cases

    def events(self, case_id: str) -> tuple[CaseEvent, ...]:
        wanted = select(CASE_EVENTS).where(CASE_EVENTS.c.case_id == case_id).order_by(CASE_EVENTS.c.number)
        with self.reading() as db:
            return tuple(rows.event_of(row) for row in db.execute(wanted).mappings())

    def was_destroyed(self, case_id: str) -> bool:
        """Whether there was a case of that number, and retention has destroyed it."""
        wanted = select(ENDED_CASES.c.case_id).where(ENDED_CASES.c.case_id == case_id)
        with self.reading() as db:
            return db.scalar(wanted) is not None

    def all_events(self) -> Iterator[CaseEvent]:
        key = tuple_(CASE_EVENTS.c.case_id, CASE_EVENTS.c.number)
        wanted = select(CASE_EVENTS).order_by(CASE_EVENTS.c.case_id, CASE_EVENTS.c.number).limit(EVENTS_AT_ONCE)
        with self.reading() as db:
            page = db.execute(wanted).mappings().all()
            while page:
                for row in page:
                    yield rows.event_of(row)
                page = db.execute(wanted.where(key > tuple_(row["case_id"], row["number"]))).mappings().all()

    def cases(self, wanted: CaseFilter, *, cursor: str = "", limit: int = 50) -> CasePage:
        with self.reading() as db:
            return listing.cases(db, wanted, cursor, limit)

    def clocks(self, case_id: str) -> tuple[Clock, ...]:
        """Clocks of a case as they stood after its last event.

        Parameters
        ----------
        case_id : str

        Returns
        -------
        tuple of Clock
        """
        wanted = select(CASE_CLOCKS).where(CASE_CLOCKS.c.case_id == case_id).order_by(CASE_CLOCKS.c.position)
        with self.reading() as db:
            return tuple(rows.clock_of(row) for row in db.execute(wanted).mappings())

    # -- findings

    def findings(self, wanted: FindingFilter, *, cursor: str = "", limit: int = 50) -> FindingPage:
        with self.reading() as db:
            return listing.findings(db, wanted, cursor, limit, self.packer())

    def finding(self, finding_id: str) -> StoredFinding | None:
        with self.reading() as db:
            row = db.execute(select(FINDINGS).where(FINDINGS.c.finding_id == finding_id)).mappings().first()
            return None if row is None else rows.finding_of(row, self.packer())

    def linking(self, case_id: str, organisation_id: str) -> tuple[str, ...]:
        if not organisation_id:
            return ()
        wanted = (
            select(CASE_EVENTS.c.case_id)
            .join(CASES, CASES.c.case_id == CASE_EVENTS.c.case_id)
            .where(CASES.c.organisation_id == organisation_id)
            .where(CASE_EVENTS.c.act == LinkCase.NAME)
            .where(CASE_EVENTS.c.payload.contains(case_id, autoescape=True))
            .distinct()
            .order_by(CASE_EVENTS.c.case_id)
        )
        with self.reading() as db:
            return tuple(db.scalars(wanted))

    def holders(self, findings: Sequence[StoredFinding]) -> tuple[FindingHolder, ...]:
        with self.reading() as db:
            return holders_of(db, findings)

    # -- sites

    def site(self, site_id: str) -> Site | None:
        with self.reading() as db:
            row = db.execute(select(SITES).where(SITES.c.site_id == site_id)).mappings().first()
            return None if row is None else rows.site_of(row)

    def all_sites(self) -> Iterator[Site]:
        """Every site, by id; streamed."""
        with self.reading() as db:
            for row in (
                db.execution_options(yield_per=5_000).execute(select(SITES).order_by(SITES.c.site_id)).mappings()
            ):
                yield rows.site_of(row)

    def all_assignments(self) -> Iterator[Assignment]:
        """Every assignment, by kind, value, realm, site and time; streamed."""
        wanted = select(ASSIGNMENTS).order_by(*ASSIGNMENTS.primary_key).execution_options(yield_per=5_000)
        with self.reading() as db:
            for row in db.execute(wanted).mappings():
                yield rows.assignment_of(row)

    def all_findings(self) -> Iterator[StoredFinding]:
        """Every finding, by id; streamed."""
        wanted = select(FINDINGS).order_by(FINDINGS.c.finding_id).execution_options(yield_per=1_000)
        with self.reading() as db:
            for row in db.execute(wanted).mappings():
                yield rows.finding_of(row, self.packer())

    def marked_findings(self) -> Iterator[Mapping[str, Any]]:
        """Of every finding what its mark is of, and its mark; without its document; streamed."""
        columns = FINDINGS.c
        wanted = select(*(columns[name] for name in rows.MARKED), columns.log10_e, columns.mark)
        with self.reading() as db:
            for row in db.execute(wanted.execution_options(yield_per=5_000)).mappings():
                yield {**row}

    def resolvable_findings(
        self, after: str = "", limit: int = 5_000, *, among: Collection[str] | None = None
    ) -> Sequence[Any]:
        """Findings that no case rests on, and whose site the registry alone may decide, by id.

        Parameters
        ----------
        after : str
            The id of the last one of the page before.
        limit : int
        among : collection of str, optional
            Ids: these only, and also those that cases rest on.

        Returns
        -------
        sequence of rows
            With ``finding_id``, ``site_id``, ``subject``, ``started_ns``, ``ended_ns``, ``realm``.
        """
        columns = FINDINGS.c
        wanted = (
            select(
                columns.finding_id, columns.site_id, columns.subject, columns.started_ns, columns.ended_ns,
                IMPORTS.c.realm,
            )
            .join(IMPORTS, IMPORTS.c.import_id == columns.import_id)
            .where(and_(columns.finding_id > after, IMPORTS.c.registry_only))
            .where(~columns.in_case if among is None else columns.finding_id.in_(among))
            .order_by(columns.finding_id)
            .limit(limit)
        )  # fmt: skip
        with self.reading() as db:
            return db.execute(wanted).all()

    def unresolved_by_logs(self) -> int:
        """Findings without a site, and without a case, whose import had leases or NAT logs, or nobody knows."""
        columns = FINDINGS.c
        wanted = select(func.count()).select_from(FINDINGS).join(IMPORTS, IMPORTS.c.import_id == columns.import_id)
        wanted = wanted.where(and_(columns.site_id == "", ~columns.in_case, ~IMPORTS.c.registry_only))
        with self.reading() as db:
            return int(db.execute(wanted).scalar_one())

    def organisation(self, organisation_id: str) -> Organisation | None:
        wanted = select(ORGANISATIONS).where(ORGANISATIONS.c.organisation_id == organisation_id)
        with self.reading() as db:
            row = db.execute(wanted).mappings().first()
            return None if row is None else rows.organisation_of(row)

    def assignments(self, site_id: str) -> tuple[Assignment, ...]:
        columns = ASSIGNMENTS.c
        wanted = select(ASSIGNMENTS).where(columns.site_id == site_id)
        wanted = wanted.order_by(columns.valid_from_ns, columns.kind, columns.value, columns.realm)
        with self.reading() as db:
            return tuple(rows.assignment_of(row) for row in db.execute(wanted).mappings())

    def lawful_of(self, *, site_id: str, organisation_id: str, usage_points: Sequence[str]) -> tuple[LawfulEntry, ...]:
        columns = LAWFUL_ENTRIES.c
        conditions = []
        if site_id:
            conditions.append(columns.site_id == site_id)
        if organisation_id:
            conditions.append(columns.organisation_id == organisation_id)
        points = sorted({point for point in usage_points if point})
        conditions += [columns.usage_point.in_(chunk) for chunk in batches(points, CHUNK)]
        if not conditions:
            return ()
        wanted = select(LAWFUL_ENTRIES).where(or_(*conditions)).order_by(columns.register, columns.entry_id)
        with self.reading() as db:
            return tuple(rows.lawful_of(row) for row in db.execute(wanted).mappings())

    def all_lawful(self) -> Iterator[LawfulEntry]:
        """Every entry of every register of lawful mining, by register and id; streamed."""
        with self.reading() as db:
            yield from lawful_entries(db)

    def lawful_in(self, registers: Sequence[str]) -> Iterator[LawfulEntry]:
        """Every entry of some registers of lawful mining, by register and id; streamed.

        Parameters
        ----------
        registers : sequence of str
        """
        columns = LAWFUL_ENTRIES.c
        wanted = select(LAWFUL_ENTRIES).where(columns.register.in_(sorted(set(registers))))
        wanted = wanted.order_by(columns.register, columns.entry_id).execution_options(yield_per=5_000)
        with self.reading() as db:
            for row in db.execute(wanted).mappings():
                yield rows.lawful_of(row)

    def registers(self) -> Mapping[str, int]:
        with self.reading() as db:
            return registers_in(db)

    def contacts(self, *, site_id: str = "", organisation_id: str = "") -> tuple[Contact, ...]:
        conditions = []
        if site_id:
            conditions.append(CONTACTS.c.site_id == site_id)
        if organisation_id:
            conditions.append(CONTACTS.c.organisation_id == organisation_id)
        if not conditions:
            return ()
        wanted = select(CONTACTS).where(or_(*conditions)).order_by(CONTACTS.c.contact_id)
        with self.reading() as db:
            return tuple(rows.contact_of(row) for row in db.execute(wanted).mappings())

    # -- documents, register, accounts

    def documents(self, case_id: str) -> tuple[KeptDocument, ...]:
        wanted = select(DOCUMENTS).where(DOCUMENTS.c.case_id == case_id)
        wanted = wanted.order_by(DOCUMENTS.c.created_ns, DOCUMENTS.c.event, DOCUMENTS.c.sha256)
        with self.reading() as db:
            return tuple(rows.document_of(row) for row in db.execute(wanted).mappings())

    def all_documents(self) -> Iterator[tuple[str, KeptDocument]]:
        """Every document with its case, by case; streamed. Of no case are reports and certificates."""
        wanted = select(DOCUMENTS).order_by(DOCUMENTS.c.case_id, DOCUMENTS.c.sha256)
        with self.reading() as db:
            for row in db.execute(wanted.execution_options(yield_per=1_000)).mappings():
                yield row["case_id"], rows.document_of(row)

    def register(
        self, *, organisation_id: str = "", site_id: str = "", text: str = "", limit: int | None = REGISTER_LIMIT
    ) -> tuple[RegisterEntry, ...]:
        columns = REGISTER_ENTRIES.c
        wanted = select(REGISTER_ENTRIES)
        if organisation_id:
            wanted = wanted.where(columns.organisation_id == organisation_id)
        if site_id:
            wanted = wanted.where(columns.site_id == site_id)
        if text.strip():
            wanted = wanted.where(columns.entry_id.in_(listing.refs_by_prefix("register", text)))
        wanted = wanted.order_by(columns.final_ns.desc(), columns.entry_id).limit(limit)
        with self.reading() as db:
            return tuple(rows.register_entry_of(row) for row in db.execute(wanted).mappings())

    def account(self, name: str) -> StoredAccount | None:
        with self.reading() as db:
            row = db.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == name)).mappings().first()
            return None if row is None else rows.account_of(row)

    def accounts(self) -> tuple[StoredAccount, ...]:
        with self.reading() as db:
            return tuple(
                rows.account_of(row) for row in db.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.name)).mappings()
            )

    def accesses(self, *, what: str = "", account: str = "", cursor: str = "", limit: int = 50) -> listing.AccessPage:
        """A page of the access log, the latest first.

        Parameters
        ----------
        what, account : str
            Only these, where not empty.
        cursor : str
            From the page before.
        limit : int

        Returns
        -------
        AccessPage
        """
        with self.reading() as db:
            return listing.accesses(db, what, account, cursor, limit)

    # -- leaves

    def leaves(self, *, case_id: str = "", leaf_ids: Sequence[str] = (), beginning: str = "") -> tuple[StoredLeaf, ...]:
        by_case = [LEAVES.c.case_id == case_id] if case_id else []
        # By the order of names, which the index has; SQLite looks at every row for LIKE.
        after = beginning[:-1] + chr(ord(beginning[-1]) + 1) if beginning else ""
        named = [and_(LEAVES.c.leaf_id >= beginning, LEAVES.c.leaf_id < after)] if beginning else []
        conditions = [
            *by_case,
            *named,
            *(LEAVES.c.leaf_id.in_(chunk) for chunk in batches(sorted(set(leaf_ids)), CHUNK)),
        ]
        if not conditions:
            return ()
        wanted = (
            select(LEAVES).where(or_(*conditions)).order_by(LEAVES.c.place.is_(None), LEAVES.c.place, LEAVES.c.number)
        )
        with self.reading() as db:
            found = db.execute(wanted).all()
            shown = _disclosures(db, [row.leaf_id for row in found])
        return tuple(
            StoredLeaf(
                leaf_id=row.leaf_id,
                leaf=bytes(row.leaf),
                index=row.place,
                disclosures=shown.get(row.leaf_id, ()),
                mark=bytes(row.mark or b""),
            )
            for row in found
        )

    def pending_leaves(self, limit: int = 1_000, *, after: str = "") -> tuple[PendingLeaf, ...]:
        wanted = select(LEAVES).where(LEAVES.c.place.is_(None)).order_by(LEAVES.c.number).limit(limit)
        if after:
            number = select(LEAVES.c.number).where(LEAVES.c.leaf_id == after).scalar_subquery()
            wanted = wanted.where(LEAVES.c.number > number)
        with self.reading() as db:
            found = db.execute(wanted).all()
            shown = _disclosures(db, [row.leaf_id for row in found])
        return tuple(
            PendingLeaf(
                leaf_id=row.leaf_id,
                leaf=bytes(row.leaf),
                disclosures=shown.get(row.leaf_id, ()),
                data_class=row.data_class,
                case_id=row.case_id,
                mark=bytes(row.mark or b""),
            )
            for row in found
        )

    def logged_leaves(self) -> Iterator[tuple[int, str, bytes]]:
        """Every leaf that has a place in the ledger: place, name, bytes; in the order of the places."""
        columns = LEAVES.c
        wanted = select(columns.place, columns.leaf_id, columns.leaf).order_by(columns.place).limit(LEAVES_AT_ONCE)
        last = -1
        with self.reading() as db:
            while page := db.execute(wanted.where(columns.place > last)).all():
                for row in page:
                    yield row.place, row.leaf_id, bytes(row.leaf)
                last = page[-1].place

    def event_counts(self) -> Mapping[str, int]:
        """How many events each case has."""
        wanted = select(CASE_EVENTS.c.case_id, func.count()).group_by(CASE_EVENTS.c.case_id)
        with self.reading() as db:
            return {row[0]: row[1] for row in db.execute(wanted)}

    def last_place(self) -> int | None:
        """The largest place in the ledger that a leaf has got; None where none has any."""
        with self.reading() as db:
            place: int | None = db.execute(select(func.max(LEAVES.c.place))).scalar_one()
        return place

    def mark_logged(self, places: Mapping[str, int]) -> None:
        change = update(LEAVES).where(and_(LEAVES.c.leaf_id == bindparam("of"), LEAVES.c.place.is_(None)))
        change = change.values(place=bindparam("to"))
        with told(), self._writer.begin() as db:
            for chunk in batches(sorted(places), CHUNK):
                try:
                    db.execute(change, [{"of": leaf_id, "to": places[leaf_id]} for leaf_id in chunk])
                except IntegrityError as fault:
                    some = ", ".join(f"{leaf_id} at {places[leaf_id]}" for leaf_id in chunk[:3])
                    raise HeadframeError(
                        f"of the leaves {some} ({len(chunk)} in all) one has a place in the ledger that another leaf "
                        "has. Check with headframe log verify whether the ledger belongs to this database."
                    ) from fault
                wanted = select(LEAVES.c.leaf_id, LEAVES.c.place).where(LEAVES.c.leaf_id.in_(chunk))
                kept = {row.leaf_id: row.place for row in db.execute(wanted)}
                for leaf_id in chunk:
                    if leaf_id not in kept:
                        raise HeadframeError(
                            f"there is no leaf {leaf_id}; its place {places[leaf_id]} in the ledger is not noted"
                        )
                    if kept[leaf_id] != places[leaf_id]:
                        raise HeadframeError(
                            f"leaf {leaf_id} has place {kept[leaf_id]} in the ledger; it cannot have place "
                            f"{places[leaf_id]} too. Check with headframe log verify whether the ledger belongs to "
                            "this database."
                        )


def _disclosures(db: Connection, leaf_ids: Sequence[str]) -> dict[str, tuple[Disclosure, ...]]:
    found: dict[str, list[Disclosure]] = {}
    for chunk in batches(leaf_ids, CHUNK):
        wanted = select(DISCLOSURES).where(DISCLOSURES.c.leaf_id.in_(chunk))
        for row in db.execute(wanted.order_by(DISCLOSURES.c.leaf_id, DISCLOSURES.c.position)).mappings():
            found.setdefault(row["leaf_id"], []).append(rows.disclosure_of(row))
    return {leaf_id: tuple(disclosures) for leaf_id, disclosures in found.items()}


@contextmanager
def told() -> Iterator[None]:
    """Turn what a database says into what a user can act on.

    Raises
    ------
    StaleCase
        If two transactions got into each other's way, and this one has to be done again.
    HeadframeError
        For all else.
    """
    try:
        yield
    except _faults() as fault:
        raise _told_as(fault) from fault


def _faults() -> tuple[type[Exception], ...]:
    """What SQLAlchemy raises, and what a driver does past it, such as where a connection is being set up."""
    psycopg = sys.modules.get("psycopg")  # if it was loaded
    return (DBAPIError, PendingRollbackError, sqlite3.Error, *(() if psycopg is None else (psycopg.Error,)))


_FULL = ("disk is full", "No space left", "disk I/O", "53100", "58030")
"""What they say of a disk that takes nothing more; PostgreSQL by its SQLSTATE, for it speaks the server's language."""
_DAMAGE = ("malformed", "not a database", "invalid page", "missing chunk", "XX001", "XX002")
"""What SQLite and PostgreSQL say of a file that is not whole."""
_BUSY = ("is locked", "busy", "55P03", "57014")
"""That somebody else has it. PostgreSQL: lock not available, and a statement that took longer than the server lets."""
_MAY_NOT = ("readonly", "25006", "42501")
"""PostgreSQL: a server that only reads, and an account without the right."""
_GONE = ("08", "57P")
"""How SQLSTATEs begin of connections that failed, and of servers that stop, start or were killed."""


def _told_as(fault: Exception) -> HeadframeError:
    """What a database says, with what to do about it: the same of SQLite and of PostgreSQL."""
    driver = getattr(fault, "orig", None) or fault
    state = str(getattr(driver, "sqlstate", None) or "")
    said = " ".join(str(driver).split())
    if state in TRY_AGAIN:
        return StaleCase(f"another transaction got in the way ({said}). Read again and decide again.")
    # Where there is a state it decides: words repeat values. Of what PostgreSQL calls internal the words tell more.
    marks = state if state and not state.startswith("XX") else f"{said} {state}"
    if any(words in marks for words in _DAMAGE):
        return UnreadableInput(
            f"the database is damaged ({said}); nothing was done. Keep the folder as it is, and put the newest backup "
            "of the database in its place: docs/store.md, Restoring, says how. headframe log verify then tells whether "
            "the ledger has acts that the backup has not"
        )
    if any(words in marks for words in _FULL):
        return NotWritten(
            f"the database cannot be written ({said}). Nothing of this was kept. Free some space and try again."
        )
    if _is_gone(fault, driver, state):
        return NoAnswer(f"the database does not answer ({said}). Check that it runs, and that its address is right.")
    if any(words in marks for words in _BUSY):
        words = f"the database is being written by another program for too long ({said}). Try again when it is done."
        return HeadframeError(words)
    if any(words in marks for words in _MAY_NOT):
        return HeadframeError(
            f"the database may not be written ({said}). Check the rights: of the account on the file and its folder, "
            "or of the user of PostgreSQL."
        )
    return HeadframeError(f"the database refuses ({said}). Nothing of this was kept.")


def _is_gone(fault: Exception, driver: Exception, state: str) -> bool:
    """Whether there is no server at the other end, or none that lets us in."""
    if getattr(fault, "connection_invalidated", False) or isinstance(fault, PendingRollbackError):
        return True
    if isinstance(driver, sqlite3.Error):
        return False
    # What the server says has a SQLSTATE, whatever its language; where it says nothing, psycopg has lost it.
    lost = not state and {"OperationalError", "InterfaceError"} & {kind.__name__ for kind in type(driver).__mro__}
    return bool(lost) or state.startswith(_GONE) or state.startswith("28") or state == "3D000"
