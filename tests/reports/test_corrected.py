"""A correction stands in every document that shows the corrected fact, in words, and marks nothing else."""

import re
from dataclasses import replace

import pytest

from headframe.cases.apply import replay
from headframe.records.case import Approve, CaseEvent, CaseFile, DocumentKind, FileAppeal, ProposeCorrection
from headframe.reports.case_documents.speech import LANGUAGES, Speech
from tests.reports import case_samples as samples
from tests.reports.test_case_documents import built, pack, said

NOTICE, REPLY, ACCESS, INSPECTION, DECISION, SERVED, REMEDY = 8, 9, 10, 11, 12, 14, 18
"""Numbers of events of the sample case."""


def corrected(*what: tuple[int, str, str], until: int = 19) -> CaseFile:
    """The sample case with corrections: event, field, and what is right."""
    file = samples.case_file(pack(), until=until)
    events = list(file.events)
    for event, field, value in what:
        at_ns, number = events[-1].at_ns + samples.HOUR, len(events) + 1
        act = ProposeCorrection(event=event, field=field, value=value, reason="It was written down wrongly.")
        for one, account in ((act, "officer-1"), (Approve(proposal=number), "chief-1")):
            events.append(
                CaseEvent(case_id=file.case.case_id, number=len(events) + 1, at_ns=at_ns, account=account, unit="drc",
                          act=one)
            )  # fmt: skip
    return replace(file, case=replay(events), events=tuple(events))


def instant(at_ns: int) -> str:
    """As the file writes instants: a text in JSON."""
    return f'"{at_ns}"'


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [DocumentKind.DECISION, DocumentKind.MEASURE_REQUEST, DocumentKind.NOTICE])
def test_no_reader_meets_a_key_or_nanoseconds(kind: DocumentKind, language: str) -> None:
    """The table of corrections names the field in words, and tells times as times: what was recorded, what is right."""
    words, speech = LANGUAGES[language], Speech(language, pack().time_zone)
    was, right = samples.OPENED_NS + 3 * samples.DAY, samples.OPENED_NS + 4 * samples.DAY
    text = said(built(kind, language, corrected((NOTICE, "received_ns", str(right)))))
    assert words["corrections.title"] in text
    assert words["corrected.field.received_ns"] in text
    assert speech.moment(was) in text
    assert speech.moment(right) in text
    assert "received_ns" not in text
    assert str(right) not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_corrected_is_marked_where_it_is_told(language: str) -> None:
    """Letter, answer, inspection, reason, delivery of the decision: each with what was recorded, or where it stands."""
    words, speech = LANGUAGES[language], Speech(language, pack().time_zone)
    days = {number: samples.OPENED_NS + number * samples.DAY for number in (3, 4, 9, 17, 18)}
    file = corrected(
        (NOTICE, "received_ns", instant(days[4])), (REPLY, "text", "We were away."),
        (ACCESS, "given_ns", instant(days[9] + samples.HOUR)),
        (INSPECTION, "record.machines_seen", "60"), (DECISION, "reason", "Seen running."),
        (SERVED, "received_ns", instant(days[18])),
    )  # fmt: skip
    text = flat(said(built(DocumentKind.DECISION, language, file)))
    see = words["corrected.see"].format(title=words["corrections.title"])

    def marked(was: str) -> str:
        return words["corrected.recorded"].format(was=was)

    gap = "" if language == "zh" else " "
    for needed in (
        speech.moment(days[4]), f"We were away.{gap}{see}", f"Seen running.{gap}{see}", marked("61"),
        marked(speech.moment(days[3])), marked(speech.moment(days[9])), marked(speech.moment(days[17])),
    ):  # fmt: skip
        assert needed in text
    request = flat(said(built(DocumentKind.MEASURE_REQUEST, language, file)))
    assert f"{speech.day(days[18])}{gap}{marked(speech.moment(days[17]))}" in request


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_what_was_corrected_is_marked(language: str) -> None:
    """The text of a remedy was corrected: its grade and its day were not."""
    words = LANGUAGES[language]
    text = said(built(DocumentKind.VERIFICATION_REPORT, language, corrected((REMEDY, "text", "All machines sold."))))
    assert text.count(words["corrected.see"].format(title=words["corrections.title"])) == 1
    assert words["corrected.recorded"].partition("{")[0] not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_corrected_appeal_is_marked(language: str) -> None:
    """Its day, before whom, and its grounds."""
    file = samples.case_file(pack(), until=14)
    act = FileAppeal(received_ns=file.case.last_ns, body="court", grounds="It is wrong.")
    events = (*file.events, CaseEvent(case_id=file.case.case_id, number=15, at_ns=file.case.last_ns + 1,
                                      account="officer-1", unit="drc", act=act))  # fmt: skip
    fixed = ProposeCorrection(event=15, field="grounds", value="Fact 3 is wrong.", reason="Cut off.")
    for one, account in ((fixed, "officer-1"), (Approve(proposal=16), "chief-1")):
        events = (*events, CaseEvent(case_id=file.case.case_id, number=len(events) + 1, at_ns=events[-1].at_ns + 1,
                                     account=account, unit="drc", act=one))  # fmt: skip
    text = said(built(DocumentKind.DECISION, language, replace(file, case=replay(events), events=events)))
    gap = "" if language == "zh" else " "
    see = LANGUAGES[language]["corrected.see"].format(title=LANGUAGES[language]["corrections.title"])
    assert f"Fact 3 is wrong.{gap}{see}" in text
