"""What a letter draws of a finding over time: only what its document holds, and nothing of a damaged one."""

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest

from headframe.detectors.network.stratum.course import course_of
from headframe.records.finding import MOST_COURSE_BINS
from headframe.records.load_finding import BalanceMonth
from headframe.reports.case_documents.courses import plot_load, plot_months, plot_session
from headframe.reports.case_documents.drawings import plot_course, plot_delays, plot_findings
from headframe.reports.case_documents.held import Held
from headframe.reports.case_documents.speech import LANGUAGES, Speech
from headframe.reports.document import finding_document
from headframe.reports.meters import MOST_COURSE_VALUES, MOST_MONTHS, usage_point_document
from headframe.sources.findings import finding_of
from tests.reports import case_samples, meters_samples, samples

SECOND = 1_000_000_000
DAY_S = 86_400
ANSWERS = ("accepted", "rejected", "stale", "unanswered")
SPEECH = {language: Speech(language, "Asia/Shanghai") for language in LANGUAGES}


def month(number: int, energy_wh: float = 9e6, known_h: float = 720.0) -> BalanceMonth:
    """A month of a balance."""
    started = (19_358 + 31 * number) * DAY_S * SECOND  # 2023-01-01 is day 19,358
    return BalanceMonth(started_ns=started, known_h=known_h, energy_wh=energy_wh, accuracy_wh=2.5e6)


def balance(*months: BalanceMonth) -> dict[str, Any]:
    """The document of a point to which a balance was traced."""
    row = meters_samples.miner()
    found = replace(row.findings[0], months=months)
    return usage_point_document(replace(row, findings=(found,)), fdr=0.1)


def test_a_session_survives_the_import() -> None:
    """Writing, reading and writing again changes nothing: the digest of a finding is that of its document."""
    document = json.loads(json.dumps(finding_document(samples.miner())))
    again = finding_document(finding_of(document))
    assert again == document
    assert document["course"]["shares"]["accepted"]


def test_an_older_document_is_read_and_draws_no_session() -> None:
    """1.2 had no course."""
    document = finding_document(samples.miner()) | {"schema_version": "1.2"}
    del document["course"]
    assert finding_of(document).course is None
    assert plot_session(document, SPEECH["en"]) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bin_s": 0}, "bin_s"),
        ({"bin_s": 10**12}, "bin_s"),
        ({"jobs": [1] * 1001}, "jobs"),
        ({"jobs": [1, -1]}, "jobs"),
        ({"jobs": [1.5]}, "jobs"),
        ({"shares": []}, "shares"),
        ({"shares": {"accepted": [True]}}, "accepted"),
        ({"started": "yesterday"}, "started"),
    ],
)
def test_a_damaged_course_is_told(change: dict[str, Any], told: str) -> None:
    """The message names the key; what a document says is never guessed."""
    document = finding_document(samples.miner())
    document["course"] = document["course"] | change
    with pytest.raises(ValueError, match=told):
        finding_of(document)


@pytest.mark.parametrize("a_second", [1, 1000])
def test_a_session_takes_less_than_four_kilobytes(a_second: int) -> None:
    """A day of a thousand shares a second included: a proxy of a large farm."""
    each = 86_400 // 48
    jobs = [at * each * SECOND for at in range(48)]
    course = course_of(jobs, [(at, answer) for at in jobs for answer in ANSWERS])
    assert course is not None
    many = tuple(900 * a_second for _ in range(MOST_COURSE_BINS))
    course = replace(course, jobs=many, shares=tuple((answer, many) for answer in ANSWERS))
    document = finding_document(samples.miner(course=course))
    assert len(json.dumps(document["course"], separators=(",", ":")).encode()) < 4096


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_session_is_drawn_with_its_sums(language: str) -> None:
    """The sums beside the rows are those of the finding, and the description tells them to those who do not see it."""
    document = finding_document(samples.miner())
    plot = plot_session(document, SPEECH[language])
    assert plot is not None
    accepted = f"{document['shares']['accepted']:,}"
    assert accepted in plot.description
    assert accepted in plot.svg
    assert document["host"] not in plot.svg + plot.description


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_load_is_drawn_with_its_unit_and_its_beginning(language: str) -> None:
    """Mean, lowest hour, fit, band of comparable points and onset, each in the legend; figures in the description."""
    document = usage_point_document(meters_samples.miner(), fdr=0.1)
    plot = plot_load(document, SPEECH[language])
    assert plot is not None
    assert [part.mark for part in plot.legend] == ["value", "band", "begun", "lowest", "expected"]
    assert "kW" in plot.svg
    assert len(re.findall(r"\d kW", plot.description)) == 4
    bare = document | {"onset": None, "course": document["course"] | {"peers_low_w": [], "fitted_lowest_w": []}}
    plot = plot_load(bare, SPEECH[language])
    assert plot is not None
    assert [part.mark for part in plot.legend] == ["value", "lowest"]


def test_values_of_a_load_are_means_of_whole_days() -> None:
    """A year takes no more values than a letter can carry; a day that is not known is no zero."""
    drawing = meters_samples.drawing()
    days = 400
    line = tuple(float(day) if day % 50 else math.nan for day in range(days))
    long = replace(
        drawing, day_start_s=tuple(day * DAY_S for day in range(days)), mean_w=line, floor_w=line, fitted_floor_w=(),
        peers_low_w=(), peers_high_w=(), residual_w=line,
    )  # fmt: skip
    course = usage_point_document(meters_samples.miner(drawing=long), fdr=0.1)["course"]
    assert course["days_per_value"] == 5
    assert len(course["mean_w"]) == 80 <= MOST_COURSE_VALUES
    assert course["mean_w"][0] == pytest.approx((1 + 2 + 3 + 4) / 4)
    assert course["lowest_hour_w"][0] == 1.0
    blank = usage_point_document(meters_samples.miner(drawing=replace(long, mean_w=(math.nan,) * days)), fdr=0.1)
    assert set(blank["course"]["mean_w"]) == {None}
    assert plot_load(blank, SPEECH["en"]) is None
    full = tuple(123_456.0 for _ in range(days))
    fullest = replace(long, mean_w=full, floor_w=full, fitted_floor_w=full, peers_low_w=full, peers_high_w=full)
    course = usage_point_document(meters_samples.miner(drawing=fullest), fdr=0.1)["course"]
    assert len(json.dumps(course, separators=(",", ":")).encode()) < 4096


@pytest.mark.parametrize("language", LANGUAGES)
def test_months_of_a_balance_stand_beside_what_meters_may_err(language: str) -> None:
    """Each with its energy and days; the last ones only, and the others counted; less may have passed than metered."""
    document = balance(*(month(number) for number in range(20)), month(20, energy_wh=-1e6, known_h=100.0))
    plot = plot_months(document, SPEECH[language])
    assert plot is not None
    assert plot.svg.count('class="inside"') == plot.svg.count('class="limit"') == 12
    assert "9,000 kWh" in plot.description
    assert "-1,000 kWh" in plot.description
    assert "9" in plot.notes[0]
    assert plot_months(balance(), SPEECH[language]) is None
    many = balance(*(month(number, energy_wh=1.23456e8) for number in range(60)))["findings"][0]["months"]
    assert len(many) == MOST_MONTHS
    assert len(json.dumps(many, separators=(",", ":")).encode()) < 4096


HOSTILE: list[Any] = [
    None,
    -7,
    "x",
    [],
    {},
    [None],
    [{}],
    {"bin_s": "1"},
    {"days_per_value": 1},
    {"started": "x"},
    "9999-12-31T00:00:00Z",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("plot", [plot_session, plot_load, plot_months])
def test_a_damaged_document_draws_nothing_and_stops_nothing(plot: Any, value: Any) -> None:
    """A document of a usage point is kept as it came: whatever stands in it, a letter is written."""
    whole = {
        "usage_point": "<script>", "course": value, "findings": value, "period": value, "onset": value,
    }  # fmt: skip
    assert plot(whole, SPEECH["en"]) is None
    good = usage_point_document(meters_samples.miner("<script>"), fdr=0.1)
    for key in ("started", "days_per_value", "mean_w"):
        assert plot_load(good | {"course": good["course"] | {key: value}}, SPEECH["en"]) is None
    drawn = plot_load(good | {"period": value, "onset": value}, SPEECH["en"])
    assert drawn is not None
    assert "<script" not in drawn.svg


@pytest.mark.parametrize("told", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_an_instant_that_no_zone_can_tell_stops_no_drawing(told: str) -> None:
    """An hour later, or earlier, there is no year of four digits: the mark is left out, or the picture."""
    document = finding_document(samples.timing_miner())
    assert plot_course(document, SPEECH["en"]) is not None
    for key in ("block_times", "push_times"):
        sync = document["block_sync"]
        damaged = document | {"block_sync": sync | {key: [told, *sync[key][1:]]}}
        assert plot_course(damaged, SPEECH["en"]) is None
        assert plot_delays(damaged, SPEECH["en"]) is None
    onset = dict.fromkeys(("earliest", "estimate", "latest"), told)
    damaged = document | {"evidence": [{"time": told}], "onset": onset}
    drawn = plot_findings([Held(case_samples.ref_of(document, 1), damaged)], SPEECH["en"])
    assert drawn is not None
    assert not {"tick", "begun"} & {part.mark for part in drawn.legend}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picture_of_a_part_says_so_and_says_what_the_fact_counts(language: str) -> None:
    """Three days of blocks, and the 2,000 messages of the first hours: none of the later blocks is drawn as missed."""
    finding = samples.timing_miner()
    first = finding.block_sync.block_ns[0]
    blocks = tuple(first + number * 600 * SECOND for number in range(434))
    pushes = tuple(first + SECOND + number * 30 * SECOND for number in range(2000))
    whole = replace(
        finding.block_sync, block_ns=blocks, block_hit=tuple(number % 145 != 144 for number in range(434)),
        push_ns=pushes, blocks=434, hits=431,
    )  # fmt: skip
    shown = sum(at <= pushes[-1] for at in blocks)
    assert shown < 200
    document = finding_document(replace(finding, block_sync=whole))
    for draw in (plot_course, plot_delays):
        plot = draw(document, SPEECH[language])
        assert plot is not None
        (note,) = [one for one in plot.notes if "434" in one]
        assert f"{shown}" in note
        assert "431" in note
        assert SPEECH[language].moment(blocks[shown - 1]) in note
    course = plot_course(document, SPEECH[language])
    assert course is not None
    assert f"{shown}" in course.description or f"{shown - 1}" in course.description
    assert "290" not in course.description
    # Also where what follows was missed: 2,000 messages are as many as are kept, not as many as there were.
    silent = replace(whole, block_hit=tuple(number < shown for number in range(434)), hits=shown)
    plot = plot_course(finding_document(replace(finding, block_sync=silent)), SPEECH[language])
    assert plot is not None
    assert any("434" in note for note in plot.notes)
    # Of what is kept whole nothing is said.
    plot = plot_delays(finding_document(finding), SPEECH[language])
    assert plot is not None
    assert plot.notes == ()
