"""The conversation table: packets in, per-conversation state, packet series and the packets worth parsing out.

One thread keeps the table; it costs a third of what decoding does, which others do meanwhile. Packets come in order,
so the result does not depend on the number of threads.

Memory in bytes, for n conversations alive at once of which long ones hold s payload packets::

    260 * n    (state 192, addresses 32, slots at half load 16 to 32, free list 4)
    + 12.5 * s (time 8, signed size 4, links 8 per block of 16; at least one block, 200, where there is payload)

and up to twice that in reserve, for both grow by doubling.

Conversations that ended, or were idle for longer than the time-outs, give their room back.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headframe.kernels.frames import mix64, u8
from headframe.kernels.jit import kernel
from headframe.kernels.look import (
    DNS_TCP,
    HTTP_RPC_HEAD,
    NAME,
    NOISE_HELLO,
    NOTHING,
    QUIC_INITIAL,
    RPC,
    RPC_WEAK,
    TLS_PART,
    _in_table,
    client_hello,
)
from headframe.kernels.prefetch import prefetch

CONVERSATION = np.dtype(
    [
        ("key0", "u8"),
        ("key1", "u8"),
        ("last_ns", "i8"),
        ("flags", "u4"),
        ("hash", "u4"),
        ("orig_next", "u4"),  # next sequence number of each side
        ("resp_next", "u4"),
        ("series_tail", "i4"),  # block and place of the next entry, -1 for no block yet
        ("series_len", "i4"),
        ("orig_pkts", "i8"),
        ("resp_pkts", "i8"),
        ("orig_bytes", "i8"),
        ("resp_bytes", "i8"),
        ("missed_bytes", "i8"),
        ("first_ns", "i8"),
        ("orig_hole_first", "u4"),  # the latest hole in each side's sequence space, to be filled by late segments
        ("orig_hole_last", "u4"),
        ("resp_hole_first", "u4"),
        ("resp_hole_last", "u4"),
        ("seen", "u4"),  # letters of `history` that were written, one bit each
        ("series_head", "i4"),
        ("hello", "i4"),  # place in the hello pool, -1 for none
        ("hello_next", "u4"),  # sequence number that follows what the pool has
        ("history_len", "u1"),
        ("parts", "u1"),  # packets handed to an assembler of opening messages
        ("proto", "u1"),
        ("version", "u1"),
        ("in_use", "u1"),
        ("orig_p", "u2"),
        ("resp_p", "u2"),
        ("vlan", "u2"),
        ("orig_isn", "u4"),  # initial sequence numbers, where the flags say that the SYN was seen
        ("resp_isn", "u4"),
        ("first_packet", "i8"),  # ordinal of its first packet in the whole run
        ("history", "u1", (32,)),
    ],
    align=True,
)
assert CONVERSATION.itemsize == 192, "three cache lines; the third is touched only when a letter is written"

SELECTED = np.dtype([("packet", "i4"), ("conversation", "i4"), ("side", "u1"), ("look", "u1")], align=True)

# flags
ORIG_LOW = 1  # the originator is the lower endpoint of the key
TURNED = 2  # the first packet came from the responder
SYN = 4  # SYN of the originator
SYN_ACK = 8
ORIG_FIN = 16
RESP_FIN = 32
ORIG_RST = 64
RESP_RST = 128
ORIG_NEXT = 256  # orig_next holds
RESP_NEXT = 512
ORIG_DATA = 1024  # payload was seen
RESP_DATA = 2048
WANTED = 4096  # every payload goes to the content parser
DISMISSED = 8192  # the content parser wants no more
KEEP = 16384  # its summary is wanted when it ends
NOISE = 32768  # opened with 64 bytes that are no text
HELLO = 65536  # a ClientHello with an interesting name lies in the pool
_HELLO_WHOLE = 262144  # the pool's place is to be given back with the next segment after HELLO was cleared
PLACE = 131072  # an address (and port) in the indicator set

_BLOCK = 16  # entries a block of the packet series
_LATE_SYN = 65_536  # bytes sent before a SYN that was captured after them: a first window (RFC 6928) and some
_MOST_WEAK = 8  # JSON-RPC messages without a word of mining: enough to say what the conversation is
_MOST_HEADS = 64  # heads of HTTP requests handed on before any of them had a JSON-RPC body

GROW = 1  # the caller must call `grow` and go on at the packet returned
DONE = 0


class Table(NamedTuple):
    """The table's arrays. They belong to one thread."""

    slots: NDArray[np.uint64]  # [power of two] hash << 32 | conversation + 1; 0 is empty
    conversations: NDArray[np.void]  # CONVERSATION[n]
    addresses: NDArray[np.uint8]  # [n, 32] originator, responder; IPv4 in the first 4 bytes of each half
    free: NDArray[np.int32]  # stack of unused conversations
    series_time: NDArray[np.int64]  # [m, _BLOCK] capture time [ns]
    series_size: NDArray[np.int32]  # [m, _BLOCK] payload [bytes], negative from the responder
    series_next: NDArray[np.int32]  # [m] block after this one, -1
    series_free: NDArray[np.int32]  # stack
    hello: NDArray[np.uint8]  # [_HELLOS, _HELLO_BYTES] ClientHellos that go on in the next segment
    hello_len: NDArray[np.int32]
    hello_free: NDArray[np.int32]  # stack
    counters: NDArray[np.int64]  # see the _N_ constants


_N_FREE = 0
_N_SERIES_FREE = 1
N_BEGUN = 2
_N_LIVE = 3
N_SELECTED = 4
N_CLOSED = 5
_N_HELLO_FREE = 6
_N_COUNTERS = 8

_HELLOS = 512  # open at once; the second segment follows within a round trip
_HELLO_BYTES = 4096  # a hello with post-quantum key shares has 1.7 to 2 kB


def new_table(conversations: int = 1024, blocks: int = 1024) -> Table:
    """An empty table with room for so many conversations and series blocks; both grow."""
    slots = 16
    while slots < 2 * conversations:
        slots *= 2
    counters = np.zeros(_N_COUNTERS, dtype=np.int64)
    counters[_N_FREE] = conversations
    counters[_N_SERIES_FREE] = blocks
    counters[_N_HELLO_FREE] = _HELLOS
    return Table(
        slots=np.zeros(slots, dtype=np.uint64),
        conversations=_records(conversations),
        addresses=np.zeros((conversations, 32), dtype=np.uint8),
        free=np.arange(conversations - 1, -1, -1, dtype=np.int32),
        series_time=np.zeros((blocks, _BLOCK), dtype=np.int64),
        series_size=np.zeros((blocks, _BLOCK), dtype=np.int32),
        series_next=np.full(blocks, -1, dtype=np.int32),
        series_free=np.arange(blocks - 1, -1, -1, dtype=np.int32),
        hello=np.zeros((_HELLOS, _HELLO_BYTES), dtype=np.uint8),
        hello_len=np.zeros(_HELLOS, dtype=np.int32),
        hello_free=np.arange(_HELLOS, dtype=np.int32),
        counters=counters,
    )


def _records(count: int) -> NDArray[np.void]:
    """Zeroed conversations that begin on cache lines; NumPy aligns to 16 bytes, which costs a fourth line each."""
    raw = np.zeros(count * CONVERSATION.itemsize + 64, dtype=np.uint8)
    first = -raw.ctypes.data % 64
    return raw[first : first + count * CONVERSATION.itemsize].view(CONVERSATION)


def _doubled(array: NDArray[Any], fill: int = 0) -> NDArray[Any]:
    out = np.full((2 * len(array), *array.shape[1:]), fill, dtype=array.dtype)
    out[: len(array)] = array
    return out


def grow(table: Table) -> Table:
    """Double whatever is full; conversations keep their numbers."""
    counters = table.counters
    if counters[_N_FREE] == 0:
        n = len(table.conversations)
        records = _records(2 * n)
        records[:n] = table.conversations
        free = np.zeros(2 * n, dtype=np.int32)
        free[:n] = np.arange(2 * n - 1, n - 1, -1, dtype=np.int32)
        counters[_N_FREE] = n
        slots = np.zeros(2 * len(table.slots), dtype=np.uint64)
        rehash(table.slots, slots)
        table = table._replace(
            conversations=records,
            addresses=_doubled(table.addresses),
            free=free,
            slots=slots,
        )
    if counters[_N_SERIES_FREE] == 0:
        m = len(table.series_next)
        series_free = np.zeros(2 * m, dtype=np.int32)
        series_free[:m] = np.arange(2 * m - 1, m - 1, -1, dtype=np.int32)
        counters[_N_SERIES_FREE] = m
        table = table._replace(
            series_time=_doubled(table.series_time),
            series_size=_doubled(table.series_size),
            series_next=_doubled(table.series_next, fill=-1),
            series_free=series_free,
        )
    return table


@kernel
def rehash(old, new):
    """Put the entries of one slot array into another, twice as long."""
    mask = np.uint64(len(new) - 1)
    for value in old:
        if value != 0:
            slot = (value >> np.uint64(32)) & mask
            while new[slot] != 0:
                slot = (slot + np.uint64(1)) & mask
            new[slot] = value


@kernel
def _remove(table, slot):
    """Empty a slot and move later entries of its run up (Knuth, TAOCP 3, 6.4, algorithm R)."""
    mask = np.int64(len(table.slots) - 1)
    hole = np.int64(slot)
    i = hole
    while True:
        i = (i + 1) & mask
        value = table.slots[i]
        if value == 0:
            break
        home = np.int64(value >> np.uint64(32)) & mask
        if ((i - home) & mask) >= ((i - hole) & mask):
            table.slots[hole] = value
            hole = i
    table.slots[hole] = np.uint64(0)


@njit(inline="always")
def _port_rank(port):
    """Servers sit on low ports, clients on ephemeral ones (RFC 6056; Linux begins at 32768)."""
    if port < 1024:
        return 0
    if port < 32768:
        return 1
    return 2


@njit(inline="always")
def _letter(c, letter, bit, side):
    """Write a letter of the history once for each side."""
    place = np.uint32(1) << np.uint32(bit + (16 if side else 0))
    if c.seen & place == 0:
        c.seen |= place
        if c.history_len < 32:
            c.history[c.history_len] = letter + (32 if side else 0)
            c.history_len += 1


@njit(inline="always")
def place_key(high, low, port):
    """Key of an address and port in the set of indicator addresses; `port` 0 stands for any."""
    return mix64(
        mix64(np.uint64(high)) + mix64(np.uint64(low) ^ np.uint64(0x9E3779B97F4A7C15)) + np.uint64(port)
    ) | np.uint64(1)


@kernel
def place_keys(high, low, port):
    """`place_key` of each row; three uint64[n] in, uint64[n] out."""
    out = np.empty(len(low), dtype=np.uint64)
    for i in range(len(low)):
        out[i] = place_key(high[i], low[i], port[i])
    return out


@kernel
def _is_place(address, first, version, port, places):
    high = np.uint64(0)
    low = np.uint64(0)
    if version == 4:
        for k in range(4):
            low = (low << np.uint64(8)) | np.uint64(address[first + k])
    else:
        for k in range(8):
            high = (high << np.uint64(8)) | np.uint64(address[first + k])
            low = (low << np.uint64(8)) | np.uint64(address[first + 8 + k])
    return _in_table(place_key(high, low, port), places) or _in_table(place_key(high, low, 0), places)


@kernel
def _begin(table, index, buf, p, ordinal, places):
    """Fill a fresh conversation from its first packet."""
    c = table.conversations[index]
    c.key0 = p.key0
    c.key1 = p.key1
    c.hash = p.hash
    c.first_ns = p.time_ns
    c.last_ns = p.time_ns
    c.flags = 0
    c.orig_next = 0
    c.resp_next = 0
    c.series_tail = -1
    c.series_head = -1
    c.series_len = 0
    c.hello = -1
    c.orig_pkts = 0
    c.resp_pkts = 0
    c.orig_bytes = 0
    c.resp_bytes = 0
    c.missed_bytes = 0
    c.orig_hole_first = 0
    c.orig_hole_last = 0
    c.resp_hole_first = 0
    c.resp_hole_last = 0
    c.seen = 0
    c.history_len = 0
    c.parts = 0
    c.proto = p.proto
    c.version = p.version
    c.vlan = p.vlan
    c.orig_isn = p.seq
    c.resp_isn = 0
    c.in_use = 1
    c.first_packet = ordinal
    table.counters[N_BEGUN] += 1
    table.counters[_N_LIVE] += 1

    syn = p.tcp_flags & 0x12
    sender_is_orig = True
    if p.proto == 6 and syn == 0x02:
        sender_is_orig = True
    elif p.proto == 6 and syn == 0x12:
        sender_is_orig = False
    elif _port_rank(p.orig_port) < _port_rank(p.resp_port):
        sender_is_orig = False
    low = p.low == 1
    if low == sender_is_orig:
        c.flags |= np.uint32(ORIG_LOW)
    ip = p.frame + np.int64(p.network)
    size = 4 if p.version == 4 else 16
    source = ip + (12 if p.version == 4 else 8)
    for k in range(32):
        table.addresses[index, k] = 0
    for k in range(size):
        table.addresses[index, k if sender_is_orig else 16 + k] = u8(buf, source + k)
        table.addresses[index, 16 + k if sender_is_orig else k] = u8(buf, source + size + k)
    if sender_is_orig:
        c.orig_p = p.orig_port
        c.resp_p = p.resp_port
    else:
        c.orig_p = p.resp_port
        c.resp_p = p.orig_port
        c.flags |= np.uint32(TURNED)
        c.history[0] = 0x5E
        c.history_len = 1
    if _is_place(table.addresses[index], 16, p.version, c.resp_p, places) or _is_place(
        table.addresses[index], 0, p.version, c.orig_p, places
    ):
        c.flags |= np.uint32(PLACE | KEEP)


@njit(inline="always")
def _is_own_syn(c, p):
    """Whether a SYN belongs to this conversation: the one seen before, or one that was captured too late."""
    if c.flags & np.uint32(SYN):
        return p.seq == c.orig_isn
    from_orig = (p.low == 1) == (c.flags & np.uint32(ORIG_LOW) != 0)
    if not from_orig or c.flags & np.uint32(ORIG_NEXT) == 0:
        return False
    ahead = np.int64(np.int32(c.orig_next - (p.seq + np.uint32(1))))
    return 0 <= ahead <= _LATE_SYN


@njit(inline="always")
def _advance(next_seq, known, hole_first, hole_last, seq, size):
    """Sequence bookkeeping of one side: (next, known, hole first, hole last, new bytes, missed change, again)."""
    if not known:
        return seq + np.uint32(size), True, hole_first, hole_last, np.int64(size), np.int64(0), False
    step = np.int64(np.int32(seq - next_seq))
    if step > 0:
        if step > 1 << 28:  # not a hole but a stream that began anew, or damage
            return seq + np.uint32(size), True, hole_first, hole_last, np.int64(size), np.int64(0), False
        return seq + np.uint32(size), True, next_seq, seq, step + size, step, False
    new = np.int64(size) + step
    if new > 0:
        return next_seq + np.uint32(new), True, hole_first, hole_last, new, np.int64(0), step < 0
    # All old: a late segment fills the hole, anything else is a retransmission.
    into = np.int64(np.int32(seq - hole_first))
    left = np.int64(np.int32(hole_last - seq))
    if into >= 0 and left > 0:
        filled = min(left, np.int64(size))
        return next_seq, True, seq + np.uint32(filled), hole_last, np.int64(0), -filled, False
    return next_seq, True, hole_first, hole_last, np.int64(0), np.int64(0), True


@kernel
def _tcp(c, p, side):
    flags = p.tcp_flags
    size = np.int64(p.payload_len)
    if flags & 0x02:
        if flags & 0x10:
            _letter(c, 0x48, 1, side)
            if side == 1:
                c.flags |= np.uint32(SYN_ACK)
                c.resp_isn = p.seq
        else:
            _letter(c, 0x53, 0, side)
            if side == 0:
                c.flags |= np.uint32(SYN)
                c.orig_isn = p.seq
        # Sent again, or captured late, it must not wind the count back to the beginning.
        if side == 0:
            if c.flags & np.uint32(ORIG_DATA) == 0:
                c.orig_next = p.seq + np.uint32(1)
                c.flags |= np.uint32(ORIG_NEXT)
            if flags & 0x10 and c.flags & np.uint32(RESP_NEXT) == 0:
                c.resp_next = p.ack
                c.flags |= np.uint32(RESP_NEXT)
        else:
            if c.flags & np.uint32(RESP_DATA) == 0:
                c.resp_next = p.seq + np.uint32(1)
                c.flags |= np.uint32(RESP_NEXT)
            if flags & 0x10 and c.flags & np.uint32(ORIG_NEXT) == 0:
                c.orig_next = p.ack
                c.flags |= np.uint32(ORIG_NEXT)
    elif size == 0 and flags & 0x17 == 0x10:
        _letter(c, 0x41, 2, side)
    if size > 0:
        seq = p.seq + np.uint32((flags >> 1) & 1)
        if side == 0:
            n, _known, a, b, new, missed, again = _advance(
                c.orig_next, c.flags & np.uint32(ORIG_NEXT) != 0, c.orig_hole_first, c.orig_hole_last, seq, size
            )
            c.orig_next = n
            c.orig_hole_first = a
            c.orig_hole_last = b
            c.orig_bytes += new
            c.flags |= np.uint32(ORIG_NEXT | ORIG_DATA)
        else:
            n, _known, a, b, new, missed, again = _advance(
                c.resp_next, c.flags & np.uint32(RESP_NEXT) != 0, c.resp_hole_first, c.resp_hole_last, seq, size
            )
            c.resp_next = n
            c.resp_hole_first = a
            c.resp_hole_last = b
            c.resp_bytes += new
            c.flags |= np.uint32(RESP_NEXT | RESP_DATA)
        c.missed_bytes += missed
        if missed > 0:
            _letter(c, 0x47, 6, side)
        if again:
            _letter(c, 0x54, 7, side)
        _letter(c, 0x44, 3, side)
    if flags & 0x01:
        _letter(c, 0x46, 4, side)
        c.flags |= np.uint32(RESP_FIN if side else ORIG_FIN)
    if flags & 0x04:
        _letter(c, 0x52, 5, side)
        c.flags |= np.uint32(RESP_RST if side else ORIG_RST)


@kernel
def _drop_hello(table, c):
    if c.hello >= 0:
        table.hello_free[table.counters[_N_HELLO_FREE]] = c.hello
        table.counters[_N_HELLO_FREE] += 1
        c.hello = -1


@kernel
def _extend_hello(table, c, buf, p, names):
    """Add a segment to the conversation's ClientHello; True where it is now whole and names an indicator.

    Segments must come in order: of two that were swapped, the name is lost. A hello without a place in the pool is
    lost too; 512 that are open at once do not happen outside an attack.
    """
    size = np.int64(p.payload_captured)
    if c.flags & np.uint32(HELLO):
        return False  # it lies whole in the pool until a parser has read it
    if c.flags & np.uint32(_HELLO_WHOLE):  # and was read
        c.flags ^= np.uint32(_HELLO_WHOLE)
        _drop_hello(table, c)
    if c.hello < 0:
        n = table.counters[_N_HELLO_FREE]
        if n == 0 or p.look != TLS_PART:
            return False
        c.hello = table.hello_free[n - 1]
        table.counters[_N_HELLO_FREE] = n - 1
        table.hello_len[c.hello] = 0
        c.hello_next = p.seq
    step = np.int32(p.seq - c.hello_next)
    if step != 0:
        if step > 0:  # a segment is missing: do not keep the place for what will never be whole
            _drop_hello(table, c)
        return False
    have = np.int64(table.hello_len[c.hello])
    if have + size > _HELLO_BYTES or size < np.int64(p.payload_len):
        _drop_hello(table, c)
        return False
    for k in range(size):
        table.hello[c.hello, have + k] = buf[np.uint64(p.payload + k)]
    table.hello_len[c.hello] = have + size
    c.hello_next = p.seq + np.uint32(size)
    answer = client_hello(table.hello[c.hello], 0, have + size, names)
    if answer == NAME:
        c.flags |= np.uint32(HELLO | _HELLO_WHOLE | KEEP)
        return True
    if answer == NOTHING:
        _drop_hello(table, c)
    return False


@njit(inline="always")
def _select(c, p, side, first_payload):
    """Whether this packet goes to a parser; sets the flags that make later packets go too."""
    look = p.look
    flags = c.flags
    if look == NOTHING:
        if flags & np.uint32(WANTED | DISMISSED) == np.uint32(WANTED):
            return True
        if first_payload and side == 0 and flags & np.uint32(PLACE):
            return True  # what name does it give there? An address may serve others too
        if (
            flags & np.uint32(NOISE | DISMISSED) == np.uint32(NOISE)
            and side == 1
            and first_payload
            and (p.payload_len == 234 or p.payload_len == 170)
        ):
            c.flags |= np.uint32(WANTED | KEEP)
            return True
        return False
    if look == RPC:
        if flags & np.uint32(DISMISSED):
            return False
        c.flags |= np.uint32(WANTED | KEEP)
        return True
    if look == RPC_WEAK:
        if flags & np.uint32(WANTED | DISMISSED):
            return flags & np.uint32(DISMISSED) == 0
        if c.parts >= _MOST_WEAK:
            return False
        c.parts += 1
        c.flags |= np.uint32(KEEP)
        return True
    if look == NAME or look == DNS_TCP:
        c.flags |= np.uint32(KEEP)
        return True
    if look == HTTP_RPC_HEAD:
        if flags & np.uint32(DISMISSED) or c.parts >= _MOST_HEADS:
            return flags & np.uint32(WANTED | DISMISSED) == np.uint32(WANTED)
        c.parts += 1
        return True
    if look == QUIC_INITIAL:
        if side == 1 or c.parts >= 2:
            return False
        c.parts += 1
        return True
    if look == NOISE_HELLO:
        if side == 0 and first_payload and flags & np.uint32(SYN):
            c.flags |= np.uint32(NOISE)
            return True
        return flags & np.uint32(WANTED | DISMISSED) == np.uint32(WANTED)
    return False


@kernel
def _append(table, c, time_ns, size):
    """Add one payload packet to the series; False where the pool is empty."""
    place = np.int64(c.series_len) % _BLOCK
    if place == 0:
        n = table.counters[_N_SERIES_FREE]
        if n == 0:
            return False
        block = table.series_free[n - 1]
        table.counters[_N_SERIES_FREE] = n - 1
        table.series_next[block] = -1
        if c.series_tail < 0:
            c.series_head = block
        else:
            table.series_next[c.series_tail] = block
        c.series_tail = block
    table.series_time[c.series_tail, place] = time_ns
    table.series_size[c.series_tail, place] = size
    c.series_len += 1
    return True


@kernel
def update(table, buf, packets, first, last, ordinal, selected, closed, names, places):
    """Take packets into the table.

    Parameters
    ----------
    table : Table
    buf : uint8[n]
    packets : PACKET[m]
        Decoded and looked at.
    first, last : int
    ordinal : int
        Ordinal of ``packets[0]`` in the whole run.
    selected : SELECTED[m]
        Packets for the parsers; appended at ``counters[N_SELECTED]``. Room for all packets of the batch.
    closed : int32[m]
        Conversations whose tuple was taken over by a new one; appended at ``counters[N_CLOSED]``. They are out of
        the table but keep their state until `release`.
    names : uint64[k]
        From `name_table`.
    places : uint64[k]
        `place_key` of each indicator address, as a `name_table`.

    Returns
    -------
    next, status : int
        `last` and DONE, or the packet to go on with and GROW.
    """
    slots = table.slots
    mask = np.uint64(len(slots) - 1)
    counters = table.counters
    for i in range(first, last):
        # Packets ahead in the pipe: first the slot, then the conversation it names, then where its series goes on.
        if i + 24 < last:
            prefetch(slots, np.int64(np.uint64(packets[i + 24].hash) & mask), 0)
        if i + 12 < last:
            ahead = slots[np.uint64(packets[i + 12].hash) & mask]
            if ahead != 0:
                place = np.int64(ahead & np.uint64(0xFFFFFFFF)) - 1
                prefetch(table.conversations, place, 0)
                prefetch(table.conversations, place, 64)
                prefetch(table.conversations, place, 128)
        if i + 5 < last:
            ahead = slots[np.uint64(packets[i + 5].hash) & mask]
            if ahead != 0:
                c = table.conversations[np.int64(ahead & np.uint64(0xFFFFFFFF)) - 1]
                if c.series_tail >= 0:
                    prefetch(table.series_time, c.series_tail * _BLOCK + (c.series_len & (_BLOCK - 1)), 0)
                    prefetch(table.series_size, c.series_tail * _BLOCK + (c.series_len & (_BLOCK - 1)), 0)
        p = packets[i]
        if p.status != 0:
            continue
        if counters[_N_FREE] == 0 or counters[_N_SERIES_FREE] == 0:
            return i, GROW
        # -- find or begin ---------------------------------------------------------------------------------
        slot = np.uint64(p.hash) & mask
        index = np.int64(-1)
        while True:
            value = slots[slot]
            if value == 0:
                break
            if value >> np.uint64(32) == np.uint64(p.hash):
                found = np.int64(value & np.uint64(0xFFFFFFFF)) - 1
                if table.conversations[found].key0 == p.key0 and table.conversations[found].key1 == p.key1:
                    index = found
                    break
            slot = (slot + np.uint64(1)) & mask
        if index >= 0 and p.proto == 6 and p.tcp_flags & 0x12 == 0x02:
            # A new SYN: the same connection trying again, or the next one on the same ports?
            old = table.conversations[index]
            ended = old.flags & np.uint32(ORIG_FIN | RESP_FIN | ORIG_RST | RESP_RST) != 0
            begun = old.flags & np.uint32(ORIG_DATA | RESP_DATA | SYN_ACK) != 0
            if (ended or begun) and not _is_own_syn(old, p):
                old.in_use = 2
                closed[counters[N_CLOSED]] = index
                counters[N_CLOSED] += 1
                counters[_N_LIVE] -= 1
                _remove(table, slot)
                index = -1
                slot = np.uint64(p.hash) & mask
                while slots[slot] != 0:
                    slot = (slot + np.uint64(1)) & mask
        if index < 0:
            n = counters[_N_FREE]
            index = np.int64(table.free[n - 1])
            counters[_N_FREE] = n - 1
            slots[slot] = (np.uint64(p.hash) << np.uint64(32)) | np.uint64(index + 1)
            _begin(table, index, buf, p, ordinal + i, places)
        c = table.conversations[index]
        # -- account ---------------------------------------------------------------------------------------
        side = 0 if (p.low == 1) == (c.flags & np.uint32(ORIG_LOW) != 0) else 1
        if p.time_ns > c.last_ns:
            c.last_ns = p.time_ns
        if side == 0:
            c.orig_pkts += 1
        else:
            c.resp_pkts += 1
        had = c.flags & np.uint32(RESP_DATA if side else ORIG_DATA)
        if p.proto == 6:
            if p.tcp_flags != 0:
                _tcp(c, p, side)
        elif p.payload_len > 0:
            if side == 0:
                c.orig_bytes += p.payload_len
                c.flags |= np.uint32(ORIG_DATA)
            else:
                c.resp_bytes += p.payload_len
                c.flags |= np.uint32(RESP_DATA)
            _letter(c, 0x44, 3, side)
        if p.payload_len > 0:
            size = np.int32(p.payload_len)
            _append(table, c, p.time_ns, -size if side else size)
            if p.payload_captured > 0 and (
                _select(c, p, side, had == 0)
                or ((p.look == TLS_PART or c.hello >= 0) and side == 0 and _extend_hello(table, c, buf, p, names))
            ):
                s = selected[counters[N_SELECTED]]
                s.packet = i
                s.conversation = index
                s.side = side
                s.look = p.look
                counters[N_SELECTED] += 1
    return last, DONE


@kernel
def sweep(table, now_ns, closed, ended_ns, idle_ns, attempt_ns, datagram_ns):
    """Take conversations that are over out of the table; returns how many were appended to `closed`.

    Parameters
    ----------
    table : Table
    now_ns : int
        Capture time. [ns since 1970-01-01 UTC]
    closed : int32[n]
        Appended at ``counters[N_CLOSED]``; room for all conversations.
    ended_ns, idle_ns, attempt_ns, datagram_ns : int
        How long ago the last packet must be: after FIN or RST, of an open TCP conversation, of one without any
        payload, of anything that is not TCP. [ns]
    """
    counters = table.counters
    before = counters[N_CLOSED]
    mask = np.uint64(len(table.slots) - 1)
    for index in range(len(table.conversations)):
        c = table.conversations[index]
        if c.in_use != 1:
            continue
        idle = now_ns - c.last_ns
        if c.proto != 6:
            limit = datagram_ns
        elif c.flags & np.uint32(ORIG_RST | RESP_RST) or (
            c.flags & np.uint32(ORIG_FIN) and c.flags & np.uint32(RESP_FIN)
        ):
            limit = ended_ns
        elif c.flags & np.uint32(ORIG_DATA | RESP_DATA) == 0:
            limit = attempt_ns
        else:
            limit = idle_ns
        if idle < limit:
            continue
        wanted = (np.uint64(c.hash) << np.uint64(32)) | np.uint64(index + 1)
        slot = np.uint64(c.hash) & mask
        while table.slots[slot] != 0 and table.slots[slot] != wanted:
            slot = (slot + np.uint64(1)) & mask
        if table.slots[slot] == wanted:
            _remove(table, slot)
            c.in_use = 2
            closed[counters[N_CLOSED]] = index
            counters[N_CLOSED] += 1
            counters[_N_LIVE] -= 1
    return counters[N_CLOSED] - before


@kernel
def release(table, closed, count):
    """Give the room of closed conversations back."""
    counters = table.counters
    for k in range(count):
        index = closed[k]
        c = table.conversations[index]
        block = np.int64(c.series_head)
        while block >= 0:
            following = np.int64(table.series_next[block])
            table.series_free[counters[_N_SERIES_FREE]] = block
            counters[_N_SERIES_FREE] += 1
            block = following
        _drop_hello(table, c)
        c.series_head = -1
        c.series_tail = -1
        c.series_len = 0
        c.in_use = 0
        table.free[counters[_N_FREE]] = index
        counters[_N_FREE] += 1


@kernel
def flag_places(table, places, since_ns):
    """Flag the conversations seen since `since_ns` that go to one of `places`; for addresses learnt from DNS."""
    for index in range(len(table.conversations)):
        c = table.conversations[index]
        if c.in_use != 0 and c.last_ns >= since_ns:
            if _is_place(table.addresses[index], 16, c.version, c.resp_p, places):
                c.flags |= np.uint32(PLACE | KEEP)


@kernel
def read_series(table, index):
    """Times [ns] and signed sizes [bytes, negative from the responder] of a conversation's payload packets."""
    c = table.conversations[index]
    n = np.int64(c.series_len)
    times = np.empty(n, dtype=np.int64)
    sizes = np.empty(n, dtype=np.int32)
    block = np.int64(c.series_head)
    for k in range(n):
        place = k % _BLOCK
        times[k] = table.series_time[block, place]
        sizes[k] = table.series_size[block, place]
        if place == _BLOCK - 1:
            block = np.int64(table.series_next[block])
    return times, sizes
