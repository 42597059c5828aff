"""The log's key is replaced: both keys sign for a time, then the old one stops. Each step is a leaf.

1. `begin_key_change`: a new key is made and written beside the old one; from then on every checkpoint bears both
   signatures. A leaf that both have signed over names the new key: who trusts the old one learns of it from the log.
2. The unit publishes the new public key. Readers, auditors and witnesses take their time.
3. `end_key_change`: the old key signs no more, and is destroyed.

**What a crash leaves behind.** The key file always holds a key that signed the checkpoint: it is written before the
first checkpoint that needs the new key, and loses the old key after the last checkpoint that needed it.
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
    old = read_keys(casework.paths.ledger_key)
    if len(old) > 1:
        raise HeadframeError(
            "the log's key is being changed already: both keys sign. End that first (headframe log end-key-change)"
        )
    new = new_key(old[0].name)
    write_keys(casework.paths.ledger_key, [*old, new])
    casework.ledger.sign_again([*old, new])
    _log(casework, account, "both sign from now on", old[0], new, reason)
    return new.verifier


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
    # The leaf comes first: it is the last thing that both have signed over.
    _log(casework, account, "the old key signs no more", keys[0], keys[-1], reason)
    casework.ledger.sign_again([keys[-1]])
    write_keys(casework.paths.ledger_key, [keys[-1]])
    return keys[-1].verifier


def _log(casework: Casework, account: Account, what: str, old: Signer, new: Signer, reason: str) -> None:
    now = casework.now_ns()
    with casework.store.writing() as writer:
        writer.log(
            casework.sealed(
                f"key/{new.verifier.key_id.hex()}/{now}",
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
