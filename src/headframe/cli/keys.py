"""``headframe keys``: keys of sealed addresses and of pseudonyms."""

from typing import Annotated

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say
from headframe.cli.workspace_options import (
    ActAs,
    Format,
    OutputFormat,
    SecondTokenFile,
    TokenFile,
    Workspace,
    account_in,
    acting,
    opened,
    write_json,
    write_lines,
)

keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@keys.callback()
def _keys() -> None:
    """Look after the keys: what they open is gone when they are.

    Example: headframe keys rotate --as admin --token-file admin.token
    """


@keys.command("show")
@politely
def show(output_format: OutputFormat = Format.TABLE, workspace: Workspace = None) -> None:
    """Show how many addresses are sealed, and of which epochs pseudonyms can still be asked for.

    Example: headframe keys show
    """
    with opened(workspace) as casework:
        from headframe.casework.keys import status

        found = status(casework)
    if output_format is Format.JSON:
        write_json({"contacts": found.contacts, "orphans": found.orphans, "epochs": [str(one) for one in found.epochs]})
        return
    epochs = ", ".join(str(one) for one in found.epochs) or "none"
    write_lines([f"sealed addresses: {found.contacts}", f"pseudonym epochs: {epochs}"])
    if found.orphans:
        say(f"{found.orphans} keys belong to no contact: headframe keys tidy destroys them")


@keys.command("rotate")
@politely
def rotate(workspace: Workspace = None, act_as: ActAs = None, token_file: TokenFile = None) -> None:
    """Change the master key: what older copies of the key files held cannot be opened with the new one.

    Do it after a purge, and when somebody leaves who had access to the keys. It can be cut off and called again.
    Backups of the keys from before open what they held: destroy them, and make a new one.

    Example: headframe keys rotate --as admin --token-file admin.token
    """
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.casework.keys import rotate as change
        from headframe.reports.words import count

        wrapped = change(casework, account)
    say(f"{count(wrapped, 'key')} wrapped anew; back up {casework.paths.keys}, and destroy older backups of it")


@keys.command("tidy")
@politely
def tidy(workspace: Workspace = None, act_as: ActAs = None, token_file: TokenFile = None) -> None:
    """Destroy keys that no contact has: imports that were cut off leave some. No import may run meanwhile.

    Example: headframe keys tidy --as admin --token-file admin.token
    """
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.casework.keys import tidy as destroy
        from headframe.reports.words import count

        gone = destroy(casework, account)
    say(f"{count(gone, 'key')} destroyed")


@keys.command("reidentify")
@politely
def reidentify(
    pseudonym: Annotated[str, typer.Argument(metavar="PSEUDONYM", help="As an export has it, in quotation marks.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the access.")],
    second: Annotated[str, typer.Option("--with", metavar="NAME", help="The second account, which agrees.")],
    second_token_file: SecondTokenFile = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Tell which address or usage point a pseudonym stood for. It takes two accounts, and is logged first.

    Only what a finding or the registry of this workspace names comes into question.

    \b
    Example:
      headframe keys reidentify "#2026-11-03+30.1a2b3c4d5e6f7a8b" \\
        --reason "case HF-2026-000001" --as officer --token-file officer.token \\
        --with chief --with-token-file chief.token
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.casework.keys import reidentify as ask

        other = account_in(casework, second, second_token_file)
        try:
            found = ask(casework, account, other, pseudonym, reason)
        except ValueError as fault:
            fail(str(fault), ExitCode.USAGE)
    if found is None:
        fail("no finding and no row of the registry has it; the attempt is logged", ExitCode.UNREADABLE)
    write_lines([found])
