"""Documents by their digest: kept once, never replaced, never forged."""

import hashlib
import os
from pathlib import Path

import pytest

from headframe.errors import UnreadableInput
from headframe.stores import documents as module
from headframe.stores.documents import DamagedDocument, DocumentStore


@pytest.fixture
def store(tmp_path: Path) -> DocumentStore:
    """An empty store."""
    return DocumentStore(tmp_path / "documents")


def test_bytes_lie_under_their_digest(store: DocumentStore) -> None:
    """Two digits of folder, the rest of name; whoever can hash can find them without Headframe."""
    sha256 = store.keep(b"a letter")
    assert sha256 == hashlib.sha256(b"a letter").hexdigest()
    assert store.path_of(sha256) == store.folder / sha256[:2] / sha256[2:]
    assert store.path_of(sha256).read_bytes() == store.read(sha256) == b"a letter"
    assert list(store.digests()) == [sha256]


def test_a_file_is_copied_and_left_as_it_is(store: DocumentStore, tmp_path: Path) -> None:
    """Piece by piece; what is read is what is hashed."""
    path = tmp_path / "photo.jpg"
    data = bytes(range(256)) * 9_000
    path.write_bytes(data)
    sha256, size = store.keep_file(path)
    assert (sha256, size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert path.read_bytes() == store.read(sha256) == data


def test_the_same_bytes_twice_are_one_document(store: DocumentStore) -> None:
    """And nothing is written over."""
    sha256 = store.keep(b"x")
    before = store.path_of(sha256).stat()
    assert store.keep(b"x") == sha256
    assert store.path_of(sha256).stat().st_ino == before.st_ino


def test_altered_bytes_are_never_given_and_never_replaced(store: DocumentStore) -> None:
    """Reading says so, and so does keeping the true bytes again: somebody has to look."""
    sha256 = store.keep(b"truth")
    store.path_of(sha256).write_bytes(b"lies!")
    with pytest.raises(DamagedDocument, match="altered or damaged"):
        store.read(sha256)
    with pytest.raises(DamagedDocument, match="altered or damaged"):
        store.keep(b"truth")
    assert store.path_of(sha256).read_bytes() == b"lies!"


def test_a_full_disk_leaves_nothing(store: DocumentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name without its bytes."""
    store.keep(b"first")

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            store.keep(b"second")
    assert hashlib.sha256(b"second").hexdigest() not in store
    assert [path.name for path in store.folder.iterdir() if path.name.startswith(".")] == []
    assert store.read(store.keep(b"second")) == b"second"


def test_bytes_are_on_the_disk_before_they_have_their_name(
    store: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flush, name, flush of the folder: in this order."""
    done: list[str] = []
    link, fsync = os.link, os.fsync

    def linked(source: Path, target: Path) -> None:
        done.append("name")
        link(source, target)

    def flushed(file: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{file}") else "bytes")
        fsync(file)

    monkeypatch.setattr(module.os, "link", linked)
    monkeypatch.setattr(module.os, "fsync", flushed)
    store.keep(b"x")
    assert done == ["bytes", "name", "folder", "folder"]


def test_what_is_gone_says_where_to_look(store: DocumentStore) -> None:
    """Destroyed by retention, or another workspace's."""
    sha256 = store.keep(b"x")
    assert store.destroy(sha256)
    assert not store.destroy(sha256)
    with pytest.raises(UnreadableInput, match="headframe retention certificates"):
        store.read(sha256)


@pytest.mark.parametrize("name", ["", "abc", "A" * 64, "../" + "0" * 61, "0" * 65])
def test_a_name_that_is_no_digest_leads_nowhere(store: DocumentStore, name: str) -> None:
    """No path is made of what somebody typed."""
    with pytest.raises(ValueError, match="64 hex digits"):
        store.path_of(name)


def test_a_file_that_cannot_be_read_is_said(store: DocumentStore, tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(UnreadableInput, match=r"nothing\.pdf: cannot be read"):
        store.keep_file(tmp_path / "nothing.pdf")
