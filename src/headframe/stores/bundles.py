"""Bundles as folders and zip files: made, and verified without a workspace, a database or a network.

A zip is written without compression: then the same input gives the same bytes with every version of every library, and
a verifier can refuse compressed entries, which is where zip bombs live. Everything streams; memory is bounded by one
line of ``disclosures.jsonl`` and by the list of files.

**What a crash leaves behind.** A bundle is written under a name that begins with a dot and is renamed when it is
whole and on the disk. A crash leaves the dotted name, and never half a bundle under the name that was asked for.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO, Protocol

from headframe.cases.store import Disclosure, StoredLeaf
from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger import bundle as model
from headframe.ledger.bundle import (
    BadBundle,
    BundleLeaf,
    BundleReport,
    CheckResult,
    Container,
    Manifest,
    ManifestFile,
    State,
)
from headframe.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from headframe.ledger.note import BadNote, Note, Signer, Verifier, format_note, parse_note, sign, verified
from headframe.ledger.witness import Cosigned, cosignatures, witnesses_under
from headframe.stores.disk import Disk
from headframe.stores.ledger_files import LedgerReader
from headframe.stores.stored_zips import chunks_of, read_directory
from headframe.stores.time_stamps import BadTimeStamp, check_time_stamp, is_stamp_of

_CHUNK = 1 << 20
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say; the time of making is in the manifest."""


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file for a bundle: where it goes (``documents/...``, ``data/...``), and its bytes or the file that has them."""

    path: str
    source: Path | bytes


def make_bundle(
    path: Path,
    *,
    subject: str,
    made_ns: int,
    ledger: LedgerReader,
    signers: Sequence[Signer],
    leaves: Iterable[StoredLeaf],
    files: Iterable[BundleFile] = (),
    disclose: Callable[[StoredLeaf, Disclosure], bool] | None = None,
    checkpoint: bytes | None = None,
    witnessed: Sequence[bytes] | None = None,
    time_stamp: bytes | None = None,
    notes: Sequence[str] = (),
) -> Manifest:
    """Write a bundle: a zip if its name ends in ``.zip``, else a folder.

    The same input gives the same bytes.

    Parameters
    ----------
    path : Path
        Must not be there.
    subject : str
        What it is of: ``HF-2026-000001``.
    made_ns : int
        [ns since 1970-01-01 UTC]
    ledger : LedgerReader
        Gives the proofs.
    signers : sequence of Signer
        The log's private keys; they sign the manifest.
    leaves : iterable of StoredLeaf
        Each with its index and the disclosures that are left, in any order.
    files : iterable of BundleFile
    disclose : callable
        Whether a disclosure goes in; all do if not given. What is left out is reported as withheld, and the rest is
        still proved.
    checkpoint : bytes
        The signed checkpoint that the proofs lead to; if not given, the largest that was co-signed, where it covers all
        leaves, else the latest.
    witnessed : sequence of bytes
        Checkpoints that somebody outside has seen: witnesses, who co-signed them, or an authority, who stamped one. If
        not given, those that the ledger keeps. They go in beside a newer one, each with the proof that the newer one
        continues it; at most `headframe.ledger.bundle.MOST_WITNESSED`.
    time_stamp : bytes
        An authority's answer (RFC 3161) for the bytes of one of them.
    notes : sequence of str
        Lines for the README, such as who asked for the bundle and what was withheld from whom.

    Returns
    -------
    Manifest

    Raises
    ------
    HeadframeError
        If the target is there, a leaf is not in the ledger, or a file cannot be read.
    """
    chosen = sorted(leaves, key=lambda leaf: -1 if leaf.index is None else leaf.index)
    for stored in chosen:
        if stored.index is None:
            raise HeadframeError(f"leaf {stored.leaf_id} is not in the ledger yet; hand pending leaves over first")
    largest = max((stored.index for stored in chosen if stored.index is not None), default=-1)
    chosen_ones = checkpoints_for(ledger, largest, checkpoint=checkpoint, witnessed=witnessed)
    note, state, beside = chosen_ones.note, chosen_ones.state, chosen_ones.beside

    def leaf_lines() -> Iterator[bytes]:
        for stored in chosen:
            index = stored.index or 0
            if ledger.entry(index) != stored.leaf:
                raise HeadframeError(f"leaf {stored.leaf_id} is not what the ledger has at place {index:,}")
            yield model.format_leaf(BundleLeaf(index, stored.leaf, ledger.inclusion_proof(index, state.size)))

    def disclosure_lines() -> Iterator[bytes]:
        for stored in chosen:
            for disclosure in sorted(stored.disclosures, key=lambda item: item.name):
                if disclose is None or disclose(stored, disclosure):
                    yield model.format_disclosure(stored.index or 0, disclosure)

    keys = "".join(f"{key.text()}\n" for key in ledger.keys).encode()
    parts: dict[str, Callable[[], Iterator[bytes]]] = {
        model.CHECKPOINT: lambda: iter([note]),
        model.KEYS: lambda: iter([keys]),
        model.LEAVES: leaf_lines,
        model.DISCLOSURES: disclosure_lines,
        model.README: lambda: iter([_readme(subject, state, beside, [leaf.index or 0 for leaf in chosen], notes)]),
    }
    for (name, proof_name), older in zip(model.WITNESSED_PAIRS, beside, strict=False):
        proof = model.format_proof(ledger.consistency_proof(older.state.size, state.size))
        parts[name] = partial(iter, [older.note])
        parts[proof_name] = partial(iter, [proof])
    if time_stamp is not None:
        stamp = time_stamp
        if len(stamp) > model.LARGEST_SMALL_FILE:
            raise HeadframeError(
                f"a time-stamp in a bundle has at most {model.LARGEST_SMALL_FILE:,} bytes; this one has {len(stamp):,}"
            )
        parts[model.TIME_STAMP] = lambda: iter([stamp])
    for file in files:
        model.check_path(file.path)
        if not file.path.startswith(model.FOLDERS):
            raise HeadframeError(f"a bundle's files go into documents/ or data/; got {file.path!r}")
        if file.path in parts:
            raise HeadframeError(f"two files of the bundle are called {file.path!r}")
        parts[file.path] = _source(file.source)
    model.check_distinct(parts)
    with _writing(path) as target:
        listed = []
        for name in sorted(parts):
            size, digest = target.add(name, parts[name]())
            listed.append(ManifestFile(name, size, digest))
        manifest = Manifest(subject=subject, made_ns=made_ns, checkpoint=_plain(state), files=tuple(listed))
        data = model.format_manifest(manifest)
        if len(data) > model.LARGEST_MANIFEST or len(listed) > model.MOST_FILES:
            raise HeadframeError(f"a bundle has at most {model.MOST_FILES:,} files; got {len(listed):,}. Make several")
        target.add(model.MANIFEST, iter([data]))
        text = model.manifest_text(sha256(data).hexdigest())
        target.add(model.MANIFEST_NOTE, iter([format_note(sign(text, signers))]))
    return manifest


def _plain(checkpoint: Checkpoint) -> Checkpoint:
    return Checkpoint(checkpoint.origin, checkpoint.size, checkpoint.root)


@dataclass(frozen=True, slots=True)
class Older:
    """A checkpoint that somebody outside has seen.

    Attributes
    ----------
    note : bytes
    state : Checkpoint
    witnesses : frozenset of (str, bytes)
        Name and id of each key that signed it and is not the log's.
    """

    note: bytes
    state: Checkpoint
    witnesses: frozenset[tuple[str, bytes]] = frozenset()


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """What a bundle is made against.

    Attributes
    ----------
    note : bytes
        The signed checkpoint that the proofs lead to.
    state : Checkpoint
    seen : tuple of Older
        What somebody outside has seen, the one that most witnesses have signed of those that cover all leaves first;
        `note` itself may be among them.
    """

    note: bytes
    state: Checkpoint
    seen: tuple[Older, ...] = ()

    @property
    def beside(self) -> tuple[Older, ...]:
        """What somebody outside has seen, and is not `note` itself."""
        return tuple(one for one in self.seen if one.note != self.note)


def checkpoints_for(
    ledger: LedgerReader, largest: int, *, checkpoint: bytes | None = None, witnessed: Sequence[bytes] | None = None
) -> Checkpoints:
    """The checkpoints that a bundle is made against.

    Parameters
    ----------
    ledger : LedgerReader
    largest : int
        Place of the last leaf that goes in; -1 for none.
    checkpoint, witnessed : bytes
        See `make_bundle`.

    Raises
    ------
    HeadframeError
        If one that was given is not of this log, or too old.
    """
    ledger.refresh()
    seen = [_of_this_log(ledger, one) for one in (ledger.every_witnessed() if witnessed is None else witnessed)]
    # The one that most have signed of those that cover all first; a signature less is worth less than a leaf uncovered.
    seen.sort(key=lambda one: (one.state.size > largest, len(one.witnesses), one.state.size), reverse=True)
    if checkpoint is None and (signed := [one for one in seen if _signed_now(ledger, one.note)]):
        # The largest, so that all others go in beside it.
        last = max(signed, key=lambda one: one.state.size)
        checkpoint = last.note if last.state.size > largest else None
    note = checkpoint or ledger.note
    state, _note, _signed = open_checkpoint(note, ledger.keys)
    if largest >= state.size:
        raise HeadframeError(
            f"the checkpoint covers {state.size:,} leaves, and leaf {largest:,} is to go in; take a later checkpoint"
        )
    if witnessed is not None and (larger := [one for one in seen if one.state.size > state.size]):
        raise HeadframeError(
            f"the witnessed checkpoint has {larger[0].state.size:,} leaves, and the bundle's has {state.size:,}; "
            "the witnessed one is the older one"
        )
    return Checkpoints(note, state, tuple(one for one in seen if one.state.size <= state.size)[: model.MOST_WITNESSED])


def _of_this_log(ledger: LedgerReader, note: bytes) -> Older:
    """A checkpoint whose leaves are the beginning of this log, whichever of its keys signed it."""
    parsed = parse_note(note)
    state = read_checkpoint(parsed.text)
    if state.origin != ledger.checkpoint.origin:
        raise HeadframeError(
            f"the witnessed checkpoint is of {state.origin}, and this log is {ledger.checkpoint.origin}"
        )
    if state.size > ledger.size:
        raise HeadframeError(
            f"the witnessed checkpoint has {state.size:,} leaves, and this log only {ledger.size:,}: it is an older "
            "copy. Put the right one back"
        )
    if ledger.root_at(state.size) != state.root:
        raise HeadframeError(
            f"the witnessed checkpoint of {state.size:,} leaves has another root than this log had then: they are two "
            "histories. Keep both, and find out which was altered"
        )
    return Older(note, state, witnesses_under(parsed, state.origin))


def _signed_now(ledger: LedgerReader, note: bytes) -> bool:
    """Whether a key that the log has now signed a checkpoint; after a change of keys an older one is not."""
    try:
        open_checkpoint(note, ledger.keys)
    except BadNote:
        return False
    return True


def _source(source: Path | bytes) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        if isinstance(source, bytes):
            yield source
            return
        try:
            with source.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except OSError as error:
            raise UnreadableInput(f"{source} cannot be read: {error.strerror}") from None

    return chunks


def _readme(
    subject: str, checkpoint: Checkpoint, beside: Sequence[Older], places: Sequence[int], notes: Sequence[str]
) -> bytes:
    remarks = "".join(f"{line}\n" for line in notes)
    listed = ""
    if beside:
        listed = "".join(
            f"{name:<18} the state of that log with {older.state.size} entries, as others have seen it\n"
            f"{proof:<18} that the log has only grown since\n"
            for (name, proof), older in zip(model.WITNESSED_PAIRS, beside, strict=False)
        )
        seen = max(older.state.size for older in beside)
        late = [place for place in places if place >= seen]
        if late:
            numbers = ", ".join(map(str, late[: model.MOST_FAULTS])) + (", ..." if late[model.MOST_FAULTS :] else "")
            remarks = (
                f"Of the {len(places)} entries here {len(late)} are newer than what others have seen: {numbers}.\n"
                + remarks
            )
    return f"""\
This is an evidence bundle of {subject}.

documents/         letters, records, photos
data/              tables and other extracts
leaves.jsonl       what was logged, with the proof that it is in the log
disclosures.jsonl  what the digests in those leaves stand for; what is left out was withheld or erased
checkpoint         the state of the log {checkpoint.origin} with {checkpoint.size} entries, signed
{listed}keys               the log's public key as this bundle names it; a forger could name any
manifest.json      every file with its size and SHA-256; manifest.note signs it

To check that nothing was altered, on a machine without a network if you like:

    headframe bundle verify THIS --key KEY

KEY is the public key of the unit's log. Get it from the unit on another way than you got this bundle. You need not
trust the program: its ledger-format.md says how to write your own.
{remarks}""".encode()


class _Target(Protocol):
    def add(self, path: str, chunks: Iterator[bytes]) -> tuple[int, str]:
        """Write a file; gives its size and SHA-256."""
        ...


@contextmanager
def _writing(path: Path) -> Iterator[_Target]:
    if path.exists() or path.is_symlink():
        raise HeadframeError(f"{path} is there already; name a file or folder that is not, or remove it first")
    if not path.parent.is_dir():
        raise HeadframeError(f"the folder {path.parent} is not there; make it first")
    new = path.with_name(f".{path.name}.new")
    if new.is_dir():
        shutil.rmtree(new)
    new.unlink(missing_ok=True)
    disk = Disk()
    try:
        if path.suffix.lower() == ".zip":
            with new.open("xb") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                    yield _ZipTarget(archive)
                file.flush()
                os.fsync(file.fileno())
        else:
            new.mkdir()
            folder = _FolderTarget(new, disk)
            yield folder
            folder.sync()
        disk.rename(new, path)
        disk.sync_folder(path.parent)
    except BaseException as error:
        if new.is_dir():
            shutil.rmtree(new, ignore_errors=True)
        else:
            new.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise HeadframeError(f"the bundle {path} could not be written: {error.strerror or error}") from None
        raise


class _ZipTarget:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, path: str, chunks: Iterator[bytes]) -> tuple[int, str]:
        info = zipfile.ZipInfo(path, _ZIP_TIME)
        info.compress_type = zipfile.ZIP_STORED
        info.create_system = 3  # Unix, on every system, for the same bytes
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        digest, size = sha256(), 0
        # The size is not known beforehand: it may be a stream. The longer form is always allowed.
        with self._archive.open(info, "w", force_zip64=True) as out:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
        return size, digest.hexdigest()


class _FolderTarget:
    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._folders = {folder}

    def add(self, path: str, chunks: Iterator[bytes]) -> tuple[int, str]:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        parent = target.parent
        while parent != self._folder:
            self._folders.add(parent)
            parent = parent.parent
        digest, size = sha256(), 0
        file = self._disk.create(target)
        try:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                self._disk.write(file, chunk)
            self._disk.sync(file)
        finally:
            self._disk.close(file)
        return size, digest.hexdigest()

    def sync(self) -> None:
        for folder in self._folders:
            self._disk.sync_folder(folder)


# ---------------------------------------------------------------------------------------------------------------------
# Reading what somebody else has made.


class _FolderContainer:
    """A bundle in a folder. Links are refused, wherever they lead."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: dict[str, int] = {}
        self._walk(folder, "")
        model.check_distinct(self._sizes)

    def _walk(self, folder: Path, prefix: str) -> None:
        with os.scandir(folder) as found:
            for item in sorted(found, key=lambda entry: entry.name):
                path = prefix + item.name
                model.check_path(path)
                mode = item.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    self._walk(Path(item.path), path + "/")
                elif stat.S_ISREG(mode):
                    self._sizes[path] = item.stat(follow_symlinks=False).st_size
                else:
                    raise BadBundle(f"{path!r} in the bundle is a link or device; a bundle has files and folders only")
                if len(self._sizes) > model.MOST_FILES:
                    raise BadBundle(f"the bundle has more than {model.MOST_FILES:,} files")

    def sizes(self) -> Mapping[str, int]:
        return self._sizes

    def chunks(self, path: str) -> Iterator[bytes]:
        try:
            number = os.open(self._folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise BadBundle(f"{path!r} in the bundle cannot be read: {error.strerror}") from None
        with os.fdopen(number, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise BadBundle(f"{path!r} in the bundle is not a plain file")
            yield from _limited(file, self._sizes[path], path)


class _ZipContainer:
    """A bundle in a zip: stored entries only, each once, one after the other."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file = file
        self._entries = read_directory(file, length)
        model.check_distinct(self._entries)

    def sizes(self) -> Mapping[str, int]:
        return {name: entry.size for name, (entry, _) in self._entries.items()}

    def chunks(self, path: str) -> Iterator[bytes]:
        try:
            yield from chunks_of(self._file, *self._entries[path])
        except OSError as error:
            raise BadBundle(f"{path!r} in the zip cannot be read: {error.strerror}") from None


def _limited(file: IO[bytes], size: int, path: str) -> Iterator[bytes]:
    left = size
    while left:
        chunk = file.read(min(_CHUNK, left))
        if not chunk:
            raise BadBundle(f"{path!r} in the bundle is cut off: {left:,} of {size:,} bytes are missing")
        left -= len(chunk)
        yield chunk
    if file.read(1):
        raise BadBundle(f"{path!r} in the bundle is longer than it says")


@contextmanager
def _open(path: Path) -> Iterator[Container]:
    with ExitStack() as stack:
        try:
            if path.is_dir():
                yield _FolderContainer(path)
                return
            file = stack.enter_context(path.open("rb"))
            length = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise UnreadableInput(f"the bundle {path} cannot be read: {error.strerror}") from None
        yield _ZipContainer(file, length)


def verify_bundle(
    path: Path,
    keys: Sequence[Verifier],
    *,
    authorities: Sequence[bytes] = (),
    witnesses_needed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> BundleReport:
    """Check a bundle, offline, with memory bounded whatever its size.

    Parameters
    ----------
    path : Path
        Folder or zip.
    keys : sequence of Verifier
        Public keys that the reader trusts: of the log, and of witnesses. Those that the bundle names count for nothing.
    authorities : sequence of bytes
        Certificates (PEM) of trusted time-stamp authorities, if the bundle has a time-stamp.
    witnesses_needed : int
        How many of the known witnesses must have co-signed.
    progress : callable
        Is told how many bytes have been read.

    Returns
    -------
    BundleReport

    Raises
    ------
    UnreadableInput
        If there is no such file.
    """
    checks: list[CheckResult] = []
    try:
        with _open(path) as container:
            sizes = container.sizes()
            checks.append(
                CheckResult("container", State.OK, f"{len(sizes):,} files, {sum(sizes.values()):,} bytes; no links, "
                            "no path that leads out, none twice, nothing compressed")
            )  # fmt: skip
            return _verify(container, keys, authorities, witnesses_needed, progress, checks)
    except BadBundle as error:
        checks.append(CheckResult("readable" if checks else "container", State.FAILED, str(error)))
        return BundleReport(subject="", made_ns=None, checks=tuple(checks))


def _verify(
    container: Container,
    keys: Sequence[Verifier],
    authorities: Sequence[bytes],
    witnesses_needed: int,
    progress: Callable[[int], None] | None,
    checks: list[CheckResult],
) -> BundleReport:
    raw = _small(container, model.MANIFEST, model.LARGEST_MANIFEST)
    manifest = model.parse_manifest(raw)
    checks.append(CheckResult("manifest", State.OK, f"of {manifest.subject}, lists {len(manifest.files):,} files"))
    broken: set[str] = set()
    checks.append(_check_files(container, manifest, progress, broken))
    checks.append(_check_manifest_note(container, raw, manifest, keys))
    inside = _keys_inside(container)
    checkpoint_check, checkpoint, note = _check_checkpoint(container, manifest, keys)
    checks.append(checkpoint_check)
    documents = [file for file in manifest.files if file.path.startswith("documents/")]
    data = [file for file in manifest.files if file.path.startswith("data/")]
    findings = _finding_digests(container)
    found = model.LeafCheck()
    if checkpoint is None or note is None:
        text = "the checkpoint did not hold, so there is nothing for the proofs to lead to"
        checks.append(CheckResult("witnesses", State.NOT_CHECKED, "the checkpoint did not hold"))
        checks += [CheckResult(name, State.NOT_CHECKED, text) for name in ("leaves", "disclosures", "documents")]
    else:
        seen = _check_witnessed(container, checkpoint, note, keys, witnesses_needed)
        found = model.check_leaves(
            (model.parse_leaf(line) for line in _lines(container, model.LEAVES)),
            (model.parse_disclosure(line) for line in _lines(container, model.DISCLOSURES)),
            checkpoint,
            frozenset([*(file.sha256 for file in (*documents, *data)), *findings]),
            seen.below,
        )
        checks.append(_witness_result(seen, found, witnesses_needed))
        checks.append(_result("leaves", found.bad_leaves, f"{found.leaves:,} leaves, each proved to be in the log"))
        withheld = f"; {found.withheld_count:,} fields are withheld or erased" if found.withheld_count else ""
        checks.append(
            _result(
                "disclosures",
                found.bad_disclosures,
                f"{found.disclosures:,} fields, each as it was logged{withheld}",
            )
        )
        strange = [f"{file.path} is in no leaf" for file in documents if file.sha256 not in found.vouched]
        extra = sum(1 for file in data if file.sha256 not in found.vouched)
        words = f"{len(documents):,} documents, each named by a leaf"
        if extra:
            words += f"; {extra:,} extracts in data/ are covered by the manifest's signature only"
        if findings:
            named = sum(digest in found.vouched for digest in findings)
            words += f"; of {len(findings):,} lines in {model.FINDINGS}, leaves name {named:,}"
        checks.append(_result("documents", strange, words))
    checks.append(_check_stamp(container, authorities))
    return BundleReport(
        subject=manifest.subject,
        made_ns=manifest.made_ns,
        checks=tuple(checks),
        withheld=tuple(found.withheld),
        withheld_count=found.withheld_count,
        keys_inside=inside,
        leaves=found.leaves,
        unwitnessed=tuple(found.unwitnessed),
        unwitnessed_count=found.unwitnessed_count,
    )


def _result(name: str, faults: Sequence[str], good: str) -> CheckResult:
    if faults:
        return CheckResult(name, State.FAILED, "; ".join(faults[: model.MOST_FAULTS + 1]))
    return CheckResult(name, State.OK, good)


def _small(container: Container, path: str, largest: int) -> bytes:
    size = container.sizes().get(path)
    if size is None:
        raise BadBundle(f"the bundle has no {path}; it is not a bundle, or not whole")
    if size > largest:
        raise BadBundle(f"{path} has {size:,} bytes; at most {largest:,} make sense")
    return b"".join(container.chunks(path))


def _lines(container: Container, path: str) -> Iterator[bytes]:
    if path not in container.sizes():
        raise BadBundle(f"the bundle has no {path}; it is not a bundle, or not whole")
    return model.lines(container.chunks(path), path)


def _finding_digests(container: Container) -> list[str]:
    """SHA-256 of each line of the findings, up to a number; none where they are no lines."""
    if model.FINDINGS not in container.sizes():
        return []
    try:
        found = model.lines(container.chunks(model.FINDINGS), model.FINDINGS)
        return [sha256(line).hexdigest() for line in islice(found, model.MOST_FINDINGS)]
    except BadBundle:
        return []  # an extract may be anything; whether its bytes are the manifest's was checked before


def _check_files(
    container: Container, manifest: Manifest, progress: Callable[[int], None] | None, broken: set[str]
) -> CheckResult:
    sizes = container.sizes()
    listed = {file.path: file for file in manifest.files}
    present = set(sizes) - {model.MANIFEST, model.MANIFEST_NOTE}
    faults = [f"{path} is missing" for path in sorted(listed.keys() - present)]
    faults += [f"{path} is not in the manifest" for path in sorted(present - listed.keys())]
    faults += [f"{path} must be in every bundle" for path in model.FIXED if path not in (*model.OPTIONAL, *listed)]
    for name, proof in model.WITNESSED_PAIRS:
        if (name in listed) != (proof in listed):
            faults.append(f"{name} and {proof} are both there, or neither is")
    faults += [
        f"{path} has {sizes[path]:,} bytes; at most {model.LARGEST_SMALL_FILE:,} make sense"
        for path in model.SMALL_FILES
        if sizes.get(path, 0) > model.LARGEST_SMALL_FILE
    ]
    done = 0
    for path in sorted(listed.keys() & present):
        if sizes[path] != listed[path].size:
            faults.append(f"{path} has {sizes[path]:,} bytes, and the manifest says {listed[path].size:,}")
            continue
        digest = sha256()
        try:
            for chunk in container.chunks(path):
                digest.update(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done)
        except BadBundle as error:
            faults.append(str(error))
            continue
        if digest.hexdigest() != listed[path].sha256:
            faults.append(f"{path} was changed: its SHA-256 is not the manifest's")
    if len(faults) > model.MOST_FAULTS:
        faults = [*faults[: model.MOST_FAULTS], f"and {len(faults) - model.MOST_FAULTS:,} more"]
    return _result("files", faults, "all there, none changed, none added")


def _check_manifest_note(container: Container, raw: bytes, manifest: Manifest, keys: Sequence[Verifier]) -> CheckResult:
    try:
        note = parse_note(_small(container, model.MANIFEST_NOTE, model.LARGEST_SMALL_FILE))
        if note.text != model.manifest_text(sha256(raw).hexdigest()):
            return CheckResult("signature", State.FAILED, "manifest.note signs another manifest than this one")
        signed = [key for key in verified(note, keys) if key.name == manifest.checkpoint.origin]
    except (BadNote, BadBundle) as error:
        return CheckResult("signature", State.FAILED, str(error))
    if not signed:
        return CheckResult("signature", State.FAILED, _unknown([line.name for line in note.signatures]))
    return CheckResult("signature", State.OK, f"the manifest is signed by {_named(signed)}")


def _unknown(names: Sequence[str]) -> str:
    return (
        f"signed by {', '.join(dict.fromkeys(names))}, of which no key is trusted here. Give the unit's public key "
        "with --key, as the unit publishes it"
    )


def _named(keys: Iterable[Verifier]) -> str:
    return ", ".join(f"{key.name}+{key.key_id.hex()}" for key in keys)


def _check_checkpoint(
    container: Container, manifest: Manifest, keys: Sequence[Verifier]
) -> tuple[CheckResult, Checkpoint | None, Note | None]:
    try:
        data = _small(container, model.CHECKPOINT, model.LARGEST_SMALL_FILE)
        checkpoint, note, signed = open_checkpoint(data, keys)
    except (BadNote, BadBundle) as error:
        return CheckResult("checkpoint", State.FAILED, str(error)), None, None
    if _plain(checkpoint) != manifest.checkpoint:
        text = "the checkpoint is not the one that the manifest names"
        return CheckResult("checkpoint", State.FAILED, text), None, None
    good = CheckResult(
        "checkpoint",
        State.OK,
        f"the log {checkpoint.origin} had {checkpoint.size:,} leaves, signed by {_named(signed)}",
    )
    return good, checkpoint, note


@dataclass(frozen=True, slots=True)
class _Seen:
    """What known witnesses have seen of the log.

    Attributes
    ----------
    by : tuple of (Cosigned, int)
        Who, and how many leaves.
    below : int
        So many leaves have been seen by as many as were asked for; by one, if none were asked for.
    fault : str
        Why nothing of it counts.
    """

    by: tuple[tuple[Cosigned, int], ...] = ()
    below: int = 0
    fault: str = ""


def _check_witnessed(
    container: Container, checkpoint: Checkpoint, note: Note, keys: Sequence[Verifier], needed: int
) -> _Seen:
    try:
        # By name: a witness that changed its key is one, whichever of its keys the reader knows.
        found = {item.witness.name: (item, checkpoint.size) for item in cosignatures(note, keys)}
        for name, proof in model.WITNESSED_PAIRS:
            # That one comes without the other was told with the files.
            if not {name, proof} <= container.sizes().keys():
                continue
            older, cosigned = model.check_witnessed(
                _small(container, name, model.LARGEST_SMALL_FILE),
                _small(container, proof, model.LARGEST_SMALL_FILE),
                checkpoint,
                keys,
                name,
            )
            for item in cosigned:
                name_of = item.witness.name
                if name_of not in found or found[name_of][1] < older.size:
                    found[name_of] = (item, older.size)
    except (BadNote, BadBundle) as error:
        return _Seen(fault=str(error))
    by = tuple(found.values())
    sizes = sorted((size for _, size in by), reverse=True)
    enough = max(needed, 1)
    return _Seen(by, sizes[enough - 1] if len(sizes) >= enough else 0)


def _witness_result(seen: _Seen, found: model.LeafCheck, needed: int) -> CheckResult:
    if seen.fault:
        return CheckResult("witnesses", State.FAILED, seen.fault)
    if len(seen.by) < needed:
        text = f"{needed} known witnesses must have co-signed; {len(seen.by)} did"
        return CheckResult("witnesses", State.FAILED, text)
    if not seen.by:
        return CheckResult("witnesses", State.NOT_CHECKED, "no witness whose key is known here co-signed")
    said = ", ".join(f"{item.witness.name} at {_instant(item.at_s)} ({size:,} leaves)" for item, size in seen.by)
    text = f"co-signed by {said}; {found.leaves - found.unwitnessed_count:,} of {found.leaves:,} leaves here are in it"
    if found.unwitnessed_count:
        late = ", ".join(f"{index:,} ({kind})" for index, kind in found.unwitnessed[: model.MOST_FAULTS])
        text += f"; not witnessed yet: {late}" + ("" if found.unwitnessed_count <= model.MOST_FAULTS else ", and more")
    if needed and found.unwitnessed_acts:
        text = f"{needed} known witnesses must have seen every leaf but those of kind {model.HANDED_OUT}; {text}"
        return CheckResult("witnesses", State.FAILED, text)
    return CheckResult("witnesses", State.OK, text)


def _instant(at_s: int) -> str:
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(at_s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{at_s} s after 1970"


def _keys_inside(container: Container) -> tuple[str, ...]:
    if not 0 < container.sizes().get(model.KEYS, 0) <= 100_000:
        return ()
    data = b"".join(container.chunks(model.KEYS))
    return tuple(line for line in data.decode("utf-8", "replace").splitlines()[:20] if line.isprintable())


def _check_stamp(container: Container, authorities: Sequence[bytes]) -> CheckResult:
    if model.TIME_STAMP not in container.sizes():
        return CheckResult("time-stamp", State.NOT_CHECKED, "the bundle has none")
    if not authorities:
        text = "there is one, and no certificate of its authority was given (--authority)"
        return CheckResult("time-stamp", State.NOT_CHECKED, text)
    try:
        stamp = _small(container, model.TIME_STAMP, model.LARGEST_SMALL_FILE)
        seen = (name for name, _proof in model.WITNESSED_PAIRS)
        names = [name for name in (model.CHECKPOINT, *seen) if name in container.sizes()]
        notes = {name: _small(container, name, model.LARGEST_SMALL_FILE) for name in names}
        stamped = next((name for name in names if is_stamp_of(stamp, notes[name])), model.CHECKPOINT)
        moment = check_time_stamp(stamp, notes[stamped], authorities)
        size = read_checkpoint(parse_note(notes[stamped]).text).size
    except (BadTimeStamp, BadBundle, BadNote) as error:
        return CheckResult("time-stamp", State.FAILED, str(error))
    text = f"the checkpoint of {size:,} leaves (file {stamped}) existed at {moment:%Y-%m-%dT%H:%M:%SZ}"
    return CheckResult("time-stamp", State.OK, text)
