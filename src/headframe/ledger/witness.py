"""Witnesses: another unit remembers how large the log was, checks that it has only grown, and signs that [1]_.

A log could show one history to one reader and another to the next. It cannot do so to a witness whose co-signature
both readers ask for: the witness remembers the last checkpoint it signed, and signs a new one only with a proof that
the old log is its beginning. A co-signature says: at this time, this was the largest log of that name that I have seen,
and it contains all that I have seen before.

References
----------
.. [1] c2sp.org/tlog-cosignature, section "Ed25519 signed message".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headframe.errors import HeadframeError
from headframe.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from headframe.ledger.merkle import BadProof, check_consistency
from headframe.ledger.note import COSIGNATURE, BadNote, Note, Signature, Signer, Verifier, parse_note

_TIME_SIZE = 8
_SIGNATURE_SIZE = 64


class SeenMore(HeadframeError):
    """A witness has seen more of a log than a checkpoint says, so that it cannot co-sign that one any more."""


class Forked(HeadframeError):
    """A log is not the continuation of what was seen of it. Keep both checkpoints: together they are the proof."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What a known witness says under a checkpoint.

    Attributes
    ----------
    witness : Verifier
    at_s : int
        When it said so. [s since 1970-01-01 UTC]
    """

    witness: Verifier
    at_s: int


def cosigned_message(text: str, at_s: int) -> bytes:
    """The bytes that a witness signs for a checkpoint's text."""
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def cosign(
    data: bytes,
    log_keys: Sequence[Verifier],
    seen: Checkpoint | None,
    proof: Sequence[bytes],
    signer: Signer,
    at_s: int,
) -> Note:
    """Co-sign a checkpoint, if it continues what was seen.

    Parameters
    ----------
    data : bytes
        The log's signed checkpoint.
    log_keys : sequence of Verifier
        Keys of logs that this witness watches.
    seen : Checkpoint or None
        What it co-signed last of this log; None the first time, when there is nothing to compare with.
    proof : sequence of bytes
        Consistency from the size seen to this one.
    signer : Signer
        Of type `headframe.ledger.note.COSIGNATURE`.
    at_s : int
        [s since 1970-01-01 UTC]

    Returns
    -------
    Note
        The checkpoint with one signature more. Remember it, durably, before handing it out.

    Raises
    ------
    BadNote
        If no key of a watched log signed it, or `signer` is not a witness's.
    Forked
        If the log has shrunk, or is not the continuation of what was seen; the message names both sizes.
    """
    if signer.kind != COSIGNATURE:
        raise BadNote(f"key {signer.name} is not a witness's key; make one of type {COSIGNATURE}")
    if not 0 < at_s < 2**63:
        raise BadNote(f"a co-signature's time is in seconds after 1970; got {at_s}")
    checkpoint, note, _signed = open_checkpoint(data, log_keys)
    if seen is not None:
        check_continues(seen, checkpoint, proof)
    signature = at_s.to_bytes(_TIME_SIZE, "big") + signer.sign_bytes(cosigned_message(note.text, at_s))
    line = Signature(signer.name, signer.verifier.key_id, signature)
    others = tuple(old for old in note.signatures if (old.name, old.key_id) != (line.name, line.key_id))
    return Note(note.text, (*others, line))


def check_newest(seen: Checkpoint | None, checkpoint: Checkpoint) -> None:
    """Check that a checkpoint is not older than what a witness has seen.

    A co-signature says that this is the largest log that the witness has seen by then [1]_. So a checkpoint that others
    have signed can be co-signed after the log has grown, but only by who has co-signed no larger one yet; and what a
    witness remembers never gets smaller.

    Parameters
    ----------
    seen : Checkpoint or None
        What the witness co-signed last of this log.
    checkpoint : Checkpoint
        That it is asked to co-sign.

    Raises
    ------
    SeenMore
        If the witness has seen more.
    """
    if seen is not None and seen.origin == checkpoint.origin and seen.size > checkpoint.size:
        raise SeenMore(
            f"this witness has co-signed {seen.size:,} leaves of {seen.origin} already, and a co-signature says that "
            f"nothing larger was seen; the checkpoint of {checkpoint.size:,} leaves cannot be co-signed after that. "
            f"Let the other witnesses co-sign the one of {seen.size:,}, or all of them a newer one"
        )


def witnesses_under(note: Note, origin: str) -> frozenset[tuple[str, bytes]]:
    """Name and key id of each line under a checkpoint that is not the log's own. None of them is checked here."""
    return frozenset((line.name, line.key_id) for line in note.signatures if line.name != origin)


def check_continues(seen: Checkpoint, now: Checkpoint, proof: Sequence[bytes]) -> None:
    """Check that a log is the continuation of what was seen of it.

    Raises
    ------
    Forked
        If it is not.
    """
    if seen.origin != now.origin:
        raise Forked(f"these are two logs: {seen.origin} was seen before, and this checkpoint is of {now.origin}")
    if now.size < seen.size:
        raise Forked(
            f"the log {now.origin} has shrunk: it had {seen.size:,} leaves when it was last seen, and this checkpoint "
            f"says {now.size:,}. Leaves were taken away, or this is an old copy"
        )
    try:
        check_consistency(seen.size, seen.root, now.size, now.root, proof)
    except BadProof as error:
        raise Forked(
            f"the log {now.origin} of {now.size:,} leaves is not shown to continue the {seen.size:,} that were seen: "
            f"{error}. Keep both checkpoints"
        ) from None


def cosignatures(note: Note, witnesses: Iterable[Verifier]) -> tuple[Cosigned, ...]:
    """Which of the known witnesses co-signed a checkpoint, and when.

    Parameters
    ----------
    note : Note
    witnesses : iterable of Verifier
        Those of type `headframe.ledger.note.COSIGNATURE` count.

    Returns
    -------
    tuple of Cosigned

    Raises
    ------
    BadNote
        If a line claims to be of a known witness and is not.
    """
    known = {(key.name, key.key_id): key for key in witnesses if key.kind == COSIGNATURE}
    found: dict[Verifier, Cosigned] = {}
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        at_s = int.from_bytes(line.signature[:_TIME_SIZE], "big")
        signature = line.signature[_TIME_SIZE:]
        if len(signature) != _SIGNATURE_SIZE or not key.holds(cosigned_message(note.text, at_s), signature):
            raise BadNote(f"the co-signature of {key.name}+{key.key_id.hex()} does not fit the text: one was changed")
        found.setdefault(key, Cosigned(key, at_s))
    return tuple(found.values())


def without_forged(note: Note, witnesses: Iterable[Verifier]) -> Note:
    """A checkpoint without the lines that claim to be of a known witness and are not.

    Whoever knows that witness refuses a checkpoint with such a line (`cosignatures`).
    """
    known = tuple(witnesses)

    def holds(line: Signature) -> bool:
        try:
            cosignatures(Note(note.text, (line,)), known)
        except BadNote:
            return False
        return True

    return Note(note.text, tuple(line for line in note.signatures if holds(line)))


def last_seen(data: bytes, signer: Signer) -> Checkpoint:
    """What a witness saw last, from the co-signed checkpoint that it kept.

    Raises
    ------
    BadNote
        If its own co-signature is not under it: somebody changed what it remembers.
    """
    note = parse_note(data)
    if not cosignatures(note, (signer.verifier,)):
        raise BadNote("what this witness remembers does not bear its own co-signature; it was changed, or is another's")
    return read_checkpoint(note.text)
