"""The database was put back from an older copy: an administrator says so, and the log says what went with it.

Nobody else can tell a copy that is older from a record of which somebody took the end away. So what the log has and the
database has not is refused until somebody stands for it, and stays in the log: a leaf for the whole, which names how
many leaves of the log the database lacks, below which size, and by a digest which ones; and a leaf for each case that
lost events, under the case's number, so that it goes into the case's bundles. What is done on such a case afterwards
has the numbers of the events that were lost, and stands behind that leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from headframe.casework.accounts import require_duty
from headframe.casework.held_to_log import Unknown, compare_leaves
from headframe.casework.logged_cases import Lost
from headframe.casework.restored_rows import restored_rows
from headframe.errors import HeadframeError
from headframe.records.case import Account, Duty

if TYPE_CHECKING:
    from headframe.casework.core import Casework


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What went with an older copy.

    Attributes
    ----------
    leaves : int
        Of the log that the database lacks.
    cases : mapping of str to tuple of int
        Cases that lost events: how many the database has, and how many the log had.
    """

    leaves: int
    cases: Mapping[str, tuple[int, int]]


def say_restored(casework: Casework, account: Account, reason: str) -> Restored:
    """Say that the database was put back from an older copy; what the log has beyond it is refused no more.

    Parameters
    ----------
    casework : Casework
    account : Account
        Needs `Duty.ADMINISTER`.
    reason : str

    Returns
    -------
    Restored

    Raises
    ------
    NotAllowed
        If the account is no administrator.
    HeadframeError
        If the database has all that the log has, or something else than it.
    """
    require_duty(account, Duty.ADMINISTER, "saying that the database was put back from an older copy")
    if not reason.strip():
        raise HeadframeError("say which copy it is, and why it was put back (--reason TEXT); it is logged")
    ledger, store = casework.ledger, casework.store
    logged = casework.held.logged
    logged.catch_up()
    unknown = Unknown()
    # What differs is no older copy; the first of it is told, and log verify tells the rest.
    for told in compare_leaves(store, ledger, unknown):
        raise HeadframeError(f"{told}: an older copy differs from the log in nothing, it only ends before it")
    counts = store.event_counts()
    cases = {}
    for case_id in logged.cases():
        has, had = counts.get(case_id, 0), logged.events(case_id)
        if (has < had and not (has == 0 and store.was_destroyed(case_id))) or logged.twice(case_id):
            cases[case_id] = (has, had)
    size, places = ledger.size, unknown.places
    known = places.count == 0 if logged.lost is None else places.hex() == logged.lost.sha256
    if known and not cases:
        raise HeadframeError("the database has every leaf of the log that it should have; there is nothing to say")
    now = casework.now_ns()
    about = {"account": account.name, "reason": reason}
    # In training, where the clock stands still and a replay begins anew, sizes may come again.
    name = casework.free_leaf_id(f"restored/{size}")
    subject = Lost(size, size, places.count, places.hex()).subject()
    with store.writing() as writer:
        for leaf in restored_rows(casework, account):
            writer.log(leaf)
        writer.log(
            casework.sealed(
                name, "restored", subject, now, {**about, "leaves": places.count, "cases": len(cases)},
                data_class="access",
            )
        )  # fmt: skip
        for number, (case_id, (has, had)) in zip(count(1), sorted(cases.items()), strict=False):
            writer.log(
                casework.sealed(
                    f"{name}/{number}",
                    "restored",
                    f"{case_id}/{has}",
                    now,
                    {**about, "events": has, "lost": had - has},
                    data_class="case",
                    case_id=case_id,
                )
            )
    casework.hand_over()
    return Restored(leaves=places.count, cases=cases)
