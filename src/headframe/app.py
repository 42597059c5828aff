"""Wires sources, engines, detectors and evidence together: what the commands call."""

import hashlib
import hmac
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headframe import clock
from headframe.detectors.network import pool_endpoint, stratum
from headframe.detectors.network.pool_endpoint import EndpointIndex, EndpointParameters
from headframe.detectors.network.stratum import StratumParameters
from headframe.engines.local import CaptureFacts, LocalEngine, Progress
from headframe.evidence.calibration import CalibrationTable
from headframe.records.endpoint import EndpointObservation, EndpointSign
from headframe.records.scan import ScanResult
from headframe.sources.intel.load import load_indicators
from headframe.sources.network.capture import expand

__all__ = ["Progress", "ScanOptions", "scan"]

SALT_VARIABLE = "HEADFRAME_SALT"
"""Environment variable with the salt of pseudonyms; without it each scan draws its own, so that pseudonyms of two
scans cannot be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """What a user may choose about a scan.

    Attributes
    ----------
    indicators : tuple of Path
        Files with more indicators: CSV, hosts lists, STIX 2.1.
    builtin_indicators : bool
        Use the table that ships with Headframe.
    reveal : bool
        Show wallets and worker names as they are.
    threads : int or None
        Workers; None for all processors this process may use.
    """

    indicators: tuple[Path, ...] = ()
    builtin_indicators: bool = True
    reveal: bool = False
    threads: int | None = None


def scan(
    paths: Sequence[str],
    options: ScanOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> ScanResult:
    """Find mining in captures.

    Parameters
    ----------
    paths : sequence of str
        Files, folders, patterns, ``-`` for standard input; read as one timeline.
    options : ScanOptions
    progress : callable
        Called after every batch.

    Returns
    -------
    ScanResult
        Findings by time.

    Raises
    ------
    UnreadableInput
        If nothing can be read.
    BadIndicator
        If an indicator file has a row that cannot be understood.
    """
    options = options or ScanOptions()
    started_s = clock.monotonic_s()
    index = EndpointIndex(
        load_indicators(list(options.indicators), builtin=options.builtin_indicators, today=clock.today())
    )
    table = CalibrationTable.load()
    facts = LocalEngine(index, threads=options.threads).run(expand(paths), progress)
    content = stratum.detect(
        facts.sessions,
        StratumParameters(),
        log10_e=lambda key: table.log10_e("stratum", key),
        server_name=_server_names(facts.observations),
        pool_name=index.pool_name,
        pseudonym=(lambda identity: identity) if options.reveal else _pseudonyms(),
    )
    endpoint = pool_endpoint.detect(
        facts.observations,
        index,
        EndpointParameters(),
        log10_e=lambda key: table.log10_e("pool_endpoint", key),
    )
    result = _result(facts, clock.monotonic_s() - started_s)
    result.findings = sorted(
        [*content.findings, *endpoint.findings], key=lambda f: (f.started_ns, f.host, f.peer, f.detector)
    )
    result.insufficient = [*content.insufficient, *endpoint.insufficient]
    result.lookalikes = [*content.lookalikes, *endpoint.lookalikes]
    return result


def _result(facts: CaptureFacts, elapsed_s: float) -> ScanResult:
    return ScanResult(
        inputs=facts.inputs,
        conversations=facts.conversations,
        packets=facts.packets,
        bytes_read=facts.bytes_read,
        elapsed_s=elapsed_s,
    )


def _pseudonyms() -> Callable[[str], str]:
    """Salted hashes of identities: the same in one scan, not to be guessed without the salt."""
    salt = os.environ.get(SALT_VARIABLE, "").encode() or os.urandom(16)
    return lambda identity: "#" + hmac.new(salt, identity.encode(), hashlib.sha256).hexdigest()[:16]


def _server_names(observations: Sequence[EndpointObservation]) -> Callable[[str, int, int], str | None]:
    """Names that DNS, TLS or HTTP gave to an address, asked by address, port and time.

    The latest name before that time is the one meant, or the first one after it.
    """
    known: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for seen in observations:
        if seen.names:
            addresses = seen.addresses if seen.sign is EndpointSign.DNS_ANSWER else (seen.conversation.resp_h,)
            for address in addresses:
                known[address].append((seen.time_ns, seen.names[0]))
    for names in known.values():
        names.sort()

    def name_of(address: str, _port: int, time_ns: int) -> str | None:
        names = known.get(address)
        if not names:
            return None
        before = [name for at, name in names if at <= time_ns]
        return before[-1] if before else names[0][1]

    return name_of
