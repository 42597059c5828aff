"""What became of cases: every step counted once, and nothing small shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from cases_to_report import DAY, LETTER, MONDAY, NS, events_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from headframe.records.case import (
    Act,
    AppealOutcome,
    Approve,
    CaseEvent,
    ClosureReason,
    DecideAppeal,
    DecisionOutcome,
    FileAppeal,
    NoticeKind,
    OpenCase,
    ProposeClass,
    ProposeClosure,
    ProposeDecision,
    ProposeNotice,
    ProposeReopening,
    ServeNotice,
)
from headframe.records.finding import Interval
from headframe.records.policy import PartyStanding
from headframe.reports.funnel import (
    OUTCOMES,
    STEPS,
    CaseFacts,
    ShownFunnel,
    SiteFacts,
    case_facts,
    clopper_pearson,
    funnel,
    funnel_csv,
    ledger_figures,
    period_of,
    shown,
    shown_together,
    weekly_ledger,
)
from headframe.reports.ledger_figures import figures_of, given_by_operator, read_given
from headframe.reports.movement import FLOW, movement
from headframe.reports.suppression import MIN_CELL

TWO_FINDINGS: list[tuple[str, dict[str, object]]] = [
    ("F-1", {"detector": "stratum", "version": "3", "power_w": {"low": 4e3, "estimate": 5e3, "high": 6e3},
             "hashrate_hs": {"low": 1e14, "estimate": 2e14, "high": 3e14}}),
    ("F-2", {"detector": "load_step", "version": "2", "power_w": {"low": 9e3, "estimate": 1e4, "high": 1.1e4},
             "duty": 0.5, "consequences": {"hashrate_hs": {"low": 5e14, "estimate": 6e14, "high": 7e14}}}),
]  # fmt: skip


def many() -> list[CaseEvent]:
    """Forty cases of two regions."""
    listed = [
        *(events_of(k, DecisionOutcome.CONFIRMED, day=k) for k in range(1, 19)),
        *(events_of(k, DecisionOutcome.DISMISSED, day=k, closed=True) for k in range(19, 25)),
        *(events_of(k, DecisionOutcome.VICTIM, day=k, region="R02") for k in range(25, 32)),
        *(events_of(k, None, day=k, region="R02", noticed=False) for k in range(32, 40)),
        events_of(40, DecisionOutcome.CONFIRMED, day=40, region="R02", upheld=True, detector="chain_sync"),
    ]
    return [event for events in listed for event in events]


def test_each_case_counts_once_in_each_step_it_reached() -> None:
    """Screened are all; of the decided each has one outcome."""
    whole = funnel(case_facts(many()), by="region")
    total = whole.total.counts
    assert total["screened"] == total["flagged"] == 40
    assert total["noticed"] == 32
    assert total["decided"] == 32
    assert (total["confirmed"], total["dismissed"], total["victim"], total["closed"]) == (18, 6, 7, 6)
    assert total["set_aside"] == 1, "what an appeal undid is not confirmed any more"
    assert sum(total[name] for name in OUTCOMES) == 32
    for step in STEPS:
        assert sum(row.counts[step] for row in whole.rows) == total[step]


def test_the_dismissed_share_has_its_interval() -> None:
    """Of 31 decided cases of one detector six were dismissed; what an appeal undid counts as wrong too."""
    by_name = {one.detector: one for one in funnel(case_facts(many())).dismissed}
    stratum = by_name["stratum"]
    assert (stratum.dismissed, stratum.decided) == (6, 31)
    assert stratum.low < 6 / 31 < stratum.high
    assert (stratum.low, stratum.high) == pytest.approx((0.0745, 0.3747), abs=1e-3)
    assert (by_name["chain_sync"].dismissed, by_name["chain_sync"].decided) == (1, 1)
    rows = {row[0]: row[1:] for row in shown(funnel(case_facts(many()), by="region"))[1]}
    assert rows["stratum"][0] == "6 of 31"
    assert rows["chain_sync"] == ("too few to show", "", "")


def test_no_small_count_is_shown() -> None:
    """The one case of an upheld appeal is not to be found, in no cell and by no difference."""
    table, _ = shown(funnel(case_facts(many()), by="region"))
    cells = {cell for row in table.rows for cell in row[1:]}
    assert not cells & {"1", "2", "3", "4"}
    assert table.hidden > 0
    assert "not shown" in table.words
    text = "".join(funnel_csv(table))
    assert text.startswith('"region","screened"')
    assert table.words in text


def test_periods_begin_where_the_unit_is() -> None:
    """Sunday evening in London is Monday in Shanghai, and another week."""
    sunday = MONDAY - 3600 * NS
    assert period_of(sunday, "week") == "2026-W44"
    assert period_of(sunday, "week", ZoneInfo("Asia/Shanghai")) == "2026-W45"
    rows = funnel(case_facts(many()), by="period", period="week").rows
    assert [row.group for row in rows][:2] == ["2026-W45", "2026-W46"]
    assert sum(row.counts["screened"] for row in rows) == 40


def test_a_case_with_two_coins_counts_once_in_a_row_of_its_own() -> None:
    """Rows that overlap do not add up, and then what one hides the total and the others tell."""
    coins = [("BTC",)] * 20 + [("XMR", "BTC")] + [("XMR",)] * 3
    events = [event for number in range(1, 25) for event in events_of(number)]
    facts = list(case_facts(events, lambda case: SiteFacts(coins=coins[int(case.case_id[-6:]) - 1])))
    whole = funnel(facts, by="coin")
    assert {row.group: row.counts["screened"] for row in whole.rows} == {"BTC": 20, "BTC + XMR": 1, "XMR": 3}
    assert whole.total.counts["screened"] == 24
    tables, _ = shown_together([funnel(facts, by=by) for by in ("region", "coin")])
    rows = {row[0]: row[1] for row in tables[1].rows}
    assert [rows["XMR"], rows["BTC + XMR"]] == ["*", "*"]
    assert "*" in (rows["BTC"], rows["total"]), "24 without 20 would be the four that are hidden"
    with pytest.raises(ValueError, match="period one of"):
        funnel(facts, by="colour")


def test_the_weekly_ledger_names_nobody_before_a_decision() -> None:
    """Item 3 asks for owner, scale, hash rate, power use and status; a victim and a dismissed case are not in it."""
    facts = list(
        case_facts(many(), lambda case: SiteFacts(owner_enterprise="Example Ltd", figures=figures_of(TWO_FINDINGS)))
    )
    rows = list(weekly_ledger(facts, MONDAY, MONDAY + 60 * DAY))
    assert len(rows) == 18 + 8
    decided = [row for row in rows if row["owner_enterprise"] == "Example Ltd"]
    assert len(decided) == 18
    assert all(row["owner_enterprise"] == "(not decided)" for row in rows if row not in decided)
    # How much somebody mines who is not decided upon is not said either.
    for row in rows:
        figures = (row["scale"], row["hashrate"], row["power_use"])
        if row in decided:
            assert figures == (
                "10 kW (9 to 11), estimated",
                "200 TH/s (100 to 300), estimated",
                "3.65 MWh/month (3.29 to 4.02), estimated",
            )
        else:
            assert figures == ("", "", "")
    with pytest.raises(ValueError, match="no field"):
        list(weekly_ledger([], 0, 1, ["name"]))


def test_a_figure_of_the_ledger_says_what_it_is_made_of() -> None:
    """The findings' own estimates, the largest of several; each line with its finding, and what is assumed."""
    scale, hashrate, use = figures_of(TWO_FINDINGS)
    assert [(line.label, line.quantity, line.unit, line.source) for line in use.lines] == [
        ("power", "10 kW (9 to 11)", "", "F-2 (load_step 2)"),
        ("duty", "0.5", "", "F-2 (load_step 2)"),
        ("hours", "730.5", "h", "365.25 d / 12"),
    ]
    assert (scale.assumption, hashrate.assumption, use.assumption) == ("", "", "")
    assert hashrate.lines[0].source == "F-1 (stratum 3)", "shares go before what power would make"
    only_power = [("F-2", {key: value for key, value in TWO_FINDINGS[1][1].items() if key != "duty"})]
    scale, hashrate, use = figures_of(only_power)
    assert (hashrate.assumption, use.assumption) == ("sha256", "all_the_time")
    assert use.value.estimate == pytest.approx(1e4 * 730.5)
    assert figures_of([("F-3", {"power_w": None, "consequences": None})]) == ()


def test_an_operators_number_is_marked_and_has_a_source() -> None:
    """It stands in the place of the estimate and says whose it is; without a source it is refused."""
    facts = list(case_facts(many(), lambda case: SiteFacts(figures=figures_of(TWO_FINDINGS))))
    confirmed = next(one.case.case_id for one in facts if "confirmed" in one.steps)
    own = given_by_operator("scale", Interval(2e4, 2e4, 2e4), "inspection of 3 November, nameplates")
    given_figures = {confirmed: (own,)}
    rows = {row["case_id"]: row for row in weekly_ledger(facts, MONDAY, MONDAY + 60 * DAY, given=given_figures)}
    assert rows[confirmed]["scale"] == "20 kW, given"
    assert rows[confirmed]["power_use"].endswith(", estimated")
    told = {
        figure.name: figure.given_from
        for case_id, figure in ledger_figures(facts, MONDAY, MONDAY + 60 * DAY, given=given_figures)
        if case_id == confirmed
    }
    assert told == {"scale": "inspection of 3 November, nameplates", "hashrate": "", "power_use": ""}
    fields = list(ledger_figures(facts, MONDAY, MONDAY + 60 * DAY, ("scale", "status")))
    assert {figure.name for _, figure in fields} == {"scale"}
    for name, value, source, words in (
        ("scale", Interval(1, 1, 1), " ", "without a source"),
        ("status", Interval(1, 1, 1), "x", "no figure"),
        ("scale", Interval(2, 1, 3), "x", "low <= estimate"),
    ):
        with pytest.raises(ValueError, match=words):
            given_by_operator(name, value, source)


def test_what_a_meter_shows_goes_before_what_traffic_implies() -> None:
    """A host of 4 PH/s would draw some 706 kW, give or take a factor of 13; its meter shows 108 kW, and 112 MWh."""
    traffic: dict[str, object] = {
        "detector": "stratum", "version": "3", "power_w": {"low": 51350.0, "estimate": 705768.0, "high": 9580125.0},
        "hashrate_hs": {"low": 3.42e15, "estimate": 4.07e15, "high": 4.79e15},
    }  # fmt: skip
    meter: dict[str, object] = {
        "detector": "likeness", "version": "1", "usage_point": "U0000041", "duty": 1.0,
        "power_w": {"low": 87120.0, "estimate": 108297.0, "high": 129475.0},
        "energy_wh": {"low": 8.42e7, "estimate": 1.118e8, "high": 1.393e8},
        "period": {"start": "2026-02-02T00:00:00Z", "end": "2026-08-03T00:00:00Z"},
        "onset": {"earliest": "2026-06-19T00:00:00Z", "estimate": "2026-06-21T00:00:00Z"},
    }  # fmt: skip
    for findings in ([("F-1", traffic), ("F-2", meter)], [("F-2", meter), ("F-1", traffic)]):
        told = {figure.name: figure for figure in figures_of(findings)}
        assert told["scale"].text == "108 kW (87.1 to 129), estimated"
        assert told["scale"].assumption == ""
        assert told["hashrate"].text == "4.07 PH/s (3.42 to 4.79), estimated"
        assert told["power_use"].text == "79.1 MWh/month (63.6 to 94.6), estimated"
        energy = told["power_use"].lines[-1]
        assert energy.quantity == "112 MWh (84.2 to 139)"
        assert energy.source == "F-2 (likeness 1), 2026-06-21 / 2026-08-03"
    (scale, *_) = figures_of([("F-1", traffic), ("F-2", {**meter, "listed": False})])
    assert scale.assumption == "not_listed", "a load that only stands out says how much, and that it says no more"
    scale, _, use = figures_of([("F-1", traffic)])
    assert scale.text == "706 kW (51.4 kW to 9.58 MW), estimated"
    assert scale.assumption == "machines", "power that follows from a hash rate says so"
    assert use.assumption == "all_the_time"


@pytest.mark.parametrize(("text", "words"), [
    ("HF-2026-000001 scale 20 kW", "cannot be read"),
    ("HF-2026-000001 scale 20 kW: ", "without a source"),
    ("HF-2026-000001 scale 20 kWh: bill", "scale is in W"),
    ("HF-2026-000001 status 20 kW: bill", "no figure"),
    ("HF-2026-000001 scale 20 kW (21 to 22): bill", "low <= estimate"),
    ("HF-2026-000001 scale -20 kW: bill", "cannot be read"),
    ("", "cannot be read"),
])  # fmt: skip
def test_a_number_that_cannot_be_read_is_refused(text: str, words: str) -> None:
    """With what would be right."""
    with pytest.raises(ValueError, match=words):
        read_given(text)


@pytest.mark.parametrize(("text", "name", "value"), [
    ("C scale 20 kW (18 to 22): bill", "scale", Interval(18e3, 20e3, 22e3)),
    ("C hashrate 4.07PH/s : nameplates", "hashrate", Interval(4.07e15, 4.07e15, 4.07e15)),
    ("C power_use 1.2e3 kWh/month: bill of June: page 2", "power_use", Interval(1.2e6, 1.2e6, 1.2e6)),
])  # fmt: skip
def test_a_number_is_written_as_the_ledger_writes_it(text: str, name: str, value: Interval) -> None:
    """With or without an interval, with any prefix; a source may have a colon in it."""
    case_id, figure = read_given(text)
    assert (case_id, figure.name) == ("C", name)
    assert (figure.value.low, figure.value.estimate, figure.value.high) == pytest.approx(
        (value.low, value.estimate, value.high)
    )
    assert figure.given_from.startswith(text.partition(":")[2].strip()[:4])


def a_victim(number: int, *, day: int = 0, closed: bool = True) -> list[CaseEvent]:
    """A case whose party two accounts have found to be a victim, and helped: it needs no decision."""
    opened = events_of(number, None, day=day, noticed=False)
    steps: list[Act] = [
        ProposeClass(standing=PartyStanding.VICTIM, axes=(), criteria=(), reason="a malware proxy"),
        Approve(proposal=2),
        ProposeNotice(kind=NoticeKind.HELP, document=LETTER, language="en"),
        Approve(proposal=4),
        ServeNotice(proposal=4, received_ns=MONDAY + DAY, channel="post"),
    ]
    if closed:
        steps += [ProposeClosure(reason=ClosureReason.VICTIM_HELPED, text="clean"), Approve(proposal=7)]
    return opened + [
        replace(opened[0], number=k, at_ns=opened[0].at_ns + k * NS, act=step) for k, step in enumerate(steps, 2)
    ]


@pytest.mark.parametrize("closed", [False, True])
def test_a_victim_counts_without_a_decision(closed: bool) -> None:
    """It is helped, not decided against: by the class that two accounts approved; and it stands in no ledger."""
    facts = list(case_facts(a_victim(1, closed=closed)))
    total = funnel(facts).total.counts
    assert (total["victim"], total["informed"], total["closed"]) == (1, 1, int(closed))
    assert total["decided"] == sum(total[name] for name in OUTCOMES) == 1
    (share,) = funnel(facts).dismissed
    assert (share.dismissed, share.decided) == (0, 1)
    assert not list(weekly_ledger(facts, MONDAY, MONDAY + 60 * DAY))


def test_outcomes_add_up_to_the_decided_in_every_row() -> None:
    """Also where a decision was set aside, and where there was none."""
    events = [*many(), *a_victim(41), *a_victim(42, closed=False)]
    for by in ("region", "detector", "period"):
        whole = funnel(case_facts(events), by=by)
        for row in (*whole.rows, whole.total):
            assert row.counts["decided"] == sum(row.counts[name] for name in OUTCOMES)
        assert whole.total.counts["decided"] == 34


WEEK = 7 * DAY


def of_week(events: list[CaseEvent], week: int) -> list[CaseFacts]:
    """Facts as they stood at the end of a week; the first is 0."""
    return list(case_facts(events, from_ns=MONDAY + week * WEEK, until_ns=MONDAY + (week + 1) * WEEK))


def long_case() -> list[CaseEvent]:
    """Opened and noticed in week 0, decided in week 2, closed in week 4, opened again in week 6."""
    events = events_of(1, DecisionOutcome.CONFIRMED)
    opened = events[:4]
    later: list[tuple[int, Act]] = [
        *((2, event.act) for event in events[4:]),
        (4, ProposeClosure(reason=ClosureReason.RECTIFIED, text="over")),
        (4, Approve(proposal=7)),
        (6, ProposeReopening(reason="the file was incomplete")),
        (6, Approve(proposal=9)),
    ]
    return opened + [
        replace(opened[0], number=k, at_ns=MONDAY + week * WEEK + k * NS, act=step)
        for k, (week, step) in enumerate(later, 5)
    ]


def test_the_ledger_of_a_week_tells_the_state_at_its_end() -> None:
    """Whenever it is written: what came later is in later weeks, and what happened in the week is said."""
    events = long_case()
    rows = {
        week: list(weekly_ledger(of_week(events, week), MONDAY + week * WEEK, MONDAY + (week + 1) * WEEK))
        for week in range(-1, 8)
    }
    assert {week: [(row["status"], row["happened"]) for row in rows[week]] for week in rows} == {
        -1: [],
        0: [("notified", "opened noticed")],
        1: [("notified", "")],
        2: [("decided", "decided")],
        3: [("decided", "")],
        4: [("closed", "closed")],
        5: [],
        6: [("decided", "opened_again")],
        7: [("decided", "")],
    }


def test_cases_that_came_and_went() -> None:
    """Each is counted in the week in which it was opened, opened again or closed."""
    events = [*long_case(), *events_of(2, DecisionOutcome.DISMISSED, day=8, closed=True), *events_of(3, None, day=15)]
    flows = [movement(of_week(events, week), MONDAY + week * WEEK, MONDAY + (week + 1) * WEEK) for week in range(8)]
    assert {name: [flow[name] for flow in flows] for name in FLOW} == {
        "opened": [1, 1, 1, 0, 0, 0, 0, 0],
        "opened_again": [0, 0, 0, 0, 0, 0, 1, 0],
        "closed": [0, 1, 0, 0, 1, 0, 0, 0],
    }


@pytest.mark.parametrize(
    "later",
    [
        DecisionOutcome.DISMISSED, DecisionOutcome.LAWFUL, DecisionOutcome.VICTIM, DecisionOutcome.UNDETERMINED, None,
    ],
)  # fmt: skip
def test_who_was_cleared_after_the_week_is_not_listed_in_it(later: DecisionOutcome | None) -> None:
    """A ledger that is written late must not name a party against which nothing stands any more."""
    events = events_of(1, DecisionOutcome.CONFIRMED)
    number = len(events)
    more: list[Act] = [
        FileAppeal(received_ns=MONDAY + 2 * DAY, body="court", grounds="wrong"),
        DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"),
    ]
    if later is not None:
        more += [
            ProposeDecision(outcome=later, legal_basis=("x#1",), reason="because"), Approve(proposal=number + 3),
        ]  # fmt: skip
    events += [
        replace(events[0], number=number + k, at_ns=MONDAY + 2 * WEEK + k * NS, act=step)
        for k, step in enumerate(more, 1)
    ]
    facts = of_week(events, 0)
    assert "confirmed" in facts[0].steps, "as it stood then"
    assert not list(weekly_ledger(facts, MONDAY, MONDAY + WEEK))
    assert not list(ledger_figures(facts, MONDAY, MONDAY + WEEK))


def test_tables_of_one_report_do_not_give_each_other_away() -> None:
    """Their totals are the same figures: a total that one table hides, no other shows, and nor does the flow."""
    facts = list(case_facts(many(), from_ns=MONDAY, until_ns=MONDAY + 90 * DAY))
    wholes = [funnel(facts, by=by) for by in ("region", "site_kind", "period")]
    flow = movement(facts, MONDAY, MONDAY + 90 * DAY)
    tables, told = shown_together(wholes, flow)
    totals = {table.rows[-1] for table in tables}
    assert len(totals) == 1
    total = dict(zip(STEPS, totals.pop()[1:], strict=True))
    assert told["opened"] == total["screened"]
    assert not {cell for table in tables for row in table.rows for cell in row[1:]} & {"1", "2", "3", "4"}
    assert attack_on_page(facts, ("region", "site_kind", "period"), tables, flow=told)
    with pytest.raises(ValueError, match="totals of"):
        shown_together([wholes[0], funnel(facts[1:], by="region")])


# The attack on a page -------------------------------------------------------------------------------------------------


def attack_on_page(
    facts: list[CaseFacts],
    bys: tuple[str, ...],
    tables: Sequence[ShownFunnel],
    *,
    dismissed: Sequence[tuple[str, ...]] = (),
    flow: Mapping[str, str] | None = None,
    min_cell: int = MIN_CELL,
) -> int:
    """Solve everything that a page says for each figure that it hides; gives how many small ones it hides.

    It knows nothing of how figures were suppressed, only what they mean: every case is in one row of each table, rests
    on one set of detectors, and has one outcome or none; of those of a row, some are in each of the other steps. None
    of these counts is below 0, one that is not shown is at least 1, and the totals of all tables are the same. A
    detector is listed if a decided case rests on it.
    """
    names = [sorted({row[0] for row in table.rows[:-1]}) for table in tables]
    sets = [""]
    if bys == ("detector",):
        sets = names[0]
    elif dismissed:
        single = [row[0] for row in dismissed]
        sets = [*single, *(" + ".join(two) for two in combinations(single, 2))]
    others = [step for step in STEPS if step not in ("screened", "decided", *OUTCOMES)]
    groups = [
        (by, group, detectors)
        for by, own in zip(bys, names, strict=True)
        for group, detectors in product(own, sets)
        if by != "detector" or group == detectors
    ]
    cells = {(*group, step): k for k, (group, step) in enumerate(product(groups, ("", *OUTCOMES, *others)))}
    at_most = np.zeros((len(groups) * len(others), len(cells)))
    for line, (group, step) in zip(at_most, product(groups, others), strict=True):
        line[cells[*group, step]] = 1
        line[[cells[*group, outcome] for outcome in ("", *OUTCOMES)]] = -1

    def has(place: tuple[str, ...], step: str) -> bool:
        if step in ("screened", "decided"):
            return place[-1] in OUTCOMES or (step == "screened" and place[-1] == "")
        return place[-1] == step

    known: list[tuple[NDArray[np.float64], float]] = []
    hidden: list[tuple[str, NDArray[np.float64], int]] = []

    def tell(name: str, wanted: Callable[[tuple[str, ...]], bool], text: str, truth: int) -> None:
        row = np.array([float(wanted(place)) for place in cells])
        if text == "*":
            hidden.append((name, row, truth))
        else:
            assert int(text) == truth, name
            known.append((row, float(text)))

    for by, table in zip(bys, tables, strict=True):
        whole = funnel(facts, by=by)
        for row, texts in zip((*whole.rows, whole.total), table.rows, strict=True):
            for step, text in zip(STEPS, texts[1:], strict=True):

                def counts(place: tuple[str, ...], by: str = by, group: str = row.group, step: str = step) -> bool:
                    return place[0] == by and group in ("total", place[1]) and has(place, step)

                tell(f"{by} {row.group} {step}", counts, text, row.counts[step])
    for by, step in product(bys[1:], ("", *OUTCOMES, *others)):
        known.append((
            np.array([float(place[-1] == step) * ((place[0] == by) - (place[0] == bys[0])) for place in cells]), 0.0
        ))  # fmt: skip
    for one, texts in zip(funnel(facts).dismissed if dismissed else (), dismissed, strict=True):
        told = texts[1].split(" of ") if " of " in texts[1] else ("*", "*")
        for step, text, truth in zip(("dismissed", "decided"), told, (one.dismissed, one.decided), strict=True):
            steps = ("dismissed", "set_aside") if step == "dismissed" else OUTCOMES

            def rests(place: tuple[str, ...], name: str = one.detector, steps: tuple[str, ...] = steps) -> bool:
                return name in place[2].split(" + ") and any(has(place, step) for step in steps)

            tell(f"share {one.detector} {step}", rests, text, truth)
    if flow is not None:
        assert flow["opened"] == tables[0].rows[-1][1]
    at_least = [row for name, row, _ in hidden if "share" not in name or name.endswith("decided")]
    below = np.vstack([at_most, *(-row for row in at_least)])
    most = np.concatenate([np.zeros(len(at_most)), -np.ones(len(at_least))])
    rows = np.array([row for row, _ in known]).reshape(len(known), len(cells))
    right = np.array([value for _, value in known])
    small = 0
    for name, row, truth in hidden:
        ends = []
        for sign in (1.0, -1.0):
            answer = linprog(
                sign * row, A_ub=below, b_ub=most, A_eq=rows, b_eq=right, bounds=(0, None), method="highs",
            )  # fmt: skip
            assert answer.status in (0, 3), (name, answer.message)
            ends.append(sign * answer.fun if answer.status == 0 else np.inf)
        low, high = ends
        assert low - 1e-6 <= truth <= high + 1e-6, name
        assert high - low > 1 - 1e-6 or "share" in name, (name, low, high)
        if 0 < truth < min_cell:
            small += 1
            assert high - low >= min_cell - 1e-6, (name, low, high)
    return small


Kind = tuple[int, str, str, str, DecisionOutcome | None, bool, bool]
KINDS = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.sampled_from(["R01", "R02"]),
        st.sampled_from(["BTC", "XMR", "BTC XMR", ""]),
        st.sampled_from(["stratum", "chain_sync", "stratum chain_sync"]),
        st.sampled_from([None, DecisionOutcome.CONFIRMED, DecisionOutcome.DISMISSED, DecisionOutcome.VICTIM]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)
"""Some tens of cases: how many of each kind, with region, coins, detectors, outcome, notice and closure."""


def cases_of(kinds: list[Kind]) -> list[CaseFacts]:
    events: list[CaseEvent] = []
    coins: dict[str, tuple[str, ...]] = {}
    every = [kind for kind in kinds for _ in range(kind[0])]
    for number, kind in enumerate(every, 1):
        _, region, mined, detectors, outcome, noticed, closed = kind
        first, *more = detectors.split()
        made = events_of(
            number, outcome, region=region, detector=first, noticed=noticed, closed=closed and outcome is not None
        )
        opened = made[0].act
        assert isinstance(opened, OpenCase)
        found = tuple(replace(opened.findings[0], finding_id=f"G{number}", detector=name) for name in more)
        events += [replace(made[0], act=replace(opened, findings=opened.findings + found)), *made[1:]]
        coins[made[0].case_id] = tuple(mined.split())
    return list(case_facts(events, lambda case: SiteFacts(coins=coins[case.case_id])))


@settings(max_examples=20, deadline=None)
@given(KINDS, st.integers(3, 6))
def test_no_figure_of_a_report_follows_from_the_others(kinds: list[Kind], min_cell: int) -> None:
    """Whatever the cases are: tables by region and by coins that overlap, as a report shows them together."""
    facts, bys = cases_of(kinds), ("region", "coin")
    tables, _ = shown_together([funnel(facts, by=by) for by in bys], min_cell=min_cell)
    attack_on_page(facts, bys, tables, min_cell=min_cell)


@settings(max_examples=20, deadline=None)
@given(KINDS, st.integers(3, 6), st.sampled_from(["detector", "region"]))
def test_no_figure_of_an_export_follows_from_the_others(kinds: list[Kind], min_cell: int, by: str) -> None:
    """Whatever the cases are: a table, and the dismissed share of each of the detectors, which overlap, beside it."""
    facts = cases_of(kinds)
    table, dismissed = shown(funnel(facts, by=by), min_cell)
    attack_on_page(facts, (by,), [table], dismissed=dismissed, min_cell=min_cell)


@given(st.integers(0, 60), st.integers(0, 60))
def test_intervals_of_shares_hold_the_share(k: int, more: int) -> None:
    """Clopper and Pearson's interval holds k/n and stays between 0 and 1."""
    n = k + more
    low, high = clopper_pearson(k, n)
    if n:
        assert 0 <= low <= k / n <= high <= 1
    else:
        assert low != low
