"""The calibration table: exact bounds, and rows that cannot be typed in by hand."""

import json
import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.evidence.calibration import (
    CalibrationRow,
    CalibrationTable,
    Corpus,
    clopper_pearson_upper,
    count_row,
    stale_rows,
)


def row(matches: int = 0, size: int = 1000, **fields: object) -> CalibrationRow:
    values = {
        "detector": "pool_endpoint", "version": "1", "key": "name", "unit": "names", "on": date(2026, 11, 20),
        "written_by": "headframe calibrate", "corpora": [Corpus(name="zeek logs", size=size, matches=matches)],
    }  # fmt: skip
    return count_row(**(values | fields))  # type: ignore[arg-type]


def at_most(matches: int, size: int, rate: float) -> float:
    """Probability of at most so many matches: the binomial sum, term by term."""
    return math.fsum(math.comb(size, k) * rate**k * (1 - rate) ** (size - k) for k in range(matches + 1))


@given(st.integers(0, 40), st.integers(1, 300), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_bound_is_where_so_few_matches_become_unlikely(matches: int, size: int, confidence: float) -> None:
    """The definition: at the bound, so few matches or fewer have probability ``1 - confidence``."""
    matches = min(matches, size)
    bound = clopper_pearson_upper(matches, size, confidence)
    assert matches / size <= bound <= 1.0
    if matches < size:
        assert at_most(matches, size, bound) == pytest.approx(1 - confidence, rel=1e-6)


def test_bound_without_matches_is_about_three_over_the_size() -> None:
    """The rule of three, and no loss of figures for large sizes."""
    assert clopper_pearson_upper(0, 10**9) == pytest.approx(-math.log(0.05) / 1e9, rel=1e-6)


def test_all_matches_bound_nothing() -> None:
    """If everything matched, the rate may be 1."""
    assert clopper_pearson_upper(7, 7) == 1.0


@pytest.mark.parametrize(
    ("matches", "size", "confidence"), [(0, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (0, 5, 0.0), (0, 5, 1.0)]
)
def test_impossible_counts_are_refused(matches: int, size: int, confidence: float) -> None:
    """The message gives the range."""
    with pytest.raises(ValueError, match=r"must lie|need 0 <="):
        clopper_pearson_upper(matches, size, confidence)


def test_row_sums_its_corpora() -> None:
    """Sizes and matches add up; corpora stand in order of name."""
    counted = row(corpora=[Corpus(name="b", size=100, matches=1), Corpus(name="a", size=200, matches=0)])
    assert (counted.size, counted.matches) == (300, 1)
    assert [corpus.name for corpus in counted.corpora] == ["a", "b"]
    assert counted.bound == clopper_pearson_upper(1, 300)


def test_empty_corpora_are_refused() -> None:
    """Nothing counted is no row."""
    with pytest.raises(ValueError, match="nothing was counted"):
        row(size=0)


def test_text_reads_back_equal_and_the_order_of_rows_does_not_matter() -> None:
    """from_json is the inverse of to_json."""
    rows = [row(key="name"), row(matches=3, key="address", unit="addresses"), row(detector="stratum", key="json")]
    text = CalibrationTable(rows).to_json()
    assert CalibrationTable(reversed(rows)).to_json() == text
    assert CalibrationTable.from_json(text).rows == CalibrationTable(rows).rows


def test_evidence_is_the_reciprocal_of_the_bound() -> None:
    """``log10_e`` of a match; none where nothing was counted, with a sentence that says so."""
    table = CalibrationTable([row(size=29_956)])
    assert table.log10_e("pool_endpoint", "name") == pytest.approx(4.0, abs=1e-3)
    assert table.missing("pool_endpoint", "name") is None
    assert table.log10_e("pool_endpoint", "other") == 0.0
    assert "headframe calibrate" in (table.missing("pool_endpoint", "other") or "")


def test_new_rows_replace_old_ones() -> None:
    """Counting one detector again leaves the others."""
    table = CalibrationTable([row(), row(key="address")]).with_rows([row(size=5000)])
    assert [(each.key, each.size) for each in table.rows] == [("address", 1000), ("name", 5000)]


def test_two_rows_for_one_key_are_refused() -> None:
    """Which of them would speak?"""
    with pytest.raises(ValueError, match="two rows"):
        CalibrationTable([row(), row(size=5)])


@pytest.mark.parametrize("change", [{"bound": 1e-9}, {"size": 10**6}, {"matches": 5}, {"unit": None, "surplus": 1}])
def test_table_changed_by_hand_is_refused(change: dict[str, object]) -> None:
    """A bound, size or count that does not follow from the corpora is no count."""
    content = json.loads(CalibrationTable([row()]).to_json())
    content["rows"][0] |= change
    with pytest.raises(ValueError, match=r"."):
        CalibrationTable.from_json(json.dumps(content))


def test_stale_rows_are_named() -> None:
    """A detector that changed must be counted again."""
    table = CalibrationTable([row(), row(detector="stratum", key="json")])
    assert stale_rows(table, {"pool_endpoint": "1", "stratum": "1"}) == []
    sentences = stale_rows(table, {"pool_endpoint": "2", "stratum": "1"})
    assert len(sentences) == 1
    assert "pool_endpoint name was counted on 2026-11-20 for version 1" in sentences[0]
