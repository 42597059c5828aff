"""A console that writes tables to terminals, files and pipes alike."""

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def console_on(
    stream: TextIO, *, width: int | None, pipe_columns: int, environment: Mapping[str, str] | None
) -> "Iterator[Console]":
    """A console whose lines go to a stream when the block ends without a fault.

    Colour appears only where `stream` is a terminal and ``NO_COLOR`` is not set to anything.

    Parameters
    ----------
    stream : text stream
    width : int or None
        Columns; None is the terminal's width, or where `stream` is no terminal ``COLUMNS``, else `pipe_columns`.
        [characters]
    pipe_columns : int
        [characters]
    environment : mapping or None
        For ``NO_COLOR``, ``TERM`` and ``COLUMNS``; None is the process's own.
    """
    from rich.console import Console

    environment = os.environ if environment is None else environment
    terminal = stream.isatty()
    if width is None and not terminal:
        columns = environment.get("COLUMNS", "")
        width = int(columns) if columns.isdecimal() and int(columns) > 0 else pipe_columns
    # Rich fills the last column with spaces, which only makes a file larger.
    target = stream if terminal else io.StringIO()
    yield Console(
        file=target,
        width=width,
        height=None if width is None else 25,  # without it Rich takes 80 columns where TERM is dumb
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
        # FORCE_COLOR would put escape sequences into files; "only on terminals" is the promise.
        force_terminal=terminal,
        color_system="auto" if terminal else None,
        no_color=bool(environment.get("NO_COLOR")),
        _environ=environment,
    )
    if isinstance(target, io.StringIO) and target is not stream:
        stream.writelines(f"{line.rstrip()}\n" for line in target.getvalue().splitlines())


def is_plain(stream: TextIO) -> bool:
    """Whether a stream can show no lines and arrows, only what any encoding has."""
    return not (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")
