"""Usage points as one HTML file that works offline, in the style of the other reports and with the same defences."""

import base64
import hashlib
import math
from pathlib import Path
from typing import Any

from headframe import __version__
from headframe.records.finding import Interval
from headframe.records.load_finding import LoadEstimate, Standing, UsagePointResult
from headframe.records.meters import MetersResult
from headframe.reports.meters import (
    CANNOT_SEE,
    MODE_BRIEFLY,
    PEOPLE_DECIDE,
    amount,
    cells,
    counter_name,
    days_words,
    expected_words,
    list_words,
    local_day,
    look_words,
    of_whose_energy,
    p_words,
    sentences,
    standing_words,
    summary_lines,
    usage_point_words,
)
from headframe.reports.meters_drawing import draw_load, parts_of, scaled_before
from headframe.reports.page import asset, our_own, page_environment, write_page
from headframe.reports.timeline import draw_range
from headframe.reports.words import clock_time, count, instant, interval_parts, power_of_ten, visible

_MOST_CARDS = 300
_MOST_ROWS = 1_000
_LONGEST_TEXT = 4_000  # no sentence of ours is longer
_MOST_TEXT = 600  # of a counter-hypothesis or a blind spot


def render_meters_html(result: MetersResult, *, generated_ns: int, everything: bool = False) -> str:
    """The whole report.

    Parameters
    ----------
    result : MetersResult
    generated_ns : int
        When the report is made. [ns since 1970-01-01 UTC]
    everything : bool
        Also the rows that do not stand out, in the table.

    Returns
    -------
    str
        An HTML document that needs nothing else.
    """
    style = asset("report.css") + asset("meters.css")
    template = page_environment(longest_text=_LONGEST_TEXT).get_template("meters.html")
    return template.render(
        style=our_own(style),
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
        version=__version__,
        generated=f"{clock_time(generated_ns)} UTC",
        generated_exact=instant(generated_ns),
        people_decide=PEOPLE_DECIDE,
        cannot_see=CANNOT_SEE,
        **_context(result, everything=everything),
    )


def write_meters_html(result: MetersResult, path: Path, *, generated_ns: int, everything: bool = False) -> None:
    """Write the report to a file, which is there whole or not at all.

    Parameters
    ----------
    result : MetersResult
    path : pathlib.Path
        An older file of that name is replaced.
    generated_ns : int
        When the report is made. [ns since 1970-01-01 UTC]
    everything : bool
        Also the rows that do not stand out, in the table.

    Raises
    ------
    OSError
        If the file cannot be written; an older one is then still there.
    """
    write_page([render_meters_html(result, generated_ns=generated_ns, everything=everything)], path)


def _context(result: MetersResult, *, everything: bool) -> dict[str, Any]:
    ranked = [(rank, row) for rank, row in enumerate(result.rows, 1) if row.listed or row.worth_a_look]
    others = [(rank, row) for rank, row in enumerate(result.rows, 1) if not (row.listed or row.worth_a_look)]
    listed = len(result.listed)
    shown = [*ranked, *(others[: max(_MOST_ROWS - len(ranked), 0)] if everything else [])]
    periods = result.period_days is not None
    headline = (
        f"{count(listed, 'entry', 'entries')} on the list, {expected_words(result.expected_wrong)} of them "
        "expected to be wrong"
        if listed
        else "No usage point on the list"
    )
    return {
        "headline": headline,
        "summary": summary_lines(result)[2:],  # the list and what is worth a look stand above the table
        "list_words": list_words(result),
        "look_words": look_words(result),
        "look_p": f"{result.look_p:.2g}",
        "looks": bool(result.worth_a_look),
        "periods": periods,
        "rows": [
            _row(
                row,
                rank,
                f"point-{place}" if place <= min(len(ranked), _MOST_CARDS) else "",
                periods=periods,
                zone=result.zone,
            )
            for place, (rank, row) in enumerate(shown, 1)
        ],
        "left_off": len(result.rows) - len(shown),
        "cards": [_card(row, f"point-{place}", result.zone) for place, (_, row) in enumerate(ranked[:_MOST_CARDS], 1)],
        "cards_left_off": max(len(ranked) - _MOST_CARDS, 0),
    }


def _row(row: UsagePointResult, rank: int, card: str, *, periods: bool, zone: str) -> dict[str, Any]:
    names = ("point", *(("since_day",) if periods else ()), "standing", "score", "p", "power", "since", "mode")
    found = dict(zip((*names, "possible"), cells(row, periods=periods, zone=zone), strict=True))
    return {"id": card, "rank": f"{rank:,}", "listed": row.listed, **found}


def _card(row: UsagePointResult, card: str, zone: str) -> dict[str, Any]:
    onset = None if row.estimate is None else row.estimate.onset
    scaled, before = (None, False) if row.drawing is None else scaled_before(row.drawing, onset)
    drawing = None if scaled is None else draw_load(scaled, zone=zone)
    sheet = [] if row.consequences is None else [*row.consequences.cost, *row.consequences.co2]
    return {
        "id": card,
        "point": usage_point_words(row),
        "listed": row.listed,
        "standing": f"on the list: {standing_words(row)}" if row.listed else standing_words(row),
        "period": days_words(row.started_ns, row.ended_ns, zone),
        "explanation": visible(row.explanation, 2_000),
        "also": _also(row, zone),
        "measures": [] if row.estimate is None else _measures(row, row.estimate, zone),
        "drawing": None
        if drawing is None or scaled is None
        else {
            "svg": our_own(drawing.svg),
            "parts": parts_of(scaled, before_onset=before),
            "notes": drawing.notes,
        },
        "counter": [
            {"name": counter_name(one.name), "standing": one.standing.value, "text": visible(one.text, _MOST_TEXT)}
            for standing in (Standing.POSSIBLE, Standing.EXCLUDED, Standing.UNTESTED)
            for one in row.counter_hypotheses
            if one.standing is standing
        ],
        "sheet": [
            {
                "label": line.label,
                "quantity": f"{amount(line.quantity)} {line.unit}",
                "rate": f"{amount(line.rate)} {line.rate_unit}",
                "result": f"{amount(line.result)} {line.result_unit}",
                "source": line.source,
            }
            for line in sheet
        ],
        "findings": [
            {
                "name": f"{found.detector} {found.version}",
                "p": p_words(found.p_value),
                "evidence": power_of_ten(found.log10_e) if math.isfinite(found.log10_e) else "-",
                "explanation": visible(found.explanation, _MOST_TEXT),
            }
            for found in row.findings
        ],
        "against": _each_once(line for found in row.findings for line in found.contradictions),
        "blind": _each_once(line for found in row.findings for line in found.blind_spots),
    }


def _also(row: UsagePointResult, zone: str) -> list[str]:
    """The sentences that no part of the card shows: how rare it is, the site, what could not answer."""
    return [
        line
        for line in sentences(row, zone=zone)
        if line.startswith(("An innocent point", "It does not stand out", "Site:", "Could not answer:"))
    ]


def _each_once(lines: Any) -> list[str]:
    return [visible(line, _MOST_TEXT) for line in dict.fromkeys(lines)]


def _measures(row: UsagePointResult, estimate: LoadEstimate, zone: str) -> list[dict[str, Any]]:
    onset = estimate.onset
    since = "before the data" if onset is None else local_day(onset.estimate_ns, zone)
    between = "it runs in all of them"
    if onset is not None:
        low, high = local_day(onset.earliest_ns, zone), local_day(onset.latest_ns, zone)
        between = "on that day" if low == since == high else f"{low} to {high} (95 %)"
    share = f"{estimate.share * 100:.2g} % {of_whose_energy(estimate)}" if math.isfinite(estimate.share) else ""
    duty = f"{estimate.duty * 100:.0f} % of the time" if math.isfinite(estimate.duty) else ""
    measures = [
        _measure("Power while it runs", estimate.power_w, "W"),
        {"name": "Since", "value": since, "bar": None, "more": between},
        {"name": "Runs", "value": MODE_BRIEFLY[estimate.mode], "bar": None, "more": duty},
        _measure("Energy of it", estimate.energy_wh, "Wh", more=share),
    ]
    consequences = row.consequences
    if consequences is None:
        return measures
    if consequences.machines is not None:
        fewest, most = consequences.machines
        value = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
        more = "of known models would draw as much"
        measures.append({"name": "Machines", "value": value, "bar": None, "more": more})
    if consequences.hashrate_hs is not None:
        measures.append(_measure("Hash rate, if SHA-256", consequences.hashrate_hs, "H/s"))
    for name, sheet in (("Cost", consequences.cost), ("CO2", consequences.co2)):
        if sheet:
            value = f"{amount(sheet[-1].result)} {sheet[-1].result_unit}"
            measures.append({"name": name, "value": value, "bar": None, "more": f"{sheet[-1].label}; see the sheet"})
    return measures


def _measure(name: str, estimate: Interval, unit: str, more: str = "") -> dict[str, Any]:
    middle, _, ends = interval_parts(estimate, unit)
    bar = draw_range(estimate.low, estimate.estimate, estimate.high)
    told = f"{ends} (95 %)" + (f"; {more}" if more else "")
    return {"name": name, "value": middle, "bar": None if bar is None else our_own(bar), "more": told}
