"""Findings as JSON: one object per line, or one document for the whole scan.

Everything outside ASCII is escaped, so a terminal that shows a line obeys no control sequence hidden in a name.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from headframe.records.finding import Finding
from headframe.records.scan import ScanResult
from headframe.reports.document import finding_document, scan_document


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """One JSON object per finding, each on a line of its own.

    Parameters
    ----------
    findings : iterable of Finding

    Yields
    ------
    str
        An object that satisfies ``docs/schema-finding.json``, with its line end.
    """
    for finding in findings:
        yield _encode(finding_document(finding), indent=None) + "\n"


def scan_json(result: ScanResult, *, generated_ns: int) -> str:
    """The whole scan as one JSON document.

    Parameters
    ----------
    result : ScanResult
    generated_ns : int
        When the document is made. [ns since 1970-01-01 UTC]

    Returns
    -------
    str
        With a line end.
    """
    return _encode(scan_document(result, generated_ns=generated_ns), indent=2) + "\n"


def _encode(document: dict[str, Any], indent: int | None) -> str:
    # DEL (0x7f) is ASCII, so json leaves it as it is; old terminals act on it.
    encoded = json.dumps(document, ensure_ascii=True, allow_nan=False, indent=indent)
    return encoded.replace("\x7f", "\\u007f")
