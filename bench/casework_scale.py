"""How the store of cases answers when it is full: SQLite and PostgreSQL, filled by the product's own import.

    python -m bench.casework_scale                      # both, 1 million findings, 100,000 sites, 20,000 cases
    python -m bench.casework_scale --findings 50000 --sites 5000 --cases 1000 sqlite

Everything is drawn with a seed: sites have findings as sites do (few have many), evidence is skewed, a tenth of the
findings are in cases, cases have eight events and run clocks. Each question is asked many times with other values; the
table gives the median and the 99th percentile. PostgreSQL is Debian's, with its own settings but for 256 MB of shared
memory, and flushes to the disk; it runs on the same machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from headframe.cases.store import CaseFilter, Disclosure, FindingFilter, PendingLeaf, SiteImport, StoredFinding
from headframe.records.case import (
    Approve,
    Case,
    CaseEvent,
    DecisionOutcome,
    DocumentRef,
    FindingRef,
    LookUpLawful,
    LookupOutcome,
    NoticeKind,
    OpenCase,
    ProposeClass,
    ProposeNotice,
    RecordReply,
    RegisterEntry,
    ReplyStance,
    ServeNotice,
    Stage,
)
from headframe.records.finding import Family
from headframe.records.lawful import LawfulEntry, LawfulKind
from headframe.records.policy import Basis, Clock, ClockState, PartyStanding
from headframe.records.site import Assignment, AssignmentKind, Organisation, Site, SiteKind, SourceRow

DAY_NS = 86_400 * 10**9
T0 = 1_735_689_600 * 10**9
"""2025-01-01. Findings begin within the 400 days after it."""
REGIONS = tuple(f"R-{k:02d}" for k in range(30))
DETECTORS = (
    (Family.CONTENT, "stratum", 0.25),
    (Family.ENDPOINT, "pool_endpoint", 0.40),
    (Family.TIMING, "chain_sync", 0.10),
    (Family.TRAFFIC, "flow_shape", 0.05),
    (Family.LOAD, "flat_load", 0.12),
    (Family.LOAD, "load_step", 0.07),
    (Family.BALANCE, "balance", 0.01),
)
COINS = ("XMR", "BTC", "ETC", "KAS", "")
GOAL_MS = 100.0


@dataclass(frozen=True)
class Size:
    """How much there is."""

    findings: int
    sites: int
    cases: int
    asked: int


def sites(size: Size, rng: random.Random) -> SiteImport:
    kinds = [kind for kind in SiteKind if kind is not SiteKind.UNKNOWN]
    words = ("North", "South", "West", "East", "Upper", "Lower", "Old", "New", "River", "Lake", "Mill", "Stone")
    organisations = max(size.sites // 5, 1)
    made, belongs, lawful = [], [], []
    for k in range(size.sites):
        kind = rng.choice(kinds)
        source = SourceRow("sites.csv", k + 2)
        home = kind is SiteKind.HOUSEHOLD_PREMISES
        made.append(
            Site(
                site_id=f"S-{k:06d}", kind=kind,
                name=f"S-{k:06d}" if home else f"{rng.choice(words)}{rng.choice(words).lower()} {k}",
                organisation_id=None if home else f"O-{rng.randrange(organisations):05d}",
                region=rng.choice(REGIONS), latitude=rng.uniform(20, 50), longitude=rng.uniform(80, 120), source=source,
            )
        )  # fmt: skip
        belongs.append(
            Assignment(
                kind=AssignmentKind.PREFIX, value=f"10.{k >> 16 & 255}.{k >> 8 & 255}.{k & 255}/32",
                site_id=f"S-{k:06d}", valid_from_ns=T0, source=source,
            )
        )  # fmt: skip
        belongs.append(
            Assignment(kind=AssignmentKind.USAGE_POINT, value=f"UP-{k:06d}", site_id=f"S-{k:06d}", source=source)
        )
        if rng.random() < 0.02:
            lawful.append(
                LawfulEntry(
                    entry_id=f"L-{k:06d}", kind=LawfulKind.LICENCE, register=f"register-{k % 3}", site_id=f"S-{k:06d}",
                    power_limit_w=1e6, valid_from_ns=T0, source=SourceRow("register.csv", k + 2),
                )
            )  # fmt: skip
    owners = [Organisation(organisation_id=f"O-{k:05d}", name=f"Company {k}") for k in range(organisations)]
    return SiteImport(sites=made, organisations=owners, assignments=belongs, lawful=lawful)


def finding(number: int, size: Size) -> StoredFinding:
    """The finding of a number: the same whenever it is asked for."""
    rng = random.Random(number)
    family, detector, _ = rng.choices(DETECTORS, [weight for *_, weight in DETECTORS])[0]
    site = min(int(rng.paretovariate(0.6)) - 1, size.sites - 1) if rng.random() < 0.5 else rng.randrange(size.sites)
    started_ns = T0 + rng.randrange(400 * 86_400) * 10**9
    length = rng.randrange(3_600, 86_400) if family is not Family.LOAD else rng.choice((28, 56)) * 86_400
    subject = (
        f"UP-{site:06d}"
        if family in (Family.LOAD, Family.BALANCE)
        else f"10.{site >> 16}.{site >> 8 & 255}.{site & 255}"
    )
    mining = detector != "pool_endpoint" or rng.random() < 0.05
    log10_e = round(rng.expovariate(0.25) if mining else rng.expovariate(1.0), 3)
    seen = [
        {"time": "2025-03-01T12:00:00.000000000Z", "text": f"job {rng.getrandbits(64):016x} answered with a share",
         "file": f"sensor-{rng.randrange(20)}.pcap", "packet": rng.randrange(10**8)}
        for _ in range(rng.randrange(3, 10))
    ]  # fmt: skip
    document = {
        "schema_version": "1.2", "detector": detector, "version": "2", "family": family.value, "host": subject,
        "peer": f"203.0.113.{rng.randrange(256)}:{rng.choice((3333, 4444, 443))}",
        "role": "miner" if mining else "contact", "coin": [rng.choice(COINS)], "protocol": "stratum",
        "pool": "pool.example", "agent": "xmrig/6.21.0",
        "shares": {"accepted": rng.randrange(5_000), "rejected": 3, "stale": 7, "unanswered": 0},
        "hashrate_hs": {"low": 900.0, "estimate": 1_000.0 + rng.random(), "high": 1_100.0},
        "power_w": {"low": 80.0, "estimate": 100.0 + rng.random(), "high": 130.0}, "log10_e": log10_e,
        "explanation": "The host asked a pool for work and handed in shares, which the pool took. " * 2,
        "contradictions": [], "blind_spots": ["Names and addresses are not looked at."], "evidence": seen,
        "sources": [{"file": "sensor-1.pcap", "packets": [rng.randrange(10**8) for _ in range(20)]}],
        "community_ids": [f"1:{rng.getrandbits(128):032x}"], "accounts": [f"#{rng.getrandbits(64):016x}"],
    }  # fmt: skip
    ref = FindingRef(
        finding_id=f"F-{rng.getrandbits(96):024x}", family=family, detector=detector, version="2", subject=subject,
        log10_e=log10_e, started_ns=started_ns, ended_ns=started_ns + length * 10**9,
        sha256=f"{rng.getrandbits(256):064x}", mining=mining,
    )  # fmt: skip
    return StoredFinding(
        ref=ref, site_id=f"S-{site:06d}", coin=rng.choice(COINS), import_id=f"I-{number // 10_000}", document=document
    )


def case_of(number: int, own: list[StoredFinding], rng: random.Random) -> tuple[list[CaseEvent], Case, list[Clock]]:
    case_id = f"HF-2026-{number + 1:06d}"
    opened_ns = T0 + rng.randrange(400 * 86_400) * 10**9
    refs = tuple(each.ref for each in own)
    site_id = own[0].site_id
    head = {
        "case_id": case_id, "pack_id": f"pack-{number % 8}", "pack_version": "1", "pack_digest": "ab" * 32,
        "site_id": site_id, "site_kind": "industrial_park", "region": rng.choice(REGIONS),
        "organisation_id": f"O-{rng.randrange(20_000):05d}", "usage_points": (f"UP-{site_id[2:]}",),
    }  # fmt: skip
    letter = DocumentRef(
        sha256=f"{number:064x}", name="notice.pdf", media_type="application/pdf", kind="notice", size=90_000
    )
    acts = [
        OpenCase(**head, findings=refs, summary="Shares to a pool, by two families of evidence."),
        LookUpLawful(outcome=LookupOutcome.NOT_LISTED, registers=("register-0 as of 2026-01-01",)),
        ProposeClass(
            standing=PartyStanding.OPERATOR, axes=(("activity", "mining"),), criteria=("c1", "c2"), reason="both met"
        ),
        Approve(proposal=3),
        ProposeNotice(kind=NoticeKind.NOTICE, document=letter, language="zh"),
        Approve(proposal=5),
        ServeNotice(proposal=5, received_ns=opened_ns + 5 * DAY_NS, channel="post"),
        RecordReply(
            received_ns=opened_ns + 9 * DAY_NS, stance=ReplyStance.CONTESTS, document=None, text="A cold store. " * 30
        ),
    ]  # fmt: skip
    events = [
        CaseEvent(
            case_id=case_id, number=k, at_ns=opened_ns + k * 3_600 * 10**9, account=f"a{k % 3}", unit="unit", act=act
        )
        for k, act in enumerate(acts, 1)
    ]
    case = Case(
        **head, opened_ns=opened_ns, opened_by="a1", stage=rng.choice(list(Stage)), version=len(events),
        last_ns=events[-1].at_ns, findings=refs, standing=rng.choice(list(PartyStanding)),
    )  # fmt: skip
    clocks = [
        Clock(id=name, state=ClockState.RUNNING, started_ns=opened_ns, due_ns=opened_ns + rng.randrange(90) * DAY_NS,
              due_day="2026-06-08", basis=Basis.OPERATOR_DEFAULT, explanation="ten working days, two days off")
        for name in ("reply", "appeal")
        if rng.random() < 0.6
    ]  # fmt: skip
    return events, case, clocks


def leaves_of(events: list[CaseEvent], rng: random.Random) -> Iterator[PendingLeaf]:
    for event in events:
        disclosed = [
            Disclosure(name=name, salt=rng.randbytes(16), value={"text": name * 20}) for name in ("account", "content")
        ]
        yield PendingLeaf(
            leaf_id=f"case/{event.case_id}/{event.number}", leaf=rng.randbytes(200), disclosures=tuple(disclosed),
            data_class="case", case_id=event.case_id,
        )  # fmt: skip


def fill(store, size: Size) -> list[tuple[str, str]]:  # type: ignore[no-untyped-def]
    """Fill the store; gives how fast."""
    said = []
    rng = random.Random(1)
    table = sites(size, rng)
    begun = time.perf_counter()
    with store.writing() as writer:
        writer.import_sites(table)
    took = time.perf_counter() - begun
    said.append(("sites with prefix, usage point and organisation", f"{size.sites / took:,.0f}/s"))
    spent = 0.0
    for begin in range(0, size.findings, 50_000):
        batch = [finding(k, size) for k in range(begin, min(begin + 50_000, size.findings))]
        begun = time.perf_counter()
        with store.writing() as writer:
            assert writer.import_findings(batch) == len(batch)
        spent += time.perf_counter() - begun
        del batch
    said.append(("findings", f"{size.findings / spent:,.0f}/s"))
    spent = 0.0
    each = max(size.findings // 10 // size.cases, 1)
    for begin in range(0, size.cases, 100):
        made = []
        for k in range(begin, min(begin + 100, size.cases)):
            own = [finding(rng.randrange(size.findings), size) for _ in range(each)]
            made.append(case_of(k, own, rng))
        begun = time.perf_counter()
        with store.writing() as writer:
            for events, case, clocks in made:
                writer.append(events, case, clocks)
                for leaf in leaves_of(events, rng):
                    writer.log(leaf)
                if case.stage is Stage.CLOSED:
                    writer.enter_register(
                        RegisterEntry(
                            entry_id=f"R-{case.case_id}", case_id=case.case_id, decision=3,
                            organisation_id=case.organisation_id, site_id=case.site_id,
                            outcome=DecisionOutcome.CONFIRMED, legal_basis=("rule#1",),
                            decided_ns=case.opened_ns, final_ns=case.last_ns,
                        )
                    )  # fmt: skip
        store.mark_logged(
            {
                f"case/{case.case_id}/{event.number}": (begin + k) * 8 + event.number
                for k, (events, case, _) in enumerate(made)
                for event in events
            }
        )
        spent += time.perf_counter() - begun
    said.append(("cases of eight events with their leaves, 100 to a transaction", f"{size.cases / spent:,.0f}/s"))
    return said


def questions(store, size: Size) -> Iterator[tuple[str, Callable[[random.Random], object]]]:  # type: ignore[no-untyped-def]
    """What is asked, each with values that are drawn anew every time."""

    def site(rng: random.Random) -> str:
        return f"S-{rng.randrange(size.sites):06d}"

    def case_id(rng: random.Random) -> str:
        return f"HF-2026-{rng.randrange(size.cases) + 1:06d}"

    def page(ask: Callable[..., object], wanted: object, deep: int) -> str:
        cursor = ""
        for _ in range(deep):
            cursor = ask(wanted, cursor=cursor, limit=1_000 if deep > 10 else 50).cursor  # type: ignore[attr-defined]
        return cursor

    everything = FindingFilter()
    tenth, deep = (
        page(store.findings, everything, 9),
        page(store.findings, everything, min(300, size.findings // 2_000)),
    )
    yield "findings, first page", lambda rng: store.findings(everything)
    yield "findings, 10th page", lambda rng: store.findings(everything, cursor=tenth)
    yield "findings, page in the middle", lambda rng: store.findings(everything, cursor=deep)
    yield (
        "findings to screen (mining, in no case)",
        lambda rng: store.findings(FindingFilter(mining_only=True, without_case=True)),
    )
    yield "findings of a family", lambda rng: store.findings(FindingFilter(family=rng.choice(DETECTORS)[0].value))
    yield (
        "findings of a family, mining, in no case",
        lambda rng: store.findings(
            FindingFilter(family=rng.choice(DETECTORS)[0].value, mining_only=True, without_case=True)
        ),
    )
    yield "findings of a detector", lambda rng: store.findings(FindingFilter(detector=rng.choice(DETECTORS)[1]))
    yield "findings of a site", lambda rng: store.findings(FindingFilter(site_id=site(rng)))
    yield "findings of the site with most", lambda rng: store.findings(FindingFilter(site_id="S-000000"))
    yield (
        "findings of an address",
        lambda rng: store.findings(FindingFilter(subject=f"10.0.{rng.randrange(256)}.{rng.randrange(256)}")),
    )

    def in_days(rng: random.Random, days: int, **more: object) -> object:
        began = T0 + rng.randrange(380) * DAY_NS
        return store.findings(FindingFilter(from_ns=began, until_ns=began + days * DAY_NS, **more))  # type: ignore[arg-type]

    yield "findings of a day", lambda rng: in_days(rng, 1)
    yield "findings of a week", lambda rng: in_days(rng, 7)
    yield (
        "findings of a week, mining, of one detector",
        lambda rng: in_days(rng, 7, mining_only=True, detector="stratum"),
    )
    yield "findings of 100 days", lambda rng: in_days(rng, 100)
    yield "findings of a case", lambda rng: store.findings(FindingFilter(case_id=case_id(rng)))
    some = [finding(k, size).ref.finding_id for k in range(0, size.findings, max(size.findings // 500, 1))]
    yield "one finding", lambda rng: store.finding(rng.choice(some))

    all_cases = CaseFilter()
    ctenth, cdeep = page(store.cases, all_cases, 9), page(store.cases, all_cases, min(12, size.cases // 1_500 or 1))
    yield "cases, first page", lambda rng: store.cases(all_cases)
    yield "cases, 10th page", lambda rng: store.cases(all_cases, cursor=ctenth)
    yield "cases, page in the middle", lambda rng: store.cases(all_cases, cursor=cdeep)
    yield "cases of two stages", lambda rng: store.cases(CaseFilter(stages=frozenset(rng.sample(list(Stage), 2))))
    yield (
        "cases of a region and a pack",
        lambda rng: store.cases(CaseFilter(region=rng.choice(REGIONS), pack_id=f"pack-{rng.randrange(8)}")),
    )
    yield (
        "cases by standing and kind of site",
        lambda rng: store.cases(CaseFilter(standing=rng.choice(list(PartyStanding)), site_kind="industrial_park")),
    )
    yield "cases due before a day", lambda rng: store.cases(CaseFilter(due_before_ns=T0 + rng.randrange(400) * DAY_NS))
    yield (
        "cases by beginning of a case id",
        lambda rng: store.cases(CaseFilter(text=f"HF-2026-00{rng.randrange(100):02d}")),
    )
    yield (
        "cases by beginning of a site's name",
        lambda rng: store.cases(CaseFilter(text=rng.choice(("northm", "old", "river", "s")))),
    )

    def opened(rng: random.Random) -> object:
        """What a case file needs of the store."""
        name = case_id(rng)
        events = store.events(name)
        act = events[0].act
        return (
            store.clocks(name), store.documents(name), store.leaves(case_id=name), store.site(act.site_id),
            store.organisation(act.organisation_id), store.findings(FindingFilter(case_id=name)),
            store.register(site_id=act.site_id),
        )  # fmt: skip

    yield "a case with all around it", opened
    yield "a site", lambda rng: store.site(site(rng))
    yield "what belongs to a site", lambda rng: store.assignments(site(rng))

    def lawful(rng: random.Random) -> object:
        name = site(rng)
        return store.lawful_of(
            site_id=name, organisation_id=f"O-{rng.randrange(20_000):05d}", usage_points=[f"UP-{name[2:]}"]
        )

    yield "look-up of lawful mining", lawful
    yield (
        "register of decisions, by organisation",
        lambda rng: store.register(organisation_id=f"O-{rng.randrange(20_000):05d}"),
    )
    yield (
        "register of decisions, by beginning of a word",
        lambda rng: store.register(text=f"Company {rng.randrange(10, 100)}"),
    )
    yield "contacts of a site", lambda rng: store.contacts(site_id=site(rng))
    yield "pending leaves (none)", lambda rng: store.pending_leaves()

    def act(rng: random.Random) -> None:
        name = case_id(rng)
        events = store.events(name)
        last = events[-1]
        event = replace(last, number=last.number + 1, at_ns=last.at_ns + DAY_NS)
        own = tuple(finding(k, size).ref for k in range(5))
        _, case, clocks = case_of(int(name[-6:]) - 1, [finding(0, size)], rng)
        begun = time.perf_counter()
        with store.writing() as writer:
            writer.append([event], replace(case, version=event.number, findings=own[:1]), clocks)
            for leaf in leaves_of([event], rng):
                writer.log(leaf)
        raise _Took(time.perf_counter() - begun)

    yield "an act: event, list, clocks, leaf; flushed", act


class _Took(Exception):
    """How long the part took that counts."""


def ask(store, size: Size) -> list[tuple[str, float, float]]:  # type: ignore[no-untyped-def]
    """Median and 99th percentile of every question. [ms]"""
    table = []
    for name, question in questions(store, size):
        times = []
        for k in range(size.asked):
            rng = random.Random(f"{name} {k}")
            begun = time.perf_counter()
            try:
                question(rng)
                times.append(time.perf_counter() - begun)
            except _Took as took:
                times.append(took.args[0])
        times.sort()
        table.append((name, 1e3 * statistics.median(times), 1e3 * times[min(int(0.99 * len(times)), len(times) - 1)]))
    return table


def run(backend: str, size: Size, pipe) -> None:  # type: ignore[no-untyped-def]
    """Fill and ask one database, in a process of its own, so that its memory can be told."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # where the server for tests is
    from postgresql_server import running_server

    from headframe.stores.database import open_store

    def work(url: str) -> dict[str, object]:
        store = open_store(url, create=True)
        filled = fill(store, size)
        if store.is_postgresql:
            with store.engine.connect() as db:
                held = db.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        else:
            held = Path(url).stat().st_size
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answers = ask(store, size)
        store.close()
        return {
            "filled": [
                *filled,
                ("size", f"{held / 1e9:.2f} GB"),
                ("peak memory of the importer", f"{rss / 1e3:,.0f} MB"),
            ],
            "answers": answers,
        }

    if backend == "sqlite":
        with tempfile.TemporaryDirectory(prefix="hf-scale-") as folder:
            pipe.send(work(str(Path(folder) / "headframe.db")))
    else:
        with running_server(durable=True) as server:
            pipe.send(work(server.url(server.fresh())))


def main() -> int:
    """Run and print the table; 1 if an answer takes longer than it may."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("backends", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--findings", type=int, default=1_000_000)
    parser.add_argument("--sites", type=int, default=100_000)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--asked", type=int, default=200, help="how often each question is asked")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    given = parser.parse_args()
    size = Size(given.findings, given.sites, given.cases, given.asked)
    figures: dict[str, dict[str, object]] = {}
    context = multiprocessing.get_context("spawn")
    for backend in given.backends:
        ours, theirs = context.Pipe()
        process = context.Process(target=run, args=(backend, size, theirs))
        process.start()
        theirs.close()
        try:
            figures[backend] = ours.recv()
        except EOFError:
            process.join()
            print(f"{backend}: ended without an answer", file=sys.stderr)
            return 1
        process.join()
        print(f"## {backend}: {size.findings:,} findings, {size.sites:,} sites, {size.cases:,} cases\n")
        for what, how in figures[backend]["filled"]:  # type: ignore[attr-defined]
            print(f"- {what}: {how}")
        print("\n| question | median [ms] | 99 % [ms] |\n|---|---|---|")
        for name, median, most in figures[backend]["answers"]:  # type: ignore[attr-defined]
            print(f"| {name} | {median:.1f} | {most:.1f}{' !' if most > GOAL_MS else ''} |")
        print(flush=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1))
    slow = [name for each in figures.values() for name, _, most in each["answers"] if most > GOAL_MS]  # type: ignore[attr-defined]
    print(f"all answers under {GOAL_MS:.0f} ms" if not slow else f"slower than {GOAL_MS:.0f} ms: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
