"""``headframe retention``: what has to go, destroyed by two accounts together, with a certificate."""

from pathlib import Path
from typing import Annotated

import typer

from headframe.cli.choices import LanguageChoice
from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say
from headframe.cli.workspace_options import (
    ActAs,
    Format,
    Language,
    OutputFormat,
    SecondTokenFile,
    TokenFile,
    Workspace,
    account_in,
    acting,
    opened,
    write_json,
    write_lines,
    write_rows,
)

retention = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_MOST_SHOWN = 200
_IN_FILES = "the files of the database may still hold what was destroyed by"
NOTHING_DUE = "nothing is due; nothing was destroyed, and no certificate was written"
_COLUMNS = {"class": "class", "item": "item", "due": "due since", "rule": "rule", "why": "stays, because"}
_CERTIFICATES = {
    "certificate": "certificate", "at": "when", "destroyed": "destroyed", "proposer": "by", "approver": "and",
    "files": "database's files",
}  # fmt: skip


@retention.callback()
def _retention() -> None:
    """Let go of what must not be kept longer; a legal hold wins over every rule.

    Example: headframe retention run
    """


@retention.command("run")
@politely
def run(
    second: Annotated[
        str | None,
        typer.Option("--with", metavar="NAME", help="The second account, which agrees; else nothing is destroyed."),
    ] = None,
    second_token_file: SecondTokenFile = None,
    lake: Annotated[
        Path | None,
        typer.Option(
            "--lake",
            metavar="DIR",
            help="Readings of a lake elsewhere, in place of the workspace's own lake/. No other workspace may use it.",
        ),
    ] = None,
    language: Language = LanguageChoice.EN,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write the certificate there, as PDF and page.")
    ] = None,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Show what is due; with a second account, destroy it, and write a certificate into the ledger.

    \b
    Examples:
      headframe retention run
      headframe retention run --as admin --token-file admin.token \\
        --with admin2 --with-token-file admin2.token
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    if second is None:
        if second_token_file is not None:
            fail("--with-token-file without --with: name the second account too, or neither", ExitCode.USAGE)
        with opened(workspace) as casework:
            from headframe.casework.retention import altered_in, law, left_in_files, plan
            from headframe.reports.words import count, instant, visible

            due, remarks, left = plan(casework, lake), law(casework).remarks, left_in_files(casework)
        rows = [
            {"class": one.item.data_class.value, "item": one.item.item_id, "due": instant(one.due_ns),
             "rule": f"{one.rule.days} d, {one.rule.basis.value}", "why": ""}
            for one in due.goes[:_MOST_SHOWN]
        ] + [
            {"class": one.item.data_class.value, "item": one.item.item_id, "due": None, "rule": "", "why": one.why}
            for one in due.stays[:_MOST_SHOWN]
        ]  # fmt: skip
        write_rows(rows, _COLUMNS, output_format, due=len(due.goes), stays=len(due.stays))
        for remark in (*remarks, *altered_in(due)):
            say(visible(remark, 1_000))
        if left:
            say(f"{_IN_FILES} {', '.join(left)}: the next run with a second account writes them anew")
        if due.goes:
            say(f"{count(len(due.goes), 'item')} due; nothing was destroyed. Two accounts do that: --with NAME")
        else:
            say(NOTHING_DUE)
        return
    with acting(workspace, act_as, token_file) as (casework, proposer):
        from headframe.casework.retention import altered_in, finish, left_in_files, plan, write_certificate
        from headframe.casework.retention import run as destroy
        from headframe.reports.words import count, visible

        approver = account_in(casework, second, second_token_file)
        due = plan(casework, lake)
        for told in altered_in(due):
            say(visible(told, 1_000))
        if not due.goes:
            # What an earlier run destroyed may be in the files yet; that was agreed on then.
            if left_in_files(casework):
                done = finish(casework, proposer)
                say(f"the files of the database were written anew, as {', '.join(done)} still had to be")
            say(NOTHING_DUE)
            return
        certificate = destroy(casework, proposer, approver, due, lake)
        refs = write_certificate(casework, certificate, proposer, approver, language=language.value)
        copied = casework.copy_out(refs, out) if out is not None else []
    write_lines([certificate.certificate_id])
    say(f"{count(sum(one.count for one in certificate.classes), 'item')} destroyed; the certificate is in the ledger")
    for path in copied:
        say(f"written to {path}")
    for reason in certificate.failed:
        say(f"not destroyed: {reason}")
    if certificate.in_files:
        say(f"{_IN_FILES} {certificate.certificate_id}: {certificate.in_files}")


@retention.command("hold")
@politely
def hold(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    lift: Annotated[str, typer.Option("--lift", metavar="HOLD", help="End this hold of everything.")] = "",
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Keep everything from being purged, or end that. One case is held by headframe case hold.

    Example: headframe retention hold --reason "court file 12/2026"
    """
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.casework.retention import lift_hold, place_hold

        if lift:
            lift_hold(casework, account, lift, reason)
            write_lines([lift])
        else:
            write_lines([place_hold(casework, account, reason)])


@retention.command("certificate")
@politely
def certificate(
    certificate_id: Annotated[str, typer.Argument(metavar="CERTIFICATE", help="Its number, such as D-0123456789ab.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Write it there, as PDF and page.")],
    language: Language = LanguageChoice.EN,
    workspace: Workspace = None,
) -> None:
    """Give out a certificate of destruction again, as PDF and page, in either language.

    Example: headframe retention certificate D-0123456789ab --out certificates
    """
    with opened(workspace) as casework:
        from headframe.casework.retention import certificate_out

        copied = certificate_out(casework, certificate_id, out, language=language.value)
    write_lines([str(path) for path in copied])


@retention.command("certificates")
@politely
def certificates(output_format: OutputFormat = Format.TABLE, workspace: Workspace = None) -> None:
    """List certificates of destruction, the latest first; as JSON with the digests of what was destroyed.

    Example: headframe retention certificates
    """
    with opened(workspace) as casework:
        from headframe.casework.retention import certificates as listed
        from headframe.reports.words import instant

        found = listed(casework)
    if output_format is Format.JSON:
        write_json({"rows": [dict(one) for one in found]})
        return
    rows = []
    for one in found:
        classes = one.get("destroyed")
        number = sum(int(each["count"]) for each in classes) if isinstance(classes, list) else 0
        files = "written anew" if one["out_of_files"] else "not written anew yet"
        rows.append({**one, "destroyed": number, "at": instant(int(str(one["at_ns"]))), "files": files})
    write_rows(rows, _CERTIFICATES, output_format)
