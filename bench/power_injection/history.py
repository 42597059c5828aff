"""What two years of history and the weather add: the same windows, alone and preceded by what the meter said before.

Each injection of `trial` into a 56-day window is repeated with the building's own 730 days before it. A machine whose
onset lies in the window is not in the history. One that ran before the window began gets an onset up to four years
earlier, so that about half of them stand in all of the history too: there, history cannot help.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.power_injection.inject import MODES, inject
from bench.power_injection.meters import HOUR_S, Window, buildings, windows
from bench.power_injection.score import average_precision, threshold_at
from bench.power_injection.trial import Figure, Score, price_over, scores

HISTORY_DAYS = 730
MOST_MISSING = 0.10
"""Of the hours of the history."""


@dataclass(frozen=True)
class Pair:
    """The same last days without and with the history; `mode` is empty for an innocent one."""

    short: Window
    long: Window
    mode: str
    onset_in_window: bool


def pairs(split: str, days: int = 56, most: int = 12, hosts: int = 4, seed: int = 1) -> list[Pair]:
    """Innocent pairs, and of some hosts one with machines of each mode, of Cambridge's buildings of a split."""
    by_building: dict[str, list[tuple[Window, Window]]] = {}
    whole = buildings("cambridge")
    for short in windows("cambridge", days, split):
        start_s, power = whole[short.building]
        end = (short.start_s - start_s) // HOUR_S + days * 24
        begin = end - (days + HISTORY_DAYS) * 24
        if begin < 0 or np.isnan(power[begin:end]).mean() > MOST_MISSING:
            continue
        long = Window(short.source, short.building, start_s + begin * HOUR_S, power[begin:end])
        by_building.setdefault(short.building, []).append((short, long))
    made = []
    for own in by_building.values():
        kept = [own[round(k)] for k in np.linspace(0, len(own) - 1, min(most, len(own)))]
        made += [Pair(short, long, "", False) for short, long in kept]
        for short, long in kept[:: max(len(kept) // max(hosts, 1), 1)][:hosts]:
            made += [_injected(short, long, mode, seed) for mode in MODES]
    return made


def _injected(short: Window, long: Window, mode: str, seed: int) -> Pair:
    """The draw is that of `trial.positives`; the history gets the same machines from their onset on."""
    name = f"{short.source}/{short.name}/{mode}"
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    price = price_over(short.start_s, short.power_w.size)
    inside = inject(short, mode, rng, price=price)
    before = long.power_w.size - short.power_w.size
    added = np.zeros(long.power_w.size, np.float32)
    if inside.onset_h is None:
        rng = np.random.default_rng([seed, 1, zlib.crc32(name.encode())])
        onset = before - int(rng.integers(1, 4 * 365 * 24))
        earlier = inject(
            Window(long.source, long.building, long.start_s, long.power_w[:before]),
            mode,
            rng,
            total_w=inside.power_w,
            price=price_over(long.start_s, before),
            onset_h=max(onset, 0),
        )
        added[:before] = earlier.added_w
    added[before:] = inside.added_w
    return Pair(
        Window(short.source, short.building, short.start_s, short.power_w + inside.added_w),
        Window(long.source, long.building, long.start_s, long.power_w + added),
        mode,
        inside.onset_h is not None,
    )


@dataclass(frozen=True)
class Gain:
    """Figures without and with the history."""

    recall: tuple[Figure, Figure]
    average_precision: tuple[Figure, Figure]
    by_mode: dict[str, tuple[float, float]]
    realised_rate: tuple[float, float]
    buildings: int
    innocent: int
    injected: int


def gain(
    short_score: Score,
    long_score: Score,
    judged: list[Pair],
    setting: list[Pair],
    rate: float = 0.01,
    rounds: int = 200,
    seed: int = 1,
) -> Gain:
    """Recall at the asked rate by thresholds of `setting`, and average precision at 1 %, of both scores."""
    kinds = np.array([p.mode for p in judged])
    names, of = np.unique([p.short.building for p in judged], return_inverse=True)
    innocent = kinds == ""
    taken: list[tuple[np.ndarray, float]] = []
    for score, which in ((short_score, "short"), (long_score, "long")):
        values = np.nan_to_num(scores(score, [getattr(p, which) for p in judged]), nan=-np.inf)
        others = scores(score, [getattr(p, which) for p in setting if not p.mode])
        taken.append((values, threshold_at(others, rate)))
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(of == k) for k in range(names.size)]
    draws = [np.concatenate([rows[k] for k in rng.integers(0, names.size, names.size)]) for _ in range(rounds)]

    def figure(statistic: Callable[[np.ndarray], float], n: int) -> Figure:
        low, high = np.nanquantile([statistic(draw) for draw in draws], [0.025, 0.975])
        return Figure(statistic(np.arange(len(judged))), float(low), float(high), n)

    recalls, precisions = [], []
    for values, threshold in taken:
        recalls.append(
            figure(lambda i, v=values, t=threshold: float((v[i][~innocent[i]] > t).mean()), int((~innocent).sum()))
        )
        precisions.append(
            figure(
                lambda i, v=values: average_precision(v[i][~innocent[i]], v[i][innocent[i]], 0.01),
                int((~innocent).sum()),
            )
        )
    (short_values, short_threshold), (long_values, long_threshold) = taken
    return Gain(
        recall=(recalls[0], recalls[1]),
        average_precision=(precisions[0], precisions[1]),
        by_mode={
            mode: (
                float((short_values[kinds == mode] > short_threshold).mean()),
                float((long_values[kinds == mode] > long_threshold).mean()),
            )
            for mode in MODES
        },
        realised_rate=(
            float((short_values[innocent] > short_threshold).mean()),
            float((long_values[innocent] > long_threshold).mean()),
        ),
        buildings=names.size,
        innocent=int(innocent.sum()),
        injected=int((~innocent).sum()),
    )
