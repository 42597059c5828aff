"""Plain twins of the timing kernels: slow, and written to be believed. They borrow nothing from the package.

Times are whole nanoseconds in Python integers.
"""

import math
from fractions import Fraction

GAP = 50_000_000
REPLY = 2_000_000_000


def bursts(packets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(time, signed size) of packets to those of bursts: per side, packets less than GAP after the one before."""
    out: list[list[int]] = []
    latest: dict[bool, tuple[int, int]] = {}  # side: (index of its burst, time of its last packet)
    now = None
    for time, size in packets:
        now = time if now is None else max(now, time)
        if size == 0:
            continue
        side = size > 0
        if side in latest and now - latest[side][1] < GAP:
            index = latest[side][0]
            out[index][1] += size
        else:
            index = len(out)
            out.append([now, size])
        latest[side] = (index, now)
    return [(time, max(-0x7FFFFFFF, min(0x7FFFFFFF, size))) for time, size in out]


def replies(given: list[tuple[int, int]]) -> list[bool]:
    """Whether each burst answers: it is its side's first since the other side spoke, at most REPLY later."""
    answers = []
    for k, (time, size) in enumerate(given):
        side = size > 0
        answer = False
        for before in range(k - 1, -1, -1):
            if (given[before][1] > 0) == side:
                break
            # The other side's last word; a burst of our own between would have ended the search.
            answer = time - given[before][0] <= REPLY
            break
        answers.append(answer)
    return answers


def classes(size: int, reply: bool, sign: int, large: int) -> set[str]:
    """Classes of a burst; none for the client's."""
    if size * sign <= 0:
        return set()
    out = {"all"}
    if abs(size) >= large:
        out.add("large")
    if not reply:
        out.add("unasked")
    return out


def hit(pushes: list[int], block: int, window: int, end: int) -> bool:
    """Whether a push comes at most a window after the block, within the segment."""
    return any(block <= push <= block + window and push < end for push in pushes)


def chance(pushes: list[int], start: int, end: int, window: int) -> Fraction:
    """Length of the union of [push - window, push] inside the segment, over the segment's length."""
    total, reached = 0, start
    for push in sorted(pushes):
        low = max(reached, push - window)
        if push > low:
            total += push - low
        reached = max(reached, push)
    return Fraction(total, end - start)


def log_factor(
    pushes: list[int], blocks: list[int], start: int, end: int, window: int, share: float, offset: int
) -> float:
    """Logarithm of one segment's factor for one alternative."""
    p = float(chance(pushes, start, end, window))
    total = 0.0
    for block in blocks:
        moved = block + offset
        if start <= moved < end:
            if hit(pushes, moved, window, end):
                # A hit without a chance is a block and a push in the segment's first instant: it never happens, and
                # counts for nothing.
                total += math.log(1 - share + share / p) if p else 0.0
            else:
                total += math.log(1 - share)
    return total


def segments(times: list[int], start: int, end: int, length: int, most: int) -> list[tuple[int, int]]:
    """Where a conversation is cut, under a clock that knows everything."""
    out = []
    begin = start
    while begin < end:
        stop = min(end, begin + length)
        inside = [time for time in times if begin <= time < stop]
        if len(inside) > most:
            stop = inside[most]
        if stop == begin:
            begin += 1
            continue
        out.append((begin, stop))
        begin = stop
    return out
