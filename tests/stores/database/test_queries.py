"""What reports ask of the whole store."""

from dataclasses import replace

import pytest
from stores.database.makers import DAY_NS, T0, finding, opening

from headframe.cases.store import SiteImport, StoredFinding
from headframe.errors import HeadframeError
from headframe.records.finding import Family, Interval
from headframe.records.lawful import LawfulEntry, LawfulKind
from headframe.records.site import Organisation, SourceRow
from headframe.reports.funnel import funnel
from headframe.stores.database import DatabaseStore, queries


def powered(number: int, watts: float, coin: str = "XMR", detector: str = "stratum") -> StoredFinding:
    own = finding(number, detector=detector, family=Family.CONTENT)
    power = {"low": watts / 2, "estimate": watts, "high": watts * 2}
    return replace(own, coin=coin, document={"power_w": power, "hashrate_hs": None})


@pytest.fixture
def filled(store: DatabaseStore, monkeypatch: pytest.MonkeyPatch) -> DatabaseStore:
    monkeypatch.setattr(queries, "CASES_AT_ONCE", 2)
    kept = [powered(1, 100.0), powered(2, 300.0, "BTC", "chain_sync"), powered(3, 50.0, "BTC"), powered(4, 7.0)]
    with store.writing() as writer:
        writer.import_sites(SiteImport(organisations=[Organisation(organisation_id="O-1", name="Acme")]))
        writer.import_findings(kept)
        for k, own in enumerate((kept[:3], kept[3:], [], kept[:1], [])):
            events, case = opening(f"HF-2026-{k:06d}", at_ns=T0 + k * 4 * DAY_NS, findings=own)
            writer.append(events, replace(case, region="R-2" if k == 4 else "R-1"), [])
    return store


def test_facts_of_cases(filled: DatabaseStore) -> None:
    """Each case once, in order, with the coins of its findings, the commonest first, and the largest estimate."""
    facts = list(queries.facts_of_cases(filled))
    assert [one.case.case_id for one in facts] == [f"HF-2026-{k:06d}" for k in range(5)]
    assert [one.site.coins for one in facts] == [("BTC", "XMR"), ("XMR",), (), ("XMR",), ()]
    power = [next((figure.value for figure in one.site.figures if figure.name == "scale"), None) for one in facts]
    assert power == [
        Interval(150.0, 300.0, 600.0), Interval(3.5, 7.0, 14.0), None, Interval(50.0, 100.0, 200.0), None,
    ]  # fmt: skip
    assert {one.site.owner_enterprise for one in facts} == {"Acme"}
    table = funnel(facts, by="coin")
    assert sum(row.counts["flagged"] for row in table.rows) >= 3


def test_a_load_that_only_stands_out_tells_how_much(store: DatabaseStore) -> None:
    """No proof of mining, and not marked as such; but where traffic shows mining, the meter says how much."""
    load = replace(finding(1, detector="likeness", family=Family.LOAD), document={"usage_point": "U-1", "listed": False,
                   "power_w": {"low": 9e4, "estimate": 1e5, "high": 1.1e5}})  # fmt: skip
    load = replace(load, ref=replace(load.ref, mining=False))
    contact = replace(powered(3, 9e9), ref=replace(powered(3, 9e9).ref, mining=False))
    kept = [load, powered(2, 7e5), contact]
    with store.writing() as writer:
        writer.import_findings(kept)
        events, case = opening("HF-2026-000001", findings=kept)
        writer.append(events, case, [])
    (facts,) = queries.facts_of_cases(store)
    assert [figure.value.estimate for figure in facts.site.figures if figure.name == "scale"] == [1e5]


def test_counts(filled: DatabaseStore) -> None:
    """Counts by each column agree with each other, and with the period that was asked for."""
    assert queries.counts(filled, "stage") == {"screened": 5}
    assert queries.counts(filled, "region") == {"R-1": 4, "R-2": 1}
    assert queries.counts(filled, "coin") == {"": 2, "BTC": 1, "XMR": 2}
    assert queries.counts(filled, "detector") == {"chain_sync": 1, "stratum": 3}
    assert queries.counts(filled, "outcome") == {"": 5}
    weeks = queries.counts(filled, "week")
    assert sum(weeks.values()) == 5
    assert all((int(week) // 10**9 // 86_400 + 3) % 7 == 0 for week in weeks)  # 1970-01-01 was a Thursday
    assert all(0 <= T0 - int(week) < 7 * DAY_NS for week in list(weeks)[:1])
    assert queries.counts(filled, "pack", from_ns=T0 + DAY_NS, until_ns=T0 + 12 * DAY_NS) == {"pack": 2}
    with pytest.raises(HeadframeError, match="cannot be counted by"):
        queries.counts(filled, "weather")


def test_entries_of_registers_are_streamed(store: DatabaseStore) -> None:
    """All entries of the registers that were named, in order."""
    entries = [
        LawfulEntry(
            entry_id=f"L-{k}", kind=LawfulKind.LICENCE, register=f"r{k % 2}", site_id="S", source=SourceRow("f", k + 1)
        )
        for k in range(6)
    ]
    with store.writing() as writer:
        writer.import_sites(SiteImport(lawful=entries))
    assert [entry.entry_id for entry in store.lawful_in(["r1", "r1", "other"])] == ["L-1", "L-3", "L-5"]
    assert list(store.lawful_in([])) == []
