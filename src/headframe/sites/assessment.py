"""One assessment for each site and period, and the list of those that a stated error rate allows.

**Whose is a finding?** That of the one site which held its address for all of its time. What is ambiguous, unresolved
or known in part only is kept apart, and counts for nobody.

**How often was looked?** A false match may come from any conversation, so evidence is a mean over all conversations
that were read, found or not (`headframe.evidence.fusion`). Findings do not tell how many of them were a site's. If a
site had ``n`` of the ``N`` that were read, its e-value is ``sum(E) / n``; two things can be said without ``n``:

- *By itself*: ``sum(E) / N`` is at most that, so it is an e-value, and its odds hold for the one site.
- *In the list*: multiplied by `shared_out`'s factor ``c``, which gives each site an even share of the conversations.
  For one site that may be too much, but the mean over all sites is still at most 1 while nobody mines, and that is all
  the false discovery rate of e-BH rests on (compound e-values [1]_).

*Proof.* A list of ``R`` sites holds those with ``E >= m / (R q)``, so ``1 / R <= q E / m`` for each of them, and the
mean share of wrong entries is at most ``q / m`` times the sum of the means of ``E`` over the innocent sites. That sum
is at most ``m`` by the choice of ``c``. Timing may multiply: its mean is at most 1 given the packets, whatever they
are, if it is charged with all pairs that were tested; so only the evidence of packets is shared out.

A conversation counts for the period in which it began, and so does its finding.

References
----------
.. [1] Ignatiadis, Wang and Ramdas, "Asymptotic and compound e-values: multiple testing and empirical Bayes", 2024.
   arXiv:2409.19812
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from ipaddress import IPv4Address, IPv6Address

import numpy as np

from headframe.evidence.fusion import (
    MINING_ROLES,
    Fused,
    MergeRule,
    Standing,
    answers_of,
    fuse,
)
from headframe.evidence.lists import e_benjamini_hochberg
from headframe.records.assessment import (
    VICTIM_KINDS,
    Assessment,
    AssessmentResult,
    CoinRate,
    FamilyAccount,
    FindingsFile,
    Period,
    PeriodLength,
    Unattributed,
    Whereabouts,
)
from headframe.records.finding import SOURCE_OF, Family, Finding, Insufficient, Interval, Role
from headframe.records.indicator import IndicatorKind
from headframe.records.site import Assignment, AssignmentKind, Resolution, ResolutionOutcome, Site
from headframe.sites.registry import EVER_NS, NEVER_NS, WIDTH, Registry, address_number, is_reused
from headframe.sites.resolve import resolve

SCAN_DETECTORS: Mapping[str, Family] = {
    "chain_sync": Family.TIMING,
    "pool_endpoint": Family.ENDPOINT,
    "stratum": Family.CONTENT,
}
"""What every scan runs. Any other detector counts as run where a file names it."""
TIMING_DETECTOR = "chain_sync"
"""The one that looks at pairs of client and server, and says how many it tested."""

_PACKETS = SOURCE_OF[Family.CONTENT]
_MAX_QUESTIONS = 5  # different shortages that are told of one site; the rest is counted
_NOT_GIVEN: Mapping[Family, str] = {
    Family.TRAFFIC: "no records of traffic without packets were given",
    Family.LOAD: "no electricity readings were given",
    Family.BALANCE: "no readings of transformers or feeders were given",
    Family.REGISTRY: "no register of licences or tariffs was given",
    Family.INSPECTION: "no inspection was reported",
}
_BLIND = "the scan hid payload and ports from every detector"
_NO_TIMING = "no pair of client and server could be compared with a block clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentOptions:
    """What may be chosen, before the evidence is seen.

    Attributes
    ----------
    length : PeriodLength
    zone : datetime.tzinfo
        Whose midnights cut the periods.
    fdr : float
        False discovery rate of the list. 0 < fdr < 1. [unitless]
    rule : MergeRule
    looks : int or None
        How many conversations were read for each file that does not tell.
    content_blind : bool
        The scans hid payload and ports, so content and endpoint could not answer. For files that do not tell.
    realm : str
        Network in which the traffic was captured, where private addresses are used more than once.
    """

    length: PeriodLength = PeriodLength.ALL
    zone: tzinfo = UTC
    fdr: float = 0.05
    rule: MergeRule = MergeRule.BY_SOURCE
    looks: int | None = None
    content_blind: bool = False
    realm: str = ""


@dataclass(slots=True)
class _Scan:
    """One file, with how often its detectors looked."""

    file: FindingsFile
    conversations: int
    timing: int
    detectors: dict[str, Family]
    span: tuple[int, int] | None
    findings: list[Finding] = field(default_factory=list)
    blind: bool = False

    @property
    def seeing(self) -> int:
        """Conversations in which content and endpoint could look."""
        return 0 if self.blind else self.conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class _Merged:
    """The evidence as it enters the list, of the site by itself, and as in the list but without the victims.

    `blind` where a scan hid payload and ports.
    """

    in_list: Fused
    alone: Fused
    others: Fused
    blind: bool


_Subject = tuple[str, Period]


def assess(
    files: Sequence[FindingsFile],
    registry: Registry,
    assignments: Iterable[Assignment],
    options: AssessmentOptions | None = None,
) -> AssessmentResult:
    """One assessment for each site and period in which the traffic could have shown it.

    Parameters
    ----------
    files : sequence of FindingsFile
    registry : Registry
    assignments : iterable of Assignment
        Those of the registry: they tell which sites traffic can show.
    options : AssessmentOptions

    Returns
    -------
    AssessmentResult

    Raises
    ------
    ValueError
        If a file does not tell how many conversations were read and `options` does not either, if a scan that is said
        to be content-blind was not, or if the rate is outside its range.
    """
    options = options or AssessmentOptions()
    remarks: list[str] = [text for file in files for text in file.remarks]
    remarks += registry.remarks
    scans = [_scan_of(file, options, remarks) for file in files]
    _drop_repeated(scans, remarks)
    periods = _Periods(options.length, options.zone, scans)
    covering, not_tested = _tested(registry, assignments, scans, periods)
    groups, apart, open_by_site = _attributed(scans, registry, periods, options)
    for subject, found in groups.items():
        # A resolved finding shows that its site could be seen by its scan, whatever the spans say.
        covering[subject] = tuple(sorted({*covering.get(subject, ()), *(number for number, _ in found)}))
    # A blind scan has no evidence of packets to share out.
    share = shared_out(covering, [scan.seeing for scan in scans]) if covering else 1.0
    if options.rule is MergeRule.PRODUCT:
        # Two shared-out factors may not be multiplied: a site with much traffic would be given it twice.
        share = 1.0
    drafts = _drafts(groups, covering, scans, registry, open_by_site, share, options)
    assessments = _listed(drafts, options.fdr)
    return AssessmentResult(
        assessments=assessments,
        unattributed=apart,
        not_tested=not_tested,
        method="e-BH",
        rule=options.rule.value,
        fdr=options.fdr,
        share=share,
        conversations=sum(scan.conversations for scan in scans),
        timing_tested=sum(scan.timing for scan in scans),
        findings=sum(len(scan.findings) for scan in scans),
        files=tuple(file.file for file in files),
        damaged=tuple(row for file in files for row in file.damaged),
        assumptions=_assumptions(scans, options, share),
        remarks=tuple(dict.fromkeys(remarks)),
    )


def shared_out(covering: Mapping[_Subject, Sequence[int]], conversations: Sequence[int]) -> float:
    """By how much evidence charged with all conversations may grow, if only the mean over all subjects must hold.

    A subject is charged with ``N_s``, all conversations of the scans that cover it, and had ``n_s`` of them. Whatever
    the ``n_s``, ``sum(n_s / N_s)`` is at most the sum over scans of its conversations by the smallest ``N_s`` among
    the subjects that it covers. The factor is the number of subjects with any conversation by that sum, and never
    below 1.

    Parameters
    ----------
    covering : mapping
        Each subject to the numbers of the scans that could have shown it.
    conversations : sequence of int
        Of each scan.

    Returns
    -------
    float
        1 where there is nothing to share out. [unitless]

    Examples
    --------
    >>> always = Period(0, 1, "all")
    >>> shared_out({("A", always): (0,), ("B", always): (0,)}, [1000])
    2.0
    """
    smallest: dict[int, int] = {}
    charged = 0
    totals: dict[tuple[int, ...], int] = {}
    for numbers in covering.values():
        key = tuple(numbers)
        if key in totals:
            charged += totals[key] > 0
            continue
        total = totals[key] = sum(conversations[number] for number in key)
        charged += total > 0
        for number in key:
            smallest[number] = min(smallest.get(number, total), total)
    worst = math.fsum(conversations[number] / total for number, total in smallest.items() if total)
    return max(charged / worst, 1.0) if worst else 1.0


# What was read -------------------------------------------------------------------------------------------------------


def _scan_of(file: FindingsFile, options: AssessmentOptions, remarks: list[str]) -> _Scan:
    told = file.conversations
    looks = options.looks if told is None else told
    if looks is None:
        if not file.findings and not file.damaged:
            raise ValueError(
                f"{file.file} is empty: it holds neither findings nor how many conversations were read; give what "
                "headframe scan --format json writes, or say with --looks how many there were"
            )
        raise ValueError(
            f"{file.file} does not tell how many conversations were read, and without that number no odds can be "
            "given; scan with --format json, or say it with --looks"
        )
    by_detector: dict[str, int] = defaultdict(int)
    for finding in file.findings:
        by_detector[finding.detector] += 1
    most = max(by_detector.values(), default=0)
    if most > looks:
        # One conversation can show a miner and a pool, and several names.
        remarks.append(
            f"{file.file}: {looks:,} conversations but {most:,} findings of one detector, which count instead"
        )
        looks = most
    blind = options.content_blind if file.content_blind is None else file.content_blind
    if options.content_blind and not blind:
        remarks.append(f"{file.file}: says that its scan was not content-blind, and that counts for it")
    if (blind or options.content_blind) and any(SOURCE_OF[f.family] == _PACKETS for f in file.findings):
        raise ValueError(f"{file.file} has findings by content or endpoint, so its scan was not content-blind")
    timing = file.timing_tested
    if timing is None or timing < by_detector[TIMING_DETECTOR]:
        # Each pair of client and server has a conversation, so there are no more pairs than conversations.
        timing = looks if by_detector[TIMING_DETECTOR] or timing is None else 0
        if by_detector[TIMING_DETECTOR]:
            remarks.append(
                f"{file.file}: how many pairs of client and server were tested by timing is not told; as many as "
                f"conversations are counted, {looks:,}"
            )
    named: dict[str, Family] = dict(SCAN_DETECTORS)
    for finding in file.findings:
        # Whoever finds followers only can have no evidence of mining, wherever it looks: it takes no part in the mean.
        if finding.role is not Role.FOLLOWER:
            named.setdefault(finding.detector, finding.family)
    times = [at for f in file.findings for at in (f.started_ns, f.ended_ns)]
    times += [at for at in (file.first_ns, file.last_ns) if at is not None]
    return _Scan(
        file=file, conversations=looks, timing=timing, detectors=named,
        span=(min(times), max(times) + 1) if times else None, findings=list(file.findings),
        blind=blind,
    )  # fmt: skip


def _drop_repeated(scans: Sequence[_Scan], remarks: list[str]) -> None:
    """Keep a finding once that stands in several files, as when the same capture was scanned twice."""
    seen: set[tuple[object, ...]] = set()
    dropped = 0
    for scan in scans:
        kept = []
        for f in scan.findings:
            key = (f.detector, f.host, f.peer, f.role, f.started_ns, f.ended_ns, f.protocol, f.community_ids)
            if key in seen:
                dropped += 1
            else:
                seen.add(key)
                kept.append(f)
        scan.findings = kept
    if dropped:
        remarks.append(f"{dropped:,} findings are there more than once, and are counted once")


class _Periods:
    """The periods that the traffic touches."""

    def __init__(self, length: PeriodLength, zone: tzinfo, scans: Sequence[_Scan]) -> None:
        spans = [scan.span for scan in scans if scan.span is not None]
        self._length, self._zone = length, zone
        self._whole = Period(min(s for s, _ in spans), max(e for _, e in spans), "all") if spans else None
        self.all = self._touched(spans)

    def of(self, time_ns: int) -> Period:
        """The period of an instant."""
        if self._length is PeriodLength.ALL:
            assert self._whole is not None
            return self._whole
        return period_of(time_ns, self._length, self._zone)

    def _touched(self, spans: Sequence[tuple[int, int]]) -> tuple[Period, ...]:
        found: set[Period] = set()
        for start, end in spans:
            at = start
            while at < end:
                period = self.of(at)
                found.add(period)
                at = period.ended_ns
        return tuple(sorted(found))


def period_of(time_ns: int, length: PeriodLength, zone: tzinfo) -> Period:
    """The day, week or month of an instant, by the midnights of a zone.

    Parameters
    ----------
    time_ns : int
        Between 1970 and 2200. [ns since 1970-01-01 UTC]
    length : PeriodLength
        Not ``all``.
    zone : datetime.tzinfo

    Returns
    -------
    Period

    Raises
    ------
    ValueError
        If the length is ``all``: that period is not known from an instant.

    Examples
    --------
    >>> period_of(1_618_542_587_000_000_000, PeriodLength.WEEK, UTC).name
    '2021-W15'
    """
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, tz=zone)
    day = datetime(moment.year, moment.month, moment.day)
    if length is PeriodLength.DAY:
        start, end, name = day, day + timedelta(days=1), f"{day:%Y-%m-%d}"
    elif length is PeriodLength.WEEK:
        start = day - timedelta(days=day.weekday())
        end = start + timedelta(days=7)
        year, week, _ = day.isocalendar()
        name = f"{year}-W{week:02d}"
    elif length is PeriodLength.MONTH:
        start = day.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
        name = f"{day:%Y-%m}"
    else:
        raise ValueError("the period all is not known from an instant")
    return Period(_midnight_ns(start, zone), _midnight_ns(end, zone), name)


def _midnight_ns(day: datetime, zone: tzinfo) -> int:
    since = day.replace(tzinfo=zone).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000


# Who was tested ------------------------------------------------------------------------------------------------------


def _tested(
    registry: Registry, assignments: Iterable[Assignment], scans: Sequence[_Scan], periods: _Periods
) -> tuple[dict[_Subject, tuple[int, ...]], tuple[tuple[str, str], ...]]:
    """Every site and period that traffic could have shown, with the scans that could; and the sites that none could.

    Where the sensors stood is not known, so each scan is taken to have been able to show each site. This looks at the
    registry and at when was captured, never at what was found.
    """
    reach: dict[str, list[tuple[int, int]]] = {site_id: [] for site_id in registry.sites}
    for assignment in assignments:
        if assignment.kind is not AssignmentKind.USAGE_POINT:
            site = registry.sites[assignment.site_id]
            start = max(_open(assignment.valid_from_ns, EVER_NS), _open(site.valid_from_ns, EVER_NS))
            end = min(_open(assignment.valid_until_ns, NEVER_NS), _open(site.valid_until_ns, NEVER_NS))
            if start < end:
                reach[assignment.site_id].append((start, end))
    touching = {
        period: [
            (number, max(scan.span[0], period.started_ns), min(scan.span[1], period.ended_ns))
            for number, scan in enumerate(scans)
            if scan.span is not None and scan.span[0] < period.ended_ns and scan.span[1] > period.started_ns
        ]
        for period in periods.all
    }
    everything = {period: tuple(number for number, _, _ in parts) for period, parts in touching.items()}
    covering: dict[_Subject, tuple[int, ...]] = {}
    not_tested = []
    for site_id, intervals in reach.items():
        always = (EVER_NS, NEVER_NS) in intervals
        shown = False
        for period, parts in touching.items():
            numbers = (
                everything[period]
                if always
                else tuple(n for n, start, end in parts if any(s < end and e > start for s, e in intervals))
            )
            if numbers:
                covering[site_id, period] = numbers
                shown = True
        if not shown:
            why = (
                "no prefix, address or place in a network is assigned to it"
                if not intervals
                else "nothing was assigned to it while traffic was captured"
            )
            not_tested.append((site_id, why if any(touching.values()) else "the files tell of no traffic"))
    return covering, tuple(sorted(not_tested))


def _open(time_ns: int | None, otherwise: int) -> int:
    return otherwise if time_ns is None else time_ns


# Whose findings are --------------------------------------------------------------------------------------------------


def _attributed(
    scans: Sequence[_Scan], registry: Registry, periods: _Periods, options: AssessmentOptions
) -> tuple[
    dict[_Subject, list[tuple[int, Finding]]], tuple[Unattributed, ...], dict[str, list[tuple[int, Insufficient]]]
]:
    """Findings by site and period; those that stay apart; and open questions by site. All with their scan's number."""
    groups: dict[_Subject, list[tuple[int, Finding]]] = defaultdict(list)
    apart: dict[tuple[str, Whereabouts, tuple[str, ...], tuple[str, ...]], list[tuple[Finding, Resolution]]]
    apart = defaultdict(list)
    for number, scan in enumerate(scans):
        for finding in scan.findings:
            # The last packet belongs to the finding.
            span = (finding.started_ns, finding.ended_ns + 1)
            answer = resolve(finding.host, None, span, registry, peer=_peer(finding.peer), realm=options.realm)
            if answer.outcome is ResolutionOutcome.RESOLVED and answer.site_id is not None:
                groups[answer.site_id, periods.of(finding.started_ns)].append((number, finding))
                continue
            where = _whereabouts(finding.host, answer, registry)
            candidates = tuple(sorted({site for stretch in answer.stretches for site in stretch.site_ids}))
            apart[finding.host, where, candidates, answer.missing].append((finding, answer))
    open_by_site: dict[str, list[tuple[int, Insufficient]]] = defaultdict(list)
    known: dict[tuple[int, str], str | None] = {}
    for number, scan in enumerate(scans):
        for question in scan.file.insufficient:
            key = (number, question.host)
            if key not in known:
                known[key] = _site_of_question(question.host, scan, registry, options)
            site_id = known[key]
            if site_id is not None:
                open_by_site[site_id].append((number, question))
    return groups, _apart(apart), open_by_site


def _peer(peer: str) -> tuple[str, int | None] | None:
    """Address and port of the other side; None where it is a name.

    Examples
    --------
    >>> _peer("[2001:db8::1]:3333"), _peer("192.0.2.1:3333"), _peer("192.0.2.1"), _peer("pool.example:3333")
    (('2001:db8::1', 3333), ('192.0.2.1', 3333), ('192.0.2.1', None), None)
    """
    host, port = peer, ""
    if peer.startswith("[") or peer.count(":") == 1:
        host, _, port = peer.rpartition(":")
    try:
        family, number = address_number(host.strip("[]"))
    except ValueError:
        return None
    address = IPv4Address(number) if family == 4 else IPv6Address(number)
    told = port.isascii() and port.isdigit() and len(port) <= 5
    return str(address), int(port) if told else None


def _whereabouts(host: str, answer: Resolution, registry: Registry) -> Whereabouts:
    if answer.outcome is ResolutionOutcome.AMBIGUOUS:
        return Whereabouts.AMBIGUOUS
    if answer.outcome is ResolutionOutcome.PARTLY:
        return Whereabouts.PARTLY
    family, number = address_number(host)
    # A private address that nobody lists is still behind our sensor: it is open whose it is, and not "not ours".
    if is_reused(family, number) or _is_spoken_of(family, number, registry):
        return Whereabouts.UNRESOLVED
    return Whereabouts.NOT_OURS


def _is_spoken_of(family: int, number: int, registry: Registry) -> bool:
    """Whether any table or log has the address, at whatever time."""
    address = str(IPv4Address(number) if family == 4 else IPv6Address(number))
    return registry.is_translated(address) or any(
        number >> (WIDTH[family] - level.length) in level.slots
        for index in registry.realms.values()
        for level in index.levels(family)
    )


def _site_of_question(host: str, scan: _Scan, registry: Registry, options: AssessmentOptions) -> str | None:
    """The site that held an address for the whole scan; None where there is no such site, or no address."""
    if not host or scan.span is None:
        return None
    try:
        answer = resolve(host, None, scan.span, registry, realm=options.realm)
    except ValueError:
        return None
    return answer.site_id if answer.outcome is ResolutionOutcome.RESOLVED else None


_APART_ORDER = tuple(Whereabouts)


def _apart(
    apart: Mapping[tuple[str, Whereabouts, tuple[str, ...], tuple[str, ...]], Sequence[tuple[Finding, Resolution]]],
) -> tuple[Unattributed, ...]:
    rows = [
        Unattributed(
            host=host,
            whereabouts=where,
            candidates=candidates,
            reasons=tuple(sorted({reason for _, answer in found for reason in answer.reasons})),
            missing=missing,
            findings=len(found),
            roles=tuple(sorted({finding.role for finding, _ in found})),
            families=tuple(family for family in Family if any(finding.family is family for finding, _ in found)),
            first_ns=min(finding.started_ns for finding, _ in found),
            last_ns=max(finding.ended_ns for finding, _ in found),
        )
        for (host, where, candidates, missing), found in apart.items()
    ]
    return tuple(
        sorted(rows, key=lambda row: (_APART_ORDER.index(row.whereabouts), row.first_ns, row.host, row.missing))
    )


# What it comes to ----------------------------------------------------------------------------------------------------


def _drafts(
    groups: Mapping[_Subject, Sequence[tuple[int, Finding]]],
    covering: Mapping[_Subject, tuple[int, ...]],
    scans: Sequence[_Scan],
    registry: Registry,
    open_by_site: Mapping[str, Sequence[tuple[int, Insufficient]]],
    share: float,
    options: AssessmentOptions,
) -> list[Assessment]:
    """Assessments that are not on any list yet."""
    of_nothing: dict[tuple[int, ...], Assessment] = {}
    general = [[question for question in scan.file.insufficient if not question.host] for scan in scans]
    drafts = []
    for subject, numbers in covering.items():
        site_id, period = subject
        site = registry.sites[site_id]
        findings = [finding for _, finding in groups.get(subject, ())]
        questions = [question for number, question in open_by_site.get(site_id, ()) if number in numbers]
        if not findings and not questions and numbers in of_nothing:
            # Most sites have neither, and all of those are told the same.
            drafts.append(replace(of_nothing[numbers], site=site, period=period))
            continue
        merged = _merged(findings, questions, numbers, scans, general, share, options)
        draft = replace(
            _draft(site, period, findings, merged),
            conversations=sum(scans[number].conversations for number in numbers),
            open_questions=len(questions),
        )
        if not findings and not questions:
            of_nothing[numbers] = draft
        drafts.append(draft)
    return drafts


def _merged(
    findings: Sequence[Finding],
    questions: Sequence[Insufficient],
    numbers: Sequence[int],
    scans: Sequence[_Scan],
    general: Sequence[Sequence[Insufficient]],
    share: float,
    options: AssessmentOptions,
) -> _Merged:
    detectors: dict[str, Family] = {}
    looks: dict[str, int] = defaultdict(int)
    for number in numbers:
        scan = scans[number]
        for name, family in scan.detectors.items():
            detectors.setdefault(name, family)
            if scan.blind and SOURCE_OF[family] == _PACKETS:
                continue
            count = scan.timing if name == TIMING_DETECTOR else scan.conversations
            if count:
                looks[name] += count
    shortages = [question for number in numbers for question in general[number]]
    shortages += list({(q.detector, q.missing): q for q in questions}.values())[:_MAX_QUESTIONS]
    shortages = [question for question in shortages if question.detector in detectors]

    def merge(those: Sequence[Finding], shift: float) -> Fused:
        # A follower is named apart: what it follows is not known, so it speaks neither for mining nor against it.
        shifted = [
            replace(finding, log10_e=finding.log10_e + shift) if SOURCE_OF[finding.family] == _PACKETS else finding
            for finding in those
            if finding.role is not Role.FOLLOWER
        ]
        return fuse(answers_of(shifted, shortages, detectors=detectors, looks=looks), rule=options.rule)

    shift = math.log10(share)
    alone = merge(findings, 0.0)
    in_list = alone if share == 1.0 else merge(findings, shift)
    victims = {finding.host for finding in findings if VICTIM_KINDS.intersection(finding.indicator_kinds)}
    others = in_list
    if victims:
        others = merge([finding for finding in findings if finding.host not in victims], shift)
    blind = any(scans[number].blind for number in numbers)
    return _Merged(in_list=in_list, alone=alone, others=others, blind=blind)


def _draft(
    site: Site,
    period: Period,
    findings: Sequence[Finding],
    merged: _Merged,
) -> Assessment:
    mining = [finding for finding in findings if finding.role in MINING_ROLES]
    return Assessment(
        site=site,
        period=period,
        families=_accounts(merged.in_list, mining, blind=merged.blind),
        supporting_sources=merged.in_list.supporting_sources,
        sources_without_victims=merged.others.supporting_sources,
        log10_e=merged.alone.log10_e,
        log10_e_list=merged.in_list.log10_e,
        listed=False,
        adjusted_rate=1.0,
        assumptions=merged.in_list.assumptions,
        findings=len(findings),
        addresses=_addresses(findings),
        coins=tuple(sorted({finding.coins[0] for finding in mining if finding.coins})),
        pools=tuple(sorted({finding.pool for finding in mining if finding.pool})),
        hash_rates=hash_rates(mining),
        power_w=_mean_rate(_once(mining), lambda finding: finding.power_w),
        first_ns=min((finding.started_ns for finding in mining), default=None),
        last_ns=max((finding.ended_ns for finding in mining), default=None),
        victims=_victims(findings),
    )


def _accounts(merged: Fused, mining: Sequence[Finding], *, blind: bool) -> tuple[FamilyAccount, ...]:
    rows = []
    for family, evidence in merged.by_family.items():
        lacking = evidence.shortages
        if evidence.standing is Standing.MISSING:
            if blind and SOURCE_OF[family] == _PACKETS and family in SCAN_DETECTORS.values():
                lacking = (_BLIND,)
            elif family is Family.TIMING and not lacking:
                lacking = (_NO_TIMING,)
            elif family in _NOT_GIVEN and family not in SCAN_DETECTORS.values():
                lacking = (_NOT_GIVEN[family],)
        rows.append(
            FamilyAccount(
                family=family,
                standing=evidence.standing.value,
                log10_e=evidence.log10_e,
                detectors=evidence.detectors,
                looks=evidence.looks,
                findings=sum(finding.family is family for finding in mining),
                shown_by=tuple(sorted({finding.detector for finding in mining if finding.family is family})),
                contradictions=evidence.contradictions,
                missing=lacking,
            )
        )
    return tuple(rows)


def _addresses(findings: Iterable[Finding]) -> tuple[tuple[Role, tuple[str, ...]], ...]:
    by_role: dict[Role, set[str]] = defaultdict(set)
    for finding in findings:
        by_role[finding.role].add(finding.host)
    return tuple((role, tuple(sorted(by_role[role], key=address_number))) for role in Role if role in by_role)


def _victims(findings: Iterable[Finding]) -> tuple[tuple[IndicatorKind, tuple[str, ...]], ...]:
    by_kind: dict[IndicatorKind, set[str]] = defaultdict(set)
    for finding in findings:
        for kind in VICTIM_KINDS.intersection(finding.indicator_kinds):
            by_kind[kind].add(finding.host)
    return tuple((kind, tuple(sorted(by_kind[kind], key=address_number))) for kind in IndicatorKind if kind in by_kind)


def hash_rates(findings: Iterable[Finding]) -> tuple[CoinRate, ...]:
    """Mean hash rates by coin, over the time in which mining was seen.

    The work of all findings, rate times time, by the time that any of them covers: sessions one after another are not
    added up, and machines at the same time are. The ends of the intervals are treated like the estimates, which makes
    the interval wider than it need be. A miner whose work goes through a proxy at the same site is left out, since the
    proxy's shares are the same work.

    Parameters
    ----------
    findings : iterable of Finding
        With roles that mine; those without a hash rate or of no length do not count.

    Returns
    -------
    tuple of CoinRate
        By coin; the unknown one last.
    """
    by_coin: dict[str, list[Finding]] = defaultdict(list)
    for finding in _once(findings):
        by_coin[finding.coins[0] if finding.coins else ""].append(finding)
    rates = []
    for coin in sorted(by_coin, key=lambda coin: (not coin, coin)):
        rate = _mean_rate(by_coin[coin], lambda finding: finding.hashrate_hs)
        if rate is not None:
            rates.append(CoinRate(coin=coin, hashrate_hs=rate))
    return tuple(rates)


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """Without the miners behind a proxy that is among the findings itself."""
    given = list(findings)
    proxies = {finding.host for finding in given if finding.role is Role.PROXY}
    return [f for f in given if f.role is Role.PROXY or (_peer(f.peer) or ("", None))[0] not in proxies]


def _mean_rate(findings: Iterable[Finding], rate_of: Callable[[Finding], Interval | None]) -> Interval | None:
    """Sum of rate times time, by the time that is covered at all."""
    low: list[float] = []
    middle: list[float] = []
    high: list[float] = []
    stretches = []
    for finding in findings:
        rate, length = rate_of(finding), finding.ended_ns - finding.started_ns
        if rate is not None and length > 0 and math.isfinite(rate.low + rate.estimate + rate.high):
            stretches.append((finding.started_ns, finding.ended_ns))
            low.append(rate.low * length)
            middle.append(rate.estimate * length)
            high.append(rate.high * length)
    covered, until = 0, -1
    for start, end in sorted(stretches):
        covered += max(end - max(start, until), 0)
        until = max(until, end)
    if not covered:
        return None
    return Interval(*(math.fsum(work) / covered for work in (low, middle, high)))


def _listed(drafts: Sequence[Assessment], fdr: float) -> tuple[Assessment, ...]:
    """Cut the list, and put it first."""
    cut = e_benjamini_hochberg(np.array([draft.log10_e_list for draft in drafts], np.float64), fdr)
    done = [
        replace(draft, listed=bool(listed), adjusted_rate=float(rate))
        for draft, listed, rate in zip(drafts, cut.listed, cut.adjusted, strict=True)
    ]
    done.sort(key=lambda one: (not one.listed, -one.log10_e_list, not one.findings, one.site.site_id, one.period))
    return tuple(done)


def _assumptions(scans: Sequence[_Scan], options: AssessmentOptions, share: float) -> tuple[str, ...]:
    conversations = sum(scan.seeing for scan in scans)
    sentences = [
        "Every site with a prefix, an address or a place in a network counts as tested in each period in which "
        "traffic was captured, with or without findings. Where the sensors stood is not told, so a site that none of "
        "them could see is counted too.",
    ]
    if conversations:
        sentences.append(
            f"Findings do not tell how many of the {conversations:,} conversations that were read were whose. For a "
            "site by itself all of them count as looks of content and endpoint. That makes its evidence smaller, never "
            "greater."
        )
    if share > 1.0:
        sentences.append(
            f"In the list they are shared out evenly, a factor of {share:,.4g} for each site: that holds for all "
            "sites together and not for one of them."
        )
    if any(scan.file.conversations is None for scan in scans):
        sentences.append(
            f"How many conversations were read was not told by every file; {options.looks:,} each were stated by "
            "whoever asked."
        )
    if any(scan.file.timing_tested is None for scan in scans):
        sentences.append(
            "Whether timing was tested is not told by every file; it counts as having looked, since to leave it out "
            "for want of a finding would be choosing by the result."
        )
    others = sorted({name for scan in scans for name in scan.detectors} - set(SCAN_DETECTORS))
    if others:
        sentences.append(f"Counted as run wherever a file names them: {', '.join(others)}.")
    sentences.append("A conversation, and a finding, counts for the period in which it began.")
    return tuple(sentences)
