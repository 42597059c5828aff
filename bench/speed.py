"""How long a scan takes, beside its peers and beside a plain read of the same bytes.

``python bench/speed.py [--packets 1,4,16] [--runs 3] [--tools headframe,ndpi,nfstream,mmap,cat] [--readme]``

What is timed is a whole process from its start to its end, as a user would run it: interpreter, imports, compiled code
read from its cache, output written. All contenders read the same file, which lies in the page cache, and take turns
(A B C A B C), so that a busy moment of the machine hits all of them alike. Compare ratios: seconds belong to the
machine.

- Headframe: ``headframe scan FILE --format jsonl --quiet``, with its own threads (both cores here), all detectors on,
  installed apart from this checkout without the tools of its development, as nfstream is.
- nDPI: ``ndpiReader -q -i FILE``. Detection is on by default; that all packets are processed was checked by the packet
  count that it prints without ``-q``. It uses one thread for a file.
- nfstream: a loop over ``NFStreamer(source=FILE)`` with its defaults, which include nDPI's detection.
- a plain read: ``cat FILE`` (the kernel copies the bytes, nobody looks), and one pass over a memory map that adds up
  every byte with NumPy (somebody looks). Both are a floor, not a contender.

Memory is the peak of the private memory of a process and its children, sampled every 20 ms. Pages of the capture
itself that happen to be mapped belong to the page cache and are not counted.

Captures are written by ``generate_capture.py`` into ``build/bench`` unless ``--files`` names some.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from peers import BUILD, PEERS_ENVIRONMENT, ROOT, make_peers_environment, tool_version, write_readme

# As a user installs it: the tools of a development environment make every start slower by a fifth of a second.
INSTALLED = BUILD / "installed"

NFSTREAM_LOOP = """
import sys
from nfstream import NFStreamer
flows = packets = 0
for flow in NFStreamer(source=sys.argv[1]):
    flows += 1
    packets += flow.bidirectional_packets
print(flows, packets)
"""
# numpy adds up the mapped bytes eight at a time; the sum is thrown away, the pages have been touched.
MMAP_LOOP = """
import sys
import numpy as np
data = np.memmap(sys.argv[1], dtype=np.uint8, mode="r")
whole = len(data) // 8 * 8
print(int(data[:whole].view(np.uint64).sum()))
"""

LABELS = {
    "headframe": "Headframe",
    "ndpi": "nDPI",
    "nfstream": "nfstream",
    "mmap": "touching each byte",
    "cat": "`cat`",
}


def command_of(tool: str, path: Path) -> list[str]:
    """The process that is timed."""
    return {
        "headframe": [str(INSTALLED / "bin" / "headframe"), "scan", str(path), "--format", "jsonl", "--quiet"],
        "ndpi": ["ndpiReader", "-q", "-i", str(path)],
        "nfstream": [str(PEERS_ENVIRONMENT / "bin" / "python"), "-c", NFSTREAM_LOOP, str(path)],
        "mmap": [sys.executable, "-c", MMAP_LOOP, str(path)],
        "cat": ["cat", str(path)],
    }[tool]


@dataclass
class Run:
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_memory_mb: float


@dataclass
class Series:
    """All runs of one tool on one file."""

    runs: list[Run] = field(default_factory=list)

    @property
    def wall_s(self) -> float:
        """Median wall-clock time. [s]"""
        return statistics.median(run.wall_s for run in self.runs)

    @property
    def peak_memory_mb(self) -> float:
        """Largest private memory of any run. [MB]"""
        return max(run.peak_memory_mb for run in self.runs)


def private_memory_mb(pid: int) -> float:
    """Private memory of a process and its children; 0 once they are gone. [MB]"""
    total_kb = 0
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        try:
            status = Path(f"/proc/{current}/status").read_text(encoding="ascii", errors="replace")
            total_kb += sum(int(kb) for kb in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", status, re.MULTILINE))
            for children in Path(f"/proc/{current}/task").glob("*/children"):
                waiting += [int(child) for child in children.read_text(encoding="ascii").split()]
        except (OSError, ValueError):
            continue
    return total_kb / 1024


def timed(command: list[str]) -> Run:
    """Run a process to its end, output thrown away."""
    peak_mb = 0.0
    ended = threading.Event()

    def watch(pid: int) -> None:
        nonlocal peak_mb
        while not ended.wait(0.02):
            peak_mb = max(peak_mb, private_memory_mb(pid))

    with tempfile.TemporaryFile() as complaints:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=complaints)
        watcher = threading.Thread(target=watch, args=(process.pid,))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        ended.set()
        watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace")[-500:]
            raise RuntimeError(f"{' '.join(command)[:200]} ended with {process.returncode}: {said}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, peak_mb)


def install() -> None:
    """Install this checkout apart, as it is now."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(INSTALLED)], check=True)
    pip = [str(INSTALLED / "bin" / "python"), "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, str(ROOT)], check=True)


def packets_by_ndpi(path: Path) -> int:
    """How many packets nDPI says it processed."""
    done = subprocess.run(
        ["ndpiReader", "-i", str(path)], capture_output=True, text=True, check=False, errors="replace"
    )
    found = re.search(r"IP packets:\s+\d+\s+of (\d+) packets total", done.stdout)
    return int(found.group(1)) if found else 0


def captures(sizes: list[int], files: list[Path]) -> dict[Path, int]:
    """Each capture with its number of packets; generated where there is none yet."""
    if files:
        return {
            path: json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))["packets"] for path in files
        }
    found = {}
    for millions in sizes:
        path = BUILD / f"campus-{millions}M.pcap"
        if not path.with_suffix(".truth.json").exists():
            BUILD.mkdir(parents=True, exist_ok=True)
            generator = ROOT / "bench" / "generate_capture.py"
            subprocess.run(
                [sys.executable, str(generator), "--packets", str(millions * 1_000_000), "--seed", "1", str(path)],
                check=True,
            )
        found[path] = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))["packets"]
    return found


def main() -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--packets", default="1,4,16", help="sizes in millions of packets, comma separated")
    parser.add_argument("--files", type=Path, nargs="*", default=[], help="captures to use, each with its .truth.json")
    parser.add_argument("--runs", type=int, default=3, help="rounds; the median counts")
    parser.add_argument("--tools", default="headframe,ndpi,nfstream,mmap,cat", help="comma separated")
    parser.add_argument("--readme", action="store_true", help="write the tables into README.md")
    arguments = parser.parse_args()

    tools = arguments.tools.split(",")
    if "ndpi" in tools and shutil.which("ndpiReader") is None:
        print("ndpiReader is missing; tools/system-packages.sh installs it", file=sys.stderr)
        return 2
    if "headframe" in tools:
        install()
    if "nfstream" in tools:
        make_peers_environment()
    files = captures([int(size) for size in arguments.packets.split(",")], arguments.files)

    results: dict[Path, dict[str, Series]] = {}
    for path, packets in files.items():
        timed(["cat", str(path)])  # the file is in the page cache from here on
        if "headframe" in tools:
            timed(command_of("headframe", path))  # compiled from here on
        if "ndpi" in tools:
            assert packets_by_ndpi(path) == packets, "nDPI did not process all packets"
        series = {tool: Series() for tool in tools}
        for round_number in range(arguments.runs):
            for tool in tools:
                # nfstream takes minutes on the largest file and hardly varies: one round is enough there.
                if tool == "nfstream" and round_number and packets > 4_000_000:
                    continue
                run = timed(command_of(tool, path))
                series[tool].runs.append(run)
                print(
                    f"{path.name} {tool}: {run.wall_s:.2f} s, {run.peak_memory_mb:.0f} MB", file=sys.stderr, flush=True
                )
        results[path] = series

    text = tables(files, results, tools)
    print(text)
    record = {
        path.name: {
            "packets": files[path],
            "bytes": path.stat().st_size,
            "tools": {t: vars(s) | {"runs": [vars(r) for r in s.runs]} for t, s in series.items()},
        }
        for path, series in results.items()
    }
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "speed.json").write_text(json.dumps(record, indent=2), encoding="utf-8")
    if arguments.readme:
        write_readme("speed", text)
    return 0


def row(*cells: str) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def tables(files: dict[Path, int], results: dict[Path, dict[str, Series]], tools: list[str]) -> str:
    """Markdown: the contenders on the largest file, then how the cost grows."""
    largest = max(files, key=lambda path: files[path])
    packets, size = files[largest], largest.stat().st_size
    base = results[largest].get("headframe")
    lines = [
        f"{packets / 1e6:.0f} M packets, {size / 1e9:.1f} GB, whole processes, {os.cpu_count()} cores:",
        "",
        row("", "Wall-clock", "Packets/s", "Beside Headframe", "Memory"),
        row(*["---"] * 5),
    ]
    for tool in tools:
        mine = results[largest][tool]
        label = LABELS[tool]
        ratio = ""
        if tool in {"headframe", "ndpi", "nfstream"}:
            label += f" {tool_version(tool)}"
        if base is not None and tool != "headframe":
            ratio = f"takes {mine.wall_s / base.wall_s:.3g} times as long"
        wall, rate = f"{mine.wall_s:.2f} s", f"{packets / mine.wall_s / 1e6:.2f} M"
        lines.append(row(label, wall, rate, ratio, f"{mine.peak_memory_mb:,.0f} MB"))
    if len(files) > 1 and base is not None:
        lines += [
            "",
            "How the cost grows:",
            "",
            row("Packets", "Headframe", "Per million", "Memory"),
            row(*["---"] * 4),
        ]
        for path, count in sorted(files.items(), key=lambda item: item[1]):
            mine = results[path]["headframe"]
            per_million = f"{mine.wall_s / count * 1e6:.3f} s"
            memory = f"{mine.peak_memory_mb:,.0f} MB"
            lines.append(row(f"{count / 1e6:.0f} M", f"{mine.wall_s:.2f} s", per_million, memory))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
