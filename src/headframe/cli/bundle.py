"""``headframe bundle``: a case that an outsider can check alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import politely, say
from headframe.cli.workspace_options import (
    ActAs,
    CaseId,
    Format,
    OutputFormat,
    TokenFile,
    Workspace,
    acting,
    write_json,
    write_lines,
)

bundle = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@bundle.callback()
def _bundle() -> None:
    """Hand out a case so that nobody has to be believed, and check one that was handed out.

    Example: headframe bundle verify HF-2026-000001.zip --key unit.pub
    """


@bundle.command("make")
@politely
def make(
    case_id: CaseId,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Ends in .zip, or is a folder; must not be there.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Who asked for it; it is logged.")],
    withhold: Annotated[
        list[str] | None,
        typer.Option(
            "--withhold",
            metavar="FIELD",
            help="A field that stays closed, wherever it is told: account, unit, reason, act, content.",
        ),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option("--leave-out", metavar="DOCUMENT", help="Name or SHA-256 of a document that stays out."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="One that witnesses co-signed or an authority stamped, beside those that log checkpoint --keep keeps.",
        ),
    ] = None,
    time_stamp: Annotated[
        Path | None,
        typer.Option("--time-stamp", metavar="FILE", help="An authority's answer (RFC 3161) for that checkpoint."),
    ] = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Make the bundle of a case: events, documents and findings, with the proof that they are in the ledger.

    What is withheld stands nowhere in the bundle: not in letters, not within the words of an act. With content, the
    bundle proves what happened and when, and tells neither addresses nor findings, only their digests; with act, only
    that something happened then.

    \b
    Examples:
      headframe bundle make HF-2026-000001 HF-2026-000001.zip \\
        --reason "the party asked for its file"
      headframe bundle make HF-2026-000001 audit --reason "audit 2026" \\
        --withhold account --withhold unit
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.casework.case_bundle import write_case_bundle
    from headframe.cli.log import _file
    from headframe.reports.words import count, size, visible

    with acting(workspace, act_as, token_file) as (casework, account):
        written = write_case_bundle(
            casework,
            account,
            case_id,
            path,
            reason=reason,
            withhold=withhold or (),
            leave_out=leave_out or (),
            checkpoint=None if checkpoint is None else _file(checkpoint),
            time_stamp=None if time_stamp is None else _file(time_stamp),
        )
        key = casework.ledger.keys[-1].text()
    write_lines([str(path)])
    files = written.manifest.files
    total = sum(file.size for file in files)
    say(f"{count(len(files), 'file')}, {size(total)}; whoever checks it needs your public key: {key}")
    if written.seen is not None:
        known = written.leaves - written.unwitnessed
        say(
            f"{known:,} of its {count(written.leaves, 'leaf', 'leaves')} are among the {written.seen:,} that others "
            "have seen; the one about this bundle never is"
        )
        if written.unwitnessed > 1:
            say(
                "for the newer ones have the log witnessed again (headframe log witness, headframe log checkpoint "
                "--keep), and make the bundle again"
            )
    if written.closed:
        say(f"{count(written.closed, 'more field')} stayed closed for telling what is withheld, or others' affairs")
    if written.leaves_out:
        say(f"{count(written.leaves_out, 'entry', 'entries')} of the log stayed out, being about what is withheld")
    for ref in written.strange:
        say(
            f"{visible(ref.name)} (SHA-256 {ref.sha256}) is not in it: the database has it as a document of the case, "
            "and the log has not. Find out who could write into the database"
        )
    for digest, why in written.gone.items():
        say(f"the document with SHA-256 {digest} is not in it: {why}")
    if written.documents_out:
        say(f"{count(written.documents_out, 'document')} stayed out")
    if written.findings_closed:
        say(f"of {count(written.findings, 'finding')} only digests are in it, for {written.findings_closed}")
    if withhold and written.from_outside:
        say(
            f"{count(written.from_outside, 'document')} from outside went in as they came: nobody has looked whether "
            "they tell what is withheld. --leave-out keeps one out"
        )


@bundle.command("verify")
@politely
def verify(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The bundle: a zip or a folder.")],
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="A public key that you trust (name+id+base64), of the log or a witness, or a file of such lines.",
        ),
    ] = None,
    authorities: Annotated[
        list[Path] | None,
        typer.Option("--authority", metavar="FILE", help="Root certificate (PEM) of a time-stamp authority."),
    ] = None,
    witnesses: Annotated[
        int,
        typer.Option(
            "--witnesses", metavar="N", min=0, help="So many known witnesses must have seen every leaf of the case."
        ),
    ] = 0,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Check a bundle, offline: no workspace, no database, no network.

    Ends with 0 if every check holds, with 3 if one does not. Get the unit's public key on another way than the bundle.

    \b
    Examples:
      headframe bundle verify HF-2026-000001.zip --key unit.pub
      headframe bundle verify audit --key unit.pub --key witness.pub --witnesses 1
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.cli.log import _file
    from headframe.reports.words import clock_time, visible
    from headframe.stores.bundles import verify_bundle
    from headframe.stores.ledger_keys import read_verifiers

    report = verify_bundle(
        path,
        read_verifiers(keys or []),
        authorities=[_file(file) for file in authorities or []],
        witnesses_needed=witnesses,
    )
    if output_format is Format.JSON:
        write_json(
            {
                "subject": report.subject,
                "made_ns": None if report.made_ns is None else str(report.made_ns),
                "sound": report.sound,
                "checks": [{"name": item.name, "state": item.state.value, "text": item.text} for item in report.checks],
                "withheld": [{"index": index, "field": name} for index, name in report.withheld],
                "withheld_count": report.withheld_count,
                "leaves": report.leaves,
                "not_witnessed": [{"index": index, "kind": kind} for index, kind in report.unwitnessed],
                "not_witnessed_count": report.unwitnessed_count,
                "keys_inside": list(report.keys_inside),
            }
        )
    else:
        head = []
        if report.made_ns is not None:
            head = [f"bundle of {visible(report.subject)}, made {clock_time(report.made_ns)} UTC as it says"]
        rows = [f"{item.state.value:<12} {item.name:<12} {visible(item.text, 2_000)}" for item in report.checks]
        verdict = "Nothing was altered." if report.sound else "This bundle does not hold: see what failed above."
        write_lines([*head, *rows, verdict])
    if not keys:
        for line in report.keys_inside:
            say(f"the bundle names this key itself; compare it with what the unit publishes: {visible(line)}")
    if not report.sound:
        raise SystemExit(int(ExitCode.DAMAGED))
