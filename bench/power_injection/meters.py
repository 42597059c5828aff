"""Real meters as windows of hourly mean power, split by building and by source.

A window is one building over some weeks. Buildings are dealt to three splits by a digest of their name: ``design``
(everything that is fitted), ``tune`` (everything that is chosen by looking), ``report`` (looked at once, by the
program that prints the table). Sources of which nothing was fitted at all are reported beside them.

The clock of the Cambridge readings is UTC: the morning ramp moves by an hour when summer time ends. Their missing
readings were stored as 0 by the source, so a building's window is used only with few zeros, and these become NaN.
A window in which the meter is stuck is not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "power"
HOUR_S = 3600
MOST_MISSING = 0.02
"""Of a window's hours."""
MOST_SAME_HOURS = 72
"""A meter that says the same for longer is stuck, or its source filled a gap. Of the 5995 windows of Cambridge in
`design` and `tune` 10 have such a run; the longest runs of live meters, small and coarsely read, are about a day.
SimBench's profiles are exempt: a heat pump that stands still all summer is right."""


@dataclass(frozen=True)
class Window:
    """One building over some weeks. `power_w` is float32[hours], NaN where missing."""

    source: str
    building: str
    start_s: int
    power_w: np.ndarray

    @property
    def name(self) -> str:
        return f"{self.building}@{datetime.fromtimestamp(self.start_s, UTC):%Y-%m-%d}"


def split_of(building: str) -> str:
    """``design`` (half), ``tune`` (a fifth) or ``report`` (three tenths), by a digest of the name."""
    place = hashlib.sha256(f"split-1:{building}".encode()).digest()[0] / 256
    return "design" if place < 0.5 else "tune" if place < 0.7 else "report"


@cache
def buildings(source: str) -> dict[str, tuple[int, np.ndarray]]:
    """Whole series of a source by building: start [s since 1970-01-01 UTC] and hourly mean power [W], NaN missing."""
    return {name: _series(table) for name, table in _SOURCES[source]().items()}


def windows(
    source: str, days: int = 56, split: str | None = None, stride_days: int | None = None, most: int | None = None
) -> list[Window]:
    """All windows of a source, buildings in order of name, each from its beginning every `stride_days`.

    `most` keeps that many of each building, evenly spread.
    """
    hours, stride = days * 24, (stride_days or days) * 24
    found = []
    for building, (start_s, power_w) in sorted(buildings(source).items()):
        if split is not None and split_of(building) != split:
            continue
        own = []
        for at in range(0, power_w.size - hours + 1, stride):
            piece = power_w[at : at + hours]
            live = np.isnan(piece).mean() <= MOST_MISSING and np.nanmean(piece) > 0
            if live and (source.startswith("simbench") or longest_run(piece) <= MOST_SAME_HOURS):
                own.append(Window(source, building, start_s + at * HOUR_S, piece))
        if most is not None and len(own) > most:
            own = [own[round(k)] for k in np.linspace(0, len(own) - 1, most)]
        found += own
    return found


def longest_run(power_w: np.ndarray) -> int:
    """Most present readings in a row that are equal."""
    present = power_w[~np.isnan(power_w)]
    if present.size == 0:
        return 0
    ends = np.flatnonzero(np.append(np.diff(present) != 0, True))
    return int(np.diff(ends, prepend=-1).max())


def _series(table: pl.DataFrame) -> tuple[int, np.ndarray]:
    """`table` has ``t`` [s] and ``w`` [W], ascending, hourly, possibly with gaps."""
    t = table["t"].to_numpy()
    power = np.full((int(t[-1]) - int(t[0])) // HOUR_S + 1, np.nan, np.float32)
    power[(t - t[0]) // HOUR_S] = table["w"].to_numpy()
    return int(t[0]), power


def _by(frame: pl.DataFrame, key: str) -> dict[str, pl.DataFrame]:
    return {str(name[0]): part.sort("t") for name, part in frame.group_by(key)}


def _hourly(frame: pl.DataFrame, key: str) -> dict[str, pl.DataFrame]:
    """Hourly means of rows with ``t`` [s], ``wh`` and ``per_hour``: an hour counts only if all its parts are there."""
    hourly = (
        frame.with_columns(t=pl.col("t") // HOUR_S * HOUR_S)
        .group_by(key, "t")
        .agg(w=pl.col("wh").sum(), n=pl.len(), of=pl.col("per_hour").first())
        .with_columns(w=pl.when(pl.col("n") == pl.col("of")).then(pl.col("w")).otherwise(None).cast(pl.Float32))
    )
    return _by(hourly.with_columns(pl.col("w").fill_null(float("nan"))), key)


def _cambridge() -> dict[str, pl.DataFrame]:
    frame = pl.read_parquet(SHARED / "cambridge_estates_hourly.parquet").with_columns(
        pl.col("meter").cast(pl.String),
        t=pl.col("ts").dt.epoch("s"),
        w=pl.when(pl.col("kwh") == 0).then(float("nan")).otherwise(pl.col("kwh") * 1000).cast(pl.Float32),
    )
    return _by(frame.select("meter", "t", "w"), "meter")


def _sgsc() -> dict[str, pl.DataFrame]:
    frame = pl.read_parquet(SHARED / "sgsc_10_homes_halfhourly.parquet").unique(
        ["customer_id", "reading_datetime"], keep="last"
    )
    frame = frame.with_columns(
        t=pl.col("reading_datetime").dt.epoch("s"), wh=pl.col("general_supply_kwh") * 1000, per_hour=pl.lit(2)
    )
    return _hourly(frame.select("customer_id", "t", "wh", "per_hour"), "customer_id")


def _eemeter() -> dict[str, pl.DataFrame]:
    frame = pl.read_parquet(SHARED / "eemeter_sample_meters_hourly.parquet").with_columns(
        # Some meters' times carry an offset, the others' do not and are taken as UTC.
        t=pl.coalesce(
            pl.col("start").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_zone="UTC", strict=False),
            pl.col("start").str.to_datetime("%Y-%m-%d %H:%M:%S%z", time_zone="UTC", strict=False),
            pl.col("start").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.replace_time_zone("UTC"),
        ).dt.epoch("s"),
        wh=pl.col("value") * 1000,
    )
    frame = frame.unique(["meter", "t"], keep="last").sort("meter", "t")
    step = pl.col("t").diff().over("meter").mode().first().over("meter")
    frame = frame.with_columns(per_hour=(HOUR_S // step).cast(pl.Int32))
    return _hourly(frame.select("meter", "t", "wh", "per_hour"), "meter")


def _simbench(prefixes: Iterable[str], scale_w: float) -> dict[str, pl.DataFrame]:
    """SimBench profiles are relative; `scale_w` is the power at 1."""
    frame = pl.read_parquet(SHARED / "simbench_load_profiles_15min.parquet")
    names = [c for c in frame.columns if c.endswith("_pload") and c.startswith(tuple(prefixes))]
    frame = frame.with_columns(t=pl.col("time").str.to_datetime("%d.%m.%Y %H:%M").dt.epoch("s"))
    frame = frame.with_columns(t=pl.col("t") // HOUR_S * HOUR_S).group_by("t").agg(pl.col(names).mean()).sort("t")
    return {c: frame.select("t", w=(pl.col(c) * scale_w).cast(pl.Float32)) for c in names}


def _steel() -> dict[str, pl.DataFrame]:
    frame = pl.read_parquet(SHARED / "steel_industry_korea_15min.parquet").with_columns(
        # The source names an interval by its end.
        t=pl.col("date").str.to_datetime("%d-%m-%Y %H:%M").dt.epoch("s") - 900,
        wh=pl.col("Usage_kWh") * 1000,
        per_hour=pl.lit(4),
        meter=pl.lit("steel"),
    )
    return _hourly(frame.unique("t", keep="first").select("meter", "t", "wh", "per_hour"), "meter")


def _gpu() -> dict[str, pl.DataFrame]:
    frame = pl.read_parquet(SHARED / "biohpc_gpu_servers_hourly.parquet").with_columns(
        t=pl.col("timestamp").dt.epoch("s") // HOUR_S * HOUR_S, w=pl.col("powerave")
    )
    return _by(frame.unique(["name", "t"], keep="last").select("name", "t", "w"), "name")


_SOURCES = {
    "cambridge": _cambridge,
    "sgsc": _sgsc,
    "eemeter": _eemeter,
    "simbench-homes": lambda: _simbench(["H0"], 4000.0),
    "simbench-commerce": lambda: _simbench(["G"], 30_000.0),
    "simbench-heat-pumps": lambda: _simbench(["Air_", "Soil_", "WP"], 4000.0),
    "steel": _steel,
    "gpu": _gpu,
}
