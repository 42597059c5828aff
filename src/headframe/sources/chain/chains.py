"""Chains that are mined: how often they find a block, and whether that can be told from chance.

**The rule of resolvability.** Pools push a new job to their miners within about a second of a block, some miners get
it later than others, and the clock itself may be a second off. A chain can be resolved where its blocks are at least
`RESOLVABLE_SPACING_S` apart on average, ten times that spread: then the windows in which a push counts as a hit leave
most of the time free. A chain that is faster gives pushes all the time, and no time without: nothing can be told from
chance. Such a chain is in the table all the same, so that whoever asks for it is told why.

The table is ``chains.csv`` beside this module; each figure names where it is from, mostly the file of the reference
node that holds the consensus parameters.
"""

import csv
import difflib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType

from headframe.records.block import Chain
from headframe.sources.chain.series import NS_PER_S, BadClock

TABLE = Path(__file__).with_name("chains.csv")

PUSH_SPREAD_S = 1.0
"""Pools push within about this time of a block (design of `chain_sync`). [s]"""
RESOLVABLE_SPACING_S = 10 * PUSH_SPREAD_S
"""Blocks that come more often than this on average cannot be told from chance. [s]"""
USABLE_HEADER_AHEAD_S = 15.0
"""Header times are usable for want of arrival times where consensus lets them run ahead by no more than this: what the
Ethereum family allows, whose header times also ascend strictly. [s]"""


@cache
def load_chains() -> Mapping[str, Chain]:
    """All chains of the table, by ticker symbol.

    Returns
    -------
    mapping of str to Chain
        In the order of the table; read once.
    """
    found: dict[str, Chain] = {}
    with TABLE.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(line for line in stream if not line.startswith("#")):
            chain = _chain(row)
            found[chain.symbol] = chain
    return MappingProxyType(found)


class _Chains(Mapping[str, Chain]):
    """The table as a mapping that is read when it is first asked."""

    def __getitem__(self, symbol: str) -> Chain:
        return load_chains()[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(load_chains())

    def __len__(self) -> int:
        return len(load_chains())


CHAINS: Mapping[str, Chain] = _Chains()
"""Chains by ticker symbol; the table is read at the first look."""


def chain_of(symbol: str) -> Chain:
    """The chain with a ticker symbol, or with a name, in any case.

    Parameters
    ----------
    symbol : str

    Returns
    -------
    Chain

    Raises
    ------
    BadClock
        If the table has no such chain; the message names those that come near.

    Examples
    --------
    >>> chain_of("xmr").name
    'Monero'
    """
    chains = load_chains()
    wanted = symbol.strip().upper()
    if wanted in chains:
        return chains[wanted]
    names = {chain.name.upper(): chain for chain in chains.values()}
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(wanted[:40], [*chains, *names], n=3, cutoff=0.6)
    near = list(dict.fromkeys(names[word].symbol if word in names else word for word in near))
    hint = f"did you mean {' or '.join(near)}? Known are" if near else "known are"
    raise BadClock(f"{symbol.strip()[:40]!r} is no chain that is known here; {hint} {', '.join(chains)}")


def why_header_times_are_coarse(chain: Chain) -> str:
    """Why a chain's header times must not stand in for arrival times; empty where they may.

    Parameters
    ----------
    chain : Chain

    Returns
    -------
    str
    """
    ahead_s = chain.header_ahead_s
    if ahead_s is not None and ahead_s <= USABLE_HEADER_AHEAD_S:
        return ""
    if ahead_s is None:
        return f"nobody says how far a header time of {chain.name} may be off"
    off = f"{ahead_s / 3600:g} h" if ahead_s >= 3600 else f"{ahead_s / 60:g} min" if ahead_s >= 60 else f"{ahead_s:g} s"
    return f"a header time of {chain.name} may lie up to {off} ahead of the time by consensus, and further behind it"


def _chain(row: Mapping[str, str]) -> Chain:
    spacing_s = float(row["spacing_s"])
    until = row["proof_of_work_until"]
    resolvable = spacing_s >= RESOLVABLE_SPACING_S
    remark = row["remark"]
    if not resolvable:
        too_fast = (
            f"a block every {spacing_s:g} s is too fast: pushes cannot be told from chance "
            f"below {RESOLVABLE_SPACING_S:g} s"
        )
        remark = f"{too_fast}; {remark}" if remark else too_fast
    return Chain(
        symbol=row["symbol"],
        name=row["name"],
        family=row["family"],
        spacing_s=spacing_s,
        resolvable=resolvable,
        source=row["source"],
        proof_of_work_until_ns=int(datetime.fromisoformat(until).astimezone(UTC).timestamp()) * NS_PER_S
        if until
        else None,
        remark=remark,
        merged_with=tuple(row["merged_with"].split()),
        header_ahead_s=float(row["header_ahead_s"]) if row["header_ahead_s"] else None,
    )
