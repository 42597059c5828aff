"""How well a scoring function finds machines, and how often it is wrong, on meters that set no threshold.

A score is a function ``score(list[Window]) -> float64[n]``, higher is more mining-like, NaN where it has no answer
(counted as not found). The threshold for an asked false-positive rate comes from innocent windows of *other* meters;
what it really gives on unseen meters is reported beside it. Intervals are 95 %, by drawing whole buildings again, those
that set the threshold and those that are judged alike.

    from bench.power_injection.trial import evaluate
    print(evaluate(score))                                            # threshold on design, judged on tune
    print(evaluate(score, on=("design", "tune"), threshold_on=None))  # each building by thresholds of the others
    print(evaluate(score, population="homes", on=("design", "tune"), threshold_on=None))
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
import polars as pl

from bench.power_injection import inject as first_injector
from bench.power_injection.meters import HOUR_S, SHARED, Window, windows
from bench.power_injection.score import average_precision, threshold_at
from headframe.records.reading import LoadBatch

Score = Callable[[list[Window]], np.ndarray]

POPULATIONS = {
    "commercial": ("cambridge", "simbench-commerce"),
    "cambridge": ("cambridge",),
    "homes": ("sgsc", "eemeter", "simbench-homes"),
}
HOME_LOADS = (
    ("always_on", 600.0),
    ("always_on", 900.0),
    ("night_only", 600.0),
    ("night_only", 900.0),
    ("step", 600.0),
    ("curtailed", 600.0),
    ("price_following", 600.0),
)
"""Modes and fixed powers [W] for homes: a rig of four cards, a rig of six, as in the recorded starting point."""
SHARE_EDGES = (0.0, 0.1, 0.2, 0.4, 0.7, 10.0)
"""Classes of the machines' power over the site's own mean power."""
MOST_INNOCENT = 40
"""Windows kept of a building, so that no building sets the threshold alone."""
MOST_HOSTS = 12
"""Windows of a building that machines are injected into, one injection of each mode in each."""


@dataclass(frozen=True)
class Positive:
    """A window with machines in it."""

    window: Window
    host: Window
    kind: str
    injection: first_injector.Injection


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval by building bootstrap, and how many windows it rests on."""

    value: float
    low: float = float("nan")
    high: float = float("nan")
    n: int = 0

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Figures:
    """What came out. Recalls are at the asked rate with thresholds of other meters, unless they say otherwise."""

    population: str
    on: tuple[str, ...]
    threshold_on: tuple[str, ...] | None
    rate: float
    threshold: float
    recall: Figure
    realised_rate: Figure
    own_recall: Figure
    """With the threshold at the judged meters' own innocent windows: the ranking alone."""
    ap_1_percent: Figure
    ap_01_percent: Figure
    by_kind: dict[str, Figure]
    own_by_kind: dict[str, Figure]
    by_share: dict[str, Figure]
    buildings: int
    seconds: float
    extra: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        where = "thresholds of the other folds" if self.threshold_on is None else f"threshold of {self.threshold_on}"
        where = where if self.threshold_on != () else "the score's own threshold"
        lines = [
            f"{self.population}, {self.on}, {where}; {self.buildings} buildings, "
            f"{self.realised_rate.n} innocent and {self.recall.n} injected windows, {self.seconds:.1f} s",
            f"  recall at {self.rate:.1%} asked   {self.recall}   (realised rate {self.realised_rate})",
            f"  recall, own threshold    {self.own_recall}",
            f"  AP at 1 %                {self.ap_1_percent}   at 0.1 % {self.ap_01_percent}",
        ]
        lines += [f"    {k:22s} {f}   own {self.own_by_kind[k]}  ({f.n})" for k, f in self.by_kind.items()]
        lines += [f"    share {k:16s} {f}  ({f.n})" for k, f in self.by_share.items()]
        return "\n".join(lines)


def batch_of(found: Sequence[Window]) -> LoadBatch:
    """Windows as the detectors take them."""
    sizes = np.array([w.power_w.size for w in found], np.int64)
    return LoadBatch(
        usage_points=tuple(f"{w.source}/{w.name}" for w in found),
        first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        start_s=np.array([w.start_s for w in found], np.int64),
        step_s=HOUR_S,
        power_w=np.concatenate([w.power_w for w in found]).astype(np.float32) if found else np.zeros(0, np.float32),
    )


@cache
def innocents(population: str, split: str, days: int = 56, most: int | None = MOST_INNOCENT) -> tuple[Window, ...]:
    return tuple(w for source in POPULATIONS[population] for w in windows(source, days, split, most=most))


@cache
def positives(
    population: str, split: str, days: int = 56, most: int = MOST_HOSTS, seed: int = 1, injector: str = "first"
) -> tuple[Positive, ...]:
    """One injection of each mode into each host. Each draw depends on the host and mode alone, not on the selection."""
    hosts = innocents(population, split, days, most)
    if injector == "other":
        from bench.power_injection import inject_other

        modes = inject_other.MODES
    else:
        modes = first_injector.MODES
    kinds: list[tuple[str, str, float | None]] = [(mode, mode, None) for mode in modes]
    if population == "homes":
        loads = HOME_LOADS if injector == "first" else inject_other.HOME_LOADS
        kinds = [(f"{mode} {watts / 1000:.1f} kW", mode, watts) for mode, watts in loads]
    found = []
    for host in hosts:
        price = price_over(host.start_s, host.power_w.size)
        for kind, mode, watts in kinds:
            rng = np.random.default_rng([seed, zlib.crc32(f"{host.source}/{host.name}/{kind}".encode())])
            if injector == "other":
                outside = temperature_over(host.start_s, host.power_w.size)
                added = inject_other.inject(host, mode, rng, total_w=watts, price=price, outside_c=outside)
            else:
                added = first_injector.inject(host, mode, rng, total_w=watts, price=price)
            window = Window(host.source, host.building, host.start_s, host.power_w + added.added_w)
            found.append(Positive(window, host, kind, added))
    return tuple(found)


def evaluate(
    score: Score,
    *,
    on: str | tuple[str, ...] = "tune",
    threshold_on: str | tuple[str, ...] | None = "design",
    population: str = "commercial",
    days: int = 56,
    rate: float = 0.01,
    at: float | None = None,
    injector: str = "first",
    most_innocent: int | None = MOST_INNOCENT,
    most_hosts: int = MOST_HOSTS,
    folds: int = 5,
    rounds: int = 200,
    seed: int = 1,
) -> Figures:
    """Judges a score.

    Parameters
    ----------
    score : callable
    on : str or tuple of str
        Splits that are judged. ``report`` is for the program that prints the table.
    threshold_on : str or tuple of str, optional
        Splits whose innocent windows set the threshold. None: the buildings of `on` are dealt to `folds`, and each fold
        is judged by a threshold of the others (for populations with few buildings).
    population : str
        See `POPULATIONS`.
    rate : float
        The asked false-positive rate.
    at : float, optional
        A threshold that the score brings along (2 for -log10(p) at a rate of 1 %); overrules `threshold_on`.
    injector : str
        ``first``, or ``other`` (never for design).
    """
    began = time.perf_counter()
    on = (on,) if isinstance(on, str) else tuple(on)
    threshold_on = (threshold_on,) if isinstance(threshold_on, str) else threshold_on
    if at is not None:
        threshold_on = ()
    clean = [w for s in on for w in innocents(population, s, days, most_innocent)]
    dirty = [p for s in on for p in positives(population, s, days, most_hosts, seed, injector)]
    clean_score, dirty_score = scores(score, clean), scores(score, [p.window for p in dirty])
    others = (
        [] if threshold_on is None else [w for s in threshold_on for w in innocents(population, s, days, most_innocent)]
    )
    other_score = scores(score, others)
    seconds = time.perf_counter() - began

    names = sorted({w.building for w in clean})
    place = {name: k for k, name in enumerate(names)}
    fold = np.array([zlib.crc32(f"fold:{name}".encode()) % 9973 for name in names]).argsort().argsort() % folds
    clean_of = np.array([place[w.building] for w in clean])
    dirty_of = np.array([place[p.host.building] for p in dirty])
    other_names = sorted({w.building for w in others})
    other_place = {name: k for k, name in enumerate(other_names)}
    other_of = np.array([other_place[w.building] for w in others], dtype=np.int64)
    kinds = np.array([p.kind for p in dirty])
    shares = np.array([p.injection.share for p in dirty])
    groups: dict[str, np.ndarray] = {kind: kinds == kind for kind in dict.fromkeys(kinds.tolist())}
    classes = {
        f"{low:.0%} to {high:.0%}" if high < 10 else f"over {low:.0%}": (shares >= low) & (shares < high)
        for low, high in pairwise(SHARE_EDGES)
    }

    def figures(judged: np.ndarray, setting: np.ndarray) -> dict[str, float]:
        """With each building of `judged` and `setting` taken so many times."""
        c, d, o = judged[clean_of], judged[dirty_of], setting[other_of]
        if threshold_on is None:
            by_fold = np.array([weighted_threshold(clean_score, c * (fold[clean_of] != k), rate) for k in range(folds)])
            hit, false = dirty_score > by_fold[fold[dirty_of]], clean_score > by_fold[fold[clean_of]]
            threshold = float(np.nanmedian(by_fold))
        else:
            threshold = weighted_threshold(other_score, o, rate) if at is None else at
            hit, false = dirty_score > threshold, clean_score > threshold
        own = dirty_score > weighted_threshold(clean_score, c, rate)
        found = {
            "threshold": threshold,
            "recall": mean(hit, d),
            "own": mean(own, d),
            "rate": mean(false, c),
        }
        picked_d, picked_c = np.repeat(dirty_score, d), np.repeat(clean_score, c)
        low = np.nan_to_num(picked_d, nan=-np.inf), np.nan_to_num(picked_c, nan=-np.inf)
        found["ap1"] = average_precision(*low, 0.01)
        found["ap01"] = average_precision(*low, 0.001)
        for name, chosen in groups.items():
            found[f"kind {name}"] = mean(hit[chosen], d[chosen])
            found[f"own {name}"] = mean(own[chosen], d[chosen])
        for name, chosen in classes.items():
            found[f"share {name}"] = mean(hit[chosen], d[chosen])
        return found

    ones = np.ones(len(names), np.int64), np.ones(len(other_names), np.int64)
    centre = figures(*ones)
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(rounds):
        drawn = [np.bincount(rng.integers(0, k, k), minlength=k) if (k := one.size) else one for one in ones]
        draws.append(figures(*drawn))

    def figure(name: str, n: int) -> Figure:
        values = np.array([draw[name] for draw in draws])
        values = values[~np.isnan(values)]
        low, high = np.quantile(values, [0.025, 0.975]) if values.size else (float("nan"),) * 2
        return Figure(centre[name], float(low), float(high), n)

    return Figures(
        population=population,
        on=on,
        threshold_on=threshold_on,
        rate=rate,
        threshold=centre["threshold"],
        recall=figure("recall", len(dirty)),
        realised_rate=figure("rate", len(clean)),
        own_recall=figure("own", len(dirty)),
        ap_1_percent=figure("ap1", len(dirty)),
        ap_01_percent=figure("ap01", len(dirty)),
        by_kind={name: figure(f"kind {name}", int(chosen.sum())) for name, chosen in groups.items()},
        own_by_kind={name: figure(f"own {name}", int(chosen.sum())) for name, chosen in groups.items()},
        by_share={name: figure(f"share {name}", int(chosen.sum())) for name, chosen in classes.items() if chosen.any()},
        buildings=len(names),
        seconds=seconds,
    )


def scores(score: Score, found: Sequence[Window]) -> np.ndarray:
    """Scores of windows, handed over some thousands at a time so that memory stays small."""
    parts = [np.asarray(score(list(found[k : k + 2000])), np.float64) for k in range(0, len(found), 2000)]
    return np.concatenate(parts) if parts else np.zeros(0)


def weighted_threshold(values: np.ndarray, times: np.ndarray, rate: float) -> float:
    """`threshold_at` of values of which each counts so many times."""
    repeated = np.repeat(values, times)
    if np.isnan(repeated).all():
        return float("inf")
    return threshold_at(repeated, rate)


def mean(flags: np.ndarray, times: np.ndarray) -> float:
    """NaN where nothing counts."""
    total = times.sum()
    return float((flags * times).sum() / total) if total else float("nan")


# What stands beside the readings.


@cache
def _price() -> tuple[int, np.ndarray]:
    return _hourly("agile_import_price_eastern_england_hourly")


@cache
def _temperature() -> tuple[int, np.ndarray]:
    return _hourly("bedford_weather_hourly")


def price_over(start_s: int, hours: int) -> np.ndarray:
    """The Agile price of each hour. [GBP/kWh] Windows outside 2019 to 2023 get the price of another year.

    The shift is the number of whole weeks nearest to whole years, so that weekday, hour and season stay. NaN becomes
    the median.
    """
    return _aligned(*_price(), start_s, hours)


def temperature_over(start_s: int, hours: int) -> np.ndarray:
    """Bedford's air temperature of each hour, shifted like the price. [degrees C]"""
    return _aligned(*_temperature(), start_s, hours)


def _aligned(first_s: int, values: np.ndarray, start_s: int, hours: int) -> np.ndarray:
    week_s, year_weeks = 7 * 24 * HOUR_S, 365.2425 / 7
    for years in sorted(range(-60, 61), key=abs):
        at = (start_s + round(years * year_weeks) * week_s - first_s) // HOUR_S
        if at >= 0 and at + hours <= values.size:
            piece = values[at : at + hours]
            return np.where(np.isnan(piece), np.nanmedian(piece), piece).astype(np.float32)
    raise ValueError(f"no {hours} hours in a series of {values.size}")


def _hourly(file: str) -> tuple[int, np.ndarray]:
    """First instant and values of the second column of an hourly file, gaps as NaN."""
    frame = pl.read_parquet(SHARED / f"{file}.parquet").unique("datetime", keep="first").sort("datetime")
    t = frame["datetime"].dt.epoch("s").to_numpy()
    values = np.full((int(t[-1]) - int(t[0])) // HOUR_S + 1, np.nan, np.float32)
    values[(t - t[0]) // HOUR_S] = frame[:, 1].to_numpy()
    return int(t[0]), values
