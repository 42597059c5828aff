"""The course of a mining session as a drawing: jobs as ticks, shares as dots, difficulty as a step line.

More points than pixels would only make the file large, so marks are thinned: jobs to one tick per slot, shares to
columns of dots where a dot stands for up to so many shares. What was thinned is stated, with its number.
"""

import math
from collections.abc import Sequence

from headframe.records.finding import Shares, Timeline
from headframe.reports.picture import (
    AXIS_HEIGHT,
    AXIS_UNITS,
    LABEL_HEIGHT,
    LANE_GAP,
    Drawing,
    TimeAxis,
    axis_over,
    lane_label,
    stretch,
    ticks,
    time_axis,
)
from headframe.reports.words import si

_OUTCOMES = ("accepted", "rejected", "stale", "unanswered")
_STEP_LINE_HEIGHT = 44  # [px]
_TICK_HEIGHT = 14  # [px]
_DOT_PITCH = 5  # from the middle of one dot of a column to the next [px]
# Beyond this ratio of largest to smallest, a linear scale would press the small steps onto the bottom line.
_LOGARITHMIC_FROM = 30.0


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
    axis = axis_over(
        [started_ns, ended_ns, *timeline.jobs, *(at for at, _ in timeline.shares), *(at for at, _ in difficulty)]
    )
    marks: list[str] = []
    letters: list[str] = []
    said: list[str] = []
    notes: list[str] = []
    top = 0

    if difficulty:
        path, scale = _step_line(difficulty, axis, top + LABEL_HEIGHT, slots, notes)
        smallest, largest = min(v for _, v in difficulty), max(v for _, v in difficulty)
        span = si(largest, "") if smallest == largest else f"{si(smallest, '')} to {si(largest, '')}"
        letters.append(lane_label(top, f"Difficulty{scale}", f"{' '.join(span.split())} hashes per share"))
        marks.append(f'<path class="difficulty" d="{path}"/>')
        said.append(f"difficulty {' '.join(span.split())} hashes per share")
        top += LABEL_HEIGHT + _STEP_LINE_HEIGHT + LANE_GAP

    if timeline.jobs:
        path, drawn = ticks(axis, timeline.jobs, slots, top + LABEL_HEIGHT, _TICK_HEIGHT)
        if drawn < len(timeline.jobs):
            notes.append(f"{len(timeline.jobs):,} jobs are drawn as {drawn:,} ticks")
        letters.append(lane_label(top, "Jobs from the pool", f"{len(timeline.jobs):,}"))
        marks.append(f'<path class="job" d="{path}"/>')
        said.append(f"{len(timeline.jobs):,} jobs")
        top += LABEL_HEIGHT + _TICK_HEIGHT + LANE_GAP

    by_outcome: dict[str, list[int]] = {}
    for at, outcome in timeline.shares:
        by_outcome.setdefault(outcome if outcome in _OUTCOMES else "unanswered", []).append(at)
    for outcome in _OUTCOMES:
        times = by_outcome.get(outcome)
        if not times:
            continue
        highest = 5 if outcome == "accepted" else 2
        path, rows, per_dot = _dot_columns(times, axis, top + LABEL_HEIGHT, columns, highest)
        number = len(times) if counted is None else max(len(times), getattr(counted, outcome))
        if number > len(times):
            notes.append(f"{len(times):,} of {number:,} {outcome} shares were kept")
        if per_dot > 1:
            notes.append(f"a dot stands for up to {per_dot:,} {outcome} shares")
        letters.append(lane_label(top, f"Shares {outcome}", f"{number:,}"))
        marks.append(f'<path class="dot {outcome}" d="{path}"/>')
        said.append(f"{number:,} shares {outcome}")
        top += LABEL_HEIGHT + rows * _DOT_PITCH + LANE_GAP

    grid, labels = time_axis(axis, top)
    description = f"{axis.words}: {', '.join(said)}."
    svg = stretch(
        f'<path class="grid" d="{grid}"/>{"".join(marks)}',
        top + AXIS_HEIGHT,
        "".join(letters) + labels,
        kind="timeline",
        name=f"Timeline, {description}",
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


def _step_line(
    difficulty: Sequence[tuple[int, float]], axis: TimeAxis, top: int, slots: int, notes: list[str]
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


def _dot_columns(times: Sequence[int], axis: TimeAxis, top: int, columns: int, highest: int) -> tuple[str, int, int]:
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
