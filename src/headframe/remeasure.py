"""Measures a case's site again: new captures, findings and readings in, a `Measurement` out.

It runs the same detectors as at first, over data of the later window alone, and looks at everything that the site has
by then: every address and every usage point that the registry gives it, not only those of the findings. What a
detector needs is handed in (`scan`), since `headframe.app` loads packets and kernels that readings do not need.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headframe.cases.looked import (
    LEAST_SEEN_AGAIN,
    Chain,
    Look,
    chains_of,
    detectors_that_looked,
    followed,
)
from headframe.cases.question import instant
from headframe.cases.store import StoredFinding
from headframe.cases.verification import (
    DAY_NS,
    EXPORT_DETECTOR,
    NETWORK,
    PRIMARY,
    FoundLoad,
    NetworkDays,
    RegisterFact,
    SiteDays,
    Sources,
    VerificationLimits,
    Windows,
    found_export_in_situ,
    found_in_situ,
    metrics_needed,
    verify,
)
from headframe.errors import HeadframeError, UnreadableInput, fault_words
from headframe.meters import MeterFiles
from headframe.records.assessment import Looked
from headframe.records.case import Case, FindingRef, Measurement
from headframe.records.finding import METERED, Family, Finding, Role
from headframe.records.lawful import LawfulEntry, LawfulKind
from headframe.records.policy import VerificationRule
from headframe.records.scan import LONGEST_SILENCE_S
from headframe.records.site import Assignment, AssignmentKind, ResolutionOutcome
from headframe.records.spans import Span, joined, within
from headframe.sites.registry import EVER_NS, NEVER_NS, Registry
from headframe.sites.resolve import resolve, resolve_usage_point
from headframe.sources.findings import interval_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from headframe.records.reading import HourlySeries, LoadBatch, LocalClock
    from headframe.records.scan import ScanResult
    from headframe.sources.power.surroundings import SurroundingSeries


__all__ = ["RemeasureFiles", "WatchRow", "read_watch", "register_facts", "remeasure", "windows_of"]

NS = 1_000_000_000
HOUR_S, DAY_S = 3600, 86_400
MOST_PEERS = 300
"""Comparable usage points that the baseline and the detectors are given: more change neither."""
LONGEST_HISTORY_DAYS = 800
"""Readings before the mining that a baseline is drawn from. [days]"""
MOST_LEFT_OVER_DAYS = 2
"""Of data that was handed in and lies behind the window. Basis: operator default: a window ends with a whole day, and
files end where they end. [days]"""
MINING_ROLES = frozenset({Role.MINER, Role.PROXY, Role.POOL})
WATCH_COLUMNS = ("start", "end", "address", "conversations")
_Network = IPv4Network | IPv6Network
_ROUND_THE_CLOCK = frozenset({"always_on", "step", "staged", "unmetered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRow:
    """What a sensor says of a stretch of time: that it recorded, and how many conversations an address had.

    Attributes
    ----------
    started_ns, ended_ns : int
        [ns since 1970-01-01 UTC]
    address : str
        Empty: the sensor recorded, whatever was to be seen.
    conversations : int
    """

    started_ns: int
    ended_ns: int
    address: str = ""
    conversations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemeasureFiles:
    """Where the new data is.

    Attributes
    ----------
    captures : tuple of str
        Files or folders, of both windows if there are.
    findings : tuple of Path
        What ``headframe scan --format json`` wrote over the later window.
    watch : tuple of Path
        Tables of what the sensor recorded, for findings without captures: columns `WATCH_COLUMNS`.
    meters : MeterFiles or None
        Readings of both windows, weather, topology.
    registers : tuple of RegisterFact
        What registers said.
    """

    captures: tuple[str, ...] = ()
    findings: tuple[Path, ...] = ()
    watch: tuple[Path, ...] = ()
    meters: MeterFiles | None = None
    registers: tuple[RegisterFact, ...] = field(default=())


def windows_of(case: Case, rule: VerificationRule, documents: Sequence[Mapping[str, object]], until_ns: int) -> Windows:
    """The two windows of a case.

    The later one begins when the party says it has ended it (the last remedy), or so many days before `until_ns` as
    the pack asks for, whichever is later. The earlier one is that of the findings.

    Parameters
    ----------
    case : Case
    rule : VerificationRule
    documents : sequence of mapping
        The findings' documents: they tell since when the load is there.
    until_ns : int
        Up to when there is data. [ns since 1970-01-01 UTC]

    Returns
    -------
    Windows

    Raises
    ------
    HeadframeError
        If the case has no finding of mining, or nothing lies after it.
    """
    mining = [found for found in case.findings if found.stands_out]
    if not mining:
        raise HeadframeError(f"{case.case_id} rests on no finding of mining, so there is nothing to measure again")
    before_from, before_until = min(one.started_ns for one in mining), max(one.ended_ns for one in mining)
    onsets = [ns for ns in (_onset_ns(document, "earliest") for document in documents) if ns is not None]
    latest = [ns for ns in (_onset_ns(document, "latest") for document in documents) if ns is not None]
    clean_until = min(onsets) if onsets else None
    # Readings of the findings may begin long before the mining does.
    if latest and max(latest) < before_until:
        before_from = max(before_from, max(latest))
    told = [remedy.at_ns for remedy in case.remedies]
    from_ns = until_ns - rule.window_days * DAY_NS
    if told:
        from_ns = max(from_ns, max(told))
    before_until = min(before_until, min(told)) if told and min(told) > before_from else before_until
    if from_ns < before_until:
        from_ns = before_until
    if from_ns >= until_ns or before_from >= before_until:
        raise HeadframeError(
            f"{case.case_id}: nothing lies between the end of the findings and the end of the data; hand in newer data"
        )
    return Windows(
        clean_until_ns=clean_until,
        before_from_ns=before_from,
        before_until_ns=before_until,
        after_from_ns=from_ns,
        after_until_ns=until_ns,
    )


def remeasure(
    case: Case,
    registry: Registry,
    assignments: Sequence[Assignment],
    rule: VerificationRule,
    windows: Windows,
    files: RemeasureFiles,
    *,
    documents: Sequence[Mapping[str, object]] = (),
    stored: Sequence[StoredFinding] = (),
    scan: Callable[[Sequence[str]], ScanResult] | None = None,
    zone: tzinfo = UTC,
    now_ns: int = NEVER_NS,
    limits: VerificationLimits | None = None,
    talk: Callable[[str], None] = lambda line: None,
) -> Measurement:
    """Measure a case's site again.

    Parameters
    ----------
    case : Case
    registry : Registry
        With leases and NAT logs, where addresses need them.
    assignments : sequence of Assignment
        Of the site, at any time.
    rule : VerificationRule
        Of the pack.
    windows : Windows
        See `windows_of`.
    files : RemeasureFiles
    documents : sequence of mapping
        The case's findings, for the size of the load.
    stored : sequence of StoredFinding
        Mining that the workspace knows of since the last remedy, and the case does not
        (`headframe.casework.found_since`).
    scan : callable, optional
        From captures to findings: ``headframe.app.scan``. Without it captures are only counted, not searched.
    zone : datetime.tzinfo
        In which days begin.
    now_ns : int
        What is dated later than this is no data. [ns since 1970-01-01 UTC]
    limits : VerificationLimits, optional
    talk : callable
        Takes a line about what goes on.

    Returns
    -------
    Measurement

    Raises
    ------
    UnreadableInput
        If a file cannot be read.
    """
    own = [one for one in assignments if one.site_id == case.site_id]
    before = (windows.before_from_ns, windows.before_until_ns)
    after = (windows.after_from_ns, windows.after_until_ns)
    missing: list[str] = []
    new: list[FindingRef] = []
    detectors: list[str] = []
    replaced: list[str] = []
    network = None
    known = _known_since(case, registry, windows, stored, missing)
    if files.captures or files.findings or files.watch:
        talk("looking at the site's traffic")
        network, found, ran, told = _network(
            case, registry, own, rule, windows, files, documents, known, scan, zone, now_ns, missing
        )  # fmt: skip
        new += found
        detectors += ran
        replaced += told
    load, found_load, found_export = None, None, None
    if files.meters is not None:
        talk("looking at the site's readings")
        load, found, ran, told, elsewhere = _load(
            case, own, registry, windows, files.meters, now_ns, rule.min_coverage, missing
        )  # fmt: skip

        new += found
        detectors += ran
        replaced += told
        found_load = _found_load([one for one in documents if not _is_export(one)], load, windows)
        found_export = _found_export([one for one in documents if _is_export(one)], load, windows)
        _asked_about(elsewhere, (found_load, found_export), limits or VerificationLimits(), missing)
    handed_in = {one.sha256 for one in new}
    new += [one for one in known if one.ended_ns > after[0] and one.sha256 not in handed_in]
    places = sorted(f"{one.kind} {one.value}" for one in own if _touches(one, after) and not _touches(one, before))
    _, needed = metrics_needed(case.findings, rule)
    if "pool_connections" in needed and network is None:
        missing.append("captures of the later window, or findings with a table of what the sensor recorded")
    if load is None and any(name.startswith(("kWh", "load", "peer", "feeder", "export")) for name in needed):
        missing.append("readings of the site's usage points in both windows")
    sources = Sources(
        load=load, found=found_load, found_export=found_export, network=network, registers=files.registers,
        new_findings=tuple(new), detectors=tuple(detectors), missing=tuple(dict.fromkeys(missing)),
        places=tuple(places),
    )  # fmt: skip
    measured = verify(case.findings, rule, windows, sources, limits or VerificationLimits())
    if places:
        more = f" The site has {', '.join(places[:5])} now, which it had not before; it is in the sum."
        measured = replace(measured, explanation=measured.explanation + more)
    if replaced:
        measured = replace(measured, explanation=" ".join([measured.explanation, *replaced[:5]]))
    return measured


def register_facts(
    rule: VerificationRule, entries: Sequence[LawfulEntry], states: Mapping[str, int], windows: Windows
) -> tuple[RegisterFact, ...]:
    """What the registers say of a site at the end of each window, for the metrics that are about being registered.

    Parameters
    ----------
    rule : VerificationRule
    entries : sequence of LawfulEntry
        That name the site, its organisation or its usage points.
    states : mapping of str to int
        Each register, with the time of its state. [ns since 1970-01-01 UTC]
    windows : Windows

    Returns
    -------
    tuple of RegisterFact
        Empty where the pack asks for none, or no register was imported.
    """
    wanted = [name for name in rule.metrics if name in PRIMARY[Family.REGISTRY]]
    kept = [one for one in entries if one.kind in (LawfulKind.LICENCE, LawfulKind.REGISTRATION)]

    def valid(at_ns: int) -> list[LawfulEntry]:
        return [
            one
            for one in kept
            if (one.valid_from_ns is None or one.valid_from_ns <= at_ns)
            and (one.valid_until_ns is None or one.valid_until_ns > at_ns)
        ]

    # The last instant of a window, which is half open.
    before, after = valid(windows.before_until_ns - 1), valid(windows.after_until_ns - 1)
    asked = {name: at_ns for name, at_ns in states.items() if not after or name in {one.register for one in after}}
    if not wanted or not asked:
        return ()
    register, state_ns = max(asked.items(), key=lambda item: (item[1], item[0]))
    return tuple(
        RegisterFact(
            metric=name, register=register, state_ns=state_ns, listed_before=bool(before), listed_after=bool(after)
        )
        for name in wanted
    )


# Network --------------------------------------------------------------------------------------------------------------


def _network(
    case: Case,
    registry: Registry,
    own: Sequence[Assignment],
    rule: VerificationRule,
    windows: Windows,
    files: RemeasureFiles,
    documents: Sequence[Mapping[str, object]],
    known: Sequence[FindingRef],
    scan: Callable[[Sequence[str]], ScanResult] | None,
    zone: tzinfo,
    now_ns: int,
    missing: list[str],
) -> tuple[NetworkDays, list[FindingRef], list[str], list[str]]:
    """Days of both windows, mining that was found since the remedy, detectors that looked, what took a place."""
    findings: list[Finding] = []
    watch: list[WatchRow] = [row for path in files.watch for row in read_watch(path, zone)]
    said = joined((row.started_ns, row.ended_ns) for row in watch if not row.address)
    looks: list[Look] = []
    for path in files.findings:
        from headframe.sources.findings import read_findings

        read = read_findings(path)
        findings += read.findings
        if read.looked is None:
            missing.append(
                f"what {path.name} looked at: it names neither detectors nor a period; hand in what headframe scan "
                "--format json writes, of schema 1.4 or later"
            )
        else:
            looks.append(Look(name=path.name, looked=read.looked, timing_tested=read.timing_tested or 0))
        if not files.watch and not files.captures:
            missing.append(
                f"{path.name} tells which findings there are, not whether the site could be seen; hand in the captures "
                f"or a table of what the sensor recorded ({', '.join(WATCH_COLUMNS)})"
            )
    if files.captures:
        watch += _watched(files.captures)
        if scan is not None:
            result = scan(files.captures)
            findings += result.findings
            recorded = joined((span for one in result.inputs for span in one.recorded), LONGEST_SILENCE_S * NS)
            looked = Looked(detectors=result.detectors, recorded=tuple(recorded), clocks=result.clocks)
            looks.append(Look(name="the captures", looked=looked, timing_tested=result.timing_tested))
    window = (windows.after_from_ns, windows.after_until_ns)
    ran = detectors_that_looked(
        looks, said, case.findings, chains_of(documents), window, rule.min_coverage, missing
    )  # fmt: skip
    ends = [row.ended_ns for row in watch] + [end for look in looks for _, end in look.looked.recorded]
    _all_of_it(min(max(ends, default=0), now_ns), windows, missing)
    site = _SiteOf(case.site_id, registry)
    hosts = _hosts_of(case, own, registry, windows, missing)
    mining = [one for one in findings if one.role in MINING_ROLES]
    at_site = [one for one in mining if site.holds(one.host, one.started_ns)]
    # Where the mining was found, and nobody else is known to be now, it is still the same.
    at_site += [one for one in mining if one.host in hosts and site.is_nobodys(one.host, one.started_ns)]
    unknown = {one.host for one in mining if one not in at_site and site.is_open(one.host, one.started_ns)}
    if unknown:
        missing.append(f"whose {', '.join(sorted(unknown)[:3])} was: mining was found there, and no site is known")
    for host in sorted({one.host for one in mining if one.host in hosts and one.ended_ns > window[0]}):
        if not any(one.host == host for one in at_site):
            missing.append(_who_is_at(host))
    # Whatever the end of the window is: what is known of the time after it counts.
    later = [one for one in at_site if one.ended_ns > window[0]]
    _since_the_remedy(case, [(one.host, one.ended_ns) for one in at_site], windows, missing)
    seen = [(one.started_ns, one.ended_ns, max(len(one.community_ids), 1)) for one in at_site]
    seen += [(one.started_ns, one.ended_ns, 1) for one in known if one.family in NETWORK]
    days = _network_days(case, windows, watch, seen, site, zone)
    days = replace(days, vouched=_vouched(hosts, watch, looks, site, days, windows, rule, missing))
    return days, [_ref(one) for one in later], ran, [told for host in hosts.values() for told in host.told]


def _all_of_it(end_ns: int, windows: Windows, missing: list[str]) -> None:
    """Nobody stops measuring where the mining begins again: the window goes on for as long as there is data."""
    if end_ns > windows.after_until_ns + MOST_LEFT_OVER_DAYS * DAY_NS:
        missing.append(
            f"the days after {instant(windows.after_until_ns)}: data until {instant(end_ns)} were handed in; measure "
            "up to there (--until)"
        )


def _who_is_at(name: str) -> str:
    return f"who is at {name}, where mining was found before and again: the registry gives it to another site now"


def _known_since(
    case: Case, registry: Registry, windows: Windows, stored: Sequence[StoredFinding], missing: list[str]
) -> list[FindingRef]:
    """What the workspace knows of mining at the site since the remedy; what is not the site's there is asked about."""
    site = _SiteOf(case.site_id, registry)
    known, theirs = [], set()
    for one in stored:
        ref = one.ref
        if one.site_id == case.site_id:
            known.append(ref)
        elif one.site_id:
            theirs |= {ref.subject} if ref.ended_ns > windows.after_from_ns else set()
        elif ref.family in METERED or site.is_nobodys(ref.subject, ref.started_ns):
            known.append(ref)
        else:
            missing.append(f"whose {ref.subject} was: mining was found there, and no site is known")
    missing += [_who_is_at(name) for name in sorted(theirs)]
    _since_the_remedy(case, [(one.subject, one.ended_ns) for one in known], windows, missing)
    return known


def _since_the_remedy(case: Case, found: Sequence[tuple[str, int]], windows: Windows, missing: list[str]) -> None:
    """Mining (where, until when) after the last remedy and before the window: that remedy did not end it."""
    if not case.remedies:
        return
    remedy_ns = max(one.at_ns for one in case.remedies)
    since = [(ended_ns, host) for host, ended_ns in found if remedy_ns + DAY_NS < ended_ns <= windows.after_from_ns]
    if since:
        ended_ns, host = max(since)
        missing.append(
            f"what ended the mining at {host}, which went on until {instant(ended_ns)}, after the remedy of "
            f"{instant(remedy_ns)}: record what the party did since (case remedy)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Host:
    """An address at which the case's mining was found, and the networks that stand for it in the later window."""

    networks: tuple[_Network, ...]
    replaced: bool = False
    told: tuple[str, ...] = ()


def _hosts_of(
    case: Case, own: Sequence[Assignment], registry: Registry, windows: Windows, missing: list[str]
) -> dict[str, _Host]:
    """Addresses of the case's findings, with where they are in the later window by the registry."""
    subjects = {
        one.subject: one.ended_ns for one in case.findings if one.stands_out and one.family in NETWORK
    }  # fmt: skip
    window = (windows.after_from_ns, windows.after_until_ns)
    spans: dict[str, list[Span]] = defaultdict(list)
    for one in own:
        if one.kind in (AssignmentKind.PREFIX, AssignmentKind.ADDRESS):
            spans[one.value].append(_span(one))
    hosts = {}
    for subject, seen_ns in sorted(subjects.items()):
        try:
            address = ip_address(subject)
        except ValueError:
            continue
        own_of_it = [name for name in spans if address in ip_network(name)]
        then = [name for name in own_of_it if any(start < seen_ns <= end for start, end in spans[name])]
        around = ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False)
        networks = [ip_network(name) for name in then if ip_network(name).prefixlen < address.max_prefixlen] or [around]
        nearest = max(networks, key=lambda network: network.prefixlen)
        place = nearest if nearest.prefixlen > around.prefixlen else around
        # Without a row of its own it came from a lease or a NAT log: then another host may have it by now.
        if not then or _is_the_sites(subject, window, case.site_id, registry):
            hosts[subject] = _Host(networks=(place,))
            continue
        held = {name: within_one for name, within_one in spans.items() if name not in own_of_it}
        mine = [piece for name in own_of_it for piece in spans[name] if piece[0] < window[1]]
        chains, _ = followed({subject}, {**held, subject: mine}, window)
        chain = chains[subject]
        if chain.whole and len(chain.names) > 1:
            told = f"{chain.names[-1]} stands for {subject}, by the registry."
            hosts[subject] = _Host(
                networks=tuple(ip_network(name) for name in chain.names[1:]), replaced=True, told=(told,)
            )
            continue
        missing.append(
            f"where the host of {subject} is: mining was found there, and the address is not the site's for all of the "
            "later window; import the registry with what it has instead, or correct the date"
        )
        hosts[subject] = _Host(networks=(place,))
    return hosts


def _is_the_sites(address: str, window: Span, site_id: str, registry: Registry) -> bool:
    answer = resolve(address, None, window, registry)
    return answer.outcome is ResolutionOutcome.RESOLVED and answer.site_id == site_id


def _vouched(
    hosts: Mapping[str, _Host],
    watch: Sequence[WatchRow],
    looks: Sequence[Look],
    site: _SiteOf,
    days: NetworkDays,
    windows: Windows,
    rule: VerificationRule,
    missing: list[str],
) -> NDArray[np.bool_] | None:
    """Days on which each host that mined was seen, or hosts that were seen beside it before.

    A machine that was taken away is seen no more, and neither is one that the sensor was moved away from. What was
    seen beside it before tells the two apart.
    """
    import numpy as np

    if not hosts:
        return None
    border_ns = np.append(days.day_start_s, days.day_start_s[-1] + DAY_S) * NS
    before: set[str] = set()
    after: dict[str, set[int]] = defaultdict(set)
    earlier = False
    for row in watch:
        early = row.started_ns < windows.before_until_ns
        earlier |= early
        if not row.address or not row.conversations or not site.holds(row.address, row.started_ns):
            continue
        if early:
            before.add(row.address)
        elif row.ended_ns > windows.after_from_ns and row.started_ns < windows.after_until_ns:
            after[row.address].add(int(np.searchsorted(border_ns, row.started_ns, "right")) - 1)
    every = np.ones(days.day_start_s.size, bool)
    for subject, host in hosts.items():
        if host.replaced:
            voices = {one for one in after if _in_any(one, host.networks)}
        else:
            beside = {one for one in before if one not in hosts and _in_any(one, host.networks)}
            again = beside & after.keys()
            vouching = bool(again) and len(again) >= LEAST_SEEN_AGAIN * len(beside)
            voices = {subject} | (again if vouching else set())
            if subject not in after and not vouching:
                if earlier and beside:
                    why = f"of {len(beside)} neighbours that were seen before, {len(again)} were seen again; hand in "
                    why += "captures from where they are seen"
                elif earlier:
                    why = "it was not seen, and no neighbour was seen beside it before; have somebody look"
                else:
                    why = "it was not seen, and it is not known which neighbours were seen beside it before; hand in "
                    why += "captures or a table of the earlier window too"
                missing.append(f"whether the sensor still sees {subject}: {why}")
        there = np.zeros(every.size, bool)
        for one in voices:
            there[sorted(after.get(one, ()))] = True
        every &= there
        _seen_by_scans(subject, host, looks, days, windows, rule, missing)
    return np.where(border_ns[:-1] < windows.before_until_ns, True, every)


def _seen_by_scans(
    subject: str,
    host: _Host,
    looks: Sequence[Look],
    days: NetworkDays,
    windows: Windows,
    rule: VerificationRule,
    missing: list[str],
) -> None:
    """Files of findings must come from where the host's network is seen, too."""
    import numpy as np

    told = [look for look in looks if look.name != "the captures"]
    if not told or not any(look.looked.recorded for look in told):
        return
    seen = {row.day for look in told for row in look.looked.seen if _in_any(row.prefix, host.networks)}
    inside = (days.day_start_s * NS >= windows.after_from_ns) & (days.day_start_s * NS < windows.after_until_ns)
    working = days.day_start_s[inside & ~days.day_off]
    if not working.size:
        return
    # A day of the site touches two of UTC.
    met = [
        any(datetime.fromtimestamp(start + part, UTC).date().isoformat() in seen for part in (0, DAY_S - 1))
        for start in working.tolist()
    ]
    if (share := float(np.mean(met))) < rule.min_coverage:
        missing.append(
            f"whether the scan saw the network of {subject}: it did on {share:.0%} of the working days; hand in scans "
            "of captures from where it is seen"
        )


def _in_any(name: str, networks: Sequence[_Network]) -> bool:
    try:
        one = ip_network(name)
    except ValueError:
        return False
    return any(one.version == other.version and one.overlaps(other) for other in networks)


class _SiteOf:
    """Whether an address belonged to a site at a time; asked often, so answers are kept by address and hour."""

    def __init__(self, site_id: str, registry: Registry) -> None:
        self._site_id, self._registry = site_id, registry
        self._known: dict[tuple[str, int], tuple[bool, bool, bool]] = {}

    def holds(self, address: str, at_ns: int) -> bool:
        """True where the site alone had it."""
        return self._asked(address, at_ns)[0]

    def is_open(self, address: str, at_ns: int) -> bool:
        """True where it may have been the site's, among others."""
        return self._asked(address, at_ns)[1]

    def is_nobodys(self, address: str, at_ns: int) -> bool:
        """True where the registry gives it to no site."""
        return not self._asked(address, at_ns)[2]

    def _asked(self, address: str, at_ns: int) -> tuple[bool, bool, bool]:
        key = (address, at_ns // (HOUR_S * NS))
        if key not in self._known:
            try:
                answer = resolve(address, None, (at_ns, at_ns), self._registry)
            except ValueError:
                self._known[key] = (False, False, False)
            else:
                mine = answer.outcome is ResolutionOutcome.RESOLVED and answer.site_id == self._site_id
                several = any(self._site_id in stretch.site_ids for stretch in answer.stretches)
                known = any(stretch.site_ids for stretch in answer.stretches)
                self._known[key] = (mine, several and not mine, known)
        return self._known[key]


def _watched(captures: Sequence[str]) -> Iterator[WatchRow]:
    """What captures cover, and the conversations of each address in them."""
    from headframe.detectors.network.pool_endpoint import EndpointIndex
    from headframe.engines.local import LocalEngine
    from headframe.records.conversation import Conversation
    from headframe.sources.network.capture import expand

    seen: dict[tuple[str, int], int] = defaultdict(int)

    def count(conversation: Conversation, _times: object, _sizes: object) -> None:
        first, last = (at // (DAY_S * NS // 24) for at in (conversation.started_ns, conversation.ended_ns))
        for address in (conversation.orig_h, conversation.resp_h):
            # A conversation that lasts is there in every hour of it.
            for hour in range(first, last + 1):
                seen[address, hour] += 1

    engine = LocalEngine(EndpointIndex([]), content_blind=True)
    engine.on_closed = count
    facts = engine.run(expand(captures))
    # A file that begins where another ends goes on with it; a silence within one was not recorded.
    recorded = joined((span for one in facts.inputs for span in one.recorded), LONGEST_SILENCE_S * NS)
    rows = [WatchRow(started_ns=start, ended_ns=end) for start, end in recorded]
    rows += [
        WatchRow(started_ns=hour * HOUR_S * NS, ended_ns=(hour + 1) * HOUR_S * NS, address=address, conversations=k)
        for (address, hour), k in sorted(seen.items())
    ]
    return iter(rows)


def read_watch(path: Path, zone: tzinfo = UTC) -> list[WatchRow]:
    """A table of what a sensor recorded: ``start,end,address,conversations``, CSV.

    A row without an address says that the sensor recorded in that time; one with an address, how many conversations
    the address had. ``zeek-cut`` over a connection log, summed by hour, gives such a table.

    Parameters
    ----------
    path : Path
    zone : datetime.tzinfo
        Of times without an offset.

    Returns
    -------
    list of WatchRow

    Raises
    ------
    UnreadableInput
        If a column is missing, or a row cannot be understood.
    """
    from headframe.sources.registry.values import time_ns

    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if lacking := [name for name in WATCH_COLUMNS if name not in (reader.fieldnames or ())]:
                raise UnreadableInput(f"{path}: column {lacking[0]} is missing; expected {', '.join(WATCH_COLUMNS)}")
            rows = []
            for number, row in enumerate(reader, 2):
                try:
                    start, end = time_ns(row["start"] or "", zone), time_ns(row["end"] or "", zone)
                    if start is None or end is None or end <= start:
                        raise ValueError("start and end are instants, the end after the start")
                    many = int(row["conversations"] or 0)
                    if many < 0:
                        raise ValueError(f"conversations is {many}; expected 0 or more")
                    rows.append(
                        WatchRow(
                            started_ns=start, ended_ns=end, address=(row["address"] or "").strip(), conversations=many
                        )
                    )
                except ValueError as fault:
                    raise UnreadableInput(f"{path} row {number}: {fault}") from fault
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise UnreadableInput(f"{path}: cannot be read: {fault_words(fault)}") from fault


def _network_days(
    case: Case,
    windows: Windows,
    watch: Sequence[WatchRow],
    mining: Sequence[tuple[int, int, int]],
    site: _SiteOf,
    zone: tzinfo,
) -> NetworkDays:
    """Days of both windows; `mining` from when until when it was seen, in how many conversations."""
    import numpy as np

    starts = _local_days(windows, zone)
    n = len(starts) - 1
    border_ns = np.array([int(day.timestamp()) for day in starts], np.int64) * NS
    recorded = np.zeros(n)
    conversations, elsewhere, found = (np.zeros(n, np.int64) for _ in range(3))

    def days_of(start_ns: int, end_ns: int) -> range:
        first = int(np.searchsorted(border_ns, start_ns, "right")) - 1
        last = int(np.searchsorted(border_ns, max(end_ns - 1, start_ns), "right")) - 1
        return range(max(first, 0), min(last, n - 1) + 1)

    spans = joined((row.started_ns, row.ended_ns) for row in watch if not row.address)
    for start, end in spans:
        for k in days_of(start, end):
            inside = min(end, border_ns[k + 1]) - max(start, border_ns[k])
            recorded[k] += max(int(inside), 0) / int(border_ns[k + 1] - border_ns[k])
    for row in watch:
        if row.address:
            tally = conversations if site.holds(row.address, row.started_ns) else elsewhere
            for k in days_of(row.started_ns, row.ended_ns)[:1]:
                tally[k] += row.conversations
    for start, end, many in mining:
        for k in days_of(start, end):
            found[k] += many
    # The case's own findings say when mining was seen. Where what was recorded beside them is not known, only the time
    # that they cover counts.
    known = [one for one in case.findings if one.mining and one.family in NETWORK]
    for start, end in joined((one.started_ns, one.ended_ns) for one in known):
        for k in days_of(start, min(end, windows.before_until_ns)) if start < windows.before_until_ns else ():
            inside = min(end, border_ns[k + 1]) - max(start, border_ns[k])
            recorded[k] = max(recorded[k], max(int(inside), 0) / int(border_ns[k + 1] - border_ns[k]))
            conversations[k] = max(int(conversations[k]), 1)
            found[k] = max(int(found[k]), 1)
    off = np.array([day.weekday() >= 5 for day in starts[:-1]], bool)
    return NetworkDays(
        day_start_s=border_ns[:-1] // NS,
        recorded=np.minimum(recorded, 1.0),
        conversations=conversations,
        elsewhere=elsewhere,
        mining=found,
        day_off=off,
    )


def _local_days(windows: Windows, zone: tzinfo) -> list[datetime]:
    """Local midnights from before the first window to after the last."""
    first, last = (
        datetime.fromtimestamp(at // NS, zone).replace(hour=0, minute=0, second=0, microsecond=0)
        for at in (windows.before_from_ns, windows.after_until_ns)
    )
    days = (last.date() - first.date()).days + 1
    return [datetime.combine(first.date() + timedelta(days=k), datetime.min.time(), zone) for k in range(days + 1)]


def _ref(found: Finding) -> FindingRef:
    from headframe.reports.document import finding_document, finding_id

    document = finding_document(found)
    sha256 = _digest(document)
    return FindingRef(
        finding_id=finding_id(document), family=found.family, detector=found.detector, version=found.version,
        subject=found.host, log10_e=found.log10_e, started_ns=found.started_ns, ended_ns=found.ended_ns, sha256=sha256,
        mining=True,
    )  # fmt: skip


def _digest(document: Mapping[str, object]) -> str:
    from headframe.ledger.leaf import document_digest

    return document_digest(json.loads(json.dumps(document)))


# Load -----------------------------------------------------------------------------------------------------------------


def _load(
    case: Case,
    own: Sequence[Assignment],
    registry: Registry,
    windows: Windows,
    files: MeterFiles,
    now_ns: int,
    least: float,
    missing: list[str],
) -> tuple[SiteDays | None, list[FindingRef], list[str], list[str], dict[str, float]]:
    """The site's days, what the detectors find in the later window, those that ran, and meters that were changed.

    Last, what is read at meters that were the site's and are another site's now. [W]
    """
    import numpy as np

    from headframe.cases.site_days import site_days
    from headframe.meters import local_clock, open_readings

    after = (windows.after_from_ns, windows.after_until_ns)
    spans = _points(case, own, registry, windows)
    if not spans:
        # Without evidence from meters nothing is missing: the readings that were handed in are of other sites.
        if any(found.stands_out and found.family in METERED for found in case.findings):
            missing.append("a usage point of the site: the registry names none")
        return None, [], [], [], {}
    told: list[str] = []
    with ExitStack() as stack:
        readings = open_readings(files, stack, lambda line: None)
        there = readings.usage_points()
        covers_s = readings.covers_s()
        _all_of_it(0 if covers_s is None else min(covers_s[1] * NS, now_ns), windows, missing)
        start_s, end_s = _grid(covers_s, windows)
        hours = (end_s - start_s) // HOUR_S
        if hours <= 0:
            missing.append("readings of the windows: none of the tables reaches into them")
            return None, [], [], told, {}
        names = [name for name in spans if name in there]
        if lacking := sorted(set(spans) - set(names)):
            missing.append(f"readings of {', '.join(lacking[:3])}, which belongs to the site")
        table = _hours(readings.batches(names, as_measured=False), start_s, int(hours))
        instants_ns = (start_s + HOUR_S * np.arange(int(hours), dtype=np.int64)) * NS
        later = (instants_ns >= after[0]) & (instants_ns < after[1])
        read = {name for name, power in table.items() if later.any() and np.isfinite(power[later]).mean() >= least}
        chains, heirs, words = _changes(case, spans, registry, windows, read)
        told += words
        for name, chain in chains.items():
            if not chain.whole:
                missing.append(
                    f"what the meter of {name} counts now: it is not the site's for all of the later window, and the "
                    "registry names no meter in its place; import the registry with the one that took it, correct the "
                    "date, or hand in its readings where it is nobody else's"
                )
        nothing = np.full(int(hours), np.nan)
        power = {name: table.get(name, nothing) for name in spans}
        during = {name: _during(instants_ns, mine) for name, mine in spans.items()}
        total = np.zeros(int(hours))
        for name in spans:
            if name not in chains and name not in heirs:
                # What the site does not have yet, or not any more, is no part of it, and not missing.
                total += np.where(during[name], power[name], 0.0)
        for chain in chains.values():
            both = np.array([power[name] for name in chain.names])
            covered = np.array([during[name] for name in chain.names])
            summed = np.where(covered, both, 0.0).sum(axis=0)
            # A meter that the case rests on, and that nobody reads any more, is missing, and never 0.
            begun = instants_ns >= min(start for start, _ in chain.spans) if chain.spans else False
            total += np.where(~covered.any(axis=0) & begun, np.nan, summed)
        gone = _gone(case, spans, registry, windows, instants_ns)
        for name, (nobodys, _) in gone.items():
            # Whatever stands in its place: what is read at it, and is nobody else's, is still there.
            on = np.where(nobodys, np.nan_to_num(power[name]), 0.0)
            total += on
            if on.any():
                told.append(_counts_on(name))
        others = _others(there, set(spans))
        peer_table = _hours(readings.batches(others, as_measured=False), start_s, int(hours))
        clock = local_clock(files, start_s, end_s)
        weather = None if files.weather is None else _weather(files)
        fed_in = _hours(readings.exports(), start_s, int(hours))
        export_w, export_peers_w = _exports(fed_in, during, {name: nobodys for name, (nobodys, _) in gone.items()})
        resource_kind, resource = _resource(weather, export_w, start_s, clock)
        balance_w = _balance(files, set(spans), readings, start_s, int(hours))
        days = site_days(
            total, start_s, clock,
            temperature_c=None if weather is None else weather.temperature_c, peers_w=_peers(peer_table),
            balance_w=balance_w, usage_points=tuple(sorted(spans)),
            export_w=export_w, resource=resource, resource_kind=resource_kind, export_peers_w=export_peers_w,
        )  # fmt: skip
        refs = _load_findings(
            {**peer_table, **table}, fed_in, set(names), clock, start_s, windows, weather, files.country
        )
        elsewhere = {
            name: max(_highest(table.get(name), theirs), _highest(fed_in.get(name), theirs))
            for name, (_, theirs) in gone.items()
        }
    ran = [] if refs is None else _load_detectors(balance=balance_w is not None, exports=export_w is not None)
    return days, refs or [], ran, told, elsewhere


def _points(
    case: Case, own: Sequence[Assignment], registry: Registry, windows: Windows
) -> dict[str, list[Span]]:  # fmt: skip
    """Every usage point that is or was the site's, with when; those that the case or its findings name among them."""
    spans: dict[str, list[Span]] = defaultdict(list)
    for one in own:
        if one.kind is AssignmentKind.USAGE_POINT:
            spans[one.value].append(_span(one))
    subjects = [one.subject for one in case.findings if one.stands_out and one.family in METERED]
    for name in (*case.usage_points, *subjects):
        if name not in spans:
            # The registry does not name it as the site's any more: it is, up to where another site has it.
            answer = resolve_usage_point(name, (windows.after_from_ns, windows.after_until_ns), registry)
            elsewhere = any(stretch.site_ids for stretch in answer.stretches)
            spans[name] = [(EVER_NS, windows.after_from_ns if elsewhere else NEVER_NS)]
    return dict(spans)


def _named_points(case: Case, spans: Mapping[str, Sequence[Span]], windows: Windows) -> set[str]:
    """Usage points that must be there in the later window: the case's, its findings', and all that it had before."""
    named = {*case.usage_points, *(one.subject for one in case.findings if one.stands_out)} & spans.keys()
    before = (windows.before_from_ns, windows.before_until_ns)
    return named | {name for name, mine in spans.items() if within(mine, *before)}


def _changes(
    case: Case, spans: dict[str, list[Span]], registry: Registry, windows: Windows, read: Collection[str]
) -> tuple[dict[str, Chain], frozenset[str], list[str]]:
    """What took the place of which meter; one that left, is nobody else's and is read on, counts on (into `spans`)."""
    after = (windows.after_from_ns, windows.after_until_ns)
    named = _named_points(case, spans, windows)
    chains, heirs = followed(named, spans, after)
    words = []
    for chain in chains.values():
        last = chain.names[-1]
        if not chain.whole and last in read:
            answer = resolve_usage_point(last, after, registry)
            if not any(set(stretch.site_ids) - {case.site_id} for stretch in answer.stretches):
                spans[last] = [(min(start for start, _ in spans[last]), NEVER_NS)]
                words.append(_counts_on(last))
    chains, heirs = followed(named, spans, after) if words else (chains, heirs)
    words += [
        f"{new} stands for {old}, by the registry."
        for chain in chains.values()
        for old, new in zip(chain.names, chain.names[1:], strict=False)
    ]
    return chains, heirs, words


def _counts_on(name: str) -> str:
    return f"{name} left the site by the registry, and is nobody else's; its readings count on."


def _gone(
    case: Case,
    spans: Mapping[str, Sequence[Span]],
    registry: Registry,
    windows: Windows,
    instants_ns: NDArray[np.int64],
) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Usage points that were the site's and are not for some of the later window: hours that are nobody's, another's.

    Those of the case, of its findings, and all that the site had at any time since the earlier window began. Whether
    another meter took the place of one is no matter: that says nothing of what is read at this one.
    """
    import numpy as np

    after = (windows.after_from_ns, windows.after_until_ns)
    named = {*case.usage_points, *(one.subject for one in case.findings if one.stands_out)}
    later = (instants_ns >= after[0]) & (instants_ns < after[1])
    gone = {}
    for name, mine in spans.items():
        if name not in named and not within(mine, windows.before_from_ns, windows.after_until_ns):
            continue
        away = later & ~_during(instants_ns, mine)
        if name not in named:
            # What the site has got since was somebody else's before.
            away &= instants_ns >= min(start for start, _ in mine)
        if not away.any():
            continue
        answer = resolve_usage_point(name, after, registry)
        others = [
            (one.started_ns, one.ended_ns) for one in answer.stretches if set(one.site_ids) - {case.site_id}
        ]  # fmt: skip
        theirs = away & _during(instants_ns, others)
        gone[name] = (np.asarray(away & ~theirs, bool), np.asarray(theirs, bool))
    return gone


def _highest(power_w: NDArray[np.float64] | None, hours: NDArray[np.bool_]) -> float:
    """The highest mean of three hours of the day, over some hours; 0 where less than a day of them is known. [W]"""
    import numpy as np

    if power_w is None:
        return 0.0
    known = np.flatnonzero(hours & np.isfinite(power_w))
    if known.size < 24:
        return 0.0
    # Machines that run at night alone are as much there.
    parts = known % 24 // 3
    return max(float(power_w[known[parts == part]].mean()) for part in np.unique(parts))


def _asked_about(
    elsewhere: Mapping[str, float], found: Iterable[FoundLoad | None], limits: VerificationLimits, missing: list[str]
) -> None:
    """What is read at a meter that went to another site may be the same machines: it is never silently out."""
    least = min((limits.share * one.power_w.estimate for one in found if one is not None), default=None)
    for name, power_w in sorted(elsewhere.items()):
        if least is not None and power_w > least:
            missing.append(
                f"whose load is read at {name}: it was the site's, the registry gives it to another site now, and it "
                f"shows {power_w / 1000:.1f} kW; correct the registry, or have somebody look whose machines they are"
            )


def _during(instants_ns: NDArray[np.int64], spans: Sequence[Span]) -> NDArray[np.bool_]:
    import numpy as np

    there = np.zeros(instants_ns.size, bool)
    for start, end in spans:
        there |= (instants_ns >= start) & (instants_ns < end)
    return there


def _grid(covers_s: tuple[int, int] | None, windows: Windows) -> tuple[int, int]:
    """Whole hours from as long before the mining as helps to the end of the later window."""
    first = windows.before_from_ns // NS - LONGEST_HISTORY_DAYS * DAY_S
    last = windows.after_until_ns // NS
    if covers_s is not None:
        first, last = max(first, covers_s[0]), min(last, covers_s[1])
    return first // HOUR_S * HOUR_S, -(-last // HOUR_S) * HOUR_S


def _hours(batches: Iterable[LoadBatch], start_s: int, hours: int) -> dict[str, NDArray[np.float64]]:
    """Hourly power of each usage point on one grid of hours; NaN where missing. [W]"""
    import numpy as np

    table: dict[str, NDArray[np.float64]] = {}
    for batch in batches:
        if batch.step_s != HOUR_S:
            continue
        for k, name in enumerate(batch.usage_points):
            power = batch.power_w[batch.first[k] : batch.first[k + 1]]
            at = (int(batch.start_s[k]) - start_s) // HOUR_S
            low, high = max(at, 0), min(at + power.size, hours)
            if low < high:
                row = table.setdefault(name, np.full(hours, np.nan))
                piece = power[low - at : high - at].astype(np.float64)
                row[low:high] = np.where(np.isfinite(piece), piece, row[low:high])
    return table


def _others(there: Collection[str], own: Collection[str]) -> list[str]:
    """Some usage points that are not the site's, evenly over their names."""
    names = sorted(name for name in there if name not in own)
    return names[:: max(len(names) // MOST_PEERS, 1)][:MOST_PEERS]


def _peers(table: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64] | None:
    """Middle of comparable points, each over its mean; None where there are fewer than ten."""
    import numpy as np

    rows = [power / mean for power in table.values() if (mean := float(np.nanmean(power))) > 0]
    if len(rows) < 10:
        return None
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an hour that nobody has is NaN, and says so
        return np.asarray(np.nanmedian(np.array(rows), axis=0), np.float64)


def _exports(
    fed_in: Mapping[str, NDArray[np.float64]],
    points: Mapping[str, NDArray[np.bool_]],
    counts_on: Mapping[str, NDArray[np.bool_]],
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """What the site's points feed in together, and what is typical of others'; None where nobody does. [W]"""
    import numpy as np

    table = {name: power for name, power in fed_in.items() if np.nan_to_num(power).any()}
    own = None
    for name in points:
        if name in table:
            power = np.where(points[name], table[name], 0.0)
            if name in counts_on:
                power += np.where(counts_on[name], np.nan_to_num(table[name]), 0.0)
            own = power if own is None else own + power
    return own, _peers({name: power for name, power in table.items() if name not in points})


def _resource(
    weather: SurroundingSeries | None, export_w: NDArray[np.float64] | None, start_s: int, clock: LocalClock
) -> tuple[str, HourlySeries | None]:
    """What the site's generator lives on, of all that the weather table tells: what its feed-in follows best."""
    if export_w is None or weather is None:
        return "", None
    import numpy as np

    from headframe.detectors.power import export_drop
    from headframe.meters import resources_in
    from headframe.records.reading import LoadBatch

    batch = LoadBatch(
        usage_points=("site",), first=np.array([0, export_w.size], np.int64), start_s=np.array([start_s], np.int64),
        step_s=HOUR_S, power_w=export_w.astype(np.float32),
    )  # fmt: skip
    found = resources_in(weather)
    followed = [float(export_drop.followed(batch, series, clock=clock)[0]) for _, series in found]
    best = max(range(len(found)), key=followed.__getitem__, default=None)
    if best is None or followed[best] < export_drop.LEAST_FOLLOWED:
        return "", None
    return found[best]


def _weather(files: MeterFiles) -> SurroundingSeries:
    from headframe.meters import read_weather
    from headframe.sources.power.options import ReadingOptions

    assert files.weather is not None
    try:
        return read_weather(files.weather, ReadingOptions(zone=files.zone))
    except ValueError as fault:
        raise HeadframeError(str(fault)) from fault


def _balance(
    files: MeterFiles, own: Collection[str], readings: Any, start_s: int, hours: int
) -> NDArray[np.float64] | None:
    """What the site's transformer delivers and no meter behind it sees. [W]"""
    if not files.topology:
        return None
    from headframe.sources.power.options import ReadingOptions
    from headframe.sources.power.topology import read_topology

    try:
        topology = read_topology(files.topology, options=ReadingOptions(zone=files.zone))
    except ValueError as fault:
        raise HeadframeError(str(fault)) from fault
    heads = {one.transformer: one.head_usage_point for one in topology.transformers}
    over = {one.transformer for one in topology.usage_points if one.usage_point in own and one.transformer in heads}
    if len(over) != 1:
        return None
    (transformer,) = over
    behind = [one.usage_point for one in topology.usage_points if one.transformer == transformer]
    behind = [name for name in behind if name != heads[transformer]]
    # As measured: a bypassed meter shows 0, and 0 is what it shows.
    table = _hours(readings.batches([heads[transformer], *behind], as_measured=True), start_s, hours)
    if heads[transformer] not in table or not all(name in table for name in behind):
        return None
    left = table[heads[transformer]].copy()
    for name in behind:
        left -= table[name]
    return left


def _load_findings(
    table: Mapping[str, NDArray[np.float64]],
    fed_in: Mapping[str, NDArray[np.float64]],
    own: Collection[str],
    clock: LocalClock,
    start_s: int,
    windows: Windows,
    weather: SurroundingSeries | None,
    country: str,
) -> list[FindingRef] | None:
    """What the detectors of load put on their list in the later window alone; None where they could not look."""
    import numpy as np

    from headframe.engines.meters import Knowledge, MetersEngine, MetersOptions
    from headframe.meters import resources_in
    from headframe.records.reading import LoadBatch, Surroundings
    from headframe.reports.meters import usage_point_document
    from headframe.stores.reference_scores import load_references

    low = max(-(-(windows.after_from_ns // NS - start_s) // HOUR_S), 0)
    high = (windows.after_until_ns // NS - start_s) // HOUR_S

    def later(
        whole: Mapping[str, NDArray[np.float64]],
    ) -> Callable[[Collection[str] | None], Iterator[LoadBatch]]:
        names = sorted(name for name, power in whole.items() if np.isfinite(power[low:high]).any())

        def batches(wanted: Collection[str] | None) -> Iterator[LoadBatch]:
            some = tuple(name for name in names if wanted is None or name in wanted)
            if some:
                yield LoadBatch(
                    usage_points=some,
                    first=np.arange(len(some) + 1, dtype=np.int64) * (high - low),
                    start_s=np.full(len(some), start_s + low * HOUR_S, np.int64),
                    step_s=HOUR_S,
                    power_w=np.concatenate([whole[name][low:high] for name in some]).astype(np.float32),
                )

        return batches

    there = {name for name, power in table.items() if np.isfinite(power[low:high]).any()}
    if high - low < 7 * 24 or not there & set(own):
        return None
    knowledge = Knowledge(
        surroundings=Surroundings(clock=clock, temperature_c=None if weather is None else weather.temperature_c),
        references=load_references(),
        country=country,
        resources=() if weather is None else resources_in(weather),
    )
    engine = MetersEngine(later(table), knowledge, MetersOptions(threads=1), export_batches=later(fed_in))
    result = engine.run()
    refs = []
    for row in result.rows:
        if row.usage_point not in own or not row.listed:
            continue
        sha256 = _digest(usage_point_document(row, fdr=result.fdr, zone=result.zone))
        best = max(row.findings, key=lambda one: one.log10_e, default=None)
        if best is not None:
            refs.append(
                FindingRef(
                    finding_id=f"U-{sha256[:20]}-{best.family}",
                    family=best.family,
                    detector=best.detector,
                    version=best.version,
                    subject=row.usage_point,
                    log10_e=row.log10_e,
                    started_ns=row.started_ns,
                    ended_ns=row.ended_ns,
                    sha256=sha256,
                    mining=True,
                )
            )
    return refs


def _load_detectors(*, balance: bool, exports: bool) -> list[str]:
    """Those that looked; the balance only with what the transformer delivers, feed-in only with readings of it."""
    from headframe.detectors.power import balance as balances
    from headframe.detectors.power import (
        export_drop,
        flat_load,
        homes,
        likeness,
        load_step,
        off_hours,
        peer_ratio,
        price_follow,
    )

    modules = [flat_load, homes, likeness, load_step, off_hours, peer_ratio, price_follow]
    modules += [balances] if balance else []
    modules += [export_drop] if exports else []
    return sorted(f"{module.DETECTOR} {module.VERSION}" for module in modules)


def _found_load(documents: Sequence[Mapping[str, object]], load: SiteDays | None, windows: Windows) -> FoundLoad | None:
    """How large the load is: what the findings say, or what the readings around the onset say, whichever is surer.

    A finding's document does not say at which hours a load runs that is not there all day; then only the readings do.
    """
    told: list[FoundLoad] = []
    for document in documents:
        power = interval_in(document.get("power_w"))
        if power is None or not power.estimate > 0:
            continue
        mode = document.get("mode")
        if mode is None or mode in _ROUND_THE_CLOCK:
            duty = document.get("duty")
            told.append(
                FoundLoad(
                    power_w=power, duty=float(duty) if isinstance(duty, int | float) else 1.0, source="the findings"
                )
            )
    measured = found_in_situ(load, windows)
    if measured is not None:
        told.append(measured)
    return min(told, key=lambda one: one.relative_error, default=None)


def _is_export(document: Mapping[str, object]) -> bool:
    return document.get("detector") == EXPORT_DETECTOR


def _found_export(
    documents: Sequence[Mapping[str, object]], load: SiteDays | None, windows: Windows
) -> FoundLoad | None:
    """How much feed-in was missing: what the findings say, or the readings around the onset, whichever is surer."""
    told = [found] if (found := found_export_in_situ(load, windows)) is not None else []
    for document in documents:
        power = interval_in(document.get("power_w"))
        duty = document.get("duty")
        if power is not None and power.estimate > 0:
            share = float(duty) if isinstance(duty, int | float) else 1.0
            told.append(FoundLoad(power_w=power, duty=share, source="the findings"))
    return min(told, key=lambda one: one.relative_error, default=None)


def _onset_ns(document: Mapping[str, object], which: str) -> int | None:
    from headframe.sources.findings import moment_ns

    onset = document.get("onset")
    if not isinstance(onset, Mapping):
        return None
    told = onset.get(which)
    return moment_ns(told, which) if isinstance(told, str) else None


def _span(one: Assignment) -> tuple[int, int]:
    return (
        EVER_NS if one.valid_from_ns is None else one.valid_from_ns,
        NEVER_NS if one.valid_until_ns is None else one.valid_until_ns,
    )


def _touches(one: Assignment, window: tuple[int, int]) -> bool:
    from_ns, until_ns = _span(one)
    return from_ns < window[1] and until_ns > window[0]
