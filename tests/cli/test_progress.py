"""Progress on standard error."""

import io
from types import SimpleNamespace

import pytest

from headframe.cli.progress import ProgressDisplay, progress_line


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def step(read: int, total: int | None = 1_000_000_000, packets: int = 0, file: str = "a.pcap") -> SimpleNamespace:
    return SimpleNamespace(bytes_read=read, bytes_total=total, packets=packets, file=file)


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_nothing_is_shown_in_the_first_second(stream: type[io.StringIO]) -> None:
    """What is quick needs no progress bar."""
    out, clock = stream(), Clock()
    with ProgressDisplay(out, monotonic_s=clock) as display:
        for tenth in range(10):
            clock.now_s = 100 + tenth / 10
            display(step(tenth))
    assert out.getvalue() == ""


def test_plain_lines_now_and_then_without_a_terminal() -> None:
    """A log gets a line after five seconds and then one every ten."""
    out, clock = io.StringIO(), Clock()
    with ProgressDisplay(out, monotonic_s=clock) as display:
        for second in range(26):
            clock.now_s = 100 + second
            display(step(second * 10_000_000, packets=second * 1_000_000))
    assert out.getvalue().splitlines() == [
        "headframe: 50 MB of 1 GB (5 %), 1 M packets/s, 1 min 35 s left",
        "headframe: 150 MB of 1 GB (15 %), 1 M packets/s, 1 min 25 s left",
        "headframe: 250 MB of 1 GB (25 %), 1 M packets/s, 1 min 15 s left",
    ]


def test_bar_on_a_terminal_goes_away_at_the_end() -> None:
    """Bytes, packets per second and time left; the cursor comes back, also after a fault."""
    out, clock = Terminal(), Clock()
    with pytest.raises(KeyboardInterrupt), ProgressDisplay(out, monotonic_s=clock) as display:
        clock.now_s = 102
        display(step(500_000_000, packets=3_000_000))
        raise KeyboardInterrupt
    text = out.getvalue()
    assert "packets/s" in text
    assert "2 s left" in text
    assert "0.5/1.0 GB" in text
    assert "\x1b[?25h" in text


def test_quiet_is_quiet() -> None:
    """Even after an hour."""
    out, clock = io.StringIO(), Clock()
    with ProgressDisplay(out, quiet=True, monotonic_s=clock) as display:
        clock.now_s = 3_700
        display(step(1))
    assert out.getvalue() == ""


def test_closed_standard_error_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the program was started with ``2>&-``, Python has no standard error at all."""
    monkeypatch.setattr("sys.stderr", None)
    clock = Clock()
    with ProgressDisplay(monotonic_s=clock) as display:
        clock.now_s = 3_700
        display(step(1))


def test_unknown_total_has_no_percentage_and_no_time_left() -> None:
    """Nobody knows how long standard input is."""
    assert progress_line(step(5_000_000, None, 20_000), 2.0) == "5 MB, 10 k packets/s"


def test_hostile_file_name_cannot_drive_the_terminal() -> None:
    """A file in a scanned folder may have any name."""
    out, clock = Terminal(), Clock()
    with ProgressDisplay(out, monotonic_s=clock) as display:
        clock.now_s = 102
        display(step(1, file="[red]\x1b]0;gone\x07"))
    assert "\x1b]0" not in out.getvalue()
    assert "[red]" in out.getvalue()


def test_a_second_run_is_measured_from_its_own_start() -> None:
    """A calibration reads one corpus after another; the rate of the second must not suffer from the first."""
    out, clock = io.StringIO(), Clock()
    with ProgressDisplay(out, monotonic_s=clock) as display:
        clock.now_s = 200
        display(step(900_000_000))
        clock.now_s = 211
        display(step(0))
        clock.now_s = 221
        display(step(500_000_000, packets=10_000_000))
    assert out.getvalue().splitlines()[-1] == "headframe: 500 MB of 1 GB (50 %), 1 M packets/s, 10 s left"
