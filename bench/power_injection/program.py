"""The program as a user runs it: a Parquet file of usage points in, `headframe meters`, rows out.

Each window is a usage point of its own, with times without a zone, no tariff class, no weather. One in a hundred has
machines. So this judges all that stands between a score and a user as well: reading, the choice between a home's and a
commercial score, p-values among peers, the list.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.power_injection.meters import HOUR_S, Window
from bench.power_injection.trial import Positive, innocents, positives


def rows_of(found: Sequence[Window]) -> list[dict[str, Any]]:
    """The program's row of each window, in their order.

    Raises
    ------
    RuntimeError
        If the program fails or leaves a usage point out.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "readings.parquet"
        write(path, found)
        columns = "usage_point=meter,start=ts,energy_kwh=kwh"
        program = str(Path(sys.executable).with_name("headframe"))
        command = [program, "meters", str(path), "--columns", columns, "--all", "--format", "jsonl", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"headframe meters ended with {done.returncode}: {done.stderr[-500:]}")
    by_name = {row["usage_point"]: row for row in map(json.loads, done.stdout.splitlines())}
    missing = [k for k in range(len(found)) if f"p{k:05d}" not in by_name]
    if missing:
        raise RuntimeError(f"{len(missing)} usage points have no row, such as {found[missing[0]].name}")
    return [by_name[f"p{k:05d}"] for k in range(len(found))]


def write(path: Path, found: Sequence[Window]) -> None:
    """Windows as a utility's file; an hour without a reading has no row."""
    parts = []
    for k, window in enumerate(found):
        there = ~np.isnan(window.power_w)
        start = window.start_s + HOUR_S * np.flatnonzero(there)
        parts.append(
            pl.DataFrame({"meter": [f"p{k:05d}"] * int(there.sum()), "ts": start, "kwh": window.power_w[there] / 1000})
        )
    frame = pl.concat(parts).with_columns(pl.from_epoch("ts", time_unit="s"))
    frame.write_parquet(path)


@dataclass(frozen=True)
class Outcome:
    """What came of some files: one entry for each usage point."""

    population: np.ndarray
    building: np.ndarray
    mines: np.ndarray
    kind: np.ndarray
    score: np.ndarray
    p_value: np.ndarray
    listed: np.ndarray


def outcome(split: str, files: int = 5, prevalence: float = 0.01, seed: int = 1) -> Outcome:
    """Files of all innocent windows of a split and a few with machines, drawn anew for each file."""
    clean = [(p, w) for p in ("commercial", "homes") for w in innocents(p, split)]
    dirty: list[tuple[str, Positive]] = [(p, x) for p in ("commercial", "homes") for x in positives(p, split)]
    rng = np.random.default_rng(seed)
    parts: list[tuple[str, str, bool, str, float, float, bool]] = []
    for _ in range(files):
        count = max(round(prevalence * len(clean)), 1)
        picked = [dirty[k] for k in rng.choice(len(dirty), count, replace=False)]
        rows = rows_of([w for _, w in clean] + [x.window for _, x in picked])
        of = [(p, w.building, False, "") for p, w in clean] + [(p, x.host.building, True, x.kind) for p, x in picked]
        parts += [
            (*own, _number(row["score"]), _number(row["p_value"]), bool(row["listed"]))
            for own, row in zip(of, rows, strict=True)
        ]
    columns = list(zip(*parts, strict=True))
    return Outcome(*(np.array(column) for column in columns))


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
