"""The time zone that ``--zone`` names."""

from datetime import UTC, tzinfo

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail


def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name, or the end of the program with words.

    Raises
    ------
    SystemExit
        If there is no such zone.
    """
    if name.upper() == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        fail(f"{name!a} is no time zone; name one as in Asia/Almaty, or UTC", ExitCode.USAGE)
