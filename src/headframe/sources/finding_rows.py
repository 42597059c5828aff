"""Findings for the casework, row by row, from what ``headframe scan`` and ``headframe meters`` write.

JSON Lines are read one line at a time, whatever the size of the file; a JSON document is held whole. Which one a file
is, and of which command, is told by its content. Whatever is wrong with a row is told, and the rest is used.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from headframe.errors import UnreadableInput
from headframe.records.assessment import DamagedRow
from headframe.records.finding import Family, Finding
from headframe.records.load_finding import TRAITS
from headframe.records.site import SourceRow
from headframe.sources.findings import MAX_FILE_BYTES, finding_of, json_value, moment_ns

MAX_LINE_BYTES = 1 << 26
"""A finding of the longest capture at hand takes less than a hundredth of it; a longer line is no finding. [bytes]"""
_MAJOR_VERSION = "1."


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePointEvidence:
    """What one detector found at a usage point, where it is weighed.

    Attributes
    ----------
    family : Family
    detector, version : str
    log10_e : float
    """

    family: Family
    detector: str
    version: str
    log10_e: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePointRow:
    """One row of ``headframe meters``: what the casework needs of it, and the document itself.

    Attributes
    ----------
    usage_point : str
    started_ns, ended_ns : int
        [ns since 1970-01-01 UTC]
    site_id : str
        As the run named it; empty where it did not.
    mining : bool
        On the list, whose share of innocent points is bounded. What is only worth a look is not: one point of fifty is
        by chance alone, so that it says where to look and not that mining goes on.
    evidence : tuple of UsagePointEvidence
        Of the families that support: what is weighed, each detector once. A case averages them.
    document : dict
        Follows ``docs/schema-usage-point.json``.
    """

    usage_point: str
    started_ns: int
    ended_ns: int
    site_id: str
    mining: bool
    evidence: tuple[UsagePointEvidence, ...]
    document: dict[str, Any]


FindingRow = Finding | UsagePointRow


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes in hex, read piece by piece.

    Raises
    ------
    UnreadableInput
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as fault:
        raise UnreadableInput(f"{path}: cannot be read: {getattr(fault, 'strerror', None) or fault}") from fault


def finding_rows(path: Path) -> Iterator[FindingRow | DamagedRow]:
    """Every finding of a file, in order, and every row that is none.

    Parameters
    ----------
    path : Path
        JSON or JSON Lines, plain or gzip.

    Yields
    ------
    Finding, UsagePointRow or DamagedRow

    Raises
    ------
    UnreadableInput
        If the file cannot be read, or is something else.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            yield from _rows(stream, str(path))
    except (OSError, EOFError, zlib.error) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise UnreadableInput(f"{path}: cannot be read to its end: {reason}") from fault


def _rows(stream: BinaryIO, name: str) -> Iterator[FindingRow | DamagedRow]:
    first = stream.readline(MAX_LINE_BYTES)
    while first and not first.strip(b"\xef\xbb\xbf \t\r\n"):
        first = stream.readline(MAX_LINE_BYTES)
    if not first:
        return  # no finding is what a scan of clean traffic writes as JSON Lines
    first = first.removeprefix(b"\xef\xbb\xbf")
    value = _try_json(first)
    if not isinstance(value, dict):
        value = _whole(stream, first, name)
    if isinstance(value, dict) and _is_document(value):
        yield from _document(value, name)
    else:
        yield from _lines(stream, first, name)


def _is_document(value: Mapping[str, Any]) -> bool:
    """Whether it is what a whole run says, and not one row of it (a usage point has findings, too)."""
    return "usage_points" in value or "assessments" in value or ("findings" in value and "usage_point" not in value)


def _whole(stream: BinaryIO, first: bytes, name: str) -> dict[str, Any] | None:
    """The one JSON object that the file is; None where it is none, with the stream where it was."""
    if not first.lstrip().startswith(b"{") or not stream.seekable():
        return None
    place = stream.tell()
    rest = stream.read(MAX_FILE_BYTES + 1)
    if len(rest) > MAX_FILE_BYTES:
        raise UnreadableInput(
            f"{name}: holds more than {MAX_FILE_BYTES} bytes in one JSON document; write JSON Lines instead "
            "(--format jsonl), which are read row by row"
        )
    value = _try_json(first + rest)
    if isinstance(value, dict):
        return value
    stream.seek(place)
    return None


def _try_json(data: bytes) -> Any:
    try:
        return json_value(data.strip())
    except ValueError:
        return None


def _document(value: dict[str, Any], name: str) -> Iterator[FindingRow | DamagedRow]:
    if "assessments" in value:
        files = value.get("files")
        told = ", ".join(str(one) for one in files[:5]) if isinstance(files, list) and files else "its files"
        raise UnreadableInput(
            f"{name}: an assessment tells what findings say together, and holds none of them; "
            f"import the findings that it was made from: {told}"
        )
    key = "usage_points" if "usage_points" in value else "findings"
    rows = value.get(key)
    if not isinstance(rows, list):
        raise UnreadableInput(
            f"{name}: holds no list of findings or usage_points; expected what headframe scan or headframe meters "
            "writes with --format json or jsonl"
        )
    for row, one in enumerate(rows, 1):
        yield _row(one, name, row)


def _lines(stream: BinaryIO, first: bytes, name: str) -> Iterator[FindingRow | DamagedRow]:
    good, first_fault = 0, ""
    row, line = 1, first
    while line:
        if line.strip():
            if len(line) >= MAX_LINE_BYTES and not line.endswith(b"\n"):
                found: FindingRow | DamagedRow = DamagedRow(source=SourceRow(name, row), reason="the line has no end")
                while line and not line.endswith(b"\n"):
                    line = stream.readline(MAX_LINE_BYTES)
            else:
                try:
                    found = _row(json_value(line.strip()), name, row)
                except ValueError as fault:
                    found = DamagedRow(source=SourceRow(name, row), reason=str(fault))
            if isinstance(found, DamagedRow):
                first_fault = first_fault or f"row {row}: {found.reason}"
            else:
                good += 1
            yield found
        row += 1
        line = stream.readline(MAX_LINE_BYTES)
    if first_fault and not good:
        raise UnreadableInput(
            f"{name}: no row is a finding; the first says: {first_fault}. Expected what headframe scan or "
            "headframe meters writes with --format json or jsonl"
        )


def _row(value: Any, name: str, row: int) -> FindingRow | DamagedRow:
    try:
        if isinstance(value, dict) and "usage_point" in value:
            return usage_point_row(value)
        return finding_of(value)
    except ValueError as fault:
        return DamagedRow(source=SourceRow(name, row), reason=str(fault))


def usage_point_row(value: Mapping[str, Any]) -> UsagePointRow:
    """One row of ``headframe meters`` from its document.

    Parameters
    ----------
    value : mapping
        Follows ``docs/schema-usage-point.json``.

    Returns
    -------
    UsagePointRow

    Raises
    ------
    ValueError
        If it is no such document; the message names the key.
    """
    version = value.get("schema_version")
    if not isinstance(version, str) or not version.startswith(_MAJOR_VERSION):
        raise ValueError(f"schema_version is {version!a}; this Headframe reads {_MAJOR_VERSION}x of a usage point")
    usage_point = value.get("usage_point")
    if not isinstance(usage_point, str) or not usage_point:
        raise ValueError(f"usage_point is {usage_point!a}; expected its identifier")
    period = value.get("period")
    if not isinstance(period, dict):
        raise ValueError("period is missing; expected start and end")
    started, ended = _instant(period, "start"), _instant(period, "end")
    if ended < started:
        raise ValueError(f"period ends {period['end']}, before it starts {period['start']}")
    site = value.get("site")
    site_id = site.get("site_id") if isinstance(site, dict) else None
    supporting = value.get("families")
    findings = value.get("findings")
    if not isinstance(supporting, list) or not isinstance(findings, list):
        raise ValueError("families and findings are lists; one of them is not there")
    weighed = _weighed(one for one in map(_evidence, findings) if one.family.value in supporting)
    if bare := sorted(set(map(str, supporting)) - {one.family.value for one in weighed}):
        raise ValueError(f"families names {', '.join(bare)}, and no finding of that has a log10_e: nothing to weigh")
    return UsagePointRow(
        usage_point=usage_point,
        started_ns=started,
        ended_ns=ended,
        site_id=site_id if isinstance(site_id, str) else "",
        mining=value.get("listed") is True,
        evidence=weighed,
        document=dict(value),
    )


def _weighed(found: Iterable[UsagePointEvidence]) -> tuple[UsagePointEvidence, ...]:
    """What counts of the findings of a row: each detector once, with the lowest of its numbers.

    Traits count only where the whole load has no number, which `headframe meters` never writes, and then as one.
    """
    lowest: dict[tuple[Family, str], UsagePointEvidence] = {}
    for one in found:
        key = one.family, "" if one.detector in TRAITS else one.detector
        if math.isfinite(one.log10_e) and (key not in lowest or one.log10_e < lowest[key].log10_e):
            lowest[key] = one
    whole = {family for family, detector in lowest if detector}
    counted = [one for (family, detector), one in lowest.items() if detector or family not in whole]
    order = list(Family)
    return tuple(sorted(counted, key=lambda one: (order.index(one.family), one.detector)))


def _evidence(value: Any) -> UsagePointEvidence:
    if not isinstance(value, dict):
        raise ValueError("findings holds something that is no object")
    detector, version, log10_e = value.get("detector"), value.get("version"), value.get("log10_e")
    if not isinstance(detector, str) or not isinstance(version, str):
        raise ValueError("a finding of the usage point lacks its detector or version")
    try:
        family = Family(str(value.get("family")))
    except ValueError:
        raise ValueError(f"family is {value.get('family')!a}; known are {', '.join(Family)}") from None
    number = float(log10_e) if isinstance(log10_e, (int, float)) and not isinstance(log10_e, bool) else -math.inf
    return UsagePointEvidence(family=family, detector=detector, version=version, log10_e=number)


def _instant(period: Mapping[str, Any], key: str) -> int:
    return moment_ns(period.get(key), f"period.{key}")
