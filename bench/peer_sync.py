"""How `peer_sync` stands: false alarms under nulls, minutes until a group is found, time taken.

``python bench/peer_sync.py [--nulls N] [--power N] [--speed SUBJECTS] [--real] [--data ../shared/data]``

The streams are made here. Of each null the mean of E and the tails are printed beside what they must not exceed; the
nulls with memory (timers) lie outside the theorem, which is why they are here.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import series as corpora
from bench.series import Series
from headframe.detectors.network.peer_sync import PeerSyncParameters, detect, find_rows, measure
from headframe.detectors.network.peer_sync.evidence import make_bet, pack
from headframe.evidence.lists import e_benjamini_hochberg
from headframe.kernels import peer_sync as kernel
from headframe.kernels.bursts import gather_bursts
from headframe.records.bursts import Bursts
from headframe.records.conversation import Conversation

SECOND = 1_000_000_000
T0_S = 1_700_000_000
Times = NDArray[np.float64]


def conversation(client: str, server: str, started_s: float, ended_s: float, port: int = 443) -> Conversation:
    """A conversation between two addresses."""
    return Conversation(
        uid=f"C{client}{server}",
        community_id=f"1:{client}-{server}-{started_s:.0f}",
        proto="tcp",
        orig_h=client,
        orig_p=50_000,
        resp_h=server,
        resp_p=port,
        started_ns=round((T0_S + started_s) * SECOND),
        ended_ns=round((T0_S + ended_s) * SECOND),
    )


def talk(
    number: int,
    pushes_s: Times,
    minutes: float,
    rng: np.random.Generator,
    *,
    shares_every_s: float = 40.0,
    client: str | None = None,
    server: str | None = None,
    started_s: float = 0.0,
    direction_known: bool = True,
) -> Bursts:
    """What a client and its server say: pushes, and small messages of the client that the server answers.

    The client introduces itself in the first second; `shares_every_s` 0 is a client that then says nothing.
    """
    until_s = started_s + minutes * 60
    pushes_s = pushes_s[(pushes_s > started_s + 1.0) & (pushes_s < until_s)]
    shares_s = poisson(shares_every_s, minutes, rng) + started_s if shares_every_s else np.empty(0)
    shares_s = shares_s[shares_s < until_s - 1]
    parts = [
        (np.array([started_s, until_s]), 180),
        (np.array([started_s + 0.1]), -400),
        (pushes_s, -350),
        (shares_s, 230),
        (shares_s + 0.08, -60),
    ]
    time_s = np.concatenate([t for t, _ in parts])
    size = np.concatenate([np.full(len(t), s, dtype=np.int32) for t, s in parts])
    order = np.argsort(time_s, kind="stable")
    return Bursts(
        conversation=conversation(
            client or f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}",
            server or f"{60 + number // 65536}.{number // 256 % 256}.{number % 256}.7",
            started_s,
            until_s,
        ),
        time_ns=((time_s[order] + T0_S) * SECOND).astype(np.int64),
        size=size[order],
        direction_known=direction_known,
    )


def poisson(mean_s: float, minutes: float, rng: np.random.Generator) -> Times:
    """Events without memory, so far apart on average."""
    until_s = minutes * 60
    return np.sort(rng.uniform(0.0, until_s, rng.poisson(until_s / mean_s)))


def timer(
    period_s: float, minutes: float, rng: np.random.Generator, *, phase_s: float | None = None, jitter_s: float = 0.05
) -> Times:
    """Ticks of one length, each a little late."""
    phase_s = rng.uniform(0, period_s) if phase_s is None else phase_s
    ticks = np.arange(phase_s, minutes * 60, period_s)
    return np.sort(ticks + rng.uniform(0, jitter_s, len(ticks)))


def pool(blocks_s: Times, minutes: float, rng: np.random.Generator, *, refresh_s: float, restart: bool) -> Times:
    """A pool's pushes: each block after the pool's own lag of 0 to 3 s, and fresh work between blocks."""
    lag_s = rng.uniform(0.0, 3.0)
    heard = blocks_s[rng.random(len(blocks_s)) < 0.97]
    heard = np.sort(heard + lag_s + rng.uniform(0.0, 0.5, len(heard)))
    if not refresh_s:
        return heard
    if not restart:
        return np.sort(np.concatenate([heard, timer(refresh_s, minutes, rng)]))
    edges = np.concatenate([[rng.uniform(0, refresh_s)], heard, [minutes * 60]])
    fresh = [np.arange(a + refresh_s, b, refresh_s) for a, b in itertools.pairwise(edges)]
    return np.sort(np.concatenate([heard, *fresh]))


# -- nulls -------------------------------------------------------------------------------------------------------------


def _poisson_null(minutes: float, rng: np.random.Generator) -> Times:
    return poisson(rng.choice([15.0, 40.0, 120.0]), minutes, rng)


def _bursty(minutes: float, rng: np.random.Generator) -> Times:
    heads = poisson(180.0, minutes, rng)
    tails = [h + np.cumsum(rng.exponential(6.0, rng.poisson(5))) for h in heads]
    return np.sort(np.concatenate([heads, *tails]))


def _timers(minutes: float, rng: np.random.Generator) -> Times:
    return timer(rng.choice([15.0, 20.0, 30.0, 60.0]), minutes, rng, jitter_s=0.2)


def _loose_timer(minutes: float, rng: np.random.Generator) -> Times:
    return timer(30.0, minutes, rng, jitter_s=3.0)


def _thinned_timer(minutes: float, rng: np.random.Generator) -> Times:
    ticks = timer(20.0, minutes, rng)
    return ticks[rng.random(len(ticks)) < 0.4]


def _cron(minutes: float, rng: np.random.Generator) -> Times:
    ticks = timer(60.0, minutes, rng, phase_s=0.0, jitter_s=1.0)
    return ticks[rng.random(len(ticks)) < 0.5]


def _cron_and_noise(minutes: float, rng: np.random.Generator) -> Times:
    return np.sort(np.concatenate([_cron(minutes, rng), poisson(60.0, minutes, rng)]))


def _same_period(minutes: float, rng: np.random.Generator) -> Times:
    return np.sort(np.concatenate([timer(60.0, minutes, rng), poisson(60.0, minutes, rng)]))


def _daily(minutes: float, rng: np.random.Generator) -> Times:
    """A rate that swells and falls tenfold for all alike, in two hours as in a day."""
    at = poisson(12.0, minutes, rng)
    return at[rng.random(len(at)) < 0.1 + 0.9 * np.sin(np.pi * at / (minutes * 60)) ** 2]


def _renewal(minutes: float, rng: np.random.Generator) -> Times:
    """Retries: waits that are uneven, and never short."""
    return np.cumsum(rng.gamma(4.0, 8.0, int(minutes * 4))) + rng.uniform(0, 30)


NULLS: dict[str, tuple[Callable[[float, np.random.Generator], Times], bool]] = {
    "Poisson pushes": (_poisson_null, True),
    "one rate that swells and falls for all": (_daily, True),
    "bursts": (_bursty, False),
    "renewals (gamma 4)": (_renewal, False),
    "timers, random phase": (_timers, False),
    "timers late by up to 3 s": (_loose_timer, False),
    "thinned timers of 20 s": (_thinned_timer, False),
    "one period, any phase, and noise": (_same_period, False),
    "each full minute, or not": (_cron, False),
    "each full minute, or not, and noise": (_cron_and_noise, False),
}
"""Makers, and whether the theorem covers them."""


def null_e(name: str, subjects: int, minutes: float, rng: np.random.Generator, parameters: PeerSyncParameters) -> Times:
    """log10 of the e-values of a network of strangers."""
    make, _ = NULLS[name]
    series = [talk(k, make(minutes, rng), minutes, rng) for k in range(subjects)]
    rows = find_rows(series, parameters)
    return measure(rows, parameters).log10_e


def pure_e(name: str, networks: int, minutes: float, rng: np.random.Generator, *, beats: str) -> tuple[Times, Times]:
    """log10 of bets on strangers against the beats of a pair, partner or not: no screen takes them away.

    The pair are two that hear of the same blocks, or one stream of the null's own kind seen twice. Returns what is
    used, and the rotations alone.
    """
    p = PeerSyncParameters()
    make, _ = NULLS[name]
    out: list[tuple[float, float]] = []
    for _ in range(networks):
        if beats == "blocks":
            heard_s = pool(poisson(120.0, minutes, rng), minutes, rng, refresh_s=0.0, restart=True)
        else:
            heard_s = make(minutes, rng)
        streams = [heard_s, heard_s, *(make(minutes, rng) for _ in range(8))]
        rows = find_rows([talk(k, pushes, minutes, rng) for k, pushes in enumerate(streams)], p)
        if len(rows) < 3 or rows[1].client != "10.0.0.1":
            continue
        packed = pack(rows, p)
        for k in range(2, len(rows)):
            out.append(kernel.bet_on_row(packed, k, 0, 1, 0, make_bet(p))[:2])
    both = np.array(out).reshape(-1, 2) / np.log(10.0)
    return both[:, 0], both[:, 1]


def report_nulls(trials: int, rng: np.random.Generator) -> None:
    """Print mean and tails of E under each null."""

    def line(name: str, log10_e: Times) -> str:
        e = 10.0**log10_e
        if not len(e):
            return f"| {name} | 0 | nothing to test | | | | | |"
        tails = " | ".join(f"{np.mean(log10_e >= k):.1e}" for k in (1, 2, 3, 4))
        return f"| {name} | {len(e)} | {e.mean():.3f} ± {e.std() / len(e) ** 0.5:.3f} | {tails} | {log10_e.max():.1f} |"

    head = "| tested | mean of E | P(E >= 10) | 100 | 1,000 | 10,000 | largest log10 E |\n|---" + 7 * "|--:" + "|"
    print(f"Whole detector, networks of 200 strangers for 2 h:\n\n| null {head}")
    for name in NULLS:
        e = [null_e(name, 200, 120.0, rng, PeerSyncParameters()) for _ in range(max(1, trials // 200))]
        print(line(name, np.concatenate(e)), flush=True)
    for beats, words in (
        ("blocks", "two pools' common blocks"),
        ("own kind", "a mirrored pair of the null's own kind"),
    ):
        pairs = {name: pure_e(name, max(1, trials // 8), 120.0, rng, beats=beats) for name in NULLS}
        for place, bets in enumerate(("both bets, the smaller", "rotation alone")):
            print(f"\nStrangers against {words}, 2 h, {bets}:\n\n| null {head}")
            for name in NULLS:
                print(line(name, pairs[name][place]), flush=True)


# -- power -------------------------------------------------------------------------------------------------------------


def minutes_until(
    spacing_s: float, miners: int, strangers: int, refresh_s: float, restart: bool, rng: np.random.Generator
) -> float:
    """Minutes until all but one of a group are on the list among strangers; infinite where they never are."""
    tries = (15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720)
    longest = float(tries[-1])
    blocks_s = poisson(spacing_s, longest, rng)
    streams = [pool(blocks_s, longest, rng, refresh_s=refresh_s, restart=restart) for _ in range(miners)]
    makers = [make for make, _ in NULLS.values()]
    streams += [makers[k % len(makers)](longest, rng) for k in range(strangers)]
    for minutes in tries:
        series = [talk(k, s, minutes, rng) for k, s in enumerate(streams)]
        found = detect(series, PeerSyncParameters(), lambda e: e_benjamini_hochberg(e, 0.05).listed)
        hosts = {f.host for f in found.findings}
        mining = {s.conversation.orig_h for s in series[:miners]}
        if hosts - mining:
            print("FALSE", hosts - mining)
        if len(hosts & mining) >= max(2, miners - 1):
            return float(minutes)
    return np.inf


def report_power(repeats: int, rng: np.random.Generator, strangers: int = 200) -> None:
    """Print minutes until a group is found."""
    print(
        f"\nMinutes among {strangers} strangers, median of {repeats}:\n"
        "\n| blocks every | fresh work | 3 miners | 5 | 10 |"
    )
    print("|---|---|--:|--:|--:|")
    for spacing_s in (120.0, 600.0):
        for words, refresh_s, restart in (("none", 0, True), ("20 s after a job", 20, True), ("each 20 s", 20, False)):
            cells = [
                np.median([minutes_until(spacing_s, m, strangers, refresh_s, restart, rng) for _ in range(repeats)])
                for m in (3, 5, 10)
            ]
            print(f"| {spacing_s:.0f} s | {words} | {' | '.join(f'{c:.0f}' for c in cells)} |", flush=True)


def report_speed(sizes: Sequence[int], rng: np.random.Generator) -> None:
    """Print the time taken for so many strangers with 50 pushes in 50 minutes."""
    for subjects in sizes:
        series = [talk(k, poisson(60.0, 50.0, rng), 50.0, rng, shares_every_s=300.0) for k in range(subjects)]
        started, cpu = time.perf_counter(), time.process_time()
        found = detect(series, PeerSyncParameters(), lambda e: e_benjamini_hochberg(e, 0.05).listed)
        print(
            f"{subjects} subjects: {time.perf_counter() - started:.2f} s ({time.process_time() - cpu:.2f} s of CPU), "
            f"{len(found.findings)} findings",
            flush=True,
        )


# -- real streams ------------------------------------------------------------------------------------------------------


def bursts_of(series: Series, number: int, *, from_s: float | None = None) -> Bursts:
    """A real series as the engine would hand it over, at the ends `number`; from another time on if asked for."""
    time_ns, size = series.times_ns.copy(), series.signed_sizes.copy()
    if from_s is not None:
        time_ns += round((T0_S + from_s) * SECOND) - time_ns[0]
    count = gather_bursts(time_ns, size, time_ns, size)
    ends = conversation(f"10.1.{number // 256}.{number % 256}", f"77.{number // 256}.{number % 256}.7", 0.0, 1.0)
    return Bursts(conversation=ends, time_ns=time_ns[:count].copy(), size=size[:count].copy())


def report_benign(data: Path, rng: np.random.Generator) -> None:
    """All long benign series at hand, begun within the same hour as if they were one network, several times."""
    labels = ("benign", "pair", "node", "mixed", "mixed pair", "binned")
    real = [s for s in corpora.benign_series(900.0, data) if s.label in labels]
    tested, listed, e = 0, 0, []
    for _ in range(20):
        series = [bursts_of(s, k, from_s=rng.uniform(0, 3600)) for k, s in enumerate(real)]
        p = PeerSyncParameters()
        found = detect(series, p, lambda e: e_benjamini_hochberg(e, 0.05).listed)
        tested += found.tested
        listed += len(found.findings) + len(found.lookalikes)
        e.append(measure(find_rows(series, p), p).log10_e)
    log10_e = np.concatenate(e)
    print(
        f"\nBenign: {len(real)} series of 15 min and more, started anew 20 times: {tested} tests, {listed} listed, "
        f"mean of E {np.mean(10.0**log10_e):.3f}, largest log10 E {log10_e.max():.1f}"
    )


def report_miners(data: Path, rng: np.random.Generator) -> None:
    """Real miners beside two made ones whose pools hear of the real blocks; and with the blocks of another time.

    No three of the real captures overlap, so the company of a miner has to be made. Another time: the blocks rotated
    within the capture by 20 to 80 % of its length.
    """
    blocks_s = corpora.read_clock(data / "network" / "blocks" / "clock_xmr_pool.csv")
    print("\n| capture | minutes | minutes until log10 E >= 3 | log10 E | with the blocks of another time |")
    print("|---|--:|--:|--:|--:|")
    p = PeerSyncParameters()
    for capture, series in sorted(corpora.main_series(corpora.mining_series(data)).items()):
        if series.coin != "xmr" or series.duration_s < 3600:
            continue
        began_s = series.times_ns[0] / SECOND
        at = corpora.clock_offset(corpora.pushes(series), blocks_s).offset_s
        cells = []
        for moved_s in (0.0, 1.0):
            whole = -np.inf
            until = np.nan
            for minutes in (30, 45, 60, 90, 120, 240, min(1440, int(series.duration_s / 60))):
                if minutes * 60 > series.duration_s:
                    break
                near = blocks_s + at - began_s
                near = near[(near > 0) & (near < minutes * 60)]
                if moved_s:
                    near = np.sort((near + rng.uniform(0.2, 0.8) * minutes * 60) % (minutes * 60))
                made = [talk(k, pool(near, minutes, rng, refresh_s=0.0, restart=True), minutes, rng) for k in range(2)]
                cut = series.times_ns < series.times_ns[0] + minutes * 60 * SECOND
                mine = replace(series, times_ns=series.times_ns[cut], signed_sizes=series.signed_sizes[cut])
                rows = find_rows([bursts_of(mine, 9, from_s=0.0), *made], p)
                found = measure(rows, p)
                own = [k for k, row in enumerate(found.rows) if row.client == "10.1.0.9"]
                whole = float(found.log10_e[own[0]]) if own else -np.inf
                if whole >= 3 and np.isnan(until):
                    until = minutes
            cells.append((until, whole))
        print(
            f"| {capture} | {series.duration_s / 60:.0f} | {cells[0][0]:.0f} | {cells[0][1]:.1f} | {cells[1][1]:.1f} |"
        )


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nulls", type=int, default=0, help="subjects per null")
    parser.add_argument("--power", type=int, default=0, help="repeats per cell")
    parser.add_argument("--speed", type=int, nargs="*", default=[], help="subjects")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", action="store_true", help="also on the real series")
    parser.add_argument("--data", type=Path, default=corpora.DATA)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    if options.speed:
        report_speed(options.speed, rng)
    if options.nulls:
        report_nulls(options.nulls, rng)
    if options.power:
        report_power(options.power, rng)
    if options.real:
        report_miners(options.data, rng)
        report_benign(options.data, rng)


if __name__ == "__main__":
    main()
