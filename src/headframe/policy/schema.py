"""JSON Schema (2020-12) of a policy pack, made from the same enums that the records use.

``python -m headframe.policy.schema`` prints it; ``policy-pack.schema.json`` beside this file holds what it prints, and
a test compares the two. What a schema cannot say (references, inheritance, calendars) is checked in
`headframe.policy.parse`.
"""

import json
from enum import StrEnum
from typing import Any

from headframe.records.policy import (
    Basis,
    DeadlineUnit,
    MeasureMode,
    PartyStanding,
    Precondition,
    RightKind,
    Step,
    SubjectKind,
    UnitRole,
)
from headframe.records.retention import DataClass
from headframe.records.site import SiteKind

FORMAT = "1.0"
"""Version of the packs' format, major.minor. A reader that knows 1.0 can read every 1.x."""

STARTS = (
    "case_opened",
    "notice_received",
    "reply_received",
    "file_asked_for",
    "inspection_ended",
    "decision_made",
    "decision_received",
    "decision_final",
    "measure_requested",
    "measure_carried_out",
    "remedy_recorded",
    "appeal_received",
    "case_closed",
    "first_retail_service",
    "first_offence_found",
)
"""What a period can run from. A case knows all of them but the last two, which are facts of the outside."""

REGIMES = (
    "prohibition",
    "phase_out",
    "licensing",
    "registration",
    "regional_ban",
    "tariff",
    "disclosure",
    "theft_only",
    "permit_moratorium",
    "operator_rule",
)

_ID = {"type": "string", "pattern": "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"}
_DATE = {
    "type": "string",
    "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$",
    "description": "Year, year and month, or day, as far as it is known.",
}
_TEXT = {"$ref": "#/$defs/words"}
_REF = {"$ref": "#/$defs/ref"}
_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}


def pack_schema() -> dict[str, Any]:
    """The schema of a pack's file.

    A pack that inherits may leave out every list that it takes over; one that does not must have them all.

    Returns
    -------
    dict
        A JSON Schema, draft 2020-12.
    """
    whole = [
        "regime", "instruments", "units", "subjects", "axes", "criteria", "data", "measures", "procedure", "rights",
        "reporting", "verification",
    ]  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:headframe:schema:policy-pack:{FORMAT}",
        "title": "Headframe policy pack",
        "description": "Who decides what about mining in one jurisdiction, by which rule, with which rights and "
        "clocks. Compiled from public sources; not legal advice.",
        "type": "object",
        "additionalProperties": False,
        "required": ["format", "id", "version", "title", "jurisdiction", "provenance"],
        "if": {"properties": {"jurisdiction": {"not": {"required": ["inherits"]}}}},
        "then": {"required": whole},
        "$defs": _definitions(),
        "properties": _properties(),
    }


def _definitions() -> dict[str, Any]:
    return {
        "words": {
            "type": "object",
            "description": "A text by language (BCP 47); English at least.",
            "required": ["en"],
            "additionalProperties": {"type": "string", "minLength": 1},
        },
        "ref": {
            "type": "string",
            "pattern": "^[a-zA-Z0-9][a-zA-Z0-9_.-]*(#.+)?$",
            "description": "Id of an instrument of the pack, and the place in it: ndrc1283#13.",
        },
        "deadline": {
            **_object(["n", "unit", "from", "basis"], {
                "n": {"type": "number", "exclusiveMinimum": 0, "maximum": 10000, "description": "Whole unless hours."},
                "unit": _enum(DeadlineUnit),
                "from": {"enum": list(STARTS), "description": "What it runs from; that day itself does not count."},
                "basis": _enum(Basis),
                "ref": _REF,
                "calendar": {"type": "string", "description": "Days off; the jurisdiction's own without it."},
                "pauses": {
                    "type": "boolean",
                    "description": "Whether it stands still while the unit waits for the other party.",
                },
                "rolls": {
                    "type": "boolean",
                    "description": "Whether a last day that is a day off moves to the next working day. Only where "
                    "the basis says so.",
                },
                "rolls_ref": _REF,
            }),
            "description": "A period: how long, from when, on what basis.",
        },
    }  # fmt: skip


def _properties() -> dict[str, Any]:
    deadline = {"oneOf": [{"$ref": "#/$defs/deadline"}, {"type": "null"}]}
    return {
        "format": {"const": FORMAT, "description": "Version of this format."},
        "id": {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"},
        "version": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
        "title": _TEXT,
        "language": {
            "type": "string",
            "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
            "description": "Of documents, where nobody names another; English without it.",
        },
        "regime": {"type": "array", "minItems": 1, "items": {"enum": list(REGIMES)}},
        "jurisdiction": _object(["country", "level", "time_zone", "calendar"], {
            "country": {
                "type": "string",
                "pattern": "^[A-Z]{2}$",
                "description": "ISO 3166-1; ZZ where it is none, as for an operator's own rule.",
            },
            "subdivision": {"type": "string", "pattern": "^[A-Z]{2}-[A-Z0-9]{1,3}$"},
            "level": {"enum": ["national", "subnational", "supranational", "operator"]},
            "inherits": {"type": "array", "minItems": 1, "items": {"type": "string"}},
            "time_zone": {"type": "string", "description": "IANA name; days begin and end there."},
            "calendar": {"type": "string", "description": "Days off: CN, MY-14, NO, RU, US-TX, ...; docs/policy.md."},
        }),
        "instruments": _list(["id", "title", "status", "text_quality"], {
            "id": _ID,
            "title": _TEXT,
            "number": {"type": "string"},
            "issuers": _TEXTS,
            "issued": _DATE,
            "effective": _DATE,
            "expires": _DATE,
            "status": {"enum": ["in_force", "draft_never_confirmed", "expired", "superseded", "unknown"]},
            "url": {"type": "string"},
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "retrieved": _DATE,
            "parts": {
                "enum": ["article", "section", "item", "measure", "paragraph"],
                "description": "What the places in it are, as they are cited: article 46, item 18.",
            },
            "text_quality": {
                "enum": ["official", "official_capture", "mirror", "secondary", "translation_only"],
                "description": "How the text was read: at its issuer, as a capture of that, in a copy, in what others "
                "wrote of it, in a translation only.",
            },
        }),
        "units": _list(["id", "name", "roles"], {
            "id": _ID, "name": _TEXT, "roles": {"type": "array", "items": _enum(UnitRole)}, "ref": _REF,
            "answer": _TEXT | {"description": "Where one writes to it: desk, postal address, portal; no names."},
        }),
        "subjects": _subjects(),
        "axes": _list(["id", "values"], {
            "id": _ID,
            "label": _TEXT,
            "values": _list(["id", "label"], {
                "id": _ID,
                "label": _TEXT,
                "standing": _enum(PartyStanding) | {"description": "What it says of the party's standing, if it does."},
            }, least=2),
            "default": {"type": "string"},
            "ref": _REF,
        }),
        "criteria": _list(["id", "text", "basis"], {
            "id": _ID,
            "text": _TEXT,
            "basis": _enum(Basis),
            "ref": _REF,
            "feature": {"type": "string", "description": "Name of a fact: docs/policy.md."},
            "op": {"enum": [">=", "<=", ">", "<", "==", "in"]},
            "value": {"type": ["number", "string", "boolean", "array"]},
            "unit": {"type": "string"},
            "min_independent_sources": {"type": "integer", "minimum": 1},
            "evidence": _TEXTS,
            "proposes": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Axis to the value that it proposes where it is met.",
            },
        }),
        "exemptions": _list(["id", "text"], {
            "id": _ID, "text": _TEXT, "proof": {"type": "string"}, "expires": {"type": "boolean"}, "ref": _REF,
        }),
        "data": _list(["field", "purpose", "personal"], {
            "field": _ID,
            "unit": {"type": "string"},
            "purpose": {"type": "string"},
            "source": {"type": "string"},
            "update": {"type": "string"},
            "personal": {"enum": ["none", "possible", "direct"]},
            "retention_days": {"type": "integer", "minimum": 1, "maximum": 100000},
            "retention_basis": {
                **_enum(Basis),
                "description": "Why it is kept for so long. statutory and policy need retention_ref; without it, it is "
                "operator_default.",
            },
            "retention_ref": {**_REF, "description": "Instrument and place in it that says how long."},
            "data_class": {
                **_enum(DataClass),
                "description": "Class of a datum that Headframe does not know by its name: docs/retention.md.",
            },
            "ref": _REF,
        }),
        "measures": {
            "type": "array",
            "items": _object(["id", "text", "mode", "decided_by"], {
                "id": _ID,
                "text": _TEXT,
                "applies_to": _TEXTS,
                "ref": _REF,
                "legal_basis": _TEXTS,
                "mode": _enum(MeasureMode) | {"description": "There is no automatic mode."},
                "decided_by": {"type": "string"},
                "executed_by": {"type": "string"},
                "preconditions": {"type": "array", "items": _enum(Precondition)},
                "params": {"type": "object"},
                "ends_when": _text_or_words(),
                "reason": _TEXT | {"description": "Why it is not supported, or what it takes."},
            }) | {
                "if": {"properties": {"mode": {"const": MeasureMode.NOT_SUPPORTED.value}}},
                "then": {"required": ["reason"]},
            },
        },
        "procedure": _list(["step"], {
            "step": _enum(Step), "actor": {"type": "string"}, "deadline": deadline, "template": {"type": "string"},
            "ref": _REF,
        }),
        "rights": _list(["right"], {
            "right": _enum(RightKind), "body": {"type": "string"}, "deadline": deadline, "ref": _REF,
            "id": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
            "answer": _TEXT | {"description": "Where the body is written to, where it is no unit of the pack."},
        }),
        "reporting": _list(["id", "to", "frequency"], {
            "id": _ID,
            "to": {"type": "string"},
            "frequency": {"enum": ["weekly", "monthly", "quarterly", "annual", "on_change"]},
            "due": {
                "type": "string",
                "pattern": "^[0-9]{1,4} (hour|calendar_day|business_day|week|month)$",
                "description": "After the end of the period it reports on.",
            },
            "fields": _TEXTS,
            "min_cell": {"type": "integer", "minimum": 1, "description": "Smaller cells are not shown."},
            "basis": _enum(Basis),
            "ref": _REF,
        }),
        "verification": _object(["window_days", "metrics", "basis"], {
            "window_days": {"type": "integer", "minimum": 1, "maximum": 10000},
            "metrics": _TEXTS,
            "min_coverage": {"type": "number", "minimum": 0, "maximum": 1},
            "close_within_days": {
                "type": "integer",
                "minimum": 1,
                "maximum": 10000,
                "description": "From the end of the measured window to the closure that rests on it; 60 without it.",
            },
            "normalise": _TEXTS,
            "reopen_if": _text_or_words(),
            "basis": _enum(Basis),
        }),
        "notice_evidence": _object(["least_e", "basis"], {
            "least_e": {
                "type": "number",
                "exclusiveMinimum": 1,
                "maximum": 1e15,
                "description": "Joint e-value of the independent sources of evidence that a notice needs: a site "
                "without mining shows as much at most once in so many. 100 without it.",
            },
            "basis": _enum(Basis),
            "ref": _REF,
        }),
        "publication": {"type": "object"},
        "provenance": _object(["compiled", "legal_review", "gaps"], {
            "compiled": _text_or_words(),
            "legal_review": {"enum": ["none", "pending", "done"]},
            "reviewer": {"type": "string", "description": "A firm or unit."},
            "gaps": {
                "type": "array",
                "items": _text_or_words(),
                "description": "What is missing or not confirmed; it goes to every screen.",
            },
        }),
    }  # fmt: skip


def _subjects() -> dict[str, Any]:
    """A subject of the kind site says which kinds of site: else it would let household premises in without a word."""
    subject = _object(["id", "kind", "role", "label"], {
        "id": _ID,
        "kind": _enum(SubjectKind) | {"description": "There is no natural person, by design."},
        "role": {
            "enum": [
                "operator", "host_landlord", "power_supplier", "network_provider", "account_holder",
                "equipment_owner",
            ],
        },
        "label": _TEXT,
        "ref": _REF,
        "outside_rule": {
            "enum": ["exclude", "refer_only_outside_system"],
            "description": "What is done where it turns out to be a household or somebody on his own.",
        },
        "site_kinds": {
            "type": "array",
            "minItems": 1,
            "items": _enum(SiteKind),
            "description": "Kinds of site that belong to it; household_premises belong to a subject that names them, "
            "and to no other. Without kinds, the kind of a site does not tell; a subject of the kind site has them.",
        },
    })  # fmt: skip
    return {
        "type": "array",
        "minItems": 0,
        "items": subject
        | {
            "if": {"properties": {"kind": {"const": SubjectKind.SITE.value}}},
            "then": {"required": ["site_kinds"]},
        },
    }


def _text_or_words() -> dict[str, Any]:
    """A text in English, or by language."""
    return {"oneOf": [{"type": "string", "minLength": 1}, _TEXT]}


def _enum(kind: type[StrEnum]) -> dict[str, Any]:
    return {"enum": [member.value for member in kind]}


def _object(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _list(required: list[str], properties: dict[str, Any], *, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "minItems": least, "items": _object(required, properties)}


def schema_text() -> str:
    """The schema as ``policy-pack.schema.json`` holds it."""
    return json.dumps(pack_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(schema_text())
