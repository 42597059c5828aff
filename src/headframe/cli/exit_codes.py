"""Exit codes: what a script can learn without reading a word. Documented in ``docs/exit-codes.md``."""

from enum import IntEnum

from headframe.records.scan import ScanResult


class ExitCode(IntEnum):
    """What the program's end means; the comments give the words of the documentation."""

    OK = 0
    """Everything was read. With ``--fail-on-finding``: and nothing was found."""
    FOUND = 1
    """``--fail-on-finding`` was given, and there is at least one finding."""
    USAGE = 2
    """The command line or an indicator file is wrong; nothing was scanned."""
    DAMAGED = 3
    """Some input was damaged; everything readable was used, and no finding was asked to fail."""
    UNREADABLE = 4
    """No packet could be had from the input, or an input is missing."""
    NOT_WRITTEN = 5
    """The scan ended, but its report could not be written."""
    REFUSED = 6
    """The rules of a case, or the duties of an account, do not allow it; every reason was said. Nothing was done."""
    FAULT = 70
    """A fault in Headframe itself (EX_SOFTWARE of sysexits.h)."""
    INTERRUPTED = 130
    """Interrupted by Ctrl-C (128 + SIGINT)."""
    OUTPUT_CLOSED = 141
    """Whoever read the output stopped reading (128 + SIGPIPE)."""


def exit_code_of(result: ScanResult, *, fail_on_finding: bool) -> ExitCode:
    """Exit code of a scan that ran to its end.

    A finding takes precedence over damage: who asks to fail on a finding wants to know of it, and damage cannot take
    it back. Without a finding, damage takes precedence over success, because it is what puts "clean" in doubt.

    Parameters
    ----------
    result : ScanResult
    fail_on_finding : bool

    Returns
    -------
    ExitCode
        ``FOUND``, ``UNREADABLE``, ``DAMAGED`` or ``OK``, the first that holds.
    """
    damaged = any(summary.damage for summary in result.inputs)
    if fail_on_finding and result.findings:
        return ExitCode.FOUND
    if damaged and result.packets == 0:
        return ExitCode.UNREADABLE
    return ExitCode.DAMAGED if damaged else ExitCode.OK
