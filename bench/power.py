"""How long mining must be watched until `chain_sync` is sure, per chain and per disguise.

``python bench/power.py [--sessions 200] [--jobs 2] [--docs] [--only NAME;...]``

For each chain and disguise, sessions are drawn (`headframe.simulate.timing`) and handed to the detector's own functions
as captures that end 5, 10, 15, ... minutes after the session began (every 15 minutes after six hours). What counts is
the first of these ends at which ``log10_e >= 6`` against the clock of that chain. A session that does not get there
within its length (24 h for Bitcoin, 6 h for others) never does. At that end, `judge_client` says what the client is.

The same seeds draw the same blocks for all disguises, so columns can be compared row by row. ``--docs`` puts tables
into docs/detectors/chain_sync_power.md and draws docs/img/power-chain_sync.svg; details stay in build/bench/power.json.
"""

import argparse
import json
import multiprocessing
import os
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.network.chain_sync import (
    ChainSyncParameters,
    Subject,
    group_subjects,
    judge_client,
    make_subject,
    measure_all,
)
from headframe.detectors.network.chain_sync.evidence import make_grid, spread_arrivals
from headframe.kernels import chain_sync as kernel
from headframe.kernels.bursts import gather_bursts
from headframe.records.block import BlockClock
from headframe.records.bursts import Bursts
from headframe.records.conversation import Conversation
from headframe.simulate import timing
from headframe.simulate.chains import CHAINS, Chain, draw_blocks
from headframe.simulate.timing import Disguise, Series, TimingHabits
from headframe.sources.chain.chains import chain_of

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
PAGE = ROOT / "docs" / "detectors" / "chain_sync_power.md"
PICTURE = ROOT / "docs" / "img" / "power-chain_sync.svg"

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
GOAL = 6.0
SEED = 20261120
PARAMETERS = ChainSyncParameters()
BEFORE_S = 1800  # blocks and clock begin before the session and end behind it


@dataclass(frozen=True)
class Case:
    """A chain to be measured against, and how its miners speak."""

    symbol: str
    dialect: str
    refresh_s: float
    along: str = ""  # mined along with
    hours: float = 6.0

    def chain(self) -> Chain:
        """As the simulator wants it, with the spacing of the detector's table."""
        known = chain_of(self.symbol)
        drawn = CHAINS.get(self.symbol) or Chain(coin=self.symbol, block_interval_s=known.spacing_s, height=1_500_000)
        return replace(drawn, block_interval_s=known.spacing_s)


CASES = (
    Case("BTC", "stratum-v1", 30, hours=24),
    Case("LTC", "stratum-v1", 30, along="DOGE"),
    Case("DOGE", "stratum-v1", 30, along="LTC"),
    Case("XMR", "cryptonote", 60),
    Case("ERG", "kawpow", 60),
    Case("ZEC", "zcash", 60),
    Case("RVN", "kawpow", 30),
    Case("ETC", "eth-proxy", 60),
)
"""Ergo's messages are of the size of KawPoW's. Of LTC and DOGE the conversation is the same, the clock is not."""


@dataclass(frozen=True)
class Row:
    """A disguise, or another who follows the chain."""

    name: str
    habits: dict[str, object] = field(default_factory=dict)
    disguises: tuple[Disguise, ...] = (timing.as_packets,)
    clock: str = "exact"
    control: Callable[..., Series] | None = None


def _tls(*before: Disguise) -> tuple[Disguise, ...]:
    return (*before, timing.in_tls, timing.as_packets)


PLAIN = (timing.as_packets,)
EVASIONS = (
    Row("nothing hidden"),
    Row("refresh every 10 s", {"refresh_s": 10.0}),
    Row("refresh every 30 s", {"refresh_s": 30.0}),
    Row("refresh every 60 s", {"refresh_s": 60.0}),
    Row("no vardiff: a share a minute", {"vardiff": False, "shares_per_minute": (0.999, 1.001)}),
    Row("keepalives every 10 s", {"keepalive_s": 10.0}),
    Row("TLS", disguises=_tls()),
    Row("TLS, padded to 256 B", disguises=_tls(timing.pad_to_multiple(256))),
    Row("TLS, 0 to 255 B at random", disguises=_tls(timing.pad_at_random(255))),
    Row("TLS, padded to 1,400 B", disguises=_tls(timing.pad_to_multiple(1400))),
    Row("proxy of 100 workers", {"shares_per_minute": (100.0, 300.0), "vardiff": False}),
    Row("tunnel, nothing else in it", disguises=(timing.in_tunnel,)),
    Row("tunnel with web pages", disguises=(timing.in_tunnel, timing.with_web_traffic)),
    Row("tunnel with video", disguises=(timing.in_tunnel, timing.with_video)),
    Row("20 % of packets lost", disguises=(timing.as_packets, timing.lose(0.2))),
    Row("sampled 1:10 at random", disguises=(timing.as_packets, timing.lose(0.9))),
    Row("sampled 1:10, every tenth", disguises=(timing.as_packets, timing.every_nth(10))),
    Row("1 dummy job a minute", {"dummies_per_minute": 1.0}),
    Row("4 dummy jobs a minute", {"dummies_per_minute": 4.0}),
    Row("jobs held back 0 to 10 s", {"held_back_s": 10.0}),
    Row("jobs held back 0 to 30 s", {"held_back_s": 30.0}),
    Row("sensor's clock wrong by 17 s", disguises=(timing.as_packets, timing.move_clock(17.0))),
    Row("block clock in whole seconds", clock="seconds"),
    Row("header times only", clock="header"),
)
CONTROLS = (
    Row("node", control=lambda f, a, b, g: timing.node_peers(f, a, b, g)),
    Row("wallet, asks every 10 s", control=lambda f, a, b, g: timing.wallet_polls(f, 10.0, a, b, g)),
    Row("wallet, asks every 60 s", control=lambda f, a, b, g: timing.wallet_polls(f, 60.0, a, b, g)),
    Row("explorer page", control=lambda f, a, b, g: timing.explorer_page(f, a, b, g)),
    Row("price ticker, each second", control=lambda f, a, b, g: timing.ticker_page(1.0, True, a, b, g)),
    Row("price ticker, at random", control=lambda f, a, b, g: timing.ticker_page(1 / 3, False, a, b, g)),
    Row("miner on other blocks than the clock's", clock="foreign"),
)
ROWS = (*EVASIONS, *CONTROLS)


@dataclass(frozen=True)
class Outcome:
    """What became of one session."""

    minutes: float | None  # to the goal; None where it was not reached
    log10_e: float  # there, or at the end
    client: str  # judged there, or at the end
    stale_share: float


# -- one session -------------------------------------------------------------------------------------------------------


def draw(case: Case, row: Row, number: int) -> tuple[Series, BlockClock, float]:
    """One session with its clock; the blocks depend on chain and number only."""
    chain = case.chain()
    end_ns = START + round(case.hours * 3600 * SECOND)
    symbols = sorted({case.symbol, case.along} - {""})
    found = {}
    for symbol in symbols:
        spacing = replace(chain, block_interval_s=chain_of(symbol).spacing_s)
        drawn = random.Random(f"{SEED} {'+'.join(symbols)} {symbol} {number}")
        blocks = draw_blocks(spacing, START - 2 * BEFORE_S * SECOND, end_ns + 2 * BEFORE_S * SECOND, drawn)
        found[symbol] = np.array([b.time_ns for b in blocks[1:]], dtype=np.int64)
    own = found[case.symbol]
    if row.clock == "foreign":
        drawn = random.Random(f"{SEED} foreign {case.symbol} {number}")
        blocks = draw_blocks(chain, START - 2 * BEFORE_S * SECOND, end_ns + 2 * BEFORE_S * SECOND, drawn)
        own = np.array([b.time_ns for b in blocks[1:]], dtype=np.int64)
    place = [SEED, zlib.crc32("+".join(symbols).encode()), number]
    seen = np.random.default_rng([*place, 1])
    covered = (START - BEFORE_S * SECOND, end_ns + BEFORE_S * SECOND)
    if row.clock == "header":
        # A chain that allows no more than 15 s makes new templates as it goes, and tolerates no bad clock.
        known = chain_of(case.symbol)
        stamped = timing.header_times(
            own,
            seen,
            template_s=min(30.0, known.spacing_s / 4),
            worst_s=min(60.0, known.header_ahead_s or 60.0),
        )
        clock = timing.clock_of(case.symbol, stamped, covered, resolution_ns=SECOND)
    else:
        heard = timing.hear(own, timing.NODE, seen)
        resolution_ns = SECOND if row.clock == "seconds" else 1
        clock = timing.clock_of(case.symbol, heard, covered, resolution_ns=resolution_ns)
    speak = np.random.default_rng([*place, 2])
    stale = 0.0
    if row.control is not None:
        series = row.control(own, START, end_ns, speak)
    else:
        habits = TimingHabits(**{"dialect": case.dialect, "refresh_s": case.refresh_s, **row.habits})  # type: ignore[arg-type]
        # The chain whose jobs the dialect writes is the parent: a merged miner speaks of Litecoin only.
        writer = replace(CHAINS["LTC"], block_interval_s=150) if case.along else chain
        series, stale = timing.mine(writer, [found[s] for s in symbols], habits, START, end_ns, speak)
    hide = np.random.default_rng([*place, 3])
    for disguise in row.disguises:
        series = disguise(series, hide)
    return series, clock, stale


def bursts_of(series: Series) -> list[Bursts]:
    """As a scan would hand them to the detector: one for each connection."""
    found = []
    for number in np.unique(series.connection).tolist():
        mine = series.connection == number
        time_ns, size = series.time_ns[mine], series.size[mine]
        count = gather_bursts(time_ns, size, time_ns, size)
        conversation = Conversation(
            uid=f"C{number}", community_id=f"1:{number}", proto="tcp", orig_h="192.0.2.1", orig_p=0,
            resp_h="198.51.100.1", resp_p=0, started_ns=int(time_ns[0]), ended_ns=int(time_ns[count - 1]),
        )  # fmt: skip
        found.append(Bursts(conversation=conversation, time_ns=time_ns[:count], size=size[:count]))
    return found


def until(bursts: Sequence[Bursts], end_ns: int) -> list[Bursts]:
    """What a capture holds that ends then."""
    cut = []
    for b in bursts:
        n = int(np.searchsorted(b.time_ns, end_ns))
        if n:
            cut.append(replace(b, time_ns=b.time_ns[:n], size=b.size[:n]))
    return cut


def ends_s(case: Case, row: Row) -> list[int]:
    """When the captures end: every 5 minutes, every 15 after six hours; for controls every 30. [s]"""
    last = round(case.hours * 3600)
    if row in CONTROLS:
        return list(range(1800, last + 1, 1800))
    return [*range(300, min(last, 21600) + 1, 300), *range(22500, last + 1, 900)]


def growing(subject: Subject, clock: BlockClock, ends_ns: Sequence[int]) -> Iterator[float]:
    """log10_e of captures that end then, one after the other: each segment is looked at once.

    It differs from looking at each capture afresh only where a segment holds more bursts than the detector takes at a
    time; so what it finds is measured again.
    """
    p = PARAMETERS
    grid, blocks_ns = make_grid(p), spread_arrivals(clock)
    bits = np.empty(len(subject.size), dtype=np.uint8)
    kernel.class_bits(subject.size, subject.reply, -1, p.large_bytes, bits)
    sums = np.zeros((kernel.CLASSES, len(grid.windows_ns), len(grid.shares), grid.offsets))
    segment_ns = round(p.segment_s * SECOND)

    def take(start_ns: int, stop_ns: int, into: NDArray[np.float64]) -> None:
        part = slice(*np.searchsorted(subject.time_ns, [start_ns, stop_ns]))
        kernel.add_conversation(
            subject.time_ns[part], bits[part], start_ns, stop_ns, blocks_ns, clock.covered, grid, segment_ns,
            p.most_pushes, into,
        )  # fmt: skip

    spans = [(int(start), int(stop)) for start, stop in subject.spans_ns]
    begin, watched_ns = spans[0][0], 0
    for end_ns in ends_ns:
        seen = int(np.searchsorted(subject.time_ns, end_ns))
        last_ns = int(subject.time_ns[seen - 1]) + 1 if seen else 0
        while spans:
            stop = min(begin + segment_ns, spans[0][1])
            if stop > last_ns:
                break
            take(begin, stop, sums)
            watched_ns += stop - begin
            if stop == spans[0][1]:
                del spans[0]
                begin = spans[0][0] if spans else stop
            else:
                begin = stop
        open_ns = last_ns - begin if spans else 0
        if watched_ns + max(open_ns, 0) < p.shortest_s * SECOND:
            yield np.nan
            continue
        now = sums
        if open_ns > 0:
            now = sums.copy()
            take(begin, last_ns, now)
        yield float(kernel.log_mixture(now, grid.offset_weights)) / np.log(10.0) + np.log10(1.0 - p.hour_weight)


def run(case: Case, row: Row, number: int) -> Outcome:
    """Watch one session until the detector is sure, or to its end."""
    series, clock, stale = draw(case, row, number)
    bursts = bursts_of(series)
    moved_ns = 17 * SECOND if "17 s" in row.name else 0  # time as the sensor has it
    ends_ns = [START + moved_ns + at_s * SECOND for at_s in ends_s(case, row)]
    whole = make_subject(bursts)
    for end_ns, value in zip(ends_ns, growing(whole, clock, ends_ns), strict=True):
        if value >= GOAL or end_ns == ends_ns[-1]:
            for subject in group_subjects(until(bursts, end_ns), PARAMETERS):
                log10_e = float(measure_all([subject], [clock], PARAMETERS)[0, 0])
                client = str(judge_client(subject, -1, blocks_in(subject, clock)).client)
                if log10_e >= GOAL:
                    return Outcome((end_ns - moved_ns - START) / SECOND / 60, log10_e, client, stale)
                if end_ns == ends_ns[-1]:
                    return Outcome(None, log10_e, client, stale)
    return Outcome(None, 0.0, "too little seen", stale)


def blocks_in(subject: Subject, clock: BlockClock) -> int:
    """Blocks while a subject was watched."""
    return sum(
        int(np.searchsorted(clock.arrival_ns, end) - np.searchsorted(clock.arrival_ns, start))
        for start, end in subject.spans_ns.tolist()
    )


def judge(case: Case, row: Row, number: int, found: Outcome) -> Outcome:
    """The same session judged again, by a rule that has changed since."""
    series, clock, _ = draw(case, row, number)
    moved_ns = 17 * SECOND if "17 s" in row.name else 0
    end_s = found.minutes * 60 if found.minutes is not None else case.hours * 3600
    for subject in group_subjects(until(bursts_of(series), START + moved_ns + round(end_s) * SECOND), PARAMETERS):
        return replace(found, client=str(judge_client(subject, -1, blocks_in(subject, clock)).client))
    return replace(found, client="too little seen")


def judge_many(task: tuple[int, int, int, list[Outcome]]) -> list[Outcome]:
    """Some sessions of one chain and row, judged again."""
    case, row, first, found = task
    return [judge(CASES[case], ROWS[row], first + k, outcome) for k, outcome in enumerate(found)]


def run_many(task: tuple[int, int, int, int]) -> list[Outcome]:
    """Some sessions of one chain and row."""
    case, row, first, last = task
    return [run(CASES[case], ROWS[row], number) for number in range(first, last)]


# -- the campaign ------------------------------------------------------------------------------------------------------

Results = dict[tuple[str, str], list[Outcome]]


def campaign(sessions: int, jobs: int, only: Sequence[str]) -> Results:
    """All chains and rows."""
    part = 50
    chains = {word for word in only if word in {c.symbol for c in CASES}}
    rows = set(only) - chains
    tasks = [
        (c, r, first, min(first + part, sessions))
        for c in range(len(CASES))
        for r in range(len(ROWS))
        for first in range(0, sessions, part)
        if (not rows or ROWS[r].name in rows) and (not chains or CASES[c].symbol in chains)
    ]
    os.nice(1)
    results: Results = {}
    began = time.monotonic()
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        for done, (task, outcomes) in enumerate(zip(tasks, pool.imap(run_many, tasks), strict=True), 1):
            results.setdefault((CASES[task[0]].symbol, ROWS[task[1]].name), []).extend(outcomes)
            if done % 40 == 0:
                print(f"{done}/{len(tasks)} {time.monotonic() - began:.0f} s", flush=True)
    return results


def judged_again(results: Results, jobs: int) -> Results:
    """All sessions with the clients as they are judged now."""
    tasks = [(c, r, 0, results[case.symbol, row.name]) for c, case in enumerate(CASES) for r, row in enumerate(ROWS)]
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        found = pool.map(judge_many, tasks, chunksize=1)
    return {(CASES[c].symbol, ROWS[r].name): new for (c, r, _, _), new in zip(tasks, found, strict=True)}


def cell(outcomes: Sequence[Outcome]) -> tuple[float, float, float]:
    """Median and 90th percentile of the minutes (infinite where fewer get there), and the share that never does."""
    minutes = sorted(np.inf if o.minutes is None else o.minutes for o in outcomes)
    median, ninety = (minutes[int(np.ceil(q * len(minutes))) - 1] for q in (0.5, 0.9))
    return median, ninety, sum(o.minutes is None for o in outcomes) / len(outcomes)


def _minutes(value: float) -> str:
    return "never" if value == np.inf else f"{value:.0f}"


def power_table(results: Results) -> str:
    """Markdown: minutes per chain and disguise."""
    head = " | ".join(f"{c.symbol}" for c in CASES)
    lines = [f"| disguise | {head} |", "|---|" + "--:|" * len(CASES)]
    for row in EVASIONS:
        cells = []
        for case in CASES:
            median, ninety, never = cell(results[case.symbol, row.name])
            if never == 1.0:
                cells.append("never")
            else:
                cells.append(f"{_minutes(median)} / {_minutes(ninety)}" + (f" ({never:.1%})" if never else ""))
        lines.append(f"| {row.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def client_table(results: Results) -> str:
    """Markdown: what the client is taken for, Zcash apart."""
    others = [c.symbol for c in CASES if c.symbol != "ZEC"]
    lines = [
        "| disguise | miner | node | listener | poller | too little seen | ZEC: miner |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in EVASIONS:
        counts = Counter(o.client for symbol in others for o in results[symbol, row.name])
        zec = Counter(o.client for o in results["ZEC", row.name])
        total = counts.total()
        kinds = ("miner", "node", "listener", "poller", "too little seen")
        cells = [f"{counts[k] / total:.1%}" if counts[k] else "" for k in kinds]
        lines.append(f"| {row.name} | " + " | ".join(cells) + f" | {zec['miner'] / zec.total():.1%} |")
    return "\n".join(lines)


def control_table(results: Results) -> str:
    """Markdown: others who follow a chain, and those who do not."""
    lines = [
        "| control | reach the goal | median log10_e at the end or goal | mean E at the end | "
        "highest log10_e | judged |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for row in CONTROLS:
        outcomes = [o for case in CASES for o in results[case.symbol, row.name]]
        reached = sum(o.minutes is not None for o in outcomes) / len(outcomes)
        values = np.array([o.log10_e for o in outcomes])
        mean = f"{np.mean(10.0**values):.3f}" if values.max() < GOAL else ""
        kinds = Counter(o.client for o in outcomes).most_common()
        words = ", ".join(f"{kind} {count / len(outcomes):.1%}" for kind, count in kinds)
        lines.append(
            f"| {row.name} | {reached:.1%} | {np.median(values):.1f} | {mean} | {values.max():.1f} | {words} |"
        )
    return "\n".join(lines)


def cost_table(results: Results) -> str:
    """Markdown: what waiting costs the miner."""
    rows = [row for row in EVASIONS if row.habits.get("held_back_s")]
    lines = ["| disguise | " + " | ".join(c.symbol for c in CASES) + " |", "|---|" + "--:|" * len(CASES)]
    for row in rows:
        shares = [np.mean([o.stale_share for o in results[c.symbol, row.name]]) for c in CASES]
        lines.append(f"| {row.name} | " + " | ".join(f"{s:.1%}" for s in shares) + " |")
    return "\n".join(lines)


# -- the picture -------------------------------------------------------------------------------------------------------

COLOURS = {
    "BTC": "#d9822b", "LTC": "#7d8ea6", "DOGE": "#b8952e", "XMR": "#e5484d",
    "ERG": "#a855c8", "ZEC": "#2f9e6e", "RVN": "#3b82d6", "ETC": "#12a5a5",
}  # fmt: skip
LEFT, RIGHT, TOP, ROW_HEIGHT = 216.0, 92.0, 62.0, 28.0
WIDTH = 900.0
LOW, HIGH = 5.0, 1440.0
TICKS = ((5, "5 min"), (10, "10"), (20, "20"), (60, "1 h"), (120, "2 h"), (360, "6 h"), (720, "12 h"), (1440, "24 h"))


def picture(results: Results) -> str:
    """SVG: a row for each disguise, a dot for each chain's median, a line from there to the 90th percentile.

    Colours are of middle brightness and the ground is empty: it reads on light and on dark pages.
    """
    span = WIDTH - LEFT - RIGHT
    bottom = TOP + ROW_HEIGHT * len(EVASIONS)

    def x(minutes: float) -> float:
        if minutes == np.inf:
            return WIDTH - 34.0
        return LEFT + span * float(np.log(minutes / LOW) / np.log(HIGH / LOW))

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {bottom + 44:.0f}" role="img" '
        'font-family="sans-serif" font-size="13" fill="#7d8896">',
        "<title>Minutes until chain_sync is sure, per disguise and chain</title>",
        f'<text x="4" y="16">Time until log10 E = {GOAL:.0f}: dot = median, line to the 90th percentile</text>',
    ]
    for k, case in enumerate(CASES):
        at = LEFT + k * 80
        lines.append(
            f'<circle cx="{at + 4:.0f}" cy="34" r="4.5" fill="{COLOURS[case.symbol]}"/>'
            f'<text x="{at + 13:.0f}" y="38">{case.symbol}</text>'
        )
    for minutes, label in TICKS:
        at = x(minutes)
        lines.append(
            f'<path d="M{at:.1f} {TOP:.0f}V{bottom:.0f}" stroke="#7d8896" stroke-opacity=".25"/>'
            f'<text x="{at:.1f}" y="{bottom + 18:.0f}" text-anchor="middle">{label}</text>'
        )
    lines.append(
        f'<text x="{x(np.inf):.0f}" y="{bottom + 18:.0f}" text-anchor="middle">never</text>'
        f'<text x="4" y="{bottom + 38:.0f}">never: at least half of the sessions ended first, '
        "after 6 h (BTC: 24 h). Hollow dots.</text>"
    )
    for r, row in enumerate(EVASIONS):
        top = TOP + ROW_HEIGHT * r
        if r % 2 == 0:
            lines.append(
                f'<rect x="0" y="{top:.0f}" width="{WIDTH:.0f}" height="{ROW_HEIGHT:.0f}" fill="#7d8896" '
                'fill-opacity=".07"/>'
            )
        lines.append(f'<text x="4" y="{top + ROW_HEIGHT / 2 + 4.5:.1f}">{row.name}</text>')
        for k, case in enumerate(CASES):
            colour = COLOURS[case.symbol]
            median, ninety, never = cell(results[case.symbol, row.name])
            y = top + 3 + (ROW_HEIGHT - 6) * (k + 0.5) / len(CASES)
            words = f"{case.symbol}, {row.name}: median {_minutes(median)}, 90 % {_minutes(ninety)}, never {never:.1%}"
            if median == np.inf:
                at = x(np.inf) + (k - 3.5) * 6
                lines.append(
                    f'<circle cx="{at:.1f}" cy="{y:.1f}" r="3" fill="none" stroke="{colour}" stroke-width="1.5">'
                    f"<title>{words}</title></circle>"
                )
                continue
            limit = min(case.hours * 60, HIGH) if ninety == np.inf else ninety
            dash = ' stroke-dasharray="3 3"' if ninety == np.inf else ""
            lines.append(
                f'<path d="M{x(median):.1f} {y:.1f}H{x(limit):.1f}" stroke="{colour}" stroke-width="1.3"{dash}/>'
                f'<circle cx="{x(median):.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"><title>{words}</title></circle>'
            )
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def fill(page: str, name: str, table: str) -> str:
    """The page with a table between its markers."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{PAGE.name} must hold the markers {begin} and {end}")
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def write(place: Path, results: Results) -> None:
    """Keep what was measured."""
    place.parent.mkdir(parents=True, exist_ok=True)
    facts = {"|".join(key): [vars(o) for o in found] for key, found in results.items()}
    place.write_text(json.dumps(facts), encoding="utf-8")


def main() -> None:
    """Run the campaign, print the tables."""
    global PARAMETERS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=200, help="for each chain and row")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", default="", help="names of rows, or symbols of chains, semicolon between")
    parser.add_argument("--windows", help="other windows for the detector, to try them, as 1,2,4 [s]")
    parser.add_argument("--shares", help="other shares of blocks, as 0.3,0.6,0.9")
    parser.add_argument("--docs", action="store_true", help="put tables and picture into docs")
    parser.add_argument("--again", action="store_true", help="tables and picture from build/bench/power.json")
    parser.add_argument("--judge", action="store_true", help="the same with the clients judged again")
    options = parser.parse_args()
    place = BUILD / "power.json"
    if (options.windows or options.shares) and not options.only:
        parser.error("--windows and --shares are for trials: say with --only on what")
    if options.windows:
        PARAMETERS = replace(PARAMETERS, windows_s=tuple(float(w) for w in options.windows.split(",")))
    if options.shares:
        PARAMETERS = replace(PARAMETERS, shares=tuple(float(w) for w in options.shares.split(",")))
    if options.again or options.judge:
        kept = json.loads(place.read_text(encoding="utf-8"))
        results = {tuple(key.split("|")): [Outcome(**o) for o in found] for key, found in kept.items()}
        if options.judge:
            results = judged_again(results, options.jobs)
            write(place, results)
    else:
        began = time.monotonic()
        only = [word.strip() for word in options.only.split(";") if word.strip()]
        results = campaign(options.sessions, options.jobs, only)
        print(f"{sum(map(len, results.values())):,} sessions in {time.monotonic() - began:.0f} s")
        if only:
            for (symbol, name), outcomes in results.items():
                median, ninety, never = cell(outcomes)
                kinds = dict(Counter(o.client for o in outcomes))
                e = np.median([o.log10_e for o in outcomes])
                print(f"{symbol:5} {name:32} {_minutes(median):>6} {_minutes(ninety):>6} {never:5.1%} {e:6.1f} {kinds}")
            return
        write(place, results)
    tables = {
        "power": power_table(results),
        "clients": client_table(results),
        "controls": control_table(results),
        "cost": cost_table(results),
    }
    for name, table in tables.items():
        print(f"### {name}\n\n{table}\n")
    if options.docs:
        page = PAGE.read_text(encoding="utf-8")
        for name, table in tables.items():
            page = fill(page, name, table)
        PAGE.write_text(page, encoding="utf-8")
        PICTURE.write_text(picture(results), encoding="utf-8")


if __name__ == "__main__":
    main()
