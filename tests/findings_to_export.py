"""Findings as a store keeps them, for the tests of what leaves the house."""

from __future__ import annotations

from headframe.cases.store import StoredFinding
from headframe.records.case import FindingRef
from headframe.records.conversation import PacketRef
from headframe.records.finding import EvidenceLine, Family, Finding, Interval, Role
from headframe.records.indicator import IndicatorKind
from headframe.reports.document import finding_document

NS = 1_000_000_000
START = 1_790_000_000 * NS


def stored(
    number: int = 1,
    *,
    host: str = "10.20.30.40",
    peer: str = "203.0.113.5:3333",
    family: Family = Family.CONTENT,
    kinds: tuple[IndicatorKind, ...] = (),
    log10_e: float = 6.5,
    explanation: str = "",
) -> StoredFinding:
    """A network finding."""
    found = Finding(
        detector="stratum",
        version="2",
        family=family,
        role=Role.MINER,
        host=host,
        peer=peer,
        protocol="stratum-v1+tls",
        started_ns=START + number * NS,
        ended_ns=START + (number + 3600) * NS,
        log10_e=log10_e,
        explanation=explanation or f"{host} hands in shares to {peer}, and {host}: again.",
        coins=("BTC",),
        pool="example pool",
        power_w=Interval(900, 1000, 1100),
        blind_spots=("Traffic of many users mixed.",),
        evidence=(EvidenceLine(time_ns=START, text="mining.submit", packet=PacketRef("a.pcap", 3)),),
        community_ids=("1:abcdef=",),
        accounts=("#0011223344556677",),
        indicator_kinds=kinds,
    )
    ref = FindingRef(
        finding_id=f"F{number:06d}", family=family, detector="stratum", version="2", subject=host, log10_e=log10_e,
        started_ns=found.started_ns, ended_ns=found.ended_ns, sha256="ab" * 32,
    )  # fmt: skip
    return StoredFinding(ref=ref, site_id="S-SECRET", coin="BTC", import_id="I1", document=finding_document(found))


def stored_load(number: int = 1, *, usage_point: str = "MPAN-200012345") -> StoredFinding:
    """A finding about a usage point."""
    ref = FindingRef(
        finding_id=f"L{number:06d}", family=Family.LOAD, detector="load_step", version="1", subject=usage_point,
        log10_e=1.8, started_ns=START, ended_ns=START + 86_400 * NS, sha256="cd" * 32,
    )  # fmt: skip
    document = {
        "usage_point": usage_point,
        "explanation": f"{usage_point} carries 3.2 kW more since a day.",
        "site_name": "Secret Works",
        "estimate": {"power_w": {"low": 3000.0, "estimate": 3200.0, "high": 3500.0}},
    }
    return StoredFinding(ref=ref, site_id="S-SECRET", coin="", import_id="I1", document=document)


def pseudonym(subject: str) -> str:
    """A pseudonym that is told apart from addresses at a glance."""
    return "#" + subject.encode().hex()[::-1][:16]
