"""The register of decisions as the log has it: an entry is read only as it was sealed, or as its case says it.

Each entry's row is sealed when it is entered, when an appeal is noted in it, and when it is removed (`LastStates`), so
that it can be held against the log without replaying its case. Older entries are held against their case.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from headframe.cases.apply import replay
from headframe.cases.question import for_the_register
from headframe.casework.derived import entry_for
from headframe.casework.held_to_log import AlteredRecord, in_the_log
from headframe.casework.last_states import LastStates, Sealed
from headframe.errors import HeadframeError
from headframe.records.case import Case, DecisionOutcome, EnterRegister, ProposeDecision, RegisterEntry
from headframe.stores.database.rows import row_of_register_entry

if TYPE_CHECKING:
    from headframe.cases.store import PendingLeaf
    from headframe.casework.holdings import Holdings
    from headframe.records.policy import Pack
    from headframe.stores.database.store import DatabaseStore


def emptied(entry: RegisterEntry) -> RegisterEntry:
    """What retention leaves of an entry that has expired."""
    return replace(
        entry, organisation_id="", site_id="", outcome=DecisionOutcome.UNDETERMINED, legal_basis=(), appeal="none"
    )


def state_leaf(casework: Holdings, entry_id: str, entry: RegisterEntry | None, now_ns: int) -> PendingLeaf:
    """The leaf that says what an entry is from now on, or that it is not there; it discloses nothing of it."""
    at_ns = casework.states.later(Sealed.REGISTER, entry_id, now_ns)
    leaf = casework.sealed(f"register/{entry_id}/state-{at_ns}", "register", entry_id, at_ns, {}, data_class="case")
    row = None if entry is None else row_of_register_entry(entry)
    rest = None
    if entry is not None and entry.removed_ns is None:
        rest = row_of_register_entry(emptied(entry))
    return casework.sealed_state(leaf, Sealed.REGISTER, entry_id, row, rest)


def right_entries(casework: Holdings, read: Callable[[], Sequence[RegisterEntry]]) -> tuple[RegisterEntry, ...]:
    """Entries as the database gives them, if the log says the same.

    Parameters
    ----------
    casework : Holdings
    read : callable
        Reads them; again, where another program may have changed one just now.

    Raises
    ------
    AlteredRecord
    """
    looks = _Looks(casework.store, casework.states, casework.now_ns(), casework.pack_of)
    told: str | None = None
    for attempt in range(2):
        entries = tuple(read())
        told = next((words for one in entries if (words := looks.altered(one)) is not None), None)
        if told is None:
            return entries
        if not attempt:
            casework.hand_over()
            casework.ledger.refresh()
    raise AlteredRecord(
        f"{told}. The register of decisions shows nothing that it is among before that is mended: the database was "
        "changed by something else than Headframe, or is damaged. Compare all of it (headframe log verify), put the "
        "right one back from a copy, and find out who could write into it"
    )


def altered_entries(store: DatabaseStore, states: LastStates, now_ns: int) -> Iterator[str]:
    """In what the register differs from the log, entry by entry; each a sentence without its full stop."""
    looks = _Looks(store, states, now_ns, None)
    entries = store.register(limit=None)
    for entry in entries:
        if (told := looks.altered(entry)) is not None:
            yield told
    there = {one.entry_id for one in entries}
    for name, last in sorted(states.last(Sealed.REGISTER).items()):
        if name not in there and not states.says(last, Sealed.REGISTER, name, None):
            yield f"entry {name} of the register of decisions is in the log, and not in the database"


class _Looks:
    """Holds entries against the log."""

    def __init__(
        self, store: DatabaseStore, states: LastStates, now_ns: int, pack_of: Callable[[Case], Pack] | None
    ) -> None:
        self.store = store
        self.states = states
        self.now_ns = now_ns
        self.pack_of = pack_of

    def altered(self, entry: RegisterEntry) -> str | None:
        """In what an entry differs; None where it does not."""
        name = f"entry {entry.entry_id} of the register of decisions"
        last = self.states.last(Sealed.REGISTER).get(entry.entry_id)
        if last is None:
            return self._by_older_leaves(name, entry)
        said = self.states.digest(Sealed.REGISTER, entry.entry_id, last.at_ns, row_of_register_entry(entry))
        if hmac.compare_digest(said, last.state):
            return None
        if last.rest and hmac.compare_digest(said, last.rest) and self._is_over(entry):
            return None
        return f"{name} does not say in the database what was sealed for the log"

    def _is_over(self, entry: RegisterEntry) -> bool:
        return entry.expires_ns is not None and entry.expires_ns <= self.now_ns

    def _by_older_leaves(self, name: str, entry: RegisterEntry) -> str | None:
        """In what an entry that was entered before its state was sealed differs from its case."""
        if entry.removed_ns is not None:
            leaves = self.store.leaves(leaf_ids=[f"register/{entry.entry_id}/removed"])
            if any(in_the_log(leaf, self.states.log) for leaf in leaves):
                return None
            return f"{name} is removed in the database, and no leaf of the log says so"
        events = self.store.events(entry.case_id)
        if not events:
            if self.store.was_destroyed(entry.case_id) and self._has_been(entry.case_id):
                return None
            return f"{name} is of a case {entry.case_id!a} that there is not"
        case = replay(events)
        carried = for_the_register(case)
        if carried is None or carried.number != entry.decision:
            return f"{name} is carried by no final decision of case {entry.case_id}"
        if entry not in self._as_the_case_says(case, entry):
            return f"{name} does not say what case {entry.case_id} says"
        return None

    def _has_been(self, case_id: str) -> bool:
        """Whether the log has leaves of a case."""
        leaves = self.store.leaves(leaf_ids=[f"case/{case_id}/1"])
        return any(leaf.index is not None and in_the_log(leaf, self.states.log) for leaf in leaves)

    def _as_the_case_says(self, case: Case, entry: RegisterEntry) -> list[RegisterEntry]:
        """What an entry may say: its decision as it was or as it was corrected, its appeals with or without a mark."""
        pack = None
        if self.pack_of is not None:
            try:
                pack = self.pack_of(case)
            except HeadframeError:
                pack = None  # its text is lost, and with it only how long an entry stays
        found = []
        for unweighed in (False, True):
            command = EnterRegister(case_id=case.case_id, decision=entry.decision, unweighed=unweighed)
            said = entry_for(case, command, pack, entry.entry_id)
            if pack is None:
                said = replace(said, expires_ns=entry.expires_ns)
            found.append(said)
            sealed = case.events[entry.decision - 1].act
            if isinstance(sealed, ProposeDecision):
                found.append(replace(said, outcome=sealed.outcome, legal_basis=sealed.legal_basis))
        # How an appeal stands is noted in none that has expired, and retention empties it.
        if self._is_over(entry):
            found = [replace(one, appeal=entry.appeal) for one in found] + [emptied(one) for one in found]
        return found
