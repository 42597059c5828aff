"""What the log itself has of each case: how many events, and which of them twice.

A database can be put back from an older copy, or have its last rows taken out; what it says of itself then fits. The
log lost nothing, and the number of each event stands in its leaf. So each look at a case asks the log how far the case
has come. That is read from the log once, and kept beside it in the workspace's folder, so that each program reads only
what came since.

A leaf of kind ``restored`` and subject ``CASE/N`` takes a case back to its first N events: an administrator has said
that the database was put back from an older copy, and what came after is done again under the same numbers. One of
subject ``log/SIZE/COUNT/sha256-...`` names the leaves below SIZE that went with that copy.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from headframe.stores.durable import replacing

if TYPE_CHECKING:
    from headframe.stores.ledger_files import LedgerReader

KEPT_EVERY = 256
"""So many leaves are read anew by each program before what they say is kept: some milliseconds. [leaves]"""
_FORMAT = "headframe-logged-cases/1"
# A leaf is canonical JSON: its keys are in order, so that these two are its end.
_OF_A_CASE = re.compile(rb'"kind":"(case|restored)","subject":"([^"\\/]{1,200})/(0|[1-9][0-9]{0,14})"\}\Z')
_LOST = re.compile(rb'"kind":"restored","subject":"log/([0-9]{1,18})/([0-9]{1,18})/sha256-([0-9a-f]{64})"\}\Z')


@dataclass(frozen=True, slots=True)
class Lost:
    """Leaves that a database had lost when it was put back from an older copy, as an administrator said.

    Attributes
    ----------
    place : int
        Of the leaf that says so.
    size : int
        All of them are below this place.
    count : int
    sha256 : str
        Of their places, by `digest_of_places`.
    """

    place: int
    size: int
    count: int
    sha256: str

    def subject(self) -> str:
        """The subject of the leaf that says so."""
        return f"log/{self.size}/{self.count}/sha256-{self.sha256}"


class PlacesDigest:
    """SHA-256 over places of leaves, each in decimal with a line feed, in order."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = sha256()

    def add(self, place: int) -> None:
        """One more, larger than those before."""
        self.count += 1
        self._hash.update(b"%d\n" % place)

    def hex(self) -> str:
        """The digest of those so far."""
        return self._hash.hexdigest()


class LoggedCases:
    """How far each case has come, by the log.

    Parameters
    ----------
    log : LedgerReader
    path : Path or None
        Where that is kept; None to read all of the log.
    """

    def __init__(self, log: LedgerReader, path: Path | None) -> None:
        self.log = log
        self.size = 0
        """Leaves that were read."""
        self.lost: Lost | None = None
        """What was said last of leaves that the database lost."""
        self._path = path
        self._checkpoint = os.fspath(log.folder / "checkpoint")
        self._seen: tuple[int, int, int] | None = None
        self._guard = RLock()
        self._kept = 0
        self._loaded = path is None
        self._events: dict[str, int] = {}
        self._missing: dict[str, set[int]] = {}
        self._twice: dict[str, set[int]] = {}
        self._back: dict[str, list[tuple[int, int]]] = {}

    def catch_up(self) -> None:
        """Read what has come into the log since.

        Raises
        ------
        BadLedger
            If a file of the log is damaged.
        """
        with self._guard:
            if not self._loaded:
                self._loaded = True
                self._load()
            stamp = self._stamp()
            # Each checkpoint is a file of its own under that name; to look at it costs less than to read it.
            if stamp is None or stamp != self._seen:
                if self.log.store.read_checkpoint() != self.log.note:
                    self.log.refresh()
                self._seen = stamp
            for entry in self.log.entries(self.size, max(self.log.size, self.size)):
                self.take(entry)
            if self._path is not None and self.size - self._kept >= KEPT_EVERY:
                self._keep()

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._checkpoint)
        except OSError:
            return None  # whoever reads it says what is wrong
        return found.st_ino, found.st_mtime_ns, found.st_size

    def take(self, entry: bytes) -> None:
        """Read the next leaf of the log."""
        place, self.size = self.size, self.size + 1
        if (found := _OF_A_CASE.search(entry)) is not None:
            case_id, number = found[2].decode(), int(found[3])
            if found[1] == b"restored":
                self._take_back(case_id, number, place)
            elif number:  # they begin with 1
                self._take(case_id, number)
        elif (told := _LOST.search(entry)) is not None:
            self.lost = Lost(place, int(told[1]), int(told[2]), told[3].decode())

    def _take_back(self, case_id: str, number: int, place: int) -> None:
        self._events[case_id] = number
        self._missing.pop(case_id, None)
        self._twice.pop(case_id, None)
        still = [(to, at) for to, at in self._back.get(case_id, ()) if to < number]
        self._back[case_id] = [*still, (number, place)]

    def _take(self, case_id: str, number: int) -> None:
        before, missing = self._events.get(case_id, 0), self._missing.get(case_id, set())
        if number > before:
            # Two programs may hand over in another order than the numbers are.
            if number > before + 1:
                self._missing.setdefault(case_id, set()).update(range(before + 1, number))
            self._events[case_id] = number
        elif number in missing:
            missing.remove(number)
        else:
            self._twice.setdefault(case_id, set()).add(number)

    def took(self, places: tuple[int, ...], leaves: list[bytes]) -> None:
        """Note leaves that were appended just now, where they are the next; others are read when they are asked for."""
        with self._guard:
            if self._loaded and places == tuple(range(self.size, self.size + len(places))):
                for leaf in leaves:
                    self.take(leaf)

    def knows(self, case_id: str) -> bool:
        """Whether the log has ever had a case of this number; as of the last `catch_up`."""
        return case_id in self._events

    def events(self, case_id: str) -> int:
        """How many events of a case the log has; as of the last `catch_up`."""
        return self._events.get(case_id, 0)

    def has(self, case_id: str, number: int) -> bool:
        """Whether the log has this event; as of the last `catch_up`."""
        return number <= self.events(case_id) and number not in self._missing.get(case_id, ())

    def since(self, case_id: str, number: int) -> int:
        """From which place on the log has the event of this number that counts; before, it may have one that was lost.

        As of the last `catch_up`; 0 where the case was never taken back to before that event.
        """
        return max((place for to, place in self._back.get(case_id, ()) if to < number), default=0)

    def twice(self, case_id: str) -> tuple[int, ...]:
        """Numbers of events that the log has twice, and nothing says why; as of the last `catch_up`."""
        return tuple(sorted(self._twice.get(case_id, ())))

    def cases(self) -> Iterator[str]:
        """Every case that the log knows; as of the last `catch_up`."""
        yield from sorted(self._events)

    def _load(self) -> None:
        assert self._path is not None
        # It saves time. Whatever is wrong with it, the log itself says the same.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            head, body = self._path.read_bytes().split(b"\n", 1)
            if head.decode() != sha256(body).hexdigest():
                return
            told = json.loads(body)
            size = int(told["size"])
            if told["format"] != _FORMAT or size > self.log.refresh().size:
                return
            if (told["origin"], told["root"]) != (self.log.checkpoint.origin, self.log.root_at(size).hex()):
                return
            missing = {case_id: set(numbers) for case_id, numbers in told["missing"].items()}
            twice = {case_id: set(numbers) for case_id, numbers in told["twice"].items()}
            back = {case_id: [(to, at) for to, at in pairs] for case_id, pairs in told["back"].items()}
            lost = Lost(*told["lost"]) if told["lost"] else None
            self._events, self._missing, self._twice = dict(told["events"]), missing, twice
            self._back, self.lost = back, lost
            self.size = self._kept = size

    def _keep(self) -> None:
        assert self._path is not None
        self._kept = self.size
        lost = self.lost
        told = {
            "format": _FORMAT,
            "origin": self.log.checkpoint.origin,
            "size": self.size,
            "root": self.log.root_at(self.size).hex(),
            "events": self._events,
            "missing": {case_id: sorted(numbers) for case_id, numbers in self._missing.items() if numbers},
            "twice": {case_id: sorted(numbers) for case_id, numbers in self._twice.items()},
            "back": self._back,
            "lost": [lost.place, lost.size, lost.count, lost.sha256] if lost is not None else None,
        }
        body = json.dumps(told, separators=(",", ":")).encode()
        with contextlib.suppress(OSError), replacing(self._path, mode=0o600) as file:
            file.write(sha256(body).hexdigest().encode() + b"\n" + body)
