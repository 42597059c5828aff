"""``headframe case``: from findings of a site to a closure that is measured. Accounts ask, the rules answer."""

from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.choices import (
    LanguageChoice,
    SiteKindChoice,
    StageChoice,
    StandingChoice,
)
from headframe.cli.polite import politely, say
from headframe.cli.workspace_options import (
    ActAs,
    CaseId,
    Cursor,
    Format,
    Language,
    Limit,
    OutputFormat,
    TokenFile,
    Workspace,
    acting,
    moment,
    opened,
    write_json,
    write_lines,
    write_rows,
)

if TYPE_CHECKING:
    from headframe.casework import Casework
    from headframe.records.case import Act
    from headframe.records.policy import Pack


from headframe.cli.case_acts import Reason, do, finish, pair
from headframe.cli.case_decisions import decisions
from headframe.cli.case_endings import endings
from headframe.cli.case_letters import letters
from headframe.cli.case_records import records

case = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@case.callback()
def _case() -> None:
    """Take a site from findings through notice, reply, decision, remedy and measurement to closure.

    Every act is checked by the rules of the case and its policy pack, sealed in the ledger, and refused with every
    reason where it may not be. Each prints the number of what it added (HF-2026-000001/7).

    Example: headframe case open SITE-7 --pack cn-bj-2024
    """


# Reading -------------------------------------------------------------------------------------------------------------


@case.command("list")
@politely
def list_cases(
    stage: Annotated[
        list[StageChoice] | None, typer.Option("--stage", help="Only cases that stand there. May be repeated.")
    ] = None,
    pack: Annotated[str, typer.Option("--pack", metavar="PACK", help="Only cases under this policy pack.")] = "",
    region: Annotated[str, typer.Option("--region", metavar="REGION", help="Only sites of this region.")] = "",
    kind: Annotated[SiteKindChoice | None, typer.Option("--kind", help="Only sites of this kind.")] = None,
    standing: Annotated[
        StandingChoice | None, typer.Option("--standing", help="Only parties that stand so to the mining.")
    ] = None,
    site: Annotated[str, typer.Option("--site", metavar="SITE", help="Only cases of this site.")] = "",
    organisation: Annotated[
        str, typer.Option("--organisation", metavar="ID", help="Only cases of this organisation.")
    ] = "",
    due_before: Annotated[
        str | None, typer.Option("--due-before", metavar="TIME", help="Only those with a clock that ends before.")
    ] = None,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="Beginning of a case, site or organisation id, or of a site's name.")
    ] = "",
    limit: Limit = 50,
    after: Cursor = "",
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """List cases: those with a clock first, the soonest due first.

    Example: headframe case list --stage notified --due-before 2026-12-01
    """
    with opened(workspace) as casework:
        from headframe.cases.store import CaseFilter
        from headframe.records.case import Stage
        from headframe.records.policy import PartyStanding
        from headframe.reports.casework import CASE_COLUMNS, case_row

        now = casework.now_ns()
        page = casework.store.cases(
            CaseFilter(
                stages=frozenset(Stage(one.value) for one in stage or ()),
                pack_id=pack,
                region=region,
                site_kind="" if kind is None else kind.value,
                standing=None if standing is None else PartyStanding(standing.value),
                site_id=site,
                organisation_id=organisation,
                due_before_ns=None if due_before is None else moment(due_before, None, now, "--due-before"),
                text=text,
            ),
            cursor=after,
            limit=limit,
        )
        rows = [case_row(row, casework.pack_for_row(row.pack_id, row.case_id)) for row in page.rows]
    write_rows(rows, CASE_COLUMNS, output_format, total=page.total, after=page.cursor)
    if page.cursor and output_format is Format.TABLE:
        say(f"{len(rows)} of {page.total:,} cases; the next page: --after {page.cursor}")


@case.command("show")
@politely
def show(
    case_id: CaseId,
    language: Language = LanguageChoice.EN,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """Show where a case stands: class, evidence, clocks with their basis, rights, measures, and what may be done next.

    Example: headframe case show HF-2026-000001
    """
    with opened(workspace) as casework:
        from headframe.reports.casework import case_lines, view_document

        view = casework.view(case_id)
        if output_format is Format.JSON:
            write_json(view_document(view, language=language.value))
        else:
            write_lines(list(case_lines(view, language=language.value)))


@case.command("events")
@politely
def events(case_id: CaseId, output_format: OutputFormat = Format.TABLE, workspace: Workspace = None) -> None:
    """List everything that happened in a case, by number, with the account that did it and its place in the ledger.

    Example: headframe case events HF-2026-000001
    """
    with opened(workspace) as casework:
        from headframe.reports.casework import EVENT_COLUMNS, event_rows

        view = casework.view(case_id)
        places = {leaf.leaf_id: leaf.index for leaf in casework.store.leaves(case_id=case_id)}
        rows = event_rows(view, places)
    write_rows(rows, EVENT_COLUMNS, output_format)


@case.command("next")
@politely
def next_steps(case_id: CaseId, output_format: OutputFormat = Format.TABLE, workspace: Workspace = None) -> None:
    """Tell what may be done next in a case, by which duty, and what each step needs.

    Example: headframe case next HF-2026-000001
    """
    with opened(workspace) as casework:
        from headframe.reports.casework import STEP_COLUMNS, step_rows

        rows = step_rows(casework.view(case_id))
    write_rows(rows, STEP_COLUMNS, output_format, title="command")


# Opening, looking up, classifying ------------------------------------------------------------------------------------


@case.command("open")
@politely
def open_case(
    site: Annotated[str, typer.Argument(metavar="SITE", help="Id of a site of the registry.")],
    pack: Annotated[str, typer.Option("--pack", metavar="PACK", help="Policy pack: headframe policy list.")],
    findings: Annotated[
        list[str] | None,
        typer.Option("--finding", metavar="ID", help="What it rests on; else every finding without a case."),
    ] = None,
    summary: Annotated[
        str, typer.Option("--summary", metavar="TEXT", help="In a sentence; else from the findings.")
    ] = "",
    recurrence_of: Annotated[
        str, typer.Option("--recurrence-of", metavar="CASE", help="The closed case that it begins again.")
    ] = "",
    split_from: Annotated[
        str,
        typer.Option(
            "--split-from", metavar="CASE", help="A closed case on the wrong party or pack, and its findings."
        ),
    ] = "",
    organisation: Annotated[
        str, typer.Option("--organisation", metavar="ID", help="Whom a split case is about, if not the site's own.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is split from that case.")] = "",
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Open a case on a site's findings, and look the site up in the registers of lawful mining.

    Example: headframe case open SITE-7 --pack cn-bj-2024
    """
    with acting(workspace, act_as, token_file) as (casework, account):
        done = casework.open_case(
            account,
            site,
            pack,
            finding_ids=tuple(findings or ()),
            summary=summary,
            recurrence_of=recurrence_of,
            split_from=split_from,
            organisation_id=organisation,
            reason=reason,
        )
        finish(done)


@case.command("add")
@politely
def add_findings(
    case_id: CaseId,
    findings: Annotated[
        list[str] | None,
        typer.Option("--finding", metavar="ID", help="Which; else every finding of the site without a case."),
    ] = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Add findings of the same site to a case.

    Example: headframe case add HF-2026-000001
    """
    with acting(workspace, act_as, token_file) as (casework, account):
        finish(casework.add_findings(account, case_id, tuple(findings or ())))


@case.command("lookup")
@politely
def look_up(case_id: CaseId, workspace: Workspace = None, act_as: ActAs = None, token_file: TokenFile = None) -> None:
    """Look the site up in the registers of lawful mining again, and record what they say.

    Example: headframe case lookup HF-2026-000001
    """
    with acting(workspace, act_as, token_file) as (casework, account):
        finish(casework.look_up(account, case_id))


@case.command("propose")
@politely
def propose(
    case_id: CaseId,
    reason: Reason,
    standing: Annotated[
        StandingChoice | None,
        typer.Option("--standing", help="How the party stands to the mining; else what the pack proposes."),
    ] = None,
    axes: Annotated[
        list[str] | None,
        typer.Option(
            "--axis", metavar="AXIS=VALUE", help="A value of one of the pack's axes; else what the pack proposes."
        ),
    ] = None,
    criteria: Annotated[
        list[str] | None,
        typer.Option("--criterion", metavar="ID", help="A criterion that is met; else those the pack finds met."),
    ] = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Propose the class of a case; another account approves it. What the pack would propose: headframe case show.

    \b
    Example:
      headframe case propose HF-2026-000001 --standing operator \\
        --axis intent=own_initiative --reason "two families"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    given = dict(pair(text, "--axis") for text in axes or ())
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.records.case import ProposeClass, Refused
        from headframe.records.policy import PartyStanding

        proposed = casework.proposed_class(case_id)
        values = {row.axis.id: row.value for row in proposed.axes if row.value}
        act = ProposeClass(
            standing=proposed.standing if standing is None else PartyStanding(standing.value),
            axes=tuple({**values, **given}.items()),
            criteria=proposed.met if criteria is None else tuple(criteria),
            reason=reason,
        )
        done = casework.perform(account, case_id, act)
        if isinstance(done.answer, Refused):
            for row in proposed.axes:
                say(f"--axis {row.axis.id}=WHICH: {', '.join(value.id for value in row.axis.values)}")
        finish(done)


# Four eyes -----------------------------------------------------------------------------------------------------------


Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Number of the proposal's event.")]


@case.command("approve")
@politely
def approve(
    case_id: CaseId, number: Number, workspace: Workspace = None, act_as: ActAs = None, token_file: TokenFile = None
) -> None:
    """Approve what another account has proposed.

    Example: headframe case approve HF-2026-000001 3
    """

    def act(_casework: "Casework", _pack: "Pack") -> "Act":
        from headframe.records.case import Approve

        return Approve(proposal=number)

    do(case_id, act, workspace, act_as, token_file)


@case.command("reject")
@politely
def reject(
    case_id: CaseId,
    number: Number,
    reason: Reason,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Reject what another account has proposed.

    \b
    Example:
      headframe case reject HF-2026-000001 3 \\
        --reason "the step has another explanation"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(_casework: "Casework", _pack: "Pack") -> "Act":
        from headframe.records.case import Reject

        return Reject(proposal=number, reason=reason)

    do(case_id, act, workspace, act_as, token_file)


@case.command("withdraw")
@politely
def withdraw(
    case_id: CaseId,
    number: Number,
    reason: Reason,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Withdraw one's own proposal.

    Example: headframe case withdraw HF-2026-000001 3 --reason "wrong axis"
    """

    def act(_casework: "Casework", _pack: "Pack") -> "Act":
        from headframe.records.case import Withdraw

        return Withdraw(proposal=number, reason=reason)

    do(case_id, act, workspace, act_as, token_file)


for part in (letters, decisions, endings, records):
    # Without a name their commands stand beside those above.
    case.add_typer(part)
