"""Wires sources, engines, detectors and evidence together: what the commands call."""

import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from headframe import __version__, clock
from headframe.detectors.network import chain_sync, peer_sync, pool_endpoint, stratum
from headframe.detectors.network.chain_sync import ChainSyncParameters, ChainSyncResult
from headframe.detectors.network.peer_sync import PeerSyncParameters, PeerSyncResult
from headframe.detectors.network.pool_endpoint import EndpointIndex, EndpointParameters
from headframe.detectors.network.stratum import StratumParameters
from headframe.detectors.network.stratum.block_clock import block_times
from headframe.engines.local import CaptureFacts, LocalEngine, Progress
from headframe.errors import UnreadableInput
from headframe.evidence.calibration import CalibrationTable, Corpus, count_row
from headframe.evidence.lists import e_benjamini_hochberg
from headframe.pseudonym import pseudonyms
from headframe.records.block import BlockClock
from headframe.records.conversation import Conversation
from headframe.records.endpoint import EndpointObservation, EndpointSign
from headframe.records.scan import ClockLook, ScanResult
from headframe.sources.archives import unpack
from headframe.sources.intel.load import load_indicators
from headframe.sources.network.capture import expand
from headframe.sources.network.zeek_names import ZeekNames, read_zeek_names
from headframe.stores.calibration import load_table

__all__ = ["Progress", "ScanOptions", "calibrate", "scan"]


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
    clocks : tuple of Path
        Files of block times, for timing evidence.
    clock_columns : mapping of str to str
        Our columns to those of the clock files, where they have other names.
    stored_clocks : Path or None
        Workspace whose clocks are used for the chains that no file is given for.
    content_blind : bool
        Hide payload and ports from every detector: only timing evidence is left.
    any_hour : bool
        Also consider that the sensor's clock is wrong by whole hours.
    false_discovery_rate : float
        Share of wrong entries that the list of timing findings may have on average. [unitless]
    threads : int or None
        1 for one thread; else a second one decodes ahead.
    """

    indicators: tuple[Path, ...] = ()
    builtin_indicators: bool = True
    reveal: bool = False
    threads: int | None = None
    clocks: tuple[Path, ...] = ()
    clock_columns: Mapping[str, str] = field(default_factory=dict)
    stored_clocks: Path | None = None
    content_blind: bool = False
    any_hour: bool = False
    false_discovery_rate: float = 0.01


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
        If an indicator file cannot be read at all; rows that cannot be understood become remarks.
    """
    options = options or ScanOptions()
    started_s = clock.monotonic_s()
    problems: list[str] = []
    index = EndpointIndex(
        load_indicators(
            list(options.indicators), builtin=options.builtin_indicators, today=clock.today(), problems=problems
        )
    )
    problems[:] = [f"not used: {problem}" for problem in problems]
    table = load_table()
    given = _clocks_of_files(options, problems)
    engine = LocalEngine(index, threads=options.threads, content_blind=options.content_blind)
    facts = engine.run(expand(paths), progress)
    content = stratum.detect(
        facts.sessions,
        StratumParameters(),
        log10_e=lambda key: table.log10_e("stratum", key),
        server_name=_server_names(facts.observations),
        pool_name=index.pool_name,
        pseudonym=(lambda identity: identity) if options.reveal else pseudonyms(),
    )
    endpoint = pool_endpoint.detect(
        facts.observations,
        index,
        EndpointParameters(),
        log10_e=lambda key: table.log10_e("pool_endpoint", key),
    )
    clocks = _every_clock(facts, given, problems)
    timing, peers = _timing(facts, clocks, options)
    result = _result(facts, clock.monotonic_s() - started_s)
    result.findings = sorted(
        [*content.findings, *endpoint.findings, *timing.findings, *peers.findings],
        key=lambda f: (f.started_ns, f.host, f.peer, f.detector),
    )
    result.timing_tested = timing.tested + peers.tested
    result.content_blind = options.content_blind
    result.detectors = _looked(options, clocks)
    result.clocks = tuple(_clock_look(one) for one in clocks)
    result.timing_fdr = options.false_discovery_rate if result.timing_tested else None
    result.remarks = problems
    result.insufficient = [*content.insufficient, *endpoint.insufficient, *timing.insufficient, *peers.insufficient]
    result.lookalikes = [*content.lookalikes, *endpoint.lookalikes, *timing.lookalikes, *peers.lookalikes]
    return result


def _looked(options: ScanOptions, clocks: Sequence[BlockClock]) -> tuple[str, ...]:
    """Detectors that looked at the traffic, with their versions: what a scan could not do is not among them."""
    ran = [] if options.content_blind else [f"stratum {stratum.VERSION}", f"pool_endpoint {pool_endpoint.VERSION}"]
    ran.append(f"peer_sync {peer_sync.VERSION}")
    return (*ran, f"chain_sync {chain_sync.VERSION}") if clocks else tuple(ran)


def _clock_look(one: BlockClock) -> ClockLook:
    return ClockLook(
        chain=one.chain,
        sources=one.sources,
        covered=tuple((int(start), int(end)) for start, end in one.covered.tolist()),
    )


def _result(facts: CaptureFacts, elapsed_s: float) -> ScanResult:
    return ScanResult(
        seen=facts.seen,
        seen_left_out=facts.seen_left_out,
        inputs=facts.inputs,
        conversations=facts.conversations,
        packets=facts.packets,
        bytes_read=facts.bytes_read,
        elapsed_s=elapsed_s,
    )


def _clocks_of_files(options: ScanOptions, problems: list[str]) -> dict[str, BlockClock]:
    """One clock per chain out of the files given, and of the workspace for the other chains.

    Read before the captures are: a mistake in them should not come to light after an hour.
    """
    if not options.clocks and options.stored_clocks is None:
        return {}
    from headframe.sources.chain.files import clocks_of_files
    from headframe.sources.chain.series import BadClock
    from headframe.stores.blocks import BlockStore

    given, remarks = clocks_of_files(options.clocks, columns=options.clock_columns)
    problems += remarks
    clocks = {chain: reconciled.clock for chain, reconciled in given.items()}
    if options.stored_clocks is not None:
        store = BlockStore(options.stored_clocks)
        for chain in store.chains():
            if chain in clocks:
                continue
            try:
                clocks[chain] = store.clock(chain).clock
            except (BadClock, UnreadableInput) as problem:
                # Nobody asked for this clock by name, so the scan goes on without it.
                problems.append(f"the stored clock of {chain} is not used: {problem}")
    return clocks


def _every_clock(facts: CaptureFacts, given: dict[str, BlockClock], problems: list[str]) -> list[BlockClock]:
    """The clocks given, and those that plaintext miners of the same traffic tell of other chains."""
    from headframe.sources.chain.reconcile import reconcile
    from headframe.sources.chain.series import BadClock, series_of

    every = dict(given)
    blocks, community_ids = block_times(facts.sessions)
    for chain, told in blocks.items():
        try:
            heard = reconcile(series_of(told), community_ids=community_ids[chain]).clock
        except BadClock as problem:
            problems.append(f"the jobs of plaintext miners make no clock of {chain}: {problem}")
            continue
        # A clock from outside can also speak of the very conversations that would make this one; one of another time
        # speaks of nothing here.
        if not len(heard.covered) or (chain in every and _overlap(every[chain], heard)):
            continue
        if chain in every:
            problems.append(f"the clock of {chain} is of another time; jobs of plaintext miners stand in for it")
        every[chain] = heard
    return list(every.values())


def _timing(
    facts: CaptureFacts, clocks: list[BlockClock], options: ScanOptions
) -> tuple[ChainSyncResult, PeerSyncResult]:
    """Conversations that keep step with a known clock, and hidden clocks that several hosts follow.

    Each detector cuts a list of its own. Where both do, each gets half of the rate: the share of wrong entries of both
    lists together is at most the sum.
    """

    def at_rate(rate: float) -> Callable[[NDArray[np.float64]], NDArray[np.bool_]]:
        return lambda log10_e: e_benjamini_hochberg(log10_e, rate).listed

    fdr = options.false_discovery_rate
    peers = peer_sync.detect(facts.bursts, PeerSyncParameters(), at_rate(fdr / 2 if clocks else fdr))
    timing = ChainSyncResult()
    if clocks:
        parameters = ChainSyncParameters(any_hour=options.any_hour)
        timing = chain_sync.detect(facts.bursts, clocks, parameters, at_rate(fdr / 2 if peers.tested else fdr))
    # What a known clock has told need not be told again with less.
    told = {(f.host, f.peer) for f in timing.findings} | {(f.host, f.peer) for f in timing.lookalikes}
    peers.findings = [f for f in peers.findings if (f.host, f.peer) not in told]
    peers.lookalikes = [f for f in peers.lookalikes if (f.host, f.peer) not in told]
    return timing, peers


def _overlap(one: BlockClock, other: BlockClock) -> bool:
    """Whether there is a time at which both clocks know all blocks."""
    return any(((one.covered[:, 0] < end) & (start < one.covered[:, 1])).any() for start, end in other.covered.tolist())


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


def calibrate(
    corpora: Sequence[str],
    progress: Callable[[Progress], None] | None = None,
    *,
    threads: int | None = None,
) -> CalibrationTable:
    """Count how often benign traffic matches, by corpus, and bound the rate.

    Parameters
    ----------
    corpora : sequence of str
        Captures, folders or tar archives of captures, Zeek logs, or folders or archives of those. Each is one named
        corpus. What stands in two of them is counted in the first.
    progress : callable
    threads : int or None

    Returns
    -------
    CalibrationTable
        Rows for the keys that the corpora can speak to: Zeek logs have names and addresses but no content.

    Raises
    ------
    UnreadableInput
        If a corpus holds neither captures nor logs.
    """
    index = EndpointIndex(load_indicators([], builtin=True, today=clock.today()))
    counts: dict[tuple[str, str], list[Corpus]] = defaultdict(list)
    units = dict.fromkeys(stratum.CALIBRATION_KEYS, "TCP conversations with payload")
    known_names: set[str] = set()
    known_responders: set[tuple[str, int]] = set()
    for corpus in corpora:
        name = Path(corpus).name
        sessions, seen = _observe(corpus, index, threads, progress)
        if sessions is not None:
            size, keys = sessions
            for key in stratum.CALIBRATION_KEYS:
                counts["stratum", key].append(Corpus(name=name, size=size, matches=keys[key]))
        endpoint = pool_endpoint.count_endpoint_matches(
            index, seen.names - known_names, seen.responders - known_responders
        )
        known_names |= seen.names
        known_responders |= seen.responders
        for key, (unit, size, matches) in endpoint.by_key().items():
            units[key] = unit
            counts["pool_endpoint", key].append(Corpus(name=name, size=size, matches=matches))
    versions = {"stratum": stratum.VERSION, "pool_endpoint": pool_endpoint.VERSION}
    return CalibrationTable(
        count_row(
            detector=detector,
            version=versions[detector],
            key=key,
            unit=units[key],
            corpora=[row for row in rows if row.size],
            on=clock.today(),
            written_by=f"headframe {__version__} calibrate",
        )
        for (detector, key), rows in counts.items()
        if any(row.size for row in rows)
    )


def _observe(
    corpus: str, index: EndpointIndex, threads: int | None, progress: Callable[[Progress], None] | None
) -> tuple[tuple[int, Counter[str]] | None, ZeekNames]:
    """Content matches by key among the TCP conversations of a corpus (None without captures), and its names."""
    path = Path(corpus)
    with TemporaryDirectory(prefix="headframe-") as scratch:
        if path.is_file() and tarfile.is_tarfile(path):
            unpack(path, Path(scratch))
            path = Path(scratch)
        try:
            captures = expand([str(path)]) if path.is_dir() or not _is_zeek_log(path) else []
        except UnreadableInput:
            captures = []
        try:
            seen = read_zeek_names(path)
        except (OSError, ValueError):
            seen = ZeekNames()
        if not captures:
            if not seen.rows:
                raise UnreadableInput(f"{corpus}: neither captures nor Zeek logs were found in this corpus")
            return None, seen
        size = 0

        def count(conversation: Conversation, _times: object, _sizes: object) -> None:
            nonlocal size
            size += conversation.proto == "tcp" and conversation.orig_bytes + conversation.resp_bytes > 0
            seen.responders.add((conversation.resp_h, conversation.resp_p))

        engine = LocalEngine(index, threads=threads, every_name=True)
        engine.on_closed = count
        facts = engine.run(captures, progress)
    for observation in facts.observations:
        seen.names.update(observation.names)
    keys: Counter[str] = Counter()
    for conversation, session in facts.sessions:
        verdict = stratum.judge(conversation, session)
        if verdict is not None and verdict.role is not None:
            keys[verdict.key] += 1
    return (size, keys), seen


def _is_zeek_log(path: Path) -> bool:
    return ".log" in path.suffixes
