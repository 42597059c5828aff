"""A file is replaced whole, or not at all."""

import os
from pathlib import Path

import pytest

from headframe.stores.durable import flush_folder, replacing


def test_the_new_file_stands_in_the_place_of_the_old_one(tmp_path: Path) -> None:
    """With its permissions; nothing else is left in the folder."""
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path, mode=0o600) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("fault", [OSError, KeyboardInterrupt])
def test_what_fails_on_the_way_changes_nothing(tmp_path: Path, fault: type[BaseException]) -> None:
    """Neither the old file nor the folder."""
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(fault), replacing(path) as file:
        file.write(b"new")
        raise fault
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_what_a_crash_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    """The other name is used again."""
    (tmp_path / ".file.new").write_text("half of some")
    with replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


def test_bytes_are_flushed_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a crash could show an empty file under the name."""
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(number: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{number}") else "file")
        fsync(number)

    def noted_replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    with replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert done == ["file", "rename", "folder"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By the system's own error."""
    with pytest.raises(FileNotFoundError):
        flush_folder(tmp_path / "none")
