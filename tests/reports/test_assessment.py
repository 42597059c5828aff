"""Assessments as sentences, table and documents: plain, complete, harmless, and without anybody in them."""

import csv
import html
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest

from headframe.records.assessment import Assessment, AssessmentResult, DamagedRow, Unattributed, Whereabouts
from headframe.records.finding import Family, Insufficient, Interval, Role
from headframe.records.indicator import IndicatorKind
from headframe.records.site import Site, SiteKind, SourceRow
from headframe.reports.assessment import (
    CSV_COLUMNS,
    DETECTOR_MEANING,
    PEOPLE_DECIDE,
    apart_sentences,
    assessment_csv,
    assessment_document,
    assessment_json,
    assessment_lines,
    sentences,
    summary_lines,
    write_table,
)
from headframe.reports.assessment_html import render_assessment_html, write_assessment_html
from headframe.sites.assessment import AssessmentOptions, assess
from headframe.sites.registry import Registry
from tests.reports.samples import FORMULA, HOSTILE
from tests.sites.test_assessment import HOUR, T0, TEN, finding, prefix, scan, site

NOW_NS = 1_800_000_000_000_000_000


def district() -> AssessmentResult:
    """Two sources at S3, one at S4, a victim at S5, a contact at S6; one address ambiguous, one not ours."""
    malware = (IndicatorKind.MALWARE_PROXY,)
    findings = [
        finding("10.0.3.7", 6.0, hashrate_hs=Interval(4100.0, 5200.0, 6400.0), power_w=Interval(50, 95, 210), pool="P"),
        finding("10.0.3.7", 9.0, "chain_sync"),
        finding("10.0.4.1", 7.0, contradictions=("12 shares were refused as stale",)),
        finding("10.0.5.1", 8.0, "pool_endpoint", indicator_kinds=malware),
        finding("10.0.6.1", 3.0, "pool_endpoint", role=Role.CONTACT),
        finding("10.9.9.9", 6.0),
        finding("203.0.113.50", 6.0),
    ]
    question = Insufficient(detector="stratum", host="10.0.4.1", peer="192.0.2.1:1", missing="The answers.")
    return assess([scan(*findings, timing=4, insufficient=(question,))], *TEN)


def of(result: AssessmentResult, site_id: str) -> Assessment:
    return next(one for one in result.assessments if one.site.site_id == site_id)


def said(result: AssessmentResult, site_id: str) -> str:
    return " ".join(sentences(of(result, site_id), result))


def test_two_sources_in_plain_sentences() -> None:
    """What speaks, what contradicts, what is missing, the list, the odds, and what that is enough for."""
    text = said(district(), "S3")
    assert text.startswith(
        "Site Hall S3 (S3), 2026-04-20 16:00:00 to 18:00:00: two independent sources speak for mining: content (what "
        "is said on the wire is a mining protocol; 10^5) and timing (traffic keeps step with new blocks of a chain; "
    )
    assert "Seen: 1 address as miner, coin XMR, pool P, on average 5.2 kH/s (4.1 to 6.4) while it was seen" in text
    assert "Nothing contradicts." in text
    assert "load (no electricity readings were given)" in text
    assert "On the list at 5 %: of such lists at most 5 % of the entries are wrong on average" in text
    assert re.search(r"chance shows as much at most once in \d+ (b|tr)illion, with all 100 conversations counted", text)
    assert text.endswith(
        "Two independent sources, enough for a notice to be considered, once lawful mining has been looked up."
    )


def test_one_source_is_enough_for_a_letter_only() -> None:
    """Design, section 6: two independent families before a notice."""
    text = said(district(), "S4")
    assert "one source speaks for mining: content" in text
    assert text.endswith("One source only, enough for an information letter, not for a notice.")
    assert "To be weighed: 12 shares were refused as stale." in text
    assert "Detectors could not answer 1 question on this site." in text


def test_what_is_thin_by_itself_is_not_enough_for_a_notice() -> None:
    """The list holds for all sites together; a notice goes to one."""
    result = district()
    thin = replace(of(result, "S3"), log10_e=1.2)
    assert sentences(thin, result)[-1].startswith(
        "Two independent sources, but by itself the evidence on this site is thin; look again before a notice"
    )
    assert "enough for a notice" in sentences(replace(thin, log10_e=1.31), result)[-1]


def test_families_of_one_source_count_once() -> None:
    """Content and endpoint rest on the same packets."""
    findings = [finding("10.0.3.7", 7.0), finding("10.0.3.7", 7.0, "pool_endpoint")]
    text = said(assess([scan(*findings)], *TEN), "S3")
    assert "one source speaks for mining: content" in text
    assert "families that rest on the same source count once." in text
    assert "not for a notice" in text


def test_a_victim_is_no_offender() -> None:
    """Neither a notice nor a warning is spoken of."""
    text = said(district(), "S5")
    assert "Probably a victim: 10.0.5.1 went to a proxy that operators of mining malware run." in text
    assert text.endswith("A victim is no offender and gets a help letter.")
    assert "notice" not in text
    # Nor is it painted like a miner.
    assert page(district()).count('class="card miner"') == 2


def test_what_is_weak_is_called_weak() -> None:
    """A contact is no mining; nothing found is said as such, and hiding is named."""
    result = district()
    text = said(result, "S6")
    assert "1 finding, but no family of evidence speaks clearly for mining." in text
    assert "Not on the list at 5 %." in text
    assert "no more than chance may show" in text
    assert "notice" not in text
    assert "letter" not in text
    assert said(result, "S1").startswith("Site Hall S1 (S1), 2026-04-20 16:00:00 to 18:00:00: nothing was found")
    few = assess([scan(finding("10.0.3.7", 3.0), conversations=90_000)], *TEN)
    assert "Content found 1 sign, too few among 90,000 looks to stand alone." in said(few, "S3")


def test_timing_is_told_by_what_its_detector_compares() -> None:
    """Step with a chain is said where a chain was compared, and nowhere else."""
    for detector, meaning in DETECTOR_MEANING.items():
        text = said(assess([scan(finding("10.0.3.7", 9.0, detector), timing=4)], *TEN), "S3")
        assert f"timing ({meaning}; 10^" in text
        assert ("keeps step with new blocks" in text) == (detector == "chain_sync")


def test_followers_are_to_be_looked_into() -> None:
    """Named with what else they can be; no evidence, no odds, no letter, and never that they mine."""
    found = [finding(f"10.0.3.{n}", 9.0, "peer_sync", role=Role.FOLLOWER, coins=()) for n in range(1, 9)]
    result = assess([scan(*found, timing=20)], *TEN)
    text = said(result, "S3")
    assert "8 findings, but no family of evidence speaks clearly for mining." in text
    assert "To be looked into: 8 addresses as follower (10.0.3.1, " in text
    assert "10.0.3.6 and 2 more)" in text
    assert "No chain was compared, so that is no evidence of mining" in text
    assert "There are no odds" in text
    for words in ("mines", "Looked and found nothing: content, endpoint and timing", "letter", "notice", "miner"):
        assert words not in text
    assert "To be looked into" in page(result)
    (row,) = [row for row in csv.DictReader(io.StringIO("".join(assessment_csv(result)))) if row["site_id"] == "S3"]
    assert (row["listed"], row["supporting"], row["addresses"].split()[0]) == ("no", "", "follower:10.0.3.1")


def test_a_bet_that_lost_is_said_to_contradict() -> None:
    """In the words of the columns."""
    result = assess([scan(finding("10.0.3.7", -2.0, "chain_sync"), finding("10.0.3.7", 6.0), timing=1)], *TEN)
    text = said(result, "S3")
    assert "Contradicting: timing." in text
    assert "Nothing contradicts" not in text


def test_what_is_attributed_to_nobody() -> None:
    """With what would tell; of a foreign address nothing is asked."""
    result = district()
    unresolved, foreign = result.unattributed
    first, what = apart_sentences(unresolved)
    assert first.startswith("10.9.9.9: no site is known. 1 finding (miner; content), 2026-04-20 16:00:00 to 17:00:00;")
    assert first.endswith("attributed to nobody.")
    assert what == "What would tell: no assignment of the registry covers 10.9.9.9 at this time."
    assert apart_sentences(foreign) == [
        "203.0.113.50: not ours: neither table nor log speaks of this public address. 1 finding (miner; content), "
        "2026-04-20 16:00:00 to 17:00:00; attributed to nobody."
    ]


def table(result: AssessmentResult, width: int = 120, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", newline="")
    write_table(result, stream, width=width, environment={})
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_table_fits_and_says_who_decides(width: int) -> None:
    """No line is longer than the paper; every site is there once as a row; the rule stands at the end."""
    text = table(district(), width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert all(any(line.startswith(f"S{n} Hall") for line in lines) for n in range(10))
    flat = " ".join(text.split())
    assert flat.endswith(PEOPLE_DECIDE)
    assert "Attributed to nobody:" in flat
    assert "On the list: 3 (e-BH at 5 %" in flat
    assert "Assumed: Findings do not tell how many of the 100 conversations that were read were whose." in flat


def test_a_terminal_without_unicode_gets_plain_lines() -> None:
    """And nothing is escaped that need not be."""
    assert table(district(), encoding="ascii").isascii()
    assert "\\u" not in table(district(), encoding="ascii")


def test_many_sites_without_findings_are_counted() -> None:
    """The table stays readable; the document has all."""
    registry = Registry(
        [site(f"S{n:04}") for n in range(500)],
        assigned := [prefix(f"S{n:04}", f"10.1.{n >> 8}.{n & 255}/32") for n in range(500)],
    )
    result = assess([scan()], registry, assigned)
    assert "and 300 more without findings" in table(result)
    assert len(json.loads(assessment_json(result, generated_ns=NOW_NS))["assessments"]) == 500


def test_the_document_holds_everything() -> None:
    """One JSON document, and the same assessments as lines; -inf is null."""
    result = district()
    document = json.loads(assessment_json(result, generated_ns=NOW_NS))
    assert document["people_decide"] == PEOPLE_DECIDE
    assert document["summary"]["listed"] == 3
    assert document["summary"]["share"] == pytest.approx(10.0)
    assert [one["site"]["site_id"] for one in document["assessments"][:3]] == [a.site.site_id for a in result.listed]
    lines = [json.loads(line) for line in assessment_lines(result)]
    assert [line for line in lines if "site" in line] == document["assessments"]
    assert [line["host"] for line in lines if "whereabouts" in line] == ["10.9.9.9", "203.0.113.50"]
    nothing = next(one for one in document["assessments"] if one["site"]["site_id"] == "S1")
    assert nothing["log10_e"] is None
    assert {family["family"] for family in nothing["families"]} == {family.value for family in Family}
    assert nothing["sentences"]


def test_the_document_names_every_part_of_the_record() -> None:
    """A field of the record that is not written would be lost in silence."""
    result = district()
    written = set(assessment_document(result.assessments[0], result))
    renamed = {"first_ns": "first_seen", "last_ns": "last_seen"}
    assert {renamed.get(part.name, part.name) for part in fields(Assessment)} <= written
    apart = set(json.loads(list(assessment_lines(result))[-1]))
    assert {renamed.get(part.name, part.name) for part in fields(Unattributed)} <= apart


def test_csv_has_a_row_for_each() -> None:
    """As many cells in each row as in the header, read back by a CSV reader."""
    result = district()
    rows = list(csv.reader(io.StringIO("".join(assessment_csv(result)))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert {len(row) for row in rows} == {len(CSV_COLUMNS)}
    assert len(rows) == 1 + 10 + 2
    first = dict(zip(CSV_COLUMNS, rows[1], strict=True))
    assert (first["site_id"], first["listed"], first["supporting"]) == ("S3", "yes", "content timing")
    assert math.isclose(float(first["log10_e_list"]), result.assessments[0].log10_e_list)
    apart = dict(zip(CSV_COLUMNS, rows[-1], strict=True))
    assert (apart["site_id"], apart["kind"]) == ("", "not_ours")


def hostile() -> AssessmentResult:
    named = Site(
        site_id="S3",
        name=HOSTILE,
        kind=SiteKind.CAMPUS,
        organisation_id=FORMULA,
        region=HOSTILE,
        source=SourceRow("s", 1),
    )
    registry = Registry([named], assigned := [prefix("S3", "10.0.3.0/24")])
    findings = [
        finding(
            "10.0.3.7", 9.0, pool=HOSTILE, coins=(HOSTILE,), contradictions=(HOSTILE,), hashrate_hs=Interval(1, 2, 3)
        ),
        finding("10.9.9.9", 9.0),
    ]
    result = assess([scan(*findings, file=HOSTILE, remarks=(HOSTILE,))], registry, assigned, AssessmentOptions())
    return replace(result, damaged=(DamagedRow(source=SourceRow(HOSTILE, 3), reason=HOSTILE),))


def page(result: AssessmentResult) -> str:
    return render_assessment_html(result, generated_ns=NOW_NS)


@pytest.mark.parametrize(
    "write",
    [
        table,
        page,
        lambda result: "\n".join(summary_lines(result)),
        lambda result: assessment_json(result, generated_ns=NOW_NS),
        lambda result: "".join(assessment_lines(result)),
        lambda result: "".join(assessment_csv(result)),
    ],
    ids=["table", "page", "summary", "json", "jsonl", "csv"],
)
def test_hostile_names_do_nothing(write: Callable[[AssessmentResult], str]) -> None:
    """No control character, no override of direction, no lone surrogate, whatever a pool or a table calls itself."""
    text = write(hostile())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


def test_the_page_says_what_the_sentences_say() -> None:
    """Every sentence stands on it, escaped, with raised powers of ten; what came from outside makes no element."""
    result = district()
    assert "10^" not in page(result)
    text = html.unescape(re.sub(r"<[^>]+>", "", page(result).replace("<sup>", "^")))
    for one in result.assessments:
        if one.findings:
            assert all(sentence in text for sentence in sentences(one, result))
    for row in result.unattributed:
        assert " ".join(apart_sentences(row)) in text
    assert "3 sites on the list at 5 %" in text
    assert PEOPLE_DECIDE in text
    wild = page(hostile())
    assert "<script" not in wild
    assert "<img" not in wild
    assert "No site was tested." in page(replace(result, assessments=(), unattributed=()))


def test_the_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """And an older one is replaced."""
    path = tmp_path / "r.html"
    path.write_text("old")
    write_assessment_html(district(), path, generated_ns=NOW_NS)
    assert path.read_text() == page(district())
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]
    with pytest.raises(OSError, match="No such file"):
        write_assessment_html(district(), tmp_path / "away" / "r.html", generated_ns=NOW_NS)


def test_a_formula_is_no_formula_in_csv() -> None:
    """As in the CSV of findings."""
    assert "\"'=HYPERLINK" in "".join(assessment_csv(hostile()))


def test_no_account_and_nobody_in_any_output() -> None:
    """Pseudonyms stay in the findings; every output speaks of sites and addresses."""
    result = assess([scan(finding("10.0.3.7", 9.0, accounts=("#5f1c0a77",), agent="XMRig by Bob"))], *TEN)
    for text in (table(result), assessment_json(result, generated_ns=NOW_NS), "".join(assessment_csv(result))):
        assert "5f1c0a77" not in text
        assert "Bob" not in text


def test_the_same_findings_give_the_same_bytes() -> None:
    """Nothing but the time of writing changes between two runs."""
    once, again = district(), district()
    assert assessment_json(once, generated_ns=NOW_NS) == assessment_json(again, generated_ns=NOW_NS)
    assert table(once) == table(again)


def test_partly_known_is_told_with_its_candidate() -> None:
    """A site that held the address for a part of the time is a candidate, and no more."""
    registry = Registry([site("A")], assigned := [prefix("A", "10.4.0.0/16", until=T0 + HOUR // 2)])
    result = assess([scan(finding("10.4.0.1", 9.0))], registry, assigned)
    (row,) = result.unattributed
    assert row.whereabouts is Whereabouts.PARTLY
    assert "Possible: A." in apart_sentences(row)
