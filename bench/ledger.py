"""How fast the ledger is, and how much memory it takes.

    nice python bench/ledger.py [--leaves 1000000] [--bundle-mb 1024] [--folder /tmp/bench]

Appends are durable: every batch ends with its files, their folders and the checkpoint flushed to the disk. A leaf has
some 500 bytes, as a leaf of a case has.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from random import Random

from headframe.cases.store import StoredLeaf
from headframe.ledger.leaf import seal
from headframe.ledger.merkle import check_inclusion, leaf_hash
from headframe.ledger.note import ED25519, Signer
from headframe.stores.bundles import BundleFile, make_bundle
from headframe.stores.ledger_files import Ledger, LedgerReader

LOG = Signer("bench.example/log", ED25519, bytes(32))
LEAF_BYTES = 500


def row(what: str, value: str) -> None:
    print(f"| {what} | {value} |", flush=True)


def peak_mb() -> float:
    """Most memory that this process has had. [MB]"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def appends(folder: Path, random: Random) -> None:
    """Leaves per second by size of batch, each batch durable."""
    for batch in (1, 10, 100, 1_000):
        ledger = Ledger.create(folder / f"batch-{batch}", [LOG])
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < 5:
            ledger.append([random.randbytes(LEAF_BYTES) for _ in range(batch)])
            done += batch
        row(f"append, {batch} per durable batch", f"{done / (time.perf_counter() - started):,.0f} leaves/s")
        shutil.rmtree(ledger.folder)


def large(folder: Path, leaves: int, random: Random) -> Path:
    """A log of so many leaves."""
    path = folder / "large"
    ledger = Ledger.create(path, [LOG])
    piece = random.randbytes(LEAF_BYTES - 8)
    started = time.perf_counter()
    for first in range(0, leaves, 20_000):
        count = min(20_000, leaves - first)
        ledger.append([piece + number.to_bytes(8, "big") for number in range(first, first + count)])
    row(
        f"{leaves:,} leaves appended, 20,000 per durable batch",
        f"{leaves / (time.perf_counter() - started):,.0f} leaves/s",
    )
    row("its peak memory", f"{peak_mb():,.0f} MB")
    return path


def reading(path: Path, leaves: int, random: Random) -> None:
    """Open it, prove leaves, append to it; everything with caches of this program empty."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        ledger = Ledger(path, [LOG])
        times.append(time.perf_counter() - started)
    row(f"open a log of {leaves:,} leaves for appending", f"{1000 * statistics.median(times):.1f} ms")
    for what, with_leaf in (("inclusion proof", False), ("leaf and its inclusion proof", True)):
        times, busy = [], []
        for _ in range(400):
            reader = LedgerReader(path, [LOG.verifier])  # a fresh one: nothing is cached by us
            index = random.randrange(leaves)
            started, worked = time.perf_counter(), time.process_time()
            if with_leaf:
                reader.entry(index)
            proof = reader.inclusion_proof(index)
            busy.append(time.process_time() - worked)
            times.append(time.perf_counter() - started)
            check_inclusion(index, reader.size, leaf_hash(reader.entry(index)), proof, reader.checkpoint.root)
        times.sort()
        busy.sort()
        row(
            f"{what}, any leaf, nothing cached by us",
            f"{1000 * times[200]:.2f} ms (99 %: {1000 * times[396]:.2f}); processor {1000 * busy[200]:.2f} ms",
        )
    started = time.perf_counter()
    for _ in range(200):
        ledger.consistency_proof(random.randrange(1, leaves))
    row("consistency proof from any size", f"{1000 * (time.perf_counter() - started) / 200:.2f} ms")
    started = time.perf_counter()
    for number in range(200):
        ledger.append([b"one more %d" % number])
    row("append one, durable", f"{1000 * (time.perf_counter() - started) / 200:.2f} ms")
    started = time.perf_counter()
    ledger.find([b"nowhere"])
    row("search the whole log for a leaf (after a crash)", f"{time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    ledger.check_all()
    row("check of the whole log", f"{time.perf_counter() - started:.0f} s")
    row("peak memory of all that", f"{peak_mb():,.0f} MB")


def bundle(folder: Path, path: Path, megabytes: int, random: Random) -> None:
    """A bundle of 20 documents, a data extract that makes up the size, and 20,000 leaves with disclosures."""
    salt = lambda: random.randbytes(16)  # noqa: E731
    ledger = Ledger(path, [LOG])
    files, sealed = [], []
    for number in range(20):
        data = random.randbytes(200_000)
        files.append(BundleFile(f"documents/{number}.pdf", data))
        sealed.append(seal("document", sha256(data).hexdigest(), number, {"name": f"{number}.pdf"}, salt))
    sealed += [
        seal("case", f"HF-1/{number}", number, {"act": "x", "content": {"text": "y" * 300}}, salt)
        for number in range(20_000)
    ]
    places = ledger.append([leaf for leaf, _ in sealed])
    stored = [
        StoredLeaf(leaf_id=str(place), leaf=leaf, index=place, disclosures=disclosures)
        for place, (leaf, disclosures) in zip(places, sealed, strict=True)
    ]
    big = folder / "extract"
    with big.open("wb") as file:
        piece = random.randbytes(1 << 20)
        for _ in range(megabytes):
            file.write(piece)
    files.append(BundleFile("data/extract.parquet", big))
    started = time.perf_counter()
    make_bundle(folder / "b.zip", subject="HF-1", made_ns=1, ledger=ledger, signers=[LOG], leaves=stored, files=files)
    took = time.perf_counter() - started
    size = (folder / "b.zip").stat().st_size / 1e6
    row(f"bundle of {size:,.0f} MB with {len(stored):,} leaves made (zip)", f"{took:.1f} s, peak {peak_mb():,.0f} MB")
    code = (
        "import sys, time, resource\nfrom pathlib import Path\n"
        "from headframe.stores.bundles import verify_bundle\nfrom headframe.ledger.note import read_verifier\n"
        "started = time.perf_counter()\nreport = verify_bundle(Path(sys.argv[1]), [read_verifier(sys.argv[2])])\n"
        "assert report.sound, report.checks\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(f'{time.perf_counter() - started:.1f} s, peak {peak:,.0f} MB')\n"
    )
    arguments = [sys.executable, "-c", code, str(folder / "b.zip"), LOG.verifier.text()]
    said = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.strip()
    row("the same verified, in a process of its own", said)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--bundle-mb", type=int, default=1024)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.folder:
        given.folder.mkdir(parents=True, exist_ok=True)
    random = Random(1)
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        folder = Path(scratch)
        print("| what | measured |")
        print("|---|--:|")
        row("load of the machine at the start", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        appends(folder, random)
        path = large(folder, given.leaves, random)
        reading(path, given.leaves, random)
        bundle(folder, path, given.bundle_mb, random)


if __name__ == "__main__":
    main()
