"""Timing evidence on real traffic: what it finds, what it never says, and beside MineHunter.

``python bench/timing.py [captures] [null] [peer] [malware] [speed] [--trials 1000] [--data ../shared/data]``

- ``captures``: ``app.scan`` with ``content_blind`` over each capture of cj-sniffer. Monero's clock is the pool's; the
  same with the heights that only this capture told left out; Bitcoin's is that of a node in 2023, moved by whole days
  to the time of the capture; Ethereum's is drawn (Poisson, 13.2 s), for want of a real one of that time.
- ``null``: every independent series at hand of ten minutes and more, against real block series that were moved to it
  at random.
- ``peer``: the same with a twentieth of the trials, and MineHunter's score on them: how many miners each finds at the
  same measured rate of false alarms.
- ``malware``: what ten minutes can show: real miners cut into pieces of ten minutes, and the mining malware of ifip119.
- ``speed``: a million conversations of 100 packets against five chains.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
import minehunter
from series import Series, benign_series, ifip119_series, main_series, mining_series

from headframe import app
from headframe.detectors.network.chain_sync import ChainSyncParameters, group_subjects, make_subject, measure_all
from headframe.detectors.network.chain_sync.evidence import Subject, make_grid, spread_arrivals
from headframe.kernels import bursts as burst_kernels
from headframe.kernels import chain_sync as kernel
from headframe.records.block import BlockClock
from headframe.records.bursts import Bursts
from headframe.sources.chain.files import read_blocks
from headframe.sources.chain.reconcile import reconcile, without_heights

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
S = 1_000_000_000
DAY_NS = 86_400 * S
LN10 = math.log(10.0)
LONG_S = 15 * 60.0


def clock_of(path: Path) -> BlockClock:
    """The clock that a file makes."""
    return reconcile(read_blocks(path).series).clock


def moved(clock: BlockClock, by_ns: int) -> BlockClock:
    """The same blocks at another time."""
    return replace(clock, arrival_ns=clock.arrival_ns + by_ns, covered=clock.covered + by_ns)


def drawn(chain: str, spacing_s: float, start_ns: int, end_ns: int, seed: int) -> BlockClock:
    """A Poisson clock over a stretch of time."""
    rng = np.random.default_rng(seed)
    count = rng.poisson((end_ns - start_ns) / S / spacing_s)
    times = np.sort(rng.integers(start_ns, end_ns, count))
    return BlockClock(
        chain=chain, arrival_ns=times, heights=np.arange(count, dtype=np.int64), resolution_ns=1,
        covered=np.array([[start_ns, end_ns]]), sources=("drawn",),
    )  # fmt: skip


def bursts_of(series: Series) -> Bursts:
    """What a scan would keep of a series."""
    time_ns, size = series.times_ns.copy(), series.signed_sizes.copy()
    count = int(burst_kernels.gather_bursts(time_ns, size, time_ns, size))
    return Bursts(conversation=series.conversation, time_ns=time_ns[:count].copy(), size=size[:count].copy())


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)


# -- captures ----------------------------------------------------------------------------------------------------------


def captures(data: Path) -> None:
    """Every capture, blind to content, against its own chain's clock and against others."""
    blocks = data / "network" / "blocks"
    pool_file = blocks / "clock_xmr_pool.csv"
    bitcoin = clock_of(blocks / "clock_btc_node_2023.csv.gz")
    rows = []
    for path in sorted((data / "network" / "pcap_mining" / "cj-sniffer").glob("*.pcap")):
        options = app.ScanOptions(clocks=(pool_file,), content_blind=True, builtin_indicators=False)
        found, hours = best(path, options), ""
        if found is None:
            found, hours = best(path, replace(options, any_hour=True)), "any hour"
        coins = "" if found is None else " ".join(found.coins)
        e = "" if found is None else f"{found.log10_e:.1f}"
        sync = None if found is None else found.block_sync
        series = [s for s in mining_series(data) if s.capture == path.stem and not s.label.endswith("host")]
        subjects = group_subjects([bursts_of(s) for s in series if s.label == "mining"], ChainSyncParameters())
        watched = max((s.watched_ns for s in subjects), default=0) / 60e9
        alone = others(subjects, pool_file)
        # Any whole number of days at which Bitcoin's clock knows the whole capture.
        middle = int((bitcoin.covered[0, 0] + bitcoin.covered[-1, 1]) // 2)
        first, last = min(int(s.spans_ns[0, 0]) for s in subjects), max(int(s.spans_ns[-1, 1]) for s in subjects)
        wrong = [
            moved(bitcoin, (first - middle) // DAY_NS * DAY_NS),
            drawn("ETH", 13.2, first - DAY_NS, last + DAY_NS, int(path.stem[:10])),
        ]
        claims = np.nanmax(measure_all(subjects, wrong, ChainSyncParameters(any_hour=bool(hours))), axis=0)
        rows.append(
            (
                path.stem, series[0].coin if series else "", f"{watched:.0f}", e, coins, hours,
                "" if sync is None else f"{sync.hits}/{sync.blocks}",
                "" if sync is None else f"{sync.offset_s.estimate:+g}", alone, *(f"{c:.1f}" for c in claims),
            )
        )  # fmt: skip
        print(path.stem, *rows[-1][1:], file=sys.stderr, flush=True)
    table(
        ["capture", "label", "min", "log10 E", "coin", "", "hits", "offset [s]", "without own heights", "BTC", "ETH"],
        rows,
    )


def best(path: Path, options: app.ScanOptions):  # type: ignore[no-untyped-def]
    """The strongest timing finding of a capture, or None."""
    timing = [f for f in app.scan([str(path)], options).findings if f.detector == "chain_sync"]
    return max(timing, key=lambda f: f.log10_e, default=None)


def others(subjects: list[Subject], pool_file: Path) -> str:
    """Evidence by a clock without the heights that only this capture told; empty where too few are left."""
    left = without_heights(clock_of(pool_file), lonely_heights(pool_file))
    e = measure_all(subjects, [left], ChainSyncParameters())
    if np.isnan(e).all():
        return ""
    row = int(np.nanargmax(e[:, 0]))
    start, end = int(subjects[row].spans_ns[0, 0]), int(subjects[row].spans_ns[-1, 1])
    known = int(((left.arrival_ns >= start) & (left.arrival_ns < end)).sum())
    return f"{e[row, 0]:.1f} ({known} blocks)"


def lonely_heights(pool_file: Path) -> list[int]:
    """Heights that one capture alone told."""
    lines = pool_file.read_text(encoding="utf-8").splitlines()[1:]
    return [int(line.split(",")[1]) for line in lines if int(line.split(",")[4]) < 2]


# -- null --------------------------------------------------------------------------------------------------------------


def null(data: Path, trials: int) -> None:
    """Innocent series against real block series at random places; then MineHunter on the same."""
    blocks = data / "network" / "blocks"
    clocks = {
        "XMR node 2020": clock_of(blocks / "clock_xmr_node_2020.csv.gz"),
        "BTC node 2023": clock_of(blocks / "clock_btc_node_2023.csv.gz"),
    }
    parameters = ChainSyncParameters()
    innocent = [s for s in benign_series(600.0, data) if s.label in minehunter.INDEPENDENT]
    groups = {
        "benign conversations": [s for s in innocent if s.label == "benign"],
        "streams in bins of 1 s": [s for s in innocent if s.label == "binned"],
        "mixed": [s for s in innocent if s.label == "mixed"],
        "flow records": [s for s in innocent if s.label == "records"],
        "nodes": [s for s in benign_series(600.0, data) if s.label == "node"],
        "miners, at another time": list(main_series(mining_series(data)).values()),
    }
    everything: list[NDArray[np.float64]] = []
    rows = []
    for place, (group, members) in enumerate(groups.items()):
        for clock_name, clock in clocks.items():
            # The few conversations with packets are tried more often, so that every group weighs in.
            each = trials if len(members) > 500 else 10 * trials
            with ThreadPoolExecutor(2) as pool:
                jobs = [
                    pool.submit(null_trials, s, clock, each, parameters, (place, k, int(clock.heights[0])))
                    for k, s in enumerate(members)
                ]
                results = [job.result() for job in jobs]
            log10_e = np.concatenate([r for r in results if len(r)]) if results else np.zeros(0)
            everything.append(log10_e)
            rows.append((group, clock_name, sum(len(r) > 0 for r in results), *null_row(results)))
            print(*rows[-1], file=sys.stderr, flush=True)
    rows.append(("all", "", "", *null_row(everything)))
    table(
        [
            "series",
            "clock",
            "n",
            "trials",
            "mean E",
            "s.e.",
            "largest",
            *(f"P(E>=10^{k}) x 10^{k}" for k in (1, 2, 3, 4)),
        ],
        rows,
    )


def null_row(results: Sequence[NDArray[np.float64]]) -> tuple[str, ...]:
    """Figures of a set of trials; the standard error is over series, whose trials are not independent."""
    log10_e = np.concatenate([r for r in results if len(r)])
    e = 10.0**log10_e
    means = np.array([float((10.0**r).mean()) for r in results if len(r)])
    error = float(means.std(ddof=1) / math.sqrt(len(means))) if len(means) > 1 else float("nan")
    return (
        f"{len(e):,}", f"{e.mean():.3f}", f"{error:.3f}", f"10^{log10_e.max():.1f}",
        *(f"{(log10_e >= k).mean() * 10**k:.4f}" for k in (1, 2, 3, 4)),
    )  # fmt: skip


def places(rng: np.random.Generator, clock: BlockClock, watched_ns: int, count: int) -> NDArray[np.int64]:
    """Random starts at which the clock knows all blocks of a stretch that long. [ns]"""
    room = clock.covered[:, 1] - clock.covered[:, 0] - watched_ns - 120 * S
    fits = np.flatnonzero(room > 0)
    if not len(fits):
        return np.zeros(0, dtype=np.int64)
    chosen = rng.choice(fits, count, p=room[fits] / room[fits].sum())
    return clock.covered[chosen, 0] + 60 * S + (rng.random(count) * room[chosen]).astype(np.int64)


def null_trials(
    series: Series, clock: BlockClock, count: int, parameters: ChainSyncParameters, seed: tuple[int, ...]
) -> NDArray[np.float64]:
    """log10 of the e-value of one series at random places of a clock that knows nothing of it."""
    rng = np.random.default_rng(seed)
    bursts = bursts_of(series)
    if len(bursts.time_ns) < 2:
        return np.zeros(0)
    subject = make_subject([bursts])
    if max((subject.size < 0).sum(), (subject.size > 0).sum()) < parameters.fewest_pushes:
        return np.zeros(0)
    span = int(subject.spans_ns[0, 1] - subject.spans_ns[0, 0])
    starts = places(rng, clock, span, count)
    if not len(starts):
        return np.zeros(0)
    bits = np.empty(len(subject.size), dtype=np.uint8)
    kernel.class_bits(subject.size, subject.reply, -1, parameters.large_bytes, bits)
    grid = make_grid(parameters)
    arrivals = spread_arrivals(clock)
    out = []
    relative = subject.time_ns - subject.spans_ns[0, 0]
    for begin in range(0, len(starts), 200):
        part = starts[begin : begin + 200]
        times = (relative[None] + part[:, None]).ravel()
        spans = np.stack([part, part + span], axis=1)
        log_e, watched = np.zeros(len(part)), np.zeros(len(part), dtype=np.int64)
        kernel.measure_many(
            times, np.tile(bits, len(part)), np.arange(len(part) + 1) * len(bits), spans, np.arange(len(part) + 1),
            arrivals, clock.covered, grid, round(parameters.segment_s * S), parameters.most_pushes, log_e, watched,
        )  # fmt: skip
        out.append(log_e)
    return np.concatenate(out) / LN10 + math.log10(1.0 - parameters.hour_weight)


class Hunt(NamedTuple):
    """How MineHunter's score is taken."""

    window: int | None
    least_bytes: int
    offsets_s: NDArray[np.float64]


def side_by_side(data: Path, trials: int) -> None:
    """Miners found at equal measured rates of false alarms, beside MineHunter."""
    clock = clock_of(data / "network" / "blocks" / "clock_xmr_node_2020.csv.gz")
    innocent = [s for s in benign_series(600.0, data) if s.label in minehunter.INDEPENDENT]
    parameters = ChainSyncParameters()
    miners = [s for s in main_series(mining_series(data)).values() if s.coin == "xmr" and s.duration_s >= LONG_S]
    own = clock_of(data / "network" / "blocks" / "clock_xmr_pool.csv")
    wide = np.arange(-20.0, 20.5, 0.5)
    settings = {
        "MineHunter, as published": Hunt(None, 1, np.zeros(1)),
        "MineHunter, offsets to 20 s": Hunt(None, 1, wide),
        "MineHunter, 10 blocks, 200 B, 20 s": Hunt(10, 200, wide),
    }
    few = max(1, trials // 20)
    columns: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    positive = [
        float(np.nanmax(measure_all([make_subject([bursts_of(s)])], [own], ChainSyncParameters(any_hour=True))))
        for s in miners
    ]
    scored = []
    for k, s in enumerate(innocent):
        e = null_trials(s, clock, few, parameters, (99, k))
        scored.append(e if len(e) else np.zeros(few))
    columns["chain_sync"] = (np.array(positive), np.concatenate(scored))
    for name, given in settings.items():
        mine = []
        for s in miners:
            shift = 25_200.0 if s.capture.startswith("1618550187") else 0.0  # told to the peer, which cannot find it
            mine.append(hunt(s, own.arrival_ns / S + shift, given))
        theirs = []
        for k, s in enumerate(innocent):
            rng = np.random.default_rng((99, k))
            span = int(s.times_ns[-1] - s.times_ns[0]) if len(s.times_ns) else 0
            starts = places(rng, clock, span, few) if span else np.zeros(0, dtype=np.int64)
            for start in starts.tolist():
                shift = (start - int(s.times_ns[0])) / S
                low, high = np.searchsorted(clock.arrival_ns, [start - 3600 * S, start + span + 3600 * S])
                theirs.append(hunt(s, clock.arrival_ns[low:high] / S - shift, given))
            theirs += [0.0] * (few - len(starts))
        columns[name] = (np.array(mine), np.array(theirs))
        print(name, "done", file=sys.stderr, flush=True)
    rates = (1e-2, 1e-3, 1e-4, 1 / (few * len(innocent)))
    rows = []
    for name, (mine, theirs) in columns.items():
        cells = []
        for rate in rates:
            threshold = np.sort(theirs)[::-1][max(0, math.ceil(rate * len(theirs)) - 1)]
            cells.append(f"{int((mine > threshold).sum())}/{len(mine)}")
        rows.append((name, f"{len(theirs):,}", *cells))
    table(["", "innocent trials", *(f"found at {rate:.2g}" for rate in rates)], rows)


def hunt(s: Series, block_times_s: NDArray[np.float64], given: Hunt) -> float:
    """MineHunter's score of one series."""
    return minehunter.score_over_offsets(
        s.times_ns / S, block_times_s, s.signed_sizes, offsets_s=given.offsets_s,
        window=given.window, least_bytes=given.least_bytes,
    )  # fmt: skip


# -- ten minutes -------------------------------------------------------------------------------------------------------


def malware(data: Path) -> None:
    """What ten minutes can show, with a clock and without."""
    own = clock_of(data / "network" / "blocks" / "clock_xmr_pool.csv")
    parameters = replace(ChainSyncParameters(), shortest_s=240.0)
    subjects = []
    for s in main_series(mining_series(data)).values():
        if s.coin != "xmr" or s.capture.startswith("1618550187"):
            continue
        bursts = bursts_of(s)
        start = int(bursts.time_ns[0])
        for begin in range(start, int(bursts.time_ns[-1]) - 600 * S, 600 * S):
            inside = (bursts.time_ns >= begin) & (bursts.time_ns < begin + 600 * S)
            if inside.sum() > 3:
                subjects.append(
                    make_subject([replace(bursts, time_ns=bursts.time_ns[inside], size=bursts.size[inside])])
                )
    e = measure_all(subjects, [own], parameters)[:, 0]
    e = e[~np.isnan(e)]
    table(
        ["real miners, pieces of ten minutes", "median log10 E", "E >= 100", "E >= 10^6"],
        [(len(e), f"{np.median(e):.1f}", f"{(e >= 2).mean():.0%}", f"{(e >= 6).mean():.0%}")],
    )
    rows = []
    for s in ifip119_series(data):
        if s.label != "mining":
            continue
        bursts = bursts_of(s)
        subject = make_subject([bursts])
        server = subject.size < 0
        rows.append(
            (
                s.capture[:12], s.conversation.resp_h, f"{s.duration_s:.0f}", int(server.sum()),
                int((server & ~subject.reply).sum()), int((subject.size > 0).sum()),
            )
        )  # fmt: skip
    table(["ifip119 sample", "server", "seconds", "server bursts", "unasked", "client bursts"], rows)


# -- speed -------------------------------------------------------------------------------------------------------------


def speed() -> None:
    """A million conversations of 100 packets against five chains; cost by size."""
    parameters = ChainSyncParameters()
    rows = []
    for count in (1_000, 100_000, 200_000, 400_000, 1_000_000):
        rng = np.random.default_rng(1)
        # Lengths of conversations have a long tail: half are shorter than 30 s, one in 20 longer than 13 minutes.
        length = np.exp(rng.normal(math.log(30.0), 2.0, count)).clip(0.5, 86_400.0)
        start = rng.random(count) * 86_400.0
        times = ((np.sort(rng.random((count, 100)), axis=1) * length[:, None] + start[:, None]) * 1e9).astype(np.int64)
        sizes = np.where(rng.random((count, 100)) < 0.6, -rng.integers(40, 1400, (count, 100)), 80).astype(np.int32)
        spacings = (600.0, 150.0, 120.0, 75.0, 60.0)
        clocks = [drawn(f"C{k}", s, -3600 * S, 200_000 * S, k) for k, s in enumerate(spacings)]
        began = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            halves = [slice(0, count // 2), slice(count // 2, count)]
            jobs = [pool.submit(one_share, times[half], sizes[half], clocks, parameters) for half in halves]
            blocks = sum(job.result() for job in jobs)
        took = time.perf_counter() - began
        if count < 100_000:
            continue  # compiles what is not timed
        rows.append((f"{count:,}", f"{took:.1f} s", f"{took / count * 1e6:.1f}", f"{blocks:,}"))
        print(*rows[-1], file=sys.stderr, flush=True)
    table(
        ["conversations of 100 packets, 5 chains", "time on 2 cores", "microseconds each", "of 5 minutes and more"],
        rows,
    )


@njit(nogil=True)
def reduce_all(times, sizes, large_bytes, flat_t, flat_b, ends):  # type: ignore[no-untyped-def]
    """Packets to pushes with their classes, one conversation after the other, by the kernels of the detector."""
    at = 0
    reply = np.zeros(times.shape[1], dtype=np.bool_)
    for k in range(len(times)):
        n = burst_kernels.gather_bursts(times[k], sizes[k], times[k], sizes[k])
        burst_kernels.mark_replies(times[k, :n], sizes[k, :n], reply)
        kernel.class_bits(sizes[k, :n], reply, -1, large_bytes, flat_b[at : at + n])
        flat_t[at : at + n] = times[k, :n]
        at += n
        ends[k + 1] = at
    return at


def one_share(
    times: NDArray[np.int64], sizes: NDArray[np.int32], clocks: list[BlockClock], p: ChainSyncParameters
) -> int:
    """Packets to e-values, for one thread."""
    grid = make_grid(p)
    count = len(times)
    ends = np.zeros(count + 1, dtype=np.int64)
    flat_t, flat_b = np.empty(times.size, dtype=np.int64), np.empty(times.size, dtype=np.uint8)
    at = int(reduce_all(times, sizes, p.large_bytes, flat_t, flat_b, ends))
    spans = np.stack([flat_t[ends[:-1]], flat_t[ends[1:] - 1] + 1], axis=1)
    # As `group_subjects` does: what was watched for too short a time is not tested.
    watched_enough = int((spans[:, 1] - spans[:, 0] >= p.shortest_s * S).sum())
    log_e, watched = np.zeros(count), np.zeros(count, dtype=np.int64)
    for clock in clocks:
        kernel.measure_many(
            flat_t[:at], flat_b[:at], ends, spans, np.arange(count + 1), spread_arrivals(clock), clock.covered, grid,
            round(p.segment_s * S), p.most_pushes, log_e, watched,
        )  # fmt: skip
    return watched_enough


def main() -> int:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", default=["captures", "null", "peer", "malware", "speed"])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--trials", type=int, default=1000, help="places for each series and clock")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part == "captures":
            captures(arguments.data)
        elif part == "null":
            null(arguments.data, arguments.trials)
        elif part == "peer":
            side_by_side(arguments.data, arguments.trials)
        elif part == "malware":
            malware(arguments.data)
        elif part == "speed":
            speed()
        else:
            parser.error(f"no part is called {part}; there are captures, null, peer, malware, speed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
