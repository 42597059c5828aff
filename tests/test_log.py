"""Log lines."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from headframe import log


@pytest.fixture(autouse=True)
def _unconfigured() -> Iterator[None]:
    """Each test starts without a set-up, and leaves none behind."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def test_a_line_is_an_event_with_fields() -> None:
    """For people: one line of names and values."""
    out = io.StringIO()
    log.set_up("info", stream=out)
    log.get_logger(file="a.pcap").info("file read", packets=12)
    line = out.getvalue()
    assert line.count("\n") == 1
    for part in ("event='file read'", "file='a.pcap'", "packets=12", "level='info'", "timestamp='"):
        assert part in line


def test_json_lines_can_be_read_back() -> None:
    """For programs: one object per line."""
    out = io.StringIO()
    log.set_up("info", as_json=True, stream=out)
    log.get_logger().warning("slow", seconds=3)
    entry = json.loads(out.getvalue())
    assert (entry["event"], entry["seconds"], entry["level"]) == ("slow", 3, "warning")
    assert entry["timestamp"].endswith("+00:00")


def test_below_the_level_nothing_is_written() -> None:
    """A library stays quiet until the program says otherwise."""
    out = io.StringIO()
    log.set_up("warning", stream=out)
    log.get_logger().info("chatter")
    assert out.getvalue() == ""


def test_hostile_fields_cannot_forge_a_line() -> None:
    """A name with a line end or an escape sequence stays inside its quotes."""
    out = io.StringIO()
    log.set_up("info", stream=out)
    log.get_logger().info("seen", pool="x\nlevel='error' \x1b[2J")
    assert out.getvalue().count("\n") == 1
    assert "\x1b" not in out.getvalue()


def test_root_logger_is_left_alone() -> None:
    """A program that embeds Headframe keeps its own logging."""
    before = (logging.getLogger().level, list(logging.getLogger().handlers))
    log.set_up("debug", stream=io.StringIO())
    log.get_logger().error("x")
    assert (logging.getLogger().level, list(logging.getLogger().handlers)) == before


def test_unknown_level_is_refused_with_the_known_ones() -> None:
    """The message says what would be right."""
    with pytest.raises(ValueError, match="log level 'loud' is unknown; it is one of debug, info, warning, error"):
        log.set_up("loud")  # type: ignore[arg-type]
