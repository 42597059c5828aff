"""Casework: from findings to a closure that an outsider can check, in one workspace.

`open_workspace` wires the store, the ledger, the packs, the documents and the keys to the pure rules of
`headframe.cases` and `headframe.policy`; `Casework` does what accounts ask for.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from headframe import clock
from headframe.casework.core import Casework, Done
from headframe.casework.holdings import NoSuchCase
from headframe.casework.workspace import (
    WorkspaceConfig,
    WorkspacePaths,
    read_config,
    write_config,
)
from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.note import BadNote
from headframe.ledger.store import BadLedger
from headframe.stores.durable import replacing
from headframe.stores.purge_note import has_note

if TYPE_CHECKING:
    from headframe.stores.ledger_files import Ledger

__all__ = ["Casework", "Done", "NoSuchCase", "WorkspacePaths", "make_workspace", "open_workspace"]


def make_workspace(
    folder: Path,
    *,
    unit: str,
    log_origin: str = "",
    database_url: str = "",
    training: bool = False,
    now_ns: Callable[[], int] = clock.now_ns,
) -> Casework:
    """Make a workspace for casework: database, ledger with its key, folders.

    A call that was cut off can be repeated: what is there is used, and ``workspace.json`` is written last.

    Parameters
    ----------
    folder : Path
        Made if it is not there; an existing workspace of blocks and findings is used.
    unit : str
        Whose it is.
    log_origin : str
        Name of the log in checkpoints; else drawn from `unit`.
    database_url : str
        Of PostgreSQL, as SQLAlchemy takes it; else SQLite in the folder.
    training : bool
        Nothing in it is a real case; the time of day may be set.
    now_ns : callable
        The clock. [ns since 1970-01-01 UTC]

    Returns
    -------
    Casework
        Without an account; `Casework.first_account` makes the first.

    Raises
    ------
    HeadframeError
        If there is one already, or the folder cannot be written.
    """
    from headframe.stores.database import open_store
    from headframe.stores.database.address import read_address
    from headframe.stores.ledger_files import Ledger
    from headframe.stores.ledger_keys import new_key, read_keys, write_keys

    paths = WorkspacePaths(folder)
    if paths.config.exists():
        return _made_already(folder, unit.strip(), training=training, now_ns=now_ns)
    unit = unit.strip()
    if not unit or not unit.isprintable():
        raise HeadframeError(f"{unit!a} is no unit; expected its name, such as 'Changping power bureau'")
    origin = log_origin or _origin_of(unit)
    if not re.fullmatch(r"[!-*,-~]{1,200}", origin):
        raise HeadframeError(
            f"{origin!a} is no name of a log; expected visible ASCII without blanks and plus signs, such as "
            "headframe.example/changping"
        )
    if database_url:
        # Before anything is made: one that is not understood may hold a password, which must not stay in a file.
        read_address(database_url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (paths.documents, paths.packs):
            place.mkdir(exist_ok=True)
        paths.keys.mkdir(mode=0o700, exist_ok=True)
        if database_url:
            # It may hold a password.
            with replacing(paths.url_file, mode=0o600) as file:
                file.write(f"{database_url.strip()}\n".encode())
        with contextlib.closing(open_store(paths.database_url(), create=True, now_ns=now_ns)) as store:
            if store.accounts():
                # A workspace of real cases must not become one for training by this way, nor the other way round.
                raise HeadframeError(
                    f"{folder} holds cases of a workspace whose workspace.json is missing; put that back from a backup"
                )
        if not paths.ledger_key.exists():
            write_keys(paths.ledger_key, [new_key(origin)])
        signers = read_keys(paths.ledger_key)
        if not (paths.ledger / "checkpoint").exists():
            Ledger.create(paths.ledger, signers)
        write_config(folder, WorkspaceConfig(unit=unit, log_origin=signers[0].name, training=training))
    except OSError as fault:
        raise HeadframeError(f"{folder} cannot be made a workspace: {fault.strerror or fault}") from fault
    return open_workspace(folder, now_ns=now_ns)


def _made_already(folder: Path, unit: str, *, training: bool, now_ns: Callable[[], int]) -> Casework:
    """A workspace whose making was cut off before its first account; any other is not made twice."""
    there = f"{folder} is a workspace already; headframe workspace status shows it"
    config = read_config(folder)
    if (config.unit, config.training) != (unit, training):
        raise HeadframeError(there)
    casework = open_workspace(folder, now_ns=now_ns)
    if casework.store.accounts():
        casework.close()
        raise HeadframeError(there)
    return casework


def open_workspace(
    folder: Path, *, now_ns: Callable[[], int] | None = None, simulated_now: str | None = None
) -> Casework:
    """Open a workspace; leaves that an earlier run left pending go to the ledger before anything else.

    Parameters
    ----------
    folder : Path
    now_ns : callable, optional
        The clock; the system's if not given. [ns since 1970-01-01 UTC]
    simulated_now : str or None
        The time of day, ISO 8601, for a training workspace.

    Returns
    -------
    Casework

    Raises
    ------
    UnreadableInput
        If the folder is no workspace.
    HeadframeError
        If a time is given, and the workspace is not for training.
    """
    from headframe.stores.database import open_store
    from headframe.stores.documents import DocumentStore

    paths = WorkspacePaths(folder)
    config = read_config(folder)
    if simulated_now and simulated_now.strip():
        if not config.training:
            raise HeadframeError(
                "HEADFRAME_NOW is set, and this workspace is not for training: the times of real cases come from the "
                "clock. Unset it, or make a workspace with --training"
            )
        at_ns = _simulated(simulated_now)
        now_ns = lambda: at_ns  # noqa: E731 - the shortest way to say it
    ticking = now_ns or clock.now_ns
    if not paths.url_file.exists() and not os.access(folder, os.W_OK):
        raise UnreadableInput(
            f"{folder} cannot be written, and its database is written even where it is only read; use an account of "
            "the system that may write there, or a copy of the folder. headframe log verify works as it is"
        )
    store = open_store(paths.database_url(), now_ns=ticking)
    try:
        casework = Casework(
            paths=paths,
            config=config,
            store=store,
            ledger=_ledger_of(paths),
            documents=DocumentStore(paths.documents),
            now_ns=ticking,
        )
        if has_note(folder):
            from headframe.casework.retention import certify_cut_off

            # Whoever destroys is at work, or cannot be asked now; the next run does it first of all.
            with contextlib.suppress(HeadframeError, OSError):
                certify_cut_off(casework)
    except BaseException:
        store.close()
        raise
    return casework


def _ledger_of(paths: WorkspacePaths) -> Ledger:
    """The ledger of a workspace; where it or its key is lost or damaged, the message says what to put back."""
    from headframe.stores.ledger_files import Ledger
    from headframe.stores.ledger_keys import read_keys

    try:
        signers = read_keys(paths.ledger_key)
    except HeadframeError as fault:
        raise UnreadableInput(
            f"{fault}. {paths.ledger_key} signs the ledger: put it back from its backup; nothing is written before"
        ) from fault
    try:
        return Ledger(paths.ledger, signers)
    except (BadLedger, BadNote, UnreadableInput) as fault:
        raise UnreadableInput(
            f"the ledger in {paths.ledger} cannot be used: {fault}. Put the folder back from its newest copy; "
            "nothing is written before"
        ) from fault


def _simulated(text: str) -> int:
    from headframe.sources.registry.values import time_ns

    try:
        found = time_ns(text, UTC)
    except ValueError as fault:
        raise HeadframeError(f"HEADFRAME_NOW is {text!a}: {fault}") from fault
    assert found is not None
    return found


def _origin_of(unit: str) -> str:
    """A name for the log of a unit: its letters and digits, as far as they are ASCII."""
    word = re.sub(r"[^a-z0-9]+", "-", unit.lower()).strip("-")[:60]
    return f"headframe.invalid/{word or 'log'}"
