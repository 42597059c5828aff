"""Marks of leaves that wait for the ledger: whoever can write the database, and nothing else, brings none into the log.

Between the transaction that writes an act and the ledger that takes its leaf, a program may die. The next one finds the
leaf in the database and hands it over, so the database alone must not be able to say what is handed over. A mark is a
keyed digest (HMAC-SHA-256 [1]_) of a leaf and its name; the key is in the workspace's folder.

References
----------
.. [1] RFC 2104, "HMAC: Keyed-Hashing for Message Authentication".
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import secrets
from pathlib import Path

from headframe.errors import HeadframeError, UnreadableInput
from headframe.stores.durable import flush_folder

KEY_BYTES = 32
"""As many as the digest has (RFC 2104, section 3). [bytes]"""
ROW_MARK_BYTES = 16
"""Of findings there are millions, and 128 bits are not guessed. [bytes]"""
_FORM = "headframe-leaf-key-1"


class LeafMarks:
    """Marks leaves, and tells which were marked here.

    Parameters
    ----------
    key : bytes
        `KEY_BYTES` of them.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "LeafMarks(...)"  # a key never gets into a message

    def mark(self, leaf_id: str, leaf: bytes) -> bytes:
        """The mark of a leaf under a name; 32 bytes."""
        # A name holds no zero byte: the two cannot be cut elsewhere.
        return hmac.digest(self._key, leaf_id.encode() + b"\0" + leaf, "sha256")

    def state(self, row: bytes) -> str:
        """A keyed digest of what a row says, in hex; it tells nothing of the row."""
        # No mark of a leaf is over this: a leaf has a name.
        return hmac.digest(self._key, b"\0state\0" + row, "sha256").hex()

    def row(self, row: bytes) -> bytes:
        """The mark of a row of a table that has one; 16 bytes. It is no mark of a leaf, as a state is none."""
        return hmac.digest(self._key, b"\0row\0" + row, "sha256")[:ROW_MARK_BYTES]

    def fits(self, leaf_id: str, leaf: bytes, mark: bytes) -> bool:
        """Whether a program of this workspace has marked this leaf under this name."""
        return hmac.compare_digest(self.mark(leaf_id, leaf), mark)


def read_marks(path: Path) -> LeafMarks | None:
    """The marks of a workspace; None where it was last opened by a Headframe that had none.

    Parameters
    ----------
    path : Path
        The file with the key.

    Raises
    ------
    UnreadableInput
        If the file cannot be read, or holds no such key.
    """
    try:
        form, _, text = path.read_text("ascii").strip().partition(" ")
        key = base64.b64decode(text, validate=True)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise UnreadableInput(f"{path} cannot be read: {fault.strerror}. Put it back from its backup") from fault
    except (UnicodeDecodeError, binascii.Error):
        form, key = "", b""
    if form != _FORM or len(key) != KEY_BYTES:
        raise UnreadableInput(f"{path} is no key of leaves; put it back from its backup")
    return LeafMarks(key)


def make_marks(path: Path) -> LeafMarks:
    """The marks of a workspace, with a fresh key if it has none. When this returns, the key is on the disk.

    Raises
    ------
    HeadframeError
        If it cannot be written.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(number, "w") as file:
            file.write(f"{_FORM} {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n")
            file.flush()
            os.fsync(file.fileno())
        # Of two who make one at the same moment, the first one's is the workspace's.
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
        flush_folder(path.parent)
    except OSError as fault:
        raise HeadframeError(f"{path} cannot be written: {fault.strerror or fault}") from fault
    finally:
        new.unlink(missing_ok=True)
    marks = read_marks(path)
    assert marks is not None
    return marks
