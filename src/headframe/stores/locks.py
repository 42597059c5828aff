"""A lock between programs on one machine.

The system lets go of it when its holder dies (flock(2)), so that a crash locks nobody out.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headframe import clock
from headframe.errors import HeadframeError

_POLL_S = 0.002


@contextmanager
def exclusive(path: Path, timeout_s: float) -> Iterator[None]:
    """Be the only one who holds the lock, until the end of the block.

    Parameters
    ----------
    path : Path
        Made if it is not there; its folder is.
    timeout_s : float
        How long to wait for another holder. [s]

    Raises
    ------
    HeadframeError
        If another still holds it then.
    """
    with _locked(path, timeout_s, fcntl.LOCK_EX):
        yield


@contextmanager
def shared(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock together with others who share it, and with nobody who wants it alone.

    Parameters
    ----------
    path : Path
        Made if it is not there; its folder is.
    timeout_s : float
        How long to wait for somebody who holds it alone. [s]

    Raises
    ------
    HeadframeError
        If somebody still holds it alone then.
    """
    with _locked(path, timeout_s, fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(path: Path, timeout_s: float, kind: int) -> Iterator[None]:
    with path.open("a") as file:
        give_up_s = clock.monotonic_s() + timeout_s
        while True:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if clock.monotonic_s() >= give_up_s:
                    raise HeadframeError(
                        f"{path} has been locked by another process for {timeout_s:g} s; "
                        f"see which one it is (fuser {path}), and try again when it has ended"
                    ) from None
                time.sleep(_POLL_S)
        yield  # closing the file gives the lock back
