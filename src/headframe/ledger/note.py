"""Signed notes: a text, a blank line, and lines that sign the text [1]_.

A key has a name and an id of four bytes, the beginning of SHA-256(name || newline || type || public key). The type
says how the key signs: `ED25519` signs the text; `COSIGNATURE` is a witness's key and signs a time with it
(`headframe.ledger.witness`). The id only tells keys apart; trust comes from knowing the whole public key beforehand.

References
----------
.. [1] c2sp.org/signed-note, version 1.0.0.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from headframe.errors import HeadframeError

ED25519 = 0x01
"""Signs the text of a note."""
COSIGNATURE = 0x04
"""Signs a checkpoint and a time (c2sp.org/tlog-cosignature)."""

LARGEST_NOTE = 1 << 20
"""A note is a few hundred bytes; whoever sends more than this wants something else. [bytes]"""
MOST_SIGNATURES = 100
"""The specification asks verifiers for at least 16."""

_FIELD = 2**255 - 19
"""The prime of Ed25519's coordinates (RFC 8032, section 5.1)."""
_KEY_SIZE = 32
_SIGNATURE_SIZE = 64
_NAME = re.compile(r"[^\s+]+")
_DASH = "— "
_SECRET = "PRIVATE+KEY+"  # noqa: S105  (the beginning of a line, not a secret)


class BadNote(HeadframeError):
    """A note, key or signature is not of its form, or does not hold."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A line under a note: who says so, and what was signed with."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its signatures. Nothing in it is to be believed before `verified` says who signed."""

    text: str
    """Ends in a newline."""
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key: whose signatures are believed.

    Attributes
    ----------
    name : str
        No spaces and no plus sign.
    kind : int
        `ED25519` or `COSIGNATURE`.
    public_key : bytes
        32 bytes (RFC 8032).
    """

    name: str
    kind: int
    public_key: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE):
            raise BadNote(
                f"key {self.name} has type {self.kind}; known are {ED25519} (log) and {COSIGNATURE} (witness)"
            )
        if len(self.public_key) != _KEY_SIZE:
            raise BadNote(f"key {self.name} has {len(self.public_key)} bytes; an Ed25519 key has {_KEY_SIZE}")

    @property
    def key_id(self) -> bytes:
        """The four bytes that tell this key from others of its name."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key).digest()[:4]

    def text(self) -> str:
        """The key on one line: ``name+id+base64(type || public key)``. `read_verifier` is its inverse."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.kind]) + self.public_key)}"

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Whether this key signed the message (Ed25519: S below the order, no cofactor; RFC 8032, section 5.1.7)."""
        number = int.from_bytes(self.public_key, "little")
        y = number & (1 << 255) - 1
        # OpenSSL also takes keys that RFC 8032, section 5.1.3, does not decode: y not reduced, or x = 0 with a sign.
        if y >= _FIELD or (number != y and y in (1, _FIELD - 1)):
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A private key: it can sign. Keep it where only the log's program can read it.

    Attributes
    ----------
    name : str
    kind : int
    seed : bytes
        32 bytes (RFC 8032, section 5.1.5).
    """

    name: str
    kind: int
    seed: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.seed) != _KEY_SIZE:
            raise BadNote(f"the seed of key {self.name} has {len(self.seed)} bytes; Ed25519 takes {_KEY_SIZE}")

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, kind={self.kind}, seed=...)"  # a private key never gets into a message

    @property
    def verifier(self) -> Verifier:
        """The public key that belongs to it."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return Verifier(self.name, self.kind, public)

    def text(self) -> str:
        """The private key on one line, as golang.org/x/mod/sumdb/note writes it. `read_signer` is its inverse."""
        return f"{_SECRET}{self.name}+{self.verifier.key_id.hex()}+{to_base64(bytes([self.kind]) + self.seed)}"

    def sign_bytes(self, message: bytes) -> bytes:
        """Ed25519 signature of a message."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)

    def sign(self, text: str) -> Signature:
        """Signature line of a note's text, by a key of type `ED25519`.

        Raises
        ------
        BadNote
            If the key is a witness's: it signs no text without a time.
        """
        if self.kind != ED25519:
            raise BadNote(f"key {self.name} is a witness's key; it signs checkpoints with a time, and nothing else")
        return Signature(self.name, self.verifier.key_id, self.sign_bytes(text.encode()))


def read_verifier(text: str) -> Verifier:
    """A public key from its line.

    Raises
    ------
    BadNote
        If it is not one, or its id is not its own.
    """
    name, key_id, kind, key = _read_key(text, "a public key", "name+id+key")
    verifier = Verifier(name, kind, key)
    if verifier.key_id != key_id:
        raise BadNote(
            f"public key {name} says its id is {key_id.hex()}, and it is {verifier.key_id.hex()}; copy the line again"
        )
    return verifier


def read_signer(text: str) -> Signer:
    """A private key from its line.

    Raises
    ------
    BadNote
        If it is not one; the message shows nothing of it.
    """
    line = text.strip()
    if not line.startswith(_SECRET):
        raise BadNote(f"a private key is a line that begins with {_SECRET}; this one does not")
    name, key_id, kind, seed = _read_key(line.removeprefix(_SECRET), "a private key", f"{_SECRET}name+id+key")
    if kind not in (ED25519, COSIGNATURE):
        raise BadNote(f"private key {name} has type {kind}; known are {ED25519} (log) and {COSIGNATURE} (witness)")
    signer = Signer(name, kind, seed)
    if signer.verifier.key_id != key_id:
        raise BadNote(f"private key {name} does not have the id {key_id.hex()} that its line says; restore it")
    return signer


def format_note(note: Note) -> bytes:
    """A note as bytes. `parse_note` is its inverse.

    Raises
    ------
    BadNote
        If it has no signature, or a text that cannot be signed.
    """
    _check_text(note.text)
    if not note.signatures:
        raise BadNote("a note without a signature is not a note; sign it")
    for line in note.signatures:
        _check_name(line.name)
        if len(line.key_id) != 4 or not line.signature:
            raise BadNote(f"the signature of {line.name} needs a key id of 4 bytes and something after it")
    lines = "".join(f"{_DASH}{line.name} {to_base64(line.key_id + line.signature)}\n" for line in note.signatures)
    return f"{note.text}\n{lines}".encode()


def parse_note(data: bytes) -> Note:
    """A note from bytes; signatures are read, not checked.

    Raises
    ------
    BadNote
        If it is not of the form.
    """
    if len(data) > LARGEST_NOTE:
        raise BadNote(f"a note has at most {LARGEST_NOTE:,} bytes; this one has {len(data):,}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadNote(f"a note is UTF-8; byte {error.start} is not") from None
    # Everything after the last blank line is signatures.
    text, blank, under = whole.rpartition("\n\n")
    if not blank or not under.endswith("\n"):
        raise BadNote("a note is a text, a blank line, and signature lines that each end with a newline")
    text += "\n"
    _check_text(text)
    lines = under[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote(f"a note has at most {MOST_SIGNATURES} signatures; this one has {len(lines)}")
    return Note(text, tuple(_parse_signature(line) for line in lines))


def sign(text: str, signers: Iterable[Signer]) -> Note:
    """A note signed by each key.

    Raises
    ------
    BadNote
        If there is no key, or the text cannot be signed.
    """
    _check_text(text)
    signatures = tuple(signer.sign(text) for signer in signers)
    if not signatures:
        raise BadNote("a note needs at least one key that signs it")
    return Note(text, signatures)


def verified(note: Note, verifiers: Iterable[Verifier]) -> tuple[Verifier, ...]:
    """Which of the known keys (type `ED25519`) signed a note. Lines of unknown keys are passed over.

    Parameters
    ----------
    note : Note
    verifiers : iterable of Verifier

    Returns
    -------
    tuple of Verifier
        In the order of the note's lines; empty if no known key signed.

    Raises
    ------
    BadNote
        If a line claims to be of a known key and is not: then somebody changed the text or the line.
    """
    known = {(key.name, key.key_id): key for key in verifiers if key.kind == ED25519}
    signed: list[Verifier] = []
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        if not key.holds(note.text.encode(), line.signature):
            raise BadNote(f"the signature of key {key.name}+{key.key_id.hex()} does not fit the text: one was changed")
        if key not in signed:
            signed.append(key)
    return tuple(signed)


def signatures_of(note: Note, key: Verifier) -> Sequence[Signature]:
    """The lines of a note that claim to be of a key."""
    return [line for line in note.signatures if line.name == key.name and line.key_id == key.key_id]


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or any(ord(letter) < 0x20 for letter in name):
        raise BadNote(f"a key's name has no spaces and no plus sign, and is not empty; got {name!r}")


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise BadNote("the text of a note ends with a newline")
    bad = next((letter for letter in text if ord(letter) < 0x20 and letter != "\n"), None)
    if bad is not None:
        raise BadNote(f"the text of a note has no control characters; found {bad!r}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadNote(f"the text of a note is UTF-8; letter {error.start} cannot be written") from None


def _parse_signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise BadNote(f"a signature is a line of an em dash, a name and base64; found {line[:80]!r}")
    _check_name(name)
    data = from_base64(encoded, f"the signature of {name}")
    if len(data) < 5:
        raise BadNote(f"the signature of {name} has {len(data)} bytes; four of the key's id, and the signature itself")
    return Signature(name, data[:4], data[4:])


def _read_key(text: str, what: str, form: str) -> tuple[str, bytes, int, bytes]:
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise BadNote(f"{what} is a line {form}; it has {len(parts)} of 3 parts")
    name, hex_id, encoded = parts
    _check_name(name)
    if not re.fullmatch(r"[0-9a-f]{8}", hex_id):
        raise BadNote(f"the id of key {name} is 8 digits in lower-case hex")
    data = from_base64(encoded, f"key {name}")
    if len(data) != 1 + _KEY_SIZE:
        raise BadNote(f"key {name} has {len(data)} bytes; a type and an Ed25519 key have {1 + _KEY_SIZE}")
    return name, bytes.fromhex(hex_id), data[0], data[1:]


def to_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648, section 4). `from_base64` is its inverse."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, what: str) -> bytes:
    """Bytes from base64.

    Raises
    ------
    BadNote
        If it is not base64 in its one right spelling; the message says of what.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(f"{what} is not base64") from None
    # One value has one spelling: stray bits at the end would make two files of one meaning.
    if to_base64(data) != text:
        raise BadNote(f"{what} is not base64 in its one right spelling")
    return data
