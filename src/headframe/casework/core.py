"""The casework: acts of accounts on cases, sealed into the ledger, with everything around them.

How an act is done:

1. The events of the case are read and replayed; the state machine answers.
2. Refused: every reason goes back, and nothing is written.
3. Accepted: each event is sealed into a leaf; events, leaves, clocks, documents and register entries are written in one
   transaction.
4. The pending leaves go to the ledger, durably, and their places are noted.
5. Only then is the act acknowledged. A crash after 3 leaves leaves pending: whoever opens the workspace next hands them
   over before anything else (`Casework.hand_over`). The ledger gives the same place to a leaf that it has already.

Somebody else may be faster between 1 and 3. Then nothing is written, the events are read again, and the machine decides
again on what is true now: an act that was right before may be refused then.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.cases.apply import right_acts
from headframe.cases.corrections import corrected_act
from headframe.cases.store import CaseWriter, FindingHolder, StaleCase, StoredFinding
from headframe.casework.account_acts import AccountActs
from headframe.casework.derived import (
    appeal_standing,
    documents_in,
    entry_for,
    power_of,
    summary_of,
    without_content,
    zone_of,
)
from headframe.casework.finding_import import ImportedFile, import_file
from headframe.casework.found_since import found_since, unknown_to_the_measurement
from headframe.casework.held_tables import held_registers
from headframe.casework.held_to_log import AlteredRecord, leaf_name, sealed_fields
from headframe.casework.holdings import Around, refuse_no_file
from headframe.casework.register import right_entries, state_leaf
from headframe.casework.tried_before import recurs_from, spoken_elsewhere, tried_before, tried_by_a_correction
from headframe.errors import HeadframeError, NotWritten
from headframe.records.case import (
    Accepted,
    Account,
    Act,
    AddFindings,
    Approve,
    Case,
    DocumentKind,
    EnterRegister,
    KeptDocument,
    LinkCase,
    LookUpLawful,
    Measurement,
    NoteAppealInRegister,
    OpenCase,
    ProposalState,
    ProposeClosure,
    ProposeCorrection,
    ProposeDecision,
    ProposeNotice,
    ProposeReopening,
    PurgeContacts,
    Refused,
    RegisterEntry,
    RemoveFromRegister,
    WriteDocument,
)
from headframe.records.policy import Step
from headframe.records.site import AssignmentKind
from headframe.stores.database.store import REGISTER_LIMIT

if TYPE_CHECKING:
    from headframe.assess import RegistryFiles
    from headframe.records.policy import Pack
    from headframe.records.scan import ScanResult
    from headframe.reports.casework import CaseView
    from headframe.stores.database.writer import Writer

ATTEMPTS = 10
"""How often an act is decided again because somebody else was faster. Of four programs that did nothing but act on one
and the same case, each still found its turn."""
LONGEST_WAIT_MS = 10
"""After the first lost race, at most; twice as much after each further one, up to 32 times as much. [ms]"""
NO_REGISTER = "none: no register of lawful mining has been imported"
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of an act.

    Attributes
    ----------
    answer : Accepted or Refused
    documents : tuple of KeptDocument
        Written because the act asked for them.
    faults : tuple of str
        What could not be done after the act was accepted; the act stands.
    """

    answer: Accepted | Refused
    documents: tuple[KeptDocument, ...] = ()
    faults: tuple[str, ...] = ()


class _NotDone(Exception):
    """Ends a transaction without a trace: the machine has refused."""

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done


class Casework(AccountActs):
    """Cases of a workspace. Made by `headframe.casework.open_workspace`; its attributes are those of `Holdings`."""

    def perform(self, account: Account, case_id: str, act: Act, *, documents: Sequence[KeptDocument] = ()) -> Done:
        """Do what an account asks for, if the rules of the case and its pack allow it.

        Parameters
        ----------
        account : Account
        case_id : str
        act : Act
        documents : sequence of KeptDocument
            Drafts that belong to it (`draft_document`); they are the case's when the act is accepted, and only then.

        Returns
        -------
        Done
            Refused: with every reason, and nothing is written. Accepted: in the database and in the ledger, durably.

        Raises
        ------
        NoSuchCase
        StaleCase
            If others were faster several times in a row.
        HeadframeError
            If the database or the ledger cannot be written.
        """
        if isinstance(act, LinkCase) and act.case_id != case_id:
            self.case(act.case_id)  # which says so where there is none
        if self._reopens(case_id, act):
            return self._reopened(account, case_id, act, documents)
        return self._performed(account, case_id, lambda: act, documents=documents)

    def _reopens(self, case_id: str, act: Act) -> bool:
        """Whether an act proposes, or approves, that a closed case is taken up again."""
        if not isinstance(act, Approve):
            return isinstance(act, ProposeReopening)
        proposals = self.case(case_id).proposals
        return any(one.number == act.proposal and isinstance(one.act, ProposeReopening) for one in proposals)

    def _reopened(self, account: Account, case_id: str, act: Act, documents: Sequence[KeptDocument]) -> Done:
        """Take a case up again, where its findings speak in no other one by now."""
        found: list[StoredFinding] = []
        held: list[FindingHolder] = []

        def asked() -> Act:
            case = self.case(case_id)
            found[:] = self._findings_in(case)
            held[:] = self.store.holders(found)
            if reasons := spoken_elsewhere(self, case, held):
                raise _NotDone(Done(answer=Refused(reasons=reasons)))
            return act

        try:
            return self._performed(
                account,
                case_id,
                asked,
                documents=documents,
                first=lambda writer, _act: self._lock_findings(writer, found, held, free=False),
            )
        except _NotDone as refusal:
            return refusal.done

    def _performed(
        self,
        account: Account,
        case_id: str,
        asked: Callable[[], Act],
        *,
        documents: Sequence[KeptDocument] = (),
        first: Callable[[Writer, Act], None] = lambda _writer, _act: None,
    ) -> Done:
        """Do an act that is asked anew whenever somebody else was faster.

        `first` is called in the transaction before anything is written; it raises `StaleCase` where the act does not
        stand on what is true any more.
        """
        from headframe.cases.machine import act as decide

        for attempt in range(ATTEMPTS):
            act = asked()
            case = self.case(case_id)
            now = self._not_before(case.last_ns)
            answer = decide(case, act, account, self.pack_of(case), now, self.clocks_of(case, now))
            if isinstance(answer, Accepted) and isinstance(act, Approve):
                answer = self._still_stands_behind(case, act) or answer
            if isinstance(answer, Accepted) and isinstance(act, ProposeCorrection):
                answer = self._not_right_for_others(case, act) or answer
            if isinstance(answer, Accepted):
                answer = unknown_to_the_measurement(self, case, act) or answer
            if isinstance(answer, Refused):
                return Done(answer=answer)
            try:
                around = self._around(answer, documents)
                with self.store.writing() as writer:
                    first(writer, act)
                    self._put(writer, answer, around)
            except StaleCase as fault:
                self._lost_a_race(attempt, fault)
                continue
            self._hand_over_act()
            return self._carried_out(answer)
        raise AssertionError("unreachable")

    def open_case(
        self,
        account: Account,
        site_id: str,
        pack_id: str,
        *,
        finding_ids: Sequence[str] = (),
        summary: str = "",
        recurrence_of: str = "",
        language: str = "en",
        split_from: str = "",
        organisation_id: str = "",
        reason: str = "",
    ) -> Done:
        """Open a case on findings of a site, and look the site up in the registers of lawful mining.

        Parameters
        ----------
        account : Account
        site_id, pack_id : str
        finding_ids : sequence of str
            What it rests on; else every finding of the site that has no case.
        summary : str
            In a sentence; else drawn from the findings.
        recurrence_of : str
            The closed case that this one begins again.
        split_from : str
            The closed case that was about the wrong party or under the wrong pack, and whose findings go into this one.
        organisation_id : str
            Whom a case that is split from another is about, where it is not the organisation of the site: a tenant.
        reason : str
            Why it is split from that.

        Returns
        -------
        Done

        Raises
        ------
        HeadframeError
            If there is no such site, pack or finding, or nothing to rest a case on.
        """
        from headframe.cases.machine import act as decide
        from headframe.casework.kept_packs import keep_pack
        from headframe.casework.resolved_again import assign, at_another_site

        pack = self.pack(pack_id)
        site = self.store.site(site_id)
        if site is None:
            raise HeadframeError(f"site {site_id!a} is not in the registry; headframe sites import FILE adds some")
        if not split_from and (organisation_id or reason):
            raise HeadframeError(
                "only a case that is split from another names its organisation and a reason (--split-from CASE); else "
                "the registry says whose the site is"
            )
        if organisation_id and self.store.organisation(organisation_id) is None:
            raise HeadframeError(
                f"there is no organisation {organisation_id!a} in the registry. Import it first, if it is right "
                f"(headframe sites import)"
            )
        if split_from and not finding_ids:
            raise HeadframeError(
                f"name the findings of case {split_from} that go into the new one (--finding ID); those without a case "
                f"are none of it"
            )
        party = organisation_id or site.organisation_id or ""
        organisation = self.store.organisation(party) if party else None
        # What was put down to the wrong site goes with the case that is split for the right one.
        elsewhere = at_another_site(self, finding_ids) if split_from else ()
        moving = {finding_id: (finding_id, was, now) for finding_id, was, now in elsewhere if now == site_id}
        found = self._findings_of(site_id, finding_ids, moving)
        usage_points = tuple(
            dict.fromkeys(one.value for one in self.store.assignments(site_id) if one.kind.value == "usage_point")
        )
        keep_pack(pack, self.paths.packs)
        for attempt in range(ATTEMPTS):
            earlier = self.case(recurrence_of or split_from) if recurrence_of or split_from else None
            if attempt:
                # Somebody else may have opened a case on them meanwhile.
                found = self._findings_of(site_id, finding_ids, moving)
            held = self.store.holders(found)
            linked = recurs_from(self, recurrence_of)
            if reasons := tried_before(
                self, found, held, linked, party=party, named=bool(finding_ids), split_from=split_from
            ):
                return Done(answer=Refused(reasons=reasons))
            now = self._not_before(max(one.ref.ended_ns for one in found))
            year = datetime.fromtimestamp(now // NS_PER_S, tz=UTC).year
            looked = self._registers_say(site_id, party, usage_points, found, pack, now)
            try:
                with self.store.writing() as writer:
                    # Before the number: whoever holds one of both waits for nothing else.
                    self._lock_findings(writer, found, held, free=not finding_ids)
                    # The number belongs to this transaction: where it ends without a case, the number is free again.
                    case_id = self._next_number(writer, year)
                    opening = OpenCase(
                        case_id=case_id,
                        pack_id=pack.id,
                        pack_version=pack.version,
                        pack_digest=pack.digest,
                        site_id=site_id,
                        site_kind=site.kind.value,
                        region=site.region or "",
                        organisation_id=party,
                        organisation_name=organisation.name if organisation is not None else "",
                        site_name=site.name,
                        usage_points=usage_points,
                        findings=tuple(one.ref for one in found),
                        summary=summary or summary_of(found),
                        recurrence_of=recurrence_of,
                        split_from=split_from,
                        reason=reason,
                    )
                    first = decide(earlier, opening, account, pack, now)
                    second: Accepted | Refused = first
                    if isinstance(first, Accepted):
                        second = decide(first.case, looked, account, pack, now, self.clocks_of(first.case, now))
                    if isinstance(first, Refused) or isinstance(second, Refused):
                        raise _NotDone(Done(answer=second))
                    answer = Accepted(
                        case=second.case,
                        events=(*first.events, *second.events),
                        commands=(*first.commands, *second.commands),
                    )
                    self._put(writer, answer, self._around(answer, known=frozenset()))
                    if moving:
                        assign(self, writer, account, {"case": case_id}, moving.values(), in_cases=True)
            except _NotDone as refusal:
                return refusal.done
            except StaleCase as fault:
                self._lost_a_race(attempt, fault)
                continue
            self._hand_over_act()
            return self._carried_out(answer)
        raise AssertionError("unreachable")

    def _next_number(self, writer: Writer, year: int) -> str:
        """A number that no case has ever had: also none that the log knows, and the database has lost."""
        self.held.logged.catch_up()
        while self.held.logged.knows(case_id := f"HF-{year}-{writer.next_case_number(year):06d}"):
            pass
        return case_id

    def _still_stands_behind(self, case: Case, act: Approve) -> Refused | None:
        """A refusal where the proposer's account has been disabled: it may be because somebody else used it."""
        proposer = next(one.proposer for one in case.proposals if one.number == act.proposal)
        stored = self.held_account(proposer)
        if stored is None or stored.enabled:
            return None
        reason = (
            f"account {proposer}, which proposed {act.proposal}, has been disabled since; reject the proposal, and let "
            "another account propose it again if it is right"
        )
        return Refused(reasons=(reason,))

    def _hand_over_act(self) -> None:
        """Hand an act that is written to the ledger; where that fails, nobody must think that it was not done."""
        try:
            self.hand_over()
        except AlteredRecord:
            raise  # it stays out of the ledger
        except HeadframeError as fault:
            kind = NotWritten if isinstance(fault, NotWritten) else HeadframeError
            raise kind(
                f"the act is in the database, and not in the ledger yet: {str(fault).removesuffix('.')}. Do not do it "
                "again: it goes to the ledger before anything else when the workspace is opened next, and is done then"
            ) from fault

    def _lost_a_race(self, attempt: int, fault: StaleCase) -> None:
        """Wait a little, at random, so that two who meet do not meet again; the last attempt is told."""
        self._ours.clear()
        if attempt == ATTEMPTS - 1:
            raise fault
        time.sleep(secrets.randbelow(LONGEST_WAIT_MS << min(attempt, 5)) / 1_000)

    def add_findings(self, account: Account, case_id: str, finding_ids: Sequence[str] = ()) -> Done:
        """Add findings of the same site to a case; without ids, every one of the site that has no case."""
        found: list[StoredFinding] = []
        held: list[FindingHolder] = []

        def asked() -> AddFindings:
            # Each time anew: somebody else may have taken them into a case meanwhile.
            found[:] = self._findings_of(self.case(case_id).site_id, finding_ids)
            held[:] = self.store.holders(found)
            linked = recurs_from(self, case_id) - {case_id}
            party = self.case(case_id).organisation_id
            if reasons := tried_before(self, found, held, linked, party=party, own=case_id, named=bool(finding_ids)):
                raise _NotDone(Done(answer=Refused(reasons=reasons)))
            return AddFindings(findings=tuple(one.ref for one in found))

        try:
            return self._performed(
                account,
                case_id,
                asked,
                first=lambda writer, _act: self._lock_findings(writer, found, held, free=not finding_ids),
            )
        except _NotDone as refusal:
            return refusal.done

    @staticmethod
    def _lock_findings(
        writer: Writer, found: Sequence[StoredFinding], held: Iterable[FindingHolder], *, free: bool
    ) -> None:
        """Nobody else takes findings into a case until this transaction ends; what was so of them must still be so.

        Parameters
        ----------
        writer : Writer
        found : sequence of StoredFinding
        held : iterable of FindingHolder
            Cases that rested on them when this was decided.
        free : bool
            Whether they were chosen because none did.

        Raises
        ------
        StaleCase
            If a case rests on one of them since, or such a case has changed.
        """
        writer.lock_findings()
        if free and (taken := writer.in_cases(one.ref.finding_id for one in found)):
            raise StaleCase(f"finding {taken[0]} came into a case meanwhile. Read again and decide again.")
        now = writer.holders(found)
        if changed := set(now) ^ set(held):
            raise StaleCase(
                f"case {min(one.case_id for one in changed)}, which has to do with these findings, changed meanwhile. "
                f"Read again and decide again."
            )

    def _not_right_for_others(self, case: Case, act: ProposeCorrection) -> Refused | None:
        """A refusal where a correction is not right for what lies outside the case.

        It gives the site a usage point, an organisation or a name that the registry does not know; or the case would be
        about one that was found right on its findings, or other than the one that they stand held against.
        """
        field = act.field.partition(".")[0]
        if act.event != 1 or field not in ("usage_points", "organisation_id", "organisation_name", "site_name"):
            return None
        right = corrected_act(right_acts(case).get(1, case.events[0].act), act.field, act.value)
        assert isinstance(right, OpenCase)
        if field == "organisation_id":
            holders = self.store.holders(self._findings_in(case))
            if again := tried_by_a_correction(self, case, holders, right.organisation_id):
                return Refused(reasons=again)
            if not right.organisation_id or self.store.organisation(right.organisation_id) is not None:
                return None
            reason = f"there is no organisation {right.organisation_id!a} in the registry"
        elif field != "usage_points":
            # By another name it would be another party.
            of_site = field == "site_name"
            known = self.store.site(case.site_id) if of_site else self.store.organisation(case.organisation_id)
            if known is not None and known.name == act.value:
                return None
            whose = f"site {case.site_id}" if of_site else f"organisation {case.organisation_id}"
            says = "does not have it" if known is None else f"says {known.name!a}"
            reason = f"{act.value!a} is not the name of {whose} in the registry, which {says}"
        else:
            assigned = self.store.assignments(case.site_id)
            points = {one.value for one in assigned if one.kind is AssignmentKind.USAGE_POINT}
            strange = [one for one in right.usage_points if one not in points and one not in case.usage_points]
            if not strange:
                return None
            named = ", ".join(sorted(points)) or "none"
            reason = f"{strange[0]!a} is no usage point of site {case.site_id} in the registry; those are {named}"
        return Refused(reasons=(f"{reason}. Import it first, if it is right (headframe sites import)",))

    def look_up(self, account: Account, case_id: str) -> Done:
        """Look the site of a case up in the registers of lawful mining, and record what they say."""
        case = self.case(case_id)
        found = self._findings_in(case)
        asked = self._registers_say(
            case.site_id, case.organisation_id, case.usage_points, found, self.pack_of(case), self.now_ns()
        )
        return self.perform(account, case_id, asked)

    def _registers_say(
        self,
        site_id: str,
        organisation_id: str,
        usage_points: Sequence[str],
        found: Sequence[StoredFinding],
        pack: Pack,
        now: int,
    ) -> LookUpLawful:
        """What the registers of lawful mining say of a site over the time for which its findings claim mining."""
        from headframe.reports.case_documents.held import claimed_from
        from headframe.sites.lawful import look_up

        telling = [one for one in found if one.ref.mining] or list(found)
        started = min(claimed_from(one.ref, one.document) for one in telling)
        entries, registers = held_registers(
            self, site_id=site_id, organisation_id=organisation_id, usage_points=usage_points
        )
        answer = look_up(
            entries,
            site_id=site_id,
            organisation_id=organisation_id,
            usage_points=tuple(dict.fromkeys(one.ref.subject for one in telling if one.ref.subject in usage_points)),
            from_ns=started,
            until_ns=max(started + 1, *(one.ref.ended_ns for one in telling)),
            power_w=power_of(found),
            register_states=registers,
            now_ns=now,
            zone=zone_of(pack),
        )
        # That there was nobody to ask is an answer too, and must be seen in it.
        return answer if answer.registers else replace(answer, registers=(NO_REGISTER,))

    def view(self, case_id: str) -> CaseView:
        """Everything that a screen shows of a case."""
        from headframe.casework.view import view_of

        return view_of(self, case_id)

    def import_findings(
        self,
        paths: Iterable[Path],
        *,
        realm: str = "",
        logs: RegistryFiles | None = None,
        account: Account | None = None,
        progress: Callable[[ImportedFile], None] | None = None,
    ) -> list[ImportedFile]:
        """Findings of files into the store: resolved to sites, each once.

        Parameters
        ----------
        paths : iterable of Path
            What ``headframe scan`` or ``headframe meters`` wrote, JSON or JSON Lines.
        realm : str
            Network in which private addresses are meant.
        logs : RegistryFiles or None
            Leases and NAT logs that lead from an address to a place.
        account : Account or None
            Who imports.
        progress : callable
            Called after each file.

        Returns
        -------
        list of ImportedFile

        Raises
        ------
        UnreadableInput
            If a file cannot be read. What came before it is kept: an import can be repeated.
        """
        from headframe.casework.resolved_again import last_sites_import, resolve_again

        table = last_sites_import(self)
        registry = self.registry(logs)
        done: list[ImportedFile] = []
        for path in paths:
            refuse_no_file(path)
            moved = 0
            try:
                told = import_file(self, path, registry, realm=realm, registry_only=logs is None, account=account)
            finally:
                # Whoever imported a table of sites meanwhile has not seen all of these findings, and this registry is
                # the one of before.
                while (now := last_sites_import(self)) != table:
                    table, registry = now, self.registry(logs)
                    moved += resolve_again(self, account, table).changed
            told.moved = moved
            done.append(told)
            if progress is not None:
                progress(told)
        return done

    def draft_document(
        self,
        case_id: str,
        kind: DocumentKind,
        *,
        language: str = "",
        subject: str = "",
        account: Account | None = None,
        draft: bool = True,
    ) -> tuple[KeptDocument, ...]:
        """Write a document of a case as PDF and HTML, for an act that is still to be decided (`perform`).

        Returns
        -------
        tuple of KeptDocument
            The PDF first. Their bytes are kept; the case does not know of them yet.
        """
        from headframe.casework.writing import written

        file = self.case_file(case_id)
        now = self._not_before(file.case.last_ns)
        language = language or self.language_of(file.case)
        return tuple(
            KeptDocument(ref=ref, language=language, created_ns=now)
            for ref in written(
                self, file, kind, language=language, subject=subject, now_ns=now, account=account, draft=draft
            )
        )

    def write_document(
        self,
        case_id: str,
        kind: DocumentKind,
        *,
        language: str = "",
        subject: str = "",
        account: Account | None = None,
        event: int | None = None,
    ) -> tuple[KeptDocument, ...]:
        """Write a document of a case as PDF and HTML, and keep both with it; people send it.

        `language` is that of `language_of` where it is empty. `event` is the number of the event that asked for the
        document, such as the approval of a letter: by it, later documents know what the party holds.

        Returns
        -------
        tuple of KeptDocument
            The PDF first.
        """
        drafts = self.draft_document(case_id, kind, language=language, subject=subject, account=account, draft=False)
        kept = tuple(replace(one, event=event) for one in drafts)
        around = self._documents_around(kept, case_id, kept[0].created_ns)
        with self.store.writing() as writer:
            around.write(writer, case_id)
        self.hand_over()
        return kept

    def measure_again(
        self,
        case_id: str,
        *,
        captures: Sequence[str] = (),
        findings: Sequence[Path] = (),
        watch: Sequence[Path] = (),
        readings: Sequence[Path] = (),
        columns: str | None = None,
        topology: Sequence[Path] = (),
        weather: Path | None = None,
        until_ns: int | None = None,
        scan: Callable[[Sequence[str]], ScanResult] | None = None,
        talk: Callable[[str], None] = lambda _line: None,
    ) -> Measurement:
        """Measure a case's site again from new data; nothing is recorded by that.

        Parameters
        ----------
        case_id : str
        captures, findings, watch, readings, topology : sequence of path
            See `headframe.remeasure.RemeasureFiles`.
        columns : str or None
            Our names for the readings' columns.
        weather : Path or None
        until_ns : int or None
            Up to when there is data; now if not given. [ns since 1970-01-01 UTC]
        scan : callable
            Finds mining in captures.
        talk : callable
            Takes a line about what goes on.

        Returns
        -------
        Measurement
        """
        from headframe.meters import MeterFiles
        from headframe.remeasure import RemeasureFiles, register_facts, remeasure, windows_of

        file = self.case_file(case_id)
        case = file.case
        pack = self.pack_of(case)
        windows = windows_of(
            case, pack.verification, file.finding_documents, self.now_ns() if until_ns is None else until_ns
        )
        lawful, registers = held_registers(
            self, site_id=case.site_id, organisation_id=case.organisation_id, usage_points=case.usage_points
        )
        meters = MeterFiles(
            readings=tuple(readings), columns=columns, topology=tuple(topology), weather=weather, zone=zone_of(pack),
            zone_name=pack.time_zone, country=pack.country,
        )  # fmt: skip
        return remeasure(
            case,
            self.registry(),
            self.store.assignments(case.site_id),
            pack.verification,
            windows,
            RemeasureFiles(
                captures=tuple(captures),
                findings=tuple(findings),
                watch=tuple(watch),
                meters=meters if readings else None,
                registers=register_facts(pack.verification, lawful, registers, windows),
            ),
            documents=file.finding_documents,
            stored=found_since(self, case),
            scan=scan,
            zone=zone_of(pack),
            now_ns=self.now_ns(),
            talk=talk,
        )

    def register_entries(
        self, *, text: str = "", organisation_id: str = "", site_id: str = "", expired: bool = False
    ) -> tuple[RegisterEntry, ...]:
        """Entries of the register of decisions that hold now: not removed, not expired; or all of them.

        A removed or expired entry shows its number and when it left, and nothing of what it said.

        Raises
        ------
        AlteredRecord
            If the database says something else of one of them than the log.
        """
        now = self.now_ns()
        wanted = {"organisation_id": organisation_id, "site_id": site_id, "text": text}
        # Nobody reads a part of the register and takes it for all of it.
        most = REGISTER_LIMIT if any(wanted.values()) else None
        entries = right_entries(self, lambda: self.store.register(**wanted, limit=most))
        by_name = bool(organisation_id or site_id or text.strip())
        number = text.strip().casefold()
        # What is over is found by its number alone: that a name finds it would tell whose it was.
        found = [
            shown
            for entry in entries
            if (shown := without_content(entry, now)) is entry
            or not by_name
            or (number and entry.entry_id.casefold().startswith(number))
        ]
        return tuple(entry for entry in found if expired or entry.removed_ns is None)

    def language_of(self, case: Case) -> str:
        """The language of a case's documents where none is named.

        That of the letter or decision that reached the party last; before any has, that of the one approved last; the
        pack's own where there is none. What is only proposed counts for nothing. English where no document can be
        written in that.
        """
        from headframe.reports.case_documents.speech import LANGUAGES

        acts = {one.number: one.act for one in case.proposals}
        reached = [(one.received_ns, one.proposal) for one in case.notices]
        reached += [(one.received_ns, one.number) for one in case.decisions if one.received_ns is not None]
        approved = [(one.settled or 0, one.number) for one in case.proposals if one.state is ProposalState.APPROVED]
        said = [
            act.language
            for _when, number in (*sorted(approved), *sorted(reached))
            if isinstance(act := acts.get(number), ProposeNotice | ProposeDecision | ProposeClosure) and act.language
        ]
        language = said[-1] if said else self.pack_of(case).language
        return language if language.partition("-")[0] in LANGUAGES else "en"

    def says_where_to_answer(self, case_id: str) -> bool:
        """Whether a letter to the party can say where to answer."""
        from headframe.reports.case_documents.addresses import answer_is_known

        file = self.case_file(case_id)
        return answer_is_known(file, self.pack_of(file.case), Step.NOTIFY)

    def _language_asked(self, answer: Accepted) -> str:
        """The language that an approved proposal named for its document, else that of the case."""
        act = answer.events[-1].act
        if isinstance(act, Approve):
            proposed = next(one.act for one in answer.case.proposals if one.number == act.proposal)
            if named := getattr(proposed, "language", ""):
                return str(named)
        return self.language_of(answer.case)

    def _put(self, writer: CaseWriter, answer: Accepted, around: Around) -> None:
        """An accepted act: events, clocks, leaves, documents, register. The caller's transaction holds it together."""
        case = answer.case
        writer.append(answer.events, case, self.clocks_of(case, answer.events[-1].at_ns))
        for event in answer.events:
            number = f"{event.case_id}/{event.number}"
            writer.log(
                self.sealed(
                    leaf_name(event.case_id, event.number), "case", number, event.at_ns, sealed_fields(event),
                    data_class="case", case_id=event.case_id,
                )
            )  # fmt: skip
        around.write(writer, case.case_id)

    def _around(
        self, answer: Accepted, drafts: Sequence[KeptDocument] = (), known: frozenset[str] | None = None
    ) -> Around:
        """What an accepted act adds beside its events; everything that must be read for it is read here, before."""
        case, now = answer.case, answer.events[-1].at_ns
        kept = [replace(draft, event=answer.events[-1].number) for draft in drafts]
        kept += [
            KeptDocument(ref=ref, language="", created_ns=event.at_ns, event=event.number)
            for event in answer.events
            for ref in documents_in(event.act)
        ]
        around = self._documents_around(kept, case.case_id, now, known)
        for command in answer.commands:
            if isinstance(command, EnterRegister):
                entry = entry_for(case, command, self.pack_of(case), f"R-{secrets.token_hex(6)}")
                around.register.append(entry)
                around.leaves.append(state_leaf(self, entry.entry_id, entry, now))
            elif isinstance(command, NoteAppealInRegister):
                # The event of the appeal, or of the answer, is its leaf; the entry is written anew beside it, in the
                # same transaction.
                noted = [
                    replace(entry, appeal=appeal_standing(case, command.decision, unweighed=command.unweighed))
                    for entry in self._entries_of(case, command.decision)
                    # An expired one says nothing any more, and retention may have emptied it.
                    if entry.expires_ns is None or entry.expires_ns > now
                ]
                around.register += noted
                around.leaves += [state_leaf(self, entry.entry_id, entry, now) for entry in noted]
            elif isinstance(command, RemoveFromRegister):
                for entry in self._entries_of(case, command.decision):
                    removed = replace(entry, removed_ns=now, removal_reason=command.reason)
                    around.register.append(removed)
                    around.leaves.append(state_leaf(self, removed.entry_id, removed, now))
                    around.leaves.append(
                        self.sealed(
                            f"register/{entry.entry_id}/removed",
                            "register",
                            entry.entry_id,
                            now,
                            {"removed": True, "reason": command.reason},
                            data_class="case",
                            case_id=case.case_id,
                        )
                    )
        return around

    def _entries_of(self, case: Case, decision: int) -> list[RegisterEntry]:
        def read() -> list[RegisterEntry]:
            # By its words too: retention has emptied one that has expired of its site.
            found = (*self.store.register(site_id=case.site_id), *self.store.register(text=case.case_id))
            return [
                entry
                for entry in dict.fromkeys(found)
                if entry.case_id == case.case_id and entry.decision == decision and entry.removed_ns is None
            ]

        return list(right_entries(self, read))

    def _carried_out(self, answer: Accepted) -> Done:
        """What the machine asks the outside to do, after the act is durable. A fault here does not undo the act."""
        from headframe.casework.sites import purge_contacts

        documents: list[KeptDocument] = []
        faults: list[str] = []
        for command in answer.commands:
            try:
                if isinstance(command, WriteDocument):
                    documents += self.write_document(
                        answer.case.case_id,
                        command.kind,
                        language=self._language_asked(answer),
                        subject=command.subject,
                        event=answer.events[-1].number,
                    )
                elif isinstance(command, PurgeContacts):
                    purge_contacts(self, answer.case)
            except Exception as fault:  # the act is done, and whoever did it must hear that first
                if isinstance(command, WriteDocument):
                    again = f"headframe case document {answer.case.case_id} {command.kind}"
                    faults.append(
                        f"the act is done, and its {command.kind} could not be written: {fault}. Write it: {again}"
                    )
                else:
                    faults.append(f"the act is done, and {type(command).__name__} is still to be done: {fault}")
        return Done(answer=answer, documents=tuple(documents), faults=tuple(faults))
