"""``headframe compile``: compile the kernels now instead of at the first scan."""

from headframe.cli.polite import politely, say

COMPILING = "compiling for this machine, once; this takes about half a minute"


@politely
def compile_kernels() -> None:
    """Compile for this machine now, so that the first scan need not.

    Does nothing if it was done before.

    Example: headframe compile
    """
    from headframe import clock
    from headframe.engines import compiling

    if not compiling.needs_compiling():
        say("already compiled for this machine")
        return
    say(COMPILING)
    started_s = clock.monotonic_s()
    compiling.compile_kernels()
    say(f"compiled in {clock.monotonic_s() - started_s:.1f} s")
    say_if_not_kept()


def compile_if_needed(*, quiet: bool) -> None:
    """Compile where that was not done before, with a notice."""
    from headframe.engines import compiling

    if compiling.needs_compiling():
        if not quiet:
            say(COMPILING)
        compiling.compile_kernels()
        if not quiet:
            say_if_not_kept()


def say_if_not_kept() -> None:
    """Say so where what was compiled could not be written, so that each run compiles anew."""
    from headframe.engines import compiling
    from headframe.kernels import jit
    from headframe.reports.words import visible

    if compiling.needs_compiling():
        say(
            f"cannot keep the compiled kernels in {visible(str(jit.cache_folder()))}: "
            "set NUMBA_CACHE_DIR to a folder that can be written"
        )
