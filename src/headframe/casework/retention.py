"""Retention of a workspace: what is due, two accounts that agree, and the certificate of what was destroyed."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from headframe.cases.retention import certificate_json, default_rules, rules_of
from headframe.cases.store import PendingLeaf
from headframe.casework.accounts import require_duty
from headframe.casework.keys import pseudonyms_of
from headframe.casework.sites import sealer_of
from headframe.errors import HeadframeError, UnreadableInput
from headframe.records.case import Account, DocumentKind, DocumentRef, Duty
from headframe.records.retention import DataClass, DestructionCertificate, RetentionPlan, RetentionRule
from headframe.stores.database import retention as stored

if TYPE_CHECKING:
    from headframe.casework.core import Casework

NS_PER_S = 1_000_000_000


def rules(casework: Casework) -> tuple[tuple[RetentionRule, ...], tuple[str, ...]]:
    """The rules of the packs at hand and our own, and what of the packs could not be used."""
    every: list[RetentionRule] = []
    remarks: list[str] = []
    for pack in casework.every_pack().values():
        own, said = rules_of(pack)
        every += own
        remarks += said
    return (*default_rules(), *every), tuple(dict.fromkeys(remarks))


def plan(casework: Casework, lake: Path | None = None) -> RetentionPlan:
    """What is due now. It destroys nothing.

    Parameters
    ----------
    casework : Casework
    lake : Path or None
        A lake that is kept elsewhere, in place of the workspace's own. The rules are the same; which readings a case
        needs only this workspace knows, so it must be the only one that uses that lake.

    Raises
    ------
    HeadframeError
        If the folder is no lake.
    """
    from headframe.stores.lake_purge import lake_parts

    known, now = rules(casework)[0], casework.now_ns()
    return stored.plan(
        casework.store,
        known,
        now,
        extra=pseudonyms_of(casework).retained(),
        readings=lake_parts(_lake_folder(casework, lake), **_lake_of(casework, known, now)),
    )


def _lake_folder(casework: Casework, lake: Path | None) -> Path:
    from headframe.stores.lake import is_lake

    if lake is None:
        return casework.paths.lake
    if not is_lake(lake):
        raise UnreadableInput(f"{lake} is no lake of readings; name the folder that headframe meters --lake was given")
    return lake


class _LakeQuestion(TypedDict):
    """What to ask a lake for: see `headframe.stores.lake_purge.lake_parts`."""

    apart: Collection[str]
    until_s: int
    apart_until_s: int
    certified: Callable[[str, str], bool]


def _lake_of(casework: Casework, known: Sequence[RetentionRule], now_ns: int) -> _LakeQuestion:
    """Which months may be over: by our own rule, and, of usage points that cases need, by any pack's."""
    ours = [one for one in known if not one.pack_id]
    least, of_packs = (stored.cutoffs(some, now_ns)[DataClass.READING] // NS_PER_S for some in (ours, known))
    with casework.store.reading() as db:
        apart = stored.points_of_cases(db)
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
        If both are one, nothing is due, or the database cannot be written.
    """
    if not agreed.goes:
        # A certificate that nothing was destroyed certifies nothing, and stands in the ledger for good.
        raise HeadframeError("nothing is due, so there is nothing to destroy and nothing to certify")
    for account in (proposer, approver):
        require_duty(account, Duty.ADMINISTER, "destroying data")
    if proposer.name == approver.name:
        raise HeadframeError(f"two accounts destroy data together; {proposer.name} is one")
    from headframe.stores.lake_purge import ready_to_go
    from headframe.stores.pseudonym_keys import read_epoch

    now = casework.now_ns()
    known = rules(casework)[0]
    certificate_id = f"D-{secrets.token_hex(6)}"

    def leaf(certificate: DestructionCertificate) -> PendingLeaf:
        return casework.sealed(
            f"retention/{certificate_id}",
            "retention",
            certificate_id,
            now,
            {"certificate": certificate_json(certificate)},
            data_class="access",
        )

    readings = [(one.item.item_id, one.item.sha256) for one in agreed.goes if one.item.data_class is DataClass.READING]
    with contextlib.ExitStack() as stack:
        ready = None
        if readings:
            # The lake is written anew before the transaction begins: it may take minutes, and others wait for that.
            question = _lake_of(casework, known, agreed.now_ns)
            ready = stack.enter_context(ready_to_go(_lake_folder(casework, lake), readings, **question))
        certificate = stored.purge(
            casework.store,
            agreed,
            known,
            certificate_id=certificate_id,
            at_ns=now,
            proposer=proposer.name,
            approver=approver.name,
            destroyers=stored.Destroyers(
                document=casework.documents.destroy,
                contact_key=lambda key_id: sealer_of(casework).erase([key_id]),
                pseudonym_key=lambda epoch: pseudonyms_of(casework).destroy(read_epoch(epoch), now),
                readings=ready,
            ),
            leaf=leaf,
        )
        if ready is not None:
            ready.settle()
    casework.hand_over()
    return certificate


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


def certificates(casework: Casework) -> tuple[Mapping[str, object], ...]:
    """Certificates of destruction, the latest first."""
    return stored.certificates(casework.store)


def place_hold(casework: Casework, account: Account, reason: str) -> str:
    """Keep everything in the workspace from being purged; gives the hold's number.

    A single case is held by an act on it (``headframe case hold``).
    """
    require_duty(account, Duty.ADMINISTER, "a hold of everything")
    hold_id = f"H-{secrets.token_hex(4)}"
    _hold(casework, account, hold_id, reason, placed=True)
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
