"""Walk the records of a classic pcap file.

The file begins with 24 bytes: magic, version, snap length, link type. A record is 16 bytes (seconds, fraction,
captured length, length on the wire, each 32 bits in the writer's byte order; 24 bytes in Kuznetzov's variant) and
the captured bytes. Nothing marks a record's beginning, so damage is found by implausible headers, and the way
back by a chain of plausible ones.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from headframe.kernels.frames import be32, decode_frames, u8
from headframe.kernels.jit import kernel
from headframe.kernels.look import look_at_payloads
from headframe.kernels.prefetch import AHEAD, LINE, prefetch

REACHED = 0  # the next record begins at or after `stop`
FULL = 1  # no room in `packets`
INCOMPLETE = 2  # the record at `next` goes beyond the buffer
IMPLAUSIBLE = 3  # the header at `next` is not believed
SPECIAL = 4  # pcapng: the block at `next` is for the caller (section, interface)

_STRIDE = 2048  # records that are walked, then decoded, then looked at while still in cache

MAX_CAPTURED = 262_144  # the largest packet that libpcap and Wireshark write (MAXIMUM_SNAPLEN)
MAX_STEP_S = 30 * 86_400  # a clock jump that makes a header suspicious until its neighbours confirm it
DAY_S = 86_400
EARLIEST_S = 315_532_800  # 1980: clocks before that count from the start of a machine
TRUST_CHAIN = 3  # plausible records in a row to go on with after damage
BLIND_CHAIN = 5  # the same with no clock to compare with


class RecordFormat(NamedTuple):
    """How the records of one pcap file are written."""

    swapped: bool  # byte order differs from little endian
    fraction_ns: int  # 1000 for microseconds, 1 for nanoseconds
    header_len: int  # 16, or 24 in Kuznetzov's variant
    link_type: int
    max_captured: int
    snap_len: int = 0  # as the file header has it; 0 where that is lost


@njit
def u32(buf, o, swapped):
    """A 32-bit field in the writer's byte order: little endian unless `swapped`."""
    if swapped:
        return be32(buf, o)
    return (u8(buf, o + 3) << 24) | (u8(buf, o + 2) << 16) | (u8(buf, o + 1) << 8) | u8(buf, o)


@njit
def _plausible(buf, o, fmt, near_s):
    """Whether the header at `o` (which lies in the buffer) looks like one; `near_s` < 0 asks nothing of the clock."""
    seconds = u32(buf, o, fmt.swapped)
    fraction = u32(buf, o + 4, fmt.swapped)
    captured = u32(buf, o + 8, fmt.swapped)
    wire = u32(buf, o + 12, fmt.swapped)
    if captured > fmt.max_captured or wire < captured or wire == 0 or wire > 0x7FFFFFF:
        return False
    if fraction * fmt.fraction_ns >= 1_000_000_000:
        return False
    return near_s < 0 or abs(seconds - near_s) <= MAX_STEP_S


@kernel
def chain_length(buf, o, fmt, near_s, wanted):
    """How many plausible records follow each other from `o`, at most `wanted`; the exact end of the buffer counts
    as many as are still wanted.
    """
    n = 0
    while n < wanted:
        if o == len(buf):
            return wanted
        if o + fmt.header_len > len(buf) or not _plausible(buf, o, fmt, near_s):
            return n
        near_s = u32(buf, o, fmt.swapped)
        o += fmt.header_len + u32(buf, o + 8, fmt.swapped)
        n += 1
        if o > len(buf):
            return n - 1
    return n


@kernel
def find_record(buf, start, fmt, near_s, wanted):
    """Offset of the first place at or after `start` where `wanted` plausible records follow each other, or -1."""
    for o in range(start, len(buf) - fmt.header_len + 1):
        if _plausible(buf, o, fmt, near_s) and chain_length(buf, o, fmt, near_s, wanted) >= wanted:
            return o
    return -1


@kernel
def has_sound_length(buf, o, fmt):
    """Whether the two lengths at `o` confirm each other: the packet is whole, or cut exactly at the snap length.

    64 bits that agree: damage makes this up once in some 2**44 places.
    """
    captured = u32(buf, o + 8, fmt.swapped)
    wire = u32(buf, o + 12, fmt.swapped)
    if captured == 0 or captured > fmt.max_captured or wire > 0x7FFFFFF:
        return False
    return captured == wire or (captured == fmt.snap_len and wire > captured)


@kernel
def _sound_chain(buf, o, fmt, wanted):
    """Whether `wanted` plausible records with sound lengths, or as many as there are, lead on from `o`."""
    near_s = -1
    for _record in range(wanted):
        if o == len(buf) and near_s >= 0:
            return True
        if o + fmt.header_len > len(buf) or not _plausible(buf, o, fmt, near_s) or not has_sound_length(buf, o, fmt):
            return False
        near_s = u32(buf, o, fmt.swapped)
        o += fmt.header_len + u32(buf, o + 8, fmt.swapped)
    return o <= len(buf)


@kernel
def find_after_damage(buf, start, fmt, near_s, blind):
    """Offset of the first record at or after `start` that can be believed, or -1.

    A packet between two damaged places has no neighbours to speak for it, so one record must be enough:

    - its clock is within a day of `near_s` (some 60 bits that fit), or within `MAX_STEP_S` and its length is sound;
    - its clock is a date at all and its length is sound, or `blind` such follow each other with any clock.

    The second kind gives way to one of the first, or to one that leads on farther, that begins within its header:
    a few bytes off, parts of two fields can pass for one.
    """
    found = -1
    found_chain = 0
    for o in range(start, len(buf) - fmt.header_len + 1):
        if found >= 0 and o >= found + fmt.header_len:
            return found
        if not _plausible(buf, o, fmt, -1):
            continue
        seconds = u32(buf, o, fmt.swapped)
        sound = has_sound_length(buf, o, fmt)
        if near_s >= 0 and abs(seconds - near_s) <= MAX_STEP_S:
            wire = u32(buf, o + 12, fmt.swapped)
            close = abs(seconds - near_s) <= DAY_S and u32(buf, o + 8, fmt.swapped) >= 14 and wire <= MAX_CAPTURED
            if sound or close or chain_length(buf, o, fmt, near_s, TRUST_CHAIN) >= TRUST_CHAIN:
                return o
        if (sound and seconds >= EARLIEST_S) or _sound_chain(buf, o, fmt, blind):
            chain = chain_length(buf, o, fmt, -1, TRUST_CHAIN)
            if found < 0 or chain > found_chain:
                found = o
                found_chain = chain
    return found


@kernel
def goes_beyond(buf, o, fmt, near_s, border):
    """Whether the plausible records from `o` lead across `border` and on to another one (or the exact end)."""
    while o <= border:
        if o + fmt.header_len > len(buf) or not _plausible(buf, o, fmt, near_s):
            return False
        near_s = u32(buf, o, fmt.swapped)
        o += fmt.header_len + u32(buf, o + 8, fmt.swapped)
    return chain_length(buf, o, fmt, near_s, 1) == 1


@kernel
def read_pcap(buf, start, fmt, near_s, packets, count, names, key_a, key_b):
    """Walk, decode and look at the records from `start`.

    Parameters
    ----------
    buf : uint8[n]
    start : int
        Offset in `buf`.
    fmt : RecordFormat
    near_s : int
        Seconds of the last record believed, or -1.
    packets : PACKET[m]
        Filled from index `count`.
    count : int
    names, key_a, key_b
        See `look_at_payloads`, `decode_frames`.

    Returns
    -------
    count, next, previous, near_s, status : int
        Records in `packets`; where the next record begins; where the last one began (-1 if none was read in this
        call); its seconds; why the walk ended.
    """
    o = start
    previous = np.int64(-1)
    status = REACHED
    size = len(buf)
    fetched = o
    while True:
        first = count
        room = min(count + _STRIDE, len(packets))
        status = REACHED
        while count < room:
            if o >= size:
                break
            if o + fmt.header_len > size:
                status = INCOMPLETE
                break
            if not _plausible(buf, o, fmt, near_s):
                status = IMPLAUSIBLE
                break
            seconds = u32(buf, o, fmt.swapped)
            captured = u32(buf, o + 8, fmt.swapped)
            following = o + fmt.header_len + captured
            if following > size:
                status = INCOMPLETE
                break
            p = packets[count]
            p.time_ns = seconds * 1_000_000_000 + u32(buf, o + 4, fmt.swapped) * fmt.fraction_ns
            p.frame = o + fmt.header_len
            p.captured_len = captured
            p.wire_len = u32(buf, o + 12, fmt.swapped)
            p.link_type = fmt.link_type
            near_s = seconds
            previous = o
            o = following
            count += 1
            while fetched < o + AHEAD:
                prefetch(buf, fetched, 0)
                fetched += LINE
        decode_frames(buf, packets, first, count, key_a, key_b)
        look_at_payloads(buf, packets, first, count, names)
        if status != REACHED or o >= size:
            return count, o, previous, near_s, status
        if count >= len(packets):
            return count, o, previous, near_s, FULL
