"""A case as screens show it: everything that the rules and the pack say of it, at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headframe.cases.store import CaseFilter
from headframe.records.case import Case, CaseRelation, Stage
from headframe.records.site import AssignmentKind
from headframe.reports.casework import CaseView, RegistryDifference
from headframe.reports.words import instant

_NEVER_NS = 2**63 - 1

if TYPE_CHECKING:
    from headframe.casework.core import Casework


def view_of(casework: Casework, case_id: str) -> CaseView:
    """Everything that a screen shows of a case."""
    from headframe.cases.steps import measures_now, next_steps
    from headframe.policy.classify import classify, facts_of_case
    from headframe.policy.rights import right_states

    file = casework.case_file(case_id)
    case, now = file.case, max(casework.now_ns(), file.case.last_ns)
    pack = casework.pack_of(case)
    clocks = casework.clocks_of(case, now)
    return CaseView(
        file=file,
        pack=pack,
        now_ns=now,
        clocks=clocks,
        measures=measures_now(case, pack, clocks, now),
        rights=tuple(right_states(case, pack, clocks)),
        steps=next_steps(case, pack, clocks, now),
        classes=classify(pack, facts_of_case(file)),
        training=casework.config.training,
        linked_from=tuple(_linked_from(casework, case)),
        registry=() if case.stage is Stage.CLOSED else tuple(_registry_differs(casework, case, now)),
    )


_THE_OTHER_WAY = {
    CaseRelation.RECURRENCE_OF: "recurred_as",
    CaseRelation.SPLIT_FROM: "split_into",
    CaseRelation.SAME_OPERATOR: "same_operator",
}
"""How a case stands to this one that names this one so."""


def _linked_from(casework: Casework, case: Case) -> Iterator[tuple[str, str]]:
    """Cases of the same site, or of the same organisation, that name this one.

    A recurrence is always at its site; one of the same operator is elsewhere, and mostly of the same organisation.
    """
    elsewhere = casework.store.linking(case.case_id, case.organisation_id)
    here = (row.case_id for row in casework.cases_where(CaseFilter(site_id=case.site_id)))
    for case_id in dict.fromkeys((*here, *elsewhere)):
        if case_id != case.case_id:
            for named, relation in casework.case(case_id).links:
                if named == case.case_id and (case_id, relation) not in case.links:
                    yield case_id, _THE_OTHER_WAY[relation]


def _registry_differs(casework: Casework, case: Case, now_ns: int) -> Iterator[RegistryDifference]:
    """What the registry says of the site of a case otherwise than the case, as it is right now."""
    site = casework.store.site(case.site_id)
    if site is None:
        yield RegistryDifference(field="site_id", held=case.site_id, registry="")
        return
    if case.opened_ns < (ended_ns := site.valid_until_ns or _NEVER_NS) <= now_ns:
        yield RegistryDifference(field="site_id", held=case.site_id, registry=f"ended {instant(ended_ns)}")
    for field, held, now in (
        ("site_kind", case.site_kind, site.kind.value),
        ("region", case.region, site.region or ""),
        ("organisation_id", case.organisation_id, site.organisation_id or ""),
    ):
        if held != now:
            yield RegistryDifference(field=field, held=held, registry=now)
    organisation = casework.store.organisation(case.organisation_id) if case.organisation_id else None
    for field, held, known in (
        ("site_name", case.site_name, site),
        ("organisation_name", case.organisation_name, organisation),
    ):
        # Cases of older versions hold no name, and take the registry's.
        if held and known is not None and held != known.name:
            yield RegistryDifference(field=field, held=held, registry=known.name)
    # A case takes every supply point that its site ever had; one that ended since is none of it any more.
    points = tuple(
        dict.fromkeys(
            one.value
            for one in casework.store.assignments(case.site_id)
            if one.kind is AssignmentKind.USAGE_POINT
            and not case.opened_ns < (one.valid_until_ns or _NEVER_NS) <= now_ns
        )
    )
    if set(points) != set(case.usage_points):
        yield RegistryDifference(field="usage_points", held=case.usage_points, registry=points)
