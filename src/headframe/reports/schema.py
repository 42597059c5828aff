"""JSON Schema (2020-12) of the finding document, made from the same enums that the records use.

``python -m headframe.reports.schema`` prints it; ``docs/schema-finding.json`` holds what it prints, and a test
compares the two.
"""

import json
from typing import Any

from headframe.records.finding import MOST_COURSE_BINS, Family, Role
from headframe.records.indicator import IndicatorKind
from headframe.reports.document import SCHEMA_VERSION

_RFC3339 = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z$"


def finding_schema() -> dict[str, Any]:
    """The schema of one object of ``--format jsonl``, and of each member of ``findings`` in ``--format json``.

    It does not forbid keys that it does not know: a later minor version may add some.

    Returns
    -------
    dict
        A JSON Schema, draft 2020-12.
    """
    properties: dict[str, Any] = {
        "schema_version": {
            "const": SCHEMA_VERSION,
            "description": "Version of this schema, major.minor. A reader that knows 1.0 can read every 1.x.",
        },
        "detector": string("What found it."),
        "version": string("Version of the detector; it changes whenever its statistic does."),
        "family": {
            "enum": [family.value for family in Family],
            "description": "Kind of evidence. E-values of different families are independent and multiply.",
        },
        "host": string("Address that the finding is about."),
        "peer": string("The other side, address:port, or [address]:port for IPv6."),
        "role": {
            "enum": [role.value for role in Role],
            "description": "What the host does. Only miner and proxy say that it mines; a later minor version may add "
            "roles, and a reader takes one that it does not know for no mining.",
        },
        "coin": strings("Ticker symbols in upper case, the likeliest first; empty where the traffic does not tell."),
        "protocol": string("Mining protocol or sign of an endpoint; a carrier is appended, as in cryptonote+tls."),
        "pool": nullable_string("Name of the pool or of its server, where known."),
        "agent": nullable_string("Mining software as it names itself."),
        "started": instant_of("First packet that the finding rests on."),
        "ended": instant_of("Last packet that the finding rests on."),
        "shares": {
            "type": "object",
            "description": "Shares handed in, by the pool's answer; unanswered ones were sent but no answer was seen.",
            "properties": {
                name: {"type": "integer", "minimum": 0} for name in ("accepted", "rejected", "stale", "unanswered")
            },
            "required": ["accepted", "rejected", "stale", "unanswered"],
        },
        "hashrate_hs": interval_of(
            "Hash rate with its 95 % interval. [hashes/s] Null where too few shares or no difficulty were seen."
        ),
        "power_w": interval_of(
            "What machines of known efficiency would draw at that hash rate, with its interval. [W] Null where unknown."
        ),
        "log10_e": {
            "type": ["number", "null"],
            "description": "Evidence: an innocent subject shows this at most once in 10**log10_e. Null where it is "
            "not a finite number.",
        },
        "explanation": string("Plain language: what was seen, and why it means what is said."),
        "contradictions": strings("What speaks against the finding."),
        "blind_spots": strings("What the detector cannot see or tell apart."),
        "indicator_kinds": {
            "type": "array",
            "items": {"enum": [kind.value for kind in IndicatorKind]},
            "description": "What stands behind the known names and addresses that it rests on. With malware_proxy or "
            "web_miner the host is probably a victim.",
        },
        "evidence": {
            "type": "array",
            "description": "What was seen, with the packet that shows it.",
            "items": {
                "type": "object",
                "properties": {
                    "time": instant_of("When."),
                    "text": string("What."),
                    "file": string("File that holds the packet, as it was named."),
                    "packet": {
                        "type": "integer",
                        "minimum": 0,
                        "description": "Number of the packet in that file, counted from 1; 0 where it is not known.",
                    },
                },
                "required": ["time", "text", "file", "packet"],
            },
        },
        "sources": {
            "type": "array",
            "description": "The packets that the finding rests on.",
            "items": {
                "type": "object",
                "properties": {
                    "file": string("File, as it was named."),
                    "packets": {
                        "type": "array",
                        "items": {"type": "integer", "minimum": 0},
                        "description": "Packet numbers in that file, counted from 1, ascending.",
                    },
                },
                "required": ["file", "packets"],
            },
        },
        "community_ids": strings("Community IDs (version 1, seed 0) of the conversations that it rests on."),
        "accounts": strings("Wallets, worker and user names: salted hashes, unless --reveal was given."),
        "block_sync": _block_sync(),
        "course": _course(),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:headframe:schema:finding:{SCHEMA_VERSION}",
        "title": "Headframe finding",
        "description": "One statement about one host over one period, with its evidence.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _block_sync() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "chain": string("Ticker symbol of the chain whose blocks explain the pushes best."),
        "log10_e_by_chain": {
            "type": "array",
            "description": "Evidence against every block clock that was at hand, the best first.",
            "items": {
                "type": "object",
                "properties": {
                    "chain": string("Ticker symbol."),
                    "log10_e": {"type": ["number", "null"], "description": "Null where it is not a finite number."},
                },
                "required": ["chain", "log10_e"],
            },
        },
        "clock_sources": strings("Where the block times come from."),
        "offset_s": interval_of(
            "How far the pushes lie behind the block clock, with its 95 % interval: error of the sensor's clock plus "
            "the pool's own delay. [s]"
        ),
        "window_s": {"type": ["number", "null"], "description": "How long after its block a push counts. [s]"},
        "pushes_counted": string("Class of pushes that fits best: all, large (of a job's size) or unasked."),
        "blocks": count_of("Blocks while conversation and clock overlap."),
        "hits": count_of("Blocks that a push followed in time."),
        "expected_hits": {"type": ["number", "null"], "description": "As many hits would be by chance."},
        "watched_s": {"type": ["number", "null"], "description": "How long conversation and clock overlap. [s]"},
        "block_times": instants_of("The first blocks, moved by the offset, ascending; 2,000 at most."),
        "block_hits": {
            "type": "array",
            "items": {"type": "boolean"},
            "description": "Whether a push followed each block of block_times in time.",
        },
        "push_times": instants_of("The first pushes counted, ascending; 2,000 at most."),
    }
    return {
        "type": ["object", "null"],
        "description": "How the conversation keeps step with the blocks of a chain. Null for all but timing findings.",
        "properties": properties,
        "required": list(properties),
    }


def _course() -> dict[str, Any]:
    counts = {"type": "array", "items": {"type": "integer", "minimum": 0}, "maxItems": MOST_COURSE_BINS}
    properties: dict[str, Any] = {
        "started": instant_of("Begin of the first bin."),
        "bin_s": {"type": "integer", "minimum": 1, "description": "Length of each bin. [s]"},
        "jobs": {**counts, "description": "Jobs that the server handed out, by bin; empty where none was seen."},
        "shares": {
            "type": "object",
            "description": "Shares handed in, by the pool's answer (accepted, rejected, stale, unanswered) and bin; an "
            "answer that no share got is left out.",
            "additionalProperties": counts,
        },
    }
    return {
        "type": ["object", "null"],
        "description": "How often jobs and shares were seen, for drawing: counts in bins, and nothing else. Null where "
        "none was seen, and for all but content findings. Since 1.3.",
        "properties": properties,
        "required": list(properties),
    }


def schema_text() -> str:
    """The schema as it stands in ``docs/schema-finding.json``."""
    return json.dumps(finding_schema(), indent=2, ensure_ascii=True) + "\n"


def string(description: str) -> dict[str, Any]:
    """A text."""
    return {"type": "string", "description": description}


def nullable_string(description: str) -> dict[str, Any]:
    """A text or null."""
    return {"type": ["string", "null"], "description": description}


def strings(description: str) -> dict[str, Any]:
    """A list of texts."""
    return {"type": "array", "items": {"type": "string"}, "description": description}


def instant_of(description: str) -> dict[str, Any]:
    """An instant as RFC 3339 writes it."""
    return {
        "type": "string",
        "format": "date-time",
        "pattern": _RFC3339,
        "description": description + " [RFC 3339, UTC, nine digits of fraction]",
    }


def instants_of(description: str) -> dict[str, Any]:
    """A list of instants."""
    return {"type": "array", "items": instant_of("When."), "description": description}


def count_of(description: str) -> dict[str, Any]:
    """A number of things."""
    return {"type": "integer", "minimum": 0, "description": description}


def interval_of(description: str) -> dict[str, Any]:
    """An estimate with its 95 % interval, or null."""
    bound = {"type": ["number", "null"]}
    return {
        "type": ["object", "null"],
        "description": description,
        "properties": {"low": bound, "estimate": bound, "high": bound},
        "required": ["low", "estimate", "high"],
    }


if __name__ == "__main__":
    print(schema_text(), end="")
