"""Prints asked and realised rates: of p-values on innocent points, and of false discoveries on lists.

    python -m bench.power_injection.calibration                 # splits design and tune, groups left out
    python -m bench.power_injection.calibration --unseen        # the shipped reference on the split report

A realised rate is the mean over buildings of the share of their windows with ``p <= asked``; intervals are 95 %, by
drawing whole buildings again. A simulated run has one window of each building of a group that its reference has not
seen, some of them with a machine; with several windows of each it has enough points for the run's own ranks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from bench.power_injection.reference_scores import (
    SCORES,
    Rows,
    group_of,
    left_out,
    population,
    realised,
    rows_of,
)
from bench.power_injection.score import bootstrap
from bench.power_injection.trial import batch_of, positives
from headframe.detectors.power.peers import HOME
from headframe.evidence.lists import benjamini_hochberg
from headframe.evidence.peers import ReferencePopulation, p_values, reference_p_values
from headframe.stores.reference_scores import load_references

RATES = (0.10, 0.05, 0.02, 0.01, 0.005)
ROUNDS = 400
FDR = (0.10, 0.20)
HOME_KINDS = ("always_on 0.6 kW", "night_only 0.6 kW", "always_on 0.9 kW", "night_only 0.9 kW")


def with_interval(shares: np.ndarray, rng: np.random.Generator) -> str:
    """Mean over buildings and its interval."""
    if shares.size == 0:
        return "-"
    low, high = bootstrap(np.arange(shares.size), lambda rows: float(shares[rows].mean()), rng, ROUNDS)
    return f"{shares.mean():.4f} [{low:.3f}, {high:.3f}]"


def print_left_out(kind: str, reference: ReferencePopulation, rows: Rows, rng: np.random.Generator) -> None:
    """Asked and realised, by a reference of the other groups."""
    print(f"\n{kind}: groups left out ({len(rows)} buildings, transfer {reference.transfer})")
    for rate in RATES:
        by_group = left_out(reference, rows, rate)
        every = np.concatenate([own for _, own in by_group])
        parts = ", ".join(f"{group} {own.mean():.3f}" for group, own in by_group)
        print(f"  asked {rate:5.1%}  realised {with_interval(every, rng)}   {parts}")


def print_unseen(kind: str, reference: ReferencePopulation, rng: np.random.Generator) -> None:
    """Asked and realised on buildings that nothing was fitted to or chosen by; for homes what is found there too."""
    rows = [row for row in rows_of(kind, ("report",)) if not np.isnan(row[2]).all()]
    print(f"\n{kind}: unseen buildings of split report ({len(rows)})")
    for rate in RATES:
        parts = ", ".join(
            f"{source} {realised(reference, [row for row in rows if row[0] == source], rate).mean():.3f}"
            for source in sorted({row[0] for row in rows})
        )
        print(f"  asked {rate:5.1%}  realised {with_interval(realised(reference, rows, rate), rng)}   {parts}")
    for source, building, scores in rows:
        share = float((reference_p_values(reference, scores[~np.isnan(scores)]) <= 0.01).mean())
        if share > 0.05:
            print(f"    {source} {building}: {share:.2f} of {np.isfinite(scores).sum()} windows at p <= 0.01")
    for name, found in recalls(kind, reference, ("report",)):
        print(f"  found at p <= 0.01: {name:20s} {with_interval(found, rng)}")


def recalls(kind: str, reference: ReferencePopulation, splits: Sequence[str]) -> list[tuple[str, np.ndarray]]:
    """For each kind of injection, each building's share of injected windows with ``p <= 0.01``."""
    injected = [own for split in splits for own in positives("homes" if kind == HOME else "commercial", split)]
    if not injected:
        return []
    p = reference_p_values(reference, SCORES[kind][2](batch_of([own.window for own in injected])))
    building = np.array([own.window.building for own in injected])
    name = np.array([own.kind for own in injected])
    return [
        (one, np.array([(p[(name == one) & (building == b)] <= 0.01).mean() for b in np.unique(building[name == one])]))
        for one in (HOME_KINDS if kind == HOME else np.unique(name))
    ]


def print_lists(kind: str, reference: ReferencePopulation, rows: Rows, rng: np.random.Generator) -> None:
    """Realised false discovery rate of Benjamini-Hochberg lists of simulated runs."""
    injected = [
        own for split in ("design", "tune") for own in positives("homes" if kind == HOME else "commercial", split)
    ]
    scores = SCORES[kind][2](batch_of([own.window for own in injected]))
    dirty: dict[str, np.ndarray] = {}
    for building in {own.window.building for own in injected}:
        own = scores[[at for at, one in enumerate(injected) if one.window.building == building]]
        dirty[building] = own[~np.isnan(own)]
    print(f"\n{kind}: lists of simulated runs by Benjamini-Hochberg, reference of the other groups")
    for group in sorted({group_of(row) for row in rows}):
        hosts = [row for row in rows if group_of(row) == group and row[1] in dirty]
        others = [row for row in rows if group_of(row) != group]
        if len(hosts) < 3 or len(others) < 5:
            continue
        fitted = population(kind, reference.score_version, others, reference.transfer)
        for of_each in (1, 6):
            for share in (0.0, 0.05, 0.2):
                wrong = {fdr: [] for fdr in FDR}
                right = {fdr: [] for fdr in FDR}
                for _ in range(200):
                    values, truth = _draw(hosts, dirty, of_each, share, rng)
                    standing = p_values(values, np.zeros(values.size, int), [kind], {kind: fitted})
                    for fdr in FDR:
                        listed = benjamini_hochberg(np.where(np.isnan(standing.p), 1.0, standing.p), fdr).listed
                        wrong[fdr].append((listed & ~truth).sum() / max(listed.sum(), 1))
                        right[fdr].append((listed & truth).sum() / max(truth.sum(), 1))
                said = "; ".join(
                    f"asked {fdr:.0%}: {np.mean(wrong[fdr]):.3f} wrong, {np.mean(right[fdr]):.2f} of the machines found"
                    for fdr in FDR
                )
                print(f"  {group}, {len(hosts) * of_each} points, {share:.0%} with machines: {said}")


def _draw(
    hosts: Rows, dirty: dict[str, np.ndarray], of_each: int, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    values, truth = [], []
    for _, building, clean in hosts:
        clean = clean[~np.isnan(clean)]
        for _ in range(of_each):
            machine = bool(rng.random() < share)
            values.append(float(rng.choice(dirty[building] if machine else clean)))
            truth.append(machine)
    return np.array(values), np.array(truth)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unseen", action="store_true", help="look at the split report")
    parser.add_argument("--kind", choices=sorted(SCORES), help="only this kind")
    chosen = parser.parse_args(arguments)
    rng = np.random.default_rng(4)
    references = load_references()
    for kind in SCORES:
        if chosen.kind not in (None, kind):
            continue
        reference = references[kind]
        if chosen.unseen:
            print_unseen(kind, reference, rng)
            continue
        rows = [row for row in rows_of(kind, ("design", "tune")) if not np.isnan(row[2]).all()]
        print_left_out(kind, reference, rows, rng)
        for name, found in recalls(kind, reference, ("design", "tune")):
            print(f"  found at p <= 0.01: {name:20s} {with_interval(found, rng)}")
        print_lists(kind, reference, rows, rng)
    return 0


if __name__ == "__main__":
    sys.exit(main())
