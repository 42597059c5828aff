"""Read packets out of captures: pcap and pcapng, whole or damaged, mapped or streamed, one file or a rotated set.

A `CaptureReader` gives stretches of decoded packets in file order.

Damage is met in three ways, in this order: a suspicious header is accepted when its neighbours confirm it; a record
whose length led astray is cut where the next chain of records begins; else bytes are passed over up to that place.
Each stretch that was passed over is noted with its offset.
"""

import glob
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headframe.errors import UnreadableInput
from headframe.kernels import frames, pcap, pcapng
from headframe.records.scan import LONGEST_SILENCE_S, Damage, InputSummary
from headframe.records.spans import Span, joined
from headframe.sources.network.container import STANDARD_INPUT, STREAM_PIECE, ByteSource, first_bytes, open_source

BATCH_PACKETS = 32_768
"""Packets in a stretch: 2.9 MB of records, so that it stays in the processor's outer cache."""

_SECOND_NS = 1_000_000_000
_MOST_STRETCHES = 4096  # of one file that are told as recorded; four years of a pause every eight hours
_MAX_DAMAGE_NOTES = 1000  # for each file; a file of nothing but damage must not fill memory with notes
_MIN_FETCH = 1 << 20  # bytes; a call for less costs more than the page faults that it saves
_MAGIC_BITS = 6  # flipped bits up to which a file header is still taken for what it was

_MAGICS = {
    b"\xd4\xc3\xb2\xa1": (False, 1000, 16),
    b"\xa1\xb2\xc3\xd4": (True, 1000, 16),
    b"\x4d\x3c\xb2\xa1": (False, 1, 16),
    b"\xa1\xb2\x3c\x4d": (True, 1, 16),
    b"\x34\xcd\xb2\xa1": (False, 1000, 24),  # Kuznetzov's records, with interface, protocol and packet type
    b"\xa1\xb2\xcd\x34": (True, 1000, 24),
}
_PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
_PACKETS = (pcapng.ENHANCED_PACKET, pcapng.OBSOLETE_PACKET)


@dataclass(frozen=True, slots=True)
class KernelInputs:
    """What the decoding kernels need besides bytes: the indicator names and the run's secret."""

    names: NDArray[np.uint64]
    key_a: np.uint64
    key_b: np.uint64


@dataclass(slots=True)
class Stretch:
    """Decoded packets of one stretch of one file.

    Attributes
    ----------
    buf : uint8[n]
        What `frame` and `payload` count in.
    packets : PACKET[m]
        The first `count` are filled.
    count : int
    end : int
        Offset in the file, after decompression, behind the last packet. [bytes]
    """

    buf: NDArray[np.uint8]
    packets: NDArray[np.void]
    count: int = 0
    end: int = 0


def expand(paths: Sequence[str]) -> list[str]:
    """Files that the given files, folders, patterns and ``-`` stand for, each once, in the order given.

    A folder stands for every file in it and below that begins like a capture, also inside gzip, zstd or xz. What may
    not be looked at stands for itself: opening it will say why.

    Raises
    ------
    UnreadableInput
        Where a path or pattern stands for nothing.
    """
    names: list[str] = []
    known: set[object] = set()
    for given in paths:
        for name in _stands_for(given):
            identity = _identity(name)
            if identity not in known:
                known.add(identity)
                names.append(name)
    return names


def _stands_for(given: str) -> list[str]:
    if given == STANDARD_INPUT:
        return [given]
    if not given:
        raise UnreadableInput("an empty name was given; give a file, a folder, a pattern, or - for standard input")
    if os.path.isdir(given):
        found = _captures_below(given)
        if not found:
            raise UnreadableInput(
                f"{given}: the folder holds no capture; pcap and pcapng are read, also in gzip, zstd or xz"
            )
        return found
    # A name that exists is that file, even where it looks like a pattern; one that may not be asked for as well.
    if os.path.lexists(given) or not glob.has_magic(given):
        try:
            os.stat(given)
        except FileNotFoundError:
            pass
        except OSError:
            return [given]
        else:
            return [given]
    found = sorted(name for name in glob.glob(given, recursive=True) if not os.path.isdir(name))
    if not found:
        raise UnreadableInput(
            f"{given}: no such file, and no file matches it as a pattern; give a pcap or pcapng file, "
            "a folder, a pattern, or - for standard input"
        )
    return found


def _captures_below(folder: str) -> list[str]:
    """Captures in a folder and below, and the files and folders that could not be looked into."""
    closed: list[str] = []
    found = [
        path
        for parent, _folders, files in os.walk(folder, onerror=lambda problem: closed.append(str(problem.filename)))
        for path in (os.path.join(parent, name) for name in files)
        if os.path.isfile(path) and _begins_like_capture(path)
    ]
    return sorted([*found, *closed])


def _identity(name: str) -> object:
    """What two names of one file have in common."""
    try:
        status = os.stat(name)
    except OSError:
        return name
    return status.st_dev, status.st_ino


def _begins_like_capture(name: str) -> bool:
    """Whether a file in a folder is worth opening: by its first bytes, or by its name where they are damaged."""
    if {".pcap", ".pcapng", ".cap", ".dmp"} & {suffix.lower() for suffix in Path(name).suffixes[-2:]}:
        return True
    try:
        head = first_bytes(name, 4)
    except OSError:
        return True  # not permitted: the scan must not pass over it in silence
    return head in _MAGICS or head == _PCAPNG_MAGIC


class _Position:
    """Where the walk is in the bytes at hand."""

    def __init__(self) -> None:
        self.buf: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)
        self.base = 0  # offset of buf[0] in the file
        self.at = 0
        self.previous = -1  # where the last record began, -1 unknown
        self.near = -1  # clock of the last record: seconds for pcap, nanoseconds for pcapng
        self.doubtful = -1  # clock of the last record that only spoke for itself
        self.final = False  # the file ends where buf ends


class CaptureReader:
    """Packets of one capture file, batch by batch.

    Parameters
    ----------
    source : ByteSource
    inputs : KernelInputs
    """

    def __init__(self, source: ByteSource, inputs: KernelInputs) -> None:
        self.summary = InputSummary(file=source.name)
        self._source = source
        self._inputs = inputs
        self._p = _Position()
        self._stretch_bytes = BATCH_PACKETS * 300  # of the file, as far as the last one tells
        self._done = False
        self._swapped = False
        self._pcap: pcap.RecordFormat | None = None
        self._interfaces = _no_interfaces()
        whole = source.whole()
        if whole is not None:
            self._p.buf = whole
            self._p.final = True
        else:
            self._fill()
        self._recognise()

    # -- beginning -----------------------------------------------------------------------------------------------

    def _recognise(self) -> None:
        p = self._p
        magic = p.buf[:4].tobytes()
        if magic in _MAGICS and len(p.buf) >= 24:
            swapped, fraction_ns, header_len = _MAGICS[magic]
            link = _u32(p.buf, 20, swapped) & 0x0FFFFFFF
            snap = _u32(p.buf, 16, swapped)
            limit = max(pcap.MAX_CAPTURED, snap if snap <= 1 << 24 else 0)
            self._pcap = pcap.RecordFormat(swapped, fraction_ns, header_len, link & 0xFFFF, limit, snap)
            p.at = 24
        elif magic == _PCAPNG_MAGIC:
            p.near = 0
        elif p.buf[257:262].tobytes() == b"ustar":
            raise UnreadableInput(
                f"{self.summary.file}: is a tar archive, not a capture; unpack it and give the folder"
            )
        elif not self._guess_format():
            raise UnreadableInput(
                f"{self.summary.file}: begins with {magic.hex(' ') or 'nothing'}, which is no pcap or pcapng capture; "
                "both are read, also in gzip, zstd or xz"
            )

    def _guess_format(self) -> bool:
        """Find packets behind a damaged file header."""
        p = self._p
        head = p.buf[: 1 << 20]
        link_type, snap_len = frames.LINK_ETHERNET, 0
        formats = [(swapped, fraction_ns, 16) for swapped in (False, True) for fraction_ns in (1000, 1)]
        if len(head) >= 24:
            # A few flipped bits in the magic number do not hide what it was, nor the rest of the header.
            distances = {magic: _bits_apart(magic, head[:4].tobytes()) for magic in (*_MAGICS, _PCAPNG_MAGIC)}
            nearest = min(distances, key=distances.__getitem__)
            if distances[nearest] <= _MAGIC_BITS and nearest in _MAGICS:
                formats = [_MAGICS[nearest]]
                link_type, snap_len = _u32(head, 20, formats[0][0]) & 0xFFFF, _u32(head, 16, formats[0][0])
        guesses = [
            pcap.RecordFormat(swapped, fraction_ns, header_len, link_type, pcap.MAX_CAPTURED, snap_len)
            for swapped, fraction_ns, header_len in formats
        ]
        # Where the first record must be, the format that leads farthest; else whatever is found first.
        wanted = 2 * pcap.BLIND_CHAIN
        led = [int(pcap.chain_length(head, 24, fmt, -1, wanted)) for fmt in guesses]
        farthest = max(range(len(guesses)), key=led.__getitem__)
        best = -1
        if led[farthest] >= 3:
            best, self._pcap = 24, guesses[farthest]
        else:
            for fmt in guesses:
                at = int(pcap.find_record(head, 24, fmt, -1, wanted))
                if at >= 0 and (best < 0 or at < best):
                    best, self._pcap = at, fmt
            at, swapped = pcapng.find_after_damage(head, 0, False)
            if at >= 0 and (best < 0 or at < best):
                best, self._pcap, self._swapped, p.near = int(at), None, bool(swapped), 0
            if best < 0 and led[farthest] >= 1:
                best, self._pcap = 24, guesses[farthest]
        if best < 0:
            return False
        p.at = best
        assumed = "; Ethernet is assumed" if self._pcap is not None and len(formats) > 1 else ""
        self._note(0, best, 0, "damaged file header" + assumed)
        return True

    # -- bytes ---------------------------------------------------------------------------------------------------

    def _fill(self) -> bool:
        """Get more bytes of a stream behind those not yet used; False at the end."""
        p = self._p
        if p.final:
            return False
        keep = p.at if p.previous < 0 else min(p.at, p.previous)
        # A record that led astray may have to be looked at again: keep it too, unless it is absurdly long.
        if p.at - keep > 2 * pcap.MAX_CAPTURED:
            keep = p.at
        rest = p.buf[keep:]
        pieces = [rest.tobytes()]
        wanted = STREAM_PIECE
        while wanted > 0:
            data = self._source.read(wanted)
            if not data:
                p.final = True
                break
            pieces.append(data)
            wanted -= len(data)
        p.buf = np.frombuffer(b"".join(pieces), dtype=np.uint8)
        p.base += keep
        p.at -= keep
        p.previous -= keep if p.previous >= 0 else 0
        if p.final and self._source.fault:
            self._note(p.base + len(p.buf), 0, 0, self._source.fault)
        return len(p.buf) > len(rest)

    def _note(self, offset: int, length: int, packets: int, reason: str) -> None:
        damage = self.summary.damage
        if len(damage) < _MAX_DAMAGE_NOTES:
            damage.append(
                Damage(file=self.summary.file, offset=int(offset), length=int(length), packets=packets, reason=reason)
            )
        else:
            last = damage[-1]
            damage[-1] = Damage(
                file=last.file,
                offset=last.offset,
                length=int(offset) + int(length) - last.offset,
                packets=last.packets + packets,
                reason="more damage than is listed one by one",
            )

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """True once every packet was given."""
        return self._done

    def read(self, stretch: Stretch) -> bool:
        """Fill a stretch with the next packets; False where none came, at the end or before more bytes.

        Parameters
        ----------
        stretch : Stretch
            What it held is overwritten.
        """
        if self._done:
            return False
        p = self._p
        stretch.count = 0
        began = p.base + p.at
        self._read_stretch(stretch)
        if p.at >= len(p.buf) and p.final:
            self._done = True
        self._account(stretch)
        stretch.end = self.summary.bytes_read = p.base + p.at
        self._stretch_bytes = max(_MIN_FETCH, stretch.end - began)
        return stretch.count > 0

    def _walk(self, packets: NDArray[np.void], count: int) -> tuple[int, int, int, int, int]:
        p, i = self._p, self._inputs
        self._source.fetch(p.at, min(len(p.buf), p.at + self._stretch_bytes))
        walked: tuple[int, int, int, int, int]
        if self._pcap is not None:
            walked = pcap.read_pcap(p.buf, p.at, self._pcap, p.near, packets, count, i.names, i.key_a, i.key_b)
        else:
            walked = pcapng.read_pcapng(
                p.buf, p.at, self._swapped, self._interfaces, p.near, packets, count, i.names, i.key_a, i.key_b
            )
        return walked

    def _read_stretch(self, stretch: Stretch) -> None:
        """Fill one stretch, past any damage on the way."""
        p = self._p
        stretch.buf = p.buf
        while True:
            count, at, previous, near, status = self._walk(stretch.packets, stretch.count)
            stretch.count, p.at, p.near = count, at, near
            if previous >= 0:
                p.previous = previous
            if status in (pcap.REACHED, pcap.FULL):
                if status == pcap.REACHED and not p.final and stretch.count == 0 and self._fill():
                    stretch.buf = p.buf
                    continue
                return
            if not self._mend(stretch, status):
                return
            if p.buf is not stretch.buf:
                if stretch.count:
                    return  # new bytes came in: what was decoded counts in the old ones
                stretch.buf = p.buf
            if stretch.count >= len(stretch.packets):
                return

    # -- trouble -------------------------------------------------------------------------------------------------

    def _mend(self, stretch: Stretch, status: int) -> bool:
        """Deal with what stopped the walk; False where this stretch (or the file) ends here."""
        p = self._p
        if status == pcap.INCOMPLETE:
            if not p.final:
                if stretch.count:
                    return False  # give what there is; the bytes come with the next call
                if self._fill():
                    return True
            if p.at >= len(p.buf):
                return False
            return self._mend_pcap(stretch, True) if self._pcap is not None else self._mend_pcapng(stretch, True)
        if status == pcap.SPECIAL:
            return self._special(stretch)
        return self._mend_pcap(stretch, False) if self._pcap is not None else self._mend_pcapng(stretch, False)

    def _more(self, stretch: Stretch, needed: int) -> bool | None:
        """Have `needed` bytes behind the position where the stream can give them: None where the caller must come
        again with an empty stretch.
        """
        p = self._p
        while len(p.buf) - p.at < needed and not p.final:
            if stretch.count:
                return None
            if not self._fill():
                break
            stretch.buf = p.buf
        return True

    def _mend_pcap(self, stretch: Stretch, incomplete: bool) -> bool:
        p, fmt = self._p, self._pcap
        assert fmt is not None
        # All decisions below look a few records ahead: have them in the buffer.
        if self._more(stretch, 4 * pcap.MAX_CAPTURED) is None:
            return False
        buf, at = p.buf, p.at
        left = len(buf) - at
        header = fmt.header_len
        seconds = fraction = captured = wire = 0
        clock_near = False
        if left >= header:
            seconds, fraction, captured, wire = (_u32(buf, at + k, fmt.swapped) for k in (0, 4, 8, 12))
            fraction_ok = fraction * fmt.fraction_ns < 1_000_000_000
            clock_near = fraction_ok and p.near >= 0 and abs(seconds - p.near) <= pcap.MAX_STEP_S
            after = at + header + captured
            if captured <= fmt.max_captured and after <= len(buf):
                # Do the records behind it go on as if it were sound? Or does it speak for itself?
                own = int(pcap.chain_length(buf, after, fmt, seconds, 2)) >= 2
                old = p.near >= 0 and int(pcap.chain_length(buf, after, fmt, p.near, 2)) >= 2
                alone = False
                if not (own or old) and fraction_ok and pcap.has_sound_length(buf, at, fmt):
                    alone = int(pcap.find_after_damage(buf[: after + 64], at, fmt, p.near, 1)) == at
                if p.near >= 0 and not clock_near and not old:
                    # A strange clock may be the fraction of a header that begins, with a good clock, a few bytes on
                    # (or began a few bytes ago and lost its first).
                    odd = not 0 < wire <= 0x7FFFFFF
                    on = int(pcap.find_after_damage(buf[: at + 2 * header - 1], at + 1, fmt, p.near, 99))
                    if odd or (on >= 0 and abs(_u32(buf, on, fmt.swapped) - p.near) <= pcap.MAX_STEP_S):
                        own = alone = False
                if 0 < wire < captured:  # which one is damaged? Where the length on the wire leads on, the other
                    by_wire = int(pcap.chain_length(buf, at + header + wire, fmt, p.near, 2)) >= 2
                    own, old, alone = own and not by_wire, old and not by_wire, alone and not by_wire
                if own or old or alone:
                    clock_ok = fraction_ok and (own or not old)
                    if not clock_ok or wire < captured or not (own or old):
                        self._note(p.base + at, header, 0, "damaged record header; the packet was used")
                    time_ns = seconds * 1_000_000_000 + fraction * fmt.fraction_ns
                    if not clock_ok:
                        time_ns = max(p.near, 0) * 1_000_000_000
                    elif own or abs(seconds - p.doubtful) <= pcap.MAX_STEP_S:
                        p.near = seconds
                    else:
                        p.doubtful = seconds  # the clock may have been set: the next record will tell
                    self._emit(stretch, time_ns, at + header, captured, max(wire, captured), fmt.link_type)
                    p.previous = at
                    p.at = after
                    return True
        # A plausible header that leads out of the file was reached by a sound one: nothing before it is doubted.
        search_from = at + 1 if incomplete or p.previous < 0 else p.previous + header + 1
        found = -1
        for blind in (pcap.BLIND_CHAIN, 3, 2) if p.final else (pcap.BLIND_CHAIN,):
            found = int(pcap.find_after_damage(buf, search_from, fmt, p.near, blind))
            if found >= 0:
                break
        if found < 0 and not p.final:
            # Nothing here: pass over what was searched, but for a tail in which a record may begin.
            passed = max(at, len(buf) - 4 * pcap.MAX_CAPTURED)
            if passed > at:
                self._note(p.base + at, passed - at, 0, "bytes that are no record")
                p.at, p.previous = passed, -1
                return True
            return bool(stretch.count == 0 and self._fill())
        if 0 <= found < at:
            # The record before told a wrong length, or bytes of it are gone, and it swallowed others: cut it there.
            # Records that do not lead on beyond it are rather its payload (a capture sent over the network): then it
            # stays as it is. So it does where only its last bytes pass for the lost beginning of the next header.
            body = p.previous + header
            if at - found >= header and pcap.goes_beyond(buf, found, fmt, p.near, at):
                self._shorten_last(stretch, body, found - body)
            self._note(p.base + p.previous, found - p.previous, 0, "wrong record length; the packet was cut")
            p.at, p.previous = found, -1
            return True
        if found >= 0:
            length = found - at - header
            if clock_near and 14 <= length <= fmt.max_captured and length in (captured, wire):
                # One of its two lengths is damaged, and the place of the next record confirms the other.
                self._note(p.base + at, header, 0, "damaged record length; the packet was used")
                time_ns = seconds * 1_000_000_000 + fraction * fmt.fraction_ns
                self._emit(stretch, time_ns, at + header, length, length, fmt.link_type)
            else:
                self._note(p.base + at, found - at, 1, "bytes that are no record")
            p.at, p.previous = found, -1
            return True
        if incomplete and left > header + 14 and left - header < captured <= fmt.max_captured:
            # The end of the file is missing: what there is of the last packet still tells who spoke to whom.
            self._note(p.base + at, left, 0, "the file ends inside this packet; its beginning was used")
            time_ns = seconds * 1_000_000_000 + fraction * fmt.fraction_ns
            self._emit(stretch, time_ns, at + header, left - header, max(wire, left - header), fmt.link_type)
            p.at = len(buf)
            return False
        reason = "the file ends inside a record" if incomplete else "bytes that are no record, to the end"
        self._note(p.base + at, left, 1, reason)
        p.at = len(buf)
        return False

    def _mend_pcapng(self, stretch: Stretch, incomplete: bool) -> bool:
        p = self._p
        if self._more(stretch, 4 * pcap.MAX_CAPTURED) is None:
            return False
        buf, at = p.buf, p.at
        size = len(buf)
        swapped = self._swapped
        found, found_swapped = (int(answer) for answer in pcapng.find_after_damage(buf, at + 1, swapped))
        if at + 12 <= size:
            kind, length = (_u32(buf, at + k, swapped) for k in (0, 4))
            end = at + length
            lengths_agree = 12 <= length <= size - at and _u32(buf, end - 4, swapped) == length
            # Where the length at the end is the damaged one, the next block is where the one at the beginning says.
            goes_on = 12 <= length <= size - at and (found == end or (found < 0 and end == size))
            if length % 4 == 0 and (lengths_agree or goes_on):
                if not lengths_agree:
                    self._note(p.base + end - 4, 4, 0, "damaged block length; the block was used")
                if self._salvage(stretch, kind, at, end):
                    p.previous, p.at = at, end
                    return True
                self._note(p.base + at, length, 1, "bad block")
                p.previous, p.at = at, end
                return True
        if found < 0 and not p.final:
            passed = max(at, size - 2 * pcap.MAX_CAPTURED)
            if passed > at:
                self._note(p.base + at, passed - at, 0, "bytes that are no block")
                p.at, p.previous = passed, -1
                return True
            return bool(stretch.count == 0 and self._fill())
        if p.previous >= 0 and not incomplete:
            # Bytes of the block before may be gone; where lengths are equal, its end seems to be in a later block.
            inner, inner_swapped = (int(answer) for answer in pcapng.find_after_damage(buf, p.previous + 12, swapped))
            if 0 <= inner < at:
                self._note(p.base + p.previous, inner - p.previous, 0, "blocks inside a block")
                p.at, p.previous, self._swapped = inner, -1, bool(inner_swapped)
                return True
        if found < 0 and incomplete and at + 28 + 14 <= size:
            kind, length = (_u32(buf, at + k, swapped) for k in (0, 4))
            if length <= pcapng.MAX_BLOCK and kind in _PACKETS and self._salvage(stretch, kind, at, size + 4):
                self._note(p.base + at, size - at, 0, "the file ends inside this packet; its beginning was used")
                p.at = size
                return False
        stop = found if found >= 0 else size
        # A block whose length is damaged still begins with a sound packet header.
        kind = _u32(buf, at, swapped) if at + 28 + 14 <= stop else 0
        if kind in _PACKETS and self._salvage(stretch, kind, at, stop):
            self._note(p.base + at, stop - at, 0, "wrong block length; the packet was used")
        else:
            reason = "the file ends inside a block" if found < 0 else "bytes that are no block"
            self._note(p.base + at, stop - at, 1, reason)
        p.at, p.previous, self._swapped = stop, -1, bool(found_swapped)
        return found >= 0

    def _salvage(self, stretch: Stretch, kind: int, at: int, end: int) -> bool:
        """Take a packet out of a packet block that contradicts itself; other blocks count as read."""
        if kind not in _PACKETS:
            return kind != pcapng.SIMPLE_PACKET
        buf, swapped = self._p.buf, self._swapped
        if end - at < 32 + 14:
            return False
        k, high, low, captured, wire = (_u32(buf, at + n, swapped) for n in (8, 12, 16, 20, 24))
        if kind == pcapng.OBSOLETE_PACKET:  # interface number and drop count share the word
            k = k >> 16 if swapped else k & 0xFFFF
        if k >= len(self._interfaces.link_type):
            if len(self._interfaces.link_type) == 0:
                self._note(self._p.base + at, 0, 0, "no interface description; Ethernet and microseconds are assumed")
                self._interfaces = _assumed_interface()
            else:
                self._note(self._p.base + at, 0, 0, f"interface {k} is not described; the first one is assumed")
            k = 0
        room = min(end - 4, len(buf)) - (at + 28)
        if not 0 < captured <= room:
            captured = room
        with np.errstate(over="ignore"):  # a damaged time wraps round, as it does in compiled code
            time_ns = int(pcapng._time_ns.py_func(high, low, k, self._interfaces))
        link = int(self._interfaces.link_type[k])
        self._emit(stretch, time_ns, at + 28, captured, max(min(wire, 0x7FFFFFFF), captured), link)
        return True

    def _emit(self, stretch: Stretch, time_ns: int, frame: int, captured: int, wire: int, link_type: int) -> None:
        packet = stretch.packets[stretch.count]
        packet["time_ns"] = time_ns
        packet["frame"] = frame
        packet["captured_len"] = captured
        packet["wire_len"] = wire
        packet["link_type"] = link_type & 0xFFFF
        stretch.count += 1
        self._decode_again(stretch)

    def _shorten_last(self, stretch: Stretch, frame: int, captured: int) -> None:
        if stretch.count and int(stretch.packets[stretch.count - 1]["frame"]) == frame:
            stretch.packets[stretch.count - 1]["captured_len"] = captured
            self._decode_again(stretch)

    def _decode_again(self, stretch: Stretch) -> None:
        from headframe.kernels.look import look_at_payloads

        i, n = self._inputs, stretch.count
        frames.decode_frames(stretch.buf, stretch.packets, n - 1, n, i.key_a, i.key_b)
        look_at_payloads(stretch.buf, stretch.packets, n - 1, n, i.names)

    # -- pcapng sections -----------------------------------------------------------------------------------------

    def _special(self, stretch: Stretch) -> bool:
        """Read a section header or an interface description."""
        p = self._p
        if self._more(stretch, 28) is None:
            return False
        # Its length may be in either byte order until it was read: have what the longer of the believable ones asks.
        claimed = [_u32(p.buf, p.at + 4, swapped) for swapped in (False, True) if len(p.buf) - p.at >= 12]
        if self._more(stretch, 12 + max((n for n in claimed if n <= pcapng.MAX_BLOCK), default=0)) is None:
            return False
        if p.buf[p.at : p.at + 4].tobytes() == _PCAPNG_MAGIC:
            return self._begin_section()
        return self._add_interface()

    def _begin_section(self) -> bool:
        p = self._p
        buf, at = p.buf, p.at
        self._interfaces = _no_interfaces()
        order = buf[at + 8 : at + 12].tobytes()
        if order in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
            self._swapped = order == b"\x1a\x2b\x3c\x4d"
        else:  # the mark of the byte order is damaged: the two lengths show it
            agreeing = [swapped for swapped in (self._swapped, not self._swapped) if pcapng.is_block(buf, at, swapped)]
            if agreeing:
                self._swapped = agreeing[0]
                self._note(p.base + at, 12, 0, "damaged section header")
        if pcapng.is_block(buf, at, self._swapped):
            p.previous, p.at = at, at + _u32(buf, at + 4, self._swapped)
            return True
        return self._pass_damaged("damaged section header")

    def _add_interface(self) -> bool:
        p = self._p
        buf, at = p.buf, p.at
        link, snap = frames.LINK_ETHERNET, 0
        if len(buf) - at >= 20:
            link = int.from_bytes(buf[at + 8 : at + 10].tobytes(), "big" if self._swapped else "little")
            snap = _u32(buf, at + 12, self._swapped)
        length = _u32(buf, at + 4, self._swapped)
        sound = length >= 20 and bool(pcapng.is_block(buf, at, self._swapped))
        if sound:
            stop = at + length
        else:  # one of its lengths is damaged; the rest is believed, up to the next block
            following = int(pcapng.find_after_damage(buf, at + 4, self._swapped)[0])
            stop = min(following if following >= 0 else len(buf), at + 4096)
        options = buf[at + 16 : stop - 4].tobytes()
        self._interfaces = _with_interface(self._interfaces, link, snap, options, self._swapped)
        if sound:
            p.previous, p.at = at, stop
            return True
        return self._pass_damaged("damaged interface description")

    def _pass_damaged(self, reason: str) -> bool:
        """Go on behind a special block whose length is not to be believed."""
        p = self._p
        following, swapped = (int(answer) for answer in pcapng.find_after_damage(p.buf, p.at + 4, self._swapped))
        stop = following if following >= 0 else len(p.buf)
        self._note(p.base + p.at, stop - p.at, 0, reason)
        p.at, p.previous, self._swapped = stop, -1, bool(swapped)
        return following >= 0 or not p.final

    # -- accounting ----------------------------------------------------------------------------------------------

    def _account(self, stretch: Stretch) -> None:
        n = stretch.count
        if n == 0:
            return
        packets = stretch.packets[:n]
        summary = self.summary
        summary.packets += n
        counts = np.bincount(packets["status"], minlength=1)
        summary.decoded += int(counts[frames.OK])
        for status in np.flatnonzero(counts[1:]) + 1:
            if status == frames.UNKNOWN_LINK:
                kinds = np.unique(packets["link_type"][packets["status"] == status])
                text = "unknown link type " + ", ".join(str(k) for k in kinds)
            else:
                text = frames.STATUS_TEXT[int(status)]
            summary.undecoded[text] = summary.undecoded.get(text, 0) + int(counts[status])
        first, last = int(packets["time_ns"][0]), int(packets["time_ns"][n - 1])
        if summary.first_ns is None:
            summary.first_ns = first
        summary.last_ns = last
        summary.recorded = _with_times(summary.recorded, packets["time_ns"])

    def close(self) -> None:
        """Give the file back."""
        self._source.close()


def _u32(buf: NDArray[np.uint8], at: int, swapped: bool) -> int:
    return int.from_bytes(buf[at : at + 4].tobytes(), "big" if swapped else "little")


def _bits_apart(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()


def _no_interfaces() -> pcapng.Interfaces:
    return pcapng.Interfaces(*(np.empty(0, dtype=np.int64) for _ in range(6)))


def _assumed_interface() -> pcapng.Interfaces:
    return _with_interface(_no_interfaces(), frames.LINK_ETHERNET, 0, b"", False)


def _with_interface(
    known: pcapng.Interfaces, link_type: int, snap_len: int, options: bytes, swapped: bool
) -> pcapng.Interfaces:
    """One more interface; unreadable options leave the defaults (microseconds since 1970)."""
    order = ">" if swapped else "<"
    numerator, denominator, shift, offset_ns = 1000, 1, 0, 0
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from(order + "HH", options, at)
        value = options[at + 4 : at + 4 + size]
        if code == 0 or len(value) < size:
            break
        if code == 9 and size >= 1:  # if_tsresol
            exponent = value[0] & 0x7F
            if value[0] & 0x80:
                numerator, denominator, shift = 0, 1, min(exponent, 63)
                if exponent == 0:
                    numerator, shift = 1_000_000_000, 0
            elif exponent <= 9:
                numerator, denominator, shift = 10 ** (9 - exponent), 1, 0
            else:
                numerator, denominator, shift = 1, 10 ** min(exponent - 9, 18), 0
        elif code == 14 and size >= 8:  # if_tsoffset
            offset_ns = struct.unpack(order + "q", value[:8])[0] * 1_000_000_000
            if abs(offset_ns) > 1 << 62:
                offset_ns = 0
        at += 4 + (size + 3) // 4 * 4
    row = (link_type, numerator, denominator, shift, offset_ns, snap_len)
    return pcapng.Interfaces(*(np.append(column, np.int64(value)) for column, value in zip(known, row, strict=True)))


def first_time_ns(name: str) -> int | None:
    """Capture time of a file's first packet [ns since 1970-01-01 UTC], None where none can be read; opens the file
    and closes it again. Not for standard input.
    """
    source = open_source(name)
    nothing = KernelInputs(np.zeros(16, dtype=np.uint64), np.uint64(0), np.uint64(0))
    try:
        reader = CaptureReader(source, nothing)
        stretch = Stretch(buf=np.empty(0, dtype=np.uint8), packets=np.zeros(1, dtype=frames.PACKET))
        reader.read(stretch)
        return int(stretch.packets["time_ns"][0]) if stretch.count else None
    finally:
        source.close()


def _with_times(recorded: list[Span], time_ns: NDArray[np.int64]) -> list[Span]:
    """Stretches that were recorded, with those of more packets."""
    # Packets of several interfaces come a little out of order, and a damaged time is a stretch of no length.
    ordered = np.sort(time_ns)
    silent = np.flatnonzero(np.diff(ordered) >= LONGEST_SILENCE_S * _SECOND_NS)
    starts = ordered[np.concatenate([[0], silent + 1])].tolist()
    ends = ordered[np.concatenate([silent, [ordered.size - 1]])].tolist()
    stretches = joined([*recorded, *zip(starts, ends, strict=True)], LONGEST_SILENCE_S * _SECOND_NS)
    if len(stretches) > _MOST_STRETCHES:
        # Of times that jump about, the longest stretches: what is left out counts as not recorded.
        stretches = sorted(sorted(stretches, key=lambda span: span[0] - span[1])[:_MOST_STRETCHES])
    return stretches
