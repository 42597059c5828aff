"""A usage point's load as a drawing: daily mean and floor, the fitted floor, the peers' band, and what is left over.

One value a day; where there are more days than pixels, neighbouring days are averaged, and that is stated.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from headframe.records.load_finding import LoadDrawing, Onset
from headframe.reports.meters import local_day
from headframe.reports.picture import (
    AXIS_HEIGHT,
    AXIS_UNITS,
    LABEL_HEIGHT,
    LANE_GAP,
    Drawing,
    axis_over,
    lane_label,
    stretch,
    time_axis,
)
from headframe.reports.words import NS_PER_S, count, instant, si

_DAY_S = 86_400
_POWER_HEIGHT = 150  # [px]
_RESIDUAL_HEIGHT = 60  # [px]
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_LEAST_BEFORE = 14  # two whole weeks, or working days and days off weigh wrongly [days]
_ROOM = 2  # above and below, so that a line's own width is not cut off [px]


def draw_load(drawing: LoadDrawing, *, zone: str = "UTC", slots: int = 500) -> Drawing | None:
    """Draw a usage point's load on a real time axis.

    Parameters
    ----------
    drawing : LoadDrawing
    zone : str
        IANA name of the zone whose days these are; they stand on the axis as the clock on the wall has them.
    slots : int
        At most so many points of a line, 2 to 1000.

    Returns
    -------
    Drawing or None
        None where there is nothing to draw.
    """
    # From midnight to midnight, whatever the season: day by day, as if it were UTC.
    days = [_as_utc_s(day, zone) for day in drawing.day_start_s]
    if not days or not any(map(math.isfinite, drawing.mean_w)):
        return None
    axis = axis_over([days[0] * NS_PER_S, (days[-1] + _DAY_S) * NS_PER_S])
    per_slot = max(math.ceil(len(days) / slots), 1)
    place = [axis.x(round(day + _DAY_S / 2) * NS_PER_S) for day in _thinned(days, per_slot)]

    mean, floor = _thinned(drawing.mean_w, per_slot), _thinned(drawing.floor_w, per_slot)
    fitted = _thinned(drawing.fitted_floor_w, per_slot)
    low, high = _thinned(drawing.peers_low_w, per_slot), _thinned(drawing.peers_high_w, per_slot)
    residual = _thinned(drawing.residual_w, per_slot)

    finite = [value for line in (mean, floor, fitted, high) for value in line if math.isfinite(value)]
    top_w = nice_ceiling(max(finite))
    bottom_w = min(0.0, -nice_ceiling(-min(finite)) if min(finite) < 0 else 0.0)
    marks: list[str] = []
    letters: list[str] = [lane_label(0, "Power", "")]
    said: list[str] = []

    def y(watts: float) -> float:
        part = (watts - bottom_w) / (top_w - bottom_w)
        return round(LABEL_HEIGHT + _ROOM + (_POWER_HEIGHT - 2 * _ROOM) * (1 - part), 1)

    for level in _levels(bottom_w, top_w):
        marks.append(f'<path class="grid" d="M0 {y(level)}H{AXIS_UNITS}"/>')
        letters.append(f'<text x="100%" y="{y(level) - 3}" class="amount">{si(level, "W")}</text>')
    if band := band_outline(place, [y(value) for value in low], [y(value) for value in high]):
        marks.append(f'<path class="peers" d="{band}"/>')
        said.append("the peers' middle 90 %")
    for name, words, line in (
        ("mean", f"daily mean up to {si(max(v for v in mean if math.isfinite(v)), 'W')}", mean),
        ("floor", "lowest hour of each day", floor),
        ("fitted", "fitted floor", fitted),
    ):
        if path := line_path(place, [y(value) for value in line]):
            marks.append(f'<path class="{name}" d="{path}"/>')
            said.append(words)
    top = LABEL_HEIGHT + _POWER_HEIGHT + LANE_GAP
    if any(map(math.isfinite, residual)):
        path, zero, most = _residual(place, residual, top)
        letters.append(lane_label(top, "Left after weather and calendar", f"up to {si(most, 'W')}"))
        marks.append(f'<path class="grid" d="M0 {zero}H{AXIS_UNITS}"/><path class="residual" d="{path}"/>')
        said.append(f"left over: up to {si(most, 'W')}")
        top += LABEL_HEIGHT + _RESIDUAL_HEIGHT + LANE_GAP
    grid, labels = time_axis(axis, top)
    notes = (f"each point is the mean of {count(per_slot, 'day')}",) if per_slot > 1 else ()
    first, last = (instant(day * NS_PER_S)[:10] for day in (days[0], days[-1]))
    description = f"{first if first == last else f'{first} to {last}'}: {', '.join(said)}."
    svg = stretch(
        f'<path class="grid" d="{grid}"/>{"".join(marks)}',
        top + AXIS_HEIGHT,
        "".join(letters) + labels,
        kind="timeline load",
        name=f"Load, {description}",
    )
    return Drawing(svg=svg, description=description, notes=notes)


def scaled_before(drawing: LoadDrawing, onset: Onset | None) -> tuple[LoadDrawing, bool]:
    """The peers' band scaled to the point's mean before the load's onset, and whether that could be done.

    Else the load itself lifts the band, and the point seems to lie below its peers before the onset.

    Parameters
    ----------
    drawing : LoadDrawing
        With a band that is scaled to the mean of all its days.
    onset : Onset or None

    Returns
    -------
    drawing : LoadDrawing
        The same one where there is no onset, no band, or fewer than 14 days before it.
    scaled : bool
    """
    known = [
        (day, watts) for day, watts in zip(drawing.day_start_s, drawing.mean_w, strict=True) if math.isfinite(watts)
    ]
    if onset is None or not drawing.peers_high_w:
        return drawing, False
    before = [watts for day, watts in known if (day + _DAY_S) * NS_PER_S <= onset.earliest_ns]
    whole = sum(watts for _, watts in known) / len(known) if known else 0.0
    if len(before) < _LEAST_BEFORE or not (whole > 0 and sum(before) > 0):
        return drawing, False
    factor = sum(before) / len(before) / whole
    low, high = (tuple(watts * factor for watts in line) for line in (drawing.peers_low_w, drawing.peers_high_w))
    return replace(drawing, peers_low_w=low, peers_high_w=high), True


def parts_of(drawing: LoadDrawing, *, before_onset: bool = False) -> list[tuple[str, str]]:
    """Class and words of each line that is drawn, for the legend; `before_onset` says what the band is scaled to."""
    scaled = "scaled to this one" + (" before the onset" if before_onset else "")
    there = (
        ("mean", "daily mean", drawing.mean_w),
        ("floor", "lowest hour of the day", drawing.floor_w),
        ("fitted", "fitted floor", drawing.fitted_floor_w),
        ("peers", f"middle 90 % of comparable points, {scaled}", drawing.peers_high_w),
        ("residual", "left over after weather and calendar", drawing.residual_w),
    )
    return [(name, words) for name, words, line in there if any(map(math.isfinite, line))]


def _as_utc_s(day_start_s: int, zone: str) -> int:
    """The midnight of UTC that has the date of a day of the zone. [s since 1970-01-01 UTC]"""
    day = date.fromisoformat(local_day(day_start_s * NS_PER_S, zone))
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * _DAY_S


def _thinned(values: Sequence[float], per_slot: int) -> list[float]:
    """Means of neighbours; NaN where none of them is known."""
    if per_slot == 1:
        return [float(value) for value in values]
    made = []
    for at in range(0, len(values), per_slot):
        known = [value for value in values[at : at + per_slot] if math.isfinite(value)]
        made.append(sum(known) / len(known) if known else math.nan)
    return made


def nice_ceiling(value: float) -> float:
    """The next round number, so that the scale can be read."""
    if not value > 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(step * size for step in (*_NICE, 20.0) if step * size >= value * (1 - 1e-9))


def _levels(bottom: float, top: float) -> list[float]:
    """Where the grid is drawn: half way and on top, and at the bottom where that is below zero."""
    return [*([bottom] if bottom < 0 else []), (0.0 if bottom < 0 else top / 2), top]


def line_path(place: Sequence[int], height: Sequence[float]) -> str:
    """A line that is broken where a value is missing; a value without neighbours is a short dash."""
    made: list[str] = []
    down = False
    for k, (x, y) in enumerate(zip(place, height, strict=False)):
        if not math.isfinite(y):
            down = False
            continue
        alone = not down and (k + 1 >= len(height) or not math.isfinite(height[k + 1]))
        made.append(f"M{x} {y:g}h2" if alone else f"{'L' if down else 'M'}{x} {y:g}")
        down = True
    return "".join(made)


def band_outline(place: Sequence[int], low: Sequence[float], high: Sequence[float]) -> str:
    """The outlines of what lies between two lines, one for each stretch in which both are known."""
    made: list[str] = []
    run: list[tuple[int, float, float]] = []
    for x, below, above in [*zip(place, low, high, strict=False), (0, math.nan, math.nan)]:
        if math.isfinite(below) and math.isfinite(above):
            run.append((x, below, above))
            continue
        if len(run) > 1:
            there = "L".join(f"{x} {above:g}" for x, _, above in run)
            back = "L".join(f"{x} {below:g}" for x, below, _ in reversed(run))
            made.append(f"M{there}L{back}Z")
        run = []
    return "".join(made)


def _residual(place: Sequence[int], residual: Sequence[float], top: int) -> tuple[str, float, float]:
    """Path of the residual, where its zero lies, and its largest value."""
    known = [value for value in residual if math.isfinite(value)]
    highest, lowest = max(*known, 0.0), min(*known, 0.0)
    span = (highest - lowest) or 1.0

    def y(watts: float) -> float:
        return round(top + LABEL_HEIGHT + _ROOM + (_RESIDUAL_HEIGHT - 2 * _ROOM) * (highest - watts) / span, 1)

    return line_path(place, [y(value) for value in residual]), y(0.0), highest
