"""How documents of a case lie on paper and on screens: nothing cut off, alone, over one another, or unsaid."""

import html
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from headframe.records.case import DocumentKind
from headframe.records.finding import Interval
from headframe.reports.case_documents.drawings import plot_bars, plot_before_after, plot_power
from headframe.reports.case_documents.general import weekly_report
from headframe.reports.case_documents.model import (
    Callout,
    CaseDocument,
    Paragraph,
    RightLine,
    Rights,
    Section,
    Side,
    Sides,
    Signature,
    Signatures,
    Subheading,
    Table,
)
from headframe.reports.case_documents.page import SHARE_STEP, to_page
from headframe.reports.case_documents.speech import LANGUAGES, Speech
from headframe.reports.page import asset
from headframe.reports.pdf import to_pdf
from tests.reports import case_samples as samples
from tests.reports.test_case_documents import (
    KINDS,
    ME,
    Reader,
    built,
    certificate,
    document,
    figures,
    load_held,
    pack,
    pdf_of,
    plots,
    said,
)

A4_WIDTH, A4_HEIGHT = 595.3, 841.9
"""[pt]"""
LONG = "Whoever answers may write as much as he likes, and what he wrote must be there to the last word. " * 60


def words_of(data: bytes, folder: Path, pdftotext: str) -> list[tuple[int, float, float, float, float, str]]:
    """Page, left, top, right, bottom and text of each word of a PDF. [pt]"""
    path = folder / "document.pdf"
    path.write_bytes(data)
    made = subprocess.run([pdftotext, "-bbox", str(path), "-"], check=True, capture_output=True, text=True).stdout
    found: list[tuple[int, float, float, float, float, str]] = []
    for page, part in enumerate(made.split("<page ")[1:], 1):
        for box in re.finditer(
            r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>', part
        ):
            left, top, right, bottom = map(float, box.groups()[:4])
            found.append((page, left, top, right, bottom, html.unescape(box[5])))
    return found


def with_section(*blocks: object) -> CaseDocument:
    """A certificate with a section of these blocks: the smallest document there is."""
    made = certificate("en")
    section = Section(title="What was added", blocks=blocks)  # type: ignore[arg-type]
    return replace(made, sections=(*made.sections, section))


LONG_BLOCKS = {
    "callout": Callout(title="Callout", lines=(LONG, LONG)),
    "sides": Sides(
        sides=(Side(title="For", items=(LONG,)), Side(title="Against", items=("x",)), Side(title="Open", items=(LONG,)))
    ),
    "rights": Rights(
        rights=(RightLine(title="Right", text=LONG, due="never", basis=LONG, notes=(LONG,)),),
        due_label="Until", basis_label="Basis",
    ),
    "signatures": Signatures(
        signatures=tuple(Signature(role="Approved", unit="Unit", account=f"a-{n}", when="now") for n in range(40))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG_BLOCKS)
def test_what_is_longer_than_a_page_goes_on_on_the_next(
    name: str, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    """A block that is kept together and does not fit runs out of the page: nobody is told what stands there."""
    words = words_of(to_pdf(with_section(LONG_BLOCKS[name])), tmp_path, require_tool("pdftotext"))
    assert words[-1][0] >= 2
    outside = [one for one in words if one[4] > A4_HEIGHT - 30 or one[3] > A4_WIDTH or min(one[1:3]) < 0]
    assert not outside, outside[:3]


def pages_of(data: bytes, folder: Path, pdftotext: str) -> Iterator[list[str]]:
    """Lines of each page, without its head and foot."""
    path = folder / "document.pdf"
    path.write_bytes(data)
    # A4 at 72 dpi is 595 by 842; header and footer lie in the margins.
    box = ["-x", "0", "-y", "60", "-W", "595", "-H", "715"]
    made = subprocess.run(
        [pdftotext, "-layout", "-enc", "UTF-8", *box, str(path), "-"], check=True, capture_output=True, text=True
    )
    for page in made.stdout.split("\f"):
        yield [re.sub(r"\s+", "", line) for line in page.splitlines() if line.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [*KINDS, DocumentKind.WEEKLY_REPORT], ids=lambda kind: kind.value)
def test_no_heading_and_no_introduction_ends_a_page(
    kind: DocumentKind, language: str, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    """A heading with a line of introduction at the foot of a page says nothing; heads of columns alone neither."""
    if kind is DocumentKind.WEEKLY_REPORT:
        doc = weekly_report(figures(), pack(), language, samples.OPENED_NS + 8 * samples.DAY, prepared_by=ME)
        data = to_pdf(doc)
    else:
        doc, data = document(kind, language), pdf_of(kind, language)
    alone: set[str] = set()
    for section in doc.sections:
        alone.add(section.title)
        first = section.blocks[0]
        if isinstance(first, Paragraph) and len(section.blocks) > 1 and len(first.text) < 600:
            alone.add(first.text)
        for block in section.blocks:
            if isinstance(block, Subheading):
                alone.add(block.text)
            if isinstance(block, Sides):
                alone.add("".join(side.title for side in block.sides))
            if isinstance(block, Table):
                alone.add("".join(column.head for column in block.columns))
    squeezed = {re.sub(r"\s+", "", text) for text in alone}
    pages = [page for page in pages_of(data, tmp_path, require_tool("pdftotext")) if page]
    ends = [page[-1] for page in pages[:-1]]
    assert not [end for end in ends if end in squeezed or (len(end) > 30 and any(t.endswith(end) for t in squeezed))]


@pytest.mark.parametrize(("points", "beside"), [(8, True), (80, False)])
def test_sides_that_fill_pages_stand_one_below_the_other(
    points: int, beside: bool, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    """On a second page a narrow column has no name above it: a point would be read for the other side."""
    some = tuple(f"Point {n} of those that speak for it, in a few words that take two lines." for n in range(points))
    sides = Sides(
        sides=(Side(title="For", items=some), Side(title="Against", items=("x",)), Side(title="Open", items=()))
    )
    filler = tuple(Paragraph(text=f"Line {n}.") for n in range(12))
    pages = list(pages_of(to_pdf(with_section(*filler, sides)), tmp_path, require_tool("pdftotext")))
    assert any("ForAgainstOpen" in page for page in pages) is beside
    assert sum(any("Point" in line for line in page) for page in pages) == (1 if beside else 2), "two pages of points"
    if not beside:
        lines = [line for page in pages for line in page]
        assert lines[lines.index("For") + 1].startswith("–Point0")


def test_a_case_number_does_not_run_into_the_next_column(tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    """Of the ledger: it has no place to break."""
    doc = weekly_report(figures(), pack(), "en", samples.OPENED_NS + 8 * samples.DAY, prepared_by=ME)
    words = words_of(to_pdf(doc), tmp_path, require_tool("pdftotext"))
    place = next(k for k, one in enumerate(words) if one[5].startswith(samples.CASE_ID))
    assert words[place][5] == samples.CASE_ID
    assert words[place + 1][5] == "(not"
    assert words[place + 1][1] - words[place][3] > 5


# ----------------------------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_what_a_picture_shows_is_told_whole(kind: DocumentKind, language: str) -> None:
    """To those who do not see it, on the page as in the PDF: not its first half with a count of what is left off."""
    for plot in plots(document(kind, language)):
        label = re.search(r'aria-label="([^"]*)"', plot.svg)
        assert label is not None
        assert html.unescape(label[1]) == plot.description


@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures_without_a_time_axis_have_a_scale(language: str) -> None:
    """Bars without numbers below them show which is longer, and not how long."""
    power = {name: {"low": low, "estimate": 2.1e4, "high": 2.2e4} for name, low in (("a", 2e4), ("b", 1e4))}
    held = [load_held(power_w=one) for one in power.values()]
    plot = plot_power(held, Speech(language, "UTC"))
    assert plot is not None
    assert re.findall(r'<g class="axis">.*</g>', plot.svg)
    assert re.findall(r">([^<>]+)</text>", plot.svg)[-3:] == ["0", "12.5 kW", "25 kW"]
    assert plot.description.count("21 kW") == 2, "its description tells the figures"
    assert plot.notes == (), "none of the two is implied"


def test_bars_are_told_with_their_numbers() -> None:
    plot = plot_bars([("Opened", 12), ("Closed", None)], "Cases", "not shown", Speech("en", "UTC"))
    assert plot is not None
    assert 'aria-label="Cases. ' in plot.svg
    assert "Opened: 12" in plot.svg
    assert "Closed: not shown" in plot.svg


def test_the_name_of_an_axis_leaves_room_for_its_numbers() -> None:
    """Of a metric with a long unit the caption tells the name, and the axis the unit."""
    measured = replace(samples.measurement(), plot_metric="pool_connections", plot_unit="mining conversations/day")
    plot = plot_before_after(measured, Speech("en", "UTC"))
    assert plot is not None
    assert ">mining conversations/day<" in plot.svg
    assert "Pool connections" in plot.caption


# ---------------------------------------------------------------------------------------------------- pages on screens


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_what_looks_like_a_heading_is_one(kind: DocumentKind) -> None:
    """A screen reader goes from heading to heading; bold words are none. None skips a level."""
    doc = document(kind, "en")
    reader = Reader()
    page = to_page(doc)
    reader.feed(page)
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for section in doc.sections:
        for block in section.blocks:
            if isinstance(block, Subheading):
                assert f"<h3>{html.escape(block.text, quote=False)}</h3>" in html.unescape(page).replace("&", "&amp;")
    assert any(isinstance(block, Subheading) for section in doc.sections for block in section.blocks)
    assert all(attrs.get("scope") for tag, attrs in reader.tags if tag == "th")


def test_every_width_of_a_column_has_its_rule() -> None:
    """The page allows no style but its sheet's, so a width that is not in it would be none."""
    style = asset("case_document.css")
    used = set()
    for kind in KINDS:
        used |= set(re.findall(r'<th scope="col" class="w(\d+)', to_page(document(kind, "en"))))
    assert len(used) > 3
    for width in range(SHARE_STEP, 101, SHARE_STEP):
        assert f".w{width} {{ width: {width}%; }}" in style
    assert all(int(width) % SHARE_STEP == 0 and int(width) <= 100 for width in used)


_MEASURE = """<!doctype html><meta charset="utf-8"><body><script>
const pages = %s, told = [];
function next(k) {
  if (k >= pages.length) { document.body.innerHTML = "<p>" + JSON.stringify(told) + "</p>"; return; }
  const [name, width, page] = pages[k], frame = document.createElement("iframe");
  frame.style = "border:0;height:2000px;width:" + width + "px";
  frame.srcdoc = page;
  frame.onload = () => {
    const inside = frame.contentDocument;
    const bare = one => !one.closest("svg") && !one.closest("thead") && !one.classList.contains("skip");
    const over = [...inside.querySelectorAll("main *")].filter(bare)
      .filter(one => one.getBoundingClientRect().right > width + 0.5).map(one => one.tagName + one.className);
    const texts = [...inside.querySelectorAll("svg text")].filter(one => one.textContent)
      .map(one => ({of: one.closest("svg"), words: one.textContent, box: one.getBoundingClientRect()}));
    for (const one of texts)
      for (const other of texts)
        if (one !== other && one.of === other.of && one.box.left <= other.box.left
            && one.box.right > other.box.left + 1
            && Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top) > 3)
          over.push(one.words + " over " + other.words);
    told.push([name, width, texts.length, over.slice(0, 4)]);
    frame.remove();
    next(k + 1);
  };
  document.body.append(frame);
}
next(0);
</script>"""


def in_chromium(page: str, folder: Path, *more: str) -> str:
    """What a browser makes of a page; the test is left out where there is none."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium here to lay the page out")
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={folder}/profile", *more, str(path),
        ],
        capture_output=True, text=True, timeout=180, check=True,
    )  # fmt: skip
    return done.stdout


def test_no_document_is_wider_than_a_telephone_and_no_label_covers_another(tmp_path: Path) -> None:
    """In a real browser, at 320 px (WCAG 2.2, 1.4.10), 360 px and on a desk."""
    docs = {
        f"{kind.value} {language}": document(kind, language)
        for kind in (DocumentKind.NOTICE, DocumentKind.VERIFICATION_REPORT, DocumentKind.CLOSURE)
        for language in LANGUAGES
    }
    docs["weekly"] = weekly_report(figures(), pack(), "en", samples.OPENED_NS + 8 * samples.DAY, prepared_by=ME)
    long = replace(samples.measurement(), plot_metric="pool_connections", plot_unit="mining conversations/day")
    docs["long unit"] = built(DocumentKind.VERIFICATION_REPORT, measurement=long)
    file = samples.case_file(pack(), until=7)
    docs["long names"] = built(
        DocumentKind.NOTICE, file=replace(file, site_name="Wasserkraftgenossenschaftshalle " * 6, organisation_name="")
    )
    pages = [(name, width, to_page(doc)) for name, doc in docs.items() for width in (320, 360, 1440)]
    measure = _MEASURE % json.dumps(pages).replace("<", "\\u003c")
    told = in_chromium(measure, tmp_path, "--window-size=1500,2100", "--virtual-time-budget=60000", "--dump-dom")
    measured = json.loads(html.unescape(re.search(r"<p>(.*)</p>", told, re.DOTALL)[1]))  # type: ignore[index]
    assert len(measured) == len(pages)
    assert sum(one[2] for one in measured) > 100, "there are labels to measure"
    assert [one for one in measured if one[3]] == []


def test_what_is_read_in_dark_is_printed_on_white(tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    """Whoever chose the dark colours on the screen does not mean to print pages of ink."""
    page = to_page(document(DocumentKind.CLOSURE, "en"))
    assert page.count('id="theme-auto" checked') == 1
    page = page.replace('id="theme-auto" checked', 'id="theme-auto"').replace(
        'id="theme-dark"', 'id="theme-dark" checked'
    )
    in_chromium(page, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path}/print.pdf")
    done = subprocess.run(
        [require_tool("pdftoppm"), "-r", "10", "-gray", "-l", "1", f"{tmp_path}/print.pdf"],
        capture_output=True, check=True,
    )  # fmt: skip
    pixels = done.stdout.split(b"\n255\n", 1)[1]
    assert sum(pixels) / len(pixels) > 200


# --------------------------------------------------------------------------------------------------------- open places


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_nobody_signed_says_so_and_has_no_date(language: str) -> None:
    """A letter that the program wrote by itself was prepared by nobody: "open", in bold, with a date, says nothing."""
    words = LANGUAGES[language]["sign.open"]
    doc = weekly_report(figures(), pack(), language, samples.OPENED_NS + 8 * samples.DAY)
    (sign,) = next(block for block in doc.sections[-1].blocks if isinstance(block, Signatures)).signatures
    assert (sign.unit, sign.account, sign.when) == ("", "", words)
    assert len(words) > 3


def test_a_certificate_tells_in_chinese_what_is_left_and_why() -> None:
    """Its class and our own reasons are translated; a fault of a system is marked as the original."""
    reasons = (
        "photo 9f86: it must stay now: a legal hold, or a case that needs it, came up since",
        "reading 2026-03: the lake could not be changed: No space left on device; it is due again, and what is left "
        "goes then",
        "contact C-1: [Errno 13] Permission denied",
    )
    made = {language: said(certificate(language, failed=reasons)) for language in LANGUAGES}
    assert "照片 9f86：现须保留" in made["zh"]
    assert "电量数据和流量摘录 2026-03：数据湖未能更改：No space left on device；仍须销毁" in made["zh"]
    assert "送达地址 C-1：（系统原文）[Errno 13] Permission denied" in made["zh"]
    assert "Photos, 9f86: it must stay now" in made["en"]


def test_an_interval_of_one_fact_alone_is_no_comparison() -> None:
    power = Interval(1.0, 2.0, 3.0)
    one = load_held(power_w={"low": power.low, "estimate": power.estimate, "high": power.high})
    assert plot_power([one], Speech("en", "UTC")) is None


def test_large_counts_are_written_alike_and_the_total_is_drawn_once() -> None:
    """13,000 in the picture and 13000 in the table are two figures; the same picture twice is two totals."""
    table = figures().funnels[0]
    rows = tuple((f"CN-{n}", *(["*", "13000"] * 7)[: len(table.header) - 1]) for n in range(7))
    many = replace(table, header=("region", *table.header[1:]), rows=(*rows, ("total", *rows[0][1:])))
    few = replace(table, rows=tuple((name, *rows[0][1:]) for name in ("campus", "total")))
    doc = weekly_report(replace(figures(), funnels=(few, many)), pack(), "en", samples.OPENED_NS, prepared_by=ME)
    assert "13000" not in said(doc)
    assert said(doc).count("13,000") > 40
    assert len(list(plots(doc))) == 1
    assert "\nRegion\n" in said(doc)
