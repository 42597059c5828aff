"""Findings from files into the store: resolved to sites, each once, and the ledger says what was taken.

A file is read and resolved outside of any transaction, and written in parts of `BATCH` findings, so that others can
write in between. Each part is a transaction: its findings, and, where a file has more than one part, a leaf of its own
(``findings/IMPORT/3``). The leaf of the file (``findings/IMPORT``) is written with the last part: where it is missing,
the import was cut off. Importing the file again then adds the rest, and adds nothing twice; findings that are there
without a site, and without a case, get the site that is known now. A file that cannot be read to its end is refused
before anything of it is written.
"""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.cases.store import StoredFinding
from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.leaf import document_digest
from headframe.records.assessment import DamagedRow
from headframe.records.case import FindingRef
from headframe.records.finding import Finding, Role
from headframe.reports.document import finding_document, finding_id
from headframe.sites.registry import Registry
from headframe.sites.resolve import resolve, resolve_usage_point
from headframe.sources.finding_rows import FindingRow, UsagePointRow, file_digest, finding_rows

if TYPE_CHECKING:
    from headframe.casework.core import Casework
    from headframe.records.case import Account

BATCH = 5_000
"""Findings that are written at a time: memory stays the same whatever the size of the file, and others wait for the
lock of SQLite for a moment and not for minutes (docs/sites.md, measured 2026-11-20). Parts are numbered by it."""
MOST_REASONS = 1_000
"""Reasons that are counted apart: each may name another address."""
_PIECE_BYTES = 1 << 20

MINING_ROLES = frozenset({Role.MINER, Role.PROXY, Role.POOL})
"""Roles that say that mining goes on at the host; a contact, a probe, a follower or a node's client does not."""
_OTHERS = "others of this kind"
_NAME_HEX = 20
"""As `headframe.reports.document.finding_id`."""
_MOST_DAMAGED = 100
_MARKED = {"marked": True}
"""That the rows of its findings bear marks: those of older imports do not, and are taken without."""


@dataclass(slots=True)
class ImportedFile:
    """What an import did with one file.

    Attributes
    ----------
    file : str
    sha256 : str
        Of the file's bytes.
    import_id : str
    rows : int
        Findings in the file.
    new : int
        That the store did not have.
    settled : int
        That the store had without a site, and whose site is known now.
    parts : int
        Transactions that it was written in.
    resolved : int
        Whose site is known.
    unresolved : Counter of str
        Why the others' is not, and how many of each.
    damaged : list of DamagedRow
        The first of the rows that could not be used.
    damaged_rows : int
        How many there are.
    moved : int
        Findings without a case that got another site because the table of sites changed while the file was read.
    """

    file: str
    sha256: str
    import_id: str
    rows: int = 0
    new: int = 0
    settled: int = 0
    parts: int = 0
    resolved: int = 0
    unresolved: Counter[str] = field(default_factory=Counter)
    damaged: list[DamagedRow] = field(default_factory=list)
    damaged_rows: int = 0
    moved: int = 0


def import_file(
    casework: Casework,
    path: Path,
    registry: Registry,
    *,
    realm: str = "",
    registry_only: bool = True,
    account: Account | None = None,
) -> ImportedFile:
    """Import the findings of a file.

    Parameters
    ----------
    casework : Casework
    path : Path
    registry : Registry
        To resolve them by.
    realm : str
        Network in which private addresses are meant.
    registry_only : bool
        Whether the registry has neither leases nor NAT logs: then later tables of sites may decide again.
    account : Account or None
        Who imports.

    Returns
    -------
    ImportedFile

    Raises
    ------
    UnreadableInput
        If the file cannot be read to its end; nothing of it is imported then.
    HeadframeError
        If a part cannot be written. Those before it are kept, and the import can be repeated.
    """
    sha256 = file_digest(path)
    _refuse_torn(path)
    told = ImportedFile(file=str(path), sha256=sha256, import_id=f"I-{sha256[:20]}")
    source = stored_findings(path, told, registry, realm=realm)
    part = list(islice(source, BATCH))
    while True:
        following = list(islice(source, BATCH))
        told.parts += 1
        try:
            _write_part(casework, told, part, realm, registry_only, account, last=not following)
        except HeadframeError as fault:
            if told.parts == 1:
                raise
            raise HeadframeError(
                f"{fault}\n{(told.parts - 1) * BATCH:,} findings of {path} are imported, and the rest is not; import "
                "the file again, and nothing is added twice"
            ) from fault
        if not following:
            return told
        part = following


def _write_part(
    casework: Casework,
    told: ImportedFile,
    part: Sequence[StoredFinding],
    realm: str,
    registry_only: bool,
    account: Account | None,
    *,
    last: bool,
) -> None:
    """One transaction: findings, and the leaves that say so."""
    who = account.name if account is not None else ""
    with casework.store.writing() as writer:
        writer.note_import(told.import_id, realm, registry_only=registry_only)
        new = writer.import_findings(part)
        known = [one for one in part if one.site_id] if new < len(part) else []
        settled = writer.assign_findings((one.ref.finding_id, "", one.site_id) for one in known)
        leaves: list[tuple[str, dict[str, object]]] = []
        if not last or told.parts > 1:
            about: dict[str, object] = {"account": who, "part": told.parts, "findings": len(part), "new": new}
            leaves.append((f"findings/{told.import_id}/{told.parts}", about | _MARKED))
        if last:
            about = {
                "account": who,
                "file": Path(told.file).name,
                "sha256": told.sha256,
                "findings": told.rows,
                "damaged_rows": told.damaged_rows,
                **_MARKED,
            }
            leaves.append((f"findings/{told.import_id}", about))
        there = {one.leaf_id for one in casework.store.leaves(leaf_ids=[leaf_id for leaf_id, _ in leaves])}
        now_ns = casework.now_ns()
        if settled:
            leaf_id = casework.free_leaf_id(f"findings/{told.import_id}/{told.parts}/{now_ns}")
            leaves.append((leaf_id, {"account": who, "settled": settled}))
        for leaf_id, about in leaves:
            if leaf_id not in there:
                subject = leaf_id.removeprefix("findings/")
                writer.log(casework.sealed(leaf_id, "findings", subject, now_ns, about, data_class="finding"))
    casework.hand_over()
    told.new += new
    told.settled += settled


def _refuse_torn(path: Path) -> None:
    """Refuse a gzip file that breaks off: its parts are written one by one, and half a file must not get in."""
    try:
        with path.open("rb") as raw:
            if raw.read(2) != b"\x1f\x8b":
                return
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) as stream:
                while stream.read(_PIECE_BYTES):
                    pass
    except (OSError, EOFError, zlib.error) as fault:
        raise UnreadableInput(
            f"{path}: cannot be read to its end: {getattr(fault, 'strerror', None) or fault}"
        ) from fault


def stored_findings(
    path: Path, account: ImportedFile, registry: Registry, *, realm: str = ""
) -> Iterator[StoredFinding]:
    """Every finding of a file as the store keeps it; the `account` is filled on the way."""
    for row in finding_rows(path):
        if isinstance(row, DamagedRow):
            account.damaged_rows += 1
            if len(account.damaged) < _MOST_DAMAGED:
                account.damaged.append(row)
            continue
        site_id, why = site_of(row, registry, realm=realm)
        for one in _stored(row, site_id, account.import_id):
            account.rows += 1
            if site_id:
                account.resolved += 1
            else:
                full = len(account.unresolved) >= MOST_REASONS and why not in account.unresolved
                account.unresolved[_OTHERS if full else why] += 1
            yield one


def site_of(row: FindingRow, registry: Registry, *, realm: str = "") -> tuple[str, str]:
    """The site of a finding over its whole period, or why it is not known.

    A site that is known for a part of the period only counts for nobody: the other part may be somebody else's.

    Returns
    -------
    site_id : str
        Empty where it is not known.
    why : str
        Empty where it is.
    """
    period = (row.started_ns, row.ended_ns)
    if isinstance(row, UsagePointRow):
        answer = resolve_usage_point(row.usage_point, period, registry)
        if answer.outcome == "unresolved" and row.site_id in registry.sites:
            return row.site_id, ""  # the run that wrote the row had a table of sites that says so
    else:
        host, port = row.host, None
        answer = resolve(host, port, period, registry, realm=realm)
    if answer.outcome == "resolved" and answer.site_id is not None:
        return answer.site_id, ""
    return "", f"{answer.outcome}: {'; '.join(answer.missing[:1] or answer.reasons[:2]) or 'no row of the registry'}"


def _stored(row: FindingRow, site_id: str, import_id: str) -> Iterator[StoredFinding]:
    if isinstance(row, Finding):
        document = finding_document(row)
        sha256 = document_digest(document)
        ref = FindingRef(
            finding_id=finding_id(document), family=row.family, detector=row.detector, version=row.version,
            subject=row.host, log10_e=row.log10_e, started_ns=row.started_ns, ended_ns=row.ended_ns, sha256=sha256,
            mining=row.role in MINING_ROLES,
        )  # fmt: skip
        yield StoredFinding(
            ref=ref, site_id=site_id, coin=row.coins[0] if row.coins else "", import_id=import_id, document=document
        )
        return
    sha256 = document_digest(row.document)
    named: set[str] = set()
    for one in row.evidence:
        # One row of meters may rest on two families, or on two detectors of one; each has its own number.
        name = f"U-{sha256[:_NAME_HEX]}-{one.family}"
        name = f"{name}-{one.detector}" if name in named else name
        named.add(name)
        ref = FindingRef(
            finding_id=name, family=one.family, detector=one.detector,
            version=one.version, subject=row.usage_point, log10_e=one.log10_e, started_ns=row.started_ns,
            ended_ns=row.ended_ns, sha256=sha256, mining=row.mining,
        )  # fmt: skip
        yield StoredFinding(ref=ref, site_id=site_id, coin="", import_id=import_id, document=row.document)
