"""Which measures may be asked for, and every reason why not."""

import dataclasses
from typing import Any

import pytest
from policy_cases import instant, make_case

from headframe.policy.clocks import clocks_of
from headframe.policy.rights import MeasureState, lead_unit, measure_states, responsible_unit, right_states, subjects_of
from headframe.records.policy import Measure, MeasureMode, Pack, PartyStanding, Precondition, Step, SubjectKind
from headframe.stores.packs import load_packs

PACKS = load_packs()
CAMPUS = PACKS["campus-operator"]
NOW = "2026-03-20T12:00"


def states(
    pack: Pack, now: str = NOW, brought: frozenset[Precondition] = frozenset(), **values: Any
) -> dict[str, MeasureState]:
    case = make_case(values, pack)
    at = instant(now, pack.time_zone)
    return {row.measure.id: row for row in measure_states(case, pack, clocks_of(case, pack, at), at, brought=brought)}


def one(
    precondition: str, now: str = NOW, brought: frozenset[Precondition] = frozenset(), **values: Any
) -> MeasureState:
    """The state of a measure that has this one precondition, against an operator."""
    measure = Measure(
        id="m",
        text={"en": "m"},
        mode=MeasureMode.IN_SYSTEM_REQUEST,
        decided_by="network-security",
        preconditions=(Precondition(precondition),),
    )
    pack = dataclasses.replace(CAMPUS, measures=(measure,))
    return states(pack, now, brought, **{"set": {"standing": "operator"}, "site_kind": "campus", **values})["m"]


@pytest.mark.parametrize("standing", [row.value for row in PartyStanding])
def test_measures_concern_an_operator_and_a_host_only(standing: str) -> None:
    """A victim, lawful mining, what is not mining and what is undetermined get none, under every pack."""
    for pack in PACKS.values():
        rows = states(
            pack,
            set={"standing": standing},
            notices=[{"received": "2026-02-01T10:00"}],
            inspections=[{"ended": "2026-02-01T10:00", "bypass_seen": True}],
            decision={
                "made": "2026-02-02T10:00", "received": "2026-02-02T10:00", "final": "2026-03-10T10:00", "sheets": True,
            },
            findings=[{"family": "content", "ended": "2026-03-18T00:00"}],
        )  # fmt: skip
        allowed = [name for name, row in rows.items() if row.allowed]
        assert bool(allowed) == (standing in {"operator", "host"}), (pack.id, allowed)


def test_what_is_not_supported_is_never_allowed_and_says_why() -> None:
    """Whatever the case, its reason is the first word on it."""
    rows = states(
        PACKS["cn-nm-2021-draft"],
        set={"standing": "operator"},
        notices=[{"received": "2026-02-01T10:00"}],
        decision={"made": "2026-02-02T10:00", "received": "2026-02-02T10:00", "final": "2026-03-01T10:00"},
    )
    row = rows["m8a-dishonesty"]
    assert not row.allowed
    assert row.missing == (f"not supported: {row.reason['en']}",)
    assert "no list of human beings" in row.reason["en"]


def test_a_notice_must_be_served() -> None:
    """An information letter and a help letter are none."""
    assert one("notice_served").missing == ("no notice was served",)
    assert not one("notice_served", notices=[{"kind": "information", "received": "2026-03-02T10:00"}]).allowed
    assert not one("notice_served", notices=[{"kind": "help", "received": "2026-03-02T10:00"}]).allowed
    assert one("notice_served", notices=[{"received": "2026-03-02T10:00"}]).allowed


def test_the_whole_period_to_reply_is_the_partys() -> None:
    """Ten business days from 2 March end with 16 March; an answer on the second day does not shorten them."""
    notice = [{"received": "2026-03-02T10:00"}]
    answer = [{"received": "2026-03-03T10:00", "stance": "contests"}]
    assert one("reply_period_over").missing == ("the period to reply has not begun: no notice was served",)
    row = one("reply_period_over", "2026-03-16T23:59", notices=notice, replies=answer)
    assert row.missing == ("the period to reply runs until the end of 2026-03-16 (operator_default)",)
    assert one("reply_period_over", "2026-03-17T00:00", notices=notice).allowed
    longer = [{"clock": "reply", "until": "2026-03-20T00:00"}]
    assert not one("reply_period_over", "2026-03-19T23:59", notices=notice, extensions=longer).allowed
    assert one("reply_period_over", "2026-03-20T00:00", notices=notice, extensions=longer).allowed
    paused = [{"clock": "reply", "from": "2026-03-04T10:00"}]
    assert one("reply_period_over", "2026-06-01T00:00", notices=notice, pauses=paused).missing == (
        "the period to reply is paused",
    )


def test_a_pack_without_a_period_to_reply_has_none_that_could_be_over() -> None:
    """It is not taken for over."""
    measure = dataclasses.replace(CAMPUS.measures[0], preconditions=(Precondition.REPLY_PERIOD_OVER,))
    steps = tuple(row for row in CAMPUS.procedure if row.step is not Step.REPLY)
    pack = dataclasses.replace(CAMPUS, measures=(measure,), procedure=steps)
    row = states(pack, set={"standing": "operator"}, notices=[{"received": "2020-03-02T10:00"}])[measure.id]
    assert not row.allowed
    assert "no period to reply" in row.missing[0]


def test_an_inspection_must_be_recorded() -> None:
    """One record is enough."""
    assert one("inspection_record").missing == ("there is no record of an inspection",)
    assert one("inspection_record", inspections=[{"ended": "2026-03-02T10:00"}]).allowed


def test_it_must_go_on() -> None:
    """A sign newer than its end, and not older than the window of verification (21 days in this pack)."""
    seen = [{"family": "content", "ended": "2026-03-18T00:00"}]
    assert one("violation_continuing").missing == ("no finding says that mining goes on",)
    assert one("violation_continuing", findings=seen).allowed
    assert "measure again" in one("violation_continuing", "2026-04-09T00:00", findings=seen).missing[0]
    assert not one("violation_continuing", findings=seen, remedies=[{"at": "2026-03-18T00:00"}]).allowed
    assert one("violation_continuing", findings=seen, remedies=[{"at": "2026-03-17T00:00"}]).allowed
    over = [{"at": "2026-03-19T00:00", "outcome": "rectified"}]
    assert not one("violation_continuing", findings=seen, verifications=over).allowed
    still = [{"at": "2026-03-19T00:00", "outcome": "persists"}]
    assert one("violation_continuing", remedies=[{"at": "2026-03-18T00:00"}], verifications=still).allowed
    contact = [{"family": "endpoint", "ended": "2026-03-18T00:00", "mining": False}]
    assert not one("violation_continuing", findings=contact).allowed


def test_a_calculation_comes_with_the_decision_or_with_the_proposal() -> None:
    """And a sheet of a decision that was set aside is none."""
    decision = {"made": "2026-03-02T10:00", "sheets": True}
    assert "no calculation sheet is attached" in one("calculation_attached").missing[0]
    assert one("calculation_attached", decision=decision).allowed
    assert not one("calculation_attached", decision={**decision, "set_aside": True}).allowed
    assert one("calculation_attached", brought=frozenset({Precondition.CALCULATION_ATTACHED})).allowed


def test_a_decision_must_be_final_and_say_confirmed() -> None:
    """Each other state is named."""
    made = {"made": "2026-03-02T10:00", "received": "2026-03-02T10:00"}
    assert one("final_decision").missing == ("there is no decision that stands",)
    assert one("final_decision", decision=made).missing == ("the decision is not final yet",)
    final = {**made, "final": "2026-03-10T10:00"}
    assert one("final_decision", decision=final).allowed
    assert one("final_decision", decision={**final, "outcome": "dismissed"}).missing == (
        "the decision says dismissed, not confirmed",
    )
    assert not one("final_decision", decision={**final, "set_aside": True}).allowed


def test_a_warrant_comes_with_the_proposal() -> None:
    """Nothing else brings one, and a proposal can bring nothing but sheets and a warrant."""
    assert one("court_warrant").missing == ("no court warrant is attached",)
    assert one("court_warrant", brought=frozenset({Precondition.COURT_WARRANT})).allowed
    assert not one("notice_served", brought=frozenset(Precondition)).allowed
    assert not one("final_decision", brought=frozenset(Precondition)).allowed


def test_a_second_approver_is_two_accounts() -> None:
    """Also a referral needs two; nothing is missing before the proposal."""
    assert (one("second_approver").allowed, one("second_approver").approvals) == (True, 2)
    assert one("notice_served").approvals == 1
    rows = states(PACKS["no-dc"], set={"standing": "operator"})
    assert (rows["fine"].approvals, rows["ask"].approvals) == (2, 1)


def test_an_appeal_and_a_closure_bar_every_measure() -> None:
    """What was decided rests while it is pending."""
    notice = {"notices": [{"received": "2026-03-02T10:00"}]}
    appealed = one("notice_served", appeals=[{"received": "2026-03-05T10:00"}], **notice)
    assert appealed.missing == ("an appeal is pending; what was decided rests until it is answered",)
    assert one("notice_served", closed="2026-03-05T10:00", **notice).missing == ("the case is closed",)


def test_forty_eight_hours_between_notice_and_measure() -> None:
    """Malaysia's section 38(1): to the second."""
    values = {
        "set": {"standing": "operator"},
        "notices": [{"received": "2026-03-18T10:00"}],
        "inspections": [{"ended": "2026-03-18T09:00", "bypass_seen": True}],
        "findings": [{"family": "balance", "ended": "2026-03-18T00:00"}],
    }
    assert not states(PACKS["my-esa"], "2026-03-20T09:59", **values)["disconnect"].allowed
    assert states(PACKS["my-esa"], "2026-03-20T10:00", **values)["disconnect"].allowed


def test_the_kind_of_site_tells_the_subject_until_a_person_sets_it() -> None:
    """A value of an axis that is a subject goes before the kind."""
    pack = PACKS["cn-nm-2021-draft"]
    by_kind = make_case({"site_kind": "data_centre"}, pack)
    assert {row.id for row in subjects_of(by_kind, pack)} >= {"park-dc-plant", "bigdata-cloud"}
    assert "private-tap" not in {row.id for row in subjects_of(by_kind, pack)}
    by_axis = make_case({"site_kind": "data_centre", "set": {"axes": {"subject_class": "private-tap"}}}, pack)
    assert [row.id for row in subjects_of(by_axis, pack)] == ["private-tap"]
    other = make_case({"site_kind": "data_centre", "set": {"axes": {"subject_class": "other"}}}, pack)
    assert subjects_of(other, pack) == ()


@pytest.mark.parametrize("name", sorted(PACKS))
def test_households_are_left_out_where_the_pack_says_so(name: str) -> None:
    """Under Malaysia's law premises are premises; every other pack leaves households out."""
    rows = states(PACKS[name], site_kind="household_premises", set={"standing": "operator"})
    told = [text for row in rows.values() for text in row.missing if "household premises" in text and "rule" in text]
    assert bool(told) == (name != "my-esa")


def test_a_subject_that_does_not_name_households_does_not_let_them_in() -> None:
    """Whatever its kind: an older text, or one of a kind that is no site, names none and reaches none."""
    pack = PACKS["my-esa"]
    for kind, site_kinds, let_in in (
        (SubjectKind.SITE, ("household_premises",), True),
        (SubjectKind.SITE, (), False),
        (SubjectKind.SUPPLY_POINT, (), False),
        (SubjectKind.FACILITY, ("data_centre",), False),
    ):
        subject = dataclasses.replace(pack.subjects[0], kind=kind, site_kinds=site_kinds, outside_rule="")
        rows = states(
            dataclasses.replace(pack, subjects=(subject,)), site_kind="household_premises", set={"standing": "operator"}
        )
        told = [text for row in rows.values() for text in row.missing if "households are left out" in text]
        assert bool(told) is not let_in, (kind, site_kinds)


def test_a_draft_is_told_beside_the_measure() -> None:
    """It does not bar it: people decide, knowing it."""
    rows = states(PACKS["cn-nm-2021-draft"])
    assert "it rests on nm8#1, which is a draft that was never confirmed" in rows["m1-energy-budget"].remarks


def test_units_and_rights() -> None:
    """Who leads, who does a step, and what the party may still do."""
    pack = PACKS["cn-national-1283"]
    lead = lead_unit(pack)
    assert lead is not None
    assert lead.id == "drc"
    inspector = responsible_unit(pack, Step.INSPECT)
    assert inspector is not None
    assert inspector.id == "nea"
    assert responsible_unit(pack, Step.REMEDIATE) == lead
    case = make_case({"decision": {"made": "2026-03-02T10:00", "received": "2026-03-03T10:00"}}, pack)
    rows = right_states(case, pack, clocks_of(case, pack, instant(NOW, pack.time_zone)))
    appeals = [row for row in rows if row.right == "appeal"]
    assert [row.clock.id for row in appeals if row.clock] == ["appeal", "appeal-2"]
    assert [row.clock.due_day for row in appeals if row.clock] == ["2026-09-03", "2026-05-06"]
    assert not any(row.used for row in rows)
