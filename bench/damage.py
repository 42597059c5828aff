"""Break real captures in a thousand seeded ways and see whether every packet that can still be read is read.

A packet is *readable* in a damaged file if all bytes of its record, header and data, are still there, unchanged and
together. What was done to the file is tracked byte by byte, so the set of readable packets is known exactly and does
not depend on the reader under test. Records are found by a plain parser of this file's own.

The table says for each kind of damage: variants, crashes, hangs, readable packets, how many of them were lost, and
variants in which lost bytes went unreported.
"""

import argparse
import gzip
import random
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HANG_S = 10.0  # a variant of at most 4 MB is read in well under a second
LARGEST_FILE = 4 << 20

# -- plain parsers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """A packet's place in a file."""

    start: int  # of its header or block
    frame: int
    frame_end: int
    end: int
    length_at: int  # where its captured length stands


def parse(data: bytes) -> list[Record]:
    """Records of an undamaged pcap or pcapng file."""
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return list(_parse_pcapng(data))
    order = "<" if data[0] in (0xD4, 0x4D) else ">"
    records, at = [], 24
    while at + 16 <= len(data):
        (captured,) = struct.unpack_from(order + "I", data, at + 8)
        end = at + 16 + captured
        if end > len(data):
            break
        records.append(Record(at, at + 16, end, end, at + 8))
        at = end
    return records


def _parse_pcapng(data: bytes) -> Iterator[Record]:
    at, order = 0, "<"
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack_from(order + "II", data, at)
        if at + length > len(data) or length < 12:
            return
        if kind in (2, 6):
            (captured,) = struct.unpack_from(order + "I", data, at + 20)
            yield Record(at, at + 28, at + 28 + captured, at + length, at + 20)
        at += length


def as_pcapng(data: bytes) -> bytes:
    """A little-endian microsecond pcap file as pcapng, with options and a statistics block now and then."""
    (link_type,) = struct.unpack_from("<I", data, 20)

    def block(kind: int, body: bytes) -> bytes:
        size = struct.pack("<I", 12 + len(body))
        return struct.pack("<I", kind) + size + body + size

    out = [
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
        block(1, struct.pack("<HHI", link_type, 0, 0)),
    ]
    for number, record in enumerate(parse(data)):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", data, record.start)
        ticks = seconds * 1_000_000 + fraction
        body = struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, captured, wire)
        body += data[record.frame : record.frame_end] + b"\0" * (-captured % 4)
        if number % 7 == 0:
            body += struct.pack("<HHI", 2, 4, 0) + b"\0\0\0\0"
        out.append(block(6, body))
        if number % 50 == 49:
            out.append(block(5, struct.pack("<III", 0, ticks >> 32, ticks & 0xFFFFFFFF)))
        if number % 70 == 69:
            out.append(block(0x0BAD, struct.pack("<I", 32_473) + b"custom.."))
    return b"".join(out)


# -- damage ------------------------------------------------------------------------------------------------------------


@dataclass
class Variant:
    """A damaged file and where each of its bytes came from."""

    data: bytearray
    origin: NDArray[np.int64]
    """Offset in the sound file, -1 where the byte was changed or put in."""
    kind: str = ""
    must_report: bool = False
    """Something was done that no reader can miss: a record's length, or bytes of its header, are gone."""
    places: list[int] = field(default_factory=list)
    """Offsets in the damaged file around which damage may be reported."""

    def put(self, at: int, new: bytes) -> None:
        """Overwrite."""
        for k, byte in enumerate(new):
            if self.data[at + k] != byte:
                self.data[at + k] = byte
                self.origin[at + k] = -1

    def remove(self, first: int, last: int) -> None:
        """Cut out."""
        del self.data[first:last]
        self.origin = np.delete(self.origin, np.s_[first:last])

    def insert(self, at: int, new: bytes) -> None:
        """Put in."""
        self.data[at:at] = new
        self.origin = np.insert(self.origin, at, np.full(len(new), -1))

    def readable(self, records: Sequence[Record]) -> list[bytes]:
        """Frames of the records that are still whole, in file order."""
        known = self.origin >= 0
        places = np.full(int(self.origin.max(initial=0)) + 2, -1)
        places[self.origin[known]] = np.flatnonzero(known)
        whole = []
        for record in records:
            if record.end > len(places):
                continue
            at = int(places[record.start])
            if at < 0 or at + record.end - record.start > len(self.origin):
                continue
            span = self.origin[at : at + record.end - record.start]
            if np.array_equal(span, np.arange(record.start, record.end)):
                whole.append(
                    (at, bytes(self.data[at + record.frame - record.start : at + record.frame_end - record.start]))
                )
        return [frame for _at, frame in sorted(whole, key=lambda pair: pair[0])]


Damager = Callable[[Variant, list[Record], random.Random], None]


def truncate(v: Variant, records: list[Record], rng: random.Random) -> None:
    """The end is missing."""
    first = records[0].start
    at = rng.randrange(first, len(v.data)) if rng.random() < 0.7 else rng.choice(records).start + rng.randrange(28)
    at = min(at, len(v.data) - 1)
    v.must_report = not any(at in (record.end, record.start) for record in records)
    v.remove(at, len(v.data))


def garbage_between(v: Variant, records: list[Record], rng: random.Random) -> None:
    """Other bytes between records: noise, zeros, text, a piece of the file itself."""
    for record in sorted(rng.sample(records, min(len(records), rng.randint(1, 4))), key=lambda r: -r.start):
        size = rng.choice([1, 3, 4, 16, 100, 1500, 20_000, 300_000])
        what = rng.randrange(4)
        if what == 0:
            new = rng.randbytes(size)
        elif what == 1:
            new = b"\0" * size
        elif what == 2:
            new = (b"Nov 20 11:00:00 sensor kernel: disk error, sector 1234567\n" * (size // 40 + 1))[:size]
        else:
            at = rng.randrange(len(v.data))
            new = bytes(v.data[at : at + size])  # may itself hold whole records: a reader may take them
        v.insert(record.end, new)
    v.must_report = True


def wrong_length(v: Variant, records: list[Record], rng: random.Random) -> None:
    """Captured lengths (and block lengths) larger, smaller, huge."""
    for record in rng.sample(records, min(len(records), rng.randint(1, 5))):
        at = record.length_at
        if v.data[:4] == b"\x0a\x0d\x0d\x0a":
            at = rng.choice([record.start + 4, record.end - 4, record.length_at])
        true = struct.unpack_from("<I", v.data, at)[0]
        wrong = rng.choice(
            [
                true + rng.randint(1, 2000),
                max(0, true - rng.randint(1, 100)),
                0,
                0xFFFFFFFF,
                0x7FFFFFFF,
                1 << 20,
                true ^ 1 << rng.randrange(32),
            ]
        )
        if wrong != true:
            v.put(at, struct.pack("<I", wrong))
            v.must_report |= at != record.length_at or v.data[:4] != b"\x0a\x0d\x0d\x0a"


def flip_headers(v: Variant, records: list[Record], rng: random.Random) -> None:
    """One to six flipped bits in each of some record headers."""
    for record in rng.sample(records, min(len(records), rng.randint(1, 8))):
        for _ in range(rng.choice([1, 1, 1, 2, 6])):
            _flip(v, rng.randrange(record.start, record.frame), rng)


def flip_neighbours(v: Variant, records: list[Record], rng: random.Random) -> None:
    """A flipped bit in the headers of records that are two apart: the one between has no sound neighbour."""
    first = rng.randrange(len(records))
    for record in records[first : first + 7 : 2]:
        _flip(v, rng.randrange(record.start, record.frame), rng)


def flip_anywhere(v: Variant, records: list[Record], rng: random.Random) -> None:
    """Flipped bits all over the file but its header."""
    for _ in range(rng.choice([1, 10, 100])):
        _flip(v, rng.randrange(records[0].start, len(v.data)), rng)


def flip_file_header(v: Variant, records: list[Record], rng: random.Random) -> None:
    """One to three flipped bits before the first record."""
    for _ in range(rng.randint(1, 3)):
        _flip(v, rng.randrange(records[0].start), rng)


def lose_file_header(v: Variant, records: list[Record], rng: random.Random) -> None:
    """The first bytes are zeros or noise."""
    size = rng.choice([4, 8, 24, records[0].start])
    size = min(size, records[0].start)
    v.put(0, b"\0" * size if rng.random() < 0.5 else rng.randbytes(size))
    v.must_report = v.origin[0] < 0


def cut_middle(v: Variant, records: list[Record], rng: random.Random) -> None:
    """One to three stretches are gone."""
    for _ in range(rng.randint(1, 3)):
        size = rng.choice([1, 2, 7, 60, 1000, 4096, 50_000])
        low = records[0].start
        if len(v.data) - size <= low:
            continue
        at = rng.randrange(low, len(v.data) - size)
        v.must_report |= size < 1000  # a large piece may begin and end at a border
        v.remove(at, at + size)


def zero_fill(v: Variant, records: list[Record], rng: random.Random) -> None:
    """Sectors of zeros, as a crashed file system leaves them."""
    for _ in range(rng.randint(1, 3)):
        size = rng.choice([16, 64, 512, 4096, 65_536])
        at = rng.randrange(records[0].start, len(v.data)) // 16 * 16
        at = max(at, records[0].start)
        v.put(at, b"\0" * min(size, len(v.data) - at))


def time_jumps(v: Variant, records: list[Record], rng: random.Random) -> None:
    """The clock is set, forward or back, by up to years, and records beside the jump are damaged: not all of it is."""
    if v.data[:4] == b"\x0a\x0d\x0d\x0a":
        flip_headers(v, records, rng)
        return
    for _ in range(rng.randint(1, 3)):
        k = rng.randrange(len(records))
        step = rng.choice([-1, 1]) * rng.choice([3600, 86_400 * 40, 86_400 * 400, 86_400 * 4000])
        for record in records[k:]:
            seconds = struct.unpack_from("<I", v.data, record.start)[0]
            struct.pack_into("<I", v.data, record.start, (seconds + step) % 2**31)
        if k + 2 < len(records):
            _flip(v, rng.randrange(records[k + 2].start, records[k + 2].frame), rng)


def _flip(v: Variant, at: int, rng: random.Random) -> None:
    v.put(at, bytes([v.data[at] ^ 1 << rng.randrange(8)]))


DAMAGERS: tuple[Damager, ...] = (
    truncate,
    garbage_between,
    wrong_length,
    flip_headers,
    flip_neighbours,
    flip_anywhere,
    flip_file_header,
    lose_file_header,
    cut_middle,
    zero_fill,
    time_jumps,
)


def damaged_gzip(data: bytes, rng: random.Random) -> tuple[bytes, Variant]:
    """A gzip file that is cut or has a flipped bit, and what a byte-wise inflater makes of it."""
    packed = bytearray(gzip.compress(data, 6, mtime=0))
    if rng.random() < 0.5:
        del packed[rng.randrange(18, len(packed)) :]
    else:
        packed[rng.randrange(18, len(packed))] ^= 1 << rng.randrange(8)
    inflater, out, broken = zlib.decompressobj(wbits=31), bytearray(), False
    try:
        for k in range(len(packed)):
            out += inflater.decompress(packed[k : k + 1])
    except zlib.error:
        broken = True
    same = min(len(out), len(data))
    origin = np.full(len(out), -1, dtype=np.int64)
    equal = np.frombuffer(bytes(out[:same]), np.uint8) == np.frombuffer(data[:same], np.uint8)
    origin[:same][equal] = np.flatnonzero(equal)
    return bytes(packed), Variant(out, origin, "damaged gzip", must_report=broken or not inflater.eof)


# -- the reader under test ---------------------------------------------------------------------------------------------


def read_frames(path: Path) -> tuple[list[bytes], list[tuple[int, int, str]]]:
    """Frames in the order they were read, and the damage noted: offset, length, reason."""
    from headframe.kernels import frames
    from headframe.sources.network.capture import BATCH_PACKETS, CaptureReader, KernelInputs, Stretch
    from headframe.sources.network.container import open_source

    reader = CaptureReader(open_source(str(path)), KernelInputs(np.zeros(16, np.uint64), np.uint64(1), np.uint64(2)))
    stretch = Stretch(np.empty(0, np.uint8), np.zeros(BATCH_PACKETS, frames.PACKET))
    out: list[bytes] = []
    while not reader.done:
        reader.read(stretch)
        for packet in stretch.packets[: stretch.count]:
            at = int(packet["frame"])
            out.append(stretch.buf[at : at + int(packet["captured_len"])].tobytes())
    reader.close()
    return out, [(d.offset, d.length, d.reason) for d in reader.summary.damage]


def lost(readable: Sequence[bytes], read: Sequence[bytes]) -> list[bytes]:
    """Readable frames that were not read; a frame that stands twice in the file must be read twice."""
    return list((Counter(readable) - Counter(read)).elements())


@dataclass
class Outcome:
    """What happened to one variant."""

    kind: str
    readable: int = 0
    lost: int = 0
    crash: str = ""
    seconds: float = 0.0
    unreported: bool = False
    misplaced: bool = False
    refused: bool = False


def make_variant(data: bytes, records: list[Record], kind: str, rng: random.Random) -> tuple[bytes, Variant]:
    """The file as it goes to disk, and what is known of its bytes."""
    if kind == "damaged gzip":
        return damaged_gzip(data, rng)
    variant = Variant(bytearray(data), np.arange(len(data)), kind)
    damager = next(d for d in DAMAGERS if kind.startswith(d.__name__))
    damager(variant, records, rng)
    on_disk = bytes(variant.data)
    return (gzip.compress(on_disk, 1, mtime=0) if kind.endswith("+gzip") else on_disk), variant


def try_variant(on_disk: bytes, variant: Variant, records: list[Record], folder: Path) -> Outcome:
    """Write it, read it, compare."""
    from headframe.errors import UnreadableInput

    outcome = Outcome(variant.kind)
    path = folder / "variant"
    path.write_bytes(on_disk)
    readable = variant.readable(records)
    outcome.readable = len(readable)
    before = time.perf_counter()
    try:
        read, damage = read_frames(path)
    except UnreadableInput:
        outcome.refused = True
        read, damage = [], [(0, len(variant.data), "refused")]
    except Exception as problem:  # what we are looking for
        outcome.crash = f"{type(problem).__name__}: {problem}"
        return outcome
    outcome.seconds = time.perf_counter() - before
    outcome.lost = len(lost(readable, read))
    changed = np.flatnonzero(variant.origin < 0)
    seams = np.flatnonzero(np.diff(variant.origin) != 1)
    outcome.unreported = variant.must_report and not damage
    # Damage is told beside what was done: no farther than the longest record away.
    near = 16 + max(record.end - record.start for record in records)
    places = np.concatenate([changed, seams, [len(variant.data)]])
    for offset, length, _reason in damage:
        distance = np.min(np.where(places < offset, offset - places, np.maximum(0, places - offset - length)))
        outcome.misplaced |= bool(distance > near)
    return outcome


def kinds_for(data: bytes) -> list[str]:
    """Kinds of damage that apply to a file."""
    plain = [d.__name__ for d in DAMAGERS]
    return [*plain, *(name + "+gzip" for name in plain), "damaged gzip", "damaged gzip"]


def sources(folders: Sequence[Path]) -> list[Path]:
    """Captures of a size that can be broken a thousand times: little-endian pcap and pcapng."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and 1000 < path.stat().st_size <= LARGEST_FILE:
                with path.open("rb") as file:
                    if file.read(4) in (b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a"):
                        found.append(path)
    return found


def run(paths: Sequence[Path], count: int, seed: int, report: Callable[[str], None] | None = None) -> list[Outcome]:
    """Make and read `count` variants."""
    if report is not None:
        run(paths[:1], 60, seed)  # compiles the kernels, which is not what is timed
    rng = random.Random(seed)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            path = paths[rng.randrange(len(paths))]
            data = path.read_bytes()
            if data[:4] == b"\xd4\xc3\xb2\xa1" and rng.random() < 0.5:
                data = as_pcapng(data)
            records = parse(data)
            if not records:
                continue
            kinds = kinds_for(data)
            kind = kinds[number % len(kinds)]
            own = random.Random(rng.getrandbits(64))
            on_disk, variant = make_variant(data, records, kind, own)
            outcome = try_variant(on_disk, variant, records, Path(folder))
            outcomes.append(outcome)
            if report is not None and (outcome.crash or outcome.lost or outcome.seconds > HANG_S or outcome.unreported):
                report(f"{number} {path.name} {'pcapng' if data[0] == 10 else 'pcap'}: {outcome}")
    return outcomes


def table(outcomes: Sequence[Outcome]) -> str:
    """Markdown."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.kind.removesuffix("+gzip").replace("_", " ")].append(outcome)
    groups["all"] = list(outcomes)
    columns = ["damage", "variants", "crashes", "hangs", "readable packets", "lost", "not reported"]
    columns += ["reported elsewhere", "slowest [s]"]
    lines = ["| " + " | ".join(columns) + " |", "|---" + "|---:" * (len(columns) - 1) + "|"]
    for kind, group in sorted(groups.items(), key=lambda item: item[0] == "all"):
        lines.append(
            f"| {kind} | {len(group)} | {sum(bool(o.crash) for o in group)} | {sum(o.seconds > HANG_S for o in group)} "
            f"| {sum(o.readable for o in group)} | {sum(o.lost for o in group)} | {sum(o.unreported for o in group)} "
            f"| {sum(o.misplaced for o in group)} "
            f"| {max(o.seconds for o in group):.2f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("../shared/data/network/pcap_mining")])
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    paths = sources(options.folders)
    if not paths:
        print("no captures in " + ", ".join(map(str, options.folders)), file=sys.stderr)
        return 2
    print(f"{len(paths)} captures, seed {options.seed}", file=sys.stderr)
    outcomes = run(paths, options.variants, options.seed, lambda line: print(line, file=sys.stderr))
    print(table(outcomes))
    bad = sum(bool(o.crash) or o.seconds > HANG_S for o in outcomes) + sum(o.lost for o in outcomes)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
