"""Pictures of what a finding's document tells over time: a session, a load, the months of a balance.

They are drawn from the few values that the document carries for it, and from nothing else. An older document carries
none, and a damaged one is passed over: the words of the fact stand without the picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from headframe.reports.case_documents.drawings import DAY_NS, POWER_HEIGHT, described, over_time
from headframe.reports.case_documents.held import number_of, onset_of
from headframe.reports.case_documents.model import LegendPart, Plot
from headframe.reports.case_documents.speech import Speech, instant_ns
from headframe.reports.meters_drawing import band_outline, line_path, nice_ceiling
from headframe.reports.picture import AXIS_UNITS, LABEL_HEIGHT, LANE_GAP, TimeAxis, axis_over, lane_label, stretch
from headframe.reports.words import NS_PER_S

_BARS = 30  # height of the highest bar of a session's lane [px]
_BAR = 7  # half the height of a month's bar [px]
_MOST_MONTHS = 12
_MOST_BINS = 1000
_ANSWERS = ("accepted", "rejected", "stale", "unanswered")


def plot_session(document: Mapping[str, Any], speech: Speech) -> Plot | None:
    """Jobs and shares of a session, counted in bins of equal length.

    Parameters
    ----------
    document : mapping
        Of a finding, ``docs/schema-finding.json``.
    speech : Speech

    Returns
    -------
    Plot or None
        None where the document does not tell the course.
    """
    course = document.get("course")
    if not isinstance(course, Mapping) or "bin_s" not in course:
        return None
    started, bin_s, shares = instant_ns(course.get("started")), course.get("bin_s"), course.get("shares")
    if started is None or not isinstance(bin_s, int) or bin_s < 1 or not isinstance(shares, Mapping):
        return None
    rows = [("jobs", _counts(course.get("jobs"))), *((name, _counts(shares.get(name))) for name in _ANSWERS)]
    lanes = [(name, counts) for name, counts in rows if any(counts)]
    if not lanes:
        return None
    bins = max(len(counts) for _, counts in lanes)
    begin = speech.wall_ns(started)
    axis = TimeAxis(begin, bins * bin_s * NS_PER_S)
    each = _length_words(bin_s, speech)
    marks: list[str] = []
    letters: list[str] = []
    said: list[str] = []
    top = 0
    for name, counts in lanes:
        most, floor = max(counts), top + LABEL_HEIGHT + _BARS
        words = speech.say(f"plot.session.{name}")
        told = speech.say("plot.session.counts", n=f"{sum(counts):,}", most=f"{most:,}", each=each)
        letters.append(lane_label(top, words, told))
        said.append(speech.say("plot.session.said", what=words, n=f"{sum(counts):,}"))
        bars = []
        for place, count in enumerate(counts):
            if count:
                left, right = place * AXIS_UNITS / bins, (place + 1) * AXIS_UNITS / bins
                height = round(max(_BARS * count / most, 1.5), 1)  # one share among many is still seen
                bars.append(f"M{left + 0.6:.1f} {floor}v-{height:g}H{right - 0.6:.1f}V{floor}Z")
        marks.append(f'<path class="grid" d="M0 {floor}H{AXIS_UNITS}"/><path class="inside" d="{"".join(bars)}"/>')
        top = floor + LANE_GAP
    description = speech.say(
        "plot.session.description", start=speech.moment(started), end=speech.moment(started + axis.length_ns),
        each=each, counts=speech.listed(said),
    )  # fmt: skip
    return Plot(
        svg=over_time(axis, "".join(marks), letters, top, description),
        caption=speech.say("plot.session", zone=speech.zone_name),
        description=description,
        legend=(LegendPart(mark="inside", words=speech.say("plot.session.bar", each=each)),),
    )


def plot_load(document: Mapping[str, Any], speech: Speech) -> Plot | None:
    """The load of a supply point over the period: mean, lowest hour, what was fitted, and comparable points.

    Parameters
    ----------
    document : mapping
        Of a usage point, ``docs/schema-usage-point.json``.
    speech : Speech

    Returns
    -------
    Plot or None
        None where the document does not tell the course.
    """
    course = document.get("course")
    if not isinstance(course, Mapping) or "days_per_value" not in course:
        return None
    started, days = instant_ns(course.get("started")), course.get("days_per_value")
    if started is None or not isinstance(days, int) or not 1 <= days <= 366:
        return None
    names = ("mean_w", "lowest_hour_w", "fitted_lowest_w", "peers_low_w", "peers_high_w")
    mean, lowest, fitted, low, high = (_watts(course.get(name)) for name in names)
    known = [value for line in (mean, lowest, fitted, low, high) for value in line if math.isfinite(value)]
    if not any(map(math.isfinite, mean)):
        return None
    each = days * DAY_NS
    begin = speech.wall_ns(started)
    # The last value may stand for fewer days; the picture ends with the period.
    period = document.get("period")
    until = instant_ns(period.get("end")) if isinstance(period, Mapping) else None
    end = begin + len(mean) * each
    if until is not None:
        end = min(max(speech.wall_ns(until), begin + each), end)
    axis = axis_over([begin, end])
    places = [axis.x(min(begin + place * each + each // 2, end)) for place in range(len(mean))]
    unit, factor = ("kW", 1000.0) if max(map(abs, known)) >= 1000.0 else ("W", 1.0)
    top_w = nice_ceiling(max(known) / factor) * factor
    bottom_w = -nice_ceiling(-min(known) / factor) * factor if min(known) < 0 else 0.0

    def y(watts: float) -> float:
        return round(LABEL_HEIGHT + 2 + (POWER_HEIGHT - 4) * (top_w - watts) / (top_w - bottom_w), 1)

    floor = LABEL_HEIGHT + POWER_HEIGHT
    letters = [lane_label(0, speech.say("plot.load.axis", unit=unit), "")]
    marks: list[str] = []
    legend = [LegendPart(mark="value", words=speech.say("plot.load.mean", each=_days_words(days, speech)))]
    for level in dict.fromkeys((top_w, (top_w + bottom_w) / 2, 0.0, bottom_w)):
        marks.append(f'<path class="grid" d="M0 {y(level)}H{AXIS_UNITS}"/>')
        letters.append(f'<text x="100%" y="{y(level) - 4}" class="amount">{speech.number(level / factor)}</text>')
    if band := band_outline(places, [y(value) for value in low], [y(value) for value in high]):
        marks.append(f'<path class="band" d="{band}"/>')
        legend.append(LegendPart(mark="band", words=speech.say("plot.load.peers")))
    onset = onset_of(document)
    if onset is not None:
        left, middle, right = (axis.x(speech.wall_ns(at)) for at in onset)
        marks.append(
            f'<path class="onset" d="M{left} {LABEL_HEIGHT}H{max(right, left + 2)}V{floor}H{left}Z"/>'
            f'<path class="begun" d="M{middle} {LABEL_HEIGHT}V{floor}"/>'
        )
        legend.append(LegendPart(mark="begun", words=speech.say("plot.onset")))
    lines = (("lowest", lowest, "plot.load.lowest"), ("expected", fitted, "plot.load.fitted"), ("value", mean, ""))
    for kind, line, words in lines:
        if path := line_path(places, [y(value) for value in line]):
            marks.append(f'<path class="{kind}" d="{path}"/>')
            if words:
                legend.append(LegendPart(mark=kind, words=speech.say(words)))
    description = speech.say(
        "plot.load.description", start=speech.day(started), end=speech.last_day_before(started + (end - begin)),
        least=_power(min(value for value in mean if math.isfinite(value)), speech),
        most=_power(max(value for value in mean if math.isfinite(value)), speech),
    )  # fmt: skip
    if onset is not None and (halves := _beside_onset(mean, begin, each, speech.wall_ns(onset[1]))) is not None:
        before, since = (_power(value, speech) for value in halves)
        description = speech.sentences(
            [description, speech.say("plot.load.halves", before=before, since=since, day=speech.day(onset[1]))]
        )
    missing = sum(not math.isfinite(value) for value in mean)
    return Plot(
        svg=over_time(axis, "".join(marks), letters, floor, description),
        caption=speech.say("plot.load", point=str(document.get("usage_point") or "")),
        description=description,
        legend=tuple(legend),
        notes=(speech.say("plot.load.missing", n=missing),) if missing else (),
    )


def plot_months(document: Mapping[str, Any], speech: Speech) -> Plot | None:
    """What a transformer's balance leaves over, month by month, beside what its meters may err.

    Parameters
    ----------
    document : mapping
        Of a usage point, ``docs/schema-usage-point.json``.
    speech : Speech

    Returns
    -------
    Plot or None
        None where the document does not tell the months of a balance.
    """
    inner = document.get("findings")
    balance = next(
        (one for one in inner if isinstance(one, Mapping) and one.get("months"))
        if isinstance(inner, list)
        else iter(()),
        None,
    )
    told = balance.get("months") if balance is not None else None
    months: list[tuple[int, float, float, float]] = []
    for one in told if isinstance(told, list) else []:
        if isinstance(one, Mapping) and (started := instant_ns(one.get("started"))) is not None:
            known_h, energy, accuracy = (number_of(one.get(name)) for name in ("known_h", "energy_wh", "accuracy_wh"))
            if known_h > 0 and math.isfinite(energy):
                months.append((started, known_h, energy, accuracy))
    if not months:
        return None
    shown = months[-_MOST_MONTHS:]
    # Meters err in either direction: a month in which less passed than was metered is measured by the lower limit.
    shown = [(begun, known, energy, math.copysign(limit, energy)) for begun, known, energy, limit in shown]
    values = [value for _, _, energy, accuracy in shown for value in (energy, accuracy) if math.isfinite(value)]
    top, bottom = max(*values, 0.0) * 1.02 or 1.0, min(*values, 0.0)

    def x(wh: float) -> float:
        return round(AXIS_UNITS * (wh - bottom) / (top - bottom), 1)

    marks: list[str] = []
    letters: list[str] = []
    said: list[str] = []
    below = 0
    for started, known_h, energy, accuracy in shown:
        name = speech.month(started)
        amount = speech.say(
            "plot.months.amount", energy=speech.number(energy / 1000), days=speech.number(known_h / 24, 2)
        )
        letters.append(lane_label(below, name, amount))
        said.append(speech.say("plot.months.said", month=name, energy=speech.number(energy / 1000)))
        y = below + LABEL_HEIGHT + _BAR
        marks.append(
            f'<path class="grid" d="M0 {y}H{AXIS_UNITS}"/>'
            f'<path class="inside" d="M{x(0.0)} {y - _BAR + 2}H{x(energy)}V{y + _BAR - 2}H{x(0.0)}Z"/>'
        )
        if math.isfinite(accuracy):
            marks.append(f'<path class="limit" d="M{x(accuracy)} {y - _BAR}v{2 * _BAR}"/>')
        below += LABEL_HEIGHT + 2 * _BAR + LANE_GAP
    description = speech.say("plot.months.description", months=speech.listed(said))
    notes = (speech.say("plot.months.left_off", n=len(months) - len(shown)),) if len(shown) < len(months) else ()
    return Plot(
        svg=stretch(
            f'<path class="grid" d="M{x(0.0)} {LABEL_HEIGHT}V{below}"/>{"".join(marks)}',
            below,
            "".join(letters),
            kind="timeline",
            name=described(description),
        ),
        caption=speech.say("plot.months"),
        description=description,
        legend=(
            LegendPart(mark="inside", words=speech.say("plot.months.energy")),
            LegendPart(mark="limit", words=speech.say("plot.months.limit")),
        ),
        notes=notes,
    )


def _beside_onset(mean: Sequence[float], begin: int, each: int, onset: int) -> tuple[float, float] | None:
    """Means of the values that lie wholly before and wholly after an instant; None where either is not known."""
    before = [value for k, value in enumerate(mean) if math.isfinite(value) and begin + (k + 1) * each <= onset]
    since = [value for k, value in enumerate(mean) if math.isfinite(value) and begin + k * each >= onset]
    return (sum(before) / len(before), sum(since) / len(since)) if before and since else None


def _power(watts: float, speech: Speech) -> str:
    return f"{speech.number(watts / 1000)} kW" if abs(watts) >= 1000 else f"{speech.number(watts)} W"


def _length_words(seconds: int, speech: Speech) -> str:
    for name, length in (("day", 86_400), ("h", 3600), ("min", 60)):
        if seconds % length == 0:
            return speech.say(f"plot.length.{name}", n=seconds // length)
    return speech.say("plot.length.s", n=seconds)


def _days_words(days: int, speech: Speech) -> str:
    return speech.say("plot.load.day") if days == 1 else speech.say("plot.load.days", n=days)


def _watts(value: object) -> list[float]:
    return [number_of(one) for one in value[:_MOST_BINS]] if isinstance(value, list) else []


def _counts(value: object) -> list[int]:
    """Counts of a lane; none where any of them is no whole number."""
    if not isinstance(value, list) or len(value) > _MOST_BINS:
        return []
    there = [one for one in value if isinstance(one, int) and not isinstance(one, bool) and one >= 0]
    return there if len(there) == len(value) else []
