"""``headframe findings``: what detectors found, in the workspace, by site."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.choices import FamilyChoice
from headframe.cli.exit_codes import ExitCode
from headframe.cli.options import Leases, LogYear, RadiusLogs, TranslationLogs
from headframe.cli.polite import politely, say
from headframe.cli.workspace_options import (
    ActAs,
    Cursor,
    Format,
    Limit,
    OutputFormat,
    TokenFile,
    Workspace,
    acting,
    moment,
    opened,
    write_json,
    write_rows,
)
from headframe.cli.zone import zone_of

if TYPE_CHECKING:
    from headframe.records.case import FindingRef

findings = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_MOST_DAMAGE_LINES = 10
FILE_COLUMNS = {
    "import_id": "import", "file": "file", "rows": "findings", "new": "new", "resolved": "of known sites",
    "settled": "site found now",
    "damaged_rows": "damaged rows",
}  # fmt: skip
FINDING_COLUMNS = {
    "finding_id": "finding", "site_id": "site", "subject": "subject", "family": "family", "detector": "detector",
    "coin": "coin", "started": "from", "ended": "until", "says": "says", "evidence": "log10 e", "case": "in a case",
}  # fmt: skip


@findings.callback()
def _findings() -> None:
    """Keep findings of scans and meters in the workspace, resolved to sites.

    Example: headframe findings import findings.json meters.json
    """


@findings.command("import")
@politely
def import_files(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="What headframe scan or meters wrote with --format json(l).")
    ],
    realm: Annotated[
        str, typer.Option("--realm", metavar="NAME", help="Network in which private addresses are meant.")
    ] = "",
    leases: Leases = None,
    nat: TranslationLogs = None,
    radius: RadiusLogs = None,
    zone: Annotated[
        str, typer.Option("--zone", metavar="ZONE", help="Of times without an offset in NAT logs: Asia/Shanghai.")
    ] = "UTC",
    year: LogYear = None,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Import findings: each once, resolved to sites through the registry, one leaf of the ledger for each file.

    Findings whose site is not known yet are resolved when headframe sites import brings it; those that came with
    leases or NAT logs, when their file is imported again with the logs. An import that was cut off is done again.

    \b
    Examples:
      headframe findings import findings.json
      headframe scan capture.pcap --format jsonl > f.jsonl
      headframe findings import f.jsonl
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.casework.accounts import require_duty
        from headframe.records.case import Duty
        from headframe.reports.words import count, visible

        require_duty(account, Duty.SCREEN, "importing findings")
        logs = None
        if leases or nat or radius:
            from headframe.assess import RegistryFiles

            logs = RegistryFiles(
                sites=(),
                leases=tuple(leases or ()),
                nat=tuple(nat or ()),
                radius=tuple(radius or ()),
                zone=zone_of(zone),
                year=year,
            )
        done = casework.import_findings(files, realm=realm, logs=logs, account=account)
    damaged = 0
    rows = []
    for one in done:
        damaged += one.damaged_rows
        rows.append(
            {
                "import_id": one.import_id, "file": one.file, "sha256": one.sha256, "rows": one.rows, "new": one.new,
                "resolved": one.resolved, "settled": one.settled, "unresolved": dict(one.unresolved.most_common()),
                "damaged_rows": one.damaged_rows, "moved": one.moved,
            }
        )  # fmt: skip
        if not one.rows:
            bad = f"; {count(one.damaged_rows, 'row')} could not be used" if one.damaged_rows else ""
            say(f"{visible(one.file)}: read to its end, and no finding is in it{bad}; nothing was imported")
        for reason, number in one.unresolved.most_common(_MOST_DAMAGE_LINES):
            say(f"{visible(one.file)}: {count(number, 'finding')} of no known site: {visible(reason)}")
        if one.moved:
            say(
                f"{visible(one.file)}: a table of sites was imported meanwhile; {count(one.moved, 'finding')} got "
                "another site by it"
            )
        for row in one.damaged[:_MOST_DAMAGE_LINES]:
            say(f"{visible(str(row.source))} could not be used: {visible(row.reason)}")
    write_rows(rows, FILE_COLUMNS, output_format)
    if damaged:
        raise SystemExit(int(ExitCode.DAMAGED))


@findings.command("list")
@politely
def list_findings(
    site: Annotated[str, typer.Option("--site", metavar="SITE", help="Only of this site.")] = "",
    subject: Annotated[str, typer.Option("--subject", metavar="ID", help="Only of this address or usage point.")] = "",
    family: Annotated[FamilyChoice | None, typer.Option("--family", help="Only of this family of evidence.")] = None,
    detector: Annotated[str, typer.Option("--detector", metavar="NAME", help="Only of this detector.")] = "",
    case_id: Annotated[str, typer.Option("--case", metavar="CASE", help="Only those that a case rests on.")] = "",
    without_case: Annotated[bool, typer.Option("--without-case", help="Only those that no case rests on.")] = False,
    mining: Annotated[bool, typer.Option("--mining", help="Only those that say that mining goes on.")] = False,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Only those that end after.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Only those that begin before.")] = None,
    limit: Limit = 50,
    after: Cursor = "",
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """List findings, the strongest evidence first.

    What a finding says stands beside how strongly: mining goes on; or a load that is worth a look and on no list, of
    which chance alone gives some in every district; or a trace without mining.

    Example: headframe findings list --without-case --mining
    """
    with opened(workspace) as casework:
        from headframe.cases.store import FindingFilter
        from headframe.reports.casework import finding_row

        now = casework.now_ns()
        page = casework.store.findings(
            FindingFilter(
                site_id=site,
                subject=subject,
                family="" if family is None else family.value,
                detector=detector,
                from_ns=None if since is None else moment(since, None, now, "--from"),
                until_ns=None if until is None else moment(until, None, now, "--until"),
                case_id=case_id,
                without_case=without_case,
                mining_only=mining,
            ),
            cursor=after,
            limit=limit,
        )
        rows = [{**finding_row(one), "says": _says(one.ref)} for one in page.rows]
    columns = {key: heading for key, heading in FINDING_COLUMNS.items() if key != "case"}
    write_rows(rows, columns, output_format, total=page.total, after=page.cursor)
    if page.cursor and output_format is Format.TABLE:
        more = "more than " if page.at_least else ""
        say(f"{len(rows)} of {more}{page.total:,} findings; the next page: --after {page.cursor}")


def _says(ref: "FindingRef") -> str:
    return "mining" if ref.mining else "worth a look" if ref.stands_out else "no mining"


@findings.command("show")
@politely
def show(
    finding_id: Annotated[str, typer.Argument(metavar="FINDING", help="Id of the finding.")],
    workspace: Workspace = None,
) -> None:
    """Show a finding with its whole document, as JSON.

    Example: headframe findings show F-0123456789abcdef0123
    """
    with opened(workspace) as casework:
        from headframe.errors import HeadframeError
        from headframe.reports.casework import finding_row

        found = casework.store.finding(finding_id)
        if found is None:
            raise HeadframeError(
                f"there is no finding {finding_id!a}; headframe findings list shows those that there are"
            )
        write_json({**finding_row(found), "import": found.import_id, "document": dict(found.document)})
