"""Signed notes, checkpoints and co-signatures: the formats of c2sp.org, and what is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from headframe.ledger.merkle import EMPTY_ROOT, consistency_proof, root_of
from headframe.ledger.note import (
    COSIGNATURE,
    ED25519,
    BadNote,
    Note,
    Signature,
    Signer,
    Verifier,
    format_note,
    parse_note,
    read_signer,
    read_verifier,
    sign,
    verified,
)
from headframe.ledger.witness import Forked, cosign, cosignatures, last_seen

# The example of golang.org/x/mod/sumdb/note: key, text and signature by another implementation.
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LOG = Signer("log.example/a", ED25519, bytes(32))
OTHER = Signer("log.example/a", ED25519, bytes(31) + b"\x01")
WITNESS = Signer("witness.example/w", COSIGNATURE, bytes(range(32)))

names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z"), exclude_characters="+"), min_size=1).filter(
    lambda name: not any(letter.isspace() for letter in name)
)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n")).map(lambda text: text + "\n")
signatures = st.builds(Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=100))


def test_the_example_of_another_implementation() -> None:
    """Its key signs the same bytes here, and its note is verified here."""
    signer = read_signer(GO_SECRET)
    assert signer.verifier.text() == GO_KEY
    assert signer.text() == GO_SECRET
    note = parse_note(GO_NOTE.encode())
    assert verified(note, [read_verifier(GO_KEY)]) == (signer.verifier,)
    assert format_note(sign(note.text, [signer])) == GO_NOTE.encode()


@given(texts, st.lists(signatures, min_size=1, max_size=20))
def test_parse_is_the_inverse_of_format(text: str, lines: list[Signature]) -> None:
    """parse(format(x)) == x, with blank lines and other scripts in the text."""
    note = Note(text, tuple(lines))
    assert parse_note(format_note(note)) == note


@given(st.binary(max_size=300))
def test_noise_is_refused_and_nothing_else_happens(noise: bytes) -> None:
    """Anything parses to a note that formats to the same bytes, or raises BadNote."""
    for data in (noise, GO_NOTE.encode()[: len(noise)] + noise, GO_NOTE.encode() + noise):
        try:
            note = parse_note(data)
        except BadNote:
            continue
        assert format_note(note) == data


@given(names, st.sampled_from([ED25519, COSIGNATURE]), st.binary(min_size=32, max_size=32))
def test_keys_survive_their_text(name: str, kind: int, seed: bytes) -> None:
    """Private and public key are what they were after being written and read."""
    signer = Signer(name, kind, seed)
    assert read_signer(signer.text()) == signer
    assert read_verifier(signer.verifier.text()) == signer.verifier


def test_a_private_key_never_shows_in_words() -> None:
    """A representation goes into messages and logs."""
    assert base64.b64encode(OTHER.seed).decode() not in repr(OTHER)
    assert str(OTHER.seed) not in repr(OTHER)


def test_a_line_of_a_trusted_key_that_does_not_fit_is_refused_even_beside_a_good_one() -> None:
    """Else a forger would only need to add a line."""
    note = sign("text\n", [LOG, OTHER])
    broken = Note("text\n", (note.signatures[0], Signature(LOG.name, OTHER.verifier.key_id, bytes(64))))
    assert verified(broken, [LOG.verifier]) == (LOG.verifier,)
    with pytest.raises(BadNote, match="does not fit the text"):
        verified(broken, [LOG.verifier, OTHER.verifier])


def test_every_line_of_a_trusted_key_must_fit() -> None:
    """A second line of the same key or witness is not passed over because the first was good."""
    note = sign("text\n", [LOG])
    broken = Note(note.text, (*note.signatures, Signature(LOG.name, LOG.verifier.key_id, bytes(64))))
    with pytest.raises(BadNote, match="does not fit the text"):
        verified(broken, [LOG.verifier])
    assert verified(Note(note.text, note.signatures * 2), [LOG.verifier]) == (LOG.verifier,)
    cosigned = cosign(signed(hashes(5)), [LOG.verifier], None, (), WITNESS, 1_000)
    line = cosigned.signatures[-1]
    for second in (line.signature[:-1] + bytes([line.signature[-1] ^ 1]), line.signature[:8]):
        broken = Note(cosigned.text, (*cosigned.signatures, Signature(line.name, line.key_id, second)))
        with pytest.raises(BadNote, match="does not fit the text"):
            cosignatures(broken, [WITNESS.verifier])


@pytest.mark.parametrize("number", [2**255 - 19, 2**255 - 18, 2**255 - 1, 1 | 1 << 255, 2**255 - 20 | 1 << 255])
def test_a_key_that_is_no_point_in_its_one_spelling_has_signed_nothing(number: int) -> None:
    """RFC 8032, section 5.1.3: y is below p, and x = 0 has no sign. As the neutral point it would hold for any text."""
    right = (1).to_bytes(32, "little")
    signature = right + bytes(32)  # R = [0]B - [k]A is the neutral point
    assert Verifier("x", ED25519, right).holds(b"anything", signature)
    assert not Verifier("x", ED25519, number.to_bytes(32, "little")).holds(b"anything", signature)


def test_a_changed_text_is_refused() -> None:
    """One letter is enough."""
    note = sign("text\n", [LOG])
    with pytest.raises(BadNote, match="does not fit the text"):
        verified(Note("Text\n", note.signatures), [LOG.verifier])


def test_the_id_of_a_key_is_checked() -> None:
    """A key that was copied wrongly is found when it is read, not when it is needed."""
    with pytest.raises(BadNote, match="says its id is 00000000"):
        read_verifier(GO_KEY.replace("c74f20a3", "00000000"))


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1),
    st.integers(1, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_a_checkpoint_survives_its_text(origin: str, size: int, root: bytes) -> None:
    """read(text(x)) == x."""
    checkpoint = Checkpoint(origin, size, root)
    assert read_checkpoint(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("log\n1\n", "three lines"),
        ("\n1\nAAAA\n", "is empty"),
        ("log\n01\nAAAA\n", "number of leaves; found '01'"),
        ("log\n-1\nAAAA\n", "number of leaves"),
        (f"log\n{2**63}\n{base64.b64encode(bytes(32)).decode()}\n", "number of leaves"),
        ("log\n1\nAAAA\n", "32 bytes; found 3"),
        ("log\n1\nAB==\n", "one right spelling"),
        ("log\n1\n%%%\n", "not base64"),
        (f"log\n0\n{base64.b64encode(bytes(32)).decode()}\n", "without leaves"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_the_reason(text: str, words: str) -> None:
    """Each line has one right form."""
    with pytest.raises(BadNote, match=words):
        read_checkpoint(text)


def test_a_trusted_key_of_another_log_does_not_count() -> None:
    """The name of the key must be the origin: else one trusted log could sign for another."""
    stranger = Signer("log.example/b", ED25519, bytes(32))
    data = format_note(sign(Checkpoint("log.example/a", 0, EMPTY_ROOT).text(), [stranger]))
    with pytest.raises(BadNote, match="no trusted key signed"):
        open_checkpoint(data, [stranger.verifier])


def hashes(count: int, salt: bytes = b"") -> list[bytes]:
    return [salt + bytes(32 - len(salt) - 4) + number.to_bytes(4, "big") for number in range(count)]


def signed(leaves: list[bytes], signers: tuple[Signer, ...] = (LOG,)) -> bytes:
    return format_note(sign(Checkpoint(LOG.name, len(leaves), root_of(leaves)).text(), signers))


def proof(leaves: list[bytes], old: int) -> tuple[bytes, ...]:
    return consistency_proof(
        old, len(leaves), lambda level, number: root_of(leaves[number << level : (number + 1) << level])
    )


def test_a_witness_follows_a_log_that_only_grows() -> None:
    """It co-signs, remembers, co-signs the continuation; a reader who knows its key sees when."""
    first = cosign(signed(hashes(5)), [LOG.verifier], None, (), WITNESS, 1_000)
    seen = last_seen(format_note(first), WITNESS)
    assert seen.size == 5
    second = cosign(signed(hashes(9)), [LOG.verifier], seen, proof(hashes(9), 5), WITNESS, 2_000)
    assert [(item.witness, item.at_s) for item in cosignatures(second, [WITNESS.verifier])] == [
        (WITNESS.verifier, 2_000)
    ]
    assert verified(second, [LOG.verifier]) == (LOG.verifier,)
    again = cosign(format_note(second), [LOG.verifier], seen, proof(hashes(9), 5), WITNESS, 3_000)
    assert len(again.signatures) == 2


@pytest.mark.parametrize(
    ("now", "given_proof", "words"),
    [
        (hashes(4), (), "has shrunk: it had 5 leaves when it was last seen, and this checkpoint says 4"),
        (hashes(9, b"x"), proof(hashes(9, b"x"), 5), "of 9 leaves is not shown to continue the 5 that were seen"),
        (hashes(5, b"x"), (), "two logs of 5 leaves have different roots"),
        (hashes(9), (), "of 9 leaves is not shown to continue the 5"),
    ],
)
def test_a_witness_refuses_a_log_that_shrank_or_forked(
    now: list[bytes], given_proof: tuple[bytes, ...], words: str
) -> None:
    """And says which sizes disagree."""
    seen = Checkpoint(LOG.name, 5, root_of(hashes(5)))
    with pytest.raises(Forked, match=words):
        cosign(signed(now), [LOG.verifier], seen, given_proof, WITNESS, 1_000)


def test_a_witness_signs_only_logs_it_watches_and_only_with_a_witnesss_key() -> None:
    """A log's key would sign a text that a reader takes for a checkpoint of the log."""
    with pytest.raises(BadNote, match="no trusted key"):
        cosign(signed(hashes(5)), [OTHER.verifier], None, (), WITNESS, 1)
    with pytest.raises(BadNote, match="not a witness's key"):
        cosign(signed(hashes(5)), [LOG.verifier], None, (), LOG, 1)
    with pytest.raises(BadNote, match="signs checkpoints with a time"):
        WITNESS.sign("text\n")


def test_what_a_witness_remembers_bears_its_own_signature() -> None:
    """Else whoever can write that file can make it forget."""
    with pytest.raises(BadNote, match="does not bear its own co-signature"):
        last_seen(signed(hashes(5)), WITNESS)


def test_a_changed_time_is_refused() -> None:
    """The time is part of what the witness signs."""
    note = cosign(signed(hashes(5)), [LOG.verifier], None, (), WITNESS, 1_000)
    line = note.signatures[-1]
    later = Signature(line.name, line.key_id, (2_000).to_bytes(8, "big") + line.signature[8:])
    with pytest.raises(BadNote, match="does not fit"):
        cosignatures(Note(note.text, (later,)), [WITNESS.verifier])


def test_a_key_that_is_replaced_is_known_by_either() -> None:
    """While both sign, a reader who trusts the old key and one who trusts the new one both accept."""
    data = signed(hashes(3), (LOG, OTHER))
    for key in (LOG, OTHER):
        assert open_checkpoint(data, [key.verifier])[2] == (key.verifier,)


def test_a_key_has_its_form() -> None:
    """Every part of the line is checked."""
    for text, words in [
        ("a+b", "2 of 3 parts"),
        ("a b+00000000+AAAA", "no spaces"),
        ("a+0000000g+AAAA", "8 digits"),
        ("a+00000000+AAAA", "has 3 bytes"),
    ]:
        with pytest.raises(BadNote, match=words):
            read_verifier(text)
    with pytest.raises(BadNote, match="has type 9"):
        Verifier("a", 9, bytes(32))
