"""What became of cases: every step counted once, and nothing small shown."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from cases_to_report import DAY, MONDAY, NS, events_of
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.case import (
    CaseEvent,
    DecisionOutcome,
)
from headframe.records.finding import Interval
from headframe.reports.funnel import (
    STEPS,
    SiteFacts,
    case_facts,
    clopper_pearson,
    funnel,
    funnel_csv,
    period_of,
    shown,
    shown_dismissed,
    weekly_ledger,
)


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
    assert (total["confirmed"], total["dismissed"], total["victim"], total["closed"]) == (19, 6, 7, 6)
    assert total["set_aside"] == 1
    assert sum(total[name] for name in ("confirmed", "dismissed", "victim", "lawful", "undetermined")) == 32
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
    rows = {row[0]: row[1:] for row in shown_dismissed(tuple(by_name.values()))}
    assert rows["stratum"][0] == "6 of 31"
    assert rows["chain_sync"] == ("too few to show", "", "")


def test_no_small_count_is_shown() -> None:
    """The one case of an upheld appeal is not to be found, in no cell and by no difference."""
    table = shown(funnel(case_facts(many()), by="region"))
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


def test_a_case_with_two_coins_counts_in_both_and_once_in_all() -> None:
    """The rows do not add up then, and the suppression knows."""
    facts = list(case_facts(many(), lambda case: SiteFacts(coins=("LTC", "DOGE"))))
    whole = funnel(facts, by="coin")
    assert not whole.adds_up
    assert [row.counts["screened"] for row in whole.rows] == [40, 40]
    assert whole.total.counts["screened"] == 40
    with pytest.raises(ValueError, match="period one of"):
        funnel(facts, by="colour")


def test_the_weekly_ledger_names_nobody_before_a_decision() -> None:
    """Item 3 asks for owner, scale, hash rate, power use and status; a victim and a dismissed case are not in it."""
    facts = case_facts(
        many(),
        lambda case: SiteFacts(
            owner_enterprise="Example Ltd", power_w=Interval(9e3, 1e4, 1.1e4), hashrate_hs=Interval(1e14, 2e14, 3e14),
            energy_month_wh=7.2e6,
        ),
    )  # fmt: skip
    rows = list(weekly_ledger(facts, MONDAY, MONDAY + 60 * DAY))
    assert len(rows) == 18 + 8
    decided = [row for row in rows if row["owner_enterprise"] == "Example Ltd"]
    assert len(decided) == 18
    assert all(row["owner_enterprise"] == "(not decided)" for row in rows if row not in decided)
    assert rows[0]["scale"] == "10.0 (9.0 to 11.0) kW"
    assert rows[0]["hashrate"] == "200.0 (100.0 to 300.0) TH/s"
    assert rows[0]["power_use"] == "7.2 MWh/month"
    with pytest.raises(ValueError, match="no field"):
        list(weekly_ledger([], 0, 1, ["name"]))


@given(st.integers(0, 60), st.integers(0, 60))
def test_intervals_of_shares_hold_the_share(k: int, more: int) -> None:
    """Clopper and Pearson's interval holds k/n and stays between 0 and 1."""
    n = k + more
    low, high = clopper_pearson(k, n)
    if n:
        assert 0 <= low <= k / n <= high <= 1
    else:
        assert low != low
