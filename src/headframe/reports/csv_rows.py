"""Findings as CSV (RFC 4180, UTF-8, line feeds): one flat row each, safe to open in a spreadsheet.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and a pool may call itself
``=HYPERLINK(...)``. Such text gets an apostrophe in front (OWASP, "CSV Injection"). Where a spreadsheet splits at
semicolons instead of commas, a cell can also begin inside our cell; there the same is done.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator

from headframe.records.finding import BlockSync, Finding, Interval
from headframe.reports.document import SCHEMA_VERSION
from headframe.reports.words import instant, packet_ranges, visible

_FORMULA_START = re.compile(r"(^|[;\t])(\s*)(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])")
_LONGEST_CELL = 8_000  # well below the 32,767 characters that Excel keeps in a cell


def csv_text(value: str | None) -> str:
    """A text that no spreadsheet takes for a formula; empty where there is none."""
    if not value:
        return ""
    return _FORMULA_START.sub(r"\1'\2", visible(value, longest=_LONGEST_CELL))


def csv_number(value: float | None) -> str:
    """A number that reads back as itself; empty where there is none."""
    return "" if value is None or not math.isfinite(value) else repr(value)


def _part(estimate: Interval | None, name: str) -> str:
    return "" if estimate is None else csv_number(float(getattr(estimate, name)))


def _of_sync(part: Callable[[BlockSync], str]) -> Callable[[Finding], str]:
    """A cell that only timing findings fill."""
    return lambda found: "" if found.block_sync is None else part(found.block_sync)


_COLUMNS: dict[str, Callable[[Finding], str]] = {
    "schema_version": lambda found: SCHEMA_VERSION,
    "detector": lambda found: csv_text(found.detector),
    "version": lambda found: csv_text(found.version),
    "family": lambda found: found.family.value,
    "host": lambda found: csv_text(found.host),
    "peer": lambda found: csv_text(found.peer),
    "role": lambda found: found.role.value,
    "coin": lambda found: csv_text(" ".join(found.coins)),
    "protocol": lambda found: csv_text(found.protocol),
    "pool": lambda found: csv_text(found.pool),
    "agent": lambda found: csv_text(found.agent),
    "started": lambda found: instant(found.started_ns),
    "ended": lambda found: instant(found.ended_ns),
    "shares_accepted": lambda found: str(found.shares.accepted),
    "shares_rejected": lambda found: str(found.shares.rejected),
    "shares_stale": lambda found: str(found.shares.stale),
    "shares_unanswered": lambda found: str(found.shares.unanswered),
    "hashrate_low_hs": lambda found: _part(found.hashrate_hs, "low"),
    "hashrate_estimate_hs": lambda found: _part(found.hashrate_hs, "estimate"),
    "hashrate_high_hs": lambda found: _part(found.hashrate_hs, "high"),
    "power_low_w": lambda found: _part(found.power_w, "low"),
    "power_estimate_w": lambda found: _part(found.power_w, "estimate"),
    "power_high_w": lambda found: _part(found.power_w, "high"),
    "log10_e": lambda found: csv_number(found.log10_e),
    "indicator_kinds": lambda found: " ".join(found.indicator_kinds),
    "explanation": lambda found: csv_text(found.explanation),
    "contradictions": lambda found: csv_text(" | ".join(found.contradictions)),
    "blind_spots": lambda found: csv_text(" | ".join(found.blind_spots)),
    "sources": lambda found: csv_text(" | ".join(f"{s.file}: {packet_ranges(s)}" for s in found.sources)),
    "community_ids": lambda found: csv_text(" ".join(found.community_ids)),
    "accounts": lambda found: csv_text(" ".join(found.accounts)),
    "chain": _of_sync(lambda sync: csv_text(sync.chain)),
    "blocks": _of_sync(lambda sync: str(sync.blocks)),
    "hits": _of_sync(lambda sync: str(sync.hits)),
    "expected_hits": _of_sync(lambda sync: csv_number(sync.expected_hits)),
    "offset_s": _of_sync(lambda sync: _part(sync.offset_s, "estimate")),
}

COLUMNS: tuple[str, ...] = tuple(_COLUMNS)
"""Names of the columns, in order."""


def csv_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """A header and one row per finding.

    Parameters
    ----------
    findings : iterable of Finding

    Yields
    ------
    str
        One row with its line end. Every cell is quoted; an unknown value is an empty cell.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in _rows(findings):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _rows(findings: Iterable[Finding]) -> Iterator[list[str]]:
    yield list(COLUMNS)
    for finding in findings:
        yield [cell(finding) for cell in _COLUMNS.values()]
