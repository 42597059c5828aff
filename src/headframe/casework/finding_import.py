"""Findings from files into the store: resolved to sites, each once, one leaf of the ledger for each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from headframe.cases.store import StoredFinding
from headframe.ledger.leaf import document_digest
from headframe.records.assessment import DamagedRow
from headframe.records.case import FindingRef
from headframe.records.finding import Finding, Role
from headframe.reports.document import finding_document
from headframe.sites.registry import Registry
from headframe.sites.resolve import resolve, resolve_usage_point
from headframe.sources.finding_rows import FindingRow, UsagePointRow, finding_rows

BATCH = 2_000
"""Findings that are written at a time: memory stays the same whatever the size of the file."""

MINING_ROLES = frozenset({Role.MINER, Role.PROXY, Role.POOL})
"""Roles that say that mining goes on at the host; a contact, a probe, a follower or a node's client does not."""
_NAME_HEX = 20
"""80 bits: among ten million findings two share a name with a chance of 1e-11."""
_MOST_DAMAGED = 100


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
    resolved : int
        Whose site is known.
    unresolved : Counter of str
        Why the others' is not, and how many of each.
    damaged : list of DamagedRow
        The first of the rows that could not be used.
    damaged_rows : int
        How many there are.
    """

    file: str
    sha256: str
    import_id: str
    rows: int = 0
    new: int = 0
    resolved: int = 0
    unresolved: Counter[str] = field(default_factory=Counter)
    damaged: list[DamagedRow] = field(default_factory=list)
    damaged_rows: int = 0


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
                account.unresolved[why] += 1
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
            finding_id=f"F-{sha256[:_NAME_HEX]}", family=row.family, detector=row.detector, version=row.version,
            subject=row.host, log10_e=row.log10_e, started_ns=row.started_ns, ended_ns=row.ended_ns, sha256=sha256,
            mining=row.role in MINING_ROLES,
        )  # fmt: skip
        yield StoredFinding(
            ref=ref, site_id=site_id, coin=row.coins[0] if row.coins else "", import_id=import_id, document=document
        )
        return
    sha256 = document_digest(row.document)
    for one in row.families:
        # One row of meters may rest on two independent families, and a case counts families.
        ref = FindingRef(
            finding_id=f"U-{sha256[:_NAME_HEX]}-{one.family}", family=one.family, detector=one.detector,
            version=one.version, subject=row.usage_point, log10_e=one.log10_e, started_ns=row.started_ns,
            ended_ns=row.ended_ns, sha256=sha256, mining=row.mining,
        )  # fmt: skip
        yield StoredFinding(ref=ref, site_id=site_id, coin="", import_id=import_id, document=row.document)
