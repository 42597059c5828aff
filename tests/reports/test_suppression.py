"""Small cells: what is hidden, and that nobody can compute it from what is shown."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from headframe.reports.suppression import attack, may_show_energy, suppress, suppress_energy

Key = tuple[str, str]


def table(cells: list[list[int]]) -> tuple[dict[Key, float], list[tuple[Key, list[Key]]]]:
    """A table with its row sums, column sums and total."""
    rows, columns = range(len(cells)), range(len(cells[0]))
    figures = {(f"r{i}", f"c{j}"): float(cells[i][j]) for i in rows for j in columns}
    sums: list[tuple[Key, list[Key]]] = []
    for i in rows:
        figures[f"r{i}", "all"] = float(sum(cells[i]))
        sums.append(((f"r{i}", "all"), [(f"r{i}", f"c{j}") for j in columns]))
    for j in columns:
        figures["all", f"c{j}"] = float(sum(cells[i][j] for i in rows))
        sums.append((("all", f"c{j}"), [(f"r{i}", f"c{j}") for i in rows]))
    figures["all", "all"] = float(sum(map(sum, cells)))
    sums.append((("all", "all"), [(f"r{i}", "all") for i in rows]))
    sums.append((("all", "all"), [("all", f"c{j}") for j in columns]))
    return figures, sums


def test_a_total_does_not_give_a_cell_away() -> None:
    """One hidden cell in a row with a total is no hidden cell."""
    figures, sums = table([[2, 30, 40], [20, 25, 30], [12, 18, 60]])
    assert attack(figures, sums, [("r0", "c0")]) == {("r0", "c0"): (2.0, 2.0)}
    answer = suppress(figures, sums)
    assert answer.primary == {("r0", "c0")}
    assert len(answer.complementary) == 3
    low, high = attack(figures, sums, answer.primary | answer.complementary)["r0", "c0"]
    assert high - low >= 5
    assert "Counts of 1 to 4" in answer.words
    assert "give those away" in answer.words


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(st.integers(0, 40), min_size=width, max_size=width), min_size=2, max_size=5)
    ),
    st.integers(2, 8),
)
def test_no_hidden_cell_can_be_computed(cells: list[list[int]], min_cell: int) -> None:
    """Whatever the table: an attacker's bounds on every small cell stay as wide as the minimum, and hold the truth.

    Where a table has nothing else to hide behind, everything that is tied to the cell is hidden.
    """
    figures, sums = table(cells)
    answer = suppress(figures, sums, min_cell=min_cell)
    hidden = answer.primary | answer.complementary
    assert set(answer.shown) == set(figures) - hidden
    assert all(value == 0 or value >= min_cell for value in answer.shown.values())
    for key, (low, high) in attack(figures, sums, hidden).items():
        assert low - 1e-6 <= figures[key] <= high + 1e-6
        assert high > low, "one that follows from the rest is not hidden"
        if key in answer.primary:
            assert high - low >= min_cell - 1e-6


def test_a_hidden_count_is_at_least_one() -> None:
    """Zeros are shown, so five hidden counts that add up to 5 are five times 1: the sum is hidden with them."""
    regions = {f"r{k}": 1.0 for k in range(5)}
    figures = {**regions, "all": 5.0}
    sums = [("all", list(regions))]
    assert set(attack(figures, sums, list(regions)).values()) == {(1.0, 1.0)}
    answer = suppress(figures, sums)
    assert not answer.shown
    figures = {"r0": 1.0, "r1": 1.0, "r2": 1.0, "r3": 2.0, "r4": 9.0, "r5": 0.0, "all": 14.0}
    answer = suppress(figures, [("all", ["r0", "r1", "r2", "r3", "r4", "r5"])])
    assert answer.complementary == {"r4"}, "one more is enough"
    assert answer.shown == {"r5": 0.0, "all": 14.0}


CELLS, MOST = 6, 8


@cache
def all_tables() -> NDArray[np.int8]:
    """Every table of six counts of 0 to 8, one in each column."""
    return np.indices((MOST + 1,) * CELLS, dtype=np.int8).reshape(CELLS, -1)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=CELLS, max_size=CELLS), st.integers(2, 4), st.booleans())
def test_every_table_that_fits_is_tried(cells: list[int], min_cell: int, with_parts: bool) -> None:
    """An attack that shares nothing with the product: of all tables, those in which what is shown is what it is, a
    hidden count is above zero, and a part is not above its whole. Each small count has enough values among them.

    The six are a table of two rows with all their sums, or three regions with the cases of a step in the second row.
    """
    rows = [cells[:3], [min(one, whole) for one, whole in zip(cells[3:], cells, strict=False)]]
    figures, sums = table([rows[0], rows[1] if with_parts else cells[3:]])
    at_most: list[tuple[Key, Key]] = []
    if with_parts:
        figures = {key: value for key, value in figures.items() if key[0] != "all"}
        sums = sums[:2]
        at_most = [(("r1", column), ("r0", column)) for column in ("c0", "c1", "c2", "all")]
    answer = suppress(figures, sums, min_cell=min_cell, at_most=at_most)
    counts: dict[Key, NDArray[np.int64]] = {
        (f"r{i}", f"c{j}"): all_tables()[3 * i + j] for i in range(2) for j in range(3)
    }
    for total, parts in sums:
        counts.setdefault(total, sum((counts[part] for part in parts), np.zeros(1, dtype=np.int64)))
    fits = np.ones((MOST + 1) ** CELLS, dtype=bool)
    for key, value in figures.items():
        fits &= counts[key] == value if key in answer.shown else counts[key] >= 1
    for part, whole in at_most:
        fits &= counts[part] <= counts[whole]
    assert fits.any(), "a hidden zero"
    for key in answer.primary:
        values = counts[key][fits]
        assert values.max() - values.min() >= min_cell, (key, figures[key], values.min(), values.max())


def test_nothing_is_hidden_without_need() -> None:
    """Zeros and large counts stay, and the words are empty."""
    figures, sums = table([[0, 30], [20, 25]])
    answer = suppress(figures, sums)
    assert answer.shown == figures
    assert not answer.words


def test_a_lone_figure_needs_no_company() -> None:
    """Without a total there is nothing to compute from."""
    answer = suppress({"a": 3.0, "b": 50.0})
    assert answer.primary == {"a"}
    assert not answer.complementary


def test_a_part_and_its_whole_do_not_give_a_cell_away() -> None:
    """Of 6 and 8 cases 12 are closed: then at least 4 of the 6 are, whatever is hidden."""
    figures = {"all a": 6.0, "all b": 8.0, "all": 14.0, "closed a": 4.0, "closed b": 8.0, "closed": 12.0}
    sums = [("all", ["all a", "all b"]), ("closed", ["closed a", "closed b"])]
    at_most = [(f"closed{of}", f"all{of}") for of in (" a", " b", "")]
    assert attack(figures, sums, ["closed a", "closed b"])["closed a"] == (1.0, 11.0)
    assert attack(figures, sums, ["closed a", "closed b"], at_most)["closed a"] == (4.0, 6.0)
    answer = suppress(figures, sums, at_most=at_most)
    low, high = attack(figures, sums, answer.primary | answer.complementary, at_most)["closed a"]
    assert high - low >= 5


def test_what_is_never_shown_ties_the_rest_together() -> None:
    """Two tables that overlap in a set which stands in neither: 3 of 24 that are not in the first are in the second."""
    figures = {"first": 21.0, "second": 4.0, "both": 1.0, "only first": 20.0, "only second": 3.0, "all": 24.0}
    sums = [
        ("first", ["both", "only first"]),
        ("second", ["both", "only second"]),
        ("all", ["both", "only first", "only second"]),
    ]
    unseen = ["both", "only first", "only second"]
    assert attack(figures, sums, ["second", *unseen], never_shown=unseen)["second"] == (3.0, 24.0)
    answer = suppress(figures, sums, never_shown=unseen)
    assert answer.primary == {"second"}
    assert not set(answer.shown) & set(unseen)
    assert "1 of 3 figures" in answer.words


def test_sums_must_be_sums() -> None:
    """A total that is none would make the attack blind."""
    with pytest.raises(ValueError, match="add up to"):
        suppress({"a": 3.0, "b": 4.0, "t": 9.0}, [("t", ["a", "b"])])
    with pytest.raises(ValueError, match="not in the table"):
        suppress({"a": 3.0, "t": 3.0}, [("t", ["a", "b"])])
    with pytest.raises(ValueError, match="above 3"):
        suppress({"a": 4.0, "t": 3.0}, at_most=[("a", "t")])
    with pytest.raises(ValueError, match="not in the table"):
        suppress({"a": 4.0}, at_most=[("a", "t")])


@pytest.mark.parametrize(
    ("points", "wanted"),
    [([1.0] * 15, True), ([1.0] * 14, False), ([1.0] * 30 + [6.0], False), ([1.0] * 30 + [5.0], True), ([], True)],
)
def test_fifteen_fifteen(points: list[float], wanted: bool) -> None:
    """At least 15 points, and none above 15 % of the sum."""
    assert may_show_energy(points) is wanted


def test_energy_of_few_points_is_hidden_with_company() -> None:
    """A district of three feeders, one with four points: its sum must not follow from the others and the total."""
    parts = {"a": [10.0] * 40, "b": [9.0] * 4, "c": [11.0] * 50}
    parts["all"] = [one for name in "abc" for one in parts[name]]
    sums = [("all", ["a", "b", "c"])]
    answer = suppress_energy(parts, sums)
    assert answer.primary == {"b"}
    assert answer.complementary == {"a"}
    figures = {key: math.fsum(values) for key, values in parts.items()}
    low, high = attack(figures, sums, ["a", "b"])["b"]
    assert high - low >= 0.3 * figures["b"]
