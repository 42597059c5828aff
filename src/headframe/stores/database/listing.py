"""Pages of lists: filters, cursors, totals.

A page begins behind the last row of the page before, by the values that the list is sorted by (keyset, not offset): a
deep page costs what the first one costs, and rows that others add do not push rows from one page to the next. A case
whose due date moves while somebody leafs may be met twice or not at all.

Findings are many. There are two ways to a page of those of a period, and which is faster depends on how many there are:
walk down the list of all and drop what the filter does not want, or gather what it wants and sort that. So they are
counted first, up to a limit, which is the total as well. Which index a database takes is not left to its guess: a
condition on ``column + 0`` or ``column || ''`` is none that an index is chosen by.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, func, literal_column, select, tuple_

from headframe.cases.store import AccessEntry, CaseFilter, CasePage, FindingFilter, FindingPage
from headframe.errors import HeadframeError
from headframe.stores.database import rows
from headframe.stores.database.tables import (
    ACCESS_LOG,
    CASE_FINDINGS,
    CASES,
    FINDING_COUNTS,
    FINDINGS,
    OPEN_FROM,
    ORGANISATIONS,
    SEARCH_WORDS,
    SITES,
)

COUNTED = 20_000
"""A total of findings above this is told as "at least", unless counters know it: counting on would take longer than the
page itself."""

LARGEST_PAGE = 1_000


class BadCursor(HeadframeError):
    """A cursor that is not of this list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFilter:
    """Which entries of the access log a list shows; empty values do not filter."""

    what: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPage:
    """A page of the access log, the latest first."""

    rows: tuple[AccessEntry, ...]
    cursor: str
    total: int


Filter = CaseFilter | FindingFilter | AccessFilter


def _mark(wanted: Filter) -> str:
    """What a filter is known by in its cursors. Sets are sorted: their order differs from run to run."""
    plain = {
        field.name: sorted(value) if isinstance(value, frozenset) else value
        for field in fields(wanted)
        for value in [getattr(wanted, field.name)]
    }
    return hashlib.sha256(repr((type(wanted).__name__, plain)).encode()).hexdigest()[:12]


def _cursor(wanted: Filter, keys: list[Any]) -> str:
    text = json.dumps([_mark(wanted), *keys], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _keys(wanted: Filter, cursor: str, kinds: tuple[type, ...]) -> list[Any]:
    try:
        mark, *keys = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        fits = len(keys) == len(kinds) and all(isinstance(key, kind) for key, kind in zip(keys, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error):
        fits = False
    if not fits:
        raise BadCursor(f"{cursor!r} is no cursor of this list: hand in the one that came with the page before")
    if mark != _mark(wanted):
        raise BadCursor("this cursor belongs to a list with another filter: begin again without a cursor")
    return list(keys)


def _limit(limit: int) -> int:
    if not 1 <= limit <= LARGEST_PAGE:
        raise HeadframeError(f"a page has 1 to {LARGEST_PAGE} rows, not {limit}")
    return limit


def refs_by_prefix(kind: str, text: str) -> Select[tuple[str]]:
    """What is found by the beginning of a word: the references of one kind."""
    word = rows.fold(text)
    found = and_(
        SEARCH_WORDS.c.kind == kind, SEARCH_WORDS.c.word >= word, SEARCH_WORDS.c.word < rows.after_prefix(word)
    )
    return select(SEARCH_WORDS.c.ref).where(found)


# ---------------------------------------------------------------------------------------------------------------------
# Cases


def _case_conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    columns = CASES.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.stages:
        conditions.append(columns.stage.in_(sorted(stage.value for stage in wanted.stages)))
    for column, value in (
        (columns.pack_id, wanted.pack_id),
        (columns.region, wanted.region),
        (columns.site_kind, wanted.site_kind),
        (columns.site_id, wanted.site_id),
        (columns.organisation_id, wanted.organisation_id),
    ):
        if value:
            conditions.append(column == value)
    if wanted.standing is not None:
        conditions.append(columns.standing == wanted.standing.value)
    if wanted.due_before_ns is not None:
        conditions += [columns.due_rank < wanted.due_before_ns, columns.next_due_ns.is_not(None)]
    if wanted.text.strip():
        conditions.append(columns.case_id.in_(refs_by_prefix("case", wanted.text)))
    return conditions


def cases(db: Connection, wanted: CaseFilter, cursor: str, limit: int) -> CasePage:
    """A page of cases."""
    limit = _limit(limit)
    conditions = _case_conditions(wanted)
    total = db.execute(select(func.count()).select_from(CASES).where(*conditions)).scalar_one()
    key = (CASES.c.due_rank, CASES.c.last_rank, CASES.c.case_id)
    if cursor:
        conditions.append(tuple_(*key) > tuple_(*_keys(wanted, cursor, (int, int, str))))
    page = select(CASES).where(*conditions).order_by(*key).limit(limit + 1).subquery()
    named = (
        select(page, SITES.c.name.label("site_name"), ORGANISATIONS.c.name.label("organisation_name"))
        .outerjoin(SITES, SITES.c.site_id == page.c.site_id)
        .outerjoin(ORGANISATIONS, ORGANISATIONS.c.organisation_id == page.c.organisation_id)
        .order_by(page.c.due_rank, page.c.last_rank, page.c.case_id)
    )
    found = db.execute(named).mappings().all()
    shown = found[:limit]
    more = len(found) > limit
    last = [shown[-1]["due_rank"], shown[-1]["last_rank"], shown[-1]["case_id"]] if more else []
    return CasePage(
        rows=tuple(rows.case_row_of(row) for row in shown),
        cursor=_cursor(wanted, last) if more else "",
        total=total,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Findings


def _counted_conditions(wanted: FindingFilter, columns: Any, *, hidden: bool = False) -> list[ColumnElement[bool]]:
    """The part of a filter that `finding_counts` knows; `hidden` from the choice of an index."""
    conditions: list[ColumnElement[bool]] = []
    for column, value in ((columns.family, wanted.family), (columns.detector, wanted.detector)):
        if value:
            conditions.append((column.concat("") if hidden else column) == value)
    if wanted.mining_only:
        conditions.append(columns.mining)
    if wanted.without_case:
        conditions.append(~columns.in_case)
    return conditions


def _placed_conditions(wanted: FindingFilter) -> list[ColumnElement[bool]]:
    """The part that has an index of its own, and leaves few."""
    columns = FINDINGS.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.site_id:
        conditions.append(columns.site_id == wanted.site_id)
    if wanted.subject:
        conditions.append(columns.subject == wanted.subject)
    if wanted.case_id:
        linked = select(CASE_FINDINGS.c.finding_id).where(CASE_FINDINGS.c.case_id == wanted.case_id)
        conditions.append(columns.finding_id.in_(linked))
    return conditions


def _time_conditions(db: Connection, wanted: FindingFilter, *, hidden: bool) -> list[ColumnElement[bool]]:
    """The part about time; `hidden` from the choice of an index."""
    started_ns, ended_ns = FINDINGS.c.started_ns, FINDINGS.c.ended_ns
    began = started_ns + 0 if hidden else started_ns
    conditions: list[ColumnElement[bool]] = []
    if wanted.until_ns is not None:
        conditions.append(began < wanted.until_ns)
    if wanted.from_ns is not None:
        conditions.append(ended_ns >= wanted.from_ns)
        # What reaches into the period began no earlier than the longest finding is long: so the index on the
        # beginning is enough, which alone would have to be read from its first row on.
        longest = select(func.max(FINDING_COUNTS.c.longest_ns)).where(*_counted_conditions(wanted, FINDING_COUNTS.c))
        longest_ns = db.execute(longest).scalar_one() or 0
        conditions.append(began >= max(wanted.from_ns - longest_ns, OPEN_FROM))
    return conditions


def findings(
    db: Connection, wanted: FindingFilter, cursor: str, limit: int, packer: rows.DocumentPacker
) -> FindingPage:
    """A page of findings, the strongest evidence first; those without a number last."""
    limit = _limit(limit)
    placed = _placed_conditions(wanted)
    timed = wanted.from_ns is not None or wanted.until_ns is not None
    at_least = False
    if placed or timed:
        # By place, or by time: whichever index leaves fewer, the other part only filters.
        narrow = [
            *placed,
            *_counted_conditions(wanted, FINDINGS.c, hidden=True),
            *_time_conditions(db, wanted, hidden=bool(placed)),
        ]
        some = select(literal_column("1")).select_from(FINDINGS).where(*narrow).limit(COUNTED + 1).subquery()
        total = db.execute(select(func.count()).select_from(some)).scalar_one()
        at_least = total > COUNTED
        total = min(total, COUNTED)
    else:
        counted = select(func.sum(FINDING_COUNTS.c.findings)).where(*_counted_conditions(wanted, FINDING_COUNTS.c))
        total = int(db.execute(counted).scalar_one() or 0)
    if timed and not at_least and not placed:
        gathered = select(FINDINGS.c.rank, FINDINGS.c.finding_id).where(*narrow).cte("gathered")
        source: FromClause = gathered.prefix_with("MATERIALIZED")  # else it is merged with what walks down the list
        conditions = []
    else:
        source = FINDINGS
        conditions = [
            *placed,
            *_counted_conditions(wanted, FINDINGS.c, hidden=bool(placed) or timed),
            *_time_conditions(db, wanted, hidden=True),
        ]
    key = (source.c.rank, source.c.finding_id)
    page = select(*key).where(*conditions).order_by(*key).limit(limit + 1)
    if cursor:
        page = page.where(tuple_(*key) > tuple_(*_keys(wanted, cursor, (float, str))))
    ids = page.subquery("page")
    whole = select(FINDINGS).join(ids, ids.c.finding_id == FINDINGS.c.finding_id)
    found = db.execute(whole.order_by(ids.c.rank, ids.c.finding_id)).mappings().all()
    shown = found[:limit]
    more = len(found) > limit
    return FindingPage(
        rows=tuple(rows.finding_of(row, packer) for row in shown),
        cursor=_cursor(wanted, [shown[-1]["rank"], shown[-1]["finding_id"]]) if more else "",
        total=total,
        at_least=at_least,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Access log


def accesses(db: Connection, what: str, account: str, cursor: str, limit: int) -> AccessPage:
    """A page of the access log."""
    limit = _limit(limit)
    wanted = AccessFilter(what=what, account=account)
    conditions = [
        column == value for column, value in ((ACCESS_LOG.c.what, what), (ACCESS_LOG.c.account, account)) if value
    ]
    total = db.execute(select(func.count()).select_from(ACCESS_LOG).where(*conditions)).scalar_one()
    key = (ACCESS_LOG.c.at_ns, ACCESS_LOG.c.access_id)
    if cursor:
        conditions.append(tuple_(*key) < tuple_(*_keys(wanted, cursor, (int, str))))
    page = select(ACCESS_LOG).where(*conditions).order_by(*(column.desc() for column in key)).limit(limit + 1)
    found = db.execute(page).mappings().all()
    shown = found[:limit]
    return AccessPage(
        rows=tuple(rows.access_of(row) for row in shown),
        cursor=_cursor(wanted, [shown[-1]["at_ns"], shown[-1]["access_id"]]) if len(found) > limit else "",
        total=total,
    )
