"""Acts and events as plain JSON values, and back: what the store, the ledger and bundles keep of a case.

The mapping is read off the records, so a new act needs no code here:

===================================  ================================================================================
field                                JSON value
===================================  ================================================================================
text, member of an enumeration       string
``bool``                             ``true``, ``false``
whole number                         number from -(2^53 - 1) to 2^53 - 1
whole number whose name ends ``_ns``  string of decimal digits: an instant in ns is larger than 2^53, and canonical
                                     JSON (RFC 8785) has no room for it
``float``                            number; ``null`` for NaN; an infinite one is refused
tuple                                array
record                               object with every field, by its name
None, where a field may be empty     ``null``
===================================  ================================================================================

Reading is strict: an unknown key, a missing key without a default and a value of another type are refused, each with
its place in the document. `act_from_json` undoes `act_to_json` exactly.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Union, cast, get_args, get_origin, get_type_hints

from headframe.records.case import Act, CaseEvent

MAX_EXACT_INTEGER = 2**53 - 1
"""Largest whole number that every JSON reader keeps exactly (RFC 8785, section 3.2.2.3; RFC 7493, section 2.2)."""

ACTS: Mapping[str, type] = types.MappingProxyType({kind.NAME: kind for kind in get_args(Act)})
"""Every act by its name."""

DIGITS = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)


def act_to_json(act: Act) -> dict[str, Any]:
    """Write an act as plain JSON values.

    Parameters
    ----------
    act : Act

    Returns
    -------
    dict
        Every field by its name; the act's own name is not in it.

    Raises
    ------
    ValueError
        If a number cannot be written exactly; the message names the field.

    Examples
    --------
    >>> from headframe.records.case import Reject
    >>> act_to_json(Reject(proposal=4, reason="look up the licence first"))
    {'proposal': 4, 'reason': 'look up the licence first'}
    """
    return cast("dict[str, Any]", _write(act, type(act), "", ""))


def act_from_json(name: str, document: Mapping[str, Any]) -> Act:
    """Read an act.

    Parameters
    ----------
    name : str
        Its `NAME`.
    document : mapping
        As `act_to_json` writes it.

    Returns
    -------
    Act

    Raises
    ------
    ValueError
        If there is no such act, or the document does not fit it; the message gives the place.

    Examples
    --------
    >>> act_from_json("approve", {"proposal": 4})
    Approve(proposal=4)
    >>> act_from_json("approve", {"proposal": "four"})
    Traceback (most recent call last):
    ...
    ValueError: approve.proposal: 'four' is no whole number
    """
    kind = ACTS.get(name)
    if kind is None:
        raise ValueError(f"there is no act {name!r}; acts are {', '.join(ACTS)}")
    return cast("Act", _read(document, kind, name, ""))


def event_to_json(event: CaseEvent) -> dict[str, Any]:
    """Write an event as plain JSON values: the act's name under ``act``, the act's fields under ``content``.

    Parameters
    ----------
    event : CaseEvent

    Returns
    -------
    dict
        ``case_id``, ``number``, ``at_ns`` (string of digits), ``account``, ``unit``, ``act``, ``content``.

    Raises
    ------
    ValueError
        If a number cannot be written exactly; the message names the field.
    """
    return {
        "case_id": event.case_id,
        "number": _write(event.number, int, "number", "number"),
        "at_ns": _write(event.at_ns, int, "at_ns", "at_ns"),
        "account": event.account,
        "unit": event.unit,
        "act": event.act.NAME,
        "content": act_to_json(event.act),
    }


def event_from_json(document: Mapping[str, Any]) -> CaseEvent:
    """Read an event that `event_to_json` has written.

    Parameters
    ----------
    document : mapping

    Returns
    -------
    CaseEvent

    Raises
    ------
    ValueError
        If the document does not fit an event; the message gives the place.
    """
    own = {"case_id": str, "number": int, "at_ns": int, "account": str, "unit": str, "act": str}
    _check_keys(document, {*own, "content"}, {*own, "content"}, "event")
    values = {name: _read(document[name], kind, f"event.{name}", name) for name, kind in own.items()}
    return CaseEvent(
        case_id=values["case_id"],
        number=values["number"],
        at_ns=values["at_ns"],
        account=values["account"],
        unit=values["unit"],
        act=act_from_json(values["act"], document["content"]),
    )


def field_type(act_name: str, path: str) -> Any:
    """Type of a field of an act, or of a field inside it.

    Parameters
    ----------
    act_name : str
    path : str
        ``summary``, ``record.place``, ``record.meters.0.reading``: names and positions, with dots between.

    Returns
    -------
    type

    Raises
    ------
    ValueError
        If there is no such field; the message lists those that there are.
    """
    kind: Any = ACTS.get(act_name)
    if kind is None:
        raise ValueError(f"there is no act {act_name!r}")
    reached = act_name
    for step in path.split("."):
        kind = _without_none(kind)
        if is_dataclass(kind):
            known = _hints(cast("type", kind))
            if step not in known:
                raise ValueError(f"{reached} has no field {step!r}; it has {', '.join(known)}")
            kind = known[step]
        elif get_origin(kind) is tuple and re.fullmatch(r"0|[1-9][0-9]{0,8}", step, re.ASCII):
            parts = get_args(kind)
            if len(parts) == 2 and parts[1] is Ellipsis:
                kind = parts[0]
            elif int(step) < len(parts):
                kind = parts[int(step)]
            else:
                raise ValueError(f"{reached} has {len(parts)} places, counted from 0; {step} is none of them")
        else:
            raise ValueError(f"{reached} has no part {step!r}")
        reached = f"{reached}.{step}"
    return kind


def value_from_json(value: Any, kind: Any, path: str) -> Any:
    """Read one value of a known type, as it stands inside an act.

    Parameters
    ----------
    value : JSON value
    kind : type
        From `field_type`.
    path : str
        For messages; its last part is the field's name.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        If the value is of another type.
    """
    return _read(value, kind, path, path.rsplit(".", 1)[-1])


@cache
def _hints(kind: type) -> dict[str, Any]:
    """Fields of a record with their types; class attributes such as `NAME` are none."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if get_origin(hints[field.name]) is not ClassVar}


@cache
def _required(kind: type) -> frozenset[str]:
    """Fields of a record that have no default."""
    return frozenset(
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    )


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _without_none(kind: Any) -> Any:
    """``X | None`` as ``X``; anything else as it is."""
    if not _is_union(kind):
        return kind
    others = [part for part in get_args(kind) if part is not types.NoneType]
    if len(others) != 1:
        raise TypeError(f"{kind} has more than one meaning; the codec takes a type, or a type or None")
    return others[0]


def _part_types(kind: Any, length: int, path: str) -> list[Any]:
    """Type of each place of a tuple of this length."""
    parts = get_args(kind)
    if len(parts) == 2 and parts[1] is Ellipsis:
        return [parts[0]] * length
    if len(parts) != length:
        raise ValueError(f"{path}: {length} values where there must be {len(parts)}")
    return list(parts)


def _write(value: Any, kind: Any, path: str, name: str) -> Any:
    if value is None:
        return None
    kind = _without_none(kind)
    if is_dataclass(kind):
        return {
            field: _write(getattr(value, field), hint, f"{path}.{field}".lstrip("."), field)
            for field, hint in _hints(cast("type", kind)).items()
        }
    if get_origin(kind) is tuple:
        hints = _part_types(kind, len(value), path)
        return [
            _write(part, hint, f"{path}.{at}", name) for at, (part, hint) in enumerate(zip(value, hints, strict=True))
        ]
    if kind is int:
        if name.endswith("_ns"):
            return str(value)
        if abs(value) > MAX_EXACT_INTEGER:
            raise ValueError(f"{path}: {value} is beyond 2^53 - 1 and cannot be written exactly")
        return value
    if kind is float:
        if math.isinf(value):
            raise ValueError(f"{path}: {value} is not finite; NaN says that a value is missing")
        return None if math.isnan(value) else float(value)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return str(kind(value))
    return value


def _check_keys(document: Any, known: set[str], required: frozenset[str] | set[str], path: str) -> None:
    if not isinstance(document, Mapping):
        raise ValueError(f"{path}: {_shown(document)} is no object")
    unknown = [str(key) for key in document if key not in known]
    if unknown:
        raise ValueError(f"{path}: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    missing = sorted(required - set(document))
    if missing:
        raise ValueError(f"{path}: {', '.join(missing)} missing")


def _read(value: Any, kind: Any, path: str, name: str) -> Any:
    if value is None and (_is_union(kind) and types.NoneType in get_args(kind)):
        return None
    kind = _without_none(kind)
    if is_dataclass(kind):
        record = cast("type", kind)
        hints = _hints(record)
        _check_keys(value, set(hints), _required(record), path)
        content = {field: _read(value[field], hints[field], f"{path}.{field}", field) for field in value}
        return cast("Callable[..., Any]", record)(**content)
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{path}: {_shown(value)} is no array")
        parts = _part_types(kind, len(value), path)
        return tuple(
            _read(part, hint, f"{path}.{at}", name) for at, (part, hint) in enumerate(zip(value, parts, strict=True))
        )
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if not isinstance(value, str) or value not in set(kind):
            raise ValueError(f"{path}: {_shown(value)} is none of {', '.join(kind)}")
        return kind(value)
    return _READERS[kind](value, path, name)


def _read_integer(value: Any, path: str, name: str) -> int:
    if name.endswith("_ns"):
        # 20 digits hold every instant until the year 5138; Python itself would take thousands.
        if not isinstance(value, str) or len(value) > 20 or not DIGITS.fullmatch(value) or value == "-0":
            raise ValueError(f"{path}: {_shown(value)} is no string of digits [ns]")
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{path}: {_shown(value)} is no whole number")
    if abs(value) > MAX_EXACT_INTEGER:
        raise ValueError(f"{path}: {value} is beyond 2^53 - 1, where JSON numbers are not exact")
    return value


def _read_float(value: Any, path: str, _name: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{path}: {_shown(value)} is no number")
    try:
        # Canonical JSON writes 1.0 as 1, and a reader takes that for a whole number.
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{path}: {_shown(value)} is not finite")
    return number


def _read_text(value: Any, path: str, _name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{path}: {_shown(value)} is no text")
    return value


def _read_truth(value: Any, path: str, _name: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{path}: {_shown(value)} is neither true nor false")
    return value


_READERS: dict[Any, Callable[[Any, str, str], Any]] = {
    int: _read_integer,
    float: _read_float,
    str: _read_text,
    bool: _read_truth,
}


def _shown(value: Any) -> str:
    """A value for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
