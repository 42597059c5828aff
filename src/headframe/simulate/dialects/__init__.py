"""Mining protocols as a simulated miner and pool speak them: one module per family."""

from headframe.simulate.dialects.base import Account, Dialect, Outcome
from headframe.simulate.dialects.cryptonote import BrowserMiner, CryptoNote
from headframe.simulate.dialects.ethereum import EthHttp, EthProxy
from headframe.simulate.dialects.solo import GetBlockTemplate, GetWork
from headframe.simulate.dialects.stratum import EthereumStratum, Kaspa, KawPow, StratumV1, Zcash
from headframe.simulate.dialects.stratum_v2 import StratumV2

DIALECTS: dict[str, type[Dialect]] = {
    "stratum-v1": StratumV1,
    "zcash": Zcash,
    "kaspa": Kaspa,
    "kawpow": KawPow,
    "ethereum-stratum": EthereumStratum,
    "eth-proxy": EthProxy,
    "eth-http": EthHttp,
    "cryptonote": CryptoNote,
    "browser": BrowserMiner,
    "getwork": GetWork,
    "getblocktemplate": GetBlockTemplate,
    "stratum-v2": StratumV2,
}
"""Every dialect by the name that a `MinerSpec` uses."""

__all__ = ["DIALECTS", "Account", "Dialect", "Outcome"]
