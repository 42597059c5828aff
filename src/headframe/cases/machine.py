"""The state machine of a case: an account asks for an act; it says yes, with events and commands, or no, and why.

Pure: the case, the act, the account, the pack, the time and the clocks come in; nothing is read, written or executed.
A case is its events. `replay` makes the case from them, `act` decides on the next one, and `apply` adds it. Whatever
touches a party is done by people: commands ask for documents, ledger and register entries, never for a measure.

The rules are in `headframe.cases.rules`, one file for each step.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from headframe.cases.apply import apply, replay
from headframe.cases.question import Question, instant
from headframe.cases.rules import RULES
from headframe.cases.rules.appeal import came_late, which_appeal
from headframe.cases.rules.correct import fallen
from headframe.cases.rules.decide import decision_delivered
from headframe.cases.rules.measure import approvals_needed
from headframe.cases.texts import unfit_texts
from headframe.policy.appeals import body_of
from headframe.records.case import (
    Accepted,
    Account,
    Act,
    AddFindings,
    AdmitAppeal,
    AppendEvidence,
    Case,
    CaseEvent,
    Command,
    DecideAppeal,
    FileAppeal,
    OpenCase,
    OpenLinkedCase,
    ProposeCorrection,
    ProposeMeasure,
    RecordRemedy,
    Refused,
    ServeDecision,
    Stage,
)
from headframe.records.policy import Clock, Pack

__all__ = ["act", "apply", "replay"]


def act(
    case: Case | None, wanted: Act, account: Account, pack: Pack, now_ns: int, clocks: Sequence[Clock] = ()
) -> Accepted | Refused:
    """Decide whether an account may do an act on a case now.

    Parameters
    ----------
    case : Case or None
        As `replay` gives it. For `OpenCase`: None, or the closed case that the new one recurs from.
    wanted : Act
    account : Account
    pack : Pack
        The one that the case was opened under.
    now_ns : int
        [ns since 1970-01-01 UTC]
    clocks : sequence of Clock
        Of this case at this time, as `headframe.policy.clocks` computes them. Without the clock of the reply or of the
        appeal no time is ever over: what rests on it is refused.

    Returns
    -------
    Accepted or Refused
        Accepted: the case after it, its events, and the commands: `AppendEvidence` for each event first, then documents
        to write and register entries. Refused: every reason, each with what would be right.
    """
    opening = isinstance(wanted, OpenCase)
    if case is None and not opening:
        return Refused(reasons=("there is no case yet; open one first",))
    question = Question(
        case=_UNOPENED if case is None else case,
        act=wanted,
        account=account,
        pack=pack,
        now_ns=now_ns,
        clocks=tuple(clocks),
    )
    reasons, advice = _reasons(question)
    if reasons:
        return Refused(reasons=tuple(dict.fromkeys(reasons)), advice=advice)
    if isinstance(wanted, ProposeMeasure):
        wanted = replace(wanted, approvals=approvals_needed(pack, wanted.measure))
    if isinstance(wanted, FileAppeal):
        body = body_of(pack, wanted.body)
        wanted = replace(wanted, late=came_late(question), body=wanted.body if body is None else body.id)
    if isinstance(wanted, ServeDecision):
        delivered = decision_delivered(question.case, wanted)
        wanted = replace(wanted, decision=0 if delivered is None else delivered.number)
    if isinstance(wanted, AdmitAppeal | DecideAppeal):
        appeal = which_appeal(question)
        wanted = replace(wanted, appeal=0 if appeal is None else appeal.event)
    if isinstance(wanted, ProposeCorrection):
        wanted = replace(wanted, falls=tuple(number for number, _, _ in fallen(question)))
    event = CaseEvent(
        case_id=wanted.case_id if isinstance(wanted, OpenCase) else question.case.case_id,
        number=1 if opening else question.case.version + 1,
        at_ns=now_ns,
        account=account.name,
        unit=account.unit,
        act=wanted,
    )
    after = replay((event,)) if opening else apply(question.case, event)
    follow: tuple[Command, ...] = tuple(RULES[type(wanted)].commands(question, after))
    return Accepted(case=after, events=(event,), commands=(AppendEvidence(event=event), *follow))


def _reasons(question: Question) -> tuple[list[str], tuple[OpenLinkedCase, ...]]:
    """Every reason against an act, and what could be done instead."""
    case, account, wanted = question.case, question.account, question.act
    opening = isinstance(wanted, OpenCase)
    rule = RULES[type(wanted)]
    reasons = []
    if not account.name.strip() or not account.unit.strip():
        reasons.append("the account has no name or no unit; events say who did them")
    if account.name != unicodedata.normalize("NFKC", account.name).casefold().strip():
        # Four eyes go by names: one that only looks like another is no second person.
        reasons.append(
            f"the account is named {account.name!a}; names are in lower case and without blanks around them, so that "
            f"no account passes for two"
        )
    if not rule.duties & account.duties:
        needed = " or ".join(sorted(rule.duties))
        has = ", ".join(sorted(account.duties)) or "none"
        reasons.append(f"this needs the duty {needed}; {account.name} has {has}")
    if question.now_ns < case.last_ns:
        reasons.append(
            f"the time is {instant(question.now_ns)}, before the last event ({instant(case.last_ns)}); "
            f"set the clock right, if this one is wrong; if that of the last event was, no time is judged before it "
            f"has passed"
        )
    pack = question.pack
    if not opening and (case.pack_id, case.pack_version, case.pack_digest) != (pack.id, pack.version, pack.digest):
        reasons.append(
            f"the case was opened under pack {case.pack_id} {case.pack_version} ({case.pack_digest[:12]}), not under "
            f"{pack.id} {pack.version} ({pack.digest[:12]}); hand in that pack"
        )
    advice: tuple[OpenLinkedCase, ...] = ()
    if case.closed_ns is not None and not rule.when_closed:
        if isinstance(wanted, AddFindings):
            advice = (OpenLinkedCase(recurrence_of=case.case_id),)
            reasons.append(
                f"the case is closed since {instant(case.closed_ns)}; open a new case that recurs from {case.case_id}"
            )
        else:
            # What the party sends is on file whenever it comes; what is made of it is another matter.
            paper = "record what the party sent as a reply, or " if isinstance(wanted, RecordRemedy) else ""
            reasons.append(
                f"the case is closed since {instant(case.closed_ns)}; {paper}propose to reopen it, with the reason"
            )
        return reasons, advice
    reasons.extend(unfit_texts(wanted))
    reasons.extend(rule.refusals(question))
    return reasons, advice


_UNOPENED = Case(
    case_id="",
    pack_id="",
    pack_version="",
    pack_digest="",
    site_id="",
    site_kind="",
    region="",
    organisation_id="",
    usage_points=(),
    opened_ns=0,
    opened_by="",
    stage=Stage.SCREENED,
    version=0,
    last_ns=0,
)
"""A case before its first event, so that rules need no second form."""
