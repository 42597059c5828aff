"""What a party needs from a letter: what counts, where to answer, the paper that it holds, and its own language."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from headframe import remeasure
from headframe.cases import looked, remainder, verification
from headframe.policy.calculators import back_billing, differential_tariff, household_limit
from headframe.policy.calculators.back_billing import MALAYSIA, DailyEnergy, PeriodLimit
from headframe.policy.calculators.differential_tariff import RULES, BillingCycle
from headframe.policy.calculators.household_limit import MeteredInterval
from headframe.records.case import (
    AnswerAddress,
    CaseFile,
    DecisionOutcome,
    DecisionStatus,
    DocumentKind,
    DocumentRef,
    KeptDocument,
    Measurement,
    VerificationOutcome,
)
from headframe.records.policy import CalculationSheet, RightKind
from headframe.reports.case_documents.model import CaseDocument, Table
from headframe.reports.case_documents.parts import Desk, rights_at_the_end, sent
from headframe.reports.case_documents.parts import reference as reference_of
from headframe.reports.case_documents.speech import LANGUAGES, Speech
from headframe.reports.case_documents.translated import sheet_in, translated
from headframe.reports.case_documents.write import build_document
from headframe.sites import lawful
from tests.reports import case_samples as samples
from tests.reports.test_case_documents import LOG_KEY, UNTIL, built, certificate, pack, said
from tests.reports.test_detector_sentences import sentences_in

LATIN = re.compile(r"[A-Za-z]{3,}(?: [A-Za-z]{2,}){2,}")
"""Three words in a row: more than a name."""


def told_of(file: CaseFile, kind: DocumentKind, language: str = "en", pack_id: str = "") -> CaseDocument:
    if not pack_id:
        return built(kind, language, file)
    one = samples.packs()[pack_id]
    now_ns = file.case.last_ns + 60_000_000_000
    subject = one.measures[0].id if kind is DocumentKind.MEASURE_REQUEST else ""
    return build_document(
        kind, file, one, samples.clocks(file, one, now_ns), language, now_ns, log_keys=[LOG_KEY], subject=subject
    )


# ------------------------------------------------------------------------------------------------ what a measure needs


def test_a_sheet_of_the_decision_meets_the_precondition() -> None:
    """The rule takes a sheet of the measure or of a decision that stands; the request must not call it missing."""
    file = samples.case_file(pack(), until=17)
    proposals = tuple(
        replace(one, act=replace(one.act, sheets=())) if one.act.NAME == "propose_measure" else one
        for one in file.case.proposals
    )
    bare = replace(file, case=replace(file.case, proposals=proposals))
    for language in LANGUAGES:
        text = said(told_of(bare, DocumentKind.MEASURE_REQUEST, language))
        day = Speech(language, pack().time_zone).day(bare.case.decisions[-1].decided_ns)
        assert LANGUAGES[language]["met.sheets.decision"].format(n=1, day=day) in text
        assert LANGUAGES[language]["met.open"] not in text
        assert "136,911.52 CNY" in text
    aside = replace(bare, case=replace(bare.case, decisions=(replace(bare.case.decisions[-1], set_aside=True),)))
    text = said(told_of(aside, DocumentKind.MEASURE_REQUEST))
    assert LANGUAGES["en"]["met.open"] in text
    assert "136,911.52 CNY" not in text, "a sheet of a decision that was set aside is no sheet"


# ----------------------------------------------------------------------------------------------- the paper that is held


def paper(name: str, kind: str) -> DocumentRef:
    return samples.document_of(kind, name)


def served(file: CaseFile, *, event: int | None) -> CaseFile:
    """The case with a draft of ours, and what was written when it was approved."""
    draft = paper("HF-4-notice-draft-zh.pdf", "notice")
    notice = replace(file.case.notices[0], document=draft)
    approved_ns = next(one.at_ns for one in file.events if one.number == 7)
    kept = (
        KeptDocument(ref=draft, language="zh", created_ns=approved_ns - 5, event=6),
        KeptDocument(ref=paper("HF-7-notice-zh.pdf", "notice"), language="zh", created_ns=approved_ns, event=event),
        KeptDocument(ref=paper("HF-7-notice-zh.html", "notice"), language="zh", created_ns=approved_ns, event=event),
        KeptDocument(ref=paper("HF-9-notice-en.pdf", "notice"), language="en", created_ns=approved_ns + 9),
        KeptDocument(ref=paper("HF-13-decision-zh.pdf", "decision"), language="zh", created_ns=file.case.last_ns,
                     event=13),
    )  # fmt: skip
    return replace(file, case=replace(file.case, notices=(notice,)), documents=kept)


@pytest.mark.parametrize("event", [7, None], ids=["event noted", "older workspace"])
def test_a_decision_cites_the_letter_that_was_sent(event: int | None) -> None:
    """The page asks the party to point out digests that differ: those of a draft would all differ."""
    file = served(samples.case_file(pack(), until=14), event=event)
    assert [one.name for one in sent(file, 6, "notice")] == ["HF-7-notice-zh.pdf", "HF-7-notice-zh.html"]
    text = said(told_of(file, DocumentKind.DECISION))
    assert "HF-7-notice-zh.pdf" in text
    assert "draft" not in "".join(line for line in text.splitlines() if line.startswith("HF-"))
    assert "HF-13-decision-zh.pdf" not in text, "a paper cannot hold its own digest"
    closed = served(samples.case_file(pack()), event=event)
    text = said(told_of(closed, DocumentKind.CLOSURE))
    assert "HF-7-notice-zh.pdf" in text
    assert "HF-13-decision-zh.pdf" in text


def test_a_units_own_letter_is_the_one_that_was_sent() -> None:
    file = samples.case_file(pack(), until=14)
    assert file.case.notices[0].document.name in said(told_of(file, DocumentKind.DECISION))


# ------------------------------------------------------------------------------------------------ in the party's words


@pytest.mark.parametrize(
    ("place", "chinese"),
    [("13", "十三"), ("46", "四十六"), ("203", "二百零三"), ("10", "十"), ("110", "一百一十"), ("1005", "一千零五"),
     ("2.2", "2.2"), ("38(4)", "38(4)"), ("0", "0")],
)  # fmt: skip
def test_articles_are_counted_as_the_language_counts(place: str, chinese: str) -> None:
    assert Speech("zh", "UTC").ordinal(place) == chinese
    assert Speech("en", "UTC").ordinal(place) == place


def test_a_reference_says_what_its_places_are() -> None:
    """Article, item or section, as the pack says; where it says nothing, the place is told as it is."""
    chinese, english = Speech("zh", "Asia/Shanghai"), Speech("en", "Asia/Shanghai")
    assert reference_of("all2017#46", pack(), chinese) == "《中华人民共和国行政诉讼法》第四十六条"
    assert reference_of("all2017#46", pack(), english).endswith(", article 46")
    assert reference_of("ndrc1283#13", pack(), chinese).endswith("（发改运行〔2021〕1283号）第十三项")
    bare = replace(pack(), instruments=tuple(replace(one, parts="") for one in pack().instruments))
    assert reference_of("all2017#46", bare, english).endswith(", at 46")


def test_the_text_that_names_a_measure_stands_beside_the_law() -> None:
    """Theft rests on the draft's fifth measure as much as on the criminal law, and the draft is called one."""
    one = samples.packs()["cn-nm-2021-draft"]
    from headframe.reports.case_documents.parts import measure_basis, measure_named

    theft = measure_named(one, "m5-theft")
    assert theft is not None
    text = measure_basis(theft, one, Speech("zh", "Asia/Shanghai"))
    assert "第五项措施" in text
    assert LANGUAGES["zh"]["status.draft_never_confirmed"] in text
    assert "刑法" in text


def bills() -> list[BillingCycle]:
    return [
        BillingCycle(first=date(2022, 4, 1), last=date(2022, 4, 30), energy_kwh=Decimal(900), source="bills.csv row 2"),
        BillingCycle(first=date(2022, 6, 1), last=date(2022, 6, 30), energy_kwh=Decimal(900), source="bills.csv row 3"),
    ]


def sheets() -> list[CalculationSheet]:
    made = [
        differential_tariff.differential_tariff(
            rule, bills(), mining_from=start, mining_until=end, issued=None if rule.issued else date(2022, 4, 15)
        )
        for rule in RULES.values()
        for start, end in (
            (date(2021, 1, 1), None), (date(2022, 4, 11), date(2022, 6, 20)), (date(2021, 1, 1), date(2021, 2, 1)),
        )
    ]  # fmt: skip
    energy = DailyEnergy(low=Decimal(210), estimate=Decimal(240), high=Decimal(275), source="事实3")
    made += [
        back_billing.back_billing(
            energy, first=first, last=last, discovered=date(2026, 9, 3), tariff=Decimal("0.5"), currency="CNY",
            tariff_source="一般工商业电价", limit=limit,
        )
        for limit in (MALAYSIA, PeriodLimit(months=3), PeriodLimit(months=None))
        for first, last in ((date(2026, 1, 10), date(2026, 9, 2)), (date(2025, 1, 10), date(2025, 2, 2)))
    ]  # fmt: skip
    hour = 3_600_000_000_000
    readings = [MeteredInterval(start_ns=0, end_ns=744 * hour, energy_kwh=Decimal(7000), source="m.csv row 2")]
    part = [MeteredInterval(start_ns=0, end_ns=hour, energy_kwh=Decimal(kwh), source="m.csv row 2") for kwh in (7000,)]
    few = [MeteredInterval(start_ns=0, end_ns=hour, energy_kwh=Decimal(1), source="m.csv row 2")]
    low = [MeteredInterval(start_ns=0, end_ns=744 * hour, energy_kwh=Decimal(1), source="m.csv row 2")]
    made += [household_limit.household_limit(rows, zone="UTC") for rows in (readings, part, few, low)]
    return made


def test_a_sheet_reads_in_chinese() -> None:
    """Title, labels, sources and limits of every calculation of ours; quantities are the same."""
    for sheet in sheets():
        chinese, whole = sheet_in(sheet, "zh")
        assert whole, (sheet, chinese)
        assert [(line.quantity, line.unit) for line in chinese.lines] == [
            (line.quantity, line.unit) for line in sheet.lines
        ]
        for text in (chinese.title, *(line.label for line in chinese.lines), *chinese.caveats):
            assert not LATIN.search(text), text
        assert sheet_in(chinese, "zh") == (chinese, True)
        assert sheet_in(chinese, "en") == (chinese, False), "what stands in Chinese is not passed off as English"
        assert sheet_in(sheet, "en")[0] == sheet


def test_a_sheet_of_ones_own_words_is_marked() -> None:
    assert LANGUAGES["zh"]["sheet.original"] in said(
        told_of(samples.case_file(pack(), until=14), DocumentKind.DECISION, "zh")
    )


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("Mining goes on: stratum 2 found it at 10.1.2.3 in the later window (an innocent subject shows this at most "
         "once in 10 to the 12.1).", "挖矿仍在持续：检测器stratum（版本2）"),
        ("Mining goes on, by energy per day: Of the 108.0 kW found, 104.22 (100.11 to 108.00) kW are left from 0:00 to "
         "9:00, where the site itself is the calmest, and of its 2592 kWh/day, 2500 (2400 to 2600), judged by 120 days "
         "before the mining began (with days off, heating degrees, cooling degrees; error from 12 windows without a "
         "change): more than 20% of what was found.", "挖矿仍在持续（日用电量）"),
        ("The mining has ended, by energy per day and pool connections, which the case's evidence rests on. Of the "
         "108.0 kW found, 0.22 (-1.11 to 1.00) kW are left over the whole day, and of its 2592 kWh/day, 12 (-5 to 30), "
         "judged by no clean baseline exists, since the mining ran before the data began; 40 days with the mining, "
         "less the found load (with days off; too few windows without a change, so the error is that of single "
            "weeks): at "
         "most 20% of the found load, and nothing like it at another time of day. Mining on 20 of 20 days looked at "
         "before, and on 0 of 30 days after; mining on more than 12% of days is excluded with 97.5 % confidence "
         "(allowed: 20%). The site has 10.2.3.4 now, which it had not before; it is in the sum.",
         "日用电量、矿池连接数"),
        ("Not enough data: the end of mining does not show in kWh_per_day.", "数据不足：日用电量"),
        ("kWh_per_day: readings cover 50% of the window; the pack asks for 90%", "日用电量：读数覆盖时段的50%"),
        ("Covered for the whole period, 2026-01-01 to 2026-03-01: licences L-17 (filed research for site S-1 and "
         "organisation ORG-2, 2025-01-01 to 2026-12-31, up to 80 kW; lawful.csv row 3). Seen were 100 kW (90 kW to 110 "
         "kW); the lowest limit is 80 kW.", "备案科研，场所S-1、单位ORG-2"),
        ("Of the period, 2026-01-01 to 2026-03-01, only 2026-01-01 to 2026-02-01 is covered: reg A-1 (licence for site "
         "S-1, from 2025-01-01 on; f.csv row 2); reg B (exemption for usage point U-1, without a date; x).",
         "未载明日期"),
    ],
)  # fmt: skip
def test_what_was_measured_and_looked_up_reads_in_chinese(text: str, chinese: str) -> None:
    told = translated(text, "zh")
    assert told is not None
    assert chinese in told
    assert not LATIN.search(told), told


def test_no_word_of_a_measurement_has_been_changed_on_one_side() -> None:
    """Each standing sentence in the source of what is measured has its form; and so have the registers'."""
    missing = []
    for module in (verification, remainder, lawful, looked, remeasure):
        for line, text in sentences_in(Path(module.__file__ or "")):
            if (
                "\0" not in text
                and " " in text.strip()
                and len(text) > 30
                and translated(text.strip(": ;."), "zh") is None
            ):
                missing.append((module.__name__, line, text))
    assert not [row for row in missing if not any(row[2].strip() in form for form in FORMS)], missing


def _forms() -> str:
    from headframe.reports.case_documents.casework_sentences_zh import CASEWORK_PARTS, CASEWORK_SENTENCES
    from headframe.reports.case_documents.detector_sentences_zh import DETECTOR_SENTENCES

    return "\n".join([*CASEWORK_SENTENCES, *CASEWORK_PARTS, *DETECTOR_SENTENCES])


FORMS = [_forms()]


def test_packs_of_china_are_told_in_chinese() -> None:
    """Gaps, ends of measures and what opens a case again: nothing of a Chinese pack reaches its letters in English."""
    for one in samples.packs().values():
        if one.country != "CN":
            continue
        assert one.language == "zh"
        words: list[Mapping[str, str]] = [*one.provenance.gap_words, one.provenance.compiled_words]
        words += [measure.ends_words for measure in one.measures if measure.ends_when]
        words += [one.verification.reopen_words] if one.verification.reopen_if else []
        assert all("zh" in row for row in words), one.id


def test_a_pack_in_one_language_is_marked_as_the_original() -> None:
    one = samples.packs()["us-tx-lfl"]
    file = samples.case_file(one, until=UNTIL[DocumentKind.NOTICE])
    text = said(told_of(file, DocumentKind.NOTICE, "zh", one.id))
    assert LANGUAGES["zh"]["pack.original"].format(text=one.provenance.gaps[0]) in text


def test_how_a_letter_came_and_where_a_name_was_seen_have_words() -> None:
    from headframe.records.endpoint import EndpointSign
    from headframe.reports.case_documents.parts import channel_words

    chinese = Speech("zh", "UTC")
    assert channel_words("post", chinese) == "邮寄送达"
    assert channel_words("Registered post", chinese) == "挂号邮寄送达"
    assert channel_words("by courier of the bureau", chinese) == "by courier of the bureau"
    for sign in EndpointSign:
        for words in LANGUAGES.values():
            assert f"sign.seen.{sign.value}" in words


# ----------------------------------------------------------------------------------------------------- where to answer

TO_PARTY = (DocumentKind.NOTICE, DocumentKind.INFORMATION_LETTER, DocumentKind.HELP_LETTER, DocumentKind.DECISION,
            DocumentKind.CLOSURE)  # fmt: skip


@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("kind", TO_PARTY, ids=lambda kind: kind.value)
def test_each_letter_says_where_to_answer(kind: DocumentKind, language: str) -> None:
    """Or that whoever signs must fill it in, in a marked place."""
    file = samples.case_file(pack(), until=UNTIL[kind])
    assert LANGUAGES[language]["where.missing.text"] in said(told_of(file, kind, language))
    address = AnswerAddress(desk="Case desk, room 304", postal="1 Example Street", portal="https://drc.example/answer")
    told = said(told_of(replace(file, answers={"": address}), kind, language))
    assert all(text in told for text in (address.desk, address.postal, address.portal))
    assert LANGUAGES[language]["where.missing.text"] not in told
    own = replace(file, answers={"": address, "drc": AnswerAddress(desk="Counter 7")})
    told = said(told_of(own, kind, language))
    assert "Counter 7" in told
    assert "room 304" not in told


def test_a_body_of_appeal_has_its_own_address() -> None:
    file = samples.case_file(pack(), until=14)
    with_court = replace(file, answers={"court": AnswerAddress(postal="5 Court Road")})
    assert "Where to write: 5 Court Road." in said(told_of(with_court, DocumentKind.DECISION))
    untold = said(told_of(replace(file, answers={}), DocumentKind.DECISION))
    assert "5 Court Road" not in untold
    missing = LANGUAGES["en"]["rights.where.missing"]
    assert untold.count(missing) == 2, "whoever signs fills in the places of both bodies"
    assert said(told_of(with_court, DocumentKind.DECISION)).count(missing) == 1


# ----------------------------------------------------------------------------------------------------- at the end


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_closure_names_the_appeal_among_what_opens_the_case_again(language: str) -> None:
    """As long as one can be made: a decision that is final, or that burdens nobody, has none."""
    words = LANGUAGES[language]
    file = samples.case_file(pack())
    row = file.case.decisions[-1]
    favour = replace(row, final_ns=None, act=replace(row.act, outcome=DecisionOutcome.LAWFUL))
    for decision, open_to_appeal in ((replace(row, final_ns=None), True), (row, False), (favour, False)):
        closed = replace(file, case=replace(file.case, decisions=(decision,)))
        assert (words["closure.again.appeal"] in said(built(DocumentKind.CLOSURE, language, closed))) is open_to_appeal


def test_a_closure_lists_the_rights_that_are_left() -> None:
    """No reply, no notice and no hearing when all is over; no appeal against what holds nothing, or was set aside."""
    case = samples.case_file(pack()).case
    (decision,) = case.decisions
    running = replace(case, decisions=(replace(decision, final_ns=None),))
    assert RightKind.APPEAL in rights_at_the_end(running, registered=False)
    aside = replace(case, decisions=(replace(decision, final_ns=None, set_aside=True),))
    assert RightKind.APPEAL not in rights_at_the_end(aside, registered=False)
    victim = replace(
        case,
        measures=(),
        decisions=(
            replace(decision, final_ns=None, act=replace(decision.act, sheets=(), outcome=DecisionOutcome.VICTIM)),
        ),
    )
    assert rights_at_the_end(victim, registered=False) == {RightKind.ACCESS_FILE, RightKind.CORRECTION}
    assert RightKind.REMOVAL in rights_at_the_end(case, registered=True)
    for language, words in LANGUAGES.items():
        text = said(told_of(samples.case_file(pack()), DocumentKind.CLOSURE, language))
        for gone in ("right.notice.text", "right.reply.text", "right.hearing.text", "clock.text", "rights.silence"):
            assert words[gone] not in text, gone
        assert words["right.access_file.text"] in text


def test_when_a_letter_came_is_told_beside_when_that_was_recorded() -> None:
    """The list of events tells when something was recorded; the decision's table tells when the party got it."""
    file = samples.case_file(pack())
    text = said(told_of(file, DocumentKind.CLOSURE))
    served_ns = file.case.decisions[0].received_ns
    assert served_ns is not None
    assert f"received on {Speech('en', pack().time_zone).day(served_ns)}" in text
    assert LANGUAGES["en"]["course.when"] == "Recorded"


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_after_a_notice_says_that_the_notice_does_not_stand(language: str) -> None:
    """Who was asked for an answer by a date, and is a victim, must not go on counting."""
    words = LANGUAGES[language]["help.notice_gone"]
    day = Speech(language, pack().time_zone).day(samples.OPENED_NS + 3 * samples.DAY)
    asked, unasked = (
        said(told_of(samples.case_file(pack(), until=until), DocumentKind.HELP_LETTER, language)) for until in (8, 3)
    )
    assert words.format(days=day) in asked
    assert words.rpartition("}")[2] not in unasked


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_decision_in_a_table_is_what_it_is_now(language: str) -> None:
    """One that was replaced before it went out was not set aside by anybody; one in favour waits for no appeal."""
    words, speech = LANGUAGES[language], Speech(language, pack().time_zone)
    file = samples.case_file(pack(), until=14)
    last = file.case.decisions[-1]
    favour = replace(last, act=replace(last.act, outcome=DecisionOutcome.DISMISSED), received_ns=None, final_ns=None)
    later = replace(favour, number=99, decided_ns=favour.decided_ns + samples.DAY)
    first = replace(favour, set_aside=True, set_aside_ns=later.decided_ns)

    def rows(*decisions: DecisionStatus) -> list[tuple[str, ...]]:
        other = replace(file, case=replace(file.case, decisions=decisions))
        document = built(DocumentKind.MEASURE_REQUEST, language, other)
        found = next(one for one in document.sections if one.title == words["decisions.title"])
        return list(next(block.rows for block in found.blocks if isinstance(block, Table)))

    replaced, holds = rows(first, later)
    assert replaced[2:] == (words["decision.never_served"],
                            words["decisions.replaced"].format(day=speech.day(later.decided_ns)))  # fmt: skip
    assert holds[2:] == (words["decision.not_served"], words["decisions.holds"])
    assert rows(last)[0][3] == words["decision.not_final"]
    assert rows(replace(first, set_aside_ns=1))[0][3] == words["decision.set_aside"]


def test_help_comes_before_proof() -> None:
    titles = [section.title for section in built(DocumentKind.HELP_LETTER).sections]
    words = LANGUAGES["en"]
    assert titles.index(words["help.do"]) == 0
    assert titles.index(words["help.whom"]) < titles.index(words["help.seen"])


def test_a_household_is_no_department() -> None:
    """No organisation's words, and no identifier of ours as the name of an addressee's department."""
    file = samples.case_file(pack(), until=3)
    case = replace(file.case, site_kind="household_premises", organisation_id="", site_id="premises-48")
    home = replace(file, case=case, site_name="premises-48", organisation_name="")
    chinese = told_of(home, DocumentKind.INFORMATION_LETTER, "zh")
    text = said(chinese)
    assert "贵单位" not in text
    assert "当事单位" not in text
    assert "贵户" in text
    assert LANGUAGES["zh"]["contact.responsible_unit"] not in chinese.letterhead.addressee
    assert "premises-48" not in chinese.letterhead.addressee
    english = told_of(home, DocumentKind.INFORMATION_LETTER)
    assert "Responsible unit" not in english.letterhead.addressee


def test_a_decision_that_burdens_nobody_needs_no_basis() -> None:
    file = samples.case_file(pack(), until=14)
    (decision,) = file.case.decisions
    lawful_one = replace(decision, act=replace(decision.act, outcome=DecisionOutcome.LAWFUL, legal_basis=()))
    lookup = file.case.lookup
    assert lookup is not None
    case = replace(file.case, decisions=(lawful_one,), lookup=replace(lookup, entries=("licences#L-17",)))
    assert "licences#L-17" in said(told_of(replace(file, case=case), DocumentKind.DECISION)).split("How")[0]
    text = said(told_of(replace(file, case=replace(case, lookup=lookup)), DocumentKind.DECISION))
    assert LANGUAGES["en"]["decision.basis.none"] in text
    burdened = replace(decision, act=replace(decision.act, legal_basis=()))
    text = said(told_of(replace(file, case=replace(file.case, decisions=(burdened,))), DocumentKind.DECISION))
    assert LANGUAGES["en"]["basis.not_said"] in text


def test_the_metered_power_counts_and_stands_first() -> None:
    """A hash rate implies anything from 51 kW to 9.58 MW; a meter that counted 108 kW says which it was."""
    from headframe.reports.case_documents.drawings import plot_power

    file = samples.case_file(pack(), until=7)
    document = built(DocumentKind.NOTICE, "en", file)
    assert "The power that counts is the metered one: fact 3" in said(document)
    desk = Desk(file=file, pack=pack(), clocks=(), speech=Speech("en", "UTC"), now_ns=0, prepared_by=None, log_keys=())
    plot = plot_power(desk.held, desk.speech)
    assert plot is not None
    assert plot.svg.index("Fact 3: metered") < plot.svg.index("Fact 1: implied")


def test_digests_of_a_certificate_are_a_table() -> None:
    """Seventy-seven digests take a page and a half; they took five."""
    tables = [block for section in certificate("en").sections for block in section.blocks if hasattr(block, "rows")]
    assert any(row[1] == "a" * 64 for table in tables for row in table.rows if len(row) == 2)


def test_names_of_windows_stay_in_the_picture() -> None:
    from headframe.reports.case_documents.drawings import plot_before_after

    plot = plot_before_after(samples.measurement(VerificationOutcome.RECTIFIED), Speech("en", "UTC"))
    assert plot is not None
    assert re.search(r'x="0\.00%" y="\d+" class="window-start"', plot.svg)
    assert 'class="window-end"' in plot.svg


# ------------------------------------------------------------------------------------------ a measurement that is told


def without_data() -> Measurement:
    """A later window of which nothing is known, in the words of the measuring."""
    measured = samples.measurement(VerificationOutcome.NOT_ENOUGH_DATA)
    why = "there is no baseline to tell the mining's share from"
    return replace(
        measured,
        explanation="Not enough data: the end of mining does not show in kWh_per_day.",
        metrics=tuple(replace(one, explanation=why) for one in measured.metrics),
        missing=(f"kWh_per_day: {why}", "load_factor: the register was not asked"),
    )


@pytest.mark.parametrize(("language", "name"), [("en", "does not show in energy per day"), ("zh", "日用电量未能显示")])
def test_metrics_are_told_by_their_names(language: str, name: str) -> None:
    """``kWh_per_day`` is a key of a pack and no word of any language; a line that begins with it begins large."""
    text = said(built(DocumentKind.VERIFICATION_REPORT, language, measurement=without_data()))
    assert name in text
    assert "_per_day" not in text
    assert "load_factor" not in text
    if language == "en":
        assert "Energy per day: there is no baseline" in text
        assert "Load factor: the register was not asked" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_could_not_be_seen_is_not_said_not_to_be_there(language: str) -> None:
    """That the same detectors found nothing is no sentence for a window without data."""
    words = LANGUAGES[language]
    blind = said(built(DocumentKind.VERIFICATION_REPORT, language, measurement=without_data()))
    assert words["verify.new.none"] not in blind
    assert words["verify.new.blind"] in blind
    seen = said(built(DocumentKind.VERIFICATION_REPORT, language))
    assert words["verify.new.none"] in seen
    assert words["verify.new.blind"] not in seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_rule_asks_to_take_out_is_not_said_to_have_been(language: str) -> None:
    """What was taken out, the measuring tells of each metric; the pack's list is what ought to be."""
    text = said(built(DocumentKind.VERIFICATION_REPORT, language, measurement=without_data()))
    weather = LANGUAGES[language]["normalise.temperature"]
    told = next(line for line in text.splitlines() if weather in line)
    assert ("as the rule says" if language == "en" else "按规则") in told


def test_reasons_why_something_is_left_have_their_form() -> None:
    """Each standing reason of the destruction has one in Chinese: a change on one side only would show here."""
    from headframe.stores.database import retention

    missing = []
    for line, text in sentences_in(Path(retention.__file__ or "")):
        reason = text.replace("\0", "disk full")
        if re.match(r"it must stay now|the lake |other readings", reason):
            missing.append((line, reason, translated(reason, "zh")))
    assert len(missing) >= 4
    assert not [row for row in missing if row[2] is None]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_draft_among_the_evidence_is_told_as_one(language: str) -> None:
    """A dossier holds every paper of the file; whoever compares digests must see which of two letters was sent."""
    file = served(samples.case_file(pack(), until=17), event=7)
    lines = said(built(DocumentKind.REFERRAL_DOSSIER, language, file)).splitlines()
    drafts = {name: lines[k + 1] for k, name in enumerate(lines) if name.startswith("HF-") and name.endswith(".pdf")}
    letter = LANGUAGES[language]["document.notice"]
    assert drafts["HF-4-notice-draft-zh.pdf"].startswith(LANGUAGES[language]["evidence.draft"].format(kind=letter))
    assert LANGUAGES[language]["evidence.draft"].format(kind=letter) not in drafts["HF-7-notice-zh.pdf"]
    assert drafts["HF-7-notice-zh.pdf"].startswith(letter)


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_powers_are_counted_and_not_listed(language: str) -> None:
    """Of dozens of facts the sentence about which power counts would fill the first page of the letter."""
    found = tuple(
        {**one, "usage_point" if "usage_point" in one else "host": f"192.0.2.{n}-{k}"}
        for n in range(10)
        for k, one in enumerate(samples.finding_documents())
    )
    text = said(built(DocumentKind.NOTICE, language, samples.case_file(pack(), until=7, documents=found)))
    (line,) = (one for one in text.splitlines() if LANGUAGES[language]["facts.power.many"][:8] in one)
    assert len(line) < 250
    assert line.count("10") == 2, "ten of each"
