"""The log's key is replaced: both keys sign for a time, then the old one stops. Each step is a leaf.

1. `begin_key_change`: a new key is made and written beside the old one; from then on every checkpoint bears both
   signatures. A leaf that both have signed over names the new key: who trusts the old one learns of it from the log.
2. The unit publishes the new public key. Readers, auditors and witnesses take their time.
3. `end_key_change`: the old key signs no more, and is destroyed.

**What a crash leaves behind.** The key file always holds a key that signed the checkpoint: it is written before the
first checkpoint that needs the new key, and loses the old key after the last checkpoint that needed it. A call that was
cut off is repeated: it goes on with the same new key, and writes no leaf twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headframe.casework.accounts import require_duty
from headframe.errors import HeadframeError
from headframe.ledger.note import Signer, Verifier
from headframe.records.case import Account, Duty
from headframe.stores.ledger_keys import new_key, read_keys, write_keys

if TYPE_CHECKING:
    from headframe.casework.core import Casework


def begin_key_change(casework: Casework, account: Account, reason: str) -> Verifier:
    """Make a new key; old and new sign together from now on.

    Parameters
    ----------
    casework : Casework
    account : Account
        Needs `Duty.ADMINISTER`.
    reason : str

    Returns
    -------
    Verifier
        The new public key, to be published.

    Raises
    ------
    HeadframeError
        If a change is under way.
    """
    require_duty(account, Duty.ADMINISTER, "changing the log's key")
    keys = read_keys(casework.paths.ledger_key)
    if len(keys) > 1 and _leaves(casework, keys[-1]):
        raise HeadframeError(
            "the log's key is being changed already: both keys sign. End that first (headframe log end-key-change)"
        )
    if len(keys) == 1:
        keys = (*keys, new_key(keys[0].name))
        write_keys(casework.paths.ledger_key, keys)
    # Else an earlier call died before its leaf: nobody has been told of that key, and it is as good as a new one.
    casework.ledger.sign_again(keys)
    _log(casework, account, "begin", "both sign from now on", keys[0], keys[-1], reason)
    return keys[-1].verifier


def end_key_change(casework: Casework, account: Account, reason: str) -> Verifier:
    """Let the old key go; only the new one signs from now on.

    Returns
    -------
    Verifier
        The key that stays.

    Raises
    ------
    HeadframeError
        If no change is under way.
    """
    require_duty(account, Duty.ADMINISTER, "changing the log's key")
    keys = read_keys(casework.paths.ledger_key)
    if len(keys) < 2:
        raise HeadframeError("the log's key is not being changed; begin with headframe log begin-key-change")
    told = _leaves(casework, keys[-1])
    if not told:
        raise HeadframeError(
            "the log's key is being changed, and that was cut off before the log says so: repeat headframe log "
            "begin-key-change first"
        )
    # The leaf comes first: it is the last thing that both have signed over.
    if len(told) == 1:
        _log(casework, account, "end", "the old key signs no more", keys[0], keys[-1], reason)
    casework.ledger.sign_again([keys[-1]])
    write_keys(casework.paths.ledger_key, [keys[-1]])
    return keys[-1].verifier


def _leaves(casework: Casework, new: Signer) -> list[str]:
    """Leaves about a new key: the first says that it signs, the second that the old one does not any more."""
    from sqlalchemy import select

    from headframe.stores.database.tables import LEAVES

    wanted = select(LEAVES.c.leaf_id).where(LEAVES.c.leaf_id.startswith(_prefix(new), autoescape=True))
    with casework.store.reading() as db:
        return list(db.scalars(wanted.order_by(LEAVES.c.number)))


def _prefix(new: Signer) -> str:
    return f"key/{new.verifier.key_id.hex()}/"


def _log(casework: Casework, account: Account, step: str, what: str, old: Signer, new: Signer, reason: str) -> None:
    now = casework.now_ns()
    with casework.store.writing() as writer:
        writer.log(
            casework.sealed(
                # Named by the step, not the time: both may be of one instant, where a training workspace stands still.
                f"{_prefix(new)}{step}",
                "key",
                new.verifier.text(),
                now,
                {
                    "what": what,
                    "old_key": old.verifier.text(),
                    "new_key": new.verifier.text(),
                    "account": account.name,
                    "reason": reason,
                },
                data_class="access",
            )
        )
    casework.hand_over()
