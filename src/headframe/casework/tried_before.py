"""Findings that a case was about already: what was decided is not tried again because somebody opens another case.

The state machine sees one case, and the one that it recurs from. Which other cases rest on a finding, the store knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from headframe.cases.question import appeal_upheld, confirmed
from headframe.cases.rules.screen import not_tried_again, still_held
from headframe.casework.holdings import NoSuchCase
from headframe.records.case import Case, CaseRelation, OpenCase

if TYPE_CHECKING:
    from headframe.cases.store import FindingHolder, StoredFinding
    from headframe.casework.holdings import Holdings


def recurs_from(work: Holdings, case_id: str) -> frozenset[str]:
    """A case, and every one that it recurs from.

    Parameters
    ----------
    work : Holdings
    case_id : str
        Empty for none.

    Returns
    -------
    frozenset of str
        Their ids; of one that was destroyed its own, and none that it recurred from.
    """
    found: set[str] = set()
    waiting = [case_id] if case_id else []
    while waiting:
        case_id = waiting.pop()
        if case_id not in found:
            found.add(case_id)
            try:
                # What was linked to it later is told beside it, and brings it no findings.
                recurs = opening_of(work, case_id).recurrence_of
            except NoSuchCase:
                continue  # destroyed when its time was over: what it recurs from goes before it
            waiting += [recurs] if recurs else []
    return frozenset(found)


def opening_of(work: Holdings, case_id: str) -> OpenCase:
    """The act that opened a case."""
    opening = work.case(case_id).events[0].act
    assert isinstance(opening, OpenCase)
    return opening


def tried_before(
    work: Holdings,
    found: Sequence[StoredFinding],
    holders: Iterable[FindingHolder],
    linked: Collection[str],
    *,
    party: str,
    own: str = "",
    named: bool = True,
    split_from: str = "",
) -> tuple[str, ...]:
    """Why findings cannot come into a case: another one rests on them, or did.

    Parameters
    ----------
    work : Holdings
    found : sequence of StoredFinding
        What is to come into the case.
    holders : iterable of FindingHolder
        Cases that rest on them, as the store knows them.
    linked : collection of str
        Ids of the cases that the case recurs from.
    party : str
        Id of the organisation that the case is about; empty where nobody is known.
    own : str
        Id of the case itself; empty while it is not open.
    named : bool
        Whether somebody has named them. Else they were taken because no case has them; if one has by now, they are to
        be looked for again.
    split_from : str
        Id of the closed case that the new one is split from; what may go over, the rules of a case say.

    Returns
    -------
    tuple of str
        Reasons, each with what would be right. None: they may.
    """
    holders = tuple(holders)
    came_with = {
        (one.finding_id, opening_of(work, one.case_id).split_from)
        for one in holders
        if one.case_id in linked or one.case_id == own
    }
    others = [
        one
        for one in holders
        if one.case_id != own
        and (named if one.same else one.closed)
        # What came over from a case with a split speaks in the new one since.
        and (one.finding_id, one.case_id) not in came_with
    ]
    reasons = tuple(dict.fromkeys(_against(work, others, linked, split_from, party)))
    known = {one.finding_id for one in others}
    if not reasons and linked and not own and all(one.ref.finding_id in known for one in found):
        return (
            f"no finding is new: {_named(others)} says of each time what these do. A recurrence rests on at least one "
            f"finding that is; if the file of the old case was incomplete, propose to reopen that",
        )
    return reasons


def spoken_elsewhere(work: Holdings, case: Case, holders: Iterable[FindingHolder]) -> tuple[str, ...]:
    """Why a closed case is not reopened: what it rests on has come into another one since.

    Parameters
    ----------
    work : Holdings
    case : Case
    holders : iterable of FindingHolder
        Cases that rest on its findings, as the store knows them.

    Returns
    -------
    tuple of str
        Reasons.
    """
    reasons = []
    for other in sorted({one.case_id for one in holders if one.same} - {case.case_id}):
        newer = work.case(other)
        if newer.closed_ns is None:
            reasons.append(
                f"findings of case {case.case_id} lie in case {other}, which is open; a finding speaks in one case: go "
                f"on there, or close that first"
            )
        elif newer.organisation_id != case.organisation_id:
            reasons += still_held(newer)
    return tuple(reasons)


def tried_by_a_correction(
    work: Holdings, case: Case, holders: Iterable[FindingHolder], organisation_id: str
) -> tuple[str, ...]:
    """Why a case is not about another organisation: on its findings that was found right, or somebody else stands held.

    Parameters
    ----------
    work : Holdings
    case : Case
    holders : iterable of FindingHolder
        Cases that rest on its findings, as the store knows them.
    organisation_id : str
        Whom the case would be about when it is corrected.

    Returns
    -------
    tuple of str
        Reasons.
    """
    split = {other for other, relation in case.links if relation is CaseRelation.SPLIT_FROM}
    reasons: list[str] = []
    for other in sorted({one.case_id for one in holders} - {case.case_id}):
        old = work.case(other)
        if old.organisation_id != organisation_id:
            reasons += still_held(old)
        if other in split:
            reasons += not_tried_again(old, organisation_id)
    return tuple(reasons)


def _named(holders: Iterable[FindingHolder]) -> str:
    return ", ".join(dict.fromkeys(one.case_id for one in holders))


def _against(
    work: Holdings, others: Iterable[FindingHolder], linked: Collection[str], split_from: str, party: str
) -> Iterator[str]:
    cases: dict[str, Case] = {}
    for one in others:
        lies = "lies in" if one.same else "says of the same time and place no more than one in"
        if not one.closed:
            yield (
                f"finding {one.finding_id} lies in case {one.case_id}, which is open; a finding speaks in one case: "
                f"go on there, or leave it out"
            )
            continue
        if one.case_id == split_from:
            continue
        if one.case_id not in cases:
            cases[one.case_id] = work.case(one.case_id)
        old = cases[one.case_id]
        if appeal_upheld(old):
            yield (
                f"finding {one.finding_id} {lies} case {one.case_id}, in which an appeal was upheld; what was decided "
                f"there is not tried again on the same findings: leave it out"
            )
        elif old.organisation_id != party and confirmed(old) is not None:
            yield from still_held(old)
        elif one.case_id not in linked:
            yield (
                f"finding {one.finding_id} {lies} case {one.case_id}, which is closed; open the new case as its "
                f"recurrence (--recurrence-of {one.case_id}), on at least one finding that is new, or leave this one "
                f"out. If it was about the wrong party or under the wrong pack, split the new case from it, with the "
                f"reason (--split-from {one.case_id}). If that case's file was incomplete, propose to reopen it"
            )
