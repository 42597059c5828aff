"""The dismissed share, report after report: what one leaves out, two do not tell together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cases_to_report import DAY, MONDAY, NS, events_of
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.case import AppealOutcome, CaseEvent, DecideAppeal, DecisionOutcome, FileAppeal
from headframe.reports.dismissed import Tallies, Tally, share_rows, tallies_over, told
from headframe.reports.funnel import case_facts, funnel

WEEK = 7 * DAY
ENDS = [MONDAY + (week + 1) * WEEK for week in range(4)]
BEFORE = [MONDAY - WEEK, MONDAY]
"""Ends of the two weeks before."""


def cases(numbers: range, outcome: DecisionOutcome | None, day: int, **changes: object) -> list[CaseEvent]:
    return [event for number in numbers for event in events_of(number, outcome, day=day, **changes)]  # type: ignore[arg-type]


def test_one_decision_more_is_not_told() -> None:
    """ "6 of 26" and then "7 of 27": whose case came to its end that week would know that it was dismissed."""
    events = [
        *cases(range(1, 21), DecisionOutcome.CONFIRMED, -14, waits=14),
        *cases(range(21, 27), DecisionOutcome.DISMISSED, -13, waits=14),
        *cases(range(27, 28), DecisionOutcome.DISMISSED, -6, waits=14),
        *cases(range(28, 32), DecisionOutcome.DISMISSED, 1, waits=14),
    ]
    tallies = list(tallies_over(case_facts(events), BEFORE + ENDS))
    assert [one.decided["stratum"] for one in tallies[2:]] == [(6, 20), (7, 20), (11, 20), (11, 20)]
    rows = [share_rows(told(tallies[: 2 + week + 1]))[0] for week in range(4)]
    assert [row[1] for row in rows] == ["6 of 26", "6 of 26", "11 of 31", "11 of 31"]
    assert rows[0][2:] == ("23.1%", "9.0% to 43.6%")


def test_a_few_are_not_told_at_all() -> None:
    """The first figures are as far from none as the later ones are from each other."""
    tallies = list(
        tallies_over(
            case_facts(cases(range(1, 9), DecisionOutcome.DISMISSED, -7, waits=7, detector="likeness")), BEFORE + ENDS
        )
    )
    assert share_rows(told(tallies, 9)) == (("likeness", "too few to show", "", ""),)
    assert share_rows(told(tallies, 8))[0][1] == "8 of 8"
    assert share_rows(told([])) == ()


def test_tallies_are_those_of_the_funnel() -> None:
    """At each end, what was recorded by then: also where an appeal undid a decision later."""
    events = cases(range(1, 8), DecisionOutcome.CONFIRMED, 0)
    events += [*cases(range(8, 10), None, 3), *cases(range(10, 12), DecisionOutcome.VICTIM, 9, detector="chain_sync")]
    undone = events_of(12, DecisionOutcome.CONFIRMED, day=2)
    acts = (
        FileAppeal(received_ns=MONDAY + 10 * DAY, body="court", grounds="wrong"),
        DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"),
    )
    undone += [
        replace(undone[0], number=len(undone) + k, at_ns=MONDAY + 16 * DAY + k * NS, act=act)
        for k, act in enumerate(acts, 1)
    ]
    events += undone
    for end, tally in zip(ENDS, tallies_over(case_facts(events), ENDS), strict=True):
        whole = funnel(case_facts(events, until_ns=end))
        assert {name: one for name, one in tally.decided.items() if any(one)} == {
            one.detector: (one.dismissed, one.decided - one.dismissed) for one in whole.dismissed
        }
    assert tally.decided["stratum"] == (1, 7)


def test_what_funnels_count_too_is_told_apart() -> None:
    """Cases that were decided in the week in which they were opened, as they stood at its end; and those that wait."""
    events = [
        *cases(range(1, 4), DecisionOutcome.CONFIRMED, 0),
        *cases(range(4, 6), DecisionOutcome.DISMISSED, 8),
        *cases(range(6, 10), DecisionOutcome.DISMISSED, 1, waits=14),
        *cases(range(10, 11), None, 2),
    ]
    tallies = list(tallies_over(case_facts(events), ENDS))
    assert [one.decided["stratum"] for one in tallies] == [(0, 3), (2, 3), (6, 3), (6, 3)]
    assert [one.in_funnels["stratum"] for one in tallies] == [(0, 3), (2, 3), (2, 3), (2, 3)]
    assert [one.waiting for one in tallies] == [0, 5, 1, 1]


@pytest.mark.parametrize(
    ("decided", "in_funnels", "waiting", "wanted"),
    [
        ((8, 22), (8, 22), 0, (0, 0)),
        ((8, 22), (0, 0), 0, (8, 22)),
        ((8, 22), (3, 17), 5, (8, 22)),
        ((8, 22), (3, 17), 4, (0, 0)),
        ((8, 22), (4, 17), 5, (0, 0)),
        ((8, 22), (0, 18), 5, (0, 0)),
        ((0, 22), (0, 17), 5, (0, 22)),
        ((7, 22), (7, 0), 30, (0, 0)),
    ],
)
def test_cases_of_funnels_are_told_among_others(decided: Tally, in_funnels: Tally, waiting: int, wanted: Tally) -> None:
    """Of dismissed and of kept ones at least as many are not of funnels; and as many might have been."""
    tallies = Tallies(decided={"stratum": decided}, in_funnels={"stratum": in_funnels}, waiting=waiting)
    assert told([tallies]) == {"stratum": wanted}


STEPS = st.lists(
    st.tuples(st.integers(-8, 20), st.integers(-8, 20), st.integers(0, 8), st.integers(0, 8), st.integers(0, 12)),
    min_size=1,
    max_size=12,
)
"""Of each week: dismissed and other cases that no funnel counts, those of its funnel, and those that wait."""


@given(STEPS, st.integers(1, 10))
def test_between_two_reports_lie_none_or_enough(steps: list[tuple[int, ...]], min_cell: int) -> None:
    """Whatever was decided: a figure moves by steps of at least the smallest cell, from none on."""
    sums = [[sum(column) for column in zip(*steps[: k + 1], strict=True)] for k in range(len(steps))]
    tallies = [
        Tallies(
            decided={"stratum": (later[0] + later[2], later[1] + later[3])},
            in_funnels={"stratum": (later[2], later[3])},
            waiting=step[4],
        )
        for later, step in zip(sums, steps, strict=True)
    ]
    history = [told(tallies[: k + 1], min_cell)["stratum"] for k in range(len(tallies))]
    for before, after in zip([(0, 0), *history], history, strict=False):
        for old, new in zip(before, after, strict=True):
            assert old == new or abs(new - old) >= min_cell
    assert set(history) <= {(0, 0), *(one.decided["stratum"] for one in tallies)}, "what is told was true once"


@pytest.mark.parametrize("later", [0, 3])
def test_a_late_report_tells_what_an_early_one_told(later: int) -> None:
    """It is worked out from the events, so nothing has to be remembered."""
    events = [
        *cases(range(1, 21), DecisionOutcome.CONFIRMED, -7, waits=7),
        *cases(range(21, 27), DecisionOutcome.DISMISSED, 1, waits=14),
    ]
    early = told(tallies_over(case_facts(events, until_ns=ENDS[0]), [*BEFORE, ENDS[0]]))
    late = list(tallies_over(case_facts(events, until_ns=ENDS[later]), BEFORE + ENDS))
    assert told(late[:3]) == early == {"stratum": (0, 20)}
