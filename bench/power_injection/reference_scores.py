"""Writes the shipped reference population: scores of real buildings without machines. Figures only.

    python -m bench.power_injection.train_net design --target NETS/design.py
    python -m bench.power_injection.train_net tune --target NETS/tune.py
    python -m bench.power_injection.reference_scores [--kind home|commercial] [--nets NETS] [--out FILE]

Buildings of the splits `design` and `tune`; `report` stays unseen, see `calibration`. The home score has no fitted part
but two scale points. The commercial score is learned, and a model scores the buildings that it was fitted on too low:
so each is scored by models fitted on others, its figures by five folds, its picture by the network of the other split.
For each kind the factor `transfer` is the smallest of a grid with which the buildings of a group left out (a source, or
a split of one) exceed no asked rate by more than `TOLERATED`.

To be run again whenever a score changes.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np

from bench.power_injection import train
from bench.power_injection.meters import HOUR_S, MOST_SAME_HOURS, buildings, longest_run, split_of
from headframe.detectors.power import homes, likeness, shape_net
from headframe.detectors.power.peers import COMMERCIAL, HOME
from headframe.evidence.peers import LEAST_BUILDINGS, ReferencePopulation, reference_p_values
from headframe.records.reading import LoadBatch, LocalClock, Surroundings
from headframe.stores.reference_scores import BUILTIN_REFERENCES, load_references, save_references

HOME_SOURCES = ("sgsc", "eemeter", "simbench-homes")
COMMERCIAL_SOURCES = ("cambridge", "simbench-commerce")
WINDOW_DAYS = 56
MOST_MISSING = 0.1
"""Of a window's hours: a reference shall see holes as subjects do, but not ruins."""
LEFT_OUT_RATES = (0.10, 0.05, 0.02, 0.01)
TOLERATED = 1.25
"""Realised over asked, over all buildings of groups left out. They are too few to tell less from 1."""
LEAST_TRANSFER = (1.1, 4.0)
"""The factor is at least ``a + b / buildings``: 1.5 for ten homes, where single windows decide the figures left out,
and 1.15 for eighty buildings."""
TRANSFER_STEP = 0.05
MOST_TRANSFER = 3.0


UTC = Surroundings(clock=LocalClock("UTC", np.array([-(2**62)]), np.zeros(1, np.int32), np.zeros(0, np.int32)))
"""What is known when only readings are given."""
SCORES = {
    HOME: (HOME_SOURCES, homes.VERSION, lambda batch: homes.score(homes.measure(batch))),
    COMMERCIAL: (COMMERCIAL_SOURCES, likeness.VERSION, lambda batch: likeness.score(likeness.measure(batch, UTC))),
}

Rows = list[tuple[str, str, np.ndarray]]
"""Source, building, scores of its consecutive windows (NaN where a window has none)."""


def window_batch(source: str, building: str, days: int = WINDOW_DAYS) -> LoadBatch:
    """Consecutive windows of a building as usage points; windows with too many holes, or a stuck meter, are all NaN."""
    start_s, power_w = buildings(source)[building]
    hours = days * 24
    count = power_w.size // hours
    first_hour = power_w.size - count * hours  # counted back from the end, as detectors do
    pieces = power_w[first_hour:].reshape(count, hours).astype(np.float32).copy()
    stuck = np.array(
        [not source.startswith("simbench") and longest_run(piece) > MOST_SAME_HOURS for piece in pieces], bool
    )
    pieces[(np.isnan(pieces).mean(axis=1) > MOST_MISSING) | stuck] = np.nan
    return LoadBatch(
        usage_points=tuple(f"{building}/{k}" for k in range(count)),
        first=np.arange(count + 1, dtype=np.int64) * hours,
        start_s=(start_s + first_hour * HOUR_S + np.arange(count) * hours * HOUR_S).astype(np.int64),
        step_s=HOUR_S,
        power_w=pieces.reshape(-1),
    )


def rows_of(kind: str, splits: Sequence[str]) -> Rows:
    """Scores of the buildings of some splits."""
    names = [(source, name) for source in SCORES[kind][0] for name in sorted(buildings(source))]
    return scored(kind, [one for one in names if split_of(one[1]) in splits])


def scored(kind: str, names: Sequence[tuple[str, str]]) -> Rows:
    """Scores of some buildings, each by its source and name."""
    rows: Rows = []
    for source, building in names:
        batch = window_batch(source, building)
        if batch.usage_points:
            rows.append((source, building, SCORES[kind][2](batch)))
    return rows


FOLDS = 5
"""The figures' models are fitted on four fifths of the buildings and score the others."""


@contextmanager
def with_models(models: tuple[likeness.Trees, likeness.Networks], net: shape_net.Net) -> Iterator[None]:
    """The models of `likeness` are these for a while."""
    with (
        mock.patch.object(likeness, "model", return_value=models),
        mock.patch.object(shape_net, "shipped", return_value=net),
    ):
        yield


def net_of(path: Path) -> shape_net.Net:
    """A network that `train_net` wrote."""
    spec = importlib.util.spec_from_file_location("net", path)
    weights = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(weights)
    return shape_net.unpacked(weights.WEIGHTS, weights.SHAPES)


def held_out_rows(nets: Path) -> Rows:
    """Scores of commercial buildings by models that were not fitted on them.

    Two buildings behind one meter may bring a held-out one into a fit as the lesser part of a sum.
    """
    found = train.sample(("design", "tune"), np.random.default_rng(1))
    names = [(source, name) for source in COMMERCIAL_SOURCES for name in sorted(buildings(source))]
    rows: Rows = []
    for fold in range(FOLDS):
        held = [one for k, one in enumerate(names) if k % FOLDS == fold]
        kept = ~np.isin(found.building, [name for _, name in held])
        part = train.Sample(*(column[kept] for column in vars(found).values()))
        trees, networks = train.fit_trees(part), train.fit_networks(part, np.random.default_rng(1))
        networks[2] = networks[2].reshape(networks[0].size, -1)
        models = likeness.Trees(*trees), likeness.Networks(*networks)
        for split, other in (("design", "tune"), ("tune", "design")):
            chosen = [one for one in held if split_of(one[1]) == split]
            with with_models(models, net_of(nets / f"{other}.py")):
                rows += scored(COMMERCIAL, chosen)
    return sorted(rows, key=lambda row: (COMMERCIAL_SOURCES.index(row[0]), row[1]))


def group_of(row: tuple[str, str, np.ndarray]) -> str:
    """What is left out together: a source; of a large one, a split."""
    return f"{row[0]} {split_of(row[1])}" if row[0] == "cambridge" else row[0]


def population(kind: str, version: str, rows: Rows, transfer: float = 1.0) -> ReferencePopulation:
    """Rows as a reference; buildings without any score are left out."""
    rows = [row for row in rows if not np.isnan(row[2]).all()]
    return ReferencePopulation(
        kind=kind,
        score_version=version,
        sources=tuple(source for source, _, _ in rows),
        scores=tuple(tuple(float(x) for x in np.round(scores, 2)) for _, _, scores in rows),
        transfer=transfer,
    )


def realised(reference: ReferencePopulation, rows: Rows, rate: float) -> np.ndarray:
    """Of each building, the share of its windows with a p-value at or below `rate`."""
    shares = []
    for _, _, scores in rows:
        p = reference_p_values(reference, scores[~np.isnan(scores)])
        if p.size:
            shares.append(float((p <= rate).mean()))
    return np.array(shares)


def left_out(reference: ReferencePopulation, kind_rows: Rows, rate: float) -> list[tuple[str, np.ndarray]]:
    """For each group, `realised` of its buildings by a reference of the other groups."""
    found = []
    for source in sorted({group_of(row) for row in kind_rows}):
        own = [row for row in kind_rows if group_of(row) == source]
        others = [row for row in kind_rows if group_of(row) != source]
        if len(others) < LEAST_BUILDINGS:
            continue
        fitted = population(reference.kind, reference.score_version, others, reference.transfer)
        found.append((source, realised(fitted, own, rate)))
    return found


def with_transfer(reference: ReferencePopulation, rows: Rows) -> ReferencePopulation:
    """The smallest factor with which left-out sources' buildings exceed no asked rate by more than `TOLERATED`."""
    least = LEAST_TRANSFER[0] + LEAST_TRANSFER[1] / len(reference.scores)
    for factor in np.arange(round(least, 2), MOST_TRANSFER, TRANSFER_STEP):
        tried = replace(reference, transfer=round(float(factor), 2))
        if all(
            np.concatenate([shares for _, shares in left_out(tried, rows, rate)] or [np.zeros(1)]).mean()
            <= TOLERATED * rate
            for rate in LEFT_OUT_RATES
        ):
            return tried
    return replace(reference, transfer=MOST_TRANSFER)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=BUILTIN_REFERENCES)
    parser.add_argument("--kind", choices=sorted(SCORES), help="only this kind; the other stays as it is in FILE")
    parser.add_argument("--nets", type=Path, help="folder of design.py and tune.py; needed for the commercial kind")
    chosen = parser.parse_args(arguments)
    if chosen.kind != HOME and chosen.nets is None:
        parser.error("--nets is missing: the commercial score needs networks fitted on one split each, see --help")
    populations = dict(load_references(chosen.out)) if chosen.kind else {}
    notes = {
        kind: f"{', '.join(sources)}; splits design and tune; consecutive windows of {WINDOW_DAYS} days"
        for kind, (sources, _, _) in SCORES.items()
    }
    for kind, (_, version, _) in SCORES.items():
        if chosen.kind not in (None, kind):
            continue
        rows = held_out_rows(chosen.nets) if kind == COMMERCIAL else rows_of(kind, ("design", "tune"))
        reference = with_transfer(population(kind, version, rows), rows)
        populations[kind] = reference
        print(f"{kind}: {len(reference.scores)} buildings, transfer {reference.transfer}")
        for split in ("design", "tune"):
            own = [row[2] for row in rows if split_of(row[1]) == split]
            print(f"  mean score of {split} {np.nanmean(np.concatenate(own)):.2f}")
        for rate in LEFT_OUT_RATES:
            shares = left_out(reference, rows, rate)
            print(f"  asked {rate:.0%}:", ", ".join(f"{source} left out {own.mean():.3f}" for source, own in shares))
        centre = np.linspace(-5, 8, 1301)
        p = reference_p_values(reference, centre)
        print("  score at", ", ".join(f"{rate:g}: {centre[np.argmax(p <= rate)]:.2f}" for rate in (0.05, 0.01, 0.001)))
    save_references(populations, notes, chosen.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
