"""The evidence bundle of a case: events, documents, findings, with the proof that they are in the ledger.

What is withheld from a reader stands nowhere in the bundle, whichever part would tell it:

==================================  ===================================================================================
part                                where a field is withheld
==================================  ===================================================================================
``leaves.jsonl``                    whole, always: digests, kinds, numbers and times, no values
``disclosures.jsonl``               without that field; and without every other one that says the same in other words:
                                    the name of a withheld account within the content of an act
documents that Headframe wrote      out, where the field is one that letters tell (`TOLD_BY_LETTERS`)
documents that came from outside    out, where ``content`` is withheld; else in, as they came
``data/findings.jsonl``             where ``content`` is withheld: the digest of each finding, and nothing of it
``README.txt``, names of files      without the reason, the kind or the type, where these are withheld
==================================  ===================================================================================

Never in a bundle, whoever asks: the number of another case, and who was handed this case before, and why.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.cases.store import AccessEntry, Disclosure, StoredLeaf
from headframe.casework.free_text import decoded
from headframe.casework.photos import neutral_name
from headframe.errors import HeadframeError
from headframe.ledger.bundle import FINDINGS, Manifest
from headframe.ledger.leaf import canonical, plain, read, texts
from headframe.records.case import Account, CaseFile, DocumentKind, DocumentRef
from headframe.stores.bundles import BundleFile, checkpoints_for, make_bundle
from headframe.stores.time_stamps import is_stamp_of

if TYPE_CHECKING:
    from headframe.casework.core import Casework

ACCESS_FIELDS = frozenset({"account", "reason", "withheld"})
"""What the leaf of the bundle itself says."""
TOLD_BY_LETTERS = frozenset({"account", "unit", "act", "content", "name", "reason"})
"""Fields that stand in the documents that Headframe writes, too: where they are withheld, these stay out."""
NEVER_WITHHELD = frozenset({"case_id", "withheld"})
"""The subject of the bundle, and what the bundle says of itself."""
LONGEST_NAME = 120
"""Letters of a document's own name that are kept in a bundle."""


@dataclass(frozen=True, slots=True)
class WrittenBundle:
    """What went into a bundle, and what did not.

    Attributes
    ----------
    manifest : Manifest
    closed : int
        Fields that stayed closed although they were not named, because they tell what was withheld, or others' affairs.
    documents_out : int
        Documents that stayed out.
    from_outside : int
        Documents in the bundle that Headframe did not write: what they tell was not looked at.
    findings : int
    findings_closed : int
        Of these, those of which only the digest is in it.
    leaves : int
    unwitnessed : int
        Of these, those that are newer than what somebody outside has seen, the one about this bundle included.
    seen : int or None
        How many leaves of the log somebody outside has seen; None if nobody has.
    """

    manifest: Manifest
    closed: int = 0
    documents_out: int = 0
    from_outside: int = 0
    findings: int = 0
    findings_closed: int = 0
    leaves: int = 0
    unwitnessed: int = 0
    seen: int | None = None


@dataclass(slots=True)
class _Curtain:
    """Which disclosures of a case a reader may have."""

    case_id: str
    withhold: frozenset[str]
    own_access: str
    closed: int = 0
    _secret: re.Pattern[str] | None = None
    _kinds: dict[str, str] = field(default_factory=dict)

    def look_at(self, leaves: Iterable[StoredLeaf]) -> None:
        """Learn what the withheld fields say, to find it elsewhere."""
        said: set[str] = set()
        for leaf in leaves:
            self._kinds[leaf.leaf_id] = read(leaf.leaf).kind
            for one in leaf.disclosures:
                # The content of an act has all its words in it; that it is closed closes no field beside it.
                if one.name in self.withhold and one.name not in ("content", "withheld"):
                    said.update(folded for text in _spoken(one.value) if (folded := _folded(text)))
        if said:
            words = "|".join(re.escape(text) for text in sorted(said, key=len, reverse=True))
            # Words of scripts that write no blanks have no ends: there a part is the whole. Closing too much is safe.
            self._secret = re.compile(f"(?<![a-z0-9])(?:{words})(?![a-z0-9])")

    def tells(self, value: object) -> bool:
        """Whether a value says what a withheld field says."""
        return self._secret is not None and any(self._secret.search(_folded(text)) for text in _spoken(value))

    def discloses(self, leaf: StoredLeaf, one: Disclosure) -> bool:
        """Whether a disclosure goes in."""
        if one.name in self.withhold:
            return False
        # A document's leaf was written for the case that it came in with first, and Headframe's names say which.
        of_another = any(of.name == "case_id" and of.value not in ("", self.case_id) for of in leaf.disclosures)
        other = of_another and one.name in ("case_id", "name")
        if self._kinds.get(leaf.leaf_id) == "access" and leaf.leaf_id != self.own_access:
            other = True
        if other or self.tells(one.value):
            self.closed += 1
            return False
        return True


def _spoken(value: object) -> Iterator[str]:
    """Every text in a value as it stands, and as JSON in it is read: the value of a correction is such text."""
    return (said for text in texts(value) for said in decoded(text))


def _folded(text: str) -> str:
    """A text as it is compared: the same letters in another case, width or composition are the same."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def write_case_bundle(
    casework: Casework,
    account: Account,
    case_id: str,
    path: Path,
    *,
    reason: str,
    withhold: Collection[str] = (),
    leave_out: Collection[str] = (),
    checkpoint: bytes | None = None,
    time_stamp: bytes | None = None,
) -> WrittenBundle:
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
        Names of fields that stay closed: ``account``, for example. The leaves are proved all the same. The module's
        table says what else stays out with them.
    leave_out : collection of str
        SHA-256 or names of documents that stay out.
    checkpoint : bytes
        One that witnesses have co-signed or an authority has stamped; else the co-signed one that the ledger keeps. It
        goes in beside the newest: that this bundle is made is logged first, so that nobody has seen the newest yet.
    time_stamp : bytes
        An authority's answer (RFC 3161) for that checkpoint.

    Returns
    -------
    WrittenBundle

    Raises
    ------
    HeadframeError
        If there is no such case, document or field, or the bundle cannot be written.
    """
    file = casework.case_file(case_id)
    now = casework.now_ns()
    withheld = frozenset(withhold)
    wanted = _documents(file, withheld, leave_out)
    known = {one.name for leaf in casework.store.leaves(case_id=case_id) for one in leaf.disclosures or ()}
    known = (known | ACCESS_FIELDS) - NEVER_WITHHELD
    if unknown := sorted(withheld - known):
        raise HeadframeError(
            f"no leaf of case {case_id} has a field {unknown[0]!a} to withhold; there are {', '.join(sorted(known))}"
        )
    # Before anything is logged: a mistake here must not leave a record of a bundle that was never made.
    seen = checkpoints_for(casework.ledger, -1, checkpoint=casework.ledger.note, witnessed=checkpoint).seen
    if time_stamp is not None:
        _require_stamp_of(time_stamp, None if seen is None else seen.note)
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
                {"account": account.name, "reason": reason, "withheld": sorted(withheld)},
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
    curtain = _Curtain(case_id, withheld, f"access/{access}")
    curtain.look_at(leaves.values())
    files = [BundleFile(_place_of(ref, case_id, withheld), casework.documents.path_of(ref.sha256)) for ref in wanted]
    rows = list(_finding_rows(file, closed="content" in withheld))
    if rows:
        # In canonical form the SHA-256 of a line is the digest that the events name: a verifier need not parse it.
        lines = b"".join(canonical(plain(one, "the finding")) + b"\n" for one in rows)
        files.append(BundleFile(FINDINGS, lines))
    documents_out = len({kept.ref.sha256 for kept in file.documents}) - len(wanted)
    notes = [] if "reason" in withheld or curtain.tells(reason) else [f"Made for: {reason}"]
    if withheld:
        notes.append(f"Withheld from this reader: the fields {', '.join(sorted(withheld))}, and what else tells them.")
    if documents_out:
        notes.append(f"Documents that stayed out: {documents_out}.")
    if "content" in withheld and rows:
        notes.append(f"Of the {len(rows)} findings only the digests are here.")
    manifest = make_bundle(
        path,
        subject=case_id,
        made_ns=now,
        ledger=casework.ledger,
        signers=casework.ledger.signers,
        leaves=leaves.values(),
        files=files,
        disclose=curtain.discloses,
        witnessed=None if seen is None else seen.note,
        time_stamp=time_stamp,
        notes=notes,
    )
    return WrittenBundle(
        manifest=manifest,
        closed=curtain.closed,
        documents_out=documents_out,
        from_outside=sum(not _ours(ref, case_id) for ref in wanted),
        findings=len(rows),
        findings_closed=sum("withheld" in one for one in rows),
        leaves=len(leaves),
        unwitnessed=0 if seen is None else sum(index is None or index >= seen.state.size for index in leaves),
        seen=None if seen is None else seen.state.size,
    )


def _require_stamp_of(time_stamp: bytes, checkpoint: bytes | None) -> None:
    if checkpoint is None:
        raise HeadframeError(
            "a time-stamp is of one checkpoint, byte for byte: name it too (--checkpoint FILE). That this bundle is "
            "made is logged, so the newest checkpoint is never the one that was stamped"
        )
    if not is_stamp_of(time_stamp, checkpoint):
        raise HeadframeError(
            "the time-stamp is of something else than the checkpoint that goes into the bundle; name the one that was "
            "stamped (--checkpoint FILE)"
        )


def _documents(file: CaseFile, withheld: Collection[str], leave_out: Collection[str]) -> list[DocumentRef]:
    """The documents that go in, each once."""
    case_id = file.case.case_id
    named = {ref for kept in file.documents for ref in (kept.ref.sha256, kept.ref.name)}
    if unknown := sorted(set(leave_out) - named):
        raise HeadframeError(f"case {case_id} has no document {unknown[0]!a} that could stay out")
    if "content" in withheld:
        # Letters, replies and photos are what the acts say, in more words.
        return []
    told = bool(TOLD_BY_LETTERS & set(withheld))
    refs = {kept.ref.sha256: kept.ref for kept in file.documents if not {kept.ref.sha256, kept.ref.name} & {*leave_out}}
    return [ref for ref in refs.values() if not (told and ref.kind in set(DocumentKind))]


def _finding_rows(file: CaseFile, *, closed: bool) -> Iterable[dict[str, object]]:
    """Each finding of a case once: its document, or its digest where the document is withheld or was destroyed."""
    rows: dict[str, dict[str, object]] = {}
    for ref, document in zip(file.case.findings, file.finding_documents, strict=True):
        if closed or not document:
            rows[ref.sha256] = {"sha256": ref.sha256, "withheld": closed}
        else:
            rows[ref.sha256] = dict(document)
    return rows.values()


def _ours(ref: DocumentRef, case_id: str) -> bool:
    """Whether Headframe wrote and named a document, for this case."""
    return ref.kind in set(DocumentKind) and ref.name.startswith(f"{case_id}-")


def _place_of(ref: DocumentRef, case_id: str, withheld: Collection[str]) -> str:
    """Where a document goes: what came from outside, or from another case, under a neutral name."""
    if {"name", "kind", "media_type"} & set(withheld):
        return f"documents/{ref.sha256}"
    if _ours(ref, case_id):
        return f"documents/{ref.sha256[:12]}-{safe_name(ref.name)}"
    return f"documents/{neutral_name(ref.kind, ref.sha256, ref.media_type)}"


def safe_name(name: str) -> str:
    """A document's own name as a file of a bundle: no folder, nothing that a system would take as something else."""
    plain = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    kept = "".join(
        letter if letter not in ':*?"<>|' and (letter == " " or unicodedata.category(letter)[0] not in "CZ") else "_"
        for letter in plain
    )[-LONGEST_NAME:].strip(" .")
    # A letter may take four bytes, and a name has 240.
    while len(kept.encode()) > 200:
        kept = kept[1:].strip(" .")
    return kept or "document"
