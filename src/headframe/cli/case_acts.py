"""What the commands on cases share: options, and how an act is done and told."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, say
from headframe.cli.workspace_options import (
    acting,
    tell,
    write_lines,
)

if TYPE_CHECKING:
    from headframe.casework import Casework, Done
    from headframe.records.case import Accepted, Act, DocumentRef
    from headframe.records.policy import CalculationSheet, Pack

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in words that the file will keep.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="When it happened, ISO 8601, in the pack's zone without an offset; else now."
    ),
]
DocumentFile = Annotated[
    Path | None, typer.Option("--document", metavar="FILE", help="A document of it; kept under its digest.")
]
ProofFile = Annotated[
    Path | None, typer.Option("--proof", metavar="FILE", help="Proof of delivery; kept under its digest.")
]
Channel = Annotated[str, typer.Option("--channel", metavar="HOW", help="post, mail, portal, by hand.")]
Sheets = Annotated[
    list[Path] | None,
    typer.Option("--sheet", metavar="FILE.json", help="Calculation sheet of a sum of money. May be repeated."),
]


def do(
    case_id: str,
    act: "Callable[[Casework, Pack], Act]",
    workspace: Path | None,
    act_as: str | None,
    token_file: Path | None,
) -> None:
    """Have an act done by the account that the options name; `act` makes it, knowing the case's pack."""
    with acting(workspace, act_as, token_file) as (casework, account):
        pack = casework.pack_of_case(case_id)
        finish(casework.perform(account, case_id, act(casework, pack)))


def finish(done: "Done") -> "Accepted":
    """Print what was added, and say what follows; or every reason of a refusal, which ends the program."""
    accepted = tell(done.answer)
    write_lines([f"{event.case_id}/{event.number}" for event in accepted.events])
    from headframe.reports.casework import after_words

    for line in after_words(accepted, done.documents, done.faults):
        say(line)
    return accepted


def kept_file(casework: "Casework", path: Path, kind: str) -> "DocumentRef":
    """A file, kept under its digest; what it is called now, and what its metadata give away, is said."""
    from headframe.reports.words import visible

    ref, warnings = casework.keep_file(path, kind)
    say(f"{visible(path.name)} is kept as {ref.name}, SHA-256 {ref.sha256}; its own name is not")
    for warning in warnings:
        say(visible(warning))
    return ref


def pair(text: str, option: str) -> tuple[str, str]:
    """Both sides of ``NAME=VALUE``, or the end of the program with words."""
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        fail(f"{option} {text!a}: expected NAME=VALUE, such as party=organisation", ExitCode.USAGE)
    return name.strip(), value.strip()


def sheets_of(paths: list[Path] | None) -> "tuple[CalculationSheet, ...]":
    """Calculation sheets from their files."""
    if not paths:
        return ()
    from headframe.casework.sheets import read_sheet

    return tuple(read_sheet(path) for path in paths)
