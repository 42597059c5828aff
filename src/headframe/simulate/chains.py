"""Block chains as clocks: when each one finds its next block, and the network difficulty its jobs speak of."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What a job message needs to know of a chain.

    Attributes
    ----------
    coin : str
        Ticker symbol.
    block_interval_s : float
        Mean time between blocks that the chain aims at. [s]
    height : int
        A plausible height to begin with.
    bits : str
        Compact network target as block headers carry it; of the right order of magnitude, not of any one day.
    """

    coin: str
    block_interval_s: float
    height: int
    bits: str = "1d00ffff"


CHAINS: dict[str, Chain] = {
    chain.coin: chain
    for chain in (
        Chain(coin="BTC", block_interval_s=600, height=930_000, bits="1701e2a4"),
        Chain(coin="LTC", block_interval_s=150, height=3_030_000, bits="192b7c31"),
        Chain(coin="XMR", block_interval_s=120, height=3_580_000),
        Chain(coin="ETC", block_interval_s=13, height=23_600_000),
        Chain(coin="ZEC", block_interval_s=75, height=3_180_000, bits="1c0168f2"),
        Chain(coin="KAS", block_interval_s=0.1, height=250_000_000),
        Chain(coin="RVN", block_interval_s=60, height=4_150_000, bits="1b00d31c"),
    )
}


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its height and when the network had it. [ns since 1970-01-01 UTC]"""

    height: int
    time_ns: int


def draw_blocks(chain: Chain, start_ns: int, end_ns: int, rng: random.Random) -> list[Block]:
    """Blocks found in an interval: a Poisson process, because each hash wins by chance alone.

    Parameters
    ----------
    chain : Chain
    start_ns, end_ns : int
        Half-open interval. [ns since 1970-01-01 UTC]
    rng : random.Random

    Returns
    -------
    list of Block
        In order of time; the first is drawn at `start_ns` so that a job exists from the beginning.
    """
    blocks = [Block(chain.height, start_ns)]
    time_ns = float(start_ns)
    while True:
        time_ns += rng.expovariate(1 / chain.block_interval_s) * 1e9
        if time_ns >= end_ns:
            return blocks
        blocks.append(Block(blocks[-1].height + 1, int(time_ns)))
