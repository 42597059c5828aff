"""What the database says of a case is held against the log: whoever can write into a database changes no record by it.

The database has the events that rules, screens and documents go by. The log has a leaf for each of them that was sealed
when the event was accepted, under a signed checkpoint. Where the two differ, nothing is done, shown or written on that
case before somebody has found out why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from headframe.cases.codec import act_from_json, act_to_json
from headframe.cases.store import StoredLeaf
from headframe.errors import HeadframeError
from headframe.ledger.leaf import BadLeaf, digest, document_digest, plain, read
from headframe.ledger.merkle import BadProof, check_inclusion, leaf_hash
from headframe.records.case import CaseEvent, FindingRef

if TYPE_CHECKING:
    from headframe.stores.database.store import DatabaseStore
    from headframe.stores.ledger_files import LedgerReader


MOST_REMEMBERED = 200
"""Cases of which the last look is remembered; one has some tens of events. [cases]"""


class AlteredRecord(HeadframeError):
    """The database has something else than the log."""


def leaf_name(case_id: str, number: int) -> str:
    """Name of an event's leaf in the database."""
    return f"case/{case_id}/{number}"


def sealed_fields(event: CaseEvent) -> dict[str, object]:
    """What the leaf of an event seals, field by field."""
    return {
        "account": event.account,
        "unit": event.unit,
        "act": event.act.NAME,
        "content": act_to_json(event.act),
    }


class HeldToLog:
    """Cases held against the log; what was found right once, and reads the same again, is not looked up again.

    Attributes
    ----------
    store : DatabaseStore
    log : LedgerReader
    """

    def __init__(self, store: DatabaseStore, log: LedgerReader) -> None:
        self.store = store
        self.log = log
        self._right: dict[str, tuple[CaseEvent, ...]] = {}

    def refuse_altered(self, events: Sequence[CaseEvent]) -> None:
        """Refuse a case of which the database says something else than the log.

        Parameters
        ----------
        events : sequence of CaseEvent
            Of one case, all that the database has.

        Raises
        ------
        AlteredRecord
            The message names the event, and what to do.
        """
        case_id = events[0].case_id
        right = self._right.get(case_id, ())
        new = events if events[: len(right)] != right else events[len(right) :]
        ahead = leaf_name(case_id, len(events) + 1)
        names = [leaf_name(case_id, event.number) for event in new]
        leaves = {leaf.leaf_id: leaf for leaf in self.store.leaves(leaf_ids=[*names, ahead])}
        told = next(_differences(new, leaves, self.log), None)
        # Another program may have acted since the events were read.
        if told is None and ahead in leaves and len(self.store.events(case_id)) <= len(events):
            told = f"event {len(events) + 1} of case {case_id} is in the log, and not in the database"
        if told is not None:
            raise AlteredRecord(
                f"{told}. Nothing is done or written on case {case_id}: the database was changed by something else "
                f"than Headframe, or is damaged. Compare all of it (headframe log verify), put the right one back from "
                f"a copy, and find out who could write into it"
            )
        while len(self._right) >= MOST_REMEMBERED:
            del self._right[next(iter(self._right))]
        # What is pending may still come into the log as something else.
        logged = [leaves[name].index is not None for name in names]
        if all(logged):
            self._right[case_id] = tuple(events)


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


def _differences(events: Iterable[CaseEvent], leaves: Mapping[str, StoredLeaf], log: LedgerReader) -> Iterator[str]:
    """In what events differ from their leaves, and the leaves from the log; each a sentence without its full stop."""
    for event in events:
        name = f"event {event.number} of case {event.case_id}"
        leaf = leaves.get(leaf_name(event.case_id, event.number))
        if leaf is None:
            yield f"{name} is in the database, and no leaf of the log is"
        elif not _is_of(leaf, event):
            yield f"{name} does not say in the database what was sealed for the log"
        elif not in_the_log(leaf, log):
            yield f"the leaf of {name} is not the one in the log"


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


def all_alterations(store: DatabaseStore, log: LedgerReader) -> Iterator[str]:
    """The same of every case of the database, and of every other leaf that it has.

    Parameters
    ----------
    store : DatabaseStore
    log : LedgerReader
        The log has been checked against its checkpoint (`LedgerReader.check_all`).

    Yields
    ------
    str
    """
    entries = enumerate(log.entries())
    for place, name, leaf in store.logged_leaves():
        at, entry = next(entries, (None, b""))
        while at is not None and at < place:
            at, entry = next(entries, (None, b""))
        if at is None:
            return  # the log is shorter, which is told by itself
        if entry != leaf:
            yield f"leaf {place} of the log is not the one that the database has of {name}"
    for case_id, group in groupby(store.all_events(), key=lambda event: event.case_id):
        events = tuple(group)
        leaves = {leaf.leaf_id: leaf for leaf in store.leaves(case_id=case_id)}
        yield from _differences(events, leaves, log)
        if leaf_name(case_id, len(events) + 1) in leaves and len(store.events(case_id)) == len(events):
            yield f"event {len(events) + 1} of case {case_id} is in the log, and not in the database"


def _is_of(leaf: StoredLeaf, event: CaseEvent) -> bool:
    """Whether a leaf was sealed for just this event, and its disclosures are what it was sealed over."""
    try:
        sealed = read(leaf.leaf)
    except BadLeaf:
        return False
    if (sealed.kind, sealed.subject, sealed.at_ns) != ("case", f"{event.case_id}/{event.number}", event.at_ns):
        return False
    opened = {one.name: one.value for one in leaf.disclosures if digest(one) == sealed.digests.get(one.name)}
    wanted = sealed_fields(event)
    if opened.keys() != wanted.keys() or opened.keys() != sealed.digests.keys():
        return False
    content = opened.pop("content")
    expected = plain(wanted.pop("content"), "content")
    return opened == wanted and (content == expected or _reads_as(event, content, expected))


def _reads_as(event: CaseEvent, content: object, expected: object) -> bool:
    """Whether an act that was sealed before a field of it was there reads as the event does today."""
    if not isinstance(content, dict):
        return False
    try:
        return plain(act_to_json(act_from_json(event.act.NAME, content)), "content") == expected
    except ValueError:
        return False
