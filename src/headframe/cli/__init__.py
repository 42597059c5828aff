"""The command line: thin commands over the library. Data to standard output, talk to standard error.

What is imported here is imported by ``headframe --help``, so each command imports what it works with when it runs.
"""

import os
import sys
from typing import Annotated

import typer

from headframe import __version__
from headframe.cli.account import account
from headframe.cli.assess import assess
from headframe.cli.bundle import bundle
from headframe.cli.calibrate import calibrate
from headframe.cli.case import case
from headframe.cli.clock import clock
from headframe.cli.compile import compile_kernels
from headframe.cli.exit_codes import ExitCode
from headframe.cli.export import export
from headframe.cli.findings import findings
from headframe.cli.keys import keys
from headframe.cli.log import log
from headframe.cli.meters import meters
from headframe.cli.policy import policy
from headframe.cli.polite import end_on_closed_output, fail, open_what_is_closed
from headframe.cli.register import register
from headframe.cli.report import report
from headframe.cli.retention import retention
from headframe.cli.scan import scan
from headframe.cli.simulate import simulate
from headframe.cli.sites import sites
from headframe.cli.usage import PoliteGroup
from headframe.cli.workspace import workspace

__all__ = ["app", "main"]

app = typer.Typer(
    name="headframe",
    cls=PoliteGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: no option name cut short on 80 columns, and half the start-up time
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit codes: 0 done, 1 found (with --fail-on-finding), 2 usage, 3 damaged input, 4 unreadable input, "
        "5 output not written, 6 refused by the rules, 70 a fault in Headframe, 130 interrupted, 141 reader of the "
        "output gone. docs/exit-codes.md says what to do about each."
    ),
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"headframe {__version__}")
        raise typer.Exit


@app.callback()
def headframe(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Find cryptocurrency mining in network captures and in electricity meters, with evidence that can be checked.

    Example: headframe scan capture.pcap --report report.html
    """


app.command()(scan)
app.command()(meters)
app.command()(assess)
app.add_typer(simulate, name="simulate")
app.command()(calibrate)
app.add_typer(clock, name="clock")
app.command("compile")(compile_kernels)
for name, group in (
    ("workspace", workspace),
    ("account", account),
    ("sites", sites),
    ("policy", policy),
    ("findings", findings),
    ("case", case),
    ("register", register),
    ("report", report),
    ("export", export),
    ("bundle", bundle),
    ("retention", retention),
    ("keys", keys),
    ("log", log),
):
    app.add_typer(group, name=name)


def main() -> None:
    """Entry point of the program ``headframe``."""
    # Large work is shared out among our own threads. Those of the linear algebra on top of them wait by spinning: on a
    # busy machine of two cores the balances of a district took three times as long. numpy reads this when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    open_what_is_closed()
    # A name in a foreign script must not end the scan on a terminal that cannot show it.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="headframe")
    except KeyboardInterrupt:
        fail("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        end_on_closed_output()
