"""Pictures of a case's documents, the same in the page and in the PDF.

When it was seen, how it keeps step with a chain, the power, what was measured before and after, and counts.

Instants are drawn on the wall clock of the pack's time zone, as the text tells them. Whatever comes out of a case is
escaped; everything else in a picture is numbers and words of the catalogue.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from headframe.records.case import Measurement
from headframe.records.finding import BlockSync, Interval
from headframe.reports.block_sync import delay_bars, drawn_blocks
from headframe.reports.case_documents.held import Held, interval_of, onset_of
from headframe.reports.case_documents.model import LegendPart, Plot
from headframe.reports.case_documents.speech import Speech, instant_ns
from headframe.reports.meters_drawing import band_outline, line_path, nice_ceiling
from headframe.reports.picture import (
    AXIS_HEIGHT,
    AXIS_UNITS,
    LABEL_HEIGHT,
    LANE_GAP,
    TimeAxis,
    axis_over,
    lane_label,
    stretch,
    ticks,
    time_axis,
)
from headframe.reports.words import NS_PER_S, si, visible

DAY_NS = 86_400 * NS_PER_S
_THIN = 6  # [px]
_BAR = 12  # height of the bar of a period [px]
_HIT, _MISS, _DOT = 16, 7, 8  # [px]
_BARS = 76  # [px]
POWER_HEIGHT = 150  # [px]
_SLOTS = 500
_MOST_LANES = 12
_LONGEST_LABEL = 44  # [characters]
_LONGEST_DESCRIPTION = 2_000  # of every picture in use less than half of it is needed [characters]
_LONGEST_AXIS_NAME = 34  # a longer one reaches the numbers on a telephone [characters]
_LONGEST_SUBJECT = 18  # a longer one does not fit beside its amount on a telephone [characters]

PAPER_WIDTH = 620
"""Width of a picture on paper: at it, letters of 12 px are about as high as the text around them. [px]"""

_PAPER_STYLE = """
text{font-family:FONTS;font-size:12px;fill:#14212b;paint-order:stroke;stroke:#ffffff;stroke-width:3px;stroke-linejoin:round}
.amount{text-anchor:end;fill:#4c5a66}
.axis text{text-anchor:middle;fill:#4c5a66}.axis .first{text-anchor:start}.axis .last{text-anchor:end}
.number{text-anchor:middle}.window-start{text-anchor:start}.window-end{text-anchor:end}
path{fill:none}
.grid{stroke:#ccd6dc;stroke-width:1}
.span{stroke:#0b5566;stroke-width:9;opacity:.28}.tick{stroke:#0b5566;stroke-width:1.6}
.onset{fill:#855000;opacity:.28}.begun{stroke:#855000;stroke-width:2.4}
.hit{stroke:#0b5566;stroke-width:1.8}.miss{stroke:#a3231f;stroke-width:1.8}
.dot{stroke-linecap:round;stroke-width:3.4}.push{stroke:#0a6653}
.band{fill:#855000;opacity:.24}.expected{stroke:#855000;stroke-width:1.6;stroke-dasharray:5 4}
.window{stroke:#4c5a66;stroke-width:1;stroke-dasharray:2 3}
.bar{stroke:#0b5566;stroke-width:6}
.inside{fill:#0b5566}.outside{fill:#ffffff;stroke:#4c5a66;stroke-width:1.6}
.lowest{stroke:#4c5a66;stroke-width:1.1;stroke-linejoin:round}.limit{stroke:#14212b;stroke-width:2}
.looked{fill:#0b5566;opacity:.07}.value{stroke:#0b5566;stroke-width:2.2;stroke-linejoin:round}
"""


def on_paper(svg: str, font_families: Sequence[str]) -> str:
    """A picture as a file of its own, with a width and a style of its own.

    Parameters
    ----------
    svg : str
        As in a `Plot`: it is as wide as its place, and its style is the page's.
    font_families : sequence of str

    Returns
    -------
    str
    """
    fonts = ",".join(f"'{name}'" for name in font_families)
    style = _PAPER_STYLE.replace("FONTS", fonts).replace("\n", "")
    head, _, rest = svg.partition('width="100%"')
    head = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    opened, mark, inner = rest.partition(">")
    return f'{head}width="{PAPER_WIDTH}"{opened}{mark}<style>{style}</style>{inner}'


def plot_findings(held: Sequence[Held], speech: Speech) -> Plot | None:
    """When each finding was seen: its period as a bar, the moments of its evidence as ticks, a load's beginning.

    Parameters
    ----------
    held : sequence of Held
    speech : Speech

    Returns
    -------
    Plot or None
        None without findings.
    """
    if not held:
        return None
    shown = held[:_MOST_LANES]
    wall = speech.wall_ns
    axis = axis_over([wall(at) for one in shown for at in (one.ref.started_ns, one.ref.ended_ns)])
    marks: list[str] = []
    letters: list[str] = []
    legend = {"span": speech.say("plot.period")}
    top = 0
    for number, one in enumerate(shown, 1):
        key = "plot.lane.subject" if len(one.ref.subject) <= _LONGEST_SUBJECT else "plot.lane"
        name = speech.say(key, number=number, subject=one.ref.subject)
        once = speech.once_in(one.ref.log10_e)
        amount = speech.say("plot.once", once=once) if once else ""
        letters.append(lane_label(top, escaped(name), amount))
        y = top + LABEL_HEIGHT + _BAR // 2
        left, right = axis.x(wall(one.ref.started_ns)), axis.x(wall(one.ref.ended_ns))
        marks.append(f'<path class="span" d="M{left} {y}H{max(right, left + 3)}"/>')
        moments = [
            at
            for line in one.document.get("evidence") or []
            if isinstance(line, Mapping) and (at := instant_ns(line.get("time"))) is not None
        ]
        if moments:
            path, _ = ticks(axis, [wall(at) for at in moments], _SLOTS, top + LABEL_HEIGHT, _BAR)
            marks.append(f'<path class="tick" d="{path}"/>')
            legend["tick"] = speech.say("plot.evidence")
        if (onset := onset_of(one.document)) is not None:
            low, middle, high = (axis.x(wall(at)) for at in onset)
            marks.append(
                f'<path class="onset" d="M{low} {y - _BAR // 2}H{max(high, low + 2)}v{_BAR}H{low}Z"/>'
                f'<path class="begun" d="M{middle} {y - _BAR // 2}v{_BAR}"/>'
            )
            legend["begun"] = speech.say("plot.onset")
        top += LABEL_HEIGHT + _BAR + LANE_GAP
    description = speech.say(
        "plot.findings.description", n=len(shown), start=speech.day(min(one.ref.started_ns for one in shown)),
        end=speech.day(max(one.ref.ended_ns for one in shown)),
    )  # fmt: skip
    notes = (speech.say("plot.left_off", n=len(held) - len(shown)),) if len(shown) < len(held) else ()
    return Plot(
        svg=over_time(axis, "".join(marks), letters, top, description),
        caption=speech.say("plot.findings", zone=speech.zone_name),
        description=description,
        legend=tuple(LegendPart(mark=mark, words=words) for mark, words in legend.items()),
        notes=notes,
    )


def plot_course(document: Mapping[str, Any], speech: Speech) -> Plot | None:
    """Blocks of a chain and the pushes of a conversation on one time axis.

    Parameters
    ----------
    document : mapping
        Of a finding, ``docs/schema-finding.json``.
    speech : Speech

    Returns
    -------
    Plot or None
        None where the document holds no blocks.
    """
    sync = _sync_of(document)
    # The document keeps the first of blocks and messages only: the picture ends where either list does.
    blocks = drawn_blocks(sync) if sync is not None else ()
    if sync is None or not blocks:
        return None
    wall = speech.wall_ns
    pushes = [at for at in sorted(sync.push_ns) if at <= blocks[-1][0] + NS_PER_S * 60]
    axis = axis_over([wall(at) for at, _ in blocks] + [wall(at) for at in pushes])
    hits = [wall(at) for at, hit in blocks if hit]
    misses = [wall(at) for at, hit in blocks if not hit]
    middle = LABEL_HEIGHT + _HIT
    counted = speech.say("plot.blocks.counts", hits=f"{len(hits):,}", misses=f"{len(misses):,}")
    letters = [lane_label(0, speech.say("plot.blocks", chain=escaped(sync.chain)), counted)]
    marks = [f'<path class="grid" d="M0 {middle}H{AXIS_UNITS}"/>']
    notes: list[str] = []
    for kind, times, top, height in (("hit", hits, LABEL_HEIGHT, _HIT), ("miss", misses, middle, _MISS)):
        path, drawn = ticks(axis, times, AXIS_UNITS, top, height)
        marks.append(f'<path class="{kind}" d="{path}"/>')
        if drawn < len(times):
            notes.append(speech.say("plot.thinned", n=f"{len(times):,}", drawn=f"{drawn:,}"))
    notes += _first_of(sync, speech)
    top = middle + _MISS + LANE_GAP
    letters.append(lane_label(top, speech.say("plot.pushes"), f"{len(pushes):,}"))
    places = sorted({axis.x(wall(at)) for at in pushes})
    y = top + LABEL_HEIGHT + _DOT // 2
    marks.append(f'<path class="dot push" d="{"".join(f"M{place} {y}h0" for place in places)}"/>')
    top += LABEL_HEIGHT + _DOT + LANE_GAP
    description = speech.say(
        "plot.course.description", chain=sync.chain, hits=f"{len(hits):,}", misses=f"{len(misses):,}",
        pushes=f"{len(pushes):,}",
    )  # fmt: skip
    return Plot(
        svg=over_time(axis, "".join(marks), letters, top, description),
        caption=speech.say("plot.course", zone=speech.zone_name),
        description=description,
        legend=(
            LegendPart(mark="hit", words=speech.say("plot.hit")),
            LegendPart(mark="miss", words=speech.say("plot.miss")),
            LegendPart(mark="push", words=speech.say("plot.push")),
        ),
        notes=tuple(notes),
    )


def plot_delays(document: Mapping[str, Any], speech: Speech) -> Plot | None:
    """Blocks by the delay of the next push, beside what chance alone would show.

    Parameters
    ----------
    document : mapping
        Of a finding, ``docs/schema-finding.json``.
    speech : Speech

    Returns
    -------
    Plot or None
        None where there is nothing to compare.
    """
    sync = _sync_of(document)
    bars = () if sync is None else delay_bars(sync)
    if sync is None or not bars:
        return None
    highest = max(1, *(bar.blocks for bar in bars), *(bar.high for bar in bars))
    top = LABEL_HEIGHT + 15
    floor = top + _BARS
    width = AXIS_UNITS // len(bars)

    def y(blocks: float) -> float:
        return round(floor - _BARS * blocks / highest, 1)

    band, middle, numbers = [], [], []
    kinds: dict[str, list[str]] = {"inside": [], "outside": []}
    for place, bar in enumerate(bars):
        x = place * width
        band.append(f"M{x} {y(bar.low)}H{x + width}V{y(bar.high)}H{x}Z")
        middle.append(f"M{x} {y(bar.expected)}h{width}")
        if bar.blocks:
            kind = "inside" if bar.to_s <= sync.window_s * (1 + 1e-9) else "outside"
            kinds[kind].append(f"M{x + 15} {floor}V{y(bar.blocks)}H{x + width - 15}V{floor}Z")
            numbers.append(
                f'<text x="{(x + width / 2) / 10:g}%" y="{y(bar.blocks) - 4}" class="number">{bar.blocks:,}</text>'
            )
    windows = round(bars[-1].to_s / sync.window_s)
    labels = []
    for k in range(windows + 1):
        anchor = {0: ' class="first"', windows: ' class="last"'}.get(k, "")
        labels.append(f'<text x="{k * 100 / windows:g}%" y="{floor + 16}"{anchor}>{k * sync.window_s:g} s</text>')
    within = sum(bar.blocks for bar in bars if bar.to_s <= sync.window_s * (1 + 1e-9))
    chance = sum(bar.expected for bar in bars if bar.to_s <= sync.window_s * (1 + 1e-9))
    description = speech.say(
        "plot.delays.description", within=f"{within:,}", window=f"{sync.window_s:g}", chance=speech.number(chance, 2)
    )
    svg = stretch(
        f'<path class="band" d="{"".join(band)}"/><path class="grid" d="M0 {floor}H{AXIS_UNITS}"/>'
        + "".join(f'<path class="{kind}" d="{"".join(path)}"/>' for kind, path in kinds.items() if path)
        + f'<path class="expected" d="{"".join(middle)}"/>',
        floor + AXIS_HEIGHT,
        lane_label(0, speech.say("plot.delays.lane"), "") + "".join((*numbers, '<g class="axis">', *labels, "</g>")),
        kind="timeline",
        name=described(description),
    )
    return Plot(
        svg=svg,
        caption=speech.say("plot.delays"),
        description=description,
        legend=(
            LegendPart(mark="inside", words=speech.say("plot.inside")),
            LegendPart(mark="outside", words=speech.say("plot.outside")),
            LegendPart(mark="band", words=speech.say("plot.chance")),
        ),
        notes=_first_of(sync, speech),
    )


def _first_of(sync: BlockSync, speech: Speech) -> tuple[str, ...]:
    """Which blocks a picture is of, where the finding's document tells the course of a part only."""
    drawn = drawn_blocks(sync)
    if len(drawn) >= sync.blocks:
        return ()
    return (
        speech.say(
            "plot.first_blocks", n=f"{len(drawn):,}", of=f"{sync.blocks:,}", until=speech.moment(drawn[-1][0]),
            hits=f"{sync.hits:,}",
        ),
    )  # fmt: skip


def plot_power(held: Sequence[Held], speech: Speech) -> Plot | None:
    """Power by each finding that tells it, with its interval, on one scale.

    Parameters
    ----------
    held : sequence of Held
    speech : Speech

    Returns
    -------
    Plot or None
        None where fewer than two findings tell a power: there is nothing to compare.
    """
    known: list[tuple[int, Held, Interval]] = []
    for number, one in enumerate(held, 1):
        power = interval_of(one.document.get("power_w"))
        if power is not None and 0 <= power.low <= power.estimate <= power.high and power.high > 0:
            known.append((number, one, power))
    if len(known) < 2:
        return None
    # What a meter counted stands before what a hash rate implies.
    known = sorted(known, key=lambda one: (not one[1].of_meter, one[0]))[:_MOST_LANES]
    top_w = nice_ceiling(max(power.high for _, _, power in known))
    marks, letters, said, top = [], [], [], 0
    for number, one, power in known:
        key = "plot.power.metered" if one.of_meter else "plot.power.implied"
        name, amount = speech.say(key, number=number), speech.interval(power, "W", brief=True)
        letters.append(lane_label(top, escaped(name), escaped(amount)))
        said.append(f"{name}, {amount}")
        y = top + LABEL_HEIGHT + _BAR // 2
        left, at, right = (round(AXIS_UNITS * value / top_w, 1) for value in (power.low, power.estimate, power.high))
        marks.append(
            f'<path class="grid" d="M0 {y}H{AXIS_UNITS}"/><path class="span" d="M{left} {y}H{max(right, left + 3)}"/>'
            f'<path class="tick" d="M{at} {y - _BAR // 2}v{_BAR}"/>'
        )
        top += LABEL_HEIGHT + _BAR + LANE_GAP
    description = speech.say("plot.power.description", n=len(known), facts=speech.listed(said))
    grid = "".join(f"M{part * AXIS_UNITS // 100} {LABEL_HEIGHT}V{top + 4}" for part in (0, 50, 100))
    labels = "".join(
        f'<text x="{part}%" y="{top + 16}"{anchor}>{si(top_w * part / 100, "W") if part else "0"}</text>'
        for part, anchor in ((0, ' class="first"'), (50, ""), (100, ' class="last"'))
    )
    svg = stretch(
        f'<path class="grid" d="{grid}"/>{"".join(marks)}', top + AXIS_HEIGHT,
        f'{"".join(letters)}<g class="axis">{labels}</g>', kind="timeline", name=described(description),
    )  # fmt: skip
    implied = any(not one.of_meter for _, one, _ in known)
    return Plot(
        svg=svg,
        caption=speech.say("plot.power"),
        description=description,
        legend=(
            LegendPart(mark="span", words=speech.say("plot.interval")),
            LegendPart(mark="tick", words=speech.say("plot.estimate")),
        ),
        notes=(speech.say("plot.power.note"),) if implied else (),
    )


def plot_before_after(measurement: Measurement, speech: Speech) -> Plot | None:
    """What was measured before and after, day by day, with the band in which it was expected.

    Parameters
    ----------
    measurement : Measurement
    speech : Speech

    Returns
    -------
    Plot or None
        None where the measurement holds no series.
    """
    series = sorted(measurement.series, key=lambda point: point.day_start_s)
    finite = [
        value for point in series for value in (point.value, point.expected, point.low, point.high)
        if math.isfinite(value)
    ]  # fmt: skip
    if not series or not finite:
        return None
    wall = speech.wall_ns
    starts = [wall(point.day_start_s * NS_PER_S) for point in series]
    axis = axis_over([starts[0], starts[-1] + DAY_NS])
    top_value, bottom = nice_ceiling(max(finite)), min(0.0, -nice_ceiling(-min(finite)) if min(finite) < 0 else 0.0)

    def y(value: float) -> float:
        part = (value - bottom) / (top_value - bottom)
        return round(LABEL_HEIGHT + 2 + (POWER_HEIGHT - 4) * (1 - part), 1)

    floor = LABEL_HEIGHT + POWER_HEIGHT
    unit = speech.unit(measurement.plot_unit)
    name = speech.term("metric", measurement.plot_metric)
    axis_name = f"{name} [{unit}]" if unit else name
    # There must be room for the highest number of the scale beside it, and the caption names the metric too.
    letters = [lane_label(0, escaped(axis_name if len(axis_name) <= _LONGEST_AXIS_NAME else unit or name), "")]
    marks = []
    for key, since, until in (
        ("plot.before", measurement.before_from_ns, measurement.before_until_ns),
        ("plot.after", measurement.after_from_ns, measurement.after_until_ns),
    ):
        left, right = axis.x(wall(since)), axis.x(wall(until))
        marks.append(f'<path class="looked" d="M{left} {LABEL_HEIGHT}H{right}V{floor}H{left}Z"/>')
        # The name begins or ends with its window, and stays in the picture however narrow that is drawn.
        at_left = left < AXIS_UNITS * 0.6 if key == "plot.before" else right < AXIS_UNITS * 0.4
        place, side = (left, "start") if at_left else (right, "end")
        words = speech.say(key)
        letters.append(f'<text x="{place / 10:.2f}%" y="{floor + 14}" class="window-{side}">{words}</text>')
    for level in (top_value, (top_value + bottom) / 2, bottom):
        marks.append(f'<path class="grid" d="M0 {y(level)}H{AXIS_UNITS}"/>')
        letters.append(f'<text x="100%" y="{y(level) - 4}" class="amount">{speech.number(level)}</text>')
    # Nothing was measured between the windows: no line leads from one to the other.
    places: list[int] = []
    lines: dict[str, list[float]] = {name: [] for name in ("low", "high", "expected", "value")}
    for k, (start, point) in enumerate(zip(starts, series, strict=True)):
        if k and start - starts[k - 1] > DAY_NS * 3 // 2:
            places.append(places[-1])
            for line in lines.values():
                line.append(math.nan)
        places.append(axis.x(start + DAY_NS // 2))
        for name, line in lines.items():
            line.append(y(getattr(point, name)))
    band = band_outline(places, lines["low"], lines["high"])
    if band:
        marks.append(f'<path class="band" d="{band}"/>')
    if expected := line_path(places, lines["expected"]):
        marks.append(f'<path class="expected" d="{expected}"/>')
    if value := line_path(places, lines["value"]):
        marks.append(f'<path class="value" d="{value}"/>')
    missing = sum(not math.isfinite(point.value) for point in series)
    description = speech.say(
        "plot.before_after.description", metric=speech.term("metric", measurement.plot_metric),
        start=speech.day(series[0].day_start_s * NS_PER_S), end=speech.day(series[-1].day_start_s * NS_PER_S),
    )  # fmt: skip
    grid, labels = time_axis(axis, floor + 18)
    svg = stretch(
        f'<path class="grid" d="{grid}"/>{"".join(marks)}', floor + 18 + AXIS_HEIGHT, "".join(letters) + labels,
        kind="timeline", name=described(description),
    )  # fmt: skip
    legend = [LegendPart(mark="value", words=speech.say("plot.measured"))]
    if expected or band:
        legend.append(LegendPart(mark="band", words=speech.say("plot.expected_band")))
    legend.append(LegendPart(mark="looked", words=speech.say("plot.windows")))
    return Plot(
        svg=svg,
        caption=speech.say("plot.before_after", metric=speech.term("metric", measurement.plot_metric)),
        description=description,
        legend=tuple(legend),
        notes=(speech.say("plot.missing_days", n=missing),) if missing else (),
    )


def plot_bars(counts: Sequence[tuple[str, int | None]], caption: str, hidden: str, speech: Speech) -> Plot | None:
    """Counts as bars on one scale, each with its name and number.

    Parameters
    ----------
    counts : sequence of (str, int or None)
        None where a count is not shown.
    caption, hidden : str
        What it is, and what stands for a count that is not shown.
    speech : Speech

    Returns
    -------
    Plot or None
        None where no count is known.
    """
    known = [count for _, count in counts if count is not None]
    if not known:
        return None
    most = max(*known, 1)
    marks, letters, top = [], [], 0
    for name, count in counts:
        letters.append(lane_label(top, escaped(name), hidden if count is None else f"{count:,}"))
        y = top + LABEL_HEIGHT + _THIN // 2
        marks.append(f'<path class="grid" d="M0 {y}H{AXIS_UNITS}"/>')
        if count:
            marks.append(f'<path class="bar" d="M0 {y}H{AXIS_UNITS * count // most}"/>')
        top += LABEL_HEIGHT + _THIN + 4
    description = speech.listed(f"{name}: {hidden if count is None else count}" for name, count in counts)
    svg = stretch("".join(marks), top, "".join(letters), kind="timeline", name=described(f"{caption}. {description}"))
    return Plot(svg=svg, caption=caption, description=description)


def over_time(axis: TimeAxis, marks: str, letters: Sequence[str], top: int, description: str) -> str:
    """Lanes over a time axis as a picture; `letters` are escaped by whoever made them, the description is here."""
    grid, labels = time_axis(axis, top)
    return stretch(
        f'<path class="grid" d="{grid}"/>{marks}', top + AXIS_HEIGHT, "".join(letters) + labels, kind="timeline",
        name=described(description),
    )  # fmt: skip


def escaped(text: str) -> str:
    """A label with a text out of a case, made harmless for a picture and cut where it would run over its neighbour."""
    return html.escape(visible(text, _LONGEST_LABEL))


def described(description: str) -> str:
    """What a picture shows, for those who do not see it: harmless, and whole."""
    return html.escape(visible(description, _LONGEST_DESCRIPTION))


def _sync_of(document: Mapping[str, Any]) -> BlockSync | None:
    """How a conversation keeps step with a chain; None where the document does not tell, or tells it badly."""
    sync = document.get("block_sync")
    if not isinstance(sync, Mapping):
        return None
    try:
        blocks = tuple(instant_ns(at) for at in sync["block_times"])
        pushes = tuple(instant_ns(at) for at in sync["push_times"])
        if None in blocks or None in pushes:
            return None
        return BlockSync(
            chain=str(sync["chain"]),
            log10_e_by_chain=(),
            clock_sources=tuple(map(str, sync["clock_sources"])),
            offset_s=interval_of(sync["offset_s"]) or Interval(math.nan, math.nan, math.nan),
            window_s=float(sync["window_s"]),
            pushes_counted=str(sync["pushes_counted"]),
            blocks=int(sync["blocks"]),
            hits=int(sync["hits"]),
            expected_hits=float(sync["expected_hits"]),
            watched_s=float(sync["watched_s"]),
            block_ns=tuple(at for at in blocks if at is not None),
            block_hit=tuple(map(bool, sync["block_hits"])),
            push_ns=tuple(at for at in pushes if at is not None),
        )
    except (KeyError, TypeError, ValueError):
        return None
