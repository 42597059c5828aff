"""Records for the tests of the store."""

from collections.abc import Sequence

from headframe.cases.store import Disclosure, PendingLeaf, StoredFinding
from headframe.records.case import (
    AddFindings,
    Case,
    CaseEvent,
    DocumentRef,
    FindingRef,
    KeptDocument,
    OpenCase,
    RecordRemedy,
    RemedyGrade,
    Stage,
)
from headframe.records.finding import Family
from headframe.records.policy import Basis, Clock, ClockState, PartyStanding
from headframe.records.site import Site, SiteKind, SourceRow

DAY_NS = 86_400 * 10**9
T0 = 1_780_000_000 * 10**9


def finding(
    number: int,
    *,
    log10_e: float = 3.0,
    site_id: str = "S-1",
    family: Family = Family.CONTENT,
    detector: str = "stratum",
    mining: bool = True,
    started_ns: int = T0,
    ended_ns: int = T0 + DAY_NS,
    subject: str = "10.0.0.1",
) -> StoredFinding:
    name = f"F-{number:07d}"
    return StoredFinding(
        ref=FindingRef(
            finding_id=name,
            family=family,
            detector=detector,
            version="2",
            subject=subject,
            log10_e=log10_e,
            started_ns=started_ns,
            ended_ns=ended_ns,
            sha256=f"{number:064x}",
            mining=mining,
        ),
        site_id=site_id,
        coin="XMR",
        import_id="I-1",
        document={"host": subject, "explanation": f"finding {name}", "shares": {"accepted": number}},
    )


def site(number: int, name: str = "", organisation_id: str | None = "O-1") -> Site:
    return Site(
        site_id=f"S-{number}",
        name=name or f"Hall {number}",
        kind=SiteKind.INDUSTRIAL_PARK,
        organisation_id=organisation_id,
        region="R-1",
        valid_from_ns=T0 - DAY_NS,
        source=SourceRow("sites.csv", number + 1),
    )


def opening(
    case_id: str, at_ns: int = T0, findings: Sequence[StoredFinding] = (), site_id: str = "S-1"
) -> tuple[list[CaseEvent], Case]:
    """The first event of a case, and the case after it."""
    refs = tuple(each.ref for each in findings)
    act = OpenCase(
        case_id=case_id,
        pack_id="pack",
        pack_version="1",
        pack_digest="ab" * 32,
        site_id=site_id,
        site_kind="industrial_park",
        region="R-1",
        organisation_id="O-1",
        usage_points=("UP-1",),
        findings=refs,
        summary="断网前的挖矿 – shares to a pool",
    )
    case = Case(
        case_id=case_id,
        pack_id="pack",
        pack_version="1",
        pack_digest="ab" * 32,
        site_id=site_id,
        site_kind="industrial_park",
        region="R-1",
        organisation_id="O-1",
        usage_points=("UP-1",),
        opened_ns=at_ns,
        opened_by="ann",
        stage=Stage.SCREENED,
        version=1,
        last_ns=at_ns,
        findings=refs,
        standing=PartyStanding.UNDETERMINED,
    )
    return [CaseEvent(case_id=case_id, number=1, at_ns=at_ns, account="ann", unit="unit-a", act=act)], case


def remedy(case_id: str, number: int, account: str = "bob", text: str = "unplugged") -> CaseEvent:
    act = RecordRemedy(at_ns=T0 + number, grade=RemedyGrade.C, text=text)
    return CaseEvent(
        case_id=case_id, number=number, at_ns=T0 + number * DAY_NS, account=account, unit="unit-b", act=act
    )


def more_findings(case_id: str, number: int, findings: Sequence[StoredFinding]) -> CaseEvent:
    act = AddFindings(findings=tuple(each.ref for each in findings))
    return CaseEvent(case_id=case_id, number=number, at_ns=T0 + number * DAY_NS, account="ann", unit="unit-a", act=act)


def clock(name: str = "reply", due_ns: int | None = T0 + 10 * DAY_NS, state: ClockState = ClockState.RUNNING) -> Clock:
    return Clock(
        id=name,
        state=state,
        started_ns=T0,
        due_ns=due_ns,
        due_day="2026-06-08",
        basis=Basis.OPERATOR_DEFAULT,
        ref="",
        explanation="ten days",
        provisional=True,
    )


def leaf(leaf_id: str, case_id: str = "", values: Sequence[object] = ("secret value",)) -> PendingLeaf:
    disclosures = tuple(Disclosure(name=f"field{k}", salt=bytes([k]) * 16, value=v) for k, v in enumerate(values))
    return PendingLeaf(
        leaf_id=leaf_id,
        leaf=b'{"leaf":"%s"}' % leaf_id.encode(),
        disclosures=disclosures,
        data_class="case",
        case_id=case_id,
    )


def document(digest: str, created_ns: int = T0, event: int | None = 1) -> KeptDocument:
    ref = DocumentRef(sha256=digest, name="notice.pdf", media_type="application/pdf", kind="notice", size=1234)
    return KeptDocument(ref=ref, language="en", created_ns=created_ns, event=event)
