"""What took the place of a meter or a prefix, and which detectors looked at how much."""

from headframe.cases.looked import DAY_NS, Look, chains_of, detectors_that_looked, followed
from headframe.records.assessment import Looked
from headframe.records.spans import joined, length, within

WINDOW = (100 * DAY_NS, 130 * DAY_NS)
EVER, NEVER = -(1 << 62), 1 << 62


def span(first: float, last: float | None = None) -> tuple[int, int]:
    """From a day to a day."""
    return int(first * DAY_NS), NEVER if last is None else int(last * DAY_NS)


def test_a_meter_that_stays_stands_for_itself() -> None:
    """Nothing takes its place, whatever begins meanwhile."""
    chains, heirs = followed({"A"}, {"A": [(EVER, NEVER)], "B": [span(105)]}, WINDOW)
    assert chains["A"].names == ("A",)
    assert chains["A"].whole
    assert heirs == frozenset()


def test_one_after_another_and_each_once() -> None:
    """Two swaps in a row; and of two that end on a day, one new meter takes the place of one."""
    chains, _ = followed({"A"}, {"A": [span(0, 90)], "B": [span(91, 110)], "C": [span(110)]}, WINDOW)
    assert chains["A"].names == ("A", "B", "C")
    assert chains["A"].whole
    both, heirs = followed({"A", "B"}, {"A": [span(0, 90)], "B": [span(0, 90)], "C": [span(90)]}, WINDOW)
    assert sorted(one.whole for one in both.values()) == [False, True]
    assert heirs == {"C"}


def test_what_begins_much_later_took_no_place() -> None:
    """A week is what a registry may need; within the window it is the same."""
    for first, whole in ((96.9, True), (97.1, False)):
        chains, _ = followed({"A"}, {"A": [span(0, 90)], "B": [span(first)]}, WINDOW)
        assert chains["A"].whole is whole
    chains, _ = followed({"A"}, {"A": [span(0, 110), span(125)]}, WINDOW)
    assert not chains["A"].whole
    chains, _ = followed({"A"}, {"A": [span(0, 110), span(112)]}, WINDOW)
    assert chains["A"].whole
    chains, _ = followed({"A"}, {"A": [span(0, 90)], "B": [span(90, 120)]}, WINDOW)
    assert not chains["A"].whole
    assert not followed({"A"}, {}, WINDOW)[0]["A"].whole


def test_a_detector_counts_where_it_ran_for_long_enough() -> None:
    """Two scans, each of a half; a silence within one counts only if the sensor says that it recorded."""
    halves = [
        Look(name="a", looked=Looked(detectors=("stratum 2",), recorded=(span(90, 116),))),
        Look(name="b", looked=Looked(detectors=("stratum 2", "pool_endpoint 2"), recorded=(span(116, 130),))),
    ]
    assert detectors_that_looked(halves, [], [], [], WINDOW, 0.9, []) == ["stratum 2"]
    broken = [Look(name="a", looked=Looked(detectors=("stratum 2",), recorded=(span(100, 105), span(125, 130))))]
    assert detectors_that_looked(broken, [], [], [], WINDOW, 0.9, []) == []
    assert detectors_that_looked(broken, [span(0, 200)], [], [], WINDOW, 0.9, []) == ["stratum 2"]
    none = [Look(name="a", looked=Looked(detectors=("stratum 2",)))]
    assert detectors_that_looked(none, [span(0, 200)], [], [], WINDOW, 0.9, []) == []


def test_the_chains_of_a_case() -> None:
    """Of findings of timing alone, from what their documents say."""
    documents = [
        {"detector": "chain_sync", "block_sync": {"chain": "BTC"}},
        {"detector": "chain_sync", "block_sync": None},
        {"detector": "peer_sync", "block_sync": {"chain": "XMR"}},
        {"detector": "stratum"},
    ]
    assert chains_of(documents) == {"BTC"}


def test_spans() -> None:
    """Together, within a window, and how long."""
    assert joined([(5, 7), (0, 2), (2, 3)]) == [(0, 3), (5, 7)]
    assert joined([(0, 2), (6, 7)], slack_ns=4) == [(0, 2), (6, 7)], "as long as the slack is a gap"
    assert within([(0, 4), (3, 6), (9, 12)], 2, 10) == [(2, 6), (9, 10)]
    assert length([(0, 4), (3, 6)]) == 6
    assert length([]) == 0
