"""Prints what the detectors of loads are worth, with the targets beside the figures.

    python -m bench.power_injection quick     # a few minutes, on the split that choices were made on
    python -m bench.power_injection full      # the split `report`, looked at once
    python -m bench.power_injection commercial homes hard ...   # parts by name, see PARTS

Thresholds are set on meters of the other splits. Nothing is fitted here but the baseline `boosting`, on `design`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.power_injection import baselines, bypass, hard_negatives, history, product, program
from bench.power_injection.meters import Window
from bench.power_injection.score import bootstrap
from bench.power_injection.trial import (
    MOST_INNOCENT,
    Figure,
    Figures,
    Score,
    evaluate,
    innocents,
    positives,
    scores,
    weighted_threshold,
)

DAY_S = 86_400


@dataclass(frozen=True)
class Run:
    """What is judged, by meters of which splits, and how thoroughly."""

    on: tuple[str, ...]
    setting: tuple[str, ...]
    rounds: int
    hosts: int
    with_opendsm: bool


def quick() -> Run:
    """The split `tune`, thresholds of `design`."""
    return Run(("tune",), ("design",), 50, 6, False)


def full() -> Run:
    """The split `report`, thresholds of `design` and `tune`."""
    return Run(("report",), ("design", "tune"), 200, 12, True)


def row(*cells: object) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(*cells: str) -> str:
    """A Markdown table's head."""
    return row(*cells) + "\n" + "|---" * len(cells) + "|"


def judged(run: Run, score: Score, setting: tuple[str, ...] | None = None, **more: object) -> Figures:
    """`evaluate` as this run wants it."""
    return evaluate(
        score,
        on=run.on,
        threshold_on=setting or run.setting,
        rounds=run.rounds,
        most_hosts=run.hosts,
        **more,  # type: ignore[arg-type]
    )


def commercial(run: Run) -> None:
    """Commercial buildings, 56 days."""
    print("\n## Commercial buildings, 56 days\n")
    # What was fitted on `design` gets its threshold from `tune`, or the threshold would be too low; Headframe, fitted
    # on both, from scores by models that never saw the building.
    fresh = tuple(s for s in run.setting if s != "design") or run.setting
    entries: list[tuple[str, Score, tuple[str, ...]]] = [
        (name, baselines.scored_by(rule), run.setting) for name, rule in baselines.RULES.items()
    ]
    entries.append(("boosting on 16 shape features", baselines.boosting(), fresh))
    entries.append(("Headframe", product.commercial, fresh))
    print(head("score", "recall at 1 % asked", "always on", "AP at 1 %", "AP at 0.1 %", "realised rate", "own recall"))
    last: Figures | None = None
    for name, score, setting in entries:
        at = product.commercial_threshold() if name == "Headframe" else None
        last = judged(run, score, setting, at=at)
        print(
            row(
                name,
                last.recall,
                last.by_kind["always_on"],
                last.ap_1_percent,
                last.ap_01_percent,
                last.realised_rate,
                f"{last.own_recall}, always on {last.own_by_kind['always_on']}",
            ),
            flush=True,
        )
    print(row("start", "0.33", "0.09", "0.28", "", "", ""))
    print(row("**must**", "**0.55**", "**0.25**", "**0.50**", "", "", ""))
    assert last is not None
    details(last)
    by_p = judged(run, product.p_of("commercial", product.commercial), at=2.0)
    print(
        f"\nBy the p-value against the shipped reference population, p <= 0.01: recall {by_p.recall}, realised rate "
        f"{by_p.realised_rate}."
    )


def details(figures: Figures) -> None:
    """By mode and by share."""
    print(f"\nHeadframe, {figures.buildings} buildings, {figures.realised_rate.n} innocent windows:\n")
    print(head("mode or share of the site's mean load", "recall at 1 % asked", "with the own threshold", "windows"))
    for name, figure in figures.by_kind.items():
        print(row(name.replace("_", " "), figure, figures.own_by_kind[name], figure.n))
    for name, figure in figures.by_share.items():
        print(row(name, figure, "", figure.n))


def other_injector(run: Run) -> None:
    """The second injector, never used for design."""
    print("\n## The second injector, other assumptions\n")
    fresh = tuple(s for s in run.setting if s != "design") or run.setting
    print(head("score", "recall at 1 % asked", "AP at 1 %", "AP at 0.1 %"))
    for name, score, setting in (
        ("step in the daily minimum", baselines.scored_by(baselines.step_in_daily_minimum), run.setting),
        ("boosting, fitted on the first injector", baselines.boosting(), fresh),
        ("Headframe", product.commercial, fresh),
    ):
        at = product.commercial_threshold() if name == "Headframe" else None
        figures = judged(run, score, setting, injector="other", at=at)
        print(row(name, figures.recall, figures.ap_1_percent, figures.ap_01_percent), flush=True)
    details(figures)


def homes(run: Run) -> None:
    """Homes with machines of fixed power."""
    print("\n## Homes, 56 days\n")
    print(head("score", "always on 0.6 kW", "0.9 kW", "night only 0.6 kW", "0.9 kW", "all", "realised rate"))

    def line(name: str, figures: Figures) -> None:
        kinds = ("always_on 0.6 kW", "always_on 0.9 kW", "night_only 0.6 kW", "night_only 0.9 kW")
        print(row(name, *(figures.by_kind[k] for k in kinds), figures.recall, figures.realised_rate), flush=True)

    def home_figures(score: Score, **more: object) -> Figures:
        if run.on == ("report",):
            return judged(run, score, population="homes", **more)
        # Two homes are too few to judge by: all, each by the threshold of the others.
        both = ("design", "tune")
        return evaluate(score, on=both, threshold_on=None, population="homes", rounds=run.rounds, **more)  # type: ignore[arg-type]

    for name, rule in baselines.RULES.items():
        line(name, home_figures(baselines.scored_by(rule)))
    last = home_figures(product.home)
    line("Headframe, threshold of the other homes", last)
    line("Headframe, p <= 0.01 by the shipped reference", home_figures(product.p_of("home", product.home), at=2.0))
    print(row("start", "0.45", "", "0.08", "", "", "0.041"))
    print(row("**must**", "**0.80**", "", "**0.35**", "", "", "**at most 0.015**"))
    details(last)
    second = home_figures(product.home, injector="other")
    print(f"\nSecond injector: recall {second.recall}; ", end="")
    print("; ".join(f"{k.replace('_', ' ')} {f.value:.2f}" for k, f in second.by_kind.items()))


def hard(run: Run) -> None:
    """Hard negatives at the threshold that was set on ordinary meters."""
    print("\n## Hard negatives: share above the threshold of 1 %\n")
    clean = [w for s in run.setting for w in innocents("homes", s, 56, MOST_INNOCENT)]
    ordinary = scores(product.home, clean)
    limits: dict[str, tuple[Score, float]] = {
        "commercial": (product.commercial, product.commercial_threshold()),
        "homes": (product.home, weighted_threshold(ordinary, np.ones(len(ordinary), np.int64), 0.01)),
    }
    print(head("group", "windows", "meters", "above, of windows", "named: what else it could be"))
    rng = np.random.default_rng(1)
    totals: dict[str, list[np.ndarray]] = {"commercial": [], "homes": []}
    for split in run.on:
        for group in hard_negatives.groups(split):
            if not group.windows:
                continue
            score, limit = limits[group.population]
            above = scores(score, group.windows) > limit
            of = np.array([w.building for w in group.windows])
            low, high = bootstrap(of, lambda rows, a=above: a[rows].mean(), rng, run.rounds)
            figure = Figure(float(above.mean()), low, high, above.size)
            flagged = [w for w, a in zip(group.windows, above, strict=True) if a]
            named = named_in(flagged or group.windows, group) + ("" if flagged else " (none above: of all)")
            print(row(group.name, above.size, np.unique(of).size, figure, named), flush=True)
            totals[group.population].append(above)
    for population, parts in totals.items():
        if parts:
            each = np.array([part.mean() for part in parts])
            print(
                row(f"**all {population} kinds, one weight each**", sum(map(len, parts)), "", f"{each.mean():.3f}", "")
            )


def named_in(found: list[Window], group: hard_negatives.HardNegatives) -> str:
    """How often the expected counter-hypothesis is left standing or is unanswered, of up to 20 windows."""
    picked = [found[round(k)] for k in np.linspace(0, len(found) - 1, min(len(found), 20))]
    held = [product.counter_hypotheses(w, home=group.population == "homes") for w in picked]
    names = [{c.name: c.standing.value for c in own} for own in held]
    counts: dict[str, int] = {}
    for own in names:
        standing = own.get(group.expected, "not named")
        counts[standing] = counts.get(standing, 0) + 1
    said = ", ".join(f"{k} in {v} of {len(picked)}" for k, v in sorted(counts.items()))
    return f"{group.expected.replace('_', ' ')}: {said}"


def with_history(run: Run) -> None:
    """Two years of history, and the weather."""
    print("\n## Two years of history before the 56 days\n")
    on = [pair for split in run.on for pair in history.pairs(split)]
    fresh = tuple(s for s in run.setting if s != "design") or run.setting
    setting = [pair for split in fresh for pair in history.pairs(split, hosts=0)]
    print(head("score", "recall, 56 days", "recall, with history", "AP, 56 days", "AP, with history", "rates"))
    for name, long_score in (
        ("with history", product.commercial),
        ("with history and weather", product.commercial_with_weather),
    ):
        gain = history.gain(product.commercial, long_score, on, setting, rounds=run.rounds)
        rates = " / ".join(f"{x:.3f}" for x in gain.realised_rate)
        print(row(f"Headframe, {name}", *gain.recall, *gain.average_precision, rates), flush=True)
    print()
    print(head("mode", "56 days", "with history and weather"))
    for mode, (short, long) in gain.by_mode.items():
        print(row(mode.replace("_", " "), f"{short:.2f}", f"{long:.2f}"))
    print(f"\n{gain.buildings} buildings, {gain.innocent} innocent and {gain.injected} injected pairs")


def step(run: Run) -> None:
    """Errors of the estimates of a step: power and onset, of those that are found at 1 %."""
    print("\n## Step: power and onset\n")
    limit = product.commercial_threshold()
    dirty = [p for s in run.on for p in positives("commercial", s, 56, run.hosts) if p.kind == "step"]
    hit = scores(product.commercial, [p.window for p in dirty]) > limit
    print(head("step windows", "n", "answered as a step", "median error of kW", "median error of onset [days]"))
    for name, chosen in (("found at 1 %", hit), ("all", np.ones(len(dirty), bool))):
        own = [p for p, c in zip(dirty, chosen, strict=True) if c]
        power, onset = [], []
        for positive in own:
            estimate = product.estimate(positive.window)
            if estimate is None or estimate.onset is None or positive.injection.onset_h is None:
                continue
            running = positive.injection.added_w[positive.injection.onset_h :]
            true_w = float(np.median(running))
            true_s = positive.window.start_s + positive.injection.onset_h * 3600
            power.append(abs(estimate.power_w.estimate - true_w) / true_w)
            onset.append(abs(estimate.onset.estimate_ns / 1e9 - true_s) / DAY_S)
        medians = (f"{np.median(power):.1%}", f"{np.median(onset):.2f}") if power else ("", "")
        print(row(name, len(own), len(power), *medians), flush=True)
    print(row("**must**", "", "", "**below 12 %**", "**below 1 day**"))


def bypassed(run: Run) -> None:
    """Bypass and taps through the transformer, loads of 5 % of its mean and more."""
    print("\n## Bypass, 60 days, head meter 0.5S, points class 1\n")
    rng = np.random.default_rng(bypass.SEED)
    settings = ("buildings", "homes")
    split = run.on[0]
    count = 12 if run.rounds < 100 else 40
    innocent = [bypass.trial(split, settings[k % 2], "none", 0.0, rng) for k in range(count * 5)]
    limit = 0.01
    print(head("kind", "found at p <= 0.01", "transformers"))
    everything: list[bool] = []
    for kind in bypass.KINDS:
        sizes = [size for size in bypass.SIZES if size >= 0.05]
        made = [bypass.trial(split, settings[k % 2], kind, sizes[k % len(sizes)], rng) for k in range(count)]
        hit = [t.p_value <= limit for t in made]
        everything += hit
        print(row(kind.replace("_", " "), f"{np.mean(hit):.2f}", len(made)), flush=True)
    rate = np.mean([t.p_value <= limit for t in innocent])
    print(row("all, **must 0.9**", f"{np.mean(everything):.2f}", len(everything)))
    print(row("innocent", f"{rate:.3f}", len(innocent)))


def as_run(run: Run) -> None:
    """`headframe meters` on files with a prevalence of 1 %."""
    print("\n## The program: `headframe meters` on files of these meters, 1 % of them with machines\n")
    got = program.outcome(run.on[0], files=2 if run.rounds < 100 else 5)
    rng = np.random.default_rng(1)
    print(head("usage points", "innocent rows", "p <= 0.01 of innocent", "rows with machines", "p <= 0.01 of these"))
    for population in ("commercial", "homes"):
        own = got.population == population
        hit = got.p_value <= 0.01
        innocent, mining = np.flatnonzero(own & ~got.mines), np.flatnonzero(own & got.mines)
        low, high = bootstrap(got.building[innocent], lambda rows, h=hit[innocent]: h[rows].mean(), rng, run.rounds)
        rate = Figure(float(hit[innocent].mean()), low, high, innocent.size)
        low, high = bootstrap(got.building[mining], lambda rows, h=hit[mining]: h[rows].mean(), rng, run.rounds)
        print(
            row(population, innocent.size, rate, mining.size, Figure(float(hit[mining].mean()), low, high)), flush=True
        )
    listed = got.listed
    print(
        f"\nListed at a false discovery rate of 5 %: {int(listed.sum())} rows, {int((listed & ~got.mines).sum())} of "
        f"them innocent; {(listed & got.mines).sum() / max(got.mines.sum(), 1):.2f} of all rows with machines. "
        f"Rows without a score: {int(np.isnan(got.score).sum())}."
    )


def opendsm(run: Run) -> None:
    """opendsm's own flow beside the others, on a sample: each window takes seconds."""
    print("\n## opendsm's flow on a sample of the same windows\n")
    print(head("score", "own recall at 1 %", "AP at 1 %", "windows", "seconds a window"))
    entries: list[tuple[str, Score]] = [
        ("opendsm daily baseline, residual over its band", baselines.opendsm_flow),
        ("step in the daily minimum", baselines.scored_by(baselines.step_in_daily_minimum)),
        ("Headframe", product.commercial),
    ]
    for name, score in entries:
        figures = evaluate(
            score, on=run.on, threshold_on=(), at=np.inf, most_innocent=5, most_hosts=1, rounds=run.rounds
        )
        windows = figures.recall.n + figures.realised_rate.n
        each = baselines.opendsm_seconds() if name.startswith("opendsm") else figures.seconds / windows
        print(row(name, figures.own_recall, figures.ap_1_percent, windows, f"{each:.2g}"), flush=True)


PARTS: dict[str, Callable[[Run], None]] = {
    "commercial": commercial,
    "other": other_injector,
    "homes": homes,
    "hard": hard,
    "history": with_history,
    "step": step,
    "bypass": bypassed,
    "program": as_run,
    "opendsm": opendsm,
}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["quick"], help=f"quick, full, or of {', '.join(PARTS)}")
    parser.add_argument("--report", action="store_true", help="parts by name on the split `report`, not on `tune`")
    options = parser.parse_args()
    run = full() if "full" in options.parts or options.report else quick()
    named = [p for p in options.parts if p in PARTS]
    unknown = [p for p in options.parts if p not in PARTS and p not in ("quick", "full")]
    if unknown:
        parser.error(f"unknown part {unknown[0]}; there are {', '.join(PARTS)}")
    print(f"# Power injection: judged on {', '.join(run.on)}; thresholds of {', '.join(run.setting)}")
    for name in named or [p for p in PARTS if p != "opendsm" or run.with_opendsm]:
        began = time.perf_counter()
        PARTS[name](run)
        print(f"\n<!-- {name}: {time.perf_counter() - began:.0f} s -->", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
