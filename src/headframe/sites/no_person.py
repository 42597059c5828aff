"""The person lint: finds places for people in JSON Schemas, policy packs, tables and databases.

Nothing in Headframe has a place for a person, and nothing that is brought to it may add one. A schema, a pack, a table
or an export that does is refused, with the name that gave it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headframe.records.no_person import personal_names, what_to_do, words_of

__all__ = [
    "json_keys",
    "personal_columns",
    "personal_in_metadata",
    "personal_in_pack",
    "personal_in_schema",
    "personal_names",
    "what_to_do",
    "words_of",
]

_PACK_NAMES = frozenset(
    {"id", "kind", "role", "field", "feature", "values", "fields", "metrics", "evidence", "default"}
)
"""Keys of a pack whose values are names of things that are kept or told apart, not sentences."""


def json_keys(value: object) -> Iterator[str]:
    """Give every key of a JSON value, at any depth.

    Parameters
    ----------
    value : object
        What JSON or YAML gave.

    Yields
    ------
    str
    """
    waiting = [value]
    while waiting:  # no recursion: a pack may be nested as deeply as its author likes
        inner = waiting.pop()
        if isinstance(inner, Mapping):
            for key in inner:
                yield str(key)
            waiting.extend(reversed(list(inner.values())))
        elif isinstance(inner, (list, tuple)):
            waiting.extend(reversed(inner))


def personal_columns(columns: Iterable[str]) -> tuple[str, ...]:
    """Columns of a table that describe people.

    Parameters
    ----------
    columns : iterable of str
        The header of a CSV or Parquet file, or the properties of GeoJSON features.

    Returns
    -------
    tuple of str
    """
    return personal_names(columns)


def personal_in_schema(schema: object) -> tuple[str, ...]:
    """Names in a JSON Schema that describe people: of properties, definitions, and values of enumerations.

    Sentences (``title``, ``description``, ``$comment``, ``examples``) may speak of people, and do, to say that there
    are none.

    Parameters
    ----------
    schema : object
        What JSON gave.

    Returns
    -------
    tuple of str
    """
    return personal_names(_schema_names(schema))


def _schema_names(schema: object) -> Iterator[str]:
    waiting: list[object] = [schema]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, list):
            waiting.extend(reversed(inner))
        if not isinstance(inner, Mapping):
            continue
        for key, value in inner.items():
            # Under these, the keys are names that the author chose; under any other they are words of JSON Schema.
            if key in ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"):
                if isinstance(value, Mapping):
                    yield from map(str, value)
                    waiting.extend(value.values())
            elif key in ("enum", "required", "const", "default"):
                yield from _texts(value)
            elif key == "propertyNames" or key not in ("title", "description", "$comment", "examples"):
                if not isinstance(value, (Mapping, list)):
                    yield str(key)
                waiting.append(value)


def personal_in_pack(pack: object) -> tuple[str, ...]:
    """Names in a policy pack that describe people: every key, and the values that are names.

    Parameters
    ----------
    pack : object
        What YAML or JSON gave.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> personal_in_pack({"data": [{"field": "owner_name", "purpose": "a list of people"}]})
    ('owner_name',)
    """
    return personal_names([*json_keys(pack), *_pack_names(pack)])


def _pack_names(pack: object) -> Iterator[str]:
    waiting: list[object] = [pack]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, Mapping):
            for key, value in inner.items():
                if key in _PACK_NAMES:
                    yield from _texts(value)
                waiting.append(value)
        elif isinstance(inner, (list, tuple)):
            waiting.extend(inner)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        yield from (one for one in value if isinstance(one, str))


def personal_in_metadata(metadata: Any) -> tuple[str, ...]:
    """Tables and columns of a database that describe people.

    Parameters
    ----------
    metadata : sqlalchemy.MetaData
        Or anything with `tables`, whose values have `name` and `columns`, each with a `name`.

    Returns
    -------
    tuple of str
        ``table`` or ``table.column``.
    """
    found: list[str] = []
    for table in metadata.tables.values():
        found += personal_names([table.name])
        found += [f"{table.name}.{name}" for name in personal_names(column.name for column in table.columns)]
    return tuple(found)
