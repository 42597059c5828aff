"""How near simulated premises are to real meters, in what detectors look at: ``python bench/simulated_meters.py``.

University-like trades against the Cambridge estate, homes against the homes of the SGSC trial, in windows of 56 days.
Prints a table in Markdown: quartiles of each statistic, and the Kolmogorov-Smirnov distance of the two populations
(0 the same, 1 without overlap). Real meters are those of the split `design`; the others stay closed.
"""

from __future__ import annotations

import sys
import warnings
from datetime import date
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.power_injection.meters import windows
from headframe.simulate.meters import District, MetersSpec

DAYS = 56
HOURS_OF_NIGHT = 5
UNIVERSITY = ("office", "laboratory", "school", "hotel or care home", "restaurant")
Series = tuple[np.ndarray, int]


def statistics(power_w: np.ndarray, start_s: int) -> dict[str, float]:
    """What is compared, of one window of hourly power. [W], [s]"""
    hours = power_w.size // 168 * 168
    power = power_w[:hours].astype(float)
    at = np.arange(hours) + start_s // 3600
    mean = np.nanmean(power)
    days = power.reshape(-1, 24)
    clock = at[:24] % 24
    night = days[:, clock < HOURS_OF_NIGHT]
    weekend = (at // 24 + 3) % 7 >= 5
    weeks = power.reshape(-1, 168)
    level, spread = np.nanmedian(weeks, axis=0), np.nanmedian(np.abs(np.diff(weeks, axis=0)), axis=0)
    usable = (level > 0) & (spread > 0)
    growth = np.nan
    if usable.sum() > 50 and np.log(level[usable]).std() > 0.1:
        growth = float(np.polyfit(np.log(level[usable]), np.log(spread[usable]), 1)[0])
    # The second difference takes a trend of the night out; 1.48 and the root of 6 make it a standard deviation.
    noise = 1.48 * np.nanmedian(np.abs(np.diff(night, 2, axis=1))) / np.sqrt(6)
    whole = np.nan_to_num(power, nan=mean)
    return {
        "mean power [kW]": mean / 1000,
        "load factor": mean / np.nanquantile(power, 0.999),
        "lowest hour of the day / mean": float(np.nanmedian(np.nanmin(days, axis=1))) / mean,
        "night / mean": np.nanmean(night) / mean,
        "sd within a night / night": float(np.nanmedian(np.nanstd(night, axis=1))) / max(np.nanmedian(night), 1.0),
        "noise from hour to hour at night / night": noise / max(np.nanmedian(night), 1.0),
        "weekend / working day": np.nanmean(power[weekend]) / np.nanmean(power[~weekend]),
        "change from day to day / mean": float(np.nanmedian(np.abs(np.diff(np.nanmean(days, axis=1))))) / mean,
        "change from week to week, same hour / mean": float(np.nanmedian(np.abs(np.diff(weeks, axis=0)))) / mean,
        "sd of the daily floor / mean": float(np.nanstd(np.nanmin(days, axis=1))) / mean,
        "correlation of neighbouring hours": float(np.corrcoef(whole[:-1], whole[1:])[0, 1]),
        "growth of dispersion with the level (exponent)": growth,
    }


def simulated(seed: int = 11) -> tuple[list[Series], list[Series]]:
    """Homes and university-like premises, without PV, in three seasons."""
    homes: list[Series] = []
    others: list[Series] = []
    for first in (date(2025, 2, 1), date(2025, 6, 1), date(2025, 10, 15)):
        spec = MetersSpec(points=250, days=DAYS, prevalence=0, homes=0.4, first_day=first, faults=False)
        district = District(spec, seed)
        for group in district.groups():
            for point in group.points:
                if point.pv or point.farm is not None:
                    continue
                if point.trade == "home":
                    homes.append((point.delivered.energy_wh, int(district.start_s[0])))
                elif point.trade in UNIVERSITY:
                    others.append((point.delivered.energy_wh, int(district.start_s[0])))
    return homes, others


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance of two samples."""
    a, b = np.sort(a[np.isfinite(a)]), np.sort(b[np.isfinite(b)])
    every = np.concatenate((a, b))
    return float(
        np.abs(np.searchsorted(a, every, "right") / a.size - np.searchsorted(b, every, "right") / b.size).max()
    )


def table(title: str, real: list[Series], made: list[Series]) -> str:
    """Rows of Markdown."""
    ours, theirs = ([statistics(*one) for one in sample] for sample in (made, real))
    lines = [
        f"| {title} | real: 25, 50, 75 % | simulated: 25, 50, 75 % | distance |",
        "|---|---|---|---|",
    ]
    for name in ours[0]:
        r, s = (np.array([row[name] for row in rows]) for rows in (theirs, ours))
        quartiles = [", ".join(f"{q:.3g}" for q in np.nanquantile(values, [0.25, 0.5, 0.75])) for values in (r, s)]
        lines.append(f"| {name} | {quartiles[0]} | {quartiles[1]} | {distance(r, s):.2f} |")
    levels = []
    for rows in (theirs, ours):
        key = "noise from hour to hour at night / night"
        x = np.log([row["mean power [kW]"] for row in rows if row[key] > 0])
        y = np.log([row[key] for row in rows if row[key] > 0])
        levels.append(f"{np.polyfit(x, y, 1)[0]:.2f}")
    lines.append(f"| the same against mean power, over premises (exponent) | {levels[0]} | {levels[1]} | |")
    return "\n".join(lines)


def main() -> None:
    """Print both tables."""
    warnings.simplefilter("ignore", RuntimeWarning)
    homes, others = simulated()
    for title, source, made in (("university-like", "cambridge", others), ("homes", "sgsc", homes)):
        real = [(w.power_w, w.start_s) for w in windows(source, DAYS, split="design", most=6)]
        print(table(f"{title}: {len(real)} real windows, {len(made)} simulated", real, made) + "\n")


if __name__ == "__main__":
    main()
