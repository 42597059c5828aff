"""Questions that reports ask of the whole store: facts of every case for the funnel, and counts of the list."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping

from sqlalchemy import func, select

from headframe.errors import HeadframeError
from headframe.records.case import Case
from headframe.records.finding import Interval
from headframe.reports.funnel import CaseFacts, SiteFacts, case_facts
from headframe.sources.findings import interval_in
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


def facts_of_cases(store: DatabaseStore) -> Iterator[CaseFacts]:
    """Every case with what became of it and what a report may say of its site; streamed, by case id.

    Parameters
    ----------
    store : DatabaseStore

    Yields
    ------
    CaseFacts
        For `headframe.reports.funnel.funnel` and `weekly_ledger`.
    """
    yield from case_facts(store.all_events(), _SiteFactsReader(store))


class _SiteFactsReader:
    """Facts of a case's site, read ahead for the cases that come next by id."""

    def __init__(self, store: DatabaseStore) -> None:
        self._store = store
        self._known: OrderedDict[str, SiteFacts] = OrderedDict()

    def __call__(self, case: Case) -> SiteFacts:
        if case.case_id not in self._known:
            self._known = OrderedDict(self._read_from(case.case_id))
        return self._known.get(case.case_id, SiteFacts())

    def _read_from(self, case_id: str) -> Iterator[tuple[str, SiteFacts]]:
        wanted = (
            select(CASES.c.case_id, ORGANISATIONS.c.name)
            .outerjoin(ORGANISATIONS, ORGANISATIONS.c.organisation_id == CASES.c.organisation_id)
            .where(CASES.c.case_id >= case_id)
            .order_by(CASES.c.case_id)
            .limit(CASES_AT_ONCE)
        )
        packer = self._store.packer()
        with self._store.reading() as db:
            named = {row.case_id: row.name or "" for row in db.execute(wanted)}
            linked = select(CASE_FINDINGS.c.case_id, FINDINGS.c.coin, FINDINGS.c.document).join(
                FINDINGS, FINDINGS.c.finding_id == CASE_FINDINGS.c.finding_id
            )
            coins: dict[str, Counter[str]] = {name: Counter() for name in named}
            power: dict[str, Interval | None] = {}
            hashrate: dict[str, Interval | None] = {}
            for chunk in batches(named, CASES_AT_ONCE):
                chosen = linked.where(CASE_FINDINGS.c.case_id.in_(chunk)).execution_options(yield_per=500)
                for row in db.execute(chosen):
                    if row.coin:
                        coins[row.case_id][row.coin] += 1
                    document = packer.unpack(bytes(row.document))
                    power[row.case_id] = _larger(power.get(row.case_id), document.get("power_w"))
                    hashrate[row.case_id] = _larger(hashrate.get(row.case_id), document.get("hashrate_hs"))
        for name, organisation in named.items():
            common = coins[name]
            yield (
                name,
                SiteFacts(
                    owner_enterprise=organisation,
                    coins=tuple(sorted(common, key=lambda coin: (-common[coin], coin))),
                    power_w=power.get(name),
                    hashrate_hs=hashrate.get(name),
                ),
            )


def _larger(known: Interval | None, told: object) -> Interval | None:
    """The larger of two estimates: findings of one site see the same machines from several sides."""
    found = interval_in(told)
    if found is None or (known is not None and known.estimate >= found.estimate):
        return known
    return found
