"""A decision against a party says what it has to stop, until when, how to prove it, and what ends the case."""

from dataclasses import replace

import pytest

from headframe.records.case import CaseFile, DecisionOutcome, DocumentKind
from headframe.records.policy import Basis, Deadline, DeadlineUnit, Pack, Step
from headframe.reports.case_documents.model import Section
from headframe.reports.case_documents.speech import LANGUAGES, Speech
from headframe.reports.case_documents.write import build_document
from tests.reports import case_samples as samples
from tests.reports.test_case_documents import LOG_KEY, MINUTE_NS, file_of, pack, texts


def section(kind: DocumentKind, key: str, language: str = "en", file: CaseFile | None = None,
            by: Pack | None = None) -> str:  # fmt: skip
    """One section of a document, as text; empty where the document has none of that title."""
    file, by = file or file_of(kind), by or pack()
    now_ns = file.case.last_ns + MINUTE_NS
    made = build_document(kind, file, by, samples.clocks(file, by, now_ns), language, now_ns, log_keys=[LOG_KEY])
    found = [one for one in made.sections if isinstance(one, Section) and one.title == LANGUAGES[language][key]]
    return "\n".join(text for one in found for text in texts(one))


def with_period(one: Pack) -> Pack:
    """A pack that gives fifteen days from the decision's receipt to remedy."""
    deadline = Deadline(
        n=15, unit=DeadlineUnit.CALENDAR_DAY, start="decision_received", basis=Basis.POLICY, ref="ndrc1283#13"
    )
    steps = tuple(replace(step, deadline=deadline) if step.step is Step.REMEDIATE else step for step in one.procedure)
    return replace(one, procedure=steps)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_decision_says_what_has_to_stop_and_what_ends_the_case(language: str) -> None:
    """From facts, inspection, pack and the rules of closure: which facts, where, which proof, what is measured."""
    words, speech = LANGUAGES[language], Speech(language, pack().time_zone)
    text = section(DocumentKind.DECISION, "todo.title", language)
    for needed in ("1", "192.0.2.41", "33010-2044", "61", words["grade.A"], words["grade.B"], words["grade.C"], "30",
                   words["metric.kWh_per_day"], words["todo.host"], words["todo.ends"],
                   samples.CASE_ID, speech.share(pack().verification.min_coverage)):  # fmt: skip
        assert needed in text
    assert text.index(words["grade.B"]) < text.index(words["grade.C"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_period_is_made_up(language: str) -> None:
    """Where the pack has no clock of the remedy, none is set, and it is said what follows; else its date stands."""
    words = LANGUAGES[language]
    text = section(DocumentKind.DECISION, "todo.title", language)
    power_off = next(one for one in pack().measures if one.id == "power-off")
    assert words["todo.no_period"] in text
    assert Speech(language, "UTC").of(power_off.text) in text
    dated = section(DocumentKind.DECISION, "todo.title", language, by=with_period(pack()))
    assert words["todo.no_period"] not in dated
    file = file_of(DocumentKind.DECISION)
    received_ns = file.case.decisions[-1].received_ns
    assert received_ns is not None
    assert Speech(language, pack().time_zone).day(received_ns + 15 * samples.DAY) in dated
    assert words["basis.policy"] in dated


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_says_what_a_decision_would_ask_and_asks_nothing_itself(language: str) -> None:
    """As far as it is known then; with the period of the pack, counted from a decision that is not there yet."""
    words = LANGUAGES[language]
    text = section(DocumentKind.NOTICE, "todo.ahead.title", language)
    for needed in (words["todo.ahead.lead"], words["todo.ahead.no_period"], words["grade.A"], "192.0.2.41"):
        assert needed in text
    assert words["todo.lead"] not in text
    dated = section(DocumentKind.NOTICE, "todo.ahead.title", language, by=with_period(pack()))
    assert words["start.decision_received"] in dated


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_class_that_says_how_soon_is_told(language: str) -> None:
    """The pack of Beijing classifies as to be stopped at once, or by a date; no other axis is an order."""
    by = samples.packs()["cn-bj-2024"]
    text = section(DocumentKind.DECISION, "todo.title", language, file=samples.case_file(by, until=14), by=by)
    axes = {axis.id: axis for axis in by.axes}
    speech = Speech(language, by.time_zone)
    soon = axes["rectification_class"]
    assert speech.of(soon.label) in text
    assert speech.of(soon.values[0].label) in text
    assert speech.of(axes["supply"].label) not in text


@pytest.mark.parametrize("outcome", [one for one in DecisionOutcome if one is not DecisionOutcome.CONFIRMED])
def test_what_holds_nothing_against_the_party_asks_nothing(outcome: DecisionOutcome) -> None:
    """Nor does a decision that was set aside, or one of a case that is closed."""
    file = file_of(DocumentKind.DECISION)
    row = file.case.decisions[-1]
    other = replace(row, act=replace(row.act, outcome=outcome))
    for case in (
        replace(file.case, decisions=(other,)),
        replace(file.case, decisions=(replace(row, set_aside=True),)),
        replace(file.case, closed_ns=file.case.last_ns),
    ):
        assert not section(DocumentKind.DECISION, "todo.title", file=replace(file, case=case))
