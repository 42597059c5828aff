"""Retention of a workspace: what is due, two accounts that agree, and the certificate of what was destroyed."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from headframe.cases.retention import DEFAULT_DAYS, certificate_from_json, certificate_json, default_rules, rules_of
from headframe.cases.store import PendingLeaf
from headframe.casework.accounts import require_duty
from headframe.casework.keys import pseudonyms_of
from headframe.casework.sites import sealer_of
from headframe.casework.workspace import is_own_lake
from headframe.errors import HeadframeError, UnreadableInput
from headframe.records.case import Account, DocumentKind, DocumentRef, Duty, Stage
from headframe.records.retention import (
    DataClass,
    DestructionCertificate,
    RetainedItem,
    RetentionPlan,
    RetentionRule,
    StayingItem,
    pack_name,
)
from headframe.stores.database import retention as stored
from headframe.stores.database.rows import counts_from
from headframe.stores.purge_note import PurgeNote, has_note, one_purge, read_note, remove_note, write_note

if TYPE_CHECKING:
    from headframe.casework.core import Casework
    from headframe.stores.lake_purge import LakePart
    from headframe.stores.purge_note import NotedItem

NS_PER_S = 1_000_000_000
DAY_NS = 86_400 * NS_PER_S
WAIT_S = 5.0
"""For another program that destroys in the same workspace. [s]"""


@dataclass(frozen=True, slots=True)
class Law:
    """By what the things of a workspace are kept.

    Attributes
    ----------
    rules : tuple of RetentionRule
        Ours, and those of each text that a case was opened under.
    lost : frozenset of str
        Packs that cases were opened under and whose text nobody has any more (`pack_name`).
    remarks : tuple of str
        What of the packs could not be used.
    """

    rules: tuple[RetentionRule, ...]
    lost: frozenset[str]
    remarks: tuple[str, ...]


def law(casework: Casework) -> Law:
    """The rules of the very texts that cases were opened under, and our own.

    What the file of a pack says today is for the cases that are opened today.
    """
    every: list[RetentionRule] = []
    remarks: list[str] = []
    lost = set()
    for pack_id, digest in stored.packs_of_cases(casework.store):
        try:
            pack = casework.pack_as_of(pack_id, digest)
        except HeadframeError as fault:
            lost.add(pack_name(pack_id, digest))
            remarks.append(f"nothing of its cases goes: {fault}")
            continue
        own, said = rules_of(pack)
        every += own
        remarks += said
    for pack in casework.packs().values():
        remarks += rules_of(pack)[1]
    return Law((*default_rules(), *every), frozenset(lost), tuple(dict.fromkeys(remarks)))


def plan(casework: Casework, lake: Path | None = None) -> RetentionPlan:
    """What is due now. It destroys nothing; what a run that was cut off had destroyed is certified first.

    Parameters
    ----------
    casework : Casework
    lake : Path or None
        A lake that is kept elsewhere, in place of the workspace's own. The rules are the same; which readings a case
        needs only this workspace knows, so it must be the only one that uses that lake.

    Raises
    ------
    HeadframeError
        If the folder is no lake, or a lake that was named cannot be read. The workspace's own is told of in the plan.
        If another program destroys at this moment, or `certify_cut_off` cannot be done.
    """
    from headframe.stores.lake_purge import lake_parts

    certify_cut_off(casework)
    by, now = law(casework), casework.now_ns()
    readings: tuple[LakePart, ...] = ()
    unreadable = ""
    try:
        folder = _lake_folder(casework, lake)
        readings = lake_parts(folder, **_lake_of(casework, folder, by.rules, now))
    except UnreadableInput as fault:
        if lake is not None:
            raise
        # Addresses, letters and findings must go in time though a file of readings is damaged.
        unreadable = str(fault)
    made = stored.plan(
        casework.store,
        by.rules,
        now,
        extra=pseudonyms_of(casework).retained(),
        readings=readings,
        files=_files(casework),
        lost=by.lost,
        by_events=_by_events(casework),
    )
    if not unreadable:
        return made
    item = RetainedItem(item_id=casework.paths.lake.name, data_class=DataClass.READING, from_ns=None, sha256="")
    why = f"{unreadable}. No reading goes until that is mended"
    return replace(made, stays=(StayingItem(item=item, why=why), *made.stays))


def altered_in(made: RetentionPlan) -> tuple[str, ...]:
    """What of a plan stays because the database does not say what the log does, each case once."""
    return tuple(dict.fromkeys(one.why for one in made.stays if one.why.startswith(stored.ALTERED)))


def _by_events(casework: Casework) -> stored.ByEvents:
    """What the events of cases say of their time, each as it was sealed for the log."""

    def times(case_id: str) -> stored.CaseTimes:
        case = casework.case(case_id)
        closed = case.closed_ns is not None and case.stage is Stage.CLOSED
        return stored.CaseTimes(
            pack=pack_name(case.pack_id, case.pack_digest),
            closed=closed,
            on_hold=case.on_hold,
            counts_from_ns=counts_from(case, casework.clocks_of(case, case.last_ns)) if closed else None,
        )

    return stored.ByEvents(times)


def _files(casework: Casework) -> Iterator[tuple[str, int]]:
    for sha256 in casework.documents.digests():
        # Between the list and the look somebody may have destroyed it.
        if (kept_ns := casework.documents.kept_ns(sha256)) is not None:
            yield sha256, kept_ns


def _lake_folder(casework: Casework, lake: Path | None) -> Path:
    from headframe.stores.lake import is_lake

    if lake is None:
        return casework.paths.lake
    if not is_lake(lake):
        raise UnreadableInput(f"{lake} is no lake of readings; name the folder that headframe meters --lake was given")
    if is_own_lake(lake) and lake.resolve() != casework.paths.lake.resolve():
        other = lake.resolve().parent
        raise HeadframeError(
            f"{lake} is the lake of another workspace, {other}, whose cases and legal holds are not known here; "
            f"nothing was destroyed. Its own retention looks after it: headframe retention run --workspace {other}"
        )
    return lake


class _LakeQuestion(TypedDict):
    """What to ask a lake for: see `headframe.stores.lake_purge.lake_parts`."""

    apart: Collection[str]
    until_s: int
    apart_until_s: int
    certified: Callable[[str, str], bool]


def _lake_of(casework: Casework, folder: Path, known: Sequence[RetentionRule], now_ns: int) -> _LakeQuestion:
    """Which months may be over: by our own rule, and, of usage points that cases need, by any pack's."""
    from headframe.stores.lake import transformers_in

    ours = [one for one in known if not one.pack_id]
    least, of_packs = (stored.cutoffs(some, now_ns)[DataClass.READING] // NS_PER_S for some in (ours, known))
    with casework.store.reading() as db:
        apart = stored.points_apart(db, transformers_in(folder).values())
    return {
        "apart": apart,
        "until_s": least,
        "apart_until_s": of_packs,
        "certified": lambda certificate_id, sha256: stored.is_certified(casework.store, certificate_id, sha256),
    }


def run(
    casework: Casework, proposer: Account, approver: Account, agreed: RetentionPlan, lake: Path | None = None
) -> DestructionCertificate:
    """Destroy what a plan lets go; two administrators must agree.

    Parameters
    ----------
    casework : Casework
    proposer, approver : Account
        Two accounts with the duty to administer.
    agreed : RetentionPlan
        What both were shown.
    lake : Path or None
        The lake that the plan was made for, where it is not the workspace's own.

    Returns
    -------
    DestructionCertificate

    Raises
    ------
    NotAllowed
        If one of them is no administrator.
    HeadframeError
        If both are one, nothing is due, or the database cannot be written; or only readings are due, and the lake
        cannot be. Else they stay, and the certificate says why.
    """
    if not agreed.goes:
        # A certificate that nothing was destroyed certifies nothing, and stands in the ledger for good.
        raise HeadframeError("nothing is due, so there is nothing to destroy and nothing to certify")
    for account in (proposer, approver):
        require_duty(account, Duty.ADMINISTER, "destroying data")
    if proposer.name == approver.name:
        raise HeadframeError(f"two accounts destroy data together; {proposer.name} is one")
    with one_purge(casework.paths.folder, WAIT_S):
        _certify_cut_off(casework)
        return _run(casework, proposer, approver, agreed, lake)


def _run(
    casework: Casework, proposer: Account, approver: Account, agreed: RetentionPlan, lake: Path | None
) -> DestructionCertificate:
    from headframe.stores.lake_purge import ready_to_go, tidy
    from headframe.stores.pseudonym_keys import read_epoch

    now = casework.now_ns()
    by = law(casework)
    folder = _lake_folder(casework, lake)
    certificate_id = f"D-{secrets.token_hex(6)}"

    def begin(items: tuple[NotedItem, ...]) -> None:
        note = PurgeNote(
            certificate_id=certificate_id, at_ns=now, proposer=proposer.name, approver=approver.name, items=items,
            lake=str(folder.resolve()),
        )  # fmt: skip
        write_note(casework.paths.folder, note)

    by_events = _by_events(casework)
    # While the purge asks it again, everybody waits.
    stored.look_ahead(casework.store, agreed, by_events)
    readings = [(one.item.item_id, one.item.sha256) for one in agreed.goes if one.item.data_class is DataClass.READING]
    with contextlib.ExitStack() as stack:
        ready, unready = None, ""
        if readings:
            # The lake is written anew before the transaction begins: it may take minutes, and others wait for that.
            try:
                question = _lake_of(casework, folder, by.rules, agreed.now_ns)
                ready = stack.enter_context(ready_to_go(folder, readings, **question))
            except (OSError, HeadframeError) as fault:
                if len(readings) == len(agreed.goes):
                    raise
                unready = str(fault)
        certificate = stored.purge(
            casework.store,
            agreed,
            by.rules,
            certificate_id=certificate_id,
            at_ns=now,
            proposer=proposer.name,
            approver=approver.name,
            destroyers=stored.Destroyers(
                document=casework.documents.destroy,
                contact_key=lambda key_id: sealer_of(casework).erase([key_id]),
                pseudonym_key=lambda epoch: pseudonyms_of(casework).destroy(read_epoch(epoch), now),
                readings=ready,
                why_no_readings=unready,
                kept_ns=casework.documents.kept_ns,
                begin=begin,
            ),
            leaf=lambda certificate: _leaf_of(casework, certificate, now),
            lost=by.lost,
            by_events=by_events,
        )
        if ready is not None:
            ready.settle()
    remove_note(casework.paths.folder)
    if not readings:
        tidy(folder)
    casework.documents.tidy(now - DEFAULT_DAYS[DataClass.DRAFT] * DAY_NS)
    casework.hand_over()
    return certificate


def _leaf_of(casework: Casework, certificate: DestructionCertificate, at_ns: int) -> PendingLeaf:
    name = certificate.certificate_id
    fields = {"certificate": certificate_json(certificate)}
    return casework.sealed(f"retention/{name}", "retention", name, at_ns, fields, data_class="access")


def certify_cut_off(casework: Casework) -> str:
    """Certify what a run that was cut off had destroyed, whatever keeps the same things now.

    Every opening of a workspace asks for it. While a run is at work nothing is done.

    Returns
    -------
    str
        Id of the certificate; empty where there was nothing to certify.

    Raises
    ------
    HeadframeError
        If what was written down cannot be read, or another run is at work.
    """
    if not has_note(casework.paths.folder):
        return ""
    with one_purge(casework.paths.folder, 0.0):
        return _certify_cut_off(casework)


def _certify_cut_off(casework: Casework) -> str:
    folder = casework.paths.folder
    note = read_note(folder)
    if note is None:
        return ""
    now = casework.now_ns()
    certificate = stored.certify_gone(
        casework.store, note, _gone(casework, note), at_ns=now, leaf=lambda done: _leaf_of(casework, done, now)
    )
    remove_note(folder)
    casework.hand_over()
    if certificate is None:
        return ""
    name = certificate.certificate_id
    casework.cautions[
        f"a retention run of {certificate.proposer} and {certificate.approver} was cut off; what it had destroyed by "
        f"then is in certificate {name}: headframe retention certificate {name} --out DIR"
    ] = None
    return name


def _gone(casework: Casework, note: PurgeNote) -> set[tuple[DataClass, str]]:
    """What of a purge that was cut off is not there any more."""
    from headframe.stores import pseudonym_keys, sealing
    from headframe.stores.key_files import Keyring
    from headframe.stores.lake_purge import gone_parts

    kinds = {DataClass.CONTACT: sealing.KIND, DataClass.PSEUDONYM_KEY: pseudonym_keys.KIND}
    keys = Keyring(casework.paths.keys)
    found: set[tuple[DataClass, str]] = set()
    parts: frozenset[tuple[str, str]] = frozenset()
    if any(one.going.item.data_class is DataClass.READING for one in note.items):
        # What a damaged lake has lost is due again when it can be read: it has a note of its own.
        with contextlib.suppress(UnreadableInput):
            parts = gone_parts(Path(note.lake), note.certificate_id)
    for one in note.items:
        item = one.going.item
        if item.data_class in kinds:
            gone = not keys.is_whole(kinds[item.data_class], one.where)
            if gone:
                keys.destroy(kinds[item.data_class], one.where)  # what a crash left of it is noise
        elif item.data_class is DataClass.READING:
            gone = (item.item_id, item.sha256) in parts
        else:
            gone = one.where not in casework.documents
        if gone:
            found.add((item.data_class, item.item_id))
    return found


def where_gone(casework: Casework, digests: Collection[str]) -> Mapping[str, str]:
    """What became of documents that are not in the workspace any more, in words; those that are there are not in it."""
    missing = {sha256 for sha256 in digests if sha256 not in casework.documents}
    told = stored.certified(casework.store, missing)
    return {
        sha256: f"destroyed, certificate {told[sha256]}" if sha256 in told else "missing, and no certificate says why"
        for sha256 in sorted(missing)
    }


def left_in_files(casework: Casework) -> tuple[str, ...]:
    """Certificates of which the files of the database may still hold what was destroyed, the oldest first."""
    return stored.not_compacted(casework.store)


def finish(casework: Casework, account: Account) -> tuple[str, ...]:
    """Write the files of the database anew where an earlier run could not.

    Parameters
    ----------
    casework : Casework
    account : Account
        With the duty to administer. What is destroyed was agreed on by two accounts then.

    Returns
    -------
    tuple of str
        Ids of the certificates whose destruction is complete by that.

    Raises
    ------
    NotAllowed
        If it is no administrator.
    HeadframeError
        If it cannot be done now either.
    """
    require_duty(account, Duty.ADMINISTER, "destroying data")
    return stored.compact_pending(casework.store, casework.now_ns())


def write_certificate(
    casework: Casework,
    certificate: DestructionCertificate,
    proposer: Account,
    approver: Account,
    *,
    language: str = "en",
) -> tuple[DocumentRef, DocumentRef]:
    """Write a certificate of destruction as PDF and page, and keep both.

    Returns
    -------
    tuple of DocumentRef
        The PDF, and the page.
    """
    from headframe.reports.case_documents.general import write_destruction_certificate

    done = write_destruction_certificate(
        certificate,
        language,
        unit=casework.config.unit,
        proposer_unit=proposer.unit,
        approver_unit=approver.unit,
        training=casework.config.training,
    )
    name, kind = f"{certificate.certificate_id}-{language}", DocumentKind.DESTRUCTION_CERTIFICATE.value
    refs = (
        casework.keep_bytes(done.pdf, f"{name}.pdf", "application/pdf", kind),
        casework.keep_bytes(done.html, f"{name}.html", "text/html", kind),
    )
    casework.log_documents(refs, certificate.at_ns)
    return refs


def certificate_out(casework: Casework, certificate_id: str, folder: Path, *, language: str = "en") -> list[Path]:
    """Write a certificate's PDF and page into a folder: those that were kept, or, where they were not, anew.

    Parameters
    ----------
    casework : Casework
    certificate_id : str
    folder : Path
        Made if it is not there. None of its files is replaced.
    language : str

    Returns
    -------
    list of Path

    Raises
    ------
    HeadframeError
        If there is no such certificate, or the folder cannot be written.
    """
    row = next((one for one in certificates(casework) if one["certificate"] == certificate_id), None)
    if row is None:
        raise HeadframeError(
            f"there is no certificate {certificate_id!a}; headframe retention certificates lists those that there are"
        )
    names = {f"{certificate_id}-{language}.{ending}" for ending in ("pdf", "html")}
    refs = [one.ref for one in casework.store.documents("") if one.ref.name in names]
    if {ref.name for ref in refs} != names or where_gone(casework, [ref.sha256 for ref in refs]):
        certificate = certificate_from_json(row)
        if not row["out_of_files"]:
            certificate = replace(certificate, in_files="they were not written anew since")
        accounts = []
        for name in (certificate.proposer, certificate.approver):
            found = casework.store.account(name)
            accounts.append(Account(name=name, unit="", duties=frozenset()) if found is None else found.account)
        refs = list(write_certificate(casework, certificate, *accounts, language=language))
    return casework.copy_out(refs, folder)


def certificates(casework: Casework) -> tuple[Mapping[str, object], ...]:
    """Certificates of destruction, the latest first."""
    return stored.certificates(casework.store)


def place_hold(casework: Casework, account: Account, reason: str) -> str:
    """Keep everything in the workspace from being purged; gives the hold's number.

    A single case is held by an act on it (``headframe case hold``). Where it had to wait for a purge, that purge is
    told of in `Casework.cautions`: what went then is not held.
    """
    require_duty(account, Duty.ADMINISTER, "a hold of everything")
    before = stored.certificate_ids(casework.store)
    hold_id = f"H-{secrets.token_hex(4)}"
    _hold(casework, account, hold_id, reason, placed=True)
    for name in sorted(stored.certificate_ids(casework.store) - before):
        casework.cautions[
            f"a purge was at work when this hold was ordered, and ended before it: what certificate {name} names is "
            "destroyed, and not held"
        ] = None
    return hold_id


def lift_hold(casework: Casework, account: Account, hold_id: str, reason: str) -> None:
    """End a hold of everything."""
    require_duty(account, Duty.ADMINISTER, "lifting a hold of everything")
    _hold(casework, account, hold_id, reason, placed=False)


def _hold(casework: Casework, account: Account, hold_id: str, reason: str, *, placed: bool) -> None:
    now = casework.now_ns()
    with casework.store.writing() as writer:
        if placed:
            writer.place_hold(hold_id, "", reason, account.name, now)
        else:
            writer.lift_hold(hold_id, account.name, now)
        writer.log(
            casework.sealed(
                f"retention/{hold_id}/{'placed' if placed else 'lifted'}",
                "retention",
                hold_id,
                now,
                {"account": account.name, "reason": reason, "placed": placed},
                data_class="access",
            )
        )
    casework.hand_over()
