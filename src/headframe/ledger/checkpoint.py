"""Checkpoints: how large the log is, and the root over all of it, on three lines that are signed [1]_.

References
----------
.. [1] c2sp.org/tlog-checkpoint, version 1.0.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from headframe.ledger.merkle import EMPTY_ROOT, HASH_SIZE
from headframe.ledger.note import BadNote, Note, Verifier, from_base64, parse_note, to_base64, verified

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state of a log.

    Attributes
    ----------
    origin : str
        Which log; also the name of the key that signs.
    size : int
        Leaves.
    root : bytes
        Over all of them.
    extensions : tuple of str
        Further lines. This project writes none, and hands on what it finds.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The lines that are signed. `read_checkpoint` is its inverse.

        Raises
        ------
        BadNote
            If a part cannot be written so.
        """
        if not self.origin or "\n" in self.origin or any("\n" in line or not line for line in self.extensions):
            raise BadNote("the origin and further lines of a checkpoint are one line each, and not empty")
        if not 0 <= self.size < 2**63 or len(self.root) != HASH_SIZE:
            raise BadNote(f"a checkpoint has a size from 0 and a root of {HASH_SIZE} bytes")
        lines = [self.origin, str(self.size), to_base64(self.root), *self.extensions]
        return "".join(f"{line}\n" for line in lines)


def read_checkpoint(text: str) -> Checkpoint:
    """A checkpoint from the text of a note.

    Raises
    ------
    BadNote
        If it is not one.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "":
        raise BadNote("a checkpoint has three lines: origin, size, root in base64")
    origin, size, root, *extensions = lines
    if not origin:
        raise BadNote("the first line of a checkpoint names the log; it is empty")
    if not _SIZE.fullmatch(size) or int(size) >= 2**63:
        raise BadNote(f"the second line of a checkpoint is the number of leaves; found {size[:40]!r}")
    data = from_base64(root, "the root of a checkpoint")
    if len(data) != HASH_SIZE:
        raise BadNote(f"the root of a checkpoint has {HASH_SIZE} bytes; found {len(data)}")
    if any(not line for line in extensions):
        raise BadNote("a further line of a checkpoint is empty")
    if int(size) == 0 and data != EMPTY_ROOT:
        raise BadNote("a log without leaves has the root of nothing; the checkpoint says another")
    return Checkpoint(origin, int(size), data, tuple(extensions))


def open_checkpoint(data: bytes, keys: Iterable[Verifier]) -> tuple[Checkpoint, Note, tuple[Verifier, ...]]:
    """A checkpoint whose log is known.

    Parameters
    ----------
    data : bytes
        A signed note.
    keys : iterable of Verifier
        Keys that are trusted to sign for logs.

    Returns
    -------
    checkpoint : Checkpoint
    note : Note
    signed : tuple of Verifier
        At least one; each has the log's name.

    Raises
    ------
    BadNote
        If it is not a checkpoint, or no trusted key of its log signed it.
    """
    note = parse_note(data)
    checkpoint = read_checkpoint(note.text)
    signed = tuple(key for key in verified(note, keys) if key.name == checkpoint.origin)
    if not signed:
        signers = ", ".join(f"{line.name}+{line.key_id.hex()}" for line in note.signatures)
        raise BadNote(
            f"no trusted key signed this checkpoint of {checkpoint.origin}; it is signed by {signers}. "
            "Ask the unit that runs the log for its public key, on another way than this file came"
        )
    return checkpoint, note, signed
