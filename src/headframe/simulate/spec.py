"""What a simulated capture shall hold: pools, miners, office hosts and faults."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from headframe.simulate.carriers import Padding
from headframe.simulate.chains import CHAINS
from headframe.simulate.dialects import DIALECTS
from headframe.simulate.transport import NO_FAULTS, Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSpec:
    """A pool's server as the network sees it.

    Attributes
    ----------
    name : str
        Its domain name, below ``.example`` (RFC 2606).
    address : str
        In a documentation range (RFC 5737, RFC 3849).
    port : int
    kind : str
        ``pool``, ``malware_proxy``, ``web_miner`` or ``node``, as in `headframe.records.indicator.IndicatorKind`.
    operator : str
        Who runs it; made up.
    listed : bool
        True where the indicators that are written beside the capture name it.
    """

    name: str
    address: str
    port: int
    kind: Literal["pool", "malware_proxy", "web_miner", "node"] = "pool"
    operator: str = "Deep Vein"
    listed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MinerSpec:
    """One miner, or a group behind a proxy of their own.

    Attributes
    ----------
    dialect : str
        A key of `headframe.simulate.dialects.DIALECTS`.
    coin : str
        A key of `headframe.simulate.chains.CHAINS`.
    hashrate_hs : float
        True hash rate of each miner. [hashes/s]
    pool : PoolSpec
    tls : bool
        The session runs inside TLS.
    server_name : str or None
        What the ClientHello names, where it is not the pool: an innocent front.
    post_quantum : bool
        A ClientHello of two segments.
    padding : {"none", "constant", "random"}
    behind_proxy : int
        So many miners talk to a proxy in the office, which alone talks to the pool; 0 for none.
    one_direction : int or None
        Capture only what the client (0) or the server (1) sends.
    mid_session : bool
        The session began long before the capture.
    reconnects : int
        How often the connection breaks and is made again.
    share_interval_s : float
        Mean time between shares that the pool aims at. [s]
    rejected, stale : float
        Probabilities per share.
    ipv6 : bool
        IPv6 addresses for miner and pool.
    vlan : int or None
        IEEE 802.1Q tag.
    host : str or None
        Its address; one of the office's range by its number where None.
    """

    dialect: str
    coin: str
    hashrate_hs: float
    pool: PoolSpec
    tls: bool = False
    server_name: str | None = None
    post_quantum: bool = False
    padding: Padding = "none"
    behind_proxy: int = 0
    one_direction: int | None = None
    mid_session: bool = False
    reconnects: int = 0
    share_interval_s: float = 12.0
    rejected: float = 0.01
    stale: float = 0.005
    ipv6: bool = False
    vlan: int | None = None
    host: str | None = None

    def __post_init__(self) -> None:
        if self.dialect not in DIALECTS:
            raise ValueError(f"dialect {self.dialect!r} is not known; choose from {', '.join(DIALECTS)}")
        if self.coin not in CHAINS:
            raise ValueError(f"coin {self.coin!r} is not known; choose from {', '.join(CHAINS)}")
        if self.behind_proxy and (self.one_direction is not None or self.reconnects):
            raise ValueError("miners behind a proxy are simulated in both directions and without reconnects")


def _pool(name: str, last: int, port: int, **more: object) -> PoolSpec:
    spec = PoolSpec(name=f"{name}.example", address=f"203.0.113.{last}", port=port)
    return replace(spec, **more)  # type: ignore[arg-type]


_EVERY_DIALECT = (
    MinerSpec(dialect="stratum-v1", coin="BTC", hashrate_hs=110e12, pool=_pool("btc.deepvein", 10, 3333)),
    MinerSpec(dialect="cryptonote", coin="XMR", hashrate_hs=9_500, pool=_pool("xmr.deepvein", 11, 5555)),
    MinerSpec(dialect="cryptonote", coin="XMR", hashrate_hs=14_000, tls=True, post_quantum=True,
              pool=_pool("xmr-tls.deepvein", 12, 443)),
    MinerSpec(dialect="eth-proxy", coin="ETC", hashrate_hs=480e6, rejected=0.03,
              pool=_pool("etc.northshaft", 20, 4444, operator="North Shaft")),
    MinerSpec(dialect="zcash", coin="ZEC", hashrate_hs=140_000, reconnects=1,
              pool=_pool("zec.northshaft", 21, 3357, operator="North Shaft")),
    MinerSpec(dialect="stratum-v1", coin="LTC", hashrate_hs=9.5e9, mid_session=True,
              pool=_pool("ltc.deepvein", 13, 3334)),
    MinerSpec(dialect="kaspa", coin="KAS", hashrate_hs=8.2e12, share_interval_s=6,
              pool=_pool("kas.northshaft", 22, 16110, operator="North Shaft")),
    MinerSpec(dialect="kawpow", coin="RVN", hashrate_hs=58e6,
              pool=_pool("rvn.northshaft", 23, 10001, operator="North Shaft")),
    MinerSpec(dialect="ethereum-stratum", coin="ETC", hashrate_hs=240e6, ipv6=True,
              pool=_pool("etc2.northshaft", 24, 9999, address="2001:db8:113::24", operator="North Shaft")),
    MinerSpec(dialect="eth-http", coin="ETC", hashrate_hs=120e6, vlan=30,
              pool=_pool("eth-http.oldseam", 30, 8080, operator="Old Seam")),
    MinerSpec(dialect="browser", coin="XMR", hashrate_hs=60, share_interval_s=20,
              pool=_pool("ws.tabminer", 40, 80, kind="web_miner", operator="Tabminer")),
    MinerSpec(dialect="cryptonote", coin="XMR", hashrate_hs=6_000, behind_proxy=3,
              pool=_pool("xmr.deepvein", 11, 5555)),
    MinerSpec(dialect="stratum-v2", coin="BTC", hashrate_hs=200e12, pool=_pool("v2.deepvein", 14, 34254)),
    MinerSpec(dialect="cryptonote", coin="XMR", hashrate_hs=3_300, tls=True, padding="random",
              server_name="assets.frontpage.example",
              pool=_pool("relay.rustbucket", 50, 443, address="198.51.100.250", kind="malware_proxy",
                         operator="Rustbucket", listed=False)),
    MinerSpec(dialect="stratum-v1", coin="BTC", hashrate_hs=95e12, padding="constant", one_direction=0,
              pool=_pool("btc.deepvein", 10, 3333)),
    MinerSpec(dialect="getwork", coin="BTC", hashrate_hs=330e6, share_interval_s=13,
              pool=_pool("getwork.oldseam", 31, 8332, operator="Old Seam")),
    MinerSpec(dialect="getblocktemplate", coin="BTC", hashrate_hs=1e12,
              pool=_pool("node.workshop", 60, 8332, kind="node", operator="own node", listed=False)),
    MinerSpec(dialect="cryptonote", coin="XMR", hashrate_hs=5_200, one_direction=1, reconnects=1,
              pool=_pool("xmr.sidecut", 51, 8080, kind="malware_proxy", operator="Sidecut")),
    MinerSpec(dialect="stratum-v1", coin="BTC", hashrate_hs=60e12, tls=True, mid_session=True,
              pool=_pool("btc-tls.deepvein", 15, 3336)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSpec:
    """Everything that decides a simulated capture, but for the seed and the time it starts.

    Attributes
    ----------
    miners : tuple of MinerSpec
    office_hosts : int
        Hosts that work as offices do, besides those that mine; at most 60.
    duration_s : float
        [s]
    visits_per_host : float
        Mean number of web visits of an office host.
    hard_negatives : bool
        Add the conversations that only look like mining.
    standing_talks : bool
        Office hosts ask for the time and keep files in step all the while; without it a capture may last a month.
    faults : Faults
    clocks : tuple of str
        Chains whose block times are told although nobody mines them here: a look whether mining ended needs them.
    """

    miners: tuple[MinerSpec, ...] = ()
    office_hosts: int = 60
    duration_s: float = 1800.0
    visits_per_host: float = 6.0
    hard_negatives: bool = True
    standing_talks: bool = True
    faults: Faults = field(default_factory=lambda: NO_FAULTS)
    clocks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := [name for name in self.clocks if name not in CHAINS]:
            raise ValueError(f"clocks names {unknown[0]}; known are {', '.join(CHAINS)}")
        if not 0 <= self.office_hosts <= 60:
            raise ValueError(f"office_hosts must lie between 0 and 60, got {self.office_hosts}")
        if self.duration_s < 30:
            raise ValueError(f"duration_s must be at least 30 s, got {self.duration_s}")

    @classmethod
    def demo(cls, *, miners: int = 14, minutes: float = 30.0) -> Self:
        """An office with miners of all dialects in it, and the small faults of a real sensor.

        Parameters
        ----------
        miners : int
            How many; they are taken from `every_dialect` in order, and begin again with other hash rates. At most 90.
        minutes : float
            [min]
        """
        if not 0 <= miners <= 90:
            raise ValueError(f"miners must lie between 0 and 90, got {miners}")
        chosen = []
        for number in range(miners):
            model = _EVERY_DIALECT[number % len(_EVERY_DIALECT)]
            chosen.append(replace(model, hashrate_hs=model.hashrate_hs * (1 + 0.35 * (number // len(_EVERY_DIALECT)))))
        return cls(
            miners=tuple(chosen),
            duration_s=minutes * 60,
            faults=Faults(retransmission=0.003, sensor_loss=0.0002, reordering=0.002),
        )

    @classmethod
    def every_dialect(cls, *, minutes: float = 20.0) -> Self:
        """One miner of every dialect and variant, few office hosts, no faults: for tests."""
        return cls(miners=_EVERY_DIALECT, duration_s=minutes * 60, office_hosts=6, visits_per_host=2)
