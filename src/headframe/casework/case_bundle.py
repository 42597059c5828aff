"""The evidence bundle of a case: events, documents, findings, with the proof that they are in the ledger.

What is withheld from a reader stands nowhere in the bundle, whichever part would tell it, and is not found by trying:

==================================  ===================================================================================
part                                where a field is withheld
==================================  ===================================================================================
``leaves.jsonl``                    every act and every access: digests, numbers and times, no values. Without the
                                    leaves of documents that stay out (their digests have no salt), and without all
                                    others where ``act`` is withheld (their kinds tell acts)
``disclosures.jsonl``               without that field; and without every other one that says the same in other words:
                                    the name of a withheld account within the content of an act, the digest of a letter
                                    that stays out. Where ``act`` is withheld, ``content`` is too: its keys tell the act
documents                           those that Headframe wrote stay out, where the field is one that letters tell
                                    (`TOLD_BY_LETTERS`); all of them, where it is one that every document tells
                                    (`TOLD_BY_DOCUMENTS`); else in, as they came
``data/findings``                   where ``content`` is withheld, and where a finding says what is withheld: the digest
                                    of the finding, and nothing of it
``README.txt``, names of files      without the reason and the name, where these are withheld or tell it
==================================  ===================================================================================

Never in a bundle, whoever asks: the number of another case that a document belongs to as well, or that this one was
split from, why it was, and who was handed this case before, and why.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.cases.store import AccessEntry, Disclosure, StoredLeaf
from headframe.casework.free_text import decoded
from headframe.casework.photos import neutral_name
from headframe.casework.retention import where_gone
from headframe.errors import HeadframeError
from headframe.ledger.bundle import FINDING_FILES, FINDINGS, MOST_WITNESSED, Manifest
from headframe.ledger.leaf import canonical, plain, read, texts
from headframe.ledger.note import parse_note
from headframe.ledger.witness import cosignatures
from headframe.records.case import Account, CaseFile, DocumentKind, DocumentRef
from headframe.stores.bundles import BundleFile, checkpoints_for, make_bundle
from headframe.stores.time_stamps import is_stamp_of

if TYPE_CHECKING:
    from headframe.casework.core import Casework

ACCESS_FIELDS = frozenset({"account", "reason", "withheld"})
"""What the leaf of the bundle itself says."""
TOLD_BY_LETTERS = frozenset({"account", "unit", "name", "reason"})
"""Fields that stand in the documents that Headframe writes, too: where they are withheld, these stay out."""
TOLD_BY_DOCUMENTS = frozenset({"act", "content", "kind", "media_type", "size"})
"""Fields that any document tells, by being what it is, or by coming with the act that it came with."""
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
    gone : mapping of str to str
        Digests of those that are not kept any more, each with what became of it.
    from_outside : int
        Documents in the bundle that Headframe did not write: what they tell was not looked at.
    findings : int
    findings_closed : int
        Of these, those of which only the digest is in it.
    leaves : int
    unwitnessed : int
        Of these, those that are newer than what somebody outside has seen, the one about this bundle included.
    seen : int or None
        How many leaves of the log somebody outside has seen, at most; None if nobody has.
    leaves_out : int
        Leaves of the case that stayed out because they tell what is withheld.
    strange : tuple of DocumentRef
        What the database has as documents of the case, and the log has not: they are not in it.
    """

    manifest: Manifest
    closed: int = 0
    documents_out: int = 0
    gone: Mapping[str, str] = field(default_factory=dict)
    from_outside: int = 0
    findings: int = 0
    findings_closed: int = 0
    leaves: int = 0
    unwitnessed: int = 0
    seen: int | None = None
    leaves_out: int = 0
    strange: tuple[DocumentRef, ...] = ()


@dataclass(slots=True)
class _Curtain:
    """Which disclosures of a case a reader may have."""

    case_id: str
    withhold: frozenset[str]
    own_access: str
    closed: int = 0
    _secret: re.Pattern[str] | None = None
    _of_content: re.Pattern[str] | None = None
    _kinds: dict[str, str] = field(default_factory=dict)

    def look_at(self, leaves: Iterable[StoredLeaf], digests: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        """Learn what the withheld fields say, to find it elsewhere.

        Parameters
        ----------
        leaves : iterable of StoredLeaf
        digests : iterable of str
            Of documents that stay out because they tell it. Such a digest has no salt: where all of a letter but one
            name is known, names can be tried until it fits.
        names : iterable of str
            What the contents of the acts mean without saying it: the name of the site.
        """
        said: set[str] = set(digests)
        contents: set[str] = {folded for name in names if (folded := _folded(name))}
        beside: set[str] = set()
        for leaf in leaves:
            self._kinds[leaf.leaf_id] = read(leaf.leaf).kind
            for one in leaf.disclosures:
                words = {folded for text in _spoken(one.value) if (folded := _folded(text))}
                if one.name not in self.withhold and one.name != "reason":
                    beside |= words
                elif one.name == "content":
                    contents |= {_folded(text) for text in texts(one.value)} - {""}
                elif one.name in self.withhold and one.name != "withheld":
                    said |= words
        self._secret = _pattern(said)
        # The content of an act has all its words in it: that it is closed closes no field beside it, but why the case
        # is handed out is said freely, and may say where the site is.
        if "content" in self.withhold:
            self._of_content = _pattern(contents - beside | said)

    def tells(self, value: object) -> bool:
        """Whether a value says what a withheld field says."""
        return _finds(self._secret, value)

    def tells_freely(self, text: str) -> bool:
        """Whether a text that somebody wrote says what a withheld field says, the content of the acts included."""
        return self.tells(text) or _finds(self._of_content, text)

    def discloses(self, leaf: StoredLeaf, one: Disclosure) -> bool:
        """Whether a disclosure goes in."""
        if one.name in self.withhold:
            return False
        if one.name == "split":
            self.closed += 1
            return False
        # A document's leaf was written for the case that it came in with first, and Headframe's names say which.
        of_another = any(of.name == "case_id" and of.value not in ("", self.case_id) for of in leaf.disclosures)
        other = of_another and one.name in ("case_id", "name")
        if self._kinds.get(leaf.leaf_id) == "access" and leaf.leaf_id != self.own_access:
            other = True
        # Why an entry left the register is what the act says, too.
        if one.name == "reason" and isinstance(one.value, str):
            other = other or self.tells_freely(one.value)
        if other or self.tells(one.value):
            self.closed += 1
            return False
        return True


def _pattern(said: Collection[str]) -> re.Pattern[str] | None:
    if not said:
        return None
    words = "|".join(re.escape(text) for text in sorted(said, key=len, reverse=True))
    # Words of scripts that write no blanks have no ends: there a part is the whole. Closing too much is safe.
    return re.compile(f"(?<![a-z0-9])(?:{words})(?![a-z0-9])")


def _finds(pattern: re.Pattern[str] | None, value: object) -> bool:
    return pattern is not None and any(pattern.search(_folded(text)) for text in _spoken(value))


def _spoken(value: object) -> Iterator[str]:
    """Every text, key and number in a value as it stands, and as JSON in it is read: a correction's value is such."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, str):
            yield from decoded(inner)
        elif isinstance(inner, dict):
            waiting.extend((*inner, *inner.values()))
        elif isinstance(inner, list | tuple):
            waiting.extend(inner)
        elif isinstance(inner, int | float) and not isinstance(inner, bool):
            yield str(inner)


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
        Names of fields that stay closed: ``account``, for example. The acts are proved all the same. The module's
        table says what else stays out with them; ``act`` takes ``content`` with it.
    leave_out : collection of str
        SHA-256 or names of documents that stay out.
    checkpoint : bytes
        One that witnesses have co-signed or an authority has stamped; it goes in beside those that the ledger keeps.
        All of them are older than the newest: that this bundle is made is logged first, so that nobody has seen that.
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
    if "act" in withheld:
        # Which keys an act has tells which act it is, and so does what they say.
        withheld |= {"content"}
    wanted = _documents(file, withheld, leave_out)
    known = {one.name for leaf in casework.store.leaves(case_id=case_id) for one in leaf.disclosures or ()}
    known = (known | ACCESS_FIELDS) - NEVER_WITHHELD
    if unknown := sorted(withheld - known):
        raise HeadframeError(
            f"no leaf of case {case_id} has a field {unknown[0]!a} to withhold; there are {', '.join(sorted(known))}"
        )
    # Before anything is logged: a mistake here must not leave a record of a bundle that was never made.
    if checkpoint is not None:
        # Whoever knows the witness would refuse the bundle for a line that does not verify.
        cosignatures(parse_note(checkpoint), casework.config.witnesses)
    kept = casework.ledger.every_witnessed()
    witnessed = kept if checkpoint is None else (checkpoint, *(one for one in kept if one != checkpoint))
    witnessed = witnessed[:MOST_WITNESSED]
    seen = checkpoints_for(casework.ledger, -1, checkpoint=casework.ledger.note, witnessed=witnessed).seen
    if time_stamp is not None:
        _require_stamp_of(time_stamp, [one.note for one in seen])
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
    behind = _behind(leaves.values(), file, withheld)
    curtain = _Curtain(case_id, withheld, f"access/{access}")
    curtain.look_at(
        leaves.values(),
        digests=[subject for leaf in behind if (subject := read(leaf.leaf).subject) and _is_digest(subject)],
        names=[file.site_name, file.organisation_name, *(ref.subject for ref in file.case.findings)],
    )
    for leaf in behind:
        del leaves[leaf.index]
    gone = where_gone(casework, [ref.sha256 for ref in wanted])
    files = [
        BundleFile(_place_of(ref, case_id, withheld), casework.documents.path_of(ref.sha256))
        for ref in wanted
        if ref.sha256 not in gone
    ]
    rows = list(_finding_rows(file, closed="content" in withheld, curtain=curtain))
    if rows:
        # In canonical form the SHA-256 of a line is the digest that the events name: a verifier need not parse it.
        lines = [canonical(plain(one, "the finding")) for one in rows]
        files.append(BundleFile(FINDINGS, b"".join(line + b"\n" for line in lines)))
        files += [
            BundleFile(f"{FINDING_FILES}{sha256(line).hexdigest()}.json", line)
            for line, one in zip(lines, rows, strict=True)
            if "withheld" not in one
        ]
    documents_out = len({kept.ref.sha256 for kept in file.documents}) - len(wanted)
    notes = [] if "reason" in withheld or curtain.tells_freely(reason) else [f"Made for: {reason}"]
    if withheld:
        notes.append(f"Withheld from this reader: the fields {', '.join(sorted(withheld))}, and what else tells them.")
    if documents_out:
        notes.append(f"Documents that stayed out: {documents_out}.")
    notes += [f"Not kept any more is the document with SHA-256 {digest}: {why}." for digest, why in gone.items()]
    if file.strange_documents:
        notes.append(
            f"Of what the unit's database has as documents of the case, {len(file.strange_documents)} are not in its "
            "log, and not here."
        )
    if behind:
        notes.append("Entries of the log that would tell it, or by which it could be found by trying, are not here.")
    if any("withheld" not in one for one in rows):
        notes.append(
            f"{FINDING_FILES} has each finding as a file; sha256sum FILE gives its name, the digest that letters name."
        )
    if closed := sum(one.get("withheld") is True for one in rows):
        notes.append(f"Of {closed} of the {len(rows)} findings only the digests are here.")
    most = max((one.state.size for one in seen), default=0)
    manifest = make_bundle(
        path,
        subject=case_id,
        made_ns=now,
        ledger=casework.ledger,
        signers=casework.ledger.signers,
        leaves=leaves.values(),
        files=files,
        disclose=curtain.discloses,
        witnessed=witnessed,
        time_stamp=time_stamp,
        notes=notes,
    )
    return WrittenBundle(
        manifest=manifest,
        closed=curtain.closed,
        documents_out=documents_out,
        gone=gone,
        from_outside=sum(not _ours(ref, case_id) for ref in wanted if ref.sha256 not in gone),
        findings=len(rows),
        findings_closed=sum("withheld" in one for one in rows),
        leaves=len(leaves),
        unwitnessed=0 if not seen else sum(index is None or index >= most for index in leaves),
        seen=most if seen else None,
        leaves_out=len(behind),
        strange=tuple(kept.ref for kept in file.strange_documents),
    )


def _require_stamp_of(time_stamp: bytes, checkpoints: Collection[bytes]) -> None:
    if not checkpoints:
        raise HeadframeError(
            "a time-stamp is of one checkpoint, byte for byte: name it too (--checkpoint FILE). That this bundle is "
            "made is logged, so the newest checkpoint is never the one that was stamped"
        )
    if not any(is_stamp_of(time_stamp, checkpoint) for checkpoint in checkpoints):
        raise HeadframeError(
            "the time-stamp is of something else than a checkpoint that goes into the bundle; name the one that was "
            "stamped (--checkpoint FILE)"
        )


WRITTEN_HERE = frozenset(DocumentKind)
"""Kinds of documents that Headframe writes itself."""


def _documents(file: CaseFile, withheld: Collection[str], leave_out: Collection[str]) -> list[DocumentRef]:
    """The documents that go in, each once."""
    case_id = file.case.case_id
    named = {ref for kept in file.documents for ref in (kept.ref.sha256, kept.ref.name)}
    if unknown := sorted(set(leave_out) - named):
        raise HeadframeError(f"case {case_id} has no document {unknown[0]!a} that could stay out")
    if TOLD_BY_DOCUMENTS & set(withheld):
        # Letters, replies and photos are what the acts say, in more words; each shows its size and what it is.
        return []
    told = bool(TOLD_BY_LETTERS & set(withheld))
    refs = {kept.ref.sha256: kept.ref for kept in file.documents if not {kept.ref.sha256, kept.ref.name} & {*leave_out}}
    return [ref for ref in refs.values() if not (told and ref.kind in WRITTEN_HERE)]


def _behind(leaves: Iterable[StoredLeaf], file: CaseFile, withheld: Collection[str]) -> list[StoredLeaf]:
    """The leaves that stay out: what stands open in them tells what is withheld, or lets it be found by trying."""
    is_letter = {kept.ref.sha256: kept.ref.kind in WRITTEN_HERE for kept in file.documents}
    found: list[StoredLeaf] = []
    for leaf in leaves:
        about = read(leaf.leaf)
        if about.kind in ("case", "access"):
            continue  # every act is proved, and so is every time that the case was handed out
        out = "act" in withheld or bool({*about.digests} & {*withheld} & {"removed"})
        if about.kind == "document":
            out = out or bool(TOLD_BY_DOCUMENTS & set(withheld))
            # Of a document that the case does not know any more nobody can say whether it was a letter.
            out = out or (bool(TOLD_BY_LETTERS & set(withheld)) and is_letter.get(about.subject, True))
        if out:
            found.append(leaf)
    return found


def _is_digest(subject: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", subject) is not None


def _finding_rows(file: CaseFile, *, closed: bool, curtain: _Curtain) -> Iterable[dict[str, object]]:
    """Each finding of a case once: its document, or its digest where the document is withheld or was destroyed."""
    rows: dict[str, dict[str, object]] = {}
    for ref, document in zip(file.case.findings, file.finding_documents, strict=True):
        if closed or not document:
            rows[ref.sha256] = {"sha256": ref.sha256, "withheld": closed}
        elif curtain.tells(document):
            rows[ref.sha256] = {"sha256": ref.sha256, "withheld": True}
        else:
            rows[ref.sha256] = dict(document)
    return rows.values()


def _ours(ref: DocumentRef, case_id: str) -> bool:
    """Whether Headframe wrote and named a document, for this case."""
    return ref.kind in WRITTEN_HERE and ref.name.startswith(f"{case_id}-")


def _place_of(ref: DocumentRef, case_id: str, withheld: Collection[str]) -> str:
    """Where a document goes: what came from outside, or from another case, under a neutral name."""
    if "name" in withheld:
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
