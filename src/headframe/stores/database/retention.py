"""Retention carried out: what is due is found, two accounts agree, it is destroyed, and a certificate says so.

`headframe.cases.retention` has the rules; this reads what they need to know of each item, and destroys. A value that
was destroyed is gone from the file, not only from the lists: on SQLite freed space is overwritten (``secure_delete``),
the write-ahead log is emptied, and free pages go back to the disk; on PostgreSQL the tables are written anew
(``VACUUM FULL``). What the file system, a disk, a backup or a replica still has is beyond a database; docs/store.md
says what to do about it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, insert, or_, select, update

from headframe.cases.retention import certificate_json, certify, what_goes
from headframe.cases.store import PendingLeaf
from headframe.errors import HeadframeError
from headframe.ledger.leaf import canonical
from headframe.records.case import OpenCase, ProposeCorrection
from headframe.records.finding import METERED, Family
from headframe.records.retention import (
    DataClass,
    DestructionCertificate,
    GoingItem,
    LegalHold,
    RetainedItem,
    RetentionPlan,
    RetentionRule,
    StayingItem,
    pack_name,
)
from headframe.records.site import AssignmentKind
from headframe.stores.database import rows
from headframe.stores.database.store import DatabaseStore, told
from headframe.stores.database.tables import (
    ACCESS_LOG,
    ASSIGNMENTS,
    CASE_CLOCKS,
    CASE_EVENTS,
    CASE_FINDINGS,
    CASES,
    CERTIFICATES,
    CONTACTS,
    DISCLOSURES,
    DOCUMENTS,
    ENDED_CASES,
    FINDINGS,
    HOLDS,
    LEAVES,
    REGISTER_ENTRIES,
    SEARCH_WORDS,
)
from headframe.stores.database.writer import CHUNK, Kind, Writer, batches
from headframe.stores.lake_purge import LakePart, LakePurge
from headframe.stores.purge_note import NotedItem, PurgeNote

_DAY_NS = 86_400_000_000_000
_NS_PER_S = 1_000_000_000

MOST_AT_ONCE = 100_000
"""Items that one plan lets go at most: so many digests still make a certificate that can be read and logged (7 MB).
What is left goes with the next plan."""

_ITEMS_AT_ONCE = 10_000

_CASE_ID = re.compile(r"\bHF-[0-9]{4}-[0-9]{6,}\b")

_REWRITTEN = (
    FINDINGS, DOCUMENTS, CONTACTS, ACCESS_LOG, DISCLOSURES, CASE_EVENTS, CASES, CASE_CLOCKS, SEARCH_WORDS,
    REGISTER_ENTRIES, HOLDS,
)  # fmt: skip

_PAPERS = frozenset({DataClass.DOCUMENT, DataClass.PHOTO, DataClass.REPORT})
"""Classes of what has a row in `documents`."""

ALTERED = "altered: "
"""How the reason begins why something stays of which the database and the log say two things."""
_WHAT_TO_DO = (
    "the database was changed by something else than Headframe, or is damaged. Nothing that belongs to it goes: "
    "compare all of it (headframe log verify), put the right one back from a copy, and find out who could write into it"
)

_APPEAL = "a right of appeal of its case stands still, or has not begun because a decision was not served"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyers:
    """What destroys that which is not in the database; each takes an id and may be called twice.

    Attributes
    ----------
    document : callable
        Bytes of a digest (`DocumentStore.destroy`).
    contact_key : callable
        The key that a contact is sealed with (`ContactSealer.erase`, one at a time).
    pseudonym_key : callable
        The key of an epoch.
    readings : LakePurge or None
        Readings that are ready to go (`headframe.stores.lake_purge.ready_to_go`): all of them, or none.
    why_no_readings : str
        Why none is ready that should be.
    kept_ns : callable
        When the bytes of a digest were kept; None where they are not there. [ns since 1970-01-01 UTC]
    begin : callable
        Writes down what is about to go, before the first of it does (`headframe.stores.purge_note.write_note`).
    """

    document: Callable[[str], object]
    contact_key: Callable[[str], object]
    pseudonym_key: Callable[[str], object] | None = None
    readings: LakePurge | None = None
    why_no_readings: str = ""
    kept_ns: Callable[[str], int | None] = lambda _sha256: None
    begin: Callable[[tuple[NotedItem, ...]], object] = lambda _items: None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTimes:
    """What the events of a case say of how long it is kept.

    Attributes
    ----------
    pack : str
        `headframe.records.retention.pack_name`.
    closed : bool
    on_hold : bool
    counts_from_ns : int or None
        `headframe.stores.database.rows.counts_from`. [ns since 1970-01-01 UTC]
    """

    pack: str
    closed: bool
    on_hold: bool
    counts_from_ns: int | None


class ByEvents:
    """What the events of cases say; of those that read as they did when they were asked, they are not asked again.

    So that much can be asked before a transaction begins for which everybody waits.

    Parameters
    ----------
    ask : callable
        Of a case; a `HeadframeError` where its events are not what was sealed for the log.
    """

    def __init__(self, ask: Callable[[str], CaseTimes]) -> None:
        self._ask = ask
        self._known: dict[str, tuple[bytes, CaseTimes]] = {}

    def times(self, db: Connection, case_ids: Sequence[str]) -> Iterator[tuple[str, CaseTimes | HeadframeError | None]]:
        """What is said of each case; None of one that has no event."""
        for chunk in batches(case_ids, CHUNK):
            digests = {case_id: hashlib.sha256() for case_id in chunk}
            rows_of = select(CASE_EVENTS).where(CASE_EVENTS.c.case_id.in_(chunk))
            begun = set()
            for row in db.execute(rows_of.order_by(CASE_EVENTS.c.case_id, CASE_EVENTS.c.number)):
                digests[row.case_id].update(repr(tuple(row)).encode())
                begun.add(row.case_id)
            for case_id in chunk:
                if case_id not in begun:
                    yield case_id, None
                    continue
                digest = digests[case_id].digest()
                if self._known.get(case_id, (b"",))[0] != digest:
                    try:
                        self._known[case_id] = (digest, self._ask(case_id))
                    except HeadframeError as fault:
                        yield case_id, fault
                        continue
                yield case_id, self._known[case_id][1]


@dataclass(slots=True)
class _Gone:
    """What became of the items of a plan."""

    destroyed: list[RetainedItem] = field(default_factory=list)
    failed: list[tuple[RetainedItem, str]] = field(default_factory=list)


def plan(
    store: DatabaseStore,
    rules: Sequence[RetentionRule],
    now_ns: int,
    *,
    extra: Iterable[RetainedItem] = (),
    readings: Sequence[LakePart] = (),
    files: Iterable[tuple[str, int]] = (),
    lost: Collection[str] = (),
    most: int = MOST_AT_ONCE,
    by_events: ByEvents | None = None,
) -> RetentionPlan:
    """What the rules let go of what the database knows. It destroys nothing.

    Items whose time is not near are not in it: a plan speaks of what goes, and of what would go but for a legal hold.

    Parameters
    ----------
    store : DatabaseStore
    rules : sequence of RetentionRule
        `headframe.cases.retention.default_rules`, and those of packs.
    now_ns : int
        [ns since 1970-01-01 UTC]
    extra : iterable of RetainedItem
        What is kept elsewhere, such as keys of pseudonyms.
    readings : sequence of LakePart
        Of the lake; which cases need them, the database knows.
    files : iterable of (str, int)
        Digest of each file that is kept, and when it was; what the database does not name is due by that.
        [ns since 1970-01-01 UTC]
    lost : collection of str
        Packs whose text is lost (`headframe.cases.retention.what_goes`).
    most : int
        Items that go at most.
    by_events : ByEvents or None
        What the events of a case say. Of each case that something rests on that would go, it is asked once, and what
        the table of cases says otherwise lets nothing go. None: the table alone is asked.

    Returns
    -------
    RetentionPlan
    """
    with store.reading() as db:
        sure = _Sure(db, by_events)
        items = _items(db, cutoffs(rules, now_ns), extra, readings, files, sure)
        return _plan(db, rules, now_ns, items, most, lost, sure)


def _plan(
    db: Connection,
    rules: Sequence[RetentionRule],
    now_ns: int,
    items: Iterator[RetainedItem],
    most: int,
    lost: Collection[str],
    sure: _Sure,
) -> RetentionPlan:
    holds = _holds(db)
    goes: list[GoingItem] = []
    stays: list[StayingItem] = []
    while len(goes) < most and (some := list(_take(items, min(_ITEMS_AT_ONCE, most - len(goes))))):
        part = sure.sift(what_goes(some, rules, holds, now_ns, lost))
        goes += part.goes
        stays += part.stays
    return RetentionPlan(now_ns=now_ns, goes=tuple(goes), stays=tuple(stays))


def _take(items: Iterator[RetainedItem], most: int) -> Iterator[RetainedItem]:
    for _ in range(most):
        one = next(items, None)
        if one is None:
            return
        yield one


def cutoffs(rules: Iterable[RetentionRule], now_ns: int) -> Mapping[DataClass, int]:
    """For each class: what began to count after this instant can be due under no rule. [ns since 1970-01-01 UTC]"""
    days: dict[DataClass, int] = {}
    for rule in rules:
        days[rule.data_class] = min(rule.days, days.get(rule.data_class, rule.days))
    return {data_class: now_ns - least * _DAY_NS for data_class, least in days.items()}


def _holds(db: Connection) -> list[LegalHold]:
    placed = db.execute(select(HOLDS.c.case_id, HOLDS.c.reason).where(HOLDS.c.lifted_ns.is_(None))).all()
    on_hold = db.scalars(select(CASES.c.case_id).where(CASES.c.on_hold))
    return [
        *(LegalHold(case_id=row.case_id, reason=row.reason) for row in placed),
        *(LegalHold(case_id=case_id, reason="placed in the case") for case_id in on_hold),
    ]


# ---------------------------------------------------------------------------------------------------------------------
# What there is


@dataclass(frozen=True, slots=True)
class _Cases:
    """The cases that need an item."""

    ids: tuple[str, ...]
    packs: tuple[str, ...]
    counts_from_ns: int | None
    """When the last of them was closed, and could not be appealed any more; None while that is not so of one."""
    waits: str = ""
    """Why it does not count, where that is not because one is open."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What is to be known of a case, also of one that was destroyed."""

    pack: str
    counts_from_ns: int | None
    closed: bool
    on_hold: bool = False
    ended: bool = False
    """Whether it was destroyed, so that no event says anything of it."""


class _Sure:
    """Cases as their events have them, each looked at once; the table of cases alone lets nothing go."""

    def __init__(self, db: Connection, by_events: ByEvents | None) -> None:
        self._db = db
        self._by_events = by_events
        self._looked: dict[str, tuple[str, int | None]] = {}

    def look_at(self, case_ids: Iterable[str]) -> None:
        """Have these cases looked at."""
        new = sorted({case_id for case_id in case_ids if case_id not in self._looked})
        if self._by_events is None:
            return
        told = _cases_of(self._db, new)
        for case_id, said in self._by_events.times(self._db, sorted(told)):
            self._looked[case_id] = self._compared(case_id, told[case_id], said)

    @staticmethod
    def _compared(case_id: str, told: _Case, said: CaseTimes | HeadframeError | None) -> tuple[str, int | None]:
        if said is None and told.ended:
            return "", told.counts_from_ns
        if said is None:
            return f"{ALTERED}case {case_id} is in the table of cases, and has no event: {_WHAT_TO_DO}", None
        if isinstance(said, HeadframeError):
            return f"{ALTERED}{said}", None
        if told.ended:
            return f"{ALTERED}case {case_id} is said to be destroyed, and its events are there: {_WHAT_TO_DO}", None
        for table, events, words in (
            (told.closed, said.closed, ("closed", "open")),
            (told.on_hold, said.on_hold, ("on hold", "not on hold")),
            (told.pack, said.pack, None),
        ):
            if table != events:
                one, other = (words if table else words[::-1]) if words else (f"under {table}", f"under {events}")
                return (
                    f"{ALTERED}the table of cases has case {case_id} {one}, and by its events it is {other}: "
                    f"{_WHAT_TO_DO}"
                ), None
        return "", said.counts_from_ns

    def why_altered(self, case_ids: Iterable[str]) -> str:
        """What is wrong with the first of some cases that is not what its events say; empty where all are."""
        return next((why for case_id in case_ids if (why := self._looked.get(case_id, ("", None))[0])), "")

    def counts_from(self, case_id: str, told: int | None) -> int | None:
        """From when the period counts of what rests on a case, by its events. [ns since 1970-01-01 UTC]"""
        return self._looked[case_id][1] if case_id in self._looked else told

    def sift(self, plan: RetentionPlan) -> RetentionPlan:
        """A plan without what may not go by the events of its cases."""
        if self._by_events is None:
            return plan
        self.look_at(case_id for one in plan.goes for case_id in one.item.case_ids)
        goes: list[GoingItem] = []
        stays: list[StayingItem] = []
        for one in plan.goes:
            staying = self._staying(one, plan.now_ns)
            if staying is None:
                goes.append(one)
            else:
                stays.append(staying)
        return replace(plan, goes=tuple(goes), stays=(*plan.stays, *stays))

    def _staying(self, one: GoingItem, now_ns: int) -> StayingItem | None:
        item = one.item
        if why := self.why_altered(item.case_ids):
            return StayingItem(item=item, why=why, rule=one.rule)
        # An entry of the register counts from its own expiry.
        if item.data_class is DataClass.REGISTER:
            return None
        for case_id in item.case_ids:
            since = self.counts_from(case_id, item.from_ns)
            due_ns = None if since is None else since + one.rule.days * _DAY_NS
            if due_ns is None or due_ns > now_ns:
                why = f"by the events of case {case_id} its time is not over, though the table of cases says so"
                return StayingItem(item=item, why=why, rule=one.rule, due_ns=due_ns)
        return None


def _items(
    db: Connection,
    cutoffs: Mapping[DataClass, int],
    extra: Iterable[RetainedItem],
    readings: Sequence[LakePart],
    files: Iterable[tuple[str, int]],
    sure: _Sure,
) -> Iterator[RetainedItem]:
    """Every item that may be due: for each class what began to count before its cutoff."""
    if (cutoff := cutoffs.get(DataClass.FINDING)) is not None:
        yield from _findings(db, cutoff)
    wanted = {one: cutoffs[one] for one in sorted(_PAPERS) if one in cutoffs}
    if wanted:
        yield from _documents(db, wanted)
    if (cutoff := cutoffs.get(DataClass.DRAFT)) is not None:
        yield from _drafts(db, files, cutoff)
    if (cutoff := cutoffs.get(DataClass.CONTACT)) is not None:
        yield from _contacts(db, cutoff)
    if (cutoff := cutoffs.get(DataClass.ACCESS)) is not None:
        yield from _accesses(db, cutoff)
        yield from _acts_on_the_workspace(db, cutoff)
    if (cutoff := cutoffs.get(DataClass.REGISTER)) is not None:
        yield from _expired_entries(db, cutoff)
    if (cutoff := cutoffs.get(DataClass.CASE)) is not None:
        yield from _cases(db, cutoff)
    yield from _readings(db, readings, sure)
    yield from extra


def _cases_of(db: Connection, case_ids: Iterable[str]) -> dict[str, _Case]:
    """Pack of cases, and from when what they need counts; of those that were destroyed too."""
    found: dict[str, _Case] = {}
    for chunk in batches(sorted(set(case_ids)), CHUNK):
        for row in db.execute(select(ENDED_CASES).where(ENDED_CASES.c.case_id.in_(chunk))):
            pack = pack_name(row.pack_id, row.pack_digest)
            found[row.case_id] = _Case(pack, row.counts_from_ns, closed=True, ended=True)
        columns = CASES.c
        wanted = select(
            columns.case_id, columns.pack_id, columns.pack_digest, columns.counts_from_ns, columns.closed_ns,
            columns.on_hold,
        ).where(columns.case_id.in_(chunk))  # fmt: skip
        for row in db.execute(wanted):
            pack = pack_name(row.pack_id, row.pack_digest)
            found[row.case_id] = _Case(pack, row.counts_from_ns, closed=row.closed_ns is not None, on_hold=row.on_hold)
    return found


def _together(case_ids: Iterable[str], known: Mapping[str, _Case]) -> _Cases:
    ids = tuple(sorted(case_id for case_id in set(case_ids) if case_id in known))
    ends = [end for case_id in ids if (end := known[case_id].counts_from_ns) is not None]
    return _Cases(
        ids=ids,
        packs=tuple(sorted({known[case_id].pack for case_id in ids})),
        counts_from_ns=max(ends) if ends and len(ends) == len(ids) else None,
        waits=_APPEAL if len(ends) < len(ids) and all(known[case_id].closed for case_id in ids) else "",
    )


def packs_of_cases(store: DatabaseStore) -> tuple[tuple[str, str], ...]:
    """Every pack that a case is or was handled by, with the digest of the text that it was opened under.

    Parameters
    ----------
    store : DatabaseStore

    Returns
    -------
    tuple of (str, str)
        In order.
    """
    with store.reading() as db:
        found = {
            (row.pack_id, row.pack_digest)
            for table in (CASES, ENDED_CASES)
            for row in db.execute(select(table.c.pack_id, table.c.pack_digest).distinct())
        }
    return tuple(sorted(one for one in found if one[0]))


def _findings(db: Connection, cutoff: int) -> Iterator[RetainedItem]:
    columns = FINDINGS.c
    open_case = exists().where(
        and_(
            CASE_FINDINGS.c.finding_id == columns.finding_id,
            CASES.c.case_id == CASE_FINDINGS.c.case_id,
            or_(CASES.c.closed_ns.is_(None), CASES.c.closed_ns > cutoff),
        )
    )
    wanted = select(columns.finding_id, columns.ended_ns, columns.sha256, columns.in_case)
    # What ended before the cutoff began before it: that is what the index is by.
    over = and_(columns.started_ns <= cutoff, columns.ended_ns <= cutoff)
    wanted = wanted.where(and_(over, or_(~columns.in_case, ~open_case)))
    found = db.execute(
        wanted.order_by(columns.started_ns, columns.ended_ns).execution_options(yield_per=CHUNK)
    ).partitions(CHUNK)
    for part in found:
        linked: defaultdict[str, list[str]] = defaultdict(list)
        ids = [row.finding_id for row in part if row.in_case]
        if ids:
            for row in db.execute(select(CASE_FINDINGS).where(CASE_FINDINGS.c.finding_id.in_(ids))):
                linked[row.finding_id].append(row.case_id)
        known = _cases_of(db, (case_id for several in linked.values() for case_id in several))
        for row in part:
            cases = _together(linked[row.finding_id], known)
            yield RetainedItem(
                item_id=row.finding_id,
                data_class=DataClass.FINDING,
                from_ns=cases.counts_from_ns if cases.ids else row.ended_ns,
                sha256=row.sha256,
                case_ids=cases.ids,
                pack_ids=cases.packs,
                waits=cases.waits,
            )


def _documents(db: Connection, cutoffs: Mapping[DataClass, int]) -> Iterator[RetainedItem]:
    """By digest: the same bytes may belong to several cases, and be a photo in one and a document in another."""
    of_case: defaultdict[str, list[str]] = defaultdict(list)
    photos: defaultdict[str, bool] = defaultdict(lambda: True)
    written: defaultdict[str, int] = defaultdict(int)
    columns = DOCUMENTS.c
    for row in db.execute(select(columns.sha256, columns.case_id, columns.kind, columns.created_ns)):
        of_case[row.sha256] += [row.case_id] if row.case_id else []
        photos[row.sha256] &= row.kind == "photo"
        written[row.sha256] = max(written[row.sha256], row.created_ns)
    known = _cases_of(db, (case_id for several in of_case.values() for case_id in several))
    for sha256 in sorted(of_case):
        cases = _together(of_case[sha256], known)
        data_class, from_ns = DataClass.REPORT, written[sha256]
        if of_case[sha256]:
            data_class = DataClass.PHOTO if photos[sha256] else DataClass.DOCUMENT
            if cases.counts_from_ns is None:
                continue
            from_ns = cases.counts_from_ns
        if data_class not in cutoffs or from_ns > cutoffs[data_class]:
            continue
        yield RetainedItem(
            item_id=sha256,
            data_class=data_class,
            from_ns=from_ns,
            sha256=sha256,
            case_ids=cases.ids,
            pack_ids=cases.packs,
        )


def _drafts(db: Connection, files: Iterable[tuple[str, int]], cutoff: int) -> Iterator[RetainedItem]:
    """Files that nothing names: of an act that was refused, of a letter that was not proposed, of a crash."""
    old = ((sha256, kept_ns) for sha256, kept_ns in files if kept_ns <= cutoff)
    for chunk in batches(old, CHUNK):
        digests = [sha256 for sha256, _ in chunk]
        named = set(db.scalars(select(DOCUMENTS.c.sha256).where(DOCUMENTS.c.sha256.in_(digests))))
        for sha256, kept_ns in sorted(chunk):
            if sha256 not in named:
                yield RetainedItem(item_id=sha256, data_class=DataClass.DRAFT, from_ns=kept_ns, sha256=sha256)


def _contacts(db: Connection, cutoff: int) -> Iterator[RetainedItem]:
    """A contact is needed by every case of its site or organisation."""
    columns = CONTACTS.c
    for row in db.execute(select(CONTACTS).order_by(columns.contact_id)).mappings().all():
        needs = [
            column == value
            for column, value in ((CASES.c.site_id, row["site_id"]), (CASES.c.organisation_id, row["organisation_id"]))
            if value
        ]
        case_ids = list(db.scalars(select(CASES.c.case_id).where(or_(*needs)))) if needs else []
        cases = _together(case_ids, _cases_of(db, case_ids))
        if cases.counts_from_ns is None or cases.counts_from_ns > cutoff:
            continue
        yield RetainedItem(
            item_id=row["contact_id"],
            data_class=DataClass.CONTACT,
            from_ns=cases.counts_from_ns,
            sha256=hashlib.sha256(bytes(row["sealed_address"])).hexdigest(),
            case_ids=cases.ids,
            pack_ids=cases.packs,
        )


def _accesses(db: Connection, cutoff: int) -> Iterator[RetainedItem]:
    wanted = select(ACCESS_LOG).where(ACCESS_LOG.c.at_ns <= cutoff).order_by(ACCESS_LOG.c.at_ns)
    for part in db.execute(wanted.execution_options(yield_per=CHUNK)).mappings().partitions(CHUNK):
        named = {row["access_id"]: _CASE_ID.findall(row["what"]) for row in part}
        known = _cases_of(db, (case_id for several in named.values() for case_id in several))
        for row in part:
            cases = _together(named[row["access_id"]], known)
            from_ns = row["at_ns"]
            if cases.ids:
                if cases.counts_from_ns is None or cases.counts_from_ns > cutoff:
                    continue
                from_ns = max(from_ns, cases.counts_from_ns)
            yield RetainedItem(
                item_id=row["access_id"],
                data_class=DataClass.ACCESS,
                from_ns=from_ns,
                sha256=hashlib.sha256(canonical([str(value) for value in row.values()])).hexdigest(),
                case_ids=cases.ids,
                pack_ids=cases.packs,
            )


def _acts_on_the_workspace(db: Connection, cutoff: int) -> Iterator[RetainedItem]:
    """What leaves disclose of imports of sites and of legal holds; the latter counts from the lifting.

    What they disclose of certificates of destruction stays, and of accounts and keys: as long as these are there,
    somebody may ask who made them.
    """
    columns = LEAVES.c
    shown = exists().where(DISCLOSURES.c.leaf_id == columns.leaf_id)
    which = or_(
        columns.leaf_id.startswith("sites/"),
        columns.leaf_id.startswith("findings/S-"),
        columns.leaf_id.startswith("retention/H-"),
    )
    lifted = {row.hold_id: row.lifted_ns for row in db.execute(select(HOLDS.c.hold_id, HOLDS.c.lifted_ns))}
    wanted = select(columns.leaf_id, columns.leaf).where(and_(columns.case_id == "", which, shown))
    for row in db.execute(wanted.order_by(columns.number).execution_options(yield_per=CHUNK)).all():
        kind, _, rest = row.leaf_id.partition("/")
        at = json.loads(bytes(row.leaf)).get("at_ns")
        from_ns = None if at is None else int(at)
        if kind == "retention" and (hold_id := rest.partition("/")[0]) in lifted:
            from_ns = lifted[hold_id]
        if from_ns is not None and from_ns <= cutoff:
            yield RetainedItem(
                item_id=row.leaf_id,
                data_class=DataClass.ACCESS,
                from_ns=from_ns,
                sha256=hashlib.sha256(bytes(row.leaf)).hexdigest(),
            )


def _expired_entries(db: Connection, cutoff: int) -> Iterator[RetainedItem]:
    """Entries of the register of decisions whose time is over, and that still say something."""
    columns = REGISTER_ENTRIES.c
    says = or_(columns.organisation_id != "", columns.site_id != "", columns.outcome.is_not(None))
    wanted = select(REGISTER_ENTRIES).where(and_(columns.expires_ns <= cutoff, columns.removed_ns.is_(None), says))
    for row in db.execute(wanted.order_by(columns.expires_ns, columns.entry_id)).mappings().all():
        yield RetainedItem(
            item_id=row["entry_id"],
            data_class=DataClass.REGISTER,
            from_ns=row["expires_ns"],
            sha256=hashlib.sha256(canonical([str(value) for value in row.values()])).hexdigest(),
            case_ids=(row["case_id"],),
        )


def _cases(db: Connection, cutoff: int) -> Iterator[RetainedItem]:
    columns = CASES.c
    wanted = select(columns.case_id, columns.pack_id, columns.pack_digest, columns.counts_from_ns)
    # Of one that waits for an appeal the plan tells, once its time would be over.
    wanted = wanted.where(columns.closed_ns <= cutoff)
    for row in db.execute(wanted.order_by(columns.closed_ns, columns.case_id)).all():
        events = select(CASE_EVENTS.c.payload).where(CASE_EVENTS.c.case_id == row.case_id)
        digest = hashlib.sha256()
        for text in db.scalars(events.order_by(CASE_EVENTS.c.number)):
            digest.update(text.encode() + b"\n")
        yield RetainedItem(
            item_id=row.case_id,
            data_class=DataClass.CASE,
            from_ns=row.counts_from_ns,
            sha256=digest.hexdigest(),
            case_ids=(row.case_id,),
            pack_ids=(pack_name(row.pack_id, row.pack_digest),),
            waits=_APPEAL if row.counts_from_ns is None else "",
        )


def points_apart(db: Connection, transformers: Iterable[Collection[str]]) -> frozenset[str]:
    """Usage points that cases need, and those whose readings a balance is made of that some case rests on.

    Parameters
    ----------
    db : sqlalchemy.Connection
    transformers : iterable of collection of str
        Usage points that hang at one transformer.

    Returns
    -------
    frozenset of str
    """
    of_point, of_balance = _points_of_cases(db), _balance_cases(db)
    needed = {point for point, cases in of_point.items() if cases & of_balance}
    return frozenset(of_point).union(*(one for one in transformers if not needed.isdisjoint(one)))


def _points_of_cases(db: Connection) -> Mapping[str, frozenset[str]]:
    """Usage points that cases need, each with those cases: named by the case, of its site, or of its findings.

    A point that a correction puts in the place of another is named too, also while nobody has approved it yet: what is
    destroyed by then does not come back.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    opened = select(CASE_EVENTS.c.case_id, CASE_EVENTS.c.payload).where(CASE_EVENTS.c.act == OpenCase.NAME)
    for row in db.execute(opened.execution_options(yield_per=CHUNK)).all():
        for point in json.loads(row.payload).get("usage_points", ()):
            found[str(point)].add(row.case_id)
    mended = select(CASE_EVENTS.c.case_id, CASE_EVENTS.c.payload).where(CASE_EVENTS.c.act == ProposeCorrection.NAME)
    for row in db.execute(mended.execution_options(yield_per=CHUNK)).all():
        for point in _named_points(json.loads(row.payload)):
            found[point].add(row.case_id)
    of_site = select(ASSIGNMENTS.c.value, CASES.c.case_id).join(CASES, CASES.c.site_id == ASSIGNMENTS.c.site_id)
    for row in db.execute(of_site.where(ASSIGNMENTS.c.kind == AssignmentKind.USAGE_POINT.value)):
        found[row.value].add(row.case_id)
    of_findings = (
        select(FINDINGS.c.subject, CASE_FINDINGS.c.case_id)
        .join(CASE_FINDINGS, CASE_FINDINGS.c.finding_id == FINDINGS.c.finding_id)
        .where(FINDINGS.c.family.in_([family.value for family in METERED]))
    )
    for row in db.execute(of_findings):
        found[row.subject].add(row.case_id)
    return {point: frozenset(cases) for point, cases in found.items()}


def _balance_cases(db: Connection) -> frozenset[str]:
    """Cases that rest on a transformer's balance."""
    wanted = (
        select(CASE_FINDINGS.c.case_id)
        .join(FINDINGS, CASE_FINDINGS.c.finding_id == FINDINGS.c.finding_id)
        .where(FINDINGS.c.family == Family.BALANCE.value)
        .distinct()
    )
    return frozenset(db.scalars(wanted))


def _named_points(correction: Mapping[str, Any]) -> list[str]:
    """The usage points that a correction of an opening names."""
    if str(correction.get("field")).partition(".")[0] != "usage_points":
        return []
    text = str(correction.get("value"))
    try:
        value = json.loads(text)
    except ValueError:
        return [text]  # of one of them, usage_points.0
    return [str(point) for point in value] if isinstance(value, list) else [text]


def _readings(db: Connection, parts: Sequence[LakePart], sure: _Sure) -> Iterator[RetainedItem]:
    """Parts of the lake, with the cases that need one of their usage points: all that were open in their month yet.

    A case on hold needs those of the months after its closure too: what the hold is for is not known here. That a case
    was closed before a month, and needs it no more, its events have to say.
    """
    if not parts:
        return
    of_point, of_balance = _points_of_cases(db), _balance_cases(db)
    held = {hold.case_id for hold in _holds(db)}
    known = _cases_of(db, (case_id for several in of_point.values() for case_id in several))
    for part in parts:
        begin_ns = part.from_s * _NS_PER_S
        case_ids = {case_id for point in part.usage_points for case_id in of_point.get(point, ())}
        case_ids |= {case_id for point in part.beside for case_id in of_point.get(point, frozenset()) & of_balance}
        case_ids &= known.keys()
        needing = {case_id for case_id in case_ids if case_id in held or _since(known[case_id]) > begin_ns}
        sure.look_at(case_ids - needing)
        altered = sure.why_altered(sorted(case_ids - needing))
        needing |= {
            case_id
            for case_id in case_ids - needing
            if (since := sure.counts_from(case_id, known[case_id].counts_from_ns)) is None or since > begin_ns
        }
        cases = _together(needing, known)
        end_ns = part.until_s * _NS_PER_S
        since_ns = cases.counts_from_ns
        from_ns = max(end_ns, since_ns) if since_ns is not None else None if cases.ids else end_ns
        if altered:
            from_ns = None
        yield RetainedItem(
            item_id=part.part_id,
            data_class=DataClass.READING,
            from_ns=from_ns,
            sha256=part.sha256,
            case_ids=cases.ids,
            pack_ids=cases.packs,
            waits=altered or cases.waits,
        )


def _since(case: _Case) -> float:
    """From when the period counts of what rests on a case, as the table of cases has it; infinite while it does not."""
    return math.inf if case.counts_from_ns is None else case.counts_from_ns


# ---------------------------------------------------------------------------------------------------------------------
# Destruction


def look_ahead(store: DatabaseStore, agreed: RetentionPlan, by_events: ByEvents) -> None:
    """Ask the events of all cases of a plan, while others may still write: `purge` asks again those that changed."""
    with store.reading() as db:
        case_ids = sorted({case_id for one in agreed.goes for case_id in one.item.case_ids})
        for _ in by_events.times(db, case_ids):
            pass


def purge(
    store: DatabaseStore,
    agreed: RetentionPlan,
    rules: Sequence[RetentionRule],
    *,
    certificate_id: str,
    at_ns: int,
    proposer: str,
    approver: str,
    destroyers: Destroyers,
    leaf: Callable[[DestructionCertificate], PendingLeaf],
    lost: Collection[str] = (),
    by_events: ByEvents | None = None,
) -> DestructionCertificate:
    """Destroy what a plan lets go. Nobody else writes meanwhile: a hold, or a paper, that comes now finds it done.

    What is outside of the database is written down (`Destroyers.begin`) and goes first, what is in it goes in one
    transaction together with the certificate and its leaf. If it is cut off in between, `certify_gone` tells what went,
    and what is left is due again; what is gone already counts as destroyed. What does not go any more (a legal hold
    came in between, a case was reopened) stays, and the certificate says why.

    Parameters
    ----------
    store : DatabaseStore
    agreed : RetentionPlan
        From `plan`: what both accounts were shown.
    rules : sequence of RetentionRule
        The same as for the plan.
    certificate_id : str
    at_ns : int
        [ns since 1970-01-01 UTC]
    proposer, approver : str
        Two different accounts.
    destroyers : Destroyers
    leaf : callable
        Makes the leaf for the ledger out of the certificate.
    lost, by_events
        As for `plan`.

    Returns
    -------
    DestructionCertificate
        With the reason, where the files of the database could not be written anew (`compact_pending`).

    Raises
    ------
    HeadframeError
        If it is not two accounts, or if the database cannot be written: then nothing in it is destroyed.
    """
    try:
        certify(
            agreed, [one.item for one in agreed.goes], certificate_id=certificate_id, at_ns=at_ns, proposer=proposer,
            approver=approver,
        )  # fmt: skip
    except ValueError as fault:
        raise HeadframeError(str(fault)) from fault
    with store.writing(alone=True) as writer:
        writer.lock_findings()
        db = writer.db
        sure = _Sure(db, by_events)
        again = _again(db, agreed, rules, destroyers, lost, sure)
        still = {_key(one.item) for one in again.goes}
        why = {_key(one.item): one.why for one in again.stays}
        gone = _Gone()
        going: list[GoingItem] = []
        for one in agreed.goes:
            if one.item.data_class is DataClass.READING and destroyers.readings is None:
                gone.failed.append((one.item, destroyers.why_no_readings or "the lake was not made ready for it"))
            elif _key(one.item) not in still:
                later = why.get(_key(one.item), "a legal hold, or a case that needs it, came up since")
                gone.failed.append((one.item, f"it must stay now: {later}"))
            else:
                going.append(one)
        going = _with_whole_lake(going, destroyers.readings, gone)
        noted = _outside(db, going)
        if noted:
            destroyers.begin(noted)
        outside = {_key(one.going.item) for one in noted}
        gone.destroyed += [one.item for one in going if _key(one.item) not in outside]
        for thing in noted:
            if thing.going.item.data_class is not DataClass.READING:
                _destroy_outside(thing, destroyers, gone)
        readings = [one.item for one in going if one.item.data_class is DataClass.READING]
        _destroy_readings(readings, destroyers.readings, certificate_id, gone)
        by_class: defaultdict[DataClass, list[RetainedItem]] = defaultdict(list)
        for item in gone.destroyed:
            by_class[item.data_class].append(item)
        for data_class, items in by_class.items():
            _destroy_inside(writer, data_class, items, sure)
        certificate = certify(
            agreed, gone.destroyed, certificate_id=certificate_id, at_ns=at_ns, proposer=proposer, approver=approver,
            failed=gone.failed,
        )  # fmt: skip
        _note_certificate(db, certificate)
        writer.log(leaf(certificate))
    try:
        compact_pending(store, at_ns)
    except HeadframeError as fault:
        # It is destroyed, and certified; that must be heard, and handed to the ledger.
        return replace(certificate, in_files=str(fault))
    return certificate


def _key(item: RetainedItem) -> tuple[DataClass, str, str]:
    return (item.data_class, item.item_id, item.sha256)


def _note_certificate(db: Connection, certificate: DestructionCertificate, compacted_ns: int | None = None) -> None:
    row = {
        "certificate_id": certificate.certificate_id,
        "at_ns": certificate.at_ns,
        "proposer": certificate.proposer,
        "approver": certificate.approver,
        "document": canonical(certificate_json(certificate)).decode(),
        "compacted_ns": compacted_ns,
    }
    db.execute(insert(CERTIFICATES), [row])


def certify_gone(
    store: DatabaseStore,
    note: PurgeNote,
    gone: Collection[tuple[DataClass, str]],
    *,
    at_ns: int,
    leaf: Callable[[DestructionCertificate], PendingLeaf],
) -> DestructionCertificate | None:
    """Certify what a purge that was cut off had destroyed, whatever keeps the same things now.

    What the database says of it stays: it is due again, or kept for a reason that came since.

    Parameters
    ----------
    store : DatabaseStore
    note : PurgeNote
        What was about to go.
    gone : collection of (DataClass, str)
        Class and id of each item that is not there any more.
    at_ns : int
        [ns since 1970-01-01 UTC]
    leaf : callable
        As for `purge`.

    Returns
    -------
    DestructionCertificate or None
        None where the purge had written its certificate, or nothing had gone.
    """
    began = RetentionPlan(now_ns=note.at_ns, goes=tuple(one.going for one in note.items), stays=())
    destroyed = [one.item for one in began.goes if (one.item.data_class, one.item.item_id) in gone]
    with store.writing(alone=True) as writer:
        known = select(CERTIFICATES.c.certificate_id).where(CERTIFICATES.c.certificate_id == note.certificate_id)
        if not destroyed or writer.db.scalar(known) is not None:
            return None
        why = "the run was cut off before it had gone; it is due again unless something keeps it now"
        there = [(one.item, why) for one in began.goes if (one.item.data_class, one.item.item_id) not in gone]
        certificate = certify(
            began, destroyed, certificate_id=note.certificate_id, at_ns=note.at_ns, proposer=note.proposer,
            approver=note.approver, failed=there,
        )  # fmt: skip
        # Nothing in the database went, so there is nothing to write anew for it.
        _note_certificate(writer.db, certificate, at_ns)
        writer.log(leaf(certificate))
    return certificate


def _again(
    db: Connection,
    agreed: RetentionPlan,
    rules: Sequence[RetentionRule],
    destroyers: Destroyers,
    lost: Collection[str],
    sure: _Sure,
) -> RetentionPlan:
    """What of a plan may still go, by what the database and the events say now."""
    asked = {_key(one.item) for one in agreed.goes}
    extra = [one.item for one in agreed.goes if one.item.data_class is DataClass.PSEUDONYM_KEY]
    drafts = (one.item for one in agreed.goes if one.item.data_class is DataClass.DRAFT)
    # A file that somebody handed in again since is young again; one that is gone already counts as it did.
    files = [(one.sha256, one.from_ns if (at := destroyers.kept_ns(one.sha256)) is None else at) for one in drafts]
    parts = destroyers.readings.parts if destroyers.readings is not None else ()
    until = cutoffs(rules, agreed.now_ns)
    there = [(sha256, at) for sha256, at in files if at is not None]
    items = (one for one in _items(db, until, extra, parts, there, sure) if _key(one) in asked)
    return _plan(db, rules, agreed.now_ns, items, len(asked) + 1, lost, sure)


def _with_whole_lake(going: list[GoingItem], ready: LakePurge | None, gone: _Gone) -> list[GoingItem]:
    """The lake's files were written anew without all of these parts, so they go together or not at all."""
    readings = [one.item for one in going if one.item.data_class is DataClass.READING]
    parts = set() if ready is None else {(one.part_id, one.sha256) for one in ready.parts}
    if not readings or parts == {(item.item_id, item.sha256) for item in readings}:
        return going
    why = "other readings that were to go with it must stay now; make a new plan"
    gone.failed += [(item, why) for item in readings]
    return [one for one in going if one.item.data_class is not DataClass.READING]


_OUTSIDE = _PAPERS | {DataClass.DRAFT, DataClass.CONTACT, DataClass.PSEUDONYM_KEY, DataClass.READING}
"""Classes of what is not in the database, or not in it alone."""


def _outside(db: Connection, going: Sequence[GoingItem]) -> tuple[NotedItem, ...]:
    """What of it is gone at once, before the transaction ends."""
    wanted = [one.item.item_id for one in going if one.item.data_class is DataClass.CONTACT]
    keys: dict[str, str] = {}
    for chunk in batches(wanted, CHUNK):
        columns = CONTACTS.c
        for row in db.execute(select(columns.contact_id, columns.key_id).where(columns.contact_id.in_(chunk))):
            keys[row.contact_id] = row.key_id
    return tuple(
        NotedItem(
            going=one,
            where=keys[one.item.item_id] if one.item.data_class is DataClass.CONTACT else one.item.item_id,
        )
        for one in going
        if one.item.data_class in _OUTSIDE
    )


def _destroy_outside(noted: NotedItem, destroyers: Destroyers, gone: _Gone) -> None:
    item = noted.going.item
    try:
        if item.data_class is DataClass.CONTACT:
            destroyers.contact_key(noted.where)
        elif item.data_class is DataClass.PSEUDONYM_KEY:
            if destroyers.pseudonym_key is None:
                raise HeadframeError("nothing was handed in that destroys keys of pseudonyms")
            destroyers.pseudonym_key(noted.where)
        else:
            destroyers.document(noted.where)
    except (OSError, HeadframeError) as fault:
        gone.failed.append((item, str(fault)))
        return
    gone.destroyed.append(item)


def _destroy_readings(items: Sequence[RetainedItem], ready: LakePurge | None, certificate_id: str, gone: _Gone) -> None:
    if ready is None or not items:
        return
    try:
        ready.destroy(certificate_id)
    except OSError as fault:
        why = f"the lake could not be changed: {fault.strerror or fault}; it is due again, and what is left goes then"
        gone.failed += [(item, why) for item in items]
        return
    gone.destroyed += items


def _destroy_inside(writer: Writer, data_class: DataClass, items: Sequence[RetainedItem], sure: _Sure) -> None:
    db = writer.db
    for chunk in batches([item.item_id for item in items], CHUNK):
        if data_class is DataClass.FINDING:
            _destroy_findings(writer, chunk)
        elif data_class in _PAPERS:
            db.execute(delete(DOCUMENTS).where(DOCUMENTS.c.sha256.in_(chunk)))
            _erase(db, LEAVES.c.leaf_id.in_([f"document/{sha256}" for sha256 in chunk]))
        elif data_class is DataClass.CONTACT:
            db.execute(delete(CONTACTS).where(CONTACTS.c.contact_id.in_(chunk)))
        elif data_class is DataClass.ACCESS:
            db.execute(delete(ACCESS_LOG).where(ACCESS_LOG.c.access_id.in_(chunk)))
            _erase(db, LEAVES.c.leaf_id.in_([f"access/{access_id}" for access_id in chunk]))
            _forget_acts(db, [item_id for item_id in chunk if "/" in item_id])
        elif data_class is DataClass.REGISTER:
            _empty_entries(db, chunk)
        elif data_class is DataClass.CASE:
            _destroy_cases(db, chunk, sure)


def _forget_acts(db: Connection, leaf_ids: Sequence[str]) -> None:
    """What leaves disclose, and the rows of legal holds that were lifted."""
    _erase(db, LEAVES.c.leaf_id.in_(leaf_ids))
    holds = [name.split("/")[1] for name in leaf_ids if name.startswith("retention/")]
    db.execute(delete(HOLDS).where(and_(HOLDS.c.hold_id.in_(holds), HOLDS.c.lifted_ns.is_not(None))))


def _empty_entries(db: Connection, entry_ids: Sequence[str]) -> None:
    """What an expired entry says, and the words that it is found by: all but its number and its case's."""
    columns = REGISTER_ENTRIES.c
    which = columns.entry_id.in_(entry_ids)
    names = {
        word
        for row in db.execute(select(columns.entry_id, columns.case_id).where(which))
        for word in (rows.fold(row.entry_id), rows.fold(row.case_id))
    }
    empty = {"organisation_id": "", "site_id": "", "outcome": None, "legal_basis": rows.listed(()), "appeal": "none"}
    db.execute(update(REGISTER_ENTRIES).where(which).values(**empty))
    words = SEARCH_WORDS.c
    found = and_(words.kind == "register", words.ref.in_(entry_ids), words.word.not_in(sorted(names)))
    db.execute(delete(SEARCH_WORDS).where(found))


def _erase(db: Connection, which: object) -> None:
    """Destroy salts and values of leaves; the leaves stay, and with them the log."""
    chosen = select(LEAVES.c.leaf_id).where(which)  # type: ignore[arg-type]
    db.execute(delete(DISCLOSURES).where(DISCLOSURES.c.leaf_id.in_(chosen)))


def _destroy_findings(writer: Writer, finding_ids: Sequence[str]) -> None:
    columns = FINDINGS.c
    taken = (
        delete(FINDINGS)
        .where(columns.finding_id.in_(finding_ids))
        .returning(columns.family, columns.detector, columns.mining, columns.in_case, columns.import_id)
    )
    changes: Counter[Kind] = Counter()
    imports = set()
    for row in writer.db.execute(taken).all():
        changes[row.family, row.detector, row.mining, row.in_case] -= 1
        imports.add(row.import_id)
    writer.count_findings(changes, {})
    ended = select(ENDED_CASES.c.case_id)
    links = and_(CASE_FINDINGS.c.finding_id.in_(finding_ids), CASE_FINDINGS.c.case_id.in_(ended))
    writer.db.execute(delete(CASE_FINDINGS).where(links))
    # What the leaf of an import discloses goes with the last of its findings.
    for chunk in batches(sorted(imports), CHUNK):
        left = set(writer.db.scalars(select(columns.import_id).where(columns.import_id.in_(chunk)).distinct()))
        for leaf_id in (f"findings/{import_id}" for import_id in chunk if import_id not in left):
            # A large file has leaves for its parts besides: findings/I-.../3. "0" comes after "/".
            parts = and_(LEAVES.c.leaf_id > f"{leaf_id}/", LEAVES.c.leaf_id < f"{leaf_id}0")
            _erase(writer.db, or_(LEAVES.c.leaf_id == leaf_id, parts))


def _destroy_cases(db: Connection, case_ids: Sequence[str], sure: _Sure) -> None:
    """Destroy what the events say. The leaves stay without their disclosures.

    Documents and findings have a period of their own: by which text, and from when, is noted of the case, as long as
    its events can say it.
    """
    of_cases = LEAVES.c.case_id.in_(case_ids)
    # Those of class contact say which keys went with the case.
    _erase(db, and_(of_cases, LEAVES.c.data_class.in_(("case", "contact"))))
    columns = ("case_id", "pack_id", "pack_digest", "counts_from_ns")
    ended = select(*(CASES.c[name] for name in columns)).where(CASES.c.case_id.in_(case_ids))
    found = db.execute(ended).mappings().all()
    since = {row["case_id"]: sure.counts_from(row["case_id"], row["counts_from_ns"]) for row in found}
    db.execute(insert(ENDED_CASES), [{**row, "counts_from_ns": since[row["case_id"]]} for row in found])
    there = exists().where(FINDINGS.c.finding_id == CASE_FINDINGS.c.finding_id)
    db.execute(delete(CASE_FINDINGS).where(and_(CASE_FINDINGS.c.case_id.in_(case_ids), ~there)))
    for table in (CASE_EVENTS, CASE_CLOCKS, CASES):
        db.execute(delete(table).where(table.c.case_id.in_(case_ids)))
    db.execute(delete(SEARCH_WORDS).where(and_(SEARCH_WORDS.c.kind == "case", SEARCH_WORDS.c.ref.in_(case_ids))))


def compact(store: DatabaseStore) -> None:
    """Let what was deleted be gone from the files of the database as well.

    Parameters
    ----------
    store : DatabaseStore

    Raises
    ------
    HeadframeError
        If somebody reads the database for so long that its log cannot be emptied. Values that were deleted are in it
        until then; do it again.
    """
    with told(), store.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
        if store.is_postgresql:
            for table in _REWRITTEN:
                db.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table.name}")
            return
        raw = db.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA incremental_vacuum").fetchall()
        busy, _pages, _moved = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise HeadframeError(
                "what was destroyed is out of the database, but not yet out of its log (-wal), because another program "
                "reads the database. Close it and run headframe retention run again: it does that first"
            )


def not_compacted(store: DatabaseStore) -> tuple[str, ...]:
    """Certificates of destruction since which the files of the database were not written anew.

    Parameters
    ----------
    store : DatabaseStore

    Returns
    -------
    tuple of str
        Ids, the oldest first.
    """
    columns = CERTIFICATES.c
    wanted = select(columns.certificate_id).where(columns.compacted_ns.is_(None))
    with store.reading() as db:
        return tuple(db.scalars(wanted.order_by(columns.at_ns, columns.certificate_id)))


def compact_pending(store: DatabaseStore, at_ns: int) -> tuple[str, ...]:
    """Write the files of the database anew where a purge did not get so far, and note that it is done.

    Parameters
    ----------
    store : DatabaseStore
    at_ns : int
        [ns since 1970-01-01 UTC]

    Returns
    -------
    tuple of str
        Ids of the certificates whose destruction is complete by that.

    Raises
    ------
    HeadframeError
        If it cannot be done now (`compact`); it is done by the next run.
    """
    pending = not_compacted(store)
    if pending:
        compact(store)
        with store.writing() as writer:
            change = update(CERTIFICATES).where(CERTIFICATES.c.certificate_id.in_(pending))
            writer.db.execute(change.values(compacted_ns=at_ns))
    return pending


def is_certified(store: DatabaseStore, certificate_id: str, sha256: str) -> bool:
    """Whether a certificate of that id says that readings of that digest were destroyed."""
    with store.reading() as db:
        text = db.scalar(select(CERTIFICATES.c.document).where(CERTIFICATES.c.certificate_id == certificate_id))
    told_of = () if text is None else json.loads(text)["destroyed"]
    return any(sha256 in one["sha256"] for one in told_of if one["class"] == DataClass.READING.value)


def certified(store: DatabaseStore, digests: Collection[str]) -> Mapping[str, str]:
    """Which certificate says that something of a digest was destroyed, for each of which one does: the first."""
    found: dict[str, str] = {}
    if not digests:
        return found
    columns = CERTIFICATES.c
    with store.reading() as db:
        for row in db.execute(select(columns.certificate_id, columns.document).order_by(columns.at_ns)):
            told_of = {sha256 for one in json.loads(row.document)["destroyed"] for sha256 in one["sha256"]}
            for sha256 in told_of.intersection(digests):
                found.setdefault(sha256, row.certificate_id)
    return found


def certificate_ids(store: DatabaseStore) -> frozenset[str]:
    """Ids of all certificates of destruction."""
    with store.reading() as db:
        return frozenset(db.scalars(select(CERTIFICATES.c.certificate_id)))


def certificates(store: DatabaseStore) -> tuple[Mapping[str, object], ...]:
    """Certificates of destruction, the latest first.

    Parameters
    ----------
    store : DatabaseStore

    Returns
    -------
    tuple of mapping
        As `headframe.cases.retention.certificate_json` writes them, and under ``out_of_files`` whether the files of
        the database were written anew since.
    """
    columns = CERTIFICATES.c
    wanted = select(columns.document, columns.compacted_ns).order_by(columns.at_ns.desc(), columns.certificate_id)
    with store.reading() as db:
        return tuple(
            {**json.loads(row.document), "out_of_files": row.compacted_ns is not None} for row in db.execute(wanted)
        )
