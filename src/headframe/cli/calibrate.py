"""``headframe calibrate``: count false matches in benign captures."""

from pathlib import Path
from typing import Annotated

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.options import DecodingThreads, QuietProgress
from headframe.cli.polite import fail, politely, say
from headframe.cli.scan import get_ready


@politely
def calibrate(
    corpora: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS",
            help="Captures or Zeek logs without mining: files, folders or tar archives, each a corpus.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the calibration table goes.")] = Path(
        "calibration_table.json"
    ),
    threads: DecodingThreads = None,
    quiet: QuietProgress = False,
) -> None:
    """Count false matches in captures without mining.

    The table that this writes bounds how often innocent traffic matches; evidence is the reciprocal of that bound.

    Example: headframe calibrate office-week-1/ office-week-2/ --out table.json
    """
    if not out.parent.is_dir():
        fail(f"{out.parent} is no folder, so {out.name} cannot be written there; create it first", ExitCode.USAGE)
    get_ready(quiet=quiet)

    from headframe import app
    from headframe.cli.progress import ProgressDisplay
    from headframe.stores.calibration import save_table

    with ProgressDisplay(quiet=quiet) as progress:
        table = app.calibrate(corpora, progress, threads=threads)
    try:
        save_table(table, out)
    except OSError as error:
        fail(f"{out} could not be written: {error.strerror}", ExitCode.NOT_WRITTEN)
    if not quiet:
        say(f"{len(table.rows)} rows written to {out}")
