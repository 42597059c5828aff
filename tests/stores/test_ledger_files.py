"""The ledger in a folder: append, read, prove, recover, refuse."""

import contextlib
import os
import threading
from pathlib import Path
from random import Random
from typing import Any

import pytest
from stores.ledger_faults import SIGNER, Told, append, assert_log_sound

from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.checkpoint import Checkpoint, read_checkpoint
from headframe.ledger.leaf import BadLeaf
from headframe.ledger.merkle import check_consistency, check_inclusion, leaf_hash, root_of
from headframe.ledger.note import COSIGNATURE, BadNote, Signer, format_note, parse_note, sign
from headframe.ledger.store import BadLedger, LedgerNotWritten
from headframe.ledger.tiles import ENTRIES, Tile
from headframe.ledger.witness import cosign
from headframe.stores import ledger_files
from headframe.stores.ledger_files import Ledger, LedgerReader, workspace_ledger
from headframe.stores.ledger_keys import new_key, read_keys, read_verifiers, write_keys


def leaves_of(count: int, seed: int = 0) -> list[bytes]:
    random = Random(seed)
    return [random.randbytes(random.randint(12, 200)) for _ in range(count)]


@pytest.fixture
def empty_log(tmp_path: Path) -> Ledger:
    return Ledger.create(tmp_path / "ledger", [SIGNER])


@pytest.mark.parametrize("sizes", [[1], [255, 1, 1], [256], [257], [100, 200, 300, 400], [66_000, 1, 535]])
def test_what_is_appended_is_there_and_proved(empty_log: Ledger, sizes: list[int]) -> None:
    """Around full tiles, over several commits, and into the third level of tiles."""
    told = Told()
    for number, size in enumerate(sizes):
        append(empty_log, told, leaves_of(size, number))
    assert_log_sound(empty_log, told)
    assert_log_sound(Ledger(empty_log.folder, [SIGNER]), told)
    assert empty_log.checkpoint.root == root_of([leaf_hash(leaf) for leaf in told.leaves])


def test_every_older_size_can_be_proved_later(empty_log: Ledger) -> None:
    """Inclusion and consistency from the tiles of today."""
    leaves = leaves_of(700)
    roots = {}
    for start in range(0, 700, 35):
        empty_log.append(leaves[start : start + 35])
        roots[empty_log.size] = empty_log.checkpoint.root
    for size, root in roots.items():
        assert empty_log.root_at(size) == root
        proof = empty_log.consistency_proof(size)
        check_consistency(size, root, 700, empty_log.checkpoint.root, proof)
        for index in (0, size // 3, size - 1):
            proof = empty_log.inclusion_proof(index, size)
            check_inclusion(index, size, leaf_hash(leaves[index]), proof, root)


def test_asking_again_gives_the_same_place(empty_log: Ledger) -> None:
    """A leaf is not there twice, whether it was this program or another that appended it."""
    first = leaves_of(5)
    assert empty_log.append(first) == (0, 1, 2, 3, 4)
    assert empty_log.append([first[2], b"new", b"new"]) == (2, 5, 5)
    other = Ledger(empty_log.folder, [SIGNER])
    assert other.append([b"theirs"]) == (6,)
    assert empty_log.append([b"theirs", b"ours"]) == (6, 7)
    late = Ledger(empty_log.folder, [SIGNER])
    assert late.append_once([*first, b"theirs", b"last"]) == (0, 1, 2, 3, 4, 6, 8)
    assert late.find([b"nowhere", b"ours"]) == {b"ours": 7}
    many = leaves_of(40, 7)
    places = late.append(many)
    assert late.find([b"nowhere", *many]) == dict(zip(many, places, strict=True))


def test_two_programs_append_in_turn(tmp_path: Path) -> None:
    """Each sees what the other did; nothing is lost, nothing is written over."""
    Ledger.create(tmp_path / "ledger", [SIGNER])
    given: dict[int, bytes] = {}
    guard = threading.Lock()

    def work(number: int) -> None:
        ledger = Ledger(tmp_path / "ledger", [SIGNER])
        for turn in range(15):
            leaves = [b"%d %d %d" % (number, turn, place) for place in range(1 + turn % 30)]
            places = ledger.append(leaves)
            with guard:
                assert not given.keys() & set(places)
                given.update(zip(places, leaves, strict=True))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ledger = Ledger(tmp_path / "ledger", [SIGNER])
    assert list(ledger.entries()) == [given[place] for place in range(len(given))]
    ledger.check_all()


def test_readers_take_no_lock_and_are_never_led_astray(tmp_path: Path) -> None:
    """A reader proves what it has seen while somebody else appends and removes superseded tiles."""
    ledger = Ledger.create(tmp_path / "ledger", [SIGNER])
    ledger.append(leaves_of(3))
    reader = LedgerReader(tmp_path / "ledger", [SIGNER.verifier])
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            ledger.append([b"%d" % (number + more) for more in range(number % 40 + 1)])
            number += 41

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(150):
            if turn % 10 == 0:
                reader.refresh()
            size = reader.size
            index = (turn * 37) % size
            leaf = reader.entry(index)
            root = reader.root_at(size)
            check_inclusion(index, size, leaf_hash(leaf), reader.inclusion_proof(index, size), root)
    finally:
        stop.set()
        writer.join()
    reader.check_all()


def test_what_a_dead_writer_left_is_set_aside_and_said(empty_log: Ledger) -> None:
    """Beyond the checkpoint lies what was never acknowledged."""
    empty_log.append(leaves_of(300))
    beyond = empty_log.folder / Tile(0, 1, 99).path()
    beyond.write_bytes(b"torn")
    (empty_log.folder / Tile(ENTRIES, 2).path()).write_bytes(b"")
    ledger = Ledger(empty_log.folder, [SIGNER])
    assert len(ledger.remarks) == 1
    assert "nothing of it was acknowledged" in ledger.remarks[0]
    assert (ledger.folder / "set-aside" / Tile(0, 1, 99).path()).read_bytes() == b"torn"
    told = Told()
    told.leaves = leaves_of(300)
    assert_log_sound(ledger, told)


def test_a_running_writer_finds_what_another_left_meanwhile(empty_log: Ledger) -> None:
    """It does not read the folder before each append; a name that is taken makes it look."""
    empty_log.append(leaves_of(10))
    (empty_log.folder / Tile(0, 0, 11).path()).write_bytes(b"left")
    empty_log.append([b"eleventh"])
    told = Told()
    told.leaves = [*leaves_of(10), b"eleventh"]
    assert_log_sound(empty_log, told)


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("tile", [Tile(0, 1, 44), Tile(1, 0, 1), Tile(ENTRIES, 1, 44)])
def test_what_contradicts_the_checkpoint_is_refused_and_never_repaired(empty_log: Ledger, tile: Tile) -> None:
    """Changed, cut off, or gone: opening says so, and touches nothing."""
    empty_log.append(leaves_of(300))
    path = empty_log.folder / tile.path()
    good = path.read_bytes()
    for damage in (lambda: flip(path), lambda: path.write_bytes(good[:-1]), path.unlink):
        damage()
        before = sorted(item.relative_to(empty_log.folder) for item in empty_log.folder.rglob("*"))
        with pytest.raises(BadLedger, match="restore the folder from a copy"):
            Ledger(empty_log.folder, [SIGNER])
        assert sorted(item.relative_to(empty_log.folder) for item in empty_log.folder.rglob("*")) == before
        path.write_bytes(good)
    Ledger(empty_log.folder, [SIGNER])


@pytest.mark.parametrize("tile", [Tile(0, 0), Tile(ENTRIES, 0), Tile(ENTRIES, 1, 44), Tile(0, 1, 44), Tile(1, 0, 1)])
def test_a_check_of_the_whole_log_finds_every_changed_bit(empty_log: Ledger, tile: Tile) -> None:
    """Also in tiles that opening does not read."""
    empty_log.append(leaves_of(300))
    reader = LedgerReader(empty_log.folder, [SIGNER.verifier])
    assert reader.check_all().size == 300
    for at in (0, 1, -1):
        flip(empty_log.folder / tile.path(), at)
        with pytest.raises(BadLedger):
            reader.check_all()
        flip(empty_log.folder / tile.path(), at)
    reader.check_all()


def test_a_changed_leaf_is_not_given_out(empty_log: Ledger) -> None:
    """Each leaf is compared with its hash when it is read."""
    empty_log.append(leaves_of(10))
    flip(empty_log.folder / Tile(ENTRIES, 0, 10).path())
    reader = LedgerReader(empty_log.folder, [SIGNER.verifier])
    assert list(reader.entries(0, 9)) == leaves_of(10)[:9]
    with pytest.raises(BadLedger, match=r"leaf 9 in tile/entries/000.p/10 is not the one"):
        reader.entry(9)


def test_an_older_copy_in_its_place_is_noticed_by_who_has_it_open(empty_log: Ledger) -> None:
    """A log does not shrink."""
    empty_log.append(leaves_of(3))
    old = (empty_log.folder / "checkpoint").read_bytes()
    empty_log.append(leaves_of(3, 1))
    (empty_log.folder / "checkpoint").write_bytes(old)
    with pytest.raises(BadLedger, match=r"said 6 leaves .* now says 3"):
        empty_log.append([b"more"])


def test_a_checkpoint_of_another_key_is_refused(empty_log: Ledger) -> None:
    """A forged log needs the key."""
    empty_log.append(leaves_of(3))
    forger = Signer(SIGNER.name, SIGNER.kind, bytes(32))
    text = Checkpoint(SIGNER.name, 3, empty_log.checkpoint.root).text()
    (empty_log.folder / "checkpoint").write_bytes(format_note(sign(text, [forger])))
    with pytest.raises(BadNote, match="no trusted key signed"):
        Ledger(empty_log.folder, [SIGNER])


def test_no_log_and_the_remains_of_one(tmp_path: Path, empty_log: Ledger) -> None:
    """Nothing is begun over what is there."""
    with pytest.raises(UnreadableInput, match="there is no ledger in"):
        Ledger(tmp_path / "nowhere", [SIGNER])
    with pytest.raises(HeadframeError, match=r"there is a ledger in .* already"):
        Ledger.create(empty_log.folder, [SIGNER])
    empty_log.append([b"a"])
    (empty_log.folder / "checkpoint").unlink()
    with pytest.raises(BadLedger, match="has tiles and no checkpoint"):
        Ledger.create(empty_log.folder, [SIGNER])


@pytest.mark.parametrize("leaf", [b"", bytes(65_536)])
def test_a_leaf_that_the_log_cannot_take_is_refused_and_the_others_with_it(empty_log: Ledger, leaf: bytes) -> None:
    """All or nothing."""
    with pytest.raises(BadLeaf, match="leaf 1 of 2 has"):
        empty_log.append([b"good", leaf])
    assert empty_log.size == 0
    assert empty_log.append([b"good", bytes(65_535)]) == (0, 1)


def test_a_folder_that_cannot_be_written_says_so(empty_log: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, without a traceback; the log is as it was."""
    empty_log.append([b"a"])

    def refuse(*_args: object) -> int:
        raise PermissionError(13, os.strerror(13))

    with monkeypatch.context() as patch:
        patch.setattr(empty_log.store.disk, "create", refuse)
        with pytest.raises(LedgerNotWritten, match=r"not be written: Permission denied\. Nothing was acknowledged"):
            empty_log.append([b"b"])
    assert empty_log.append([b"b"]) == (1,)


def test_places_outside_the_log(empty_log: Ledger) -> None:
    """The message says what there is."""
    empty_log.append([b"a"])
    with pytest.raises(HeadframeError, match="the log has 1 leaves"):
        empty_log.entry(1)
    with pytest.raises(HeadframeError, match="leaf 5 is not among the 1 leaves"):
        empty_log.inclusion_proof(5)
    with pytest.raises(HeadframeError, match="has not had 9 yet"):
        empty_log.root_at(9)
    assert empty_log.append([]) == ()


def test_a_large_append_is_several_commits(empty_log: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """It bounds what a dead writer can leave, and with it the search for that."""
    monkeypatch.setattr(ledger_files, "LARGEST_COMMIT", 100)
    places = empty_log.append(leaves_of(950))
    assert places == tuple(range(950))
    empty_log.check_all()


def test_a_key_is_replaced_with_both_signing_for_a_time(empty_log: Ledger) -> None:
    """Who knows the old key and who knows the new one can both check; then the old one stops."""
    new = new_key(SIGNER.name, Random(3).randbytes)
    empty_log.append([b"the new key is ..."])
    empty_log.sign_again([SIGNER, new])
    empty_log.append([b"signed by both"])
    for key in (SIGNER, new):
        assert LedgerReader(empty_log.folder, [key.verifier]).size == 2
    empty_log.sign_again([new])
    empty_log.append([b"signed by the new one"])
    assert LedgerReader(empty_log.folder, [new.verifier]).size == 3
    with pytest.raises(BadNote):
        LedgerReader(empty_log.folder, [SIGNER.verifier])
    with pytest.raises(HeadframeError, match="have its name"):
        empty_log.sign_again([Signer("another", SIGNER.kind, bytes(32))])


def test_a_co_signed_checkpoint_is_kept_if_it_is_this_logs(empty_log: Ledger, tmp_path: Path) -> None:
    """The newest stays."""
    witness = Signer("w", COSIGNATURE, bytes(32))
    notes = []
    for number in range(2):
        empty_log.append(leaves_of(3, number))
        notes.append(format_note(cosign(empty_log.note, empty_log.keys, None, (), witness, 100 + number)))
    assert empty_log.witnessed() is None
    empty_log.keep_witnessed(notes[1], [witness.verifier])
    empty_log.keep_witnessed(notes[0], [witness.verifier])
    assert empty_log.witnessed() == notes[1]
    fork = Ledger.create(tmp_path / "fork", [SIGNER])
    fork.append([b"other"])
    with pytest.raises(BadLedger, match="has another root"):
        empty_log.keep_witnessed(fork.note, [witness.verifier])


def test_of_each_witness_the_largest_is_kept(empty_log: Ledger, tmp_path: Path) -> None:
    """Each under the checkpoint that it signed; what says nothing new goes, and what nobody signed is refused."""
    one, two, three = (Signer(f"w{number}", COSIGNATURE, bytes([number]) * 32) for number in range(3))
    notes = []
    for number in range(4):
        empty_log.append(leaves_of(3, number))
        notes.append(empty_log.note)

    def keep(place: int, *witnesses: Signer) -> bool:
        note = notes[place]
        for witness in witnesses:
            note = format_note(cosign(note, empty_log.keys, None, (), witness, 100))
        return empty_log.keep_witnessed(note, [one.verifier, two.verifier, three.verifier])

    def kept() -> list[tuple[int, list[str]]]:
        again = LedgerReader(empty_log.folder, empty_log.keys)
        found = [parse_note(note) for note in again.every_witnessed()]
        assert again.witnessed() == (again.every_witnessed() or (None,))[0]
        return [
            (read_checkpoint(note.text).size // 3, sorted(line.name for line in note.signatures[1:])) for note in found
        ]

    with pytest.raises(HeadframeError, match="no witness has co-signed this checkpoint of 3 leaves"):
        keep(0)
    assert keep(1, one)
    assert keep(0, two), "smaller, and of another witness"
    assert kept() == [(2, ["w0"]), (1, ["w1"])]
    assert not keep(0, two), "again"
    assert keep(0, one)
    assert kept() == [(2, ["w0"]), (1, ["w0", "w1"])], "a line more under one that is kept anyway"
    assert keep(1, two), "after the log has grown: both under one checkpoint"
    assert kept() == [(2, ["w0", "w1"])]
    assert not keep(0, one), "both have signed a larger one"
    assert keep(2, one)
    assert keep(3, three)
    assert kept() == [(4, ["w2"]), (3, ["w0"]), (2, ["w0", "w1"])]
    assert keep(3, one, two)
    assert kept() == [(4, ["w0", "w1", "w2"])]
    assert not list((empty_log.folder / "witnessed-before").iterdir())


def test_only_what_a_named_witness_has_signed_is_kept(empty_log: Ledger) -> None:
    """A forged line would make every bundle be refused by those who know that witness; others' lines are nobody's."""
    known, other = (Signer(name, COSIGNATURE, name[:1].encode() * 32) for name in ("known", "other"))
    empty_log.append(leaves_of(3, 0))
    good = format_note(cosign(empty_log.note, empty_log.keys, None, (), known, 100))
    line = good.splitlines(keepends=True)[-1]
    empty_log.append(leaves_of(3, 1))
    forged = empty_log.note + line
    of_another = format_note(cosign(empty_log.note, empty_log.keys, None, (), other, 100))
    for note, named, words in (
        (forged, [known], "the co-signature of known.* does not fit"),
        (forged, [other], "no witness that is named here has co-signed this checkpoint of 6 leaves"),
        (of_another + line, [known, other], "the co-signature of known.* does not fit"),
        (of_another, [known], f"its lines say other.{other.verifier.key_id.hex()}.*name-witness"),
        (good, [], "no witness that is named here"),
    ):
        with pytest.raises(HeadframeError, match=words):
            empty_log.keep_witnessed(note, [one.verifier for one in named])
        assert empty_log.every_witnessed() == ()
    with pytest.raises(HeadframeError, match="no witness that is named here"):
        empty_log.keep_witnessed(good, empty_log.keys)
    # Who is not named, and a key of the log that nobody here knows, go; what was signed stays as it was.
    false = Signer(SIGNER.name, COSIGNATURE, bytes([7]) * 32)
    more = format_note(cosign(of_another, empty_log.keys, None, (), known, 100))
    more = format_note(cosign(more, empty_log.keys, None, (), false, 100))
    assert empty_log.keep_witnessed(more, [known.verifier])
    (kept,) = empty_log.every_witnessed()
    assert [line.name for line in parse_note(kept).signatures] == [SIGNER.name, "known"]


def test_forged_lines_of_an_older_version_go(empty_log: Ledger) -> None:
    """When their witness is named, and when the next checkpoint is kept; what others have signed stays."""
    known, other = (Signer(name, COSIGNATURE, name[:1].encode() * 32) for name in ("known", "other"))
    empty_log.append(leaves_of(3, 0))
    good = format_note(cosign(empty_log.note, empty_log.keys, None, (), known, 100))
    of_another = format_note(cosign(empty_log.note, empty_log.keys, None, (), other, 100))
    line = good.splitlines(keepends=True)[-1]
    empty_log.append(leaves_of(3, 1))
    place = empty_log.folder / "witnessed"
    place.write_bytes(empty_log.note + line)
    empty_log.forget_forged([other.verifier])
    assert place.read_bytes() == empty_log.note + line, "nobody can tell yet"
    empty_log.forget_forged([known.verifier])
    assert empty_log.every_witnessed() == ()
    place.write_bytes(empty_log.note + line)
    assert empty_log.keep_witnessed(of_another, [known.verifier, other.verifier])
    assert empty_log.every_witnessed() == (of_another,)


@pytest.mark.parametrize("operation", range(14))
def test_no_witness_is_lost_where_keeping_breaks_off(
    empty_log: Ledger, monkeypatch: pytest.MonkeyPatch, operation: int
) -> None:
    """At whichever operation on the disk: what was kept is there, and keeping it again ends well."""
    one, two = (Signer(f"w{number}", COSIGNATURE, bytes([number]) * 32) for number in range(2))
    empty_log.append(leaves_of(3, 0))
    first = format_note(cosign(empty_log.note, empty_log.keys, None, (), one, 100))
    empty_log.keep_witnessed(first, [one.verifier])
    empty_log.append(leaves_of(3, 1))
    second = format_note(cosign(empty_log.note, empty_log.keys, None, (), two, 100))
    disk, left = empty_log.store.disk, operation
    for name in ("create", "write", "sync", "rename", "remove", "make_folder", "sync_folder"):
        real = getattr(disk, name)

        def counted(*arguments: Any, real: Any = real) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(28, "No space left on device")
            return real(*arguments)

        monkeypatch.setattr(disk, name, counted)
    with contextlib.suppress(HeadframeError, OSError):
        empty_log.keep_witnessed(second, [one.verifier, two.verifier])
    left = 1_000
    assert first in LedgerReader(empty_log.folder, empty_log.keys).every_witnessed()
    empty_log.keep_witnessed(second, [one.verifier, two.verifier])
    assert LedgerReader(empty_log.folder, empty_log.keys).every_witnessed() == (second, first)


def test_a_workspace_has_one_ledger_and_its_key(tmp_path: Path) -> None:
    """Begun once, found again; the key is for its account alone."""
    ledger = workspace_ledger(tmp_path)
    ledger.append([b"a"])
    key_file = tmp_path / "keys" / "ledger.key"
    assert key_file.stat().st_mode & 0o777 == 0o600
    again = workspace_ledger(tmp_path)
    assert (again.size, again.signers) == (1, ledger.signers)
    assert ledger.checkpoint.origin.startswith("headframe/")
    key_file.chmod(0o640)
    with pytest.raises(HeadframeError, match=r"mode 640.*Run chmod 600"):
        workspace_ledger(tmp_path)
    key_file.unlink()
    with pytest.raises(HeadframeError, match="has no private key"):
        workspace_ledger(tmp_path)


def test_keys_in_files(tmp_path: Path) -> None:
    """Private keys as they were written; public keys as a line or a file of lines; else words."""
    keys = [new_key("a/b", Random(seed).randbytes) for seed in range(2)]
    write_keys(tmp_path / "keys" / "k", keys)
    assert read_keys(tmp_path / "keys" / "k") == tuple(keys)
    lines = tmp_path / "pub"
    lines.write_text("# ours\n" + "".join(f"{key.verifier.text()}\n" for key in keys))
    assert read_verifiers([str(lines)]) == read_verifiers([key.verifier.text() for key in keys])
    for given, words in [
        ("nowhere", "neither a public key .* nor a file"),
        ("a+b+c", "not a public key"),
        (str(tmp_path), "Is a directory"),
    ]:
        with pytest.raises(HeadframeError, match=words):
            read_verifiers([given])
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(HeadframeError, match="holds no public key"):
        read_verifiers([str(tmp_path / "empty")])
