"""Findings: import, lists, counters."""

import math
import random
from collections.abc import Callable, Iterator, Sequence

import pytest
from sqlalchemy import func, select
from stores.database.makers import DAY_NS, T0, finding, opening

from headframe.cases.store import FindingFilter, StoredFinding
from headframe.records.finding import Family
from headframe.stores.database import DatabaseStore, listing
from headframe.stores.database.tables import FINDING_COUNTS, FINDINGS


def put(store: DatabaseStore, *findings: StoredFinding) -> int:
    with store.writing() as writer:
        return writer.import_findings(findings)


def test_a_finding_comes_back_as_it_went_in(store: DatabaseStore) -> None:
    """Every field and the whole document; a number that is no number stays one; infinity stays infinite."""
    kept = [finding(1, log10_e=value) for value in (3.25, -2.0, 0.0, math.inf, -math.inf)]
    kept = [finding(k, log10_e=each.ref.log10_e) for k, each in enumerate(kept)]
    put(store, *kept)
    for each in kept:
        assert store.finding(each.ref.finding_id) == each
    put(store, finding(9, log10_e=math.nan))
    strange = store.finding("F-0000009")
    assert strange is not None
    assert math.isnan(strange.ref.log10_e)
    assert store.finding("F-1") is None


def test_documents_are_kept_whole(store: DatabaseStore) -> None:
    """Long and short documents, other scripts, large numbers and empty lists."""
    from dataclasses import replace

    documents: list[dict[str, object]] = [
        {},
        {"text": "挖矿 ⛏ \x00 end", "number": 2**53, "list": [], "none": None, "real": 0.1},
        {"evidence": [{"text": f"line {k}", "packet": k} for k in range(500)]},
    ]
    for k, document in enumerate(documents):
        put(store, replace(finding(k), document=document))
        kept = store.finding(f"F-{k:07d}")
        assert kept is not None
        assert kept.document == document


def test_a_second_import_adds_only_what_is_new(store: DatabaseStore) -> None:
    """Findings are known by their id: the second time they are passed over, and the number told is that of new ones."""
    assert put(store, finding(1), finding(2), finding(1)) == 2
    assert put(store, finding(2, log10_e=99.0), finding(3)) == 1
    assert put(store) == 0
    assert [row.ref.finding_id for row in store.findings(FindingFilter()).rows] == [f"F-{k:07d}" for k in (1, 2, 3)]
    kept = store.finding("F-0000002")
    assert kept is not None
    assert kept.ref.log10_e == 3.0


def test_two_imports_at_once(opened: Callable[[], DatabaseStore]) -> None:
    """Two imports of overlapping findings at the same time: each is there once, and the counters are right."""
    import threading

    stores = [opened(), opened()]
    new: list[int] = []

    def work(store: DatabaseStore, begin: int) -> None:
        for k in range(5):
            new.append(put(store, *(finding(n) for n in range(begin + 20 * k, begin + 20 * k + 40))))

    threads = [threading.Thread(target=work, args=(each, 10 * k)) for k, each in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(new) == 130
    assert store_total(stores[0]) == 130
    check_counters(stores[0])


def store_total(store: DatabaseStore) -> int:
    return store.findings(FindingFilter(), limit=1).total


def check_counters(store: DatabaseStore) -> None:
    """The counters say what counting says."""
    columns = [FINDINGS.c.family, FINDINGS.c.detector, FINDINGS.c.mining, FINDINGS.c.in_case]
    with store.engine.connect() as db:
        counted = {tuple(row[:4]): row[4] for row in db.execute(select(*columns, func.count()).group_by(*columns))}
        kept = {tuple(row[:4]): row.findings for row in db.execute(select(FINDING_COUNTS)) if row.findings}
    assert kept == counted


def in_python(findings: list[StoredFinding], wanted: FindingFilter, in_case: dict[str, str]) -> list[str]:
    """The list, the slow and obvious way."""

    def fits(each: StoredFinding) -> bool:
        ref = each.ref
        return (
            (not wanted.site_id or each.site_id == wanted.site_id)
            and (not wanted.subject or ref.subject == wanted.subject)
            and (not wanted.family or ref.family == wanted.family)
            and (not wanted.detector or ref.detector == wanted.detector)
            and (wanted.from_ns is None or ref.ended_ns >= wanted.from_ns)
            and (wanted.until_ns is None or ref.started_ns < wanted.until_ns)
            and (not wanted.case_id or in_case.get(ref.finding_id) == wanted.case_id)
            and (not wanted.without_case or ref.finding_id not in in_case)
            and (not wanted.mining_only or ref.mining)
        )

    chosen = [each for each in findings if fits(each)]
    return [each.ref.finding_id for each in sorted(chosen, key=lambda f: (-f.ref.log10_e, f.ref.finding_id))]


@pytest.mark.parametrize("counted", [0, 60, 100_000])
def test_lists_are_what_they_should_be(store: DatabaseStore, monkeypatch: pytest.MonkeyPatch, counted: int) -> None:
    """Both ways to a page give, for any filter, the list that a plain loop gives, page by page, with its total."""
    monkeypatch.setattr(listing, "COUNTED", counted)
    rng = random.Random(7)
    findings = [
        finding(
            k,
            log10_e=rng.choice([-1.0, 0.5, 2.0, 2.0, 8.0]),
            site_id=f"S-{rng.randrange(4)}",
            family=rng.choice([Family.CONTENT, Family.ENDPOINT, Family.LOAD]),
            detector=rng.choice(["stratum", "pool_endpoint"]),
            mining=rng.random() < 0.6,
            started_ns=(began := T0 + rng.randrange(100) * DAY_NS),
            ended_ns=began + rng.choice([0, 1, 60]) * DAY_NS,
            subject=f"10.0.0.{rng.randrange(5)}",
        )
        for k in range(400)
    ]
    put(store, *findings)
    in_case = {each.ref.finding_id: "HF-2026-000001" for each in findings[::9]}
    events, case = opening("HF-2026-000001", findings=findings[::9])
    with store.writing() as writer:
        writer.append(events, case, [])
    check_counters(store)
    filters = [FindingFilter(), FindingFilter(case_id="HF-2026-000001"), FindingFilter(case_id="HF-2026-000002")]
    for _ in range(30):
        filters.append(
            FindingFilter(
                site_id=rng.choice(["", "", "S-1"]),
                subject=rng.choice(["", "", "", "10.0.0.2"]),
                family=rng.choice(["", "", "load"]),
                detector=rng.choice(["", "", "stratum"]),
                from_ns=rng.choice([None, T0 + 50 * DAY_NS]),
                until_ns=rng.choice([None, T0 + 70 * DAY_NS]),
                case_id=rng.choice(["", "", "", "HF-2026-000001"]),
                without_case=rng.random() < 0.3,
                mining_only=rng.random() < 0.5,
            )
        )
    for wanted in filters:
        expected = in_python(findings, wanted, in_case)
        seen: list[str] = []
        cursor = ""
        while True:
            page = store.findings(wanted, cursor=cursor, limit=61)
            assert page.total == (counted if page.at_least else len(expected))
            assert not page.at_least or len(expected) > counted
            seen += [row.ref.finding_id for row in page.rows]
            cursor = page.cursor
            if not cursor:
                break
        assert seen == expected, wanted


def test_large_totals_are_told_as_such(store: DatabaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit the total is "at least", unless the counters know it."""
    monkeypatch.setattr(listing, "COUNTED", 10)
    put(store, *(finding(k) for k in range(12)))
    assert (page := store.findings(FindingFilter(site_id="S-1"))).total == 10
    assert page.at_least
    assert len(page.rows) == 12
    assert (page := store.findings(FindingFilter(family="content", mining_only=True))).total == 12
    assert not page.at_least


def test_a_finding_may_come_after_its_case(store: DatabaseStore) -> None:
    """A case that names a finding which is imported later: the finding is in a case from its first moment on."""
    late = finding(1)
    events, case = opening("HF-2026-000001", findings=[late])
    with store.writing() as writer:
        writer.append(events, case, [])
    put(store, late, finding(2))
    assert [row.ref.finding_id for row in store.findings(FindingFilter(without_case=True)).rows] == ["F-0000002"]
    assert store.findings(FindingFilter(without_case=True)).total == 1
    assert [row.ref.finding_id for row in store.findings(FindingFilter(case_id=case.case_id)).rows] == ["F-0000001"]
    check_counters(store)


def test_an_import_is_bounded_in_memory(store: DatabaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings are taken from the stream as they are written: never more than a batch ahead."""
    from headframe.stores.database.writer import Writer

    monkeypatch.setattr("headframe.stores.database.writer.BATCH", 100)
    given = 0
    written = 0
    ahead = 0
    real = Writer._add_findings

    def add(writer: Writer, values: Sequence[dict[str, object]]) -> None:
        nonlocal written
        real(writer, values)
        written += len(values)

    def stream() -> Iterator[StoredFinding]:
        nonlocal given, ahead
        for k in range(1_050):
            given += 1
            ahead = max(ahead, given - written)
            yield finding(k)

    monkeypatch.setattr(Writer, "_add_findings", add)
    with store.writing() as writer:
        assert writer.import_findings(stream()) == 1_050
    assert 0 < ahead <= 100
    assert written == 1_050


def test_findings_are_given_to_other_sites_but_not_those_of_cases(store: DatabaseStore) -> None:
    """Only where the site is still the one that it was thought to be; the number told is that of the changed ones."""
    put(store, *(finding(k, site_id="" if k < 4 else "S-1") for k in range(8)))
    events, case = opening("HF-2026-000001", findings=[finding(0, site_id="")])
    with store.writing() as writer:
        writer.append(events, case, [])
    with store.writing() as writer:
        assert writer.assign_findings([]) == 0
        changes = [(f"F-{k:07d}", "", "S-2") for k in range(5)] + [("F-0000005", "S-1", ""), ("F-9", "", "S-2")]
        assert writer.assign_findings(changes) == 4
    kept = {row.ref.finding_id: row.site_id for row in store.findings(FindingFilter()).rows}
    assert [kept[f"F-{k:07d}"] for k in range(8)] == ["", "S-2", "S-2", "S-2", "S-1", "", "S-1", "S-1"]


def test_which_findings_the_registry_alone_may_decide_on(store: DatabaseStore) -> None:
    """Not those in cases, not those whose import had logs or is not known; page by page, by id."""
    from dataclasses import replace

    def of(import_id: str, *numbers: int) -> list[StoredFinding]:
        return [replace(finding(k, site_id=""), import_id=import_id) for k in numbers]

    for import_id, realm, alone, numbers in (
        ("I-1", "east", True, (1, 2, 3)), ("I-2", "", False, (4,)), ("I-4", "", True, (6,)), ("I-5", "", True, (7,)),
    ):  # fmt: skip
        with store.writing() as writer:
            writer.note_import(import_id, realm, registry_only=alone)
            writer.import_findings(of(import_id, *numbers))
    put(store, *of("I-3", 5))
    with store.writing() as writer:
        writer.note_import("I-1", "east", registry_only=True)
        writer.note_import("I-4", "", registry_only=False)
        writer.note_import("I-5", "west", registry_only=True)
        events, case = opening("HF-2026-000001", findings=of("I-1", 2))
        writer.append(events, case, [])
    first = store.resolvable_findings(limit=1)
    assert [(row.finding_id, row.realm, row.site_id) for row in first] == [("F-0000001", "east", "")]
    assert [row.finding_id for row in store.resolvable_findings(first[-1].finding_id)] == ["F-0000003"]
    assert store.resolvable_findings("F-0000003") == []
    assert store.unresolved_by_logs() == 4
