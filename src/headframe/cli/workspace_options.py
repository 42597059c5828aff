"""What the commands of the casework share: workspace, account, form of output, times, files, refusals."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headframe.cli.choices import LanguageChoice
from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, say, writing_output

if TYPE_CHECKING:
    from headframe.casework import Casework
    from headframe.records.case import Accepted, Account, Refused
    from headframe.records.policy import Pack

ACCOUNT_VARIABLE = "HEADFRAME_ACCOUNT"
TOKEN_FILE_VARIABLE = "HEADFRAME_TOKEN_FILE"  # noqa: S105 - the name of a variable, not a token
NOW_VARIABLE = "HEADFRAME_NOW"
MOST_UNFIT = 5
"""Leaves that are kept out of the log and told at every opening; headframe log verify tells more."""
"""Time of day in a training workspace, ISO 8601; refused everywhere else."""

Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="The workspace's folder; else HEADFRAME_WORKSPACE, else ~/.local/share/headframe.",
    ),
]
ActAs = Annotated[
    str | None, typer.Option("--as", metavar="NAME", help=f"The account that acts; else {ACCOUNT_VARIABLE}.")
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", metavar="FILE", help=f"The account's token; else {TOKEN_FILE_VARIABLE}."),
]
NewTokenFile = Annotated[
    Path, typer.Option("--new-token-file", metavar="FILE", help="Where the new token is written; must not be there.")
]
SecondTokenFile = Annotated[
    Path | None, typer.Option("--with-token-file", metavar="FILE", help="The token of the second account.")
]
OutFolder = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Also write the files there, under their names.")
]
CaseId = Annotated[str, typer.Argument(metavar="CASE", help="Number of the case, HF-2026-000001.")]
Language = Annotated[LanguageChoice, typer.Option("--language", help="Of documents and words.")]
LetterLanguage = Annotated[
    LanguageChoice | None,
    typer.Option("--language", help="Of the document; else that of the party's last letter, else the pack's."),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="Rows of a page.")]
Cursor = Annotated[
    str, typer.Option("--after", metavar="CURSOR", help="The next page: what the page before named at its end.")
]


class Format(StrEnum):
    """Forms of lists and of one case."""

    TABLE = "table"
    JSON = "json"


OutputFormat = Annotated[Format, typer.Option("--format", help="Form of what is on standard output.")]


@contextlib.contextmanager
def opened(workspace: Path | None) -> Iterator[Casework]:
    """The workspace that the options name, with what the last run left undone handed to the ledger first."""
    from headframe.casework import open_workspace
    from headframe.casework.held_to_log import WERE_IT_AN_OLDER_COPY
    from headframe.errors import HeadframeError
    from headframe.stores.blocks import workspace_folder

    casework = open_workspace(workspace_folder(workspace), simulated_now=os.environ.get(NOW_VARIABLE))
    before = None
    try:
        from headframe.reports.words import count, visible

        for remark in casework.ledger.remarks:
            say(visible(remark, 1_000))
        if casework.recovered:
            say(f"{count(casework.recovered, 'leaf', 'leaves')} of an earlier run handed to the ledger first")
        for told in list(casework.unfit.values())[:MOST_UNFIT]:
            say(f"{visible(told, 1_000)}; it stays out of the log (headframe log verify)")
        if casework.unknown_from is not None:
            say(
                f"the database does not know leaf {casework.unknown_from:,} of the log, which has "
                f"{casework.ledger.size:,}. {WERE_IT_AN_OLDER_COPY}"
            )
        yield casework
    except UnicodeEncodeError as fault:
        # What the shell hands over in another encoding than UTF-8 arrives as lone surrogates, which nothing can keep.
        raise HeadframeError(
            "a word of this command is no UTF-8, so it could not be kept, and nothing was done; give it in UTF-8 "
            "(in a terminal whose locale is one of UTF-8)"
        ) from fault
    except KeyboardInterrupt:
        # A second one while the database is closed would only show its insides; closing takes no time.
        with contextlib.suppress(ValueError):
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise
    finally:
        if sys.exc_info()[0] in (None, SystemExit):
            for caution in casework.cautions:
                say(caution)
        casework.close()
        if before is not None:
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def acting(
    workspace: Path | None, act_as: str | None, token_file: Path | None, *, restored: bool = False
) -> Iterator[tuple[Casework, Account]]:
    """The workspace, and the account that acts in it."""
    try:
        with opened(workspace) as casework:
            yield casework, account_in(casework, act_as, token_file, restored=restored)
    except KeyboardInterrupt:
        fail(
            "interrupted; what was not acknowledged may have been done or not: headframe case events CASE or headframe "
            "log show tells, before it is done again",
            ExitCode.INTERRUPTED,
        )


def account_in(casework: Casework, act_as: str | None, token_file: Path | None, *, restored: bool = False) -> Account:
    """The account that ``--as`` and ``--token-file`` (or their variables) name.

    Raises
    ------
    SystemExit
        If one of them is missing.
    NotAllowed
        If they do not belong together.
    """
    from headframe.casework.accounts import read_token

    name = act_as or os.environ.get(ACCOUNT_VARIABLE)
    path = token_file or (Path(named) if (named := os.environ.get(TOKEN_FILE_VARIABLE)) else None)
    if not name or path is None:
        missing = " and ".join(
            text
            for text, there in (
                (f"an account (--as NAME, or {ACCOUNT_VARIABLE})", bool(name)),
                (f"its token (--token-file FILE, or {TOKEN_FILE_VARIABLE})", path is not None),
            )
            if not there
        )
        fail(f"this needs {missing}; headframe account list shows the accounts", ExitCode.REFUSED)
    return casework.acting(name, read_token(path), restored=restored)


def tell(answer: Accepted | Refused) -> Accepted:
    """An accepted act; every reason of a refused one to standard error, and the end of the program.

    Raises
    ------
    SystemExit
        With `ExitCode.REFUSED`.
    """
    from headframe.records.case import Refused
    from headframe.reports.words import visible

    if isinstance(answer, Refused):
        for reason in answer.reasons:
            say(f"refused: {visible(reason, 1_000)}")
        raise SystemExit(int(ExitCode.REFUSED))
    return answer


def moment(
    text: str | None, pack: Pack | None, now_ns: int, option: str, *, end: bool = False, past: bool = False
) -> int:
    """An instant as an option names it: ``now``, a day, or ISO 8601; without an offset it is in the pack's zone.

    Parameters
    ----------
    text : str or None
    pack : Pack or None
    now_ns : int
        [ns since 1970-01-01 UTC]
    option : str
        For messages.
    end : bool
        It is the end of a period: a day then means through that day, else the beginning of it.
    past : bool
        It has happened: today's end is now.

    Returns
    -------
    int
        [ns since 1970-01-01 UTC]

    Raises
    ------
    SystemExit
        If it is none.
    """
    if text is None or text == "now":
        return now_ns
    from headframe.cli.zone import zone_of
    from headframe.sources.registry.values import time_ns

    try:
        zone = zone_of(pack.time_zone if pack is not None else "UTC")
        found = time_ns(text, zone, end=end)
        if found is not None and past and found > now_ns:
            found = max(now_ns, time_ns(text, zone) or 0)
    except ValueError as fault:
        fail(f"{option} {text!a}: {fault}", ExitCode.USAGE)
    if found is None:
        fail(f"{option} is empty; name a time as in 2026-11-27T14:00 or 2026-11-27T14:00+08:00", ExitCode.USAGE)
    return found


def when(at_ns: int | None, pack: Pack | None) -> str:
    """An instant for people, in the pack's zone and in UTC; a dash where there is none."""
    if at_ns is None:
        return "-"
    from datetime import UTC, datetime

    from headframe.cli.zone import zone_of
    from headframe.reports.words import clock_time

    utc = f"{clock_time(at_ns)[:16]} UTC"
    if pack is None or pack.time_zone in ("", "UTC"):
        return utc
    local = datetime.fromtimestamp(at_ns // 1_000_000_000, tz=UTC).astimezone(zone_of(pack.time_zone))
    return f"{local:%Y-%m-%d %H:%M} {pack.time_zone} ({utc})"


def write_json(value: object) -> None:
    """One JSON document to standard output; nothing in it that a terminal obeys."""
    with writing_output() as out:
        out.write(json.dumps(value, ensure_ascii=True, allow_nan=False, indent=2).replace("\x7f", "\\u007f") + "\n")


def write_lines(lines: Sequence[str]) -> None:
    """Lines to standard output; on a terminal folded between words, below their own beginning."""
    with writing_output() as out:
        if out.isatty():
            import shutil

            width = shutil.get_terminal_size().columns
            lines = [part for line in lines for part in folded(line, width)]
        out.writelines(f"{line}\n" for line in lines)


def folded(line: str, width: int, indent: int = 2) -> Iterator[str]:
    """A line in pieces that a terminal shows whole, cut between words; what follows stands further in.

    An id, a digest or a command is one word and stays whole; between two wide characters a cut is no harm.

    Parameters
    ----------
    line : str
    width : int
        Of the terminal. [characters]
    indent : int
        How much further in than the line itself. [characters]

    Examples
    --------
    >>> for part in folded("  still missing: look the site up again", 24):
    ...     print(part)
      still missing: look
        the site up again
    """
    from rich.cells import cell_len

    if cell_len(line) <= width:
        yield line
        return
    begin = " " * (len(line) - len(line.lstrip()) + indent)
    piece = line[: len(line) - len(line.lstrip())]
    fresh = True
    for word in line.split():
        if not fresh and cell_len(piece) + 1 + cell_len(word) <= width:
            piece += f" {word}"
            continue
        wide = not word.isascii() and cell_len(word) > len(word)
        if wide and cell_len(piece) + cell_len(word) + 1 > width:
            piece += "" if fresh else " "
            for character in word:
                if cell_len(piece) + cell_len(character) > width:
                    yield piece.rstrip()
                    piece = begin
                piece += character
        elif fresh:
            piece += word
        else:
            yield piece
            piece = begin + word
        fresh = False
    yield piece


def write_rows(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    output_format: Format,
    *,
    title: str = "",
    **about: object,
) -> None:
    """A list as a table or as JSON. Times are to the second in a table, and as exact as they are in JSON.

    Parameters
    ----------
    rows : sequence of mapping
        Plain JSON values.
    columns : mapping of str to str
        Key of a row to the heading of its column; what is not named is in the JSON alone.
    output_format : Format
    title : str
        Key of the value that heads a row where the terminal is too narrow for a table; else the first.
    **about : object
        Stands beside the rows in JSON: ``total``, ``after``.
    """
    if output_format is Format.JSON:
        write_json({"rows": [dict(row) for row in rows], **about})
        return
    import shutil

    from rich.table import Table

    from headframe.reports.console import console_on
    from headframe.reports.words import visible

    with writing_output() as out:
        if not out.isatty():
            # For scripts: headings, then one row a line with tabs between; nothing is folded.
            out.write("\t".join(columns.values()) + "\n")
            for row in rows:
                out.write("\t".join(visible(_shown(row.get(key)), 2_000) for key in columns) + "\n")
            return
        cells = [[visible(_shown(row.get(key)), 400) for key in columns] for row in rows]
        width = shutil.get_terminal_size().columns
        if not rows:
            say("there is none")
            return
        if _width_of(columns.values(), cells) > width:
            named = list(columns).index(title) if title else 0
            out.writelines(f"{line}\n" for line in blocks(list(columns.values()), cells, width, named))
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in columns.values():
            table.add_column(heading, overflow="fold")
        for line in cells:
            table.add_row(*line)
        with console_on(out, width=width, pipe_columns=160, environment=None) as console:
            console.print(table)


BETWEEN_SENTENCES = " | "
"""Between parts of a value that are sentences: commas stand within them."""


def _width_of(headings: Iterable[str], cells: Sequence[Sequence[str]]) -> int:
    """Columns of a terminal that a table takes if nothing in it is folded. [characters]"""
    from rich.cells import cell_len

    widest = [cell_len(heading) for heading in headings]
    for row in cells:
        widest = [max(width, cell_len(cell)) for width, cell in zip(widest, row, strict=True)]
    return sum(width + 2 for width in widest) - 2


def blocks(headings: Sequence[str], cells: Sequence[Sequence[str]], width: int, title: int = 0) -> Iterator[str]:
    r"""Rows that are too wide for a table: one value on a line of its own, the others below it by their names.

    An id, a time or a command that is cut into pieces can neither be read nor copied. A dash says nothing, and is left
    out.

    Parameters
    ----------
    headings : sequence of str
    cells : sequence of sequence of str
    width : int
        Of the terminal. [characters]
    title : int
        Which value comes first.

    Examples
    --------
    >>> for line in blocks(["case", "stage", "region"], [["HF-2026-000001", "notified", "-"]], 80):
    ...     print(line)
    HF-2026-000001
      stage: notified
    """
    from rich.cells import cell_len

    for row in cells:
        yield from folded(row[title], width)
        line = ""
        for place, (heading, cell) in enumerate(zip(headings, row, strict=True)):
            if place == title or cell == "-":
                continue
            *several, cell = cell.split(BETWEEN_SENTENCES)
            if several:
                # Each a sentence of its own, with commas and all.
                if line:
                    yield from folded(f"  {line}", width)
                    line = ""
                for sentence in (*several, cell):
                    yield from folded(f"  {heading}: {sentence}", width)
                continue
            pair = f"{heading}: {cell}"
            if line and cell_len(line) + cell_len(pair) + 4 > width:
                yield from folded(f"  {line}", width)
                line = pair
            else:
                line = f"{line}; {pair}" if line else pair
        if line:
            yield from folded(f"  {line}", width)


def _shown(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        told = [str(one) for one in value]
        return (BETWEEN_SENTENCES if any(" " in one for one in told) else ", ").join(told) or "-"
    from headframe.reports.words import to_the_second

    return to_the_second(str(value))


def refuse_closed_output() -> None:
    """End before any work where standard output is closed: ids would be lost."""
    if sys.stdout is None:
        fail("standard output is closed, so nothing can be told; open it", ExitCode.NOT_WRITTEN)
