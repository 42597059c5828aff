"""Notify: letters to a party. What is held against it rests on two kinds of evidence and a look into registers."""

from __future__ import annotations

import math
from collections.abc import Iterable

from headframe.cases.question import (
    DAY_NS,
    Question,
    Refusals,
    Rule,
    appeal_upheld,
    approved,
    classified_at,
    comes_before,
    corrections,
    event_numbers,
    families,
    has_e_value,
    instant,
    joint_log10_e,
    last_event,
    machines_were_seen,
    needs_text,
    not_before,
    not_in_future,
    not_the_verifier,
    one_at_a_time,
    proof_of_late_record,
    proposal,
    sound_document,
    sources,
)
from headframe.records.case import (
    AddFindings,
    Approve,
    Case,
    Command,
    DecideAppeal,
    DocumentKind,
    Duty,
    LookUpLawful,
    LookupOutcome,
    NoticeKind,
    OpenCase,
    ProposalState,
    ProposalStatus,
    ProposeClass,
    ProposeClosure,
    ProposeCorrection,
    ProposeNotice,
    ServeNotice,
    WriteDocument,
)
from headframe.records.policy import NOTHING_AGAINST, PartyStanding, Step

LOOKUP_MAX_AGE_DAYS = 30
"""A look-up in the registers of lawful mining older than this is made again before a letter goes out. Operator
default: no text of a pack says how old it may be; registers that we know of change monthly or slower. [days]"""

MIN_SOURCES = 2
"""Independent sources of evidence before anything is held against a party (docs/guard-rails.md). [sources]"""

NO_NOTICE = NOTHING_AGAINST
"""Standings of a party that gets no notice."""

LETTERS = {
    NoticeKind.NOTICE: DocumentKind.NOTICE,
    NoticeKind.INFORMATION: DocumentKind.INFORMATION_LETTER,
    NoticeKind.HELP: DocumentKind.HELP_LETTER,
}
"""What is written for each kind of letter."""

ACCEPTED_AS = {
    NoticeKind.NOTICE: ("notice",),
    NoticeKind.INFORMATION: ("notice", "information_letter"),
    NoticeKind.HELP: ("help_letter",),
}
"""Kinds of document that such a letter may have (`DocumentRef.kind`)."""


def looked_up(question: Question) -> Refusals:
    """The registers of lawful mining were asked, after the last finding, and lately."""
    case = question.case
    if case.lookup is None or case.lookup_ns is None:
        yield "the registers of lawful mining have not been asked; look the site up first"
        return
    if last_event(case, LookUpLawful) < last_event(case, OpenCase, AddFindings):
        yield "findings were added after the look-up in the registers of lawful mining; look the site up again"
    if question.now_ns - case.lookup_ns > LOOKUP_MAX_AGE_DAYS * DAY_NS:
        yield (
            f"the look-up in the registers of lawful mining is from {instant(case.lookup_ns)}, more than "
            f"{LOOKUP_MAX_AGE_DAYS} days ago (operator default); look the site up again"
        )


def not_listed(question: Question) -> Refusals:
    """No register covers the site, or an account with reasons has classified the case since."""
    case = question.case
    if case.lookup is None or case.lookup.outcome is not LookupOutcome.LISTED:
        return
    if classified_at(case) < last_event(case, LookUpLawful):
        yield (
            "the site is listed as lawful mining; decide 'lawful', or let a classification with reasons be approved "
            "that says why the entry does not cover it"
        )


def not_found_right(question: Question) -> Refusals:
    """No appeal said that the party is right."""
    if appeal_upheld(question.case):
        yield "an appeal was upheld: the party was found to be right; close the case as decision_set_aside"


def two_sources(question: Question) -> Refusals:
    """Evidence of two kinds that do not rest on each other."""
    seen = families(question.case)
    of = sources(question.case)
    if len(of) < MIN_SOURCES:
        named = f"{', '.join(sorted(of))}: {', '.join(sorted(seen))}" if seen else "none"
        yield (
            f"the findings rest on {len(of)} independent source of evidence ({named}); a notice needs {MIN_SOURCES}. "
            f"Detectors of one family count once, and so do families of one source (content, endpoint and traffic "
            f"read packets, load and balance read meters): send an information letter, or add a finding of another "
            f"source or an inspection"
        )


def enough_together(question: Question) -> Refusals:
    """What the findings say together is more than chance would often give."""
    case, rule = question.case, question.pack.notice_evidence
    if machines_were_seen(case):
        return  # what was seen on the spot is no matter of chance, and has no e-value
    joint = joint_log10_e(case)
    if joint < math.log10(rule.least_e) - 1e-9:
        left_out = sorted(finding.finding_id for finding in case.findings if not has_e_value(finding))
        apart = f", {', '.join(left_out)} left out for want of an e-value" if left_out else ""
        yield (
            f"the findings come to an e-value of {shown_e(joint)} together, independent sources multiplied and the "
            f"others averaged{apart}; a notice needs {rule.least_e:g} ({rule.basis.replace('_', ' ')}"
            f"{f', {rule.ref}' if rule.ref else ''}): a site without mining shows as much at most once in so many. "
            f"Send an information letter, look longer, or inspect"
        )


def shown_e(log10_e: float) -> str:
    """An e-value for a message, rounded down: it is a bound."""
    if log10_e < -2:
        return "less than 0.01"
    if log10_e >= 6:
        return f"10^{math.floor(log10_e * 10) / 10:.1f}"
    digits = 1 - math.floor(log10_e)
    return f"{math.floor(10.0 ** (log10_e + digits) * (1 + 1e-9)) / 10.0**digits:g}"


def still_carried(question: Question, number: int) -> Refusals:
    """What a notice was approved on is there still when it reaches the party; evidence may have been corrected away."""
    yield from looked_up(question)
    for reason in (
        *not_listed(question), *not_found_right(question), *two_sources(question), *enough_together(question)
    ):  # fmt: skip
        yield (
            f"the notice of event {number} does not stand any more: {reason}. Call it back, and write another letter "
            f"that fits"
        )


def other_party_since(case: Case) -> int:
    """Number of the event since which the case is about another party than before; 0 if it always was the same."""
    return max(
        (number for number, act in corrections(case) if act.event == 1 and act.field == "organisation_id"), default=0
    )


def notice_stands(question: Question) -> Refusals:
    """What must be so when a letter is proposed, and still when it is approved."""
    act: ProposeNotice = question.act
    case = question.case
    yield from not_the_verifier(question, "a letter")
    since = other_party_since(case)
    if any(entry.act is act and entry.state is ProposalState.OPEN and entry.number < since for entry in case.proposals):
        yield f"the party was corrected (event {since}) since this letter was proposed; propose one to the right party"
    if act.kind is NoticeKind.HELP:
        if case.standing is not PartyStanding.VICTIM or not classified_at(case):
            yield f"a help letter goes to a victim; the party's standing is {case.standing}: classify the case first"
        return
    yield from looked_up(question)
    if case.standing is PartyStanding.VICTIM:
        yield "the party is a victim; send a help letter"
    if act.kind is NoticeKind.INFORMATION:
        # It asks, and holds nothing against anybody: a load that is worth a look is enough to ask about.
        if not families(case) and not any(one.stands_out and not one.mining for one in case.findings):
            yield "no finding says that mining goes on there; an information letter needs one family of evidence"
        return
    if not classified_at(case):
        yield "no classification is approved; a notice says which rule applies and why, so classify the case first"
    if case.standing in NO_NOTICE - {PartyStanding.VICTIM}:
        yield f"the party's standing is {case.standing}; nothing is held against it, so there is no notice to send"
    yield from not_listed(question)
    yield from not_found_right(question)
    yield from two_sources(question)
    yield from enough_together(question)
    if comes_before(question.pack, Step.INSPECT, Step.NOTIFY) and not case.inspections:
        yield f"pack {question.pack.id} inspects before it notifies; record an inspection first"


def _propose(question: Question) -> Refusals:
    act: ProposeNotice = question.act
    yield from one_at_a_time(question, ProposeNotice, "a letter")
    yield from sound_document(act.document, "the letter")
    yield from needs_text(act.language, "the letter's language")
    if act.document.kind not in ACCEPTED_AS[act.kind]:
        yield (
            f"the document is kept as {act.document.kind!r}; a letter of kind {act.kind} is kept as "
            f"{' or '.join(repr(kind) for kind in ACCEPTED_AS[act.kind])}"
        )
    yield from notice_stands(question)


def notice_commands(question: Question, _after: Case) -> Iterable[Command]:
    """After the approval of a letter."""
    act: ProposeNotice = question.act
    yield WriteDocument(kind=LETTERS[act.kind])


def _serve(question: Question) -> Refusals:
    act: ServeNotice = question.act
    case = question.case
    yield from not_in_future(question, act.received_ns, "the time of receipt")
    yield from needs_text(act.channel, "the way of delivery")
    yield from sound_document(act.proof, "the proof of delivery")
    yield from proof_of_late_record(question, act.received_ns, act.proof)
    status = proposal(case, act.proposal)
    if status is None or not isinstance(status.act, ProposeNotice):
        letters = [str(entry.number) for entry in case.proposals if isinstance(entry.act, ProposeNotice)]
        yield f"event {act.proposal} proposes no letter; letters are proposed in events {', '.join(letters) or 'none'}"
        return
    said_yes = letter_approved_at(case, status)
    if said_yes is None:
        yield f"the letter of event {act.proposal} is {status.state}; only an approved letter goes out"
        return
    approved_ns = case.history[said_yes - 1].at_ns
    yield from not_before(act.received_ns, approved_ns, "the time of receipt", "the letter's approval")
    if any(letter.proposal == act.proposal for letter in case.notices):
        yield f"the letter of event {act.proposal} is already recorded as served; propose another letter to write again"
    # What happened is recorded, whatever became of the letter: else nobody would tell the party how it stands.
    against = list(stands_no_more(question, status))
    if against and act.proof is None and act.received_ns >= _stood_until(question, said_yes):
        yield from against
        yield (
            f"if the letter of event {act.proposal} reached the party all the same, record that with the proof of "
            f"delivery, and tell the party how it stands"
        )


def letter_approved_at(case: Case, status: ProposalStatus) -> int | None:
    """Event that approved a letter; None if none did. One that fell with a correction had been approved before."""
    if status.state is ProposalState.APPROVED:
        return status.settled
    if len(status.approvers) < status.needed:
        return None
    said = (event for event in case.events if isinstance(event.act, Approve) and event.act.proposal == status.number)
    return next((event.number for event in said if event.account == status.approvers[-1]), None)


def stands_no_more(question: Question, status: ProposalStatus) -> Refusals:
    """Why an approved letter is not sent any more."""
    case = question.case
    if status.state is not ProposalState.APPROVED:
        yield f"the letter of event {status.number} fell with a correction; call it back, and write one that fits"
    if case.closed_ns is not None:
        yield f"the case was closed at {instant(case.closed_ns)}, and the letter was not recorded before; call it back"
    if not isinstance(status.act, ProposeNotice):
        return
    if status.act.kind is NoticeKind.NOTICE:
        if case.standing in NO_NOTICE:
            yield (
                f"the party's standing has become {case.standing} since this notice was approved; call it back, and "
                f"write a letter that fits"
            )
        yield from still_carried(question, status.number)
    elif status.act.kind is NoticeKind.HELP and case.standing is not PartyStanding.VICTIM:
        yield f"the party's standing has become {case.standing} since this help letter was approved; write another"


def _stood_until(question: Question, said_yes: int) -> int:
    """Until when nothing had happened since a letter's approval by which it may not stand any more."""
    case = question.case
    said = [one for kind in (ProposeClass, ProposeCorrection, ProposeClosure) for one in approved(case, kind)]
    numbers = [one.settled or 0 for one in said]
    for act in (LookUpLawful, AddFindings, DecideAppeal):
        numbers += event_numbers(case, act)
    ends = [case.history[number - 1].at_ns for number in numbers if number > said_yes]
    if case.lookup_ns is not None:
        ends.append(case.lookup_ns + LOOKUP_MAX_AGE_DAYS * DAY_NS + 1)
    return min(ends, default=question.now_ns)


def _served_commands(question: Question, after: Case) -> Iterable[Command]:
    if after.closed_ns is not None or after.standing in NO_NOTICE:
        return
    if after.notices[-1].kind is NoticeKind.NOTICE and not after.inspections:
        if comes_before(question.pack, Step.NOTIFY, Step.INSPECT):
            yield WriteDocument(kind=DocumentKind.INSPECTION_REQUEST)


PROPOSE_NOTICE = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_propose)
# A delivery that is proved happened, also where the slip comes back after the closure.
SERVE_NOTICE = Rule(duties=frozenset({Duty.PROPOSE}), refusals=_serve, commands=_served_commands, when_closed=True)
