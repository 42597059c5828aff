"""Mining that the workspace itself knows of since the last remedy: measuring again takes it in, and a closure knows it.

A case speaks of its own findings. What was found at its site since, and lies in no case or in another one, is in the
store beside it, and whoever hands in files for a measurement may not know of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from headframe.cases.question import DAY_NS, appeal_upheld, confirmed, decision_in_force, instant
from headframe.cases.store import FindingFilter, FindingHolder, StoredFinding
from headframe.casework.held_tables import refuse_altered_findings
from headframe.casework.holdings import MOST_FINDINGS, MOST_SKEW_NS
from headframe.records.case import (
    Act,
    Approve,
    Case,
    ClosureReason,
    DecisionOutcome,
    FindingRef,
    Measurement,
    ProposeClosure,
    Refused,
    VerificationOutcome,
    Verify,
)
from headframe.records.finding import METERED
from headframe.records.policy import NOTHING_AGAINST
from headframe.sites.registry import address_number, is_reused

if TYPE_CHECKING:
    from headframe.casework.holdings import Holdings

MOST_NAMED = 5
"""Findings that a refusal names; the rest it counts."""
FOUND_NOTHING = frozenset({DecisionOutcome.DISMISSED, DecisionOutcome.LAWFUL})


def found_since(work: Holdings, case: Case) -> tuple[StoredFinding, ...]:
    """Findings of mining that the case has not, of after its last remedy (before any: after its own findings).

    They are of the case's site, or at a host or usage point of the case wherever the registry has that now. Those of
    meters count where all their readings are of after it: the others were read while the machines ran, too.

    A finding that lies in other cases counts if one of them is about the same party and site, and has not found it to
    be nothing; of another party it is said there whose it is.

    Parameters
    ----------
    work : Holdings
    case : Case

    Returns
    -------
    tuple of StoredFinding
        By time. Empty for a case that rests on no mining.

    Raises
    ------
    AlteredRecord
        If one of them is not what was imported.
    """
    telling = [one for one in case.findings if one.stands_out]
    if not telling:
        return ()
    since_ns = max((one.at_ns for one in case.remedies), default=max(one.ended_ns for one in telling))
    latest_ns = work.now_ns() + MOST_SKEW_NS
    own = {one.finding_id for one in case.findings}
    wanted = [FindingFilter(site_id=case.site_id, from_ns=since_ns, mining_only=True)]
    wanted += [
        FindingFilter(subject=name, from_ns=since_ns, mining_only=True)
        for name in sorted({*case.usage_points, *(one.subject for one in telling)})
    ]
    found = {
        one.ref.finding_id: one
        for some in wanted
        for one in work.findings_where(some)
        if one.ref.finding_id not in own
        and since_ns < (one.ref.started_ns if one.ref.family in METERED else one.ref.ended_ns)
        # No case is opened on what a recorder saw whose clock stood ahead, and none is kept open by it.
        and one.ref.ended_ns <= latest_ns
    }
    there = [one for one in found.values() if one.site_id == case.site_id]
    there += _in_the_same_network(work, telling, [one for one in found.values() if one.site_id != case.site_id])
    held: dict[str, list[FindingHolder]] = defaultdict(list)
    for holder in work.store.holders(there):
        if holder.case_id != case.case_id:
            held[holder.finding_id].append(holder)
    cases: dict[str, bool] = {}
    counted = [one for one in there if _counts(work, case, held[one.ref.finding_id], cases)]
    refuse_altered_findings(work.held, counted)
    return tuple(sorted(counted, key=lambda one: (one.ref.started_ns, one.ref.finding_id)))


def unknown_to_the_measurement(work: Holdings, case: Case, act: Act) -> Refused | None:
    """A refusal where mining is called over, and the workspace knows findings since that were not measured with it.

    Parameters
    ----------
    work : Holdings
    case : Case
        Before the act.
    act : Act
        That the rules of the case accept.

    Returns
    -------
    Refused or None
        None: there are none, or the act does not say that mining is over.
    """
    if isinstance(act, Approve):
        act = next(one.act for one in case.proposals if one.number == act.proposal)
    if isinstance(act, Verify) and act.measurement.outcome is VerificationOutcome.RECTIFIED:
        measurement = act.measurement
    elif isinstance(act, ProposeClosure) and act.reason is ClosureReason.RECTIFIED and case.verifications:
        measurement = case.verifications[-1][2]
    else:
        return None
    taken_in = {one.sha256 for one in measurement.new_findings}
    remedy_ns = max((one.at_ns for one in case.remedies), default=None)
    unknown = [
        one
        for one in found_since(work, case)
        if one.ref.sha256 not in taken_in and _speaks_against(one, case, measurement, remedy_ns)
    ]
    if not unknown:
        return None
    here = [one for one in unknown if one.site_id == case.site_id]
    apart = [one for one in unknown if one.site_id != case.site_id]
    when = "after the findings" if remedy_ns is None else f"after the remedy of {instant(remedy_ns)}"
    reasons = []
    if here:
        reasons.append(
            f"the workspace holds findings of mining at the site {when} that the measurement does not know "
            f"({_named(here)}): add those that no case has (headframe case add {case.case_id}), and measure again"
        )
    if apart:
        where = ", ".join(dict.fromkeys(one.ref.subject for one in apart[:MOST_NAMED]))
        reasons.append(
            f"the workspace holds findings of mining {when} at {where}, where mining was found before, and the "
            f"registry does not give that to the site now ({_named(apart)}): correct the registry (headframe sites "
            f"import), or open a case where it is, and measure again"
        )
    return Refused(reasons=tuple(reasons))


def _speaks_against(one: StoredFinding, case: Case, measurement: Measurement, remedy_ns: int | None) -> bool:
    """Whether a measurement that knew it could not say that mining is over, by the rules of `headframe.remeasure`."""
    if one.ref.ended_ns > measurement.after_from_ns:
        return True
    # The day of the remedy itself is left to the party.
    since = remedy_ns is not None and one.ref.ended_ns > remedy_ns + DAY_NS
    return since and one.site_id in ("", case.site_id)


def _counts(work: Holdings, case: Case, held: Sequence[FindingHolder], cases: dict[str, bool]) -> bool:
    """Whether nobody has found that it is nothing, or another's; `cases` keeps what was found of each case."""
    held = [one for one in held if one.same] or held
    for one in held:
        if one.case_id not in cases:
            cases[one.case_id] = _is_of_the_party(work.case(one.case_id), case)
    return not held or any(cases[one.case_id] for one in held)


def _is_of_the_party(other: Case, case: Case) -> bool:
    """Whether what another case rests on is mining of the same party at the same site, as far as is known there."""
    if other.site_id != case.site_id:
        return False
    if other.organisation_id and case.organisation_id and other.organisation_id != case.organisation_id:
        return False
    if confirmed(other) is not None:
        return True
    decision = decision_in_force(other)
    nothing = decision is not None and decision.act.outcome in FOUND_NOTHING
    return not (nothing or appeal_upheld(other) or other.standing in NOTHING_AGAINST)


def _in_the_same_network(
    work: Holdings, telling: Iterable[FindingRef], found: Sequence[StoredFinding]
) -> Iterator[StoredFinding]:
    """Those whose subject names the same host: a private address does so within one network alone."""
    hidden = []
    for one in found:
        if _is_private(one.ref.subject):
            hidden.append(one)
        else:
            yield one
    if not hidden:
        return
    ours = {one.finding_id: one.subject for one in telling if _is_private(one.subject)}
    realms = _realms(work, [*ours, *(one.ref.finding_id for one in hidden)])
    known = {(subject, realms[name]) for name, subject in ours.items() if name in realms}
    yield from (one for one in hidden if (one.ref.subject, realms.get(one.ref.finding_id)) in known)


def _is_private(subject: str) -> bool:
    try:
        return is_reused(*address_number(subject))
    except ValueError:
        return False  # a usage point


def _realms(work: Holdings, finding_ids: Iterable[str]) -> dict[str, str]:
    """The network in which each of them was imported, where it follows from the registry alone."""
    ids, realms = iter(finding_ids), {}
    while some := list(islice(ids, MOST_FINDINGS)):
        rows = work.store.resolvable_findings(among=some, limit=len(some))
        realms.update({row.finding_id: row.realm for row in rows})
    return realms


def _named(found: Sequence[StoredFinding]) -> str:
    names = ", ".join(one.ref.finding_id for one in found[:MOST_NAMED])
    more = len(found) - MOST_NAMED
    return f"{names} and {more} more" if more > 0 else names
