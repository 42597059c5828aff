"""A peer for the timing detector: the idea of MineHunter, put into code of our own.

``python bench/minehunter.py [--data ../shared/data] [--trials 5]``

The idea (Zhang, Wang and others, "MineHunter: A Practical Cryptomining Traffic Detection Algorithm Based on Time Series
Tracking", ACSAC 2021): a pool gives out work when a block is created, so the packets of a mining flow stand close
behind the creation of blocks. For each block a *local similarity* is taken from how far the flow's packet is from the
block within the interval to the next one. A busy flow is close to everything, so it counts only as far as it is
credible that chance has not brought the packet there (*credible probability*). The *global similarity* of a flow
collects the local ones over a window of blocks; flows above a threshold are alarms. The authors suspect mining from a
global similarity of 0.6 on (README of their repository, zsz147/MineHunter).

This was written from that outline alone, without a look at their program and without their equations at hand. It is
a detector of the published kind, and not theirs: the numbers here must not be read as theirs. Where the outline leaves
a choice open, it was made in favour of the peer:

1. *Distance.* From the block to the first packet after it, as a part of the interval to the next block: 0 at the
   block, 1 if there is none. Packets before the block do not count: work cannot be given out earlier.
2. *Local similarity.* ``(1 - d) * (1 - d)^n`` with the distance ``d`` and ``n`` packets in the interval. The first
   factor is closeness. The second, the credible probability, is exact for packets thrown into the interval at random:
   the probability that none of the ``n`` comes as close. A random flow gets ``n / (2n + 1)`` on average, less than 1/2,
   which fits a threshold of 0.6.
3. *Which blocks.* Those whose interval lies wholly inside the flow's life. An interval longer than `longest_interval_s`
   is a gap in the clock and is left out: the outline takes a clock without gaps for granted.
4. *Global similarity.* The mean over the last `window` blocks, and the largest such mean of the flow's life, as an
   alarm is raised when it is first passed; all blocks where there are fewer than `window`. None at all: 0.
   With ``window=None`` it is the mean over all blocks. A mean over two or three blocks is easily high by chance, so
   `least_blocks` may ask for more before a flow is judged at all.
5. *Direction.* Their flows have one direction. The one from the server carries the work, so with sizes only packets
   from there count.
6. *Size.* No lower bound by default. `least_bytes` counts packets of so much payload or more only.
7. *Clock.* Their blocks and packets were seen in one place, by one clock. `offset_s` moves the blocks;
   `score_over_offsets` takes the best of several, and pays for it, as the same is done to benign flows.
"""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PUBLISHED_THRESHOLD = 0.6
"""Global similarity from which on their README suspects mining."""


def local_similarities(
    times_s: NDArray[np.float64],
    block_times_s: NDArray[np.float64],
    *,
    alive_s: tuple[float, float] | None = None,
    longest_interval_s: float = 1800.0,
) -> NDArray[np.float64]:
    """How close a flow's packets come behind each block, as far as that is credible.

    Parameters
    ----------
    times_s : float64[n]
        Packet times, ascending. [s]
    block_times_s : float64[m]
        Block times, ascending. [s]
    alive_s : pair of float or None
        When the flow began and ended; None for its first and last packet. [s]
    longest_interval_s : float
        Longer intervals are gaps in the clock. Fifteen times Monero's target of 120 s: one in three million real
        intervals is longer. [s]

    Returns
    -------
    float64[k]
        One for each interval between blocks inside the flow's life, from 0 to 1, in order. [unitless]
    """
    if len(times_s) == 0 or len(block_times_s) < 2:
        return np.empty(0)
    begin, end = alive_s if alive_s is not None else (times_s[0], times_s[-1])
    inside = slice(np.searchsorted(block_times_s, begin), np.searchsorted(block_times_s, end, side="right"))
    blocks = block_times_s[inside]
    length = np.diff(blocks)
    use = (length > 0) & (length <= longest_interval_s)
    first = np.searchsorted(times_s, blocks)
    count = np.diff(first)[use]
    nearest = np.append(times_s, np.inf)[first[:-1][use]]
    distance = np.minimum((nearest - blocks[:-1][use]) / length[use], 1.0)
    return (1.0 - distance) ** (count + 1.0)


def score(
    times_s: NDArray[np.float64],
    block_times_s: NDArray[np.float64],
    sizes: NDArray[np.int32] | None = None,
    *,
    window: int | None = None,
    offset_s: float = 0.0,
    least_bytes: int = 1,
    least_blocks: int = 1,
    alive_s: tuple[float, float] | None = None,
    longest_interval_s: float = 1800.0,
) -> float:
    """Global similarity of a flow with a chain: higher is more like mining.

    Parameters
    ----------
    times_s : float64[n]
        Packet times, ascending. [s]
    block_times_s : float64[m]
        Block times, ascending. [s]
    sizes : int32[n] or None
        Payload, negative from the server; None to use all packets. [bytes]
    window : int or None
        Blocks that are averaged; None for all. [blocks]
    offset_s : float
        Added to the block times. [s]
    least_bytes : int
        Smallest payload from the server that counts. [bytes]
    least_blocks : int
        With fewer whole intervals the score is 0. [blocks]
    alive_s, longest_interval_s
        As in `local_similarities`. By default the flow lives from its first packet to its last, whichever side sent it.

    Returns
    -------
    float
        From 0 to 1; 0 without a whole block interval. [unitless]

    Raises
    ------
    ValueError
        If `window` is less than 1, or `sizes` is not as long as `times_s`.
    """
    if window is not None and window < 1:
        raise ValueError(f"window must be 1 block or more, not {window}")
    if sizes is not None and len(sizes) != len(times_s):
        raise ValueError(f"{len(sizes)} sizes for {len(times_s)} packets; one for each was expected")
    if len(times_s) == 0:
        return 0.0
    alive = alive_s if alive_s is not None else (float(times_s[0]), float(times_s[-1]))
    used = times_s if sizes is None else times_s[sizes <= -least_bytes]
    local = local_similarities(used, block_times_s + offset_s, alive_s=alive, longest_interval_s=longest_interval_s)
    if len(local) < max(least_blocks, 1):
        return 0.0
    if window is None or len(local) <= window:
        return float(local.mean())
    sums = np.concatenate([[0.0], np.cumsum(local)])
    return float(((sums[window:] - sums[:-window]) / window).max())


def score_over_offsets(
    times_s: NDArray[np.float64],
    block_times_s: NDArray[np.float64],
    sizes: NDArray[np.int32] | None = None,
    *,
    offsets_s: Sequence[float] | NDArray[np.float64],
    window: int | None = None,
    least_bytes: int = 1,
    least_blocks: int = 1,
) -> float:
    """The highest `score` over clock offsets: what a sensor needs whose clock is not right.

    Parameters
    ----------
    offsets_s : sequence of float
        At least one. [s]
    window, least_bytes, least_blocks
        As in `score`.
    """
    return max(
        score(
            times_s,
            block_times_s,
            sizes,
            window=window,
            offset_s=float(offset),
            least_bytes=least_bytes,
            least_blocks=least_blocks,
        )
        for offset in offsets_s
    )


INDEPENDENT = ("benign", "binned", "mixed", "records")
"""Labels of benign series that share no packets: pairs and hosts repeat those of the conversations."""


# -- a first look ------------------------------------------------------------------------------------------------------


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The probability that a miner scores above an innocent flow; ties count half."""
    below = np.sort(np.asarray(negative))
    p = np.asarray(positive)
    wins = np.searchsorted(below, p, side="left") + np.searchsorted(below, p, side="right")
    return float(wins.mean() / (2 * len(below)))


def main() -> None:
    """Scores of real miners beside those of benign series against shifted blocks, for a few settings."""
    import series as corpora

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=corpora.DATA)
    parser.add_argument("--trials", type=int, default=5, help="shifts of the blocks for each benign series")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    blocks_s = corpora.read_clock(options.data / "network" / "blocks" / "clock_xmr_pool.csv")
    node_s = corpora.read_clock(options.data / "network" / "blocks" / "clock_xmr_node_2020.csv.gz")
    miners = corpora.main_series(s for s in corpora.mining_series(options.data) if s.coin == "xmr")
    miners = {name: s for name, s in miners.items() if s.duration_s >= 900}
    benign = [
        s for s in corpora.benign_series(600.0, options.data) if s.label in ("benign", "binned", "mixed", "records")
    ]
    rng = np.random.default_rng(options.seed)
    # Whole hours are known beforehand here: the row shows the score, and is no test of a detector.
    hours = {"1618550187_hQST8": 25_200.0}
    grid = np.arange(-20.0, 20.5, 0.5)
    print("| window | least payload [B] | offsets | miners: lowest, median | benign: median, 99 %, highest | AUC "
          f"| found at {PUBLISHED_THRESHOLD} | found above 99 % of benign |")  # fmt: skip
    print("|--:|--:|---|---|---|--:|--:|--:|")
    for window, least, offsets in itertools.product((None, 10), (1, 200), (np.zeros(1), grid)):
        found = [
            score_over_offsets(
                s.times_ns / 1e9 - hours.get(name, 0.0),
                blocks_s, s.signed_sizes, offsets_s=offsets, window=window, least_bytes=least,
            )
            for name, s in miners.items()
        ]  # fmt: skip
        null = []
        for s in benign:
            at = s.times_ns / 1e9 - s.conversation.started_ns / 1e9
            latest = node_s[-1] - s.duration_s
            for begin in rng.uniform(node_s[0], latest, options.trials) if latest > node_s[0] else ():
                near = node_s[
                    np.searchsorted(node_s, begin - 100) : np.searchsorted(node_s, begin + s.duration_s + 100)
                ]
                null.append(
                    score_over_offsets(
                        at + begin, near, s.signed_sizes, offsets_s=offsets, window=window, least_bytes=least
                    )
                )
        high = float(np.quantile(null, 0.99))
        print(
            f"| {window or 'all'} | {least} | {len(offsets)} | {min(found):.2f}, {np.median(found):.2f} | "
            f"{np.median(null):.2f}, {high:.2f}, {max(null):.2f} | {auc(found, null):.3f} | "
            f"{sum(f >= PUBLISHED_THRESHOLD for f in found)} of {len(found)} | "
            f"{sum(f > high for f in found)} of {len(found)} |"
        )


if __name__ == "__main__":
    main()
