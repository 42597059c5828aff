"""``headframe account``: who may act in a workspace, with which duties."""

from pathlib import Path
from typing import Annotated

import typer

from headframe.cli.choices import DutyChoice
from headframe.cli.polite import politely, say
from headframe.cli.workspace_options import (
    ActAs,
    Format,
    OutputFormat,
    TokenFile,
    Workspace,
    acting,
    opened,
    write_lines,
    write_rows,
)

account = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@account.callback()
def _account() -> None:
    """Keep the accounts of a workspace: a unit, its duties, and a token that only its file holds.

    Example: headframe account list
    """


@account.command("add")
@politely
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the account: grid-inspection-2. Never a human name.")],
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="Id of its unit in the policy pack.")],
    duties: Annotated[list[DutyChoice], typer.Option("--duty", help="What it may do. May be repeated.")],
    new_token_file: Annotated[
        Path,
        typer.Option("--new-token-file", metavar="FILE", help="Where the new token is written; must not be there."),
    ],
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Add an account; only an administrator may. Its token is written to a new file, and nowhere else.

    Example: headframe account add screener --unit bj-drc --duty screen --new-token-file screener.token --as admin
    """
    with acting(workspace, act_as, token_file) as (casework, by):
        from headframe.records.case import Duty

        added = casework.add_account(by, name, unit, [Duty(duty.value) for duty in duties], new_token_file)
    write_lines([added.name])
    say(f"its token is in {new_token_file}; hand the file over, and keep no copy")


@account.command("list")
@politely
def list_accounts(output_format: OutputFormat = Format.TABLE, workspace: Workspace = None) -> None:
    """List accounts with their units and duties. Tokens are not known to Headframe.

    Example: headframe account list
    """
    with opened(workspace) as casework:
        rows = [
            {
                "account": one.account.name,
                "unit": one.account.unit,
                "duties": sorted(duty.value for duty in one.account.duties),
                "enabled": one.enabled,
            }
            for one in casework.store.accounts()
        ]
    write_rows(rows, {"account": "account", "unit": "unit", "duties": "duties", "enabled": "enabled"}, output_format)


@account.command("disable")
@politely
def disable(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the account.")],
    enable: Annotated[bool, typer.Option("--enable", help="Give the right to act back.")] = False,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Take an account's right to act; what it did stays.

    Example: headframe account disable screener --as admin
    """
    with acting(workspace, act_as, token_file) as (casework, by):
        casework.disable_account(by, name, enabled=enable)
    write_lines([name])
