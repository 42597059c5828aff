"""``headframe report``: the periodic reports that packs ask for."""

from pathlib import Path
from typing import Annotated

import typer

from headframe.cli.polite import politely, say
from headframe.cli.workspace_options import ActAs, Language, TokenFile, Workspace, acting, write_lines

report = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@report.callback()
def _report() -> None:
    """Write the reports that a policy pack asks for; people send them.

    Example: headframe report period --pack cn-bj-2024 --period 2026-W47
    """


@report.command("period")
@politely
def period_report(
    pack: Annotated[str, typer.Option("--pack", metavar="PACK", help="About the cases under this policy pack.")],
    period: Annotated[str, typer.Option("--period", metavar="PERIOD", help="A week, 2026-W47, or a month, 2026-11.")],
    duty: Annotated[
        str, typer.Option("--duty", metavar="ID", help="The pack's reporting duty: whom to, which fields, which cells.")
    ] = "",
    language: Language = "en",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write the files there, under their names.")
    ] = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Write the report of a week or a month as PDF and HTML, and keep it. Prints digest and name of each file.

    Counts below the duty's smallest cell are hidden, and so is what would give them away. That a case went into a
    report is recorded by headframe case report.

    Example: headframe report period --pack cn-bj-2024 --period 2026-W47 --duty weekly-ledger --language zh
    """
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.casework.periodic import write_period_report

        refs = write_period_report(casework, pack, period, language=language, duty=duty, account=account)
        copied = casework.copy_out(refs, out) if out is not None else []
    write_lines([f"{ref.sha256}\t{ref.name}" for ref in refs])
    for path in copied:
        say(f"written to {path}")
