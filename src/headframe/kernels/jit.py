"""How kernels are compiled and where the result is kept.

numba keeps compiled code beside the source and notices when that one file changes, but not when a kernel that it
calls, in another file, does. So ours go to a folder whose name is a digest of all kernels' sources: any change is a
new folder, and whether that folder is complete can be asked without importing numba.
"""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

_COMPLETE = "complete"


@cache
def cache_folder() -> Path:
    """Where compiled kernels of these sources are kept; ``NUMBA_CACHE_DIR`` or ``XDG_CACHE_HOME`` choose the place."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        # numba goes by the place and the time of a file too: another installation compiles for itself.
        digest.update(f"{source}\0{source.stat().st_mtime_ns}\0".encode() + source.read_bytes())
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headframe"
    return base / f"kernels-{digest.hexdigest()[:16]}"


def is_complete() -> bool:
    """Whether all kernels lie compiled in the folder."""
    try:
        return (cache_folder() / _COMPLETE).exists()
    except OSError:
        return False  # a home that may not be looked into


def mark_complete() -> None:
    """Say that all kernels lie compiled in the folder; a folder that cannot be written is no fault, only slow."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        (cache_folder() / _COMPLETE).touch()
    except OSError:
        pass


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function: without the interpreter's lock, and kept for the next run."""
    from numba import njit
    from numba.core import config

    # The place is read when a function is decorated; other users of numba in this process keep theirs.
    before = config.CACHE_DIR
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        config.CACHE_DIR = str(cache_folder())
    except OSError:
        pass  # numba finds a place of its own, or compiles anew each time
    try:
        return njit(cache=True, nogil=True)(function)
    finally:
        config.CACHE_DIR = before
