"""The registry of a workspace: sites, registers of lawful mining, and sealed contacts; read, checked and imported.

An import is one transaction: all of it or nothing. Rows that cannot be used are told and left out; a file that cannot
be read, or that has a place for people, stops the whole import before anything is written. Addresses of contacts are
sealed while their table is read, and nothing else ever sees them.

What a table says is added, or replaces what has the same identifier. What it does not say any more stays as it is and
is told, because a table may be of one district only; it ends where the caller says that the files are the whole
(`whole_sites`, `whole_registers`). Nothing is deleted: the past keeps what was true in it. After an import of sites the
findings that no case rests on are resolved again (`headframe.casework.resolved_again`), as an act of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.cases.store import CaseFilter, SiteImport
from headframe.casework.held_tables import SealedRegisters
from headframe.casework.resolved_again import ResolvedAgain, resolve_again
from headframe.casework.workspace import write_config
from headframe.errors import HeadframeError, UnreadableInput
from headframe.records.assessment import DamagedRow
from headframe.records.case import Account, Case, Stage
from headframe.records.lawful import Contact, LawfulEntry
from headframe.records.site import Assignment, Site
from headframe.sources.registry.contacts import ContactTable, Seal, read_contacts
from headframe.sources.registry.lawful import LawfulTable, read_lawful
from headframe.sources.registry.sites import SiteTable, read_sites

if TYPE_CHECKING:
    from headframe.casework.core import Casework
    from headframe.stores.sealing import ContactSealer

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryTables:
    """What the files of a registry say.

    Attributes
    ----------
    sites : SiteTable
    lawful : LawfulTable
    contacts : ContactTable
    """

    sites: SiteTable
    lawful: LawfulTable
    contacts: ContactTable

    @property
    def remarks(self) -> tuple[str, ...]:
        """What had to be assumed or is not read; without the rows that could not be used."""
        lost = {f"{one.source}: {one.reason}" for one in self.sites.damaged}
        told = [remark for remark in self.sites.remarks if remark not in lost]
        return (*told, *self.lawful.remarks, *self.contacts.remarks)

    @property
    def damaged(self) -> tuple[DamagedRow, ...]:
        """Rows that could not be used, whole or in part."""
        return (*self.sites.damaged, *self.lawful.damaged, *self.contacts.damaged)

    def counts(self) -> list[tuple[str, str, int]]:
        """What there is of each kind: table, kind, number; kinds in order of the alphabet."""
        kinds = {
            "site": Counter(site.kind.value for site in self.sites.sites),
            "assignment": Counter(one.kind.value for one in self.sites.assignments),
            "lawful": Counter(entry.kind.value for entry in self.lawful.entries),
            "contact": Counter(contact.role.value for contact in self.contacts.contacts),
        }
        rows = [(table, kind, n) for table, counted in kinds.items() for kind, n in sorted(counted.items())]
        return [("organisation", "", len(self.sites.organisations)), *rows]


@dataclass(slots=True, kw_only=True)
class ImportedRegistry:
    """What an import did.

    Attributes
    ----------
    tables : RegistryTables
    import_id : str
    remarks : list of str
        Of the tables, and of what they say beside what was stored already.
    ended : int
        Entries of a register that it does not hold any more, and that end today.
    ended_sites, ended_assignments : int
        Sites and assignments that the whole table does not hold any more, and that end.
    findings : ResolvedAgain or None
        What became of findings that no case rests on; None where no table of sites was imported.
    """

    tables: RegistryTables
    import_id: str
    remarks: list[str] = field(default_factory=list)
    ended: int = 0
    ended_sites: int = 0
    ended_assignments: int = 0
    findings: ResolvedAgain | None = None


def read_registry(
    sites: Sequence[Path], lawful: Sequence[Path], contacts: Sequence[Path], *, zone: tzinfo = UTC, seal: Seal
) -> RegistryTables:
    """Read the files of a registry, and refuse those that have a place for people.

    Parameters
    ----------
    sites, lawful, contacts : sequence of Path
    zone : datetime.tzinfo
        For days, and for times without an offset.
    seal : callable
        Seals addresses (`headframe.stores.sealing.ContactSealer.seal`), or forgets them (`forget`).

    Returns
    -------
    RegistryTables

    Raises
    ------
    UnreadableInput
        If a file cannot be read, or has a column that describes people.
    """
    try:
        # Contacts last: no key is made for an import that another file stops.
        return RegistryTables(
            sites=read_sites(sites, zone=zone, refuse_personal=True),
            lawful=read_lawful(lawful, zone),
            contacts=read_contacts(contacts, seal),
        )
    except ValueError as fault:
        raise UnreadableInput(str(fault)) from fault


def forget(contact: Contact, _address: str) -> Contact:
    """Stands in the place of a seal where contacts are only counted: the address goes no further."""
    return contact


def strangers(
    tables: RegistryTables, known_sites: Collection[str] = (), known_organisations: Collection[str] = ()
) -> list[str]:
    """Remarks on lawful entries and contacts that name a site or an organisation nobody knows: mistyped, as a rule.

    Parameters
    ----------
    tables : RegistryTables
    known_sites, known_organisations : collection of str
        Ids that are known beside those in the tables.

    Returns
    -------
    list of str
    """
    sites = {*known_sites, *(site.site_id for site in tables.sites.sites)}
    organisations = {*known_organisations, *(one.organisation_id for one in tables.sites.organisations)}
    remarks = []
    told: tuple[tuple[str, Sequence[LawfulEntry | Contact]], ...] = (
        ("entries of lawful mining", tables.lawful.entries),
        ("contacts", tables.contacts.contacts),
    )
    for what, entries in told:
        of_sites = Counter(entry.site_id for entry in entries)
        of_organisations = Counter(entry.organisation_id for entry in entries)
        unknown = {f"site {one}": n for one, n in of_sites.items() if one and one not in sites}
        unknown |= {f"organisation {one}": n for one, n in of_organisations.items() if one and one not in organisations}
        if unknown:
            names = ", ".join(sorted(unknown)[:_MOST_NAMED]) + (" ..." if len(unknown) > _MOST_NAMED else "")
            remarks.append(
                f"{sum(unknown.values())} {what} name what no table of sites has ({names}); "
                "they are kept, and speak of nobody until one does"
            )
    return remarks


def sealer_of(casework: Casework) -> ContactSealer:
    """What seals and opens the addresses of a workspace."""
    from headframe.stores.key_files import Keyring
    from headframe.stores.sealing import ContactSealer

    return ContactSealer(Keyring(casework.paths.keys))


def import_registry(
    casework: Casework,
    account: Account,
    sites: Sequence[Path] = (),
    lawful: Sequence[Path] = (),
    contacts: Sequence[Path] = (),
    *,
    zone: tzinfo = UTC,
    whole_registers: bool = False,
    whole_sites: bool = False,
    gone_since_ns: int | None = None,
) -> ImportedRegistry:
    """Import the files of a registry into a workspace.

    Parameters
    ----------
    casework : Casework
    account : Account
        Who imports.
    sites, lawful, contacts : sequence of Path
    zone : datetime.tzinfo
        For days, and for times without an offset.
    whole_registers : bool
        Whether the files of lawful mining are the whole of their registers: entries that are stored and not in them
        any more end now. Else they stay, and their number is told.
    whole_sites : bool
        Whether the files of sites are the whole table: sites and assignments that are stored and not in them end.
    gone_since_ns : int or None
        When these ended; now if not given. What began later was never there. [ns since 1970-01-01 UTC]

    Returns
    -------
    ImportedRegistry

    Raises
    ------
    UnreadableInput
        If a file cannot be read, or has a column that describes people. Nothing is imported then.
    HeadframeError
        If the files are said to be the whole, and rows of them cannot be used: what those say would end.
    """
    sealer = sealer_of(casework)
    made: list[str] = []

    def seal(contact: Contact, address: str) -> Contact:
        sealed = sealer.seal(contact, address)
        made.append(sealed.key_id)
        return sealed

    files = [*sites, *lawful, *contacts]
    try:
        with sealer.keys.batch():
            tables = read_registry(sites, lawful, contacts, zone=zone, seal=seal)
        _refuse_half(tables, whole_sites=whole_sites, whole_registers=whole_registers)
        now_ns = casework.now_ns()
        done = ImportedRegistry(
            tables=tables, import_id=_import_id(casework, files, now_ns), remarks=list(tables.remarks)
        )
        store = casework.store
        done.remarks += strangers(tables, *_known_ids(casework, tables))
        vanished = _vanished(casework, tables.lawful, now_ns)
        if vanished and whole_registers:
            done.ended = len(vanished)
        elif vanished:
            done.remarks.append(
                f"{len(vanished)} stored entries of {', '.join(tables.lawful.registers)} are not in the files; they "
                "stay valid. If the files are the whole registers, import them with --whole-registers"
            )
        gone_ns = now_ns if gone_since_ns is None else gone_since_ns
        if gone_ns > now_ns:
            raise HeadframeError(
                "what the table does not hold any more cannot have ended in the future; nothing was imported. Name a "
                "time that is over (--gone-since), or leave it out: it ends now then"
            )
        gone = _gone(casework, tables.sites, gone_ns, everywhere=whole_sites) if sites else _Gone()
        if whole_sites:
            done.ended_sites, done.ended_assignments = len(gone.sites), len(gone.assignments)
            done.remarks += _open_cases_of(casework, gone)
        elif gone.assignments:
            done.remarks.append(
                f"{len(gone.assignments)} stored assignments of sites in the files are not in the files; they stay "
                "valid. If the files are the whole table of sites, import them with --whole-sites"
            )
        registers = SealedRegisters(casework, done.import_id, imported=bool(tables.lawful.registers))
        # Alone: a hold that comes at this moment must be seen, or wait; and so must another import of registers.
        with store.writing(alone=bool(tables.contacts.contacts) or registers.sealing) as writer:
            if registers.begin(writer, anew=whole_registers):
                done.ended, vanished = 0, ()
                done.remarks.append(
                    "the registers of lawful mining in the database were not what was imported of them; all that was "
                    "stored of them was thrown away, and is what these files say. Find out who could write into it"
                )
            replaced = writer.replaced_contacts(tables.contacts.contacts)
            writer.import_sites(
                SiteImport(
                    sites=(*tables.sites.sites, *(gone.sites if whole_sites else ())),
                    organisations=tables.sites.organisations,
                    assignments=(*tables.sites.assignments, *(gone.assignments if whole_sites else ())),
                    lawful=(*tables.lawful.entries, *(vanished if whole_registers else ())),
                    contacts=tables.contacts.contacts,
                    imported_ns=now_ns,
                )
            )
            writer.log(
                casework.sealed(
                    f"sites/{done.import_id}",
                    "sites",
                    done.import_id,
                    now_ns,
                    {
                        "account": account.name,
                        "files": [path.name for path in files],
                        "sites": len(tables.sites.sites),
                        "assignments": len(tables.sites.assignments),
                        "registers": list(tables.lawful.registers),
                        "lawful": len(tables.lawful.entries),
                        "ended": done.ended,
                        "contacts": len(tables.contacts.contacts),
                        "damaged_rows": len(tables.damaged),
                        **(_told_of(done, gone_ns) if whole_sites else {}),
                    },
                    data_class="case",
                )
            )
            registers.seal(writer, now_ns)
    except BaseException:
        # What was sealed for nothing; a crash instead leaves keys that `ContactSealer.orphans` finds.
        with contextlib.suppress(OSError, HeadframeError):
            sealer.erase(made)
        raise
    casework.hand_over()
    registers.keep()
    sealer.erase(replaced)
    if str(zone) != casework.config.zone:
        # For who reads these days again: 1 April in Beijing is no day of March.
        write_config(casework.paths.folder, replace(casework.config, zone=str(zone)))
    if sites:
        done.findings = resolve_again(casework, account, done.import_id)
    return done


def _refuse_half(tables: RegistryTables, *, whole_sites: bool, whole_registers: bool) -> None:
    """Refuse a whole that is none: what a row says that cannot be used would end without a word."""
    for whole, damaged, option in (
        (whole_sites, tables.sites.damaged, "--whole-sites"),
        (whole_registers, tables.lawful.damaged, "--whole-registers"),
    ):
        if whole and damaged:
            raise HeadframeError(
                f"{damaged[0].source} could not be used: {damaged[0].reason}. With {option} what "
                f"{'this row says' if len(damaged) == 1 else f'these {len(damaged)} rows say'} would end, so nothing "
                f"was imported; mend the table first, or import it without {option}"
            )
    if whole_sites and not tables.sites.sites:
        raise HeadframeError(
            "no site is in the files, and with --whole-sites every stored site would end; nothing was imported. "
            "Name the whole table of sites, or import without --whole-sites"
        )


@dataclass(frozen=True, slots=True)
class _Gone:
    """What is stored and valid, and not in a table any more, each with its end set."""

    sites: tuple[Site, ...] = ()
    assignments: tuple[Assignment, ...] = ()


def _gone(casework: Casework, table: SiteTable, gone_ns: int, *, everywhere: bool) -> _Gone:
    """What the table does not hold any more: of its own sites, or of all."""
    named = {site.site_id for site in table.sites}
    there = {_key(one) for one in table.assignments}
    sites = [
        replace(site, valid_until_ns=_end(site.valid_from_ns, gone_ns))
        for site in (casework.store.all_sites() if everywhere else ())
        if site.site_id not in named and _lasts(site, gone_ns)
    ]
    assignments = [
        replace(one, valid_until_ns=_end(one.valid_from_ns, gone_ns))
        for one in casework.store.all_assignments()
        if (everywhere or one.site_id in named) and _key(one) not in there and _lasts(one, gone_ns)
    ]
    return _Gone(tuple(sites), tuple(assignments))


def _open_cases_of(casework: Casework, gone: _Gone) -> Iterator[str]:
    """Each open case of a site that ends, or that an address or supply point is taken from."""
    taken: dict[str, list[str]] = {site.site_id: [] for site in gone.sites}
    for one in gone.assignments:
        taken.setdefault(one.site_id, []).append(one.value)
    for site_id, values in sorted(taken.items()):
        named = ", ".join(values[:_MOST_NAMED]) + (
            f" and {more} more" if (more := len(values) - _MOST_NAMED) > 0 else ""
        )
        for row in casework.cases_where(CaseFilter(site_id=site_id)):
            if row.stage is not Stage.CLOSED:
                yield (
                    f"{row.case_id} is open at site {site_id}, of which the table does not hold "
                    f"{named or 'anything'} any more; see whether its findings are still of that site"
                )


def _key(one: Assignment) -> tuple[str, str, str, str, int | None]:
    return one.kind.value, one.value, one.realm, one.site_id, one.valid_from_ns


def _lasts(one: Site | Assignment, gone_ns: int) -> bool:
    """Whether it is valid at any time after it is said to have ended."""
    return one.valid_until_ns is None or one.valid_until_ns > _end(one.valid_from_ns, gone_ns)


def _end(valid_from_ns: int | None, gone_ns: int) -> int:
    """Where a validity ends that is over since an instant; what began later was never valid."""
    return gone_ns if valid_from_ns is None else max(gone_ns, valid_from_ns)


def _told_of(done: ImportedRegistry, gone_ns: int) -> dict[str, object]:
    return {"ended_sites": done.ended_sites, "ended_assignments": done.ended_assignments, "gone_ns": str(gone_ns)}


def _import_id(casework: Casework, files: Iterable[Path], now_ns: int) -> str:
    digest = hashlib.sha256(str(now_ns).encode())
    for path in files:
        digest.update(b"\0" + path.name.encode("utf-8", "surrogateescape"))
    return casework.free_leaf_id(f"sites/S-{digest.hexdigest()[:20]}").removeprefix("sites/")


def _vanished(casework: Casework, table: LawfulTable, now_ns: int) -> tuple[LawfulEntry, ...]:
    """Entries that are stored and not in a table of their register any more, with their end set to now."""
    from sqlalchemy import select

    from headframe.stores.database import rows
    from headframe.stores.database.tables import LAWFUL_ENTRIES

    if not table.registers:
        return ()
    there = {(entry.register, entry.entry_id) for entry in table.entries}
    wanted = select(LAWFUL_ENTRIES).where(LAWFUL_ENTRIES.c.register.in_(table.registers))
    with casework.store.engine.connect() as db:
        stored = [rows.lawful_of(row) for row in db.execute(wanted).mappings()]
    return tuple(
        replace(entry, valid_until_ns=max(now_ns, entry.valid_from_ns or now_ns))
        for entry in stored
        if (entry.register, entry.entry_id) not in there
        and (entry.valid_until_ns is None or entry.valid_until_ns > now_ns)
    )


def _known_ids(casework: Casework, tables: RegistryTables) -> tuple[set[str], set[str]]:
    """Ids of all stored sites and organisations; none where there is nothing to hold against them."""
    from sqlalchemy import select

    from headframe.stores.database.tables import ORGANISATIONS, SITES

    if not tables.lawful.entries and not tables.contacts.contacts:
        return set(), set()
    with casework.store.engine.connect() as db:
        return set(db.scalars(select(SITES.c.site_id))), set(db.scalars(select(ORGANISATIONS.c.organisation_id)))


def open_contact(casework: Casework, account: Account, contact: Contact, reason: str) -> str:
    """The address of a contact, in clear; that it was read is in the access log and in the ledger before.

    Parameters
    ----------
    casework : Casework
    account : Account
        Who reads it.
    contact : Contact
    reason : str

    Returns
    -------
    str

    Raises
    ------
    NoReason
        If the reason is empty.
    KeyGone
        If it was erased.
    """
    return sealer_of(casework).open_address(
        contact, reason=reason, account=account.name, at_ns=casework.now_ns(), note=casework.note_access
    )


def purge_contacts(casework: Casework, case: Case) -> tuple[str, ...]:
    """Erase the delivery addresses that no open case needs after this one.

    Parameters
    ----------
    casework : Casework
    case : Case
        Closed. While it is on hold, while a hold is on everything, and while the party may still appeal, nothing is
        erased: what stays is due with ``headframe retention run`` when that is over.

    Returns
    -------
    tuple of str
        Ids of the contacts that are gone.

    Raises
    ------
    HeadframeError
        If a key cannot be destroyed; the contacts are still there then.
    """
    if case.on_hold:
        return ()
    now_ns = casework.now_ns()
    # Alone: a case that is opened at this moment, or a hold, is seen, or comes after.
    with casework.store.writing(alone=True) as writer:
        gone = writer.unneeded_contacts(case.case_id, case.site_id, case.organisation_id)
        if not gone:
            return ()
        ids = tuple(contact.contact_id for contact in gone)
        writer.purge_contacts(ids)
        writer.log(
            casework.sealed(
                f"retention/contacts-{case.case_id}-{case.version}",
                "retention",
                case.case_id,
                now_ns,
                {"class": "contact", "count": len(ids), "keys": sorted(contact.key_id for contact in gone)},
                data_class="contact",
                case_id=case.case_id,
            )
        )
        # Before the end of the transaction: when it is over, nobody can open them. If it fails instead, the addresses
        # are gone all the same, and the next purge removes what is left of them.
        try:
            sealer_of(casework).erase(contact.key_id for contact in gone)
        except OSError as fault:
            raise HeadframeError(
                f"keys of contacts of case {case.case_id} cannot be destroyed: {fault.strerror or fault}; see that "
                f"{casework.paths.keys} can be written, and purge again"
            ) from fault
    casework.hand_over()
    return ids


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """A site with everything that the registry knows of it. Contacts are shown by role; their addresses are sealed."""

    site: Site
    organisation_name: str
    assignments: tuple[Assignment, ...]
    lawful: tuple[LawfulEntry, ...]
    contacts: tuple[Contact, ...]
    registers: tuple[tuple[str, int], ...]


def view_site(casework: Casework, site_id: str) -> SiteView:
    """A site with everything that the registry knows of it.

    Raises
    ------
    HeadframeError
        If there is no such site.
    """
    store = casework.store
    site = store.site(site_id)
    if site is None:
        raise HeadframeError(f"there is no site {site_id!a}; headframe sites import FILE adds some")
    organisation = store.organisation(site.organisation_id) if site.organisation_id else None
    assignments = store.assignments(site_id)
    points = [one.value for one in assignments if one.kind == "usage_point"]
    return SiteView(
        site=site,
        organisation_name=organisation.name if organisation is not None else "",
        assignments=assignments,
        lawful=store.lawful_of(
            site_id=site_id, organisation_id=site.organisation_id or "", usage_points=tuple(dict.fromkeys(points))
        ),
        contacts=(
            *store.contacts(site_id=site_id),
            *(store.contacts(organisation_id=site.organisation_id) if site.organisation_id else ()),
        ),
        registers=tuple(sorted(store.registers().items())),
    )
