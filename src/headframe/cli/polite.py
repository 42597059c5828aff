"""Talk to the user: messages to standard error, faults as words instead of tracebacks."""

import contextlib
import errno
import functools
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn, ParamSpec, TextIO

from headframe.cli.exit_codes import ExitCode
from headframe.errors import BadIndicator, HeadframeError, NotAllowed, NotWritten, UnreadableInput

P = ParamSpec("P")

DEBUG_VARIABLE = "HEADFRAME_DEBUG"
"""Set to anything, it makes a fault in Headframe show its traceback."""

_ENDLESS = re.compile(r"\S{1001,}")
"""A word that no sentence has: a value that came, repeated in the answer. No path is so long that people read it."""
_NOT_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


def say(message: str) -> None:
    """One line of talk, to standard error. A closed standard error is nobody's fault.

    A word without an end is cut, with a sign: what comes after it says what would be right.
    """
    if sys.stderr is None:
        return  # print would take standard output instead
    if len(message) > 1_000:
        message = _ENDLESS.sub(_cut, message)
    with contextlib.suppress(OSError, ValueError):
        print(f"headframe: {message}", file=sys.stderr, flush=True)


def _cut(word: re.Match[str]) -> str:
    return f"{word[0][:100]}... ({len(word[0]) - 120:,} more characters) ...{word[0][-20:]}"


def fail(message: str, code: ExitCode) -> NoReturn:
    """Say what is wrong, and end the program.

    Raises
    ------
    SystemExit
        Always, with `code`.
    """
    say(message)
    raise SystemExit(int(code))


def politely(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what a command raises into a message and an exit code.

    Parameters
    ----------
    command : callable
        A command's function.

    Returns
    -------
    callable
        The same command; it raises nothing but SystemExit.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            fail("interrupted; nothing more is read, and no report is written", ExitCode.INTERRUPTED)
        except BrokenPipeError:
            end_on_closed_output()
        except BadIndicator as error:
            fail(str(error), ExitCode.USAGE)
        except UnreadableInput as error:
            fail(str(error), ExitCode.UNREADABLE)
        except NotWritten as error:
            fail(str(error), ExitCode.NOT_WRITTEN)
        except NotAllowed as error:
            fail(f"refused: {error}", ExitCode.REFUSED)
        except HeadframeError as error:
            fail(str(error), ExitCode.USAGE)
        except OSError as error:
            if os.environ.get(DEBUG_VARIABLE):
                raise
            fail(*_of_the_system(error))
        except MemoryError:
            fail("out of memory; try fewer files at a time, or --threads 1", ExitCode.FAULT)
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE):
                raise
            fail(
                f"a fault in Headframe itself: {type(error).__name__}: {_one_line(error)}. "
                f"Please report it; {DEBUG_VARIABLE}=1 shows where it happened",
                ExitCode.FAULT,
            )

    return wrapped


@contextlib.contextmanager
def writing_output() -> Iterator[TextIO]:
    """Standard output to write to; a full disk behind it is said, a reader that is gone is `politely`'s matter.

    Raises
    ------
    SystemExit
        If standard output cannot be written.
    """
    out = sys.stdout
    try:
        yield out
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(f"standard output could not be written: {error.strerror}", ExitCode.NOT_WRITTEN)


def open_what_is_closed() -> None:
    """Put ``/dev/null`` where standard input, output or error was closed before the program began (``>&-``).

    Else the next file that is opened gets its number, and a library that writes to number 1 or 2 writes into it. The
    streams of ``sys`` stay None, which tells that they were closed.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given, so this is `number`.
            os.open(os.devnull, os.O_RDWR)


def end_on_closed_output() -> NoReturn:
    """End as a program does that SIGPIPE stops, without a word.

    Raises
    ------
    SystemExit
        Always.
    """
    # Python flushes standard output once more on its way out, and would complain; nobody is left to read that.
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    raise SystemExit(int(ExitCode.OUTPUT_CLOSED))


def _of_the_system(error: OSError) -> tuple[str, ExitCode]:
    """What the system refused: a name, a folder, room on the disk; and the exit code."""
    why = error.strerror or "the system gives no reason"
    place = _one_line(OSError(error.filename)) if isinstance(error.filename, (str, bytes, os.PathLike)) else ""
    said = f"{place}: {why[0].lower()}{why[1:]}" if place else f"the system refused: {why[0].lower()}{why[1:]}"
    if error.errno in _NOT_WRITTEN:
        return (
            f"{said}; nothing was acknowledged. Make room, or allow writing there, and do it again",
            ExitCode.NOT_WRITTEN,
        )
    return f"{said}; name a file or folder that is there and that you may use", ExitCode.UNREADABLE


def _one_line(error: BaseException) -> str:
    from headframe.reports.words import visible

    return visible(" ".join(str(error).split()), longest=300)
