"""Screen: open a case on findings, add findings, look the site up in the registers of lawful mining, link cases."""

from __future__ import annotations

from collections.abc import Sequence

from headframe.cases.question import Question, Refusals, Rule, appeal_upheld, confirmed, needs_text, not_in_future
from headframe.records.case import (
    AddFindings,
    Case,
    Duty,
    FindingRef,
    LinkCase,
    LookUpLawful,
    OpenCase,
)
from headframe.records.policy import NOTHING_AGAINST


def _findings(question: Question, findings: Sequence[FindingRef], known: set[str]) -> Refusals:
    if not findings:
        yield "no finding is given; a case rests on at least one"
    seen = set(known)
    for finding in findings:
        if finding.finding_id in seen:
            yield f"finding {finding.finding_id} is already in the case; give each once"
        seen.add(finding.finding_id)
        if finding.ended_ns < finding.started_ns:
            yield f"finding {finding.finding_id} ends before it begins; import it again"
        yield from not_in_future(question, finding.ended_ns, f"the end of finding {finding.finding_id}")


def _open(question: Question) -> Refusals:
    act: OpenCase = question.act
    pack = question.pack
    yield from needs_text(act.case_id, "the case's id")
    yield from needs_text(act.site_id, "the site's id")
    if (act.pack_id, act.pack_version, act.pack_digest) != (pack.id, pack.version, pack.digest):
        yield (
            f"the act names pack {act.pack_id} {act.pack_version} ({act.pack_digest[:12]}), but {pack.id} "
            f"{pack.version} ({pack.digest[:12]}) was handed in; a case is handled by the text that it was opened under"
        )
    yield from _findings(question, act.findings, set())
    old = question.case
    if act.split_from:
        yield from _split(question)
        return
    if not act.recurrence_of:
        if old.version:
            yield f"case {old.case_id} is open already; a new case starts from nothing, or names the one it recurs from"
        return
    if not old.version or old.case_id != act.recurrence_of:
        yield f"case {act.recurrence_of} has to be handed in with the act that opens its recurrence"
        return
    if old.closed_ns is None:
        yield f"case {old.case_id} is not closed; add the findings to it instead of opening a recurrence"
    before = {finding.finding_id for finding in old.findings}
    again = [finding.finding_id for finding in act.findings if finding.finding_id in before]
    if again and len(again) == len(act.findings):
        yield (
            f"no finding is new; case {old.case_id} rests on each of them. A recurrence rests on at least one finding "
            f"that is; if the file of the old case was incomplete, propose to reopen that"
        )
    if again and appeal_upheld(old):
        yield (
            f"an appeal was upheld in case {old.case_id}, which rests on {', '.join(again)}; what was decided there is "
            f"not tried again on the same findings: leave them out"
        )
    if act.case_id == old.case_id:
        yield f"the new case has the id of the old one, {old.case_id}; it needs its own"
    if act.site_id != old.site_id:
        yield (
            f"case {old.case_id} is about site {old.site_id}, this one about {act.site_id}; a recurrence is at the "
            f"same site: open a case of its own and link it as same_operator"
        )


def _split(question: Question) -> Refusals:
    """Findings of a closed case about the wrong party or site, or under the wrong pack, carry the right one.

    It is no second try: never where they were held against somebody, nor against whom was found right on them.
    """
    act: OpenCase = question.act
    old = question.case
    if act.recurrence_of:
        yield f"a case is split from {act.split_from} or recurs from {act.recurrence_of}, not both; name one"
    yield from needs_text(act.reason, "the reason why it is split from that case")
    if not old.version or old.case_id != act.split_from:
        yield f"case {act.split_from} has to be handed in with the act that splits one from it"
        return
    if act.case_id == old.case_id:
        yield f"the new case has the id of the old one, {old.case_id}; it needs its own"
    if old.closed_ns is None:
        yield f"case {old.case_id} is not closed, and a finding speaks in one case; close it before it is split"
    if not {finding.finding_id for finding in old.findings} & {finding.finding_id for finding in act.findings}:
        yield f"none of the findings is one of case {old.case_id}; open the case without splitting it from that"
    # Behind a site of which no organisation is known may be the same one.
    another = bool(act.organisation_id) and act.organisation_id != old.organisation_id
    if not another and (act.site_id, act.pack_id) == (old.site_id, old.pack_id):
        yield (
            f"case {old.case_id} is about the same organisation ({old.organisation_id or 'nobody known'}) and site, "
            f"under the same pack; a case is split from it for another one. If its file was incomplete, propose to "
            f"reopen it"
        )
    yield from still_held(old)
    yield from not_tried_again(old, act.organisation_id)


def still_held(old: Case) -> Refusals:
    """Why what a case rests on is held against nobody else: its own decision stands."""
    held = confirmed(old)
    if held is not None:
        yield (
            f"decision {held.number} of case {old.case_id} holds these findings against "
            f"{old.organisation_id or 'its party'}; they are not held against another, or once more, while it stands: "
            f"propose to reopen that case if it was about the wrong one"
        )


def not_tried_again(old: Case, organisation_id: str) -> Refusals:
    """Why what a closed case rested on is not held against an organisation: it was found right on it, or may have been.

    Parameters
    ----------
    old : Case
        That another one is split from.
    organisation_id : str
        Whom that one is about, or would be; empty where nobody is known.
    """
    # Where nobody is known, it may be the same one.
    another = organisation_id and old.organisation_id and organisation_id != old.organisation_id
    if not another and (appeal_upheld(old) or old.standing in NOTHING_AGAINST):
        found = "an appeal was upheld" if appeal_upheld(old) else f"the party was found to be {old.standing}"
        yield (
            f"in case {old.case_id} {found}; what was decided there is not tried again on the same findings against "
            f"the same party, at another site or under another pack: leave them out"
        )


def _add(question: Question) -> Refusals:
    act: AddFindings = question.act
    yield from _findings(question, act.findings, {finding.finding_id for finding in question.case.findings})


def _look_up(question: Question) -> Refusals:
    act: LookUpLawful = question.act
    if not any(name.strip() for name in act.registers):
        yield "no register is named; name each that was asked, with the day of its state, or say that there is none"


def _link(question: Question) -> Refusals:
    act: LinkCase = question.act
    yield from needs_text(act.case_id, "the other case's id")
    if act.case_id == question.case.case_id:
        yield "a case is not linked to itself; name the other case"
    if (act.case_id, act.relation) in question.case.links:
        yield f"case {act.case_id} is already linked as {act.relation}"


OPEN = Rule(duties=frozenset({Duty.SCREEN}), refusals=_open, when_closed=True)
ADD_FINDINGS = Rule(duties=frozenset({Duty.SCREEN}), refusals=_add)
LOOK_UP_LAWFUL = Rule(duties=frozenset({Duty.SCREEN}), refusals=_look_up)
LINK = Rule(duties=frozenset({Duty.SCREEN, Duty.PROPOSE}), refusals=_link, when_closed=True)
