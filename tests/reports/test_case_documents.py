"""Documents of a case: complete, the same in page and PDF, harmless, and honest about what is not known."""

import re
import string
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from functools import lru_cache
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from headframe.detectors.network import chain_sync, pool_endpoint
from headframe.detectors.power import balance, homes, load_step
from headframe.policy.clocks import due
from headframe.records import case as case_records
from headframe.records.case import (
    Account,
    Act,
    AppealOutcome,
    AppealStatus,
    CaseFile,
    DecisionOutcome,
    DocumentKind,
    Duty,
    LookupOutcome,
    ProposalState,
    RemedyGrade,
    ReplyStance,
    Stage,
    VerificationOutcome,
)
from headframe.records.finding import Family, Interval
from headframe.records.policy import (
    Basis,
    Clock,
    ClockState,
    Deadline,
    DeadlineUnit,
    MeasureMode,
    Pack,
    PartyStanding,
    Precondition,
    RightKind,
    words_in,
)
from headframe.records.retention import (
    DataClass,
    DestroyedClass,
    DestructionCertificate,
    RetentionRule,
)
from headframe.reports import pdf as pdf_module
from headframe.reports.case_documents.counting_zh import counting_in_chinese
from headframe.reports.case_documents.detector_words_zh import DETECTOR_WORDS
from headframe.reports.case_documents.drawings import plot_before_after
from headframe.reports.case_documents.general import (
    PeriodFigures,
    destruction_certificate,
    weekly_report,
)
from headframe.reports.case_documents.held import Held, facts_of
from headframe.reports.case_documents.model import CaseDocument, Plot, Sides, harmless, withheld
from headframe.reports.case_documents.page import to_page
from headframe.reports.case_documents.parts import measure_basis
from headframe.reports.case_documents.speech import LANGUAGES, Speech, UnknownLanguage
from headframe.reports.case_documents.write import (
    NothingToWrite,
    build_document,
    in_both_forms,
    write_document,
)
from headframe.reports.funnel import STEPS, ShownFunnel
from headframe.reports.ledger_figures import figures_of, given_by_operator
from headframe.reports.pdf import MissingGlyphs, to_pdf
from tests.reports import case_samples as samples
from tests.reports.samples import HOSTILE

PACK = "cn-national-1283"
LOG_KEY = "headframe.example/district+8d1a1c7e+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
"""The log's key of the example in docs/ledger-format.md."""
ME = Account(name="officer-1", unit="drc", duties=frozenset({Duty.PROPOSE}))
UNTIL = {
    DocumentKind.NOTICE: 7,
    DocumentKind.INFORMATION_LETTER: 3,
    DocumentKind.HELP_LETTER: 3,
    DocumentKind.INSPECTION_REQUEST: 10,
    DocumentKind.DECISION: 14,
    DocumentKind.MEASURE_REQUEST: 17,
    DocumentKind.REFERRAL_DOSSIER: 17,
    DocumentKind.VERIFICATION_REPORT: 19,
    DocumentKind.CLOSURE: 21,
}
"""How many events of the sample case have happened when each document is written."""
KINDS = list(UNTIL)
OF_A_MEASURE = {DocumentKind.MEASURE_REQUEST, DocumentKind.REFERRAL_DOSSIER}
MINUTE_NS = 60_000_000_000


@lru_cache
def pack() -> Pack:
    return samples.packs()[PACK]


def file_of(kind: DocumentKind, language: str = "en") -> CaseFile:
    return samples.case_file(pack(), until=UNTIL[kind], chinese=language == "zh")


def built(kind: DocumentKind, language: str = "en", file: CaseFile | None = None, **more: Any) -> CaseDocument:
    file = file_of(kind, language) if file is None else file
    now_ns = file.case.last_ns + MINUTE_NS
    more.setdefault("subject", "diff-tariff" if kind in OF_A_MEASURE else "")
    return build_document(
        kind,
        file,
        pack(),
        samples.clocks(file, pack(), now_ns),
        language,
        now_ns,
        log_keys=[LOG_KEY],
        prepared_by=ME,
        **more,
    )


@lru_cache
def document(kind: DocumentKind, language: str) -> CaseDocument:
    return built(kind, language)


@lru_cache
def pdf_of(kind: DocumentKind, language: str) -> bytes:
    return to_pdf(document(kind, language))


def texts(node: Any, *, also: tuple[str, ...] = ()) -> Iterator[str]:
    """Every text that a reader sees, in order; not the pictures and not the furniture."""
    if isinstance(node, StrEnum):
        return
    if isinstance(node, str):
        yield node
    elif isinstance(node, tuple):
        for one in node:
            yield from texts(one)
    elif is_dataclass(node):
        for field in fields(node):
            if field.name not in ("svg", "description", "furniture", "kind", "language", "mark", "tone"):
                yield from texts(getattr(node, field.name))


def plots(node: Any) -> Iterator[Plot]:
    if isinstance(node, Plot):
        yield node
    elif isinstance(node, tuple):
        for one in node:
            yield from plots(one)
    elif is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            yield from plots(getattr(node, field.name))


def said(document: CaseDocument) -> str:
    return "\n".join(text for text in texts(document) if text)


def gaps_of(one: Pack, language: str) -> list[str]:
    """What is missing in a pack, as a document of that language tells it."""
    return [words_in(gap, language) for gap in one.provenance.gap_words]


def outline(document: CaseDocument) -> str:
    """Headings and texts, one below the other: what a golden file holds."""
    head = [f"# {document.title}", *texts(document.letterhead), *document.lead, *texts(document.standing or ())]
    body = [
        line
        for section in document.sections
        for line in (f"\n## {section.title}", *(text for block in section.blocks for text in texts(block) if text))
    ]
    # A pack's digest, version and gaps change with every word of it; tests of their own see that they are there.
    made = "\n".join([*head, *body]).replace(pack().digest, "DIGEST-OF-THE-PACK")
    made = made.replace(pack().version, "VERSION-OF-THE-PACK")
    for gap in (gap for language in LANGUAGES for gap in gaps_of(pack(), language)):
        made = made.replace(gap + "\n", "")
    return made + "\n"


# -------------------------------------------------------------------------------------------------------- catalogues


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_there_in_every_language() -> None:
    """A key that one language lacks would be found by the reader of the other, too late."""
    english = LANGUAGES["en"]
    for language, words in LANGUAGES.items():
        assert set(words) == set(english), language
        for key, text in words.items():
            assert places(text) == places(english[key]), (language, key)
            assert text.strip() == text, (language, key)
            assert text, (language, key)


def test_chinese_is_written_with_chinese_punctuation() -> None:
    """Half-width commas, colons, semicolons and brackets between Chinese characters are a mistake of typing."""
    wrong = re.compile(r"[\u4e00-\u9fff][,:;!?()]|[,:;!?(][\u4e00-\u9fff]|[\u4e00-\u9fff] [\u4e00-\u9fff]")
    for words in (LANGUAGES["zh"], DETECTOR_WORDS):
        for key, text in words.items():
            if not key.startswith("body."):
                assert not wrong.search(text), (key, text)


GROUPS: list[tuple[str, type[StrEnum]]] = [
    ("family", Family), ("basis", Basis), ("clockstate", ClockState), ("lookup", LookupOutcome),
    ("stance", ReplyStance), ("outcome", DecisionOutcome), ("outcome", VerificationOutcome), ("outcome", LookupOutcome),
    ("verified", VerificationOutcome), ("grade", RemedyGrade), ("standing", PartyStanding), ("mode", MeasureMode),
    ("precondition", Precondition), ("right", RightKind), ("period", DeadlineUnit), ("data", DataClass),
    ("stage", Stage), ("relation", case_records.CaseRelation), ("document", DocumentKind),
    ("closure.because", case_records.ClosureReason), ("closure.lead", case_records.ClosureReason),
    ("decision.lead", DecisionOutcome), ("verify.means", VerificationOutcome),
]  # fmt: skip


@pytest.mark.parametrize(("group", "values"), GROUPS, ids=lambda one: str(one))
def test_every_value_of_a_record_has_a_word(group: str, values: type[StrEnum]) -> None:
    """What a record can say, a document can say, in both languages."""
    exempt = {"document.weekly_report", "document.destruction_certificate"}  # never an exhibit of a case
    for words in LANGUAGES.values():
        for value in values:
            key = f"{group}.{value.value}"
            assert key in words or key in exempt, key


def test_every_act_has_a_word() -> None:
    """The chain of custody leaves no act unnamed."""
    for words in LANGUAGES.values():
        for act in Act.__args__:  # type: ignore[attr-defined]
            assert f"act.{act.NAME}" in words


def test_standing_remarks_of_detectors_are_translated() -> None:
    """A blind spot that is the same in every finding reads in the language of the letter."""
    for module in (pool_endpoint, chain_sync.findings, balance, homes, load_step):
        for line in module.BLIND_SPOTS:
            assert line in DETECTOR_WORDS, line


def test_packs_terms_are_known() -> None:
    """Moments, metrics, states and bodies that the shipped packs name have words; a new one shows itself here."""
    for language, words in LANGUAGES.items():
        for one in samples.packs().values():
            rights = [right.deadline.start for right in one.rights if right.deadline]
            steps = [step.deadline.start for step in one.procedure if step.deadline]
            for start in {*rights, *steps}:
                assert f"start.{start}" in words, (language, one.id, start)
            for metric in one.verification.metrics:
                assert f"metric.{metric}" in words, (language, one.id, metric)
            for instrument in one.instruments:
                assert f"status.{instrument.status}" in words
                assert f"quality.{instrument.text_quality}" in words
            assert f"review.{one.provenance.legal_review}" in words


def deadlines() -> Iterator[tuple[str, Clock]]:
    """Clocks over holidays, make-up days, pauses, extensions and a last day that is a day off."""
    day, hour = samples.DAY, samples.HOUR
    at = 1_759_190_400_000_000_000  # 2025-09-30 08:00 in Beijing, the day before the National Day
    for one in samples.packs().values():
        for unit in DeadlineUnit:
            for pauses in ((), ((at + 2 * day, at + 3 * day),), ((at + 2 * hour, None),)):
                for rolls in (False, True):
                    made = Deadline(n=4, unit=unit, start="notice_received", basis=Basis.POLICY, rolls=rolls)
                    for extensions in ((), (at + 200 * day,)):
                        clock = due(made, at, one, pauses, extensions, name="reply")
                        yield f"{one.id} {unit.value}", clock
                    yield one.id, due(replace(made, pauses=False, rolls_ref="cc2020#203"), at, one, pauses)


def test_how_a_date_was_counted_reads_in_chinese() -> None:
    """Every form in which a clock tells its counting has a Chinese counterpart; an unknown one stays as it is."""
    seen = 0
    for name, clock in deadlines():
        assert counting_in_chinese(clock.explanation), (name, clock.explanation)
        seen += "holidays do not count" in clock.explanation
    assert seen
    for file in (samples.case_file(pack(), until=until) for until in (3, 8, 14, 19, 21)):
        for clock in samples.clocks(file, pack()):
            if not clock.id.startswith("report"):
                assert counting_in_chinese(clock.explanation), clock.explanation
    assert counting_in_chinese("counted by the moon") == ""
    found = counting_in_chinese(
        "5 business days after 2025-09-30 (Asia/Shanghai), which does not count; holidays do not count: 2025-10-01 to "
        "2025-10-08 (National Day, Mid-autumn Festival); make-up working days count: 2025-10-11"
    )
    assert found == (
        "自2025-09-30的次日起5个工作日；节假日不计入：2025-10-01至2025-10-08（国庆节、中秋节）；调休的工作日计入：2025-10-11"
    )


def test_an_unknown_language_says_which_there_are() -> None:
    with pytest.raises(UnknownLanguage, match=r"'fr'.*en and zh"):
        Speech("fr", "UTC")


@pytest.mark.parametrize(("tag", "short"), [("zh-Hans-CN", "zh"), ("en-GB", "en"), ("ZH", "zh"), ("zh_CN", "zh")])
def test_tags_of_a_language_lead_to_it(tag: str, short: str) -> None:
    assert Speech(tag, "Asia/Shanghai").language == short


def test_dates_numbers_and_odds_by_language() -> None:
    """Dates are told in the pack's zone; odds are rounded down, for they are a bound."""
    at_ns = 1_652_058_000_000_000_000
    english, chinese = Speech("en", "Asia/Shanghai"), Speech("zh", "Asia/Shanghai")
    assert (english.day(at_ns), chinese.day(at_ns)) == ("9 May 2022", "2022年5月9日")
    assert (english.moment(at_ns), chinese.moment(at_ns)) == ("9 May 2022, 09:00", "2022年5月9日09:00")
    assert Speech("en", "America/Chicago").day(at_ns) == "8 May 2022"
    assert (english.once_in(6.289), chinese.once_in(6.289)) == ("1.9 million", "190万")
    assert english.once_in(71.14) == "10⁷¹"
    assert english.once_in(0.0) == ""
    assert english.amount("136911.52", "CNY") == "136,911.52 CNY"
    assert english.amount("0.10", "CNY") == "0.10 CNY"
    assert (english.iso_day("2026-11-27"), chinese.iso_day("2026-11-27")) == ("27 November 2026", "2026年11月27日")
    assert english.iso_day("soon") == "soon"


# ------------------------------------------------------------------------------------------------- what must be there


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_structure(kind: DocumentKind, language: str, golden: Callable[[str, str], None]) -> None:
    """The whole text of each document, in both languages."""
    golden(f"reports/case_documents/{kind.value}.{language}.txt", outline(document(kind, language)))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_every_document_says_what_its_rules_are_worth(kind: DocumentKind, language: str) -> None:
    """Pack, version, digest, that no lawyer has read it, and every gap: in each document."""
    text = said(document(kind, language))
    one = pack()
    assert one.provenance.legal_review == "none"
    assert one.provenance.gaps
    for needed in (one.id, one.version, one.digest, "legal_review: none", *gaps_of(one, language)):
        assert needed in text
    assert LANGUAGES[language]["pack.no_review"] in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_every_document_gives_digests_and_how_to_check_them(kind: DocumentKind, language: str) -> None:
    text = said(document(kind, language))
    for ref in file_of(kind).case.findings:
        assert ref.sha256 in text
        assert ref.finding_id in text
    assert "headframe bundle verify" in text
    assert "sha256sum" in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "kind", [DocumentKind.NOTICE, DocumentKind.DECISION, DocumentKind.MEASURE_REQUEST],
    ids=lambda kind: kind.value,
)  # fmt: skip
def test_each_date_stands_with_its_basis(kind: DocumentKind, language: str) -> None:
    """Every right of the pack that does not lie behind is there, with the date of its clock and what that rests on."""
    words, doc = LANGUAGES[language], document(kind, language)
    behind = set() if kind is DocumentKind.NOTICE else {RightKind.NOTICE, RightKind.HEARING}
    file = file_of(kind, language)
    clocks = {clock.id: clock for clock in samples.clocks(file, pack(), file.case.last_ns + MINUTE_NS)}
    lines = [line for section in doc.sections for block in section.blocks for line in getattr(block, "rights", ())]
    for right in pack().rights:
        told = any(line.title.startswith(words[f"right.{right.right.value}"]) for line in lines)
        assert told is (right.right not in behind), right
    assert all(line.due and line.basis for line in lines)
    reply = next(line for line in lines if line.title == words["right.reply"])
    assert clocks["reply"].basis is Basis.OPERATOR_DEFAULT
    assert words["basis.operator_default"] in reply.basis
    if due := clocks["reply"].due_day:
        assert Speech(language, pack().time_zone).iso_day(due) in reply.due
    appeals = [line for line in lines if line.title.startswith(words["right.appeal"])]
    assert len(appeals) == 2
    assert words["basis.statutory"] in appeals[0].basis
    assert words["basis.operator_default"] in appeals[1].basis


def test_a_served_notice_shows_the_date_of_the_reply_and_how_it_was_counted() -> None:
    """Five working days from 12 May 2022 in Beijing end on 19 May; the document says so, and what it counted."""
    file = samples.case_file(pack(), until=8)
    text = said(built(DocumentKind.NOTICE, file=file))
    assert "19 May 2022, end of that day" in text
    assert "Counted: " in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sum_never_goes_without_its_sheet(language: str) -> None:
    """Every line, the result, the rule, its basis, and what limits it."""
    sheet = samples.sheet()
    for kind in (DocumentKind.DECISION, DocumentKind.MEASURE_REQUEST, DocumentKind.REFERRAL_DOSSIER):
        text = said(document(kind, language))
        for line in sheet.lines:
            assert line.label in text
            assert line.source in text
        assert "136,911.52 CNY" in text
        assert all(caveat in text for caveat in sheet.caveats)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_supporting_contradicting_and_missing_stand_side_by_side(language: str) -> None:
    words = LANGUAGES[language]
    for kind in (DocumentKind.NOTICE, DocumentKind.INFORMATION_LETTER, DocumentKind.DECISION):
        sides = next(
            block.sides
            for section in document(kind, language).sections
            for block in section.blocks
            if hasattr(block, "sides")
        )
        assert [side.title for side in sides] == [
            words[f"sides.{name}"] for name in ("supports", "contradicts", "missing")
        ]
        assert all(side.items for side in sides)
    text = said(document(DocumentKind.DECISION, language))
    assert words["stance.contests"] in text, "the party's reply speaks against the findings"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_help_letter_holds_nothing_against_anybody(language: str) -> None:
    """No rights with clocks to run, no measures, no classification: help, and whom to ask."""
    words, doc = LANGUAGES[language], document(DocumentKind.HELP_LETTER, language)
    text, titles = said(doc), [section.title for section in doc.sections]
    assert words["help.standing"] in text
    for step in ("disconnect", "find", "remove", "close", "credentials"):
        assert words[f"help.clean.{step}"] in text
    for absent in ("measures.title", "answer.until", "sheet.title", "notice.title", "class.title"):
        assert words[absent] not in titles


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_dossier_carries_the_chain_of_custody_and_two_approvals(language: str) -> None:
    """Every event with its account and unit; a dossier with one approval is a draft."""
    words, doc = LANGUAGES[language], document(DocumentKind.REFERRAL_DOSSIER, language)
    text = said(doc)
    file = file_of(DocumentKind.REFERRAL_DOSSIER)
    for event in file.events:
        assert event.account in text
        assert words[f"act.{event.act.NAME}"] in text
    assert doc.standing is not None
    assert doc.standing.title == words["referral.draft"]
    case = file.case
    status = next(one for one in case.proposals if one.number == 16)
    approved = replace(status, state=ProposalState.APPROVED, approvers=("chief-1", "chief-2"), needed=2)
    both = replace(
        file, case=replace(case, proposals=tuple(approved if one.number == 16 else one for one in case.proposals))
    )
    doc = built(DocumentKind.REFERRAL_DOSSIER, language, both)
    assert doc.standing is not None
    assert doc.standing.title == words["referral.standing"]


@pytest.mark.parametrize("outcome", list(VerificationOutcome))
def test_a_verification_says_what_its_outcome_means(outcome: VerificationOutcome) -> None:
    """Not enough data is an outcome of its own, and closes nothing."""
    file = file_of(DocumentKind.VERIFICATION_REPORT)
    doc = built(DocumentKind.VERIFICATION_REPORT, file=file, measurement=samples.measurement(outcome))
    assert doc.standing is not None
    assert doc.standing.lines == (LANGUAGES["en"][f"verify.means.{outcome.value}"],)
    if outcome is VerificationOutcome.NOT_ENOUGH_DATA:
        assert "Lack of data closes nothing" in said(doc)
    (plot,) = plots(doc)
    assert {part.mark for part in plot.legend} == {"value", "band", "looked"}
    assert plot.notes == ("11 days without data are left blank",)


def test_what_is_drawn_is_in_the_findings_documents() -> None:
    """Times, power, session, blocks and load are drawn; a case whose documents are gone draws periods only."""
    captions = [plot.caption for plot in plots(document(DocumentKind.NOTICE, "en"))]
    assert len(captions) == 6
    file = replace(file_of(DocumentKind.NOTICE), finding_documents=())
    doc = built(DocumentKind.NOTICE, file=file)
    assert len(list(plots(doc))) == 1
    assert LANGUAGES["en"]["finding.no_document"] in said(doc)


@pytest.mark.parametrize("outcome", [None, *AppealOutcome])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_appeal_is_told_with_what_became_of_it(language: str, outcome: AppealOutcome | None) -> None:
    """Decision, request, dossier and closure: whoever reads one must know that the decision was contested."""
    appeal = AppealStatus(
        received_ns=samples.OPENED_NS + 30 * samples.DAY, body="court", grounds="The sheet counts a day twice.",
        outcome=outcome, decided_ns=None if outcome is None else samples.OPENED_NS + 60 * samples.DAY,
    )  # fmt: skip
    words = LANGUAGES[language]
    for kind in (DocumentKind.DECISION, DocumentKind.CLOSURE, *OF_A_MEASURE):
        file = file_of(kind)
        text = said(built(kind, language, replace(file, case=replace(file.case, appeals=(appeal,)))))
        assert appeal.grounds in text
        assert words["appeals.pending" if outcome is None else f"outcome.{outcome.value}"] in text


@pytest.mark.parametrize(
    ("family", "role", "shares", "sentence"),
    [
        (Family.CONTENT, "miner", 3, "fact.network.miner"),
        (Family.CONTENT, "miner", 0, "fact.network.miner.idle"),
        (Family.TIMING, "miner", 0, "fact.timing"),
        (Family.TIMING, "follower", 0, "fact.network.follower"),
        (Family.ENDPOINT, "miner", 0, "fact.endpoint"),
        (Family.ENDPOINT, "contact", 0, "fact.endpoint"),
        (Family.TRAFFIC, "miner", 0, "fact.network"),
        (Family.CONTENT, "a role of tomorrow", 3, "fact.network"),
    ],
)
def test_no_fact_says_more_than_its_evidence(family: Family, role: str, shares: int, sentence: str) -> None:
    """Only content shows work handed in; timing, names and shapes show what they show."""
    file = file_of(DocumentKind.NOTICE)
    counts = {"accepted": shares, "rejected": 0, "stale": 0, "unanswered": 0}
    first = {**file.finding_documents[0], "role": role, "shares": counts}
    case = replace(file.case, findings=(replace(file.case.findings[0], family=family),))
    doc = built(DocumentKind.NOTICE, file=replace(file, case=case, finding_documents=(first,)))
    facts = next(block.facts for section in doc.sections for block in section.blocks if hasattr(block, "facts"))
    words = LANGUAGES["en"][sentence].format(host=file.case.findings[0].subject, peer=first["peer"])
    assert facts[0].text == words


# ----------------------------------------------------------------------------------------------------------- refusals


def test_no_measure_against_a_victim() -> None:
    """A victim is not an offender: neither a request nor a dossier can be written."""
    file = file_of(DocumentKind.MEASURE_REQUEST)
    victim = replace(file, case=replace(file.case, standing=PartyStanding.VICTIM))
    for kind in OF_A_MEASURE:
        with pytest.raises(NothingToWrite, match=r"'victim'.*help letter"):
            built(kind, file=victim)


def test_a_measure_that_is_not_supported_cannot_be_asked_for() -> None:
    """The reason is told, and what else there is."""
    file = file_of(DocumentKind.MEASURE_REQUEST)
    for one in samples.packs().values():
        for measure in one.measures:
            if measure.mode is MeasureMode.NOT_SUPPORTED:
                with pytest.raises(NothingToWrite, match="not supported"):
                    build_document(
                        DocumentKind.MEASURE_REQUEST, file, one, (), "en", file.case.last_ns, log_keys=[LOG_KEY],
                        subject=measure.id,
                    )  # fmt: skip


def test_what_the_case_does_not_hold_is_not_written() -> None:
    fresh = samples.case_file(pack(), until=3)
    for kind, words in (
        (DocumentKind.DECISION, "has no decision"),
        (DocumentKind.VERIFICATION_REPORT, "holds no measurement"),
        (DocumentKind.CLOSURE, "silence closes nothing"),
        (DocumentKind.MEASURE_REQUEST, "needs a measure of the pack"),
        (DocumentKind.WEEKLY_REPORT, "no single case"),
    ):
        with pytest.raises(NothingToWrite, match=words):
            built(kind, file=fresh, subject="")


def test_an_unapproved_letter_shows_its_open_place() -> None:
    """A letter that nobody has proposed yet names who prepared it, and an approval that is open."""
    doc = built(DocumentKind.NOTICE, file=samples.case_file(pack(), until=5))
    signatures = [
        sign for section in doc.sections for block in section.blocks for sign in getattr(block, "signatures", ())
    ]
    open_place = LANGUAGES["en"]["sign.open"]
    assert [(sign.account, sign.when == open_place) for sign in signatures] == [("officer-1", False), ("", True)]


# --------------------------------------------------------------------------------------------------------- renderers


class Reader(HTMLParser):
    """Texts of a page, without style, pictures and what only narrow screens show."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._off = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._off += tag in ("style", "svg")

    def handle_endtag(self, tag: str) -> None:
        self._off -= tag in ("style", "svg")

    def handle_data(self, data: str) -> None:
        if not self._off:
            self.words.append(data)


def squeezed(text: str) -> str:
    """Without white space and zero-width marks, which lines and breaks bring along."""
    return re.sub(r"[\s\u200b]+", "", text)


def page_words(page: str) -> str:
    reader = Reader()
    reader.feed(page)
    return squeezed("".join(reader.words))


def pdf_words(data: bytes, folder: Path, pdftotext: str) -> str:
    """Text of a PDF in the order of its content, without the heads and feet of its pages."""
    path = folder / "document.pdf"
    path.write_bytes(data)
    # A4 at 72 dpi is 595 by 842; header and footer lie in the margins.
    box = ["-x", "0", "-y", "60", "-W", "595", "-H", "715"]
    made = subprocess.run(
        [pdftotext, "-raw", "-enc", "UTF-8", *box, str(path), "-"], check=True, capture_output=True, text=True
    )
    return squeezed(made.stdout)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_page_and_pdf_say_the_same(
    kind: DocumentKind, language: str, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    """Every text of the model is in both forms."""
    doc = document(kind, language)
    in_page = page_words(to_page(doc))
    in_pdf = pdf_words(pdf_of(kind, language), tmp_path, require_tool("pdftotext"))
    for text in texts(doc):
        wanted = squeezed(text)
        assert wanted in in_page, text
        assert wanted in in_pdf, text


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_the_same_input_gives_the_same_bytes(kind: DocumentKind) -> None:
    doc = built(kind)
    assert to_pdf(doc) == pdf_of(kind, "en")
    assert to_page(doc) == to_page(document(kind, "en"))


def test_a_pdf_is_for_archives_and_for_those_who_do_not_see_it() -> None:
    """PDF/A-2a and PDF/UA-1 are stated; title and date are those of the document."""
    data = pdf_of(DocumentKind.NOTICE, "en")
    assert data.startswith(b"%PDF-1.7")
    for mark in (b"<pdfaid:part>2</pdfaid:part>", b"<pdfaid:conformance>A", b"<pdfuaid:part>1</pdfuaid:part>"):
        assert mark in data
    assert b"2022-05-11T03:01:00" in data
    assert b"/MarkInfo" in data
    assert b"/StructTreeRoot" in data


@pytest.mark.parametrize(("language", "tag"), [("en", b"en"), ("zh", b"zh-CN")])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_every_pdf_has_its_title_and_its_language(kind: DocumentKind, language: str, tag: bytes) -> None:
    """A reader aloud needs to know which voice to take, and an archive what it holds."""
    data = pdf_of(kind, language)
    assert b"<rdf:Bag><rdf:li>" + tag + b"</rdf:li></rdf:Bag></dc:language>" in data
    title = document(kind, language).title.encode()
    assert b'<rdf:li xml:lang="x-default">' + title + b"</rdf:li></rdf:Alt></dc:title>" in data


def test_chinese_letters_of_pictures_have_their_chinese_shape(
    tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    """Left to itself, the compiler takes any font that has a letter, and that may be the Japanese one."""
    path = tmp_path / "notice.pdf"
    path.write_bytes(pdf_of(DocumentKind.NOTICE, "zh"))
    fonts = subprocess.run([require_tool("pdffonts"), str(path)], capture_output=True, text=True, check=True).stdout
    assert "CJKsc" in fonts or "CJK" not in fonts
    assert "CJKjp" not in fonts


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_a_page_loads_and_runs_nothing(kind: DocumentKind, language: str) -> None:
    """No script, no reference, no style of its own beside the one that is digested."""
    page = to_page(document(kind, language))
    reader = Reader()
    reader.feed(page)
    assert not {"script", "img", "link", "iframe", "object", "form"} & {tag for tag, _ in reader.tags}
    for _, attributes in reader.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in page
    assert page.count("<h1") == 1


MARKUP = [
    '#import "@preview/x:1.0.0": *',
    "$ sum_(k=1)^n k $",
    "]",
    "[#panic()]",
    "*bold* _it_ `raw` <label> @ref // c",
]
BIDI = "\u202eevil\u2069\u0007\u0000"


@pytest.mark.parametrize("text", [*MARKUP, "</script><script>alert(1)</script>", BIDI, HOSTILE], ids=range(8))
def test_no_text_of_a_case_is_ever_mark_up(text: str, tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    """Names, findings and replies come from outside: they are shown letter by letter, in page and PDF."""
    from headframe.reports.words import visible

    file = file_of(DocumentKind.DECISION)
    documents = tuple({**one, "explanation": text, "blind_spots": [text]} for one in file.finding_documents)
    reply = replace(file.case.replies[0], text=text)
    case = replace(
        file.case, replies=(reply,), findings=tuple(replace(ref, subject=text) for ref in file.case.findings)
    )
    doc = built(
        DocumentKind.DECISION,
        file=replace(file, case=case, site_name=text, organisation_name=text, finding_documents=documents),
    )
    page, data = to_page(doc), to_pdf(doc)
    wanted = squeezed(visible(text))
    assert wanted in page_words(page)
    # A lone surrogate is escaped; letters beyond that are in the PDF as they are.
    assert wanted in pdf_words(data, tmp_path, require_tool("pdftotext"))
    reader = Reader()
    reader.feed(page)
    assert not {"script", "img"} & {tag for tag, _ in reader.tags}
    assert not re.search("[\u202e\u2066\u2069\x00\x07]", page)


WALLETS = [
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
    "desk@example.org",
]


@pytest.mark.parametrize("account", WALLETS)
def test_no_wallet_and_no_delivery_address_is_shown(
    account: str, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    """Whoever typed it, and into whichever field: neither page nor PDF shows it."""
    file = file_of(DocumentKind.DECISION)
    documents = tuple({**one, "explanation": f"login as {account}."} for one in file.finding_documents)
    reply = replace(file.case.replies[0], text=f"Pay to {account}, please")
    doc = built(
        DocumentKind.DECISION,
        file=replace(file, case=replace(file.case, replies=(reply,)), finding_documents=documents),
    )
    assert account not in to_page(doc)
    assert squeezed(account) not in pdf_words(to_pdf(doc), tmp_path, require_tool("pdftotext"))
    assert LANGUAGES["en"]["withheld"] in said(doc)


def test_revealed_accounts_are_withheld_by_name() -> None:
    """A scan with --reveal names workers in clear; a document names none of them."""
    file = file_of(DocumentKind.NOTICE)
    first = {**file.finding_documents[0], "accounts": ["rig.basement7", "#0123456789abcdef"]}
    first["explanation"] = "The worker rig.basement7 logged in."
    doc = built(DocumentKind.NOTICE, file=replace(file, finding_documents=(first, *file.finding_documents[1:])))
    assert "basement7" not in said(doc)


@pytest.mark.parametrize(
    "kept",
    ["a" * 64, "3FZbgi29cpjq2GjdwV8eyHuJJnkLtktZc5".lower(), "HF-2022-000017", "33010-2044-77120-4419-2044-1188-11"],
)
def test_digests_and_identifiers_are_no_wallets(kept: str) -> None:
    assert withheld(kept, "!") == kept


def test_digests_are_never_cut_or_changed() -> None:
    """A SHA-256 is evidence: not a letter of it goes."""
    doc = document(DocumentKind.DECISION, "en")
    assert harmless(doc, "!") == doc


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_exercise_says_so_on_every_page(language: str, tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    """A document of a training workspace cannot be taken for a real one, whichever page is torn out."""
    doc = built(DocumentKind.NOTICE, language, training=True)
    banner = LANGUAGES[language]["training"]
    assert banner in to_page(doc)
    assert banner not in to_page(document(DocumentKind.NOTICE, language))
    path = tmp_path / "training.pdf"
    path.write_bytes(to_pdf(doc))
    made = subprocess.run(
        [require_tool("pdftotext"), "-enc", "UTF-8", str(path), "-"], check=True, capture_output=True, text=True
    )
    pages = [page for page in made.stdout.split("\f") if page.strip()]
    assert len(pages) > 3
    assert all(squeezed(banner) in squeezed(page) for page in pages)


# -------------------------------------------------------------------------------------------------------------- fonts


def test_without_a_chinese_font_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import typst

    monkeypatch.setattr(pdf_module, "_fonts", lambda: typst.Fonts(include_system_fonts=False))
    with pytest.raises(MissingGlyphs, match=r"Chinese characters.*fonts-noto-cjk.*HEADFRAME_FONTS"):
        to_pdf(document(DocumentKind.NOTICE, "zh"))


def test_a_font_folder_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(pdf_module.FONT_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(MissingGlyphs, match="nowhere, which is no folder"):
        to_pdf(document(DocumentKind.NOTICE, "en"))


def without_chinese(text: str) -> CaseDocument:
    """A certificate, which needs Latin letters only, with a text in it."""
    made = certificate("en")
    return replace(made, letterhead=replace(made.letterhead, unit=text))


def test_letters_without_a_font_are_told_and_symbols_are_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in a script that no font has is refused with the character; a pictogram stops no letter."""
    import typst

    monkeypatch.setattr(pdf_module, "_fonts", lambda: typst.Fonts(include_system_fonts=False))
    with pytest.raises(MissingGlyphs, match="ไ"):
        to_pdf(without_chinese("ไทย"))
    assert to_pdf(without_chinese("Plant 🏭 7")).startswith(b"%PDF")


def test_a_document_is_written_in_one_language() -> None:
    with pytest.raises(ValueError, match="written in 'en'"):
        to_pdf(document(DocumentKind.NOTICE, "en"), "zh")


# --------------------------------------------------------------------------------------- report and certificate


def figures() -> PeriodFigures:
    table = ShownFunnel(
        header=("site_kind", *STEPS),
        rows=(
            ("campus", "40", "33", "20", "5", "17", "9", "*", "*", "*", "0", "*", "7", "12"),
            ("data_centre", "120", "99", "60", "15", "51", "27", "*", "*", "*", "0", "*", "21", "36"),
            ("total", "160", "132", "80", "20", "68", "36", "24", "*", "*", "0", "*", "28", "48"),
        ),
        words="11 figures are not shown.",
        hidden=11,
    )
    return PeriodFigures(
        period="2022-W20", from_ns=samples.OPENED_NS, until_ns=samples.OPENED_NS + 7 * samples.DAY,
        funnels=(table,),
        dismissed=(("stratum", "too few to show", "", ""), ("load_step", "12 of 64", "18.8%", "10.1% to 30.5%")),
        ledger=(
            {"case_id": samples.CASE_ID, "owner_enterprise": "(not decided)", "scale": "21 (20 to 22) kW",
             "hashrate": "", "power_use": "15.1 MWh/month", "status": "notified", "happened": "opened noticed"},
        ),
        flow={"opened": "160", "opened_again": "0", "closed": "61"},
        duty="weekly-ledger",
    )  # fmt: skip


@pytest.mark.parametrize(("language", "words"), [
    ("en", ("Where the figures come from", "21 kW (20 to 22), estimated", "F-2 (load_step 2)",
            "if it runs all the time", "9 TH/s, given", "who has it from: nameplates")),
    ("zh", ("数据来源", "21 kW (20 to 22), 估算", "F-2 (load_step 2)", "假定持续运行", "9 TH/s, 提供",
            "来源：nameplates")),
])  # fmt: skip
def test_figures_of_the_ledger_come_with_their_lines(language: str, words: tuple[str, ...]) -> None:
    """What is estimated, from which finding, under which assumption; and what an operator gave, with his source."""
    power = {"detector": "load_step", "version": "2", "power_w": {"low": 2e4, "estimate": 2.1e4, "high": 2.2e4}}
    told = [*figures_of([("F-2", power)]), given_by_operator("hashrate", Interval(9e12, 9e12, 9e12), "nameplates")]
    row = {"case_id": samples.CASE_ID, **{one.name: one.text for one in told}, "status": "notified"}
    ledger_figures = tuple((samples.CASE_ID, one) for one in told)
    whole = replace(figures(), ledger=(row,), ledger_figures=ledger_figures)
    shown = outline(weekly_report(whole, pack(), language, samples.OPENED_NS + 8 * samples.DAY, prepared_by=ME))
    for text in words:
        assert text in shown, (text, shown)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_says_of_which_instant_it_tells(language: str) -> None:
    """At the end of its period; of one that is not over, of now, and that it is not over."""
    words = LANGUAGES[language]
    told = {
        day: said(weekly_report(figures(), pack(), language, samples.OPENED_NS + day * samples.DAY, prepared_by=ME))
        for day in (1, 8)
    }
    beginning = words["weekly.not_over"].split("{")[0]
    assert beginning in told[1]
    assert beginning not in told[8]
    assert words["weekly.state.end"] in told[8]
    assert words["weekly.state.end"] not in told[1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_ledger_says_that_there_is_none_to_list(language: str) -> None:
    """Where the rule asks for one; where it does not, nothing is said of it."""
    none, asked = (
        said(weekly_report(replace(figures(), ledger=ledger), pack(), language, samples.OPENED_NS + 8 * samples.DAY))
        for ledger in (None, ())
    )
    words = LANGUAGES[language]["weekly.ledger.none"]
    assert words in asked
    assert words not in none


def certificate(language: str, *, failed: tuple[str, ...] = ("photo 3: the folder cannot be written",)) -> CaseDocument:
    rule = RetentionRule(data_class=DataClass.CONTACT, days=0, basis=Basis.OPERATOR_DEFAULT, source="Headframe")
    return destruction_certificate(
        DestructionCertificate(
            certificate_id="DC-2022-0003", at_ns=samples.OPENED_NS,
            classes=(DestroyedClass(rule=rule, count=2, digests=("a" * 64, "b" * 64)),),
            proposer="admin-1", approver="admin-2", held=3, failed=failed,
        ),
        language, unit="Records office", time_zone="Asia/Shanghai",
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_of_a_period(language: str, golden: Callable[[str, str], None]) -> None:
    """The funnel with its hidden cells said to be hidden, the dismissed share with its interval, the ledger."""
    doc = weekly_report(figures(), pack(), language, samples.OPENED_NS + 8 * samples.DAY, prepared_by=ME)
    golden(f"reports/case_documents/weekly_report.{language}.txt", outline(doc))
    text = said(doc)
    assert "*" in text
    assert LANGUAGES[language]["weekly.hidden.text"] in text
    assert "18.8%" in text
    assert "10.1%" in text
    assert samples.PARTY not in text, "a party that is not decided upon is not named"
    written = in_both_forms(doc)
    assert written.pdf.startswith(b"%PDF")
    assert b"<svg" in written.html


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_certificate_of_destruction(language: str, golden: Callable[[str, str], None]) -> None:
    """Class, number, rule, basis, digests, two accounts; what could not go, and what stays."""
    doc = certificate(language)
    golden(f"reports/case_documents/destruction_certificate.{language}.txt", outline(doc))
    text = said(doc)
    for needed in ("a" * 64, "b" * 64, "admin-1", "admin-2", "the folder cannot be written"):
        assert needed in text
    assert LANGUAGES[language]["basis.operator_default"] in text
    assert doc.standing is not None
    assert in_both_forms(doc).pdf.startswith(b"%PDF")


def test_both_forms_come_as_bytes() -> None:
    file = file_of(DocumentKind.NOTICE)
    done = write_document(DocumentKind.NOTICE, file, pack(), (), "en", file.case.last_ns, log_keys=[LOG_KEY])
    html, pdf = done
    assert html.startswith(b"<!doctype html>")
    assert pdf == done.pdf


@pytest.mark.parametrize("kind", [DocumentKind.NOTICE, DocumentKind.DECISION, DocumentKind.CLOSURE])
def test_every_pack_can_be_written_with(kind: DocumentKind) -> None:
    """Packs in other jurisdictions, zones and languages."""
    for one in samples.packs().values():
        if one.id == PACK:
            continue
        file = samples.case_file(one, until=UNTIL[kind])
        for language in LANGUAGES:
            doc = build_document(
                kind, file, one, samples.clocks(file, one), language, file.case.last_ns, log_keys=[LOG_KEY]
            )
            assert all(gap in said(doc) for gap in gaps_of(one, language))
            to_page(doc)


# ------------------------------------------------------------------------------------------- what a party relies on


def test_a_digest_can_be_copied_out_of_the_pdf(tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    """Who compares a digest with what sha256sum says must not be told that they differ by a mark that nobody sees."""
    path = tmp_path / "notice.pdf"
    path.write_bytes(pdf_of(DocumentKind.NOTICE, "en"))
    made = subprocess.run([require_tool("pdftotext"), str(path), "-"], check=True, capture_output=True, text=True)
    assert not re.findall("[\u200b\u200c\u200d\u00ad\ufeff]", made.stdout)
    joined = re.sub(r"\s", "", made.stdout)
    assert all(finding.sha256 in joined for finding in file_of(DocumentKind.NOTICE).case.findings)


def load_held(**changed: Any) -> Held:
    """A finding about a supply point, as a case holds it."""
    ref = case_records.FindingRef(
        finding_id="L1", family=Family.LOAD, detector="homes", version="1", subject="U1", log10_e=0.85, started_ns=0,
        ended_ns=samples.DAY, sha256="ab" * 32,
    )  # fmt: skip
    return Held(replace(ref, **changed.pop("ref", {})), {"usage_point": "U1", "p_value": 0.02, "peers": 113, **changed})


def test_comparable_points_are_not_said_to_show_more_than_they_can() -> None:
    """113 points cannot show one in two million; a figure of a detector's model is not told as theirs."""
    speech = Speech("en", "UTC")
    told = " ".join(texts(facts_of((load_held(),), speech)))
    assert "Among 113 comparable points" in told
    told = " ".join(texts(facts_of((load_held(p_value=5.3e-7),), speech)))
    assert "comparable points" not in told
    assert "5.3e-07" not in told
    assert "at most once in 7" in told


@pytest.mark.parametrize(
    ("language", "other", "own"),
    [
        ("en", "in proportion to what another supply point meters", "in proportion to what U1 meters"),
        ("zh", "与另一用电户号的计量值成比例", "与U1的计量值成比例"),
    ],
)
def test_a_letter_does_not_name_another_partys_meter(language: str, other: str, own: str) -> None:
    """The balance of a transformer may follow a neighbour's load; that is the neighbour's."""
    words = "No meter shows 2.1 kW (2.0 kW to 2.2 kW) in proportion to what {} meters, since 2026-06-11."
    told = " ".join(texts(facts_of((load_held(explanation=words.format("U0099")),), Speech(language, "UTC"))))
    assert "U0099" not in told
    assert other in told
    told = " ".join(texts(facts_of((load_held(explanation=words.format("U1")),), Speech(language, "UTC"))))
    assert own in told
    several = "It cannot be localised: several points fit equally well (U0099, U0098)."
    told = " ".join(texts(facts_of((load_held(explanation=several),), Speech(language, "UTC"))))
    assert "U009" not in told


def test_the_share_of_a_balance_is_that_of_the_transformer() -> None:
    """One percent of the transformer is not one percent of the site."""
    told = list(texts(facts_of((load_held(share=0.01, ref={"family": Family.BALANCE}),), Speech("en", "UTC"))))
    assert "Share of the energy behind the transformer" in told
    assert "Share of the site's energy" not in told


@pytest.mark.parametrize(
    ("stance", "side"),
    [(case_records.ReplyStance.ADMITS, 0), (case_records.ReplyStance.CONTESTS, 1),
     (case_records.ReplyStance.ASKS_TIME, None)],
)  # fmt: skip
def test_an_answer_stands_on_the_side_that_it_speaks_for(stance: case_records.ReplyStance, side: int | None) -> None:
    """An admission contradicts nothing, and whoever asks for time says nothing yet."""
    file = file_of(DocumentKind.DECISION)
    answer = replace(file.case.replies[0], stance=stance)
    doc = built(DocumentKind.DECISION, file=replace(file, case=replace(file.case, replies=(answer,))))
    found = next(block for section in doc.sections for block in section.blocks if isinstance(block, Sides))
    places = [k for k, one in enumerate(found.sides) if any("The party's reply" in item for item in one.items)]
    assert places == ([] if side is None else [side])


def test_the_file_name_of_a_photo_does_not_go_to_others() -> None:
    """Cameras and people write names, numbers and places into it; the digest says which photo it is."""
    file = file_of(DocumentKind.REFERRAL_DOSSIER)
    photo = case_records.DocumentRef(
        sha256="cd" * 32, name="Wang Wu 13800138000.JPG", media_type="image/jpeg", kind="photo", size=10
    )
    seen = replace(file.case.inspections[0], photos=(photo,))
    told = said(built(DocumentKind.REFERRAL_DOSSIER, file=replace(file, case=replace(file.case, inspections=(seen,)))))
    assert "Wang" not in told
    assert "13800138000" not in told
    assert "photo-cdcdcdcdcdcd.jpg" in told
    assert "cd" * 32 in told


@pytest.mark.parametrize(
    ("language", "law", "article"),
    [
        ("en", "Criminal Law of the People's Republic of China", "name no article"),
        ("zh", "《中华人民共和国刑法》", "须由签发单位填写"),
    ],
)
def test_an_article_that_the_pack_does_not_name_is_left_to_whoever_signs(language: str, law: str, article: str) -> None:
    """No law is made up: the draft names the Criminal Law and no article of it, and so does the dossier."""
    draft = samples.packs()["cn-nm-2021-draft"]
    speech = Speech(language, "Asia/Shanghai")
    theft = next(one for one in draft.measures if one.id == "m5-theft")
    told = measure_basis(theft, draft, speech)
    assert law in told
    assert article in told
    tariff = next(one for one in draft.measures if one.id == "diff-tariff")
    assert article not in measure_basis(tariff, draft, speech)
    for measure in draft.measures:
        for ref in measure.legal_basis:
            assert ref.partition("#")[0] in {one.id for one in draft.instruments}, ref


@pytest.mark.parametrize("name", ["cn-national-1283", "cn-nm-2021-draft", "cn-bj-2024"])
def test_no_draft_of_another_province_is_told_as_the_basis_of_a_right(name: str) -> None:
    """A right is told with what it rests on, or with the word that the rules at hand do not say."""
    draft = samples.packs()[name]
    status = {one.id: one.status for one in draft.instruments}
    for right in draft.rights:
        place = right.ref.partition("#")[0]
        assert not place or status[place] != "draft_never_confirmed", right.right


@pytest.mark.parametrize("name", ["cn-national-1283", "cn-nm-2021-draft", "cn-bj-2024"])
def test_brackets_are_of_one_width(name: str) -> None:
    """An opening bracket of one width and a closing one of the other look like a fault of the letter."""
    text = (files("headframe.policy") / "packs" / f"{name}.yaml").read_text(encoding="utf-8")
    for line in text.splitlines():
        opened: list[str] = []
        for mark in line:
            if mark in "(（〔《":
                opened.append(mark)
            elif mark in ")）〕》":
                assert opened, line
                assert opened.pop() + mark in ("()", "（）", "〔〕", "《》"), line


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_beginning_within_one_day_is_told_once(language: str) -> None:
    """An interval from a day to the same day says nothing."""
    onset = dict.fromkeys(("earliest", "estimate", "latest"), "2026-06-11T16:00:00.000000000Z")
    speech = Speech(language, "Asia/Shanghai")
    told = [text for text in texts(facts_of((load_held(onset=onset),), speech)) if speech.day(ONSET_NS) in text]
    assert len(told) == 1
    assert told[0].count(speech.day(ONSET_NS)) == 1


ONSET_NS = 1_781_193_600_000_000_000  # 2026-06-12 00:00 in Beijing


def test_no_line_leads_over_weeks_that_nobody_measured() -> None:
    """Between the earlier and the later window lies the time of the rectification: a slope there would be made up."""
    measured = samples.measurement()
    days = [replace(point, day_start_s=k * 86_400 + (k >= 20) * 30 * 86_400) for k, point in enumerate(measured.series)]
    plot = plot_before_after(replace(measured, series=tuple(days)), Speech("en", "UTC"))
    whole = plot_before_after(measured, Speech("en", "UTC"))
    assert plot is not None
    assert whole is not None
    strokes = [re.search(r'class="value" d="([^"]*)"', one.svg) for one in (whole, plot)]
    # Days without data break the line as well.
    pieces = [found[1].count("M") for found in strokes if found]
    assert pieces == [pieces[0], pieces[0] + 1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_seen_on_one_day_is_told_as_one_day(language: str) -> None:
    """Readings until a midnight end with the day before it."""
    file = file_of(DocumentKind.NOTICE, language)
    start = 1_781_193_600_000_000_000  # 2026-06-12 00:00 in Beijing
    found = tuple(replace(one, started_ns=start, ended_ns=start + samples.DAY) for one in file.case.findings)
    doc = built(DocumentKind.NOTICE, language, file=replace(file, case=replace(file.case, findings=found)))
    speech = Speech(language, "Asia/Shanghai")
    assert doc.lead[0].count(speech.day(start)) == 1
    assert speech.day(start + samples.DAY) not in doc.lead[0]
