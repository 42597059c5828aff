"""Cases for the tests of policy, out of plain values: what is not said is not there."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from headframe.policy.classify import Fact, Facts, facts_of
from headframe.records.case import (
    AppealStatus,
    Case,
    DecisionOutcome,
    DecisionStatus,
    DocumentRef,
    FindingRef,
    InspectionRecord,
    LookUpLawful,
    LookupOutcome,
    Measurement,
    NoticeKind,
    ProposeDecision,
    RecordRemedy,
    RecordReply,
    RecordReport,
    RemedyGrade,
    ReplyStance,
    ServedNotice,
    Stage,
    VerificationOutcome,
)
from headframe.records.finding import Family
from headframe.records.policy import Basis, CalculationLine, CalculationSheet, Pack, PartyStanding

SHEET = CalculationSheet(
    title="a sum",
    rule="r#1",
    basis=Basis.POLICY,
    lines=(CalculationLine(label="sum", quantity="1.00", unit="CNY", source="test"),),
    result="1.00",
    unit="CNY",
)
PAPER = DocumentRef(sha256="0" * 64, name="a.pdf", media_type="application/pdf", kind="notice", size=1)


def instant(text: str, zone: str) -> int:
    """A local time as ns since 1970-01-01 UTC."""
    where = UTC if zone == "UTC" else ZoneInfo(zone)
    return int(datetime.fromisoformat(text).replace(tzinfo=where).timestamp()) * 1_000_000_000


def finding(row: Mapping[str, Any], zone: str, number: int) -> FindingRef:
    """A finding."""
    return FindingRef(
        finding_id=row.get("id", f"F-{number}"),
        family=Family(row["family"]),
        detector=row.get("detector", "stratum"),
        version="1",
        subject=row.get("subject", "10.0.0.1"),
        log10_e=row.get("log10_e", 6.0),
        started_ns=instant(row.get("started", "2025-01-01T00:00"), zone),
        ended_ns=instant(row.get("ended", "2025-01-02T00:00"), zone),
        sha256="0" * 64,
        mining=row.get("mining", True),
    )


def make_case(values: Mapping[str, Any], pack: Pack) -> Case:
    """A case as plain values tell of it; times are in the pack's zone."""
    zone = pack.time_zone

    def at(text: str) -> int:
        return instant(text, zone)

    decision = values.get("decision")
    set_values = values.get("set", {})
    lookup = values.get("lookup")
    return Case(
        case_id="HF-2026-000001",
        pack_id=pack.id,
        pack_version=pack.version,
        pack_digest=pack.digest,
        site_id="S-1",
        site_kind=values.get("site_kind", "enterprise"),
        region="",
        organisation_id="O-1",
        usage_points=(),
        opened_ns=at(values.get("opened", "2025-01-03T09:00")),
        opened_by="a",
        stage=Stage.SCREENED,
        version=1,
        last_ns=0,
        findings=tuple(finding(row, zone, number) for number, row in enumerate(values.get("findings", ()), 1)),
        lookup=LookUpLawful(outcome=LookupOutcome(lookup), registers=("test register",)) if lookup else None,
        standing=PartyStanding(set_values.get("standing", "undetermined")),
        axes=tuple(set_values.get("axes", {}).items()),
        notices=tuple(
            ServedNotice(
                kind=NoticeKind(row.get("kind", "notice")), document=PAPER, received_ns=at(row["received"]), event=3
            )
            for row in values.get("notices", ())
        ),
        replies=tuple(
            RecordReply(received_ns=at(row["received"]), stance=ReplyStance(row["stance"]), document=None, text="")
            for row in values.get("replies", ())
        ),
        inspections=tuple(
            InspectionRecord(
                authority="x",
                unit="inspectors",
                present=("operator",),
                started_ns=at(row["ended"]) - 3_600_000_000_000,
                ended_ns=at(row["ended"]),
                place="hall",
                observations=(),
                machines_seen=row.get("machines_seen"),
                bypass_seen=row.get("bypass_seen"),
            )
            for row in values.get("inspections", ())
        ),
        decisions=(
            DecisionStatus(
                number=9,
                act=ProposeDecision(
                    outcome=DecisionOutcome(decision.get("outcome", "confirmed")),
                    legal_basis=(),
                    reason="",
                    sheets=(SHEET,) if decision.get("sheets") else (),
                ),
                proposer="a",
                deciders=("b",),
                decided_ns=at(decision["made"]),
                received_ns=at(decision["received"]) if "received" in decision else None,
                final_ns=at(decision["final"]) if "final" in decision else None,
                set_aside=decision.get("set_aside", False),
            ),
        )
        if decision
        else (),
        remedies=tuple(
            RecordRemedy(at_ns=at(row["at"]), grade=RemedyGrade(row.get("grade", "C")), text="")
            for row in values.get("remedies", ())
        ),
        verifications=tuple(
            (
                at(row["at"]),
                "v",
                Measurement(
                    outcome=VerificationOutcome(row["outcome"]),
                    before_from_ns=0,
                    before_until_ns=1,
                    after_from_ns=at(row["at"]) - 1,
                    after_until_ns=at(row["at"]),
                    detectors=(),
                    metrics=(),
                    coverage=1.0,
                    explanation="",
                ),
            )
            for row in values.get("verifications", ())
        ),
        appeals=tuple(
            AppealStatus(received_ns=at(row["received"]), body=row.get("body", "court"), grounds="x")
            for row in values.get("appeals", ())
        ),
        reports=tuple(
            RecordReport(report=row["report"], to="x", period=row["period"]) for row in values.get("reports", ())
        ),
        pauses=tuple(
            (row["clock"], at(row["from"]), at(row["until"]) if "until" in row else None, "waits")
            for row in values.get("pauses", ())
        ),
        extensions=tuple((row["clock"], at(row["until"]), "asked for") for row in values.get("extensions", ())),
        closed_ns=at(values["closed"]) if "closed" in values else None,
    )


def make_facts(values: Mapping[str, Any], case: Case) -> Facts:
    """The facts of a case made with `make_case`."""
    more = [
        Fact(name=name, value=value[0], unit=value[1]) if isinstance(value, list) else Fact(name=name, value=value)
        for name, value in values.get("facts", {}).items()
    ]
    return facts_of(
        case.findings,
        [row.get("document", {}) for row in values.get("findings", ())],
        site_kind=case.site_kind,
        lookup=case.lookup,
        inspections=case.inspections,
        replies=case.replies,
        more=more,
    )
