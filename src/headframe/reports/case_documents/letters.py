"""Letters to the party: the notice, the information letter, and the help letter to a victim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headframe.records.case import NoticeKind, ProposeDecision, ProposeMeasure
from headframe.records.policy import CalculationSheet, Step, UnitRole
from headframe.reports.case_documents.addresses import acting_unit_id
from headframe.reports.case_documents.corrected import corrections_section
from headframe.reports.case_documents.courses import plot_load, plot_months, plot_session
from headframe.reports.case_documents.drawings import plot_course, plot_delays, plot_findings, plot_power
from headframe.reports.case_documents.held import claimed_from, facts_of
from headframe.reports.case_documents.model import (
    Block,
    Callout,
    CaseDocument,
    Entries,
    Entry,
    Facts,
    Listing,
    Paragraph,
    Plot,
    Section,
    Signature,
    Subheading,
    Tone,
)
from headframe.reports.case_documents.parts import (
    Desk,
    acting_unit,
    classification_section,
    doubts_section,
    due_words,
    error_rates_section,
    evidence_section,
    facts_section,
    furniture,
    letterhead,
    lookup_section,
    prepared,
    proposal_signatures,
    provenance_section,
    rights_section,
    rules_section,
    sheets_section,
    signatures_section,
    to_party,
    to_sign,
    unit_with,
    where_to_write,
)
from headframe.reports.case_documents.what_to_do import ahead_section

_MOST_COURSES = 3
"""Of each kind that are drawn in detail: sessions, conversations, loads; the others are in the findings' documents."""

_IN_DETAIL = ((plot_session,), (plot_course, plot_delays), (plot_load, plot_months))
"""Pictures of one fact, by what it is about."""


def plots_of(desk: Desk) -> list[Block]:
    """What can be drawn from the findings of a case."""
    held, speech = desk.held, desk.speech
    plots: list[Plot | None] = [plot_findings(held, speech), plot_power(held, speech)]
    # A row of meters that rests on two families of evidence is held twice, with one document.
    facts: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for number, one in enumerate(held, 1):
        facts.setdefault(one.ref.sha256, (number, one.document))
    drawn = dict.fromkeys(_IN_DETAIL, 0)
    for number, document in facts.values():
        for draws in _IN_DETAIL:
            if drawn[draws] == _MOST_COURSES:
                continue
            made = [plot for draw in draws if (plot := draw(document, speech)) is not None]
            drawn[draws] += bool(made)
            plots += [
                replace(plot, caption=speech.say("plot.of_fact", number=number, caption=plot.caption)) for plot in made
            ]
    return [plot for plot in plots if plot is not None]


def sheets_of(desk: Desk) -> list[CalculationSheet]:
    """Every calculation sheet that the case's proposals carry, each once."""
    sheets = [
        sheet
        for status in desk.case.proposals
        if isinstance(status.act, ProposeDecision | ProposeMeasure)
        for sheet in status.act.sheets
    ]
    return list(dict.fromkeys(sheets))


def notice_signatures(desk: Desk, kind: NoticeKind) -> list[Signature]:
    """Who proposed and approved the letter; open places while nobody has."""
    for status in reversed(desk.case.proposals):
        if getattr(status.act, "kind", None) is kind and status.act.NAME == "propose_notice":
            return proposal_signatures(desk, status.number)
    return [*prepared(desk), to_sign(desk, "sign.approval")]


def _lead(desk: Desk, key: str) -> str:
    """For when mining is claimed at the site: on one day, or from one day to another.

    A finding of a load is about all the readings that were looked at, and claims mining from its onset on.
    """
    case, speech = desk.case, desk.speech
    telling = [one for one in desk.held if one.ref.mining] or desk.held
    first = min((claimed_from(one.ref, one.document) for one in telling), default=case.opened_ns)
    last = max((one.ref.ended_ns for one in telling), default=case.opened_ns)
    # Readings end with the midnight of a day that is no longer theirs.
    start, end = speech.day(first), speech.day(max(last - 1, first))
    return speech.say(key if start != end else f"{key}.day", site=desk.site, start=start, end=end)


def notice(desk: Desk) -> CaseDocument:
    """Facts held against the party, the rule, and how to answer."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    unit = acting_unit(desk.pack, Step.NOTIFY, speech)
    reply_clock = next((clock for clock in desk.clocks if clock.id == Step.REPLY.value), None)
    reply_step = next((one for one in desk.pack.procedure if one.step is Step.REPLY), None)
    due, _ = due_words(reply_clock, reply_step.deadline if reply_step else None, speech)
    answer = Section(
        title=say("answer.title"),
        blocks=(
            Callout(title=say("answer.until"), lines=(due, say("answer.extend")), tone=Tone.STRONG),
            Paragraph(text=say("answer.lead")),
            Listing(
                items=tuple(say(f"answer.{name}") for name in ("contest", "lawful", "victim", "admit", "time", "file")),
            ),
            Paragraph(text=say("answer.how", unit=unit, case=case.case_id)),
            *where_to_write(desk, acting_unit_id(desk.pack, Step.NOTIFY)),
        ),
    )
    sections = [
        facts_section(desk, *plots_of(desk)),
        rules_section(desk),
        classification_section(desk),
        lookup_section(desk),
        doubts_section(desk),
        error_rates_section(desk),
        answer,
        ahead_section(desk),
        rights_section(desk),
        sheets_section(sheets_of(desk), desk),
        corrections_section(desk.case, speech),
        evidence_section(desk),
        provenance_section(desk),
        signatures_section(desk, notice_signatures(desk, NoticeKind.NOTICE), say("sign.notice")),
    ]
    return CaseDocument(
        kind="notice",
        language=speech.language,
        made_ns=desk.now_ns,
        title=say("notice.title"),
        letterhead=letterhead(desk, unit, to_party(desk)),
        lead=(
            _lead(desk, "notice.lead"),
            say("notice.ask"),
        ),
        standing=Callout(title=say("notice.standing"), lines=(say("notice.standing.text"),)),
        sections=tuple(section for section in sections if section is not None),
        furniture=furniture(speech),
    )


def information_letter(desk: Desk) -> CaseDocument:
    """That something was seen, and where to ask; nothing is held against anybody."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    unit = acting_unit(desk.pack, Step.NOTIFY, speech)
    sections = [
        facts_section(desk, *plots_of(desk)),
        Section(
            title=say("information.do.title"),
            blocks=(
                Listing(items=tuple(say(f"information.do.{n}") for n in ("check", "lawful", "cause", "help"))),
                Paragraph(text=say("information.ask", unit=unit, case=case.case_id)),
                *where_to_write(desk, acting_unit_id(desk.pack, Step.NOTIFY)),
            ),
        ),
        lookup_section(desk),
        doubts_section(desk),
        error_rates_section(desk),
        Section(
            title=say("rights.title"),
            blocks=(Paragraph(text=say("information.rights")),),
        ),
        corrections_section(desk.case, speech),
        evidence_section(desk),
        provenance_section(desk),
        signatures_section(desk, notice_signatures(desk, NoticeKind.INFORMATION), say("sign.notice")),
    ]
    return CaseDocument(
        kind="information_letter",
        language=speech.language,
        made_ns=desk.now_ns,
        title=say("information.title"),
        letterhead=letterhead(desk, unit, to_party(desk)),
        lead=(_lead(desk, "information.lead"),),
        standing=Callout(title=say("information.standing"), lines=(say("information.standing.text"),)),
        sections=tuple(section for section in sections if section is not None),
        furniture=furniture(speech),
    )


def help_letter(desk: Desk) -> CaseDocument:
    """To a victim: what was seen, how to clean it, whom to ask. Nothing is held against anybody, no measure follows."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    unit = acting_unit(desk.pack, Step.NOTIFY, speech)
    helpers = [
        name
        for role in (UnitRole.MONITOR, UnitRole.LEAD)
        if (name := unit_with(desk.pack, role, speech)) and name != unit
    ]
    noticed = [speech.day(one.received_ns) for one in case.notices if one.kind is NoticeKind.NOTICE]
    gone = (say("help.notice_gone", days=speech.listed(noticed)),) if noticed else ()
    hosts = [one for one in desk.held if not one.of_meter]
    steps: list[Block] = []
    if hosts or not desk.held:
        steps += [
            Subheading(text=say("help.clean.lead")),
            Listing(
                items=tuple(
                    say(f"help.clean.{n}")
                    for n in ("disconnect", "keep", "find", "remove", "close", "credentials", "others", "watch")
                ),
                ordered=True,
            ),
        ]
    if any(one.of_meter for one in desk.held):
        steps += [
            Subheading(text=say("help.premises.lead")),
            Listing(
                items=tuple(say(f"help.premises.{n}") for n in ("look", "contract", "meter", "touch")), ordered=True
            ),
        ]
    sections = [
        # What helps comes before what proves: whoever is hit reads the first screen.
        Section(title=say("help.do"), blocks=tuple(steps)),
        Section(
            title=say("help.whom"),
            blocks=(
                Entries(
                    entries=(
                        Entry(label=say("help.whom.unit"), value=speech.listed([unit, *helpers])),
                        Entry(label=say("head.case"), value=case.case_id, code=True),
                    )
                ),
                *where_to_write(desk, acting_unit_id(desk.pack, Step.NOTIFY)),
                Paragraph(text=say("help.whom.tell")),
            ),
        ),
        Section(
            title=say("help.seen"),
            blocks=(
                Paragraph(text=say("facts.lead", times=speech.zone_name)),
                Facts(facts=facts_of(desk.held, speech)),
                # When it was seen helps to find the machine; the proof in detail is for those who doubt it.
                *([plot] if (plot := plot_findings(desk.held, speech)) is not None else []),
            ),
        ),
        doubts_section(desk),
        Section(title=say("rights.title"), blocks=(Paragraph(text=say("help.rights")),)),
        corrections_section(desk.case, speech),
        evidence_section(desk),
        provenance_section(desk),
        signatures_section(desk, notice_signatures(desk, NoticeKind.HELP), say("sign.notice")),
    ]
    return CaseDocument(
        kind="help_letter",
        language=speech.language,
        made_ns=desk.now_ns,
        title=say("help.title"),
        letterhead=letterhead(desk, unit, to_party(desk)),
        lead=(say("help.lead", site=desk.site),),
        standing=Callout(title=say("help.standing"), lines=(say("help.standing.text"), *gone)),
        sections=tuple(section for section in sections if section is not None),
        furniture=furniture(speech),
    )
