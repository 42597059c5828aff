"""Captures of every format, whole and damaged, mapped and streamed, by one worker and by two."""

import gzip
import lzma
import os
import random
import struct
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import damage
from headframe.errors import UnreadableInput
from headframe.kernels import frames
from headframe.records.scan import InputSummary
from headframe.sources.archives import unpack
from headframe.sources.network import capture
from headframe.sources.network.capture import CaptureReader, KernelInputs, Stretch, expand, first_time_ns
from headframe.sources.network.container import open_source
from tests import captures as make

Read = list[tuple[int, bytes, int, int]]  # time, frame, length on the wire, link type
INPUTS = KernelInputs(np.zeros(16, np.uint64), np.uint64(1), np.uint64(2))


def read(path: Path, *, batch: int = 4096) -> tuple[Read, InputSummary]:
    """Everything in a file."""
    reader = CaptureReader(open_source(str(path)), INPUTS)
    stretch = Stretch(np.empty(0, np.uint8), np.zeros(batch, frames.PACKET))
    out: Read = []
    while not reader.done:
        reader.read(stretch)
        for p in stretch.packets[: stretch.count]:
            at, size = int(p["frame"]), int(p["captured_len"])
            data = stretch.buf[at : at + size].tobytes()
            out.append((int(p["time_ns"]), data, int(p["wire_len"]), int(p["link_type"])))
    reader.close()
    return out, reader.summary


def expected(packets: list[make.Packet], link_type: int = 1, *, unit_ns: int = 1) -> Read:
    return [(p.time_ns // unit_ns * unit_ns, p.data, p.wire_len, link_type) for p in packets]


def some(count: int = 20, *, snap: bool = False) -> list[make.Packet]:
    """Packets of different lengths; every third is cut by the snap length."""
    out = []
    for k in range(count):
        data = make.frame(
            "10.0.0.1", 40_000 + k % 7, "10.0.0.2", 3333, 100 * k, payload=bytes([k % 256]) * (k * 37 % 900)
        )
        wire = len(data) + 100 if snap and k % 3 == 0 else None
        out.append(make.Packet(make.T0_S * 10**9 + k * 1_234_567_891, data, wire))
    return out


# -- formats -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["micro", "nano", "kuznetzov"])
def test_pcap_variants(tmp_path: Path, order: str, kind: str) -> None:
    """Both byte orders, both units, and the longer records of Kuznetzov's variant; times, lengths, link type."""
    packets = some(snap=True)
    path = tmp_path / "a.pcap"
    path.write_bytes(
        make.pcap_file(packets, order=order, nanoseconds=kind == "nano", kuznetzov=kind == "kuznetzov", link_type=113)
    )
    got, summary = read(path)
    assert got == expected(packets, 113, unit_ns=1 if kind == "nano" else 1000)
    assert (summary.damage, summary.packets) == ([], 20)
    assert first_time_ns(str(path)) == got[0][0]


RESOLUTIONS = {3: 10**3, 6: 10**6, 9: 10**9, 12: 10**12, 0: 1, 0x80 | 10: 2**10, 0x80 | 20: 2**20, 0x80 | 32: 2**32}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_pcapng_time_resolution_and_offset(tmp_path: Path, order: str, resolution: int) -> None:
    """Decimal and binary fractions of a second, counted from an offset, exact to the nanosecond below."""
    per_second, offset_s = RESOLUTIONS[resolution], make.T0_S - 1000
    ticks = [1000 * per_second + k * max(1, per_second // 7) for k in range(5)]
    frame = make.frame("10.0.0.1", 1, "10.0.0.2", 2)
    blocks = [make.section(order=order), make.interface(order=order, resolution=resolution, offset_s=offset_s)]
    blocks += [make.enhanced(make.Packet(0, frame), t, order=order) for t in ticks]
    path = tmp_path / "a.pcapng"
    path.write_bytes(b"".join(blocks))
    got, _ = read(path)
    for (time_ns, *_), t in zip(got, ticks, strict=True):
        exact = offset_s * 10**9 + t * 10**9 // per_second
        assert abs(time_ns - exact) <= 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_blocks(tmp_path: Path, order: str) -> None:
    """Enhanced, simple and obsolete packets of several interfaces, with options; all else is passed over."""
    a, b, c, d, e = (make.frame("10.0.0.1", k, "10.0.0.2", 2, payload=b"x" * (k * k)) for k in range(1, 6))
    blocks = [
        make.section(order=order, options=make.option(1, b"a comment", order=order)),
        make.interface(1, order=order, snap_len=64),
        make.interface(113, order=order, resolution=9),
        make.enhanced(make.Packet(0, a), 5_000_000, order=order, options=make.option(2, b"\0\0\0\1", order=order)),
        make.block(5, b"\0" * 20, order=order),
        make.block(0x0BAD, b"custom block", order=order),
        make.simple(make.Packet(0, b), order=order),
        make.enhanced(make.Packet(0, c, wire=999, interface=1), 7, order=order),
        make.block(10, b"secrets!" * 4, order=order),
        make.obsolete(make.Packet(0, d, interface=1), 9, order=order),
        make.block(0x80000001, b"local", order=order),
        make.simple(make.Packet(0, e[:64], wire=len(e)), order=order),
    ]
    path = tmp_path / "a.pcapng"
    path.write_bytes(b"".join(blocks))
    got, summary = read(path)
    assert summary.damage == []
    assert got == [
        (5 * 10**9, a, len(a), 1),
        (5 * 10**9, b, len(b), 1),
        (7, c, 999, 113),
        (9, d, len(d), 113),
        (9, e[:64], len(e), 1),
    ]


def test_pcapng_sections(tmp_path: Path) -> None:
    """Each section has its own byte order and its own interfaces."""
    path, data = tmp_path / "a.pcapng", b""
    for order, link in (("<", 1), (">", 101), ("<", 113)):
        data += make.section(order=order) + make.interface(link, order=order)
        data += make.enhanced(make.Packet(0, b"frame of 20 bytes..."), 1_000_000, order=order)
    path.write_bytes(data)
    got, summary = read(path)
    assert [link for *_, link in got] == [1, 101, 113]
    assert [time_ns for time_ns, *_ in got] == [10**9] * 3
    assert summary.damage == []


WRAPPERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "gzip members": lambda data: gzip.compress(data[:999]) + gzip.compress(data[999:]),
    "zstd": zstandard.compress,
    "zstd frames": lambda data: zstandard.compress(data[:999]) + zstandard.compress(data[999:]),
    "xz": lzma.compress,
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("ng", [False, True])
def test_compressed_captures(tmp_path: Path, wrapper: str, ng: bool) -> None:
    """The packets are the same, and the piece size of the stream does not show."""
    packets = some(300)
    plain = make.pcapng_file(packets) if ng else make.pcap_file(packets)
    path = tmp_path / "a"
    path.write_bytes(WRAPPERS[wrapper](plain))
    got, summary = read(path)
    assert got == expected(packets, unit_ns=1000)
    assert (summary.damage, summary.bytes_read) == ([], len(plain))


@pytest.mark.parametrize("ng", [False, True])
def test_stream_pieces_of_any_size(tmp_path: Path, ng: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records over the border of a piece, sections and damage too, are read as from a mapped file."""
    packets = some(400)
    data = bytearray(make.pcapng_file(packets) if ng else make.pcap_file(packets))
    data[len(data) // 2 : len(data) // 2] = b"garbage" * 30
    mapped, streamed = tmp_path / "a", tmp_path / "a.gz"
    mapped.write_bytes(data)
    streamed.write_bytes(gzip.compress(bytes(data)))
    whole = read(mapped)[0]
    assert len(whole) >= 399
    for piece in (1500, 4096, 50_000):
        monkeypatch.setattr(capture, "STREAM_PIECE", piece)
        assert [frame for _, frame, *_ in read(streamed, batch=50)[0]] == [frame for _, frame, *_ in whole]


# -- files, folders, patterns ------------------------------------------------------------------------------------------


def test_files_folders_and_patterns(tmp_path: Path) -> None:
    """Each file once, in the order given; a folder stands for the captures in it."""
    packets = some(3)
    (tmp_path / "sub").mkdir()
    for name in ("b.pcap", "a.pcap", "sub/c", "sub/d.pcapng.gz"):
        (tmp_path / name).write_bytes(make.pcap_file(packets))
    (tmp_path / "notes.txt").write_text("no capture")
    every = [str(tmp_path / name) for name in ("a.pcap", "b.pcap", "sub/c", "sub/d.pcapng.gz")]
    assert expand([str(tmp_path)]) == every
    assert expand([str(tmp_path / "*.pcap")]) == every[:2]
    assert expand([every[1], str(tmp_path), "-"]) == [every[1], every[0], *every[2:], "-"]
    with pytest.raises(UnreadableInput, match="no file matches"):
        expand([str(tmp_path / "*.cap")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableInput, match="holds no capture"):
        expand([str(tmp_path / "empty")])


def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    """Text, an image, a header without packets is fine, half a header is not."""
    path = tmp_path / "a"
    for content in (
        b"hello, this is a text file of some length\n" * 100,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        make.pcap_file([])[:20],
    ):
        path.write_bytes(content)
        with pytest.raises(UnreadableInput):
            read(path)
    path.write_bytes(make.pcap_file([]))
    got, summary = read(path)
    assert (got, summary.damage) == ([], [])


# -- stretches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ng", [False, True])
def test_stretches_of_any_size_hold_the_same(tmp_path: Path, ng: bool) -> None:
    """Damage, clock jumps, new interfaces and packets without a time of their own give the same packets, times and
    link types, wherever the borders fall."""
    packets = some(3000)
    if ng:
        parts = [make.section(), make.interface()]
        for k, p in enumerate(packets):
            parts.append(make.simple(p) if k % 5 == 1 else make.enhanced(p, p.time_ns // 1000))
            if k % 400 == 399:
                order = "<>"[k // 400 % 2]
                parts += [
                    make.section(order=order),
                    make.interface([1, 113, 101][k // 400 % 3], order=order, resolution=9),
                ]
                parts += [make.enhanced(p, p.time_ns, order=order), make.section(), make.interface()]
        data = bytearray(b"".join(parts))
    else:
        jumped = [make.Packet(p.time_ns + (k // 700) * 10**9 * 86_400 * 100, p.data) for k, p in enumerate(packets)]
        data = bytearray(make.pcap_file(jumped))
    path = tmp_path / "a"
    for damaged in (False, True):
        if damaged:
            for at in (20_000, 300_000, 300_100, 900_000):
                data[at : at + 30] = b"\xa5" * 30
        path.write_bytes(data)
        one, two = read(path), read(path, batch=97)
        assert two[0] == one[0]
        assert [(d.offset, d.length) for d in two[1].damage] == [(d.offset, d.length) for d in one[1].damage]
        assert bool(one[1].damage) == damaged


# -- damage ------------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([d.__name__ for d in damage.DAMAGERS]))
def test_damaged_synthetic_files_lose_nothing_readable(seed: int, ng: bool, kind: str) -> None:
    """Any kind of damage: no exception, everything whole is read."""
    import tempfile

    packets = some(60)
    data = make.pcapng_file(packets) if ng else make.pcap_file(packets)
    found = damage.parse(data)
    assert len(found) == 60
    on_disk, variant = damage.make_variant(data, found, kind, random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        outcome = damage.try_variant(on_disk, variant, found, Path(folder))
    assert not outcome.crash
    assert outcome.seconds < damage.HANG_S
    # Two kinds of damage can by chance make another valid header; that is counted over many files below.
    assert outcome.lost <= 2


@pytest.mark.real_data
def test_damaged_real_files_lose_nothing_readable(shared_data: Path) -> None:
    """A sample of the benchmark's variants: no crash, no hang, nothing lost, damage told."""
    paths = damage.sources([shared_data / "network" / "pcap_mining"])
    assert len(paths) > 30
    outcomes = damage.run(paths, 144, seed=1)
    assert len(outcomes) >= 140
    assert [o for o in outcomes if o.crash or o.lost or o.unreported or o.seconds > damage.HANG_S] == []
    assert sum(o.readable for o in outcomes) > 10_000


def test_a_truncated_last_packet_is_used(tmp_path: Path) -> None:
    """Its headers still tell who spoke to whom, and the length on the wire is kept."""
    packets = some(8)
    for data, header in ((make.pcap_file(packets), 16), (make.pcapng_file(packets), 28)):
        path = tmp_path / "a"
        path.write_bytes(data[:-60])
        got, summary = read(path)
        assert len(got) == 8
        assert packets[-1].data.startswith(got[-1][1])
        assert got[-1][2] == len(packets[-1].data)
        (told,) = summary.damage
        assert told.offset == damage.parse(data)[-1].start
        assert told.offset + told.length == len(data) - 60
        assert header < told.length


def test_one_wrong_length_costs_only_its_own_packet(tmp_path: Path) -> None:
    """Larger, smaller, huge, zero: the others come whole; the one may come cut, and is told by its offset."""
    packets = some(30)
    data = make.pcap_file(packets)
    at = damage.parse(data)[10].start
    for wrong in (0, 5, 600, 70_000, 300_000, 2**31, 2**32 - 1):
        broken = data[: at + 8] + struct.pack("<I", wrong) + data[at + 12 :]
        path = tmp_path / "a"
        path.write_bytes(broken)
        got, summary = read(path)
        others = [p.data for k, p in enumerate(packets) if k != 10]
        assert damage.lost(others, [frame for _, frame, *_ in got]) == []
        assert any(at <= told.offset <= at + 16 + len(packets[10].data) for told in summary.damage)


def test_the_time_of_a_damaged_clock_is_that_of_its_neighbours(tmp_path: Path) -> None:
    """One flipped bit in the seconds does not move a packet by decades."""
    packets = some(10)
    data = bytearray(make.pcap_file(packets))
    at = damage.parse(bytes(data))[4].start
    data[at + 3] ^= 0x40
    path = tmp_path / "a"
    path.write_bytes(data)
    got, summary = read(path)
    assert len(got) == 10
    assert abs(got[4][0] - packets[4].time_ns) < 3600 * 10**9
    assert [told.offset for told in summary.damage] == [at]


def test_a_capture_inside_a_packet_stays_inside(tmp_path: Path) -> None:
    """A pcap file that was sent over the network is payload, also where the next record header is damaged."""
    inner = make.pcap_file(some(12))[24:1400]
    packets = [make.Packet(p.time_ns, make.frame("10.0.0.1", 1, "10.0.0.2", 2, payload=inner)) for p in some(6)]
    data = bytearray(make.pcap_file(packets))
    record = damage.parse(bytes(data))[3]
    data[record.start + 8] ^= 0xFF
    path = tmp_path / "a"
    path.write_bytes(data)
    got, _ = read(path)
    whole = [p.data for k, p in enumerate(packets) if k != 3]
    assert damage.lost(whole, [frame for _, frame, *_ in got]) == []


def test_notes_are_bounded(tmp_path: Path) -> None:
    """A file of nothing but damage does not fill memory with notes; the last one sums up."""
    data = make.pcap_file([])
    for p in some(3000):
        data += make.pcap_file([p])[24:] + b"\xa5" * 21
    path = tmp_path / "a"
    path.write_bytes(data)
    got, summary = read(path)
    assert len(got) == 3000
    assert len(summary.damage) == 1000
    assert summary.damage[-1].offset + summary.damage[-1].length == len(data)


def test_damage_costs_linear_time(tmp_path: Path) -> None:
    """Clock jumps and garbage all over: twice the file takes about twice as long, not four times."""
    import time

    def seconds(count: int) -> float:
        parts = [make.pcap_file([])]
        for k, p in enumerate(some(count)):
            parts.append(make.pcap_file([make.Packet(p.time_ns + k * 10**9 * 86_400 * 37 % (10**18), p.data)])[24:])
            parts.append(b"\xa5" * 33)
        path = tmp_path / "a"
        path.write_bytes(b"".join(parts))
        before = time.perf_counter()
        assert len(read(path)[0]) >= count - 5
        return time.perf_counter() - before

    seconds(100)
    assert seconds(4000) < 3.5 * 4 * seconds(1000) + 0.2


# -- beside Wireshark --------------------------------------------------------------------------------------------------


@pytest.mark.real_data
@pytest.mark.slow
def test_packet_counts_agree_with_capinfos(
    shared_data: Path, require_tool: Callable[[str], str], tmp_path: Path
) -> None:
    """All 390 captures of the protocol zoo and the mining set: the same number of packets as Wireshark counts, but
    for two fuzzed files whose single record is broken in its header."""
    capinfos = require_tool("capinfos")
    unpack(shared_data / "network" / "benign" / "ndpi_pcaps_and_results.tar.xz", tmp_path)
    magics = {b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\n\r\r\n"}
    paths = []
    for folder in (tmp_path, shared_data / "network" / "pcap_mining"):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                with path.open("rb") as file:
                    if file.read(4) in magics:
                        paths.append(path)
    told = subprocess.run(
        [capinfos, "-c", "-M", "-T", "-r", *map(str, paths)], capture_output=True, text=True, check=False
    )
    counts = {name: int(count) for name, count in (line.split("\t") for line in told.stdout.splitlines())}
    assert len(counts) > 380
    differing = {}
    for name, count in counts.items():
        got = read(Path(name), batch=capture.BATCH_PACKETS)[1].packets
        if got != count:
            differing[Path(name).name] = (count, got)
    # The file is cut short inside its only record, whose header is no header either: there is nothing to go by.
    assert differing == {"fuzz-2021-10-13.pcap": (1, 0)}


def test_captures_in_folders_are_found_under_any_name(tmp_path: Path) -> None:
    """Rotated and compressed ones too: what tells is how the bytes begin."""
    data = make.pcap_file(make.packets_of([make.frame("10.0.0.1", 1000, "10.0.0.2", 2000)]))
    names = {
        "trace.pcap1.gz": gzip.compress(data),
        "trace.gz": gzip.compress(data),
        "TRACE.PCAP.GZ": gzip.compress(data),
        "trace.1": data,
        "trace.xz": lzma.compress(data),
        "trace.zst": zstandard.compress(data),
    }
    for name, content in {**names, "notes.txt": b"no capture", "notes.gz": gzip.compress(b"none")}.items():
        (tmp_path / name).write_bytes(content)
    assert {Path(name).name for name in expand([str(tmp_path)])} == set(names)


def test_a_file_is_read_once_however_it_is_named(tmp_path: Path) -> None:
    """By another path, by a link, by its folder."""
    (tmp_path / "a.pcap").write_bytes(make.pcap_file([]))
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.pcap").symlink_to(tmp_path / "a.pcap")
    given = [str(tmp_path / "sub" / ".." / "a.pcap"), str(tmp_path / "link.pcap"), str(tmp_path)]
    assert expand(given) == given[:1]


def test_an_empty_name_is_not_the_present_folder() -> None:
    """A script's variable that was never set must not give a report on other captures."""
    with pytest.raises(UnreadableInput, match="empty name"):
        expand([""])


def test_what_may_not_be_looked_into_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder or file without permission stands for itself; opening it says why."""
    (tmp_path / "a.pcap").write_bytes(make.pcap_file([]))
    closed = tmp_path / "closed"
    closed.mkdir()
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    listing, opening = os.scandir, open

    def scandir(path: str) -> object:
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(closed))
        return listing(path)

    def open_but_not_secret(name: str, *rest: str) -> object:
        if str(name) == str(secret):
            raise PermissionError(13, "Permission denied", name)
        return opening(name, *rest)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr("headframe.sources.network.container.open", open_but_not_secret, raising=False)
    assert expand([str(tmp_path)]) == [str(tmp_path / "a.pcap"), str(closed), str(secret)]


def test_an_archive_is_named_for_what_it_is(tmp_path: Path) -> None:
    """A tar file is not a damaged capture."""
    (tmp_path / "a.pcap").write_bytes(make.pcap_file([]))
    archive = tmp_path / "captures.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "a.pcap", "a.pcap")
    nothing = KernelInputs(np.zeros(16, dtype=np.uint64), np.uint64(1), np.uint64(2))
    with pytest.raises(UnreadableInput, match="tar archive"):
        CaptureReader(open_source(str(archive)), nothing)


def test_closed_standard_input_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a service without one has it."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UnreadableInput, match="closed"):
        open_source("-")


def test_what_was_recorded_is_told_in_stretches() -> None:
    """A silence of twenty minutes parts two stretches, in any order of packets; of wild times the longest stay."""
    minute = 60 * 10**9
    times = np.array([0, 19, 38, 58, 59, 57, 200, 210], np.int64) * minute
    recorded = capture._with_times([], times[:4])
    assert recorded == [(0, 38 * minute), (58 * minute, 58 * minute)]
    assert capture._with_times([(0, 39 * minute)], times[4:]) == [
        (0, 59 * minute), (200 * minute, 210 * minute)
    ]  # fmt: skip
    wild = np.arange(2 * capture._MOST_STRETCHES, dtype=np.int64) * 60 * minute
    assert len(capture._with_times([(-minute, -1)], wild)) == capture._MOST_STRETCHES
    assert (-minute, -1) in capture._with_times([(-minute, -1)], wild + 60 * minute)
