"""What accounts and entries of the register are, as the log says it last: whoever writes the database changes neither.

A row of these tables changes, so no leaf can be named by it. Each change seals ``state`` into its leaf: a keyed digest
(`LeafMarks.state`) of the row as it is from then on. The key is in the workspace's folder, so the digest tells nothing
of a token, a party or a site, and nobody finds it by trying. ``rest`` is the same of what retention leaves of the row.
A leaf counts if it is later than those before: an old one that came into the log again would undo nothing.

Where the last of each is, is kept in the workspace's folder, so that each program reads only what came since.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.casework.held_to_log import in_the_log
from headframe.ledger.leaf import canonical, plain, read, read_json
from headframe.stores.durable import replacing

if TYPE_CHECKING:
    from headframe.cases.store import CaseStore
    from headframe.stores.leaf_marks import LeafMarks
    from headframe.stores.ledger_files import LedgerReader

KEPT_EVERY = 1_024
"""So many leaves are read anew by each program before what they say is kept: some milliseconds. [leaves]"""
_MARK = b'"state":"'
_FORMAT = "headframe-logged-states/1"


class Sealed(StrEnum):
    """Of what the last state is known."""

    ACCOUNT = "account"
    REGISTER = "register"
    LAWFUL = "lawful"


@dataclass(frozen=True, slots=True)
class State:
    """What the log says last of one.

    Attributes
    ----------
    place : int
        Of its last leaf in the log.
    at_ns : int
        When that was sealed. [ns since 1970-01-01 UTC]
    state : str
        Keyed digest of the row.
    rest : str
        Of what retention leaves of it; empty where it leaves all of it.
    """

    place: int
    at_ns: int
    state: str
    rest: str


class LastStates:
    """The last state of each account and each entry of the register, by the log.

    Parameters
    ----------
    log : LedgerReader
    marks : LeafMarks
    folder : Path or None
        Where what was read is kept; None to read all of the log.
    """

    def __init__(self, log: LedgerReader, marks: LeafMarks, folder: Path | None) -> None:
        self.log = log
        self.marks = marks
        self._folder = folder
        self._read: dict[Sealed, tuple[int, dict[str, State]]] = {}

    def digest(self, of: Sealed, name: str, at_ns: int, row: object) -> str:
        """The keyed digest of a row that was sealed at a time; of None where there is no such row any more."""
        return self.marks.state(canonical(plain([of.value, name, str(at_ns), row], "the row")))

    def says(self, last: State, of: Sealed, name: str, row: object) -> bool:
        """Whether the last leaf of one was sealed for this row."""
        return hmac.compare_digest(self.digest(of, name, last.at_ns, row), last.state)

    def with_state(self, leaf: bytes, of: Sealed, name: str, row: object, rest: object = None) -> bytes:
        """A leaf that also says what a row is from then on.

        Parameters
        ----------
        leaf : bytes
            Of `headframe.ledger.leaf.seal`.
        of, name : Sealed, str
        row : JSON value
        rest : JSON value
            What retention leaves of it; None where it leaves all of it.
        """
        value = read_json(leaf, "the leaf")
        assert isinstance(value, dict)
        at_ns = int(value["at_ns"])
        value["fields"]["state"] = self.digest(of, name, at_ns, row)
        if rest is not None:
            value["fields"]["rest"] = self.digest(of, name, at_ns, rest)
        return canonical(value)

    def later(self, of: Sealed, name: str, now_ns: int) -> int:
        """A time for the next leaf of one: now, and after its last leaf. [ns since 1970-01-01 UTC]"""
        last = self.last(of).get(name)
        return now_ns if last is None else max(now_ns, last.at_ns + 1)

    def last(self, of: Sealed) -> Mapping[str, State]:
        """The last state of each, by name, as far as the checkpoint that its reader has."""
        size, found = self._read.get(of) or self._kept(of) or (0, {})
        start, end = size, max(self.log.size, size)
        for place, entry in enumerate(self.log.entries(start, end), start):
            if _MARK in entry:
                _take(of, place, entry, found)
        self._read[of] = (end, found)
        if end - start >= KEPT_EVERY:
            self._keep(of, end, found)
        return found

    def _kept(self, of: Sealed) -> tuple[int, dict[str, State]] | None:
        if self._folder is None:
            return None
        # It saves time. Whatever is wrong with it, the log itself says the same.
        with contextlib.suppress(OSError, ValueError):
            head, _, body = (self._folder / f"logged-{of}").read_text("utf-8").partition("\n")
            form, digest, text, origin, root = head.split(" ")
            size = int(text)
            if form != _FORMAT or digest != sha256(body.encode()).hexdigest() or size > self.log.refresh().size:
                return None
            if (origin, root) != (self.log.checkpoint.origin, self.log.root_at(size).hex()):
                return None
            found = {}
            for line in body.splitlines():
                place, at_ns, state, rest, name = line.split(" ", 4)
                found[name] = State(int(place), int(at_ns), state, rest.strip("-"))
            return size, found
        return None

    def _keep(self, of: Sealed, size: int, found: Mapping[str, State]) -> None:
        if self._folder is None:
            return
        lines = (f"{one.place} {one.at_ns} {one.state} {one.rest or '-'} {name}\n" for name, one in found.items())
        body = "".join(lines).encode()
        head = (
            f"{_FORMAT} {sha256(body).hexdigest()} {size} {self.log.checkpoint.origin} {self.log.root_at(size).hex()}"
        )
        with contextlib.suppress(OSError), replacing(self._folder / f"logged-{of}", mode=0o600) as file:
            file.write(head.encode() + b"\n" + body)


def as_sealed_once(store: CaseStore, states: LastStates, of: Sealed, name: str, row: object) -> bool:
    """Whether a leaf of the log that the database knows was sealed for this row, if not the last one."""
    beginning = {
        Sealed.ACCOUNT: f"access/account-{name}-", Sealed.REGISTER: f"register/{name}/state-", Sealed.LAWFUL: "lawful/",
    }  # fmt: skip
    for leaf in store.leaves(beginning=beginning[of]):
        sealed = read(leaf.leaf)
        right = states.digest(of, name, sealed.at_ns, row)
        if sealed.digests.get("state") == right and leaf.index is not None and in_the_log(leaf, states.log):
            return True
    return False


def _take(of: Sealed, place: int, entry: bytes, found: dict[str, State]) -> None:
    leaf = read(entry)
    if "state" not in leaf.digests or _whose(leaf.kind, leaf.subject) is not of:
        return
    name = leaf.subject.removeprefix("account ")
    before = found.get(name)
    if before is None or leaf.at_ns > before.at_ns:
        found[name] = State(place, leaf.at_ns, leaf.digests["state"], leaf.digests.get("rest", ""))


def _whose(kind: str, subject: str) -> Sealed | None:
    if kind in (Sealed.REGISTER, Sealed.LAWFUL):
        return Sealed(kind)
    return Sealed.ACCOUNT if kind == "access" and subject.startswith("account ") else None
