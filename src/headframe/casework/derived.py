"""What follows from findings, acts and decisions: summaries, power, documents, entries of the register."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from headframe.cases.store import StoredFinding
from headframe.records.case import (
    Act,
    AppealOutcome,
    Case,
    DecisionOutcome,
    DocumentRef,
    EnterRegister,
    RegisterEntry,
)
from headframe.records.finding import METERED, Interval
from headframe.reports.case_documents.held import claimed_from
from headframe.reports.words import count, period
from headframe.sources.findings import interval_in

if TYPE_CHECKING:
    from headframe.records.policy import Pack

REGISTER_DAYS = 730
"""How long an entry stays in the register of decisions where the pack does not say: two years. No text says so; it is
ours, and shown as an operator's default. [days]"""
DAY_NS = 86_400_000_000_000


def zone_of(pack: Pack) -> tzinfo:
    """The time zone in which a pack's days begin and end."""
    if pack.time_zone in ("", "UTC"):
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(pack.time_zone)


def summary_of(found: Sequence[StoredFinding]) -> str:
    """What findings say together, in a sentence."""
    telling = [one for one in found if one.ref.mining] or [one for one in found if one.ref.stands_out] or list(found)
    families = sorted({one.ref.family.value for one in telling})
    subjects = sorted({one.ref.subject for one in telling})
    shown = ", ".join(subjects[:3]) + (f" and {len(subjects) - 3} more" if len(subjects) > 3 else "")
    when = period(min(claimed_from(one.ref, one.document) for one in telling), max(one.ref.ended_ns for one in telling))
    coins = sorted({one.coin for one in telling if one.coin})
    what = f" of {', '.join(coins)}" if coins else ""
    if not any(one.ref.mining for one in telling) and any(one.ref.stands_out for one in telling):
        return f"{count(len(telling), 'load')} worth a look at {shown}, by {', '.join(families)}, {when} UTC"
    return (
        f"{count(len(telling), 'finding')}{what} at {shown}, by {', '.join(families)}, {when} UTC"
        if any(one.ref.mining for one in telling)
        else f"{count(len(telling), 'contact')} without mining at {shown}, by {', '.join(families)}, {when} UTC"
    )


def power_of(found: Sequence[StoredFinding]) -> Interval | None:
    """The largest estimate of power among findings: they see the same machines from several sides. [W]

    What a meter shows of the load goes before what machines would draw at a hash rate, as in documents and reports.
    """
    told = [(one, estimate) for one in found if (estimate := interval_in(one.document.get("power_w"))) is not None]
    metered = [estimate for one, estimate in told if one.ref.family in METERED and one.ref.stands_out]
    drawn = [estimate for one, estimate in told if one.ref.family not in METERED]
    return max(metered or drawn, key=lambda estimate: estimate.estimate, default=None)


def documents_in(act: Act) -> Iterator[DocumentRef]:
    """Every document that an act refers to, at any depth."""
    waiting: list[Any] = [act]
    while waiting:
        value = waiting.pop()
        if isinstance(value, DocumentRef):
            yield value
        elif isinstance(value, tuple):
            waiting.extend(value)
        elif is_dataclass(value) and not isinstance(value, type):
            waiting.extend(getattr(value, one.name) for one in fields(value))


def entry_for(case: Case, command: EnterRegister, pack: Pack | None, entry_id: str) -> RegisterEntry:
    """The entry of a final decision, with the expiry that the pack gives it; with ours where there is none.

    Raises
    ------
    ValueError
        If the case has no such decision, or it is not final.
    """
    decision = next((one for one in case.decisions if one.number == command.decision), None)
    if decision is None or decision.final_ns is None:
        raise ValueError(f"decision {command.decision} of {case.case_id} is not there, or not final")
    days = REGISTER_DAYS if pack is None else pack.publication.get("register_days", REGISTER_DAYS)
    return RegisterEntry(
        entry_id=entry_id,
        case_id=case.case_id,
        decision=decision.number,
        organisation_id=case.organisation_id,
        site_id=case.site_id,
        outcome=decision.act.outcome,
        legal_basis=decision.act.legal_basis,
        decided_ns=decision.decided_ns,
        final_ns=decision.final_ns,
        expires_ns=decision.final_ns + int(days) * DAY_NS,
        appeal=appeal_standing(case, decision.number, unweighed=command.unweighed),
    )


def appeal_standing(case: Case, decision: int, *, unweighed: bool = False) -> str:
    """How the appeals against a decision stand, at whichever body, as the register says it (`RegisterEntry.appeal`).

    Parameters
    ----------
    case : Case
    decision : int
        Its number.
    unweighed : bool, default False
        Whether an answer that came in time was recorded after the decision, and no decision has weighed it.

    Returns
    -------
    str
    """
    standing = _appeals_in_a_word(case, decision)
    return "unweighed" if unweighed and standing not in ("pending", "late", "upheld") else standing


def _appeals_in_a_word(case: Case, decision: int) -> str:
    appeals = [one for one in case.appeals if one.decision in (0, decision)]
    if not appeals:
        return "none"
    pending = [one for one in appeals if one.outcome is None]
    if pending:
        return "late" if all(one.waits_for_admission for one in pending) else "pending"
    said = {
        AppealOutcome.REJECTED: "rejected",
        AppealOutcome.UPHELD: "upheld",
        AppealOutcome.REMITTED: "upheld",
        AppealOutcome.WITHDRAWN: "none",
        AppealOutcome.INADMISSIBLE: "inadmissible",
    }
    found = {said[one.outcome] for one in appeals if one.outcome is not None}
    # What one body has said is not undone by an appeal to another that was withdrawn.
    return next(word for word in ("upheld", "rejected", "inadmissible", "none") if word in found)


def without_content(entry: RegisterEntry, now_ns: int) -> RegisterEntry:
    """An entry as it may be shown: of one that was removed or has expired, its number and that it left."""
    left_ns = entry.removed_ns
    if left_ns is None and entry.expires_ns is not None and entry.expires_ns <= now_ns:
        left_ns = entry.expires_ns
    if left_ns is None:
        return entry
    return replace(
        entry,
        case_id="",
        decision=0,
        organisation_id="",
        site_id="",
        outcome=DecisionOutcome.UNDETERMINED,
        legal_basis=(),
        decided_ns=0,
        final_ns=0,
        appeal="none",
        removed_ns=left_ns,
        removal_reason="removed" if entry.removed_ns is not None else "expired",
    )
