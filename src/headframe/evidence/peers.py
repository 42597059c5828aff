"""Where a usage point's score stands among comparable points: in the same run, and in a reference population.

Two urns are asked.

**The run.** The other usage points of the group, each with one score (the worst of its windows), so that repeated
windows of one building do not pretend to be independent: buildings are exchangeable, windows of one building are not
[1]_ [2]_. The p-value is the leave-one-out rank ``(1 + others with an equal or higher score) / (n + 1)``. It is valid
whatever the score is. It has two limits: with n peers it cannot go below ``1 / (n + 1)``; and no list can be cut from
it, because ranks of a group within itself are ``1/m .. m/m`` whatever the data are.

**The reference.** Scores of real buildings with no machines, of sources named in the file, that ship with the program.
The candidates of a list are not among them, so a list may be cut. They are few (tens), so a rank among them ends at
some hundredths; and they are another population. Both are paid for: a Student distribution is fitted to the buildings,
with a between-building and a within-building part, so that the predictive tail knows how few buildings there are; its
scale is widened by a `transfer` factor, chosen so that buildings of a *left-out source* are foretold; and it never goes
below the rate seen in more than one building. If the lower quartile of the run lies above that of the reference, as in
a region where everybody heats with electricity, the reference is moved up by as much. It is never moved down. Miners,
being rare and high, do not move a lower quartile; a group in which most mine would (then nobody stands out, and none is
found).

The two are merged by Bonferroni with fixed weights, and their e-values by the mean.

References
----------
.. [1] Dunn, Wasserman and Ramdas, "Distribution-free prediction sets for two-layer hierarchical models", JASA 118(544),
   2023, section 3 (one draw of each subject; pooling of distribution functions). arXiv:1809.07441
.. [2] Lee, Barber and Willett, "Distribution-free inference with hierarchical data", 2023, section 3. arXiv:2306.06342
.. [3] Bates, Candes, Lei, Romano and Sesia, "Testing for outliers with conformal p-values", Annals of Statistics 51(1),
   2023. doi:10.1214/22-AOS2244
.. [4] Marandon, Lei, Mary and Roquain, "Adaptive novelty detection with false discovery rate guarantee", Annals of
   Statistics 52(1), 2024. arXiv:2208.06685
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headframe.evidence.calibrators import rank_calibrator

ENOUGH_PEERS = 99
"""From so many peers on, the run's own ranks count: they can show 0.01."""
ENOUGH_TO_SHIFT = 20
"""From so many peers on, the run's lower quartile is known well enough to move the reference."""
RUN_WEIGHT = 0.2
"""Weight of the run's ranks beside the reference, where there are enough: fixed in advance, and small, because a list
is cut by the reference."""
LEAST_BUILDINGS = 5
"""A reference of fewer buildings has no between-building variance worth the name."""

MOST_DEGREES = 9
"""Of the Student distribution. With more buildings it would become a normal one, whose tail real scores exceed: those
of 79 commercial buildings have an excess kurtosis of 1.2, as this one has. With it, lists at a rate of 10 % of runs in
which nobody mines are empty nine times of ten (groups left out); with 78 degrees and the same rate at p = 0.01, eight
times of ten."""


@dataclass(frozen=True, slots=True)
class ReferencePopulation:
    """Scores of real buildings without machines.

    Attributes
    ----------
    kind : str
        ``home`` or ``commercial``.
    score_version : str
        Of the score; another version's scores are not comparable.
    sources : tuple of str
        Source of each building.
    scores : tuple of tuple of float
        Scores of each building's consecutive windows, in order of time; NaN where a window has none.
    transfer : float
        At least 1: by how much the scale is widened because subjects are of another population.
    """

    kind: str
    score_version: str
    sources: tuple[str, ...]
    scores: tuple[tuple[float, ...], ...]
    transfer: float = 1.0


@dataclass(frozen=True, slots=True)
class PeerStanding:
    """Where each usage point stands: arrays of n.

    Attributes
    ----------
    p : float64[n]
        Above 0 and at most 1; NaN where there is no score or nobody to compare with. [unitless]
    log10_e : float64[n]
        At most what so many peers can show; 0 where there is no p-value. [unitless]
    peers : int64[n]
        How many peers, of the run if their ranks counted, of the reference if not.
    source : tuple of str
        ``run``, ``reference``, ``run and reference`` or empty.
    shift : float64[n]
        By how much the reference was moved up for the group. [score]
    """

    p: NDArray[np.float64]
    log10_e: NDArray[np.float64]
    peers: NDArray[np.int64]
    source: tuple[str, ...]
    shift: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Tail:
    """What a reference says of the worst of some windows of one building."""

    centre: float
    scale: float
    buildings: int
    lower_quartile: float
    seen: NDArray[np.float64]
    """Scores, ascending."""
    beyond: NDArray[np.float64]
    """Building-weighted share of scores at or above each of `seen`, and 0 for what lies above all."""
    windows: int
    """Of how many windows this is the worst."""


def p_values(
    scores: ArrayLike,
    groups: ArrayLike,
    kinds: Sequence[str],
    references: Mapping[str, ReferencePopulation],
    windows: ArrayLike | None = None,
) -> PeerStanding:
    """p-value of each usage point's score among its peers and in the reference population.

    Parameters
    ----------
    scores : float64[n]
        One for each usage point, the worst of its windows; NaN where nothing could answer.
    groups : int64[n]
        Group of each, -1 for none; see `detectors.power.peers.peer_groups`.
    kinds : sequence of str
        Kind of each group.
    references : mapping
        By kind; a kind without one is judged by the run alone.
    windows : int[n], optional
        Of how many windows each score is the worst; 1 where left out. The worst of more is higher.

    Returns
    -------
    PeerStanding

    Raises
    ------
    ValueError
        If shapes differ, or a group has no kind.

    Examples
    --------
    >>> standing = p_values([0.1, 0.4, 0.2, 0.9], [0, 0, 0, 0], ["home"], {})
    >>> standing.p
    array([1.  , 0.5 , 0.75, 0.25])
    """
    values = np.atleast_1d(np.asarray(scores, dtype=np.float64))
    group = np.atleast_1d(np.asarray(groups, dtype=np.int64))
    worst_of = (
        np.ones(values.shape, np.int64) if windows is None else np.atleast_1d(np.asarray(windows)).astype(np.int64)
    )
    if values.ndim != 1 or group.shape != values.shape or worst_of.shape != values.shape:
        raise ValueError(f"one group and window count for each score: {group.shape}, {worst_of.shape}, {values.shape}")
    if group.size and int(group.max()) >= len(kinds):
        raise ValueError(f"group {int(group.max())} has no kind; there are {len(kinds)}")
    p = np.full(values.shape, np.nan)
    log10_e = np.zeros(values.shape)
    peers = np.zeros(values.shape, np.int64)
    shifts = np.zeros(values.shape)
    source = [""] * values.size
    for place, kind in enumerate(kinds):
        rows = np.flatnonzero((group == place) & ~np.isnan(values))
        if rows.size == 0:
            continue
        others = rows.size - 1
        reference = references.get(kind)
        if reference is not None and len(reference.scores) >= LEAST_BUILDINGS:
            shift = 0.0
            if others >= ENOUGH_TO_SHIFT:
                shift = _shift(reference, values[rows], worst_of[rows])
            by_reference = reference_p_values(reference, values[rows] - shift, worst_of[rows])
            buildings = len(reference.scores)
            shifts[rows] = shift
            e = 10.0 ** rank_calibrator(by_reference, buildings)
            if others >= ENOUGH_PEERS:
                # Ranked by the reference's p-value, which knows of how many windows a score is the worst.
                by_run = _leave_one_out(-by_reference)
                merged = np.minimum(by_reference / (1.0 - RUN_WEIGHT), by_run / RUN_WEIGHT)
                p[rows] = np.minimum(merged, 1.0)
                e = (1.0 - RUN_WEIGHT) * e + RUN_WEIGHT * 10.0 ** rank_calibrator(by_run, others)
                peers[rows], said = others, "run and reference"
            else:
                p[rows] = by_reference
                peers[rows], said = buildings, "reference"
            log10_e[rows] = np.log10(e)
        elif others >= 1:
            by_run = _leave_one_out(values[rows])
            p[rows] = by_run
            log10_e[rows] = rank_calibrator(by_run, others)
            peers[rows], said = others, "run"
        else:
            continue
        for row in rows:
            source[row] = said
    return PeerStanding(p=p, log10_e=log10_e, peers=peers, source=tuple(source), shift=shifts)


def reference_p_values(
    reference: ReferencePopulation, scores: ArrayLike, windows: ArrayLike | None = None
) -> NDArray[np.float64]:
    """How often a building like those of the reference shows such a score in the worst of its windows.

    The larger of two figures: the share of the reference's buildings' windows that reach the score (each building with
    one weight, as far up as two buildings reach), and the upper tail of a Student distribution with the buildings'
    mean, ``sqrt(within^2 + between^2 (1 + 1/B))`` times ``transfer`` as scale, and B - 1 degrees of freedom, at most
    `MOST_DEGREES`.

    Parameters
    ----------
    reference : ReferencePopulation
        Of `LEAST_BUILDINGS` or more.
    scores : float64[n]
        NaN: no answer.
    windows : int[n], optional
        Of how many windows each score is the worst.

    Returns
    -------
    float64[n]
        Above 0 and at most 1; NaN where the score is.

    Raises
    ------
    ValueError
        If the reference has too few buildings with a score.
    """
    values = np.atleast_1d(np.asarray(scores, dtype=np.float64))
    count = np.ones(values.shape, np.int64) if windows is None else np.atleast_1d(np.asarray(windows)).astype(np.int64)
    p = np.full(values.shape, np.nan)
    for k in np.unique(count[~np.isnan(values)]):
        rows = np.flatnonzero((count == k) & ~np.isnan(values))
        p[rows] = _beyond(reference, values[rows], 1)
        if k > 1:  # the worst of several is never the rarer for it, whatever two fits say
            p[rows] = np.maximum(p[rows], _beyond(reference, values[rows], int(k)))
    return p


def _beyond(reference: ReferencePopulation, values: NDArray[np.float64], windows: int) -> NDArray[np.float64]:
    """p-value of the worst of `windows` windows."""
    from scipy.special import stdtr

    tail = _tail(reference, windows)
    predicted = stdtr(min(tail.buildings - 1, MOST_DEGREES), (tail.centre - values) / tail.scale)
    seen = tail.beyond[np.searchsorted(tail.seen, values, side="left")]
    # More windows than the reference's buildings have: the union bound.
    more = math.ceil(windows / tail.windows)
    return np.asarray(np.clip(np.maximum(predicted, seen) * more, math.ulp(0.0), 1.0))


@lru_cache(maxsize=256)
def _tail(reference: ReferencePopulation, windows: int) -> _Tail:
    """Fit of the worst of `windows` consecutive windows of each building."""
    longest = sorted((len(own) for own in reference.scores), reverse=True)
    # At least half of the buildings must be long enough to say something of so many windows.
    most = max(longest[max(math.ceil(len(longest) / 2) - 1, 0)], 1)
    taken = min(windows, most)
    worst = [found for own in reference.scores if (found := _worst_of(own, taken)).size]
    if len(worst) < LEAST_BUILDINGS:
        raise ValueError(f"a reference needs {LEAST_BUILDINGS} buildings with a score, got {len(worst)}")
    means = np.array([own.mean() for own in worst])
    number = len(worst)
    between = float(means.var(ddof=1))
    within = float(np.mean([own.var() for own in worst]))
    scale = math.sqrt(within + between * (1.0 + 1.0 / number)) * reference.transfer
    every = np.concatenate(worst)
    weight = np.concatenate([np.full(own.size, 1.0 / (own.size * number)) for own in worst])
    order = np.argsort(every, kind="stable")
    seen = every[order]
    beyond = np.append(np.cumsum(weight[order][::-1])[::-1], 0.0)
    # One building alone says nothing of how often a building shows this: two must have reached a score.
    second = np.sort([float(own.max()) for own in worst])[-2]
    beyond[np.searchsorted(seen, second, side="right") :] = 0.0
    lower = float(seen[min(int(np.searchsorted(np.cumsum(weight[order]), 0.25)), seen.size - 1)])
    return _Tail(
        centre=float(means.mean()),
        scale=max(scale, 1e-9),
        buildings=number,
        lower_quartile=lower,
        seen=seen,
        beyond=beyond,
        windows=taken,
    )


def _worst_of(own: Sequence[float], windows: int) -> NDArray[np.float64]:
    """Largest score of each `windows` consecutive windows, missing ones left out."""
    values = np.array([np.nan if value is None else value for value in own], dtype=np.float64)
    if values.size < windows:
        return np.zeros(0)
    runs = np.lib.stride_tricks.sliding_window_view(values, windows)
    highest = np.fmax.reduce(runs, axis=1)
    return np.asarray(highest[~np.isnan(highest)])


def _shift(reference: ReferencePopulation, values: NDArray[np.float64], windows: NDArray[np.int64]) -> float:
    """By how much the run's lower quartile lies above the reference's; 0 where it lies below."""
    usual = int(np.median(windows))
    lower = float(np.quantile(values, 0.25, method="higher"))
    return max(lower - _tail(reference, max(usual, 1)).lower_quartile, 0.0)


def _leave_one_out(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(1 + others with an equal or higher value) / (others + 1)``, for each."""
    ascending = np.sort(values)
    at_least = values.size - np.searchsorted(ascending, values, side="left")
    return np.asarray(at_least / values.size)
