"""Rows of `headframe meters` at transformers: what averaging a load's shape with its transformer's balance costs.

Both read the same meters, so that a row's evidence is their mean and not their product (docs/meters.md). This makes the
transformers of `bypass`, looks through them as the program does, and sets both side by side.

    python -m bench.power_injection.rows [--split tune] [--transformers 8] [--innocent 60] [--size 0.05]
"""

from __future__ import annotations

import argparse
import math

import numpy as np

from bench.power_injection.bypass import HEAD, KINDS, SEED, Metered, batch, metered
from bench.power_injection.product import BARE
from headframe.engines.meters import Knowledge, MetersEngine, MetersOptions
from headframe.records.finding import Family
from headframe.records.load_finding import UsagePointResult
from headframe.records.reading import Transformer, UsagePoint
from headframe.records.site import SourceRow
from headframe.stores.reference_scores import load_references

_ROW = SourceRow("bench", 1)


def rows_of(made: Metered) -> list[UsagePointResult]:
    """The rows of one transformer's points and of its head that have an answer."""
    names = (*made.names, HEAD)
    readings = batch(names, made.street.start_s, np.column_stack([made.read_w, made.head_w]))
    knowledge = Knowledge(
        surroundings=BARE,
        references=load_references(),
        usage_points={
            name: UsagePoint(usage_point=name, transformer="t", meter_class="1", source=_ROW) for name in made.names
        },
        transformers=(Transformer(transformer="t", head_usage_point=HEAD, source=_ROW),),
    )
    # One transformer is one batch: what is asked for by name is in it.
    result = MetersEngine(lambda _names: iter([readings]), knowledge, MetersOptions(threads=1)).run()
    return [row for row in result.rows if not math.isnan(row.score)]


def product_log10_e(row: UsagePointResult) -> float:
    """What the row would say if the shape of a load and a balance were independent."""
    counted = ("likeness", "homes", "balance")
    return math.fsum(found.log10_e for found in row.findings if found.detector in counted)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="tune", choices=("design", "tune", "report"))
    parser.add_argument("--transformers", type=int, default=8, help="of each kind of bypass")
    parser.add_argument("--innocent", type=int, default=60)
    parser.add_argument("--size", type=float, default=0.05)
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    settings = ("buildings", "homes")
    innocent = [rows_of(metered(options.split, settings[k % 2], "none", 0.0, rng)) for k in range(options.innocent)]
    every = [row for rows in innocent for row in rows]
    print(f"{options.innocent} innocent transformers, {len(every):,} rows, {sum(row.listed for row in every)} listed\n")
    print("| innocent rows | mean E | E >= 10 | largest log10 E |\n|---|--:|--:|--:|")
    for name, values in (
        ("averaged", np.array([row.log10_e for row in every])),
        ("multiplied", np.array([product_log10_e(row) for row in every])),
    ):
        print(f"| {name} | {(10**values).mean():.2f} | {(values >= 1).mean():.2%} | {values.max():.2f} |", flush=True)
    found, listed, both = 0, 0, []
    for kind in KINDS:
        for k in range(options.transformers):
            rows = rows_of(metered(options.split, settings[k % 2], kind, options.size, rng))
            named = [row for row in rows if Family.BALANCE in row.families]
            found += bool(named)
            listed += any(row.listed for row in named)
            both += [(row.log10_e, product_log10_e(row)) for row in named if row.usage_point != HEAD]
    print(
        f"\n{options.transformers * len(KINDS)} bypasses of {options.size:.0%}: {found} found, {listed} listed; "
        f"{len(both)} of them traced to a point\n"
    )
    print("| log10 E of a traced row | least | median | largest |\n|---|--:|--:|--:|")
    for name, column in (("averaged", 0), ("multiplied", 1)):
        values = np.array([pair[column] for pair in both])
        print(f"| {name} | {values.min():.2f} | {np.median(values):.2f} | {values.max():.2f} |")


if __name__ == "__main__":
    main()
