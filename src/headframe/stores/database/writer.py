"""One transaction on the tables: what `headframe.cases.store.CaseWriter` asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hmac import compare_digest
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy import case as when
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from headframe.cases.store import (
    AccessEntry,
    FindingHolder,
    PendingLeaf,
    SiteImport,
    StaleCase,
    StoredAccount,
    StoredFinding,
)
from headframe.errors import HeadframeError
from headframe.records.case import Case, CaseEvent, FindingRef, KeptDocument, RegisterEntry
from headframe.records.lawful import Contact, LawfulEntry
from headframe.records.policy import Clock
from headframe.stores.database import rows
from headframe.stores.database.tables import (
    ACCESS_LOG,
    ACCOUNTS,
    ASSIGNMENTS,
    CASE_CLOCKS,
    CASE_EVENTS,
    CASE_FINDINGS,
    CASE_NUMBERS,
    CASES,
    CONTACTS,
    DISCLOSURES,
    DOCUMENTS,
    FINDING_COUNTS,
    FINDINGS,
    HOLDS,
    IMPORTS,
    LAWFUL_ENTRIES,
    LEAVES,
    ORGANISATIONS,
    REGISTER_ENTRIES,
    REGISTERS,
    SEARCH_WORDS,
    SITES,
)

if TYPE_CHECKING:
    from headframe.stores.leaf_marks import LeafMarks

BATCH = 5_000
"""Rows that are written with one statement. More bring no speed; fewer cost round trips."""

CHUNK = 500
"""Values in one IN list: far below SQLite's limit on variables (999 before 3.32)."""

_MARKED = (*(FINDINGS.c[name] for name in rows.MARKED), FINDINGS.c.log10_e, FINDINGS.c.mark)
_NEW_MARK = update(FINDINGS).where(FINDINGS.c.finding_id == bindparam("of")).values(mark=bindparam("to"))

FINDINGS_LOCK = 0x4846464E  # "HFFN"; any number that nobody else uses for an advisory lock in this database
WRITING_LOCK = 0x48465752  # "HFWR"; as above

Item = TypeVar("Item")

Kind = tuple[str, str, bool, bool]
"""Family, detector, whether it is mining, whether it is in a case: what `finding_counts` counts by."""


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Items in lists of at most `size`."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def holders_of(db: Connection, findings: Sequence[StoredFinding]) -> tuple[FindingHolder, ...]:
    """Every case that rests on one of some findings, or on one of the same site that says as much (`FindingHolder`).

    Parameters
    ----------
    db : sqlalchemy.Connection
    findings : sequence of StoredFinding

    Returns
    -------
    tuple of FindingHolder
        In order; each case once for each finding.
    """
    of = (CASES.c.case_id, CASES.c.version, CASES.c.closed_ns)
    linked = FINDINGS.join(CASE_FINDINGS, CASE_FINDINGS.c.finding_id == FINDINGS.c.finding_id).join(
        CASES, CASES.c.case_id == CASE_FINDINGS.c.case_id
    )
    found: dict[tuple[str, str], FindingHolder] = {}
    by_id = {one.ref.finding_id: one for one in findings}
    for chunk in batches(by_id, CHUNK):
        wanted = select(FINDINGS.c.finding_id, *of).select_from(linked).where(FINDINGS.c.finding_id.in_(chunk))
        for row in db.execute(wanted):
            found[row.finding_id, row.case_id] = FindingHolder(
                finding_id=row.finding_id, case_id=row.case_id, version=row.version,
                closed=row.closed_ns is not None, same=True,
            )  # fmt: skip
    asked: dict[tuple[str, str, str], list[StoredFinding]] = {}
    for one in by_id.values():
        if one.site_id:
            asked.setdefault((one.site_id, one.ref.subject, one.ref.family.value), []).append(one)
    subjects = sorted({(site, subject) for site, subject, _ in asked})
    for some in batches(subjects, CHUNK // 2):
        about = FINDINGS.c
        covering = (
            select(about.site_id, about.subject, about.family, about.started_ns, about.ended_ns, *of)
            .select_from(linked)
            .where(about.subject.in_(sorted({subject for _, subject in some})))
            .where(about.site_id.in_(sorted({site for site, _ in some})))
            .where(about.in_case)
            .where(CASES.c.closed_ns.is_not(None))
        )
        for held in db.execute(covering):
            for one in asked.get((held.site_id, held.subject, held.family), ()):
                if _is_no_news(one.ref, held.started_ns, held.ended_ns):
                    key = (one.ref.finding_id, held.case_id)
                    again = FindingHolder(
                        finding_id=one.ref.finding_id, case_id=held.case_id, version=held.version, closed=True,
                        same=False,
                    )  # fmt: skip
                    found.setdefault(key, again)
    return tuple(found[key] for key in sorted(found))


def _is_no_news(found: FindingRef, started_ns: int, ended_ns: int) -> bool:
    """Whether a finding lies in the time of another, or has less than half of its time outside of it."""
    if started_ns <= found.started_ns and found.ended_ns <= ended_ns:
        return True
    common_ns = min(found.ended_ns, ended_ns) - max(found.started_ns, started_ns)
    return 2 * common_ns > found.ended_ns - found.started_ns


def lawful_entries(db: Connection) -> Iterator[LawfulEntry]:
    """Every entry of every register of lawful mining, by register and id; streamed."""
    columns = LAWFUL_ENTRIES.c
    wanted = select(LAWFUL_ENTRIES).order_by(columns.register, columns.entry_id).execution_options(yield_per=BATCH)
    for row in db.execute(wanted).mappings():
        yield rows.lawful_of(row)


def registers_in(db: Connection) -> Mapping[str, int]:
    """When each register of lawful mining was imported last. [ns since 1970-01-01 UTC]"""
    found = db.execute(select(REGISTERS.c.register, REGISTERS.c.imported_ns).order_by(REGISTERS.c.register))
    return {row.register: row.imported_ns for row in found}


class Writer:
    """A transaction. Made by `DatabaseStore.writing` only."""

    def __init__(
        self,
        connection: Connection,
        now_ns: Callable[[], int],
        packer: rows.DocumentPacker,
        marks: LeafMarks | None = None,
    ) -> None:
        self.db = connection
        self._now_ns = now_ns
        self._packer = packer
        self._marks = marks
        self._leaves: list[PendingLeaf] = []
        self._insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert

    # -- helpers

    def _put(self, table: Table, values: Sequence[rows.Row]) -> None:
        """Add rows, or replace what stands under their keys."""
        if not values:
            return
        statement = self._insert(table)
        keys = [column.name for column in table.primary_key]
        others = {name: statement.excluded[name] for name in values[0] if name not in keys}
        if others:
            statement = statement.on_conflict_do_update(index_elements=keys, set_=others)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=keys)
        for batch in batches(values, BATCH):
            self.db.execute(statement, batch)

    def _index_words(self, kind: str, refs: Sequence[str], words: Iterable[tuple[str, str]]) -> None:
        """Make entries be found by these words (ref, word) and no others."""
        for chunk in batches(refs, CHUNK):
            self.db.execute(
                delete(SEARCH_WORDS).where(and_(SEARCH_WORDS.c.kind == kind, SEARCH_WORDS.c.ref.in_(chunk)))
            )
        unique = {(rows.fold(word), ref) for ref, word in words}
        found = [{"kind": kind, "word": word, "ref": ref} for word, ref in sorted(unique) if word]
        for batch in batches(found, BATCH):
            self.db.execute(insert(SEARCH_WORDS), batch)

    def count_findings(self, changes: Mapping[Kind, int], longest_ns: Mapping[Kind, int]) -> None:
        """Keep `finding_counts` in step: how many more of each kind, and how long the longest of these is."""
        values = [
            {
                "family": kind[0],
                "detector": kind[1],
                "mining": kind[2],
                "in_case": kind[3],
                "findings": change,
                "longest_ns": longest_ns.get(kind, 0),
            }
            for kind, change in sorted(changes.items())  # one order: no deadlock
            if change
        ]
        if values:
            statement = self._insert(FINDING_COUNTS)
            statement = statement.on_conflict_do_update(
                index_elements=["family", "detector", "mining", "in_case"],
                set_={
                    "findings": FINDING_COUNTS.c.findings + statement.excluded.findings,
                    "longest_ns": when(
                        (FINDING_COUNTS.c.longest_ns > statement.excluded.longest_ns, FINDING_COUNTS.c.longest_ns),
                        else_=statement.excluded.longest_ns,
                    ),
                },
            )
            self.db.execute(statement, values)

    # -- cases

    def next_case_number(self, year: int) -> int:
        first = self._insert(CASE_NUMBERS).values(year=year, last=1)
        taken = first.on_conflict_do_update(index_elements=["year"], set_={"last": CASE_NUMBERS.c.last + 1})
        return int(self.db.execute(taken.returning(CASE_NUMBERS.c.last)).scalar_one())

    def append(self, events: Sequence[CaseEvent], case: Case, clocks: Sequence[Clock]) -> None:
        if not events:
            raise ValueError("no events to append")
        first = events[0].number
        expected = [(case.case_id, first + k) for k in range(len(events))]
        if [(event.case_id, event.number) for event in events] != expected or case.version != events[-1].number:
            raise ValueError(f"events of {case.case_id} are not numbered on from {first} to its version {case.version}")
        there = select(CASES.c.version).where(CASES.c.case_id == case.case_id).with_for_update()
        version = self.db.execute(there).scalar_one_or_none() or 0
        if version != first - 1:
            raise _stale(case.case_id, first, version)
        try:
            self.db.execute(
                insert(CASE_EVENTS),
                [
                    {
                        "case_id": event.case_id,
                        "number": event.number,
                        "at_ns": event.at_ns,
                        "account": event.account,
                        "unit": event.unit,
                        "act": event.act.NAME,
                        "payload": rows.text_of_act(event.act),
                    }
                    for event in events
                ],
            )
        except IntegrityError as fault:
            raise _stale(case.case_id, first, None) from fault
        self._put(CASES, [rows.row_of_case(case, clocks, self._coin(case))])
        self.db.execute(delete(CASE_CLOCKS).where(CASE_CLOCKS.c.case_id == case.case_id))
        if clocks:
            self.db.execute(
                insert(CASE_CLOCKS), [rows.row_of_clock(case.case_id, k, clock) for k, clock in enumerate(clocks)]
            )
        if version == 0:
            self._index_cases(CASES.c.case_id == case.case_id)
        self._link_findings(case)

    def _index_cases(self, which: ColumnElement[bool]) -> None:
        """Make cases be found by their number, their site and its name, and their organisation."""
        wanted = select(CASES.c.case_id, CASES.c.site_id, CASES.c.organisation_id, SITES.c.name)
        found = self.db.execute(wanted.outerjoin(SITES, SITES.c.site_id == CASES.c.site_id).where(which)).all()
        words = ((row.case_id, word or "") for row in found for word in row)
        self._index_words("case", [row.case_id for row in found], words)

    def _coin(self, case: Case) -> str:
        """The commonest coin of a case's findings; of two as common, the first by name."""
        found: Counter[str] = Counter()
        for chunk in batches(sorted({finding.finding_id for finding in case.findings}), CHUNK):
            wanted = select(FINDINGS.c.coin).where(and_(FINDINGS.c.finding_id.in_(chunk), FINDINGS.c.coin != ""))
            found.update(self.db.scalars(wanted))
        return min(found, key=lambda coin: (-found[coin], coin), default="")

    def _link_findings(self, case: Case) -> None:
        """Note which findings a case rests on, so that screening does not offer them again."""
        wanted = sorted({finding.finding_id for finding in case.findings})
        linked = set(self.db.scalars(select(CASE_FINDINGS.c.finding_id).where(CASE_FINDINGS.c.case_id == case.case_id)))
        fresh = [finding_id for finding_id in wanted if finding_id not in linked]
        if not fresh:
            return
        self.lock_findings()
        self._put(CASE_FINDINGS, [{"case_id": case.case_id, "finding_id": finding_id} for finding_id in fresh])
        changes: Counter[Kind] = Counter()
        longest_ns: dict[Kind, int] = {}
        for chunk in batches(fresh, CHUNK):
            turned = (
                update(FINDINGS)
                .where(and_(FINDINGS.c.finding_id.in_(chunk), ~FINDINGS.c.in_case))
                .values(in_case=true())
                .returning(
                    FINDINGS.c.family,
                    FINDINGS.c.detector,
                    FINDINGS.c.mining,
                    (FINDINGS.c.ended_ns - FINDINGS.c.started_ns).label("length_ns"),
                )
            )
            for row in self.db.execute(turned).all():
                here = (row.family, row.detector, row.mining, True)
                changes[row.family, row.detector, row.mining, False] -= 1
                changes[here] += 1
                longest_ns[here] = max(longest_ns.get(here, 0), row.length_ns)
        self.count_findings(changes, longest_ns)

    def log(self, leaf: PendingLeaf) -> None:
        self._leaves.append(leaf)
        if len(self._leaves) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the leaves that are still held. `DatabaseStore.writing` does it before it commits.

        Raises
        ------
        StaleCase
            If one of them is there already.
        """
        leaves, self._leaves = self._leaves, []
        if not leaves:
            return
        values = [
            {
                "leaf_id": leaf.leaf_id,
                "leaf": leaf.leaf,
                "data_class": leaf.data_class,
                "case_id": leaf.case_id,
                "mark": leaf.mark or None,
            }
            for leaf in leaves
        ]
        try:
            self.db.execute(insert(LEAVES), values)
        except IntegrityError as fault:
            some = ", ".join(leaf.leaf_id for leaf in leaves[:3])
            raise StaleCase(
                f"of the leaves {some} ({len(leaves)} in all) one is there already: somebody else was faster. "
                "Read again and decide again."
            ) from fault
        shown = [
            rows.row_of_disclosure(leaf.leaf_id, k, each) for leaf in leaves for k, each in enumerate(leaf.disclosures)
        ]
        for batch in batches(shown, BATCH):
            self.db.execute(insert(DISCLOSURES), batch)

    def keep_document(self, document: KeptDocument, case_id: str) -> None:
        statement = self._insert(DOCUMENTS).on_conflict_do_nothing(index_elements=["case_id", "sha256"])
        self.db.execute(statement, [rows.row_of_document(document, case_id)])

    def enter_register(self, entry: RegisterEntry) -> None:
        row = rows.row_of_register_entry(entry)
        self._put(REGISTER_ENTRIES, [row])
        words = [entry.entry_id, entry.case_id]
        if entry.removed_ns is None:
            names = select(ORGANISATIONS.c.name).where(ORGANISATIONS.c.organisation_id == entry.organisation_id)
            sites = select(SITES.c.name).where(SITES.c.site_id == entry.site_id)
            words += [entry.organisation_id, entry.site_id, *self.db.scalars(names), *self.db.scalars(sites)]
        self._index_words("register", [entry.entry_id], ((entry.entry_id, word) for word in words))

    # -- tables from outside

    def import_sites(self, table: SiteImport) -> None:
        self._put(SITES, [rows.row_of_site(site) for site in table.sites])
        # Cases are found by the name of their site, as it is now.
        for chunk in batches([site.site_id for site in table.sites], CHUNK):
            self._index_cases(CASES.c.site_id.in_(chunk))
        self._put(
            ORGANISATIONS,
            [{"organisation_id": each.organisation_id, "name": each.name} for each in table.organisations],
        )
        self._put(ASSIGNMENTS, [rows.row_of_assignment(assignment) for assignment in table.assignments])
        self._put(LAWFUL_ENTRIES, [rows.row_of_lawful(entry) for entry in table.lawful])
        registers = sorted({entry.register for entry in table.lawful})
        imported_ns = self._now_ns() if table.imported_ns is None else table.imported_ns
        self._put(REGISTERS, [{"register": register, "imported_ns": imported_ns} for register in registers])
        self._put(CONTACTS, [rows.row_of_contact(contact) for contact in table.contacts])

    def lawful(self) -> tuple[Iterator[LawfulEntry], Mapping[str, int]]:
        """Every entry of the registers of lawful mining, and when each was imported, as it is in this transaction."""
        return lawful_entries(self.db), registers_in(self.db)

    def empty_registers(self) -> None:
        """Throw away all that is stored of registers of lawful mining."""
        self.db.execute(delete(LAWFUL_ENTRIES))
        self.db.execute(delete(REGISTERS))

    def import_findings(self, findings: Iterable[StoredFinding]) -> int:
        added = 0
        self.lock_findings()
        for batch in batches(findings, BATCH):
            added += self._import_batch({finding.ref.finding_id: finding for finding in batch})
        return added

    def note_import(self, import_id: str, realm: str, *, registry_only: bool) -> None:
        row = {"import_id": import_id, "imported_ns": self._now_ns(), "findings": 0, "realm": realm}
        statement = self._insert(IMPORTS).values(**row, registry_only=registry_only)
        # Where two imports of one file went two ways, nobody can say any more which way each finding went.
        same = and_(IMPORTS.c.registry_only, statement.excluded.registry_only, IMPORTS.c.realm == realm)
        self.db.execute(statement.on_conflict_do_update(index_elements=["import_id"], set_={"registry_only": same}))

    def assign_findings(self, changes: Iterable[tuple[str, str, str]], *, in_cases: bool = False) -> int:
        """Give findings to other sites: those that no case rests on, and whose site is still the one it was.

        Parameters
        ----------
        changes : iterable of (finding_id, was, now)
            Ids of sites; empty for none.
        in_cases : bool, default False
            Whether also those that cases rest on; the caller has seen to it that these are closed.

        Returns
        -------
        int
            How many were changed.
        """
        self.lock_findings()
        together: dict[tuple[str, str], list[str]] = {}
        for finding_id, was, now in changes:
            together.setdefault((was, now), []).append(finding_id)
        changed = 0
        for (was, now), ids in sorted(together.items()):
            for chunk in batches(sorted(ids), CHUNK):
                of = update(FINDINGS).where(FINDINGS.c.finding_id.in_(chunk), FINDINGS.c.site_id == was)
                of = of if in_cases else of.where(~FINDINGS.c.in_case)
                if self._marks is None:
                    changed += self.db.execute(of.values(site_id=now, mark=None)).rowcount
                    continue
                moved = self.db.execute(of.values(site_id=now).returning(*_MARKED)).mappings().all()
                if fresh := [self._moved_mark(row, was) for row in moved]:
                    self.db.execute(_NEW_MARK, fresh)
                changed += len(moved)
        return changed

    def _mark_again(self, there: Iterable[RowMapping], findings: Mapping[str, StoredFinding]) -> None:
        """Mark findings that have no mark, or not theirs, where they are just what an import would write now."""
        if self._marks is None:
            return
        fresh = []
        for row in there:
            text = rows.marked_text(row)
            mark = self._marks.row(text)
            again = replace(findings[row["finding_id"]], import_id=row["import_id"])
            if not compare_digest(mark, bytes(row["mark"] or b"")) and rows.marked_text_of(again) == text:
                fresh.append({"of": row["finding_id"], "to": mark})
        if fresh:
            self.db.execute(_NEW_MARK, fresh)

    def _moved_mark(self, row: RowMapping, was: str) -> dict[str, object]:
        """The mark of a finding that was moved; one that had none, or a wrong one, gets no right one by that."""
        assert self._marks is not None
        before = self._marks.row(rows.marked_text({**row, "site_id": was}))
        right = row["mark"] is not None and compare_digest(before, bytes(row["mark"]))
        return {"of": row["finding_id"], "to": self._marks.row(rows.marked_text(row)) if right else row["mark"]}

    def lock_writing(self, *, alone: bool) -> None:
        """Let others write at the same time, or nobody; waits for those who do.

        A purge looks which holds and cases keep a thing, and destroys it: what somebody adds in between, it would
        miss. On SQLite a writer is alone anyway.
        """
        if self.db.dialect.name == "postgresql":
            lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
            self.db.execute(select(lock(WRITING_LOCK)))

    def lock_findings(self) -> None:
        """Let nobody else add, link or purge findings before this transaction ends.

        An import looks which cases name its findings, and a case marks the findings that it names: if both went on at
        the same time, each would miss what the other is about to write. On SQLite a writer is alone anyway.
        """
        if self.db.dialect.name == "postgresql":
            self.db.execute(select(func.pg_advisory_xact_lock(FINDINGS_LOCK)))

    def holders(self, findings: Sequence[StoredFinding]) -> tuple[FindingHolder, ...]:
        """Every case that rests on one of some findings, as it is in this transaction."""
        return holders_of(self.db, findings)

    def in_cases(self, finding_ids: Iterable[str]) -> list[str]:
        """Those of some findings that a case rests on."""
        found: list[str] = []
        for chunk in batches(finding_ids, CHUNK):
            linked = select(CASE_FINDINGS.c.finding_id).where(CASE_FINDINGS.c.finding_id.in_(chunk)).distinct()
            found += self.db.scalars(linked)
        return sorted(found)

    def _add_findings(self, values: Sequence[rows.Row]) -> None:
        if self.db.dialect.name != "postgresql":
            self.db.execute(insert(FINDINGS), values)
            return
        # COPY takes five times as many rows in a second as INSERT.
        raw = self.db.connection.driver_connection
        assert raw is not None
        names = list(values[0])
        with raw.cursor() as cursor, cursor.copy(f"COPY findings ({', '.join(names)}) FROM STDIN") as copy:
            for row in values:
                copy.write_row([row[name] for name in names])

    def _import_batch(self, findings: Mapping[str, StoredFinding]) -> int:
        in_case = set(self.in_cases(findings))
        known: set[str] = set()
        for chunk in batches(findings, CHUNK):
            there = self.db.execute(select(*_MARKED).where(FINDINGS.c.finding_id.in_(chunk))).mappings().all()
            known.update(row["finding_id"] for row in there)
            self._mark_again(there, findings)
        values = []
        for finding_id, finding in findings.items():
            if finding_id not in known:
                row = rows.row_of_finding(finding, self._packer)
                row["in_case"] = finding_id in in_case
                row["mark"] = None if self._marks is None else self._marks.row(rows.marked_text(row))
                values.append(row)
        if not values:
            return 0
        self._add_findings(values)
        changes: Counter[Kind] = Counter()
        longest_ns: dict[Kind, int] = {}
        for row in values:
            kind = (row["family"], row["detector"], row["mining"], row["in_case"])
            changes[kind] += 1
            longest_ns[kind] = max(longest_ns.get(kind, 0), row["ended_ns"] - row["started_ns"])
        self.count_findings(changes, longest_ns)
        imports = Counter(row["import_id"] for row in values)
        statement = self._insert(IMPORTS)
        statement = statement.on_conflict_do_update(
            index_elements=["import_id"], set_={"findings": IMPORTS.c.findings + statement.excluded.findings}
        )
        now_ns = self._now_ns()
        self.db.execute(
            statement,
            [
                {"import_id": import_id, "imported_ns": now_ns, "findings": count}
                for import_id, count in sorted(imports.items())
            ],
        )
        return len(values)

    def place_hold(self, hold_id: str, case_id: str, reason: str, account: str, at_ns: int) -> None:
        """Keep everything of a case, or everything at all where `case_id` is empty, from being destroyed.

        A hold of one case is usually placed by an act on the case (`PlaceHold`); this is the one for all.

        Parameters
        ----------
        hold_id, case_id, reason, account : str
        at_ns : int
            [ns since 1970-01-01 UTC]
        """
        if not reason.strip() or not account.strip():
            raise HeadframeError("a legal hold needs an account and a reason: say who orders it and why")
        row = {"hold_id": hold_id, "case_id": case_id, "reason": reason, "placed_by": account, "placed_ns": at_ns}
        self.db.execute(insert(HOLDS), [row])

    def lift_hold(self, hold_id: str, account: str, at_ns: int) -> None:
        """End a hold that `place_hold` has placed."""
        change = update(HOLDS).where(and_(HOLDS.c.hold_id == hold_id, HOLDS.c.lifted_ns.is_(None)))
        if not self.db.execute(change.values(lifted_by=account, lifted_ns=at_ns)).rowcount:
            raise HeadframeError(f"there is no legal hold {hold_id} that could be lifted")

    def put_account(self, account: StoredAccount) -> None:
        self._put(ACCOUNTS, [rows.row_of_account(account)])

    def note_access(self, entry: AccessEntry) -> None:
        if not entry.account.strip() or not entry.reason.strip():
            raise HeadframeError(
                f"reading {entry.what} needs an account and a reason; got account {entry.account!r}, "
                f"reason {entry.reason!r}. Say why it is read."
            )
        self.db.execute(insert(ACCESS_LOG), [rows.row_of_access(entry)])

    def unneeded_contacts(self, case_id: str, site_id: str, organisation_id: str) -> tuple[Contact, ...]:
        """Contacts of a case's site and organisation that nothing keeps any more.

        Parameters
        ----------
        case_id, site_id, organisation_id : str
            Of the case that is closed; ids may be empty.

        Returns
        -------
        tuple of Contact
            None of them while a legal hold is on everything, while a right of appeal of the case runs or may begin, or
            while another case of that site or organisation is open, is on hold, or has such a right.
        """
        now_ns = self._now_ns()
        columns = CASES.c
        keeps = or_(columns.on_hold, columns.counts_from_ns.is_(None), columns.counts_from_ns > now_ns, self._held())
        own = self.db.scalar(select(columns.case_id).where(and_(columns.case_id == case_id, keeps)))
        if own is not None or self.held_by(""):
            return ()
        found: dict[str, Contact] = {}
        for case_column, contact_column, value in (
            (columns.site_id, CONTACTS.c.site_id, site_id),
            (columns.organisation_id, CONTACTS.c.organisation_id, organisation_id),
        ):
            needed = select(columns.case_id).where(and_(case_column == value, keeps)).limit(1)
            if value and self.db.scalar(needed) is None:
                wanted = select(CONTACTS).where(contact_column == value).order_by(CONTACTS.c.contact_id)
                found.update({row["contact_id"]: rows.contact_of(row) for row in self.db.execute(wanted).mappings()})
        return tuple(found.values())

    @staticmethod
    def _held() -> ColumnElement[bool]:
        """Whether a hold that was placed beside the cases is on a case."""
        return exists().where(and_(HOLDS.c.case_id == CASES.c.case_id, HOLDS.c.lifted_ns.is_(None)))

    def held_by(self, case_id: str) -> str:
        """The reason of a hold that is in force on a case, or on everything where it is empty; empty without one."""
        wanted = select(HOLDS.c.reason).where(and_(HOLDS.c.case_id == case_id, HOLDS.c.lifted_ns.is_(None)))
        return self.db.scalar(wanted.order_by(HOLDS.c.placed_ns).limit(1)) or ""

    def replaced_contacts(self, contacts: Iterable[Contact]) -> tuple[str, ...]:
        """Keys of stored contacts that others of the same id are to replace.

        Raises
        ------
        HeadframeError
            If a legal hold keeps one of them, which would be destroyed by that.
        """
        there: list[Contact] = []
        for chunk in batches([one.contact_id for one in contacts], CHUNK):
            wanted = select(CONTACTS).where(CONTACTS.c.contact_id.in_(chunk)).order_by(CONTACTS.c.contact_id)
            there += [rows.contact_of(row) for row in self.db.execute(wanted).mappings()]
        if not there:
            return ()
        why = f"everything ({reason})" if (reason := self.held_by("")) else self._hold_among(there)
        if why:
            raise HeadframeError(
                f"a legal hold is on {why}, and {len(there)} stored delivery addresses would be replaced, and the old "
                "ones destroyed; nothing was imported. Import the other tables without --contacts, take these rows "
                "out, or have the hold lifted first"
            )
        return tuple(one.key_id for one in there)

    def _hold_among(self, contacts: Sequence[Contact]) -> str:
        """The first case on hold that some contacts belong to, in words; empty where there is none."""
        held = or_(CASES.c.on_hold, self._held())
        for column, values in (
            (CASES.c.site_id, {one.site_id for one in contacts}),
            (CASES.c.organisation_id, {one.organisation_id for one in contacts}),
        ):
            for chunk in batches(sorted(value for value in values if value), CHUNK):
                wanted = select(CASES.c.case_id).where(and_(column.in_(chunk), held)).order_by(CASES.c.case_id)
                if case_id := self.db.scalar(wanted.limit(1)):
                    return f"case {case_id}"
        return ""

    def purge_contacts(self, contact_ids: Sequence[str]) -> None:
        for chunk in batches(contact_ids, CHUNK):
            self.db.execute(delete(CONTACTS).where(CONTACTS.c.contact_id.in_(chunk)))


def _stale(case_id: str, first: int, version: int | None) -> StaleCase:
    stands = "has moved on" if version is None else f"stands at event {version}"
    return StaleCase(
        f"case {case_id} {stands}, and the act would be event {first}: it was decided on another state of the case. "
        "Read the case again and decide again."
    )
