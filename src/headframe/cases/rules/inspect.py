"""Inspect: what a unit saw at the site, with its authority. Whoever inspects does not decide."""

from __future__ import annotations

import re

from headframe.cases.question import (
    Question,
    Refusals,
    Rule,
    needs_text,
    not_before,
    not_in_future,
    sound_document,
)
from headframe.cases.rules.decide import cites_the_pack
from headframe.policy.citations import looks_like_citation
from headframe.records.case import Duty, ProposeDecision, ProposeMeasure, RecordInspection

_REACHES = re.compile(r"@|(?:\d[\s()./-]*){7,}")
"""A mail address, or as many digits as a telephone or an identity card has. Names cannot be told from other words by a
rule; what reaches somebody can."""


def _inspect(question: Question) -> Refusals:
    act: RecordInspection = question.act
    record = act.record
    yield from needs_text(record.authority, "the authority of the inspection")
    if looks_like_citation(record.authority):
        yield from cites_the_pack(question.pack, (record.authority,), "the authority of the inspection")
    yield from needs_text(record.unit, "the unit that inspected")
    yield from needs_text(record.place, "the place of the inspection")
    if not any(text.strip() for text in record.observations):
        yield "the inspection observed nothing; say what was seen, even if it was nothing unusual"
    yield from not_before(record.ended_ns, record.started_ns, "the end of the inspection", "its beginning")
    yield from not_in_future(question, record.ended_ns, "the end of the inspection")
    if record.machines_seen is not None and record.machines_seen < 0:
        yield f"{record.machines_seen} machines cannot be seen; give a number from 0, or none where it was not counted"
    for who in record.present:
        if _REACHES.search(who):
            yield (
                f"{who!a} is or holds a number or address of somebody; who was there is told by role and unit, such as "
                f"'grid company, metering', never by name or number"
            )
    for photo in record.photos:
        yield from sound_document(photo, f"photo {photo.name}")
    name = question.account.name
    if any(
        name in status.approvers
        for status in question.case.proposals
        if isinstance(status.act, ProposeDecision | ProposeMeasure)
    ):
        yield f"{name} has decided in this case; an inspection needs an account that does not decide"


INSPECT = Rule(duties=frozenset({Duty.INSPECT}), refusals=_inspect)
