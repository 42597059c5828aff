"""Stretches of time as pairs of start and end, half open: put together, cut, measured."""

from collections.abc import Iterable

Span = tuple[int, int]


def joined(spans: Iterable[Span], slack_ns: int = 0) -> list[Span]:
    """Stretches in order and without overlaps.

    Parameters
    ----------
    spans : iterable of (int, int)
        [ns]
    slack_ns : int
        Stretches that are less than this apart become one; those that touch always do. [ns]

    Returns
    -------
    list of (int, int)

    Examples
    --------
    >>> joined([(5, 7), (0, 2), (1, 3)])
    [(0, 3), (5, 7)]
    >>> joined([(5, 7), (0, 2)], slack_ns=4)
    [(0, 7)]
    """
    put: list[Span] = []
    for start, end in sorted(spans):
        if put and (start <= put[-1][1] or start - put[-1][1] < slack_ns):
            put[-1] = (put[-1][0], max(end, put[-1][1]))
        else:
            put.append((start, end))
    return put


def within(spans: Iterable[Span], from_ns: int, until_ns: int) -> list[Span]:
    """What of the stretches lies in a window.

    Parameters
    ----------
    spans : iterable of (int, int)
        [ns]
    from_ns, until_ns : int
        [ns]

    Returns
    -------
    list of (int, int)
        In order and without overlaps.

    Examples
    --------
    >>> within([(0, 4), (6, 9)], 2, 7)
    [(2, 4), (6, 7)]
    """
    return [
        (max(start, from_ns), min(end, until_ns))
        for start, end in joined(spans)
        if max(start, from_ns) < min(end, until_ns)
    ]


def length(spans: Iterable[Span]) -> int:
    """How long the stretches are together, each instant once. [ns]

    Parameters
    ----------
    spans : iterable of (int, int)
        [ns]

    Returns
    -------
    int

    Examples
    --------
    >>> length([(0, 4), (2, 5), (9, 10)])
    6
    """
    return sum(end - start for start, end in joined(spans))
