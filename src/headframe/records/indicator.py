"""Indicators: names and addresses that are known to serve mining, with their source and validity."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class IndicatorKind(StrEnum):
    """What stands behind a name or an address. They call for different answers, so they are never merged."""

    POOL = "pool"
    """A public mining pool that anyone may use: mining there is not malware, but may not be allowed here."""
    MALWARE_PROXY = "malware_proxy"
    """A pool proxy run by the operators of mining malware: the host that connects is probably a victim."""
    WEB_MINER = "web_miner"
    """Serves a miner to browsers: the visitor's machine mines while the page is open."""
    NODE = "node"
    """A block-chain node or its seed: runs the network, does not by itself mine."""
    EXCHANGE = "exchange"
    """Trades or keeps coins; not mining. Kept so that it can be told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One known name or address.

    Attributes
    ----------
    kind : IndicatorKind
    value : str
        A lower-case domain name without trailing dot, or an IP address in canonical form.
    subdomains : bool
        True where every name below `value` counts too.
    port : int or None
        Only this server port counts; None for any. An address without a port is weaker than one with.
    coins : tuple of str
        Ticker symbols in upper case, empty where unknown.
    pool : str or None
        The operator's name as the source gives it.
    source : str
        Where the fact comes from: list name and its date.
    valid_from, valid_until : date or None
        The interval in which the source vouches for it; None is open.
    shared : bool
        True for an address that also serves unrelated names (a CDN): never evidence by itself.
    """

    kind: IndicatorKind
    value: str
    source: str
    subdomains: bool = False
    port: int | None = None
    coins: tuple[str, ...] = ()
    pool: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    shared: bool = False
