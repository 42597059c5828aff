"""Figures of a ranking: recall at a false-positive rate set on other meters, average precision at a prevalence."""

from __future__ import annotations

import numpy as np


def threshold_at(innocent_scores: np.ndarray, rate: float) -> float:
    """The score that a share `rate` of innocent windows exceeds."""
    return float(np.quantile(innocent_scores[~np.isnan(innocent_scores)], 1 - rate, method="higher"))


def average_precision(positive: np.ndarray, negative: np.ndarray, prevalence: float) -> float:
    """Average precision if a share `prevalence` of all windows were positive; ties count against."""
    if positive.size == 0 or negative.size == 0:
        return float("nan")
    order = np.sort(positive)[::-1]
    above = (negative.size - np.searchsorted(np.sort(negative), order, side="left")) / negative.size
    recall = np.arange(1, order.size + 1) / order.size
    precision = prevalence * recall / (prevalence * recall + (1 - prevalence) * above)
    return float(precision.mean())


def bootstrap(buildings: np.ndarray, statistic, rng: np.random.Generator, rounds: int = 200) -> tuple[float, float]:
    """95 % interval of `statistic(index)` over draws of whole buildings with replacement."""
    names, inverse = np.unique(buildings, return_inverse=True)
    rows = [np.flatnonzero(inverse == k) for k in range(names.size)]
    values = []
    for _ in range(rounds):
        picked = rng.integers(0, names.size, names.size)
        values.append(statistic(np.concatenate([rows[k] for k in picked])))
    return float(np.nanquantile(values, 0.025)), float(np.nanquantile(values, 0.975))
