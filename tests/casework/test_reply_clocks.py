"""The party's time to reply, where it is given more than once: a second letter, an extension, a pause."""

from pathlib import Path

import pytest

from headframe.records import case as acts
from headframe.records.policy import Clock, ClockState
from headframe.reports.casework import case_lines
from tests.casework.office import DAY_NS, Office, refused


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A case with a class."""
    office = Office(tmp_path / "workspace")
    office.clock.wait(days=10)  # past the days off of May, which would hide two days
    office.find("192.0.2.9")
    office.classify(office.open())
    return office


CASE = "HF-2026-000001"


def reply_clock(office: Office) -> Clock:
    """The one clock of the reply."""
    clocks = office.work.clocks_of(office.work.case(CASE), office.work.now_ns())
    (clock,) = [one for one in clocks if one.id == "reply"]
    return clock


def due(office: Office) -> int:
    """When it is over. [ns since 1970-01-01 UTC]"""
    at_ns = reply_clock(office).due_ns
    assert at_ns is not None
    return at_ns


def test_a_second_letter_gives_the_whole_time_again(office: Office) -> None:
    """Whoever got a second notice has to have read both; the first one's date is no trap."""
    office.notify(CASE)
    first = due(office)
    office.clock.wait(days=2)
    office.notify(CASE)
    assert due(office) >= first + 2 * DAY_NS
    assert reply_clock(office).started_ns == max(row.received_ns for row in office.work.case(CASE).notices)


def test_a_letter_that_asks_nothing_moves_no_date(office: Office) -> None:
    """An information letter beside the notice is no new notice."""
    office.notify(CASE)
    first = due(office)
    office.clock.wait(days=1)
    office.notify(CASE, acts.NoticeKind.INFORMATION)
    assert due(office) == first


def test_an_extension_outlives_a_second_letter(office: Office) -> None:
    """Time that was given is never taken back, and is never cut off by what comes later."""
    office.notify(CASE)
    until = due(office) + 40 * DAY_NS
    office.do("officer", CASE, acts.ExtendClock(clock="reply", until_ns=until, reason="the customer is abroad"))
    assert due(office) == until
    office.clock.wait(days=2)
    office.notify(CASE)
    assert due(office) == until


def test_of_two_extensions_the_later_one_holds(office: Office) -> None:
    """In whichever order they came; one that would shorten the time is refused."""
    office.notify(CASE)
    first = due(office)
    far, near = first + 20 * DAY_NS, first + 10 * DAY_NS
    office.do("officer", CASE, acts.ExtendClock(clock="reply", until_ns=far, reason="asked for time"))
    shorter = acts.ExtendClock(clock="reply", until_ns=near, reason="a slip of the pen")
    assert refused(office.work.perform(office.account("officer"), CASE, shorter))
    assert due(office) == far


def test_a_case_is_shown_with_one_date_for_the_reply(office: Office) -> None:
    """Two letters, one extension: the screen says one date, the one that holds."""
    office.notify(CASE)
    until = due(office) + 40 * DAY_NS
    office.do("officer", CASE, acts.ExtendClock(clock="reply", until_ns=until, reason="asked for time"))
    office.notify(CASE)
    lines = [line for line in case_lines(office.work.view(CASE)) if line.startswith("  reply: running")]
    assert len(lines) == 1
    assert reply_clock(office).state is ClockState.RUNNING
    office.clock.wait(days=(until - office.clock.at_ns) / DAY_NS + 1)
    assert reply_clock(office).state is ClockState.OVER
