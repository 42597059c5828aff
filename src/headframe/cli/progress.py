"""Progress on standard error, for anything that lasts: a bar on a terminal, else a plain line now and then."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from headframe import clock
from headframe.reports.words import NS_PER_S, duration, si, size, visible

if TYPE_CHECKING:
    from headframe.app import Progress

SILENT_FOR_S = 1.0
"""What is done by then needs no progress bar. [s]"""
FIRST_LINE_AFTER_S = 5.0
LINE_EVERY_S = 10.0
"""Plain lines where standard error is no terminal: a log should not fill with them. [s]"""


class ProgressDisplay:
    """Shows how far a scan is; handed to it as its `progress` callback.

    Parameters
    ----------
    stream : text stream or None
        None is standard error.
    quiet : bool
        Show nothing at all.
    monotonic_s : callable
        Clock, for tests. [s]
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        quiet: bool = False,
        monotonic_s: Callable[[], float] = clock.monotonic_s,
    ) -> None:
        # None also where standard error was closed: then there is nowhere to show anything.
        self._stream: TextIO | None = sys.stderr if stream is None else stream
        self._quiet = quiet
        self._monotonic_s = monotonic_s
        self._started_s = monotonic_s()
        self._next_line_s = self._started_s + FIRST_LINE_AFTER_S
        self._run_started_s = self._started_s
        self._bytes_read = 0
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "ProgressDisplay":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, progress: "Progress") -> None:
        """Show how far the scan is; cheap enough to be called for each batch."""
        if self._quiet or self._stream is None:
            return
        now_s = self._monotonic_s()
        if progress.bytes_read < self._bytes_read:
            # A calibration reads one corpus after another, and each begins at zero.
            self._run_started_s = now_s
        self._bytes_read = progress.bytes_read
        if now_s - self._started_s < SILENT_FOR_S:
            return
        if self._stream.isatty():
            self._show_bar(self._stream, progress, now_s)
        elif now_s >= self._next_line_s:
            self._next_line_s = now_s + LINE_EVERY_S
            self._stream.write(f"headframe: {progress_line(progress, now_s - self._run_started_s)}\n")
            self._stream.flush()

    def _show_bar(self, stream: TextIO, progress: "Progress", now_s: float) -> None:
        elapsed_s = now_s - self._run_started_s
        if self._bar is None:
            self._bar = _new_bar(stream)
            self._task = self._bar.add_task("", total=progress.bytes_total, rate="", left="", file="")
            self._bar.start()
        self._bar.update(
            self._task,
            completed=progress.bytes_read,
            total=progress.bytes_total,
            rate=f"{_rate(progress, elapsed_s)} packets/s",
            left=_time_left(progress, elapsed_s),
            file=visible(progress.file, longest=80),
        )


def progress_line(progress: "Progress", elapsed_s: float) -> str:
    """How far a scan is, in one line.

    Parameters
    ----------
    progress : headframe.app.Progress
    elapsed_s : float
        Since the scan began. [s]

    Returns
    -------
    str
    """
    read = size(progress.bytes_read)
    if progress.bytes_total:
        read += f" of {size(progress.bytes_total)} ({100 * progress.bytes_read // progress.bytes_total} %)"
    left = _time_left(progress, elapsed_s)
    return f"{read}, {_rate(progress, elapsed_s)} packets/s" + (f", {left}" if left else "")


def _rate(progress: "Progress", elapsed_s: float) -> str:
    return si(progress.packets / elapsed_s, "").strip() if elapsed_s > 0 else "0"


def _time_left(progress: "Progress", elapsed_s: float) -> str:
    if not progress.bytes_total or progress.bytes_read <= 0:
        return ""
    left_s = elapsed_s * max(progress.bytes_total - progress.bytes_read, 0) / progress.bytes_read
    # Whole seconds: a fraction that jumps about tells nothing.
    return f"{duration(round(left_s) * NS_PER_S)} left"


def _new_bar(stream: TextIO) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    return Progress(
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TextColumn("{task.fields[left]}", markup=False),
        TextColumn("{task.fields[file]}", markup=False, style="dim"),
        console=Console(file=stream, markup=False, emoji=False),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
