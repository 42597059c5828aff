"""The scan as one HTML file that works offline, without a script, on a telephone and on paper.

Everything that came from traffic is hostile. Three things stand in its way: Jinja escapes every value; before that,
each value passes `words.visible`, so no control or direction-changing character is left; and the page's content
security policy lets neither scripts nor requests through, and one style sheet only, known by its digest.
"""

import base64
import hashlib
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headframe import __version__
from headframe.records.finding import BlockSync, EvidenceLine, Finding, Interval, Role, SourceRef
from headframe.records.indicator import IndicatorKind
from headframe.records.scan import Damage, InputSummary, ScanResult
from headframe.reports.block_sync import draw_blocks, draw_delays
from headframe.reports.page import asset, our_own, page_environment, write_page
from headframe.reports.picture import Drawing
from headframe.reports.sightings import Sighting, draw_together, hosts_of_role
from headframe.reports.table import never_opened, reason_without_name
from headframe.reports.timeline import draw_range, draw_timeline
from headframe.reports.words import (
    NS_PER_S,
    ROLE_NAME,
    clock_time,
    count,
    duration,
    expected_count,
    instant,
    interval_parts,
    list_promise,
    odds,
    offset_parts,
    packet_ranges,
    period,
    power_of_ten,
    size,
    visible,
)

if TYPE_CHECKING:
    pass

# A report of 1,000 findings shall stay below 10 MB, which leaves some 10 kB for each.
_FULL_DETAIL_FINDINGS = 100
_MOST_DAMAGE_ROWS = 500
_MOST_LOOKALIKE_ROWS = 2_000
_MOST_REMARKS = 500
_LONGEST_NAME = 200  # a name in DNS has 253 characters at most, real ones far fewer; software names itself in 80
# 10^12 and more fill the meter: beyond it a reader's trust no longer grows, and pools' evidence goes far beyond.
_FULL_METER_LOG10_E = 12.0

_HEADING: dict[Role, tuple[str, str]] = {
    Role.MINER: (
        "Miners",
        "These hosts asked for work and handed in shares, or did so towards a pool that answered as one, or were told "
        "of each new block of a chain and answered as miners do.",
    ),
    Role.PROXY: ("Proxies", "These hosts took shares from miners and handed them on to a pool in their own name."),
    Role.POOL: ("Pools", "These hosts handed out work and took shares."),
    Role.NODE_CLIENT: (
        "Node clients",
        "These hosts asked a node for block templates, as a pool does of its own daemon.",
    ),
    Role.PROBE: (
        "Probes",
        "These hosts spoke a mining protocol to an endpoint that never answered as a pool: an attempt, not mining.",
    ),
    Role.FOLLOWER: (
        "Followers",
        "These hosts hear from their servers at the same moments as others from theirs. No chain was compared, so what "
        "they follow is not known: mining is one explanation, a federated chat or a push service is another. A block "
        "clock would tell.",
    ),
    Role.CONTACT: (
        "Contacts",
        "These hosts looked up or touched a known name or address. No mining session was seen.",
    ),
}

_PUSHES: dict[str, str] = {
    "all": "whatever the server sent",
    "large": "messages of a job's size",
    "unasked": "messages that answer nothing",
}
"""Classes of pushes, in words."""

_WORKING_ROLES = frozenset({Role.MINER, Role.PROXY, Role.POOL})
"""Roles whose hash rate and shares a reader will look for, even where they are not known."""

_KIND_NAME: dict[IndicatorKind, str] = {
    IndicatorKind.POOL: "public pool",
    IndicatorKind.MALWARE_PROXY: "relay of mining malware",
    IndicatorKind.WEB_MINER: "web miner",
    IndicatorKind.NODE: "block-chain node",
    IndicatorKind.EXCHANGE: "exchange",
}

_VICTIM_NOTE: dict[IndicatorKind, str] = {
    IndicatorKind.MALWARE_PROXY: (
        "Probably a victim, not an offender. The other side is listed as a relay run by operators of mining malware. "
        "Whoever is responsible for this host most likely does not know. Help comes first: keep the evidence, take the "
        "host off the network, and look for how the intruder came in."
    ),
    IndicatorKind.WEB_MINER: (
        "Probably a victim, not an offender. The other side serves a miner to web browsers, which works while a page "
        "is open. The person at this host most likely only visited a page. Tell them which one, and block the address."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """How much of each finding is drawn and listed; the rest is counted."""

    slots: int
    columns: int
    evidence: int
    identifiers: int
    text: int
    """No sentence of ours is longer; a hostile name may be. [characters]"""

    @classmethod
    def for_findings(cls, number: int) -> "_Limits":
        if number <= _FULL_DETAIL_FINDINGS:
            return cls(slots=1000, columns=125, evidence=40, identifiers=40, text=2_000)
        return cls(slots=60, columns=30, evidence=6, identifiers=4, text=600)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """The first entries of a list, and how many were left off."""

    shown: list[Any]
    left_off: int


def render_html(result: ScanResult, *, generated_ns: int) -> str:
    """The whole report.

    Parameters
    ----------
    result : ScanResult
    generated_ns : int
        When the report is made. [ns since 1970-01-01 UTC]

    Returns
    -------
    str
        An HTML document that needs nothing else.
    """
    return "".join(_chunks(result, generated_ns=generated_ns))


def write_html(result: ScanResult, path: Path, *, generated_ns: int) -> None:
    """Write the report to a file, which is there whole or not at all.

    Parameters
    ----------
    result : ScanResult
    path : pathlib.Path
        An older file of that name is replaced.
    generated_ns : int
        When the report is made. [ns since 1970-01-01 UTC]

    Raises
    ------
    OSError
        If the file cannot be written; an older one is then still there.
    """
    write_page(_chunks(result, generated_ns=generated_ns), path)


def _chunks(result: ScanResult, *, generated_ns: int) -> Iterator[str]:
    limits = _Limits.for_findings(len(result.findings))
    environment = page_environment(longest_text=limits.text)
    style = asset("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    stream = environment.get_template("report.html").stream(
        style=our_own(style),
        style_digest=digest,
        version=__version__,
        generated=f"{clock_time(generated_ns)} UTC",
        generated_exact=instant(generated_ns),
        **_context(result, limits),
    )
    stream.enable_buffering(64)
    return iter(stream)


def _context(result: ScanResult, limits: _Limits) -> dict[str, Any]:
    sightings = draw_together(result.findings)
    folder = _common_folder(result.inputs)
    cards = [_card(place, sighting, limits, folder) for place, sighting in enumerate(sightings, start=1)]
    return {
        "headline": _headline(result, sightings),
        "statements": _statements(result, sightings),
        "figures": _figures(result),
        "groups": [
            {"heading": heading, "lead": lead, "cards": group, "id": role.value}
            for role, (heading, lead) in _HEADING.items()
            if (group := [card for card in cards if card["role"] is role])
        ],
        "cards": cards,
        "open_details": len(cards) <= _FULL_DETAIL_FINDINGS,
        "victims": any(card["victim_notes"] for card in cards),
        "lookalikes": _listed(result.lookalikes, _MOST_LOOKALIKE_ROWS),
        "insufficient": _listed(result.insufficient, _MOST_LOOKALIKE_ROWS),
        "remarks": _listed(result.remarks if len(result.remarks) > 1 else [], _MOST_REMARKS),
        "inputs": [_input(summary) for summary in result.inputs],
        "damage": _listed(
            [
                _damage(stretch, opened=not never_opened(summary))
                for summary in result.inputs
                for stretch in summary.damage
            ],
            _MOST_DAMAGE_ROWS,
        ),
        "damage_total": _damage_total([summary for summary in result.inputs if summary.damage]),
        "packets_of": packet_ranges,
        "clock_time": clock_time,
    }


def _headline(result: ScanResult, sightings: list[Sighting]) -> str:
    miners = hosts_of_role(sightings).get(Role.MINER)
    if miners:
        return f"Traffic of {count(len(miners), 'host')} shows mining"
    if result.findings:
        if all(finding.role is Role.FOLLOWER for finding in result.findings):
            followers = len({finding.host for finding in result.findings})
            return f"No miner found; {count(followers, 'host')} to look into"
        return "No miner found, but other traces of mining"
    if result.packets == 0:
        return (
            "Nothing could be read" if any(summary.damage for summary in result.inputs) else "There was nothing to read"
        )
    return "No mining found in what was read"


def _statements(result: ScanResult, sightings: list[Sighting]) -> list[tuple[str, str]]:
    """What was found, how sure that is, what was told apart, what was not readable; each with its heading."""
    lines = [("Found", _found(sightings))]
    miners = [sighting.lead for sighting in sightings if sighting.lead.role is Role.MINER]
    known = all(math.isfinite(finding.log10_e) for finding in miners)
    weakest = min((finding.log10_e for finding in miners), default=0.0)
    if known and weakest > 0:
        what = "the miner" if len(miners) == 1 else "even the weakest of the miners"
        lines.append(("How sure", f"At most {odds(weakest)} innocent hosts would show as much as {what}."))
    elif miners:
        lines.append(("How sure", "Not stated: for the weakest of the miners no evidence was counted. See its card."))
    victims = {finding.host for finding in result.findings if _victim_notes(finding.indicator_kinds)}
    if victims:
        who = "1 host is probably a victim" if len(victims) == 1 else f"{len(victims):,} hosts are probably victims"
        lines.append(
            ("Victims", f"{who} of mining malware or of a web page that mines, and no offender: help comes first.")
        )
    if result.lookalikes:
        was = "was" if len(result.lookalikes) == 1 else "were"
        told = f"{count(len(result.lookalikes), 'conversation')} only looked like mining, and {was} told apart."
        lines.append(("Told apart", told))
    if result.insufficient:
        told = f"{count(len(result.insufficient), 'question')} could not be answered from this capture."
        whole = [question.missing for question in result.insufficient if not question.host]
        if whole:
            more = f" and {len(whole) - 1:,} more" if len(whole) > 1 else ""
            told += f" Of the whole scan: {visible(whole[0])}{more}"
        lines.append(("Open", told))
    if promise := list_promise(result):
        lines.append(("The list", f"{promise[0].upper()}{promise[1:]}."))
    if result.remarks:
        more = f" and {len(result.remarks) - 1:,} more, listed below" if len(result.remarks) > 1 else ""
        lines.append(("Remarks", f"{visible(result.remarks[0])}{more}"))
    damaged = [summary for summary in result.inputs if summary.damage]
    if damaged:
        lines.append(
            ("Not readable", f"{_damage_total(damaged)}. All that could be read was used; the rest is not known.")
        )
    elif result.packets:
        lines.append(("Not readable", "Nothing: every stretch of every file could be read."))
    return lines


def _found(sightings: list[Sighting]) -> str:
    parts = [
        count(len(hosts), ROLE_NAME[role], _HEADING[role][0].lower())
        for role, hosts in hosts_of_role(sightings).items()
    ]
    return f"{', '.join(parts)}." if parts else "No trace of mining."


def _figures(result: ScanResult) -> list[tuple[str, str]]:
    figures = [
        ("Files", f"{len(result.inputs):,}"),
        ("Read", size(result.bytes_read)),
        ("Packets", f"{result.packets:,}"),
        ("Conversations", f"{result.conversations:,}"),
    ]
    first = [summary.first_ns for summary in result.inputs if summary.first_ns is not None]
    last = [summary.last_ns for summary in result.inputs if summary.last_ns is not None]
    if first and last:
        figures.append(("Capture covers", duration(max(max(last) - min(first), 0))))
    if result.elapsed_s > 0:
        figures.append(("Scanned in", duration(round(result.elapsed_s * 1e9))))
    return figures


def _card(place: int, sighting: Sighting, limits: _Limits, folder: str) -> dict[str, Any]:
    finding = sighting.lead
    drawing: Drawing | None = None
    if finding.timeline is not None:
        drawing = draw_timeline(
            finding.timeline,
            started_ns=finding.started_ns,
            ended_ns=finding.ended_ns,
            counted=finding.shares,
            slots=limits.slots,
            columns=limits.columns,
        )
    shares = finding.shares
    handed_in = shares.accepted + shares.rejected + shares.stale + shares.unanswered
    return {
        "id": f"finding-{place}",
        "role": finding.role,
        "role_name": ROLE_NAME[finding.role],
        "host": _name(finding.host),
        "peer": _name(finding.peer),
        "pool": _name(sighting.pool),
        "coins": [visible(coin, 12) for coin in sighting.coins],
        "protocol": _name(finding.protocol),
        "agent": _name(sighting.agent),
        "since": clock_time(finding.started_ns),
        "period": period(finding.started_ns, finding.ended_ns),
        "lasted": duration(max(finding.ended_ns - finding.started_ns, 0)),
        "works": finding.block_sync is None
        and (finding.role in _WORKING_ROLES or handed_in > 0 or finding.hashrate_hs is not None),
        "sync": None if finding.block_sync is None else _sync_figures(finding.block_sync),
        "syncs": [
            _sync(found.block_sync, found, limits) for found in sighting.findings if found.block_sync is not None
        ],
        "hashrate": _estimate(finding.hashrate_hs, "H/s"),
        "power": _estimate(finding.power_w, "W"),
        "shares": shares if handed_in else None,
        "strength": power_of_ten(finding.log10_e),
        "odds": odds(finding.log10_e),
        "meter": _meter(finding.log10_e),
        "family": finding.family.value,
        "other_families": [
            (family.value, power_of_ten(log10_e)) for family, log10_e in list(sighting.log10_e_of_family.items())[1:]
        ],
        "detectors": [f"{found.detector} {found.version} ({found.family.value})" for found in sighting.findings],
        "explanation": finding.explanation,
        "other_explanations": [(found.family.value, found.explanation) for found in sighting.others],
        "contradictions": sighting.contradictions,
        "blind_spots": sighting.blind_spots,
        "evidence": _listed([_evidence(line, folder) for line in sighting.evidence], limits.evidence),
        "sources": _listed(
            [_source(source, limits.identifiers, folder) for source in sighting.sources], limits.identifiers
        ),
        "community_ids": _listed(list(sighting.community_ids), limits.identifiers),
        "accounts": _listed(list(sighting.accounts), limits.identifiers),
        "kinds": [_KIND_NAME[kind] for kind in sighting.indicator_kinds],
        "victim_notes": _victim_notes(sighting.indicator_kinds),
        "drawing": None if drawing is None else our_own(drawing.svg),
        "drawing_notes": () if drawing is None else drawing.notes,
    }


def _sync_figures(sync: BlockSync) -> dict[str, str]:
    """The figures of a timing finding, as words."""
    return {
        "hits": f"{sync.hits:,}",
        "blocks": f"{sync.blocks:,}",
        "expected": expected_count(sync.expected_hits),
        "window": f"{sync.window_s:g} s",
    }


def _sync(sync: BlockSync, finding: Finding, limits: _Limits) -> dict[str, Any]:
    """What a card shows of a conversation that keeps step with a chain."""
    course = draw_blocks(sync, started_ns=finding.started_ns, ended_ns=finding.ended_ns, slots=limits.slots)
    delays = draw_delays(sync)
    brief, meaning = offset_parts(sync.offset_s)
    watched_ns = round(sync.watched_s * NS_PER_S) if math.isfinite(sync.watched_s) else 0
    return {
        **_sync_figures(sync),
        "chain": visible(sync.chain, 12),
        "pushes": _PUSHES.get(sync.pushes_counted, visible(sync.pushes_counted, 40)),
        "offset": brief,
        "offset_meaning": meaning,
        "watched": duration(watched_ns),
        "chains": [
            {"chain": visible(chain, 12), "strength": power_of_ten(log10_e), "odds": odds(log10_e)}
            for chain, log10_e in sync.log10_e_by_chain
        ],
        "clocks": _listed([_name(source) for source in sync.clock_sources], limits.identifiers),
        "course": None if course is None else our_own(course.svg),
        "notes": () if course is None else course.notes,
        "delays": None if delays is None else our_own(delays.svg),
    }


def _name(name: str | None) -> str | None:
    return None if name is None else visible(name, _LONGEST_NAME)


def _victim_notes(kinds: Iterable[IndicatorKind]) -> list[str]:
    return [_VICTIM_NOTE[kind] for kind in dict.fromkeys(kinds) if kind in _VICTIM_NOTE]


def _evidence(line: EvidenceLine, folder: str) -> dict[str, Any]:
    return {
        # Milliseconds suffice to follow a conversation; the packet number says the rest.
        "time": instant(line.time_ns)[:23].replace("T", " "),
        "text": line.text,
        "number": line.packet.number,
        "file": line.packet.file.removeprefix(folder),
    }


def _common_folder(inputs: list[InputSummary]) -> str:
    """The folder that all files lie in, with its slash: cards leave it out, "What was read" gives names in full."""
    folders = [summary.file.rpartition("/")[0] + "/" for summary in inputs if "/" in summary.file]
    if not folders or len(folders) < len(inputs):
        return ""
    common = os.path.commonprefix(folders)  # noqa: RUF071 - cut back to a whole folder below
    return common[: common.rfind("/") + 1]


def _estimate(estimate: Interval | None, unit: str) -> dict[str, Any] | None:
    if estimate is None:
        return None
    middle, _, span = interval_parts(estimate, unit)
    bar = draw_range(estimate.low, estimate.estimate, estimate.high)
    return {"middle": middle, "span": span, "bar": None if bar is None else our_own(bar)}


def _meter(log10_e: float) -> str:
    filled = 0.0 if math.isnan(log10_e) else min(max(log10_e / _FULL_METER_LOG10_E, 0.0), 1.0)
    marks = "".join(f"M{thousand * 250} 0v12" for thousand in (1, 2, 3))
    return our_own(
        '<svg class="meter" width="100%" height="12" viewBox="0 0 1000 12" preserveAspectRatio="none" '
        f'aria-hidden="true"><path class="rail" d="M0 6H1000"/><path class="span" d="M0 6H{filled * 1000:.0f}"/>'
        f'<path class="mark" d="{marks}"/></svg>'
    )


def _source(source: SourceRef, most: int, folder: str) -> dict[str, str]:
    return {
        "file": source.file.removeprefix(folder),
        "packets": packet_ranges(source, most),
        "count": count(len(source.packets), "packet"),
    }


def _input(summary: InputSummary) -> dict[str, Any]:
    undecoded = sum(summary.undecoded.values())
    reasons = sorted(summary.undecoded.items(), key=lambda item: -item[1])
    return {
        "file": summary.file,
        "bytes_read": size(summary.bytes_read),
        "packets": f"{summary.packets:,}",
        "decoded": f"{summary.decoded:,}",
        "undecoded": f"{undecoded:,}",
        "reasons": _listed([f"{visible(reason, 60)}: {packets:,}" for reason, packets in reasons], 6),
        "first": None if summary.first_ns is None else clock_time(summary.first_ns),
        "last": None if summary.last_ns is None else clock_time(summary.last_ns),
        "damage": _damage_total([summary]).partition(" in ")[0] if summary.damage else None,
    }


def _damage_total(damaged: list[InputSummary]) -> str:
    """How many stretches in how many files, and how many files that could not be read at all."""
    files = [summary for summary in damaged if not never_opened(summary)]
    stretches = count(sum(len(summary.damage) for summary in files), "stretch", "stretches")
    parts = [f"{stretches} in {count(len(files), 'file')}"] if files else []
    if whole := len(damaged) - len(files):
        parts.append(f"{count(whole, 'file')} as a whole")
    return " and ".join(parts)


def _damage(stretch: Damage, *, opened: bool) -> dict[str, str]:
    return {
        "file": stretch.file,
        "offset": f"{stretch.offset:,}" if opened else "all",
        "length": f"{stretch.length:,}" if opened else "not known",
        "packets": f"{stretch.packets:,}" if stretch.packets else "not known",
        "reason": reason_without_name(stretch),
    }


def _listed(entries: list[Any], most: int) -> _Listed:
    return _Listed(shown=entries[:most], left_off=max(len(entries) - most, 0))
