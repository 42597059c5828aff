"""Cases as their events, for the tests of reports."""

from __future__ import annotations

from headframe.records.case import (
    Act,
    AppealOutcome,
    Approve,
    CaseEvent,
    ClosureReason,
    DecideAppeal,
    DecisionOutcome,
    DocumentRef,
    FileAppeal,
    FindingRef,
    NoticeKind,
    OpenCase,
    ProposeClosure,
    ProposeDecision,
    ProposeNotice,
    ServeNotice,
)
from headframe.records.finding import Family

NS = 1_000_000_000
MONDAY = 1_793_577_600 * NS  # 2026-11-02
DAY = 86_400 * NS
LETTER = DocumentRef(sha256="00", name="letter.pdf", media_type="application/pdf", kind="notice", size=1)


def events_of(
    number: int,
    outcome: DecisionOutcome | None = None,
    *,
    day: int = 0,
    waits: int = 0,
    region: str = "R01",
    detector: str = "stratum",
    noticed: bool = True,
    closed: bool = False,
    upheld: bool = False,
) -> list[CaseEvent]:
    """The events of one case, as far as it went; it waits so many days for its decision."""
    case_id = f"HF-2026-{number:06d}"
    found = FindingRef(
        finding_id=f"F{number}", family=Family.CONTENT, detector=detector, version="2", subject="10.0.0.1",
        log10_e=6, started_ns=MONDAY, ended_ns=MONDAY + DAY, sha256="00",
    )  # fmt: skip
    acts: list[Act] = [
        OpenCase(
            case_id=case_id,
            pack_id="campus-operator",
            pack_version="1",
            pack_digest="00",
            site_id=f"S{number}",
            site_kind="campus",
            region=region,
            organisation_id="O",
            usage_points=(),
            findings=(found,),
            summary="",
        )
    ]
    if noticed:
        acts.append(ProposeNotice(kind=NoticeKind.NOTICE, document=LETTER, language="en"))
        acts.append(Approve(proposal=2))
        acts.append(ServeNotice(proposal=2, received_ns=MONDAY + DAY, channel="post"))
    heard = len(acts)
    if outcome is not None:
        acts.append(ProposeDecision(outcome=outcome, legal_basis=("x#1",), reason="because"))
        acts.append(Approve(proposal=len(acts)))
    if upheld:
        acts.append(FileAppeal(received_ns=MONDAY + 2 * DAY, body="court", grounds="wrong"))
        acts.append(DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"))
    if closed:
        acts.append(ProposeClosure(reason=ClosureReason.DISMISSED, text="over"))
        acts.append(Approve(proposal=len(acts)))
    return [
        CaseEvent(
            case_id=case_id,
            number=k,
            at_ns=MONDAY + (day + waits * (k > heard)) * DAY + k * NS,
            account=f"a{k % 3}",
            unit="u",
            act=act,
        )
        for k, act in enumerate(acts, 1)
    ]
