"""Faults against the ledger: what was acknowledged is never lost, what was not is never half there.

`bench/faults.py` injects a thousand; here is a sample of each kind.
"""

import os
import subprocess
from pathlib import Path

import pytest
from stores.ledger_faults import SmallDisk, crash_once, fail_once, fill_once, kill_once

from headframe.errors import HeadframeError
from headframe.stores.disk import Disk
from headframe.stores.ledger_files import FolderStore


@pytest.mark.parametrize("tens", range(9))
def test_power_lost_at_any_operation(tens: int) -> None:
    """Unsynced writes lost, torn, out of order; names not there; and again in the middle of putting it right."""
    for seed in range(10_000 + tens * 10, 10_000 + tens * 10 + 10):
        assert crash_once(seed).startswith("crash"), f"seed {seed}"


@pytest.mark.parametrize("tens", range(3))
def test_an_operation_that_fails(tens: int) -> None:
    """EIO, ENOSPC, EDQUOT at any write, fsync or rename; the same program goes on, and asks again."""
    for seed in range(10_000 + tens * 10, 10_000 + tens * 10 + 10):
        fail_once(seed)


def test_a_process_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL while it appends and acknowledges over a pipe."""
    for seed in range(20):
        kill_once(tmp_path, seed)


def test_a_disk_that_is_full_in_the_middle_of_a_write(tmp_path: Path) -> None:
    """The write takes a part and refuses the rest; readers go on; there is room again; nothing is lost."""
    for seed in range(6):
        disk = SmallDisk(20_000 + 40_009 * seed)
        make_room = lambda disk=disk: setattr(disk, "free", 1 << 40)  # noqa: E731
        assert fill_once(tmp_path / str(seed), seed, make_room, disk) == "full"


def test_a_real_file_system_that_is_full(tmp_path: Path) -> None:
    """A tmpfs of 1 MB, then of 64."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    tried = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mounted)]
    if os.geteuid() or subprocess.run(tried, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs root; the test before this one fills a disk without")
    try:
        for seed in range(4):
            (mounted / "filler").write_bytes(bytes(40_000 * seed))
            bigger = ["mount", "-o", "remount,size=64m", str(mounted)]
            words = fill_once(mounted / str(seed), seed, lambda args=bigger: subprocess.run(args, check=True))
            assert words == "full"
            subprocess.run(["rm", "-rf", str(mounted / str(seed))], check=True)
            subprocess.run(["mount", "-o", "remount,size=1m", str(mounted)], check=True)
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


def no_sync(self: FolderStore) -> None:
    """Forget to flush tiles and their folders."""
    self._close()
    self._folders.clear()


def no_folder_sync(self: FolderStore) -> None:
    """Flush the files, and forget the folders that their names are in."""
    self.disk.sync_all(self._open, [])
    self._close()
    self._folders.clear()


def no_file_sync(self: FolderStore) -> None:
    """Flush the folders, and forget the files themselves."""
    self.disk.sync_all([], sorted(self._folders))
    self._close()
    self._folders.clear()


@pytest.mark.parametrize("mistake", [no_sync, no_folder_sync, no_file_sync])
def test_these_faults_would_show_a_store_that_does_not_flush(mistake: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of the tests: the same faults against a store with a mistake are noticed."""
    monkeypatch.setattr(FolderStore, "sync", mistake)
    noticed = 0
    for seed in range(30):
        try:
            crash_once(seed)
        except (AssertionError, HeadframeError):
            noticed += 1
    assert noticed > 3


def test_a_checkpoint_that_is_renamed_before_it_is_flushed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other mistake that is easily made."""
    from headframe.stores import ledger_files

    def careless(disk: Disk, path: Path, data: bytes) -> None:
        new = path.with_name(".new")
        disk.remove(new)
        file = disk.create(new)
        disk.write(file, data)
        disk.close(file)
        disk.rename(new, path)
        disk.sync_folder(path.parent)

    monkeypatch.setattr(ledger_files, "replace_file", careless)
    noticed = 0
    for seed in range(30):
        try:
            crash_once(seed)
        except (AssertionError, HeadframeError):
            noticed += 1
    assert noticed > 3
