"""Keys of a workspace: how they stand, the rotation of the master key, what no contact needs, and re-identification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from headframe.casework.accounts import require_duty
from headframe.casework.sites import sealer_of
from headframe.records.case import Account, Duty

if TYPE_CHECKING:
    from headframe.casework.core import Casework
    from headframe.stores.pseudonym_keys import Epoch, PseudonymKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """How the keys of a workspace stand.

    Attributes
    ----------
    contacts : int
        Keys of sealed addresses.
    orphans : int
        Of these, keys that no contact has.
    epochs : tuple of Epoch
        Epochs whose pseudonyms can still be asked for.
    """

    contacts: int
    orphans: int
    epochs: tuple[Epoch, ...]


def pseudonyms_of(casework: Casework) -> PseudonymKeys:
    """The pseudonyms of a workspace."""
    from headframe.stores.key_files import Keyring
    from headframe.stores.pseudonym_keys import PseudonymKeys

    return PseudonymKeys(Keyring(casework.paths.keys))


def status(casework: Casework) -> KeyStatus:
    """How the keys of a workspace stand."""
    sealer = sealer_of(casework)
    return KeyStatus(
        contacts=sum(1 for _ in sealer.keys.names("contacts")),
        orphans=len(sealer.orphans(_key_ids(casework))),
        epochs=pseudonyms_of(casework).epochs(),
    )


def rotate(casework: Casework, account: Account) -> int:
    """Make a new master key, wrap every key with it, and destroy the old one; gives how many were wrapped anew.

    Raises
    ------
    NotAllowed
        If the account is no administrator.
    HeadframeError
        If there is no key yet, or one does not open. The next call goes on.
    """
    require_duty(account, Duty.ADMINISTER, "changing the master key")
    wrapped = sealer_of(casework).keys.rotate()
    _log(casework, "rotated", {"what": "master key rotated", "account": account.name, "keys": wrapped})
    return wrapped


def tidy(casework: Casework, account: Account) -> int:
    """Destroy keys of addresses that no contact has: of imports that were cut off, and of contacts replaced since.

    No import may run meanwhile: its keys are on the disk before its contacts are in the database.

    Raises
    ------
    NotAllowed
        If the account is no administrator.
    """
    require_duty(account, Duty.ADMINISTER, "destroying keys")
    sealer = sealer_of(casework)
    gone = sealer.erase(sealer.orphans(_key_ids(casework)))
    if gone:
        _log(
            casework, "tidied", {"what": "keys without a contact destroyed", "account": account.name, "keys": len(gone)}
        )
    return len(gone)


def reidentify(casework: Casework, account: Account, second: Account, pseudonym: str, reason: str) -> str | None:
    """Which address or usage point of the workspace a pseudonym stood for; None where it is none of them.

    Both accounts and the reason are in the access log and in the ledger before the key is touched.

    Raises
    ------
    NotAllowed
        If the first account may not screen, or the second may not decide.
    NoReason
        If the reason is empty, or both accounts are one.
    KeyGone
        If the key of its epoch was destroyed.
    ValueError
        If it is no pseudonym.
    """
    require_duty(account, Duty.SCREEN, "re-identification")
    require_duty(second, Duty.DECIDE, "agreeing to a re-identification")

    addresses: list[str] = []
    points: list[str] = []
    for subject in _subjects(casework):
        try:
            ip_address(subject)
        except ValueError:
            points.append(subject)
        else:
            addresses.append(subject)
    return pseudonyms_of(casework).reidentify(
        pseudonym,
        {"address": addresses, "usage_point": points},
        reason=reason,
        account=account.name,
        second_account=second.name,
        at_ns=casework.now_ns(),
        note=casework.note_access,
    )


def _log(casework: Casework, what: str, fields: dict[str, object]) -> None:
    now_ns = casework.now_ns()
    with casework.store.writing() as writer:
        leaf_id = casework.free_leaf_id(f"key/{what}-{now_ns}")
        name = leaf_id.removeprefix("key/")
        writer.log(casework.sealed(leaf_id, "key", name, now_ns, fields, data_class="access"))
    casework.hand_over()


def _key_ids(casework: Casework) -> frozenset[str]:
    from sqlalchemy import select

    from headframe.stores.database.tables import CONTACTS

    with casework.store.engine.connect() as db:
        return frozenset(db.scalars(select(CONTACTS.c.key_id)))


def _subjects(casework: Casework) -> Iterator[str]:
    """Every address and usage point that a finding or the registry names."""
    from sqlalchemy import select, union

    from headframe.stores.database.tables import ASSIGNMENTS, FINDINGS

    wanted = union(
        select(FINDINGS.c.subject),
        select(ASSIGNMENTS.c.value).where(ASSIGNMENTS.c.kind.in_(("address", "usage_point"))),
    )
    with casework.store.engine.connect() as db:
        for subject in db.execution_options(yield_per=5_000).scalars(wanted):
            # The registry writes an address as a prefix of full length.
            address, slash, length = subject.partition("/")
            yield address if slash and length in ("32", "128") else subject
