"""From facts to proposals: criteria met, not met, unknown, and the party's standing."""

from typing import Any

import pytest
from policy_cases import finding

from headframe.policy.classify import FEATURES, Fact, Facts, Verdict, classify, facts_of, judge
from headframe.records.case import FindingRef, LookUpLawful, LookupOutcome
from headframe.records.finding import Family
from headframe.records.policy import Basis, Criterion, PartyStanding
from headframe.stores.packs import load_packs

PACKS = load_packs()


def criterion(**values: Any) -> Criterion:
    given = {"id": "c", "text": {"en": "c"}, "basis": Basis.POLICY, "feature": "x", "min_independent_sources": 0}
    return Criterion(**{**given, **values})


def facts(*rows: Fact, **more: Any) -> Facts:
    return Facts(facts=rows, families=more.get("families", {}), evidence=more.get("evidence", {}))


def ref(number: int, family: str, subject: str = "10.0.0.1", **more: Any) -> FindingRef:
    return finding({"family": family, "subject": subject, **more}, "UTC", number)


@pytest.mark.parametrize(
    ("op", "value", "fact", "verdict"),
    [
        (">", 6000, 6000.0, "not_met"),
        (">", 6000, 6000.1, "met"),
        (">=", 2, 2.0, "met"),
        ("<", 2, 2.0, "not_met"),
        ("<=", 2, 2.0, "met"),
        ("==", "listed", "listed", "met"),
        ("==", "listed", "expired", "not_met"),
        ("==", True, True, "met"),
        ("in", ("a", "b"), "b", "met"),
        ("in", ("a", "b"), "c", "not_met"),
        ("", None, True, "met"),
        ("", None, False, "not_met"),
        (">", 6000, "much", "unknown"),
    ],
)
def test_a_threshold_is_compared_as_it_stands(op: str, value: Any, fact: Any, verdict: str) -> None:
    """At the threshold itself, too; what cannot be compared is unknown."""
    assert judge(criterion(op=op, value=value), facts(Fact(name="x", value=fact))).verdict == verdict


def test_units_are_converted_and_what_has_none_is_unknown() -> None:
    """0.8 MW are 800 kW; kWh are no kW."""
    rule = criterion(op=">=", value=0.5, unit="MW")
    assert judge(rule, facts(Fact(name="x", value=800.0, unit="kW"))).verdict is Verdict.MET
    assert judge(rule, facts(Fact(name="x", value=499_999.0, unit="W"))).verdict is Verdict.NOT_MET
    for unit in ("", "kWh", "bananas"):
        assert judge(rule, facts(Fact(name="x", value=800.0, unit=unit))).verdict is Verdict.UNKNOWN


def test_what_is_missing_is_named() -> None:
    """A fact, a kind of evidence, a family."""
    rule = criterion(evidence=("load_profile",), min_independent_sources=2)
    row = judge(rule, facts(families={Family.LOAD: ("F-1",)}))
    assert row.verdict is Verdict.UNKNOWN
    assert row.text == "nothing tells x; no load profile; 2 independent sources of evidence are needed; there is load"


@pytest.mark.parametrize(
    ("families", "enough"),
    [
        ((Family.CONTENT, Family.ENDPOINT), False),
        ((Family.LOAD, Family.BALANCE), False),
        ((Family.CONTENT, Family.TIMING), True),
        ((Family.ENDPOINT, Family.BALANCE), True),
    ],
)
def test_families_of_one_source_count_once(families: tuple[Family, ...], enough: bool) -> None:
    """As in an assessment and in the rule of the notice: what reads the same packets, or meter, errs together."""
    rule = criterion(evidence=(), feature="", min_independent_sources=2)
    row = judge(rule, facts(families=dict.fromkeys(families, ("F-1",))))
    assert (row.verdict == "met") is enough


def test_a_verdict_names_its_findings() -> None:
    """So that each can be looked up."""
    rule = criterion(evidence=("load_profile",))
    row = judge(rule, facts(Fact(name="x", value=True, refs=("F-1",)), evidence={"load_profile": ("F-2", "F-1")}))
    assert (row.verdict, row.refs) == (Verdict.MET, ("F-1", "F-2"))


def test_findings_become_facts() -> None:
    """Of captures and of meters; a detector that had too little data has not said no."""
    network = {
        "role": "miner", "indicator_kinds": ["pool"], "coin": ["XMR"], "hashrate_hs": {"estimate": 5e3},
    }  # fmt: skip
    meter = {
        "usage_point": "UP-1", "mode": "unmetered", "power_w": {"estimate": 42e3}, "families": ["balance"],
        "findings": [{"detector": "balance"}], "insufficient": [{"detector": "export_drop"}],
    }  # fmt: skip
    got = facts_of([ref(1, "content"), ref(2, "balance", "UP-1")], [network, meter], site_kind="campus")
    values = {(fact.name, fact.value) for fact in got.facts}
    assert values == {
        ("site_kind", "campus"), ("mining_role", "miner"), ("indicator_kind", "pool"), ("coin", "XMR"), ("hashrate",
        5e3), ("load_mode", "unmetered"), ("unmetered", True), ("load_power", 42e3), ("flat_load", False),
    }  # fmt: skip
    assert {fact.name for fact in got.facts} <= set(FEATURES)
    assert set(got.families) == {Family.CONTENT, Family.BALANCE}
    assert set(got.evidence) == {"network_log", "address_assignment_record", "feeder_balance", "line_loss"}


def test_a_contact_is_no_family_of_evidence() -> None:
    """It does not say that mining goes on."""
    got = facts_of([ref(1, "endpoint", mining=False)], [{"role": "contact", "indicator_kinds": []}])
    assert got.families == {}


def test_a_document_that_was_erased_leaves_what_the_reference_says() -> None:
    """The family stays; facts are gone."""
    got = facts_of([ref(1, "content")], [{}])
    assert got.families == {Family.CONTENT: ("F-1",)}
    assert got.facts == ()


MINER = {"role": "miner", "indicator_kinds": []}
MALWARE = {"role": "contact", "indicator_kinds": ["malware_proxy"]}


def lookup(outcome: str) -> LookUpLawful:
    return LookUpLawful(outcome=LookupOutcome(outcome), registers=("r",))


@pytest.mark.parametrize("name", sorted(PACKS))
def test_victim_lawful_doubt_and_undetermined_under_every_pack(name: str) -> None:
    """A malware proxy proposes a victim, a register entry lawful, both or neither undetermined."""
    pack = PACKS[name]
    refs, documents = [ref(1, "content"), ref(2, "endpoint")], [MINER, MALWARE]
    alone = [ref(1, "content"), ref(3, "timing")], [MINER, MINER]

    def standing(given: tuple[list[FindingRef], list[dict[str, Any]]], outcome: str) -> PartyStanding:
        return classify(pack, facts_of(*given, lookup=lookup(outcome), site_kind="campus")).standing

    assert standing((refs, documents), "not_listed") is PartyStanding.VICTIM
    assert standing(alone, "listed") is PartyStanding.LAWFUL
    assert standing((refs, documents), "listed") is PartyStanding.UNDETERMINED
    assert standing(alone, "not_listed") is PartyStanding.UNDETERMINED
    assert standing(alone, "expired") is PartyStanding.UNDETERMINED


def test_a_victims_own_protocol_is_not_held_against_it() -> None:
    """A compromised host speaks a mining protocol as well; its role is no fact, another host's is."""
    rows = [ref(1, "content"), ref(2, "endpoint"), ref(3, "content", "10.0.0.2")]
    got = facts_of(rows, [MINER, MALWARE, MINER])
    assert [fact.refs for fact in got.facts if fact.name == "mining_role"] == [("F-3",)]


def test_doubt_leaves_the_default_and_says_what_speaks_for_what() -> None:
    """Two criteria that are met and disagree."""
    pack = PACKS["campus-operator"]
    got = classify(pack, facts_of([ref(1, "endpoint")], [MALWARE], lookup=lookup("listed")))
    party = next(row for row in got.axes if row.axis.id == "party")
    assert (party.value, party.criteria) == ("undetermined", ())
    assert "victim by malware-proxy" in party.text
    assert "filed_research by lawful-entry" in party.text
    assert "in doubt" in got.standing_text
