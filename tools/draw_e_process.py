"""Draw docs/img/e_process.svg: an e-process of conversations that know nothing of a chain, and of some that follow it.

Run it again after a change, from the project's folder: ``python tools/draw_e_process.py``. The seed is fixed, so the
same code gives the same picture. Colours are of middle brightness and the ground is empty: it reads on light and on
dark pages.
"""

import math
import random
import sys
from pathlib import Path

import numpy as np

from headframe.evidence.evalue import mixture, running_product

BLOCKS = 30
CHANCE = 0.2  # part of the time from which the next packet is near: an innocent block is a hit so often
MINING = 0.8  # how often a miner's pool pushes in time
STAKED_ON = (0.3, 0.5, 0.7, 0.9)  # hit rates that share the stake evenly
DRAWN, COUNTED, MINERS = 100, 10_000, 4
LEVELS = {2.0: "E = 100: one innocent in a hundred, ever", 6.0: "E = 1,000,000: one in a million"}

LEFT, TOP, WIDTH, HEIGHT = 62.0, 34.0, 640.0, 330.0
LOW, HIGH = -2.0, 10.0


def processes(generator: random.Random, count: int, hit_rate: float) -> np.ndarray:
    """log10 of the stake after each block, float64[count, BLOCKS + 1]: the mixture over what the bet was on."""
    hits = np.array([[generator.random() < hit_rate for _ in range(BLOCKS)] for _ in range(count)])
    parts = [
        running_product(np.where(hits, math.log10(q / CHANCE), math.log10((1 - q) / (1 - CHANCE)))) for q in STAKED_ON
    ]
    return np.concatenate([np.zeros((count, 1)), mixture(np.stack(parts, axis=-1))], axis=1)


def x_of(block: float) -> float:
    return LEFT + WIDTH * block / BLOCKS


def y_of(log10_e: float) -> float:
    return TOP + HEIGHT * (HIGH - log10_e) / (HIGH - LOW)


def path(process: np.ndarray) -> str:
    points = [(k, v) for k, v in enumerate(process.tolist()) if v <= HIGH]
    points = points[: next((i for i, (k, _) in enumerate(points) if k != i), len(points))]  # up to where it leaves
    return "M" + "L".join(f"{x_of(k):.0f} {y_of(max(v, LOW)):.1f}" for k, v in points)


def picture() -> str:
    innocent = processes(random.Random(20), COUNTED, CHANCE)
    miners = processes(random.Random(7), MINERS, MINING)
    reached = int(np.count_nonzero(innocent.max(axis=1) >= 2.0))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 18:.0f} {TOP + HEIGHT + 78:.0f}" '
        'role="img" font-family="sans-serif" font-size="13" fill="#7d8896">',
        "<title>An e-process under innocence and under mining</title>",
    ]
    for level in range(int(LOW), int(HIGH) + 1, 2):
        y = y_of(level)
        lines.append(
            f'<path d="M{LEFT:.0f} {y:.1f}H{LEFT + WIDTH:.0f}" stroke="#7d8896" stroke-opacity=".25"/>'
            f'<text x="{LEFT - 8:.0f}" y="{y + 4:.1f}" text-anchor="end">{level}</text>'
        )
    lines.append('<g fill="none" stroke="#4c8bd9" stroke-opacity=".4">')
    lines += [f'<path d="{path(process)}"/>' for process in innocent[:DRAWN]]
    lines.append('</g><g fill="none" stroke="#e8590c" stroke-width="2">')
    lines += [f'<path d="{path(process)}"/>' for process in miners]
    lines.append("</g>")
    for level, words in LEVELS.items():  # the words stand where no miner's line runs
        x, anchor = (LEFT + 4, "start") if level > 4 else (LEFT + WIDTH, "end")
        lines.append(
            f'<path d="M{LEFT:.0f} {y_of(level):.1f}H{LEFT + WIDTH:.0f}" stroke="#c2407a" stroke-dasharray="6 4"/>'
            f'<text x="{x:.0f}" y="{y_of(level) - 6:.1f}" text-anchor="{anchor}" fill="#c2407a">{words}</text>'
        )
    for block in range(0, BLOCKS + 1, 5):
        lines.append(f'<text x="{x_of(block):.0f}" y="{TOP + HEIGHT + 18:.0f}" text-anchor="middle">{block}</text>')
    lines += [
        f'<text x="{LEFT + WIDTH:.0f}" y="{TOP + HEIGHT + 36:.0f}" text-anchor="end">blocks seen</text>',
        f'<text x="{LEFT - 48:.0f}" y="{TOP - 18:.0f}">log10 E</text>',
        f'<text x="{LEFT:.0f}" y="{TOP + HEIGHT + 40:.0f}" fill="#e8590c">{MINERS} miners</text>',
        f'<text x="{LEFT + 80:.0f}" y="{TOP + HEIGHT + 40:.0f}" fill="#4c8bd9">{DRAWN} innocent conversations</text>',
        f'<text x="{LEFT:.0f}" y="{TOP + HEIGHT + 62:.0f}">Of {COUNTED:,} innocent ones, {reached} reached E = 100 '
        f"at some block; the bound is {COUNTED // 100}.</text>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "img" / "e_process.svg")
    target.write_text(picture(), encoding="utf-8")
    print(f"Wrote {target}")
