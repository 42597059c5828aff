"""A program that dies at the n-th of some operations, and of which nothing works any more after it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest


class Crash(BaseException):
    """The program is gone: what catches an `Exception` does not run."""


class Operation(NamedTuple):
    """A function of a module or class, and what half of a call of it does."""

    owner: Any
    name: str
    half: Callable[..., object] | None = None


@contextmanager
def dying(at: int, operations: Sequence[Operation]) -> Iterator[Callable[[], int]]:
    """Die in the operation of a number, from 1, half of which is done where that can be.

    Yields
    ------
    callable
        How many there were, the one that it died in and those that were tried after it among them.
    """
    done = 0

    def counted(whole: Callable[..., Any], half: Callable[..., object] | None) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal done
            done += 1
            if done == at and half is not None:
                half(*arguments, **named)
            if done >= at:  # from here on the disk does nothing more, also for handlers that tidy up
                raise Crash
            return whole(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for one in operations:
            patch.setattr(one.owner, one.name, counted(getattr(one.owner, one.name), one.half))
        yield lambda: done
