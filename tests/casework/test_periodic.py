"""The reports of several periods together: what each hides, nobody computes from all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from cases_to_report import events_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from headframe.casework.periodic import counted_by, counts_of_period, least_cell, period_bounds
from headframe.records.case import DecisionOutcome
from headframe.records.policy import Pack
from headframe.reports.funnel import OUTCOMES, case_facts
from headframe.stores.packs import SHIPPED, pack_files, read_packs

WEEKS = ("2026-W45", "2026-W46", "2026-W47", "2026-W48")
Kind = tuple[int, DecisionOutcome | None, str, int, int]
"""How many cases, with which outcome, of which region, opened in which week, and decided how many weeks later."""


@pytest.fixture(scope="module")
def pack() -> Pack:
    """One whose counts are published by weeks."""
    every, _ = read_packs(pack_files(SHIPPED))
    chosen = every["cn-national-1283"]
    assert (counted_by(chosen), least_cell(chosen)) == ("week", 5)
    return chosen


def published(kinds: list[Kind], pack: Pack) -> list[dict[str, Any]]:
    """The counts of each week's report."""
    every = [kind for kind in kinds for _ in range(kind[0])]
    events = [
        event
        for number, (_, outcome, region, week, waits) in enumerate(every, 1)
        for event in events_of(number, outcome, region=region, day=7 * week, waits=7 * waits, noticed=False)
    ]
    reports = []
    for week in WEEKS:
        from_ns, until_ns = period_bounds(week, pack)
        facts = list(case_facts(events, from_ns=from_ns, until_ns=until_ns))
        reports.append(counts_of_period(facts, from_ns, until_ns, pack))
    return reports


def shares(reports: list[dict[str, Any]]) -> list[tuple[int, int] | None]:
    """Dismissed and other decided cases, of each report that tells of them what the one before did not."""
    texts = [{row[0]: row[1] for row in one["dismissed"]}.get("stratum", "") for one in reports]
    read = [re.fullmatch(r"(\d+) of (\d+)", text) for text in texts]
    return [
        (int(now[1]), int(now[2]) - int(now[1])) if now and text != before else None
        for now, text, before in zip(read, texts, ["", *texts], strict=False)
    ]


def attack_on_reports(kinds: list[Kind], reports: list[dict[str, Any]], min_cell: int = 5) -> int:
    """Solve all reports as one system for each small count that one of them hides; gives how many those are.

    It knows what figures mean, and nothing of how they were chosen: each case is in the funnel of the week in which it
    was opened, with the outcome that it had by then or none; one without may be decided in a later week; the dismissed
    share is of all that were decided by the end of its week. A count that is not shown is at least 1.
    """
    regions = sorted({kind[2] for kind in kinds})
    states = (*OUTCOMES, "none")
    names = [
        *(("funnel", *one) for one in product(range(len(WEEKS)), regions, states)),
        *(("later", week, way) for week, way in product(range(len(WEEKS)), ("bad", "kept"))),
    ]
    zero = [0.0] * len(names)

    def total(wanted: Callable[[Any], bool]) -> Any:
        return np.array([float(wanted(name)) for name in names])

    equal: list[tuple[Any, float]] = []
    at_most: list[tuple[Any, float]] = []
    hidden: list[tuple[str, Any]] = []
    truth = np.array(zero)
    for number, outcome, region, week, waits in kinds:
        state = outcome.value if outcome is not None else "none"
        bad = "bad" if state == "dismissed" else "kept"
        truth[names.index(("funnel", week, region, "none" if waits else state))] += number
        if outcome is not None and waits and week + waits < len(WEEKS):
            truth[names.index(("later", week + waits, bad))] += number
    for week, report in enumerate(reports):
        table = report["funnels"][0]
        for row in table.rows:
            for step, text in zip(table.header[1:], row[1:], strict=True):
                if step not in ("screened", "decided", *OUTCOMES):
                    continue
                within = {"screened": states, "decided": OUTCOMES}.get(step, (step,))
                line = total(
                    lambda name, week=week, row=row, within=within: name[0] == "funnel"  # type: ignore[misc]
                    and name[1] == week and row[0] in ("total", name[2]) and name[3] in within
                )  # fmt: skip
                if text == "*":
                    hidden.append((f"{WEEKS[week]} {row[0]} {step}", line))
                    at_most.append((-line, -1.0))
                else:
                    equal.append((line, float(text)))
        decided_later = total(lambda name, week=week: name[0] == "later" and name[1] <= week)  # type: ignore[misc]
        waiting = total(lambda name, week=week: name[0] == "funnel" and name[1] < week and name[3] == "none")  # type: ignore[misc]
        at_most.append((decided_later - waiting, 0.0))
        if (share := shares(reports)[week]) is None:
            continue
        for way, value in zip(("bad", "kept"), share, strict=True):
            within = ("dismissed", "set_aside") if way == "bad" else tuple(set(OUTCOMES) - {"dismissed", "set_aside"})
            line = total(
                lambda name, week=week, way=way, within=within: (
                    name[1] <= week  # type: ignore[misc]
                    and (name[3] in within if name[0] == "funnel" else name[2] == way)
                )
            )
            equal.append((line, float(value)))
    assert all(line @ truth == value for line, value in equal), "the attack must understand what it reads"
    assert all(line @ truth <= value for line, value in at_most)
    small = 0
    for place, line in hidden:
        if line @ truth >= min_cell:
            continue
        ends = []
        for sign in (1.0, -1.0):
            answer = linprog(
                sign * line, A_ub=np.array([one for one, _ in at_most]), b_ub=[value for _, value in at_most],
                A_eq=np.array([one for one, _ in equal]), b_eq=[value for _, value in equal], method="highs",
            )  # fmt: skip
            ends.append(sign * answer.fun if answer.status == 0 else sign * -np.inf)
        assert ends[1] - ends[0] >= min_cell - 1e-6, (place, line @ truth, ends)
        small += 1
    return small


CONFIRMED, DISMISSED, VICTIM = DecisionOutcome.CONFIRMED, DecisionOutcome.DISMISSED, DecisionOutcome.VICTIM


@pytest.mark.parametrize("waits", [0, 1])
def test_the_share_does_not_tell_what_the_funnel_hides(pack: Pack, waits: int) -> None:
    """Of 30 cases 20 are confirmed, and the share says that 8 were dismissed: then two parties are victims.

    The same a week later, when there is nothing else that it could be of.
    """
    kinds: list[Kind] = [(20, CONFIRMED, "R01", 0, 0), (8, DISMISSED, "R01", 0, 0), (2, VICTIM, "R01", 0, 0)]
    kinds += [(10, CONFIRMED, "R01", 1, waits), (6, DISMISSED, "R01", 1, waits)]
    reports = published(kinds, pack)
    assert shares(reports)[:2] == [None, None]
    assert attack_on_reports(kinds, reports) > 0


def test_the_share_is_told_among_others(pack: Pack) -> None:
    """With enough that were decided later, and enough that might have been: then the same two do not follow."""
    kinds: list[Kind] = [(20, CONFIRMED, "R01", 0, 0), (8, DISMISSED, "R01", 0, 0), (2, VICTIM, "R01", 0, 0)]
    kinds += [(9, CONFIRMED, "R01", 0, 1), (6, DISMISSED, "R01", 0, 1), (7, None, "R01", 0, 0)]
    reports = published(kinds, pack)
    assert shares(reports) == [None, (14, 31), None, None]
    assert attack_on_reports(kinds, reports) > 0


KINDS = st.lists(
    st.tuples(
        st.integers(1, 14),
        st.sampled_from([None, CONFIRMED, DISMISSED, VICTIM]),
        st.sampled_from(["R01", "R02"]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=25, deadline=None)
@given(KINDS)
def test_no_small_count_follows_from_all_reports(pack: Pack, kinds: list[Kind]) -> None:
    """Whatever the cases are, and whenever they were decided."""
    attack_on_reports(kinds, published(kinds, pack))
