"""``headframe compile``: compile the kernels now instead of at the first scan."""

from headframe.cli.polite import politely, say


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
    say("compiling for this machine, once; this takes up to 20 seconds")
    started_s = clock.monotonic_s()
    compiling.compile_kernels()
    say(f"compiled in {clock.monotonic_s() - started_s:.1f} s")
