"""Let Ctrl-C end standard input instead of the scan: a live capture has no other end."""

import contextlib
import fcntl
import os
import select
import signal
import sys
import threading
from types import FrameType, TracebackType

from headframe import clock

GRACE_S = 0.5
"""``tcpdump -w - | headframe scan -``: Ctrl-C reaches both, and what tcpdump still has in a buffer should count. [s]"""
_PIECE = 1 << 20
_STDIN = 0


class InterruptibleInput:
    """While it is entered, the first Ctrl-C ends standard input; the second one raises KeyboardInterrupt.

    A reader that waits for a silent pipe cannot be woken, so it is given another pipe in its place: a thread hands
    over what comes, and closes that pipe when it is told to stop. Does nothing where standard input is no file of the
    system or Ctrl-C is not Python's to handle, as in a job in the background.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self._thread: threading.Thread | None = None
        self._real = self._wake_read = self._wake_write = self._to_reader = -1
        self._gone = False

    def __enter__(self) -> "InterruptibleInput":
        if not _is_ours():
            return self
        self._real = os.dup(_STDIN)
        from_pump, self._to_reader = os.pipe()
        self._wake_read, self._wake_write = os.pipe()
        # Full pipes make both sides wait for each other; a larger one does so less often. The system may refuse.
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._to_reader, fcntl.F_SETPIPE_SZ, _PIECE)
        os.dup2(from_pump, _STDIN)
        os.close(from_pump)
        self._thread = threading.Thread(target=self._pump, name="headframe-stdin", daemon=True)
        self._thread.start()
        signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._thread is None:
            return
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # The reader is gone: a thread that waits for room in its pipe gets an error and ends.
        os.dup2(self._real, _STDIN)
        self._stop(at_once=True)
        self._thread.join()
        for number in (self._real, self._wake_read, self._wake_write):
            os.close(number)

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        first = not self.interrupted
        self.interrupted = True
        self._stop(at_once=not first)
        if not first:
            raise KeyboardInterrupt

    def _stop(self, *, at_once: bool) -> None:
        self._gone = self._gone or at_once
        os.write(self._wake_write, b"!")

    def _pump(self) -> None:
        deadline_s: float | None = None
        try:
            while not self._gone:
                left_s = None if deadline_s is None else deadline_s - clock.monotonic_s()
                if left_s is not None and left_s <= 0:
                    break
                watched = [self._real, self._wake_read]
                ready, _, _ = select.select(watched, [], [], left_s)
                if self._wake_read in ready:
                    os.read(self._wake_read, 1)
                    if deadline_s is None:
                        deadline_s = clock.monotonic_s() + GRACE_S
                    continue
                if self._real in ready:
                    piece = memoryview(os.read(self._real, _PIECE))
                    if not piece:
                        break
                    while piece:
                        piece = piece[os.write(self._to_reader, piece) :]
        except OSError:
            pass  # the reader is gone, or standard input cannot be read: for the reader both are its end
        finally:
            os.close(self._to_reader)


def _is_ours() -> bool:
    try:
        number = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return False  # closed, or something that a test put in its place
    return (
        number == _STDIN
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
