"""Peak memory of one scan, mapped and streamed: the input's size must not show.

``python bench/memory.py CAPTURE... [--stream]``

The process is sampled every 20 ms from outside. `anonymous` is memory of its own (RssAnon), `file` are pages of the
mapped capture that it has touched and not given back (RssFile); the sum is what it takes from the machine at worst.
The table part is what the formula in docs/reading.md says for the conversations alive at once.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

MEASURED = """
import sys
from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.engines.local import LocalEngine
engine = LocalEngine(EndpointIndex([]))
facts = engine.run([sys.argv[1]])
conversations = sum(len(t.conversations) for t in engine._tables)
own = sum(a.nbytes for t in engine._tables for a in t)
print(facts.packets, facts.conversations, conversations, own)
"""
"""The reading path alone: detectors add what their findings need."""


def peak(name: str, stream: bool) -> tuple[int, int, int, str]:
    """Largest anonymous, file and total resident memory [bytes], and what the process printed."""
    source = subprocess.Popen(["cat", name], stdout=subprocess.PIPE) if stream else None
    process = subprocess.Popen(
        [sys.executable, "-c", MEASURED, "-" if stream else name],
        stdin=source.stdout if source else None,
        stdout=subprocess.PIPE,
        text=True,
    )
    anonymous = file = total = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        now = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if line.startswith("Rss")}
        a, f = 1024 * int(now.get("RssAnon", 0)), 1024 * int(now.get("RssFile", 0))
        anonymous, file, total = max(anonymous, a), max(file, f), max(total, a + f)
        time.sleep(0.02)
    assert process.stdout is not None
    return anonymous, file, total, process.stdout.read().strip()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+")
    options = parser.parse_args()
    columns = ["capture", "size [MB]", "read as", "packets", "conversations", "room for", "tables [MB]"]
    columns += ["anonymous [MB]", "file [MB]", "peak of the sum [MB]"]
    print("| " + " | ".join(columns) + " |\n|---" + "|---:" * (len(columns) - 1) + "|")
    for name in options.captures:
        for stream in (False, True):
            anonymous, file, total, told = peak(name, stream)
            packets, conversations, room, own = told.split()
            size = Path(name).stat().st_size
            print(
                f"| {Path(name).name} | {size / 1e6:.0f} | {'stream' if stream else 'map'} | {packets} "
                f"| {conversations} | {room} "
                f"| {int(own) / 1e6:.0f} | {anonymous / 1e6:.0f} | {file / 1e6:.0f} | {total / 1e6:.0f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
