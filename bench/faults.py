"""1,000 faults against the ledger, and what came of them.

    python bench/faults.py [FOLDER]

After each fault the whole log is read again (`assert_log_sound` in tests/stores/ledger_faults.py): nothing that was
acknowledged may be lost, and an append that was not acknowledged is there wholly or not at all.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from stores.ledger_faults import SmallDisk, crash_once, fail_once, fill_once, kill_once

CRASHES, FAILURES, KILLS, FULL = 500, 250, 200, 50


def on_small_disk(scratch: Path, seed: int) -> str:
    """A real folder whose disk has room for some writes only; room is made afterwards."""
    disk = SmallDisk(20_000 + 7_919 * seed)
    place = scratch / f"small-{seed}"
    words = fill_once(place, seed, lambda: setattr(disk, "free", 1 << 40), disk)
    shutil.rmtree(place)
    return f"{words}, in the middle of a write"


def on_tmpfs(scratch: Path, seed: int) -> str:
    """A real file system of 1 MB (needs root)."""
    place = scratch / f"tmpfs-{seed}"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=True)
    try:
        (place / "filler").write_bytes(bytes(1000 * (seed % 100)))

        def make_room() -> None:
            subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)

        return f"{fill_once(place / 'ledger', seed, make_room)}, a real file system"
    finally:
        subprocess.run(["umount", str(place)], check=True)


def under_file_limit(scratch: Path, seed: int) -> str:
    """No file may grow beyond so many bytes (RLIMIT_FSIZE), in a process of its own."""
    place = scratch / f"limit-{seed}"
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (5_000 + 1_009 * seed, most))
            words = fill_once(place, seed, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most)))
            os._exit(0 if words == "full" else 4)
        except BaseException as error:
            print(f"seed {seed}: {error!r}", file=sys.stderr)
            os._exit(5)
    _pid, status = os.waitpid(child, 0)
    shutil.rmtree(place, ignore_errors=True)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 4), f"the process ended with {code}"
    return "full, a file's largest size" if code == 0 else "never full"


def can_mount(scratch: Path) -> bool:
    """Whether this account may mount a tmpfs."""
    place = scratch / "try"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True).returncode:
        return False
    subprocess.run(["umount", str(place)], check=True)
    return True


def run(name: str, count: int, fault: Callable[[int], str]) -> int:
    """Inject so many faults; gives how many were not survived."""
    seen: Counter[str] = Counter()
    lost = 0
    started = time.perf_counter()
    for seed in range(count):
        try:
            seen[fault(seed)] += 1
        except Exception as error:
            lost += 1
            print(f"{name}, seed {seed}: {type(error).__name__}: {error}", file=sys.stderr)
    took = time.perf_counter() - started
    what = "; ".join(f"{words}: {number}" for words, number in seen.most_common())
    print(f"| {name} | {count} | {lost} | {what} | {took:.0f} |", flush=True)
    return lost


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        scratch = Path(folder)

        def killed(seed: int) -> str:
            words = kill_once(scratch, seed)
            shutil.rmtree(scratch / f"kill-{seed}")
            return words

        print("| fault | injected | lost or half there | what came of it | s |")
        print("|---|--:|--:|---|--:|")
        lost = run("power lost, simulated disk", CRASHES, crash_once)
        lost += run("write, fsync or rename fails, simulated disk", FAILURES, fail_once)
        lost += run("SIGKILL, real process and disk", KILLS, killed)
        lost += run("full in the middle of a write, real files", FULL // 2, lambda seed: on_small_disk(scratch, seed))
        if os.geteuid() == 0 and can_mount(scratch):
            lost += run("full disk, tmpfs of 1 MB", FULL // 2, lambda seed: on_tmpfs(scratch, seed))
        else:
            lost += run("file-size limit, real files", FULL // 2, lambda seed: under_file_limit(scratch, seed))
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
