"""A case file made by hand: one case from screening to closure, with the events that would make it."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from headframe.cases.apply import replay
from headframe.policy.clocks import clocks_of
from headframe.records.case import (
    Act,
    AddFindings,
    Approve,
    CaseEvent,
    CaseFile,
    ClosureReason,
    DecisionOutcome,
    DeclareFinal,
    DocumentRef,
    FindingRef,
    GrantAccess,
    InspectionRecord,
    KeptDocument,
    LookUpLawful,
    LookupOutcome,
    Measurement,
    MeterSeen,
    MetricReading,
    NoticeKind,
    OpenCase,
    ProposeClass,
    ProposeClosure,
    ProposeDecision,
    ProposeMeasure,
    ProposeNotice,
    RecordInspection,
    RecordRemedy,
    RecordReply,
    RemedyGrade,
    ReplyStance,
    SeriesPoint,
    ServeDecision,
    ServeNotice,
    VerificationOutcome,
    Verify,
)
from headframe.records.finding import Family
from headframe.records.policy import (
    Basis,
    CalculationLine,
    CalculationSheet,
    Clock,
    Pack,
    PartyStanding,
)
from headframe.reports.case_documents.speech import instant_ns
from headframe.reports.document import finding_document
from headframe.reports.meters import usage_point_document
from headframe.stores.packs import load_packs
from tests.reports import meters_samples, samples

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
OPENED_NS = 1_652_058_000_000_000_000
"""2022-05-09 09:00 in Beijing: two weeks after the meters' data end."""
CASE_ID = "HF-2022-000017"
SITE = "Riverside Data Park, Hall 4"
SITE_ZH = "滨江数据园区4号机房"
PARTY = "Riverside Cloud Ltd"
PARTY_ZH = "滨江云计算有限公司"


@lru_cache
def packs() -> Mapping[str, Pack]:
    """The packs that come with the program."""
    return load_packs()


def ref_of(document: Mapping[str, Any], number: int) -> FindingRef:
    """The reference that an import would make of a finding's document."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    meter = "usage_point" in document
    started, ended = (
        (document["period"]["start"], document["period"]["end"]) if meter else (document["started"], document["ended"])
    )
    return FindingRef(
        finding_id=f"F-{digest[:12]}-{number}",
        family=Family.LOAD if meter else Family(document["family"]),
        detector=str(document["detector"]),
        version="1" if meter else str(document["version"]),
        subject=str(document["usage_point"] if meter else document["host"]),
        log10_e=float(document["log10_e"]) if document["log10_e"] is not None else math.nan,
        started_ns=instant_ns(started) or 0,
        ended_ns=instant_ns(ended) or 0,
        sha256=digest,
        mining=True if meter else document["role"] in ("miner", "proxy"),
    )


def finding_documents() -> tuple[dict[str, Any], ...]:
    """Two from the network and one from a meter."""
    later = 330 * DAY  # the captures of the samples lie a year before their meters
    host = samples.miner(1)
    host = replace(
        host,
        started_ns=host.started_ns + later,
        ended_ns=host.ended_ns + later,
        evidence=tuple(replace(line, time_ns=line.time_ns + later) for line in host.evidence),
        course=host.course and replace(host.course, started_ns=host.course.started_ns + later),
    )
    timed = samples.timing_miner()
    sync = timed.block_sync
    assert sync is not None
    timed = replace(
        timed,
        started_ns=timed.started_ns + later,
        ended_ns=timed.ended_ns + later,
        evidence=tuple(replace(line, time_ns=line.time_ns + later) for line in timed.evidence),
        block_sync=replace(
            sync,
            block_ns=tuple(at + later for at in sync.block_ns),
            push_ns=tuple(at + later for at in sync.push_ns),
        ),
    )
    return (
        finding_document(host),
        finding_document(timed),
        usage_point_document(meters_samples.miner("33010-2044"), fdr=0.1),
    )


def document_of(kind: str, name: str, size: int = 182_331) -> DocumentRef:
    """A kept document."""
    media = "image/jpeg" if name.endswith(".jpg") else "application/pdf"
    return DocumentRef(
        sha256=hashlib.sha256(name.encode()).hexdigest(), name=name, media_type=media, kind=kind, size=size
    )


def sheet() -> CalculationSheet:
    """A surcharge with every line."""
    return CalculationSheet(
        title="Differential tariff, March 2022",
        rule="sc186#2",
        basis=Basis.POLICY,
        lines=(
            CalculationLine(label="Energy of the account", quantity="124830.5", unit="kWh", source="Invoice 2022-03"),
            CalculationLine(label="Surcharge", quantity="2.00", unit="CNY/kWh", source="sc186, no. 2"),
            CalculationLine(label="Days with mining", quantity="17", unit="d", source="Fact 3, since 15 March"),
            CalculationLine(label="Days of the cycle", quantity="31", unit="d", source="Billing calendar"),
        ),
        result="136911.52",
        unit="CNY",
        caveats=("The onset is known to within 4 days; the later end was taken.", "The rule's status is not known."),
    )


def measurement(outcome: VerificationOutcome = VerificationOutcome.RECTIFIED) -> Measurement:
    """Sixty days by day, with a gap."""
    first = OPENED_NS - 30 * DAY
    after = 620.0 if outcome is VerificationOutcome.RECTIFIED else 1_080.0
    series = []
    for day in range(75):
        at = first + day * DAY
        expected = 600 + 40 * math.sin(day / 5)
        value = (1_150 if day < 38 else after) + 30 * math.cos(day / 3)
        if 30 <= day < 40 or day == 61:
            value = math.nan
        series.append(
            SeriesPoint(
                day_start_s=at // 1_000_000_000, value=value, expected=expected, low=expected - 60, high=expected + 60
            )
        )
    return Measurement(
        outcome=outcome,
        before_from_ns=first, before_until_ns=first + 30 * DAY,
        after_from_ns=first + 45 * DAY, after_until_ns=first + 75 * DAY,
        detectors=("stratum 1", "chain_sync 1", "load_step 1"),
        metrics=(
            MetricReading(
                metric="kWh_per_day", before=1_148.2, after=after, unit="kWh", expected=612.0, low=548.0, high=671.0,
                coverage=0.967, outcome=outcome, explanation="The load of the later window lies in the expected band.",
            ),
            MetricReading(
                metric="pool_connections", before=41.0, after=0.0, unit="1/d", expected=0.0, low=0.0, high=0.4,
                coverage=1.0, outcome=outcome, explanation="",
            ),
        ),
        coverage=0.967,
        explanation="Energy fell by 46 % and lies within what the weather of those days lets expect without mining.",
        missing=("1 of 30 days has no readings.",),
        plot_metric="kWh_per_day",
        plot_unit="kWh",
        series=tuple(series),
    )  # fmt: skip


def acts(documents: Iterable[Mapping[str, Any]], pack: Pack) -> list[tuple[int, str, str, Act]]:
    """When, by which account and unit, and what, from screening to closure. [ns after opening]"""
    refs = tuple(ref_of(one, number) for number, one in enumerate(documents, 1))
    letter = document_of("notice", "notice-HF-2022-000017-zh.pdf")
    photo = document_of("photo", "hall-4-rack-07.jpg", 4_182_331)
    axes = tuple((axis.id, axis.values[0].id) for axis in pack.axes)
    measure = "diff-tariff" if any(one.id == "diff-tariff" for one in pack.measures) else pack.measures[0].id
    return [
        (0, "screen-2", "grid", OpenCase(
            case_id=CASE_ID, pack_id=pack.id, pack_version=pack.version, pack_digest=pack.digest, site_id="S-4471",
            site_kind="data_centre", region="CN-33", organisation_id="ORG-0881", usage_points=("33010-2044",),
            findings=refs[:2], summary="Two families of evidence at one site.",
        )),
        (1 * HOUR, "screen-2", "grid", AddFindings(findings=refs[2:])),
        (2 * HOUR, "screen-2", "grid", LookUpLawful(
            outcome=LookupOutcome.NOT_LISTED, registers=("filed-research as of 2022-04-01",),
            explanation="No entry names the site, its organisation or its supply point.",
        )),
        (1 * DAY, "officer-1", "drc", ProposeClass(
            standing=PartyStanding.HOST, axes=axes, criteria=tuple(one.id for one in pack.criteria[:2]),
            reason="Hosting contract for third parties' machines.",
        )),
        (1 * DAY + 3 * HOUR, "chief-1", "drc", Approve(proposal=4)),
        (2 * DAY, "officer-1", "drc", ProposeNotice(kind=NoticeKind.NOTICE, document=letter, language="zh")),
        (2 * DAY + 2 * HOUR, "chief-1", "drc", Approve(proposal=6)),
        (3 * DAY, "officer-1", "drc", ServeNotice(
            proposal=6, received_ns=OPENED_NS + 3 * DAY, channel="registered post",
            proof=document_of("other", "receipt.pdf"),
        )),
        (8 * DAY, "officer-1", "drc", RecordReply(
            received_ns=OPENED_NS + 8 * DAY, stance=ReplyStance.CONTESTS, document=document_of("reply", "reply.pdf"),
            text="Fact 3 is wrong: a new cooling plant was put into service in February.",
        )),
        (9 * DAY, "officer-1", "drc", GrantAccess(
            given_ns=OPENED_NS + 9 * DAY, documents=(letter.sha256,), held_back=("capture file: traffic of others",),
        )),
        (12 * DAY, "inspector-3", "nea", RecordInspection(record=InspectionRecord(
            authority="ndrc1283#12", unit="nea", present=("grid company, metering", "facility's desk"),
            started_ns=OPENED_NS + 12 * DAY, ended_ns=OPENED_NS + 12 * DAY + 3 * HOUR, place="Hall 4, racks 5 to 9",
            observations=("61 machines of one make, running.", "No cooling plant of that age was found."),
            machines_seen=61,
            meters=(MeterSeen(
                meter="3301020440001", reading="0482213.7", unit="kWh", seals=("A-22817", "A-22818"), seals_intact=True,
            ),),
            bypass_seen=False, photos=(photo,),
        ))),
        (15 * DAY, "officer-1", "drc", ProposeDecision(
            outcome=DecisionOutcome.CONFIRMED, legal_basis=("ndrc1283#13",),
            reason="Machines that mine were seen at the inspection; the load began with them.",
            measures=(measure,), sheets=(sheet(),),
            heard_reply="The cooling plant was looked for at the inspection and not found; fact 3 stands.",
        )),
        (16 * DAY, "chief-1", "drc", Approve(proposal=12)),
        (17 * DAY, "officer-1", "drc", ServeDecision(received_ns=OPENED_NS + 17 * DAY, channel="registered post")),
        (90 * DAY, "officer-1", "drc", DeclareFinal(reason="No appeal within the period.")),
        (91 * DAY, "officer-1", "drc", ProposeMeasure(
            measure=measure, reason="The decision is final.", sheets=(sheet(),),
        )),
        (92 * DAY, "chief-1", "drc", Approve(proposal=16)),
        (93 * DAY, "officer-1", "drc", RecordRemedy(
            at_ns=OPENED_NS + 20 * DAY, grade=RemedyGrade.B, text="Machines removed; bill of lading of the carrier.",
            documents=(document_of("remedy_proof", "bill-of-lading.pdf"),),
        )),
        (95 * DAY, "meter-5", "grid", Verify(measurement=measurement())),
        (96 * DAY, "officer-1", "drc", ProposeClosure(
            reason=ClosureReason.RECTIFIED, text="Decision final, remedy proved, measured to be over.",
        )),
        (97 * DAY, "chief-1", "drc", Approve(proposal=20)),
    ]  # fmt: skip


def case_file(
    pack: Pack, *, until: int | None = None, documents: tuple[dict[str, Any], ...] | None = None, chinese: bool = False
) -> CaseFile:
    """The case as it stands after its first `until` events."""
    found = finding_documents() if documents is None else documents
    rows = acts(found, pack)[:until]
    events = tuple(
        CaseEvent(case_id=CASE_ID, number=number, at_ns=OPENED_NS + after, account=account, unit=unit, act=act)
        for number, (after, account, unit, act) in enumerate(rows, 1)
    )
    case = replay(events)
    kept = tuple(
        KeptDocument(ref=ref, language="zh", created_ns=OPENED_NS)
        for ref in (document_of("notice", "notice-HF-2022-000017-zh.pdf"),)
        if len(events) > 5
    )
    return CaseFile(
        case=case, events=events, site_name=SITE_ZH if chinese else SITE,
        organisation_name=PARTY_ZH if chinese else PARTY, documents=kept, finding_documents=found,
    )  # fmt: skip


def clocks(file: CaseFile, pack: Pack, now_ns: int | None = None) -> tuple[Clock, ...]:
    """The case's clocks as the policy counts them."""
    return clocks_of(file.case, pack, file.case.last_ns if now_ns is None else now_ns)
