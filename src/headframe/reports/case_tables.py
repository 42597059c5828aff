"""Everything that the casework holds as flat tables, CSV or Parquet, with a data dictionary.

One table for each thing: findings, cases, events, clocks, the register of decisions, the funnel. Columns are named and
explained here once; the page ``docs/data-dictionary.md`` is generated from it. Text in CSV is safe to open in a
spreadsheet (`headframe.reports.csv_rows`). Instants are UTC.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from headframe.cases.codec import event_to_json
from headframe.cases.retention import COUNTS_FROM, FIELD_CLASS, default_rules
from headframe.cases.store import CaseRow, StoredFinding
from headframe.records.case import CaseEvent, RegisterEntry
from headframe.records.policy import Basis, Clock
from headframe.records.retention import DataClass, RetentionRule
from headframe.reports.csv_rows import csv_number, csv_text
from headframe.reports.funnel import MEANING, ShownFunnel
from headframe.reports.words import instant

BATCH_ROWS = 20_000
"""Rows that are held at a time, whatever the table's length."""


class Kept(NamedTuple):
    """How long something is kept that no class decides on, and on what basis."""

    words: str
    basis: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its type (``text``, ``integer``, ``number``, ``instant``, ``truth``), unit and meaning."""

    name: str
    kind: str
    meaning: str
    unit: str = ""
    kept: DataClass | Kept | None = None
    """Where it is kept otherwise than the rest of its table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, and how a row is made from what the store gives."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    row: Callable[[Any], tuple[Any, ...]]
    kept: DataClass | Kept
    """Class that decides how long its columns are kept; or in words, where none does."""

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)


def _finding(one: StoredFinding) -> tuple[Any, ...]:
    ref = one.ref
    return (
        ref.finding_id, ref.family.value, ref.detector, ref.version, ref.subject, one.site_id, one.coin, ref.log10_e,
        ref.started_ns, ref.ended_ns, ref.mining, ref.sha256, one.import_id,
        json.dumps(one.document, ensure_ascii=False, sort_keys=True, default=str),
    )  # fmt: skip


def _case(one: CaseRow) -> tuple[Any, ...]:
    return (
        one.case_id, one.site_id, one.site_name, one.organisation_id, one.organisation_name, one.region, one.site_kind,
        one.pack_id, one.stage.value, one.standing.value, one.opened_ns, one.last_ns, one.version,
        " ".join(one.families), one.next_clock, one.next_due_ns, one.next_due_basis, one.on_hold,
    )  # fmt: skip


def _event(one: CaseEvent) -> tuple[Any, ...]:
    document = event_to_json(one)
    return (
        one.case_id, one.number, one.at_ns, one.account, one.unit, one.act.NAME,
        json.dumps(document.get("content", document), ensure_ascii=False, sort_keys=True),
    )  # fmt: skip


def _clock(pair: tuple[str, Clock]) -> tuple[Any, ...]:
    case_id, one = pair
    return (
        case_id, one.id, one.state.value, one.started_ns, one.due_ns, one.due_day, one.basis.value, one.ref,
        one.provisional, one.explanation,
    )  # fmt: skip


def _entry(one: RegisterEntry) -> tuple[Any, ...]:
    if one.removed_ns is not None:
        return (one.entry_id, "", None, "", "", "", "", None, None, None, "", one.removed_ns, one.removal_reason)
    return (
        one.entry_id, one.case_id, one.decision, one.organisation_id, one.site_id, one.outcome.value,
        " ".join(one.legal_basis), one.decided_ns, one.final_ns, one.expires_ns, one.appeal, one.removed_ns,
        one.removal_reason,
    )  # fmt: skip


_REGISTRY = Kept("until an import of the registry replaces it", f"`{Basis.OPERATOR_DEFAULT}`")
_ENTRY = Kept("until the entry expires or is removed", "what the decision and its pack name")
_STAYS = Kept("stays: it tells that there was an entry, and why it is gone", f"`{Basis.OPERATOR_DEFAULT}`")
_CASE_ID = Column("case_id", "text", "Number of the case.")
TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "findings",
            "One row for each finding that was imported.",
            (
                Column("finding_id", "text", "Identifier of the finding."),
                Column("family", "text", "Family of evidence: content, endpoint, timing, traffic, load, balance."),
                Column("detector", "text", "What found it."),
                Column("version", "text", "Version of the detector."),
                Column("subject", "text", "Address or usage point."),
                Column("site_id", "text", "Site that the subject belonged to; empty where it is not known."),
                Column("coin", "text", "Ticker symbol; empty where it is not known."),
                Column("log10_e", "number", "Evidence: an innocent subject shows this once in 10 to this power."),
                Column("started", "instant", "First instant that it is about."),
                Column("ended", "instant", "Last instant that it is about."),
                Column("mining", "truth", "Whether it says that mining goes on."),
                Column("sha256", "text", "Digest of the finding's canonical document."),
                Column("import_id", "text", "Import that brought it."),
                Column("document", "text", "The finding's document, JSON (docs/findings.md)."),
            ),
            _finding,
            DataClass.FINDING,
        ),
        Table(
            "cases",
            "One row for each case, as it stands.",
            (
                _CASE_ID,
                Column("site_id", "text", "Site."),
                Column("site_name", "text", "Its name; the identifier for premises without one.", kept=_REGISTRY),
                Column("organisation_id", "text", "Organisation that answers for it; empty for premises without one."),
                Column("organisation_name", "text", "Its name.", kept=_REGISTRY),
                Column("region", "text", "Region of the site."),
                Column("site_kind", "text", "Kind of site, as policies tell them apart."),
                Column("pack_id", "text", "Policy pack that the case is handled by."),
                Column("stage", "text", "Where the case stands."),
                Column("standing", "text", "How the party stands to the mining: operator, host, victim, lawful, ..."),
                Column("opened", "instant", "When it was opened."),
                Column("last", "instant", "Last event."),
                Column("version", "integer", "Number of the last event."),
                Column("families", "text", "Families of evidence, separated by spaces."),
                Column("next_clock", "text", "Running clock that is due first."),
                Column("next_due", "instant", "First instant after its period."),
                Column("next_due_basis", "text", "What the date rests on: statutory, policy, operator_default."),
                Column("on_hold", "truth", "Whether a legal hold keeps it from being purged."),
            ),
            _case,
            DataClass.CASE,
        ),
        Table(
            "events",
            "One row for each event of each case: what happened, by which account.",
            (
                _CASE_ID,
                Column("number", "integer", "Number of the event in its case, from 1."),
                Column("at", "instant", "When it was recorded."),
                Column("account", "text", "Account that did it."),
                Column("unit", "text", "Unit of the account."),
                Column("act", "text", "Name of the act."),
                Column("content", "text", "What the act says, JSON."),
            ),
            _event,
            DataClass.CASE,
        ),
        Table(
            "clocks",
            "One row for each clock of each case, at the time of the export.",
            (
                _CASE_ID,
                Column("clock", "text", "Step or right that it belongs to."),
                Column("state", "text", "running, paused, stopped, over, not_started."),
                Column("started", "instant", "When it began."),
                Column("due", "instant", "First instant after the period."),
                Column("due_day", "text", "Last day on which it can be kept, in the pack's time zone."),
                Column("basis", "text", "What it rests on: statutory, policy, operator_default (ours)."),
                Column("ref", "text", "Instrument and place in it."),
                Column("provisional", "truth", "The days off of that year are not published yet."),
                Column("explanation", "text", "How the date came about."),
            ),
            _clock,
            DataClass.CASE,
        ),
        Table(
            "register",
            "One row for each entry of the register of final decisions; of one that was removed or has expired its "
            "number, when it left, and which of both.",
            (
                Column("entry_id", "text", "Identifier of the entry.", kept=_STAYS),
                replace(_CASE_ID, kept=_STAYS),
                Column("decision", "integer", "Number of the event that proposed the decision."),
                Column("organisation_id", "text", "Organisation that it is about."),
                Column("site_id", "text", "Site that it is about."),
                Column("outcome", "text", "What was decided."),
                Column("legal_basis", "text", "Instruments and places in them, separated by spaces."),
                Column("decided", "instant", "When it was decided."),
                Column("final", "instant", "When it could not be appealed any more."),
                Column("expires", "instant", "When the entry leaves the register by itself."),
                Column(
                    "appeal",
                    "text",
                    "none, pending, late, inadmissible, rejected, upheld; unweighed: an answer in time that no "
                    "decision has weighed.",
                ),
                Column("removed", "instant", "When it was removed, or has expired.", kept=_STAYS),
                Column("removal_reason", "text", "Which of both.", kept=_STAYS),
            ),
            _entry,
            _ENTRY,
        ),
        Table(
            "funnel",
            "Cases by step, one row for each group; small cells are not shown (docs/reporting.md).",
            (
                Column("group", "text", "Period, region, kind of site, coin, detector or pack."),
                *(Column(step, "text", f"Cases {meaning}; * where not shown.") for step, meaning in MEANING.items()),
            ),
            tuple,
            Kept("not kept: counted anew for each report", "none is needed"),
        ),
    )
}
"""Every table that can be exported."""


def csv_table(table: Table, things: Iterable[Any]) -> Iterator[str]:
    """A table as CSV, row by row.

    Parameters
    ----------
    table : Table
    things : iterable
        What `Table.row` takes.

    Yields
    ------
    str
        The header first; each with its line end. Every cell is quoted.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in _text_rows(table, things):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def write_parquet(table: Table, things: Iterable[Any], path: Path) -> int:
    """Write a table as Parquet (zstd); whole or not at all.

    Parameters
    ----------
    table : Table
    things : iterable
    path : Path
        Replaced if it is there.

    Returns
    -------
    int
        Rows.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    import polars as pl

    schema = _schema(table)
    rows = 0
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
        parts: list[Path] = []
        # One part at least: an empty table has its columns too.
        for number, batch in enumerate(chain(_batches(table, things), [[]])):
            if batch or not parts:
                part = Path(scratch) / f"{number:06d}.parquet"
                pl.DataFrame(batch, schema=schema, orient="row").write_parquet(part, compression="zstd")
                parts.append(part)
                rows += len(batch)
        whole = parts[0]
        if len(parts) > 1:
            whole = Path(scratch) / "whole.parquet"
            pl.scan_parquet(parts, glob=False).sink_parquet(whole, compression="zstd")
        whole.replace(path)
    return rows


def _batches(table: Table, things: Iterable[Any]) -> Iterator[list[tuple[Any, ...]]]:
    """Rows, so many at a time."""
    rows = (table.row(thing) for thing in things)
    while batch := list(islice(rows, BATCH_ROWS)):
        yield batch


def funnel_things(table: ShownFunnel) -> Sequence[tuple[str, ...]]:
    """Rows of a funnel for the table ``funnel``."""
    return table.rows


def data_dictionary() -> str:
    """The page ``docs/data-dictionary.md``: every table and column, in Markdown, and how long it is kept, and why."""
    rules = {rule.data_class: rule for rule in default_rules()}
    lines = [
        "# Data dictionary",
        "",
        "Tables that `headframe export` writes, as CSV or Parquet. Generated from `headframe.reports.case_tables`: do",
        "not edit by hand. Instants are UTC: text in CSV (`2026-11-20T08:00:00Z`), nanoseconds with time zone in",
        "Parquet. An empty cell (null in Parquet) means that there is no value. There is no column about anybody:",
        "subjects are addresses, usage points, sites and organisations, and accounts are accounts of units.",
        "",
        "Each column says how long what it shows is kept in the workspace, and on what basis: `statutory` (a law says",
        "so), `policy` (another text does), or `operator_default` (ours: no public text says so). Days are those where",
        "no pack sets its own; `headframe retention run` shows the rule of each item. A file that was exported is kept",
        "by whoever has it. More: [retention](retention.md).",
    ]
    for table in TABLES.values():
        lines += ["", f"## {table.name}", "", table.meaning, ""]
        lines += ["| column | type | meaning | class | kept | basis |", "|---|---|---|---|---|---|"]
        for column in table.columns:
            unit = f" [{column.unit}]" if column.unit else ""
            kept = _kept(column.kept or table.kept, rules)
            lines.append(f"| `{column.name}` | {column.kind}{unit} | {column.meaning} | {' | '.join(kept)} |")
    lines += ["", "## Classes", "", "| class | kept | counts from | basis |", "|---|---|---|---|"]
    lines += [
        f"| `{rule.data_class.value}` | {rule.days} days | {COUNTS_FROM[rule.data_class]} | `{rule.basis.value}` |"
        for rule in rules.values()
    ]
    lines += ["", "## Fields that packs name", ""]
    lines += [
        "A pack lists the data that it allows (`data`), and may set a period of its own for each",
        "(`retention_days`, with `retention_basis` and `retention_ref`); where it sets none, the class decides. A",
        "field that is not in this list needs a `data_class`.",
        "",
        "| field | class | kept | basis |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {' | '.join(_kept(data_class, rules))} |" for name, data_class in sorted(FIELD_CLASS.items())
    ]
    return "\n".join(lines) + "\n"


def _kept(kept: DataClass | Kept, rules: Mapping[DataClass, RetentionRule]) -> tuple[str, str, str]:
    """Class, how long, and why."""
    if not isinstance(kept, DataClass):
        return "", kept.words, kept.basis
    return f"`{kept.value}`", f"{rules[kept].days} days", f"`{rules[kept].basis.value}`"


def _text_rows(table: Table, things: Iterable[Any]) -> Iterator[list[str]]:
    yield list(table.header)
    for thing in things:
        yield [_cell(value, column.kind) for value, column in zip(table.row(thing), table.columns, strict=True)]


def _cell(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind == "instant":
        return instant(int(value))
    if kind == "number":
        return csv_number(float(value))
    if kind == "truth":
        return "true" if value else "false"
    return str(value) if kind == "integer" else csv_text(str(value))


def _schema(table: Table) -> dict[str, Any]:
    import polars as pl

    kinds = {
        "text": pl.String(), "integer": pl.Int64(), "number": pl.Float64(), "truth": pl.Boolean(),
        "instant": pl.Datetime("ns", "UTC"),
    }  # fmt: skip
    return {column.name: kinds[column.kind] for column in table.columns}


if __name__ == "__main__":
    print(data_dictionary(), end="")
