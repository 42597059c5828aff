"""``headframe case`` to its end: remedy, measuring again, closure, reopening, appeal, correction."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.choices import (
    AppealChoice,
    ClosureChoice,
    GradeChoice,
    StandingChoice,
)
from headframe.cli.exit_codes import ExitCode
from headframe.cli.options import Weather
from headframe.cli.polite import fail, politely, say
from headframe.cli.workspace_options import (
    ActAs,
    CaseId,
    LetterLanguage,
    TokenFile,
    Workspace,
    acting,
    moment,
)

if TYPE_CHECKING:
    from headframe.casework import Casework
    from headframe.records.case import Act
    from headframe.records.policy import Pack
    from headframe.records.scan import ScanResult


from headframe.cli.case_acts import (
    At,
    DocumentFile,
    Reason,
    do,
    finish,
    kept_file,
)

endings = typer.Typer(rich_markup_mode=None)


@endings.command("remedy")
@politely
def remedy(
    case_id: CaseId,
    grade: Annotated[
        GradeChoice,
        typer.Option(
            "--grade",
            help="A seen by an inspector, B documents of others, C the party's word with documents, D its word.",
        ),
    ],
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="What was done to end it.")],
    documents: Annotated[
        list[Path] | None, typer.Option("--document", metavar="FILE", help="Proof; may be repeated.")
    ] = None,
    at: At = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Record what the party did to end it, and how well that is proved.

    \b
    Example:
      headframe case remedy HF-2026-000001 --grade B --text "machines removed" \\
        --document removal.pdf
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.records.case import RecordRemedy, RemedyGrade

        return RecordRemedy(
            at_ns=moment(at, pack, casework.now_ns(), "--at"),
            grade=RemedyGrade(grade.value),
            text=text,
            documents=tuple(kept_file(casework, path, "remedy_proof") for path in documents or ()),
        )

    do(case_id, act, workspace, act_as, token_file)


@endings.command("verify")
@politely
def verify(
    case_id: CaseId,
    captures: Annotated[
        list[Path] | None,
        typer.Option("--capture", metavar="FILE", help="Captures of the site, of both windows. May be repeated."),
    ] = None,
    clocks: Annotated[
        list[Path] | None,
        typer.Option("--clock", metavar="FILE", help="Block times for the scan of the captures. May be repeated."),
    ] = None,
    indicators: Annotated[
        list[Path] | None, typer.Option("--indicators", metavar="FILE", help="More indicators for that scan.")
    ] = None,
    findings: Annotated[
        list[Path] | None,
        typer.Option("--findings", metavar="FILE", help="What headframe scan --format json wrote of the later window."),
    ] = None,
    watch: Annotated[
        list[Path] | None,
        typer.Option(
            "--watch",
            metavar="FILE",
            help="What the sensor recorded, in both windows: start,end,address,conversations. With --findings.",
        ),
    ] = None,
    readings: Annotated[
        list[Path] | None, typer.Option("--readings", metavar="FILE", help="Meter readings of both windows.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="OURS=THEIRS,...", help="Our names for the readings' columns.")
    ] = None,
    topology: Annotated[
        list[Path] | None, typer.Option("--topology", metavar="FILE", help="Usage points and transformers.")
    ] = None,
    weather: Weather = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Where the data end; a day means through that day. Else now."),
    ] = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Measure the site again from new data, with the same detectors, and record what came of it.

    Rectified, persists, or not enough data. The account must have had no part in what it verifies.

    \b
    Examples:
      headframe case verify HF-2026-000001 --capture after/ \\
        --clock after/blocks.csv
      headframe case verify HF-2026-000001 --readings readings.parquet \\
        --weather weather.csv
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    if not (captures or findings or readings):
        fail("nothing to measure from: give --capture, --readings, or --findings with --watch", ExitCode.USAGE)
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.records.case import Verify
        from headframe.reports.words import visible

        pack = casework.pack_of_case(case_id)
        measurement = casework.measure_again(
            case_id,
            captures=tuple(map(str, captures or ())),
            findings=tuple(findings or ()),
            watch=tuple(watch or ()),
            readings=tuple(readings or ()),
            columns=columns,
            topology=tuple(topology or ()),
            weather=weather,
            until_ns=moment(until, pack, casework.now_ns(), "--until", end=True, past=True),
            scan=_scan_with(clocks or [], indicators or []) if captures else None,
            talk=say,
        )
        say(visible(f"{measurement.outcome}: {measurement.explanation}", 2_000))
        for missing in measurement.missing:
            say(visible(f"missing: {missing}", 1_000))
        finish(casework.perform(account, case_id, Verify(measurement=measurement)))


def _scan_with(clocks: list[Path], indicators: list[Path]) -> "Callable[[Sequence[str]], ScanResult]":
    """The scan that found the mining, for the later captures."""
    from headframe.cli.scan import get_ready

    get_ready(quiet=False)
    from headframe import app

    options = app.ScanOptions(clocks=tuple(clocks), indicators=tuple(indicators))
    return lambda paths: app.scan(list(paths), options)


@endings.command("close")
@politely
def close(
    case_id: CaseId,
    closure: Annotated[ClosureChoice, typer.Option("--as-closed", help="Why it ends; silence is no reason.")],
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="In words.")],
    language: LetterLanguage = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Propose to close a case; another account approves it.

    \b
    Example:
      headframe case close HF-2026-000001 --as-closed rectified \\
        --text "measured to be over"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(_casework: "Casework", _pack: "Pack") -> "Act":
        from headframe.records.case import ClosureReason, ProposeClosure

        return ProposeClosure(
            reason=ClosureReason(closure.value), text=text, language=language.value if language else ""
        )

    do(case_id, act, workspace, act_as, token_file)


@endings.command("reopen")
@politely
def reopen(
    case_id: CaseId, reason: Reason, workspace: Workspace = None, act_as: ActAs = None, token_file: TokenFile = None
) -> None:
    """Propose to open a closed case again: an error came to light, or the file was incomplete.

    \b
    Example:
      headframe case reopen HF-2026-000001 \\
        --reason "the reply had been filed with another case"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(_casework: "Casework", _pack: "Pack") -> "Act":
        from headframe.records.case import ProposeReopening

        return ProposeReopening(reason=reason)

    do(case_id, act, workspace, act_as, token_file)


@endings.command("appeal")
@politely
def appeal(
    case_id: CaseId,
    body: Annotated[
        str,
        typer.Option("--body", metavar="BODY", help="Where the party appealed: a body of the pack, see case next."),
    ] = "",
    other_body: Annotated[
        str, typer.Option("--other-body", metavar="TEXT", help="A body that the pack does not name, in words.")
    ] = "",
    standing: Annotated[
        StandingChoice | None,
        typer.Option("--standing", help="How the party stands to it, as the body found; with --outcome."),
    ] = None,
    grounds: Annotated[str, typer.Option("--grounds", metavar="TEXT", help="On what grounds.")] = "",
    outcome: Annotated[
        AppealChoice | None,
        typer.Option("--outcome", help="What was decided on the appeal that is open; of a late one, inadmissible."),
    ] = None,
    admit: Annotated[
        bool, typer.Option("--admit", help="Hear an appeal that came late: the delay is excusable.")
    ] = False,
    number: Annotated[
        int,
        typer.Option("--appeal", metavar="NUMBER", min=0, help="Event of the appeal that it is about, if several are."),
    ] = 0,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it was decided so.")] = "",
    received: Annotated[
        str | None, typer.Option("--received", metavar="TIME", help="When the appeal came; else now.")
    ] = None,
    document: DocumentFile = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Record an appeal (--body, --grounds), or what was decided on it (--outcome, --reason).

    One that comes after its time is kept and marked as late; an account that did not decide the case says whether it is
    heard all the same (--admit) or not (--outcome inadmissible), with the reason. Until then what was decided rests.
    Each body that the pack names has its own time, and what one decides does not end the way to another; headframe case
    next names them. Where several appeals are open, --appeal says which one; case show has their numbers.

    \b
    Examples:
      headframe case appeal HF-2026-000001 --body court \\
        --grounds "a cold store was running"
      headframe case appeal HF-2026-000001 --outcome upheld \\
        --reason "the load is the cold store's"
      headframe case appeal HF-2026-000001 --admit \\
        --reason "the decision lay at the old address for three weeks"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    if [bool(body or other_body), outcome is not None, admit].count(True) != 1 or (body and other_body):
        fail(
            "name either --body (or --other-body) and --grounds (an appeal came), or --outcome and --reason (it was "
            "decided), or --admit and --reason (it came late and is heard)",
            ExitCode.USAGE,
        )

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.records.case import AdmitAppeal, AppealOutcome, DecideAppeal, FileAppeal
        from headframe.records.policy import PartyStanding

        kept = None if document is None else kept_file(casework, document, "appeal")
        if admit or outcome is AppealChoice.INADMISSIBLE:
            return AdmitAppeal(admitted=admit, reason=reason, document=kept, appeal=number)
        if outcome is not None:
            return DecideAppeal(
                outcome=AppealOutcome(outcome.value),
                reason=reason,
                document=kept,
                standing=None if standing is None else PartyStanding(standing.value),
                appeal=number,
            )
        return FileAppeal(
            received_ns=moment(received, pack, casework.now_ns(), "--received"),
            body=body or other_body,
            other_body=bool(other_body),
            grounds=grounds,
            document=kept,
        )

    do(case_id, act, workspace, act_as, token_file)


@endings.command("correct")
@politely
def correct(
    case_id: CaseId,
    event: Annotated[int, typer.Option("--event", metavar="NUMBER", min=1, help="The event that says it wrongly.")],
    field: Annotated[str, typer.Option("--field", metavar="NAME", help="Which of its fields.")],
    value: Annotated[
        str,
        typer.Option(
            "--value",
            metavar="TEXT",
            help="What is right: text as it stands, an instant as a day or time, all else JSON.",
        ),
    ],
    reason: Reason,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Propose to correct what an earlier event says. The event stays; the correction stands beside it.

    Fields that end in _ns are instants. They take a day or a time in ISO 8601, which without an offset is in the pack's
    zone; null where there is none; or, in quotes, nanoseconds since 1970, as headframe case events shows them.

    \b
    Examples:
      headframe case correct HF-2026-000001 --event 4 --field text \\
        --value "38 machines" --reason "counted twice"
      headframe case correct HF-2026-000001 --event 7 --field received_ns \\
        --value 2026-01-08T14:00 --reason "as the receipt says"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.records.case import ProposeCorrection

        right = value
        if field.endswith("_ns") and not value.lstrip().startswith(('"', "null")):
            if value.strip() in ("", "-"):
                fail("--value is empty; where there is no such time, it is null", ExitCode.USAGE)
            ends = field.endswith("ended_ns")
            right = json.dumps(str(moment(value, pack, casework.now_ns(), "--value", end=ends, past=ends)))
        return ProposeCorrection(event=event, field=field, value=right, reason=reason)

    do(case_id, act, workspace, act_as, token_file)
