"""Bundles: a case, or any set of leaves, that an outsider can check alone. The model and the checks; no files.

A bundle holds documents and data, some leaves of the log with what opens them, a checkpoint, and a manifest. The chain
of trust, from the reader's side: a public key that the reader knows signed the checkpoint; each leaf is in the log of
that checkpoint by its proof; each disclosure fits a digest of its leaf; each document's digest is named by a leaf.
Witnesses and time-stamp authorities have seen an older state of the log, always: handing out the bundle is itself
logged. So a bundle carries those older checkpoints too, with the proof that each is the beginning of the newer one.
What is not in the ledger itself (the README, data extracts, which files there are) is covered by the signature on the
manifest. ``docs/ledger-format.md``, "Bundles", has every byte.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeGuard

from headframe.cases.store import Disclosure
from headframe.errors import HeadframeError
from headframe.ledger.checkpoint import Checkpoint, read_checkpoint
from headframe.ledger.leaf import BadLeaf, canonical, digest, read, read_instant, read_json, texts
from headframe.ledger.merkle import BadProof, check_consistency, check_inclusion, leaf_hash
from headframe.ledger.note import BadNote, Verifier, parse_note, verified
from headframe.ledger.witness import Cosigned, cosignatures

FORMAT = "headframe-bundle/1"

MANIFEST = "manifest.json"
MANIFEST_NOTE = "manifest.note"
CHECKPOINT = "checkpoint"
KEYS = "keys"
LEAVES = "leaves.jsonl"
DISCLOSURES = "disclosures.jsonl"
README = "README.txt"
TIME_STAMP = "timestamp.tsr"
FINDINGS = "data/findings.jsonl"
FINDING_FILES = "data/findings/"
"""The same findings, those that are open, as a file each: whoever cannot take a line out can still digest a file."""
FOLDERS = ("documents/", "data/")
WITNESSED = "witnessed"
"""A checkpoint that somebody outside has seen, older than `CHECKPOINT`."""
WITNESSED_PROOF = "witnessed.proof"
"""That it is the beginning of `CHECKPOINT`."""
MOST_WITNESSED = 16
"""Checkpoints that somebody outside has seen. Each witness needs one at most, and a quorum is a few of them."""
WITNESSED_PAIRS = (
    (WITNESSED, WITNESSED_PROOF),
    *((f"{WITNESSED}-{number}", f"{WITNESSED}-{number}.proof") for number in range(2, MOST_WITNESSED + 1)),
)
"""Each such checkpoint, and its proof."""
OPTIONAL = (TIME_STAMP, *(name for pair in WITNESSED_PAIRS for name in pair))
FIXED = (CHECKPOINT, KEYS, LEAVES, DISCLOSURES, README, *OPTIONAL)
_TOLD = (*FIXED[: FIXED.index(WITNESSED_PROOF) + 1], f"{WITNESSED}-2 to -{MOST_WITNESSED} with theirs")
SMALL_FILES = (MANIFEST_NOTE, CHECKPOINT, KEYS, *OPTIONAL)
HANDED_OUT = "access"
"""Kind of the leaves about who was handed what. They say nothing of the case itself: the youngest is about the very
bundle it is in, so that no witness can have seen it, and none of them vouches for a document."""

MOST_FINDINGS = 100_000
"""Lines of `FINDINGS` that a verifier looks for in the log, at 100 bytes of memory each; the rest is not looked at."""
MOST_FILES = 100_000
"""Files in a bundle; a zip's list of so many takes some 50 MB of memory."""
LARGEST_MANIFEST = 32 << 20
"""So many files with paths of 200 bytes. Parsed, JSON may take ten times its size. [bytes]"""
LARGEST_LINE = 16 << 20
"""One disclosure without its newline; its value may be a whole finding, which is some kilobytes. [bytes]"""
LARGEST_SMALL_FILE = 1 << 20
"""Notes, keys and a time-stamp have some hundreds or thousands of bytes. [bytes]"""
LONGEST_PATH = 1_000
LONGEST_NAME = 240
"""File systems take 255 bytes. [bytes of UTF-8]"""

_HEX = re.compile(r"[0-9a-f]{64}")
_SALT = re.compile(r"(?:[0-9a-f]{2}){16,}")


class BadBundle(HeadframeError):
    """A bundle cannot be read, or must not be: not one, damaged, or made to harm its reader."""


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    FAILED = "failed"
    NOT_CHECKED = "not checked"
    """Nothing was there to check, or nothing to check it with."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of a bundle: its name, how it came out, and what was seen."""

    name: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What a verification found.

    Attributes
    ----------
    subject : str
    made_ns : int or None
        When the maker says it was made. [ns since 1970-01-01 UTC]
    checks : tuple of CheckResult
        In the order in which they build on each other.
    withheld : tuple of (int, str)
        Place of the leaf and name of the field, for every digest that is not disclosed; at most `MOST_NAMED`.
    withheld_count : int
    keys_inside : tuple of str
        Public keys that the bundle names itself. They prove nothing; compare them with what the unit published.
    leaves : int
        How many there are.
    unwitnessed : tuple of (int, str)
        Place and kind of each leaf that fewer known witnesses have seen than were asked for (or none, where none was
        asked for); at most `MOST_NAMED`.
    unwitnessed_count : int
    """

    subject: str
    made_ns: int | None
    checks: tuple[CheckResult, ...]
    withheld: tuple[tuple[int, str], ...] = ()
    withheld_count: int = 0
    keys_inside: tuple[str, ...] = ()
    leaves: int = 0
    unwitnessed: tuple[tuple[int, str], ...] = ()
    unwitnessed_count: int = 0

    @property
    def sound(self) -> bool:
        """No check failed. What was not checked is said; without a trusted key the checkpoint's check has failed."""
        return all(check.state != State.FAILED for check in self.checks)


MOST_NAMED = 1_000
"""Withheld fields that a report names one by one."""


@dataclass(frozen=True, slots=True, order=True)
class ManifestFile:
    """A file of a bundle."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in a bundle.

    Attributes
    ----------
    subject : str
        For whom or of what: ``HF-2026-000001``.
    made_ns : int
        [ns since 1970-01-01 UTC]
    checkpoint : Checkpoint
        That the proofs lead to.
    files : tuple of ManifestFile
        All but the manifest and the note that signs it, by path.
    """

    subject: str
    made_ns: int
    checkpoint: Checkpoint
    files: tuple[ManifestFile, ...]


def format_manifest(manifest: Manifest) -> bytes:
    """A manifest as canonical JSON. `parse_manifest` is its inverse."""
    return canonical(
        {
            "files": [{"path": file.path, "sha256": file.sha256, "size": file.size} for file in sorted(manifest.files)],
            "format": FORMAT,
            "made_ns": str(manifest.made_ns),
            "origin": manifest.checkpoint.origin,
            "root": manifest.checkpoint.root.hex(),
            "subject": manifest.subject,
            "tree_size": manifest.checkpoint.size,
        }
    )


def parse_manifest(data: bytes) -> Manifest:
    """A manifest from its bytes.

    Raises
    ------
    BadBundle
        If it is not one, or names a file that a bundle must not have.
    """
    try:
        value = read_json(data, MANIFEST)
    except BadLeaf as error:
        raise BadBundle(str(error)) from None
    keys = {"files", "format", "made_ns", "origin", "root", "subject", "tree_size"}
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise BadBundle(f"{MANIFEST} does not say that this is a {FORMAT}")
    if set(value) != keys:
        raise BadBundle(f"{MANIFEST} has {', '.join(sorted(keys))}; found {', '.join(sorted(value))}")
    made_ns, root, size, files = value["made_ns"], value["root"], value["tree_size"], value["files"]
    try:
        instant = read_instant(made_ns, f"made_ns in {MANIFEST}")
        if canonical(value) != data:
            raise BadBundle(f"{MANIFEST} is not in canonical form (RFC 8785)")
    except BadLeaf as error:
        raise BadBundle(str(error)) from None
    if not isinstance(root, str) or not _HEX.fullmatch(root) or not _whole(size):
        raise BadBundle(f"root and tree_size in {MANIFEST} are 64 hex digits and a whole number")
    if not isinstance(value["origin"], str) or not isinstance(value["subject"], str) or not isinstance(files, list):
        raise BadBundle(f"origin and subject in {MANIFEST} are text, and files is a list")
    listed = []
    for item in files:
        if not isinstance(item, dict) or set(item) != {"path", "sha256", "size"}:
            raise BadBundle(f"each of the files in {MANIFEST} has path, sha256 and size")
        path, sha256, length = item["path"], item["sha256"], item["size"]
        if not isinstance(path, str) or not isinstance(sha256, str) or not _HEX.fullmatch(sha256) or not _whole(length):
            raise BadBundle(f"file {path!r} in {MANIFEST} needs a path, 64 hex digits, and a size in bytes")
        check_path(path)
        if path not in FIXED and not path.startswith(FOLDERS):
            raise BadBundle(f"{MANIFEST} names {path!r}; a bundle has {', '.join(_TOLD)}, documents/ and data/")
        listed.append(ManifestFile(path, length, sha256))
    paths = [file.path for file in listed]
    if paths != sorted(set(paths)):
        raise BadBundle(f"the files in {MANIFEST} must be in order of their paths, each once")
    check_distinct(paths)
    return Manifest(
        subject=value["subject"],
        made_ns=instant,
        checkpoint=Checkpoint(value["origin"], size, bytes.fromhex(root)),
        files=tuple(listed),
    )


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def manifest_text(digest_hex: str) -> str:
    """The text that signs a manifest. Its second line cannot be a checkpoint's, which is a decimal number."""
    return f"{FORMAT}\nsha256 {digest_hex}\n"


def check_path(path: str) -> None:
    """Check that a path stays inside the bundle on any system, and has one spelling.

    Raises
    ------
    BadBundle
        If it does not; the message says why.
    """
    if not path or len(path.encode("utf-8", "surrogatepass")) > LONGEST_PATH:
        raise BadBundle(f"a path in a bundle has 1 to {LONGEST_PATH} bytes; found {path[:60]!r}")
    why = ""
    if path.startswith("/"):
        why = "it is absolute"
    elif "\\" in path or ":" in path:
        why = "it has a backslash or colon, which lead elsewhere on some systems"
    elif any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in path):
        why = "it has invisible characters"
    elif unicodedata.normalize("NFC", path) != path:
        why = "it is not in Unicode's normal form C"
    else:
        for name in path.split("/"):
            if name in ("", ".", ".."):
                why = "it has an empty name, or one that leads upwards"
            elif name.endswith((".", " ")) or name.startswith(" "):
                why = "a name begins or ends with a space or ends with a dot, which some systems drop"
            elif len(name.encode()) > LONGEST_NAME:
                why = f"a name is longer than {LONGEST_NAME} bytes"
    if why:
        raise BadBundle(f"the bundle has a path that must not be there, {path[:80]!r}: {why}. Do not unpack it")


def check_distinct(paths: Iterable[str]) -> None:
    """Check that no two paths are one file on a system that does not tell upper from lower case.

    Raises
    ------
    BadBundle
        If two are.
    """
    seen: dict[str, str] = {}
    for path in paths:
        key = path.casefold()
        if key in seen:
            raise BadBundle(f"the bundle has {seen[key]!r} and {path!r}, which are one file on some systems")
        seen[key] = path
    for path in seen:
        parent = path.rpartition("/")[0]
        while parent:
            if parent in seen:
                raise BadBundle(f"the bundle has {seen[parent]!r} as a file and as a folder")
            parent = parent.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class BundleLeaf:
    """A leaf in a bundle, with its place and its proof."""

    index: int
    leaf: bytes
    proof: tuple[bytes, ...]


def format_leaf(leaf: BundleLeaf) -> bytes:
    """A line of ``leaves.jsonl``. `parse_leaf` is its inverse."""
    return (
        canonical(
            {"index": leaf.index, "leaf": leaf.leaf.decode("utf-8"), "proof": [value.hex() for value in leaf.proof]}
        )
        + b"\n"
    )


def parse_leaf(line: bytes) -> BundleLeaf:
    """A leaf from a line of ``leaves.jsonl``.

    Raises
    ------
    BadBundle
        If it is not one.
    """
    value = _object(line, LEAVES, {"index", "leaf", "proof"})
    index, leaf, proof = value["index"], value["leaf"], value["proof"]
    if not _whole(index) or not isinstance(leaf, str) or not isinstance(proof, list):
        raise BadBundle(f"a line of {LEAVES} has index (a number), leaf (text) and proof (a list)")
    if not all(isinstance(item, str) and _HEX.fullmatch(item) for item in proof) or len(proof) > LONGEST_PROOF:
        raise BadBundle(f"the proof of leaf {index} in {LEAVES} is not a list of at most {LONGEST_PROOF} hashes in hex")
    try:
        return BundleLeaf(index, leaf.encode("utf-8"), tuple(bytes.fromhex(item) for item in proof))
    except UnicodeEncodeError:
        raise BadBundle(f"leaf {index} in {LEAVES} is not text that UTF-8 can hold") from None


def format_disclosure(index: int, disclosure: Disclosure) -> bytes:
    """A line of ``disclosures.jsonl``. `parse_disclosure` is its inverse.

    Raises
    ------
    BadBundle
        If it would be longer than a reader takes.
    """
    line = canonical(
        {"index": index, "name": disclosure.name, "salt": disclosure.salt.hex(), "value": disclosure.value}
    )
    if len(line) > LARGEST_LINE:
        raise BadBundle(
            f"{disclosure.name} of leaf {index} has {len(line):,} bytes, and a line of a bundle has at most "
            f"{LARGEST_LINE:,}; keep such a thing as a document, and log its digest"
        )
    return line + b"\n"


def parse_disclosure(line: bytes) -> tuple[int, Disclosure]:
    """Place of the leaf, and the disclosure, from a line of ``disclosures.jsonl``.

    Raises
    ------
    BadBundle
        If it is not one.
    """
    value = _object(line, DISCLOSURES, {"index", "name", "salt", "value"})
    index, name, salt = value["index"], value["name"], value["salt"]
    if not _whole(index) or not isinstance(name, str) or not isinstance(salt, str) or not _SALT.fullmatch(salt):
        raise BadBundle(
            f"a line of {DISCLOSURES} has index (a number), name (text), salt (32 hex digits or more) and value"
        )
    return index, Disclosure(name=name, salt=bytes.fromhex(salt), value=value["value"])


LONGEST_PROOF = 64
"""Hashes in a proof: two to the 64 leaves make a tree of 64 levels."""


def format_proof(proof: Sequence[bytes]) -> bytes:
    """The file `WITNESSED_PROOF`: one hash per line, in hex. `parse_proof` is its inverse."""
    return b"".join(value.hex().encode() + b"\n" for value in proof)


def parse_proof(data: bytes) -> tuple[bytes, ...]:
    """A proof from its file.

    Raises
    ------
    BadBundle
        If it is not one.
    """
    lines = data.decode("ascii", "replace").split("\n")
    if lines.pop() != "" or not all(_HEX.fullmatch(line) for line in lines) or len(lines) > LONGEST_PROOF:
        raise BadBundle(f"{WITNESSED_PROOF} is at most {LONGEST_PROOF} lines, each a hash in hex and a newline")
    return tuple(bytes.fromhex(line) for line in lines)


def check_witnessed(
    note: bytes, proof: bytes, checkpoint: Checkpoint, keys: Sequence[Verifier], name: str = WITNESSED
) -> tuple[Checkpoint, tuple[Cosigned, ...]]:
    """Check an older checkpoint of the same log, and who has co-signed it.

    The log's own signature under it is not asked for: the proof leads to the checkpoint that the log did sign. So
    a change of the log's key takes no co-signature away.

    Parameters
    ----------
    note, proof : bytes
        The files `WITNESSED` and `WITNESSED_PROOF`.
    checkpoint : Checkpoint
        The one that has been checked.
    keys : sequence of Verifier
        That are trusted, of logs and of witnesses.
    name : str
        Of the file, for messages.

    Returns
    -------
    older : Checkpoint
    cosigned : tuple of Cosigned

    Raises
    ------
    BadBundle
        If it is not the beginning of that checkpoint, or a known key's line does not verify.
    """
    try:
        parsed = parse_note(note)
        older = read_checkpoint(parsed.text)
        verified(parsed, keys)
        cosigned = cosignatures(parsed, keys)
    except BadNote as error:
        raise BadBundle(f"{name}: {error}") from None
    if older.origin != checkpoint.origin:
        raise BadBundle(f"{name} is of another log, {older.origin}")
    try:
        check_consistency(older.size, older.root, checkpoint.size, checkpoint.root, parse_proof(proof))
    except BadProof as error:
        raise BadBundle(f"{name} is not the beginning of {CHECKPOINT}: {error}") from None
    return older, cosigned


def _object(line: bytes, where: str, keys: set[str]) -> dict[str, object]:
    try:
        value = read_json(line, f"a line of {where}")
    except BadLeaf as error:
        raise BadBundle(str(error)) from None
    if not isinstance(value, dict) or set(value) != keys:
        raise BadBundle(f"a line of {where} has {', '.join(sorted(keys))}")
    return value


@dataclass(slots=True)
class LeafCheck:
    """What came of checking the leaves and disclosures of a bundle.

    Attributes
    ----------
    leaves, disclosures : int
        How many were checked.
    bad_leaves, bad_disclosures : list of str
        What is wrong, one sentence each, the first `MOST_FAULTS`.
    withheld : list of (int, str)
    withheld_count : int
    vouched : set of str
        Of the wanted digests, those that a leaf in the log names.
    unwitnessed : list of (int, str)
        Place and kind of the leaves that are not in the witnessed beginning of the log.
    unwitnessed_count : int
    unwitnessed_acts : int
        Of these, those that are not `HANDED_OUT`.
    """

    leaves: int = 0
    disclosures: int = 0
    bad_leaves: list[str] = field(default_factory=list)
    bad_disclosures: list[str] = field(default_factory=list)
    withheld: list[tuple[int, str]] = field(default_factory=list)
    withheld_count: int = 0
    vouched: set[str] = field(default_factory=set)
    unwitnessed: list[tuple[int, str]] = field(default_factory=list)
    unwitnessed_count: int = 0
    unwitnessed_acts: int = 0


MOST_FAULTS = 20
"""Faults of a kind that a report tells one by one."""


def check_leaves(
    leaves: Iterator[BundleLeaf],
    disclosures: Iterator[tuple[int, Disclosure]],
    checkpoint: Checkpoint,
    wanted: frozenset[str],
    witnessed: int = 0,
) -> LeafCheck:
    """Check leaves and disclosures, both in order of their places; memory is bounded by one leaf's disclosures.

    Parameters
    ----------
    leaves : iterator of BundleLeaf
    disclosures : iterator of (int, Disclosure)
    checkpoint : Checkpoint
    wanted : frozenset of str
        Digests of documents that a leaf should name.
    witnessed : int
        So many leaves of the log have been seen by witnesses.

    Returns
    -------
    LeafCheck

    Raises
    ------
    BadBundle
        If a line is not of the form, or the order is wrong.
    """
    result = LeafCheck()
    following = next(disclosures, None)
    last = -1
    for leaf in leaves:
        if leaf.index <= last:
            raise BadBundle(f"{LEAVES} must be in order of index, each once; {leaf.index} comes after {last}")
        last = leaf.index
        opened: list[Disclosure] = []
        while following is not None and following[0] <= leaf.index:
            if following[0] < leaf.index:
                _tell(result.bad_disclosures, _homeless(following))
            elif opened and following[1].name <= opened[-1].name:
                raise BadBundle(f"{DISCLOSURES} must be in order of index and name, each once; see leaf {leaf.index}")
            else:
                opened.append(following[1])
            following = next(disclosures, None)
        _check_leaf(leaf, opened, checkpoint, wanted, witnessed, result)
    while following is not None:
        _tell(result.bad_disclosures, _homeless(following))
        following = next(disclosures, None)
    return result


def _check_leaf(
    leaf: BundleLeaf,
    opened: Sequence[Disclosure],
    checkpoint: Checkpoint,
    wanted: frozenset[str],
    witnessed: int,
    result: LeafCheck,
) -> None:
    result.leaves += 1
    result.disclosures += len(opened)
    try:
        check_inclusion(leaf.index, checkpoint.size, leaf_hash(leaf.leaf), leaf.proof, checkpoint.root)
        content = read(leaf.leaf)
    except (BadProof, BadLeaf) as error:
        _tell(result.bad_leaves, f"leaf {leaf.index}: {error}")
        return
    if leaf.index >= witnessed:
        result.unwitnessed_count += 1
        result.unwitnessed_acts += content.kind != HANDED_OUT
        if len(result.unwitnessed) < MOST_NAMED:
            result.unwitnessed.append((leaf.index, content.kind))
    if content.kind == "document" and content.subject in wanted:
        result.vouched.add(content.subject)
    names = set()
    for disclosure in opened:
        names.add(disclosure.name)
        try:
            fits = content.digests.get(disclosure.name) == digest(disclosure)
        except BadLeaf:
            fits = False
        if not fits:
            _tell(result.bad_disclosures, f"{disclosure.name} of leaf {leaf.index} is not what was logged")
            continue
        if wanted and content.kind != HANDED_OUT:
            result.vouched.update(wanted.intersection(texts(disclosure.value)))
    for name in content.digests:
        if name not in names:
            result.withheld_count += 1
            if len(result.withheld) < MOST_NAMED:
                result.withheld.append((leaf.index, name))


def _homeless(disclosure: tuple[int, Disclosure]) -> str:
    return f"{disclosure[1].name} is of leaf {disclosure[0]}, which is not in the bundle"


def _tell(faults: list[str], text: str) -> None:
    if len(faults) < MOST_FAULTS:
        faults.append(text)
    elif len(faults) == MOST_FAULTS:
        faults.append("and more")


class Container(Protocol):
    """The files of a bundle, wherever they are."""

    def sizes(self) -> Mapping[str, int]:
        """Every file with its size; paths have been checked. [bytes]"""
        ...

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file's bytes, piece by piece."""
        ...


def lines(chunks: Iterator[bytes], where: str) -> Iterator[bytes]:
    """Lines of a file that comes in pieces, without their newlines.

    Raises
    ------
    BadBundle
        If a line is longer than `LARGEST_LINE`, or the last has no newline.
    """
    rest = b""
    for chunk in chunks:
        parts = (rest + chunk).split(b"\n") if b"\n" in chunk else [rest + chunk]
        rest = parts.pop()
        if len(rest) > LARGEST_LINE or any(len(line) > LARGEST_LINE for line in parts):
            raise BadBundle(f"{where} has a line of more than {LARGEST_LINE:,} bytes")
        yield from parts
    if rest:
        raise BadBundle(f"{where} is cut off: its last line has no end")
