"""How long what is kept: rules, what they are about, and the certificate that something was destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headframe.records.policy import Basis


class DataClass(StrEnum):
    """Kinds of data with a period of their own. The comments say from when it counts."""

    FINDING = "finding"
    """From its end; of a case, from the closure of the last case that rests on it."""
    READING = "reading"
    """Readings of meters and extracts of captures: from their end, or from that closure."""
    DOCUMENT = "document"
    """From the closure of its case."""
    PHOTO = "photo"
    """From the closure of its case."""
    CONTACT = "contact"
    """From the closure of the last case that needed it."""
    CASE = "case"
    """What the events of a case say: from its closure."""
    ACCESS = "access"
    """From the access; of a case, from its closure."""
    PSEUDONYM_KEY = "pseudonym_key"
    """From the end of its epoch."""
    REPORT = "report"
    """Reports of a period and certificates of destruction: from their writing."""
    DRAFT = "draft"
    """Files that nothing names, such as a paper of an act that was refused: from the day when they were kept."""
    REGISTER = "register"
    """What an entry of the register of decisions says: from its expiry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """How long data of one class is kept.

    Attributes
    ----------
    data_class : DataClass
    days : int
        0: it goes at once when its time begins to count. [days]
    basis : Basis
    source : str
        Who says so: ``Headframe``, or the pack, its version and its field.
    ref : str
        Instrument and place in it; empty where no text says so.
    pack_id : str
        The pack whose cases it is for; empty for all that have no rule of their own.
    pack_digest : str
        SHA-256 of the text that those cases were opened under; empty where it is for every text of that pack.
    """

    data_class: DataClass
    days: int
    basis: Basis
    source: str
    ref: str = ""
    pack_id: str = ""
    pack_digest: str = ""

    @property
    def pack(self) -> str:
        """The pack and its text, as items name it: `pack_name`."""
        return pack_name(self.pack_id, self.pack_digest)


def pack_name(pack_id: str, digest: str) -> str:
    """A pack in a certain text: ``cn-bj-2024@9f86…``; the id alone where the text does not matter."""
    return f"{pack_id}@{digest}" if digest else pack_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainedItem:
    """Something that is kept, as far as a rule needs to know it.

    Attributes
    ----------
    item_id : str
        In its store: finding id, digest of a document, contact id, case id, access id, epoch.
    data_class : DataClass
    from_ns : int or None
        From when its period counts (`DataClass`); None while it does not: a case that needs it is open.
        [ns since 1970-01-01 UTC]
    sha256 : str
        Of what would be destroyed, in hex.
    case_ids : tuple of str
        Every case that rests on it.
    pack_ids : tuple of str
        The packs of those cases, as `pack_name` has them. The longest of their periods counts.
    waits : str
        Why its period does not count, where that is not because a case is open.
    """

    item_id: str
    data_class: DataClass
    from_ns: int | None
    sha256: str
    case_ids: tuple[str, ...] = ()
    pack_ids: tuple[str, ...] = ()
    waits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """An order that what belongs to a case, or everything, is kept whatever the rules say.

    `case_id` is empty for everything.
    """

    case_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingItem:
    """Something whose period is over.

    Attributes
    ----------
    item : RetainedItem
    rule : RetentionRule
    due_ns : int
        Since when it may go. [ns since 1970-01-01 UTC]
    """

    item: RetainedItem
    rule: RetentionRule
    due_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StayingItem:
    """Something that stays, and why.

    Attributes
    ----------
    item : RetainedItem
    why : str
        In words.
    rule : RetentionRule or None
        None where none applies.
    due_ns : int or None
        When it will go; None where that is not known. [ns since 1970-01-01 UTC]
    held : bool
        Whether it would go, were it not for a legal hold.
    """

    item: RetainedItem
    why: str
    rule: RetentionRule | None = None
    due_ns: int | None = None
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPlan:
    """What goes and what stays at an instant. A plan destroys nothing: two accounts do."""

    now_ns: int
    goes: tuple[GoingItem, ...]
    stays: tuple[StayingItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyedClass:
    """What of one class was destroyed under one rule.

    Attributes
    ----------
    rule : RetentionRule
    count : int
    digests : tuple of str
        SHA-256 of each, in hex, ascending: whoever has a copy can see that it is meant, and nobody else learns what it
        was.
    """

    rule: RetentionRule
    count: int
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DestructionCertificate:
    """That data was destroyed: what class, how many, which, under which rule, by which accounts.

    Attributes
    ----------
    certificate_id : str
    at_ns : int
        [ns since 1970-01-01 UTC]
    classes : tuple of DestroyedClass
    proposer, approver : str
        Two different accounts.
    held : int
        How many items stayed because of a legal hold.
    failed : tuple of str
        Items that should have gone and could not be destroyed, each with the reason.
    in_files : str
        Why the files of the database may still hold what was destroyed; empty where they do not. The log does not say
        it: it has the certificate from before the files were written anew.
    """

    certificate_id: str
    at_ns: int
    classes: tuple[DestroyedClass, ...]
    proposer: str
    approver: str
    held: int = 0
    failed: tuple[str, ...] = ()
    in_files: str = ""

    @property
    def count(self) -> int:
        """How many items were destroyed."""
        return sum(one.count for one in self.classes)
