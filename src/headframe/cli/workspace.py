"""``headframe workspace``: the folder that casework lives in."""

from typing import Annotated

import typer

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
    write_json,
    write_lines,
)

workspace = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@workspace.callback()
def _workspace() -> None:
    """Make a workspace for casework, and see how it stands.

    \b
    Example:
      headframe workspace init --unit "Changping power bureau" --admin admin \\
        --new-token-file admin.token
    """  # noqa: D301 - the backspace tells the help to keep these lines apart


@workspace.command("init")
@politely
def init(
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="Whose it is; stands on documents.")],
    admin: Annotated[str, typer.Option("--admin", metavar="NAME", help="Name of the first administrator's account.")],
    new_token_file: NewTokenFile,
    log_name: Annotated[
        str, typer.Option("--log-name", metavar="NAME", help="Of the log in checkpoints: example.org/unit.")
    ] = "",
    database_url: Annotated[
        str,
        typer.Option(
            "--database-url", metavar="URL", help="postgresql://USER@HOST/DATABASE; else SQLite in the folder."
        ),
    ] = "",
    training: Annotated[
        bool, typer.Option("--training", help="Nothing in it is a real case; HEADFRAME_NOW sets the time of day.")
    ] = False,
    folder: Workspace = None,
) -> None:
    """Make a workspace: database, ledger with its key, and the first administrator.

    \b
    Examples:
      headframe workspace init --unit "Changping power bureau" --admin admin \\
        --new-token-file admin.token
      headframe workspace init --unit Campus --admin admin --new-token-file t \\
        --database-url postgresql://hf@db/hf
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.casework import make_workspace
    from headframe.casework.accounts import checked_account
    from headframe.records.case import Duty
    from headframe.stores.blocks import workspace_folder

    # What would be refused is refused before anything is made.
    checked_account(admin, unit, (Duty.ADMINISTER,))
    place = workspace_folder(folder)
    with make_workspace(
        place, unit=unit, log_origin=log_name, database_url=database_url, training=training
    ) as casework:
        casework.first_account(admin, unit, new_token_file)
        key = casework.ledger.keys[0].text()
    write_lines([str(place)])
    say(f"the token of {admin} is in {new_token_file}; without it nobody can add accounts")
    say(f"public key of the log, for those who check it: {key}")
    say(f"keys are in {place / 'keys'}: back them up apart from the data")


@workspace.command("answer")
@politely
def answer(
    desk: Annotated[str, typer.Option("--desk", metavar="TEXT", help="A desk, by what it does; nobody's name.")] = "",
    postal: Annotated[str, typer.Option("--postal", metavar="TEXT", help="Postal address.")] = "",
    portal: Annotated[str, typer.Option("--portal", metavar="TEXT", help="Address of a portal.")] = "",
    unit: Annotated[
        str,
        typer.Option("--unit", metavar="ID", help="Of which unit or appeal body of a pack; else of all units."),
    ] = "",
    folder: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Set where the party answers; every letter prints it. It is public, and no name of anybody.

    \b
    Example:
      headframe workspace answer --unit drc --desk "Case desk, room 304" \\
        --postal "1 Example Street, 102200 Beijing" \\
        --portal https://drc.example/answer --as admin --token-file admin.token
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    with acting(folder, act_as, token_file) as (casework, account):
        from headframe.records.case import AnswerAddress

        casework.set_answer(account, unit, AnswerAddress(desk=desk, postal=postal, portal=portal))
    whose = f"of {unit}" if unit else "of every unit that has none of its own"
    say(f"the address {whose} {'is set' if desk or postal or portal else 'is taken out'}; letters print it from now on")


@workspace.command("status")
@politely
def status(output_format: OutputFormat = Format.TABLE, folder: Workspace = None) -> None:
    """Tell what a workspace holds, and how far its ledger has come.

    Example: headframe workspace status
    """
    with opened(folder) as casework:
        from headframe.cases.store import CaseFilter, FindingFilter

        about = {
            "folder": str(casework.paths.folder),
            "unit": casework.config.unit,
            "training": casework.config.training,
            "answers_of": [name or "every unit" for name in casework.config.answers],
            "database": "PostgreSQL" if casework.store.is_postgresql else "SQLite",
            "cases": casework.store.cases(CaseFilter(), limit=1).total,
            "findings": casework.store.findings(FindingFilter(), limit=1).total,
            "findings_without_case": casework.store.findings(FindingFilter(without_case=True), limit=1).total,
            "accounts": len(casework.store.accounts()),
            "packs": list(casework.packs()),
            "log": casework.config.log_origin,
            "log_leaves": casework.ledger.size,
            "witnesses": [f"{key.name}+{key.key_id.hex()}" for key in casework.config.witnesses],
            "leaves_recovered": casework.recovered,
        }
    if output_format is Format.JSON:
        write_json(about)
        return
    lines = [f"{name.replace('_', ' ')}: {_said(value)}" for name, value in about.items()]
    write_lines(
        [*lines, *(["This workspace is for training: nothing in it is a real case."] if about["training"] else [])]
    )


def _said(value: object) -> str:
    from headframe.reports.words import visible

    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else visible(str(value))
