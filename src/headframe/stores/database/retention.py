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
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, and_, delete, exists, insert, or_, select

from headframe.cases.retention import certificate_json, certify, what_goes
from headframe.cases.store import PendingLeaf
from headframe.errors import HeadframeError
from headframe.ledger.leaf import canonical
from headframe.records.case import OpenCase
from headframe.records.finding import Family
from headframe.records.retention import (
    DataClass,
    DestructionCertificate,
    GoingItem,
    LegalHold,
    RetainedItem,
    RetentionPlan,
    RetentionRule,
    StayingItem,
)
from headframe.records.site import AssignmentKind
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
    FINDINGS,
    HOLDS,
    LEAVES,
    SEARCH_WORDS,
)
from headframe.stores.database.writer import CHUNK, Kind, Writer, batches
from headframe.stores.lake_purge import LakePart, LakePurge

_DAY_NS = 86_400_000_000_000
_NS_PER_S = 1_000_000_000

MOST_AT_ONCE = 100_000
"""Items that one plan lets go at most: so many digests still make a certificate that can be read and logged (7 MB).
What is left goes with the next plan."""

_ITEMS_AT_ONCE = 10_000

_CASE_ID = re.compile(r"\bHF-[0-9]{4}-[0-9]{6,}\b")

_REWRITTEN = (FINDINGS, DOCUMENTS, CONTACTS, ACCESS_LOG, DISCLOSURES, CASE_EVENTS, CASES, CASE_CLOCKS, SEARCH_WORDS)


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
    """

    document: Callable[[str], object]
    contact_key: Callable[[str], object]
    pseudonym_key: Callable[[str], object] | None = None
    readings: LakePurge | None = None


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
    most: int = MOST_AT_ONCE,
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
    most : int
        Items that go at most.

    Returns
    -------
    RetentionPlan
    """
    with store.reading() as db:
        items = _items(db, cutoffs(rules, now_ns), extra, readings)
        return _plan(db, rules, now_ns, items, most)


def _plan(
    db: Connection, rules: Sequence[RetentionRule], now_ns: int, items: Iterator[RetainedItem], most: int
) -> RetentionPlan:
    holds = _holds(db)
    goes: list[GoingItem] = []
    stays: list[StayingItem] = []
    while len(goes) < most and (some := list(_take(items, min(_ITEMS_AT_ONCE, most - len(goes))))):
        part = what_goes(some, rules, holds, now_ns)
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
    closed_ns: int | None
    """When the last of them was closed; None while one is open."""


def _items(
    db: Connection, cutoffs: Mapping[DataClass, int], extra: Iterable[RetainedItem], readings: Sequence[LakePart]
) -> Iterator[RetainedItem]:
    """Every item that may be due: for each class what began to count before its cutoff."""
    if (cutoff := cutoffs.get(DataClass.FINDING)) is not None:
        yield from _findings(db, cutoff)
    wanted = {one: cutoffs[one] for one in (DataClass.DOCUMENT, DataClass.PHOTO) if one in cutoffs}
    if wanted:
        yield from _documents(db, wanted)
    if (cutoff := cutoffs.get(DataClass.CONTACT)) is not None:
        yield from _contacts(db, cutoff)
    if (cutoff := cutoffs.get(DataClass.ACCESS)) is not None:
        yield from _accesses(db, cutoff)
    if (cutoff := cutoffs.get(DataClass.CASE)) is not None:
        yield from _cases(db, cutoff)
    yield from _readings(db, readings)
    yield from extra


def _cases_of(db: Connection, case_ids: Iterable[str]) -> dict[str, tuple[str, int | None]]:
    """Pack and time of closure of the cases that are there."""
    found: dict[str, tuple[str, int | None]] = {}
    for chunk in batches(sorted(set(case_ids)), CHUNK):
        wanted = select(CASES.c.case_id, CASES.c.pack_id, CASES.c.closed_ns).where(CASES.c.case_id.in_(chunk))
        found.update({row.case_id: (row.pack_id, row.closed_ns) for row in db.execute(wanted)})
    return found


def _together(case_ids: Iterable[str], known: Mapping[str, tuple[str, int | None]]) -> _Cases:
    ids = tuple(sorted(case_id for case_id in set(case_ids) if case_id in known))
    closed = [known[case_id][1] for case_id in ids]
    ends = [each for each in closed if each is not None]
    return _Cases(
        ids=ids,
        packs=tuple(sorted({known[case_id][0] for case_id in ids})),
        closed_ns=max(ends) if ends and len(ends) == len(closed) else None,
    )


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
                from_ns=cases.closed_ns if cases.ids else row.ended_ns,
                sha256=row.sha256,
                case_ids=cases.ids,
                pack_ids=cases.packs,
            )


def _documents(db: Connection, cutoffs: Mapping[DataClass, int]) -> Iterator[RetainedItem]:
    """By digest: the same bytes may belong to several cases, and be a photo in one and a document in another."""
    of_case: defaultdict[str, list[str]] = defaultdict(list)
    photos: defaultdict[str, bool] = defaultdict(lambda: True)
    for row in db.execute(select(DOCUMENTS.c.sha256, DOCUMENTS.c.case_id, DOCUMENTS.c.kind)):
        of_case[row.sha256].append(row.case_id)
        photos[row.sha256] &= row.kind == "photo"
    known = _cases_of(db, (case_id for several in of_case.values() for case_id in several))
    for sha256 in sorted(of_case):
        data_class = DataClass.PHOTO if photos[sha256] else DataClass.DOCUMENT
        cases = _together(of_case[sha256], known)
        if data_class not in cutoffs or cases.closed_ns is None or cases.closed_ns > cutoffs[data_class]:
            continue
        yield RetainedItem(
            item_id=sha256,
            data_class=data_class,
            from_ns=cases.closed_ns,
            sha256=sha256,
            case_ids=cases.ids,
            pack_ids=cases.packs,
        )


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
        if cases.closed_ns is None or cases.closed_ns > cutoff:
            continue
        yield RetainedItem(
            item_id=row["contact_id"],
            data_class=DataClass.CONTACT,
            from_ns=cases.closed_ns,
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
                if cases.closed_ns is None or cases.closed_ns > cutoff:
                    continue
                from_ns = max(from_ns, cases.closed_ns)
            yield RetainedItem(
                item_id=row["access_id"],
                data_class=DataClass.ACCESS,
                from_ns=from_ns,
                sha256=hashlib.sha256(canonical([str(value) for value in row.values()])).hexdigest(),
                case_ids=cases.ids,
                pack_ids=cases.packs,
            )


def _cases(db: Connection, cutoff: int) -> Iterator[RetainedItem]:
    wanted = select(CASES.c.case_id, CASES.c.pack_id, CASES.c.closed_ns).where(CASES.c.closed_ns <= cutoff)
    for row in db.execute(wanted.order_by(CASES.c.closed_ns, CASES.c.case_id)).all():
        events = select(CASE_EVENTS.c.payload).where(CASE_EVENTS.c.case_id == row.case_id)
        digest = hashlib.sha256()
        for text in db.scalars(events.order_by(CASE_EVENTS.c.number)):
            digest.update(text.encode() + b"\n")
        yield RetainedItem(
            item_id=row.case_id,
            data_class=DataClass.CASE,
            from_ns=row.closed_ns,
            sha256=digest.hexdigest(),
            case_ids=(row.case_id,),
            pack_ids=(row.pack_id,),
        )


def points_of_cases(db: Connection) -> Mapping[str, frozenset[str]]:
    """Usage points that cases need, each with those cases: named when it was opened, of its site, or of its findings.

    Parameters
    ----------
    db : sqlalchemy.Connection

    Returns
    -------
    mapping of str to frozenset of str
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    opened = select(CASE_EVENTS.c.case_id, CASE_EVENTS.c.payload).where(CASE_EVENTS.c.act == OpenCase.NAME)
    for row in db.execute(opened.execution_options(yield_per=CHUNK)).all():
        for point in json.loads(row.payload).get("usage_points", ()):
            found[str(point)].add(row.case_id)
    of_site = select(ASSIGNMENTS.c.value, CASES.c.case_id).join(CASES, CASES.c.site_id == ASSIGNMENTS.c.site_id)
    for row in db.execute(of_site.where(ASSIGNMENTS.c.kind == AssignmentKind.USAGE_POINT.value)):
        found[row.value].add(row.case_id)
    of_findings = (
        select(FINDINGS.c.subject, CASE_FINDINGS.c.case_id)
        .join(CASE_FINDINGS, CASE_FINDINGS.c.finding_id == FINDINGS.c.finding_id)
        .where(FINDINGS.c.family.in_((Family.LOAD.value, Family.BALANCE.value)))
    )
    for row in db.execute(of_findings):
        found[row.subject].add(row.case_id)
    return {point: frozenset(cases) for point, cases in found.items()}


def _readings(db: Connection, parts: Sequence[LakePart]) -> Iterator[RetainedItem]:
    """Parts of the lake, with the cases that need one of their usage points: all that were open in their month yet."""
    if not parts:
        return
    of_point = points_of_cases(db)
    known = _cases_of(db, (case_id for several in of_point.values() for case_id in several))
    for part in parts:
        begin_ns = part.from_s * _NS_PER_S
        case_ids = {case_id for point in part.usage_points for case_id in of_point.get(point, ())}
        needing = [
            case_id
            for case_id in case_ids
            if case_id in known and ((closed := known[case_id][1]) is None or closed > begin_ns)
        ]
        cases = _together(needing, known)
        end_ns = part.until_s * _NS_PER_S
        from_ns = max(end_ns, cases.closed_ns) if cases.closed_ns is not None else None if cases.ids else end_ns
        yield RetainedItem(
            item_id=part.part_id,
            data_class=DataClass.READING,
            from_ns=from_ns,
            sha256=part.sha256,
            case_ids=cases.ids,
            pack_ids=cases.packs,
        )


# ---------------------------------------------------------------------------------------------------------------------
# Destruction


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
) -> DestructionCertificate:
    """Destroy what a plan lets go.

    What is outside of the database goes first, what is in it goes in one transaction together with the certificate and
    its leaf. If it is cut off in between, the same items are due again, and what is gone already counts as destroyed.
    What does not go any more (a legal hold came in between, a case was reopened) stays, and the certificate says why.

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

    Returns
    -------
    DestructionCertificate

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
    with store.writing() as writer:
        writer.lock_findings()
        db = writer.db
        parts = destroyers.readings.parts if destroyers.readings is not None else ()
        still = {_key(item) for item in _again(db, agreed, rules, parts)}
        gone = _Gone()
        readings: list[RetainedItem] = []
        for one in agreed.goes:
            if _key(one.item) not in still:
                gone.failed.append((one.item, "it must stay now: a legal hold, or a case that needs it, came up since"))
            elif one.item.data_class is DataClass.READING:
                readings.append(one.item)
            else:
                _destroy_outside(db, one.item, destroyers, gone)
        _destroy_readings(readings, destroyers.readings, certificate_id, gone)
        by_class: defaultdict[DataClass, list[RetainedItem]] = defaultdict(list)
        for item in gone.destroyed:
            by_class[item.data_class].append(item)
        for data_class, items in by_class.items():
            _destroy_inside(writer, data_class, items)
        certificate = certify(
            agreed, gone.destroyed, certificate_id=certificate_id, at_ns=at_ns, proposer=proposer, approver=approver,
            failed=gone.failed,
        )  # fmt: skip
        db.execute(
            insert(CERTIFICATES),
            [
                {
                    "certificate_id": certificate_id,
                    "at_ns": at_ns,
                    "proposer": proposer,
                    "approver": approver,
                    "document": canonical(certificate_json(certificate)).decode(),
                }
            ],
        )
        writer.log(leaf(certificate))
    compact(store)
    return certificate


def _key(item: RetainedItem) -> tuple[DataClass, str, str]:
    return (item.data_class, item.item_id, item.sha256)


def _again(
    db: Connection, agreed: RetentionPlan, rules: Sequence[RetentionRule], parts: Sequence[LakePart]
) -> Iterator[RetainedItem]:
    """What of a plan may still go, by what the database says now."""
    asked = {_key(one.item) for one in agreed.goes}
    of_database = {DataClass.FINDING, DataClass.DOCUMENT, DataClass.PHOTO, DataClass.CONTACT, DataClass.ACCESS}
    of_database |= {DataClass.CASE, DataClass.READING}
    extra = [one.item for one in agreed.goes if one.item.data_class not in of_database]
    holds = _holds(db)
    items = (one for one in _items(db, cutoffs(rules, agreed.now_ns), extra, parts) if _key(one) in asked)
    while some := list(_take(items, _ITEMS_AT_ONCE)):
        yield from (one.item for one in what_goes(some, rules, holds, agreed.now_ns).goes)


def _destroy_outside(db: Connection, item: RetainedItem, destroyers: Destroyers, gone: _Gone) -> None:
    try:
        if item.data_class in (DataClass.DOCUMENT, DataClass.PHOTO):
            destroyers.document(item.item_id)
        elif item.data_class is DataClass.CONTACT:
            key_id = db.execute(select(CONTACTS.c.key_id).where(CONTACTS.c.contact_id == item.item_id)).scalar_one()
            destroyers.contact_key(key_id)
        elif item.data_class is DataClass.PSEUDONYM_KEY:
            if destroyers.pseudonym_key is None:
                raise HeadframeError("nothing was handed in that destroys keys of pseudonyms")
            destroyers.pseudonym_key(item.item_id)
    except (OSError, HeadframeError) as fault:
        gone.failed.append((item, str(fault)))
        return
    gone.destroyed.append(item)


def _destroy_readings(items: Sequence[RetainedItem], ready: LakePurge | None, certificate_id: str, gone: _Gone) -> None:
    """The lake's files were written anew without all of these parts, so they go together or not at all."""
    if ready is None or not items:
        gone.failed += [(item, "the lake was not made ready for it") for item in items]
        return
    if {(one.part_id, one.sha256) for one in ready.parts} != {(item.item_id, item.sha256) for item in items}:
        why = "other readings that were to go with it must stay now; make a new plan"
        gone.failed += [(item, why) for item in items]
        return
    try:
        ready.destroy(certificate_id)
    except OSError as fault:
        why = f"the lake could not be changed: {fault.strerror or fault}; it is due again, and what is left goes then"
        gone.failed += [(item, why) for item in items]
        return
    gone.destroyed += items


def _destroy_inside(writer: Writer, data_class: DataClass, items: Sequence[RetainedItem]) -> None:
    db = writer.db
    for chunk in batches([item.item_id for item in items], CHUNK):
        if data_class is DataClass.FINDING:
            _destroy_findings(writer, chunk)
        elif data_class in (DataClass.DOCUMENT, DataClass.PHOTO):
            db.execute(delete(DOCUMENTS).where(DOCUMENTS.c.sha256.in_(chunk)))
            _erase(db, LEAVES.c.leaf_id.in_([f"document/{sha256}" for sha256 in chunk]))
        elif data_class is DataClass.CONTACT:
            db.execute(delete(CONTACTS).where(CONTACTS.c.contact_id.in_(chunk)))
        elif data_class is DataClass.ACCESS:
            db.execute(delete(ACCESS_LOG).where(ACCESS_LOG.c.access_id.in_(chunk)))
            _erase(db, LEAVES.c.leaf_id.in_([f"access/{access_id}" for access_id in chunk]))
        elif data_class is DataClass.CASE:
            _destroy_cases(db, chunk)


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
    # What the leaf of an import discloses goes with the last of its findings.
    for chunk in batches(sorted(imports), CHUNK):
        left = set(writer.db.scalars(select(columns.import_id).where(columns.import_id.in_(chunk)).distinct()))
        for leaf_id in (f"findings/{import_id}" for import_id in chunk if import_id not in left):
            # A large file has leaves for its parts besides: findings/I-.../3. "0" comes after "/".
            parts = and_(LEAVES.c.leaf_id > f"{leaf_id}/", LEAVES.c.leaf_id < f"{leaf_id}0")
            _erase(writer.db, or_(LEAVES.c.leaf_id == leaf_id, parts))


def _destroy_cases(db: Connection, case_ids: Sequence[str]) -> None:
    """Destroy what the events say. The leaves stay without their disclosures, documents have a period of their own."""
    _erase(db, and_(LEAVES.c.case_id.in_(case_ids), LEAVES.c.data_class == "case"))
    for table in (CASE_EVENTS, CASE_CLOCKS, CASE_FINDINGS, CASES):
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
                "reads the database. Close it and run the purge again."
            )


def is_certified(store: DatabaseStore, certificate_id: str, sha256: str) -> bool:
    """Whether a certificate of that id says that readings of that digest were destroyed."""
    with store.reading() as db:
        text = db.scalar(select(CERTIFICATES.c.document).where(CERTIFICATES.c.certificate_id == certificate_id))
    told_of = () if text is None else json.loads(text)["destroyed"]
    return any(sha256 in one["sha256"] for one in told_of if one["class"] == DataClass.READING.value)


def certificates(store: DatabaseStore) -> tuple[Mapping[str, object], ...]:
    """Certificates of destruction, the latest first.

    Parameters
    ----------
    store : DatabaseStore

    Returns
    -------
    tuple of mapping
        As `headframe.cases.retention.certificate_json` writes them.
    """
    wanted = select(CERTIFICATES.c.document).order_by(CERTIFICATES.c.at_ns.desc(), CERTIFICATES.c.certificate_id)
    with store.reading() as db:
        return tuple(json.loads(text) for text in db.scalars(wanted))
