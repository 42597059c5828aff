"""How often re-measuring says what is so, on real meters: ``python bench/verification.py [--split report]``.

Machines are added to real buildings from an onset on, and then taken away, halved, moved to the night, or left running,
some of them while the building stands half empty. Each trial goes through `headframe.cases.verification.verify` with
the size of the load estimated from the readings themselves, never handed over. Nothing is left out: a window with a
holiday, a vacation or the change of a season is a trial like any other.

Prints a table in Markdown: of the trials in which the mining ended, how many are called rectified, persisting, or not
enough data; and of those in which it went on, the same. "Wrongly rectified" is what must be near 0.

``--unread`` prints the same of readings with holes, and of machines that run in the very hours that nobody read.

``--exports`` prints the same of energy fed in. **No real meter of a generator is among the data**, so the plant is
modelled (panels, an inverter that cuts, heat, dirt that rain washes off, a noise of its own) under sun that was
measured; it shows that the arithmetic holds under a real sky, and not how real plants behave.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.power_injection.meters import SHARED, buildings, split_of
from headframe.cases.site_days import site_days
from headframe.cases.verification import FoundLoad, Sources, Windows, verify
from headframe.meters import MeterFiles, local_clock
from headframe.records.case import FindingRef
from headframe.records.finding import Family, Interval
from headframe.records.policy import Basis, VerificationRule
from headframe.records.reading import HourlySeries

DAY, HOUR_S = 24, 3600
NS = 1_000_000_000
WINDOW_DAYS = 30
AFTERWARDS = ("ended", "goes on", "half", "one in three", "night only", "goes on, half empty", "half, half empty")
UNREAD = ("ended, an hour in three unread", "goes on in unread hours", "ended, two nights in a week unread")
"""What ``--unread`` looks at: readings that are missing hour by hour, and machines that run in those very hours."""
SIZES = {"cambridge": (0.25, 0.5, 1.0, 2.0), "eemeter": (1.0, 3.0, 6.0), "sgsc": (1.0, 3.0, 6.0)}
"""Machines' power over the mean of the building itself. One machine draws three to six times what a home does."""
HALF_EMPTY = 0.5
"""What the building itself uses then, of what it would have used."""
HISTORIES = (400, 90, 0)
"""Days of readings from before the mining began. [days]"""


@dataclass(frozen=True)
class Trial:
    """One building, one place in its years, one size of the load."""

    source: str
    history: int
    share: float
    start_s: int
    power_w: np.ndarray
    """The building itself, from the first day of the history to the end of the later window. [W]"""
    mining_days: int
    temperature_c: HourlySeries | None
    peers_w: np.ndarray | None
    zone: str
    country: str


def trials(source: str, split: str | None, most: int, rng: np.random.Generator) -> Iterator[Trial]:
    """Draw trials from a source: buildings in turn, places and sizes by chance."""
    known = buildings(source)
    names = [name for name in sorted(known) if split is None or split_of(name) == split]
    zone, country = {"cambridge": ("UTC", "GB"), "eemeter": ("America/Chicago", "US"), "sgsc": ("UTC", "AU")}[source]
    weather = bedford() if source == "cambridge" else None
    band = peers_of(known, names) if source == "cambridge" else None
    made = tried = 0
    while made < most and tried < 50 * most:
        tried += 1
        name = names[int(rng.integers(len(names)))]
        start_s, power = known[name]
        history = HISTORIES[made % len(HISTORIES)]
        mining = int(rng.integers(45, 120))
        hours = (history + mining + 7 + WINDOW_DAYS) * DAY
        if power.size < hours + DAY:
            continue
        at = int(rng.integers(0, (power.size - hours) // DAY)) * DAY
        piece = power[at : at + hours].astype(np.float64)
        if np.isnan(piece).mean() > 0.02 or not np.nanmean(piece) > 0:
            continue
        begins = start_s + at * HOUR_S
        made += 1
        yield Trial(
            source, history, float(rng.choice(SIZES[source])), begins, piece, mining, weather,
            None if band is None else near(band, begins, hours), zone, country,
        )  # fmt: skip


def bedford() -> HourlySeries:
    """Temperature near Cambridge."""
    frame = pl.read_parquet(SHARED / "bedford_weather_hourly.parquet").sort("datetime")
    t = frame["datetime"].dt.epoch("s").to_numpy()
    values = np.full(int(t[-1] - t[0]) // HOUR_S + 1, np.nan, np.float32)
    values[(t - t[0]) // HOUR_S] = frame["air_temperature [degC]"].to_numpy()
    return HourlySeries(start_s=int(t[0]), step_s=HOUR_S, values=values)


def peers_of(known: dict[str, tuple[int, np.ndarray]], names: list[str]) -> tuple[int, np.ndarray]:
    """Middle of some forty buildings, each over its mean, hour by hour."""
    some = [known[name] for name in names[:: max(len(names) // 40, 1)]]
    start = min(at for at, _ in some)
    end = max(at + power.size * HOUR_S for at, power in some)
    table = np.full((len(some), (end - start) // HOUR_S), np.nan, np.float32)
    for row, (at, power) in zip(table, some, strict=True):
        row[(at - start) // HOUR_S :][: power.size] = power / np.nanmean(power)
    return start, np.nanmedian(table, axis=0)


def near(band: tuple[int, np.ndarray], start_s: int, hours: int) -> np.ndarray:
    """The peers' hours of a trial."""
    at = (start_s - band[0]) // HOUR_S
    return band[1][at : at + hours].astype(np.float64)


def afterwards(trial: Trial, how: str, rng: np.random.Generator) -> tuple[np.ndarray, Windows, float]:
    """Metered hours with machines in them, the windows, and the machines' power. [W]"""
    power = trial.power_w.copy()
    clean, mining = trial.history * DAY, trial.mining_days * DAY
    end = clean + mining
    machines = trial.share * np.nanmean(power)
    running = machines * (1 + 0.01 * rng.standard_normal(power.size))
    hour = (trial.start_s // HOUR_S + np.arange(power.size)) % 24
    added = np.zeros(power.size)
    added[clean:end] = running[clean:end]
    if how.startswith("goes on"):
        added[end:] = running[end:]
    elif how.startswith("half"):
        added[end:] = running[end:] / 2
    elif how == "one in three":
        added[end:] = running[end:] / 3
    elif how == "night only":
        added[end:] = np.where((hour[end:] >= 22) | (hour[end:] < 6), running[end:], 0.0)
    unread = np.zeros(power.size, bool)
    if "unread hours" in how or "an hour in three" in how:
        unread[end:] = hour[end:] % 3 == 0
        if how.startswith("goes on"):
            added[end:] = np.where(unread[end:], running[end:], 0.0)
    elif "nights" in how:
        day = (trial.start_s // HOUR_S + np.arange(power.size)) // 24
        unread[end:] = (day[end:] % 7 < 2) & (hour[end:] < 3)
    power[unread] = np.nan
    if "half empty" in how:
        power[end:] *= HALF_EMPTY

    def instant(hours: int) -> int:
        return (trial.start_s + hours * HOUR_S) * NS

    windows = Windows(
        clean_until_ns=instant(clean) if clean else None,
        before_from_ns=instant(clean), before_until_ns=instant(end),
        after_from_ns=instant(end + 7 * DAY), after_until_ns=instant(end + (7 + WINDOW_DAYS) * DAY),
    )  # fmt: skip
    return power + added, windows, machines


RULE = VerificationRule(window_days=WINDOW_DAYS, metrics=("kWh_per_day",), basis=Basis.OPERATOR_DEFAULT)
FINDING = FindingRef(
    finding_id="F", family=Family.LOAD, detector="load_step", version="1", subject="U", log10_e=2, started_ns=0,
    ended_ns=1, sha256="00",
)  # fmt: skip


def outcome(trial: Trial, how: str, rng: np.random.Generator) -> str:
    """What re-measuring says of one trial."""
    from zoneinfo import ZoneInfo

    power, windows, machines = afterwards(trial, how, rng)
    files = MeterFiles(readings=(), zone=ZoneInfo(trial.zone), zone_name=trial.zone, country=trial.country)
    clock = local_clock(files, trial.start_s, trial.start_s + power.size * HOUR_S)
    days = site_days(power, trial.start_s, clock, temperature_c=trial.temperature_c, peers_w=trial.peers_w)
    found = None
    if not trial.history:
        # What network evidence or an inspection would give where no clean day is known: within a tenth.
        guess = machines * (1 + 0.05 * rng.standard_normal())
        found = FoundLoad(power_w=Interval(0.9 * guess, guess, 1.1 * guess), source="an inspection")
    measured = verify([FINDING], RULE, windows, Sources(load=days, found=found, detectors=("load_step 1",)))
    return measured.outcome.value


EXPORTS = ("ended", "goes on", "half", "one in three", "ended, a string broken", "goes on, panels added")
PLANT_W = 50_000.0


def sky() -> HourlySeries:
    """Irradiance as it was measured near Cambridge. [W/m2]"""
    frame = pl.read_parquet(SHARED / "bedford_weather_hourly.parquet").sort("datetime")
    t = frame["datetime"].dt.epoch("s").to_numpy()
    values = np.full(int(t[-1] - t[0]) // HOUR_S + 1, np.nan, np.float32)
    values[(t - t[0]) // HOUR_S] = frame["glbl_irad_amt [W/m2]"].to_numpy()
    return HourlySeries(start_s=int(t[0]), step_s=HOUR_S, values=values)


def plant(light: np.ndarray, warm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a modelled plant makes of the sun. [W]"""
    cell_c = warm + 0.03 * light
    dirt, day_light = np.ones(light.size), light.reshape(-1, DAY).mean(axis=1)
    level = 1.0
    for day, mean in enumerate(day_light):
        # A dark day has rain, which washes; else a fifth of a per cent settles each day.
        level = 1.0 if mean < 0.4 * np.median(day_light) and rng.random() < 0.5 else max(level - 0.002, 0.93)
        dirt[day * DAY : (day + 1) * DAY] = level
    made = PLANT_W * light / 1000 * (1 - 0.004 * (cell_c - 25)) * dirt
    wander = np.repeat(1 + 0.02 * rng.standard_normal(day_light.size), DAY)
    return np.clip(made * wander * (1 + 0.02 * rng.standard_normal(light.size)), 0, 0.8 * PLANT_W)


def export_outcome(light: HourlySeries, warm: HourlySeries, at: int, share: float, history: int, how: str,
                   rng: np.random.Generator) -> str | None:  # fmt: skip
    """What re-measuring says of one modelled plant; None where the sun was not measured all the time."""
    mining = int(rng.integers(45, 120))
    hours = (history + mining + 7 + WINDOW_DAYS) * DAY
    start_s = light.start_s + at * HOUR_S
    own = np.asarray(light.values[at : at + hours], np.float64)
    place = (start_s - warm.start_s) // HOUR_S
    heat = np.asarray(warm.values[place : place + hours], np.float64)
    if own.size < hours or heat.size < hours or np.isnan(own).mean() > 0.02:
        return None
    made = plant(np.nan_to_num(own), np.nan_to_num(heat, nan=10.0), rng)
    clean, end = history * DAY, (history + mining) * DAY
    taken = np.zeros(hours)
    taken[clean:end] = share * PLANT_W
    left = {"goes on": 1.0, "half": 0.5, "one in three": 1 / 3}.get(how.partition(",")[0], 0.0)
    taken[end:] = left * share * PLANT_W
    made[end:] *= 0.85 if "string" in how else 1.15 if "panels" in how else 1.0

    def instant(hour: int) -> int:
        return (start_s + hour * HOUR_S) * NS

    windows = Windows(
        clean_until_ns=instant(clean), before_from_ns=instant(clean), before_until_ns=instant(end),
        after_from_ns=instant(end + 7 * DAY), after_until_ns=instant(end + (7 + WINDOW_DAYS) * DAY),
    )  # fmt: skip
    days = site_days(
        np.full(hours, 300.0), start_s, None, export_w=np.maximum(made - taken, 0), resource=light,
        resource_kind="irradiance",
    )  # fmt: skip
    found = replace(FINDING, detector="export_drop")
    rule = replace(RULE, metrics=("export_kWh_per_day",))
    return verify([found], rule, windows, Sources(load=days, detectors=("export_drop 1",))).outcome.value


def exports(most: int, seed: int) -> None:
    """Print the table of modelled plants."""
    rng = np.random.default_rng(seed)
    light, warm = sky(), bedford()
    counts: dict[tuple[float, str], Counter[str]] = {}
    wrong = going_on = made = 0
    while made < most:
        share, history = float(rng.choice((0.05, 0.1, 0.2))), (400, 150)[made % 2]
        at = int(rng.integers(0, len(light.values) // DAY - 600)) * DAY
        states = [(how, export_outcome(light, warm, at, share, history, how, rng)) for how in EXPORTS]
        if any(found is None for _, found in states):
            continue
        made += 1
        for how, found in states:
            counts.setdefault((share, how), Counter())[str(found)] += 1
            if how.startswith(("goes on", "half", "one")):
                wrong, going_on = wrong + (found == "rectified"), going_on + 1
    print("No real meter of a generator is among the data: not enough data to say how often this is right on one.")
    print("Modelled plants under measured sun:\n")
    print(
        "| machines / plant | afterwards | trials | rectified | persists | not enough data |\n|---|---|---|---|---|---|"
    )
    for (share, how), count in sorted(counts.items(), key=lambda item: (EXPORTS.index(item[0][1]), item[0][0])):
        n = count.total()
        shares = [f"{count[name] / n:.0%}" for name in ("rectified", "persists", "not_enough_data")]
        print(f"| {share:g} | {how} | {n} | {' | '.join(shares)} |")
    print(f"\nWrongly rectified: {wrong} of {going_on}")


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore", RuntimeWarning)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="report")
    parser.add_argument("--most", type=int, default=45, help="trials of each source")
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("--unread", action="store_true", help="readings that are missing, and machines in those hours")
    parser.add_argument("--exports", action="store_true", help="energy fed in, by modelled plants")
    chosen = parser.parse_args()
    if chosen.exports:
        exports(chosen.most, chosen.seed)
        return
    states = UNREAD if chosen.unread else AFTERWARDS
    began = time.perf_counter()
    rng = np.random.default_rng(chosen.seed)
    counts: dict[tuple[str, int, str], Counter[str]] = {}
    sizes: dict[tuple[float, str], Counter[str]] = {}
    for source, split in (("cambridge", chosen.split), ("sgsc", None), ("eemeter", None)):
        for trial in trials(source, split, chosen.most, rng):
            for how in states:
                found = outcome(trial, how, rng)
                counts.setdefault((source, trial.history, how), Counter())[found] += 1
                sizes.setdefault((trial.share, how), Counter())[found] += 1
    print("| buildings | history [days] | afterwards | trials | rectified | persists | not enough data |")
    print("|---|---|---|---|---|---|---|")
    wrong = going_on = 0
    for (source, history, how), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[0][1])):
        n = count.total()
        shares = [f"{count[name] / n:.0%}" for name in ("rectified", "persists", "not_enough_data")]
        print(f"| {source} | {history or 'none'} | {how} | {n} | {' | '.join(shares)} |")
        if not how.startswith("ended"):
            wrong, going_on = wrong + count["rectified"], going_on + n
    print("\n| machines / building | afterwards | trials | rectified | persists | not enough data |")
    print("|---|---|---|---|---|---|")
    for (share, how), count in sorted(sizes.items(), key=lambda item: (states.index(item[0][1]), item[0][0])):
        n = count.total()
        shares = [f"{count[name] / n:.0%}" for name in ("rectified", "persists", "not_enough_data")]
        print(f"| {share:g} | {how} | {n} | {' | '.join(shares)} |")
    print(f"\nWrongly rectified: {wrong} of {going_on}; {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
