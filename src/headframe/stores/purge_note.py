"""What a purge destroys outside of the database is written down before it goes, so that nothing goes untold.

Files and keys are gone at once, and the certificate is written with the transaction after them. In between a program
may die, and whatever comes then (a legal hold, an appeal, a key that nobody lists any more) may keep the same things
from ever being due again. So ``destroying.json`` in the workspace's folder names them first, on the disk, with the
accounts that agreed and the rules. Whoever finds it when nobody holds its lock certifies what of it is gone, and
removes it.

A lake has a note of its own (``forgetting.json``) on how its files are changed; that its readings go is told here, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headframe.errors import NotWritten, UnreadableInput
from headframe.records.policy import Basis
from headframe.records.retention import DataClass, GoingItem, RetainedItem, RetentionRule
from headframe.stores.durable import flush_folder, replacing
from headframe.stores.locks import exclusive

NOTE = "destroying.json"
LOCK = ".destroying.lock"
FORMAT = "headframe-purge/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedItem:
    """Something outside of the database that is about to go.

    Attributes
    ----------
    going : GoingItem
    where : str
        What it is destroyed by: digest of a document, id of a key, epoch, part of a lake.
    """

    going: GoingItem
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeNote:
    """A purge that has begun, or is about to.

    Attributes
    ----------
    certificate_id : str
        That it writes at its end.
    at_ns : int
        [ns since 1970-01-01 UTC]
    proposer, approver : str
        Two different accounts.
    items : tuple of NotedItem
    lake : str
        Folder of the readings among them.
    """

    certificate_id: str
    at_ns: int
    proposer: str
    approver: str
    items: tuple[NotedItem, ...]
    lake: str = ""


@contextmanager
def one_purge(folder: Path, timeout_s: float) -> Iterator[None]:
    """Be the only one who destroys in a workspace, until the end of the block.

    Raises
    ------
    HeadframeError
        If another one is at it.
    """
    with exclusive(folder / LOCK, timeout_s):
        yield


def has_note(folder: Path) -> bool:
    """Whether a purge of a workspace is at work, or was cut off."""
    return (folder / NOTE).exists()


def write_note(folder: Path, note: PurgeNote) -> None:
    """Write down what goes; on the disk when this returns.

    Raises
    ------
    NotWritten
        If the disk does not take it.
    """
    rules = list(dict.fromkeys(one.going.rule for one in note.items))
    places = {rule: place for place, rule in enumerate(rules)}
    value = {
        "format": FORMAT, "certificate": note.certificate_id, "at_ns": note.at_ns, "proposer": note.proposer,
        "approver": note.approver, "lake": note.lake,
        "rules": [
            {
                "class": rule.data_class.value, "days": rule.days, "basis": rule.basis.value, "source": rule.source,
                "ref": rule.ref, "pack": rule.pack_id, "digest": rule.pack_digest,
            }
            for rule in rules
        ],
        "items": [
            {
                "class": one.going.item.data_class.value, "item": one.going.item.item_id,
                "sha256": one.going.item.sha256, "where": one.where, "rule": places[one.going.rule],
                "due_ns": one.going.due_ns,
            }
            for one in note.items
        ],
    }  # fmt: skip
    try:
        with replacing(folder / NOTE, mode=0o600) as file:
            file.write(json.dumps(value, ensure_ascii=False).encode())
    except OSError as fault:
        raise NotWritten(
            f"{folder / NOTE} could not be written: {fault.strerror or fault}. It says what is about to go, so nothing "
            "was destroyed"
        ) from fault


def read_note(folder: Path) -> PurgeNote | None:
    """What was written down; None where nothing is.

    Raises
    ------
    UnreadableInput
        If it cannot be read.
    """
    path = folder / NOTE
    try:
        value: Any = json.loads(path.read_bytes())
        if value["format"] != FORMAT:
            raise ValueError(f"its format is {value['format']!a}, and this Headframe reads {FORMAT}")
        rules = [
            RetentionRule(
                data_class=DataClass(one["class"]), days=int(one["days"]), basis=Basis(one["basis"]),
                source=str(one["source"]), ref=str(one["ref"]), pack_id=str(one["pack"]),
                pack_digest=str(one["digest"]),
            )
            for one in value["rules"]
        ]  # fmt: skip
        return PurgeNote(
            certificate_id=str(value["certificate"]),
            at_ns=int(value["at_ns"]),
            proposer=str(value["proposer"]),
            approver=str(value["approver"]),
            lake=str(value["lake"]),
            items=tuple(_item(one, rules) for one in value["items"]),
        )
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise UnreadableInput(f"{path} cannot be read: {fault.strerror}") from fault
    except (ValueError, KeyError, TypeError, IndexError) as fault:
        raise UnreadableInput(
            f"{path} is damaged: {fault}. It says what a purge that was cut off was destroying; put it back from a copy"
        ) from fault


def _item(row: Any, rules: list[RetentionRule]) -> NotedItem:
    item = RetainedItem(
        item_id=str(row["item"]), data_class=DataClass(row["class"]), from_ns=None, sha256=str(row["sha256"])
    )
    going = GoingItem(item=item, rule=rules[int(row["rule"])], due_ns=int(row["due_ns"]))
    return NotedItem(going=going, where=str(row["where"]))


def remove_note(folder: Path) -> None:
    """Take it away: what went is certified."""
    (folder / NOTE).unlink(missing_ok=True)
    flush_folder(folder)
