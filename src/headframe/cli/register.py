"""``headframe register``: final decisions on organisations and sites, with basis, appeal, expiry and removal."""

from typing import Annotated

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say
from headframe.cli.workspace_options import Format, OutputFormat, Workspace, opened, write_json, write_rows

register = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

EntryId = Annotated[str, typer.Argument(metavar="ENTRY", help="Id of the entry, R-….")]


@register.callback()
def _register() -> None:
    """Read the register of final decisions. Entries come and go with the cases; nobody writes one by hand.

    Example: headframe register lookup "Foundry"
    """


@register.command("list")
@politely
def list_entries(
    everything: Annotated[
        bool, typer.Option("--all", help="Also the numbers of entries that were removed or have expired.")
    ] = False,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """List the decisions that hold now.

    Example: headframe register list
    """
    with opened(workspace) as casework:
        from headframe.reports.casework import REGISTER_COLUMNS, register_row

        rows = [register_row(entry) for entry in casework.register_entries(expired=everything)]
    write_rows(rows, REGISTER_COLUMNS, output_format)


@register.command("show")
@politely
def show(entry_id: EntryId, workspace: Workspace = None) -> None:
    """Show one entry as JSON. Of one that has left, only that it did.

    Example: headframe register show R-0123456789ab
    """
    with opened(workspace) as casework:
        from headframe.reports.casework import register_row

        found = [one for one in casework.register_entries(text=entry_id, expired=True) if one.entry_id == entry_id]
        if not found:
            fail(f"there is no entry {entry_id!a}; headframe register list shows those that there are", ExitCode.USAGE)
        write_json(register_row(found[0]))


@register.command("lookup")
@politely
def lookup(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="Beginning of a name or id of an organisation or site, or of a case.")
    ],
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """Look an organisation or a site up among the decisions that hold now.

    Example: headframe register lookup "Foundry"
    """
    with opened(workspace) as casework:
        from headframe.reports.casework import REGISTER_COLUMNS, register_row

        rows = [register_row(entry) for entry in casework.register_entries(text=text)]
    write_rows(rows, REGISTER_COLUMNS, output_format)
    if not rows and output_format is Format.TABLE:
        say("no decision that holds now; that says nothing about mining that nobody has decided on")
