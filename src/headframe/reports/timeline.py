"""The course of a mining session as a drawing: jobs as ticks, shares as dots, difficulty as a step line.

The drawing is SVG that stretches to any width without a script: marks live in an inner picture whose x axis runs from
0 to 1000 and is scaled, while strokes and letters keep their size. Only numbers and our own words go into it.

More points than pixels would only make the file large, so marks are thinned: jobs to one tick per slot, shares to
columns of dots where a dot stands for up to so many shares. What was thinned is stated, with its number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headframe.records.finding import Shares, Timeline
from headframe.reports.words import NS_PER_S, clock_time, si

AXIS_UNITS = 1000
"""Width of the inner picture. [user units]"""

_OUTCOMES = ("accepted", "rejected", "stale", "unanswered")
_LABEL_HEIGHT = 17  # one line of 12 px letters and the space below it [px]
_STEP_LINE_HEIGHT = 44  # [px]
_TICK_HEIGHT = 14  # [px]
_DOT_PITCH = 5  # from the middle of one dot of a column to the next [px]
_LANE_GAP = 9  # [px]
_AXIS_HEIGHT = 20  # [px]
_MOST_AXIS_LABELS = 4  # as many as fit side by side on a telephone
# Beyond this ratio of largest to smallest, a linear scale would press the small steps onto the bottom line.
_LOGARITHMIC_FROM = 30.0

_NICE_STEPS_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 14_400, 21_600, 43_200),
    *(86_400, 172_800, 432_000, 864_000, 2_592_000, 7_776_000, 31_536_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A timeline as SVG, and what has to be said with it.

    Attributes
    ----------
    svg : str
        The picture. It holds numbers and our own words only, so it needs no escaping.
    description : str
        What it shows, for those who do not see it.
    notes : tuple of str
        What was thinned, and to how many marks.
    """

    svg: str
    description: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    start_ns: int
    length_ns: int

    def x(self, time_ns: int) -> int:
        place = (time_ns - self.start_ns) * AXIS_UNITS // self.length_ns
        return min(max(place, 0), AXIS_UNITS)


def draw_timeline(
    timeline: Timeline,
    *,
    started_ns: int,
    ended_ns: int,
    counted: Shares | None = None,
    slots: int = 500,
    columns: int = 125,
) -> Drawing | None:
    """Draw a session on a real time axis.

    Parameters
    ----------
    timeline : Timeline
    started_ns, ended_ns : int
        The axis runs at least from the one to the other. [ns since 1970-01-01 UTC]
    counted : Shares or None
        Shares that were counted, where the timeline may hold only some of them.
    slots : int
        At most so many job ticks and steps of difficulty, 1 to 1000.
    columns : int
        At most so many columns of dots per outcome, 1 to 1000.

    Returns
    -------
    Drawing or None
        None where the timeline is empty.
    """
    difficulty = [(at, value) for at, value in timeline.difficulty if math.isfinite(value) and value > 0]
    if not (timeline.jobs or timeline.shares or difficulty):
        return None
    axis = _axis(timeline, difficulty, started_ns, ended_ns)
    marks: list[str] = []
    letters: list[str] = []
    said: list[str] = []
    notes: list[str] = []
    top = 0

    if difficulty:
        path, scale = _step_line(difficulty, axis, top + _LABEL_HEIGHT, slots, notes)
        smallest, largest = min(v for _, v in difficulty), max(v for _, v in difficulty)
        span = si(largest, "") if smallest == largest else f"{si(smallest, '')} to {si(largest, '')}"
        letters.append(_lane_label(top, f"Difficulty{scale}", f"{' '.join(span.split())} hashes per share"))
        marks.append(f'<path class="difficulty" d="{path}"/>')
        said.append(f"difficulty {' '.join(span.split())} hashes per share")
        top += _LABEL_HEIGHT + _STEP_LINE_HEIGHT + _LANE_GAP

    if timeline.jobs:
        places = sorted({axis.x(at) * slots // AXIS_UNITS for at in timeline.jobs})
        if len(places) < len(timeline.jobs):
            notes.append(f"{len(timeline.jobs):,} jobs are drawn as {len(places):,} ticks")
        y = top + _LABEL_HEIGHT
        path = "".join(f"M{place * AXIS_UNITS // slots} {y}v{_TICK_HEIGHT}" for place in places)
        letters.append(_lane_label(top, "Jobs from the pool", f"{len(timeline.jobs):,}"))
        marks.append(f'<path class="job" d="{path}"/>')
        said.append(f"{len(timeline.jobs):,} jobs")
        top += _LABEL_HEIGHT + _TICK_HEIGHT + _LANE_GAP

    by_outcome: dict[str, list[int]] = {}
    for at, outcome in timeline.shares:
        by_outcome.setdefault(outcome if outcome in _OUTCOMES else "unanswered", []).append(at)
    for outcome in _OUTCOMES:
        times = by_outcome.get(outcome)
        if not times:
            continue
        highest = 5 if outcome == "accepted" else 2
        path, rows, per_dot = _dot_columns(times, axis, top + _LABEL_HEIGHT, columns, highest)
        number = len(times) if counted is None else max(len(times), getattr(counted, outcome))
        if number > len(times):
            notes.append(f"{len(times):,} of {number:,} {outcome} shares were kept")
        if per_dot > 1:
            notes.append(f"a dot stands for up to {per_dot:,} {outcome} shares")
        letters.append(_lane_label(top, f"Shares {outcome}", f"{number:,}"))
        marks.append(f'<path class="dot {outcome}" d="{path}"/>')
        said.append(f"{number:,} shares {outcome}")
        top += _LABEL_HEIGHT + rows * _DOT_PITCH + _LANE_GAP

    grid, labels = _time_axis(axis, top)
    height = top + _AXIS_HEIGHT
    end_ns = axis.start_ns + axis.length_ns
    description = f"{clock_time(axis.start_ns)} to {clock_time(end_ns)} UTC: {', '.join(said)}."
    svg = (
        f'<svg class="timeline" width="100%" height="{height}" role="img" aria-label="Timeline, {description}">'
        f'<svg width="100%" height="{height}" viewBox="0 0 {AXIS_UNITS} {height}" preserveAspectRatio="none">'
        f'<path class="grid" d="{grid}"/>{"".join(marks)}</svg>{"".join(letters)}{labels}</svg>'
    )
    return Drawing(svg=svg, description=description, notes=tuple(notes))


def draw_range(low: float, estimate: float, high: float) -> str | None:
    """An estimate with its interval as a bar from zero.

    Parameters
    ----------
    low, estimate, high : float
        In one unit.

    Returns
    -------
    str or None
        SVG; None where the three are not finite, not in order, or not above zero.
    """
    if not (math.isfinite(high) and 0 <= low <= estimate <= high and high > 0):
        return None
    left, middle, right = (round(AXIS_UNITS * value / high / 1.02, 1) for value in (low, estimate, high))
    return (
        '<svg class="range" width="100%" height="12" viewBox="0 0 1000 12" preserveAspectRatio="none" '
        f'aria-hidden="true"><path class="rail" d="M0 6H1000"/><path class="span" d="M{left} 6H{right}"/>'
        f'<path class="middle" d="M{middle} 1v10"/></svg>'
    )


def _axis(timeline: Timeline, difficulty: Sequence[tuple[int, float]], started_ns: int, ended_ns: int) -> _Axis:
    shares = timeline.shares
    ends = [started_ns, ended_ns, *timeline.jobs, *(at for at, _ in shares), *(at for at, _ in difficulty)]
    start = min(ends)
    # A session of a single packet still needs an axis with a length.
    return _Axis(start, max(max(ends) - start, NS_PER_S))


def _lane_label(top: int, name: str, amount: str) -> str:
    y = top + 12
    return f'<text x="0" y="{y}">{name}</text><text x="100%" y="{y}" class="amount">{amount}</text>'


def _step_line(
    difficulty: Sequence[tuple[int, float]], axis: _Axis, top: int, slots: int, notes: list[str]
) -> tuple[str, str]:
    """Path of the step line, and the words that name its scale.

    Each slot keeps its last value only.
    """
    values = [value for _, value in difficulty]
    smallest, largest = min(values), max(values)
    logarithmic = largest / smallest > _LOGARITHMIC_FROM

    def y(value: float) -> float:
        part = math.log(value / smallest) / math.log(largest / smallest) if logarithmic else value / largest
        # Two pixels from above, so that the line's own width is not cut off.
        return round(top + 2 + (_STEP_LINE_HEIGHT - 4) * (1 - part), 1)

    last_of_slot: dict[int, float] = {}
    for at, value in sorted(difficulty):
        last_of_slot[axis.x(at) * slots // AXIS_UNITS] = value
    if len(last_of_slot) < len(difficulty):
        notes.append(f"{len(difficulty):,} settings of difficulty are drawn as {len(last_of_slot):,} steps")
    steps = sorted(last_of_slot.items())
    path = f"M{steps[0][0] * AXIS_UNITS // slots} {y(steps[0][1]):g}"
    path += "".join(f"H{place * AXIS_UNITS // slots}V{y(value):g}" for place, value in steps[1:])
    return f"{path}H{AXIS_UNITS}", " (logarithmic)" if logarithmic else ""


def _dot_columns(times: Sequence[int], axis: _Axis, top: int, columns: int, highest: int) -> tuple[str, int, int]:
    """Path of the dots, rows used, and how many shares a dot stands for at most.

    A column's dots are set from the bottom up; the last one of a column may stand for fewer shares.
    """
    counts: dict[int, int] = {}
    for at in times:
        column = min(axis.x(at) * columns // AXIS_UNITS, columns - 1)
        counts[column] = counts.get(column, 0) + 1
    most = max(counts.values())
    per_dot = math.ceil(most / highest)
    rows = math.ceil(most / per_dot)
    path: list[str] = []
    for column in sorted(counts):
        x = round((column + 0.5) * AXIS_UNITS / columns)
        # A line of no length with round ends is a dot that keeps its shape however the picture is stretched.
        path.append(f"M{x} {top + (rows - 1) * _DOT_PITCH + _DOT_PITCH // 2 + 1}h0")
        path.append(f"m0-{_DOT_PITCH}h0" * (math.ceil(counts[column] / per_dot) - 1))
    return "".join(path), rows, per_dot


def _time_axis(axis: _Axis, top: int) -> tuple[str, str]:
    length_s = axis.length_ns / NS_PER_S
    step_s = next((step for step in _NICE_STEPS_S if length_s / step <= _MOST_AXIS_LABELS), math.ceil(length_s / 4))
    step_ns = step_s * NS_PER_S
    first_ns = -(-axis.start_ns // step_ns) * step_ns
    grid = [f"M0 {top}H{AXIS_UNITS}"]
    labels = []
    several_days = clock_time(axis.start_ns)[:10] != clock_time(axis.start_ns + axis.length_ns)[:10]
    for at in range(first_ns, axis.start_ns + axis.length_ns + 1, step_ns):
        part = (at - axis.start_ns) / axis.length_ns * 100
        grid.append(f"M{axis.x(at)} 0V{top + 4}")
        anchor = ' class="first"' if part < 9 else ' class="last"' if part > 91 else ""
        labels.append(f'<text x="{part:.2f}%" y="{top + 16}"{anchor}>{_label(at, step_s, several_days)}</text>')
    return "".join(grid), f'<g class="axis">{"".join(labels)}</g>'


def _label(at_ns: int, step_s: int, several_days: bool) -> str:
    moment = clock_time(at_ns)
    if step_s >= 86_400:
        return moment[:10]
    if step_s < 60:
        return moment[11:]
    return f"{moment[5:10]} {moment[11:16]}" if several_days else moment[11:16]
