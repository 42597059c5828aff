"""What the log asks of the place that keeps it: the contract. `headframe.stores.ledger_files` meets it.

Durable
    When `LedgerStore.sync` returns, every file created before is on the disk with all its bytes, and would be found
    under its name after the machine lost power. When `LedgerStore.commit` returns, so is the checkpoint.
Ordered
    The checkpoint is the commit point. `commit` is called only after `sync` has returned for all that the checkpoint
    speaks of; a store must not let the checkpoint overtake those files, whatever the disk does.
Immutable
    A file that a checkpoint speaks of never changes. A partial tile is superseded by a wider one under another name,
    and may then be removed. `create` refuses a name that is there: two logs must not grow in one folder.
Atomic
    Whoever reads the checkpoint gets the old one or the new one, whole. Readers take no lock.
One writer
    `LedgerStore.writing` lets in one writer at a time, of all programs on the machine, and lets go when that program
    dies.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from headframe.errors import HeadframeError, NotWritten
from headframe.ledger.tiles import Tile


class BadLedger(HeadframeError):
    """The files of a log contradict each other or its checkpoint. Nothing is repaired then; the message says where."""


class LedgerNotWritten(NotWritten):
    """The disk would not take what was appended. Nothing was acknowledged; the log is as it was."""


class AlreadyThere(HeadframeError):
    """A file that was to be created is there: what a writer left that died before its checkpoint."""


class LedgerStore(Protocol):
    """Files of one log."""

    def writing(self) -> AbstractContextManager[None]:
        """Be the one writer until the end of the block."""
        ...

    def read_checkpoint(self) -> bytes | None:
        """The signed checkpoint; None while there is none."""
        ...

    def read(self, tile: Tile) -> bytes | None:
        """The bytes of a tile or entry bundle; None if it is not there."""
        ...

    def create(self, tile: Tile, data: bytes) -> None:
        """Write a new tile; it need not be durable yet. `AlreadyThere` if there is one of that name."""
        ...

    def sync(self) -> None:
        """Make all created files durable."""
        ...

    def commit(self, checkpoint: bytes) -> None:
        """Replace the checkpoint, atomically and durably."""
        ...

    def give_up(self) -> None:
        """Remove what was created since the last commit was begun, as far as that can be done; after a fault."""
        ...

    def around_the_end(self, size: int) -> Iterable[Tile]:
        """Tiles near the end of a log of `size` leaves: all that one dead append can have left, and what it superseded.

        One append writes at most `headframe.ledger.log.LARGEST_COMMIT` leaves.
        """
        ...

    def set_aside(self, tiles: Iterable[Tile]) -> None:
        """Take tiles out of the log without destroying them."""
        ...

    def remove(self, tiles: Iterable[Tile]) -> None:
        """Remove superseded partial tiles. A crash may leave any of them."""
        ...
