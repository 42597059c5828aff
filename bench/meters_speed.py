"""How many interval readings a second, and in how much memory: Headframe, and the literature's rules in pandas.

``python bench/meters_speed.py [--sizes 1e6,1e7,1e8] [--billion] [--csv-rows 1e7] [--repeats 3] [--folder DIR]``

Whole processes on one file, in turns, as in ``speed.py``. The files are made here: hourly readings of a year per usage
point, in kWh, as a utility would hand them out. `per further reading` is the slope between two sizes, free of start-up.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from speed import Run, timed

HOURS = 8760
POINTS_A_GROUP = 120
COLUMNS = "usage_point=meter,start=ts,energy_kwh=kwh"
PANDAS_RULES = """
import sys
import pandas as pd
sys.path.insert(0, sys.argv[2])
from bench.power_injection.baselines import RULES
path = sys.argv[1]
frame = pd.read_parquet(path) if path.endswith("parquet") else pd.read_csv(path, parse_dates=["ts"])
table = pd.DataFrame(
    {"usage_point": frame["meter"].astype("category").cat.codes, "start": frame["ts"], "power_w": frame["kwh"] * 1000.0}
)
for rule in RULES.values():
    rule(table).to_csv(sys.stdout)
"""


def powers_kwh(points: int, rng: np.random.Generator) -> np.ndarray:
    """float32[points, HOURS]: a floor, a working day, a season, and noise that remembers the hour before."""
    hour = np.arange(HOURS)
    day = np.clip(np.sin(2 * np.pi * (hour % 24 - 8) / 24), 0, None) * ((hour // 24) % 7 < 5)
    season = 1 + 0.2 * np.cos(2 * np.pi * hour / HOURS)
    floor, swing = rng.lognormal(1.0, 1.0, (points, 1)), rng.lognormal(1.0, 1.0, (points, 1))
    noise = rng.standard_normal((points, HOURS), dtype=np.float32)
    noise[:, 1:] += 0.7 * noise[:, :-1]
    made = (floor + swing * day) * season * (1 + 0.08 * noise)
    return np.maximum(np.round(made, 3), 0.001).astype(np.float32)


def write_parquet(path: Path, readings: int, seed: int = 1) -> int:
    """A file of about so many readings; gives how many."""
    points = max(round(readings / HOURS), 1)
    rng = np.random.default_rng(seed)
    start = np.arange(HOURS, dtype=np.int64) * 3_600_000_000 + 1_672_531_200_000_000
    schema = pa.schema([("meter", pa.string()), ("ts", pa.timestamp("us")), ("kwh", pa.float32())])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for first in range(0, points, POINTS_A_GROUP):
            count = min(POINTS_A_GROUP, points - first)
            names = pa.array([f"MPAN{k:08d}" for k in range(first, first + count)])
            rows = pa.DictionaryArray.from_arrays(pa.array(np.repeat(np.arange(count, dtype=np.int32), HOURS)), names)
            times = pa.array(np.tile(start, count), pa.timestamp("us"))
            table = pa.table([rows.cast(pa.string()), times, pa.array(powers_kwh(count, rng).ravel())], schema=schema)
            writer.write_table(table, row_group_size=len(table))
    return points * HOURS


def headframe(path: Path, *options: str) -> list[str]:
    """The process that is timed."""
    program = str(Path(sys.executable).with_name("headframe"))
    columns = ["--columns", COLUMNS]
    return [program, "meters", str(path), *columns, "--all", "--format", "jsonl", "--quiet", *options]


def pandas_rules(path: Path) -> list[str]:
    """The rules of `power_injection.baselines` on a file."""
    return [sys.executable, "-c", PANDAS_RULES, str(path), str(Path(__file__).parents[1])]


def median(runs: list[Run]) -> Run:
    """Medians of times, largest memory."""
    return Run(
        statistics.median(r.wall_s for r in runs),
        statistics.median(r.cpu_s for r in runs),
        max(r.peak_memory_mb for r in runs),
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1e6,1e7,1e8", help="readings in the Parquet files")
    parser.add_argument("--billion", action="store_true", help="also a billion readings (about 4 GB of disk)")
    parser.add_argument("--csv-rows", default="1e7", help="0: no CSV")
    parser.add_argument("--pandas-most", default="1e7", help="largest file that pandas is given (memory)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files go; default: a temporary folder")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args()
    sizes = [int(float(s)) for s in options.sizes.split(",") if s] + ([10**9] if options.billion else [])
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        return measure(folder, sizes, options)


def measure(folder: Path, sizes: list[int], options: argparse.Namespace) -> int:
    """Make the files, time everything, print the tables."""
    warm = folder / "warm.parquet"
    write_parquet(warm, 10 * HOURS)
    timed(headframe(warm))  # the kernels compile once per installation
    rows: list[dict[str, object]] = []
    print(
        "| what | readings | wall [s] | CPU [s] | readings/s | peak private memory [MB] |\n"
        "|---|---:|---:|---:|---:|---:|"
    )

    def show(what: str, readings: int, run: Run) -> None:
        rows.append({"what": what, "readings": readings, **vars(run)})
        print(
            f"| {what} | {readings:,} | {run.wall_s:.2f} | {run.cpu_s:.2f} | {readings / run.wall_s / 1e6:.2f} M "
            f"| {run.peak_memory_mb:.0f} |",
            flush=True,
        )

    slopes: list[tuple[int, float]] = []
    for size in sizes:
        path = folder / f"readings-{size}.parquet"
        readings = write_parquet(path, size)
        repeats = options.repeats if size <= 10**8 else 1
        with_pandas = size <= float(options.pandas_most)
        ours, theirs = [], []
        for _ in range(repeats):
            ours.append(timed(headframe(path)))
            if with_pandas:
                theirs.append(timed(pandas_rules(path)))
        show("headframe meters, Parquet", readings, median(ours))
        slopes.append((readings, median(ours).wall_s))
        if theirs:
            show("pandas rules, Parquet", readings, median(theirs))
            print(
                f"| ratio pandas / headframe | {readings:,} | {median(theirs).wall_s / median(ours).wall_s:.1f} | | | |"
            )
        if options.folder is None:
            path.unlink()
    csv_rows = int(float(options.csv_rows))
    if csv_rows:
        path = folder / "readings.csv"
        parquet = folder / "for-csv.parquet"
        readings = write_parquet(parquet, csv_rows)
        pl.scan_parquet(parquet).sink_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
        show("headframe meters, CSV", readings, median([timed(headframe(path)) for _ in range(options.repeats)]))
        lakes = []
        for k in range(options.repeats):
            lakes.append(timed(headframe(path, "--lake", str(folder / f"lake{k}"))))
        show("headframe meters, CSV into a kept lake", readings, median(lakes))
        show("pandas rules, CSV", readings, timed(pandas_rules(path)))
    for (few, fast), (many, slow) in pairwise(slopes):
        rate = (many - few) / max(slow - fast, 1e-9)
        print(f"per further reading, {few:,} to {many:,}: {rate / 1e6:.1f} M readings/s")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
