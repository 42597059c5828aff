"""From facts to what a pack proposes for a case: axis by axis, with the criteria that are met and those that are not.

A proposal is a proposal. A person sets the values (`headframe.records.case.ProposeClass`), and another approves them.

Nothing that is seen from outside tells who wants the mining: a machine that speaks to a public pool may as well be
used by an intruder. No shipped pack therefore proposes an operator from traffic or load alone; it takes an inspection
or the party's own word. What speaks for a victim (a malware proxy, a web miner) and what makes it lawful (an entry of
a register) is proposed at once, and where both or more speak, the answer is undetermined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headframe.records.case import Case, CaseFile, FindingRef, InspectionRecord, LookUpLawful, RecordReply
from headframe.records.finding import Family, independent_sources
from headframe.records.indicator import IndicatorKind
from headframe.records.policy import Axis, Basis, Criterion, Pack, PartyStanding, words_in

NETWORK = frozenset({Family.CONTENT, Family.ENDPOINT, Family.TIMING, Family.TRAFFIC})
VICTIM_KINDS = frozenset({IndicatorKind.MALWARE_PROXY.value, IndicatorKind.WEB_MINER.value})
"""Behind which a victim is likely."""

FEATURES: Mapping[str, str] = {
    "site_kind": "kind of the site, as data_centre",
    "lawful_lookup": "what the look-up in the registers of lawful mining gave: listed, partly, expired, not_listed",
    "mining_role": "role of a host that no victim's indicator was seen with: miner, proxy, pool, ...",
    "indicator_kind": "what stands behind a known name or address: pool, malware_proxy, web_miner, ...",
    "coin": "ticker symbol",
    "hashrate": "estimate of a finding [H/s]",
    "load_power": "estimate of the load of a usage point [W]",
    "load_mode": "how the load runs: always_on, night_only, unmetered, ...",
    "flat_load": "whether the detector flat_load answered for a usage point",
    "export_drop": "whether the detector export_drop answered for a usage point",
    "unmetered": "whether a load runs that passes the transformer and no meter",
    "bypass_seen": "whether an inspection saw a connection before the meter",
    "machines_seen": "machines that an inspection saw",
    "reply_stance": "what a reply says: admits, contests, claims_victim, ...",
}
"""Facts that `facts_of` draws from findings, look-ups, inspections and replies. Others are given by hand."""

_UNITS: Mapping[str, tuple[str, float]] = {
    "W": ("W", 1.0),
    "kW": ("W", 1e3),
    "MW": ("W", 1e6),
    "Wh": ("Wh", 1.0),
    "kWh": ("Wh", 1e3),
    "MWh": ("Wh", 1e6),
    "H/s": ("H/s", 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that is known, and where from.

    Attributes
    ----------
    name : str
        See `FEATURES`.
    value : number, str or bool
    unit : str
    source : str
        In words: ``finding F-1 (stratum 2)``, ``inspection of 2026-11-02``, ``given by hand``.
    refs : tuple of str
        Ids of the findings it rests on.
    family : Family or None
    """

    name: str
    value: float | str | bool
    unit: str = ""
    source: str = ""
    refs: tuple[str, ...] = ()
    family: Family | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of a case, as criteria ask for it.

    Attributes
    ----------
    facts : tuple of Fact
    families : mapping of Family to tuple of str
        Families of evidence that say that mining goes on, each with the findings (or inspections) behind it.
    evidence : mapping of str to tuple of str
        Kinds of evidence at hand (``load_profile``, ``inspection_record``, ...) with what they are.
    """

    facts: tuple[Fact, ...]
    families: Mapping[Family, tuple[str, ...]]
    evidence: Mapping[str, tuple[str, ...]]


class Verdict(StrEnum):
    """What became of a criterion."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionVerdict:
    """A criterion, what became of it, and why.

    Attributes
    ----------
    criterion : Criterion
    verdict : Verdict
    text : str
        Why, in plain words.
    refs : tuple of str
        Ids of findings it rests on.
    """

    criterion: Criterion
    verdict: Verdict
    text: str
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisProposal:
    """What is proposed for one axis.

    Attributes
    ----------
    axis : Axis
    value : str
        A value of the axis; its default where nothing or too much speaks; empty where there is no default.
    criteria : tuple of str
        Ids of the criteria that propose it.
    text : str
    """

    axis: Axis
    value: str
    criteria: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What a pack proposes for a case.

    Attributes
    ----------
    axes : tuple of AxisProposal
    standing : PartyStanding
    standing_text : str
        Why.
    criteria : tuple of CriterionVerdict
        Every criterion of the pack.
    """

    axes: tuple[AxisProposal, ...]
    standing: PartyStanding
    standing_text: str
    criteria: tuple[CriterionVerdict, ...]

    @property
    def met(self) -> tuple[str, ...]:
        """Ids of the criteria that are met."""
        return tuple(row.criterion.id for row in self.criteria if row.verdict is Verdict.MET)


# ---------------------------------------------------------------------------------------------------------------------
# Facts


def facts_of(
    findings: Sequence[FindingRef],
    documents: Sequence[Mapping[str, Any]],
    *,
    site_kind: str = "",
    site_known: bool = True,
    lookup: LookUpLawful | None = None,
    inspections: Sequence[InspectionRecord] = (),
    replies: Sequence[RecordReply] = (),
    more: Sequence[Fact] = (),
) -> Facts:
    """What findings, look-up, inspections and replies tell, as facts.

    Parameters
    ----------
    findings : sequence of FindingRef
    documents : sequence of mapping
        Of the findings, in the same order: ``docs/schema-finding.json`` or ``docs/schema-usage-point.json``. An empty
        one is a finding whose document is gone.
    site_kind : str
        A value of `headframe.records.site.SiteKind`.
    site_known : bool
        Whether the registry told whose the addresses are.
    lookup : LookUpLawful or None
    inspections : sequence of InspectionRecord
    replies : sequence of RecordReply
    more : sequence of Fact
        Given by hand.

    Returns
    -------
    Facts
    """
    facts: list[Fact] = list(more)
    if site_kind:
        facts.append(Fact(name="site_kind", value=site_kind, source="registry of sites"))
    if lookup is not None:
        facts.append(
            Fact(name="lawful_lookup", value=lookup.outcome.value, source=f"look-up in {', '.join(lookup.registers)}")
        )
    pairs = list(zip(findings, documents, strict=True))
    victims = {ref.subject for ref, document in pairs if VICTIM_KINDS.intersection(document.get("indicator_kinds", ()))}
    for ref, document in pairs:
        facts += _load_facts(ref, document) if "usage_point" in document else _network_facts(ref, document, victims)
    for record in inspections:
        facts += _inspection_facts(record)
    for reply in replies:
        facts.append(Fact(name="reply_stance", value=reply.stance.value, source="reply of the party"))
    return Facts(
        facts=tuple(facts),
        families=_families(findings, inspections),
        evidence=_evidence(pairs, inspections, lookup, site_known),
    )


def facts_of_case(file: CaseFile, more: Sequence[Fact] = ()) -> Facts:
    """The facts of a case's file."""
    case: Case = file.case
    documents = file.finding_documents or tuple({} for _ in case.findings)
    return facts_of(
        case.findings,
        documents,
        site_kind=case.site_kind,
        lookup=case.lookup,
        inspections=case.inspections,
        replies=case.replies,
        more=more,
    )


def _finding_words(ref: FindingRef) -> str:
    return f"finding {ref.finding_id} ({ref.detector} {ref.version})"


def _network_facts(ref: FindingRef, document: Mapping[str, Any], victims: set[str]) -> Iterator[Fact]:
    def fact(name: str, value: float | str | bool, unit: str = "") -> Fact:
        return Fact(
            name=name, value=value, unit=unit, source=_finding_words(ref), refs=(ref.finding_id,), family=ref.family
        )

    if (role := document.get("role")) and ref.subject not in victims:
        yield fact("mining_role", str(role))
    for kind in document.get("indicator_kinds", ()):
        yield fact("indicator_kind", str(kind))
    for coin in document.get("coin", ()):
        yield fact("coin", str(coin))
    estimate = (document.get("hashrate_hs") or {}).get("estimate")
    if estimate is not None:
        yield fact("hashrate", float(estimate), "H/s")


def _load_facts(ref: FindingRef, document: Mapping[str, Any]) -> Iterator[Fact]:
    def fact(name: str, value: float | str | bool, unit: str = "") -> Fact:
        return Fact(
            name=name, value=value, unit=unit, source=_finding_words(ref), refs=(ref.finding_id,), family=ref.family
        )

    answered = _answered(document)
    failed = {row.get("detector") for row in document.get("insufficient", ())}
    for name in ("flat_load", "export_drop"):
        # A detector that had too little data has not said no.
        if name in answered or name not in failed:
            yield fact(name, name in answered)
    if mode := document.get("mode"):
        yield fact("load_mode", str(mode))
        yield fact("unmetered", mode == "unmetered")
    estimate = (document.get("power_w") or {}).get("estimate")
    if estimate is not None:
        yield fact("load_power", float(estimate), "W")


def _answered(document: Mapping[str, Any]) -> set[str]:
    return {str(row.get("detector")) for row in document.get("findings", ())}


def _inspection_facts(record: InspectionRecord) -> Iterator[Fact]:
    source = f"inspection by {record.unit} ({record.place})"
    if record.bypass_seen is not None:
        yield Fact(name="bypass_seen", value=record.bypass_seen, source=source, family=Family.INSPECTION)
    if record.machines_seen is not None:
        yield Fact(name="machines_seen", value=float(record.machines_seen), source=source, family=Family.INSPECTION)


def _families(
    findings: Sequence[FindingRef], inspections: Sequence[InspectionRecord]
) -> Mapping[Family, tuple[str, ...]]:
    families: dict[Family, list[str]] = {}
    for ref in findings:
        if ref.mining:
            families.setdefault(ref.family, []).append(ref.finding_id)
    seen = [f"inspection by {row.unit}" for row in inspections if row.machines_seen or row.bypass_seen]
    if seen:
        families.setdefault(Family.INSPECTION, []).extend(seen)
    return {family: tuple(rows) for family, rows in families.items()}


def _evidence(
    pairs: Iterable[tuple[FindingRef, Mapping[str, Any]]],
    inspections: Sequence[InspectionRecord],
    lookup: LookUpLawful | None,
    site_known: bool,
) -> Mapping[str, tuple[str, ...]]:
    kinds: dict[str, list[str]] = {}

    def add(kind: str, what: str) -> None:
        kinds.setdefault(kind, []).append(what)

    for ref, document in pairs:
        if ref.family in NETWORK:
            add("network_log", ref.finding_id)
            if site_known:
                add("address_assignment_record", ref.finding_id)
        if ref.family is Family.TIMING:
            add("block_timing", ref.finding_id)
        load_families = set(document.get("families", ())) | {ref.family.value}
        if Family.LOAD.value in load_families:
            add("load_profile", ref.finding_id)
        if Family.BALANCE.value in load_families:
            add("feeder_balance", ref.finding_id)
            add("line_loss", ref.finding_id)
        if "export_drop" in _answered(document) | {ref.detector}:
            add("generation_profile", ref.finding_id)
    for record in inspections:
        add("inspection_record", f"inspection by {record.unit}")
    if lookup is not None:
        add("connection_register", ", ".join(lookup.registers))
    return {kind: tuple(rows) for kind, rows in kinds.items()}


# ---------------------------------------------------------------------------------------------------------------------
# Criteria


def judge(criterion: Criterion, facts: Facts) -> CriterionVerdict:
    """Whether a criterion is met by the facts.

    Parameters
    ----------
    criterion : Criterion
    facts : Facts

    Returns
    -------
    CriterionVerdict
        ``unknown`` where a fact, a kind of evidence or an independent family is missing, and which.
    """
    told: list[str] = []
    missing: list[str] = []
    refs: list[str] = []
    if criterion.feature:
        known = [fact for fact in facts.facts if fact.name == criterion.feature]
        answers = [(fact, _compare(fact, criterion)) for fact in known]
        if yes := [fact for fact, answer in answers if answer]:
            told.append("; ".join(dict.fromkeys(_fact_words(fact) for fact in yes)))
            refs += [ref for fact in yes for ref in fact.refs]
        elif [fact for fact, answer in answers if answer is None] or not known:
            missing.append(f"nothing tells {criterion.feature}{f' in {criterion.unit}' if criterion.unit else ''}")
        else:
            words = "; ".join(dict.fromkeys(_fact_words(fact) for fact, _ in answers))
            return _verdict(criterion, Verdict.NOT_MET, words, [ref for fact in known for ref in fact.refs])
    for kind in criterion.evidence:
        if kind in facts.evidence:
            told.append(f"{kind.replace('_', ' ')}: {', '.join(facts.evidence[kind])}")
            refs += facts.evidence[kind]
        else:
            missing.append(f"no {kind.replace('_', ' ')}")
    if len(independent_sources(facts.families)) < criterion.min_independent_sources:
        there = ", ".join(sorted(facts.families)) or "none"
        missing.append(
            f"{criterion.min_independent_sources} independent sources of evidence are needed; there is {there}"
            if criterion.min_independent_sources > 1
            else "no finding says that mining goes on"
        )
    elif criterion.min_independent_sources > 1:
        told.append(f"families: {', '.join(sorted(facts.families))}")
    if missing:
        return _verdict(criterion, Verdict.UNKNOWN, "; ".join(missing), refs)
    return _verdict(criterion, Verdict.MET, "; ".join(told), refs)


def _verdict(criterion: Criterion, verdict: Verdict, text: str, refs: Iterable[str]) -> CriterionVerdict:
    return CriterionVerdict(criterion=criterion, verdict=verdict, text=text, refs=tuple(dict.fromkeys(refs)))


def _fact_words(fact: Fact) -> str:
    value = f"{fact.value:g}" if isinstance(fact.value, float) else str(fact.value)
    return f"{fact.name} is {value}{f' {fact.unit}' if fact.unit else ''} ({fact.source or 'given by hand'})"


def _compare(fact: Fact, criterion: Criterion) -> bool | None:
    """Whether a fact meets the threshold; None where its unit cannot be compared."""
    value: Any = fact.value
    if not criterion.op:
        return bool(value)
    if criterion.op == "in":
        return str(value) in {str(one) for one in criterion.value}
    if criterion.op == "==":
        return bool(value == criterion.value)
    if isinstance(value, str | bool):
        return None
    if criterion.unit and fact.unit != criterion.unit:
        have, want = _UNITS.get(fact.unit), _UNITS.get(criterion.unit)
        if have is None or want is None or have[0] != want[0]:
            return None
        value = value * have[1] / want[1]
    match criterion.op:
        case ">=":
            return bool(value >= criterion.value)
        case "<=":
            return bool(value <= criterion.value)
        case ">":
            return bool(value > criterion.value)
    return bool(value < criterion.value)


# ---------------------------------------------------------------------------------------------------------------------
# Proposals


def classify(pack: Pack, facts: Facts) -> Classification:
    """What a pack proposes on facts.

    Parameters
    ----------
    pack : Pack
    facts : Facts

    Returns
    -------
    Classification
    """
    verdicts = tuple(judge(criterion, facts) for criterion in pack.criteria)
    met = [row.criterion for row in verdicts if row.verdict is Verdict.MET]
    axes = tuple(_propose(axis, met) for axis in pack.axes)
    standing, text = _standing(pack, met, facts)
    return Classification(axes=axes, standing=standing, standing_text=text, criteria=verdicts)


def _propose(axis: Axis, met: Sequence[Criterion]) -> AxisProposal:
    said: dict[str, list[str]] = {}
    for criterion in met:
        if value := criterion.proposes.get(axis.id):
            said.setdefault(value, []).append(criterion.id)
    if len(said) == 1:
        value, criteria = next(iter(said.items()))
        return AxisProposal(axis=axis, value=value, criteria=tuple(criteria), text=f"by {', '.join(criteria)}")
    if said:
        text = "in doubt: " + "; ".join(f"{value} by {', '.join(rows)}" for value, rows in said.items())
        return AxisProposal(axis=axis, value=axis.default, criteria=(), text=text)
    return AxisProposal(axis=axis, value=axis.default, criteria=(), text="no criterion that is met says anything of it")


def _standing(pack: Pack, met: Sequence[Criterion], facts: Facts) -> tuple[PartyStanding, str]:
    said: dict[PartyStanding, list[str]] = {}
    values = {(axis.id, value.id): value.standing for axis in pack.axes for value in axis.values}
    for criterion in met:
        for axis, value in criterion.proposes.items():
            standing = values.get((axis, value))
            if standing is not None and standing is not PartyStanding.UNDETERMINED:
                said.setdefault(standing, []).append(f"{criterion.id} ({words_in(criterion.text, 'en')})")
    # A pack may have no criterion for it; a victim and lawful mining are looked for all the same.
    for fact in facts.facts:
        if fact.name == "indicator_kind" and fact.value in VICTIM_KINDS:
            said.setdefault(PartyStanding.VICTIM, []).append(_fact_words(fact))
        if fact.name == "lawful_lookup" and fact.value == "listed":
            said.setdefault(PartyStanding.LAWFUL, []).append(_fact_words(fact))
    if len(said) == 1:
        standing, why = next(iter(said.items()))
        return standing, "; ".join(dict.fromkeys(why))
    if not said:
        return PartyStanding.UNDETERMINED, "nothing at hand tells how the party stands to it"
    told = "; ".join(f"{standing}: {', '.join(dict.fromkeys(why))}" for standing, why in said.items())
    return PartyStanding.UNDETERMINED, f"in doubt, because signs disagree: {told}"


def basis_words(basis: Basis) -> str:
    """A basis as it is shown beside a rule or a date."""
    return {
        Basis.STATUTORY: "statutory",
        Basis.POLICY: "policy",
        Basis.OPERATOR_DEFAULT: "operator default: no public text says so",
    }[basis]
