"""Loads past the meter, at transformers made of real neighbours: how many `balance` finds, and how often it is wrong.

A transformer gets real loads of one calendar: university buildings, or homes (mixes of real and SimBench homes, moved
by whole weeks) with a few shops. Loads hang on a radial three-phase line; losses are the currents' heat in each piece
of it, neutral included, so they are *not* the quadratic that the detector fits. Meters have fixed errors within their
classes (1 for points, 0.5S at the head), clocks that are wrong, registers with steps, and missing readings.

Then a load is led past its meter:

- ``partial_share``: a fixed share of a point's load (one phase of three, a shunted current transformer);
- ``partial_constant``: a constant load of a point; half of these were metered before;
- ``full``: all of a point's load; its meter shows 0 from then on;
- ``night_only``: a constant load, some hours each night;
- ``tap``: a constant load from the line, at no point.

Half of them since before the data. The size is the load's mean while it runs over the transformer's mean.

    python -m bench.power_injection.bypass [--split design] [--transformers 100] [--sizes 0.05] [--voltage]
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass, replace
from functools import cache

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

from bench.power_injection.meters import HOUR_S, buildings, split_of  # noqa: E402
from bench.power_injection.score import bootstrap  # noqa: E402
from headframe.detectors.power.balance import detect  # noqa: E402
from headframe.records.load_finding import LoadFinding  # noqa: E402
from headframe.records.reading import HourlySeries, LoadBatch, Transformer, UsagePoint  # noqa: E402
from headframe.records.site import SourceRow  # noqa: E402

KINDS = ("partial_share", "partial_constant", "full", "night_only", "tap")
SIZES = (0.02, 0.03, 0.05, 0.10, 0.20)
DAYS = 60
SEED = 20
HEAD = "head"
MOST_DROP = 0.1
"""Of the nominal voltage: EN 50160 allows 10 % below it, so no line is so long that its losses make more. [unitless]"""
NEUTRAL = 1.0
"""Resistance of the neutral over that of a phase."""
_ROW = SourceRow("bench", 1)


@dataclass(frozen=True)
class Street:
    """True loads behind one transformer. `true_w` is float64[hours, points]; `of` names each point's building."""

    setting: str
    start_s: int
    true_w: np.ndarray
    of: tuple[str, ...]


@dataclass(frozen=True)
class Bypass:
    """What was led past the meter. `unmetered_w` is float64[hours]; `point` is None for a tap."""

    kind: str
    size: float
    point: int | None
    onset_h: int | None
    unmetered_w: np.ndarray


@cache
def _whole_days(source: str, split: str) -> dict[str, tuple[int, np.ndarray]]:
    """Series of a split that begin at midnight UTC."""
    found = {}
    for name, (start_s, power_w) in buildings(source).items():
        if split in ("", split_of(name)):
            skip = -(start_s // HOUR_S) % 24
            found[name] = (start_s // HOUR_S + skip, power_w[skip:])
    return found


def _usable(piece: np.ndarray) -> bool:
    return bool(piece.size == DAYS * 24 and np.isnan(piece).mean() <= 0.02 and np.nanmean(piece) > 0.0)


def _patched(piece: np.ndarray) -> np.ndarray:
    """The truth has no gaps: hours that the source lacks are those of the day before or after."""
    out = piece.astype(np.float64).copy()
    for by in (24, -24, 168, -168):
        bad = np.isnan(out)
        out[bad] = np.roll(out, by)[bad]
    return np.nan_to_num(out)


def street_of_buildings(split: str, rng: np.random.Generator) -> Street:
    """Some 6 to 16 buildings of one calendar."""
    series = _whole_days("cambridge", split)
    names = sorted(series)
    while True:
        begin = int(rng.integers(2006 - 1970, 2023 - 1970) * 365.25 + rng.integers(0, 365)) * 24
        there = []
        for name in names:
            start, power_w = series[name]
            piece = power_w[max(begin - start, 0) : begin - start + DAYS * 24] if begin >= start else power_w[:0]
            if _usable(piece):
                there.append((name, _patched(piece)))
        if len(there) >= 6:
            break
    rng.shuffle(there)
    there = there[: int(rng.integers(6, 17))]
    return Street("buildings", begin * HOUR_S, np.column_stack([p for _, p in there]), tuple(n for n, _ in there))


def street_of_homes(split: str, rng: np.random.Generator) -> Street:
    """20 to 60 homes and up to three shops. A home is a mix of two real ones, moved by weeks, so no two are alike."""
    homes = [series for source in ("sgsc", "simbench-homes") for series in _whole_days(source, split).items()]
    shops = list(_whole_days("simbench-commerce", split).items())

    def piece_of(pool: list) -> tuple[str, np.ndarray]:
        while True:
            name, (_, power_w) = pool[int(rng.integers(len(pool)))]
            at = int(rng.integers(0, power_w.size // 168 - DAYS // 7 - 1)) * 168
            piece = power_w[at : at + DAYS * 24]
            if _usable(piece):
                return name, _patched(piece)

    loads, names = [], []
    for _ in range(int(rng.integers(20, 61))):
        name, main = piece_of(homes)
        _, other = piece_of(homes)
        share = rng.uniform(0.0, 0.5)
        loads.append(((1 - share) * main + share * other) * np.exp(rng.normal(0.0, 0.4)))
        names.append(name)
    for _ in range(int(rng.integers(0, 4))):
        name, load = piece_of(shops)
        loads.append(load * rng.uniform(0.1, 0.5))
        names.append(name)
    return Street("homes", 1_457_913_600, np.column_stack(loads), tuple(names))


def bypass(street: Street, kind: str, size: float, rng: np.random.Generator) -> tuple[Street, np.ndarray, Bypass]:
    """The street with its load, what the points' meters would show without errors, and what they do not show."""
    true_w = street.true_w.copy()
    hours, n_points = true_w.shape
    onset = None if rng.random() < 0.5 else int(rng.integers(8 * 24, (DAYS - 8) * 24))
    on = (np.arange(hours) >= (onset or 0)).astype(np.float64)
    point = int(rng.integers(n_points))
    if kind in ("partial_share", "full"):
        # The host's load is scaled so that the bypassed part has the size asked for.
        part = 1.0 if kind == "full" else rng.uniform(0.3, 0.9)
        share = min(size / part, 0.6)
        others = true_w.sum(axis=1).mean() - true_w[:, point].mean()
        true_w[:, point] *= others * share / (1.0 - share) / true_w[:, point].mean()
        unmetered = true_w[:, point] * (min(size / share, 1.0) if kind != "full" else 1.0) * on
        metered = true_w.copy()
        metered[:, point] -= unmetered
        return replace(street, true_w=true_w), metered, Bypass(kind, size, point, onset, unmetered)
    power = true_w.sum(axis=1).mean() * size / (1.0 - size)
    load = np.full(hours, power) * (1.0 + rng.normal(0.0, 0.01, hours))
    metered = true_w.copy()
    if kind == "night_only":
        begin, length = int(rng.integers(20, 25)), int(rng.integers(6, 11))
        load *= (np.arange(hours) - begin) % 24 < length
    if kind == "partial_constant" and onset is not None and rng.random() < 0.5:
        metered[:, point] += load * (1.0 - on)  # it was metered until then
        true_w[:, point] += load
    else:
        true_w[:, point] += load * on  # the losses are those of this place on the line
    host = None if kind == "tap" else point
    return replace(street, true_w=true_w), metered, Bypass(kind, size, host, onset, load * on)


def line(true_w: np.ndarray, rng: np.random.Generator, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Heat in a radial line [W], and the voltage at its points [V], float64[hours] and float64[hours, points].

    Each piece carries what is behind it, by phase, and the neutral their difference.
    """
    n_points = true_w.shape[1]
    order = rng.permutation(n_points)
    phases = np.full((n_points, 3), 1.0 / 3.0)
    single = rng.random(n_points) < (0.6 if n_points > 16 else 0.1)
    phases[single] = np.eye(3)[rng.integers(0, 3, int(single.sum()))]
    phases[~single] += rng.uniform(-0.08, 0.08, ((~single).sum(), 3))
    factor = rng.uniform(0.88, 1.0, n_points)
    current = true_w[:, order, None] / factor[order, None] * phases[order]
    behind = np.cumsum(current[:, ::-1], axis=1)[:, ::-1]
    a, b, c = behind[..., 0], behind[..., 1], behind[..., 2]
    squares = a**2 + b**2 + c**2
    neutral = squares - a * b - b * c - c * a
    resistance = rng.uniform(0.3, 1.7, n_points)
    heat = (squares + NEUTRAL * neutral) @ resistance
    # The worst phase's drop at the end of the line, in the same units: heat is current times drop.
    drop = (behind.max(axis=2) + NEUTRAL * np.sqrt(np.maximum(neutral, 0.0))) @ resistance
    scale = share * true_w.sum(axis=1).mean() / heat.mean()
    # `heat` is in W^2 of a phase: a drop of 1 (all of the voltage) is 1 / scale.
    scale = min(scale, MOST_DROP / float(np.quantile(drop, 0.995)))
    # Along the line the drops of the pieces add up; a point sees those of its phases.
    along = np.cumsum(behind * (resistance * scale)[None, :, None], axis=1)
    seen = (along * phases[order]).sum(axis=2) / phases[order].sum(axis=1)
    voltage = np.empty_like(true_w)
    voltage[:, order] = 230.0 * (1.0 - seen)
    return heat * scale, voltage


def metered_with_errors(
    power_w: np.ndarray, limit: float, register_wh: float, rng: np.random.Generator, missing: bool = True
) -> np.ndarray:
    """What a meter of that class says: gain, its drift over the day, clock, register, gaps. float32[hours]."""
    hours = power_w.size
    warmth = np.sin(2 * np.pi * (np.arange(hours) / 24 + rng.uniform(-0.1, 0.1)))
    read = power_w * (1.0 + rng.uniform(-limit, limit) + rng.uniform(-0.1, 0.1) * limit * warmth)
    read *= 1.0 + rng.normal(0.0, 0.0005, hours)
    shift = (rng.uniform(-60.0, 60.0) + rng.uniform(-0.5, 0.5) * np.arange(hours) / 24) / HOUR_S
    after, before = np.append(read[1:], read[-1]), np.insert(read[:-1], 0, read[0])
    read = read + np.where(shift > 0, shift * (after - read), -shift * (before - read))
    register = np.floor(np.cumsum(read) / register_wh + rng.random()) * register_wh
    read = np.diff(register, prepend=register[0] - read[0]).astype(np.float32)
    if missing:
        read[rng.random(hours) < 0.004] = np.nan
        if rng.random() < 0.2:
            at = int(rng.integers(hours))
            read[at : at + int(rng.integers(2, 30))] = np.nan
    return read


def batch(names: tuple[str, ...], start_s: int, power_w: np.ndarray) -> LoadBatch:
    """float32[hours, n] as a batch."""
    hours, n = power_w.shape
    return LoadBatch(
        usage_points=names,
        first=np.arange(n + 1, dtype=np.int64) * hours,
        start_s=np.full(n, start_s, np.int64),
        step_s=HOUR_S,
        power_w=np.ascontiguousarray(power_w.T).reshape(-1).astype(np.float32),
    )


@dataclass(frozen=True)
class Trial:
    """One transformer's outcome. `named`: the right point, or rightly none (a tap). `wrong`: another point."""

    setting: str
    kind: str
    size: float
    building: str
    p_value: float
    log10_e: float
    named: bool
    wrong: bool
    power_error: float
    onset_error_days: float


@dataclass(frozen=True)
class Metered:
    """What the meters of a transformer show: float32[hours, points] and float32[hours]; and what is true."""

    street: Street
    done: Bypass | None
    names: tuple[str, ...]
    read_w: np.ndarray
    head_w: np.ndarray
    voltage: np.ndarray

    def host(self) -> str:
        """Where the load is: at a point, or, led past none of them, at the head."""
        return HEAD if self.done is None or self.done.point is None else self.names[self.done.point]


def metered(split: str, setting: str, kind: str, size: float, rng: np.random.Generator) -> Metered:
    """Build a transformer, and lead a load past a meter (kind ``none``: do not)."""
    street = street_of_buildings(split, rng) if setting == "buildings" else street_of_homes(split, rng)
    done = None
    shown = street.true_w
    if kind != "none":
        street, shown, done = bypass(street, kind, size, rng)
    n_points = street.true_w.shape[1]
    total = street.true_w.sum(axis=1)
    losses, voltage = line(street.true_w, rng, rng.uniform(0.005, 0.04))
    head = total + losses + rng.uniform(0.0, 0.008) * total.mean() + rng.uniform(0.0, 2.0) * n_points
    step = 100.0 if setting == "buildings" else 10.0
    read = np.column_stack([metered_with_errors(shown[:, k], 0.01, step / 10.0, rng) for k in range(n_points)])
    at_head = metered_with_errors(head, 0.005, step, rng)
    return Metered(street, done, tuple(f"p{k:02d}" for k in range(n_points)), read, at_head, voltage)


def trial(
    split: str, setting: str, kind: str, size: float, rng: np.random.Generator, *, with_voltage: bool = False
) -> Trial:
    """Ask the detector of one transformer."""
    made = metered(split, setting, kind, size, rng)
    street, done, names, read, voltage = made.street, made.done, made.names, made.read_w, made.voltage
    hours, n_points = street.true_w.shape
    at_head = made.head_w[:, None]
    points = [UsagePoint(usage_point=name, transformer="t", meter_class="1", source=_ROW) for name in names]
    seen = None
    if with_voltage:
        # The medium voltage moves all of them; meters show tenths of a volt and are wrong by up to 0.5 %.
        common = np.interp(np.arange(hours), np.arange(0, hours + 24, 24), rng.normal(0.0, 2.0, hours // 24 + 1))
        seen = {}
        for k, name in enumerate(names):
            shown_v = (voltage[:, k] + common) * (1.0 + rng.uniform(-0.005, 0.005)) + rng.normal(0.0, 0.2, hours)
            seen[name] = HourlySeries(start_s=street.start_s, step_s=HOUR_S, values=np.round(shown_v, 1))
    (answer,) = detect(
        batch((HEAD,), street.start_s, at_head),
        batch(names, street.start_s, read),
        Transformer(transformer="t", head_usage_point=HEAD, source=_ROW),
        points,
        voltage_v=seen,
    )
    host = done.point if done else None
    building = street.of[host if host is not None else int(rng.integers(n_points))]
    if not isinstance(answer, LoadFinding):
        return Trial(setting, kind, size, building, 1.0, 0.0, False, False, np.nan, np.nan)
    right = made.host()
    power_error = onset_error = np.nan
    if done is not None and answer.estimate is not None:
        real = done.unmetered_w[done.unmetered_w > 0.0].mean()
        power_error = answer.estimate.power_w.estimate / real - 1.0
        if done.onset_h is not None and answer.estimate.onset is not None:
            at = street.start_s + done.onset_h * HOUR_S
            onset_error = (answer.estimate.onset.estimate_ns / 1e9 - at) / 86400.0
    return Trial(
        setting,
        kind,
        size,
        building,
        answer.p_value,
        answer.log10_e,
        answer.usage_point == right,
        answer.usage_point not in (right, HEAD),
        power_error,
        onset_error,
    )


def _interval(trials: list[Trial], hit: np.ndarray, rng: np.random.Generator) -> str:
    low, high = bootstrap(np.array([t.building for t in trials]), lambda index: hit[index].mean(), rng)
    return f"{hit.mean():.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="report", choices=("design", "tune", "report"))
    parser.add_argument("--transformers", type=int, default=60, help="of each kind and size")
    parser.add_argument("--innocent", type=int, default=600)
    parser.add_argument("--sizes", type=float, nargs="*", default=list(SIZES))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--voltage", action="store_true", help="points' meters show their voltage too")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    begun = time.perf_counter()
    settings = ("buildings", "homes")
    innocent = [trial(options.split, settings[k % 2], "none", 0.0, rng) for k in range(options.innocent)]
    print(
        f"split {options.split}, {DAYS} days, hourly, head 0.5S, points class 1; 95 % intervals by building bootstrap"
    )
    print("\n| innocent | transformers | p <= 0.01 | p <= 0.05 | mean E |\n|---|---|---|---|---|")
    for setting in settings:
        own = [t for t in innocent if t.setting == setting]
        if own:
            p = np.array([t.p_value for t in own])
            mean_e = np.mean([10.0**t.log10_e for t in own])
            print(
                f"| {setting} | {len(own)} | {_interval(own, p <= 0.01, rng)} | "
                f"{(p <= 0.05).mean():.3f} | {mean_e:.2f} |"
            )
    print(
        "\n| kind | size | found at p <= 0.01 | buildings | homes | right place, of found | wrong place | "
        "kW error, median | onset error, median days |\n|---|---|---|---|---|---|---|---|---|"
    )
    for kind in options.kinds:
        for size in options.sizes:
            own = [
                trial(options.split, settings[k % 2], kind, size, rng, with_voltage=options.voltage)
                for k in range(options.transformers)
            ]
            hit = np.array([t.p_value <= 0.01 for t in own])
            each = [hit[[t.setting == setting for t in own]].mean() for setting in settings]
            found = [t for t in own if t.p_value <= 0.01]
            right = np.mean([t.named for t in found]) if found else np.nan
            wrong = np.mean([t.wrong for t in found]) if found else np.nan
            power = np.nanmedian([abs(t.power_error) for t in found]) if found else np.nan
            onsets = [abs(t.onset_error_days) for t in found if not np.isnan(t.onset_error_days)]
            onset = np.median(onsets) if onsets else np.nan
            print(
                f"| {kind} | {size:.0%} | {_interval(own, hit, rng)} | {each[0]:.2f} | {each[1]:.2f} | {right:.2f} | "
                f"{wrong:.2f} | {power:.1%} | {onset:.2f} |",
                flush=True,
            )
    print(f"\n{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
