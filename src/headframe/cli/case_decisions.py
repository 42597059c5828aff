"""``headframe case`` in substance: inspection, decision, measures, and when they are final."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.choices import (
    OutcomeChoice,
)
from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say
from headframe.cli.usage import shown
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


from headframe.cli.case_acts import (
    At,
    DocumentFile,
    Reason,
    Sheets,
    do,
    finish,
    kept_file,
    sheets_of,
)

decisions = typer.Typer(rich_markup_mode=None)


@decisions.command("inspect")
@politely
def inspect(
    case_id: CaseId,
    authority: Annotated[
        str, typer.Option("--authority", metavar="TEXT", help="Instrument and place in it, or warrant.")
    ],
    present: Annotated[
        list[str], typer.Option("--present", metavar="ROLE", help="Who was there, by role and unit. May be repeated.")
    ],
    started: Annotated[str, typer.Option("--started", metavar="TIME", help="When it began.")],
    ended: Annotated[str, typer.Option("--ended", metavar="TIME", help="When it ended; a day means through that day.")],
    place: Annotated[str, typer.Option("--place", metavar="TEXT", help="Room or part of the site.")],
    observations: Annotated[
        list[str], typer.Option("--observation", metavar="TEXT", help="What was seen. May be repeated.")
    ],
    machines: Annotated[
        int | None, typer.Option("--machines", metavar="N", min=0, help="Machines that were seen.")
    ] = None,
    meters: Annotated[
        list[str] | None,
        typer.Option(
            "--meter",
            metavar="ID,READING,UNIT[,SEAL+SEAL][,intact|broken]",
            help="A meter as it stood there. May be repeated.",
        ),
    ] = None,
    bypass: Annotated[
        bool | None,
        typer.Option("--bypass/--no-bypass", help="A connection before the meter; neither: not looked for."),
    ] = None,
    photos: Annotated[
        list[Path] | None, typer.Option("--photo", metavar="FILE", help="Hashed now, kept as it is. May be repeated.")
    ] = None,
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="Who inspected; else the account's unit.")] = "",
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Record an inspection: by what authority, who was present (roles, never names), meters, seals, photos.

    \b
    Example:
      headframe case inspect HF-2026-000001 \\
        --authority "inspection request 2026-17" \\
        --present "grid company, metering" --started 2026-11-20T09:00 \\
        --ended 2026-11-20T10:30 --place "hall 2" \\
        --observation "40 machines in racks" --machines 40 \\
        --meter M-1182,48211.4,kWh,S-77,intact --no-bypass --photo rack.jpg
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    seen = tuple(_meter(text) for text in meters or ())
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.records.case import InspectionRecord, MeterSeen, RecordInspection

        pack, now = casework.pack_of_case(case_id), casework.now_ns()
        record = InspectionRecord(
            authority=authority,
            unit=unit or account.unit,
            present=tuple(present),
            started_ns=moment(started, pack, now, "--started"),
            ended_ns=moment(ended, pack, now, "--ended", end=True, past=True),
            place=place,
            observations=tuple(observations),
            machines_seen=machines,
            meters=tuple(
                MeterSeen(meter=name, reading=reading, unit=of, seals=seals, seals_intact=intact)
                for name, reading, of, seals, intact in seen
            ),
            bypass_seen=bypass,
            photos=tuple(kept_file(casework, photo, "photo") for photo in photos or ()),
        )
        finish(casework.perform(account, case_id, RecordInspection(record=record)))


@decisions.command("decide")
@politely
def decide(
    case_id: CaseId,
    outcome: Annotated[OutcomeChoice, typer.Option("--outcome", help="What the decision says.")],
    reason: Reason,
    basis: Annotated[
        list[str] | None, typer.Option("--basis", metavar="REF", help="Legal basis: bj24#18. May be repeated.")
    ] = None,
    measures: Annotated[
        list[str] | None, typer.Option("--measure", metavar="ID", help="A measure of the pack. May be repeated.")
    ] = None,
    sheets: Sheets = None,
    heard_reply: Annotated[
        str, typer.Option("--heard-reply", metavar="TEXT", help="How what the party answered was weighed.")
    ] = "",
    document: DocumentFile = None,
    language: LetterLanguage = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Propose a decision; another account approves it.

    \b
    Example:
      headframe case decide HF-2026-000001 --outcome confirmed \\
        --basis bj24#18 --measure clear \\
        --reason "shares handed in over 40 days; load step of 62 kW" \\
        --heard-reply "the cold store was ruled out"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.policy.citations import instrument_of, place_known
        from headframe.records.case import DecisionOutcome, ProposeDecision

        for text in basis or ():
            if instrument_of(pack, text) is not None and not place_known(pack, text):
                say(f"{shown(text)}: pack {pack.id} does not cite this place itself; the decision will say so")
        return ProposeDecision(
            outcome=DecisionOutcome(outcome.value),
            legal_basis=tuple(basis or ()),
            reason=reason,
            measures=tuple(measures or ()),
            sheets=sheets_of(sheets),
            document=None if document is None else kept_file(casework, document, "decision"),
            heard_reply=heard_reply,
            language=language.value if language else "",
        )

    do(case_id, act, workspace, act_as, token_file)


@decisions.command("final")
@politely
def final(
    case_id: CaseId, reason: Reason, workspace: Workspace = None, act_as: ActAs = None, token_file: TokenFile = None
) -> None:
    """Record that the decision cannot be appealed any more.

    \b
    Example:
      headframe case final HF-2026-000001 --reason "no appeal within the period"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(_casework: "Casework", _pack: "Pack") -> "Act":
        from headframe.records.case import DeclareFinal

        return DeclareFinal(reason=reason)

    do(case_id, act, workspace, act_as, token_file)


@decisions.command("measure")
@politely
def measure(
    case_id: CaseId,
    measure_id: Annotated[str, typer.Argument(metavar="MEASURE", help="Id of the measure in the pack.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why now; of a proposal.")] = "",
    done_by: Annotated[
        str, typer.Option("--done-by", metavar="UNIT", help="Record that this unit carried it out.")
    ] = "",
    ended_by: Annotated[str, typer.Option("--ended-by", metavar="UNIT", help="Record that this unit ended it.")] = "",
    at: At = None,
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="What was done.")] = "",
    sheets: Sheets = None,
    warrant: Annotated[Path | None, typer.Option("--warrant", metavar="FILE", help="A court's warrant.")] = None,
    document: DocumentFile = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Propose that a measure be asked for (--reason), or record that a unit carried it out or ended it.

    \b
    Example:
      headframe case measure HF-2026-000001 clear \\
        --reason "still mining after the decision"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    if sum(map(bool, (reason, done_by, ended_by))) != 1:
        fail("name one of --reason (propose it), --done-by UNIT and --ended-by UNIT (record it)", ExitCode.USAGE)

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.records.case import ProposeMeasure, RecordMeasure

        if reason:
            return ProposeMeasure(
                measure=measure_id,
                reason=reason,
                document=None if document is None else kept_file(casework, document, "other"),
                sheets=sheets_of(sheets),
                court_warrant=None if warrant is None else kept_file(casework, warrant, "other"),
            )
        return RecordMeasure(
            measure=measure_id,
            unit=done_by or ended_by,
            at_ns=moment(at, pack, casework.now_ns(), "--at"),
            ended=bool(ended_by),
            text=text,
            document=None if document is None else kept_file(casework, document, "other"),
        )

    do(case_id, act, workspace, act_as, token_file)


def _meter(text: str) -> tuple[str, str, str, tuple[str, ...], bool | None]:
    parts = [part.strip() for part in text.split(",")]
    if not 3 <= len(parts) <= 5 or not all(parts[:3]):
        fail(f"--meter {text!a}: expected ID,READING,UNIT[,SEAL+SEAL][,intact|broken]", ExitCode.USAGE)
    intact: bool | None = None
    if parts[-1] in ("intact", "broken"):
        intact = parts.pop() == "intact"
    seals = tuple(seal for seal in parts[3].split("+") if seal) if len(parts) > 3 else ()
    return parts[0], parts[1], parts[2], seals, intact
