"""The drawing of a session."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.finding import Shares, Timeline
from headframe.reports.picture import AXIS_UNITS, TimeAxis, time_axis
from headframe.reports.timeline import draw_range, draw_timeline
from tests.reports import samples

S = samples.SECOND
T0 = samples.START_NS


def drawn(timeline: Timeline, **options: int) -> tuple[ET.Element, tuple[str, ...]]:
    options = {"started_ns": T0, "ended_ns": T0 + 1_000 * S, **options}
    drawing = draw_timeline(timeline, **options)
    assert drawing is not None
    return ET.fromstring(drawing.svg), drawing.notes


def paths(svg: ET.Element, kind: str) -> str:
    return " ".join(path.get("d", "") for path in svg.iter("path") if kind in path.get("class", "").split())


def test_nothing_to_draw() -> None:
    """An empty timeline has no picture, and neither has one of useless numbers."""
    assert draw_timeline(Timeline(), started_ns=T0, ended_ns=T0) is None
    assert draw_timeline(Timeline(difficulty=((T0, float("nan")),)), started_ns=T0, ended_ns=T0) is None


def test_marks_stand_at_their_time() -> None:
    """A quarter of the way through the session is a quarter of the way along the axis."""
    svg, notes = drawn(Timeline(jobs=(T0, T0 + 250 * S, T0 + 1_000 * S)), slots=1_000)
    assert re.findall(r"M(\d+) ", paths(svg, "job")) == ["0", "250", "1000"]
    assert notes == ()


def test_every_share_is_a_dot_where_there_is_room() -> None:
    """Dots by outcome: each outcome has a row of its own, so colour is not the only sign."""
    shares = tuple(
        (T0 + n * 100 * S, outcome) for n, outcome in enumerate(["accepted", "rejected", "stale", "unanswered"])
    )
    svg, notes = drawn(Timeline(shares=shares))
    for outcome in ("accepted", "rejected", "stale", "unanswered"):
        assert paths(svg, outcome).count("h0") == 1
    assert notes == ()
    names = [text.text for text in svg.iter("text")]
    assert {"Shares accepted", "Shares rejected", "Shares stale", "Shares unanswered"} <= set(names)


def test_step_line_falls_and_rises_with_the_difficulty() -> None:
    """Up on the screen is a smaller y."""
    svg, _ = drawn(Timeline(difficulty=((T0, 1.0), (T0 + 500 * S, 4.0), (T0 + 750 * S, 2.0))), slots=1_000)
    first, second, third = (float(y) for y in re.findall(r"(?:V|M\d+ )([\d.]+)", paths(svg, "difficulty")))
    assert second < third < first
    assert re.findall(r"H(\d+)", paths(svg, "difficulty")) == ["500", "750", "1000"]


def test_thinning_is_stated_with_its_number() -> None:
    """What the pixels cannot show is counted in words."""
    timeline = samples.timeline(3, hours=24, jobs_every_s=5, shares_every_s=2)
    svg, notes = drawn(timeline, slots=100, columns=50, ended_ns=T0 + 86_400 * S)
    ticks = paths(svg, "job").count("M")
    assert ticks <= 101
    assert f"{len(timeline.jobs):,} jobs are drawn as {ticks} ticks" in notes
    per_dot = int(re.search(r"up to ([\d,]+) accepted", " ".join(notes)).group(1).replace(",", ""))  # type: ignore[union-attr]
    accepted = sum(outcome == "accepted" for _, outcome in timeline.shares)
    dots = paths(svg, "accepted").count("h0")
    assert accepted <= dots * per_dot
    assert dots <= 5 * 50


def test_drawing_does_not_grow_with_the_session() -> None:
    """A hundred times the shares, the same order of size."""
    few = draw_timeline(samples.timeline(1), started_ns=T0, ended_ns=T0, slots=100, columns=50)
    many = draw_timeline(samples.timeline(1, hours=600), started_ns=T0, ended_ns=T0, slots=100, columns=50)
    assert few is not None
    assert many is not None
    assert len(many.svg) < 2 * len(few.svg)


@given(
    st.lists(st.integers(-(2**70), 2**70), max_size=5),
    st.lists(st.tuples(st.integers(-(2**70), 2**70), st.text()), max_size=5),
    st.lists(st.tuples(st.integers(-(2**70), 2**70), st.floats()), max_size=5),
    st.integers(-(2**70), 2**70),
    st.integers(-(2**70), 2**70),
)
def test_any_timeline_gives_well_formed_svg(jobs, shares, difficulty, started, ended) -> None:  # type: ignore[no-untyped-def]
    """Strange times and hostile outcomes neither raise nor get into the picture."""
    drawing = draw_timeline(
        Timeline(jobs=tuple(jobs), shares=tuple(shares), difficulty=tuple(difficulty)),
        started_ns=started,
        ended_ns=ended,
    )
    if drawing is not None:
        svg = ET.fromstring(drawing.svg)
        for kind in ("job", "dot"):
            assert all(0 <= int(x) <= AXIS_UNITS for x in re.findall(r"M(\d+) ", paths(svg, kind)))
        assert len(list(svg.iter("text"))) < 30


@pytest.mark.parametrize("length_s", [1, 7, 61, 600, 3_601, 22_265, 122_400, 3_000_000, 400_000_000])
def test_axis_has_a_few_labels_at_round_times(length_s: int) -> None:
    """Between one and five labels, whatever the length; on a telephone more would overlap."""
    svg, _ = drawn(Timeline(jobs=(T0,)), ended_ns=T0 + length_s * S)
    axis = next(group for group in svg.iter("g") if group.get("class") == "axis")
    assert 1 <= len(list(axis)) <= 5


def test_range_bar_refuses_nonsense() -> None:
    """No picture is better than a wrong one."""
    assert draw_range(1.0, 2.0, 3.0) is not None
    for low, middle, high in [(3.0, 2.0, 1.0), (0.0, 0.0, 0.0), (float("nan"), 1.0, 2.0), (0.0, 1.0, float("inf"))]:
        assert draw_range(low, middle, high) is None


def test_shares_that_the_timeline_does_not_hold_are_counted() -> None:
    """A detector may keep only some shares of a long session; the figure beside the dots is that of all of them."""
    drawing = draw_timeline(
        Timeline(shares=((T0, "accepted"), (T0 + S, "accepted"))),
        started_ns=T0,
        ended_ns=T0 + 10 * S,
        counted=Shares(accepted=5_051),
    )
    assert drawing is not None
    assert ">5,051</text>" in drawing.svg
    assert drawing.notes == ("2 of 5,051 accepted shares were kept",)


def test_labels_over_midnight_name_each_day_once() -> None:
    """The first label and each midnight carry the date; four full dates would overlap on a telephone."""
    svg, _ = drawn(Timeline(jobs=(T0,)), ended_ns=T0 + 23 * 3600 * S)
    axis = next(group for group in svg.iter("g") if group.get("class") == "axis")
    assert [label.text for label in axis] == ["04-16 06:00", "12:00", "18:00", "04-17"]


@given(length_s=st.integers(60, 800 * 86_400), later_s=st.integers(0, 400 * 86_400))
def test_labels_of_a_telephone_do_not_meet(length_s: int, later_s: int) -> None:
    """A picture is 260 px wide there, and a digit of 11 px letters 6.4 px; what meets is for wider ones only."""
    axis = ET.fromstring(time_axis(TimeAxis(T0 + later_s * S, length_s * S), 0)[1])
    ends = -15.0  # the rim of a card, into which a label at the edge may reach
    for label in axis:
        classes = label.get("class", "").split()
        if "wide" in classes:
            continue
        width, place = len(label.text or "") * 6.4, float(label.get("x", "").removesuffix("%")) * 2.6
        left = place - width * (0.0 if "first" in classes else 1.0 if "last" in classes else 0.5)
        assert left > ends
        ends = left + width
    assert "wide" not in axis[0].get("class", "").split()
