"""Usage points as sentences, table, documents and page: plain, complete, harmless, and with the list's promise."""

import csv
import html
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from headframe.records.load_finding import LoadDrawing, Mode, Onset, Standing, UsagePointResult
from headframe.records.meters import MetersResult
from headframe.reports.meters import (
    CANNOT_SEE,
    CSV_COLUMNS,
    PEOPLE_DECIDE,
    brief_sentences,
    cells,
    meters_csv,
    meters_json,
    meters_lines,
    sentences,
    shown_rows,
    summary_lines,
    write_table,
)
from headframe.reports.meters_drawing import draw_load, parts_of, scaled_before
from headframe.reports.meters_html import render_meters_html, write_meters_html
from headframe.reports.meters_schema import schema_text
from tests.reports.meters_samples import DAY_S, START_S, district, drawing, innocent, miner, short
from tests.reports.samples import FORMULA, HOSTILE

NOW_NS = 1_800_000_000_000_000_000


def table(result: MetersResult, *, width: int = 120, everything: bool = False) -> str:
    stream = io.StringIO()
    write_table(result, stream, width=width, everything=everything, environment={})
    return stream.getvalue()


def page(result: MetersResult, *, everything: bool = False) -> str:
    return render_meters_html(result, generated_ns=NOW_NS, everything=everything)


def hostile() -> MetersResult:
    """Every text that an input can bring is hostile."""
    row = miner(HOSTILE, site_id=HOSTILE, site_name=HOSTILE, site_note=HOSTILE, explanation=HOSTILE, detector=HOSTILE)
    worst = replace(
        row,
        counter_hypotheses=tuple(replace(one, name=HOSTILE, text=HOSTILE) for one in row.counter_hypotheses),
        findings=tuple(
            replace(one, detector=HOSTILE, explanation=HOSTILE, blind_spots=(HOSTILE,), contradictions=(HOSTILE,))
            for one in row.findings
        ),
        insufficient=tuple(replace(one, detector=HOSTILE, missing=HOSTILE) for one in short("x").insufficient),
    )
    return replace(district(), rows=[worst], assumptions=(HOSTILE,), remarks=(HOSTILE,), not_tested=(HOSTILE,))


@pytest.fixture(scope="module")
def published(project_root: Path) -> jsonschema.Draft202012Validator:
    """Checks against the schema as it is published, formats included."""
    schema = json.loads((project_root / "docs" / "schema-usage-point.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def test_published_schema_is_the_one_that_the_code_makes(project_root: Path) -> None:
    """Mend with: python -m headframe.reports.meters_schema > docs/schema-usage-point.json"""
    assert (project_root / "docs" / "schema-usage-point.json").read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("make", [district, hostile])
def test_each_line_is_valid(make: Callable[[], MetersResult], published: jsonschema.Draft202012Validator) -> None:
    """JSON Lines: one object per usage point and period, each as the schema says, hostile text or not."""
    result = make()
    lines = list(meters_lines(result, everything=True))
    assert len(lines) == len(result.rows)
    for line in lines:
        assert line.endswith("\n")
        assert line.count("\n") == 1
        assert line.isascii()
        published.validate(json.loads(line))


def test_a_schema_that_lets_everything_pass_is_none(published: jsonschema.Draft202012Validator) -> None:
    """Each key is asked for, and a period without an end is refused."""
    good = json.loads(next(meters_lines(district(), everything=True)))
    for key in good:
        assert not published.is_valid({name: value for name, value in good.items() if name != key}), key
    assert not published.is_valid({**good, "period": {"start": good["period"]["start"]}})
    assert not published.is_valid({**good, "mode": "sometimes"})


def test_keys_that_were_promised() -> None:
    """Issue of `headframe meters`: the names that other programs rely on."""
    first = json.loads(next(meters_lines(district(), everything=False)))
    assert {
        "usage_point", "period", "score", "p_value", "log10_e", "families", "detector", "power_w", "onset", "mode",
        "explanation", "counter_hypotheses", "insufficient", "consequences", "listed", "peers",
    } <= set(first)  # fmt: skip
    assert first["period"] == {"start": "2022-01-01T00:00:00.000000000Z", "end": "2022-04-23T00:00:00.000000000Z"}
    assert first["power_w"] == {"low": 19_800.0, "estimate": 21_300.0, "high": 22_700.0}
    assert first["onset"]["estimate"] == "2022-02-14T00:00:00.000000000Z"
    assert (first["mode"], first["detector"], first["families"]) == ("step", "load_step", ["load"])


def test_only_what_cannot_be_answered_has_no_score() -> None:
    """With --all the innocent have a score, and the insufficient say what is missing."""
    rows = [json.loads(line) for line in meters_lines(district(), everything=True)]
    assert [row["usage_point"] for row in rows if row["score"] is None] == ["M-9999"]
    assert rows[-1]["insufficient"][0] == {"detector": "load_step", "missing": "9 days; it takes 21"}
    assert rows[-1]["p_value"] is None
    assert rows[3]["insufficient"] == []
    assert rows[3]["power_w"] is None
    assert rows[3]["mode"] is None


def test_without_all_only_what_stands_out() -> None:
    """The list and what is worth a look, in every form."""
    result = district()
    names = [row.usage_point for row in shown_rows(result, everything=False)]
    assert names == ["M-2044", "M-0871", "M-1500"]
    assert [json.loads(line)["usage_point"] for line in meters_lines(result, everything=False)] == names
    document = json.loads(meters_json(result, everything=False, generated_ns=NOW_NS))
    assert [row["usage_point"] for row in document["usage_points"]] == names
    assert len(list(csv.reader(meters_csv(result, everything=False)))) == 1 + len(names)
    assert "M-0001" not in table(result)
    assert "M-0001" in table(result, everything=True)


def test_the_document_says_what_the_list_promises() -> None:
    """Expected number of wrong entries, and of innocent rows that stand out."""
    document = json.loads(meters_json(district(), everything=True, generated_ns=NOW_NS))
    summary = document["summary"]
    assert summary["expected_wrong"] == pytest.approx(0.05 * 2)
    assert summary["expected_by_chance"] == pytest.approx(0.02 * 5)
    assert (summary["rows"], summary["answered"], summary["listed"], summary["worth_a_look"]) == (6, 5, 2, 1)
    assert document["files"][0]["problems"][0]["examples"] == [17, 4_022]
    assert document["cannot_see"] == list(CANNOT_SEE)
    assert document["people_decide"] == PEOPLE_DECIDE


@pytest.mark.parametrize("width", [80, 140])
def test_table(width: int, golden: Callable[[str, str], None]) -> None:
    """The ranked list and its sentences, as people see them."""
    text = table(district(), width=width, everything=True)
    assert max(map(len, text.splitlines())) <= width
    golden(f"reports/meters-table-{width}.txt", text)


def test_summary_states_expected_wrong_entries_and_damage() -> None:
    """How wrong the list may be, what stands out by chance, what could not be read."""
    text = "\n".join(summary_lines(district()))
    assert "2 entries on the list at a false discovery rate of 5 % (BH over 5 rows): expect about 0.1 of them" in text
    assert "by chance alone about 0.1 of 5 rows would stand out so" in text
    assert "readings.csv: 13,117 of 13,120 rows were used; 3 rows: the energy is not a number (row 17, 4022)" in text
    assert "1 row without an answer" in text


def test_an_empty_list_is_no_promise() -> None:
    """Nothing found is said, with what was looked at."""
    result = replace(district(), rows=[innocent("A", -1.0, 0.6), short("B")])
    assert summary_lines(result)[0].startswith("No entry on the list at a false discovery rate of 5 %")
    assert "No usage point on the list" in page(result)
    assert "No usage point stands out." in page(result)
    assert "No entry on the list" in table(replace(result, rows=[]))


def test_no_answer_is_no_promise() -> None:
    """Where nothing could answer, nothing is said to stand out by chance, and no number stands twice."""
    text = " ".join(summary_lines(replace(district(), rows=[short("B")])))
    assert "No entry on the list at a false discovery rate of 5 %: no row has an answer." in text
    assert "No row worth a look: none has an answer." in text
    assert "0.0" not in text
    few = replace(district(), rows=[miner()])
    assert "expect fewer than 0.1 of them to be wrong" in summary_lines(few)[0]
    assert "about fewer" not in table(few) + page(few)


def test_ranks_are_the_same_everywhere() -> None:
    """A row that stands out below one that does not keeps its rank, in table, report and CSV."""
    rows = district().rows
    result = replace(district(), rows=[rows[0], rows[3], rows[2]])
    assert re.search(r"^3 +M-1500", table(result), re.MULTILINE)
    assert re.search(r'<td data-label="Rank">3</td><th scope="row"><a [^>]*>M-1500', page(result))
    assert [row["rank"] for row in csv.DictReader(meters_csv(result, everything=False))] == ["1", "3"]


def test_untested_explanations_are_left_and_marked() -> None:
    """What was not tested may be it; a dash would read as nothing else."""
    row = miner()
    assert cells(row, periods=False)[-1] == "server room, PV (not tested)"
    only = replace(row, counter_hypotheses=row.counter_hypotheses[2:])
    assert cells(only, periods=False)[-1] == "PV (not tested)"
    assert "PV (not tested)" in page(replace(district(), rows=[only]))
    none = replace(row, counter_hypotheses=row.counter_hypotheses[:1])
    assert none.counter_hypotheses[0].standing is Standing.EXCLUDED
    assert cells(none, periods=False)[-1] == "none of those tested"


def test_an_entry_of_the_table_is_short() -> None:
    """At most eight lines of 120 columns, however much was seen; sentences are not cut in two."""
    said = "The load of 4.5 kW is flat. " + "Its quiet hours vary by 6.4% from day to day. " * 20
    row = miner("U" * 20, explanation=said, site_name="S" * 20)
    text = table(replace(district(), rows=[row]))
    entry = text[text.index("\n\nU") + 2 : text.index("\n\nFigures of each test")]
    assert len(entry.splitlines()) <= 8
    assert brief_sentences(row)[0].endswith("from day to day.")
    assert text.index("expect fewer than 0.1 of them") < text.index("U" * 5), "how often it is wrong comes first"


def test_small_chances_say_what_they_rest_on() -> None:
    """A chance that no rank among the peers can show is one of a model; none is said to be smaller than 1e-12."""
    assert "with a chance of 4.2e-07 (by the modelled tail of the reference; 108 comparable points)" in " ".join(
        sentences(miner(p_value=4.2e-7, peers=108))
    )
    found = replace(miner().findings[0], peers=0, p_value=1e-6)
    assert "(by the accuracy of the meters, beside 108 comparable points)" in " ".join(
        sentences(miner(p_value=2e-6, peers=108, findings=(found,)))
    )
    head = miner(p_value=1e-299, peers=0)
    assert "with a chance below 1e-12 (by the accuracy of the meters)" in " ".join(sentences(head))
    assert cells(head, periods=False)[3] == "below 1e-12"
    assert "1e-299" not in page(replace(district(), rows=[head]))
    assert "1 in n + 1" not in page(district())
    assert "1 in B + 1" in page(district())


def test_buildings_of_the_reference_are_as_many_as_is_said(project_root: Path) -> None:
    """The report and the docs name them: a new reference changes the words."""
    from headframe.stores.reference_scores import load_references

    many = {kind: len(reference.scores) for kind, reference in load_references().items()}
    words = f"({many['commercial']} commercial ones, {many['home']} homes)"
    assert words in page(district())
    assert words in (project_root / "docs" / "meters.md").read_text(encoding="utf-8")


def test_what_no_meter_shows_is_a_share_of_the_transformer() -> None:
    """A transformer's head is no site."""
    row = miner()
    assert row.estimate is not None
    head = replace(row, estimate=replace(row.estimate, mode=Mode.UNMETERED))
    assert "31 % of the transformer's energy" in " ".join(sentences(head))
    assert "31 % of the transformer&#39;s energy" in page(replace(district(), rows=[head]))
    assert "31 % of the site's energy" in " ".join(sentences(row))


def test_since_when_is_said_once() -> None:
    """Not as part of the mode, and again."""
    row = miner()
    assert row.estimate is not None
    before = replace(row, estimate=replace(row.estimate, mode=Mode.ALWAYS_ON, onset=None))
    for one in (row, before):
        assert " ".join(sentences(one)[1:2]).count("since") == 1


def test_sentences_tell_the_standing_of_each_explanation() -> None:
    """Possible, excluded and untested stand apart, each with its figures."""
    said = " ".join(sentences(miner()))
    assert "It could also be: server room (" in said
    assert "Excluded: electric heating (The step keeps its size" in said
    assert "Not tested: PV (" in said
    assert "34,700 kWh x 0.214 GBP/kWh = 7,426 GBP (prices.csv, mean of the hours" in said
    assert "4 to 16 machines of known models" in said
    assert " mines" not in said


def test_csv_is_safe_and_complete() -> None:
    """One flat row each; no cell begins a formula."""
    result = replace(district(), rows=[miner(FORMULA), *district().rows[1:]])
    rows = list(csv.DictReader(meters_csv(result, everything=True)))
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert rows[0]["usage_point"] == "'" + FORMULA
    assert rows[1]["onset_estimate"] == ""
    assert rows[1]["mode"] == "night_only"
    assert rows[-1]["score"] == ""
    assert rows[-1]["insufficient"].startswith("load_step: 9 days")
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5", "6"]


def test_hostile_text_is_harmless() -> None:
    """Identifiers come out of files that anybody may have written."""
    result = hostile()
    text = (
        table(result, everything=True)
        + page(result, everything=True)
        + meters_json(result, everything=True, generated_ns=NOW_NS)
    )
    for character in ("\x1b", "\u202e", "\u2066", "\x7f", "\udc80"):
        assert character not in text
    assert "<script" not in page(result)
    assert "<img" not in page(result)


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name == "href" and value:
                self.links.append(value)
        if tag not in {"meta", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_one_file_without_script() -> None:
    """Everything is in it: a card for each that stands out, its drawing, what else it could be, what is not seen."""
    text = page(district(), everything=True)
    outline = Outline()
    outline.feed(text)
    assert not outline.open
    assert "script" not in outline.tags
    assert "link" not in outline.tags
    assert len(outline.ids) == len(set(outline.ids))
    assert all(link[1:] in outline.ids for link in outline.links if link.startswith("#"))
    assert not [link for link in outline.links if not link.startswith("#")]
    assert outline.tags.count("article") == 3
    assert text.count('class="timeline load"') == 2
    assert "evidence 10<sup>1.83</sup>." in text
    assert "10^" not in text
    plain = html.unescape(re.sub(r"<[^>]+>", " ", text))
    for words in (
        "2 entries on the list, about 0.1 of them expected to be wrong",
        "What this cannot see",
        CANNOT_SEE[0],
        "What else it could be",
        "Calculation sheet",
        "Blind spots",
        "excluded",
        "middle 90 % of comparable points",
        "by chance alone about 0.1 of 5 rows",
        PEOPLE_DECIDE,
    ):
        assert words in plain, words


def test_page_allows_its_own_style_only() -> None:
    """The policy names the digest of the style that is in the page."""
    import base64
    import hashlib

    text = page(district())
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in text


def test_page_is_written_whole(tmp_path: Path) -> None:
    """A file, replaced as a whole."""
    path = tmp_path / "meters.html"
    write_meters_html(district(), path, generated_ns=NOW_NS)
    assert path.read_text(encoding="utf-8") == page(district())


def test_drawing_has_all_lines() -> None:
    """Readings, fitted floor, peers' band, residual; gaps are gaps."""
    drawn = draw_load(drawing())
    assert drawn is not None
    for kind in ("mean", "floor", "fitted", "peers", "residual"):
        assert f'class="{kind}"' in drawn.svg
    assert re.search(r'class="mean" d="M[^"]*M', drawn.svg), "the gap breaks the line"
    assert "nan" not in drawn.svg
    assert drawn.description.startswith("2022-01-01 to 2022-04-22: the peers' middle 90 %")


def test_band_is_scaled_to_what_was_before_the_onset() -> None:
    """Else the load itself lifts the band above the point's own past."""
    whole, onset_s = drawing(), START_S + 44 * DAY_S
    onset = Onset(*[(onset_s + shift) * 1_000_000_000 for shift in (-DAY_S, 0, DAY_S)])
    known = [watts for watts in whole.mean_w if math.isfinite(watts)]
    before = [watts for watts in whole.mean_w[:43] if math.isfinite(watts)]
    scaled, done = scaled_before(whole, onset)
    assert done
    factor = (sum(before) / len(before)) / (sum(known) / len(known))
    assert factor < 0.9
    assert scaled.peers_high_w == pytest.approx([watts * factor for watts in whole.peers_high_w])
    assert scaled.mean_w == whole.mean_w
    assert "before the onset" in dict(parts_of(scaled, before_onset=done))["peers"]
    early = Onset(*[(START_S + day * DAY_S) * 1_000_000_000 for day in (12, 13, 14)])
    assert scaled_before(whole, early) == (whole, False), "too few days before it"
    assert scaled_before(whole, None) == (whole, False)


def test_drawing_of_many_years_is_thinned_and_says_so() -> None:
    """Twelve years are no more points than half a year."""
    long = draw_load(drawing(days=4_380))
    assert long is not None
    assert long.notes == ("each point is the mean of 9 days",)
    assert len(long.svg) < 60_000


@pytest.mark.parametrize(
    "empty",
    [
        LoadDrawing(day_start_s=(), mean_w=(), floor_w=()),
        LoadDrawing(day_start_s=(START_S,), mean_w=(math.nan,), floor_w=(math.nan,)),
    ],
)
def test_nothing_to_draw(empty: LoadDrawing) -> None:
    """A point without a reading has no picture."""
    assert draw_load(empty) is None


def test_one_day_zero_and_feed_in_are_drawn() -> None:
    """A single day is a dash; a load of nothing has a scale; feed-in lies below zero."""
    one = draw_load(LoadDrawing(day_start_s=(START_S,), mean_w=(5.0,), floor_w=(0.0,)))
    assert one is not None
    assert "h2" in one.svg
    nothing = draw_load(LoadDrawing(day_start_s=(START_S, START_S + DAY_S), mean_w=(0.0, 0.0), floor_w=(0.0, 0.0)))
    assert nothing is not None
    assert "nan" not in nothing.svg
    below = draw_load(LoadDrawing(day_start_s=(START_S, START_S + DAY_S), mean_w=(-900.0, 400.0), floor_w=(0.0, 0.0)))
    assert below is not None
    assert "-1 kW" in below.svg


def test_no_row_speaks_of_people() -> None:
    """A usage point is a place in a grid."""
    assert not [name for name in UsagePointResult.__slots__ if re.search(r"person|owner|customer_name", name)]


def test_a_period_ends_with_its_last_day() -> None:
    """Its end is exclusive: midnight belongs to no day that has data. Days and axis are the zone's; JSON stays UTC."""
    start_s = START_S - 8 * 3600  # 2022-01-01 00:00 in Beijing
    days = tuple(start_s + day * DAY_S for day in range(31))
    flat = (1_000.0,) * len(days)
    row = replace(
        miner(), started_ns=start_s * 1_000_000_000, ended_ns=(start_s + 31 * DAY_S) * 1_000_000_000,
        drawing=LoadDrawing(day_start_s=days, mean_w=flat, floor_w=flat),
    )  # fmt: skip
    result = replace(district(), zone="Asia/Shanghai", rows=(row,))
    (read,) = [line for line in summary_lines(result) if line.startswith("Read: ")]
    assert "2022-01-01 to 2022-01-31;" in read
    assert read.endswith(" Days are those of Asia/Shanghai.")
    html = page(result)
    assert '<span class="kind">2022-01-01 to 2022-01-31</span>' in html
    assert "Load, 2022-01-01 to 2022-01-31: " in html
    assert "2021-12-31" not in html
    document = json.loads(next(meters_lines(result, everything=True)))
    assert document["zone"] == "Asia/Shanghai"
    assert document["period"] == {"start": "2021-12-31T16:00:00.000000000Z", "end": "2022-01-31T16:00:00.000000000Z"}
    assert next(iter(csv.DictReader(meters_csv(result, everything=True))))["zone"] == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("days", "words", "between"),
    [
        ((40, 40, 40), "since 2022-02-10;", "on that day"),
        ((39, 40, 42), "since 2022-02-10 (2022-02-09 to 2022-02-12);", "2022-02-09 to 2022-02-12 (95 %)"),
    ],
)
def test_an_interval_of_one_day_is_one_day(days: tuple[int, int, int], words: str, between: str) -> None:
    """Not from a day to the same day."""
    row = miner()
    assert row.estimate is not None
    onset = Onset(*[(START_S + day * DAY_S + 3600 * hour) * 1_000_000_000 for hour, day in enumerate(days)])
    row = replace(row, estimate=replace(row.estimate, onset=onset))
    assert any(words in line for line in sentences(row))
    assert between in page(replace(district(), rows=(row,)))


def test_days_are_those_of_the_meters_zone() -> None:
    """A load that begins at midnight in Beijing begins on that day, and not on the day before it."""
    row = miner()
    assert row.estimate is not None
    at_ns = (START_S + 40 * DAY_S - 8 * 3600) * 1_000_000_000  # 2022-02-10 00:00 in Beijing
    row = replace(row, estimate=replace(row.estimate, onset=Onset(at_ns, at_ns, at_ns)))
    assert any("since 2022-02-10" in line for line in sentences(row, zone="Asia/Shanghai"))
    assert any("since 2022-02-10" in line for line in brief_sentences(row, zone="Asia/Shanghai"))
    assert "2022-02-10" in cells(row, periods=False, zone="Asia/Shanghai")
    assert "2022-02-09" in cells(row, periods=False)
    assert "2022-02-09" in cells(row, periods=False, zone="no such zone")
    result = replace(district(), zone="Asia/Shanghai", rows=(row,))
    assert "2022-02-10" in table(result)
    assert "2022-02-09" not in table(result)
    assert "2022-02-10" in page(result)
    assert "2022-02-09" not in page(result)
