"""Acts and events as JSON: every one comes back as it went, and nothing else is read."""

import json
import math
import types
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from headframe.cases.codec import (
    ACTS,
    act_from_json,
    act_to_json,
    event_from_json,
    event_to_json,
    field_type,
    value_from_json,
)
from headframe.records.case import Act, CaseEvent, FileAppeal, MetricReading, Reject, VerificationOutcome

TEXT = st.text(max_size=8)
SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
INSTANT = st.integers(-(2**63), 2**63 - 1)


def values(kind: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Any value of a field's type; written from the types, not from the codec."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return st.one_of(*(st.none() if part is types.NoneType else values(part, name) for part in get_args(kind)))
    if origin is tuple:
        parts = get_args(kind)
        if parts[-1] is Ellipsis:
            return st.lists(values(parts[0], name), max_size=2).map(tuple)
        return st.tuples(*(values(part, name) for part in parts))
    if is_dataclass(kind):
        return records(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(list(kind))
    if kind is int:
        return INSTANT if name.endswith("_ns") else SAFE
    if kind is float:
        return st.floats(allow_infinity=False)
    return {str: TEXT, bool: st.booleans()}[kind]


def records(kind: Any) -> st.SearchStrategy[Any]:
    """Any record of a class."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name], field.name) for field in fields(kind)})


ACT_VALUES = st.sampled_from(sorted(ACTS)).flatmap(lambda name: records(ACTS[name]))


def same(a: Any, b: Any) -> bool:
    """Equal, where NaN equals NaN and types count."""
    if type(a) is not type(b):
        return False
    if is_dataclass(a):
        return all(same(getattr(a, field.name), getattr(b, field.name)) for field in fields(a))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return bool(a == b)


def plain(value: Any) -> bool:
    """Made of JSON's own types only."""
    if isinstance(value, dict):
        return all(type(key) is str and plain(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(plain(inner) for inner in value)
    return value is None or type(value) in (str, bool, int) or (type(value) is float and math.isfinite(value))


def test_every_act_is_known_by_its_name() -> None:
    """No two acts share a name, and none is forgotten."""
    assert set(ACTS.values()) == set(get_args(Act))
    assert len(ACTS) == len(get_args(Act)) == 33


@given(ACT_VALUES)
def test_an_act_comes_back_as_it_went(act: Any) -> None:
    """Writing and reading undo each other, and what is written is plain JSON."""
    document = act_to_json(act)
    assert plain(document)
    assert same(act_from_json(act.NAME, document), act)


@given(ACT_VALUES)
def test_an_act_survives_canonical_json(act: Any) -> None:
    """So they do by way of canonical JSON, which knows no numbers beyond 2^53 and writes 1.0 as 1."""
    document = json.loads(rfc8785.dumps(act_to_json(act)))
    assert same(act_from_json(act.NAME, document), act)


@given(ACT_VALUES, TEXT, TEXT, TEXT, st.integers(1, 10**6), INSTANT)
def test_an_event_comes_back_as_it_went(act: Any, case: str, account: str, unit: str, number: int, at: int) -> None:
    """The same for events."""
    event = CaseEvent(case_id=case, number=number, at_ns=at, account=account, unit=unit, act=act)
    document = event_to_json(event)
    assert plain(document)
    assert same(event_from_json(document), event)


def test_an_appeal_of_an_older_workspace_is_read() -> None:
    """It does not say whether it was late; none was accepted that was."""
    old = {"received_ns": "1772420400000000000", "body": "court", "grounds": "not ours", "document": None}
    assert act_from_json("appeal", old) == FileAppeal(
        received_ns=1_772_420_400_000_000_000, body="court", grounds="not ours"
    )


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(ACT_VALUES, st.data())
def test_a_spoiled_document_is_refused_or_read_as_it_stands(act: Any, data: Any) -> None:
    """Put anything anywhere into a document: it is refused with a ValueError, or means what it says."""
    document = act_to_json(act)
    if not document:
        return
    place: Any = document
    key: Any = data.draw(st.sampled_from(sorted(document)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(JUNK)
    fault = ""
    try:
        assert plain(act_to_json(act_from_json(act.NAME, document)))
    except ValueError as refusal:
        fault = str(refusal)
    assert not fault or fault.startswith(act.NAME)


METRIC = {
    "metric": "kWh_per_day", "before": 60.0, "after": 9.5, "unit": "kWh", "expected": 61.0, "low": 55.0, "high": 66.0,
    "coverage": 0.98, "outcome": "rectified", "explanation": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "document", "message"),
    [
        ("banish", {}, "there is no act 'banish'; acts are open, add_findings"),
        ("approve", {}, "approve: proposal missing"),
        ("approve", [], "approve: [] is no object"),
        ("approve", {"proposal": 1, "by": "x"}, "approve: unknown by; known are proposal"),
        ("approve", {"proposal": True}, "approve.proposal: True is no whole number"),
        ("approve", {"proposal": 1.0}, "approve.proposal: 1.0 is no whole number"),
        ("approve", {"proposal": 2**53}, "approve.proposal: 9007199254740992 is beyond 2^53 - 1"),
        ("reject", {"proposal": 1, "reason": None}, "reject.reason: None is no text"),
        ("link", {"case_id": "HF-1", "relation": "cousin"}, "link.relation: 'cousin' is none of recurrence_of"),
        (
            "extend_clock",
            {"clock": "reply", "until_ns": 5, "reason": ""},
            "extend_clock.until_ns: 5 is no string of digits",
        ),
        (
            "extend_clock",
            {"clock": "reply", "until_ns": "05", "reason": ""},
            "extend_clock.until_ns: '05' is no string",
        ),
        (
            "remedy",
            {"at_ns": "1", "grade": "A", "text": "", "documents": [{"sha256": ""}]},
            "remedy.documents.0: kind, media_type, name, size missing",
        ),
        (
            "propose_class",
            {"standing": "victim", "axes": [["a"]], "criteria": [], "reason": ""},
            "propose_class.axes.0: 1 values where there must be 2",
        ),
    ],
)
def test_a_bad_document_is_named_by_its_place(name: str, document: Any, message: str) -> None:
    """The message says where it is wrong, what came and what would be right."""
    with pytest.raises(ValueError) as fault:
        act_from_json(name, document)
    assert str(fault.value).startswith(message)


def test_a_missing_value_is_null_and_infinity_is_refused() -> None:
    """NaN stands for what could not be measured; JSON has neither NaN nor infinity."""
    reading = value_from_json({**METRIC, "before": None}, MetricReading, "metric")
    assert math.isnan(reading.before)
    assert reading.outcome is VerificationOutcome.RECTIFIED
    with pytest.raises(ValueError, match=r"metric\.after: inf is not finite"):
        value_from_json({**METRIC, "after": math.inf}, MetricReading, "metric")
    with pytest.raises(ValueError, match="is not finite"):
        value_from_json({**METRIC, "after": 10**400}, MetricReading, "metric")


def test_a_field_is_found_by_its_path() -> None:
    """Names and positions lead into an act; anything else is refused."""
    assert field_type("reject", "reason") is str
    assert field_type("inspect", "record.meters.0.reading") is str
    assert field_type("propose_class", "axes.3.1") is str
    for act, path in [("reject", "why"), ("reject", "reason.0"), ("propose_class", "axes.0.2"), ("nothing", "x"),
                      ("inspect", "record.meters.x"), ("reject", "")]:  # fmt: skip
        with pytest.raises(ValueError):
            field_type(act, path)


def test_a_number_that_json_cannot_hold_is_not_written() -> None:
    """Better no leaf than a leaf that says something else."""
    with pytest.raises(ValueError, match=r"proposal: 9007199254740992 is beyond"):
        act_to_json(Reject(proposal=2**53, reason=""))
