"""Pseudonyms that change: a new key every so many days, and re-identification only by two, with a reason.

Screening runs on pseudonyms of addresses and usage points. Within one epoch the same identity has the same pseudonym,
so that its findings meet; in the next it has another, so that no profile grows over the years without somebody asking
for it. A pseudonym names its epoch: ``#2026-11-03+30.1a2b3c4d5e6f7a8b`` is of the 30 days from 2026-11-03 (UTC).

It is HMAC-SHA-256 of the identity under the epoch's key [1]_, cut to 64 bits. It cannot be turned round; whoever asks
who stood behind it hands in the identities that come into question (those of the registry), and the key says which one
it was. That is re-identification: two different accounts, a reason, and an entry in the access log before the key is
touched. When an epoch's key is destroyed, nobody can ask any more.

References
----------
.. [1] RFC 2104, "HMAC: Keyed-Hashing for Message Authentication".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from headframe.errors import HeadframeError
from headframe.records.retention import DataClass, RetainedItem
from headframe.stores.key_files import KeyGone, Keyring
from headframe.stores.sealing import NoReason, NoteAccess, access_entry

KIND = "pseudonyms"
EPOCH_DAYS = 30
"""A month of screening on one pseudonym. Ours; no text says so. [days]"""
_HEX = 16
"""64 bits: among a million identities two share a pseudonym with a chance of 3e-8."""
_DAY_NS = 86_400_000_000_000
_FIRST = date(1970, 1, 1)
_FORM = re.compile(rf"#(\d{{4}}-\d{{2}}-\d{{2}}\+[1-9]\d{{0,4}})\.([0-9a-f]{{{_HEX}}})\Z", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Epoch:
    """A stretch of days with one key. [days since 1970-01-01 UTC]"""

    first_day: int
    days: int

    def __str__(self) -> str:
        """Give ``2026-11-03+30``."""
        return f"{_FIRST + timedelta(days=self.first_day)}+{self.days}"

    @property
    def until_ns(self) -> int:
        """When it ends. [ns since 1970-01-01 UTC]"""
        return (self.first_day + self.days) * _DAY_NS


def epoch_of(at_ns: int, days: int = EPOCH_DAYS) -> Epoch:
    """The epoch of an instant.

    Examples
    --------
    >>> str(epoch_of(1_793_664_000_000_000_000))
    '2026-11-03+30'
    """
    if not 1 <= days <= 36_600:
        raise ValueError(f"an epoch of {days} days; expected 1 to 36600")
    return Epoch(at_ns // _DAY_NS // days * days, days)


def read_epoch(text: str) -> Epoch:
    """The epoch that a key or a pseudonym names: ``2026-11-03+30``."""
    start, _, days = text.partition("+")
    return Epoch((datetime.fromisoformat(start).replace(tzinfo=UTC).date() - _FIRST).days, int(days))


class PseudonymKeys:
    """Pseudonyms of a workspace.

    Parameters
    ----------
    keys : Keyring
    days : int
        Length of an epoch. Changing it begins new epochs; pseudonyms of old ones stay what they are. [days]
    """

    def __init__(self, keys: Keyring, days: int = EPOCH_DAYS) -> None:
        self.keys = keys
        self.days = days
        self._latest: tuple[str, bytes] = ("", b"")

    def pseudonym(self, kind: str, identity: str, now_ns: int) -> str:
        """The pseudonym of an identity in the epoch of today, whose key is made if it is the first.

        Parameters
        ----------
        kind : str
            What the identity is: ``address``, ``usage_point``. The same text of another kind has another pseudonym.
        identity : str
        now_ns : int
            [ns since 1970-01-01 UTC]

        Returns
        -------
        str

        Raises
        ------
        KeyGone
            If the key of this epoch was destroyed: the system clock went back.
        """
        epoch = epoch_of(now_ns, self.days)
        name = str(epoch)
        if self._latest[0] != name:  # a million identities, and one look into the folder
            try:
                self._latest = (name, self.keys.make(KIND, name))
            except FileExistsError:
                self._latest = (name, self.keys.key(KIND, name))
        return _pseudonym(self._latest[1], name, kind, identity)

    def epochs(self) -> tuple[Epoch, ...]:
        """Epochs whose key is there, in order."""
        return tuple(sorted(read_epoch(name) for name in self.keys.names(KIND)))

    def retained(self) -> tuple[RetainedItem, ...]:
        """The keys as retention sees them: each counts from the end of its epoch."""
        return tuple(
            RetainedItem(
                item_id=str(epoch),
                data_class=DataClass.PSEUDONYM_KEY,
                from_ns=epoch.until_ns,
                # Not of the key: a certificate must not help anybody to try keys out.
                sha256=hashlib.sha256(f"headframe epoch {epoch}".encode()).hexdigest(),
            )
            for epoch in self.epochs()
        )

    def destroy(self, epoch: Epoch, now_ns: int) -> bool:
        """Destroy the key of an epoch that is over: its pseudonyms stay apart from everybody for good.

        Returns
        -------
        bool
            False where it was gone already.

        Raises
        ------
        HeadframeError
            If the epoch is not over.
        """
        if now_ns < epoch.until_ns:
            raise HeadframeError(f"the epoch {epoch} is not over; its key is still needed")
        return self.keys.destroy(KIND, str(epoch), for_ever=True)

    def reidentify(
        self,
        pseudonym: str,
        candidates: Mapping[str, Iterable[str]],
        *,
        reason: str,
        account: str,
        second_account: str,
        at_ns: int,
        note: NoteAccess,
    ) -> str | None:
        """Which of the candidates a pseudonym stood for.

        Parameters
        ----------
        pseudonym : str
        candidates : mapping of str to iterable of str
            By kind, the identities that come into question: those of the registry, not every address there is.
        reason : str
        account, second_account : str
            Who asks, and who agreed: two different ones.
        at_ns : int
            [ns since 1970-01-01 UTC]
        note : callable
            Gets the access before the key is touched, also where nothing is found.

        Returns
        -------
        str or None
            None where it is none of them.

        Raises
        ------
        NoReason
            If the reason or an account is missing, or both accounts are one.
        KeyGone
            If the epoch's key was destroyed.
        ValueError
            If it is no pseudonym of an epoch.
        """
        found = _FORM.match(pseudonym)
        if not found:
            raise ValueError(
                f"{pseudonym[:60]!r} is no pseudonym of an epoch; expected #2026-11-03+30.1a2b3c4d5e6f7a8b"
            )
        if not second_account.strip() or second_account.strip().casefold() == account.strip().casefold():
            raise NoReason(
                f"pseudonym {pseudonym}: re-identification needs two different accounts: who asks, who agrees"
            )
        note(access_entry(f"pseudonym {pseudonym}", reason, account, at_ns, second_account))
        name = found[1]
        try:
            key = self.keys.key(KIND, name)
        except KeyGone:
            raise KeyGone(
                f"the key of the epoch {name} was destroyed when its retention was over, or is another workspace's; "
                "nobody can tell any more what its pseudonyms stood for"
            ) from None
        matches = [
            identity
            for kind, identities in candidates.items()
            for identity in dict.fromkeys(identities)
            if hmac.compare_digest(_pseudonym(key, name, kind, identity), pseudonym)
        ]
        if len(matches) > 1:
            raise HeadframeError(f"pseudonym {pseudonym} fits {len(matches)} candidates; it identifies none of them")
        return matches[0] if matches else None


def _pseudonym(key: bytes, epoch: str, kind: str, identity: str) -> str:
    message = f"{kind}\0{identity}".encode()
    return f"#{epoch}.{hmac.new(key, message, hashlib.sha256).hexdigest()[:_HEX]}"
