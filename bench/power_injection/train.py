"""Fits the model of `likeness` and writes it: ``python -m bench.power_injection.train``.

Innocent periods are windows of the buildings of the splits `design` and `tune`. To make new buildings of the known
ones, each window also comes with its weeks in reverse order (a load that fell becomes one that rose) and added to a
window of another building (two buildings behind one meter). Machines are injected into all of them, with a wider
injector than the first: any share from 8 % to 180 %, days of rest, partial curtailment, machines that leave again,
drift. Sums are rounded to the meters' resolution, so that nothing can be learned from digits that only a sum has.

Two models are fitted on the same figures, because their errors differ: boosted trees and a small neural network; the
score is a weighted sum of their log-odds. Buildings weigh by the root of their number of windows, machines by their
share, up to 40 % of the site's mean power: what cannot be found anyway should not shape the model.

``--check`` fits on `design` alone and prints what it gives on `tune`, which is how everything here was chosen.
"""

from __future__ import annotations

import argparse
import base64
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.power_injection import trial
from bench.power_injection.meters import HOUR_S, Window, windows
from bench.power_injection.score import average_precision, threshold_at
from headframe.kernels.load_shape import FIGURES, describe

TARGET = Path(__file__).resolve().parents[2] / "src/headframe/detectors/power/likeness_model.py"
MODES = {
    "always_on": 0.16,
    "step": 0.12,
    "staged": 0.09,
    "curtailed": 0.12,
    "price_following": 0.13,
    "night_only": 0.13,
    "outage": 0.11,
    "throttled": 0.10,
    "off_hours": 0.04,
}
"""How often each is drawn. Nobody knows how often they occur."""
SHARES = (0.08, 1.8)
RESOLUTION_W = 100.0
"""Of the Cambridge meters."""
TREES = 500
NETWORKS = 3
HIDDEN = 40
NETWORK_WEIGHT = 0.4
"""Of the networks in the sum. See docs/detectors/likeness.md for the figures behind these."""
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "max_depth": 6,
    "min_data_in_leaf": 80,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 20.0,
    "max_bin": 127,
    "use_missing": False,
    "num_threads": 1,
    "verbose": -1,
    "seed": 1,
}


@dataclass
class Sample:
    """Rows: figures [n, k], whether machines run, share, building."""

    figures: np.ndarray
    machines: np.ndarray
    share: np.ndarray
    building: np.ndarray


def figures_of(start_s: int, power_w: np.ndarray) -> np.ndarray:
    """Figures of a window, days from midnight UTC on."""
    skip = (-(start_s // HOUR_S)) % 24
    days = min((power_w.size - skip) // 24, 56)
    f = np.empty(FIGURES)
    weekday = ((start_s // HOUR_S + skip) // 24 + 3) % 7
    n = describe(np.ascontiguousarray(power_w[skip : skip + days * 24], np.float32), days, int(weekday), f)
    return f[:n]


def running(window: Window, mode: str, rng: np.random.Generator) -> np.ndarray:
    """Share of the machines that run, float64[hours]."""
    n = window.power_w.size
    clock = np.arange(n) + window.start_s // HOUR_S
    hour, weekday = clock % 24, (clock // 24 + 3) % 7
    on = np.ones(n)
    onset = None
    if mode in ("step", "staged") or (mode != "always_on" and rng.random() < 0.45):
        onset = int(rng.integers(n // 10, n - n // 10))
    if mode == "staged":
        steps = int(rng.integers(2, 7))
        at = np.sort(rng.integers(onset, n, size=steps))
        at[0] = onset
        level = np.sort(rng.uniform(0.15, 1, steps)) if rng.random() < 0.5 else (np.arange(steps) + 1) / steps
        level[-1] = 1
        on[:] = 0
        for a, part in zip(at, level, strict=True):
            on[a:] = part
    elif mode == "curtailed":
        off = (hour - int(rng.integers(14, 20))) % 24 < int(rng.integers(2, 7))
        if rng.random() < 0.2:
            off &= weekday < 5
        on[off] = 0 if rng.random() < 0.75 else rng.uniform(0, 0.5)
    elif mode == "night_only":
        on[(hour - int(rng.integers(19, 26))) % 24 >= int(rng.integers(5, 12))] = 0
    elif mode == "off_hours":
        on[((hour - int(rng.integers(17, 22))) % 24 >= int(rng.integers(10, 15))) & (weekday < 5)] = 0
    elif mode == "price_following":
        # the price of a random season, at the right hour of the day
        start_s = int(rng.integers(1_546_300_800 // 86_400, 1_690_000_000 // 86_400)) * 86_400
        price = trial.price_over(start_s + window.start_s % 86_400, n)
        if rng.random() < 0.7:
            on[price > np.quantile(price, rng.uniform(0.55, 0.93))] = 0
        else:  # the dearest hours of each day
            days = price[: n // 24 * 24].reshape(-1, 24)
            on[: days.size][(np.argsort(np.argsort(-days, axis=1), axis=1) < int(rng.integers(2, 10))).ravel()] = 0
    elif mode == "outage":
        for a in rng.integers(0, n, size=int(rng.integers(1, 5))):
            length = int(rng.integers(2, 80))
            on[a : a + length] = 0
            if rng.random() < 0.7:  # machines come back one after the other
                since = np.arange(max(n - a - length, 0))
                back = 1 - rng.uniform(0, 0.6) * np.exp(-since / rng.uniform(0.3, 6))
                on[a + length :] = np.minimum(on[a + length :], back)
    elif mode == "throttled":
        on *= 1 - np.clip(np.sin(2 * np.pi * (hour - rng.integers(8, 11)) / 24), 0, None) * rng.uniform(0.03, 0.3)
    if mode != "outage" and rng.random() < 0.08:
        a = int(rng.integers(0, n))
        on[a : a + int(rng.integers(2, 60))] = 0
    if onset is not None:
        on[:onset] = 0
        if rng.random() < 0.06:
            on[int(rng.integers(onset + (n - onset) // 2, n)) :] = 0
    noise = 1 + rng.normal(0, rng.choice([0.001, 0.003, 0.005, 0.01, 0.02, 0.03]), n)
    if rng.random() < 0.3:  # machines that break and are repaired
        drift = np.cumsum(rng.normal(0, 0.01, n // 24 + 1))
        noise *= np.repeat(np.clip(1 + drift - drift.mean(), 0.8, 1.2), 24)[:n]
    return on * noise


def with_machines(window: Window, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Share of the machines and the rounded sum."""
    mode = str(rng.choice(list(MODES), p=np.array(list(MODES.values())) / sum(MODES.values())))
    share = float(np.exp(rng.uniform(*np.log(SHARES))))
    total = window.power_w + share * float(np.nanmean(window.power_w)) * running(window, mode, rng)
    return share, rounded(total)


def rounded(power_w: np.ndarray) -> np.ndarray:
    """As the meter would have stored it."""
    return (np.round(power_w / RESOLUTION_W) * RESOLUTION_W).astype(np.float32)


def backwards(window: Window) -> Window:
    """The same weeks, the last first."""
    weeks = window.power_w[: window.power_w.size // 168 * 168].reshape(-1, 168)
    return Window(window.source, window.building, window.start_s, weeks[::-1].ravel().copy())


def together(window: Window, other: Window, rng: np.random.Generator) -> Window:
    """Two buildings behind one meter, the other moved to the same hour of the week."""
    moved = np.roll(other.power_w, -((window.start_s - other.start_s) // HOUR_S % 168))
    scale = np.exp(rng.uniform(*np.log((0.2, 3.0)))) * np.nanmean(window.power_w) / np.nanmean(other.power_w)
    return Window(window.source, window.building, window.start_s, rounded(window.power_w + scale * moved))


def sample(splits: tuple[str, ...], rng: np.random.Generator) -> Sample:
    """Figures of innocent and injected windows."""
    found = [w for split in splits for w in windows("cambridge", split=split)]
    of_season: dict[int, list[Window]] = {}
    for window in found:
        of_season.setdefault(window.start_s // 86_400 % 365 // 46, []).append(window)
    rows: list[tuple[np.ndarray, bool, float, str]] = []
    for window in found:
        near = [w for w in of_season[window.start_s // 86_400 % 365 // 46] if w.building != window.building]
        hosts = [(window, 4), (backwards(window), 2)]
        if near:
            hosts.append((together(window, near[int(rng.integers(len(near)))], rng), 2))
        for host, injections in hosts:
            rows.append((figures_of(host.start_s, host.power_w), False, 0.0, host.building))
            for _ in range(injections):
                share, power_w = with_machines(host, rng)
                rows.append((figures_of(host.start_s, power_w), True, share, host.building))
    rows = [row for row in rows if row[0].size]
    return Sample(
        np.array([row[0] for row in rows], np.float32),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]),
        np.array([row[3] for row in rows]),
    )


def weights(rows: Sample) -> np.ndarray:
    """Of each row."""
    _, inverse, count = np.unique(rows.building, return_inverse=True, return_counts=True)
    return np.where(rows.machines, np.minimum(1.0, (rows.share + 0.02) / 0.4), 3.0) / np.sqrt(count[inverse])


def fit_trees(rows: Sample) -> list[np.ndarray]:
    """Trees as arrays: feature, threshold, left, right, value of each node, and the roots."""
    import lightgbm

    data = lightgbm.Dataset(rows.figures, rows.machines.astype(int), weight=weights(rows))
    dump = lightgbm.train(PARAMETERS, data, TREES).dump_model()
    nodes: list[list[float]] = []

    def add(node: dict) -> int:
        at = len(nodes)
        if "split_feature" not in node:
            nodes.append([-1, 0.0, 0, 0, node["leaf_value"]])
            return at
        nodes.append([node["split_feature"], node["threshold"], 0, 0, 0.0])
        nodes[at][2] = add(node["left_child"])
        nodes[at][3] = add(node["right_child"])
        return at

    roots = [add(tree["tree_structure"]) for tree in dump["tree_info"]]
    columns = list(zip(*nodes, strict=True))
    kinds = (np.int16, np.float32, np.int32, np.int32, np.float32)
    return [*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)), np.array(roots, np.int32)]


def squashed(figures: np.ndarray) -> np.ndarray:
    """Figures as the networks take them, before centring: long tails on both sides become short."""
    return np.sign(figures) * np.log1p(20.0 * np.abs(figures))


def fit_networks(rows: Sample, rng: np.random.Generator, draws: int = 60_000) -> list[np.ndarray]:
    """Centre and factor of each figure; networks side by side: weights [k, h], biases [h], outputs [h], constant."""
    from sklearn.neural_network import MLPClassifier

    z = squashed(rows.figures.astype(np.float64))
    centre, scale = z.mean(axis=0), z.std(axis=0) + 1e-6
    z = np.clip((z - centre) / scale, -4, 4)
    chance = weights(rows)
    chance /= chance.sum()
    hidden, bias, output, constant = [], [], [], 0.0
    for k in range(NETWORKS):
        drawn = rng.choice(chance.size, size=draws, p=chance)
        network = MLPClassifier((HIDDEN,), alpha=0.1, batch_size=256, max_iter=10, random_state=k)
        network.fit(z[drawn], rows.machines[drawn])
        hidden.append(network.coefs_[0])
        bias.append(network.intercepts_[0])
        output.append(network.coefs_[1][:, 0] / NETWORKS)
        constant += float(network.intercepts_[1][0]) / NETWORKS
    parts = [centre, 1 / scale, np.hstack(hidden), np.concatenate(bias), np.concatenate(output), np.array([constant])]
    return [part.astype(np.float32) for part in parts]


def text_of(arrays: list[np.ndarray]) -> str:
    """Bytes of the arrays as lines of text."""
    text = base64.b85encode(zlib.compress(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays), 9)).decode()
    return "\n".join(text[k : k + 110] for k in range(0, len(text), 110))


def write(target: Path, trees: list[np.ndarray], networks: list[np.ndarray], note: str) -> None:
    """The model as a module, so that reading it takes no file access of its own."""
    target.write_text(
        f'"""Model of `likeness`, written by ``python -m bench.power_injection.train``; not to be edited.\n\n'
        f'{note}\n"""\n\n'
        f"FIGURES = {networks[0].size}\nNODES = {trees[0].size}\nROOTS = {trees[5].size}\n"
        f"HIDDEN = {networks[3].size}\nNETWORK_WEIGHT = {NETWORK_WEIGHT}\n\n"
        f'TREES = """\n{text_of(trees)}\n"""\n\nNETWORKS = """\n{text_of(networks)}\n"""\n',
        encoding="utf-8",
    )


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fit on design alone and judge on tune; write nothing")
    parser.add_argument("--target", type=Path, default=TARGET, help="where the model is written")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    rows = sample(("design",) if options.check else ("design", "tune"), rng)
    trees, networks = fit_trees(rows), fit_networks(rows, rng)
    if not options.check:
        names = np.unique(rows.building)
        note = (
            f"Fitted on {rows.machines.size} windows of {names.size} buildings of the Cambridge estate (MIT licence)."
        )
        write(options.target, trees, networks, note)
        return
    from headframe.detectors.power.likeness import combined

    def score(found: list[Window]) -> np.ndarray:
        return np.array([combined(trees, networks, NETWORK_WEIGHT, figures_of(w.start_s, w.power_w)) for w in found])

    clean = score(list(trial.innocents("cambridge", "tune")))
    dirty = trial.positives("cambridge", "tune")
    found = score([p.window for p in dirty])
    kinds = np.array([p.kind for p in dirty])
    threshold = threshold_at(clean, 0.01)
    print(f"recall {np.mean(found > threshold):.3f}, average precision {average_precision(found, clean, 0.01):.3f}")
    for kind in np.unique(kinds):
        print(f"  {kind:16s} {np.mean(found[kinds == kind] > threshold):.3f}")


if __name__ == "__main__":
    main()
