"""Walk the blocks of a pcapng file (draft-ietf-opsawg-pcapng).

A block is a 32-bit type, a 32-bit length, the body padded to 4 bytes, and the length again, in the byte order of
its section. Packet blocks (enhanced, simple, and the obsolete kind) are read here; section headers and interface
descriptions are rare and go to the caller; all others are passed over. The repeated length makes damage plain.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headframe.kernels.frames import decode_frames
from headframe.kernels.jit import kernel
from headframe.kernels.look import look_at_payloads
from headframe.kernels.pcap import _STRIDE, FULL, IMPLAUSIBLE, INCOMPLETE, REACHED, SPECIAL, u32
from headframe.kernels.prefetch import AHEAD, LINE, prefetch

SECTION_HEADER = 0x0A0D0D0A
INTERFACE = 1
OBSOLETE_PACKET = 2
SIMPLE_PACKET = 3
NAME_RESOLUTION = 4
STATISTICS = 5
ENHANCED_PACKET = 6
DECRYPTION_SECRETS = 10

MAX_BLOCK = 16 * 1024 * 1024  # longer blocks are taken for damage, as Wireshark does


class Interfaces(NamedTuple):
    """The interfaces of one section, by number.

    A time stamp in ticks becomes ``offset_ns + ticks * numerator / denominator`` nanoseconds; with a power-of-two
    resolution `shift` > 0 the fraction is ``ticks / 2**shift`` seconds.
    """

    link_type: NDArray[np.int64]
    numerator: NDArray[np.int64]
    denominator: NDArray[np.int64]
    shift: NDArray[np.int64]
    offset_ns: NDArray[np.int64]
    snap_len: NDArray[np.int64]


@njit
def _time_ns(high, low, k, interfaces):
    ticks = (np.uint64(high) << np.uint64(32)) | np.uint64(low)
    shift = interfaces.shift[k]
    if shift > 0:
        whole = np.int64(ticks >> np.uint64(shift))
        part = ticks & ((np.uint64(1) << np.uint64(shift)) - np.uint64(1))
        if shift > 30:  # keep the product below 2**64
            part >>= np.uint64(shift - 30)
            shift = 30
        return (
            interfaces.offset_ns[k]
            + whole * 1_000_000_000
            + np.int64((part * np.uint64(1_000_000_000)) >> np.uint64(shift))
        )
    return interfaces.offset_ns[k] + np.int64(ticks) * interfaces.numerator[k] // interfaces.denominator[k]


@kernel
def is_block(buf, o, swapped):
    """Whether a whole block of a known type begins at `o`."""
    if o + 12 > len(buf):
        return False
    kind = u32(buf, o, swapped)
    if not (1 <= kind <= 6 or kind == DECRYPTION_SECRETS or kind == SECTION_HEADER):
        return False
    size = u32(buf, o + 4, swapped)
    if size < 12 or size & 3 or size > MAX_BLOCK or o + size > len(buf):
        return False
    return u32(buf, o + size - 4, swapped) == size


@njit
def _is_sound_packet(buf, o, swapped):
    """Whether the packet in the enhanced packet block at `o` fits into it."""
    size = u32(buf, o + 4, swapped)
    return u32(buf, o, swapped) == ENHANCED_PACKET and size >= 32 and u32(buf, o + 20, swapped) <= size - 32


@kernel
def find_after_damage(buf, start, swapped):
    """The first whole block of a known type at or after `start`: its offset (-1 for none) and byte order.

    One block is enough: its type and the agreement of its two lengths are some 55 bits. The byte order may have
    changed with a section header that is lost; read in the wrong order, three bytes early, small numbers look right,
    so there the packet inside must fit as well.
    """
    for o in range(start, len(buf) - 11):
        if is_block(buf, o, swapped):
            if u32(buf, o, swapped) != ENHANCED_PACKET or _is_sound_packet(buf, o, swapped):
                return o, swapped
        elif is_block(buf, o, not swapped):
            if u32(buf, o, swapped) == SECTION_HEADER or _is_sound_packet(buf, o, not swapped):
                return o, not swapped
    return -1, swapped


@kernel
def read_pcapng(buf, start, swapped, interfaces, near_ns, packets, count, names, key_a, key_b):
    """Walk, decode and look at the packet blocks from `start`; parameters and result as `read_pcap`.

    `near_ns` is the time of the last packet: simple packet blocks have none of their own and take it over.
    The walk stops with SPECIAL at a section header or interface description, with IMPLAUSIBLE at damage.
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
            if o + 12 > size:
                status = INCOMPLETE
                break
            kind = u32(buf, o, swapped)
            block = u32(buf, o + 4, swapped)
            if kind == SECTION_HEADER or kind == INTERFACE:
                status = SPECIAL
                break
            if block < 12 or block & 3 or block > MAX_BLOCK:
                status = IMPLAUSIBLE
                break
            if o + block > size:
                status = INCOMPLETE
                break
            if u32(buf, o + block - 4, swapped) != block:
                status = IMPLAUSIBLE
                break
            body_end = o + block - 4
            if kind == ENHANCED_PACKET or kind == OBSOLETE_PACKET:
                if block < 32:
                    status = IMPLAUSIBLE
                    break
                k = u32(buf, o + 8, swapped)
                if kind == OBSOLETE_PACKET:  # interface number and drop count share the word
                    k = (k >> 16) if swapped else (k & 0xFFFF)
                if k >= len(interfaces.link_type):
                    status = IMPLAUSIBLE
                    break
                captured = u32(buf, o + 20, swapped)
                if o + 28 + captured > body_end:
                    status = IMPLAUSIBLE
                    break
                p = packets[count]
                p.time_ns = _time_ns(u32(buf, o + 12, swapped), u32(buf, o + 16, swapped), k, interfaces)
                p.frame = o + 28
                p.captured_len = captured
                p.wire_len = u32(buf, o + 24, swapped)
                p.link_type = interfaces.link_type[k]
                near_ns = p.time_ns
                previous = o
                count += 1
            elif kind == SIMPLE_PACKET:
                if block < 16 or len(interfaces.link_type) == 0:
                    status = IMPLAUSIBLE
                    break
                p = packets[count]
                wire = u32(buf, o + 8, swapped)
                captured = min(wire, body_end - (o + 12))
                if interfaces.snap_len[0] > 0:
                    captured = min(captured, interfaces.snap_len[0])
                p.time_ns = near_ns
                p.frame = o + 12
                p.captured_len = captured
                p.wire_len = wire
                p.link_type = interfaces.link_type[0]
                previous = o
                count += 1
            o += block
            while fetched < o + AHEAD:
                prefetch(buf, fetched, 0)
                fetched += LINE
        decode_frames(buf, packets, first, count, key_a, key_b)
        look_at_payloads(buf, packets, first, count, names)
        if status != REACHED or o >= size:
            return count, o, previous, near_ns, status
        if count >= len(packets):
            return count, o, previous, near_ns, FULL
