"""Private keys of the ledger and of witnesses, in files that only their account may read.

``keys/ledger.key`` has one key per line, as `headframe.ledger.note.Signer.text` writes it. More than one is there
while a key is being replaced: every checkpoint is then signed with each, so that those who know only the old key, and
those who know only the new one, can both check it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.note import ED25519, BadNote, Signer, Verifier, read_signer, read_verifier
from headframe.stores.disk import Disk

KEY_MODE = 0o600


def read_keys(path: Path) -> tuple[Signer, ...]:
    """Private keys of a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple of Signer
        At least one.

    Raises
    ------
    UnreadableInput
        If the file cannot be read.
    HeadframeError
        If others may read it, or it holds no key.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UnreadableInput(f"the key file {path} cannot be read: {reason}") from None
    if mode & 0o077:
        raise HeadframeError(
            f"the key file {path} may be read or written by others (mode {mode:03o}): whoever has it can sign for this "
            f"log. Run chmod 600 {path}; if others may have read it, replace the key"
        )
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise BadNote(f"the key file {path} holds no key; a key is a line that begins with PRIVATE+KEY+")
    return tuple(read_signer(line) for line in lines)


def write_keys(path: Path, signers: Sequence[Signer], disk: Disk | None = None) -> None:
    """Put private keys in a file, durably; one that is there is replaced.

    Parameters
    ----------
    path : Path
        Its folder is made, for this account only.
    signers : sequence of Signer
    disk : Disk
    """
    disk = disk or Disk()
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, mode=0o700)
        disk.sync_folder(path.parent.parent)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, KEY_MODE)
    try:
        disk.write(number, "".join(f"{signer.text()}\n" for signer in signers).encode("ascii"))
        disk.sync(number)
    finally:
        disk.close(number)
    disk.rename(new, path)
    disk.sync_folder(path.parent)


def new_key(name: str, random_bytes: Callable[[int], bytes] = os.urandom, kind: int = ED25519) -> Signer:
    """A fresh private key.

    Parameters
    ----------
    name : str
        Of the log (its origin) or the witness: no spaces, no plus sign.
    random_bytes : callable
        Gives so many random bytes.
    kind : int
        `headframe.ledger.note.ED25519` or `COSIGNATURE`.

    Returns
    -------
    Signer
    """
    return Signer(name, kind, random_bytes(32))


def read_verifiers(given: Sequence[str]) -> tuple[Verifier, ...]:
    """Public keys that a user names: each a key's line, or a file of such lines.

    Parameters
    ----------
    given : sequence of str

    Returns
    -------
    tuple of Verifier

    Raises
    ------
    UnreadableInput
        If it is neither a key nor a file that can be read.
    BadNote
        If a line is not a public key, or two keys have the same name and id.
    """
    keys: list[Verifier] = []
    for item in given:
        try:
            keys.append(read_verifier(item))
            continue
        except BadNote as error:
            # A file's name has no such form; what has it is a key that was copied wrongly.
            if item.count("+") >= 2 and not Path(item).exists():
                raise BadNote(f"{item!r} is not a public key: {error}") from None
        try:
            text = Path(item).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UnreadableInput(
                f"{item!r} is neither a public key (name+id+base64) nor a file of such lines: {reason}"
            ) from None
        lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
        if not lines:
            raise BadNote(f"{item} holds no public key; a key is a line name+id+base64")
        keys.extend(read_verifier(line) for line in lines)
    named: dict[tuple[str, bytes], Verifier] = {}
    for key in keys:
        # Four bytes of an id can be hit by trying: which of the two is meant, nobody could say.
        if named.setdefault((key.name, key.key_id), key) != key:
            raise BadNote(f"two different keys are called {key.name}+{key.key_id.hex()}; trust one of them only")
    return tuple(named.values())
