"""``headframe case`` around it: holds, links, reports, documents."""

from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.choices import (
    DocumentChoice,
    RelationChoice,
)
from headframe.cli.polite import politely, say
from headframe.cli.workspace_options import (
    ActAs,
    CaseId,
    Format,
    LetterLanguage,
    OutFolder,
    OutputFormat,
    TokenFile,
    Workspace,
    acting,
    opened,
    write_lines,
    write_rows,
)

if TYPE_CHECKING:
    from headframe.casework import Casework
    from headframe.records.case import Act
    from headframe.records.policy import Pack


from headframe.cli.case_acts import DocumentFile, Reason, do, kept_file

records = typer.Typer(rich_markup_mode=None)


@records.command("hold")
@politely
def hold(
    case_id: CaseId,
    reason: Reason,
    lift: Annotated[bool, typer.Option("--lift", help="End the hold.")] = False,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Keep everything of a case from being purged (legal hold), or end that.

    Example: headframe case hold HF-2026-000001 --reason "court file 12/2026"
    """

    def act(_casework: "Casework", _pack: "Pack") -> "Act":
        from headframe.records.case import LiftHold, PlaceHold

        return LiftHold(reason=reason) if lift else PlaceHold(reason=reason)

    do(case_id, act, workspace, act_as, token_file)


@records.command("link")
@politely
def link(
    case_id: CaseId,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The other case.")],
    relation: Annotated[RelationChoice, typer.Option("--relation", help="How the other stands to this one.")],
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Record how another case stands to this one.

    \b
    Example:
      headframe case link HF-2026-000002 HF-2026-000001 --relation same_operator
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(casework: "Casework", _pack: "Pack") -> "Act":
        from headframe.records.case import CaseRelation, LinkCase

        casework.pack_of_case(other)  # a case that is not there is said, and not linked to

        return LinkCase(case_id=other, relation=CaseRelation(relation.value))

    do(case_id, act, workspace, act_as, token_file)


@records.command("report")
@politely
def report(
    case_id: CaseId,
    report_id: Annotated[str, typer.Option("--report", metavar="ID", help="Reporting duty of the pack.")],
    to: Annotated[str, typer.Option("--to", metavar="UNIT", help="Whom it was sent to.")],
    period: Annotated[str, typer.Option("--period", metavar="PERIOD", help="2026-W47, 2026-11.")],
    document: DocumentFile = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Record that the case went into a report that the pack asks for.

    \b
    Example:
      headframe case report HF-2026-000001 --report weekly-ledger --to drc \\
        --period 2026-W47
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(casework: "Casework", _pack: "Pack") -> "Act":
        from headframe.records.case import RecordReport

        return RecordReport(
            report=report_id,
            to=to,
            period=period,
            document=None if document is None else kept_file(casework, document, "other"),
        )

    do(case_id, act, workspace, act_as, token_file)


@records.command("document")
@politely
def document_of(
    case_id: CaseId,
    kind: Annotated[DocumentChoice, typer.Argument(metavar="KIND", help="Which document.")],
    subject: Annotated[
        str, typer.Option("--subject", metavar="ID", help="Of a measure's request or a dossier: which measure.")
    ] = "",
    language: LetterLanguage = None,
    out: OutFolder = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Write a document of a case as PDF and HTML, and keep it. Prints digest and name of each file.

    \b
    Example:
      headframe case document HF-2026-000001 measure_request \\
        --subject clear --out letters
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.records.case import DocumentKind

        kept = casework.write_document(
            case_id,
            DocumentKind(kind.value),
            language=language.value if language else "",
            subject=subject,
            account=account,
        )
        if out is not None:
            casework.copy_out([one.ref for one in kept], out)
    write_lines([f"{one.ref.sha256}\t{one.ref.name}" for one in kept])


@records.command("documents")
@politely
def documents_of(
    case_id: CaseId,
    out: OutFolder = None,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """List the documents of a case, with their digests; of one that is not kept any more, what became of it.

    Example: headframe case documents HF-2026-000001 --out letters
    """
    with opened(workspace) as casework:
        from headframe.casework.retention import where_gone
        from headframe.reports.casework import DOCUMENT_COLUMNS, document_rows

        documents = casework.documents_to_hand_out(case_id)
        gone = where_gone(casework, [one.ref.sha256 for one in documents])
        rows = [{**row, "state": gone.get(row["sha256"], "kept")} for row in document_rows(documents)]
        if out is not None:
            casework.copy_out([one.ref for one in documents if one.ref.sha256 not in gone], out)
    write_rows(rows, {**DOCUMENT_COLUMNS, **({"state": "state"} if gone else {})}, output_format)
    for digest, why in gone.items() if out is not None else ():
        say(f"not written, because it is not kept any more: SHA-256 {digest}, {why}")
