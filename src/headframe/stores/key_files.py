"""Keys of a workspace: one file each, wrapped by a master key, made and destroyed durably.

| file | holds |
|---|---|
| ``keys/workspace.key`` | the master key: ``headframe-master-key-1``, a blank, 32 bytes in base64, line feed |
| ``keys/workspace.key.new`` | the next master key, while a rotation is under way |
| ``keys/workspace.key.old`` | the last one, between the end of a rotation and its destruction |
| ``keys/contacts/ID.key`` | the key of one sealed contact, wrapped |
| ``keys/pseudonyms/EPOCH.key`` | the key of the pseudonyms of one epoch, wrapped |
| ``keys/pseudonyms/EPOCH.gone`` | empty: that key was destroyed, and is never made again |

Folders have mode 700, files 600. A wrapped key is ``HFK1``, 8 bytes that name the master key (the beginning of its
SHA-256), 12 random bytes, and AES-256-GCM of the key [1]_; folder and name are authenticated with it, so that no key
file can stand in for another.

**Destroyed means:** the wrapped key is overwritten, flushed, and its name removed and flushed. On a disk that writes
elsewhere (flash, copy-on-write, snapshots, backups) the wrapped bytes may live on. They open only with the master key
of their time: `Keyring.rotate` wraps what is left anew and destroys the old master key, and whoever needs certainty
rotates after a purge and keeps backups of ``keys/`` apart from those of the data, and for a shorter time.

**What a crash leaves behind.** A key file is written under another name, flushed, and renamed; when `Keyring.make`
returns, it is on the disk. A rotation that was cut off leaves both master keys: each key file names the one that opens
it, so everything can be read, and the next call of `rotate` goes on.

References
----------
.. [1] NIST SP 800-38D, "Recommendation for Block Cipher Modes of Operation: Galois/Counter Mode (GCM) and GMAC".
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from headframe import clock
from headframe.errors import HeadframeError, UnreadableInput
from headframe.stores.durable import flush_file, flush_folder, replacing

MASTER_FILE = "workspace.key"
KINDS = ("contacts", "pseudonyms")
"""Folders of keys that the master key wraps."""
KEY_BYTES = 32
LOCK_TIMEOUT_S = 30.0
"""Wrapping 100,000 keys anew takes longer; whoever waits for that is told, and tries again. [s]"""
_LOCK_POLL_S = 0.02
_BATCH = 2_000
"""Keys that are written while the lock is held: a second or two. [keys]"""
_MASTER_FORM = "headframe-master-key-1"
_MAGIC = b"HFK1"
_ID_BYTES = 8
_NONCE_BYTES = 12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}\Z", re.ASCII)


class KeyGone(HeadframeError):
    """A key was destroyed, or is not in this workspace: what it sealed cannot be read by anybody."""


class Keyring:
    """The keys of a workspace.

    Parameters
    ----------
    folder : Path
        ``WORKSPACE/keys``; made when the first key is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waiting: dict[tuple[str, str], bytes] | None = None

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Make many keys with few waits for the disk: they are there, and on the disk, when this ends without a fault.

        Until then they are in memory only, and nobody else can read them.
        """
        if self._waiting is not None:
            raise RuntimeError("a batch of keys is under way already")
        waiting: dict[tuple[str, str], bytes] = {}
        self._waiting = waiting
        try:
            yield
        finally:
            self._waiting = None
        entries = list(waiting.items())
        for start in range(0, len(entries), _BATCH):
            self._write_batch(entries[start : start + _BATCH])

    def _write_batch(self, entries: list[tuple[tuple[str, str], bytes]]) -> None:
        """Write keys under other names, flush them, and only then give them theirs: no name ever has half a key."""
        folders = {self._path(kind, name).parent for (kind, name), _ in entries}
        self._make_master()
        for folder in folders:
            _make_folder(folder)
        with self._locked(shared=False):
            master = self._masters()[0]
            paths = []
            try:
                for (kind, name), key in entries:
                    path = self._path(kind, name)
                    if path.exists():
                        raise FileExistsError(f"{path} is there already")
                    paths.append(path)
                    _write(_temporary(path), _wrap(master, kind, name, key), flush=False)
                for path in paths:
                    flush_file(_temporary(path))
                for path in paths:
                    _temporary(path).replace(path)
            except BaseException:
                for path in paths:
                    _temporary(path).unlink(missing_ok=True)
                raise
            for folder in folders:
                flush_folder(folder)

    def make(self, kind: str, name: str) -> bytes:
        """Make a random key. When this returns, it is on the disk; in a `batch`, when that ends.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        name : str

        Returns
        -------
        bytes
            32 of them.

        Raises
        ------
        KeyGone
            If a key of that name was destroyed: it is not made again.
        FileExistsError
            If there is one.
        HeadframeError
            If the master key is missing while there are keys that it wraps, or others may read it.
        """
        path = self._path(kind, name)
        if self._waiting is not None:
            if path.exists() or (kind, name) in self._waiting:
                raise FileExistsError(f"{path} is there already")
            return self._waiting.setdefault((kind, name), secrets.token_bytes(KEY_BYTES))
        self._make_master()
        _make_folder(path.parent)
        with self._locked(shared=False):
            if path.exists():
                raise FileExistsError(f"{path} is there already")
            if self.was_destroyed(kind, name):
                raise KeyGone(f"key {name} was destroyed; it is not made again")
            self._end_rotation()
            key = secrets.token_bytes(KEY_BYTES)
            _write_durably(path, _wrap(self._masters()[0], kind, name, key))
        return key

    def key(self, kind: str, name: str) -> bytes:
        """A key.

        Raises
        ------
        KeyGone
            If there is none: destroyed, or another workspace's.
        UnreadableInput
            If its file is damaged, or the master key that wraps it is not there.
        """
        path = self._path(kind, name)
        if not path.exists():
            raise KeyGone(_gone(kind, name, self.folder))
        with self._locked(shared=True):
            try:
                wrapped = path.read_bytes()
            except FileNotFoundError:
                raise KeyGone(_gone(kind, name, self.folder)) from None
            except OSError as fault:
                raise UnreadableInput(f"{path}: cannot be read: {fault.strerror}") from fault
            return _unwrap(self._masters(), kind, name, wrapped, path)

    def names(self, kind: str) -> Iterator[str]:
        """Names of all keys of a kind, in no order."""
        folder = self.folder / kind
        with suppress(FileNotFoundError):
            for entry in os.scandir(folder):
                if entry.name.endswith(".key") and _NAME.match(entry.name):
                    yield entry.name.removesuffix(".key")

    def was_destroyed(self, kind: str, name: str) -> bool:
        """Whether a key left a sign that it is not to be made again."""
        return self._path(kind, name).with_suffix(".gone").exists()

    def is_whole(self, kind: str, name: str) -> bool:
        """Whether a key is there, and its destruction has not begun; a crash may leave a file of noise."""
        try:
            return self._path(kind, name).read_bytes().startswith(_MAGIC)
        except FileNotFoundError:
            return False

    def destroy(self, kind: str, name: str, *, for_ever: bool = False) -> bool:
        """Destroy a key; False where it was gone already.

        Parameters
        ----------
        kind, name : str
        for_ever : bool
            Leave a sign that no key of that name may be made again.
        """
        path = self._path(kind, name)
        with self._locked(shared=False):
            if for_ever and path.parent.is_dir():
                # First the sign: a crash in between leaves a key that is asked for again, never a second key.
                _write_durably(path.with_suffix(".gone"), b"")
            # What a crash left of a write holds the key as well.
            _destroy(_temporary(path))
            return _destroy(path)

    def destroy_many(self, kind: str, names: Iterable[str]) -> tuple[str, ...]:
        """Destroy many keys with few waits for the disk; gives the names of those that were there.

        When this returns, all of them are gone; a crash before that leaves some, and the call may be repeated.
        """
        gone: list[str] = []
        asked = list(names)
        for start in range(0, len(asked), _BATCH):
            paths = {name: self._path(kind, name) for name in asked[start : start + _BATCH]}
            with self._locked(shared=False):
                there = {name: path for name, path in paths.items() if path.exists()}
                for path in paths.values():
                    _destroy(_temporary(path))
                for path in there.values():
                    _overwrite(path, flush=False)
                for path in there.values():
                    flush_file(path)
                for path in there.values():
                    path.unlink(missing_ok=True)
                if there:
                    flush_folder(self.folder / kind)
                gone += there
        return tuple(gone)

    def rotate(self) -> int:
        """Make a new master key, wrap every key with it, and destroy the old one.

        Returns
        -------
        int
            How many keys were wrapped anew.

        Raises
        ------
        HeadframeError
            If there is no master key yet, or a key does not open; nothing is lost then, and the next call goes on.
        """
        done = 0
        with self._locked(shared=False):
            self._end_rotation()
            master, new = self.folder / MASTER_FILE, self.folder / f"{MASTER_FILE}.new"
            if not master.exists():
                raise HeadframeError(f"{master} is not there, so there is nothing to rotate; it is made when needed")
            if not new.exists():
                _write_durably(new, _master_text(secrets.token_bytes(KEY_BYTES)))
            masters = self._masters()
            fresh = _read_master(new)
            for kind in KINDS:
                for name in list(self.names(kind)):
                    path = self._path(kind, name)
                    wrapped = path.read_bytes()
                    if wrapped[len(_MAGIC) :].startswith(_master_id(fresh)):
                        continue  # done before a crash
                    try:
                        key = _unwrap(masters, kind, name, wrapped, path)
                    except UnreadableInput as fault:
                        raise UnreadableInput(
                            f"{fault}. Where its destruction was cut off, headframe keys tidy ends that; then rotate "
                            "again"
                        ) from fault
                    _write_durably(path, _wrap(fresh, kind, name, key))
                    done += 1
            # From here on nothing needs the old master key. Its name is kept until it is overwritten.
            with suppress(FileExistsError):
                os.link(master, self.folder / f"{MASTER_FILE}.old")
            new.replace(master)
            flush_folder(self.folder)
            self._end_rotation()
        return done

    def _end_rotation(self) -> None:
        """Destroy the master key of a rotation that has ended."""
        old, new = self.folder / f"{MASTER_FILE}.old", self.folder / f"{MASTER_FILE}.new"
        if not old.exists() or new.exists():
            return
        # Not by what is in it: a crash may have left it half overwritten.
        if old.samefile(self.folder / MASTER_FILE):
            old.unlink()  # two names of one file: it must not be overwritten
        else:
            _destroy(old)

    def _path(self, kind: str, name: str) -> Path:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of key; known are {', '.join(KINDS)}")
        if not _NAME.match(name):
            raise KeyGone(f"{name[:80]!a} is no name of a key in {self.folder}")
        return self.folder / kind / f"{name}.key"

    def _masters(self) -> list[bytes]:
        """The master key, and the next one while a rotation is under way; the one to wrap with first."""
        found = []
        for path in (self.folder / f"{MASTER_FILE}.new", self.folder / MASTER_FILE):
            with suppress(FileNotFoundError):
                found.append(_read_master(path))
        if not found:
            raise UnreadableInput(
                f"{self.folder / MASTER_FILE} is missing, and with it everything that it wraps; restore it from the "
                "backup of the keys"
            )
        return found

    def _make_master(self) -> None:
        path = self.folder / MASTER_FILE
        if path.exists():
            return
        _make_folder(self.folder)
        with self._locked(shared=False):
            if path.exists():
                return
            wrapped = [kind for kind in KINDS if next(self.names(kind), None) is not None]
            if wrapped:
                raise UnreadableInput(
                    f"{path} is missing, but keys that it wraps are there ({', '.join(wrapped)}); restore it "
                    "from the backup of the keys. A new one would not open them"
                )
            _write_durably(path, _master_text(secrets.token_bytes(KEY_BYTES)))

    @contextmanager
    def _locked(self, *, shared: bool) -> Iterator[None]:
        """Hold the lock of the folder: alone to write, with others to read."""
        try:
            file = (self.folder / ".lock").open("a")
        except FileNotFoundError:
            if not shared:
                raise HeadframeError(f"{self.folder} is not there, so there are no keys in it") from None
            yield  # nothing is there that could change
            return
        with file:
            give_up_s = clock.monotonic_s() + LOCK_TIMEOUT_S
            while True:
                try:
                    fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if clock.monotonic_s() >= give_up_s:
                        raise HeadframeError(
                            f"the keys in {self.folder} have been in use by another process for {LOCK_TIMEOUT_S:g} s "
                            "(a rotation?); try again when it has ended"
                        ) from None
                    time.sleep(_LOCK_POLL_S)
            yield  # closing the file gives the lock back


def _gone(kind: str, name: str, folder: Path) -> str:
    return (
        f"key {name} ({kind}) is not in {folder}: it was destroyed when its retention was over, or it is another "
        "workspace's. What it sealed cannot be read by anybody"
    )


def _master_text(key: bytes) -> bytes:
    return f"{_MASTER_FORM} {base64.b64encode(key).decode()}\n".encode()


def _read_master(path: Path) -> bytes:
    """A master key; FileNotFoundError where there is none."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(200)
    except FileNotFoundError:
        raise
    except OSError as fault:
        raise UnreadableInput(f"{path}: cannot be read: {fault.strerror}") from fault
    if mode & 0o077:
        raise HeadframeError(f"{path} may be read by others (mode {mode:o}); close it first: chmod 600 {path}")
    form, _, value = text.decode("ascii", "replace").strip().partition(" ")
    try:
        key = base64.b64decode(value, validate=True)
    except ValueError:
        key = b""
    if form != _MASTER_FORM or len(key) != KEY_BYTES:
        raise UnreadableInput(f"{path} is damaged, or no master key; restore it from the backup of the keys")
    return key


def _master_id(master: bytes) -> bytes:
    return hashlib.sha256(b"headframe master key\0" + master).digest()[:_ID_BYTES]


def _bound(kind: str, name: str) -> bytes:
    return f"headframe key 1\0{kind}\0{name}".encode()


def _wrap(master: bytes, kind: str, name: str, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _MAGIC + _master_id(master) + nonce + AESGCM(master).encrypt(nonce, key, _bound(kind, name))


def _unwrap(masters: list[bytes], kind: str, name: str, wrapped: bytes, path: Path) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head = len(_MAGIC) + _ID_BYTES
    if not wrapped.startswith(_MAGIC) or len(wrapped) != head + _NONCE_BYTES + KEY_BYTES + 16:
        raise UnreadableInput(f"{path} is damaged, or no key of Headframe; restore it from the backup of the keys")
    master = next((one for one in masters if _master_id(one) == wrapped[len(_MAGIC) : head]), None)
    if master is None:
        raise UnreadableInput(
            f"{path} is wrapped with another master key than {MASTER_FILE}; restore both from the same backup"
        )
    nonce, sealed = wrapped[head : head + _NONCE_BYTES], wrapped[head + _NONCE_BYTES :]
    try:
        return AESGCM(master).decrypt(nonce, sealed, _bound(kind, name))
    except InvalidTag:
        raise UnreadableInput(f"{path} is damaged, or a key of another name; restore it from the backup") from None


def _make_folder(folder: Path) -> None:
    """Make a folder that only its owner may look into, and its parents."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    flush_folder(folder.parent)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _write_durably(path: Path, data: bytes) -> None:
    """Write a file of mode 600 under another name, flush it, rename it, and flush the folder.

    Only whoever holds the lock alone writes, so the other name is nobody else's.
    """
    with replacing(path, mode=0o600) as file:
        file.write(data)


def _write(path: Path, data: bytes, *, flush: bool) -> None:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        if flush:
            os.fsync(file.fileno())


def _destroy(path: Path) -> bool:
    """Overwrite a file, flush it, remove its name, and flush the folder; False where there is none."""
    try:
        _overwrite(path, flush=True)
    except FileNotFoundError:
        return False
    path.unlink(missing_ok=True)
    flush_folder(path.parent)
    return True


def _overwrite(path: Path, *, flush: bool) -> None:
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(os.fstat(file.fileno()).st_size))
        file.flush()
        if flush:
            os.fsync(file.fileno())
