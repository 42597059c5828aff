"""From sessions to findings: joined, told in words, with what contradicts them and what was not visible."""

import ipaddress
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from headframe.detectors.network.stratum.coins import Naming, candidates, is_wallet
from headframe.detectors.network.stratum.course import course_of
from headframe.detectors.network.stratum.dialects import Dialect, Notify
from headframe.detectors.network.stratum.difficulty import V1_HASHES_PER_DIFFICULTY
from headframe.detectors.network.stratum.hashrate import (
    WINDOW_S,
    power_interval,
    rate_interval,
    spread_between_windows,
    widened,
)
from headframe.detectors.network.stratum.roles import JSON_RPC, Verdict, dialect_of, is_live, judge
from headframe.detectors.network.stratum.session import MINING_AGENTS, StratumSession
from headframe.detectors.network.stratum.shares import ACCEPTED, NAMES, REJECTED, STALE, UNANSWERED
from headframe.records.conversation import Conversation, PacketRef, endpoint_text
from headframe.records.finding import (
    Course,
    EvidenceLine,
    Family,
    Finding,
    Insufficient,
    Interval,
    Lookalike,
    Role,
    Shares,
    SourceRef,
    Timeline,
)
from headframe.records.spans import joined

DETECTOR = "stratum"
VERSION = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumParameters:
    """Thresholds of the detector.

    Attributes
    ----------
    join_gap_s : float
        Conversations of the same host, peer and protocol no further apart than this make one finding: miners that
        lose their connection try again within minutes. [s]
    absence_s : float
        A silence from here on is time in which the miner was away (asleep, cut off), not time without luck. Pools
        push work at least every few minutes; with a job every 100 s on average, 900 s of silence come by chance once in
        8,000 jobs. [s]
    min_shares : int
        Fewer valid shares give no hash rate: the interval of two spans more than a factor of 25. [shares]
    evidence_lines : int
        At most so many lines of evidence per finding.
    packets_cited : int
        At most so many packets per finding: the first and the last.
    timeline_points : int
        At most so many jobs and so many shares per timeline, evenly thinned.
    watcher_s : float
        One who is handed work for so long and hands in no share is called a watcher: pools set the difficulty so that
        a machine finds several shares a minute, and none in an hour means that nothing hashes, or next to nothing. [s]
    watcher_jobs : int
        And was handed at least so many jobs.
    """

    join_gap_s: float = 3600.0
    absence_s: float = 900.0
    min_shares: int = 3
    evidence_lines: int = 12
    packets_cited: int = 200
    timeline_points: int = 5000
    watcher_s: float = 3600.0
    watcher_jobs: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """All that the detector has to say of one scan."""

    findings: tuple[Finding, ...] = ()
    insufficient: tuple[Insufficient, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()


@dataclass(slots=True)
class _View:
    conversation: Conversation
    session: StratumSession
    verdict: Verdict
    late: bool = False
    """Nobody was seen to ask for what was said; it counts because the host asks elsewhere."""

    @property
    def started_ns(self) -> int:
        return self.session.first_ns if self.session.first_ns is not None else self.conversation.started_ns

    @property
    def ended_ns(self) -> int:
        return max(self.session.last_ns or self.conversation.ended_ns, self.started_ns)


@dataclass(slots=True)
class _Group:
    """Conversations that make one finding."""

    views: list[_View] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        order = (Role.MINER, Role.NODE_CLIENT, Role.PROBE)
        keys = ("session", "v2-handshake", "work-only", "submit-only", "answered", "node-rpc", "attempt")
        return min(
            (view.verdict for view in self.views),
            key=lambda verdict: (order.index(verdict.role or Role.PROBE), keys.index(verdict.key)),
        )


@dataclass(frozen=True, slots=True)
class _World:
    """What the caller knows and the detector asks."""

    parameters: StratumParameters
    log10_e: Callable[[str], float]
    server_name: Callable[[str, int, int], str | None]
    pool_name: Callable[[str | None, str, int], str | None]
    pseudonym: Callable[[str], str]


def detect(
    sessions: Sequence[tuple[Conversation, StratumSession]],
    parameters: StratumParameters,
    *,
    log10_e: Callable[[str], float],
    server_name: Callable[[str, int, int], str | None],
    pool_name: Callable[[str | None, str, int], str | None],
    pseudonym: Callable[[str], str],
) -> Detection:
    """Miners, pools, proxies, node clients and probes among the conversations of one scan.

    Parameters
    ----------
    sessions : sequence of (Conversation, StratumSession)
        Every conversation that was read, each with what it said; the order does not matter.
    parameters : StratumParameters
    log10_e : callable
        Kind of evidence (see `CALIBRATION_KEYS`) to calibrated evidence. [log10]
    server_name : callable
        (address, port, time [ns]) to the host name that DNS or TLS gave it, or None.
    pool_name : callable
        (host name or None, address, port) to the operator's name, or None.
    pseudonym : callable
        Wallet or worker name to what may be shown of it.

    Returns
    -------
    Detection
        Findings by time, the strongest role first where they begin together.

    Notes
    -----
    Blind spots: encrypted sessions (TLS) are not read; what is lost before the sensor is not seen; a pool proxy hides
    the machines behind it, so one finding may stand for many.
    """
    world = _World(parameters, log10_e, server_name, pool_name, pseudonym)
    views: list[_View] = []
    insufficient: list[Insufficient] = []
    judged = [(conversation, session, judge(conversation, session)) for conversation, session in sessions]
    askers = {
        verdict.client
        for _, session, verdict in judged
        if verdict is not None and verdict.role is Role.MINER and session.client_acts[session.client_direction]
    }
    for conversation, session, verdict in judged:
        if verdict is not None and verdict.missing and verdict.key and verdict.client in askers:
            views.append(_View(conversation, session, replace(verdict, role=Role.MINER, missing=""), late=True))
        elif verdict is not None and verdict.missing:
            insufficient.append(
                Insufficient(
                    detector=DETECTOR,
                    host=verdict.client,
                    peer=endpoint_text(verdict.server, verdict.server_port),
                    missing=verdict.missing,
                )
            )
        elif verdict is not None and verdict.label == JSON_RPC and session.gaps:
            insufficient.append(_cut_talk(conversation, session))
        elif verdict is not None:
            views.append(_View(conversation, session, verdict))
        elif session.handshake.handshaken:
            insufficient.append(_half_a_handshake(conversation, session))
    views.sort(key=lambda view: (view.started_ns, view.conversation.uid))
    mining = [view for view in views if view.verdict.role is not None]
    groups = _join(mining, parameters)
    asked = {_relation(group.verdict) for group in groups if group.verdict.role is Role.NODE_CLIENT}
    lookalikes = _lookalikes(
        [
            view
            for view in views
            if view.verdict.role is None and _relation(view.verdict) not in asked  # told by the finding
        ]
    )

    miners = [group for group in groups if group.verdict.role is Role.MINER]
    beside: dict[tuple[str, str, int], list[_Group]] = defaultdict(list)
    for group in miners:
        beside[_relation(group.verdict)].append(group)
    servers = {group.verdict.server for group in miners}
    upstream = {group.verdict.client for group in miners if group.verdict.server != group.verdict.client}
    proxies = servers & upstream
    findings = []
    for group in groups:
        verdict = group.verdict
        if verdict.role is Role.PROBE and _overshadowed(group, beside[_relation(verdict)], parameters):
            continue
        role = verdict.role or Role.PROBE
        if role is Role.MINER and verdict.client in proxies:
            role = Role.PROXY
        findings.append(_finding(group, role, world))
    served: dict[tuple[str, int], _Group] = defaultdict(_Group)
    for group in miners:
        verdict = group.verdict
        if _is_internal(verdict.server) and verdict.server not in proxies:
            served[verdict.server, verdict.server_port].views.extend(group.views)
    findings.extend(_pool_finding(group, world) for group in served.values())
    findings.sort(key=lambda finding: (finding.started_ns, list(Role).index(finding.role), finding.host, finding.peer))
    return Detection(findings=tuple(findings), insufficient=tuple(insufficient), lookalikes=tuple(lookalikes))


def _join(views: list[_View], parameters: StratumParameters) -> list[_Group]:
    groups: list[_Group] = []
    latest: dict[tuple[str, str, int, str], tuple[_Group, int]] = {}
    for view in views:
        verdict = view.verdict
        key = (verdict.client, verdict.server, verdict.server_port, verdict.protocol)
        known = latest.get(key)
        if known is None or view.started_ns - known[1] > parameters.join_gap_s * 1e9:
            known = (_Group(), view.ended_ns)
            groups.append(known[0])
        known[0].views.append(view)
        latest[key] = (known[0], max(known[1], view.ended_ns))
    return groups


def _relation(verdict: Verdict) -> tuple[str, str, int]:
    return verdict.client, verdict.server, verdict.server_port


def _overshadowed(group: _Group, miners: list[_Group], parameters: StratumParameters) -> bool:
    """True for an attempt in another dialect by a host that mines at that very server: software tries them in turn."""
    span = parameters.join_gap_s * 1e9
    start, end = group.views[0].started_ns, max(view.ended_ns for view in group.views)
    for other in miners:
        begin, stop = other.views[0].started_ns, max(view.ended_ns for view in other.views)
        if start <= stop + span and begin <= end + span:
            return True
    return False


# -- one finding -------------------------------------------------------------------------------------------------------


def _finding(group: _Group, role: Role, world: _World) -> Finding:
    views, verdict = group.views, group.verdict
    parameters = world.parameters
    started = min(view.started_ns for view in views)
    ended = max(view.ended_ns for view in views)
    naming, name, pool = _naming(group, world, started)
    coins, testnet = naming.coins, naming.testnet
    counts = _count(views)
    algorithm = _algorithm(views, naming)
    measured = _rate(views, algorithm, parameters)
    watched_s = _watched_in_vain(views, counts, parameters)
    rate = measured.interval
    power = power_interval(rate, algorithm) if rate is not None else None
    agents = list(dict.fromkeys(agent for view in views for agent in view.session.signs.agents))
    veiled = _veil(views, world.pseudonym)
    accounts = dict.fromkeys(account for view in views for account in view.session.signs.accounts)
    return Finding(
        detector=DETECTOR,
        version=VERSION,
        family=Family.CONTENT,
        role=role,
        host=verdict.client,
        peer=endpoint_text(verdict.server, verdict.server_port),
        protocol=verdict.protocol,
        started_ns=started,
        ended_ns=ended,
        log10_e=world.log10_e(verdict.key),
        explanation=_explain(group, role, coins, testnet, pool or name, counts, measured, watched_s),
        coins=coins,
        pool=pool or name,
        agent=veiled(agents[0]) if agents else None,
        shares=counts,
        hashrate_hs=rate,
        power_w=power,
        contradictions=_contradictions(views, counts, testnet, role, watched_s),
        blind_spots=_blind_spots(views, role, measured, parameters),
        evidence=_evidence(views, parameters),
        timeline=_timeline(views, algorithm, parameters),
        course=_course(views),
        sources=_sources(views, parameters),
        community_ids=tuple(dict.fromkeys(view.conversation.community_id for view in views)),
        accounts=tuple(world.pseudonym(account) for account in accounts),
    )


def _naming(group: _Group, world: _World, time_ns: int) -> tuple[Naming, str | None, str | None]:
    verdict = group.verdict
    name = world.server_name(verdict.server, verdict.server_port, time_ns)
    if name is None:
        for view in group.views:
            name = next((text.lower() for text in view.session.signs.names if "/" not in text), None)
            if name is not None:
                break
    pool = world.pool_name(name, verdict.server, verdict.server_port)
    dialects: Counter[Dialect] = Counter()
    for view in group.views:
        dialects.update(view.session.dialects)
        dialects[dialect_of(view.session)] += 1
    if not any(len(view.session.book) or view.session.job_times for view in group.views):
        del dialects[Dialect.CRYPTONOTE]  # a log-in of these words is no sign of a coin; a share or a job is
    naming = candidates(
        [view.session.signs for view in group.views],
        dialects,
        [text for text in (name, pool) if text],
        verdict.server_port,
        time_ns,
    )
    # A pool may give each wallet a host of its own; what the indicators call the operator is no one's identity.
    return naming, _veil(group.views, world.pseudonym)(name) if name else None, pool


def _veil(views: list[_View], pseudonym: Callable[[str], str]) -> Callable[[str], str]:
    """A function that puts pseudonyms for the known identities, and for whatever looks like a wallet."""
    signs = [view.session.signs for view in views]
    identities = [name for sign in signs for name in (*sign.accounts, *sign.hidden)]
    known: dict[str, str] = {}
    for account in identities:
        known.setdefault(account.lower(), account)
        for part in _TOKEN.findall(account):
            # Shorter parts are no names; a worker that is called like its software betrays nobody.
            if len(part) >= 4 and part.lower() not in MINING_AGENTS:
                known.setdefault(part.lower(), part)
    whole = sorted({account for account in identities if len(account) >= 4}, key=len, reverse=True)

    def token(found: re.Match[str]) -> str:
        text = found.group()
        identity = known.get(text.lower())
        if identity is None and (is_wallet(text) or _LOOKS_LIKE_A_KEY.fullmatch(text)):
            identity = text
        return pseudonym(identity) if identity is not None else text

    def replace(text: str) -> str:
        # First the identities as a whole, behind marks that no token matches, so that no pseudonym is replaced again.
        held: list[str] = []
        for account in whole:
            if account.lower() in text.lower() and account.lower() not in MINING_AGENTS:
                text = re.sub(re.escape(account), f"\x00{len(held)}\x00", text, flags=re.IGNORECASE)
                held.append(pseudonym(account))
        text = _TOKEN.sub(token, text)
        for number, shown in enumerate(held):
            text = text.replace(f"\x00{number}\x00", shown)
        return text

    return replace


_TOKEN = re.compile(r"[0-9A-Za-z_]+")
_LOOKS_LIKE_A_KEY = re.compile(r"(?=[0-9A-Za-z]*[0-9])(?=[0-9A-Za-z]*[A-Za-z])[0-9A-Za-z]{26,}")
"""Letters and digits mixed, as long as the shortest address of a wallet (Bitcoin's has 26 characters or more)."""


def _watched_in_vain(views: list[_View], shares: Shares, parameters: StratumParameters) -> float:
    """How long work was handed out and no share came, where shares would have been seen; 0 otherwise. [s]"""
    sessions = [view.session for view in views]
    if any(session.gaps or session.unreadable or not all(session.seen_bytes) for session in sessions):
        return 0.0
    jobs = sorted(time for session in sessions for time in session.job_times)
    if _handed(shares) or len(jobs) < parameters.watcher_jobs:
        return 0.0
    lasted_s = (jobs[-1] - jobs[0]) / 1e9
    return lasted_s if lasted_s >= parameters.watcher_s else 0.0


def _handed(shares: Shares) -> int:
    return shares.accepted + shares.rejected + shares.stale + shares.unanswered


def _count(views: list[_View]) -> Shares:
    totals = [0, 0, 0, 0]
    for view in views:
        book = view.session.book
        for state in range(4):
            totals[state] += book.state.count(state)
        totals[UNANSWERED] += book.uncounted
    return Shares(
        accepted=totals[ACCEPTED], rejected=totals[REJECTED], stale=totals[STALE], unanswered=totals[UNANSWERED]
    )


def _algorithm(views: list[_View], naming: Naming) -> str:
    """Algorithm that the shares were found with; empty where it is not known."""
    shapes: Counter[Notify] = Counter()
    named: Counter[str] = Counter()
    for view in views:
        shapes.update(view.session.signs.shapes)
        named.update(view.session.signs.algorithms)
    if shapes[Notify.CRYPTONOTE]:
        algorithm = named.most_common(1)[0][0] if named else ""
        if algorithm.startswith(("cn", "cryptonight")):
            return "cryptonight"
        if algorithm.startswith(("rx", "randomx")):
            return "randomx"
        major = max((view.session.signs.blob_major or 0 for view in views), default=0)
        return "randomx" if major >= 12 else "cryptonight"  # Monero's version 12 brought RandomX
    if shapes[Notify.ZCASH]:
        return "equihash"
    if shapes[Notify.ETHASH]:
        return "ethash"
    return naming.algorithm


def _hashes(worth: float, algorithm: str) -> float:
    """Expected hashes of a share; 0 where the unit is not known."""
    if worth >= 0.0:
        return worth
    return -worth * V1_HASHES_PER_DIFFICULTY.get(algorithm, 0.0)


@dataclass(frozen=True, slots=True)
class _Rate:
    """Hash rate [hashes/s], how much it moved, the time it was watched for [s], and shares of unknown worth."""

    interval: Interval | None
    spread: float
    watched_s: float
    unknown: int


def _rate(views: list[_View], algorithm: str, parameters: StratumParameters) -> _Rate:
    shares: list[tuple[int, float]] = []
    unknown = 0
    spans: list[tuple[int, int]] = []
    for view in views:
        book = view.session.book
        for time, worth, state in zip(book.time_ns, book.worth, book.state, strict=True):
            if state == REJECTED:
                continue  # no work behind it, or none that can be believed
            hashes = _hashes(worth, algorithm)
            if hashes > 0.0:
                shares.append((time, hashes))
            else:
                unknown += 1
        spans.extend(_watched(view, parameters))
    # Connections at the same time count once, so their shares add up to the host's rate.
    spans = joined((begin, end) for begin, end in spans if end > begin)
    watched_s = sum(end - begin for begin, end in spans) / 1e9
    if len(shares) < parameters.min_shares:
        return _Rate(None, 0.0, watched_s, unknown)
    mean = rate_interval([hashes for _, hashes in shares], watched_s)
    if mean is None:
        return _Rate(None, 0.0, watched_s, unknown)
    spread = spread_between_windows(*_windows(shares, spans))
    return _Rate(widened(mean, spread), spread, watched_s, unknown)


def _windows(
    shares: list[tuple[int, float]], spans: list[tuple[int, int]]
) -> tuple[list[float], list[float], list[float]]:
    """Sum of worths, of their squares, and time watched [s], by windows of `WINDOW_S` of watched time.

    Absence is left out: the windows run over the spans laid end to end. A last window of less than a third is joined
    to the one before.
    """
    size = int(WINDOW_S * 1e9)
    total = sum(end - begin for begin, end in spans)
    count = max(1, total // size + (total % size >= size // 3))
    hashes, squares = [0.0] * count, [0.0] * count
    offsets, laid = [], 0
    for begin, end in spans:
        offsets.append(laid)
        laid += end - begin
    begins = [begin for begin, _ in spans]
    for time, worth in shares:
        at = max(0, bisect_right(begins, time) - 1)
        begin, end = spans[at]
        window = min(count - 1, (offsets[at] + min(max(time - begin, 0), end - begin)) // size)
        hashes[window] += worth
        squares[window] += worth * worth
    watched = [size / 1e9] * count
    watched[-1] = (total - size * (count - 1)) / 1e9
    return hashes, squares, watched


def _watched(view: _View, parameters: StratumParameters) -> list[tuple[int, int]]:
    """When shares would have been seen: connected, with work of known difficulty, and no bytes missing. [ns]"""
    session, conversation = view.session, view.conversation
    if session.known_since_ns is None:
        return []
    absence = int(parameters.absence_s * 1e9)
    start = session.known_since_ns
    end = view.ended_ns
    if 0 <= conversation.ended_ns - end <= absence:
        end = conversation.ended_ns
    away = sorted([*((a, b) for a, b in session.pauses if b - a >= absence), *session.lost])
    spans = []
    for begin, stop in away:
        if begin > start:
            spans.append((start, min(begin, end)))
        start = max(start, stop)
    if end > start:
        spans.append((start, end))
    return spans


def _thin(items: Sequence[object], limit: int) -> range:
    step = -(-len(items) // limit) if len(items) > limit else 1
    return range(0, len(items), step)


def _timeline(views: list[_View], algorithm: str, parameters: StratumParameters) -> Timeline:
    jobs = sorted(time for view in views for time in view.session.job_times)
    shares = sorted(
        (time, NAMES[state])
        for view in views
        for time, state in zip(view.session.book.time_ns, view.session.book.state, strict=True)
    )
    difficulty = sorted(
        (time, hashes)
        for view in views
        for time, worth in view.session.difficulties
        if (hashes := _hashes(worth, algorithm)) > 0.0
    )
    limit = parameters.timeline_points
    return Timeline(
        jobs=tuple(jobs[at] for at in _thin(jobs, limit)),
        shares=tuple(shares[at] for at in _thin(shares, limit)),
        difficulty=tuple(difficulty[at] for at in _thin(difficulty, limit)),
    )


def _course(views: list[_View]) -> Course | None:
    return course_of(
        [time for view in views for time in view.session.job_times],
        [
            (time, NAMES[state])
            for view in views
            for time, state in zip(view.session.book.time_ns, view.session.book.state, strict=True)
        ],
    )


_PRIORITY = (
    "client SUBSCRIBE", "client LOGIN", "subscribed", "client AUTHORIZE", "authorised", "difficulty", "job",
    "client SUBMIT",
    "share accepted", "agent", "extensions", "client GET_WORK", "client TEMPLATE", "template", "client SUBMIT_BLOCK",
    "share rejected", "share stale", "refused", "http error", "client HASHRATE", "client CONFIGURE", "plain", "note",
    "client KEEPALIVE",
)  # fmt: skip


def _evidence(views: list[_View], parameters: StratumParameters) -> tuple[EvidenceLine, ...]:
    marks: dict[str, tuple[int, str, PacketRef]] = {}
    for view in views:
        for key, mark in view.session.marks.items():
            known = marks.get(key)
            if known is None or mark.time_ns < known[0]:
                marks[key] = (mark.time_ns, mark.text, mark.packet)
        if view.verdict.key == "v2-handshake":
            for text, chunk in zip(_V2_RUNS, view.session.handshake.seen, strict=False):
                marks.setdefault(text, (chunk.time_ns, text, chunk.packet))
    ranked = sorted(
        marks.items(), key=lambda item: _PRIORITY.index(item[0]) if item[0] in _PRIORITY else len(_PRIORITY)
    )
    lines = [
        EvidenceLine(time_ns=time, text=text, packet=packet)
        for _, (time, text, packet) in ranked[: parameters.evidence_lines]
    ]
    return tuple(sorted(lines, key=lambda line: (line.time_ns, line.packet.file, line.packet.number)))


_V2_RUNS = (
    "first run: the client's key, as long as Stratum V2 has it",
    "second run: the server's keys and certificate, as long as Stratum V2 has them",
    "third run: long enough for an encrypted SetupConnection",
    "fourth run: exactly as long as an encrypted SetupConnection.Success",
    "fifth run: the client goes on",
)


def _sources(views: list[_View], parameters: StratumParameters) -> tuple[SourceRef, ...]:
    packets: dict[str, set[int]] = defaultdict(set)
    for view in views:
        cited = view.session.packets or [chunk.packet for chunk in view.session.handshake.seen]
        for packet in cited:
            packets[packet.file].add(packet.number)
    half = max(1, parameters.packets_cited // (2 * max(1, len(packets))))
    references = []
    for file in sorted(packets):
        numbers = sorted(packets[file])
        if len(numbers) > 2 * half:
            numbers = numbers[:half] + numbers[-half:]
        references.append(SourceRef(file=file, packets=tuple(numbers)))
    return tuple(references)


# -- words -------------------------------------------------------------------------------------------------------------


def _explain(
    group: _Group,
    role: Role,
    coins: tuple[str, ...],
    testnet: bool,
    pool: str | None,
    shares: Shares,
    measured: _Rate,
    watched_s: float,
) -> str:
    verdict = group.verdict
    server = endpoint_text(verdict.server, verdict.server_port) + (f" ({pool})" if pool else "")
    coin = f"{coins[0]}{' (test network)' if testnet else ''}" if coins else "a coin that the traffic does not name"
    jobs = sum(len(view.session.job_times) for view in group.views)
    count = len(group.views)
    where = f" in {count} conversations" if count > 1 else ""
    if role is Role.PROBE:
        return (
            f"{verdict.client} spoke {verdict.protocol} to {server}{where}, but the server never answered as a "
            f"pool does: "
            "no work, no confirmed log-in, no accepted share. An attempt, not mining."
        )
    if role is Role.NODE_CLIENT:
        return (
            f"{verdict.client} asked {server} for block templates over {verdict.protocol}{where}, as a pool or "
            f"wallet asks its "
            "own node. It does not name itself mining software, and nothing shows that it hashes."
        )
    if verdict.key == "v2-handshake":
        return (
            f"{verdict.client} opened a session with {server} whose first messages have exactly the lengths of "
            f"a Stratum V2 "
            "handshake and set-up, and went on. The contents are encrypted: coin, shares and hash rate are not visible."
        )
    parts = [_deed(group, coin if coins else "", server, shares, watched_s)]
    if role is Role.PROXY and _handed(shares):
        parts = [
            f"{verdict.client} takes shares from other hosts and mines {coin} in its own name at {server} over "
            f"{verdict.protocol}."
        ]
    form = next((_FORMS[shape] for view in group.views for shape in view.session.signs.shapes if shape in _FORMS), "")
    if form and dialect_of(group.views[0].session) in (Dialect.STRATUM_V1, Dialect.CRYPTONOTE):
        parts.append(f"The jobs have the form that {form} has.")
    if verdict.key == "work-only":
        parts.append(f"Only the server's side tells: it handed out work {_times(jobs)}.")
    elif verdict.key == "submit-only":
        parts.append("Only the client's side was captured: it handed in shares, which takes work to do.")
    elif verdict.key != "answered" and not watched_s and jobs:
        parts.append(f"The server handed out work {_times(jobs)}.")
    handed = _handed(shares)
    if handed:
        parts.append(
            f"{_counted(handed, 'share was', 'shares were')} handed in: {shares.accepted} accepted, "
            f"{shares.rejected} rejected, "
            f"{shares.stale} stale, "
            f"{shares.unanswered} without a visible answer."
        )
    rate = measured.interval
    if rate is not None:
        parts.append(
            f"Their difficulty over {_duration(measured.watched_s)} of connection means {_si(rate.estimate)}H/s "
            f"(95 % interval {_si(rate.low)}H/s to {_si(rate.high)}H/s)."
        )
    return " ".join(parts)


def _deed(group: _Group, coin: str, server: str, shares: Shares, watched_s: float) -> str:
    """What the client did, in one sentence: it mines where it handed in shares, or logged in and was given work."""
    verdict = group.verdict
    sessions = [view.session for view in group.views]
    jobs = sum(len(session.job_times) for session in sessions)
    where = f" in {len(group.views)} conversations" if len(group.views) > 1 else ""
    over = f"{server} over {verdict.protocol}{where}"
    subscribed = any(session.subscribed for session in sessions)
    authorised = any(session.authorised for session in sessions)
    if watched_s:
        return (
            f"{verdict.client} was handed work {_times(jobs)} by {over} and handed in no share in "
            f"{_duration(watched_s)}: a watcher, or a miner too slow for one share."
        )
    if _handed(shares) or (jobs and authorised):
        unseen = "" if _handed(shares) else " No share was seen in this time."
        return f"{verdict.client} mines {coin or 'a coin that the traffic does not name'} at {over}.{unseen}"
    if jobs:
        confirmed = "it had subscribed, but " if subscribed else ""
        return (
            f"{verdict.client} was handed work{f' for {coin}' if coin else ''} by {over}; "
            f"{confirmed}no confirmed log-in and no share was seen."
        )
    if subscribed or authorised:
        did = " and ".join(text for text, done in (("subscribed", subscribed), ("logged in", authorised)) if done)
        return f"{verdict.client} {did} at {over} and was confirmed; no work and no share was seen."
    return f"{verdict.client} spoke to {over} and was told what a share must be worth; no work and no share was seen."


_FORMS = {
    Notify.KAWPOW: "KawPoW (Ravencoin)",
    Notify.ERGO: "Autolykos (Ergo)",
    Notify.ALEPHIUM: "Alephium",
    Notify.IRON_FISH: "Iron Fish",
    Notify.GRIN: "Cuckoo Cycle (Grin)",
    Notify.BEAM: "BeamHash (Beam)",
}
"""Jobs that share their protocol's name with other coins, and are told by their shape."""


def _contradictions(views: list[_View], shares: Shares, testnet: bool, role: Role, watched_s: float) -> tuple[str, ...]:
    lines = []
    errors: Counter[str] = Counter()
    for view in views:
        errors.update(view.session.errors)
    if errors:
        worst = ", ".join(f"{text} ({_times(count)})" for text, count in errors.most_common(3))
        lines.append(f"The server also answered with errors: {worst}.")
    if role in (Role.MINER, Role.PROXY):
        if all(view.late for view in views):
            lines.append(
                "Nobody was seen to ask for this: it may be left over from an earlier session, and counts only because "
                "the host mines in other conversations."
            )
        handed = _handed(shares)
        if watched_s:
            jobs = sum(len(view.session.job_times) for view in views)
            lines.append(
                f"Work was handed out {_times(jobs)} in {_duration(watched_s)}, and not one share was handed in."
            )
        elif not handed and any(is_live(view.session) for view in views):
            lines.append("No share was handed in: the session may have been a test, or too short for one.")
        if any(_without_work(view) for view in views):
            lines.append("Shares were handed in, but no work was seen, though the session was seen from its start.")
        if shares.rejected > shares.accepted:
            lines.append("More shares were rejected than accepted.")
        if testnet:
            lines.append("Account or chain belong to a test network, whose coins have no value.")
    return tuple(lines)


def _without_work(view: _View) -> bool:
    """True for shares without any job, in a conversation that was seen whole and from its log-in."""
    session = view.session
    return bool(
        len(session.book)
        and session.handshake_seen
        and all(session.seen_bytes)
        and not session.job_times
        and not session.templates
        and not session.gaps
        and not session.unreadable
    )


def _blind_spots(views: list[_View], role: Role, measured: _Rate, parameters: StratumParameters) -> tuple[str, ...]:
    lines = []
    sessions = [view.session for view in views]
    if role is Role.PROXY:
        lines.append("Machines behind the proxy may be more than were seen.")
    if role is Role.MINER:
        lines.append(
            "The host may be a gateway or a proxy for several machines; the hash rate is that of all together."
        )
    if not all(session.handshake_seen for session in sessions) and role in (Role.MINER, Role.PROXY):
        lines.append("A session was seen from its middle only: log-in, account and software may be missing.")
    if any(not all(session.seen_bytes) for session in sessions):
        lines.append("A conversation was captured in one direction only.")
    gaps = sum(session.gaps for session in sessions)
    if gaps:
        lines.append(f"Bytes are missing in {gaps} places; shares in them are not counted, nor is that time.")
    unreadable = sum(session.unreadable for session in sessions)
    if unreadable:
        lines.append(
            f"{_counted(unreadable, 'line', 'lines')} with a method of mining could not be read as JSON; what "
            "they say is not counted."
        )
    pauses = sum(stop - begin >= parameters.absence_s * 1e9 for session in sessions for begin, stop in session.pauses)
    if pauses:
        lines.append(
            f"{pauses} silences of {_duration(parameters.absence_s)} or more are counted as absence, not as bad luck."
        )
    if measured.unknown:
        lines.append(
            f"{measured.unknown} shares are of a difficulty that was not seen or has no known unit; the hash "
            f"rate leaves them out."
        )
    rate = measured.interval
    if rate is not None:
        lines.append("Developer fees of 0 to 2 % and work lost at job changes are not in the hash rate.")
        if measured.spread > 0.05 * rate.estimate:
            lines.append(
                f"The rate moved between quarter hours by about {measured.spread / rate.estimate:.0%} (standard "
                f"deviation); "
                "the interval allows for it."
            )
    if any(session.answers_only_shares for session in sessions):
        lines.append("Some shares are known by the pool's answer only.")
    if any(len(session.job_times) + len(session.book) > parameters.timeline_points for session in sessions):
        lines.append(f"The timeline is thinned to {parameters.timeline_points} jobs and as many shares.")
    if sum(len(session.packets) for session in sessions) >= parameters.packets_cited:
        lines.append(f"Only {parameters.packets_cited} packets are cited: the first and the last.")
    return tuple(lines)


def _pool_finding(group: _Group, world: _World) -> Finding:
    """The server inside the own network that hands out the work."""
    views, verdict = group.views, group.verdict
    clients = sorted({view.verdict.client for view in views})
    first = min(views, key=lambda view: view.started_ns)
    naming, name, pool = _naming(group, world, first.started_ns)
    coins, testnet = naming.coins, naming.testnet
    counts = _count(views)
    algorithm = _algorithm(views, naming)
    rate = _rate(views, algorithm, world.parameters).interval
    others = f" and {len(clients) - 1} more" if len(clients) > 1 else ""
    return Finding(
        detector=DETECTOR,
        version=VERSION,
        family=Family.CONTENT,
        role=Role.POOL,
        host=verdict.server,
        peer=endpoint_text(first.verdict.client, first.verdict.client_port),
        protocol=verdict.protocol,
        started_ns=first.started_ns,
        ended_ns=max(view.ended_ns for view in views),
        log10_e=world.log10_e(verdict.key),
        explanation=(
            f"{verdict.server} hands out mining work on port {verdict.server_port} to {clients[0]}{others} and "
            f"takes their shares "
            f"({counts.accepted} accepted): a pool or solo-mining server inside an internal address range."
        ),
        coins=coins,
        pool=pool or name,
        shares=counts,
        hashrate_hs=rate,
        contradictions=("Account or chain belong to a test network, whose coins have no value.",) if testnet else (),
        blind_spots=("A proxy whose way to its own pool was not captured looks the same.",),
        evidence=_evidence(views, world.parameters),
        timeline=_timeline(views, algorithm, world.parameters),
        course=_course(views),
        sources=_sources(views, world.parameters),
        community_ids=tuple(dict.fromkeys(view.conversation.community_id for view in views)),
    )


def _half_a_handshake(conversation: Conversation, session: StratumSession) -> Insufficient:
    orig_is_client = session.handshake.client_direction == 0
    host = conversation.orig_h if orig_is_client else conversation.resp_h
    server = (
        (conversation.resp_h, conversation.resp_p) if orig_is_client else (conversation.orig_h, conversation.orig_p)
    )
    return Insufficient(
        detector=DETECTOR,
        host=host,
        peer=endpoint_text(*server),
        missing="an opening as long as a Stratum V2 handshake; the server's agreement to the set-up was not seen",
    )


def _cut_talk(conversation: Conversation, session: StratumSession) -> Insufficient:
    return Insufficient(
        detector=DETECTOR,
        host=conversation.orig_h,
        peer=endpoint_text(conversation.resp_h, conversation.resp_p),
        missing=(
            f"bytes in {session.gaps} places of a JSON-RPC conversation (a short snap length, or loss): what is left "
            "names no method of mining, and what is missing may"
        ),
    )


def _lookalikes(views: list[_View]) -> list[Lookalike]:
    """One per host, peer and label, with the conversations it stands for."""
    merged: dict[tuple[str, str, str], list[_View]] = defaultdict(list)
    for view in views:
        verdict = view.verdict
        merged[verdict.client, endpoint_text(verdict.server, verdict.server_port), verdict.label].append(view)
    lookalikes = []
    for (host, peer, label), same in merged.items():
        packets: dict[str, set[int]] = defaultdict(set)
        for view in same[:50]:
            for mark in view.session.marks.values():
                packets[mark.packet.file].add(mark.packet.number)
        lookalikes.append(
            Lookalike(
                detector=DETECTOR,
                host=host,
                peer=peer,
                label=label,
                reason=same[0].verdict.reason,
                started_ns=min(view.started_ns for view in same),
                sources=tuple(SourceRef(file=file, packets=tuple(sorted(packets[file]))) for file in sorted(packets)),
                community_ids=tuple(dict.fromkeys(view.conversation.community_id for view in same)),
            )
        )
    return lookalikes


_INTERNAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""Ranges that are never routed on the internet: RFC 1918, 6598, 3927, 1122, 4193, 4291. (`is_private` holds more.)"""


def _is_internal(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed.version == network.version and parsed in network for network in _INTERNAL)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _si(value: float) -> str:
    for factor, prefix in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}"
    return f"{value:.3g} "
