"""`peer_ratio`: a load that has grown against those that it used to move with.

Weather, holidays and the seasons move comparable points together. So each week's energy is divided by the point's own
usual week and by the median of its peers' same ratio; what is left is the point's own. The figure is the largest
lasting rise of it between two weeks, in units of how much such ratios usually change from week to week among these
peers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headframe.records.reading import LoadBatch

DETECTOR = "peer_ratio"
VERSION = "1"
WEEK_S = 7 * 86_400
MONDAY_S = 4 * 86_400
"""1970-01-05 was a Monday. [s]"""

BLIND_SPOTS: tuple[str, ...] = (
    "A load that ran before the data began, or grew as fast as its peers.",
    "A new tenant, an extension or a new plant raises a point against its peers as well.",
    "Without enough comparable points over the same weeks there is no answer.",
)


@dataclass(frozen=True)
class PeerRatioParameters:
    """What `measure` goes by.

    Attributes
    ----------
    least_weeks : int
        Two before and two after a rise. [weeks]
    least_peers : int
        Comparable points in a week; a median of fewer is too noisy to divide by.
    least_hours : int
        Known hours of a week that counts, three quarters. [h]
    least_noise : float
        Weeks are taken to differ by at least this much. [unitless]
    """

    least_weeks: int = 4
    least_peers: int = 8
    least_hours: int = 126
    least_noise: float = 0.01


class PeerRatioMeasures(NamedTuple):
    """Of each usage point; NaN where weeks or peers are too few.

    Attributes
    ----------
    rise : float64[n]
        Largest lasting rise of the ratio, as a difference of logarithms. [unitless]
    z : float64[n]
        The same in units of the peers' usual change. [unitless]
    week_s : float64[n]
        Start of the first week after the rise. [s since 1970-01-01 UTC]
    """

    rise: NDArray[np.float64]
    z: NDArray[np.float64]
    week_s: NDArray[np.float64]


def measure(
    batch: LoadBatch, groups: NDArray[np.int64], parameters: PeerRatioParameters = PeerRatioParameters()
) -> PeerRatioMeasures:
    """Rise of each usage point against its peers in the same batch.

    Parameters
    ----------
    batch : LoadBatch
        Hourly. All members of a group belong into one batch.
    groups : int64[n]
        Points with the same number are comparable (`peers.PeerGroups.group`); -1 is compared with nobody.
    parameters : PeerRatioParameters, optional

    Raises
    ------
    ValueError
        If `groups` has not one entry for each usage point.
    """
    from headframe.kernels.load_shape import week_means

    n = len(batch.usage_points)
    if groups.shape != (n,):
        raise ValueError(f"groups has shape {groups.shape} for {n} usage points")
    rise, z, week = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    if not n:
        return PeerRatioMeasures(rise, z, week)
    week_0 = (int(batch.start_s.min()) - MONDAY_S) // WEEK_S
    last_s = int((batch.start_s + np.diff(batch.first) * batch.step_s).max())
    means = np.full((n, (last_s - MONDAY_S) // WEEK_S - week_0 + 1), np.nan)
    week_means(batch.power_w, batch.first, batch.start_s, week_0, parameters.least_hours, means)
    logs = np.log(np.where(means > 0, means, np.nan))
    for group in np.unique(groups[groups >= 0]):
        rows = np.flatnonzero(groups == group)
        rows = rows[np.isfinite(logs[rows]).sum(axis=1) >= parameters.least_weeks]
        if rows.size <= parameters.least_peers:
            continue
        own = logs[rows] - np.nanmedian(logs[rows], axis=1, keepdims=True)
        known = np.isfinite(own).sum(axis=0) > parameters.least_peers
        own[:, ~known] = np.nan
        if not known.any():
            continue
        own[:, known] -= np.nanmedian(own[:, known], axis=0)
        for row, ratio in zip(rows, own, strict=True):
            at = np.flatnonzero(np.isfinite(ratio))
            if at.size < parameters.least_weeks:
                continue
            r = ratio[at]
            # where a level changed once, the means' difference is largest in its standard errors at that week
            k = max(
                range(2, r.size - 1), key=lambda k: (r[k:].mean() - r[:k].mean()) * np.sqrt(k * (r.size - k) / r.size)
            )
            rise[row] = np.median(r[k:]) - np.median(r[:k])
            week[row] = (week_0 + at[k]) * WEEK_S + MONDAY_S
        steps = np.abs(np.diff(own, axis=1))
        noise = np.nanmedian(steps) if np.isfinite(steps).any() else np.nan
        z[rows] = rise[rows] / np.fmax(noise, parameters.least_noise)
    return PeerRatioMeasures(rise, z, week)


def score(measures: PeerRatioMeasures) -> NDArray[np.float64]:
    """Higher is a larger rise against peers."""
    return measures.z


def explain(measures: PeerRatioMeasures, at: int) -> str:
    """What is said of one usage point; empty where the data were insufficient."""
    if np.isnan(measures.z[at]):
        return ""
    return (
        f"Against comparable points its weekly energy has changed by {np.expm1(measures.rise[at]):+.0%} and stayed, "
        f"{measures.z[at]:.1f} times their usual change from week to week."
    )
