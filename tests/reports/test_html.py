"""The HTML report."""

import base64
import hashlib
import html
import itertools
import json
import re
import shutil
import subprocess
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from headframe.records.scan import Damage, InputSummary, ScanResult
from headframe.reports.html import render_html, write_html
from tests.reports import samples

VOID = {"meta", "link", "input", "br", "hr", "img", "col"}


class Page(HTMLParser):
    """What a browser would make of the page: tags with attributes, and text by element."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def all(self, tag: str, css_class: str | None = None) -> list[dict[str, str | None]]:
        return [
            attrs for name, attrs in self.tags
            if name == tag and (css_class is None or css_class in (attrs.get("class") or "").split())
        ]  # fmt: skip


def page_of(result: ScanResult) -> Page:
    return Page(render_html(result, generated_ns=samples.START_NS))


@pytest.fixture(params=sorted(samples.SCANS))
def name(request: pytest.FixtureRequest) -> str:
    """The name of each sample scan in turn."""
    return request.param


def test_page_is_well_formed(name: str) -> None:
    """Every element that opens is closed in order, ids are unique, and inner links lead somewhere."""
    page = page_of(samples.SCANS[name]())
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert (link["href"] or "")[0] == "#"
        assert (link["href"] or "")[1:] in ids
    for _, attrs in page.tags:
        for reference in (attrs.get("aria-labelledby"), attrs.get("for")):
            assert reference is None or reference in ids


def test_page_loads_and_runs_nothing(name: str) -> None:
    """One file, no script, no request: by content, and by a policy that the browser enforces."""
    source = render_html(samples.SCANS[name](), generated_ns=0)
    page = Page(source)
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy") or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "script-src" not in policy
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL).group(1)  # type: ignore[union-attr]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert "url(" not in style
    assert "@import" not in style
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "base", "video", "audio", "image", "use"}
    for tag, attrs in page.tags:
        assert "style" not in attrs, "the policy forbids style attributes"
        assert not [key for key in attrs if key.startswith("on")]
        assert "src" not in attrs
        if tag == "link":
            assert (attrs["href"] or "").startswith("data:image/svg+xml,")


def test_hostile_text_is_shown_and_does_nothing() -> None:
    """Every text from traffic appears as text; none becomes a tag, an attribute, a template or a control character."""
    clean_tags = {tag for scan in (samples.mixed, samples.timed) for tag, _ in page_of(scan()).tags}
    source = render_html(samples.hostile(), generated_ns=0)
    page = Page(source)
    assert {tag for tag, _ in page.tags} <= clean_tags
    assert "<script>alert(1)</script>" in page.words
    assert "{{7*7}}" in page.words
    assert samples.FORMULA in page.words
    assert source.replace("\n", "").isprintable()
    source.encode("utf-8")


def test_one_card_for_each_finding_and_a_row_in_the_overview() -> None:
    """Each host is in the table at the top, which leads to its card."""
    page = page_of(samples.mixed())
    cards = page.all("article", "card")
    assert len(cards) == 4
    targets = [link["href"] for link in page.all("a") if (link["href"] or "").startswith("#finding-")]
    assert targets == [f"#{card['id']}" for card in cards]


def test_card_says_all_that_the_finding_says() -> None:
    """Host, role, coin, pool, peer, protocol, time, hash rate, power, shares, evidence, doubts and references."""
    words = page_of(samples.mixed()).words
    finding = samples.miner()
    for part in (
        "192.0.2.41", "pool.minexmr.com", "198.51.100.7:4444", "cryptonote", "XMRig/6.10.0",
        "2021-04-16 03:09:47 to 09:09:47", "(6 h)", "2.98 kH/s", "95 % interval 2.71 to 3.27 kH/s", "95 W",
        "interval 48 to 210 W", "at most 1 in 1.9 million innocent hosts would show this", finding.explanation,
        *finding.contradictions, *finding.blind_spots, *(line.text for line in finding.evidence),
        "7 packets (104, 106-108, 131, 133, 150)", finding.community_ids[0], finding.accounts[0],
    ):  # fmt: skip
        assert part in words, part
    assert f"{finding.shares.rejected} rejected, {finding.shares.stale} stale" in words


def test_summary_comes_first() -> None:
    """Found, how sure, told apart and not readable stand before the first finding."""
    words = page_of(samples.mixed()).words
    summary = words[: words.index("Findings at a glance")]
    for part in (
        "Traffic of 2 hosts shows mining",
        "2 miners, 1 probe, 1 contact.",
        "At most 1 in 1.9 million innocent hosts would show as much as even the weakest of the miners.",
        "2 conversations only looked like mining, and were told apart.",
        "2 stretches in 1 file. All that could be read was used",
        "This report proposes; people decide.",
        "1,344,909",
    ):
        assert part in summary, part


@pytest.mark.parametrize(
    ("scan", "headline"),
    [
        ("clean", "No mining found in what was read"),
        ("empty", "There was nothing to read"),
        ("mixed", "Traffic of 2 hosts shows mining"),
    ],
)
def test_headline(scan: str, headline: str) -> None:
    """The first sentence is the answer."""
    assert headline in page_of(samples.SCANS[scan]()).words


def test_nothing_found_is_not_sold_as_proof() -> None:
    """Absence of evidence is stated as such."""
    assert "does not prove that there is none" in page_of(samples.clean()).words


def test_victim_is_not_an_offender() -> None:
    """A host that reached a malware relay is called a probable victim, and no other host is."""
    words = page_of(samples.mixed()).words
    assert words.count("Probably a victim, not an offender.") == 1
    assert "Probably a victim" not in page_of(ScanResult(findings=[samples.miner()], packets=1)).words


def test_damage_is_listed_by_offset() -> None:
    """The byte at which reading stopped, for each damaged stretch."""
    words = page_of(samples.mixed()).words
    assert "4,194,304 1,312 1 bad record header" in words
    assert "91,110,000 2,004 not known truncated" in words


def test_an_input_that_could_not_be_opened_has_neither_offset_nor_length() -> None:
    """It is counted as a file, not as a stretch of 0 bytes, and its reason does not repeat its name."""
    result = samples.mixed()
    damage = Damage(file="gone.pcap", offset=0, length=0, packets=0, reason="gone.pcap: no such file")
    result.inputs.append(InputSummary(file="gone.pcap", damage=[damage]))
    words = page_of(result).words
    assert "2 stretches in 1 file and 1 file as a whole. All that could be read was used" in words
    assert "What was not readable: 2 stretches in 1 file and 1 file as a whole" in words
    assert "gone.pcap all not known not known no such file" in words


_MEASURE = """<!doctype html><body>
<iframe style="width:{width}px;height:4000px;border:0" srcdoc="{page}"></iframe>
<script>
addEventListener("load", () => {{
  const inside = document.querySelector("iframe").contentDocument;
  const width = inside.documentElement.clientWidth;
  const cells = [...inside.querySelectorAll(".overview th, .overview td")].filter(c => c.closest("tbody"));
  const over = cells.filter(c => c.getBoundingClientRect().right > width || c.scrollWidth > c.clientWidth + 1);
  const boxes = [...inside.querySelectorAll("dd, p, figure, .chains td")];
  over.push(...boxes.filter(box => box.getBoundingClientRect().right > width + 0.5));
  const page = inside.documentElement.scrollWidth - width;
  document.body.innerHTML =
    "<p>" + JSON.stringify({{cells: cells.length, page: page, over: over.map(c => c.textContent)}}) + "</p>";
}});
</script>"""


@pytest.mark.parametrize("width", [320, 360, 480, 500, 640])
def test_nothing_is_clipped_on_a_telephone(tmp_path: Path, width: int) -> None:
    """In a real browser: neither the page nor a cell of the overview is wider than the screen."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium here to lay the page out")
    result = samples.mixed()
    result.findings += [
        replace(samples.miner(), host="2001:db8:4100:1111:2222:3333:4444:5555", log10_e=12.9),
        replace(samples.miner(), host="198.51.100.200", log10_e=2.7627),
        samples.timing_miner(),
        samples.timing_miner(6, host="198.51.100.200", peer=samples.miner().peer),
    ]
    result.remarks = [
        "/a/very/long/path/without/any/place/to/break/it/at/all/clock_of_blocks.csv: XMR: 9 heights missing"
    ]
    page = _MEASURE.format(width=width, page=html.escape(render_html(result, generated_ns=0)))
    (tmp_path / "measure.html").write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile",
            "--window-size=800,4100", "--dump-dom", str(tmp_path / "measure.html"),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    measured = json.loads(html.unescape(re.search(r"<p>(.*)</p>", done.stdout)[1]))  # type: ignore[index]
    assert measured["cells"] >= 7 * 6
    assert (measured["page"], measured["over"]) == (0, [])


def test_lookalikes_and_open_questions_are_explained() -> None:
    """What was told apart, and how that is known."""
    words = page_of(samples.mixed()).words
    for part in ("plain JSON-RPC", "a miner would ask for work", "inside a PRIVMSG line", "Only the server's side"):
        assert part in words


def test_headings_do_not_skip_a_level(name: str) -> None:
    """One h1, and each heading at most one deeper than the one before: how a screen reader finds its way."""
    levels = [int(tag[1]) for tag, _ in page_of(samples.SCANS[name]()).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_tables_are_tables_and_pictures_have_words(name: str) -> None:
    """Header cells have a scope; each timeline has a text for those who do not see it."""
    page = page_of(samples.SCANS[name]())
    assert page.all("html")[0]["lang"] == "en"
    assert all(cell.get("scope") in {"col", "row"} for cell in page.all("th"))
    for svg in page.all("svg", "timeline"):
        assert svg["role"] == "img"
        assert "delays" in (svg["class"] or "") or "UTC:" in (svg["aria-label"] or "")
        assert len(svg["aria-label"] or "") > 40


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def palettes(style: str) -> list[dict[str, str]]:
    found = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for block in re.findall(r"\{([^{}]*--paper:[^{}]*)\}", style)
    ]
    assert len(found) == 5  # light, dark by preference, light by choice, dark by choice, print
    return found


def test_contrast_is_aa_in_every_theme() -> None:
    """4.5 to 1 for text on each ground it stands on (WCAG 2.2, 1.4.3)."""
    style = re.search(r"<style>(.*?)</style>", render_html(samples.clean(), generated_ns=0), re.DOTALL).group(1)  # type: ignore[union-attr]
    light, dark, light_chosen, dark_chosen, _print = palettes(style)
    assert light == light_chosen
    assert dark == dark_chosen
    for theme in (light, dark):
        for ground in ("paper", "card", "sunken", "victim"):
            for ink in ("ink", "soft", "accent", "red", "amber", "green", "violet", "blue"):
                if ground == "victim" and ink != "ink":
                    continue
                lighter, darker = sorted((luminance(theme[ground]), luminance(theme[ink])), reverse=True)
                assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (ground, ink)


def test_a_thousand_findings_stay_usable() -> None:
    """Below 10 MB, and the cost is linear: four times the findings take no more than about four times as long."""

    def seconds(number: int) -> tuple[float, int]:
        scan = samples.many(number)
        started = time.process_time()
        text = render_html(scan, generated_ns=0)
        return time.process_time() - started, len(text.encode())

    seconds(20)  # the first one loads Jinja
    quarter_s, _ = seconds(250)
    whole_s, whole_bytes = seconds(1_000)
    print(f"1,000 findings: {whole_bytes / 1e6:.2f} MB, {whole_s:.2f} s; 250 findings: {quarter_s:.2f} s")
    assert whole_bytes < 10_000_000
    assert whole_s < 4 * quarter_s * 2 + 0.5


def test_thinned_timelines_say_so() -> None:
    """In a report of many findings pictures are coarser; each states its numbers."""
    page = page_of(samples.many(120))
    assert page.words.count("jobs are drawn as") == 120


def test_more_than_fits_is_counted() -> None:
    """A hundred lines of evidence are not cut without a word."""
    lines = tuple(replace(samples.miner().evidence[0], text=f"share {number}") for number in range(100))
    page = page_of(ScanResult(findings=[samples.miner(evidence=lines)], packets=1))
    assert "60 more lines are not listed here" in page.words


def test_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the middle leaves the older report in place, and no scrap beside it."""
    path = tmp_path / "report.html"
    write_html(samples.clean(), path, generated_ns=0)
    older = path.read_text(encoding="utf-8")
    assert older.startswith("<!doctype html>")
    broken = samples.mixed()
    broken.findings[0] = None  # type: ignore[call-overload]
    with pytest.raises(AttributeError):
        write_html(broken, path, generated_ns=0)
    assert path.read_text(encoding="utf-8") == older
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_report_is_the_same_for_the_same_scan() -> None:
    """Same scan, same time, same bytes: two reports can be compared."""
    assert render_html(samples.mixed(), generated_ns=1) == render_html(samples.mixed(), generated_ns=1)


def test_cards_leave_out_the_folder_that_all_files_share() -> None:
    """The full names stand once, where it says what was read."""
    page = page_of(samples.mixed())
    assert "#104" not in page.words  # the sign is the style sheet's
    assert "104 site-a.pcapng" in page.words
    assert page.words.count("captures/site-a.pcapng") == 2  # as a file that was read, and for a lookalike
    alone = replace(samples.mixed(), inputs=samples.clean().inputs)
    assert "104 captures/site-a.pcapng" in page_of(alone).words


def card_words(result: ScanResult, host: str) -> str:
    source = render_html(result, generated_ns=0)
    card = next(card for card in re.findall(r"<article.*?</article>", source, re.DOTALL) if f">{host}</h3>" in card)
    return Page(card).words


def test_card_says_all_that_timing_tells() -> None:
    """Blocks, hits, chance, window, offset in plain words, evidence by chain and clock sources; no empty hash rate."""
    words = card_words(samples.timed(), "192.0.2.90")
    for part in (
        "84 of 89", "by a push within 2 s; by chance it would be 2.0", "In step with the blocks of XMR",
        "messages of a job's size", "Traffic and clock overlap for 3 h", "17 s after the blocks (16.5 to 17.5 s)",
        "The sensor's clock is 17 s ahead of the block clock, or the pool needs so long.",
        "XMR 10 71.62 1 in 10 71.62 BTC 10 -0.41 no evidence", "Block clock of XMR: file blocks.csv, monerod",
    ):  # fmt: skip
        assert part in words, part
    assert "Hash rate" not in words
    assert words.count("84 of 89") == 1


def test_two_pictures_for_each_timing_finding_and_none_for_others() -> None:
    """Also where content leads and timing only adds to it."""
    page = page_of(samples.timed())
    assert len(page.all("svg", "course")) == len(page.all("svg", "delays")) == 2
    assert page_of(samples.mixed()).all("svg", "course") == []
    words = card_words(samples.timed(), "192.0.2.41")
    assert "Also, by timing:" in words
    assert "2.98 kH/s" in words
    assert "Blocks followed in time 77 of 80" in words


def test_summary_states_the_promise_of_the_list_and_what_concerns_the_whole_scan() -> None:
    """The error rate with the number tested; a clock of another time is a question that the reader can answer."""
    words = page_of(samples.timed()).words
    summary = words[: words.index("Findings at a glance")]
    assert (
        "The list Timing findings and lookalikes: at most 1 % of them wrong on average "
        "(e-BH over 412 tested pairs of client and server)."
    ) in summary
    assert "Of the whole scan: the clock of BTC knows blocks from" in summary
    assert "Remarks blocks.csv: XMR: 368,296 heights are missing, in 41 places and 1 more, listed below" in summary
    assert "The list" not in page_of(samples.mixed()).words
    assert "The whole scan chain_sync the clock of BTC" in words
    assert "lists/pools.csv, line 7: no address" in words


def test_followers_that_do_not_mine_are_told_apart() -> None:
    """What they are and why, with a peer that may have no port."""
    words = page_of(samples.timed()).words
    assert "192.0.2.111 198.51.100.21:18080 XMR node Of 90 blocks" in words
    assert "192.0.2.112 198.51.100.22 XMR listener The client sent nothing" in words


def test_a_thousand_timing_findings_stay_readable() -> None:
    """Pictures of many findings are coarser, so that the file stays below the size that any browser opens."""
    findings = [samples.timing_miner(seed % 20, host=f"10.0.{seed >> 8}.{seed & 255}") for seed in range(1_000)]
    assert len(render_html(replace(samples.mixed(), findings=findings), generated_ns=0)) < 10_000_000


def test_missing_evidence_is_not_passed_over() -> None:
    """A finding whose evidence bounds nothing must not look as sure as the others."""
    page = page_of(ScanResult(findings=[samples.miner(), samples.miner(host="192.0.2.9", log10_e=0.0)], packets=1))
    assert "How sure Not stated: for the weakest of the miners no evidence was counted." in page.words
    assert "At most 1 in" not in page.words
