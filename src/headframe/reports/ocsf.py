"""Findings as OCSF events: class 2004, Detection Finding, of OCSF 1.5.

The severity is always informational: how bad mining is, is not for a detector to say. How sure it is stands in
``confidence_id`` and, exactly, in ``unmapped.log10_e``.

References
----------
.. [1] Open Cybersecurity Schema Framework 1.5.0, class ``detection_finding``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from headframe import __version__
from headframe.cases.store import StoredFinding
from headframe.reports.exchange import PROPOSAL, OutwardFinding, outward

VERSION = "1.5.0"
CLASS, CATEGORY, CREATE = 2004, 2, 1
_ANALYTIC = {"content": 1, "endpoint": 1, "timing": 3, "traffic": 3, "load": 3, "balance": 3}
"""Kind of analytic: 1 rule, 3 statistical, 99 other [1]_."""
_CONFIDENCE = ((6.0, 3, "High"), (3.0, 2, "Medium"), (-math.inf, 1, "Low"))
"""From which evidence on; ours."""
_IP_ADDRESS, _OTHER = 2, 99


def ocsf_events(
    findings: Iterable[StoredFinding],
    *,
    created_ns: int,
    pseudonym: Callable[[str], str],
    is_a_partys: Callable[[str], bool],
    reveal: bool = False,
) -> Iterator[dict[str, Any]]:
    """One event per finding.

    Parameters
    ----------
    findings : iterable of StoredFinding
    created_ns : int
        When the events are made. [ns since 1970-01-01 UTC]
    pseudonym : callable
        From a subject to its pseudonym.
    is_a_partys : callable
        Whether an address is some party's; see `headframe.reports.exchange.outward`.
    reveal : bool
        Give addresses and usage points as they are.

    Yields
    ------
    dict
        A Detection Finding.
    """
    for finding in findings:
        yield _event(outward(finding, reveal=reveal, pseudonym=pseudonym, is_a_partys=is_a_partys), created_ns)


def ocsf_lines(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Events as JSON Lines, in ASCII."""
    for event in events:
        yield json.dumps(event, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f") + "\n"


def _event(finding: OutwardFinding, created_ns: int) -> dict[str, Any]:
    told = ((number, word) for least, number, word in _CONFIDENCE if finding.log10_e >= least)
    confidence_id, confidence = next(told, _CONFIDENCE[-1][1:])
    what = "Mining" if finding.mining else "A trace of mining"
    return {
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + CREATE,
        "type_name": "Detection Finding: Create",
        "time": created_ns // 1_000_000,
        "start_time": finding.started_ns // 1_000_000,
        "end_time": finding.ended_ns // 1_000_000,
        "severity_id": 1,
        "severity": "Informational",
        "status_id": 1,
        "status": "New",
        "confidence_id": confidence_id,
        "confidence": confidence,
        "message": f"{what} by {finding.detector}: {finding.text}",
        "comment": PROPOSAL,
        "metadata": {
            "version": VERSION,
            "uid": finding.finding_id,
            "product": {"name": "Headframe", "vendor_name": "Headframe", "version": __version__},
        },
        "finding_info": {
            "uid": finding.finding_id,
            "title": f"{what}: {finding.subject}",
            "desc": finding.text,
            "types": ["cryptocurrency mining"],
            "created_time": created_ns // 1_000_000,
            "first_seen_time": finding.started_ns // 1_000_000,
            "last_seen_time": finding.ended_ns // 1_000_000,
            "data_sources": ["network capture" if finding.is_address else "meter readings"],
            "analytic": {
                "uid": finding.detector,
                "name": finding.detector,
                "version": finding.version,
                "type_id": _ANALYTIC.get(finding.family, 99),
                "category": finding.family,
            },
        },
        **_where(finding),
        "unmapped": {
            "log10_e": finding.log10_e if math.isfinite(finding.log10_e) else None,
            "coins": list(finding.coins),
            "pool": finding.pool or None,
            "protocol": finding.protocol or None,
            "power_w": None
            if finding.power_w is None
            else dict(zip(("low", "estimate", "high"), finding.power_w, strict=True)),
            "blind_spots": list(finding.blind_spots),
            "subject_is_pseudonym": not finding.revealed,
        },
    }


def _where(finding: OutwardFinding) -> dict[str, Any]:
    """Subject and other side, and what of it can be searched for."""
    if not finding.is_address:
        return {
            "resources": [{"uid": finding.subject, "type": "usage point"}],
            "observables": [
                {"name": "resources[0].uid", "type_id": 10, "type": "Resource UID", "value": finding.subject}
            ],
        }
    key = "ip" if finding.revealed else "uid"
    evidence: dict[str, Any] = {"src_endpoint": {key: finding.subject}}
    kind = {"type_id": _IP_ADDRESS, "type": "IP Address"} if finding.revealed else {"type_id": _OTHER, "type": "Other"}
    observables = [{"name": f"evidences[0].src_endpoint.{key}", **kind, "value": finding.subject}]
    if finding.peer_address:
        evidence["dst_endpoint"] = {"ip": finding.peer_address}
        if finding.peer_port is not None:
            evidence["dst_endpoint"]["port"] = finding.peer_port
        observables.append(
            {
                "name": "evidences[0].dst_endpoint.ip",
                "type_id": _IP_ADDRESS,
                "type": "IP Address",
                "value": finding.peer_address,
            }
        )
    return {"evidences": [evidence], "observables": observables}
