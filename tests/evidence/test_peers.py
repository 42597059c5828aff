"""p-values among peers and in a reference population: exact small cases, and validity by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from headframe.evidence.calibrators import largest_log10_e
from headframe.evidence.lists import benjamini_hochberg
from headframe.evidence.peers import (
    ENOUGH_PEERS,
    MOST_DEGREES,
    RUN_WEIGHT,
    ReferencePopulation,
    p_values,
    reference_p_values,
)


def reference(*scores: tuple[float, ...], transfer: float = 1.0) -> ReferencePopulation:
    return ReferencePopulation("home", "1", tuple("s" for _ in scores), tuple(scores), transfer)


def buildings(count: int, rng: np.random.Generator, windows: int = 8) -> ReferencePopulation:
    level = rng.normal(0.0, 1.0, count)
    return reference(*(tuple((own + 0.5 * rng.normal(size=windows)).tolist()) for own in level))


# -- the run alone -----------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 2)), max_size=40))
def test_without_a_reference_it_is_the_leave_one_out_rank(points: list[tuple[int, int]]) -> None:
    """``(1 + others at least as high) / (others + 1)`` within the group; nobody to compare with is no p-value."""
    scores = [float(score) for score, _ in points]
    groups = [group for _, group in points]
    found = p_values(scores, groups, ["a", "b", "c"], {})
    for at, (score, group) in enumerate(points):
        others = [s for k, (s, g) in enumerate(points) if k != at and g == group]
        if group < 0 or not others:
            assert math.isnan(found.p[at])
            assert found.source[at] == ""
        else:
            assert found.p[at] == pytest.approx((1 + sum(s >= score for s in others)) / (len(others) + 1))
            assert found.peers[at] == len(others)
            assert found.source[at] == "run"


def test_a_point_without_a_score_is_nobodys_peer() -> None:
    """NaN in, NaN out, and not counted."""
    found = p_values([1.0, math.nan, 2.0], [0, 0, 0], ["home"], {})
    assert math.isnan(found.p[1])
    assert found.peers.tolist() == [1, 0, 1]
    assert found.log10_e[1] == 0.0


@given(st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_evidence_is_capped_by_the_peers(count: int, seed: int) -> None:
    """However far out: not more than so many peers can show."""
    scores = np.random.default_rng(seed).normal(size=count)
    scores[0] = 1e9
    assert p_values(scores, np.zeros(count, int), ["x"], {}).log10_e.max() <= largest_log10_e(count - 1) + 1e-12
    ten = reference(*[(float(at), float(at) + 0.5) for at in range(10)])
    found = p_values([1e9], [0], ["home"], {"home": ten})
    assert found.log10_e[0] <= largest_log10_e(10) + 1e-12


# -- the reference -----------------------------------------------------------------------------------------------------


def test_the_reference_is_the_students_tail_or_what_two_buildings_showed() -> None:
    """By hand, from the definition, for a score beyond all and one that three of six buildings reach."""
    rows = [(0.0, 1.0), (2.0, 3.0), (1.0, 1.0), (4.0, 0.0), (-1.0, 2.0), (0.5, 0.5)]
    means = np.array([np.mean(row) for row in rows])
    scale = math.sqrt(np.mean([np.var(row) for row in rows]) + means.var(ddof=1) * (1 + 1 / 6)) * 1.5
    population = reference(*rows, transfer=1.5)
    beyond = stats.t.sf((9.0 - means.mean()) / scale, 5)
    assert reference_p_values(population, [9.0])[0] == pytest.approx(beyond)
    seen = np.mean([np.mean(np.array(row) >= 2.0) for row in rows])
    tail = stats.t.sf((2.0 - means.mean()) / scale, 5)
    assert reference_p_values(population, [2.0])[0] == pytest.approx(max(seen, tail))


def test_many_buildings_do_not_make_the_tail_normal() -> None:
    """Degrees of freedom end at `MOST_DEGREES`."""
    population = buildings(200, np.random.default_rng(0))
    means = np.array([np.mean(row) for row in population.scores])
    scale = math.sqrt(np.mean([np.var(row) for row in population.scores]) + means.var(ddof=1) * (1 + 1 / 200))
    got = reference_p_values(population, [6.0])[0]
    assert got == pytest.approx(stats.t.sf((6.0 - means.mean()) / scale, MOST_DEGREES), rel=1e-9)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=20), st.integers(1, 40))
def test_higher_scores_have_smaller_p_and_more_windows_larger(scores: list[float], windows: int) -> None:
    """Monotone in both."""
    population = buildings(12, np.random.default_rng(1))
    ordered = np.sort(scores)
    p = reference_p_values(population, ordered, np.full(ordered.size, windows))
    assert np.all(np.diff(p) <= 1e-12)
    assert np.all((p > 0) & (p <= 1))
    assert np.all(reference_p_values(population, ordered) <= p + 1e-12)


def test_missing_windows_and_short_buildings_are_left_out() -> None:
    """NaN windows do not count; too few buildings are no reference."""
    rows = [(float(at), math.nan, at + 0.5) for at in range(6)]
    whole = reference(*[(row[0], row[2]) for row in rows])
    np.testing.assert_allclose(
        reference_p_values(reference(*rows), [1.0, 7.0]), reference_p_values(whole, [1.0, 7.0]), rtol=1e-12
    )
    with pytest.raises(ValueError, match="needs 5 buildings"):
        reference_p_values(reference(*[(math.nan,)] * 6), [1.0])


def test_few_points_are_judged_by_the_reference_and_many_by_both() -> None:
    """The source says so; the merged p is the Bonferroni one with the fixed weight."""
    rng = np.random.default_rng(5)
    population = buildings(20, rng)
    few = p_values([0.0, 3.0], [0, 0], ["home"], {"home": population})
    assert few.source == ("reference", "reference")
    assert few.peers.tolist() == [20, 20]
    np.testing.assert_allclose(few.p, reference_p_values(population, [0.0, 3.0]))
    scores = np.append(rng.normal(-1.0, 1.0, ENOUGH_PEERS), 9.0)  # lower than the reference: it is not moved down
    many = p_values(scores, np.zeros(scores.size, int), ["home"], {"home": population})
    assert many.source[-1] == "run and reference"
    assert many.shift[-1] == 0.0
    one = reference_p_values(population, [9.0])[0]
    assert many.p[-1] == pytest.approx(min(one / (1 - RUN_WEIGHT), 1 / (ENOUGH_PEERS + 1) / RUN_WEIGHT))


def test_a_region_that_lies_higher_moves_the_reference_up() -> None:
    """Everybody heats with electricity: nobody stands out, where a lone point with that score would."""
    rng = np.random.default_rng(6)
    population = buildings(30, rng)
    region = rng.normal(5.0, 1.0, 60)
    together = p_values(region, np.zeros(60, int), ["home"], {"home": population})
    alone = p_values([5.0], [0], ["home"], {"home": population})
    assert alone.p[0] < 0.01
    assert (together.p < 0.05).mean() < 0.2
    assert together.shift[0] > 4.0


def test_shapes_and_kinds_must_fit() -> None:
    """One group and one window count for each score, and a kind for each group."""
    with pytest.raises(ValueError, match="for each score"):
        p_values([1.0], [0, 0], ["a"], {})
    with pytest.raises(ValueError, match="for each score"):
        p_values([1.0], [0], ["a"], {}, windows=[1, 2])
    with pytest.raises(ValueError, match="no kind"):
        p_values([1.0], [1], ["a"], {})


# -- does it hold? -----------------------------------------------------------------------------------------------------


def test_innocent_points_of_the_same_population_get_small_p_no_more_often_than_said() -> None:
    """New buildings, new references, each time: at most the asked share, within three standard errors."""
    rng = np.random.default_rng(7)
    p = []
    for _ in range(400):
        population = buildings(10, rng)
        subjects = rng.normal(0.0, 1.0, 20) + 0.5 * rng.normal(size=20)
        p.append(reference_p_values(population, subjects))
    for rate in (0.1, 0.05, 0.01):
        by_reference = np.array([(row <= rate).mean() for row in p])
        assert by_reference.mean() <= rate + 3 * by_reference.std() / 20


def test_the_worst_of_windows_is_judged_as_such() -> None:
    """Points with five windows, by their worst: still no more often than said."""
    rng = np.random.default_rng(8)
    shares = []
    for _ in range(200):
        population = buildings(15, rng, windows=12)
        subjects = (rng.normal(0.0, 1.0, (20, 1)) + 0.5 * rng.normal(size=(20, 5))).max(axis=1)
        shares.append((reference_p_values(population, subjects, np.full(20, 5)) <= 0.05).mean())
    assert np.mean(shares) <= 0.05 + 3 * np.std(shares) / math.sqrt(200)


@pytest.mark.parametrize("points", [30, 300])
def test_lists_hold_their_rate_and_find_machines(points: int) -> None:
    """Benjamini-Hochberg at 10 %, a tenth mining: wrong entries within the rate, and most machines on the list."""
    rng = np.random.default_rng(9)
    wrong, found = [], []
    for _ in range(100):
        population = buildings(30, rng)
        mines = rng.random(points) < 0.1
        scores = rng.normal(0.0, 1.0, points) + 0.5 * rng.normal(size=points) + 9.0 * mines
        p = p_values(scores, np.zeros(points, int), ["home"], {"home": population}).p
        listed = benjamini_hochberg(p, 0.1).listed
        wrong.append((listed & ~mines).sum() / max(listed.sum(), 1))
        found.append((listed & mines).sum() / max(mines.sum(), 1))
    assert np.mean(wrong) <= 0.1
    assert np.mean(found) > 0.7
