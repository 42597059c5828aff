"""Small cells of a table are not shown, and nor is what would give them away.

A count of one to four cases in a region of a month is about somebody. So counts below a minimum are left out (primary
suppression); of energy, a sum is left out unless at least 15 points are in it and none has more than 15 % of it (the
15/15 rule [1]_). A total with one number missing gives that number away; so others are left out too, until an attacker
who knows every published figure, every sum and what is a part of what cannot tell a hidden one well enough
(complementary suppression [2]_).
How well he can is computed exactly, by linear programming over all tables that fit what is published. A count of zero
is always shown, so he knows that every hidden one is at least 1: five hidden counts that add up to 5 are no secret.

References
----------
.. [1] California Public Utilities Commission, Decision 97-10-031 (1997), as refined in D.14-05-016.
.. [2] A. Hundepool et al., "Statistical Disclosure Control", Wiley, 2012, chapter 4.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)

MIN_CELL = 5
LEAST_POINTS = 15
MOST_OF_SUM = 0.15
SHOWN_AS = "*"
"""Stands in the place of a figure that is not shown, the same for every reason: which ones are small is not told."""
_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Suppressed(Generic[Key]):
    """What is shown of a table, and why the rest is not.

    Attributes
    ----------
    shown : mapping of key to float
    primary : frozenset of key
        Too small, or too much of one.
    complementary : frozenset of key
        Hidden so that nobody can compute the primary ones.
    words : str
        What to write below the table; empty where everything is shown.
    """

    shown: Mapping[Key, float]
    primary: frozenset[Key]
    complementary: frozenset[Key]
    words: str


def suppress(
    figures: Mapping[Key, float],
    sums: Sequence[tuple[Key, Sequence[Key]]] = (),
    *,
    min_cell: int = MIN_CELL,
    at_most: Sequence[tuple[Key, Key]] = (),
    never_shown: Collection[Key] = (),
) -> Suppressed[Key]:
    """Hide small counts of a table, and what would give them away.

    Parameters
    ----------
    figures : mapping of key to float
        Counts, totals among them.
    sums : sequence of (key, keys)
        Which figure is the sum of which others, for every total that a reader knows of.
    min_cell : int
        Counts of 1 to ``min_cell - 1`` are hidden; 0 is shown.
    at_most : sequence of (key, key)
        Which figure counts a part of what which other counts, and so is not above it.
    never_shown : collection of key
        Figures that stand in no table, and only say how those that do hang together; whatever they are, they need not
        be protected.

    Returns
    -------
    Suppressed

    Raises
    ------
    ValueError
        If a sum names a figure that is not there, or is not the sum, or a part is above its whole.
    """
    _check(figures, sums, at_most)
    unknown = frozenset(never_shown)
    primary = frozenset(key for key, value in figures.items() if 0 < value < min_cell and key not in unknown)
    attacker = _Attacker(figures, sums, at_most, _least_counts(figures, unknown))
    widths = {key: float(min_cell) for key in primary}
    words = f"Counts of 1 to {min_cell - 1} are not shown"
    return _completed(figures, attacker, primary, widths, words, unknown)


def suppress_energy(
    parts: Mapping[Key, Sequence[float]], sums: Sequence[tuple[Key, Sequence[Key]]] = ()
) -> Suppressed[Key]:
    """Hide sums of energy that tell of single usage points: the 15/15 rule.

    Parameters
    ----------
    parts : mapping of key to sequence of float
        The points that each figure is the sum of, totals among them. [Wh]
    sums : sequence of (key, keys)
        Which figure is the sum of which others.

    Returns
    -------
    Suppressed
        Figures are the sums. [Wh]
    """
    figures = {key: float(math.fsum(values)) for key, values in parts.items()}
    _check(figures, sums)
    primary = frozenset(key for key, values in parts.items() if not may_show_energy(values))
    widths = {key: 2 * MOST_OF_SUM * figures[key] for key in primary}
    words = (
        f"Sums of fewer than {LEAST_POINTS} usage points, or of which one has more than {MOST_OF_SUM:.0%}, "
        "are not shown"
    )
    return _completed(figures, _Attacker(figures, sums), primary, widths, words)


def may_show_energy(values: Sequence[float]) -> bool:
    """Whether a sum of energy tells of no single point: at least 15 points, none above 15 %; an empty one may be shown.

    Examples
    --------
    >>> may_show_energy([1.0] * 15), may_show_energy([1.0] * 14), may_show_energy([1.0] * 20 + [5.0])
    (True, False, False)
    """
    if not values or not any(values):
        return True
    return len(values) >= LEAST_POINTS and max(values) <= MOST_OF_SUM * math.fsum(values) * (1 + 1e-12)


def attack(
    figures: Mapping[Key, float],
    sums: Sequence[tuple[Key, Sequence[Key]]],
    hidden: Collection[Key],
    at_most: Sequence[tuple[Key, Key]] = (),
    *,
    never_shown: Collection[Key] = (),
) -> dict[Key, tuple[float, float]]:
    """What a reader can compute of hidden counts: the lowest and highest value of each that fits all that is shown.

    Parameters
    ----------
    figures : mapping of key to float
    sums : sequence of (key, keys)
    hidden : collection of key
    at_most : sequence of (key, key)
        Which figure counts a part of what which other counts.
    never_shown : collection of key
        Hidden figures that may be 0, since they stand in no table; all others are at least 1.

    Returns
    -------
    dict
        Bounds of each hidden figure; the upper one is infinite where nothing bounds it.
    """
    attacker = _Attacker(figures, sums, at_most, _least_counts(figures, never_shown))
    return {key: attacker.bounds(key, hidden) for key in figures if key in hidden}


def _least_counts(figures: Mapping[Key, float], never_shown: Collection[Key]) -> dict[Key, float]:
    """What is known of each count that a table hides: zeros stand in it, so it is none of them."""
    return {key: min(1.0, value) for key, value in figures.items() if key not in never_shown}


class _Attacker(Generic[Key]):
    """What a reader can compute, asked again and again while figures are hidden: only what is tied together counts."""

    def __init__(
        self,
        figures: Mapping[Key, float],
        sums: Sequence[tuple[Key, Sequence[Key]]],
        at_most: Sequence[tuple[Key, Key]] = (),
        least: Mapping[Key, float] | None = None,
    ) -> None:
        self._figures = figures
        # What each is at least if it is hidden; 0 where nothing is said.
        self._least = least or {}
        # The sums are 0, the rest is not below it.
        self._relations = [((total, 1.0), *((part, -1.0) for part in parts)) for total, parts in sums]
        self._equal = len(self._relations)
        self._relations += [((whole, 1.0), (part, -1.0)) for part, whole in at_most]
        self._of: dict[Key, list[int]] = {}
        for place, terms in enumerate(self._relations):
            for name, _ in terms:
                self._of.setdefault(name, []).append(place)
        self._known: dict[tuple[Key, frozenset[Key]], tuple[float, float]] = {}
        self._moved: dict[tuple[Key, float], list[frozenset[Key]]] = {}

    def may_rise(self, key: Key, by: float, hidden: Collection[Key]) -> bool:
        """Whether a hidden figure may as well be higher by so much.

        Of the tables in which it is, the one that is nearest to the true one is looked for. It fits as long as all that
        differs in it is hidden, whatever else is shown, so it is kept; most questions are answered by such a one.
        """
        from scipy.optimize import linprog

        found = self._moved.setdefault((key, by), [])
        if any(all(name in hidden for name in moved) for moved in found):
            return True
        tied, places = self.tied(key, hidden)
        names = list(tied)
        if not places:
            return True
        rows, right, equal = self._system(names, places)
        true = np.array([self._figures[name] for name in names])
        # What each rises by, and then what each falls by, which leaves it what it is at least; the asked one is first.
        both = np.hstack([rows, -rows])
        lowest, highest = np.zeros(2 * len(names)), np.full(2 * len(names), math.inf)
        highest[len(names) :] = [max(self._figures[name] - self._least.get(name, 0.0), 0.0) for name in names]
        lowest[0], highest[len(names)] = by, 0.0
        answer = linprog(
            np.ones(2 * len(names)), A_eq=both[equal], b_eq=np.zeros(int(equal.sum())), A_ub=-both[~equal],
            b_ub=(rows @ true - right)[~equal], bounds=np.column_stack([lowest, highest]), method="highs",
        )  # fmt: skip
        if answer.status != 0:
            return False
        change = answer.x[: len(names)] - answer.x[len(names) :]
        found.append(frozenset(name for name, step in zip(names, change, strict=True) if step))
        return True

    def bounds(self, key: Key, hidden: Collection[Key]) -> tuple[float, float]:
        """Lowest and highest value of a hidden figure that fit all that is shown."""
        tied, places = self.tied(key, hidden)
        known = (key, frozenset(tied))
        if known not in self._known:
            self._known[known] = self._solved(key, list(tied), places)
        return self._known[known]

    def tied(self, key: Key, hidden: Collection[Key]) -> tuple[dict[Key, None], list[int]]:
        """The hidden figures that relations tie to a figure, itself first, and the places of those relations."""
        tied, places = {key: None}, dict[int, None]()
        waiting = [key]
        while waiting:
            for place in self._of.get(waiting.pop(), ()):
                if place in places:
                    continue
                places[place] = None
                for name, _ in self._relations[place]:
                    if name in hidden and name not in tied:
                        tied[name] = None
                        waiting.append(name)
        return tied, list(places)

    def near(self, key: Key, hidden: Collection[Key], *, sums_only: bool) -> list[Key]:
        """Figures of all relations, or of all sums, that a hidden figure is tied to through other hidden ones."""
        _, places = self.tied(key, hidden)
        asked = (place for place in places if place < self._equal or not sums_only)
        return list(dict.fromkeys(name for place in asked for name, _ in self._relations[place]))

    def _solved(self, key: Key, names: list[Key], places: list[int]) -> tuple[float, float]:
        from scipy.optimize import linprog

        least = [self._least.get(name, 0.0) for name in names]
        low, high = self._least.get(key, 0.0), math.inf
        if not places:
            return low, high
        rows, right, equal = self._system(names, places)
        aim = np.zeros(len(names))
        for sign in (1.0, -1.0):
            aim[names.index(key)] = sign
            answer = linprog(
                aim, A_eq=rows[equal], b_eq=right[equal], A_ub=-rows[~equal], b_ub=-right[~equal],
                bounds=[(one, None) for one in least], method="highs",
            )  # fmt: skip
            if answer.status == 0:
                low, high = (float(answer.fun), high) if sign > 0 else (low, -float(answer.fun))
        return max(low, self._least.get(key, 0.0)), high

    def _system(
        self, names: list[Key], places: list[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Relations as rows over hidden figures, what each must be or not be below, and which of them are sums."""
        column = {name: k for k, name in enumerate(names)}
        rows, right = np.zeros((len(places), len(names))), np.zeros(len(places))
        for row, place in enumerate(places):
            for name, sign in self._relations[place]:
                if name in column:
                    rows[row, column[name]] += sign
                else:
                    right[row] -= sign * self._figures[name]
        equal = np.array([place < self._equal for place in places])
        return rows, right, equal


def _completed(
    figures: Mapping[Key, float],
    attacker: _Attacker[Key],
    primary: frozenset[Key],
    widths: Mapping[Key, float],
    words: str,
    unknown: frozenset[Key] = frozenset(),
) -> Suppressed[Key]:
    """Hide more until no primary figure can be told; the smallest figure that helps goes first."""
    hidden = set(primary | unknown)

    def wide(key: Key) -> bool:
        return attacker.may_rise(key, widths[key], hidden) or _is_wide(
            attacker.bounds(key, hidden), figures[key], widths[key]
        )

    # Hiding more never narrows what was wide, so each is looked at until it is, and then no more.
    for key in sorted(primary, key=lambda one: (widths[one], str(one)), reverse=True):
        while not wide(key):
            # Only what is in the same net of sums can give it away, or of a part and its whole. A zero never helps:
            # where all others of those are hidden, they may be any multiple of what they are.
            open_to = (
                [
                    name
                    for name in attacker.near(key, hidden, sums_only=sums_only)
                    if name not in hidden and figures[name] > 0
                ]
                for sums_only in (True, False)
            )
            choices = next(filter(None, open_to), [])
            if not choices:
                break
            hidden.add(min(choices, key=lambda one: (figures[one], str(one))))
    # A figure that was hidden early may no longer be needed: the largest is shown again first.
    narrow: list[Key] = []
    for key in sorted(hidden - primary - unknown, key=lambda one: (-figures[one], str(one))):
        tied, _ = attacker.tied(key, hidden)
        hidden.discard(key)
        # What needed a figure before may well need the next one: it is asked first.
        asked = [one for one in dict.fromkeys((*narrow, *tied)) if one in primary and one in tied]
        needs_it = next((one for one in asked if not wide(one)), None)
        if needs_it is not None:
            hidden.add(key)
            narrow = list(dict.fromkeys((needs_it, *narrow)))
    # One that follows from what is shown by now is no secret, and hiding it would only look as if it were.
    for key in sorted(hidden - primary - unknown, key=str):
        low, high = attacker.bounds(key, hidden)
        if high - low < _SLACK:
            hidden.discard(key)
    hidden -= unknown
    complementary = frozenset(hidden) - primary
    if complementary:
        words += "; nor is what would give those away"
    words += f" ({len(hidden)} of {len(figures) - len(unknown)} figures, marked {SHOWN_AS})"
    shown = {key: value for key, value in figures.items() if key not in hidden and key not in unknown}
    return Suppressed(shown, primary, complementary, f"{words}." if hidden else "")


def _is_wide(bounds: tuple[float, float], value: float, width: float) -> bool:
    low, high = bounds
    return high - low >= width - _SLACK and high >= value + min(width / 2, 1.0) - _SLACK


def _check(
    figures: Mapping[Key, float],
    sums: Sequence[tuple[Key, Sequence[Key]]],
    at_most: Sequence[tuple[Key, Key]] = (),
) -> None:
    for total, parts in sums:
        unknown = [name for name in (total, *parts) if name not in figures]
        if unknown:
            raise ValueError(f"the sum {total!r} names {unknown[0]!r}, which is not in the table")
        added = math.fsum(figures[part] for part in parts)
        if not math.isclose(added, figures[total], rel_tol=1e-9, abs_tol=1e-6):
            raise ValueError(f"{total!r} is {figures[total]:g}, and its parts add up to {added:g}")
    for part, whole in at_most:
        unknown = [name for name in (part, whole) if name not in figures]
        if unknown:
            raise ValueError(f"{part!r} is to be part of {whole!r}, and {unknown[0]!r} is not in the table")
        if figures[part] > figures[whole] + 1e-6:
            raise ValueError(f"{part!r} is {figures[part]:g}, which is above {figures[whole]:g} of {whole!r}")
