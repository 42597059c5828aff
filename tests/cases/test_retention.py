"""Retention: each class by its rule, packs before defaults, legal holds before both, and a certificate that adds up."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.cases.retention import (
    COUNTS_FROM,
    DEFAULT_DAYS,
    certificate_from_json,
    certificate_json,
    certify,
    class_of,
    default_rules,
    rules_of,
    what_goes,
)
from headframe.records.policy import Basis, DataField
from headframe.records.retention import (
    DataClass,
    LegalHold,
    RetainedItem,
    RetentionPlan,
    RetentionRule,
    pack_name,
)
from headframe.stores.packs import load_packs

DAY_NS = 86_400_000_000_000
CLOSED = 20_000 * DAY_NS


def item(number: str = "I1", data_class: DataClass = DataClass.FINDING, **more: Any) -> RetainedItem:
    fields = {"from_ns": CLOSED, "sha256": f"digest of {data_class} {number}", "case_ids": ("C1",)}
    return RetainedItem(item_id=number, data_class=data_class, **{**fields, **more})


def rule(days: int, data_class: DataClass = DataClass.FINDING, pack_id: str = "") -> RetentionRule:
    return RetentionRule(
        data_class=data_class, days=days, basis=Basis.POLICY, source=f"test {pack_id}", pack_id=pack_id
    )


def pack(*fields: DataField) -> Any:
    return SimpleNamespace(id="cn-bj", version="1", data=fields, digest="")


def data_field(name: str, days: int | None, ref: str = "") -> DataField:
    """A field that something asks for, with the place that says how long it is kept; without one nothing does."""
    basis = Basis.POLICY if ref else Basis.OPERATOR_DEFAULT
    return DataField(
        field=name, purpose="test", personal="none", retention_days=days, ref="asked#1", retention_basis=basis,
        retention_ref=ref,
    )  # fmt: skip


def gone(plan: RetentionPlan) -> list[str]:
    return [one.item.item_id for one in plan.goes]


def why(plan: RetentionPlan) -> list[str]:
    return [one.why for one in plan.stays]


def test_every_class_has_a_default_and_it_is_ours() -> None:
    """No period is passed off as law."""
    rules = default_rules()
    assert [one.data_class for one in rules] == list(DataClass)
    assert {one.basis for one in rules} == {Basis.OPERATOR_DEFAULT}
    assert {one.source for one in rules} == {"Headframe"}
    assert all(one.days >= 0 for one in rules)


@pytest.mark.parametrize("data_class", DataClass)
def test_it_goes_when_its_days_are_over_and_not_before(data_class: DataClass) -> None:
    """To the nanosecond; what stays says how long yet."""
    due = CLOSED + DEFAULT_DAYS[data_class] * DAY_NS
    one = item(data_class=data_class)
    before, after = (what_goes([one], default_rules(), [], at) for at in (due - 1, due))
    assert gone(before) == []
    assert before.stays[0].due_ns == due
    assert "1 day is left" in before.stays[0].why
    assert gone(after) == ["I1"]
    assert after.goes[0].due_ns == due


def test_contacts_go_with_the_closure() -> None:
    """At once, and never while a case that needs them is open."""
    contact = item("K1", DataClass.CONTACT)
    assert gone(what_goes([contact], default_rules(), [], CLOSED)) == ["K1"]
    still = item("K1", DataClass.CONTACT, from_ns=None)
    plan = what_goes([still], default_rules(), [], CLOSED + 10_000 * DAY_NS)
    assert gone(plan) == []
    assert why(plan) == ["a case that needs it is open"]
    never = item("K1", DataClass.CONTACT, from_ns=None, case_ids=())
    assert why(what_goes([never], default_rules(), [], CLOSED)) == ["its period has not begun to count"]


def test_a_legal_hold_wins() -> None:
    """On one case, or on everything; what would have gone is told as held."""
    later = CLOSED + 100_000 * DAY_NS
    one, other = item("1"), item("2", case_ids=("C2",))
    plan = what_goes([one, other], default_rules(), [LegalHold(case_id="C1", reason="court 7")], later)
    assert gone(plan) == ["2"]
    assert why(plan) == ["legal hold on case C1: court 7"]
    assert plan.stays[0].held
    both = item("3", case_ids=("C2", "C1"))
    assert gone(what_goes([both], default_rules(), [LegalHold(case_id="C1", reason="court 7")], later)) == []
    everything = [LegalHold(case_id="", reason="order 9")]
    without_case = item("4", DataClass.PSEUDONYM_KEY, case_ids=())
    plan = what_goes([one, other, without_case], default_rules(), everything, later)
    assert gone(plan) == []
    assert why(plan) == ["legal hold on everything: order 9"] * 3
    fresh = what_goes([one], default_rules(), everything, CLOSED)
    assert not fresh.stays[0].held, "its period is not over anyway"


def test_a_pack_sets_its_own_days() -> None:
    """For its cases only; the basis is a text's where it names one, else ours."""
    rules, remarks = rules_of(
        pack(data_field("kWh_month", 90, ref="x#3"), data_field("contact", 10), data_field("scale", None))
    )
    assert remarks == ()
    assert [(one.data_class, one.days, one.basis) for one in rules] == [
        (DataClass.READING, 90, Basis.POLICY), (DataClass.CONTACT, 10, Basis.OPERATOR_DEFAULT),
    ]  # fmt: skip
    assert rules[0].source == "pack cn-bj 1, data kWh_month"
    assert [one.ref for one in rules] == ["x#3", ""], "what asks for a datum does not say how long it is kept"
    every = [*default_rules(), *rules]
    at = CLOSED + 90 * DAY_NS
    under, elsewhere = (item(number, DataClass.READING, pack_ids=(of,)) for number, of in (("1", "cn-bj"), ("2", "no")))
    assert gone(what_goes([under, elsewhere], every, [], at)) == ["1"]


@pytest.mark.parametrize(("days", "ref", "counts"), [
    (1_000, "", DEFAULT_DAYS[DataClass.READING]), (90, "", 90), (1_000, "x#3", 1_000), (90, "x#3", 90),
])  # fmt: skip
def test_of_two_words_that_are_nobodys_law_the_stricter_counts(days: int, ref: str, counts: int) -> None:
    """A pack's author keeps nothing longer than our default by his own word; a text that says how long may."""
    rules = [*default_rules(), *rules_of(pack(data_field("kWh_month", days, ref=ref)))[0]]
    one = item(data_class=DataClass.READING, pack_ids=("cn-bj",))
    assert gone(what_goes([one], rules, [], CLOSED + counts * DAY_NS - 1)) == []
    plan = what_goes([one], rules, [], CLOSED + counts * DAY_NS)
    assert gone(plan) == ["I1"]
    assert plan.goes[0].rule.source.startswith("pack" if days == counts else "Headframe")


@pytest.mark.parametrize("shipped", sorted(load_packs()))
def test_every_period_of_a_shipped_pack_is_kept(shipped: str) -> None:
    """Each field with a period has a class that something is done about, and goes no later than it says."""
    own = load_packs()[shipped]
    rules, remarks = rules_of(own)
    assert remarks == ()
    for field in own.data:
        if field.retention_days is None:
            continue
        data_class = class_of(field)
        assert data_class is not None
        one = item(data_class=data_class, pack_ids=(pack_name(own.id, own.digest),))
        plan = what_goes([one], [*default_rules(), *rules], [], CLOSED + field.retention_days * DAY_NS)
        assert gone(plan) == ["I1"], field.field


def test_a_rule_is_of_the_text_that_a_case_was_opened_under() -> None:
    """Two texts of one pack are two rules; of a text that is lost nobody knows how long, so it stays and says so."""
    then, now = (replace(rule(days, pack_id="a"), pack_digest=digest) for days, digest in ((3_650, "d1"), (30, "d2")))
    rules = [*default_rules(), then, now]
    old, new = (item(digest, pack_ids=(f"a@{digest}",)) for digest in ("d1", "d2"))
    assert gone(what_goes([old, new], rules, [], CLOSED + 1_000 * DAY_NS)) == ["d2"]
    assert gone(what_goes([old, new], rules, [], CLOSED + 3_650 * DAY_NS)) == ["d1", "d2"]
    plan = what_goes([old, new], rules[:-2], [], CLOSED + 10_000 * DAY_NS, lost={"a@d1"})
    assert gone(plan) == ["d2"], "by our own rule, as the text of d2 sets none"
    assert "the text of pack a (SHA-256 d1) that its case was opened under is lost" in why(plan)[0]


def test_what_waits_for_an_appeal_says_so() -> None:
    """Nothing counts then, and it is not said to be an open case."""
    waiting = item(from_ns=None, waits="a right of appeal has not begun")
    plan = what_goes([waiting], default_rules(), [], CLOSED + 10_000 * DAY_NS)
    assert (gone(plan), why(plan)) == ([], ["a right of appeal has not begun"])


def test_days_that_have_not_begun_to_count_are_not_said_to_be_left() -> None:
    """The key of an epoch that ends in 29 days is not kept for 209 of 180 days."""
    ahead = item("K", DataClass.PSEUDONYM_KEY, case_ids=(), from_ns=CLOSED + 29 * DAY_NS)
    told = [why(what_goes([ahead], default_rules(), [], CLOSED + day * DAY_NS))[0] for day in (0, 28, 29, 208)]
    assert told == [
        "its 180 days begin to count in 29 days", "its 180 days begin to count in 1 day", "180 days are left of 180",
        "1 day is left of 180",
    ]  # fmt: skip


def test_of_several_fields_in_one_class_the_shortest_counts() -> None:
    """What is kept together goes together: the pack allows none of it any longer."""
    rules, _ = rules_of(pack(data_field("kWh_month", 90), data_field("load_profile", 30), data_field("reading", 60)))
    assert [(one.data_class, one.days) for one in rules] == [(DataClass.READING, 30)]


def test_an_address_goes_with_its_case_at_the_latest() -> None:
    """Without a case nothing says that somebody needs it, and it would stay for ever."""
    rules, (remark,) = rules_of(pack(data_field("case", 30, "x#1"), data_field("contact", 90, "x#2")))
    assert {one.data_class: one.days for one in rules} == {DataClass.CASE: 30, DataClass.CONTACT: 30}
    assert "an address goes with the case that needed it" in remark
    assert rules_of(pack(data_field("case", 90, "x#1"), data_field("contact", 30, "x#2")))[1] == ()
    _, (told,) = rules_of(pack(data_field("case", 30, "x#1"), data_field("reading", 900, "x#2")))
    assert "they go after 760 days" in told


def test_a_field_that_nobody_knows_is_told() -> None:
    """A period that is not kept must not look as if it were."""
    rules, (remark,) = rules_of(pack(data_field("colour_of_the_roof", 5)))
    assert rules == ()
    assert "colour_of_the_roof for 5 days" in remark
    assert "known fields are" in remark


def test_a_pack_names_the_class_of_a_field_of_its_own() -> None:
    """Then its period is kept; the name of the class wins over the name of the field."""
    field = replace(data_field("colour_of_the_roof", 5), data_class="photo")
    assert class_of(field) is DataClass.PHOTO
    assert class_of(replace(field, field="kWh_month")) is DataClass.PHOTO
    rules, remarks = rules_of(pack(field))
    assert ([(one.data_class, one.days) for one in rules], remarks) == ([(DataClass.PHOTO, 5)], ())


def test_the_page_has_the_days_that_hold() -> None:
    """docs/retention.md has each class with its days."""
    page = (Path(__file__).parents[2] / "docs" / "retention.md").read_text(encoding="utf-8")
    shown = {found[1]: int(found[2]) for found in re.finditer(r"^\| `(\w+)` \|.*\| (\d+) \|$", page, re.MULTILINE)}
    assert shown == {one.value: days for one, days in DEFAULT_DAYS.items()}
    assert set(COUNTS_FROM) == set(DataClass)


def test_an_item_of_two_packs_stays_for_the_longer() -> None:
    """One case must not lose what the other still needs; a pack without any rule keeps it too."""
    rules = [rule(10, pack_id="a"), rule(20, pack_id="b")]
    both = item(pack_ids=("a", "b"))
    assert gone(what_goes([both], rules, [], CLOSED + 19 * DAY_NS)) == []
    assert gone(what_goes([both], rules, [], CLOSED + 20 * DAY_NS)) == ["I1"]
    third = item(pack_ids=("a", "c"))
    assert why(what_goes([third], rules, [], CLOSED + 10_000 * DAY_NS)) == ["no rule for finding"]
    assert gone(what_goes([third], [*rules, rule(30)], [], CLOSED + 30 * DAY_NS)) == ["I1"]


def test_the_same_bytes_go_with_the_last_that_needs_them() -> None:
    """A photo whose year is over may be a document of another case as well."""
    photo = item("p", DataClass.PHOTO, sha256="same")
    document = item("d", DataClass.DOCUMENT, sha256="same", from_ns=None, case_ids=("C2",))
    plan = what_goes([photo, document], default_rules(), [], CLOSED + 400 * DAY_NS)
    assert gone(plan) == []
    assert "the same bytes are still kept as document d" in why(plan)


def test_a_certificate_says_what_went_and_by_whom() -> None:
    """Class, number, digests, rule, accounts; what was held, and what could not be destroyed."""
    items = [item("1"), item("2"), item("1", DataClass.PHOTO), item("3", case_ids=("C9",))]
    later = CLOSED + 100_000 * DAY_NS
    plan = what_goes(items, default_rules(), [LegalHold(case_id="C9", reason="court")], later)
    certificate = certify(
        plan, [items[0], items[2]], certificate_id="X-1", at_ns=later, proposer="clerk", approver="chief",
        failed=[(items[1], "the disk is read-only")],
    )  # fmt: skip
    assert [(one.rule.data_class, one.count, one.digests) for one in certificate.classes] == [
        (DataClass.FINDING, 1, ("digest of finding 1",)), (DataClass.PHOTO, 1, ("digest of photo 1",)),
    ]  # fmt: skip
    assert (certificate.count, certificate.held) == (2, 1)
    assert certificate.failed == ("finding 2: the disk is read-only",)
    told = certificate_json(certificate)
    assert (told["proposer"], told["approver"], told["certificate"]) == ("clerk", "chief", "X-1")
    assert told["at_ns"] == str(later), "RFC 8785 rounds numbers beyond 2**53"
    rfc8785 = pytest.importorskip("rfc8785")
    assert rfc8785.dumps(told) == rfc8785.dumps(certificate_json(certificate))
    assert certificate_from_json(json.loads(rfc8785.dumps(told))) == certificate


@pytest.mark.parametrize(
    ("proposer", "approver", "destroyed", "failed", "says"),
    [
        ("clerk", "clerk", ["1"], [], "two different accounts"),
        ("clerk", " Clerk ", ["1"], [], "two different accounts"),
        ("", "chief", ["1"], [], "two different accounts"),
        ("clerk", "chief", ["1", "2"], [], "not in the plan"),
        ("clerk", "chief", [], ["2"], "not in the plan"),
        ("clerk", "chief", ["1"], ["1"], "said to be destroyed and said to be there"),
        ("clerk", "chief", [], [], "nothing is said of it"),
    ],
)
def test_a_certificate_that_does_not_add_up_is_refused(
    proposer: str, approver: str, destroyed: list[str], failed: list[str], says: str
) -> None:
    """Four eyes, nothing beyond the plan, and nothing of it left untold."""
    items = {"1": item("1"), "2": item("2", from_ns=None)}
    plan = what_goes(items.values(), default_rules(), [], CLOSED + 100_000 * DAY_NS)
    with pytest.raises(ValueError, match=says):
        certify(
            plan, [items[one] for one in destroyed], certificate_id="X", at_ns=1, proposer=proposer,
            approver=approver, failed=[(items[one], "full") for one in failed],
        )  # fmt: skip


retained = st.builds(
    RetainedItem,
    item_id=st.sampled_from("12345"),
    data_class=st.sampled_from(DataClass),
    from_ns=st.none() | st.integers(0, 3_000).map(lambda day: day * DAY_NS),
    sha256=st.sampled_from("abcdefgh"),
    case_ids=st.lists(st.sampled_from(["C1", "C2"]), unique=True).map(tuple),
    pack_ids=st.lists(st.sampled_from(["a", "b"]), unique=True).map(tuple),
)
holds = st.lists(st.builds(LegalHold, case_id=st.sampled_from(["C1", ""]), reason=st.just("court")), max_size=1)
some_rules = st.lists(
    st.builds(rule, st.integers(0, 2_000), st.sampled_from(DataClass), st.sampled_from(["", "a", "b"])), max_size=6
)


@given(st.lists(retained, max_size=8), some_rules, holds, st.integers(0, 6_000))
def test_nothing_is_lost_and_nothing_goes_twice(
    items: list[RetainedItem], rules: list[RetentionRule], held: list[LegalHold], day: int
) -> None:
    """Each item goes or stays; what is held, open or young never goes; no digest both goes and stays."""
    plan = what_goes(items, rules, held, day * DAY_NS)
    assert sorted(map(repr, items)) == sorted(repr(one.item) for one in [*plan.goes, *plan.stays])
    on_hold = {one.case_id for one in held}
    for one in plan.goes:
        assert one.item.from_ns is not None
        assert one.item.from_ns + one.rule.days * DAY_NS == one.due_ns <= plan.now_ns
        assert "" not in on_hold
        assert not on_hold & set(one.item.case_ids)
    assert not {one.item.sha256 for one in plan.goes} & {one.item.sha256 for one in plan.stays}
    assert all(one.why for one in plan.stays)


@given(st.lists(retained, max_size=8), some_rules, holds, st.integers(0, 6_000), st.integers(0, 500))
def test_time_only_lets_more_go(
    items: list[RetainedItem], rules: list[RetentionRule], held: list[LegalHold], day: int, more: int
) -> None:
    """What may go today may go tomorrow."""
    today = what_goes(items, rules, held, day * DAY_NS)
    tomorrow = what_goes(items, rules, held, (day + more) * DAY_NS)
    assert {one.item for one in today.goes} <= {one.item for one in tomorrow.goes}
