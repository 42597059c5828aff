"""What the casework asks of a store: the contract, beside its user. `headframe.stores.database` meets it.

Durable
    When `CaseStore.writing` ends without an exception, everything written in it survives a crash of the program and of
    the machine. When it ends with one, nothing of it is there.
Ordered
    Events of a case are numbered from 1 without gaps. Two writers who both add number 7 cannot both succeed: the later
    one gets `StaleCase`, reads again, and decides again.
Immutable
    An event, a leaf and a kept document never change. What is wrong is corrected by a later event. What has to go is
    erased by retention: its salt and value are destroyed, its digest stays.
Logged
    Every event is written together with its leaf (`PendingLeaf`). The casework acknowledges an act only after the
    ledger has taken the leaf. A crash in between leaves the leaf pending; whoever opens the workspace next hands it to
    the ledger before anything else. A leaf bears a mark that the database alone cannot make; without it the
    ledger does not get it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from headframe.errors import HeadframeError
from headframe.records.case import (
    Account,
    Case,
    CaseEvent,
    FindingRef,
    KeptDocument,
    RegisterEntry,
    Stage,
)
from headframe.records.lawful import Contact, LawfulEntry
from headframe.records.policy import Clock, PartyStanding
from headframe.records.site import Assignment, Organisation, Site


class StaleCase(HeadframeError):
    """Somebody else was faster: the case has an event that the act was not decided on. Read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The salt and value behind one digest of a leaf (docs/ledger-format.md). Erasing it keeps the log whole."""

    name: str
    salt: bytes
    value: object
    """Plain JSON value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLeaf:
    """A leaf on its way to the ledger.

    Attributes
    ----------
    leaf_id : str
        Unique: ``case/HF-2026-000001/7``, ``document/SHA256``, ``register/ID/removed``, ``findings/IMPORT``,
        ``access/ID``, ``retention/ID``, ``key/ID``, ``restored/SIZE``.
    leaf : bytes
        Canonical JSON (RFC 8785).
    disclosures : tuple of Disclosure
    data_class : str
        What retention rule its disclosures fall under: ``case``, ``finding``, ``document``, ``contact``, ``access``.
    case_id : str
        Empty where it belongs to no case.
    mark : bytes
        By which the ledger's writer knows it again (`headframe.stores.leaf_marks`); empty where it has none.
    """

    leaf_id: str
    leaf: bytes
    disclosures: tuple[Disclosure, ...]
    data_class: str
    case_id: str = ""
    mark: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLeaf:
    """A leaf that the store knows: its place in the ledger, and which disclosures are left."""

    leaf_id: str
    leaf: bytes
    index: int | None
    """None while it is pending."""
    disclosures: tuple[Disclosure, ...]
    mark: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases a list shows; empty values do not filter."""

    stages: frozenset[Stage] = frozenset()
    pack_id: str = ""
    region: str = ""
    site_kind: str = ""
    standing: PartyStanding | None = None
    site_id: str = ""
    organisation_id: str = ""
    due_before_ns: int | None = None
    text: str = ""
    """Beginning of a case, site or organisation id, or of a site's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One row of a list of cases."""

    case_id: str
    site_id: str
    site_name: str
    organisation_id: str
    organisation_name: str
    region: str
    site_kind: str
    pack_id: str
    stage: Stage
    standing: PartyStanding
    opened_ns: int
    last_ns: int
    version: int
    families: tuple[str, ...]
    next_clock: str
    """Id of the running clock that is due first; empty without one."""
    next_due_ns: int | None
    next_due_basis: str
    on_hold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A page of a list, and where the next one begins."""

    rows: tuple[CaseRow, ...]
    cursor: str
    """Hand it in for the next page; empty on the last."""
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """A finding as the store keeps it: what lists need in columns, the rest as its canonical document.

    `document` follows ``docs/schema-finding.json`` or ``docs/schema-usage-point.json``. `mark` is what the store wrote
    beside it (`headframe.stores.leaf_marks`); empty where an older Headframe did.
    """

    ref: FindingRef
    site_id: str
    coin: str
    import_id: str
    document: Mapping[str, object]
    mark: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingHolder:
    """A case that rests on a finding, or on one of the same site that says as much.

    Attributes
    ----------
    finding_id : str
        The finding that was asked about.
    case_id : str
    version : int
        Of the case: whoever decides on it reads it again where that has changed.
    closed : bool
        Whether the case is closed.
    same : bool
        Whether it rests on that very finding; else it is a closed case, and rests on one of its family, site and
        subject whose time holds more than half of the time of this one, such as an earlier reading of the same
        capture, or of a piece of it.
    """

    finding_id: str
    case_id: str
    version: int
    closed: bool
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFilter:
    """Which findings a list shows; empty values do not filter."""

    site_id: str = ""
    subject: str = ""
    family: str = ""
    detector: str = ""
    from_ns: int | None = None
    until_ns: int | None = None
    case_id: str = ""
    without_case: bool = False
    mining_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPage:
    """A page of findings, the strongest evidence first."""

    rows: tuple[StoredFinding, ...]
    cursor: str
    total: int
    at_least: bool = False
    """Whether there are more than `total`, and counting them would take too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """That somebody read something sensitive, and why."""

    access_id: str
    at_ns: int
    account: str
    what: str
    """``contact C-17``, ``pseudonym #1a2b``, ``bundle HF-2026-000001``."""
    reason: str
    second_account: str = ""
    """Who agreed, where two are needed (re-identification)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteImport:
    """What a registry file holds, ready to be stored."""

    sites: Sequence[Site] = ()
    organisations: Sequence[Organisation] = ()
    assignments: Sequence[Assignment] = ()
    lawful: Sequence[LawfulEntry] = ()
    contacts: Sequence[Contact] = ()
    imported_ns: int | None = None
    """The state that registers are noted with; the time of the import where None. [ns since 1970-01-01 UTC]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccount:
    """An account, the digest of its token, and whether it may still act."""

    account: Account
    token_sha256: str
    enabled: bool = True


class CaseWriter(Protocol):
    """One transaction. Nothing of it is seen by others before it ends well."""

    def next_case_number(self, year: int) -> int:
        """The next free number of a year, from 1; taken with the transaction."""
        ...

    def append(self, events: Sequence[CaseEvent], case: Case, clocks: Sequence[Clock]) -> None:
        """Add events of one case, and what lists show of it; `StaleCase` if their first number is taken."""
        ...

    def log(self, leaf: PendingLeaf) -> None:
        """Write a leaf that the ledger is to take."""
        ...

    def keep_document(self, document: KeptDocument, case_id: str) -> None:
        """Note a document of a case; its bytes are in the document store, under its digest."""
        ...

    def enter_register(self, entry: RegisterEntry) -> None:
        """Add or replace an entry of the register of decisions."""
        ...

    def import_sites(self, table: SiteImport) -> None:
        """Add or replace sites, organisations, assignments, lawful entries and contacts by their ids."""
        ...

    def import_findings(self, findings: Iterable[StoredFinding]) -> int:
        """Add findings that are not there yet (by `finding_id`); gives how many were new."""
        ...

    def note_import(self, import_id: str, realm: str, *, registry_only: bool) -> None:
        """Note how the sites of an import's findings were found: in which network, and by the registry alone or not."""
        ...

    def assign_findings(self, changes: Iterable[tuple[str, str, str]]) -> int:
        """Give findings (id, site that it was, site that it is now) to other sites; those in cases stay."""
        ...

    def put_account(self, account: StoredAccount) -> None:
        """Add or replace an account."""
        ...

    def note_access(self, entry: AccessEntry) -> None:
        """Note a read of sensitive data."""
        ...

    def purge_contacts(self, contact_ids: Sequence[str]) -> None:
        """Delete contacts; their sealed addresses and keys are gone when this is committed."""
        ...


class CaseStore(Protocol):
    """Where cases, findings, sites and leaves are."""

    def writing(self) -> AbstractContextManager[CaseWriter]:
        """A transaction: all of it or nothing."""
        ...

    def events(self, case_id: str) -> tuple[CaseEvent, ...]:
        """All events of a case in order; empty where there is no such case."""
        ...

    def cases(self, wanted: CaseFilter, *, cursor: str = "", limit: int = 50) -> CasePage:
        """A page of cases: those with a clock first, the soonest due first, then the latest."""
        ...

    def findings(self, wanted: FindingFilter, *, cursor: str = "", limit: int = 50) -> FindingPage:
        """A page of findings."""
        ...

    def finding(self, finding_id: str) -> StoredFinding | None:
        """One finding."""
        ...

    def linking(self, case_id: str, organisation_id: str) -> tuple[str, ...]:
        """Cases of an organisation that were linked to a case."""
        ...

    def holders(self, findings: Sequence[StoredFinding]) -> tuple[FindingHolder, ...]:
        """Every case that rests on one of some findings, or on one that says as much."""
        ...

    def all_events(self) -> Iterator[CaseEvent]:
        """Every event of every case, by case and number; streamed."""
        ...

    def site(self, site_id: str) -> Site | None:
        """One site."""
        ...

    def organisation(self, organisation_id: str) -> Organisation | None:
        """One organisation."""
        ...

    def assignments(self, site_id: str) -> tuple[Assignment, ...]:
        """What belongs to a site, and when."""
        ...

    def lawful_of(self, *, site_id: str, organisation_id: str, usage_points: Sequence[str]) -> tuple[LawfulEntry, ...]:
        """Every entry of a register that names the site, its organisation or one of its usage points."""
        ...

    def registers(self) -> Mapping[str, int]:
        """Each register of lawful mining, with the time of its last import. [ns since 1970-01-01 UTC]"""
        ...

    def contacts(self, *, site_id: str = "", organisation_id: str = "") -> tuple[Contact, ...]:
        """Sealed contacts of a site or an organisation."""
        ...

    def documents(self, case_id: str) -> tuple[KeptDocument, ...]:
        """Documents of a case, in order of time."""
        ...

    def register(
        self, *, organisation_id: str = "", site_id: str = "", text: str = "", limit: int | None = 1_000
    ) -> tuple[RegisterEntry, ...]:
        """Entries of the register of decisions, removed ones without their content; at most so many."""
        ...

    def account(self, name: str) -> StoredAccount | None:
        """One account."""
        ...

    def accounts(self) -> tuple[StoredAccount, ...]:
        """All accounts by name."""
        ...

    def leaves(self, *, case_id: str = "", leaf_ids: Sequence[str] = (), beginning: str = "") -> tuple[StoredLeaf, ...]:
        """Leaves of a case, or by id or the beginning of it, in the order of the ledger."""
        ...

    def pending_leaves(self, limit: int = 1_000, *, after: str = "") -> tuple[PendingLeaf, ...]:
        """Leaves that the ledger has not taken yet, the oldest first; if one is named, what was written after it."""
        ...

    def last_place(self) -> int | None:
        """The largest place in the ledger that a leaf has got; None where none has any."""
        ...

    def mark_logged(self, places: Mapping[str, int]) -> None:
        """Note which place in the ledger each leaf has got; asked twice with the same, it does nothing."""
        ...
