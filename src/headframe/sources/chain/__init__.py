"""Block chains as clocks: which there are, when their blocks were heard of, and one clock out of many such reports.

From one report to evidence: a source tells of blocks (`Block`, or many of them as `BlockSeries`); `reconcile` makes one
`BlockClock` of all sources of a chain; the detector `chain_sync` holds conversations against it.
"""

from headframe.sources.chain.chains import CHAINS, chain_of
from headframe.sources.chain.series import BadClock, BlockSeries, series_of

__all__ = ["CHAINS", "BadClock", "BlockSeries", "chain_of", "series_of"]
