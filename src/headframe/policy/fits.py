"""Whether a value fits a JSON Schema, for the few keywords that the schema of policy packs uses.

It says yes or no and nothing else. Where it says no, ``jsonschema`` tells what is wrong; a test holds both against each
other, and that the schema uses no keyword that is not known here.
"""

import re
from collections.abc import Mapping
from typing import Any

KEYWORDS = frozenset(
    {
        "$defs", "$ref", "additionalProperties", "const", "enum", "exclusiveMinimum", "if", "items", "maximum",
        "minItems", "minLength", "minimum", "not", "oneOf", "pattern", "properties", "required", "then", "type",
    }
)  # fmt: skip
"""Keywords that are known here."""

WORDS = frozenset({"$id", "$schema", "description", "title"})
"""Keywords that say something to a reader and nothing to a validator."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}


def fits(value: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
    """Whether a value is valid by a schema.

    Parameters
    ----------
    value : object
        Plain JSON values.
    schema : mapping
        With no other keywords than `KEYWORDS` and `WORDS`.
    definitions : mapping
        The schema's ``$defs``.

    Returns
    -------
    bool

    Examples
    --------
    >>> fits({"n": 5}, {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}, {})
    True
    """
    if "$ref" in schema and not fits(value, definitions[schema["$ref"].removeprefix("#/$defs/")], definitions):
        return False
    if "type" in schema and not _is(value, schema["type"]):
        return False
    if "const" in schema and not _same(value, schema["const"]):
        return False
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        return False
    if "oneOf" in schema and sum(fits(value, one, definitions) for one in schema["oneOf"]) != 1:
        return False
    if "not" in schema and fits(value, schema["not"], definitions):
        return False
    if "if" in schema and fits(value, schema["if"], definitions) and not fits(value, schema["then"], definitions):
        return False
    if isinstance(value, dict):
        return _object_fits(value, schema, definitions)
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            return False
        return "items" not in schema or all(fits(one, schema["items"], definitions) for one in value)
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            return False
        return "pattern" not in schema or re.search(schema["pattern"], value) is not None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            ("minimum" not in schema or value >= schema["minimum"])
            and ("maximum" not in schema or value <= schema["maximum"])
            and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        )
    return True


def _object_fits(value: dict[str, Any], schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    if any(key not in value for key in schema.get("required", ())):
        return False
    for key, one in value.items():
        if key in properties:
            if not fits(one, properties[key], definitions):
                return False
        elif others is False or (isinstance(others, Mapping) and not fits(one, others, definitions)):
            return False
    return True


def _is(value: Any, wanted: str | list[str]) -> bool:
    return any(_is_one(value, kind) for kind in ([wanted] if isinstance(wanted, str) else wanted))


def _is_one(value: Any, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "number":
        return number
    if kind == "integer":
        return number and (isinstance(value, int) or value.is_integer())
    return isinstance(value, _TYPES[kind])


def _same(value: Any, other: Any) -> bool:
    """Equal as JSON is: true is not 1."""
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)
