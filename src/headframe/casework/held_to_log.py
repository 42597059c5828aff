"""What the database says of a case is held against the log: whoever can write into a database changes no record by it.

The database has the events that rules, screens and documents go by. The log has a leaf for each of them that was sealed
when the event was accepted, under a signed checkpoint. Where the two differ, nothing is done, shown or written on that
case before somebody has found out why. They differ, too, where the log has an event that the database has not, and
where a leaf that still waits for the log bears no mark of this workspace, or is of an event that the log has already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from headframe.cases.codec import act_from_json, act_to_json
from headframe.cases.store import PendingLeaf, StoredLeaf
from headframe.casework.logged_cases import LoggedCases, PlacesDigest
from headframe.errors import HeadframeError
from headframe.ledger.leaf import BadLeaf, document_digest, opened, plain, read
from headframe.ledger.merkle import BadProof, check_inclusion, leaf_hash
from headframe.records.case import CaseEvent, FindingRef, OpenCase
from headframe.records.retention import DataClass

if TYPE_CHECKING:
    from headframe.stores.database.store import DatabaseStore
    from headframe.stores.leaf_marks import LeafMarks
    from headframe.stores.ledger_files import LedgerReader


WERE_IT_AN_OLDER_COPY = (
    "If the database was put back from an older copy, an administrator says so: headframe log restored --reason TEXT"
)
LEAVES_AT_ONCE = 1_000
"""Leaves that wait for the log and are read together."""
_EVENT = re.compile(r"case/([^/]+)/([0-9]{1,15})")

MOST_REMEMBERED = 200
"""Cases of which the last look is remembered; one has some tens of events. [cases]"""


class AlteredRecord(HeadframeError):
    """The database has something else than the log."""


def leaf_name(case_id: str, number: int) -> str:
    """Name of an event's leaf in the database."""
    return f"case/{case_id}/{number}"


def sealed_fields(event: CaseEvent) -> dict[str, object]:
    """What the leaf of an event seals, field by field.

    From which case one is split, and why, is apart: it is another party's affair, and stays closed in every bundle.
    """
    content = act_to_json(event.act)
    fields: dict[str, object] = {"account": event.account, "unit": event.unit, "act": event.act.NAME}
    if isinstance(event.act, OpenCase) and event.act.split_from:
        fields["split"] = {name: content.pop(name) for name in ("split_from", "reason")}
    return {**fields, "content": content}


class HeldToLog:
    """Cases held against the log; what was found right once, and reads the same again, is not looked up again.

    Attributes
    ----------
    store : DatabaseStore
    log : LedgerReader
    logged : LoggedCases
        How far each case has come, by the log.
    marks : LeafMarks or None
        What leaves that wait for the log are known by; None where nobody has marked any yet, or its key is not here.
    """

    def __init__(
        self, store: DatabaseStore, log: LedgerReader, logged: LoggedCases, marks: LeafMarks | None = None
    ) -> None:
        self.store = store
        self.log = log
        self.logged = logged
        self.marks = marks
        self._right: dict[str, tuple[CaseEvent, ...]] = {}

    def refuse_altered(self, case_id: str, events: Sequence[CaseEvent]) -> None:
        """Refuse a case of which the database says something else than the log.

        Parameters
        ----------
        case_id : str
        events : sequence of CaseEvent
            All that the database has of it.

        Raises
        ------
        AlteredRecord
            The message names the event, and what to do.
        """
        self.logged.catch_up()
        right = self._right.get(case_id, ())
        new = events if events[: len(right)] != right else events[len(right) :]
        ahead = leaf_name(case_id, len(events) + 1)
        names = [leaf_name(case_id, event.number) for event in new]
        leaves = {leaf.leaf_id: leaf for leaf in self.store.leaves(leaf_ids=[*names, ahead])}
        told = next(_differences(new, leaves, self.log, self.logged, self.marks), None) or _twice(case_id, self.logged)
        if told is None:
            logged = self.logged.events(case_id)
            beyond = max(logged, len(events) + (ahead in leaves))
            # Another program may have acted since the events were read.
            if beyond > len(events) and len(self.store.events(case_id)) < beyond:
                told = _not_in_the_database(case_id, len(events) + 1, beyond)
                if logged == beyond:
                    told += f". {WERE_IT_AN_OLDER_COPY}"
        if told is not None:
            raise AlteredRecord(
                f"{told}. Nothing is done or written on case {case_id}: the database was changed by something else "
                f"than Headframe, or is damaged. Compare all of it (headframe log verify), put the right one back from "
                f"a copy, and find out who could write into it"
            )
        while len(self._right) >= MOST_REMEMBERED:
            del self._right[next(iter(self._right))]
        # What is pending may still come into the log as something else.
        if all(leaves[name].index is not None for name in names):
            self._right[case_id] = tuple(events)

    def fit_for_the_log(self, pending: Sequence[PendingLeaf]) -> tuple[list[PendingLeaf], dict[str, str]]:
        """Which leaves that wait in the database may go into the log.

        Those that a program of this workspace has marked, and whose event the log has not got, or has with these very
        bytes: then somebody died before the place was noted.

        Parameters
        ----------
        pending : sequence of PendingLeaf

        Returns
        -------
        list of PendingLeaf
            Those that may, in the same order.
        dict of str to str
            The names of the others, with what is wrong.
        """
        self.logged.catch_up()
        unfit: dict[str, str] = {}
        for one in pending:
            if not _is_marked(one, self.marks):
                unfit[one.leaf_id] = _unmarked(one.leaf_id)
            elif event := _EVENT.fullmatch(one.leaf_id):
                if _comes_too_late(one, event[1], int(event[2]), self.log, self.logged):
                    unfit[one.leaf_id] = f"leaf {one.leaf_id} waits for the log, which has another of the same event"
        return [one for one in pending if one.leaf_id not in unfit], unfit


def refuse_other_document(case_id: str, ref: FindingRef, document: Mapping[str, object]) -> None:
    """Refuse a finding's document that is not the one whose digest the case names.

    Raises
    ------
    AlteredRecord
    """
    if document_digest(document) != ref.sha256:
        raise AlteredRecord(
            f"finding {ref.finding_id} in the database is not the one that case {case_id} rests on (SHA-256 "
            f"{ref.sha256}): the database was changed by something else than Headframe, or is damaged. Put the right "
            f"one back from a copy, and find out who could write into it"
        )


def _differences(
    events: Iterable[CaseEvent],
    leaves: Mapping[str, StoredLeaf],
    log: LedgerReader,
    logged: LoggedCases,
    marks: LeafMarks | None,
) -> Iterator[str]:
    """In what events differ from their leaves, and the leaves from the log; each a sentence without its full stop."""
    for event in events:
        name = f"event {event.number} of case {event.case_id}"
        leaf = leaves.get(leaf_name(event.case_id, event.number))
        if leaf is None:
            yield f"{name} is in the database, and no leaf of the log is"
        elif not _is_of(leaf, event):
            yield f"{name} does not say in the database what was sealed for the log"
        elif leaf.index is None and not _is_marked(leaf, marks):
            yield f"{name} waits for the log, and no program of this workspace wrote it so"
        elif leaf.index is None and _comes_too_late(leaf, event.case_id, event.number, log, logged):
            yield f"{name} waits for the log, which has another of this number"
        elif leaf.index is not None and leaf.index < logged.since(event.case_id, event.number):
            yield f"{name} is in the log from before the database was put back from an older copy, and was lost then"
        elif not in_the_log(leaf, log):
            yield f"the leaf of {name} is not the one in the log"


def _twice(case_id: str, logged: LoggedCases) -> str | None:
    """That the log has an event twice, where it does, and nobody has said why; a sentence without its full stop."""
    numbers = logged.twice(case_id)
    if not numbers:
        return None
    return f"event {numbers[0]} of case {case_id} is in the log twice, and nothing in it says why"


def doubles(logged: LoggedCases) -> Iterator[str]:
    """Of every case whether the log has an event of it twice."""
    for case_id in logged.cases():
        if (told := _twice(case_id, logged)) is not None:
            yield told


def _not_in_the_database(case_id: str, first: int, last: int) -> str:
    if first == last:
        return f"event {first} of case {case_id} is in the log, and not in the database"
    return f"events {first} to {last} of case {case_id} are in the log, and not in the database"


def _is_marked(leaf: PendingLeaf | StoredLeaf, marks: LeafMarks | None) -> bool:
    """Whether this workspace marked a leaf; before it has marks, or where the key is not here, no leaf bears one."""
    return True if marks is None else marks.fits(leaf.leaf_id, leaf.leaf, leaf.mark)


def _comes_too_late(
    leaf: PendingLeaf | StoredLeaf, case_id: str, number: int, log: LedgerReader, logged: LoggedCases
) -> bool:
    """Whether the log has another leaf of an event than the one that waits; this one it may have since a crash."""
    if not logged.has(case_id, number):
        return False
    return log.find([leaf.leaf]).get(leaf.leaf, -1) < logged.since(case_id, number)


def _unmarked(leaf_id: str) -> str:
    return f"leaf {leaf_id} waits for the log, and no program of this workspace wrote it"


def in_the_log(leaf: StoredLeaf, log: LedgerReader) -> bool:
    """Whether a leaf is where the database says, under the log's signed checkpoint; one that is pending is nowhere yet.

    Raises
    ------
    BadLedger
        If a file of the log is damaged.
    """
    if leaf.index is None:
        return True
    if leaf.index >= log.size:
        log.refresh()
    if leaf.index >= log.size:
        return False
    checkpoint = log.checkpoint
    proof = log.inclusion_proof(leaf.index, checkpoint.size)
    try:
        check_inclusion(leaf.index, checkpoint.size, leaf_hash(leaf.leaf), proof, checkpoint.root)
    except BadProof:
        return False
    return True


@dataclass(slots=True)
class Unknown:
    """Leaves of the log that the database does not have.

    Attributes
    ----------
    places : PlacesDigest
        Of all of them.
    told : PlacesDigest
        Of those below the size that an administrator named, when the database had been put back from an older copy.
    first : tuple of int and bytes, optional
        Place and bytes of the first of them that is not below it.
    """

    places: PlacesDigest = field(default_factory=PlacesDigest)
    told: PlacesDigest = field(default_factory=PlacesDigest)
    first: tuple[int, bytes] | None = None


def compare_leaves(store: DatabaseStore, log: LedgerReader, unknown: Unknown, below: int = 0) -> Iterator[str]:
    """Compare every leaf of the database with the log, and find those of the log that the database does not have.

    Parameters
    ----------
    store : DatabaseStore
    log : LedgerReader
    unknown : Unknown
        Takes what the database does not have, when all was read.
    below : int
        Size of the log of which an administrator has said what the database lost.

    Yields
    ------
    str
    """
    size = log.size
    # Before the others: whoever appended one of them may note its place meanwhile, or has died before that.
    waiting = set(_waiting(store))
    rows = store.logged_leaves()
    row = next(rows, None)
    for at, entry in enumerate(log.entries(0, size)):
        while row is not None and row[0] < at:
            row = next(rows, None)
        if row is not None and row[0] == at:
            if entry != row[2]:
                yield f"leaf {at} of the log is not the one that the database has of {row[1]}"
            continue
        if entry in waiting:
            continue
        unknown.places.add(at)
        if at < below:
            unknown.told.add(at)
        elif unknown.first is None:
            unknown.first = (at, entry)


def _waiting(store: DatabaseStore) -> Iterator[bytes]:
    """Leaves whose places the database does not know."""
    after = ""
    while page := store.pending_leaves(LEAVES_AT_ONCE, after=after):
        yield from (one.leaf for one in page)
        after = page[-1].leaf_id


def all_alterations(
    store: DatabaseStore, log: LedgerReader, logged: LoggedCases, marks: LeafMarks | None, unknown: Unknown
) -> Iterator[str]:
    """The same of every case of the database and of the log, and of every other leaf of both.

    Parameters
    ----------
    store : DatabaseStore
    log : LedgerReader
        The log has been checked against its checkpoint (`LedgerReader.check_all`).
    logged : LoggedCases
    marks : LeafMarks or None
    unknown : Unknown
        Takes which leaves of the log the database does not have.

    Yields
    ------
    str
    """
    logged.catch_up()
    lost = logged.lost
    yield from compare_leaves(store, log, unknown, lost.size if lost is not None else 0)
    if unknown.first is not None:
        place, entry = unknown.first
        count = unknown.places.count - unknown.told.count
        more = f" is the first of {count:,} that are" if count > 1 else " is"
        yield f"leaf {place} of the log ({_shown(entry)}){more} not in the database. {WERE_IT_AN_OLDER_COPY}"
    if lost is not None and (unknown.told.count, unknown.told.hex()) != (lost.count, lost.sha256):
        yield (
            f"below leaf {lost.size} of the log the database lacks {unknown.told.count:,}, and when an administrator "
            f"said that it was put back from an older copy (leaf {lost.place}), it lacked {lost.count:,}, or others. "
            f"{WERE_IT_AN_OLDER_COPY}"
        )
    after = ""
    while page := store.pending_leaves(LEAVES_AT_ONCE, after=after):
        yield from (_unmarked(one.leaf_id) for one in page if not _is_marked(one, marks))
        after = page[-1].leaf_id
    for case_id, group in groupby(store.all_events(), key=lambda event: event.case_id):
        events = tuple(group)
        leaves = {leaf.leaf_id: leaf for leaf in store.leaves(case_id=case_id)}
        yield from _differences(events, leaves, log, logged, marks)
        if leaf_name(case_id, len(events) + 1) in leaves and len(store.events(case_id)) == len(events):
            yield _not_in_the_database(case_id, len(events) + 1, len(events) + 1)
    yield from doubles(logged)
    counts = store.event_counts()
    gone = []
    for case_id in logged.cases():
        has, wanted = counts.get(case_id, 0), logged.events(case_id)
        if has == 0 < wanted:
            gone.append(case_id)
        # Of the next one after some events its leaf has told already.
        elif has < wanted and (wanted > has + 1 or not store.leaves(leaf_ids=[leaf_name(case_id, wanted)])):
            yield _not_in_the_database(case_id, has + 1, wanted)
    # An older Headframe did not note which cases it destroyed; its certificates tell how many.
    certified = _certified(store, log) if gone else 0
    if len(gone) > certified:
        for case_id in gone:
            if not store.was_destroyed(case_id):
                yield _not_in_the_database(case_id, 1, logged.events(case_id))
        yield (
            f"of {len(gone):,} cases that the log has, such as {gone[-1]}, the database has no event, and the "
            f"certificates of destruction in the log tell of {certified:,}"
        )


def _certified(store: DatabaseStore, log: LedgerReader) -> int:
    """How many cases were destroyed, by the certificates that the log has."""
    found = 0
    for leaf in store.leaves(beginning="retention/D-"):
        if leaf.index is None or not in_the_log(leaf, log):
            continue
        certificate = opened(read(leaf.leaf), leaf.disclosures).get("certificate")
        if isinstance(certificate, dict):
            classes = certificate.get("destroyed", ())
            found += sum(each["count"] for each in classes if each["class"] == DataClass.CASE.value)
    return found


def _shown(entry: bytes) -> str:
    """Kind and subject of a leaf, for a message."""
    try:
        leaf = read(entry)
    except BadLeaf:
        return "of no format that is known"
    return f"{leaf.kind} {leaf.subject}"


def _is_of(leaf: StoredLeaf, event: CaseEvent) -> bool:
    """Whether a leaf was sealed for just this event, and its disclosures are what it was sealed over."""
    try:
        sealed = read(leaf.leaf)
    except BadLeaf:
        return False
    if (sealed.kind, sealed.subject, sealed.at_ns) != ("case", f"{event.case_id}/{event.number}", event.at_ns):
        return False
    told = opened(sealed, leaf.disclosures)
    if told.keys() != sealed.digests.keys():
        return False
    # Sealed in one before it was apart.
    content, split = told.pop("content", None), told.pop("split", {})
    if not isinstance(content, dict) or not isinstance(split, dict):
        return False
    content = {**content, **split}
    expected = plain(act_to_json(event.act), "content")
    wanted = {"account": event.account, "unit": event.unit, "act": event.act.NAME}
    return told == wanted and (content == expected or _reads_as(event, content, expected))


def _reads_as(event: CaseEvent, content: object, expected: object) -> bool:
    """Whether an act that was sealed before a field of it was there reads as the event does today."""
    if not isinstance(content, dict):
        return False
    try:
        return plain(act_to_json(act_from_json(event.act.NAME, content)), "content") == expected
    except ValueError:
        return False
