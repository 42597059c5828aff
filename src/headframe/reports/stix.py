"""Findings as a STIX 2.1 bundle: what was observed, where the other side is, and how sure that is.

Each finding becomes an ``observed-data`` object with its subject (a pseudonym, unless asked otherwise) and, where it
has an other side, the address and port of that pool or proxy; an ``indicator`` for that other side with a
``sighting``; and a ``note`` with the words. A ``grouping`` holds them together. Identifiers follow from the content,
so the same findings give the same bundle. There is no ``identity`` but that of the program: a party is never in it.

References
----------
.. [1] OASIS, "STIX Version 2.1", OASIS Standard, 2021-06-10.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from headframe import __version__
from headframe.cases.store import StoredFinding
from headframe.records.indicator import IndicatorKind
from headframe.reports.exchange import PROPOSAL, OutwardFinding, outward

TLP = {
    "white": "613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "f88d31f6-486f-44da-b317-01333bde0b82",
    "red": "5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
"""Identifiers of the markings that STIX defines itself [1]_, section 7.2.1.4."""
_TLP_CREATED = "2017-01-20T00:00:00.000Z"
_SCO = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""Namespace of deterministic identifiers of observables [1]_, section 2.9."""
_OURS = uuid.UUID("6b1f0c0e-8a0f-5d7b-9f0e-2f0f6b7a9c11")
"""Namespace of ours."""
_DEFINED = "2026-11-20T00:00:00.000Z"
SUBJECT = "x-headframe-subject"
EXTENSION = f"extension-definition--{uuid.uuid5(_OURS, SUBJECT)}"
_MALICIOUS = frozenset({IndicatorKind.MALWARE_PROXY.value, IndicatorKind.WEB_MINER.value})


def stix_bundle(
    findings: Iterable[StoredFinding],
    *,
    pseudonym: Callable[[str], str],
    is_a_partys: Callable[[str], bool],
    reveal: bool = False,
    tlp: str = "amber",
) -> dict[str, Any]:
    """A bundle of findings: the same for the same findings, whenever it is made.

    Every object is created when the last of what it tells ended, and its identifier follows from all that it says:
    objects of two bundles that share an identifier are the same.

    Parameters
    ----------
    findings : iterable of StoredFinding
    pseudonym : callable
        From a subject to its pseudonym.
    is_a_partys : callable
        Whether an address is some party's; see `headframe.reports.exchange.outward`.
    reveal : bool
        Give addresses and usage points as they are.
    tlp : str
        ``white``, ``green``, ``amber`` or ``red``.

    Returns
    -------
    dict
        A STIX 2.1 bundle.

    Raises
    ------
    ValueError
        If the marking is none of those, or there is no finding.
    """
    if tlp not in TLP:
        raise ValueError(f"the marking is {tlp!a}; it is one of {', '.join(TLP)}")
    return _Builder(tlp).bundle(
        [outward(finding, reveal=reveal, pseudonym=pseudonym, is_a_partys=is_a_partys) for finding in findings]
    )


def stix_json(bundle: dict[str, Any]) -> str:
    """A bundle as text, with a line end; nothing outside ASCII, so that a terminal obeys nothing that stands in it."""
    return json.dumps(bundle, ensure_ascii=True, allow_nan=False, indent=2).replace("\x7f", "\\u007f") + "\n"


class _Builder:
    """Objects by identifier: what two findings share is there once."""

    def __init__(self, tlp: str) -> None:
        self._tlp = f"marking-definition--{TLP[tlp]}"
        self._program = f"identity--{uuid.uuid5(_OURS, 'headframe')}"
        marking = {
            "type": "marking-definition", "spec_version": "2.1", "id": self._tlp, "created": _TLP_CREATED,
            "definition_type": "tlp", "name": f"TLP:{tlp.upper()}", "definition": {"tlp": tlp},
        }  # fmt: skip
        program = {
            "type": "identity", "spec_version": "2.1", "id": self._program, "created": _DEFINED, "modified": _DEFINED,
            "name": f"Headframe {__version__}", "identity_class": "system",
            "description": "The program that made these findings. Parties are never part of this exchange.",
            "object_marking_refs": [self._tlp],
        }  # fmt: skip
        self._objects: dict[str, dict[str, Any]] = {self._tlp: marking, self._program: program}
        self._grouped: list[str] = []

    def bundle(self, findings: Sequence[OutwardFinding]) -> dict[str, Any]:
        """Everything, in a bundle whose identifier follows from what it holds."""
        if not findings:
            raise ValueError("there is no finding to export")
        endpoints: dict[str, list[OutwardFinding]] = {}
        for finding in findings:
            if finding.peer_address and finding.mining:
                endpoints.setdefault(_pattern(finding), []).append(finding)
        indicators = {pattern: self._indicator(pattern, spoken) for pattern, spoken in endpoints.items()}
        for finding in findings:
            self._add(finding, indicators)
        self._own(
            "grouping", max(finding.ended_ns for finding in findings), name="Headframe findings",
            context="suspicious-activity", description=PROPOSAL,
            object_refs=sorted(name for name in self._objects if name != self._tlp),
        )  # fmt: skip
        names = "\n".join(sorted(self._objects))
        return {
            "type": "bundle",
            "id": f"bundle--{uuid.uuid5(_OURS, names)}",
            "objects": list(self._objects.values()),
        }

    def _add(self, finding: OutwardFinding, indicators: Mapping[str, str]) -> None:
        """The objects of one finding."""
        first, last = _instant(finding.started_ns), _instant(finding.ended_ns)
        seen = [self._subject(finding)]
        if finding.peer_address:
            seen += self._traffic(finding, seen[0])
        observed = self._own(
            "observed-data", finding.ended_ns, finding.finding_id, first_observed=first, last_observed=last,
            number_observed=1, object_refs=seen,
        )  # fmt: skip
        about = [observed]
        if finding.peer_address and finding.mining:
            indicator = indicators[_pattern(finding)]
            about.append(indicator)
            self._own(
                "sighting", finding.ended_ns, sighting_of_ref=indicator, observed_data_refs=[observed],
                first_seen=first, last_seen=last, count=1,
            )  # fmt: skip
        self._own(
            "note", finding.ended_ns, abstract=f"{finding.detector} {finding.version} ({finding.family})",
            content=_words(finding), object_refs=about,
            labels=[coin.lower() for coin in finding.coins] or None,
        )  # fmt: skip

    def _own(self, kind: str, at_ns: int, of: str = "", **content: object) -> str:
        """A domain object or relationship; its identifier follows from what it says, and of which finding."""
        at = _instant(at_ns)
        says = {
            "created_by_ref": self._program, "created": at, "modified": at,
            **{key: value for key, value in content.items() if value is not None}, "object_marking_refs": [self._tlp],
        }  # fmt: skip
        name = f"{kind}--{uuid.uuid5(_OURS, f'{kind} {of} {_canonical(says)}')}"
        self._objects[name] = {"type": kind, "spec_version": "2.1", "id": name, **says}
        return name

    def _subject(self, finding: OutwardFinding) -> str:
        if finding.is_address and finding.revealed:
            return self._address(finding.subject)
        kind = "address" if finding.is_address else "usage_point"
        self._objects.setdefault(
            EXTENSION,
            {
                "type": "extension-definition", "spec_version": "2.1", "id": EXTENSION, "created": _DEFINED,
                "modified": _DEFINED, "created_by_ref": self._program, "name": "Subject of a finding",
                "description": (
                    "An address or a usage point in a grid, by a keyed pseudonym unless it says otherwise. It stands "
                    "for a place, never for anybody."
                ),
                "schema": "https://headframe.example/docs/exchange", "version": "1.0.0",
                "extension_types": ["new-sco"], "object_marking_refs": [self._tlp],
            },
        )  # fmt: skip
        return self._observable(
            SUBJECT, {"kind": kind, "value": finding.subject},
            extensions={EXTENSION: {"extension_type": "new-sco"}}, pseudonymous=not finding.revealed,
        )  # fmt: skip

    def _address(self, address: str) -> str:
        return self._observable(f"ipv{ip_address(address).version}-addr", {"value": address})

    def _traffic(self, finding: OutwardFinding, subject: str) -> list[str]:
        peer = self._address(finding.peer_address)
        layers = [f"ipv{ip_address(finding.peer_address).version}", "tcp"]
        source = {"src_ref": subject} if finding.is_address and finding.revealed else {}
        port = {} if finding.peer_port is None else {"dst_port": finding.peer_port}
        key = {**source, "dst_ref": peer, **port, "protocols": layers}
        # With its time: two conversations of one pair are two.
        traffic = self._observable(
            "network-traffic", {"start": _instant(finding.started_ns), "end": _instant(finding.ended_ns), **key},
            is_active=False,
        )  # fmt: skip
        return [peer, traffic]

    def _observable(self, kind: str, key: dict[str, object], **more: object) -> str:
        name = f"{kind}--{uuid.uuid5(_SCO, _canonical(key))}"
        self._objects.setdefault(
            name,
            {"type": kind, "spec_version": "2.1", "id": name, **key, **more, "object_marking_refs": [self._tlp]},
        )
        return name

    def _indicator(self, pattern: str, spoken: Sequence[OutwardFinding]) -> str:
        """A pool or proxy, by all that was heard of it."""
        peer, protocol = spoken[0].peer_address, max(finding.protocol or "" for finding in spoken)
        # What one detector knows of an endpoint holds, whichever of them was heard first.
        malicious = any(kind in _MALICIOUS for finding in spoken for kind in finding.indicator_kinds)
        return self._own(
            "indicator", max(finding.ended_ns for finding in spoken), name=f"Mining endpoint {peer}",
            description=f"Spoken to as a pool or proxy by {protocol or 'a mining protocol'}.",
            indicator_types=["malicious-activity" if malicious else "anomalous-activity"], pattern=pattern,
            pattern_type="stix", pattern_version="2.1",
            valid_from=_instant(min(finding.started_ns for finding in spoken)),
            confidence=max(_confidence(finding.log10_e) for finding in spoken),
        )  # fmt: skip


def _pattern(finding: OutwardFinding) -> str:
    """How traffic to the other side of a finding is known."""
    family = f"ipv{ip_address(finding.peer_address).version}-addr"
    parts = [
        f"network-traffic:dst_ref.type = '{family}'",
        f"network-traffic:dst_ref.value = '{finding.peer_address}'",
    ]
    if finding.peer_port is not None:
        parts.append(f"network-traffic:dst_port = {finding.peer_port}")
    return f"[{' AND '.join(parts)}]"


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _words(finding: OutwardFinding) -> str:
    lines = [finding.text or "No words.", f"Evidence: log10 e = {finding.log10_e:.2f}."]
    if finding.coins:
        lines.append(f"Coin: {', '.join(finding.coins)}.")
    if finding.power_w is not None:
        low, estimate, high = finding.power_w
        lines.append(f"Power: {estimate:.0f} W ({low:.0f} to {high:.0f} W).")
    lines += [f"Blind spot: {line}" for line in finding.blind_spots]
    return "\n".join([*lines, PROPOSAL])


def _confidence(log10_e: float) -> int:
    """STIX's confidence, 0 to 100: the share of innocent subjects that would not show this."""
    return max(0, min(99, round(100 * (1 - math.pow(10.0, -max(log10_e, 0.0))))))


def _instant(time_ns: int) -> str:
    """STIX's timestamps have milliseconds."""
    from datetime import UTC, datetime

    whole, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"
