"""How a conversation keeps step with a chain, as two drawings.

The first shows the course: blocks as ticks, moved by the offset of the clocks, long ones that stand where a push
followed in time and short ones that hang where none did, and the pushes as dots below. The second counts the blocks by
the delay of the next push, beside what chance alone would show.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from headframe.records.finding import MOST_DRAWN, BlockSync
from headframe.reports.picture import (
    AXIS_HEIGHT,
    AXIS_UNITS,
    LABEL_HEIGHT,
    LANE_GAP,
    Drawing,
    axis_over,
    lane_label,
    stretch,
    ticks,
    time_axis,
)
from headframe.reports.words import NS_PER_S, clock_time, count, expected_count

_HIT_HEIGHT = 16  # [px]
_MISS_HEIGHT = 7  # [px]
_DOT_HEIGHT = 8  # [px]
_BARS_HEIGHT = 84  # [px]
_NUMBER_HEIGHT = 15  # above the highest bar [px]
_BARS_PER_WINDOW = 2
_WINDOWS = 5
_LONGEST_WINDOW_S = 1e6  # more is no window but a damaged number
_BAND = 0.95
"""Share of cases in which chance alone stays inside the band, bar by bar."""


@dataclass(frozen=True, slots=True)
class DelayBar:
    """Blocks whose next push came after more than `from_s` and at most `to_s`; the first bar has delay 0 as well.

    Attributes
    ----------
    from_s, to_s : float
        [s]
    blocks : int
    expected : float
        As many would be by chance.
    low, high : int
        In 95 of 100 cases chance alone shows at least and at most so many.
    """

    from_s: float
    to_s: float
    blocks: int
    expected: float
    low: int
    high: int


def delay_bars(sync: BlockSync) -> tuple[DelayBar, ...]:
    """Blocks by the delay of the next push, over five windows, beside what chance alone would show.

    If the conversation knows nothing of the chain, a block falls anywhere in the time watched, so the part of that
    time from which the next push is so many seconds away is the chance of each bar, and its number of blocks is
    binomial. The gaps between pushes give the parts; their level is that of `sync.expected_hits`, which was counted
    over the whole time watched.

    Parameters
    ----------
    sync : BlockSync

    Returns
    -------
    tuple of DelayBar
        Empty where there is nothing to compare.
    """
    pushes, blocks = sorted(sync.push_ns), drawn_blocks(sync)
    window_ns = round(sync.window_s * NS_PER_S) if 0 < sync.window_s < _LONGEST_WINDOW_S else 0
    number = len(blocks)
    if not pushes or not number or window_ns <= 0 or sync.blocks <= 0:
        return ()
    edges = [window_ns * bar // _BARS_PER_WINDOW for bar in range(_WINDOWS * _BARS_PER_WINDOW + 1)]
    counts = [0] * (len(edges) - 1)
    for at, _ in blocks:
        place = bisect_left(pushes, at)
        if place < len(pushes) and (delay := pushes[place] - at) <= edges[-1]:
            counts[max(bisect_left(edges, delay), 1) - 1] += 1
    gaps = [after - before for before, after in pairwise(pushes)]
    nearer = [sum(min(gap, edge) for gap in gaps) for edge in edges]
    chance_of_window = sync.expected_hits / sync.blocks
    within = nearer[_BARS_PER_WINDOW]
    if not (within and 0 < chance_of_window <= 1):
        return ()
    bars = []
    for bar, blocks_in_bar in enumerate(counts):
        part = min((nearer[bar + 1] - nearer[bar]) / within * chance_of_window, 1.0)
        low, high = binomial_band(number, part)
        bars.append(DelayBar(edges[bar] / NS_PER_S, edges[bar + 1] / NS_PER_S, blocks_in_bar, number * part, low, high))
    return tuple(bars)


def binomial_band(trials: int, chance: float) -> tuple[int, int]:
    """The middle 95 % of a binomial distribution.

    Parameters
    ----------
    trials : int
        1 or more.
    chance : float
        0 to 1. [unitless]

    Returns
    -------
    low, high : int
        The smallest numbers of which no more than 2.5 % and 97.5 % of the cases fall short, themselves counted in.
    """
    if not 0 < chance < 1:
        return (0, 0) if chance <= 0 else (trials, trials)
    log_odds, log_rest = math.log(chance / (1 - chance)), trials * math.log1p(-chance)
    log_all = math.lgamma(trials + 1)
    tail = (1 - _BAND) / 2
    below, low = 0.0, -1
    for number in range(trials + 1):
        log_ways = log_all - math.lgamma(number + 1) - math.lgamma(trials - number + 1)
        below += math.exp(log_ways + number * log_odds + log_rest)
        if low < 0 and below >= tail:
            low = number
        if below >= 1 - tail:
            return low, number
    return max(low, 0), trials


def draw_blocks(sync: BlockSync, *, started_ns: int, ended_ns: int, slots: int = 1000) -> Drawing | None:
    """Draw blocks and pushes on a real time axis.

    Parameters
    ----------
    sync : BlockSync
    started_ns, ended_ns : int
        The axis runs at least from the one to the other, or to the last push that was kept.
        [ns since 1970-01-01 UTC]
    slots : int
        At most so many ticks, and so many dots, 1 to 1000.

    Returns
    -------
    Drawing or None
        None where the record holds no block.
    """
    blocks = drawn_blocks(sync)
    if not blocks:
        return None
    last = max(blocks)[0]
    cut = len(blocks) < sync.blocks
    pushes = [at for at in sync.push_ns if not cut or at <= last]
    axis = axis_over([started_ns, *([] if cut else [ended_ns]), *(at for at, _ in blocks), *pushes])
    hits = [at for at, hit in blocks if hit]
    misses = [at for at, hit in blocks if not hit]
    notes = []
    if cut:
        notes.append(f"the first {len(blocks):,} of {sync.blocks:,} blocks are drawn, until {clock_time(last)} UTC")
    middle = LABEL_HEIGHT + _HIT_HEIGHT
    marks, letters = [], [lane_label(0, "Blocks", f"{len(hits):,} followed in time, {len(misses):,} not")]
    for kind, times, top, height in (("hit", hits, LABEL_HEIGHT, _HIT_HEIGHT), ("miss", misses, middle, _MISS_HEIGHT)):
        path, drawn = ticks(axis, times, slots, top, height)
        marks.append(f'<path class="{kind}" d="{path}"/>')
        if drawn < len(times):
            word = "followed in time" if kind == "hit" else "not followed in time"
            notes.append(f"{count(len(times), 'block')} {word} are drawn as {count(drawn, 'tick')}")
    top = middle + _MISS_HEIGHT + LANE_GAP
    letters.append(lane_label(top, "Pushes", f"{len(pushes):,}"))
    places = sorted({axis.x(at) * slots // AXIS_UNITS for at in pushes})
    if len(places) < len(pushes):
        notes.append(f"{count(len(pushes), 'push', 'pushes')} are drawn as {count(len(places), 'dot')}")
    # A line of no length with round ends is a dot that keeps its shape however the picture is stretched.
    y = top + LABEL_HEIGHT + _DOT_HEIGHT // 2
    marks.append(f'<path class="dot push" d="{"".join(f"M{place * AXIS_UNITS // slots} {y}h0" for place in places)}"/>')
    top += LABEL_HEIGHT + _DOT_HEIGHT + LANE_GAP
    grid, labels = time_axis(axis, top)
    description = (
        f"{axis.words}: {count(len(blocks), 'block')}, {len(hits):,} followed in time by a push and {len(misses):,} "
        f"not; {count(len(pushes), 'push', 'pushes')}."
    )
    svg = stretch(
        f'<path class="grid" d="{grid}"/><path class="grid" d="M0 {middle}H{AXIS_UNITS}"/>{"".join(marks)}',
        top + AXIS_HEIGHT,
        "".join(letters) + labels,
        kind="timeline course",
        name=f"Blocks and pushes, {description}",
        more="Long ticks are blocks that a push followed in time, short ticks below the line those that none followed; "
        "dots are pushes.",
    )
    return Drawing(svg=svg, description=description, notes=tuple(notes))


def draw_delays(sync: BlockSync) -> Drawing | None:
    """Draw blocks by the delay of the next push as bars, with the band of chance behind them.

    Parameters
    ----------
    sync : BlockSync

    Returns
    -------
    Drawing or None
        None where there is nothing to compare.
    """
    bars = delay_bars(sync)
    if not bars:
        return None
    later = len(drawn_blocks(sync)) - sum(bar.blocks for bar in bars)
    last_s = bars[-1].to_s
    highest = max(1, *(bar.blocks for bar in bars), *(bar.high for bar in bars))
    top = LABEL_HEIGHT + _NUMBER_HEIGHT
    floor = top + _BARS_HEIGHT
    width = AXIS_UNITS // len(bars)

    def y(blocks: float) -> float:
        return round(floor - _BARS_HEIGHT * blocks / highest, 1)

    band, middle = [], []
    kinds: dict[str, list[str]] = {"inside": [], "outside": []}
    numbers = []
    for place, bar in enumerate(bars):
        x = place * width
        band.append(f"M{x} {y(bar.low)}H{x + width}V{y(bar.high)}H{x}Z")
        middle.append(f"M{x} {y(bar.expected)}h{width}")
        if bar.blocks:
            kind = "inside" if place < _BARS_PER_WINDOW else "outside"
            kinds[kind].append(f"M{x + 15} {floor}V{y(bar.blocks)}H{x + width - 15}V{floor}Z")
            numbers.append(
                f'<text x="{(x + width / 2) / 10:g}%" y="{y(bar.blocks) - 4}" class="number">{bar.blocks:,}</text>'
            )
    axis = []
    for windows in range(_WINDOWS + 1):
        anchor = {0: ' class="first"', _WINDOWS: ' class="last"'}.get(windows, "")
        unit = " s" if windows in (0, _WINDOWS) else ""
        label = f"{windows * sync.window_s:g}{unit}"
        axis.append(f'<text x="{windows * 100 // _WINDOWS}%" y="{floor + 16}"{anchor}>{label}</text>')
    grid = f"M0 {floor}H{AXIS_UNITS}" + "".join(
        f"M{windows * AXIS_UNITS // _WINDOWS} {floor}v4" for windows in range(_WINDOWS + 1)
    )
    spoken = "; ".join(
        f"{bar.from_s:g} to {bar.to_s:g} s: {bar.blocks:,}, by chance {bar.low:,} to {bar.high:,}" for bar in bars
    )
    in_window = sum(bar.blocks for bar in bars[:_BARS_PER_WINDOW])
    by_chance = sum(bar.expected for bar in bars[:_BARS_PER_WINDOW])
    description = (
        f"{count(in_window, 'block')} within the window of {sync.window_s:g} s, {expected_count(by_chance)} expected "
        f"by chance; {later:,} later than {last_s:g} s or never"
    )
    heading = lane_label(0, "Delay of the next push", f"{later:,} later" if later else "none later")
    window_x = _BARS_PER_WINDOW * width
    svg = stretch(
        f'<path class="band" d="{"".join(band)}"/><path class="grid" d="{grid}"/>'
        + "".join(f'<path class="bar {kind}" d="{"".join(path)}"/>' for kind, path in kinds.items() if path)
        + f'<path class="expected" d="{"".join(middle)}"/>'
        f'<path class="window" d="M{window_x} {top - 6}V{floor}"/>',
        floor + AXIS_HEIGHT,
        "".join([heading, *numbers, f'<g class="axis">{"".join(axis)}</g>']),
        kind="timeline delays",
        name=f"Blocks by delay of the next push: {description}.",
        more=f"Blocks and the middle 95 % of what chance alone would show. {spoken}.",
    )  # fmt: skip
    drawn = drawn_blocks(sync)
    notes: tuple[str, ...] = ()
    if len(drawn) < sync.blocks:
        until = clock_time(drawn[-1][0])
        notes = (f"the first {len(drawn):,} of {sync.blocks:,} blocks are counted, until {until} UTC",)
    return Drawing(svg=svg, description=description, notes=notes)


def drawn_blocks(sync: BlockSync) -> Sequence[tuple[int, bool]]:
    """Blocks of which the pushes are known, ascending, each with whether one followed in time.

    The record keeps the first of each only. Where pushes outnumber blocks, those kept end before the blocks do: that
    they are as many as are kept tells, or a block that was followed in time, and by none of the pushes here. Fewer than
    `sync.blocks` are a part of what the figures are about, and whoever draws them says so.

    Parameters
    ----------
    sync : BlockSync

    Returns
    -------
    sequence of (int, bool)
        [ns since 1970-01-01 UTC, -]
    """
    blocks = sorted(zip(sync.block_ns, sync.block_hit, strict=False))
    last_push = max(sync.push_ns, default=None)
    cut = len(sync.push_ns) >= MOST_DRAWN or any(hit and at > (last_push or 0) for at, hit in blocks)
    if last_push is None or cut:
        return [(at, hit) for at, hit in blocks if last_push is not None and at <= last_push]
    return blocks
