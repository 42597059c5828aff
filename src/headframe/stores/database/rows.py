"""Records to rows and back."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import zstandard
from sqlalchemy import RowMapping

from headframe.cases.codec import act_from_json, act_to_json
from headframe.cases.store import (
    AccessEntry,
    CaseRow,
    Disclosure,
    StoredAccount,
    StoredFinding,
)
from headframe.policy.clocks import binding
from headframe.records.case import (
    Account,
    Act,
    Case,
    CaseEvent,
    DecisionOutcome,
    DocumentRef,
    Duty,
    FindingRef,
    KeptDocument,
    RegisterEntry,
    Stage,
)
from headframe.records.finding import Family
from headframe.records.lawful import Contact, ContactRole, LawfulEntry, LawfulKind
from headframe.records.policy import Basis, Clock, ClockState, PartyStanding, RightKind
from headframe.records.site import Assignment, AssignmentKind, Organisation, Site, SiteKind, SourceRow
from headframe.stores.database.tables import OPEN_FROM, OPEN_UNTIL

Row = dict[str, Any]

ZSTD_LEVEL = 3
"""Findings of 2 kB shrink to about two fifths at 3; 9 takes three times as long for a tenth more."""
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


LATER_NS = 30 * 86_400 * 10**9
"""How much later a right of appeal may end when the days off of that year are published: more than any of their weeks
together. What is destroyed a month later harms nobody; a day too early, it may. [ns]"""


class DocumentPacker:
    """Findings' documents as bytes and back; not to be shared by threads."""

    def __init__(self) -> None:
        self._pack = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        self._unpack = zstandard.ZstdDecompressor()

    def pack(self, document: Mapping[str, object]) -> bytes:
        """JSON with sorted keys, in a zstd frame where that is shorter.

        Raises
        ------
        TypeError
            If the document has values that JSON does not know.
        """
        plain = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        packed = self._pack.compress(plain)
        return packed if len(packed) < len(plain) else plain

    def unpack(self, kept: bytes) -> dict[str, object]:
        """The document again."""
        plain = self._unpack.decompress(kept) if kept.startswith(_ZSTD_MAGIC) else kept
        document: dict[str, object] = orjson.loads(plain)
        return document


def fold(word: str) -> str:
    """A word as it is searched: without differences of case and width (Unicode NFKC)."""
    return unicodedata.normalize("NFKC", word).casefold().strip()


def after_prefix(prefix: str) -> str:
    """A text behind all that begin with the prefix, in order of code points."""
    return prefix + "\U0010ffff"


def listed(values: Iterable[str]) -> str:
    """Texts as a JSON list."""
    return json.dumps(list(values), ensure_ascii=False)


def unlisted(text: str) -> tuple[str, ...]:
    """Texts of a JSON list."""
    return tuple(json.loads(text))


def _since(value: int | None) -> int:
    return OPEN_FROM if value is None else value


def _until(value: int | None) -> int:
    return OPEN_UNTIL if value is None else value


def _bound(value: int) -> int | None:
    return None if value in (OPEN_FROM, OPEN_UNTIL) else value


def _source(row: RowMapping) -> SourceRow:
    return SourceRow(row["source_file"], row["source_row"])


def row_of_site(site: Site) -> Row:
    """Write a site as a row."""
    return {
        "site_id": site.site_id,
        "name": site.name,
        "kind": site.kind.value,
        "organisation_id": site.organisation_id,
        "region": site.region,
        "latitude": site.latitude,
        "longitude": site.longitude,
        "valid_from_ns": _since(site.valid_from_ns),
        "valid_until_ns": _until(site.valid_until_ns),
        "source_file": site.source.file,
        "source_row": site.source.row,
    }


def site_of(row: RowMapping) -> Site:
    """Read a site from its row."""
    return Site(
        site_id=row["site_id"],
        name=row["name"],
        kind=SiteKind(row["kind"]),
        organisation_id=row["organisation_id"],
        region=row["region"],
        latitude=row["latitude"],
        longitude=row["longitude"],
        valid_from_ns=_bound(row["valid_from_ns"]),
        valid_until_ns=_bound(row["valid_until_ns"]),
        source=_source(row),
    )


def organisation_of(row: RowMapping) -> Organisation:
    """Read an organisation from its row."""
    return Organisation(organisation_id=row["organisation_id"], name=row["name"])


def row_of_assignment(assignment: Assignment) -> Row:
    """Write an assignment as a row."""
    return {
        "kind": assignment.kind.value,
        "value": assignment.value,
        "realm": assignment.realm,
        "site_id": assignment.site_id,
        "valid_from_ns": _since(assignment.valid_from_ns),
        "valid_until_ns": _until(assignment.valid_until_ns),
        "source_file": assignment.source.file,
        "source_row": assignment.source.row,
    }


def assignment_of(row: RowMapping) -> Assignment:
    """Read an assignment from its row."""
    return Assignment(
        kind=AssignmentKind(row["kind"]),
        value=row["value"],
        site_id=row["site_id"],
        realm=row["realm"],
        valid_from_ns=_bound(row["valid_from_ns"]),
        valid_until_ns=_bound(row["valid_until_ns"]),
        source=_source(row),
    )


def row_of_lawful(entry: LawfulEntry) -> Row:
    """Write an entry of a register of lawful mining as a row."""
    return {
        "register": entry.register,
        "entry_id": entry.entry_id,
        "kind": entry.kind.value,
        "site_id": entry.site_id,
        "organisation_id": entry.organisation_id,
        "usage_point": entry.usage_point,
        "scope": entry.scope,
        "power_limit_w": entry.power_limit_w,
        "proof": entry.proof,
        "valid_from_ns": _since(entry.valid_from_ns),
        "valid_until_ns": _until(entry.valid_until_ns),
        "source_file": entry.source.file,
        "source_row": entry.source.row,
    }


def lawful_of(row: RowMapping) -> LawfulEntry:
    """Read an entry of a register of lawful mining from its row."""
    return LawfulEntry(
        entry_id=row["entry_id"],
        kind=LawfulKind(row["kind"]),
        register=row["register"],
        site_id=row["site_id"],
        organisation_id=row["organisation_id"],
        usage_point=row["usage_point"],
        scope=row["scope"],
        power_limit_w=row["power_limit_w"],
        proof=row["proof"],
        valid_from_ns=_bound(row["valid_from_ns"]),
        valid_until_ns=_bound(row["valid_until_ns"]),
        source=_source(row),
    )


def row_of_contact(contact: Contact) -> Row:
    """Write a sealed contact as a row."""
    return {
        "contact_id": contact.contact_id,
        "role": contact.role.value,
        "channel": contact.channel,
        "sealed_address": contact.sealed_address,
        "key_id": contact.key_id,
        "site_id": contact.site_id,
        "organisation_id": contact.organisation_id,
    }


def contact_of(row: RowMapping) -> Contact:
    """Read a sealed contact from its row."""
    return Contact(
        contact_id=row["contact_id"],
        role=ContactRole(row["role"]),
        channel=row["channel"],
        sealed_address=bytes(row["sealed_address"]),
        key_id=row["key_id"],
        site_id=row["site_id"],
        organisation_id=row["organisation_id"],
    )


def row_of_finding(finding: StoredFinding, packer: DocumentPacker) -> Row:
    """A finding as a row; `in_case` is left to the writer."""
    return {**_columns_of(finding), "in_case": False, "document": packer.pack(finding.document)}


def _columns_of(finding: StoredFinding) -> Row:
    ref = finding.ref
    strange = math.isnan(ref.log10_e)
    return {
        "finding_id": ref.finding_id,
        "rank": math.inf if strange else -ref.log10_e,
        "log10_e": None if strange else ref.log10_e,
        "site_id": finding.site_id,
        "subject": ref.subject,
        "family": ref.family.value,
        "detector": ref.detector,
        "version": ref.version,
        "coin": finding.coin,
        "started_ns": ref.started_ns,
        "ended_ns": ref.ended_ns,
        "mining": ref.mining,
        "import_id": finding.import_id,
        "sha256": ref.sha256,
    }


def finding_of(row: RowMapping, packer: DocumentPacker) -> StoredFinding:
    """Read a finding from its row."""
    return StoredFinding(
        ref=FindingRef(
            finding_id=row["finding_id"],
            family=Family(row["family"]),
            detector=row["detector"],
            version=row["version"],
            subject=row["subject"],
            log10_e=math.nan if row["log10_e"] is None else row["log10_e"],
            started_ns=row["started_ns"],
            ended_ns=row["ended_ns"],
            sha256=row["sha256"],
            mining=row["mining"],
        ),
        site_id=row["site_id"],
        coin=row["coin"],
        import_id=row["import_id"],
        document=packer.unpack(bytes(row["document"])),
        mark=bytes(row["mark"] or b""),
    )


MARKED = (
    "finding_id", "site_id", "subject", "family", "detector", "version", "coin", "started_ns", "ended_ns", "mining",
    "import_id", "sha256",
)  # fmt: skip
"""Columns of a finding that its mark is of, beside the strength of its evidence."""


def marked_text(row: Mapping[str, Any] | RowMapping) -> bytes:
    """What the mark of a finding is of.

    Parameters
    ----------
    row : mapping
        With the columns of `MARKED`, and ``log10_e``.

    Returns
    -------
    bytes
    """
    strength = row["log10_e"]
    # SQLite keeps no minus before a zero.
    told = None if strength is None else repr(float(strength) + 0.0)
    return orjson.dumps([told, *(row[name] for name in MARKED)])


def marked_text_of(finding: StoredFinding) -> bytes:
    """The same of a finding that was read."""
    return marked_text(_columns_of(finding))


def soonest(clocks: Iterable[Clock]) -> Clock | None:
    """The running clock that is due first."""
    running = [clock for clock in clocks if clock.state is ClockState.RUNNING and clock.due_ns is not None]
    return min(running, key=lambda clock: (clock.due_ns, clock.id), default=None)


def outcome_of(case: Case) -> str | None:
    """Outcome of the last decision that stands."""
    standing = [decision.act.outcome.value for decision in case.decisions if not decision.set_aside]
    return standing[-1] if standing else None


def counts_from(case: Case, clocks: Iterable[Clock]) -> int | None:
    """From when the periods count of what belongs to a case.

    Parameters
    ----------
    case : Case
    clocks : iterable of Clock
        Of this case.

    Returns
    -------
    int or None
        Its closure, or the end of the last right of appeal where that is later. None while it is open, while a right
        of appeal stands still, or has not begun because the party was not served what was decided against it.
        [ns since 1970-01-01 UTC]
    """
    # A closed case with a late appeal that nobody has judged is not over: nothing of it goes before that.
    if case.closed_ns is None or case.stage is not Stage.CLOSED:
        return None
    ends = [case.closed_ns]
    decision = next((one for one in reversed(case.decisions) if not one.set_aside), None)
    unserved = decision is not None and decision.received_ns is None
    against = decision is not None and decision.act.outcome is DecisionOutcome.CONFIRMED
    for clock in clocks:
        if clock.id.partition("-")[0] != RightKind.APPEAL:
            continue
        if clock.state is ClockState.NOT_STARTED:
            if against and unserved:
                return None
        elif clock.state is not ClockState.STOPPED:
            if clock.due_ns is None or clock.state is ClockState.PAUSED:
                return None
            ends.append(clock.due_ns + (LATER_NS if clock.provisional else 0))
    return max(ends)


def row_of_case(case: Case, clocks: Iterable[Clock], coin: str = "") -> Row:
    """What lists show of a case; its coin is told by the findings' rows."""
    clocks = tuple(clocks)
    first = soonest(binding(case, clocks))
    return {
        "case_id": case.case_id,
        "site_id": case.site_id,
        "organisation_id": case.organisation_id,
        "region": case.region,
        "site_kind": case.site_kind,
        "pack_id": case.pack_id,
        "stage": case.stage.value,
        "standing": case.standing.value,
        "opened_ns": case.opened_ns,
        "last_ns": case.last_ns,
        # A closed case with a late appeal that nobody has judged is not over: nothing of it goes before that.
        "closed_ns": case.closed_ns if case.stage is Stage.CLOSED else None,
        "closure": None if case.closure is None else case.closure.value,
        "outcome": outcome_of(case),
        "version": case.version,
        "families": listed(sorted({finding.family.value for finding in case.findings})),
        "detectors": listed(sorted({finding.detector for finding in case.findings})),
        "coin": coin,
        "next_clock": "" if first is None else first.id,
        "next_due_basis": "" if first is None else first.basis.value,
        "next_due_ns": None if first is None else first.due_ns,
        "due_rank": OPEN_UNTIL if first is None else first.due_ns,
        "last_rank": -case.last_ns,
        "on_hold": case.on_hold,
        "pack_digest": case.pack_digest,
        "counts_from_ns": counts_from(case, clocks),
    }


def case_row_of(row: RowMapping) -> CaseRow:
    """Read a row of the list of cases from its row."""
    return CaseRow(
        case_id=row["case_id"],
        site_id=row["site_id"],
        site_name=row["site_name"] or row["site_id"],
        organisation_id=row["organisation_id"],
        organisation_name=row["organisation_name"] or row["organisation_id"],
        region=row["region"],
        site_kind=row["site_kind"],
        pack_id=row["pack_id"],
        stage=Stage(row["stage"]),
        standing=PartyStanding(row["standing"]),
        opened_ns=row["opened_ns"],
        last_ns=row["last_ns"],
        version=row["version"],
        families=unlisted(row["families"]),
        next_clock=row["next_clock"],
        next_due_ns=row["next_due_ns"],
        next_due_basis=row["next_due_basis"],
        on_hold=row["on_hold"],
    )


def row_of_clock(case_id: str, position: int, clock: Clock) -> Row:
    """Write a clock as a row."""
    return {
        "case_id": case_id,
        "position": position,
        "clock": clock.id,
        "state": clock.state.value,
        "started_ns": clock.started_ns,
        "due_ns": clock.due_ns,
        "due_day": clock.due_day,
        "basis": clock.basis.value,
        "ref": clock.ref,
        "explanation": clock.explanation,
        "provisional": clock.provisional,
    }


def clock_of(row: RowMapping) -> Clock:
    """Read a clock from its row."""
    return Clock(
        id=row["clock"],
        state=ClockState(row["state"]),
        started_ns=row["started_ns"],
        due_ns=row["due_ns"],
        due_day=row["due_day"],
        basis=Basis(row["basis"]),
        ref=row["ref"],
        explanation=row["explanation"],
        provisional=row["provisional"],
    )


def text_of_act(act: Act) -> str:
    """What an act says, as JSON."""
    return json.dumps(act_to_json(act), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def event_of(row: RowMapping) -> CaseEvent:
    """Read an event from its row."""
    return CaseEvent(
        case_id=row["case_id"],
        number=row["number"],
        at_ns=row["at_ns"],
        account=row["account"],
        unit=row["unit"],
        act=act_from_json(row["act"], json.loads(row["payload"])),
    )


def row_of_document(document: KeptDocument, case_id: str) -> Row:
    """Write a document's note as a row."""
    ref = document.ref
    return {
        "case_id": case_id,
        "sha256": ref.sha256,
        "name": ref.name,
        "media_type": ref.media_type,
        "kind": ref.kind,
        "size": ref.size,
        "language": document.language,
        "created_ns": document.created_ns,
        "event": document.event,
    }


def document_of(row: RowMapping) -> KeptDocument:
    """Read a document's note from its row."""
    ref = DocumentRef(
        sha256=row["sha256"],
        name=row["name"],
        media_type=row["media_type"],
        kind=row["kind"],
        size=row["size"],
    )
    return KeptDocument(ref=ref, language=row["language"], created_ns=row["created_ns"], event=row["event"])


def row_of_register_entry(entry: RegisterEntry) -> Row:
    """An entry of the register; of a removed one only that it was there."""
    removed = entry.removed_ns is not None
    return {
        "entry_id": entry.entry_id,
        "case_id": entry.case_id,
        "decision": entry.decision,
        "organisation_id": "" if removed else entry.organisation_id,
        "site_id": "" if removed else entry.site_id,
        "outcome": None if removed else entry.outcome.value,
        "legal_basis": listed(() if removed else entry.legal_basis),
        "decided_ns": entry.decided_ns,
        "final_ns": entry.final_ns,
        "expires_ns": entry.expires_ns,
        "appeal": entry.appeal,
        "removed_ns": entry.removed_ns,
        "removal_reason": entry.removal_reason,
    }


def register_entry_of(row: RowMapping) -> RegisterEntry:
    """Read an entry of the register of decisions from its row."""
    outcome = DecisionOutcome.UNDETERMINED if row["outcome"] is None else DecisionOutcome(row["outcome"])
    return RegisterEntry(
        entry_id=row["entry_id"],
        case_id=row["case_id"],
        decision=row["decision"],
        organisation_id=row["organisation_id"],
        site_id=row["site_id"],
        outcome=outcome,
        legal_basis=unlisted(row["legal_basis"]),
        decided_ns=row["decided_ns"],
        final_ns=row["final_ns"],
        expires_ns=row["expires_ns"],
        appeal=row["appeal"],
        removed_ns=row["removed_ns"],
        removal_reason=row["removal_reason"],
    )


def row_of_account(account: StoredAccount) -> Row:
    """Write an account as a row."""
    return {
        "name": account.account.name,
        "unit": account.account.unit,
        "duties": listed(sorted(duty.value for duty in account.account.duties)),
        "token_sha256": account.token_sha256,
        "enabled": account.enabled,
    }


def account_of(row: RowMapping) -> StoredAccount:
    """Read an account from its row."""
    duties = frozenset(Duty(duty) for duty in unlisted(row["duties"]))
    return StoredAccount(
        account=Account(name=row["name"], unit=row["unit"], duties=duties),
        token_sha256=row["token_sha256"],
        enabled=row["enabled"],
    )


def row_of_access(entry: AccessEntry) -> Row:
    """Write an entry of the access log as a row."""
    return {
        "access_id": entry.access_id,
        "at_ns": entry.at_ns,
        "account": entry.account,
        "what": entry.what,
        "reason": entry.reason,
        "second_account": entry.second_account,
    }


def access_of(row: RowMapping) -> AccessEntry:
    """Read an entry of the access log from its row."""
    return AccessEntry(
        access_id=row["access_id"],
        at_ns=row["at_ns"],
        account=row["account"],
        what=row["what"],
        reason=row["reason"],
        second_account=row["second_account"],
    )


def row_of_disclosure(leaf_id: str, position: int, disclosure: Disclosure) -> Row:
    """Write a disclosure as a row."""
    return {
        "leaf_id": leaf_id,
        "position": position,
        "name": disclosure.name,
        "salt": disclosure.salt,
        "value": json.dumps(disclosure.value, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
    }


def disclosure_of(row: RowMapping) -> Disclosure:
    """Read a disclosure from its row."""
    return Disclosure(name=row["name"], salt=bytes(row["salt"]), value=json.loads(row["value"]))
