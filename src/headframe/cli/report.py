"""``headframe report``: the periodic reports that packs ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.choices import LanguageChoice
from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say
from headframe.cli.workspace_options import ActAs, Language, OutFolder, TokenFile, Workspace, acting, write_lines

if TYPE_CHECKING:
    from headframe.reports.ledger_figures import LedgerFigure

report = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@report.callback()
def _report() -> None:
    """Write the reports that a policy pack asks for; people send them.

    Example: headframe report period --pack cn-bj-2024 --period 2026-10
    """


@report.command("period")
@politely
def period_report(
    pack: Annotated[str, typer.Option("--pack", metavar="PACK", help="About the cases under this policy pack.")],
    period: Annotated[str, typer.Option("--period", metavar="PERIOD", help="A week, 2026-W47, or a month, 2026-11.")],
    duty: Annotated[
        str, typer.Option("--duty", metavar="ID", help="The pack's reporting duty: whom to, which fields, which cells.")
    ] = "",
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--given",
            metavar="NUMBER",
            help="A number of your own for the ledger, with its source, in place of an estimate; may be repeated.",
        ),
    ] = None,
    language: Language = LanguageChoice.EN,
    out: OutFolder = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Write the report of a week or a month as PDF and HTML, and keep it. Prints digest and name of each file.

    It tells the state at the end of the period; of a period that is not over, that of now. Counts are in it once the
    period is over, by months where the pack owes a report by months, else by weeks; a ledger is in every report whose
    duty asks for one. Small counts are hidden, and so is what would give them away. That a case went into a report is
    recorded by headframe case report. A number of --given has a case, one of scale (W), hashrate (H/s) and power_use
    (Wh/month), and a source; the ledger marks it as given.

    \b
    Examples:
      headframe report period --pack cn-bj-2024 --period 2026-10
      headframe report period --pack cn-bj-2024 --period 2026-W47 \\
        --duty weekly-ledger --language zh
      headframe report period --pack cn-bj-2024 --period 2026-W47 \\
        --duty weekly-ledger --given \\
        "HF-2026-000001 scale 20 kW (18 to 22): nameplates, 2026-11-03"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    numbers = _numbers(given or [])
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.casework.periodic import write_period_report

        refs = write_period_report(
            casework, pack, period, language=language.value, duty=duty, account=account, given=numbers
        )
        copied = casework.copy_out(refs, out) if out is not None else []
    write_lines([f"{ref.sha256}\t{ref.name}" for ref in refs])
    for path in copied:
        say(f"written to {path}")


def _numbers(given: list[str]) -> dict[str, list[LedgerFigure]]:
    """Numbers of an operator's own, by case."""
    from headframe.reports.ledger_figures import read_given

    numbers: dict[str, list[LedgerFigure]] = {}
    for text in given:
        try:
            case_id, figure = read_given(text)
        except ValueError as fault:
            fail(f"--given: {fault}", ExitCode.USAGE)
        if any(one.name == figure.name for one in numbers.setdefault(case_id, [])):
            fail(f"--given: {figure.name} of {case_id} is given twice", ExitCode.USAGE)
        numbers[case_id].append(figure)
    return numbers
