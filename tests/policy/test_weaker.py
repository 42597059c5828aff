"""What a pack of one's own may not take away: from a party, and from the pack that it inherits from."""

import json
from typing import Any

import pytest

from headframe.policy.parse import BadPack, parse_pack
from headframe.policy.weaker import _first_worse, _starts
from headframe.records.policy import Basis, Deadline, DeadlineUnit, Pack
from headframe.stores.packs import load_packs

PACKS = load_packs()
PARENT = PACKS["cn-bj-2024"]


def child(place: dict[str, str] | None = None, parent: str = PARENT.id, **more: Any) -> str:
    """A pack that inherits, with something of its own."""
    of = PACKS[parent]
    jurisdiction = {
        "country": of.country, "level": "operator", "time_zone": of.time_zone, "calendar": of.calendar,
        "inherits": [parent], **(place or {}),
    }  # fmt: skip
    return json.dumps(
        {
            "format": "1.0", "id": "child", "version": "1.0.0", "title": {"en": "A child"},
            "jurisdiction": jurisdiction,
            "provenance": {"compiled": "test", "legal_review": "none", "gaps": ["all"]}, **more,
        }
    )  # fmt: skip


def refused(text: str) -> str:
    with pytest.raises(BadPack) as caught:
        parse_pack(text, name="x.yaml", known=PACKS)
    return "\n".join(caught.value.problems)


def accepted(text: str) -> Pack:
    return parse_pack(text, name="x.yaml", known=PACKS)


def reply(n: int, unit: str, **more: Any) -> dict[str, Any]:
    period = {"n": n, "unit": unit, "from": "notice_received", "basis": "operator_default", **more}
    return {"procedure": [{"step": "reply", "deadline": period}]}


def test_a_partys_time_is_compared_by_its_real_ends() -> None:
    """Five working days around Spring Festival are two weeks: seven days are less, though more on a plain week."""
    told = refused(child(**reply(7, "calendar_day")))
    assert "procedure.reply.deadline: 7 calendar_day is less than the 5 business_day" in told
    assert "begins on 2024-0" in told
    assert accepted(child(**reply(21, "calendar_day"))).procedure
    court = {"right": "appeal", "id": "court", "body": "court (行政诉讼)"}
    period = {"n": 168, "unit": "calendar_day", "from": "decision_received", "basis": "operator_default"}
    assert "168 calendar_day is less than the 6 month" in refused(child(rights=[{**court, "deadline": period}]))
    assert accepted(child(rights=[{**court, "deadline": {**period, "n": 200}}])).rights


def test_neither_a_calendar_of_ones_own_nor_a_period_that_runs_on() -> None:
    """Days off of the country count, and a clock stands still while the unit waits."""
    assert "is less than" in refused(child(**reply(5, "business_day", calendar="WEEKDAYS")))
    assert "is less than" in refused(child({"calendar": "WEEKDAYS"}, **reply(5, "business_day")))
    assert "is less than" in refused(child({"calendar": "WEEKDAYS"}))
    told = refused(child(**reply(5, "business_day", pauses=False)))
    assert "procedure.reply.deadline.pauses: the period stands still while the unit waits" in told
    elsewhere = {"country": "NL", "time_zone": "Europe/Amsterdam", "calendar": "NL"}
    assert accepted(child(elsewhere, parent="campus-operator")).calendar == "NL"


def test_the_units_time_is_not_made_longer() -> None:
    """The file is given when it was to be given, or sooner."""
    period = {"n": 500, "unit": "week", "from": "file_asked_for", "basis": "operator_default"}
    told = refused(child(rights=[{"right": "access_file", "deadline": period}]))
    assert "500 week is more than the 5 business_day" in told
    assert accepted(child(rights=[{"right": "access_file", "deadline": {**period, "n": 2, "unit": "calendar_day"}}]))


def test_a_text_that_says_so_may_give_less() -> None:
    """Named with its place; that is how laws differ."""
    text = reply(3, "business_day", basis="statutory", ref=f"{PARENT.instruments[0].id}#1")
    assert accepted(child(**text)).procedure


def test_whom_a_parent_protects_no_child_accuses() -> None:
    """Compromised stays victim, permitted stays lawful; neither may be left out, and criteria go on saying it."""
    axis = next(axis for axis in PARENT.axes if axis.id == "intent")
    values = [
        {"id": one.id, "label": dict(one.label), **({"standing": one.standing.value} if one.standing else {})}
        for one in axis.values
    ]
    intent = {"id": "intent", "label": {"en": "intent"}}

    def with_standing(value: str, standing: str) -> list[dict[str, Any]]:
        return [{**one, "standing": standing} if one["id"] == value else one for one in values] + [
            {"id": "other", "label": {"en": "other"}, "standing": "victim"}
        ]

    for value, was in (("compromised_equipment", "victim"), ("permitted", "lawful")):
        told = refused(child(axes=[{**intent, "values": with_standing(value, "operator")}]))
        assert f"axes.intent.values.{value}.standing: operator, but under cn-bj-2024 it is {was}" in told
    gone = [one for one in with_standing("x", "operator") if one["id"] != "not_mining"]
    told = refused(child(axes=[{**intent, "values": gone}]))
    assert "axes.intent.values.not_mining: is gone; under cn-bj-2024 it says that the party is not_mining" in told
    more = [*values, {"id": "rented_out", "label": {"en": "rented out"}, "standing": "host"}]
    assert accepted(child(axes=[{**intent, "values": more}])).axes
    speaks = next(one for one in PARENT.criteria if one.proposes.get("intent") == "compromised_equipment")
    same = {
        "id": speaks.id, "text": {"en": "a proxy"}, "basis": "operator_default", "feature": speaks.feature,
        "op": speaks.op, "value": speaks.value, "proposes": dict(speaks.proposes),
    }  # fmt: skip
    assert accepted(child(criteria=[same])).criteria
    told = refused(child(criteria=[{**same, "proposes": {"intent": "own_initiative"}}]))
    assert f"criteria.{speaks.id}.proposes: no longer intent: compromised_equipment" in told
    told = refused(child(criteria=[{**same, "value": ["never"]}]))
    assert f"criteria.{speaks.id}: is met by something else than under cn-bj-2024" in told


def test_what_comes_before_a_measure_is_added_to() -> None:
    """A cut of the supply keeps every precondition; a referral does not become an order of the unit."""
    power = next(one for one in PARENT.measures if one.id == "power-off")
    row = {
        "id": power.id, "text": {"en": "cut"}, "mode": str(power.mode), "decided_by": power.decided_by,
        "executed_by": power.executed_by, "legal_basis": list(power.legal_basis), "reason": {"en": "as before"},
    }  # fmt: skip
    told = refused(child(measures=[{**row, "preconditions": []}]))
    assert "measures.power-off.preconditions: lack inspection_record" in told
    assert "second_approver" in told
    kept = [str(one) for one in power.preconditions]
    assert accepted(child(measures=[{**row, "preconditions": kept}])).measures


def test_a_referral_stays_one() -> None:
    """What another unit decides is not asked for as if it were ours."""
    parent, fine = next((pack, one) for pack in PACKS.values() for one in pack.measures if one.mode == "referral_only")
    row = {
        "id": fine.id, "text": {"en": "fine"}, "mode": "in_system_request", "decided_by": fine.decided_by,
        "preconditions": [str(one) for one in fine.preconditions], "legal_basis": list(fine.legal_basis),
    }  # fmt: skip
    assert "(referral_only); it stays so" in refused(child(parent=parent.id, measures=[row]))


def test_a_closure_takes_as_long_a_look_and_a_count_as_large_a_cell() -> None:
    """One day without coverage calls nothing over, and a count of one names whom it is about."""
    look = {"window_days": 14, "min_coverage": 0.9, "metrics": ["pool_connections"], "basis": "operator_default"}
    assert "verification.window_days: 14 is less than the 30 of cn-bj-2024" in refused(child(verification=look))
    thin = {**look, "window_days": 30, "min_coverage": 0.6}
    assert "verification.min_coverage: 0.6 is less than the 0.9" in refused(child(verification=thin))
    told = refused(child(verification={**look, "window_days": 1, "min_coverage": 0}))
    assert "1 is too short to tell that mining is over" in told
    assert "0 would call over what was mostly not looked at" in told
    late = {**look, "window_days": 30, "close_within_days": 61}
    told = refused(child(verification=late))
    assert "verification.close_within_days: 61 would let a window of long ago speak of today" in told
    assert "61 is more than the 60 of cn-bj-2024" in told
    assert accepted(child(verification={**late, "basis": "policy"})).verification.closes_within == (61, "policy")
    assert accepted(child(verification={**late, "close_within_days": 9})).verification.closes_within[0] == 9
    assert accepted(child(verification={**look, "window_days": 45})).verification.window_days == 45
    report = {"id": "own", "to": PARENT.units[0].id, "frequency": "weekly", "min_cell": 1}
    assert "reporting.own.min_cell: 1 would show whom a count is about; give 5" in refused(child(reporting=[report]))


def test_an_older_text_that_a_case_was_opened_under_is_read_as_it_was_meant() -> None:
    """More is asked of packs than once; no open case is locked by that."""
    weak = child(**reply(7, "calendar_day"))
    assert refused(weak)
    assert parse_pack(weak, name="x.yaml", known=PACKS, kept=True).procedure


def test_each_day_of_four_years_is_looked_at() -> None:
    """A week of six working days is shorter than seven days only where a make-up day falls into it."""
    assert len(_starts()) == 4 * 365 + 1
    seven = Deadline(n=7, unit=DeadlineUnit.CALENDAR_DAY, start="notice_received", basis=Basis.OPERATOR_DEFAULT)
    five = Deadline(n=5, unit=DeadlineUnit.BUSINESS_DAY, start="notice_received", basis=Basis.OPERATOR_DEFAULT)
    assert _first_worse(five, PARENT, seven, PARENT, partys=True) is not None
    assert _first_worse(seven, PARENT, five, PARENT, partys=True) is not None
    assert _first_worse(seven, PARENT, seven, PARENT, partys=True) is None
