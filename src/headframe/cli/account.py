"""``headframe account``: who may act in a workspace, with which duties."""

from typing import Annotated

import typer

from headframe.cli.choices import DutyChoice
from headframe.cli.polite import politely, say
from headframe.cli.workspace_options import (
    ActAs,
    Format,
    NewTokenFile,
    OutputFormat,
    TokenFile,
    Workspace,
    acting,
    opened,
    write_lines,
    write_rows,
)

account = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

AccountName = Annotated[str, typer.Argument(metavar="NAME", help="Of the account.")]


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
    new_token_file: NewTokenFile,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Add an account; only an administrator may. Its token is written to a new file, and nowhere else.

    \b
    Example:
      headframe account add screener --unit drc --duty screen \\
        --new-token-file screener.token --as admin
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    with acting(workspace, act_as, token_file) as (casework, by):
        from headframe.records.case import Duty

        added = casework.add_account(by, name, unit, [Duty(duty.value) for duty in duties], new_token_file)
        named = {one.id for pack in casework.packs().values() for one in pack.units}
    write_lines([added.name])
    if unit not in named and DutyChoice.ADMINISTER not in duties:
        say(
            f"no policy pack names a unit {unit}: where a step needs a unit of the pack, this account cannot take it; "
            "headframe policy show PACK lists the units"
        )
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
    name: AccountName,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Take an account's right to act; what it did stays, and what it proposed cannot be approved any more.

    Example: headframe account disable screener --as admin
    """
    with acting(workspace, act_as, token_file) as (casework, by):
        casework.disable_account(by, name)
    write_lines([name])


@account.command("enable")
@politely
def enable(
    name: AccountName,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Give a disabled account its right to act back, with the token that it has.

    Example: headframe account enable screener --as admin
    """
    with acting(workspace, act_as, token_file) as (casework, by):
        casework.enable_account(by, name)
    write_lines([name])


@account.command("renew-token")
@politely
def renew_token(
    name: AccountName,
    new_token_file: NewTokenFile,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Give an account a new token, where the old one was lost or seen by others; the old one is worth nothing then.

    \b
    Example:
      headframe account renew-token screener \\
        --new-token-file screener-2.token --as admin
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    with acting(workspace, act_as, token_file) as (casework, by):
        casework.renew_token(by, name, new_token_file)
    write_lines([name])
    say(f"its new token is in {new_token_file}; hand the file over, and keep no copy")
