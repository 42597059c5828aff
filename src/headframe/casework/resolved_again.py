"""Findings that no case rests on follow the registry: after a new table of sites they are resolved again.

A finding that was imported before its site was known belongs to nobody; one whose address went to another site in the
table belongs to the wrong one. Both are put right here, with a count that is said and a leaf of the ledger
(``findings/S-.../resolved``). Two kinds are left alone:

- **findings in cases**: people have decided on them as they were. They follow when a case is split from a closed one
  that was about the wrong site (`at_another_site`);
- **findings whose import had leases or NAT logs**: these are not kept, and without them the owner of a pool would be
  taken for the user of its addresses. Importing their file again, with the logs, settles those without a site.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from headframe.casework.finding_import import site_of
from headframe.sites.resolve import OUTCOMES, resolve_many, resolve_usage_point
from headframe.sources.finding_rows import usage_point_row

if TYPE_CHECKING:
    from headframe.casework.core import Casework
    from headframe.casework.holdings import Holdings
    from headframe.records.case import Account
    from headframe.sites.registry import Registry
    from headframe.stores.database.writer import Writer

CHANGES_AT_ONCE = 20_000
"""Findings that are written in one transaction: others wait for it for some seconds at most."""
USAGE_POINT_PREFIX = "U-"
"""Findings of meters are called so (`headframe.casework.finding_import`)."""

Change = tuple[str, str, str]
"""Id of the finding, site that it was of, site that it is of now; empty for none."""


@dataclass(slots=True, kw_only=True)
class ResolvedAgain:
    """What became of findings that no case rests on.

    Attributes
    ----------
    looked_at : int
    found : int
        That had no site, and have one now.
    moved : int
        That were of another site.
    lost : int
        That were of a site, and are of none now: the table says two things of their address, or nothing.
    by_logs : int
        Without a site, and left alone, because their import had leases or NAT logs.
    """

    looked_at: int = 0
    found: int = 0
    moved: int = 0
    lost: int = 0
    by_logs: int = 0

    @property
    def changed(self) -> int:
        """How many have another site than before."""
        return self.found + self.moved + self.lost


def last_sites_import(casework: Holdings) -> str:
    """The id of the table of sites that was imported last; empty if there was none."""
    from sqlalchemy import select

    from headframe.stores.database.tables import LEAVES

    # The numbers of the leaves go up; the sign after the slash ends the range of names that begin so.
    named = select(LEAVES.c.number, LEAVES.c.leaf_id).where(LEAVES.c.leaf_id >= "sites/", LEAVES.c.leaf_id < "sites0")
    with casework.store.engine.connect() as db:
        # Not in the database's order of numbers: that would read all leaves since, and tables are few.
        _number, found = max(((row.number, row.leaf_id) for row in db.execute(named)), default=(0, ""))
    return found.removeprefix("sites/")


def resolve_again(casework: Casework, account: Account | None, import_id: str) -> ResolvedAgain:
    """Resolve the findings that no case rests on by the registry as it is stored now.

    Parameters
    ----------
    casework : Casework
    account : Account or None
        Who imported the table, or findings meanwhile.
    import_id : str
        Of the import of sites that it follows from.

    Returns
    -------
    ResolvedAgain
    """
    told = ResolvedAgain(by_logs=casework.store.unresolved_by_logs())
    if not casework.store.resolvable_findings(limit=1):
        return told  # a large registry takes seconds to arrange
    changes = _changes(casework, casework.registry(), told)
    for number, some in enumerate(_batches(changes), 1):
        with casework.store.writing() as writer:
            found, moved, lost = assign(casework, writer, account, {"sites_import": import_id}, some, part=number)
        casework.hand_over()
        told.found += found
        told.moved += moved
        told.lost += lost
    return told


def assign(
    casework: Holdings,
    writer: Writer,
    account: Account | None,
    because: Mapping[str, str],
    changes: Collection[Change],
    *,
    part: int = 1,
    in_cases: bool = False,
) -> tuple[int, int, int]:
    """Give findings to the sites that they are of now, with a leaf that counts them.

    Parameters
    ----------
    casework : Holdings
    writer : Writer
        Of the caller's transaction.
    account : Account or None
    because : mapping of str to str
        What it follows from, by its id: ``sites_import``, or the ``case`` that is split from another. One entry.
    changes : collection of (finding_id, was, now)
    part : int, default 1
        Of several transactions that follow from one import.
    in_cases : bool, default False
        Whether also those that a closed case rests on.

    Returns
    -------
    found, moved, lost : int
    """
    found = writer.assign_findings((one for one in changes if not one[1]), in_cases=in_cases)
    lost = writer.assign_findings((one for one in changes if not one[2]), in_cases=in_cases)
    moved = writer.assign_findings((one for one in changes if one[1] and one[2]), in_cases=in_cases)
    (name,) = because.values()
    # Who imported findings while the table came in looks at them again, too.
    leaf_id = casework.free_leaf_id(f"findings/{name}/resolved" + (f"/{part}" if part > 1 else ""))
    who = "" if account is None else account.name
    about = {"account": who, **because, "found": found, "moved": moved, "lost": lost}
    writer.log(
        casework.sealed(
            leaf_id, "findings", leaf_id.removeprefix("findings/"), casework.now_ns(), about, data_class="finding"
        )
    )
    return found, moved, lost


def _batches(changes: Iterator[Change]) -> Iterator[list[Change]]:
    while some := list(islice(changes, CHANGES_AT_ONCE)):
        yield some


def _changes(casework: Holdings, registry: Registry, told: ResolvedAgain) -> Iterator[Change]:
    """Findings whose site is another one now; read page by page, without a transaction in between."""
    after = ""
    while page := casework.store.resolvable_findings(after):
        after = page[-1].finding_id
        told.looked_at += len(page)
        yield from _changes_among(casework, registry, page)


def _changes_among(casework: Holdings, registry: Registry, page: Sequence[Any]) -> Iterator[Change]:
    by_realm: dict[str, list[Any]] = {}
    for row in page:
        if row.finding_id.startswith(USAGE_POINT_PREFIX):
            now = _site_of_meter(casework, row, registry)
            if now != row.site_id:
                yield row.finding_id, row.site_id, now
        else:
            by_realm.setdefault(row.realm, []).append(row)
    for realm, rows in by_realm.items():
        for row, now in zip(rows, _sites_of_addresses(rows, registry, realm), strict=True):
            if now != row.site_id:
                yield row.finding_id, row.site_id, now


def at_another_site(casework: Holdings, finding_ids: Sequence[str]) -> tuple[Change, ...]:
    """Findings whose site is another one by the registry of now, also where a case rests on them.

    Parameters
    ----------
    casework : Holdings
    finding_ids : sequence of str

    Returns
    -------
    tuple of (finding_id, was, now)
        Without those whose import had leases or NAT logs.
    """
    found = casework.store.resolvable_findings(limit=len(finding_ids), among=finding_ids)
    return tuple(_changes_among(casework, casework.registry(), found)) if found else ()


def _sites_of_addresses(rows: Sequence[Any], registry: Registry, realm: str) -> Iterable[str]:
    answers = resolve_many(
        [row.subject for row in rows],
        np.array([row.started_ns for row in rows], np.int64),
        np.array([row.ended_ns for row in rows], np.int64),
        registry,
        realm=realm,
    )
    for outcome, number in zip(answers.outcome.tolist(), answers.site.tolist(), strict=True):
        yield registry.site_ids[number] if OUTCOMES[outcome] == "resolved" else ""


def _site_of_meter(casework: Holdings, row: Any, registry: Registry) -> str:
    answer = resolve_usage_point(row.subject, (row.started_ns, row.ended_ns), registry)
    if answer.outcome != "unresolved":
        return answer.site_id or "" if answer.outcome == "resolved" else ""
    # The run that wrote it may have had a table of sites that says so.
    kept = casework.store.finding(row.finding_id)
    return "" if kept is None else site_of(usage_point_row(kept.document), registry)[0]
