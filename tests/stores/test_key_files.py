"""Keys of a workspace: nobody else may read them, none stands in for another, and no crash loses or doubles one."""

import contextlib
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.errors import HeadframeError, UnreadableInput
from headframe.stores import key_files
from headframe.stores.key_files import MASTER_FILE, KeyGone, Keyring
from tests.dying import Crash, Operation, dying

OPERATIONS = (Operation(os, "fsync"), Operation(os, "link"), Operation(Path, "replace"), Operation(Path, "unlink"))
"""What changes the folder."""


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keys")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_once_and_read_again(keys: Keyring) -> None:
    """Random, 256 bits, the same for every reader, in files of their owner; and not in clear in them."""
    one, two = keys.make("contacts", "a"), keys.make("contacts", "b")
    assert len(one) == len(two) == 32
    assert one != two
    assert Keyring(keys.folder).key("contacts", "a") == one
    assert set(keys.names("contacts")) == {"a", "b"}
    with pytest.raises(FileExistsError):
        keys.make("contacts", "a")
    assert keys.key("contacts", "a") == one
    for folder in (keys.folder, keys.folder / "contacts"):
        assert mode_of(folder) == 0o700
    for file in (keys.folder / MASTER_FILE, keys.folder / "contacts" / "a.key"):
        assert mode_of(file) == 0o600
        assert one not in file.read_bytes()


def test_a_destroyed_key_is_gone(keys: Keyring) -> None:
    """Its bytes are overwritten before its name goes, and nobody can read it; destroying it twice does nothing."""
    keys.make("contacts", "a")
    path = keys.folder / "contacts" / "a.key"
    before = path.read_bytes()
    beside = path.with_suffix(".link")
    os.link(path, beside)  # what a second name of the same bytes still shows
    assert keys.destroy("contacts", "a")
    assert not path.exists()
    assert len(beside.read_bytes()) == len(before)
    assert before[12:40] not in beside.read_bytes()
    assert not keys.destroy("contacts", "a")
    with pytest.raises(KeyGone, match="cannot be read by anybody"):
        keys.key("contacts", "a")


def test_many_are_destroyed_at_once(keys: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each overwritten, those that were there are named, and none of the others is touched."""
    monkeypatch.setattr(key_files, "_BATCH", 2)
    kept = keys.make("contacts", "kept")
    for name in "abcde":
        keys.make("contacts", name)
    folder = keys.folder / "contacts"
    os.link(folder / "e.key", folder / "e.link")
    before = (folder / "e.link").read_bytes()
    assert keys.destroy_many("contacts", ["a", "b", "none", "e"]) == ("a", "b", "e")
    assert set(keys.names("contacts")) == {"c", "d", "kept"}
    assert before[12:40] not in (folder / "e.link").read_bytes()
    assert keys.key("contacts", "kept") == kept
    assert keys.destroy_many("contacts", ["a", "b"]) == ()


@pytest.mark.parametrize("step", range(1, 9))
def test_destroying_many_may_die_anywhere(tmp_path: Path, step: int) -> None:
    """Keys that were not asked for are whole, and a second call ends it."""
    keys = Keyring(tmp_path / "keys")
    kept = keys.make("contacts", "kept")
    for name in "abc":
        keys.make("contacts", name)
    with contextlib.suppress(Crash), dying(step, OPERATIONS):
        keys.destroy_many("contacts", "abc")
    again = Keyring(keys.folder)
    again.destroy_many("contacts", "abc")
    assert list(again.names("contacts")) == ["kept"]
    assert again.key("contacts", "kept") == kept
    assert again.rotate() == 1


def test_for_ever_means_for_ever(keys: Keyring) -> None:
    """A key that left its sign is not made again; another of that name without a sign may be."""
    keys.make("pseudonyms", "2026-11-03+30")
    keys.destroy("pseudonyms", "2026-11-03+30", for_ever=True)
    with pytest.raises(KeyGone, match="not made again"):
        keys.make("pseudonyms", "2026-11-03+30")
    assert list(keys.names("pseudonyms")) == []


@pytest.mark.parametrize("name", ["../workspace", "a/b", "", ".hidden", "a\0b", "x" * 100, "ключ"])
def test_no_name_leads_out_of_the_folder(keys: Keyring, name: str) -> None:
    """A key id comes from a database, and is not trusted as a path."""
    keys.make("contacts", "a")
    for call in (lambda: keys.key("contacts", name), lambda: keys.make("contacts", name)):
        with pytest.raises(KeyGone, match="no name of a key"):
            call()
    with pytest.raises(ValueError, match="no kind of key"):
        keys.key("..", "workspace")


def test_a_key_file_cannot_stand_in_for_another(keys: Keyring) -> None:
    """Folder and name are authenticated with the key."""
    keys.make("contacts", "a")
    keys.make("contacts", "b")
    folder = keys.folder / "contacts"
    (folder / "b.key").write_bytes((folder / "a.key").read_bytes())
    with pytest.raises(UnreadableInput, match="a key of another name"):
        keys.key("contacts", "b")


@given(st.integers(0, 71), st.integers(1, 255))
def test_every_changed_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, at: int, change: int) -> None:
    """A damaged key is said to be damaged; it is never used."""
    keys = Keyring(tmp_path_factory.mktemp("keys"))
    keys.make("contacts", "a")
    path = keys.folder / "contacts" / "a.key"
    data = bytearray(path.read_bytes())
    data[at] ^= change
    path.write_bytes(data)
    with pytest.raises(UnreadableInput):
        keys.key("contacts", "a")


def test_a_master_key_that_others_may_read_is_not_used(keys: Keyring) -> None:
    """With the command that closes it."""
    keys.make("contacts", "a")
    (keys.folder / MASTER_FILE).chmod(0o640)
    with pytest.raises(HeadframeError, match="chmod 600"):
        keys.key("contacts", "a")


def test_a_lost_master_key_is_not_replaced_in_silence(keys: Keyring) -> None:
    """A new one would open nothing; the message says what is missing and where it should be."""
    keys.make("contacts", "a")
    (keys.folder / MASTER_FILE).unlink()
    with pytest.raises(UnreadableInput, match="restore it from the backup"):
        keys.make("contacts", "b")
    with pytest.raises(UnreadableInput, match="restore it from the backup"):
        keys.key("contacts", "a")
    (keys.folder / MASTER_FILE).write_bytes(b"nonsense")
    (keys.folder / MASTER_FILE).chmod(0o600)
    with pytest.raises(UnreadableInput, match="damaged, or no master key"):
        keys.key("contacts", "a")


def test_a_master_key_of_another_backup_is_said(keys: Keyring, tmp_path: Path) -> None:
    """Keys and master key belong together."""
    keys.make("contacts", "a")
    other = Keyring(tmp_path / "other")
    other.make("contacts", "a")
    (keys.folder / MASTER_FILE).write_bytes((other.folder / MASTER_FILE).read_bytes())
    with pytest.raises(UnreadableInput, match="another master key"):
        keys.key("contacts", "a")


def test_rotation_changes_every_file_and_no_key(keys: Keyring) -> None:
    """The old master key opens nothing any more, and is nowhere."""
    made = {name: keys.make("contacts", name) for name in "abc"} | {"e": keys.make("pseudonyms", "e")}
    files = {path: path.read_bytes() for path in keys.folder.rglob("*.key")}
    old = (keys.folder / MASTER_FILE).read_bytes()
    assert keys.rotate() == 4
    assert all(path.read_bytes() != data for path, data in files.items())
    assert {name: keys.key("contacts", name) for name in "abc"} | {"e": keys.key("pseudonyms", "e")} == made
    assert sorted(os.listdir(keys.folder)) == [".lock", "contacts", "pseudonyms", MASTER_FILE]
    (keys.folder / MASTER_FILE).write_bytes(old)
    with pytest.raises(UnreadableInput, match="another master key"):
        keys.key("contacts", "a")


def test_a_key_that_was_half_destroyed_does_not_hide(keys: Keyring) -> None:
    """A rotation says which one it is and what to do; nothing is lost, and it goes on when that is done."""
    kept = keys.make("contacts", "kept")
    keys.make("contacts", "half")
    path = keys.folder / "contacts" / "half.key"
    path.write_bytes(os.urandom(40) + path.read_bytes()[40:])
    with pytest.raises(UnreadableInput, match=r"half\.key is damaged.*headframe keys tidy"):
        keys.rotate()
    assert keys.key("contacts", "kept") == kept
    assert not keys.is_whole("contacts", "half")
    keys.destroy("contacts", "half")
    keys.rotate()
    assert keys.key("contacts", "kept") == kept
    assert keys.is_whole("contacts", "kept")
    assert not keys.is_whole("contacts", "half")


def test_without_keys_there_is_nothing_to_rotate(keys: Keyring) -> None:
    """Words, and no folder that was not there."""
    with pytest.raises(HeadframeError):
        keys.rotate()
    assert not keys.folder.exists()


@pytest.mark.parametrize("step", range(1, 40))
def test_a_rotation_may_die_anywhere(tmp_path: Path, step: int) -> None:
    """Every key can be read at once, new ones can be made, and the next rotation goes on and tidies up."""
    keys = Keyring(tmp_path / "keys")
    made = {name: keys.make("contacts", name) for name in "abc"}
    old = (keys.folder / MASTER_FILE).read_bytes()
    with dying(step, OPERATIONS) as seen:
        died = False
        try:
            keys.rotate()
        except Crash:
            died = True
    assert died == (seen() >= step)
    again = Keyring(keys.folder)
    assert {name: again.key("contacts", name) for name in "abc"} == made
    made["d"] = again.make("contacts", "d")
    again.rotate()
    assert {name: again.key("contacts", name) for name in "abcd"} == made
    assert [name for name in os.listdir(keys.folder) if name.startswith("workspace")] == [MASTER_FILE]
    assert (keys.folder / MASTER_FILE).read_bytes() != old


def test_the_crashes_cover_a_whole_rotation(tmp_path: Path) -> None:
    """The numbers above reach beyond its last step."""
    keys = Keyring(tmp_path / "keys")
    for name in "abc":
        keys.make("contacts", name)
    with dying(10**9, OPERATIONS) as seen:
        keys.rotate()
    assert 15 < seen() < 39


@pytest.mark.parametrize("step", range(1, 8))
def test_making_a_key_may_die_anywhere(tmp_path: Path, step: int) -> None:
    """Afterwards there is a whole key or none; a half one is never read, and destroying takes what was left along."""
    keys = Keyring(tmp_path / "keys")
    keys.make("contacts", "first")
    with dying(step, OPERATIONS):
        try:
            made = keys.make("contacts", "a")
        except Crash:
            made = None
    again = Keyring(keys.folder)
    try:
        assert again.key("contacts", "a") == (made or again.key("contacts", "a"))
    except KeyGone:
        assert made is None
    again.destroy("contacts", "a")
    assert [name for name in os.listdir(keys.folder / "contacts") if "a" in name.split(".")] == []


def test_two_who_make_the_same_key_get_one(tmp_path: Path) -> None:
    """One of them is told that it is there; nobody's key is replaced."""
    keys = Keyring(tmp_path / "keys")
    keys.make("contacts", "first")
    made: list[bytes] = []
    refused: list[FileExistsError] = []

    def make() -> None:
        try:
            made.append(Keyring(keys.folder).make("pseudonyms", "e"))
        except FileExistsError as fault:
            refused.append(fault)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(refused) == 7
    assert keys.key("pseudonyms", "e") == made[0]


def test_who_waits_too_long_is_told(keys: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation holds the lock alone; a reader waits, and then says for what."""
    keys.make("contacts", "a")
    monkeypatch.setattr(key_files, "LOCK_TIMEOUT_S", 0.05)
    with keys._locked(shared=False), pytest.raises(HeadframeError, match="a rotation"):
        Keyring(keys.folder).key("contacts", "a")


def test_a_batch_is_there_when_it_ends(keys: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its keys, whatever its size; none where it ends with a fault; none twice."""
    monkeypatch.setattr(key_files, "_BATCH", 3)
    with keys.batch():
        made = {f"k{n}": keys.make("contacts", f"k{n}") for n in range(8)}
        assert list(keys.names("contacts")) == []
        with pytest.raises(FileExistsError):
            keys.make("contacts", "k0")
    again = Keyring(keys.folder)
    assert {name: again.key("contacts", name) for name in again.names("contacts")} == made
    with pytest.raises(ValueError, match="not this time"), keys.batch():
        keys.make("contacts", "lost")
        raise ValueError("not this time")
    assert set(keys.names("contacts")) == set(made)
    with keys.batch():
        pass
    assert keys.make("contacts", "alone") == again.key("contacts", "alone"), "after a batch, one at a time again"


@pytest.mark.parametrize("step", range(1, 16))
def test_a_batch_may_die_anywhere(tmp_path: Path, step: int) -> None:
    """Each key is whole or not there, and the next batch takes the names that are free."""
    keys = Keyring(tmp_path / "keys")
    keys.make("contacts", "first")
    with dying(step, OPERATIONS) as seen:
        try:
            with keys.batch():
                made = {name: keys.make("contacts", name) for name in "abc"}
        except Crash:
            assert seen() >= step
        else:
            assert set(keys.names("contacts")) == {"first", *"abc"}
    again = Keyring(keys.folder)
    for name in set(again.names("contacts")) - {"first"}:
        assert again.key("contacts", name) == made[name]
    for name in "abc":
        again.destroy("contacts", name)
        again.make("contacts", name)
    again.rotate()
    assert set(again.names("contacts")) == {"first", *"abc"}


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["make", "destroy", "rotate"]), max_size=12), st.data())
def test_any_order_of_acts(tmp_path_factory: pytest.TempPathFactory, acts: list[str], data: st.DataObject) -> None:
    """The folder agrees with a dictionary, whatever is done to both."""
    keys = Keyring(tmp_path_factory.mktemp("keys"))
    known: dict[str, bytes] = {"z": keys.make("contacts", "z")}
    for act in acts:
        name = data.draw(st.sampled_from("abc"))
        if act == "rotate":
            assert keys.rotate() == len(known)
        elif act == "destroy":
            assert keys.destroy("contacts", name) == (known.pop(name, None) is not None)
        elif name not in known:
            known[name] = keys.make("contacts", name)
    assert {name: keys.key("contacts", name) for name in keys.names("contacts")} == known
