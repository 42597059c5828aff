"""Delivery addresses that only a reason opens: each sealed with a key of its own, and gone when the key is.

A sealed address is ``HFS1``, 12 random bytes, and AES-256-GCM of the address [1]_. What it belongs to (contact, site,
organisation, role, channel, key) is authenticated with it, so that in the database no address can be put under another
contact. Addresses are filled up to a multiple of 64 bytes: the length tells nothing.

An address is opened for a reason, by an account, and the access is noted before the key is touched: what cannot be
noted is not opened. The keys are files (`headframe.stores.key_files`); destroying one erases the address for good,
also in every copy of the database (crypto-erasure).

References
----------
.. [1] NIST SP 800-38D, "Recommendation for Block Cipher Modes of Operation: Galois/Counter Mode (GCM) and GMAC".
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from headframe.cases.store import AccessEntry
from headframe.errors import HeadframeError, UnreadableInput
from headframe.records.lawful import Contact
from headframe.stores.key_files import KeyGone, Keyring

NoteAccess = Callable[[AccessEntry], None]
"""Writes an access where it cannot be lost, and raises if it cannot: the casework's, with its leaf for the ledger."""

KIND = "contacts"
_MAGIC = b"HFS1"
_NONCE_BYTES = 12
_BLOCK = 64
"""Addresses are filled up to a multiple of it. [bytes]"""


class NoReason(HeadframeError):
    """Somebody wanted to read what is sealed, and did not say why, or not with whom."""


class ContactSealer:
    """Seals and opens delivery addresses.

    Parameters
    ----------
    keys : Keyring
    """

    def __init__(self, keys: Keyring) -> None:
        self.keys = keys

    def seal(self, contact: Contact, address: str) -> Contact:
        """A contact with its address sealed under a new key, which is on the disk when this returns.

        Parameters
        ----------
        contact : Contact
            Its `sealed_address` and `key_id` are replaced. The key that they had is not destroyed: the database may
            not have forgotten it yet (`orphans`).
        address : str

        Returns
        -------
        Contact

        Raises
        ------
        OSError
            If the key cannot be written.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id = secrets.token_hex(16)
        contact = replace(contact, key_id=key_id)
        plain = address.encode()
        plain = len(plain).to_bytes(4, "big") + plain
        plain += bytes(-len(plain) % _BLOCK)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.keys.make(KIND, key_id)).encrypt(nonce, plain, _bound(contact))
        return replace(contact, sealed_address=_MAGIC + nonce + sealed)

    def open_address(self, contact: Contact, *, reason: str, account: str, at_ns: int, note: NoteAccess) -> str:
        """The address of a contact, in clear.

        Parameters
        ----------
        contact : Contact
        reason : str
            Why it is needed: the case, and the letter.
        account : str
            Who reads it.
        at_ns : int
            [ns since 1970-01-01 UTC]
        note : callable
            Gets the access before the key is touched, also where the key turns out to be gone.

        Returns
        -------
        str

        Raises
        ------
        NoReason
            If reason or account is empty.
        KeyGone
            If the key was destroyed.
        UnreadableInput
            If key or address is damaged, or belongs to another contact.
        """
        note(access_entry(f"contact {contact.contact_id}", reason, account, at_ns))
        if not contact.key_id:
            raise KeyGone(f"contact {contact.contact_id} has no key; its address was erased, or never sealed")
        return self._opened(contact)

    def _opened(self, contact: Contact) -> str:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        sealed, head = contact.sealed_address, len(_MAGIC) + _NONCE_BYTES
        if not sealed.startswith(_MAGIC) or len(sealed) < head + _BLOCK:
            raise UnreadableInput(f"the address of contact {contact.contact_id} is damaged; import its table again")
        key = self.keys.key(KIND, contact.key_id)
        try:
            plain = AESGCM(key).decrypt(sealed[len(_MAGIC) : head], sealed[head:], _bound(contact))
        except InvalidTag:
            raise UnreadableInput(
                f"the address of contact {contact.contact_id} was altered, or sealed for another contact; import its "
                "table again"
            ) from None
        return plain[4 : 4 + int.from_bytes(plain[:4], "big")].decode()

    def erase(self, key_ids: Iterable[str]) -> tuple[str, ...]:
        """Destroy keys, and with them the addresses that they sealed, wherever copies of those are.

        Parameters
        ----------
        key_ids : iterable of str
            Of contacts that the database has purged, or is about to.

        Returns
        -------
        tuple of str
            Those that were there. Asked twice, the second call destroys nothing.
        """
        return self.keys.destroy_many(KIND, filter(None, key_ids))

    def orphans(self, known: Collection[str]) -> tuple[str, ...]:
        """Keys that no contact in the database has: of imports that were cut off, and of addresses replaced since.

        Parameters
        ----------
        known : collection of str
            Key ids of all contacts, read from the database while no import runs.

        Returns
        -------
        tuple of str
            For `erase`.
        """
        known = frozenset(known)
        return tuple(sorted(name for name in self.keys.names(KIND) if name not in known))


def _bound(contact: Contact) -> bytes:
    """What an address belongs to, in a form in which no two contacts look alike."""
    return json.dumps(
        [
            "headframe contact 1", contact.contact_id, contact.key_id, contact.site_id, contact.organisation_id,
            contact.role, contact.channel,
        ]
    ).encode()  # fmt: skip


def access_entry(what: str, reason: str, account: str, at_ns: int, second_account: str = "") -> AccessEntry:
    """An entry of the access log.

    Raises
    ------
    NoReason
        If reason or account is empty.
    """
    if not reason.strip():
        raise NoReason(f"{what}: give the reason why it is to be read (--reason); it is kept with the access")
    if not account.strip():
        raise NoReason(f"{what}: an account must read it (--as)")
    return AccessEntry(
        access_id=f"A-{secrets.token_hex(8)}",
        at_ns=at_ns,
        account=account,
        what=what,
        reason=reason.strip(),
        second_account=second_account,
    )
