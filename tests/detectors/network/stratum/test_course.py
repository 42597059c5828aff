"""A session in few bins: every job and every share is counted once."""

from hypothesis import given
from hypothesis import strategies as st

from headframe.detectors.network.stratum.course import BINS_S, course_of
from headframe.records.finding import MOST_COURSE_BINS

SECOND = 1_000_000_000
YEAR = 366 * 86_400 * SECOND
ANSWERS = ("accepted", "rejected", "stale", "unanswered")
TIMES = st.integers(0, YEAR)


@given(
    st.lists(TIMES, max_size=60),
    st.lists(st.tuples(TIMES, st.sampled_from(ANSWERS)), max_size=60),
)
def test_nothing_is_lost_and_nothing_is_counted_twice(jobs: list[int], shares: list[tuple[int, str]]) -> None:
    """Sums are kept, bins are few and begin at multiples of their length, and each count lies in its bin."""
    course = course_of(jobs, shares)
    if not jobs and not shares:
        assert course is None
        return
    assert course is not None
    assert sum(course.jobs) == len(jobs)
    assert {answer: sum(counts) for answer, counts in course.shares} == {
        answer: n for answer in ANSWERS if (n := sum(one == answer for _, one in shares))
    }
    assert all(len(counts) <= MOST_COURSE_BINS for counts in (course.jobs, *(row for _, row in course.shares)))
    assert course.started_ns % (course.bin_s * SECOND) == 0
    for at in jobs:
        assert course.jobs[(at - course.started_ns) // (course.bin_s * SECOND)] > 0


def test_a_bin_is_no_longer_than_it_must_be() -> None:
    """A minute more would hide what the session did; a length less would not fit."""
    jobs = [at * 60 * SECOND for at in range(90)]
    course = course_of(jobs, [])
    assert course is not None
    assert course.bin_s == 60
    assert course.shares == ()
    assert BINS_S[BINS_S.index(60) - 1] * MOST_COURSE_BINS < 90 * 60
