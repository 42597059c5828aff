"""Accounts and entries of the register after the database was put back from an older copy: they are what it says again.

Only what the log has said of them once counts: the older copy has the leaf that said so. What somebody wrote into it is
no older state, and stays refused. What came after the copy, and is not in it any more, is done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headframe.casework.accounts import altered, row_of
from headframe.casework.held_tables import restored_registers
from headframe.casework.last_states import Sealed, as_sealed_once
from headframe.casework.register import state_leaf
from headframe.stores.database.rows import row_of_register_entry

if TYPE_CHECKING:
    from headframe.cases.store import PendingLeaf
    from headframe.casework.core import Casework
    from headframe.records.case import Account


def restored_rows(casework: Casework, by: Account) -> Iterator[PendingLeaf]:
    """Leaves that seal what an older copy says of accounts and entries that the log knows otherwise."""
    store, states, now = casework.store, casework.states, casework.now_ns()
    what = "as in an older copy"
    for name in sorted({one.account.name for one in store.accounts()} | set(states.last(Sealed.ACCOUNT))):
        stored = store.account(name)
        if altered(store, states, name, stored) is None:
            continue
        if stored is None or as_sealed_once(store, states, Sealed.ACCOUNT, name, row_of(stored)):
            yield casework.account_leaf(what, by.name, name, stored)
    entries = {one.entry_id: one for one in store.register(limit=None)}
    for entry_id, last in sorted(states.last(Sealed.REGISTER).items()):
        entry = entries.get(entry_id)
        row = None if entry is None else row_of_register_entry(entry)
        if states.says(last, Sealed.REGISTER, entry_id, row):
            continue
        if row is None or as_sealed_once(store, states, Sealed.REGISTER, entry_id, row):
            yield state_leaf(casework, entry_id, entry, now)
    yield from restored_registers(casework, now)
