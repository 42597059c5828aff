"""Accounts of a workspace: a name, a unit, duties, and a token of which only the digest is kept.

A token is 256 random bits, so its SHA-256 can be kept plainly: there is nothing to guess, and slow hashing would
protect nothing. Whoever holds the token file acts as that account; the file is made readable for its holder alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.cases.store import CaseStore, StoredAccount
from headframe.casework.held_to_log import in_the_log
from headframe.casework.last_states import LastStates, Sealed
from headframe.errors import HeadframeError, NotAllowed
from headframe.ledger.leaf import opened, read
from headframe.records.case import Account, Duty

if TYPE_CHECKING:
    from headframe.stores.database.store import DatabaseStore

TOKEN_BYTES = 32
"""256 bits. [bytes]"""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z", re.ASCII)
_MAX_UNIT = 120
_PREFIX = "hf1_"
"""Tells a token from other secrets to whoever finds one, and its version."""


def new_token() -> str:
    """A token that nobody can guess: the prefix and 256 random bits in base64url."""
    return _PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(TOKEN_BYTES)).rstrip(b"=").decode()


def token_digest(token: str) -> str:
    """What is kept of a token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def checked_account(name: str, unit: str, duties: Iterable[Duty]) -> Account:
    """An account with a name and a unit that the store, the ledger and documents can carry.

    Raises
    ------
    HeadframeError
        If the name, the unit or the duties cannot be used.
    """
    if not _NAME.match(name):
        raise HeadframeError(
            f"{name!a} is no name of an account; expected 1 to 64 of a-z, 0-9, '.', '_', '-', beginning with a letter "
            "or a digit, such as grid-inspection-2"
        )
    unit = unit.strip()
    if not unit or len(unit) > _MAX_UNIT or not unit.isprintable():
        raise HeadframeError(f"{unit!a} is no unit; expected its name or its id in the pack, such as bj-drc")
    kinds = frozenset(duties)
    if not kinds:
        raise HeadframeError(f"account {name} has no duty; name one at least of {', '.join(Duty)}")
    if Duty.ADMINISTER in kinds and len(kinds) > 1:
        raise HeadframeError(
            "an administrator acts on no case: whoever gives out accounts could otherwise be all four eyes. "
            "Make a second account for the other duties"
        )
    return Account(name=name, unit=unit, duties=kinds)


def write_token(token: str, path: Path) -> None:
    """Write a token to a new file that only its holder can read (mode 600).

    Raises
    ------
    HeadframeError
        If the file is there already, or cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise HeadframeError(
            f"{path} is there already, and a token never replaces a file; choose another name for the new one"
        ) from None
    except OSError as fault:
        raise HeadframeError(f"{path}: the token cannot be written there: {fault.strerror}") from fault
    with os.fdopen(handle, "w") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_token(path: Path) -> str:
    """The token of a file.

    Raises
    ------
    NotAllowed
        If the file cannot be read, holds no token, or others may read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(200)
    except OSError as fault:
        raise NotAllowed(f"{path}: the token cannot be read: {fault.strerror}") from fault
    if mode & 0o077:
        raise NotAllowed(f"{path} can be read by others, so its token may be known; chmod 600 {path}")
    token = text.strip().decode("ascii", "replace")
    if not token.startswith(_PREFIX):
        raise NotAllowed(f"{path} holds no token of Headframe; expected one line that begins with {_PREFIX}")
    return token


def acting(store: CaseStore, name: str, token: str) -> Account:
    """The account that a name and its token give, or a refusal.

    Raises
    ------
    NotAllowed
        The words are the same for a name that is not known and for a wrong token: nobody learns names by asking.
    """
    stored = store.account(name)
    wanted = stored.token_sha256 if stored is not None else "0" * 64
    if not hmac.compare_digest(wanted, token_digest(token)) or stored is None:
        raise NotAllowed(f"account {name!a} and the token do not belong together; nothing was done")
    if not stored.enabled:
        raise NotAllowed(f"account {name} is disabled; an administrator can tell why")
    return stored.account


def row_of(one: StoredAccount) -> dict[str, object]:
    """What is sealed of an account, beside its name."""
    account = one.account
    return {
        "unit": account.unit,
        "duties": sorted(duty.value for duty in account.duties),
        "enabled": one.enabled,
        "token_sha256": one.token_sha256,
    }


def altered(store: CaseStore, states: LastStates, name: str, stored: StoredAccount | None) -> str | None:
    """In what the database says something else of an account than the log; None where it does not.

    Parameters
    ----------
    store : CaseStore
    states : LastStates
    name : str
    stored : StoredAccount or None
        What the database says of it.
    """
    last = states.last(Sealed.ACCOUNT).get(name)
    if stored is None:
        gone = last is None or states.says(last, Sealed.ACCOUNT, name, None)
        return None if gone else f"account {name} is in the log, and not in the database"
    if last is None:
        right = _as_older_leaves_say(store, states, stored)
    else:
        right = states.says(last, Sealed.ACCOUNT, name, row_of(stored))
    if right:
        return None
    return (
        f"the database does not say of account {name} (its unit, its duties, its token, or whether it may act) what "
        "was sealed for the log"
    )


def altered_accounts(store: DatabaseStore, states: LastStates) -> Iterator[str]:
    """In what the accounts of the database differ from the log; each a sentence without its full stop."""
    names = {one.account.name for one in store.accounts()} | set(states.last(Sealed.ACCOUNT))
    for name in sorted(names):
        told = altered(store, states, name, store.account(name))
        if told is not None:
            # One may have been changed while this was read.
            states.log.refresh()
            told = altered(store, states, name, store.account(name))
        if told is not None:
            yield told


def with_older_leaves(store: DatabaseStore, states: LastStates) -> list[str]:
    """Accounts of which the log does not say yet which token is theirs."""
    sealed = states.last(Sealed.ACCOUNT)
    return [one.account.name for one in store.accounts() if one.enabled and one.account.name not in sealed]


def _as_older_leaves_say(store: CaseStore, states: LastStates, stored: StoredAccount) -> bool:
    """Whether the leaves say so that were sealed before those with a state; they say nothing of the token."""
    enabled, last = True, None
    for told in _leaves_of(store, states, stored.account.name):
        last = told
        enabled = {"disabled": False, "enabled": True}.get(str(told.get("what")), enabled)
    return last is not None and enabled == stored.enabled and _is_of(stored, last)


def was_made_so(store: CaseStore, states: LastStates, stored: StoredAccount) -> bool:
    """Whether an account was made with the unit and the duties that the database says; they never change."""
    return any(_is_of(stored, told) for told in _leaves_of(store, states, stored.account.name))


def _leaves_of(store: CaseStore, states: LastStates, name: str) -> Iterator[dict[str, object]]:
    """What the leaves of an account disclose that are in the log, in its order."""
    for leaf in store.leaves(beginning=f"access/account-{name}-"):
        sealed = read(leaf.leaf)
        # Of account "a-1" the names of leaves begin like those of "a".
        if (sealed.kind, sealed.subject) != ("access", f"account {name}"):
            continue
        if leaf.index is not None and in_the_log(leaf, states.log):
            yield opened(sealed, leaf.disclosures)


def _is_of(stored: StoredAccount, told: Mapping[str, object]) -> bool:
    wanted = row_of(stored)
    return (told.get("unit"), told.get("duties")) == (wanted["unit"], wanted["duties"])


def require_duty(account: Account, duty: Duty, what: str) -> None:
    """Refuse an account that lacks a duty.

    Raises
    ------
    NotAllowed
    """
    if duty not in account.duties:
        has = ", ".join(sorted(account.duties))
        raise NotAllowed(f"{what} needs the duty {duty}; account {account.name} has {has}")


def stored(account: Account, token: str, *, enabled: bool = True) -> StoredAccount:
    """The account as the store keeps it."""
    return StoredAccount(account=account, token_sha256=token_digest(token), enabled=enabled)
