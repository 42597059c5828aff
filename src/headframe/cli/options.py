"""Options that several commands have, each once; those of the casework are in `headframe.cli.workspace_options`."""

from pathlib import Path
from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on standard error.")]
QuietProgress = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no talk on standard error.")]
QuietButErrors = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on standard error, except for errors.")]
DecodingThreads = Annotated[
    int | None, typer.Option("--threads", metavar="N", min=1, help="1 for one thread; else one more decodes ahead.")
]
HtmlReport = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.html", help="Also write a report that any browser shows offline."),
]
BlocksFolder = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="Where blocks are kept; else HEADFRAME_WORKSPACE, else ~/.local/share/headframe.",
    ),
]
Leases = Annotated[
    list[Path] | None,
    typer.Option("--leases", metavar="FILE", help="DHCP leases of ISC or Kea, the oldest first. May be repeated."),
]
TranslationLogs = Annotated[
    list[Path] | None, typer.Option("--nat", metavar="FILE", help="Log of address translation. May be repeated.")
]
RadiusLogs = Annotated[
    list[Path] | None,
    typer.Option("--radius", metavar="FILE", help="RADIUS accounting (detail file). May be repeated."),
]
LogYear = Annotated[
    int | None,
    typer.Option("--year", metavar="YEAR", min=1970, max=2199, help="Of the first line of NAT logs without one."),
]
Weather = Annotated[Path | None, typer.Option("--weather", metavar="FILE", help="Outdoor temperature by hour.")]
