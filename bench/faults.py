"""1,000 faults against the ledger, and what came of them.

    python bench/faults.py [FOLDER]

After each fault the whole log is read again (`assert_log_sound` in tests/stores/ledger_faults.py): nothing that was
acknowledged may be lost, and an append that was not acknowledged is there wholly or not at all.

The last line is retention in a lake of readings: whatever was to stay is there to the last reading, and what was to go
is gone with a certificate, or due again with the digests that it had.
"""

import os
import random
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

CRASHES, FAILURES, KILLS, FULL, PURGES = 500, 250, 200, 50, 60


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


PURGE = """
import sys
from pathlib import Path
from headframe.stores.lake_purge import lake_parts, ready_to_go
import polars
polars.DataFrame({"a": [1]}).lazy().select("a").collect()
print("ready", flush=True)
sys.stdin.readline()
months = dict(until_s=UNTIL, apart_until_s=UNTIL)
names = [(one.part_id, one.sha256) for one in lake_parts(Path(sys.argv[1]), ("P3",), **months)]
print("read", flush=True)
with ready_to_go(Path(sys.argv[1]), names, ("P3",), certified=lambda *_: False, **months) as ready:
    ready.destroy("D-1")
    print("gone", flush=True)
    ready.settle()
print("settled", flush=True)
"""


def in_a_lake(scratch: Path, seed: int) -> str:
    """Kill a program while it takes readings out of a lake (SIGKILL)."""
    import polars as pl
    from stores.test_lake import readings

    from headframe.stores.lake import Lake
    from headframe.stores.lake_purge import lake_parts, ready_to_go

    start_s, until_s, days = 1_704_067_200, 1_709_251_200, 91  # January to March 2024; what is over ends with February
    whole = scratch / "lake"
    if not whole.exists():
        lake = Lake(whole)
        for k in range(3):
            points = [readings(f"P{n}", [float(n)] * (days * 96), start_s, 900) for n in range(4 - k)]
            lake.append(pl.concat(points))
    folder = scratch / f"lake-{seed}"
    shutil.copytree(whole, folder)
    lake = Lake(folder)
    kept = lake.readings().filter(pl.col("start_s") >= until_s)
    months = {"until_s": until_s, "apart_until_s": until_s}
    due = {(one.part_id, one.sha256) for one in lake_parts(folder, ("P3",), **months)}
    child = subprocess.Popen(
        [sys.executable, "-c", PURGE.replace("UNTIL", str(until_s)), str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdout.readline()
    child.stdin.write("\n")
    child.stdin.flush()
    time.sleep(random.Random(seed).uniform(0, 0.12))
    child.send_signal(signal.SIGKILL)
    words = (["killed while it read", *child.stdout.read().split()])[-1]
    child.wait()
    left = lake.readings()
    assert left.filter(pl.col("start_s") >= until_s).equals(kept), "what was to stay is not as it was"
    again = {(one.part_id, one.sha256) for one in lake_parts(folder, ("P3",), **months)}
    assert again == due or (words in ("gone", "settled") and not again and left.equals(kept)), "it is not due again"
    if again:
        with ready_to_go(folder, again, ("P3",), certified=lambda *_: False, **months) as ready:
            ready.destroy("D-2")
            ready.settle()
    assert lake.readings().equals(kept)
    assert not lake_parts(folder, ("P3",), **months)
    shutil.rmtree(folder)
    return {"read": "killed while it wrote", "gone": "killed before it was settled"}.get(words, words)


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
        lost += run("SIGKILL, readings leave a lake", PURGES, lambda seed: in_a_lake(scratch, seed))
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
