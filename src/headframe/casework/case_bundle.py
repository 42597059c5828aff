"""The evidence bundle of a case: events, documents, findings, with the proof that they are in the ledger."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.cases.store import AccessEntry, StoredLeaf
from headframe.errors import HeadframeError
from headframe.ledger.bundle import Manifest
from headframe.records.case import Account, DocumentKind, DocumentRef
from headframe.stores.bundles import BundleFile, make_bundle

if TYPE_CHECKING:
    from headframe.casework.core import Casework

ACCESS_FIELDS = frozenset({"account", "reason", "withheld"})
"""What the leaf of the bundle itself says."""
SIGNED = frozenset({"account", "unit", "content"})
"""Fields that stand in the documents that Headframe writes, too: where they are withheld, these stay out."""
LONGEST_NAME = 120
"""Letters of a document's own name that are kept in a bundle."""


def write_case_bundle(
    casework: Casework,
    account: Account,
    case_id: str,
    path: Path,
    *,
    reason: str,
    withhold: Collection[str] = (),
    leave_out: Collection[str] = (),
    time_stamp: bytes | None = None,
) -> Manifest:
    """Write the bundle of a case, and log that it was made, by whom and why.

    Parameters
    ----------
    casework : Casework
    account : Account
        Who makes it.
    case_id : str
    path : Path
        A name that ends in ``.zip``, or of a folder; must not be there.
    reason : str
        Who asked for it; stands in the log of accesses.
    withhold : collection of str
        Names of fields that stay closed: ``account``, for example. The leaves are proved all the same. Documents that
        Headframe wrote name accounts and units in their signatures; they stay out then.
    leave_out : collection of str
        SHA-256 or names of documents that stay out.
    time_stamp : bytes
        An authority's answer (RFC 3161) for the checkpoint.

    Returns
    -------
    Manifest

    Raises
    ------
    HeadframeError
        If there is no such case, document or field, or the bundle cannot be written.
    """
    file = casework.case_file(case_id)
    now = casework.now_ns()
    named = {ref for kept in file.documents for ref in (kept.ref.sha256, kept.ref.name)}
    if unknown := sorted(set(leave_out) - named):
        raise HeadframeError(f"case {case_id} has no document {unknown[0]!a} that could stay out")
    out = set(leave_out)
    if SIGNED & set(withhold):
        # Its signature block names accounts and units, and its text says what the act says.
        out |= {kept.ref.sha256 for kept in file.documents if kept.ref.kind in set(DocumentKind)}
    wanted = [kept.ref for kept in file.documents if not {kept.ref.sha256, kept.ref.name} & out]
    fields = {one.name for leaf in casework.store.leaves(case_id=case_id) for one in leaf.disclosures or ()}
    if unknown := sorted(set(withhold) - fields - ACCESS_FIELDS):
        raise HeadframeError(
            f"no leaf of case {case_id} has a field {unknown[0]!a} to withhold; there are {', '.join(sorted(fields))}"
        )
    access = f"{now}-{secrets.token_hex(4)}"
    subject = f"bundle {case_id}"
    with casework.store.writing() as writer:
        writer.note_access(AccessEntry(access_id=access, at_ns=now, account=account.name, what=subject, reason=reason))
        writer.log(
            casework.sealed(
                f"access/{access}",
                "access",
                subject,
                now,
                {"account": account.name, "reason": reason, "withheld": sorted(withhold)},
                data_class="access",
                case_id=case_id,
            )
        )
    casework.hand_over()
    casework.ledger.refresh()
    leaves: dict[int | None, StoredLeaf] = {
        leaf.index: leaf
        for leaf in (
            *casework.store.leaves(case_id=case_id),
            *casework.store.leaves(leaf_ids=[f"document/{ref.sha256}" for ref in wanted]),
        )
    }
    files = [
        BundleFile(_place_of(ref, named="name" not in withhold), casework.documents.path_of(ref.sha256))
        for ref in {ref.sha256: ref for ref in wanted}.values()
    ]
    if file.finding_documents:
        rows = "".join(json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n" for one in file.finding_documents)
        files.append(BundleFile("data/findings.jsonl", rows.encode()))
    notes = [f"Made for: {reason}"]
    if withhold:
        notes.append(f"Withheld from this reader: the fields {', '.join(sorted(withhold))}.")
    if len(wanted) < len(file.documents):
        notes.append(f"Documents that stayed out: {len(file.documents) - len(wanted)}.")
    return make_bundle(
        path,
        subject=case_id,
        made_ns=now,
        ledger=casework.ledger,
        signers=casework.ledger.signers,
        leaves=leaves.values(),
        files=files,
        disclose=lambda _leaf, disclosure: disclosure.name not in withhold,
        time_stamp=time_stamp,
        notes=notes,
    )


def _place_of(ref: DocumentRef, *, named: bool) -> str:
    return f"documents/{ref.sha256[:12]}-{safe_name(ref.name)}" if named else f"documents/{ref.sha256}"


def safe_name(name: str) -> str:
    """A document's own name as a file of a bundle: no folder, nothing that a system would take as something else."""
    import unicodedata

    plain = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    kept = "".join(
        letter if letter not in ':*?"<>|' and (letter == " " or unicodedata.category(letter)[0] not in "CZ") else "_"
        for letter in plain
    )[-LONGEST_NAME:].strip(" .")
    # A letter may take four bytes, and a name has 240.
    while len(kept.encode()) > 200:
        kept = kept[1:].strip(" .")
    return kept or "document"
