"""What drawings over time have in common: a picture that stretches, a time axis, and lanes with a name and an amount.

Marks live in an inner picture whose x axis runs from 0 to 1000 and is scaled to any width without a script, while
strokes and letters keep their size. Only numbers and our own words may go into a drawing: nothing in it is escaped.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from headframe.reports.words import NS_PER_S, clock_time

AXIS_UNITS = 1000
"""Width of the inner picture. [user units]"""
LABEL_HEIGHT = 17
"""One line of 12 px letters and the space below it. [px]"""
LANE_GAP = 9
"""[px]"""
AXIS_HEIGHT = 20
"""[px]"""

_MOST_AXIS_LABELS = 4
_NARROWEST = 260  # of a picture, on a telephone that is 320 px wide [px]
_LETTER = 6.4  # a digit of 11 px letters, as they are there [px]
_BETWEEN_LABELS = 6  # more than the rim that sets a label off from the lines behind it [px]

_NICE_STEPS_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 14_400, 21_600, 43_200),
    *(86_400, 172_800, 432_000, 864_000, 2_592_000, 7_776_000, 31_536_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture as SVG, and what has to be said with it.

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
class TimeAxis:
    """From an instant over a length of time. [ns since 1970-01-01 UTC, ns]"""

    start_ns: int
    length_ns: int

    def x(self, time_ns: int) -> int:
        """Where an instant lies, 0 to 1000. [user units]"""
        place = (time_ns - self.start_ns) * AXIS_UNITS // self.length_ns
        return min(max(place, 0), AXIS_UNITS)

    @property
    def words(self) -> str:
        """Where it begins and ends."""
        return f"{clock_time(self.start_ns)} to {clock_time(self.start_ns + self.length_ns)} UTC"


def axis_over(times_ns: Iterable[int]) -> TimeAxis:
    """The axis that holds all of the given instants, of which there must be one.

    A session of a single packet still needs an axis with a length: it is one second at least.
    """
    ends = list(times_ns)
    return TimeAxis(min(ends), max(max(ends) - min(ends), NS_PER_S))


def stretch(marks: str, height: int, letters: str, *, kind: str, name: str, more: str = "") -> str:
    """The whole picture: marks that are stretched, letters that are not.

    Parameters
    ----------
    marks, letters : str
        SVG elements.
    height : int
        [px]
    kind : str
        Class of the picture.
    name : str
        What it is, for those who do not see it.
    more : str
        What more there is to say to them.

    Returns
    -------
    str
    """
    desc = f"<desc>{more}</desc>" if more else ""
    return (
        f'<svg class="{kind}" width="100%" height="{height}" role="img" aria-label="{name}">{desc}'
        f'<svg width="100%" height="{height}" viewBox="0 0 {AXIS_UNITS} {height}" preserveAspectRatio="none">'
        f"{marks}</svg>{letters}</svg>"
    )


def lane_label(top: int, name: str, amount: str) -> str:
    """Name of a lane on its left, and how much is in it on its right."""
    y = top + 12
    return f'<text x="0" y="{y}">{name}</text><text x="100%" y="{y}" class="amount">{amount}</text>'


def ticks(axis: TimeAxis, times_ns: Iterable[int], slots: int, top: int, height: int) -> tuple[str, int]:
    """Path of upright ticks, one for each slot in which something lies, and how many they are."""
    places = sorted({axis.x(at) * slots // AXIS_UNITS for at in times_ns})
    return "".join(f"M{place * AXIS_UNITS // slots} {top}v{height}" for place in places), len(places)


def time_axis(axis: TimeAxis, top: int) -> tuple[str, str]:
    """Path of the grid with the axis below it, and the labels.

    A label that would run into the one before it on a telephone has the class ``wide``: there it is left out.
    """
    length_s = axis.length_ns / NS_PER_S
    step_s = next((step for step in _NICE_STEPS_S if length_s / step <= _MOST_AXIS_LABELS), math.ceil(length_s / 4))
    step_ns = step_s * NS_PER_S
    first_ns = -(-axis.start_ns // step_ns) * step_ns
    grid = [f"M0 {top}H{AXIS_UNITS}"]
    labels: list[str] = []
    free_px = -math.inf
    several_days = clock_time(axis.start_ns)[:10] != clock_time(axis.start_ns + axis.length_ns)[:10]
    for at in range(first_ns, axis.start_ns + axis.length_ns + 1, step_ns):
        part = (at - axis.start_ns) / axis.length_ns * 100
        grid.append(f"M{axis.x(at)} 0V{top + 4}")
        anchor, shift = ("first", 0.0) if part < 9 else ("last", 1.0) if part > 91 else ("", 0.5)
        label = _label(at, step_s, dated=several_days and not labels)
        width_px = len(label) * _LETTER
        left_px = part / 100 * _NARROWEST - shift * width_px
        crowded = left_px < free_px
        if not crowded:
            free_px = left_px + width_px + _BETWEEN_LABELS
        classes = " ".join(filter(None, (anchor, "wide" if crowded else "")))
        named = f' class="{classes}"' if classes else ""
        labels.append(f'<text x="{part:.2f}%" y="{top + 16}"{named}>{label}</text>')
    return "".join(grid), f'<g class="axis">{"".join(labels)}</g>'


def _label(at_ns: int, step_s: int, *, dated: bool) -> str:
    """The time of day, with the date where asked for; midnight is told by the date that begins."""
    moment = clock_time(at_ns)
    if step_s >= 86_400:
        return moment[:10]
    if moment[11:] == "00:00:00":
        return moment[5:10]
    time_of_day = moment[11:] if step_s < 60 else moment[11:16]
    # Four dates do not fit side by side on a telephone. Every step divides the day, so each midnight has its label.
    return f"{moment[5:10]} {time_of_day}" if dated else time_of_day
