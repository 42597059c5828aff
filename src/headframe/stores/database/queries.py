"""Questions that reports ask of the whole store: facts of every case for the funnel, and counts of the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select

from headframe.errors import HeadframeError
from headframe.records.case import Case
from headframe.records.finding import METERED
from headframe.reports.funnel import CaseFacts, SiteFacts, case_facts
from headframe.reports.ledger_figures import ESTIMATES, figures_of
from headframe.stores.database import rows
from headframe.stores.database.store import DatabaseStore
from headframe.stores.database.tables import CASE_FINDINGS, CASES, FINDINGS, ORGANISATIONS
from headframe.stores.database.writer import batches

CASES_AT_ONCE = 500
"""Cases whose findings are read with one query."""

_DAY_NS = 86_400_000_000_000
_WEEK_NS = 7 * _DAY_NS
_MONDAY_NS = 4 * _DAY_NS
"""1970-01-05, the first Monday after the epoch. [ns since 1970-01-01 UTC]"""

COUNTED_BY = {
    "stage": CASES.c.stage,
    "outcome": func.coalesce(CASES.c.outcome, ""),
    "standing": CASES.c.standing,
    "closure": func.coalesce(CASES.c.closure, ""),
    "region": CASES.c.region,
    "site_kind": CASES.c.site_kind,
    "coin": CASES.c.coin,
    "pack": CASES.c.pack_id,
    "detector": CASES.c.detectors,
    "week": CASES.c.opened_ns - (CASES.c.opened_ns - _MONDAY_NS) % _WEEK_NS,
}
"""What `counts` can count by. A week is told by its first instant (Monday, UTC), in ns since 1970-01-01."""


def counts(
    store: DatabaseStore, by: str, *, from_ns: int | None = None, until_ns: int | None = None
) -> Mapping[str, int]:
    """How many cases there are of each stage, outcome, region, and so on.

    Parameters
    ----------
    store : DatabaseStore
    by : str
        One of `COUNTED_BY`. By ``detector`` a case counts once for each of its detectors.
    from_ns, until_ns : int or None
        Only cases that were opened in this period. [ns since 1970-01-01 UTC]

    Returns
    -------
    mapping of str to int
        By name; empty where it is not known.

    Raises
    ------
    HeadframeError
        If there is no such thing to count by.
    """
    if by not in COUNTED_BY:
        raise HeadframeError(f"cases cannot be counted by {by!r}; one of {', '.join(COUNTED_BY)} is right")
    key = COUNTED_BY[by].label("key")
    wanted = select(key, func.count().label("cases")).select_from(CASES).group_by(key)
    if from_ns is not None:
        wanted = wanted.where(CASES.c.opened_ns >= from_ns)
    if until_ns is not None:
        wanted = wanted.where(CASES.c.opened_ns < until_ns)
    found: Counter[str] = Counter()
    with store.reading() as db:
        for row in db.execute(wanted):
            for name in rows.unlisted(row.key) if by == "detector" else (str(row.key),):
                found[name] += row.cases
    return dict(sorted(found.items()))


def facts_of_cases(
    store: DatabaseStore, *, from_ns: int | None = None, until_ns: int | None = None
) -> Iterator[CaseFacts]:
    """Every case with what became of it and what a report may say of its site; streamed, by case id.

    Parameters
    ----------
    store : DatabaseStore
    from_ns, until_ns : int or None
        A period; see `headframe.reports.funnel.case_facts`. [ns since 1970-01-01 UTC]

    Yields
    ------
    CaseFacts
        For `headframe.reports.funnel.funnel` and `weekly_ledger`.
    """
    yield from case_facts(store.all_events(), _SiteFactsReader(store), from_ns=from_ns, until_ns=until_ns)


@dataclass(slots=True)
class _Linked:
    """What hangs on a case's row: its organisation's name, and coins and estimates by finding."""

    organisation: str = ""
    coins: list[tuple[str, str]] = field(default_factory=list)
    estimates: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)


class _SiteFactsReader:
    """Facts of a case's site, read ahead for the cases that come next by id."""

    def __init__(self, store: DatabaseStore) -> None:
        self._store = store
        self._known: dict[str, _Linked] = {}

    def __call__(self, case: Case) -> SiteFacts:
        if case.case_id not in self._known:
            self._known = dict(self._read_from(case.case_id))
        linked = self._known.get(case.case_id, _Linked())
        # Of a case as it stood earlier: findings that came into it later do not count.
        own = {one.finding_id for one in case.findings}
        coins = Counter(coin for name, coin in linked.coins if name in own)
        return SiteFacts(
            owner_enterprise=linked.organisation,
            coins=tuple(sorted(coins, key=lambda coin: (-coins[coin], coin))),
            figures=figures_of(sorted((one for one in linked.estimates if one[0] in own), key=lambda one: one[0])),
        )

    def _read_from(self, case_id: str) -> Iterator[tuple[str, _Linked]]:
        wanted = (
            select(CASES.c.case_id, ORGANISATIONS.c.name)
            .outerjoin(ORGANISATIONS, ORGANISATIONS.c.organisation_id == CASES.c.organisation_id)
            .where(CASES.c.case_id >= case_id)
            .order_by(CASES.c.case_id)
            .limit(CASES_AT_ONCE)
        )
        packer = self._store.packer()
        with self._store.reading() as db:
            found = {row.case_id: _Linked(organisation=row.name or "") for row in db.execute(wanted)}
            linked = select(
                CASE_FINDINGS.c.case_id,
                FINDINGS.c.finding_id,
                FINDINGS.c.mining,
                FINDINGS.c.family,
                FINDINGS.c.coin,
                FINDINGS.c.document,
            ).join(FINDINGS, FINDINGS.c.finding_id == CASE_FINDINGS.c.finding_id)
            for chunk in batches(found, CASES_AT_ONCE):
                chosen = linked.where(CASE_FINDINGS.c.case_id.in_(chunk)).execution_options(yield_per=500)
                for row in db.execute(chosen):
                    if row.coin:
                        found[row.case_id].coins.append((row.finding_id, row.coin))
                    # A load that stands out is no proof that somebody mines; where that is decided, it says how much.
                    if row.mining or row.family in METERED:
                        document = packer.unpack(bytes(row.document))
                        told_of = {key: document[key] for key in ESTIMATES if key in document}
                        found[row.case_id].estimates.append((row.finding_id, told_of))
        yield from found.items()
