"""What a workspace holds, and how things get into it: cases, packs, documents, leaves on their way to the ledger."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from headframe.cases.apply import replay
from headframe.cases.store import (
    AccessEntry,
    CaseFilter,
    CaseRow,
    CaseWriter,
    FindingFilter,
    PendingLeaf,
    StoredFinding,
)
from headframe.casework.free_text import cautions, refuse_unfit_texts
from headframe.casework.held_tables import refuse_altered_findings, refuse_strange_documents, sort_documents
from headframe.casework.held_to_log import AlteredRecord, HeldToLog, refuse_other_document
from headframe.casework.last_states import LastStates, Sealed
from headframe.casework.logged_cases import LoggedCases
from headframe.casework.register import right_entries
from headframe.casework.workspace import WorkspaceConfig, WorkspacePaths
from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.leaf import seal
from headframe.records.case import (
    Case,
    CaseEvent,
    CaseFile,
    DocumentRef,
    KeptDocument,
    RegisterEntry,
)
from headframe.stores.leaf_marks import make_marks, read_marks

if TYPE_CHECKING:
    from headframe.assess import RegistryFiles
    from headframe.policy.classify import Classification
    from headframe.records.policy import Clock, Pack
    from headframe.sites.registry import Registry
    from headframe.stores.database.store import DatabaseStore
    from headframe.stores.documents import DocumentStore
    from headframe.stores.ledger_files import Ledger

SALT_BYTES = 16
PENDING_AT_ONCE = 1_000
MOST_SKEW_NS = 5 * 60 * 1_000_000_000
"""By how much the clocks of two machines of a unit may differ: by minutes where nobody sets them, by less than a second
where NTP does. Operator default."""
MOST_FINDINGS = 1_000
"""A case rests on this many findings at most; the strongest come first, and the rest adds nothing to them."""


PAGE = 500
"""Rows that are read at a time where all are wanted."""


class NoSuchCase(HeadframeError):
    """There is no case of that number."""


def _pages(ask: Callable[[str], Any]) -> Iterator[Any]:
    cursor = ""
    while True:
        page = ask(cursor)
        yield from page.rows
        cursor = page.cursor
        if not cursor:
            return


def refuse_no_file(path: Path) -> None:
    """Refuse a device, which may have no end, and a pipe, which cannot be read twice.

    Raises
    ------
    UnreadableInput
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UnreadableInput(f"{path} is no regular file; write what it gives to a file first, and name that")


@dataclass(slots=True)
class Around:
    """What an act adds beside its events, ready to be written."""

    documents: list[KeptDocument] = field(default_factory=list)
    register: list[RegisterEntry] = field(default_factory=list)
    leaves: list[PendingLeaf] = field(default_factory=list)
    kept_in: DocumentStore | None = None

    def write(self, writer: CaseWriter, case_id: str) -> None:
        """Write it.

        Raises
        ------
        HeadframeError
            If the bytes of a document were destroyed since it was kept.
        """
        for document in self.documents:
            writer.keep_document(document, case_id)
            # No purge runs now: it writes alone.
            if self.kept_in is not None and document.ref.sha256 not in self.kept_in:
                raise HeadframeError(
                    f"document {document.ref.name} was destroyed by retention meanwhile, because nothing named it; "
                    "nothing was recorded. Hand the file in again, and do it again"
                )
        for entry in self.register:
            writer.enter_register(entry)
        for leaf in self.leaves:
            writer.log(leaf)


class Holdings:
    """Everything that a workspace holds.

    Attributes
    ----------
    paths : WorkspacePaths
    config : WorkspaceConfig
    store : DatabaseStore
    documents : DocumentStore
    recovered : int
        Leaves that an earlier run had left pending, and that were handed to the ledger at opening.
    held : HeldToLog
        Holds what the database says against the log.
    unfit : dict of str to str
        Leaves that wait in the database and may not go into the ledger, by name, with what is wrong.
    unknown_from : int or None
        From which place on the database knew no leaf of the ledger at opening; None where it knew the last.
    cautions : dict
        Its keys, in order: what whoever typed texts should be told of those that were sealed.
    states : LastStates
        What accounts and entries of the register are by the log.
    """

    def __init__(
        self,
        *,
        paths: WorkspacePaths,
        config: WorkspaceConfig,
        store: DatabaseStore,
        ledger: Ledger,
        documents: DocumentStore,
        now_ns: Callable[[], int],
    ) -> None:
        self.paths = paths
        self.config = config
        self.store = store
        self.ledger = ledger
        self.documents = documents
        self.now_ns = now_ns
        self._packs: Mapping[str, Pack] | None = None
        self._bad_packs: list[HeadframeError] = []
        self._kept_packs: dict[tuple[str, str], Pack] = {}
        self._ours: set[str] = set()
        self.held = HeldToLog(store, ledger, LoggedCases(ledger, paths.logged_cases), read_marks(paths.leaves_key))
        self.unfit: dict[str, str] = {}
        self.recovered = 0
        self.cautions: dict[str, None] = {}
        self._refuse_an_older_ledger()
        self.recovered = self.hand_over()
        if self.held.marks is None:
            # What an older Headframe left waiting is in the ledger now; from here on only what bears a mark goes there.
            self.held.marks = make_marks(paths.leaves_key)
        store.marks = self.held.marks
        self.states = LastStates(ledger, self.held.marks, paths.folder)
        last = store.last_place()
        known = 0 if last is None else last + 1
        self.unknown_from = known if known < ledger.size else None

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def case(self, case_id: str) -> Case:
        """A case as its events make it, each as it was sealed for the log.

        Raises
        ------
        NoSuchCase
        AlteredRecord
            If the database says of it something else than the log.
        """
        return replay(self._events(case_id))

    def case_file(self, case_id: str) -> CaseFile:
        """A case with everything around it: what documents, exports and bundles draw from.

        Raises
        ------
        NoSuchCase
        """
        events = self._events(case_id)
        case = replay(events)
        site = self.store.site(case.site_id)
        organisation = self.store.organisation(case.organisation_id) if case.organisation_id else None
        documents = {one.ref.finding_id: dict(one.document) for one in self._findings_in(case)}
        right, strange = sort_documents(self.held, case_id, events, self.store.documents(case_id))
        return CaseFile(
            case=case,
            events=events,
            # What the case holds was sealed with it; the registry may say another name since.
            site_name=case.site_name or (site.name if site is not None else case.site_id),
            organisation_name=case.organisation_name
            or (organisation.name if organisation is not None else case.organisation_id),
            documents=right,
            strange_documents=strange,
            finding_documents=tuple(documents.get(ref.finding_id, {}) for ref in case.findings),
            register_entries=right_entries(
                self,
                lambda: [entry for entry in self.store.register(site_id=case.site_id) if entry.case_id == case_id],
            ),
            answers=self.config.answers,
        )

    def documents_to_hand_out(self, case_id: str) -> tuple[KeptDocument, ...]:
        """The documents of a case, each as the log has it.

        Raises
        ------
        NoSuchCase
        AlteredRecord
            If the database has one that the log has not.
        """
        file = self.case_file(case_id)
        refuse_strange_documents(case_id, file.strange_documents)
        return file.documents

    def proposed_class(self, case_id: str) -> Classification:
        """What the pack's criteria propose for a case; people decide."""
        from headframe.policy.classify import classify, facts_of_case

        file = self.case_file(case_id)
        return classify(self.pack_of(file.case), facts_of_case(file))

    def clocks_of(self, case: Case, now_ns: int | None = None) -> tuple[Clock, ...]:
        """The clocks of a case at a time."""
        from headframe.policy.clocks import clocks_of

        return tuple(clocks_of(case, self.pack_of(case), self.now_ns() if now_ns is None else now_ns))

    def packs(self) -> Mapping[str, Pack]:
        """Every pack that can be used, by id: the shipped ones and the workspace's own.

        One file that is wrong is no reason to keep people from the cases of the other packs; `pack` tells of it.
        """
        if self._packs is None:
            from headframe.stores.packs import SHIPPED, pack_files, read_packs

            packs, faults = read_packs(pack_files(SHIPPED, self.paths.packs))
            self._packs, self._bad_packs = dict(sorted(packs.items())), list(faults)
        return self._packs

    def pack(self, pack_id: str) -> Pack:
        """A pack by its id.

        Raises
        ------
        HeadframeError
            If there is none; the message names those that there are.
        """
        found = self.packs().get(pack_id)
        if found is None:
            # The pack that is asked for may be one of them.
            unusable = "".join(f"\n{fault}" for fault in self._bad_packs)
            raise HeadframeError(
                f"there is no policy pack {pack_id!a}; there are {', '.join(self.packs())}, and "
                f"{self.paths.packs} may hold your own{unusable}"
            )
        return found

    def pack_of(self, case: Case) -> Pack:
        """The pack that a case is handled by, in the very text that it was opened under.

        Raises
        ------
        HeadframeError
            If the pack has another text now: what a case may do must not change under it unseen.
        """
        handled = f"case {case.case_id} is handled by {case.pack_id} {case.pack_version}"
        return self.pack_as_of(case.pack_id, case.pack_digest, handled)

    def pack_as_of(self, pack_id: str, digest: str, whose: str = "") -> Pack:
        """A pack in the text that cases were opened under.

        Parameters
        ----------
        pack_id, digest : str
        whose : str
            For the message: ``case HF-2026-000001 is handled by cn-bj-2024 2``.

        Raises
        ------
        HeadframeError
            If that text was not kept, and the pack of that id has another one now, or is not there.
        """
        key = (pack_id, digest)
        if key not in self._kept_packs:
            from headframe.casework.kept_packs import kept_pack

            pack = kept_pack(pack_id, digest, self.paths.packs)
            if pack is None:
                pack = self.pack(pack_id)
            if pack.digest != digest:
                raise HeadframeError(
                    f"{whose or f'cases were opened under {pack_id}'} (SHA-256 {digest}); that text was not kept, and "
                    f"the pack of that id is now {pack.version} (SHA-256 {pack.digest}). Put the text of then into "
                    f"{self.paths.packs}"
                )
            self._kept_packs[key] = pack
        return self._kept_packs[key]

    def pack_for_row(self, pack_id: str, case_id: str) -> Pack | None:
        """The pack of a case for a list; None where its text is lost, because a list still has the other cases."""
        try:
            return self.packs().get(pack_id) or self.pack_of_case(case_id)
        except HeadframeError:
            return None

    def pack_of_case(self, case_id: str) -> Pack:
        """The pack of a case by the case's number."""
        return self.pack_of(self.case(case_id))

    def registry(self, logs: RegistryFiles | None = None) -> Registry:
        """The stored registry, to resolve addresses and meters by, and what logs say besides.

        Parameters
        ----------
        logs : RegistryFiles or None
            DHCP leases, logs of address translation, RADIUS accounting; its tables of sites are not read.
        """
        from headframe.casework.stored_registry import registry_of

        if logs is None:
            return registry_of(self.store)
        from headframe.assess import read_logs
        from headframe.pseudonym import pseudonyms

        try:
            leases, translations, _remarks = read_logs(logs, pseudonyms())
        except ValueError as fault:
            raise HeadframeError(str(fault)) from fault
        return registry_of(self.store, leases, translations)

    def keep_file(self, path: Path, kind: str = "other") -> tuple[DocumentRef, tuple[str, ...]]:
        """Keep a file as it is, under the digest of its bytes, and without its name (`photos.neutral_name`).

        Parameters
        ----------
        path : Path
        kind : str
            ``photo``, ``reply``, ``remedy_proof``, ``other``, ...

        Returns
        -------
        DocumentRef
        tuple of str
            What to know of it: a photo that tells where and by whose camera it was taken.
        """
        from headframe.casework.photos import media_type_of, neutral_name, photo_warnings

        refuse_no_file(path)
        with self._keeping(path.name):
            sha256, size = self.documents.keep_file(path)
        media_type = media_type_of(path)
        name = neutral_name(kind, sha256, media_type)
        ref = DocumentRef(sha256=sha256, name=name, media_type=media_type, kind=kind, size=size)
        with self.documents.open(sha256) as file:
            return ref, photo_warnings(file, path.name)

    def keep_bytes(self, data: bytes, name: str, media_type: str, kind: str) -> DocumentRef:
        """Keep bytes under their digest."""
        with self._keeping(name):
            sha256 = self.documents.keep(data)
        return DocumentRef(sha256=sha256, name=name, media_type=media_type, kind=kind, size=len(data))

    @contextlib.contextmanager
    def _keeping(self, name: str) -> Iterator[None]:
        """A full disk, or a folder that cannot be written, told in words."""
        try:
            yield
        except OSError as fault:
            raise HeadframeError(
                f"{name} could not be kept in {self.documents.folder}: {fault.strerror or fault}; nothing of it was "
                "kept. Make room, or make the folder writable, and do it again"
            ) from fault

    def log_documents(self, refs: Iterable[DocumentRef], now: int) -> None:
        """Log and note documents that belong to no case: a report, a certificate."""
        around = self._documents_around(
            [KeptDocument(ref=ref, language="", created_ns=now) for ref in refs], "", now, known=frozenset()
        )
        with self.store.writing() as writer:
            around.write(writer, "")
        self.hand_over()

    def copy_out(self, refs: Iterable[DocumentRef], folder: Path) -> list[Path]:
        """Copies of documents in a folder, under their names; none replaces a file.

        Raises
        ------
        HeadframeError
            If a name is taken by other bytes, or the folder cannot be written.
        """
        from headframe.casework.case_bundle import safe_name

        copied: list[Path] = []
        for ref in refs:
            # A name may come from outside: it stays in the folder, and shows what it is.
            place = folder / safe_name(ref.name)
            if place in copied:
                # Two replies may both have come as answer.txt.
                place = folder / f"{ref.sha256[:12]}-{safe_name(ref.name)}"
            data = self.documents.read(ref.sha256)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with place.open("xb") as file:
                    file.write(data)
            except FileExistsError:
                if place.read_bytes() != data:
                    raise HeadframeError(f"{place} is there already, with other bytes; name an empty folder") from None
            except OSError as fault:
                raise HeadframeError(f"{place} cannot be written: {fault.strerror}") from fault
            copied.append(place)
        return copied

    def _refuse_an_older_ledger(self) -> None:
        """An older copy of the log, put in the place of the log, has fewer entries than the database knows of."""
        last = self.store.last_place()
        if last is not None and last >= self.ledger.size:
            raise HeadframeError(
                f"the ledger in {self.paths.ledger} has {self.ledger.size} entries, and the database knows of entry "
                f"{last}: it is an older copy, or another log. Put the right one back; nothing is written before"
            )

    def hand_over(self) -> int:
        """Hand every pending leaf to the ledger, and note the places it got; gives how many.

        What no program of this workspace wrote is left where it is (`HeldToLog.fit_for_the_log`), and told (`unfit`).

        Raises
        ------
        HeadframeError
            If the ledger cannot be written. The leaves stay pending then, and nothing was acknowledged.
        AlteredRecord
            If somebody changed what this program has just written.
        """
        handed, after = 0, ""
        while waiting := self.store.pending_leaves(PENDING_AT_ONCE, after=after):
            pending, unfit = self.held.fit_for_the_log(waiting)
            if unfit:
                self.unfit |= unfit
                after = waiting[-1].leaf_id
            leaves = [one.leaf for one in pending]
            # Others' leaves may be in the log already: whoever wrote them died, or has not noted their places yet.
            ours = all(one.leaf_id in self._ours for one in pending)
            places = self.ledger.append(leaves) if ours else self.ledger.append_once(leaves)
            self.held.logged.took(places, leaves)
            self.store.mark_logged({one.leaf_id: place for one, place in zip(pending, places, strict=True)})
            handed += len(pending)
        changed = sorted(self._ours & self.unfit.keys())
        self._ours.clear()
        if changed:
            raise AlteredRecord(f"{self.unfit[changed[0]]}: the database was changed by something else than Headframe")
        return handed

    def _events(self, case_id: str) -> tuple[CaseEvent, ...]:
        events = self.store.events(case_id)
        if not events and self.store.was_destroyed(case_id):
            raise NoSuchCase(
                f"case {case_id} was destroyed when its time was over; headframe retention certificates shows when, "
                "and by whom"
            )
        self.held.refuse_altered(case_id, events)
        if not events:
            raise NoSuchCase(f"there is no case {case_id!a}; headframe case list shows those that there are")
        return events

    def _not_before(self, at_ns: int) -> int:
        """Now, and not before what has happened already where the clocks of two machines differ by a little.

        Where they differ by more, one of them was wrong: no act is done at a time that is not now, by which somebody
        else's time would be over. The rules of a case refuse what comes before its last event.
        """
        now_ns = self.now_ns()
        return at_ns if now_ns < at_ns <= now_ns + MOST_SKEW_NS else now_ns

    def cases_where(self, wanted: CaseFilter) -> Iterator[CaseRow]:
        """Every case that a filter lets through, read page by page."""
        return _pages(lambda cursor: self.store.cases(wanted, cursor=cursor, limit=PAGE))

    def findings_where(self, wanted: FindingFilter) -> Iterator[StoredFinding]:
        """Every finding that a filter lets through, read page by page."""
        return _pages(lambda cursor: self.store.findings(wanted, cursor=cursor, limit=PAGE))

    def _findings_in(self, case: Case) -> list[StoredFinding]:
        found = []
        for ref in case.findings:
            one = self.store.finding(ref.finding_id)
            if one is not None:
                refuse_other_document(case.case_id, ref, one.document)
                found.append(one)
        return found

    def _findings_of(
        self, site_id: str, finding_ids: Sequence[str], moving: Collection[str] = ()
    ) -> list[StoredFinding]:
        """Findings of a site by their ids, some of which are moving there; without ids those that no case has."""
        if finding_ids:
            found = []
            for finding_id in dict.fromkeys(finding_ids):
                one = self.store.finding(finding_id)
                if one is None:
                    raise HeadframeError(
                        f"there is no finding {finding_id!a}; headframe findings list --site {site_id}"
                    )
                if one.site_id != site_id and finding_id not in moving:
                    whose = f"is of site {one.site_id}" if one.site_id else "is of no site that is known"
                    raise HeadframeError(f"finding {finding_id} {whose}, and the case is about {site_id}")
                found.append(one)
            refuse_altered_findings(self.held, found)
            return found
        found = []
        cursor, latest_ns = "", self.now_ns() + MOST_SKEW_NS
        while True:
            page = self.store.findings(
                FindingFilter(site_id=site_id, without_case=True), cursor=cursor, limit=MOST_FINDINGS
            )
            # A recorder whose clock stood ahead: no case is opened in the future on what it saw.
            found += (one for one in page.rows if one.ref.ended_ns <= latest_ns)
            cursor = page.cursor
            if not cursor or len(found) >= MOST_FINDINGS:
                break
        if not found:
            raise HeadframeError(
                f"site {site_id} has no finding without a case; import some: headframe findings import findings.json, "
                f"or see headframe findings list --site {site_id}"
            )
        refuse_altered_findings(self.held, found[:MOST_FINDINGS])
        return found[:MOST_FINDINGS]

    def _documents_around(
        self, documents: Iterable[KeptDocument], case_id: str, now: int, known: frozenset[str] | None = None
    ) -> Around:
        """Documents that the case does not have yet, and a leaf for each digest that the ledger has not seen."""
        seen = {one.ref.sha256 for one in self.store.documents(case_id)} if known is None else set(known)
        around = Around(kept_in=self.documents)
        for kept in documents:
            ref = kept.ref
            if ref.sha256 in seen:
                continue
            seen.add(ref.sha256)
            if ref.sha256 not in self.documents:
                raise HeadframeError(
                    f"document {ref.name} (SHA-256 {ref.sha256}) is not among the workspace's documents; keep it first"
                )
            around.documents.append(kept)
            leaf_id = f"document/{ref.sha256}"
            if not self.store.leaves(leaf_ids=[leaf_id]):
                about = {
                    "name": ref.name,
                    "media_type": ref.media_type,
                    "kind": ref.kind,
                    "size": ref.size,
                    "case_id": case_id,
                }
                around.leaves.append(
                    self.sealed(leaf_id, "document", ref.sha256, now, about, data_class="document", case_id=case_id)
                )
        return around

    def note_access(self, entry: AccessEntry) -> None:
        """Write into the access log and the ledger that somebody reads something sensitive, before it is read."""
        fields = {"account": entry.account, "what": entry.what, "reason": entry.reason}
        if entry.second_account:
            fields["second_account"] = entry.second_account
        name = entry.access_id
        with self.store.writing() as writer:
            writer.note_access(entry)
            writer.log(self.sealed(f"access/{name}", "access", name, entry.at_ns, fields, data_class="access"))
        self.hand_over()

    def free_leaf_id(self, leaf_id: str) -> str:
        """A leaf's name that no leaf has: the one asked for, or with the lowest number behind it that is free.

        Where the clock stands still, as it may in training, two things of one kind are of one instant. What a replay
        writes anew gets the same names again.
        """
        name, number = leaf_id, 1
        while self.store.leaves(leaf_ids=[name]):
            number += 1
            name = f"{leaf_id}-{number}"
        return name

    def sealed(
        self,
        leaf_id: str,
        kind: str,
        subject: str,
        at_ns: int,
        fields: Mapping[str, object],
        *,
        data_class: str,
        case_id: str = "",
    ) -> PendingLeaf:
        """Seal fields into a leaf with fresh salts; it is still to be written and handed over.

        Parameters
        ----------
        leaf_id : str
            Its name in the database, such as ``document/<sha256>``.
        kind, subject : str
            What the leaf is of, and which one.
        at_ns : int
            Unix nanoseconds, UTC.
        fields : mapping of str to object
            What is sealed; each field gets a salt of its own.
        data_class : str
            Decides when the fields are erased.
        case_id : str
            The case it belongs to; empty where it belongs to none.

        Raises
        ------
        TextTooLong
            If a text is so long that it has to be handed in as a document.
        ControlCharacter
            If somebody typed one that no page shows.
        """
        refuse_unfit_texts(fields, of_an_act=kind == "case")
        # A text is sealed anew where another act was faster; who typed it hears of it once.
        self.cautions.update(dict.fromkeys(cautions(fields)))
        leaf, disclosures = seal(kind, subject, at_ns, fields, lambda: secrets.token_bytes(SALT_BYTES))
        self._ours.add(leaf_id)
        return self._marked(
            PendingLeaf(leaf_id=leaf_id, leaf=leaf, disclosures=disclosures, data_class=data_class, case_id=case_id)
        )

    def _marked(self, leaf: PendingLeaf) -> PendingLeaf:
        assert self.held.marks is not None
        return replace(leaf, mark=self.held.marks.mark(leaf.leaf_id, leaf.leaf))

    def sealed_state(self, plain: PendingLeaf, of: Sealed, name: str, row: object, rest: object = None) -> PendingLeaf:
        """A leaf (`sealed`) that also says what a row is from then on (`LastStates.with_state`)."""
        return self._marked(replace(plain, leaf=self.states.with_state(plain.leaf, of, name, row, rest)))
