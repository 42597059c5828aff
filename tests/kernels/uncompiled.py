"""The kernels as plain Python, over bytes that refuse to be read out of bounds.

Compiled code does not check an index: a read beyond the buffer would go unnoticed, or end the process. Here the same
source runs without numba, and the buffer raises.
"""

import importlib
import sys
import types
from functools import lru_cache
from typing import Any

import numba
import numpy as np


def _plain(*given: Any, **_options: Any) -> Any:
    """Stands for ``njit``: gives the function back."""
    return given[0] if given and callable(given[0]) else lambda function: function


@lru_cache
def uncompiled() -> types.SimpleNamespace:
    """Fresh copies of the kernel modules with ``njit`` switched off."""
    names = ("frames", "look", "prefetch", "pcap", "pcapng", "conversations", "bursts", "chain_sync", "peer_sync")
    full = [f"headframe.kernels.{name}" for name in names]
    import headframe.kernels as package

    saved = {name: sys.modules.pop(name, None) for name in full}
    bound = {name: getattr(package, name, None) for name in names}
    stub = types.ModuleType("headframe.kernels.prefetch")
    stub.LINE, stub.AHEAD = 64, 4096  # type: ignore[attr-defined]
    stub.prefetch = lambda *given: None  # type: ignore[attr-defined]
    compiled, numba.njit = numba.njit, _plain
    try:
        sys.modules["headframe.kernels.prefetch"] = stub
        return types.SimpleNamespace(
            **{name: importlib.import_module(f"headframe.kernels.{name}") for name in names if name != "prefetch"}
        )
    finally:
        numba.njit = compiled
        for name in full:
            sys.modules.pop(name, None)
            module = saved[name]
            if module is not None:
                sys.modules[name] = module
        for name, module in bound.items():
            if module is not None:
                setattr(package, name, module)
            elif hasattr(package, name):
                delattr(package, name)


class StrictBytes:
    """Bytes of which only ``[first, last)`` may be read."""

    def __init__(self, data: bytes, first: int = 0, last: int | None = None) -> None:
        self.data = data
        self.first = first
        self.last = len(data) if last is None else last

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> int:
        at = int(index)
        if not self.first <= at < self.last:
            raise AssertionError(f"read at {at}, outside [{self.first}, {self.last})")
        return self.data[at]


class _Record:
    """One record whose fields are attributes, as in compiled code."""

    def __init__(self, record: np.void) -> None:
        object.__setattr__(self, "_record", record)

    def __getattr__(self, name: str) -> Any:
        return self._record[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._record[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._record[name]


class Records:
    """An array of records; `array` is the plain one."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Any:
        return self.array[index] if isinstance(index, str) else _Record(self.array[int(index)])

    def __setitem__(self, name: str, value: Any) -> None:
        self.array[name] = value


def records(dtype: np.dtype, count: int) -> Records:
    """Zeroed records."""
    return Records(np.zeros(count, dtype=dtype))
