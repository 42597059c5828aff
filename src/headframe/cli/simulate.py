"""``headframe simulate``: make captures whose truth is known."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say

simulate = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class CaptureFormat(StrEnum):
    """Forms of a capture file."""

    PCAP = "pcap"
    PCAPNG = "pcapng"


@simulate.callback()
def _simulate() -> None:
    """Make captures whose truth is known.

    Example: headframe simulate capture demo/ --seed 7
    """


@simulate.command()
@politely
def capture(
    folder: Annotated[Path, typer.Argument(metavar="OUT_FOLDER", help="Where the files go; created if it is missing.")],
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same capture.")] = 1,
    minutes: Annotated[
        float,
        typer.Option("--minutes", metavar="M", min=1.0, help="How much time the capture covers, 1 or more. [minutes]"),
    ] = 30.0,
    miners: Annotated[
        int, typer.Option("--miners", metavar="N", min=0, max=90, help="How many miners work in it, 0 to 90.")
    ] = 14,
    capture_format: Annotated[
        CaptureFormat, typer.Option("--format", help="Form of the capture file.")
    ] = CaptureFormat.PCAP,
) -> None:
    """Write a capture of miners among office traffic.

    The truth about it, and indicators and block times to find it with, go beside it.

    Example: headframe simulate capture demo/ --minutes 60 --miners 20
    """
    from headframe import simulate as simulator

    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = simulator.write_demo(
            folder, seed=seed, minutes=minutes, miners=miners, capture_format=capture_format.value
        )
    except ValueError as error:
        fail(str(error), ExitCode.USAGE)
    except OSError as error:
        fail(f"{folder} could not be written: {error.strerror}; choose another OUT_FOLDER", ExitCode.NOT_WRITTEN)
    for path in (made.capture, made.truth, made.indicators, made.clock):
        print(path)
    say(f"now find them: headframe scan {made.capture} --indicators {made.indicators} --clock {made.clock}")
