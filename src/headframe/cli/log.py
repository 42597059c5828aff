"""``headframe log``: the ledger, for those who keep it and those who check it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say
from headframe.cli.workspace_options import (
    ActAs,
    Format,
    OutputFormat,
    TokenFile,
    Workspace,
    acting,
    write_json,
    write_lines,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headframe.casework.logged_cases import LoggedCases
    from headframe.casework.workspace import WorkspacePaths
    from headframe.ledger.note import Verifier
    from headframe.stores.leaf_marks import LeafMarks
    from headframe.stores.ledger_files import LedgerReader

log = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

TOLD = 20
"""Problems of one kind that are told; who has more looks at the whole of it anyway."""

Folder = Annotated[
    Path | None,
    typer.Option("--ledger", metavar="DIR", help="A log's folder, for example a copy; else the workspace's."),
]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="KEY",
        help="A public key that you trust (name+id+base64), or a file of such lines; may be given several times.",
    ),
]


@log.callback()
def _log() -> None:
    """Check, read and witness the append-only log of everything that was done (docs/ledger-format.md).

    Example: headframe log verify
    """


def _reader(folder: Path | None, workspace: Path | None, keys: Sequence[str] | None) -> LedgerReader:
    """The log that the options name, with the keys that are trusted for it."""
    from headframe.stores.blocks import workspace_folder
    from headframe.stores.ledger_files import LedgerReader
    from headframe.stores.ledger_keys import read_keys, read_verifiers

    place = workspace_folder(workspace)
    trusted: tuple[Verifier, ...]
    if keys:
        trusted = read_verifiers(keys)
    elif folder is None:
        trusted = tuple(signer.verifier for signer in read_keys(place / "keys" / "ledger.key"))
    else:
        fail(
            "whose log is it? Give the public key that you trust for it: --key KEY. "
            "The unit that runs it prints it with headframe log checkpoint --public-key",
            ExitCode.USAGE,
        )
    return LedgerReader(folder or place / "ledger", trusted)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the workspace's database knows of the log."""

    last: int | None
    """The largest place that one of its leaves has."""
    alterations: tuple[str, ...]
    """In what it differs from the log, at most `TOLD`."""
    unknown: int
    """Leaves of the log that it does not have."""
    unsealed: tuple[str, ...] = ()
    """Accounts of which the log does not say yet which token is theirs."""


def _known(workspace: Path | None, reader: LedgerReader, logged: LoggedCases) -> _Known | None:
    """What the workspace's database knows of its log; None without a database."""
    import os
    from contextlib import closing
    from itertools import chain, islice

    from headframe.casework.accounts import altered_accounts, with_older_leaves
    from headframe.casework.held_tables import altered_rows
    from headframe.casework.held_to_log import HeldToLog, Unknown, all_alterations
    from headframe.casework.last_states import LastStates
    from headframe.casework.register import altered_entries
    from headframe.casework.workspace import WorkspacePaths
    from headframe.errors import HeadframeError
    from headframe.stores.blocks import workspace_folder
    from headframe.stores.database import open_store

    paths = WorkspacePaths(workspace_folder(workspace))
    if not paths.config.exists():
        return None
    try:
        with closing(open_store(paths.database_url(), upgrade=False)) as store:
            unknown, marks = Unknown(), _marks(paths)
            told = tuple(islice(all_alterations(store, reader, logged, marks, unknown), TOLD))
            unsealed: tuple[str, ...] = ()
            if marks is not None:
                states = LastStates(reader, marks, None)
                held = HeldToLog(store, reader, logged, marks)
                rows = chain(
                    altered_accounts(store, states),
                    altered_entries(store, states, _now_in(reader)),
                    altered_rows(held, states),
                )
                told += tuple(islice(rows, TOLD))
                unsealed = tuple(with_older_leaves(store, states))
            return _Known(store.last_place(), told, unknown.places.count, unsealed)
    except HeadframeError as fault:
        # SQLite writes beside its file even where it only reads. The log is whole or not by itself.
        if os.access(paths.folder, os.W_OK):
            raise
        say(f"the database could not be read, so the log was not compared with it: {fault}")
        return None


def _now_in(reader: LedgerReader) -> int:
    """Now, or the time of the last leaf: the clock of a training may be ahead. [ns since 1970-01-01 UTC]"""
    from headframe import clock
    from headframe.ledger.leaf import read

    return max(clock.now_ns(), read(reader.entry(reader.size - 1)).at_ns if reader.size else 0)


def _marks(paths: WorkspacePaths) -> LeafMarks | None:
    """What leaves that wait for the log are known by; None where the keys are not for whoever checks."""
    from headframe.errors import UnreadableInput
    from headframe.stores.leaf_marks import read_marks

    try:
        return read_marks(paths.leaves_key)
    except UnreadableInput as fault:
        say(f"leaves that wait for the log were not looked at: {fault}")
        return None


@log.command("verify")
@politely
def verify(
    ledger: Folder = None,
    keys: Keys = None,
    since: Annotated[
        Path | None,
        typer.Option("--since", metavar="FILE", help="An older checkpoint of this log; it must be its beginning."),
    ] = None,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """Read the whole log, hash everything anew, and compare it with its signed checkpoint and with the database.

    Ends with 0 if all of it holds, with 3 if anything does not.

    \b
    Examples:
      headframe log verify
      headframe log verify --ledger /mnt/copy/ledger --key unit.pub \\
        --since last-year.checkpoint
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from itertools import islice

    from headframe.casework.held_to_log import doubles
    from headframe.casework.logged_cases import LoggedCases
    from headframe.ledger.checkpoint import open_checkpoint
    from headframe.ledger.leaf import BadLeaf, read
    from headframe.ledger.note import BadNote, parse_note
    from headframe.ledger.store import BadLedger
    from headframe.ledger.witness import Forked, check_continues, cosignatures
    from headframe.reports.words import count, visible

    problems: list[str] = []
    strange: list[str] = []
    about: dict[str, object] = {}
    lines: list[str] = []

    def look(index: int, leaf: bytes) -> None:
        logged.take(leaf)
        try:
            read(leaf)
        except BadLeaf as error:
            if len(problems) < TOLD:
                problems.append(f"leaf {index} is not of the format: {error}")

    try:
        reader = _reader(ledger, workspace, keys)
        logged = LoggedCases(reader, None)
        checked = reader.check_all(each=look)
        note = parse_note(reader.note)
        if since is not None:
            old, _note, _signed = open_checkpoint(_file(since), reader.keys)
            proof = reader.consistency_proof(old.size) if old.size <= reader.size else ()
            check_continues(old, reader.checkpoint, proof)
            lines.append(f"begins with the {count(old.size, 'leaf', 'leaves')} of {since}")
        known = _known(workspace, reader, logged) if ledger is None else None
        if known is None:
            known = _Known(None, tuple(islice(doubles(logged), TOLD)), 0)
        problems += known.alterations
        # Somebody may have acted since the log was read.
        if known.last is not None and known.last >= reader.refresh().size:
            problems.append(
                f"the database of the workspace knows of entry {known.last}, and this log ends before it: it is an "
                "older copy, or another log. Put the right one back"
            )
        strange = list(reader.unknown_files())
        cosigned = cosignatures(note, reader.keys)
        about = {
            "origin": reader.checkpoint.origin,
            "leaves": checked.size,
            "entry_bytes": checked.entry_bytes,
            "root": checked.root.hex(),
            "cosigned_by": [item.witness.name for item in cosigned],
            "other_files": strange,
        }
        lines.insert(
            0,
            f"{visible(reader.checkpoint.origin)}: {count(checked.size, 'leaf', 'leaves')}, {checked.entry_bytes:,} "
            "bytes; every leaf, tile and the root are as the signed checkpoint says",
        )
        lines.append(f"root {checked.root.hex()}")
        if known.unknown:
            # The log itself is sound; it stays so when a lost database was put back from a backup.
            about["unknown_to_database"] = known.unknown
            said = "" if logged.lost is None else f", as leaf {logged.lost.place:,} of it says"
            lines.append(
                f"{count(known.unknown, 'leaf', 'leaves')} of it the database of the workspace does not know: it was "
                f"restored from an older copy{said}. headframe log show --last N tells which acts they are; do them "
                "again"
            )
        if known.unsealed:
            about["accounts_without_sealed_token"] = list(known.unsealed)
            lines.append(
                f"of {count(len(known.unsealed), 'account')} the log does not say yet which token is theirs; renew it "
                f"(headframe account renew-token NAME): {', '.join(known.unsealed)}"
            )
    except (BadLedger, BadNote, Forked) as error:
        problems.append(str(error))
    if output_format is Format.JSON:
        write_json({**about, "sound": not problems, "problems": problems})
    else:
        write_lines([] if problems else lines)
    for path in strange[:10]:
        say(f"{visible(path)} is no part of the log: beyond its end, or of a strange name")
    for problem in problems:
        say(visible(problem, 1_000))
    if problems:
        raise SystemExit(int(ExitCode.DAMAGED))


@log.command("show")
@politely
def show(
    index: Annotated[int | None, typer.Argument(metavar="INDEX", help="One leaf, by its number from 0.")] = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, max=10_000, help="How many, from the end.")] = 20,
    ledger: Folder = None,
    keys: Keys = None,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """Show leaves: what kind, about what, when, and which fields have a digest. What they said is not in the log.

    \b
    Examples:
      headframe log show
      headframe log show 17 --format json
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.ledger.leaf import read
    from headframe.reports.words import clock_time, visible

    reader = _reader(ledger, workspace, keys)
    start = max(reader.size - last, 0) if index is None else index
    end = reader.size if index is None else index + 1
    rows = []
    for place, entry in enumerate(reader.entries(start, end), start):
        leaf = read(entry)
        rows.append(
            {
                "index": place,
                "kind": leaf.kind,
                "subject": leaf.subject,
                "at_ns": str(leaf.at_ns),
                "fields": dict(leaf.digests),
            }
        )
        if output_format is Format.TABLE:
            names = ", ".join(visible(name) for name in leaf.digests)
            write_lines([f"{place:>8}  {clock_time(leaf.at_ns)}  {leaf.kind:<10} {visible(leaf.subject)}  [{names}]"])
    if output_format is Format.JSON:
        write_json(rows)


@log.command("checkpoint")
@politely
def checkpoint(
    public_key: Annotated[
        bool, typer.Option("--public-key", help="Print the log's public key instead, for those who check.")
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="FILE",
            help="Keep a checkpoint that a named witness has co-signed, for bundles (log name-witness).",
        ),
    ] = None,
    ledger: Folder = None,
    keys: Keys = None,
    workspace: Workspace = None,
) -> None:
    """Print the signed checkpoint: publish it, hand it to witnesses, keep it to compare with later ones.

    With --keep, only lines that verify with the key of a named witness are kept; --key names others for this once.

    \b
    Examples:
      headframe log checkpoint > 2026-11-20.checkpoint
      headframe log checkpoint --keep cosigned.checkpoint
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.casework.workspace import WorkspacePaths, read_config
    from headframe.stores.blocks import workspace_folder
    from headframe.stores.ledger_files import Ledger
    from headframe.stores.ledger_keys import read_keys, read_verifiers

    if keep is not None:
        place = workspace_folder(workspace)
        log_here = Ledger(ledger or place / "ledger", read_keys(place / "keys" / "ledger.key"))
        named = read_verifiers(keys) if keys else ()
        if not keys and WorkspacePaths(place).config.exists():
            named = read_config(place).witnesses
        if log_here.keep_witnessed(_file(keep), named):
            say("kept; bundles will carry it")
        else:
            say(
                "not kept: each of its witnesses has co-signed one as large that is kept; headframe bundle make "
                "--checkpoint FILE takes this one once"
            )
        return
    reader = _reader(ledger, workspace, keys)
    if public_key:
        write_lines([key.text() for key in reader.keys])
        return
    write_lines(reader.note.decode("utf-8").splitlines())


@log.command("witness")
@politely
def witness(
    key_file: Annotated[Path, typer.Option("--key-file", metavar="FILE", help="The witness's private key.")],
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE", help="Where the witness remembers what it saw last of this log."),
    ] = None,
    new_key: Annotated[
        str, typer.Option("--new-key", metavar="NAME", help="Make the key file first, for a witness of this name.")
    ] = "",
    older: Annotated[
        str,
        typer.Option(
            "--older",
            metavar="WHICH",
            help="Not the newest checkpoint, but one that others co-signed: last, or its number of leaves.",
        ),
    ] = "",
    checkpoint_file: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="Not the newest checkpoint, but this one."),
    ] = None,
    ledger: Folder = None,
    keys: Keys = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Where the co-signed checkpoint goes, else stdout; with --new-key the public key, else KEYFILE.pub.",
        ),
    ] = None,
) -> None:
    """As a second unit: check that a log has only grown since you last looked, and co-sign its checkpoint.

    You need to read the log's folder, or a copy. Refuses, and names both sizes, if the log has shrunk or has another
    history than the one you saw; nothing is signed then, and what you remember stays.

    Where another witness has co-signed before the log grew, --older puts your line under the same checkpoint, if you
    have not co-signed a larger one: a co-signature says that you have seen nothing larger. Do that first, and co-sign
    the newest after it.

    \b
    Examples:
      headframe log witness --new-key witness.example/w1 --key-file witness.key
      headframe log witness --ledger /mnt/unit/ledger --key unit.pub \\
        --key-file witness.key --state unit.seen
      headframe log witness --ledger /mnt/unit/ledger --key unit.pub \\
        --key-file witness.key --state unit.seen --older last
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe import clock
    from headframe.ledger.checkpoint import open_checkpoint
    from headframe.ledger.note import COSIGNATURE, format_note
    from headframe.ledger.witness import Forked, SeenMore, check_newest, cosign, last_seen
    from headframe.stores.disk import Disk
    from headframe.stores.ledger_files import LOCK_TIMEOUT_S, replace_file
    from headframe.stores.ledger_keys import new_key as make_key
    from headframe.stores.ledger_keys import read_keys, write_keys

    if new_key:
        if key_file.exists():
            fail(f"{key_file} is there already; a key that is lost cannot be made again, so it stays", ExitCode.USAGE)
        public = out or key_file.with_suffix(".pub")
        if public.exists() or public == key_file:
            fail(f"{public} is there already; name another file for the public key (--out FILE)", ExitCode.USAGE)
        write_keys(key_file, [make_key(new_key, kind=COSIGNATURE)])
        text = read_keys(key_file)[0].verifier.text()
        replace_file(Disk(), public, f"{text}\n".encode())
        say(f"private key in {key_file}; public key in {public}, for those who shall check for it")
        write_lines([text])
        return
    if ledger is None or state is None:
        fail("which log, and what was seen of it? Give --ledger DIR and --state FILE", ExitCode.USAGE)
    if older and checkpoint_file is not None:
        fail("--older and --checkpoint both name a checkpoint; give one of them", ExitCode.USAGE)
    signer = read_keys(key_file)[0]
    reader = _reader(ledger, None, keys)
    disk = Disk()
    try:
        # From what was seen to what is remembered nobody else may sign: two at once could make the memory smaller.
        with disk.lock(state.with_name(f".{state.name}.lock"), LOCK_TIMEOUT_S):
            kept = disk.read(state)
            seen = None if kept is None else last_seen(kept, signer)
            if seen is None:
                say(f"{state} is not there: this log is seen for the first time, and taken as it is")
            asked = reader.note
            if older or checkpoint_file is not None:
                asked = _older(reader, older) if checkpoint_file is None else _file(checkpoint_file)
            this, _note, _signed = open_checkpoint(asked, reader.keys)
            if asked != reader.note:
                check_newest(seen, this)
                # Only its own leaves are looked at: of the larger log nothing is said, and nothing remembered.
                if this.size > reader.size or reader.root_at(this.size) != this.root:
                    raise Forked(
                        f"the log in {ledger} has not had that checkpoint of {this.size:,} leaves: they are two "
                        "histories, or this is an older copy. Keep both"
                    )
            # A log that has shrunk has no proof to give; the comparison says so.
            short = seen is None or seen.size > this.size
            proof = () if seen is None or short else reader.consistency_proof(seen.size, this.size)
            note = format_note(cosign(asked, reader.keys, seen, proof, signer, clock.now_ns() // 10**9))
            # What was signed must be remembered before anybody else has it: else a crash could make the witness sign
            # two forks.
            replace_file(disk, state, note)
    except (Forked, SeenMore) as error:
        fail(str(error), ExitCode.REFUSED)
    if out is not None:
        replace_file(disk, out, note)
    else:
        write_lines(note.decode("utf-8").splitlines())
    say(f"co-signed {this.origin} at {this.size:,} leaves")
    if this.size < reader.size:
        say(f"the log has {reader.size:,} by now; co-sign the newest, too (without --older)")


def _older(reader: LedgerReader, which: str) -> bytes:
    """A checkpoint that a log keeps because others have co-signed it: the last, or that of so many leaves."""
    from headframe.ledger.checkpoint import read_checkpoint
    from headframe.ledger.note import parse_note

    kept = {read_checkpoint(parse_note(note).text).size: note for note in reader.every_witnessed()}
    if not kept:
        fail(
            f"nobody has co-signed a checkpoint that is kept in {reader.folder}; co-sign the newest (without --older), "
            "or name a file (--checkpoint FILE)",
            ExitCode.USAGE,
        )
    if which == "last":
        return kept[max(kept)]
    size = int(which) if which.isascii() and which.isdigit() and len(which) < 20 else -1
    if size not in kept:
        there = ", ".join(map(str, sorted(kept)))
        fail(f"--older {which!a}: expected last, or a number of leaves of those that are kept: {there}", ExitCode.USAGE)
    return kept[size]


@log.command("name-witness")
@politely
def name_witness(
    key: Annotated[
        str,
        typer.Argument(metavar="KEY", help="The witness's public key (name+id+base64), or a file with it."),
    ],
    remove: Annotated[bool, typer.Option("--remove", help="Name it no more; what it has co-signed stays.")] = False,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Name a witness: only co-signatures that verify with a named key are kept for bundles. It is logged.

    Get its key on another way than the checkpoints that it co-signs.

    \b
    Example:
      headframe log name-witness witness.pub --as admin --token-file admin.token
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.stores.ledger_keys import read_verifiers

    with acting(workspace, act_as, token_file) as (casework, account):
        for one in read_verifiers([key]):
            casework.name_witness(account, one, gone=remove)
            say(f"{one.name}+{one.key_id.hex()} is {'named no more' if remove else 'named as a witness'}")


@log.command("prove")
@politely
def prove(
    index: Annotated[int | None, typer.Argument(metavar="INDEX", help="The leaf, by its number from 0.")] = None,
    since: Annotated[
        int | None, typer.Option("--since", metavar="SIZE", help="Prove instead that the log of so many leaves grew.")
    ] = None,
    ledger: Folder = None,
    keys: Keys = None,
    workspace: Workspace = None,
) -> None:
    """Print the proof that a leaf is in the log, or that the log has only grown, as JSON with the checkpoint.

    \b
    Examples:
      headframe log prove 17
      headframe log prove --since 100000
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    if (index is None) == (since is None):
        fail("name either a leaf (headframe log prove 17) or an older size (--since 1000)", ExitCode.USAGE)
    reader = _reader(ledger, workspace, keys)
    size = reader.size
    result: dict[str, object] = {"checkpoint": reader.note.decode("utf-8"), "tree_size": size}
    if index is not None:
        result |= {
            "index": index,
            "leaf": reader.entry(index).decode("utf-8"),
            "proof": [value.hex() for value in reader.inclusion_proof(index, size)],
        }
    elif since is not None:
        result |= {
            "old_size": since,
            "old_root": reader.root_at(since).hex(),
            "proof": [value.hex() for value in reader.consistency_proof(since, size)],
        }
    write_json(result)


@log.command("restored")
@politely
def restored(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Which copy, and why; it is logged.")],
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Say that the database was put back from an older copy, so that the log has acts that it has not.

    Cases that lost acts are refused until then: nobody else can tell an older copy from a record of which somebody took
    the end away. Each of them gets a leaf that says so, and what was lost may be done again.

    \b
    Example:
      headframe log restored --reason "disk failed; backup of Monday night" \\
        --as admin --token-file admin.token
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.casework.restored import say_restored
    from headframe.reports.words import count

    with acting(workspace, act_as, token_file, restored=True) as (casework, account):
        done = say_restored(casework, account, reason)
    for case_id, (has, had) in sorted(done.cases.items()):
        write_lines([f"{case_id}: {count(has, 'event')} of {had:,}"])
    say(
        f"the database lacks {count(done.leaves, 'leaf', 'leaves')} of the log, and {count(len(done.cases), 'case')} "
        "lost events; the log says so from now on. headframe log show --last N tells which acts they were; do them "
        "again"
    )


@log.command("begin-key-change")
@politely
def begin_key_change(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is logged.")],
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Make a new key for the log; old and new sign together until headframe log end-key-change.

    \b
    Example:
      headframe log begin-key-change --reason "yearly change" --as admin \\
        --token-file admin.token
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.casework.ledger_key import begin_key_change as begin

    with acting(workspace, act_as, token_file) as (casework, account):
        key = begin(casework, account, reason)
    write_lines([key.text()])
    say("publish this key now; both sign until you end the change. Back the key file up")


@log.command("end-key-change")
@politely
def end_key_change(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why now; it is logged.")],
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Let the log's old key go, when all who check know the new one.

    \b
    Example:
      headframe log end-key-change --reason "all witnesses know the new key" \\
        --as admin
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.casework.ledger_key import end_key_change as end

    with acting(workspace, act_as, token_file) as (casework, account):
        key = end(casework, account, reason)
    write_lines([key.text()])
    say("the old key is gone from the key file; destroy its copies")


def _file(path: Path) -> bytes:
    from headframe.errors import UnreadableInput

    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableInput(f"{path} cannot be read: {error.strerror}") from None
