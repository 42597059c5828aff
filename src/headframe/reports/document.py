"""Findings and scans as plain documents: the dictionaries that JSON Lines, JSON and CSV write.

Names, order and meaning of the keys are a promise to the programs that read them: `headframe.reports.schema` states
it, and any change to it raises `SCHEMA_VERSION` (the first number when a reader could break, else the second).
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from headframe import __version__
from headframe.records.finding import BlockSync, Course, Finding, Insufficient, Interval, Lookalike, SourceRef
from headframe.records.scan import LONGEST_SILENCE_S, Damage, InputSummary, ScanResult
from headframe.records.spans import Span, joined
from headframe.reports.words import ROLE_ORDER, instant

SCHEMA_VERSION = "1.4"
"""Version of the finding document, ``major.minor``."""


def in_report_order(findings: list[Finding]) -> list[Finding]:
    """The order in which every report lists findings: by role, then the strongest evidence, then the earliest.

    Parameters
    ----------
    findings : list of Finding

    Returns
    -------
    list of Finding
        A new list.
    """
    return sorted(
        findings,
        key=lambda found: (
            ROLE_ORDER[found.role],
            math.inf if math.isnan(found.log10_e) else -found.log10_e,
            found.started_ns,
            found.host,
            found.peer,
        ),
    )


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as a dictionary of plain values, in the order of the schema.

    The timeline is left out: it can hold a point for each share, and the evidence is in the packets named. Its course,
    counted in few bins, is there.

    Parameters
    ----------
    finding : Finding

    Returns
    -------
    dict
        Satisfies ``docs/schema-finding.json``.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "detector": text(finding.detector),
        "version": text(finding.version),
        "family": finding.family.value,
        "host": text(finding.host),
        "peer": text(finding.peer),
        "role": finding.role.value,
        "coin": [text(coin) for coin in finding.coins],
        "protocol": text(finding.protocol),
        "pool": None if finding.pool is None else text(finding.pool),
        "agent": None if finding.agent is None else text(finding.agent),
        "started": instant(finding.started_ns),
        "ended": instant(finding.ended_ns),
        "shares": {
            "accepted": finding.shares.accepted,
            "rejected": finding.shares.rejected,
            "stale": finding.shares.stale,
            "unanswered": finding.shares.unanswered,
        },
        "hashrate_hs": _interval(finding.hashrate_hs),
        "power_w": _interval(finding.power_w),
        "log10_e": number(finding.log10_e),
        "explanation": text(finding.explanation),
        "contradictions": [text(line) for line in finding.contradictions],
        "blind_spots": [text(line) for line in finding.blind_spots],
        "indicator_kinds": [kind.value for kind in finding.indicator_kinds],
        "evidence": [
            {
                "time": instant(line.time_ns),
                "text": text(line.text),
                "file": text(line.packet.file),
                "packet": line.packet.number,
            }
            for line in finding.evidence
        ],
        "sources": _sources(finding.sources),
        "community_ids": [text(community_id) for community_id in finding.community_ids],
        "accounts": [text(account) for account in finding.accounts],
        "block_sync": None if finding.block_sync is None else _block_sync(finding.block_sync),
        "course": None if finding.course is None else _course(finding.course),
    }


OBSERVATION = (
    "detector", "version", "family", "host", "peer", "role", "coin", "protocol", "started", "ended", "shares",
    "hashrate_hs", "power_w", "log10_e", "community_ids", "block_sync",
)  # fmt: skip
"""What a finding says was seen, and how strongly it speaks. The rest tells of it: in pseudonyms, which each run draws
anew, and by the names of files, which lie elsewhere tomorrow."""


def finding_id(document: Mapping[str, Any]) -> str:
    """The number under which a finding is kept: the same for every scan that sees the same in the same traffic.

    Parameters
    ----------
    document : mapping
        As `finding_document` gives it.

    Returns
    -------
    str
        ``F-`` and 80 bits as hex: among ten million findings two share a name with a chance of 1e-11.
    """
    from headframe.ledger.leaf import document_digest  # a scan needs none of it

    return f"F-{document_digest({name: document[name] for name in OBSERVATION})[:20]}"


def lookalike_document(lookalike: Lookalike) -> dict[str, Any]:
    """One conversation that looked like mining and is not."""
    return {
        "detector": text(lookalike.detector),
        "host": text(lookalike.host),
        "peer": text(lookalike.peer),
        "label": text(lookalike.label),
        "reason": text(lookalike.reason),
        "started": instant(lookalike.started_ns),
        "sources": _sources(lookalike.sources),
        "community_ids": [text(community_id) for community_id in lookalike.community_ids],
    }


def insufficient_document(insufficient: Insufficient) -> dict[str, Any]:
    """One question that a detector could not answer."""
    return {
        "detector": text(insufficient.detector),
        "host": text(insufficient.host),
        "peer": text(insufficient.peer),
        "missing": text(insufficient.missing),
    }


def input_document(summary: InputSummary) -> dict[str, Any]:
    """What was read from one file, and what could not be."""
    return {
        "file": text(summary.file),
        "bytes_read": summary.bytes_read,
        "packets": summary.packets,
        "decoded": summary.decoded,
        "first": None if summary.first_ns is None else instant(summary.first_ns),
        "last": None if summary.last_ns is None else instant(summary.last_ns),
        "undecoded": {text(reason): packets for reason, packets in sorted(summary.undecoded.items())},
        "damage": [_damage(damage) for damage in summary.damage],
    }


def scan_document(result: ScanResult, *, generated_ns: int) -> dict[str, Any]:
    """A whole scan as one dictionary.

    Parameters
    ----------
    result : ScanResult
    generated_ns : int
        When the document is made. [ns since 1970-01-01 UTC]

    Returns
    -------
    dict
        Keys ``schema_version``, ``generator``, ``generated``, ``summary``, ``looked``, ``findings``, ``lookalikes``,
        ``insufficient``, ``inputs``, ``remarks``.
    """
    by_role: dict[str, int] = {}
    for finding in result.findings:
        by_role[finding.role.value] = by_role.get(finding.role.value, 0) + 1
    return {
        "schema_version": SCHEMA_VERSION,
        "generator": f"headframe {__version__}",
        "generated": instant(generated_ns),
        "summary": {
            "files": len(result.inputs),
            "bytes_read": result.bytes_read,
            "packets": result.packets,
            "conversations": result.conversations,
            "elapsed_s": number(result.elapsed_s),
            "findings": len(result.findings),
            "findings_by_role": {role: by_role[role] for role in sorted(by_role)},
            "lookalikes": len(result.lookalikes),
            "insufficient": len(result.insufficient),
            "damaged_stretches": sum(len(summary.damage) for summary in result.inputs),
            "timing_tested": result.timing_tested,
            "timing_fdr": None if result.timing_fdr is None else number(result.timing_fdr),
            "content_blind": result.content_blind,
        },
        "looked": _looked(result),
        "findings": [finding_document(finding) for finding in in_report_order(result.findings)],
        "lookalikes": [lookalike_document(lookalike) for lookalike in result.lookalikes],
        "insufficient": [insufficient_document(insufficient) for insufficient in result.insufficient],
        "inputs": [input_document(summary) for summary in result.inputs],
        "remarks": [text(remark) for remark in result.remarks],
    }


def _looked(result: ScanResult) -> dict[str, Any]:
    """What was looked at, by what: what a later measurement needs to know before "nothing found" means anything."""
    days: dict[str, dict[str, int]] = {}
    for one in result.seen:
        days.setdefault(one.day, {})[one.prefix] = one.conversations
    return {
        "detectors": [text(name) for name in result.detectors],
        "recorded": _spans(
            joined((span for one in result.inputs for span in one.recorded), LONGEST_SILENCE_S * 1_000_000_000)
        ),
        "longest_silence_s": LONGEST_SILENCE_S,
        "clocks": [
            {
                "chain": text(one.chain),
                "sources": [text(source) for source in one.sources],
                "covered": _spans(one.covered),
            }
            for one in result.clocks
        ],
        "seen": [{"day": day, "prefixes": prefixes} for day, prefixes in days.items()],
        "seen_left_out": result.seen_left_out,
    }


def _spans(spans: Iterable[Span]) -> list[dict[str, str]]:
    return [{"start": instant(start), "end": instant(end)} for start, end in spans]


def text(value: str) -> str:
    """`value` with lone surrogates escaped, which JSON readers refuse; they stand for odd bytes in file names."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")


def number(value: float) -> float | None:
    """`value`, or None where it is not finite, which JSON cannot say."""
    return value if math.isfinite(value) else None


def _interval(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    return {"low": number(interval.low), "estimate": number(interval.estimate), "high": number(interval.high)}


def _block_sync(sync: BlockSync) -> dict[str, Any]:
    return {
        "chain": text(sync.chain),
        "log10_e_by_chain": [
            {"chain": text(chain), "log10_e": number(log10_e)} for chain, log10_e in sync.log10_e_by_chain
        ],
        "clock_sources": [text(source) for source in sync.clock_sources],
        "offset_s": _interval(sync.offset_s),
        "window_s": number(sync.window_s),
        "pushes_counted": text(sync.pushes_counted),
        "blocks": sync.blocks,
        "hits": sync.hits,
        "expected_hits": number(sync.expected_hits),
        "watched_s": number(sync.watched_s),
        "block_times": [instant(at) for at in sync.block_ns],
        "block_hits": list(sync.block_hit),
        "push_times": [instant(at) for at in sync.push_ns],
    }


def _course(course: Course) -> dict[str, Any]:
    return {
        "started": instant(course.started_ns),
        "bin_s": course.bin_s,
        "jobs": list(course.jobs),
        "shares": {text(answer): list(counts) for answer, counts in course.shares},
    }


def _sources(sources: tuple[SourceRef, ...]) -> list[dict[str, Any]]:
    return [{"file": text(source.file), "packets": list(source.packets)} for source in sources]


def _damage(damage: Damage) -> dict[str, Any]:
    return {
        "offset": damage.offset,
        "length": damage.length,
        "packets": damage.packets,
        "reason": text(damage.reason),
    }
