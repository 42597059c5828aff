"""Assessments as one HTML file that works offline, in the style of the report of a scan and with the same defences."""

import base64
import hashlib
import math
from pathlib import Path
from typing import Any

from headframe import __version__
from headframe.records.assessment import Assessment, AssessmentResult
from headframe.reports.assessment import (
    PEOPLE_DECIDE,
    adjusted_words,
    apart_sentences,
    evidence_of_site,
    family_names,
    only_victims,
    period_words,
    sentences,
    site_words,
    summary_lines,
)
from headframe.reports.page import asset, our_own, page_environment, write_page
from headframe.reports.words import clock_time, count, instant, power_of_ten, visible

_MOST_CARDS = 500
_MOST_ROWS = 1_000
_MOST_APART = 500
_LONGEST_TEXT = 4_000  # no sentence of ours is longer


def render_assessment_html(result: AssessmentResult, *, generated_ns: int) -> str:
    """The whole report.

    Parameters
    ----------
    result : AssessmentResult
    generated_ns : int
        When the report is made. [ns since 1970-01-01 UTC]

    Returns
    -------
    str
        An HTML document that needs nothing else.
    """
    style = asset("report.css")
    template = page_environment(longest_text=_LONGEST_TEXT).get_template("assessment.html")
    return template.render(
        style=our_own(style),
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
        version=__version__,
        generated=f"{clock_time(generated_ns)} UTC",
        generated_exact=instant(generated_ns),
        people_decide=PEOPLE_DECIDE,
        **_context(result),
    )


def write_assessment_html(result: AssessmentResult, path: Path, *, generated_ns: int) -> None:
    """Write the report to a file, which is there whole or not at all.

    Parameters
    ----------
    result : AssessmentResult
    path : pathlib.Path
        An older file of that name is replaced.
    generated_ns : int
        When the report is made. [ns since 1970-01-01 UTC]

    Raises
    ------
    OSError
        If the file cannot be written; an older one is then still there.
    """
    write_page([render_assessment_html(result, generated_ns=generated_ns)], path)


def _context(result: AssessmentResult) -> dict[str, Any]:
    found = [one for one in result.assessments if one.findings]
    others = [one for one in result.assessments if not one.findings]
    cards = [_card(one, f"site-{number}", result) for number, one in enumerate(found[:_MOST_CARDS], 1)]
    shown = [*found, *others[: max(_MOST_ROWS - len(found), 0)]]
    listed = len({one.site.site_id for one in result.listed})
    return {
        "headline": f"{count(listed, 'site')} on the list at {result.fdr * 100:g} %"
        if listed
        else f"No site on the list at {result.fdr * 100:g} %",
        "summary": [visible(line) for line in summary_lines(result)],
        "rows": [_row(one, f"site-{n}" if n <= len(cards) else "") for n, one in enumerate(shown, 1)],
        "left_off": len(result.assessments) - len(shown),
        "cards": cards,
        "apart": [apart_sentences(row) for row in result.unattributed[:_MOST_APART]],
        "apart_left_off": max(len(result.unattributed) - _MOST_APART, 0),
        "assumptions": list(result.assumptions),
    }


def _row(one: Assessment, card: str) -> dict[str, str]:
    return {
        "id": card,
        "site": site_words(one).removeprefix("Site "),
        "period": one.period.name,
        "listed": adjusted_words(one),
        "evidence": evidence_of_site(one),
        **{standing: family_names(one, standing) for standing in ("supporting", "contradicting", "missing")},
    }


def _card(one: Assessment, card: str, result: AssessmentResult) -> dict[str, Any]:
    return {
        "id": card,
        "site": site_words(one).removeprefix("Site "),
        "kind": one.site.kind.value.replace("_", " "),
        "period": period_words(one.period),
        # The colour of miners is not for those who are only victims.
        "listed": one.listed and not only_victims(one),
        "sentences": [
            {"text": line, "victim": line.startswith("Probably a victim")} for line in sentences(one, result)
        ],
        "families": [
            {
                "name": account.family.value,
                "standing": account.standing,
                "evidence": "" if account.standing == "missing" else _exponent(account.log10_e),
                "looks": f"{account.looks:,}" if account.looks else "",
                "missing": "; ".join(account.missing),
            }
            for account in one.families
        ],
    }


def _exponent(log10_e: float) -> str:
    return power_of_ten(log10_e) if math.isfinite(log10_e) else "nothing seen"
