"""Plaintext miners as a clock: their jobs say when a pool heard of each block, for every other conversation."""

from collections import defaultdict
from collections.abc import Sequence

from headframe.detectors.network.stratum.coins import candidates
from headframe.detectors.network.stratum.roles import judge
from headframe.detectors.network.stratum.session import StratumSession
from headframe.records.block import Block
from headframe.records.conversation import Conversation
from headframe.records.finding import Role
from headframe.sources.chain.chains import CHAINS
from headframe.sources.chain.pool_subscription import coinbase_height

CLOCK_SOURCE = "capture"


def block_times(
    sessions: Sequence[tuple[Conversation, StratumSession]],
) -> tuple[dict[str, list[Block]], dict[str, frozenset[str]]]:
    """Blocks that pools told their plaintext miners of.

    Parameters
    ----------
    sessions : sequence of (Conversation, StratumSession)

    Returns
    -------
    blocks : dict of str to list of Block
        By chain. The first job of a session is left out: it tells what the last block was, not when it came.
    community_ids : dict of str to frozenset of str
        The conversations that told it, by chain: about those such a clock says nothing.

    Notes
    -----
    Jobs without a height (and without a coinbase that tells it) give no blocks: a missed one could not be noticed.
    """
    blocks: dict[str, list[Block]] = defaultdict(list)
    told: dict[str, set[str]] = defaultdict(set)
    for conversation, session in sessions:
        if len(session.tips) < 3:
            continue
        verdict = judge(conversation, session)
        if verdict is None or verdict.role not in (Role.MINER, Role.POOL, Role.PROXY):
            continue
        naming = candidates([session.signs], session.dialects, (), verdict.server_port, session.tips[0][0])
        chain = naming.coins[0] if naming.coins and not naming.testnet else ""
        if chain not in CHAINS:
            continue
        # A job is for the block after the one that was heard of.
        heights = [_height(height, coinbase) for _time, height, coinbase in session.tips]
        if any(height is None for height in heights):
            continue
        for (time_ns, _height_told, _coinbase), height in list(zip(session.tips, heights, strict=True))[1:]:
            assert height is not None
            blocks[chain].append(
                Block(
                    chain=chain,
                    height=height - 1,
                    header_time_ns=None,
                    arrival_time_ns=time_ns,
                    clock_source=CLOCK_SOURCE,
                )
            )
        told[chain].add(conversation.community_id)
    return dict(blocks), {chain: frozenset(ids) for chain, ids in told.items()}


def _height(height: int | None, coinbase: str | None) -> int | None:
    return height if height is not None else coinbase_height(coinbase)
