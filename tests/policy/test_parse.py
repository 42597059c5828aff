"""A pack's text becomes a pack, or words that name everything that is wrong with it."""

import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from headframe.policy.citations import deadlines_of
from headframe.policy.fits import KEYWORDS, WORDS, fits
from headframe.policy.parse import BadPack, parse_pack, read_yaml, remarks
from headframe.policy.schema import pack_schema, schema_text
from headframe.records.policy import Basis, MeasureMode, NoticeEvidence, Pack, PartyStanding, SubjectKind
from headframe.records.site import SiteKind
from headframe.sites.no_person import personal_in_pack, personal_in_schema
from headframe.stores.packs import SHIPPED, load_packs

PACKS = load_packs()
CHINESE = {"cn-national-1283", "cn-bj-2024", "cn-nm-2021-draft", "campus-operator"}
OWN_LANGUAGE = {**dict.fromkeys(CHINESE, "zh"), "my-esa": "ms", "no-dc": "nb", "ru-irk": "ru", "us-tx-lfl": "en"}

SMALL: dict[str, Any] = {
    "format": "1.0",
    "id": "small",
    "version": "1.0.0",
    "title": {"en": "A small pack"},
    "regime": ["operator_rule"],
    "jurisdiction": {"country": "ZZ", "level": "operator", "time_zone": "UTC", "calendar": "WEEKDAYS"},
    "instruments": [{"id": "rule", "title": {"en": "A rule"}, "status": "in_force", "text_quality": "official"}],
    "units": [{"id": "desk", "name": {"en": "Desk"}, "roles": ["lead", "decide"]}],
    "subjects": [{"id": "dept", "kind": "organisation", "role": "operator", "label": {"en": "Department"}}],
    "axes": [
        {
            "id": "party",
            "default": "unknown",
            "values": [
                {"id": "victim", "label": {"en": "victim"}, "standing": "victim"},
                {"id": "unknown", "label": {"en": "undetermined"}, "standing": "undetermined"},
            ],
        }
    ],
    "criteria": [
        {"id": "c", "text": {"en": "c"}, "basis": "policy", "ref": "rule#1", "feature": "x", "op": ">", "value": 1,
         "proposes": {"party": "victim"}}
    ],
    "data": [{"field": "site", "purpose": "cases", "personal": "none"}],
    "measures": [
        {"id": "m", "text": {"en": "m"}, "mode": "in_system_request", "decided_by": "desk", "applies_to": ["dept"]}
    ],
    "procedure": [
        {"step": "notify", "actor": "desk"},
        {"step": "reply", "deadline": {"n": 5, "unit": "business_day", "from": "notice_received",
                                       "basis": "operator_default"}},
    ],
    "rights": [{"right": "notice"}],
    "reporting": [{"id": "r", "to": "desk", "frequency": "monthly"}],
    "verification": {"window_days": 14, "metrics": ["pool_connections"], "basis": "operator_default"},
    "provenance": {"compiled": "test", "legal_review": "none", "gaps": ["everything"]},
}  # fmt: skip


def small(change: Callable[[dict[str, Any]], object] = lambda _: None) -> str:
    """The small pack with one change."""
    values = copy.deepcopy(SMALL)
    change(values)
    return json.dumps(values)  # which is YAML too, without anchors


def problems(text: str, known: dict[str, Pack] | None = None) -> str:
    with pytest.raises(BadPack) as caught:
        parse_pack(text, name="x.yaml", known=known or {})
    assert str(caught.value).startswith("policy pack x.yaml cannot be used:")
    return "\n".join(caught.value.problems)


# -- the shipped packs


def test_eight_packs_ship() -> None:
    """The seven that were compiled from public sources, and the model for an operator."""
    assert set(PACKS) == set(OWN_LANGUAGE)


def test_no_pack_claims_a_legal_review_and_each_names_its_gaps() -> None:
    """No lawyer has read one; what is missing in each is said."""
    for pack in PACKS.values():
        assert pack.provenance.legal_review == "none"
        assert len(pack.provenance.gaps) >= 3


def test_drafts_stay_drafts() -> None:
    """The statuses and text qualities of the first compilation stand: none has become better than its source."""
    status = {row.id: (row.status, row.text_quality) for pack in PACKS.values() for row in pack.instruments}
    assert status["nm8"] == ("draft_never_confirmed", "mirror")
    assert status["sd-draft"] == ("draft_never_confirmed", "secondary")
    assert status["sc186"] == ("unknown", "mirror")
    assert status["bj24"] == ("unknown", "translation_only")
    assert status["ndrc1283"] == ("in_force", "official_capture")


@pytest.mark.parametrize("name", sorted(OWN_LANGUAGE))
def test_words_are_in_english_and_in_the_packs_own_language(name: str) -> None:
    """Titles, units, subjects, axes, criteria and measures."""
    pack, language = PACKS[name], OWN_LANGUAGE[name]
    words = [pack.title, *(row.name for row in pack.units), *(row.label for row in pack.subjects)]
    words += [row.text for row in (*pack.criteria, *pack.measures)]
    words += [value.label for axis in pack.axes for value in axis.values]
    words += [row.reason for row in pack.measures if row.reason]
    for text in words:
        assert text.get("en"), text
        assert text.get(language), text


@pytest.mark.parametrize("name", sorted(OWN_LANGUAGE))
def test_every_pack_can_say_victim_and_undetermined(name: str) -> None:
    """And lawful; and it never proposes an operator from traffic or load alone."""
    pack = PACKS[name]
    standing = {(axis.id, value.id): value.standing for axis in pack.axes for value in axis.values}
    assert {PartyStanding.VICTIM, PartyStanding.UNDETERMINED, PartyStanding.LAWFUL} <= set(standing.values())
    for criterion in pack.criteria:
        for axis, value in criterion.proposes.items():
            if standing[axis, value] in {PartyStanding.OPERATOR, PartyStanding.HOST}:
                assert criterion.feature in {"machines_seen", "reply_stance"}, criterion.id


def test_no_pack_knows_a_person() -> None:
    """No subject is a human being, and no key of a pack or of the schema is one that the lint forbids."""
    assert {row.kind for pack in PACKS.values() for row in pack.subjects} <= set(SubjectKind)
    for path in SHIPPED.glob("*.yaml"):
        assert not personal_in_pack(read_yaml(path.read_text(encoding="utf-8"), name=path.name))
    assert not personal_in_schema(pack_schema())


def test_what_is_aimed_at_human_beings_is_not_supported() -> None:
    """Blacklists, officials, discipline: displayed with the reason, in the pack's languages."""
    named = {row.id: row for pack in PACKS.values() for row in pack.measures if row.mode is MeasureMode.NOT_SUPPORTED}
    assert set(named) == {"m6-laundering", "m7-fundraising", "m8a-dishonesty", "m8b-officials", "discipline"}
    assert all(row.reason["en"] and row.reason["zh"] for row in named.values())


def test_a_date_that_no_text_sets_is_called_ours() -> None:
    """A basis other than operator_default names its place; the campus pack has no other."""
    for pack in PACKS.values():
        for place, deadline in deadlines_of(pack):
            assert deadline.basis is Basis.OPERATOR_DEFAULT or deadline.ref, (pack.id, place)
    assert {row.basis for _, row in deadlines_of(PACKS["campus-operator"])} == {Basis.OPERATOR_DEFAULT}


def test_a_period_of_retention_that_no_text_sets_is_called_ours() -> None:
    """What asks for a datum does not say how long it may be kept; a basis needs the place that does, and a period."""
    assert {row.retention_basis for pack in PACKS.values() for row in pack.data} == {Basis.OPERATOR_DEFAULT}

    def kept(**more: object) -> str:
        return small(lambda values: values["data"][0].update(more))

    (field,) = parse_pack(
        kept(retention_days=30, retention_basis="policy", retention_ref="rule#3"), name="x.yaml", known={}
    ).data
    assert (field.retention_days, field.retention_basis, field.retention_ref) == (30, Basis.POLICY, "rule#3")
    assert "needs a retention_ref" in problems(kept(retention_days=30, retention_basis="statutory", ref="rule#3"))
    assert "names no instrument" in problems(kept(retention_days=30, retention_basis="policy", retention_ref="law#3"))
    assert "no retention_days" in problems(kept(retention_basis="policy", retention_ref="rule#3"))
    assert "data_class" in problems(kept(data_class="furniture"))


def test_the_norwegian_pack_is_norways() -> None:
    """NO is a country, not the false of YAML 1.1, and dates are texts."""
    assert PACKS["no-dc"].country == "NO"
    assert PACKS["no-dc"].calendar == "NO"
    assert PACKS["no-dc"].instruments[0].effective == "2025-01-01"


# -- the schema


def test_the_schema_file_is_what_the_code_makes() -> None:
    """``python -m headframe.policy.schema`` wrote it, and it is a schema."""
    path = SHIPPED.parent / "policy-pack.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text()
    Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_packs_are_valid_by_jsonschema(path: Path) -> None:
    """By the validator that the standard is known by, from the file that ships."""
    schema = json.loads((SHIPPED.parent / "policy-pack.schema.json").read_text(encoding="utf-8"))
    raw = read_yaml(path.read_text(encoding="utf-8"), name=path.name)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(raw)] == []


@pytest.mark.parametrize("code", ["", "-", "US-", "-TX", "ABC", "cn", "CN-XX", "../x", "US-TX-1"])
def test_a_calendar_is_known_or_told(code: str) -> None:
    """Whatever stands there."""
    text = small(lambda p: p["jurisdiction"].update(calendar=code))
    try:
        parse_pack(text, name="x", known={})
    except BadPack as fault:
        assert "is no calendar" in str(fault)  # noqa: PT017 - some of them are calendars


def test_the_small_pack_is_good() -> None:
    """Else the tests below would show nothing."""
    pack = parse_pack(small(), name="x.yaml", known={})
    assert pack.procedure[1].deadline is not None
    assert pack.procedure[1].deadline.start == "notice_received"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.pop("units"), "the pack (small): units missing"),
        (lambda p: p.update(colour="red"), "colour not known; there is"),
        (lambda p: p.update(format="2.0"), "format: '2.0' should be 1.0"),
        (lambda p: p["measures"][0].update(mode="in_system_reqest"), "did you mean in_system_request?"),
        (lambda p: p["measures"][0].update(mode="automatic"), "'automatic' is not known"),
        (lambda p: p["measures"][0].update(mode="not_supported"), "measures[0] (m): reason missing"),
        (lambda p: p["subjects"][0].update(kind="natural_person"), "is not known; it is one of organisation, site"),
        (lambda p: p["units"][0].update(name="Desk"), "it should be a mapping"),
        (lambda p: p["units"][0].update(name={"zh": "处"}), "en missing"),
        (lambda p: p.update(version=1.0), "version: 1.0 is a number; it should be a text (put it in quotation marks)"),
        (lambda p: p["jurisdiction"].update(time_zone="Mars/Base"), "is no time zone; name one as in Asia/Shanghai"),
        (lambda p: p["jurisdiction"].update(calendar="QQ"), "jurisdiction.calendar: 'QQ' is no calendar"),
        (lambda p: p["jurisdiction"].update(subdivision="NO-03"), "does not lie in ZZ"),
        (lambda p: p["jurisdiction"].update(inherits=["nobody"]), "'nobody' is no known pack"),
        (lambda p: p["criteria"][0].update(ref="ruel#1"), "criteria.c.ref: ruel#1 names no instrument; there is rule"),
        (lambda p: p["criteria"][0].update(proposes={"partie": "x"}), "'partie' is no axis; there is party"),
        (lambda p: p["criteria"][0].update(proposes={"party": "x"}), "'x' is no value of party"),
        (lambda p: p["criteria"][0].pop("value"), "op and value go together"),
        (lambda p: p["criteria"][0].update(value="high"), "is no number, which > compares"),
        (lambda p: p["criteria"][0].update(op="in"), "is no list, which in asks for"),
        (lambda p: [p["criteria"][0].pop(k) for k in ("feature", "op", "value")], "it could never be judged"),
        (lambda p: p["measures"][0].update(decided_by="dsk"), "measures.m.decided_by: 'dsk' is no unit; there is desk"),
        (lambda p: p["measures"][0].update(executed_by="grid"), "'grid' is no unit"),
        (lambda p: p["measures"][0].update(applies_to=["all"]), "'all' is no subject; there is dept"),
        (lambda p: p["procedure"][0].update(actor="x"), "procedure.notify.actor: 'x' is no unit"),
        (lambda p: p["reporting"][0].update(to="x"), "reporting.r.to: 'x' is no unit"),
        (lambda p: p["reporting"][0].update(due="99999 month"), "is not of the form"),
        (lambda p: p["verification"].update(window_days=10**30), "verification.window_days"),
        (lambda p: p["reporting"][0].update(due="soon"), "'soon' is not of the form"),
        (lambda p: p["axes"][0].update(default="x"), "axes.party.default: 'x' is no value of it"),
        (lambda p: p["axes"][0]["values"][0].update(standing="host"), "no value has the standing victim"),
        (lambda p: p["axes"][0]["values"][1].pop("standing"), "no value has the standing undetermined"),
        (lambda p: p["axes"].append(p["axes"][0]), "axes[1]: party stands twice"),
        (lambda p: p["measures"].append(p["measures"][0]), "measures[1]: m stands twice"),
        (lambda p: p["procedure"][1]["deadline"].update(n=1.5), "1.5 business_day is no whole number"),
        (lambda p: p["procedure"][1]["deadline"].update(n=0), "0"),
        (lambda p: p["procedure"][1]["deadline"].update({"from": "case_opened"}), "it runs from notice_received"),
        (lambda p: p["procedure"][1]["deadline"].update(n=2, unit="hour"), "no time in which a party can answer"),
        (
            lambda p: p["rights"].append(
                {
                    "right": "appeal",
                    "deadline": {"n": 30, "unit": "calendar_day", "from": "decision_made", "basis": "operator_default"},
                }
            ),
            "rights.appeal.deadline.from: the party's time for the appeal runs from decision_made",
        ),
        (lambda p: p["procedure"][1]["deadline"].update(basis="statutory"), "the basis statutory needs a ref"),
        (lambda p: p["procedure"][1]["deadline"].update(calendar="QQ"), "procedure.reply.deadline.calendar: 'QQ'"),
        (lambda p: p["procedure"][1]["deadline"].update({"from": "yesterday"}), "'yesterday' is not known"),
        (
            lambda p: p["procedure"][1]["deadline"].update(basis="policy", ref="rule#1", rolls=True),
            "rolls needs rolls_ref",
        ),
        (
            lambda p: p["rights"].append({"right": "reply", "deadline": p["procedure"][1]["deadline"]}),
            "the step reply has one too",
        ),
        (lambda p: p["data"].append({"field": "owner_name", "purpose": "x", "personal": "direct"}), "owner_name"),
        (lambda p: p["procedure"].append({"step": "verify", "deadline": p["procedure"][1]["deadline"]}), "window_days"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(change: Callable[[dict[str, Any]], object], words: str) -> None:
    """The place in the pack, what came, and what would be right."""
    assert words in problems(small(change))


def test_everything_that_is_wrong_is_named_at_once() -> None:
    """Nobody mends a pack one message at a time."""

    def spoil(pack: dict[str, Any]) -> None:
        pack["measures"][0]["decided_by"] = "x"
        pack["criteria"][0]["ref"] = "y"
        pack["jurisdiction"]["calendar"] = "QQ"

    assert len(problems(small(spoil)).splitlines()) == 3


# -- YAML


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id: [1", ", column "),
        ("just words", "is a text; a pack is a mapping"),
        ("", "is a nothing"),
        ("- a\n- b", "is a list"),
        ("a: &x 1\nb: *x", "anchors and aliases"),
        ("a: 1\na: 2", "the key 'a' stands twice"),
        ("1: x", "the key 1 is no text"),
        ("a: !!python/object:os.system x", "is not used in packs; leave it out"),
        ("a: 1\n---\nb: 2", "a second document begins"),
        ("a: \x00", "is no YAML"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ("a: " + "9" * 5000, "what cannot be read"),
        ("a: " + "9" * 400 + ".0", "not known"),
        ("x" * 1_000_001, "1,000,001 characters"),
    ],
)
def test_what_is_no_pack_is_refused_in_words(text: str, words: str) -> None:
    """No traceback, no code run, no memory filled."""
    assert words in problems(text)


def test_yaml_has_no_hidden_types() -> None:
    """What YAML 1.1 turns into truth values, dates and numbers of base 60 or 8 stays text."""
    read = read_yaml("{a: no, b: 2026-11-27, c: 12:30:00, d: 0o17, e: 017, f: yes, g: true, h: 1.5, i: ~}", name="x")
    assert read == {
        "a": "no", "b": "2026-11-27", "c": "12:30:00", "d": "0o17", "e": "017", "f": "yes", "g": True, "h": 1.5,
        "i": None,
    }  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_pack_or_refused(text: str) -> None:
    """Nothing but `BadPack` comes of it."""
    with pytest.raises(BadPack):
        parse_pack(text, name="x.yaml", known={})


def spoil(values: dict[str, Any], data: st.DataObject) -> None:
    """Put any value in any place."""
    at: Any = values
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if isinstance(at[key], dict | list) and at[key] and data.draw(st.booleans()):
            at = at[key]
            continue
        at[key] = data.draw(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False)
            | st.text()
            | st.just([])
            | st.just({})
        )
        break


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_pack_with_a_part_replaced_is_a_pack_or_refused(data: st.DataObject) -> None:
    """Any value in any place."""
    values = copy.deepcopy(SMALL)
    spoil(values, data)
    try:
        pack = parse_pack(json.dumps(values), name="x.yaml", known={})
    except BadPack:
        pass
    else:
        assert pack.axes


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_short_validator_agrees_with_jsonschema(data: st.DataObject) -> None:
    """On good packs and on spoilt ones; and the schema uses no keyword that it does not know."""
    schema = pack_schema()
    values = copy.deepcopy(SMALL)
    spoil(values, data)
    assert fits(values, schema, schema["$defs"]) == Draft202012Validator(schema).is_valid(values)


def test_the_schema_uses_known_keywords_only() -> None:
    """Else the short validator would overlook one."""
    waiting: list[Any] = [pack_schema()]
    while waiting:
        schema = waiting.pop()
        assert set(schema) <= KEYWORDS | WORDS, set(schema) - KEYWORDS - WORDS
        for key in ("properties", "$defs"):
            waiting += schema.get(key, {}).values()
        waiting += [schema[key] for key in ("items", "if", "then", "not") if key in schema]
        waiting += schema.get("oneOf", [])
        if isinstance(schema.get("additionalProperties"), dict):
            waiting.append(schema["additionalProperties"])


# -- inheritance


def child(change: Callable[[dict[str, Any]], object] = lambda _: None) -> str:
    values: dict[str, Any] = {
        "format": "1.0",
        "id": "child",
        "version": "1.0.0",
        "title": {"en": "A child"},
        "jurisdiction": {**SMALL["jurisdiction"], "inherits": ["small"]},
        "provenance": {"compiled": "test", "legal_review": "done", "gaps": ["a new one"]},
    }
    change(values)
    return json.dumps(values)


def test_a_child_takes_what_it_does_not_say() -> None:
    """Units, axes, measures, periods, verification; the weaker legal review, and the gaps of both."""
    parent = parse_pack(small(), name="s", known={})
    pack = parse_pack(child(), name="c", known={"small": parent})
    assert (pack.units, pack.axes, pack.measures, pack.verification) == (
        parent.units, parent.axes, parent.measures, parent.verification,
    )  # fmt: skip
    assert pack.provenance.legal_review == "none"
    assert pack.provenance.gaps == ("a new one", "(small) everything")


def test_a_text_is_read_again_where_a_parent_has_changed() -> None:
    """A pack is parsed once for each text and for the very packs that it inherits from, whatever they are called."""
    parent = parse_pack(small(), name="s", known={})
    pack = parse_pack(child(), name="c", known={"small": parent})
    assert parse_pack(small(), name="other", known={}) is parent
    assert parse_pack(child(), name="c", known={"small": parent, "more": pack}) is pack
    other = parse_pack(small(lambda raw: raw.update(version="9.9.9")), name="s", known={})
    assert parse_pack(child(), name="c", known={"small": other}).digest != pack.digest
    with pytest.raises(BadPack, match="small"):
        parse_pack(child(), name="c", known={})


def test_a_child_wins_where_both_speak() -> None:
    """By id, in the parent's order; a step without a period keeps the parent's."""
    parent = parse_pack(small(), name="s", known={})

    def change(values: dict[str, Any]) -> None:
        values["units"] = [{"id": "desk", "name": {"en": "New desk"}, "roles": ["lead"]},
                           {"id": "more", "name": {"en": "More"}, "roles": []}]  # fmt: skip
        values["procedure"] = [{"step": "reply", "actor": "more"}]

    pack = parse_pack(child(change), name="c", known={"small": parent})
    assert [unit.name["en"] for unit in pack.units] == ["New desk", "More"]
    assert [str(step.step) for step in pack.procedure] == ["notify", "reply"]
    assert pack.procedure[1].actor == "more"
    assert pack.procedure[1].deadline == parent.procedure[1].deadline


@pytest.mark.parametrize(
    ("n", "unit", "basis", "good"),
    [
        (5, "business_day", "operator_default", True),
        (1, "week", "operator_default", True),
        (5, "calendar_day", "operator_default", False),
        (4, "business_day", "operator_default", False),
        (30, "hour", "operator_default", False),
        (3, "business_day", "policy", True),
    ],
)
def test_a_child_does_not_shorten_a_partys_time_by_itself(n: int, unit: str, basis: str, good: bool) -> None:
    """More is given freely; less takes a text that says so."""
    parent = parse_pack(small(), name="s", known={})
    period = {"n": n, "unit": unit, "from": "notice_received", "basis": basis}

    def change(values: dict[str, Any]) -> None:
        values["procedure"] = [
            {"step": "reply", "deadline": period if basis != "policy" else {**period, "ref": "rule"}}
        ]

    if good:
        assert parse_pack(child(change), name="c", known={"small": parent}).procedure[1].deadline is not None
    else:
        assert "a party's time is shortened only by a text" in problems(child(change), {"small": parent})


def test_a_child_cannot_use_what_its_parent_does_not_support() -> None:
    """A measure that is shown with the reason why it cannot be used stays so in every pack that inherits it."""
    refused = {"id": "m", "text": {"en": "m"}, "mode": "not_supported", "decided_by": "desk", "reason": {"en": "no"}}
    parent = parse_pack(small(lambda p: p.update(measures=[refused])), name="s", known={})
    used = {**refused, "mode": "in_system_request"}
    told = problems(child(lambda values: values.update(measures=[used])), {"small": parent})
    assert "measures.m.mode: in_system_request, but small carries this measure as not_supported" in told


def test_a_change_in_the_parent_changes_the_childs_digest() -> None:
    """A case says by which text it was handled, and that includes what is inherited."""
    one = parse_pack(small(), name="s", known={})
    other = parse_pack(small(lambda p: p["verification"].update(window_days=15)), name="s", known={})
    digests = {parse_pack(child(), name="c", known={"small": parent}).digest for parent in (one, other)}
    assert len(digests) == 2


def test_beijing_takes_the_national_measures_and_its_own_units() -> None:
    """The city's commission decides where the national pack says the commission."""
    pack = PACKS["cn-bj-2024"]
    assert {"clear", "diff-tariff", "power-off"} <= {row.id for row in pack.measures}
    assert next(row.name["zh"] for row in pack.units if row.id == "drc") == "市发展改革委"
    assert any(gap.startswith("(cn-national-1283)") for gap in pack.provenance.gaps)


# -- remarks


def test_drafts_and_old_texts_are_told() -> None:
    """And each measure that rests on one."""
    told = "\n".join(remarks(PACKS["cn-nm-2021-draft"], date(2026, 11, 20)))
    assert "nm8 (Eight measures" in told
    assert "measure m5-theft rests on nm8#5, which is a draft that was never confirmed" in told


@pytest.mark.parametrize(
    ("more", "today", "words"),
    [
        ({"expires": "2026-03"}, date(2026, 4, 1), "expired on 2026-03"),
        ({"expires": "2026-03"}, date(2026, 3, 31), ""),
        ({"expires": "2026-02-27"}, date(2026, 2, 28), "expired on 2026-02-27"),
        ({"effective": "2027"}, date(2026, 12, 31), "is in force only from 2027"),
        ({"effective": "2027"}, date(2027, 1, 1), ""),
        ({"status": "superseded"}, date(2026, 1, 1), "is superseded"),
        ({"status": "unknown"}, date(2026, 1, 1), "is of unknown state"),
    ],
)
def test_a_text_that_is_not_in_force_today_is_told(more: dict[str, str], today: date, words: str) -> None:
    """A month or a year without a day is taken for the last day it can mean, or the first."""
    pack = parse_pack(small(lambda p: p["instruments"][0].update(more)), name="x", known={})
    first = next((text for text in remarks(pack, today) if text.startswith("rule (")), "")
    assert (words in first) if words else not first


# -- files


def test_own_packs_may_inherit_from_shipped_ones_in_any_order(tmp_path: Path) -> None:
    """A folder of own packs; what it holds besides is left alone."""
    (tmp_path / "a.yaml").write_text(
        child(lambda p: (p.update(id="a"), p["jurisdiction"].update(inherits=["b"]))), encoding="utf-8"
    )
    (tmp_path / "b.yml").write_text(
        child(lambda p: (p.update(id="b"), p["jurisdiction"].update(inherits=["campus-operator"]))),
        encoding="utf-8-sig",
    )
    (tmp_path / "notes.txt").write_text("not a pack", encoding="utf-8")
    packs = load_packs(tmp_path)
    assert set(packs) == {*PACKS, "a", "b"}
    assert packs["a"].measures == packs["campus-operator"].measures
    assert load_packs(tmp_path / "nowhere").keys() == PACKS.keys()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.yaml": small(lambda p: p.update(id="my-esa"))}, "my-esa is taken"),
        ({"a.yaml": child(lambda p: (p.update(id="a"), p["jurisdiction"].update(inherits=["a"])))}, "in a circle"),
        ({"a.yaml": child()}, "'small' is no known pack"),
        ({"a.yaml": b"\xff\xfe"}, "is no UTF-8"),
        ({"a.yaml": "version: 1"}, "has no id"),
    ],
)
def test_a_file_that_is_no_pack_is_named(tmp_path: Path, files: dict[str, str | bytes], words: str) -> None:
    """With its path, so that it can be found."""
    for name, text in files.items():
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadPack, match=r"a\.yaml") as caught:
        load_packs(tmp_path)
    assert words in str(caught.value)


# -- households by name or not at all


def site_subject(**more: Any) -> Callable[[dict[str, Any]], object]:
    """The small pack about a kind of place."""
    row = {"id": "dept", "kind": "site", "role": "operator", "label": {"en": "Place"}, **more}
    return lambda pack: pack.update(subjects=[row])


def test_a_site_without_its_kinds_is_refused() -> None:
    """It would let in any place where somebody lives, without a word."""
    told = problems(small(site_subject()))
    assert "subjects[0] (dept): site_kinds missing: a subject of the kind site says which kinds of site" in told
    assert "households are let in only where household_premises is among them" in told
    assert "subjects[0].site_kinds: is too short: 1 at least must be given" in problems(
        small(site_subject(site_kinds=[]))
    )
    pack = parse_pack(small(site_subject(site_kinds=["campus", "household_premises"])), name="x", known={})
    assert pack.subjects[0].site_kinds == ("campus", "household_premises")


def test_a_child_cannot_take_the_kinds_away() -> None:
    """What it says of a subject stands in the place of the parent's, kinds and all."""
    parent = parse_pack(small(site_subject(site_kinds=["campus"])), name="x", known={})
    child = child_of(parent, subjects=[{"id": "dept", "kind": "site", "role": "operator", "label": {"en": "Place"}}])
    assert "site_kinds missing" in problems(child, {parent.id: parent})


def test_households_are_named_or_ruled_out_and_not_both() -> None:
    """Two answers to one question."""
    both = site_subject(site_kinds=["household_premises"], outside_rule="exclude")
    assert "subjects[0] (dept): names household_premises among its kinds of site, and exclude as the rule" in problems(
        small(both)
    )


def test_a_text_that_a_case_was_opened_under_is_read_as_it_was_meant() -> None:
    """An older one that names no kinds meant all; households too, unless its own rule put them outside."""
    pack = parse_pack(small(site_subject()), name="x", known={}, kept=True)
    assert set(pack.subjects[0].site_kinds) == set(SiteKind)
    pack = parse_pack(small(site_subject(outside_rule="exclude")), name="x", known={}, kept=True)
    assert set(pack.subjects[0].site_kinds) == set(SiteKind) - {SiteKind.HOUSEHOLD_PREMISES}
    text = small(site_subject(site_kinds=["campus"]))
    assert parse_pack(text, name="x", known={}, kept=True) == parse_pack(text, name="x", known={})


def test_only_one_shipped_pack_lets_households_in_and_says_so() -> None:
    """Malaysia's, for premises are premises there."""
    named = {
        (name, subject.id)
        for name, pack in PACKS.items()
        for subject in pack.subjects
        if SiteKind.HOUSEHOLD_PREMISES in subject.site_kinds
    }
    assert named == {("my-esa", "premises")}


# -- evidence before a notice


def child_of(parent: Pack, **more: Any) -> str:
    """The text of a pack that inherits."""
    place = {"country": "ZZ", "level": "operator", "time_zone": "UTC", "calendar": "WEEKDAYS", "inherits": [parent.id]}
    return json.dumps(
        {
            "format": "1.0", "id": "child", "version": "1.0.0", "title": {"en": "A child"}, "jurisdiction": place,
            "provenance": {"compiled": "test", "legal_review": "none", "gaps": ["all"]}, **more,
        }
    )  # fmt: skip


def evidence(least_e: Any, basis: str = "operator_default", **more: str) -> Callable[[dict[str, Any]], object]:
    """The small pack with its own threshold."""
    return lambda pack: pack.update(notice_evidence={"least_e": least_e, "basis": basis, **more})


def test_a_notice_takes_a_hundred_unless_the_pack_says_otherwise() -> None:
    """Ours, and called so; more may always be asked for."""
    assert {pack.notice_evidence for pack in PACKS.values()} == {NoticeEvidence(least_e=100.0)}
    assert NoticeEvidence().basis is Basis.OPERATOR_DEFAULT
    pack = parse_pack(small(evidence(5_000)), name="x", known={})
    assert pack.notice_evidence == NoticeEvidence(least_e=5_000, basis=Basis.OPERATOR_DEFAULT)


def test_less_evidence_takes_a_text() -> None:
    """Nobody lowers it by a default of his own, and a text is named with its place."""
    ours = (
        "notice_evidence.least_e: 20 is less than the 100 of Headframe's own default, and the basis is operator_default"
    )
    assert ours in problems(small(evidence(20)))
    assert "the basis policy needs a ref" in problems(small(evidence(20, "policy")))
    assert "names no instrument" in problems(small(evidence(20, "policy", ref="nowhere#1")))
    pack = parse_pack(small(evidence(20, "policy", ref="rule#7")), name="x", known={})
    assert (pack.notice_evidence.least_e, pack.notice_evidence.ref) == (20, "rule#7")
    assert "notice_evidence" in problems(small(evidence(1)))
    assert "notice_evidence" in problems(small(evidence("many")))


def test_a_child_keeps_its_parents_threshold_or_asks_for_more() -> None:
    """Less than the parent's takes a text as well."""
    parent = parse_pack(small(evidence(5_000, "statutory", ref="rule#7")), name="x", known={})
    known = {parent.id: parent}
    assert parse_pack(child_of(parent), name="x", known=known).notice_evidence == parent.notice_evidence
    less = {"least_e": 200, "basis": "operator_default"}
    assert "200 is less than the 5000 of small" in problems(child_of(parent, notice_evidence=less), known)
    more = {"least_e": 9_000, "basis": "operator_default"}
    child = parse_pack(child_of(parent, notice_evidence=more), name="x", known=known)
    assert child.notice_evidence == NoticeEvidence(least_e=9_000)
